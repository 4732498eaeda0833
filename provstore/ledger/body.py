"""The row beside an entry: what a submission becomes in the ledger, and how it is read back."""

from __future__ import annotations

import json
import os
import zlib
from dataclasses import dataclass
from typing import Any

from provstore import jcs
from provstore.errors import LedgerError
from provstore.ledger import merkle
from provstore.ledger.tables import VERSION, commitment
from provstore.model import Liberty, Receipt, Submission

_DAMAGED = (zlib.error, ValueError, KeyError, TypeError)


@dataclass(frozen=True, slots=True)
class Body:
    """One entry with what stands beside it: enough to make every view of it again."""

    index: int
    record: str
    quads: bytes
    contents: tuple[str, ...]
    payload: bytes
    media_type: str
    actor: str
    received: str
    adapter: str
    liberties: tuple[Liberty, ...]


@dataclass(frozen=True, slots=True)
class Opening:
    """What opens the commitments of an entry: the salts, and the actor's name with its own (None: not held)."""

    payload: bytes
    quads: bytes
    actor: tuple[str, bytes] | None


@dataclass(frozen=True, slots=True)
class Listed:
    """An entry as lists show it: its fields, and of a record that is held its name, media type and payload size.

    `quads` is None where they are no record's, or too long for a list. A damaged entry has no fields, and `damage`.
    """

    index: int
    said: dict[str, str]
    record: str = ""
    media_type: str = ""
    size: int = 0
    quads: bytes | None = None
    damage: str = ""


def pack(submission: Submission, actor: str, received: str) -> tuple[bytes, tuple[Any, ...]]:
    """The entry of a submission, and the row beside it up to its seal."""
    mapped = submission.mapped
    salt, quads_salt = os.urandom(32), os.urandom(32)
    contents = sorted(mapped.contents, key=lambda c: c.iri)
    entry = {
        "actor": actor,
        "adapter": mapped.adapter,
        "kind": "record",
        "payload": commitment(salt, submission.payload),
        "quads": commitment(quads_salt, mapped.quads, *(c.quads for c in contents)),
        "time": received,
        "v": VERSION,
    }
    row = (
        salt,
        submission.payload,
        quads_salt,
        zlib.compress(mapped.quads, 1),
        json.dumps([c.iri for c in contents]),
        submission.media_type,
        mapped.record,
        json.dumps([[each.pointer, each.message] for each in mapped.liberties]),
    )
    return jcs.dumps(entry).encode(), row


def unpack(
    index: int, record: str, quads: bytes, contents: str, payload: bytes, media_type: str, liberties: str, entry: bytes
) -> Body:
    """A row read back, with what its entry says; LedgerError naming the entry where they are damaged."""
    try:
        said = json.loads(entry)
        return Body(
            index,
            record,
            zlib.decompress(quads),
            tuple(json.loads(contents)),
            payload,
            media_type,
            said["actor"],
            said["time"],
            said["adapter"],
            _liberties(liberties),
        )
    except _DAMAGED as error:
        raise LedgerError(f"entry {index} cannot be read ({error}): run provstore verify") from error


def listed(
    index: int, entry: bytes, record: str | None, media_type: str | None, size: int | None, quads: bytes | None
) -> Listed:
    """An entry and some of the row beside it read back; a list goes on where one of its entries is damaged."""
    try:
        said = json.loads(entry)
        text = None if quads is None else zlib.decompress(quads)
        return Listed(index, {str(k): str(v) for k, v in said.items()}, record or "", media_type or "", size or 0, text)
    except (*_DAMAGED, AttributeError) as error:
        return Listed(index, {}, record or "", damage=str(error))


def receipt_of(index: int, record: str, liberties: str, entry: bytes) -> Receipt:
    """The receipt first given for an entry; LedgerError where it is damaged."""
    try:
        time = json.loads(entry)["time"]
        return Receipt(record, index, merkle.leaf_hash(entry).hex(), time, False, _liberties(liberties))
    except _DAMAGED as error:
        raise LedgerError(f"entry {index} cannot be read ({error}): run provstore verify") from error


def _liberties(text: str) -> tuple[Liberty, ...]:
    return tuple(Liberty(*each) for each in json.loads(text))
