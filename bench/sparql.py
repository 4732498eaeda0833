"""A SPARQL query through HTTP and a killable worker, against the same query in process."""

from __future__ import annotations

import http.client
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from urllib.parse import urlencode

import pyoxigraph as ox

from bench.events import events
from bench.ingest import serving
from provstore.security.pool import WorkerPool
from provstore.store.query import QueryService, Snapshot

_QUERIES = {
    "ASK {}": "ASK {}",
    "20 rows": "SELECT ?run ?input WHERE { ?run <http://www.w3.org/ns/prov#used> ?input } LIMIT 20",
    "count of all": "SELECT (COUNT(*) AS ?n) WHERE { ?s ?p ?o }",
}
_EVENTS, _TIMES = 600, 60


def main() -> None:
    """Print the median milliseconds of each query by each way, and their ratios."""
    print(f"{_EVENTS} events in the store; medians of {_TIMES}\n")
    print("| query | in process | in a worker | over HTTP | worker ÷ in process | HTTP ÷ in process |")
    print("|---|---|---|---|---|---|")
    with serving("prov-core:off") as url, tempfile.TemporaryDirectory() as directory:
        host, port = url.removeprefix("http://").split(":")
        connection = http.client.HTTPConnection(host, int(port))
        body = b"\n".join(events(_EVENTS))
        connection.request("POST", "/api/v1/lineage", body, {"Content-Type": "application/x-ndjson"})
        connection.getresponse().read()
        copy = _copy(connection, Path(directory) / "store")
        pool = WorkerPool(2 << 30, most=2, keep=1, modules=("provstore.store.query", "pyoxigraph"))
        service = QueryService(pool, Path(directory) / "spool", timeout=30, max_bytes=1 << 28)
        store = ox.Store.read_only(copy.path)
        for name, query in _QUERIES.items():
            inside = _median(partial(_inside, store, query))
            worker = _median(partial(service.ask_now, query, None, copy))
            remote = _median(partial(_get, connection, query))
            ratios = f"{worker / inside:.1f} | {remote / inside:.1f}"
            print(f"| {name} | {inside:.2f} ms | {worker:.2f} ms | {remote:.2f} ms | {ratios} |")
        pool.close()


def _inside(store: ox.Store, query: str) -> None:
    result = store.query(query)
    assert not isinstance(result, ox.QueryTriples)
    result.serialize(format=ox.QueryResultsFormat.JSON)


def _copy(connection: http.client.HTTPConnection, path: Path) -> Snapshot:
    """The server's triples in a store of our own."""
    connection.request(
        "GET", f"/sparql?{urlencode({'query': 'CONSTRUCT { ?s ?p ?o } WHERE { ?s ?p ?o }'})}&min-index={_EVENTS}"
    )
    triples = connection.getresponse().read()
    store = ox.Store(str(path))
    store.load(triples, format=ox.RdfFormat.TURTLE)
    store.flush()
    del store
    return Snapshot(str(path), 0)


def _get(connection: http.client.HTTPConnection, query: str) -> None:
    connection.request("GET", f"/sparql?{urlencode({'query': query})}")
    answer = connection.getresponse()
    answer.read()
    if answer.status != 200:
        raise SystemExit(f"the server answered {answer.status}")


def _median(work: Callable[[], object]) -> float:
    times = []
    for _ in range(_TIMES):
        started = time.perf_counter()
        work()
        times.append((time.perf_counter() - started) * 1000)
    return statistics.median(times)


if __name__ == "__main__":
    main()
