"""Which focus nodes a change of the triples can give other results: found by walking paths backwards from it.

Nothing that can change is left out. What cannot is mostly left out, so that a statement about a node that many others
point to costs what it changes: where the state before the change is known, a nested shape or a class is followed to
those others only if it says something else than before.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import islice
from typing import TypeAlias

from provstore.validation.closures import Validator
from provstore.validation.graph import Data
from provstore.validation.paths import (
    Alternative,
    Follow,
    Inverse,
    Path,
    Predicate,
    Repeated,
    Sequence,
    follower,
    predicates,
    turned,
)
from provstore.validation.reads import Link, Read, Unreadable, reads
from provstore.validation.shapes import (
    Closed,
    Constraint,
    Count,
    HasValue,
    OfClass,
    Pair,
    Qualified,
    Shape,
    Shapes,
    Sparql,
    Target,
    UniqueLang,
    references,
    sh,
)
from provstore.validation.terms import STRING, SUB_CLASS_OF, TYPE, is_literal, parts

Triple: TypeAlias = tuple[str, str, str]
#: Focus nodes; None stands for all there are.
Nodes: TypeAlias = "set[str] | None"
#: Changed triples by predicate.
_ByPredicate: TypeAlias = Mapping[str, Collection[Triple]]


class Affected:
    """The shapes of a graph, asked what a change can make them say anew."""

    def __init__(self, shapes: Shapes, validator: Validator) -> None:
        self._shapes, self._validator = shapes, validator

    def foci(
        self, added: Iterable[Triple], removed: Iterable[Triple], after: Data, before: Data | None = None
    ) -> dict[str, Nodes]:
        """For each shape with targets, the nodes at which its results can have changed: targets now or before.

        None stands for all targets. `after` holds what was added and not what was removed. With the state `before`,
        the changes must be exact; without it they may name too much (added: what was there; removed: what was not),
        and more nodes are given.
        """
        change = _Change(self._shapes, self._validator, _grouped([*added, *removed]), after, before)
        found = {shape.node: change.foci(shape) for shape in self._shapes.targeted()}
        return {node: nodes for node, nodes in found.items() if nodes is None or nodes}


def read_predicates(shapes: Shapes) -> frozenset[str] | None:
    """The predicates of all triples that a validation can depend on; None where that can be any."""
    found: set[str] = set()
    for shape in shapes.shapes.values():
        read = [predicates(shape.path) if shape.path else frozenset[str]()]
        read += [_OF_CLASS if t.kind == "class" else frozenset([t.term]) for t in shape.targets if t.kind != "node"]
        for constraint in shape.constraints:
            wanted = _predicates(constraint)
            if wanted is None:
                return None
            read.append(wanted)
        found.update(*read)
    return frozenset(found)


_OF_CLASS = frozenset([TYPE, SUB_CLASS_OF])


def _predicates(constraint: Constraint) -> frozenset[str] | None:
    match constraint:
        case Closed():
            return None
        case OfClass():
            return _OF_CLASS
        case Pair(_, predicate):
            return frozenset([predicate])
        case Sparql():
            try:
                paths = [read.path for read in _reads(constraint.query, constraint.ask)]
            except Unreadable:
                return None
            return None if None in paths else frozenset().union(*(predicates(path) for path in paths if path))
    return frozenset()


def _grouped(triples: Iterable[Triple]) -> dict[str, list[Triple]]:
    found: dict[str, list[Triple]] = {}
    for triple in triples:
        found.setdefault(triple[1], []).append(triple)
    return found


class _Change:
    """One change under examination; what was found of a shape or class is kept for the next that asks."""

    def __init__(
        self,
        shapes: Shapes,
        validator: Validator,
        triples: _ByPredicate,
        after: Data,
        before: Data | None,
    ) -> None:
        self._shapes, self._validator = shapes.shapes, validator
        self._after, self._before = after, before
        self._triples = triples
        self._changed: dict[str, Nodes] = {}
        self._classes: dict[str, Nodes] = {}
        self._kinds: dict[tuple[str, bool], frozenset[str]] = {}
        self._targets: dict[tuple[tuple[Target, ...], str], bool] = {}

    def foci(self, shape: Shape) -> Nodes:
        """The nodes at which a shape with targets can have other results, or has become or ceased to be its target."""
        found: set[str] = set()
        for target in shape.targets:
            moved = self._retargeted(target)
            if moved is None:
                return None
            found |= moved
        changed = self._at(shape.node)
        if changed is None:
            return None
        return found.union(node for node in changed if node not in found and self._is_target(shape, node))

    def _is_target(self, shape: Shape, node: str) -> bool:
        key = shape.targets, node
        found = self._targets.get(key)
        if found is None:
            found = self._targets[key] = self._validator.is_target(self._after, shape, node)
        return found

    # -- targets ------------------------------------------------------------------------------------------------------

    def _retargeted(self, target: Target) -> Nodes:
        if target.kind == "class":
            return self._of_class(target.term)
        if target.kind == "node":
            return set()
        if target.kind == "query":
            return None
        end = 0 if target.kind == "subjectsOf" else 2
        nodes = {triple[end] for triple in self._triples.get(target.term, ())}
        if self._before is None:
            return nodes
        before, after = self._before, self._after
        return {node for node in nodes if _has(before, target, node) != _has(after, target, node)}

    def _of_class(self, cls: str) -> Nodes:
        """The nodes that can have become or ceased to be instances of a class."""
        if cls not in self._classes:
            self._classes[cls] = self._instances(cls)
        return self._classes[cls]

    def _instances(self, cls: str) -> Nodes:
        hierarchy = SUB_CLASS_OF in self._triples
        before, after = self._before, self._after
        if before is None:
            if hierarchy:
                return None
            return {s for s, _, o in self._triples.get(TYPE, ()) if cls in after.superclasses(o)}
        nodes = {triple[0] for triple in self._triples.get(TYPE, ())}
        if hierarchy:
            moved = [
                k for k in after.objects_of(TYPE) if (cls in after.superclasses(k)) != (cls in before.superclasses(k))
            ]
            nodes.update(node for each in moved for node in after.subjects(TYPE, each))
        return {node for node in nodes if (cls in self._is_of(node, before)) != (cls in self._is_of(node, after))}

    def _is_of(self, node: str, data: Data) -> frozenset[str]:
        """The classes that a node is an instance of."""
        key = node, data is self._after
        if key not in self._kinds:
            self._kinds[key] = frozenset[str]().union(*map(data.superclasses, data.objects(node, TYPE)))
        return self._kinds[key]

    # -- shapes -------------------------------------------------------------------------------------------------------

    def _at(self, node: str) -> Nodes:
        """The nodes, targets or not, at which a shape can have other results."""
        if node not in self._changed:
            shape = self._shapes[node]
            self._changed[node] = set() if shape.deactivated else self._of_shape(shape)
        return self._changed[node]

    def _of_shape(self, shape: Shape) -> Nodes:
        found = self._touched(shape, shape.path) if shape.path else set[str]()
        for constraint in shape.constraints:
            changed = self._of_constraint(shape, constraint)
            if changed is None:
                return None
            found |= changed
        return found

    def _of_constraint(self, shape: Shape, constraint: Constraint) -> Nodes:
        """The nodes of which a constraint can say something else, though they may have the same value nodes."""
        match constraint:
            case Pair(_, predicate):
                return {triple[0] for triple in self._triples.get(predicate, ())}
            case Sparql():
                return self._queried(shape, constraint)
            case Closed(_, allowed):
                values: Nodes = {t[0] for p, triples in self._triples.items() if p not in allowed for t in triples}
            case OfClass(_, cls):
                values = self._of_class(cls)
            case _:
                values = self._nested(shape, references(constraint))
        return None if values is None else {node for value in values for node in self._sources(shape.path, value)}

    def _nested(self, shape: Shape, inner: Iterable[str]) -> Nodes:
        found: set[str] = set()
        for node in inner:
            changed = self._at(node)
            if changed is None:
                return None
            found.update(changed if shape.path is None else self._differing(node, self._known(shape.path, changed)))
        return found

    def _known(self, path: Path, values: set[str]) -> set[str]:
        """The values that a path led to before; whoever comes to others now has them by a change of the path itself.

        Of what a record says for the first time, that is nearly all, and the path's changes are looked at anyway.
        """
        before = self._before
        match path:
            case Predicate(iri) if before is not None:
                return {value for value in values if _any(before.subjects(iri, value))}
            case Inverse(Predicate(iri)) if before is not None:
                return {value for value in values if _any(before.objects(value, iri))}
        return values

    def _differing(self, shape: str, nodes: set[str]) -> Iterable[str]:
        """Those of the nodes at which a shape says something else than before, as far as that is known."""
        before = self._before
        if before is None:
            return nodes
        check = self._validator.check
        return [n for n in nodes if check(before, shape, [n]) != check(self._after, shape, [n])]

    # -- paths --------------------------------------------------------------------------------------------------------

    def _touched(self, shape: Shape, path: Path) -> set[str]:
        """The nodes that may have other values, as far as a constraint of the shape can tell.

        The first changed step on a path that was there before comes after steps that are there now, so all are found
        by what is there now; so are, from the other end, the values.
        """
        if self._before is None or isinstance(path, Predicate):
            return set(_starts(path, self._triples, self._after))
        ends = set(_starts(turned(path), self._triples, self._after))
        found: set[str] = set()
        for constraint in shape.constraints if ends else ():
            noticed = self._noticed(shape, path, constraint, ends)
            if noticed is None:
                return set(_starts(path, self._triples, self._after))
            found |= noticed
        return found

    def _noticed(self, shape: Shape, path: Path, constraint: Constraint, ends: set[str]) -> set[str] | None:
        """The nodes at which a constraint can say something else where only some of these values are new or gone.

        None where all that may have other values must be looked at.
        """
        match constraint:
            case Count(_, count) if isinstance(path, Inverse) and isinstance(path.path, Predicate):
                starts = set(_starts(path, self._triples, self._after))
                return {node for node in starts if self._counted(path, node, count)}
            case HasValue(_, value):
                return None if self._validator.written(value) in ends else set()
            case Pair(component, predicate) if component == sh("DisjointConstraintComponent"):
                return {node for end in ends for node in self._after.subjects(predicate, end)}
            case Sparql(ask=False):
                return set()  # the path is written into the query
            case Count() | Pair() | Qualified() | UniqueLang() | Sparql():
                return None
        rule = self._validator.rule(shape, constraint)
        states = [data for data in (self._before, self._after) if data is not None]
        return set() if all(rule(data, end, (end,), None) for end in ends for data in states) else None

    def _counted(self, path: Inverse, node: str, count: int) -> bool:
        """Whether the values of a node were on another side of a count than they are."""
        follow, most = follower(path), count + 1
        numbers = [
            sum(1 for _ in islice(follow(data, node), most)) for data in (self._before, self._after) if data is not None
        ]
        return any((numbers[0] > limit) != (numbers[1] > limit) for limit in (count - 1, count))

    def _sources(self, path: Path | None, value: str) -> Iterable[str]:
        """The nodes that have a value node; where they do no more, or did not before, the path itself changed."""
        return (value,) if path is None else _back(path)(self._after, value)

    # -- queries ------------------------------------------------------------------------------------------------------

    def _queried(self, shape: Shape, constraint: Sparql) -> Nodes:
        """The focus nodes of which a query can say something else."""
        try:
            patterns = _reads(constraint.query, constraint.ask)
        except Unreadable:
            return None if self._triples else set()
        found: set[str] = set()
        for read in patterns:
            reached = _reached(read, self._triples, self._after)
            if reached is None:
                return None
            if read.of == "value":  # an ASK query about a value node
                reached = {node for value in reached for node in self._sources(shape.path, value)}
            found |= reached
        return found


@lru_cache(512)
def _reads(query: str, ask: bool) -> tuple[Read, ...]:
    return reads(query, ask=ask)


def _reached(read: Read, triples: _ByPredicate, data: Data) -> Nodes:
    """The focus nodes from which a query comes to changed triples that one of its patterns matches."""
    hits = set(_hits(read, triples, data))
    if not hits:
        return set()
    if read.chain is None:
        return None
    for link in read.chain:
        if any(map(_rewritten, hits)):
            return None
        hits = {node for each in hits for node in _across(link)(data, each)}
    return None if any(map(_rewritten, hits)) else hits


def _hits(read: Read, triples: _ByPredicate, data: Data) -> Iterable[str]:
    """The nodes at that end of the pattern where its chain begins."""
    path = read.path
    if path is None or isinstance(path, Predicate):
        groups = triples.values() if path is None else (triples.get(path.iri, ()),)
        matching = (t for group in groups for t in group if _fits(read.subject, t[0]) and _fits(read.value, t[2]))
        return (triple[2 if read.ends else 0] for triple in matching)
    return _starts(turned(path) if read.ends else path, triples, data)


def _fits(wanted: str | None, term: str) -> bool:
    """Whether a term can be the constant of a pattern: of literals, the engine may have another form."""
    return wanted is None or wanted == term or (is_literal(wanted) and is_literal(term))


def _rewritten(term: str) -> bool:
    """Whether the query engine may hold a literal in another form, so that triples do not lead on from it."""
    return is_literal(term) and parts(term)[1] != STRING


@lru_cache(4096)
def _across(link: Link) -> Follow:
    return follower(turned(link.path) if link.back else link.path)


@lru_cache(4096)
def _back(path: Path) -> Follow:
    return follower(turned(path))


def _starts(path: Path, triples: _ByPredicate, data: Data) -> Iterable[str]:
    """The nodes from which a path goes through one of the triples, all of which the data hold."""
    match path:
        case Predicate(iri):
            return (triple[0] for triple in triples.get(iri, ()))
        case Inverse(Predicate(iri)):
            return (triple[2] for triple in triples.get(iri, ()))
        case Inverse(inner):
            return _starts(turned(inner), triples, data)
        case Alternative(paths):
            return (node for each in paths for node in _starts(each, triples, data))
        case Sequence(paths):
            return _within(paths, triples, data)
        case Repeated(inner, "?"):
            return _starts(inner, triples, data)
        case Repeated(inner, _):
            return _closed(_back(inner), set(_starts(inner, triples, data)), data)


def _within(paths: tuple[Path, ...], triples: _ByPredicate, data: Data) -> Iterator[str]:
    """From the last step to the first: who comes to a node at which the rest goes through a changed triple."""
    reached: set[str] = set()
    for path in reversed(paths):
        reached = {node for each in reached for node in _back(path)(data, each)}
        reached.update(_starts(path, triples, data))
    yield from reached


def _closed(step: Follow, nodes: set[str], data: Data) -> set[str]:
    waiting = [*nodes]
    while waiting:
        for node in step(data, waiting.pop()):
            if node not in nodes:
                nodes.add(node)
                waiting.append(node)
    return nodes


def _has(data: Data, target: Target, node: str) -> bool:
    return _any(data.objects(node, target.term) if target.kind == "subjectsOf" else data.subjects(target.term, node))


def _any(terms: Iterable[str]) -> bool:
    return any(True for _ in terms)
