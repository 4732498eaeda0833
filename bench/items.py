"""Record-level items: batches taken in, against `bulk_load` of the same quads; one item's provenance, few against many.

python -m bench.items [ITEMS [BATCH]]
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request, urlopen

import pyoxigraph as ox

from bench.ingest import holds, serving
from provstore.capture import payloads
from provstore.capture.items import map_items
from provstore.core import ProvStore
from provstore.model import Submission
from provstore.views.apply import without_graph

_BASE = "https://bench.example"
_ITEMS, _BATCH, _FEW = 100_000, 10_000, 1_000
_ASKED = 30


def main() -> None:
    """Print both tables; the numbers of items, all and of a batch, may be given as arguments."""
    given = [int(each) for each in sys.argv[1:]]
    count, size = (*given, *(_ITEMS, _BATCH)[len(given) :])
    with tempfile.TemporaryDirectory() as directory:
        many, few = Path(directory, "many"), Path(directory, "few")
        _taking_in(many, count, size)
        _ingest(few, _FEW, size)
        _asking(few, many, count)


def batches(count: int, size: int) -> Iterator[bytes]:
    """The payloads of `count` laboratory values, `size` of them each; always the same."""
    for first in range(0, count, size):
        hour = f"2026-04-{first // size % 28 + 1:02}T{first // size // 28 % 24:02}"
        rows = [
            [f"v{n}", (n * 7919 % 900) / 100 + 2, f"{hour}:{n % 3600 // 60:02}:{n % 60:02}Z", f"s{n}"]
            for n in range(first, min(first + size, count))
        ]
        yield json.dumps(
            {
                "provstore": "items/1",
                "kind": "Observation",
                "namespace": "glucose",
                "run": f"00000000-0000-4000-8000-{first:012}",
                "start": f"{hour}:00:00Z",
                "end": f"{hour}:59:59Z",
                "device": f"analyser-{first // size % 7}",
                "technician": f"tech-{first // size % 11}",
                "plan": "loinc-14749-6",
                "unit": "unit:MilliMOL-PER-L",
                "columns": ["key", "value", "time", "sample"],
                "rows": rows,
            }
        ).encode()


def _ingest(directory: Path, count: int, size: int) -> tuple[float, list[float]]:
    """Seconds until everything is in the views and synced; CPU seconds of each stage."""
    sent = list(batches(count, size))
    store = ProvStore(directory, base=_BASE)
    stages = [0.0, 0.0, 0.0]
    began = time.perf_counter()
    for raw in sent:
        at = [time.process_time()]
        (part,) = payloads.split(raw, "application/json", None, payloads.Limits())
        mapped = map_items(part.value, base=_BASE)
        at.append(time.process_time())
        store.append([Submission(raw, "application/json", "bench", mapped)])
        at.append(time.process_time())
        store.catch_up()
        at.append(time.process_time())
        stages = [total + after - before for total, before, after in zip(stages, at, at[1:], strict=False)]
    store.views.flush()
    seconds = time.perf_counter() - began
    store.close()
    return seconds, stages


def _taking_in(directory: Path, count: int, size: int) -> None:
    seconds, stages = _ingest(directory, count, size)
    quads, held = directory.with_suffix(".nq"), _write(directory)
    bulk, cpu = _bulk(quads, held)
    quads.unlink()
    print(f"{count} items in batches of {size}, {held / count:.0f} quads each (record and default graph)\n")
    print("| what | items/s | of `bulk_load` |\n|---|---|---|")
    print(f"| `Store.bulk_load` of the same quads | {count / bulk:.0f} | 100 % |")
    print(f"| taken in by one process: mapped, committed, applied | {count / seconds:.0f} | {bulk / seconds:.0%} |")
    served = _served(count, size)
    print(f"| over HTTP, until the views had all of it | {count / served:.0f} | {bulk / served:.0%} |")
    print(f"\n| stage | CPU µs an item |\n|---|---|\n| `bulk_load` | {cpu / count * 1e6:.0f} |")
    for what, spent in zip(("parse and map", "commit", "apply"), stages, strict=True):
        print(f"| {what} | {spent / count * 1e6:.0f} |")


def _write(directory: Path) -> int:
    """Write what the store came to hold beside it, in the order of the ledger; how many quads it holds."""
    store = ProvStore(directory)
    with directory.with_suffix(".nq").open("w", encoding="utf-8") as file:
        for body in store.ledger.bodies(1, store.ledger.head):
            quads = body.quads.decode()
            file.write(quads)
            file.write(without_graph(quads))
    held = len(store.views.store)
    store.close()
    return held


def _bulk(quads: Path, held: int) -> tuple[float, float]:
    """Wall and CPU seconds of loading the quads into a new store on disk."""
    with tempfile.TemporaryDirectory() as directory:
        store = ox.Store(directory)
        began, cpu = time.perf_counter(), time.process_time()
        store.bulk_load(path=str(quads), format=ox.RdfFormat.N_QUADS)
        store.flush()
        found = time.perf_counter() - began, time.process_time() - cpu
        loaded = len(store)
        del store  # before its directory goes
        if abs(loaded - held) > held / 100:
            raise SystemExit(f"not the same quads: {loaded} and {held}")
        return found


def _served(count: int, size: int) -> float:
    sent = list(batches(count, size))
    with serving("prov-core:off") as url:
        began = time.perf_counter()
        for raw in sent:
            _post(url, raw)
        while not holds(url, len(sent)):
            continue
        return time.perf_counter() - began


def _post(url: str, raw: bytes) -> None:
    """Send a batch, again and again where the server has too much to do."""
    while True:
        try:
            with urlopen(Request(f"{url}/records", raw, {"Content-Type": "application/json"})) as answer:
                answer.read()
                return
        except HTTPError as error:
            if error.code != 503:
                raise
            time.sleep(int(error.headers.get("Retry-After", "1")))


def _asking(few: Path, many: Path, count: int) -> None:
    print(f"\n| one item's provenance | of {_FEW} items, ms | of {count}, ms | ratio |\n|---|---|---|---|")
    with serving("prov-core:off", str(few)) as small, serving("prov-core:off", str(many)) as large:
        for url in (small, large):
            _ready(url)
        for what, path in _QUESTIONS.items():
            times = _medians(path, (small, _FEW), (large, count))
            print(f"| {what} | {times[0] * 1e3:.1f} | {times[1] * 1e3:.1f} | {times[1] / times[0]:.2f} |")


def _ready(url: str) -> None:
    """Wait until the server has read its lineage index, which it does behind its start."""
    while True:
        with urlopen(f"{url}/health") as answer:
            if json.load(answer)["lineage"]:
                return
        time.sleep(0.2)


_QUESTIONS: dict[str, Callable[[str], str]] = {
    "canned query, what it was made from": lambda item: f"/queries/lineage/upstream?entity={quote(item, safe='')}",
    "page of the item": lambda item: f"/entity?iri={quote(item, safe='')}",
    "page of its lineage": lambda item: f"/lineage?entity={quote(item, safe='')}",
    "the same, of what existed at an instant": lambda item: (
        f"/lineage?entity={quote(item, safe='')}&as-of=2027-01-01T00:00:00Z"
    ),
    "impact": lambda item: f"/impact?entity={quote(item.replace('/glucose/v', '/sample/s'), safe='')}",
    "search by key": lambda item: f"/search?q={item.rpartition('/')[2]}",
}


def _medians(path: Callable[[str], str], *asked: tuple[str, int]) -> list[float]:
    """The median seconds of asking servers, in turn, for items all over them; the first answers, to warm up, aside."""
    spent: list[list[float]] = [[] for _ in asked]
    for n in range(_ASKED + 5):
        for (url, count), times in zip(asked, spent, strict=True):
            item = f"{_BASE}/item/glucose/v{n * 7919 % count}"
            began = time.perf_counter()
            with urlopen(Request(url + path(item), headers={"Accept": "text/html"})) as answer:
                answer.read()
            times.append(time.perf_counter() - began)
    return [statistics.median(times[5:]) for times in spent]


if __name__ == "__main__":
    main()
