"""What lineage questions are answered with: plain data, told by IRIs, ready to be written as JSON or CSV."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from provstore import times
from provstore.lineage.graph import LineageGraph
from provstore.lineage.moment import Moment
from provstore.views.edges import RELATIONS, Relation, Status

_NAMES = {
    relation: predicate.rstrip(">").replace("#", "/").rpartition("/")[2] for predicate, relation in RELATIONS.items()
}

#: How many nodes' descriptions are remembered.
_CARDS = 50_000


@dataclass(frozen=True, slots=True)
class Node:
    """One thing in an answer; `certainty` is that of the best way to it, `depth` the steps of the shortest."""

    iri: str
    kind: str
    certainty: str
    depth: int
    asset: str | None = None
    activity: str | None = None
    time: str | None = None
    origin: str | None = None  # 'declared source' or 'unknown origin', where it is one

    def json(self) -> dict[str, Any]:
        return {name: value for name in self.__slots__ if (value := getattr(self, name)) is not None}


@dataclass(frozen=True, slots=True)
class Edge:
    """One statement: subject comes from object. `record` says it, or is the evidence for concluding it.

    `status` is asserted, merged (within one run) or inferred (across runs); `since` the ledger index from which on it
    stood; `basis` the rule by which it was concluded.
    """

    subject: str
    relation: str
    object: str
    status: str
    since: int
    record: str | None = None
    basis: str | None = None

    def json(self) -> dict[str, Any]:
        return {name: value for name in self.__slots__ if (value := getattr(self, name)) is not None}


@dataclass(frozen=True, slots=True)
class Page:
    """A part of an answer: `total` nodes in all, these of them, and the cursor of those that follow."""

    question: dict[str, Any]
    index: int
    total: int
    nodes: list[Node]
    edges: list[Edge] = field(default_factory=list)
    next: str | None = None

    def json(self) -> dict[str, Any]:
        return {
            "question": self.question,
            "index": self.index,
            "total": self.total,
            "nodes": [node.json() for node in self.nodes],
            "edges": [edge.json() for edge in self.edges],
            "next": self.next,
        }


#: Kind, asset, activity, time and origin of a node.
Description = tuple[str, str | None, str | None, str | None, str | None]


class Teller:
    """Turns numbers into IRIs and rows into edges, remembering what it has looked up."""

    def __init__(self, moment: Moment) -> None:
        self._moment, self._graph = moment, moment.graph
        self._iris: dict[int, str] = {}

    def iri(self, node: int) -> str:
        found = self._iris.get(node)
        if found is None:
            found = self._iris[node] = self._graph.iri_of(node)
        return found

    def nodes(self, found: Iterable[tuple[int, str, int]]) -> list[Node]:
        """(number, certainty, depth) of some nodes as nodes, with what a reader wants to know of each at once."""
        return [self._node(*each) for each in found]

    def _node(self, number: int, certainty: str, depth: int) -> Node:
        kind, asset, activity, time, origin = self._described(number)
        return Node(self.iri(number), kind, certainty, depth, asset, activity, time, origin)

    def _described(self, number: int) -> Description:
        """What a node is; at the newest index remembered until there is a newer one."""
        cards = self._graph.cards if self._moment.at == self._graph.index else {}
        found: Description | None = cards.get(number)
        if found is None:
            if len(cards) >= _CARDS:
                cards.clear()
            found = cards[number] = self._describe(number)
        return found

    def _describe(self, number: int) -> Description:
        moment = self._moment
        time, origin, asset = moment.time(number), None, moment.asset(number)
        makers = moment.objects(number, Relation.GENERATED)
        if moment.is_unresolved(number):
            origin = "unknown origin"
        elif moment.is_source(number):
            origin = "declared source"
        return (
            moment.kind(number),
            self.iri(asset) if asset else None,
            self.iri(makers[0]) if makers else None,
            None if time is None else times.lexical(times.of_ticks(time)),
            origin,
        )

    def edges(self, rows: Iterable[int]) -> list[Edge]:
        """Rows that were followed as edges, ordered by subject, relation and object."""
        wanted = sorted(set(rows))
        if not wanted:
            return []
        text = json.dumps(wanted)
        found = self._graph.database.execute(
            "SELECT e.subject, relation, e.object, status, basis, evidence, since, r.iri FROM edge e"
            " LEFT JOIN record r ON r.id = e.since AND e.status = 0"  # an asserted one stands since its record
            " WHERE e.id IN (SELECT value FROM json_each(?))",
            (text,),
        ).fetchall()
        return sorted({self._edge(*row) for row in found}, key=_order)

    def _edge(
        self, subject: int, relation: int, value: int, status: int, basis: int, evidence: int, since: int, record: str
    ) -> Edge:
        return Edge(
            self.iri(subject),
            _NAMES[Relation(relation)],
            self.iri(value),
            Status(status).name.lower(),
            since,
            self.iri(evidence) if evidence else record,
            self.iri(basis).rpartition("#")[2] if basis else None,
        )


def _order(edge: Edge) -> tuple[str, str, str, str, int]:
    return edge.subject, edge.relation, edge.object, edge.status, edge.since


def record_at(graph: LineageGraph, index: int) -> str | None:
    """The record at a ledger index."""
    row = graph.database.execute("SELECT iri FROM record WHERE id = ?", (index,)).fetchone()
    return str(row[0]) if row else None
