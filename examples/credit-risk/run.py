"""The credit-risk pipeline, for real: DVC, dbt, MLflow and scikit-learn at work, and provstore looking on.

`run.py --tools BIN` takes the programs from an environment that has them (tests/emitters/pipeline.txt; `make example`
makes it) and works in a directory of its own, which it makes anew: the project under git and DVC, an MLflow server, and
a provstore server that everything is told to, whose store is left in `store`.
"""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import provstore

HERE = Path(__file__).resolve().parent
CLIENTS = HERE.parents[1] / "clients"
PIP = ("--quiet", "--no-deps", "--no-build-isolation", "--disable-pip-version-check", "--no-compile")
SEGMENTS = ("standard", "premium", "thinfile")
#: What the repository and the MLflow server are called; nobody calls there.
REPOSITORY, TRACKING = "https://git.bank.example/credit-risk", "https://mlflow.bank.example"
USER = "ana"
_SECONDS = 120


class Pipeline:
    """A directory, the programs, and the variables under which they run."""

    def __init__(self, directory: Path, tools: Path) -> None:
        self.project, self.store, self.mlflow_data = directory / "project", directory / "store", directory / "mlflow"
        self.logs, self.library = directory / "logs", directory / "library" / "site-packages"
        kept = {name: os.environ[name] for name in ("LANG", "TMPDIR") if name in os.environ}
        self.variables = {
            **kept,
            "HOME": str(directory / "home"),
            "LOGNAME": USER,
            "USER": USER,
            "PATH": f"{tools}:{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
            "PYTHONPATH": str(self.library),
            "PROVSTORE_SPOOL": str(directory / "spool"),
            "BANK_DATABASE": str(self.project / "data" / "warehouse.duckdb"),
            "DBT_TARGET_PATH": str(directory / "dbt"),
            "DBT_LOG_PATH": str(self.logs),
            "DO_NOT_TRACK": "1",
            "DVC_NO_ANALYTICS": "1",
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # ten more processes that have nothing to do
            "GIT_CONFIG_NOSYSTEM": "1",
        }
        for each in (self.project, self.logs, self.mlflow_data, directory / "home"):
            each.mkdir(parents=True)

    def run(self, *command: str) -> None:
        """Run a command of the project to its end; what it prints goes to a log, and is shown if it fails."""
        print(f"  $ {' '.join(command)}", flush=True)
        done = subprocess.run(
            command, cwd=self.project, env=self.variables, capture_output=True, text=True, check=False
        )
        with (self.logs / "commands.log").open("a") as log:
            log.write(f"$ {' '.join(command)}\n{done.stdout}{done.stderr}")
        if done.returncode:
            raise SystemExit(f"{command[0]} failed ({done.returncode})\n{done.stdout}{done.stderr}")

    def commit(self, message: str) -> None:
        self.run("git", "add", "--all")
        self.run("git", "commit", "--quiet", "--message", message)

    def capture(self, tool: str, source: str, *options: str) -> None:
        self.run("provstore", "capture", tool, source, "--server", self.variables["PROVSTORE_SERVER"], *options)

    def ingest(self, file: str) -> None:
        self.run("provstore", "ingest", file, "--server", self.variables["PROVSTORE_SERVER"])

    @contextmanager
    def serving(self, name: str, url: str, *command: str) -> Iterator[None]:
        """A server that answers at an address for as long as the block lasts."""
        with (self.logs / f"{name}.log").open("w") as log:
            process = subprocess.Popen(command, cwd=self.project, env=self.variables, stdout=log, stderr=log)
            try:
                _answers(url, process, self.logs / f"{name}.log")
                yield
            finally:
                process.terminate()
                process.wait(_SECONDS)


def _answers(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + _SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/health", timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    raise SystemExit(f"nothing answers at {url}\n{log.read_text()}")


def free_port() -> int:
    """A port of the loopback that nobody listens at."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def told(step: str) -> None:
    print(f"\n{step}", flush=True)


def equip(pipeline: Pipeline) -> None:
    """What a user installs beside the tools: provstore, whose recorder needs nothing else, and the MLflow plugin."""
    told("The recorder and the plugin for MLflow, beside the tools")
    pipeline.run(
        sys.executable, "-m", "pip", "install", *PIP, "--target", str(pipeline.library), str(CLIENTS / "mlflow")
    )
    (pipeline.library / "provstore").symlink_to(Path(provstore.__file__).parent)


def begin(pipeline: Pipeline) -> None:
    told("A project under git and DVC")
    shutil.copytree(HERE / "project", pipeline.project, dirs_exist_ok=True)
    (pipeline.project / "gitignore").rename(pipeline.project / ".gitignore")
    pipeline.run("git", "init", "--quiet", "--initial-branch", "main")
    pipeline.run("git", "config", "user.name", USER)
    pipeline.run("git", "config", "user.email", f"{USER}@bank.example")
    pipeline.run("git", "remote", "add", "origin", REPOSITORY)
    pipeline.run("dvc", "init", "--quiet")
    pipeline.commit("the pipeline")


def data(pipeline: Pipeline) -> None:
    told("Raw files, loaded and made into a risk table by dbt, exported as a training set")
    pipeline.run("python", "features.py")
    pipeline.run("dvc", "add", "--quiet", "data/features.csv")
    pipeline.commit("the feature store's table of 1 March")
    pipeline.run("dvc", "repro", "--quiet", "export")
    pipeline.commit("the data of 1 March")


def models(pipeline: Pipeline) -> None:
    told("Three models, trained with MLflow's autolog, registered, evaluated by age band")
    for each in SEGMENTS:
        pipeline.run("dvc", "repro", "--quiet", f"train@{each}")
        pipeline.commit(f"train {each}")
        pipeline.run("python", "register.py", each, "champion")
    pipeline.capture("mlflow", pipeline.variables["MLFLOW_TRACKING_URI"], "--namespace", TRACKING)
    told("A challenger for the standard model, and its promotion")
    pipeline.run("sed", "-i", "s/C: 0.5/C: 0.05/", "params.yaml")
    pipeline.commit("standard: more regularisation")
    pipeline.run("dvc", "repro", "--quiet", "train@standard")
    pipeline.commit("train standard again")
    for alias in ("challenger", "promote"):
        pipeline.run("python", "register.py", "standard", alias)
        pipeline.capture("mlflow", pipeline.variables["MLFLOW_TRACKING_URI"], "--namespace", TRACKING)
    pipeline.run("dvc", "repro", "--quiet", "evaluate")
    pipeline.commit("evaluation by age band")
    pipeline.ingest("reports/fairness.jsonl")


def predictions(pipeline: Pipeline) -> None:
    told("Applications scored, and decided by loan officers")
    pipeline.run("python", "score.py")
    pipeline.ingest("reports/predictions.jsonl")
    told("What no tool can tell")
    pipeline.ingest("about.ttl")
    pipeline.run("provstore", "record", "flush")
    told("The history of the repository, by DVC's files")
    pipeline.capture("dvc", ".")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tools", type=Path, required=True, help="folder of the programs: python, dvc, dbt-ol, mlflow")
    parser.add_argument("--directory", type=Path, default=Path(".example"), help="made anew (default: .example)")
    arguments = parser.parse_args()
    directory = arguments.directory.absolute()
    shutil.rmtree(directory, ignore_errors=True)
    pipeline = Pipeline(directory, arguments.tools.absolute())
    mlflow, store = (f"http://127.0.0.1:{free_port()}" for _ in range(2))
    pipeline.variables |= {"MLFLOW_TRACKING_URI": mlflow, "OPENLINEAGE_URL": store, "OPENLINEAGE_NAMESPACE": "bank"}
    pipeline.variables["PROVSTORE_SERVER"] = store
    serve = (
        sys.executable,
        "-m",
        "provstore",
        "serve",
        "--data",
        str(pipeline.store),
        "--base",
        "https://prov.example",
    )
    tracking = (
        "mlflow",
        "server",
        "--workers",
        "1",
        "--backend-store-uri",
        f"sqlite:///{pipeline.mlflow_data}/mlflow.db",
    )
    tracking += ("--artifacts-destination", str(pipeline.mlflow_data / "artifacts"))
    with (
        pipeline.serving("provstore", store, *serve, "--port", store.rpartition(":")[2]),
        pipeline.serving("mlflow", mlflow, *tracking, "--host", "127.0.0.1", "--port", mlflow.rpartition(":")[2]),
    ):
        equip(pipeline)
        begin(pipeline)
        data(pipeline)
        models(pipeline)
        predictions(pipeline)


if __name__ == "__main__":
    main()
