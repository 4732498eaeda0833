"""A profile as a class diagram has it: what is looked at, its properties with how many and of what, and relations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from rdflib import Graph
from rdflib.namespace import OWL, RDF, RDFS, SH
from rdflib.term import Node, URIRef

from provstore.validation.profiles import Box, Row
from provstore.validation.wording import Wording

_SHORT_KINDS = {
    SH.IRI: "IRI",
    SH.BlankNode: "blank node",
    SH.Literal: "literal",
    SH.BlankNodeOrIRI: "node",
    SH.BlankNodeOrLiteral: "no IRI",
    SH.IRIOrLiteral: "IRI or literal",
}


def boxes(graph: Graph, shapes: list[URIRef]) -> tuple[Box, ...]:
    """A box for each set of targets of the shapes, in their order; rules on one property of it share a row."""
    wording = Wording(graph)
    found: dict[tuple[str, ...], dict[str, Row]] = {}
    classes: dict[tuple[str, ...], tuple[str, ...]] = {}
    for shape in shapes:
        titles, of_class = _titles(graph, shape, wording)
        if not titles:
            continue
        rows = found.setdefault(titles, {})
        classes[titles] = of_class
        for row in _rows(graph, shape, wording, str(shape)):
            rows[row.path] = _merged(rows[row.path], row) if row.path in rows else row
    return tuple(
        Box(titles, classes[titles], tuple(sorted(rows.values(), key=lambda row: (row.path == "", row.path))))
        for titles, rows in found.items()
    )


def _titles(graph: Graph, shape: URIRef, wording: Wording) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What a shape is held against, in a few words each, and those of them that are classes."""

    def all_of(predicate: URIRef) -> list[str]:
        return sorted(map(wording.short, graph.objects(shape, predicate)))

    implied = {RDFS.Class, OWL.Class} & set(graph.objects(shape, RDF.type))
    classes = (*([wording.short(shape)] if implied else []), *all_of(SH.targetClass))
    others = [f"has {each}" for each in all_of(SH.targetSubjectsOf)]
    others += [f"value of {each}" for each in all_of(SH.targetObjectsOf)]
    return (*classes, *others, *all_of(SH.targetNode)), classes


def _rows(graph: Graph, shape: Node, wording: Wording, rule: str) -> Iterator[Row]:
    path = graph.value(shape, SH.path)
    if path is not None or _says_something(graph, shape):
        yield _row(graph, shape, wording, rule, wording.path(path) if path is not None else "")
    if path is None:
        for inner in sorted(graph.objects(shape, SH.property), key=str):
            if graph.value(inner, SH.path) is not None:
                own = str(inner) if isinstance(inner, URIRef) else rule
                yield _row(graph, inner, wording, own, wording.path(_path(graph, inner)))


def _path(graph: Graph, shape: Node) -> Node:
    found = graph.value(shape, SH.path)
    assert found is not None
    return found


def _says_something(graph: Graph, shape: Node) -> bool:
    """Whether a node shape asks anything beside what its property shapes do."""
    asking = (SH["not"], SH["or"], SH["and"], SH.xone, SH["class"], SH.nodeKind, SH.sparql, SH.disjoint)
    closed = any(str(value) in ("true", "1") for value in graph.objects(shape, SH.closed))
    return closed or any((shape, each, None) in graph for each in (*asking, SH.node, SH["in"], SH.pattern, SH.equals))


def _row(graph: Graph, shape: Node, wording: Wording, rule: str, path: str) -> Row:
    wanted = graph.value(shape, SH.qualifiedValueShape)
    if wanted is not None:
        least, most = _number(graph, shape, SH.qualifiedMinCount), _number(graph, shape, SH.qualifiedMaxCount)
        inner = _row(graph, wanted, wording, rule, path)
        return replace(inner, least=least or 0, most=most)
    classes = tuple(sorted(map(wording.short, graph.objects(shape, SH["class"]))))
    least, most = _number(graph, shape, SH.minCount), _number(graph, shape, SH.maxCount)
    kinds = [wording.short(each) for each in sorted(graph.objects(shape, SH.datatype), key=str)]
    kinds += [_SHORT_KINDS[URIRef(str(e))] for e in graph.objects(shape, SH.nodeKind) if URIRef(str(e)) in _SHORT_KINDS]
    asked = wording.constraints(shape) if not (classes or kinds) else []
    others = [each for each in asked if not each.startswith("there ")]
    return Row(path, least or 0, most, " ".join([*classes, *kinds]) or "; ".join(others), classes, rule)


def _number(graph: Graph, shape: Node, predicate: URIRef) -> int | None:
    value = graph.value(shape, predicate)
    text = "" if value is None else str(value)
    return int(text) if text.isascii() and text.isdigit() else None


def _merged(one: Row, other: Row) -> Row:
    """What two rules ask of one property."""
    bounds = [each for each in (one.most, other.most) if each is not None]
    kinds = dict.fromkeys(filter(None, (one.kind, other.kind)))
    return replace(
        one,
        least=max(one.least, other.least),
        most=min(bounds, default=None),
        kind="; ".join(kinds),
        classes=tuple(sorted({*one.classes, *other.classes})),
    )
