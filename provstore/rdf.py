"""N-Quads in the canonical form of RDFC-1.0 (§4.2 of RDF 1.1 N-Quads canonical form): written, split, digested."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from typing import Any

from provstore import iris
from provstore.errors import InvalidInput

XSD = "http://www.w3.org/2001/XMLSchema#"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"

_BAD_IRI = re.compile(r'[\x00-\x20<>"{}|^`\\\ud800-\udfff]')
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_ESCAPE = re.compile(r'[\x00-\x1f"\\\x7f]')
_SHORT = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}


def is_iri(text: str) -> bool:
    """Whether the text can stand between < and > as an absolute IRI."""
    return _SCHEME.match(text) is not None and _BAD_IRI.search(text) is None


def literal(text: str, datatype: str | None = None) -> str:
    """A literal term; `datatype` is an absolute IRI, none means xsd:string."""
    if _ESCAPE.search(text):
        text = _ESCAPE.sub(lambda m: _SHORT.get(m[0]) or f"\\u{ord(m[0]):04X}", text)
    return f'"{text}"' if datatype is None else f'"{text}"^^<{datatype}>'


def boolean(value: bool) -> str:
    return f'"{str(value).lower()}"^^<{XSD}boolean>'


def integer(value: int) -> str:
    return f'"{value}"^^<{XSD}integer>'


def date_time(lexical: str) -> str:
    return f'"{lexical}"^^<{XSD}dateTime>'


def seal(base: str, lines: set[str]) -> tuple[str, bytes]:
    """The record IRI and the sorted N-Quads of a record whose lines name it `iris.PLACEHOLDER`.

    The digest in the IRI is the SHA-256 of the sorted lines with the placeholder in them.
    """
    ordered = sorted(lines)
    held = "".join(ordered)
    digest = hashlib.sha256(held.encode()).hexdigest()
    record = iris.record(base, digest)
    # the end of a line stands in no literal, which has its line breaks escaped
    held = held.replace(f" <{iris.PLACEHOLDER}> .\n", f" <{record}> .\n")
    if iris.PLACEHOLDER in held:
        ordered = sorted([_renamed(line, record) for line in held.split("\n")[:-1]])
        held = "\n".join([*ordered, ""])
    return record, held.encode()


def _renamed(line: str, record: str) -> str:
    """The line with the placeholder replaced in its IRIs; a literal that happens to hold the text keeps it."""
    if iris.PLACEHOLDER not in line:
        return line
    head, quote, rest = line.partition('"')
    if not quote:
        return line.replace(iris.PLACEHOLDER, record)
    text, _, tail = rest.rpartition('"')
    return f'{head.replace(iris.PLACEHOLDER, record)}"{text}"{tail.replace(iris.PLACEHOLDER, record)}'


def split(line: str) -> tuple[str, str, str, str]:
    """The four terms of a canonical N-Quads line, as written (graph '' in the default graph)."""
    subject, predicate, rest = line.rstrip("\n")[:-2].split(" ", 2)
    if rest.startswith('"'):
        end = rest.rfind('"')
        tail = rest[end:]
        cut = tail.find(" ")
        if cut < 0:
            return subject, predicate, rest, ""
        return subject, predicate, rest[: end + cut], tail[cut + 1 :]
    value, _, graph = rest.partition(" ")
    return subject, predicate, value, graph


def triples(quads: str) -> Iterator[tuple[str, str, str]]:
    """Subject, predicate and object of each line of canonical N-Quads, as written."""
    lines = quads.split("\n")[:-1]  # never splitlines(): literals hold U+2028 and its kin unescaped
    graph = one_graph(quads, lines)
    if graph is None:
        yield from ((subject, predicate, value) for subject, predicate, value, _ in map(split, lines))
        return
    end = -len(f" {graph} .")
    for line in lines:
        subject, predicate, rest = line.split(" ", 2)
        yield subject, predicate, rest[:end]


def one_graph(quads: str, lines: list[str]) -> str | None:
    """The graph that all lines of canonical N-Quads are in, as a term; None where they are in several, or in none."""
    graph = split(lines[0])[3] if lines else ""
    return graph if graph and quads.count(f" {graph} .\n") == len(lines) else None


_UNESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))")
_LONG = {v[1]: k for k, v in _SHORT.items()}


def text_of(term: str) -> str:
    """The lexical form of a literal term, or the text of an IRI term."""
    if term.startswith("<"):
        return term[1:-1]
    body = term[1 : term.rfind('"')]
    if "\\" not in body:
        return body
    return _UNESCAPE.sub(lambda m: chr(int(m[1] or m[2], 16)) if m[1] or m[2] else _LONG[m[3]], body)


def quad_line(quad: Any) -> str:
    """The canonical N-Quads line of a pyoxigraph quad, its literals escaped as RDFC-1.0 prescribes."""
    graph = str(quad.graph_name)
    return f"{quad.subject} {quad.predicate} {_written(quad.object)}{'' if graph == 'DEFAULT' else f' {graph}'} .\n"


def _written(term: Any) -> str:
    if not hasattr(term, "datatype"):
        return str(term)
    if term.language:
        return f"{literal(term.value)}@{term.language}"
    datatype = term.datatype.value
    return literal(term.value, None if datatype == f"{XSD}string" else datatype)


def json_value(text: str, where: str) -> Any:
    """The value of a JSON text; InvalidInput naming where it stood."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"{where}: not JSON: {error}") from error
