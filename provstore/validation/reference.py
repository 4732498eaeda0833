"""pySHACL over rdflib in memory: the reference that the compiled shapes are held to, and a second opinion.

Literals keep the form they were sent in. Nothing is fetched: imports, SPARQL targets and rules are off.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pyshacl
from pyshacl.errors import ReportableRuntimeError
from rdflib import Graph as RdflibGraph
from rdflib.namespace import SH
from rdflib.term import Node, URIRef

from provstore.errors import ProvStoreError
from provstore.validation.closures import ValidationResult
from provstore.validation.foreign import graph_of, node, term
from provstore.validation.graph import Data
from provstore.validation.paths import Predicate
from provstore.validation.shapes import Shape, Shapes, Unknown
from provstore.validation.terms import is_iri

# rdflib prints a stack trace for each ill-typed literal; here that is a result of the shapes, not an event to be told
logging.getLogger("rdflib.term").setLevel(logging.ERROR)


def validate(data: Data, shapes: Shapes, classes: Data | None = None) -> Iterator[ValidationResult]:
    """Every result that pySHACL has, without details; ProvStoreError where it gives up.

    `classes` is added to the data. Where values have no order pySHACL raises an error (SHACL §4.5.4 wants a result): it
    is then asked without sh:lessThan and sh:lessThanOrEquals.
    """
    graph = graph_of(data)
    for subject, predicate, value in classes.triples() if classes else ():
        graph.add((node(subject), node(predicate), node(value)))
    try:
        report = _report(graph, graph_of(shapes.graph))
    except (TypeError, ReportableRuntimeError):
        report = _report(graph, graph_of(shapes.graph, without=(SH.lessThan, SH.lessThanOrEquals)))
    for result in report.objects(None, SH.result):
        yield _result(report, result, shapes)


def _report(data: RdflibGraph, shapes: RdflibGraph) -> RdflibGraph:
    try:
        _, report, _ = pyshacl.validate(data, shacl_graph=shapes, do_owl_imports=False, advanced=False, inplace=True)
    except (TypeError, ReportableRuntimeError):
        raise
    except Exception as error:  # the engine lets through whatever rdflib and Python raise
        raise ProvStoreError(f"pySHACL failed: {type(error).__name__}: {error}") from error
    if not isinstance(report, RdflibGraph):
        raise ProvStoreError(f"pySHACL failed: {report}")
    return report


def _result(report: RdflibGraph, found: Node, shapes: Shapes) -> ValidationResult:
    def said(predicate: URIRef) -> str | None:
        value = report.value(found, predicate)
        return None if value is None else term(value)

    shape = shapes.shapes[said(SH.sourceShape) or ""]
    component, path = said(SH.sourceConstraintComponent) or "", said(SH.resultPath)
    constraint = next((each for each in shape.constraints if each.component == component), Unknown(component))
    messages = tuple(term(each) for each in report.objects(found, SH.resultMessage))
    return ValidationResult(
        said(SH.focusNode) or "",
        shape,
        constraint,
        Predicate(path) if path and is_iri(path) else shape.path,
        said(SH.value),
        messages if _own(shape, component) else (),
    )


def _own(shape: Shape, component: str) -> bool:
    """Whether the message is the query's own, rather than the shape's or one that pySHACL makes up."""
    return component == f"<{SH.SPARQLConstraintComponent}>" and not shape.messages
