"""The datatypes of XML Schema: lexical forms, ranges, and the order of values."""

from __future__ import annotations

import pytest

from provstore.rdf import XSD, literal
from provstore.validation.datatypes import compare, well_formed


def typed(text: str, datatype: str) -> str:
    return literal(text, f"{XSD}{datatype}")


@pytest.mark.parametrize(
    ("datatype", "good", "bad"),
    [
        ("integer", ["0", "-5", "+007"], ["", "1.0", "1e3", " 1", "١"]),
        ("byte", ["127", "-128"], ["128", "-129", "300"]),
        ("unsignedInt", ["4294967295"], ["4294967296", "-1"]),
        ("positiveInteger", ["1"], ["0"]),
        ("decimal", ["1", "1.", ".5", "-0.10"], ["1e3", ".", "INF"]),
        ("double", ["1", "1e3", "-INF", "NaN", "+INF"], ["inf", "1e", ""]),
        ("boolean", ["true", "false", "1", "0"], ["TRUE", "yes", "2"]),
        ("dateTime", ["2024-02-29T23:59:59.5Z", "2024-01-01T24:00:00", "-0001-01-01T00:00:00+14:00"],
         ["2023-02-29T00:00:00", "2024-01-01", "2024-01-01T24:00:01", "2024-01-01T00:00:00+15:00"]),
        ("dateTimeStamp", ["2024-01-01T00:00:00Z"], ["2024-01-01T00:00:00"]),
        ("date", ["2024-04-30", "2024-04-30Z"], ["2024-04-31", "2024-4-30"]),
        ("time", ["00:00:00", "24:00:00", "13:20:00-05:00"], ["24:00:01", "1:00:00"]),
        ("gYear", ["2024", "-0044", "12024"], ["24", "02024"]),
        ("gMonthDay", ["--02-29"], ["--02-30", "--13-01"]),
        ("duration", ["P1Y2M3DT4H5M6.7S", "-P1D", "PT0S"], ["P", "PT", "1D", "P1S"]),
        ("dayTimeDuration", ["P1DT2H"], ["P1Y"]),
        ("yearMonthDuration", ["P1Y"], ["P1D"]),
        ("hexBinary", ["", "0aFF"], ["0", "0g"]),
        ("base64Binary", ["", "AA==", "AAA=", "AAAA"], ["A", "AA=", "*"]),
        ("language", ["en", "de-CH-1996"], ["", "e n", "muchtoolongtag"]),
    ],
)  # fmt: skip
def test_lexical_forms(datatype: str, good: list[str], bad: list[str]) -> None:
    assert [text for text in good if not well_formed(typed(text, datatype))] == []
    assert [text for text in bad if well_formed(typed(text, datatype))] == []


def test_a_datatype_that_is_not_known_takes_any_text() -> None:
    assert well_formed(literal("whatever", "https://example.org/type"))
    assert well_formed('"text"@en')


@pytest.mark.parametrize(
    ("left", "right", "order"),
    [
        (typed("1", "integer"), typed("1.0", "decimal"), 0),
        (typed("1", "byte"), typed("1.5e0", "double"), -1),
        (typed("100000000000000000000000000001", "integer"), typed("100000000000000000000000000000", "integer"), 1),
        (typed("0.1", "decimal"), typed("0.10", "decimal"), 0),
        (typed("NaN", "double"), typed("1", "integer"), None),
        (typed("9" * 400, "integer"), typed("INF", "double"), 0),
        ('"a"', '"b"', -1),
        ('"a"', '"a"@en', None),
        ('"1"', typed("1", "integer"), None),
        (typed("true", "boolean"), typed("0", "boolean"), 1),
        (typed("2024-01-01T12:00:00Z", "dateTime"), typed("2024-01-01T13:00:00+01:00", "dateTime"), 0),
        (typed("2024-01-01T12:00:00", "dateTime"), typed("2024-01-01T13:00:00Z", "dateTime"), None),
        (typed("2024-01-01T12:00:00", "dateTime"), typed("2024-01-03T13:00:00Z", "dateTime"), -1),
        (typed("2023-12-31T24:00:00Z", "dateTime"), typed("2024-01-01T00:00:00Z", "dateTime"), 0),
        (typed("2024-01-01", "date"), typed("2024-01-01T00:00:00Z", "dateTime"), None),
        (typed("2024-01-02", "date"), typed("2024-01-01", "date"), 1),
        (typed("P1M", "duration"), typed("P30D", "duration"), None),
        (typed("P1D", "dayTimeDuration"), typed("PT24H", "dayTimeDuration"), 0),
        (typed("1e999999999", "decimal"), typed("1", "integer"), None),
        ("<https://example.org/a>", "<https://example.org/a>", None),
        ("_:a", '"a"', None),
    ],
)
def test_order(left: str, right: str, order: int | None) -> None:
    assert compare(left, right) == order
    assert compare(right, left) == (None if order is None else -order)


def test_numbers_of_a_hundred_thousand_digits_are_compared() -> None:
    huge = typed("1" + "0" * 100_000, "integer")
    assert compare(huge, typed("1", "integer")) == 1
    assert compare(huge, typed("1.0", "double")) == 1
    assert well_formed(huge)
