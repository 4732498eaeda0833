"""Every canned query with parameters as people give them: through a worker on our store, and from `oxigraph serve`.

python -m bench.queries [--records 100000] [--data DIRECTORY]   (a directory that is there already is asked as it is)
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable
from functools import partial
from pathlib import Path

import httpx
import pyoxigraph as ox

from bench.company import BAD_DAY, BASE, Company
from provstore import iris, queries
from provstore.capture.openlineage import map_event
from provstore.capture.syntax import Document, map_document
from provstore.core import ProvStore
from provstore.model import Submission
from provstore.security.pool import WorkerPool
from provstore.store.query import QueryService, Snapshot
from tests.engines import plain_engine

_RECORDS, _BATCH, _TIMES = 5_000, 1024, 5
_SLOW = 2.0  # seconds; what takes longer is not asked again


def _table(name: str) -> str:
    return iris.dataset(BASE, "warehouse://mart", name)


def _run(name: str) -> str:
    return str(uuid.uuid5(uuid.UUID(int=0), f"{name} {BAD_DAY}"))


def _state(name: str) -> str:
    return f"{_table(name)}/write/{_run(name)}"


_SOURCE = iris.dataset(BASE, "s3://raw", "source_1")
_DAY = {"after": f"2026-01-{BAD_DAY + 1:02}", "before": f"2026-01-{BAD_DAY + 2:02}"}
_PREDICTION, _DECISION, _MODEL = f"{BASE}/prediction/7-0", f"{BASE}/decision/7-0", f"{BASE}/model/m0-4"
#: What is asked of the company; queries that are not here are asked without parameters.
PARAMETERS: dict[str, dict[str, str]] = {
    "audit/actions": {"agent": f"{BASE}/agent/person/validator"},
    "audit/agents": {"entity": _DECISION},
    "audit/changes": _DAY,
    "bias/disparities": {"model": _MODEL},
    "bias/sources": {"model": _MODEL},
    "catalogue/facet_values": {"entity": _state("l5.table_1")},
    "catalogue/runs": {"contains": "l5", **_DAY},
    "catalogue/schema": {"dataset": _table("l5.table_1")},
    "impact/columns": {"dataset": _table("l5.table_2")},
    "impact/consumers": {"dataset": _table("l5.table_2")},
    "impact/decisions": {"entity": _table("l12.table_1")},
    "impact/retrain": {"entity": _SOURCE, **_DAY},
    "impact/verdicts": {"entity": _SOURCE, **_DAY},
    "integrity/records": {"first": "1000", "last": "1999"},
    "lineage/columns": {"entity": _table("l5.table_1")},
    "lineage/downstream": {"entity": _state("l2.table_1")},
    "lineage/history": {"dataset": _table("l5.table_1")},
    "lineage/reproduce": {"entity": _DECISION},
    "lineage/run": {"run": f"urn:uuid:{_run('l5.table_1')}"},
    "lineage/sources": {"entity": _PREDICTION},
    "lineage/steps": {"entity": _PREDICTION, "source": _table("l9.table_6")},
    "lineage/upstream": {"entity": _PREDICTION},
    "quality/measurements": {"dataset": _table("l5.table_0")},
}


def build(directory: Path, count: int) -> None:
    """A store of `count` records of the company."""
    store = ProvStore(directory, base=BASE)
    batch: list[Submission] = []
    for kind, raw in Company(count).records():
        is_event = kind == "application/json"
        mapped = map_event(json.loads(raw), base=BASE) if is_event else map_document(Document(raw, kind, BASE))
        batch.append(Submission(raw, kind, "bench", mapped))
        if len(batch) == _BATCH:
            store.append(batch)
            store.apply_pending(_BATCH)
            batch.clear()
    store.append(batch)
    store.catch_up()
    store.close()


def main(count: int = _RECORDS, data: Path | None = None) -> None:
    """Print the median milliseconds of each query by each way, their ratio, and the CPU time of the bare query."""
    with tempfile.TemporaryDirectory() as temporary:
        directory = data or Path(temporary) / "data"
        if not directory.exists():
            build(directory, count)
        store = ProvStore(directory)
        copy, size = store.snapshot(), len(store.views.store)
        print(f"{store.ledger.head:,} records, {size:,} quads; medians of {_TIMES}\n")
        print("| query | rows | CPU | in a worker | `oxigraph serve` | worker ÷ serve |\n|---|---|---|---|---|---|")
        bare = ox.Store.read_only(copy.path)
        pool = WorkerPool(4 << 30, most=1, keep=1, modules=("provstore.store.query", "pyoxigraph"))
        service = QueryService(pool, Path(temporary) / "spool", timeout=120, max_bytes=1 << 28)
        try:
            with plain_engine("serve-read-only", "--location", copy.path) as plain:
                for name, query in queries.catalogue().items():
                    _compare(name, queries.bind(query, PARAMETERS.get(name, {})), bare, service, copy, plain)
        finally:
            pool.close()
            store.close()


def _compare(name: str, text: str, bare: ox.Store, service: QueryService, copy: Snapshot, plain: httpx.Client) -> None:
    rows = len(_rows(plain, text))
    cpu = _median(partial(_inside, bare, text), time.process_time)
    here, there = _median(partial(service.ask_now, text, None, copy)), _median(partial(_rows, plain, text))
    print(f"| {name} | {rows:,} | {cpu:.0f} ms | {here:.0f} ms | {there:.0f} ms | {here / there:.1f} |", flush=True)


def _inside(store: ox.Store, text: str) -> int:
    found = store.query(text)
    assert isinstance(found, ox.QuerySolutions)
    return sum(1 for _ in found)


def _rows(plain: httpx.Client, text: str) -> list[object]:
    answer = plain.post("/query", content=text, headers={"content-type": "application/sparql-query"})
    found: list[object] = answer.raise_for_status().json()["results"]["bindings"]
    return found


def _median(work: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    times: list[float] = []
    while len(times) < _TIMES and max(times, default=0.0) < _SLOW:
        started = clock()
        work()
        times.append(clock() - started)
    return statistics.median(times) * 1000


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=_RECORDS, help=f"how many records (default {_RECORDS:,})")
    parser.add_argument("--data", type=Path, help="a directory that keeps the store for the next time")
    arguments = parser.parse_args()
    main(arguments.records, arguments.data)
