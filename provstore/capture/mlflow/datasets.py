"""The datasets that a run logged, and the files and tables that they came from.

MLflow's digest is 32 bits of an MD5 over some rows and columns: frames that differ share it, so that a dataset is an
entity of its own for each run, and no two are ever taken for one. MLflow keeps a source once for each name and digest
of an experiment, that which the first run gave; and of what a script made in memory it knows the script alone.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from provstore import iris, rdf
from provstore.capture.draft import Draft
from provstore.capture.mlflow import names
from provstore.capture.mlflow.files import Seen, named, normal
from provstore.vocab import AI, DCT, PROV, PS

Object = dict[str, Any]

#: `mlflow.data.context` in the words of autologging and of people → the role.
_ROLES: Final = {
    "train": AI.TrainingData,
    "training": AI.TrainingData,
    "fit": AI.TrainingData,
    "valid": AI.ValidationData,
    "validation": AI.ValidationData,
    "val": AI.ValidationData,
    "dev": AI.ValidationData,
    "test": AI.TestingData,
    "testing": AI.TestingData,
    "eval": AI.TestingData,
    "evaluation": AI.TestingData,
    "holdout": AI.TestingData,
}


@dataclass(frozen=True, slots=True)
class Scene:
    """The run that is written of: its server, experiment, UUID and node, its script."""

    server: str
    experiment: str
    identifier: str
    node: str
    script: str


@dataclass(frozen=True, slots=True)
class Dataset:
    """A dataset of a run: its node and its role ('' where none is told)."""

    node: str
    role: str


def inputs(draft: Draft, scene: Scene, seen: Seen) -> list[Dataset]:
    """The datasets that a run logged; `seen` is what it was seen to read."""
    holder = draft.object(draft.object(draft.value, "run"), "inputs", "/run")
    found = []
    for where, each in draft.objects(holder, "dataset_inputs", "/run/inputs"):
        said = draft.object(each, "dataset", where)
        name = draft.words(said, "name", f"{where}/dataset")
        if not name:
            draft.note(f"{where}/dataset", "ignored: a dataset without a name")
            continue
        context = names.pairs(draft, each, "tags", where).get("mlflow.data.context", ("", where))
        found.append(_input(draft, scene, each, name, _role(draft, *context), where, seen))
    return found


def state(draft: Draft, server: str, experiment: str, run: str, name: str, digest: str) -> str:
    """The node of what a run had as a dataset of a name and a digest."""
    asset = draft.dataset(server, f"experiment/{experiment}/{name}")
    return f"<{iris.read_state(asset, f'{run}/{digest}')}>"


def _role(draft: Draft, context: str, where: str) -> str:
    role = _ROLES.get(context.strip().lower(), "")
    if context and not role:
        draft.note(where, f"the context {context[:60]!r} is no role that is known; it is taken for none")
    return role


def _input(draft: Draft, scene: Scene, said: Object, name: str, role: str, where: str, seen: Seen) -> Dataset:
    dataset = draft.object(said, "dataset", where)
    digest = draft.words(dataset, "digest", f"{where}/dataset") or ""
    node = state(draft, scene.server, scene.experiment, scene.identifier, name, digest)
    asset = draft.dataset(scene.server, f"experiment/{scene.experiment}/{name}")
    draft.type(node, PROV.Entity)
    draft.say(node, PROV.specializationOf, f"<{asset}>")
    draft.say(node, DCT.title, rdf.literal(name))
    if digest:
        draft.say(node, PS.weakDigest, rdf.literal(f"mlflow:{digest}"))
    draft.use(scene.node, node, role)
    _rows(draft, node, dataset, f"{where}/dataset")
    if not _origin(draft, scene, node, dataset, said.get("first") is not False, f"{where}/dataset", seen):
        draft.type(node, PS.ReadState)  # the views look for what it came from, and say if nobody knows
    return Dataset(node, role)


def _rows(draft: Draft, node: str, dataset: Object, where: str) -> None:
    profile = _json(draft, dataset, "profile", where)
    rows = profile.get("num_rows")
    if type(rows) is int:
        draft.say(node, PS.rowCount, rdf.integer(rows))


def _origin(draft: Draft, scene: Scene, node: str, dataset: Object, first: bool, where: str, seen: Seen) -> bool:
    """Say where a dataset came from; whether that is certain."""
    source, kind = _json(draft, dataset, "source", where), draft.words(dataset, "source_type", where) or ""
    if kind == "code":
        return _from_script(draft, scene, node, source, first, where, seen)
    place = _place(source, kind)
    if place is None:
        draft.note(f"{where}/source", f"a source of type {kind[:40]!r} that names no place: its origin is unknown")
        return False
    if kind in ("local", "") and (path := _path(place)) is not None:
        origin = _file(draft, scene, path, seen)
        draft.say(node, DCT.source, rdf.literal(path))
    else:
        namespace, name = named(place)
        namespace = namespace or kind or "mlflow"
        origin = draft.read(scene.node, scene.identifier, draft.dataset(namespace, name))
        _version(draft, origin, namespace, name, source)
    certain = first or origin in (*seen.firm.values(), *seen.loose.values())
    if not certain:
        draft.say(node, PS.claimedSource, rdf.literal(place))
        draft.note(f"{where}/source", f"MLflow gives the source of the first run with {_named(dataset)}: {place}")
    draft.derive(node, [origin], possibly=not certain)
    return certain


def _from_script(draft: Draft, scene: Scene, node: str, source: Object, first: bool, where: str, seen: Seen) -> bool:
    """What a script made in memory: of the only file the run read, possibly of each of several, or of who knows."""
    tags = source.get("tags")
    claimed = tags.get("mlflow.source.name") if isinstance(tags, dict) else None
    if scene.script:
        draft.say(node, DCT.source, rdf.literal(scene.script))
    if isinstance(claimed, str) and claimed and (claimed != scene.script or not first):
        draft.say(node, PS.claimedSource, rdf.literal(claimed))
        draft.note(
            f"{where}/source",
            f"MLflow gives the source of the first run with a dataset of this name and digest: {claimed[:100]!r};"
            f" this run's own is {scene.script[:100]!r}",
        )
    if seen.only:
        draft.derive(node, [seen.only])
        draft.derive(node, seen.loose.values(), possibly=True)
        return True
    draft.derive(node, (*seen.firm.values(), *seen.loose.values()), possibly=True)
    if not seen.firm and not seen.loose:
        draft.note(f"{where}/source", "which script made it is known, what that read is not: its origin is unknown")
    return False


def _file(draft: Draft, scene: Scene, path: str, seen: Seen) -> str:
    """The state of a file that is named as the source; one that the run was seen to read, if it is that."""
    whole = normal(path)
    known = {**seen.loose, **seen.firm}
    same = [place for place in known if place == whole or (not path.startswith("/") and place.endswith(f"/{whole}"))]
    if len(same) == 1:
        return known[same[0]]
    if path.startswith("/"):
        return draft.read(scene.node, scene.identifier, draft.dataset("file", whole))
    draft.note("/run/inputs", f"{path[:100]!r} is a path in a folder that MLflow does not tell")
    asset = draft.dataset(scene.server, f"experiment/{scene.experiment}/file/{whole}")
    return draft.read(scene.node, scene.identifier, asset)


def _place(source: Object, kind: str) -> str | None:
    """The URI, path or name that a source holds."""
    for member in ("uri", "url", "path", "delta_table_name", "table_name"):
        found = source.get(member)
        if isinstance(found, str) and found:
            return (
                f"https://huggingface.co/datasets/{found}" if kind == "hugging_face" and "://" not in found else found
            )
    return None


def _path(place: str) -> str | None:
    """The path of a file, or None where the place is a URI of something else."""
    if place.startswith("file:"):
        return unquote(urlsplit(place).path)
    return None if "://" in place else place


def _version(draft: Draft, origin: str, namespace: str, name: str, source: Object) -> None:
    """The version of a table, or the revision of a repository, that a source names."""
    label = next(
        (source[m] for m in ("delta_table_version", "revision", "version") if source.get(m) not in (None, "")), ""
    )
    if type(label) in (str, int) and label != "":
        dataset = iris.dataset(draft.base, namespace, name)
        version = f"<{iris.version(dataset, str(label))}>"
        draft.type(version, PROV.Entity, PS.Version)
        draft.say(version, PROV.specializationOf, f"<{dataset}>")
        draft.say(version, PS.version, rdf.literal(str(label)))
        draft.say(origin, PROV.specializationOf, version)


def _named(dataset: Object) -> str:
    return f"name {dataset.get('name')!r} and digest {dataset.get('digest')!r}"[:120]


def _json(draft: Draft, holder: Object, member: str, where: str) -> Object:
    """An object that is kept as text."""
    text = holder.get(member)
    if isinstance(text, dict):
        return text
    if not isinstance(text, str) or not text:
        return {}
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        draft.note(f"{where}/{member}", f"ignored: {member!r} must be the text of a JSON object")
        return {}
    return said
