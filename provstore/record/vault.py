"""Commitments to values that must not be stored, and the vault with what opens them.

A commitment is `hmac-sha256:` and HMAC-SHA-256 (RFC 2104) under a 256-bit key of whom the value is about, of a nonce
of 128 random bits and the canonical JSON of the value (RFC 8785). Who has neither key nor nonce learns nothing from it,
not even by trying every value; who destroys them has erased the value, while the commitment stays what it was.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from provstore import jcs

_SCHEME = "hmac-sha256:"
_TABLES = (
    "CREATE TABLE IF NOT EXISTS subject(name TEXT PRIMARY KEY, key BLOB NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS opening(commitment TEXT PRIMARY KEY, subject TEXT NOT NULL, nonce BLOB NOT NULL,"
    " value TEXT NOT NULL) WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS opening_subject ON opening(subject)",
)


@dataclass(frozen=True, slots=True)
class Commitment:
    """What stands for a value in a payload."""

    commitment: str

    def __str__(self) -> str:
        return self.commitment


@dataclass(frozen=True, slots=True)
class Opening:
    """What proves which value a commitment is to: canonical JSON, key and nonce (hexadecimal)."""

    commitment: str
    subject: str
    value: str
    key: str
    nonce: str


def committed(key: bytes, nonce: bytes, value: str) -> str:
    """The commitment to a value given as canonical JSON."""
    return f"{_SCHEME}{hmac.digest(key, nonce + value.encode(), hashlib.sha256).hex()}"


def verify(opening: Opening) -> bool:
    """Whether key, nonce and value of an opening give its commitment."""
    try:
        made = committed(bytes.fromhex(opening.key), bytes.fromhex(opening.nonce), opening.value)
    except (ValueError, AttributeError):
        return False
    return hmac.compare_digest(made, opening.commitment)


class Vault:
    """A file (SQLite, mode 0600) that holds keys, nonces and values; for any number of processes.

    What it cannot do it says, unlike the rest of the recorder: OSError or sqlite3.Error, since a commitment that nobody
    can open, or a value that was to be erased and is not, must be known.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path)

    def commit(self, value: Any, *, subject: str = "") -> Commitment:
        """Commit to a JSON value; it can be opened from the vault until it is erased. ValueError: no JSON value."""
        (made,) = self.commit_each([(value, subject)])
        return made

    def commit_each(self, values: Iterable[tuple[Any, str]]) -> list[Commitment]:
        """Commit to many values, each with its subject, all of them or none: one write to disk for all."""
        texts = [(jcs.dumps(value), subject) for value, subject in values]
        with self._opened() as db:
            db.executemany("INSERT OR IGNORE INTO subject VALUES (?, ?)", ((s, os.urandom(32)) for _, s in texts))
            keys: dict[str, bytes] = {}
            for _, subject in texts:
                if subject not in keys:
                    ((keys[subject],),) = db.execute("SELECT key FROM subject WHERE name = ?", (subject,))
            rows = []
            for text, subject in texts:
                nonce = os.urandom(16)
                rows.append((committed(keys[subject], nonce, text), subject, nonce, text))
            db.executemany("INSERT INTO opening VALUES (?, ?, ?, ?)", rows)
        return [Commitment(row[0]) for row in rows]

    def opened(self, commitment: Commitment | str) -> Opening | None:
        """What opens a commitment; None where it was erased or never was made here."""
        with self._opened() as db:
            row = db.execute(
                "SELECT o.subject, o.value, s.key, o.nonce FROM opening o JOIN subject s ON s.name = o.subject"
                " WHERE o.commitment = ?",
                (str(commitment),),
            ).fetchone()
        return Opening(str(commitment), row[0], row[1], row[2].hex(), row[3].hex()) if row else None

    def erase(self, *, subject: str = "", commitment: Commitment | str = "") -> int:
        """Destroy one opening, or key and openings of a subject; how many there were. The file keeps none of them."""
        with self._opened() as db:
            if commitment:
                done = db.execute("DELETE FROM opening WHERE commitment = ?", (str(commitment),)).rowcount
            elif subject:
                done = db.execute("DELETE FROM opening WHERE subject = ?", (subject,)).rowcount
                db.execute("DELETE FROM subject WHERE name = ?", (subject,))
            else:
                raise ValueError("name the subject or the commitment to be erased")
        return int(done)

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        with closing(sqlite3.connect(self._path, timeout=30)) as db:
            # what is deleted is overwritten, in the file and in its journal
            db.execute("PRAGMA secure_delete = ON")
            db.execute("PRAGMA synchronous = EXTRA")
            with db:
                db.execute("BEGIN IMMEDIATE")
                for each in _TABLES:
                    db.execute(each)
                yield db
