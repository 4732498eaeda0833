"""Bodies cut into payloads: the same bytes however they were sent, and one bad payload loses no other."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provstore.capture.payloads import MAX_DEPTH, Limits, Part, split
from provstore.errors import InvalidInput, ProvStoreError, TooLarge, UnsupportedMedia
from tests import suites

JSON = "application/json"
LINES = "application/x-ndjson"
LIMITS = Limits(body_bytes=1 << 20, inflated_bytes=2 << 20, inflate_ratio=100, payloads=1000)


def cut(body: bytes, media_type: str = JSON, encoding: str | None = None) -> list[Part]:
    return split(body, media_type, encoding, LIMITS)


def raws(parts: list[Part]) -> list[bytes]:
    assert all(part.error is None for part in parts)
    assert all(json.loads(part.raw) == part.value for part in parts)
    return [part.raw for part in parts]


ONE = b'{"a": "\xc3\xa9 \\u00e9", "b":[1, 2.50],\r\n "c" :{}}'
TWO = b'{"x":"},{ ] \\" ["}'


def test_alone_in_an_array_and_as_a_line_a_payload_has_the_same_bytes() -> None:
    flat = ONE.replace(b"\r\n", b"")
    assert raws(cut(ONE)) == raws(cut(b"\xef\xbb\xbf \n" + ONE + b"\n\n")) == [ONE]
    assert raws(cut(b"[ " + ONE + b" ,\n" + TWO + b"\t]\n")) == raws(cut(b"[" + ONE + b"," + TWO + b"]")) == [ONE, TWO]
    for media in (JSON, LINES, ""):
        assert raws(cut(flat + b"\n" + TWO, media)) == [flat, TWO]
        assert raws(cut(b"\n  " + flat + b" \r\n\r\n" + TWO + b"\n\n", media)) == [flat, TWO]


def test_where_a_payload_stood() -> None:
    assert [(p.pointer, p.line) for p in cut(b"{}")] == [("", None)]
    assert [(p.pointer, p.line) for p in cut(b"[{},{}]")] == [("/0", None), ("/1", None)]
    assert [(p.pointer, p.line) for p in cut(b"\n{}\n\n{}")] == [("", 2), ("", 4)]


def test_one_payload_over_several_lines_is_one_whatever_the_media_type_says() -> None:
    for text in (b'{\n "a": 1\n}', b'{"a":\n{"b":\n{}}}'):
        for media in (JSON, LINES):
            assert raws(cut(text, media)) == [text]
    assert raws(cut(b"[\n{},\n{}\n]", LINES)) == [b"{}", b"{}"]


BAD_LINES = [b"{oops", b"1", b'"x"', b"[]", b"null", b'{"a":NaN}', b'{"a":"\\ud800"}', b'{"a":"\xff"}', b'{"a":1e999}']


@pytest.mark.parametrize("bad", BAD_LINES)
def test_a_bad_line_loses_no_other(bad: bytes) -> None:
    for media in (JSON, LINES):
        first, second, third = cut(TWO + b"\n" + bad + b"\n" + TWO, media)
        assert raws([first, third]) == [TWO, TWO]
        assert second.raw == bad
        assert second.value == {}
        assert second.error is not None
        assert second.error.line == 2


def test_a_bad_first_line_loses_no_other() -> None:
    parts = cut(b"{oops\n{}\n{}")
    assert [part.error is None for part in parts] == [False, True, True]
    assert [part.error is None for part in cut(b"oops\n{}\n", LINES)] == [False, True]


BAD_ELEMENTS = [
    b"1",
    b"null",
    b"[{}]",
    b'"a,b]"',
    b'{"a":NaN}',
    b'{"a":"\\udc00"}',
    b'{"a" "],"}',
    b'{"a":[1,,2]}',
    b"oops",
    b"{} {}",
    b"",
]


@pytest.mark.parametrize("bad", BAD_ELEMENTS)
def test_a_bad_element_loses_no_other(bad: bytes) -> None:
    first, second, third = cut(b"[" + TWO + b" , " + bad + b" ," + TWO + b"]")
    assert raws([first, third]) == [TWO, TWO]
    assert second.raw == bad
    assert second.error is not None
    assert second.error.pointer == "/1"


@pytest.mark.parametrize("tail", [b"", b",", b"] x", b"]]", b',{"a":"', b",{", b" {}]"])
def test_an_array_that_ends_wrongly_says_so_and_keeps_what_could_be_read(tail: bytes) -> None:
    parts = cut(b"[" + TWO + b"," + TWO + tail)
    assert raws([parts[0]]) == [TWO]
    assert parts[-1].error is not None


REFUSED = [
    (b"", "empty"),
    (b" \r\n\t ", "empty"),
    (b"\xef\xbb\xbf", "empty"),
    (b"[]", "no payload"),
    (b"{", "not JSON"),
    (b'{"a":1} x', "more text follows"),
    (b"{}{}", "more text follows"),
    (b"5", "must be a JSON object, got '5'"),
    (b'"text"', "must be a JSON object"),
    (b"<xml/>", "not JSON"),
    (b'{"a":Infinity}', "Infinity is no JSON number"),
    (b'{"a":-Infinity}', "-Infinity"),
    (b'{"a":-1e400}', "out of range"),
    (b'{"a":' + b"9" * 5000 + b"}", "not JSON"),
    (b'{"\\uD800":1}', "surrogate"),
    (b'{"a":"\\udfff\\ud800"}', "surrogate"),
    (b'{"a":"\xff"}', "not UTF-8"),
    (b'{"a":"\xed\xa0\x80"}', "not UTF-8"),
    ('{"a":1}'.encode("utf-16"), "not UTF-8"),
    (b'{"a":1}\x00', "more text follows"),
    (b'{"a":"\x00"}', "not JSON"),
    (b"\x1f\x8b", "gzip"),
    (b"\x1f\x8bgarbage", "gzip"),
    (gzip.compress(b"{}", mtime=0)[:-3], "gzip"),
    (gzip.compress(b"", mtime=0), "empty"),
]


@pytest.mark.parametrize(("body", "words"), REFUSED)
def test_a_body_that_is_no_payload_is_refused(body: bytes, words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        cut(body)


def test_an_error_names_the_line() -> None:
    with pytest.raises(InvalidInput) as caught:
        cut(b'\n{\n "a": 1,\n "b": oops\n}')
    assert caught.value.line == 4


def test_a_pair_of_surrogates_is_text() -> None:
    (part,) = cut(b'{"a":"\\ud83d\\ude00 \\\\ud800"}')
    assert part.value == {"a": "\U0001f600 \\ud800"}


def test_media_types() -> None:
    for media in ("application/json; charset=UTF-8", 'application/json;charset="utf-8"', "", "text/plain", "nonsense"):
        assert raws(cut(b"{}", media)) == [b"{}"]
    for media in ("application/json; charset=utf-16", "application/json; Charset = latin-1"):
        with pytest.raises(UnsupportedMedia):
            cut(b"{}", media)


def test_compressed_bodies() -> None:
    packed = gzip.compress(b"[{},{}]")
    for encoding in (None, "", "gzip", "x-gzip", "GZIP "):
        assert raws(cut(packed, JSON, encoding)) == [b"{}", b"{}"]
    assert raws(cut(gzip.compress(b"{}\n") + gzip.compress(b"{}"))) == [b"{}", b"{}"]
    with pytest.raises(UnsupportedMedia):
        cut(b"{}", JSON, "br")
    with pytest.raises(InvalidInput):
        cut(b"{}", JSON, "gzip")


def test_limits() -> None:
    space = b" " * LIMITS.body_bytes
    with pytest.raises(TooLarge, match="at most"):
        cut(space + b"{}")
    with pytest.raises(TooLarge, match="inflates"):
        cut(gzip.compress(b" " * (2 << 20) + b"{}"))
    with pytest.raises(TooLarge, match="inflates"):
        split(gzip.compress(b" " * (8 << 20) + b"{}"), JSON, None, Limits())
    assert raws(cut(gzip.compress(b" " * 1_000_000 + b"{}"))) == [b"{}"]
    assert len(cut(b"{}\n" * 1000)) == 1000
    for body in (b"{}\n" * 1001, b"[" + b"{}," * 1000 + b"{}]"):
        with pytest.raises(TooLarge, match="more than 1000 payloads"):
            cut(body)


def nested(depth: int) -> bytes:
    return b'{"a":' + b"[" * (depth - 1) + b"]" * (depth - 1) + b"}"


def test_depth() -> None:
    assert raws(cut(nested(MAX_DEPTH))) == [nested(MAX_DEPTH)]
    for depth in (MAX_DEPTH + 1, 500, 100_000):
        with pytest.raises(InvalidInput, match="deep"):
            cut(nested(depth))
        bad, good = cut(b"[" + nested(depth) + b",{}]")
        assert bad.error is not None
        assert raws([good]) == [b"{}"]
    for bomb in (b"[" * 500_000, b'{"a":' * 150_000, b'["' + b'\\"' * 400_000, b'[{"":' * 100_000):
        try:
            assert cut(bomb)[0].error is not None
        except InvalidInput:
            continue


def test_many_unreadable_elements_of_a_large_array_are_given_up() -> None:
    body = b"[" + b"x," * 30_000 + b'{"a":"' + b"\n" * 100_000 + b'"}]'
    with pytest.raises(InvalidInput, match="cannot be read"):
        split(body, JSON, None, Limits())


def test_real_events_come_out_as_they_went_in() -> None:
    files = sorted((suites.path("openlineage") / "events").rglob("*.json"))
    bodies = [file.read_bytes().removeprefix(b"\xef\xbb\xbf").strip() for file in files]
    assert len(bodies) == 150
    for body in bodies:
        assert raws(cut(body)) == [body]
    assert raws(split(b"[" + b",".join(bodies) + b"]", JSON, None, Limits())) == bodies
    lines = [json.dumps(json.loads(body)).encode() for body in bodies]
    assert raws(split(b"\n".join(lines), JSON, None, Limits())) == lines


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
_GARBAGE = st.binary(max_size=60) | st.text('[]{},:"\\ \n1aué', max_size=60).map(str.encode)
_OBJECTS = st.dictionaries(st.text(), _VALUES, max_size=3)


@settings(max_examples=100, deadline=None)
@given(st.lists(_OBJECTS, min_size=1, max_size=4), st.booleans(), st.sampled_from(["", " ", "\t", "\r"]))
def test_any_payloads_any_way(values: list[dict[str, Any]], ascii_only: bool, blank: str) -> None:
    texts = [json.dumps(value, ensure_ascii=ascii_only).encode() for value in values]
    space = blank.encode()
    array = b"[" + b",".join(space + text + space for text in texts) + b"]"
    lines = b"\n".join(space + text + space for text in texts)
    assert raws(cut(array)) == raws(cut(lines, LINES)) == raws(cut(gzip.compress(lines))) == texts


@settings(max_examples=300, deadline=None)
@given(
    st.binary(max_size=60) | st.text('[]{},:"\\ \n1aué', max_size=60).map(str.encode), st.sampled_from([JSON, LINES])
)
def test_garbage_is_parts_or_a_refusal(body: bytes, media: str) -> None:
    try:
        parts = cut(body, media)
    except ProvStoreError as error:
        assert isinstance(error, InvalidInput)  # noqa: PT017
        return
    assert parts
    raws([part for part in parts if part.error is None])
