"""Turtle that mends something: terms written short, templates filled, and the prefixes that a snippet needs."""

from __future__ import annotations

import re
from collections.abc import Iterable

from provstore import rdf

#: The prefixes that a snippet may use, and every short name that is told; other terms are full IRIs.
PREFIXES = {
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "prov": "http://www.w3.org/ns/prov#",
    "ps": "https://w3id.org/provstore/ns#",
    "rdf": rdf.RDF,
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "schema": "https://schema.org/",
    "xsd": rdf.XSD,
}
_LOCAL = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*\Z")
_IRI = re.compile(r"<([^<>\"{}|^`\\\x00-\x20]*)>")
_HOLE = re.compile(r"\{([$?]?)(this|value)\}")
# what a prefix may not be looked for in: IRIs, literals of either length, comments
_NO_NAME = re.compile(r'<[^<>]*>|"""(?:[^"\\]|\\.|"(?!""))*"""|"(?:[^"\\\n]|\\.)*"|#[^\n]*', re.DOTALL)
_NAME = re.compile(r"(?<![\w:])([a-z]+):(?=[A-Za-z_])")


def short(iri: str) -> str:
    """An IRI by one of the prefixes, or as it is where none fits."""
    for prefix, namespace in PREFIXES.items():
        if iri.startswith(namespace) and _LOCAL.match(iri, len(namespace)):
            return f"{prefix}:{iri[len(namespace) :]}"
    return iri


def written(term: str) -> str:
    """A term as N-Triples has it, or a property path, with short names; equal as Turtle."""
    if term.startswith('"'):
        end = term.rfind('"')
        return term[: end + 1] + written(term[end + 1 :]) if end + 1 < len(term) else term
    return _IRI.sub(lambda found: found[0] if (name := short(found[1])) == found[1] else name, term)


def filled(template: str, focus: str, value: str | None = None) -> str:
    """A template with the focus node for `{$this}` and the value for `{?value}`, both terms as N-Triples has them.

    What a term itself holds is left alone. A template that wants a value is empty where there is none.
    """
    terms = {"this": focus, "value": value}
    if value is None and any(hole[2] == "value" for hole in _HOLE.finditer(template)):
        return ""
    return _HOLE.sub(lambda hole: written(terms[hole[2]] or ""), template)


def head(snippets: Iterable[str]) -> str:
    """The `@prefix` lines for those prefixes that the snippets use."""
    bare = [_NO_NAME.sub(lambda found: "<>" if found[0][0] == "<" else "", text) for text in snippets]
    used = {name for text in bare for name in _NAME.findall(text)}
    return "".join(f"@prefix {name}: <{iri}> .\n" for name, iri in PREFIXES.items() if name in used)
