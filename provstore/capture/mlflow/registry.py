"""The model registry: models, and their numbered versions, each an entry that points to a logged model."""

from __future__ import annotations

import re
from typing import Any, Final

from provstore import rdf
from provstore.capture.draft import Draft
from provstore.capture.mlflow import names
from provstore.vocab import DCT, PROV, PS

Object = dict[str, Any]

_LOGGED: Final = re.compile(r"models:/(m-[0-9a-f]{32})\Z")
_NUMBERED: Final = re.compile(r"models:/([^@]+)/([0-9]+)\Z")
_OF_RUN: Final = re.compile(r"runs:/([0-9a-f]{32})(?:/.*)?\Z")


def registered_model(draft: Draft, server: str) -> None:
    """A registered model; what its aliases stand for is told by their journals."""
    said = draft.required(draft.value, "model")
    name, since = draft.text(said, "name", "/model"), names.since(draft)
    node = names.registered_model(draft, server, name, since)
    made = draft.instant(said, "creation_timestamp", "/model")
    draft.head(made, node)
    draft.say(node, DCT.title, rdf.literal(name))
    if since:
        older = names.registered_model(draft, server, name, draft.words(draft.value, "replaces") or "")
        names.replaced(draft, node, older, made)
    if text := draft.words(said, "description", "/model"):
        draft.say(node, DCT.description, rdf.literal(text))
    names.tags(draft, node, said, "/model")


def model_version(draft: Draft, server: str) -> None:
    """A version: made by a registration that used a logged model, from which it is derived."""
    said = draft.required(draft.value, "version")
    name, number = draft.text(said, "name", "/version"), draft.text(said, "version", "/version")
    node = names.model_version(draft, server, name, number, names.since(draft))
    made = draft.instant(said, "creation_timestamp", "/version")
    draft.head(draft.instant(said, "last_updated_timestamp", "/version") or made, node)
    if text := draft.words(said, "description", "/version"):
        draft.say(node, DCT.description, rdf.literal(text))
    status = draft.words(said, "status", "/version") or "READY"
    if status != "READY":
        draft.say(node, PS.lifecycle, rdf.literal(status.lower()))
    stage = draft.words(said, "current_stage", "/version") or "None"
    if stage != "None":
        names.attribute(draft, node, "stage", "current_stage", stage)
    names.tags(draft, node, said, "/version")
    registration = f"{node[:-1]}#registration>"
    draft.type(registration, PROV.Activity)
    draft.say(node, PROV.wasGeneratedBy, registration)
    if made:
        draft.say(node, PROV.generatedAtTime, made)
        draft.span(registration, made, made)
    if user := draft.words(said, "user_id", "/version"):
        draft.associate(registration, draft.agent("person", user, user), self_asserted=True)
    if source := _source(draft, server, said):
        draft.use(registration, source)
        draft.derive(node, [source])


def _source(draft: Draft, server: str, said: Object) -> str | None:
    """What a version was registered from, whichever way MLflow names it; None, reported, where nothing tells."""
    source, run = draft.words(said, "source", "/version") or "", draft.words(said, "run_id", "/version")
    known = draft.words(draft.value, "model_id")
    if known or (found := _LOGGED.match(source)):
        return names.logged_model(draft, known or str(found and found[1]))
    if found := _NUMBERED.match(source):
        own = found[1] == said.get("name")
        return names.model_version(draft, server, found[1], found[2], names.since(draft) if own else "")
    if found := _OF_RUN.match(source):
        return _of_run(draft, source, found[1])
    if run:
        return _of_run(draft, f"runs:/{run}/{source.rstrip('/').rpartition('/artifacts/')[2]}", run)
    draft.note("/version/source", f"{source[:100]!r} leads to no model that is known")
    return None


def _of_run(draft: Draft, identifier: str, run: str) -> str:
    """A model that is known by the run that made it alone, as before MLflow 3."""
    node = names.logged_model(draft, identifier)
    draft.say(node, PROV.wasGeneratedBy, draft.run(run, pointer="/version/run_id")[1])
    return node
