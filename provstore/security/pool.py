"""A pool of killable worker processes: a deadline ends a job by SIGKILL, and a crash is an outcome, not an accident.

One spare is kept booted, so that a quick job never waits for a slow one's replacement. Jobs are named functions
`module:function` of one picklable argument.
"""

from __future__ import annotations

import asyncio
import os
import pickle
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from provstore.errors import Busy
from provstore.security.frames import receive, send


class JobTimeout(Exception):
    """The deadline passed and the worker was killed."""


class JobCrash(Exception):
    """The worker died in the job; `signal` is what killed it, as a positive number (0: it ended by itself)."""

    def __init__(self, signal: int) -> None:
        super().__init__(f"the worker died of signal {signal}")
        self.signal = signal


class _Worker:
    """One child process and the socket to it."""

    def __init__(self, memory_bytes: int, modules: Sequence[str]) -> None:
        self.channel, theirs = socket.socketpair()
        keep = ("PATH", "LANG", "LC_ALL", "PYTHONPATH", "SYSTEMROOT", "TMPDIR")
        command = [sys.executable, "-m", "provstore.security.worker", str(theirs.fileno()), str(os.getpid())]
        self.process = subprocess.Popen(
            [*command, str(memory_bytes), *modules],
            pass_fds=(theirs.fileno(),),
            stdin=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={name: os.environ[name] for name in keep if name in os.environ},
        )
        theirs.close()
        self.idle_since = time.monotonic()

    def run(self, target: str, argument: Any, deadline: float) -> Any:
        try:
            self.channel.settimeout(max(0.001, deadline - time.monotonic()))
            send(self.channel, pickle.dumps((target, argument)))
            frame = receive(self.channel)
        except TimeoutError as error:
            self.kill()
            raise JobTimeout from error
        except OSError:
            frame = None
        if frame is None:
            self.kill()
            raise JobCrash(max(0, -(self.process.returncode or 0)))
        return pickle.loads(frame)

    def kill(self) -> None:
        if self.process.poll() is None:
            try:
                self.process.wait(0.05)  # a crashing process closes its socket a moment before it is gone
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.process.wait()
        self.channel.close()


class WorkerPool:
    """At most `most` workers, `keep` of them kept booted; safe from any thread, and from asyncio through `run`."""

    def __init__(
        self, memory_bytes: int, *, most: int = 6, keep: int = 2, modules: Sequence[str] = (), patience: float = 30.0
    ) -> None:
        self._memory, self._modules = memory_bytes, tuple(modules)
        self._most, self._keep, self._patience = most, keep, patience
        self._idle: list[_Worker] = []
        self._busy: set[_Worker] = set()
        self._free = threading.Condition()
        self._closed = False
        self._threads = ThreadPoolExecutor(max_workers=4 * most, thread_name_prefix="worker-pool")
        with self._free:
            self._idle = [self._spawn() for _ in range(min(keep, most))]

    def call(self, target: str, argument: Any, timeout: float) -> Any:
        """The job's value, within `timeout` seconds from when a worker takes it.

        Raises what the job raised (a ProvStoreError), JobTimeout, JobCrash, or Busy where no worker came free.
        """
        return self._call(target, argument, timeout, [])

    async def run(self, target: str, argument: Any, timeout: float) -> Any:
        """As `call`, from asyncio; cancelling the task kills the job."""
        taken: list[_Worker] = []
        loop = asyncio.get_running_loop()
        job = loop.run_in_executor(self._threads, self._call, target, argument, timeout, taken)
        try:
            return await asyncio.shield(job)
        except asyncio.CancelledError:
            for worker in taken:
                worker.process.kill()
            job.add_done_callback(lambda done: done.exception())
            raise

    def _call(self, target: str, argument: Any, timeout: float, taken: list[_Worker]) -> Any:
        worker = self._take()
        taken.append(worker)
        try:
            good, value = worker.run(target, argument, time.monotonic() + timeout)
        except (JobTimeout, JobCrash):
            self._give_back(worker, alive=False)
            raise
        self._give_back(worker, alive=True)
        if not good:
            raise value
        return value

    def _spawn(self) -> _Worker:
        return _Worker(self._memory, self._modules)

    def _take(self) -> _Worker:
        until = time.monotonic() + self._patience
        with self._free:
            while True:
                if self._closed:
                    raise Busy("the worker pool is closed")
                while self._idle:
                    worker = self._idle.pop(0)
                    if worker.process.poll() is None:
                        self._busy.add(worker)
                        self._replenish()
                        return worker
                    worker.channel.close()
                if len(self._busy) < self._most:
                    self._idle.append(self._spawn())
                    continue
                if not self._free.wait(max(0.0, until - time.monotonic())):
                    raise Busy("all query workers are busy", retry_after=2)

    def _replenish(self) -> None:
        """Boot the next spare now, so that whoever comes next finds it ready."""
        if not self._idle and len(self._busy) < self._most:
            self._idle.append(self._spawn())

    def _give_back(self, worker: _Worker, *, alive: bool) -> None:
        with self._free:
            self._busy.discard(worker)
            if alive and not self._closed and len(self._idle) < self._keep:
                self._idle.append(worker)
            else:
                threading.Thread(target=worker.kill, daemon=True).start()
                if not self._closed:
                    self._replenish()
            self._free.notify()

    def close(self) -> None:
        """End all workers; jobs under way end as crashes."""
        with self._free:
            self._closed = True
            workers = [*self._idle, *self._busy]
            self._idle = []
            self._free.notify_all()
        for worker in workers:
            worker.process.kill()
            worker.process.wait()
        self._threads.shutdown(wait=False)
