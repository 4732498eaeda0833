"""What a picture of column lineage shows: datasets, those columns of them that were reached, and what joins them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from provstore.errors import QueryRefused
from provstore.lineage.answer import Edge, Teller, present
from provstore.lineage.columns import ColumnQuestion, Reach
from provstore.lineage.graph import LineageGraph
from provstore.lineage.labels import label_of
from provstore.lineage.moment import KINDS, Moment, role
from provstore.lineage.picture import DIRECTIONS, Line, Picture, Place, Shown, counted, nearest, span
from provstore.lineage.questions import following, moment_of, one_for_all, place, resolve
from provstore.lineage.stated import ANY
from provstore.lineage.steps import DIRECT, Spot, Step, Steps
from provstore.views.edges import Relation

#: The most columns of states that a walk may begin with.
_MOST = 20_000
_RELATIONS = ("wasDerivedFrom", "possiblyDerivedFrom", "wasInfluencedBy")


@dataclass(frozen=True, slots=True)
class ColumnPictureQuestion:
    """What is to be drawn around one column, or with None around every column of a thing that any statement names."""

    entity: str
    column: str | None = None
    direction: str = "both"
    depth: int | None = None
    kinds: tuple[str, ...] = ()
    stop_at_masked: bool = False
    at: int | None = None
    as_of: str | None = None
    limit: int = 50
    cursor: str | None = None

    def __post_init__(self) -> None:
        if self.direction not in DIRECTIONS:
            raise QueryRefused(f"'direction' is one of {', '.join(DIRECTIONS)}; got {self.direction[:60]!r}")
        for kind in self.kinds:
            if kind not in KINDS:
                raise QueryRefused(f"'kind' is one of {', '.join(KINDS)}; got {kind[:60]!r}")
        ColumnQuestion(self.entity, self.column or ANY, depth=self.depth, limit=self.limit)  # which checks the rest

    @property
    def sides(self) -> tuple[str, ...]:
        return DIRECTIONS[1:] if self.direction == "both" else (self.direction,)

    def asked(self) -> dict[str, Any]:
        names = ("entity", "column", "direction", "depth", "kinds", "stop_at_masked", "at", "as_of")
        return {**present(self, names), "level": "column", "picture": True}


def column_picture(graph: LineageGraph, asked: ColumnPictureQuestion) -> Picture:
    """What to draw: the thing's dataset and what is nearest to it first, each with the columns that were reached."""
    at, offset = place(asked.cursor, asked.at)
    moment = moment_of(graph, at, asked.as_of)
    node = resolve(moment, asked.entity)
    walk = _Columns(moment, asked, node)
    places = nearest(moment, walk.places, asked.kinds)
    order = list(places)
    end = offset + asked.limit
    page = order[offset:end]
    told = Teller(moment)
    return Picture(
        asked.asked(),
        moment.at,
        graph.index,
        moment.first(node),
        len(order),
        counted(places.values()),
        [walk.shown(told, n, places[n]) for n in page],
        walk.lines(told, set(page), set(order[:end])),
        _span(moment, asked, walk, node),
        following(moment, end, len(order)),
    )


def _span(moment: Moment, asked: ColumnPictureQuestion, walk: _Columns, node: int) -> tuple[str, str] | None:
    if moment.instant is not None:
        moment = Moment(moment.graph, moment.at)
        walk = _Columns(moment, asked, node)
    return span(moment, np.array(sorted(walk.states), np.int32))


class _Columns:
    """What was reached from the columns of a thing, told of datasets."""

    def __init__(self, moment: Moment, asked: ColumnPictureQuestion, node: int) -> None:
        self._moment, self._asked = moment, asked
        self.states: set[int] = set()
        self.places: dict[int, Place] = {}
        self._columns: dict[int, set[str]] = {}
        self._lines: dict[tuple[Spot, Spot], list[Step]] = {}
        starting = {s for up in (True, False) for s in moment.starting(node, up=up) if moment.exists(s)}
        for side in asked.sides:
            self._walk(side, self._start(starting))
        if not self.places:
            self.places[node] = Place("focus", True, 0)

    def _start(self, states: set[int]) -> set[Spot]:
        """The columns that a walk begins with: those that were asked for, else all that statements name."""
        columns = {self._asked.column} if self._asked.column else (self._named(states) or {ANY})
        if len(columns) * len(states) > _MOST:
            raise QueryRefused(f"there are {len(columns):,} columns of {len(states):,} states: say which 'column'")
        return {(state, column) for state in states for column in columns}

    def _named(self, states: set[int]) -> set[str]:
        steps = Steps(self._moment)
        made = {step.made[1] for state in states for step in steps.stated(state) or ()}
        used = {step.source[1] for state in states for step in steps.down((state, ANY)) if step.record}
        return (made | used) - {ANY}

    def _walk(self, side: str, start: set[Spot]) -> None:
        up = side == "upstream"
        asked = self._asked
        reach = Reach(self._moment, up=up, depth=asked.depth, stop_at_masked=asked.stop_at_masked)
        for spot, found in reach.from_(start).items():
            thing = self._thing(spot)
            here = Place("focus" if spot in start else side, found.rank == DIRECT, found.depth)
            held = self.places.get(thing)
            self.places[thing] = here if held is None else held.with_(here)
            self.states.add(spot[0])
            self._columns.setdefault(thing, set()).add(spot[1])
            for step in found.steps:
                ends = (self._thing(step.made), step.made[1]), (self._thing(step.source), step.source[1])
                if ends[0][0] != ends[1][0]:
                    self._lines.setdefault(ends, []).append(step)

    def _thing(self, spot: Spot) -> int:
        return self._moment.asset(spot[0]) or spot[0]

    def shown(self, told: Teller, thing: int, at: Place) -> Shown:
        certainty = "certain" if at.sure else "possible"
        (node,) = told.nodes([(thing, certainty, at.depth)])
        columns = tuple(sorted(self._columns.get(thing, set()) - {ANY}))
        near = [{pair[1 - end][0] for pair in self._lines if pair[end][0] == thing} for end in (0, 1)]
        return Shown(node, label_of(self._moment, thing), at.side, role(node.kind), len(near[0]), len(near[1]), columns)

    def lines(self, told: Teller, page: set[int], shown: set[int]) -> list[Line]:
        """Every step between columns of two things shown, one of them on this page."""
        found = [
            self._line(told, made, source, steps)
            for (made, source), steps in self._lines.items()
            if {made[0], source[0]} <= shown and not page.isdisjoint((made[0], source[0]))
        ]
        return sorted(
            found, key=lambda each: (each.edge.subject, each.column or "", each.edge.object, each.from_column or "")
        )

    def _line(self, told: Teller, made: Spot, source: Spot, steps: list[Step]) -> Line:
        best = min(steps, key=lambda step: (step.rank, step.record is None, step.record or ""))
        rests = self._rests(told, best)
        edge = Edge(
            told.iri(made[0]),
            _RELATIONS[best.rank],
            told.iri(source[0]),
            "asserted" if best.record else rests.status,
            self._index(best.record) if best.record else rests.since,
            best.record or rests.record,
            best.by,
        )
        known = None if edge.record else self._moment.graph.records[edge.since]
        count = len({(step.made, step.source) for step in steps})
        return Line(edge, count, known, made[1], source[1], best.transformations, best.masking)

    def _rests(self, told: Teller, step: Step) -> Edge:
        """The statement about states that a step between their columns rests on."""
        moment, (made, _), (source, _) = self._moment, step.made, step.source
        found = [
            told.edge(made, source, said, row)
            for other, said, since, until, row in moment.half(up=True).rows(made)
            if other == source and since <= moment.at < until and said & 63 in (Relation.DERIVED, Relation.POSSIBLE)
        ]
        return one_for_all(found) if found else Edge("", "", "", "asserted", moment.at)

    def _index(self, record: str) -> int:
        (found,) = self._moment.graph.database.execute("SELECT id FROM record WHERE iri = ?", (record,)).fetchone()
        return int(found)


def _order(line: Line) -> tuple[str, str, str, str]:
    return line.edge.subject, line.column or "", line.edge.object, line.from_column or ""
