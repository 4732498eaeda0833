"""Integer adjacency: the rows of the edge history, grouped by one of their ends, ready to be walked.

Rows stand in flat arrays sorted by node (compressed sparse rows), which a file can be mapped to; what came after they
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
_COLUMNS = ("start", "other", "said", "since", "until", "row")

Row = tuple[int, int, int, int, int]  # other end, said, since, until, row id


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
    """Rows by one of their ends. `start[n]` is where the rows of node n begin; `late` are those that came later."""

    start: Longs
    other: Longs | Ints
    said: Bytes
    since: Ints
    until: Ints
    row: Ints
    late: dict[int, list[Row]] = field(default_factory=lambda: defaultdict(list))
    late_rows: int = 0

    @classmethod
    def laid(cls, node: npt.NDArray[Any], other: npt.NDArray[Any], rows: Columns, nodes: int) -> Half:
        """Rows laid out by `node`; within a node in the order of their ids."""
        order = np.lexsort((rows.row, node))
        start = np.zeros(nodes + 2, np.int64)
        np.cumsum(np.bincount(node, minlength=nodes + 1), out=start[1:])
        return cls(start, other[order], rows.said[order], rows.since[order], rows.until[order], rows.row[order])

    # -- one node at a time -------------------------------------------------------------------------------------------

    def rows(self, node: int) -> Iterator[Row]:
        """Every row of a node, standing or not."""
        if node + 1 < len(self.start):
            first, last = int(self.start[node]), int(self.start[node + 1])
            if first < last:
                yield from zip(
                    self.other[first:last].tolist(),
                    self.said[first:last].tolist(),
                    self.since[first:last].tolist(),
                    self.until[first:last].tolist(),
                    self.row[first:last].tolist(),
                    strict=True,
                )
        yield from self.late.get(node, ())

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

    # -- many nodes at once -------------------------------------------------------------------------------------------

    def step(self, nodes: Ints, wanted: bytes, at: int) -> Found:
        """The rows of these nodes that say what is wanted and stood at a ledger index."""
        allowed = np.frombuffer(wanted, np.uint8)
        inside = nodes[nodes < len(self.start) - 1]
        first, count = self.start[inside], self.start[inside + 1] - self.start[inside]
        total = int(count.sum())
        ends = np.cumsum(count)
        flat = np.arange(total) + np.repeat(first - (ends - count), count)
        good = (allowed[self.said[flat]] != 0) & (self.since[flat] <= at) & (self.until[flat] > at)
        flat, node = flat[good], np.repeat(inside, count)[good]
        found = Found(node, self.other[flat].astype(np.int64), self.said[flat], self.row[flat])
        return self._with_late(found, nodes, wanted, at) if self.late else found

    def _with_late(self, found: Found, nodes: Ints, wanted: bytes, at: int) -> Found:
        more = [
            (node, other, said, row)
            for node in (nodes.tolist() if len(nodes) < len(self.late) else self._late_of(nodes))
            for other, said, since, until, row in self.late.get(node, ())
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
        found: list[int] = np.intersect1d(nodes, np.fromiter(self.late, np.int32, len(self.late))).tolist()
        return found

    # -- closures -----------------------------------------------------------------------------------------------------

    def closure(
        self,
        start: Iterable[int],
        wanted: bytes,
        at: int,
        nodes: int,
        depth: int | None = None,
        keep: Callable[[Ints], Flags] | None = None,
    ) -> tuple[Ints, Ints]:
        """The nodes that are reached from some, these included, and in how many steps; nearest first, then by number.

        `nodes` bounds the numbers of nodes, `depth` the steps; `keep` says which nodes exist at all.
        """
        walk = _Walk(self, wanted, at, bytearray(nodes + 1), keep)
        frontier = walk.kept(np.unique(np.fromiter(start, np.int32)))
        for node in frontier.tolist():
            walk.seen[node] = 1
        layers = [frontier]
        while len(frontier) and (depth is None or len(layers) <= depth):
            if len(frontier) < _WIDE:
                thin = walk.narrow(frontier.tolist(), None if depth is None else depth + 1 - len(layers))
                layers += [np.array(each, np.int32) for each in thin]
                frontier = layers[-1]
            else:
                frontier = walk.wide(frontier)
                layers.append(frontier)
        steps = np.repeat(np.arange(len(layers), dtype=np.int32), [len(layer) for layer in layers])
        return np.concatenate(layers), steps

    # -- files --------------------------------------------------------------------------------------------------------

    def save(self, directory: Path) -> None:
        directory.mkdir(parents=True)
        for name in _COLUMNS:
            np.save(directory / f"{name}.npy", getattr(self, name))

    @classmethod
    def opened(cls, directory: Path) -> Half:
        """As saved; read from the file as it is needed, changed in memory only."""
        return cls(*(np.load(directory / f"{name}.npy", mmap_mode="c") for name in _COLUMNS))

    @property
    def nbytes(self) -> int:
        return sum(int(getattr(self, name).nbytes) for name in _COLUMNS)


@dataclass(slots=True)
class _Walk:
    """One closure under way; `seen` marks the nodes that were reached."""

    half: Half
    wanted: bytes
    at: int
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
        other = self.half.step(frontier, self.wanted, self.at).other
        new = np.unique(other[flags[other] == 0]).astype(np.int32)
        flags[new] = 1
        return self.kept(new)
