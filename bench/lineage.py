"""Lineage closures against what else could compute them: SPARQL property paths, and SQLite's recursive queries."""

from __future__ import annotations

import random
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyoxigraph as ox

from provstore.lineage.graph import LineageGraph
from provstore.lineage.moment import LINEAGE, Moment
from provstore.views.database import open_database
from provstore.vocab import PROV

_STATES, _INPUTS, _WINDOW = 400_000, 3, 2_000
_IRI = "https://bench.example/dataset/warehouse/table_{}/write/{}"


def main() -> None:
    """Print the table of closures, what they cost an edge, and what memory and opening cost."""
    edges = _edges()
    print(f"{_STATES:,} states, {len(edges):,} edges: each state is made of {_INPUTS} of the {_WINDOW:,} before it\n")
    with tempfile.TemporaryDirectory() as directory:
        views = Path(directory) / "views"
        views.mkdir()
        _write(views, edges)
        graph, loaded = _timed(lambda: LineageGraph(views))
        graph.save()
        graph.close()
        graph, opened = _timed(lambda: LineageGraph(views))
        _compared(graph, edges, Path(directory))
        _linear(graph)
        print(f"\nMemory: {graph.nbytes / len(edges):.0f} MB per million edges, as arrays.")
        print(f"Opening: {loaded:.2f} s from the database, {opened * 1000:.0f} ms from the saved arrays.")
        graph.close()


def _edges() -> list[tuple[int, int]]:
    """(made, made of) by number, from 1; the same each time."""
    chance = random.Random(0)
    return [
        (made, source)
        for made in range(2, _STATES + 1)
        for source in {chance.randint(max(1, made - _WINDOW), made - 1) for _ in range(_INPUTS)}
    ]


def _iri(number: int) -> str:
    return _IRI.format(number % 997, number)


def _write(views: Path, edges: Iterable[tuple[int, int]]) -> None:
    db = open_database(views / "view.db")
    db.execute("BEGIN")
    db.executemany("INSERT INTO node VALUES (?, ?)", ((n, _iri(n)) for n in range(1, _STATES + 1)))
    db.executemany(
        "INSERT INTO edge(subject, relation, object, status, basis, evidence, since, n)"
        " VALUES (?, 1, ?, 1, 0, 0, 1, 1)",  # wasDerivedFrom, by the merged graph
        edges,
    )
    db.execute("UPDATE meta SET value = 1 WHERE key = 'applied'")
    db.execute("COMMIT")
    db.close()


def _compared(graph: LineageGraph, edges: list[tuple[int, int]], directory: Path) -> None:
    moment = Moment(graph)
    nodes, steps = moment.walk({_STATES}, LINEAGE, up=True)
    expected = set(nodes.tolist())
    ours = min(_timed(lambda: moment.walk({_STATES}, LINEAGE, up=True))[1] for _ in range(5))
    by_sql, sql = _by_sqlite(directory, edges)
    by_path, path = _by_path(directory, edges)
    if not expected == by_sql == by_path:
        raise SystemExit("the three do not find the same states")
    print(f"Upstream of the last state: {len(expected):,} states, up to {int(steps.max())} steps away.\n")
    print("| by | time | ÷ lineage index |\n|---|---|---|")
    for name, seconds in (("lineage index", ours), ("SQLite, recursive query", sql), ("SPARQL path `+`", path)):
        print(f"| {name} | {seconds:.3f} s | {seconds / ours:.0f} |")


def _by_sqlite(directory: Path, edges: list[tuple[int, int]]) -> tuple[set[int], float]:
    """On the best table there is for it: nothing but the two numbers, clustered by the first."""
    db = sqlite3.connect(directory / "edges.db")
    db.execute("CREATE TABLE e(made INTEGER, source INTEGER, PRIMARY KEY(made, source)) WITHOUT ROWID")
    db.executemany("INSERT INTO e VALUES (?, ?)", edges)
    db.commit()
    text = (
        "WITH RECURSIVE up(n) AS (SELECT source FROM e WHERE made = ?"
        " UNION SELECT e.source FROM e JOIN up ON e.made = up.n) SELECT n FROM up"
    )
    found, seconds = min(
        (_timed(lambda: {n for (n,) in db.execute(text, (_STATES,))}) for _ in range(3)), key=lambda each: each[1]
    )
    db.close()
    return found, seconds


def _by_path(directory: Path, edges: list[tuple[int, int]]) -> tuple[set[int], float]:
    store = ox.Store(str(directory / "store"))
    lines = (f"<{_iri(made)}> {PROV.wasDerivedFrom} <{_iri(source)}> .\n" for made, source in edges)
    store.bulk_load("".join(lines).encode(), format=ox.RdfFormat.N_TRIPLES)
    text = f"SELECT DISTINCT ?s {{ <{_iri(_STATES)}> {PROV.wasDerivedFrom}+ ?s }}"

    def ask() -> set[int]:
        rows: Any = store.query(text)
        return {int(row["s"].value.rpartition("/")[2]) for row in rows}

    return _timed(ask)


def _linear(graph: LineageGraph) -> None:
    """What an edge costs, by how many are visited."""
    print("\n| edges visited | time | ns an edge |\n|---|---|---|")
    moment = Moment(graph)
    for states in (11_000, 40_000, 340_000):
        nodes, _ = moment.walk({states}, LINEAGE, up=True)
        visited = sum(
            len(graph.halves.up.step(part, LINEAGE, graph.index).row) for part in np.array_split(nodes, 20) if len(part)
        )
        walk = partial(moment.walk, {states}, LINEAGE, up=True)
        seconds = min(_timed(walk)[1] for _ in range(5))
        print(f"| {visited:,} | {seconds * 1000:.1f} ms | {seconds / visited * 1e9:.0f} |")


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    started = time.perf_counter()
    found = work()
    return found, time.perf_counter() - started


if __name__ == "__main__":
    main()
