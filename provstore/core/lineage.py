"""Lineage and impact for a running server: one graph in memory, asked in a thread of its own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from provstore.errors import NotYetApplied
from provstore.lineage.ask import Asked, Told
from provstore.lineage.graph import LineageGraph


class LineageService:
    """Answers questions one after the other; each sees all that the views held when it was taken up."""

    def __init__(self, views: Path) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="lineage")
        self._graph = LineageGraph(views)

    async def ask(self, question: Asked, min_index: int | None, patience: float = 5.0) -> Told:
        """The answer, computed at `min_index` or later; NotYetApplied where the views do not get there in time."""
        until = time.monotonic() + patience
        while True:
            found = await self._in_thread(lambda: self._answer(question, min_index))
            if found is not None:
                return found
            if time.monotonic() > until:
                raise NotYetApplied(f"index {min_index} is not applied yet", retry_after=1)
            await asyncio.sleep(0.01)

    def _answer(self, question: Asked, min_index: int | None) -> Told | None:
        if min_index is not None and self._graph.index < min_index and self._graph.refresh() < min_index:
            return None
        self._graph.refresh()
        return question.answer(self._graph)

    async def _in_thread(self, work: Callable[[], Told | None]) -> Told | None:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def close(self) -> None:
        """Leave the graph beside the view database, so that the next start has it at once."""
        self._thread.submit(self._finish).result()
        self._thread.shutdown()

    def _finish(self) -> None:
        self._graph.refresh()
        self._graph.save()
        self._graph.close()
