"""What went wrong in the recorder: counted, warned of once, and never raised to the host."""

from __future__ import annotations

import logging
from collections import Counter
from contextlib import suppress
from types import TracebackType

from provstore.observe.redaction import scrub

_LOG = logging.getLogger("provstore.record")


class Troubles:
    """Counts of what went wrong, by what was being done."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.last: dict[str, str] = {}

    def tell(self, doing: str, why: object) -> None:
        """Count it; the first of each kind is a warning of the logger `provstore.record`."""
        with suppress(Exception):
            first = not self.counts[doing]
            self.counts[doing] += 1
            text = f"{type(why).__name__}: {why}" if isinstance(why, BaseException) else str(why)
            self.last[doing] = scrub(text[:2000])[:500]
            if first:
                _LOG.warning("%s: %s (your program goes on; told once, counted)", doing, self.last[doing])

    def kept(self, doing: str) -> _Kept:
        """Whatever is raised inside is counted and goes no further, but for what stops a program."""
        return _Kept(self, doing)


class _Kept:
    __slots__ = ("_doing", "_troubles")

    def __init__(self, troubles: Troubles, doing: str) -> None:
        self._troubles, self._doing = troubles, doing

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> bool:
        if not isinstance(error, Exception):
            return False
        self._troubles.tell(self._doing, error)
        return True
