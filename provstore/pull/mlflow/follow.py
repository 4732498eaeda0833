"""Going on for good: rounds at an interval, sweeps now and then, and patience with servers that do not answer."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Event
from typing import Final

from provstore.errors import Busy, Misconfigured, NotFound, SourceUnavailable
from provstore.pull.mlflow.poller import Poller

#: A sweep takes its turn when twenty times as long has passed as the last one took, and a minute at least.
_SHARE, _LEAST = 20, 60.0
#: How often every run is asked for singly, in seconds.
_THOROUGH: Final = 86_400.0
#: How often a single import looks again because others write at the same time.
_AGAIN: Final = 10
#: The longest wait after failures, in seconds.
_PATIENCE: Final = 300.0


def once(poller: Poller) -> None:
    """Bring a store up to date; where others did so at the same time, until each thing has one live record.

    Whoever commits last sees what all the others committed: the last to end leaves one record a thing.
    """
    poller.sweep(thorough=True)
    for _ in range(_AGAIN):
        if not poller.contested():
            return
        poller.sweep(thorough=False)


def follow(
    poller: Poller, interval: float, wake: Event, tell: Callable[[str], None], caught_up: Callable[[], None]
) -> None:
    """Keep a store up to date for good; `wake` makes the next round begin at once.

    It begins with a sweep. Where MLflow or the store does not answer, that is told, and it tries later. Misconfigured
    where MLflow refuses, or what answers is none, before it ever told all; afterwards that too may be for a while.
    `caught_up` is called after each sweep, when the store has all that the server had.
    """
    next_sweep, next_thorough = 0.0, time.monotonic() + _THOROUGH
    wait = interval
    while True:
        wake.clear()
        began = time.monotonic()
        try:
            if began >= next_sweep:
                poller.sweep(thorough=began >= next_thorough)
                if began >= next_thorough:
                    next_thorough = began + _THOROUGH
                caught_up()
                now = time.monotonic()
                next_sweep = now + max(_LEAST, _SHARE * (now - began))
            else:
                poller.round()
            wait = interval
        except (SourceUnavailable, NotFound, Busy, Misconfigured) as error:
            if isinstance(error, Misconfigured) and not next_sweep:
                raise
            wait = min(max(wait, 1.0) * 2, _PATIENCE)
            tell(f"{error}; next try in {wait:g} s")
        wake.wait(wait)
