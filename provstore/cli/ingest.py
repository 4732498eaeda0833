"""`provstore ingest`: files in, receipts out."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from provstore.capture import payloads
from provstore.capture.payloads import Limits, Part
from provstore.cli import files
from provstore.cli.output import show_json, write
from provstore.cli.progress import Progress
from provstore.cli.remote import REFUSALS, Reply, outcomes, patiently, server_of
from provstore.core import ProvStore, intake
from provstore.core.intake import Body, Item
from provstore.errors import InvalidInput
from provstore.security.pool import WorkerPool
from provstore.settings import Settings

_GROUP = 128
_LIMITS = Limits(body_bytes=1 << 32, inflated_bytes=1 << 32, payloads=1 << 31)
#: What is sent to a server at once; it takes 16 MiB, but others wait meanwhile.
_SENT_BYTES = 1 << 20
_JSON = ("application/json", "application/problem+json")

#: Outcomes of a part of a file, and what share of the file is done with them.
_Batch = tuple[list[dict[str, Any]], float]


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Take in every file; 1 where something was refused."""
    names = files.found(arguments.files)
    form = files.named(arguments.format, "--format")
    taker = opened(settings)
    counts = {"taken": 0, "duplicate": 0, "refused": 0}
    sizes = files.sizes(names)
    try:
        with Progress("ingest", " kB") as progress:
            for number, name in enumerate(names):
                for outcomes, share in _batches(taker, name, form):
                    for outcome in outcomes:
                        counts[_report(progress, name, outcome, arguments.json)] += 1
                    progress((sum(sizes[:number]) + share * sizes[number]) / 1000, sum(sizes) / 1000)
    finally:
        taker.close()
    if not arguments.json:
        write(", ".join(f"{count:,} {kind}" for kind, count in counts.items()) + "\n")
    return 1 if counts["refused"] else 0


def opened(settings: Settings) -> Local | Remote:
    """What takes payloads in: the server that is running, or the directory, until it is closed."""
    server = server_of(settings)
    return Remote(server) if server else Local(settings)


def _batches(taker: Remote | Local, name: str, form: str | None) -> Iterator[_Batch]:
    try:
        yield from taker.take(files.read(name), files.media_type(name, form, "--format"))
    except InvalidInput as error:
        yield [error.problem()], 1.0


def _report(progress: Progress, name: str, outcome: dict[str, Any], as_json: bool) -> str:
    """Say what became of one payload; whether it was taken, a duplicate or refused."""
    refused = "detail" in outcome
    if as_json:
        show_json({"file": name, **outcome}, indent=None)
    elif refused:
        progress.note(f"{files.place(name, outcome)}: {outcome['detail']}")
    return "refused" if refused else "duplicate" if outcome["duplicate"] else "taken"


class Local:
    """Straight into the directory."""

    def __init__(self, settings: Settings) -> None:
        with Progress("views") as progress:
            self._store = ProvStore(Path(settings.data), base=settings.base, progress=progress)
        self._seconds = settings.rdf_timeout_seconds
        self._pool: WorkerPool | None = None
        self._memory = settings.query_memory_bytes
        self._redact = settings.redact

    def take(self, data: bytes, media_type: str) -> Iterator[_Batch]:
        """What becomes of the payloads of a file, in parts."""
        body = Body(data, media_type, None, self._store.base, _LIMITS, self._redact)
        items = [self._document(body)] if intake.is_rdf(media_type) else intake.read_payloads(body)
        for start in range(0, len(items), _GROUP):
            group = items[start : start + _GROUP]
            yield self._taken(group), (start + len(group)) / len(items)

    def _taken(self, group: Sequence[Item]) -> list[dict[str, Any]]:
        receipts = iter(self._store.ingest([item.submission("local") for item in group if item.mapped]))
        outcomes: list[dict[str, Any]] = []
        for item in group:
            if item.mapped:
                receipt = next(receipts)
                outcomes.append({"record": receipt.record, "index": receipt.index, "duplicate": receipt.duplicate})
            else:
                outcomes.append({**item.where, **(item.error or InvalidInput("refused")).problem()})
        return outcomes

    def _document(self, body: Body) -> Item:
        self._pool = self._pool or WorkerPool(self._memory, most=1, keep=1, modules=("provstore.core.intake",))
        with intake.in_worker(self._seconds):
            item: Item = self._pool.call("provstore.core.intake:read_document", body, self._seconds)
            return item

    def close(self) -> None:
        if self._pool:
            self._pool.close()
        self._store.close()


class Remote:
    """Through a running server, events in parts that do not keep others waiting."""

    def __init__(self, url: str) -> None:
        self._url = url

    def take(self, data: bytes, media_type: str) -> Iterator[_Batch]:
        """As in a directory."""
        if intake.is_rdf(media_type):
            yield [self._said("/records", data, media_type)], 1.0
            return
        parts = payloads.split(data, media_type, None, _LIMITS)
        done = 0
        for group in _groups(parts):
            done += len(group)
            yield self._payloads(group, media_type), done / len(parts)

    def _payloads(self, group: Sequence[Part], media_type: str) -> list[dict[str, Any]]:
        """Outcomes in the order of the payloads, each with its place in the file."""
        good = [part for part in group if part.error is None]
        told: Iterator[dict[str, Any]] = iter(())
        if good:
            body = b"[" + b",".join(part.raw for part in good) + b"]"
            told = outcomes(self._said("/records", body, media_type), len(good))
        return [_placed(part, part.error.problem() if part.error else next(told)) for part in group]

    def _said(self, route: str, data: bytes, media_type: str) -> dict[str, Any]:
        """The server's word; while it is busy, it is asked again, since what it took already is a duplicate then."""
        reply = patiently(f"{self._url}{route}", data, {"Content-Type": media_type}, _is_said)
        said: dict[str, Any] = json.loads(reply.body)
        return said

    def close(self) -> None:
        """Nothing is held open."""


def _groups(parts: Sequence[Part]) -> Iterator[list[Part]]:
    group: list[Part] = []
    size = 0
    for part in parts:
        if group and (size + len(part.raw) > _SENT_BYTES or len(group) == _GROUP):
            yield group
            group, size = [], 0
        group.append(part)
        size += len(part.raw)
    yield group


def _is_said(reply: Reply) -> bool:
    return (reply.status < 300 or reply.status in REFUSALS) and reply.media_type in _JSON


def _placed(part: Part, refusal: dict[str, Any]) -> dict[str, Any]:
    """A receipt as it is, a refusal with the place of its payload in the file, as a directory would say it."""
    if "record" in refusal:
        return refusal
    inner = refusal.get("pointer", "")
    pointer = inner if inner.startswith(part.pointer) else part.pointer + inner
    where = {} if part.line is None else {"line": part.line}
    return {**refusal, "pointer": pointer, **where} if pointer else {**_without_pointer(refusal), **where}


def _without_pointer(refusal: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in refusal.items() if key != "pointer"}
