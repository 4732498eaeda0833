"""`provstore ingest`: files in, receipts out."""

from __future__ import annotations

import argparse
import glob
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from provstore.capture.payloads import Limits
from provstore.capture.syntax import media_type_of
from provstore.cli.output import Progress
from provstore.cli.remote import call, server_of
from provstore.core import ProvStore, intake
from provstore.core.intake import Body, Item
from provstore.errors import InvalidInput, Misconfigured, ProvStoreError, TooLarge
from provstore.security.pool import JobCrash, JobTimeout, WorkerPool
from provstore.settings import Settings

_EVENTS = (".json", ".ndjson", ".jsonl")
_GROUP = 128


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Take in every file; 1 where something was refused."""
    files = list(_files(arguments.files))
    if not files:
        raise Misconfigured("no file matches; files ending in .json, .jsonl, .ndjson or an RDF extension are taken")
    form = _form(arguments.format) if arguments.format else None
    server = server_of(settings)
    taker: _Remote | _Local = _Remote(server) if server else _Local(settings)
    counts = {"taken": 0, "duplicate": 0, "refused": 0}
    progress = Progress("ingest")
    try:
        for number, name in enumerate(files, 1):
            for outcome in _outcomes(taker, name, form):
                kind = "refused" if "detail" in outcome else "duplicate" if outcome["duplicate"] else "taken"
                counts[kind] += 1
                _report(name, outcome, kind, arguments.json)
            progress(number, len(files))
    finally:
        progress.end()
        taker.close()
    if not arguments.json:
        print(", ".join(f"{count:,} {kind}" for kind, count in counts.items()))
    return 1 if counts["refused"] else 0


def _outcomes(taker: _Remote | _Local, name: str, form: str | None) -> Iterator[dict[str, Any]]:
    try:
        data = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
        yield from taker.take(data, _media_type(name, form))
    except OSError as error:
        yield {"title": "Unreadable", "detail": str(error)}
    except InvalidInput as error:
        yield error.problem()


def _report(name: str, outcome: dict[str, Any], kind: str, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"file": name, **outcome}))
    elif kind == "refused":
        place = outcome.get("pointer") or (f"line {outcome['line']}" if "line" in outcome else "")
        print(f"{name}{f' at {place}' if place else ''}: {outcome['detail']}", file=sys.stderr)


def _files(patterns: list[str]) -> Iterator[str]:
    for pattern in patterns:
        if pattern == "-":
            yield pattern
        elif Path(pattern).is_dir():
            yield from sorted(str(p) for p in Path(pattern).rglob("*") if p.is_file() and _known(p.name))
        elif glob.has_magic(pattern) and not Path(pattern).exists():
            yield from sorted(glob.glob(pattern, recursive=True))
        else:
            yield pattern


def _known(name: str) -> bool:
    bare = name.removesuffix(".gz")
    return bare.endswith(_EVENTS) or media_type_of(bare) is not None


def _form(given: str) -> str:
    """The media type that --format means: one itself, or a file extension."""
    if given in ("application/json", "application/x-ndjson") or intake.is_rdf(given):
        return given
    found = "application/json" if f".{given}" in _EVENTS else media_type_of(f".{given}")
    if found is None:
        raise Misconfigured(f"--format is json, jsonl or an RDF extension or media type such as ttl, got {given!r}")
    return found


def _media_type(name: str, given: str | None) -> str:
    bare = name.removesuffix(".gz")
    if given:
        return given
    if bare.endswith(_EVENTS) or bare == "-":
        return "application/json"
    found = media_type_of(bare)
    if found is None:
        raise InvalidInput("the file name does not tell what it holds: give --format")
    return found


class _Local:
    """Straight into the directory."""

    def __init__(self, settings: Settings) -> None:
        self._store = ProvStore(Path(settings.data), base=settings.base, progress=None)
        self._limits = Limits(body_bytes=1 << 32, inflated_bytes=1 << 32)
        self._seconds = settings.rdf_timeout_seconds
        self._pool: WorkerPool | None = None
        self._memory = settings.query_memory_bytes

    def take(self, data: bytes, media_type: str) -> Iterator[dict[str, Any]]:
        body = Body(data, media_type, None, self._store.base, self._limits)
        items = [self._document(body)] if intake.is_rdf(media_type) else intake.read_events(body)
        for start in range(0, len(items), _GROUP):
            group = items[start : start + _GROUP]
            good = [item.submission("local") for item in group if item.mapped]
            receipts = iter(self._store.ingest(good))
            for item in group:
                if item.mapped:
                    receipt = next(receipts)
                    yield {"record": receipt.record, "index": receipt.index, "duplicate": receipt.duplicate}
                else:
                    yield {**item.where, **(item.error or InvalidInput("refused")).problem()}

    def _document(self, body: Body) -> Item:
        self._pool = self._pool or WorkerPool(self._memory, most=1, keep=1, modules=("provstore.core.intake",))
        try:
            item: Item = self._pool.call("provstore.core.intake:read_document", body, self._seconds)
            return item
        except (JobTimeout, JobCrash) as error:
            raise TooLarge("the document takes too long or too much memory to read: split it") from error

    def close(self) -> None:
        if self._pool:
            self._pool.close()
        self._store.close()


class _Remote:
    """Through a running server."""

    def __init__(self, url: str) -> None:
        self._url = url

    def take(self, data: bytes, media_type: str) -> Iterator[dict[str, Any]]:
        route = "/records" if intake.is_rdf(media_type) else "/api/v1/lineage"
        status, body = call(f"{self._url}{route}", data, {"Content-Type": media_type})
        said = json.loads(body)
        if status >= 500:
            raise ProvStoreError(f"the server could not take it: {said.get('detail', status)}")
        if "receipts" in said or "refused" in said:
            yield from said.get("receipts", [])
            yield from said["refused"]
        else:
            yield said

    def close(self) -> None:
        """Nothing is held open."""
