"""The journal of an alias: what looks and webhooks tell, in whatever order they come."""

from __future__ import annotations

from itertools import permutations

from provstore.pull.mlflow.journal import Alias, Change, instant


def at(second: int) -> str:
    return f"2026-03-01T00:00:{second:02}Z"


def told(version: str, second: int) -> Change:
    return Change(version, at=at(second))


def versions(alias: Alias) -> list[tuple[str, str]]:
    return [(each.version, each.at or f"before {each.before}") for each in alias.changes]


def test_a_look_tells_only_what_is_new() -> None:
    alias = Alias()
    for version, after, before in [("1", "", 5), ("1", at(5), 6), ("", at(6), 7), ("", at(7), 8)]:
        alias.see(version, after, at(before))
    assert versions(alias) == [("1", f"before {at(5)}"), ("", f"before {at(7)}")]
    assert alias.changes[1] == Change("", before=at(7), after=at(6))
    assert alias.version == ""


def test_a_webhook_takes_the_place_of_what_two_looks_told_apart() -> None:
    alias = Alias()
    alias.see("1", "", at(5))
    alias.see("2", at(5), at(9))
    alias.take([told("2", 7)])
    alias.take([told("2", 7)])
    alias.see("2", at(9), at(11))
    assert versions(alias) == [("1", f"before {at(5)}"), ("2", at(7))]


def test_a_look_between_a_change_and_its_webhook_tells_of_the_same_change() -> None:
    for changes in permutations([("2", at(9), ""), ("2", "", at(10)), ("1", "", at(3))]):
        alias = Alias()
        for version, before, webhook in changes:
            alias.take([Change(version, at=webhook, before=before, after=at(5) if before else "")])
        assert versions(alias) == [("1", at(3)), ("2", at(10))]
    alias.take([told("2", 20)])  # given once more
    assert versions(alias) == [("1", at(3)), ("2", at(10)), ("2", at(20))]


def test_what_a_look_saw_long_before_a_webhook_stays() -> None:
    alias = Alias()
    alias.see("2", "", at(9))
    alias.take([told("2", 30)])
    assert versions(alias) == [("2", f"before {at(9)}"), ("2", at(30))]


def test_webhooks_in_any_order_and_twice_give_one_history() -> None:
    history = [("1", 1), ("2", 2), ("", 3), ("1", 4)]
    for order in permutations(history):
        alias = Alias()
        for version, second in (*order, *order):
            alias.take([told(version, second)])
        assert versions(alias) == [(version, at(second)) for version, second in history]


def test_a_late_webhook_stands_before_what_was_seen_since() -> None:
    alias = Alias()
    alias.see("1", "", at(1))
    alias.see("3", at(1), at(9))
    alias.take([told("2", 4)])
    assert [version for version, _ in versions(alias)] == ["1", "2", "3"]


def test_what_a_look_saw_stays_where_late_webhooks_tell_of_something_before_it() -> None:
    alias = Alias()
    alias.see("1", "", at(1))
    alias.see("2", at(1), at(9))
    alias.take([told("2", 3), told("3", 5)])  # and that it became 2 once more no webhook tells
    assert versions(alias) == [("1", f"before {at(1)}"), ("2", at(3)), ("3", at(5)), ("2", f"before {at(9)}")]


def test_two_captures_that_look_at_one_server_see_one_change() -> None:
    mine, theirs = Alias(), Alias()
    mine.see("1", "", at(5))
    theirs.see("1", "", at(6))
    theirs.see("2", at(6), at(8))
    mine.see("2", at(5), at(9))
    mine.take(theirs.changes)
    assert versions(mine) == [("1", f"before {at(5)}"), ("2", f"before {at(8)}")]


def test_an_interval_that_would_end_before_it_begins_has_no_beginning() -> None:
    alias = Alias()
    alias.see("1", at(9), at(5))
    assert alias.changes == (Change("1", before=at(5)),)


def test_a_look_stands_after_the_webhooks_that_came_before_it_whatever_the_clocks_say() -> None:
    alias = Alias()
    alias.take([told("1", 30)])
    alias.see("", at(20), at(29))
    assert versions(alias) == [("1", at(30)), ("", "before 2026-03-01T00:00:30.001Z")]


def test_a_change_is_read_from_its_words_as_it_was_said() -> None:
    for change in (told("1", 2), Change("", before=at(3)), Change("2", before=at(3), after=at(1))):
        assert Change.told(change.said()) == change


def test_instants_are_of_utc() -> None:
    assert instant(1_795_711_276.506) == "2026-11-26T16:41:16.506Z"
