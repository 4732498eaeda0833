"""Turtle, TriG, N-Triples and N-Quads once more, for the sake of where each term stands.

Reads what the real parser (`capture.syntax`) has taken already; where it does not understand, it says so and nothing is
located. Grammar: RDF 1.1 Turtle §6.5, TriG §4.5; N-Triples is a part of the first, N-Quads has a graph in addition.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urljoin

from provstore import rdf
from provstore.vocab import RDF_TYPE

_NAME = r"(?!\.)[^\s<>\"'{}|^`\\()\[\],;#:@]*"
_MORE = r"-\w·\u0300-\u036f\u200c\u200d\u203f\u2040"  # of PN_CHARS
_TOKEN = re.compile(
    rf"""(?P<blank>[\s﻿]+|\#[^\n\r]*)
    |<(?P<iri>(?:[^\x00-\x20<>"{{}}|^`\\]|\\u[0-9A-Fa-f]{{4}}|\\U[0-9A-Fa-f]{{8}})*)>
    |(?P<long>\"\"\"(?:[^"\\]|\\.|\"(?!\"\"))*+\"\"\"|'''(?:[^'\\]|\\.|'(?!''))*+''')
    |(?P<short>"(?:[^"\\\n\r]|\\.)*+"|'(?:[^'\\\n\r]|\\.)*+')
    |_:(?P<label>[\w](?:[\w.·-]*[\w·-])?)
    |(?P<at>@[A-Za-z]+(?:-[A-Za-z0-9]+)*)
    |(?P<typed>\^\^)
    |(?P<number>[+-]?(?:\d+\.\d*[eE][+-]?\d+|\.?\d+[eE][+-]?\d+|\d*\.\d+|\d+))(?![\w:])
    |(?P<name>{_NAME}:(?:\\[_~.\-!$&'()*+,;=/?\#@%]|[{_MORE}:%]|\.(?=[{_MORE}:%\\.]))*)
    |(?P<word>[A-Za-z]+)
    |(?P<mark>[.;,\[\](){{}}])""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))", re.DOTALL)
_LETTERS = {"t": "\t", "b": "\b", "n": "\n", "r": "\r", "f": "\f"}
#: How the names of blank nodes begin that have none in the document; no label holds a space.
ANONYMOUS = "_: "
_FIRST, _REST, _NIL = (f"<{rdf.RDF}{name}>" for name in ("first", "rest", "nil"))


class NotUnderstood(Exception):
    """The text is not what this reader knows; nothing can be located in it."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A triple as N-Triples writes its terms, and the offsets in the text at which subject, predicate, object begin."""

    subject: str
    predicate: str
    value: str
    at: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    at: int


def statements(text: str, base: str) -> Iterator[Statement]:
    """The statements of a document in order, relative IRIs against `base`; NotUnderstood where it cannot go on."""
    try:
        yield from _Reader(text, base).document()
    except RecursionError as error:
        raise NotUnderstood("nested too deeply") from error


class _Reader:
    """A reader that knows the next token, and collects the statements of each subject."""

    def __init__(self, text: str, base: str) -> None:
        self._text, self._base, self._prefixes = text, base, dict[str, str]()
        self._tokens = self._read()
        self._next = next(self._tokens)
        self._said: list[Statement] = []
        self._fresh = 0

    def _read(self) -> Iterator[_Token]:
        at = 0
        while at < len(self._text):
            found = _TOKEN.match(self._text, at)
            if found is None:
                raise NotUnderstood(f"offset {at}")
            kind = found.lastgroup or ""
            if kind != "blank":
                yield _Token(kind, found[kind], at)
            at = found.end()
        yield _Token("end", "", at)

    def _take(self, *marks: str) -> _Token:
        token = self._next
        if marks and token.text not in marks:
            raise NotUnderstood(f"offset {token.at}")
        if token.kind != "end":
            self._next = next(self._tokens)
        return token

    def _is(self, *marks: str) -> bool:
        return self._next.kind == "mark" and self._next.text in marks

    # --- statements --------------------------------------------------------------------------------------------------

    def document(self) -> Iterator[Statement]:
        while self._next.kind != "end":
            self._block()
            yield from self._said
            self._said.clear()

    def _block(self) -> None:
        word = self._next.text.lower() if self._next.kind in ("at", "word") else ""
        if word in ("@prefix", "prefix", "@base", "base"):
            self._directive(word)
        elif word == "graph":
            self._take()
            self._term()
            self._graph()
        elif self._is("{"):
            self._graph()
        else:
            self._subject(".")

    def _directive(self, word: str) -> None:
        self._take()
        name = self._take().text if "prefix" in word else None
        token = self._take()
        if token.kind != "iri":
            raise NotUnderstood(f"offset {token.at}")
        iri = self._resolved(token.text)
        if name is None:
            self._base = iri
        else:
            self._prefixes[name.removesuffix(":")] = iri
        if word.startswith("@"):
            self._take(".")

    def _graph(self) -> None:
        self._take("{")
        while not self._is("}"):
            self._subject("}")
        self._take("}")
        if self._is("."):
            self._take()

    def _subject(self, end: str) -> None:
        """A subject and all that is said of it, or the name of a graph and the graph."""
        alone = self._is("[")
        subject, at = self._term()
        if self._is("{"):
            self._graph()
            return
        if not (alone and self._is(".", "}")):
            self._predicates(subject, at)
        if end == "." or self._is("."):
            self._take(".")

    def _predicates(self, subject: str, at: int) -> None:
        while True:
            token = self._next
            predicate = RDF_TYPE if token.kind == "word" and token.text == "a" else ""
            where = token.at
            if predicate:
                self._take()
            else:
                predicate, where = self._term()
            self._objects(subject, at, predicate, where)
            if not self._is(";"):
                return
            while self._is(";"):
                self._take()
            if self._is(".", "]", "}"):
                return

    def _objects(self, subject: str, at: int, predicate: str, where: int) -> None:
        while True:
            value, begin = self._term()
            self._said.append(Statement(subject, predicate, value, (at, where, begin)))
            if not self._is(","):
                break
            self._take()
        if self._next.kind in ("iri", "label"):
            self._take()  # the graph of a line of N-Quads

    # --- terms -------------------------------------------------------------------------------------------------------

    def _term(self) -> tuple[str, int]:
        """A term, and where it begins."""
        token = self._take()
        if token.kind == "iri":
            return f"<{self._resolved(token.text)}>", token.at
        if token.kind == "name":
            return f"<{self._named(token)}>", token.at
        if token.kind == "label":
            return f"_:{token.text}", token.at
        if token.kind in ("long", "short"):
            return self._literal(token), token.at
        if token.kind == "number":
            return _number(token.text), token.at
        if token.kind == "word" and token.text in ("true", "false"):
            return rdf.boolean(token.text == "true"), token.at
        if token.kind == "mark" and token.text == "[":
            return self._bracket(token.at), token.at
        if token.kind == "mark" and token.text == "(":
            return self._collection(), token.at
        raise NotUnderstood(f"offset {token.at}")

    def _resolved(self, text: str) -> str:
        iri = _unescaped(text)
        if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", iri):
            return iri
        if not iri or iri.startswith("#"):
            return self._base.partition("#")[0] + iri
        scheme, _, rest = self._base.partition(":")
        whole = urljoin(f"http:{rest}", iri.removesuffix("#"))
        return f"{scheme}:{whole.partition(':')[2]}{'#' if iri.endswith('#') else ''}"

    def _named(self, token: _Token) -> str:
        prefix, _, local = token.text.partition(":")
        if prefix not in self._prefixes:
            raise NotUnderstood(f"offset {token.at}")
        return self._prefixes[prefix] + re.sub(r"\\(.)", r"\1", local)

    def _literal(self, token: _Token) -> str:
        cut = 3 if token.kind == "long" else 1
        text = _unescaped(token.text[cut:-cut])
        if self._next.kind == "at":
            return f"{rdf.literal(text)}{self._take().text.lower()}"  # as the real parser has it
        if self._next.kind == "typed":
            self._take()
            datatype, _ = self._term()
            return rdf.literal(text, None if datatype == f"<{rdf.XSD}string>" else datatype[1:-1])
        return rdf.literal(text)

    def _new(self) -> str:
        self._fresh += 1
        return f"{ANONYMOUS}{self._fresh}"

    def _bracket(self, at: int) -> str:
        node = self._new()
        if not self._is("]"):
            self._predicates(node, at)
        self._take("]")
        return node

    def _collection(self) -> str:
        first = ""
        last = ""
        while not self._is(")"):
            value, at = self._term()
            node = self._new()
            if last:
                self._said.append(Statement(last, _REST, node, (at, at, at)))
            self._said.append(Statement(node, _FIRST, value, (at, at, at)))
            first, last = first or node, node
        end = self._take(")").at
        if last:
            self._said.append(Statement(last, _REST, _NIL, (end, end, end)))
        return first or _NIL


def _number(text: str) -> str:
    kind = "double" if "e" in text.lower() else "decimal" if "." in text else "integer"
    return rdf.literal(text, f"{rdf.XSD}{kind}")


def _unescaped(text: str) -> str:
    if "\\" not in text:
        return text
    return _ESCAPE.sub(lambda m: chr(int(m[1] or m[2], 16)) if m[1] or m[2] else _LETTERS.get(m[3], m[3]), text)
