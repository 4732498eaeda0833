"""Tables that fit a terminal, and progress bars on standard error."""

from __future__ import annotations

import shutil
import sys
import time
import unicodedata
from collections.abc import Sequence


class Progress:
    """A bar on standard error while it is a terminal; silent otherwise."""

    def __init__(self, label: str) -> None:
        self._label, self._shown, self._active = label, 0.0, sys.stderr.isatty()
        self._started = time.monotonic()

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if not self._active or (done < total and now - self._shown < 0.1):
            return
        self._shown = now
        share = done / total if total else 1.0
        bar = "█" * int(share * 30)
        rate = done / max(now - self._started, 0.001)
        print(f"\r{self._label} {bar:<30} {share:4.0%} {done:,}/{total:,} ({rate:,.0f}/s)", end="", file=sys.stderr)

    def end(self) -> None:
        if self._active and self._shown:
            print(file=sys.stderr)


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as their content, the widest cut until the table fits the terminal."""
    width = shutil.get_terminal_size((120, 40)).columns if sys.stdout.isatty() else 100_000
    sizes = [max([_width(c), *(_width(row[i]) for row in rows)]) for i, c in enumerate(columns)]
    while sum(sizes) + 2 * (len(sizes) - 1) > width and max(sizes) > 8:
        sizes[sizes.index(max(sizes))] -= 1
    lines = [columns, ["─" * size for size in sizes], *rows]
    return "\n".join(
        "  ".join(_fit(cell, size) for cell, size in zip(line, sizes, strict=True)).rstrip() for line in lines
    )


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _fit(text: str, size: int) -> str:
    """The text in `size` cells; a long one loses its middle, since IRIs differ at their ends."""
    while _width(text) > size:
        keep = len(text) - (_width(text) - size) - 1
        text = f"{text[: keep // 2]}…{text[len(text) - (keep - keep // 2) :]}"
    return text + " " * (size - _width(text))
