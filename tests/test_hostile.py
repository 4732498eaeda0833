"""Hostile queries over HTTP: each ends in a problem document in time, reaches nothing, and disturbs nobody."""

from __future__ import annotations

import socket
import statistics
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.servers import Server, event, serving

SECONDS = 2
#: What a refusal may take beyond the deadline of a query: a worker to be killed, one to be started.
GRACE = 4


def nested(count: int, opening: str, closing: str, inner: str = "?s ?p ?o") -> str:
    return f"SELECT * {{ {opening * count}{inner}{closing * count} }}"


#: Queries that crash, hang or bloat the engine where nothing stops them.
HOSTILE: dict[str, str] = {
    "groups": nested(3200, "{ ", " }"),
    "optionals in each other": nested(3200, "OPTIONAL { ", " }"),
    "exists in each other": nested(1600, "FILTER EXISTS { ", " }"),
    "selects in each other": nested(3200, "{ SELECT * { ", " } }"),
    "parentheses": f"SELECT * {{ ?s ?p ?o FILTER({'(' * 5000}true{')' * 5000}) }}",
    "chain of or": f"SELECT * {{ ?s ?p ?o FILTER({' || '.join(['?o = 1'] * 6000)}) }}",
    "flat optionals": f"SELECT * {{ ?s ?p ?o {' '.join(f'OPTIONAL {{ ?s ?p{i} ?o{i} }}' for i in range(200))} }}",
    "patterns": f"SELECT * {{ {' . '.join(f'?s{i} ?p{i} ?s{i + 1}' for i in range(800))} }}",
    "unions": f"SELECT * {{ {' UNION '.join(['{ ?s ?p ?o }'] * 3200)} }}",
    "steps of a path": f"SELECT * {{ ?s {'/'.join(['<urn:p>'] * 5000)} ?o }}",
    "doubling a string": "SELECT * { BIND('xxxxxxxxxxxxxxxx' AS ?x0) "
    + " ".join(f"BIND(CONCAT(?x{i}, ?x{i}) AS ?x{i + 1})" for i in range(40))
    + " }",
    "cross product, sorted": "SELECT * { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l } ORDER BY ?a ?d ?g ?j",
    "cross product, counted": "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l . ?m ?n ?o }",
    "huge answer": "SELECT * { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }",
    "regular expression": "SELECT * { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i FILTER REGEX(CONCAT(?a, ?d), '(x+x+)+y') }",
    "too long": f"SELECT * {{ ?s ?p '{'x' * 200_000}' }}",
    "service": "SELECT * { SERVICE <{canary}> { ?s ?p ?o } }",
    "silent service": "SELECT * { sErViCe SILENT <{canary}> { ?s ?p ?o } }",
    "service, hidden from the guard": "SELECT * { ?s ?p ?a FILTER(1<2)SERVICE#>\n<{canary}> { ?x ?y ?z } }",
    "service by variable": "SELECT * { VALUES ?x { <{canary}> } SERVICE ?x { ?s ?p ?o } }",
    "load": "LOAD <{canary}>",
    "load after a query": "SELECT * {} ; LOAD <{canary}>",
    "insert from service": "INSERT { ?s ?p ?o } WHERE { SERVICE <{canary}> { ?s ?p ?o } }",
}
assert len(HOSTILE) == 23


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    directory = tmp_path_factory.mktemp("hostile") / "data"
    with serving(directory, query_timeout_seconds=SECONDS, query_memory_bytes=1 << 30) as found:
        found.post([event(number) for number in range(200)])
        yield found


class Canary:
    """A listener on this machine that nobody ought to reach."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/"

    def calls(self) -> int:
        """How many have connected."""
        self._socket.setblocking(False)
        count = 0
        while True:
            try:
                self._socket.accept()[0].close()
                count += 1
            except BlockingIOError:
                return count

    def close(self) -> None:
        self._socket.close()


@pytest.fixture(scope="module")
def canary() -> Iterator[Canary]:
    found = Canary()
    yield found
    found.close()


def ask(server: Server, query: str) -> tuple[httpx.Response, float]:
    started = time.monotonic()
    answer = httpx.post(f"{server.url}/sparql", data={"query": query}, timeout=60)
    return answer, time.monotonic() - started


def assert_refused(answer: httpx.Response, took: float) -> None:
    assert answer.headers["content-type"] == "application/problem+json", answer.text[:500]
    assert answer.status_code in (400, 503)
    assert answer.json()["status"] == answer.status_code
    assert took < SECONDS + GRACE


@pytest.mark.parametrize("name", HOSTILE)
def test_it_is_refused_in_time_and_reaches_nothing(server: Server, canary: Canary, name: str) -> None:
    answer, took = ask(server, HOSTILE[name].replace("{canary}", canary.url))
    assert_refused(answer, took)
    assert canary.calls() == 0


def test_the_canary_would_have_sung(canary: Canary) -> None:
    with socket.create_connection(("127.0.0.1", httpx.URL(canary.url).port or 0)):
        assert canary.calls() == 1


@pytest.mark.alone
def test_others_hardly_notice(server: Server, canary: Canary) -> None:
    """A second client's plain queries on a kept connection, while hostile ones run all the time."""
    ended = threading.Event()

    def attack() -> int:
        count = 0
        for query in _endless(ended):
            assert_refused(*ask(server, query.replace("{canary}", canary.url)))
            count += 1
        return count

    with ThreadPoolExecutor() as threads:
        attack_on = threads.submit(attack)
        try:
            times = _timed(server)
        finally:
            ended.set()
        assert attack_on.result() > 5
    quantiles = statistics.quantiles(times, n=100)
    median, p99 = quantiles[49] * 1e3, quantiles[98] * 1e3
    print(f"{len(times)} plain queries beside hostile ones: median {median:.0f} ms, 99th percentile {p99:.0f} ms")
    assert quantiles[98] < 0.25


def _endless(ended: threading.Event) -> Iterator[str]:
    while True:
        for query in HOSTILE.values():
            if ended.is_set():
                return
            yield query


def _timed(server: Server) -> list[float]:
    """How long each of some hundreds of plain queries took, over eight seconds at least."""
    times: list[float] = []
    until = time.monotonic() + 8
    query = {"query": "SELECT ?s { ?s a <https://w3id.org/provstore/ns#Run> } LIMIT 5"}
    with httpx.Client(base_url=server.url) as mine:
        while len(times) < 200 or time.monotonic() < until:
            started = time.monotonic()
            answer = mine.get("/sparql", params=query)
            times.append(time.monotonic() - started)
            assert answer.status_code == 200, answer.text
            assert len(answer.json()["results"]["bindings"]) == 5
    return times
