"""A running server as the command line sees it."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from provstore.errors import DirectoryInUse, Misconfigured, ProvStoreError
from provstore.settings import Settings


def server_of(settings: Settings) -> str:
    """The URL to use: the one that is set, or that of the server which has the data directory open; '' if none."""
    if settings.server:
        return settings.server.rstrip("/")
    note = Path(settings.data) / "server.json"
    try:
        found = str(json.loads(note.read_text())["url"])
        with urlopen(f"{found}/health", timeout=2):
            return found
    except (OSError, ValueError, KeyError):
        return ""


def call(url: str, data: bytes | None = None, headers: dict[str, str] | None = None) -> tuple[int, bytes]:
    """Status and body of one request; Misconfigured where nobody answers."""
    try:
        with urlopen(Request(url, data, headers or {}), timeout=300) as response:
            return response.status, response.read()
    except HTTPError as error:
        return error.code, error.read()
    except URLError as error:
        raise Misconfigured(f"no server answers at {url}: {error.reason}") from error


def problem(body: bytes) -> ProvStoreError:
    """The error in a problem document."""
    try:
        said = json.loads(body)
        return ProvStoreError(str(said["detail"]), pointer=said.get("pointer"), line=said.get("line"))
    except (ValueError, KeyError):
        return ProvStoreError(f"the server answered: {body[:300].decode(errors='replace')}")


__all__ = ["DirectoryInUse", "call", "problem", "server_of"]
