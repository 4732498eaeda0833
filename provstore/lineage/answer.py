"""What lineage questions are answered with: plain data, told by IRIs, ready to be written as JSON or CSV."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from provstore import times
from provstore.lineage.adjacency import Found
from provstore.lineage.graph import LineageGraph
from provstore.lineage.moment import Moment
from provstore.views.edges import RELATIONS, Relation, Status

_NAMES = {
    relation: predicate.rstrip(">").replace("#", "/").rpartition("/")[2] for predicate, relation in RELATIONS.items()
}


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

    def node(self, number: int, certainty: str, depth: int) -> Node:
        """A node with what a reader wants to know of it at once."""
        moment = self._moment
        asset, time = moment.asset(number), moment.time(number)
        makers = moment.objects(number, Relation.GENERATED)
        origin = None
        if moment.is_unresolved(number):
            origin = "unknown origin"
        elif moment.is_source(number):
            origin = "declared source"
        return Node(
            self.iri(number),
            moment.kind(number),
            certainty,
            depth,
            self.iri(asset) if asset else None,
            self.iri(makers[0]) if makers else None,
            None if time is None else times.lexical(times.of_ticks(time)),
            origin,
        )

    def edges(self, rows: Found) -> list[Edge]:
        """Each row that was followed as an edge, ordered by subject, relation and object."""
        found = {self._edge(row) for row in set(rows.row.tolist())}
        return sorted(found, key=lambda e: (e.subject, e.relation, e.object, e.status, e.since))

    def _edge(self, row: int) -> Edge:
        subject, relation, value, status, basis, evidence, since = self._graph.database.execute(
            "SELECT subject, relation, object, status, basis, evidence, since FROM edge WHERE id = ?", (row,)
        ).fetchone()
        record = self.iri(evidence) if evidence else None
        if status == Status.ASSERTED:
            record = record_at(self._graph, since)
        return Edge(
            self.iri(subject),
            _NAMES[Relation(relation)],
            self.iri(value),
            Status(status).name.lower(),
            since,
            record,
            self.iri(basis).rpartition("#")[2] if basis else None,
        )


def record_at(graph: LineageGraph, index: int) -> str | None:
    """The record at a ledger index."""
    row = graph.database.execute("SELECT iri FROM record WHERE id = ?", (index,)).fetchone()
    return str(row[0]) if row else None
