"""The ledger in SQLite: entries that are never changed, and beside each a body that can be erased.

One writer appends in batches; a batch is one transaction with full synchronisation, so what `append` returned is on
disk. A crash before that leaves nothing of the batch. The entry holds commitments only (salted hashes): no payload,
no name, no record IRI. Bodies, salts and the re-post index can be erased without touching a single entry.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import threading
import zlib
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from provstore import jcs, times
from provstore.errors import Busy, LedgerError, Misconfigured, NotFound
from provstore.ledger import merkle
from provstore.ledger.body import Body, Listed, Opening, listed, pack, receipt_of, unpack
from provstore.ledger.note import Checkpoint, NoteError, Signer, Verifier
from provstore.ledger.tables import SCHEMA, UNREADABLE, VERSION, actor_id, connect, posted_key, seal
from provstore.model import Content, Receipt, Submission

__all__ = ["Body", "Ledger", "Listed", "Opening"]

_BODY = (
    "SELECT b.idx, b.record, b.quads, b.contents, b.payload, b.media_type, b.liberties, e.entry"
    " FROM body b JOIN entry e ON e.idx = b.idx WHERE b.idx BETWEEN ? AND ? ORDER BY b.idx"
)
#: Of a record with very many quads, a list says less: inflating them all would keep everybody waiting.
_LISTED = (
    "SELECT e.idx, e.entry, b.record, b.media_type, LENGTH(b.payload), IIF(LENGTH(b.quads) <= 16384, b.quads, NULL)"
    " FROM entry e LEFT JOIN body b ON b.idx = e.idx WHERE e.idx BETWEEN ? AND ? ORDER BY e.idx DESC"
)
_NODE = "SELECT hash FROM node WHERE level = ? AND n = ?"
_RECEIPT = "SELECT b.idx, b.record, b.liberties, e.entry FROM body b JOIN entry e ON e.idx = b.idx WHERE b.idx = ?"


class Ledger:
    """One log in one directory: `ledger.db` and `ledger.key`. `append` is for one thread; reading for any.

    LedgerError where the files do not fit together; Misconfigured where there is none or its key cannot be used.
    """

    def __init__(self, directory: Path) -> None:
        self._path = directory / "ledger.db"
        self._local = threading.local()
        if not self._path.exists():
            raise Misconfigured(f"{directory} holds no ledger")
        try:
            self._writer = connect(self._path)
        except UNREADABLE as error:
            raise LedgerError(f"{self._path} cannot be opened as a ledger ({error}): run provstore verify") from error
        try:
            self._read_head()
            self._signer = self._load_key(directory / "ledger.key")
        except BaseException:
            self.close()  # a connection left open would hold its view of the file against who opens it next
            raise

    def _load_key(self, path: Path) -> Signer:
        try:
            signer = Signer.load(self.origin, path)
        except (OSError, NoteError) as error:
            raise Misconfigured(f"the signing key of the ledger: {error}") from error
        if signer.verifier.vkey() != self.genesis()["key"]:
            raise LedgerError(f"{path} is not the key that the ledger began with")
        return signer

    def _read_head(self) -> None:
        """What every append needs; and the newest entry must be in the tree (`verify` looks at all of them)."""
        try:
            genesis = self.genesis()
            self.base: str = genesis["base"]
            self.origin: str = genesis["origin"]
            self._index_key = bytes(self._one("SELECT value FROM meta WHERE key = 'posted'")[0])
            self._actors: dict[str, str] = dict(self._rows("SELECT name, id FROM actor"))
            last = self.head
            self._time: str = json.loads(self.entry(last))["time"]
        except (NotFound, ValueError, KeyError, TypeError) as error:
            raise LedgerError(f"{self._path} is no whole ledger ({error}): run provstore verify") from error
        (leaves,) = self._one("SELECT MAX(n) + 1 FROM node WHERE level = 0")
        if last + 1 != leaves or merkle.leaf_hash(self.entry(last)) != self._node(0, last):
            raise LedgerError(f"entry {last} and the tree of {leaves} leaves do not agree: run provstore verify")
        (signed,) = self._one("SELECT MAX(size) FROM checkpoint")
        if signed is not None and signed > last + 1:  # going on would make a fork of what the log signed
            raise LedgerError(
                f"entries {last + 1} to {signed - 1} are missing: the log signed a checkpoint that holds them"
            )

    @classmethod
    def create(cls, directory: Path, *, base: str, received: str) -> Ledger:
        """A new ledger: its key, and leaf 0 which fixes the id base, the origin and the key for good."""
        directory.mkdir(parents=True, exist_ok=True)
        if (directory / "ledger.db").exists():
            raise Misconfigured(f"{directory} already holds a ledger")
        making, making_key = directory / "ledger.db.new", directory / "ledger.key.new"
        if (directory / "ledger.key").exists() and not making.exists():
            raise Misconfigured(
                f"{directory} holds a signing key but no ledger: bring ledger.db back, or move the key away to begin"
                " anew"
            )
        identity = os.urandom(8).hex()
        base = base.rstrip("/") or f"https://prov.invalid/{identity}"
        origin = f"provstore.invalid/{identity}"
        for left in (making, making_key):  # by a crash on the way: nothing was ever signed with such a key
            left.unlink(missing_ok=True)
        key = Signer.create(origin, making_key).verifier.vkey()
        genesis = {"base": base, "key": key, "kind": "genesis", "origin": origin, "time": received, "v": VERSION}
        with closing(connect(making)) as db:
            _begin(db, jcs.dumps(genesis).encode())
        making_key.rename(directory / "ledger.key")
        making.rename(directory / "ledger.db")  # a crash before this leaves ledger.db.new, which says to begin again
        for changed in (directory, directory.parent):
            descriptor = os.open(changed, os.O_RDONLY)
            os.fsync(descriptor)
            os.close(descriptor)
        return cls(directory)

    # -- writing --------------------------------------------------------------------------------------------------

    def append(self, submissions: Sequence[Submission], received: str) -> list[Receipt]:
        """Commit submissions in one synced transaction, all or nothing; a payload posted before answers as then.

        `received` is an xsd:dateTime; recorded times never go back. Busy where the disk refuses; LedgerError where the
        tables do, or a content comes with other quads than those committed to under its name.
        """
        db = self._writer
        received = max(received, self._time, key=_instant)
        actors: dict[str, str] = {}  # joins self._actors when it is committed
        try:
            db.execute("BEGIN IMMEDIATE")
            receipts = self._insert(submissions, received, actors)
            db.execute("COMMIT")
        except BaseException as error:
            if db.in_transaction:
                db.execute("ROLLBACK")
            if isinstance(error, sqlite3.OperationalError):
                raise Busy(f"the ledger could not be written: {error}", retry_after=5) from error
            if isinstance(error, sqlite3.Error):
                raise LedgerError(f"the ledger could not be written ({error}): run provstore verify") from error
            raise
        self._actors.update(actors)
        if not all(r.duplicate for r in receipts):
            self._time = received
        return receipts

    def _insert(self, submissions: Sequence[Submission], received: str, actors: dict[str, str]) -> list[Receipt]:
        db = self._writer
        (first,) = db.execute("SELECT MAX(idx) + 1 FROM entry").fetchone()
        receipts: list[Receipt] = []
        new: dict[bytes, Receipt] = {}
        entries: list[tuple[int, bytes]] = []
        bodies: list[tuple[Any, ...]] = []
        for submission in submissions:
            key = posted_key(self._index_key, submission.actor, submission.media_type, submission.payload)
            known = new.get(key) or self._posted(key)
            if known:
                receipts.append(replace(known, duplicate=True))
                continue
            index = first + len(entries)
            entry, row = pack(submission, self._actor(submission.actor, actors), received)
            entries.append((index, entry))
            bodies.append((index, *row, seal(row)))
            mapped = submission.mapped
            self._keep(mapped.contents)
            new[key] = Receipt(
                mapped.record, index, merkle.leaf_hash(entry).hex(), received, False, tuple(mapped.liberties)
            )
            receipts.append(new[key])
        db.executemany("INSERT INTO entry VALUES (?, ?)", entries)
        db.executemany("INSERT INTO body VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", bodies)
        db.executemany("INSERT INTO posted VALUES (?, ?)", sorted((key, r.index) for key, r in new.items()))
        db.executemany("INSERT INTO node VALUES (?, ?, ?)", self._grown(entries))
        return receipts

    def _grown(self, entries: Sequence[tuple[int, bytes]]) -> list[tuple[int, int, bytes]]:
        """The tree nodes that new entries complete."""
        nodes: dict[tuple[int, int], bytes] = {}

        def get(level: int, n: int) -> bytes:
            return nodes.get((level, n)) or bytes(self._held(_NODE, level, n)[0])

        for index, entry in entries:
            for level, n, held in merkle.new_nodes(index, merkle.leaf_hash(entry), get):
                nodes[level, n] = held
        return [(*at, held) for at, held in nodes.items()]

    def _posted(self, key: bytes) -> Receipt | None:
        found = self._writer.execute("SELECT idx FROM posted WHERE key = ?", (key,)).fetchone()
        return receipt_of(*self._held(_RECEIPT, *found)) if found else None

    def _held(self, statement: str, *values: int) -> Any:
        """A row that must be there, as the writer sees it: a reader under way in this thread may see an older state."""
        row = self._writer.execute(statement, values).fetchone()
        if row is None:
            raise LedgerError(f"the ledger lacks a row for {values}: run provstore verify")
        return row

    def _keep(self, contents: Sequence[Content]) -> None:
        """Keep contents not held yet. One name, one text: a record must find again what it committed to."""
        for content in contents:
            digest = hashlib.sha256(content.quads).digest()
            found = self._writer.execute("SELECT digest FROM content WHERE iri = ?", (content.iri,)).fetchone()
            if found is None:
                row = (content.iri, zlib.compress(content.quads, 1), digest)
                self._writer.execute("INSERT INTO content VALUES (?, ?, ?, ?)", (*row, seal(row)))
            elif found[0] != digest:
                raise LedgerError(f"the content {content.iri} is held with other quads: its mapper needs a new version")

    def _actor(self, name: str, new: dict[str, str]) -> str:
        known = self._actors.get(name) or new.get(name)
        if known is None:
            salt = os.urandom(32)
            known = new[name] = actor_id(salt, name)
            self._writer.execute("INSERT INTO actor VALUES (?, ?, ?)", (name, salt, known))
        return known

    # -- reading --------------------------------------------------------------------------------------------------

    @property
    def _reader(self) -> sqlite3.Connection:
        found: sqlite3.Connection | None = getattr(self._local, "db", None)
        if found is None:
            found = self._local.db = connect(self._path, read_only=True)
        return found

    def _rows(self, statement: str, *values: object) -> Iterator[Any]:
        try:
            yield from self._reader.execute(statement, values)
        except UNREADABLE as error:
            raise LedgerError(f"the ledger could not be read ({error}): run provstore verify") from error

    def _one(self, statement: str, *values: object) -> Any:
        return next(self._rows(statement, *values), None)

    def size(self) -> int:
        """How many entries there are, genesis included."""
        (last,) = self._one("SELECT MAX(idx) FROM entry")
        return int(last) + 1

    @property
    def head(self) -> int:
        """The newest index."""
        return self.size() - 1

    def genesis(self) -> dict[str, str]:
        """What leaf 0 fixes: base, key, origin, time."""
        found: dict[str, str] = json.loads(self.entry(0))
        return found

    def entry(self, index: int) -> bytes:
        """The canonical JSON of an entry; NotFound beyond the end."""
        row = self._one("SELECT entry FROM entry WHERE idx = ?", index)
        if row is None:
            raise NotFound(f"the ledger has no entry {index}")
        return bytes(row[0])

    def _node(self, level: int, n: int) -> bytes:
        row = self._one(_NODE, level, n)
        if row is None:
            raise LedgerError(f"the tree lacks node {n} of level {level}: run provstore verify")
        return bytes(row[0])

    def root(self, size: int | None = None) -> bytes:
        """The tree head at a size (now by default); NotFound out of range."""
        held = self.size()
        size = held if size is None else size
        if not 0 <= size <= held:
            raise NotFound(f"no tree of {size} entries; the ledger has {held}")
        return merkle.root(size, self._node)

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """The proof that an entry is in the tree of a size; NotFound out of range."""
        if not 0 <= index < size <= self.size():
            raise NotFound(f"no entry {index} in a tree of {size}; the ledger has {self.size()} entries")
        return merkle.inclusion_proof(index, size, self._node)

    def consistency(self, old: int, new: int) -> list[bytes]:
        """The proof that the tree of one size is a prefix of that of another; NotFound out of range."""
        if not 0 <= old <= new <= self.size():
            raise NotFound(f"no proof from size {old} to {new}; the ledger has {self.size()} entries")
        return merkle.consistency_proof(old, new, self._node)

    def bodies(self, first: int, last: int) -> Generator[Body, None, None]:
        """The records at indices first … last, in order; genesis and erased ones are passed over."""
        for row in self._rows(_BODY, first, last):
            yield unpack(*row)

    def body(self, index: int) -> Body:
        """The record at one index; NotFound where there is none."""
        for found in self.bodies(index, index):
            return found
        raise NotFound(f"the ledger holds no record at index {index}")

    def listed(self, first: int, last: int) -> Iterator[Listed]:
        """The entries first … last as lists show them, the newest first."""
        for row in self._rows(_LISTED, first, last):
            yield listed(*row)

    def opening(self, index: int) -> Opening:
        """What opens the commitments of an entry; NotFound where it is no record, or was erased."""
        row = self._one("SELECT salt, quads_salt FROM body WHERE idx = ?", index)
        if row is None:
            raise NotFound(f"the ledger holds no record at index {index}")
        said = json.loads(self.entry(index))
        actor = self._one("SELECT name, salt FROM actor WHERE id = ?", said.get("actor"))
        return Opening(bytes(row[0]), bytes(row[1]), (str(actor[0]), bytes(actor[1])) if actor else None)

    def actors(self) -> dict[str, str]:
        """The names that are held of actors, by the id that entries give them."""
        return dict(self._rows("SELECT id, name FROM actor"))

    def content(self, iri: str) -> bytes:
        """The canonical N-Quads of a content; NotFound where no record cites it."""
        row = self._one("SELECT quads FROM content WHERE iri = ?", iri)
        if row is None:
            raise NotFound(f"no content {iri}")
        try:
            return zlib.decompress(row[0])
        except (zlib.error, TypeError) as error:
            raise LedgerError(f"the content {iri} cannot be read ({error}): run provstore verify") from error

    def whole(self, body: Body) -> bytes:
        """The quads of an entry's record, then those of each content that it cites: what the entry commits to."""
        return b"".join([body.quads, *map(self.content, body.contents)])

    def between(self, after: str | None, before: str | None, size: int) -> list[int]:
        """The indices below `size`, genesis aside, of what was received from one instant on and before another.

        The bounds are `times` keys; recorded times never go back, so each is found by halving.
        """
        first = 1 if after is None else self._first(after, size)
        return list(range(first, size if before is None else self._first(before, size)))

    def _first(self, instant: str, size: int) -> int:
        low, high = 1, size
        while low < high:
            middle = (low + high) // 2
            if _instant(json.loads(self.entry(middle))["time"]) < instant:
                low = middle + 1
            else:
                high = middle
        return low

    def by_adapter(self, adapter: str, after: int) -> list[int]:
        """The indices above `after` of what an adapter made, of whatever version, in order; `adapter` has no `/`."""
        marked = f'"adapter":"{adapter}/'.encode()  # as RFC 8785 writes it; no other member holds quotes
        statement = "SELECT idx FROM entry WHERE idx > ? AND instr(entry, ?) ORDER BY idx"
        return [i for (i,) in self._rows(statement, after, marked)]

    def find(self, record: str) -> list[int]:
        """The indices of the entries that hold a record, by its IRI."""
        return [i for (i,) in self._rows("SELECT idx FROM body WHERE record = ? ORDER BY idx", record)]

    def receipt(self, index: int) -> Receipt:
        """The receipt given for an entry; NotFound where there is none."""
        row = self._one(_RECEIPT, index)
        if row is None:
            raise NotFound(f"the ledger holds no record at index {index}")
        return receipt_of(*row)

    # -- checkpoints ------------------------------------------------------------------------------------------------

    @property
    def verifier(self) -> Verifier:
        """The public half of the log's key."""
        return self._signer.verifier

    def checkpoint(self) -> str:
        """The signed tree head of what is durable; kept, and never in conflict with one signed before."""
        size = self.size()
        last = self._one("SELECT note FROM checkpoint ORDER BY size DESC LIMIT 1")
        if last:
            before = self._opened(last[0])
            if before.size > size or self.root(before.size) != before.root:
                raise LedgerError(f"the log does not extend the checkpoint of {before.size} entries it signed before")
        note = self._signer.sign(Checkpoint(self.origin, size, self.root(size)))
        try:
            with closing(connect(self._path)) as db:  # any thread may ask, and the writer belongs to one
                db.execute("INSERT OR IGNORE INTO checkpoint VALUES (?, ?)", (size, note))
        except sqlite3.Error as error:
            raise Busy(f"the checkpoint could not be kept: {error}", retry_after=5) from error
        return note

    def attest(self, what: str, *lines: str) -> str:
        """A note of the log's key over lines; its first line, `origin/what`, tells it from every checkpoint."""
        return self._signer.attest(what, *lines)

    def _opened(self, note: str) -> Checkpoint:
        try:
            return self.verifier.open(note)
        except NoteError as error:
            raise LedgerError(f"the last checkpoint signed is damaged ({error}): run provstore verify") from error

    def close(self) -> None:
        """Close the writer and this thread's reader; the readers of other threads end with their threads."""
        reader: sqlite3.Connection | None = getattr(self._local, "db", None)
        if reader is not None:
            reader.close()
        self._writer.close()


def _begin(db: sqlite3.Connection, genesis: bytes) -> None:
    """Tables and leaf 0, all in the database file itself (no write-ahead log beside it)."""
    db.execute("BEGIN")
    for statement in SCHEMA:
        db.execute(statement)
    db.execute("INSERT INTO meta VALUES ('posted', ?)", (os.urandom(32),))
    db.execute("INSERT INTO entry VALUES (0, ?)", (genesis,))
    db.execute("INSERT INTO node VALUES (0, 0, ?)", (merkle.leaf_hash(genesis),))
    db.execute("COMMIT")
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _instant(time: str) -> str:
    return times.key(time)[0]
