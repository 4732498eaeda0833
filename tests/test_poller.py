"""The poller before servers that do not answer as one would wish; small servers of such behaviour, and a real store."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from provstore.errors import Misconfigured, SourceUnavailable
from provstore.pull.emitter import Emitter
from provstore.pull.mlflow.files import Bounds
from provstore.pull.mlflow.follow import follow
from provstore.pull.mlflow.listing import Listing
from provstore.pull.mlflow.poller import Options, Poller
from provstore.pull.mlflow.rest import Rest, address
from provstore.settings import MlflowAccess
from tests.pulling import SERVER, emitter, payloads, sinking
from tests.test_rest import Answer, answering, said

_GONE: Answer = 404, {}, b'{"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "no such thing"}'
_PAGE = 2
_CONDITION = re.compile(r"attributes\.(start_time|end_time) > (-?[0-9]+)\Z")


@dataclass(slots=True)
class Tracking:
    """What a server has, told in pages of two; `spoil` may put another answer in the place of one."""

    experiments: list[str] = field(default_factory=lambda: ["0"])
    runs: dict[str, dict[str, Any]] = field(default_factory=dict)
    models: dict[str, dict[str, Any]] = field(default_factory=dict)
    registered: dict[str, dict[str, Any]] = field(default_factory=dict)
    spoil: Callable[[str, dict[str, Any]], Answer | None] = lambda path, body: None

    def run(self, number: int, start: int | None = None, status: str = "FINISHED") -> str:
        name = f"{number:032x}"
        begun = int(time.time() * 1000) if start is None else start
        info = {"run_id": name, "experiment_id": "0", "status": status, "start_time": begun, "end_time": begun}
        self.runs[name] = {"info": info, "data": {}}
        return name

    def model(self, number: int, experiment: str, title: str) -> None:
        name, now = f"m-{number:032x}", int(time.time() * 1000)
        info = {"model_id": name, "experiment_id": experiment, "name": title, "last_updated_timestamp_ms": now}
        self.models[name] = {"info": {**info, "creation_timestamp_ms": number}}

    def __call__(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        place, asked = urlsplit(path), json.loads(body or b"{}")
        route, query = place.path.partition("/mlflow/")[2], parse_qs(place.query)
        if spoilt := self.spoil(route, asked):
            return spoilt
        if route == "experiments/search":
            return self._paged("experiments", [{"experiment_id": each} for each in self.experiments], asked)
        if route == "runs/search":
            return self._paged("runs", [run for run in self.runs.values() if _fits(run, asked["filter"])], asked)
        if route == "logged-models/search":
            (order,) = asked["order_by"]
            field_ = {"last_updated_timestamp": "last_updated_timestamp_ms"}.get(order["field_name"], "model_id")
            listed = [each for each in self.models.values() if each["info"]["experiment_id"] in asked["experiment_ids"]]
            listed.sort(key=lambda each: str(each["info"][field_]), reverse=not order["ascending"])
            return self._paged("models", listed, asked)
        if route == "registered-models/search":
            asked = {"page_token": query["page_token"][0]} if "page_token" in query else {}
            self.spoil(route, asked)
            return self._paged("registered_models", list(self.registered.values()), asked)
        if route == "registered-models/get":
            name = query["name"][0]
            return said(registered_model=self.registered[name]) if name in self.registered else _GONE
        if route == "runs/get":
            return said(run=self.runs[query["run_id"][0]]) if query["run_id"][0] in self.runs else _GONE
        if route.startswith("logged-models/"):
            name = route.partition("/")[2]
            return said(model=self.models[name]) if name in self.models else _GONE
        return said()

    def _paged(self, member: str, listed: list[dict[str, Any]], asked: dict[str, Any]) -> Answer:
        first = int(asked.get("page_token", "0"))
        more = {"next_page_token": str(first + _PAGE)} if first + _PAGE < len(listed) else {}
        return said(**{member: listed[first : first + _PAGE]}, **more)


def _fits(run: dict[str, Any], condition: str) -> bool:
    found = _CONDITION.match(condition)
    if found:
        return int(run["info"][found[1]]) > int(found[2])
    return not condition or run["info"]["status"] in condition


@dataclass(slots=True)
class Capture:
    """A poller of a server of ours, and what it told."""

    poller: Poller
    way: Emitter
    told: list[str]

    def known(self, kind: str) -> set[str]:
        head = f"mlflow {SERVER} {kind} "
        return {key.removeprefix(head) for key in self.way.known if key.startswith(head)}


@contextmanager
def capturing(server: Tracking, folder: Path) -> Iterator[Capture]:
    with answering(server) as url, sinking(folder / "data") as sink:
        told: list[str] = []
        way = emitter(sink, told)
        poller = Poller(Listing(Rest(address(url), MlflowAccess())), way, SERVER, Options(Bounds()), told.append)
        yield Capture(poller, way, told)
        payloads(sink)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ((404, {}, b"default backend - 404"), SourceUnavailable),
        ((404, {}, b"<html>Not Found</html>"), SourceUnavailable),
        ((500, {}, b'{"error_code": "INTERNAL_ERROR"}'), SourceUnavailable),
        ((200, {}, b"<html>maintenance</html>"), Misconfigured),
        ((200, {}, b'{"status": "ok"}'), SourceUnavailable),
    ],
    ids=["a proxy", "no route", "an error", "a page", "another service"],
)
def test_nothing_is_taken_for_deleted_because_something_else_answers(
    answer: Answer, error: type[Exception], tmp_path: Path
) -> None:
    server = Tracking()
    server.run(1)
    server.model(1, "0", "one")
    with capturing(server, tmp_path) as capture:
        capture.poller.sweep(thorough=True)
        server.spoil = lambda route, _: answer if "logged-models" in route else None
        with pytest.raises(error):
            capture.poller.sweep(thorough=True)
        server.spoil = lambda route, _: answer if route != "experiments/search" else None
        with pytest.raises(error):
            capture.poller.sweep(thorough=True)
        assert not capture.known("deletion")
        server.spoil = lambda route, _: None
        before = (capture.way.counts.new, capture.way.counts.changed)
        capture.poller.sweep(thorough=True)
        assert (capture.way.counts.new, capture.way.counts.changed) == before


def test_what_may_no_longer_be_read_is_not_deleted_and_does_not_end_the_capture(tmp_path: Path) -> None:
    server = Tracking()
    hidden, kept = server.run(1), server.run(2)
    with capturing(server, tmp_path) as capture:
        capture.poller.sweep(thorough=True)
        del server.runs[hidden]
        server.spoil = lambda route, _: (403, {}, b"no") if route == "runs/get" else None
        for _ in "12":
            capture.poller.sweep(thorough=False)
        assert capture.known("run") == {hidden, kept}
        assert not capture.known("deletion")
        assert [line for line in capture.told if "no longer be read" in line] == capture.told
        assert len(capture.told) == 1


def test_what_pages_pass_over_because_something_before_it_went_is_not_deleted(tmp_path: Path) -> None:
    server = Tracking()
    names = [server.run(number) for number in range(5)]
    with capturing(server, tmp_path) as capture:
        capture.poller.sweep(thorough=True)

        def gone(route: str, asked: dict[str, Any]) -> None:
            if route == "runs/search" and "page_token" in asked:
                server.runs.pop(names[0], None)

        server.spoil = gone
        capture.poller.sweep(thorough=False)
        assert not capture.known("deletion")
        capture.poller.sweep(thorough=False)
        assert capture.known("deletion") == {f"run {names[0]}"}


def test_an_alias_of_a_model_that_pages_pass_over_was_not_taken_away(tmp_path: Path) -> None:
    server = Tracking()
    for name in "abc":
        server.registered[name] = {"name": name, "aliases": [{"alias": "champion", "version": "1"}]}
    with capturing(server, tmp_path) as capture:
        capture.poller.sweep(thorough=True)

        def gone(route: str, asked: dict[str, Any]) -> None:
            if route == "registered-models/search" and "page_token" in asked:
                server.registered.pop("a", None)  # what comes after it is on the page that was read

        server.spoil = gone
        for _ in "123":
            capture.poller.round()
        changes = {key.rsplit("/", 3)[0][0] for key in capture.known("alias-change") if key.endswith("/")}
        assert changes == {"a"}


@pytest.mark.parametrize("answer", [{"experiments": [{}]}, {"experiments": "no"}, {"experiments": [{"name": "x"}]}])
def test_what_lists_things_without_their_names_is_no_mlflow(answer: dict[str, Any], tmp_path: Path) -> None:
    server = Tracking(spoil=lambda *_: said(**answer))
    with capturing(server, tmp_path) as capture, pytest.raises(SourceUnavailable, match="MLflow lists"):
        capture.poller.sweep(thorough=True)


def test_a_clock_that_is_far_ahead_hides_nothing_from_a_round(tmp_path: Path) -> None:
    server = Tracking()
    server.run(1, start=4_102_444_800_000)  # 2100
    with capturing(server, tmp_path) as capture:
        capture.poller.sweep(thorough=False)
        later = server.run(2)
        capture.poller.round()
        assert later in capture.known("run")


def test_a_round_sees_changed_models_of_every_experiment(tmp_path: Path) -> None:
    server = Tracking(experiments=[str(number) for number in range(205)])
    server.model(1, "0", "one")
    server.models[f"m-{1:032x}"]["info"]["last_updated_timestamp_ms"] = 1
    server.model(2, "204", "two")
    with capturing(server, tmp_path) as capture:
        capture.poller.sweep(thorough=False)
        server.model(3, "204", "three")
        capture.poller.round()
        assert f"m-{3:032x}" in capture.known("logged-model")


class Done(Exception):
    """Enough was seen."""


@dataclass(slots=True)
class Impatient:
    """Waits for nothing, and remembers how long it was to wait; ends after so many times."""

    most: int
    waits: list[float] = field(default_factory=list)
    event: Event = field(default_factory=Event)

    def clear(self) -> None:
        self.event.clear()

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        if len(self.waits) == self.most:
            raise Done


def test_who_follows_goes_on_after_whatever_answered_in_between(tmp_path: Path) -> None:
    server, wake = Tracking(), Impatient(5)
    server.run(1)
    answers: list[Answer] = [
        (200, {}, b"<html>sign in</html>"),
        (401, {}, b""),
        (404, {}, b"default backend - 404"),
    ]

    def spoil(route: str, asked: dict[str, Any]) -> Answer | None:
        turn = len(wake.waits)
        if 1 <= turn <= len(answers):
            return answers[turn - 1]
        if turn and len(server.runs) == 1:
            server.run(2)
        return None

    server.spoil = spoil
    with capturing(server, tmp_path) as capture:
        with pytest.raises(Done):
            follow(capture.poller, 0.5, wake, capture.told.append, lambda: None)  # type: ignore[arg-type]
        assert wake.waits == [0.5, 2.0, 4.0, 8.0, 0.5]
        assert len(capture.told) == len(answers)
        assert len(capture.known("run")) == 2


def test_who_follows_does_not_begin_before_something_that_is_no_mlflow(tmp_path: Path) -> None:
    server = Tracking(spoil=lambda route, asked: (200, {}, b"<html>"))
    with capturing(server, tmp_path) as capture, pytest.raises(Misconfigured):
        follow(capture.poller, 0.5, Event(), capture.told.append, lambda: None)
