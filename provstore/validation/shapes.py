"""The one intermediate form of a shapes graph: shapes with targets and constraints, typed and checked.

Both back-ends, the lint, the documentation and the incremental check work on this. `reading.read` makes it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from provstore.validation.graph import Graph
from provstore.validation.paths import Path

SH = "http://www.w3.org/ns/shacl#"


def sh(name: str) -> str:
    """A term of the SHACL vocabulary."""
    return f"<{SH}{name}>"


@dataclass(frozen=True, slots=True)
class Count:
    """sh:minCount, sh:maxCount."""

    component: str
    count: int


@dataclass(frozen=True, slots=True)
class Bound:
    """sh:minExclusive, sh:minInclusive, sh:maxExclusive, sh:maxInclusive, with the literal that values are held to."""

    component: str
    limit: str


@dataclass(frozen=True, slots=True)
class Length:
    """sh:minLength, sh:maxLength, in characters."""

    component: str
    length: int


@dataclass(frozen=True, slots=True)
class Pattern:
    component: str
    regex: str
    flags: str


@dataclass(frozen=True, slots=True)
class LanguageIn:
    component: str
    ranges: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UniqueLang:
    component: str


@dataclass(frozen=True, slots=True)
class OfClass:
    component: str
    cls: str


@dataclass(frozen=True, slots=True)
class OfDatatype:
    component: str
    datatype: str


@dataclass(frozen=True, slots=True)
class OfKind:
    """sh:nodeKind; `kinds` are the first characters of the terms that fit: `<`, `_`, `"`."""

    component: str
    kind: str
    kinds: str


@dataclass(frozen=True, slots=True)
class In:
    component: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HasValue:
    component: str
    value: str


@dataclass(frozen=True, slots=True)
class Pair:
    """sh:equals, sh:disjoint, sh:lessThan, sh:lessThanOrEquals, with the other property."""

    component: str
    predicate: str


@dataclass(frozen=True, slots=True)
class Logic:
    """sh:node, sh:not (one shape), sh:and, sh:or, sh:xone (a list): shapes by their nodes."""

    component: str
    shapes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Property:
    component: str
    shape: str


@dataclass(frozen=True, slots=True)
class Qualified:
    """sh:qualifiedMinCount or sh:qualifiedMaxCount; a value that conforms to one of the `siblings` does not count."""

    component: str
    shape: str
    count: int
    siblings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Closed:
    component: str
    allowed: frozenset[str]


@dataclass(frozen=True, slots=True)
class Sparql:
    """A query of SHACL-SPARQL, checked and with its prefixes written out.

    `source` is the sh:sparql node, or the component's validator. `ask` queries are asked of each value node and say
    that it conforms; others select violations of the focus node. `bindings` are the values of a custom component's
    parameters by variable name.
    """

    component: str
    source: str
    query: str
    ask: bool
    messages: tuple[str, ...]
    bindings: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Unknown:
    """A constraint of which another engine tells only the component."""

    component: str


Constraint: TypeAlias = (
    Count
    | Bound
    | Length
    | Pattern
    | LanguageIn
    | UniqueLang
    | OfClass
    | OfDatatype
    | OfKind
    | In
    | HasValue
    | Pair
    | Logic
    | Property
    | Qualified
    | Closed
    | Sparql
    | Unknown
)


@dataclass(frozen=True, slots=True)
class Target:
    """Which focus nodes a shape has: `kind` is node, class, subjectsOf or objectsOf (SHACL §2.1.3), or query.

    The `term` of a query is its text, whose answers for ?this are the focus nodes (SHACL-AF §3.1).
    """

    kind: str
    term: str


@dataclass(frozen=True, slots=True)
class Shape:
    """A shape: of a node where `path` is None, else of the values of a property.

    `severity` is an IRI as a term; `messages` are the literals of sh:message.
    """

    node: str
    path: Path | None
    severity: str
    messages: tuple[str, ...]
    deactivated: bool
    targets: tuple[Target, ...]
    constraints: tuple[Constraint, ...]


@dataclass(frozen=True, slots=True)
class Shapes:
    """Every shape of a shapes graph by its node, and the graph itself for what is not validated (clauses, names)."""

    shapes: Mapping[str, Shape]
    graph: Graph

    def targeted(self) -> Iterator[Shape]:
        """The shapes that a validation begins with."""
        return (shape for shape in self.shapes.values() if shape.targets and not shape.deactivated)


def references(constraint: Constraint) -> tuple[str, ...]:
    """The shapes that a constraint needs, by node."""
    match constraint:
        case Logic(_, shapes):
            return shapes
        case Property(_, shape):
            return (shape,)
        case Qualified(_, shape, _, siblings):
            return (shape, *siblings)
    return ()
