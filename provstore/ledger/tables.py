"""The tables of the ledger, and what is computed over their rows: shared by the log and by its verification."""

from __future__ import annotations

import hashlib
import hmac
import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

VERSION = "provstore.leaf/1"

#: What a damaged file raises: the message of SQLite may quote a damaged name, which Python then cannot decode.
UNREADABLE = (sqlite3.Error, UnicodeDecodeError)

#: `entry` and `node` are for ever; every other row beside them can be erased without touching these.
SCHEMA = (
    "CREATE TABLE meta(key TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID",
    "CREATE TABLE entry(idx INTEGER PRIMARY KEY, entry BLOB NOT NULL)",
    "CREATE TABLE body(idx INTEGER PRIMARY KEY, salt BLOB, payload BLOB, quads_salt BLOB, quads BLOB, contents TEXT,"
    " media_type TEXT, record TEXT, liberties TEXT, seal BLOB)",
    "CREATE INDEX body_record ON body(record)",
    "CREATE TABLE content(iri TEXT PRIMARY KEY, quads BLOB, digest BLOB, seal BLOB)",
    "CREATE TABLE posted(key BLOB PRIMARY KEY, idx INTEGER) WITHOUT ROWID",
    "CREATE TABLE actor(name TEXT PRIMARY KEY, salt BLOB, id TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE node(level INTEGER, n INTEGER, hash BLOB NOT NULL, PRIMARY KEY(level, n)) WITHOUT ROWID",
    "CREATE TABLE checkpoint(size INTEGER PRIMARY KEY, note TEXT NOT NULL)",
)


def connect(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """A connection with the ledger's pragmas; `read_only` cannot change the file, and can be of a read-only disk."""
    mode = "ro" if read_only else "rwc"
    if read_only and not os.access(path.parent, os.W_OK) and not path.with_name(f"{path.name}-wal").exists():
        mode = "ro&immutable=1"  # else SQLite wants to make its -shm file even to read
    uri = f"{path.absolute().as_uri()}?mode={mode}"
    db = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, timeout=10)
    if not read_only:
        try:
            db.execute("PRAGMA page_size=8192")  # of a new file: a body of some 10 kB then has a short overflow chain
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("PRAGMA synchronous=FULL")  # a commit returns after the write-ahead log is synced
            db.execute("PRAGMA secure_delete=ON")
        except UNREADABLE:
            db.close()
            raise
    return db


def commitment(salt: bytes, *parts: bytes) -> str:
    """The hex SHA-256 of salt ‖ parts: what an entry says of bytes that it does not hold."""
    held = hashlib.sha256(salt)
    for part in parts:
        held.update(part)
    return held.hexdigest()


def actor_id(salt: bytes, name: str) -> str:
    """The opaque id of an actor: nothing to one who lacks the salt, a commitment to the name for one who has it."""
    return commitment(salt, _raw(name))[:32]


def posted_key(index_key: bytes, actor: str, media_type: str, payload: bytes) -> bytes:
    """What a payload is recognised by when it is posted again: the HMAC-SHA256 of who posted what as what."""
    return hmac.digest(index_key, _raw(f"{actor}\0{media_type}\0") + payload, "sha256")


def seal(row: Sequence[Any]) -> bytes:
    """A check over a row as stored, types included: finds the flipped bit that decompression would not notice."""
    sizes = ",".join(f"{type(value).__name__}{len(value)}" if isinstance(value, bytes | str) else "?" for value in row)
    return hashlib.sha256(_raw(sizes) + b"".join(map(_raw, row))).digest()


def _raw(value: Any) -> bytes:
    # surrogateescape: what a damaged text cell is read as when it is verified
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogateescape")
