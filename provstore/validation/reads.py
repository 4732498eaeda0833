"""What a query of SHACL-SPARQL reads: its triple patterns, and how each of them hangs together with the focus node.

A change of the triples matters to a query only through a pattern that matches it. Where that pattern shares variables
with others that every solution must match, up to `$this`, only the focus nodes matter that are found by following
those backwards; where it does not, all do (`chain` None).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from provstore.rdf import RDF
from provstore.validation.paths import Alternative, Inverse, Path, Predicate, Repeated, Sequence
from provstore.validation.prebinding import Token, tokens


class Unreadable(Exception):
    """A query with more in it than is looked at here: any change may matter to it."""


@dataclass(frozen=True, slots=True)
class Link:
    """A step from a variable to another by a pattern that every solution matches, along its path or `back`."""

    path: Path
    back: bool


@dataclass(frozen=True, slots=True)
class Read:
    """A pattern of a query: its path (None: any predicate), and those of its ends that are constants.

    `chain` leads from the pattern's subject, or where it `ends` there from its value, to the variable `of`: this or
    value. None where nothing does.
    """

    path: Path | None
    subject: str | None
    value: str | None
    ends: bool
    chain: tuple[Link, ...] | None
    of: str


def reads(query: str, *, ask: bool) -> tuple[Read, ...]:
    """The patterns of a query with pre-bound variables, of which an ASK query has `value` as well; Unreadable."""
    bound = ("?this", "?value") if ask else ("?this",)
    return tuple(_read(pattern, group, bound) for group in _Parser(query).groups() for pattern in group.patterns)


# -- how patterns hang together ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Pattern:
    subject: str  # a variable as `?name`, or a constant
    path: Path | None
    value: str


@dataclass(slots=True)
class _Group:
    """A group graph pattern: what every solution matches, and how it stands to the one around it.

    `kind` is joined, exists, optional or query; `preceding` is how many patterns of that one stand before it.
    """

    kind: str
    outer: _Group | None
    preceding: int = 0
    patterns: list[_Pattern] = field(default_factory=list)


def _read(pattern: _Pattern, group: _Group, bound: tuple[str, ...]) -> Read:
    subject, value = (None if _is_variable(term) else term for term in (pattern.subject, pattern.value))
    best: tuple[tuple[Link, ...], str, bool] | None = None
    for ends, start in enumerate((pattern.subject, pattern.value)):
        found = _chain(start, group, bound) if _is_variable(start) else None
        if found and (best is None or len(found[0]) < len(best[0])):
            best = (*found, bool(ends))
    chain, of, ends = best or (None, "this", False)
    return Read(pattern.path, subject, value, bool(ends), chain, of)


def _chain(start: str, group: _Group, bound: tuple[str, ...]) -> tuple[tuple[Link, ...], str] | None:
    """The shortest way from a variable to a pre-bound one by patterns that must match where this one matters."""
    waiting: deque[tuple[str, _Group, tuple[Link, ...]]] = deque([(start, group, ())])
    seen = {(start, id(group))}
    while waiting:
        at, within, links = waiting.popleft()
        if at in bound:
            return links, at[1:]
        for variable, where, link in _next(at, within):
            if (variable, id(where)) not in seen:
                seen.add((variable, id(where)))
                waiting.append((variable, where, (*links, link) if link else links))
    return None


def _next(at: str, within: _Group) -> Iterator[tuple[str, _Group, Link | None]]:
    for pattern in within.patterns:
        if pattern.path is not None and at == pattern.value and _is_variable(pattern.subject):
            yield pattern.subject, within, Link(pattern.path, back=True)
        if pattern.path is not None and at == pattern.subject and _is_variable(pattern.value):
            yield pattern.value, within, Link(pattern.path, back=False)
    outer = within.outer
    if outer is None or within.kind == "query":
        return
    # a solution that is only extended, or only tested, must itself have the variable
    binding = outer.patterns[: within.preceding] if within.kind == "optional" else outer.patterns
    if within.kind == "joined" or any(at in (pattern.subject, pattern.value) for pattern in binding):
        yield at, outer, None


def _is_variable(term: str) -> bool:
    return term[0] == "?"


# -- the query as text ------------------------------------------------------------------------------------------------

_TYPE = Predicate(f"<{RDF}type>")


class _Parser:
    """Reads the form of queries that constraints mostly have (SPARQL 1.1 §19.8), and gives up on anything else."""

    def __init__(self, query: str) -> None:
        self._tokens = [token for token in tokens(query) if token.kind != "space"]
        self._at = 0
        self._prefixes: dict[str, str] = {}
        self._groups: list[_Group] = []

    def groups(self) -> list[_Group]:
        self._prologue()
        self._query(None)
        if self._at < len(self._tokens):
            raise Unreadable
        return self._groups

    # -- tokens -------------------------------------------------------------------------------------------------------

    def _peek(self, ahead: int = 0) -> Token:
        at = self._at + ahead
        return self._tokens[at] if at < len(self._tokens) else Token("end", "")

    def _take(self) -> Token:
        token = self._peek()
        if token.kind == "end":
            raise Unreadable
        self._at += 1
        return token

    def _takes(self, text: str) -> bool:
        """Whether the next token is this one, which is then taken."""
        found = self._peek().text == text or (text.isalpha() and self._peek().word == text)
        self._at += found
        return found

    def _expect(self, text: str) -> None:
        if not self._takes(text):
            raise Unreadable

    # -- queries and groups -------------------------------------------------------------------------------------------

    def _prologue(self) -> None:
        while self._takes("PREFIX"):
            name, iri = self._take(), self._take()
            if name.kind != "name" or not name.text.endswith(":") or iri.kind != "iri":
                raise Unreadable
            self._prefixes[name.text[:-1]] = iri.text[1:-1]

    def _query(self, outer: _Group | None) -> None:
        if not self._takes("SELECT"):
            self._expect("ASK")
        while self._peek().text != "{" and not self._takes("WHERE"):
            self._plain()
        self._group("query", outer)
        while self._peek().kind != "end" and self._peek().text != "}":
            self._plain()

    def _plain(self) -> None:
        """A token of what computes with solutions; what looks for more of them is not read here."""
        if self._take().word in ("EXISTS", "SELECT", "FROM", "VALUES", "BASE"):
            raise Unreadable

    def _group(self, kind: str, outer: _Group | None) -> None:
        self._expect("{")
        group = _Group(kind, outer, len(outer.patterns) if outer else 0)
        self._groups.append(group)
        if self._peek().word == "SELECT":
            group.kind = "query"
            self._query(group)
        else:
            while self._peek().text != "}":
                self._element(group)
        self._expect("}")

    def _element(self, group: _Group) -> None:
        if self._takes("."):
            return
        if self._takes("FILTER"):
            self._filter(group)
        elif self._takes("OPTIONAL"):
            self._group("optional", group)
        elif self._takes("BIND"):
            self._expression(None)
        elif self._peek().text == "{":
            self._group("joined", group)
            while self._takes("UNION"):
                self._group("joined", group)
        elif self._peek().kind == "word" and self._peek().word not in ("TRUE", "FALSE"):
            raise Unreadable  # GRAPH, VALUES and whatever else there may be
        else:
            self._triples(group)

    def _filter(self, group: _Group) -> None:
        self._takes("NOT")
        if self._takes("EXISTS"):
            self._group("exists", group)
        else:
            while self._peek().text != "(":  # the name of a function
                if self._take().kind not in ("word", "name", "iri"):
                    raise Unreadable
            self._expression(group)

    def _expression(self, group: _Group | None) -> None:
        """What stands in parentheses; the patterns that it asks for are those of a group, if there may be any."""
        self._expect("(")
        depth = 1
        while depth:
            if self._takes("EXISTS"):
                if group is None:
                    raise Unreadable
                self._group("exists", group)
                continue
            text = self._take().text
            if text in ("{", "}"):
                raise Unreadable
            depth += (text == "(") - (text == ")")

    # -- triple patterns ----------------------------------------------------------------------------------------------

    def _triples(self, group: _Group) -> None:
        subject = self._term()
        while True:
            path = self._verb()
            group.patterns.append(_Pattern(subject, path, self._term()))
            while self._takes(","):
                group.patterns.append(_Pattern(subject, path, self._term()))
            if not self._takes(";"):
                return
            while self._takes(";"):
                pass
            if self._peek().text in (".", "}"):
                return

    def _verb(self) -> Path | None:
        if self._peek().variable:
            # a pre-bound variable may stand there for a predicate that is known: any is taken to match
            self._take()
            return None
        return self._alternative()

    def _term(self) -> str:
        token = self._take()
        if token.variable:
            return f"?{token.variable}"
        if token.kind in ("iri", "name"):
            return self._iri(token)
        if token.kind == "string" or token.word in ("TRUE", "FALSE"):
            if token.kind == "string":
                self._tail()
            return '""'  # any literal: the engine compares its own forms of them
        raise Unreadable

    def _tail(self) -> None:
        """The language tag or datatype of a literal."""
        if self._takes("@"):
            raise Unreadable  # tags come as several tokens
        if self._takes("^"):
            self._expect("^")
            self._take()

    def _iri(self, token: Token) -> str:
        if token.kind == "iri":
            if ":" not in token.text or "\\" in token.text:
                raise Unreadable  # relative to what, is not known here
            return token.text
        text = token.text
        while text.endswith("."):  # the end of a triple, written without a space
            text = text[:-1]
            self._tokens.insert(self._at, Token("other", "."))
        prefix, _, local = text.partition(":")
        if prefix not in self._prefixes or "\\" in local:
            raise Unreadable
        return f"<{self._prefixes[prefix]}{local}>"

    # -- paths --------------------------------------------------------------------------------------------------------

    def _alternative(self) -> Path:
        found = [self._sequence()]
        while self._takes("|"):
            found.append(self._sequence())
        return found[0] if len(found) == 1 else Alternative(tuple(found))

    def _sequence(self) -> Path:
        found = [self._step()]
        while self._takes("/"):
            found.append(self._step())
        return found[0] if len(found) == 1 else Sequence(tuple(found))

    def _step(self) -> Path:
        if self._takes("^"):
            return Inverse(self._step())
        if self._takes("("):
            path = self._alternative()
            self._expect(")")
        elif self._peek().text == "a":
            self._take()
            path = _TYPE
        else:
            token = self._take()
            if token.kind not in ("iri", "name"):
                raise Unreadable
            path = Predicate(self._iri(token))
        for mark in "*+?":
            if self._takes(mark):
                return Repeated(path, mark)
        return path
