"""What a terminal may be sent: text that cannot drive it, and how many cells of it a text takes."""

from __future__ import annotations

import re
import unicodedata

#: Joiners belong to words of Persian, Hindi and other scripts; they change no order and take no cell.
_JOINERS = "\u200c\u200d"
#: Control and format characters (escape sequences, reversed writing), line separators, halves of surrogate pairs.
_DRIVING = {"Cc", "Cf", "Zl", "Zp", "Cs"}
_SAYS = re.compile(r"\s|^\d")
_IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_SHORT = 24  # cells in which the beginning of an IRI says nothing
_ISOLATE, _END = "\u2068", "\u2069"  # FSI and PDI, UAX #9 §2.4: what stands between orders only itself
_NO_CELL = {*_JOINERS, _ISOLATE, _END}
_BREAKS = re.compile(r"\r\n|[\t\n\r]")


def safe(text: str) -> str:
    """The text on one line, and nothing in it that moves the cursor, changes colours or turns the line around.

    A tab or line break is a space, any other such character is shown as Python would write it: `\\x1b`, `\\u202e`.
    """
    return text if text.isprintable() else _shown(_BREAKS.sub(" ", text), "")


def safe_lines(text: str) -> str:
    """As `safe`, of a text that keeps its tabs and line breaks; a carriage return alone would write over a line."""
    return _shown(text.replace("\r\n", "\n"), "\t\n")


def safe_json(text: str) -> str:
    """JSON that says the same in characters that drive no terminal (RFC 8259 §7 lets any be escaped)."""
    return "".join(json_escape(c) if ord(c) > 126 and _drives(c) else c for c in text) if _odd(text) else text


def json_escape(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))


def _odd(text: str) -> bool:
    return not text.isascii() or "\x7f" in text


def _shown(text: str, kept: str) -> str:
    return "".join(_escaped(c) if _drives(c) and c not in kept else c for c in text)


def _drives(character: str) -> bool:
    return unicodedata.category(character) in _DRIVING and character not in _JOINERS


def _escaped(character: str) -> str:
    number = ord(character)
    return f"\\x{number:02x}" if number < 256 else f"\\u{number:04x}" if number < 65536 else f"\\U{number:08x}"


def width(text: str) -> int:
    """The cells that a text takes: two for a wide East Asian character, none for one that joins the one before."""
    return len(text) if text.isascii() else sum(map(_cells, text))


def _cells(character: str) -> int:
    if character in _NO_CELL or unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def fitted(text: str, size: int) -> str:
    """The text in at most `size` cells.

    A long name loses its middle, an IRI most of its beginning, since they differ at their ends; a sentence or a time
    loses its end.
    """
    if width(text) <= size:
        return text
    room = max(0, size - 1)
    first = room if _SAYS.search(text) else room // 2 if not _IRI.match(text) else room // 4 if room > _SHORT else 0
    head = _first(text, first)
    tail = _first(text[::-1], room - width(head))[::-1] if first < room else ""
    while tail and _cells(tail[0]) == 0:  # what joined a character that is gone
        tail = tail[1:]
    return f"{head}…{tail}"


def _first(text: str, room: int) -> str:
    for end, character in enumerate(text):
        room -= _cells(character)
        if room < 0:
            return text[:end]
    return text


def isolated(text: str) -> str:
    """The text so that right-to-left writing in it does not change the order of what stands beside it."""
    if text.isascii() or not any(unicodedata.bidirectional(c) in ("R", "AL", "AN") for c in text):
        return text
    return f"{_ISOLATE}{text}{_END}"
