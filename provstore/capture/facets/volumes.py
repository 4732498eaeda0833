"""How much of a dataset was read or written, and which part: statistics, subsets, Iceberg's reports."""

from __future__ import annotations

from typing import Any

from provstore import jcs, rdf
from provstore.capture.facets.graph import FacetError, Graph, Object, inner, kind_of, link, listed
from provstore.vocab import DCAT, DCT, PS, RDF_TYPE, SCHEMA


def statistics(graph: Graph, facet: Object) -> None:
    for member, predicate in (("rowCount", PS.rowCount), ("size", PS.byteSize), ("fileCount", PS.fileCount)):
        graph.say_whole(graph.node, predicate, facet, member)


def subset(graph: Graph, facet: Object) -> None:
    """The partitions and locations of the part; a condition as text, with the columns that it names."""
    for member in ("inputCondition", "outputCondition"):
        if facet.get(member) is not None:
            condition = _condition(graph, f"/{member}", inner(facet, member))
            if condition:
                graph.say(graph.node, PS.filter, rdf.literal(condition))


def _condition(graph: Graph, pointer: str, said: Object) -> str:
    """A condition as text; what it lists is said of the content."""
    kind = said.get("type")
    if kind == "location":
        for location in graph.texts(said, "locations"):
            graph.say(graph.node, DCAT.downloadURL, link(location))
        return f"in {', '.join(map(_shown, graph.texts(said, 'locations')))}"
    if kind == "partition":
        listing = enumerate(listed(said, "partitions"))
        parts = [_partition(graph, f"{pointer}/partitions/{index}", part) for index, part in listing]
        return parts[0] if len(parts) == 1 else f"({' OR '.join(parts)})" if parts else ""
    if kind == "binary":
        sides = [_condition(graph, f"{pointer}/{member}", inner(said, member)) for member in ("left", "right")]
        operator = graph.needed(said, "operator")
        return f"({sides[0]} {operator} {sides[1]})"
    if kind == "compare":
        sides = [_side(graph, inner(said, member)) for member in ("left", "right")]
        return f"{sides[0]} {graph.needed(said, 'comparison')} {sides[1]}"
    raise FacetError(f"'type' must be one of location, partition, binary, compare, got {str(kind)[:60]!r}")


def _side(graph: Graph, side: Object) -> str:
    if side.get("type") == "field":
        column = graph.needed(side, "field")
        graph.say(graph.node, PS.column, rdf.literal(column))
        return column
    if side.get("type") == "literal":
        return _shown(graph.text(side, "value") or "")
    raise FacetError(f"'type' must be field or literal, got {str(side.get('type'))[:60]!r}")


def _partition(graph: Graph, pointer: str, part: Object) -> str:
    node = graph.at(pointer)
    graph.say(graph.node, PS.partition, node)
    graph.say(node, RDF_TYPE, PS.Partition)
    graph.say_text(node, DCT.identifier, part, "identifier")
    graph.say_properties(node, SCHEMA.additionalProperty, part, "dimensions", f"{pointer}/dimensions")
    dimensions = " AND ".join(f"{name} = {_shown(value)}" for name, value in graph.members(part, "dimensions"))
    return dimensions or graph.text(part, "identifier") or "a partition"


def _shown(value: Any) -> str:
    """A value as SQL writes it, where SQL can; else as JSON."""
    return f"'{value.replace(chr(39), chr(39) * 2)}'" if type(value) is str else jcs.dumps(value)


def iceberg_scan(graph: Graph, facet: Object) -> None:
    _snapshot(graph, facet)
    _numbers(graph, facet, "scanMetrics")
    graph.say_text(graph.node, PS.filter, facet, "filterDescription")
    for column in graph.texts(facet, "projectedFieldNames"):
        graph.say(graph.node, PS.column, rdf.literal(column))
    schema = graph.number(facet, "schemaId")
    if schema is not None:
        graph.say_property(graph.node, SCHEMA.identifier, graph.at("/schemaId"), "schemaId", schema)


def iceberg_commit(graph: Graph, facet: Object) -> None:
    _snapshot(graph, facet)
    _numbers(graph, facet, "commitMetrics")
    graph.say_text(graph.node, PS.operation, facet, "operation")
    number = graph.number(facet, "sequenceNumber")
    if number is not None:
        graph.say_property(graph.node, SCHEMA.identifier, graph.at("/sequenceNumber"), "sequenceNumber", number)


def _snapshot(graph: Graph, facet: Object) -> None:
    snapshot = graph.number(facet, "snapshotId")
    if snapshot is not None:
        graph.say(graph.node, DCAT.version, rdf.literal(str(snapshot)))
    graph.say_properties(graph.node, SCHEMA.additionalProperty, facet, "metadata", "/metadata")


def _numbers(graph: Graph, facet: Object, member: str) -> None:
    for name, value in graph.members(facet, member):
        if value is not None and type(value) not in (int, float):
            raise FacetError(f"{name!r} in {member!r} must be a number, got {kind_of(value)}")
    graph.say_properties(graph.node, SCHEMA.additionalProperty, facet, member, f"/{member}")
