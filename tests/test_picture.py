"""The data of a lineage picture against the naive reference: both ways, what joins what is shown, and how much more."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provstore import times
from provstore.core import ProvStore
from provstore.errors import NotFound, QueryRefused
from provstore.lineage.ask import Told, asked
from provstore.lineage.column_picture import ColumnPictureQuestion, column_picture
from provstore.lineage.graph import LineageGraph
from provstore.lineage.labels import label
from provstore.lineage.picture import Picture, PictureQuestion, picture
from provstore.lineage.questions import Question
from provstore.vocab import PROV, PS
from tests.histories import Item, at, dataset, histories, native, read, run_iri, write
from tests.naive import EITHER, Naive
from tests.stores import store_in
from tests.telling import feed, short
from tests.test_lineage import STORY, default_graph, fed, graph_of, prefix, term, things

quick = settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))


def drawn(graph: LineageGraph, entity: str, direction: str = "both", to: str | None = None, **asked: object) -> Picture:
    """A picture; what is left out is at its default."""
    question = Question(entity, **{"limit": 1000, **asked})  # type: ignore[arg-type]
    return picture(graph, PictureQuestion(question, direction, to))


@quick
@given(histories(most=12), st.data())
def test_a_picture_is_what_the_reference_says(history: list[Item], draw: st.DataObject) -> None:
    with fed(history) as store:
        graph = graph_of(store)
        index = draw.draw(st.integers(1, store.ledger.head))
        second = draw.draw(st.none() | st.integers(0, 7))
        as_of = None if second is None else at(second)
        triples = default_graph(store) if index == store.ledger.head else prefix(history, index)
        naive = Naive(triples, None if as_of is None else times.key(as_of)[0])
        chance = random.Random(draw.draw(st.integers(0, 99)))
        for thing in things(naive):
            if naive.is_named(thing):
                direction = chance.choice(("both", "upstream", "downstream"))
                _same_picture(graph, naive, thing, direction, index, as_of)
                _same_columns(graph, naive, thing, chance.choice(("x", "y")), direction, index, as_of)
        graph.close()


def _same_picture(graph: LineageGraph, naive: Naive, thing: str, direction: str, index: int, as_of: str | None) -> None:
    found = drawn(graph, thing[1:-1], direction, at=index, as_of=as_of)
    sides = ("upstream", "downstream") if direction == "both" else (direction,)
    starts = {n for side in sides for n in naive.starting(thing, up=side == "upstream") if naive.exists(n)}
    reached = {side: naive.lineage(thing, up=side == "upstream") for side in sides}
    known = starts.union(*reached.values())
    shown = {term(each.node.iri): each for each in found.nodes}
    assert shown.keys() == (known if starts else known | {thing})
    for iri, each in shown.items():
        on = {side for side in sides if iri in reached[side]}
        expected = "focus" if iri in starts or iri == thing else "both" if len(on) == 2 else next(iter(on))
        assert each.side == expected, iri
        if each.side != "focus":
            ways = [reached[side][iri] for side in on]
            certainty = "certain" if ("certain" in {c for c, _ in ways}) else "possible"
            assert (each.node.certainty, each.node.depth) == (certainty, min(steps for _, steps in ways))
        near = [naive.of(iri, *EITHER), naive.into(iri, *EITHER)]
        assert [each.sources, each.results] == [len({n for n in ends if naive.exists(n)} - {iri}) for ends in near]
    stated = {(s, p, o) for s in known for p in EITHER for o in naive.of(s, p) & known if s != o}
    names = {PROV.wasDerivedFrom: "wasDerivedFrom", PS.possiblyDerivedFrom: "possiblyDerivedFrom"}
    lines = {(term(e.edge.subject), e.edge.relation, term(e.edge.object)) for e in found.edges}
    assert lines == {(s, names[p], o) for s, p, o in stated}
    _same_assets(graph, found, lines, thing, direction, index, as_of)


def _same_assets(
    graph: LineageGraph,
    states: Picture,
    lines: set[tuple[str, str, str]],
    thing: str,
    direction: str,
    index: int,
    as_of: str | None,
) -> None:
    """Told as assets, it is the same with each state replaced by its dataset."""
    of = {term(each.node.iri): term(each.node.asset or each.node.iri) for each in states.nodes}
    told = drawn(graph, thing[1:-1], direction, level="asset", at=index, as_of=as_of)
    if lines:
        assert {term(each.node.iri) for each in told.nodes} == set(of.values())
    pairs = {(of[s], of[o]) for s, _, o in lines if of[s] != of[o]}
    assert {(term(e.edge.subject), term(e.edge.object)) for e in told.edges} == pairs
    assert sum(e.statements for e in told.edges) >= len(pairs)


def _same_columns(
    graph: LineageGraph, naive: Naive, thing: str, column: str, direction: str, index: int, as_of: str | None
) -> None:
    told = column_picture(
        graph, ColumnPictureQuestion(thing[1:-1], column, direction, at=index, as_of=as_of, limit=1000)
    )
    starts = {s for up in (True, False) for s in naive.starting(thing, up=up) if naive.exists(s)}
    expected = {(s, column) for s in starts}
    for side in ("upstream", "downstream") if direction == "both" else (direction,):
        if starts == {s for s in naive.starting(thing, up=side == "upstream") if naive.exists(s)}:
            expected |= naive.columns(thing, column, up=side == "upstream").keys()
        else:  # what a run read and wrote both begin a walk here
            return
    assets = {(_asset(naive, s), c) for s, c in expected} or {(thing, "*")}
    shown = {(term(each.node.iri), c) for each in told.nodes for c in (*each.columns, "*")}
    if starts:
        assert {(a, c) for a, c in assets if c != "*"} == {(a, c) for a, c in shown if c != "*"}
    assert {a for a, _ in assets} == {term(each.node.iri) for each in told.nodes}


def _asset(naive: Naive, state: str) -> str:
    found = {d for d in naive.of(state, PROV.specializationOf) if not naive.is_a(d, PS.Version)}
    return min(found) if len(found) == 1 else state


# --- one story -------------------------------------------------------------------------------------------------------


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ProvStore]:
    with store_in(tmp_path / "store") as opened:
        yield opened


@pytest.fixture
def graph(store: ProvStore) -> Iterator[LineageGraph]:
    feed(store, *STORY)
    found = graph_of(store)
    yield found
    found.close()


def lines(found: Picture) -> set[tuple[str, str, str]]:
    return {(short(e.edge.subject), e.edge.relation, short(e.edge.object)) for e in found.edges}


def test_both_ways_at_once(graph: LineageGraph) -> None:
    found = drawn(graph, dataset("clean"), level="asset")
    sides = {short(each.node.iri): each.side for each in found.nodes}
    assert sides == {
        "clean": "focus",
        "raw": "upstream",
        "report": "downstream",
        "urn:m1": "downstream",
        "urn:p1": "downstream",
    }
    assert found.counts == {"focus": 1, "upstream": 1, "downstream": 3, "both": 0, "possible": 1}
    assert ("clean", "wasDerivedFrom", "raw") in lines(found)
    assert ("urn:p1", "wasDerivedFrom", "urn:m1") in lines(found)
    assert found.span == (at(1), at(8))


def test_names_and_roles_are_for_people(graph: LineageGraph) -> None:
    found = drawn(graph, "urn:p1", by="activity")
    told = {short(each.node.iri): (each.name, each.role) for each in found.nodes}
    assert told["urn:train"] == ("train", "activity")
    assert told["clean/read/t"] == ("clean", "entity")
    runs = drawn(graph, dataset("report"), level="run")
    assert {each.name for each in runs.nodes} >= {"report", "clean"}


@pytest.mark.parametrize(
    ("iri", "name"),
    [
        ("https://a.example/dataset/s3%3A%2F%2Fraw/my%20table", "my table"),
        ("https://a.example/dataset/s3%3A%2F%2Fraw/t/write/0193", "t"),
        ("https://a.example/job/airflow/risk.score", "risk.score"),
        ("https://a.example/prediction/1", "prediction/1"),
        ("https://a.example/model/premium-1", "premium-1"),
        ("urn:uuid:0193b1a0-0000-7000-8000-00000000000a", "0193b1a0-0000-7000-8000-00000000000a"),
        ("urn:x:%3Cbold%3E", "<bold>"),
        ("///", "///"),
        ("", ""),
    ],
)
def test_what_an_iri_says_to_people(iri: str, name: str) -> None:
    assert label(iri) == name


def test_pages_hold_every_thing_and_line_once(graph: LineageGraph) -> None:
    whole = drawn(graph, "urn:m1")
    nodes, edges, cursor = [], [], None
    while True:
        page = drawn(graph, "urn:m1", limit=2, cursor=cursor)
        assert page.total == len(whole.nodes)
        nodes += page.nodes
        edges += page.edges
        seen = {each.node.iri for each in nodes}
        assert all({e.edge.subject, e.edge.object} <= seen for e in page.edges)
        cursor = page.next
        if cursor is None:
            break
    assert nodes == whole.nodes
    assert len(edges) == len(whole.edges)
    assert {str(e.json()) for e in edges} == {str(e.json()) for e in whole.edges}


def test_only_the_way_between_two(graph: LineageGraph) -> None:
    found = drawn(graph, "urn:p1", "upstream", to=dataset("raw"))
    assert "report" not in str(lines(found))
    assert ("urn:p1", "wasDerivedFrom", "urn:m1") in lines(found)
    assert any(end == read("raw", "r") for end in {e.edge.object for e in found.edges})


def test_a_line_without_a_record_names_the_one_with_which_it_came_to_be_known(
    store: ProvStore, graph: LineageGraph
) -> None:
    for each in drawn(graph, "urn:p1").edges:
        assert (each.edge.record is None) == (each.known is not None)
        if each.known:
            assert each.known == store.ledger.body(each.edge.since).record


def test_a_thing_is_first_heard_of_when_it_can_first_be_found(store: ProvStore, graph: LineageGraph) -> None:
    for thing in ("urn:m1", dataset("report"), write("clean", "r"), run_iri("s")):
        first = drawn(graph, thing).first
        assert drawn(graph, thing, at=first).index == first
        with pytest.raises(NotFound):
            drawn(graph, thing, at=first - 1)


def test_the_span_of_time_is_that_of_all(graph: LineageGraph) -> None:
    assert drawn(graph, "urn:p1", as_of=at(3)).span == drawn(graph, "urn:p1").span


def test_what_nothing_is_related_to_is_one_thing(store: ProvStore) -> None:
    feed(store, native("<urn:alone> a prov:Entity ."))
    graph = graph_of(store)
    for level in ("state", "asset", "run"):
        found = drawn(graph, "urn:alone", level=level)
        assert [(each.node.iri, each.side, each.sources, each.results) for each in found.nodes] == [
            ("urn:alone", "focus", 0, 0)
        ]
        assert (found.total, found.edges, found.span, found.next) == (1, [], None, None)
    graph.close()


def test_kinds_are_walked_through(graph: LineageGraph) -> None:
    found = drawn(graph, "urn:p1", kinds=("WriteState",))
    assert {each.node.kind for each in found.nodes if each.side != "focus"} == {"WriteState"}


def told(graph: LineageGraph, **given: str) -> Told:
    return asked("lineage", {"picture": "true", **{name.replace("_", "-"): v for name, v in given.items()}}).answer(
        graph
    )


def test_every_column_that_statements_name(graph: LineageGraph) -> None:
    answer = told(graph, entity=dataset("clean"), level="column", direction="both").json
    assert answer["question"]["level"] == "column"
    focus = [each for each in answer["nodes"] if each["side"] == "focus"]
    assert [each["iri"] for each in focus] == [dataset("clean")]
    assert all({"column", "from_column", "statements"} <= edge.keys() for edge in answer["edges"])


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"direction": "up"}, "both, upstream, downstream"),
        ({"level": "table"}, "state, asset, run"),
        ({"to": "urn:m1", "direction": "both"}, "say in which 'direction'"),
        ({"roots": "true"}, "without 'picture'"),
        ({"column": "x"}, "level=column"),
        ({"level": "column", "by": "activity"}, "no 'by'"),
        ({"level": "column", "kind": "Cat"}, "'kind' is one of"),
        ({"level": "column", "depth": "0"}, "from 1 on"),
        ({"picture": "maybe"}, "true or false"),
    ],
)
def test_a_picture_that_makes_no_sense_is_refused(graph: LineageGraph, given: dict[str, str], words: str) -> None:
    with pytest.raises(QueryRefused, match=words):
        told(graph, entity="urn:p1", **given)
