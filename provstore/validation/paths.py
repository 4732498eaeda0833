"""Property paths (SHACL §2.3.1): followed over triples, written as SPARQL, and the predicates they read."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TypeAlias

from provstore.validation.graph import Data

Path: TypeAlias = "Predicate | Inverse | Sequence | Alternative | Repeated"
Follow: TypeAlias = "Callable[[Data, str], Collection[str]]"


@dataclass(frozen=True, slots=True)
class Predicate:
    iri: str


@dataclass(frozen=True, slots=True)
class Inverse:
    path: Path


@dataclass(frozen=True, slots=True)
class Sequence:
    paths: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Alternative:
    paths: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Repeated:
    """`*` (no least, no most), `+` (at least one) or `?` (at most one)."""

    path: Path
    mark: str


def sparql(path: Path) -> str:
    """The path in the syntax of SPARQL 1.1 §9.1, with whole IRIs."""
    match path:
        case Predicate(iri):
            return iri
        case Inverse(inner):
            return f"^{_grouped(inner)}"
        case Sequence(paths):
            return "/".join(_member(each) for each in paths)
        case Alternative(paths):
            return "|".join(_member(each) for each in paths)
        case Repeated(inner, mark):
            return f"{_grouped(inner)}{mark}"


def _grouped(path: Path) -> str:
    return path.iri if isinstance(path, Predicate) else f"({sparql(path)})"


def _member(path: Path) -> str:
    """As a part of a sequence or of alternatives, where `^` binds to its own predicate anyway."""
    return sparql(path) if isinstance(path, Inverse) and isinstance(path.path, Predicate) else _grouped(path)


def predicates(path: Path) -> frozenset[str]:
    """Every predicate that the path follows, one way or the other."""
    match path:
        case Predicate(iri):
            return frozenset([iri])
        case Inverse(inner) | Repeated(inner, _):
            return predicates(inner)
        case Sequence(paths) | Alternative(paths):
            return frozenset().union(*map(predicates, paths))


def follower(path: Path) -> Follow:
    """A function that gives the value nodes of a focus node: each once, in an order that the data decide."""
    match path:
        case Predicate(iri):
            return lambda data, node: data.objects(node, iri)
        case Inverse(Predicate(iri)):
            return lambda data, node: data.subjects(iri, node)
        case Inverse(inner):
            return follower(turned(inner))
        case Sequence(paths):
            return _sequence([follower(each) for each in paths])
        case Alternative(paths):
            return _alternative([follower(each) for each in paths])
        case Repeated(inner, "?"):
            step = follower(inner)
            return lambda data, node: {node: None, **dict.fromkeys(step(data, node))}
        case Repeated(inner, mark):
            return _closure(follower(inner), itself=mark == "*")


def turned(path: Path) -> Path:
    """The path walked backwards."""
    match path:
        case Predicate():
            return Inverse(path)
        case Inverse(inner):
            return inner
        case Sequence(paths):
            return Sequence(tuple(turned(each) for each in reversed(paths)))
        case Alternative(paths):
            return Alternative(tuple(map(turned, paths)))
        case Repeated(inner, mark):
            return Repeated(turned(inner), mark)


def _sequence(steps: list[Follow]) -> Follow:
    def follow(data: Data, node: str) -> Collection[str]:
        reached: Collection[str] = (node,)
        for step in steps:
            reached = dict.fromkeys(value for each in reached for value in step(data, each))
        return reached

    return follow


def _alternative(ways: list[Follow]) -> Follow:
    return lambda data, node: dict.fromkeys(value for way in ways for value in way(data, node))


def _closure(step: Follow, *, itself: bool) -> Follow:
    def follow(data: Data, node: str) -> Collection[str]:
        found: dict[str, None] = {node: None} if itself else {}
        waiting = [node]
        while waiting:
            for value in step(data, waiting.pop()):
                if value not in found:
                    found[value] = None
                    waiting.append(value)
        return found

    return follow


def may_stay_somewhere(path: Path) -> bool:
    """Whether some part of a path may have no step, so that it can lead from any node to itself."""
    match path:
        case Predicate():
            return False
        case Inverse(inner):
            return may_stay_somewhere(inner)
        case Sequence(paths) | Alternative(paths):
            return any(map(may_stay_somewhere, paths))
        case Repeated(inner, mark):
            return mark != "+" or may_stay_somewhere(inner)
