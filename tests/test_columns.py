"""Column lineage across runs: what was made of which column, how surely, and what an influence is not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from provstore.core import ProvStore
from provstore.lineage.columns import ColumnPage, ColumnQuestion, columns
from provstore.lineage.graph import LineageGraph
from provstore.lineage.impact import ImpactQuestion, impact
from tests.histories import Object, at, column_lineage, data, dataset, native, of_dataset, read, said
from tests.stores import store_in
from tests.telling import feed, short


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ProvStore]:
    with store_in(tmp_path / "store") as opened:
        yield opened


def ask(
    store: ProvStore, entity: str, column: str, direction: str = "downstream", **more: str | int | bool
) -> ColumnPage:
    graph = LineageGraph(store.directory / "views")
    try:
        return columns(graph, ColumnQuestion(entity, column, direction, **more))  # type: ignore[arg-type]
    finally:
        graph.close()


def reached(page: ColumnPage) -> set[str]:
    return {f"{short(c.state)}.{c.column} {c.certainty} {c.depth}" for c in page.columns}


def made(run: str, second: float, sources: list[str | Object], target: Object) -> Object:
    return said(run, "COMPLETE", second, sources, [target])


def chain(store: ProvStore) -> None:
    """people.email → clean.contact (hashed) and people.age → clean.age; clean.age → stats.mean, filtered by contact."""
    hashed = {
        "fields": {
            "contact": {
                "inputFields": [
                    {
                        "namespace": "db",
                        "name": "people",
                        "field": "email",
                        "transformations": [{"type": "DIRECT", "subtype": "TRANSFORMATION", "masking": True}],
                    }
                ]
            },
            **column_lineage([("age", "people", "age", "DIRECT")])["fields"],
        }
    }
    feed(
        store,
        said("r", "START", 1, ["people"]),
        made("r", 2, [], data("clean", columnLineage=hashed)),
        said("s", "START", 3, ["clean"]),
        made(
            "s",
            4,
            [],
            data(
                "stats",
                columnLineage=column_lineage(
                    [("mean", "clean", "age", "DIRECT"), ("mean", "clean", "contact", "INDIRECT")]
                ),
            ),
        ),
    )


def test_a_column_is_followed_through_runs(store: ProvStore) -> None:
    chain(store)
    assert reached(ask(store, "people", "age")) == {
        "clean/write/r.age certain 1",
        "clean/read/s.age certain 2",
        "stats/write/s.mean certain 3",
    }
    assert reached(ask(store, "stats", "mean", "upstream")) == {
        "clean/read/s.age certain 1",
        "clean/write/r.age certain 2",
        "people/read/r.age certain 3",
        "clean/read/s.contact influence 1",
        "clean/write/r.contact influence 2",
        "people/read/r.email influence 3",
    }


def test_edges_say_what_was_done_and_by_which_record(store: ProvStore) -> None:
    chain(store)
    (edge,) = [e for e in ask(store, "people", "email").edges if e.by == "columnLineage" and e.masking]
    assert (short(edge.subject), edge.column, edge.from_column) == ("clean/write/r", "contact", "email")
    assert edge.transformations == ("TRANSFORMATION",)
    assert edge.record is not None
    assert "/record/" in edge.record


def test_a_masked_value_goes_no_further_when_asked_so(store: ProvStore) -> None:
    chain(store)
    assert "stats/write/s.mean influence 3" in reached(ask(store, "people", "email"))
    assert reached(ask(store, "people", "email", stop_at_masked=True)) == set()


def test_depth_and_pages(store: ProvStore) -> None:
    chain(store)
    assert reached(ask(store, "people", "age", depth=1)) == {"clean/write/r.age certain 1"}
    first = ask(store, "people", "age", limit=2)
    assert (first.total, len(first.columns)) == (3, 2)
    assert first.next is not None
    second = ask(store, "people", "age", limit=2, cursor=first.next)
    assert reached(first) | reached(second) == reached(ask(store, "people", "age"))


def test_columns_that_nobody_stated_are_only_possible(store: ProvStore) -> None:
    feed(store, made("r", 1, ["in"], data("out")))
    assert reached(ask(store, "in", "x")) == {"out/write/r.* possible 1"}
    assert reached(ask(store, "out", "y", "upstream")) == {"in/read/r.* possible 1"}


def test_where_columns_are_stated_others_come_from_nowhere(store: ProvStore) -> None:
    feed(store, made("r", 1, ["in"], data("out", columns=[("x", "in", "x", "DIRECT")])))
    assert reached(ask(store, "in", "y")) == set()
    assert reached(ask(store, "out", "y", "upstream")) == set()


def test_a_dataset_wide_influence_reaches_all_columns(store: ProvStore) -> None:
    feed(store, made("r", 1, ["in"], data("out", columns=[("x", "in", "x", "DIRECT"), ("", "in", "day", "INDIRECT")])))
    assert reached(ask(store, "in", "day")) == {"out/write/r.* influence 1"}
    assert "in/read/r.day influence 1" in reached(ask(store, "out", "x", "upstream"))


def test_an_append_keeps_the_columns_it_found(store: ProvStore) -> None:
    feed(
        store,
        made("r", 1, ["in"], data("d", columns=[("x", "in", "x", "DIRECT")])),
        said("s", "START", 2, ["more"]),
        made("s", 3, [], data("d", change="ALTER", columns=[("x", "more", "x", "DIRECT")])),
        said("t", "START", 4, ["d"]),
    )
    assert "d/read/t.x certain 3" in reached(ask(store, "in", "x"))
    assert reached(ask(store, "in", "x", at=2)) == {"d/write/r.x certain 1"}


def test_a_rename_takes_its_columns_along(store: ProvStore) -> None:
    change = {
        "lifecycleStateChange": "RENAME",
        "previousIdentifier": {"namespace": "db", "name": "old"},
    }
    feed(store, made("r", 1, ["in"], data("old", columns=[("x", "in", "x", "DIRECT")])))
    feed(store, said("s", "START", 2), made("s", 3, [], data("new", lifecycleStateChange=change)))
    assert "new/write/s.x certain 3" in reached(ask(store, "in", "x"))


def test_explicit_lineage_goes_before_column_lineage(store: ProvStore) -> None:
    entry = {
        "type": "DATASET",
        "namespace": "db",
        "name": "out",
        "fields": {"x": {"inputs": [{"type": "DATASET", "namespace": "db", "name": "a", "field": "k"}]}},
    }
    event = said(
        "r",
        "COMPLETE",
        1,
        ["a", "b"],
        [data("out", columns=[("x", "b", "x", "DIRECT")])],
        job_facets={"lineage": {"entries": [entry]}},
    )
    feed(store, event)
    assert reached(ask(store, "a", "k")) == {"out/write/r.x certain 1"}
    assert reached(ask(store, "b", "x")) == set()


def test_the_facet_in_force_is_the_last_by_its_time(store: ProvStore) -> None:
    late, early = (
        data("out", columns=[("x", "in", "late", "DIRECT")]),
        data("out", columns=[("x", "in", "x", "DIRECT")]),
    )
    feed(store, made("r", 5, ["in"], late), said("r", "RUNNING", 1, [], [early]))
    assert reached(ask(store, "in", "late")) == {"out/write/r.x certain 1"}
    assert reached(ask(store, "in", "x")) == set()
    gone = data("out", columnLineage={"_deleted": True})
    feed(store, said("r", "OTHER", 6, [], [gone]))
    assert reached(ask(store, "in", "late")) == {"out/write/r.* possible 1"}
    assert reached(ask(store, "in", "late", at=2)) == {"out/write/r.x certain 1"}


def test_as_of_an_instant_later_columns_are_not_there(store: ProvStore) -> None:
    chain(store)
    assert reached(ask(store, "people", "age", as_of=at(3))) == {
        "clean/write/r.age certain 1",
        "clean/read/s.age certain 2",
    }


def test_impact_of_a_column_reaches_models_only_possibly(store: ProvStore) -> None:
    chain(store)
    feed(
        store,
        native(
            f"<urn:m> a ps:ModelVersion ; prov:wasDerivedFrom <{read('stats', 't')}> ; prov:wasGeneratedBy <urn:t> ."
            f" <urn:t> a prov:Activity ; prov:used <{read('stats', 't')}> ;"
            f" prov:startedAtTime '{at(6)}'^^xsd:dateTime ."
            f" <{read('stats', 't')}> a ps:ReadState ; prov:specializationOf <{dataset('stats')}> ."
            f" <{dataset('people')}> a ps:Source ."
        ),
    )
    graph = LineageGraph(store.directory / "views")
    kinds = ("ModelVersion", "WriteState")

    def verdicts(column: str) -> dict[str, str]:
        found = impact(graph, ImpactQuestion("people", column, kinds=kinds)).verdicts
        return {short(v.iri): v.verdict for v in found}

    assert verdicts("age") == {"clean/write/r": "affected", "stats/write/s": "affected", "urn:m": "possibly affected"}
    # it only decided which rows were counted: by the data model that is influence, not derivation
    assert verdicts("email") == {"clean/write/r": "affected", "stats/write/s": "not affected", "urn:m": "not affected"}
    assert set(verdicts("shoe size").values()) == {"not affected"}
    graph.close()


@pytest.mark.parametrize("facet", [{"fields": []}, {"fields": {"x": []}}, {"fields": {"x": {"inputFields": [7]}}}, {}])
def test_facets_that_make_no_sense_state_nothing(store: ProvStore, facet: Object) -> None:
    feed(store, made("r", 1, ["in"], data("out", columnLineage=facet)))
    assert reached(ask(store, "in", "x")) == {"out/write/r.* possible 1"}


def test_a_dataset_without_states_has_no_lineage(store: ProvStore) -> None:
    feed(store, of_dataset("alone", 9))
    assert ask(store, "alone", "x").columns == []
