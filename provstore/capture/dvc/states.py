"""States, versions and models as DVC tells of them: by digests, sizes and what a cloud says."""

from __future__ import annotations

import re

from provstore import iris, rdf
from provstore.capture.draft import Draft, Object
from provstore.capture.dvc.identity import dataset_name
from provstore.vocab import DCT, PROV, PS

_HEX = re.compile(r"[0-9a-f]{32}(?:\.dir)?\Z")


def commit_of(draft: Draft, holder: Object, member: str, pointer: str, namespace: str) -> str:
    sent = draft.text(holder, member, pointer)
    return draft.code(sent, repository=namespace) or draft.refuse(
        f"{member!r} must be the 40 hexadecimal digits of a commit", sent, f"{pointer}/{member}"
    )


def digests(item: Object) -> dict[str, str]:
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


def weak(draft: Draft, state: str, item: Object) -> None:
    """What is told of a state beside its digests: sizes, marks of no content, the name that DVC 2 gave it."""
    for name, predicate in (("size", PS.byteSize), ("nfiles", PS.fileCount)):
        if type(item.get(name)) is int:
            draft.say(state, predicate, rdf.integer(item[name]))
    for name in ("etag", "checksum"):
        if isinstance(item.get(name), str):
            draft.say(state, PS.weakDigest, rdf.literal(f"{name}:{item[name]}"))
    told = item.get("hash")
    if not isinstance(told, dict) or told.get("algorithm") != "md5-dos2unix" or digests(item):
        return
    value = told.get("value")
    if isinstance(value, str) and (node := _dos2unix(draft, value)):
        # one stage's output is another's input by this name; nothing else knows it
        draft.type(node, PROV.Entity, PS.Bytes)
        draft.say(state, PS.bytes, node)
        draft.say(state, PS.weakDigest, rdf.literal(f"md5-dos2unix:{value}"))


def _dos2unix(draft: Draft, digest: str) -> str:
    """The name of bytes by the MD5 that DVC 2 took of them; '' where it is none, or of no bytes."""
    named = _HEX.match(digest) and digest not in iris.EMPTY
    return f"<{draft.base}/content/md5-dos2unix/{digest}>" if named else ""


def describe(draft: Draft, entity: str, item: Object, pointer: str) -> None:
    size = item.get("size")
    draft.content(entity, digests(item), size if type(size) is int else None)
    weak(draft, entity, {key: value for key, value in item.items() if key != "size"})


def version_of(draft: Draft, dataset: str, told: Object) -> str:
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


def model_version(draft: Draft, namespace: str, item: Object, pointer: str) -> str:
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


def bytes_of(draft: Draft, said: Object) -> str:
    """The bytes with these digests, under each name that they give; '' where there is no digest, or no bytes at all."""
    names = []
    for algorithm, predicate in (("md5", PS.md5), ("sha256", PS.sha256), ("dos2unix", PS.weakDigest)):
        digest = said.get(algorithm)
        if not isinstance(digest, str):
            continue
        name = iris.content_bytes(draft.base, algorithm, digest)
        node = _dos2unix(draft, digest) if algorithm == "dos2unix" else f"<{name}>" if name else ""
        if node:
            names.append(node)
            draft.type(node, PROV.Entity, PS.Bytes)
            told = f"md5-dos2unix:{digest}" if algorithm == "dos2unix" else digest.lower()
            draft.say(node, predicate, rdf.literal(told))
    for other in names[1:]:
        draft.say(other, PS.symlink, names[0])
    return names[0] if names else ""


def read_elsewhere(draft: Draft, namespace: str, run: tuple[str, str], origin: Object, held: Object, where: str) -> str:
    """The state of what lies elsewhere that a run (UUID and node) read; '' where nobody says what it was.

    `held` tells its digests. What it is called there, a commit or a version, is a version of it.
    """
    path = draft.words(origin, "path", where)
    if not path:
        return ""
    repository = draft.words(origin, "repository", where)
    source = draft.dataset(*dataset_name(repository or namespace, path))
    state = draft.read(run[1], run[0], source, digests(held))
    weak(draft, state, held)
    commit = draft.words(origin, "commit", where)
    labels = [commit] if commit else [each for _, each in draft.items(origin, "versions", where) if type(each) is str]
    if not labels and not repository and (revision := draft.words(origin, "revision", where)):
        labels = [revision]
    for each in labels:
        label = f"<{iris.version(source, each)}>"
        _label(draft, label, source, each)
        draft.say(state, PROV.specializationOf, label)
        if commit:
            draft.say(label, PS.commit, rdf.literal(commit))
    return state
