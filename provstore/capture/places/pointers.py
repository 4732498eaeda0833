"""Where in a JSON text the value at a JSON pointer (RFC 6901) begins, and what stands there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

_BLANK = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()


def tokens(pointer: str) -> list[str]:
    """The keys and indices of a pointer."""
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]


def value_at(value: Any, pointer: str) -> Any:
    """What stands at a pointer; None where nothing does."""
    for token in tokens(pointer):
        if isinstance(value, dict):
            value = value.get(token)
        elif isinstance(value, list) and token.isdecimal() and int(token) < len(value):
            value = value[int(token)]
        else:
            return None
    return value


def leaves(value: Any, pointer: str = "") -> Iterator[tuple[str, Any]]:
    """Every string, number, boolean and null in a value, with its pointer."""
    stack = [(pointer, value)]
    while stack:
        at, each = stack.pop()
        if isinstance(each, dict):
            stack += [(f"{at}/{escaped(key)}", child) for key, child in each.items()]
        elif isinstance(each, list):
            stack += [(f"{at}/{index}", child) for index, child in enumerate(each)]
        else:
            yield at, each


def escaped(key: str) -> str:
    """A key as a token of a pointer (RFC 6901 §3)."""
    return key.replace("~", "~0").replace("/", "~1")


def common(pointers: list[str]) -> str:
    """The pointer of the nearest value around all of them."""
    parts = [tokens(each) for each in pointers]
    shared = []
    for level in zip(*parts, strict=False):
        if len(set(level)) > 1:
            break
        shared.append(level[0])
    return "".join(f"/{escaped(token)}" for token in shared)


def offset(text: str, pointer: str) -> int | None:
    """The offset at which the value at a pointer begins; None where there is none. The text is JSON."""
    at = _skip(text, 0)
    for token in tokens(pointer):
        found = _member(text, at, token) if text[at : at + 1] == "{" else _element(text, at, token)
        if found is None:
            return None
        at = found
    return at


def _skip(text: str, at: int) -> int:
    found = _BLANK.match(text, at)
    return found.end() if found else at


def _member(text: str, at: int, key: str) -> int | None:
    """Of members of the same name the last one counts, as for the reader of the payload."""
    found = None
    at = _skip(text, at + 1)
    while text[at] != "}":
        name, at = _DECODER.raw_decode(text, at)
        begin = _skip(text, _skip(text, at) + 1)
        found = begin if name == key else found
        _, at = _DECODER.raw_decode(text, begin)
        at = _skip(text, at)
        at = _skip(text, at + 1) if text[at] == "," else at
    return found


def _element(text: str, at: int, index: str) -> int | None:
    if text[at : at + 1] != "[" or not index.isdecimal():
        return None
    at = _skip(text, at + 1)
    for _ in range(int(index)):
        if text[at] == "]":
            return None
        _, at = _DECODER.raw_decode(text, at)
        at = _skip(text, at)
        at = _skip(text, at + 1) if text[at] == "," else at
    return None if text[at] == "]" else at
