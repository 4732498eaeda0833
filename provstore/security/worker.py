"""The other end of a `WorkerPool`: one isolated process that does one job at a time until its pipe closes.

    python -m provstore.security.worker FD PARENT MEMORY [MODULE …]

The modules are imported before isolation so that the first job finds them ready.
"""

from __future__ import annotations

import importlib
import os
import pickle
import socket
import sys
from typing import Any

from provstore.errors import ProvStoreError, QueryTooExpensive
from provstore.security.frames import receive, send
from provstore.security.isolation import isolate, orphaned


def main(argv: list[str]) -> int:
    channel = socket.socket(fileno=int(argv[0]))
    for name in argv[3:]:
        importlib.import_module(name)
    isolate(int(argv[2]))
    if orphaned(int(argv[1])):
        return 1
    os.nice(5)  # answering others comes before a query that computes
    while (frame := receive(channel)) is not None:
        target, argument = pickle.loads(frame)
        send(channel, pickle.dumps(_run(target, argument)))
    return 0


def _run(target: str, argument: Any) -> tuple[bool, Any]:
    module, _, name = target.partition(":")
    try:
        return True, getattr(importlib.import_module(module), name)(argument)
    except ProvStoreError as error:
        return False, error
    except MemoryError:
        return False, QueryTooExpensive("the memory limit was reached")
    except Exception as error:
        return False, ProvStoreError(f"{type(error).__name__} in {target}: {error}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
