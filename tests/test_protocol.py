"""Asking over HTTP: the SPARQL protocol, canned queries, records by content negotiation, proofs."""

from __future__ import annotations

import base64
import itertools
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pyoxigraph as ox
import pytest

from provstore.capture.syntax import SYNTAXES
from provstore.ledger import merkle
from tests.servers import BASE, Server, event, serving

COUNT = "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }"
DOCUMENT = {
    "text/turtle": '<urn:a> <urn:p> "01"^^<http://www.w3.org/2001/XMLSchema#integer> ; <urn:q> [ <urn:r> "é\\n" ] .',
    "application/trig": "<urn:g> { <urn:a> <urn:p> 'trig' }",
    "application/n-triples": "<urn:a> <urn:p> 'nt' .".replace("'", '"'),
    "application/n-quads": '<urn:a> <urn:p> "nq" <urn:g> .',
    "application/rdf+xml": (
        '<r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:u="urn:">'
        '<r:Description r:about="urn:a"><u:p>xml</u:p></r:Description></r:RDF>'
    ),
    "application/ld+json": '{"@id": "urn:a", "urn:p": "jsonld"}',
    "text/n3": "<urn:a> <urn:p> 'n3' .",
}
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("protocol") / "data") as found:
        for number in range(1, 6):
            found.post(event(10_000 + number))
        yield found


def fresh() -> dict[str, Any]:
    return event(next(_numbers))


def head(server: Server) -> int:
    return int(server.http.get("/health").json()["head"])


def assert_problem(answer: httpx.Response, status: int, *words: str) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status
    for word in words:
        assert word in answer.text


# --- the SPARQL protocol ---------------------------------------------------------------------------------------------


def test_a_query_may_come_in_three_ways(server: Server) -> None:
    given = {"query": COUNT, "min-index": str(head(server))}
    direct = {"content-type": "application/sparql-query"}
    answers = [
        server.http.get("/sparql", params=given),
        server.http.post("/sparql", data=given),
        server.http.post("/sparql", params={"min-index": given["min-index"]}, content=COUNT, headers=direct),
    ]
    assert [each.status_code for each in answers] == [200, 200, 200]
    assert len({each.content for each in answers}) == 1
    assert answers[0].headers["content-type"] == "application/sparql-results+json"


@pytest.mark.parametrize(
    ("accept", "query", "kind"),
    [
        ("*/*", COUNT, "application/sparql-results+json"),
        ("text/csv", COUNT, "text/csv"),
        ("text/csv;q=0.1, text/tab-separated-values", COUNT, "text/tab-separated-values"),
        ("application/sparql-results+xml, text/html;q=0.9", "ASK {}", "application/sparql-results+xml"),
        ("*/*", "DESCRIBE <urn:a>", "text/turtle"),
        ("application/ld+json", "CONSTRUCT { ?s ?p ?o } { ?s ?p ?o } LIMIT 3", "application/ld+json"),
        ("text/*", "CONSTRUCT { ?s ?p ?o } { ?s ?p ?o } LIMIT 3", "text/turtle"),
    ],
)
def test_the_answer_comes_as_wanted(server: Server, accept: str, query: str, kind: str) -> None:
    answer = server.sparql(query, accept)
    assert answer.status_code == 200
    assert answer.headers["content-type"].partition(";")[0] == kind
    assert "accept" in answer.headers["vary"].lower()


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("", "wanted"),
        ("SELECT", "line"),
        ("SELECT * {", "line"),
        ("SELECT ?x { ?x ?y }", "line"),
        ("INSERT DATA { <urn:a> <urn:b> <urn:c> }", "changes nothing"),
        ("DROP ALL", "changes nothing"),
        ("SELECT * { SERVICE <http://127.0.0.1:1/> { ?s ?p ?o } }", "SERVICE"),
        ("SELECT * { ?s <nowhere> ?o }", ""),
    ],
)
def test_queries_that_are_refused(server: Server, query: str, words: str) -> None:
    assert_problem(server.sparql(query), 400, words)


def test_a_request_that_asks_nothing_or_too_much(server: Server) -> None:
    assert_problem(server.http.get("/sparql"), 400, "exactly one")
    assert_problem(server.http.get("/sparql", params=[("query", COUNT), ("query", COUNT)]), 400, "exactly one")
    assert_problem(server.http.post("/sparql", content=COUNT), 415)
    assert_problem(server.sparql(COUNT, "image/png"), 406, "text/csv")
    assert_problem(server.sparql("CONSTRUCT WHERE { ?s ?p ?o }", "text/csv"), 406, "text/turtle")
    for seconds in ("0", "-1", "nan", "inf", "soon"):
        assert_problem(server.sparql(COUNT, timeout=seconds), 400, "timeout")
    for index in ("-1", "x", "1e3", "9" * 30):
        assert_problem(server.sparql(COUNT, min_index=index), 400, "min-index")
    assert_problem(server.sparql(COUNT, min_index=10**9), 404, "newest")


def test_the_dataset_may_be_named(server: Server) -> None:
    receipt = server.post(fresh()).json()
    given = {"query": "SELECT ?s { ?s a <https://w3id.org/provstore/ns#Record> }", "min-index": str(receipt["index"])}
    answer = server.http.get("/sparql", params={**given, "default-graph-uri": receipt["record"]})
    assert [row["s"]["value"] for row in answer.json()["results"]["bindings"]] == [receipt["record"]]
    none = server.http.get("/sparql", params={**given, "default-graph-uri": "urn:nothing"})
    assert none.json()["results"]["bindings"] == []
    assert none.headers["etag"] != answer.headers["etag"]


def test_an_entity_tag_holds_until_the_ledger_grows(server: Server) -> None:
    index = head(server)
    first = server.sparql(COUNT, min_index=index)
    tag = {"If-None-Match": first.headers["etag"]}
    assert int(first.headers["provstore-index"]) >= index
    given = {"query": COUNT, "min-index": str(index)}
    same = server.http.get("/sparql", params=given, headers=tag)
    assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", first.headers["etag"])
    grown = server.post(fresh()).json()["index"]
    later = server.http.get("/sparql", params={**given, "min-index": str(grown)}, headers=tag)
    assert later.status_code == 200
    assert later.headers["etag"] != first.headers["etag"]


def test_an_answer_of_megabytes_is_whole(server: Server) -> None:
    query = "SELECT ?a ?b ?c ?d { ?a ?p ?o . ?b ?q ?r . ?c ?s ?t BIND(1 AS ?d) } LIMIT 40000"
    given = {"query": query, "min-index": str(head(server))}
    answer = server.http.get("/sparql", params=given)
    assert len(answer.content) == int(answer.headers["content-length"]) > 2 << 20
    assert len(answer.json()["results"]["bindings"]) == 40_000
    spooled = server.http.get("/sparql", params=given, headers={"If-None-Match": answer.headers["etag"]})
    assert spooled.status_code == 304
    assert list((server.directory / "spool").iterdir()) == []


# --- canned queries --------------------------------------------------------------------------------------------------


def test_the_catalogue_is_complete_and_each_example_answers(server: Server) -> None:
    listed = server.http.get("/queries").json()
    assert len(listed) >= 10
    for query in listed:
        given = {each["name"]: each["example"] for each in query["parameters"]}
        answer = server.http.get(f"/queries/{query['name']}", params=given)
        assert answer.status_code == 200, (query["name"], answer.text)
        assert server.http.post(f"/queries/{query['name']}", data=given).content == answer.content


@pytest.mark.parametrize(
    ("name", "given", "word"),
    [
        ("lineage/upstream", {}, "entity"),
        ("lineage/upstream", {"entity": ""}, "entity"),
        ("lineage/upstream", {"entity": "not an iri"}, "entity"),
        ("lineage/upstream", {"entity": "urn:a> } #"}, "entity"),
        ("lineage/upstream", {"entity": "urn:a", "colour": "red"}, "colour"),
        ("lineage/upstream", {"entity": "urn:a", "limit": "0"}, "limit"),
        ("lineage/upstream", {"entity": "urn:a", "limit": "many"}, "limit"),
        ("lineage/upstream", {"entity": "urn:" + "a" * 10_001}, "10,000"),
        ("catalogue/runs", {"after": "yesterday"}, "after"),
    ],
)
def test_parameters_that_are_none(server: Server, name: str, given: dict[str, str], word: str) -> None:
    assert_problem(server.http.get(f"/queries/{name}", params=given), 400, word)
    assert_problem(server.http.post(f"/queries/{name}", data=given), 400, word)


def test_a_value_is_never_read_as_a_query(server: Server) -> None:
    for text in ('"', "\\", '" } SELECT * { #', "?x", "$x", "\n", "\\u0022", "'''", '"""'):
        answer = server.http.get("/queries/catalogue/runs", params={"contains": text})
        assert answer.status_code == 200, answer.text
        assert answer.json()["results"]["bindings"] == []


# --- records ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", DOCUMENT)
def test_every_syntax_goes_in_and_the_record_comes_back_in_each(server: Server, kind: str) -> None:
    posted = server.rdf(DOCUMENT[kind], kind)
    assert posted.status_code in (200, 201), posted.text
    place = posted.headers["location"]
    quads = set(
        _parsed(server.http.get(place, headers={"accept": "application/n-quads"}).content, "application/n-quads")
    )
    assert {quad.triple for quad in quads if quad.subject == ox.NamedNode("urn:a")}
    for wanted in DOCUMENT.keys() - {"text/n3"}:
        answer = server.http.get(place, headers={"accept": wanted})
        assert answer.headers["content-type"].partition(";")[0] == wanted
        got = _parsed(answer.content, wanted)
        if SYNTAXES[wanted][0].supports_datasets:
            assert set(got) == quads
        else:
            assert {quad.triple for quad in got} == {quad.triple for quad in quads}


def _parsed(data: bytes, kind: str) -> list[ox.Quad]:
    return list(ox.parse(data, format=SYNTAXES[kind][0]))


def test_a_record_is_not_given_in_what_it_has_no_form_for(server: Server) -> None:
    place = server.rdf(DOCUMENT["text/turtle"]).headers["location"]
    assert_problem(server.http.get(place, headers={"accept": "image/png, text/csv"}), 406, "application/json", "turtle")
    for wanted in ("*/*", "application/json", "application/json, text/turtle;q=0.5", "text/csv, */*;q=0.1"):
        answer = server.http.get(place, headers={"accept": wanted})
        assert answer.headers["content-type"] == "application/json", wanted
        assert answer.headers["vary"] == "Accept"


def test_literals_keep_the_form_they_were_written_in(server: Server) -> None:
    place = server.rdf(DOCUMENT["text/turtle"]).headers["location"]
    for wanted in ("application/n-quads", "application/n-triples"):
        assert (
            '"01"^^<http://www.w3.org/2001/XMLSchema#integer>'
            in server.http.get(place, headers={"accept": wanted}).text
        )


def test_a_record_as_json_and_its_payload_byte_for_byte(server: Server) -> None:
    sent = b"\n" + DOCUMENT["text/turtle"].encode() + b" # a comment\r\n\r\n"
    receipt = server.rdf(sent).json()
    digest = receipt["record"].rpartition("/")[2]
    said = server.http.get(f"/records/{digest}").json()
    assert said["record"] == f"{BASE}/record/{digest}"
    assert receipt["index"] in [each["index"] for each in said["receipts"]]
    assert said["mediaType"] == "text/turtle"
    payload = server.http.get(f"/records/{digest}/payload")
    assert payload.headers["x-content-type-options"] == "nosniff"
    again = server.rdf(payload.content)
    assert again.json()["duplicate"] is True


def test_an_event_comes_back_byte_for_byte(server: Server) -> None:
    sent = json.dumps(fresh(), indent=1).encode()
    digest = server.post(sent).json()["record"].rpartition("/")[2]
    assert server.http.get(f"/records/{digest}/payload").content == sent


# --- proofs ----------------------------------------------------------------------------------------------------------


def test_inclusion_and_consistency_are_proven(server: Server) -> None:
    old = head(server) + 1
    receipts = [server.post(fresh()).json() for _ in range(5)]
    size = head(server) + 1
    for receipt in receipts:
        proof = server.http.get(receipt["proof"], params={"index": receipt["index"], "size": size}).json()
        entry = base64.b64decode(proof["entryBytes"])
        leaf = merkle.leaf_hash(entry)
        assert leaf.hex() == receipt["leafHash"]
        assert entry == server.http.get(f"/ledger/entry/{receipt['index']}").content
        path, root = [bytes.fromhex(step) for step in proof["proof"]], bytes.fromhex(proof["root"])
        assert merkle.verify_inclusion(receipt["index"], size, leaf, path, root)
        assert not merkle.verify_inclusion(receipt["index"], size, bytes(32), path, root)
    said = server.http.get("/ledger/proof/consistency", params={"from": old, "to": size}).json()
    steps = [bytes.fromhex(step) for step in said["proof"]]
    roots = bytes.fromhex(said["oldRoot"]), bytes.fromhex(said["newRoot"])
    assert merkle.verify_consistency(old, size, *roots, steps)
    assert not merkle.verify_consistency(old, size, bytes(32), roots[1], steps)


def test_the_checkpoint_is_of_what_was_acknowledged(server: Server) -> None:
    index = server.post(fresh()).json()["index"]
    lines = server.http.get("/ledger/checkpoint").text.splitlines()
    assert int(lines[1]) > index
    root = server.http.get("/ledger/proof/inclusion", params={"index": 0, "size": lines[1]}).json()["root"]
    assert base64.b64decode(lines[2]).hex() == root


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("inclusion", 400),
        ("inclusion?index=x", 400),
        ("inclusion?index=5&size=5", 404),
        ("inclusion?index=0&size=0", 404),
        ("inclusion?index=0&size=99999999", 404),
        ("consistency", 400),
        ("consistency?from=3&to=2", 404),
        ("consistency?from=1&to=99999999", 404),
    ],
)
def test_proofs_that_cannot_be_given(server: Server, path: str, status: int) -> None:
    assert_problem(server.http.get(f"/ledger/proof/{path}"), status)
