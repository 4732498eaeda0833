"""`provstore complete`: what would make files or stored records complete, as Turtle to go on with."""

from __future__ import annotations

import argparse
import asyncio
import re
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from provstore import iris
from provstore.cli import files, judging
from provstore.cli.output import write
from provstore.core.validate import Validator
from provstore.errors import InvalidInput, NotFound
from provstore.ledger.log import Ledger
from provstore.settings import Settings
from provstore.validation.formats import encoded
from provstore.validation.formats.mending import mending
from provstore.validation.results import Validation, Verdict

_DIGEST = re.compile(r"[0-9a-f]{64}\Z")
_RECORD = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:.*/record/[0-9a-f]{64}\Z")


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """0 where nothing is to be added, 1 where something is, 2 where something could not be read or judged."""
    form = files.named(arguments.input, "--input")
    records = [each for each in arguments.files if _is_record(each)]
    patterns = [each for each in arguments.files if not _is_record(each)]
    names = judging.meant(patterns, arguments.output) if patterns else []
    with closing(judging.validator(settings)) as validator, asyncio.Runner() as runner:
        profiles = validator.profiles(arguments.profile)
        told = [verdict for _, found in judging.look(runner, validator, form, profiles, names) for verdict in found]
        for record in records:
            told += _stored(runner, validator, profiles, settings, record)
        said = Validation(runner.run(validator.rules(profiles)), told, "MAY")
    text = encoded(mending(said))
    if arguments.output:
        files.replace(Path(arguments.output), text)
    else:
        write(text)
    return said.code


def _is_record(given: str) -> bool:
    """Whether a record of the store is meant, by its IRI or its digest, and no file."""
    return not Path(given).exists() and bool(_RECORD.match(given) or _DIGEST.match(given))


def _stored(
    runner: asyncio.Runner, validator: Validator, profiles: Sequence[str], settings: Settings, given: str
) -> list[Verdict]:
    directory = Path(settings.data)
    if not (directory / "ledger.db").exists():
        raise NotFound(f"there is no store in {directory} that could hold the record {given}")
    with closing(Ledger(directory)) as ledger:
        record = given if ":" in given else iris.record(ledger.base, given)
        indices = ledger.find(record)
        if not indices:
            raise NotFound(f"the store in {directory} holds no record {record}")
        body = ledger.body(indices[0])
    try:
        return judging.judged(runner, validator, profiles, body.payload, body.media_type, record)
    except InvalidInput as error:
        raise InvalidInput(f"the payload of {record} cannot be read again: {error.detail}", line=error.line) from error
