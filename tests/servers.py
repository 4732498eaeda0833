"""Real servers for tests: `python -m provstore serve` on a free port of this machine, asked over HTTP."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

BASE = "https://prov.example"
#: The worked examples whose answers are written down in tests.
WORKED = ("clinical", "credit")
_START_SECONDS = 120.0


def environment(**settings: object) -> dict[str, str]:
    """This process's environment without its own provstore settings, and with the given ones."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PROVSTORE_")}
    return {**kept, **{f"PROVSTORE_{name.upper()}": str(value) for name, value in settings.items()}}


def command(
    *arguments: object,
    data: bytes = b"",
    settings: dict[str, object] | None = None,
    extra: dict[str, str] | None = None,
) -> subprocess.CompletedProcess[bytes]:
    """Run `provstore …` as a user does; `data` is its standard input, `extra` what else is in its environment."""
    line = [sys.executable, "-m", "provstore", *map(str, arguments)]
    variables = {**environment(**(settings or {})), **(extra or {})}
    return subprocess.run(line, input=data, capture_output=True, timeout=120, env=variables, check=False)


@dataclass(slots=True)
class Server:
    """A running server and a keep-alive connection to it."""

    directory: Path
    url: str
    process: subprocess.Popen[bytes]
    http: httpx.Client

    def post(
        self, body: bytes | str | dict[str, Any] | list[Any], path: str = "/api/v1/lineage", **headers: str
    ) -> httpx.Response:
        """Post bytes as they are, or a value as JSON; `content_type="…"` is the header Content-Type."""
        data = body if isinstance(body, bytes | str) else json.dumps(body)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.http.post(path, content=data, headers={"content-type": "application/json", **named})

    def rdf(self, text: str | bytes, media_type: str = "text/turtle") -> httpx.Response:
        """Post an RDF document."""
        return self.post(text, "/records", content_type=media_type)

    def sparql(
        self, query: str, accept: str = "application/sparql-results+json", **parameters: str | int
    ) -> httpx.Response:
        """Ask; `min_index=…` is the parameter min-index."""
        given = {name.replace("_", "-"): str(value) for name, value in parameters.items()}
        return self.http.get("/sparql", params={"query": query, **given}, headers={"accept": accept})

    def rows(self, query: str, **parameters: str | int) -> list[dict[str, str]]:
        """The rows of a SELECT, each a dict of plain values; where views lag behind `min_index`, asked for again."""
        until = time.monotonic() + 60
        while (answer := self.sparql(query, "application/json", **parameters)).status_code == 503:
            assert "min_index" in parameters, answer.text
            assert time.monotonic() < until, answer.text
        assert answer.status_code == 200, answer.text
        return [{k: v["value"] for k, v in row.items()} for row in answer.json()["results"]["bindings"]]

    def owner(self) -> int:
        """The process id of the owner of the store."""
        (found,) = [pid for pid, line in children(self.process.pid) if "provstore.core.owner" in line]
        return found

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Signal the server, wait until it is gone (and, when killed, its owner process too); its exit code."""
        self.http.close()
        self.process.send_signal(how)
        code = self.process.wait(30)
        until = time.monotonic() + 30
        while not _unlocked(self.directory):
            assert time.monotonic() < until, "the owner process outlives its server"
            time.sleep(0.02)
        return code


@contextmanager
def serving(directory: Path, *arguments: str, verb: str = "serve", **settings: object) -> Iterator[Server]:
    """A server on a directory; settings by name, as their environment variables give them."""
    base = [] if (directory / "ledger.db").exists() else ["--base", BASE]
    line = [sys.executable, "-m", "provstore", verb, "--data", str(directory), "--port", "0", *base, *arguments]
    errors = directory.with_name(f"{directory.name}.stderr")
    note = directory / "server.json"
    note.unlink(missing_ok=True)  # of a server that was killed
    with errors.open("ab") as log:
        process = subprocess.Popen(line, env=environment(**settings), stdout=subprocess.DEVNULL, stderr=log)
    try:
        url = _announced(process, note, errors)
        with httpx.Client(base_url=url, timeout=60) as http:
            server = Server(directory, url, process, http)
            yield server
            if process.poll() is None:
                server.stop()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def _announced(process: subprocess.Popen[bytes], note: Path, errors: Path) -> str:
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            return str(json.loads(note.read_text())["url"])
        except (OSError, ValueError):
            time.sleep(0.02)
    raise AssertionError(f"the server did not start (code {process.poll()}): {errors.read_text()[-2000:]}")


def _unlocked(directory: Path) -> bool:
    """Whether no process owns the directory."""
    with (directory / "lock").open("rb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True


def children(process: int) -> list[tuple[int, str]]:
    """The processes that a process has started, with their command lines."""
    found = []
    for thread in Path(f"/proc/{process}/task").iterdir():
        for pid in map(int, (thread / "children").read_text().split()):
            found.append((pid, Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")))
    return found


@contextmanager
def stopped(process: int) -> Iterator[None]:
    """A process that stands still meanwhile."""
    os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process, signal.SIGCONT)


def event(number: int = 0, **changes: object) -> dict[str, Any]:
    """A COMPLETE event of a run that read `in` and wrote `out`; each number is another run."""
    run = f"01890000-0000-7000-8000-{number:012x}"
    return {
        "eventType": "COMPLETE",
        "eventTime": "2024-01-01T00:00:00Z",
        "producer": "https://example.org/producer",
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
        "run": {"runId": run},
        "job": {"namespace": "tests", "name": f"job{number}"},
        "inputs": [{"namespace": "tests", "name": "in"}],
        "outputs": [{"namespace": "tests", "name": f"out{number}"}],
        **changes,
    }
