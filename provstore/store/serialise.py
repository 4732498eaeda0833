"""Canonical N-Quads in the other RDF syntaxes, and trusted Turtle as N-Quads."""

from __future__ import annotations

import io
import re

import pyoxigraph as ox

from provstore import rdf
from provstore.errors import InvalidInput, QueryRefused
from provstore.store.query import GRAPHS
from provstore.vocab import AI, DCT, PROV, PS

_PREFIXES = {
    "prov": PROV.iri,
    "ps": PS.iri,
    "dct": DCT.iri,
    "ai": AI.iri,
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "owl": "http://www.w3.org/2002/07/owl#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
_LOCAL_NAME = re.compile(r".*[^\W\d][\w.-]*\Z", re.DOTALL)


def serialise(job: tuple[bytes, str]) -> bytes:
    """N-Quads in the media type wanted, lexical forms kept; a syntax without graphs gets the triples of all of them.

    QueryRefused where the syntax cannot say it (RDF/XML has no form for some predicates).
    """
    quads, media_type = job
    form = GRAPHS[media_type]
    held = list(ox.parse(quads, format=ox.RdfFormat.N_QUADS))
    data = held if form.supports_datasets else list(dict.fromkeys(quad.triple for quad in held))
    unsayable = [q.predicate for q in held if not _LOCAL_NAME.match(q.predicate.value)]
    if form == ox.RdfFormat.RDF_XML and unsayable:
        raise QueryRefused(f"RDF/XML has no form for the predicate {unsayable[0]}: ask for another syntax")
    out = io.BytesIO()
    try:
        ox.serialize(data, out, form, prefixes=_PREFIXES)
    except (ValueError, OSError) as error:
        raise QueryRefused(f"the record cannot be written as {media_type}: {error}") from error
    return out.getvalue()


def converted(job: tuple[bytes, str, str]) -> bytes:
    """Turtle, relative to an IRI, in the media type wanted; errors as those of `quads_of` and `serialise`."""
    turtle, base, media_type = job
    return serialise((quads_of(turtle, base), media_type))


def quads_of(turtle: bytes, base: str | None = None) -> bytes:
    """Sorted canonical N-Quads of Turtle, relative to an IRI; InvalidInput, with the line, where it is none."""
    try:
        found = ox.parse(turtle, format=ox.RdfFormat.TURTLE, base_iri=base)
        return "".join(sorted(map(rdf.quad_line, found))).encode()
    except SyntaxError as error:
        raise InvalidInput(f"not Turtle: {error.msg}", line=error.lineno) from error
