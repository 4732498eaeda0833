"""What MLflow's things are called, and what many of them have: tags, a stage of life, values of metrics."""

from __future__ import annotations

import uuid
from typing import Any, Final

from provstore import iris, rdf
from provstore.capture.draft import Draft
from provstore.vocab import DCT, PROV, PS, SCHEMA

Object = dict[str, Any]

_TRACES: Final = uuid.UUID("5b1de5ab-0d3c-5f5e-9a57-0b4f4bb2a9c4")
_NUMBERS: Final = {"NaN": "NaN", "Infinity": "INF", "-Infinity": "-INF"}


def since(draft: Draft) -> str:
    """When the experiment or registered model that a payload belongs to was made, if another bore its name before.

    '' for the first of the name. Names and numbers may be used again in MLflow, when what bore them was deleted; an
    identifier always means the same thing here.
    """
    return draft.words(draft.value, "since") or ""


def told_apart(name: str, since: str) -> str:
    """A name, and by which of those that bore it one after the other."""
    return f"{name}@{since}" if since else name


def experiment(draft: Draft, server: str, identifier: str, since: str) -> str:
    """An experiment as a job, by its number: its name may change."""
    node = f"<{draft.job(server, f'experiment/{told_apart(identifier, since)}')}>"
    draft.say(node, DCT.identifier, rdf.literal(identifier))
    return node


def logged_model(draft: Draft, identifier: str) -> str:
    """A logged model, whose identifier is unique everywhere."""
    node = f"<{draft.base}/modelversion/{iris.enc(identifier)}>"
    draft.type(node, PROV.Entity, PS.ModelVersion)
    draft.say(node, DCT.identifier, rdf.literal(identifier if ":/" in identifier else f"models:/{identifier}"))
    return node


def registered_model(draft: Draft, server: str, name: str, since: str = "") -> str:
    node = f"<{draft.base}/model/{iris.enc(server)}/{told_apart(iris.enc(name), iris.enc(since))}>"
    draft.type(node, PROV.Entity, PS.Model)
    draft.say(node, PS.namespace, rdf.literal(server))
    draft.say(node, PS.name, rdf.literal(name))
    return node


def model_version(draft: Draft, server: str, name: str, version: str, since: str = "") -> str:
    """A version of a registered model, by its number."""
    model = registered_model(draft, server, name, since)
    node = f"{model[:-1]}/version/{iris.enc(version)}>"
    draft.type(node, PROV.Entity, PS.RegistryVersion)
    draft.say(node, PROV.specializationOf, model)
    draft.say(node, PS.version, rdf.literal(version))
    draft.say(node, DCT.identifier, rdf.literal(f"models:/{name}/{version}"))
    return node


def trace_id(server: str, identifier: str) -> str:
    """The UUID of the activity that a trace is of."""
    return str(uuid.uuid5(_TRACES, f"{server} {identifier}"))


def pairs(draft: Draft, holder: Object, member: str, pointer: str) -> dict[str, tuple[str, str]]:
    """Key → (value, pointer) of a list of `{"key": …, "value": …}`, or of an object of texts."""
    given = holder.get(member)
    if isinstance(given, dict):
        listed = [(f"{pointer}/{member}/{key}", {"key": key, "value": given[key]}) for key in given]
    else:
        listed = list(draft.objects(holder, member, pointer))
    found: dict[str, tuple[str, str]] = {}
    for where, each in listed:
        key = draft.words(each, "key", where)
        if key:
            found[key] = draft.words(each, "value", where) or "", where
    return found


def tags(draft: Draft, node: str, holder: Object, pointer: str) -> dict[str, tuple[str, str]]:
    """Say the tags that people set; all of them, MLflow's own too, as `pairs`."""
    found = pairs(draft, holder, "tags", pointer)
    for key, (value, _) in found.items():
        if not key.startswith(("mlflow.", "provstore.")):
            attribute(draft, node, "tag", key, value)
    return found


def attribute(draft: Draft, node: str, kind: str, key: str, value: str) -> None:
    """A name and a value that somebody gave a thing."""
    held = f"{node[:-1]}#{kind}/{iris.enc(key)}>"
    draft.say(node, SCHEMA.additionalProperty, held)
    draft.type(held, SCHEMA.PropertyValue)
    draft.say(held, SCHEMA.name, rdf.literal(key))
    draft.say(held, SCHEMA.value, rdf.literal(value))


def lifecycle(draft: Draft, node: str, said: Object, pointer: str) -> None:
    """That something was deleted in MLflow: it is hidden there, and what it did stays."""
    stage = draft.words(said, "lifecycle_stage", pointer)
    if stage and stage.lower() != "active":
        draft.say(node, PS.lifecycle, rdf.literal(stage.lower()))


def replaced(draft: Draft, node: str, older: str, created: str | None) -> None:
    """That a thing bears the name of an older one that was deleted, and since when there is that thing."""
    draft.say(node, DCT.replaces, older)
    if created:
        draft.say(node, DCT.created, created)


def number(value: object) -> str | None:
    """The term of a metric's value; None where it is no number."""
    if type(value) is str and value in _NUMBERS:
        return rdf.literal(_NUMBERS[value], f"{rdf.XSD}double")
    if type(value) in (int, float):
        return rdf.literal(repr(float(value)), f"{rdf.XSD}double")  # type: ignore[arg-type]
    return None
