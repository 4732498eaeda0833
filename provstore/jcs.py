"""JSON Canonicalization Scheme (RFC 8785): one byte string for one JSON value.

Integers outside ±2^53, which RFC 8785 leaves to the reader, are written in full rather than rounded.
"""

from __future__ import annotations

import json
import math
from typing import Any

_SAFE_LOW, _SAFE_HIGH = 1e-4, 1e16  # between these, Python and ECMAScript print a non-integral float alike


def dumps(value: Any) -> str:
    """The canonical text of a JSON value; ValueError for NaN, infinity or a lone surrogate."""
    fast = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    # Python sorts keys by code point and RFC 8785 §3.2.3 by UTF-16 unit; they part only above U+FFFF.
    plain = not _has_float(value) and (fast.isascii() or max(fast) <= "\uffff")
    out = fast if plain else _slow(value)
    if not out.isascii():
        out.encode()  # a lone surrogate has no UTF-8 form: UnicodeEncodeError is a ValueError
    return out


def _has_float(value: Any) -> bool:
    if isinstance(value, float):
        return True
    if isinstance(value, dict):
        return any(_has_float(v) for v in value.values())
    if isinstance(value, list):
        return any(_has_float(v) for v in value)
    return False


def _slow(value: Any) -> str:
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, dict):
        keys = sorted(value, key=lambda k: k.encode("utf-16-be", "surrogatepass"))
        return "{" + ",".join(f"{json.dumps(k, ensure_ascii=False)}:{_slow(value[k])}" for k in keys) + "}"
    if isinstance(value, list):
        return "[" + ",".join(_slow(v) for v in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def _number(x: float) -> str:
    """ECMA-262 Number::toString, which RFC 8785 §3.2.2.3 prescribes."""
    if not math.isfinite(x):
        raise ValueError(f"{x} is not a JSON number")
    if x == int(x) and abs(x) < _SAFE_HIGH:
        return str(int(x))
    if _SAFE_LOW <= abs(x) < _SAFE_HIGH:
        return repr(x)
    mantissa, _, exponent = repr(x).partition("e")
    sign = "-" if mantissa.startswith("-") else ""
    whole, _, fraction = mantissa.lstrip("-").partition(".")
    fraction = "" if fraction == "0" else fraction
    digits = (whole + fraction).lstrip("0")
    point = len(whole) + int(exponent or 0) - (len(whole + fraction) - len(digits))
    digits = digits.rstrip("0")
    if len(digits) <= point <= 21:
        return f"{sign}{digits}{'0' * (point - len(digits))}"
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    tail = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{tail}e{'+' if point > 0 else '-'}{abs(point - 1)}"
