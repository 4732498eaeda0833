"""The lineage graph in memory, kept up with the view database, and saved beside it so that it opens at once.

Readers of any process may hold one; none of them writes to the database. The saved arrays are a copy of rows of the
edge history up to a row id: whatever is older, foreign or damaged is passed over and read from the database again.
"""

from __future__ import annotations

import json
import mmap
import os
import shutil
import sqlite3
import zlib
from collections.abc import Container, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from provstore.errors import Misconfigured
from provstore.lineage.adjacency import Columns, Half, Ints
from provstore.lineage.names import Names
from provstore.lineage.reasons import Reasons
from provstore.views.edges import Relation
from provstore.vocab import PS

_FLOW, _NUMBERS = 16, 40  # relations below the first carry lineage; from the second on, objects are numbers
_LATE = 50_000  # rows that may stand beside the arrays before these are laid anew, or else one in so many of them
_SHARE = 40
_CHUNK = 200_000
_BESIDE = ("names", "records", "reasons")
_HALVES = ("up", "down", "facts", "about", "numbers")


@dataclass(slots=True)
class _Halves:
    """`up` from what was made to what it was made of, `down` back; `facts` from subject, `about` from object."""

    up: Half
    down: Half
    facts: Half
    about: Half
    numbers: Half

    @classmethod
    def laid(cls, rows: Columns, nodes: int) -> _Halves:
        kind = rows.said & 63
        flow = rows.where(kind < _FLOW)
        facts = rows.where((kind >= _FLOW) & (kind < _NUMBERS))
        numbers = rows.where(kind >= _NUMBERS)
        alone = Half.laid(numbers.subject, numbers.other, numbers, nodes)
        return cls(*_both_ways(flow, nodes), *_both_ways(facts, nodes), alone)

    @property
    def may_be_late(self) -> int:
        """How many rows may stand beside the arrays: to lay them anew takes time for each that they hold."""
        return max(_LATE, (len(self.up.row) + len(self.facts.row) + len(self.numbers.row)) // _SHARE)


def _both_ways(rows: Columns, nodes: int) -> tuple[Half, Half]:
    ends = rows.other.astype(np.int32)
    return Half.laid(rows.subject, ends, rows, nodes), Half.laid(ends, rows.subject, rows, nodes)


Card = tuple[str, int, int, int | None, int]  # kind, asset and maker (0 for none), time in ticks, origin


class CardIndex(Protocol):
    """Cards of nodes, of those that nothing `later` concerns."""

    def of(self, node: int, later: Container[int]) -> Card | None: ...


class LineageGraph:
    """The edge history of one view database, as of `index`; for one thread at a time.

    `refresh` brings it to what the database holds now. Misconfigured where there is no view database.
    """

    def __init__(self, views: Path) -> None:
        self._path, self._saved = views / "view.db", views / "lineage"
        self._db: sqlite3.Connection | None = None
        self._inode = -1
        self.index = -1
        self.nodes = 0
        #: the nodes of which something was said since the arrays were laid, or the cards worked out
        self.later: set[int] = set()
        #: changes where what was worked out from the arrays for all nodes does not hold any more
        self.laid = 0
        #: what every node is, and the `laid` that it was worked out at (see `cards.prepare`)
        self.cards: CardIndex | None = None
        self.cards_of = 0
        self._last_row = 0
        self.refresh()

    # -- keeping up ---------------------------------------------------------------------------------------------------

    def is_behind(self) -> bool:
        """Whether the database holds more than this, or was replaced."""
        if self._db is None or os.stat(self._path).st_ino != self._inode:
            return True
        (applied,) = self._db.execute("SELECT value FROM meta WHERE key = 'applied'").fetchone()
        return bool(applied != self.index)

    def refresh(self) -> int:
        """Take in what the database holds beyond this; returns the ledger index that the graph then stands at."""
        db = self._open()
        (applied,) = db.execute("SELECT value FROM meta WHERE key = 'applied'").fetchone()
        if applied != self.index:
            db.execute("BEGIN")  # one view of the rows, whatever is written meanwhile
            try:
                self._take_in(db)
            finally:
                db.execute("COMMIT")
            held = self.halves
            if held.up.late_rows + held.facts.late_rows + held.numbers.late_rows > held.may_be_late:
                self._lay(self._columns())
        return self.index

    def _open(self) -> sqlite3.Connection:
        """The database; opened anew where it was replaced by a rebuild."""
        try:
            inode = os.stat(self._path).st_ino
        except OSError as error:
            raise Misconfigured(f"there is no view database at {self._path}: start the store once") from error
        if self._db is None or inode != self._inode:
            self.close()
            uri = f"{self._path.absolute().as_uri()}?mode=ro"
            self._db = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
            self._db.execute("PRAGMA cache_size = -32768")  # KiB
            self._inode = inode
            self._load(self._db)
        return self._db

    def _load(self, db: sqlite3.Connection) -> None:
        self.index, self._last_row = -1, 0
        self._classes: dict[str, tuple[int, int]] = {}  # class → its number, and how many nodes there were when asked
        try:
            self._open_saved(db)
        except (OSError, ValueError, KeyError, TypeError):
            none = np.zeros(0, np.int32)
            rows = Columns(none, none, none.astype(np.uint8), none.astype(np.int64), none, none)
            self.nodes, self.names, self.records, self.reasons = 0, Names(), Names(), Reasons()
            self._lay(rows)

    def _take_in(self, db: sqlite3.Connection) -> None:
        (applied,) = db.execute("SELECT value FROM meta WHERE key = 'applied'").fetchone()
        (nodes,) = db.execute("SELECT COALESCE(MAX(id), 0) FROM node").fetchone()
        closed = db.execute(
            "SELECT id, subject, relation, object, until FROM edge WHERE until > ? AND id <= ?",
            (self.index, self._last_row),
        ).fetchall()
        (newest,) = db.execute("SELECT COALESCE(MAX(id), 0) FROM edge").fetchone()
        self.nodes = nodes
        self.names.add(db.execute("SELECT id, iri FROM node WHERE id > ? ORDER BY id", (self.names.last,)))
        self.records.add(db.execute("SELECT id, iri FROM record WHERE id > ? ORDER BY id", (self.records.last,)))
        for row in closed:
            self._close_row(*row)
        if newest - self._last_row > self.halves.may_be_late:
            rows, reasons = _read(db, self._last_row)
            self.reasons.add_all(rows.row, reasons)
            self._lay(self._columns().and_these(rows) if self._last_row else rows)
        else:
            for row, subject, said, other, since, until, basis, evidence in db.execute(_NEW, (self._last_row,)):
                self._add_row(row, subject, said, other, since, until)
                self.reasons.add(row, (since, basis, evidence))
        self._last_row, self.index = newest, applied

    def _add_row(self, row: int, subject: int, said: int, other: int, since: int, until: int) -> None:
        self._note(subject, said & 63, other)
        for half, node, end in self._sides(subject, said & 63, other):
            half.add(node, (end, said, since, until, row))

    def _close_row(self, row: int, subject: int, relation: int, other: int, until: int) -> None:
        self._note(subject, relation, other)
        for half, node, _ in self._sides(subject, relation, other):
            half.close(node, row, until)

    def _note(self, subject: int, relation: int, other: int) -> None:
        self.later.add(subject)
        if relation == Relation.SPECIAL:
            self.later.add(other)  # what has states may be a dataset that nobody called one
        if relation == Relation.TYPE and other == self.class_of(PS.Source[1:-1]):
            self.laid += 1  # it concerns every state of the subject

    def _sides(self, subject: int, relation: int, other: int) -> Iterator[tuple[Half, int, int]]:
        held = self.halves
        if relation >= _NUMBERS:
            yield held.numbers, subject, other
        else:
            yield (held.up if relation < _FLOW else held.facts), subject, other
            yield (held.down if relation < _FLOW else held.about), other, subject

    def _lay(self, rows: Columns) -> None:
        self.halves = _Halves.laid(rows, self.nodes)
        for each in (self.names, self.records, self.reasons):
            each.lay()
        self.later.clear()
        self.laid += 1

    def _columns(self) -> Columns:
        """Every row that is held, by subject."""
        held = self.halves
        parts = [_columns_of(half) for half in (held.up, held.facts, held.numbers)]
        return parts[0].and_these(parts[1]).and_these(parts[2])

    # -- files --------------------------------------------------------------------------------------------------------

    def save(self) -> None:
        """Write the arrays beside the database, whole or not at all."""
        new = self._saved.with_name("lineage.new")
        shutil.rmtree(new, ignore_errors=True)
        behind = any(names.last > names.laid for names in (self.names, self.records))
        if behind or any(half.late_rows for half in self.every_half()):
            self._lay(self._columns())
        for name in _BESIDE:
            getattr(self, name).save(new / name)
        for name in _HALVES:
            getattr(self.halves, name).save(new / name)
        said = {
            "made": _made(self.database),
            "index": self.index,
            "nodes": self.nodes,
            "row": self._last_row,
            "sums": {name: _sum(new / name) for name in (*_BESIDE, *_HALVES)},
        }
        (new / "graph.json").write_text(json.dumps(said))
        shutil.rmtree(self._saved, ignore_errors=True)
        new.rename(self._saved)

    def _open_saved(self, db: sqlite3.Connection) -> None:
        said = json.loads((self._saved / "graph.json").read_text())
        if said["made"] != _made(db) or any(_sum(self._saved / n) != s for n, s in said["sums"].items()):
            raise ValueError("saved from another database, or damaged")
        self.names, self.records = (Names.opened(self._saved / name) for name in ("names", "records"))
        self.reasons = Reasons.opened(self._saved / "reasons")
        self.halves = _Halves(*(Half.opened(self._saved / name) for name in _HALVES))
        self.index, self.nodes, self._last_row = said["index"], said["nodes"], said["row"]
        self.later.clear()
        self.laid += 1

    def close(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None

    # -- nodes --------------------------------------------------------------------------------------------------------

    @property
    def database(self) -> sqlite3.Connection:
        assert self._db is not None
        return self._db

    def id_of(self, iri: str) -> int | None:
        """The number of a node; None where no record ever named it."""
        row = self.database.execute("SELECT id FROM node WHERE iri = ?", (iri,)).fetchone()
        return int(row[0]) if row else None

    def class_of(self, iri: str) -> int:
        """The number of a class; 0, which no node has, where nothing is of it yet."""
        found = self._classes.get(iri)
        if found is None or (found[0] == 0 and found[1] != self.nodes):
            found = self._classes[iri] = (self.id_of(iri) or 0, self.nodes)
        return found[0]

    def iri_of(self, node: int) -> str:
        return self.names[node]

    # -- single statements --------------------------------------------------------------------------------------------

    def half_of(self, relation: Relation, *, subject: bool) -> Half:
        """The rows that hold a relation, by subject or by object."""
        if relation >= _NUMBERS:
            return self.halves.numbers
        if subject:
            return self.halves.up if relation < _FLOW else self.halves.facts
        return self.halves.down if relation < _FLOW else self.halves.about

    def every_half(self) -> Iterator[Half]:
        return (getattr(self.halves, name) for name in _HALVES)

    @property
    def nbytes(self) -> int:
        """The size of the arrays and names."""
        beside = self.names.nbytes + self.records.nbytes + self.reasons.nbytes
        return beside + sum(half.nbytes for half in self.every_half())


_NEW = (
    "SELECT id, subject, relation | (status << 6), object, since, COALESCE(until, 2147483647), basis, evidence"
    " FROM edge WHERE id > ? ORDER BY id"
)


def _read(db: sqlite3.Connection, after: int) -> tuple[Columns, list[Ints]]:
    """The rows of the database beyond a row id, and their reasons."""
    names = ("row", "subject", "said", "other", "since", "until", "basis", "evidence")
    kind = np.dtype([(name, {"said": "u1", "other": "i8"}.get(name, "i4")) for name in names])
    (count,) = db.execute("SELECT COUNT(*) FROM edge WHERE id > ?", (after,)).fetchone()
    columns = [np.empty(count, kind[name]) for name in names]
    cursor, at = db.execute(_NEW, (after,)), 0
    while rows := cursor.fetchmany(_CHUNK):
        chunk = np.array(rows, kind)
        for column, name in zip(columns, names, strict=True):
            column[at : at + len(chunk)] = chunk[name]
        at += len(chunk)
    return Columns(*columns[:6]), [columns[4], *columns[6:]]


def _columns_of(half: Half) -> Columns:
    """The rows of a half that was laid by subject, the late ones too."""
    subject = np.repeat(np.arange(len(half.start) - 1, dtype=np.int32), np.diff(half.start))
    laid = Columns(half.row, subject, half.said, half.other.astype(np.int64), half.since, half.until)
    late = [
        (row, node, said, other, since, until)
        for node, rows in half.late.items()
        for other, said, since, until, row in rows
    ]
    if not late:
        return laid
    columns = list(zip(*late, strict=True))
    kinds = (np.int32, np.int32, np.uint8, np.int64, np.int32, np.int32)
    return laid.and_these(Columns(*(np.array(c, k) for c, k in zip(columns, kinds, strict=True))))


def _sum(directory: Path) -> int:
    """A checksum over the files of a half: a flipped bit would be a wrong answer."""
    total = 0
    for path in sorted(directory.iterdir()):
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as held:
            total = zlib.crc32(held, total)
    return total


def _made(db: sqlite3.Connection) -> str:
    """What names this very database: made anew, it is another."""
    return str(db.execute("SELECT value FROM meta WHERE key = 'made'").fetchone()[0])
