"""The spool: steps on disk until somebody has a receipt for them.

{spool}/{destination}/to.json      where its lines go: {"server": URL}, {"data": directory} or {}
{spool}/{destination}/{id}.ndjson  the lines of one process, held by a lock (flock) while it lives
{spool}/{destination}/{id}.sent    how many bytes of them have their receipts
{spool}/{destination}/refused.log  what a store refused and why, a JSON object a line
{spool}/{destination}/missing.log  what a process that is gone had begun, or was writing, and is lost
{spool}/{destination}/lock         held by whoever is sending

A line is a payload, or `{"begun": …}`: written, not synced, when a step begins, so that a step which a killed process
never ended is known to be missing. A payload is on disk (fsync) when its step has ended. A file goes away when its
process has ended and each of its lines has a receipt, never before.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from provstore.record.trouble import Troubles

_BEGUN = b'{"begun":'
#: Ends a file whose process goes on in another one.
_CARRIED = b'{"carried":true}\n'
#: A file that has grown to this is closed and another one is begun, so that what was sent can go away.
_ROTATED = 8 << 20
#: What waits in memory while the disk takes nothing; the oldest goes first.
_HELD = 2000


@dataclass(frozen=True, slots=True)
class Destination:
    """Where lines go: a server's URL, the directory of a store, or (neither) whoever flushes decides."""

    server: str = ""
    data: str = ""

    @property
    def said(self) -> dict[str, str]:
        """The members that say something."""
        return {name: value for name, value in (("server", self.server), ("data", self.data)) if value}

    def folder(self, spool: Path) -> Path:
        """Its folder in a spool."""
        text = json.dumps(self.said, sort_keys=True)
        return spool / hashlib.sha256(text.encode()).hexdigest()[:16]


class Writer:
    """Appends the lines of this process; any number of threads, and after a fork each process has a file of its own.

    Nothing here raises: what cannot be written waits in memory and is tried again with the next line.
    """

    def __init__(self, spool: Path, to: Destination, troubles: Troubles) -> None:
        self.folder, self._to, self._troubles = to.folder(spool), to, troubles
        self._held: deque[bytes] = deque(maxlen=_HELD)
        self._unlock()
        self._file = -1
        self._written = self._synced = 0
        self._pid = os.getpid()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._forked)

    def _unlock(self) -> None:
        self._lock, self._syncing = threading.Lock(), threading.Lock()

    def _forked(self) -> None:
        """The parent's file, locks and unwritten lines are the parent's."""
        self._unlock()
        self._held.clear()
        with suppress(OSError):
            if self._file >= 0:
                os.close(self._file)
        self._file, self._written, self._synced, self._pid = -1, 0, 0, os.getpid()

    def begun(self, line: bytes) -> None:
        """Note that a step began; lost with the machine, not with the process."""
        with self._troubles.kept("noting that a step began"), self._lock:
            self._append(line)

    def ended(self, line: bytes) -> None:
        """Keep a payload: on disk when this returns, or held in memory where the disk does not take it."""
        with self._troubles.kept("keeping a step on disk"):
            try:
                with self._lock:
                    while self._held:
                        self._append(self._held[0])
                        self._held.popleft()
                    self._append(line)
                    mark, file = self._written, self._file
                self._sync(mark, file)
            except OSError:
                self._hold(line)
                raise

    def _hold(self, line: bytes) -> None:
        if len(self._held) == _HELD:
            self._troubles.tell("losing the oldest steps", f"the disk took none of the last {_HELD}")
        self._held.append(line)

    def held(self) -> list[bytes]:
        """The lines that the disk did not take."""
        return list(self._held)

    def release(self, count: int) -> None:
        """Forget the first of the held lines, for which there are receipts."""
        with self._lock:
            for _ in range(min(count, len(self._held))):
                self._held.popleft()

    def _append(self, line: bytes) -> None:
        if self._file >= 0 and self._written > _ROTATED:
            os.write(self._file, _CARRIED)
            self._close()
        if self._file < 0:
            self._open()
        done = 0
        try:
            done = os.write(self._file, line)
            if done != len(line):
                raise OSError(28, "only a part of a line could be written")
        except OSError:
            with suppress(OSError):  # a torn line in the middle would spoil the next one
                os.ftruncate(self._file, self._written)
                done = 0
            if done:
                self._close()
            raise
        self._written += done

    def _sync(self, mark: int, file: int) -> None:
        """Wait until the file is on disk up to a mark; threads that wait together share one fsync."""
        with self._syncing:
            if file != self._file or self._synced >= mark:
                return
            reached = self._written
            os.fsync(file)
            self._synced = reached

    def _open(self) -> None:
        self._close()
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        note = self.folder / "to.json"
        if not note.exists():
            replaced(note, json.dumps(self._to.said))
        name = f"{time.time_ns():020}-{os.getpid()}-{os.urandom(4).hex()}.ndjson"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
        self._file = os.open(self.folder / name, flags, 0o600)
        self._written = self._synced = 0
        fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        synced_folder(self.folder)

    def _close(self) -> None:
        if self._file >= 0:
            with suppress(OSError), self._syncing:
                os.fsync(self._file)
                self._synced = self._written
            with suppress(OSError):
                os.close(self._file)
        self._file = -1

    def close(self) -> None:
        """Give the file up: it may go away once its lines have their receipts."""
        with self._troubles.kept("closing the spool"), self._lock:
            self._close()


def replaced(path: Path, text: str) -> None:
    """Write a small file whole or not at all."""
    new = path.with_name(f"{path.name}.{os.getpid()}-{threading.get_ident()}")
    new.write_text(text)
    new.replace(path)


def synced_folder(folder: Path) -> None:
    """Have the names in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


# --- the other side: who sends --------------------------------------------------------------------------------------


@dataclass(slots=True)
class Lines:
    """What stands in one file after what has its receipts."""

    path: Path
    alive: bool
    payloads: list[bytes] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)  # the offset in the file after each payload
    size: int = 0  # up to which it was read
    torn: int = 0  # lines that are none: cut off, or no payload
    whole: bool = False  # nothing stands after `size`


def destinations(spool: Path) -> list[tuple[Path, Destination]]:
    """The folders of a spool and where their lines go."""
    found = []
    for note in sorted(spool.glob("*/to.json")):
        with suppress(OSError, ValueError, TypeError, AttributeError):
            said = json.loads(note.read_text())
            found.append((note.parent, Destination(str(said.get("server", "")), str(said.get("data", "")))))
    return found


@contextmanager
def alone(folder: Path) -> Iterator[bool]:
    """Whether we are the only one who sends from a folder, for as long as the context lasts."""
    try:
        descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:  # a full disk, say: two who send the same lines do no harm
        yield True
        return
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
            return
        yield True
    finally:
        os.close(descriptor)


def files(folder: Path) -> list[Path]:
    """The files of a folder that hold lines to be sent, the oldest first."""
    return sorted(folder.glob("*.ndjson"))


def read(path: Path, start: int = 0, most: int = 1 << 40) -> Lines:
    """The lines of a file from an offset on, up to about `most` bytes of them."""
    with path.open("rb") as file:
        alive = not _free(file.fileno())
        file.seek(start)
        data = file.read(most) if most < 1 << 40 else file.read()
        whole = data.rfind(b"\n") + 1
        if not whole and len(data) == most:  # one line that is longer
            data += file.readline()
            whole = data.rfind(b"\n") + 1
        at_end = start + len(data) == os.fstat(file.fileno()).st_size
    found = Lines(path, alive, size=start + whole)
    at = start
    for line in data[:whole].splitlines(keepends=True):
        at += len(line)
        _sort(line, at, found)
    if whole < len(data) and at_end and not alive:
        found.torn += 1
        found.size = start + len(data)
    found.whole = at_end and found.size == start + len(data)
    return found


def _sort(line: bytes, end: int, found: Lines) -> None:
    if line.startswith(_BEGUN) or line == _CARRIED:
        return
    try:
        good = isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        good = False
    if good:
        found.payloads.append(line.rstrip(b"\n"))
        found.ends.append(end)
    else:
        found.torn += 1


def unended(path: Path) -> list[dict[str, str]]:
    """The steps that a file says began and never says ended: those that were lost with their process."""
    begun: dict[str, dict[str, str]] = {}
    with path.open("rb") as file:
        for line in file:
            with suppress(ValueError, AttributeError):
                said = json.loads(line)
                if line == _CARRIED:
                    return []
                if "begun" in said:
                    begun[str(said["begun"])] = {name: str(value) for name, value in said.items()}
                else:
                    begun.pop(str(said.get("id")), None)
    return list(begun.values())


def sent(path: Path) -> int:
    """How many bytes of a file have their receipts."""
    try:
        return int(path.with_suffix(".sent").read_text())
    except (OSError, ValueError):
        return 0


def mark_sent(path: Path, size: int) -> None:
    """Remember that all up to a size has its receipts."""
    replaced(path.with_suffix(".sent"), str(size))


def remove(path: Path) -> None:
    """A file whose process is gone and whose lines have their receipts goes away."""
    path.unlink(missing_ok=True)
    path.with_suffix(".sent").unlink(missing_ok=True)


def _free(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return False
    fcntl.flock(descriptor, fcntl.LOCK_UN)
    return True


def logged(folder: Path, name: str, said: list[dict[str, object]]) -> None:
    """Add lines to a log of a folder, if there are any."""
    if not said:
        return
    with (folder / name).open("a") as file:
        file.writelines(json.dumps(each, ensure_ascii=False) + "\n" for each in said)


def counted(folder: Path, name: str) -> int:
    """How many lines a log of a folder has."""
    try:
        return (folder / name).read_bytes().count(b"\n")
    except OSError:
        return 0


class Appender:
    """Appends payloads to a file that somebody named, one a line, each on disk when `ended` returns.

    Several processes may write to it at once. A line that a killed process left torn is ended before the next one.
    """

    def __init__(self, path: Path, troubles: Troubles) -> None:
        self._path, self._troubles = path, troubles

    def begun(self, line: bytes) -> None:
        """Nothing: only whole payloads stand in the file."""

    def ended(self, line: bytes) -> None:
        """Add a payload, under a lock on the file."""
        with self._troubles.kept(f"writing a step to {self._path}"):
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                size = os.fstat(descriptor).st_size
                if size and os.pread(descriptor, 1, size - 1) != b"\n":
                    line = b"\n" + line
                if os.write(descriptor, line) != len(line):
                    os.ftruncate(descriptor, size)
                    raise OSError(28, "only a part of a line could be written")
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def held(self) -> list[bytes]:
        """Nothing is held."""
        return []

    def release(self, count: int) -> None:
        """Nothing is held."""

    def close(self) -> None:
        """The file is open only while it is written to."""
