"""What an MLflow server has, listed page by page over REST: experiments, runs, models, versions, traces, files."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final
from urllib.parse import quote

from provstore.errors import Misconfigured, NotFound
from provstore.pull.mlflow.rest import Object, Rest

_V2: Final = "/api/2.0/mlflow"
_V3: Final = "/api/3.0/mlflow"
#: How many experiments are named in one search, and how many results come in one page, by what MLflow allows.
_EXPERIMENTS, _RUNS, _MODELS, _TRACES, _NAMES, _VALUES = 200, 1000, 50, 500, 1000, 10_000


class Listing:
    """Everything that a server shows to whoever asks; iterators ask for the next page when they get there."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest

    def experiments(self) -> Iterator[Object]:
        """Every experiment, deleted ones too."""
        yield from self._posted(f"{_V2}/experiments/search", "experiments", {"view_type": "ALL", "max_results": _RUNS})

    def runs(self, experiments: Sequence[str], condition: str = "") -> Iterator[Object]:
        """The runs of experiments by their start, deleted ones too, as a search tells them: without model inputs."""
        order = ["attributes.start_time ASC"]
        asked = {"run_view_type": "ALL", "max_results": _RUNS, "filter": condition, "order_by": order}
        for some in _groups(experiments):
            yield from self._posted(f"{_V2}/runs/search", "runs", {**asked, "experiment_ids": some})

    def run(self, identifier: str) -> Object:
        """One run, whole; NotFound where MLflow has it no longer."""
        found: Object = self._rest.get(f"{_V2}/runs/get", {"run_id": identifier})["run"]
        return found

    def logged_models(self, experiments: Sequence[str]) -> Iterator[Object]:
        """The logged models of experiments, the last changed first; none where the server is older than MLflow 3."""
        order = [{"field_name": "last_updated_timestamp", "ascending": False}]
        for some in _groups(experiments):
            asked = {"experiment_ids": some, "max_results": _MODELS, "order_by": order}
            try:
                yield from self._posted(f"{_V2}/logged-models/search", "models", asked)
            except NotFound:
                return

    def logged_model(self, identifier: str) -> Object:
        found: Object = self._rest.get(f"{_V2}/logged-models/{quote(identifier, safe='')}")["model"]
        return found

    def registered_models(self) -> Iterator[Object]:
        """Every registered model, with its aliases."""
        yield from self._asked(f"{_V2}/registered-models/search", "registered_models", {"max_results": _NAMES})

    def experiment(self, identifier: str) -> Object:
        found: Object = self._rest.get(f"{_V2}/experiments/get", {"experiment_id": identifier})["experiment"]
        return found

    def registered_model(self, name: str) -> Object:
        found: Object = self._rest.get(f"{_V2}/registered-models/get", {"name": name})["registered_model"]
        return found

    def model_versions(self) -> Iterator[Object]:
        """Every model version, the last changed first."""
        asked = {"max_results": _NAMES, "order_by": "last_updated_timestamp DESC"}
        yield from self._asked(f"{_V2}/model-versions/search", "model_versions", asked)

    def model_version(self, name: str, version: str) -> Object:
        said = self._rest.get(f"{_V2}/model-versions/get", {"name": name, "version": version})
        found: Object = said["model_version"]
        return found

    def traces(self, experiments: Sequence[str], condition: str = "") -> Iterator[Object]:
        """The traces of experiments; none where the server is older than MLflow 3."""
        for some in _groups(experiments):
            places = [{"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": each}} for each in some]
            asked = {"locations": places, "max_results": _TRACES, "filter": condition}
            try:
                yield from self._posted(f"{_V3}/traces/search", "traces", asked)
            except NotFound:
                return

    def trace(self, identifier: str) -> Object:
        found: Object = self._rest.get(f"{_V3}/traces/{quote(identifier, safe='')}")["trace"]["trace_info"]
        return found

    def files(self, model: str) -> Iterator[tuple[str, int]]:
        """Path and size of each file of a logged model."""
        path = f"{_V2}/logged-models/{quote(model, safe='')}/artifacts/directories"
        return self._tree(path, {}, "artifact_directory_path")

    def file(self, model: str, path: str) -> Iterator[bytes]:
        """The bytes of a file of a logged model."""
        route = f"/ajax-api/2.0/mlflow/logged-models/{quote(model, safe='')}/artifacts/files"
        return self._rest.chunks(route, {"artifact_file_path": path})

    def run_files(self, run: str) -> Iterator[tuple[str, int]]:
        """Path and size of each artifact of a run."""
        return self._tree(f"{_V2}/artifacts/list", {"run_id": run}, "path")

    def run_file(self, run: str, path: str) -> Iterator[bytes]:
        """The bytes of an artifact of a run."""
        return self._rest.chunks("/get-artifact", {"run_id": run, "path": path})

    def history(self, run: str, metric: str) -> Iterator[Object]:
        """Every value of a metric of a run."""
        asked = {"run_id": run, "metric_key": metric, "max_results": _VALUES}
        return self._asked(f"{_V2}/metrics/get-history", "metrics", asked)

    def _tree(self, path: str, query: Object, member: str) -> Iterator[tuple[str, int]]:
        """Path and size of each file, folders opened after the files beside them."""
        waiting = deque([""])
        while waiting:
            folder = waiting.popleft()
            for each in self._asked(path, "files", {**query, member: folder} if folder else query):
                if each.get("is_dir"):
                    waiting.append(str(each["path"]))
                else:
                    yield str(each["path"]), int(each.get("file_size") or 0)

    def _posted(self, path: str, member: str, body: Object) -> Iterator[Object]:
        token = ""
        while True:
            said = self._rest.post(path, {**body, "page_token": token} if token else body)
            yield from said.get(member) or ()
            token = _next(token, said)
            if not token:
                return

    def _asked(self, path: str, member: str, query: Object) -> Iterator[Object]:
        token = ""
        while True:
            said = self._rest.get(path, {**query, "page_token": token} if token else query)
            yield from said.get(member) or ()
            token = _next(token, said)
            if not token:
                return


def _next(token: str, said: Object) -> str:
    found = str(said.get("next_page_token") or "")
    if found and found == token:
        raise Misconfigured("MLflow gives the same page again and again")
    return found


def _groups(experiments: Sequence[str]) -> Iterator[list[str]]:
    given = iter(experiments)
    while some := list(islice(given, _EXPERIMENTS)):
        yield some
