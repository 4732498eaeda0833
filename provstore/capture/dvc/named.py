"""What stands beside commits: tags, experiments, files in directories, numbers and bytes that a cache has."""

from __future__ import annotations

from provstore import iris, rdf
from provstore.capture.draft import RECORD, Draft
from provstore.capture.dvc.executions import measure, parameters
from provstore.capture.dvc.identity import dataset_name, is_code, uuid_of
from provstore.capture.dvc.states import bytes_of, commit_of, digests, model_version
from provstore.vocab import DCT, PROV, PS


def tag(draft: Draft, namespace: str) -> None:
    said = draft.required(draft.value, "tag")
    commit = commit_of(draft, said, "commit", "/tag", namespace)
    draft.say(commit, PS.tag, rdf.literal(draft.text(said, "name", "/tag")))
    draft.head(None, commit)


def experiment(draft: Draft, namespace: str) -> None:
    """An experiment as the run that its executions are part of, and the commit that it began with."""
    said = draft.required(draft.value, "experiment")
    commit = commit_of(draft, said, "commit", "/experiment", namespace)
    baseline = commit_of(draft, said, "baseline", "/experiment", namespace)
    _, run = draft.run(uuid_of("experiment", namespace, said.get("commit")))
    draft.say(run, DCT.title, rdf.literal(draft.text(said, "name", "/experiment")))
    draft.say(run, PS.job, f"<{draft.job(namespace, 'experiments')}>")
    draft.use(run, baseline, PS.code)
    draft.say(RECORD, PROV.wasDerivedFrom, commit)
    parameters(draft, run, draft.object(said, "params", "/experiment"))
    models = []
    for pointer, row in draft.objects(said, "models", "/experiment"):
        if model := model_version(draft, namespace, row, pointer):
            draft.say(model, PROV.wasGeneratedBy, run)
            models.append(model)
    for pointer, measured in draft.objects(said, "metrics", "/experiment"):
        measure(draft, run, measured, pointer, models, [])
    for pointer, each in draft.items(said, "executions", "/experiment"):
        if type(each) is str:
            _, execution = draft.run(each, pointer=pointer)
            draft.say(execution, DCT.isPartOf, run)
    draft.head(draft.instant(said, "authored", "/experiment"), run)


def measurement(draft: Draft, namespace: str) -> None:
    """Numbers that an execution wrote to a file of which a cache has the bytes; of its models, on what it read."""
    said = draft.required(draft.value, "measured")
    identifier, run = draft.run(draft.text(said, "execution", "/measured"), pointer="/measured/execution")
    models, data = [], []
    for side in ("deps", "outs"):
        for pointer, item in draft.objects(said, side, "/measured"):
            if model := model_version(draft, namespace, item, pointer):
                models.append(model)
                if side == "deps":
                    draft.type(run, PS.Evaluation)
            if side == "deps" and not is_code(item):
                origin = draft.object(item, "origin", pointer)
                place = draft.words(origin, "repository", f"{pointer}/origin") or namespace
                path = draft.words(origin, "path", f"{pointer}/origin") or draft.text(item, "path", pointer)
                data.append(f"<{iris.read_state(draft.dataset(*dataset_name(place, path)), identifier)}>")
    measure(draft, run, said, "/measured", models, data)
    draft.head(None, run)


def part(draft: Draft, namespace: str) -> None:
    """A file that an execution read or wrote in a directory: proven by the list behind the directory's digest."""
    said = draft.required(draft.value, "part")
    identifier, run = draft.run(draft.text(said, "execution", "/part"), pointer="/part/execution")
    whole = draft.dataset(*dataset_name(namespace, draft.text(said, "directory", "/part")))
    file = draft.dataset(*dataset_name(namespace, draft.text(said, "path", "/part")))
    if said.get("side") == "outs":
        state = draft.write(run, identifier, file, digests(said))
        draft.say(f"<{iris.write_state(whole, identifier)}>", PROV.hadMember, state)
    else:
        state = draft.read(run, identifier, file, digests(said))
        draft.use(run, state, PS.inputItem)
        draft.say(f"<{iris.read_state(whole, identifier)}>", PROV.hadMember, state)
    draft.head(None, run)


def known_bytes(draft: Draft) -> None:
    """Bytes by the names that they have, or a directory and the bytes of the files that DVC lists in it."""
    said = draft.required(draft.value, "bytes")
    whole = bytes_of(draft, said)
    if not whole:
        draft.refuse("bytes need a digest of some", said.get("md5"), "/bytes/md5")
    draft.head(None, whole)
    if type(said.get("size")) is int:
        draft.say(whole, PS.byteSize, rdf.integer(said["size"]))
    for _, member in draft.objects(said, "members", "/bytes"):
        if held := bytes_of(draft, member):
            draft.say(whole, PROV.hadMember, held)
