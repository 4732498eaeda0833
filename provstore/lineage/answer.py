"""What lineage questions are answered with: plain data, told by IRIs, ready to be written as JSON or CSV."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from provstore import times
from provstore.lineage.adjacency import Found
from provstore.lineage.cards import SOURCE, UNKNOWN
from provstore.lineage.graph import Card, LineageGraph
from provstore.lineage.moment import Moment
from provstore.views.edges import RELATIONS, Relation, Status

_NAMES = {
    relation: predicate.rstrip(">").replace("#", "/").rpartition("/")[2] for predicate, relation in RELATIONS.items()
}

_ORIGINS = {0: None, UNKNOWN: "unknown origin", SOURCE: "declared source"}
_STATUS = {status: status.name.lower() for status in Status}


def present(data: object, names: Iterable[str]) -> dict[str, Any]:
    """The fields of an answer that say something, as JSON has them."""
    fields = ((name, getattr(data, name)) for name in names)
    return {name: value for name, value in fields if value is not None and value is not False and value != ()}


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
        return present(self, self.__slots__)


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
        return present(self, self.__slots__)


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
        kind, asset, maker, time, origin = self._card(number)
        return Node(
            self.iri(number),
            kind,
            certainty,
            depth,
            self.iri(asset) if asset else None,
            self.iri(maker) if maker else None,
            None if time is None else times.lexical(times.of_ticks(time)),
            _ORIGINS[origin],
        )

    def _card(self, number: int) -> Card:
        graph, moment = self._graph, self._moment
        if moment.at == graph.index and graph.cards is not None and graph.cards_of == graph.laid:
            found = graph.cards.of(number, graph.later)
            if found is not None:
                return found
        origin = UNKNOWN if moment.is_unresolved(number) else SOURCE if moment.is_source(number) else 0
        makers = moment.objects(number, Relation.GENERATED)
        return moment.kind(number), moment.asset(number) or 0, makers[0] if makers else 0, moment.time(number), origin

    def edges(self, rows: Found, *, up: bool) -> list[Edge]:
        """Rows that were followed, from what was found to where it was found, as edges in order.

        `up` says that the walk went from what was made to what it was made of.
        """
        columns = (rows.node.tolist(), rows.other.tolist(), rows.said.tolist(), rows.row.tolist())
        found = {
            self.edge(*((other, node) if up else (node, other)), said, row)
            for node, other, said, row in zip(*columns, strict=True)
        }
        return sorted(found, key=_order)

    def edge(self, subject: int, value: int, said: int, row: int) -> Edge:
        """One row as an edge; an asserted one stands since the record that says so."""
        since, basis, evidence = self._graph.reasons[row]
        status = Status(said >> 6)
        record = self.iri(evidence) if evidence else None
        if status is Status.ASSERTED:
            record = self._graph.records[since]
        return Edge(
            self.iri(subject),
            _NAMES[Relation(said & 63)],
            self.iri(value),
            _STATUS[status],
            since,
            record,
            self.iri(basis).rpartition("#")[2] if basis else None,
        )


def _order(edge: Edge) -> tuple[str, str, str, str, int]:
    return edge.subject, edge.relation, edge.object, edge.status, edge.since


def record_at(graph: LineageGraph, index: int) -> str:
    """The record at a ledger index that a row of the history names."""
    return graph.records[index]
