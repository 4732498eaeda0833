"""`provstore capture dvc`: the history of a git repository with DVC in it, brought into a store."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from provstore.capture.formats import own_media_type
from provstore.cli import ingest
from provstore.cli.output import show_json, write
from provstore.cli.progress import Progress
from provstore.errors import Misconfigured
from provstore.pull.dvc import Told, Walk
from provstore.pull.repository import Repository
from provstore.settings import Settings

#: Bytes of payloads that are sent at once.
_SENT: Final = 1 << 20


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Send what the repository recorded and the store does not have; 1 where something was unreadable or refused."""
    if arguments.follow or arguments.listen:
        raise Misconfigured(
            "a repository is read once: --follow and --listen go with mlflow; run it again after a pull"
        )
    counts = {"new": 0, "known": 0, "refused": 0, "unreadable": 0}
    with Repository(Path(arguments.source)) as repository, Progress("capture", " commits") as progress:
        walk = Walk(
            repository,
            namespace=arguments.namespace or "",
            hashes=not arguments.no_artifacts,
            caches=[Path(each) for each in arguments.cache],
            most=arguments.max_file_bytes,
            progress=progress,
        )
        taker = ingest.opened(settings)
        try:
            for group in _groups(walk.payloads()):
                for outcomes, _ in taker.take(group, own_media_type("dvc")):
                    for outcome in outcomes:
                        counts[_kind(outcome)] += 1
                        if "detail" in outcome:
                            progress.note(f"refused: {outcome['detail']}")
        finally:
            taker.close()
        for told in walk.told:
            progress.note(_place(told))
    counts["unreadable"] = len(walk.told)
    if arguments.format == "json":
        show_json({"namespace": walk.namespace, **counts}, indent=None)
    else:
        write(", ".join(f"{number:,} {what}" for what, number in counts.items()) + "\n")
    return 1 if counts["refused"] or counts["unreadable"] else 0


def _groups(payloads: Iterator[dict[str, Any]]) -> Iterator[bytes]:
    """The payloads as lines, many at once."""
    lines: list[bytes] = []
    size = 0
    for payload in payloads:
        line = json.dumps(payload, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
        lines.append(line)
        size += len(line)
        if size >= _SENT:
            yield b"\n".join(lines)
            lines, size = [], 0
    if lines:
        yield b"\n".join(lines)


def _kind(outcome: dict[str, Any]) -> str:
    return "refused" if "detail" in outcome else "known" if outcome["duplicate"] else "new"


def _place(told: Told) -> str:
    where = f"{told.path} in commit {told.commit[:12]}" if told.commit else told.path
    return f"left out: {where}: {told.message}"
