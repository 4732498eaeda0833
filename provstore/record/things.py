"""What a step may use or generate, as members of a `step/1` payload: files, data in memory, tables, models, items."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from provstore.observe.hashing import FileDigest, Hasher
from provstore.record import frames

Facts = dict[str, Any]

#: Elements of a list or an object that are kept of a value.
_MOST = 1000

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:(?://|/)")
_MODEL = re.compile(r"(?:models|runs):/")


@dataclass(frozen=True, slots=True)
class Thing:
    """Something to be used or generated, said outright; `path` is what is to be hashed, if anything."""

    facts: Mapping[str, Any]
    path: str = ""


class Unknown(ValueError):
    """Nobody can tell what an object is."""


def file(path: str | os.PathLike[str], *, name: str = "", namespace: str = "file") -> Thing:
    """A file or directory, or what lies at a URL; `name`, where its absolute path is not what it is known by."""
    where = path_of(path)
    if not where and os.fspath(path):
        return Thing({**_addressed(os.fspath(path)), **_kept({"name": name})})
    absolute = os.path.abspath(where)
    return Thing({"type": "file", "namespace": namespace, "name": name or absolute}, absolute)


def table(namespace: str, name: str, *, version: str | int = "", mode: str = "") -> Thing:
    """A table of a database; `version` of the snapshot, `mode` of writing it (OVERWRITE, APPEND, MERGE, …)."""
    return Thing(_kept({"type": "table", "namespace": namespace, "name": name, "version": str(version), "mode": mode}))


def url(address: str, *, sha256: str = "", version: str = "") -> Thing:
    """What lies at a URL; nobody fetches it, so give the digest or the version (an ETag) of what you got."""
    return Thing(_kept({**_addressed(address), "sha256": sha256, "version": version}))


def model(where: str | os.PathLike[str], *, name: str = "") -> Thing:
    """A model: MLflow's URI of it (`models:/m-…`, `models:/name/3`, `runs:/…`), its file or directory, or its URL."""
    text = os.fspath(where)
    if _MODEL.match(text):
        return Thing(_kept({"type": "model", "uri": text, "label": name}))
    made = file(text)
    return Thing({**made.facts, "type": "model", **({"label": name} if name else {})}, made.path)


def item(
    key: str, *, namespace: str = "", value: Any = None, kind: str = "item", subject: str = "", unit: str = ""
) -> Thing:
    """A single item by its key or IRI: a record, a `prediction` or a `decision`; `value` is stored in clear.

    A value that must not be stored is given as a commitment (`record.commit`). `subject` is the pseudonym of whom it
    is about; `unit` an IRI of QUDT.
    """
    said = {"type": kind, "namespace": namespace, "key": key, "subject": subject, "unit": unit}
    return Thing({**_kept(said), **({} if value is None else {"value": value_of(value)})})


def data(value: Any, name: str, *, namespace: str = "") -> Thing:
    """A frame or an array under a name of its own."""
    return Thing({**described(value, Hasher()), **_kept({"name": name, "namespace": namespace})})


def value_of(value: Any, depth: int = 6) -> Any:
    """A value as JSON has it, lists and objects of such too, or a commitment; of anything else its text."""
    commitment = getattr(value, "commitment", None)
    if isinstance(commitment, str):
        return {"commitment": commitment}
    if hasattr(value, "item") and getattr(value, "ndim", None) == 0:  # a number of numpy
        value = value.item()
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return str(value)
    if value is None or isinstance(value, (bool, int, float, str)):
        return value if type(value) in (bool, int, float, str, type(None)) else _base(value)
    if depth and isinstance(value, (list, tuple)):
        return [value_of(each, depth - 1) for each in value[:_MOST]]
    if depth and isinstance(value, Mapping):
        return {str(name): value_of(each, depth - 1) for name, each in list(value.items())[:_MOST]}
    return str(value)[:2000]


def _base(value: Any) -> Any:
    """A subclass of a number or of text (an enumeration, say) as what it is of."""
    return next(kind(value) for kind in (bool, int, float, str) if isinstance(value, kind))


def _kept(said: Facts) -> Facts:
    return {name: value for name, value in said.items() if value not in ("", None)}


def described(value: Any, hasher: Hasher) -> Facts:
    """The members that tell of an object; Unknown where it is nothing that can be told of."""
    if isinstance(value, Thing):
        return {**value.facts, **(hashed(value.path, hasher) if value.path else {})}
    path = path_of(value)
    if path:
        return described(file(path), hasher)
    if isinstance(value, str) and value:
        return dict(model(value).facts) if _MODEL.match(value) else _addressed(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return {"type": "bytes", "size": len(value), "sha256": hashlib.sha256(value).hexdigest()}
    if frames.kind_of(value):
        return _in_memory(value)
    raise Unknown(f"{type(value).__name__} is no file, frame, array or URL: name it with record.item or record.data")


def path_of(value: Any) -> str:
    """The path that a path, a `file:` URL or an open file is of; "" where something else is meant."""
    if isinstance(value, (str, os.PathLike)):
        text = os.fsdecode(os.fspath(value))
        if text.startswith("file:/"):
            return unquote(urlsplit(text).path)
        return "" if isinstance(value, str) and (_MODEL.match(text) or _URL.match(text)) else text
    name = getattr(value, "name", None)
    return os.fsdecode(name) if isinstance(name, (str, bytes)) and hasattr(value, "fileno") else ""


def _in_memory(value: Any) -> Facts:
    try:
        found = frames.content(value)
    except frames.NoCanonicalForm as error:
        return {"type": frames.kind_of(value), "unread": str(error)[:300]}
    facts: Facts = {"type": found.kind, "sha256": found.sha256, "rows": found.rows}
    if found.columns:
        facts["columns"] = [{"name": name, "type": kind} for name, kind in found.columns]
    if found.shape:
        facts |= {"shape": list(found.shape), "dtype": found.dtype}
    return facts


def hashed(path: str, hasher: Hasher) -> Facts:
    """Size and digests of a file or directory, or why there are none."""
    directory = os.path.isdir(path)
    found: FileDigest = hasher.tree(path) if directory else hasher.file(path)
    if found.refused:
        return {"unread": found.refused[:300]}
    facts: Facts = {"size": found.size, "sha256": found.sha256, "md5": found.md5}
    if found.changed:
        facts["changed"] = True
    return facts


def _addressed(address: str) -> Facts:
    """Namespace and name of a URL, as OpenLineage names datasets: `s3://bucket` and key, `https://host` and path."""
    parts = urlsplit(address)
    host = parts.netloc.rpartition("@")[2]
    path = parts.path.lstrip("/") if parts.scheme not in ("http", "https") else parts.path or "/"
    name = f"{path}?{parts.query}" if parts.query else path
    return {"type": "url", "namespace": f"{parts.scheme}://{host}", "name": name or "/"}
