"""What a person types as terms: words, `"phrases"`, `-without`, `begin*`, and how the index is asked for them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from provstore.views.search import WHOLE
from provstore.views.words import words

_TYPED = re.compile(r'(-?)(?:"([^"]*)(?:"|\Z)(\*?)|(\S+))')


@dataclass(frozen=True, slots=True)
class Term:
    """One typed word or phrase: its words in a row; `open` where the last may be the beginning of one."""

    words: tuple[str, ...]
    raw: str
    open: bool
    excluded: bool

    def expression(self) -> str:
        """The term in FTS5's syntax; words hold no character that means something there."""
        end = " *" if self.open else ""
        row = f'"{" ".join(self.words)}"{end}'
        if len(self.words) == 1 or not self.open:
            return row
        return f'({row} OR joined : "{"".join(self.words)}"{end})'


def parse(text: str) -> list[Term]:
    """The terms in what was typed, once each: words, `"phrases"`, `-without`, `begin*`; everything else is literal."""
    terms: dict[Term, None] = {}
    for minus, phrase, star, word in _TYPED.findall(text):
        raw = phrase or word.rstrip("*")
        found = tuple(each.text for each in words(raw))
        if found or not minus:
            terms[Term(found, raw, open=bool(word or star), excluded=bool(minus))] = None
    return list(terms)


def expression(terms: Iterable[Term]) -> str:
    """The FTS5 expression for the terms that are wanted and have words: all of them; or a name that is just them."""
    wanted = [term for term in terms if term.words and not term.excluded]
    if not wanted:
        return ""
    whole = f'joined : "{WHOLE}{"".join(word for term in wanted for word in term.words)}"'
    return f"({' AND '.join(term.expression() for term in wanted)}) OR {whole}"
