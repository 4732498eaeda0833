"""Verification of a whole ledger from its rows: everything is recomputed, nothing is believed."""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from provstore import jcs
from provstore.ledger import merkle
from provstore.ledger.log import VERSION, body_seal, commitment, connect
from provstore.ledger.note import Checkpoint, NoteError, Verifier

_FIELDS = {
    "genesis": {"base", "key", "kind", "origin", "time", "v"},
    "record": {"actor", "adapter", "kind", "payload", "quads", "time", "v"},
}


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that does not fit: the ledger index it concerns (None: the log as a whole) and what."""

    index: int | None
    message: str

    def __str__(self) -> str:
        return self.message if self.index is None else f"entry {self.index}: {self.message}"


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome: size and root as recomputed, findings, and whether a kept checkpoint was confirmed."""

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
        if self.confirmed is None:
            return f"UNWITNESSED: {self.size} entries, root {self.root}; no checkpoint kept elsewhere was compared"
        return f"VERIFIED: {self.size} entries, root {self.root}, extending the kept checkpoint of {self.confirmed} entries"


def verify(
    directory: Path, *, checkpoint: str | None = None, progress: Callable[[int, int], None] | None = None
) -> Report:
    """Recompute the ledger in a directory; `checkpoint` is a signed note that somebody kept.

    Never changes anything; a damaged database is a finding, not an error. `progress` is told (done, of).
    """
    findings: list[Finding] = []
    leaves: list[bytes] = []
    confirmed: int | None = None
    try:
        db = connect(directory / "ledger.db", read_only=True)
        try:
            verifier = _genesis(db, findings)
            leaves = _entries(db, findings, progress)
            _tree(db, leaves, findings)
            _contents(db, findings)
            if verifier:
                _published(db, verifier, leaves, findings)
                if checkpoint is not None:
                    confirmed = _kept(checkpoint, verifier, leaves, findings)
        finally:
            db.close()
    except sqlite3.Error as error:
        findings.append(Finding(None, f"the ledger database cannot be read: {error}"))
    root = _root(leaves)
    return Report(len(leaves), root.hex(), tuple(findings), confirmed if not findings else None)


def _root(leaves: list[bytes], size: int | None = None) -> bytes:
    """The tree head of the first leaves, from the leaf hashes alone."""
    stack: list[tuple[int, bytes]] = []
    for leaf in leaves[:size]:
        level, held = 0, leaf
        while stack and stack[-1][0] == level:
            held = merkle.node_hash(stack.pop()[1], held)
            level += 1
        stack.append((level, held))
    if not stack:
        return merkle.EMPTY_ROOT
    held = stack.pop()[1]
    while stack:
        held = merkle.node_hash(stack.pop()[1], held)
    return held


def _genesis(db: sqlite3.Connection, findings: list[Finding]) -> Verifier | None:
    row = db.execute("SELECT entry FROM entry WHERE idx = 0").fetchone()
    try:
        return Verifier.parse(json.loads(row[0])["key"])
    except (TypeError, ValueError, KeyError) as error:
        findings.append(Finding(0, f"the genesis entry names no valid key: {error}"))
        return None


def _entries(
    db: sqlite3.Connection, findings: list[Finding], progress: Callable[[int, int], None] | None
) -> list[bytes]:
    """Each entry, its leaf and its body; returns the leaf hashes as recomputed."""
    (total,) = db.execute("SELECT COUNT(*) FROM entry").fetchone()
    nodes = dict(db.execute("SELECT n, hash FROM node WHERE level = 0"))
    leaves: list[bytes] = []
    latest = ""
    rows = db.execute(
        "SELECT e.idx, e.entry, b.salt, b.payload, b.quads_salt, b.quads, b.contents, b.media_type, b.record,"
        " b.liberties, b.seal FROM entry e LEFT JOIN body b ON b.idx = e.idx ORDER BY e.idx"
    )
    for index, entry, *body in rows:
        while len(leaves) < index:
            findings.append(Finding(len(leaves), "is missing"))
            leaves.append(nodes.get(len(leaves), merkle.EMPTY_ROOT))
        raw = entry if isinstance(entry, bytes) else str(entry).encode()
        leaf = merkle.leaf_hash(raw)
        leaves.append(leaf)
        if index not in nodes:
            findings.append(Finding(index, "is not in the tree: it was added beside the log"))
        elif nodes[index] != leaf:
            findings.append(Finding(index, "is not what the tree was built from"))
        said, messages = _read(index, raw)
        findings += [Finding(index, message) for message in messages]
        if said:
            if said["time"] < latest:
                findings.append(Finding(index, "its time lies before that of the entry before it"))
            latest = max(latest, said["time"])
            if said["kind"] == "record":
                findings += [Finding(index, message) for message in check_body(db, said, body)]
        if progress and (index % 1000 == 0 or index + 1 == total):
            progress(index + 1, total)
    for index in sorted(n for n in nodes if n >= len(leaves)):
        findings.append(Finding(index, "is missing; the tree still has its leaf"))
    orphans = db.execute("SELECT idx FROM body WHERE idx NOT IN (SELECT idx FROM entry)").fetchall()
    findings += [Finding(index, "has a body but no entry") for (index,) in orphans]
    return leaves


def _read(index: int, raw: bytes) -> tuple[dict[str, str] | None, list[str]]:
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
    if kind not in _FIELDS or set(said) != _FIELDS[kind] or (kind == "genesis") != (index == 0):
        return None, [f"does not have the fields of a {kind!r} entry"]
    if not all(isinstance(value, str) for value in said.values()):
        return None, ["has a field that is no text"]
    return said, []


def check_body(db: sqlite3.Connection, said: dict[str, str], body: list[Any]) -> Iterator[str]:
    """What does not fit between an entry and the row beside it."""
    *row, seal = body
    if seal is None and row[0] is None:
        yield "its payload and quads are missing, and no erasure says why"
        return
    salt, payload, quads_salt, packed, contents = row[:5]
    if body_seal(row) != seal:
        yield "the row beside it was changed"
    if commitment(_bytes(salt), _bytes(payload)) != said["payload"]:
        yield "the payload or its salt is not what the entry commits to"
    try:
        parts = [zlib.decompress(packed)]
        for iri in json.loads(contents):
            found = db.execute("SELECT quads FROM content WHERE iri = ?", (iri,)).fetchone()
            if found is None:
                yield f"the content {iri} that it cites is missing"
                return
            parts.append(zlib.decompress(found[0]))
    except (zlib.error, ValueError, TypeError) as error:
        yield f"its quads cannot be read: {error}"
        return
    if commitment(_bytes(quads_salt), *parts) != said["quads"]:
        yield "the quads, their salt or a cited content is not what the entry commits to"


def _bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


def _tree(db: sqlite3.Connection, leaves: list[bytes], findings: list[Finding]) -> None:
    """Every inner node from the leaves as recomputed."""
    level, row = 0, leaves
    while row:
        stored = dict(db.execute("SELECT n, hash FROM node WHERE level = ?", (level,)))
        if level:
            for n, held in enumerate(row):
                if stored.get(n) != held:
                    first = n << level
                    message = f"the tree node over entries {first} to {first + (1 << level) - 1} does not fit them"
                    findings.append(Finding(first, message))
            findings += [Finding(n << level, "the tree goes on beyond the log") for n in stored if n >= len(row)]
        row = [merkle.node_hash(row[i], row[i + 1]) for i in range(0, len(row) - 1, 2)]
        level += 1
    beyond = db.execute("SELECT level, n FROM node WHERE level >= ?", (level,)).fetchall()
    findings += [Finding(n << high, "the tree goes on beyond the log") for high, n in beyond]


def _contents(db: sqlite3.Connection, findings: list[Finding]) -> None:
    """Content rows as stored; whether they say what was committed to is checked with each record that cites them."""
    for iri, packed, seal in db.execute("SELECT iri, quads, seal FROM content"):
        if body_seal((iri, packed)) != seal:
            citing = db.execute("SELECT MIN(idx) FROM body WHERE instr(contents, ?)", (json.dumps(iri),)).fetchone()
            findings.append(Finding(citing[0], f"the content {iri} was changed"))


def _published(db: sqlite3.Connection, verifier: Verifier, leaves: list[bytes], findings: list[Finding]) -> None:
    for size, note in db.execute("SELECT size, note FROM checkpoint ORDER BY size"):
        _against(note, verifier, leaves, findings, f"the checkpoint of {size} entries that the log signed")


def _kept(note: str, verifier: Verifier, leaves: list[bytes], findings: list[Finding]) -> int | None:
    found = _against(note, verifier, leaves, findings, "the kept checkpoint")
    return found.size if found else None


def _against(
    note: str, verifier: Verifier, leaves: list[bytes], findings: list[Finding], what: str
) -> Checkpoint | None:
    try:
        checkpoint = verifier.open(note)
    except NoteError as error:
        findings.append(Finding(None, f"{what} is not a note signed by this log: {error}"))
        return None
    if checkpoint.size > len(leaves):
        gone = f"entries {len(leaves)} to {checkpoint.size - 1} are missing: {what} covers {checkpoint.size}"
        findings.append(Finding(len(leaves), gone))
        return None
    if _root(leaves, checkpoint.size) != checkpoint.root:
        message = f"the first {checkpoint.size} entries are not those of {what}"
        findings.append(Finding(None, message))
        return None
    return checkpoint
