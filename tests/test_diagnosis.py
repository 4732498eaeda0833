"""Where a query stops being SPARQL."""

from __future__ import annotations

import pytest

from provstore.store.diagnosis import MOST_CHARACTERS, Place, place


@pytest.mark.parametrize(
    "query",  # the sign | stands where the place is
    [
        'SELECT * {\n  ?s ?p "ünï" |§ ?o }\n',
        'SELECT * {\n  ?s ?p "a" |?o }',
        "SELECT * { ?s ?p ?o } |}",
        "SELECT * { ?s ?p ?o |) }",
        "SELECT * { ?s ?p ?o . # } ( in a comment\n |; }",
        'SELECT * { ?s ?p "} in a text" |?x ?y ?z ?q }',
        "ASK { ?s ?p ?o } |LIMIT x",
        f"SELECT * {{ ?s ?p ?o }} # {'long ' * 10_000}\n |}}",
    ],
)
def test_the_first_token_that_does_not_fit(query: str) -> None:
    assert place(query.replace("|", "", 1)) == Place(query.index("|"))


@pytest.mark.parametrize(
    ("query", "missing"), [("SELECT * { ?s ?p ?o", "}"), ("SELECT * { { ?s ?p ?o } FILTER(?s = 1", ")}")]
)
def test_brackets_that_are_missing(query: str, missing: str) -> None:
    assert place(f"{query} \n") == Place(len(query), missing)


@pytest.mark.parametrize("query", ["", "nonsense", "SELECT", "?", "§" * 5, "SELECT * { " + "x" * MOST_CHARACTERS])
def test_where_no_beginning_is_a_query(query: str) -> None:
    assert place(query) is None
