"""A payload as people can read it: JSON on lines of its own, other text as it is, bytes in hexadecimal."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

#: How much is shown at once, and how much at all; the rest is for a download.
SHORT, LONG = 6_000, 2_000_000
_BYTES = 512
_DEEPEST = 32  # levels of JSON beyond this are not indented further: a thousand brackets are no picture
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+"|[{}\[\],:]|[^\s{}\[\],:"]+|"')
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Shown:
    """What a page shows of a payload: text, how it was made readable, and how much of it there is.

    `how` is "json", "text" or "bytes"; `more` says that text was left out, `whole` that a page could show it all.
    """

    text: str
    how: str
    size: int
    more: bool
    whole: bool


def shown(payload: bytes, media_type: str, *, everything: bool = False) -> Shown:
    """A payload to be shown, cut to `SHORT` characters, or to `LONG` where everything is wanted."""
    limit = LONG if everything else SHORT
    try:
        text = payload.decode("utf-8-sig")
    except UnicodeDecodeError:
        return _bytes(payload)
    if _CONTROLS.search(text):
        return _bytes(payload)
    is_json = media_type.partition(";")[0].strip().lower().endswith("json")
    found = _cut(_laid_out(text), limit) if is_json else text[: limit + 1]
    more = len(found) > limit
    return Shown(found[:limit], "json" if is_json else "text", len(payload), more, len(text) <= LONG)


def _bytes(payload: bytes) -> Shown:
    rows = []
    for at in range(0, min(len(payload), _BYTES), 16):
        row = payload[at : at + 16]
        letters = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
        rows.append(f"{at:06x}  {row.hex(' '):47}  {letters}")
    return Shown("\n".join(rows), "bytes", len(payload), len(payload) > _BYTES, whole=False)


def _cut(parts: Iterator[str], limit: int) -> str:
    """The parts joined until they pass the limit."""
    found: list[str] = []
    size = 0
    for part in parts:
        found.append(part)
        size += len(part)
        if size > limit:
            break
    return "".join(found)


def _laid_out(text: str) -> Iterator[str]:
    """JSON with a line for each member: every token as it was sent, since numbers and escapes are evidence too."""
    level, before = 0, ""
    for found in _TOKEN.finditer(text):
        token = found[0]
        closes = token in ("}", "]")
        level = max(0, level - closes)
        if before not in ("{", "[") if closes else before in ("{", "[", ","):
            yield _line(level)
        yield ": " if token == ":" else token
        level += token in ("{", "[")
        before = token


def _line(level: int) -> str:
    return "\n" + "  " * min(level, _DEEPEST)
