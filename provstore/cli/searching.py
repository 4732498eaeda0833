"""`provstore search`, and what was meant where a name is not known."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import Any
from urllib.parse import unquote, urlencode

from provstore.cli.output import show
from provstore.cli.remote import answer, existing, server_of
from provstore.core import ProvStore
from provstore.errors import ProvStoreError, QueryRefused
from provstore.search import FILTERS, Request, Searcher, as_json
from provstore.settings import Settings

_COLUMNS = ("kind", "name", "namespace", "iri", "score")
_PIECE = re.compile(r"[^\W_]{3,}")


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Print what is found; exit code 1 where nothing is."""
    if arguments.limit < 0:
        raise QueryRefused(f"--limit must be a non-negative integer, got {arguments.limit}")
    filters = {name: tuple(getattr(arguments, name)) for name in FILTERS}
    found = _found(Request(" ".join(arguments.words), filters, arguments.limit), settings)
    if arguments.format == "table":
        _show_table(found)
    else:
        show(arguments.format, _COLUMNS, [[each[name] for name in _COLUMNS] for each in found["results"]], found)
    return 0 if found["total"] else 1


def _found(request: Request, settings: Settings) -> dict[str, Any]:
    server = server_of(settings)
    return _remote(server, request) if server else _local(request, settings)


def _remote(server: str, request: Request) -> dict[str, Any]:
    asked = [("q", request.words), ("limit", str(request.limit))]
    asked += [(name, value) for name, values in request.filters.items() for value in values]
    return answer(f"{server}/search?{urlencode(asked, errors='replace')}")


def _local(request: Request, settings: Settings) -> dict[str, Any]:
    directory = existing(settings)
    store = ProvStore(directory)  # brings the index up to the ledger, and keeps others from doing so meanwhile
    searcher = Searcher(directory / "views" / "view.db")
    try:
        return as_json(searcher.search(request))
    finally:
        searcher.close()
        store.close()


def _show_table(found: dict[str, Any]) -> None:
    rows = [
        [each["kind"], each["name"], each["namespace"], _matched(each["snippet"]), each["iri"]]
        for each in found["results"]
    ]
    shown, total = len(rows), found["total"]
    note = f"({total} found{'' if shown == total else f', {shown} shown'})"
    show("table", ["kind", "name", "namespace", "match", "iri"], rows, note=note)


def _matched(snippet: dict[str, Any] | None) -> str:
    if snippet is None or len(snippet["marked"]) < 2:
        return ""
    return f"{snippet['field']}: {''.join(snippet['marked'])}"


# --- what was meant --------------------------------------------------------------------------------------------------


def meant(entity: str, settings: Settings) -> str:
    """What to try where an entity is not known: things with a name like it, or else how to look for it."""
    for words in _tries(entity):
        try:
            found = _found(Request(words, {}, 20), settings)["results"]
        except ProvStoreError:  # the error that led here is the one to be told
            break
        if found:
            names = dict.fromkeys(each["iri"] if "://" in entity else each["name"] or each["iri"] for each in found)
            likely = sorted(names, key=lambda name: SequenceMatcher(None, entity, name).ratio(), reverse=True)[:3]
            return f"perhaps {' or '.join(likely)}; `provstore search WORDS` finds more"
    return "`provstore search WORDS` finds what has a name, `provstore search` alone lists all"


def _tries(entity: str) -> Iterator[str]:
    """Searches from the whole name to a piece of it: a misspelt word is left out, or only its beginning is right."""
    last = unquote(re.split(r"[/#:]", entity.rstrip("/#:"))[-1])[:100]
    pieces = sorted(set(_PIECE.findall(last)), key=len, reverse=True)[:3]
    yield " ".join(_PIECE.findall(last)[:5]) or last
    yield from pieces
    yield from (f"{piece[:length]}*" for length in (4, 3) for piece in pieces)
