"""Instants: many ways to send one, one key for it, and text order that is time order."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provstore import times

zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
moments = st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 30), timezones=zones)


@pytest.mark.parametrize(
    ("text", "key", "zoned"),
    [
        ("2024-01-02T03:04:05Z", "2024-01-02T03:04:05.000000000Z", True),
        ("2024-01-02T03:04:05z", "2024-01-02T03:04:05.000000000Z", True),
        ("2024-01-02 03:04:05", "2024-01-02T03:04:05.000000000Z", False),
        ("2024-01-02T03:04", "2024-01-02T03:04:00.000000000Z", False),
        (" 2024-01-02T03:04:05.5+01:00 ", "2024-01-02T02:04:05.500000000Z", True),
        ("2024-01-02T03:04:05,25-0530", "2024-01-02T08:34:05.250000000Z", True),
        ("2024-01-02T03:04:05 +02", "2024-01-02T01:04:05.000000000Z", True),
        ("2024-01-02T03:04:05.123456789123Z", "2024-01-02T03:04:05.123456789Z", True),
        ("2024-01-02T03:04:05+01:00[Europe/Berlin]", "2024-01-02T02:04:05.000000000Z", True),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00.000000000Z", True),
        ("2024-01-01T00:30:00+01:00", "2023-12-31T23:30:00.000000000Z", True),
    ],
)
def test_the_ways_producers_write_an_instant(text: str, key: str, zoned: bool) -> None:
    assert times.key(text) == (key, zoned)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2024-01-02",
        "2024-13-02T03:04:05Z",
        "2024-02-30T03:04:05Z",
        "2024-01-02T25:04:05Z",
        "2024-01-02T03:04:61Z",
        "2024-01-02T03:04:05.Z",
        "2024-01-02T03:04:05Z more",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:60Z",
        "٢٠٢٤-01-02T03:04:05Z",
        "1704164645",
    ],
)
def test_what_is_no_instant_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - in part Python's own message
        times.key(text)


@given(st.text())
def test_garbage_is_refused_as_such(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        times.key(text)


@given(moments, moments)
def test_the_order_of_keys_is_the_order_in_time(one: datetime, other: datetime) -> None:
    keys = [times.key(each.isoformat())[0] for each in (one, other)]
    assert (keys[0] < keys[1]) == (one < other)
    assert (keys[0] == keys[1]) == (one == other)


@given(moments)
def test_the_lexical_form_is_canonical_and_the_same_instant(moment: datetime) -> None:
    key, zoned = times.key(moment.isoformat())
    lexical = times.lexical(key)
    assert zoned
    assert times.key(lexical) == (key, True)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d*[1-9])?Z", lexical)
    assert datetime.fromisoformat(key[:26] + "+00:00") == moment


def test_now_is_an_instant() -> None:
    key, zoned = times.key(times.now())
    assert zoned
    assert abs(datetime.fromisoformat(key[:26] + "+00:00") - datetime.now(UTC)) < timedelta(minutes=1)
