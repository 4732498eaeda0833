"""`provstore query` and `provstore sparql`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from provstore import queries
from provstore.cli.output import FORMATS, show, write
from provstore.cli.remote import call, existing, problem, server_of
from provstore.core import ProvStore
from provstore.errors import Misconfigured, QueryRefused
from provstore.security.pool import WorkerPool
from provstore.settings import Settings
from provstore.store import guard
from provstore.store.query import Answer, QueryService

_MEDIA = {
    "table": "application/sparql-results+json, text/turtle;q=0.5",
    "ndjson": "application/sparql-results+json",
    "json": "application/sparql-results+json, application/ld+json;q=0.5",
    "xml": "application/sparql-results+xml, application/rdf+xml;q=0.5",
    "csv": "text/csv",
    "tsv": "text/tab-separated-values",
    "turtle": "text/turtle",
    "nt": "application/n-triples",
    "jsonld": "application/ld+json",
}


def canned(arguments: argparse.Namespace, settings: Settings) -> int:
    """Answer a canned query, or list them all."""
    if not arguments.name:
        return _list(arguments.format)
    query = queries.find(arguments.name)
    return _answer(queries.bind(query, _values(query, arguments.parameters)), arguments.format, settings)


def _list(form: str) -> int:
    if form not in FORMATS:
        raise QueryRefused(f"the list of queries has the formats {', '.join(FORMATS)}; got {form!r}")
    known = queries.catalogue().values()
    whole = [queries.describe(query) for query in known]
    show(form, ["query", "summary"], [[query.name, query.summary] for query in known], whole)
    return 0


def _values(query: queries.CannedQuery, pairs: Sequence[str]) -> dict[str, str]:
    values: dict[str, str] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or key in values:
            wrong = "given twice" if equals else "no key=value"
            takes = ", ".join([*(each.name for each in query.parameters), "limit"])
            raise QueryRefused(f"a parameter is key=value, once; {pair!r} is {wrong}; {query.name} takes {takes}")
        values[key] = value
    return values


def sparql(arguments: argparse.Namespace, settings: Settings) -> int:
    """Answer a SPARQL query."""
    return _answer(_text(arguments.query), arguments.format, settings)


def _text(given: str) -> str:
    try:
        if given == "-":
            return sys.stdin.buffer.read().decode()
        return Path(given[1:]).read_text(encoding="utf-8") if given.startswith("@") else given
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(f"the query cannot be read: {error}") from error


def _answer(query: str, form: str, settings: Settings) -> int:
    server = server_of(settings)
    media_type, body = _remote(server, query, form) if server else _local(query, form, settings)
    said_no = guard.check(query) == "ASK" and b"false" in body  # in each of the formats an ASK can be answered in
    if form in ("table", "ndjson") and "json" in media_type:
        _rows(json.loads(body), form)
    else:
        write(body if body.endswith(b"\n") else body + b"\n")
    return 1 if said_no else 0


def _remote(server: str, query: str, form: str) -> tuple[str, bytes]:
    headers = {"Accept": _MEDIA[form], "Content-Type": "application/x-www-form-urlencoded"}
    reply = call(f"{server}/sparql", urlencode({"query": query}).encode(), headers)
    if reply.status != 200 or reply.media_type not in _MEDIA[form]:
        raise problem(reply.body)
    return reply.media_type, reply.body


def _local(query: str, form: str, settings: Settings) -> tuple[str, bytes]:
    directory = existing(settings)
    store = ProvStore(directory)
    pool = WorkerPool(settings.query_memory_bytes, most=1, keep=1, modules=("provstore.store.query",))
    try:
        service = QueryService(
            pool,
            directory / "spool",
            timeout=settings.query_timeout_seconds,
            max_bytes=settings.query_max_result_bytes,
        )
        return _whole(service.ask_now(query, _MEDIA[form], store.snapshot()))
    finally:
        pool.close()
        store.close()


def _whole(answer: Answer) -> tuple[str, bytes]:
    if answer.path is None:
        return answer.media_type, answer.body
    body = answer.path.read_bytes()
    answer.path.unlink()
    return answer.media_type, body


def _rows(said: dict[str, Any], form: str) -> None:
    """Print what SPARQL results in JSON hold."""
    if "boolean" in said:
        write(f"{json.dumps(said['boolean'])}\n")
        return
    columns = said["head"]["vars"]
    rows = [[_value(row.get(name)) for name in columns] for row in said["results"]["bindings"]]
    show(form, columns, rows, note=f"({len(rows):,} row{'' if len(rows) == 1 else 's'})")


def _value(term: dict[str, Any] | None) -> str | None:
    """A term as CSV has it (SPARQL 1.1 Query Results CSV §3.2); None where the variable is unbound."""
    if term is None:
        return None
    value = term["value"]  # of a quoted triple it is an object
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
