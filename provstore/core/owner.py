"""The process that owns a store while a server runs: three threads, a socket, and nothing untrusted.

The main thread takes requests in; the committer appends whatever is waiting as one group and answers when it is on
disk; the applier brings the views on behind it. A crash at any instant loses nothing that was answered.

    python -m provstore.core.owner FD DIRECTORY [BASE]
"""

from __future__ import annotations

import contextlib
import os
import pickle
import queue
import shutil
import signal
import socket
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from provstore.core.store import ProvStore
from provstore.errors import NotYetApplied, ProvStoreError
from provstore.model import Receipt, Submission
from provstore.security.frames import receive, send
from provstore.store.query import Snapshot

_GROUP_RECORDS, _GROUP_BYTES = 128, 8 << 20
_APPLY_AT_ONCE = 64
_ASIDE_SECONDS = 1.0
_FLUSH_SECONDS, _SNAPSHOT_SECONDS, _KEEP_SNAPSHOT_SECONDS = 2.0, 1.0, 90.0


@dataclass(frozen=True, slots=True)
class _Want:
    """Somebody waiting for a snapshot that holds an index."""

    ticket: int
    index: int
    until: float


@dataclass(frozen=True, slots=True)
class _Aside:
    """Something to be done with the views beside applying, when there is time, or once it has waited long enough."""

    ticket: int
    what: str
    argument: Any
    since: float


@dataclass(slots=True)
class _Applier:
    """What the applier thread shares with the others, under `changed`."""

    changed: threading.Condition = field(default_factory=threading.Condition)
    wants: list[_Want] = field(default_factory=list)
    aside: deque[_Aside] = field(default_factory=deque)
    pending: bool = True
    stopping: bool = False


#: What is done aside, by the name of the request.
_ASIDE: dict[str, Callable[[ProvStore, Any], Any]] = {
    "follow": lambda store, index: store.views.follow(index),
    "restate": lambda store, said: store.views.restate(*said),
}


class Owner:
    def __init__(self, store: ProvStore, channel: socket.socket) -> None:
        self._store, self._channel = store, channel
        self._sending = threading.Lock()
        self._waiting: queue.SimpleQueue[tuple[int, list[Submission]] | None] = queue.SimpleQueue()
        self._applier = _Applier()
        self._snapshot: tuple[Snapshot, float] | None = None
        self._old: list[tuple[float, str]] = []

    def run(self) -> None:
        """Serve until the other end closes; then finish what was begun."""
        committer = threading.Thread(target=_or_die, args=(self._commit_forever,), name="committer")
        applier = threading.Thread(target=_or_die, args=(self._apply_forever,), name="applier")
        committer.start()
        applier.start()
        self._answer(0, True, {"base": self._store.base, "applied": self._store.views.applied})
        while (frame := receive(self._channel)) is not None:
            ticket, what, argument = pickle.loads(frame)
            if what == "append":
                self._waiting.put((ticket, argument))
            elif what == "snapshot":
                index, patience = argument
                self._tell_applier(want=_Want(ticket, index, time.monotonic() + patience))
            elif what in _ASIDE:
                self._tell_applier(aside=_Aside(ticket, what, argument, time.monotonic()))
            else:
                self._answer_now(ticket, what)
        self._waiting.put(None)
        committer.join()
        self._tell_applier(stop=True)
        applier.join()
        self._store.close()

    def _answer_now(self, ticket: int, what: str) -> None:
        try:
            if what != "checkpoint":
                raise ProvStoreError(f"the owner knows no request {what!r}")
            self._answer(ticket, True, self._store.ledger.checkpoint())
        except ProvStoreError as error:
            self._answer(ticket, False, error)

    def _answer(self, ticket: int, good: bool, value: Any) -> None:
        # where the server is gone, what was committed stays, and a client's retry finds it
        with self._sending, contextlib.suppress(OSError):
            send(self._channel, pickle.dumps((ticket, good, value)))

    # -- the committer ----------------------------------------------------------------------------------------------

    def _commit_forever(self) -> None:
        while (first := self._waiting.get()) is not None:
            group = [first]
            records, size = len(first[1]), _size(first[1])
            last = False
            while records < _GROUP_RECORDS and size < _GROUP_BYTES and not self._waiting.empty():
                more = self._waiting.get()
                if more is None:
                    last = True
                    break
                group.append(more)
                records, size = records + len(more[1]), size + _size(more[1])
            self._commit(group)
            if last:
                return

    def _commit(self, group: list[tuple[int, list[Submission]]]) -> None:
        try:
            receipts = self._store.append([s for _, submissions in group for s in submissions])
        except ProvStoreError as error:
            for ticket, _ in group:
                self._answer(ticket, False, error)
            return
        done = 0
        applied = self._store.views.applied_hint
        for ticket, submissions in group:
            mine: list[Receipt] = receipts[done : done + len(submissions)]
            done += len(submissions)
            self._answer(ticket, True, (mine, applied))
        self._tell_applier()

    # -- the applier ------------------------------------------------------------------------------------------------

    def _tell_applier(self, want: _Want | None = None, aside: _Aside | None = None, *, stop: bool = False) -> None:
        with self._applier.changed:
            if want:
                self._applier.wants.append(want)
            elif aside:
                self._applier.aside.append(aside)
            else:
                self._applier.pending = True
            self._applier.stopping |= stop
            self._applier.changed.notify()

    def _apply_forever(self) -> None:
        """Apply, answer who waits for a snapshot, and now and then make the triple store durable."""
        unflushed_since: float | None = None
        while True:
            with self._applier.changed:
                if not (self._applier.pending or self._applier.wants or self._applier.aside or self._applier.stopping):
                    self._applier.changed.wait(0.5)
                self._applier.pending = False
                stopping = self._applier.stopping
            moved = self._store.apply_pending(_APPLY_AT_ONCE)
            now = time.monotonic()
            if moved:
                unflushed_since = unflushed_since or now
                self._applier.pending = True
            self._do_aside(now, idle=not moved)
            self._serve_wants(now)
            if unflushed_since and now - unflushed_since > _FLUSH_SECONDS:
                self._store.views.flush()
                unflushed_since = None
            if stopping and not moved:
                return

    def _do_aside(self, now: float, *, idle: bool) -> None:
        with self._applier.changed:
            due = self._applier.aside and (idle or now - self._applier.aside[0].since > _ASIDE_SECONDS)
            job = self._applier.aside.popleft() if due else None
        if job is None:
            return
        try:
            self._answer(job.ticket, True, _ASIDE[job.what](self._store, job.argument))
        except ProvStoreError as error:
            self._answer(job.ticket, False, error)

    def _serve_wants(self, now: float) -> None:
        with self._applier.changed:
            wants, self._applier.wants = self._applier.wants, []
        waiting = []
        for want in wants:
            applied = self._store.views.applied
            if want.index <= applied:
                self._answer(want.ticket, True, self._fresh(want.index, applied, now))
            elif now > want.until:
                message = f"index {want.index} is not applied yet; the views are at {applied}"
                self._answer(want.ticket, False, NotYetApplied(message, retry_after=1))
            else:
                waiting.append(want)
        if waiting:
            with self._applier.changed:
                self._applier.wants += waiting
                if not self._applier.pending:
                    self._applier.changed.wait(0.01)

    def _fresh(self, wanted: int, applied: int, now: float) -> Snapshot:
        """A snapshot that holds `wanted`; a newer one than need be only once a second."""
        if self._snapshot:
            snapshot, made = self._snapshot
            recent = snapshot.index >= wanted and now - made < _SNAPSHOT_SECONDS
            if recent or (snapshot.index == applied and snapshot.restated == self._store.views.restated):
                return snapshot
            self._old.append((now, snapshot.path))
        self._snapshot = (self._store.snapshot(), now)
        while self._old and now - self._old[0][0] > _KEEP_SNAPSHOT_SECONDS:
            shutil.rmtree(self._old.pop(0)[1], ignore_errors=True)
        return self._snapshot[0]


def _or_die(work: Callable[[], None]) -> None:
    """Run a thread's work; an error nobody foresaw ends the process: the server starts another on what is durable."""
    try:
        work()
    except BaseException:
        traceback.print_exc()
        os._exit(1)


def _size(submissions: list[Submission]) -> int:
    return sum(len(s.payload) + len(s.mapped.quads) for s in submissions)


def main(argv: list[str]) -> int:
    # A thread that comes back from SQLite waits this long for the interpreter while the applier computes; the default
    # of 5 ms, a dozen times a commit, would be most of what a client waits for.
    sys.setswitchinterval(0.0005)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the server decides when to stop, by closing the socket
    channel = socket.socket(fileno=int(argv[0]))
    try:
        store = ProvStore(Path(argv[1]), base=argv[2] if len(argv) > 2 else "")
    except ProvStoreError as error:
        send(channel, pickle.dumps((0, False, error)))
        return 1
    _or_die(Owner(store, channel).run)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
