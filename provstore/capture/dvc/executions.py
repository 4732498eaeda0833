"""One execution of a stage: what it read, wrote, ran with and measured."""

from __future__ import annotations

import hashlib

from provstore import iris, rdf
from provstore.capture.draft import Draft, Object
from provstore.capture.dvc.identity import canonical, dataset_name, execution_id, flat, is_code, objects_in
from provstore.capture.dvc.states import describe, digests, model_version, read_elsewhere, weak
from provstore.capture.facets.graph import term_of
from provstore.vocab import AI, DCT, PROV, PS


class Execution:
    """One execution of a stage: what it read, wrote, ran with and measured."""

    def __init__(self, draft: Draft, namespace: str, commit: str, stage: Object, pointer: str) -> None:
        self._draft, self._namespace, self._commit = draft, namespace, commit
        self._stage, self._pointer = stage, pointer
        draft.text(stage, "file", pointer)
        self._identifier, self._run = draft.run(execution_id(namespace, stage))
        self._data: list[str] = []
        self._code: list[str] = []
        self._models: list[str] = []
        self._role = self._data_role()

    def _data_role(self) -> str:
        """Of a stage that makes a model the only data are what it learned from; of several DVC tells no roles."""
        deps, outs = objects_in(self._stage.get("deps")), objects_in(self._stage.get("outs"))
        data = [each for each in deps if not is_code(each) and "model" not in each]
        return AI.TrainingData if len(data) == 1 and any("model" in each for each in outs) else PS.inputItem

    def say(self, about: list[str]) -> None:
        about.append(self._run)
        self._plan()
        for pointer, item in self._draft.objects(self._stage, "deps", self._pointer):
            self._dependency(item, pointer)
        self._proof()
        parameters(self._draft, self._run, self._draft.object(self._stage, "params", self._pointer))
        for pointer, item in self._draft.objects(self._stage, "outs", self._pointer):
            self._output(item, pointer)
        for pointer, measured in self._draft.objects(self._stage, "metrics", self._pointer):
            measure(self._draft, self._run, measured, pointer, self._models, self._data)

    def _plan(self) -> None:
        draft, stage = self._draft, self._stage
        name, file = draft.words(stage, "name", self._pointer), str(stage["file"])
        job = draft.job(self._namespace, (name if file == "dvc.yaml" else f"{file}:{name}") if name else file)
        draft.say(self._run, PS.job, f"<{job}>")
        sent = stage.get("cmd")
        if not isinstance(sent, str | list):
            return
        version = plan_of(draft, job, self._run, sent if isinstance(sent, str) else "\n".join(map(str, sent)))
        if said := draft.words(stage, "desc", self._pointer):
            draft.say(version, DCT.description, rdf.literal(said))

    def _dependency(self, item: Object, pointer: str) -> None:
        draft = self._draft
        path, origin = draft.text(item, "path", pointer), draft.object(item, "origin", pointer) or item
        run = self._identifier, self._run
        state = read_elsewhere(
            draft, self._namespace, run, {**origin, "path": origin.get("path") or path}, origin, pointer
        )
        held, code = draft.object(item, "git", pointer), is_code(item)
        if code:
            dataset = draft.dataset(*dataset_name(self._namespace, path))
            draft.type(f"<{dataset}>", PS.Source)  # it begins with whoever committed it
        draft.use(self._run, state, PS.code if code else self._role)
        (self._code if code else self._data).append(state)
        if type(held.get("matches")) is bool:
            draft.say(state, PS.inCommit if held["matches"] else PS.notInCommit, self._commit)
        if model := model_version(draft, self._namespace, item, pointer):
            draft.use(self._run, model, PS.model)
            self._models.append(model)
            if self._stage.get("metrics"):
                draft.type(self._run, PS.Evaluation)

    def _proof(self) -> None:
        """The commit is what ran where the bytes of all code that DVC tells are those in the commit."""
        held = [each["git"] for each in objects_in(self._stage.get("deps")) if isinstance(each.get("git"), dict)]
        found = [each.get("matches") for each in held if each.get("code") is True]
        if found and all(each is True for each in found):
            self._draft.use(self._run, self._commit, PS.code)

    def _output(self, item: Object, pointer: str) -> None:
        draft = self._draft
        dataset = draft.dataset(*dataset_name(self._namespace, draft.text(item, "path", pointer)))
        state = draft.write(self._run, self._identifier, dataset, digests(item))
        weak(draft, state, item)
        for where, each in draft.items(item, "after", pointer):
            if type(each) is str:  # what was there before was there to be read
                before, _ = draft.run(each, pointer=where)
                draft.derive(state, [f"<{iris.write_state(dataset, before)}>"], possibly=True)
        if model := model_version(draft, self._namespace, item, pointer):
            describe(draft, model, item, pointer)
            draft.type(self._run, PS.TrainingRun)
            draft.say(model, PROV.wasGeneratedBy, self._run)
            draft.derive(model, self._data)
            for each in self._code:
                draft.say(model, PROV.wasInfluencedBy, each)
            self._models.append(model)


def plan_of(draft: Draft, job: str, run: str, command: str) -> str:
    """The version of a job that a run was one of: the command that it ran."""
    version = f"<{job}/version/{hashlib.sha256(command.encode(errors='surrogatepass')).hexdigest()}>"
    draft.say(run, PS.jobVersion, version)
    draft.type(version, PROV.Entity, PROV.Plan, PS.JobVersion)
    draft.say(version, PROV.specializationOf, f"<{job}>")
    draft.say(version, PROV.value, rdf.literal(command))
    return version


def parameters(draft: Draft, run: str, parameters: Object) -> None:
    """What a run was set to, by file and dotted key; those of `params.yaml` by their key alone."""
    for file, values in sorted(parameters.items()):
        for key, value in flat(values):
            name = key if file == "params.yaml" else f"{file}:{key}"
            draft.parameter(run, name, value if type(value) is str else canonical(value))


def measure(draft: Draft, run: str, file: Object, pointer: str, models: list[str], data: list[str]) -> None:
    """Each number of a metrics file: of the models that a run read or made, where it is known to have any."""
    path = draft.text(file, "path", pointer)
    for key, value in sorted(draft.object(file, "values", pointer).items()):
        if type(value) not in (int, float):
            continue
        for number, model in enumerate(sorted(set(models)) or [run]):
            place = path if number == 0 else f"{path} {model[1:-1]}"
            node = draft.measurement(run, key, term_of(value), model, place=place)
            for state in data:
                draft.say(node, PS.onDataset, state)
