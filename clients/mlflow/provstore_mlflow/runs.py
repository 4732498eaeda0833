"""Follows the runs that MLflow's tracking client begins and ends, and tells each what was read before its end."""

from __future__ import annotations

import os
import sys
from _thread import get_ident
from bisect import bisect_right
from time import monotonic_ns
from typing import Any

from provstore.observe import reads
from provstore_mlflow import collecting, imports
from provstore_mlflow.hook import OFF, Active, install, seen
from provstore_mlflow.quietly import around, ours, trouble


class Runs:
    """The runs of this process: which is nested in which, when each began, which models it has logged when."""

    def __init__(self) -> None:
        self.parents: dict[str, str] = {}
        self.models: dict[str, list[tuple[int, str]]] = {}
        self.fresh: set[str] = set()  # begun here and told nothing yet: no tags of ours to be merged with
        self.stores: set[str] = set()  # folders of artifacts: what lies there is no data
        self.changes: list[tuple[int, Active]] = [(0, ())]

    def begin(self, run: str) -> None:
        if all(run != each for each, _ in seen.active):
            self._turn((*seen.active, (run, get_ident())))

    def end(self, run: str) -> None:
        self._turn(tuple(each for each in seen.active if each[0] != run))

    def _turn(self, active: Active) -> None:
        seen.active = active
        self.changes.append((monotonic_ns(), active))

    def active_at(self, when: int) -> Active:
        return self.changes[max(bisect_right(self.changes, when, key=lambda each: each[0]) - 1, 0)][1]

    def nested(self, inner: str, outer: str) -> bool:
        """Whether a run lies in another, or is it."""
        for _ in range(100):
            if inner == outer:
                return True
            inner = self.parents.get(inner, "")
        return False

    def when(self, run: str, thread: int, active: Active) -> str:
        """How a reading lies to a run, told by the runs that were active then: `reads.WHEN`.

        A thread that has begun no run itself works for every run that is active.
        """
        here = [each for each, begun in active if begun == thread] or [each for each, _ in active]
        if any(self.nested(each, run) for each in here):
            return "during"
        return "before" if all(self.nested(run, each) for each in here) else "other"


runs = Runs()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=lambda: runs.__init__())  # type: ignore[misc]


def _created(run: Any, *args: Any, **kwargs: Any) -> None:
    runs.fresh.add(run.info.run_id)
    _started(run)


def _started(run: Any, *args: Any, **kwargs: Any) -> None:
    """Begun, or taken up again."""
    name = run.info.run_id
    parent = run.data.tags.get("mlflow.parentRunId")
    if parent:
        runs.parents[name] = parent
    runs.stores.add(run.info.artifact_uri or "")
    runs.begin(name)


def _logged(model: Any, *args: Any, **kwargs: Any) -> None:
    runs.stores.add(model.artifact_location or "")
    if model.source_run_id:
        runs.models.setdefault(model.source_run_id, []).append((monotonic_ns(), model.model_id))


def _ending(client: Any, run_id: str, *args: Any, **kwargs: Any) -> None:
    with ours():
        try:
            tell(client, run_id)
        finally:
            runs.end(run_id)


def tell(client: Any, run: str) -> None:
    """Write what was read so far into the tags of a run."""
    found, omitted = collecting.collected(run, runs, str(client.tracking_uri))
    if run not in runs.fresh:
        found = _merged(client, run, found)
    runs.fresh.discard(run)
    tags = reads.tags(found, omitted)
    entity = sys.modules["mlflow.entities"].RunTag
    client.log_batch(run, tags=[entity(key, value) for key, value in tags.items()])
    if reads.ARTIFACT in tags[reads.TAG]:
        artifacts = sys.modules["mlflow.tracking.client"].MlflowClient(client.tracking_uri)
        artifacts.log_text(run, reads.canonical(found), reads.ARTIFACT)


def _merged(client: Any, run: str, found: list[reads.Read]) -> list[reads.Read]:
    """What the run's tags say already, by this or an earlier process, and what is new."""
    known = client.get_run(run)
    told = reads.parse(known.data.tags)
    before = list(told.reads) if told else []
    if told and told.artifact:
        whole = sys.modules["mlflow.artifacts"].load_text(f"{known.info.artifact_uri}/{told.artifact}")
        before = reads.parse_list(whole) or before
    outputs = getattr(getattr(known, "outputs", None), "model_outputs", None) or []
    here = {name for _, name in runs.models.get(run, [])}
    return collecting.united(before, found, {each.model_id for each in outputs} - here)


def wrap(name: str, module: Any) -> None:
    """Watch the class that every way of beginning and ending a run goes through (MLflow 1 to 3)."""
    if name == "mlflow.tracking.fluent":  # an existing run is taken up again past that class
        around(module, "start_run", after=_started)
        return
    client = module.TrackingServiceClient
    around(client, "create_run", after=_created)
    around(client, "create_logged_model", after=_logged)
    around(client, "set_terminated", before=_ending)
    collecting.start()


def watch() -> None:
    """Be there in any case: also where `provstore_mlflow.pth` was not read."""
    if OFF:
        return
    try:
        install()
        imports.catch_up()
    except Exception as error:
        trouble(error)
