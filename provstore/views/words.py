"""Text as the words that are searched for: split where technical names are put together, and folded.

`customer_risk_score`, `customerRiskScore` and `s3://risk/score` are words in a row; a script that writes without spaces
is cut into its characters, so that any part of it is a row of words too. Reader and writer of the index share this, and
a change here makes the index again (`VERSION`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple

#: Part of the view database's version: words already in an index can only be taken out as they were put in.
VERSION = f"1/{unicodedata.unidata_version}"

_MOST_PARTS = 8  # of a compound name, for its joined forms
_ASCII = re.compile(r"[A-Z]+(?![a-z])[a-z0-9]*|[A-Z]?[a-z0-9]+")
#: A name without its separators: what stands between two of anything but these is one identifier.
_IDENTIFIER = re.compile(r"[^\W_](?:[\w-]*[^\W_])?")
#: Marks that people leave out when they type: accents of Latin, Greek and Cyrillic, vowel points of Hebrew and Arabic.
_ACCENTS = re.compile("[\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed]")
#: Scripts written without spaces: Thai, Lao, Myanmar, Khmer, Kana, Han.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)


class Word(NamedTuple):
    """A folded word, and where it stands in the text it was taken from (in code points)."""

    text: str
    start: int
    end: int


def words(text: str) -> Iterator[Word]:
    """The words of a text in order; never an empty one, none with anything but letters, digits and marks in it."""
    if text.isascii():
        for found in _ASCII.finditer(text):
            yield Word(found[0].lower(), found.start(), found.end())
        return
    for start, end in _runs(text):
        for first, last in _humps(text, start, end):
            folded = fold(text[first:last])
            if folded:
                yield Word(folded, first, last)


def fold(text: str) -> str:
    """A word without case, accents and compatibility forms; '' where nothing is left."""
    apart = _ACCENTS.sub("", unicodedata.normalize("NFKD", text).casefold())
    whole = unicodedata.normalize("NFKC", apart)
    return whole if whole.isalnum() else "".join(c for c in whole if _class(c) in "LMN")


def row(text: str) -> str:
    """The words of a text with a space between."""
    if text.isascii():
        return " ".join(_ASCII.findall(text)).lower()
    return " ".join(word.text for word in words(text))


@lru_cache(maxsize=16384)
def joined(name: str) -> str:
    """What the compound parts of a name are when run together: `customerriskscore riskscore` for `customer_risk_score`.

    With them `customerrisk` and `riskscore` find the name as beginnings of words.
    """
    found = []
    for identifier in _IDENTIFIER.findall(name):
        parts = [word.text for word in words(identifier)]
        if 1 < len(parts) <= _MOST_PARTS and not _UNSPACED.search(identifier):
            found += ["".join(parts[first:]) for first in range(len(parts) - 1)]
    return " ".join(found)


def _runs(text: str) -> Iterator[tuple[int, int]]:
    """Where letters, digits and marks stand without anything between."""
    at = 0
    for inside, group in groupby(text, lambda c: c.isalnum() or _class(c) in "LMN"):
        size = sum(1 for _ in group)
        if inside:
            yield at, at + size
        at += size


def _humps(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The parts of a run: at every hump of camelCase, and at every character of an unspaced script."""
    first = start
    for at in range(start + 1, end):
        before, here = text[at - 1], text[at]
        after = text[at + 1] if at + 1 < end else ""
        hump = here.isupper() and (not before.isupper() or after.islower())
        if hump or _UNSPACED.match(here) or _UNSPACED.match(before):
            yield first, at
            first = at
    yield first, end


@lru_cache(maxsize=4096)
def _class(character: str) -> str:
    return unicodedata.category(character)[0]
