"""The places of results in the payload that they are about; run in a worker, since payloads are what strangers send."""

from __future__ import annotations

from dataclasses import dataclass, replace

from provstore.capture.places import Places, places
from provstore.model import Location, Mapped
from provstore.validation.results import Fix, Judgement, Result


@dataclass(frozen=True, slots=True)
class Task:
    """A payload that was judged, where it stood in what was sent, and at which line and column it began."""

    payload: bytes
    media_type: str
    begins: tuple[int, int]
    where: Location
    mapped: Mapped
    base: str
    judged: tuple[Judgement, ...]


def job(task: Task) -> tuple[Judgement, ...]:
    """The judgements, every result of them with its place, and its fix in the words of the document."""
    mapped = task.mapped
    where = places(task.payload, task.media_type, mapped.record, task.base, mapped.whole)
    return tuple(
        replace(each, results=tuple(_located(result, task, where) for result in each.results)) for each in task.judged
    )


def nowhere(task: Task) -> tuple[Judgement, ...]:
    """The judgements, every result of them at the place of the whole payload."""
    return tuple(
        replace(each, results=tuple(replace(result, location=task.where) for result in each.results))
        for each in task.judged
    )


def _located(result: Result, task: Task, where: Places) -> Result:
    found = where.find(result.focus, result.path, result.value) if result.severity != "ERROR" else None
    fix = result.fix and Fix(where.rename(result.fix.add), where.rename(result.fix.remove))
    details = tuple(_located(each, task, where) for each in result.details)
    return replace(result, location=_placed(found, task) if found else task.where, fix=fix, details=details)


def _placed(found: Location, task: Task) -> Location:
    """A place in the payload as a place in what was sent."""
    line, column = found.line, found.column
    if line is not None:
        column = column if column is None or line > 1 else column + task.begins[1] - 1
        line += task.begins[0] - 1
    pointer = None if found.pointer is None else f"{task.where.pointer or ''}{found.pointer}"
    return Location(task.where.file, line, column, pointer)
