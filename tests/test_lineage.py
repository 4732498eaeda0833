"""Lineage questions against a reference that works them out from the records alone, on both time axes."""

from __future__ import annotations

import itertools
import json
import random
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provstore import rdf, times
from provstore.core import ProvStore
from provstore.errors import Misconfigured, NotFound, QueryRefused
from provstore.lineage.answer import Page
from provstore.lineage.cards import SOURCE, UNKNOWN, prepare
from provstore.lineage.columns import ColumnQuestion, columns
from provstore.lineage.graph import LineageGraph
from provstore.lineage.impact import ImpactQuestion, impact
from provstore.lineage.moment import Moment
from provstore.lineage.projection import OfAssets, OfMakers, OfRuns
from provstore.lineage.questions import Question, compare, lineage, paths, roots
from provstore.model import Submission
from provstore.views.edges import Relation
from tests.histories import Item, Object, at, data, dataset, histories, native, read, said, write
from tests.naive import Naive, Triple
from tests.stores import assert_sound, event, store_in
from tests.telling import feed, reads, short, wrote

pytestmark = pytest.mark.slow

quick = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


@contextmanager
def fed(history: Sequence[Item]) -> Iterator[ProvStore]:
    with tempfile.TemporaryDirectory() as directory, store_in(Path(directory) / "s") as store:
        store.ingest([each.submission for each in history])
        yield store


@contextmanager
def kept_up(history: Sequence[Item], cuts: Sequence[int], saved: int) -> Iterator[tuple[ProvStore, LineageGraph]]:
    """A store fed in batches and a graph that followed it, saved and opened again after one of them."""
    with tempfile.TemporaryDirectory() as directory, store_in(Path(directory) / "s") as store:
        graph = LineageGraph(store.directory / "views")
        for number, (first, last) in enumerate(itertools.pairwise([0, *cuts, len(history)])):
            store.ingest([each.submission for each in history[first:last]])
            graph.refresh()
            if number == saved:
                graph.save()
                graph.close()
                graph = LineageGraph(store.directory / "views")
            if number < len(cuts):
                prepare(graph)  # not after the last batch, which says more
        yield store, graph
        graph.close()


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
def test_every_question_is_what_the_reference_answers(history: list[Item], draw: st.DataObject) -> None:
    cuts = sorted(draw.draw(st.lists(st.integers(0, len(history)), max_size=4)))
    with kept_up(history, cuts, draw.draw(st.integers(0, 4))) as (store, graph):
        head = store.ledger.head
        assert graph.index == head
        _same_cards(graph)
        for index in {head, draw.draw(st.integers(1, head))}:
            triples = default_graph(store) if index == head else prefix(history, index)
            for second in (None, draw.draw(st.integers(0, 7))):
                _same_answers(graph, triples, index, second, random.Random(draw.draw(st.integers(0, 99))))
            _same_of_many(Moment(graph, index))


def _same_cards(graph: LineageGraph) -> None:
    """What is remembered of nodes is what would be found out of them now."""
    moment = Moment(graph)
    if graph.cards is None or graph.cards_of != graph.laid:
        return
    for node in range(1, graph.nodes + 1):
        card = graph.cards.of(node, graph.later)
        makers = moment.objects(node, Relation.GENERATED)
        origin = UNKNOWN if moment.is_unresolved(node) else SOURCE if moment.is_source(node) else 0
        known = (moment.kind(node), moment.asset(node) or 0, makers[0] if makers else 0, moment.time(node), origin)
        assert card is None or card == known, graph.iri_of(node)


def _same_of_many(moment: Moment) -> None:
    """What is worked out for many nodes at once is what is found of each by itself."""
    everyone = np.arange(1, moment.graph.nodes + 1, dtype=np.int32)
    asked = np.concatenate([everyone, everyone[::-2]])
    times = [moment.time(n) for n in asked.tolist()]
    assert moment.times_of(asked).tolist() == [np.iinfo(np.int64).min if t is None else t for t in times]
    for projection, single in ((OfAssets, moment.asset), (OfMakers, _maker(moment)), (OfRuns, _run(moment))):
        told = {n: single(n) or n for n in everyone.tolist()}
        assert projection(moment).of(asked).tolist() == [told[n] for n in asked.tolist()]
        for things in (everyone[::3], everyone[:1], everyone[:0]):
            expected = [n for n in told if told[n] in set(things.tolist())]
            assert projection(moment).members(things).tolist() == expected


def _maker(moment: Moment) -> Callable[[int], int | None]:
    return lambda node: next(iter(moment.objects(node, Relation.GENERATED)), None)


def _run(moment: Moment) -> Callable[[int], int | None]:
    read = moment.class_id("ReadState")
    return lambda node: (
        next(iter(moment.subjects(node, Relation.USED)), None)
        if read in moment.objects(node, Relation.TYPE)
        else _maker(moment)(node)
    )


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


# --- a small story: raw → clean → (report, model) → prediction, and a late correction --------------------------------


STORY: list[Object | Submission] = [
    said("r", "START", 1, ["raw"], job="clean"),
    said("r", "COMPLETE", 2, [], ["clean"], job="clean"),
    *(
        said("s", kind, second, ["clean", "rates"], ["report"], job="report")
        for kind, second in (("START", 3), ("COMPLETE", 4))
    ),
    native(
        f"<urn:m1> a ps:ModelVersion ; prov:wasGeneratedBy <urn:train> ; prov:wasDerivedFrom <{read('clean', 't')}> ."
        f" <urn:train> a prov:Activity, ps:TrainingRun ; prov:used <{read('clean', 't')}>, <urn:code> ;"
        f" prov:startedAtTime '{at(5)}'^^xsd:dateTime ; prov:endedAtTime '{at(6)}'^^xsd:dateTime ;"
        " prov:wasAssociatedWith <urn:ana> ."
        f" <{read('clean', 't')}> a ps:ReadState ; prov:specializationOf <{dataset('clean')}> ."
        " <urn:code> a ps:CodeVersion . <urn:ana> a prov:Agent, prov:Person ."
    ),
    native(
        "<urn:p1> a ps:Prediction ; prov:wasGeneratedBy <urn:infer> ; prov:wasDerivedFrom <urn:m1> ."
        f" <urn:infer> a prov:Activity, ps:Inference ; prov:used <urn:m1> ; prov:endedAtTime '{at(8)}'^^xsd:dateTime ."
    ),
    native(f"<{dataset('raw')}> a ps:Source ."),
]


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


def told_nodes(page: Page) -> dict[str, str]:
    return {short(n.iri): f"{n.certainty} {n.depth}" for n in page.nodes}


def told_edges(page: Page) -> set[str]:
    return {f"{short(e.subject)} {e.relation} {short(e.object)} {e.status}" for e in page.edges}


def test_upstream_names_every_step_and_how_it_is_known(graph: LineageGraph) -> None:
    page = lineage(graph, Question("urn:p1"))
    assert told_nodes(page) == {
        "urn:m1": "certain 1",
        "clean/read/t": "certain 2",
        "clean/write/r": "certain 3",
        "raw/read/r": "certain 4",
    }
    assert told_edges(page) == {
        "urn:p1 wasDerivedFrom urn:m1 asserted",
        "urn:m1 wasDerivedFrom clean/read/t asserted",
        "clean/read/t wasDerivedFrom clean/write/r inferred",
        "clean/write/r wasDerivedFrom raw/read/r merged",
    }
    by = {short(e.subject): e for e in page.edges}
    assert by["clean/read/t"].basis == "LatestBefore"
    assert by["clean/write/r"].basis == "SingleInput"
    assert by["urn:p1"].record is not None
    assert by["urn:p1"].since == 6
    (source,) = [n for n in page.nodes if n.origin]
    assert (short(source.iri), source.origin, source.time) == ("raw/read/r", "declared source", at(1))


def test_downstream_of_a_dataset_starts_from_all_its_states(graph: LineageGraph) -> None:
    assert told_nodes(lineage(graph, Question("clean", "downstream"))) == {
        "clean/read/s": "certain 1",
        "clean/read/t": "certain 1",
        "report/write/s": "possible 1",
        "urn:m1": "certain 1",
        "urn:p1": "certain 2",
    }


def test_activities_are_the_plain_path(graph: LineageGraph) -> None:
    found = told_nodes(lineage(graph, Question("urn:p1", by="activity")))
    assert {"urn:infer", "urn:train", "urn:code", "raw/read/r", "r"} <= found.keys()
    assert found["urn:infer"] == "certain 1"
    assert "certain" in told_nodes(lineage(graph, Question("urn:p1", by="certain")))["raw/read/r"]


@pytest.mark.parametrize(
    ("level", "nodes", "edges"),
    [
        (
            "asset",
            {"urn:m1": "certain 1", "clean": "certain 2", "raw": "certain 4"},
            {
                "urn:p1 wasDerivedFrom urn:m1 asserted",
                "urn:m1 wasDerivedFrom clean asserted",
                "clean wasDerivedFrom raw merged",
            },
        ),
        (
            "run",
            {"urn:train": "certain 1", "r": "certain 3"},
            {"urn:infer wasDerivedFrom urn:train asserted", "urn:train wasDerivedFrom r inferred"},
        ),
    ],
)
def test_levels_tell_the_exact_walk_in_larger_steps(
    graph: LineageGraph, level: str, nodes: dict[str, str], edges: set[str]
) -> None:
    page = lineage(graph, Question("urn:p1", level=level))
    assert told_nodes(page) == nodes
    assert told_edges(page) == edges


def test_kinds_are_listed_and_others_walked_through(graph: LineageGraph) -> None:
    page = lineage(graph, Question("raw", "downstream", kinds=("ModelVersion", "Prediction")))
    assert told_nodes(page) == {"urn:m1": "certain 3", "urn:p1": "certain 4"}


def test_a_run_an_agent_and_a_job_can_be_asked_about(graph: LineageGraph) -> None:
    assert "urn:p1" in told_nodes(lineage(graph, Question("urn:ana", "downstream")))
    assert "raw/read/r" in told_nodes(lineage(graph, Question("urn:train")))
    assert "report/write/s" in told_nodes(lineage(graph, Question("rates", "downstream")))
    assert "urn:p1" in told_nodes(lineage(graph, Question("raw", "downstream")))
    assert told_nodes(lineage(graph, Question("clean", "downstream", at=2))) == {}


def test_as_of_leaves_out_what_did_not_exist(graph: LineageGraph) -> None:
    found = told_nodes(lineage(graph, Question("clean", "downstream", as_of=at(7))))
    assert "urn:m1" in found
    assert "urn:p1" not in found
    assert "urn:m1" not in told_nodes(lineage(graph, Question("clean", "downstream", as_of=at(5))))


def test_pages_follow_one_another_and_stay_at_their_index(store: ProvStore, graph: LineageGraph) -> None:
    whole = lineage(graph, Question("clean", "downstream"))
    first = lineage(graph, Question("clean", "downstream", limit=2))
    assert (first.total, first.next) == (5, f"{graph.index}.2")
    feed(store, said("u", "COMPLETE", 9, ["clean"], ["other"]))
    graph.refresh()
    pages, cursor = [first], first.next
    while cursor:
        pages.append(lineage(graph, Question("clean", "downstream", limit=2, cursor=cursor)))
        cursor = pages[-1].next
    assert [n.iri for page in pages for n in page.nodes] == [n.iri for n in whole.nodes]
    assert {e for page in pages for e in page.edges} == set(whole.edges)
    assert sum(len(page.edges) for page in pages) == len(whole.edges)
    assert lineage(graph, Question("clean", "downstream")).total > 5


def test_ways_lead_from_one_thing_to_another(graph: LineageGraph) -> None:
    page = paths(graph, Question("urn:p1"), "raw")
    assert told_nodes(page).keys() == {"urn:m1", "clean/read/t", "clean/write/r", "raw/read/r"}
    assert len(page.edges) == 4
    assert paths(graph, Question("urn:p1"), "report").nodes == []
    assert told_nodes(paths(graph, Question("raw", "downstream"), "report")) == {
        "clean/write/r": "possible 1",
        "clean/read/s": "possible 2",
        "report/write/s": "possible 3",
    }


def test_roots_are_sources_and_gaps(graph: LineageGraph) -> None:
    found = {short(n.iri): n.origin for n in roots(graph, Question("report")).nodes}
    assert found == {"raw/read/r": "declared source", "rates/read/s": "unknown origin"}


def test_impact_has_three_values(graph: LineageGraph) -> None:
    kinds = ("ModelVersion", "Prediction", "WriteState")
    found = impact(graph, ImpactQuestion("raw", kinds=kinds))
    assert {short(v.iri): v.verdict for v in found.verdicts} == {
        "clean/write/r": "affected",
        "urn:m1": "affected",
        "urn:p1": "affected",
        "report/write/s": "possibly affected",
    }
    assert found.counts == {"affected": 3, "possibly affected": 1, "not affected": 0}
    later = impact(graph, ImpactQuestion("raw", after=at(3), kinds=kinds))
    # the report rests on rates of unknown origin, so nobody can say that it is not affected
    assert later.counts == {"affected": 0, "possibly affected": 1, "not affected": 3}
    only = impact(graph, ImpactQuestion("raw", kinds=kinds, verdict="affected", limit=1))
    assert (len(only.verdicts), only.next) == (1, f"{graph.index}.1")


def test_what_differs_between_two_moments_of_one_thing(store: ProvStore, graph: LineageGraph) -> None:
    before = graph.index
    feed(store, wrote("v", 4.5, data("clean", change="OVERWRITE")))  # late: the training read this one
    graph.refresh()
    found = compare(Moment(graph, before), "urn:m1", Moment(graph), "urn:m1")
    told = {(d.aspect, short(d.of)): ([*map(short, d.only_first)], [*map(short, d.only_second)]) for d in found}
    assert told == {
        ("data", "clean"): (["clean/write/r"], ["clean/write/v"]),
        ("data", "raw"): (["raw/read/r"], []),
        ("job", "job/jobs/clean"): (["job/jobs/clean"], []),
        ("job", "job/jobs/etl"): ([], ["job/jobs/etl"]),
    }


@pytest.mark.parametrize(
    ("asked", "error", "words"),
    [
        (lambda g: lineage(g, Question("urn:nobody")), NotFound, "no lineage recorded by index"),
        (lambda g: lineage(g, Question("urn:m1", at=2)), NotFound, "urn:m1"),
        (lambda g: lineage(g, Question("urn:m1", at=99)), NotFound, "the newest is 7"),
        (lambda g: lineage(g, Question("urn:m1", as_of="soon")), QueryRefused, "ISO 8601"),
        (lambda g: lineage(g, Question("urn:m1", "sideways")), QueryRefused, "upstream, downstream"),
        (lambda g: lineage(g, Question("urn:m1", depth=0)), QueryRefused, "depth"),
        (lambda g: lineage(g, Question("urn:m1", level="planet")), QueryRefused, "level"),
        (lambda g: lineage(g, Question("urn:m1", kinds=("Cat",))), QueryRefused, "kind"),
        (lambda g: lineage(g, Question("urn:m1", limit=0)), QueryRefused, "limit"),
        (lambda g: lineage(g, Question("urn:m1", cursor="x.y")), QueryRefused, "cursor"),
        (lambda g: lineage(g, Question("urn:m1", cursor="99.0")), NotFound, "99"),
        (lambda g: impact(g, ImpactQuestion("raw", after="later")), QueryRefused, "after"),
        (lambda g: impact(g, ImpactQuestion("raw", verdict="fine")), QueryRefused, "verdict"),
        (lambda g: columns(g, ColumnQuestion("raw", "")), QueryRefused, "column"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_a_reason(
    graph: LineageGraph, asked: Callable[[LineageGraph], object], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        asked(graph)


def test_a_name_that_two_assets_have_is_no_name(store: ProvStore) -> None:
    event = said("r", "COMPLETE", 1, ["a"], ["b"])
    event["inputs"].append({"namespace": "elsewhere", "name": "a"})
    feed(store, event)
    found = graph_of(store)
    with pytest.raises(QueryRefused, match="elsewhere/a"):
        lineage(found, Question("a"))
    assert lineage(found, Question("b")).total == 2
    found.close()


# --- files and refreshing --------------------------------------------------------------------------------------------


def test_what_is_remembered_of_a_node_gives_way_to_what_is_said_later(store: ProvStore) -> None:
    feed(store, *reads("u", 5, 6), said("v", "RUNNING", 7, [], [data("e", stats=1)]))
    graph = graph_of(store)
    prepare(graph)
    _same_cards(graph)
    (before,) = lineage(graph, Question(write("e", "v"), by="activity")).nodes
    assert before.time is None
    feed(store, wrote("r", 1), said("v", "START", 3))
    graph.refresh()
    assert graph.cards is not None
    _same_cards(graph)
    (after,) = [n for n in lineage(graph, Question(write("e", "v"), by="activity")).nodes if n.kind == "Run"]
    assert after.time == at(3)
    assert roots(graph, Question(read("d", "u"))).total == 1
    graph.close()


def test_what_is_said_later_of_a_maker_or_an_asset_counts(store: ProvStore) -> None:
    feed(
        store,
        native(
            "<urn:x> a ps:RecordItem ; prov:wasGeneratedBy <urn:a> ; prov:wasDerivedFrom <urn:y> ."
            f" <urn:a> a prov:Activity ; prov:used <urn:y> ; prov:startedAtTime '{at(1)}'^^xsd:dateTime ."
        ),
    )
    graph = graph_of(store)
    prepare(graph)
    (before,) = lineage(graph, Question("urn:y", "downstream")).nodes
    assert before.time == at(1)
    feed(store, native(f"<urn:a> a prov:Activity ; prov:endedAtTime '{at(4)}'^^xsd:dateTime ."))
    graph.refresh()
    _same_cards(graph)
    (after,) = lineage(graph, Question("urn:y", "downstream")).nodes
    assert after.time == at(4)
    graph.close()


def test_the_edge_history_does_not_depend_on_batches(tmp_path: Path) -> None:
    submissions = [each if isinstance(each, Submission) else event(each) for each in STORY]
    for number, cuts in enumerate(((), (1, 2, 3), (4,))):
        with store_in(tmp_path / str(number)) as store:
            for first, last in itertools.pairwise((0, *cuts, len(submissions))):
                store.ingest(submissions[first:last])
            assert_sound(store)  # compares the history with that of a rebuild, in one batch


def test_a_saved_graph_opens_as_it_was(store: ProvStore, graph: LineageGraph) -> None:
    before = lineage(graph, Question("urn:p1")).json()
    graph.save()
    again = graph_of(store)
    assert lineage(again, Question("urn:p1")).json() == before
    assert again.halves.up.late_rows == 0
    again.close()


@pytest.mark.parametrize("damage", ["flip", "cut", "gone", "nonsense", "foreign"])
def test_a_damaged_or_foreign_save_is_passed_over(store: ProvStore, graph: LineageGraph, damage: str) -> None:
    before = lineage(graph, Question("urn:p1")).json()
    graph.save()
    home = store.directory / "views" / "lineage"
    file = home / "up" / "other.npy"
    raw = bytearray(file.read_bytes())
    if damage == "flip":
        raw[-3] ^= 1
        file.write_bytes(raw)
    elif damage == "cut":
        file.write_bytes(raw[:-5])
    elif damage == "gone":
        file.unlink()
    elif damage == "nonsense":
        (home / "graph.json").write_text("{")
    else:
        text = json.loads((home / "graph.json").read_text())
        (home / "graph.json").write_text(json.dumps({**text, "made": "another"}))
    again = graph_of(store)
    assert lineage(again, Question("urn:p1")).json() == before
    again.close()


def test_a_graph_notices_that_the_views_were_made_again(store: ProvStore, graph: LineageGraph) -> None:
    before = lineage(graph, Question("urn:p1")).json()
    store.rebuild()
    feed(store, said("u", "COMPLETE", 9, ["clean"], ["other"]))
    assert graph.refresh() == store.ledger.head
    assert lineage(graph, Question("urn:p1", at=7)).json() | {"question": 0} == before | {"question": 0}


def test_without_views_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="no view database"):
        LineageGraph(tmp_path)
