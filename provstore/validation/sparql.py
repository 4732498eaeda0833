"""Shapes as SPARQL: whether a node conforms as a boolean expression, and value nodes as patterns.

Made for how Oxigraph evaluates. Each EXISTS holds one triple pattern, the next nested in its filter: two in one are
joined anew for every row, in time that grows with the square of the data. Paths that may have no steps are spelled out,
since a node that no triple mentions would be lost. Each expression is true or false, never an error.

What SPARQL cannot say, or not exactly, is asked of Python in the middle of the query: `ASKED(n, ?node)` is answered by
`Writer.asked[n]`. These are queries of shapes that stand inside other shapes, counts above `_MOST_TOLD_APART` there,
comparisons the engine does not decide, lexical forms of the rarer datatypes, and shapes so large or so deep that the
text would be a danger to the engine.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

from provstore.rdf import XSD, literal
from provstore.validation.datatypes import is_integer
from provstore.validation.paths import (
    Alternative,
    Inverse,
    Path,
    Predicate,
    Repeated,
    Sequence,
    may_stay_somewhere,
    sparql,
    turned,
)
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
    UniqueLang,
    sh,
)
from provstore.validation.terms import (
    BOOLEAN,
    INTEGER,
    LANG_STRING,
    STRING,
    SUB_CLASS_OF,
    TYPE,
    is_blank,
    is_iri,
    is_literal,
    parts,
)

ASKED = "<urn:provstore:asked>"
_DATE, _DATE_TIME, _STAMP = (f"<{XSD}{name}>" for name in ("date", "dateTime", "dateTimeStamp"))
_NUMBERS = frozenset(f"<{XSD}{name}>" for name in ("decimal", "double", "float"))
#: A variable that nothing binds: an expression that comes to it is an error, which COALESCE catches.
_ERROR = "?_error"
_MOST_TOLD_APART, _MOST_PATTERNS, _DEEPEST, _LONGEST_LIST, _LONGEST_PATH = 3, 400, 10, 200, 24
_OPERATORS = {
    sh("MinExclusiveConstraintComponent"): ">",
    sh("MinInclusiveConstraintComponent"): ">=",
    sh("MaxExclusiveConstraintComponent"): "<",
    sh("MaxInclusiveConstraintComponent"): "<=",
    sh("LessThanConstraintComponent"): "<",
    sh("LessThanOrEqualsConstraintComponent"): "<=",
}

_Holds: TypeAlias = "Callable[[str], str]"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a query asks: whether the value nodes of a focus node keep to `constraint`, or to all of `shape` for None.

    A constraint on single values is asked of a value; one that compares, of the two literals.
    """

    shape: Shape
    constraint: Constraint | None


@dataclass(slots=True)
class Writer:
    """Writes expressions for one query; `classes` gives those at or below a class, `written` a term as it is stored.

    Where a triple `repeats`, in many graphs, values are not told apart by the engine: that would take each with each.
    """

    shapes: Shapes
    classes: Callable[[str], frozenset[str]]
    written: Callable[[str], str]
    repeats: bool = False
    asked: list[Asked] = field(default_factory=list)
    _numbers: itertools.count[int] = field(default_factory=itertools.count)
    _patterns: int = 0
    _depth: int = 0

    def fresh(self) -> str:
        """A variable that is not used yet."""
        return f"?_{next(self._numbers)}"

    def ask(self, shape: Shape, constraint: Constraint | None, *variables: str) -> str:
        """An expression that Python answers."""
        self.asked.append(Asked(shape, constraint))
        return f"{ASKED}({len(self.asked) - 1}, {', '.join(variables)})"

    # --- shapes and constraints --------------------------------------------------------------------------------------

    def conforms(self, node: str, value: str) -> str:
        """Whether the node in a variable conforms to a shape."""
        shape = self.shapes.shapes[node]
        if shape.deactivated:
            return "true"
        if self._patterns > _MOST_PATTERNS or self._depth > _DEEPEST or too_long(shape.path):
            return self.ask(shape, None, value)
        self._depth += 1
        found = both(*(self.holds(shape, constraint, value) for constraint in shape.constraints))
        self._depth -= 1
        return found

    def holds(self, shape: Shape, constraint: Constraint, focus: str) -> str:
        """Whether a focus node has no result of a constraint."""
        match constraint:
            case Count():
                return self._counted(shape, constraint, focus)
            case Qualified():
                return self._qualified(shape, constraint, focus)
            case HasValue(_, wanted):
                return self.reached(shape.path, focus, self.written(wanted))
            case Pair() if not self.repeats:
                return self._pair(shape, constraint, focus)
            case UniqueLang() if not self.repeats:
                return negated(self.some(shape.path, focus, lambda value: self.repeated(shape, focus, value)))
            case Sparql() | UniqueLang() | Pair():
                return self.ask(shape, constraint, focus)
        return negated(self.some(shape.path, focus, lambda value: negated(self.test(shape, constraint, value))))

    def test(self, shape: Shape, constraint: Constraint, value: str) -> str:
        """Whether a value node keeps to a constraint on single values."""
        match constraint:
            case Property(_, other):
                return self.conforms(other, value)
            case Logic(name, others):
                return self._logic(name, [self.conforms(other, value) for other in others])
            case Closed():
                return negated(self.other_property(constraint, value))
            case OfClass(_, cls):
                return self._of_class(cls, value)
            case OfDatatype(_, datatype):
                return self._of_datatype(shape, constraint, datatype, value)
            case OfKind(_, _, kinds):
                return either(*(f"{_KINDS[kind]}({value})" for kind in kinds))
            case In(_, values) if len(values) <= _LONGEST_LIST:
                return self.among(values, value)
            case Bound(name, limit):
                return _compared(value, _OPERATORS[name], limit, self.ask(shape, constraint, value))
            case Length(name, length):
                operator = ">=" if name == sh("MinLengthConstraintComponent") else "<="
                return f"(!isBlank({value}) && STRLEN(STR({value})) {operator} {length})"
            case Pattern(_, regex, flags):
                return f"(!isBlank({value}) && REGEX(STR({value}), {literal(regex)}, {literal(flags)}))"
            case LanguageIn(_, ranges):
                tag = f'COALESCE(LANG({value}), "")'
                fits = either(*(f"LANGMATCHES({tag}, {literal(each)})" for each in ranges))
                return both(f'{tag} != ""', fits)
        return self.ask(shape, constraint, value)

    # --- paths -------------------------------------------------------------------------------------------------------

    def some(self, path: Path | None, start: str, fits: _Holds) -> str:
        """Whether there is a value node that fits; for None, whether the node itself does."""
        match path:
            case None:
                return fits(start)
            case Predicate(iri):
                return self._pattern(start, iri, self.fresh(), fits)
            case Inverse(Predicate(iri)):
                value = self.fresh()
                return self._exists(f"{value} {iri} {start}", fits(value))
            case Inverse(inner):
                return self.some(turned(inner), start, fits)
            case Sequence((first, *rest)):
                after = Sequence(tuple(rest)) if rest[1:] else rest[0]
                return self.some(first, start, lambda value: self.some(after, value, fits))
            case Alternative(paths):
                return either(*(self.some(each, start, fits) for each in paths))
            case Repeated(inner, "?"):
                return either(fits(start), self.some(inner, start, fits))
            case Repeated(inner, mark):
                found = self._pattern(start, f"({sparql(inner)})+", self.fresh(), fits)
                return either(fits(start), found) if mark == "*" or may_stay(inner) else found
        raise TypeError(f"no path: {path}")

    def reached(self, path: Path | None, start: str, term: str) -> str:
        """Whether a term, or the node in a variable, is a value node."""
        match path:
            case None:
                return same(start, term)
            case Predicate(iri):
                return "false" if is_blank(term) else self._exists(f"{start} {iri} {term}", "true")
            case Inverse(Predicate(iri)) if term[0] not in '_"':
                return self._exists(f"{term} {iri} {start}", "true")
        return self.some(path, start, lambda value: same(value, term))

    def _pattern(self, start: str, path: str, value: str, fits: _Holds) -> str:
        return self._exists(f"{start} {path} {value}", fits(value))

    def _exists(self, pattern: str, condition: str) -> str:
        self._patterns += 1
        if condition == "false":
            return "false"
        return f"EXISTS {{ {pattern} {'' if condition == 'true' else f'FILTER({condition}) '}}}"

    def rows(self, path: Path, start: str, value: str) -> str:
        """A pattern that binds `value` to each value node of a bound `start`, some perhaps more than once."""
        match path:
            case Inverse(inner) if may_stay_somewhere(inner):
                return self.rows(turned(inner), start, value)
            case Sequence(paths) if may_stay_somewhere(path):
                between = [start, *(self.fresh() for _ in paths[1:]), value]
                return " ".join(self.rows(each, *between[n : n + 2]) for n, each in enumerate(paths))
            case Alternative(paths) if may_stay_somewhere(path):
                return _ways(self.rows(each, start, value) for each in paths)
            case Repeated(inner, "?"):
                return _ways((f"BIND({start} AS {value})", self.rows(inner, start, value)))
            case Repeated(inner, mark) if mark == "*" or may_stay(inner):
                return _ways((f"BIND({start} AS {value})", f"{start} ({sparql(inner)})+ {value}"))
        return f"{start} {sparql(path)} {value} ."

    # --- constraints on all values -----------------------------------------------------------------------------------

    def at_least(self, count: int, path: Path | None, focus: str, fits: _Holds) -> str:
        """Whether there are as many different value nodes that fit: one found, then another, …"""

        def another(found: tuple[str, ...]) -> _Holds:
            def check(value: str) -> str:
                apart = (negated(same(value, other)) for other in found)
                more = self.some(path, focus, another((*found, value))) if len(found) + 1 < count else "true"
                return both(*apart, fits(value), more)

            return check

        return "true" if count == 0 else self.some(path, focus, another(()))

    def _counted(self, shape: Shape, constraint: Count, focus: str) -> str:
        least = constraint.component == sh("MinCountConstraintComponent")
        wanted = constraint.count if least else constraint.count + 1
        if wanted > (1 if self.repeats else _MOST_TOLD_APART):
            return self.ask(shape, constraint, focus)
        found = self.at_least(wanted, shape.path, focus, lambda value: "true")
        return found if least else negated(found)

    def _qualified(self, shape: Shape, constraint: Qualified, focus: str) -> str:
        least = constraint.component == sh("QualifiedMinCountConstraintComponent")
        wanted = constraint.count if least else constraint.count + 1
        if wanted > (1 if self.repeats else 2):
            return self.ask(shape, constraint, focus)
        found = self.at_least(wanted, shape.path, focus, lambda value: self.qualifies(constraint, value))
        return found if least else negated(found)

    def qualifies(self, constraint: Qualified, value: str) -> str:
        """Whether a value node counts for a qualified constraint."""
        others = (negated(self.conforms(other, value)) for other in constraint.siblings)
        return both(self.conforms(constraint.shape, value), *others)

    def _pair(self, shape: Shape, constraint: Pair, focus: str) -> str:
        path, iri = shape.path, constraint.predicate
        if constraint.component == sh("EqualsConstraintComponent"):
            lost = self.some(path, focus, lambda value: negated(self.other_has(constraint, focus, value)))
            more = self._pattern(focus, iri, self.fresh(), lambda value: negated(self.reached(path, focus, value)))
            return both(negated(lost), negated(more))
        if constraint.component == sh("DisjointConstraintComponent"):
            return negated(self.some(path, focus, lambda value: self.other_has(constraint, focus, value)))

        def late(value: str) -> str:
            return self._pattern(
                focus, iri, self.fresh(), lambda other: negated(self.before(shape, constraint, value, other))
            )

        return negated(self.some(path, focus, late))

    def other_has(self, constraint: Pair, focus: str, value: str) -> str:
        """Whether a value is one of the other property, too."""
        return self._exists(f"{focus} {constraint.predicate} {value}", "true")

    def before(self, shape: Shape, constraint: Pair, value: str, other: str) -> str:
        """Whether one literal is less than another, as sh:lessThan or sh:lessThanOrEquals wants it."""
        return _compared(value, _OPERATORS[constraint.component], other, self.ask(shape, constraint, value, other))

    def repeated(self, shape: Shape, focus: str, value: str) -> str:
        """Whether another value has the language of this one."""
        tag = f'LCASE(COALESCE(LANG({value}), ""))'

        def alike(other: str) -> str:
            return both(negated(same(value, other)), f'LCASE(COALESCE(LANG({other}), "")) = {tag}')

        return both(f'{tag} != ""', self.some(shape.path, focus, alike))

    def other_property(self, constraint: Closed, value: str, predicate: str = "", thing: str = "") -> str:
        """Whether a node has a property that a closed shape does not name."""
        predicate, thing = predicate or self.fresh(), thing or self.fresh()
        return self._exists(f"{value} {predicate} {thing}", not_allowed(constraint, predicate))

    # --- constraints on single values --------------------------------------------------------------------------------

    def _logic(self, name: str, fits: list[str]) -> str:
        if name == sh("NotConstraintComponent"):
            return negated(fits[0])
        if name == sh("OrConstraintComponent"):
            return either(*fits)
        if name == sh("XoneConstraintComponent"):
            return f"({' + '.join(f'IF({each}, 1, 0)' for each in fits)} = 1)" if fits else "false"
        return both(*fits)

    def _of_class(self, cls: str, value: str) -> str:
        below = self.classes(cls)
        if any(map(is_blank, below)):
            return self._exists(f"{value} {TYPE}/{SUB_CLASS_OF}* {cls}", "true")
        if len(below) == 1:
            return self._exists(f"{value} {TYPE} {cls}", "true")
        other = self.fresh()
        return self._exists(f"{value} {TYPE} {other}", f"{other} IN ({', '.join(sorted(below))})")

    def _of_datatype(self, shape: Shape, constraint: Constraint, datatype: str, value: str) -> str:
        given = f"DATATYPE({value})"
        if datatype in (STRING, LANG_STRING):
            return f"COALESCE({given} = {datatype}, false)"
        native = f"{given} = {datatype}"
        if datatype == INTEGER or datatype in _NUMBERS:
            quick = f"{native} && isNumeric({value})"
        elif datatype in (_DATE_TIME, _DATE):
            quick = f"{native} && YEAR({value}) != 0"
        elif datatype == BOOLEAN:
            quick = f"{native} && ({value} = true || {value} = false)"
        elif datatype == _STAMP:
            quick = f'{given} = {_DATE_TIME} && TZ({value}) != ""'
        else:
            quick = "false"
        return f"COALESCE(IF({quick}, true, {_ERROR}), {self.ask(shape, constraint, value)})"

    def among(self, values: Iterable[str], value: str) -> str:
        """Whether a node is one of a list of terms."""
        terms = [self.written(term) for term in values if not is_blank(term)]
        iris = [term for term in terms if is_iri(term)]
        literals = (same(value, term) for term in terms if is_literal(term))
        return either(*([f"{value} IN ({', '.join(iris)})"] if iris else []), *literals)


_KINDS = {"<": "isIRI", "_": "isBlank", '"': "isLiteral"}


def not_allowed(constraint: Closed, predicate: str) -> str:
    """Whether a predicate is none of those that a closed shape names."""
    return f"{predicate} NOT IN ({', '.join(sorted(constraint.allowed))})" if constraint.allowed else "true"


def _compared(left: str, operator: str, right: str, otherwise: str) -> str:
    """Numbers and moments by the engine, whatever else, and where it finds no order, as `otherwise` says.

    A term is equal to itself for the engine, whether it is a moment or not, and NaN is less than or equal to NaN.
    """
    numbers = f"isNumeric({left}) && isNumeric({right})"
    moments = f"DATATYPE({left}) = {_DATE_TIME} && DATATYPE({right}) = {_DATE_TIME} && !sameTerm({left}, {right})"
    kinds = f"({numbers}) || ({moments})"
    if is_literal(right):
        number = is_integer(parts(right)[1]) or parts(right)[1] in _NUMBERS
        kinds = f"isNumeric({left})" if number else moments
    order = f"{left} {operator[0]} {right}"
    if operator[1:]:
        order = f"IF({order}, true, {left} = {right})"
    return f"COALESCE(IF({kinds}, {order}, {_ERROR}), {otherwise})"


def same(left: str, right: str) -> str:
    return "false" if is_blank(right) else f"sameTerm({left}, {right})"


def negated(expression: str) -> str:
    if expression.startswith("!("):  # all that begins so is one negation: what has several parts is in parentheses
        return expression[2:-1]
    return {"true": "false", "false": "true"}.get(expression) or f"!({expression})"


def both(*expressions: str) -> str:
    """All of the expressions, in this order: the engine stops at the first that is false."""
    wanted = [each for each in expressions if each != "true"]
    return "false" if "false" in wanted else f"({' && '.join(wanted)})" if wanted else "true"


def either(*expressions: str) -> str:
    wanted = [each for each in expressions if each != "false"]
    return "true" if "true" in wanted else f"({' || '.join(wanted)})" if wanted else "false"


def _ways(patterns: Iterable[str]) -> str:
    return f"LATERAL {{ {' UNION '.join(f'{{ {each} }}' for each in patterns)} }}"


def may_stay(path: Path) -> bool:
    """Whether a node is a value node of itself whatever the triples."""
    match path:
        case Predicate():
            return False
        case Inverse(inner):
            return may_stay(inner)
        case Sequence(paths):
            return all(map(may_stay, paths))
        case Alternative(paths):
            return any(map(may_stay, paths))
        case Repeated(inner, mark):
            return mark != "+" or may_stay(inner)


def too_long(path: Path | None) -> bool:
    """Whether the text of a path could be a danger to the engine."""
    return path is not None and _size(path) > _LONGEST_PATH


def _size(path: Path) -> int:
    match path:
        case Predicate():
            return 1
        case Inverse(inner) | Repeated(inner, _):
            return 1 + _size(inner)
        case Sequence(paths) | Alternative(paths):
            return 1 + sum(map(_size, paths))
