"""Validation without storing: what would be said of a payload if it were taken in, and nothing is kept.

A payload is read and mapped as on the way in, then each profile is asked, all in workers that can be killed.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

from provstore.capture.payloads import Limits
from provstore.core import intake
from provstore.core.intake import Body, Item
from provstore.core.profiles import Profiles
from provstore.errors import Busy, InvalidInput, Misconfigured, ProvStoreError, TooLarge
from provstore.model import Mapped
from provstore.security.pool import JobCrash, JobTimeout, WorkerPool
from provstore.settings import Settings
from provstore.validation.profiles import Profile, Upload

_SHACL, _DESCRIBED, _LINT = (f"provstore.validation.{name}" for name in ("shacl", "described", "lint"))
#: How long one payload may take, and how long all payloads of one body may.
_SECONDS, _ALL_SECONDS = 60.0, 60.0
_LINT_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Judged:
    """What a profile says of a payload; `conforms` is None where the validation itself failed.

    `report` is the same as a SHACL validation report in Turtle, empty where there is none.
    """

    profile: str
    conforms: bool | None
    results: list[dict[str, Any]]
    report: str


@dataclass(frozen=True, slots=True)
class Checked:
    """One payload: the record it would be and what each profile says, or the error that kept it from being read."""

    where: dict[str, Any]
    record: str | None
    error: ProvStoreError | None
    profiles: tuple[Judged, ...]

    @property
    def conforms(self) -> bool | None:
        """False where any profile is violated, else None where something is not known."""
        found = [each.conforms for each in self.profiles]
        return False if False in found else None if self.error or None in found else True

    def json(self) -> dict[str, Any]:
        """The payload's place, verdict and results."""
        if self.error:
            return {**self.where, "conforms": None, "problem": self.error.problem()}
        judged = [{"profile": p.profile, "conforms": p.conforms, "results": p.results} for p in self.profiles]
        return {**self.where, "record": self.record, "conforms": self.conforms, "profiles": judged}


def overall(checked: Sequence[Checked]) -> bool | None:
    """The verdict on all: False where anything is violated, else None where something is not known."""
    found = [each.conforms for each in checked]
    return False if False in found else None if None in found else True


def turtle(checked: Sequence[Checked]) -> str:
    """The validation reports of all (SHACL §3.6), one after the other; what has none is a comment."""
    parts = []
    for each in checked:
        parts += [f"# not read: {' '.join(str(each.error).split())}\n"] if each.error else []
        parts += [
            judged.report or f"# {judged.profile}: {' '.join(judged.results[0]['message'].split())}\n"
            for judged in each.profiles
        ]
    return "\n".join(parts)


class Validator:
    """Validates bodies for a store of some id base, or for none; `close` after use.

    Its workers are started when it is first asked.
    """

    def __init__(self, settings: Settings, profiles: Profiles, base: str, limits: Limits, *, most: int = 1) -> None:
        self._memory, self._read_seconds = settings.query_memory_bytes, settings.rdf_timeout_seconds
        self._profiles, self._base, self._limits, self._most = profiles, base, limits, most
        self._pool: WorkerPool | None = None
        self._described: dict[str, Profile] = {}

    def profiles(self, named: Sequence[str] = ()) -> list[str]:
        """The versions of these names, or else those that are on; NotFound, Misconfigured where there are none."""
        wanted = list(dict.fromkeys(map(self._profiles.named, named))) or self._profiles.on()
        if not wanted:
            known = ", ".join(self._profiles.registry.names())
            raise Misconfigured(f"the setting 'profiles' has none on: name one of {known}")
        return wanted

    async def described(self, token: str) -> Profile:
        """What a version of a profile says of itself."""
        if token not in self._described:
            task = (self._profiles.registry, token)
            self._described[token] = await self._workers().run(f"{_DESCRIBED}:job", task, _SECONDS)
        return self._described[token]

    async def lint(self, upload: Upload) -> list[dict[str, Any]]:
        """What is wrong with shapes that are to be published; InvalidInput, TooLarge where they cannot be read."""
        with intake.in_worker(_LINT_SECONDS):
            found: list[dict[str, Any]] = await self._workers().run(f"{_LINT}:job", upload, _LINT_SECONDS)
            return found

    async def check(
        self, data: bytes, media_type: str, encoding: str | None, profiles: Sequence[str]
    ) -> AsyncIterator[tuple[Checked, int]]:
        """Each payload of a body as it is done, and how many there are.

        Raises what keeps the body as a whole from being read: InvalidInput, TooLarge, UnsupportedMedia.
        """
        items = await self._read(Body(data, media_type, encoding, self._base, self._limits))
        for item in items:
            if item.mapped is None:
                yield (
                    Checked(item.where, None, item.error or InvalidInput("the payload was not mapped"), ()),
                    len(items),
                )
            else:
                judged = [await self._judged(profile, item.mapped) for profile in profiles]
                yield Checked(item.where, item.mapped.record, None, tuple(judged)), len(items)

    async def check_all(
        self, data: bytes, media_type: str, encoding: str | None, profiles: Sequence[str]
    ) -> list[Checked]:
        """As `check`, whole; TooLarge where it would take longer than a minute."""
        found: list[Checked] = []
        until = time.monotonic() + _ALL_SECONDS
        async for checked, total in self.check(data, media_type, encoding, profiles):
            found.append(checked)
            if len(found) < total and time.monotonic() > until:
                raise TooLarge(f"validating {len(found)} payloads took {_ALL_SECONDS:g} s: send fewer than {total}")
        return found

    async def _read(self, body: Body) -> list[Item]:
        if not intake.is_rdf(body.media_type):
            if intake.is_small(body):
                return intake.read_events(body)
            with intake.in_worker(_SECONDS):
                items: list[Item] = await self._workers().run("provstore.core.intake:read_events", body, _SECONDS)
                return items
        with intake.in_worker(self._read_seconds):
            target = "provstore.core.intake:read_document"
            return [await self._workers().run(target, body, self._read_seconds)]

    async def _judged(self, profile: str, mapped: Mapped) -> Judged:
        quads = b"".join([mapped.quads, *(content.quads for content in mapped.contents)])
        try:
            results, report = await self._workers().run(
                f"{_SHACL}:told", (self._profiles.registry, profile, quads), _SECONDS
            )
        except Busy:
            raise
        except (JobTimeout, JobCrash, ProvStoreError) as error:
            results, report = failed(error), ""
        return Judged(profile, conformity(results), results, report)

    def _workers(self) -> WorkerPool:
        if self._pool is None:
            modules = ("provstore.core.intake", _SHACL)
            self._pool = WorkerPool(self._memory, most=self._most, keep=1, modules=modules)
        return self._pool

    def close(self) -> None:
        if self._pool is not None:
            self._pool.close()


def failed(error: Exception) -> list[dict[str, Any]]:
    """The results of a validation that did not finish."""
    message = f"validation did not finish: {str(error) or type(error).__name__}"
    return [{"severity": "ERROR", "message": message, "shape": "", "focus": "", "path": ""}]


def conformity(results: list[dict[str, Any]]) -> bool | None:
    """Whether what was found leaves a record conforming; None where the validation failed, unless it found a MUST."""
    severities = {result["severity"] for result in results}
    if "MUST" in severities:
        return False
    return None if "ERROR" in severities else True
