"""A pool of killable worker processes: a deadline ends a job by SIGKILL, and a crash is an outcome, not an accident.

A spare is kept booted, so that a quick job never waits for a slow one's replacement. Jobs are named functions
`module:function` of one picklable argument; what they give is plain data, our dataclasses, or a ProvStoreError.
"""

from __future__ import annotations

import asyncio
import pickle
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from provstore.errors import Busy, Misconfigured
from provstore.security.process import JobCrash, JobTimeout, Worker

__all__ = ["JobCrash", "JobTimeout", "WorkerPool"]

_LINGER = 10.0  # seconds that a worker beyond `keep` waits for another job


class _Job:
    """One call: what to do, who does it (under the pool's lock), and whether anyone still wants it."""

    __slots__ = ("cancelled", "frame", "seconds", "worker")

    def __init__(self, target: str, argument: Any, seconds: float) -> None:
        self.frame = pickle.dumps((target, argument, seconds))
        self.seconds = seconds
        self.worker: Worker | None = None
        self.cancelled = False


class WorkerPool:
    """At most `most` processes, `keep` of them kept booted; safe from any thread, and from asyncio through `run`.

    Each may use `memory_bytes` of address space; `modules` are imported at its start. At most `4 * most` further jobs
    wait, each for up to `patience` seconds.
    """

    def __init__(
        self, memory_bytes: int, *, most: int = 6, keep: int = 2, modules: Sequence[str] = (), patience: float = 30.0
    ) -> None:
        self._memory, self._modules = memory_bytes, tuple(modules)
        self._most, self._keep, self._patience = most, max(1, min(keep, most)), patience
        self._admitted, self._room = 0, 5 * most
        self._idle: list[Worker] = []  # the longest idle first
        self._busy: set[Worker] = set()
        self._ended: list[Worker] = []  # for the keeper to bury
        self._changed = threading.Condition()  # guards all of these
        self._closed = False
        self._threads = ThreadPoolExecutor(max_workers=self._room, thread_name_prefix="worker-job")
        # All workers are started by one thread that lives as long as the pool: Linux kills them when the *thread*
        # that started them ends (prctl(2), PR_SET_PDEATHSIG).
        self._keeper = threading.Thread(target=self._keep_house, name="worker-keeper", daemon=True)
        self._keeper.start()

    def call(self, target: str, argument: Any, timeout: float) -> Any:
        """The job's value, within `timeout` seconds from when a worker takes it.

        Raises what the job raised (a ProvStoreError), JobTimeout, JobCrash, or Busy where no worker came free.
        """
        job = _Job(target, argument, timeout)
        with self._changed:
            self._admit()
        return self._call(job)

    async def run(self, target: str, argument: Any, timeout: float) -> Any:
        """As `call`, from asyncio; when cancellation is raised here, the job has been killed."""
        job = _Job(target, argument, timeout)
        with self._changed:
            self._admit()
            done: Future[Any] = self._threads.submit(self._call, job)
        result = asyncio.wrap_future(done)
        try:
            return await asyncio.shield(result)
        except asyncio.CancelledError:
            self._cancel(job)
            await asyncio.wait([result])
            result.exception()  # nobody wants it
            raise

    def close(self) -> None:
        """End all workers; jobs under way and waiting end as Busy."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._keeper.join()
        with self._changed:
            busy, unused = set(self._busy), [*self._idle, *self._ended]
            self._idle, self._ended = [], []
        for worker in busy:
            worker.kill()  # whoever waits for it buries it
        for worker in unused:
            worker.end()
        self._threads.shutdown(wait=True)
        for worker in busy:
            worker.process.wait()

    # -- one job ----------------------------------------------------------------------------------------------------

    def _admit(self) -> None:
        if self._closed:
            raise Busy("the server is shutting down")
        if self._admitted >= self._room:
            raise Busy("all workers are busy, and enough others are waiting", retry_after=5)
        self._admitted += 1

    def _call(self, job: _Job) -> Any:
        try:
            worker = self._take(job)
            try:
                good, value, worn = worker.run(job.frame, job.seconds)
            except BaseException as error:
                self._release(job, worker, again=False)
                if self._closed and isinstance(error, JobCrash | Misconfigured):  # killed in a job, or booting
                    raise Busy("the server is shutting down") from error
                raise
            self._release(job, worker, again=not worn)
        finally:
            with self._changed:
                self._admitted -= 1
        if not good:
            raise value
        return value

    def _take(self, job: _Job) -> Worker:
        until = time.monotonic() + self._patience
        with self._changed:
            while not job.cancelled:
                if self._closed:
                    raise Busy("the server is shutting down")
                while self._idle:
                    worker = self._idle.pop()  # the last used: it has the newest snapshot open
                    if worker.died:
                        self._ended.append(worker)
                        continue
                    job.worker = worker
                    self._busy.add(worker)
                    self._changed.notify_all()
                    return worker
                self._changed.notify_all()
                if not self._changed.wait(max(0.0, until - time.monotonic())) and time.monotonic() >= until:
                    raise Busy("all workers are busy", retry_after=2)
        raise JobCrash(0)

    def _release(self, job: _Job, worker: Worker, *, again: bool) -> None:
        with self._changed:
            job.worker = None
            # a job cancelled at its very end has its worker killed: do not hand that one out
            again = again and not job.cancelled and not self._closed
        if not again:
            worker.end()  # before its place is free, so that there are never more than `most`
        with self._changed:
            self._busy.discard(worker)
            if again and not self._closed:
                worker.idle_since = time.monotonic()
                self._idle.append(worker)
            self._changed.notify_all()

    def _cancel(self, job: _Job) -> None:
        with self._changed:
            job.cancelled = True
            if job.worker:
                job.worker.kill()
            self._changed.notify_all()

    # -- the keeper -------------------------------------------------------------------------------------------------

    def _keep_house(self) -> None:
        """Start workers where some are wanted and bury those that ended, until the pool closes."""
        while True:
            with self._changed:
                while not (self._closed or self._short() or self._ended or self._lingering()):
                    self._changed.wait(_LINGER if len(self._idle) > self._keep else None)
                if self._closed:
                    return
                if self._lingering():
                    self._ended.append(self._idle.pop(0))
                ended, self._ended = self._ended, []
                short = self._short()
            for worker in ended:
                worker.end()
            if short:
                self._start_one()

    def _short(self) -> bool:
        """Whether to boot a spare, so that whoever comes next finds it ready."""
        total = len(self._idle) + len(self._busy)
        return total < self._most and (total < self._keep or not self._idle)

    def _lingering(self) -> bool:
        return len(self._idle) > self._keep and time.monotonic() - self._idle[0].idle_since >= _LINGER

    def _start_one(self) -> None:
        try:
            worker = Worker(self._memory, self._modules)
        except OSError:  # no process or memory to be had: those who wait get Busy in the end
            with self._changed:
                self._changed.wait_for(lambda: self._closed, timeout=1)
            return
        with self._changed:
            self._idle.insert(0, worker)
            self._changed.notify_all()
