"""Lineage and impact for a running server: one graph in memory, asked in a thread of its own where it takes long."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from provstore.errors import Busy
from provstore.lineage.adjacency import Long
from provstore.lineage.ask import Asked, Told
from provstore.lineage.cards import prepare
from provstore.lineage.graph import LineageGraph

_PATIENCE = 5.0


class LineageService:
    """Answers questions one after the other; each sees all that the views held when it was taken up.

    The graph is read behind the start of the server: without its saved arrays that takes some seconds for a million
    items. Until it is there, questions wait, and are answered Busy where that takes too long.
    """

    def __init__(self, views: Path) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="lineage")
        self._using = threading.Lock()  # the graph is for one thread at a time
        self._opening = self._thread.submit(_opened, views)

    @property
    def ready(self) -> bool:
        """Whether the graph is there."""
        return self._opening.done()

    @property
    def _graph(self) -> LineageGraph:
        return self._opening.result()

    async def ask(self, question: Asked) -> Told:
        """The answer, computed at all that the views hold now; Busy while the graph is being read."""
        if not self.ready:
            done, _ = await asyncio.wait([asyncio.wrap_future(self._opening)], timeout=_PATIENCE)
            if not done:
                raise Busy(
                    "the lineage index is being read, once after a start without its saved arrays", retry_after=5
                )
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
        if self._opening.exception():
            return
        with self._using:
            self._graph.refresh()
            self._graph.save()
            self._graph.close()


def _opened(views: Path) -> LineageGraph:
    graph = LineageGraph(views)
    prepare(graph)
    return graph
