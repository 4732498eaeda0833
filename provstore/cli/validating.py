"""`provstore validate`: what files lack, said as on the way in, and nothing is stored."""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
import textwrap
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from provstore.capture.payloads import Limits
from provstore.cli import files
from provstore.cli.output import show, show_json, write
from provstore.cli.progress import Progress
from provstore.cli.terminal import safe
from provstore.core.profiles import Profiles
from provstore.core.validate import Checked, Validator, overall, turtle
from provstore.errors import InvalidInput
from provstore.ledger.log import Ledger
from provstore.settings import Settings

_LIMITS = Limits(body_bytes=1 << 32, inflated_bytes=1 << 32, payloads=1 << 31)
#: The id base of records that are not stored, where there is no store whose base would be theirs.
_NO_BASE = "https://prov.example"
_INDENTED: dict[str, Any] = {
    "initial_indent": " " * 9,
    "subsequent_indent": " " * 9,
    "break_long_words": False,  # addresses stay whole
    "break_on_hyphens": False,
}
_COLUMNS = ("file", "pointer", "line", "profile", "severity", "focus", "path", "value", "message", "clause")


@dataclass(frozen=True, slots=True)
class _Told:
    """One payload of a file, and what was found."""

    file: str
    checked: Checked

    def json(self) -> dict[str, Any]:
        return {"file": self.file, **self.checked.json()}

    def place(self) -> str:
        problem = self.checked.error.problem() if self.checked.error else {}
        return safe(files.place(self.file, {**self.checked.where, **problem}))

    def rows(self) -> Iterator[list[Any]]:
        """A row for each thing found, or for the error."""
        where = [self.file, self.checked.where.get("pointer"), self.checked.where.get("line")]
        if self.checked.error:
            yield [*where, None, "ERROR", None, None, None, str(self.checked.error), None]
        for judged in self.checked.profiles:
            for each in judged.results:
                yield [*where, judged.profile, *(each.get(name) for name in _COLUMNS[4:])]


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """0 where everything conforms, 1 where something does not, 2 where something could not be read or judged."""
    names = files.found(arguments.files)
    form = files.named(arguments.input, "--input")
    with closing(_validator(settings)) as validator:
        profiles = validator.profiles(arguments.profile)
        told = _all(validator, names, form, profiles)
    if arguments.format == "table":
        write("".join(f"{line}\n" for line in _as_text(told, profiles)))
    elif arguments.format == "turtle":
        write(turtle([each.checked for each in told]))
    elif arguments.format == "json":
        verdict = overall([each.checked for each in told])
        show_json({"conforms": verdict, "profiles": profiles, "payloads": [each.json() for each in told]})
    else:
        show(arguments.format, _COLUMNS, [row for each in told for row in each.rows()])
    verdicts = {each.checked.conforms for each in told}
    unread = any(each.checked.error for each in told)
    return 2 if unread or None in verdicts else 1 if False in verdicts else 0


def _validator(settings: Settings) -> Validator:
    """One that knows the profiles of the store that the data directory holds, and names records as they would be there.

    Where there is no store, only what ships is known.
    """
    directory = Path(settings.data)
    if not (directory / "ledger.db").exists():
        return Validator(settings, Profiles(settings.profiles), settings.base or _NO_BASE, _LIMITS)
    with closing(Ledger(directory)) as ledger:
        profiles = Profiles(settings.profiles, directory, ledger)
        return Validator(settings, profiles, settings.base or ledger.base, _LIMITS)


def _all(validator: Validator, names: Sequence[str], form: str | None, profiles: Sequence[str]) -> list[_Told]:
    told: list[_Told] = []
    with asyncio.Runner() as runner, Progress("validate", " files") as progress:
        for number, name in enumerate(names):
            done = partial(_done, progress, number, len(names))
            try:
                # read out here: a loop that waits for standard input would not hear Ctrl-C
                data, kind = files.read(name), files.media_type(name, form, "--input")
                told += [_Told(name, each) for each in runner.run(_checked(validator, data, kind, profiles, done))]
            except InvalidInput as error:
                where = {} if error.line is None else {"line": error.line}
                told.append(_Told(name, Checked(where, None, error, ())))
    return told


async def _checked(
    validator: Validator, data: bytes, kind: str, profiles: Sequence[str], done: Callable[[float], None]
) -> list[Checked]:
    found = []
    async for checked, total in validator.check(data, kind, None, profiles):
        found.append(checked)
        done(len(found) / total)
    return found


def _done(progress: Progress, number: int, files: int, share: float) -> None:
    progress(number + share, files)


# --- for people ------------------------------------------------------------------------------------------------------


def _as_text(told: Sequence[_Told], profiles: Sequence[str]) -> Iterator[str]:
    """Each payload that lacks something: severity, focus and path, then what is wanted; and a line on all of them."""
    room = shutil.get_terminal_size().columns if sys.stdout.isatty() else 100
    for each in told:
        if each.checked.error:
            yield f"{each.place()}: could not be read: {safe(each.checked.error.detail)}"
        for judged in each.checked.profiles:
            if judged.results:
                yield f"{each.place()}: {_verdict(judged.conforms)} {judged.profile} ({_counted(judged.results)})"
                for result in judged.results:
                    yield from _result(result, room)
    counts = Counter("unread" if each.checked.error else each.checked.conforms for each in told)
    yield (
        f"{len(told):,} payload{'' if len(told) == 1 else 's'} by {', '.join(profiles)}: {counts[True]:,} conform,"
        f" {counts[False]:,} do not, {counts['unread'] + counts[None]:,} could not be read or judged"
    )


def _verdict(conforms: bool | None) -> str:
    return {True: "conforms to", False: "does not conform to", None: "was not judged by"}[conforms]


def _counted(results: Sequence[dict[str, Any]]) -> str:
    counts = Counter(str(each["severity"]) for each in results)
    return ", ".join(f"{count} {severity}" for severity, count in counts.items())


def _result(result: dict[str, Any], room: int) -> Iterator[str]:
    about = " ".join(filter(None, (safe(result["focus"]), safe(result["path"]), _value(result))))
    yield f"  {result['severity']:<6} {about}".rstrip()
    for text in filter(None, (result["message"], result.get("clause"))):
        yield from textwrap.wrap(safe(text), max(39, room), **_INDENTED)


def _value(result: dict[str, Any]) -> str:
    value = safe(result.get("value") or "")
    return f"= {value}" if value and value != safe(result["focus"]) else ""
