"""Files and records judged on this machine: what `provstore validate` and `provstore complete` go by."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

from provstore.capture.payloads import Limits
from provstore.cli import files
from provstore.cli.progress import Progress
from provstore.core.profiles import Profiles
from provstore.core.validate import Validator
from provstore.errors import InvalidInput, Misconfigured
from provstore.ledger.log import Ledger
from provstore.model import Location
from provstore.settings import Settings
from provstore.validation.engine import triples
from provstore.validation.results import Verdict
from provstore.validation.tasks import ENGINES

_LIMITS = Limits(body_bytes=1 << 32, inflated_bytes=1 << 32, payloads=1 << 31)
#: The id base of records that are not stored, where there is no store whose base would be theirs.
_NO_BASE = "https://prov.example"
_GIVEN = "given-shapes"


def meant(patterns: Sequence[str], output: str | None) -> list[str]:
    """The files that are meant, without the one that is written to; Misconfigured where that is named among them."""
    if output is None:
        return files.found(patterns)
    target = Path(output).resolve()
    if any(Path(each).resolve() == target for each in patterns):
        raise Misconfigured(f"--output {output} would write over a file that is to be looked at")
    return [name for name in files.found(patterns) if Path(name).resolve() != target]


def validator(settings: Settings, engine: str = ENGINES[0], given: str = "") -> Validator:
    """One that knows the profiles of the store that the data directory holds, and names records as they would be there.

    Where there is no store, only what ships is known, and the shapes in the folder `given`.
    """
    directory = Path(settings.data)
    if not (directory / "ledger.db").exists():
        profiles = Profiles(settings.profiles, given=given)
        return Validator(settings, profiles, settings.base or _NO_BASE, _LIMITS, engine=engine)
    with closing(Ledger(directory)) as ledger:
        profiles = Profiles(settings.profiles, directory, ledger, given=given)
        return Validator(settings, profiles, settings.base or ledger.base, _LIMITS, engine=engine)


Look = Callable[[Sequence[str]], Iterator[tuple[str, list[Verdict]]]]


def look(
    runner: asyncio.Runner, judge: Validator, form: str | None, profiles: Sequence[str], names: Sequence[str]
) -> Iterator[tuple[str, list[Verdict]]]:
    """Each file, and the verdicts on what is in it."""
    with Progress("validate", " files") as progress:
        for number, name in enumerate(names):
            done = partial(_done, progress, number, len(names))
            try:
                # read out here: a loop that waits for standard input would not hear Ctrl-C
                data, kind = files.read(name), files.media_type(name, form, "--input")
                yield name, runner.run(_checked(judge, data, kind, profiles, name, done))
            except InvalidInput as error:
                yield name, [Verdict(Location(name, error.line), None, error)]


async def _checked(
    judge: Validator, data: bytes, kind: str, profiles: Sequence[str], name: str, done: Callable[[float], None]
) -> list[Verdict]:
    found = []
    async for verdict, total in judge.check(data, kind, None, profiles, name):
        found.append(verdict)
        done(len(found) / total)
    return found


def _done(progress: Progress, number: int, files: int, share: float) -> None:
    progress(number + share, files)


def judged(
    runner: asyncio.Runner, judge: Validator, profiles: Sequence[str], data: bytes, kind: str, name: str
) -> list[Verdict]:
    """The verdicts on what was read already, under a name."""
    return runner.run(_checked(judge, data, kind, profiles, name, lambda _: None))


def given(names: Sequence[str], folder: str) -> str:
    """Shapes from files, put into a folder as one profile for once; its name. InvalidInput where one is no RDF."""
    found = []
    for name in names:
        data, kind = files.read(name), files.media_type(name, None, "--shapes")
        found.append(data if kind == "text/turtle" and len(names) == 1 else triples(data, kind))
    path = Path(folder) / _GIVEN / "1.ttl"
    path.parent.mkdir()
    path.write_bytes(b"\n".join(found))
    return _GIVEN
