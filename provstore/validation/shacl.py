"""SHACL by pySHACL over memory: a profile is a file of named shapes, `shapes/<profile>/<version>.ttl`.

Literals keep the form they were sent in. Nothing is fetched: imports, SPARQL targets and rules are off.
"""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

import pyshacl
from pyshacl.errors import ReportableRuntimeError
from rdflib import Graph
from rdflib.collection import Collection
from rdflib.namespace import DCTERMS, RDF, RDFS, SH
from rdflib.term import BNode, Literal, Node, URIRef

from provstore import rdf, resources
from provstore.errors import InvalidInput, ProvStoreError
from provstore.validation.described import SEVERITIES, described, one, shapes
from provstore.validation.profiles import SHIPPED, Profile, Registry, Version

# rdflib prints a stack trace for each ill-typed literal; here that is a result of the shapes, not an event to be told
logging.getLogger("rdflib.term").setLevel(logging.ERROR)

#: What the order of results goes by, the gravest first.
_ORDER = list(SEVERITIES.values())
#: A record to be validated: where profiles are, the name of one, and canonical N-Quads.
Task = tuple[Registry, str, bytes]
_SHOWN = 200  # characters of a value that a result repeats


@dataclass(frozen=True, slots=True)
class Result:
    """One thing that a rule found: where (focus node, path, value) and what is to be done about it.

    `severity` is MUST, SHOULD or MAY. `path` is the property at fault, with `^` where it points to the focus node and
    `|` between several, or empty where the node itself is meant. Long values are cut.
    """

    shape: str
    clause: str
    severity: str
    focus: str
    path: str
    value: str
    message: str


def profiles() -> dict[str, Profile]:
    """The newest version of every profile that ships, by name, sorted."""
    return {version.name: described(version, SHIPPED) for version in SHIPPED.newest()}


def validate(quads: bytes, profile: str, registry: Registry = SHIPPED) -> list[Result]:
    """What the rules of a profile find in the triples of canonical N-Quads, whatever graphs they stand in.

    The gravest come first, and the order is always the same; an empty list means that all is well. NotFound for a
    profile that is not there, InvalidInput for what is not N-Quads, ProvStoreError where the engine gives up.
    """
    return _results(*_examined(quads, registry.find(profile), registry))


def _examined(quads: bytes, version: Version, registry: Registry) -> tuple[Graph, Graph, Graph]:
    """The shapes, the data, and the report of the engine (SHACL §3.6)."""
    known, data = shapes(version, registry), _graph(quads)
    for triple in _classes(version, registry):
        data.add(triple)
    try:
        return known, data, _report(data, known)
    except (TypeError, ReportableRuntimeError):
        # the engine gives up on values that have no order (SHACL §4.5.4 wants a result); datatype rules tell of them
        return known, data, _report(data, _without_comparisons(version, registry))


def _results(shapes: Graph, data: Graph, report: Graph) -> list[Result]:
    found = {_result(report, node, shapes, data) for node in report.subjects(RDF.type, SH.ValidationResult)}
    return sorted(found, key=lambda r: (_ORDER.index(r.severity), r.shape, r.focus, r.path, r.value))


def _report(data: Graph, shapes: Graph) -> Graph:
    try:
        _, report, _ = pyshacl.validate(data, shacl_graph=shapes, do_owl_imports=False, advanced=False, inplace=True)
    except (TypeError, ReportableRuntimeError):
        raise
    except Exception as error:  # the engine lets through whatever rdflib and Python raise
        raise ProvStoreError(f"the validation failed: {type(error).__name__}: {error}") from error
    if not isinstance(report, Graph):
        raise ProvStoreError(f"the validation failed: {report}")
    return report


def job(task: Task) -> list[dict[str, Any]]:
    """`validate` for a worker process: results as JSON objects."""
    registry, profile, quads = task
    return [asdict(result) for result in validate(quads, profile, registry)]


def jobs(task: tuple[Registry, str, list[bytes]]) -> list[list[dict[str, Any]]]:
    """As `job`, of several records."""
    registry, profile, records = task
    return [job((registry, profile, quads)) for quads in records]


def told(task: Task) -> tuple[list[dict[str, Any]], str]:
    """As `job`, and the validation report of SHACL §3.6 as Turtle; `sh:conforms` is false for a MAY, too."""
    registry, profile, quads = task
    known, data, report = _examined(quads, registry.find(profile), registry)
    return [asdict(result) for result in _results(known, data, report)], report.serialize(format="turtle")


# --- shapes ----------------------------------------------------------------------------------------------------------


@cache
def _without_comparisons(version: Version, registry: Registry) -> Graph:
    graph = Graph()
    for triple in shapes(version, registry):
        if triple[1] not in (SH.lessThan, SH.lessThanOrEquals):
            graph.add(triple)
    return graph


@cache
def _classes(version: Version, registry: Registry) -> tuple[tuple[Node, Node, Node], ...]:
    """The subclasses that the profile and our ontology state: SHACL §3.2 looks for them in the data only."""
    ontology = Graph().parse(data=resources.read("ontology", "provstore.ttl"), format="turtle")
    stating = (shapes(version, registry), ontology)
    return tuple(triple for graph in stating for triple in graph.triples((None, RDFS.subClassOf, None)))


# --- data ------------------------------------------------------------------------------------------------------------


def _graph(quads: bytes) -> Graph:
    try:
        lines = quads.decode().split("\n")  # not splitlines(): literals may hold U+2028
    except UnicodeDecodeError as error:
        raise InvalidInput(f"N-Quads must be UTF-8: {error}") from error
    graph = Graph()
    for number, line in enumerate(lines, 1):
        if not line:
            continue
        try:
            subject, predicate, value, _ = rdf.split(line)
            graph.add((_term(subject), _term(predicate), _term(value)))
        except (ValueError, IndexError, KeyError, AssertionError) as error:
            raise InvalidInput("canonical N-Quads were wanted", line=number) from error
    return graph


def _term(text: str) -> Node:
    if text.startswith("<") and text.endswith(">"):
        return URIRef(text[1:-1])
    if text.startswith("_:"):
        return BNode(text[2:])
    end = text.rindex('"')
    if end == 0 or text[0] != '"':
        raise ValueError("no term")
    tail = text[end + 1 :]
    # rdflib would rewrite the lexical form to one that it likes better; the shapes are to see what was sent
    if tail.startswith("@"):
        return Literal(rdf.text_of(text), lang=tail[1:].partition("--")[0])
    return Literal(rdf.text_of(text), datatype=URIRef(tail[3:-1]) if tail else None, normalize=False)


# --- results ---------------------------------------------------------------------------------------------------------


def _result(report: Graph, node: Node, shapes: Graph, data: Graph) -> Result:
    shape, focus = report.value(node, SH.sourceShape) or BNode(), report.value(node, SH.focusNode)
    path, value = shapes.value(shape, SH.path), report.value(node, SH.value)
    steps = [] if path is None else [each for each in _steps(shapes, path) if each.leads(data, focus, value)]
    return Result(
        shape=str(shape),
        clause=one(shapes, shape, DCTERMS.source),
        severity=SEVERITIES.get(URIRef(one(report, node, SH.resultSeverity)), "MUST"),
        focus=_shown(focus),
        path="|".join(map(str, steps)) or ("" if path is None else "|".join(map(str, _steps(shapes, path)))),
        value=_shown(value),
        message=one(report, node, SH.resultMessage),
    )


def _shown(node: Node | None) -> str:
    """An IRI as it is, a blank node with its `_:`, a literal in quotes; cut where it is long."""
    if isinstance(node, URIRef):
        return str(node)
    text = "" if node is None else str(node.n3())
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


@dataclass(frozen=True, slots=True)
class _Step:
    """One property of a path, followed forwards or backwards."""

    predicate: Node
    backwards: bool = False

    def leads(self, data: Graph, focus: Node | None, value: Node | None) -> bool:
        """Whether the data have it from the focus to the value (None: to any)."""
        ends = (value, self.predicate, focus) if self.backwards else (focus, self.predicate, value)
        return ends in data

    def __str__(self) -> str:
        return f"^{self.predicate}" if self.backwards else str(self.predicate)


def _steps(shapes: Graph, path: Node) -> list[_Step]:
    """The properties of a SHACL path (§2.3.1): one, or alternatives, each possibly inverse."""
    alternatives = shapes.value(path, SH.alternativePath)
    if alternatives is not None:
        return [step for each in Collection(shapes, alternatives) for step in _steps(shapes, each)]
    inverse = shapes.value(path, SH.inversePath)
    return [_Step(path)] if inverse is None else [_Step(inverse, backwards=True)]
