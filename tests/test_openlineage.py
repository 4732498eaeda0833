"""The OpenLineage adapter: what each event says, what it must not say, and that it is canonical whatever is sent."""

from __future__ import annotations

import copy
import json
import random
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provstore import iris, jcs, rdf
from provstore.capture.openlineage import MAPPER, map_event
from provstore.errors import InvalidInput, ProvStoreError, Unmappable
from provstore.model import Mapped
from tests import suites
from tests.notation import canonical, lines_of, prefixed, triples

BASE = "https://prov.example"
RUN = "0176a8c2-fe01-7439-87e6-56a1a1b4029f"
OTHER_RUN = "0e3ad129-a0ad-5c90-b594-b6bd2ff632c5"
Object = dict[str, Any]

#: Said of every record, run, job and dataset alike; tested once and left out of the stories.
_PLAIN = {"a", "ps:namespace", "ps:name", "prov:generatedAtTime", "prov:wasAttributedTo", "ps:key", "ps:content"}


def event(kind: str = "COMPLETE", **members: object) -> Object:
    return {
        "eventType": kind,
        "eventTime": "2026-01-01T00:00:00Z",
        "producer": "https://example.org/tests",
        "run": {"runId": RUN},
        "job": {"namespace": "ns", "name": "etl"},
        **members,
    }


def data(name: str, **members: object) -> Object:
    return {"namespace": "pg", "name": name, **members}


def story(mapped: Mapped) -> set[str]:
    """The record in short: names for datasets and jobs, `run` for the one it is about, no types, labels or times."""
    about = {v[1:-1] for _, p, v in triples(mapped.quads) if p.endswith("#about>")}
    windows = {s[1:-1] for s, p, v in triples(mapped.quads) if p.endswith("#type>") and v.endswith("#Window>")}
    run = next((a for a in about - windows if a.startswith("urn:uuid:")), "urn:uuid:none")

    def short(term: str) -> str:
        if term.startswith('"'):
            return rdf.text_of(term)
        term = term[1:-1].replace(mapped.record, "R").replace(run, "run")
        for window in windows:
            term = term.replace(window, "window").replace(window[9:], "window")
        term = term.replace(run[9:], "run")
        return unquote(re.sub(rf"{BASE}/(?:dataset|job)/[^/]+/", "", prefixed(term)))

    said = {(short(s), short(p), short(o)) for s, p, o in triples(mapped.quads)}
    return {f"{s} {p} {o}" for s, p, o in said if p not in _PLAIN}


def told(value: Object) -> set[str]:
    return story(map_event(value, base=BASE))


def check_canonical(mapped: Mapped) -> None:
    assert canonical(mapped.quads) == mapped.quads
    for content in mapped.contents:
        assert canonical(content.quads) == content.quads
    assert [c.iri for c in mapped.contents] == sorted({c.iri for c in mapped.contents})
    assert iris.PLACEHOLDER.encode() not in mapped.quads


def shuffled(value: Any, by: random.Random) -> Any:
    """The same JSON value with the members of every object in another order."""
    if isinstance(value, dict):
        keys = list(value)
        by.shuffle(keys)
        return {key: shuffled(value[key], by) for key in keys}
    return [shuffled(each, by) for each in value] if isinstance(value, list) else value


# --- the corpus --------------------------------------------------------------------------------------------------


def corpus(folder: str) -> list[Path]:
    return sorted((suites.path("openlineage") / folder).rglob("*.json"))


def test_every_real_event_maps_canonically() -> None:
    files = corpus("events")
    refused = {}
    liberties = 0
    for file in files:
        value = json.loads(file.read_bytes())
        before = copy.deepcopy(value)
        try:
            mapped = map_event(value, base=BASE)
        except ProvStoreError as error:
            refused[file.name] = (error.pointer, error.detail)
            continue
        check_canonical(mapped)
        assert value == before
        assert map_event(shuffled(value, random.Random(7)), base=BASE) == mapped
        liberties += len(mapped.liberties)
    assert len(files) == 150
    assert refused == {}
    assert liberties == 17


@pytest.mark.parametrize("kind", ["START", "COMPLETE", "JOB", "DATASET"])
def test_event_with_every_facet(kind: str) -> None:
    value = json.loads((suites.path("openlineage") / "synthetic" / f"all_facets_{kind}.json").read_bytes())
    mapped = map_event(value, base=BASE)
    check_canonical(mapped)
    holders = [value.get("run"), value.get("job"), value.get("dataset"), *value.get("inputs", [])]
    holders += value.get("outputs", [])
    facets = [
        (key, facet)
        for holder in holders
        if holder
        for member in ("facets", "inputFacets", "outputFacets")
        for key, facet in holder.get(member, {}).items()
    ]
    kept = {rdf.text_of(o) for c in mapped.contents for _, p, o in triples(c.quads) if p.endswith("#json>")}
    assert kept == {jcs.dumps(facet) for _, facet in facets}
    assertions = [s for s, _, o in triples(mapped.quads) if o.endswith("#FacetAssertion>")]
    assert len(assertions) == len(facets)
    assert not mapped.liberties


# --- the scenarios -----------------------------------------------------------------------------------------------

_READ_IN = """
    run prov:used in/read/run
    in/read/run prov:specializationOf in
"""
_WROTE_OUT = """
    out/write/run prov:wasGeneratedBy run
    out/write/run prov:specializationOf out
"""
_ETL = """
    R ps:about run
    run ps:job etl
"""
_START, _COMPLETE, _FAIL, _ABORT, _OTHER = (
    f"R ps:eventType ps:{kind}\n" for kind in ("START", "COMPLETE", "FAIL", "ABORT", "OTHER")
)
_INTENDED_OUT = "run ps:intendedOutput out\n"


def _about(job: str) -> str:
    return _ETL.replace("etl", job)


_WEIRD_JOB = "jöb / 名前 #1?x=%20&<>\"'"
SCENARIOS: dict[str, list[str]] = {
    "01": [_ETL + _START + _READ_IN, _ETL + _COMPLETE + _WROTE_OUT],
    "02": [_ETL + _COMPLETE + _WROTE_OUT, _ETL + _START + _READ_IN],
    "03": [_ETL + _START + _READ_IN + _INTENDED_OUT] * 2 + [_ETL + _COMPLETE + _READ_IN + _WROTE_OUT] * 2,
    "04": [_ETL + _START + _READ_IN + _INTENDED_OUT, _ETL + _FAIL + _READ_IN],
    "05": [_ETL + _START + _READ_IN + _INTENDED_OUT, _ETL + _COMPLETE],
    "06": [
        _ETL + part.replace("out", name)
        for name in ("t_a", "t_b")
        for part in (_START + _READ_IN + "run ps:intendedOutput out", _COMPLETE + _READ_IN + _WROTE_OUT)
    ],
    "07": [
        *(
            f"""{_about("w")}{_COMPLETE}
            x/write/run prov:wasGeneratedBy run
            x/write/run prov:specializationOf x
            x/write/run prov:specializationOf x/version/{version}
            x/version/{version} prov:specializationOf x
            x/version/{version} ps:version {version}
            R#/outputs/0/facets/version ps:on x/write/run"""
            for version in "12"
        ),
        f"""{_about("r")}{_COMPLETE}{_WROTE_OUT.replace("out", "y")}
        run prov:used x/read/run
        x/read/run prov:specializationOf x
        x/read/run prov:specializationOf x/version/1
        x/version/1 prov:specializationOf x
        x/version/1 ps:version 1
        R#/inputs/0/facets/version ps:on x/read/run""",
    ],
    "08": [
        f"""{_about("spark_app.task")}{_START}{_READ_IN}{_INTENDED_OUT}
        run dct:isPartOf urn:uuid:3ff302b9-8ce0-564d-9d0d-b10110e26b63
        urn:uuid:3ff302b9-8ce0-564d-9d0d-b10110e26b63 ps:job dag.task
        run ps:rootRun urn:uuid:0e3ad129-a0ad-5c90-b594-b6bd2ff632c5
        urn:uuid:0e3ad129-a0ad-5c90-b594-b6bd2ff632c5 ps:job dag
        R#/run/facets/parent ps:on run""",
        _about("spark_app.task") + _COMPLETE,
    ],
    "09": [
        f"""{_about("ddl")}{_COMPLETE}{_WROTE_OUT.replace("out", "new")}
        run prov:used old/read/run
        old/read/run prov:specializationOf old
        new/write/run ps:renamedFrom old/read/run
        R#/outputs/0/facets/lifecycleStateChange ps:on new/write/run"""
    ],
    "10": [
        f"""{_about("spark")}{_COMPLETE}{_WROTE_OUT.replace("out", "wh/t")}
        wh/t ps:symlink db.t
        R#/outputs/0/facets/symlinks ps:on wh/t/write/run""",
        f"""{_about("trino")}{_COMPLETE}{_WROTE_OUT.replace("out", "z")}
        run prov:used db.t/read/run
        db.t/read/run prov:specializationOf db.t""",
    ],
    "11": [
        "R ps:about k\nR#/dataset/facets/documentation ps:on k" + extra
        for extra in ("", "", "\nR#/dataset/facets/documentation ps:deleted true")
    ],
    "12": [
        _about("etl")
        + _COMPLETE
        + "\n".join(f"run prov:used {x}/read/run\n{x}/read/run prov:specializationOf {x}" for x in "AB")
        + _WROTE_OUT.replace("out", "C")
        + _WROTE_OUT.replace("out", "Dd")
        + "R#/job/facets/lineage ps:on etl"
    ],
    "14": [
        """R ps:about run
        R ps:about window
        R ps:eventType ps:RUNNING
        run ps:job flink
        window dct:isPartOf run
        window prov:used in/read/window
        in/read/window prov:specializationOf in
        out/write/window prov:specializationOf out
        out/write/window prov:wasGeneratedBy window
        R#/job/facets/jobType ps:on flink"""
    ]
    * 3,
    "15": [
        _about("merge")
        + _COMPLETE
        + """run prov:used t/read/run
        t/read/run prov:specializationOf t
        t/write/run prov:wasGeneratedBy run
        t/write/run prov:specializationOf t"""
    ],
    "16": [_ETL + _COMPLETE + _READ_IN + _WROTE_OUT],
    "17": [
        f"""{_ETL}{_COMPLETE}{_READ_IN}{_WROTE_OUT}
        R#/inputs/0/facets/schema ps:on in/read/run
        R#/outputs/0/facets/columnLineage ps:on out/write/run"""
    ],
    "18": [
        f"""{_about(_WEIRD_JOB)}{_COMPLETE}{_WROTE_OUT.replace("out", "table/db/t")}
        run prov:used /tmp/a b/#c%2F?.csv/read/run
        /tmp/a b/#c%2F?.csv/read/run prov:specializationOf /tmp/a b/#c%2F?.csv"""
    ],
    "19": [
        _ETL + _START + _READ_IN + _INTENDED_OUT,
        f"""{_ETL}{_ABORT}{_WROTE_OUT}
        R#/outputs/0/outputFacets/outputStatistics ps:on out/write/run#generation""",
    ],
    "20": [
        _ETL + _START + _READ_IN + _INTENDED_OUT,
        _ETL + _COMPLETE,
        f"{_ETL}{_OTHER}R#/run/facets/tags ps:on run",
    ],
}


@pytest.mark.parametrize("number", sorted(SCENARIOS))
def test_scenario(number: str) -> None:
    (file,) = (suites.path("openlineage") / "synthetic" / "scenarios").glob(f"{number}_*.jsonl")
    found = []
    for line in file.read_text().splitlines():
        mapped = map_event(json.loads(line), base=BASE)
        check_canonical(mapped)
        found.append(story(mapped))
    assert found == [lines_of(each) for each in SCENARIOS[number]]


def test_scenario_13_declarations_are_plans_and_use_nothing() -> None:
    folder = suites.path("openlineage") / "synthetic" / "scenarios"
    assert len(list(folder.glob("*.jsonl"))) == 20
    (file,) = folder.glob("13_*.jsonl")
    stories = [told(json.loads(line)) for line in file.read_text().splitlines()]
    plans = []
    for found, source in zip(stories, ("a", "a2"), strict=True):
        (declares,) = (line for line in found if line.startswith("R ps:declares "))
        plan = declares.split()[-1]
        plans.append(plan)
        assert re.fullmatch(r"static/declared/[0-9a-f]{64}", plan)
        assert found == {
            "R ps:about static",
            declares,
            f"{plan} prov:specializationOf static",
            f"{plan} ps:declaredInput {source}",
            f"{plan} ps:declaredOutput b",
        }
    assert plans[0] != plans[1]


def test_scenario_16_and_18_report_and_keep_what_was_sent() -> None:
    mapped = map_event(event(eventTime="2026-01-01T00:00:01"), base=BASE)
    assert b'"2026-01-01T00:00:01Z"^^' in mapped.quads
    assert [each.pointer for each in mapped.liberties] == ["/eventTime"]
    names = {rdf.text_of(o) for _, p, o in triples(map_event(weird(), base=BASE).quads) if p.endswith("#name>")}
    assert names == {"etl", 'a "b"\n\\ ü / #?%41'}


def weird() -> Object:
    return event(inputs=[data('a "b"\n\\ ü / #?%41')])


# --- what is said of everything ----------------------------------------------------------------------------------


def test_everything_met_is_typed_and_named() -> None:
    mapped = map_event(event(inputs=[data("in")], outputs=[data("out")]), base=BASE)
    types: dict[str, set[str]] = {}
    for s, p, o in triples(mapped.quads):
        if p.endswith("#type>"):
            types.setdefault(s[1:-1], set()).add(o[1:-1].rsplit("#")[-1])
    assert types == {
        mapped.record: {"Bundle", "Record"},
        f"urn:uuid:{RUN}": {"Activity", "Run"},
        f"{BASE}/job/ns/etl": {"Entity", "Plan", "Job"},
        f"{BASE}/dataset/pg/in": {"Entity", "Dataset"},
        f"{BASE}/dataset/pg/in/read/{RUN}": {"Entity", "ReadState"},
        f"{BASE}/dataset/pg/out": {"Entity", "Dataset"},
        f"{BASE}/dataset/pg/out/write/{RUN}": {"Entity", "WriteState"},
        f"{BASE}/agent/software/https%3A%2F%2Fexample.org%2Ftests": {"Agent", "SoftwareAgent"},
    }
    assert mapped.adapter == MAPPER == "openlineage/1"
    assert mapped.record.startswith(f"{BASE}/record/")
    assert {rdf.split(line)[3] for line in mapped.quads.decode().splitlines()} == {f"<{mapped.record}>"}


def test_record_differs_exactly_where_content_does() -> None:
    one = map_event(event(inputs=[data("a"), data("b")]), base=BASE)
    assert map_event(event(inputs=[data("a"), data("b")]), base=BASE) == one
    assert map_event(event(inputs=[data("b"), data("a")]), base=BASE).record == one.record  # no facets: order is mute
    assert map_event(event(inputs=[data("a")]), base=BASE).record != one.record


def test_what_a_dataset_event_declares_is_left_to_merging() -> None:
    lineage = {
        "inputs": [{**data("a"), "type": "DATASET"}, {"type": "JOB", "namespace": "ns", "name": "j"}],
        "fields": {"x": {"inputs": [{**data("b"), "type": "DATASET", "field": "y"}]}},
    }
    value = event(dataset=data("view", facets={"lineage": lineage}))
    del value["run"], value["job"]
    assert told(value) == lines_of("""
        R ps:about view
        R#/dataset/facets/lineage ps:on view
    """)


def test_lifecycle() -> None:
    def change(kind: str, said: str, **more: object) -> set[str]:
        facets = {"lifecycleStateChange": {"lifecycleStateChange": said, **more}}
        found = told(event(kind, outputs=[data("out", facets=facets)]))
        return {line for line in found if not line.startswith(("R", "run ps:job", "out/write/run prov:"))}

    for said, mode in (("CREATE", "Create"), ("overwrite", "Overwrite"), ("ALTER", "Alter"), ("TRUNCATE", "Truncate")):
        assert change("COMPLETE", said) == {f"out/write/run ps:writeMode ps:{mode}"}
        assert change("FAIL", said) == {"run ps:intendedOutput out"}
    assert change("COMPLETE", "DROP") == {"run ps:dropped out"}
    assert change("START", "DROP") == {"run ps:intendedOutput out"}
    assert change("START", "RENAME", previousIdentifier=data("old")) == {"run ps:intendedOutput out"}
    assert change("COMPLETE", "RENAME") == change("COMPLETE", "RENAME", previousIdentifier=data("out")) == set()


@pytest.mark.parametrize(
    ("operation", "mode"), [("append", "Append"), ("DELETE", "Merge"), ("replace", "Merge"), ("overwrite", ""), (7, "")]
)
def test_what_an_iceberg_commit_did_to_the_snapshot_before(operation: object, mode: str) -> None:
    output = {**data("out"), "outputFacets": {"icebergCommitReport": {"operation": operation}}}
    modes = {line for line in told(event(outputs=[output])) if "ps:writeMode" in line}
    assert modes == ({f"out/write/run ps:writeMode ps:{mode}"} if mode else set())


def test_write_proofs() -> None:
    for proof in ("outputStatistics", "icebergCommitReport"):
        found = told(event("RUNNING", outputs=[data("out", outputFacets={proof: {"rowCount": 1}})]))
        assert "out/write/run prov:wasGeneratedBy run" in found
        for none in (None, {"_deleted": True}, "x"):
            found = told(event("RUNNING", outputs=[data("out", outputFacets={proof: none})]))
            assert "run ps:intendedOutput out" in found
            assert "out/write/run prov:wasGeneratedBy run" not in found


# --- sloppy and hostile events -----------------------------------------------------------------------------------

REFUSED: list[tuple[object, str, str]] = [
    ([], "", "must be an object, got list"),
    (None, "", "got null"),
    ({}, "/eventTime", "got null"),
    (event(eventTime=12), "/eventTime", "got number"),
    (event(eventTime="yesterday"), "/eventTime", "not an ISO 8601 date-time"),
    (event(eventTime="2026-02-30T00:00:00Z"), "/eventTime", "day is out of range"),
    (event(eventTime="9999-12-31T23:59:60Z"), "/eventTime", "eventTime"),
    (event(eventTime="2026-01-01T00:00:00.٣Z"), "/eventTime", "ISO 8601"),
    (event(run=[]), "/run", "'run' must be an object, got list"),
    (event(run={}), "/run/runId", "got null"),
    (event(run={"runId": ""}), "/run/runId", "empty string"),
    (event(run={"runId": True}), "/run/runId", "got boolean"),
    (event(job=None), "/job", "got null"),
    (event(job={"name": "n"}), "/job/namespace", "got null"),
    (event(job={"namespace": "n", "name": {}}), "/job/name", "got object"),
    (event(inputs={}), "/inputs", "'inputs' must be a list, got object"),
    (event(inputs=[data("a"), None]), "/inputs/1", "must be an object, got null"),
    (event(outputs=[{"name": "x"}]), "/outputs/0/namespace", "got null"),
    (event(run=None, job={"namespace": "n"}), "/job/name", "got null"),
    ({"eventTime": "2026-01-01T00:00:00Z", "dataset": {"name": "x"}}, "/dataset/namespace", "got null"),
    ({"eventTime": "2026-01-01T00:00:00Z", "dataset": "x"}, "/dataset", "must be an object, got 'x'"),
    ({"eventTime": "2026-01-01T00:00:00Z"}, "/job", "got null"),
]


@pytest.mark.parametrize(("value", "pointer", "words"), REFUSED, ids=lambda each: str(each)[:40])
def test_refusals_say_where(value: object, pointer: str, words: str) -> None:
    with pytest.raises(Unmappable) as caught:
        map_event(value, base=BASE)
    assert caught.value.pointer == pointer
    assert words in caught.value.detail


LIBERTIES: list[tuple[Object, str, str]] = [
    (event(None), "/eventType", "null was taken as OTHER"),  # type: ignore[arg-type]
    (event("complete"), "/eventType", "'complete' was taken as COMPLETE"),
    (event("DONE"), "/eventType", "'DONE' was taken as OTHER"),
    (event(eventTime="2026-01-01 00:00:00+0000"), "/eventTime", "no xsd:dateTime"),
    (event(producer=None), "/producer", "got null"),
    (event(run={"runId": "manual__1"}), "/run/runId", "no UUID"),
    (event(run={"runId": RUN, "facets": {"version": 1.5}}), "/run/facets/version", "got number"),
    (event(run={"runId": RUN, "facets": []}), "/run/facets", "'facets' must be an object, got list"),
    (event(job={"namespace": "n", "name": 3}), "/job/name", "the number 3 was taken as text"),
    (event(inputs=[data("a", inputFacets="x")]), "/inputs/0/inputFacets", "must be an object, got string"),
    (event(inputs=[data("a", facets={"k": 1})]), "/inputs/0/facets/k", "a facet must be an object, got number"),
    (
        event(outputs=[data("a", facets={"columnLineage": {"fields": []}})]),
        "/outputs/0/facets/columnLineage",
        "facet 'columnLineage' at /outputs/0/facets: 'fields' must be an object, got list",
    ),
    (
        event(outputs=[data("a", facets={"lifecycleStateChange": {"lifecycleStateChange": "EXPLODE"}})]),
        "/outputs/0/facets/lifecycleStateChange",
        "none of the known changes",
    ),
    (
        event(outputs=[data("a", facets={"symlinks": {"identifiers": [{"name": "x"}]}})]),
        "/outputs/0/facets/symlinks/identifiers/0/namespace",
        "ignored",
    ),
    (
        event(outputs=[data("a", facets={"symlinks": {"identifiers": 1}})]),
        "/outputs/0/facets/symlinks/identifiers",
        "must be a list, got number",
    ),
    (event(inputs=[data("a", facets={"version": {}})]), "/inputs/0/facets/version", "'datasetVersion'"),
    (
        event(run={"runId": RUN, "facets": {"parent": {"run": {"runId": RUN.upper()}}}}),
        "/run/facets/parent",
        "part of itself",
    ),
    (
        event(run={"runId": RUN, "facets": {"parentRun": {"run": {"runId": OTHER_RUN}}}}),
        "/run/facets/parentRun/job",
        "ignored",
    ),
    (event(run={"runId": RUN, "facets": {"parent": {"run": 1}}}), "/run/facets/parent/run/runId", "ignored"),
]


@pytest.mark.parametrize(("value", "pointer", "words"), LIBERTIES, ids=lambda each: str(each)[:40])
def test_liberties_are_reported(value: Object, pointer: str, words: str) -> None:
    mapped = map_event(value, base=BASE)
    check_canonical(mapped)
    assert [each.pointer for each in mapped.liberties] == [pointer]
    assert words in mapped.liberties[0].message


def test_absent_null_and_empty_lists_are_the_same() -> None:
    absent = map_event(event(), base=BASE)
    nothing: object
    for nothing in (None, []):
        assert map_event(event(inputs=nothing, outputs=nothing), base=BASE) == absent
    assert map_event(event(run={"runId": RUN, "facets": {"parent": None}}), base=BASE) == absent


def test_times_keep_what_was_sent_where_it_is_a_date_time() -> None:
    for sent, kept in {
        "2026-01-01T00:00:00.010+02:00": "2026-01-01T00:00:00.010+02:00",
        "2026-01-01T00:00:00.1234567890Z": "2026-01-01T00:00:00.1234567890Z",
        "2026-01-01 02:00+0200": "2026-01-01T00:00:00Z",
        "2026-01-01T00:00:00.5Z[UTC]": "2026-01-01T00:00:00.5Z",
        "2026-01-01T01:00:00+15:00": "2025-12-31T10:00:00Z",
        "2026-06-30T23:59:60Z": "2026-07-01T00:00:00Z",
    }.items():
        assert f'"{kept}"^^'.encode() in map_event(event(eventTime=sent), base=BASE).quads


def test_foreign_run_identifiers_are_kept() -> None:
    mapped = map_event(event(run={"runId": "manual__2022 <x>"}), base=BASE)
    identifiers = [rdf.text_of(o) for _, p, o in triples(mapped.quads) if p.endswith("/identifier>")]
    assert identifiers == ["manual__2022 <x>"]
    assert told(event(run={"runId": RUN.upper()})) == told(event())
    numbered = map_event(event(run={"runId": 7}), base=BASE)
    assert numbered.record == map_event(event(run={"runId": "7"}), base=BASE).record
    assert [each.pointer for each in numbered.liberties] == ["/run/runId", "/run/runId"]


def test_deleted_facets_promote_nothing() -> None:
    gone = {"_deleted": True, "identifiers": [data("b")]}
    found = told(event(inputs=[data("a", facets={"symlinks": gone})]))
    assert "R#/inputs/0/facets/symlinks ps:deleted true" in found
    assert not any("ps:symlink " in line for line in found)


def test_keys_may_hold_any_character() -> None:
    key = 'a/b~c d"<>\\%\n€'
    mapped = map_event(event(run={"runId": RUN, "facets": {key: {}}}), base=BASE)
    check_canonical(mapped)
    node = "#/run/facets/a~1b~0c%20d%22%3C%3E%5C%25%0A%E2%82%AC>"
    assert any(s.endswith(node) for s, _, _ in triples(mapped.quads))


def test_text_that_is_no_unicode_is_refused() -> None:
    half = "\ud800"
    for value in (
        event(job={"namespace": half, "name": "x"}),
        event(producer=half),
        event(run={"runId": half}),
        event(run={"runId": RUN, "facets": {"x": {"y": half}}}),
        event(run={"runId": RUN, "facets": {half: {}}}),
        event(run={"runId": RUN, "facets": {"x": {"y": float("nan")}}}),
    ):
        with pytest.raises(InvalidInput):
            map_event(value, base=BASE)


def test_depth_is_refused_not_fatal() -> None:
    deep: Object = {}
    for _ in range(100_000):
        deep = {"fields": [deep]}
    with pytest.raises(InvalidInput):
        map_event(event(inputs=[data("a", facets={"schema": deep})]), base=BASE)
    while deep:  # taken apart by hand: the destructor of such a thing is recursive, too
        (deep,) = deep["fields"]


# --- anything at all ---------------------------------------------------------------------------------------------

_NAMES = st.text(min_size=1)
_FACET_KEYS = (
    "columnLineage", "documentation", "errorMessage", "inputStatistics", "jobType", "lifecycleStateChange", "lineage",
    "nominalTime", "outputStatistics", "ownership", "schema", "sourceCodeLocation", "sql", "version",
)  # fmt: skip
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
_KEYS = st.sampled_from([*_FACET_KEYS, "parent", "symlinks", "tags"]) | st.text()
_MEMBERS = st.sampled_from(
    ["fields", "inputFields", "name", "namespace", "field", "dataset", "entries", "inputs", "owners", "rowCount", "run"]
)
_FACET = st.recursive(
    _JSON | st.sampled_from([data("x"), {"runId": RUN}]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_MEMBERS, inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None)
@given(namespace=_NAMES, name=_NAMES, key=st.text(), version=_NAMES)
def test_names_may_be_anything(namespace: str, name: str, key: str, version: str) -> None:
    holder = {"namespace": namespace, "name": name}
    facets = {"version": {"datasetVersion": version}, "symlinks": {"identifiers": [holder, data(name)]}, key: {}}
    sent = event(
        job=holder, producer=name, run={"runId": version, "facets": {key: {key: name}}}, outputs=[holder],
        inputs=[{**holder, "facets": facets}],
    )  # fmt: skip
    mapped = map_event(sent, base=BASE)
    check_canonical(mapped)
    named = {(s, rdf.text_of(o)) for s, p, o in triples(mapped.quads) if p.endswith("ns#name>")}
    assert (f"<{iris.dataset(BASE, namespace, name)}>", name) in named


@settings(max_examples=200, deadline=None)
@given(run=_JSON, facets=st.dictionaries(_KEYS, _FACET, max_size=3), inputs=_JSON, kind=_JSON, deep=_FACET)
def test_any_json_maps_or_is_refused(run: object, facets: Object, inputs: object, kind: object, deep: object) -> None:
    tries: list[object] = [
        run,
        event(run=run, inputs=inputs, eventType=kind, dataset=deep),
        event(run={"runId": RUN, "facets": facets}, outputs=[data("o", facets=facets, outputFacets=deep)]),
        event(run=None, job=run, inputs=[data("i", facets=facets, inputFacets=facets)]),
        {"eventTime": "2026-01-01T00:00:00Z", "dataset": data("d", facets=facets)},
    ]
    pointers: list[str | None] = []
    for value in tries:
        try:
            mapped = map_event(value, base=BASE)
        except InvalidInput as error:
            pointers.append(error.pointer)
            continue
        check_canonical(mapped)
        assert map_event(shuffled(value, random.Random(3)), base=BASE) == mapped
    assert None not in pointers
