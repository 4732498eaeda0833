"""The data folders that ship with the code, in a checkout and in a wheel alike."""

from __future__ import annotations

from pathlib import Path

from provstore.errors import Misconfigured, NotFound

_PACKAGE = Path(__file__).resolve().parent
#: A wheel holds the folders inside the package; a checkout has them beside it. The first that exists is taken.
_HOMES = (_PACKAGE / "data", _PACKAGE.parent)
_FOLDERS = ("ontology", "shapes", "queries", "examples")


def folder(name: str) -> Path:
    """The directory of one kind of data; NotFound for another kind, Misconfigured where it was not installed."""
    if name not in _FOLDERS:
        raise NotFound(f"no data folder {name!r}: there are {', '.join(_FOLDERS)}")
    for home in _HOMES:
        if (home / name).is_dir():
            return home / name
    raise Misconfigured(f"the folder {name!r} is neither in {_HOMES[0]} nor in {_HOMES[1]}: install provstore again")


def files(name: str, pattern: str) -> list[Path]:
    """The files of a data folder that match a glob pattern, at any depth, sorted by path."""
    return sorted(path for path in folder(name).rglob(pattern) if path.is_file())


def read(name: str, path: str) -> bytes:
    """The bytes of one file of a data folder, named relative to it; NotFound for what is not in it."""
    home = folder(name)
    found = (home / path).resolve()
    if not found.is_relative_to(home.resolve()) or not found.is_file():
        raise NotFound(f"no file {path!r} in {name}")
    return found.read_bytes()
