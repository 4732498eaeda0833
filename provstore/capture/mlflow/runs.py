"""Runs: when, by whom, with which code and parameters, from what data; and which models came of them."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import unquote

from provstore import rdf
from provstore.capture.draft import Draft
from provstore.capture.mlflow import datasets, files, logged, names
from provstore.capture.mlflow.clients import CIRCUMSTANCES, Client, Tags, client
from provstore.capture.mlflow.datasets import Dataset, Scene
from provstore.capture.mlflow.files import Seen
from provstore.vocab import AI, DCT, PROV, PS

Object = dict[str, Any]

_STATES: Final = {"RUNNING": PS.RUNNING, "FINISHED": PS.COMPLETE, "FAILED": PS.FAIL, "KILLED": PS.ABORT}


def run(draft: Draft, server: str) -> None:
    """A run and its inputs, and what each model that it logged was made of."""
    said = draft.required(draft.value, "run")
    info = draft.required(said, "info", "/run")
    data = draft.object(said, "data", "/run")
    made, seen = _models(draft, said, "outputs") or _folders(draft, info, data), _models(draft, said, "inputs")
    kind = PS.TrainingRun if made else PS.Evaluation if seen else PS.Run
    identifier, node = draft.run(draft.text(info, "run_id", "/run/info"), kind, pointer="/run/info/run_id")
    tags = names.tags(draft, node, data, "/run/data")
    _life(draft, server, node, info, tags)
    told = client(draft, tags)
    _people_and_code(draft, node, info, tags, told)
    for key, (value, _) in names.pairs(draft, data, "params", "/run/data").items():
        draft.parameter(node, key, value)
    _metrics(draft, node, data)
    experiment = draft.words(info, "experiment_id", "/run/info") or ""
    script = tags.get("mlflow.source.name", ("", ""))[0]
    scene = Scene(server, names.told_apart(experiment, names.since(draft)), identifier, node, script)
    read = files.seen(draft, node, identifier, told.reads, complete=told.complete)
    inputs = datasets.inputs(draft, scene, read)
    for model in seen:
        draft.use(node, model, "" if made else PS.model)
    for model in made:
        draft.say(model, PROV.wasGeneratedBy, node)
        bases = [each for each in seen if each not in made]
        _made_of(draft, scene, model, inputs, read.before(_identifier(model)), bases)


def _life(draft: Draft, server: str, node: str, info: Object, tags: Tags) -> None:
    """Name, job, parent, times, how it ended."""
    start, end = draft.instant(info, "start_time", "/run/info"), draft.instant(info, "end_time", "/run/info")
    draft.head(end or start, node)
    draft.span(node, start, end)
    draft.say(node, DCT.identifier, rdf.literal(draft.text(info, "run_id", "/run/info")))
    if title := draft.words(info, "run_name", "/run/info") or tags.get("mlflow.runName", ("", ""))[0]:
        draft.say(node, DCT.title, rdf.literal(title))
    if experiment := draft.words(info, "experiment_id", "/run/info"):
        draft.say(node, PS.job, names.experiment(draft, server, experiment, names.since(draft)))
    if state := _STATES.get(draft.words(info, "status", "/run/info") or ""):
        draft.say(node, PS.state, state)
    names.lifecycle(draft, node, info, "/run/info")
    parent, where = tags.get("mlflow.parentRunId", ("", ""))
    if parent:
        above = draft.run(parent, pointer=where)[1]
        if above == node:
            draft.note(where, "ignored: a run cannot be part of itself")
        else:
            draft.say(node, DCT.isPartOf, above)


def _people_and_code(draft: Draft, node: str, info: Object, tags: Tags, told: Client) -> None:
    """The account it ran under, which MLflow only asserts of itself; the commit, the script, where it ran."""
    code = _code(draft, node, tags, told)
    user = tags.get("mlflow.user", ("", ""))[0] or draft.words(info, "user_id", "/run/info")
    if user:
        draft.associate(node, draft.agent("person", user, user), plan=code, self_asserted=True)
    for tag, predicate in (("mlflow.source.name", PS.path), ("mlflow.source.git.branch", PS.branch)):
        if value := tags.get(tag, ("", ""))[0]:
            draft.say(node, predicate, rdf.literal(value))
    for key, (value, _) in tags.items():
        if key.startswith("mlflow.docker.image.") or key.removeprefix("provstore.") in CIRCUMSTANCES:
            names.attribute(draft, node, "circumstance", key, value)


def _code(draft: Draft, node: str, tags: Tags, told: Client) -> str:
    """The code that a run used, of the script's repository and, if that is another, of the working directory's."""
    commit, where = tags.get("mlflow.source.git.commit", ("", ""))
    repository = tags.get("mlflow.source.git.repoURL", ("", ""))[0]
    same = told.present and told.commit in ("", commit)
    dirty, diff = (told.dirty, told.diff) if same else (None, "")
    code = draft.code(commit, dirty=dirty, diff=diff, repository=repository) if commit else None
    if commit and code is None:
        draft.note(where, "ignored: a commit has 40 hexadecimal digits")
    if code and dirty is None:
        draft.note(where, "MLflow does not look whether the work tree was clean: ps:dirty stays unsaid")
    other = "" if same else told.commit
    around = draft.code(other, dirty=told.dirty, diff=told.diff, repository=told.repository) if other else None
    for each in filter(None, (code, around)):
        draft.use(node, each)
    return code or around or ""


def _metrics(draft: Draft, node: str, data: Object) -> None:
    """The last value of each metric of the run itself; those of a model stand with the model."""
    for where, each in draft.objects(data, "metrics", "/run/data"):
        name, value = draft.words(each, "key", where), names.number(each.get("value"))
        if not name or value is None:
            draft.note(where, "ignored: a metric has a name and a number")
            continue
        draft.measurement(node, name, value, node)


def _folders(draft: Draft, info: Object, data: Object) -> list[str]:
    """The models that a run logged as folders of its artifacts, before MLflow 3, by its tags."""
    history = names.pairs(draft, data, "tags", "/run/data").get("mlflow.log-model.history", ("", ""))[0]
    run = draft.words(info, "run_id", "/run/info") or ""
    return [names.logged_model(draft, logged.model(run, each)) for each in logged.folders(history)]


def _models(draft: Draft, said: Object, member: str) -> list[str]:
    """The logged models among the inputs or outputs of a run."""
    holder = draft.object(said, member, "/run")
    listed = draft.objects(holder, f"model_{member}", f"/run/{member}")
    found = {each for where, held in listed if (each := draft.words(held, "model_id", where))}
    return [names.logged_model(draft, each) for each in sorted(found)]


def _made_of(draft: Draft, scene: Scene, model: str, inputs: list[Dataset], read: Seen, bases: list[str]) -> None:
    """What a model was made of: training data; else the only dataset without a role; else the only file read.

    What is left is possible, models that went in too. Where nothing is known to have gone in, what did is unknown, and
    that is said: a model is made of something.
    """
    training = [each.node for each in inputs if each.role == AI.TrainingData]
    plain = [each.node for each in inputs if not each.role]
    firm, loose = list(read.firm.values()), list(read.loose.values())
    several = firm if len(firm) > 1 or not read.complete else []
    if training:
        certain, possible = training, plain + several + loose
    elif len(plain) == 1:
        certain, possible = plain, several + loose
    elif plain:
        certain, possible = [], plain + firm + loose
    else:
        certain, possible = ([], firm + loose) if several else (firm, loose)
    draft.derive(model, certain)
    draft.derive(model, possible + bases, possibly=True)
    for each in inputs:
        if each.role == AI.ValidationData:
            draft.say(model, PROV.wasInfluencedBy, each.node)
    if not certain and not inputs and not (firm and read.complete):
        _unknown(draft, scene, model)


def _identifier(model: str) -> str:
    """What MLflow calls a logged model."""
    return unquote(model[1:-1].rpartition("/")[2])


def _unknown(draft: Draft, scene: Scene, model: str) -> None:
    """Data that nobody recorded: the run has no dataset, and no file was seen to be read."""
    node = f"{scene.node[:-1]}#unrecorded>"
    draft.type(node, PROV.Entity, PS.UnresolvedRead)
    draft.say(node, DCT.title, rdf.literal("unrecorded data"))
    draft.say(scene.node, PROV.used, node)
    draft.derive(model, [node])
    draft.note(
        "/run/inputs", "no dataset and no file is recorded that its models were made of: their origin is unknown"
    )
