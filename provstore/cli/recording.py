"""`provstore record`: what recorded programs left in the spool, and bringing it into a store."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from provstore.cli import sink
from provstore.cli.output import show, show_json, tell, write
from provstore.errors import Busy, DirectoryInUse, Misconfigured
from provstore.pull.sink import Sink
from provstore.record import sending, spool
from provstore.record.sending import Answer, Flushed, Unavailable
from provstore.record.spool import Destination
from provstore.settings import Settings

_COLUMNS = ("to", "waiting", "refused", "lost")


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Flush or tell the status; 1 where a flush left something behind or a store refused something."""
    if arguments.action == "status":
        return _status(arguments, settings)
    done = Flushed()
    with_whom = Destination(arguments.server or "", str(Path(arguments.data).absolute()) if arguments.data else "")
    for folder, to in spool.destinations(_spool(settings)):
        if with_whom.said and to.said and to != with_whom:
            continue  # only what goes there, and what nobody said where to send
        done.add(_flushed(folder, to if to.said else with_whom, settings))
    if arguments.format == "json":
        show_json(asdict(done), indent=None)
    else:
        said = {name: count for name, count in asdict(done).items() if name != "why"}
        write(", ".join(f"{count:,} {name}" for name, count in said.items()) + "\n")
        if done.why:
            tell(f"provstore: {done.waiting:,} wait: {done.why}")
    return 1 if done.waiting or done.refused else 0


def _spool(settings: Settings) -> Path:
    return Path(settings.spool).expanduser().absolute()


def _flushed(folder: Path, to: Destination, settings: Settings) -> Flushed:
    if not any(each.stat().st_size for each in spool.files(folder)):
        return sending.flush(folder, _nobody)
    meant = replace(settings, server=to.server, data=to.data or settings.data) if to.said else settings
    try:
        with sink.opened(meant) as store:
            return sending.flush(folder, _sender(store))
    except (Busy, DirectoryInUse, Misconfigured) as error:
        waiting = sum(len(spool.read(path, spool.sent(path)).payloads) for path in spool.files(folder))
        return Flushed(waiting=waiting, why=str(error))


def _sender(store: Sink) -> sending.Sender:
    def send(payloads: Sequence[bytes], /) -> list[Answer]:
        try:
            return [Answer(outcome.refusal) for outcome in store.send(payloads)]
        except (Busy, Misconfigured) as error:
            raise Unavailable(str(error)) from error

    return send


def _nobody(payloads: Sequence[bytes], /) -> list[Answer]:
    raise Unavailable(f"{len(payloads)} came up just now")


def _status(arguments: argparse.Namespace, settings: Settings) -> int:
    """Where steps wait to go, and how many wait, were refused or were lost with their process."""
    found = sending.status(_spool(settings))
    rows = [
        (each.to.server or each.to.data or "(where a flush says)", each.waiting, each.refused, each.lost)
        for each in found
    ]
    show(arguments.format, _COLUMNS, rows)
    return 0
