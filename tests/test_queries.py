"""Canned queries: the catalogue, the binding of parameters, and the answers on a worked store."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pyoxigraph as ox
import pytest
from hypothesis import given
from hypothesis import strategies as st

from provstore import queries, resources
from provstore.errors import Misconfigured, NotFound, QueryRefused
from provstore.store import guard

FIXTURES = Path(__file__).parent / "fixtures"
BASE = "https://prov.example/"
NAMES = list(queries.catalogue())
SHORT = {BASE: "", "https://w3id.org/provstore/ns#": "ps:"}


@cache
def store(name: str, without: str = "") -> ox.Store:
    """A fixture as a store holds it: every quad in its graph, every live triple in the default graph too."""
    made = ox.Store()
    made.load((FIXTURES / f"{name}.trig").read_bytes(), format=ox.RdfFormat.TRIG)
    left_out = {f"{BASE}record/c06", f"{BASE}{without}"}
    for quad in list(made):
        if isinstance(quad.graph_name, ox.NamedNode) and quad.graph_name.value not in left_out:
            made.add(ox.Quad(quad.subject, quad.predicate, quad.object, ox.DefaultGraph()))
    return made


def rows(text: str, held: ox.Store) -> list[str]:
    """The solutions of a SELECT, a line each, cells between bars."""
    found = held.query(text)
    assert isinstance(found, ox.QuerySolutions)
    return [" | ".join("—" if cell is None else shortened(cell) for cell in row) for row in found]


def shortened(term: object) -> str:
    assert isinstance(term, ox.NamedNode | ox.Literal)
    text = term.value
    for long, short in SHORT.items():
        text = text.replace(long, short)
    return text


def ask(name: str, fixture: str = "credit", **values: str) -> list[str]:
    return rows(queries.bind(queries.find(name), values), store(fixture))


# --- the questions of the worked stores ------------------------------------------------------------------------------


def worked() -> list[tuple[str, str, str, list[str]]]:
    """Title, fixture, query and expected rows of every question in questions.md."""
    text = (FIXTURES / "questions.md").read_text()
    prefixes = re.findall(r"```sparql\n(PREFIX.*?)```", text, re.DOTALL)[0]
    pattern = r"^## (\S+) .*?`(\w+)\.trig`\n\n```sparql\n(.*?)```\nExpected:\n\n```text\n(.*?)```"
    found = re.findall(pattern, text, re.DOTALL | re.MULTILINE)
    return [(title, name, prefixes + query, answer.splitlines()) for title, name, query, answer in found]


def test_all_worked_questions_are_read() -> None:
    assert len(worked()) == 16


@pytest.mark.parametrize(("title", "fixture", "query", "expected"), [pytest.param(*q, id=q[0]) for q in worked()])
def test_worked_question(title: str, fixture: str, query: str, expected: list[str]) -> None:
    without = "graph/inferred" if title.startswith("Q10") else ""
    assert rows(query, store(fixture, without)) == expected


# --- golden answers --------------------------------------------------------------------------------------------------

CASES: list[tuple[str, str, dict[str, str], list[str]]] = [
    (
        "audit/agents",
        "credit",
        {"entity": f"{BASE}decision/1"},
        [
            "agent/person/ana | run/T2 | — | —",
            "agent/person/cleo | activity/approve-1 | — | —",
            "agent/person/dan | activity/decide-1 | — | —",
        ],
    ),
    (
        "audit/agents",
        "clinical",
        {"entity": f"{BASE}item/glucose-77/raw"},
        [
            "agent/device/analyser-4 | run/observation-77 | ps:measuringDevice | —",
            "agent/person/tech-17 | run/calibration-1 | — | agent/org/lab-north",
            "agent/person/tech-17 | run/observation-77 | ps:technician | agent/org/lab-north",
        ],
    ),
    (
        "audit/gaps",
        "credit",
        {},
        [
            "end without start | job/airflow/risk.score | 1 | run/A",
            "failed: output announced, not generated | job/airflow/risk.score | 1 | run/C",
            "no agent | job/airflow/risk.score | 3 | run/A",
            "no agent | job/feast/features | 1 | run/F",
            "no agent | ps:Inference | 3 | run/I1",
            "read of unknown origin | dataset/train.py | 1 | dataset/train.py/read/T3",
        ],
    ),
    (
        "catalogue/datasets",
        "credit",
        {},
        [
            "dataset/customer_features | — | — | — | 1 | 2 | 2026-02-28T02:00:00Z",
            "dataset/customer_risk_score | — | — | — | 2 | 2 | 2026-03-08T03:10:00Z",
            "dataset/demographics-api | — | — | ages wrong from 6 to 9 March 2026 | 0 | 3 | —",
            "dataset/train.py | — | — | — | 0 | 1 | —",
            "dataset/transactions | — | — | — | 0 | 2 | —",
        ],
    ),
    (
        "catalogue/facet_values",
        "credit",
        {"entity": f"{BASE}dataset/demographics-api"},
        [
            "record/c01 | dataset/demographics-api | documentation | /description | vendor feed, daily | — |"
            " ni:///sha-256;DMZomRykUYWnuwRGwjB65e9Kdl9OQWEE-0QR9L_6xNg",
            "record/c16 | dataset/demographics-api | documentation | /description | ages wrong from 6 to 9 March 2026 |"
            " — | ni:///sha-256;lM2LQqF-6accKVGDxpE0i_uCf1vUTLNj1N5ZpPYli8w",
        ],
    ),
    (
        "catalogue/facet_values",
        "credit",
        {"entity": f"{BASE}record/c01", "facet": "schema"},
        [],
    ),
    (
        "catalogue/runs",
        "credit",
        {"contains": "RISK.score", "after": "2026-03-08", "before": "2026-03-16T00:00:00+01:00"},
        [
            "run/C | ps:Run | job/airflow/risk.score | ps:FAIL | 2026-03-15T03:00:00Z | 2026-03-15T03:05:00Z",
            "run/B | ps:Run | job/airflow/risk.score | ps:COMPLETE | 2026-03-08T02:55:00Z | 2026-03-08T03:10:00Z",
        ],
    ),
    (
        "impact/verdicts",
        "credit",
        {"entity": f"{BASE}dataset/demographics-api", "after": "2026-03-06", "before": "2026-03-10"},
        [
            "decision/1 | affected",
            "prediction/1 | affected",
            "model/premium-1 | affected",
            "prediction/2 | not affected",
            "model/standard-1 | not affected",
            "model/thinfile-1 | possibly affected",
            "prediction/3 | possibly affected",
        ],
    ),
    (  # only what was read in time counts, not all that the write then read went into
        "impact/verdicts",
        "credit",
        {"entity": f"{BASE}dataset/customer_risk_score", "before": "2026-03-06"},
        [
            "prediction/2 | affected",
            "model/standard-1 | affected",
            "decision/1 | not affected",
            "prediction/1 | not affected",
            "model/premium-1 | not affected",
            "model/thinfile-1 | possibly affected",
            "prediction/3 | possibly affected",
        ],
    ),
    (
        "impact/verdicts",
        "credit",
        {"entity": f"{BASE}model/standard"},
        [
            "prediction/2 | affected",
            "model/standard-1 | affected",
            "decision/1 | not affected",
            "prediction/1 | not affected",
            "model/premium-1 | not affected",
            "model/thinfile-1 | possibly affected",
            "prediction/3 | possibly affected",
        ],
    ),
    (
        "impact/verdicts",
        "clinical",
        {"entity": f"{BASE}item/glucose-77/raw"},
        ["decision/9 | affected", "model/diabetes-1 | affected", "prediction/9 | affected"],
    ),
    (
        "integrity/unresolved",
        "credit",
        {},
        ["dataset/train.py/read/T3 | dataset/train.py | run/T3 | no write recorded | —"],
    ),
    (
        "lineage/columns",
        "credit",
        {"entity": f"{BASE}dataset/customer_risk_score/write/B", "column": "risk_score"},
        [
            "dataset/customer_risk_score/write/B | risk_score | dataset/customer_features/write/F | avg_spend"
            " | TRANSFORMATION | ps:LatestBefore"
        ],
    ),
    (
        "lineage/columns",
        "credit",
        {"entity": f"{BASE}dataset/customer_features"},
        [
            "dataset/customer_features/write/F | avg_spend | dataset/transactions/read/F | amount | AGGREGATION | —",
        ],
    ),
    (
        "lineage/downstream",
        "credit",
        {"entity": f"{BASE}dataset/customer_risk_score/write/B"},
        [
            "dataset/customer_risk_score/read/T2 | certain | dataset/customer_risk_score | —",
            "decision/1 | certain | — | activity/decide-1",
            "model/premium-1 | certain | model/premium | run/T2",
            "prediction/1 | certain | — | run/I1",
        ],
    ),
    (
        "lineage/downstream",
        "credit",
        {"entity": f"{BASE}dataset/train.py"},
        ["model/thinfile-1 | certain | model/thinfile | run/T3", "prediction/3 | certain | — | run/I3"],
    ),
    (
        "lineage/sources",
        "credit",
        {"entity": f"{BASE}prediction/1"},
        [
            "dataset/demographics-api | declared source | certain | demographics API v2",
            "dataset/transactions | declared source | certain | raw transaction logs",
            "item/app-1 | declared source | certain | —",
        ],
    ),
    (
        "lineage/sources",
        "credit",
        {"entity": f"{BASE}prediction/3"},
        [
            "item/app-3 | declared source | certain | —",
            "dataset/train.py/read/T3 | unknown origin | certain | —",
        ],
    ),
    (
        "lineage/upstream",
        "credit",
        {"entity": f"{BASE}dataset/customer_risk_score/write/A"},
        [
            "dataset/customer_features/read/A | certain | dataset/customer_features | —",
            "dataset/customer_features/write/F | certain | dataset/customer_features | run/F",
            "dataset/demographics-api/read/A | certain | dataset/demographics-api | —",
            "dataset/transactions/read/F | certain | dataset/transactions | —",
            "dataset/transactions/read/A | possible | dataset/transactions | —",
        ],
    ),
    ("models/alias_at", "credit", {"model": f"{BASE}model/premium", "at": "2026-03-10T00:00:00Z"}, []),
    (
        "models/alias_at",
        "credit",
        {"model": f"{BASE}model/premium", "at": "2026-03-12T00:00:00Z"},
        [
            "certain | model/premium-1 | — | model/premium-1 | agent/person/cleo | 2026-03-11T08:00:00Z | — | — | — |"
            " activity/approve-1"
        ],
    ),
    ("models/versions", "credit", {}, []),
]


@pytest.mark.parametrize(
    ("name", "fixture", "values", "expected"), [pytest.param(*c, id=f"{c[0]}-{n}") for n, c in enumerate(CASES)]
)
def test_golden_answer(name: str, fixture: str, values: dict[str, str], expected: list[str]) -> None:
    assert ask(name, fixture, **values) == expected


@pytest.mark.parametrize("name", NAMES)
def test_answers_have_one_order(name: str) -> None:
    query = queries.find(name)
    assert guard.check(queries.bind(query, {each.name: each.example for each in query.parameters})) == "SELECT"
    assert "ORDER BY" in query.text.splitlines()[-1]
    assert query.summary.endswith("?")
    described = queries.describe(query)
    assert described["name"] == name
    assert len(described["parameters"]) == len(query.parameters)


def test_reads_that_could_have_seen_several_writes_are_unresolved() -> None:
    turtle = """@prefix prov: <http://www.w3.org/ns/prov#> . @prefix ps: <https://w3id.org/provstore/ns#> .
        <urn:r1> prov:used <urn:d/read> . <urn:d/read> a ps:ReadState ; prov:specializationOf <urn:d>, <urn:d/v> ;
            prov:qualifiedInfluence [ prov:entity <urn:w1> ; ps:basis ps:Overlap ] ,
                                    [ prov:entity <urn:w2> ; ps:basis ps:Tie ] .
        <urn:d/v> a ps:Version ."""
    held = ox.Store()
    held.load(turtle, format=ox.RdfFormat.TURTLE)
    assert rows(queries.bind(queries.find("integrity/unresolved"), {}), held) == [
        "urn:d/read | urn:d | urn:r1 | several writes fit | urn:w2",
        "urn:d/read | urn:d | urn:r1 | written while it was read | urn:w1",
    ]


def test_limit_cuts_the_answer() -> None:
    assert len(ask("audit/gaps", limit="3")) == 3


def test_unknown_query() -> None:
    with pytest.raises(NotFound, match="lineage/upstream"):
        queries.find("lineage/sideways")


def test_the_lineage_of_nothing_is_empty() -> None:
    assert ask("lineage/upstream", entity="urn:nothing") == []


# --- binding ---------------------------------------------------------------------------------------------------------


def made(kind: str, text: str) -> queries.CannedQuery:
    parameter = queries.Parameter("x", kind, "help", "example", None)
    return queries.CannedQuery("t/q", "Why?", "", (parameter,), 10, text)


@pytest.mark.parametrize(
    ("kind", "given", "term"),
    [
        ("iri", "urn:a", "<urn:a>"),
        ("string", 'a"b\\\n', '"a\\"b\\\\\\n"'),
        ("integer", "-007", '"-7"^^<http://www.w3.org/2001/XMLSchema#integer>'),
        ("number", "0.10", '"0.10"^^<http://www.w3.org/2001/XMLSchema#decimal>'),
        ("number", "1e3", '"1e3"^^<http://www.w3.org/2001/XMLSchema#double>'),
        ("boolean", "1", '"true"^^<http://www.w3.org/2001/XMLSchema#boolean>'),
        ("dateTime", "2026-03-06", '"2026-03-06T00:00:00Z"^^<http://www.w3.org/2001/XMLSchema#dateTime>'),
        ("dateTime", "2026-03-06 01:00+01:00", '"2026-03-06T00:00:00Z"^^<http://www.w3.org/2001/XMLSchema#dateTime>'),
    ],
)
def test_values_become_terms(kind: str, given: str, term: str) -> None:
    assert queries.bind(made(kind, "ASK { ?s ?p ?_x }"), {"x": given}) == f"ASK {{ ?s ?p {term} }}\nLIMIT 10\n"


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("iri", "prediction/1"),
        ("iri", "urn:a> . ?s ?p ?o . <urn:b"),
        ("iri", "urn:a b"),
        ("iri", "urn:\ud800"),
        ("string", "\udfff"),
        ("integer", "1 UNION"),
        ("integer", "1.5"),
        ("integer", "٣"),
        ("integer", "9" * 5000),
        ("number", "NaN"),
        ("number", "1e999"),
        ("number", "."),
        ("boolean", "yes"),
        ("dateTime", "tomorrow"),
        ("dateTime", "2026-13-45"),
        ("dateTime", ""),
    ],
)
def test_ill_typed_values_are_refused(kind: str, given: str) -> None:
    with pytest.raises(QueryRefused, match=rf"'x' cannot be .* wants x={kind}, for example x=example"):
        queries.bind(made(kind, "ASK { ?s ?p ?_x }"), {"x": given})


def test_missing_and_unknown_parameters_are_refused() -> None:
    query = queries.find("lineage/upstream")
    with pytest.raises(QueryRefused, match=r"'entity' is missing: .* wants entity=iri, for example"):
        queries.bind(query, {})
    with pytest.raises(QueryRefused, match="no parameter 'depth': it takes entity, limit"):
        queries.bind(query, {"entity": "urn:a", "depth": "3"})


@pytest.mark.parametrize("limit", ["0", "-1", "100001", "1;", "1.0", "ten", "9" * 5000])
def test_impossible_limits_are_refused(limit: str) -> None:
    with pytest.raises(QueryRefused, match="'limit' cannot be"):
        queries.bind(queries.find("audit/gaps"), {"limit": limit})


def test_only_whole_variable_tokens_are_replaced() -> None:
    text = (
        '# ?_x\nSELECT * { <urn:?_x> ?p \'?_x\' , "?_x" , \'\'\'a\'?_x\'\'\' , """?_x""\\" "?_x""" .'
        " ?x ?__x ex:a\\#?_x , $_x ; ex:p? ?_x . FILTER(?a <?_x) }"
    )
    expected = (
        '# ?_x\nSELECT * { <urn:?_x> ?p \'?_x\' , "?_x" , \'\'\'a\'?_x\'\'\' , """?_x""\\" "?_x""" .'
        " ?x TWO ex:a\\#ONE , ONE ; ex:p? ONE . FILTER(?a <ONE) }"
    )
    assert queries._replaced(text, {"x": "ONE", "_x": "TWO"}) == expected


ATTACKS = [
    '" } DROP ALL #',
    "' } UNION { ?s ?p ?o",
    '\\" . ?s ?p ?o . #',
    "\\",
    '"""',
    "?_contains",
    "\n} # ",
    "\\u0022 } #",
    "a\u2028}#",
    "}} SERVICE <http://127.0.0.1/> {",
    "\x00",
]


@pytest.mark.parametrize("attack", ATTACKS)
def test_injected_text_stays_a_value(attack: str) -> None:
    assert ask("catalogue/datasets", contains=attack) == []


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_any_string_comes_back_as_itself(text: str) -> None:
    found = store("credit").query(queries.bind(made("string", "SELECT ?v { BIND(?_x AS ?v) }"), {"x": text}))
    assert isinstance(found, ox.QuerySolutions)
    (solution,) = found
    value = solution["v"]
    assert isinstance(value, ox.Literal)
    assert value.value == text


@given(st.text())
def test_any_iri_is_refused_or_one_term(text: str) -> None:
    try:
        bound = queries.bind(made("iri", "SELECT ?v { BIND(?_x AS ?v) }"), {"x": text})
    except QueryRefused:
        return
    found = store("credit").query(bound)
    assert isinstance(found, ox.QuerySolutions)
    assert [solution["v"] for solution in found] == [ox.NamedNode(text)]


# --- files -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * { ?s ?p ?o }",
        "#+ summary: a: b: c\nSELECT * {}",
        "#+ summary: s\n#+ description: d\n#+ limit: 0\nSELECT * {}",
        "#+ summary: s\n#+ description: d\n#+ limit: many\nSELECT * {}",
        "#+ summary: s\n#+ description: d\n#+ limit: 1\nSELECT * { ?s ?p ?_o }",
        "#+ summary: s\n#+ description: d\n#+ limit: 1\n#+ params: [a]\nSELECT * {}",
        "#+ summary: s\n#+ description: d\n#+ limit: 1\n"
        "#+ params: {o: {type: iri, help: h, example: urn:a}}\nASK {?_o ?p ?o}",
        "#+ summary: s\n#+ description: d\n#+ limit: 1\n"
        "#+ params: {o: {type: iri, required: true, help: h, example: a}}\nASK {?_o ?p ?o}",
    ],
)
def test_files_with_a_bad_head_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "q.rq").write_text(text)
    with pytest.raises(Misconfigured, match=r"q\.rq has a bad head"):
        queries._read(tmp_path / "q.rq", tmp_path)


def test_resources_are_found_and_nothing_beside_them() -> None:
    assert resources.read("queries", "lineage/upstream.rq").startswith(b"#+ summary")
    for path in ("../pyproject.toml", "/etc/passwd", "lineage", "nothing.rq"):
        with pytest.raises(NotFound):
            resources.read("queries", path)
    with pytest.raises(NotFound, match="no data folder"):
        resources.folder("tests")
