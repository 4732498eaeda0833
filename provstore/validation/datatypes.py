"""The datatypes of XML Schema that SPARQL knows: which lexical forms are theirs, and how their values compare.

Values are exact: integers and decimals of any length, seconds as fractions. Moments without a time zone compare with
those that have one only where no time zone could make it otherwise (XML Schema 1.1 part 2 §3.3.7.4, ±14 hours).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any, TypeAlias

from provstore.rdf import XSD
from provstore.validation.terms import parts

_INTEGER = re.compile(r"[+-]?[0-9]+\Z")
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)\Z")
_DOUBLE = re.compile(r"(?:[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|[+-]?INF|NaN)\Z")
_ZONE = r"(Z|[+-](?:0[0-9]|1[0-3]):[0-5][0-9]|[+-]14:00)?\Z"
_YEAR = r"(-?(?:[1-9][0-9]{3,}|0[0-9]{3}))"
_DAY = _YEAR + r"-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_CLOCK = r"(?:([01][0-9]|2[0-3]):([0-5][0-9]):([0-5][0-9](?:\.[0-9]+)?)|(24:00:00(?:\.0+)?))"
_DATE_TIME = re.compile(f"{_DAY}T{_CLOCK}{_ZONE}")
_DATE = re.compile(_DAY + _ZONE)
_TIME = re.compile(_CLOCK + _ZONE)
_PARTIAL = {
    "gYear": re.compile(_YEAR + _ZONE),
    "gYearMonth": re.compile(_YEAR + r"-(0[1-9]|1[0-2])" + _ZONE),
    "gMonth": re.compile(r"--(0[1-9]|1[0-2])" + _ZONE),
    "gMonthDay": re.compile(r"--(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])" + _ZONE),
    "gDay": re.compile(r"---(0[1-9]|[12][0-9]|3[01])" + _ZONE),
}
_DURATION = re.compile(
    r"(-)?P(?=[0-9T])(?:([0-9]+)Y)?(?:([0-9]+)M)?(?:([0-9]+)D)?"
    r"(?:T(?=[0-9.])(?:([0-9]+)H)?(?:([0-9]+)M)?(?:([0-9]+(?:\.[0-9]+)?)S)?)?\Z"
)
_HEX = re.compile(r"(?:[0-9a-fA-F]{2})*\Z")
_BASE64 = re.compile(r"(?:(?:[A-Za-z0-9+/] ?){4})*(?:(?:[A-Za-z0-9+/] ?){2}= ?=|(?:[A-Za-z0-9+/] ?){3}=)?\Z")
_LANGUAGE = re.compile(r"[a-zA-Z]{1,8}(?:-[a-zA-Z0-9]{1,8})*\Z")
#: The least and the greatest value of the integer types that have one (XML Schema 1.1 part 2 §3.4).
_RANGES: dict[str, tuple[int | None, int | None]] = {
    "integer": (None, None),
    "long": (-(2**63), 2**63 - 1),
    "int": (-(2**31), 2**31 - 1),
    "short": (-(2**15), 2**15 - 1),
    "byte": (-128, 127),
    "nonNegativeInteger": (0, None),
    "positiveInteger": (1, None),
    "nonPositiveInteger": (None, 0),
    "negativeInteger": (None, -1),
    "unsignedLong": (0, 2**64 - 1),
    "unsignedInt": (0, 2**32 - 1),
    "unsignedShort": (0, 2**16 - 1),
    "unsignedByte": (0, 255),
}
_ZONES = 14 * 3600
_LONGEST = 4000  # digits of a number whose value is looked at; int() of more is refused by Python itself

Value: TypeAlias = "tuple[str, int | Decimal | float | str | bool | _Moment | tuple[int, Fraction]]"


@dataclass(frozen=True, slots=True)
class _Moment:
    """Seconds on the timeline of its kind; in UTC where a time zone is `known`."""

    seconds: int | Fraction
    known: bool


def well_formed(literal: str) -> bool:
    """Whether the lexical form of a literal is one of its datatype; of datatypes that are not known here, any is."""
    return _value(literal) is not None or parts(literal)[1] not in _READERS


def is_integer(datatype: str) -> bool:
    """Whether the values of a datatype are some of the whole numbers."""
    return datatype.startswith(f"<{XSD}") and datatype[len(XSD) + 1 : -1] in _RANGES


def compare(left: str, right: str) -> int | None:
    """-1, 0 or 1 as the SPARQL operators `<`, `=` and `>` (§17.3) order two terms; None where they do not."""
    if left[0] != '"' or right[0] != '"':
        return None
    a, b = _value(left), _value(right)
    if a is None or b is None or a[0] != b[0]:
        return None
    x, y = a[1], b[1]
    if isinstance(x, _Moment) and isinstance(y, _Moment):
        return _moments(x, y)
    if isinstance(x, tuple) and isinstance(y, tuple):
        return _durations(x, y)
    if isinstance(x, float) or isinstance(y, float):
        x, y = _double(x), _double(y)
        if x != x or y != y:
            return None
    return (x > y) - (x < y)  # type: ignore[operator]  # of one kind, hence comparable


@lru_cache(1 << 16)
def _value(literal: str) -> Value | None:
    lexical, datatype, language = parts(literal)
    reader = None if language else _READERS.get(datatype)
    return reader(lexical) if reader else None


def _double(number: Any) -> float:
    try:
        return float(number)
    except OverflowError:
        return float("inf") if number > 0 else float("-inf")


def _moments(x: _Moment, y: _Moment) -> int | None:
    if x.known == y.known:
        return (x.seconds > y.seconds) - (x.seconds < y.seconds)
    apart = x.seconds - y.seconds
    return 1 if apart > _ZONES else -1 if apart < -_ZONES else None


def _durations(x: tuple[int, Fraction], y: tuple[int, Fraction]) -> int | None:
    months, seconds = (x[0] > y[0]) - (x[0] < y[0]), (x[1] > y[1]) - (x[1] < y[1])
    if months and seconds and months != seconds:
        return None
    return months or seconds


# --- lexical forms to values -----------------------------------------------------------------------------------------


def _integer(least: int | None, most: int | None) -> Callable[[str], Value | None]:
    def read(text: str) -> Value | None:
        if not _INTEGER.match(text):
            return None
        number = int(text) if len(text) < _LONGEST else int(Decimal(text))
        fits = (least is None or number >= least) and (most is None or number <= most)
        return ("number", number) if fits else None

    return read


def _decimal(text: str) -> Value | None:
    return ("number", Decimal(text)) if _DECIMAL.match(text) else None


def _float(text: str) -> Value | None:
    return ("number", float(text)) if _DOUBLE.match(text) else None


def _string(text: str) -> Value:
    return "string", text


def _boolean(text: str) -> Value | None:
    return ("boolean", text in ("true", "1")) if text in ("true", "false", "1", "0") else None


def _matches(pattern: re.Pattern[str]) -> Callable[[str], Value | None]:
    """A type whose values have no order: each text is a kind of its own."""

    def read(text: str) -> Value | None:
        return (f"text {text}", text) if pattern.match(text) else None

    return read


def _date_time(text: str) -> Value | None:
    match = _DATE_TIME.match(text)
    if not match:
        return None
    year, month, day, hour, minute, second, midnight, zone = match.groups()
    days = _days(int(year), int(month), int(day))
    return None if days is None else _moment("dateTime", days * 86400 + _clock(hour, minute, second, midnight), zone)


def _date_time_stamp(text: str) -> Value | None:
    value = _date_time(text)
    return value if value and isinstance(value[1], _Moment) and value[1].known else None


def _date(text: str) -> Value | None:
    match = _DATE.match(text)
    days = _days(int(match[1]), int(match[2]), int(match[3])) if match else None
    return None if match is None or days is None else _moment("date", days * 86400, match[4])


def _time(text: str) -> Value | None:
    match = _TIME.match(text)
    return _moment("time", _clock(*match.groups()[:4]) % 86400, match[5]) if match else None


def _partial(kind: str) -> Callable[[str], Value | None]:
    pattern = _PARTIAL[kind]
    places = {"gYear": "y", "gYearMonth": "ym", "gMonth": "m", "gMonthDay": "md", "gDay": "d"}[kind]

    def read(text: str) -> Value | None:
        match = pattern.match(text)
        if not match:
            return None
        given = dict(zip(places, map(int, match.groups()[:-1]), strict=True))
        days = _days(given.get("y", 1972), given.get("m", 12), given.get("d", 1))
        return None if days is None else _moment(kind, days * 86400, match.groups()[-1])

    return read


def _moment(kind: str, seconds: int | Fraction, zone: str | None) -> Value:
    if zone is None:
        return kind, _Moment(seconds, known=False)
    shift = 0 if zone == "Z" else int(zone[1:3]) * 3600 + int(zone[4:6]) * 60
    return kind, _Moment(seconds + (shift if zone[0] == "-" else -shift), known=True)


def _clock(hour: str | None, minute: str | None, second: str | None, midnight: str | None) -> int | Fraction:
    if midnight is not None or hour is None or minute is None or second is None:
        return 86400
    return int(hour) * 3600 + int(minute) * 60 + (int(second) if len(second) == 2 else Fraction(second))


def _days(year: int, month: int, day: int) -> int | None:
    """Days since 1970-01-01 in the proleptic Gregorian calendar; None for a day that a month does not have."""
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if day > (31, 29 if leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)[month - 1]:
        return None
    shifted = year - (month <= 2)
    era, of_era = divmod(shifted, 400)
    of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return era * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719468


def _duration(form: str) -> Callable[[str], Value | None]:
    def read(text: str) -> Value | None:
        match = _DURATION.match(text)
        if not match or not re.search("[0-9]", text):
            return None
        sign, *counts = match.groups()
        if (form == "yearMonth" and any(counts[2:])) or (form == "dayTime" and any(counts[:2])):
            return None
        years, months, days, hours, minutes = (int(count or 0) for count in counts[:5])
        total = years * 12 + months
        seconds = Fraction(days * 86400 + hours * 3600 + minutes * 60) + Fraction(counts[5] or 0)
        return "duration", (-total, -seconds) if sign else (total, seconds)

    return read


_READERS: dict[str, Callable[[str], Value | None]] = {
    f"<{XSD}{name}>": reader
    for name, reader in {
        **{name: _integer(least, most) for name, (least, most) in _RANGES.items()},
        "decimal": _decimal,
        "float": _float,
        "double": _float,
        "string": _string,
        "boolean": _boolean,
        "dateTime": _date_time,
        "dateTimeStamp": _date_time_stamp,
        "date": _date,
        "time": _time,
        **{name: _partial(name) for name in _PARTIAL},
        "duration": _duration("any"),
        "yearMonthDuration": _duration("yearMonth"),
        "dayTimeDuration": _duration("dayTime"),
        "hexBinary": _matches(_HEX),
        "base64Binary": _matches(_BASE64),
        "language": _matches(_LANGUAGE),
    }.items()
}
