"""In whatever order, batches and multiplicity records arrive: one ledger's worth of records makes one graph."""

from __future__ import annotations

import itertools
import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provstore import iris, rdf
from provstore.core import ProvStore
from provstore.model import Submission
from provstore.vocab import PROV, PS, RDF_TYPE
from tests import stores, suites
from tests.histories import Item, histories
from tests.reference import Fact, Reference
from tests.stores import BASE, assert_sound, store_in, timeless

SCENARIOS = 20
#: What is compared with the reference: the plain statements, and the basis of those that are qualified.
_PLAIN = {PROV.wasDerivedFrom, PROV.used, PS.possiblyDerivedFrom, PS.previousState, RDF_TYPE}
_QUALIFYING = {PROV.Derivation, PROV.EntityInfluence}

quick = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


@contextmanager
def fresh() -> Iterator[ProvStore]:
    with tempfile.TemporaryDirectory() as directory, store_in(Path(directory) / "s") as store:
        yield store


def fed(submissions: Sequence[Submission], cuts: Sequence[int] = (), *, whole: bool = True) -> set[str]:
    """What a store holds after these submissions, cut into batches; `whole` checks it all, a rebuild included."""
    with fresh() as store:
        bounds = sorted({0, *cuts, len(submissions)})
        for first, last in itertools.pairwise(bounds):
            store.ingest(submissions[first:last])
        if whole:
            assert_sound(store)
        return timeless(store.views.store.dump())


def one_by_one(submissions: Sequence[Submission]) -> set[str]:
    return fed(submissions, range(len(submissions)), whole=False)


def difference(one: set[str], other: set[str]) -> str:
    return "\n".join(sorted(f"- {line}" for line in one - other) + sorted(f"+ {line}" for line in other - one))


@st.composite
def arrivals(draw: st.DrawFn, count: int) -> tuple[list[int], list[int]]:
    """The numbers up to a count in another order, some twice, and where the batches end."""
    again = draw(st.lists(st.integers(0, count - 1), max_size=3))
    order = draw(st.permutations([*range(count), *again]))
    return order, draw(st.lists(st.integers(0, len(order)), max_size=6))


# --- made-up histories -----------------------------------------------------------------------------------------------


@quick
@given(st.data())
def test_any_order_makes_the_same_graphs(data: st.DataObject) -> None:
    history = data.draw(histories())
    order, cuts = data.draw(arrivals(len(history)))
    expected = one_by_one([each.submission for each in history])
    got = fed([history[number].submission for number in order], cuts)
    assert got == expected, difference(expected, got)


@quick
@given(histories(most=16))
def test_the_inferred_graph_is_what_the_reference_infers(history: list[Item]) -> None:
    with fresh() as store:
        store.ingest([each.submission for each in history])
        expected, got = Reference(evidence(store)).inferred(), concluded(store)
    assert got == expected, f"missing {sorted(expected - got)}\ntoo much {sorted(got - expected)}"


def evidence(store: ProvStore) -> Iterator[Fact]:
    """The triples of live records and of the merged graph."""
    merged = f"<{iris.graph(BASE, 'merged')}>"
    for line in store.views.store.dump():
        subject, predicate, value, graph = rdf.split(line)
        if graph == merged or (graph.startswith(f"<{BASE}/record/") and store.views.is_live(graph[1:-1])):
            yield subject, predicate, value


def concluded(store: ProvStore) -> set[Fact]:
    """The plain lines of the inferred graph, and the basis of each qualified one said of its subject."""
    graph = f"<{iris.graph(BASE, 'inferred')}>"
    quads = [rdf.split(line) for line in store.views.store.dump()]
    facts = [(s, p, o) for s, p, o, g in quads if g == graph]
    holder = {o: s for s, p, o in facts if p in (PROV.qualifiedDerivation, PROV.qualifiedInfluence)}
    plain = {(s, p, o) for s, p, o in facts if p in _PLAIN and o not in _QUALIFYING}
    return plain | {(holder[s], p, o) for s, p, o in facts if p == PS.basis}


# --- files -----------------------------------------------------------------------------------------------------------


def scenario_events() -> list[bytes]:
    files = sorted((suites.path("openlineage") / "synthetic" / "scenarios").glob("*.jsonl"))
    assert len(files) == SCENARIOS
    return [line for file in files for line in file.read_bytes().splitlines()]


def real_events() -> list[bytes]:
    files = sorted((suites.path("openlineage") / "events").rglob("*.json"))
    assert len(files) == 150
    return [file.read_bytes() for file in files]


@settings(quick, max_examples=8)
@given(st.data())
def test_scenarios_in_any_order(data: st.DataObject) -> None:
    submissions = [stores.event(json.loads(each)) for each in scenario_events()]
    order, cuts = data.draw(arrivals(len(submissions)))
    expected, got = fed(submissions, whole=False), fed([submissions[number] for number in order], cuts)
    assert got == expected, difference(expected, got)
