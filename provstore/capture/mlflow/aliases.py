"""Aliases: each span of time in which a name stood for a version, as an assignment that begins and may end.

MLflow does not tell who gave or took an alias; where nobody is named, nobody is associated.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from provstore import iris, rdf, times
from provstore.capture.draft import Draft
from provstore.capture.mlflow import names
from provstore.vocab import DCT, PROV, PS

Object = dict[str, Any]


def change(draft: Draft, server: str) -> None:
    """One change of an alias: which assignment it ended (the payload's `ends`, by its mark), and which it began."""
    ends = draft.value.get("ends")
    before = _mark(draft, ends, "/ends") if ends is not None else ""
    _change(draft, server, _Alias.of(draft, server), before, draft.required(draft.value, "change"), "/change")


def alias(draft: Draft, server: str) -> None:
    """Every assignment of an alias that is known, in the order of the payload's history."""
    of, before = _Alias.of(draft, server), ""
    for where, each in draft.objects(draft.value, "history"):
        before = _change(draft, server, of, before, each, where)


@dataclass(frozen=True, slots=True)
class _Alias:
    """An alias: the node of its model and what its own nodes begin with; its model's name and its own; which model."""

    model: str
    head: str
    name: str
    title: str
    since: str

    @classmethod
    def of(cls, draft: Draft, server: str) -> _Alias:
        name, title, since = draft.text(draft.value, "name"), draft.text(draft.value, "alias"), names.since(draft)
        model = names.registered_model(draft, server, name, since)
        draft.head(None, model)
        return cls(model, f"{model[:-1]}/alias/{iris.enc(title)}/", name, title, since)


def _change(draft: Draft, server: str, of: _Alias, before: str, change: Object, where: str) -> str:
    """Say what a change ended, by its mark, and what it began; the mark of that, '' where the alias was taken away."""
    mark = _mark(draft, draft.words(change, "at", where) or draft.text(change, "before", where), where)
    activity = f"{of.head}change/{mark}>"
    _activity(draft, activity, change, where)
    if before:
        _end(draft, f"{of.head}{before}>", activity, change, where)
    version = draft.words(change, "version", where)
    if not version:
        return ""
    _begin(draft, server, of, f"{of.head}{mark}>", version, activity, change, where)
    return mark


def _mark(draft: Draft, sent: object, where: str) -> str:
    """What tells a change from others of the alias: its instant, or that by which it was seen."""
    try:
        return iris.enc(times.lexical(times.key(str(sent))[0]))
    except ValueError:
        draft.refuse("the instant of a change must be an ISO 8601 date-time", sent, where)


def _activity(draft: Draft, activity: str, change: Object, where: str) -> None:
    draft.type(activity, PROV.Activity)
    at = draft.instant(change, "at", where)
    draft.span(activity, at, at)
    if who := draft.words(change, "by", where):
        draft.associate(activity, draft.agent("person", who, who))


def _begin(
    draft: Draft, server: str, of: _Alias, node: str, version: str, activity: str, change: Object, where: str
) -> None:
    target = names.model_version(draft, server, of.name, version, of.since)
    draft.type(node, PROV.Entity, PS.AliasAssignment)
    draft.say(node, PS.alias, rdf.literal(of.title))
    draft.say(node, PS.assigns, target)
    draft.say(node, DCT.title, rdf.literal(f"{of.name} {version} is {of.title}"))
    draft.derive(node, [target])
    draft.use(activity, target)
    draft.say(node, PROV.wasGeneratedBy, activity)
    if at := draft.instant(change, "at", where):
        draft.say(node, PROV.generatedAtTime, at)
    else:
        _between(draft, node, (PROV.qualifiedGeneration, PROV.Generation, "generation"), activity, change, where)


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
