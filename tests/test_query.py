"""SPARQL out: negotiated, whole, bounded; or an error that says why."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pyoxigraph as ox
import pytest
from hypothesis import given
from hypothesis import strategies as st

from provstore.errors import Busy, NotAcceptable, QueryRefused, QueryTooExpensive
from provstore.security.pool import WorkerPool
from provstore.store.oxigraph import TripleStore
from provstore.store.query import GRAPHS, RESULTS, Answer, QueryService, Snapshot, choose

COUNT = 3000
LABEL = 'a "quoted"\n, line; ü \U0001f600'
ALL = "SELECT ?s ?o { ?s <http://a/p> ?o } ORDER BY ?o"


@pytest.fixture(scope="module")
def pool() -> Iterator[WorkerPool]:
    with closing(WorkerPool(1 << 30, most=3, keep=1, modules=["provstore.store.query"])) as made:
        yield made


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    home = tmp_path_factory.mktemp("store")
    integer = "http://www.w3.org/2001/XMLSchema#integer"
    with closing(TripleStore(home / "store")) as store:
        lines = [f'<http://a/{i}> <http://a/p> "{i}"^^<{integer}> .\n' for i in range(COUNT)]
        lines.append(f"<http://a/x> <http://a/label> {ox.Literal(LABEL)} .\n")
        lines += [f'<http://a/x> <http://a/in> "{n}" <http://g/{n}> .\n' for n in (1, 2)]
        store.load("".join(lines).encode())
        store.snapshot(home / "snapshot")
    return Snapshot(str(home / "snapshot"), 41)


@pytest.fixture
def service(pool: WorkerPool, tmp_path: Path) -> QueryService:
    return QueryService(pool, tmp_path / "spool", timeout=10, max_bytes=8 << 20)


def whole(answer: Answer) -> bytes:
    if answer.path is None:
        return answer.body
    assert answer.body == b""
    body = answer.path.read_bytes()
    answer.path.unlink()
    return body


# -- what is answered -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("media_type", RESULTS)
def test_a_select_is_whole_in_each_form(service: QueryService, snapshot: Snapshot, media_type: str) -> None:
    answer = service.ask_now(ALL, media_type, snapshot)
    assert (answer.media_type, answer.index) == (media_type, 41)
    assert rows(media_type, whole(answer)) == [(f"http://a/{i}", str(i)) for i in range(COUNT)]


def rows(media_type: str, body: bytes) -> list[tuple[str, ...]]:
    """The rows of an answer, read by a parser that is not the one that wrote it."""
    text = body.decode()
    if media_type.endswith("json"):
        document: dict[str, Any] = json.loads(text)
        names = document["head"]["vars"]
        return [tuple(row[name]["value"] for name in names) for row in document["results"]["bindings"]]
    if media_type.endswith("xml"):
        space = "{http://www.w3.org/2005/sparql-results#}"
        results = ElementTree.fromstring(text).iter(f"{space}result")
        return [tuple("".join(binding.itertext()) for binding in result) for result in results]
    if media_type == "text/csv":
        return [tuple(row) for row in csv.reader(io.StringIO(text))][1:]
    return [tuple(cell.strip("<>") for cell in line.split("\t")) for line in text.splitlines()][1:]


@pytest.mark.parametrize("media_type", GRAPHS)
def test_a_graph_is_whole_in_each_form(service: QueryService, snapshot: Snapshot, media_type: str) -> None:
    answer = service.ask_now("CONSTRUCT { ?s ?p ?o } WHERE { ?s ?p ?o }", media_type, snapshot)
    assert answer.media_type == media_type
    found = {quad.triple for quad in ox.parse(whole(answer), format=GRAPHS[media_type])}
    assert len(found) == COUNT + 1
    assert ox.Triple(ox.NamedNode("http://a/x"), ox.NamedNode("http://a/label"), ox.Literal(LABEL)) in found


@pytest.mark.parametrize("media_type", RESULTS)
def test_a_yes_and_a_no_differ(service: QueryService, snapshot: Snapshot, media_type: str) -> None:
    yes = whole(service.ask_now("ASK { ?s <http://a/p> ?o }", media_type, snapshot))
    no = whole(service.ask_now("ASK { ?s <http://a/none> ?o }", media_type, snapshot))
    assert b"true" in yes
    assert b"false" in no


@pytest.mark.parametrize(
    ("query", "media_type"),
    [("SELECT ?s ?o { ?s <http://a/none> ?o }", "text/csv"), ("DESCRIBE <http://a/none>", "application/n-triples")],
)
def test_nothing_is_an_answer(service: QueryService, snapshot: Snapshot, query: str, media_type: str) -> None:
    assert whole(service.ask_now(query, media_type, snapshot)) in (b"", b"s,o\r\n")


def test_the_default_graph_is_the_real_one(service: QueryService, snapshot: Snapshot) -> None:
    query = "SELECT ?n { ?s <http://a/in> ?n }"
    assert whole(service.ask_now(query, "text/csv", snapshot)) == b"n\r\n"
    query = "SELECT ?n { GRAPH ?g { ?s <http://a/in> ?n } } ORDER BY ?n"
    assert whole(service.ask_now(query, "text/csv", snapshot)) == b"n\r\n1\r\n2\r\n"


@pytest.mark.parametrize(
    ("default", "named", "expected"),
    [
        (("http://g/1",), (), b"1\r\n"),
        (("http://g/1", "http://g/2"), (), b"1\r\n2\r\n"),
        ((), ("http://g/2",), b"2\r\n"),
        (("http://g/1",), ("http://g/2",), b"1\r\n2\r\n"),
        (("http://g/none",), (), b""),
    ],
)
@pytest.mark.parametrize("clause", ["", "FROM <http://g/1> FROM NAMED <http://g/1>"])
def test_graphs_that_are_named_are_all_there_is(
    service: QueryService,
    snapshot: Snapshot,
    default: tuple[str, ...],
    named: tuple[str, ...],
    expected: bytes,
    clause: str,
) -> None:
    """Whatever the query's own FROM asks for (SPARQL 1.1 Protocol §2.1.4)."""
    query = f"SELECT DISTINCT ?n {clause} {{ {{ ?s ?p ?n }} UNION {{ GRAPH ?g {{ ?s ?p ?n }} }} }} ORDER BY ?n"
    asked = service.ask(query, "text/csv", snapshot, default_graphs=default, named_graphs=named)
    assert whole(asyncio.run(asked)) == b"n\r\n" + expected


def test_a_large_answer_comes_in_a_file(service: QueryService, snapshot: Snapshot, tmp_path: Path) -> None:
    query = "SELECT * { ?s <http://a/p> ?o . ?t <http://a/p> ?q } LIMIT 60000"
    answer = service.ask_now(query, "text/csv", snapshot)
    assert answer.path is not None
    assert answer.path.parent == tmp_path / "spool"
    assert answer.path.stat().st_mode & 0o077 == 0
    assert len(rows("text/csv", whole(answer))) == 60000


def test_the_size_is_bounded(pool: WorkerPool, snapshot: Snapshot, tmp_path: Path) -> None:
    for size in (1000, 2 << 20):
        service = QueryService(pool, tmp_path / "spool", timeout=10, max_bytes=size)
        with pytest.raises(QueryTooExpensive, match="larger than"):
            service.ask_now("SELECT * { ?s ?p ?o . ?t ?q ?r }", "text/csv", snapshot)
        assert list((tmp_path / "spool").iterdir()) == []
    seven = "SELECT (7 AS ?n) {}"  # six bytes
    enough = QueryService(pool, tmp_path / "spool", timeout=10, max_bytes=6)
    assert enough.ask_now(seven, "text/csv", snapshot).body == b"n\r\n7\r\n"
    with pytest.raises(QueryTooExpensive):
        QueryService(pool, tmp_path / "spool", timeout=10, max_bytes=5).ask_now(seven, "text/csv", snapshot)


# -- what is not ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "line"),
    [("SELECT * {\n?s ?p\n}", 3), ("SELECT ?x {}\nSELECT", 2), ("SELECT (COUNT(*) AS ?n) ?s { ?s ?p ?o }", 1)],
)
def test_a_malformed_query_is_refused(service: QueryService, snapshot: Snapshot, query: str, line: int) -> None:
    with pytest.raises(QueryRefused, match="not a SPARQL query") as caught:
        service.ask_now(query, None, snapshot)
    assert caught.value.line == line


@pytest.mark.parametrize("iri", ["not an IRI", "http://a/ b", "", "http://a/>"])
def test_a_graph_name_that_is_no_iri_is_refused(service: QueryService, snapshot: Snapshot, iri: str) -> None:
    with pytest.raises(QueryRefused, match="failed"):
        asyncio.run(service.ask("ASK {}", None, snapshot, default_graphs=(iri,)))


def test_a_snapshot_that_is_gone_is_worth_another_try(service: QueryService, tmp_path: Path) -> None:
    with pytest.raises(Busy) as caught:
        service.ask_now("ASK {}", None, Snapshot(str(tmp_path / "none"), 1))
    assert caught.value.retry_after
    assert not (tmp_path / "none").exists()


def test_a_client_may_want_it_sooner_but_not_later(pool: WorkerPool, snapshot: Snapshot, tmp_path: Path) -> None:
    service = QueryService(pool, tmp_path / "spool", timeout=0.5, max_bytes=1 << 20)
    endless = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }"
    for wanted, allowed in ((0.2, "0.2 s"), (60, "0.5 s"), (None, "0.5 s")):
        with pytest.raises(QueryTooExpensive, match=f"longer than {allowed}") as caught:
            asyncio.run(service.ask(endless, None, snapshot, timeout=wanted))
        assert caught.value.retry_after


def test_a_plain_query_meets_no_memory_limit_by_chance(snapshot: Snapshot, tmp_path: Path) -> None:
    """A thread of the engine's takes no arena of its own, however many happen to run at once."""
    for number in range(10):
        with closing(WorkerPool(256 << 20, most=1, keep=1)) as small:
            service = QueryService(small, tmp_path / str(number), timeout=10, max_bytes=1 << 20)
            assert service.ask_now("SELECT * { ?s ?p ?o } LIMIT 5", "text/csv", snapshot).body.count(b"\r\n") == 6


def test_a_cancelled_answer_leaves_no_file(service: QueryService, snapshot: Snapshot, tmp_path: Path) -> None:
    spool = tmp_path / "spool"

    async def scene() -> None:
        crossed = "SELECT * { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }"
        task = asyncio.create_task(service.ask(crossed, "application/sparql-results+xml", snapshot))
        while not list(spool.iterdir()) and not task.done():
            await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(scene())
    assert list(spool.iterdir()) == []


def test_what_a_killed_server_left_is_removed(pool: WorkerPool, tmp_path: Path) -> None:
    (tmp_path / "spool").mkdir()
    (tmp_path / "spool" / "left").write_bytes(b"x")
    QueryService(pool, tmp_path / "spool", timeout=1, max_bytes=1)
    assert list((tmp_path / "spool").iterdir()) == []


# -- negotiation ------------------------------------------------------------------------------------------------------

JSON, XML, TURTLE = "application/sparql-results+json", "application/sparql-results+xml", "text/turtle"


@pytest.mark.parametrize(
    ("accept", "form", "chosen"),
    [
        (None, "SELECT", JSON),
        ("", "ASK", JSON),
        (" ", "CONSTRUCT", TURTLE),
        ("*/*", "SELECT", JSON),
        ("*/*", "DESCRIBE", TURTLE),
        ("application/*", "SELECT", JSON),
        ("application/*", "CONSTRUCT", "application/n-triples"),
        ("text/*", "SELECT", "text/csv"),
        ("application/json", "SELECT", "application/json"),
        ("text/csv, */*;q=0.1", "SELECT", "text/csv"),
        ("text/csv;q=0.5,application/sparql-results+xml;q=0.9", "SELECT", XML),
        ("TEXT/CSV; Q=1.0; charset=utf-8", "SELECT", "text/csv"),
        ("*/*, application/sparql-results+json;q=0, application/json;q=0", "SELECT", XML),
        ("application/*;q=0, */*", "ASK", "text/csv"),
        ("text/csv;q=0.1, application/*;q=0.05, */*;q=1", "SELECT", "text/tab-separated-values"),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "SELECT", "application/xml"),
        ("application/rdf+xml, text/turtle;q=0.9", "CONSTRUCT", "application/rdf+xml"),
        (",,;q=1,text/csv", "SELECT", "text/csv"),
        ("text/csv;q=nonsense, application/xml;q=0.001", "SELECT", "application/xml"),
        ("text/csv;q=nan, application/xml;q=0.001", "SELECT", "application/xml"),
        ("text/csv;q=9, application/xml;q=1", "SELECT", "application/xml"),
    ],
)
def test_the_best_of_what_is_wanted_is_chosen(accept: str | None, form: str, chosen: str) -> None:
    assert choose(accept, form) == chosen


@pytest.mark.parametrize(
    ("accept", "form"),
    [("image/png", "SELECT"), ("text/turtle", "SELECT"), (JSON, "CONSTRUCT"), ("*/*;q=0", "ASK"), (";", "ASK")],
)
def test_what_cannot_be_given_is_refused_with_what_can(accept: str, form: str) -> None:
    with pytest.raises(NotAcceptable, match="offered: "):
        choose(accept, form)


@given(st.text(alphabet="ac/s*;,=q. 01+-vtxe\x00ü", max_size=80))
def test_any_header_is_answered_or_refused(accept: str) -> None:
    with suppress(NotAcceptable):
        assert choose(accept, "SELECT") in RESULTS
