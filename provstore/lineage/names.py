"""The IRIs of all nodes in memory: one run of bytes and where each ends, since a look-up in a database costs more."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt

_CHUNK = 200_000


class Names:
    """Number → IRI. Those up to `laid` stand in the run of bytes, later ones beside it."""

    def __init__(self, held: bytes = b"", ends: npt.NDArray[np.int64] | None = None) -> None:
        self._held = held
        self._ends = np.zeros(1, np.int64) if ends is None else ends
        self._late: dict[int, str] = {}
        self.laid = len(self._ends) - 1

    def __getitem__(self, node: int) -> str:
        if node <= self.laid:
            return self._held[self._ends[node - 1] : self._ends[node]].decode()
        return self._late[node]

    def add(self, rows: Iterable[tuple[int, str]]) -> None:
        """Take in later nodes, in the order of their numbers; of many no more than a part stands beside at any time."""
        rows = iter(rows)
        while chunk := dict(islice(rows, _CHUNK)):
            self._late.update(chunk)
            if len(chunk) == _CHUNK:
                self.lay()

    def lay(self) -> None:
        """Put all of them into one run of bytes; a number that no node has is an empty IRI."""
        last = max(self._late, default=self.laid)
        new = [self._late.get(node, "").encode() for node in range(self.laid + 1, last + 1)]
        lengths = np.fromiter(map(len, new), np.int64, len(new))
        ends = np.concatenate([self._ends, self._ends[-1] + np.cumsum(lengths)])
        self.__init__(self._held + b"".join(new), ends)  # type: ignore[misc]

    @property
    def last(self) -> int:
        return max(self._late, default=self.laid)

    @property
    def nbytes(self) -> int:
        return len(self._held) + int(self._ends.nbytes)

    def save(self, directory: Path) -> None:
        directory.mkdir(parents=True)
        (directory / "held.bin").write_bytes(self._held or b"\n")  # never empty, as a mapped file must not be
        np.save(directory / "ends.npy", self._ends)

    @classmethod
    def opened(cls, directory: Path) -> Names:
        return cls((directory / "held.bin").read_bytes(), np.load(directory / "ends.npy"))
