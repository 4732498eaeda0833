"""Digests of files: SHA-256 and MD5 in one pass, and a cache that knows a file again by its stat."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_CHUNK = 1 << 20
#: A file that changed this shortly before it was looked at may change again and keep its stat: it is not cached. Clocks
#: of file systems tick every few milliseconds, of some only every one or two seconds.
_TICK, _COARSE_TICK = 100_000_000, 2_000_000_000
_SECOND = 1_000_000_000
#: More lines than this are written anew, each file once.
_MOST_LINES = 100_000


@dataclass(frozen=True, slots=True)
class FileDigest:
    """Size in bytes and digests (hexadecimal) of a file; `refused` says why there are none.

    `changed` is True where the file was written to or replaced while it was read: then the digests are of what was
    read, which the file may never have been.
    """

    path: str
    size: int = 0
    sha256: str = ""
    md5: str = ""
    changed: bool = False
    refused: str = ""


_Key = tuple[str, int, int, int, int, int]


class Hasher:
    """Digests of files, each read once while it stays as it is; for any number of threads.

    A file is known again by path, device, inode, times of change and size. `store` is a file of JSON lines that keeps
    what was found for later processes; several may append to it at once, and a torn line is passed over.
    """

    def __init__(self, store: Path | None = None) -> None:
        self._store = store
        self._known: dict[_Key, FileDigest] = {}
        self._loaded = store is None
        self._lock, self._pid = threading.Lock(), os.getpid()

    def file(self, path: str | os.PathLike[str], most: int | None = None) -> FileDigest:
        """The digests of one regular file, links followed; FIFOs, devices and files of over `most` bytes are refused.

        Never raises.
        """
        name = os.fsdecode(path) if isinstance(path, (bytes, str)) else str(path)
        try:
            absolute = os.path.abspath(name)
            before = os.stat(absolute)
            refused = _refused(before, most)
            if refused:
                return FileDigest(absolute, before.st_size, refused=refused)
            key = _key(absolute, before)
            with self._locked():
                self._load()
                known = self._known.get(key)
            return known or self._read(absolute, key)
        except Exception as error:
            return FileDigest(name, refused=f"{type(error).__name__}: {getattr(error, 'strerror', None) or error}")

    def _read(self, path: str, key: _Key) -> FileDigest:
        started = time.time_ns()
        # a FIFO that has just taken the file's place must not make us wait
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        with open(descriptor, "rb", buffering=0) as file:
            opened = os.fstat(descriptor)
            if not stat.S_ISREG(opened.st_mode):
                return FileDigest(path, refused="not a regular file")
            sha256, md5, size = hashlib.sha256(), hashlib.md5(usedforsecurity=False), 0
            buffer = bytearray(_CHUNK)
            view = memoryview(buffer)
            while count := file.readinto(buffer):
                sha256.update(view[:count])
                md5.update(view[:count])
                size += count
            closed = _key(path, os.fstat(descriptor))
        changed = closed != key or _key_now(path) != key or size != key[-1]
        found = FileDigest(path, size, sha256.hexdigest(), md5.hexdigest(), changed)
        if not changed and _settled(key, started):
            self._keep(key, found)
        return found

    def _keep(self, key: _Key, found: FileDigest) -> None:
        with self._locked():
            self._known[key] = found
        if self._store:
            line = json.dumps([key, found.sha256, found.md5]) + "\n"
            with suppress(OSError):  # a cache that cannot be written is none
                _append(self._store, line.encode())

    def _locked(self) -> threading.Lock:
        """The lock of this process: a thread of the parent may have held the one that a fork copied."""
        if self._pid != os.getpid():
            self._lock, self._pid = threading.Lock(), os.getpid()
        return self._lock

    def _load(self) -> None:
        """Read what earlier processes found, once; called under the lock."""
        if self._loaded or not self._store:
            return
        self._loaded = True
        count = 0
        with suppress(OSError):
            for key, found in _lines(self._store):
                count += 1
                self._known[key] = found
        if count > _MOST_LINES:
            with suppress(OSError):
                self._rewrite()

    def _rewrite(self) -> None:
        """Only the last line of each path stays; lines that others append meanwhile are lost, to be found again."""
        assert self._store
        last = {key[0]: (key, found) for key, found in self._known.items()}
        kept = list(last.values())[-_MOST_LINES // 2 :]
        new = self._store.with_name(f"{self._store.name}.{os.getpid()}")
        new.write_text("".join(json.dumps([key, found.sha256, found.md5]) + "\n" for key, found in kept))
        new.replace(self._store)

    def tree(self, path: str | os.PathLike[str], most: int | None = None) -> FileDigest:
        """The digests of a directory: of the list of its files, in the form in which DVC lists one; never raises.

        MD5 is that of DVC, `….dir`; SHA-256 is of the same list with SHA-256 for MD5. Size is that of all files. A
        directory is refused where one of its files is, and where it holds over `most` bytes.
        """
        name = str(path)
        try:
            absolute = os.path.abspath(name)
            files, size, changed = [], 0, False
            for relative in sorted(_walk(absolute)):
                found = self.file(os.path.join(absolute, relative), None if most is None else most - size)
                if found.refused:
                    return FileDigest(absolute, refused=f"{relative}: {found.refused}")
                files.append((relative, found))
                size += found.size
                changed = changed or found.changed
            changed = changed or sorted(_walk(absolute)) != [relative for relative, _ in files]
            sha256 = _listed([{"relpath": relative, "sha256": found.sha256} for relative, found in files])
            md5 = _listed([{"md5": found.md5, "relpath": relative} for relative, found in files])
        except Exception as error:
            return FileDigest(name, refused=f"{type(error).__name__}: {getattr(error, 'strerror', None) or error}")
        digest = hashlib.md5(md5, usedforsecurity=False).hexdigest()
        return FileDigest(absolute, size, hashlib.sha256(sha256).hexdigest(), f"{digest}.dir", changed)


def _walk(directory: str) -> Iterator[str]:
    """The files below a directory, as paths relative to it with `/`; links to directories are not followed."""

    def refuse(error: OSError) -> None:
        raise error

    for folder, _, names in os.walk(directory, onerror=refuse):
        inner = os.path.relpath(folder, directory)
        for name in names:
            yield (name if inner == os.curdir else os.path.join(inner, name)).replace(os.sep, "/")


def _listed(files: list[dict[str, str]]) -> bytes:
    return json.dumps(files, sort_keys=True).encode()


def _refused(found: os.stat_result, most: int | None) -> str:
    if not stat.S_ISREG(found.st_mode):
        return "is a directory" if stat.S_ISDIR(found.st_mode) else "not a regular file"
    return f"larger than {most} bytes" if most is not None and found.st_size > most else ""


def _key(path: str, found: os.stat_result) -> _Key:
    return (path, found.st_dev, found.st_ino, found.st_mtime_ns, found.st_ctime_ns, found.st_size)


def _key_now(path: str) -> _Key | None:
    try:
        return _key(path, os.stat(path))
    except OSError:
        return None


def _settled(key: _Key, now: int) -> bool:
    """Whether a change after `now` would show in the times of the file."""
    last = max(key[3], key[4])
    return now - last > (_COARSE_TICK if last % _SECOND == 0 else _TICK)


def _append(path: Path, line: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, line)
    finally:
        os.close(descriptor)


def _lines(path: Path) -> Iterator[tuple[_Key, FileDigest]]:
    with path.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            with suppress(ValueError, TypeError, IndexError):
                (name, *numbers), sha256, md5 = json.loads(line)
                if len(numbers) == 5 and len(sha256) == 64 and len(md5) == 32:
                    device, inode, mtime, ctime, size = map(int, numbers)
                    key = (str(name), device, inode, mtime, ctime, size)
                    yield key, FileDigest(str(name), size, sha256, md5)
