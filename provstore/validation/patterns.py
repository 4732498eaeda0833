"""Regular expressions of sh:pattern, which are those of the SPARQL function REGEX (XPath and XQuery Functions §5.6).

The query engine matches them, in time linear in the text whatever the pattern. Plain patterns on short texts, which
mean the same to Python and cannot run away there, are matched by Python, which is ten times faster.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

import pyoxigraph

from provstore.rdf import literal

_ATOM = r"(?:[^\\\[\](){}.*+?^$|]|\\[-./+*?()\[\]{}|^$\\]|\[\^?(?:[A-Za-z0-9_:./ @#%&=+,;~!]|-)+\])"
_PLAIN = re.compile(rf"\^?{_ATOM}*(?:{_ATOM}(?:[*+?]|\{{[0-9]+(?:,[0-9]*)?\}})?{_ATOM}*){{0,3}}\$?\Z")
_SHORT = 500
_FLAGS = re.compile("[smixq]*\\Z")
_NO_STORE = pyoxigraph.Store()


@lru_cache(1024)
def compiled(regex: str, flags: str) -> Callable[[str], bool]:
    """Whether a text matches somewhere; ValueError for a pattern or flags that the engine does not take."""
    if not _FLAGS.match(flags):
        raise ValueError(f"flags may be s, m, i, x and q, not {flags!r}")
    if _answer(regex, flags, "") is None:
        raise ValueError(f"{regex[:200]!r} with flags {flags!r} is no regular expression that can be matched")
    if flags or not _PLAIN.match(regex):
        return lambda text: bool(_answer(regex, flags, text))
    plain = re.compile(regex.removesuffix("$") + r"\Z" if _anchored(regex) else regex)
    return lambda text: plain.search(text) is not None if len(text) <= _SHORT else bool(_answer(regex, flags, text))


def _anchored(regex: str) -> bool:
    """Whether it ends with a `$` that means the end: Python's would match before a last newline, too."""
    return regex.endswith("$") and not regex.endswith("\\$")


@lru_cache(1 << 14)
def _answer(regex: str, flags: str, text: str) -> bool | None:
    """What the engine answers; None where it is an error."""
    query = f"SELECT (REGEX({literal(text)}, {literal(regex)}, {literal(flags)}) AS ?matches) WHERE {{}}"
    answers = _NO_STORE.query(query)
    found = next(iter(answers))["matches"] if isinstance(answers, pyoxigraph.QuerySolutions) else None
    return None if found is None else str(found.value) == "true"
