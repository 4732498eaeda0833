"""Why each row of the edge history stands, by row id: since when, by which rule, on the evidence of which record."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from provstore.lineage.adjacency import Ints

Reason = tuple[int, int, int]  # since (a ledger index), basis and evidence (node numbers, 0 for none)
_FIELDS = ("since", "basis", "evidence")


class Reasons:
    """Row id → reason. Those up to `laid` stand in arrays, later ones beside them."""

    def __init__(self, laid: tuple[Ints, ...] | None = None) -> None:
        self._laid = laid or tuple(np.zeros(1, np.int32) for _ in _FIELDS)
        self._late: dict[int, Reason] = {}

    def __getitem__(self, row: int) -> Reason:
        if row < len(self._laid[0]):
            since, basis, evidence = self._laid
            return int(since[row]), int(basis[row]), int(evidence[row])
        return self._late[row]

    def add(self, row: int, reason: Reason) -> None:
        self._late[row] = reason

    def add_all(self, rows: Ints, reasons: Iterable[Ints]) -> None:
        """Lay many rows with larger ids than all before at once."""
        self.lay()
        size = int(rows[-1]) + 1 if len(rows) else len(self._laid[0])
        grown = tuple(np.concatenate([old, np.zeros(size - len(old), np.int32)]) for old in self._laid)
        for array, values in zip(grown, reasons, strict=True):
            array[rows] = values
        self._laid = grown

    def lay(self) -> None:
        """Put what came late into the arrays."""
        if self._late:
            rows, late = np.array(sorted(self._late), np.int32), self._late
            self._late = {}
            self.add_all(rows, (np.array([late[row][i] for row in rows.tolist()], np.int32) for i in range(3)))

    @property
    def nbytes(self) -> int:
        return sum(int(each.nbytes) for each in self._laid)

    def save(self, directory: Path) -> None:
        directory.mkdir(parents=True)
        for name, array in zip(_FIELDS, self._laid, strict=True):
            np.save(directory / f"{name}.npy", array)

    @classmethod
    def opened(cls, directory: Path) -> Reasons:
        return cls(tuple(np.load(directory / f"{name}.npy") for name in _FIELDS))
