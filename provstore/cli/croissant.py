"""`provstore export --croissant`: a dataset as a document for other tools."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from provstore.cli.output import write
from provstore.cli.remote import call, existing, problem, server_of
from provstore.core import ProvStore
from provstore.core.things import facts_of
from provstore.core.things.statements import Row, bound, read_rows
from provstore.export import archive
from provstore.export.croissant import croissant
from provstore.queries import CannedQuery
from provstore.security.pool import WorkerPool
from provstore.settings import Settings
from provstore.store.query import QueryService

_JSON = "application/sparql-results+json"


def export(dataset: str, target: str, settings: Settings) -> int:
    """Write the Croissant document of a dataset to a new file, or with `-` print it."""
    if target != "-":
        archive.check_free(target)
    server = server_of(settings)
    text = _remote(server, dataset) if server else _local(settings, dataset)
    if target == "-":
        write(text)
    else:
        Path(target).write_text(text, encoding="utf-8")
        write(f"{target}: {dataset} as a Croissant document\n")
    return 0


def _remote(server: str, dataset: str) -> str:
    reply = call(f"{server}/entity?{urlencode({'iri': dataset, 'format': 'croissant'}, errors='replace')}")
    if reply.status != 200:
        raise problem(reply.body)
    return reply.body.decode() + "\n"


def _local(settings: Settings, dataset: str) -> str:
    directory = existing(settings)
    store = ProvStore(directory)
    pool = WorkerPool(settings.query_memory_bytes, most=1, keep=1, modules=("provstore.store.query",))
    service = QueryService(
        pool,
        directory / "spool",
        timeout=settings.query_timeout_seconds,
        max_bytes=settings.query_max_result_bytes,
    )
    try:
        snapshot = store.snapshot()

        async def ask(query: CannedQuery, about: str) -> list[Row]:
            answer = await asyncio.to_thread(service.ask_now, bound(query, about), _JSON, snapshot)
            return await read_rows(answer)

        told: dict[str, Any] = croissant(asyncio.run(facts_of(ask, dataset)))
        return json.dumps(told, ensure_ascii=False, indent=2) + "\n"
    finally:
        pool.close()
        store.close()
