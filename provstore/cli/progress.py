"""Progress on standard error while it is a terminal: how far, how fast, how long still."""

from __future__ import annotations

import os
import sys
import time
from types import TracebackType

from provstore.cli.output import tell
from provstore.cli.terminal import fitted

_BAR, _REDRAWN = 24, 0.1


class Progress:
    """A bar, redrawn at most ten times a second; silent where standard error is no terminal."""

    def __init__(self, label: str, unit: str = "") -> None:
        self._label, self._unit = label, unit
        self._active, self._shown = sys.stderr.isatty(), 0.0
        self._started = time.monotonic()

    def __call__(self, done: float, total: float) -> None:
        now = time.monotonic()
        if self._active and (done >= total or now - self._shown >= _REDRAWN):
            self._shown = now
            self._draw(line_of(self._label, self._unit, done, total, now - self._started))

    def _draw(self, line: str) -> None:
        room = _width() - 1
        print(f"\r{fitted(line, room).ljust(room)}", end="", file=sys.stderr, flush=True)

    def note(self, text: str) -> None:
        """Say something above the bar."""
        if self._active and self._shown:
            self._draw("")
            print("\r", end="", file=sys.stderr)
        tell(text)

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._active and self._shown:
            print(file=sys.stderr)


def line_of(label: str, unit: str, done: float, total: float, seconds: float) -> str:
    """What the bar says after some seconds: the share, the numbers, the rate, and the time left at that rate."""
    share = min(1.0, done / total) if total else 1.0
    bar = ("█" * int(share * _BAR)).ljust(_BAR, "·")
    rate = done / max(seconds, 0.1)
    left = f"{_clock((total - done) / rate)} left" if 0 < done < total else f"in {_clock(seconds)}" if done else ""
    return f"{label} {bar} {share:4.0%} {done:,.0f}/{total:,.0f}{unit} {rate:,.0f}{unit}/s {left}".rstrip()


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _width() -> int:
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or 80
    except OSError:
        return 80
