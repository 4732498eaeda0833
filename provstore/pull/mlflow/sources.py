"""What one entity of MLflow's tells only beside others: who logged a dataset first, which logged model a version is."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Any, Final

from provstore.pull.mlflow.states import dataset_key

Object = dict[str, Any]

_MODEL: Final = re.compile(r"(?:\A|[/:])(m-[0-9a-f]{32})(?:/|\Z)")
_OF_RUN: Final = re.compile(r"runs:/([0-9a-f]{32})/(.+?)/?\Z")


class Firsts:
    """Of each experiment, the run that was the first to begin of those with a dataset of a name and a digest."""

    def __init__(self) -> None:
        self._firsts: dict[str, dict[tuple[str, str], tuple[int, str]]] = defaultdict(dict)

    def note(self, run: Object) -> set[str]:
        """Take in what a run says; the runs that were taken for the first until now."""
        info = run["info"]
        mine = started(run), str(info["run_id"])
        held = self._firsts[str(info["experiment_id"])]
        demoted = set()
        for each in (run.get("inputs") or {}).get("dataset_inputs") or ():
            key = dataset_key(each)
            if mine < (before := held.get(key, mine)):
                demoted.add(before[1])
            held[key] = min(mine, before)
        return demoted

    def of(self, experiment: str) -> Mapping[tuple[str, str], str]:
        """Name and digest of a dataset → the run."""
        return {key: run for key, (_, run) in self._firsts[experiment].items()}

    def is_first(self, experiment: str, dataset: tuple[str, str], run: str) -> bool:
        held = self._firsts[experiment].get(dataset)
        return held is None or held[1] == run


class Models:
    """The logged models that were seen, by the run that made them, so that older ways to name one lead to it."""

    def __init__(self) -> None:
        self._by_run: dict[str, dict[str, set[str]]] = defaultdict(dict)

    def note(self, model: Object) -> str:
        """Take in what a logged model says; the run that made it, if that is news."""
        info = model["info"]
        run, name = str(info.get("source_run_id") or ""), str(info.get("name") or "")
        if run:
            held = self._by_run[run].setdefault(name, set())
            if info["model_id"] not in held:
                held.add(str(info["model_id"]))
                return run
        return ""

    def made_by(self, run: str) -> set[str]:
        """The logged models that a run made."""
        return {model for models in self._by_run.get(run, {}).values() for model in models}

    def of(self, version: Object) -> str:
        """The logged model that a model version was made of, or '' where that is not known."""
        source, run = str(version.get("source") or ""), str(version.get("run_id") or "")
        if found := _MODEL.search(source):
            return found[1]
        if given := _OF_RUN.match(source):
            return _only(self._by_run.get(given[1], {}).get(given[2], set()))
        held = self._by_run.get(run, {})
        return _only(
            {m for name, ids in held.items() if source.rstrip("/").endswith(f"/artifacts/{name}") for m in ids}
        )


def _only(models: set[str]) -> str:
    return next(iter(models)) if len(models) == 1 else ""


def started(run: Object) -> int:
    """When a run began, in milliseconds; 0 where that is not told."""
    return int(run["info"].get("start_time") or 0)
