"""The bytes that DVC's cache or the work tree still holds: by what other names than DVC's MD5 they are known."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from provstore.pull.dvc.files import MD5, Object

_MD5 = re.compile(r"[0-9a-f]{32}(?:\.dir)?\Z")
#: Files of one directory that are told; of a larger one only what the lock says.
MAX_MEMBERS: Final = 10_000
_MANIFEST_BYTES = 64 << 20


class Caches:
    """Looks up what a walk met; a file is told by its digests where its bytes have the MD5 that it is kept under."""

    def __init__(self, work_tree: Path, most: int) -> None:
        self._root, self._most = work_tree, most
        self._wanted: dict[str, set[str]] = {}  # MD5 → paths in the repository
        self.told: list[tuple[str, str]] = []

    def want(self, items: Iterable[Object]) -> None:
        """Note the MD5s of dependencies and outputs; that of DVC 2 says nothing of the bytes."""
        for item in items:
            told = item.get("hash", {})
            if told.get("algorithm") == MD5 and _MD5.match(told["value"]) and "sha256" not in item.get("git", {}):
                self._wanted.setdefault(told["value"], set()).add(item["path"])

    def found(self) -> Iterator[Object]:
        """For each MD5 whose bytes are at hand: its SHA-256 and size, or the files of the directory that it names."""
        for digest, paths in sorted(self._wanted.items()):
            if digest.endswith(".dir"):
                if (path := self._cached(digest)) and (members := self._members(path, digest)):
                    yield {"md5": digest, "members": members}
            elif said := self._file(digest, paths):
                yield said

    def manifest(self, digest: str) -> list[tuple[str, str]]:
        """(path, MD5) of each file in a directory, where the cache has the list that its digest is of."""
        path = self._cached(digest)
        return [(each["path"], each["md5"]) for each in self._members(path, digest)] if path else []

    def _cached(self, digest: str) -> Path | None:
        for folder in (".dvc/cache/files/md5", ".dvc/cache"):
            path = self._root / folder / digest[:2] / digest[2:]
            if path.is_file():
                return path
        return None

    def _file(self, digest: str, paths: Iterable[str]) -> Object | None:
        cached = self._cached(digest)
        inside = [
            self._root / each for each in sorted(paths) if not each.startswith(("/", "../")) and "://" not in each
        ]
        for path in [cached] if cached else inside:
            md5, sha256, size = _digests(path, self._most)
            if md5 == digest:
                return {"md5": md5, "sha256": sha256, "size": size}
            if cached and md5:
                self._tell(path, "the cached bytes do not have the MD5 that they are kept under")
        return None

    def _members(self, path: Path, digest: str) -> list[Object]:
        """The files that a directory's list names, by MD5, and by SHA-256 where every one of them is in the cache."""
        try:
            data = path.read_bytes() if path.stat().st_size <= _MANIFEST_BYTES else b""
            members = sorted((str(each["relpath"]), str(each["md5"])) for each in json.loads(data))
        except (OSError, ValueError, RecursionError, TypeError, KeyError):
            return []
        if hashlib.md5(data, usedforsecurity=False).hexdigest() != digest.removesuffix(".dir"):
            self._tell(path, "the cached list does not have the MD5 that it is kept under")
            return []
        if len(members) > MAX_MEMBERS:
            return []
        held = [self._file(md5, ()) if _MD5.match(md5) else None for _, md5 in members]
        if all(held):
            return [{"path": name, **each} for (name, _), each in zip(members, held, strict=True) if each]
        return [{"path": name, "md5": md5} for name, md5 in members]

    def _tell(self, path: Path, message: str) -> None:
        self.told.append((str(path.relative_to(self._root)), message))


def _digests(path: Path, most: int) -> tuple[str, str, int]:
    """MD5, SHA-256 and size of a file; empty where it cannot be read, or is larger than `most`."""
    md5, sha256, size = hashlib.md5(usedforsecurity=False), hashlib.sha256(), 0
    try:
        if not path.is_file() or path.stat().st_size > most:
            return "", "", 0
        with path.open("rb") as stream:
            while chunk := stream.read(1 << 20):
                md5.update(chunk)
                sha256.update(chunk)
                size += len(chunk)
    except OSError:
        return "", "", 0
    return md5.hexdigest(), sha256.hexdigest(), size
