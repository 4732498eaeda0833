"""Soda Core: what a scan says, where it says too little, and what the store answers from it."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from provstore.capture.soda import map_soda
from provstore.errors import Unmappable
from provstore.model import Submission
from tests.answering import answered
from tests.goldens import FIXTURES
from tests.stores import BASE, assert_sound, store_in

SCAN: dict[str, Any] = json.loads((FIXTURES / "soda" / "scan_result.json").read_text())
BROKEN: dict[str, Any] = json.loads((FIXTURES / "soda" / "scan_broken.json").read_text())


def test_tests_and_measures_are_found_where_those_of_openlineage_are(tmp_path: Path) -> None:
    value = {"provstore": "soda/1", "namespaces": {"warehouse": "warehouse://bank"}, "result": SCAN}
    with store_in(tmp_path / "data") as store:
        store.ingest([Submission(json.dumps(value).encode(), "application/json", "tests", map_soda(value, base=BASE))])
        failed = answered(store, "quality/failed")
        dataset = f"{BASE}/dataset/warehouse%3A%2F%2Fbank/customer_risk_score"
        measured = answered(store, "quality/measurements", dataset=dataset)
        assert_sound(store)
    assert {(row["test"], row.get("column"), row["severity"]) for row in failed} == {
        ("every customer has a score", "risk_score", "error"),
        ("missing_percent(risk_score) warn when > 10 % fail when > 50 %", "risk_score", "warn"),
        ("duplicate_count(customer_id) = 0", "customer_id", "error"),
        ("invalid_count(age_band) = 0", "age_band", "error"),
        ("max(risk_score) <= 1", "risk_score", "error"),
        ("the columns are there", None, "error"),
    }
    assert {(row.get("column"), row["metric"].replace(f"{BASE}/metric/", ""), row["value"]) for row in measured} >= {
        (None, "https://w3id.org/provstore/ns#RowCount", "5"),
        ("risk_score", "https://w3id.org/provstore/ns#NullCount", "1"),
        ("risk_score", "soda%2Favg", "0.75"),
        ("age_band", "soda%2Finvalid_count", "1"),
    }


def test_two_tables_are_two_runs() -> None:
    value = copy.deepcopy(SCAN)
    value["checks"][0]["table"] = "other"
    assert map_soda(value, base=BASE).quads.decode().count("#endedAtTime>") == 2


def test_a_check_that_did_not_run_could_not_be_told() -> None:
    value = copy.deepcopy(SCAN)
    value["checks"][0]["outcome"] = None
    (content,) = map_soda(value, base=BASE).contents
    assert content.quads.count(b"earl#cantTell") == 1


@pytest.mark.parametrize(
    ("value", "pointer"),
    [
        ("scan", ""),
        ({}, "/scanStartTimestamp"),
        ({**SCAN, "definitionName": ""}, "/definitionName"),
        ({**SCAN, "scanStartTimestamp": "soon"}, "/scanStartTimestamp"),
        ({**SCAN, "checks": {}}, "/checks"),
        ({**SCAN, "checks": [7, {"table": "t"}]}, "/checks"),
        ({"provstore": "soda/1", "result": {**SCAN, "checks": []}}, "/result/checks"),
        (
            {"provstore": "soda/1", "datasets": {"customer_risk_score": {"namespace": "n"}}, "result": SCAN},
            "/datasets/customer_risk_score/name",
        ),
    ],
)
def test_what_has_no_identity_is_refused(value: object, pointer: str) -> None:
    with pytest.raises(Unmappable) as caught:
        map_soda(value, base=BASE)
    assert caught.value.pointer == pointer


def test_a_scan_that_broke_off_says_so() -> None:
    with pytest.raises(Unmappable, match="it broke off"):
        map_soda(BROKEN, base=BASE)


@pytest.mark.parametrize("junk", [None, 7, "x", [], {}, [None], {"a": []}, True])
def test_a_malformed_member_costs_no_more_than_itself(junk: object) -> None:
    for member in ("metrics", "logs", "queries", "scanEndTimestamp", "hasErrors"):
        assert b"/read/" in map_soda({**SCAN, member: junk}, base=BASE).quads
    for member in SCAN["checks"][0]:
        value = copy.deepcopy(SCAN)
        value["checks"][0][member] = junk
        assert b"NullCount" in map_soda(value, base=BASE).quads
