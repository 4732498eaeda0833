"""Names of files and addresses as libraries take them: text, paths, lists of them, globs, with a file system or not."""

from __future__ import annotations

import os
from glob import glob, has_magic
from typing import Any
from urllib.parse import unquote, urlsplit

from provstore_mlflow.hook import note, note_file

_SCHEMES = {"gcs": "gs"}


def sources(value: Any, via: str, filesystem: Any = None) -> None:
    """Keep that these are read; what is neither a name nor a list of names was opened by somebody else before."""
    kind = getattr(filesystem, "type_name", "local")
    if isinstance(value, (list, tuple)):
        for each in value[:50_000]:
            sources(each, via, filesystem)
    elif isinstance(value, (str, os.PathLike)):
        name = os.fspath(value)
        name = os.fsdecode(name) if isinstance(name, bytes) else name
        if kind in ("local", "subtree") or "://" in name:
            _one(name, via)
        elif not kind.startswith("py::"):  # a file system in Python is seen where it opens
            note(f"{_SCHEMES.get(kind, kind)}://{name}", via)


def _one(name: str, via: str) -> None:
    if name.startswith("file:"):
        name = unquote(urlsplit(name).path)
    if "://" in name:
        note(name, via)
    elif os.path.isdir(name):
        for folder, _, files in os.walk(name):
            for each in files:
                note_file(os.path.join(folder, each), via)
    elif has_magic(name) and not os.path.exists(name):
        for each in sorted(glob(name, recursive=True))[:50_000]:
            note_file(each, via)
    else:
        note_file(name, via)
