"""Verification of a whole ledger from its rows: everything is recomputed, nothing is believed.

Each entry is hashed and held against its leaf, each tree node against what stands below it, each row beside an entry
against what the entry commits to, and the signed tree heads against the root at their size. Where something does not
fit, the finding says so once and the walk goes on with what is stored, so that a damage is named where it is.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from provstore import times
from provstore.ledger import merkle
from provstore.ledger.examine import ROWS, UNUSABLE, Said, examine, reader_of_contents
from provstore.ledger.note import Checkpoint, NoteError, Verifier
from provstore.ledger.tables import SCHEMA, UNREADABLE, actor_id, connect, posted_key, seal


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that does not fit: the ledger index it concerns (None: the log as a whole) and what."""

    index: int | None
    message: str

    def __str__(self) -> str:
        return self.message if self.index is None else f"entry {self.index}: {self.message}"


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome: size and root as recomputed, findings, and the size of a kept checkpoint that was confirmed."""

    size: int
    root: str
    findings: tuple[Finding, ...]
    confirmed: int | None

    @property
    def ok(self) -> bool:
        return not self.findings

    @property
    def status(self) -> str:
        """One line: DAMAGED, UNWITNESSED or VERIFIED, and over how much."""
        if self.findings:
            return f"DAMAGED: {len(self.findings)} finding(s) in {self.size} entries"
        held = f"{self.size} entries, root {self.root}"
        if self.confirmed is None:
            return f"UNWITNESSED: {held}; no checkpoint kept elsewhere was compared"
        return f"VERIFIED: {held}, extending the kept checkpoint of {self.confirmed} entries"


def verify(
    directory: Path, *, checkpoint: str | None = None, progress: Callable[[int, int], None] | None = None
) -> Report:
    """Recompute the ledger in a directory; `checkpoint` is a signed note that somebody kept.

    Never changes the files (SQLite may leave its empty `-wal` and `-shm` beside them), and sees one state of a log that
    is being written to. A damaged database is a finding, not an error. `progress` is told (done, of).
    """
    walk = _Walk(progress)
    confirmed: int | None = None
    try:
        with closing(connect(directory / "ledger.db", read_only=True)) as db:
            db.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")  # a flipped bit may leave no UTF-8
            db.execute("BEGIN")
            confirmed = walk.run(db, checkpoint)
    except UNREADABLE as error:
        walk.find(None, f"the ledger database cannot be read: {error}")
    root = walk.tree.root().hex()
    return Report(walk.tree.size, root, tuple(walk.findings), None if walk.findings else confirmed)


class _Tree:
    """The Merkle tree as it grows leaf by leaf: only its right edge is held."""

    def __init__(self) -> None:
        self.size = 0
        self._edge: list[bytes] = []  # the perfect subtrees of `size`, the largest first

    def add(self, leaf: bytes, stored: merkle.Getter) -> Iterator[tuple[int, str]]:
        """Add a leaf; yields the first index under each stored node that is not the hash of what is below it."""
        level, n, held = 0, self.size, leaf
        while n & 1:
            held = merkle.node_hash(self._edge.pop(), held)
            level, n = level + 1, n >> 1
            node = stored(level, n)
            if node != held:
                first = n << level
                yield first, f"the tree node over entries {first} to {self.size} does not fit them"
                held = node if len(node) == 32 else held
        self._edge.append(held)
        self.size += 1

    def root(self) -> bytes:
        if not self._edge:
            return merkle.EMPTY_ROOT
        held = self._edge[-1]
        for left in reversed(self._edge[:-1]):
            held = merkle.node_hash(left, held)
        return held


class _Walk:
    """One pass over the rows of a ledger, and what it found."""

    def __init__(self, progress: Callable[[int, int], None] | None) -> None:
        self.findings: list[Finding] = []
        self.tree = _Tree()
        self._progress = progress
        self._latest = ""
        self._heads: dict[int, list[tuple[str, bytes]]] = {}  # signed heads not reached yet: size → name, root

    def find(self, index: int | None, message: str) -> None:
        self.findings.append(Finding(index, message))

    def run(self, db: sqlite3.Connection, kept: str | None) -> int | None:
        """Everything, in one read transaction; returns the size of the kept checkpoint."""
        self._file(db)
        size = self._checkpoints(db, kept)
        self._posted = _Posted(db)
        self._entries(db)
        self._beyond(db)
        self._contents(db)
        for index, message in self._posted.rest():
            self.find(index, message)
        for heads in self._heads.values():
            for what, _ in heads:
                self.find(self.tree.size, f"entries from here on are missing: {what} covers more")
        return size

    def _file(self, db: sqlite3.Connection) -> None:
        """What SQLite itself says of the file, and whether it holds our tables and nothing else."""
        for (message,) in db.execute("PRAGMA integrity_check(10)"):
            if message != "ok":
                self.find(None, f"the database file is damaged: {message}")
        if _catalogue(db) != _wanted_catalogue():
            self.find(None, "the tables are not those of a ledger of this version")

    def _checkpoints(self, db: sqlite3.Connection, kept: str | None) -> int | None:
        """Read the key in the genesis and the tree heads signed with it; their roots are compared on the way."""
        row = db.execute("SELECT entry FROM entry WHERE idx = 0").fetchone()
        try:
            said = json.loads(row[0])
            verifier = Verifier.parse(said["key"])
            if verifier.name != said["origin"]:
                raise NoteError("the key bears another name than the log")
        except (*UNUSABLE, KeyError) as error:
            self.find(0, f"the genesis entry names no valid key: {error}")
            return None
        for size, note in db.execute("SELECT size, note FROM checkpoint ORDER BY size"):
            what = f"the checkpoint of {size} entries that the log signed"
            found = self._head(verifier, str(note), what)
            if found and found.size != size:
                self.find(None, f"{what} is one of {found.size}")
        if kept is None:
            return None
        head = self._head(verifier, kept, "the kept checkpoint")
        return head.size if head else None

    def _head(self, verifier: Verifier, note: str, what: str) -> Checkpoint | None:
        try:
            head = verifier.open(note)
        except NoteError as error:
            self.find(None, f"{what} is not a note signed by this log: {error}")
            return None
        self._heads.setdefault(head.size, []).append((what, head.root))
        return head

    def _entries(self, db: sqlite3.Connection) -> None:
        """Each entry with its leaf and its body, in order; the gaps between them; the tree above them."""
        (total,) = db.execute("SELECT COUNT(*) FROM entry").fetchone()
        quads = reader_of_contents(db)
        for done, row in enumerate(db.execute(ROWS), 1):
            index = row[0]
            self._gap(db, index)
            said, leaf, messages = examine(row, quads)
            for message in messages:
                self.find(index, message)
            if said and not messages:  # nothing is concluded from an entry that is not as it was
                self._in_order(index, said, row)
            if index == self.tree.size:
                self._grow(db, leaf)
            if self._progress and (done % 1000 == 0 or done == total):
                self._progress(done, total)
        self._gap(db, None)

    def _in_order(self, index: int, said: Said, row: Sequence[Any]) -> None:
        try:
            instant, _ = times.key(said["time"])
        except ValueError as error:
            self.find(index, f"its time cannot be read: {error}")
            return
        if instant < self._latest:
            self.find(index, "its time lies before that of the entry before it")
        self._latest = max(self._latest, instant)
        if said["kind"] == "record":
            for message in self._posted.check(index, said["actor"], row[8], row[4]):
                self.find(index, message)

    def _gap(self, db: sqlite3.Connection, index: int | None) -> None:
        """Name what is missing before an index (None: after the last), and go on with the leaves the tree has."""
        while index is None or self.tree.size < index:
            leaf = _node(db, 0, self.tree.size)
            if len(leaf) != 32:
                if index is not None:
                    self.find(self.tree.size, f"entries from here to {index - 1} are missing")
                return
            self.find(self.tree.size, "is missing; the tree still has its leaf")
            self._grow(db, leaf)

    def _grow(self, db: sqlite3.Connection, leaf: bytes) -> None:
        for first, message in self.tree.add(leaf, lambda level, n: _node(db, level, n)):
            self.find(first, message)
        for what, root in self._heads.pop(self.tree.size, ()):
            if root != self.tree.root():
                self.find(None, f"the first {self.tree.size} entries are not those of {what}")

    def _beyond(self, db: sqlite3.Connection) -> None:
        """Rows that no entry accounts for."""
        for (index,) in db.execute("SELECT idx FROM body WHERE idx NOT IN (SELECT idx FROM entry WHERE idx > 0)"):
            self.find(index, "has a row beside it, but is no record of the log")
        for level, count in db.execute("SELECT level, COUNT(*) FROM node GROUP BY level").fetchall():
            held = self.tree.size >> level if isinstance(level, int) and 0 <= level < 64 else 0
            if count > held:
                self.find(self.tree.size, f"the tree goes on beyond the log: {count - held} node(s) at level {level}")

    def _contents(self, db: sqlite3.Connection) -> None:
        """Content rows as stored; whether they say what was committed to is checked with each record citing them."""
        for iri, packed, digest, sealed in db.execute("SELECT iri, quads, digest, seal FROM content"):
            try:
                sound = hashlib.sha256(zlib.decompress(packed)).digest() == digest
            except UNUSABLE:
                sound = False
            if not sound or seal((iri, packed, digest)) != sealed:
                shown = iri.encode("utf-8", "replace") if isinstance(iri, str) else b""
                cited = db.execute("SELECT MIN(idx) FROM body WHERE instr(contents, ?)", (shown.decode(),)).fetchone()
                self.find(cited[0], f"the content {iri!r} was changed")


class _Posted:
    """The actors and the index of posted payloads: that a re-post is recognised, and an id stands for its name."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        found = db.execute("SELECT value FROM meta WHERE key = 'posted'").fetchone()
        self._key = found[0] if found and isinstance(found[0], bytes) else b""
        self._names: dict[Any, str] = {}
        self._wrong: list[str] = []
        for name, salt, identity in db.execute("SELECT name, salt, id FROM actor"):
            self._names[identity] = str(name)
            if not isinstance(salt, bytes) or actor_id(salt, str(name)) != identity:
                self._wrong.append(f"the actor of id {identity!r} is not the one its id was made for")

    def check(self, index: int, actor: str, media_type: Any, payload: bytes) -> Iterator[str]:
        name = self._names.get(actor)
        if name is None:
            yield f"no name is held for its actor {actor!r}"
            return
        key = posted_key(self._key, name, str(media_type), payload)
        found = self._db.execute("SELECT idx FROM posted WHERE key = ?", (key,)).fetchone()
        if found is None or found[0] != index:
            yield "its payload would not be recognised if it were posted again"

    def rest(self) -> Iterator[tuple[int | None, str]]:
        for message in self._wrong:
            yield None, message
        (held,) = self._db.execute("SELECT COUNT(*) FROM posted").fetchone()
        (records,) = self._db.execute("SELECT COUNT(*) FROM body").fetchone()
        if held > records:  # where there are too few, `check` has named the records that have none
            yield None, f"the index of posted payloads has {held} rows for {records} records"


def _catalogue(db: sqlite3.Connection) -> set[Any]:
    return set(db.execute("SELECT type, name, tbl_name, sql FROM sqlite_master"))


@cache
def _wanted_catalogue() -> set[Any]:
    with closing(sqlite3.connect(":memory:")) as db:
        for statement in SCHEMA:
            db.execute(statement)
        return _catalogue(db)


def _node(db: sqlite3.Connection, level: int, n: int) -> bytes:
    found = db.execute("SELECT hash FROM node WHERE level = ? AND n = ?", (level, n)).fetchone()
    return found[0] if found and isinstance(found[0], bytes) else b""
