"""A running server, or a directory that is there, as the command line sees them."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

from provstore.errors import DirectoryInUse, Misconfigured, NotFound, ProvStoreError
from provstore.settings import Settings

#: What a server says of payloads that it does not take; any other status is about the server.
REFUSALS = (400, 413, 415, 422)
#: How many seconds a server may be busy before it is given up.
_PATIENCE = 300.0
_NOT_OURS = "not provstore: --server is the address that `provstore serve` prints"
_open = build_opener(ProxyHandler({})).open  # a server is on this machine; no proxy stands between


def server_of(settings: Settings) -> str:
    """The URL to use: the one that is set, or that of the server which has the data directory open; '' if none."""
    if settings.server:
        return settings.server.rstrip("/")
    try:
        note = json.loads((Path(settings.data) / "server.json").read_text())
        found = str(note["url"])
        os.kill(int(note["pid"]), 0)  # a server that was killed leaves its note, and its port may be another's now
        with _open(f"{found}/health", timeout=2):
            return found
    except (OSError, HTTPException, ValueError, KeyError, TypeError):
        return ""


def existing(settings: Settings) -> Path:
    """The data directory; Misconfigured where it holds no store, since asking must not make one."""
    directory = Path(settings.data)
    if not (directory / "ledger.db").exists():
        raise Misconfigured(
            f"{directory} holds no ledger: name the right directory with --data; `provstore ingest` makes one, and "
            "`provstore demo` one with examples"
        )
    return directory


def unserved(settings: Settings) -> Path:
    """The data directory, for what needs it alone; DirectoryInUse where a server has it open."""
    directory, url = existing(settings), server_of(settings) if not settings.server else ""
    if url:
        raise DirectoryInUse(
            f"{directory} is in use by another process, the server at {url}: stop it first (Ctrl-C where it runs)"
        )
    return directory


@dataclass(frozen=True, slots=True)
class Reply:
    """What one request was answered with."""

    status: int
    media_type: str
    body: bytes


def call(url: str, data: bytes | None = None, headers: dict[str, str] | None = None) -> Reply:
    """The reply to one request, whatever its status; Misconfigured where nobody answers."""
    try:
        with _open(Request(url, data, headers or {}), timeout=300) as response:
            return Reply(response.status, response.headers.get_content_type(), response.read())
    except HTTPError as error:
        return Reply(error.code, error.headers.get_content_type(), error.read())
    except (OSError, HTTPException, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise Misconfigured(
            f"no server answers at {url.partition('?')[0]}: {reason}; start one with `provstore serve`, or leave out "
            "--server to open the data directory itself"
        ) from error


def patiently(url: str, data: bytes, headers: dict[str, str], good: Callable[[Reply], bool]) -> Reply:
    """The first good reply: a server that is busy is asked again for minutes. Any other is raised as what it says."""
    until = time.monotonic() + _PATIENCE
    while True:
        reply = call(url, data, headers)
        if good(reply):
            return reply
        if reply.status != 503 or time.monotonic() > until:
            raise problem(reply.body)
        time.sleep(1)


def outcomes(said: dict[str, Any], size: int) -> Iterator[dict[str, Any]]:
    """What a server said of an array of payloads, an element each: a receipt, or a refusal with its place in it."""
    if "refused" not in said:  # of the body as a whole
        yield from (said for _ in range(size))
        return
    receipts, refused = iter(said.get("receipts", ())), {}
    for each in said["refused"]:
        _, number, *inner = each["pointer"].split("/")
        refused[int(number)] = {**each, "pointer": "".join(f"/{step}" for step in inner)}
    for number in range(size):
        yield refused[number] if number in refused else next(receipts)


def download(url: str, target: Path, progress: Callable[[int, int], None]) -> Message:
    """Save what a request answers in a new file; its headers. The error of a server that refuses is raised."""
    try:
        with _open(Request(url), timeout=600) as response, target.open("xb") as out:
            total, done = int(response.headers.get("Content-Length") or 0), 0
            while chunk := response.read(1 << 20):
                done += out.write(chunk)
                progress(done, max(total, done))
            if done < total:
                raise Misconfigured(f"{url} was cut off after {done} of {total} bytes")
            headers: Message = response.headers
            return headers
    except HTTPError as error:
        raise problem(error.read()) from error
    except (OSError, HTTPException, ValueError) as error:
        raise Misconfigured(f"nothing could be saved from {url}: {error}") from error


def answer(url: str, headers: dict[str, str] | None = None) -> dict[str, Any]:
    """The JSON object that a server answers; the error that it says, Misconfigured where it is none of ours."""
    reply = call(url, None, headers)
    if reply.status != 200 or reply.media_type != "application/json":
        raise problem(reply.body)
    found: dict[str, Any] = json.loads(reply.body)
    return found


def problem(body: bytes) -> ProvStoreError:
    """The error in a problem document."""
    try:
        said = json.loads(body)
        kind = NotFound if said.get("status") == 404 else ProvStoreError
        if said["detail"] == "Not Found":  # what a path is answered with that no route has
            return Misconfigured(f"what answers there is {_NOT_OURS}")
        return kind(str(said["detail"]), pointer=said.get("pointer"), line=said.get("line"))
    except (ValueError, KeyError, TypeError, AttributeError):
        return Misconfigured(f"what answers there is {_NOT_OURS}: {body[:100].decode(errors='replace')}")
