"""The other end of a `WorkerPool`: one isolated process that does one job at a time until its socket closes.

    python -m provstore.security.worker FD PARENT MEMORY [MODULE …]

The modules are imported before isolation so that the first job finds them ready. The first frame says whether the
worker could start; then each job `(target, argument, seconds)` is answered by `(good, value, worn)`.
"""

from __future__ import annotations

import importlib
import os
import pickle
import signal
import socket
import sys
from typing import Any

from provstore.errors import Misconfigured, ProvStoreError
from provstore.security.frames import receive, send
from provstore.security.isolation import isolate, orphaned


def main(argv: list[str]) -> int:
    channel = socket.socket(fileno=int(argv[0]))
    memory = int(argv[2])
    os.umask(0o077)  # what it spools is for its parent alone
    try:
        for name in argv[3:]:
            importlib.import_module(name)
        isolate(memory)
    except Exception as error:
        send(channel, pickle.dumps((False, Misconfigured(f"no worker can start here: {error}"), True)))
        return 1
    if orphaned(int(argv[1])):
        return 1
    os.nice(5)  # answering others comes before a query that computes
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    send(channel, pickle.dumps((True, None, False)))
    while (frame := receive(channel)) is not None:
        target, argument, seconds = pickle.loads(frame)
        # the parent's clock decides; this one is for a parent that is gone or stuck
        signal.setitimer(signal.ITIMER_REAL, seconds + 1)
        good, value = _run(target, argument)
        signal.setitimer(signal.ITIMER_REAL, 0)
        # memory once used is not all given back, so the next job would meet the limit sooner than its own due
        send(channel, _pickled(target, good, value, _most_resident() > memory // 2))
    return 0


def _run(target: str, argument: Any) -> tuple[bool, Any]:
    module, _, name = target.partition(":")
    try:
        return True, getattr(importlib.import_module(module), name)(argument)
    except ProvStoreError as error:
        return False, error
    except MemoryError:
        os.abort()  # as native code does at the limit: one outcome for the pool to explain
    except Exception as error:
        return False, ProvStoreError(f"{type(error).__name__} in {target}: {error}")


def _most_resident() -> int:
    """The most bytes of memory this process ever held; 0 where the system does not tell.

    Not getrusage(2): its ru_maxrss outlives execve(2), so a child starts with what its parent once held.
    """
    try:
        with open("/proc/self/status", "rb") as status:
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith(b"VmHWM:"))
    except (OSError, StopIteration):
        return 0


def _pickled(target: str, good: bool, value: Any, worn: bool) -> bytes:
    try:
        return pickle.dumps((good, value, worn))
    except Exception as error:
        return pickle.dumps((False, ProvStoreError(f"{target} gave what cannot be sent: {error}"), worn))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
