"""OpenLineage events as records: RunEvent, JobEvent, DatasetEvent (spec 2-0-2 and everything before it)."""

from __future__ import annotations

from typing import Final

from provstore import rdf
from provstore.capture.facets import MAPPER, kind_of
from provstore.capture.openlineage.declared import dataset_event, job_event
from provstore.capture.openlineage.event import Event
from provstore.capture.openlineage.run import run_event
from provstore.errors import InvalidInput, Unmappable
from provstore.model import Mapped

__all__ = ["MAPPER", "VALUES", "map_event"]

#: Members of facets that may hold values of rows or of people: what failed, what was found, what a process was given.
VALUES: Final = frozenset(
    (
        *("errorMessage/message", "errorMessage/stackTrace", "errors/errorMessage", "errors/stackTrace"),
        *("assertions/actual", "tests/actual", "environmentVariables/value"),
    )
)


def map_event(value: object, *, base: str) -> Mapped:
    """One parsed event as a record and the contents of its facets, in order of their names.

    The kind is told by shape: `run` makes a RunEvent, `dataset` without `job` a DatasetEvent, all else is a JobEvent.
    The result depends on the event's members, not on their order. What had to be overlooked or assumed is in
    `liberties`. Unmappable, with a pointer, where time or identity is missing; InvalidInput where the event holds
    text that is not Unicode or is nested too deeply.
    """
    if not isinstance(value, dict):
        raise Unmappable(f"an event must be an object, got {kind_of(value)}", pointer="")
    event = Event(base, value)
    try:
        event.head()
        event.redactions()
        if value.get("run") is not None:
            run_event(event)
        elif value.get("dataset") is not None and value.get("job") is None:
            dataset_event(event)
        else:
            job_event(event)
        record, quads = rdf.seal(base, event.held)
    except UnicodeEncodeError as error:
        raise InvalidInput("the event holds half of a surrogate pair, which is no Unicode text", pointer="") from error
    except RecursionError as error:
        raise InvalidInput("the event is nested too deeply", pointer="") from error
    contents = tuple(event.contents[iri] for iri in sorted(event.contents))
    liberties = tuple(sorted(set(event.liberties), key=lambda each: (each.pointer, each.message)))
    return Mapped(record, quads, contents, MAPPER, liberties)
