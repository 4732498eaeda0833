"""What the server logs: on standard error, without the texts of exceptions, which quote what was sent."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from types import TracebackType
from typing import Any


class Frames(logging.Formatter):
    """Of an exception, and of those it came from, the class and where it was raised: nothing that it says."""

    def formatException(self, ei: Any) -> str:  # noqa: N802
        """One paragraph for each exception, the innermost first."""
        return "\n".join(reversed(list(_paragraphs(ei[1], ei[2]))))


def _paragraphs(error: BaseException | None, frames: TracebackType | None) -> Iterator[str]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield f"{''.join(traceback.format_tb(frames))}{type(error).__module__}.{type(error).__qualname__}"
        error = error.__cause__ or error.__context__
        frames = error.__traceback__ if error else None


def config(level: str) -> dict[str, Any]:
    """The configuration of `logging` for a level of the settings."""
    own = {"handlers": ["stderr"], "level": level.upper(), "propagate": False}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"frames": {"()": Frames, "format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "frames"}},
        "loggers": {"uvicorn": own, "provstore": own, "asyncio": own},
    }
