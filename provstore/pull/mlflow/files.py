"""The files of a logged model, hashed as they come over REST; what tells its environment is kept as text."""

from __future__ import annotations

import hashlib
from typing import Any, Final

from provstore.errors import NotFound
from provstore.pull.mlflow.listing import Listing

#: What MLflow writes beside a model to tell its environment.
_TOLD: Final = ("requirements.txt", "python_env.yaml")
_MAX_TOLD: Final = 1 << 20


def hashed(listing: Listing, model: str, most: int) -> tuple[list[dict[str, Any]], dict[str, str]] | None:
    """Path, size and SHA-256 of each file, and the texts that tell the environment; None where there is no file.

    A file of more than `most` bytes, by what MLflow or the download says, has no SHA-256.
    """
    files: list[dict[str, Any]] = []
    texts: dict[str, str] = {}
    try:
        listed = sorted(listing.files(model))
    except NotFound:
        return None
    for path, size in listed:
        if size > most:
            files.append({"path": path, "size": size})
            continue
        files.append(_hashed(listing, model, path, most, texts))
    return (files, texts) if files else None


def _hashed(listing: Listing, model: str, path: str, most: int, texts: dict[str, str]) -> dict[str, Any]:
    digest, size, held = hashlib.sha256(), 0, bytearray()
    for chunk in listing.file(model, path):
        size += len(chunk)
        if size > most:
            return {"path": path, "size": size}
        digest.update(chunk)
        if path in _TOLD and size <= _MAX_TOLD:
            held += chunk
    if path in _TOLD and size <= _MAX_TOLD:
        texts[path] = held.decode(errors="replace")
    return {"path": path, "size": size, "sha256": digest.hexdigest()}
