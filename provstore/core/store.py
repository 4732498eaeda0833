"""A store in one directory: the ledger, its views, and the one process that owns them.

lock                  held (flock) by the owning process
ledger.db, ledger.key the truth, and the key that signs its checkpoints (mode 0600)
views/                derived: view database and triple store; may be deleted
snapshots/            read-only copies for queries; emptied at start
validation.db         derived: validation results of records
verdicts/             derived: verdicts on things, and the copy of the triple store that they stand at
exports/              packages on their way to who asked for them; emptied at start
"""

from __future__ import annotations

import fcntl
import os
import shutil
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path

from provstore import rdf, times
from provstore.errors import DirectoryInUse, LedgerError, Misconfigured
from provstore.ledger.log import Ledger
from provstore.ledger.verify import Report, verify
from provstore.model import Receipt, Submission
from provstore.store.query import Snapshot
from provstore.views.apply import StoreLost, Views

Progress = Callable[[int, int], None]
_BACKUP_PAGES = 2048  # copied between two looks at the clock, 8 MiB


class ProvStore:
    """The owner of a data directory; `append` and `apply_pending` may run in two threads, one each."""

    def __init__(self, directory: Path, *, base: str = "", progress: Progress | None = None) -> None:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.directory = directory
        self._lock = _lock(directory)
        if base and not rdf.is_iri(base):
            raise Misconfigured(f"the id base must be an absolute IRI, such as https://example.org/prov; got {base!r}")
        if not (directory / "ledger.db").exists():
            Ledger.create(directory, base=base, received=times.now()).close()
        self.ledger = Ledger(directory)
        if base and base.rstrip("/") != self.ledger.base:
            raise Misconfigured(f"the id base was fixed as {self.ledger.base} when the store was made; got {base}")
        shutil.rmtree(directory / "snapshots", ignore_errors=True)
        self._made = 0
        self.views = self._open_views(progress)
        self.catch_up(progress)

    @property
    def base(self) -> str:
        return self.ledger.base

    def _open_views(self, progress: Progress | None) -> Views:
        """The views as they are, or made again from the ledger where they are gone, behind or not readable."""
        path = self.directory / "views"
        shutil.rmtree(self.directory / "views.new", ignore_errors=True)
        try:
            views = Views(path, self.ledger)
        except (StoreLost, sqlite3.DatabaseError, Misconfigured) as error:
            if isinstance(error, DirectoryInUse):
                raise
            return self._remake(progress)
        if views.applied > self.ledger.head:
            views.close()
            raise LedgerError(
                f"the views hold entries up to {views.applied} and the ledger only {self.ledger.head}: the ledger was "
                "cut or replaced by an older one; bring back the right one, or delete views/ to accept the loss"
            )
        return views

    def append(self, submissions: Sequence[Submission]) -> list[Receipt]:
        """Commit to the ledger (durable on return); the views follow with `apply_pending`."""
        return self.ledger.append(submissions, times.now())

    def apply_pending(self, limit: int = 256) -> int:
        """Bring the views on by up to `limit` entries; returns how many."""
        return self.views.apply_pending(limit)

    def catch_up(self, progress: Progress | None = None) -> None:
        """Bring the views up to the ledger's head."""
        while self.views.apply_pending():
            if progress:
                progress(self.views.applied, self.ledger.head)

    def ingest(self, submissions: Sequence[Submission]) -> list[Receipt]:
        """Append and apply: what was committed is there for the next query."""
        receipts = self.append(submissions)
        self.catch_up()
        return receipts

    def snapshot(self) -> Snapshot:
        """A read-only copy of the triple store as it stands; call it between batches only."""
        self._made += 1
        # never a name that a process before this one gave: workers know a snapshot by its path
        path = self.directory / "snapshots" / f"{os.getpid()}-{self._made}"
        path.parent.mkdir(exist_ok=True)
        self.views.store.snapshot(path)
        return Snapshot(str(path), self.views.applied, self.views.restated)

    def rebuild(self, progress: Progress | None = None) -> None:
        """Make every view again from the ledger alone, and put it in place of the old one when it is whole."""
        self.views.close()
        self.views = self._remake(progress)

    def _remake(self, progress: Progress | None) -> Views:
        new, old = self.directory / "views.new", self.directory / "views.old"
        for left in (new, old):
            shutil.rmtree(left, ignore_errors=True)
        views = Views(new, self.ledger)
        while views.apply_pending(1024):
            if progress:
                progress(views.applied, self.ledger.head)
        views.close()
        current = self.directory / "views"
        if current.exists():
            current.rename(old)
        new.rename(current)  # a crash before this leaves no views/, which the next start makes again
        shutil.rmtree(old, ignore_errors=True)
        return Views(current, self.ledger)

    def verify(self, *, checkpoint: str | None = None, progress: Progress | None = None) -> Report:
        """Recompute the whole ledger; `checkpoint` is a signed note that somebody kept."""
        return verify(self.directory, checkpoint=checkpoint, progress=progress)

    def close(self) -> None:
        self.views.close()
        self.ledger.close()
        os.close(self._lock)


def _lock(directory: Path) -> int:
    descriptor = os.open(directory / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise DirectoryInUse(
            f"{directory} is in use by another process; stop it, or ask its server with --server URL"
        ) from error
    return descriptor


def backup(directory: Path, target: Path, progress: Progress | None = None) -> int:
    """Copy the ledger and its key while it may be in use; returns the number of entries. `progress` counts pages.

    The copy is whole and consistent: everything acknowledged before the call is in it. Views are left out, since
    `restore` makes them again.
    """
    if target.exists() and any(target.iterdir()):
        raise Misconfigured(f"{target} is not empty: a backup goes into a new directory")
    if not (directory / "ledger.db").exists():
        raise Misconfigured(f"{directory} holds no ledger")
    target.mkdir(mode=0o700, parents=True, exist_ok=True)
    source = sqlite3.connect(f"{(directory / 'ledger.db').absolute().as_uri()}?mode=ro", uri=True)
    copy = sqlite3.connect(target / "ledger.db")
    with source, copy:
        # one state of the ledger: without a transaction of its own the copy would begin again after each commit
        source.execute("BEGIN")
        source.execute("SELECT 1 FROM entry LIMIT 1").fetchone()
        source.backup(copy, pages=_BACKUP_PAGES, progress=_counted(progress))
    (size,) = copy.execute("SELECT COUNT(*) FROM entry").fetchone()
    copy.close()
    source.close()
    _copy_private(directory / "ledger.key", target / "ledger.key")
    return int(size)


def _counted(progress: Progress | None) -> Callable[[int, int, int], object] | None:
    """What SQLite tells while it copies (status, pages that remain, pages in all) as progress."""
    return progress and (lambda _, remaining, total: progress(total - remaining, total))


def restore(source: Path, directory: Path, progress: Progress | None = None) -> Report:
    """A store from a backup, in a new directory: copied, verified, its views made.

    LedgerError where the backup does not verify.
    """
    if directory.exists() and any(directory.iterdir()):
        raise Misconfigured(f"{directory} is not empty: a restore goes into a new directory")
    report = verify(source, progress=progress)
    if not report.ok:
        raise LedgerError(f"the backup does not verify: {report.findings[0]}")
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    shutil.copyfile(source / "ledger.db", directory / "ledger.db")
    _copy_private(source / "ledger.key", directory / "ledger.key")
    ProvStore(directory, progress=progress).close()
    return report


def _copy_private(source: Path, target: Path) -> None:
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        out.write(source.read_bytes())
