"""The journals of aliases in a store: a record for each change, kept by one capture or by several."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from provstore.pull.mlflow import states
from provstore.pull.mlflow.aliases import Aliases, Look
from provstore.pull.mlflow.incarnations import Incarnations
from provstore.pull.mlflow.webhooks import Delivery
from provstore.pull.sink import Sink
from tests.pulling import SERVER, emitter, payloads, sinking
from tests.stores import assert_sound, lines, store_in

_START = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def sink(tmp_path: Path) -> Iterator[Sink]:
    with sinking(tmp_path / "data") as store:
        yield store


def at(second: int) -> str:
    return (_START + timedelta(seconds=second)).isoformat().replace("+00:00", "Z")


class Journals(Aliases):
    """Those of a capture that knows what the store knows now."""

    def __init__(self, sink: Sink) -> None:
        self.way = emitter(sink)
        super().__init__(SERVER, self.way, Incarnations(SERVER, self.way), lambda _: None)


def hook(journal: Journals, version: str, second: int, identifier: str = "d") -> None:
    """A webhook says so; no version: it was taken away."""
    data = {"name": "risk, é/1", "alias": "champion", **({"version": version} if version else {})}
    action = "created" if version else "deleted"
    assert journal.hear(Delivery(f"{identifier}{second}", "model_version_alias", action, at(second), data))


def look(journal: Journals, version: str, began: int, ended: int) -> None:
    """A look shows it; no version: there is no such alias."""
    listed = [{"alias": "champion", "version": version}] if version else []
    said = states.of_registered_model(SERVER, {"name": "risk, é/1", "aliases": listed})
    journal.look([said], Look(float("inf"), at(began), at(ended)), {})
    journal.way.flush()


def history(sink: Sink) -> list[tuple[str | None, str, str | None]]:
    """Version, mark and what it ended, of each change that is live."""
    found = []
    for said in payloads(sink).values():
        change = said["change"]
        found.append((change["version"], change.get("at") or change["before"], said.get("ends")))
    return sorted(found, key=lambda each: each[1])


def test_a_long_history_is_kept_change_by_change(sink: Sink) -> None:
    sizes: list[int] = []

    class Weighed:
        """The store, weighing what comes."""

        known, payload = sink.known, sink.payload

        def send(self, bodies: Any) -> Any:
            sizes.extend(map(len, bodies))
            return sink.send(bodies)

    journal = Journals(Weighed())
    for second in range(60):
        hook(journal, str(second % 3 + 1), second)
    assert len(sizes) == 60  # each change once
    assert max(sizes) < min(sizes) + 60
    assert [version for version, *_ in history(sink)] == [str(second % 3 + 1) for second in range(60)]
    assert [ends for *_, ends in history(sink)] == [None, *(at(second) for second in range(59))]
    again = Journals(sink)
    hook(again, "3", 59, "redelivered")
    look(again, "3", 61, 62)
    assert len(history(sink)) == 60


def test_a_change_ends_what_stood_before_it_whenever_it_is_told(sink: Sink) -> None:
    journal = Journals(sink)
    hook(journal, "1", 1)
    hook(journal, "3", 9)
    hook(journal, "", 12)
    hook(Journals(sink), "2", 5)  # late, and by a capture that was started again
    assert history(sink) == [("1", at(1), None), ("2", at(5), at(1)), ("3", at(9), at(5)), (None, at(12), at(9))]
    hook(Journals(sink), "4", 15)
    assert history(sink)[-1] == ("4", at(15), None)
    assert sorted(each["change"]["delivery"] for each in payloads(sink).values()) == ["d1", "d12", "d15", "d5", "d9"]


def test_a_webhook_that_comes_late_takes_the_place_of_what_looks_saw(sink: Sink) -> None:
    journal = Journals(sink)
    look(journal, "1", 1, 2)
    look(journal, "2", 8, 9)
    hook(Journals(sink), "2", 5)
    assert history(sink) == [("1", at(2), None), ("2", at(5), at(2))]
    look(Journals(sink), "2", 10, 11)
    assert len(history(sink)) == 2


def test_captures_beside_one_another_keep_one_history(sink: Sink) -> None:
    for shift, journal in enumerate([Journals(sink), Journals(sink)]):  # neither knows of what the other sees
        for version, second in (("1", 0), ("2", 10), ("", 20)):
            look(journal, version, second + shift, second + 2 + shift)
        hook(journal, "3", 30, f"sent to capture {shift}, ")
    last = Journals(sink)
    assert last.refresh()
    assert last.way.refresh()  # two records of the webhook
    last.way.settle()
    assert not last.way.refresh()
    assert not last.refresh()
    assert history(sink) == [("1", at(2), None), ("2", at(12), at(2)), (None, at(22), at(12)), ("3", at(30), None)]


def test_a_history_in_one_payload_becomes_changes_that_say_the_same(tmp_path: Path) -> None:
    changes = [
        {"version": "1", "before": at(2), "reported": "look"},
        {"version": "2", "at": at(5), "reported": "webhook", "delivery": "d5", "by": "cleo"},
        {"version": None, "after": at(6), "before": at(9), "reported": "look"},
    ]
    whole = {"provstore": "mlflow/1", "kind": "alias", "server": SERVER, "name": "risk, é/1", "alias": "champion"}

    def about(directory: Path) -> set[str]:
        with store_in(directory) as store:
            assert_sound(store)
            return {line for line in lines(store, "") if "/record/" not in line and "/graph/" not in line}

    with sinking(tmp_path / "data") as sink:
        way = emitter(sink)
        way.offer({**whole, "history": changes})
        way.flush()
    before = about(tmp_path / "data")
    for _ in range(2):  # the second time there is nothing left to do
        with sinking(tmp_path / "data") as sink:
            Journals(sink)
            assert [version for version, *_ in history(sink)] == ["1", "2", None]
    assert about(tmp_path / "data") == before
    with store_in(tmp_path / "data") as store:
        assert store.ledger.head == 1 + len(changes)
