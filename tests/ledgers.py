"""Small ledgers to test with: their submissions are made up, and as short as the tests that touch every bit need."""

from __future__ import annotations

from pathlib import Path

from provstore import rdf
from provstore.iris import PLACEHOLDER
from provstore.ledger.log import Ledger
from provstore.model import Content, Liberty, Mapped, Submission

BASE = "https://prov.example"
TIME = "2026-03-01T12:00:00.000000Z"


def content(n: int) -> Content:
    iri = f"ni:///sha-256;content-{n}"
    return Content(iri, f'<{iri}> <urn:p> "{n}" <{iri}> .\n'.encode())


def submission(n: int, *, actor: str = "ann", size: int = 60, contents: tuple[Content, ...] = ()) -> Submission:
    """The n-th submission: a payload of `size` bytes, one quad, and what it cites."""
    payload = f'{{"n":{n}}}'.encode().ljust(size)
    record, quads = rdf.seal(BASE, {f"<urn:n{n}> <urn:p> <urn:o> <{PLACEHOLDER}> .\n"})
    liberties = (Liberty("/n", f"took {n} as it is"),) if n % 3 == 0 else ()
    return Submission(payload, "application/json", actor, Mapped(record, quads, contents, "test/1", liberties))


def make(directory: Path, count: int = 0) -> Ledger:
    """A ledger of `count` records beside its genesis, in batches of five; every third cites one of four contents."""
    ledger = Ledger.create(directory, base=BASE, received=TIME)
    for first in range(0, count, 5):
        batch = range(first, min(first + 5, count))
        ledger.append([submission(n, contents=(content(n % 4),) if n % 3 == 0 else ()) for n in batch], TIME)
    return ledger
