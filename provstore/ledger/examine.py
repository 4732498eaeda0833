"""One entry and the row beside it, examined by themselves: the part of verification that looks at every byte."""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any

from provstore import jcs
from provstore.ledger import merkle
from provstore.ledger.tables import VERSION, commitment, seal

_FIELDS = {
    "genesis": {"base", "key", "kind", "origin", "time", "v"},
    "record": {"actor", "adapter", "kind", "payload", "quads", "time", "v"},
}
#: What `examine` takes, of every entry in order.
ROWS = (
    "SELECT e.idx, e.entry, t.hash, b.salt, b.payload, b.quads_salt, b.quads, b.contents, b.media_type, b.record,"
    " b.liberties, b.seal FROM entry e LEFT JOIN node t ON t.level = 0 AND t.n = e.idx"
    " LEFT JOIN body b ON b.idx = e.idx ORDER BY e.idx"
)
#: What reading a damaged cell raises.
UNUSABLE = (zlib.error, ValueError, TypeError, OverflowError, RecursionError)

Said = dict[str, str]
Quads = Callable[[str], bytes | None]  # the canonical N-Quads of a content, by its IRI


def examine(row: Sequence[Any], quads: Quads) -> tuple[Said | None, bytes, list[str]]:
    """One row of the walk by itself: the entry's fields (None where unreadable), the leaf to go on with, what is wrong.

    `row` is index, entry, stored leaf, then the row beside the entry in the order of its table.
    """
    index, raw, stored, *body = row
    if not isinstance(raw, bytes):
        return None, stored or merkle.EMPTY_ROOT, ["is not stored as bytes"]
    messages = []
    leaf = merkle.leaf_hash(raw)
    if stored is None:
        messages.append("is not in the tree: it was added beside the log")
    elif stored != leaf:
        messages.append("is not what the tree was built from")
        leaf = stored if isinstance(stored, bytes) and len(stored) == 32 else leaf
    said, wrong = _read(index, raw)
    messages += wrong
    if said and said["kind"] == "record":
        messages += _check_body(said, body, quads)
    return said, leaf, messages


def _read(index: int, raw: bytes) -> tuple[Said | None, list[str]]:
    """The fields of an entry, or what is wrong with its form."""
    try:
        said = json.loads(raw)
        if not isinstance(said, dict) or jcs.dumps(said).encode() != raw:
            return None, ["is not canonical JSON"]
    except (ValueError, RecursionError) as error:
        return None, [f"is not JSON: {error}"]
    if said.get("v") != VERSION:
        return None, [f"is of version {said.get('v')!r}, not {VERSION!r}"]
    kind = said.get("kind")
    if not isinstance(kind, str) or set(said) != _FIELDS.get(kind) or (kind == "genesis") != (index == 0):
        return None, [f"does not have the fields of a {kind!r} entry"]
    if not all(isinstance(value, str) for value in said.values()):
        return None, ["has a field that is no text"]
    return said, []


def _check_body(said: Said, body: Sequence[Any], quads: Quads) -> Iterator[str]:
    """What does not fit between an entry and the row beside it."""
    *row, sealed = body
    if all(value is None for value in body):
        yield "its payload and quads are missing, and no erasure says why"
        return
    salt, payload, quads_salt, packed, contents, _, record, _ = row
    if seal(row) != sealed:
        yield "the row beside it was changed"
    if commitment(_bytes(salt), _bytes(payload)) != said["payload"]:
        yield "the payload or its salt is not what the entry commits to"
    try:
        own = zlib.decompress(packed)
        parts = [own]
        for iri in json.loads(contents):
            if not isinstance(iri, str):
                raise TypeError(f"{iri!r} is no content")
            found = quads(iri)
            if found is None:
                yield f"the content {iri} that it cites is missing"
                return
            parts.append(found)
    except UNUSABLE as error:
        yield f"its quads cannot be read: {error}"
        return
    if commitment(_bytes(quads_salt), *parts) != said["quads"]:
        yield "the quads, their salt or a cited content is not what the entry commits to"
    named = f"<{record}".encode("utf-8", "surrogateescape")
    if own and not any(named + end in own for end in (b">", b"/", b"#")):
        yield "the record it is filed under is not the one its quads are about"


def reader_of_contents(db: sqlite3.Connection) -> Quads:
    """How `examine` finds the quads of a content, the last thousand of them remembered."""

    @lru_cache(maxsize=1024)  # the same few schemas are cited again and again
    def quads(iri: str) -> bytes | None:
        raw = iri.encode("utf-8", "surrogateescape")  # bound as bytes: text that is no UTF-8 cannot be bound
        found = db.execute("SELECT quads FROM content WHERE iri = CAST(? AS TEXT)", (raw,)).fetchone()
        return zlib.decompress(found[0]) if found else None

    return quads


def _bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else b""
