"""Validation after the acknowledgement: every record against the profiles that annotate, in the background.

Results stand in `validation.db`, which may be deleted: it is made again. The backlog is what the ledger has beyond
the last index validated.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
from pathlib import Path
from typing import Any

from provstore.errors import ProvStoreError
from provstore.ledger.log import Ledger
from provstore.model import Mapped
from provstore.security.pool import JobCrash, JobTimeout, WorkerPool

_SECONDS = 60.0
_MEMORY = 2 << 30
_JOB = "provstore.validation.shacl:job"


class Annotator:
    """Works through the ledger in order, one record at a time, in a worker of its own."""

    def __init__(self, path: Path, ledger: Ledger, profiles: list[str]) -> None:
        self._ledger, self._profiles = ledger, profiles
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS result(idx INTEGER, profile TEXT, conforms INTEGER, results TEXT,"
            " PRIMARY KEY(idx, profile)) WITHOUT ROWID"
        )
        self._pool = WorkerPool(_MEMORY, most=1, keep=1, modules=("provstore.validation.shacl",))
        self._wake = asyncio.Event()
        (last,) = self._db.execute("SELECT MAX(idx) FROM result").fetchone()
        self._done = last or 0

    def wake(self) -> None:
        """Say that the ledger has grown."""
        self._wake.set()

    async def run(self) -> None:
        """Validate for ever; cancelled at the end."""
        while self._profiles:
            self._wake.clear()
            while self._done < self._ledger.head:
                for body in self._ledger.bodies(self._done + 1, self._done + 1):
                    quads = b"".join([body.quads, *(self._ledger.content(iri) for iri in body.contents)])
                    for profile in self._profiles:
                        self._keep(body.index, profile, await self._results(profile, quads))
                self._done += 1
            await self._wake.wait()

    async def validate(self, profile: str, mapped: Mapped) -> list[dict[str, Any]]:
        """The results of one record that is not committed yet."""
        return await self._results(profile, b"".join([mapped.quads, *(c.quads for c in mapped.contents)]))

    async def _results(self, profile: str, quads: bytes) -> list[dict[str, Any]]:
        try:
            found: list[dict[str, Any]] = await self._pool.run(_JOB, (profile, quads), _SECONDS)
            return found
        except (JobTimeout, JobCrash, ProvStoreError) as error:
            message = f"validation did not finish: {error or type(error).__name__}"
            return [{"severity": "ERROR", "message": message, "shape": "", "focus": "", "path": ""}]

    def _keep(self, index: int, profile: str, results: list[dict[str, Any]]) -> None:
        conforms = int(not any(r["severity"] in ("MUST", "ERROR") for r in results))
        row = (index, profile, conforms, json.dumps(results))
        self._db.execute("INSERT OR REPLACE INTO result VALUES (?, ?, ?, ?)", row)

    def results(self, index: int) -> list[dict[str, Any]]:
        """Per profile, whether the record at an index conforms and why not; empty while it waits."""
        rows = self._db.execute("SELECT profile, conforms, results FROM result WHERE idx = ?", (index,))
        return [{"profile": p, "conforms": bool(c), "results": json.loads(r)} for p, c, r in rows]

    def backlog(self) -> dict[str, int]:
        """How many entries wait, and how many of those validated conform or do not."""
        counts = dict(self._db.execute("SELECT conforms, COUNT(*) FROM result GROUP BY conforms").fetchall())
        waiting = self._ledger.head - self._done if self._profiles else 0
        return {"waiting": waiting, "conforming": counts.get(1, 0), "violating": counts.get(0, 0)}

    def close(self) -> None:
        self._pool.close()
        self._db.close()
