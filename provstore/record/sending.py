"""From the spool to a store: each line until there is a receipt for it, so that each is recorded exactly once.

The bytes of a payload are its identity: one that was sent before is answered as a duplicate. So a line whose receipt
was lost is sent again, and a file goes away only when every line of it has its receipt.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from provstore.record import spool as spooled
from provstore.record.spool import Destination, Lines

#: Why a flush did nothing where another one, of this process or of another, is at it.
BUSY = "another process is sending them"
#: How much is sent at once.
_BATCH_BYTES, _BATCH = 1 << 20, 256


class Unavailable(Exception):
    """The store cannot be asked now; what was to be sent stays in the spool."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a store said of one payload: recorded, or `refused` with the reason."""

    refused: str = ""


class Sender(Protocol):
    """Something that records payloads and answers for each, in order; Unavailable where it cannot now."""

    def __call__(self, payloads: Sequence[bytes], /) -> list[Answer]: ...


@dataclass(slots=True)
class Flushed:
    """What a flush came to, in steps; `torn` and `missing` count those that are lost with their process."""

    sent: int = 0
    refused: int = 0
    waiting: int = 0
    torn: int = 0
    missing: int = 0
    why: str = ""

    def add(self, other: Flushed) -> None:
        self.sent += other.sent
        self.refused += other.refused
        self.waiting += other.waiting
        self.torn += other.torn
        self.missing += other.missing
        self.why = self.why or other.why


def flush(folder: Path, send: Sender) -> Flushed:
    """Send every line of a folder of the spool; what the store cannot take now, or another process sends, waits."""
    done = Flushed()
    if not folder.is_dir():
        return done
    with spooled.alone(folder) as ours:
        for path in spooled.files(folder):
            if done.why or not ours:
                done.waiting += len(spooled.read(path, spooled.sent(path)).payloads)
                continue
            try:
                _file(folder, path, send, done)
            except FileNotFoundError:  # somebody else was done with it between our two looks
                continue
    if not ours and done.waiting:
        done.why = BUSY
    return done


def _file(folder: Path, path: Path, send: Sender, done: Flushed) -> None:
    at = spooled.sent(path)
    while True:
        lines = spooled.read(path, at, 8 * _BATCH_BYTES)
        for begin, end in _batches(lines.payloads):
            batch = lines.payloads[begin:end]
            try:
                answers = send(batch)
            except Unavailable as error:
                done.why = str(error)
                done.waiting += len(spooled.read(path, at).payloads)
                return
            _count(folder, batch, answers, done)
            at = _mark(path, lines.ends[end - 1])
        if lines.size > at:
            done.torn += lines.torn
            _log(folder, "missing.log", [{"torn": path.name}] * lines.torn)
            at = _mark(path, lines.size)
        if lines.whole:
            break
        if not lines.payloads and lines.alive:
            return
    if not lines.alive:
        missing = spooled.unended(path)
        done.missing += len(missing)
        _log(folder, "missing.log", [dict(each) for each in missing])
        spooled.remove(path)


def _mark(path: Path, size: int) -> int:
    """Remember how far the receipts go; where the disk is full, lines are sent again later, and count once."""
    with suppress(OSError):
        spooled.mark_sent(path, size)
    return size


def _log(folder: Path, name: str, said: list[dict[str, object]]) -> None:
    with suppress(OSError):
        spooled.logged(folder, name, said)


def _count(folder: Path, batch: Sequence[bytes], answers: Sequence[Answer], done: Flushed) -> None:
    refused: list[dict[str, object]] = [
        {"why": answer.refused, "payload": json.loads(payload)}
        for payload, answer in zip(batch, answers, strict=True)
        if answer.refused
    ]
    _log(folder, "refused.log", refused)
    done.refused += len(refused)
    done.sent += len(batch) - len(refused)


def _batches(payloads: Sequence[bytes]) -> Iterator[tuple[int, int]]:
    """From where to where each batch goes."""
    begin = size = 0
    for number, payload in enumerate(payloads):
        if number > begin and (size + len(payload) > _BATCH_BYTES or number - begin == _BATCH):
            yield begin, number
            begin, size = number, 0
        size += len(payload)
    if begin < len(payloads):
        yield begin, len(payloads)


@dataclass(frozen=True, slots=True)
class Status:
    """What a folder of the spool holds: where its lines go, and how many steps are in which condition."""

    to: Destination
    waiting: int
    refused: int
    lost: int


def status(spool: Path) -> list[Status]:
    """Every folder of a spool; nothing is sent."""
    found = []
    for folder, to in spooled.destinations(spool):
        waiting, lost = 0, spooled.counted(folder, "missing.log")
        for path in spooled.files(folder):
            try:
                lines: Lines = spooled.read(path, spooled.sent(path))
                lost += lines.torn + (0 if lines.alive else len(spooled.unended(path)))
            except FileNotFoundError:
                continue
            waiting += len(lines.payloads)
        found.append(Status(to, waiting, spooled.counted(folder, "refused.log"), lost))
    return found
