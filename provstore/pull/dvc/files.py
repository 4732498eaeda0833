"""What DVC's own files say: `dvc.lock` (schemas 1.0 and 2.0), `.dvc`, `dvc.yaml`, with paths of the repository."""

from __future__ import annotations

import hashlib
import json
import posixpath
import re
from collections.abc import Mapping
from typing import Any, Final

from provstore.capture.dvc import flat
from provstore.errors import InvalidInput
from provstore.pull import yaml

Object = dict[str, Any]

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
#: MD5 as DVC 3 takes it; a lock that does not say `hash: md5` is of DVC 2, which normalised the line ends of text.
MD5: Final = "md5"
MD5_DOS2UNIX: Final = "md5-dos2unix"


def place(folder: str, path: str) -> str:
    """A path as one of the repository; an address or an absolute path stands for itself."""
    if _URL.match(path) or path.startswith("/"):
        return path
    return posixpath.normpath(posixpath.join(folder, path.replace("\\", "/")))


def mapping(data: bytes) -> Object:
    """The map that a YAML file holds, an empty one where it holds nothing."""
    value = yaml.load(data)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InvalidInput("wanted a map at the top")
    return value


def locked(data: bytes) -> dict[str, Object]:
    """The stages of a `dvc.lock` by name, as they stand there; schema 1.0 has them at the top."""
    held = mapping(data)
    stages = held.get("stages", {}) if "schema" in held else held
    if not isinstance(stages, dict):
        raise InvalidInput("'stages' must be a map")
    return {name: stage for name, stage in stages.items() if isinstance(stage, dict) and "cmd" in stage}


def execution(stage: Object, folder: str) -> Object:
    """A stage of a lock or of a `.dvc` file with a command: its command, inputs, parameters and outputs.

    `folder` is that which its paths are relative to: the folder of its file, or its `wdir` there.
    """
    parameters = {
        place(folder, file): values
        for file, values in _map(stage.get("params")).items()
        if isinstance(values, dict) and values
    }
    deps, outs = items(stage.get("deps"), folder), items(stage.get("outs"), folder)
    return {"cmd": stage.get("cmd"), "deps": deps, "outs": outs, "params": parameters}


def items(listed: Any, folder: str) -> list[Object]:
    """Dependencies or outputs in the order of their paths."""
    found = [item(each, folder) for each in listed or () if isinstance(each, dict) and _text(each.get("path"))]
    return sorted(found, key=lambda each: str(each["path"]))


def item(raw: Object, folder: str) -> Object:
    """One dependency or output: its path, its digest by algorithm, size, number of files, what a cloud calls it."""
    found: Object = {"path": place(folder, raw["path"])}
    members = _members(raw.get("files"))
    if _text(raw.get("md5")):
        found["hash"] = {"algorithm": MD5 if raw.get("hash") == "md5" else MD5_DOS2UNIX, "value": raw["md5"]}
    elif members and all("md5" in each for each in members):
        found["hash"] = {"algorithm": MD5, "value": directory([(m["path"], m["md5"]) for m in members])}
    if members:
        found["members"] = members
    for name in ("etag", "checksum"):
        if _text(raw.get(name)):
            found[name] = raw[name]
    for name in ("size", "nfiles"):
        if type(raw.get(name)) is int:
            found[name] = raw[name]
    versions = sorted(
        {cloud["version_id"] for cloud in _map(raw.get("cloud")).values() if _text(_map(cloud).get("version_id"))}
    )
    return {**found, "versions": versions} if versions else found


def _members(listed: Any) -> list[Object]:
    found = []
    for each in listed if isinstance(listed, list) else ():
        if isinstance(each, dict) and _text(each.get("relpath")):
            member = {"path": each["relpath"]}
            if _text(each.get("md5")):
                member["md5"] = each["md5"]
            found.append(member)
    return sorted(found, key=lambda member: member["path"])


def directory(members: list[tuple[str, str]]) -> str:
    """The digest by which DVC names a directory: the MD5 of the list of its files' paths and MD5s, and `.dir`."""
    listed = [{"md5": digest, "relpath": path} for path, digest in sorted(members)]
    text = json.dumps(listed, sort_keys=True)  # as dvc-data's `Tree.as_bytes` writes it
    return f"{hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()}.dir"


def tracked(data: bytes, path: str) -> list[Object]:
    """What a `.dvc` file without a command tracks: each output, and what it was imported from."""
    held = mapping(data)
    folder = place(posixpath.dirname(path), _text(held.get("wdir")) or ".")
    origins = [found for each in held.get("deps") or () if (found := _origin(each, folder))]
    rows = []
    for out in items(held.get("outs"), folder):
        rows.append({**out, "origins": origins} if origins else out)
    return rows


def has_command(data: bytes) -> bool:
    """Whether a `.dvc` file is a stage of its own, as DVC before 1.0 wrote them."""
    return _text(mapping(data).get("cmd")) != ""


def _origin(raw: Any, folder: str) -> Object | None:
    """What an import was made from: a path in another repository at a commit, or an address."""
    if not isinstance(raw, dict):
        return None
    if isinstance(raw.get("db"), dict):
        return {"query": {k: v for k, v in raw["db"].items() if k in ("query", "table", "connection") and _text(v)}}
    if not _text(raw.get("path")):
        return None
    repository = raw.get("repo")
    if not isinstance(repository, dict) or not _text(repository.get("url")):
        return item(raw, folder)
    found = {**item(raw, ""), "repository": repository["url"]}
    for name, member in (("commit", "rev_lock"), ("revision", "rev")):
        if _text(repository.get(member)):
            found[name] = repository[member]
    return found


def models(definition: Mapping[str, Any], folder: str) -> dict[str, Object]:
    """Path → the model that the `artifacts` of a `dvc.yaml` declare there, by DVC's own name for it."""
    found: dict[str, Object] = {}
    for name, each in sorted(_map(definition.get("artifacts")).items()):
        if isinstance(each, dict) and each.get("type") == "model" and _text(each.get("path")):
            model: Object = {"name": f"{folder}/dvc.yaml:{name}" if folder else name}
            if _text(each.get("desc")):
                model["description"] = each["desc"]
            labels = [label for label in each.get("labels") or () if isinstance(label, str)]
            if labels:
                model["labels"] = sorted(labels)
            found[place(folder, each["path"])] = model
    return found


def numbers(text: bytes, path: str) -> dict[str, float | int]:
    """The numbers in a metrics file (JSON or YAML) by their dotted keys; none where it cannot be read."""
    try:
        value = json.loads(text) if path.endswith(".json") else yaml.load(text)
    except (ValueError, RecursionError, InvalidInput):
        return {}
    found = {key: number for key, number in flat(value) if isinstance(number, int | float) and type(number) is not bool}
    return found if len(found) <= 10_000 else {}


def _map(value: Any) -> Object:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
