"""The search index is what live records say, in whatever order they came."""

from __future__ import annotations

import itertools
import json
import sqlite3
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provstore.core import ProvStore
from provstore.core.check import check_store
from provstore.model import Submission
from provstore.views import search as index
from tests import stores
from tests.histories import data, dataset, native, of_dataset, of_job, said, withdrawing
from tests.searching import (
    ADDRESS,
    RISK,
    Object,
    ask,
    in_namespace,
    names,
    owned,
    schema,
    searching,
    tagged,
    told,
)
from tests.stores import BASE, assert_sound, store_in

# --- what is in force ------------------------------------------------------------------------------------------------


def found_by(store: ProvStore, *texts: str) -> set[str]:
    """Which of the words find anything as words."""
    searcher = searching(store)
    found = {text for text in texts if (answer := ask(searcher, text)).total and answer.how == "words"}
    searcher.close()
    assert_sound(store)
    return found


def test_words_of_a_withdrawn_record_vanish_unless_others_say_them(tmp_path: Path) -> None:
    first, second = native("<urn:x> dct:title 'alpha', 'beta' ."), native("<urn:x> dct:title 'alpha', 'gamma' .")
    with store_in(tmp_path / "s") as store:
        store.ingest([first, second])
        assert found_by(store, "alpha", "beta", "gamma") == {"alpha", "beta", "gamma"}
        store.ingest([withdrawing(first)])
        assert found_by(store, "alpha", "beta", "gamma") == {"alpha", "gamma"}
        store.ingest([withdrawing(second)])
        assert found_by(store, "alpha", "beta", "gamma") == set()


def test_nothing_of_a_withdrawn_document_is_kept(tmp_path: Path) -> None:
    event = of_dataset("secretname", 1, ownership=owned("user:secretowner"), tags=tagged("secrettag"))
    known = stores.event(in_namespace(event, "secretspace"))
    with store_in(tmp_path / "s") as store:
        store.ingest([known])
        store.ingest([withdrawing(known)])
        assert found_by(store, "secretname", "secretowner", "secrettag", "secretspace") == set()
        assert not [each for each in index.contents(store.views.database) if "secret" in each]
        assert (
            store.views.database.execute("SELECT value FROM search_label WHERE value LIKE '%secret%'").fetchall() == []
        )


def test_the_last_facet_by_event_time_is_in_force(tmp_path: Path) -> None:
    with store_in(tmp_path / "s") as store:
        store.ingest([stores.event(of_dataset("d", 9, schema=schema("newest"), documentation=told("lastly")))])
        store.ingest([stores.event(of_dataset("d", 1, schema=schema("oldest"), documentation=told("firstly")))])
        assert found_by(store, "newest", "oldest", "firstly", "lastly") == {"newest", "lastly"}
        later = stores.event(said("r", "COMPLETE", 20, [], [data("d", schema=schema("written"))]))
        store.ingest([later])
        assert found_by(store, "newest", "written") == {"written"}
        store.ingest([withdrawing(later)])
        assert found_by(store, "newest", "written") == {"newest"}


def test_a_deleted_facet_is_not_searched(tmp_path: Path) -> None:
    with store_in(tmp_path / "s") as store:
        store.ingest([stores.event(of_dataset("d", 1, documentation=told("spoken")))])
        gone = stores.event(of_dataset("d", 2, documentation={"_deleted": True}))
        store.ingest([gone])
        assert found_by(store, "spoken") == set()
        store.ingest([withdrawing(gone)])
        assert found_by(store, "spoken") == {"spoken"}


def test_what_was_only_announced_counts_where_nothing_else_is_said(tmp_path: Path) -> None:
    with store_in(tmp_path / "s") as store:
        store.ingest([stores.event(said("r", "START", 9, [], [data("d", schema=schema("announced"))]))])
        assert found_by(store, "announced") == {"announced"}
        store.ingest([stores.event(said("s", "COMPLETE", 1, [], [data("d", schema=schema("written"))]))])
        assert found_by(store, "announced", "written") == {"written"}


def test_columns_that_only_lineage_names(tmp_path: Path) -> None:
    edges = {"fields": {"avg_spend": {"inputFields": [{"namespace": "db", "name": "a", "field": "amount"}]}}}
    with store_in(tmp_path / "s") as store:
        store.ingest([stores.event(said("r", "COMPLETE", 1, ["a"], [data("d", columnLineage=edges)]))])
        (found,) = ask(searching(store), "avg_spend").results
    assert (found["name"], found["snippet"]) == ("d", {"field": "columns", "marked": ["", "avg_spend", ""]})


BAD: list[Any] = [None, 7, "text", [], {}, {"fields": 1}, {"fields": [None, 7, {}, {"name": 7}, {"name": ""}]}]


@pytest.mark.parametrize("key", ["schema", "documentation", "ownership", "tags", "columnLineage", "sql"])
def test_facets_that_are_not_what_they_promise_are_no_error(tmp_path: Path, key: str) -> None:
    more: list[Any] = [{"owners": {}}, {"owners": [[]]}, {"tags": [{"key": 1}]}, {"description": 1}, {"query": []}]
    with store_in(tmp_path / "s") as store:
        for second, bad in enumerate([*BAD, *more]):
            store.ingest([stores.event(of_dataset("d", second, **{key: bad}))])
        assert found_by(store, "d") == {"d"}


def test_a_thing_of_ten_thousand_columns_and_a_megabyte_of_sql(tmp_path: Path) -> None:
    wide = of_dataset("wide", 1, schema=schema(*(f"field_{n}" for n in range(10_000))))
    long = of_job("long", 2, sql={"query": "SELECT " + ", ".join(f"c{n}" for n in range(200_000))})
    with store_in(tmp_path / "s") as store:
        store.ingest([stores.event(wide), stores.event(long)])
        assert found_by(store, "field_9999", "c3000") == {"field_9999", "c3000"}
        snippet = ask(searching(store), "field_9999").results[0]["snippet"]
        assert snippet == {"field": "columns", "marked": ["", "field_9999", ""]}


# --- equal to the ledger, in any order -------------------------------------------------------------------------------

_FACETS: dict[str, tuple[Object, ...]] = {
    "documentation": (told("alpha text"), told("beta text"), {"_deleted": True}),
    "schema": (schema("one_col", "twoCol"), schema(ADDRESS), {"_deleted": True}),
    "ownership": (owned("user:ana"), owned("user:bob", "team:x"), {"_deleted": True}),
    "tags": (tagged("pii"), tagged("pii", layer="gold")),
}
_facets = st.fixed_dictionaries({}, optional={key: st.sampled_from(values) for key, values in _FACETS.items()})
_tables, _seconds, _runs = st.sampled_from("abc"), st.integers(0, 3), st.sampled_from("rst")
_outputs = st.lists(st.builds(lambda n, f: data(n, **f), _tables, _facets), max_size=2, unique_by=lambda d: d["name"])
_errors = st.sampled_from(({}, {"errorMessage": {"message": "boom"}}, {"errorMessage": {"_deleted": True}}))
_sql = st.sampled_from(({}, {"sql": {"query": "SELECT 1"}}, {"sql": {"query": "DELETE x"}}))
_said = st.one_of(
    st.builds(
        lambda run, kind, second, reads, writes, run_facets, job_facets: said(
            run, kind, second, reads, writes, job=f"job_{run}", run_facets=run_facets, job_facets=job_facets
        ),
        *(_runs, st.sampled_from(("START", "COMPLETE", "FAIL")), _seconds, _outputs, _outputs, _errors, _sql),
    ),
    st.builds(lambda name, second, facets: of_dataset(name, second, **facets), _tables, _seconds, _facets),
    st.builds(lambda title, thing: (thing, title), st.sampled_from(("Étude", "plain title")), st.sampled_from("xy")),
)


@st.composite
def _histories(draw: st.DrawFn) -> list[tuple[Any, Submission]]:
    """Events, titles of things, and lists of what is withdrawn, each with its submission."""
    known: list[tuple[Any, Submission]] = []
    made: list[Any] = draw(st.lists(_said, min_size=2, max_size=9))
    for each in made:
        turtle = f"<urn:{each[0]}> a prov:Entity ; dct:title '{each[1]}' ." if isinstance(each, tuple) else ""
        known.append((each, native(turtle) if turtle else stores.event(each)))
    numbers = st.lists(st.integers(0, len(known) - 1), min_size=1, max_size=2, unique=True)
    for withdrawn in draw(st.lists(numbers, max_size=2)):
        known.append((tuple(withdrawn), withdrawing(*(known[n][1] for n in withdrawn))))
    return known


_RANK = {"START": 0, "COMPLETE": 2, "FAIL": 2}


def recomputed(history: list[tuple[Any, Submission]]) -> dict[str, Object]:
    """Every document, from the events themselves: nothing here knows of quads, facts or tables."""
    gone = {
        history[n][1].mapped.record
        for what, _ in history
        if isinstance(what, tuple) and type(what[0]) is int
        for n in what
    }
    live = {s.mapped.record: what for what, s in history if s.mapped.record not in gone}
    documents: dict[str, Object] = {}
    facets: dict[tuple[str, str], list[tuple[Any, ...]]] = {}

    def seen(
        iri: str, record: str, event: Object, held: Object, written: bool = False, announced: bool = False
    ) -> None:
        order = (not announced, event["eventTime"], _RANK.get(event.get("eventType", ""), 1), record, written)
        for key, value in held.items():
            facets.setdefault((iri, key), []).append((order, value))

    def table(named: Object) -> str:
        iri = dataset(named["name"])
        documents[iri] = {"kind": "dataset", "name": named["name"], "namespace": "db"}
        return iri

    for record, what in live.items():
        if isinstance(what, tuple):
            if type(what[0]) is str:
                found = documents.setdefault(f"urn:{what[0]}", {"kind": "entity", "titles": set()})
                found["titles"].add(what[1])
            continue
        documents[f"{BASE}/agent/software/https%3A%2F%2Fexample.org%2Ftests"] = {
            "kind": "agent",
            "name": "https://example.org/tests",
            "ids": ["https://example.org/tests"],
        }
        if "dataset" in what:
            seen(table(what["dataset"]), record, what, what["dataset"]["facets"])
            continue
        run, job = run_iri_of(what), f"{BASE}/job/jobs/{what['job']['name']}"
        named = what["job"]["name"]
        documents[job] = {"kind": "job", "name": named, "namespace": "jobs"}
        local = run.rpartition(":")[2]
        documents[run] = {"kind": "run", "name": named, "namespace": "jobs", "job": named, "ids": [local]}
        seen(job, record, what, what["job"]["facets"])
        seen(run, record, what, what["run"]["facets"])
        for each in what["inputs"]:
            seen(table(each), record, what, each["facets"])
        for each in what["outputs"]:
            announced = what["eventType"] != "COMPLETE"
            seen(table(each), record, what, each["facets"], written=not announced, announced=announced)
    for iri, found in documents.items():
        if "titles" in found:
            found["name"], *others = sorted(found.pop("titles"))
            found |= {"names": others} if others else {}
        for (of, key), held in facets.items():
            value = max(order for order, _ in held) if of == iri else None
            if value is not None:
                _describe(found, key, [v for order, v in held if order == value])
    return documents


def run_iri_of(event: Object) -> str:
    return f"urn:uuid:{event['run']['runId']}"


def _describe(found: Object, key: str, values: list[Object]) -> None:
    value = values[0]
    if value.get("_deleted"):
        return
    texts = found.setdefault("texts", {})
    if key == "documentation":
        texts[0] = value["description"]
    elif key == "errorMessage":
        texts[1] = value["message"]
    elif key == "schema":
        nested = value["fields"][0]["name"] == "address"
        found["columns"] = ["address", "address.city", "address.postalCode"] if nested else ["one_col", "twoCol"]
        if nested:
            texts[2] = "municipality"
    elif key == "ownership":
        found["owners"] = sorted(each["name"] for each in value["owners"])
    elif key == "tags":
        found["tags"] = ["layer:gold", "pii"] if len(value["tags"]) > 1 else ["pii"]
    elif key == "sql":
        found["sql"] = value["query"]


def documents_of(store: ProvStore) -> dict[str, Object]:
    query = "SELECT s.iri, b.body FROM search_body b JOIN search_subject s ON s.id = b.id"
    return {iri: json.loads(body) for iri, body in store.views.database.execute(query)}


def fed(submissions: list[Submission], cuts: list[int]) -> tuple[dict[str, Object], set[str], list[str]]:
    """The documents, the whole index, and what a check finds, after so many batches."""
    with tempfile.TemporaryDirectory() as directory, store_in(Path(directory) / "s") as store:
        for first, last in itertools.pairwise(sorted({0, *cuts, len(submissions)})):
            store.ingest(submissions[first:last])
        return documents_of(store), set(index.contents(store.views.database)), check_store(store)


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_documents_are_what_the_events_say_in_any_order(data: st.DataObject) -> None:
    history = data.draw(_histories())
    submissions = [each for _, each in history]
    again = data.draw(st.lists(st.integers(0, len(history) - 1), max_size=3))
    order = data.draw(st.permutations([*range(len(history)), *again]))
    cuts = data.draw(st.lists(st.integers(0, len(order)), max_size=5))
    documents, whole, findings = fed([submissions[number] for number in order], cuts)
    expected = recomputed(history)
    for found in expected.values():
        texts = found.pop("texts", {})
        if texts:
            found["description"] = "\n".join(texts[key] for key in sorted(texts))
    assert documents == expected
    assert findings == []
    assert fed(submissions, [])[1] == whole


def test_an_index_that_is_not_what_the_ledger_says_is_found_out(tmp_path: Path) -> None:
    with store_in(tmp_path / "s") as store:
        store.ingest([stores.event(RISK)])
        assert_sound(store)
        store.views.database.execute("UPDATE search_body SET body = replace(body, 'borrower', 'lender')")
        assert any("lender" in each for each in check_store(store))
        store.rebuild()
        store.views.database.execute("INSERT INTO search_text(rowid, name) VALUES (1, 'astray')")
        assert any("words" in each for each in check_store(store))
        store.rebuild()
        assert_sound(store)


def test_ids_are_the_same_after_a_rebuild(tmp_path: Path) -> None:
    first, second = native("<urn:b> dct:title 'one' ."), native("<urn:a> dct:title 'two' .")
    with store_in(tmp_path / "s") as store:
        for each in (first, second, withdrawing(first), native("<urn:c> dct:title 'three' .")):
            store.ingest([each])
        store.ingest([native("<urn:b> dct:title 'again' .")])
        before = names(ask(searching(store)))
        store.rebuild()
        assert names(ask(searching(store))) == before == ["three", "two", "again"]


def test_a_view_database_of_another_version_is_made_again(tmp_path: Path) -> None:
    with store_in(tmp_path / "s") as store:
        store.ingest([stores.event(RISK)])
    with sqlite3.connect(tmp_path / "s" / "views" / "view.db") as db:
        db.execute("DROP TABLE search_doc")
        db.execute("PRAGMA user_version=1")
    db.close()
    with store_in(tmp_path / "s") as store:
        assert names(ask(searching(store), "risk")) == ["analytics.customer_risk_score"]
        assert_sound(store)
