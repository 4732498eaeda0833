"""DVC: what one commit of a repository recorded of stages and data, as `provstore.pull.dvc` reads it from git.

A commit says that an execution took place, not when or by whom: the record has the commit's author and time, the
execution has neither. Its identity is what DVC knows of it: command, inputs, parameters and outputs.
"""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections.abc import Iterator
from typing import Any, Final

from provstore import iris, rdf
from provstore.capture.draft import RECORD, Draft, Object
from provstore.capture.facets.graph import term_of
from provstore.model import Mapped
from provstore.vocab import AI, DCT, PROV, PS

ADAPTER: Final = "dvc/1"

_EXECUTIONS = uuid.UUID("5f0d2b1e-6c39-5d0b-8a35-2f7c1e9b4d60")
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*://)(?:[^@/]*@)?([^/?#]*)/*(.*)\Z", re.DOTALL)
_HEX = re.compile(r"[0-9a-f]{32}(?:\.dir)?\Z")


def map_payload(value: Object, *, base: str) -> Mapped:
    """The record of one payload: of a commit, a tag, an experiment, a file in a directory, or of bytes at hand.

    Unmappable, with a JSON pointer, where repository, commit or a stage's identity is missing.
    """
    draft = Draft(base, value, ADAPTER)
    namespace = draft.text(draft.required(value, "repository"), "namespace", "/repository")
    if "commit" in value:
        _Commit(draft, namespace).say()
    elif "tag" in value:
        _tag(draft, namespace)
    elif "part" in value:
        _part(draft, namespace)
    elif "experiment" in value:
        _experiment(draft, namespace)
    else:
        _bytes(draft)
    return draft.mapped()


# --- identity ----------------------------------------------------------------------------------------------------


def essence(stage: Object) -> str:
    """What an execution consists of, as text that is equal for equal ones: sizes and the like do not count."""
    return _text(
        [
            stage.get("cmd"),
            [_identified(each) for each in _objects(stage.get("deps"))],
            stage.get("params") or {},
            [_identified(each) for each in _objects(stage.get("outs"))],
        ]
    )


def execution_id(namespace: str, stage: Object) -> str:
    """The UUID (version 5) of an execution of a stage in a repository."""
    return _uuid("execution", namespace, stage.get("file"), stage.get("name"), essence(stage))


def _objects(listed: Any) -> list[Object]:
    return [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []


def _is_code(item: Object) -> bool:
    held = item.get("git")
    return isinstance(held, dict) and held.get("code") is True


def _identified(item: Object) -> list[Any]:
    return [item.get("path"), item.get("hash"), item.get("etag"), item.get("checksum")]


def _uuid(*parts: Any) -> str:
    return str(uuid.uuid5(_EXECUTIONS, _text(list(parts))))


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def dataset_name(namespace: str, path: str) -> tuple[str, str]:
    """Namespace and name of what lies at a path: in the repository, on this machine, or behind an address."""
    if path.startswith("/"):
        return "file", path
    address = _URL.match(path)
    if address and address[3]:
        return f"{address[1]}{address[2]}", address[3]
    return namespace, path


# --- a commit ------------------------------------------------------------------------------------------------------


class _Commit:
    """The record of what one commit is the first of its line to say."""

    def __init__(self, draft: Draft, namespace: str) -> None:
        self._draft, self._namespace = draft, namespace
        said = draft.required(draft.value, "commit")
        self._said = said
        self._commit = _code(draft, said, "id", "/commit", namespace)
        self._about: list[str] = []

    def say(self) -> None:
        draft, time = self._draft, self._draft.instant(self._said, "authored", "/commit")
        draft.say(RECORD, PROV.wasDerivedFrom, self._commit)
        if time:
            draft.say(self._commit, PROV.generatedAtTime, time)
        subject = draft.words(self._said, "subject", "/commit")
        if subject:
            draft.say(self._commit, DCT.title, rdf.literal(subject))
        self._author()
        for pointer, stage in draft.objects(draft.value, "stages"):
            _Execution(draft, self._namespace, self._commit, stage, pointer).say(self._about)
        for pointer, row in draft.objects(draft.value, "data"):
            self._data(row, pointer)
        draft.head(time, *self._about)

    def _author(self) -> None:
        """Whoever git calls the author: anybody can write any name there."""
        draft = self._draft
        author = draft.object(self._said, "author", "/commit")
        name = draft.words(author, "name", "/commit/author") or ""
        identifier = draft.words(author, "email", "/commit/author") or name
        if not identifier:
            return
        person = draft.agent("person", identifier, name)
        node = f"{self._commit[:-1]}#author>"
        draft.say(RECORD, PROV.wasAttributedTo, person)
        draft.say(self._commit, PROV.wasAttributedTo, person)
        draft.say(self._commit, PROV.qualifiedAttribution, node)
        draft.type(node, PROV.Attribution)
        draft.say(node, PROV.agent, person)
        draft.say(node, PS.selfAsserted, rdf.boolean(True))

    def _data(self, row: Object, pointer: str) -> None:
        """A version of data that a `.dvc` file tracks, and the import that brought it, where one did."""
        draft = self._draft
        dataset = draft.dataset(*dataset_name(self._namespace, draft.text(row, "path", pointer)))
        version = _version(draft, dataset, draft.object(row, "hash", pointer))
        if version:
            self._about.append(version)
            _describe(draft, version, row, pointer)
            for where, each in draft.objects(row, "previous", pointer):
                before = _version(draft, dataset, each)
                if before:
                    draft.say(version, PS.previousVersion, before)
                else:
                    draft.note(where, "ignored: a version before needs a digest")
        origins = list(draft.objects(row, "origins", pointer))
        run = self._import(row, dataset, version, origins, pointer) if origins else ""
        if model := _model(draft, self._namespace, row, pointer):
            _describe(draft, model, row, pointer)
            if run:
                draft.say(model, PROV.wasGeneratedBy, run)

    def _import(self, row: Object, dataset: str, version: str, origins: list[tuple[str, Object]], pointer: str) -> str:
        """The run that copied data from elsewhere to where the `.dvc` file tracks it."""
        draft = self._draft
        names = [row.get("file"), _identified(row), [origin for _, origin in origins]]
        identifier, run = draft.run(_uuid("import", self._namespace, *names))
        self._about.append(run)
        draft.say(run, PS.job, f"<{draft.job(self._namespace, draft.words(row, 'file', pointer) or 'import')}>")
        for where, origin in origins:
            path = draft.words(origin, "path", where)
            if not path:
                continue
            repository = draft.words(origin, "repository", where)
            source = draft.dataset(*dataset_name(repository or self._namespace, path))
            same = len(origins) == 1 and "hash" not in origin  # what is imported is copied as it is
            state = draft.read(run, identifier, source, _digests(row if same else origin))
            _weak(draft, state, row if same else origin)
            draft.use(run, state, PS.inputItem)
            if commit := draft.words(origin, "commit", where):
                label = f"<{iris.version(source, commit)}>"
                _label(draft, label, source, commit)
                draft.say(state, PROV.specializationOf, label)
                draft.say(label, PS.commit, rdf.literal(commit))
        written = draft.write(run, identifier, dataset, _digests(row))
        _weak(draft, written, row)
        if version:
            draft.say(written, PROV.specializationOf, version)
        return run


class _Execution:
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
        deps, outs = _objects(self._stage.get("deps")), _objects(self._stage.get("outs"))
        data = [each for each in deps if not _is_code(each) and "model" not in each]
        return AI.TrainingData if len(data) == 1 and any("model" in each for each in outs) else PS.inputItem

    def say(self, about: list[str]) -> None:
        about.append(self._run)
        self._plan()
        for pointer, item in self._draft.objects(self._stage, "deps", self._pointer):
            self._dependency(item, pointer)
        self._proof()
        for file, values in sorted(self._draft.object(self._stage, "params", self._pointer).items()):
            for key, value in flat(values):
                name = key if file == "params.yaml" else f"{file}:{key}"
                self._draft.parameter(self._run, name, value if type(value) is str else _text(value))
        for pointer, item in self._draft.objects(self._stage, "outs", self._pointer):
            self._output(item, pointer)
        for pointer, measured in self._draft.objects(self._stage, "metrics", self._pointer):
            self._metrics(measured, pointer)

    def _plan(self) -> None:
        draft, stage = self._draft, self._stage
        name, file = draft.words(stage, "name", self._pointer), str(stage["file"])
        job = draft.job(self._namespace, (name if file == "dvc.yaml" else f"{file}:{name}") if name else file)
        draft.say(self._run, PS.job, f"<{job}>")
        sent = stage.get("cmd")
        if not isinstance(sent, str | list):
            return
        command = sent if isinstance(sent, str) else "\n".join(map(str, sent))
        version = f"<{job}/version/{hashlib.sha256(command.encode(errors='surrogatepass')).hexdigest()}>"
        draft.say(self._run, PS.jobVersion, version)
        draft.type(version, PROV.Entity, PROV.Plan, PS.JobVersion)
        draft.say(version, PROV.specializationOf, f"<{job}>")
        draft.say(version, PROV.value, rdf.literal(command))
        if said := draft.words(stage, "desc", self._pointer):
            draft.say(version, DCT.description, rdf.literal(said))

    def _dependency(self, item: Object, pointer: str) -> None:
        draft = self._draft
        dataset = draft.dataset(*dataset_name(self._namespace, draft.text(item, "path", pointer)))
        state = draft.read(self._run, self._identifier, dataset, _digests(item))
        _weak(draft, state, item)
        held, code = draft.object(item, "git", pointer), _is_code(item)
        if code:
            draft.type(f"<{dataset}>", PS.Source)  # it begins with whoever committed it
        draft.use(self._run, state, PS.code if code else self._role)
        (self._code if code else self._data).append(state)
        if type(held.get("matches")) is bool:
            draft.say(state, PS.inCommit if held["matches"] else PS.notInCommit, self._commit)
        if model := _model(draft, self._namespace, item, pointer):
            draft.use(self._run, model, PS.model)
            self._models.append(model)
            if self._stage.get("metrics"):
                draft.type(self._run, PS.Evaluation)

    def _proof(self) -> None:
        """The commit is what ran where the bytes of all code that DVC tells are those in the commit."""
        held = [each["git"] for each in _objects(self._stage.get("deps")) if isinstance(each.get("git"), dict)]
        found = [each.get("matches") for each in held if each.get("code") is True]
        if found and all(each is True for each in found):
            self._draft.use(self._run, self._commit, PS.code)

    def _output(self, item: Object, pointer: str) -> None:
        draft = self._draft
        dataset = draft.dataset(*dataset_name(self._namespace, draft.text(item, "path", pointer)))
        state = draft.write(self._run, self._identifier, dataset, _digests(item))
        _weak(draft, state, item)
        if model := _model(draft, self._namespace, item, pointer):
            _describe(draft, model, item, pointer)
            draft.type(self._run, PS.TrainingRun)
            draft.say(model, PROV.wasGeneratedBy, self._run)
            draft.derive(model, self._data)
            for each in self._code:
                draft.say(model, PROV.wasInfluencedBy, each)
            self._models.append(model)

    def _metrics(self, file: Object, pointer: str) -> None:
        """Each number of a metrics file: of the model that the stage read or made, where it is known to have one."""
        draft = self._draft
        path = draft.text(file, "path", pointer)
        for key, value in sorted(draft.object(file, "values", pointer).items()):
            if type(value) not in (int, float):
                continue
            for number, model in enumerate(sorted(set(self._models)) or [self._run]):
                place = path if number == 0 else f"{path} {model[1:-1]}"
                node = draft.measurement(self._run, key, term_of(value), model, place=place)
                for state in self._data:
                    draft.say(node, PS.onDataset, state)


# --- what commits name -----------------------------------------------------------------------------------------------


def _tag(draft: Draft, namespace: str) -> None:
    said = draft.required(draft.value, "tag")
    commit = _code(draft, said, "commit", "/tag", namespace)
    draft.say(commit, PS.tag, rdf.literal(draft.text(said, "name", "/tag")))
    draft.head(None, commit)


def _experiment(draft: Draft, namespace: str) -> None:
    """An experiment as the run that its executions are part of, and the commit that it began with."""
    said = draft.required(draft.value, "experiment")
    commit = _code(draft, said, "commit", "/experiment", namespace)
    baseline = _code(draft, said, "baseline", "/experiment", namespace)
    _, run = draft.run(_uuid("experiment", namespace, said.get("commit")))
    draft.say(run, DCT.title, rdf.literal(draft.text(said, "name", "/experiment")))
    draft.say(run, PS.job, f"<{draft.job(namespace, 'experiments')}>")
    draft.use(run, baseline, PS.code)
    draft.say(RECORD, PROV.wasDerivedFrom, commit)
    for pointer, each in draft.items(said, "executions", "/experiment"):
        if type(each) is str:
            _, execution = draft.run(each, pointer=pointer)
            draft.say(execution, DCT.isPartOf, run)
    draft.head(draft.instant(said, "authored", "/experiment"), run)


def _part(draft: Draft, namespace: str) -> None:
    """A file that an execution read or wrote in a directory: proven by the list behind the directory's digest."""
    said = draft.required(draft.value, "part")
    identifier, run = draft.run(draft.text(said, "execution", "/part"), pointer="/part/execution")
    whole = draft.dataset(*dataset_name(namespace, draft.text(said, "directory", "/part")))
    file = draft.dataset(*dataset_name(namespace, draft.text(said, "path", "/part")))
    if said.get("side") == "outs":
        state = draft.write(run, identifier, file, _digests(said))
        draft.say(f"<{iris.write_state(whole, identifier)}>", PROV.hadMember, state)
    else:
        state = draft.read(run, identifier, file, _digests(said))
        draft.use(run, state, PS.inputItem)
        draft.say(f"<{iris.read_state(whole, identifier)}>", PROV.hadMember, state)
    draft.head(None, run)


def _bytes(draft: Draft) -> None:
    """Bytes by the names that they have, or a directory and the bytes of the files that DVC lists in it."""
    said = draft.required(draft.value, "bytes")
    whole = _named(draft, said)
    if not whole:
        draft.refuse("bytes need a digest of some", said.get("md5"), "/bytes/md5")
    draft.head(None, whole)
    if type(said.get("size")) is int:
        draft.say(whole, PS.byteSize, rdf.integer(said["size"]))
    for _, member in draft.objects(said, "members", "/bytes"):
        if held := _named(draft, member):
            draft.say(whole, PROV.hadMember, held)


def _named(draft: Draft, said: Object) -> str:
    """The bytes with these digests, under each name that they give; '' where there is no MD5, or no bytes at all."""
    names = []
    for algorithm, predicate in (("md5", PS.md5), ("sha256", PS.sha256)):
        digest = said.get(algorithm)
        name = iris.content_bytes(draft.base, algorithm, digest) if isinstance(digest, str) else None
        if name and isinstance(digest, str):
            names.append(f"<{name}>")
            draft.type(f"<{name}>", PROV.Entity, PS.Bytes)
            draft.say(f"<{name}>", predicate, rdf.literal(digest.lower()))
    for other in names[1:]:
        draft.say(other, PS.symlink, names[0])
    return names[0] if names else ""


# --- states, versions, models ----------------------------------------------------------------------------------------


def _code(draft: Draft, holder: Object, member: str, pointer: str, namespace: str) -> str:
    sent = draft.text(holder, member, pointer)
    return draft.code(sent, repository=namespace) or draft.refuse(
        f"{member!r} must be the 40 hexadecimal digits of a commit", sent, f"{pointer}/{member}"
    )


def _digests(item: Object) -> dict[str, str]:
    """The digests of the bytes of a dependency or output: DVC's own, and git's where it is proven to hold them.

    That of DVC 2 (`md5-dos2unix`) is one of other bytes, and so none of them.
    """
    told, held = item.get("hash"), item.get("git")
    found: dict[str, str] = {}
    if isinstance(told, dict) and told.get("algorithm") == "md5" and isinstance(told.get("value"), str):
        found["md5"] = told["value"]
    if isinstance(held, dict) and held.get("matches") is True and held.get("kind") == "blob":
        for algorithm, member in (("git", "id"), ("sha256", "sha256"), ("md5", "md5")):
            if isinstance(held.get(member), str):
                found[algorithm] = held[member]
    return found


def _weak(draft: Draft, state: str, item: Object) -> None:
    """What is told of a state beside its digests: sizes, marks of no content, the name that DVC 2 gave it."""
    for name, predicate in (("size", PS.byteSize), ("nfiles", PS.fileCount)):
        if type(item.get(name)) is int:
            draft.say(state, predicate, rdf.integer(item[name]))
    for name in ("etag", "checksum"):
        if isinstance(item.get(name), str):
            draft.say(state, PS.weakDigest, rdf.literal(f"{name}:{item[name]}"))
    told = item.get("hash")
    if not isinstance(told, dict) or told.get("algorithm") != "md5-dos2unix" or _digests(item):
        return
    value = told.get("value")
    if isinstance(value, str) and _HEX.match(value):
        # one stage's output is another's input by this name; nothing else knows it
        node = f"<{draft.base}/content/md5-dos2unix/{value}>"
        draft.type(node, PROV.Entity, PS.Bytes)
        draft.say(state, PS.bytes, node)
        draft.say(state, PS.weakDigest, rdf.literal(f"md5-dos2unix:{value}"))


def _describe(draft: Draft, entity: str, item: Object, pointer: str) -> None:
    size = item.get("size")
    draft.content(entity, _digests(item), size if type(size) is int else None)
    _weak(draft, entity, {key: value for key, value in item.items() if key != "size"})


def _version(draft: Draft, dataset: str, told: Object) -> str:
    """The version of a dataset that DVC knows by a digest; '' without one."""
    value = told.get("value")
    if not isinstance(value, str) or not value:
        return ""
    node = f"<{iris.version(dataset, value)}>"
    _label(draft, node, dataset, value)
    return node


def _label(draft: Draft, node: str, dataset: str, label: str) -> None:
    draft.type(node, PROV.Entity, PS.Version)
    draft.say(node, PROV.specializationOf, f"<{dataset}>")
    draft.say(node, PS.version, rdf.literal(label))


def _model(draft: Draft, namespace: str, item: Object, pointer: str) -> str:
    """The model version that a file is, by an entry in `artifacts` and its digest; '' where it is none."""
    said, told = draft.object(item, "model", pointer), draft.object(item, "hash", pointer)
    name, value = draft.words(said, "name", f"{pointer}/model"), draft.words(told, "value", f"{pointer}/hash")
    if not name or not value:
        return ""
    asset = f"<{draft.base}/model/{iris.enc(namespace)}/{iris.enc(name)}>"
    draft.type(asset, PROV.Entity, PS.Model)
    draft.say(asset, PS.namespace, rdf.literal(namespace))
    draft.say(asset, PS.name, rdf.literal(name))
    if text := draft.words(said, "description", f"{pointer}/model"):
        draft.say(asset, DCT.description, rdf.literal(text))
    version = f"{asset[:-1]}/version/{iris.enc(value)}>"
    draft.type(version, PROV.Entity, PS.ModelVersion)
    draft.say(version, PROV.specializationOf, asset)
    draft.say(version, PS.version, rdf.literal(value))
    return version


def flat(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """(dotted key, value) of everything in nested maps; lists and empty maps are values."""
    if isinstance(value, dict) and value:
        for name, inner in sorted(value.items()):
            yield from flat(inner, f"{key}.{name}" if key else name)
    else:
        yield key, value
