"""Aliases: each span of time in which a name stood for a version, as an assignment that begins and may end.

MLflow does not tell who gave or took an alias; where nobody is named, nobody is associated.
"""

from __future__ import annotations

from typing import Any

from provstore import iris, rdf, times
from provstore.capture.draft import Draft
from provstore.capture.mlflow import names
from provstore.vocab import DCT, PROV, PS

Object = dict[str, Any]


def alias(draft: Draft, server: str) -> None:
    """Every assignment of an alias that is known, in the order of the payload's history."""
    name, title = draft.text(draft.value, "name"), draft.text(draft.value, "alias")
    model = names.registered_model(draft, server, name)
    draft.head(None, model)
    before = ""
    for where, change in draft.objects(draft.value, "history"):
        version = draft.words(change, "version", where)
        mark = _mark(draft, change, where)
        activity = f"{model[:-1]}/alias/{iris.enc(title)}/change/{mark}>"
        _activity(draft, activity, change, where)
        if before:
            _end(draft, before, activity, change, where)
        before = _begin(draft, server, (model, name, title, version), activity, change, mark, where) if version else ""


def _mark(draft: Draft, change: Object, where: str) -> str:
    """What tells a change from others of the alias: its instant, or that by which it was seen."""
    sent = draft.words(change, "at", where) or draft.text(change, "before", where)
    try:
        return iris.enc(times.lexical(times.key(sent)[0]))
    except ValueError:
        draft.refuse("'at' or 'before' must be an ISO 8601 date-time", sent, where)


def _activity(draft: Draft, activity: str, change: Object, where: str) -> None:
    draft.type(activity, PROV.Activity)
    at = draft.instant(change, "at", where)
    draft.span(activity, at, at)
    if who := draft.words(change, "by", where):
        draft.associate(activity, draft.agent("person", who, who))


def _begin(
    draft: Draft,
    server: str,
    of: tuple[str, str, str, str],
    activity: str,
    change: Object,
    mark: str,
    where: str,
) -> str:
    model, name, title, version = of
    node = f"{model[:-1]}/alias/{iris.enc(title)}/{mark}>"
    target = names.model_version(draft, server, name, version)
    draft.type(node, PROV.Entity, PS.AliasAssignment)
    draft.say(node, PS.alias, rdf.literal(title))
    draft.say(node, PS.assigns, target)
    draft.say(node, DCT.title, rdf.literal(f"{name} {version} is {title}"))
    draft.derive(node, [target])
    draft.use(activity, target)
    draft.say(node, PROV.wasGeneratedBy, activity)
    if at := draft.instant(change, "at", where):
        draft.say(node, PROV.generatedAtTime, at)
    else:
        _between(draft, node, (PROV.qualifiedGeneration, PROV.Generation, "generation"), activity, change, where)
    return node


def _end(draft: Draft, node: str, activity: str, change: Object, where: str) -> None:
    draft.say(node, PROV.wasInvalidatedBy, activity)
    if at := draft.instant(change, "at", where):
        draft.say(node, PROV.invalidatedAtTime, at)
    else:
        _between(draft, node, (PROV.qualifiedInvalidation, PROV.Invalidation, "invalidation"), activity, change, where)


def _between(draft: Draft, node: str, form: tuple[str, str, str], activity: str, change: Object, where: str) -> None:
    """That it happened between two looks, at an instant that nobody saw."""
    link, kind, name = form
    event = f"{node[:-1]}#{name}>"
    draft.say(node, link, event)
    draft.type(event, kind)
    draft.say(event, PROV.activity, activity)
    for member, predicate in (("after", PS.earliest), ("before", PS.latest)):
        if at := draft.instant(change, member, where):
            draft.say(event, predicate, at)
