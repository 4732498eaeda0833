"""The journal of the view database: what each batch changes in the triple store.

A row is written with the batch it belongs to, before the triple store is touched. It is needed until the store has
synced it, to do it again after a crash, and until whoever follows the store has taken note of it.
"""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

#: How many entries the journal holds for a follower: one that is further behind has to look at everything anew.
_MOST_BEHIND = 100_000


@dataclass(slots=True)
class Batch:
    """What one batch changes in the triple store, small enough to be kept as its journal row."""

    last: int
    records: list[tuple[int, bool]] = field(default_factory=list)  # ledger index, whether the record is live
    contents: list[str] = field(default_factory=list)  # contents that a live record now cites for the first time
    withdrawn: list[int] = field(default_factory=list)  # records that are not live any more
    uncited: list[str] = field(default_factory=list)  # contents that no live record cites any more
    adds: list[str] = field(default_factory=list)  # quads of the merged, inferred and system graphs
    removes: list[str] = field(default_factory=list)

    def packed(self) -> bytes:
        return zlib.compress(json.dumps([getattr(self, name) for name in self.__slots__]).encode(), 1)

    @classmethod
    def unpacked(cls, blob: bytes) -> Batch:
        return cls(*json.loads(zlib.decompress(blob)))


def add(db: sqlite3.Connection, batch: Batch) -> None:
    db.execute("INSERT INTO journal VALUES (?, ?)", (batch.last, batch.packed()))


def since(db: sqlite3.Connection, index: int) -> Iterator[Batch]:
    """The batches that end at an index or after it, in order."""
    for (blob,) in db.execute("SELECT batch FROM journal WHERE last >= ? ORDER BY last", (index,)):
        yield Batch.unpacked(blob)


def between(db: sqlite3.Connection, after: int, last: int) -> list[int] | None:
    """Where the batches end after one index up to another, both ends too; None where some are not held any more."""
    if db.execute("SELECT 1 FROM journal WHERE last = ?", (after,)).fetchone() is None:
        return None
    rows = db.execute("SELECT last FROM journal WHERE last > ? AND last <= ? ORDER BY last", (after, last))
    return [end for (end,) in rows.fetchall()]


def batch(db: sqlite3.Connection, last: int) -> Batch | None:
    """The batch that ends at an index; None where it is not held any more."""
    row = db.execute("SELECT batch FROM journal WHERE last = ?", (last,)).fetchone()
    return None if row is None else Batch.unpacked(row[0])


def hold(db: sqlite3.Connection, index: int) -> None:
    """Keep what ends at an index or later, as long as that is not too much."""
    db.execute("INSERT OR REPLACE INTO meta VALUES ('followed', ?)", (index,))


def trim(db: sqlite3.Connection, synced: int) -> None:
    """Drop what nobody needs: the store has synced it, and who follows has seen it."""
    row = db.execute("SELECT value FROM meta WHERE key = 'followed'").fetchone()
    needed = synced if row is None else max(min(synced, int(row[0])), synced - _MOST_BEHIND)
    db.execute("DELETE FROM journal WHERE last < ?", (needed,))
