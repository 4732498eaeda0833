"""Measurements by group: Fairlearn's, and those written by hand; from a disparity to sources and consumers."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from provstore.capture.fairness import map_fairness
from provstore.capture.openlineage import map_event
from provstore.errors import Unmappable
from provstore.model import Submission
from provstore.observe.fairness import fairness
from provstore.ui import names
from tests.answering import answered
from tests.emitting import ran
from tests.goldens import FIXTURES
from tests.stores import BASE, assert_sound, document, store_in
from tests.suites import ROOT

LINES = (FIXTURES / "fairness" / "evaluations.jsonl").read_text().splitlines()
BY_SEX, BY_AGE, BY_BOTH = (json.loads(line) for line in LINES)
MODEL = f"{BASE}/modelversion/m-0123456789abcdef0123456789abcdef"
SHARED = {"sha256": "ab" * 32}


def sent(value: dict[str, Any]) -> Submission:
    return Submission(json.dumps(value).encode(), "application/json", "tests", map_fairness(value, base=BASE))


def run(name: str, at: str, reads: str, writes: str, column: str = "") -> Submission:
    """A run that made one dataset of another."""
    output: dict[str, Any] = {"namespace": "file", "name": writes}
    if column:
        source = {"namespace": "file", "name": reads, "field": column}
        facet = {"_producer": "urn:t", "_schemaURL": "urn:t", "fields": {"sex": {"inputFields": [source]}}}
        output["facets"] = {"columnLineage": facet}
    value = {
        "eventType": "COMPLETE",
        "eventTime": at,
        "producer": "https://tests.example",
        "run": {"runId": name},
        "job": {"namespace": "tests", "name": name},
        "inputs": [{"namespace": "file", "name": reads}],
        "outputs": [output],
    }
    return Submission(json.dumps(value).encode(), "application/json", "tests", map_event(value, base=BASE))


def trained(model: str, reads: str) -> str:
    """PROV of a model version that learned from a dataset of files."""
    state = f"{BASE}/dataset/file/{reads.replace('/', '%2F')}/read/{model}"
    return f"""@prefix prov: <http://www.w3.org/ns/prov#> . @prefix ps: <https://w3id.org/provstore/ns#> .
        <urn:t:{model}> a prov:Activity, ps:TrainingRun ; prov:used <{state}> ;
            prov:startedAtTime "2026-03-20T00:00:00Z"^^<http://www.w3.org/2001/XMLSchema#dateTime> .
        <{state}> a ps:ReadState ; prov:specializationOf <{state.partition("/read/")[0]}> .
        <urn:m:{model}> a ps:ModelVersion ; prov:wasGeneratedBy <urn:t:{model}> ; prov:wasDerivedFrom <{state}> ."""


def test_a_flagged_disparity_leads_to_slices_sources_and_consumers(tmp_path: Path) -> None:
    with store_in(tmp_path / "data") as store:
        store.ingest([run("hold", "2026-03-01T00:00:00Z", "/srv/crm.csv", "/srv/warehouse/holdout.csv", "gender")])
        store.ingest([run("train", "2026-03-02T00:00:00Z", "/srv/crm.csv", "/srv/train.csv")])
        store.ingest([_native(trained("other", "/srv/train.csv")), sent(BY_SEX)])
        flagged = answered(store, "bias/disparities", model=MODEL)
        sources = answered(store, "bias/sources", model=MODEL)
        consumers = answered(store, "bias/consumers", model=MODEL)
        failed = answered(store, "quality/failed")
        assert_sound(store)
    assert [(row["metric"].rpartition("/")[2], row["group"], row["ratio"], row["flagged"]) for row in flagged] == [
        ("accuracy", "women", "0.8", "false"),
        ("accuracy", "men", "1", "false"),
        ("selection_rate", "women", "0.5", "true"),
        ("selection_rate", "men", "1", "false"),
    ]
    assert {(row["column"], row["fromColumn"], row["source"].rpartition("%2F")[2]) for row in sources} == {
        ("sex", "gender", "crm.csv")
    }
    assert {(row["kind"], row["consumer"].replace("%2F", "/").rpartition("/")[2]) for row in consumers} == {
        ("dataset", "holdout.csv"),
        ("dataset", "train.csv"),
        ("model version", "urn:m:other"),
    }
    assert {(row["dataset"], row["test"]) for row in failed} == {
        (MODEL, "selection_rate ratio by sex"),
        (MODEL, "selection_rate difference by sex"),
    }


def _native(turtle: str) -> Submission:
    return document(turtle, "text/turtle")


def test_a_slice_by_two_columns_is_part_of_one_by_each() -> None:
    quads = map_fairness(BY_BOTH, base=BASE).quads.decode()
    (slice_,) = {line.split(" ")[0] for line in quads.splitlines() if '"25_to_64, women"' in line}
    parts = {
        line.split(" ")[2]
        for line in quads.splitlines()
        if line.startswith(f"{slice_} <http://purl.org/dc/terms/isPartOf>")
    }
    assert {part[1:-1].rpartition("/slice/")[2].partition("/")[2] for part in parts} == {
        "age_band/25_to_64",
        "sex/women",
    }


def test_sources_of_a_slice_by_two_columns_are_found_by_each(tmp_path: Path) -> None:
    with store_in(tmp_path / "data") as store:
        store.ingest([run("hold", "2026-03-01T00:00:00Z", "/srv/crm.csv", "/srv/warehouse/holdout.csv", "gender")])
        store.ingest([sent(BY_BOTH)])
        found = answered(store, "bias/sources", model=MODEL, column="sex")
    assert {row.get("fromColumn") for row in found} == {"gender"}


def test_the_size_of_a_group_is_no_metric() -> None:
    quads = map_fairness(BY_SEX, base=BASE).quads.decode()
    assert quads.count('#rowCount> "6"') == 2
    assert "/metric/count>" not in quads


def test_groups_as_aif360_names_them() -> None:
    value = copy.deepcopy(BY_SEX)
    value["disparities"] = [
        {
            "metric": "disparate impact",
            "kind": "ratio",
            "value": 0.5,
            "threshold": 0.8,
            "privileged": [{"sex": "men"}],
            "unprivileged": [{"sex": "women"}],
        }
    ]
    quads = map_fairness(value, base=BASE).quads.decode()
    assert quads.count("ns#between>") == 2
    assert "earl#failed" in quads


@pytest.mark.parametrize(
    ("kind", "value", "limit", "outcome"),
    [("ratio", 0.8, 0.8, "passed"), ("ratio", 0.79, 0.8, "failed"), ("difference", -0.2, 0.1, "failed")],
)
def test_a_threshold_decides(kind: str, value: float, limit: float, outcome: str) -> None:
    said = {"metric": "m", "kind": kind, "value": value, "threshold": limit, "between": [{"sex": "men"}]}
    assert f"earl#{outcome}" in map_fairness({**BY_SEX, "disparities": [said]}, base=BASE).quads.decode()


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"model": None}, "/model"),
        ({"model": "models:/scores/3"}, "/model"),
        ({"model": "runs:/abc/model"}, "/model"),
        ({"evaluation": None}, "/evaluation"),
        ({"evaluation": {"endedAt": "soon"}}, "/evaluation"),
        ({"datasets": [{"namespace": "file"}]}, "/datasets/0/name"),
        ({"groups": [{"group": {}, "metrics": {"a": 1}}]}, "/groups/0/group"),
        ({"groups": [{"group": "women", "metrics": {"a": 1}}]}, "/groups/0/group"),
        ({"groups": None, "disparities": None, "overall": None}, "/groups"),
        ({"disparities": [{"metric": "m", "kind": "gap", "value": 1}]}, "/disparities/0"),
        ({"disparities": [{"metric": "m", "kind": "ratio", "value": 1}]}, "/disparities/0"),
    ],
)
def test_what_has_no_identity_is_refused(change: dict[str, object], pointer: str) -> None:
    with pytest.raises(Unmappable) as caught:
        map_fairness({**BY_SEX, **change}, base=BASE)
    assert caught.value.pointer == pointer


@pytest.mark.parametrize("junk", [7, "x", [], {}, [None], True])
def test_a_malformed_member_costs_no_more_than_itself(junk: object) -> None:
    for member in ("overall", "datasets"):
        assert b"onSlice" in map_fairness({**BY_SEX, member: junk}, base=BASE).quads
    for member in ("metrics", "count"):
        value = copy.deepcopy(BY_SEX)
        value["groups"][0][member] = junk
        assert b"onSlice" in map_fairness(value, base=BASE).quads


def test_many_groups_are_taken() -> None:
    groups = [{"group": {"zip": str(n), "sex": "men"}, "metrics": {"a": n}} for n in range(3000)]
    assert map_fairness({**BY_SEX, "groups": groups}, base=BASE).quads.count(b"ns#onSlice>") == 3000


class Frame:
    """What is read of a MetricFrame with one metric, in place of Fairlearn, which is not installed here."""

    class Series:
        name = "accuracy"

        def to_frame(self) -> Frame.Table:
            return Frame.Table()

    class Table:
        index = ("women", "men")

        def to_dict(self, _: str) -> list[dict[str, Any]]:
            return [{"accuracy": 0.5}, {"accuracy": float("nan")}]

    by_group = Series()
    overall = 0.5
    control_levels = None
    sensitive_levels = ("sex",)


def test_a_group_without_rows_has_no_number() -> None:
    found = fairness(Frame(), model=MODEL, evaluation={"id": "e"}, thresholds={"accuracy": {"ratio": 0.8}})
    assert found["groups"] == [
        {"group": {"sex": "women"}, "metrics": {"accuracy": 0.5}},
        {"group": {"sex": "men"}, "metrics": {}},
    ]
    assert found["overall"] == {"metrics": {"accuracy": 0.5}}
    assert found["disparities"] == []  # there is nothing to compare with
    assert b"onSlice" in map_fairness(found, base=BASE).quads


@pytest.mark.parametrize("model", ["http://a#b#c", "urn:x:a b", "x:%zz", "http://[", "urn:x:<y>", "nothing"])
def test_a_model_that_no_engine_could_name_is_refused(model: str) -> None:
    with pytest.raises(Unmappable):
        map_fairness({**BY_SEX, "model": model}, base=BASE)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("0.6666666666666666", "0.6667"),
        ("0.5", "0.5"),
        ("0.50000001", "0.5"),
        ("-0.00001234567", "-1.235e-05"),
        ("123456.789012", "123456.789"),
        ("5", "5"),
        ("under 25", "under 25"),
    ],
)
def test_a_measured_value_is_shown_short(text: str, shown: str) -> None:
    assert names.measured(text) == shown


@pytest.mark.slow
def test_fairlearn_gives_the_same_today(tmp_path: Path) -> None:
    make = FIXTURES / "fairness" / "make.py"
    ran("pipeline", tmp_path, {"PYTHONPATH": str(ROOT)}, "python", make, tmp_path)
    assert (tmp_path / "evaluations.jsonl").read_text().splitlines() == LINES
