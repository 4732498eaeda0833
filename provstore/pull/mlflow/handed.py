"""The artifacts that came with an `mlflow.db` or an `mlruns`, read where they lie: beside the one, inside the other.

Not by the addresses in the database: those are of the machine that it is from, and name other files on this one.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from provstore.errors import NotFound, SourceUnavailable
from provstore.pull.mlflow.listing import Listing
from provstore.pull.mlflow.rest import Rest


class Handed(Listing):
    """A server over the copy of what was handed over, and the artifacts beside that."""

    def __init__(self, rest: Rest, path: Path) -> None:
        super().__init__(rest)
        beside = path.resolve().parent
        self._roots = (
            [path.resolve(), path.resolve() / ".trash"]
            if path.is_dir()
            else [beside / "mlartifacts", beside / "mlruns"]
        )

    def files(self, model: str) -> Iterator[tuple[str, int]]:
        return self._found(f"models/{model}")

    def file(self, model: str, path: str) -> Iterator[bytes]:
        return self._read(f"models/{model}", path)

    def run_files(self, run: str, folder: str = "") -> Iterator[tuple[str, int]]:
        return (each for each in self._found(run) if each[0].startswith(f"{folder}/" if folder else ""))

    def run_file(self, run: str, path: str) -> Iterator[bytes]:
        return self._read(run, path)

    def _folder(self, of: str) -> Path | None:
        """Where the artifacts of a run or a model lie: in the folder of an experiment."""
        if not of.removeprefix("models/").replace("-", "").isalnum():
            return None
        return next((each for root in self._roots for each in root.glob(f"*/{of}/artifacts") if each.is_dir()), None)

    def _found(self, of: str) -> Iterator[tuple[str, int]]:
        folder = self._folder(of)
        for path in sorted(folder.rglob("*")) if folder else ():
            if path.is_file() and not path.is_symlink():
                yield path.relative_to(folder or path).as_posix(), path.stat().st_size

    def _read(self, of: str, path: str) -> Iterator[bytes]:
        folder = self._folder(of)
        file = folder / path if folder else None
        if not folder or not file or not file.is_file() or not file.resolve().is_relative_to(folder.resolve()):
            raise NotFound(f"{path} of {of} was not handed over")
        try:
            with file.open("rb") as opened:
                while chunk := opened.read(1 << 20):
                    yield chunk
        except OSError as error:
            raise SourceUnavailable(f"{file} cannot be read: {error}") from error
