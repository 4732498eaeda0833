"""Files that MLflow keeps, of a logged model or among the artifacts of a run, hashed as they come over REST.

What tells a model's environment is kept as text.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from provstore.errors import NotFound
from provstore.pull.mlflow.listing import Listing

Object = dict[str, Any]
Listed = tuple[str, int]
Opened = Callable[[str], Iterator[bytes]]

#: What MLflow writes beside a model to tell its environment.
_TOLD: Final = ("requirements.txt", "python_env.yaml")
_MAX_TOLD: Final = 1 << 20
#: So many artifacts of a run are listed, and so many of them hashed.
_MOST_LISTED, _MOST_HASHED = 2000, 500


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many bytes are hashed: of `each` file (0: files are not asked for), and of all artifacts of a `run`."""

    each: int = 2 << 30
    run: int = 64 << 20


def of_model(listing: Listing, model: str, most: int) -> tuple[list[Object], dict[str, str]] | None:
    """What `hashed` gives of the files of a logged model; None where there is no file."""
    try:
        found = list(listing.files(model))
    except NotFound:
        return None
    return hashed(found, lambda path: listing.file(model, path), most) if found else None


def hashed(listed: Iterable[Listed], opened: Opened, most: int) -> tuple[list[Object], dict[str, str]]:
    """Path, size and SHA-256 of each file of a model, and the texts that tell the environment.

    A file of more than `most` bytes, by what MLflow or the download says, has no SHA-256.
    """
    texts: dict[str, str] = {}
    return [_file(path, size, opened, most, texts) for path, size in sorted(listed)], texts


def listed(files: Iterable[Listed]) -> tuple[list[Listed], bool]:
    """The files, in order of their paths, and whether there are more than are listed."""
    given = iter(files)
    return sorted(islice(given, _MOST_LISTED)), next(given, None) is not None


def within(listed: Iterable[Listed], opened: Opened, bounds: Bounds, known: Mapping[Listed, str]) -> list[Object]:
    """Path, size and, as far as the bounds go, SHA-256 of each artifact of a run: the smallest are hashed first.

    `known` are the digests by path and size that need not be taken again.
    """
    found: dict[str, Object] = {}
    left, many = bounds.run, _MOST_HASHED
    for path, size in sorted(listed, key=lambda each: (each[1], each[0])):
        left, many = left - size, many - 1
        if digest := known.get((path, size)):
            found[path] = {"path": path, "size": size, "sha256": digest}
        elif left < 0 or many < 0:
            found[path] = {"path": path, "size": size}
        else:
            found[path] = _file(path, size, opened, min(bounds.each, left + size), {})
    return [found[path] for path in sorted(found)]


def whole(chunks: Iterator[bytes], most: int) -> str | None:
    """A text; None where it has more than `most` bytes."""
    held = bytearray()
    for chunk in chunks:
        held += chunk
        if len(held) > most:
            return None
    return held.decode(errors="replace")


def _file(path: str, listed: int, opened: Opened, most: int, texts: dict[str, str]) -> Object:
    if listed > most:
        return {"path": path, "size": listed}
    digest, size, held = hashlib.sha256(), 0, bytearray()
    for chunk in opened(path):
        size += len(chunk)
        if size > most:
            return {"path": path, "size": size}
        digest.update(chunk)
        if path in _TOLD and size <= _MAX_TOLD:
            held += chunk
    if path in _TOLD and size <= _MAX_TOLD:
        texts[path] = held.decode(errors="replace")
    return {"path": path, "size": size, "sha256": digest.hexdigest()}
