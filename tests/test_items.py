"""Batches of record-level items: what each says, that its form does not matter, and what is refused where."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provstore import rdf
from provstore.capture import formats
from provstore.capture.items import MAX_ITEMS, map_items
from provstore.capture.items.batch import KINDS, MAX_SOURCES
from provstore.capture.items.items import MEMBERS
from provstore.capture.payloads import Limits
from provstore.core import intake
from provstore.core.inline import validate
from provstore.errors import Unmappable
from provstore.model import Mapped
from tests.notation import canonical, lines_of, prefixed, triples

BASE = "https://prov.example"
RUN = "0176a8c2-fe01-7439-87e6-56a1a1b4029f"
SECRET = {"commitment": f"hmac-sha256:{'0123456789abcdef' * 4}"}
Object = dict[str, Any]


def batch(*items: Object, **members: Any) -> Object:
    return {"provstore": "items/1", "namespace": "lab", "run": RUN, "items": list(items), **members}


def mapped(*items: Object, **members: Any) -> Mapped:
    return map_items(batch(*items, **members), base=BASE)


def told(found: Mapped, about: str = "") -> set[str]:
    """What a record says of what begins so (all but of itself), in short."""
    told = set()
    for subject, predicate, value in triples(found.quads):
        terms = [_short(term) for term in (subject, predicate, value)]
        if found.record not in subject and terms[0].startswith(about):
            told.add(" ".join(terms))
    return told


def _short(term: str) -> str:
    for long, brief in (
        (BASE + "/", ""),
        ("http://qudt.org/schema/qudt/", "qudt:"),
        ("http://www.w3.org/ns/sosa/", "sosa:"),
        ("http://www.w3.org/2001/XMLSchema#", "xsd:"),
        (f"urn:uuid:{RUN}", "run"),
    ):
        term = term.replace(long, brief)
    return prefixed(term).replace("<", "").replace(">", "")


def refused(value: Object) -> tuple[str | None, str]:
    with pytest.raises(Unmappable) as caught:
        map_items(value, base=BASE)
    return caught.value.pointer, caught.value.detail


# --- what a batch says -----------------------------------------------------------------------------------------------


def test_a_laboratory_value() -> None:
    found = mapped(
        {"key": "77", "value": 6.9, "time": "2026-04-01T08:15:00Z", "sample": "s-77", "subject": "p-3fa9"},
        kind="Observation",
        state="raw",
        start="2026-04-01T08:14:00Z",
        end="2026-04-01T08:16:00Z",
        device={"id": "analyser-4", "serial": "AX-4", "label": "Analyser 4"},
        technician={"id": "tech-17", "org": "north"},
        plan={"id": "loinc-14749-6", "title": "glucose"},
        unit="unit:MilliMOL-PER-L",
    )
    assert told(found) == lines_of("""
        item/lab/77/raw a prov:Entity
        item/lab/77/raw a ps:RecordItem
        item/lab/77/raw a sosa:Result
        item/lab/77/raw prov:specializationOf item/lab/77
        item/lab/77/raw prov:wasGeneratedBy run
        item/lab/77/raw prov:wasDerivedFrom item/sample/s-77
        item/lab/77/raw prov:generatedAtTime "2026-04-01T08:15:00Z"^^xsd:dateTime
        item/lab/77/raw qudt:numericValue "6.9"^^xsd:decimal
        item/lab/77/raw qudt:unit http://qudt.org/vocab/unit/MilliMOL-PER-L
        item/lab/77 a prov:Entity
        item/lab/77 a ps:Measurand
        item/sample/s-77 a prov:Entity
        item/sample/s-77 a sosa:Sample
        item/sample/s-77 ps:subject subject/p-3fa9
        subject/p-3fa9 a prov:Entity
        subject/p-3fa9 a ps:DataSubject
        run a prov:Activity
        run a sosa:Observation
        run prov:used item/sample/s-77
        run prov:startedAtTime "2026-04-01T08:14:00Z"^^xsd:dateTime
        run prov:endedAtTime "2026-04-01T08:16:00Z"^^xsd:dateTime
        run prov:wasAssociatedWith agent/device/analyser-4
        run prov:wasAssociatedWith agent/person/tech-17
        run prov:qualifiedAssociation run#association/https%3A%2F%2Fprov.example%2Fagent%2Fdevice%2Fanalyser-4
        run prov:qualifiedAssociation run#association/https%3A%2F%2Fprov.example%2Fagent%2Fperson%2Ftech-17
        run#association/https%3A%2F%2Fprov.example%2Fagent%2Fdevice%2Fanalyser-4 a prov:Association
        run#association/https%3A%2F%2Fprov.example%2Fagent%2Fdevice%2Fanalyser-4 prov:agent agent/device/analyser-4
        run#association/https%3A%2F%2Fprov.example%2Fagent%2Fdevice%2Fanalyser-4 prov:hadRole ps:measuringDevice
        run#association/https%3A%2F%2Fprov.example%2Fagent%2Fdevice%2Fanalyser-4 prov:hadPlan plan/loinc-14749-6
        run#association/https%3A%2F%2Fprov.example%2Fagent%2Fperson%2Ftech-17 a prov:Association
        run#association/https%3A%2F%2Fprov.example%2Fagent%2Fperson%2Ftech-17 prov:agent agent/person/tech-17
        run#association/https%3A%2F%2Fprov.example%2Fagent%2Fperson%2Ftech-17 prov:hadRole ps:technician
        plan/loinc-14749-6 a prov:Plan
        plan/loinc-14749-6 a prov:Entity
        plan/loinc-14749-6 dct:title "glucose"
        agent/device/analyser-4 a prov:Agent
        agent/device/analyser-4 a sosa:Sensor
        agent/device/analyser-4 ps:serialNumber "AX-4"
        agent/device/analyser-4 http://www.w3.org/2000/01/rdf-schema#label "Analyser 4"
        agent/person/tech-17 a prov:Agent
        agent/person/tech-17 a prov:Person
        agent/person/tech-17 prov:actedOnBehalfOf agent/org/north
        agent/org/north a prov:Agent
        agent/org/north a prov:Organization
    """)
    assert found.adapter == "items/1"
    assert not found.liberties


def test_the_record_is_about_the_run_at_its_end() -> None:
    found = mapped({"key": "1"}, start="2026-04-01T08:00:00Z", end="2026-04-01T09:00:00Z", redacted=["/items/0/value"])
    own = {f"{_short(p)} {_short(o)}" for s, p, o in triples(found.quads) if s == f"<{found.record}>"}
    assert own == lines_of("""
        a prov:Bundle
        a ps:Record
        a ps:Batch
        ps:about run
        ps:redacted "/items/0/value"
        prov:generatedAtTime "2026-04-01T09:00:00Z"^^xsd:dateTime
    """)


def test_a_prediction_comes_from_its_model_and_its_input() -> None:
    found = mapped(
        {"key": "p-1", "value": 0.81, "from": {"namespace": "applications", "key": "app-1"}},
        {"key": "p-2", "value": "refuse", "from": f"{BASE}/item/app-2"},
        kind="Inference",
        model=f"models:/m-{'0' * 32}",
        software="scoring",
    )
    assert told(found, "item") == lines_of(f"""
        item/lab/p-1 a prov:Entity
        item/lab/p-1 a ps:Prediction
        item/lab/p-1 prov:value "0.81"^^xsd:decimal
        item/lab/p-1 prov:wasGeneratedBy run
        item/lab/p-1 prov:wasDerivedFrom modelversion/m-{"0" * 32}
        item/lab/p-1 prov:wasDerivedFrom item/applications/app-1
        item/lab/p-2 a prov:Entity
        item/lab/p-2 a ps:Prediction
        item/lab/p-2 prov:value "refuse"
        item/lab/p-2 prov:wasGeneratedBy run
        item/lab/p-2 prov:wasDerivedFrom modelversion/m-{"0" * 32}
        item/lab/p-2 prov:wasDerivedFrom item/app-2
        item/applications/app-1 a prov:Entity
        item/applications/app-1 a ps:RecordItem
        item/app-2 a prov:Entity
    """)
    used = {line for line in told(found, "run") if " prov:used " in line}
    assert used == lines_of(f"""
        run prov:used modelversion/m-{"0" * 32}
        run prov:used item/applications/app-1
        run prov:used item/app-2
    """)
    assert any(line.endswith(" prov:hadRole ps:model") for line in told(found))


def test_a_normalised_value_is_another_state_of_the_same_key() -> None:
    found = mapped(
        {"key": "77", "value": {"decimal": "124.30"}},
        kind="Normalisation",
        state="normalised-1",
        unit="mg/dL",
        plan={"id": "mmol-to-mgdl", "version": "v3", "factor": 18.016, "formula": "y = x * 18.016"},
        software="normaliser",
        **{"from": {"state": "raw"}},
    )
    assert told(found, "item/lab/77/n") >= lines_of("""
        item/lab/77/normalised-1 prov:wasDerivedFrom item/lab/77/raw
        item/lab/77/normalised-1 qudt:numericValue "124.30"^^xsd:decimal
        item/lab/77/normalised-1 qudt:unit unit/mg%2FdL
    """)
    assert told(found, "unit") == {'unit/mg%2FdL qudt:ucumCode "mg/dL"'}
    assert told(found, "plan") == lines_of("""
        plan/mmol-to-mgdl/v3 a prov:Plan
        plan/mmol-to-mgdl/v3 a prov:Entity
        plan/mmol-to-mgdl/v3 prov:specializationOf plan/mmol-to-mgdl
        plan/mmol-to-mgdl/v3 ps:factor "18.016"^^xsd:decimal
        plan/mmol-to-mgdl/v3 ps:formula "y = x * 18.016"
    """)
    assert "run prov:used item/lab/77/raw" in told(found)


def test_a_correction_revises_and_ends_what_it_corrects() -> None:
    found = mapped(
        {"key": "77", "value": 5.4, "time": "2026-04-05T07:00:00Z"},
        kind="Correction",
        state="corrected",
        reason="haemolysed",
        **{"from": {"state": "raw"}},
    )
    assert told(found) >= lines_of("""
        item/lab/77/corrected prov:wasRevisionOf item/lab/77/raw
        item/lab/77/corrected prov:wasDerivedFrom item/lab/77/raw
        item/lab/77/raw prov:wasInvalidatedBy run
        item/lab/77/raw prov:invalidatedAtTime "2026-04-05T07:00:00Z"^^xsd:dateTime
        run a ps:Correction
        run ps:reason "haemolysed"
    """)


def test_rows_and_chunks_are_quoted_from_the_state_that_was_read() -> None:
    dataset = {"namespace": "file", "name": "/docs/a.pdf"}
    found = mapped(
        {"key": "a#1", "locator": "page 3, characters 120 to 480", "value": SECRET},
        kind="Extraction",
        **{"from": {"dataset": dataset, "sha256": "ab" * 32, "version": "7"}},
    )
    read = f"dataset/file/%2Fdocs%2Fa.pdf/read/{RUN}"
    assert told(found, "item") == lines_of(f"""
        item/lab/a%231 a prov:Entity
        item/lab/a%231 a ps:RecordItem
        item/lab/a%231 ps:commitment "{SECRET["commitment"]}"
        item/lab/a%231 ps:locator "page 3, characters 120 to 480"
        item/lab/a%231 prov:wasGeneratedBy run
        item/lab/a%231 prov:wasDerivedFrom {read}
        item/lab/a%231 prov:wasQuotedFrom {read}
    """)
    assert told(found) >= lines_of(f"""
        run prov:used {read}
        {read} a ps:ReadState
        {read} prov:specializationOf dataset/file/%2Fdocs%2Fa.pdf
        {read} prov:specializationOf dataset/file/%2Fdocs%2Fa.pdf/version/7
        {read} ps:sha256 "{"ab" * 32}"
    """)


def test_members_make_what_they_are_members_of() -> None:
    found = mapped({"key": "1", "value": 3}, memberOf={"namespace": "w", "name": "t"}, end="2026-01-01T00:00:00Z")
    assert told(found, "dataset/w/t/write") == lines_of(f"""
        dataset/w/t/write/{RUN} a prov:Entity
        dataset/w/t/write/{RUN} a prov:Collection
        dataset/w/t/write/{RUN} a ps:WriteState
        dataset/w/t/write/{RUN} prov:specializationOf dataset/w/t
        dataset/w/t/write/{RUN} prov:wasGeneratedBy run
        dataset/w/t/write/{RUN} prov:generatedAtTime "2026-01-01T00:00:00Z"^^xsd:dateTime
        dataset/w/t/write/{RUN} prov:hadMember item/lab/1
        dataset/w/t/write/{RUN} prov:wasDerivedFrom item/lab/1
    """)
    assert "run prov:used item/lab/1" in told(found)


def test_items_by_another_device_have_a_part_of_the_run() -> None:
    found = mapped(
        {"key": "1"},
        {"key": "2", "device": "b"},
        {"key": "3", "device": "b"},
        {"key": "4", "device": "b", "technician": "t"},
        kind="Observation",
        device="a",
        plan="p",
    )
    makers = {s: o for s, p, o in (line.split(" ", 2) for line in told(found, "item")) if p == "prov:wasGeneratedBy"}
    assert makers["item/lab/1"] == "run"
    assert makers["item/lab/2"] == makers["item/lab/3"] != "run"
    assert makers["item/lab/4"] not in (makers["item/lab/2"], "run")
    part = makers["item/lab/4"]
    assert told(found, part) >= lines_of(f"""
        {part} a sosa:Observation
        {part} dct:isPartOf run
        {part} prov:wasAssociatedWith agent/device/b
        {part} prov:wasAssociatedWith agent/person/t
    """)
    assert not {line for line in told(found, part) if "agent/device/a" in line}


def test_a_decision_rests_on_a_prediction() -> None:
    found = mapped({"key": "d", "value": "refused", "from": {"namespace": "p", "key": "1"}}, kind="Decision")
    assert {"item/lab/d a ps:Decision", "item/lab/d prov:wasDerivedFrom item/p/1"} <= told(found)


# --- its form does not matter ----------------------------------------------------------------------------------------

_texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12).filter(str.strip)
_values = st.one_of(
    st.integers(-(10**6), 10**6),
    st.floats(allow_nan=False, allow_infinity=False),
    _texts,
    st.booleans(),
    st.just(SECRET),
)
_optional = {
    "value": _values,
    "time": st.datetimes().map(lambda each: each.isoformat()),
    "from": st.one_of(_texts, st.lists(_texts, max_size=3)),
    "unit": st.sampled_from(["unit:K", "mg/dL", "http://example.org/unit"]),
    "device": st.sampled_from(["a", "b"]),
    "subject": _texts,
    "sample": _texts,
    "title": _texts,
}


@st.composite
def batches(draw: st.DrawFn) -> tuple[list[Object], Object]:
    keys = draw(st.lists(_texts, min_size=1, max_size=6, unique=True))
    items = [{"key": f"item {key}", **draw(st.fixed_dictionaries({}, optional=_optional))} for key in keys]
    head = {"kind": draw(st.sampled_from([*KINDS])), "state": draw(st.sampled_from([None, "raw"]))}
    return items, head


@settings(deadline=None)
@given(batches(), st.randoms(use_true_random=False))
def test_rows_and_objects_in_any_order_make_the_same_quads(
    given: tuple[list[Object], Object], dice: random.Random
) -> None:
    items, head = given
    one = mapped(*items, **head)
    assert canonical(one.quads) == one.quads
    columns = [*MEMBERS]
    dice.shuffle(columns)
    dice.shuffle(items)
    rows = [[item.get(column) for column in columns] for item in items]
    value = batch(**head)
    del value["items"]
    other = map_items({**value, "columns": columns, "rows": rows}, base=BASE)
    assert (other.quads, other.record) == (one.quads, one.record)


@settings(deadline=None)
@given(batches())
def test_what_an_item_is_made_from_was_used_by_what_made_it(given: tuple[list[Object], Object]) -> None:
    items, head = given
    said = set(rdf.triples(mapped(*items, **head).quads.decode()))
    made = {(s, o) for s, p, o in said if p.endswith("#wasGeneratedBy>")}
    used = {(s, o) for s, p, o in said if p.endswith("#used>")}
    derived = {(s, o) for s, p, o in said if p.endswith("#wasDerivedFrom>")}
    assert {(a, x) for item, a in made for other, x in derived if other == item} <= used


def test_a_batch_is_recognised_and_kept_under_its_own_media_type() -> None:
    form = formats.of_payload(batch({"key": "1"}))
    assert (form.name, form.media_types) == ("items", ("application/vnd.provstore.items+json",))


def test_what_is_not_known_is_left_out_and_told() -> None:
    found = mapped({"key": "1", "colour": "red"}, weather="fine", start="2026-01-01T00:00:00")
    assert [each.pointer for each in found.liberties] == ["/items/0", "/start", "/weather"]
    assert told(found) == told(mapped({"key": "1"}, start="2026-01-01T00:00:00Z"))
    rows = {**batch(), "columns": ["key", "colour"], "rows": [["1", "red"]]}
    del rows["items"]
    assert [each.pointer for each in map_items(rows, base=BASE).liberties] == ["/columns/1"]


def test_a_run_that_is_no_uuid_gets_one_and_an_iri_is_kept() -> None:
    assert [each.pointer for each in mapped({"key": "1"}, run="night 7").liberties] == ["/run"]
    found = mapped({"key": "1"}, run="https://prov.example/run/observation-77")
    assert "item/lab/1 prov:wasGeneratedBy run/observation-77" in told(found)


def _found(value: Object, profile: str) -> set[str]:
    """The names of the rules by which a profile finds something in a batch."""
    return {result.shape.rpartition("#")[2] for result in validate(value, profile, base=BASE).results}


def test_the_profiles_of_items_and_predictions_judge_batches() -> None:
    whole = {
        "kind": "Observation",
        "state": "raw",
        "end": "2026-04-01T09:00:00Z",
        "device": {"id": "a", "serial": "1"},
        "technician": "t",
        "plan": "p",
        "unit": "unit:K",
    }
    assert _found(batch({"key": "1", "value": 3, "sample": "s"}, **whole), "item") == {
        "observation-names-the-calibration"
    }
    assert _found(batch({"key": "1", "value": 3}, kind="Observation"), "item") == {
        "number-has-a-unit",
        "number-has-a-time",
        "observation-has-a-time",
        "number-belongs-to-a-measurand",
        "observation-names-its-device",
        "observation-names-its-technician",
        "observation-names-its-method",
        "observation-names-its-sample",
        "observation-names-the-calibration",
    }
    risk = {"kind": "Inference", "software": "s", "end": "2026-04-01T09:00:00Z"}
    assert not _found(batch({"key": "1", "value": SECRET, "from": "i"}, model="models:/m-1", **risk), "prediction")
    assert _found(batch({"key": "1", "from": "i"}, **risk), "prediction") >= {
        "inference-names-its-model",
        "prediction-has-a-value",
        "prediction-is-derived-from-model-and-input",
    }


def test_a_batch_of_many_is_mapped_where_nobody_waits_for_it() -> None:
    for count, small in ((10, True), (1_000, False)):
        data = json.dumps(batch(*({"key": n, "value": n} for n in range(count)))).encode()
        assert intake.is_small(intake.Body(data, "application/json", None, BASE, Limits())) is small


# --- what is refused -------------------------------------------------------------------------------------------------


def test_a_key_that_comes_twice_is_refused_where_it_comes_again() -> None:
    pointer, detail = refused(batch({"key": "a"}, {"key": "b"}, {"key": "a"}))
    assert (pointer, "'a' comes twice: first at /items/0" in detail) == ("/items/2/key", True)
    value = {**batch(), "columns": ["value", "key"], "rows": [[1, "a"], [2, "a"]]}
    del value["items"]
    assert refused(value)[0] == "/rows/1/1"
    assert refused(batch({"key": 7}, {"key": "7"}))[0] == "/items/1/key"
    mapped({"key": "a"}, {"key": "a", "state": "raw"})  # another state is another item


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"provstore": "items/2"}, "/provstore"),
        ({"kind": "Guess"}, "/kind"),
        ({"kind": ["Run"]}, "/kind"),
        ({"namespace": None}, "/namespace"),
        ({"namespace": ""}, "/namespace"),
        ({"run": None}, "/run"),
        ({"run": {}}, "/run"),
        ({"run": "urn:a b"}, "/run"),
        ({"start": "yesterday"}, "/start"),
        ({"end": 5}, "/end"),
        ({"unit": 5}, "/unit"),
        ({"device": {"label": "x"}}, "/device/id"),
        ({"technician": []}, "/technician"),
        ({"plan": {"id": "p", "factor": "much"}}, "/plan/factor"),
        ({"agents": {}}, "/agents"),
        ({"agents": [5]}, "/agents/0"),
        ({"agents": [{"id": "x", "kind": "robot"}]}, "/agents/0/kind"),
        ({"agents": [{"id": "x", "role": "boss"}]}, "/agents/0/role"),
        ({"from": {}}, "/from"),
        ({"from": [{"iri": "a"}]}, "/from/0/iri"),
        ({"from": {"dataset": {"namespace": "n"}}}, "/from/dataset/name"),
        ({"from": {"dataset": {"namespace": "n", "name": "t"}, "sha256": "ab"}}, "/from/sha256"),
        ({"memberOf": {"namespace": "n"}}, "/memberOf/name"),
        ({"supersedes": "the last one"}, "/supersedes"),
        ({"supersedes": ["https://elsewhere.example/record/1"]}, "/supersedes/0"),
        ({"items": []}, ""),
        ({"items": {}}, "/items"),
        ({"items": [5]}, "/items/0"),
        ({"items": [{}]}, "/items/0/key"),
        ({"items": [{"key": True}]}, "/items/0/key"),
        ({"items": [{"key": 1.5}]}, "/items/0/key"),
        ({"items": [{"key": "x" * 1001}]}, "/items/0/key"),
        ({"items": [{"key": "1", "value": [1]}]}, "/items/0/value"),
        ({"items": [{"key": "1", "value": {"commitment": "sha256:12"}}]}, "/items/0/value"),
        ({"items": [{"key": "1", "value": {"decimal": "6,9"}}]}, "/items/0/value"),
        ({"items": [{"key": "1", "value": "sha256:" + "a" * 64}]}, "/items/0/value"),
        ({"items": [{"key": "1", "value": "A" * 64}]}, "/items/0/value"),
        ({"items": [{"key": "1", "value": "x" * 65_537}]}, "/items/0/value"),
        ({"items": [{"key": "1", "time": "2026-02-30T00:00:00Z"}]}, "/items/0/time"),
        ({"items": [{"key": "1", "from": "1"}]}, "/items/0/from"),
        ({"items": [{"key": "1", "from": ["2", 3.5]}]}, "/items/0/from/1"),
        ({"items": [{"key": "1", "device": {"serial": "x"}}]}, "/items/0/device/id"),
        ({"rows": []}, ""),
    ],
)
def test_what_is_wrong_is_refused_where_it_stands(change: Object, pointer: str) -> None:
    assert refused({**batch({"key": "1"}), **change})[0] == pointer


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"columns": None}, "/columns"),
        ({"columns": []}, "/columns"),
        ({"columns": ["key", "key"]}, "/columns/1"),
        ({"columns": ["key", 5]}, "/columns/1"),
        ({"rows": [["1"]]}, "/rows/0"),
        ({"rows": [["1", 2, 3]]}, "/rows/0"),
        ({"rows": ["12"]}, "/rows/0"),
        ({"rows": [["1", 2], [None, 2]]}, "/rows/1/0"),
        ({"rows": []}, ""),
    ],
)
def test_rows_must_fit_their_columns(change: Object, pointer: str) -> None:
    value = {**batch(), "columns": ["key", "value"], "rows": [["1", 2]], **change}
    del value["items"]
    assert refused(value)[0] == pointer


def test_more_than_is_taken_is_refused() -> None:
    pointer, detail = refused(batch(*({"key": n} for n in range(MAX_ITEMS + 1))))
    assert (pointer, "send several batches" in detail) == ("/items", True)
    many = [{"key": n, "from": [f"s{i}" for i in range(1000)]} for n in range(MAX_SOURCES // 1000 + 1)]
    assert "sources" in refused(batch(*many))[1]


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_whatever_is_sent_is_taken_or_refused(data: st.DataObject) -> None:
    """A good batch with anything at all in the place of any of its parts."""
    value = batch(
        {
            "key": "1",
            "value": 2,
            "time": "2026-01-01T00:00:00Z",
            "from": ["2", {"state": "raw"}],
            "device": {"id": "d"},
        },
        device={"id": "a", "serial": "b"},
        plan={"id": "p", "version": "1", "factor": 2},
        agents=[{"id": "x", "kind": "person", "role": "urn:role"}],
        memberOf={"namespace": "n", "name": "t"},
        **{"from": {"dataset": {"namespace": "n", "name": "u"}, "version": 2, "sha256": "ab" * 32}},
    )
    places: list[tuple[Any, Any]] = []
    todo: list[Any] = [value]
    while todo:
        holder = todo.pop()
        for place in list(holder) if isinstance(holder, dict) else range(len(holder)):
            places.append((holder, place))
            if isinstance(holder[place], dict | list):
                todo.append(holder[place])
    anything = st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(max_size=9),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "key", "iri", "x"]), inner),
        max_leaves=4,
    )
    holder, place = data.draw(st.sampled_from(places))
    holder[place] = data.draw(anything)
    before = copy.deepcopy(value)
    pointer: str | None = ""
    try:
        found = map_items(value, base=BASE)
    except Unmappable as error:
        pointer = error.pointer
    else:
        assert canonical(found.quads) == found.quads
        assert map_items(json.loads(json.dumps(value)), base=BASE) == found
    assert pointer is not None
    assert value == before
