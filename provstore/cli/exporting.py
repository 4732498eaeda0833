"""`provstore export`, and `provstore verify` of a package."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from provstore.cli import croissant
from provstore.cli.output import show_json, write
from provstore.cli.progress import Progress
from provstore.cli.remote import download, existing, server_of
from provstore.core import ProvStore, export
from provstore.core.signatures import trusted_keys
from provstore.errors import Misconfigured, QueryRefused
from provstore.export import archive, verify
from provstore.export.package import verifier_digest
from provstore.export.parameters import PARAMETERS
from provstore.export.selection import selection
from provstore.ledger.note import size_of
from provstore.settings import Settings


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Write a package to a new file or directory; or of one dataset a document for other tools."""
    given, target = _given(arguments), arguments.target
    if arguments.croissant:
        if given:
            raise QueryRefused("--croissant writes one document: it goes with no selection of records")
        return croissant.export(arguments.croissant, target, settings)
    selection(given)  # what is wrong with it is said before anything is made
    archive.check_free(target)
    scratch = export.scratch(Path(target).parent)
    server = server_of(settings)
    try:
        said = _remote(server, given, scratch) if server else _local(settings, given, scratch)
        size = scratch.stat().st_size
        archive.put(scratch, target)
    finally:
        scratch.unlink(missing_ok=True)
    if arguments.format == "json":
        show_json({"target": target, **said, "bytes": size, "verifier": verifier_digest()})
    else:
        write(_DONE.format(target=target, size=size, verifier=verifier_digest(), **said))
    return 0


_DONE = """\
exported {records} records of a ledger of {entries} entries to {target} ({size:,} bytes)
verify it with `provstore verify {target}`, or where provstore is not with the verify.py in it, whose SHA-256 is
{verifier}
"""


def _remote(server: str, given: list[tuple[str, str]], scratch: Path) -> dict[str, Any]:
    with Progress("export", " bytes") as progress:
        headers = download(f"{server}/export?{urlencode(given, errors='replace')}", scratch, progress)
    numbers = {name: int(headers.get(f"Provstore-{name.capitalize()}", 0)) for name in ("records", "entries")}
    return {**numbers, "manifest": headers.get("ETag", "").strip('"')}


def _local(settings: Settings, given: list[tuple[str, str]], scratch: Path) -> dict[str, Any]:
    store = ProvStore(existing(settings))
    try:
        with Progress("export") as progress:
            said = export.in_directory(store, settings, selection(given), scratch, progress)
    finally:
        store.close()
    return {"records": said.records, "entries": said.entries, "manifest": said.manifest}


def _given(arguments: argparse.Namespace) -> list[tuple[str, str]]:
    """The parameters of the selection that the arguments name."""
    found: list[tuple[str, str]] = []
    for name in PARAMETERS:
        if name not in ("query", "param", "from"):
            value = getattr(arguments, name)
            found += [(name, each) for each in (value if isinstance(value, list) else [value]) if each is not None]
    if arguments.query:
        found += [("query", arguments.query[0]), *(("param", each) for each in arguments.query[1:])]
    return found + [("from", str(_size(path))) for path in arguments.checkpoint or ()]


def _size(path: str) -> int:
    try:
        return size_of(Path(path).read_text())
    except (OSError, ValueError) as error:
        raise Misconfigured(f"{path} holds no checkpoint: {error}") from error


def check(arguments: argparse.Namespace, settings: Settings) -> int:
    """Verify a package, as the verifier inside it would."""
    if arguments.package is None:
        raise QueryRefused("--key, --proof and --trust are for a package: name its file or directory")
    if arguments.views:
        raise QueryRefused("--views is for a data directory: a package has none")
    report = _report(arguments, settings)
    if arguments.format == "json":
        status = report.status.partition(":")[0]
        show_json({"status": status, "says": report.status, "findings": report.findings, "notes": report.notes})
    else:
        write("\n".join(report.lines()) + "\n")
    return report.code


def _report(arguments: argparse.Namespace, settings: Settings) -> verify.Report:
    key = arguments.key
    try:
        with Progress("verify") as progress:
            return verify.check(
                Path(arguments.package),
                key=key if key is None or "+" in key else verify.kept(key),
                checkpoint=None if arguments.checkpoint is None else verify.kept(arguments.checkpoint),
                proof=None if arguments.proof is None else verify.kept(arguments.proof),
                trusted=trusted_keys([*filter(None, [settings.trusted_keys]), *arguments.trust]),
                progress=progress,
            )
    except verify.Impossible as error:
        raise Misconfigured(str(error)) from error
