"""Validation without storing: what would be said of a payload if it were taken in, and nothing is kept.

A payload is read and mapped as on the way in, then each profile is asked, all in workers that can be killed.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from typing import Any

from provstore.capture.payloads import Limits
from provstore.core import intake, locate
from provstore.core.intake import Body, Item
from provstore.core.profiles import Profiles
from provstore.errors import Busy, InvalidInput, ProvStoreError, TooLarge
from provstore.model import Location, Mapped
from provstore.security.pool import JobCrash, JobTimeout, WorkerPool
from provstore.settings import Settings
from provstore.validation.profiles import Profile, Rule, Upload
from provstore.validation.results import Judgement, Validation, Verdict, failed
from provstore.validation.tasks import ENGINES, Task

_CHECKING, _DESCRIBED, _LINT = (f"provstore.validation.{name}" for name in ("checking", "described", "lint"))
#: How long one payload may take, and how long all payloads of one body may.
_SECONDS, _ALL_SECONDS = 60.0, 60.0
_LINT_SECONDS = 30.0
_LOCATE, _LOCATE_SECONDS = "provstore.core.locate", 10.0


class Validator:
    """Validates bodies for a store of some id base, or for none; `close` after use.

    Its workers are started when it is first asked. `engine` is one of `checking.ENGINES`.
    """

    def __init__(
        self,
        settings: Settings,
        profiles: Profiles,
        base: str,
        limits: Limits,
        *,
        most: int = 1,
        engine: str = ENGINES[0],
    ) -> None:
        self._memory, self._read_seconds = settings.query_memory_bytes, settings.rdf_timeout_seconds
        self._profiles, self._base, self._limits, self._most = profiles, base, limits, most
        self._engine = engine
        self._pool: WorkerPool | None = None
        self._described: dict[str, Profile] = {}

    def profiles(self, named: Sequence[str] = ()) -> list[str]:
        """The versions of these names, or else those that are on; NotFound, Misconfigured where there are none."""
        return self._profiles.wanted(named)

    async def described(self, token: str) -> Profile:
        """What a version of a profile says of itself."""
        if token not in self._described:
            task = (self._profiles.registry, token)
            self._described[token] = await self._workers().run(f"{_DESCRIBED}:job", task, _SECONDS)
        return self._described[token]

    async def found(self, profile: str, records: list[bytes], seconds: float) -> list[list[dict[str, Any]]]:
        """What a profile finds in each of several records (N-Quads), as long as they take no longer than that."""
        try:
            task = (self._profiles.registry, profile, records)
            found: list[list[dict[str, Any]]] = await self._workers().run(f"{_CHECKING}:jobs", task, seconds)
            return found
        except Busy:
            raise
        except (JobTimeout, JobCrash, ProvStoreError) as error:
            return [[each.json() for each in failed(error, profile)] for _ in records]

    async def lint(self, upload: Upload) -> list[dict[str, Any]]:
        """What is wrong with shapes that are to be published; InvalidInput, TooLarge where they cannot be read."""
        with intake.in_worker(_LINT_SECONDS):
            found: list[dict[str, Any]] = await self._workers().run(f"{_LINT}:job", upload, _LINT_SECONDS)
            return found

    async def usable(self, token: str) -> None:
        """InvalidInput that says why, where the shapes of a version cannot be used."""
        with intake.in_worker(_LINT_SECONDS):
            await self._workers().run(f"{_CHECKING}:ready", (self._profiles.registry, token), _LINT_SECONDS)

    async def rules(self, profiles: Sequence[str]) -> dict[str, tuple[Rule, ...]]:
        """The rules of each of the versions, inherited ones included."""
        return {token: (await self.described(token)).rules for token in profiles}

    async def check(
        self, data: bytes, media_type: str, encoding: str | None, profiles: Sequence[str], file: str | None = None
    ) -> AsyncIterator[tuple[Verdict, int]]:
        """Each payload of a body as it is done, and how many there are; `file` is what locations call the body.

        Raises what keeps the body as a whole from being read: InvalidInput, TooLarge, UnsupportedMedia.
        """
        items = await self._read(Body(data, media_type, encoding, self._base, self._limits))
        for item in items:
            where = Location(file, **item.where)
            if item.mapped is None:
                error = item.error or InvalidInput("the payload was not mapped")
                yield Verdict(where, None, error), len(items)
            else:
                judged = [await self._judged(profile, item.mapped) for profile in profiles]
                located = await self._located(item, item.mapped, where, judged)
                yield Verdict(where, item.mapped.record, None, located), len(items)

    async def check_all(
        self, data: bytes, media_type: str, encoding: str | None, profiles: Sequence[str]
    ) -> Validation:
        """As `check`, whole; TooLarge where it would take longer than a minute."""
        found: list[Verdict] = []
        until = time.monotonic() + _ALL_SECONDS
        async for verdict, total in self.check(data, media_type, encoding, profiles):
            found.append(verdict)
            if len(found) < total and time.monotonic() > until:
                raise TooLarge(f"validating {len(found)} payloads took {_ALL_SECONDS:g} s: send fewer than {total}")
        return Validation(await self.rules(profiles), found)

    async def _read(self, body: Body) -> list[Item]:
        if not intake.is_rdf(body.media_type):
            if intake.is_small(body):
                return intake.read_payloads(body)
            with intake.in_worker(_SECONDS):
                items: list[Item] = await self._workers().run("provstore.core.intake:read_payloads", body, _SECONDS)
                return items
        with intake.in_worker(self._read_seconds):
            target = "provstore.core.intake:read_document"
            return [await self._workers().run(target, body, self._read_seconds)]

    async def _judged(self, profile: str, mapped: Mapped) -> Judgement:
        try:
            task = Task(self._profiles.registry, profile, mapped.whole, self._engine)
            results, report = await self._workers().run(f"{_CHECKING}:told", task, _SECONDS)
        except Busy:
            raise
        except (JobTimeout, JobCrash, ProvStoreError) as error:
            results, report = failed(error, profile), ""
        return Judgement.of(profile, results, report)

    async def _located(
        self, item: Item, mapped: Mapped, where: Location, judged: Sequence[Judgement]
    ) -> tuple[Judgement, ...]:
        """The results with their places, as far as they are found in little time; else that of the payload."""
        if not any(each.results for each in judged):
            return tuple(judged)
        task = locate.Task(item.payload, item.media_type, item.begins, where, mapped, self._base, tuple(judged))
        try:
            located: tuple[Judgement, ...] = await self._workers().run(f"{_LOCATE}:job", task, _LOCATE_SECONDS)
        except (JobTimeout, JobCrash, ProvStoreError):
            return locate.nowhere(task)
        return located

    def _workers(self) -> WorkerPool:
        if self._pool is None:
            modules = ("provstore.core.intake", _CHECKING, _LOCATE)
            self._pool = WorkerPool(self._memory, most=self._most, keep=1, modules=modules)
        return self._pool

    def close(self) -> None:
        if self._pool is not None:
            self._pool.close()
