"""Files within directories that one stage knows as a whole and another by themselves.

DVC takes them for connected by their paths alone. Here they are where the list behind the directory's digest has the
file with the very digest that the other stage tells.
"""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Callable, Iterator

from provstore.pull.dvc.files import MD5, Object

#: What gives the files of a directory by its digest, an empty list where nobody knows them.
Manifest = Callable[[str], list[tuple[str, str]]]


class Parts:
    """Collects what executions read and wrote; then tells which of it was part of a directory."""

    def __init__(self) -> None:
        self._files: dict[str, set[str]] = defaultdict(set)  # path → MD5s under which some stage tells of it
        self._directories: dict[tuple[str, str, str, str], None] = {}  # (execution, side, path, digest), as they came
        self._listed: dict[str, list[tuple[str, str]]] = {}  # digest → files, where a lock lists them

    def note(self, execution: str, stage: Object) -> None:
        """Note one execution."""
        for side in ("deps", "outs"):
            for item in stage.get(side, ()):
                told = item.get("hash", {})
                if told.get("algorithm") != MD5:
                    continue
                if not told["value"].endswith(".dir"):
                    self._files[item["path"]].add(told["value"])
                    continue
                self._directories[execution, side, item["path"], told["value"]] = None
                if "members" in item:
                    self._listed[told["value"]] = [(m["path"], m["md5"]) for m in item["members"] if "md5" in m]

    def found(self, manifest: Manifest) -> Iterator[Object]:
        """Each file that an execution read or wrote as part of a directory, and that some stage knows by itself."""
        known = {posixpath.dirname(path) for path in self._files}
        above = {each for path in known for each in _above(path)}
        for execution, side, folder, digest in self._directories:
            if folder not in above:
                continue
            for name, md5 in self._listed.get(digest) or manifest(digest):
                path = posixpath.join(folder, name)
                if md5 in self._files.get(path, ()):
                    told = {"algorithm": MD5, "value": md5}
                    yield {"execution": execution, "side": side, "directory": folder, "path": path, "hash": told}


def _above(path: str) -> Iterator[str]:
    """A folder and all that it lies in."""
    while path:
        yield path
        path = posixpath.dirname(path)
