"""A copy of a store as the data of a validation: asked for no more of an answer than is needed, and once."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import islice
from typing import TypeVar

import pyoxigraph

from provstore.validation.engine import term
from provstore.validation.graph import Graph
from provstore.validation.stored import StoreData

_SHORT = 32  # terms that are read at once
_FEW = 64  # triples of a thing that are read at once
_REMEMBERED = 50_000

_Key = tuple[str | None, str, str | None]
_Around = dict[str, tuple[str, ...]] | None


class StreamedData(StoreData):
    """The default graph of a store that nobody writes to.

    What is said of a thing in a few triples is read in one go, since dozens of shapes ask for one after the other. Of
    what many point to, nobody reads all of them to know that there is one. Short answers are remembered.
    """

    __slots__ = ("_from", "_known", "_to")

    def __init__(self, store: pyoxigraph.Store, classes: Graph | None = None) -> None:
        super().__init__(store, classes=classes)
        self._known: dict[_Key, _Answer] = {}
        self._from: dict[str, _Around] = {}
        self._to: dict[str, _Around] = {}

    def objects(self, subject: str, predicate: str) -> Collection[str]:
        around = self._from.get(subject, _NOT_READ)
        if around is _NOT_READ:
            around = _remember(self._from, subject, self._around(subject, None))
        return around.get(predicate, ()) if around is not None else self._asked(subject, predicate, None)

    def subjects(self, predicate: str, value: str) -> Collection[str]:
        around = self._to.get(value, _NOT_READ)
        if around is _NOT_READ:
            around = _remember(self._to, value, self._around(None, value))
        return around.get(predicate, ()) if around is not None else self._asked(None, predicate, value)

    def _around(self, subject: str | None, value: str | None) -> _Around:
        """The other ends of a thing's triples by their predicates; None where there are many."""
        quads = tuple(islice(self._found(subject, None, value), _FEW + 1))
        if len(quads) > _FEW:
            return None
        found: dict[str, list[str]] = {}
        for quad in quads:
            found.setdefault(f"<{quad.predicate.value}>", []).append(term(quad.object if subject else quad.subject))
        return {predicate: tuple(terms) for predicate, terms in found.items()}

    def _asked(self, subject: str | None, predicate: str, value: str | None) -> Collection[str]:
        key = subject, predicate, value
        found = self._known.get(key)
        if found is None:
            found = _remember(self._known, key, _Answer(self, key))
        return found

    def asked(self, key: _Key) -> Iterator[str]:
        """The answer as it comes from the store."""
        subject = key[0]
        return (term(quad.object if subject else quad.subject) for quad in self._found(*key))


_NOT_READ: _Around = {}
_K = TypeVar("_K")
_V = TypeVar("_V")


def _remember(known: dict[_K, _V], key: _K, value: _V) -> _V:
    if len(known) > _REMEMBERED:
        known.clear()
    known[key] = value
    return value


class _Answer(Collection[str]):
    """The terms that complete a triple; a graph holds no triple twice, so they are each there once."""

    __slots__ = ("_data", "_key", "_short")

    def __init__(self, data: StreamedData, key: _Key) -> None:
        self._data, self._key = data, key
        first = tuple(islice(data.asked(key), _SHORT + 1))
        self._short = first if len(first) <= _SHORT else None

    def __iter__(self) -> Iterator[str]:
        return iter(self._short) if self._short is not None else self._data.asked(self._key)

    def __len__(self) -> int:
        return len(self._short) if self._short is not None else sum(1 for _ in self)

    def __contains__(self, term: object) -> bool:
        if self._short is not None:
            return term in self._short
        subject, predicate, value = self._key
        return self._data.has(subject or str(term), predicate, value or str(term))
