"""Pullers on their way to a store: one at a time, and several that write at the same time."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from provstore.cli.sink import opened
from provstore.pull.emitter import Emitter
from provstore.pull.sink import Sink
from provstore.settings import load
from tests.pulling import SERVER, emitter, payloads, sinking
from tests.servers import serving
from tests.stores import assert_sound, lines, store_in

PREFIX = f"mlflow {SERVER} "


@pytest.fixture
def sink(tmp_path: Path) -> Iterator[Sink]:
    with sinking(tmp_path / "data") as store:
        yield store


def state(title: str, number: str = "1") -> dict[str, Any]:
    experiment = {"experiment_id": number, "name": title}
    return {"provstore": "mlflow/1", "kind": "experiment", "server": SERVER, "experiment": experiment}


def say(puller: Emitter, *titles: str) -> None:
    for title in titles:
        puller.offer(state(title))
        puller.flush()


def title(sink: Sink) -> str:
    """What the only live state of the experiment says."""
    (said,) = payloads(sink).values()
    return str(said["experiment"]["name"])


def test_what_is_known_is_not_sent_again_and_what_changed_takes_its_place(sink: Sink) -> None:
    puller = emitter(sink)
    say(puller, "one", "one", "two", "one")
    assert (puller.counts.new, puller.counts.changed) == (1, 2)
    assert title(sink) == "one"
    assert not emitter(sink).offer(state("one"))


@pytest.mark.parametrize("first", [(), ("old",)])
def test_of_two_that_wrote_at_the_same_time_the_last_to_look_leaves_one_state(
    sink: Sink, first: tuple[str, ...]
) -> None:
    say(emitter(sink), *first)
    here, there = emitter(sink), emitter(sink)
    say(here, "late", "later")
    say(there, "latest")
    assert sink.known(PREFIX)[f"{PREFIX}experiment 1"].rivals
    assert here.refresh()
    say(here, "latest")
    assert not here.refresh()
    assert title(sink) == "latest"
    say(there, "newest")  # knows nothing of that
    assert there.refresh()
    say(there, "newest")
    assert not there.refresh()
    assert title(sink) == "newest"


def test_two_that_see_one_thing_differently_do_not_overrule_each_other_for_ever(sink: Sink) -> None:
    told: list[str] = []
    here, there = emitter(sink, told), emitter(sink, told)
    for _ in range(20):
        for puller, seen in ((here, "with values"), (there, "without")):
            puller.refresh()
            say(puller, seen, seen)
    assert here.counts.changed + there.counts.changed < 8
    assert len(told) == 1
    say(here, "changed")
    assert title(sink) == "changed"


def test_what_nobody_sees_any_more_is_left_in_one_of_its_states(sink: Sink) -> None:
    here, there = emitter(sink), emitter(sink)
    say(here, "one")
    say(there, "other")
    assert here.refresh()
    here.settle()
    assert not here.refresh()
    assert title(sink) in ("one", "other")


def test_a_state_may_stand_for_others(sink: Sink) -> None:
    puller = emitter(sink)
    for number in "123":
        puller.offer(state("same", number))
    assert puller.offer(state("same", "1"), [f"{PREFIX}experiment 2", f"{PREFIX}experiment 3"])
    puller.flush()
    assert [*payloads(sink)] == [f"{PREFIX}experiment 1"]
    assert [*puller.known] == [f"{PREFIX}experiment 1"]
    assert not puller.offer(state("same", "1"), [f"{PREFIX}experiment 2"])


def test_a_state_that_a_server_finds_too_large_does_not_take_others_with_it(tmp_path: Path) -> None:
    told: list[str] = []
    with serving(tmp_path / "data", max_body_bytes=3000) as server, opened(load({}, {"server": server.url})) as sink:
        puller = emitter(sink, told)
        for number in range(30):
            puller.offer(state("x" * 4000 if number == 17 else "x" * 400, str(number)))
        puller.flush()
        assert (puller.counts.new, puller.counts.refused) == (29, 1)
        assert not puller.offer(state("x" * 4000, "17"))  # it does not change by being asked again
    (line,) = told
    assert line.startswith(f"{PREFIX}experiment 17: refused: ")


def test_records_of_pullers_that_met_give_one_graph_in_any_order(tmp_path: Path) -> None:
    with sinking(tmp_path / "met") as sink:
        here, there = emitter(sink), emitter(sink)
        say(here, "one", "two")
        say(there, "three")
        here.refresh()
        say(here, "three")
    with store_in(tmp_path / "met") as store:
        assert_sound(store)
        bodies = [bytes(store.ledger.body(index).payload) for index in range(1, store.ledger.head + 1)]
        said = lines(store, "merged") | lines(store, "")
    assert len(bodies) == 4
    about = {line for line in said if "/record/" not in line and "/graph/" not in line}
    for number, order in enumerate([*permutations(bodies)][5::6]):
        with sinking(tmp_path / str(number)) as sink:
            for body in order:
                sink.send([body])
            assert title(sink) == "three"
        with store_in(tmp_path / str(number)) as store:
            found = lines(store, "merged") | lines(store, "")
        assert {line for line in found if "/record/" not in line and "/graph/" not in line} == about
