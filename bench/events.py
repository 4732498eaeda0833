"""Events like a warehouse's: runs of a few jobs that read two tables and write one, with schema and column lineage."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator

_PRODUCER = "https://provstore.example/bench"
_COLUMNS = [{"name": f"column_{n}", "type": "VARCHAR"} for n in range(6)]


def events(count: int, seed: int = 0) -> Iterator[bytes]:
    """`count` distinct events, START and COMPLETE of one run after the other; the same for the same seed."""
    space = uuid.UUID(int=seed)
    for number in range(count):
        run, last = divmod(number, 2)
        yield json.dumps(_event(str(uuid.uuid5(space, str(run))), run, last == 1, seed)).encode()


def _event(run_id: str, run: int, complete: bool, seed: int) -> dict[str, object]:
    job, second = run % 50, (run * 10 + 5 * complete) % 86_400
    minute, day = divmod(second, 60)[0], run * 10 // 86_400
    clock = f"{minute // 60:02}:{minute % 60:02}:{second % 60:02}.{run % 1000:03}"
    stamp = f"2026-{1 + day // 28 % 12:02}-{1 + day % 28:02}T{clock}Z"
    out = {"namespace": "warehouse://bench", "name": f"mart.table_{seed}_{job}", "facets": {}}
    if complete:
        sources = [{"namespace": "warehouse://bench", "name": f"mart.table_{seed}_{(job - k) % 50}"} for k in (1, 2)]
        out["facets"] = {
            "schema": {"_producer": _PRODUCER, "fields": _COLUMNS},
            "columnLineage": {
                "_producer": _PRODUCER,
                "fields": {c["name"]: {"inputFields": [{**sources[0], "field": c["name"]}]} for c in _COLUMNS},
            },
        }
        out["outputFacets"] = {"outputStatistics": {"_producer": _PRODUCER, "rowCount": 1000 + run}}
    return {
        "eventType": "COMPLETE" if complete else "START",
        "eventTime": stamp,
        "producer": _PRODUCER,
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
        "run": {
            "runId": run_id,
            "facets": {"processing_engine": {"_producer": _PRODUCER, "name": "bench", "version": "1"}},
        },
        "job": {
            "namespace": "bench",
            "name": f"job_{job}",
            "facets": {"jobType": {"_producer": _PRODUCER, "processingType": "BATCH", "integration": "BENCH"}},
        },
        "inputs": [
            {"namespace": "warehouse://bench", "name": f"mart.table_{seed}_{(job - k) % 50}", "facets": {}}
            for k in (1, 2)
        ],
        "outputs": [out],
    }
