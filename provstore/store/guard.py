"""A look at a query before it is run: cheap refusals with a reason. A courtesy; the protection is the worker.

It reads tokens, not grammar. Where the two can be made to differ (`FILTER(?a<1)SERVICE#>` looks like an IRI here) the
query goes on to a worker, which has no network and a clock.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from provstore.errors import QueryRefused

MAX_BYTES = 128 * 1024
MAX_DEPTH = 100
#: How many of each the engine plans or parses in reasonable time and stack; its cost grows faster than they do.
LIMITS = {
    "OPTIONAL": 60,
    "MINUS": 60,
    "EXISTS": 60,
    "SELECT": 60,
    "UNION": 200,
    "GRAPH": 200,
    "steps of a path": 200,
    "triple patterns": 250,
    "operators": 1000,
}

# Possessive throughout, and what does not end is a token too: one pass, however the text was made up. This runs where
# everybody waits.
_TOKEN = re.compile(
    r"""
    (?P<skip>[ \t\r\n]++ | \#[^\n\r]*+
      | <[^<>"{}|^`\\\x00-\x20]*+>
      | \"{3}(?:\"{0,2}(?:[^"\\]|\\.))*+\"{0,3} | '{3}(?:'{0,2}(?:[^'\\]|\\.))*+'{0,3}
      | "(?:[^"\\\n\r]|\\.)*+"? | '(?:[^'\\\n\r]|\\.)*+'?
      | @[A-Za-z]++(?:-\w++)*+ | [?$]\w++
      | [+-]?(?:\d++\.?\d*+|\.\d++)(?:[eE][+-]?\d++)?
      | :(?:[\w:%-]|\.(?=[\w:%.\\-])|\\.)*+)
  | (?P<word>[^\W\d][\w.-]*+(?::(?:[\w:%-]|\.(?=[\w:%.\\-])|\\.)*+)?+)
  | (?P<step>/)
  | (?P<operator>\|\||&&|[!+*|^=<>-])
  | (?P<open>[\[({])
  | (?P<close>[\])}])
  | (?P<dot>[.;,])
  | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_FORMS = {"SELECT", "ASK", "CONSTRUCT", "DESCRIBE"}
_UPDATES = {"INSERT", "DELETE", "LOAD", "CLEAR", "DROP", "CREATE", "ADD", "MOVE", "COPY", "WITH"}
_COUNTED = {"step": "steps of a path", "operator": "operators"}


def check(query: str) -> str:
    """The query's form (SELECT, ASK, CONSTRUCT, DESCRIBE), or QueryRefused with the reason and the line."""
    if len(query.encode(errors="surrogatepass")) > MAX_BYTES:
        raise QueryRefused(f"the query is longer than {MAX_BYTES} bytes")
    form = ""
    brackets: list[str] = []
    counts: Counter[str] = Counter()
    for match in _TOKEN.finditer(query):
        kind, text = match.lastgroup, match[0]
        if kind == "word":
            for word in _keywords(text):
                if word == "SERVICE":
                    raise _refused("SERVICE is not allowed: queries reach nothing but this store", query, match)
                if not form and word in _FORMS | _UPDATES:
                    form = word
                counts[word] += 1
        elif kind == "open":
            brackets.append(text)
            if len(brackets) > MAX_DEPTH:
                raise _refused(f"the query is nested deeper than {MAX_DEPTH} levels", query, match)
        elif kind == "close" and brackets:
            brackets.pop()
        elif kind in _COUNTED:
            counts[_COUNTED[kind]] += 1
        elif kind == "dot" and "(" not in brackets[-1:]:  # between parentheses a comma parts arguments
            counts["triple patterns"] += 1
    for what, most in LIMITS.items():
        if counts[what] > most:
            raise QueryRefused(f"the query has {counts[what]} {what}; at most {most} are allowed")
    if form not in _FORMS:
        raise QueryRefused("SELECT, ASK, CONSTRUCT or DESCRIBE is wanted; this endpoint changes nothing")
    return form


def tokens(query: str) -> Iterator[tuple[str, int, int]]:
    """Kind, start and end of each token but white space and comments; kind is word, open, close or another."""
    for match in _TOKEN.finditer(query):
        if not match[0].isspace() and not match[0].startswith("#"):
            yield match.lastgroup or "", match.start(), match.end()


def _keywords(text: str) -> list[str]:
    """What may be a keyword in a word: no part of a prefixed name, but each part of `true.SERVICE`."""
    return [] if ":" in text else re.split("[.-]", text.upper())


def _refused(reason: str, query: str, match: re.Match[str]) -> QueryRefused:
    return QueryRefused(reason, line=query.count("\n", 0, match.start()) + 1)
