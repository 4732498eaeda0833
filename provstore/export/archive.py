"""The archive of a package as it is written: a ZIP file of which every byte follows from the names and the contents.

Members are stored, not compressed: compression differs between versions of a library, and a stream may hold bits that
say nothing. `verify.py` holds the layout, and refuses what departs from it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from provstore.errors import Misconfigured
from provstore.export import verify

_CHUNK = 1 << 20


class Writer:
    """Writes members one after the other to a file, and tells afterwards what was written."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._offset = 0
        self._directory: list[bytes] = []
        #: name, SHA-256 and size of each member so far, as the manifest lists them
        self.files: list[dict[str, Any]] = []

    def add(self, name: str, data: bytes) -> None:
        """A member from bytes."""
        self._member(name, zlib.crc32(data), len(data), [data], hashlib.sha256(data).hexdigest())

    def add_file(self, name: str, file: BinaryIO) -> None:
        """A member from an open file, from its beginning; it is read twice, never held whole."""
        crc, size, digest = 0, 0, hashlib.sha256()
        for chunk in _chunks(file):
            crc, size = zlib.crc32(chunk, crc), size + len(chunk)
            digest.update(chunk)
        self._member(name, crc, size, _chunks(file), digest.hexdigest())

    def _member(self, name: str, crc: int, size: int, chunks: Iterable[bytes], digest: str) -> None:
        header = verify.member_header(name, crc, size)
        self._out.write(header)
        for chunk in chunks:
            self._out.write(chunk)
        self._directory.append(verify.directory_entry(name, crc, size, self._offset))
        self._offset += len(header) + size
        self.files.append({"name": name, "sha256": digest, "size": size})

    def finish(self) -> int:
        """Write what ends the file; returns its size."""
        directory = b"".join(self._directory)
        end = verify.directory_end(len(self._directory), len(directory), self._offset)
        self._out.write(directory + end)
        return self._offset + len(directory) + len(end)


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    file.seek(0)
    while chunk := file.read(_CHUNK):
        yield chunk


def unpack(archive: Path, directory: Path) -> None:
    """The members of an archive as files below a new directory; Misconfigured where it is no package's archive.

    Names are what a package may have, so nothing lands outside the directory.
    """
    try:
        held = verify.opened(archive)
    except (verify.Refused, verify.Impossible) as error:
        raise Misconfigured(f"{archive} is no package: {error}") from error
    try:
        for name in held.sizes:
            path = directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("xb") as out:
                for chunk in held.chunks(name):
                    out.write(chunk)
    except verify.Refused as error:
        raise Misconfigured(f"{archive} is damaged: {error}") from error
    finally:
        held.close()


def put(archive: Path, target: str) -> None:
    """Move a finished archive to where it is wanted: a new file, or, where `target` ends with /, a new directory.

    The archive must lie on the file system of the target's parent. Whole or not at all; nothing is overwritten.
    """
    path = Path(target)
    if not target.endswith("/"):
        check_free(target)
        archive.rename(path)
        return
    making = path.parent / f".{path.name}.{os.getpid()}.part"
    try:
        unpack(archive, making)
        check_free(target)
        making.rename(path)
    finally:
        shutil.rmtree(making, ignore_errors=True)
        archive.unlink()


def check_free(target: str) -> None:
    """Misconfigured where something is at a target already, or its parent is no directory."""
    path = Path(target)
    if path.is_dir() and target.endswith("/") and not any(path.iterdir()):
        return
    if path.exists() or path.is_symlink():
        raise Misconfigured(f"{target} is there already: an export goes to a new file or directory")
    if not path.parent.is_dir():
        raise Misconfigured(f"{path.parent} is no directory")
