"""What an MLflow server has, listed page by page over REST: experiments, runs, models, versions, traces, files."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, Final
from urllib.parse import quote

from provstore.errors import Misconfigured, SourceUnavailable
from provstore.pull.mlflow.rest import NoRoute, Object, Rest

_V2: Final = "/api/2.0/mlflow"
_V3: Final = "/api/3.0/mlflow"
#: How many experiments are named in one search, and how many results come in one page, by what MLflow allows.
_EXPERIMENTS, _RUNS, _MODELS, _TRACES, _NAMES, _VALUES = 200, 1000, 50, 500, 1000, 10_000

#: Where what is listed says what it is called.
_NAMED_BY: Final = {
    "experiments": ("experiment_id",),
    "runs": ("info", "run_id"),
    "models": ("info", "model_id"),
    "registered_models": ("name",),
    "model_versions": ("version",),
    "traces": ("trace_id",),
}


class Listing:
    """Everything that a server shows to whoever asks; iterators ask for the next page when they get there."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest
        self.url = rest.url

    def now(self) -> float:
        """This instant by MLflow's clock, in seconds since 1970."""
        return self._rest.now()

    def experiments(self) -> Iterator[Object]:
        """Every experiment, deleted ones too."""
        # by number: each run moves the time of its experiment's last change, which pages are ordered by else
        asked = {"view_type": "ALL", "max_results": _RUNS, "order_by": ["experiment_id ASC"]}
        yield from self._posted(f"{_V2}/experiments/search", "experiments", asked)

    def runs(self, experiments: Sequence[str], condition: str = "") -> Iterator[Object]:
        """The runs of experiments by their start, deleted ones too, as a search tells them: without model inputs."""
        order = ["attributes.start_time ASC"]
        asked = {"run_view_type": "ALL", "max_results": _RUNS, "filter": condition, "order_by": order}
        for some in _groups(experiments):
            yield from self._posted(f"{_V2}/runs/search", "runs", {**asked, "experiment_ids": some})

    def run(self, identifier: str) -> Object:
        """One run, whole; NotFound where MLflow has it no longer."""
        return _member(self._rest.get(f"{_V2}/runs/get", {"run_id": identifier}), "run")

    def logged_models(self, experiments: Sequence[str], since: int = 0) -> Iterator[Object]:
        """The logged models of experiments that changed since an instant; none where the server is before MLflow 3.

        All of them come in the order in which they were made, since a change would move one over to a page that was
        read; else the last changed come first.
        """
        by = "last_updated_timestamp" if since > 0 else "creation_timestamp"
        asked = {"max_results": _MODELS, "order_by": [{"field_name": by, "ascending": since <= 0}]}
        for some in _groups(experiments):
            try:
                for model in self._posted(f"{_V2}/logged-models/search", "models", {**asked, "experiment_ids": some}):
                    if int(model["info"].get("last_updated_timestamp_ms") or 0) < since:
                        break
                    yield model
            except NoRoute:
                return

    def logged_model(self, identifier: str) -> Object:
        return _member(self._rest.get(f"{_V2}/logged-models/{quote(identifier, safe='')}"), "model")

    def registered_models(self) -> Iterator[Object]:
        """Every registered model, with its aliases."""
        yield from self._asked(f"{_V2}/registered-models/search", "registered_models", {"max_results": _NAMES})

    def experiment(self, identifier: str) -> Object:
        return _member(self._rest.get(f"{_V2}/experiments/get", {"experiment_id": identifier}), "experiment")

    def registered_model(self, name: str) -> Object:
        return _member(self._rest.get(f"{_V2}/registered-models/get", {"name": name}), "registered_model")

    def model_versions(self, since: int = 0) -> Iterator[Object]:
        """The model versions that changed since an instant; in an order as that of logged models."""
        by = "last_updated_timestamp DESC" if since > 0 else "creation_timestamp ASC"
        asked = {"max_results": _NAMES, "order_by": by}
        for version in self._asked(f"{_V2}/model-versions/search", "model_versions", asked):
            if int(version.get("last_updated_timestamp") or 0) < since:
                return
            yield version

    def model_version(self, name: str, version: str) -> Object:
        said = self._rest.get(f"{_V2}/model-versions/get", {"name": name, "version": version})
        return _member(said, "model_version")

    def traces(self, experiments: Sequence[str], condition: str = "") -> Iterator[Object]:
        """The traces of experiments; none where the server is older than MLflow 3."""
        for some in _groups(experiments):
            places = [{"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": each}} for each in some]
            asked = {"locations": places, "max_results": _TRACES, "filter": condition}
            try:
                yield from self._posted(f"{_V3}/traces/search", "traces", asked)
            except NoRoute:
                return

    def trace(self, identifier: str) -> Object:
        said = self._rest.get(f"{_V3}/traces/{quote(identifier, safe='')}")
        return _member(_member(said, "trace"), "trace_info")

    def files(self, model: str) -> Iterator[tuple[str, int]]:
        """Path and size of each file of a logged model."""
        path = f"{_V2}/logged-models/{quote(model, safe='')}/artifacts/directories"
        return self._tree(path, {}, "artifact_directory_path")

    def file(self, model: str, path: str) -> Iterator[bytes]:
        """The bytes of a file of a logged model."""
        route = f"/ajax-api/2.0/mlflow/logged-models/{quote(model, safe='')}/artifacts/files"
        return self._rest.chunks(route, {"artifact_file_path": path})

    def run_files(self, run: str, folder: str = "") -> Iterator[tuple[str, int]]:
        """Path and size of each artifact of a run, or of a folder among them."""
        return self._tree(f"{_V2}/artifacts/list", {"run_id": run}, "path", folder)

    def run_file(self, run: str, path: str) -> Iterator[bytes]:
        """The bytes of an artifact of a run."""
        return self._rest.chunks("/get-artifact", {"run_id": run, "path": path})

    def history(self, run: str, metric: str) -> Iterator[Object]:
        """Every value of a metric of a run."""
        asked = {"run_id": run, "metric_key": metric, "max_results": _VALUES}
        return self._asked(f"{_V2}/metrics/get-history", "metrics", asked)

    def _tree(self, path: str, query: Object, member: str, top: str = "") -> Iterator[tuple[str, int]]:
        """Path and size of each file, folders opened after the files beside them."""
        waiting = deque([top])
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
            yield from _list(said, member)
            token = _next(token, said)
            if not token:
                return

    def _asked(self, path: str, member: str, query: Object) -> Iterator[Object]:
        token = ""
        while True:
            said = self._rest.get(path, {**query, "page_token": token} if token else query)
            yield from _list(said, member)
            token = _next(token, said)
            if not token:
                return


def _member(said: Object, name: str) -> Object:
    """What an answer is there for; SourceUnavailable where it is not in it."""
    found = said.get(name)
    if not isinstance(found, dict):
        raise SourceUnavailable(f"what answers has no {name!r} in its answer; is it an MLflow server?")
    return found


def _list(said: Object, name: str) -> list[Object]:
    """What is listed in an answer; MLflow leaves out what is empty."""
    found = said.get(name) or []
    if not isinstance(found, list) or not all(_has(each, _NAMED_BY.get(name, ())) for each in found):
        raise SourceUnavailable(f"{name!r} in what answers is not as MLflow lists them; is it an MLflow server?")
    return found


def _has(said: Any, path: tuple[str, ...]) -> bool:
    """Whether something is an object with a member at the end of a path."""
    for step in path:
        said = said.get(step) if isinstance(said, dict) else None
    return isinstance(said, str | int) if path else isinstance(said, dict)


def _next(token: str, said: Object) -> str:
    found = str(said.get("next_page_token") or "")
    if found and found == token:
        raise Misconfigured("MLflow gives the same page again and again")
    return found


def _groups(experiments: Sequence[str]) -> Iterator[list[str]]:
    given = iter(experiments)
    while some := list(islice(given, _EXPERIMENTS)):
        yield some
