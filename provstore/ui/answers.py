"""Answers to queries as tables for pages: terms as links, names, times and numbers; thousands of rows cut short.

Read from the formats that hold one row a line (tab-separated values, N-Triples), so that the rows beyond those shown
are counted without being read.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from provstore import rdf
from provstore.store.query import Answer
from provstore.ui import names
from provstore.vocab import PS

#: How many rows a page shows, and how many characters of one value.
MOST_ROWS, MOST_TEXT = 500, 2000
_PLAIN = re.compile(r"true\Z|false\Z|[+-]?[0-9][0-9.]*\Z")
_LITERAL = re.compile(r'"(?P<text>(?:[^"\\]|\\.)*)"(?:@(?P<language>[\w-]+)|\^\^<(?P<datatype>[^>]*)>)?\Z', re.DOTALL)
_NUMBERS = {
    f"{rdf.XSD}{name}" for name in ("integer", "decimal", "double", "float", "long", "int", "nonNegativeInteger")
}


@dataclass(frozen=True, slots=True)
class Cell:
    """One value: `text` as people read it, `href` the page about it, `full` what stands behind a short form.

    `kind` is iri, term (of a vocabulary), literal, number, time, blank, triple or none.
    """

    kind: str
    text: str = ""
    href: str = ""
    full: str = ""
    role: str = ""
    language: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """The first rows of an answer, and how many it has in all."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    total: int

    @property
    def shown(self) -> int:
        return len(self.rows)

    def iris(self) -> set[str]:
        """Every IRI in the rows or alone in a value, and the datasets of states: what may have a name."""
        terms = {term for row in self.rows for term in row}
        found = {term[1:-1] for term in terms if term.startswith("<") and not term.startswith("<<")}
        texts = {rdf.text_of(term) for term in terms if term.startswith('"') and len(term) < 2000}
        found |= {text for text in texts if rdf.is_iri(text)}
        return found | {names.asset_of(iri) for iri in found}

    def cells(self, described: Mapping[str, Mapping[str, Any]]) -> list[list[Cell]]:
        """The rows for a page, with the names of things that `Service.described` gave."""
        return [[cell(term, described) for term in row] for row in self.rows]

    def counts(self) -> list[bool]:
        """For each column, whether it holds nothing but numbers."""
        columns = zip(*self.rows, strict=True) if self.rows else iter(())
        found = [all(cell(term, {}).kind in ("number", "none") for term in column) for column in columns]
        return found or [False for _ in self.columns]


def taken(answer: Answer, *, graph: bool) -> Table:
    """The table of an answer in tab-separated values, or in N-Triples where it is a `graph`; its file is removed."""
    try:
        lines, total = _lines(answer, MOST_ROWS + (not graph))
    finally:
        if answer.path:
            answer.path.unlink()
    if graph:
        rows = tuple(_triple(line) for line in lines)
        return Table(("subject", "predicate", "object"), rows, total)
    columns = tuple(name.removeprefix("?") for name in lines[0].split("\t")) if lines[0] else ()
    return Table(columns, tuple(tuple(line.split("\t")) if columns else () for line in lines[1:]), total - 1)


def _lines(answer: Answer, most: int) -> tuple[list[str], int]:
    """The first lines of an answer, and how many there are."""
    with answer.path.open("rb") if answer.path else io.BytesIO(answer.body) as file:
        first = [line.decode(errors="replace").rstrip("\n") for line in islice(file, most)]
        return first, len(first) + sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b""))


def _triple(line: str) -> tuple[str, ...]:
    return tuple(line.removesuffix(" .").split(" ", 2))


def cell(term: str, described: Mapping[str, Mapping[str, Any]]) -> Cell:
    """A term as SPARQL's tab-separated values and N-Triples write it; what is of no known form stays as it is."""
    if not term:
        return Cell("none")
    if term.startswith("<<"):
        return Cell("triple", _clipped(term), full=term)
    if term.startswith("<"):
        return _iri(term[1:-1], described)
    if term.startswith("_:"):
        return Cell("blank", term)
    if _PLAIN.match(term):
        return Cell("literal" if term in ("true", "false") else "number", term)
    found = _LITERAL.match(term)
    return _literal(found, described) if found else Cell("literal", _clipped(term), full=term)


def _iri(iri: str, described: Mapping[str, Mapping[str, Any]]) -> Cell:
    if iri.startswith(PS.iri):
        return Cell("term", names.short(iri), f"/ns#{iri.removeprefix(PS.iri)}", iri)
    if any(iri.startswith(start) for start in names.PREFIXES.values()):
        return Cell("term", names.short(iri), "", iri)
    thing = names.thing(iri, described)
    return Cell("iri", _clipped(thing.name), thing.href, iri, thing.role if thing.kind else "")


def _literal(found: re.Match[str], described: Mapping[str, Mapping[str, Any]]) -> Cell:
    text = rdf.text_of(f'"{found["text"]}"')
    datatype = found["datatype"] or ""
    if text in described or names.asset_of(text) in described:
        return _iri(text, described)
    if datatype in _NUMBERS:
        return Cell("number", text)
    if datatype == f"{rdf.XSD}dateTime":
        return Cell("time", text)
    return Cell("literal", _clipped(text), full=datatype and names.short(datatype), language=found["language"] or "")


def _clipped(text: str) -> str:
    return text if len(text) <= MOST_TEXT else f"{text[:MOST_TEXT]}… ({names.number(len(text))} characters)"
