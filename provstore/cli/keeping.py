"""`provstore verify`, `rebuild`, `backup`, `restore`, `settings`."""

from __future__ import annotations

import argparse
from pathlib import Path

from provstore.cli.output import Progress, table
from provstore.cli.remote import existing
from provstore.core import ProvStore, check, store
from provstore.errors import Misconfigured
from provstore.ledger.verify import verify as verify_ledger
from provstore.settings import SETTINGS, Settings


def verify(arguments: argparse.Namespace, settings: Settings) -> int:
    """0 when the ledger holds (with or without a witness), 1 when it does not."""
    directory = existing(settings)
    kept = None
    if arguments.checkpoint:
        try:
            kept = Path(arguments.checkpoint).read_text()
        except (OSError, UnicodeDecodeError) as error:
            raise Misconfigured(f"the checkpoint cannot be read: {error}") from error
    progress = Progress("verify")
    report = verify_ledger(directory, checkpoint=kept, progress=progress)
    progress.end()
    for finding in report.findings[:100]:
        print(finding)
    print(report.status)
    if not report.ok or not arguments.views:
        return 0 if report.ok else 1
    opened = ProvStore(directory)
    findings = check.check_store(opened)
    opened.close()
    for line in findings[:100]:
        print(line)
    print(
        "VIEWS: equal to what the ledger says" if not findings else f"VIEWS: {len(findings)} difference(s); run rebuild"
    )
    return 1 if findings else 0


def rebuild(arguments: argparse.Namespace, settings: Settings) -> int:
    """Make every view again."""
    progress = Progress("rebuild")
    opened = ProvStore(existing(settings))
    opened.rebuild(progress)
    progress.end()
    print(f"rebuilt: {opened.views.applied + 1} entries, {len(opened.views.store):,} quads")
    opened.close()
    return 0


def backup(arguments: argparse.Namespace, settings: Settings) -> int:
    """Copy the ledger and its key."""
    size = store.backup(Path(settings.data), Path(arguments.target))
    print(f"backed up {size} entries to {arguments.target} (it holds the signing key: keep it private)")
    return 0


def restore(arguments: argparse.Namespace, settings: Settings) -> int:
    """A store from a backup."""
    progress = Progress("restore")
    report = store.restore(Path(arguments.source), Path(settings.data), progress)
    progress.end()
    print(f"restored {report.size} entries to {settings.data}")
    return 0


def settings(arguments: argparse.Namespace, settings: Settings) -> int:
    """Every setting."""
    rows = [[s.name, str(getattr(settings, s.name)), f"PROVSTORE_{s.name.upper()}", s.help] for s in SETTINGS]
    print(table(["setting", "value", "variable", "meaning"], rows))
    return 0
