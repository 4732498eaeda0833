"""`format=` in an address: the Accept header that a link cannot say."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.servers import Server, event, serving
from tests.test_vocabulary import BROWSER

COUNT = "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }"
GRAPH = "CONSTRUCT { ?s a ?o } { ?s a ?o } LIMIT 3"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("formats") / "data") as found:
        found.post(event(1))
        yield found


@pytest.mark.parametrize(
    ("form", "query", "kind"),
    [
        ("json", COUNT, "application/json"),
        ("xml", COUNT, "application/sparql-results+xml"),
        ("csv", COUNT, "text/csv"),
        ("tsv", COUNT, "text/tab-separated-values"),
        ("json", GRAPH, "application/ld+json"),
        ("xml", GRAPH, "application/rdf+xml"),
        ("turtle", GRAPH, "text/turtle"),
        ("nt", GRAPH, "application/n-triples"),
        ("nquads", GRAPH, "application/n-quads"),
        ("trig", GRAPH, "application/trig"),
        ("jsonld", GRAPH, "application/ld+json"),
    ],
)
def test_a_browser_gets_the_form_that_the_address_names(server: Server, form: str, query: str, kind: str) -> None:
    answer = server.http.get("/sparql", params={"query": query, "format": form}, headers={"accept": BROWSER})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].partition(";")[0] == kind


@pytest.mark.parametrize("path", ["/queries", "/queries/catalogue/runs", "/search", "/search?q=%FF%C3&q=", "/health"])
def test_every_route_knows_it(server: Server, path: str) -> None:
    plain = server.http.get(path)
    mark = "&" if "?" in path else "?"
    named = server.http.get(f"{path}{mark}format=json", headers={"accept": BROWSER})
    assert named.status_code == plain.status_code == 200
    assert named.headers["content-type"] == "application/json"


def test_lineage_too(server: Server) -> None:
    given = {"entity": "out1", "format": "csv"}
    answer = server.http.get("/lineage", params=given, headers={"accept": BROWSER})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/csv")


def test_a_form_that_there_is_not(server: Server) -> None:
    refused = server.http.get("/search?format=docx")
    assert refused.status_code == 400
    assert refused.headers["content-type"] == "application/problem+json"
    assert "csv" in refused.json()["detail"]
    impossible = server.http.get("/sparql", params={"query": COUNT, "format": "turtle"})
    assert (impossible.status_code, impossible.json()["status"]) == (406, 406)
