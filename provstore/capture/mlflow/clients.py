"""What the client plugin adds to the tags of a run: the files it read, the state of its code, where it ran."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from provstore.capture.draft import Draft

Tags = Mapping[str, tuple[str, str]]

_READS: Final = "provstore.reads"


@dataclass(frozen=True, slots=True)
class FileRead:
    """A file that the run read: where it lay, its digests by algorithm, its size; whether it holds data."""

    path: str
    digests: Mapping[str, str]
    size: int | None
    data: bool


@dataclass(frozen=True, slots=True)
class Client:
    """What the plugin says; `present` is whether it was there at all."""

    present: bool
    reads: tuple[FileRead, ...]
    dirty: bool | None
    diff: str
    folder: str


def client(draft: Draft, tags: Tags) -> Client:
    """What the tags of the plugin say; what cannot be read is reported."""
    return Client(
        any(key.startswith("provstore.") for key in tags),
        tuple(_reads(draft, tags)),
        {"true": True, "false": False}.get(tags.get("provstore.git.dirty", ("", ""))[0].lower()),
        tags.get("provstore.git.diff_sha256", ("", ""))[0],
        tags.get("provstore.cwd", ("", ""))[0],
    )


def _reads(draft: Draft, tags: Tags) -> list[FileRead]:
    """The files, over as many tags as they take: `provstore.reads`, `provstore.reads.1`, …"""
    found: dict[str, FileRead] = {}
    for key in sorted(tags, key=lambda each: (len(each), each)):
        rest = key.removeprefix(_READS)
        if rest != key and (not rest or rest[1:].isdigit()):
            text, where = tags[key]
            for each in _listed(draft, text, where):
                if read := _read(each):
                    found[read.path] = read
    return [found[path] for path in sorted(found)]


def _listed(draft: Draft, text: str, where: str) -> list[Any]:
    try:
        said = json.loads(text)
    except ValueError:
        said = None
    if not isinstance(said, list):
        draft.note(where, "ignored: the files read must be a JSON list")
        return []
    return said


def _read(said: Any) -> FileRead | None:
    path = said.get("path") if isinstance(said, dict) else None
    if not isinstance(path, str) or not path:
        return None
    digests = {name: each for name in ("sha256", "md5") if isinstance(each := said.get(name), str)}
    size = said.get("size")
    return FileRead(path, digests, size if type(size) is int else None, said.get("kind", "data") == "data")
