"""The worked examples: made as committed, valid, named, and with the story that their tables tell."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import fastjsonschema
import pytest

from tests import suites
from tests.servers import BASE, Server
from tests.suites import ROOT
from tools.examples import loans, made, nightly, tables
from tools.examples.trig import table

PS = "https://w3id.org/provstore/ns#"
API = f"{BASE}/dataset/https%3A%2F%2Fdemographics.example/demographics-api"
EVENTS = sorted((ROOT / "examples").rglob("*.jsonl"))


def test_what_is_made_is_as_committed() -> None:
    folders = {path.rpartition("/")[0] for path in made.files()}
    there = {
        path.relative_to(made.FOLDER).as_posix(): path.read_text(encoding="utf-8")
        for folder in folders
        for path in (made.FOLDER / folder).iterdir()
    }
    assert there == made.files(), "run `make examples`"


# --- the standard's own schemas --------------------------------------------------------------------------------------


@cache
def schemas() -> dict[str, Any]:
    home = suites.path("openlineage") / "spec" / "current"
    documents = [json.loads(file.read_bytes()) for file in home.rglob("*.json")]
    return {document["$id"]: document for document in documents if "$id" in document}


@cache
def check(url: str) -> Any:
    handlers = {"https": lambda uri: schemas()[uri.partition("#")[0]]}
    return fastjsonschema.compile({"$ref": url}, handlers=handlers, use_default=False)


def facets(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        if "_producer" in node:
            yield node
        for value in node.values():
            yield from facets(value)
    elif isinstance(node, list):
        for value in node:
            yield from facets(value)


@pytest.mark.parametrize("file", EVENTS, ids=lambda path: path.stem)
def test_events_are_valid_by_the_standard(file: Any) -> None:
    events = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert events
    for event in events:
        check(event["schemaURL"])(event)
        for facet in facets(event):
            check(facet["_schemaURL"])(facet)


def test_a_facet_that_is_not_valid_would_be_found() -> None:
    url = "https://openlineage.io/spec/facets/1-1-0/SQLJobFacet.json#/$defs/SQLJobFacet"
    with pytest.raises(fastjsonschema.JsonSchemaValueException, match="query"):
        check(url)({"_producer": "https://example.org", "_schemaURL": url})


# --- what a store makes of them --------------------------------------------------------------------------------------


def test_everything_that_has_a_page_has_a_name(demo: Server) -> None:
    nameless = demo.rows(
        f"""PREFIX ps: <{PS}> PREFIX prov: <http://www.w3.org/ns/prov#>
        PREFIX dct: <http://purl.org/dc/terms/> PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
        SELECT DISTINCT ?thing {{ VALUES ?kind {{ ps:Dataset ps:Job ps:Model ps:ModelVersion ps:Prediction ps:Decision
          ps:RecordItem ps:Slice ps:TrainingRun ps:Evaluation ps:Inference ps:Normalisation ps:Calibration
          ps:CodeVersion ps:AliasAssignment prov:Person prov:Organization prov:SoftwareAgent }}
          ?thing a ?kind FILTER NOT EXISTS {{ ?thing dct:title|rdfs:label|ps:name ?name }} }}"""
    )
    assert nameless == []


KINDS = """Dataset Job Model ModelVersion Prediction Decision RecordItem Slice TrainingRun Evaluation Inference
    Normalisation Calibration Approval ReadState WriteState Version UnresolvedRead Source JobVersion JobDeclaration
    AliasAssignment CodeVersion DataSubject"""


def test_there_are_two_of_each_kind(demo: Server) -> None:
    """One for what is usual and one for what is not."""
    rows = demo.rows("SELECT ?kind (COUNT(DISTINCT ?x) AS ?n) { ?x a ?kind } GROUP BY ?kind")
    counts = {row["kind"]: int(row["n"]) for row in rows}
    assert [kind for kind in KINDS.split() if counts.get(PS + kind, 0) < 2] == []


def test_the_verdicts_are_those_of_the_tables(demo: Server) -> None:
    """What learned from the wrong days is affected, with what was predicted and decided by it."""
    wrong = {"standard-2", "premium-1"}
    expected = {}
    for each in loans.applications():
        verdict = "affected" if each.model in wrong else "possibly affected"
        expected[f"{BASE}/prediction/{each.number}"] = expected[f"{BASE}/decision/{each.number}"] = verdict
        if each.day >= "2026-03-26":
            expected[f"{BASE}/prediction/{each.number}-challenger"] = "not affected"
    span = {"after": f"{nightly.WRONG[0]:%Y-%m-%d}", "before": "2026-03-10"}
    answer = demo.http.get("/impact", params={"entity": API, **span, "limit": 1000}).json()
    found = {each["iri"]: each["verdict"] for each in answer["verdicts"]}
    assert {iri: found[iri] for iri in expected} == expected
    assert len(expected) > 50
    affected = {iri.rpartition("/")[2] for iri, verdict in found.items() if "/model/" in iri and verdict == "affected"}
    assert affected == {*wrong, "thinfile-2"}


def test_snapshots_of_wrong_days_are_found_wrong(demo: Server) -> None:
    rows = demo.http.get(
        "/queries/quality/failed", params={"contains": "snapshot"}, headers={"accept": "application/json"}
    ).json()["results"]["bindings"]
    reads = [row["state"]["value"] for row in rows]
    seen = demo.rows(
        f"SELECT ?write {{ VALUES ?read {{ {' '.join(f'<{read}>' for read in reads)} }}"
        " ?read <http://www.w3.org/ns/prov#wasDerivedFrom> ?write }"
    )
    assert {row["write"].rpartition("/")[2] for row in seen} == {nightly.LOAD.run(day) for day in nightly.WRONG}


def test_what_is_taken_back_is_gone_and_what_is_corrected_is_right(demo: Server) -> None:
    retracted = demo.rows(f"SELECT ?x {{ <{BASE}/run/E11> ?p ?x }}")
    assert retracted == []
    officers = demo.rows(
        f"SELECT ?who {{ <{BASE}/activity/decide-113> <http://www.w3.org/ns/prov#wasAssociatedWith> ?who }}"
    )
    (application,) = [each for each in loans.applications() if each.number == 113]
    assert application.day == loans.MIXED_UP
    assert [row["who"] for row in officers] == [f"{BASE}/agent/person/fay"]


def test_the_ledger_holds_some_hundreds(demo: Server) -> None:
    assert 300 < demo.http.get("/health").json()["entries"] < 500


def test_columns_are_described_on_the_page_of_their_dataset(demo: Server) -> None:
    found = demo.http.get(
        "/entity", params={"iri": f"{BASE}/{table(tables.SCORES)}"}, headers={"accept": "application/json"}
    ).json()["columns"]
    assert {each["name"]: each["description"] for each in found} == {
        name: text for name, _, text in tables.COLUMNS[tables.SCORES]
    }
