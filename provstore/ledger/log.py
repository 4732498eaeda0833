"""The ledger in SQLite: entries that are never changed, and beside each a body that can be erased.

One writer appends in batches; a batch is one transaction with full synchronisation, so what `append` returned is on
disk. A crash before that leaves nothing of the batch. The entry holds commitments only (salted hashes): no payload,
no name, no record IRI. Bodies, salts and the re-post index can be erased without touching a single entry.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import sqlite3
import threading
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from provstore import jcs
from provstore.errors import Busy, LedgerError, Misconfigured, NotFound
from provstore.ledger import merkle
from provstore.ledger.note import Checkpoint, NoteError, Signer, Verifier
from provstore.model import Content, Liberty, Receipt, Submission

VERSION = "provstore.leaf/1"
_SCHEMA = (
    "CREATE TABLE meta(key TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID",
    "CREATE TABLE entry(idx INTEGER PRIMARY KEY, entry BLOB NOT NULL)",
    "CREATE TABLE body(idx INTEGER PRIMARY KEY, salt BLOB, payload BLOB, quads_salt BLOB, quads BLOB, contents TEXT,"
    " media_type TEXT, record TEXT, liberties TEXT, seal BLOB)",
    "CREATE INDEX body_record ON body(record)",
    "CREATE TABLE content(iri TEXT PRIMARY KEY, quads BLOB, seal BLOB)",
    "CREATE TABLE posted(key BLOB PRIMARY KEY, idx INTEGER) WITHOUT ROWID",
    "CREATE TABLE actor(name TEXT PRIMARY KEY, id TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE node(level INTEGER, n INTEGER, hash BLOB NOT NULL, PRIMARY KEY(level, n)) WITHOUT ROWID",
    "CREATE TABLE checkpoint(size INTEGER PRIMARY KEY, note TEXT NOT NULL)",
)


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


def commitment(salt: bytes, *parts: bytes) -> str:
    """The hex SHA-256 of salt ‖ parts: what an entry says of bytes that it does not hold."""
    held = hashlib.sha256(salt)
    for part in parts:
        held.update(part)
    return held.hexdigest()


def body_seal(row: Sequence[Any]) -> bytes:
    """A check over a body row as stored: finds even a flipped bit that decompression would not notice."""
    held = hashlib.sha256()
    for value in row:
        raw = value if isinstance(value, bytes) else str(value).encode()
        held.update(len(raw).to_bytes(8, "big") + raw)
    return held.digest()


def connect(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """A connection with the ledger's pragmas; `read_only` cannot change the file."""
    uri = f"{path.absolute().as_uri()}{'?mode=ro' if read_only else ''}"
    db = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, timeout=10)
    if not read_only:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")
        db.execute("PRAGMA secure_delete=ON")
    return db


class Ledger:
    """One log in one directory: `ledger.db` and `ledger.key`. `append` is for one thread; reading for any."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / "ledger.db"
        if not self._path.exists():
            raise Misconfigured(f"{directory} holds no ledger")
        self._writer = connect(self._path)
        self._local = threading.local()
        genesis = self.genesis()
        self.base: str = genesis["base"]
        self.origin: str = genesis["origin"]
        try:
            self._signer = Signer.load(self.origin, directory / "ledger.key")
        except (OSError, NoteError) as error:
            raise Misconfigured(f"the signing key of the ledger: {error}") from error
        if self._signer.verifier.vkey() != genesis["key"]:
            raise LedgerError(f"{directory / 'ledger.key'} is not the key that the ledger began with")
        (self._index_key,) = self._writer.execute("SELECT value FROM meta WHERE key = 'posted'").fetchone()
        self._check_tail()
        self._time = json.loads(self.entry(self.head))["time"]
        self._actors: dict[str, str] = dict(self._writer.execute("SELECT name, id FROM actor"))

    @classmethod
    def create(cls, directory: Path, *, base: str, received: str) -> Ledger:
        """A new ledger: its key, and leaf 0 which fixes the id base, the origin and the key for good."""
        directory.mkdir(parents=True, exist_ok=True)
        if (directory / "ledger.db").exists():
            raise Misconfigured(f"{directory} already holds a ledger")
        identity = os.urandom(8).hex()
        base = base.rstrip("/") or f"https://prov.invalid/{identity}"
        origin = f"provstore.invalid/{identity}"
        (directory / "ledger.key").unlink(missing_ok=True)  # left by a crash before any entry was signed with it
        signer = Signer.create(origin, directory / "ledger.key")
        entry = jcs.dumps(
            {
                "base": base,
                "key": signer.verifier.vkey(),
                "kind": "genesis",
                "origin": origin,
                "time": received,
                "v": VERSION,
            }
        ).encode()
        making = directory / "ledger.db.new"  # a crash on the way leaves no half-made ledger.db
        making.unlink(missing_ok=True)
        db = connect(making)
        db.execute("BEGIN")
        for statement in _SCHEMA:
            db.execute(statement)
        db.execute("INSERT INTO meta VALUES ('posted', ?)", (os.urandom(32),))
        db.execute("INSERT INTO entry VALUES (0, ?)", (entry,))
        db.execute("INSERT INTO node VALUES (0, 0, ?)", (merkle.leaf_hash(entry),))
        db.execute("COMMIT")
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        db.close()
        making.rename(directory / "ledger.db")
        descriptor = os.open(directory, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)
        return cls(directory)

    # -- writing --------------------------------------------------------------------------------------------------

    def append(self, submissions: Sequence[Submission], received: str) -> list[Receipt]:
        """Commit submissions in one synced transaction, all or nothing; a payload posted before answers as then.

        `received` is an xsd:dateTime in UTC; recorded times never go back. Busy where the disk refuses.
        """
        db = self._writer
        self._new_actors: dict[str, str] = {}
        try:
            db.execute("BEGIN IMMEDIATE")
            receipts = self._insert(submissions, max(received, self._time))
            db.execute("COMMIT")
        except BaseException as error:
            if db.in_transaction:
                db.execute("ROLLBACK")
            if isinstance(error, sqlite3.Error):
                raise Busy(f"the ledger could not be written: {error}", retry_after=5) from error
            raise
        self._actors.update(self._new_actors)
        if any(not r.duplicate for r in receipts):
            self._time = max(received, self._time)
        return receipts

    def _insert(self, submissions: Sequence[Submission], received: str) -> list[Receipt]:
        db, size = self._writer, self.size()
        pending: dict[tuple[int, int], bytes] = {}

        def node(level: int, n: int) -> bytes:
            return pending.get((level, n)) or self._node(level, n)

        receipts: list[Receipt] = []
        for submission in submissions:
            key = self._posted_key(submission)
            found = db.execute("SELECT idx FROM posted WHERE key = ?", (key,)).fetchone()
            if found:
                receipts.append(self._receipt(db, found[0], duplicate=True))
                continue
            entry, row = self._prepare(submission, received)
            leaf = merkle.leaf_hash(entry)
            pending.update({(level, n): held for level, n, held in merkle.new_nodes(size, leaf, node)})
            db.execute("INSERT INTO entry VALUES (?, ?)", (size, entry))
            db.execute("INSERT INTO body VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", (size, *row, body_seal(row)))
            db.execute("INSERT INTO posted VALUES (?, ?)", (key, size))
            self._keep_contents(submission.mapped.contents)
            liberties = submission.mapped.liberties
            receipts.append(Receipt(submission.mapped.record, size, leaf.hex(), received, False, liberties))
            size += 1
        db.executemany("INSERT INTO node VALUES (?, ?, ?)", [(*at, held) for at, held in pending.items()])
        return receipts

    def _prepare(self, submission: Submission, received: str) -> tuple[bytes, tuple[Any, ...]]:
        mapped = submission.mapped
        salt, quads_salt = os.urandom(32), os.urandom(32)
        contents = sorted(mapped.contents, key=lambda c: c.iri)
        entry = {
            "actor": self._actor(submission.actor),
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

    def _keep_contents(self, contents: Sequence[Content]) -> None:
        for content in contents:
            if not self._writer.execute("SELECT 1 FROM content WHERE iri = ?", (content.iri,)).fetchone():
                packed = zlib.compress(content.quads, 1)
                row = (content.iri, packed, body_seal((content.iri, packed)))
                self._writer.execute("INSERT INTO content VALUES (?, ?, ?)", row)

    def _actor(self, name: str) -> str:
        known = self._actors.get(name) or self._new_actors.get(name)
        if known is None:
            known = os.urandom(8).hex()
            self._writer.execute("INSERT INTO actor VALUES (?, ?)", (name, known))
            self._new_actors[name] = known
        return known

    def _posted_key(self, submission: Submission) -> bytes:
        head = f"{submission.actor}\0{submission.media_type}\0".encode()
        return hmac.digest(self._index_key, head + submission.payload, "sha256")

    def _check_tail(self) -> None:
        """The newest entry and the tree must agree; `verify` looks at all of them."""
        size = self.size()
        (leaves,) = self._writer.execute("SELECT MAX(n) + 1 FROM node WHERE level = 0").fetchone()
        if size != leaves or merkle.leaf_hash(self.entry(size - 1)) != self._node(0, size - 1):
            raise LedgerError(f"entry {size - 1} and the tree of {leaves} leaves do not agree: run provstore verify")

    # -- reading --------------------------------------------------------------------------------------------------

    @property
    def _reader(self) -> sqlite3.Connection:
        found: sqlite3.Connection | None = getattr(self._local, "db", None)
        if found is None:
            found = self._local.db = connect(self._path, read_only=True)
        return found

    def size(self) -> int:
        """How many entries there are, genesis included."""
        (last,) = self._reader.execute("SELECT MAX(idx) FROM entry").fetchone()
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
        row = self._reader.execute("SELECT entry FROM entry WHERE idx = ?", (index,)).fetchone()
        if row is None:
            raise NotFound(f"the ledger has no entry {index}; the newest is {self.head}")
        return bytes(row[0])

    def _node(self, level: int, n: int) -> bytes:
        row = self._reader.execute("SELECT hash FROM node WHERE level = ? AND n = ?", (level, n)).fetchone()
        if row is None:
            raise LedgerError(f"the tree lacks node {n} of level {level}: run provstore verify")
        return bytes(row[0])

    def root(self, size: int | None = None) -> bytes:
        """The tree head at a size (now by default)."""
        return merkle.root(self.size() if size is None else size, self._node)

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

    def bodies(self, first: int, last: int) -> Iterator[Body]:
        """The records at indices first … last, in order; genesis and erased ones are passed over."""
        rows = self._reader.execute(
            "SELECT b.idx, b.record, b.quads, b.contents, b.payload, b.media_type, b.liberties, e.entry"
            " FROM body b JOIN entry e ON e.idx = b.idx WHERE b.idx BETWEEN ? AND ? ORDER BY b.idx",
            (first, last),
        )
        for index, record, quads, contents, payload, media_type, liberties, entry in rows:
            said = json.loads(entry)
            yield Body(
                index,
                record,
                zlib.decompress(quads),
                tuple(json.loads(contents)),
                payload,
                media_type,
                said["actor"],
                said["time"],
                said["adapter"],
                tuple(Liberty(*each) for each in json.loads(liberties)),
            )

    def body(self, index: int) -> Body:
        """The record at one index; NotFound where there is none."""
        for found in self.bodies(index, index):
            return found
        raise NotFound(f"the ledger holds no record at index {index}")

    def content(self, iri: str) -> bytes:
        """The canonical N-Quads of a content; NotFound where no record cites it."""
        row = self._reader.execute("SELECT quads FROM content WHERE iri = ?", (iri,)).fetchone()
        if row is None:
            raise NotFound(f"no content {iri}")
        return zlib.decompress(row[0])

    def find(self, record: str) -> list[int]:
        """The indices of the entries that hold a record, by its IRI."""
        return [i for (i,) in self._reader.execute("SELECT idx FROM body WHERE record = ? ORDER BY idx", (record,))]

    def receipt(self, index: int) -> Receipt:
        """The receipt given for an entry; NotFound where there is none."""
        return self._receipt(self._reader, index, duplicate=False)

    def _receipt(self, db: sqlite3.Connection, index: int, *, duplicate: bool) -> Receipt:
        row = db.execute(
            "SELECT b.record, b.liberties, e.entry FROM body b JOIN entry e ON e.idx = b.idx WHERE b.idx = ?", (index,)
        ).fetchone()
        if row is None:
            raise NotFound(f"the ledger holds no record at index {index}")
        liberties = tuple(Liberty(*each) for each in json.loads(row[1]))
        return Receipt(row[0], index, merkle.leaf_hash(row[2]).hex(), json.loads(row[2])["time"], duplicate, liberties)

    # -- checkpoints ------------------------------------------------------------------------------------------------

    @property
    def verifier(self) -> Verifier:
        """The public half of the log's key."""
        return self._signer.verifier

    def checkpoint(self) -> str:
        """The signed tree head of what is durable; kept, and never in conflict with one signed before."""
        with sqlite3.connect(self._path, timeout=10) as db:
            size = self.size()
            last = db.execute("SELECT note FROM checkpoint ORDER BY size DESC LIMIT 1").fetchone()
            if last:
                before = self.verifier.open(last[0])
                if before.size > size or self.root(before.size) != before.root:
                    raise LedgerError(f"the log does not extend the checkpoint of {before.size} entries it signed before")
            note = self._signer.sign(Checkpoint(self.origin, size, self.root(size)))
            db.execute("INSERT OR IGNORE INTO checkpoint VALUES (?, ?)", (size, note))
        db.close()
        return note

    def close(self) -> None:
        self._writer.close()
