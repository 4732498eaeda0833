"""Notes what this process opens for reading, from its start on; nothing else happens before MLflow is imported.

`provstore_mlflow.pth` imports this module in every Python process of the environment, so it imports only what the
interpreter has loaded by then. Nothing here may raise: an error in an audit hook would end the user's `open`.

A forked or spawned child of a process that uses MLflow appends its own reads to a file in the folder that
`PROVSTORE_MLFLOW_SPOOL` names; the parent, who made the folder, takes it away.
"""

from __future__ import annotations

import os
import sys
from _thread import get_ident
from stat import S_ISFIFO, S_ISREG
from time import monotonic_ns

TYPE_CHECKING = False  # importing `typing` would cost more than all of this module
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

OFF = os.environ.get("PROVSTORE_MLFLOW", "").lower() in ("off", "0", "false", "no")
SPOOL = "PROVSTORE_MLFLOW_SPOOL"
#: More readings than this are counted, not kept.
MOST = 50_000

#: Device, inode, time of change (ns), size.
Stat = tuple[int, int, int, int]
#: Runs that are active, each with the thread that began it.
Active = tuple[tuple[str, int], ...]
#: When (CLOCK_MONOTONIC, the same for every process), in which thread, what, by what means, its stat then, active runs.
Event = tuple[int, int, str, str, "Stat | None", Active]

_WRITES = os.O_WRONLY | os.O_RDWR
_CODE = (".py", ".pyc", ".pyi", ".so", ".pth", ".pyx", ".egg-link", ".lock")
_DATA = (".csv", ".csv.gz", ".tsv", ".npz", ".npy", ".parquet", ".arff", ".arff.gz", ".feather", ".pkl.z", ".jsonl")


def _real(*paths: str) -> tuple[str, ...]:
    every = {each for path in paths if path for each in (os.path.abspath(path), os.path.realpath(path))}
    return tuple(sorted(f"{each}/" for each in every if each != "/"))


#: The interpreter and what is installed: no data, unless a package brings a data set (`sklearn.datasets`).
INSTALLED = (*_real(sys.prefix, sys.base_prefix, sys.exec_prefix), "/usr/lib/", "/usr/share/", "/usr/local/lib/")
_SYSTEM = ("/proc/", "/sys/", "/dev/", "/etc/", "/run/")


class Seen:
    """What this process has seen so far."""

    def __init__(self) -> None:
        self.active: Active = ()
        self.events: list[Event] = []
        self.omitted = 0
        self.known: set[Any] = set()
        self.paths: set[str] = set()
        self.written: set[str] = set()
        self.temporary: set[str] = set()  # folders that this process made for a while
        self.ours: set[int] = set()  # threads in which this package itself is at work
        self.before_change: Callable[[str], None] | None = None  # set once MLflow is there: digests, while they last
        self.spool = os.environ.get(SPOOL, "")


seen = Seen()


def note(what: str, via: str, found: Stat | None = None) -> None:
    """Keep that this thread reads a file (absolute path, with its stat) or an address (without)."""
    thread = get_ident()
    # a child does not know of runs that begin and end meanwhile, so it tells again from second to second
    second = monotonic_ns() // 1_000_000_000 if seen.spool else 0
    key = (what, found, seen.active, thread, second)
    if thread in seen.ours or key in seen.known:
        return
    if len(seen.events) >= MOST:
        seen.omitted += 1
        return
    seen.known.add(key)
    seen.paths.add(what)
    event = (monotonic_ns(), thread, what, via, found, seen.active)
    seen.events.append(event)
    if seen.spool:
        _spool(event)


def note_file(path: str, via: str) -> None:
    """Keep that this thread reads a file, unless its place says that it is no data, or it is not there."""
    if path.endswith(_CODE):
        return
    if path[:1] != "/" or "/." in path or "//" in path:
        path = os.path.abspath(path)
    if path.startswith(_SYSTEM) or ".dist-info/" in path:
        return
    if (path.startswith(INSTALLED) or "-packages/" in path) and not path.endswith(_DATA):
        return
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return
    if S_ISREG(found.st_mode) or S_ISFIFO(found.st_mode):
        note(path, via, (found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size))


def _opened(path: Any, mode: Any, flags: Any) -> None:
    if type(path) is bytes:
        path = os.fsdecode(path)
    elif type(path) is not str:  # a descriptor: it was opened before
        return
    if flags & _WRITES:
        _changes(path)
        seen.written.add(os.path.abspath(path))
        if not flags & os.O_RDWR or flags & os.O_TRUNC:
            return
    note_file(path, "open")


def _changes(path: Any) -> None:
    """A file is about to be written, moved or deleted: what was read of it is looked at while it is there."""
    if seen.before_change and isinstance(path, (str, bytes)) and get_ident() not in seen.ours:
        path = os.path.abspath(os.fsdecode(path))
        if path in seen.paths:
            seen.before_change(path)


def _connected(database: Any) -> None:
    name = os.fsdecode(database)
    if name.startswith("file:"):
        name = name[5:].partition("?")[0]
    if name and name != ":memory:":
        note_file(name, "sqlite3")


def _requested(url: Any, data: Any, headers: Any, method: Any) -> None:
    if method == "GET" and isinstance(url, str) and url.startswith(("http", "ftp")):
        note(url, "urllib")


def _renamed(old: Any, new: Any, *_: Any) -> None:
    _changes(old)
    _changes(new)


_EVENTS: dict[str, Callable[..., None]] = {
    "open": _opened,
    "sqlite3.connect": _connected,
    "urllib.Request": _requested,
    "os.remove": lambda path, *_: _changes(path),
    "os.rename": _renamed,
    "os.truncate": lambda path, *_: _changes(path),
    "tempfile.mkdtemp": lambda path: seen.temporary.add(f"{os.path.abspath(path)}/"),
}


def _audit(event: str, args: tuple[Any, ...]) -> None:
    try:
        if event in _EVENTS:
            _EVENTS[event](*args)
    except Exception:  # also while the interpreter ends and takes these names away
        pass


def _spool(event: Event) -> None:
    import json  # a child of a process that uses MLflow: it has long been loaded there

    when, _, what, via, found, _ = event
    thread = get_ident()
    seen.ours.add(thread)
    try:
        if found is None:  # an address, which may hold a secret; a child that is killed leaves its file
            from provstore.observe.redaction import scrub

            what = scrub(what)
        line = json.dumps([when, what, via, found]) + "\n"
        descriptor = os.open(
            f"{seen.spool}/{os.getpid()}", os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600
        )
        try:
            os.write(descriptor, line.encode())
        finally:
            os.close(descriptor)
    except OSError:
        seen.spool = ""  # the parent has gone
    finally:
        seen.ours.discard(thread)


def _forked() -> None:
    """What the parent read before is the parent's."""
    seen.__init__()  # type: ignore[misc]


def install() -> None:
    """Begin; doing it again changes nothing."""
    if OFF or getattr(sys, "_provstore_mlflow", False):
        return
    sys._provstore_mlflow = True  # type: ignore[attr-defined]
    sys.addaudithook(_audit)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_forked)
    from provstore_mlflow import imports

    sys.meta_path.insert(0, imports.Finder())


try:
    install()
except Exception:  # an interpreter that starts without it is better than one that complains at each start
    OFF = True
