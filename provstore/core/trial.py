"""A profile tried against a store before it is used: which records would newly violate it, rule by rule.

Records are looked at in workers, the newest first, until all are done or the time is up; nothing is kept.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from provstore.core.annotate import Annotator
from provstore.core.validate import Validator
from provstore.ledger.body import Body
from provstore.ledger.log import Ledger
from provstore.validation.results import conformity

SECONDS = 60.0
_LEAST_SECONDS = 10.0  # for a batch that was begun
_BATCH, _BATCH_BYTES = 16, 1 << 20
_FIRST = 5


@dataclass(slots=True)
class Found:
    """What one rule found: in how many records, in how many that newly violate, and where first (`_FIRST` at most)."""

    shape: str
    severity: str
    message: str
    records: int = 0
    newly: int = 0
    first: list[dict[str, Any]] = field(default_factory=list)


@dataclass(slots=True)
class Trial:
    """How the newest records stand with a profile.

    `against` is the version in use that "newly" is measured by; where it is empty, what violates violates newly.
    `complete` says whether all records that were asked for were looked at.
    """

    profile: str
    against: str
    records: int
    looked: int = 0
    conforming: int = 0
    violating: int = 0
    newly: int = 0
    failed: int = 0
    complete: bool = False
    rules: dict[str, Found] = field(default_factory=dict)

    def json(self) -> dict[str, Any]:
        """All of it, the rules by how many records newly violate them."""
        rules = sorted(self.rules.values(), key=lambda each: (-each.newly, -each.records, each.shape))
        said = ("profile", "against", "records", "looked", "complete", "conforming", "violating", "newly", "failed")
        return {
            **{name: getattr(self, name) for name in said},
            "rules": [{name: getattr(each, name) for name in each.__dataclass_fields__} for each in rules],
        }


async def tried(
    validator: Validator,
    ledger: Ledger,
    annotator: Annotator | None,
    profile: str,
    against: str,
    last: int | None,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> Trial:
    """A profile tried on all records, or the `last` ones.

    The verdicts of the version in use are those that the annotator has; without one they are found as well.
    """
    head = ledger.head
    trial = Trial(profile, against, min(head, last) if last is not None else head)
    until = time.monotonic() + SECONDS
    for batch in _batches(ledger, head, trial.records):
        left = max(until - time.monotonic(), 0.0)
        if not left:
            return trial
        records = [quads for _, quads in batch]
        found = await validator.found(profile, records, max(left, _LEAST_SECONDS))
        known = await _known(validator, annotator, against, records, [body.index for body, _ in batch])
        for (body, _), results, violated in zip(batch, found, known, strict=True):
            _count(trial, body, results, violated)
        if progress:
            progress(trial.looked, trial.records)
    trial.complete = True
    return trial


async def _known(
    validator: Validator, annotator: Annotator | None, against: str, records: list[bytes], indices: list[int]
) -> list[bool]:
    """Whether each record violates the version in use already."""
    if not against:
        return [False for _ in records]
    if annotator:
        return [_violated(annotator, index, against) for index in indices]
    found = await validator.found(against, records, SECONDS)
    return [conformity(each["severity"] for each in results) is False for results in found]


def _batches(ledger: Ledger, head: int, count: int) -> Iterator[list[tuple[Body, bytes]]]:
    """The newest records with their statements, the last first."""
    batch: list[tuple[Body, bytes]] = []
    size = 0
    for index in range(head, head - count, -1):
        for body in ledger.bodies(index, index):
            quads = ledger.whole(body)
            batch.append((body, quads))
            size += len(quads)
        if len(batch) == _BATCH or size > _BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _count(trial: Trial, body: Body, results: list[dict[str, Any]], violated: bool) -> None:
    conforms = conformity(each["severity"] for each in results)
    trial.looked += 1
    trial.conforming += conforms is True
    trial.violating += conforms is False
    trial.failed += conforms is None
    newly = conforms is False and not violated
    trial.newly += newly
    for shape in dict.fromkeys(each["shape"] for each in results if each["shape"]):
        mine = [each for each in results if each["shape"] == shape]
        rule = trial.rules.setdefault(shape, Found(shape, mine[0]["severity"], mine[0]["message"]))
        rule.records += 1
        rule.newly += newly and rule.severity == "MUST"
        if len(rule.first) < _FIRST and (newly or rule.severity != "MUST"):
            what = {name: mine[0][name] for name in ("focus", "path", "value")}
            rule.first.append({"index": body.index, "record": body.record, **what})


def _violated(annotator: Annotator, index: int, against: str) -> bool:
    return any(each["profile"] == against and each["conforms"] is False for each in annotator.results(index))
