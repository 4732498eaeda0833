"""Instants: read as sent, compared exactly, written in one form.

An instant is a *key*: `YYYY-MM-DDTHH:MM:SS.fffffffffZ`, UTC, always nine digits, so that text order is time
order. `lexical(key)` is the same instant as xsd:dateTime without needless zeros.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

_FORM = re.compile(
    r"(?a)"
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d)(?::(\d\d)(?:[.,](\d+))?)?\s*(Z|z|[+-]\d\d:?\d\d|[+-]\d\d)?(?:\[[^\]]*\])?\Z"
)


def key(text: str) -> tuple[str, bool]:
    """The key of an ISO 8601 date-time, and whether it named a time zone (none means UTC).

    Fractions beyond nanoseconds are cut. ValueError where the text is no date-time.
    """
    match = _FORM.match(text.strip())
    if match is None:
        raise ValueError(f"not an ISO 8601 date-time: {text[:60]!r}")
    day, minute, second, fraction, zone = match.groups()
    second = second or "00"
    leap = second == "60"
    moment = datetime.fromisoformat(f"{day}T{minute}:{'59' if leap else second}")
    shift = timedelta(seconds=int(leap))
    if zone and zone not in "Zz":
        sign = -1 if zone[0] == "-" else 1
        digits = zone[1:].replace(":", "")
        shift -= sign * timedelta(hours=int(digits[:2]), minutes=int(digits[2:] or 0))
    try:
        moment += shift
    except OverflowError as error:
        raise ValueError(f"date-time out of range: {text[:60]!r}") from error
    return f"{moment.isoformat()}.{(fraction or '').ljust(9, '0')[:9]}Z", zone is not None


def key_of_milliseconds(since: float) -> str:
    """The key of an instant given in milliseconds since 1970-01-01T00:00Z; OverflowError where it is out of range."""
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=since)
    return key(moment.isoformat())[0]


def lexical(instant: str) -> str:
    """The xsd:dateTime of a key, in the canonical form of XML Schema 1.1 §3.3.7."""
    head, _, fraction = instant[:-1].partition(".")
    fraction = fraction.rstrip("0")
    return f"{head}.{fraction}Z" if fraction else f"{head}Z"


def ticks(instant: str) -> int:
    """A key as a number: tenths of a microsecond since the year 1, UTC; what is finer is cut."""
    day = date(int(instant[:4]), int(instant[5:7]), int(instant[8:10])).toordinal()
    seconds = day * 86_400 + int(instant[11:13]) * 3600 + int(instant[14:16]) * 60 + int(instant[17:19])
    return seconds * 10_000_000 + int(instant[20:27])


def of_ticks(number: int) -> str:
    """The key of the instant that a number of ticks stands for; what `ticks` cut is zero."""
    seconds, rest = divmod(number, 10_000_000)
    day, second = divmod(seconds, 86_400)
    clock = f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"
    return f"{date.fromordinal(day).isoformat()}T{clock}.{rest:07}00Z"


def now() -> str:
    """This instant, to the microsecond, as xsd:dateTime."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
