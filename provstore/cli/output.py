"""Answers as people and programs want them: tables that fit a terminal, JSON, CSV, TSV; nothing that drives a terminal.

What goes to a file or a pipe is exact and does not depend on any terminal.
"""

from __future__ import annotations

import csv
import io
import json
import shutil
import sys
from collections.abc import Sequence
from typing import Any

from provstore.cli.terminal import fitted, isolated, safe, safe_json, safe_lines, width

#: What a list can be printed as.
FORMATS = ("table", "json", "ndjson", "csv", "tsv")
_GAP = "  "
_LEAST = 8  # cells of a column below which a table is of no use
_ALIGNED = 100  # cells up to which columns are aligned where nothing limits their width


def show(form: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], whole: Any = None, note: str = "") -> None:
    """Print a list in one of FORMATS; `whole` is what JSON says instead of the rows, `note` stands under a table."""
    if form == "table":
        cells = [[_text(value) for value in row] for row in rows]
        lines = [table(columns, cells)] if rows or not note else []
        _put("\n".join([*lines, *filter(None, [safe(note)])]) + "\n")
    elif form == "json":
        show_json([dict(zip(columns, row, strict=True)) for row in rows] if whole is None else whole)
    elif form == "ndjson":
        for row in rows:
            show_json(dict(zip(columns, row, strict=True)), indent=None)
    else:
        write((_csv if form == "csv" else _tsv)([columns, *rows]))


def show_json(value: Any, indent: int | None = 2) -> None:
    """Print a value as JSON."""
    _put(safe_json(json.dumps(value, indent=indent, ensure_ascii=False)) + "\n")


def write(text: str | bytes) -> None:
    """Print what is ready: exactly where it goes to a file or a pipe, made harmless where it goes to a terminal."""
    if sys.stdout.isatty():
        text = safe_lines(text if isinstance(text, str) else text.decode(errors="replace"))
    _put(text)


def _put(text: str | bytes) -> None:
    """All of it, or an error: an unbuffered stream takes a part, and only the next part meets a reader that is gone."""
    sys.stdout.flush()
    data = text if isinstance(text, bytes) else text.encode(sys.stdout.encoding, "backslashreplace")
    at = 0
    while at < len(data):
        at += sys.stdout.buffer.write(memoryview(data)[at:])


def tell(text: str) -> None:
    """Say something to a person on standard error, one line whatever names are in it."""
    print(safe(text), file=sys.stderr)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def _csv(rows: Sequence[Sequence[Any]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([_text(value) for value in row] for row in rows)
    return out.getvalue()


_TSV = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def _tsv(rows: Sequence[Sequence[Any]]) -> str:
    return "".join("\t".join(_text(value).translate(_TSV) for value in row) + "\n" for row in rows)


# --- tables ----------------------------------------------------------------------------------------------------------


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Aligned columns: on a terminal cut to its width, a line a cell where that is too narrow; else nothing is cut."""
    shown = [[safe(cell) for cell in row] for row in rows]
    if not sys.stdout.isatty():
        return _aligned(columns, shown, _natural(columns, shown, most=_ALIGNED))
    room = shutil.get_terminal_size().columns
    sizes = _sizes(_natural(columns, shown), room - len(_GAP) * (len(columns) - 1))
    return _aligned(columns, shown, sizes, cut=True) if sizes else _stacked(columns, shown, room)


def _natural(columns: Sequence[str], rows: Sequence[Sequence[str]], most: int | None = None) -> list[int]:
    sizes = [max([width(name), *(width(row[at]) for row in rows)]) for at, name in enumerate(columns)]
    return sizes if most is None else [min(size, most) for size in sizes]


def _sizes(natural: Sequence[int], room: int) -> list[int]:
    """The natural sizes, the widest cut alike until all fit; empty where a column would be too narrow to be read."""
    sizes = [0] * len(natural)
    order = sorted(range(len(natural)), key=natural.__getitem__)
    for done, at in enumerate(order):
        sizes[at] = min(natural[at], room // (len(order) - done))
        room -= sizes[at]
        if sizes[at] < min(natural[at], _LEAST):
            return []
    return sizes


def _aligned(columns: Sequence[str], rows: Sequence[Sequence[str]], sizes: Sequence[int], cut: bool = False) -> str:
    lines = [columns, ["─" * size for size in sizes], *rows]
    return "\n".join(
        _GAP.join(_cell(cell, size, cut) for cell, size in zip(line, sizes, strict=True)).rstrip() for line in lines
    )


def _cell(text: str, size: int, cut: bool) -> str:
    shown = fitted(text, size) if cut else text
    return (isolated(shown) if cut else shown) + " " * (size - width(shown))


def _stacked(columns: Sequence[str], rows: Sequence[Sequence[str]], room: int) -> str:
    """One row under the other, a line a cell."""
    names = max(map(width, columns))
    lines = []
    for number, row in enumerate(rows, 1):
        lines.append(f"─ {number} ".ljust(room, "─"))
        for name, cell in zip(columns, row, strict=True):
            if cell:
                lines.append(f"{name.ljust(names)} {isolated(fitted(cell, max(_LEAST, room - names - 1)))}")
    return "\n".join(lines)
