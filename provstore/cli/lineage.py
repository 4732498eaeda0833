"""`provstore lineage` and `provstore impact`."""

from __future__ import annotations

import argparse
from typing import Any
from urllib.parse import urlencode

from provstore.cli.output import show, write
from provstore.cli.remote import answer, existing, server_of
from provstore.cli.searching import meant
from provstore.core import ProvStore
from provstore.errors import NotFound
from provstore.lineage.ask import Asked, Told, asked
from provstore.lineage.graph import LineageGraph
from provstore.lineage.parameters import PARAMETERS
from provstore.settings import Settings

_JSON = {"Accept": "application/json"}
_NAMING = ("entity", "to", "compare")  # the parameters that name a thing
_WIDE = {"asset", "activity"}  # of no help in a terminal beside the IRI that holds them


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Answer a question of lineage or impact."""
    form: str = arguments.command
    given = {name: value for name in PARAMETERS[form] if (value := getattr(arguments, name.replace("-", "_")))}
    question = asked(form, given)
    server = server_of(settings)
    try:
        said = (
            answer(f"{server}/{form}?{urlencode(given, errors='replace')}", _JSON)
            if server
            else _local(question, settings)
        )
    except NotFound as error:
        unknown = next((given[name] for name in _NAMING if given.get(name, "\0") in str(error)), None)
        raise NotFound(f"{error}; {meant(unknown, settings)}" if unknown else str(error)) from error
    _print(question.told(said), arguments.format)
    return 0


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
        _show_table(told)
    elif form == "turtle":
        write(told.ntriples())
    else:
        show(form, told.columns, told.rows(), told.json)


def _show_table(told: Told) -> None:
    shown = [number for number, name in enumerate(told.columns) if name not in _WIDE]
    rows = [[row[number] for number in shown] for row in told.rows()]
    total = told.json.get("total", sum(told.json.get("counts", {}).values()) or len(rows))
    more = f"; the next page: --cursor {told.json['next']}" if told.json.get("next") else ""
    note = f"({len(rows)} of {total}, at ledger index {told.index}{more})"
    show("table", [told.columns[n] for n in shown], rows, note=note)
