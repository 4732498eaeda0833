"""Validation after the acknowledgement: every record against the profiles that are on, in the background.

Results stand in `validation.db`, which may be deleted: it is made again. A profile's backlog is what the ledger has
beyond the last index it has looked at, and, once after each start, what it could not look at before.
`found` says which records each rule found something in, so that they can be listed; its counts are held in memory.
A profile here is one version of it, `prov-core/1`: what it found stays when a newer one is used in its place, and
`used` says between which indices it was on, so that each record keeps the verdict that it was accepted under.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from provstore.errors import Busy, ProvStoreError
from provstore.ledger.log import Ledger
from provstore.model import Mapped
from provstore.security.pool import JobCrash, JobTimeout, WorkerPool
from provstore.validation.profiles import Registry
from provstore.validation.results import SEVERITIES, conformity, failed
from provstore.validation.tasks import Task

_SECONDS = 60.0
_MEMORY = 2 << 30
_CHECKING = "provstore.validation.checking"
#: What `result.conforms` means; NULL where the validation itself failed, which says nothing about the record.
_STATES: dict[bool | None, str] = {True: "conforming", False: "violating", None: "failed"}
STATES = tuple(_STATES.values())
_TABLES = (
    "CREATE TABLE IF NOT EXISTS result(idx INTEGER, profile TEXT, conforms INTEGER, results TEXT,"
    " PRIMARY KEY(idx, profile)) WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS result_state ON result(profile, conforms, idx)",
    "CREATE TABLE IF NOT EXISTS found(profile TEXT, shape TEXT, idx INTEGER, PRIMARY KEY(profile, shape, idx))"
    " WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS rule(profile TEXT, shape TEXT, severity TEXT, message TEXT, clause TEXT,"
    " PRIMARY KEY(profile, shape)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS used(profile TEXT, after INTEGER, until INTEGER, PRIMARY KEY(profile, after))"
    " WITHOUT ROWID",
)
#: How many results there are, and the first few: one record may have thousands.
_FIRST = (
    "json_array_length(r.results),"
    " (SELECT json_group_array(json(value)) FROM (SELECT value FROM json_each(r.results) LIMIT 5))"
)
_IN_STATE = (
    f"SELECT r.idx, {_FIRST} FROM result r WHERE r.profile = ? AND r.conforms IS ? AND r.idx < ?"
    " ORDER BY r.idx DESC LIMIT ?"
)
_BY_RULE = (
    f"SELECT f.idx, {_FIRST} FROM found f JOIN result r ON r.idx = f.idx AND r.profile = f.profile"
    " WHERE f.profile = ? AND f.shape = ? AND f.idx < ? ORDER BY f.idx DESC LIMIT ?"
)
_RESULTS = (
    "SELECT r.profile, r.conforms, EXISTS (SELECT 1 FROM used u WHERE u.profile = r.profile AND u.after < r.idx"
    " AND (u.until IS NULL OR r.idx <= u.until)), r.results FROM result r WHERE r.idx = ? ORDER BY r.profile"
)
#: Changes with the tables; those of another version are emptied, and what they held is found again.
_VERSION = 3


@dataclass(frozen=True, slots=True)
class Found:
    """A rule that found something: in how many records, how grave it is, what it says, the clause it comes from."""

    shape: str
    severity: str
    message: str
    clause: str
    records: int


@dataclass(frozen=True, slots=True)
class Listed:
    """A record in a list: its index, how many results it has, and the first five of them, the gravest before others."""

    index: int
    count: int
    first: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Standing:
    """How the records stand with one profile: how many wait, conform, violate, failed.

    `rules` are those that found something, the gravest and then the most frequent first.
    """

    profile: str
    waiting: int
    conforming: int
    violating: int
    failed: int
    rules: tuple[Found, ...]


class Annotator:
    """Works through the ledger in order, one record at a time, in a worker of its own."""

    def __init__(self, path: Path, ledger: Ledger, registry: Registry, profiles: Sequence[str]) -> None:
        self._ledger, self._registry = ledger, registry
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")  # what a power cut takes is validated again
        _prepare(self._db)
        self._pool = WorkerPool(_MEMORY, most=1, keep=1, modules=(_CHECKING,))
        self._wake = asyncio.Event()
        self._done: dict[str, int] = {}
        self.use(profiles)
        rows = self._db.execute("SELECT profile, conforms, COUNT(*) FROM result GROUP BY profile, conforms")
        self._counts = Counter({(profile, _STATES[conforms]): count for profile, conforms, count in rows})
        rows = self._db.execute("SELECT profile, shape, COUNT(*) FROM found GROUP BY profile, shape")
        self._found = Counter({(profile, shape): count for profile, shape, count in rows})

    def use(self, profiles: Sequence[str]) -> None:
        """Look at every record by these versions from now on, those accepted before included, and by no others."""
        before = {name for (name,) in self._db.execute("SELECT profile FROM used WHERE until IS NULL")}
        begun = self._db.execute("SELECT 1 FROM used LIMIT 1").fetchone()
        head = self._ledger.head if begun else 0  # where nothing is known of the time before, it counts as in use then
        for name in set(profiles) - before:
            self._db.execute("INSERT OR REPLACE INTO used VALUES (?, ?, NULL)", (name, head))
        for name in before - set(profiles):
            self._db.execute("UPDATE used SET until = ? WHERE profile = ? AND until IS NULL", (head, name))
        self._done = {name: self._last(name) for name in profiles}
        self.wake()

    def _last(self, profile: str) -> int:
        """The last index a profile has looked at; the genesis entry (0) is no record."""
        return int(self._db.execute("SELECT MAX(idx) FROM result WHERE profile = ?", (profile,)).fetchone()[0] or 0)

    def wake(self) -> None:
        """Say that the ledger has grown."""
        self._wake.set()

    async def run(self) -> None:
        """Validate for ever; cancelled at the end."""
        for index, profile in self._db.execute("SELECT idx, profile FROM result WHERE conforms IS NULL").fetchall():
            if profile in self._done:
                await self._look(index, profile)
        while True:
            self._wake.clear()
            while (behind := self._behind()) is not None:
                index = self._done[behind] + 1
                await self._look(index, behind)
                if behind in self._done:  # it may have been switched off meanwhile
                    self._done[behind] = index
            await self._wake.wait()

    def _behind(self) -> str | None:
        """The profile that has looked at least, where it has not looked at all records."""
        least = min(self._done, key=self._done.__getitem__, default=None)
        return least if least is not None and self._done[least] < self._ledger.head else None

    async def _look(self, index: int, profile: str) -> None:
        try:
            for body in self._ledger.bodies(index, index):
                self._keep(index, profile, await self._results(profile, self._ledger.whole(body)))
        except ProvStoreError as error:  # a record that cannot be read must not keep the others waiting
            self._keep(index, profile, _failed(error, profile))

    async def validate(self, profile: str, mapped: Mapped) -> list[dict[str, Any]]:
        """The results of one record that is not committed yet; Busy where nobody can look at it now."""
        return await self._results(profile, mapped.whole, patient=False)

    async def _results(self, profile: str, quads: bytes, *, patient: bool = True) -> list[dict[str, Any]]:
        task = Task(self._registry, profile, quads)
        try:
            found: list[dict[str, Any]] = await self._pool.run(f"{_CHECKING}:job", task, _SECONDS)
            return found
        except (JobTimeout, JobCrash, ProvStoreError) as error:
            if isinstance(error, Busy) and not patient:
                raise
            return _failed(error, profile)

    def _keep(self, index: int, profile: str, results: list[dict[str, Any]]) -> None:
        conforms = conformity(result["severity"] for result in results)
        rules = _rules(results)
        self._db.execute("BEGIN")
        before = self._db.execute(
            "SELECT conforms, results FROM result WHERE idx = ? AND profile = ?", (index, profile)
        ).fetchone()
        old = _rules(json.loads(before[1])) if before else {}
        row = (index, profile, conforms, json.dumps(results))
        self._db.execute("INSERT OR REPLACE INTO result VALUES (?, ?, ?, ?)", row)
        self._db.executemany(
            "DELETE FROM found WHERE profile = ? AND shape = ? AND idx = ?", [(profile, shape, index) for shape in old]
        )
        self._db.executemany("INSERT INTO found VALUES (?, ?, ?)", [(profile, shape, index) for shape in rules])
        said = [(profile, shape, each["severity"], each["message"], each["clause"]) for shape, each in rules.items()]
        self._db.executemany("INSERT OR REPLACE INTO rule VALUES (?, ?, ?, ?, ?)", said)
        self._db.execute("COMMIT")
        if before:
            self._counts[profile, _STATES[before[0]]] -= 1
        self._counts[profile, _STATES[conforms]] += 1
        self._found.subtract((profile, shape) for shape in old)
        self._found.update((profile, shape) for shape in rules)

    def results(self, index: int) -> list[dict[str, Any]]:
        """Per profile, whether the record at an index conforms (None: not known) and why not; empty while it waits.

        `accepted` says whether the profile was in use when the record was accepted.
        """
        rows = self._db.execute(_RESULTS, (index,))
        return [
            {
                "profile": profile,
                "conforms": None if conforms is None else bool(conforms),
                "accepted": bool(accepted),
                "results": json.loads(results),
            }
            for profile, conforms, accepted, results in rows
        ]

    def backlog(self) -> dict[str, int]:
        """How many validations wait, and how many found a record conforming, violating, or failed themselves."""
        waiting = sum(self._ledger.head - done for done in self._done.values())
        totals = {name: sum(self._counts[profile, name] for profile in self._known()) for name in STATES}
        return {"waiting": waiting, **totals}

    def standings(self) -> list[Standing]:
        """How the records stand with each profile that looks at them or did so before, by name."""
        return [self._standing(profile) for profile in self._known()]

    def _known(self) -> list[str]:
        return sorted({*self._done, *(profile for profile, _ in self._counts)})

    def _standing(self, profile: str) -> Standing:
        waiting = self._ledger.head - self._done[profile] if profile in self._done else 0
        rows = self._db.execute("SELECT shape, severity, message, clause FROM rule WHERE profile = ?", (profile,))
        found = [Found(shape, grave, says, clause, self._found[profile, shape]) for shape, grave, says, clause in rows]
        ordered = sorted((each for each in found if each.records), key=_order)
        conforming, violating, failed = (self._counts[profile, name] for name in STATES)
        return Standing(profile, waiting, conforming, violating, failed, tuple(ordered))

    def listed(self, profile: str, which: str, before: int, limit: int) -> list[Listed]:
        """What a profile found in records at indices below `before`, the newest first.

        `which` is one of `STATES`, or the IRI of a rule that found something.
        """
        if which in STATES:
            conforms = next(conforms for conforms, name in _STATES.items() if name == which)
            rows = self._db.execute(_IN_STATE, (profile, conforms, before, limit))
        else:
            rows = self._db.execute(_BY_RULE, (profile, which, before, limit))
        return [Listed(index, count, json.loads(first)) for index, count, first in rows]

    def close(self) -> None:
        self._pool.close()
        self._db.close()


def _prepare(db: sqlite3.Connection) -> None:
    """The tables, empty where they were of another version."""
    if db.execute("PRAGMA user_version").fetchone() != (_VERSION,):
        db.execute("DROP TABLE IF EXISTS result")
        db.execute("DROP TABLE IF EXISTS found")
        db.execute("DROP TABLE IF EXISTS rule")
        db.execute("DROP TABLE IF EXISTS used")
    for statement in _TABLES:
        db.execute(statement)
    db.execute(f"PRAGMA user_version={_VERSION}")


def _order(found: Found) -> tuple[int, int, str]:
    return SEVERITIES.index(found.severity), -found.records, found.shape


def _rules(results: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """One result of each rule that found something; a validation that failed is no rule's."""
    return {result["shape"]: result for result in results if result["shape"]}


def _failed(error: ProvStoreError | JobTimeout | JobCrash, profile: str) -> list[dict[str, Any]]:
    return [result.json() for result in failed(error, profile)]
