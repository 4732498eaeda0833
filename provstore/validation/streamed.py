"""A copy of a store as the data of a validation: asked for no more of an answer than is needed, and once."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import islice

import pyoxigraph

from provstore.validation.engine import term
from provstore.validation.graph import Graph
from provstore.validation.stored import StoreData

_SHORT = 32  # terms that are read at once
_REMEMBERED = 100_000


class StreamedData(StoreData):
    """The default graph of a store that nobody writes to.

    Of what many point to, nobody reads all of them to know that there is one; short answers are remembered.
    """

    __slots__ = ("_known",)

    def __init__(self, store: pyoxigraph.Store, classes: Graph | None = None) -> None:
        super().__init__(store, classes=classes)
        self._known: dict[tuple[str | None, str, str | None], _Answer] = {}

    def objects(self, subject: str, predicate: str) -> Collection[str]:
        return self._asked(subject, predicate, None)

    def subjects(self, predicate: str, value: str) -> Collection[str]:
        return self._asked(None, predicate, value)

    def _asked(self, subject: str | None, predicate: str, value: str | None) -> Collection[str]:
        key = subject, predicate, value
        found = self._known.get(key)
        if found is None:
            if len(self._known) > _REMEMBERED:
                self._known.clear()
            found = self._known[key] = _Answer(self, key)
        return found

    def asked(self, key: tuple[str | None, str, str | None]) -> Iterator[str]:
        """The answer as it comes from the store."""
        subject = key[0]
        return (term(quad.object if subject else quad.subject) for quad in self._found(*key))


class _Answer(Collection[str]):
    """The terms that complete a triple; a graph holds no triple twice, so they are each there once."""

    __slots__ = ("_data", "_key", "_short")

    def __init__(self, data: StreamedData, key: tuple[str | None, str, str | None]) -> None:
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
