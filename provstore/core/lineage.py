"""Lineage and impact for a running server: one graph in memory, asked in a thread of its own where it takes long."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from provstore.errors import NotYetApplied
from provstore.lineage.adjacency import Long
from provstore.lineage.ask import Asked, Told
from provstore.lineage.cards import prepare
from provstore.lineage.graph import LineageGraph


class LineageService:
    """Answers questions one after the other; each sees all that the views held when it was taken up."""

    def __init__(self, views: Path) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="lineage")
        self._graph = LineageGraph(views)
        prepare(self._graph)
        self._using = threading.Lock()  # the graph is for one thread at a time

    async def ask(self, question: Asked, min_index: int | None, patience: float = 5.0) -> Told:
        """The answer, computed at `min_index` or later; NotYetApplied where the views do not get there in time."""
        until = time.monotonic() + patience
        while True:
            found = self._at_once(question, min_index)
            if found is None:
                found = await asyncio.get_running_loop().run_in_executor(
                    self._thread, self._answer, question, min_index
                )
            if found is not None:
                return found
            if time.monotonic() > until:
                raise NotYetApplied(f"index {min_index} is not applied yet", retry_after=1)
            await asyncio.sleep(0.01)

    def _at_once(self, question: Asked, min_index: int | None) -> Told | None:
        """The answer where it takes no longer than to hand the question to the thread; nobody else waits for that."""
        if question.brief is None or not self._using.acquire(blocking=False):
            return None
        try:
            if self._graph.is_behind() or (min_index is not None and self._graph.index < min_index):
                return None
            return question.told(question.brief(self._graph))
        except Long:
            return None
        finally:
            self._using.release()

    def _answer(self, question: Asked, min_index: int | None) -> Told | None:
        with self._using:
            if self._graph.refresh() < (min_index or 0):
                return None
            prepare(self._graph)
            return question.answer(self._graph)

    def close(self) -> None:
        """Leave the graph beside the view database, so that the next start has it at once."""
        self._thread.submit(self._finish).result()
        self._thread.shutdown()

    def _finish(self) -> None:
        with self._using:
            self._graph.refresh()
            self._graph.save()
            self._graph.close()
