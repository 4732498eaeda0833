"""Calls that never fail the program they stand in: one warning a process, and then silence."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from threading import get_ident
from typing import Any

from provstore_mlflow.hook import seen

_told: list[str] = []


def trouble(error: BaseException) -> None:
    """Say, once a process, that something went wrong and nothing but this record suffers."""
    if not _told:
        _told.append(str(error))
        logging.getLogger("provstore_mlflow").warning(
            "provstore-mlflow could not record all of this run's origins (%s: %s); the run itself goes on",
            type(error).__name__,
            error,
        )


@contextmanager
def ours() -> Iterator[None]:
    """What this thread opens inside is this package's own doing."""
    thread = get_ident()
    nested = thread in seen.ours
    seen.ours.add(thread)
    try:
        yield
    finally:
        if not nested:
            seen.ours.discard(thread)


def around(
    owner: Any,
    name: str,
    before: Callable[..., Any] | None = None,
    after: Callable[..., Any] | None = None,
) -> None:
    """Put calls around a function: `before(*args, **kwargs)`, and `after(result, *args, **kwargs)` if it returns.

    The function gets its arguments, and returns or raises, as it always did; also where Ctrl-C comes during `before`,
    which counts after it: a run that is being ended is ended.
    """
    inner = getattr(owner, name, None)
    if inner is None or hasattr(inner, "__provstore__"):
        return

    @wraps(inner)
    def outer(*args: Any, **kwargs: Any) -> Any:
        interrupted = None
        try:
            if before:
                _tried(before, *args, **kwargs)
        except BaseException as error:
            interrupted = error
        result = inner(*args, **kwargs)
        if interrupted:
            raise interrupted
        if after:
            _tried(after, result, *args, **kwargs)
        return result

    outer.__provstore__ = True  # type: ignore[attr-defined]
    setattr(owner, name, outer)


def _tried(call: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
    try:
        call(*args, **kwargs)
    except Exception as error:
        trouble(error)
