"""A store as the data of a validation, asked for no more of an answer than is needed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from provstore.validation.engine import term
from provstore.validation.stored import StoreData


class StreamedData(StoreData):
    """The default graph of a store; of what many point to, nobody reads all of them to know that there is one."""

    __slots__ = ()

    def objects(self, subject: str, predicate: str) -> Collection[str]:
        return _Answer(lambda: (term(quad.object) for quad in self._found(subject, predicate, None)))

    def subjects(self, predicate: str, value: str) -> Collection[str]:
        return _Answer(lambda: (term(quad.subject) for quad in self._found(None, predicate, value)))


class _Answer(Collection[str]):
    """Terms that come as they are asked for; a graph holds no triple twice, so they are each there once."""

    __slots__ = ("_all", "_ask")

    def __init__(self, ask: Callable[[], Iterator[str]]) -> None:
        self._ask = ask
        self._all: dict[str, None] | None = None

    def __iter__(self) -> Iterator[str]:
        return self._ask() if self._all is None else iter(self._all)

    def __len__(self) -> int:
        return len(self._held())

    def __contains__(self, term: object) -> bool:
        return term in self._held()

    def _held(self) -> dict[str, None]:
        if self._all is None:
            self._all = dict.fromkeys(self._ask())
        return self._all
