"""The journal of an alias: what looks and webhooks tell, in whatever order they come."""

from __future__ import annotations

from itertools import permutations

from provstore.pull.mlflow.journal import Alias, instant


def at(second: int) -> str:
    return f"2026-03-01T00:00:{second:02}Z"


def versions(alias: Alias) -> list[tuple[str | None, str]]:
    return [(each["version"], each.get("at") or f"before {each['before']}") for each in alias.changes]


def test_a_look_tells_only_what_is_new() -> None:
    alias = Alias()
    assert alias.seen("1", "", at(5), {})
    assert not alias.seen("1", at(5), at(6), {})
    assert alias.seen(None, at(6), at(7), {})
    assert alias.changes[1] == {"version": None, "after": at(6), "before": at(7)}
    assert alias.version is None


def test_a_webhook_takes_the_place_of_what_two_looks_told_apart() -> None:
    alias = Alias()
    alias.seen("1", "", at(5), {})
    alias.seen("2", at(5), at(9), {})
    assert alias.told("2", at(7), {"reported": "webhook"})
    assert versions(alias) == [("1", f"before {at(5)}"), ("2", at(7))]
    assert not alias.told("2", at(7), {})
    assert not alias.seen("2", at(9), at(11), {})


def test_webhooks_in_any_order_and_twice_give_one_history() -> None:
    told = [("1", at(1)), ("2", at(2)), (None, at(3)), ("1", at(4))]
    for order in permutations(told):
        alias = Alias()
        for version, moment in (*order, *order):
            alias.told(version, moment, {})
        assert versions(alias) == told


def test_a_late_webhook_stands_before_what_was_seen_since() -> None:
    alias = Alias()
    alias.seen("1", "", at(1), {})
    alias.seen("3", at(1), at(9), {})
    assert alias.told("2", at(4), {})
    assert [version for version, _ in versions(alias)] == ["1", "2", "3"]


def test_an_interval_that_would_end_before_it_begins_has_no_beginning() -> None:
    alias = Alias()
    alias.seen("1", at(9), at(5), {})
    assert alias.changes == [{"version": "1", "before": at(5)}]


def test_instants_are_of_utc() -> None:
    assert instant(1_795_711_276.506) == "2026-11-26T16:41:16.506Z"
