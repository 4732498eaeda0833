"""Lineage questions against a reference that works them out from the records alone, on both time axes."""

from __future__ import annotations

import itertools
import random
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provstore import rdf, times
from provstore.core import ProvStore
from provstore.lineage.columns import ColumnQuestion, columns
from provstore.lineage.graph import LineageGraph
from provstore.lineage.impact import ImpactQuestion, impact
from provstore.lineage.questions import Question, lineage, paths, roots
from tests.histories import Item, at, histories
from tests.naive import Naive, Triple
from tests.stores import assert_sound, store_in

quick = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


@contextmanager
def fed(history: Sequence[Item], cuts: Sequence[int] = ()) -> Iterator[ProvStore]:
    with tempfile.TemporaryDirectory() as directory, store_in(Path(directory) / "s") as store:
        bounds = [0, *cuts, len(history)]
        for first, last in itertools.pairwise(bounds):
            store.ingest([each.submission for each in history[first:last]])
        yield store


def graph_of(store: ProvStore) -> LineageGraph:
    return LineageGraph(store.directory / "views")


def default_graph(store: ProvStore) -> set[Triple]:
    return {(s, p, o) for s, p, o, g in map(rdf.split, store.views.store.dump()) if not g}


def prefix(history: Sequence[Item], index: int) -> set[Triple]:
    """The default graph of a store that never held more than the first entries of a ledger."""
    distinct = list({each.submission.payload: each for each in history}.values())
    with fed(distinct[:index]) as store:
        return default_graph(store)


def term(iri: str) -> str:
    return f"<{iri}>"


def things(naive: Naive) -> list[str]:
    """What can be asked about: everything that lineage names, and the datasets."""
    kinds = ("ReadState", "WriteState", "Dataset", "Version", "Run")
    return sorted({n for kind in kinds for n in naive.into(f"<https://w3id.org/provstore/ns#{kind}>", rdf_type())})


def rdf_type() -> str:
    return f"<{rdf.RDF}type>"


@quick
@given(histories(most=14), st.data())
def test_every_question_is_what_the_reference_answers(history: list[Item], data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(history)), max_size=4)))
    with fed(history, cuts) as store:
        graph = graph_of(store)
        head = store.ledger.head
        for index in {head, data.draw(st.integers(1, head))}:
            triples = default_graph(store) if index == head else prefix(history, index)
            for second in (None, data.draw(st.integers(0, 7))):
                _same_answers(graph, triples, index, second, random.Random(data.draw(st.integers(0, 99))))
        graph.close()


def _same_answers(
    graph: LineageGraph, triples: set[Triple], index: int, second: int | None, chance: random.Random
) -> None:
    as_of = None if second is None else at(second)
    naive = Naive(triples, None if as_of is None else times.key(as_of)[0])
    asked = things(naive)
    for thing in asked:
        if not naive.is_named(thing):  # only a facet speaks of it
            assert not naive.lineage(thing, up=True), thing
            continue
        for direction in ("upstream", "downstream"):
            depth = chance.choice((None, None, 1, 2))
            question = Question(thing[1:-1], direction, depth=depth, at=index, as_of=as_of)
            got = {term(n.iri): (n.certainty, n.depth) for n in lineage(graph, question).nodes}
            assert got == naive.lineage(thing, up=direction == "upstream", depth=depth), (thing, question)
        ends = {term(n.iri): n.origin for n in roots(graph, Question(thing[1:-1], at=index, as_of=as_of)).nodes}
        assert ends == naive.roots(thing), thing
        other = chance.choice([each for each in asked if naive.is_named(each)])
        way = paths(graph, Question(thing[1:-1], at=index, as_of=as_of), other[1:-1])
        assert {term(n.iri): n.certainty for n in way.nodes} == naive.between(thing, other), (thing, other)
        _same_impact(graph, naive, thing, index, as_of, chance)
        column, up = chance.choice(("x", "y", "*")), chance.random() < 0.5
        told = columns(
            graph, ColumnQuestion(thing[1:-1], column, "upstream" if up else "downstream", at=index, as_of=as_of)
        )
        found = {(term(c.state), c.column): c.certainty for c in told.columns}
        assert found == naive.columns(thing, column, up=up), (thing, column, up)


def _same_impact(
    graph: LineageGraph, naive: Naive, thing: str, index: int, as_of: str | None, chance: random.Random
) -> None:
    first = chance.choice((None, 0, 2, 4))
    after, before = (None, None) if first is None else (at(first), at(first + 3))
    question = ImpactQuestion(
        thing[1:-1], after=after, before=before, kinds=("WriteState", "ReadState"), at=index, as_of=as_of
    )
    got = {term(v.iri): v.verdict for v in impact(graph, question).verdicts}
    bounds = [None if t is None else times.key(t)[0] for t in (after, before)]
    expected = {
        n: verdict
        for kind in ("WriteState", "ReadState")
        for n, verdict in naive.verdicts(thing, f"<https://w3id.org/provstore/ns#{kind}>", *bounds).items()
    }
    assert got == expected, (thing, question)


@quick
@given(histories(most=12))
def test_the_edges_are_those_of_the_store(history: list[Item]) -> None:
    with fed(history) as store:
        assert_sound(store)
