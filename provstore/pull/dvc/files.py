"""What DVC's own files say: `dvc.lock` (schemas 1.0 and 2.0), `.dvc`, `dvc.yaml`, with paths of the repository."""

from __future__ import annotations

import hashlib
import json
import posixpath
import re
from typing import Any, Final

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


def folder_of(stage: Object, folder: str) -> str:
    """What the paths of a stage are relative to: its `wdir`, if it has one, in the folder of its file."""
    wdir = stage.get("wdir")
    return place(folder, wdir) if isinstance(wdir, str) else folder


def listed(paths: Any, folder: str, option: str = "") -> list[str]:
    """The paths in a list of paths, or of maps from a path to its options; those that have one where it is named."""
    found = []
    for each in _list(paths):
        named = {each: None} if isinstance(each, str) else _map(each)
        found += [
            place(folder, str(name))
            for name, options in named.items()
            if not option or _map(options).get(option) is True
        ]
    return found


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
    found = [item(each, folder) for each in _list(listed) if isinstance(each, dict) and _text(each.get("path"))]
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
    told = [raw, *_map(raw.get("cloud")).values()]
    versions = sorted({version for each in told if (version := _text(_map(each).get("version_id")))})
    if versions:
        found["versions"] = versions
    if isinstance(raw.get("dataset"), dict) and (origin := _dataset(raw["dataset"])):
        found["origin"] = origin
    return found


def _members(listed: Any) -> list[Object]:
    found = []
    for each in _list(listed):
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
    origins = [found for each in _list(held.get("deps")) if (found := _origin(each, folder))]
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


def _dataset(lock: Object) -> Object | None:
    """What a dataset of the `datasets` in a `dvc.yaml` (`ds://name`) was when a stage read it."""
    url, kind = _text(lock.get("url")), lock.get("type")
    if not url:
        return None
    if kind == "dvc":
        found: Object = {"path": _text(lock.get("path")) or ".", "repository": url}
        for name, member in (("commit", "rev_lock"), ("revision", "rev")):
            if _text(lock.get(member)):
                found[name] = lock[member]
        return found
    if kind == "url":
        listed = [{**_map(each.get("meta")), **each} for each in _list(lock.get("files")) if isinstance(each, dict)]
        return item({**_map(lock.get("meta")), "path": url, "files": listed}, "")
    version = lock.get("version")
    return {"path": url, **({"revision": str(version)} if type(version) in (int, str) else {})}


def models(artifacts: Any, folder: str) -> dict[str, Object]:
    """Path → the model that the `artifacts` of a `dvc.yaml` declare there, by DVC's own name for it."""
    found: dict[str, Object] = {}
    for name, each in sorted(_map(artifacts).items()):
        if isinstance(each, dict) and each.get("type") == "model" and _text(each.get("path")):
            model: Object = {"name": f"{folder}/dvc.yaml:{name}" if folder else name}
            if _text(each.get("desc")):
                model["description"] = each["desc"]
            labels = [label for label in _list(each.get("labels")) if isinstance(label, str)]
            if labels:
                model["labels"] = sorted(labels)
            found[place(folder, each["path"])] = model
    return found


def _map(value: Any) -> Object:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
