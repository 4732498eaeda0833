"""Shapes read from a graph into their intermediate form, or refused with the reason.

Nothing is ignored: a term of SHACL that is not supported, a parameter of the wrong kind, a shape that refers to itself
are all errors here (SHACL §3.4 calls such shapes ill-formed, or recursive and undefined), before anything is validated.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TypeAlias

from provstore.errors import InvalidInput
from provstore.rdf import RDF, XSD
from provstore.validation import datatypes, patterns
from provstore.validation.components import Components
from provstore.validation.graph import Graph
from provstore.validation.paths import Alternative, Inverse, Path, Predicate, Repeated, Sequence
from provstore.validation.shapes import (
    SH,
    Bound,
    Closed,
    Constraint,
    Count,
    HasValue,
    In,
    LanguageIn,
    Length,
    Logic,
    OfClass,
    OfDatatype,
    OfKind,
    Pair,
    Pattern,
    Property,
    Qualified,
    Shape,
    Shapes,
    Target,
    UniqueLang,
    references,
    sh,
)
from provstore.validation.terms import STRING, TYPE, is_blank, is_iri, is_literal, parts, text

_FIRST, _REST, _NIL = f"<{RDF}first>", f"<{RDF}rest>", f"<{RDF}nil>"
_CLASS = "<http://www.w3.org/2000/01/rdf-schema#Class>"
_KINDS = {
    sh("IRI"): "<",
    sh("BlankNode"): "_",
    sh("Literal"): '"',
    sh("BlankNodeOrIRI"): "_<",
    sh("BlankNodeOrLiteral"): '_"',
    sh("IRIOrLiteral"): '<"',
}
_TARGETS = {
    "targetNode": "node",
    "targetClass": "class",
    "targetSubjectsOf": "subjectsOf",
    "targetObjectsOf": "objectsOf",
}
_REPEATED = {"zeroOrMorePath": "*", "oneOrMorePath": "+", "zeroOrOnePath": "?"}
#: How many levels shapes and paths may have, and what they may unfold to where parts of them are used again and again.
_DEEPEST, _MOST_SHAPES, _MOST_STEPS = 64, 20_000, 2_000
#: What may stand on a shape and does not validate.
_QUIET = {"name", "description", "order", "group", "defaultValue", "severity", "message", "deactivated", "path"}
_BESIDE = {"flags", "ignoredProperties", "qualifiedMinCount", "qualifiedMaxCount", "qualifiedValueShapesDisjoint"}
_OF_QUERIES = {"select", "prefixes"}
#: Terms of SHACL that this engine does not carry out, and where they come from.
_ELSEWHERE = {
    "rule": "SHACL-AF rules",
    "expression": "SHACL-AF expression constraints",
    "values": "SHACL-AF property value rules",
    "js": "SHACL-JS",
    "entailment": "entailment regimes",
    "resultAnnotation": "SHACL-AF annotations",
}


def read(graph: Graph) -> Shapes:
    """Every shape in a graph; InvalidInput that names the shape and what is wrong with it."""
    return _Reader(graph).all()


def placed(detail: str, graph: Graph) -> str:
    """What `read` says of a shape without a name, told of the nearest one with a name and the way from there."""
    found = re.match(r"shape (_:\S+): ", detail)
    if not found:
        return detail
    node, way, seen = found[1], list[str](), {found[1]}
    while is_blank(node):
        above = next(((s, p) for s, p, o in graph.triples() if o == node and s not in seen), None)
        if above is None:
            return detail
        node = above[0]
        seen.add(node)
        way.insert(0, _local(above[1]) or text(above[1]))
    return detail.replace(found[1], f"{node} ({' → '.join(way)})")


def items(graph: Graph, head: str) -> tuple[str, ...]:
    """The members of an RDF collection; InvalidInput where it is not one (SHACL §1.2: well-formed SHACL list)."""
    found: list[str] = []
    seen: set[str] = set()
    while head != _NIL:
        firsts, rests = [*graph.objects(head, _FIRST)], [*graph.objects(head, _REST)]
        if len(firsts) != 1 or len(rests) != 1 or head in seen:
            raise InvalidInput(
                f"{head} is no well-formed list: each node needs one rdf:first and one rdf:rest, to rdf:nil"
            )
        seen.add(head)
        found += firsts
        head = rests[0]
    return tuple(found)


class _Reader:
    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._components = Components(graph)
        self._done: dict[str, Shape] = {}
        self._parents: dict[str, list[str]] = {}
        self._steps = 0  # of the path that is being read
        for parent in graph.subjects_of(sh("property")):
            for child in graph.objects(parent, sh("property")):
                self._parents.setdefault(child, []).append(parent)

    def all(self) -> Shapes:
        """Every shape; what they unfold to is bounded, since a validation walks all of it for each node."""
        waiting = [*self._roots()]
        while waiting:
            node = waiting.pop()
            if node not in self._done:
                shape = self._done[node] = self._shape(node)
                waiting += [other for each in shape.constraints for other in references(each)]
        self._refuse_endless()
        return Shapes(dict(sorted(self._done.items())), self._graph)

    def _roots(self) -> Iterator[str]:
        """What is a shape by itself (SHACL §2.1); the rest is reached from these."""
        for kind in ("NodeShape", "PropertyShape"):
            yield from self._graph.instances(sh(kind))
        for name in (*_TARGETS, "target", *_READERS):
            yield from self._graph.subjects_of(sh(name))
        parameters = self._graph.objects_of(sh("parameter"))
        yield from (node for node in self._graph.subjects_of(sh("path")) if node not in parameters)
        yield from self._components.used()

    # --- one shape ---------------------------------------------------------------------------------------------------

    def _shape(self, node: str) -> Shape:
        if is_literal(node):
            raise InvalidInput(f"{node} is a literal where a shape is needed")
        self._refuse_unknown(node)
        paths = [*self._graph.objects(node, sh("path"))]
        if len(paths) > 1:
            raise _bad(node, "sh:path", "is given more than once")
        if not paths and self._graph.has(node, TYPE, sh("PropertyShape")):
            raise _bad(node, "sh:path", "is missing in a property shape")
        if paths and self._graph.has(node, TYPE, sh("NodeShape")):
            raise _bad(node, "sh:path", "stands in a node shape")
        self._steps = 0
        path = self._path(paths[0], node, frozenset()) if paths else None
        return Shape(
            node,
            path,
            self._severity(node),
            tuple(self._graph.objects(node, sh("message"))),
            self._boolean(node, "deactivated"),
            tuple(self._targets(node)),
            tuple(self._constraints(node, path)),
        )

    def _refuse_unknown(self, node: str) -> None:
        query = [*self._graph.subjects(sh("sparql"), node)]  # a shape may be its own constraint (sparql-002)
        for predicate in self._graph.predicates(node):
            name = _local(predicate)
            if name and name not in _KNOWN and not (name in _OF_QUERIES and query):
                why = (
                    f"belongs to {_ELSEWHERE[name]}, not supported" if name in _ELSEWHERE else "is no term for a shape"
                )
                raise _bad(node, f"sh:{name}", why)

    def _severity(self, node: str) -> str:
        found = self._one(node, "severity", is_iri, "an IRI")
        return found or sh("Violation")

    def _targets(self, node: str) -> Iterator[Target]:
        for name, kind in _TARGETS.items():
            for term in self._graph.objects(node, sh(name)):
                if kind == "node" and is_blank(term):
                    raise _bad(node, f"sh:{name}", "must be an IRI or a literal, not a blank node")
                if kind != "node" and not is_iri(term):
                    raise _bad(node, f"sh:{name}", f"must be an IRI, not {term}")
                yield Target(kind, term)
        if is_iri(node) and any(_CLASS in self._graph.superclasses(each) for each in self._graph.objects(node, TYPE)):
            yield Target("class", node)
        yield from self._components.targets(node)

    def _constraints(self, node: str, path: Path | None) -> Iterator[Constraint]:
        for name, reader in _READERS.items():
            values = [*self._graph.objects(node, sh(name))]
            if len(values) > 1 and name in _SINGLE:
                raise _bad(node, f"sh:{name}", "is given more than once")
            for value in values:
                if path is None and name in _OF_PROPERTIES:
                    raise _bad(node, f"sh:{name}", "needs a property shape, one with sh:path")
                yield from reader(self, node, value)
        yield from self._components.constraints(node, path)

    # --- paths -------------------------------------------------------------------------------------------------------

    def _path(self, node: str, shape: str, within: frozenset[str]) -> Path:
        self._steps += 1
        if len(within) > _DEEPEST or self._steps > _MOST_STEPS:
            raise _bad(shape, "sh:path", f"has more than {_MOST_STEPS:,} steps, or {_DEEPEST} levels")
        if is_iri(node):
            return Predicate(node)
        if is_literal(node) or node in within:
            raise _bad(
                shape, "sh:path", f"has {node} in it, which is no path" if is_literal(node) else "contains itself"
            )
        inside = within | {node}
        if [*self._graph.objects(node, _FIRST)]:  # a list is a sequence, whatever else is said of it (path-strange-001)
            return Sequence(self._several(node, shape, inside))
        found: list[Path] = []
        for name in ("alternativePath", "inversePath", *_REPEATED):
            for value in self._graph.objects(node, sh(name)):
                found.append(self._step(name, value, shape, inside))
        if len(found) != 1:
            raise _bad(shape, "sh:path", "must be an IRI, a list, or a blank node with exactly one path operator")
        return found[0]

    def _step(self, name: str, value: str, shape: str, inside: frozenset[str]) -> Path:
        if name == "alternativePath":
            return Alternative(self._several(value, shape, inside))
        inner = self._path(value, shape, inside)
        return Inverse(inner) if name == "inversePath" else Repeated(inner, _REPEATED[name])

    def _several(self, head: str, shape: str, inside: frozenset[str]) -> tuple[Path, ...]:
        members = items(self._graph, head)
        if len(members) < 2:
            raise _bad(shape, "sh:path", "has a list of fewer than two paths")
        return tuple(self._path(each, shape, inside) for each in members)

    # --- parameters --------------------------------------------------------------------------------------------------

    def _one(self, node: str, name: str, fits: Callable[[str], bool], wanted: str) -> str | None:
        found = [*self._graph.objects(node, sh(name))]
        if len(found) > 1:
            raise _bad(node, f"sh:{name}", "is given more than once")
        if found and not fits(found[0]):
            raise _bad(node, f"sh:{name}", f"must be {wanted}, not {found[0]}")
        return found[0] if found else None

    def _boolean(self, node: str, name: str) -> bool:
        found = self._one(node, name, _is_boolean, "true or false")
        return found is not None and parts(found)[0] in ("true", "1")

    def _list(self, node: str, name: str, head: str) -> tuple[str, ...]:
        try:
            return items(self._graph, head)
        except InvalidInput as error:
            raise _bad(node, f"sh:{name}", f"must be a list: {error}") from error

    def _count(self, node: str, name: str, value: str) -> int:
        lexical, datatype, _ = parts(value) if is_literal(value) else ("", "", "")
        if datatype != f"<{XSD}integer>" or not datatypes.well_formed(value) or int(lexical) < 0:
            raise _bad(node, f"sh:{name}", f"must be a whole number from 0 on, not {value}")
        return int(lexical)

    def counted(self, node: str, name: str, value: str) -> Iterator[Constraint]:
        yield Count(_component(name), self._count(node, name, value))

    def length(self, node: str, name: str, value: str) -> Iterator[Constraint]:
        yield Length(_component(name), self._count(node, name, value))

    def bound(self, node: str, name: str, value: str) -> Iterator[Constraint]:
        if not is_literal(value):
            raise _bad(node, f"sh:{name}", f"must be a literal, not {value}")
        yield Bound(_component(name), value)

    def pattern(self, node: str, name: str, value: str) -> Iterator[Constraint]:
        flags = self._one(node, "flags", _is_string, "a string")
        if not _is_string(value):
            raise _bad(node, f"sh:{name}", f"must be a string, not {value}")
        made = Pattern(_component(name), text(value), text(flags) if flags else "")
        try:
            patterns.compiled(made.regex, made.flags)
        except ValueError as error:
            raise _bad(node, f"sh:{name}", f"cannot be used: {error}") from error
        yield made

    def languages(self, node: str, name: str, value: str) -> Iterator[Constraint]:
        ranges = self._list(node, name, value)
        if not all(map(_is_string, ranges)):
            raise _bad(node, f"sh:{name}", "must be a list of strings")
        yield LanguageIn(_component(name), tuple(map(text, ranges)))

    def unique(self, node: str, name: str, value: str) -> Iterator[Constraint]:
        if not _is_boolean(value):
            raise _bad(node, f"sh:{name}", f"must be true or false, not {value}")
        if parts(value)[0] == "true":  # the suite's uniqueLang-002: "1" does not switch it on
            yield UniqueLang(_component(name))

    def of_class(self, node: str, name: str, value: str) -> Iterator[Constraint]:
        yield OfClass(_component(name), self._iri(node, name, value))

    def datatype(self, node: str, name: str, value: str) -> Iterator[Constraint]:
        yield OfDatatype(_component(name), self._iri(node, name, value))

    def kind(self, node: str, name: str, value: str) -> Iterator[Constraint]:
        if value not in _KINDS:
            raise _bad(
                node, f"sh:{name}", f"must be one of sh:IRI, sh:BlankNode, sh:Literal and their pairs, not {value}"
            )
        yield OfKind(_component(name), value, _KINDS[value])

    def among(self, node: str, name: str, value: str) -> Iterator[Constraint]:
        yield In(_component(name), self._list(node, name, value))

    def has_value(self, node: str, name: str, value: str) -> Iterator[Constraint]:
        yield HasValue(_component(name), value)

    def pair(self, node: str, name: str, value: str) -> Iterator[Constraint]:
        yield Pair(_component(name), self._iri(node, name, value))

    def one_shape(self, node: str, name: str, value: str) -> Iterator[Constraint]:
        yield Logic(_component(name), (value,))

    def many_shapes(self, node: str, name: str, value: str) -> Iterator[Constraint]:
        yield Logic(_component(name), self._list(node, name, value))

    def property(self, node: str, name: str, value: str) -> Iterator[Constraint]:
        if not [*self._graph.objects(value, sh("path"))]:
            raise _bad(node, f"sh:{name}", f"must be a property shape, and {value} has no sh:path")
        yield Property(_component(name), value)

    def qualified(self, node: str, name: str, value: str) -> Iterator[Constraint]:
        counts = ("qualifiedMinCount", "qualifiedMaxCount")
        found = {each: [*self._graph.objects(node, sh(each))] for each in counts}
        if not any(found.values()):
            raise _bad(node, f"sh:{name}", "needs sh:qualifiedMinCount or sh:qualifiedMaxCount")
        siblings = self._siblings(node, value) if self._boolean(node, "qualifiedValueShapesDisjoint") else ()
        for each, values in found.items():
            if len(values) > 1:
                raise _bad(node, f"sh:{each}", "is given more than once")
            for count in values:
                yield Qualified(_component(each), value, self._count(node, each, count), siblings)

    def _siblings(self, node: str, own: str) -> tuple[str, ...]:
        """The sibling shapes (SHACL §4.7.3): the qualified shapes of all property shapes beside this one."""
        beside = [
            shape
            for parent in self._parents.get(node, ())
            for child in self._graph.objects(parent, sh("property"))
            for shape in self._graph.objects(child, sh("qualifiedValueShape"))
        ]
        return tuple(shape for shape in dict.fromkeys(beside) if shape != own)

    def closed(self, node: str, name: str, value: str) -> Iterator[Constraint]:
        if not _is_boolean(value):
            raise _bad(node, f"sh:{name}", f"must be true or false, not {value}")
        ignored = [*self._graph.objects(node, sh("ignoredProperties"))]
        if len(ignored) > 1:
            raise _bad(node, "sh:ignoredProperties", "is given more than once")
        allowed = {each for head in ignored for each in self._list(node, "ignoredProperties", head)}
        for child in self._graph.objects(node, sh("property")):
            allowed.update(path for path in self._graph.objects(child, sh("path")) if is_iri(path))
        if parts(value)[0] in ("true", "1"):
            yield Closed(_component(name), frozenset(allowed))

    def _iri(self, node: str, name: str, value: str) -> str:
        if not is_iri(value):
            raise _bad(node, f"sh:{name}", f"must be an IRI, not {value}")
        return value

    # --- how far it goes ---------------------------------------------------------------------------------------------

    def _refuse_endless(self) -> None:
        """InvalidInput where shapes refer to themselves (SHACL §3.4.3 leaves that open), or unfold to too much."""
        sizes: dict[str, int] = {}
        depths: dict[str, int] = {}
        trail: list[str] = []
        for start in self._done:
            waiting = [(start, True)]
            while waiting:
                node, entering = waiting.pop()
                within = [other for each in self._done[node].constraints for other in references(each)]
                if not entering:
                    trail.pop()
                    sizes[node] = 1 + sum(sizes[other] for other in within)
                    depths[node] = 1 + max((depths[other] for other in within), default=0)
                    if sizes[node] > _MOST_SHAPES or depths[node] > _DEEPEST:
                        limits = f"{_MOST_SHAPES:,} shapes within shapes, or {_DEEPEST} levels"
                        raise InvalidInput(f"shape {node} unfolds to more than {limits}")
                elif node in trail:
                    cycle = " → ".join([*trail[trail.index(node) :], node])
                    raise InvalidInput(f"recursive shapes are not supported: {cycle}")
                elif node not in sizes:
                    trail.append(node)
                    waiting.append((node, False))
                    waiting += [(other, True) for other in within]


def _local(predicate: str) -> str:
    """The name of a term of SHACL; '' for any other."""
    return predicate[len(SH) + 1 : -1] if predicate.startswith(f"<{SH}") else ""


def _component(name: str) -> str:
    return sh(f"{name[0].upper()}{name[1:]}ConstraintComponent")


def _is_boolean(term: str) -> bool:
    return is_literal(term) and parts(term)[1] == f"<{XSD}boolean>" and datatypes.well_formed(term)


def _is_string(term: str) -> bool:
    return is_literal(term) and parts(term)[1] == STRING


def _bad(node: str, what: str, why: str) -> InvalidInput:
    return InvalidInput(f"shape {node}: {what} {why}")


_Read: TypeAlias = Callable[[_Reader, str, str], Iterator[Constraint]]


def _named(name: str, method: Callable[[_Reader, str, str, str], Iterator[Constraint]]) -> _Read:
    return lambda reader, node, value: method(reader, node, name, value)


_READERS: dict[str, _Read] = {
    name: _named(name, method)
    for names, method in (
        ("minCount maxCount", _Reader.counted),
        ("minExclusive minInclusive maxExclusive maxInclusive", _Reader.bound),
        ("minLength maxLength", _Reader.length),
        ("pattern", _Reader.pattern),
        ("languageIn", _Reader.languages),
        ("uniqueLang", _Reader.unique),
        ("class", _Reader.of_class),
        ("datatype", _Reader.datatype),
        ("nodeKind", _Reader.kind),
        ("in", _Reader.among),
        ("hasValue", _Reader.has_value),
        ("equals disjoint lessThan lessThanOrEquals", _Reader.pair),
        ("node not", _Reader.one_shape),
        ("and or xone", _Reader.many_shapes),
        ("property", _Reader.property),
        ("qualifiedValueShape", _Reader.qualified),
        ("closed", _Reader.closed),
    )
    for name in names.split()
}
#: Parameters that a shape has once at most, by the syntax rules of SHACL §4.
_SINGLE = set(_READERS) - {"class", "hasValue", "equals", "disjoint", "lessThan", "lessThanOrEquals"}
_SINGLE -= {"node", "not", "and", "or", "xone", "property"}
_OF_PROPERTIES = {"minCount", "maxCount", "uniqueLang", "lessThan", "lessThanOrEquals", "qualifiedValueShape"}
_KNOWN = {*_READERS, *_QUIET, *_BESIDE, *_TARGETS, "target", "sparql"}
