"""Validation of training records, against pySHACL on the same records and shapes, in one run."""

from __future__ import annotations

import logging
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pyshacl
from rdflib import Graph as RdflibGraph
from rdflib.namespace import SH

from bench.records import records
from provstore.validation import engine, reading
from provstore.validation.closures import Validator
from provstore.validation.graph import Graph

_SHAPES = Path(__file__).with_name("shapes.ttl").read_bytes()
_MANY, _SINGLE, _SLOW = 1000, 400, 40


def main() -> None:
    """Print the time of one record by itself and of a thousand in one graph, ours and pySHACL's, and what was found."""
    logging.getLogger("rdflib.term").setLevel(logging.ERROR)
    made = [*records(_MANY)]
    shapes = reading.read(engine.parsed(_SHAPES))
    constraints = sum(len(shape.constraints) for shape in shapes.shapes.values())
    triples = statistics.mean(map(len, made))
    print(f"Records of {triples:.0f} triples, {len(shapes.shapes)} shapes with {constraints} constraints.\n")
    print("| from N-Triples to results, shapes prepared before | ours | pySHACL | ÷ ours | results |")
    print("|---|---|---|---|---|")
    ours, theirs = _ours(Validator(shapes)), _theirs(RdflibGraph().parse(data=_SHAPES, format="turtle"))
    single = ["".join(lines) for lines in made]
    _row("one record, the median", ours, single[:_SINGLE], theirs, single[:_SLOW])
    whole = ["".join(single)]
    _row(f"{_MANY:,} records as one graph", ours, whole, theirs, whole)


def _ours(validator: Validator) -> Callable[[str], int]:
    return lambda text: sum(1 for _ in validator.validate(Graph.read(text.encode())))


def _theirs(shapes: RdflibGraph) -> Callable[[str], int]:
    def count(text: str) -> int:
        data = RdflibGraph().parse(data=text, format="nt")
        _, report, _ = pyshacl.validate(data, shacl_graph=shapes, inplace=True)
        return len([*report.objects(None, SH.result)])

    return count


def _row(
    name: str, ours: Callable[[str], int], mine: Sequence[str], theirs: Callable[[str], int], other: Sequence[str]
) -> None:
    ours(mine[0])
    theirs(mine[0]) if len(mine) > 1 else None
    a, found = _timed(ours, mine)
    b, also = _timed(theirs, other)
    same = sum(found[: len(also)])
    print(f"| {name} | {a * 1000:.2f} ms | {b * 1000:.1f} ms | {b / a:.0f} | {same:,} and {sum(also):,} |", flush=True)


def _timed(validate: Callable[[str], int], texts: Sequence[str]) -> tuple[float, list[int]]:
    """The median time of one text, in seconds of this process, and what was found in each."""
    times, found = [], []
    for text in texts:
        start = time.process_time()
        found.append(validate(text))
        times.append(time.process_time() - start)
    return statistics.median(times), found


if __name__ == "__main__":
    main()
