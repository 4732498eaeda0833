"""An `mlflow.db` or an `mlruns` that somebody handed over: read by a server of MLflow's own, on a copy.

The tables of MLflow change with every minor version; MLflow itself is what reads all of them. Where it is older than
the MLflow at hand, the copy is brought to its version; what was handed over is not written to.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

from provstore.errors import Misconfigured

_SECONDS: Final = 300
_open = build_opener(ProxyHandler({})).open


@contextmanager
def served(path: Path, program: str) -> Iterator[str]:
    """The URL of a server over a copy of an SQLite file or of a file store, for as long as it is wanted.

    `program` is MLflow's: a name that is looked for, or a path. Misconfigured where it is not there, or cannot read it.
    """
    found = shutil.which(program)
    if found is None:
        raise Misconfigured(
            f"{path} is read by MLflow itself, and there is no program {program!r}: name that of an environment which"
            " has MLflow with --mlflow, such as --mlflow venv/bin/mlflow"
        )
    found = os.path.abspath(found)  # the server starts in another folder
    with tempfile.TemporaryDirectory(prefix="provstore-mlflow-") as folder:
        backend = _copied(path, Path(folder))
        try:
            started = _started(found, backend, Path(folder))
        except _OutOfDate:
            _upgrade(found, backend, path)
            started = _started(found, backend, Path(folder))
        process, url = started
        try:
            yield url
        finally:
            _end(process)


class _OutOfDate(Exception):
    """The database is of an older version of MLflow."""


def _copied(path: Path, folder: Path) -> str:
    """The backend URI of a copy: of the database, of a file store without artifacts."""
    if path.is_dir():
        shutil.copytree(path, folder / "mlruns", ignore=_content_of_artifacts)
        return str(folder / "mlruns")
    for end in ("", "-wal", "-journal"):  # what a crash left beside the database belongs to it
        beside = path.with_name(path.name + end)
        if beside.exists():
            shutil.copyfile(beside, folder / f"mlflow.db{end}")
    return f"sqlite:///{folder / 'mlflow.db'}"


def _content_of_artifacts(folder: str, names: list[str]) -> list[str]:
    """What is left out of the copy; the folder of artifacts itself shows MLflow that what holds it is a run."""
    return names if Path(folder).name == "artifacts" else []


def _upgrade(program: str, backend: str, path: Path) -> None:
    command = [program, "db", "upgrade", backend]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
    if done.returncode:
        raise Misconfigured(f"MLflow cannot read {path}: {_last(done.stderr)}")


def _started(program: str, backend: str, folder: Path) -> tuple[subprocess.Popen[bytes], str]:
    port = _free_port()
    # without ten more processes that run jobs
    # without ten more processes that run jobs; a file store is read, whatever MLflow's plans for those are
    own = [
        "env",
        "-u",
        "MLFLOW_REGISTRY_STORE_URI",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false",
        "MLFLOW_ALLOW_FILE_STORE=true",
    ]
    command = [*own, program, "server", "--backend-store-uri", backend, "--host", "127.0.0.1", "--port", str(port)]
    command += ["--workers", "1"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    try:
        _wait(process, port, folder / "log")
    except BaseException:
        _end(process)
        raise
    return process, f"http://127.0.0.1:{port}"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = time.monotonic() + _SECONDS
    while time.monotonic() < until:
        if process.poll() is not None:
            said = log.read_text(errors="replace")
            if "out-of-date database schema" in said:
                raise _OutOfDate
            raise Misconfigured(f"the MLflow server ended at once: {_last(said)}")
        try:
            with _open(f"http://127.0.0.1:{port}/health", timeout=5):
                return
        except (URLError, OSError):
            time.sleep(0.1)
    raise Misconfigured(f"the MLflow server did not answer within {_SECONDS} s")


def _last(text: str) -> str:
    if "Can't locate revision" in text:
        return "it is of a newer version of MLflow than this program"
    return next((line for line in reversed(text.splitlines()) if line.strip()), "it says nothing")[:300]


def _end(process: subprocess.Popen[bytes]) -> None:
    """The server and its workers, which work on a copy and have nothing to finish."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
