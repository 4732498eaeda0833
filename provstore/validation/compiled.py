"""Validation of a whole store: one query per constraint, run on threads, with results as they are found.

What a query finds are results; only for those of nested shapes (for their details) and of queries that cannot be asked
of all focus nodes at once do the closures decide, node by node. The results are those of the closures over `StoreData`.
"""

from __future__ import annotations

import itertools
import queue
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import TypeAlias

from provstore.errors import QueryTooExpensive
from provstore.validation.closures import ValidationResult
from provstore.validation.findings import Findings, detached
from provstore.validation.graph import Graph
from provstore.validation.plans import Check, Planner
from provstore.validation.shapes import Shapes
from provstore.validation.stored import Store, StoreData, StoredValidator

LIMIT = 1000
_BATCH, _WAITING, _TICK = 200, 64, 0.2


@dataclass(frozen=True, slots=True)
class Checked:
    """A constraint has been held against the whole store: the `done`-th of `total`.

    `found` are its results that were given, `more` those that were left out over the limit: counted where each row of
    the query is one, None where there are some and nobody counted.
    """

    done: int
    total: int
    check: Check
    found: int
    more: int | None

    @property
    def truncated(self) -> bool:
        return self.more != 0


class StoreValidation:
    """The shapes of a graph planned for a store, which is not to be written to while it is validated.

    Records in named graphs beside the default graph are not looked at, unless it is the `union` of all graphs that is
    validated. `classes` holds subclass statements that count as if they were in the store.
    """

    def __init__(self, shapes: Shapes, store: Store, *, union: bool = False, classes: Graph | None = None) -> None:
        self.data = StoreData(store, union=union, classes=classes)
        self.validator = StoredValidator(shapes)
        self.checks = tuple(Planner(shapes, self.data).checks())

    def run(
        self, *, threads: int = 2, limit: int = LIMIT, seconds: float | None = None
    ) -> Generator[ValidationResult | Checked, None, None]:
        """Results in the order they are found, and a `Checked` after those of each constraint.

        At most `limit` results a constraint; few are held at a time. QueryTooExpensive when `seconds` are over: a query
        that is running then goes on to its end in the background, and its results are dropped. InvalidInput where a
        query of the shapes fails.
        """
        return _Run(self, limit, seconds).events(threads)

    def results(self, *, threads: int = 2, limit: int = LIMIT) -> Iterator[ValidationResult]:
        """The results alone."""
        return (event for event in self.run(threads=threads, limit=limit) if isinstance(event, ValidationResult))

    def conforms(self, *, threads: int = 2, seconds: float | None = None) -> bool:
        """Whether there is no result, told at the first."""
        with closing(_Run(self, 0, seconds).events(threads)) as events:
            return not any(isinstance(event, Checked) and event.truncated for event in events)


_Event: TypeAlias = "ValidationResult | Checked"


class _Run:
    """One validation: workers take checks and put what they find in a queue, from which the caller is served."""

    def __init__(self, validation: StoreValidation, limit: int, seconds: float | None) -> None:
        self._checks, self._limit = validation.checks, limit
        self._until = None if seconds is None else time.monotonic() + seconds
        self._seconds = seconds
        self._waiting: queue.Queue[list[_Event] | Exception] = queue.Queue(_WAITING)
        self._stopped = threading.Event()
        self._findings = Findings(validation.data, validation.validator, self._stopped)
        self._next = iter(self._checks)
        self._done = itertools.count(1)
        self._lock = threading.Lock()

    def events(self, threads: int) -> Generator[_Event, None, None]:
        left = len(self._checks)
        for _ in range(min(max(threads, 1), left)):
            threading.Thread(target=self._work, daemon=True).start()
        try:
            while left:
                found = self._waited()
                if isinstance(found, Exception):
                    raise found
                yield from found
                left -= isinstance(found[-1], Checked)
        finally:
            self._stopped.set()

    def _waited(self) -> list[_Event] | Exception:
        while True:
            over = self._until is not None and time.monotonic() > self._until
            try:
                if not over:
                    return self._waiting.get(timeout=_TICK)
            except queue.Empty:
                continue
            raise QueryTooExpensive(f"the store was not validated within {self._seconds:g} seconds")

    # --- the workers -------------------------------------------------------------------------------------------------

    def _work(self) -> None:
        try:
            while (check := self._taken()) is not None:
                self._checked(check)
        except Exception as error:  # raised where the caller is
            self._put(detached(error))

    def _taken(self) -> Check | None:
        with self._lock:
            return None if self._stopped.is_set() else next(self._next, None)

    def _put(self, found: list[_Event] | Exception) -> None:
        while not self._stopped.is_set():
            try:
                return self._waiting.put(found, timeout=_TICK)
            except queue.Full:
                continue

    def _checked(self, check: Check) -> None:
        found, more = 0, 0
        unknown = False
        batch: list[_Event] = []
        for query in check.queries:
            made = self._findings.results(check, query, first=not self._limit)
            for result in made:
                if self._stopped.is_set():
                    return
                if found < self._limit:
                    found += 1
                    batch.append(result)
                    if len(batch) == _BATCH:
                        self._put(batch)
                        batch = []
                elif query.decided and self._limit:
                    more += 1 + sum(1 for _ in made)
                else:
                    more, unknown = more + 1, True
                    break
        with self._lock:
            done = Checked(next(self._done), len(self._checks), check, found, None if unknown else more)
        self._put([*batch, done])
