"""The canonical JSON of RFC 8785, against the package of that name and the examples of the standard."""

from __future__ import annotations

import json
import math
import struct
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from provstore import jcs

safe = st.integers(-(2**53) + 1, 2**53 - 1)
floats = st.floats(allow_nan=False, allow_infinity=False)
texts = st.text(st.characters(exclude_categories=["Cs"]))
values = st.recursive(
    st.none() | st.booleans() | safe | floats | texts,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(texts, inner, max_size=5),
    max_leaves=20,
)


@given(values)
def test_as_the_reference_writes_it(value: Any) -> None:
    assert jcs.dumps(value).encode() == rfc8785.dumps(value)


@given(values)
def test_what_is_written_reads_back_and_is_written_the_same(value: Any) -> None:
    text = jcs.dumps(value)
    assert json.loads(text, parse_int=float) == value  # as ECMAScript reads it
    assert jcs.dumps(json.loads(text)) == text


@given(st.binary(min_size=8, max_size=8))
def test_any_double_as_ecmascript_prints_it(raw: bytes) -> None:
    (x,) = struct.unpack(">d", raw)
    if math.isfinite(x):
        assert jcs.dumps(x).encode() == rfc8785.dumps(x)


@pytest.mark.parametrize(
    ("bits", "text"),
    [  # RFC 8785 appendix B
        ("0000000000000000", "0"),
        ("8000000000000000", "0"),
        ("0000000000000001", "5e-324"),
        ("8000000000000001", "-5e-324"),
        ("7fefffffffffffff", "1.7976931348623157e+308"),
        ("4340000000000000", "9007199254740992"),
        ("4430000000000000", "295147905179352830000"),
        ("44b52d02c7e14af5", "9.999999999999997e+22"),
        ("44b52d02c7e14af6", "1e+23"),
        ("444b1ae4d6e2ef4e", "999999999999999700000"),
        ("444b1ae4d6e2ef50", "1e+21"),
        ("3eb0c6f7a0b5ed8c", "9.999999999999997e-7"),
        ("3eb0c6f7a0b5ed8d", "0.000001"),
        ("41b3de4355555553", "333333333.3333332"),
        ("becbf647612f3696", "-0.0000033333333333333333"),
        ("43143ff3c1cb0959", "1424953923781206.2"),
    ],
)
def test_numbers_of_the_standard(bits: str, text: str) -> None:
    (x,) = struct.unpack(">d", bytes.fromhex(bits))
    assert jcs.dumps(x) == text
    assert jcs.dumps([x]) == f"[{text}]"


def test_keys_are_sorted_by_utf_16_units() -> None:
    keys = {"\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\U0001f600": 5, "\x80": 6, "\xf6": 7}  # RFC 8785 §3.2.3
    assert list(json.loads(jcs.dumps(keys)).values()) == [2, 4, 6, 7, 1, 5, 3]


def test_integers_beyond_two_to_the_53_are_written_in_full() -> None:
    assert jcs.dumps([2**53 + 1, -(10**30)]) == f"[{2**53 + 1},{-(10**30)}]"


@pytest.mark.parametrize(
    "value", [math.nan, math.inf, -math.inf, [math.nan], "\ud800", {"\udfff": 1}, [1.5, "\ud800"], {"😀\ud800": 1.5}]
)
def test_what_is_no_json_is_refused(value: Any) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the message is Python's own
        jcs.dumps(value)
