"""The bytes that DVC's caches or the work tree still hold: by what other names than DVC's MD5 they are known."""

from __future__ import annotations

import hashlib
import json
import re
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from provstore.pull.dvc import config, values
from provstore.pull.dvc.contents import CHUNK, unix
from provstore.pull.dvc.files import MD5, MD5_DOS2UNIX, Object
from provstore.pull.yaml import MAX_BYTES

_MD5 = re.compile(r"[0-9a-f]{32}(?:\.dir)?\Z")
#: Files of one directory that are told; of a larger one only what the lock says.
MAX_MEMBERS: Final = 10_000
_MANIFEST_BYTES = 64 << 20
#: Lists of directories that are kept: one stage's output is the next one's input.
_KEPT: Final = 16
#: Where a cache keeps bytes by which MD5. DVC 3 reads on what DVC 2 has left.
_PLACES = {MD5: ("files/md5", ""), MD5_DOS2UNIX: ("",)}
_MEMBER = {MD5: "md5", MD5_DOS2UNIX: "dos2unix"}

#: Files of a directory by their paths: name of the digest (`md5`, `dos2unix`) → path and digest of each.
Manifest = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Digests:
    """The digests of a file's bytes, in lower-case hex, and their number."""

    md5: str
    dos2unix: str
    sha256: str
    size: int

    def told(self) -> Object:
        return {"md5": self.md5, "sha256": self.sha256, "size": self.size}


def folders(work_tree: Path, projects: Iterable[str]) -> list[Path]:
    """Where the caches of the projects in a work tree are: `cache.dir` of their configuration, else `.dvc/cache`.

    What a user or a system configures is not looked at.
    """
    found: dict[Path, None] = {}
    for project in projects:
        home = work_tree / project / ".dvc"
        said = ""
        for name in ("config", "config.local"):
            try:
                said = config.parsed((home / name).read_bytes()[:_MANIFEST_BYTES]).cache or said
            except OSError:
                continue
        found[home / said if said else home / "cache"] = None
    return list(found)


class Caches:
    """Looks up what a walk met; a file is told by its digests where its bytes have the MD5 that it is kept under."""

    def __init__(self, work_tree: Path | None, caches: Iterable[Path], most: int) -> None:
        self._root, self._caches, self._most = work_tree, list(caches), most
        self._wanted: dict[tuple[str, str], set[str]] = {}  # (algorithm, MD5) → paths in the repository
        self._seen: dict[Path, Digests | None] = {}
        self._lists: OrderedDict[tuple[str, str], Manifest] = OrderedDict()
        self.told: list[tuple[str, str]] = []

    def want(self, items: Iterable[Object]) -> None:
        """Note the MD5s of dependencies and outputs whose bytes git does not have."""
        for item in items:
            told = item.get("hash", {})
            if told.get("algorithm") in _PLACES and _MD5.match(told["value"]) and "sha256" not in item.get("git", {}):
                self._wanted.setdefault((told["algorithm"], told["value"]), set()).add(item["path"])

    def found(self) -> Iterator[Object]:
        """For each MD5 whose bytes are at hand: all their digests and size, or the files of the directory it names."""
        for (algorithm, digest), paths in sorted(self._wanted.items()):
            name = {_MEMBER[algorithm]: digest}
            if digest.endswith(".dir"):
                if members := self._members(algorithm, digest):
                    yield {**name, "members": members}
            elif held := self._file(algorithm, digest, paths):
                yield {**name, **held.told()}

    def manifest(self, digest: str, algorithm: str = MD5) -> Manifest:
        """(path, MD5) of each file in a directory, where a cache has the list that its digest is of; sorted."""
        key = (algorithm, digest)
        if key not in self._lists:
            path = self._cached(algorithm, digest)
            self._lists[key] = self._listed(path, digest) if path else []
            if len(self._lists) > _KEPT:
                self._lists.popitem(last=False)
        return self._lists[key]

    def numbers(self, digest: str, path: str) -> dict[str, float | int]:
        """The numbers in a metrics file of which a cache has the bytes; none where it has not."""
        cached = self._cached(MD5, digest)
        try:
            data = cached.read_bytes() if cached and cached.stat().st_size <= min(self._most, MAX_BYTES) else b""
        except OSError:
            return {}
        return values.numbers(data, path) if hashlib.md5(data, usedforsecurity=False).hexdigest() == digest else {}

    def _cached(self, algorithm: str, digest: str) -> Path | None:
        for folder in self._caches:
            for place in _PLACES[algorithm]:
                path = folder / place / digest[:2] / digest[2:]
                if path.is_file():
                    return path
        return None

    def _file(self, algorithm: str, digest: str, paths: Iterable[str]) -> Digests | None:
        cached = self._cached(algorithm, digest)
        for path in [cached] if cached else self._beside(paths):
            if path not in self._seen:
                self._seen[path] = _digests(path, self._most)
            held = self._seen[path]
            if held and digest == (held.md5 if algorithm == MD5 else held.dos2unix):
                return held
            if cached and held:
                self._tell(path, "the cached bytes do not have the MD5 that they are kept under")
        return None

    def _beside(self, paths: Iterable[str]) -> Iterator[Path]:
        """The files of the work tree at paths of the repository; the bytes of an older commit have gone from there."""
        for each in sorted(paths) if self._root else ():
            if self._root and not each.startswith(("/", "../")) and "://" not in each and "\0" not in each:
                yield self._root / each

    def _members(self, algorithm: str, digest: str) -> list[Object]:
        """The files that a directory's list names, by MD5, and by SHA-256 where every one of them is in a cache."""
        members = self.manifest(digest, algorithm)
        if len(members) > MAX_MEMBERS:
            return []
        held = [self._file(algorithm, md5, ()) if _MD5.match(md5) else None for _, md5 in members]
        if all(held):
            return [{"path": name, **each.told()} for (name, _), each in zip(members, held, strict=True) if each]
        return [{"path": name, _MEMBER[algorithm]: md5} for name, md5 in members]

    def _listed(self, path: Path, digest: str) -> Manifest:
        try:
            data = path.read_bytes() if path.stat().st_size <= _MANIFEST_BYTES else b""
            members = sorted((str(each["relpath"]), str(each["md5"])) for each in json.loads(data))
        except (OSError, ValueError, RecursionError, TypeError, KeyError):
            return []
        if hashlib.md5(data, usedforsecurity=False).hexdigest() != digest.removesuffix(".dir"):
            self._tell(path, "the cached list does not have the MD5 that it is kept under")
            return []
        return members

    def _tell(self, path: Path, message: str) -> None:
        inside = self._root and path.is_relative_to(self._root)
        told = str(path.relative_to(self._root)) if self._root and inside else str(path), message
        if told not in self.told:
            self.told.append(told)


def _digests(path: Path, most: int) -> Digests | None:
    """The digests of a file; None where it cannot be read, or is larger than `most`."""
    md5, dos2unix = hashlib.md5(usedforsecurity=False), hashlib.md5(usedforsecurity=False)
    sha256, size = hashlib.sha256(), 0
    try:
        if not path.is_file() or path.stat().st_size > most:
            return None
        with path.open("rb") as stream:
            while chunk := stream.read(CHUNK):
                md5.update(chunk)
                dos2unix.update(unix(chunk))
                sha256.update(chunk)
                size += len(chunk)
    except OSError:
        return None
    return Digests(md5.hexdigest(), dos2unix.hexdigest(), sha256.hexdigest(), size)
