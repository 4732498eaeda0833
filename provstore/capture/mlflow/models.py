"""Logged models: what a run made, how it did on which dataset, and the files that it consists of."""

from __future__ import annotations

import hashlib
import re
from typing import Any, Final
from urllib.parse import unquote

from provstore import iris, rdf
from provstore.capture.draft import Draft
from provstore.capture.mlflow import datasets, names
from provstore.capture.mlflow.histories import course, whole
from provstore.vocab import DCT, PROV, PS

Object = dict[str, Any]

#: What MLflow writes beside a model: the same for many models, and none of it.
_BESIDE: Final = frozenset(
    (
        *("MLmodel", "conda.yaml", "python_env.yaml", "requirements.txt", "registered_model_meta"),
        *("input_example.json", "serving_input_example.json"),
    )
)
_READY: Final = "LOGGED_MODEL_READY"
_PYTHON: Final = re.compile(r"^python:\s*['\"]?([0-9][0-9A-Za-z.+-]*)", re.MULTILINE)
_PIN: Final = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[^\]]*\])?\s*==\s*([^\s;#]+)")
_SEPARATORS: Final = re.compile(r"[-_.]+")


def logged_model(draft: Draft, server: str) -> None:
    """A logged model as a model version: its run, its parameters, its metrics by dataset."""
    said = draft.required(draft.value, "model")
    info = draft.required(said, "info", "/model")
    data = draft.object(said, "data", "/model")
    node = names.logged_model(draft, draft.text(info, "model_id", "/model/info"))
    made = draft.instant(info, "creation_timestamp_ms", "/model/info")
    draft.head(draft.instant(info, "last_updated_timestamp_ms", "/model/info") or made, node)
    if made:
        draft.say(node, PROV.generatedAtTime, made)
    if title := draft.words(info, "name", "/model/info"):
        draft.say(node, DCT.title, rdf.literal(title))
    status = draft.words(info, "status", "/model/info") or _READY
    if status != _READY:
        draft.say(node, PS.lifecycle, rdf.literal(status.removeprefix("LOGGED_MODEL_").lower()))
    if run := draft.words(info, "source_run_id", "/model/info"):
        draft.say(node, PROV.wasGeneratedBy, draft.run(run, pointer="/model/info/source_run_id")[1])
    else:
        _unknown(draft, node)
    names.tags(draft, node, info, "/model/info")
    for key, (value, _) in names.pairs(draft, data, "params", "/model/data").items():
        names.attribute(draft, node, "parameter", key, value)
    experiment = names.told_apart(draft.words(info, "experiment_id", "/model/info") or "", names.since(draft))
    _metrics(draft, server, node, data, experiment)


def _unknown(draft: Draft, model: str) -> None:
    """A model that no run is known to have made came from something all the same."""
    node = f"{model[:-1]}#unrecorded>"
    draft.type(node, PROV.Entity, PS.UnresolvedRead)
    draft.say(node, DCT.title, rdf.literal("unrecorded data"))
    draft.derive(model, [node])
    draft.note("/model/info", "no run is recorded that made the model: its origin is unknown")


def _metrics(draft: Draft, server: str, model: str, data: Object, experiment: str) -> None:
    """Each metric as a measurement of the model, by the run that took it, on the dataset that it names."""
    for where, each in draft.objects(data, "metrics", "/model/data"):
        name, value = draft.words(each, "key", where), names.number(each.get("value"))
        run = draft.words(each, "run_id", where)
        if not name or value is None or not run:
            draft.note(where, "ignored: a metric of a model has a name, a number and a run")
            continue
        identifier, owner = draft.run(run, pointer=f"{where}/run_id")
        on, digest = draft.words(each, "dataset_name", where), draft.words(each, "dataset_digest", where) or ""
        state = datasets.state(draft, server, experiment, identifier, on, digest) if on else ""
        summed = "count" in each  # of several values, at several steps
        step = "" if summed else draft.words(each, "step", where) or "0"
        place = "/".join(filter(None, (model[1:-1].rpartition("/")[2], on, digest, "" if step == "0" else step)))
        node = draft.measurement(owner, name, value, model, dataset=state, place=place)
        if summed:
            whole(draft, node, PS.step, each, "step")
            course(draft, node, each, where)
        if at := draft.instant(each, "timestamp", where):
            draft.say(node, PROV.generatedAtTime, at)


def files(draft: Draft, server: str) -> None:
    """The files of a logged model: each an entity of its bytes that the model has as a member; its environment.

    Those that are the model itself are written from it, so that whoever reads these bytes anywhere has read the model.
    """
    model = names.logged_model(draft, draft.text(draft.value, "model_id"))
    draft.head(None, model)
    for where, each in draft.objects(draft.value, "files"):
        path = draft.words(each, "path", where)
        if not path:
            draft.note(where, "ignored: a file has a path")
            continue
        node = f"{model[:-1]}/file/{iris.enc(path)}>"
        draft.type(node, PROV.Entity)
        draft.say(node, DCT.title, rdf.literal(path))
        draft.say(model, PROV.hadMember, node)
        size = each.get("size")
        digest = draft.words(each, "sha256", where)
        if digest:
            draft.content(node, {"sha256": digest}, size if type(size) is int else None)
        else:
            draft.note(where, f"{path[:100]!r} was not hashed: it is larger than was asked for")
        if path not in _BESIDE:
            _written(draft, server, model, node, path)
    run = draft.words(draft.value, "run_id")
    owner = draft.run(run, pointer="/run_id")[1] if run else ""
    if node := _environment(draft, draft.object(draft.value, "texts")):
        draft.say(model, PROV.wasInfluencedBy, node)
        if owner:
            draft.use(owner, node)


def _written(draft: Draft, server: str, model: str, node: str, path: str) -> None:
    """A file as what logging the model wrote."""
    logging = f"{model[:-1]}#logging>"
    draft.type(logging, PROV.Activity)
    draft.use(logging, model)
    draft.associate(logging, draft.agent("software", "MLflow", "MLflow"))
    draft.type(node, PS.WriteState)
    asset = draft.dataset(server, f"model/{unquote(model[1:-1].rpartition('/')[2])}/{path}")
    draft.say(node, PROV.specializationOf, f"<{asset}>")
    draft.say(node, PROV.wasGeneratedBy, logging)
    draft.derive(node, [model])


def _environment(draft: Draft, texts: Object) -> str:
    """The environment that MLflow wrote beside the model: pinned packages and the version of Python."""
    requirements, python = (
        draft.words(texts, "requirements.txt", "/texts"),
        draft.words(texts, "python_env.yaml", "/texts"),
    )
    pins = sorted(
        f"{_SEPARATORS.sub('-', name).lower()}=={version}" for name, version in _PIN.findall(requirements or "")
    )
    found = _PYTHON.search(python or "")
    lines = [*([f"python=={found[1]}"] if found else []), *pins]
    if not lines:
        return ""
    digest = hashlib.sha256("".join(f"{line}\n" for line in lines).encode()).hexdigest()
    node = draft.environment(digest, ", ".join(lines)[:200])
    draft.say(node, DCT.description, rdf.literal("\n".join(lines)))
    return node
