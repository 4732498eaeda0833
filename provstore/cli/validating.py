"""`provstore validate`: what files lack, said as on the way in, and nothing is stored."""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import sys
import textwrap
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from provstore.cli import files, judging
from provstore.cli.output import tell, write
from provstore.cli.progress import Progress
from provstore.cli.remote import existing
from provstore.cli.terminal import safe, safe_json
from provstore.core import ProvStore, whole
from provstore.core.profiles import Profiles
from provstore.errors import Misconfigured
from provstore.model import Location
from provstore.settings import Settings
from provstore.validation.clauses import cited
from provstore.validation.described import described
from provstore.validation.formats import FORMATS, encoded
from provstore.validation.formats.telling import path_text, place, title, unread
from provstore.validation.results import Result, Validation, Verdict

_INDENTED: dict[str, Any] = {
    "initial_indent": " " * 9,
    "subsequent_indent": " " * 9,
    "break_long_words": False,  # addresses stay whole
    "break_on_hyphens": False,
}
_REASONS = 3  # of those that nested shapes give
_LOOKS = 0.2  # seconds between two looks at the files that are watched


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """0 where everything conforms, 1 where something does not, 2 where something could not be read or judged."""
    form = files.named(arguments.input, "--input")
    if arguments.store:
        return _whole(arguments, settings)
    if arguments.watch and "-" in arguments.files:
        raise Misconfigured("--watch looks at files again when they change; standard input is read once")
    with ExitStack() as kept:
        folder, named = _asked(arguments, kept)
        validator = kept.enter_context(closing(judging.validator(settings, arguments.engine, folder)))
        runner = kept.enter_context(asyncio.Runner())
        profiles = validator.profiles(named)
        if folder:
            runner.run(validator.usable(profiles[-1]))
        rules = runner.run(validator.rules(profiles))
        look = partial(judging.look, runner, validator, form, profiles)
        if arguments.watch:
            return _watch(arguments, look, partial(Validation, rules, least=arguments.fail_on))
        told = [verdict for _, found in look(judging.meant(arguments.files, arguments.output)) for verdict in found]
        return _say(arguments, Validation(rules, told, arguments.fail_on))


def _asked(arguments: argparse.Namespace, kept: ExitStack) -> tuple[str, list[str]]:
    """A folder with the shapes that are given, '' where none are, and the profiles that are named, these included."""
    folder = kept.enter_context(TemporaryDirectory()) if arguments.shapes else ""
    return folder, [*arguments.profile, *([judging.given(arguments.shapes, folder)] if folder else [])]


def _whole(arguments: argparse.Namespace, settings: Settings) -> int:
    """The store of the data directory, by all that its records together say."""
    with ExitStack() as kept:
        folder, named = _asked(arguments, kept)
        store = kept.enter_context(closing(ProvStore(existing(settings))))
        profiles = Profiles(settings.profiles, store.directory, store.ledger, given=folder)
        tokens = profiles.wanted(named)
        found = []
        for token in tokens:
            with Progress(f"validate {token}", " constraints") as progress:
                found.append(whole.judged(store, profiles.registry, token, progress))
        rules = {token: described(profiles.registry.find(token), profiles.registry).rules for token in tokens}
        verdict = Verdict(Location(str(store.directory)), None, None, tuple(found))
        return _say(arguments, Validation(rules, [verdict], arguments.fail_on))


def _say(arguments: argparse.Namespace, said: Validation) -> int:
    """Print it, or write it to the file that is asked for; its exit code."""
    form = FORMATS.get(arguments.format)
    text = form.write(said) if form else "".join(f"{line}\n" for line in _as_text(said))
    if arguments.output:
        files.replace(Path(arguments.output), encoded(text))
    elif not arguments.quiet:
        write(encoded(safe_json(text) if form and "json" in form.media_type else text))
    return said.code


# --- again and again -------------------------------------------------------------------------------------------------


def _watch(arguments: argparse.Namespace, look: judging.Look, whole: Callable[[list[Verdict]], Validation]) -> int:
    """Say it again whenever a file has changed, come or gone, until Ctrl-C; the exit code of the last time."""
    known: dict[str, tuple[int, int]] | None = None
    told: dict[str, list[Verdict]] = {}
    code = 0
    with suppress(KeyboardInterrupt):
        while True:
            now = _stamps(_still(arguments, first=known is None))
            if now != known:
                told = {name: found for name, found in told.items() if name in now}
                told |= dict(look([name for name, stamp in now.items() if (known or {}).get(name) != stamp]))
                code = _say(arguments, whole([verdict for name in now for verdict in told[name]]))
                known = now
                sys.stdout.flush()
                tell(f"provstore: watching {len(now):,} file{'' if len(now) == 1 else 's'}; Ctrl-C ends it")
            time.sleep(_LOOKS)
    return code


def _still(arguments: argparse.Namespace, *, first: bool) -> list[str]:
    """The files that are meant by now; later on, none is no mistake any more."""
    try:
        return judging.meant(arguments.files, arguments.output)
    except Misconfigured:
        if first:
            raise
        return []


def _stamps(names: Sequence[str]) -> dict[str, tuple[int, int]]:
    """The files that are there, and what tells that one has changed."""
    found = {}
    for name in names:
        with suppress(OSError):
            status = os.stat(name)
            found[name] = (status.st_mtime_ns, status.st_size)
    return found


# --- for people ------------------------------------------------------------------------------------------------------


def _as_text(said: Validation) -> Iterator[str]:
    """Each payload that lacks something: severity, focus and path, then what is wanted; and a line on all of them."""
    room = shutil.get_terminal_size().columns if sys.stdout.isatty() else 100
    for verdict in said.verdicts:
        if verdict.error:
            at = unread(verdict.where, verdict.error)
            yield f"{safe(place(at))}: could not be read: {safe(verdict.error.detail)}"
        for judged in verdict.profiles:
            if judged.results:
                words = f"{_verdict(judged.conforms)} {judged.profile} ({_counted(judged.results)})"
                yield f"{safe(title(verdict))}: {words}"
                for result in judged.results:
                    yield from _result(result, verdict.where, room)
    counts = Counter("unread" if each.error else each.conforms for each in said.verdicts)
    yield (
        f"{len(said.verdicts):,} payload{'' if len(said.verdicts) == 1 else 's'} by {', '.join(said.rules)}:"
        f" {counts[True]:,} conform, {counts[False]:,} do not,"
        f" {counts['unread'] + counts[None]:,} could not be read or judged"
    )


def _verdict(conforms: bool | None) -> str:
    return {True: "conforms to", False: "does not conform to", None: "was not judged by"}[conforms]


def _counted(results: Sequence[Result]) -> str:
    counts = Counter(each.severity for each in results)
    return ", ".join(f"{count} {severity}" for severity, count in counts.items())


def _result(result: Result, where: Location, room: int) -> Iterator[str]:
    about = " ".join(filter(None, (safe(result.focus), safe(path_text(result.path)), _value(result))))
    yield f"  {result.severity:<6} {about}".rstrip()
    at = place(replace(result.location, file=None)) if result.location and result.location != where else ""
    for text in filter(None, (at and f"at {at}", result.message, cited(result.clause))):
        yield from textwrap.wrap(safe(text), max(39, room), **_INDENTED)
    for each in result.details[:_REASONS]:
        yield from textwrap.wrap(safe(f"because {each.message}"), max(39, room), **_INDENTED)
    if (more := len(result.details) - _REASONS) > 0:
        yield f"         and for {more} more reason{'' if more == 1 else 's'}"
    for sign, snippet in (("-", result.fix.remove), ("+", result.fix.add)) if result.fix else ():
        yield from (f"       {sign} {safe(line)}" for line in snippet.splitlines())


def _value(result: Result) -> str:
    value = safe(result.value)
    return f"= {value}" if value and value != safe(result.focus) else ""
