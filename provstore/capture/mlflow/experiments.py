"""Experiments, which are jobs; and that something was deleted for good."""

from __future__ import annotations

from provstore import iris, rdf
from provstore.capture.draft import RECORD, Draft
from provstore.capture.mlflow import names
from provstore.vocab import DCT, PROV, PS


def experiment(draft: Draft, server: str) -> None:
    """An experiment as a job of the server; its name is a title, since it may change."""
    said = draft.required(draft.value, "experiment")
    identifier, since = draft.text(said, "experiment_id", "/experiment"), names.since(draft)
    node = names.experiment(draft, server, identifier, since)
    made = draft.instant(said, "creation_time", "/experiment")
    draft.head(made, node)
    if since:
        older = names.experiment(draft, server, identifier, draft.words(draft.value, "replaces") or "")
        names.replaced(draft, node, older, made)
    if title := draft.words(said, "name", "/experiment"):
        draft.say(node, DCT.title, rdf.literal(title))
    names.lifecycle(draft, node, said, "/experiment")
    names.tags(draft, node, said, "/experiment")


def deletion(draft: Draft, server: str) -> None:
    """That MLflow no longer has something, or has it again; what it was, and what came of it, stays as recorded."""
    of, identifier = draft.text(draft.value, "of"), draft.text(draft.value, "id")
    node = _node(draft, server, of, identifier)
    draft.say(RECORD, PS.about, node)
    if draft.value.get("back") is True:
        return
    draft.say(node, PS.lifecycle, rdf.literal("purged"))
    draft.note("/id", "MLflow does not tell when, or by whom, it was deleted")


def _node(draft: Draft, server: str, of: str, identifier: str) -> str:
    since = names.since(draft)
    if of == "experiment":
        return names.experiment(draft, server, identifier, since)
    if of == "run":
        return draft.run(identifier, pointer="/id")[1]
    if of == "logged-model":
        return names.logged_model(draft, identifier)
    if of == "registered-model":
        return names.registered_model(draft, server, identifier, since)
    if of == "model-version":
        name, _, version = identifier.rpartition("/")
        return names.model_version(draft, server, name, version, since)
    if of == "trace":
        node = f"<{iris.run(names.trace_id(server, identifier))}>"
        draft.type(node, PROV.Activity, PS.Inference)
        return node
    draft.refuse("'of' must be the kind of what was deleted", of, "/of")
