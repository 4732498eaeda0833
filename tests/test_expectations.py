"""Great Expectations: what a validation result says, where it says too little, and what the store answers from it."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from provstore.capture.expectations import map_expectations
from provstore.capture.openlineage import map_event
from provstore.errors import Unmappable
from provstore.model import Mapped, Submission
from tests.answering import answered
from tests.goldens import FIXTURES
from tests.stores import BASE, assert_sound, store_in

RESULT: dict[str, Any] = json.loads((FIXTURES / "expectations" / "validation_result.json").read_text())
CHECKPOINT: dict[str, Any] = json.loads((FIXTURES / "expectations" / "checkpoint_result.json").read_text())
FILE = "/srv/warehouse/customer_risk_score.csv"


def changed(**meta: object) -> dict[str, Any]:
    """The result with other members in its `meta`; None takes one out."""
    value = copy.deepcopy(RESULT)
    value["meta"].update(meta)
    value["meta"] = {name: each for name, each in value["meta"].items() if each is not None}
    return value


def mapped(value: object) -> Mapped:
    return map_expectations(value, base=BASE)


def submission(value: object, found: Mapped) -> Submission:
    return Submission(json.dumps(value).encode(), "application/json", "tests", found)


def written(name: str, at: str) -> Submission:
    """A run that wrote the file, and later one that read it."""
    value: dict[str, Any] = {
        "eventType": "COMPLETE",
        "eventTime": at,
        "producer": "https://tests.example",
        "run": {"runId": name},
        "job": {"namespace": "tests", "name": name},
        "outputs" if name == "make" else "inputs": [{"namespace": "file", "name": FILE}],
    }
    if name == "use":
        value["outputs"] = [{"namespace": "file", "name": "/srv/model.pkl"}]
    return submission(value, map_event(value, base=BASE))


def test_tests_and_measures_are_found_where_those_of_openlineage_are(tmp_path: Path) -> None:
    with store_in(tmp_path / "data") as store:
        store.ingest([written("make", "2026-11-26T16:00:00Z"), submission(RESULT, mapped(RESULT))])
        store.ingest([written("use", "2026-11-26T18:00:00Z")])
        failed = answered(store, "quality/failed")
        measured = answered(store, "quality/measurements", dataset=f"{BASE}/dataset/file/{FILE.replace('/', '%2F')}")
        anyway = answered(store, "quality/used_anyway")
        assert_sound(store)
    assert {(row["test"], row.get("column"), row["severity"]) for row in failed} == {
        ("expect_column_values_to_not_be_null", "risk_score", "warning"),
        ("expect_column_values_to_be_between", "risk_score", "critical"),
        ("expect_column_values_to_be_unique", "customer_id", "critical"),
        ("expect_column_values_to_be_in_set", "age_band", "critical"),
    }
    (between,) = [row for row in failed if row["test"] == "expect_column_values_to_be_between"]
    assert (between["expected"], between["actual"]) == ('{"max_value":1,"min_value":0}', "1 of 5 unexpected")
    assert {(row.get("column"), row["metric"].rpartition("#")[2], row["value"]) for row in measured} >= {
        (None, "RowCount", "5"),
        ("risk_score", "NullCount", "1"),
        ("risk_score", "Maximum", "1.3"),
        ("age_band", "DistinctCount", "4"),
        (
            "risk_score",
            f"{BASE}/metric/great_expectations%2Fexpect_column_mean_to_be_between%3A%20observed%20value",
            "0.75",
        ),
    }
    assert len({row["test"] for row in anyway}) == 4  # what was written, checked and found bad was used all the same


def test_a_column_that_is_not_there_could_not_be_told() -> None:
    (content,) = mapped(RESULT).contents
    assert content.quads.count(b"earl#cantTell") == 1
    assert content.quads.count(b"earl#failed") == 4
    assert content.quads.count(b"earl#passed") == 4


def test_values_of_rows_stay_out_of_the_graph() -> None:
    value = changed()
    value["results"][6]["result"]["partial_unexpected_list"] = ["4711-secret"]
    found = mapped(value)
    assert b"4711-secret" not in found.whole
    assert sum("values of rows" in each.message for each in found.liberties) == 4


def test_a_checkpoint_is_one_record_of_its_runs() -> None:
    ((name, one),) = CHECKPOINT["run_results"].items()
    other = copy.deepcopy(one)
    other["meta"]["batch_spec"]["path"] = "s3://lake/other.csv"
    found = mapped({**CHECKPOINT, "run_results": {name: one, "other": {"validation_result": other}}})
    assert found.quads.decode().count("#endedAtTime>") == 2
    assert f"<{BASE}/dataset/s3%3A%2F%2Flake/other.csv>" in found.quads.decode()


def test_a_table_is_what_the_envelope_says_it_is() -> None:
    table = changed(batch_spec={"type": "table", "schema_name": "mart", "table_name": "scores"})
    alone = mapped(table)
    assert f"<{BASE}/dataset/warehouse/mart.scores>" in alone.quads.decode()
    assert any("namespaces" in each.message for each in alone.liberties)
    wrapped = {"provstore": "expectations/1", "namespaces": {"warehouse": "postgres://db:5432"}, "result": table}
    assert f"<{BASE}/dataset/postgres%3A%2F%2Fdb%3A5432/mart.scores>" in mapped(wrapped).quads.decode()
    state = {"namespace": "file", "name": "/a.csv", "version": "7", "sha256": "ab" * 32}
    exact = mapped({"provstore": "expectations/1", "datasets": {"customer_risk_score": state}, "result": table})
    assert f"<{BASE}/dataset/file/%2Fa.csv/version/7>" in exact.quads.decode()
    assert "<ni:///sha-256;" in exact.quads.decode()


@pytest.mark.parametrize(
    ("value", "pointer"),
    [
        ([], ""),
        ({}, "/meta/run_id/run_time"),
        ({"provstore": "expectations/1"}, "/result"),
        ({"run_results": {}}, "/run_results"),
        ({"run_results": {"a/b": 7}}, "/run_results/a~1b"),
        (changed(run_id=None), "/meta/run_id/run_time"),
        (changed(run_id={"run_time": "yesterday"}), "/meta/run_id/run_time"),
        (changed(batch_spec=None, active_batch_definition=None), "/meta/active_batch_definition"),
        ({**RESULT, "results": "none"}, "/results"),
    ],
)
def test_what_has_no_identity_is_refused(value: object, pointer: str) -> None:
    with pytest.raises(Unmappable) as caught:
        mapped(value)
    assert caught.value.pointer == pointer


@pytest.mark.parametrize("junk", [None, 7, "x", [], {}, [None], {"a": []}, True, 1e300])
def test_a_malformed_member_costs_no_more_than_itself(junk: object) -> None:
    for member in ("results", "suite_name", "statistics", "success"):
        value = {**RESULT, member: [junk] if member == "results" else junk}
        assert f"{BASE}/dataset/file".encode() in mapped(value).quads
    for member in ("expectation_config", "result", "exception_info", "success", "meta"):
        value = changed()
        value["results"][3][member] = junk
        assert b"DistinctCount" in mapped(value).quads
    for member in ("great_expectations_version", "batch_markers", "validation_id", "checkpoint_id"):
        assert b"DistinctCount" in mapped(changed(**{member: junk})).quads


def test_a_very_large_suite_is_taken() -> None:
    value = changed()
    value["results"] = [
        {**RESULT["results"][3], "expectation_config": {"type": "expect_x", "kwargs": {"column": f"c{number}"}}}
        for number in range(5000)
    ]
    assert mapped(value).quads.count(b"dqv#QualityMeasurement>") == 5000 + 5001
