"""The OpenLineage project's own Python client, unmodified, in an environment of its own, against a running server."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.emitting import ran, shell, snippet, transport
from tests.environments import PINS, Unreachable, make, programs
from tests.servers import Server, command, serving

pytestmark = pytest.mark.slow

SEND = PINS / "send.py"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    programs("client")
    with serving(tmp_path_factory.mktemp("emitters") / "data") as found:
        yield found


def _sent(home: Path, settings: dict[str, str], *what: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    return ran("client", home, settings, "python", SEND, *what, code=code)


def _assert_told(server: Server, run: str, started: str = "2026-01-01") -> None:
    """Both events are there, and what they say together is."""
    head = server.http.get("/health").json()["head"]
    query = f"""PREFIX prov: <http://www.w3.org/ns/prov#>
        SELECT ?start ?end ?in ?out {{ <urn:uuid:{run}> prov:startedAtTime ?start ; prov:endedAtTime ?end .
            <urn:uuid:{run}> prov:used ?in . ?out prov:wasGeneratedBy <urn:uuid:{run}> ; prov:wasDerivedFrom ?in }}"""
    (row,) = server.rows(query, min_index=head)
    assert row["start"].startswith(started)
    assert row["start"] < row["end"]
    assert row["out"].endswith(f"/write/{run}")


@pytest.mark.parametrize("compression", ["", "gzip"])
@pytest.mark.parametrize("kind", ["http", "async_http"])
def test_the_transports(server: Server, tmp_path: Path, kind: str, compression: str) -> None:
    options = {"compression": compression} if compression else {}
    names = [f"{kind}-{compression}-{number}" for number in range(20)]
    before = server.http.get("/health").json()["entries"]
    done = _sent(tmp_path, transport(server, type=kind, **options), "runs", *names)
    runs = done.stdout.split()
    assert done.stderr == ""
    assert server.http.get("/health").json()["entries"] == before + 2 * len(names)
    for run in runs:
        _assert_told(server, run)


def test_the_program_in_the_documentation(server: Server, tmp_path: Path) -> None:
    (tmp_path / "nightly.py").write_text(snippet("Python", "OpenLineageClient"))
    run = ran("client", tmp_path, {"OPENLINEAGE_URL": server.url}, "python", "nightly.py").stdout.strip()
    _assert_told(server, run, "20")


def test_the_settings_in_the_documentation(server: Server, tmp_path: Path) -> None:
    script = f"{snippet('Python', 'async_http')}python {SEND} runs documented"
    _assert_told(server, ran("client", tmp_path, {}, *shell(script, server)).stdout.strip())


def test_curl_in_the_documentation(server: Server, tmp_path: Path) -> None:
    receipt = ran("client", tmp_path, {}, *shell(snippet("curl"), server)).stdout
    assert '"index":' in receipt
    assert "liberties" not in receipt


def test_job_and_dataset_events(server: Server, tmp_path: Path) -> None:
    before = server.http.get("/health").json()["entries"]
    _sent(tmp_path, transport(server), "declare")
    assert server.http.get("/health").json()["entries"] == before + 2


def test_a_refusal_reaches_the_emitter(server: Server, tmp_path: Path) -> None:
    assert "422" in _sent(tmp_path, transport(server), "refused", code=1).stderr


def test_what_was_sent_is_in_a_whole_ledger(server: Server, tmp_path: Path) -> None:
    _sent(tmp_path, transport(server), "runs", "verified")
    done = command("verify", "--data", server.directory)
    assert done.returncode == 0, done.stderr


# --- the environments themselves -----------------------------------------------------------------------------------


def test_every_environment_is_pinned() -> None:
    files = sorted(PINS.glob("*.txt"))
    assert [file.stem for file in files] == ["bom", "client", "croissant", "pipeline"]
    for file in files:
        lines = [line for line in file.read_text().splitlines() if not line.startswith("# without ")]
        assert all(line.count("==") == 1 and " " not in line for line in lines), file


def test_an_environment_is_made_once_by_whoever_is_first(tmp_path: Path) -> None:
    pins = tmp_path / "empty.txt"
    pins.touch()
    with ThreadPoolExecutor(3) as pool:
        found = set(pool.map(lambda _: make(pins, tmp_path / "home", "--no-index"), range(3)))
    assert len(found) == 1
    mark = found.pop().parent / "made"
    made = mark.stat().st_mtime_ns
    make(pins, tmp_path / "home", "--no-index")
    assert mark.stat().st_mtime_ns == made


def test_a_half_made_environment_is_made_anew_and_a_changed_pin_makes_another(tmp_path: Path) -> None:
    pins = tmp_path / "empty.txt"
    pins.touch()
    first = make(pins, tmp_path / "home", "--no-index")
    (first.parent / "made").unlink()
    (first / "python").unlink()
    assert make(pins, tmp_path / "home", "--no-index") == first
    assert (first / "python").exists()
    pins.write_text("# no pins\n")
    assert make(pins, tmp_path / "home", "--no-index") != first


def test_an_index_that_does_not_answer_is_told_from_a_pin_that_does_not_exist(tmp_path: Path) -> None:
    pins = tmp_path / "none.txt"
    pins.write_text("provstore-is-not-there==0\n")
    closed = ("--index-url=http://127.0.0.1:9/simple", "--retries=1", "--no-cache-dir")
    with pytest.raises(Unreachable, match="no package index answered"):
        make(pins, tmp_path / "home", *closed)
    with pytest.raises(AssertionError, match="No matching distribution"):
        make(pins, tmp_path / "home", "--no-index")
