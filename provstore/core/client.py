"""The server's end of the owner process: requests in order, answers as they come, a new owner when one dies."""

from __future__ import annotations

import asyncio
import itertools
import pickle
import socket
import struct
import subprocess
import sys
from collections import deque
from pathlib import Path
from typing import Any

from provstore.errors import Busy, ProvStoreError
from provstore.model import Receipt, Submission
from provstore.store.query import Snapshot

_RESTARTING = "the store is restarting; what was not answered may be sent again"
_LAG = 4  # the views may lag by so many times the bytes that may wait for their commit


class OwnerClient:
    """Talks to one owner process for a directory; for one asyncio loop.

    `append` refuses with Busy, before anything is committed, when too much is under way or the views lag too far.
    """

    def __init__(self, directory: Path, base: str, *, records: int, size: int, lag: int) -> None:
        self._directory, self._wanted_base = directory, base
        self._most_records, self._most_bytes, self._most_lag = records, size, lag
        self._records = self._bytes = 0
        self._behind: deque[tuple[int, int]] = deque()  # what was committed here: the index it came to, its bytes
        self._tickets = itertools.count(1)
        self._pending: dict[int, asyncio.Future[Any]] = {}
        self._writer: asyncio.StreamWriter | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._closing = False
        self.base = ""
        self.head = self.applied = -1

    async def start(self) -> None:
        """Start the owner; raises what kept it from opening the store."""
        ours, theirs = socket.socketpair()
        command = [sys.executable, "-m", "provstore.core.owner", str(theirs.fileno()), str(self._directory)]
        self._process = subprocess.Popen(
            [*command, self._wanted_base] if self._wanted_base else command,
            pass_fds=(theirs.fileno(),),
            stdin=subprocess.DEVNULL,
        )
        theirs.close()
        reader, self._writer = await asyncio.open_connection(sock=ours)
        frame = await _frame(reader)
        if frame is None:
            raise ProvStoreError("the process that owns the store ended at once; see its message above")
        _, good, value = pickle.loads(frame)
        if not good:
            raise value
        self.base, self.applied = value["base"], value["applied"]
        self._listening = asyncio.create_task(self._listen(reader))

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        while (frame := await _frame(reader)) is not None:
            ticket, good, value = pickle.loads(frame)
            future = self._pending.pop(ticket, None)
            if future is None or future.done():
                continue
            if good:
                future.set_result(value)
            else:
                future.set_exception(value)
        for future in self._pending.values():
            if not future.done():
                future.set_exception(Busy(_RESTARTING, retry_after=1))
        self._pending.clear()
        self._writer = None
        if not self._closing:
            await self._restart()

    async def _restart(self) -> None:
        delay = 0.1
        while not self._closing:
            if self._process:
                await asyncio.to_thread(self._process.wait)
            try:
                await self.start()
                return
            except ProvStoreError:
                await asyncio.sleep(delay)
                delay = min(delay * 2, 5.0)

    async def _ask(self, what: str, argument: Any = None) -> Any:
        if self._writer is None:
            raise Busy("the store is restarting", retry_after=1)
        ticket = next(self._tickets)
        future = self._pending[ticket] = asyncio.get_running_loop().create_future()
        frame = pickle.dumps((ticket, what, argument), protocol=5)
        self._writer.write(struct.pack("!Q", len(frame)) + frame)
        try:
            await self._writer.drain()
        except ConnectionError as error:  # the owner has just died, and the listener is yet to find out
            self._pending.pop(ticket, None)
            raise Busy(_RESTARTING, retry_after=1) from error
        return await future

    async def append(self, submissions: list[Submission]) -> list[Receipt]:
        """Receipts once the submissions are on disk; Busy, with nothing committed, when there is too much to do."""
        size = sum(len(s.payload) + len(s.mapped.quads) for s in submissions)
        if self._records and (
            self._records + len(submissions) > self._most_records or self._bytes + size > self._most_bytes
        ):
            raise Busy("too many records are waiting to be committed", retry_after=1)
        if self._lags():
            self.applied = (await self.snapshot(-1)).index
            if self._lags():
                raise Busy("the views lag too far behind the ledger", retry_after=2)
        self._records += len(submissions)
        self._bytes += size
        try:
            receipts, self.applied = await self._ask("append", submissions)
        finally:
            self._records -= len(submissions)
            self._bytes -= size
        found: list[Receipt] = receipts
        self.head = max(self.head, *(r.index for r in found))
        self._behind.append((self.head, size))
        return found

    def _lags(self) -> bool:
        """Whether the views have so much to catch up with, in records or bytes, that no more is taken."""
        while self._behind and self._behind[0][0] <= self.applied:
            self._behind.popleft()
        size = sum(size for _, size in self._behind)
        return self.head - self.applied > self._most_lag or size > _LAG * self._most_bytes

    async def snapshot(self, index: int, patience: float = 5.0) -> Snapshot:
        """A snapshot that holds a ledger index; NotYetApplied if the views do not get there in time."""
        found: Snapshot = await self._ask("snapshot", (index, patience))
        self.applied = max(self.applied, found.index)
        return found

    async def follow(self, index: int) -> int:
        """Have what changes in the views kept from an index on (below 0: from now on); returns the applied index."""
        applied: int = await self._ask("follow", index)
        return applied

    async def restate(self, verdicts: dict[str, str], index: int | None) -> None:
        """Have the graph of verdicts say this of each thing; `Views.restate`."""
        await self._ask("restate", (verdicts, index))

    async def checkpoint(self) -> str:
        """The signed tree head of what is durable."""
        note: str = await self._ask("checkpoint")
        return note

    async def close(self) -> None:
        """Let the owner finish what it began and end."""
        self._closing = True
        if self._writer:
            self._writer.close()
        if self._process:
            await asyncio.to_thread(self._process.wait)


async def _frame(reader: asyncio.StreamReader) -> bytes | None:
    try:
        (length,) = struct.unpack("!Q", await reader.readexactly(8))
        return await reader.readexactly(length)
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
