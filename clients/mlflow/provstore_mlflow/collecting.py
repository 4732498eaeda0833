"""From what the audit hook noted to a list of reads: files that are data, once each, with their digests."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from stat import S_ISREG
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from provstore.observe.hashing import FileDigest, Hasher
from provstore.observe.reads import WHEN, Read
from provstore.observe.redaction import scrub, secret_name
from provstore_mlflow.hook import SPOOL, Active, Stat, seen
from provstore_mlflow.quietly import ours, trouble

if TYPE_CHECKING:
    from provstore_mlflow.runs import Runs

#: Files of more bytes are not hashed.
MOST = int(said) if (said := os.environ.get("PROVSTORE_MLFLOW_MAX_BYTES", "")).isdigit() else 16 << 30
#: What is about to be changed is hashed first, in the thread that changes it, up to this many bytes.
_MOST_AT_ONCE = 256 << 20
_MOST_OTHERS = 50
_KEYS = (".pem", ".key", ".p12", ".pfx", ".jks", ".keystore")
_SETTINGS = (".json", ".yaml", ".yml", ".txt", ".ini", ".toml", ".cfg")
_MLFLOW = (
    "/mlruns/",
    "/mlartifacts/",
    "/.git/",
    "/.dvc/",
    "/__pycache__/",
    "/.cache/matplotlib/",
    "/.cache/fontconfig/",
)
_SECRET = "its name is that of a secret"


def _cache() -> Path | None:
    if os.environ.get("PROVSTORE_MLFLOW_CACHE", "") == "off":
        return None
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(home) / "provstore" / "digests.jsonl"


hasher = Hasher(_cache())
digests: dict[tuple[str, Stat], FileDigest] = {}


def start() -> None:
    """Be ready: a folder for what child processes read, and digests of what this process is about to change."""
    try:
        with ours():
            folder = tempfile.mkdtemp(prefix="provstore-")
        os.environ[SPOOL] = folder
        atexit.register(_remove, folder, os.getpid())
    except OSError as error:
        trouble(error)
    seen.before_change = before_change


def _remove(folder: str, process: int) -> None:
    if os.getpid() == process:
        shutil.rmtree(folder, ignore_errors=True)


def before_change(path: str) -> None:
    with ours():
        for _, _, what, _, found, _ in list(seen.events):
            if found and what == path and not _private(path):
                _digest(path, found, _MOST_AT_ONCE)


def _digest(path: str, then: Stat, most: int) -> FileDigest:
    """The digests of the bytes that lay there when the file was opened, whenever they can still be had."""
    known = digests.get((path, then))
    if known is None:
        try:
            now = os.stat(path)
        except OSError as error:
            return FileDigest(path, then[3], refused=f"{type(error).__name__}: {error.strerror}")
        if not S_ISREG(now.st_mode):
            return FileDigest(path, refused="not a regular file")
        if (now.st_dev, now.st_ino, now.st_mtime_ns, now.st_size) != then:
            return FileDigest(path, then[3], changed=True)
        known = hasher.file(path, most)
        if known.changed:
            return FileDigest(path, then[3], changed=True)
        if not known.refused:
            digests[path, then] = known
    return known


def collected(run: str, runs: Runs, tracking_uri: str) -> tuple[list[Read], int]:
    """What was read until now, as this run sees it, in the order in which it was first opened; how many are left out.

    Of what was read in other runs only, the last are kept: a sweep of many runs would else tell everything of each.
    """
    ours_only = _Places(runs.stores, tracking_uri)
    models = runs.models.get(run, [])
    found: list[Read] = []
    for when, thread, what, via, stat, active, worker in sorted(_events(runs), key=lambda each: each[0]):
        if stat and ours_only.hold(what):
            continue
        after = tuple(model for logged, model in models if logged < when)
        read = _read(what, via, stat)
        if read:
            found.append(replace(read, when=runs.when(run, thread, active), after=after, worker=worker))
    every = united([], found, set())
    others = [each for each in every if each.when == "other"][:-_MOST_OTHERS]
    dropped = set(map(id, others))
    return [each for each in every if id(each) not in dropped], seen.omitted + len(others)


def _events(runs: Runs) -> Iterator[tuple[int, int, str, str, Stat | None, Active, bool]]:
    for event in list(seen.events):
        yield (*event, False)
    folder = os.environ.get(SPOOL, "")
    for file in sorted(Path(folder).iterdir()) if folder and folder != seen.spool and os.path.isdir(folder) else ():
        for line in file.read_text(errors="replace").splitlines():
            try:
                when, what, via, stat = json.loads(line)
            except ValueError:  # a worker was killed while it wrote
                continue
            yield when, 0, what, via, tuple(stat) if stat else None, runs.active_at(when), True


def _read(what: str, via: str, stat: Stat | None) -> Read | None:
    if stat is None:
        return Read(url=scrub(what), via=via)
    told = FileDigest(what, stat[3], refused=_SECRET) if _private(what) else _digest(what, stat, MOST)
    if told.refused.startswith("PermissionError"):  # this process could not open it either
        return None
    return Read(
        path=scrub(what),
        sha256=told.sha256,
        md5=told.md5,
        size=told.size,
        via=via,
        changed=told.changed,
        written=what in seen.written,
        refused=told.refused,
    )


def _private(path: str) -> bool:
    name = os.path.basename(path)
    stem, suffix = os.path.splitext(name)
    return suffix.lower() in _KEYS or (suffix.lower() in ("", *_SETTINGS) and secret_name(stem))


def united(before: Iterable[Read], found: Iterable[Read], earlier_models: set[str]) -> list[Read]:
    """Each file or address once for each content; of several readings the one that says most of the run counts."""
    every: dict[tuple[str, str, str, bool], Read] = {}
    added = (replace(each, after=(*each.after, *sorted(earlier_models))) for each in found)
    for each in (*before, *added):
        key = (each.path, each.url, each.sha256, each.changed)
        known = every.get(key)
        if known is None:
            every[key] = each
            continue
        when = min(known.when, each.when, key=WHEN.index)
        after = tuple(name for name in known.after if name in each.after)
        every[key] = replace(known, when=when, after=after, worker=known.worker and each.worker)
    return list(every.values())


class _Places:
    """Where MLflow keeps its own files, and where nothing is data."""

    def __init__(self, stores: set[str], tracking_uri: str) -> None:
        main = getattr(sys.modules.get("__main__"), "__file__", None) or ""
        self._files = {
            os.path.abspath(each) for each in (main, sys.argv[0] if sys.argv else "", _local(tracking_uri)) if each
        }
        folders = [f"{os.path.abspath(each)}/" for uri in (*stores, tracking_uri) if (each := _local(uri))]
        self._folders = (*folders, *seen.temporary)
        home = os.path.expanduser("~")
        self._hidden, self._cache = f"{home}/.", f"{home}/.cache/"
        self._temporary = f"{os.path.abspath(tempfile.gettempdir())}/"

    def hold(self, path: str) -> bool:
        return (
            path in self._files
            or path.startswith(self._folders)
            or os.path.basename(path).startswith(".")
            or (path.startswith(self._hidden) and not path.startswith(self._cache))
            or (path.startswith(self._temporary) and path in seen.written)
            or any(each in path for each in _MLFLOW)
        )


def _local(uri: str) -> str:
    """The path that a URI of a store or a folder of artifacts names on this machine."""
    if "://" not in uri:
        return "" if uri.startswith(("mlflow-artifacts:", "databricks", "http")) else uri.removeprefix("file:")
    parts = urlsplit(uri)
    if parts.scheme == "file":
        return unquote(parts.path)
    # three slashes: relative to the working directory (SQLAlchemy)
    return unquote(parts.path)[1:] if parts.scheme.startswith("sqlite") else ""
