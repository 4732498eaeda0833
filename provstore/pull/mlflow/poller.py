"""The reconciling poller: what an MLflow server has is brought into the store, and brought up to date.

What is asked for, and why so (MLflow 3.17):
- runs have no time of their last change, and tags carry none: a sweep compares every run with what is known;
- a search over runs leaves out their model inputs: a run that a search shows changed is asked for singly;
- runs that are going on are looked at in every round, others are found by their start and end, with an overlap;
- a metric of a logged model does not count as a change of it: the models of changed runs are asked for;
- the search for model versions knows no time: the last changed come first, and it ends where nothing is new;
- what is gone from the lists and from its own address was deleted for good.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from provstore.capture.mlflow import keys
from provstore.capture.redaction import cleaned
from provstore.errors import Misconfigured, NotFound, SourceUnavailable
from provstore.pull.emitter import Emitter
from provstore.pull.mlflow import files, states
from provstore.pull.mlflow.aliases import Aliases, Look
from provstore.pull.mlflow.deletions import Deletions
from provstore.pull.mlflow.details import Details
from provstore.pull.mlflow.files import Bounds
from provstore.pull.mlflow.incarnations import Incarnations
from provstore.pull.mlflow.journal import instant
from provstore.pull.mlflow.listing import Listing
from provstore.pull.mlflow.sources import Firsts, Models

Object = dict[str, Any]

#: How far back a round looks again, in milliseconds: clocks of clients differ.
_OVERLAP: Final = 300_000
_GOING_ON: Final = ("RUNNING", "SCHEDULED")
_READY: Final = "LOGGED_MODEL_READY"


@dataclass(frozen=True, slots=True)
class Options:
    """What is taken of traces (`commit`, `redact`, `keep`, or `none`: no traces), and how much of files is hashed."""

    bounds: Bounds
    traces: str = "commit"
    commitment_key: str = ""


@dataclass(slots=True)
class _Marks:
    """The latest instants that were seen, in milliseconds: of runs by their clients' clocks, else by MLflow's."""

    runs: int = 0
    models: int = 0
    versions: int = 0
    traces: int = 0  # by this machine's clock: when they were last asked for


class Poller:
    """One server, one store. `sweep` and `round` raise SourceUnavailable where MLflow, Busy where the store gives up.

    Whatever was sent until then is in the store; the next round or sweep goes on from there.
    """

    def __init__(
        self, listing: Listing, emitter: Emitter, server: str, options: Options, tell: Callable[[str], None]
    ) -> None:
        self._listing, self._emitter, self._server, self._options = listing, emitter, server, options
        self._tell = tell
        self._spoken = states.Spoken(options.traces, options.commitment_key)
        self._details = Details(listing, emitter, server, options.bounds, tell)
        self._incarnations = Incarnations(server, emitter)
        self._deletions = Deletions(listing, emitter, server, self._incarnations, tell)
        self.aliases = Aliases(server, emitter, self._incarnations, self._bearer)
        self._marks, self._firsts, self._models = _Marks(), Firsts(), Models()
        self._created: dict[tuple[str, str], str] = {}
        self._open: set[str] = set()
        self._open_traces: set[str] = set()
        self._touched: set[str] = set()  # logged models of runs that changed
        self._makers: set[str] = set()  # known runs of logged models that are new
        self._unhashed: dict[str, str] = {}  # logged models that are ready, and the runs that made them
        self._seen: set[str] = set()  # the keys of all that this sweep was shown

    # -- everything, and what is new ----------------------------------------------------------------------------------

    def sweep(self, *, thorough: bool) -> None:
        """Compare all that the server has with what is known, and find what it has no longer.

        `thorough` asks for every run singly, else only for those whose search result changed.
        """
        self._seen.clear()
        self.contested()
        experiments = self._experiments()
        for model in self._listing.logged_models(experiments):
            self._logged_model(model)
        self._makers.clear()
        for run in self._listing.runs(experiments):
            self._take_runs(self._firsts.note(run))
            self._seen.add(f"{keys.prefix(self._server)}run {run['info']['run_id']}")
            if thorough or run["info"]["run_id"] in self._details.unread or self._is_news(run):
                self._take_runs([run["info"]["run_id"]])
            else:
                self._mark(run["info"])
                self._details.note(run, news=False, again=False)
        self._registry(0)
        for trace in self._traces(experiments, ""):
            self._trace(trace)
        self._finish()
        self._deletions.compare(self._seen, {"trace"} if self._options.traces == "none" else set())
        self._emitter.flush()
        self._emitter.settle()
        self._emitter.flush()

    def contested(self) -> bool:
        """Look what others have written to the store at the same time; whether that is to be put right."""
        rivals = self._emitter.refresh()
        return self.aliases.refresh() or rivals

    def round(self) -> None:
        """Look at what is going on, and at what is new since the last round or sweep."""
        experiments = self._experiments()
        for model in self._listing.logged_models(experiments, self._marks.models - _OVERLAP):
            self._logged_model(model)
        self._new_runs(experiments)
        for model_id in sorted(self._touched):
            with suppress(NotFound):
                self._logged_model(self._listing.logged_model(model_id))
        self._registry(self._marks.versions - _OVERLAP)
        self._new_traces(experiments)
        self._finish()

    def _finish(self) -> None:
        self._touched.clear()
        self._emitter.flush()
        self._hash()
        self._details.collect()
        self._emitter.flush()

    def _offer(self, payload: Object) -> bool:
        payload = self._incarnations.placed(payload)
        self._seen.add(keys.key(payload))
        return self._emitter.offer(payload)

    def _experiments(self) -> list[str]:
        found = []
        for said in self._listing.experiments():
            self._offer(states.of_experiment(self._server, said))
            found.append(str(said["experiment_id"]))
        return found

    # -- runs ---------------------------------------------------------------------------------------------------------

    def _new_runs(self, experiments: list[str]) -> None:
        since = self._marks.runs - _OVERLAP
        conditions = (
            f"attributes.start_time > {since}",
            f"attributes.end_time > {since}",
            *(f"attributes.status = '{status}'" for status in _GOING_ON),
        )
        found = {run["info"]["run_id"]: run for each in conditions for run in self._listing.runs(experiments, each)}
        again = self._makers | self._open - found.keys()  # ended, by a clock that is far behind
        for run in found.values():
            again |= self._firsts.note(run)
        self._take_runs([name for name, run in found.items() if self._is_news(run)])
        self._makers.clear()
        self._take_runs(sorted(again))

    def _is_news(self, run: Object) -> bool:
        payload = cleaned(self._incarnations.placed(self._of_run(run)))
        live = self._emitter.known.get(keys.key(payload))
        if live is None or live.rivals:
            return True
        return live.digest.partition(".")[0] != keys.search_digest(payload)

    def _of_run(self, run: Object, reads: Sequence[Object] = ()) -> Object:
        info = run["info"]
        experiment, name = str(info["experiment_id"]), str(info["run_id"])
        return states.of_run(
            self._server,
            run,
            lambda dataset: self._firsts.is_first(experiment, dataset, name),
            self._models.made_by(name),
            reads,
        )

    def _take_runs(self, names: Iterator[str] | list[str] | set[str]) -> None:
        for name in names:
            try:
                run = self._listing.run(name)
            except NotFound as error:
                self._tell(f"run {name} is passed over: {error}")
                self._open.discard(name)
                continue
            self._mark(run["info"])
            news = self._offer(self._of_run(run, self._details.reads(run)))
            self._details.note(run, news=news, again=True)
            if news:
                inputs, outputs = run.get("inputs") or {}, run.get("outputs") or {}
                models = [*(inputs.get("model_inputs") or ()), *(outputs.get("model_outputs") or ())]
                self._touched |= {str(each["model_id"]) for each in models if each.get("model_id")}

    def _mark(self, info: Object) -> None:
        times = self._by_now(info.get("start_time")), self._by_now(info.get("end_time"))
        self._marks.runs = max(self._marks.runs, *times)
        going_on = info.get("status") in _GOING_ON
        (self._open.add if going_on else self._open.discard)(str(info["run_id"]))

    def _by_now(self, milliseconds: object) -> int:
        """An instant that somebody's clock told; now, where that is ahead: what follows it must not be passed over."""
        return min(int(float(str(milliseconds or 0))), int(self._listing.now() * 1000))

    # -- models -------------------------------------------------------------------------------------------------------

    def _logged_model(self, model: Object) -> None:
        info = model["info"]
        self._marks.models = max(self._marks.models, self._by_now(info.get("last_updated_timestamp_ms")))
        run = self._models.note(model)
        if run and f"{keys.prefix(self._server)}run {run}" in self._emitter.known:
            self._makers.add(run)
        self._offer(states.of_logged_model(self._server, model))
        if info.get("status") == _READY:
            self._unhashed[str(info["model_id"])] = str(info.get("source_run_id") or "")

    def _hash(self) -> None:
        """Hash the files of models that are ready; once, since they do not change then."""
        waiting, self._unhashed = sorted(self._unhashed.items()), {}
        for model, run in waiting:
            key = f"{keys.prefix(self._server)}model-files {model}"
            self._seen.add(key)
            if not self._options.bounds.each or key in self._emitter.known:
                continue
            try:
                found = files.of_model(self._listing, model, self._options.bounds.each)
            except (SourceUnavailable, Misconfigured, NotFound) as error:  # the next sweep tries again
                self._tell(f"the files of {model} could not be read: {error}")
                continue
            if found:
                self._offer(states.of_files(self._server, model, run, *found))

    def _registry(self, since: int) -> None:
        """Registered models, versions that changed since an instant, and what the aliases stand for."""
        asked, began = time.monotonic(), instant(self._listing.now())
        listed = list(self._listing.registered_models())
        look = Look(asked, began, instant(self._listing.now()))
        models = [self._incarnations.placed(states.of_registered_model(self._server, model)) for model in listed]
        shown = {(str(model["model"]["name"]), model.get("since", "")) for model in models}
        for bearer, _ in sorted(self.aliases.bearers() - shown):
            with suppress(NotFound):  # a page may have passed over it, because something before it went
                said = self._listing.registered_model(bearer)
                models.append(self._incarnations.placed(states.of_registered_model(self._server, said)))
        for model in models:
            self._offer(model)
        for version in self._listing.model_versions(since):
            self._marks.versions = max(self._marks.versions, self._by_now(version.get("last_updated_timestamp")))
            name, number = str(version["name"]), str(version["version"])
            self._created[name, number] = instant(int(version.get("creation_timestamp") or 0) / 1000)
            self._offer(states.of_model_version(self._server, version, self._models.of(version)))
        self.aliases.look(models, look, self._created)

    def _bearer(self, name: str) -> None:
        """Make known which registered model bears a name, if MLflow tells that now."""
        with suppress(NotFound, SourceUnavailable, Misconfigured):
            self._offer(states.of_registered_model(self._server, self._listing.registered_model(name)))

    # -- traces -------------------------------------------------------------------------------------------------------

    def _traces(self, experiments: list[str], condition: str) -> Iterator[Object]:
        if self._options.traces != "none":
            began = int(self._listing.now() * 1000)
            yield from self._listing.traces(experiments, condition)
            self._marks.traces = began

    def _new_traces(self, experiments: list[str]) -> None:
        waiting = set(self._open_traces)
        for trace in self._traces(experiments, f"attributes.timestamp_ms > {self._marks.traces - _OVERLAP}"):
            waiting.discard(str(trace["trace_id"]))
            self._trace(trace)
        for name in sorted(waiting):
            try:
                self._trace(self._listing.trace(name))
            except NotFound:
                self._open_traces.discard(name)

    def _trace(self, trace: Object) -> None:
        name = str(trace["trace_id"])
        (self._open_traces.add if trace.get("state") == "IN_PROGRESS" else self._open_traces.discard)(name)
        self._offer(states.of_trace(self._server, trace, self._spoken))
