"""Queries of SHACL-SPARQL: whether they keep to the rules of pre-binding, and terms put in place of variables."""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from provstore.errors import InvalidInput

_TOKEN = re.compile(
    r"""(?P<space>\s+|\#[^\n]*)
    |(?P<iri><[^<>"{}|^`\\\x00-\x20]*>)
    |(?P<string>\"{3}(?:[^\"\\]|\\.|\"(?!\"\"))*\"{3}|'{3}(?:[^'\\]|\\.|'(?!''))*'{3}|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
    |(?P<variable>[?$]\w+)
    |(?P<name>(?:[^\W\d_][\w.-]*)?:(?:[\w:.-]|%[0-9A-Fa-f]{2}|\\.)*)
    |(?P<word>[^\W\d_]\w*)
    |(?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
#: How the IRI that stands for a blank node begins, and one that stands for nothing.
BLANK, NOTHING = "urn:provstore:blank:", "urn:provstore:nothing"
_REFUSED = {
    "MINUS": "MINUS",
    "SERVICE": "federated queries (SERVICE)",
    "VALUES": "VALUES",
}


@dataclass(frozen=True, slots=True)
class Token:
    kind: str
    text: str

    @property
    def word(self) -> str:
        """A keyword in capitals, '' for anything else."""
        return self.text.upper() if self.kind == "word" else ""

    @property
    def variable(self) -> str:
        """The name of a variable, '' for anything else."""
        return self.text[1:] if self.kind == "variable" else ""


def tokens(query: str) -> list[Token]:
    """The tokens of a SPARQL query, with what is between them; joined, they are the query."""
    return [Token(match.lastgroup or "other", match[0]) for match in _TOKEN.finditer(query)]


def refuse(query: str, bound: Collection[str]) -> None:
    """InvalidInput where a query may not be used with pre-bound variables (SHACL §5.2.1, appendix A)."""
    meant = [token for token in tokens(query) if token.kind != "space"]
    for number, token in enumerate(meant):
        if token.word in _REFUSED:
            raise InvalidInput(f"a query with pre-bound variables may not contain {_REFUSED[token.word]}")
        after = meant[number + 1].variable if number + 1 < len(meant) else ""
        if token.word == "AS" and after in bound:
            raise InvalidInput(
                f"a query may not assign to the pre-bound variable ${after} (AS {meant[number + 1].text})"
            )
    for projection in _subqueries(meant):
        missing = [name for name in bound if name not in projection]
        if missing:
            raise InvalidInput(f"a subquery must return every pre-bound variable, here ${', $'.join(missing)}")


def _subqueries(meant: list[Token]) -> Iterator[set[str]]:
    """What each SELECT after the outermost query form projects."""
    starts = [number for number, token in enumerate(meant) if token.word in ("SELECT", "ASK")]
    for start in starts[1:]:
        head = list(itertools.takewhile(lambda t: t.word != "WHERE" and t.text != "{", meant[start + 1 :]))
        projected = {token.variable for token in head if token.variable}
        if any(token.text == "*" for token in head):
            projected |= _in_scope(meant[start + 1 + len(head) :])
        yield projected


def _in_scope(body: list[Token]) -> set[str]:
    """The variables in the patterns of a group: those in expressions are not in scope (SPARQL §18.2.1)."""
    found: set[str] = set()
    braces = parentheses = 0
    for token in body:
        braces += (token.text == "{") - (token.text == "}")
        parentheses += (token.text == "(") - (token.text == ")")
        if token.text == "}" and not braces:
            break
        if token.variable and not parentheses:
            found.add(token.variable)
    return found


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a variable stands: `role` is term, subject, projection, key (of GROUP BY, ORDER BY) or bound.

    `number` tells it from the others: what is projected in its stead gets a name of its own.
    """

    name: str
    written: str
    role: str
    number: int


class Template:
    """A query with places for pre-bound variables, which are replaced by terms (SHACL appendix A: substitution).

    The engine would see a blank node as a variable: data are asked with blank nodes as IRIs that begin with `BLANK`,
    and the functions that tell the two apart are rewritten, unless the data keep theirs (`blanks`). A literal that is a
    subject matches nothing.
    """

    def __init__(self, query: str, *, blanks: bool = False) -> None:
        self.query = query
        self._parts = tuple(_places(tokens(query) if blanks else _told_apart(tokens(query))))
        self.variables = frozenset(part.name for part in self._parts if isinstance(part, _Place))
        self._joined: dict[frozenset[str], tuple[str | _Place, ...]] = {}

    def filled(self, terms: Mapping[str, str]) -> str:
        """The query with each variable of `terms` replaced by its term."""
        names = frozenset(terms)
        parts = self._joined.get(names)
        if parts is None:
            parts = self._joined[names] = tuple(self._join(names))
        return "".join([part if isinstance(part, str) else _filled(part, terms[part.name]) for part in parts])

    def _join(self, names: Collection[str]) -> Iterator[str | _Place]:
        """The places of the variables that are given, and as one text what is between them."""
        text = ""
        for part in self._parts:
            if isinstance(part, str):
                text += part
            elif part.name not in names:
                text += _filled(part, None)
            else:
                yield from (text, part)
                text = ""
        yield text


def _filled(place: _Place, term: str | None) -> str:
    if term is None:
        return f"BOUND({place.written})" if place.role == "bound" else place.written
    match place.role:
        case "bound":
            return "(true)"
        case "projection":
            return f"({term} AS {place.written}_{place.number})"
        case "key":
            return f"({term})"
        case "subject" if term[0] == '"':
            return f"<{NOTHING}>"
    return term


def _places(found: list[Token]) -> Iterator[str | _Place]:
    role, depth, before, number = "", 0, "", 0
    while number < len(found):
        token = found[number]
        number += 1
        depth += (token.text == "(") - (token.text == ")")
        if token.word in ("SELECT", "BY"):
            role, depth = ("projection" if token.word == "SELECT" else "key"), 0
        elif token.word in ("WHERE", "HAVING", "LIMIT", "OFFSET") or token.text in "{}" or (token.word == "ORDER"):
            role = ""
        inside = _bound(found, number - 1)
        if inside:
            number += inside[1]
            yield _Place(inside[0].variable, inside[0].text, "bound", number)
        elif token.variable:
            yield _Place(token.variable, token.text, _role(role if not depth else "", before), number)
        else:
            yield token.text
        before = token.text if token.kind != "space" else before


def _role(role: str, before: str) -> str:
    return role or ("subject" if before in ("{", "}", ".", ")") else "term")


def _bound(found: list[Token], start: int) -> tuple[Token, int] | None:
    """The variable of a BOUND(…) that begins there, and how many tokens follow the word."""
    if found[start].word != "BOUND":
        return None
    after = [(n, token) for n, token in enumerate(found[start + 1 :], 1) if token.kind != "space"][:3]
    if len(after) < 3 or not after[1][1].variable:
        return None
    return after[1][1], after[2][0]


def _told_apart(found: list[Token]) -> list[Token]:
    """isBlank, isIRI and isURI as tests of whether an IRI stands for a blank node; STR of one is an error."""
    for start, token in enumerate(found):
        if token.word in ("ISBLANK", "ISIRI", "ISURI", "STR") and (end := _closing(found, start + 1)):
            inside = "".join(each.text for each in _told_apart(found[start + 1 : end + 1]))
            blank = f'(isIRI{inside} && STRSTARTS(STR{inside}, "{BLANK}"))'
            told = {
                "ISBLANK": blank,
                "STR": f"IF({blank}, 1/0, STR{inside})",
            }.get(token.word, f"(isIRI{inside} && !{blank})")
            return [*found[:start], *tokens(told), *_told_apart(found[end + 1 :])]
    return found


def _closing(found: list[Token], start: int) -> int | None:
    """Where the parenthesis that opens at or after `start` is closed."""
    depth = 0
    for number in range(start, len(found)):
        depth += (found[number].text == "(") - (found[number].text == ")")
        if not depth and found[number].kind != "space":
            return number if found[number].text == ")" else None
    return None


def with_path(query: str, path: str) -> str:
    """The query with `$PATH` replaced by the path of a property shape (SHACL §5.3.1)."""
    return "".join(path if token.variable == "PATH" else token.text for token in tokens(query))


def standalone(query: str) -> str:
    """A query without its prologue, every name in it a whole IRI, so that it can stand within another.

    InvalidInput for a BASE, or a prefix that is not declared.
    """
    found = tokens(query)
    prefixes: dict[str, str] = {}
    start = 0
    meant = [(number, token) for number, token in enumerate(found) if token.kind != "space"]
    while meant and meant[0][1].word in ("PREFIX", "BASE"):
        if meant[0][1].word == "BASE" or len(meant) < 3:
            raise InvalidInput("a query of shapes has no BASE: write whole IRIs, or prefixes")
        prefixes[meant[1][1].text[:-1]] = meant[2][1].text[1:-1]
        start = meant[2][0] + 1
        meant = meant[3:]
    return "".join(_whole(token, prefixes) for token in found[start:]).strip()


def _whole(token: Token, prefixes: Mapping[str, str]) -> str:
    if token.kind != "name":
        return token.text
    prefix, _, local = token.text.partition(":")
    if prefix not in prefixes:
        raise InvalidInput(f"the prefix {prefix}: is not declared")
    unescaped = re.sub(r"\\(.)", r"\1", local)
    return f"<{prefixes[prefix]}{unescaped}>"
