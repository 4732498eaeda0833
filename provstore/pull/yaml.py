"""YAML of unknown origin as JSON values: the core schema of YAML 1.2, without tags, and within limits.

DVC reads and writes YAML 1.2, where `no` is text and `1e-3` a number; a reader of YAML 1.1 takes both otherwise.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any, Final

import yaml

from provstore.errors import InvalidInput, TooLarge

#: Bytes of one document.
MAX_BYTES: Final = 16 << 20
#: Values in one document once every alias is written out; a bomb has thousands of millions.
MAX_VALUES: Final = 1_000_000
#: Lists and maps within each other.
MAX_DEPTH: Final = 100

# YAML 1.2.2 §10.3.2, tag resolution of plain scalars
_NULL = {"", "~", "null", "Null", "NULL"}
_TRUTH = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_WHOLE = re.compile(r"(?:[-+]?[0-9]{1,300}|0o[0-7]{1,300}|0x[0-9a-fA-F]{1,300})\Z")
_NUMBER = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")


def load(data: bytes) -> Any:
    """The JSON value of one YAML document; keys are text, and so are numbers that are not finite.

    InvalidInput (with a line where there is one) where the bytes are no YAML, or contain themselves; TooLarge beyond
    the limits above.
    """
    if len(data) > MAX_BYTES:
        raise TooLarge(f"YAML of {len(data)} bytes; at most {MAX_BYTES} are read")
    try:
        return _Reader(data.decode()).document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise InvalidInput(f"not YAML: {error.problem}", line=mark.line + 1 if mark else None) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InvalidInput("not YAML") from error


class _Reader:
    """Values from the parser's events, which it gives one by one: composing nodes first would recurse in C."""

    def __init__(self, text: str) -> None:
        self._events: Iterator[Any] = yaml.parse(text, Loader=yaml.CSafeLoader)
        self._anchors: dict[str, tuple[Any, int]] = {}  # value, and how many values it stands for
        self._count = 0

    def document(self) -> Any:
        value = None
        for number, event in enumerate(e for e in self._events if not isinstance(e, yaml.StreamStartEvent)):
            if isinstance(event, yaml.StreamEndEvent):
                break
            if number:
                raise InvalidInput("more than one YAML document", line=event.start_mark.line + 1)
            value = self._value(next(self._events), 0)
            next(self._events)  # the end of the document
        return value

    def _value(self, event: Any, depth: int) -> Any:
        before = self._count
        self._add(1)
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        if isinstance(event, yaml.ScalarEvent):
            value = _plain(event.value) if event.implicit[0] else event.value
        elif depth == MAX_DEPTH:
            raise InvalidInput(f"YAML nested more than {MAX_DEPTH} deep", line=event.start_mark.line + 1)
        elif isinstance(event, yaml.SequenceStartEvent):
            value = [self._value(each, depth + 1) for each in self._until(yaml.SequenceEndEvent)]
        else:
            value = self._mapping(depth)
        if event.anchor is not None:
            self._anchors[event.anchor] = value, self._count - before
        return value

    def _alias(self, event: Any) -> Any:
        if event.anchor not in self._anchors:  # which an anchor is whose own value has not ended
            raise InvalidInput(f"alias *{event.anchor[:40]} names no value before it", line=event.start_mark.line + 1)
        value, count = self._anchors[event.anchor]
        self._add(count)
        return value

    def _mapping(self, depth: int) -> dict[str, Any]:
        own: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        for event in self._until(yaml.MappingEndEvent):
            key = self._value(event, depth + 1)
            if not isinstance(event, yaml.ScalarEvent) and not isinstance(key, str):
                raise InvalidInput("a YAML key must be text", line=event.start_mark.line + 1)
            value = self._value(next(self._events), depth + 1)
            if isinstance(event, yaml.ScalarEvent) and event.value == "<<" and event.implicit[0]:
                for each in value if isinstance(value, list) else [value]:
                    merged = {**(each if isinstance(each, dict) else {}), **merged}
            else:
                own[event.value if isinstance(event, yaml.ScalarEvent) else key] = value
        return {**merged, **own}

    def _until(self, end: type) -> Iterator[Any]:
        while not isinstance(event := next(self._events), end):
            yield event

    def _add(self, count: int) -> None:
        self._count += count
        if self._count > MAX_VALUES:
            raise TooLarge(f"YAML that stands for more than {MAX_VALUES} values")


def _plain(text: str) -> Any:
    """A plain scalar by the core schema."""
    if text in _NULL:
        return None
    if text in _TRUTH:
        return _TRUTH[text]
    if _WHOLE.match(text):
        base = {"0o": 8, "0x": 16}.get(text[:2], 10)
        return int(text[2:], base) if base != 10 else int(text)
    if _NUMBER.match(text) and math.isfinite(value := float(text)):
        return value
    return text
