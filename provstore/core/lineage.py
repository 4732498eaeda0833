"""Lineage and impact for a running server: one graph in memory, asked in a thread of its own where it takes long."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

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

    async def ask(self, question: Asked) -> Told:
        """The answer, computed at all that the views hold now."""
        found = self._at_once(question)
        if found is not None:
            return found
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._answer, question)

    def _at_once(self, question: Asked) -> Told | None:
        """The answer where it takes no longer than to hand the question to the thread; nobody else waits for that."""
        if question.brief is None or not self._using.acquire(blocking=False):
            return None
        try:
            if self._graph.is_behind():
                return None
            return question.told(question.brief(self._graph))
        except Long:
            return None
        finally:
            self._using.release()

    def _answer(self, question: Asked) -> Told:
        with self._using:
            self._graph.refresh()
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
