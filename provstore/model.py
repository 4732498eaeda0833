"""What moves between the parts: a payload, what an adapter made of it, and the receipt for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Liberty:
    """Something an adapter had to overlook or assume in a payload: where (a JSON pointer) and what."""

    pointer: str
    message: str


@dataclass(frozen=True, slots=True)
class Location:
    """A place in what was sent: file, line and column counted from 1, JSON pointer; None is what is not known.

    In a file of one JSON payload a line, the pointer is one in the payload of that line.
    """

    file: str | None = None
    line: int | None = None
    column: int | None = None
    pointer: str | None = None

    def json(self) -> dict[str, Any]:
        """The location as a JSON object; what is not known is null."""
        return {"file": self.file, "line": self.line, "column": self.column, "pointer": self.pointer}


@dataclass(frozen=True, slots=True)
class Content:
    """One facet value as a graph of its own: its `ni:` name, and its sorted canonical N-Quads."""

    iri: str
    quads: bytes


@dataclass(frozen=True, slots=True)
class Mapped:
    """One payload as RDF: the record's IRI, its sorted canonical N-Quads, the contents it cites.

    `quads` holds the record graph (named by `record`) and, for a PROV document with bundles, one graph
    `{record}/bundle/…` each. It is a pure function of payload, media type, base and adapter version.
    """

    record: str
    quads: bytes
    contents: tuple[Content, ...]
    adapter: str
    liberties: tuple[Liberty, ...] = ()

    @property
    def whole(self) -> bytes:
        """The quads of the record, then those of each content that it cites."""
        return b"".join([self.quads, *(content.quads for content in self.contents)])


@dataclass(frozen=True, slots=True)
class Submission:
    """A mapped payload on its way to the ledger: `payload` is the bytes as received."""

    payload: bytes
    media_type: str
    actor: str
    mapped: Mapped


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the ledger answers: its index for the payload, and whether it had it already."""

    record: str
    index: int
    leaf_hash: str
    received: str
    duplicate: bool
    liberties: tuple[Liberty, ...] = field(default=())
