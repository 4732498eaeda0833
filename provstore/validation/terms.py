"""RDF terms as the strings that N-Triples writes them with, and what stands in a literal.

`<http://example.org/a>`, `_:b0`, `"text"`, `"text"@en`, `"1"^^<http://www.w3.org/2001/XMLSchema#integer>`: two terms
are the same exactly when their strings are (RDF 1.1 Concepts §3.3), and a lexical form stays as it was sent.
"""

from __future__ import annotations

from functools import lru_cache

from provstore.rdf import RDF, XSD, text_of

TYPE = f"<{RDF}type>"
SUB_CLASS_OF = "<http://www.w3.org/2000/01/rdf-schema#subClassOf>"
STRING, LANG_STRING = f"<{XSD}string>", f"<{RDF}langString>"
BOOLEAN, INTEGER = f"<{XSD}boolean>", f"<{XSD}integer>"


def is_iri(term: str) -> bool:
    return term[0] == "<"


def is_blank(term: str) -> bool:
    return term[0] == "_"


def is_literal(term: str) -> bool:
    return term[0] == '"'


@lru_cache(1 << 16)
def parts(literal: str) -> tuple[str, str, str]:
    """The lexical form of a literal, its datatype as a term, and its language tag ('' for none)."""
    tail = literal[literal.rindex('"') + 1 :]
    if not tail:
        return text_of(literal), STRING, ""
    if tail[0] == "@":
        return text_of(literal), LANG_STRING, tail[1:].partition("--")[0]
    return text_of(literal), tail[2:], ""


def text(term: str) -> str:
    """What the SPARQL function STR gives: the lexical form of a literal, the text of an IRI."""
    return parts(term)[0] if term[0] == '"' else term[1:-1]
