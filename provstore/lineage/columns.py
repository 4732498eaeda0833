"""Column lineage: from which columns a column was made, and which columns, models and predictions it reached.

A step is *direct* where column lineage states it or the same column is read or kept, *possible* where only the states
are known to be related, *influence* where a column decided over rows or order (JOIN, FILTER, SORT …) and nothing was
made of it. What is reached by direct steps alone is certain; the column `*` stands for columns nobody named.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from provstore.errors import QueryRefused
from provstore.lineage.answer import present
from provstore.lineage.graph import LineageGraph
from provstore.lineage.moment import Moment
from provstore.lineage.questions import MAX_PAGE, following, moment_of, place, resolve
from provstore.lineage.steps import DIRECT, INFLUENCE, POSSIBLE, Spot, Step, Steps

CERTAINTY = ("certain", "possible", "influence")


@dataclass(frozen=True, slots=True)
class ColumnQuestion:
    """Upstream or downstream of one column of a dataset (all of its states) or of one state.

    With `stop_at_masked`, steps that mask the value are not followed. `at` and `as_of` as in `Question`.
    """

    entity: str
    column: str
    direction: str = "downstream"
    depth: int | None = None
    stop_at_masked: bool = False
    at: int | None = None
    as_of: str | None = None
    limit: int = 1000
    cursor: str | None = None

    def __post_init__(self) -> None:
        if self.direction not in ("upstream", "downstream"):
            raise QueryRefused(f"'direction' is one of upstream, downstream; got {self.direction[:60]!r}")
        if not self.column:
            raise QueryRefused("'column' is the name of a column, as in column=risk_score")
        if self.depth is not None and self.depth < 1:
            raise QueryRefused(f"'depth' is a number of steps from 1 on, got {self.depth}")
        if not 1 <= self.limit <= MAX_PAGE:
            raise QueryRefused(f"'limit' is a number from 1 to {MAX_PAGE}, got {self.limit}")


@dataclass(frozen=True, slots=True)
class Column:
    """One column that was reached; of an entity that has no columns, `column` is `*`."""

    state: str
    column: str
    kind: str
    certainty: str
    depth: int
    dataset: str | None = None

    def json(self) -> dict[str, Any]:
        return present(self, self.__slots__)


@dataclass(frozen=True, slots=True)
class ColumnEdge:
    """The subject's column comes from the object's; `by` says how that is known, `masking` that the value is hidden."""

    subject: str
    column: str
    object: str
    from_column: str
    certainty: str
    by: str
    transformations: tuple[str, ...] = ()
    masking: bool = False
    record: str | None = None

    def json(self) -> dict[str, Any]:
        return present(self, self.__slots__)


@dataclass(frozen=True, slots=True)
class ColumnPage:
    index: int
    total: int
    columns: list[Column]
    edges: list[ColumnEdge]
    next: str | None

    def json(self) -> dict[str, Any]:
        return {
            "index": self.index,
            "total": self.total,
            "columns": [each.json() for each in self.columns],
            "edges": [each.json() for each in self.edges],
            "next": self.next,
        }


def columns(graph: LineageGraph, question: ColumnQuestion) -> ColumnPage:
    """Every column on the way, nearest first; the edges of a page lead to its columns."""
    at, offset = place(question.cursor, question.at)
    moment = moment_of(graph, at, question.as_of)
    node = resolve(moment, question.entity)
    up = question.direction == "upstream"
    start = {(state, question.column) for state in moment.starting(node, up=up) if moment.exists(state)}
    found = Reach(moment, up=up, depth=question.depth, stop_at_masked=question.stop_at_masked).from_(start)
    order = sorted((spot for spot in found if spot not in start), key=lambda s: (found[s].depth, s))
    page = order[offset : offset + question.limit]
    edges = [_told_edge(graph, step) for spot in page for step in found[spot].steps]
    return ColumnPage(
        moment.at,
        len(order),
        [_told(moment, spot, found[spot].rank, found[spot].depth) for spot in page],
        sorted(edges, key=lambda e: (e.subject, e.column, e.object, e.from_column)),
        following(moment, offset + question.limit, len(order)),
    )


def reached(moment: Moment, start: set[Spot], *, stop_at_masked: bool = False) -> dict[int, tuple[int, int]]:
    """What comes from some columns: each entity → how surely (DIRECT, POSSIBLE, INFLUENCE), in how many steps."""
    best: dict[int, tuple[int, int]] = {}
    for (entity, _), found in Reach(moment, up=False, depth=None, stop_at_masked=stop_at_masked).from_(start).items():
        best[entity] = min(best.get(entity, (found.rank, found.depth)), (found.rank, found.depth))
    return best


@dataclass(slots=True)
class _Found:
    rank: int
    depth: int
    steps: list[Step]


class Reach:
    """One walk: all direct steps first, then those that are only possible, then influences."""

    def __init__(self, moment: Moment, *, up: bool, depth: int | None, stop_at_masked: bool) -> None:
        self._moment, self._up, self._depth, self._stop_at_masked = moment, up, depth, stop_at_masked
        self._steps = Steps(moment)
        self._taken: dict[Spot, list[Step]] = {}

    def from_(self, start: set[Spot]) -> dict[Spot, _Found]:
        found = {spot: _Found(DIRECT, 0, []) for spot in start}
        for rank in (DIRECT, POSSIBLE, INFLUENCE):
            frontier = set(found)
            while frontier:
                frontier = self._layer(frontier, rank, found)
        for spot in found:
            for step in self._taken.get(spot, ()):
                if (end := self._end(step)) in found:
                    found[end].steps.append(step)
        return found

    def _end(self, step: Step) -> Spot:
        return step.source if self._up else step.made

    def _layer(self, frontier: set[Spot], rank: int, found: dict[Spot, _Found]) -> set[Spot]:
        """The spots that come in by one step more, no step of theirs less sure than a rank."""
        new: set[Spot] = set()
        for spot in sorted(frontier):
            if self._depth is not None and found[spot].depth >= self._depth:
                continue
            for step in self._from(spot):
                end = self._end(step)
                if step.rank <= rank and end not in found:
                    found[end] = _Found(max(found[spot].rank, step.rank), found[spot].depth + 1, [])
                    new.add(end)
        return new

    def _from(self, spot: Spot) -> list[Step]:
        steps = self._taken.get(spot)
        if steps is None:
            every = self._steps.up(spot) if self._up else self._steps.down(spot)
            steps = self._taken[spot] = [
                s for s in every if not (s.masking and self._stop_at_masked) and self._moment.exists(self._end(s)[0])
            ]
        return steps


def _told(moment: Moment, spot: Spot, rank: int, depth: int) -> Column:
    state, column = spot
    asset = moment.asset(state)
    return Column(
        moment.graph.iri_of(state),
        column,
        moment.kind(state),
        CERTAINTY[rank],
        depth,
        moment.graph.iri_of(asset) if asset else None,
    )


def _told_edge(graph: LineageGraph, step: Step) -> ColumnEdge:
    return ColumnEdge(
        graph.iri_of(step.made[0]),
        step.made[1],
        graph.iri_of(step.source[0]),
        step.source[1],
        CERTAINTY[step.rank],
        step.by,
        step.transformations,
        step.masking,
        step.record,
    )
