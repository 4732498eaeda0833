"""A look at a query before it is run: cheap refusals with a reason. A courtesy; the protection is the worker."""

from __future__ import annotations

import re

from provstore.errors import QueryRefused

MAX_BYTES = 128 * 1024
MAX_DEPTH = 100
_LIMITS = {"OPTIONAL": 60, "UNION": 200, "GRAPH": 200, "MINUS": 60, "EXISTS": 60, "SELECT": 60}
_MAX_OPERATORS = 1000
_MAX_PATTERNS = 250

_TOKEN = re.compile(
    r"""
    (?P<comment>\#[^\n\r]*)
  | (?P<iri><[^<>"{}|^`\\\x00-\x20]*>)
  | (?P<string>\"{3}(?:(?:\"{1,2})?(?:[^"\\]|\\.))*\"{3}|'{3}(?:(?:'{1,2})?(?:[^'\\]|\\.))*'{3}
      |"(?:[^"\\\n\r]|\\.)*"|'(?:[^'\\\n\r]|\\.)*')
  | (?P<word>[A-Za-z_][\w-]*(?::[\w.%-]*)?|:[\w.%-]+|[?$]\w+)
  | (?P<operator>\|\||&&|[!+*/|^=<>-])
  | (?P<open>[\[({])
  | (?P<close>[\])}])
  | (?P<dot>[.;,])
  | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_FORMS = {"SELECT", "ASK", "CONSTRUCT", "DESCRIBE"}
_UPDATES = {"INSERT", "DELETE", "LOAD", "CLEAR", "DROP", "CREATE", "ADD", "MOVE", "COPY", "WITH"}


def check(query: str) -> str:
    """The query's form (SELECT, ASK, CONSTRUCT, DESCRIBE), or QueryRefused with the reason."""
    if len(query.encode(errors="surrogatepass")) > MAX_BYTES:
        raise QueryRefused(f"the query is longer than {MAX_BYTES} bytes")
    depth = operators = patterns = 0
    counts: dict[str, int] = {}
    form = ""
    for match in _TOKEN.finditer(query):
        kind, text = match.lastgroup, match[0]
        if kind == "open":
            depth += 1
            if depth > MAX_DEPTH:
                raise QueryRefused(f"the query is nested deeper than {MAX_DEPTH} levels", line=_line(query, match))
        elif kind == "close":
            depth -= 1
        elif kind == "operator":
            operators += 1
        elif kind == "dot":
            patterns += 1
        elif kind == "word":
            word = text.upper()
            counts[word] = counts.get(word, 0) + 1
            if word == "SERVICE":
                raise QueryRefused("SERVICE is not allowed: queries reach nothing but this store", line=_line(query, match))
            if not form and word in _FORMS | _UPDATES:
                form = word
    for word, most in _LIMITS.items():
        if counts.get(word, 0) > most:
            raise QueryRefused(f"the query has more than {most} {word}")
    if operators > _MAX_OPERATORS or patterns > _MAX_PATTERNS:
        raise QueryRefused(f"the query has more than {_MAX_OPERATORS} operators or {_MAX_PATTERNS} patterns")
    if form not in _FORMS:
        raise QueryRefused("SELECT, ASK, CONSTRUCT or DESCRIBE is wanted; this endpoint changes nothing")
    return form


def _line(query: str, match: re.Match[str]) -> int:
    return query.count("\n", 0, match.start()) + 1
