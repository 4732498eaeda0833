"""One laboratory's batches, from samples to decisions: questions are answered of items as of single records."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.browser import watched
from tests.servers import BASE, Server, serving
from tests.suites import ROOT

ITEM = f"{BASE}/item/"
RAW, NORMALISED = f"{ITEM}lab-north%2Fglucose/77/raw", f"{ITEM}lab-north%2Fglucose/77/normalised-1"
PREDICTION, OTHER = f"{ITEM}diabetes-risk/2026-04-06%2F77", f"{ITEM}diabetes-risk/2026-04-06%2F78"
DECISION, SAMPLE = f"{ITEM}invitations/77", f"{ITEM}sample/S-77"
MODEL = f"{BASE}/modelversion/m-0f6d3b1c9a7e4f2d8b5a6c7d8e9f0a1b"
MANY = 10_000
Object = dict[str, Any]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that was sent the batches, and one of as many items as a batch may hold."""
    with serving(tmp_path_factory.mktemp("lab") / "data", "--base", BASE) as server:
        for path in sorted((ROOT / "tests" / "fixtures" / "items").glob("*.json")):
            assert server.http.post("/records", content=path.read_bytes(), headers=JSON).status_code == 201
        answer = server.http.post("/records", content=json.dumps(many()), headers=JSON)
        assert answer.status_code == 201, answer.text
        assert server.sparql("ASK {}", min_index=answer.json()["index"]).status_code == 200
        yield server


JSON = {"Content-Type": "application/json"}


def many() -> Object:
    return {
        "provstore": "items/1",
        "namespace": "many",
        "run": "5a0e6f6e-6c5e-4c7a-9d0e-2f0f0c1b7aff",
        "columns": ["key", "value", "from"],
        "rows": [[f"m-{n}", n, f"source-{n}"] for n in range(MANY)],
    }


def rows(server: Server, name: str, **parameters: str) -> list[Object]:
    answer = server.http.get(f"/queries/{name}", params=parameters, headers={"Accept": "application/json"})
    assert answer.status_code == 200, answer.text
    return [{variable: term["value"] for variable, term in row.items()} for row in answer.json()["results"]["bindings"]]


def test_upstream_of_a_decision_is_all_that_it_rests_on(lab: Server) -> None:
    found = {row["entity"]: row["certainty"] for row in rows(lab, "lineage/upstream", entity=DECISION)}
    assert found == dict.fromkeys([PREDICTION, NORMALISED, RAW, SAMPLE, MODEL], "certain")


def test_of_a_bad_value_just_its_own_predictions_and_decisions_are_affected(lab: Server) -> None:
    verdicts = {row["entity"]: row["verdict"] for row in rows(lab, "impact/verdicts", entity=RAW)}
    assert (verdicts[PREDICTION], verdicts[DECISION], verdicts[OTHER]) == ("affected", "affected", "not affected")
    decided = [(row["entity"], row["certainty"]) for row in rows(lab, "impact/decisions", entity=RAW)]
    assert decided == [(DECISION, "certain"), (PREDICTION, "certain")]


def impact(server: Server, entity: str, **parameters: str) -> Object:
    given = {"entity": entity, "format": "json", **parameters}
    answer = server.http.get("/impact", params=given)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


@pytest.mark.parametrize("device", ["analyser-4", "analyser-5"])
def test_of_a_bad_device_what_it_measured_is_affected_and_all_that_was_made_of_it(lab: Server, device: str) -> None:
    said = impact(lab, f"{BASE}/agent/device/{device}", kind="RecordItem,Prediction", verdict="affected")
    affected = {each["iri"] for each in said["verdicts"]}
    assert said["counts"]["affected"] == len(affected)
    assert {RAW, NORMALISED, PREDICTION} <= affected if device == "analyser-4" else PREDICTION not in affected
    assert (RAW.replace("/77/", "/79/") in affected) is (device == "analyser-5")


def test_of_a_run_of_many_the_verdicts_are_whole_and_what_was_bad_is_told_in_part(lab: Server) -> None:
    said = impact(lab, "urn:uuid:5a0e6f6e-6c5e-4c7a-9d0e-2f0f0c1b7aff", kind="RecordItem", limit="3")
    assert (said["counts"]["affected"], said["started"], len(said["bad"])) == (MANY, MANY, 1000)
    first = [each["iri"] for each in said["verdicts"]]
    after = impact(
        lab, "urn:uuid:5a0e6f6e-6c5e-4c7a-9d0e-2f0f0c1b7aff", kind="RecordItem", limit="3", cursor=said["next"]
    )
    assert len({*first, *(each["iri"] for each in after["verdicts"])}) == 6


def test_a_run_of_many_says_how_many_and_lists_some_of_each(lab: Server) -> None:
    run = "urn:uuid:5a0e6f6e-6c5e-4c7a-9d0e-2f0f0c1b7aff"
    for did in ("read", "wrote"):
        found = rows(lab, "lineage/run", run=run, did=did, limit="20")
        assert {(row["did"], row["reads"], row["writes"]) for row in found} == {(did, str(MANY), str(MANY))}
        assert len({row["entity"] for row in found}) == 20
    both = rows(lab, "lineage/run", run=run, limit=str(2 * MANY))
    assert [sum(row["did"] == did for row in both) for did in ("read", "wrote")] == [MANY, MANY]


def test_what_made_many_things_is_one_line_of_what_somebody_did(lab: Server) -> None:
    batch = {**many(), "run": "5a0e6f6e-6c5e-4c7a-9d0e-2f0f0c1b7a99", "technician": "tech-99", "namespace": "of-99"}
    answer = lab.http.post(
        "/records", content=json.dumps({**batch, "rows": [[f"o-{n}", n, None] for n in range(101)]}), headers=JSON
    )
    lab.sparql("ASK {}", min_index=answer.json()["index"])
    (found,) = rows(lab, "audit/actions", agent=f"{BASE}/agent/person/tech-99")
    assert found["things"] == "101"
    assert "made" not in found


def test_a_correction_names_the_old_value_and_the_new(lab: Server) -> None:
    (found,) = rows(lab, "audit/corrections")
    assert (found["old"], found["new"]) == (RAW, RAW.replace("/raw", "/corrected"))


def test_the_device_of_a_value_is_the_one_that_measured_it(lab: Server) -> None:
    query = (
        "PREFIX prov: <http://www.w3.org/ns/prov#> PREFIX ps: <https://w3id.org/provstore/ns#> SELECT ?device {"
        " <ITEM> prov:wasGeneratedBy/prov:qualifiedAssociation ?how . ?how prov:hadRole ps:measuringDevice ;"
        " prov:agent ?device }"
    )
    for key, device in (("77", "analyser-4"), ("79", "analyser-5")):
        answer = lab.sparql(query.replace("ITEM", RAW.replace("/77/", f"/{key}/"))).json()
        assert [row["device"]["value"] for row in answer["results"]["bindings"]] == [f"{BASE}/agent/device/{device}"]


def test_the_lineage_of_one_of_many_is_its_own(lab: Server) -> None:
    answer = lab.http.get("/lineage", params={"entity": f"{ITEM}many/m-77"}, headers={"Accept": "application/json"})
    assert f"{ITEM}many/source-77" in answer.text
    assert f"{ITEM}many/source-78" not in answer.text


@pytest.mark.parametrize(
    "address",
    [
        f"/entity?iri={ITEM}many/m-77",
        "/entity?iri=urn:uuid:5a0e6f6e-6c5e-4c7a-9d0e-2f0f0c1b7aff",
        "/lineage?entity=urn:uuid:5a0e6f6e-6c5e-4c7a-9d0e-2f0f0c1b7aff",
        f"/lineage?entity={ITEM}many/m-77",
        "/search?q=m-77",
        "record",
    ],
)
def test_a_page_about_many_is_no_long_page(address: str, lab: Server, browser: Browser) -> None:
    if address == "record":
        query = f"SELECT ?g {{ GRAPH ?g {{ <{ITEM}many/m-77> ?p ?o }} }} LIMIT 1"
        (found,) = lab.sparql(query).json()["results"]["bindings"]
        address = f"/records/{found['g']['value'].rpartition('/')[2]}"
    with watched(browser, lab.url) as seen:
        text = seen.open(address).content()
        assert "m-" in text or "many" in text
        assert len(text) < 200_000


def test_a_key_is_found_by_the_search(lab: Server) -> None:
    found = lab.http.get("/search", params={"q": "m-77"}, headers={"Accept": "application/json"}).json()
    assert [each["iri"] for each in found["results"]] == [f"{ITEM}many/m-77"]


def test_what_is_wrong_in_a_batch_is_answered_with_its_place(lab: Server) -> None:
    twice = {**many(), "rows": [["a", 1, None], ["a", 2, None]]}
    answer = lab.http.post("/records", content=json.dumps(twice), headers=JSON)
    assert (answer.status_code, answer.json()["pointer"]) == (422, "/rows/1/0")
    other = {**twice, "run": "5a0e6f6e-6c5e-4c7a-9d0e-2f0f0c1b7afe", "rows": [["b", 1, None]]}
    both = lab.http.post("/records", content=json.dumps([twice, other]), headers=JSON).json()
    assert "/0/rows/1/0" in json.dumps(both)
