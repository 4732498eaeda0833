"""What a validation of a whole store asks: for each constraint on the way from a targeted shape, the queries to run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from provstore.errors import InvalidInput
from provstore.validation.batching import batched
from provstore.validation.closures import bindings
from provstore.validation.paths import Inverse, Path, Predicate, may_stay_somewhere
from provstore.validation.prebinding import Template
from provstore.validation.shapes import (
    Closed,
    Constraint,
    Count,
    HasValue,
    Logic,
    Pair,
    Property,
    Qualified,
    Shape,
    Shapes,
    Sparql,
    Target,
    UniqueLang,
    sh,
)
from provstore.validation.sparql import Asked, Writer, negated, not_allowed, too_long
from provstore.validation.stored import StoreData, written
from provstore.validation.terms import SUB_CLASS_OF, TYPE, is_blank

#: More constraints than this on the ways from one shape are refused: shapes that share shapes make them many.
_MOST_WAYS = 5000
_VALUE, OTHER, PREDICATE, _TAG = "?_value", "?_other", "?_predicate", "?_tag"


@dataclass(frozen=True, slots=True)
class Query:
    """The text of a query, and what its rows are.

    `rows` is what a row makes: a result of its focus node (`focus`), with a value (`value`), of a closed shape
    (`closed`), of a query of the shapes (`solution`), or a node that the closures decide about (`decide`), alone with
    its value (`decide value`). `focus` and `value` name the variables of the focus node and of the value.
    """

    text: str
    rows: str
    focus: str
    value: str
    asked: tuple[Asked, ...]

    @property
    def decided(self) -> bool:
        """Whether each row is a result."""
        return not self.rows.startswith("decide")


@dataclass(frozen=True, slots=True)
class Check:
    """A constraint of a `shape` that is reached from a shape with targets, and the queries for what violates it."""

    target: Shape
    shape: Shape
    constraint: Constraint
    queries: tuple[Query, ...]


@dataclass(frozen=True, slots=True)
class _Way:
    """How the focus nodes of a shape are reached: from the targets of another, over the paths of property shapes."""

    target: Shape
    steps: tuple[Path, ...] = ()

    def nodes(self, last: str = "") -> tuple[str, ...]:
        """A variable for each node on the way; the last is the focus node."""
        found = tuple(f"?_node{number}" for number in range(len(self.steps) + 1))
        return (*found[:-1], last) if last else found


class Planner:
    """Plans the checks of shapes against a store; what it knows of the store are its subclasses."""

    def __init__(self, shapes: Shapes, data: StoreData) -> None:
        self._shapes, self._data = shapes, data

    def checks(self) -> Iterator[Check]:
        """Every check; InvalidInput where shapes that share shapes make too many."""
        for shape in self._shapes.targeted():
            for number, check in enumerate(self._walk(shape, _Way(shape))):
                if number == _MOST_WAYS:
                    raise InvalidInput(f"shape {shape.node} reaches more than {_MOST_WAYS} constraints by sh:property")
                yield check

    def _walk(self, shape: Shape, way: _Way) -> Iterator[Check]:
        for constraint in shape.constraints:
            if not isinstance(constraint, Property):
                yield Check(way.target, shape, constraint, tuple(_Question(self, shape, constraint, way).queries()))
                continue
            other = self._shapes.shapes[constraint.shape]
            if too_long(shape.path):
                yield Check(way.target, shape, constraint, (_Question(self, shape, constraint, way).undecided(),))
            elif not other.deactivated:
                steps = way.steps if shape.path is None else (*way.steps, shape.path)
                yield from self._walk(other, _Way(way.target, steps))

    def writer(self) -> Writer:
        return Writer(self._shapes, self._data.subclasses, written, self._data.union)

    @property
    def union(self) -> bool:
        """Whether a triple may be found more than once."""
        return self._data.union

    def foci(self, targets: tuple[Target, ...], node: str) -> str:
        """A pattern that binds `node` to each focus node once."""
        if len(targets) == 1:
            return self._target(targets[0], node)
        ways = " UNION ".join(f"{{ {self._target(each, node)} }}" for each in targets)
        return _told_apart((node,), ways)

    def _target(self, target: Target, node: str) -> str:
        term = target.term
        if target.kind == "node":
            return f"VALUES {node} {{ {written(term)} }}"
        if target.kind == "query":
            named = "" if node == "?this" else f"BIND(?this AS {node})"
            return _told_apart((node,), f"{{ {term}\n}} FILTER(BOUND(?this)) {named}")
        if target.kind == "subjectsOf":
            return _told_apart((node,), f"{node} {term} ?_any .")
        if target.kind == "objectsOf":
            return _told_apart((node,), f"?_any {term} {node} .")
        below = self._data.subclasses(term)
        if len(below) == 1 and not self.union:
            return f"{node} {TYPE} {term} ."
        named = " ".join(sorted(each for each in below if not is_blank(each)))
        found = f"VALUES ?_class {{ {named} }} {node} {TYPE} ?_class ."
        if any(map(is_blank, below)):
            found = f"{{ {found} }} UNION {{ {node} {TYPE}/{SUB_CLASS_OF}* {term} . }}"
        return _told_apart((node,), found)


class _Question:
    """The queries of one check."""

    def __init__(self, planner: Planner, shape: Shape, constraint: Constraint, way: _Way) -> None:
        self._planner, self._shape, self._constraint, self._way = planner, shape, constraint, way
        self._writer = planner.writer()
        self._nodes = way.nodes()
        self._focus = self._nodes[-1]
        self._repeats = planner.union or not all(map(_once, way.steps))

    def queries(self) -> Iterator[Query]:
        shape, constraint = self._shape, self._constraint
        if too_long(shape.path):
            yield self.undecided()
            return
        match constraint:
            case Count() | Qualified():
                yield self._counted(constraint)
            case HasValue():
                yield self._foci_where(negated(self._writer.holds(shape, constraint, self._focus)))
            case Pair():
                yield from self._pair(constraint)
            case UniqueLang():
                yield self._unique()
            case Closed():
                yield self._closed(constraint)
            case Sparql():
                yield self._sparql(constraint)
            case _:
                value = self._value()
                wrong = negated(self._writer.test(shape, constraint, value))
                decide = isinstance(constraint, Logic) and constraint.component != sh("NotConstraintComponent")
                yield self._values_where(wrong, "decide value" if decide else "value")

    def undecided(self) -> Query:
        """Every focus node, for the closures to decide about."""
        return self._foci_where("true", "decide")

    # --- the parts of a query ----------------------------------------------------------------------------------------

    def _value(self) -> str:
        return self._focus if self._shape.path is None else _VALUE

    def _reached(self, nodes: tuple[str, ...]) -> str:
        """A pattern that binds the nodes on the way."""
        found = self._planner.foci(self._way.target.targets, nodes[0])
        for number, path in enumerate(self._way.steps, 1):
            found += " " + self._writer.rows(path, nodes[number - 1], nodes[number])
            if self._planner.union:
                found = _told_apart(nodes[: number + 1], found)
        return found

    def _values(self) -> str:
        """A pattern that binds the value nodes, too."""
        path, reached = self._shape.path, self._reached(self._nodes)
        return reached if path is None else f"{reached} {self._writer.rows(path, self._focus, _VALUE)}"

    def _made(self, pattern: str, rows: str, more: tuple[str, ...] = (), *, distinct: bool) -> Query:
        select = "SELECT DISTINCT" if distinct else "SELECT"
        text = f"{select} {' '.join(dict.fromkeys((*self._nodes, *more)))} WHERE {{ {pattern} }}"
        value = more[0] if more else self._focus
        return Query(text, rows, self._focus, value, tuple(self._writer.asked))

    def _foci_where(self, wrong: str, rows: str = "focus") -> Query:
        return self._made(f"{self._reached(self._nodes)} {_filter(wrong)}", rows, distinct=self._repeats)

    def _values_where(self, wrong: str, rows: str, more: str = "", also: tuple[str, ...] = ()) -> Query:
        pattern = f"{self._values()} {more} {_filter(wrong)}"
        distinct = self._repeats or (self._shape.path is not None and not _once(self._shape.path))
        return self._made(pattern, rows, (self._value(), *also), distinct=distinct)

    # --- constraints on all values -----------------------------------------------------------------------------------

    def _counted(self, constraint: Count | Qualified) -> Query:
        shape, count = self._shape, constraint.count
        least = constraint.component in (
            sh("MinCountConstraintComponent"),
            sh("QualifiedMinCountConstraintComponent"),
        )
        rows = "decide" if least and isinstance(constraint, Qualified) else "focus"
        if count <= (1 if least or not self._planner.union else 0):
            return self._foci_where(negated(self._few(constraint)), rows)
        path = shape.path
        if path is None or (least and may_stay_somewhere(path)):
            return self.undecided()
        found = self._writer.rows(path, self._focus, _VALUE)
        if isinstance(constraint, Qualified):
            found += f" {_filter(self._writer.qualifies(constraint, _VALUE))}"
        found = f"OPTIONAL {{ {found} }}" if least else found
        nodes = " ".join(self._nodes)
        text = (
            f"SELECT {nodes} WHERE {{ {self._reached(self._nodes)} {found} }} GROUP BY {nodes} "
            f"HAVING (COUNT(DISTINCT {_VALUE}) {'<' if least else '>'} {count})"
        )
        return Query(text, rows, self._focus, self._focus, tuple(self._writer.asked))

    def _few(self, constraint: Count | Qualified) -> str:
        """Whether a small count is kept, told without counting."""
        return self._writer.holds(self._shape, constraint, self._focus)

    def _pair(self, constraint: Pair) -> Iterator[Query]:
        value, shape, focus = self._value(), self._shape, self._focus
        if constraint.component == sh("DisjointConstraintComponent"):
            yield self._values_where(self._writer.other_has(constraint, focus, value), "value")
        elif constraint.component == sh("EqualsConstraintComponent"):
            yield self._values_where(negated(self._writer.other_has(constraint, focus, value)), "value")
            self._writer = self._planner.writer()
            wrong = negated(self._writer.reached(shape.path, focus, OTHER))
            pattern = f"{self._reached(self._nodes)} {focus} {constraint.predicate} {OTHER} . {_filter(wrong)}"
            yield self._made(pattern, "value", (OTHER,), distinct=self._repeats)
        elif self._planner.union:
            yield self.undecided()
        else:
            wrong = negated(self._writer.before(shape, constraint, value, OTHER))
            yield self._values_where(wrong, "value", f"{focus} {constraint.predicate} {OTHER} .", (OTHER,))

    def _unique(self) -> Query:
        if self._planner.union:
            return self.undecided()
        wrong = self._writer.repeated(self._shape, self._focus, _VALUE)
        pattern = f"{self._values()} {_filter(wrong)} BIND(LCASE(LANG({_VALUE})) AS {_TAG})"
        return self._made(pattern, "focus", (_TAG,), distinct=True)

    def _closed(self, constraint: Closed) -> Query:
        more = f"{self._value()} {PREDICATE} {OTHER} ."
        made = self._values_where(not_allowed(constraint, PREDICATE), "closed", more, (PREDICATE, OTHER))
        return replace(made, value=OTHER)

    # --- queries of the shapes ---------------------------------------------------------------------------------------

    def _sparql(self, constraint: Sparql) -> Query:
        if constraint.ask or any(target.kind == "node" for target in self._way.target.targets):
            return self.undecided()
        bound = bindings(self._shape, constraint)
        template = Template(constraint.query, blanks=True)
        used = {name: term for name, term in bound.items() if name in template.variables}
        if "shapesGraph" in used or "currentShape" in used or any(map(is_blank, used.values())):
            return self.undecided()
        nodes = self._way.nodes("?this")
        head = self._reached(nodes)
        if self._repeats:
            head = _told_apart(nodes, head)
        text = batched(template.filled(used), head, nodes[:-1], repeats=self._planner.union)
        return self.undecided() if text is None else Query(text, "solution", "?this", "?value", ())


def _told_apart(nodes: tuple[str, ...], pattern: str) -> str:
    """A pattern that binds the nodes to each of their solutions once.

    Not by DISTINCT: the engine moves a filter that stands outside into such a subquery, and asks it of one node over
    and over again.
    """
    names = " ".join(nodes)
    return f"{{ SELECT {names} WHERE {{ {pattern} }} GROUP BY {names} }}"


def _filter(wrong: str) -> str:
    return "" if wrong == "true" else f"FILTER({wrong})"


def _once(path: Path) -> bool:
    """Whether a value node is found once, however it is reached."""
    return isinstance(path, Predicate) or (isinstance(path, Inverse) and isinstance(path.path, Predicate))
