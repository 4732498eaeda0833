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


class Offsets:
    """Where the values of a JSON text begin; each object and list is read once, however many pointers lead into it."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._inside: dict[int, dict[str, int]] = {}

    def at(self, pointer: str) -> int | None:
        """The offset at which the value at a pointer begins; None where there is none."""
        at: int | None = _skip(self._text, 0)
        for token in tokens(pointer):
            if at is None:
                break
            if at not in self._inside:
                self._inside[at] = dict(_children(self._text, at))
            at = self._inside[at].get(token)
        return at


def _skip(text: str, at: int) -> int:
    found = _BLANK.match(text, at)
    return found.end() if found else at


def _children(text: str, at: int) -> Iterator[tuple[str, int]]:
    """Key or index, and offset, of what is in the object or list that begins at an offset.

    Of members of the same name the last one counts, as for the reader of the payload: it comes last.
    """
    kind = text[at : at + 1]
    if kind not in ("{", "["):
        return
    at = _skip(text, at + 1)
    index = 0
    while text[at] not in "}]":
        key = str(index)
        if kind == "{":
            key, at = _DECODER.raw_decode(text, at)
            at = _skip(text, _skip(text, at) + 1)
        yield key, at
        _, at = _DECODER.raw_decode(text, at)
        at = _skip(text, at)
        at = _skip(text, at + 1) if text[at] == "," else at
        index += 1
