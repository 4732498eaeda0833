"""One worker process as its parent sees it: started with nothing of the parent's, run by the clock, never believed."""

from __future__ import annotations

import dataclasses
import io
import os
import pickle
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from enum import Enum
from typing import Any

from provstore import errors
from provstore.errors import Busy, Misconfigured, ProvStoreError
from provstore.security.frames import receive, send

_KEPT = ("PATH", "LANG", "LC_ALL", "TMPDIR")  # the rest of the environment may hold secrets
_BOOT_SECONDS = 30.0
_MOST_BYTES = 1 << 28  # of an answer; larger ones go by a file that the caller names


class JobTimeout(Exception):
    """The deadline passed and the worker was killed."""


class JobCrash(Exception):
    """The worker died in the job; `signal` is what killed it, as a positive number (0: it ended by itself)."""

    def __init__(self, signal: int) -> None:
        super().__init__(f"the worker died of signal {signal}")
        self.signal = signal


class Worker:
    """A child process and the socket to it; used by one thread at a time, but for `kill`."""

    def __init__(self, memory_bytes: int, modules: Sequence[str]) -> None:
        self.channel, theirs = socket.socketpair()
        self.idle_since = time.monotonic()
        self._booted = False
        with theirs:
            arguments = [str(theirs.fileno()), str(os.getpid()), str(memory_bytes), *modules]
            try:
                self.process = subprocess.Popen(
                    [sys.executable, "-P", "-m", "provstore.security.worker", *arguments],
                    pass_fds=(theirs.fileno(),),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    env=_environment(),
                    start_new_session=True,  # an interrupt typed at a terminal is for the parent to handle
                )
            except OSError:
                self.channel.close()
                raise

    @property
    def died(self) -> bool:
        """Whether it died while idle; one that could not start is kept for its message."""
        return self._booted and self.process.poll() is not None

    def run(self, frame: bytes, seconds: float) -> tuple[bool, Any, bool]:
        """(good, value, worn) of a job; the time to boot is not counted. JobTimeout, JobCrash, Misconfigured, Busy."""
        self._await_boot()
        deadline = time.monotonic() + seconds
        try:
            self.channel.settimeout(max(0.001, seconds))
            send(self.channel, frame)
            answer = receive(self.channel, deadline=deadline, limit=_MOST_BYTES)
        except TimeoutError as error:
            raise JobTimeout from error
        except OSError:
            answer = None
        if answer is None:
            raise self._crash()
        return _read(answer)

    def kill(self) -> None:
        """Stop it at once, from any thread."""
        self.process.kill()

    def end(self) -> None:
        """Stop it and return when it is gone."""
        self.process.kill()
        self.process.wait()
        self.channel.close()

    def _await_boot(self) -> None:
        if self._booted:
            return
        try:
            frame = receive(self.channel, deadline=time.monotonic() + _BOOT_SECONDS, limit=_MOST_BYTES)
        except TimeoutError as error:
            raise Busy("a worker took too long to start", retry_after=5) from error
        if frame is None:
            raise Misconfigured("a worker ended before it was ready: its memory limit may be too low")
        good, value, _ = _read(frame)
        if not good:
            raise value
        self._booted = True

    def _crash(self) -> JobCrash | JobTimeout:
        try:
            code = self.process.wait(1)  # a crashing process closes its socket a moment before it is gone
        except subprocess.TimeoutExpired:
            return JobCrash(0)
        return JobTimeout() if code == -signal.SIGALRM else JobCrash(max(0, -code))


def _environment() -> dict[str, str]:
    """What the child needs to find the same modules as this process, and no more.

    One malloc arena (mallopt(3), M_ARENA_MAX): glibc else reserves 64 to 128 MiB of address space for every thread of
    the engine that happens to run at the same time as others, and a plain query meets the limit by mere chance.
    """
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    path = os.pathsep.join(os.path.abspath(path) for path in sys.path)
    return {**kept, "PYTHONPATH": path, "MALLOC_ARENA_MAX": "1"}


class _Plain(pickle.Unpickler):
    """Reads plain data, our own dataclasses and errors, and nothing that could run code of a worker's choice."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in (("builtins", "set"), ("builtins", "frozenset"), ("provstore.errors", "_rebuild")):
            return super().find_class(module, name)
        if module.startswith("provstore.") and "." not in name:
            found = super().find_class(module, name)
            if isinstance(found, type) and found.__module__ == module and _is_data(found):
                return found
        raise pickle.UnpicklingError(f"a worker sent a {module}.{name}")


def _is_data(kind: type) -> bool:
    return dataclasses.is_dataclass(kind) or issubclass(kind, ProvStoreError | Enum)


def _read(frame: bytes) -> tuple[bool, Any, bool]:
    try:
        good, value, worn = _Plain(io.BytesIO(frame)).load()
        if good or isinstance(value, errors.ProvStoreError):
            return bool(good), value, bool(worn)
    except Exception as error:  # whatever it sent, it is no answer
        raise JobCrash(0) from error
    raise JobCrash(0)
