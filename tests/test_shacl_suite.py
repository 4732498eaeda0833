"""Conformance to SHACL: every case of the W3C suite through both back-ends, with the report that is expected."""

from __future__ import annotations

from collections import Counter

import pyoxigraph as ox
import pytest

from tests import suites
from tests.conformance import BACK_ENDS, Case, Difference, cases, difference, earl, stored

CORE, SPARQL = cases("core"), cases("sparql")
#: Where the report over a store differs, since the store rewrites literals, and how it then differs.
REWRITTEN = {
    "core/node/maxExclusive-001": "the focus node 4.0 is named 4, as the store would write it",
    "core/node/minExclusive-001": "the focus node 4.0 is named 4, as the store would write it",
    "core/property/datatype-ill-formed": "of values that were bytes and integers the store knows only that they are "
    "integers: 300 is none of a byte and is reported as an integer, 55 may have been one",
}


def test_every_case_is_there() -> None:
    suites.path("shacl")
    assert (len(CORE), len(SPARQL)) == (98, 22)
    assert set(REWRITTEN) <= {case.name for case in CORE}


@pytest.mark.parametrize("case", [*CORE, *SPARQL], ids=lambda case: case.name)
def test_closures_report_what_is_expected(case: Case) -> None:
    assert difference(case, "closures") == Difference(Counter(), Counter())


@pytest.mark.parametrize("case", [*CORE, *SPARQL], ids=lambda case: case.name)
def test_queries_report_what_is_expected(case: Case) -> None:
    assert bool(difference(case, "queries")) == (case.name in REWRITTEN), difference(case, "queries")


XSD = "http://www.w3.org/2001/XMLSchema#"


@pytest.mark.parametrize(
    ("name", "missing", "extra"),
    [
        ("core/node/maxExclusive-001", {f'"4.0"^^<{XSD}decimal>'}, {f'"4"^^<{XSD}decimal>'}),
        ("core/node/minExclusive-001", {f'"4.0"^^<{XSD}decimal>'}, {f'"4"^^<{XSD}decimal>'}),
        (
            "core/property/datatype-ill-formed",
            {f'"300"^^<{XSD}byte>', f'"55"^^<{XSD}integer>'},
            {f'"300"^^<{XSD}integer>'},
        ),
    ],
)
def test_a_difference_is_in_the_literals_alone(name: str, missing: set[str], extra: set[str]) -> None:
    suites.path("shacl")
    (case,) = (each for each in CORE if each.name == name)
    found = difference(case, "queries")
    assert {row[1] for row in found.missing} == missing
    assert {row[1] for row in found.extra} == extra
    assert not {str(quad.object) for quad in stored(case.data)} & missing - {f'"55"^^<{XSD}integer>'}


def test_a_wrong_report_is_told() -> None:
    suites.path("shacl")
    case, other = (next(each for each in CORE if each.name == f"core/node/{name}-001") for name in ("class", "and"))
    for back_end in BACK_ENDS:
        mixed = Case(case.name, other.data, other.shapes, case.graph, case.expected)
        found = difference(mixed, back_end)
        assert found.missing
        assert found.extra
        assert difference(Case(case.name, case.data, case.shapes, case.graph, None), back_end)


def test_the_report_of_the_suite_is_earl() -> None:
    suites.path("shacl")
    store = ox.Store()
    text = earl(lambda case, back_end: REWRITTEN.get(case.name) if back_end == "queries" else None)
    store.load(text.encode(), ox.RdfFormat.TURTLE)
    counted = """PREFIX earl: <http://www.w3.org/ns/earl#> SELECT ?outcome (COUNT(DISTINCT ?test) AS ?n) {
        ?a a earl:Assertion ; earl:subject ?by ; earl:test ?test ; earl:result/earl:outcome ?outcome
        FILTER(STRENDS(STR(?by), ?end)) } GROUP BY ?outcome ORDER BY ?outcome"""
    for back_end, expected in (("closures", {"passed": "120"}), ("queries", {"passed": "117", "failed": "3"})):
        answers = store.query(counted.replace("?end", f'"#{back_end}"'))
        assert isinstance(answers, ox.QuerySolutions)
        found = {str(row["outcome"]).rpartition("#")[2][:-1]: str(row["n"]).split('"')[1] for row in answers}
        assert found == expected
