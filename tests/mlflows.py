"""Real MLflow servers for tests, from the environment `pipeline`, and a plain REST client that fills them fast."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

from tests.environments import programs

SECRET = "only these tests know it"
_START_SECONDS = 120


@dataclass(slots=True)
class Mlflow:
    """A running MLflow server; `post` and `get` are of its REST interface."""

    url: str
    http: httpx.Client
    home: Path
    runs: list[str] = field(default_factory=list)

    def post(self, path: str, **body: Any) -> dict[str, Any]:
        return self._said("POST", path, body)

    def patch(self, path: str, **body: Any) -> dict[str, Any]:
        return self._said("PATCH", path, body)

    def delete(self, path: str, **body: Any) -> dict[str, Any]:
        return self._said("DELETE", path, body)

    def _said(self, method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = self.http.request(method, f"/api/2.0/mlflow/{path}", json=body)
        assert answer.status_code == 200, (path, answer.text)
        said: dict[str, Any] = answer.json()
        return said

    def experiment(self, name: str) -> str:
        return str(self.post("experiments/create", name=name)["experiment_id"])

    def run(self, experiment: str, *, tags: dict[str, str] | None = None, start: int | None = None) -> str:
        """A run that is going on; its identifier."""
        listed = [{"key": key, "value": value} for key, value in (tags or {}).items()]
        begun = start or int(time.time() * 1000)
        made = self.post("runs/create", experiment_id=experiment, start_time=begun, tags=listed)
        return str(made["run"]["info"]["run_id"])

    def batch(self, run: str, params: dict[str, str], metrics: dict[str, float]) -> None:
        self.post(
            "runs/log-batch",
            run_id=run,
            params=[{"key": key, "value": value} for key, value in params.items()],
            metrics=[{"key": k, "value": v, "timestamp": 1_795_711_260_597, "step": 0} for k, v in metrics.items()],
        )

    def dataset(self, run: str, name: str, digest: str, source: dict[str, Any], kind: str, context: str = "") -> None:
        tags = [{"key": "mlflow.data.context", "value": context}] if context else []
        held = {"name": name, "digest": digest, "source_type": kind, "source": json.dumps(source)}
        self.post("runs/log-inputs", run_id=run, datasets=[{"tags": tags, "dataset": held}])

    def artifact(self, experiment: str, run: str, path: str, content: bytes) -> None:
        """Log a file, over what lay there."""
        place = f"/api/2.0/mlflow-artifacts/artifacts/{experiment}/{run}/artifacts/{quote(path)}"
        answer = self.http.put(place, content=content)
        assert answer.status_code == 200, answer.text

    def steps(self, run: str, metric: str, *values: float) -> None:
        """Log the values of a metric, step by step."""
        listed = [{"key": metric, "value": v, "timestamp": 1_000 + n, "step": n} for n, v in enumerate(values)]
        self.post("runs/log-batch", run_id=run, metrics=listed)

    def end(self, run: str, status: str = "FINISHED") -> None:
        self.post("runs/update", run_id=run, status=status, end_time=int(time.time() * 1000))

    def model(self, experiment: str, run: str, name: str = "model") -> str:
        """A logged model that is ready, and an output of the run."""
        made = self.post("logged-models", experiment_id=experiment, source_run_id=run, name=name)
        identifier = str(made["model"]["info"]["model_id"])
        self.post("runs/outputs", run_id=run, models=[{"model_id": identifier, "step": 0}])
        self.patch(f"logged-models/{identifier}", model_id=identifier, status="LOGGED_MODEL_READY")
        return identifier

    def registered(self, name: str, model: str) -> str:
        """A new version of a registered model, which is made where it is not there."""
        if self.http.get("/api/2.0/mlflow/registered-models/get", params={"name": name}).status_code != 200:
            self.post("registered-models/create", name=name)
        made = self.post("model-versions/create", name=name, source=f"models:/{model}", model_id=model)
        return str(made["model_version"]["version"])

    def alias(self, name: str, alias: str, version: str) -> None:
        self.post("registered-models/alias", name=name, alias=alias, version=version)

    def webhook(self, url: str) -> None:
        """Have every event of the registry sent to an address, signed with `SECRET`."""
        events = [("REGISTERED_MODEL", "CREATED"), ("MODEL_VERSION", "CREATED")]
        events += [("MODEL_VERSION_ALIAS", "CREATED"), ("MODEL_VERSION_ALIAS", "DELETED")]
        listed = [{"entity": entity, "action": action} for entity, action in events]
        self.post("webhooks", name=f"port-{url.rstrip('/').rpartition(':')[2]}", url=url, events=listed, secret=SECRET)


@contextmanager
def mlflow(home: Path, *, files: bool = False) -> Iterator[Mlflow]:
    """A server over an SQLite file and a folder of artifacts in `home`; with `files` over a folder `mlruns` instead."""
    home.mkdir(parents=True, exist_ok=True)
    port = free_port()
    command = [
        *(programs("pipeline") / "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"),
        *("--backend-store-uri", home / "mlruns" if files else f"sqlite:///{home / 'mlflow.db'}"),
        *("--artifacts-destination", home / "mlruns" if files else home / "mlartifacts"),
    ]
    with (home / "log").open("ab") as log:
        process = subprocess.Popen(
            list(map(str, command)), cwd=home, env=environment(), stdout=log, stderr=log, start_new_session=True
        )
    try:
        url = f"http://127.0.0.1:{port}"
        _answering(process, url, home / "log")
        with httpx.Client(base_url=url, timeout=60, trust_env=False) as http:
            yield Mlflow(url, http, home)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def environment(**more: str) -> dict[str, str]:
    """What MLflow's programs run in: nothing of this process's own settings, webhooks to this machine allowed."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "PYTHON", "GIT_"))}
    own = {
        "MLFLOW_WEBHOOK_ALLOWED_SCHEMES": "http",
        "MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS": "true",
        "MLFLOW_WEBHOOK_CACHE_TTL": "0",
        "MLFLOW_ALLOW_FILE_STORE": "true",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # ten processes that nobody asks anything
        "GIT_PYTHON_REFRESH": "quiet",
    }
    return {**kept, **own, **more}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answering(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    until = time.monotonic() + _START_SECONDS
    while True:
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < until, log.read_text()
        try:
            if httpx.get(f"{url}/health", timeout=5, trust_env=False).status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.05)
