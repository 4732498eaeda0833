"""Request bodies and files as single JSON payloads: one object, an array of them, or one a line; gzip or not."""

from __future__ import annotations

import gzip
import io
import json
import math
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any, Final, NoReturn

from provstore.errors import InvalidInput, TooLarge, UnsupportedMedia

#: Objects and lists within each other, the payload itself counted; deeper ones are refused.
MAX_DEPTH: Final = 200

_LINE_TYPES = {"application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines"}
_CHARSETS = {"utf-8", "utf8", "us-ascii", "ascii"}
_RATIO_FREE = 1 << 20  # bodies that inflate to less are never refused for their ratio
_BLANK = re.compile(r"[ \t\r\n]*")
# a string, a bracket or a comma: enough to find the end of an array's element that is not JSON
# (possessive, and content with an unclosed string, so that hostile text costs one pass)
_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[\]{},]', re.DOTALL)
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_CHARSET = re.compile(r";\s*charset\s*=\s*[\"']?([^\s;\"']*)", re.IGNORECASE)
_ERROR_WORK = 1 << 30  # bytes: for every error in an array the parser counts the lines before it


@dataclass(frozen=True, slots=True)
class Limits:
    """What one body may be: bytes as received, bytes once inflated, their ratio, payloads in it."""

    body_bytes: int = 64 << 20
    inflated_bytes: int = 256 << 20
    inflate_ratio: int = 200
    payloads: int = 100_000


@dataclass(frozen=True, slots=True)
class Part:
    """One payload of a body: its exact bytes, its value (empty where `error` says why), and where it stood.

    `pointer` is its JSON pointer in the body (`/3` in an array, else empty); `line` counts from 1 where payloads
    stand one a line. `begins` is the line and the column of its first character, counted from 1.
    """

    raw: bytes
    value: dict[str, Any] = field(default_factory=dict)
    pointer: str = ""
    line: int | None = None
    error: InvalidInput | None = None
    begins: tuple[int, int] = (1, 1)


def split(body: bytes, media_type: str, content_encoding: str | None, limits: Limits) -> list[Part]:
    """The payloads of a body, in order; at least one.

    A payload has the same bytes whether it was sent alone, in an array or as a line: white space around it is not
    part of it. In an array or between lines a bad payload is a Part with an error and the others are kept; a body
    that is not several payloads raises: InvalidInput (with a line), TooLarge, UnsupportedMedia.
    """
    kind = _media(media_type)
    text = inflated(body, content_encoding, limits).removeprefix(b"\xef\xbb\xbf").rstrip(b" \t\r\n")
    begin = text.lstrip(b" \t\r\n")
    if not begin:
        raise InvalidInput("the body is empty; wanted a JSON object", line=1)
    if _is_lines(begin, kind):
        return _limited(_lines(text), limits)
    if begin.startswith(b"["):
        return _limited(_elements(_decoded(text)), limits)
    before = text[: len(text) - len(begin)]
    place = before.count(b"\n") + 1, len(before) - before.rfind(b"\n")
    return [Part(begin, _single(text), begins=place)]


def _media(media_type: str) -> str:
    charset = _CHARSET.search(media_type)
    if charset is not None and charset[1].lower() not in _CHARSETS:
        raise UnsupportedMedia(f"JSON must be UTF-8 (RFC 8259 §8.1), got charset {charset[1][:40]!r}")
    return media_type.partition(";")[0].strip().lower()


def inflated(body: bytes, content_encoding: str | None, limits: Limits) -> bytes:
    if len(body) > limits.body_bytes:
        raise TooLarge(f"the body has {len(body)} bytes; at most {limits.body_bytes} are taken")
    encoding = (content_encoding or "identity").strip().lower()
    if encoding not in ("identity", "gzip", "x-gzip"):
        raise UnsupportedMedia(f"Content-Encoding must be gzip or absent, got {encoding[:40]!r}")
    if encoding == "identity" and not body.startswith(b"\x1f\x8b"):
        return body
    most = min(limits.inflated_bytes, max(_RATIO_FREE, limits.inflate_ratio * len(body)))
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(body)) as stream:
            out = stream.read(most + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise InvalidInput(f"the body is not whole gzip data: {error}") from error
    if len(out) > most:
        raise TooLarge(f"the body inflates to more than {most} bytes ({len(body)} were received)")
    return out


def _is_lines(text: bytes, kind: str) -> bool:
    """Whether payloads stand one a line: the first line is one, or the media type or each line's start says so."""
    first, more, _ = text.partition(b"\n")
    if not more:
        return False
    if _is_json(first):
        return True
    if kind in _LINE_TYPES or all(line.lstrip()[:1] in (b"{", b"") for line in text.split(b"\n")):
        return not _is_json(text)
    return False


def _is_json(text: bytes) -> bool:
    try:
        json.loads(text.decode())
    except (ValueError, RecursionError):
        return False
    return True


def _limited(parts: Iterator[Part], limits: Limits) -> list[Part]:
    out: list[Part] = []
    for part in parts:
        if len(out) == limits.payloads:
            raise TooLarge(f"the body holds more than {limits.payloads} payloads")
        out.append(part)
    if not out:
        raise InvalidInput("the body holds no payload; wanted at least one JSON object", line=1)
    return out


def _single(text: bytes) -> dict[str, Any]:
    decoded = _decoded(text)
    value, end = _read(decoded, _skip(decoded, 0))
    if end != len(decoded):
        raise InvalidInput("more text follows the JSON object", line=_line_of(decoded, end))
    return _checked(value, text)


def _lines(text: bytes) -> Iterator[Part]:
    for number, line in enumerate(text.split(b"\n"), 1):
        raw = line.strip(b" \t\r")
        if not raw:
            continue
        begins = number, len(line) - len(line.lstrip(b" \t\r")) + 1
        try:
            part = Part(raw, _single(raw), line=number, begins=begins)
        except InvalidInput as error:
            part = Part(raw, line=number, error=InvalidInput(error.detail, line=number))
        yield part


def _elements(text: str) -> Iterator[Part]:
    """The elements of the array that the text is."""
    at = end = _skip(text, _skip(text, 0) + 1)
    bad = seen = 0
    line, line_at = 1, 0
    for index in count():
        if index == 0 and text.startswith("]", at):
            break
        part, end = _element(text, at, f"/{index}")
        line += text.count("\n", seen, at)  # what stands before is counted once
        line_at, seen = max(line_at, text.rfind("\n", seen, at) + 1), at
        yield replace(part, begins=(line, at - line_at + 1))
        bad += part.error is not None
        if bad * len(text) > _ERROR_WORK:
            raise InvalidInput(f"{bad} elements of the array cannot be read", pointer=part.pointer)
        if not text.startswith(",", end):
            break
        at = _skip(text, end + 1)
    if text[end:] != "]":
        rest = text[end:].encode()
        yield Part(rest, error=InvalidInput("the array does not end where the body does", line=_line_of(text, end)))


def _element(text: str, start: int, pointer: str) -> tuple[Part, int]:
    """The element that begins at start, and where the comma or bracket after it stands."""
    try:
        value, stop = _read(text, start)
        end = _skip(text, stop)
        if end < len(text) and text[end] not in ",]":
            raise InvalidInput("a comma or ']' is missing after the element")
    except InvalidInput as error:
        end = _element_end(text, start)
        raw = text[start:end].strip(" \t\r\n").encode()
        return Part(raw, pointer=pointer, error=InvalidInput(error.detail, pointer=pointer)), end
    raw = text[start:stop].encode()
    try:
        return Part(raw, _checked(value, raw), pointer), end
    except InvalidInput as error:
        return Part(raw, pointer=pointer, error=InvalidInput(error.detail, pointer=pointer)), end


def _element_end(text: str, start: int) -> int:
    """Where an unreadable element ends: the next comma or bracket outside strings and nested brackets."""
    depth = 0
    for token in _TOKEN.finditer(text, start):
        mark = token[0]
        if mark in "[{":
            depth += 1
        elif depth == 0 and mark in ",]":
            return token.start()
        elif mark in "]}":
            depth -= 1
    return len(text)


def _skip(text: str, at: int) -> int:
    found = _BLANK.match(text, at)
    return found.end() if found else at


def _line_of(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1


def _decoded(text: bytes) -> str:
    try:
        return text.decode()
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        raise InvalidInput(f"the body is not UTF-8: {error.reason} at byte {error.start}", line=line) from error


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError(f"the number {text[:40]} is out of range")
    return value


# the hooks leave the scanner in C; only numbers with a fraction or an exponent are called back
_DECODER = json.JSONDecoder(parse_constant=_refuse_constant, parse_float=_finite)


def _read(text: str, at: int) -> tuple[Any, int]:
    """The JSON value that begins at an offset, and where it ends."""
    try:
        return _DECODER.raw_decode(text, at)
    except json.JSONDecodeError as error:
        raise InvalidInput(f"not JSON: {error.msg} at column {error.colno}", line=error.lineno) from error
    except RecursionError as error:
        raise InvalidInput(f"nested more than {MAX_DEPTH} deep", line=_line_of(text, at)) from error
    except ValueError as error:  # a constant, a number out of range, an integer of thousands of digits
        raise InvalidInput(f"not JSON: {error}", line=_line_of(text, at)) from error


def _checked(value: object, raw: bytes) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InvalidInput(f"a payload must be a JSON object, got {raw[:40].decode(errors='replace')!r}", line=1)
    _check_depth(value)
    if _SURROGATE.search(raw):
        try:
            json.dumps(value, ensure_ascii=False).encode()
        except UnicodeEncodeError as error:
            raise InvalidInput("a string holds half of a surrogate pair, which is no Unicode text", line=1) from error
    return value


def _check_depth(value: dict[str, Any]) -> None:
    """Breadth first, so that the check itself cannot run out of stack."""
    level: list[Any] = [value]
    for _ in range(MAX_DEPTH):
        level = [
            child
            for parent in level
            for child in (parent.values() if type(parent) is dict else parent)
            if type(child) is dict or type(child) is list
        ]
        if not level:
            return
    raise InvalidInput(f"nested more than {MAX_DEPTH} deep", line=1)
