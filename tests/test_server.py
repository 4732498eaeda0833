"""The server as its clients meet it: ways in, refusals, back-pressure, life and death."""

from __future__ import annotations

import gzip
import http.client
import itertools
import json
import os
import signal
import statistics
import threading
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.servers import BASE, Server, children, command, event, serving, stopped

#: Nine blank nodes, each linked to each: RDFC-1.0 would be at it for ever.
POISON = "".join(f"_:b{i} <http://e.org/p> _:b{j} .\n" for i in range(9) for j in range(9) if i != j)
_numbers = itertools.count(1)


def fresh(**changes: object) -> dict[str, Any]:
    """An event that no other test has sent."""
    return event(next(_numbers), **changes)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("server") / "data", max_body_bytes=1 << 20) as found:
        yield found


def assert_problem(answer: httpx.Response, status: int, *words: str) -> dict[str, Any]:
    """An RFC 9457 problem of the status, its text holding the words."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    said: dict[str, Any] = answer.json()
    assert said["status"] == status
    assert said["title"]
    assert said["detail"]
    for word in words:
        assert word in answer.text
    return said


def is_known(server: Server, sent: dict[str, Any]) -> bool:
    head = server.http.get("/health").json()["head"]
    return bool(server.rows(f"SELECT ?p {{ <urn:uuid:{sent['run']['runId']}> ?p ?o }} LIMIT 1", min_index=head))


# --- ways in: events -------------------------------------------------------------------------------------------------


def test_one_event_gets_a_receipt(server: Server) -> None:
    answer = server.post(fresh())
    assert answer.status_code == 201
    receipt = answer.json()
    assert receipt["record"].startswith(f"{BASE}/record/")
    assert receipt["index"] > 0
    assert len(bytes.fromhex(receipt["leafHash"])) == 32
    assert receipt["duplicate"] is False


def test_the_same_bytes_again_get_the_first_receipt(server: Server) -> None:
    sent = fresh()
    first, second = server.post(sent), server.post(sent)
    assert (first.status_code, second.status_code) == (201, 200)
    assert second.json() == {**first.json(), "duplicate": True}


def test_a_payload_is_the_same_alone_in_an_array_and_as_a_line(server: Server) -> None:
    sent = fresh()
    alone = server.post(sent).json()
    array = server.post([sent, sent])
    lines = server.post(f"{json.dumps(sent)}\n\n{json.dumps(sent)}\n", content_type="application/x-ndjson")
    assert array.status_code == lines.status_code == 200
    for receipt in [*array.json()["receipts"], *lines.json()["receipts"]]:
        assert receipt == {**alone, "duplicate": True}


def test_an_array_of_one_is_answered_as_an_array(server: Server) -> None:
    answer = server.post([fresh()])
    assert answer.status_code == 201
    assert len(answer.json()["receipts"]) == 1


@pytest.mark.parametrize("named", [True, False], ids=["with Content-Encoding", "by its magic number"])
def test_gzip(server: Server, named: bool) -> None:
    sent = fresh()
    encoding = {"content_encoding": "gzip"} if named else {}
    answer = server.post(gzip.compress(json.dumps(sent).encode()), **encoding)
    assert answer.status_code == 201, answer.text
    assert is_known(server, sent)


def test_many_small_compressed_events_at_a_time_are_all_taken(server: Server) -> None:
    bodies = [gzip.compress(json.dumps(fresh()).encode()) for _ in range(60)]
    with ThreadPoolExecutor(20) as clients:
        answers = list(clients.map(lambda body: server.post(body, content_encoding="gzip"), bodies))
    assert [answer.status_code for answer in answers] == [201] * len(bodies)


def test_a_byte_order_mark_and_white_space_are_passed_over(server: Server) -> None:
    sent = json.dumps(fresh()).encode()
    assert server.post(b"\xef\xbb\xbf \r\n" + sent + b"\n\n").status_code == 201
    assert server.post(sent).status_code == 200


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "text/plain", ""])
def test_events_are_read_whatever_json_is_called(server: Server, kind: str) -> None:
    assert server.post(fresh(), content_type=kind).status_code == 201


def test_of_a_mixed_array_what_is_good_is_kept_and_what_is_bad_is_named(server: Server) -> None:
    good = [fresh(), fresh()]
    answer = server.post([good[0], {"eventTime": "yesterday"}, 7, good[1], {}])
    assert answer.status_code == 201
    said = answer.json()
    assert len(said["receipts"]) == 2
    assert [refused["pointer"] for refused in said["refused"]] == ["/1/eventTime", "/2", "/4/eventTime"]
    assert all(is_known(server, each) for each in good)


def test_of_mixed_lines_what_is_good_is_kept_and_what_is_bad_is_named(server: Server) -> None:
    good = [fresh(), fresh()]
    answer = server.post("\n".join([json.dumps(good[0]), '{"half', json.dumps(good[1]), "{}"]))
    said = answer.json()
    assert len(said["receipts"]) == 2
    assert [refused["line"] for refused in said["refused"]] == [2, 4]
    assert all(is_known(server, each) for each in good)


def test_an_array_of_nothing_usable_is_refused_with_every_reason(server: Server) -> None:
    said = assert_problem(server.post([{}, {"eventTime": 1}]), 422)
    assert len(said["refused"]) == 2


def test_a_batch_says_which_failed(server: Server) -> None:
    answer = server.post([fresh(), {}, fresh()], "/api/v1/lineage/batch")
    assert answer.status_code == 200
    said = answer.json()
    assert said["status"] == "partial_success"
    assert said["summary"] == {"received": 3, "successful": 2, "failed": 1, "retriable": 0, "non_retriable": 1}
    assert said["failed_events"][0]["index"] == 1
    assert server.post([fresh()], "/api/v1/lineage/batch").json()["status"] == "success"


def test_a_thousand_events_in_one_body_are_one_thousand_entries(server: Server) -> None:
    before = server.http.get("/health").json()["entries"]
    answer = server.post([fresh() for _ in range(1000)])
    indices = [receipt["index"] for receipt in answer.json()["receipts"]]
    assert indices == list(range(before, before + 1000))


def test_every_receipt_can_be_read_at_once(server: Server) -> None:
    for _ in range(20):
        sent = fresh()
        receipt = server.post(sent).json()
        query = f"SELECT ?i {{ <{receipt['record']}> <https://w3id.org/provstore/ns#ledgerIndex> ?i }}"
        assert server.rows(query, min_index=receipt["index"]) == [{"i": str(receipt["index"])}]


# --- refusals --------------------------------------------------------------------------------------------------------


def test_a_body_beyond_the_limit(server: Server) -> None:
    assert_problem(server.post(b" " * ((1 << 20) + 1)), 413, "1048576 bytes")


def test_a_bomb_is_not_inflated(server: Server) -> None:
    assert_problem(server.post(gzip.compress(bytes(300 << 20)), content_encoding="gzip"), 413, "inflates")


@pytest.mark.parametrize(
    ("headers", "path"),
    [
        ({"content_encoding": "br"}, "/api/v1/lineage"),
        ({"content_type": "application/json; charset=utf-16"}, "/api/v1/lineage"),
        ({"content_type": "image/png"}, "/records"),
        ({"content_type": ""}, "/records"),
    ],
)
def test_media_that_are_not_read(server: Server, headers: dict[str, str], path: str) -> None:
    assert_problem(server.post(fresh(), path, **headers), 415)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"\x00\xff\xfe", 400),
        (b'{"a": ', 400),
        (b"null", 400),
        (b"7", 400),
        (b"[]", 400),
        (b"[" * 100_000, 422),
        (b'{"a":' * 100_000, 400),
        (b'{"a": NaN}', 400),
        (b'{"a": ' + b"9" * 10_000 + b"}", 400),
        (b'{"eventTime": "\\ud800"}', 400),
        (b"\x1f\x8b not gzip", 400),
        (b"{}", 422),
        (json.dumps(event(1, eventTime="soon")).encode(), 422),
        (json.dumps(event(1, run={"runId": ""})).encode(), 422),
        (json.dumps(event(1, inputs="none")).encode(), 422),
    ],
)
def test_events_that_are_none(server: Server, body: bytes, status: int) -> None:
    assert_problem(server.post(body), status)


def test_a_refusal_points_at_the_place(server: Server) -> None:
    assert assert_problem(server.post(fresh(job={"namespace": "n"})), 422)["pointer"] == "/job/name"
    assert assert_problem(server.post(b'{\n"a": 1,\n}'), 400)["line"] == 3
    assert assert_problem(server.rdf("<urn:a> <urn:b> <urn:c> .\n\n<urn:a> nonsense .\n"), 400)["line"] == 3


@pytest.mark.parametrize(
    "path", ["/nothing", "/records/00", "/records/..%2f..", "/ledger/entry/999999999", "/queries/no/such", "/%ff%fe"]
)
def test_what_is_not_there(server: Server, path: str) -> None:
    assert_problem(server.http.get(path), 404)


@pytest.mark.parametrize("path", ["/ledger/entry/x", "/ledger/entry/-1", f"/ledger/entry/{10**30}", "/ledger/entry/٣"])
def test_indices_that_are_none(server: Server, path: str) -> None:
    assert_problem(server.http.get(path), 400)


def test_a_method_that_a_route_has_not(server: Server) -> None:
    answer = server.http.delete("/sparql")
    assert_problem(answer, 405)
    assert "GET" in answer.headers["allow"] or "POST" in answer.headers["allow"]


@pytest.mark.parametrize("name", ["Host", "Origin"])
@pytest.mark.parametrize("value", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "10.0.0.1", "["])
def test_a_strangers_web_page_is_refused(server: Server, name: str, value: str) -> None:
    given = value if name == "Host" else f"http://{value}"
    assert_problem(server.http.get("/health", headers={name: given}), 403)
    assert_problem(server.http.post("/api/v1/lineage", headers={name: given}), 403)


def test_an_opaque_origin_is_refused(server: Server) -> None:
    assert_problem(server.http.post("/sparql", headers={"Origin": "null"}), 403)


@pytest.mark.parametrize("value", ["localhost:{port}", "127.0.0.1:{port}", "[::1]:{port}", "LOCALHOST"])
def test_names_of_this_machine_are_welcome(server: Server, value: str) -> None:
    host = value.format(port=httpx.URL(server.url).port)
    assert server.http.get("/health", headers={"Host": host, "Origin": f"http://{host}"}).status_code == 200


def test_nothing_sent_makes_the_server_fail(server: Server) -> None:
    """Raw bytes at every route: whatever comes back is the client's fault, and the server is well after it."""
    bodies = [
        b"",
        b"\x00" * 1000,
        b"\xff\xfe{\x00",
        b'{"run":[[[]]]}',
        b"query=%ff%00&query=",
        b"<a><b/>",
        b"@prefix : <",
    ]
    kinds = ["", "application/json", "text/turtle", "application/ld+json", "application/rdf+xml", "multipart/form-data"]
    kinds += ["application/x-www-form-urlencoded", "application/sparql-query", "x", ";;;", "text/n3; charset=\x7f"]
    paths = ["/api/v1/lineage", "/api/v1/lineage/batch", "/records", "/sparql", "/queries/lineage/upstream"]
    for path, kind, body in itertools.product(paths, kinds, bodies):
        answer = server.post(body, path, content_type=kind)
        assert answer.status_code < 500, (path, kind, body, answer.text)
    for path in (
        "/sparql?query=%00%ff",
        "/sparql?%",
        "/queries/lineage/upstream?entity=%00",
        "/ledger/proof/inclusion",
    ):
        assert server.http.get(path, headers={"Accept": ";q=,*/*;q=x"}).status_code < 500, path
    assert server.http.get("/health").json()["status"] == "ok"


def test_a_client_that_hangs_up_harms_nobody(server: Server) -> None:
    url = httpx.URL(server.url)
    for _ in range(5):
        raw = http.client.HTTPConnection(url.host, url.port)
        raw.putrequest("POST", "/api/v1/lineage")
        raw.putheader("Content-Length", "100000")
        raw.endheaders(b'{"eventType":')
        raw.close()
    assert server.post(fresh()).status_code == 201


# --- poison ----------------------------------------------------------------------------------------------------------


@pytest.mark.alone
def test_a_poison_graph_is_stopped_and_others_do_not_wait(server: Server) -> None:
    def timed() -> float:
        started = time.monotonic()
        assert other.post("/api/v1/lineage", json=fresh()).status_code == 201
        return time.monotonic() - started

    with httpx.Client(base_url=server.url) as other, ThreadPoolExecutor() as threads:
        timed()
        started = time.monotonic()
        refusal = threads.submit(server.rdf, POISON, "application/n-triples")
        times = []
        while not refusal.done():
            times.append(timed())
        took = time.monotonic() - started
    assert_problem(refusal.result(), 413, "blank nodes")
    assert took < 4
    print(f"poison refused after {took:.1f} s; median of {len(times)} posts {statistics.median(times) * 1e3:.0f} ms")
    assert len(times) > 20
    assert statistics.median(times) < 0.1


# --- back-pressure ---------------------------------------------------------------------------------------------------


def test_a_full_queue_says_so_before_anything_is_committed(tmp_path: Path) -> None:
    with serving(tmp_path / "data", queue_records=1) as server, ThreadPoolExecutor() as threads:
        with stopped(server.owner()):
            both = [threads.submit(_post, server, each) for each in (fresh(), fresh())]
            done, under_way = wait(both, timeout=20, return_when=FIRST_COMPLETED)
            (refused, answer), (waiting,) = done.pop().result(), under_way
            assert_problem(answer, 503, "waiting")
            assert int(answer.headers["retry-after"]) > 0
        assert waiting.result()[1].status_code == 201
        assert not is_known(server, refused)
        assert server.post(refused).status_code == 201


def _post(server: Server, sent: dict[str, Any]) -> tuple[dict[str, Any], httpx.Response]:
    return sent, httpx.post(f"{server.url}/api/v1/lineage", json=sent, timeout=30)


# --- life and death --------------------------------------------------------------------------------------------------


def test_a_server_killed_loses_nothing_acknowledged(tmp_path: Path) -> None:
    data, acknowledged = tmp_path / "data", list[dict[str, Any]]()
    with serving(data) as server:
        ended = threading.Event()

        def post_on() -> None:
            with httpx.Client(base_url=server.url) as mine:
                while not ended.is_set():
                    sent = fresh()
                    try:
                        if mine.post("/api/v1/lineage", content=json.dumps(sent)).status_code == 201:
                            acknowledged.append(sent)
                    except httpx.HTTPError:
                        return

        posting = [threading.Thread(target=post_on) for _ in range(4)]
        for each in posting:
            each.start()
        until = time.monotonic() + 20
        while len(acknowledged) < 100 and time.monotonic() < until:
            time.sleep(0.01)
        server.stop(signal.SIGKILL)
        ended.set()
        for each in posting:
            each.join()
    assert len(acknowledged) >= 100
    with serving(data) as server:
        assert all(server.post(sent).status_code == 200 for sent in acknowledged)
        known = server.rows("SELECT (COUNT(DISTINCT ?run) AS ?n) { ?run a <https://w3id.org/provstore/ns#Run> }")
        assert int(known[0]["n"]) >= len(acknowledged)


def test_an_owner_killed_is_replaced(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as server:
        before = fresh()
        index = server.post(before).json()["index"]
        assert server.rows("SELECT ?s { ?s ?p ?o } LIMIT 1", min_index=index)
        os.kill(server.owner(), signal.SIGKILL)
        after = fresh()
        until = time.monotonic() + 30
        while (answer := server.post(after)).status_code != 201:
            assert_problem(answer, 503)
            assert time.monotonic() < until
            time.sleep(0.05)
        query = f"SELECT ?p {{ <urn:uuid:{after['run']['runId']}> ?p ?o }} LIMIT 1"
        assert server.rows(query, min_index=answer.json()["index"]), "the answer is from before the owner's death"
        assert server.post(before).status_code == 200


def test_stopping_leaves_no_note_and_no_process(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as server:
        server.post(fresh())
        below = [pid for pid, _ in children(server.process.pid)]
        assert server.stop() in (0, -signal.SIGTERM)
        assert not (tmp_path / "data" / "server.json").exists()
        assert [pid for pid in below if Path(f"/proc/{pid}").exists()] == []


def test_two_servers_on_one_directory(server: Server) -> None:
    second = command("serve", "--data", server.directory, "--port", 0)
    assert second.returncode != 0
    assert b"is in use by another process" in second.stderr
    assert b"Traceback" not in second.stderr
    assert server.http.get("/health").status_code == 200


def test_a_port_that_is_taken(server: Server, tmp_path: Path) -> None:
    port = httpx.URL(server.url).port
    second = command("serve", "--data", tmp_path / "other", "--port", port)
    assert second.returncode == 2
    assert f"cannot listen on 127.0.0.1:{port}".encode() in second.stderr


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org", ""])
def test_a_host_that_others_could_reach(tmp_path: Path, host: str) -> None:
    refused = command("serve", "--data", tmp_path, "--port", 0, "--host", host)
    assert refused.returncode == 2
    assert b"not a loopback address" in refused.stderr


# --- validation that cannot be done ----------------------------------------------------------------------------------


#: Shapes that are sound, and whose query says of everything that it failed (SHACL §5.3.2).
FAILING = """@prefix sh: <http://www.w3.org/ns/shacl#> . @prefix prov: <http://www.w3.org/ns/prov#> .
<urn:example:failing> a sh:NodeShape ; sh:targetClass prov:Activity ; sh:message "never told" ;
    sh:sparql [ sh:select "SELECT $this ?failure WHERE { BIND (true AS ?failure) }" ] .
"""


def failing(server: Server, mode: str) -> None:
    """Use a profile that cannot judge anything."""
    headers = {"content-type": "text/turtle"}
    assert server.http.post("/shapes/failing", content=FAILING, headers=headers).status_code == 201
    assert server.http.post("/shapes/failing/1/use", params={"mode": mode}).status_code == 200


def test_a_validation_that_failed_says_nothing_about_the_record(tmp_path: Path) -> None:
    for first in (True, False):  # what failed is tried again at the next start
        with serving(tmp_path / "data", profiles="") as server:
            if first:
                failing(server, "annotate")
            receipt = server.post(event(1)).json()
            until = time.monotonic() + 30
            while (said := server.http.get(receipt["validation"]).json())["waiting"]:
                assert time.monotonic() < until
                time.sleep(0.05)
            assert [each["conforms"] for each in said["profiles"]] == [None]
            counts = server.http.get("/health").json()["validation"]
            assert counts["failed"] == 1
            assert counts["violating"] == counts["waiting"] == 0


def test_a_profile_that_rejects_lets_nothing_pass_that_it_could_not_check(tmp_path: Path) -> None:
    with serving(tmp_path / "data", profiles="") as server:
        failing(server, "reject")
        before = server.http.get("/health").json()["entries"]
        said = assert_problem(server.post(event(1)), 422, "reported a failure")
        assert said["report"]
        assert server.http.get("/health").json()["entries"] == before


def test_a_profile_that_is_not_there_keeps_the_server_from_starting(tmp_path: Path) -> None:
    done = command("serve", "--data", tmp_path, "--port", 0, settings={"profiles": "no-such-profile:reject"})
    assert done.returncode == 2
    assert b"no validation profile 'no-such-profile'" in done.stderr
