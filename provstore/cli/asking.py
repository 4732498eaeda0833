"""`provstore query` and `provstore sparql`."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from urllib.parse import urlencode

from provstore import queries
from provstore.cli.output import table
from provstore.cli.remote import call, existing, problem, server_of
from provstore.core import ProvStore
from provstore.errors import Misconfigured, QueryRefused
from provstore.security.pool import WorkerPool
from provstore.settings import Settings
from provstore.store.query import Answer, QueryService

_MEDIA = {
    "table": "application/sparql-results+json, text/turtle;q=0.5",
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
        known = queries.catalogue().values()
        print(table(["query", "summary"], [[query.name, query.summary] for query in known]))
        return 0
    query = queries.find(arguments.name)
    values = {}
    for pair in arguments.parameters:
        key, equals, value = pair.partition("=")
        if not equals:
            takes = ", ".join([*(each.name for each in query.parameters), "limit"])
            raise QueryRefused(f"a parameter is key=value, got {pair!r}; {arguments.name} takes {takes}")
        values[key] = value
    return _answer(queries.bind(query, values), arguments.format, settings)


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
    if form not in _MEDIA:
        raise QueryRefused(f"--format is one of {', '.join(_MEDIA)}, got {form!r}")
    server = server_of(settings)
    media_type, body = _remote(server, query, form) if server else _local(query, form, settings)
    if form == "table" and "json" in media_type:
        print(_as_table(json.loads(body)))
    else:
        sys.stdout.buffer.write(body if body.endswith(b"\n") else body + b"\n")
    return 0


def _remote(server: str, query: str, form: str) -> tuple[str, bytes]:
    headers = {"Accept": _MEDIA[form], "Content-Type": "application/x-www-form-urlencoded"}
    status, body = call(f"{server}/sparql", urlencode({"query": query}).encode(), headers)
    if status != 200:
        raise problem(body)
    return ("json" if body.lstrip().startswith(b"{") else "text"), body


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


def _as_table(said: dict[str, object]) -> str:
    if "boolean" in said:
        return str(said["boolean"]).lower()
    head, results = said["head"], said["results"]
    assert isinstance(head, dict)
    assert isinstance(results, dict)
    columns = head["vars"]
    rows = [[row.get(c, {}).get("value", "") for c in columns] for row in results["bindings"]]
    return f"{table(columns, rows)}\n({len(rows)} row{'' if len(rows) == 1 else 's'})"
