"""Validation by closures: shapes become functions once, which are then called on each focus node of any data."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from provstore import rdf
from provstore.errors import InvalidInput
from provstore.validation import datatypes, patterns
from provstore.validation.engine import SHAPES_GRAPH, Queried
from provstore.validation.graph import Data
from provstore.validation.paths import Follow, Path, Predicate, follower
from provstore.validation.prebinding import Template
from provstore.validation.shapes import (
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
    Sparql,
    Target,
    UniqueLang,
    sh,
)
from provstore.validation.terms import LANG_STRING, TYPE, is_blank, is_iri, is_literal, parts, text

#: A place in a message where the value of a variable is filled in (SHACL §5.3.2).
_PLACE = re.compile(r"\{[?$](\w+)\}")


@dataclass(frozen=True, slots=True)
class ValidationResult:
    """A result of SHACL §3.6.2: `path` and `value` are None where it has none; `details` are those of nested shapes."""

    focus: str
    shape: Shape
    constraint: Constraint
    path: Path | None
    value: str | None
    messages: tuple[str, ...] = ()
    details: tuple[ValidationResult, ...] = ()


#: Yields what is wrong with the value nodes of a focus node.
_Rule: TypeAlias = Callable[[Data, str, list[str]], Iterable[ValidationResult]]


class Validator:
    """The shapes of a graph as functions; one is made for all data that are held against it."""

    def __init__(self, shapes: Shapes) -> None:
        self._compiled: dict[str, _Compiled] = {}
        self._graph = shapes.graph
        self._queried: tuple[Data, Queried] | None = None
        self._shapes = shapes.shapes
        self._targeted = [(shape, self._of(shape.node)) for shape in shapes.targeted()]

    def validate(self, data: Data) -> Iterator[ValidationResult]:
        """Every result, shape by shape."""
        for shape, compiled in self._targeted:
            for focus in _foci(data, shape.targets):
                yield from compiled.results(data, focus)

    def _of(self, node: str) -> _Compiled:
        found = self._compiled.get(node)
        if found is None:
            shape = self._shapes[node]
            rules = () if shape.deactivated else tuple(self._rule(shape, each) for each in shape.constraints)
            found = self._compiled[node] = _Compiled(follower(shape.path) if shape.path else None, rules)
        return found

    def _rule(self, shape: Shape, constraint: Constraint) -> _Rule:
        match constraint:
            case Logic():
                return self._logic(shape, constraint)
            case Property(_, other):
                return _of_property(self._of(other))
            case Qualified():
                return self._qualified(shape, constraint)
            case Count():
                return _count(shape, constraint)
            case HasValue():
                return _has_value(shape, constraint)
            case Pair():
                return _pair(shape, constraint)
            case UniqueLang():
                return _unique(shape, constraint)
            case Closed():
                return _closed(shape, constraint)
            case Sparql():
                return self._query(shape, constraint)
            case _:
                return _each(shape, constraint, _test(constraint))

    def _logic(self, shape: Shape, constraint: Logic) -> _Rule:
        inner = [self._of(node) for node in constraint.shapes]
        name = constraint.component
        if name == sh("NotConstraintComponent"):
            return _each(shape, constraint, lambda data, value: not inner[0].conforms(data, value))
        if name == sh("XoneConstraintComponent"):
            return _nested(shape, constraint, inner, lambda fits: sum(fits) == 1)
        if name == sh("OrConstraintComponent"):
            return _nested(shape, constraint, inner, any)
        return _nested(shape, constraint, inner, all)

    def _qualified(self, shape: Shape, constraint: Qualified) -> _Rule:
        wanted, siblings = self._of(constraint.shape), [self._of(node) for node in constraint.siblings]
        least = constraint.component == sh("QualifiedMinCountConstraintComponent")

        def rule(data: Data, focus: str, values: list[str]) -> Iterator[ValidationResult]:
            fit = sum(
                wanted.conforms(data, value) and not any(other.conforms(data, value) for other in siblings)
                for value in values
            )
            if fit < constraint.count if least else fit > constraint.count:
                why = [result for value in values for result in wanted.results(data, value)] if least else ()
                yield ValidationResult(focus, shape, constraint, shape.path, None, details=tuple(why))

        return rule

    def _query(self, shape: Shape, constraint: Sparql) -> _Rule:
        query = Template(constraint.query)
        always = {**constraint.bindings, "shapesGraph": SHAPES_GRAPH, "currentShape": shape.node}

        def asked(data: Data, focus: str, values: list[str]) -> Iterator[ValidationResult]:
            for value in values:
                terms = {**always, "this": focus, "value": value}
                if not self._engine(data).ask(query, terms):
                    yield ValidationResult(focus, shape, constraint, shape.path, value, _messages(constraint, terms))

        def selected(data: Data, focus: str, values: list[str]) -> Iterator[ValidationResult]:
            terms = {**always, "this": focus}
            for found in self._engine(data).select(query, terms):
                if "failure" in found and parts(found["failure"])[0] in ("true", "1"):
                    raise InvalidInput(f"{constraint.source} reported a failure at {focus}")
                path = Predicate(found["path"]) if "path" in found and is_iri(found["path"]) else shape.path
                value = found.get("value", focus if shape.path is None else None)
                messages = _messages(constraint, {**terms, **found})
                yield ValidationResult(focus, shape, constraint, path, value, messages)

        return asked if constraint.ask else selected

    def _engine(self, data: Data) -> Queried:
        if self._queried is None or self._queried[0] is not data:
            self._queried = data, Queried(data, self._graph)
        return self._queried[1]


def _messages(constraint: Sparql, bound: Mapping[str, str]) -> tuple[str, ...]:
    """The messages of SHACL §5.3.2: the one that was found, or else those given, with `{?name}` filled in."""
    if "message" in bound:
        return (bound["message"],)

    def filled(match: re.Match[str]) -> str:
        return rdf.literal(text(bound[match[1]]))[1:-1] if match[1] in bound else match[0]

    return tuple(_PLACE.sub(filled, message) for message in constraint.messages)


@dataclass(frozen=True, slots=True)
class _Compiled:
    """A shape as functions: how it gets its value nodes from a focus node, and what it holds them to."""

    follow: Follow | None
    rules: tuple[_Rule, ...]

    def results(self, data: Data, focus: str) -> Iterator[ValidationResult]:
        values = [focus] if self.follow is None else list(self.follow(data, focus))
        for rule in self.rules:
            yield from rule(data, focus, values)

    def conforms(self, data: Data, focus: str) -> bool:
        values = [focus] if self.follow is None else list(self.follow(data, focus))
        return not any(True for rule in self.rules for _ in rule(data, focus, values))


def _foci(data: Data, targets: tuple[Target, ...]) -> Iterable[str]:
    if len(targets) == 1:
        return list(_target(data, targets[0]))
    return dict.fromkeys(node for target in targets for node in _target(data, target))


def _target(data: Data, target: Target) -> Iterable[str]:
    if target.kind == "class":
        return data.instances(target.term)
    if target.kind == "subjectsOf":
        return data.subjects_of(target.term)
    return data.objects_of(target.term) if target.kind == "objectsOf" else (target.term,)


# --- rules of all values together ------------------------------------------------------------------------------------


def _of_property(other: _Compiled) -> _Rule:
    def rule(data: Data, focus: str, values: list[str]) -> Iterator[ValidationResult]:
        for value in values:
            yield from other.results(data, value)

    return rule


def _nested(shape: Shape, constraint: Logic, inner: list[_Compiled], fits: Callable[[Iterable[bool]], bool]) -> _Rule:
    def rule(data: Data, focus: str, values: list[str]) -> Iterator[ValidationResult]:
        for value in values:
            if not fits(other.conforms(data, value) for other in inner):
                why = tuple(result for other in inner for result in other.results(data, value))
                yield ValidationResult(focus, shape, constraint, shape.path, value, details=why)

    return rule


def _count(shape: Shape, constraint: Count) -> _Rule:
    least = constraint.component == sh("MinCountConstraintComponent")
    count, found = constraint.count, constraint

    def rule(data: Data, focus: str, values: list[str]) -> Iterable[ValidationResult]:
        if len(values) < count if least else len(values) > count:
            return (ValidationResult(focus, shape, found, shape.path, None),)
        return ()

    return rule


def _has_value(shape: Shape, constraint: HasValue) -> _Rule:
    wanted = constraint.value

    def rule(data: Data, focus: str, values: list[str]) -> Iterable[ValidationResult]:
        return () if wanted in values else (ValidationResult(focus, shape, constraint, shape.path, None),)

    return rule


def _pair(shape: Shape, constraint: Pair) -> _Rule:
    """SHACL §4.5: a result for each value that is in one set only, in both, or not before another."""
    predicate, name = constraint.predicate, constraint.component
    orders = {sh("LessThanConstraintComponent"): (-1,), sh("LessThanOrEqualsConstraintComponent"): (-1, 0)}
    wanted = orders.get(name)

    def rule(data: Data, focus: str, values: list[str]) -> Iterator[ValidationResult]:
        others = list(data.objects(focus, predicate))
        if wanted is not None:
            wrong = [a for a in values for b in others if datatypes.compare(a, b) not in wanted]
        elif name == sh("DisjointConstraintComponent"):
            wrong = [value for value in values if value in others]
        else:
            wrong = [value for value in values if value not in others]
            wrong += [value for value in others if value not in values]
        for value in wrong:
            yield ValidationResult(focus, shape, constraint, shape.path, value)

    return rule


def _unique(shape: Shape, constraint: UniqueLang) -> _Rule:
    def rule(data: Data, focus: str, values: list[str]) -> Iterator[ValidationResult]:
        if len(values) > 1:
            tags = [parts(value)[2].lower() for value in values if is_literal(value)]
            for tag in dict.fromkeys(tags):
                if tag and tags.count(tag) > 1:
                    yield ValidationResult(focus, shape, constraint, shape.path, None)

    return rule


def _closed(shape: Shape, constraint: Closed) -> _Rule:
    allowed = constraint.allowed

    def rule(data: Data, focus: str, values: list[str]) -> Iterator[ValidationResult]:
        for node in values:
            for predicate in data.predicates(node):
                if predicate not in allowed:
                    for value in data.objects(node, predicate):
                        yield ValidationResult(focus, shape, constraint, Predicate(predicate), value)

    return rule


# --- rules of each value by itself -----------------------------------------------------------------------------------

_Test: TypeAlias = Callable[[Data, str], bool]


def _each(shape: Shape, constraint: Constraint, fits: _Test) -> _Rule:
    def rule(data: Data, focus: str, values: list[str]) -> Iterable[ValidationResult]:
        return [
            ValidationResult(focus, shape, constraint, shape.path, value) for value in values if not fits(data, value)
        ]

    return rule


def _test(constraint: Constraint) -> _Test:
    match constraint:
        case OfClass(_, cls):
            return lambda data, value: any(cls in data.superclasses(each) for each in data.objects(value, TYPE))
        case OfDatatype(_, datatype):
            return lambda data, value: (
                is_literal(value) and parts(value)[1] == datatype and datatypes.well_formed(value)
            )
        case OfKind(_, _, kinds):
            return lambda data, value: value[0] in kinds
        case In(_, values):
            among = frozenset(values)
            return lambda data, value: value in among
        case Bound():
            return _bound(constraint)
        case Length(name, length):
            if name == sh("MinLengthConstraintComponent"):
                return lambda data, value: not is_blank(value) and len(text(value)) >= length
            return lambda data, value: not is_blank(value) and len(text(value)) <= length
        case Pattern(_, regex, flags):
            matches = patterns.compiled(regex, flags)
            return lambda data, value: not is_blank(value) and matches(text(value))
        case LanguageIn(_, ranges):
            return _languages([each.lower() for each in ranges])
    raise TypeError(f"no test of single values: {constraint}")


def _bound(constraint: Bound) -> _Test:
    wanted = {
        sh("MinExclusiveConstraintComponent"): (1,),
        sh("MinInclusiveConstraintComponent"): (0, 1),
        sh("MaxExclusiveConstraintComponent"): (-1,),
        sh("MaxInclusiveConstraintComponent"): (-1, 0),
    }[constraint.component]
    limit = constraint.limit
    return lambda data, value: datatypes.compare(value, limit) in wanted


def _languages(ranges: list[str]) -> _Test:
    """By langMatches (RFC 4647 §3.3.1): the tag is the range or begins with it and a hyphen; `*` is any tag."""

    def fits(data: Data, value: str) -> bool:
        if not is_literal(value):
            return False
        _, datatype, tag = parts(value)
        tag = tag.lower()
        return datatype == LANG_STRING and any(r in ("*", tag) or tag.startswith(f"{r}-") for r in ranges)

    return fits
