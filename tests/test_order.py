"""In whatever order, batches and multiplicity records arrive: one ledger's worth of records makes one graph."""

from __future__ import annotations

import itertools
import json
import random
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provstore import iris, rdf
from provstore.core import ProvStore
from provstore.model import Submission
from provstore.vocab import PROV, PS, RDF_TYPE
from tests import stores, suites
from tests.histories import NAMESPACE, Item, data, histories, said
from tests.reference import Fact, Reference
from tests.servers import serving
from tests.stores import BASE, assert_sound, store_in, timeless

SCENARIOS = 20
SHUFFLES = 12
CLIENTS = 8
#: What is compared with the reference: the plain statements, and the basis of those that are qualified.
_PLAIN = {
    *(PROV.wasDerivedFrom, PROV.used, PS.possiblyDerivedFrom, PS.previousState, PROV.wasInvalidatedBy, RDF_TYPE),
}
_QUALIFIED = {PROV.qualifiedDerivation, PROV.qualifiedInfluence, PROV.qualifiedInvalidation}
_QUALIFYING = {PROV.Derivation, PROV.EntityInfluence, PROV.Invalidation}

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
    history = data.draw(histories(wild=True))
    order, cuts = data.draw(arrivals(len(history)))
    expected = one_by_one([each.submission for each in history])
    got = fed([history[number].submission for number in order], cuts)
    assert got == expected, difference(expected, got)


def test_of_two_records_that_state_the_same_lineage_the_later_is_its_evidence() -> None:
    entry = {"type": "DATASET", "namespace": NAMESPACE, "name": "c", "inputs": [data("a")]}
    facets = {"lineage": {"entries": [entry]}}
    start = stores.event(said("u", "START", 0, ["a"], ["c"], job_facets=facets))
    complete = stores.event(said("u", "COMPLETE", 6, ["a"], ["c"], job_facets=facets))
    expected, got = one_by_one([start, complete]), one_by_one([complete, start])
    assert got == expected, difference(expected, got)
    assert any(f"{PS.evidence} <{complete.mapped.record}>" in line for line in got)


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
    holder = {o: s for s, p, o in facts if p in _QUALIFIED}
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


def test_real_events_in_any_order() -> None:
    submissions = [stores.event(json.loads(each)) for each in real_events()]
    expected = fed(submissions)
    assert len(expected) > 10_000
    for seed in range(SHUFFLES):
        shuffle = random.Random(seed)
        shuffled = [*submissions, *shuffle.sample(submissions, 10)]
        shuffle.shuffle(shuffled)
        cuts = shuffle.sample(range(len(shuffled)), 8)
        got = fed(shuffled, cuts, whole=seed == 0)
        assert got == expected, f"seed {seed}\n{difference(expected, got)[:4000]}"


def test_eight_clients_at_once(tmp_path: Path) -> None:
    """Each posts everything, in its own order and in batches of its own; then the store is as if fed in order."""
    events = real_events() + scenario_events()
    with serving(tmp_path / "store") as server:
        receipts: list[dict[str, int]] = [{} for _ in range(CLIENTS)]
        failures: list[BaseException] = []

        def post(number: int) -> None:
            try:
                shuffled = random.Random(number).sample(events, len(events))
                with httpx.Client(base_url=server.url, timeout=60) as http:
                    for each in shuffled:
                        receipts[number][each.decode()] = posted(http, each)
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=post, args=(number,)) for number in range(CLIENTS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
        assert not failures
        assert all(each == receipts[0] for each in receipts)  # one payload, one index, whoever was first
        server.stop()
    distinct = list(dict.fromkeys(events))
    assert sorted(receipts[0].values()) == list(range(1, len(distinct) + 1))
    with store_in(tmp_path / "store") as store:
        assert store.ledger.head == len(distinct)
        assert_sound(store)
        got = timeless(store.views.store.dump())
    expected = fed([stores.event(json.loads(each)) for each in distinct], whole=False)
    assert got == expected, difference(expected, got)[:4000]


def posted(http: httpx.Client, event: bytes) -> int:
    """Post one event as a client does that backs off when told to; the index on its receipt."""
    while True:
        answer = http.post("/api/v1/lineage", content=event, headers={"content-type": "application/json"})
        if answer.status_code != 503:
            assert answer.status_code in (200, 201), answer.text
            return int(answer.json()["index"])
        time.sleep(float(answer.headers["retry-after"]))
