"""What all formats of a validation say alike: short names of rules, places, and text that a format can hold."""

from __future__ import annotations

import re
from collections.abc import Iterator

from provstore.errors import ProvStoreError
from provstore.model import Location
from provstore.validation.clauses import cited
from provstore.validation.results import Result, Validation, Verdict
from provstore.validation.snippets import PREFIXES

#: Characters that XML 1.0 (§2.2) cannot hold, and HTML does not want.
_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
#: Neither may they turn the line around (UAX #9): what is quoted is told as it is, and shown harmless.
_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]")


def legal(text: str) -> str:
    """The text with each character that XML cannot hold shown escaped."""
    return _ILLEGAL.sub(_escape, text)


def harmless(text: str) -> str:
    """As `legal`, and what would turn a line around is shown escaped, too."""
    return _TURNING.sub(_escape, legal(text))


def _escape(found: re.Match[str]) -> str:
    number = ord(found[0])
    return f"\\x{number:02x}" if number < 256 else f"\\u{number:04x}" if number < 65536 else f"\\U{number:08x}"


def rule_name(result: Result) -> str:
    """The short name of the rule that found something: the end of its shape's IRI, or that of the component."""
    shape = result.shape
    if "://" in shape or shape.startswith("urn:"):
        return last_part(shape)
    return last_part(result.component) or "validation"


def last_part(iri: str) -> str:
    """What stands after the last `#` or `/` of an IRI."""
    return re.split(r"[#/]", iri.rstrip("#/"))[-1]


def place(where: Location) -> str:
    """A place in words: the file, and the line, column and JSON pointer in it, as far as they are known."""
    inside = [f"line {where.line}"] if where.line is not None else []
    inside += [f"column {where.column}"] if where.line is not None and where.column is not None else []
    inside += [where.pointer] if where.pointer else []
    return " at ".join(filter(None, [where.file, ", ".join(inside)]))


def unread(where: Location, error: ProvStoreError) -> Location:
    """Where a document could not be read: as the error says it, as far as it does."""
    line, pointer = error.line, error.pointer
    return Location(
        where.file, where.line if line is None else line, None, where.pointer if pointer is None else pointer
    )


def title(verdict: Verdict) -> str:
    """What a document is called: its place, or else the record that it would be."""
    return place(verdict.where) or verdict.record or "document"


def found(validation: Validation) -> Iterator[tuple[Verdict, Result]]:
    """Every result with its document."""
    return ((verdict, result) for verdict in validation.verdicts for result in verdict.results)


def path_text(path: str) -> str:
    """A property path with short names, to be read."""
    for prefix, namespace in PREFIXES.items():
        path = path.replace(namespace, f"{prefix}:")
    return path.replace("<", "").replace(">", "")


def about(result: Result) -> str:
    """Focus, path and value of a result on one line, as far as there are any."""
    path = path_text(result.path)
    value = f"= {result.value}" if result.value and result.value != result.focus else ""
    return " ".join(filter(None, (result.focus, path, value)))


def lines(result: Result) -> Iterator[str]:
    """A result in full, for a text that has no structure of its own."""
    if result.location:
        yield place(result.location)
    yield about(result)
    yield result.message
    if result.expected:
        yield f"Expected: {result.expected}"
    if result.clause:
        yield f"Source: {cited(result.clause)}"
    for each in result.details:
        yield f"Because {each.message}"
    if result.fix and result.fix.remove:
        yield f"Take away:\n{result.fix.remove}"
    if result.fix and result.fix.add:
        yield f"Add:\n{result.fix.add}"
