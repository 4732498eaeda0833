"""What stands around a thing: for any history, at any moment, what the questions of lineage answer of it."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provstore.errors import NotFound
from provstore.lineage.answer import Page
from provstore.lineage.around import Around, around
from provstore.lineage.cards import prepare
from provstore.lineage.graph import LineageGraph
from provstore.lineage.questions import MAX_PAGE, Question, lineage, roots
from tests.histories import Item, at, histories, native
from tests.naive import Naive
from tests.stores import store_in
from tests.test_lineage import default_graph, fed, graph_of, things

quick = settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))


@quick
@given(histories(most=12), st.integers(0, 99))
def test_it_tells_what_lineage_lists(history: list[Item], seed: int) -> None:
    chance = random.Random(seed)
    with fed(history) as store:
        graph = graph_of(store)
        prepare(graph)
        index = chance.randint(1, graph.index)
        naive = Naive(default_graph(store), None)
        for thing in things(naive):
            if _same_counts(graph, thing[1:-1], None, None):
                _one_step(graph, thing[1:-1])
            _same_counts(graph, thing[1:-1], index, at(chance.randint(0, 7)))
        graph.close()


def _same_counts(graph: LineageGraph, iri: str, index: int | None, as_of: str | None) -> bool:
    """Hold it to the answers of lineage; whether it is known at all at this moment."""
    try:
        told = around(graph, Around(iri, index, as_of, limit=1000))
    except NotFound:
        with pytest.raises(NotFound):
            lineage(graph, Question(iri, at=index, as_of=as_of))
        return False
    for direction in ("upstream", "downstream"):
        found = lineage(graph, Question(iri, direction, at=index, as_of=as_of, limit=MAX_PAGE))
        _same(told[direction], found)
    ends = roots(graph, Question(iri, at=index, as_of=as_of, limit=MAX_PAGE))
    assert {n.asset or n.iri for n in ends.nodes} == {n["iri"] for n in told["upstream"]["ends"]["nodes"]}, iri
    assert sum(n.origin == "unknown origin" for n in ends.nodes) == told["upstream"]["unknown"]
    return True


def _same(told: dict[str, object], found: Page) -> None:
    assert told["total"] == found.total
    assert told["certain"] == sum(node.certainty == "certain" for node in found.nodes)
    assert told["steps"] == max((node.depth for node in found.nodes), default=0)
    assert told["kinds"] == Counter(node.kind for node in found.nodes)


def _one_step(graph: LineageGraph, iri: str) -> None:
    """Of a state its sources and dependents are what one step of lineage lists; of a dataset their assets."""
    told = around(graph, Around(iri, limit=1000))
    for part, direction in (("sources", "upstream"), ("dependents", "downstream")):
        if told["kind"] not in ("WriteState", "ReadState"):
            continue
        found = lineage(graph, Question(iri, direction, depth=1, limit=MAX_PAGE))
        steps = zip(told[part]["nodes"], told[part]["edges"], strict=True)
        got = {node["iri"]: node["certainty"] for node, edge in steps if edge["relation"] != "wasInfluencedBy"}
        assert got == {node.iri: node.certainty for node in found.nodes}, (iri, direction)


def test_lists_are_cut_and_counts_are_not(tmp_path_factory: pytest.TempPathFactory) -> None:
    many = "\n".join(f"<urn:x:made{n}> prov:wasDerivedFrom <urn:x:hub> ." for n in range(30))
    with store_in(tmp_path_factory.mktemp("around") / "s") as store:
        store.ingest([native(f"<urn:x:hub> prov:wasDerivedFrom <urn:x:root> . {many}")])
        graph = graph_of(store)
        told = around(graph, Around("urn:x:hub", limit=7))
        graph.close()
    assert (told["dependents"]["total"], len(told["dependents"]["nodes"])) == (30, 7)
    assert (told["sources"]["total"], told["upstream"]["undeclared"]) == (1, 1)
    derived = next(each for each in told["relations"] if (each["relation"], each["direction"]) == ("derived", "in"))
    assert (derived["total"], len(derived["nodes"])) == (30, 7)


def test_what_only_statements_show_to_be_an_activity_or_agent(tmp_path_factory: pytest.TempPathFactory) -> None:
    text = """<urn:x:out> prov:wasGeneratedBy <urn:x:doing> . <urn:x:doing> a <urn:x:Odd> ; prov:used <urn:x:in> ;
        prov:wasAssociatedWith <urn:x:who> . <urn:x:who> a <urn:x:Device> .
        <urn:x:later> prov:wasDerivedFrom <urn:x:out> ."""
    with store_in(tmp_path_factory.mktemp("around") / "s") as store:
        store.ingest([native(text)])
        graph = graph_of(store)
        doing, who = (around(graph, Around(f"urn:x:{name}")) for name in ("doing", "who"))
        graph.close()
    assert (doing["role"], doing["kind"], who["role"], who["kind"]) == ("activity", "Odd", "agent", "Device")
    assert [node["iri"] for node in doing["sources"]["nodes"]] == ["urn:x:in"]
    assert [node["iri"] for node in doing["dependents"]["nodes"]] == ["urn:x:out"]
    assert [node["iri"] for node in doing["agents"]["agents"]] == ["urn:x:who"]
    assert doing["downstream"]["total"] == 1
    assert [node["iri"] for node in who["dependents"]["nodes"]] == ["urn:x:out"]
