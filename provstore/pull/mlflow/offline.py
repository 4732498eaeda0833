"""An `mlflow.db` or an `mlruns` that somebody handed over: read by a server of MLflow's own, on a copy.

The tables of MLflow change with every minor version; MLflow itself is what reads all of them. The copy is brought to
the version of the MLflow at hand, and thrown away; what was handed over is not written to.
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
    with tempfile.TemporaryDirectory(prefix="provstore-mlflow-") as folder:
        backend = _copied(path, Path(folder), found)
        port = _free_port()
        command = [found, "server", "--backend-store-uri", backend, "--host", "127.0.0.1", "--port", str(port)]
        artifacts = path.parent / "mlartifacts"
        if artifacts.is_dir():
            command += ["--artifacts-destination", str(artifacts.resolve())]
        with (Path(folder) / "log").open("wb") as log:
            process = subprocess.Popen(
                [*command, "--workers", "1"],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
            try:
                _wait(process, port, Path(folder) / "log")
                yield f"http://127.0.0.1:{port}"
            finally:
                _end(process)


def _copied(path: Path, folder: Path, program: str) -> str:
    """The backend URI of a copy: of the database at the version of the program, of a file store without artifacts."""
    if path.is_dir():
        shutil.copytree(path, folder / "mlruns", ignore=shutil.ignore_patterns("artifacts"))
        return str(folder / "mlruns")
    for end in ("", "-wal", "-journal"):  # what a crash left beside the database belongs to it
        beside = path.with_name(path.name + end)
        if beside.exists():
            shutil.copyfile(beside, folder / f"mlflow.db{end}")
    backend = f"sqlite:///{folder / 'mlflow.db'}"
    done = subprocess.run(
        [program, "db", "upgrade", backend], cwd=folder, capture_output=True, text=True, timeout=_SECONDS, check=False
    )
    if done.returncode:
        raise Misconfigured(f"MLflow cannot read {path}: {_last(done.stderr)}")
    return backend


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = time.monotonic() + _SECONDS
    while time.monotonic() < until:
        if process.poll() is not None:
            raise Misconfigured(f"the MLflow server ended at once: {_last(log.read_text(errors='replace'))}")
        try:
            with _open(f"http://127.0.0.1:{port}/health", timeout=5):
                return
        except (URLError, OSError):
            time.sleep(0.1)
    raise Misconfigured(f"the MLflow server did not answer within {_SECONDS} s")


def _last(text: str) -> str:
    return next((line for line in reversed(text.splitlines()) if line.strip()), "it says nothing")[:300]


def _end(process: subprocess.Popen[bytes]) -> None:
    """The server and its workers, which work on a copy and have nothing to finish."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
