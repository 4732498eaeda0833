"""The command line as a user types it."""

from __future__ import annotations

import csv
import gzip
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from tests.servers import BASE, Server, command, environment, event, serving

COUNT = "SELECT (COUNT(*) AS ?n) { ?r a <https://w3id.org/provstore/ns#Record> }"
TURTLE = "<urn:a> <urn:p> <urn:{}> ."


def _lines(output: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.splitlines()]


def _wrong(done: subprocess.CompletedProcess[bytes], code: int, *words: str) -> None:
    """It failed with the code and a message for people."""
    assert done.returncode == code, (done.stdout, done.stderr)
    said = done.stderr.decode()
    assert "Traceback" not in said
    for word in words:
        assert word in said


def _records(*where: object) -> int:
    done = command("sparql", COUNT, "--format", "csv", *where)
    assert done.returncode == 0, done.stderr
    return int(done.stdout.split()[1])


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder of five events and three documents, one of them bad, and something else."""
    home = tmp_path / "files"
    (home / "deep").mkdir(parents=True)
    (home / "one.json").write_text(json.dumps(event(1)))
    (home / "two.jsonl").write_text(f"{json.dumps(event(2))}\n{json.dumps(event(3))}\n")
    (home / "deep" / "array.json.gz").write_bytes(gzip.compress(json.dumps([event(4), event(5)]).encode()))
    (home / "deep" / "doc.ttl").write_text(TURTLE.format(1))
    (home / "deep" / "doc.nt.gz").write_bytes(gzip.compress(TURTLE.format(2).encode()))
    (home / "bad.trig").write_text("<urn:a> {\n  nonsense }")
    (home / "notes.txt").write_text("nothing to see here")
    return home


@pytest.fixture(scope="module")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with three records, for questions only."""
    home = tmp_path_factory.mktemp("stocked")
    source = home / "events.json"
    source.write_text(json.dumps([event(1), event(2), event(3)]))
    assert command("ingest", "--data", home / "data", "--base", BASE, source).returncode == 0
    return home / "data"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("served") / "data") as found:
        found.post([event(1), event(2), event(3)])
        assert found.sparql("ASK {}", min_index=3).status_code == 200  # the views have them, too
        yield found


# --- ingest ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("served", [False, True], ids=["into the directory", "through its server"])
def test_ingest_of_a_folder(tmp_path: Path, files: Path, served: bool) -> None:
    data = tmp_path / "data"
    if not served:
        _check_folder(data, files)
        return
    with serving(data):
        _check_folder(data, files)


def _check_folder(data: Path, files: Path) -> None:
    done = command("ingest", "--data", data, files, files / "one.json")
    _wrong(done, 1, f"{files / 'bad.trig'} at line 2: ")
    assert done.stdout.decode().splitlines()[-1] == "7 taken, 1 duplicate, 1 refused"
    (files / "bad.trig").unlink()
    again = command("ingest", "--data", data, files)
    assert (again.returncode, again.stdout) == (0, b"0 taken, 7 duplicate, 0 refused\n")
    assert _records("--data", data) == 7


def test_ingest_of_globs_and_receipts_as_json(tmp_path: Path, files: Path) -> None:
    data = tmp_path / "data"
    done = command("ingest", "--data", data, "--json", f"{files}/*.json*", f"{files}/**/*.ttl", f"{files}/bad.*")
    assert done.returncode == 1
    said = _lines(done.stdout)
    assert [Path(each["file"]).name for each in said] == ["one.json", "two.jsonl", "two.jsonl", "doc.ttl", "bad.trig"]
    assert [each.get("index") for each in said] == [1, 2, 3, 4, None]
    assert said[-1]["line"] == 2
    assert done.stderr == b""


def test_ingest_from_standard_input(tmp_path: Path) -> None:
    data = tmp_path / "data"
    assert command("ingest", "--data", data, "-", data=json.dumps(event(1)).encode()).returncode == 0
    turtle = command("ingest", "--data", data, "-", "--format", "ttl", data=TURTLE.format(1).encode())
    assert turtle.returncode == 0, turtle.stderr
    media_type = command("ingest", "--data", data, "-", "--format", "text/turtle", data=TURTLE.format(1).encode())
    assert media_type.stdout == b"0 taken, 1 duplicate, 0 refused\n"
    assert command("ingest", "--data", data, "-", data=b"").returncode == 1


def test_ingest_of_what_is_not_there_or_not_known(tmp_path: Path, files: Path) -> None:
    data = tmp_path / "data"
    _wrong(command("ingest", "--data", data), 2, "FILE")
    _wrong(command("ingest", "--data", data, files / "none.json"), 1, "none.json")
    _wrong(command("ingest", "--data", data, files / "notes.txt"), 1, "--format")
    _wrong(command("ingest", "--data", data, f"{files}/*.none"), 2, "no file matches")
    _wrong(command("ingest", "--data", data, files / "one.json", "--format", "docx"), 2, "docx")
    (files / "broken.json.gz").write_bytes(b"\x1f\x8bnot gzip")
    _wrong(command("ingest", "--data", data, files / "broken.json.gz"), 1, "gzip")


def test_ingest_asks_no_server_that_is_gone(tmp_path: Path, files: Path) -> None:
    data = tmp_path / "data"
    with serving(data) as server:
        server.stop(signal.SIGKILL)
    assert (data / "server.json").exists()
    assert command("ingest", "--data", data, files / "one.json").returncode == 0
    for url in ("http://127.0.0.1:1", "127.0.0.1:8000", "http://[", "nonsense"):
        _wrong(command("ingest", "--server", url, files / "one.json"), 2, "no server answers")


@pytest.mark.parametrize("lines", [False, True], ids=["an array", "a line each"])
def test_a_server_is_sent_parts_and_says_the_same_as_a_directory(tmp_path: Path, lines: bool) -> None:
    wrong = {0: "{}", 127: '{"run" 1}', 128: json.dumps(event(1, eventTime=None)), 299: "17"}
    texts = [wrong.get(number, json.dumps(event(number))) for number in range(300)]
    file = tmp_path / ("all.jsonl" if lines else "all.json")
    file.write_text("\n".join(texts) if lines else f"[{','.join(texts)}]")
    here = _lines(command("ingest", "--json", "--data", tmp_path / "here", "--base", BASE, file).stdout)
    with serving(tmp_path / "there") as server:
        there = _lines(command("ingest", "--json", "--server", server.url, file).stdout)
    kept = ("file", "record", "index", "duplicate", "detail", "pointer", "line", "status", "title")
    assert [{key: each.get(key) for key in kept} for each in there] == [
        {key: each.get(key) for key in kept} for each in here
    ]
    assert [number for number, each in enumerate(here) if "detail" in each] == sorted(wrong)


# --- asking ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("served", [False, True], ids=["the directory", "its server"])
def test_asking(stocked: Path, server: Server, served: bool) -> None:
    data = server.directory if served else stocked
    names = "SELECT ?r { ?r a <https://w3id.org/provstore/ns#Run> } ORDER BY ?r"
    shown = command("sparql", "--data", data, names).stdout.decode().splitlines()
    assert shown[0] == "r"
    assert shown[-1] == "(3 rows)"
    assert len(shown) == 6
    rows = list(csv.reader(command("sparql", "--data", data, names, "--format", "csv").stdout.decode().splitlines()))
    assert len(rows) == 4
    said = json.loads(command("sparql", "--data", data, names, "--format", "json").stdout)
    assert len(said["results"]["bindings"]) == 3
    assert command("sparql", "--data", data, "ASK {}").stdout == b"true\n"
    graph = "CONSTRUCT { ?s a ?o } { ?s a ?o } LIMIT 2"
    assert b"<http" in command("sparql", "--data", data, graph, "--format", "nt").stdout
    assert command("sparql", "--data", data, graph, "--format", "table").returncode == 0
    assert command("sparql", "--data", data, "-", data=b"ASK { ?s ?p 17 }").stdout == b"false\n"
    runs = command("query", "--data", data, "catalogue/runs", "contains=job2")
    assert runs.stdout.decode().splitlines()[-1] == "(1 row)"


@pytest.mark.parametrize("served", [False, True], ids=["the directory", "its server"])
def test_questions_that_are_none(stocked: Path, server: Server, served: bool) -> None:
    data = server.directory if served else stocked
    _wrong(command("sparql", "--data", data, "SELECT nonsense"), 2, "line")
    _wrong(command("sparql", "--data", data, "DROP ALL"), 2, "changes nothing")
    _wrong(command("sparql", "--data", data, "ASK {}", "--format", "docx"), 2, "--format is one of", "docx")
    _wrong(command("sparql", "--data", data, "ASK {}", "--format", "turtle"), 2, "cannot answer a ASK")
    _wrong(command("sparql", "--data", data, "@/no/such/file"), 2, "/no/such/file")
    _wrong(command("query", "--data", data, "no/such"), 2, "no/such")
    _wrong(command("query", "--data", data, "catalogue/runs", "job2"), 2, "key=value", "contains")
    _wrong(command("query", "--data", data, "catalogue/runs", "colour=red"), 2, "colour")
    _wrong(command("query", "--data", data, "lineage/upstream"), 2, "entity")


def test_the_list_of_queries_needs_no_store(tmp_path: Path) -> None:
    done = command("query", "--data", tmp_path / "none")
    assert b"lineage/upstream" in done.stdout
    assert not (tmp_path / "none").exists()


def test_asking_a_directory_that_is_none_makes_none(tmp_path: Path) -> None:
    _wrong(command("sparql", "--data", tmp_path / "none", "ASK {}"), 2, "holds no ledger")
    _wrong(command("rebuild", "--data", tmp_path / "none"), 2, "holds no ledger")
    assert not (tmp_path / "none").exists()


# --- keeping ---------------------------------------------------------------------------------------------------------


def test_verify_finds_what_was_tampered_with(tmp_path: Path, stocked: Path) -> None:
    copy = _restored(tmp_path, stocked)
    assert command("verify", "--data", copy, "--views").returncode == 0
    database = sqlite3.connect(copy / "ledger.db")
    (entry,) = database.execute("SELECT entry FROM entry WHERE idx = 2").fetchone()
    database.execute("DROP TRIGGER IF EXISTS no_update")
    database.execute(
        "UPDATE entry SET entry = ? WHERE idx = 2", (bytes(entry).replace(b"openlineage", b"openlineagf"),)
    )
    database.commit()
    database.close()
    done = command("verify", "--data", copy)
    assert done.returncode == 1
    assert b"entry 2:" in done.stdout
    assert done.stdout.splitlines()[-1].startswith(b"DAMAGED")


def _restored(tmp_path: Path, data: Path) -> Path:
    assert command("backup", "--data", data, tmp_path / "backup").returncode == 0
    assert command("restore", "--data", tmp_path / "copy", tmp_path / "backup").returncode == 0
    return tmp_path / "copy"


def test_verify_of_nothing_or_garbage(tmp_path: Path, stocked: Path) -> None:
    _wrong(command("verify", "--data", tmp_path), 2, "holds no ledger")
    _wrong(command("verify", "--data", stocked, "--checkpoint", tmp_path / "none"), 2, "cannot be read")
    (tmp_path / "note").write_text("not a checkpoint")
    assert command("verify", "--data", stocked, "--checkpoint", tmp_path / "note").returncode == 1
    (tmp_path / "ledger.db").write_bytes(os.urandom(10_000))
    garbage = command("verify", "--data", tmp_path)
    assert (garbage.returncode, garbage.stdout.splitlines()[-1][:7]) == (1, b"DAMAGED")


def test_backup_of_a_store_that_is_served(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as server:
        receipts = server.post([event(number) for number in range(50)]).json()["receipts"]
        done = command("backup", "--data", tmp_path / "data", tmp_path / "backup")
        assert (done.returncode, done.stdout.split()[2]) == (0, b"51")
        (tmp_path / "checkpoint").write_text(server.http.get("/ledger/checkpoint").text)
        server.post(event(99))
    assert oct((tmp_path / "backup" / "ledger.key").stat().st_mode)[-3:] == "600"
    _wrong(command("backup", "--data", tmp_path / "data", tmp_path / "backup"), 2, "not empty")
    assert command("restore", "--data", tmp_path / "copy", tmp_path / "backup").returncode == 0
    _wrong(command("restore", "--data", tmp_path / "copy", tmp_path / "backup"), 2, "not empty")
    assert _records("--data", tmp_path / "copy") == len(receipts)
    witnessed = command("verify", "--data", tmp_path / "copy", "--checkpoint", tmp_path / "checkpoint")
    assert witnessed.stdout.startswith(b"VERIFIED")
    with serving(tmp_path / "copy") as server:
        assert server.post(event(99)).json()["index"] == 51


def test_restore_of_a_bad_backup(tmp_path: Path, stocked: Path) -> None:
    _wrong(command("restore", "--data", tmp_path / "copy", tmp_path / "none"), 2)
    command("backup", "--data", stocked, tmp_path / "backup")
    (tmp_path / "backup" / "ledger.db").write_bytes(os.urandom(5000))
    _wrong(command("restore", "--data", tmp_path / "copy", tmp_path / "backup"), 2, "does not verify")
    assert not (tmp_path / "copy").exists()


def test_rebuild(tmp_path: Path, stocked: Path) -> None:
    copy = _restored(tmp_path, stocked)
    done = command("rebuild", "--data", copy)
    assert (done.returncode, done.stdout[:18]) == (0, b"rebuilt: 4 entries")
    assert command("verify", "--data", copy, "--views").stdout.splitlines()[-1].startswith(b"VIEWS: equal")


def test_what_needs_the_directory_says_that_a_server_has_it(server: Server) -> None:
    for arguments in (["rebuild"], ["verify", "--views"]):
        _wrong(command(*arguments, "--data", server.directory), 2, "in use by another process")


def test_a_server_that_may_not_start_leaves_the_other_one_findable(server: Server) -> None:
    note = (server.directory / "server.json").read_text()
    _wrong(command("serve", "--data", server.directory, "--port", "0"), 2, "in use by another process")
    assert (server.directory / "server.json").read_text() == note
    assert _records("--data", server.directory) == 3


def test_a_directory_that_a_server_has_is_said_with_its_address(server: Server) -> None:
    for line in (["rebuild"], ["verify", "--views"]):
        _wrong(command(*line, "--data", server.directory), 2, server.url, "stop it first")


# --- errors that say what to do --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (("serch", "x"), ["COMMAND is one of", "perhaps search or serve"]),
        (("sparql", "ASK {}", "--fromat", "csv"), ["no option --fromat; perhaps --format", "provstore sparql --help"]),
        (("sparql", "ASK {}", "--form", "csv"), ["no option --form; perhaps --format"]),
        (("sparql", "ASK {}", "--format=jsn"), ["--format is one of table, json", "got 'jsn'; perhaps json"]),
        (("search", "-archive"), ["no option -archive; a word that begins with - stands after --"]),
        (("restore", "a", "b"), ["unexpected: b"]),
        (("serve", "--port", "x"), ["--port: invalid int value: 'x'"]),
        (("query", "lineage/upsteam"), ["perhaps lineage/upstream or lineage/downstream", "there are audit/actions"]),
        (("query", "upstraem"), ["perhaps lineage/upstream"]),
        (("query", "lineage/upstream", "entity=urn:a", "entity=urn:b"), ["given twice"]),
        (("query", "--format", "xml"), ["the list of queries has the formats table, json"]),
        (("lineage", "x", "--direction", "sideways"), ["--direction is one of upstream, downstream"]),
    ],
)
def test_what_was_misspelt(line: tuple[str, ...], words: list[str]) -> None:
    _wrong(command(*line), 2, *words)


@pytest.mark.parametrize("served", [False, True], ids=["the directory", "its server"])
def test_an_unknown_thing_is_answered_with_what_may_be_meant(stocked: Path, server: Server, served: bool) -> None:
    data = server.directory if served else stocked
    for name in ("out_2", "tests/out2x", "jobs2"):
        _wrong(command("lineage", "--data", data, name), 2, f"names {name}; perhaps ", "`provstore search WORDS`")
    _wrong(command("lineage", "--data", data, "out2", "--to", "oot3"), 2, "names oot3; ")
    _wrong(command("impact", "--data", data, "§§§"), 2, "`provstore search` alone lists all")
    beyond = command("lineage", "--data", data, "out2", "--at-index", "999")
    _wrong(beyond, 2, "999 is not there yet")
    assert b"perhaps" not in beyond.stderr


def test_words_may_stand_on_both_sides_of_an_option(stocked: Path) -> None:
    done = command("query", "catalogue/runs", "--data", stocked, "--format", "csv", "contains=job2", "limit=5")
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 2)
    done = command("search", "--data", stocked, "tests", "--kind", "job", "job2", "--format", "ndjson")
    assert [each["name"] for each in _lines(done.stdout)] == ["job2"]


class _Other(BaseHTTPRequestHandler):
    """A server that is not ours."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<html>hello")

    do_POST = do_GET  # noqa: N815 - named by http.server

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


def test_a_server_that_is_not_ours(files: Path) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Other) as other:
        Thread(target=other.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{other.server_port}"
        for line in (("search", "x"), ("lineage", "x"), ("sparql", "ASK {}"), ("ingest", files / "one.json")):
            _wrong(command(*line, "--server", url), 2, "not provstore", "`provstore serve` prints")
        other.shutdown()


def test_a_path_of_our_server_that_is_no_address_of_it(server: Server, files: Path) -> None:
    for line in (("search", "x"), ("lineage", "x"), ("sparql", "ASK {}"), ("ingest", files / "one.json")):
        _wrong(command(*line, "--server", f"{server.url}/x"), 2, "not provstore")


# --- lists in every format -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("line", [["settings"], ["query"], ["search"], ["sparql", "SELECT * { ?s ?p ?o } LIMIT 4"]])
def test_a_list_says_the_same_in_every_format(stocked: Path, line: list[str]) -> None:
    where = [] if line == ["settings"] else ["--data", str(stocked)]
    told = {form: command(*line, *where, "--format", form).stdout.decode() for form in ("csv", "tsv", "ndjson", "json")}
    rows = list(csv.DictReader(told["csv"].splitlines()))
    assert rows
    assert told["tsv"].splitlines()[0].split("\t")[-1].lstrip("?") == list(rows[0])[-1]
    objects = [json.loads(each) for each in told["ndjson"].splitlines()]
    plain = [{key: "" if value is None else str(value) for key, value in each.items()} for each in objects]
    assert plain == rows
    assert json.loads(told["json"])
    table = command(*line, *where, "--format", "table").stdout.decode().splitlines()
    assert table[0].split()[:3] == list(rows[0])[:3]
    assert table[2].split()[0] == next(iter(rows[0].values()))


def test_verify_and_the_rest_as_json(tmp_path: Path, stocked: Path) -> None:
    said = json.loads(command("verify", "--data", stocked, "--views", "--format", "json").stdout)
    assert said.keys() == {"status", "entries", "root", "confirmed", "findings", "views"}
    assert [said["status"], said["entries"], said["views"]] == ["UNWITNESSED", 4, {"equal": True, "differences": []}]
    done = command("backup", "--data", stocked, tmp_path / "backup", "--format", "json")
    assert json.loads(done.stdout) == {"entries": 4, "target": str(tmp_path / "backup")}
    done = command("restore", "--data", tmp_path / "copy", tmp_path / "backup", "--format", "json")
    assert json.loads(done.stdout) == {"entries": 4, "root": said["root"], "directory": str(tmp_path / "copy")}
    assert json.loads(command("rebuild", "--data", tmp_path / "copy", "--format", "json").stdout)["entries"] == 4


def test_an_ask_that_is_false_is_1_in_every_format(stocked: Path) -> None:
    for form in ("table", "json", "ndjson", "xml", "csv", "tsv"):
        for query, code in (("ASK { ?s ?p ?o }", 0), ("ASK { ?s ?p 17 }", 1)):
            done = command("sparql", "--data", stocked, query, "--format", form)
            assert done.returncode == code, (form, query, done.stdout, done.stderr)


# --- settings, help, demo --------------------------------------------------------------------------------------------


def test_settings_show_value_and_variable() -> None:
    done = command("settings", settings={"port": "8123"})
    (row,) = [line for line in done.stdout.decode().splitlines() if line.startswith("port ")]
    assert row.split()[1:3] == ["8123", "PROVSTORE_PORT"]


@pytest.mark.parametrize(
    ("setting", "value", "word"),
    [
        ("port", "eighty", "port"),
        ("port", "70000", "65535"),
        ("queue_records", "-1", "queue_records"),
        ("profiles", "x", "profiles"),
    ],
)
def test_settings_that_cannot_be(setting: str, value: str, word: str) -> None:
    _wrong(command("settings", settings={setting: value}), 2, word)


@pytest.mark.parametrize(
    "arguments", [[], ["dance"], ["sparql"], ["backup"], ["restore"], ["validate"], ["completion"]]
)
def test_wrong_usage_shows_the_usage(arguments: list[str]) -> None:
    _wrong(command(*arguments), 2, "usage: provstore")


def test_the_server_loads_no_engine_of_its_workers() -> None:
    code = "import sys, provstore.api.app; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment())
    assert not {"rdflib", "pyshacl"} & set(done.stdout.split())


def test_help_imports_next_to_nothing() -> None:
    told = []
    for what in ("pass", "from provstore.cli import main; main(['--help'])"):
        code = f"import contextlib\nwith contextlib.suppress(SystemExit): {what}\nimport sys; print(*sys.modules)"
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment()
        )
        told.append(set(done.stdout.splitlines()[-1].split()))
    before, after = told
    added = {name for name in after - before if name.partition(".")[0] not in sys.stdlib_module_names}
    assert {name.partition(".")[0] for name in added} == {"provstore"}
    assert added <= {"provstore", "provstore.errors", "provstore.settings"} | {
        *(f"provstore.cli{each}" for each in ("", ".main", ".manual", ".output", ".parser", ".terminal")),
        *("provstore.lineage", "provstore.lineage.parameters"),
        *("provstore.export", "provstore.export.parameters"),
    }
    assert not (after - before) & {"asyncio", "ssl", "sqlite3", "http", "email", "multiprocessing"}


@pytest.mark.parametrize(("form", "unbuffered"), [("csv", ""), ("csv", "1"), ("table", ""), ("ndjson", "1")])
def test_a_reader_that_stops_early_is_no_error(stocked: Path, form: str, unbuffered: str) -> None:
    line = [sys.executable, "-m", "provstore", "sparql", "--data", str(stocked), "--format", form]
    query = "SELECT * { ?a ?b ?c . ?d ?e ?f } LIMIT 20000"
    kept = {**environment(), "PYTHONUNBUFFERED": unbuffered}
    with subprocess.Popen([*line, query], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=kept) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.read(10)
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(60) == 141


def test_a_full_disk_is_said(stocked: Path) -> None:
    for line in (["settings"], ["sparql", "ASK {}", "--data", str(stocked)], ["completion", "bash"]):
        with open("/dev/full", "wb") as full:
            done = subprocess.run(
                [sys.executable, "-m", "provstore", *line], stdout=full, stderr=subprocess.PIPE, env=environment()
            )
        assert (done.returncode, done.stderr) == (2, b"provstore: No space left on device\n")


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_streams_that_are_closed_are_no_error(closed: str) -> None:
    line = f'"{sys.executable}" -m provstore settings {closed}'
    assert subprocess.run(["sh", "-c", line], env=environment(), capture_output=True).returncode == 0


@pytest.mark.parametrize("name", ["ingest", "validate"])
def test_an_interrupt_is_130_and_leaves_a_whole_store(tmp_path: Path, name: str) -> None:
    data = tmp_path / "data"
    assert command("ingest", "--data", data, "-", data=json.dumps(event(1)).encode()).returncode == 0
    line = [sys.executable, "-m", "provstore", name, "--data", str(data), "-"]
    with subprocess.Popen(line, stdin=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()) as process:
        _waits_for_input(process.pid)
        process.send_signal(signal.SIGINT)
        assert process.stderr
        assert (process.wait(30), process.stderr.read()) == (130, b"")
    assert command("verify", "--data", data, "--views").returncode == 0


def _waits_for_input(pid: int) -> None:
    """Wait until a process sleeps in a read of its standard input, as Linux tells."""
    until = time.monotonic() + 60
    while "pipe" not in Path(f"/proc/{pid}/wchan").read_text():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_demo_serves_the_examples_and_ends_when_interrupted(tmp_path: Path) -> None:
    line = [sys.executable, "-m", "provstore", "demo", "--data", str(tmp_path / "data"), "--port", "0"]
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()) as process:
        assert process.stdout
        first = process.stdout.readline().decode()
        assert first.startswith("provstore serves http://127.0.0.1:")
        listed = command("query", "--data", tmp_path / "data", "lineage/upstream", f"entity={BASE}/prediction/1")
        assert listed.returncode == 0, listed.stderr
        assert not listed.stdout.decode().endswith("(0 rows)\n")
        process.send_signal(signal.SIGINT)
        started = time.monotonic()
        assert process.wait(20) in (0, 130)
        assert time.monotonic() - started < 10
        assert process.stderr
        assert process.stderr.read() == b""
