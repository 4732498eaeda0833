"""Validation after the acknowledgement: every record against the profiles that annotate, in the background.

Results stand in `validation.db`, which may be deleted: it is made again. A profile's backlog is what the ledger has
beyond the last index it has looked at, and, once after each start, what it could not look at before.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections import Counter
from pathlib import Path
from typing import Any

from provstore.core.validate import conformity, failed
from provstore.errors import Busy, ProvStoreError
from provstore.ledger.log import Ledger
from provstore.model import Mapped
from provstore.security.pool import JobCrash, JobTimeout, WorkerPool

_SECONDS = 60.0
_MEMORY = 2 << 30
_JOB = "provstore.validation.shacl:job"
#: What `result.conforms` means; NULL where the validation itself failed, which says nothing about the record.
_STATES: dict[bool | None, str] = {True: "conforming", False: "violating", None: "failed"}


class Annotator:
    """Works through the ledger in order, one record at a time, in a worker of its own."""

    def __init__(self, path: Path, ledger: Ledger, profiles: list[str]) -> None:
        self._ledger, self._profiles = ledger, profiles
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")  # what a power cut takes is validated again
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS result(idx INTEGER, profile TEXT, conforms INTEGER, results TEXT,"
            " PRIMARY KEY(idx, profile)) WITHOUT ROWID"
        )
        self._pool = WorkerPool(_MEMORY, most=1, keep=1, modules=("provstore.validation.shacl",))
        self._wake = asyncio.Event()
        self._done = {name: self._last(name) for name in profiles}
        rows = self._db.execute("SELECT conforms, COUNT(*) FROM result GROUP BY conforms")
        self._counts = Counter({_STATES[conforms]: count for conforms, count in rows})

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
        while self._profiles:
            self._wake.clear()
            while self._done[behind := min(self._done, key=self._done.__getitem__)] < self._ledger.head:
                await self._look(self._done[behind] + 1, behind)
                self._done[behind] += 1
            await self._wake.wait()

    async def _look(self, index: int, profile: str) -> None:
        try:
            for body in self._ledger.bodies(index, index):
                quads = b"".join([body.quads, *(self._ledger.content(iri) for iri in body.contents)])
                self._keep(index, profile, await self._results(profile, quads))
        except ProvStoreError as error:  # a record that cannot be read must not keep the others waiting
            self._keep(index, profile, failed(error))

    async def validate(self, profile: str, mapped: Mapped) -> list[dict[str, Any]]:
        """The results of one record that is not committed yet; Busy where nobody can look at it now."""
        quads = b"".join([mapped.quads, *(c.quads for c in mapped.contents)])
        return await self._results(profile, quads, patient=False)

    async def _results(self, profile: str, quads: bytes, *, patient: bool = True) -> list[dict[str, Any]]:
        try:
            found: list[dict[str, Any]] = await self._pool.run(_JOB, (profile, quads), _SECONDS)
            return found
        except (JobTimeout, JobCrash, ProvStoreError) as error:
            if isinstance(error, Busy) and not patient:
                raise
            return failed(error)

    def _keep(self, index: int, profile: str, results: list[dict[str, Any]]) -> None:
        conforms = conformity(results)
        before = self._db.execute(
            "SELECT conforms FROM result WHERE idx = ? AND profile = ?", (index, profile)
        ).fetchone()
        row = (index, profile, conforms, json.dumps(results))
        self._db.execute("INSERT OR REPLACE INTO result VALUES (?, ?, ?, ?)", row)
        if before:
            self._counts[_STATES[before[0]]] -= 1
        self._counts[_STATES[conforms]] += 1

    def results(self, index: int) -> list[dict[str, Any]]:
        """Per profile, whether the record at an index conforms (None: not known) and why not; empty while it waits."""
        rows = self._db.execute("SELECT profile, conforms, results FROM result WHERE idx = ?", (index,))
        return [
            {"profile": p, "conforms": None if c is None else bool(c), "results": json.loads(r)} for p, c, r in rows
        ]

    def backlog(self) -> dict[str, int]:
        """How many validations wait, and how many found a record conforming, violating, or failed themselves."""
        waiting = sum(self._ledger.head - done for done in self._done.values())
        return {"waiting": waiting, **{name: self._counts[name] for name in _STATES.values()}}

    def close(self) -> None:
        self._pool.close()
        self._db.close()
