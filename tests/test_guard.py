"""The look at a query before it is run: what it refuses, and above all what it must let pass."""

from __future__ import annotations

import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provstore.errors import QueryRefused
from provstore.store import guard

from . import suites


@pytest.mark.parametrize(
    ("query", "form"),
    [
        ("SELECT * { ?s ?p ?o }", "SELECT"),
        ("select*{?s?p?o}", "SELECT"),
        ("ASK { ?s ?p ?o }", "ASK"),
        ("CONSTRUCT WHERE { ?s ?p ?o }", "CONSTRUCT"),
        ("DESCRIBE <http://a/select>", "DESCRIBE"),
        ("# SELECT\nASK {}", "ASK"),
        ("PREFIX select: <http://a/select#> BASE <http://ask/> DESCRIBE select:ask", "DESCRIBE"),
        ("PREFIX : <http://a/> ASK { :select :ask :insert }", "ASK"),
    ],
)
def test_the_form_is_the_first_keyword(query: str, form: str) -> None:
    assert guard.check(query) == form


@pytest.mark.parametrize(
    "inside",
    [
        '?s ?p "SERVICE"',
        "?s ?p 'it''s a SERVICE'",
        '?s ?p """a "SERVICE" """',
        "?s ?p '''a SERVICE'''",
        '?s ?p "x"@service',
        '?s ?p "\\"SERVICE"',
        "?service ?p $service",
        "?s ex:service ?o",
        "?s service:of ?o",
        "?s a.service:of ?o",
        "?s ex:the-service.of ?o",
        "?s ex:a\\-service ?o",
        "?s <http://a/service> ?o",
        "_:service ?p ?o",
        "?s ?p ?o # SERVICE",
        "?s ex:größe-service ?o",
    ],
)
def test_the_word_service_is_no_service(inside: str) -> None:
    assert guard.check(f"SELECT * {{ {inside}\n }}") == "SELECT"


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * { SERVICE <http://a/> { ?s ?p ?o } }",
        "SELECT * {service<http://a/>{}}",
        "SELECT * {\n?s ?p 1.SERVICE SILENT <http://a/>{}}",
        "SELECT * { ?s ?p '' SERVICE ?s {} }",
        "SELECT * { ?s ?p 1SERVICE ?s {} }",
        "SELECT * { ?s ?p true.SERVICE ?s {} }",
    ],
)
def test_a_service_is_refused_with_its_line(query: str) -> None:
    with pytest.raises(QueryRefused, match="SERVICE") as caught:
        guard.check(query)
    assert caught.value.line == query.upper()[: query.upper().index("SERVICE")].count("\n") + 1


@pytest.mark.parametrize(
    "query",
    [
        "INSERT DATA { <http://a/a> <http://a/b> 1 }",
        "DELETE WHERE { ?s ?p ?o }",
        "PREFIX a: <http://a/> WITH a:g DELETE { ?s ?p ?o } WHERE { ?s ?p ?o }",
        "LOAD <http://a/>",
        "CLEAR ALL",
        "DROP ALL",
        "COPY <http://a/> TO <http://b/>",
        "",
        "   # SELECT",
        '"SELECT"',
        "hello",
        "\x00\x01",
        "\ud800",
    ],
)
def test_what_asks_nothing_is_refused(query: str) -> None:
    with pytest.raises(QueryRefused, match="SELECT, ASK, CONSTRUCT or DESCRIBE is wanted"):
        guard.check(query)


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("SELECT * {" + "{" * 100 + "}" * 101, "nested deeper"),
        ("SELECT * {" + "?s ?p (" * 100, "nested deeper"),
        ("SELECT * {" + "OPTIONAL {} " * 61 + "}", "61 OPTIONAL"),
        ("SELECT * {" + "{} UNION " * 201 + "{} }", "201 UNION"),
        ("SELECT * { FILTER(" + "?a || " * 1001 + "?a) }", "1002 operators"),
        ("SELECT * { ?a " + "<http://a/>/" * 201 + "<http://a/> ?b }", "201 steps"),
        ("SELECT * {" + "?s ?p ?o . " * 251 + "}", "251 triple patterns"),
        ("SELECT * { ?s ?p ?o" + ", ?o" * 251 + "}", "251 triple patterns"),
        ("ASK {}" + " " * guard.MAX_BYTES, "longer than"),
        ("ASK {} #" + "ü" * (guard.MAX_BYTES // 2), "longer than"),
    ],
)
def test_what_the_engine_cannot_bear_is_refused(query: str, reason: str) -> None:
    with pytest.raises(QueryRefused, match=reason):
        guard.check(query)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * { ?s ?p ?o FILTER(?o IN (" + ", ".join(["1.5"] * 5000) + ")) }",
        "SELECT * { VALUES ?o { " + " ".join(["-1.5e3"] * 5000) + " } ?s ?p ?o }",
        "SELECT * { VALUES ?o { " + " ".join(["<http://a/b.c,d;e>"] * 5000) + " } ?s ?p ?o }",
        'SELECT * { ?s ?p "' + "{[(" * 1000 + '" } # ' + "{" * 1000,
        "SELECT * {" + "{}" * 5000 + "}",
    ],
)
def test_long_lists_are_no_harm(query: str) -> None:
    assert guard.check(query) == "SELECT"


@given(st.text(max_size=300) | st.text(alphabet="SELECT*{}()'\"\\<>#?a:. \n", max_size=300))
def test_any_text_is_answered_or_refused(query: str) -> None:
    with suppress(QueryRefused):
        assert guard.check(query) in {"SELECT", "ASK", "CONSTRUCT", "DESCRIBE"}


@pytest.mark.parametrize(
    "unit",
    [
        '"',
        "'",
        '"""',
        "'''",
        '"""\\',
        "<",
        "<a",
        "a-",
        "a.",
        "a:",
        "a.a:",
        ":",
        "\\",
        "@",
        "@a-",
        "'\"",
        "\"'\\",
        "1",
        "{}",
        "a",
    ],
)
def test_no_text_takes_long(unit: str) -> None:
    """It runs where everybody waits."""
    query = f"SELECT {unit * ((guard.MAX_BYTES - 10) // len(unit))}"
    begun = time.process_time()
    with suppress(QueryRefused):
        guard.check(query)
    assert time.process_time() - begun < 1


def test_the_queries_of_the_conformance_suite_pass() -> None:
    """None is refused but for what it is: federation or an update."""
    found = sorted((suites.path("sparql") / "rdf-tests").rglob("*.rq"))
    assert len(found) > 300
    refused = []
    for file in found:
        try:
            guard.check(file.read_text(errors="replace"))
        except QueryRefused as error:
            if "SERVICE" not in str(error) and not file.stem.endswith("-bad"):
                refused.append((str(file), str(error)))
    assert refused == []
