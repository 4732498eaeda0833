"""A search with ranking, facets and marked matches, against a LIKE scan of the same texts and SPARQL's CONTAINS."""

from __future__ import annotations

import json
import random
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pyoxigraph as ox

from bench.events import events
from provstore.capture.openlineage import map_event
from provstore.core import ProvStore
from provstore.model import Submission
from provstore.search import Request, Searcher
from provstore.views import facts, texts
from provstore.views.apply import without_graph
from provstore.views.facts import Facts
from provstore.views.search import SearchIndex

_DATASETS, _TIMES, _FEWER = 100_000, 100, 5
_EVENTS = 1500
_BASE = "https://bench.example"
_WORDS = (
    *("customer", "order", "risk", "score", "payment", "ledger", "invoice", "account", "daily", "region", "product"),
    *("supplier", "shipment", "device", "metric", "event", "session", "click", "price", "margin", "forecast", "churn"),
    *(
        "segment",
        "address",
        "street",
        "city",
        "country",
        "postal",
        "email",
        "phone",
        "gender",
        "age",
        "income",
        "limit",
    ),
    *("rate", "currency", "amount", "tax", "discount", "refund", "status", "reason", "channel", "campaign", "store"),
)
#: What is asked, what a LIKE would have to look for, and one filter.
_QUERIES = {
    "a rare word": ("quicksilver", "quicksilver", {}),
    "a common word": ("customer", "customer", {}),
    "a word that all have": ("yesterday", "yesterday", {}),
    "two words": ("risk score", "risk%score", {}),
    "the beginning of a word": ("quicksil", "quicksil", {}),
    "a part of a name": ("customer_risk_sc", "customer_risk_sc", {}),
    "a phrase": ('"customer risk score"', "customer_risk_score", {}),
    "a common word, one owner": ("customer", "customer", {"owner": ("team:t3",)}),
    "inside of words": ("ustomer_ris", "ustomer_ris", {}),
    "nothing typed": ("", "", {}),
}
_CONTAINS = (
    "SELECT (COUNT(?d) AS ?n) WHERE { ?d a <https://w3id.org/provstore/ns#Dataset> ;"
    " <https://w3id.org/provstore/ns#name> ?name FILTER(CONTAINS(LCASE(?name), 'customer_risk')) }"
)


def main() -> None:
    """Print what asking takes by each way, then what the index takes to keep."""
    with tempfile.TemporaryDirectory() as directory:
        store = ProvStore(Path(directory), base=_BASE)
        triples = _fill(store)
        path = store.directory / "views" / "view.db"
        print(f"{_DATASETS:,} datasets of 10 columns; {_TIMES} times each, with facets, total and the first 20\n")
        _asked(path)
        searcher = Searcher(path)
        ours = statistics.median(_times(_FEWER, lambda: searcher.search(Request("customer_risk"))))
        theirs = statistics.median(_times(_FEWER, lambda: _sparql(triples)))
        print(f"\nNames with `customer_risk`: {ours:.1f} ms, and {theirs:.0f} ms with SPARQL's `CONTAINS`", end="")
        print(f" over names alone: {theirs / ours:.0f} times as long.\n")
        searcher.close()
        store.close()
        _sizes(path)
    _cost()


def _dataset(number: int, dice: random.Random) -> dict[str, object]:
    def some(count: int) -> str:
        return "_".join(dice.choices(_WORDS, k=count))

    rare = "quicksilver" if number % 10_000 == 0 else "yesterday"
    return {
        "eventTime": "2026-01-01T00:00:00Z",
        "producer": "https://provstore.example/bench",
        "dataset": {
            "namespace": f"postgres://db{number % 20}",
            "name": f"{dice.choice(('analytics', 'staging', 'mart', 'raw'))}.{some(3)}_{number}",
            "facets": {
                "schema": {"fields": [{"name": some(2), "type": "VARCHAR"} for _ in range(10)]},
                "documentation": {
                    "description": f"The {some(1)} of every {some(1)} by {some(1)}, as of {rare} or yesterday"
                },
                "ownership": {"owners": [{"name": f"team:t{number % 50}"}]},
                "tags": {"tags": [{"key": "pii", "value": "true"}] if number % 7 == 0 else []},
            },
        },
    }


def _submissions(values: Iterator[dict[str, object]]) -> list[Submission]:
    return [
        Submission(json.dumps(value).encode(), "application/json", "b", map_event(value, base=_BASE))
        for value in values
    ]


def _fill(store: ProvStore) -> ox.Store:
    """The datasets in ledger and view database; their triples, which take the longest, in a store of their own."""
    dice, triples = random.Random(1), ox.Store()
    store.views.store.load = lambda quads: None  # type: ignore[method-assign]
    store.views.store.remove = lambda *_: None  # type: ignore[method-assign]
    for first in range(0, _DATASETS, 1000):
        given = _submissions(_dataset(number, dice) for number in range(first, min(first + 1000, _DATASETS)))
        store.append(given)
        store.catch_up()
        text = "".join(without_graph(each.mapped.quads.decode()) for each in given)
        triples.bulk_load(text.encode(), format=ox.RdfFormat.N_TRIPLES)
    return triples


def _times(count: int, work: Callable[[], object]) -> list[float]:
    found = []
    for _ in range(count):
        started = time.perf_counter()
        work()
        found.append((time.perf_counter() - started) * 1000)
    return sorted(found)


def _asked(path: Path) -> None:
    searcher = Searcher(path)
    plain = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
    print("| asked | found | p50 | p99 | `LIKE '%…%'` scan | scan ÷ p50 |\n|---|---|---|---|---|---|")
    for name, (words, pattern, filters) in _QUERIES.items():
        request = Request(words, dict(filters))
        total = searcher.search(request).total
        times = _times(_TIMES, lambda request=request: searcher.search(request))  # type: ignore[misc]
        scan = statistics.median(_times(_FEWER, lambda pattern=pattern: _scan(plain, pattern)))  # type: ignore[misc]
        p50, p99 = statistics.median(times), times[int(len(times) * 0.99) - 1]
        print(f"| {name}: `{words}` | {total:,} | {p50:.1f} ms | {p99:.1f} ms | {scan:.0f} ms | {scan / p50:.1f} |")
    plain.close()
    searcher.close()


def _scan(db: sqlite3.Connection, pattern: str) -> int:
    """How many of the same documents hold a text anywhere: no order, no facets."""
    (found,) = db.execute("SELECT COUNT(*) FROM search_body WHERE body LIKE ?", (f"%{pattern}%",)).fetchone()
    return int(found)


def _sparql(store: ox.Store) -> int:
    result = store.query(_CONTAINS)
    assert isinstance(result, ox.QuerySolutions)
    return len(list(result))


def _sizes(path: Path) -> None:
    db = sqlite3.connect(path)
    rows = db.execute("SELECT name, SUM(pgsize) FROM dbstat GROUP BY name").fetchall()
    db.close()
    sizes: dict[str, int] = dict(rows)
    words = sum(size for name, size in sizes.items() if name.startswith("search_text"))
    searched = sum(size for name, size in sizes.items() if "search_" in name)
    print(
        f"Words: {words / 1e6:.0f} MB, {words / _DATASETS:.0f} bytes a dataset; with documents and what they are made"
    )
    print(f"from {searched / 1e6:.0f} MB of a view database of {path.stat().st_size / 1e6:.0f} MB.\n")


def _cost() -> None:
    """What the index adds to applying an entry: events that repeat what is known, and datasets all of them new."""
    dice = random.Random(2)
    given = {
        "run events": _submissions(json.loads(raw) for raw in events(_EVENTS)),
        "new datasets": _submissions(_dataset(number, dice) for number in range(_EVENTS)),
    }
    print("| applying | without the index | with it | adds |\n|---|---|---|---|")
    for name, submissions in given.items():
        pairs = [(_applying(submissions, indexed=False), _applying(submissions, indexed=True)) for _ in range(5)]
        one, other = (min(times) for times in zip(*pairs, strict=True))
        print(f"| {name} | {one:.0f} µs | {other:.0f} µs | {other - one:.0f} µs, {other / one - 1:.0%} |")


def _applying(submissions: list[Submission], *, indexed: bool) -> float:
    """CPU µs an entry, batches of 16."""
    add, read = SearchIndex.add, texts.texts_of
    if not indexed:
        SearchIndex.add = _nothing  # type: ignore[method-assign]
        vars(facts)["texts_of"] = lambda *_: {}
    try:
        with tempfile.TemporaryDirectory() as directory:
            store = ProvStore(Path(directory), base=_BASE)
            store.append(submissions)
            started = time.process_time()
            while store.apply_pending(16):
                pass
            spent = (time.process_time() - started) / len(submissions) * 1e6
            store.close()
            return spent
    finally:
        SearchIndex.add = add  # type: ignore[method-assign]
        vars(facts)["texts_of"] = read


def _nothing(self: SearchIndex, facts: Facts) -> None:
    """In the place of `SearchIndex.add`."""


if __name__ == "__main__":
    main()
