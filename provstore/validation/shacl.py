"""SHACL by pySHACL over memory: a profile is a file of named shapes, `shapes/<profile>/<version>.ttl`.

Literals keep the form they were sent in. Nothing is fetched: imports, SPARQL targets and rules are off.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import cache
from typing import Any

import pyshacl
from pyshacl.errors import ReportableRuntimeError
from rdflib import Graph
from rdflib.collection import Collection
from rdflib.namespace import DCTERMS, RDF, RDFS, SH, XSD
from rdflib.term import BNode, Literal, Node, URIRef

from provstore import rdf, resources
from provstore.errors import InvalidInput, ProvStoreError
from provstore.validation.described import SEVERITIES, described, one, shapes
from provstore.validation.explaining import Found, explained
from provstore.validation.profiles import SHIPPED, Profile, Registry, Version
from provstore.validation.results import Fix, Result
from provstore.validation.snippets import filled
from provstore.validation.wording import Wording

# rdflib prints a stack trace for each ill-typed literal; here that is a result of the shapes, not an event to be told
logging.getLogger("rdflib.term").setLevel(logging.ERROR)

#: A record to be validated: where profiles are, the name of one, and canonical N-Quads.
Task = tuple[Registry, str, bytes]
_ADD, _REMOVE = (URIRef(f"https://w3id.org/provstore/ns#{name}") for name in ("add", "remove"))
_SHOWN = 200  # characters of a value that a result repeats


def profiles() -> dict[str, Profile]:
    """The newest version of every profile that ships, by name, sorted."""
    return {version.name: described(version, SHIPPED) for version in SHIPPED.newest()}


def validate(quads: bytes, profile: str, registry: Registry = SHIPPED) -> list[Result]:
    """What the rules of a profile find in the triples of canonical N-Quads, whatever graphs they stand in.

    The gravest come first, and the order is always the same; an empty list means that all is well. NotFound for a
    profile that is not there, InvalidInput for what is not N-Quads, ProvStoreError where the engine gives up.
    """
    version = registry.find(profile)
    return _results(version.token, *_examined(quads, version, registry))


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


def _results(profile: str, shapes: Graph, data: Graph, report: Graph) -> list[Result]:
    found = {_result(profile, report, node, shapes, data) for node in report.objects(None, SH.result)}
    return sorted(found, key=Result.order)


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
    return [result.json() for result in validate(quads, profile, registry)]


def jobs(task: tuple[Registry, str, list[bytes]]) -> list[list[dict[str, Any]]]:
    """As `job`, of several records."""
    registry, profile, records = task
    return [job((registry, profile, quads)) for quads in records]


def told(task: Task) -> tuple[tuple[Result, ...], str]:
    """The results, and the validation report of SHACL §3.6 as Turtle; `sh:conforms` is false for a MAY, too."""
    registry, profile, quads = task
    version = registry.find(profile)
    known, data, report = _examined(quads, version, registry)
    return tuple(_results(version.token, known, data, report)), report.serialize(format="turtle")


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


def _result(profile: str, report: Graph, node: Node, shapes: Graph, data: Graph) -> Result:
    shape, focus = report.value(node, SH.sourceShape) or BNode(), report.value(node, SH.focusNode)
    path, value = shapes.value(shape, SH.path), report.value(node, SH.value)
    steps = [] if path is None else [each for each in _steps(shapes, path) if each.leads(data, focus, value)]
    component = one(report, node, SH.sourceConstraintComponent)
    found = Found(
        _written(focus),
        "|".join(each.written() for each in steps or ([] if path is None else _steps(shapes, path))),
        None if value is None else _written(value),
        _parameters(shapes, shape),
    )
    said = explained(component, found)
    return Result(
        shape=str(shape),
        clause=one(shapes, shape, DCTERMS.source),
        severity=SEVERITIES.get(URIRef(one(report, node, SH.resultSeverity)), "MUST"),
        focus=_shown(focus),
        path="|".join(map(str, steps)) or ("" if path is None else "|".join(map(str, _steps(shapes, path)))),
        value=_shown(value),
        message=one(shapes, shape, SH.message) or said.message,
        profile=profile,
        component=component,
        expected=said.expected or "; ".join(Wording(shapes).constraints(shape)),
        fix=_fix(shapes, shape, found) or said.fix,
    )


def _fix(shapes: Graph, shape: Node, found: Found) -> Fix | None:
    """What the shape itself says that is to be added or removed."""
    add, remove = (filled(one(shapes, shape, name), found.focus, found.value) for name in (_ADD, _REMOVE))
    return Fix(add, remove) if add or remove else None


def _parameters(shapes: Graph, shape: Node) -> dict[str, list[str]]:
    """Every statement of a shape, lists as their members."""
    said: dict[str, list[str]] = {}
    for predicate, value in shapes.predicate_objects(shape):
        members = Collection(shapes, value) if (value, RDF.first, None) in shapes else [value]
        said.setdefault(str(predicate), []).extend(map(_written, members))
    return said


def _written(node: Node | None) -> str:
    """A node as N-Triples has it, its lexical form as it was sent."""
    if isinstance(node, URIRef):
        return f"<{node}>"
    if isinstance(node, Literal):
        text = rdf.literal(str(node), None if node.datatype in (None, XSD.string) else str(node.datatype))
        return f"{text}@{node.language}" if node.language else text
    return f"_:{node}"


def _shown(node: Node | None) -> str:
    """An IRI as it is, a blank node with its `_:`, a literal in quotes; cut where it is long."""
    if isinstance(node, URIRef):
        return str(node)
    text = "" if node is None else _written(node)
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

    def written(self) -> str:
        return f"^<{self.predicate}>" if self.backwards else f"<{self.predicate}>"


def _steps(shapes: Graph, path: Node) -> list[_Step]:
    """The properties of a SHACL path (§2.3.1): one, or alternatives, each possibly inverse."""
    alternatives = shapes.value(path, SH.alternativePath)
    if alternatives is not None:
        return [step for each in Collection(shapes, alternatives) for step in _steps(shapes, each)]
    inverse = shapes.value(path, SH.inversePath)
    return [_Step(path)] if inverse is None else [_Step(inverse, backwards=True)]
