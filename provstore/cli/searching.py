"""`provstore search`."""

from __future__ import annotations

import argparse
import csv
import json
import sys
from typing import Any
from urllib.parse import urlencode

from provstore.cli.output import table
from provstore.cli.remote import call, existing, problem, server_of
from provstore.core import ProvStore
from provstore.errors import QueryRefused
from provstore.search import FILTERS, Request, Searcher, as_json
from provstore.settings import Settings

_FORMATS = ("table", "json", "csv")
_COLUMNS = ("kind", "name", "namespace", "iri", "score")


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Print what is found; exit code 1 where nothing is."""
    if arguments.format not in _FORMATS:
        raise QueryRefused(f"--format is one of {', '.join(_FORMATS)}, got {arguments.format!r}")
    if arguments.limit < 0:
        raise QueryRefused(f"--limit must be a non-negative integer, got {arguments.limit}")
    filters = {name: tuple(getattr(arguments, name)) for name in FILTERS}
    request = Request(" ".join(arguments.words), filters, arguments.limit)
    server = server_of(settings)
    found = _remote(server, request) if server else _local(request, settings)
    if arguments.format == "json":
        print(json.dumps(found, indent=2))
    elif arguments.format == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(_COLUMNS)
        writer.writerows([each[column] for column in _COLUMNS] for each in found["results"])
    else:
        print(_as_table(found))
    return 0 if found["total"] else 1


def _remote(server: str, request: Request) -> dict[str, Any]:
    asked = [("q", request.words), ("limit", str(request.limit))]
    asked += [(name, value) for name, values in request.filters.items() for value in values]
    status, body = call(f"{server}/search?{urlencode(asked, errors='replace')}")
    if status != 200:
        raise problem(body)
    found: dict[str, Any] = json.loads(body)
    return found


def _local(request: Request, settings: Settings) -> dict[str, Any]:
    directory = existing(settings)
    store = ProvStore(directory)  # brings the index up to the ledger, and keeps others from doing so meanwhile
    searcher = Searcher(directory / "views" / "view.db")
    try:
        return as_json(searcher.search(request))
    finally:
        searcher.close()
        store.close()


def _as_table(found: dict[str, Any]) -> str:
    rows = [
        [_line(each["kind"]), _line(each["name"]), _line(each["namespace"]), _matched(each["snippet"]), each["iri"]]
        for each in found["results"]
    ]
    shown, total = len(rows), found["total"]
    note = f"({total} found{'' if shown == total else f', {shown} shown'})"
    return f"{table(['kind', 'name', 'namespace', 'match', 'iri'], rows)}\n{note}" if rows else note


def _matched(snippet: dict[str, Any] | None) -> str:
    if snippet is None or len(snippet["marked"]) < 2:
        return ""
    return f"{snippet['field']}: {_line(''.join(snippet['marked']))}"


def _line(text: str) -> str:
    """Text for one line of a terminal: nothing in it can move the cursor or change colours."""
    return "".join(c if c.isprintable() else " " for c in text)
