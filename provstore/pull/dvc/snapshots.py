"""What DVC's files say in one commit, read from git's objects, parsed, and kept while neighbouring commits share it."""

from __future__ import annotations

import posixpath
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from provstore.errors import ProvStoreError
from provstore.pull.dvc import config, files
from provstore.pull.dvc.config import Config
from provstore.pull.dvc.files import Object
from provstore.pull.dvc.templates import Pipeline
from provstore.pull.repository import Commit, Repository

PIPELINE: Final = "dvc.yaml"
LOCK: Final = "dvc.lock"
#: Bytes of the files whose parsed values are kept: these take some ten times as much.
_KEPT: Final = 16 << 20


@dataclass(frozen=True, slots=True)
class Told:
    """What could not be read, and was left out: in which commit, which path, why."""

    commit: str
    path: str
    message: str


class Snapshots:
    """Reads the files of one commit after the other; `told` is what could not be read."""

    def __init__(self, repository: Repository) -> None:
        self._git = repository
        self.told: list[Told] = []
        self._parsed: OrderedDict[tuple[str, str], tuple[int, Any]] = OrderedDict()
        self._size = 0
        self._commit = ""
        self._pipelines: dict[str, Pipeline] = {}  # those of this commit

    def tell(self, commit: Commit, path: str, message: str) -> None:
        """Note what could not be read, once where it is found again at once."""
        told = Told(commit.id, path, message)
        if told not in self.told[-10:]:
            self.told.append(told)

    def read(self, commit: Commit, path: str, blob: str, parse: Callable[[bytes], Any], *, again: bool = False) -> Any:
        """A blob as `parse` has it, None where it cannot be read, which is told unless an earlier commit did."""
        key = (blob, f"{path}\n{parse.__name__}")
        if key in self._parsed:
            self._parsed.move_to_end(key)
            return self._parsed[key][1]
        size, value = 0, None
        try:
            data = self._git.read(blob)
            size, value = len(data), parse(data)
        except ProvStoreError as error:
            if not again:
                self.tell(commit, path, str(error))
        self._parsed[key] = size, value
        self._size += size
        while self._size > _KEPT and len(self._parsed) > 1:
            self._size -= self._parsed.popitem(last=False)[1][0]
        return value

    def at(self, commit: Commit, path: str, parse: Callable[[bytes], Any]) -> Any:
        """What stands at a path, as `parse` has it; None where nothing does, or where it cannot be read."""
        blob = self._git.find(commit.id, path)
        return self.read(commit, path, blob.id, parse) if blob and blob.kind == "blob" else None

    def content(self, commit: Commit, path: str) -> bytes | None:
        """The bytes of a file; None where there is none, or where it cannot be read, which is told."""
        blob = self._git.find(commit.id, path)
        try:
            return self._git.read(blob.id) if blob and blob.kind == "blob" else None
        except ProvStoreError as error:
            self.tell(commit, path, error.detail)
            return None

    # --- files of DVC ------------------------------------------------------------------------------------------------

    def pipeline(self, commit: Commit, folder: str) -> Pipeline:
        """The `dvc.yaml` of a folder, an empty one where there is none."""
        if self._commit != commit.id:
            self._commit, self._pipelines = commit.id, {}
        if folder not in self._pipelines:
            held = self.at(commit, posixpath.join(folder, PIPELINE), files.mapping) or {}
            self._pipelines[folder] = Pipeline(held, lambda path: self.content(commit, files.place(folder, path)))
        return self._pipelines[folder]

    def section(self, commit: Commit, folder: str, name: str) -> Any:
        """A section of the `dvc.yaml` of a folder, filled in; None where it is absent, or (told) cannot be."""
        try:
            return self.pipeline(commit, folder).section(name)
        except ProvStoreError as error:
            self.tell(commit, posixpath.join(folder, PIPELINE), f"{name}: {error.detail}")
            return None

    def models(self, commit: Commit, folder: str) -> dict[str, Object]:
        """Path → model, as the `dvc.yaml` of a folder and those of the folders above it declare it."""
        found: dict[str, Object] = {}
        for each in reversed([*above(folder)]):
            found |= files.models(self.section(commit, each, "artifacts"), each)
        return found

    def written(self, commit: Commit) -> set[str]:
        """The paths that the stages of every lock in a commit wrote."""
        found: set[str] = set()
        for path in self._git.paths(commit.id, LOCK):
            folder = posixpath.dirname(path)
            for name, raw in (self.at(commit, path, files.locked) or {}).items():
                try:
                    defined = self.pipeline(commit, folder).stage(name)
                except ProvStoreError:
                    defined = {}  # told where the stage is
                found |= {each["path"] for each in files.items(raw.get("outs"), files.folder_of(defined, folder))}
        return found

    def config(self, commit: Commit, folder: str) -> tuple[Config, str]:
        """The configuration of the project that a folder belongs to, and the project's own folder."""
        for each in above(folder):
            held = self._git.find(commit.id, posixpath.join(each, ".dvc"))
            if held and held.kind == "tree":
                return self.at(commit, posixpath.join(each, ".dvc/config"), config.parsed) or Config(), each
        return Config(), ""


def above(folder: str) -> Iterator[str]:
    """A folder of the repository and all that it lies in, up to the repository's own, which is ''."""
    while folder and not folder.startswith(("/", "..")):
        yield folder
        folder = posixpath.dirname(folder)
    yield ""
