"""What a run's own state leaves out: the whole list of its reads, the files that it logged, how its metrics went."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from provstore.capture.mlflow import keys, logged
from provstore.errors import Misconfigured, NotFound, SourceUnavailable
from provstore.observe import reads
from provstore.pull.emitter import Emitter
from provstore.pull.mlflow import files, histories, states
from provstore.pull.mlflow.files import Bounds
from provstore.pull.mlflow.listing import Listing

Object = dict[str, Any]

#: The longest list of reads that is taken, in bytes: some 30,000 files.
_MOST_READS: Final = 8 << 20
#: So many runs in a row whose artifacts could not be listed, and no more are asked for in this turn.
_PATIENCE: Final = 5
_GOING_ON: Final = ("RUNNING", "SCHEDULED")
_UNREADABLE: Final = (SourceUnavailable, Misconfigured)


class Details:
    """The details of runs of one server; trouble with their artifacts is told, and keeps nothing else from coming."""

    def __init__(
        self, listing: Listing, emitter: Emitter, server: str, bounds: Bounds, tell: Callable[[str], None]
    ) -> None:
        self._listing, self._emitter, self._server, self._bounds, self._tell = listing, emitter, server, bounds, tell
        self._waiting: dict[str, _Wanted] = {}
        self._bare: set[str] = set()  # runs that were seen to have no artifacts
        self.unread: set[str] = set()  # runs whose list of reads could not be read just now

    def reads(self, run: Object) -> list[Object]:
        """The whole list of what a run read, where its tags say that they tell the beginning alone; else none.

        One that the store has already, with these tags, is not asked for again. Where it is absent, too long, or not
        what the tags give the digest of, there is none.
        """
        tags = logged.tags(run)
        told = reads.parse({name: tags[name] for name in (reads.TAG,) if name in tags})
        if told is None or not told.artifact:
            return []
        name = str(run["info"]["run_id"])
        self.unread.discard(name)
        known = self._emitter.stored(f"{keys.prefix(self._server)}run {name}") or {}
        if known.get("reads") and logged.tags(known["run"]).get(reads.TAG) == tags[reads.TAG] and not _redacted(known):
            held: list[Object] = known["reads"]
            return held
        try:
            text = self._text(name, told.artifact)
        except NotFound:
            return self._none(name, f"{told.artifact} is not among its artifacts")
        except _UNREADABLE as error:
            self.unread.add(name)
            return self._none(name, str(error))
        if text is None:
            return self._none(name, f"{told.artifact} has more than {_MOST_READS:,} bytes")
        if not reads.joined(told, reads.parse_list(text)).complete:
            return self._none(name, f"{told.artifact} is not what the tags give the digest of")
        whole: list[Object] = json.loads(text)
        return whole

    def _text(self, run: str, path: str) -> str | None:
        """An artifact; None where it is too long, NotFound where a list does not have it: MLflow 2 answers that 500."""
        if all(path != each for each, _ in self._listing.run_files(run, path.rpartition("/")[0])):
            raise NotFound(f"run {run} has no {path}")
        return files.whole(self._listing.run_file(run, path), _MOST_READS)

    def _none(self, run: str, why: str) -> list[Object]:
        self._tell(f"run {run}: what it read is told by its tags alone: {why}")
        return []

    def note(self, run: Object, *, news: bool, again: bool) -> None:
        """Remember a run that is over, for `collect`: `news` if it changed, `again` to list its artifacts once more."""
        name = str(run["info"]["run_id"])
        if run["info"].get("status") in _GOING_ON:
            return
        metrics = histories.wanted(run)
        if not news and self._key("metric-histories", name) in self._emitter.known:
            metrics = []
        listed = name in self._bare or self._key("run-artifacts", name) in self._emitter.known
        artifacts = bool(self._bounds.each) and (news or again or not listed)
        if metrics or artifacts:
            self._waiting[name] = _Wanted(run["info"], metrics, logged.models(run), artifacts)

    def _key(self, kind: str, run: str) -> str:
        return f"{keys.prefix(self._server)}{kind} {run}"

    def collect(self) -> None:
        """Offer the histories and the artifacts of the runs that were noted."""
        waiting, self._waiting = self._waiting, {}
        failures = 0
        for name, wanted in waiting.items():
            with suppress(NotFound):  # deleted meanwhile
                if wanted.metrics:
                    found = histories.of(self._listing, name, wanted.metrics)
                    self._emitter.offer(states.of_histories(self._server, name, found))
                if wanted.artifacts and failures < _PATIENCE:
                    failures = 0 if self._read(name, wanted) else failures + 1
        if failures == _PATIENCE:
            self._tell(f"{_PATIENCE} runs in a row: the artifacts of the others are left for later")

    def _read(self, name: str, wanted: _Wanted) -> bool:
        """Offer the artifacts of a run; whether they could be read, else the next sweep tries again."""
        try:
            self._artifacts(name, wanted)
        except _UNREADABLE as error:
            self._tell(f"the artifacts of run {name} could not be read: {error}")
            return False
        return True

    def _artifacts(self, name: str, wanted: _Wanted) -> None:
        listed, more = files.listed(self._listing.run_files(name))
        listed = [each for each in listed if each[0] != reads.ARTIFACT]
        for folder in wanted.folders:
            inside = [each for each in listed if each[0].startswith(f"{folder}/")]
            listed = [each for each in listed if not each[0].startswith(f"{folder}/")]
            self._model(name, folder, inside)
        if not listed:
            self._bare.add(name)
            return
        known = self._emitter.stored(self._key("run-artifacts", name)) or {}
        found = files.within(listed, lambda path: self._listing.run_file(name, path), self._bounds, _digests(known))
        self._emitter.offer(states.of_artifacts(self._server, wanted.info, found, more=more))

    def _model(self, run: str, folder: str, inside: list[tuple[str, int]]) -> None:
        """The files of a model of before MLflow 3, which lie among the artifacts of its run; hashed once."""
        model = logged.model(run, folder)
        if not inside or self._key("model-files", model) in self._emitter.known:
            return
        own = [(path.removeprefix(f"{folder}/"), size) for path, size in inside]
        opened = partial(self._opened, run, f"{folder}/")
        self._emitter.offer(states.of_files(self._server, model, run, *files.hashed(own, opened, self._bounds.each)))

    def _opened(self, run: str, folder: str, path: str) -> Iterator[bytes]:
        return self._listing.run_file(run, folder + path)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is to be asked for of a run: these metrics, and its artifacts, among which its models have these folders."""

    info: Object
    metrics: list[str]
    folders: list[str]
    artifacts: bool


def _digests(known: Object) -> dict[tuple[str, int], str]:
    """The digests that the store has of the artifacts of a run, by path and size."""
    return {(each["path"], each["size"]): each["sha256"] for each in known.get("artifacts", ()) if "sha256" in each}


def _redacted(known: Object) -> bool:
    return any(str(each).startswith("/reads/") for each in known.get("redacted", ()))
