"""Integer adjacency: the rows of the edge history, grouped by one of their ends, ready to be walked.

Rows stand in flat arrays sorted by node (compressed sparse rows), which are saved as they are; what came after they
were laid stands beside them by node, until they are laid anew. A walk costs what it visits: small frontiers go row by
row, large ones as whole arrays.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int32]
Longs = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]
Flags = npt.NDArray[np.bool_]

#: `until` of a row that stands.
STANDING = 2**31 - 1
#: The frontier from which whole arrays are faster than rows.
_WIDE = 40
#: How many nodes, or steps, a brief walk may come to.
_BRIEF = 1_000
_COLUMNS = ("start", "other", "said", "since", "until", "row")

Row = tuple[int, int, int, int, int]  # other end, said, since, until, row id


class Long(Exception):
    """A brief answer was wanted, and this one takes long."""


def code(relation: int, status: int) -> int:
    """Relation and status in one byte."""
    return relation | status << 6


def mask(relations: Iterable[int]) -> bytes:
    """Which of the 256 codes are of one of these relations."""
    wanted = set(relations)
    return bytes(int((number & 63) in wanted) for number in range(256))


@dataclass(frozen=True, slots=True)
class Columns:
    """Rows of the history as arrays of one length; `other` may hold numbers beyond 32 bits where it is no node."""

    row: Ints
    subject: Ints
    said: Bytes
    other: Longs
    since: Ints
    until: Ints

    def where(self, chosen: Flags) -> Columns:
        return Columns(*(getattr(self, name)[chosen] for name in self.__slots__))

    def and_these(self, more: Columns) -> Columns:
        return Columns(*(np.concatenate([getattr(self, n), getattr(more, n)]) for n in self.__slots__))


@dataclass(frozen=True, slots=True)
class Found:
    """Rows that a step followed: from which node, to which, saying what, by which row."""

    node: Ints
    other: Longs
    said: Bytes
    row: Ints


@dataclass(slots=True)
class Half:
    """Rows by one of their ends. `start[n]` is where the rows of node n begin; `late` are those that came later.

    `now` is what rows say that stand, and 0 of others: a walk at the newest index needs nothing else.
    """

    start: Ints
    other: Longs | Ints
    said: Bytes
    since: Ints
    until: Ints
    row: Ints
    now: Bytes
    late: dict[int, list[Row]] = field(default_factory=lambda: defaultdict(list))
    late_rows: int = 0

    @classmethod
    def laid(cls, node: npt.NDArray[Any], other: npt.NDArray[Any], rows: Columns, nodes: int) -> Half:
        """Rows laid out by `node`; within a node in the order of their ids."""
        order = np.lexsort((rows.row, node))
        start = np.zeros(nodes + 2, np.int32)
        np.cumsum(np.bincount(node, minlength=nodes + 1), out=start[1:])
        said, until = rows.said[order], rows.until[order]
        return cls(start, other[order], said, rows.since[order], until, rows.row[order], _now(said, until))

    # -- one node at a time -------------------------------------------------------------------------------------------

    def rows(self, node: int) -> Iterator[Row]:
        """Every row of a node, standing or not."""
        if node + 1 < len(self.start):
            part = slice(self.start[node], self.start[node + 1])
            columns = (self.other, self.said, self.since, self.until, self.row)
            yield from zip(*(column[part].tolist() for column in columns), strict=True)
        if self.late:
            yield from self.late.get(node, ())

    def standing(self, node: int, at: int, *, newest: bool) -> dict[int, list[int]]:
        """Relation → the other ends that a node has by it at a ledger index, each once, by number."""
        found: dict[int, set[int]] = {}
        for said, other in self._said(node) if newest else self._said_at(node, at):
            found.setdefault(said & 63, set()).add(other)
        return {relation: sorted(ends) if len(ends) > 1 else list(ends) for relation, ends in found.items()}

    def _said(self, node: int) -> Iterable[tuple[int, int]]:
        """(said, other) of the rows of a node that stand now."""
        found: list[tuple[int, int]] = []
        if node + 1 < len(self.start):
            part = slice(self.start[node], self.start[node + 1])
            said = self.now[part].tolist()
            found = list(zip(said, self.other[part].tolist(), strict=True))
            if 0 in said:
                found = [each for each in found if each[0]]
        if self.late:
            found += [(said, other) for other, said, _, until, _ in self.late.get(node, ()) if until == STANDING]
        return found

    def _said_at(self, node: int, at: int) -> Iterable[tuple[int, int]]:
        return [(said, other) for other, said, since, until, _ in self.rows(node) if since <= at < until]

    def add(self, node: int, row: Row) -> None:
        self.late[node].append(row)
        self.late_rows += 1

    def close(self, node: int, row: int, until: int) -> None:
        """A row stopped to stand."""
        late = self.late.get(node, [])
        for number, each in enumerate(late):
            if each[4] == row:
                late[number] = (*each[:3], until, row)
                return
        first, last = int(self.start[node]), int(self.start[node + 1])
        at = np.flatnonzero(self.row[first:last] == row)
        self.until[first + at] = until
        self.now[first + at] = 0

    # -- many nodes at once -------------------------------------------------------------------------------------------

    def step(self, nodes: Ints, wanted: bytes, at: int) -> Found:
        """The rows of these nodes that say what is wanted and stood at a ledger index."""
        allowed = np.frombuffer(wanted, np.uint8)
        inside = self._inside(nodes)
        flat, count = self._rows_of(inside)
        good = (allowed[self.said[flat]] != 0) & (self.since[flat] <= at) & (self.until[flat] > at)
        flat, node = flat[good], np.repeat(inside, count)[good]
        found = Found(node, self.other[flat].astype(np.int64), self.said[flat], self.row[flat])
        return self._with_late(found, nodes, wanted, at) if self.late else found

    def ends(self, nodes: Ints, wanted: bytes, at: int, newest: bool) -> Ints:
        """As `step`, only the other ends, with repetitions; `newest` says that no row began after `at`."""
        flat, _ = self._rows_of(self._inside(nodes))
        allowed = np.frombuffer(wanted, np.uint8)
        if newest:
            good = allowed.take(self.now.take(flat)) != 0
        else:
            good = (allowed[self.said[flat]] != 0) & (self.since[flat] <= at) & (self.until[flat] > at)
        found: Ints = self.other.take(flat[good]).astype(np.int32, copy=False)
        if not self.late:
            return found
        late = [
            other
            for node in self._late_of(nodes)
            for other, said, since, until, _ in self.late[node]
            if wanted[said] and since <= at < until
        ]
        return np.concatenate([found, np.array(late, np.int32)])

    def _inside(self, nodes: Ints) -> Ints:
        """The nodes that there were when the rows were laid."""
        laid = len(self.start) - 1
        return nodes if not len(nodes) or nodes.max() < laid else nodes[nodes < laid]

    def _rows_of(self, nodes: Ints) -> tuple[Ints, Ints]:
        """Where the rows of some nodes are, one after the other, and how many each has."""
        first = self.start.take(nodes)
        count = self.start.take(nodes + 1) - first
        ends = np.cumsum(count, dtype=np.int32)
        flat = np.repeat(first - ends + count, count)
        flat += np.arange(len(flat), dtype=np.int32)
        return flat, count

    def _with_late(self, found: Found, nodes: Ints, wanted: bytes, at: int) -> Found:
        more = [
            (node, other, said, row)
            for node in self._late_of(nodes)
            for other, said, since, until, row in self.late[node]
            if wanted[said] and since <= at < until
        ]
        if not more:
            return found
        columns = list(zip(*more, strict=True))
        return Found(
            np.concatenate([found.node, np.array(columns[0], np.int32)]),
            np.concatenate([found.other, np.array(columns[1], np.int64)]),
            np.concatenate([found.said, np.array(columns[2], np.uint8)]),
            np.concatenate([found.row, np.array(columns[3], np.int32)]),
        )

    def _late_of(self, nodes: Ints) -> list[int]:
        if len(nodes) < len(self.late):
            return [node for node in nodes.tolist() if node in self.late]
        wanted = set(nodes.tolist())
        return [node for node in self.late if node in wanted]

    # -- closures -----------------------------------------------------------------------------------------------------

    def closure(
        self,
        start: Iterable[int],
        wanted: bytes,
        at: int,
        nodes: int,
        *,
        newest: bool = False,
        depth: int | None = None,
        keep: Callable[[Ints], Flags] | None = None,
        brief: bool = False,
    ) -> tuple[Ints, Ints]:
        """The nodes that are reached from some by one step or more, and in how many; nearest first, then by number.

        `nodes` bounds the numbers of nodes, `depth` the steps; `newest` says that no row began after `at`; `keep`
        says which nodes exist at all. Long where a `brief` walk would take long.
        """
        walk = _Walk(self, wanted, at, newest, bytearray(nodes + 1), keep)
        frontier = walk.kept(distinct(np.fromiter(start, np.int32)))
        layers: list[Ints] = []
        while len(frontier) and (depth is None or len(layers) < depth):
            if brief and sum(map(len, layers)) > _BRIEF:
                raise Long
            if len(frontier) < _WIDE:
                more = None if depth is None else depth - len(layers)
                thin = walk.narrow(frontier.tolist(), min(more or _BRIEF, _BRIEF) if brief else more)
                layers += [np.array(each, np.int32) for each in thin]
                frontier = layers[-1]
            else:
                frontier = walk.wide(frontier)
                layers.append(frontier)
        if not layers:
            return np.zeros(0, np.int32), np.zeros(0, np.int32)
        steps = np.repeat(np.arange(1, len(layers) + 1, dtype=np.int32), [len(layer) for layer in layers])
        return np.concatenate(layers), steps

    # -- files --------------------------------------------------------------------------------------------------------

    def save(self, directory: Path) -> None:
        directory.mkdir(parents=True)
        for name in _COLUMNS:
            np.save(directory / f"{name}.npy", getattr(self, name))

    @classmethod
    def opened(cls, directory: Path) -> Half:
        """As saved; read whole, since a walk that touches mapped pages for the first time takes far longer."""
        loaded = (np.load(directory / f"{name}.npy") for name in _COLUMNS)
        start, other, said, since, until, row = loaded
        return cls(start, other, said, since, until, row, _now(said, until))

    @property
    def nbytes(self) -> int:
        return sum(int(getattr(self, name).nbytes) for name in (*_COLUMNS, "now"))


def distinct(nodes: Ints) -> Ints:
    """Each number once, in order: by sorting, which beats `numpy.unique` many times over here."""
    ordered = np.sort(nodes)
    first = np.ones(len(ordered), np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=first[1:])
    return ordered[first]


def united(*parts: Ints) -> Ints:
    """The numbers of all parts, each once, in order."""
    return distinct(np.concatenate(parts))


def least(nodes: Ints, node: Ints, value: Ints | Longs, none: int) -> Longs:
    """For each of some nodes the least of the values given for it; `none`, a greater number, where there are none."""
    order = distinct(nodes)
    found = np.full(len(order), none, np.int64)
    np.minimum.at(found, np.searchsorted(order, node), value)
    return found[np.searchsorted(order, nodes)]


def _now(said: Bytes, until: Ints) -> Bytes:
    return np.where(until == STANDING, said, 0).astype(np.uint8)


@dataclass(slots=True)
class _Walk:
    """One closure under way; `seen` marks the nodes that were reached."""

    half: Half
    wanted: bytes
    at: int
    newest: bool
    seen: bytearray
    keep: Callable[[Ints], Flags] | None

    def kept(self, nodes: Ints) -> Ints:
        return nodes[self.keep(nodes)] if self.keep is not None and len(nodes) else nodes

    def narrow(self, frontier: list[int], depth: int | None) -> list[list[int]]:
        """The next layers, row by row, until one is wide or empty, or `depth` of them are there."""
        half, wanted, at, seen = self.half, self.wanted, self.at, self.seen
        start, other, said = half.start.data, half.other.data, half.said.data
        since, until, late = half.since.data, half.until.data, half.late
        laid, layers = len(start) - 1, list[list[int]]()
        while 0 < len(frontier) < _WIDE and (depth is None or len(layers) < depth):
            found: list[int] = []
            for node in frontier:
                if node < laid:
                    for i in range(start[node], start[node + 1]):
                        end = other[i]
                        if not seen[end] and wanted[said[i]] and since[i] <= at < until[i]:
                            seen[end] = 1
                            found.append(end)
                if late:
                    for end, word, first, last, _ in late.get(node, ()):
                        if not seen[end] and wanted[word] and first <= at < last:
                            seen[end] = 1
                            found.append(end)
            found.sort()
            frontier = self.kept(np.array(found, np.int32)).tolist() if self.keep is not None else found
            layers.append(frontier)
        return layers

    def wide(self, frontier: Ints) -> Ints:
        """The next layer, by whole arrays."""
        flags = np.frombuffer(self.seen, np.uint8)
        other = self.half.ends(frontier, self.wanted, self.at, self.newest)
        new = distinct(other[flags.take(other) == 0])
        flags[new] = 1
        return self.kept(new)
