"""Read-only copies of the triple store that a follower holds on to: made by hard links, so that each costs no space."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

from provstore import iris, rdf
from provstore.errors import ProvStoreError
from provstore.store.query import read_only
from provstore.validation.streamed import StreamedData
from provstore.vocab import PS

_NAME = "at-"


class Copies:
    """The copies in a folder, by the ledger index that each holds; for one process."""

    def __init__(self, home: Path, base: str) -> None:
        self._home = home
        self._system = f"<{iris.graph(base, 'system')}>"
        self._stores: dict[int, Any] = {}

    def take(self, snapshot: str, index: int) -> None:
        """Make a snapshot, which its owner drops after a while, a copy of our own."""
        target, making = self._path(index), self._home / "taking"
        self._stores.pop(index, None)
        shutil.rmtree(making, ignore_errors=True)
        try:
            shutil.copytree(snapshot, making, copy_function=os.link)
        except (OSError, shutil.Error) as error:
            raise ProvStoreError(f"the snapshot of the store could not be kept: {error}") from error
        shutil.rmtree(target, ignore_errors=True)
        making.rename(target)

    def keep_only(self, index: int) -> None:
        for other in self._home.glob(f"{_NAME}*"):
            if other != self._path(index):
                shutil.rmtree(other, ignore_errors=True)
        self._stores = {held: store for held, store in self._stores.items() if held == index}

    def store(self, index: int) -> Any:
        """The store in the copy that holds an index; None where there is none, or not a whole one."""
        if index not in self._stores:
            try:
                store = read_only(str(self._path(index)))
            except ProvStoreError:
                return None
            # a crash of the machine may have left an older state of it
            if rdf.integer(index) not in StreamedData(store).objects(self._system, PS.appliedIndex):
                return None
            self._stores[index] = store
        return self._stores[index]

    def _path(self, index: int) -> Path:
        return self._home / f"{_NAME}{index}"
