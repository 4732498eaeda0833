"""Export: which records a selection means, in a directory and from a server alike."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from provstore import settings
from provstore.core import ProvStore, export
from provstore.errors import NotFound, ProvStoreError, QueryRefused
from provstore.export import verify
from provstore.export.parameters import PARAMETERS
from provstore.export.selection import selection
from provstore.lineage.ask import asked
from provstore.lineage.graph import LineageGraph
from tests.packages import Files, files, manifest
from tests.servers import Server, command, event, serving, stopped
from tests.stores import BASE, document, store_in
from tests.stores import event as submitted

PREFIXES = "PREFIX prov: <http://www.w3.org/ns/prov#> PREFIX ps: <https://w3id.org/provstore/ns#> "
#: What each record of the store is, by its ledger index.
RAW, SCORES, OTHER, REPORT, NOTE = 1, 2, 3, 4, 5


def run(number: int, second: int, inputs: list[str], outputs: list[str]) -> dict[str, Any]:
    named = {"inputs": [_data(each) for each in inputs], "outputs": [_data(each) for each in outputs]}
    return event(number, eventTime=f"2024-01-01T00:00:{second:02}Z", **named)


def _data(name: str) -> dict[str, str]:
    return {"namespace": "tests", "name": name}


STATISTICS = {"outputStatistics": {"_producer": "https://example.org/producer", "_schemaURL": "urn:x", "rowCount": 7}}
REPORTED = f"""@prefix prov: <http://www.w3.org/ns/prov#> . @prefix ps: <https://w3id.org/provstore/ns#> .
<> prov:generatedAtTime "2024-01-02T00:00:00Z"^^<http://www.w3.org/2001/XMLSchema#dateTime> .
<urn:x:report> a prov:Entity ; prov:wasDerivedFrom
  <{BASE}/dataset/tests/scores/write/01890000-0000-7000-8000-000000000002> .
<urn:x:team> a prov:Organization , prov:Agent ."""
NOTED = """@prefix prov: <http://www.w3.org/ns/prov#> .
<urn:x:memo> a prov:Entity ; prov:value "nothing to do with it" ."""


def fill(store: ProvStore) -> None:
    """A raw table, scores made of it, something else, a report on the scores, and a memo."""
    store.ingest([submitted(run(1, 1, [], ["raw"])), submitted(run(2, 2, ["raw"], ["scores"]))])
    sized = {**run(3, 3, ["elsewhere"], []), "outputs": [{**_data("other"), "outputFacets": STATISTICS}]}
    store.ingest([submitted(sized)])
    store.ingest([document(REPORTED, "text/turtle"), document(NOTED, "text/turtle")])


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("export") / "data"
    with store_in(home) as store:
        fill(store)
    return home


@pytest.fixture(scope="module")
def store(directory: Path) -> Iterator[ProvStore]:
    with store_in(directory) as opened:
        yield opened


def exported(store: ProvStore, tmp_path: Path, **given: str | list[str]) -> Files:
    archive = tmp_path / "p.zip"
    export.in_directory(store, settings.load({}), selection(_pairs(given)), archive)
    report = verify.check(archive)
    assert report.code == 0, report.lines()
    found = files(archive.read_bytes())
    archive.unlink()
    return found


def _pairs(given: dict[str, str | list[str]]) -> list[tuple[str, str]]:
    return [
        (name.rstrip("_"), each)
        for name, value in given.items()
        for each in (value if isinstance(value, list) else [value])
    ]


def indices(members: Files) -> list[int]:
    return [each["index"] for each in manifest(members)["records"]]


# --- what is selected ------------------------------------------------------------------------------------------------


def test_records_by_iri_and_by_digest(store: ProvStore, tmp_path: Path) -> None:
    one, other = store.ledger.body(NOTE).record, store.ledger.body(RAW).record
    assert indices(exported(store, tmp_path, record=[one, other.rpartition("/")[2]])) == [RAW, NOTE]


def test_every_entry_of_a_record(tmp_path: Path) -> None:
    with store_in(tmp_path / "data") as store:
        store.ingest([submitted(run(1, 1, [], ["raw"]), actor) for actor in ("ann", "bob")])
        record = store.ledger.body(1).record
        assert indices(exported(store, tmp_path, record=record)) == [1, 2]


@pytest.mark.parametrize(
    ("entity", "depth", "wanted"),
    [
        ("urn:x:report", "", [RAW, SCORES, REPORT]),
        ("urn:x:report", "1", [SCORES, REPORT]),
        ("scores", "", [RAW, SCORES]),
        ("other", "", [OTHER]),
        # of what has no lineage: the records that speak of it, or of what it is a part of
        (f"{BASE}/agent/software/https%3A%2F%2Fexample.org%2Fproducer", "", [RAW, SCORES, OTHER]),
        ("urn:uuid:01890000-0000-7000-8000-000000000001#end", "", [RAW]),
        ("urn:x:team", "", [REPORT]),
    ],
)
def test_the_records_behind_a_thing(
    store: ProvStore, tmp_path: Path, entity: str, depth: str, wanted: list[int]
) -> None:
    assert indices(exported(store, tmp_path, lineage=entity, depth=depth)) == wanted


def test_the_records_that_cite_the_value_of_a_facet(store: ProvStore, tmp_path: Path) -> None:
    (content,) = store.ledger.body(OTHER).contents
    for thing in (content, f"{content}#/rowCount"):
        assert indices(exported(store, tmp_path, lineage=thing)) == [OTHER]


def test_lineage_rests_on_what_it_exports(store: ProvStore, tmp_path: Path) -> None:
    """A store of the exported records alone tells the same lineage."""
    members = exported(store, tmp_path, lineage="urn:x:report")
    wanted = command("lineage", "urn:x:report", "--data", store.directory, "--format", "csv")
    with store_in(tmp_path / "again") as again:
        for each in manifest(members)["records"]:
            payload = members[f"records/{each['index']}/{each['payload']}"].decode()
            rdf = each["mediaType"] != "application/json"
            again.ingest([document(payload, each["mediaType"]) if rdf else submitted(json.loads(payload))])
        told = lineage_of(again, "urn:x:report")
    assert told == lineage_of(store, "urn:x:report")
    assert len(told) == 3
    assert wanted.returncode == 2  # the directory is open here


def lineage_of(store: ProvStore, entity: str) -> list[str]:
    graph = LineageGraph(store.directory / "views")
    found = sorted(each["iri"] for each in asked("lineage", {"entity": entity}).compute(graph)["nodes"])
    graph.close()
    return found


def test_the_records_in_an_answer(store: ProvStore, tmp_path: Path) -> None:
    assert indices(exported(store, tmp_path, query="integrity/records", param=["first=2", "last=3"])) == [SCORES, OTHER]
    query = PREFIXES + "SELECT ?x { ?x prov:value ?v }"
    assert indices(exported(store, tmp_path, sparql=query)) == [NOTE]
    query = PREFIXES + "CONSTRUCT WHERE { <urn:x:report> prov:wasDerivedFrom ?y }"
    assert indices(exported(store, tmp_path, sparql=query)) == [SCORES, REPORT]


def test_what_was_received_in_a_time(store: ProvStore, tmp_path: Path) -> None:
    times = [store.ledger.receipt(index).received for index in range(1, 6)]
    assert indices(exported(store, tmp_path, after=times[2])) == [OTHER, REPORT, NOTE]
    assert indices(exported(store, tmp_path, before=times[2])) == [RAW, SCORES]
    assert indices(exported(store, tmp_path, lineage="urn:x:report", after=times[3])) == [REPORT]
    assert indices(exported(store, tmp_path, after="2000-01-01", before="2999-01-01")) == [1, 2, 3, 4, 5]
    with pytest.raises(NotFound, match="nothing is selected"):
        exported(store, tmp_path, before="2000-01-01")


def test_all_and_several_at_once(store: ProvStore, tmp_path: Path) -> None:
    assert indices(exported(store, tmp_path, all="true")) == [1, 2, 3, 4, 5]
    record = store.ledger.body(NOTE).record
    assert indices(exported(store, tmp_path, record=record, lineage="scores")) == [RAW, SCORES, NOTE]


def test_what_was_concluded_is_told_apart(store: ProvStore, tmp_path: Path) -> None:
    members = exported(store, tmp_path, lineage="urn:x:report")
    derived = members["derived/graph.nq"].decode().splitlines()
    graphs = {line.split(" ")[-2] for line in derived}
    assert graphs == {f"<{BASE}/graph/{name}>" for name in ("merged", "inferred", "system")}
    assert any("wasDerivedFrom" in line and "/raw/write/" in line for line in derived)
    assert not any("/other/" in line for line in derived)
    assert "graph/merged" not in members["graph.nq"].decode()
    assert manifest(members)["derived"] == {"index": 5}


def test_a_superseded_record_is_told_as_one(tmp_path: Path) -> None:
    with store_in(tmp_path / "data") as store:
        store.ingest([document(NOTED, "text/turtle")])
        old = store.ledger.body(1).record
        new = f"@prefix ps: <https://w3id.org/provstore/ns#> . <> ps:supersedes <{old}> ."
        store.ingest([document(new, "text/turtle")])
        page = exported(store, tmp_path, all="true")["index.html"].decode()
    assert re.search(r'superseded</span>\s*by <a href="#r2">2</a>', page)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "say what to export"),
        ({"nonsense": "1"}, "no parameter 'nonsense'"),
        ({"record": "00"}, "no record 00"),
        ({"record": "urn:x:report"}, "no record urn:x:report"),
        ({"lineage": "urn:x:nobody"}, "urn:x:nobody"),
        ({"lineage": "urn:x:report", "depth": "0"}, "'depth' is a number from 1"),
        ({"depth": "1", "all": "true"}, "depth belongs to lineage"),
        ({"query": "no/such"}, "no canned query"),
        ({"query": "integrity/records", "param": "x"}, "key=value"),
        ({"query": "integrity/records", "param": "x=1"}, "no parameter 'x'"),
        ({"param": "x=1", "all": "true"}, "param to query"),
        ({"sparql": "ASK {}"}, "an ASK names nothing"),
        ({"sparql": "SELECT"}, "not a SPARQL query"),
        ({"sparql": "SELECT * { SERVICE <http://127.0.0.1/> {} }"}, "SERVICE"),
        ({"sparql": "SELECT * { <urn:no> <urn:no> ?x }"}, "nothing is selected"),
        ({"after": "yesterday"}, "'after' is a day or an ISO 8601 date-time"),
        ({"all": "yes"}, "'all' is true or false"),
        ({"all": "true", "record": "00"}, "all is every record"),
        ({"all": "true", "from": "x"}, "'from' is a number"),
        ({"all": "true", "from": "999"}, "no checkpoint of 999"),
        ({"before": ["2024-01-01", "2024-01-02"]}, "may not be given 2 times"),
    ],
)
def test_what_cannot_be_selected_says_why(
    store: ProvStore, tmp_path: Path, given: dict[str, str | list[str]], says: str
) -> None:
    with pytest.raises((QueryRefused, NotFound), match=re.escape(says)):
        exported(store, tmp_path, **given)
    assert list(tmp_path.iterdir()) == []


def test_an_export_that_fails_leaves_no_file(store: ProvStore, tmp_path: Path) -> None:
    with pytest.raises(ProvStoreError):
        export.in_directory(store, settings.load({}), selection([("record", "0")]), tmp_path / "p.zip")
    assert list(tmp_path.iterdir()) == []


# --- the command and the server --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("served") / "data"
    with store_in(home) as opened:
        fill(opened)
    with serving(home) as running:
        yield running


_SELECTIONS: list[dict[str, str | list[str]]] = [
    {"all": "true"},
    {"lineage": "urn:x:report", "from": ["2", "4"]},
    {"lineage": "scores", "depth": "1"},
    {"query": "integrity/records", "param": ["first=2", "last=3"]},
    {"sparql": PREFIXES + "SELECT ?x { ?x prov:value ?v }"},
    {"after": "2020-01-01", "before": "2999-01-01T00:00:00Z"},
]


def test_a_server_and_its_directory_give_the_same_bytes(tmp_path: Path) -> None:
    home, alone = tmp_path / "data", []
    with store_in(home) as opened:
        fill(opened)
        for number, wanted in enumerate(_SELECTIONS):
            target = tmp_path / f"{number}.zip"
            export.in_directory(opened, settings.load({}), selection(_pairs(wanted)), target)
            alone.append(target.read_bytes())
    assert command("export", tmp_path / "a.zip", "--all", "--data", home).returncode == 0
    with serving(home) as running:
        served = [running.http.get(f"/export?{urlencode(_pairs(wanted))}").content for wanted in _SELECTIONS]
        # the command finds the server that has the directory
        assert command("export", tmp_path / "b.zip", "--all", "--data", home).returncode == 0
    assert served == alone
    assert len(set(alone)) == len(alone)
    assert alone[0] == (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_the_route_answers_a_package(server: Server, tmp_path: Path) -> None:
    answer = server.http.get("/export", params={"lineage": "urn:x:report"})
    assert answer.headers["content-type"] == "application/zip"
    assert re.fullmatch(
        r'attachment; filename="provstore-3-of-6-[0-9a-f]{8}\.zip"', answer.headers["content-disposition"]
    )
    path = tmp_path / "p.zip"
    path.write_bytes(answer.content)
    kept = server.http.get("/ledger/checkpoint").text
    key = server.http.get("/ledger/key").text
    assert verify.check(path, key=key, checkpoint=kept).status.startswith(
        "VERIFIED: 3 records of a ledger of 6 entries"
    )
    assert server.http.get("/export", params={"lineage": "urn:x:report"}).content == answer.content
    _assert_nothing_left(server)


def _assert_nothing_left(server: Server) -> None:
    """The server removes a package when it has been sent, which its receiver may see a moment earlier."""
    until = time.monotonic() + 10
    while left := list((server.directory / "exports").glob("*")):
        assert time.monotonic() < until, left
        server.http.get("/health")


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 400),
        ("record=0", 404),
        ("lineage=nobody", 404),
        ("all=maybe", 400),
        ("x=1", 400),
        ("query=integrity/records&param=x=1", 400),
        ("sparql=" + "x" * 30_001, 400),
        ("all=true&from=99", 404),
    ],
)
def test_the_route_refuses_with_a_problem(server: Server, query: str, status: int) -> None:
    answer = server.http.get(f"/export?{query}")
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), answer.text
    _assert_nothing_left(server)


def test_a_third_export_at_once_is_told_to_come_again(server: Server) -> None:
    def status(_: int) -> int:
        with httpx.Client(base_url=server.url, timeout=60) as http:
            return http.get("/export?all=true").status_code

    with ThreadPoolExecutor(3) as asking:
        with stopped(server.owner()):  # none of them gets its checkpoint meanwhile
            asked = [asking.submit(status, number) for number in range(3)]
            done, _ = wait(asked, return_when=FIRST_COMPLETED)
            assert [each.result() for each in done] == [503]
        assert sorted(each.result() for each in asked) == [200, 200, 503]


def test_a_package_taken_while_the_server_ingests_is_whole(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as server:
        server.post(run(0, 0, [], ["raw"]))
        kept = server.http.get("/ledger/checkpoint").text
        under_way = threading.Event()

        def ingest() -> None:
            for number in range(1, 400, 20):
                events = [run(number + n, 1, ["raw"], [f"out{number + n}"]) for n in range(20)]
                assert server.post(events).status_code == 201
                under_way.set()

        posting = threading.Thread(target=ingest)
        posting.start()
        under_way.wait(30)
        sizes, going_on = [], []
        for number in range(4):
            target = tmp_path / f"{number}.zip"
            going_on.append(posting.is_alive())
            target.write_bytes(_client(server, {"all": "true", "from": "2"}))
            report = verify.check(target, checkpoint=kept)
            assert report.status.startswith("VERIFIED"), report.lines()
            sizes.append(manifest(files(target.read_bytes()))["checkpoint"]["size"])
        posting.join()
    assert going_on[0]
    assert sizes == sorted(sizes)
    assert sizes[0] < 402


def _client(server: Server, given: dict[str, str]) -> bytes:
    """An answer on a connection of its own."""
    with httpx.Client(base_url=server.url, timeout=60) as http:
        answer = http.get(f"/export?{urlencode(given)}")
    assert answer.status_code == 200, answer.text
    return answer.content


def test_the_command_writes_a_file_or_a_directory(directory: Path, server: Server, tmp_path: Path) -> None:
    where = ("--server", server.url)
    for target in ("p.zip", "p/"):
        done = command("export", f"{tmp_path}/{target}", "--lineage", "urn:x:report", *where)
        assert (done.returncode, done.stderr) == (0, b"")
        assert b"exported 3 records of a ledger of 6 entries" in done.stdout
        checked = command("verify", tmp_path / target)
        assert checked.returncode == 0
        assert b"UNWITNESSED: 3 records" in checked.stdout
    members = files((tmp_path / "p.zip").read_bytes())
    laid = {
        p.relative_to(tmp_path / "p").as_posix(): p.read_bytes() for p in (tmp_path / "p").rglob("*") if p.is_file()
    }
    assert laid == members
    assert sorted(each.name for each in tmp_path.iterdir()) == ["p", "p.zip"]


def test_a_kept_checkpoint_is_connected(tmp_path: Path) -> None:
    with store_in(tmp_path / "data") as opened:
        fill(opened)
    with serving(tmp_path / "data") as server:
        _connect(server, tmp_path)


def _connect(server: Server, tmp_path: Path) -> None:
    kept, key = tmp_path / "kept.txt", tmp_path / "key.txt"
    kept.write_text(server.http.get("/ledger/checkpoint").text)
    key.write_text(server.http.get("/ledger/key").text)
    server.rdf('<urn:x:later> <http://www.w3.org/ns/prov#value> "1" .')
    command("export", tmp_path / "p.zip", "--lineage", "scores", "--checkpoint", kept, "--server", server.url)
    command("export", tmp_path / "bare.zip", "--lineage", "scores", "--server", server.url)
    done = command("verify", tmp_path / "p.zip", "--checkpoint", kept, "--key", key)
    assert (done.returncode, b"VERIFIED: 2 records" in done.stdout) == (0, True), done.stdout
    done = command("verify", tmp_path / "bare.zip", "--checkpoint", kept)
    assert (done.returncode, b"cannot be connected" in done.stdout) == (2, True)
    old, new = (json.loads(server.http.get("/health").text)["entries"] + n for n in (-1, 0))
    proof = tmp_path / "proof.json"
    proof.write_bytes(server.http.get("/ledger/proof/consistency", params={"from": old, "to": new}).content)
    done = command("verify", tmp_path / "bare.zip", "--checkpoint", kept, "--proof", proof)
    assert (done.returncode, b"VERIFIED" in done.stdout) == (0, True), done.stdout


def test_the_command_refuses_what_cannot_be_done(server: Server, tmp_path: Path) -> None:
    there = tmp_path / "there.zip"
    there.write_text("x")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").write_text("x")
    where = ("--server", server.url)
    for arguments, says in (
        ((there, "--all"), b"is there already"),
        ((f"{tmp_path}/full/", "--all"), b"is there already"),
        ((tmp_path / "no" / "p.zip", "--all"), b"is no directory"),
        ((tmp_path / "p.zip",), b"say what to export"),
        ((tmp_path / "p.zip", "--record", "0"), b"no record 0"),
        ((tmp_path / "p.zip", "--all", "--checkpoint", there), b"holds no checkpoint"),
    ):
        done = command("export", *arguments, *where)
        assert (done.returncode, says in done.stderr) == (2, True), done.stderr
    assert there.read_text() == "x"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["full", "there.zip"]


def test_the_command_verifies_as_the_verifier_does(server: Server, tmp_path: Path) -> None:
    target = tmp_path / "p.zip"
    target.write_bytes(server.http.get("/export?all=true").content)
    target.write_bytes(target.read_bytes().replace(b"tests", b"TESTS", 1))
    done = command("verify", target)
    assert done.returncode == 1
    assert done.stdout.decode().splitlines() == verify.check(target).lines()
    for arguments in ((tmp_path / "none",), (target, "--key", tmp_path / "none"), (target, "--views")):
        assert command("verify", *arguments).returncode == 2
    assert command("verify", "--key", "x+y+z", "--data", server.directory).returncode == 2


def test_every_parameter_is_an_option_of_the_command() -> None:
    said = command("export", "--help").stdout.decode()
    assert [name for name in PARAMETERS if f"--{name}" not in said] == ["param", "from"]  # key=value, --checkpoint
