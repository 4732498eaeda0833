"""Where the boxes and lines of a profile's class diagram go: pure arithmetic, no drawing and no fonts.

Boxes that refer to one another stand in columns, what refers left of what is referred to; the others fill rows below.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from provstore.validation.profiles import Box, Row

_CHAR, _LINE, _PAD, _GAP = 7.3, 20, 12, 56  # of a monospaced letter at 12 px, and in pixels
_WIDEST, _MOST_TITLES, _PAGE, _LANE = 38, 3, 1160, 9
_LAST_PART = re.compile(r"<[^<>]*[/#:]([^<>/#:]+)[/#]?>")
#: Which box refers to which other one (by their places in the list), by which row.
_Link: TypeAlias = tuple[int, int, Row]


@dataclass(frozen=True, slots=True)
class Line:
    """A row as it is drawn: `y` is its baseline, texts are cut to what fits, `full` is all of it."""

    y: float
    text: str
    count: str
    full: str
    rule: str


@dataclass(frozen=True, slots=True)
class Drawn:
    """A box as it is drawn: its place, titles as (baseline, text), and rows; `is_class` tells classes from the rest."""

    x: float
    y: float
    width: float
    height: float
    head: float
    titles: tuple[tuple[float, str], ...]
    lines: tuple[Line, ...]
    is_class: bool


@dataclass(frozen=True, slots=True)
class Arrow:
    """A relation: the way of its line (the `d` of an SVG path), and what it says."""

    way: str
    says: str


@dataclass(frozen=True, slots=True)
class Diagram:
    """A whole picture, its size, and the same in sentences."""

    width: float
    height: float
    boxes: tuple[Drawn, ...]
    arrows: tuple[Arrow, ...]
    sentences: tuple[str, ...]


def diagram(boxes: Sequence[Box]) -> Diagram:
    """The picture of some boxes; empty ones give an empty picture."""
    links = _links(boxes)
    places: dict[int, tuple[float, float]] = {}
    sizes = [_size(box) for box in boxes]
    depth = _depths(len(boxes), links)
    bottom = _columns(sizes, depth, places)
    far = [link for link in links if depth[link[1]] != depth[link[0]] + 1]
    lanes = {link: bottom + number * _LANE for number, link in enumerate(far)}
    bottom = _rows(sizes, places, bottom + len(far) * _LANE + (_GAP / 2 if far else 0))
    drawn = [_drawn(box, places[n], sizes[n]) for n, box in enumerate(boxes)]
    arrows = tuple(_arrow(drawn, link, boxes[link[0]].rows.index(link[2]), lanes) for link in links)
    width = max([x + sizes[n][0] for n, (x, _) in places.items()], default=0) + (_GAP if far else 2)
    return Diagram(width, bottom, tuple(drawn), arrows, tuple(_sentence(box) for box in boxes))


def _links(boxes: Sequence[Box]) -> list[_Link]:
    """Every relation between two boxes."""
    home = {cls: n for n, box in reversed(list(enumerate(boxes))) for cls in box.classes if len(box.titles) == 1}
    found = []
    for n, box in enumerate(boxes):
        for row in box.rows:
            targets = {home[cls] for cls in row.classes if cls in home}
            found += [(n, target, row) for target in sorted(targets) if target != n and row.path]
    return found


def _size(box: Box) -> tuple[float, float]:
    texts = [*(text for _, text in _titles(box)), *(f"{_text(row)}  {_count(row)}" for row in box.rows)]
    width = max([len(text) for text in texts], default=8) * _CHAR + 2 * _PAD
    return width, (len(_titles(box)) + len(box.rows)) * _LINE + 1.5 * _PAD


def _titles(box: Box) -> list[tuple[float, str]]:
    shown = [_cut(each) for each in box.titles[:_MOST_TITLES]]
    if len(box.titles) > _MOST_TITLES:
        shown.append(f"and {len(box.titles) - _MOST_TITLES} more")
    return [((n + 1) * _LINE - 4, text) for n, text in enumerate(shown)]


def _text(row: Row) -> str:
    return _cut(f"{row.path or '(itself)'}{f': {row.kind}' if row.kind else ''}")


def _count(row: Row) -> str:
    return row.count if row.path else ""


def _cut(text: str) -> str:
    """What fits; of an IRI without a prefix the last part."""
    text = _LAST_PART.sub(r"\1", text)
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 1]}…"


# --- places ----------------------------------------------------------------------------------------------------------


def _columns(
    sizes: Sequence[tuple[float, float]], depth: dict[int, int], places: dict[int, tuple[float, float]]
) -> float:
    """Place what is linked, a column for each step; returns where the next row may begin."""
    x, bottom = _GAP / 2, 1.0
    for step in sorted(set(depth.values())):
        column = [n for n in sorted(depth) if depth[n] == step]
        y = 1.0
        for n in column:
            places[n] = (x, y)
            y += sizes[n][1] + _GAP / 2
        x += max(sizes[n][0] for n in column) + _GAP
        bottom = max(bottom, y)
    return bottom


def _depths(count: int, links: Sequence[_Link]) -> dict[int, int]:
    """How many steps each linked box is from the leftmost; a way that comes back to itself counts once."""
    linked = {n for one, other, _ in links for n in (one, other)}
    depth = dict.fromkeys(linked, 0)
    for _ in range(count):
        moved = False
        for one, other, _row in links:
            if depth[other] <= depth[one] < len(linked) - 1 and (other, one) not in {(a, b) for a, b, _ in links}:
                depth[other] = depth[one] + 1
                moved = True
        if not moved:
            break
    return depth


def _rows(sizes: Sequence[tuple[float, float]], places: dict[int, tuple[float, float]], top: float) -> float:
    """Place the rest, each where there is most room; returns how high the picture is."""
    rest = [n for n in range(len(sizes)) if n not in places]
    if not rest:
        return top
    width = max(sizes[n][0] for n in rest) + _GAP / 2
    columns = [top] * max(1, min(len(rest), int((_PAGE + _GAP / 2) // width)))
    for n in rest:
        at = columns.index(min(columns))
        places[n] = (1 + at * width, columns[at])
        columns[at] += sizes[n][1] + _GAP / 2
    return max(columns)


# --- what is drawn ---------------------------------------------------------------------------------------------------


def _drawn(box: Box, place: tuple[float, float], size: tuple[float, float]) -> Drawn:
    titles = _titles(box)
    head = len(titles) * _LINE + _PAD / 2
    lines = tuple(
        Line(head + (n + 1) * _LINE - 4, _text(row), _count(row), _full(row), row.rule)
        for n, row in enumerate(box.rows)
    )
    return Drawn(*place, *size, head, tuple(titles), lines, bool(box.classes))


def _full(row: Row) -> str:
    about = f"{row.path}, {row.count}" if row.path else "the thing itself"
    return f"{about}{f': {row.kind}' if row.kind else ''}"


def _arrow(drawn: Sequence[Drawn], link: _Link, at: int, lanes: Mapping[_Link, float]) -> Arrow:
    """From the row's right edge to the head of the box it refers to; in a lane below where others stand between."""
    one, other, row = drawn[link[0]], drawn[link[1]], link[2]
    y, to = one.y + one.lines[at].y - 4, other.y + other.head / 2
    start, end = one.x + one.width, other.x
    if link not in lanes:
        bend = (end - start) / 2
        way = f"M{start:.1f} {y:.1f}C{start + bend:.1f} {y:.1f} {end - bend:.1f} {to:.1f} {end:.1f} {to:.1f}"
        return Arrow(way, f"{row.path} {row.count}")
    lane = lanes[link]
    shift = 8 + list(lanes).index(link) % 4 * 5  # so that lines side by side are told apart
    out, back = start + shift, end - shift
    corners = ((start, y), (out, y), (out, lane), (back, lane), (back, to), (end, to))
    return Arrow(f"M{'L'.join(f'{px:.1f} {py:.1f}' for px, py in corners)}", f"{row.path} {row.count}")


def _sentence(box: Box) -> str:
    asked = "; ".join(_full(row) for row in box.rows) or "nothing more"
    return f"{', '.join(box.titles)}: {asked}."
