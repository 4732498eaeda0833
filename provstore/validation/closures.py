"""Validation by closures: shapes become functions once, which are then called on each focus node of any data."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol, TypeAlias

from provstore import rdf
from provstore.errors import InvalidInput
from provstore.validation import datatypes, patterns
from provstore.validation.batching import batched
from provstore.validation.engine import FOCI, SHAPES_GRAPH, Queried
from provstore.validation.graph import Data
from provstore.validation.paths import Follow, Path, Predicate, follower, may_stay_somewhere, predicates
from provstore.validation.prebinding import Template
from provstore.validation.reads import Unreadable, reads
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
_FEW = 8  # focus nodes of which a query is asked one by one


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


#: Whether the value nodes of a focus node keep to a constraint. What is wrong is added to the list; without a list, the
#: answer comes with the first thing that is wrong, and nothing is said of it.
Rule: TypeAlias = "Callable[[Data, str, Collection[str], list[ValidationResult] | None], bool]"
#: Whether a value node is as it should be.
Test: TypeAlias = Callable[[Data, str], bool]


class Queries(Protocol):
    """Who answers the queries of SHACL-SPARQL in which variables stand for terms."""

    def ask(self, query: Template, terms: Mapping[str, str]) -> bool: ...
    def select(self, query: Template, terms: Mapping[str, str]) -> Iterator[dict[str, str]]: ...


class Validator:
    """The shapes of a graph as functions; one is made for all data that are held against it."""

    def __init__(self, shapes: Shapes) -> None:
        self._compiled: dict[str, CompiledShape] = {}
        self._graph = shapes.graph
        self._queried: tuple[Data, Queried] | None = None
        self._shapes = shapes.shapes
        self._targeted = [(shape, self.of(shape.node)) for shape in shapes.targeted()]
        self._read = _read(shapes)
        self._batches = {shape.node: _batches(shape) for shape, _ in self._targeted}

    def validate(self, data: Data) -> Iterator[ValidationResult]:
        """Every result, shape by shape."""
        foci: dict[tuple[Target, ...], Collection[str]] = {}
        for shape, compiled in self._targeted:
            if shape.targets not in foci:
                foci[shape.targets] = self._foci(data, shape.targets)
            batches = self._batches[shape.node] if len(foci[shape.targets]) > _FEW else ()
            engine = self.engine(data) if batches else None
            if isinstance(engine, Queried):
                for constraint, query in batches:
                    for row in engine.of_all(query, foci[shape.targets]):
                        terms = {**bindings(shape, constraint), "this": row["this"]}
                        yield selected_result(shape, constraint, terms, row)
                continue
            for focus in foci[shape.targets]:
                found: list[ValidationResult] = []
                compiled.holds(data, focus, found)
                yield from found

    def _foci(self, data: Data, targets: tuple[Target, ...]) -> Collection[str]:
        return dict.fromkeys(node for target in targets for node in self._target(data, target))

    def _target(self, data: Data, target: Target) -> Iterable[str]:
        if target.kind == "class":
            return data.instances(target.term)
        if target.kind == "query":
            return (found["this"] for found in self.engine(data).select(_template(target.term), {}) if "this" in found)
        if target.kind == "subjectsOf":
            return data.subjects_of(target.term)
        return data.objects_of(target.term) if target.kind == "objectsOf" else (self.written(target.term),)

    def targets(self, data: Data, shape: Shape) -> Collection[str]:
        """The focus nodes that a shape has in the data (SHACL §2.1.3), each once."""
        return self._foci(data, shape.targets)

    def is_target(self, data: Data, shape: Shape, node: str) -> bool:
        """Whether a node is among the focus nodes of a shape, without looking for the others."""
        return any(self._hits(data, target, node) for target in shape.targets)

    def _hits(self, data: Data, target: Target, node: str) -> bool:
        if target.kind == "class":
            return any(target.term in data.superclasses(each) for each in data.objects(node, TYPE))
        if target.kind == "node":
            return node == self.written(target.term)
        if target.kind == "query":
            return node in self._target(data, target)
        found = data.objects(node, target.term) if target.kind == "subjectsOf" else data.subjects(target.term, node)
        return any(True for _ in found)

    def check(self, data: Data, shape: str, foci: Iterable[str]) -> list[ValidationResult]:
        """The results of one shape, by its node, at the focus nodes given, whether they are its targets or not."""
        found: list[ValidationResult] = []
        compiled = self.of(shape)
        for focus in foci:
            compiled.holds(data, focus, found)
        return found

    def of(self, node: str) -> CompiledShape:
        """A shape as functions."""
        found = self._compiled.get(node)
        if found is None:
            shape = self._shapes[node]
            rules = () if shape.deactivated else tuple(self.rule(shape, each) for each in shape.constraints)
            found = self._compiled[node] = CompiledShape(follower(shape.path) if shape.path else None, rules)
        return found

    def rule(self, shape: Shape, constraint: Constraint) -> Rule:
        """A constraint of a shape as a function."""
        match constraint:
            case Logic():
                return self._logic(shape, constraint)
            case Property(_, other):
                return _of_property(self.of(other))
            case Qualified():
                return self._qualified(shape, constraint)
            case Count():
                return _count(shape, constraint)
            case HasValue():
                return _has_value(shape, constraint, self.written(constraint.value))
            case Pair():
                return _pair(shape, constraint)
            case UniqueLang():
                return _unique(shape, constraint)
            case Closed():
                return _closed(shape, constraint)
            case Sparql():
                return self._query(shape, constraint)
            case _:
                return _each(shape, constraint, self.test(constraint))

    def test(self, constraint: Constraint) -> Test:
        """Whether a value node keeps to a constraint on single values that needs no other shape."""
        match constraint:
            case In(_, values):
                among = frozenset(map(self.written, values))
                return lambda data, value: value in among
            case OfDatatype(_, datatype):
                return lambda data, value: is_literal(value) and self.typed(value, datatype)
        return _test(constraint)

    def written(self, term: str) -> str:
        """A term of the shapes as the data would have it."""
        return term

    def typed(self, value: str, datatype: str) -> bool:
        """Whether a literal is a well-formed one of a datatype."""
        return parts(value)[1] == datatype and datatypes.well_formed(value)

    def _logic(self, shape: Shape, constraint: Logic) -> Rule:
        inner = [self.of(node) for node in constraint.shapes]
        name = constraint.component
        if name == sh("NotConstraintComponent"):
            return _each(shape, constraint, lambda data, value: not inner[0].holds(data, value))
        if name == sh("XoneConstraintComponent"):
            return _nested(shape, constraint, inner, lambda fits: sum(fits) == 1)
        if name == sh("OrConstraintComponent"):
            return _nested(shape, constraint, inner, any)
        return _nested(shape, constraint, inner, all)

    def _qualified(self, shape: Shape, constraint: Qualified) -> Rule:
        wanted, siblings = self.of(constraint.shape), [self.of(node) for node in constraint.siblings]
        least = constraint.component == sh("QualifiedMinCountConstraintComponent")

        def rule(data: Data, focus: str, values: Collection[str], out: list[ValidationResult] | None) -> bool:
            fit = sum(
                wanted.holds(data, value) and not any(other.holds(data, value) for other in siblings)
                for value in values
            )
            if fit >= constraint.count if least else fit <= constraint.count:
                return True
            if out is not None:
                why = _details(data, values, [wanted]) if least else ()
                out.append(ValidationResult(focus, shape, constraint, shape.path, None, details=why))
            return False

        return rule

    def _query(self, shape: Shape, constraint: Sparql) -> Rule:
        query = Template(constraint.query)
        always = bindings(shape, constraint)

        def asked(data: Data, focus: str, values: Collection[str], out: list[ValidationResult] | None) -> bool:
            engine, well = self.engine(data), True
            for value in values:
                terms = {**always, "this": focus, "value": value}
                if not engine.ask(query, terms):
                    if out is None:
                        return False
                    well = False
                    messages = _messages(constraint, terms)
                    out.append(ValidationResult(focus, shape, constraint, shape.path, value, messages))
            return well

        def selected(data: Data, focus: str, values: Collection[str], out: list[ValidationResult] | None) -> bool:
            terms, well = {**always, "this": focus}, True
            for found in self.engine(data).select(query, terms):
                result = selected_result(shape, constraint, terms, found)
                if out is None:
                    return False
                well = False
                out.append(result)
            return well

        return asked if constraint.ask else selected

    def engine(self, data: Data) -> Queries:
        """Who answers queries over the data."""
        if self._queried is None or self._queried[0] is not data:
            self._queried = data, Queried(data, self._graph, self._read)
        return self._queried[1]


@lru_cache(256)
def _template(query: str) -> Template:
    return Template(query)


def _read(shapes: Shapes) -> frozenset[str] | None:
    """The predicates of the triples that the queries of shapes read; None where that may be any."""
    found: set[str] = set()
    for shape in shapes.shapes.values():
        if any(target.kind == "query" for target in shape.targets):
            return None
        for each in shape.constraints:
            if isinstance(each, Sparql):
                try:
                    paths = [read.path for read in reads(each.query, ask=each.ask)]
                except Unreadable:
                    return None
                for path in paths:
                    if path is None or may_stay_somewhere(path):  # a path without steps reaches every node there is
                        return None
                    found |= predicates(path)
    return frozenset(found)


def _batches(shape: Shape) -> list[tuple[Sparql, str]]:
    """The queries of a shape that has nothing else, each as one for all focus nodes; none where one cannot be that."""
    found: list[tuple[Sparql, str]] = []
    for each in shape.constraints:
        if not isinstance(each, Sparql) or each.ask or shape.path is not None:
            return []
        template = Template(each.query)
        given = {name: term for name, term in bindings(shape, each).items() if name in template.variables}
        query = batched(template.filled(given), FOCI, ()) if not any(map(is_blank, given.values())) else None
        if query is None:
            return []
        found.append((each, query))
    return found


def bindings(shape: Shape, constraint: Sparql) -> dict[str, str]:
    """What is pre-bound for every focus node."""
    return {**constraint.bindings, "shapesGraph": SHAPES_GRAPH, "currentShape": shape.node}


def selected_result(
    shape: Shape, constraint: Sparql, terms: Mapping[str, str], found: Mapping[str, str]
) -> ValidationResult:
    """The result of a solution (SHACL §5.3.2); InvalidInput where the query says that it failed."""
    focus = terms["this"]
    if "failure" in found and parts(found["failure"])[0] in ("true", "1"):
        raise InvalidInput(f"{constraint.source} reported a failure at {focus}")
    path = Predicate(found["path"]) if "path" in found and is_iri(found["path"]) else shape.path
    value = found.get("value", focus if shape.path is None else None)
    return ValidationResult(focus, shape, constraint, path, value, _messages(constraint, {**terms, **found}))


def _messages(constraint: Sparql, bound: Mapping[str, str]) -> tuple[str, ...]:
    """The messages of SHACL §5.3.2: the one that was found, or else those given, with `{?name}` filled in."""
    if "message" in bound:
        return (bound["message"],)

    def filled(match: re.Match[str]) -> str:
        term = bound.get(match[1])
        return match[0] if term is None else term if is_blank(term) else rdf.literal(text(term))[1:-1]

    return tuple(_PLACE.sub(filled, message) for message in constraint.messages)


@dataclass(frozen=True, slots=True)
class CompiledShape:
    """A shape as functions: how it gets its value nodes from a focus node, and what it holds them to."""

    follow: Follow | None
    rules: tuple[Rule, ...]

    def holds(self, data: Data, focus: str, out: list[ValidationResult] | None = None) -> bool:
        """Whether a focus node conforms; what is wrong is added to the list, where one is given."""
        values = (focus,) if self.follow is None else self.follow(data, focus)
        well = True
        for rule in self.rules:
            if not rule(data, focus, values, out):
                if out is None:
                    return False
                well = False
        return well


def _details(data: Data, values: Iterable[str], shapes: list[CompiledShape]) -> tuple[ValidationResult, ...]:
    """What the shapes say of the values, for sh:detail."""
    found: list[ValidationResult] = []
    for value in values:
        for shape in shapes:
            shape.holds(data, value, found)
    return tuple(found)


# --- rules of all values together ------------------------------------------------------------------------------------


def _of_property(other: CompiledShape) -> Rule:
    def rule(data: Data, focus: str, values: Collection[str], out: list[ValidationResult] | None) -> bool:
        well = True
        for value in values:
            if not other.holds(data, value, out):
                if out is None:
                    return False
                well = False
        return well

    return rule


def _nested(
    shape: Shape, constraint: Logic, inner: list[CompiledShape], fits: Callable[[Iterable[bool]], bool]
) -> Rule:
    def rule(data: Data, focus: str, values: Collection[str], out: list[ValidationResult] | None) -> bool:
        well = True
        for value in values:
            if not fits(other.holds(data, value) for other in inner):
                if out is None:
                    return False
                well = False
                why = _details(data, (value,), inner)
                out.append(ValidationResult(focus, shape, constraint, shape.path, value, details=why))
        return well

    return rule


def _count(shape: Shape, constraint: Count) -> Rule:
    least = constraint.component == sh("MinCountConstraintComponent")
    count = constraint.count

    def rule(data: Data, focus: str, values: Collection[str], out: list[ValidationResult] | None) -> bool:
        if len(values) >= count if least else len(values) <= count:
            return True
        if out is not None:
            out.append(ValidationResult(focus, shape, constraint, shape.path, None))
        return False

    return rule


def _has_value(shape: Shape, constraint: HasValue, wanted: str) -> Rule:
    def rule(data: Data, focus: str, values: Collection[str], out: list[ValidationResult] | None) -> bool:
        if wanted in values:
            return True
        if out is not None:
            out.append(ValidationResult(focus, shape, constraint, shape.path, None))
        return False

    return rule


def _told(shape: Shape, constraint: Constraint, wrong: Callable[[Data, str, Collection[str]], Iterable[str]]) -> Rule:
    """A rule of which the values at fault are found together."""

    def rule(data: Data, focus: str, values: Collection[str], out: list[ValidationResult] | None) -> bool:
        found = wrong(data, focus, values)
        if out is None:
            return not any(True for _ in found)
        before = len(out)
        out.extend(ValidationResult(focus, shape, constraint, shape.path, value) for value in found)
        return len(out) == before

    return rule


def before(constraint: Pair) -> Callable[[str, str], bool] | None:
    """Whether one value is less than another, as sh:lessThan or sh:lessThanOrEquals wants it; None for other pairs."""
    orders = {sh("LessThanConstraintComponent"): (-1,), sh("LessThanOrEqualsConstraintComponent"): (-1, 0)}
    wanted = orders.get(constraint.component)
    return None if wanted is None else lambda one, other: datatypes.compare(one, other) in wanted


def _pair(shape: Shape, constraint: Pair) -> Rule:
    """SHACL §4.5: a result for each value that is in one set only, in both, or not before another."""
    predicate, name = constraint.predicate, constraint.component
    is_before = before(constraint)

    def wrong(data: Data, focus: str, values: Collection[str]) -> Iterable[str]:
        others = data.objects(focus, predicate)
        if is_before is not None:
            return [a for a in values for b in others if not is_before(a, b)]
        if name == sh("DisjointConstraintComponent"):
            return [value for value in values if value in others]
        return [*(v for v in values if v not in others), *(v for v in others if v not in values)]

    return _told(shape, constraint, wrong)


def _unique(shape: Shape, constraint: UniqueLang) -> Rule:
    def rule(data: Data, focus: str, values: Collection[str], out: list[ValidationResult] | None) -> bool:
        tags = [parts(value)[2].lower() for value in values if is_literal(value)] if len(values) > 1 else []
        twice = [tag for tag in dict.fromkeys(tags) if tag and tags.count(tag) > 1]
        if out is not None:
            out.extend(ValidationResult(focus, shape, constraint, shape.path, None) for _ in twice)
        return not twice

    return rule


def _closed(shape: Shape, constraint: Closed) -> Rule:
    allowed = constraint.allowed

    def rule(data: Data, focus: str, values: Collection[str], out: list[ValidationResult] | None) -> bool:
        extra = [(node, each) for node in values for each in data.predicates(node) if each not in allowed]
        if out is not None:
            out.extend(
                ValidationResult(focus, shape, constraint, Predicate(predicate), value)
                for node, predicate in extra
                for value in data.objects(node, predicate)
            )
        return not extra

    return rule


# --- rules of each value by itself -----------------------------------------------------------------------------------


def _each(shape: Shape, constraint: Constraint, fits: Test) -> Rule:
    def rule(data: Data, focus: str, values: Collection[str], out: list[ValidationResult] | None) -> bool:
        well = True
        for value in values:
            if not fits(data, value):
                if out is None:
                    return False
                well = False
                out.append(ValidationResult(focus, shape, constraint, shape.path, value))
        return well

    return rule


def _test(constraint: Constraint) -> Test:
    match constraint:
        case OfClass(_, cls):
            return _of_class(cls)
        case OfKind(_, _, kinds):
            return lambda data, value: value[0] in kinds
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


def _of_class(cls: str) -> Test:
    def fits(data: Data, value: str) -> bool:
        types = data.objects(value, TYPE)
        return cls in types or any(cls in data.superclasses(each) for each in types)

    return fits


def _bound(constraint: Bound) -> Test:
    wanted = {
        sh("MinExclusiveConstraintComponent"): (1,),
        sh("MinInclusiveConstraintComponent"): (0, 1),
        sh("MaxExclusiveConstraintComponent"): (-1,),
        sh("MaxInclusiveConstraintComponent"): (-1, 0),
    }[constraint.component]
    limit = constraint.limit
    return lambda data, value: datatypes.compare(value, limit) in wanted


def _languages(ranges: list[str]) -> Test:
    """By langMatches (RFC 4647 §3.3.1): the tag is the range or begins with it and a hyphen; `*` is any tag."""

    def fits(data: Data, value: str) -> bool:
        if not is_literal(value):
            return False
        _, datatype, tag = parts(value)
        tag = tag.lower()
        return datatype == LANG_STRING and any(r in ("*", tag) or tag.startswith(f"{r}-") for r in ranges)

    return fits
