"""`provstore lineage` and `provstore impact`."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any
from urllib.parse import urlencode

from provstore.cli.output import table
from provstore.cli.remote import call, existing, problem, server_of
from provstore.core import ProvStore
from provstore.errors import QueryRefused
from provstore.lineage.ask import Asked, Told, asked
from provstore.lineage.graph import LineageGraph
from provstore.lineage.parameters import FORMATS, PARAMETERS
from provstore.settings import Settings

_WIDE = {"asset", "activity"}  # of no help in a terminal beside the IRI that holds them


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Answer a question of lineage or impact."""
    form: str = arguments.command
    if arguments.format not in FORMATS[form]:
        raise QueryRefused(f"--format is one of {', '.join(FORMATS[form])}, got {arguments.format!r}")
    given = {name: value for name in PARAMETERS[form] if (value := getattr(arguments, name.replace("-", "_")))}
    question = asked(form, given)
    server = server_of(settings)
    said = _remote(f"{server}/{form}?{urlencode(given)}") if server else _local(question, settings)
    _print(question.told(said), arguments.format)
    return 0


def _remote(url: str) -> dict[str, Any]:
    status, body = call(url, None, {"Accept": "application/json"})
    if status != 200:
        raise problem(body)
    found: dict[str, Any] = json.loads(body)
    return found


def _local(question: Asked, settings: Settings) -> dict[str, Any]:
    store = ProvStore(existing(settings))  # brings the views up to the ledger, and keeps others out meanwhile
    try:
        graph = LineageGraph(store.directory / "views")
        try:
            return question.compute(graph)
        finally:
            graph.close()
    finally:
        store.close()


def _print(told: Told, form: str) -> None:
    if form == "table":
        print(_as_table(told))
    elif form == "json":
        print(json.dumps(told.json, indent=2, ensure_ascii=False))
    else:
        sys.stdout.write(told.csv() if form == "csv" else told.ntriples())


def _as_table(told: Told) -> str:
    shown = [number for number, name in enumerate(told.columns) if name not in _WIDE]
    rows = [[row[number] for number in shown] for row in told.rows()]
    total = told.json.get("total", sum(told.json.get("counts", {}).values()) or len(rows))
    more = f"; the next page: --cursor {told.json['next']}" if told.json.get("next") else ""
    return (
        f"{table([told.columns[n] for n in shown], rows)}\n({len(rows)} of {total}, at ledger index {told.index}{more})"
    )
