"""How metrics went: beside the last value of each its step, the lowest, the highest, and how many there were."""

from __future__ import annotations

from typing import Any

from provstore import iris, rdf
from provstore.capture.draft import Draft
from provstore.capture.mlflow import names
from provstore.vocab import DQV, PROV, PS

Object = dict[str, Any]


def histories(draft: Draft, server: str) -> None:
    """Of the metrics of a run that were logged by steps; their last values are told by the run's own state."""
    node = draft.run(draft.text(draft.value, "run_id"), pointer="/run_id")[1]
    draft.head(None, node)
    for where, each in draft.objects(draft.value, "metrics"):
        name = draft.words(each, "key", where)
        if not name:
            draft.note(where, "ignored: a metric has a name")
            continue
        measurement = f"{node[:-1]}#measurement/{iris.enc(name)}>"
        draft.type(measurement, PROV.Entity, DQV.QualityMeasurement)
        whole(draft, measurement, PS.step, draft.object(each, "last", where), "step")
        course(draft, measurement, each, where)


def course(draft: Draft, measurement: str, said: Object, where: str) -> None:
    """How many values were measured, and the lowest and the highest of them."""
    whole(draft, measurement, PS.valueCount, said, "count")
    if said.get("more") is True:
        draft.note(where, "there are more values than were looked at")
    for member, predicate in (("lowest", PS.lowest), ("highest", PS.highest)):
        if member in said:
            _extreme(draft, measurement, member, predicate, draft.object(said, member, where), f"{where}/{member}")


def _extreme(draft: Draft, measurement: str, member: str, predicate: str, said: Object, where: str) -> None:
    value = names.number(said.get("value"))
    if value is None:
        draft.note(where, "ignored: a value is a number")
        return
    node = f"{measurement[:-1]}/{member}>"
    draft.say(measurement, predicate, node)
    draft.type(node, PROV.Entity)
    draft.say(node, DQV.value, value)
    whole(draft, node, PS.step, said, "step")
    if at := draft.instant(said, "timestamp", where):
        draft.say(node, PROV.generatedAtTime, at)


def whole(draft: Draft, node: str, predicate: str, holder: Object, member: str) -> None:
    """Say a whole number, where it is one."""
    if type(found := holder.get(member)) is int:
        draft.say(node, predicate, rdf.integer(found))
