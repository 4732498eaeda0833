"""The tables of verdicts: what each profile says of each thing in the store, and what was found in it.

One writer, the keeper's worker; the server reads. Things are terms as N-Triples writes them. Deleting the file loses
nothing that looking at everything anew does not give back.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from provstore.validation.results import SEVERITIES

#: What `verdict.conforms` means; NULL where the validation itself did not finish.
STATES: dict[bool | None, str] = {True: "conforming", False: "violating", None: "failed"}
_TABLES = (
    "CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID",
    # at: the index that the verdicts of the profile stand at; NULL while it is looked at for the first time
    "CREATE TABLE profile(profile TEXT PRIMARY KEY, digest TEXT, at INTEGER, done INTEGER, total INTEGER)"
    " WITHOUT ROWID",
    "CREATE TABLE thing(id INTEGER PRIMARY KEY, term TEXT UNIQUE)",
    # severity: the worst, as an index of SEVERITIES; at: the index of the store that was last looked at
    "CREATE TABLE verdict(profile TEXT, thing INTEGER, conforms INTEGER, severity INTEGER, count INTEGER, kind TEXT,"
    " at INTEGER, PRIMARY KEY(profile, thing)) WITHOUT ROWID",
    "CREATE INDEX verdict_state ON verdict(profile, conforms, severity, thing)",
    "CREATE INDEX verdict_thing ON verdict(thing)",
    # what one shape with targets found at one thing, all of it: a JSON array
    "CREATE TABLE result(thing INTEGER, profile TEXT, shape TEXT, results TEXT, PRIMARY KEY(thing, profile, shape))"
    " WITHOUT ROWID",
    "CREATE TABLE found(profile TEXT, rule TEXT, thing INTEGER, PRIMARY KEY(profile, rule, thing)) WITHOUT ROWID",
    "CREATE INDEX found_thing ON found(thing, profile)",
    "CREATE TABLE rule(profile TEXT, rule TEXT, severity TEXT, message TEXT, clause TEXT, PRIMARY KEY(profile, rule))"
    " WITHOUT ROWID",
    # how many things: in a state, of a kind and with a worst severity ('' = none); and how many each rule found
    "CREATE TABLE tally(profile TEXT, state TEXT, severity TEXT, kind TEXT, n INTEGER,"
    " PRIMARY KEY(profile, state, severity, kind)) WITHOUT ROWID",
    "CREATE TABLE tally_rule(profile TEXT, rule TEXT, n INTEGER, PRIMARY KEY(profile, rule)) WITHOUT ROWID",
    # things of which the graph of verdicts does not say yet what is known here
    "CREATE TABLE untold(thing INTEGER PRIMARY KEY, seq INTEGER)",
    # where looking killed the worker: not looked at again
    "CREATE TABLE avoided(profile TEXT, shape TEXT, term TEXT, PRIMARY KEY(profile, shape, term)) WITHOUT ROWID",
)
_NAMES = ("meta", "profile", "thing", "verdict", "result", "found", "rule", "tally", "tally_rule", "untold", "avoided")
#: Changes with the tables: those of another version are emptied, and what they held is found again.
_VERSION = 1


def open_database(path: Path) -> sqlite3.Connection:
    """The database at a path, made there if it is not, emptied if it is of another version or damaged."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        return _opened(path)
    except sqlite3.DatabaseError:
        for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
            path.with_name(name).unlink(missing_ok=True)
        return _opened(path)


def _opened(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=NORMAL")  # what a power cut takes is found again
    if db.execute("PRAGMA user_version").fetchone() != (_VERSION,):
        db.execute("BEGIN IMMEDIATE")
        for name in _NAMES:
            db.execute(f"DROP TABLE IF EXISTS {name}")  # names from the literal table above
        for statement in _TABLES:
            db.execute(statement)
        db.execute(f"PRAGMA user_version={_VERSION}")
        db.execute("COMMIT")
    return db


@dataclass(frozen=True, slots=True)
class Judged:
    """What one profile says of one thing."""

    profile: str
    conforms: bool | None
    severity: str
    count: int
    kind: str
    at: int


class Tables:
    """The writing side: results come in by shape and thing, and verdicts and tallies follow from them."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self.db = db
        self._seq = int(self.meta("seq") or 0)

    def meta(self, key: str) -> Any:
        row = self.db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return row[0] if row else None

    def set_meta(self, key: str, value: object) -> None:
        self.db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def thing(self, term: str) -> int:
        """The number of a thing, a new one for a term that is not known yet."""
        row = self.db.execute("SELECT id FROM thing WHERE term = ?", (term,)).fetchone()
        if row is None:
            row = self.db.execute("INSERT INTO thing(term) VALUES (?) RETURNING id", (term,)).fetchone()
        return int(row[0])

    def term(self, thing: int) -> str:
        """The thing of a number."""
        (found,) = self.db.execute("SELECT term FROM thing WHERE id = ?", (thing,)).fetchone()
        return str(found)

    def is_judged(self, profile: str, term: str) -> bool:
        """Whether there is a verdict on a thing."""
        sql = "SELECT 1 FROM verdict v JOIN thing t ON t.id = v.thing WHERE v.profile = ? AND t.term = ?"
        return self.db.execute(sql, (profile, term)).fetchone() is not None

    # -- results ------------------------------------------------------------------------------------------------------

    def put(self, profile: str, shape: str, term: str, results: list[dict[str, Any]]) -> bool:
        """What one shape finds at one thing, instead of what it found before; whether that is something else.

        `settle` the thing afterwards.
        """
        key = (self.thing(term), profile, shape)
        before = self.db.execute("SELECT results FROM result WHERE thing = ? AND profile = ? AND shape = ?", key)
        old, new = before.fetchone(), json.dumps(results, ensure_ascii=False) if results else None
        if new == (old and old[0]):
            return False
        if new is None:
            self.db.execute("DELETE FROM result WHERE thing = ? AND profile = ? AND shape = ?", key)
        else:
            self.db.execute("INSERT OR REPLACE INTO result VALUES (?, ?, ?, ?)", (*key, new))
        return True

    def found_by(self, profile: str, shape: str) -> list[str]:
        """The things at which a shape finds something."""
        sql = (
            "SELECT t.term FROM result r JOIN thing t ON t.id = r.thing WHERE r.profile = ? AND r.shape = ?"
            " ORDER BY t.id"
        )
        return [term for (term,) in self.db.execute(sql, (profile, shape))]

    def settle(self, profile: str, term: str, kind: str | None, at: int, *, changed: bool) -> None:
        """The verdict that follows from the results of a thing; `kind` is None for what no shape looks at any more.

        `changed` says whether results of it were put that are others than before.
        """
        thing = self.thing(term)
        results = list(self.results(thing, profile))
        before = self._verdict(profile, thing)
        after = None if kind is None else _verdict(results, kind)
        if before != after:
            self._count(profile, before, -1)
            self._count(profile, after, 1)
        if after is None:
            self.db.execute("DELETE FROM verdict WHERE profile = ? AND thing = ?", (profile, thing))
        else:
            row = (profile, thing, *after, at)
            self.db.execute("INSERT OR REPLACE INTO verdict VALUES (?, ?, ?, ?, ?, ?, ?)", row)
        if changed:
            self._rules(profile, thing, results)

    def results(self, thing: int, profile: str) -> Iterator[dict[str, Any]]:
        sql = "SELECT results FROM result WHERE thing = ? AND profile = ? ORDER BY shape"
        for (text,) in self.db.execute(sql, (thing, profile)).fetchall():
            yield from json.loads(text)

    def _verdict(self, profile: str, thing: int) -> tuple[Any, ...] | None:
        sql = "SELECT conforms, severity, count, kind FROM verdict WHERE profile = ? AND thing = ?"
        found: tuple[Any, ...] | None = self.db.execute(sql, (profile, thing)).fetchone()
        return found

    def _count(self, profile: str, verdict: tuple[Any, ...] | None, by: int) -> None:
        if verdict is not None:
            conforms, severity, _, kind = verdict
            key = (profile, STATES[conforms], "" if severity is None else SEVERITIES[severity], kind)
            self.db.execute(
                "INSERT INTO tally VALUES (?, ?, ?, ?, ?)"
                " ON CONFLICT(profile, state, severity, kind) DO UPDATE SET n = n + excluded.n",
                (*key, by),
            )

    def _rules(self, profile: str, thing: int, results: list[dict[str, Any]]) -> None:
        now = {result["shape"]: result for result in results if result["shape"]}
        sql = "SELECT rule FROM found WHERE thing = ? AND profile = ?"
        before = {rule for (rule,) in self.db.execute(sql, (thing, profile))}
        for rule in before - set(now):
            self.db.execute("DELETE FROM found WHERE profile = ? AND rule = ? AND thing = ?", (profile, rule, thing))
            self.db.execute("UPDATE tally_rule SET n = n - 1 WHERE profile = ? AND rule = ?", (profile, rule))
        for rule in set(now) - before:
            self.db.execute("INSERT INTO found VALUES (?, ?, ?)", (profile, rule, thing))
            self.db.execute(
                "INSERT INTO tally_rule VALUES (?, ?, 1) ON CONFLICT(profile, rule) DO UPDATE SET n = n + 1",
                (profile, rule),
            )
            each = now[rule]
            row = (profile, rule, each["severity"], each["message"], each["clause"])
            self.db.execute("INSERT OR REPLACE INTO rule VALUES (?, ?, ?, ?, ?)", row)
        if before or now:
            self.untold(thing)

    # -- profiles -----------------------------------------------------------------------------------------------------

    def standing(self) -> dict[str, tuple[str, int | None]]:
        """Each profile's digest, and the index that its verdicts stand at (None: not looked at everything yet)."""
        rows = self.db.execute("SELECT profile, digest, at FROM profile")
        return {profile: (digest, at) for profile, digest, at in rows}

    def begin(self, profile: str, digest: str, total: int) -> None:
        self.db.execute("INSERT OR REPLACE INTO profile VALUES (?, ?, NULL, 0, ?)", (profile, digest, total))

    def progress(self, profile: str, done: int) -> None:
        self.db.execute("UPDATE profile SET done = ? WHERE profile = ?", (done, profile))

    def stand(self, profile: str, at: int) -> None:
        self.db.execute("UPDATE profile SET at = ?, done = total WHERE profile = ?", (at, profile))

    def drop(self, profile: str) -> Iterator[None]:
        """Forget a profile, piece by piece."""
        self.db.execute("UPDATE profile SET at = NULL WHERE profile = ?", (profile,))
        sql = "SELECT thing FROM verdict WHERE profile = ? LIMIT 200"
        while things := self.db.execute(sql, (profile,)).fetchall():
            for (thing,) in things:
                self._forget(profile, thing)
            yield
        for table in ("rule", "tally", "tally_rule", "avoided", "profile"):
            self.db.execute(f"DELETE FROM {table} WHERE profile = ?", (profile,))  # names from the line above

    def sweep(self, profile: str, at: int) -> Iterator[None]:
        """Forget what was not looked at any more since an index, piece by piece."""
        last = 0
        sql = "SELECT thing, at FROM verdict WHERE profile = ? AND thing > ? ORDER BY thing LIMIT 1000"
        while rows := self.db.execute(sql, (profile, last)).fetchall():
            for thing, looked in rows:
                if looked < at:
                    self._forget(profile, thing)
            last = rows[-1][0]
            yield

    def _forget(self, profile: str, thing: int) -> None:
        self.db.execute("DELETE FROM result WHERE thing = ? AND profile = ?", (thing, profile))
        self._count(profile, self._verdict(profile, thing), -1)
        self.db.execute("DELETE FROM verdict WHERE profile = ? AND thing = ?", (profile, thing))
        self._rules(profile, thing, [])

    # -- what the graph of verdicts is to say -------------------------------------------------------------------------

    def untold(self, thing: int) -> None:
        self._seq += 1
        self.set_meta("seq", self._seq)
        self.db.execute("INSERT OR REPLACE INTO untold VALUES (?, ?)", (thing, self._seq))

    def next_untold(self, limit: int) -> list[tuple[int, int, str]]:
        """The first things that are untold: (number, sequence, term)."""
        sql = "SELECT u.thing, u.seq, t.term FROM untold u JOIN thing t ON t.id = u.thing ORDER BY u.seq LIMIT ?"
        return list(self.db.execute(sql, (limit,)))

    def told(self, things: Iterable[tuple[int, int]]) -> None:
        """These were told as they stood at these sequence numbers."""
        self.db.executemany("DELETE FROM untold WHERE thing = ? AND seq = ?", things)


def _verdict(results: list[dict[str, Any]], kind: str) -> tuple[Any, ...]:
    counted = Counter(result["severity"] for result in results)
    worst = next((number for number, name in enumerate(SEVERITIES) if counted[name]), None)
    conforms = 0 if counted["MUST"] else None if counted["ERROR"] else 1
    return conforms, worst, len(results), kind
