"""Validation: each rule of each profile, what the engine is spared, and that good records pass."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provstore.capture.openlineage import map_event
from provstore.errors import InvalidInput, NotFound, ProvStoreError
from provstore.security.pool import WorkerPool
from provstore.validation.checking import job, validate
from provstore.validation.described import described
from provstore.validation.profiles import SHIPPED
from provstore.validation.results import Result
from provstore.validation.tasks import Task
from tests import suites
from tests.notation import canonical

HERE = Path(__file__).parent
RULES = {rule.shape.rpartition("#")[2]: rule for rule in described(SHIPPED.find("prov-core/1"), SHIPPED).rules}
PROV, XSD = "http://www.w3.org/ns/prov#", "http://www.w3.org/2001/XMLSchema#"
ACTIVITY = f"<urn:a> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <{PROV}Activity> .\n"


def graphs(path: Path) -> dict[str, bytes]:
    """The named graphs of a TriG file by the last part of their names, as canonical N-Quads."""
    found: dict[str, list[ox.Quad]] = defaultdict(list)
    for quad in ox.parse(path.read_bytes(), format=ox.RdfFormat.TRIG):
        assert isinstance(quad.graph_name, ox.NamedNode)
        found[quad.graph_name.value.rpartition("/")[2]].append(quad)
    return {name: canonical(ox.serialize(quads, format=ox.RdfFormat.N_QUADS) or b"") for name, quads in found.items()}


def names(results: list[Result]) -> list[str]:
    return [result.shape.rpartition("#")[2] for result in results]


def said(*triples: str) -> bytes:
    """N-Quads of one activity, `urn:a`, with PROV properties given as `name value`."""
    lines = [ACTIVITY]
    for triple in triples:
        name, _, value = triple.partition(" ")
        lines.append(f"<urn:a> <{PROV}{name}> {value} .\n")
    return "".join(lines).encode()


def time(text: str) -> str:
    return f'"{text}"^^<{XSD}dateTime>'


# --- the rules -------------------------------------------------------------------------------------------------------


def test_every_rule_is_complete_and_has_examples() -> None:
    assert len(RULES) == 32
    assert {path.stem for path in (HERE / "shapes").glob("*.trig")} == set(RULES)
    for rule in RULES.values():
        assert rule.severity in ("MUST", "SHOULD", "MAY")
        assert rule.clause.startswith("https://")
        assert len(rule.message) > 60, rule.shape
    assert [rule.severity for rule in RULES.values()] == sorted(
        (rule.severity for rule in RULES.values()), key=["MUST", "SHOULD", "MAY"].index
    )


@pytest.mark.parametrize("name", RULES)
def test_valid_example_passes_every_rule(name: str) -> None:
    assert validate(graphs(HERE / "shapes" / f"{name}.trig")["valid"], "prov-core/1") == []


@pytest.mark.parametrize("name", RULES)
def test_invalid_example_breaks_its_rule_and_no_other(name: str) -> None:
    results = validate(graphs(HERE / "shapes" / f"{name}.trig")["invalid"], "prov-core/1")
    assert set(names(results)) == {name}
    rule = RULES[name]
    for result in results:
        assert (result.severity, result.message, result.clause) == (rule.severity, rule.message, rule.clause)
        assert result.focus


def test_profile_says_what_it_is() -> None:
    profile = described(SHIPPED.find("prov-core"), SHIPPED)
    assert (profile.name, profile.version, profile.title) == ("prov-core", "2", "PROV-O core")


# --- good records pass -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["credit", "clinical"])
def test_worked_stores_conform_record_by_record(name: str) -> None:
    for graph, quads in graphs(HERE / "fixtures" / f"{name}.trig").items():
        assert validate(quads, "prov-core") == [], graph


def event(**members: object) -> dict[str, Any]:
    return {
        "eventType": "COMPLETE",
        "eventTime": "2026-03-01T03:00:00Z",
        "producer": "https://example.org/scheduler",
        "run": {"runId": "0176a8c2-fe01-7439-87e6-56a1a1b4029f"},
        "job": {"namespace": "ns", "name": "job"},
        "inputs": [{"namespace": "pg", "name": "in"}],
        "outputs": [{"namespace": "pg", "name": "out"}],
        **members,
    }


def test_records_made_from_openlineage_conform() -> None:
    owners = {"owners": [{"name": "team:risk"}, {"name": "somebody"}]}
    mapped = map_event(
        event(job={"namespace": "ns", "name": "job", "facets": {"ownership": owners}}), base="https://b.example"
    )
    quads = mapped.whole
    assert set(names(validate(quads, "prov-core"))) == {"agent-says-its-kind"}  # `somebody` does not say


def test_records_made_from_real_events_break_no_rule_but_agents() -> None:
    files = sorted((suites.path("openlineage") / "events").rglob("*.json"))
    assert files
    checked = 0
    for path in files[:: max(1, len(files) // 40)]:
        try:
            mapped = map_event(json.loads(path.read_bytes()), base="https://prov.example")
        except (ProvStoreError, ValueError):
            continue
        quads = mapped.whole
        assert set(names(validate(quads, "prov-core"))) <= {"agent-says-its-kind"}, path
        checked += 1
    assert checked


# --- what a result says ----------------------------------------------------------------------------------------------


def test_path_names_the_property_at_fault() -> None:
    (result,) = validate(said('wasAssociatedWith "Ana"'), "prov-core/1")
    assert (result.focus, result.path, result.value) == ("urn:a", f"{PROV}wasAssociatedWith", '"Ana"')
    (result,) = validate(graphs(HERE / "shapes" / "asset-has-no-history.trig")["invalid"], "prov-core/1")
    assert result.path == f"^{PROV}used"


def test_long_values_are_cut() -> None:
    (result,) = validate(said(f'wasAssociatedWith "{"x" * 5000}"'), "prov-core/1")
    assert len(result.value) < 250
    assert result.value.endswith("…")


def test_gravest_results_come_first_and_always_in_the_same_order() -> None:
    times = [time(f"2026-03-01T0{hour}:00:00") for hour in range(5)]
    quads = said(*(f"startedAtTime {each}" for each in times), f"endedAtTime {time('2026-02-01T00:00:00Z')}")
    results = validate(quads, "prov-core/1")
    assert names(results)[0] == "one-start"
    assert results == validate(b"".join(reversed(quads.splitlines(keepends=True))), "prov-core/1")


def test_graphs_are_taken_together() -> None:
    graph = ACTIVITY.replace(" .\n", " <urn:g> .\n").replace("Activity", "Entity")
    assert names(validate((ACTIVITY + graph).encode(), "prov-core/1")) == ["entity-is-no-activity"]


def test_subclasses_of_the_ontologies_count() -> None:
    quads = ACTIVITY + ACTIVITY.replace(f"{PROV}Activity", "https://w3id.org/provstore/ns#ReadState")
    assert names(validate(quads.encode(), "prov-core/1")) == ["entity-is-no-activity"]


# --- what the engine is spared ---------------------------------------------------------------------------------------


def test_nothing_is_fine() -> None:
    assert validate(b"", "prov-core/1") == []


@pytest.mark.parametrize(
    "quads",
    [
        b"hello\n",
        b"\xff\xfe\n",
        b".\n",
        b"# comment\n",
        b"<urn:a> <urn:b>\n",
        b'<urn:a> <urn:b> "open\n',
        b'<urn:a> <urn:b> "\n',
        b"{}\n",
        b"@prefix a: <urn:a> .\n",
    ],
)
def test_what_is_not_n_quads_is_refused(quads: bytes) -> None:
    with pytest.raises(InvalidInput, match=r"N-Quads"):
        validate(quads, "prov-core/1")


def test_the_line_of_a_fault_is_named() -> None:
    with pytest.raises(InvalidInput) as caught:
        validate(ACTIVITY.encode() + b"nonsense\n", "prov-core/1")
    assert caught.value.line == 2


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_are_refused_or_validated(data: bytes) -> None:
    try:
        validate(data, "prov-core/1")
    except InvalidInput:
        return


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("_:x", "_:y", {"time-is-a-date-time", "start-before-end"}),
        (time("yesterday"), time("2026-01-01T00:00:00Z"), {"time-is-a-date-time", "start-before-end"}),
        ('"now"', time("2026-01-01T00:00:00Z"), {"time-is-a-date-time", "start-before-end"}),
        (time("2026-01-01T00:00:00"), time("2026-01-02T00:00:00Z"), {"time-has-a-zone"}),
        (time("2026-01-01T00:00:00.000000001Z"), time("2026-01-01T00:00:00.000000002Z"), set()),
        (time("2026-01-01T00:00:00+02:00"), time("2025-12-31T22:00:00Z"), set()),
    ],
)
def test_times_of_every_kind(start: str, end: str, expected: set[str]) -> None:
    results = validate(said(f"startedAtTime {start}", f"endedAtTime {end}"), "prov-core/1")
    assert set(names(results)) == expected


def test_literals_keep_the_form_they_were_sent_in() -> None:
    one, same = time("2026-03-01T00:00:00Z"), time("2026-03-01T00:00:00.000+00:00")
    (result,) = validate(said(f"startedAtTime {one}", f"startedAtTime {same}"), "prov-core/1")
    assert result.shape.endswith("#one-start")
    (result,) = validate(said(f'wasAssociatedWith "01"^^<{XSD}integer>'), "prov-core/1")
    assert result.value == f'"01"^^<{XSD}integer>'


@pytest.mark.parametrize(
    "value",
    [
        f'"{"9" * 5000}"^^<{XSD}integer>',
        f'"P{"9" * 5000}Y"^^<{XSD}duration>',
        '"<a><b>"^^<http://www.w3.org/1999/02/22-rdf-syntax-ns#XMLLiteral>',
        '"{"^^<http://www.w3.org/1999/02/22-rdf-syntax-ns#JSON>',
        '"x"@en--ltr',
        '"\u2028\u0085\\u0000\\n\\"\\\\"',
        '"a b"^^<urn:unknown>',
    ],
)
def test_odd_literals_pass_through(value: str) -> None:
    assert validate(said(f"value {value}"), "prov-core/1") == []


def test_what_the_data_say_of_shapes_and_imports_is_ignored() -> None:
    shacl, owl = "http://www.w3.org/ns/shacl#", "http://www.w3.org/2002/07/owl#"
    quads = (
        ACTIVITY
        + f"<urn:a> <{shacl}property> <urn:a> .\n<urn:a> <{owl}imports> <http://127.0.0.1:9/never> .\n"
        + ACTIVITY.replace(f"{PROV}Activity", f"{shacl}NodeShape")
    )
    assert validate(quads.encode(), "prov-core/1") == []


@pytest.mark.parametrize("name", ["nope", "", "../ontology/provstore"])
def test_unknown_profile(name: str) -> None:
    with pytest.raises(NotFound, match=r"there are [a-z0-9, -]*prov-core"):
        validate(b"", name)


def test_job_runs_in_a_worker() -> None:
    task = Task(SHIPPED, "prov-core/1", said('wasAssociatedWith "Ana"'))
    pool = WorkerPool(2 << 30, most=1, keep=1, modules=("provstore.validation.checking",))
    try:
        assert pool.call("provstore.validation.checking:job", task, 60.0) == job(task)
        with pytest.raises(NotFound):
            pool.call("provstore.validation.checking:job", Task(SHIPPED, "nope", b""), 60.0)
    finally:
        pool.close()
    assert job(task)[0]["severity"] == "MUST"
