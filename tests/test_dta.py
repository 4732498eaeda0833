"""Data Provenance Standards: what metadata say, their misprints, where they say too little, what the store answers."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from provstore.capture.dta import map_dta
from provstore.errors import Unmappable
from provstore.model import Submission
from tests.answering import answered
from tests.goldens import FIXTURES
from tests.stores import BASE, assert_sound, store_in

METADATA: dict[str, Any] = json.loads((FIXTURES / "dta" / "metadata.json").read_text())
DATASET = f"{BASE}/dataset/urn%3Auuid/17725bad-9098-4f43-abe6-43490ae1596c"


def quads(value: Any) -> str:
    return map_dta(value, base=BASE).quads.decode()


def changed(group: str, **members: object) -> dict[str, Any]:
    value = copy.deepcopy(METADATA)
    value[group].update(members)
    return value


def sent(value: dict[str, Any]) -> Submission:
    return Submission(json.dumps(value).encode(), "application/json", "tests", map_dta(value, base=BASE))


def test_a_dataset_is_found_with_the_source_that_it_names_by_where_its_metadata_are(tmp_path: Path) -> None:
    source = copy.deepcopy(METADATA)
    source["source"] = {
        "id": "urn:uuid:00000000-0000-4000-8000-000000000001",
        "title": "wristband",
        "location": METADATA["provenance"]["source"],
    }
    source["provenance"] = {"date": "2022-06-01"}  # before the other began to be gathered
    with store_in(tmp_path / "data") as store:
        store.ingest([sent(METADATA), sent(source)])
        written = answered(store, "lineage/history", dataset=DATASET)
        upstream = answered(store, "lineage/upstream", entity=written[0]["state"])
        assert_sound(store)
    assert [row["written"] for row in written] == ["2024-05-27T00:00:00Z", "2024-02-01T00:00:00Z"]
    found = {row["entity"].partition("/dataset/")[2].partition("/write/")[0]: row["certainty"] for row in upstream}
    assert found["urn%3Auuid/00000000-0000-4000-8000-000000000001"] == "certain"


def test_a_misprint_means_what_it_should() -> None:
    right = changed("provenance")
    right["provenance"]["generation-method"][1]["code"] = "sensor-and-iot-output-vehicle-transportation"
    assert map_dta(right, base=BASE).quads == map_dta(METADATA, base=BASE).quads
    assert not map_dta(right, base=BASE).liberties
    assert "/DSP/" not in quads(METADATA)


@pytest.mark.parametrize("license_", ["CC-BY-4.0", "cc-by-4.0", ["CC-BY-4.0"]])
def test_a_known_licence_is_a_link(license_: object) -> None:
    assert "/license> <https://spdx.org/licenses/CC-BY-4.0>" in quads(changed("use", license=license_))


def test_any_other_licence_is_terms_in_words() -> None:
    assert '/rights> "ask legal"' in quads(changed("use", license="ask legal"))
    assert "/license> <https://l.example/eula>" in quads(changed("use", license="https://l.example/eula"))


@pytest.mark.parametrize(
    ("answer", "personal"), [(True, True), ("TRUE", True), (False, False), ("unknown", False), (None, False)]
)
def test_only_what_was_found_to_be_personal_is_said_to_be(answer: object, personal: bool) -> None:
    value = changed("use", classification=[{"regulation": {"code": "pii"}, "evaluated": answer}])
    assert ("dpv#hasPersonalData>" in quads(value)) is personal
    assert '"classification pii"' in quads(value)


def test_one_stands_for_a_list_of_one() -> None:
    issuer = METADATA["source"]["issuer"][0]
    assert quads(changed("source", issuer=issuer)) == quads(METADATA)
    assert quads(changed("provenance", origin=METADATA["provenance"]["origin"][0])) == quads(METADATA)


def test_the_dataset_may_be_named_as_pipelines_name_it() -> None:
    value = {"provstore": "dta/1", "dataset": {"namespace": "file", "name": "/a.csv"}, "metadata": METADATA}
    assert f"<{BASE}/dataset/file/%2Fa.csv> <http://purl.org/dc/terms/title>" in quads(value)


@pytest.mark.parametrize(
    ("value", "pointer"),
    [
        ({}, "/source"),
        ({"source": {}}, "/source/id"),
        (changed("source", id="17725bad"), "/source/id"),
        (changed("source", id="/etc/passwd"), "/source/id"),
        ({"provstore": "dta/1"}, "/metadata"),
        ({"provstore": "dta/1", "dataset": {"name": "a"}, "metadata": METADATA}, "/dataset/namespace"),
    ],
)
def test_what_has_no_identity_is_refused(value: Any, pointer: str) -> None:
    with pytest.raises(Unmappable) as caught:
        map_dta(value, base=BASE)
    assert caught.value.pointer == pointer


@pytest.mark.parametrize("junk", [None, 7, "x", [], {}, [None], [[]], {"a": []}, [{"a": {}}], True])
def test_a_malformed_member_costs_no_more_than_itself(junk: object) -> None:
    for group in METADATA:
        for member in METADATA[group]:
            if member != "id":
                assert f"<{DATASET}>" in quads(changed(group, **{member: junk}))
    for group in ("provenance", "use"):
        assert f"<{DATASET}>" in quads({**METADATA, group: junk})


def test_data_made_of_data_of_data() -> None:
    value = changed("provenance")
    inner = value["provenance"]
    for _ in range(50):
        inner["sub-provenance"] = [{"origin-geography": [{"country": "US"}]}]
        inner = inner["sub-provenance"][0]
    assert quads(value).count("/part/0> <http://purl.org/dc/terms/spatial>") == 50
