"""What a picture of lineage shows: one thing, what is around it, and every statement between what is shown.

The same exact walks as in `questions`, in both directions at once, told with names, and with how many neighbours each
thing has in all, so that a picture of a part can say what it leaves out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from provstore import times
from provstore.errors import QueryRefused
from provstore.lineage.adjacency import Found, Ints, distinct
from provstore.lineage.answer import Edge, Node, Teller, present
from provstore.lineage.graph import LineageGraph
from provstore.lineage.labels import label_of
from provstore.lineage.moment import CERTAIN, Moment, role
from provstore.lineage.projection import TOLD_AS
from provstore.lineage.questions import (
    FOLLOWED,
    Question,
    Walked,
    certainty,
    following,
    leading_to,
    moment_of,
    one_for_all,
    place,
    resolve,
    walked,
)

DIRECTIONS = ("both", "upstream", "downstream")


@dataclass(frozen=True, slots=True)
class PictureQuestion:
    """What is to be drawn around one thing; `question` as in `lineage`, but `direction` may also be both.

    `to` keeps only what lies on a way to that thing. The first page holds the thing itself, then what is nearest.
    """

    question: Question
    direction: str = "both"
    to: str | None = None

    def __post_init__(self) -> None:
        if self.direction not in DIRECTIONS:
            raise QueryRefused(f"'direction' is one of {', '.join(DIRECTIONS)}; got {self.direction[:60]!r}")
        if self.to is not None and self.direction == "both":
            raise QueryRefused("'to' names one end of a way: say in which 'direction', upstream or downstream")

    @property
    def sides(self) -> tuple[str, ...]:
        return DIRECTIONS[1:] if self.direction == "both" else (self.direction,)

    def asked(self) -> dict[str, Any]:
        return {
            **self.question.asked(),
            "direction": self.direction,
            "picture": True,
            **({"to": self.to} if self.to else {}),
        }


@dataclass(frozen=True, slots=True)
class Shown:
    """One thing in a picture.

    `side` is focus, upstream, downstream or both, `role` entity, activity or agent; `sources` and `results` count what
    it comes from and what comes from it by one step, shown or not.
    """

    node: Node
    name: str
    side: str
    role: str
    sources: int
    results: int
    columns: tuple[str, ...] = ()

    def json(self) -> dict[str, Any]:
        return {**self.node.json(), **present(self, self.__slots__[1:])}


@dataclass(frozen=True, slots=True)
class Line:
    """One line in a picture: the statement that stands for all `statements` between its two ends.

    `known` is the record at `edge.since`: the one with which this came to be known, where no record says it. Between
    columns, `column` comes from `from_column`.
    """

    edge: Edge
    statements: int = 1
    known: str | None = None
    column: str | None = None
    from_column: str | None = None
    transformations: tuple[str, ...] = ()
    masking: bool = False

    def json(self) -> dict[str, Any]:
        more = ("statements", "known", "column", "from_column", "transformations", "masking")
        return {**self.edge.json(), **present(self, more)}


@dataclass(frozen=True, slots=True)
class Picture:
    """A page of a picture: `total` things in all; its lines join its things to one another and to earlier pages'.

    `counts` are of all: by side, and of those that are only possibly related.
    `newest` is the index that the store has come to, `first` the one at which the thing was first heard of, `span` the
    first and last time of all things at this index, whatever `as_of` leaves out.
    """

    question: dict[str, Any]
    index: int
    newest: int
    first: int
    total: int
    counts: dict[str, int]
    nodes: list[Shown]
    edges: list[Line] = field(default_factory=list)
    span: tuple[str, str] | None = None
    next: str | None = None

    def json(self) -> dict[str, Any]:
        return {
            "question": self.question,
            "index": self.index,
            "newest": self.newest,
            "first": self.first,
            "span": self.span,
            "total": self.total,
            "counts": self.counts,
            "nodes": [each.json() for each in self.nodes],
            "edges": [each.json() for each in self.edges],
            "next": self.next,
        }


@dataclass(frozen=True, slots=True)
class Place:
    """Where a thing stands in a picture."""

    side: str
    sure: bool
    depth: int

    def with_(self, other: Place) -> Place:
        """The same thing found in two ways."""
        side = self.side if other.side in (self.side, "focus") or self.side == "focus" else "both"
        return Place(
            "focus" if "focus" in (self.side, other.side) else side,
            self.sure or other.sure,
            min(self.depth, other.depth),
        )


def picture(graph: LineageGraph, asked: PictureQuestion) -> Picture:
    """What to draw: the thing and what is nearest to it first, then by number."""
    question = asked.question
    at, offset = place(question.cursor, question.at)
    moment = moment_of(graph, at, question.as_of)
    node = resolve(moment, question.entity)
    around = Around(moment, asked, node)
    places = nearest(moment, around.places(), question.kinds)
    order = list(places)
    end = offset + question.limit
    page = order[offset:end]
    told = Teller(moment)
    return Picture(
        asked.asked(),
        moment.at,
        graph.index,
        moment.first(node),
        len(order),
        counted(places.values()),
        shown(told, moment, page, places, around.degrees(page)),
        around.lines(page, order[:end], told),
        _span_of(moment, asked, around.known, node),
        following(moment, end, len(order)),
    )


def nearest(moment: Moment, places: Mapping[int, Place], kinds: Collection[str]) -> dict[int, Place]:
    """The places of what is in focus and of things of these kinds (none: of all), the nearest first."""
    wanted = (n for n, p in places.items() if not kinds or p.side == "focus" or moment.kind(n) in kinds)
    return {n: places[n] for n in sorted(wanted, key=lambda n: (places[n].depth, n))}


def counted(places: Iterable[Place]) -> dict[str, int]:
    """How many stand on each side, and how many are only possible."""
    held = Counter(side for place in places for side in (place.side, *(() if place.sure else ("possible",))))
    return {side: held[side] for side in ("focus", *DIRECTIONS[1:], "both", "possible")}


def shown(
    told: Teller, moment: Moment, page: list[int], places: dict[int, Place], degrees: dict[int, tuple[int, int]]
) -> list[Shown]:
    """The things of a page, told."""
    nodes = told.nodes((n, certainty(places[n].sure), places[n].depth) for n in page)
    return [
        Shown(node, label_of(moment, number), places[number].side, role(node.kind), *degrees[number])
        for number, node in zip(page, nodes, strict=True)
    ]


class Around:
    """What the walks from one thing found at a moment, and how it is told: as states, assets or runs."""

    def __init__(self, moment: Moment, asked: PictureQuestion, node: int) -> None:
        self._moment, self._asked = moment, asked
        self._relations = FOLLOWED[asked.question.by]
        told_as = TOLD_AS.get(asked.question.level)
        self._onto = told_as(moment) if told_as else None
        self._starts = {side: self._existing(moment.starting(node, up=side == "upstream")) for side in asked.sides}
        self._found = {side: self._walked(side) for side in asked.sides}
        self._focus = self._told(_array(n for start in self._starts.values() for n in start)) or {node}
        parts = [_array(start) for start in self._starts.values()] + [each.nodes for each in self._found.values()]
        self.known: Ints = distinct(np.concatenate(parts))

    def _existing(self, nodes: set[int]) -> set[int]:
        return {n for n in nodes if self._moment.exists(n)}

    def _told(self, nodes: Ints) -> set[int]:
        return set((nodes if self._onto is None else self._onto.of(nodes)).tolist())

    def _walked(self, side: str) -> Walked:
        question = replace(self._asked.question, direction=side)
        found = walked(self._moment, self._starts[side], question)
        if self._asked.to is None:
            return found
        end = self._moment.starting(resolve(self._moment, self._asked.to), up=not question.up)
        within = np.isin(found.nodes, leading_to(self._moment, end, question, self._relations))
        sure = found.certain & np.isin(found.nodes, leading_to(self._moment, end, question, CERTAIN))
        return Walked(found.nodes[within], found.steps[within], sure[within])

    def places(self) -> dict[int, Place]:
        """Every thing to be shown, and where it stands."""
        places = {n: Place("focus", True, 0) for n in self._focus}
        for side, found in self._found.items():
            numbers = found.nodes if self._onto is None else self._onto.of(found.nodes)
            for n, steps, sure in zip(numbers.tolist(), found.steps.tolist(), found.certain.tolist(), strict=True):
                here = Place(side, sure, steps)
                held = places.get(n)
                places[n] = here if held is None else held.with_(here)
        return places

    def degrees(self, page: list[int]) -> dict[int, tuple[int, int]]:
        """Thing → how many others it comes from, and how many come from it, by one step."""
        up, down = (self._degree(page, up=up) for up in (True, False))
        return {n: (up.get(n, 0), down.get(n, 0)) for n in page}

    def _degree(self, page: list[int], *, up: bool) -> dict[int, int]:
        onto, things = self._onto, _array(page)
        members = things if onto is None else onto.members(things)
        if not len(members):
            return {}
        rows = self._moment.half(up=up).step(members, self._relations, self._moment.at)
        other = rows.other.astype(np.int32)
        there = self._moment.exist(other)
        node, other = rows.node[there], other[there]
        if onto is not None:
            node, other = onto.of(node), onto.of(other)
        pairs = np.unique(np.stack([node[node != other], other[node != other]]), axis=1)
        ends, counts = np.unique(pairs[0], return_counts=True)
        return dict(zip(ends.tolist(), counts.tolist(), strict=True))

    def lines(self, page: list[int], shown: list[int], told: Teller) -> list[Line]:
        """Every statement between two things shown, one of them on this page."""
        rows = self._rows()
        onto = self._onto
        subject, value = rows.node, rows.other.astype(np.int32)
        if onto is not None:
            subject, value = onto.of(subject), onto.of(value)
        here, seen = _array(page), _array(shown)
        good = (np.isin(subject, here) | np.isin(value, here)) & np.isin(subject, seen) & np.isin(value, seen)
        good &= subject != value
        held: dict[tuple[int, int, int], list[tuple[int, int]]] = {}
        columns = (subject[good], value[good], rows.said[good], rows.row[good])
        for s, o, said, row in zip(*(column.tolist() for column in columns), strict=True):
            # told as states, each statement is a line of its own; told of more, one line stands for all
            held.setdefault((s, o, said if onto is None else 0), []).append((said, row))
        found = [self._line(told, s, o, rows) for (s, o, _), rows in held.items()]
        return sorted(
            found, key=lambda line: (line.edge.subject, line.edge.object, line.edge.relation, line.edge.status)
        )

    def _rows(self) -> Found:
        """What is stated between any two nodes that were reached."""
        rows = self._moment.half(up=True).step(self.known, self._relations, self._moment.at)
        good = np.isin(rows.other, self.known)
        return Found(rows.node[good], rows.other[good], rows.said[good], rows.row[good])

    def _line(self, told: Teller, subject: int, value: int, rows: list[tuple[int, int]]) -> Line:
        edge = one_for_all([told.edge(subject, value, said, row) for said, row in rows])
        return Line(edge, len(rows), None if edge.record else self._moment.graph.records[edge.since])


def _order(line: Line) -> tuple[str, str, str, str]:
    edge = line.edge
    return edge.subject, edge.object, edge.relation, edge.status


def _array(nodes: Iterable[int]) -> Ints:
    return np.array(sorted(nodes), np.int32)


def _span_of(moment: Moment, asked: PictureQuestion, known: Ints, node: int) -> tuple[str, str] | None:
    """The first and last time of what there is around a thing, whatever instant was asked for."""
    if moment.instant is None:
        return span(moment, known)
    ever = Moment(moment.graph, moment.at)
    return span(ever, Around(ever, asked, node).known)


def span(moment: Moment, nodes: Ints) -> tuple[str, str] | None:
    """The first and last time of some nodes; None where none has a time."""
    found = moment.times_of(nodes)
    ticks = found[found > np.iinfo(np.int64).min].tolist()
    return (_text(min(ticks)), _text(max(ticks))) if ticks else None


def _text(ticks: int) -> str:
    return times.lexical(times.of_ticks(ticks))
