"""Where a query stops being SPARQL, for the many errors that the engine notices at the end of the text only."""

from __future__ import annotations

from dataclasses import dataclass

import pyoxigraph as ox

from provstore.store import guard

#: Of longer queries only the brackets are looked at: the time taken grows with the square of the length.
MOST_CHARACTERS = 20_000
_CLOSING = {"(": ")", "[": "]", "{": "}"}


@dataclass(frozen=True, slots=True)
class Place:
    """The offset of the first token that does not fit; `missing` is the brackets that would make the whole fit."""

    offset: int
    missing: str = ""


def place(query: str) -> Place | None:
    """The place, found by parsing ever shorter beginnings with their open brackets closed; None where there is none.

    For a worker: the engine parses what a stranger wrote.
    """
    held: list[str] = []
    beginnings: list[tuple[int, str]] = [(0, "")]
    starts = []
    for kind, start, end in guard.tokens(query):
        if kind == "open":
            held.append(_CLOSING[query[start:end]])
        elif kind == "close" and (not held or held.pop() != query[start:end]):
            return Place(start)
        starts.append(start)
        beginnings.append((end, "".join(reversed(held))))
    if len(query) > MOST_CHARACTERS:
        return None
    for at in range(len(beginnings) - 1, 0, -1):
        end, closing = beginnings[at]
        if _is_query(f"{query[:end]} {closing}"):
            return Place(end, closing) if at == len(starts) else Place(starts[at])
    return None


def _is_query(text: str) -> bool:
    try:
        ox.Store().query(text)
    except SyntaxError:
        return False
    except (ValueError, RuntimeError, OSError):  # it was read, and could not be evaluated
        return True
    return True
