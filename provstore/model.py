"""What moves between the parts: a payload, what an adapter made of it, and the receipt for it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Liberty:
    """Something an adapter had to overlook or assume in a payload: where (a JSON pointer) and what."""

    pointer: str
    message: str


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
