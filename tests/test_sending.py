"""From the spool to a store, exactly once: server up, down, restarted, not ours; disk full; programs killed."""

from __future__ import annotations

import http.server
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from provstore.record import sending, spool
from provstore.record.recorder import Recorder
from provstore.record.sending import Answer, Flushed, Unavailable
from provstore.record.server import Server as Client
from provstore.record.spool import Destination, Writer
from provstore.record.trouble import Troubles
from tests.servers import Server, command, serving
from tests.suites import ROOT

NOWHERE = "http://127.0.0.1:1"
RUN = "<https://w3id.org/provstore/ns#Run>"
RUNS = "SELECT ?run { ?run a <https://w3id.org/provstore/ns#Run> }"


def line(number: int) -> bytes:
    said = {
        "provstore": "step/1",
        "id": f"00000000-0000-4000-8000-{number:012}",
        "name": f"step {number}",
        "end": "2026-03-01T08:00:00Z",
    }
    return json.dumps(said).encode() + b"\n"


def python(code: str, folder: Path, **variables: str) -> subprocess.Popen[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PROVSTORE_")}
    env = {**kept, "PROVSTORE_SPOOL": str(folder / "spool"), "PYTHONPATH": str(ROOT), **variables}
    return subprocess.Popen(
        [sys.executable, "-c", code], cwd=folder, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def ended(process: subprocess.Popen[str]) -> tuple[str, str]:
    out, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    return out, errors


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("sending") / "data") as found:
        yield found


def recorded(server: Server, names: list[str]) -> int:
    """How many of these runs the server has, which is asked until it has them all."""
    until = time.monotonic() + 60
    values = " ".join(f"<urn:uuid:{each}>" for each in names)
    while True:
        (row,) = server.rows(f"SELECT (COUNT(DISTINCT ?run) AS ?n) {{ VALUES ?run {{ {values} }} ?run a {RUN} }}")
        if int(row["n"]) == len(names) or time.monotonic() > until:
            return int(row["n"])


def head(server: Server) -> int:
    return int(server.http.get("/health").json()["head"])


STEPS = """
from provstore import record
for number in range(5):
    with record.step("s") as step:
        print(step.id, flush=True)
"""


def test_a_program_that_just_ends_has_its_steps_in_the_store(server: Server, tmp_path: Path) -> None:
    before = head(server)
    out, errors = ended(python(STEPS, tmp_path, PROVSTORE_SERVER=server.url))
    assert errors == ""
    assert head(server) == before + 5
    assert recorded(server, out.split()) == 5
    assert _left(tmp_path) == []


def _left(folder: Path) -> list[str]:
    return [path.name for path in sorted((folder / "spool").glob("*/*.ndjson"))]


def test_steps_are_sent_while_the_program_runs(server: Server, tmp_path: Path) -> None:
    process = python(f"{STEPS}\nimport time; time.sleep(60)", tmp_path, PROVSTORE_SERVER=server.url)
    assert process.stdout
    assert recorded(server, [process.stdout.readline().strip() for _ in range(5)]) == 5
    assert process.poll() is None
    process.kill()
    process.communicate(timeout=30)


def test_a_server_that_is_down_keeps_nobody_waiting(tmp_path: Path) -> None:
    out, errors = ended(python(STEPS, tmp_path, PROVSTORE_SERVER=NOWHERE))
    assert errors.count("no server answers") == 1
    assert len(out.split()) == 5
    said = command("record", "status", "--spool", tmp_path / "spool", "--format", "json").stdout
    assert json.loads(said) == [{"to": NOWHERE, "waiting": 5, "refused": 0, "lost": 0}]


def test_the_next_program_sends_what_the_last_one_could_not(tmp_path: Path) -> None:
    with serving(tmp_path / "data", "--port", "18431") as server:
        url = server.url
    ended(python(STEPS, tmp_path, PROVSTORE_SERVER=url))
    with serving(tmp_path / "data", "--port", "18431") as server:
        assert server.url == url
        ended(python(STEPS, tmp_path, PROVSTORE_SERVER=url))
        assert len(server.rows(RUNS, min_index=10)) == 10
    assert _left(tmp_path) == []


def test_a_directory_is_written_to_when_the_program_ends(tmp_path: Path) -> None:
    out, errors = ended(python(STEPS, tmp_path, PROVSTORE_DATA=str(tmp_path / "data")))
    assert errors == ""
    answer = command("sparql", RUNS, "--data", tmp_path / "data", "--format", "csv").stdout.decode()
    assert set(answer.split()[1:]) == {f"urn:uuid:{each}" for each in out.split()}


def test_a_directory_that_is_served_gets_them_through_its_server(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as server:
        ended(python(STEPS, tmp_path, PROVSTORE_DATA=str(tmp_path / "data")))
        assert len(server.rows(RUNS, min_index=5)) == 5


def test_without_a_destination_the_command_says_where(tmp_path: Path) -> None:
    ended(python(STEPS, tmp_path))
    flushed = command("record", "flush", "--spool", tmp_path / "spool", "--data", tmp_path / "data")
    assert flushed.stdout == b"5 sent, 0 refused, 0 waiting, 0 torn, 0 missing\n"
    again = command("record", "flush", "--spool", tmp_path / "spool", "--data", tmp_path / "data", "--format", "json")
    assert json.loads(again.stdout) == {"sent": 0, "refused": 0, "waiting": 0, "torn": 0, "missing": 0, "why": ""}


def test_a_program_that_recorded_nothing_starts_nothing(tmp_path: Path) -> None:
    code = "from provstore import record; record.configure()"
    _, errors = ended(python(code, tmp_path, PROVSTORE_DATA=str(tmp_path / "data")))
    assert errors == ""
    assert not (tmp_path / "data").exists()
    assert not (tmp_path / "spool").exists()


def test_a_file_of_steps_is_taken_in_as_any_other(tmp_path: Path) -> None:
    code = f"from provstore import record; record.configure(file='steps.ndjson')\n{STEPS}"
    for _ in range(2):
        ended(python(code, tmp_path))
    with (tmp_path / "steps.ndjson").open("ab") as file:
        file.write(b'{"provstore":"step/1","id":')  # torn by a kill
    ended(python(code, tmp_path))
    taken = command("ingest", tmp_path / "steps.ndjson", "--data", tmp_path / "data")
    assert taken.stdout == b"15 taken, 0 duplicate, 1 refused\n"
    again = command("ingest", tmp_path / "steps.ndjson", "--data", tmp_path / "data")
    assert again.stdout == b"0 taken, 15 duplicate, 1 refused\n"


def test_a_flush_names_the_server_that_does_not_answer(tmp_path: Path) -> None:
    ended(python(STEPS, tmp_path))
    flushed = command("record", "flush", "--spool", tmp_path / "spool", "--server", NOWHERE)
    assert flushed.returncode == 1
    assert b"5 waiting" in flushed.stdout
    assert b"no server answers" in flushed.stderr


# --- killed programs --------------------------------------------------------------------------------------------------


def test_a_killed_program_loses_at_most_the_step_that_it_was_in(tmp_path: Path) -> None:
    code = """
from provstore import record
while True:
    with record.step("s") as step:
        name = step.id
    print(name, flush=True)
"""
    process = python(code, tmp_path)
    assert process.stdout
    acknowledged = [process.stdout.readline().strip() for _ in range(200)]
    process.send_signal(signal.SIGKILL)
    acknowledged += process.stdout.read().split()
    process.communicate(timeout=30)
    flushed = command("record", "flush", "--spool", tmp_path / "spool", "--data", tmp_path / "data", "--format", "json")
    said = json.loads(flushed.stdout)
    assert 0 <= said["sent"] - len(acknowledged) <= 1  # ended, and killed before it could say so
    assert said["torn"] + said["missing"] <= 1
    answer = command("sparql", RUNS, "--data", tmp_path / "data", "--format", "csv").stdout.decode()
    assert {f"urn:uuid:{each}" for each in acknowledged} <= set(answer.split())


def test_what_a_killed_program_had_begun_is_told(tmp_path: Path) -> None:
    code = """
from provstore import record
with record.step("whole"):
    pass
with record.step("outer"), record.step("inner"):
    print("in", flush=True)
    import time; time.sleep(60)
"""
    process = python(code, tmp_path)
    assert process.stdout
    assert process.stdout.readline() == "in\n"
    alive = command("record", "status", "--spool", tmp_path / "spool", "--format", "json").stdout
    assert json.loads(alive) == [{"to": "(where a flush says)", "waiting": 1, "refused": 0, "lost": 0}]
    process.kill()
    process.communicate(timeout=30)
    status = command("record", "status", "--spool", tmp_path / "spool", "--format", "json").stdout
    assert json.loads(status)[0]["lost"] == 2
    flushed = command("record", "flush", "--spool", tmp_path / "spool", "--data", tmp_path / "data")
    assert flushed.stdout == b"1 sent, 0 refused, 0 waiting, 0 torn, 2 missing\n"
    (log,) = (tmp_path / "spool").glob("*/missing.log")
    assert [json.loads(each)["name"] for each in log.read_text().splitlines()] == ["outer", "inner"]
    status = command("record", "status", "--spool", tmp_path / "spool", "--format", "json").stdout
    assert json.loads(status)[0]["lost"] == 2  # told until somebody removes the log


def test_a_torn_line_is_told_and_the_whole_ones_are_sent(tmp_path: Path) -> None:
    for cut in range(1, len(line(2))):
        (tmp_path / "a.ndjson").write_bytes(line(1) + line(2)[:cut])
        sent: list[bytes] = []
        assert sending.flush(tmp_path, _taking(sent)) == Flushed(sent=1, torn=1), cut
        assert sent == [line(1).rstrip()]
        assert spool.files(tmp_path) == []


def _taking(sent: list[bytes]) -> sending.Sender:
    def send(payloads: Any, /) -> list[Answer]:
        sent.extend(payloads)
        return [Answer()] * len(payloads)

    return send


# --- exactly once -----------------------------------------------------------------------------------------------------


def test_whatever_fails_whenever_each_step_is_recorded_once(tmp_path: Path) -> None:
    """The receipt is lost, the process dies before it is noted: what is sent again is a duplicate."""
    troubles = Troubles()
    writer = Writer(tmp_path, Destination(), troubles)
    for number in range(40):
        writer.ended(line(number))
    writer.close()
    received: list[bytes] = []
    calls = iter(range(100))

    def unreliable(payloads: Any, /) -> list[Answer]:
        call = next(calls)
        if call % 3 == 0:
            raise Unavailable("down")
        received.extend(payloads)
        if call % 3 == 1:
            raise Unavailable("the answer was lost")
        return [Answer()] * len(payloads)

    results = [sending.flush(writer.folder, unreliable) for _ in range(4)]
    assert [each.waiting for each in results] == [40, 40, 0, 0]
    assert results[2].sent == 40
    assert received == [line(number).rstrip() for number in range(40)] * 2  # the same bytes, so the same records
    assert troubles.counts == {}


def test_what_was_sent_is_not_sent_again_when_more_is_written(tmp_path: Path) -> None:
    writer = Writer(tmp_path, Destination(), Troubles())
    sent: list[bytes] = []
    for number in range(10):
        writer.begun(b'{"begun":"x","name":"s"}\n')
        writer.ended(line(number))
        assert sending.flush(writer.folder, _taking(sent)).sent == 1
        assert len(spool.files(writer.folder)) == 1  # it is still being written
    writer.close()
    assert sending.flush(writer.folder, _taking(sent)) == Flushed(missing=1)
    assert spool.files(writer.folder) == []
    assert sent == [line(number).rstrip() for number in range(10)]


def test_many_processes_that_all_send_for_all(server: Server, tmp_path: Path) -> None:
    before = head(server)
    programs = [python(STEPS * 4, tmp_path, PROVSTORE_SERVER=server.url) for _ in range(4)]
    told = [name for program in programs for name in ended(program)[0].split()]
    assert len(told) == 80
    command("record", "flush", "--spool", tmp_path / "spool")
    assert head(server) == before + 80
    assert recorded(server, told) == 80
    assert _left(tmp_path) == []


def test_a_file_that_grows_large_is_followed_by_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "_ROTATED", 1000)
    writer = Writer(tmp_path, Destination(), Troubles())
    writer.begun(b'{"begun":"open","name":"s"}\n')
    for number in range(50):
        writer.ended(line(number))
    sent: list[bytes] = []
    assert len(spool.files(writer.folder)) > 5
    assert sending.flush(writer.folder, _taking(sent)).missing == 0
    assert len(spool.files(writer.folder)) == 1
    assert sent == [line(number).rstrip() for number in range(50)]


def test_threads_write_whole_lines_that_are_on_disk(tmp_path: Path) -> None:
    writer = Writer(tmp_path, Destination(), Troubles())
    workers = [threading.Thread(target=_write, args=(writer, range(first, first + 20))) for first in range(0, 640, 20)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    (path,) = spool.files(writer.folder)
    assert sorted(path.read_bytes().splitlines(keepends=True)) == sorted(line(number) for number in range(640))


def _write(writer: Writer, numbers: range) -> None:
    for number in numbers:
        writer.ended(line(number))


# --- who answers ------------------------------------------------------------------------------------------------------


@contextmanager
def answering(status: int, body: bytes, media_type: str = "application/json") -> Iterator[str]:
    """Some server that answers everything in the same way."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.send_header("Content-Type", media_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as found:
        thread = threading.Thread(target=found.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{found.server_port}"
        finally:
            found.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b"<html>welcome</html>"),
        (200, b"[]"),
        (200, b"{}"),
        (200, b'{"receipts": [], "refused": []}'),
        (200, b'{"receipts": [{}, {}], "refused": []}'),
        (404, b'{"detail": "Not Found"}'),
        (500, b"oops"),
        (503, b'{"detail": "busy", "title": "Busy", "status": 503}'),
        (400, b'{"refused": [{"pointer": "x", "detail": "y"}]}'),
    ],
)
def test_only_a_receipt_for_each_counts(status: int, body: bytes) -> None:
    with answering(status, body) as url, pytest.raises(Unavailable):
        Client(url)([line(1), line(2), line(3)])


def test_what_a_store_refuses_is_kept_with_the_reason(server: Server, tmp_path: Path) -> None:
    writer = Writer(tmp_path / "spool", Destination(server.url), Troubles())
    for bad in (b'{"provstore":"step/1","name":"no id"}\n', line(1), b'{"provstore":"step/1"}\n'):
        writer.ended(bad)
    writer.close()
    assert sending.flush(writer.folder, Client(server.url)) == Flushed(sent=1, refused=2)
    writer.ended(b'{"provstore":"step/1","id":"alone"}\n')
    writer.close()
    assert sending.flush(writer.folder, Client(server.url)) == Flushed(refused=1)
    log = [json.loads(each) for each in (writer.folder / "refused.log").read_text().splitlines()]
    assert ["'id'" in log[0]["why"], "'name'" in log[2]["why"]] == [True, True]
    assert log[0]["payload"] == {"provstore": "step/1", "name": "no id"}
    status = command("record", "status", "--spool", tmp_path / "spool", "--format", "json").stdout
    assert json.loads(status)[0]["refused"] == 3


def test_a_step_that_is_too_large_holds_up_no_other(tmp_path: Path) -> None:
    huge = b'{"provstore":"step/1","name":"' + b"x" * 5000 + b'"}'
    with serving(tmp_path / "data", max_body_bytes=4000) as small:
        assert [bool(each.refused) for each in Client(small.url)([line(1), huge, line(2)])] == [False, True, False]


# --- full disks -----------------------------------------------------------------------------------------------------


@contextmanager
def tiny(folder: Path) -> Iterator[Path]:
    """A file system of 64 KiB; a skip where one may not be mounted."""
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)], capture_output=True)
    if done.returncode:
        pytest.skip(f"mounting a tiny file system is not permitted here: {done.stderr.decode().strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_disturbs_nobody_and_what_memory_holds_is_sent(server: Server, tmp_path: Path) -> None:
    code = """
from provstore import record
for number in range(60):
    with record.step("s", parameters={"pad": "x" * 1500}) as step:
        print(step.id)
"""
    with tiny(tmp_path / "disk") as disk:
        process = python(code, tmp_path, PROVSTORE_SPOOL=str(disk / "spool"), PROVSTORE_SERVER=server.url)
        out, errors = ended(process)
        assert errors.count("keeping a step on disk: OSError: [Errno 28]") == 1
        assert recorded(server, out.split()) == 60
        assert list((disk / "spool").glob("*/*.ndjson")) == []


def _fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        while True:
            file.write(b"x" * 1024)


def test_when_there_is_room_again_what_was_held_is_written(tmp_path: Path) -> None:
    with tiny(tmp_path / "disk") as disk:
        recorder = Recorder(spool=disk / "spool", server=NOWHERE, namespace="n", who="w")
        filler = disk / "filler"
        recorder.step("first", {}).__enter__().end("COMPLETE")
        with pytest.raises(OSError, match="No space"):
            _fill(filler)
        for number in range(3):
            recorder.step("held", {"description": f"{number}" * 3000}).__enter__().end("COMPLETE")
        assert recorder.troubles.counts["keeping a step on disk"] == 3
        filler.unlink()
        recorder.step("last", {}).__enter__().end("COMPLETE")
        (path,) = spool.files(Destination(NOWHERE).folder(disk / "spool"))
        names = [json.loads(payload)["name"] for payload in spool.read(path).payloads]
        assert names == ["first", "held", "held", "held", "last"]
        assert spool.read(path).torn == 0


def test_a_limit_on_the_size_of_files(tmp_path: Path) -> None:
    code = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
from provstore import record
with record.step("s"): pass
resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))
for number in range(20):
    with record.step("s"): pass
print("fine")
"""
    out, errors = ended(python(code, tmp_path))
    assert out == "fine\n"
    assert errors.count("keeping a step on disk") == 1
    folder = next((tmp_path / "spool").glob("*/to.json")).parent
    assert all(spool.read(path).torn == 0 for path in spool.files(folder))


def test_a_spool_that_vanishes(tmp_path: Path) -> None:
    recorder = Recorder(spool=tmp_path / "spool", server=NOWHERE)
    recorder.step("s", {}).__enter__().end("COMPLETE")
    shutil.rmtree(tmp_path / "spool")
    recorder.step("s", {}).__enter__().end("COMPLETE")
    assert recorder.flush().sent == 0
    recorder.close()
