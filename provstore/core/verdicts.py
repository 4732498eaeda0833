"""Verdicts on things: what the store as a whole says of each, by every profile in use, kept current as records come.

A worker of its own (`provstore.core.keeper`) follows the triple store at its own pace; nothing waits for it. What it
found stands in `verdicts/` of the data directory, which can be deleted, and in the graph of verdicts of the store.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from provstore.core.client import OwnerClient
from provstore.core.profiles import Profiles
from provstore.core.steps import Done, Step
from provstore.core.verdictdb import STATES, Judged, open_database
from provstore.errors import Busy, ProvStoreError
from provstore.ledger.log import Ledger
from provstore.security.pool import JobCrash, JobTimeout, WorkerPool
from provstore.validation.results import SEVERITIES

T = TypeVar("T")
_KEEPER = "provstore.core.keeper"
_SECONDS, _MEMORY = 60.0, 2 << 30
#: How long it waits for more records before it looks at the store: at least, and while they keep coming.
_SETTLED, _LONGEST = 0.1, 10.0
_IDLE = 60.0
_BEHIND = 64  # entries that the views may lag before verdicts wait for them
_START = 1.0  # after the start of the server, which others wait for
_PAUSE = 1.0  # after a failure, longer after each further one
_MOST_PAUSE = 60.0
_SHOWN = 5  # results of a thing in a list


@dataclass(frozen=True, slots=True)
class FoundIn:
    """A rule that found something: in how many things, how grave it is, what it says, the clause it comes from."""

    rule: str
    severity: str
    message: str
    clause: str
    things: int


@dataclass(frozen=True, slots=True)
class Overall:
    """How the things in the store stand with one profile, at a ledger index (None: not all looked at yet).

    `looked` is how far the first look is, as a share of 1. `counts` is how many things there are by state, worst
    severity ('' for none) and kind.
    """

    profile: str
    at: int | None
    looked: float
    counts: dict[tuple[str, str, str], int]
    rules: tuple[FoundIn, ...]

    @property
    def kinds(self) -> list[str]:
        """The kinds of the things that it looks at."""
        return sorted({kind for (_, _, kind), n in self.counts.items() if n})

    def count(self, state: str = "", severity: str = "", kind: str = "") -> int:
        """How many things are in a state, have a worst severity, are of a kind; '' stands for any."""
        wanted = (state, severity, kind)
        return sum(n for key, n in self.counts.items() if all(w in ("", k) for w, k in zip(wanted, key, strict=True)))


@dataclass(frozen=True, slots=True)
class Listed:
    """A thing in a list: its number there, its term without brackets, its verdict, the first of its results."""

    number: int
    thing: str
    judged: Judged
    first: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which things are to be listed: of one profile; '' stands for any; numbers below `before`, the highest first."""

    profile: str
    state: str = ""
    severity: str = ""
    kind: str = ""
    rule: str = ""
    before: int = 1 << 62
    limit: int = 50


class Verdicts:
    """The verdicts of a store being served; `run` keeps them current until it is cancelled, `close` after."""

    def __init__(self, directory: Path, owner: OwnerClient, ledger: Ledger, profiles: Profiles) -> None:
        self._directory, self._owner, self._ledger, self._profiles = directory, owner, ledger, profiles
        self._path = directory / "verdicts" / "verdicts.db"
        self._db = open_database(self._path)
        self._pool: WorkerPool | None = None
        self._wake = asyncio.Event()
        self._told: tuple[tuple[int, int], ...] = ()
        self._at = self._said = -1
        self._failing = ""
        self._fresh = True

    def wake(self) -> None:
        """Say that the ledger has grown, or profiles are used otherwise."""
        self._wake.set()

    # -- keeping them current -----------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Follow the store for ever; a failure is told by `status`, and tried again."""
        failures = 0
        await asyncio.sleep(_START)
        self._pool = WorkerPool(_MEMORY, most=1, keep=1, modules=(_KEEPER,))
        while True:
            self._wake.clear()
            try:
                if not await self._follow(self._pool, careful=failures > 0):
                    self._wake.set()
                failures, self._failing = 0, ""
                await self._wait()
            except Busy:  # the owner is starting again, or the server is shutting down
                await asyncio.sleep(_PAUSE)
            except (JobTimeout, JobCrash, ProvStoreError, sqlite3.Error) as error:
                failures += 1
                self._failing = str(error) or type(error).__name__
                await asyncio.sleep(min(_PAUSE * failures, _MOST_PAUSE))

    async def _wait(self) -> None:
        """Until there is something to do, and then until it is all there, if that does not take too long."""
        with contextlib.suppress(TimeoutError):  # now and then without a reason: the owner may be another one
            await asyncio.wait_for(self._wake.wait(), _IDLE)
        loop = asyncio.get_running_loop()
        until = loop.time() + _LONGEST
        while loop.time() < until:
            self._wake.clear()
            try:
                await asyncio.wait_for(self._wake.wait(), _SETTLED)
            except TimeoutError:
                return

    async def _follow(self, pool: WorkerPool, *, careful: bool) -> bool:
        """One round: up to the newest copy of the store, whole, and told; whether that is all there is to do."""
        if not self._profiles.on() and self._is_empty():
            await self._owner.follow(-1)
            return True
        if self._fresh:  # what changes from here on is kept, before the first copy is asked for
            await self._owner.follow(self._known() if self._known() >= 0 else -1)
        snapshot = await self._owner.snapshot(-1)
        while True:
            await self._give_way(snapshot.index)
            profiles = tuple(self._profiles.on())
            job = Step(
                str(self._directory),
                self._ledger.base,
                self._profiles.registry,
                profiles,
                snapshot.path,
                snapshot.index,
                self._told,
                careful,
                self._fresh,
            )
            done: Done = await pool.run(f"{_KEEPER}:step", job, _SECONDS)
            self._told, self._fresh = (), False
            if done.say:
                await self._owner.restate(done.say, None)
                self._told = done.told
            if done.at != self._at:
                await self._owner.follow(done.at)
                self._at = done.at
            if done.finished and not done.say:
                if self._said != done.at or done.compared:
                    await self._owner.restate({}, done.at)
                    self._said = done.at
                return done.at >= self._ledger.head and tuple(self._profiles.on()) == profiles

    async def _give_way(self, index: int) -> None:
        """Leave the machine to the views while they are behind the ledger, for a while; a copy holds the index."""
        loop = asyncio.get_running_loop()
        until = loop.time() + _LONGEST
        applied = self._owner.applied
        while self._ledger.head - applied > _BEHIND and loop.time() < until:
            known = self._known()
            applied = await self._owner.follow(
                known if known >= 0 else index
            )  # answered when there is time, or after a second

    def _is_empty(self) -> bool:
        sql = "SELECT EXISTS (SELECT 1 FROM profile) OR EXISTS (SELECT 1 FROM untold)"
        (held,) = self._db.execute(sql).fetchone()
        return not held

    def _known(self) -> int:
        row = self._db.execute("SELECT value FROM meta WHERE key = 'at'").fetchone()
        return -1 if row is None else int(row[0])

    # -- what is known ------------------------------------------------------------------------------------------------

    def status(self) -> dict[str, Any]:
        """What `/health` says: the index that verdicts stand at, how many entries they lag, what keeps them.

        `graph` is the index that the graph of verdicts stands at.
        """
        (at,) = self._db.execute("SELECT COALESCE(MIN(COALESCE(at, -1)), -1) FROM profile").fetchone()
        lag = self._ledger.head - at if self._profiles.on() else 0
        said: dict[str, Any] = {"at": at, "lag": lag, "graph": self._said}
        return {**said, "failing": self._failing} if self._failing else said

    def of(self, iri: str) -> list[tuple[Judged, list[dict[str, Any]]]]:
        """What each profile says of a thing, and everything it found; empty for what none looks at."""
        sql = (
            "SELECT v.profile, v.conforms, v.severity, v.count, v.kind, v.at, v.thing FROM verdict v"
            " JOIN thing t ON t.id = v.thing WHERE t.term = ? ORDER BY v.profile"
        )
        rows = self._db.execute(sql, (f"<{iri}>",)).fetchall()
        return [(_judged(*row[:6]), _results(self._db, row[6], row[0])) for row in rows]

    async def overall(self) -> list[Overall]:
        """How the things stand with each profile in use, by name."""
        return await asyncio.to_thread(self._read, _overall)

    async def listed(self, wanted: Wanted) -> list[Listed]:
        """Things as they were asked for, those that came last first."""
        return await asyncio.to_thread(self._read, lambda db: _listed(db, wanted))

    def _read(self, what: Callable[[sqlite3.Connection], T]) -> T:
        """What takes its time, by a connection of its own."""
        with contextlib.closing(sqlite3.connect(f"{self._path.absolute().as_uri()}?mode=ro", uri=True)) as db:
            return what(db)

    def close(self) -> None:
        if self._pool is not None:
            self._pool.close()
        self._db.close()


def _overall(db: sqlite3.Connection) -> list[Overall]:
    rows = db.execute("SELECT profile, at, done, total FROM profile ORDER BY profile").fetchall()
    return [_of_profile(db, profile, at, done / max(1, total)) for profile, at, done, total in rows]


def _of_profile(db: sqlite3.Connection, profile: str, at: int | None, looked: float) -> Overall:
    sql = "SELECT state, severity, kind, n FROM tally WHERE profile = ? AND n > 0"
    counts = {(state, grave, kind): n for state, grave, kind, n in db.execute(sql, (profile,))}
    sql = (
        "SELECT r.rule, r.severity, r.message, r.clause, t.n FROM tally_rule t JOIN rule r USING (profile, rule)"
        " WHERE t.profile = ? AND t.n > 0"
    )
    rules = [FoundIn(*row) for row in db.execute(sql, (profile,))]
    rules.sort(key=lambda each: (SEVERITIES.index(each.severity), -each.things, each.rule))
    return Overall(profile, at, looked, counts, tuple(rules))


def _listed(db: sqlite3.Connection, wanted: Wanted) -> list[Listed]:
    conditions = dict(_conditions(wanted))
    by = "found f CROSS JOIN verdict v ON v.profile = f.profile AND v.thing = f.thing" if wanted.rule else "verdict v"
    first = "f" if wanted.rule else "v"  # the table that the list goes along
    sql = (
        f"SELECT v.thing, t.term, v.profile, v.conforms, v.severity, v.count, v.kind, v.at FROM {by}"
        f" JOIN thing t ON t.id = v.thing WHERE {first}.profile = ? AND {first}.thing < ? {' '.join(conditions)}"
        f" ORDER BY {first}.thing DESC LIMIT ?"
    )
    rows = db.execute(sql, [wanted.profile, wanted.before, *conditions.values(), wanted.limit]).fetchall()
    return [
        Listed(number, _told(term), _judged(*judged), _results(db, number, wanted.profile)[:_SHOWN])
        for number, term, *judged in rows
    ]


def _results(db: sqlite3.Connection, thing: int, profile: str) -> list[dict[str, Any]]:
    sql = "SELECT results FROM result WHERE thing = ? AND profile = ?"
    found = [each for (text,) in db.execute(sql, (thing, profile)) for each in json.loads(text)]
    return sorted(found, key=lambda each: (SEVERITIES.index(each["severity"]), each["shape"], each["path"]))


def _conditions(wanted: Wanted) -> Iterator[tuple[str, object]]:
    """The conditions of a list in SQL, each with its value."""
    if wanted.state:
        yield "AND v.conforms IS ?", next(conforms for conforms, name in STATES.items() if name == wanted.state)
    if wanted.severity:
        yield "AND v.severity = ?", SEVERITIES.index(wanted.severity)
    if wanted.kind:
        yield "AND v.kind = ?", wanted.kind
    if wanted.rule:
        yield (
            "AND EXISTS (SELECT 1 FROM found f WHERE f.profile = v.profile AND f.thing = v.thing AND f.rule = ?)",
            (wanted.rule),
        )


def _judged(profile: str, conforms: int | None, severity: int | None, count: int, kind: str, at: int) -> Judged:
    known = None if conforms is None else bool(conforms)
    return Judged(profile, known, "" if severity is None else SEVERITIES[severity], count, kind, at)


def _told(term: str) -> str:
    return term[1:-1] if term[0] == "<" else term
