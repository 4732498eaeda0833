"""A set of triples that can be asked both ways: what shapes are read from, and what they are held against."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Protocol

from provstore.errors import InvalidInput
from provstore.validation.terms import SUB_CLASS_OF, TYPE

_NOTHING: tuple[str, ...] = ()
_EMPTY: dict[str, dict[str, None]] = {}


class Data(Protocol):
    """What a validation asks of the triples; terms are strings, and no answer holds one twice."""

    def objects(self, subject: str, predicate: str) -> Collection[str]: ...
    def subjects(self, predicate: str, value: str) -> Collection[str]: ...
    def has(self, subject: str, predicate: str, value: str) -> bool: ...
    def predicates(self, subject: str) -> Collection[str]: ...
    def subjects_of(self, predicate: str) -> Collection[str]: ...
    def objects_of(self, predicate: str) -> Collection[str]: ...
    def superclasses(self, cls: str) -> frozenset[str]: ...
    def instances(self, cls: str) -> Collection[str]: ...
    def triples(self) -> Iterator[tuple[str, str, str]]: ...


class Graph:
    """Triples in memory, in the order they came in; what stands twice is there once.

    `classes` holds subclass statements that count as if they were here (SHACL §3.2 lets a data graph include them).
    """

    __slots__ = ("_above", "_classes", "_from", "_instances", "_to")

    def __init__(self, classes: Graph | None = None) -> None:
        self._from: dict[str, dict[str, dict[str, None]]] = {}
        self._to: dict[str, dict[str, dict[str, None]]] = {}
        self._above: dict[str, frozenset[str]] = {}
        self._instances: dict[str, dict[str, None]] | None = None
        self._classes = classes

    @classmethod
    def read(cls, quads: bytes, classes: Graph | None = None) -> Graph:
        """The triples of N-Quads as `provstore.rdf` writes them, whatever graphs they stand in; InvalidInput."""
        graph = cls(classes)
        forward = graph._from
        try:
            text = quads.decode()
        except UnicodeDecodeError as error:
            raise InvalidInput(f"N-Quads must be UTF-8: {error}") from error
        for number, line in enumerate(text.split("\n"), 1):  # not splitlines(): literals may hold U+2028
            if not line:
                continue
            try:  # as rdf.split does it, in half the time
                subject, predicate, rest = line.split(" ", 2)
                end = rest.rindex('"') if rest[0] == '"' else 0
                value = rest[: rest.index(" ", end)]
                if (rest[0] == '"') != (end > 0) or (
                    subject[0] not in "<_" or predicate[0] != "<" or value[0] not in '"<_' or line[-1] != "."
                ):
                    raise ValueError("no canonical line")
            except (ValueError, IndexError) as error:
                raise InvalidInput("canonical N-Quads were wanted", line=number) from error
            held = forward.get(predicate)
            if held is None:
                held = forward[predicate] = {}
            values = held.get(subject)
            if values is None:
                held[subject] = {value: None}
            else:
                values[value] = None
        return graph

    def add(self, subject: str, predicate: str, value: str) -> None:
        self._from.setdefault(predicate, {}).setdefault(subject, {})[value] = None
        self._to.pop(predicate, None)
        self._above.clear()
        self._instances = None

    def objects(self, subject: str, predicate: str) -> Collection[str]:
        return self._from.get(predicate, _EMPTY).get(subject, _NOTHING)

    def subjects(self, predicate: str, value: str) -> Collection[str]:
        return self._backwards(predicate).get(value, _NOTHING)

    def has(self, subject: str, predicate: str, value: str) -> bool:
        return value in self._from.get(predicate, _EMPTY).get(subject, _NOTHING)

    def predicates(self, subject: str) -> Collection[str]:
        return [predicate for predicate, held in self._from.items() if subject in held]

    def subjects_of(self, predicate: str) -> Collection[str]:
        return self._from.get(predicate, _EMPTY)

    def objects_of(self, predicate: str) -> Collection[str]:
        return self._backwards(predicate)

    def superclasses(self, cls: str) -> frozenset[str]:
        """The class itself and every class above it."""
        found = self._above.get(cls)
        if found is None:
            seen, waiting = {cls}, [cls]
            while waiting:
                each = waiting.pop()
                above = [*self.objects(each, SUB_CLASS_OF)]
                above += self._classes.objects(each, SUB_CLASS_OF) if self._classes else ()
                waiting += [other for other in above if other not in seen]
                seen.update(above)
            found = self._above[cls] = frozenset(seen)
        return found

    def instances(self, cls: str) -> Collection[str]:
        """The SHACL instances of a class (SHACL §1.2): those with it, or a class below it, as rdf:type."""
        if self._instances is None:
            self._instances = {}
            for each, members in self._backwards(TYPE).items():
                for above in self.superclasses(each):
                    self._instances.setdefault(above, {}).update(members)
        return self._instances.get(cls, _NOTHING)

    def triples(self) -> Iterator[tuple[str, str, str]]:
        for predicate, held in self._from.items():
            for subject, values in held.items():
                for value in values:
                    yield subject, predicate, value

    def _backwards(self, predicate: str) -> dict[str, dict[str, None]]:
        found = self._to.get(predicate)
        if found is None:
            found = self._to[predicate] = {}
            for subject, values in self._from.get(predicate, _EMPTY).items():
                for value in values:
                    found.setdefault(value, {})[subject] = None
        return found
