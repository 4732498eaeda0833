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
from rdflib.namespace import DCTERMS, OWL, RDF, RDFS, SH
from rdflib.term import BNode, Literal, Node, URIRef

from provstore import rdf, resources
from provstore.errors import InvalidInput, ProvStoreError
from provstore.validation.profiles import Registry

# rdflib prints a stack trace for each ill-typed literal; here that is a result of the shapes, not an event to be told
logging.getLogger("rdflib.term").setLevel(logging.ERROR)

#: The words of RFC 2119 for the severities of SHACL §2.1.4, the gravest first.
SEVERITIES = {SH.Violation: "MUST", SH.Warning: "SHOULD", SH.Info: "MAY"}
_SHOWN = 200  # characters of a value that a result repeats


@dataclass(frozen=True, slots=True)
class Rule:
    """One named shape: what it asks in plain words, how strongly, and the clause that it comes from."""

    shape: str
    severity: str
    message: str
    clause: str


@dataclass(frozen=True, slots=True)
class Profile:
    """A file of shapes: its name, what it is about, and its rules in the order of the severities."""

    name: str
    version: str
    title: str
    description: str
    rules: tuple[Rule, ...]


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


@cache
def profiles() -> dict[str, Profile]:
    """Every profile by name, sorted."""
    return {name: _profile(name) for name in _names()}


def validate(quads: bytes, profile: str) -> list[Result]:
    """What the rules of a profile find in the triples of canonical N-Quads, whatever graphs they stand in.

    The gravest come first, and the order is always the same; an empty list means that all is well. NotFound for a
    profile that is not there, InvalidInput for what is not N-Quads, ProvStoreError where the engine gives up.
    """
    return _results(*_examined(quads, profile))


def _examined(quads: bytes, profile: str) -> tuple[Graph, Graph, Graph]:
    """The shapes, the data, and the report of the engine (SHACL §3.6)."""
    shapes, data = _shapes(profile), _graph(quads)
    for triple in _classes(profile):
        data.add(triple)
    try:
        return shapes, data, _report(data, shapes)
    except (TypeError, ReportableRuntimeError):
        # the engine gives up on values that have no order (SHACL §4.5.4 wants a result); datatype rules tell of them
        return shapes, data, _report(data, _without_comparisons(profile))


def _results(shapes: Graph, data: Graph, report: Graph) -> list[Result]:
    order = list(SEVERITIES.values())
    found = {_result(report, node, shapes, data) for node in report.subjects(RDF.type, SH.ValidationResult)}
    return sorted(found, key=lambda r: (order.index(r.severity), r.shape, r.focus, r.path, r.value))


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


def job(task: tuple[str, bytes]) -> list[dict[str, Any]]:
    """`validate` for a worker process: profile name and N-Quads in, results as JSON objects out."""
    profile, quads = task
    return [asdict(result) for result in validate(quads, profile)]


def told(task: tuple[str, bytes]) -> tuple[list[dict[str, Any]], str]:
    """As `job`, and the validation report of SHACL §3.6 as Turtle; `sh:conforms` is false for a MAY, too."""
    profile, quads = task
    shapes, data, report = _examined(quads, profile)
    return [asdict(result) for result in _results(shapes, data, report)], report.serialize(format="turtle")


def described(_: None) -> list[dict[str, Any]]:
    """Every profile and its rules, as JSON objects."""
    return [asdict(profile) for profile in profiles().values()]


# --- profiles --------------------------------------------------------------------------------------------------------


@cache
def _names() -> tuple[str, ...]:
    return tuple(Registry().names())


@cache
def _shapes(name: str) -> Graph:
    return Graph().parse(data=Registry().find(name).read(), format="turtle")


@cache
def _without_comparisons(name: str) -> Graph:
    graph = Graph()
    for triple in _shapes(name):
        if triple[1] not in (SH.lessThan, SH.lessThanOrEquals):
            graph.add(triple)
    return graph


@cache
def _classes(name: str) -> tuple[tuple[Node, Node, Node], ...]:
    """The subclasses that the profile and our ontology state: SHACL §3.2 looks for them in the data only."""
    ontology = Graph().parse(data=resources.read("ontology", "provstore.ttl"), format="turtle")
    known = RDFS.subClassOf
    return tuple(triple for graph in (_shapes(name), ontology) for triple in graph.triples((None, known, None)))


def _profile(name: str) -> Profile:
    graph = _shapes(name)
    head = next(graph.subjects(RDF.type, OWL.Ontology))
    named = {s for kind in (SH.NodeShape, SH.PropertyShape) for s in graph.subjects(RDF.type, kind)}
    rules = [
        Rule(str(shape), _severity(graph, shape), _one(graph, shape, SH.message), _one(graph, shape, DCTERMS.source))
        for shape in named
        if isinstance(shape, URIRef)
    ]
    order = list(SEVERITIES.values())
    return Profile(
        name,
        _one(graph, head, OWL.versionInfo),
        _one(graph, head, DCTERMS.title),
        _one(graph, head, DCTERMS.description),
        tuple(sorted(rules, key=lambda rule: (order.index(rule.severity), rule.shape))),
    )


def _severity(graph: Graph, shape: Node) -> str:
    return SEVERITIES[URIRef(_one(graph, shape, SH.severity) or SH.Violation)]


def _one(graph: Graph, subject: Node, predicate: URIRef) -> str:
    return str(graph.value(subject, predicate) or "")


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
        clause=_one(shapes, shape, DCTERMS.source),
        severity=SEVERITIES[URIRef(_one(report, node, SH.resultSeverity))],
        focus=_shown(focus),
        path="|".join(map(str, steps)) or ("" if path is None else "|".join(map(str, _steps(shapes, path)))),
        value=_shown(value),
        message=_one(report, node, SH.resultMessage),
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
