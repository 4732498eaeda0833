"""Measurements of models as tables: a row for each metric, a column for the whole and for each group."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from provstore.core.things.thing import Measure

#: Columns that still fit beside one another, and rows that are shown.
_MOST_GROUPS, MOST_ROWS = 8, 30


@dataclass(frozen=True, slots=True)
class Group:
    """A column of a table: the whole, where it has no slice, or the rows of one value of a column."""

    slice: str = ""
    value: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Measurements of one thing that one activity took on the same data: `cells` are in the order of `groups`.

    `column` is what the groups are made by; `more` is how many metrics are not in `rows`.
    """

    of: str
    by: str
    on: str
    when: str
    column: str
    groups: tuple[Group, ...]
    rows: tuple[tuple[str, tuple[str | None, ...]], ...]
    more: int


def tables(measures: Iterable[Measure]) -> tuple[list[Table], list[Measure]]:
    """The measurements that make tables, the latest first, and those that do not: of single columns, of many groups."""
    held: dict[tuple[str, str, str, str], list[Measure]] = defaultdict(list)
    alone: list[Measure] = []
    for each in measures:
        if each.column:
            alone.append(each)
        else:
            held[each.of, each.by or "", each.on or "", each.slice_column or ""].append(each)
    grouped = {key[:3] for key in held if key[3]}
    made: list[Table] = []
    for key, found in held.items():
        if not key[3] and key[:3] in grouped:
            continue  # the whole stands before its groups
        whole = held.get((*key[:3], ""), []) if key[3] else []
        if table := _table(key, [*whole, *found]):
            made.append(table)
        else:
            alone += [*whole, *found]
    return sorted(made, key=lambda t: (t.when, t.by), reverse=True), alone


def _table(key: tuple[str, str, str, str], measures: list[Measure]) -> Table | None:
    """A table of what has one place each; None where groups are too many, or several values have one place."""
    groups = sorted({(each.slice or "", each.slice_value or "") for each in measures}, key=lambda g: (g[0] != "", g[1]))
    cells: dict[str, dict[str, str]] = defaultdict(dict)
    for each in measures:
        cells[each.metric][each.slice or ""] = each.value
    if len(groups) > _MOST_GROUPS or sum(map(len, cells.values())) < len({each.iri for each in measures}):
        return None
    rows = [(name, tuple(row.get(slice_) for slice_, _ in groups)) for name, row in sorted(cells.items())]
    of, by, on, column = key
    when = max(each.when or "" for each in measures)
    named = tuple(Group(*group) for group in groups)
    return Table(of, by, on, when, column, named, tuple(rows[:MOST_ROWS]), max(len(rows) - MOST_ROWS, 0))
