"""`provstore verify`, `rebuild`, `backup`, `restore`, `settings`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from provstore.cli import exporting
from provstore.cli.output import show, show_json, write
from provstore.cli.progress import Progress
from provstore.cli.remote import existing, unserved
from provstore.core import ProvStore, check, store
from provstore.errors import Misconfigured
from provstore.ledger.verify import Report
from provstore.ledger.verify import verify as verify_ledger
from provstore.settings import SETTINGS, Settings

_SHOWN = 100  # findings of each kind that are told to a person


def verify(arguments: argparse.Namespace, settings: Settings) -> int:
    """0 when the ledger holds (with or without a witness), 1 when it does not."""
    if arguments.package or arguments.key or arguments.proof or arguments.trust:
        return exporting.check(arguments, settings)
    directory = unserved(settings) if arguments.views else existing(settings)
    kept = None
    if arguments.checkpoint:
        try:
            kept = Path(arguments.checkpoint).read_text()
        except (OSError, UnicodeDecodeError) as error:
            raise Misconfigured(f"the checkpoint cannot be read: {error}") from error
    with Progress("verify") as progress:
        report = verify_ledger(directory, checkpoint=kept, progress=progress)
    differences = _differences(directory) if report.ok and arguments.views else None
    if arguments.format == "json":
        show_json(_as_json(report, differences))
    else:
        write("\n".join(_as_text(report, differences)) + "\n")
    return 0 if report.ok and not differences else 1


def _differences(directory: Path) -> list[str]:
    opened = ProvStore(directory)
    try:
        return check.check_store(opened)
    finally:
        opened.close()


def _as_json(report: Report, differences: list[str] | None) -> dict[str, Any]:
    said: dict[str, Any] = {
        "status": report.status.partition(":")[0],
        "entries": report.size,
        "root": report.root,
        "confirmed": report.confirmed,
        "findings": [{"index": each.index, "message": each.message} for each in report.findings],
    }
    return said if differences is None else {**said, "views": {"equal": not differences, "differences": differences}}


def _as_text(report: Report, differences: list[str] | None) -> list[str]:
    lines = [*map(str, report.findings[:_SHOWN]), report.status]
    if differences is not None:
        lines += differences[:_SHOWN]
        many = f"{len(differences)} difference(s); run `provstore rebuild`"
        lines.append(f"VIEWS: {many if differences else 'equal to what the ledger says'}")
    return lines


def rebuild(arguments: argparse.Namespace, settings: Settings) -> int:
    """Make every view again."""
    opened = ProvStore(unserved(settings))
    try:
        with Progress("rebuild") as progress:
            opened.rebuild(progress)
        entries, quads = opened.views.applied + 1, len(opened.views.store)
    finally:
        opened.close()
    return _done(arguments, f"rebuilt: {entries} entries, {quads:,} quads", {"entries": entries, "quads": quads})


def backup(arguments: argparse.Namespace, settings: Settings) -> int:
    """Copy the ledger and its key."""
    with Progress("backup", " pages") as progress:
        size = store.backup(Path(settings.data), Path(arguments.target), progress)
    note = f"backed up {size} entries to {arguments.target} (it holds the signing key: keep it private)"
    return _done(arguments, note, {"entries": size, "target": arguments.target})


def restore(arguments: argparse.Namespace, settings: Settings) -> int:
    """A store from a backup."""
    with Progress("restore") as progress:
        report = store.restore(Path(arguments.source), Path(settings.data), progress)
    note = f"restored {report.size} entries to {settings.data}"
    return _done(arguments, note, {"entries": report.size, "root": report.root, "directory": settings.data})


def _done(arguments: argparse.Namespace, note: str, said: dict[str, Any]) -> int:
    if arguments.format == "json":
        show_json(said)
    else:
        write(f"{note}\n")
    return 0


def settings(arguments: argparse.Namespace, settings: Settings) -> int:
    """Every setting."""
    values = {s.name: getattr(settings, s.name) for s in SETTINGS}
    shown = {s.name: "(set)" if s.secret and values[s.name] else values[s.name] for s in SETTINGS}
    rows = [[s.name, shown[s.name], f"PROVSTORE_{s.name.upper()}", s.help] for s in SETTINGS]
    show(arguments.format, ["setting", "value", "variable", "meaning"], rows)
    return 0
