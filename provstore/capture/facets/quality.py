"""How good the data were: measurements (W3C DQV) and the outcome of tests (W3C EARL)."""

from __future__ import annotations

import re

from provstore import rdf
from provstore.capture.facets.graph import FacetError, Graph, Object, inner, kind_of, listed, objects, term_of, token
from provstore.vocab import DCT, DQV, EARL, PS, RDF_TYPE, SCHEMA

_OF_ALL = (("rowCount", PS.RowCount), ("bytes", PS.ByteSize), ("fileCount", PS.FileCount))
_OF_A_COLUMN = (
    ("nullCount", PS.NullCount),
    ("distinctCount", PS.DistinctCount),
    ("sum", PS.Sum),
    ("count", PS.Count),
    ("min", PS.Minimum),
    ("max", PS.Maximum),
)
_DECIMAL = re.compile(r"[0-9]{1,18}(?:\.[0-9]{1,18})?\Z")
#: status of a test as sent → earl:outcome
_OUTCOMES = {"pass": EARL.passed, "fail": EARL.failed, "skip": EARL.untested, "error": EARL.cantTell}


def metrics(graph: Graph, facet: Object) -> None:
    for member, metric in _OF_ALL:
        _measure(graph, f"/{member}", metric, facet.get(member), member)
    for column, numbers in objects(facet, "columnMetrics"):
        place = f"/columnMetrics/{token(column)}"
        for member, metric in _OF_A_COLUMN:
            _measure(graph, f"{place}/{member}", metric, numbers.get(member), member, column)
        for quantile, value in sorted(inner(numbers, "quantiles").items()):
            node = _measure(graph, f"{place}/quantiles/{token(quantile)}", PS.Quantile, value, "quantiles", column)
            if node:
                datatype = f"{rdf.XSD}decimal" if _DECIMAL.match(quantile) else None
                graph.say(node, PS.quantile, rdf.literal(quantile, datatype))
    graph.say_time(graph.node, DCT.modified, facet, "lastUpdated")


def _measure(
    graph: Graph, pointer: str, metric: str, value: object, member: str, column: str | None = None
) -> str | None:
    """One measurement, where there is a value; a text, such as the least of a column of dates, is kept as one."""
    if value is None:
        return None
    if type(value) is str:
        graph.notes.append(f"{member!r} should be a number, got string")
    elif type(value) not in (int, float):
        raise FacetError(f"{member!r} must be a number, got {kind_of(value)}")
    node = graph.at(pointer)
    graph.say(graph.node, DCT.hasPart, node)
    graph.type(node, DQV.QualityMeasurement)
    graph.say(node, DQV.isMeasurementOf, metric)
    graph.say(node, DQV.value, term_of(value))
    if column is not None:
        graph.say(node, PS.column, rdf.literal(column))
    return node


def assertions(graph: Graph, facet: Object) -> None:
    for index, each in enumerate(listed(facet, "assertions")):
        success = graph.flag(each, "success")
        if success is None:
            raise FacetError("'success' must be a boolean, got null")
        criterion = _assertion(graph, f"/assertions/{index}", each, EARL.passed if success else EARL.failed)
        graph.say(criterion, SCHEMA.additionalType, rdf.literal(graph.needed(each, "assertion")))
        graph.say_text(criterion, DCT.title, each, "name")


def tests(graph: Graph, facet: Object) -> None:
    for index, each in enumerate(listed(facet, "tests")):
        status = graph.needed(each, "status")
        outcome = _OUTCOMES.get(status.lower())
        if outcome is None:
            graph.notes.append(f"'status' must be one of {', '.join(_OUTCOMES)}, got {status[:60]!r}")
        criterion = _assertion(graph, f"/tests/{index}", each, outcome or EARL.cantTell)
        graph.say(criterion, DCT.title, rdf.literal(graph.needed(each, "name")))
        graph.say_text(criterion, SCHEMA.additionalType, each, "type")


def _assertion(graph: Graph, pointer: str, each: Object, outcome: str) -> str:
    """One earl:Assertion with its result; the node of the test itself, still without a name."""
    node, criterion, result = graph.at(pointer), graph.at(f"{pointer};test"), graph.at(f"{pointer};result")
    graph.say(graph.node, DCT.hasPart, node)
    graph.type(node, EARL.Assertion)
    graph.say(node, EARL.test, criterion)
    graph.say(node, EARL.result, result)
    graph.say_text(node, PS.column, each, "column")
    graph.say_text(node, PS.severity, each, "severity")
    graph.say(criterion, RDF_TYPE, EARL.TestCase)
    graph.say_text(criterion, DCT.description, each, "description")
    graph.say_text(criterion, SCHEMA.text, each, "content")
    graph.say_text(criterion, SCHEMA.encodingFormat, each, "contentType")
    graph.say_properties(criterion, SCHEMA.additionalProperty, each, "params", f"{pointer}/params")
    graph.say(result, RDF_TYPE, EARL.TestResult)
    graph.say(result, EARL.outcome, outcome)
    graph.say_text(result, PS.expected, each, "expected")
    graph.say_text(result, PS.actual, each, "actual")
    return criterion
