"""YAML of unknown origin: what it says by YAML 1.2, and what no document may do to its reader."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provstore.errors import InvalidInput, TooLarge
from provstore.pull import yaml

_LEVELS = range(9)
_BOMB = "a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(
    f"a{n + 1}: &a{n + 1} [{', '.join([f'*a{n}'] * 10)}]\n" for n in _LEVELS
)
_MERGES = "a0: &a0 {k: 1}\n" + "".join(
    f"a{n + 1}: &a{n + 1} {{<<: [{', '.join([f'*a{n}'] * 10)}], k{n}: 1}}\n" for n in _LEVELS
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("true", True),
        ("~", None),
        ("", None),
        ("1e-05", 1e-05),
        ("010", 10),
        ("0o10", 8),
        ("0x1F", 31),
        ("1_000", "1_000"),
        ("12:30", "12:30"),
        ("2026-01-02", "2026-01-02"),
        (".inf", ".inf"),
        ("1e999", "1e999"),
        ("'5'", "5"),
        ("!!str 5", "5"),
        ("!!python/object:os.system [ls]", ["ls"]),
        ("{a: &x {b: 1}, c: {<<: *x, d: 2}, e: *x}", {"a": {"b": 1}, "c": {"b": 1, "d": 2}, "e": {"b": 1}}),
        ("{<<: {a: 1, b: 1}, a: 2}", {"a": 2, "b": 1}),
        ("{1: one}", {"1": "one"}),
    ],
)
def test_plain_scalars_are_those_of_yaml_1_2(text: str, value: object) -> None:
    found = yaml.load(text.encode())
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize("text", [_BOMB, _MERGES], ids=["aliases", "merges"])
def test_a_bomb_is_refused_before_it_goes_off(text: str) -> None:
    assert len(text) < 2000
    with pytest.raises(TooLarge, match="more than 1000000 values"):
        yaml.load(text.encode())


@pytest.mark.parametrize("text", ["[" * 200_000, "{a: " * 100_000, "".join(f"{' ' * n}a:\n" for n in range(3000))])
def test_nesting_has_a_limit_that_no_stack_reaches(text: str) -> None:
    with pytest.raises(InvalidInput, match="nested more than 100 deep"):
        yaml.load(text.encode())


@pytest.mark.parametrize(
    ("data", "message", "line"),
    [
        (b"a: [1", "did not find expected", 2),
        (b"a: 1\n---\nb: 2", "more than one YAML document", 2),
        (b"a: &a [*a]", "names no value before it", 1),
        (b"? [1]\n: 2", "a YAML key must be text", 1),
        (b"\xff\xfe\x00", "not YAML", None),
        (b"a: \x00", "not YAML", None),
    ],
)
def test_what_is_no_yaml_is_refused_with_its_line(data: bytes, message: str, line: int | None) -> None:
    with pytest.raises(InvalidInput, match=message) as caught:
        yaml.load(data)
    assert caught.value.line == line


def test_a_document_has_a_size() -> None:
    with pytest.raises(TooLarge, match="at most"):
        yaml.load(b" " * (yaml.MAX_BYTES + 1))


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**12), 10**12) | st.text(st.characters(codec="ascii"), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", min_size=1), inner, max_size=3),
    max_leaves=8,
)


@given(_VALUES)
def test_json_is_yaml(value: object) -> None:
    """YAML 1.2.2 §1.2: every JSON document is one of YAML, with the same meaning."""
    assert yaml.load(json.dumps(value).encode()) == value


@given(st.binary(max_size=60))
def test_no_bytes_end_in_another_error(data: bytes) -> None:
    with contextlib.suppress(InvalidInput, TooLarge):
        yaml.load(data)
