"""Where what was typed stands in a text, and the piece of a document that shows it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from provstore.search.terms import Term
from provstore.views.words import Word, words

_AROUND = 60  # characters on each side of the first match in a long text


class Marker:
    """Finds the terms in a text and marks them: pieces of text, of which every second is a match."""

    def __init__(self, terms: list[Term], *, parts: bool) -> None:
        self._terms, self._parts = terms, parts

    def marked(self, text: str, *, whole: bool = False) -> list[str]:
        """The text around its matches; an even number of pieces means that none was found."""
        spans = self._spans(text)
        first, last = 0, len(text)
        if not whole:
            first = max(spans[0][0] - _AROUND, 0) if spans else 0
            last = min((spans[0][1] if spans else 0) + 2 * _AROUND, last)
        pieces, at = [], first
        for start, end in spans:
            if start >= at and end <= last:
                pieces += [text[at:start], text[start:end]]
                at = end
        pieces.append(text[at:last])
        pieces[0] = "…" + pieces[0] if first else pieces[0]
        pieces[-1] += "…" if last < len(text) else ""
        return pieces

    def _spans(self, text: str) -> list[tuple[int, int]]:
        if self._parts:
            found = [m.span() for t in self._terms if t.raw for m in re.finditer(re.escape(t.raw), text, re.IGNORECASE)]
        else:
            held = list(words(text))
            found = [span for term in self._terms if term.words for span in _places(text, held, term)]
        return sorted(found, key=lambda span: (span[0], -span[1]))


def _places(text: str, held: list[Word], term: Term) -> Iterator[tuple[int, int]]:
    """Where a term stands: its words in a row, or run together as parts of one name."""
    wanted = "".join(term.words)
    for first, word in enumerate(held):
        if not (wanted.startswith(word.text) or word.text.startswith(wanted)):
            continue
        said, last = word, word
        row = word.text
        for following in held[first + 1 :]:
            if len(row) >= len(wanted) or (len(term.words) == 1 and not _close(text, last, following)):
                break
            row += following.text
            last = following
        if row == wanted or (term.open and row.startswith(wanted)):
            over = len(row) - len(wanted)
            plain = last.end - last.start == len(last.text)  # as many letters as were typed: mark just these
            yield said.start, last.end - over if plain else last.end


def _close(text: str, one: Word, other: Word) -> bool:
    """Whether two words are parts of one name."""
    return all(c in "_-" for c in text[one.end : other.start])


def snippet(body: dict[str, Any], marker: Marker) -> dict[str, Any] | None:
    """The first field beside the name that holds a match; else the beginning of the description, if there is one."""
    full = "/".join(filter(None, (body.get("namespace"), body.get("job", body["name"]))))
    fields = {name: body.get(name, []) for name in ("columns", "description", "owners", "tags", "names")}
    if len(marker.marked(body["name"])) == 1:  # else these repeat the name
        fields |= {"about": full, "ids": body.get("ids", [])}
    for name, held in (fields | {"sql": body.get("sql", [])}).items():
        for text in [held] if isinstance(held, str) else held:
            pieces = marker.marked(text)
            if len(pieces) > 1:
                return {"field": name, "marked": pieces}
    return {"field": "description", "marked": marker.marked(body["description"])} if "description" in body else None
