"""What git holds at the paths of a stage, and whether it is what DVC says the stage read or wrote."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, Final

from provstore.errors import ProvStoreError
from provstore.pull import repository
from provstore.pull.dvc import files
from provstore.pull.dvc.files import MD5, MD5_DOS2UNIX, Object
from provstore.pull.repository import Repository

_KEPT: Final = 20_000
#: Bytes that DVC 2 judges at once, by the first of them, to be text or not.
CHUNK: Final = 1 << 20
_BLOCK = 512
#: How files of code end: what a stage reads of these decides over its outputs, and is not in them.
_CODE = (
    *(".py", ".ipynb", ".r", ".rmd", ".qmd", ".jl", ".sh", ".bash", ".ps1", ".sql", ".scala", ".java", ".kt", ".js"),
    *(".ts", ".c", ".cc", ".cpp", ".h", ".hpp", ".cu", ".rs", ".go", ".rb", ".pl", ".lua", ".m", ".sas", ".do"),
    *(".stan", ".nf", ".smk"),
)
_TEXT = bytes(range(32, 127)) + b"\n\r\t\f\b"


@dataclass(frozen=True, slots=True)
class Digests:
    """The digests of one blob, in lower-case hex: `dos2unix` is the MD5 that DVC 2 took."""

    md5: str
    dos2unix: str
    sha256: str


class Contents:
    """Digests of git objects, each computed once."""

    def __init__(self, repository: Repository) -> None:
        self._git = repository
        self._blobs: OrderedDict[str, Digests] = OrderedDict()
        self._trees: OrderedDict[str, dict[str, str]] = OrderedDict()
        self._code: OrderedDict[str, bool] = OrderedDict()

    def held(self, commit: str, item: Object) -> Object | None:
        """What a commit has at the path of a dependency or output: its name, and whether its bytes are those told.

        `matches` is absent where that cannot be said: no MD5 is told, or files beside the tree's may have counted.
        """
        found = self._git.find(commit, item["path"])
        if found is None or found.kind not in ("blob", "tree"):
            return None
        said: Object = {"id": found.id, "kind": found.kind}
        if self._is_code(found, item["path"]):
            said["code"] = True
        told = item.get("hash", {})
        if told.get("algorithm") not in (MD5, MD5_DOS2UNIX):
            return said
        try:
            if found.kind == "tree":
                same = self._tree(found.id).get(told["algorithm"]) == told["value"]
                return {**said, "matches": True} if same else said
            digests = self._blob(found.id)
        except ProvStoreError:
            return said
        same = (digests.md5 if told["algorithm"] == MD5 else digests.dos2unix) == told["value"]
        return {**said, "matches": same, **({"sha256": digests.sha256, "md5": digests.md5} if same else {})}

    def _is_code(self, found: repository.Object, path: str) -> bool:
        if found.kind == "blob":
            return path.lower().endswith(_CODE)
        if found.id not in self._code:
            try:
                code = any(name.lower().endswith(_CODE) for name, _ in self._git.files(found.id))
            except ProvStoreError:
                code = False
            _keep(self._code, found.id, code)
        return self._code[found.id]

    def _blob(self, name: str) -> Digests:
        if name not in self._blobs:
            data = self._git.read(name)
            _keep(self._blobs, name, Digests(_md5(data), _md5(unix(data)), hashlib.sha256(data).hexdigest()))
        return self._blobs[name]

    def _tree(self, name: str) -> dict[str, str]:
        """Algorithm → the digest of a folder as DVC would name it; empty where it cannot be read whole."""
        if name not in self._trees:
            try:
                held = [(path, self._blob(blob)) for path, blob in self._git.files(name)]
            except ProvStoreError:
                _keep(self._trees, name, {})
                return {}
            digests = {
                MD5: files.directory([(path, digests.md5) for path, digests in held]),
                MD5_DOS2UNIX: files.directory([(path, digests.dos2unix) for path, digests in held]),
            }
            _keep(self._trees, name, digests)
        return self._trees[name]


def _keep(kept: OrderedDict[str, Any], name: str, value: Any) -> None:
    kept[name] = value
    if len(kept) > _KEPT:
        kept.popitem(last=False)


def unix(data: bytes) -> bytes:
    """The bytes that DVC 2 hashed: of text, without the carriage returns that end lines; judged piece by piece."""
    chunks = (data[at : at + CHUNK] for at in range(0, len(data), CHUNK))
    return b"".join(chunk.replace(b"\r\n", b"\n") if _is_text(chunk[:_BLOCK]) else chunk for chunk in chunks)


def _is_text(block: bytes) -> bool:
    return b"\0" not in block and len(block.translate(None, _TEXT)) <= 0.3 * len(block)


def _md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()
