"""Validation of a whole store, of one record more in it, and with a named graph a record; each in its own process."""

from __future__ import annotations

import multiprocessing
import re
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pyoxigraph as ox

from bench.records import records
from provstore.validation import engine, reading
from provstore.validation.affected import Affected
from provstore.validation.compiled import StoreValidation
from provstore.validation.graph import Graph
from provstore.validation.stored import StoreData, StoredValidator

_SHAPES = Path(__file__).with_name("shapes.ttl").read_bytes()
_SIZES, _NAMED, _MORE, _LIMIT = (1_000, 10_000, 100_000), 10_000, 60, 1_000_000
_CHUNK = 5_000
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Measured:
    """Seconds, megabytes of resident memory (of the store, and the most while it was validated), results."""

    seconds: float
    store: float
    peak: float
    results: int


def main() -> None:
    """Print the whole store by its size, one record more in a small and a large one, and what named graphs cost."""
    print("| whole store in memory, two threads | seconds | the store's memory | the most while validating | results |")
    print("|---|---|---|---|---|")
    for size in _SIZES:
        found = _apart(_whole, size, False, False)
        print(
            f"| {size:,} records | {found.seconds:.2f} | {found.store:.0f} MB | {found.peak:.0f} MB, "
            f"x {found.peak / found.store:.2f} | {found.results:,} |",
            flush=True,
        )
    print("\n| one record more, the median of both | ms | ÷ empty |\n|---|---|---|")
    empty = _apart(_more, 0)
    for size in (0, *_SIZES):
        spent = empty if not size else _apart(_more, size)
        print(f"| into {size:,} records | {spent:.2f} | {spent / empty:.2f} |", flush=True)
    one, many = _apart(_whole, _NAMED, False, True), _apart(_whole, _NAMED, True, True)
    print(
        f"\n{_NAMED:,} records on disk: default graph alone {one.seconds:.2f} s, with a graph a record beside it ",
        end="",
    )
    print(f"{many.seconds:.2f} s, x {many.seconds / one.seconds:.2f} (results {one.results:,} and {many.results:,}).")


def _whole(size: int, named: bool, disk: bool) -> Measured:
    with tempfile.TemporaryDirectory() as directory:
        return _validated(ox.Store(directory) if disk else ox.Store(), size, named)


def _validated(store: ox.Store, size: int, named: bool) -> Measured:
    _fill(store, size, named)
    held = _memory("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the most so far is forgotten
    start = time.perf_counter()
    results = sum(1 for _ in StoreValidation(reading.read(engine.parsed(_SHAPES)), store).results(limit=_LIMIT))
    return Measured(time.perf_counter() - start, held, _memory("VmHWM"), results)


def _more(size: int) -> float:
    """Milliseconds from a record's N-Triples to the verdicts on all that it can affect, in a store on disk."""
    with tempfile.TemporaryDirectory() as directory:
        store = ox.Store(directory)
        _fill(store, size, named=False)
        shapes = reading.read(engine.parsed(_SHAPES))
        validator, data = StoredValidator(shapes), StoreData(store)
        affected = Affected(shapes, validator)
        spent = []
        for lines in _beyond(size):
            text = "".join(lines).encode()
            start = time.perf_counter()
            added = [triple for triple in Graph.read(text).triples() if not data.has(*triple)]
            store.load(text, format=ox.RdfFormat.N_TRIPLES)
            foci = affected.foci(added, (), data)
            for shape, nodes in foci.items():
                validator.check(data, shape, validator.targets(data, shapes.shapes[shape]) if nodes is None else nodes)
            spent.append(time.perf_counter() - start)
        del data, validator, affected, store
        return statistics.median(spent) * 1000


def _beyond(size: int) -> Iterable[list[str]]:
    """Records like those of a store of that size, and not in it."""
    return [lines for number, lines in enumerate(records(size + _MORE)) if number >= size]


def _fill(store: ox.Store, size: int, named: bool) -> None:
    chunk: list[str] = []
    for number, lines in enumerate(records(size)):
        chunk += lines
        if named:
            graph = f" <https://bench.example/record/{number}> .\n"
            chunk += [re.sub(r" \.\n\Z", graph, line) for line in lines]
        if number % _CHUNK == _CHUNK - 1:
            store.bulk_load("".join(chunk).encode(), format=ox.RdfFormat.N_QUADS)
            chunk = []
    store.bulk_load("".join(chunk).encode(), format=ox.RdfFormat.N_QUADS)


def _memory(name: str) -> float:
    """A figure of this process in megabytes: VmRSS is what is resident now, VmHWM the most that was."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(name))
    return int(line.split()[1]) / 1024


def _apart(work: Callable[..., T], *arguments: object) -> T:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(work, arguments)


if __name__ == "__main__":
    main()
