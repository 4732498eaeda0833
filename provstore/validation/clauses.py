"""Clauses of laws, standards and guidance that rules come from: `ontology/clauses/<law>.ttl`, told in our own words.

A clause says how what is told of it was established, since few of the texts could be read where they are published.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from provstore import resources
from provstore.validation.engine import parsed
from provstore.validation.graph import Graph
from provstore.validation.terms import TYPE, text
from provstore.vocab import DCAT, DCT, PS

#: What the IRI of every clause begins with.
HOME = "https://w3id.org/provstore/clause/"
_VERSION = "<http://www.w3.org/2002/07/owl#versionInfo>"


@dataclass(frozen=True, slots=True)
class Law:
    """A law, standard or guidance: what it is called, where it stands, and from when which parts of it apply."""

    iri: str
    name: str
    title: str
    version: str
    sources: tuple[str, ...]
    applies: tuple[tuple[str, str], ...]

    @property
    def key(self) -> str:
        """The name of its file, and of its page."""
        return self.iri.removeprefix(HOME)

    def read(self) -> bytes:
        """Its file: the law and its clauses as Turtle."""
        return resources.read("ontology", f"clauses/{self.key}.ttl")


@dataclass(frozen=True, slots=True)
class Clause:
    """One provision: `asks` is ours, the text stands at `source`; it applies from the day `applies` at the earliest.

    `read` is OfficialText, Reproduction or Unread: how what is told was established. `why_not` says why no shape of
    ours checks it, and is empty where one does.
    """

    iri: str
    law: Law
    name: str
    title: str
    asks: str
    source: str
    applies: str
    read: str
    why_not: str

    @property
    def cited(self) -> str:
        """As one cites it: `Article 30(1)(b), Regulation (EU) 2016/679`."""
        return f"{self.name}, {self.law.name}"

    @property
    def place(self) -> str:
        """Where it stands on the page of its law."""
        return self.iri.removeprefix(f"{self.law.iri}/")


@cache
def clauses() -> dict[str, Clause]:
    """Every clause by its IRI: law by law, and in each in the order of its text."""
    found = {}
    for path in resources.files("ontology", "clauses/*.ttl"):
        graph = parsed(path.read_bytes())
        (law,) = [_law(graph, node) for node in graph.subjects(TYPE, DCT.Standard)]
        for node in graph.subjects_of(DCT.isPartOf):
            found[node[1:-1]] = _clause(graph, node, law)
    return found


def laws() -> dict[str, Law]:
    """Every law by its key, sorted."""
    return {clause.law.key: clause.law for clause in clauses().values()}


def of_law(law: Law) -> list[Clause]:
    """The clauses of a law, in the order of its text."""
    return [clause for clause in clauses().values() if clause.law == law]


def known(iri: str) -> Clause | None:
    """The clause of an IRI; None for what is no clause of ours."""
    return clauses().get(iri) if iri.startswith(HOME) else None


def cited(iri: str) -> str:
    """The source of a rule for people: a clause as one cites it, with its IRI; of anything else the IRI alone."""
    clause = known(iri)
    return f"{clause.cited} <{iri}>" if clause else iri


def _law(graph: Graph, node: str) -> Law:
    periods = [(_one(graph, each, DCAT.startDate), _one(graph, each, DCT.description)) for each in _periods(graph)]
    return Law(
        node[1:-1],
        _one(graph, node, DCT.identifier),
        _one(graph, node, DCT.title),
        _one(graph, node, _VERSION),
        tuple(sorted(each[1:-1] for each in graph.objects(node, DCT.source))),
        tuple(sorted(periods)),
    )


def _periods(graph: Graph) -> list[str]:
    return [each for node in graph.subjects_of(DCT.temporal) for each in graph.objects(node, DCT.temporal)]


def _clause(graph: Graph, node: str, law: Law) -> Clause:
    return Clause(
        node[1:-1],
        law,
        _one(graph, node, DCT.identifier),
        _one(graph, node, DCT.title),
        _one(graph, node, DCT.description),
        _one(graph, node, DCT.source),
        _one(graph, node, DCT.valid),
        _one(graph, node, PS.textStatus).removeprefix(PS.iri),
        _one(graph, node, PS.notCheckable),
    )


def _one(graph: Graph, node: str, predicate: str) -> str:
    """The text of a literal, an IRI without its brackets; empty where nothing is said."""
    return next(map(text, graph.objects(node, predicate)), "")
