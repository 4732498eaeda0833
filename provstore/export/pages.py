"""What a person reads in a package: README.txt, and index.html with a line for each record; neither has a script."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from provstore import __version__, rdf
from provstore.ledger.body import Body
from provstore.ledger.note import Checkpoint
from provstore.vocab import PROV, PS, RDF_TYPE

_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True, undefined=StrictUndefined
)
_TYPE = re.compile(rf"<([^>]*)> {re.escape(RDF_TYPE)} <([^>]*)> ")
#: Classes that say nothing of what a record is about.
_PLAIN = {PROV.Entity, PROV.Activity, PROV.Agent, PROV.Bundle, PS.Record, PS.Content, PS.FacetAssertion}
_SHOWN = 6


@dataclass(frozen=True, slots=True)
class Facts:
    """What is said of a package as a whole."""

    base: str
    checkpoint: Checkpoint
    records: int
    selection: dict[str, Any]
    verifier: str

    def asked(self) -> Iterator[tuple[str, str]]:
        """The selection, a line for each value."""
        for name, value in self.selection.items():
            yield from ((name, _text(each)) for each in (value if isinstance(value, list) else [value]))


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@dataclass(frozen=True, slots=True)
class Row:
    """One record in the index; `payload` is the name of its file, '' where the ledger does not hold it any more."""

    index: int
    received: str
    actor: str
    adapter: str
    record: str
    payload: str
    size: int
    things: tuple[tuple[str, str], ...]  # what it speaks of: classes and IRI
    more: int
    liberties: int

    @classmethod
    def of(cls, body: Body, actor: str, payload: str) -> Self:
        kinds: dict[str, set[str]] = {}
        for kind, iri in _things(body):
            kinds.setdefault(iri, set()).add(kind)
        things = sorted((", ".join(sorted(each)), iri) for iri, each in kinds.items())
        counted = (tuple(things[:_SHOWN]), max(0, len(things) - _SHOWN), len(body.liberties))
        return cls(body.index, body.received, actor, body.adapter, body.record, payload, len(body.payload), *counted)

    @classmethod
    def empty(cls, index: int, entry: bytes) -> Self:
        said = json.loads(entry)
        return cls(index, said["time"], said.get("actor", ""), said.get("adapter", ""), "", "", 0, (), 0, 0)


def _things(body: Body) -> Iterator[tuple[str, str]]:
    """What a record calls something more than an entity, an activity or an agent."""
    for line in body.quads.decode().split("\n"):
        match = _TYPE.match(line)
        if match and f"<{match[2]}>" not in _PLAIN and not match[1].startswith(body.record):
            yield re.split(r"[#/]", match[2])[-1], match[1]


def readme(facts: Facts) -> str:
    """README.txt."""
    asked = "\n".join(f"  {name}: {value}" for name, value in _plain(facts.asked()))
    head = facts.checkpoint
    return _README.format(
        records=f"{facts.records} record{'' if facts.records == 1 else 's'}",
        size=head.size,
        origin=head.origin,
        base=facts.base,
        root=head.root.hex(),
        asked=asked,
        verifier=facts.verifier,
    )


def _plain(pairs: Iterator[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Values on one line each: a line break in one of them must not look like a line of ours."""
    return ((name, " ".join(value.split())) for name, value in pairs)


_README = """\
A provstore package: {records} of a ledger of {size} entries, with what proves them.

Open index.html in a browser for what is in here, record by record.

Ledger      {origin}
Ids below   {base}
Checkpoint  {size} entries, root {root}
Selected by
{asked}

Verify it
---------
On any machine with Python 3.9 or newer and its package "cryptography":

  python verify.py                                  in this directory, or
  python verify.py package.zip                      for the ZIP file
  python verify.py package.zip --checkpoint kept.txt --key KEY

UNWITNESSED: all that is in here fits together, and the ledger's key signed it. Whoever owns the ledger could still have
written all of it anew. VERIFIED: it also extends the checkpoint that you kept, so what was recorded by then is as it
was then. Keep checkpoints (GET /ledger/checkpoint), and learn the key, from somewhere else than this package.
FAILED: do not rely on it.

A verifier that comes with what it verifies can lie. Take verify.py from provstore, or compare its SHA-256 with the one
in the documentation of provstore. This one has
  {verifier}

What is where
-------------
records/N/entry.json     entry N of the ledger, byte for byte: commitments, no contents
records/N/payload.*      what was received, byte for byte
records/N/quads.nq       the statements made from it, canonical N-Quads
records/N/salts.json     what opens the commitments in the entry
records/N/proof.json     the path from the entry to the root of the checkpoint (RFC 6962)
contents/                statements that several records share
consistency/             that the ledger extends an earlier checkpoint, where one was named
graph.nq                 all statements of these records, to load into a triple store
derived/graph.nq         what provstore concluded from the ledger about the same things. The ledger does not
                         commit to it: it can be made again from the records
checkpoint.txt, key.txt  the signed head of the ledger, and the key to check it with
manifest.json            every file with its SHA-256; manifest.sig is the key's signature of it
"""


def index(facts: Facts, rows: Sequence[Row], derived: tuple[int, bytes] | None) -> str:
    """index.html."""
    superseded = dict(_superseded(derived[1])) if derived else {}
    return _TEMPLATES.get_template("index.html").render(
        facts=facts,
        rows=rows,
        derived=derived,
        superseded=superseded,
        where={row.record: row.index for row in reversed(rows)},
        short=lambda iri: f"…{iri.removeprefix(facts.base)}" if iri.startswith(f"{facts.base}/") else iri,
        version=__version__,
    )


def _superseded(derived: bytes) -> Iterator[tuple[str, str]]:
    for line in derived.decode().split("\n"):
        if f" {PS.supersededBy} " in line:
            subject, _, value, _ = rdf.split(f"{line}\n")
            yield subject[1:-1], value[1:-1]


__all__ = ["Facts", "Row", "index", "readme"]
