"""Items of batches in the views: nothing follows that should not, whoever else speaks of them, in whatever order."""

from __future__ import annotations

import itertools
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provstore import rdf
from provstore.capture.items import map_items
from provstore.core import ProvStore
from provstore.model import Submission
from provstore.search import Request, Searcher
from provstore.store.oxigraph import TripleStore
from provstore.views import items
from provstore.views.edges import Relation
from provstore.views.facts import read_facts
from provstore.vocab import PROV
from tests.stores import BASE, assert_sound, document, lines, store_in, timeless

PREFIXES = """@prefix prov: <http://www.w3.org/ns/prov#> . @prefix ps: <https://w3id.org/provstore/ns#> .
"""
quick = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


def batch(run: str, rows: Sequence[Sequence[Any]], **members: Any) -> Submission:
    payload = {
        "provstore": "items/1",
        "namespace": "n",
        "run": f"{BASE}/run/{run}",
        "columns": ["key", "value", "from"],
        "rows": rows,
        **members,
    }
    raw = json.dumps(payload).encode()
    return Submission(raw, "application/vnd.provstore.items+json", "tests", map_items(payload, base=BASE))


def native(*statements: str) -> Submission:
    text = " ".join(statements)
    for kind in ("item", "run"):  # no base: <> is the record
        text = text.replace(f"<{kind}/", f"<{BASE}/{kind}/")
    return document(PREFIXES + text, "text/turtle")


_BATCH = st.sampled_from(["", "<> a ps:Batch ."])


@st.composite
def speeches(draw: st.DrawFn) -> list[Submission]:
    """Records of several kinds that speak of two items, two activities and two sources; some withdraw others."""
    said: list[Submission] = []
    names = st.sampled_from(["1", "2"])
    for _ in range(draw(st.integers(1, 5))):
        item, run, source = draw(names), draw(names), draw(names)
        kind = draw(st.sampled_from(["batch", "generated", "derived", "used", "typed", "titled"]))
        node, activity, made_of = f"<item/n/{item}>", f"<run/{run}>", f"<item/n/s{source}>"
        if kind == "batch":
            rows = [[item, 1, [f"s{source}", *draw(st.lists(st.just("s3"), max_size=1))]]]
            said.append(batch(run, rows, supersedes=draw(st.sampled_from([None, *(s.mapped.record for s in said)]))))
            continue
        text = {
            "generated": f"{node} prov:wasGeneratedBy {activity} .",
            "derived": f"{node} prov:wasDerivedFrom {made_of} .",
            "used": f"{activity} prov:used {made_of} .",
            "typed": f"{node} a ps:RecordItem ; prov:wasDerivedFrom {made_of} . {draw(_BATCH)}",
            "titled": f'{node} <http://purl.org/dc/terms/title> "item {item}" ; a prov:Entity, ps:RecordItem .',
        }[kind]
        withdrawn = draw(st.sampled_from(["", *(f"<> ps:supersedes <{s.mapped.record}> ." for s in said)]))
        said.append(native(text, withdrawn))
    return said


def fed(submissions: Sequence[Submission], cuts: Sequence[int], *, whole: bool = False) -> tuple[set[str], set[str]]:
    """(all quads, the default graph) of a store that took these in, in batches that end at the cuts."""
    with tempfile.TemporaryDirectory() as directory, store_in(Path(directory) / "s") as store:
        for first, last in itertools.pairwise(sorted({0, *cuts, len(submissions)})):
            store.ingest(submissions[first:last])
        if whole:
            assert_sound(store)
        return timeless(store.views.store.dump()), lines(store, "")


@quick
@given(st.data())
def test_any_order_makes_the_same_graphs(data: st.DataObject) -> None:
    said = data.draw(speeches())
    graphs, _ = fed(said, range(len(said)), whole=True)
    again = data.draw(st.permutations(said))
    cuts = data.draw(st.lists(st.integers(0, len(said)), max_size=3))
    assert fed(again, cuts)[0] == graphs


@quick
@given(speeches())
def test_what_an_item_is_made_from_was_used_by_whoever_made_it(said: list[Submission]) -> None:
    _, default = fed(said, ())
    triples = [rdf.split(f"{line} .\n")[:3] for line in default]
    pairs = {
        predicate: {(s, o) for s, p, o in triples if p == predicate}
        for predicate in (PROV.used, PROV.wasGeneratedBy, PROV.wasDerivedFrom)
    }
    makers = [(item, maker) for item, maker in pairs[PROV.wasGeneratedBy] if "/item/" in item]
    wanted = {(a, x) for item, a in makers for other, x in pairs[PROV.wasDerivedFrom] if other == item}
    assert wanted <= pairs[PROV.used]
    live = {s.mapped.record for s in said} - {
        rdf.split(line)[2][1:-1]
        for s in said
        for line in s.mapped.quads.decode().split("\n")[:-1]
        if "supersedes>" in line
    }
    stated = {
        (s, o)
        for each in said
        if each.mapped.record in live
        for s, p, o in rdf.triples(each.mapped.quads.decode())
        if p == PROV.used
    }
    assert pairs[PROV.used] == wanted | stated


def test_of_a_batch_nothing_is_kept_but_edges_and_keys() -> None:
    submission = batch("1", [[str(n), n, f"s{n}"] for n in range(50)], start="2026-01-01T00:00:00Z")
    facts = read_facts(submission.mapped.record, submission.mapped.quads)
    assert len(facts.items) == 100  # what they are made from is an item too
    assert {relation for _, relation, *_ in facts.item_edges} == {
        Relation.TYPE,
        Relation.GENERATED,
        Relation.DERIVED,
        Relation.USED,
    }
    assert not any("/item/" in str(row) for rows in facts.rows.values() for row in rows)
    assert facts.texts.keys() == {f"{BASE}/run/1"}


@pytest.mark.parametrize(
    "more",
    [
        "<item/n/1> prov:qualifiedDerivation <#d> . <#d> a prov:Derivation ; prov:entity <item/n/s1> .",
        "<item/n/1> a ps:Source .",
        '<item/n/1> prov:generatedAtTime "2026-01-01T00:00:00Z" . <run/1> prov:generated <item/n/1> .',
        "<item/n/1> prov:wasDerivedFrom <item/n/s2> .",
        '<item/n/1> <http://purl.org/dc/terms/title> "one" .',
        "<item/n/1> prov:wasRevisionOf <item/n/s2> .",
    ],
)
def test_of_what_more_is_said_facts_are_kept(more: str) -> None:
    plain = (
        "<item/n/1> a prov:Entity, ps:RecordItem ; prov:wasGeneratedBy <run/1> ; prov:wasDerivedFrom <item/n/s1> ."
        "<run/1> prov:used <item/n/s1> ."
    )
    batch = "<> a ps:Batch ."
    for statements, expected in (((batch, plain), True), ((plain,), False), ((batch, plain, more), False)):
        mapped = native(*statements).mapped
        assert (f"{BASE}/item/n/1" in read_facts(mapped.record, mapped.quads).items) is expected


def test_an_item_is_found_by_its_key_and_its_iri(tmp_path: Path) -> None:
    with store_in(tmp_path / "s") as store:
        store.ingest(
            [batch("1", [["a b/ü", 1, None], ["other", 2, None]]), batch("2", [["a b/ü", 1, None]], state="raw")]
        )
        searcher = Searcher(store.directory / "views" / "view.db")
        keyed = searcher.search(Request("a b/ü"))
        assert [each["iri"] for each in keyed.results] == [
            f"{BASE}/item/n/a%20b%2F%C3%BC",
            f"{BASE}/item/n/a%20b%2F%C3%BC/raw",
        ]
        assert keyed.total == 2
        assert [each["name"] for each in keyed.results] == ["a b/ü", "a b/ü"]
        (found,) = searcher.search(Request(f"{BASE}/item/n/other")).results
        assert (found["name"], found["namespace"], found["kind"]) == ("other", "n", "entity")
        assert not searcher.search(Request("nobody")).results
        searcher.close()


def test_a_named_item_is_found_once(tmp_path: Path) -> None:
    with store_in(tmp_path / "s") as store:
        store.ingest([batch("1", [["k", 1, None]])])
        store.ingest([native('<item/n/k> a ps:RecordItem ; <http://purl.org/dc/terms/title> "k" .')])
        searcher = Searcher(store.directory / "views" / "view.db")
        assert [each["iri"] for each in searcher.search(Request("k")).results] == [f"{BASE}/item/n/k"]
        searcher.close()


def test_what_is_withdrawn_is_found_no_more(tmp_path: Path) -> None:
    with store_in(tmp_path / "s") as store:
        first = batch("1", [["k", 1, "x"]])
        store.ingest([first])
        store.ingest([batch("1", [["l", 1, "x"]], supersedes=first.mapped.record)])
        assert items.found(store.views.database, "k", 9) == []
        assert items.found(store.views.database, "l", 9) == [f"{BASE}/item/n/l"]
        assert not any("/item/n/k>" in line for line in lines(store, ""))
        assert_sound(store)


def test_a_large_batch_half_loaded_is_loaded_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process ends after the quads of a batch and before what marks them as whole."""
    rows = [[f"{n:05}", n, f"s{n}"] for n in range(3_000)]
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    with store_in(whole) as store:
        store.ingest([batch("1", rows)])
        expected = timeless(store.views.store.dump())
    store = ProvStore(cut, base=BASE)
    store.append([batch("1", rows)])
    load, died = TripleStore.load, RuntimeError("the process ends here")

    def die(self: TripleStore, quads: bytes) -> None:
        raise died

    monkeypatch.setattr(TripleStore, "load", die)
    with pytest.raises(RuntimeError):
        store.catch_up()
    monkeypatch.setattr(TripleStore, "load", load)
    store.close()
    with store_in(cut) as store:
        assert timeless(store.views.store.dump()) == expected
        assert_sound(store)


def test_many_bytes_are_applied_in_parts(tmp_path: Path) -> None:
    rows = [[f"{n:05}", n, f"s{n}"] for n in range(5_000)]
    with store_in(tmp_path / "s") as store:
        store.append([batch(str(run), rows) for run in range(5)])
        parts = []
        while moved := store.apply_pending():
            parts.append(moved)
        assert sum(parts) == 5
        assert len(parts) > 1
