"""PROV (or any RDF) documents as records: every syntax that pyoxigraph reads.

Run it in a worker that can be stopped by the clock: a document of nine blank nodes can keep RDFC-1.0 busy for ever,
and an RDF/XML entity bomb eats all memory.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import pyoxigraph as ox

from provstore import iris, rdf
from provstore.capture.facets import content_of
from provstore.errors import InvalidInput, TooLarge, Unmappable, UnsupportedMedia
from provstore.model import Content, Mapped
from provstore.vocab import PROV, PS, RDF_TYPE

ADAPTER = "rdf/1"
MAX_QUADS = 100_000
MAX_LITERAL = 1 << 20

#: Media types and file extensions of the syntaxes.
SYNTAXES: dict[str, tuple[ox.RdfFormat, tuple[str, ...]]] = {
    "text/turtle": (ox.RdfFormat.TURTLE, (".ttl",)),
    "application/trig": (ox.RdfFormat.TRIG, (".trig",)),
    "application/n-triples": (ox.RdfFormat.N_TRIPLES, (".nt",)),
    "application/n-quads": (ox.RdfFormat.N_QUADS, (".nq",)),
    "application/rdf+xml": (ox.RdfFormat.RDF_XML, (".rdf", ".owl")),
    "application/ld+json": (ox.RdfFormat.JSON_LD, (".jsonld",)),
    "text/n3": (ox.RdfFormat.N3, (".n3",)),
}
#: What only the store itself may say: a record that did could pass for the ledger's own word.
RESERVED = frozenset(
    term[1:-1] for term in (PS.ledgerIndex, PS.recordedAt, PS.actor, PS.supersededBy, PS.appliedIndex, PS.knownFrom)
)
#: What relative IRIs are resolved against: `<>` is the record, `<#x>` a node of it, and nothing else means anything.
_HERE_SCHEME = "x-provstore-document:"
HERE = f"{_HERE_SCHEME}//here/record"
_ENTITIES = re.compile(rb"<!(?:doctype|entity)", re.IGNORECASE)  # the parser takes either case
_BOM = b"\xef\xbb\xbf"
_SKOLEM = re.compile(re.escape(iris.PLACEHOLDER) + r"#c14n\d+\Z")

Term = ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple | ox.DefaultGraph


@dataclass(frozen=True, slots=True)
class Document:
    """An RDF document to be mapped: bytes as received, media type without parameters, id base of the store."""

    body: bytes
    media_type: str
    base: str


def map_document(document: Document) -> Mapped:
    """One RDF document as a record.

    Its default graph, and a graph named `{base}/record/…` (a record in our own form, whose name then stands for
    the record), become the record graph; any other named graph becomes `{record}/bundle/{name}`; content graphs
    (`ni:`) must be exactly what their mapper makes of the facet in them. `<>` is the record. Blank nodes become
    `{record}#c14nN` by RDFC-1.0. Literals keep their lexical form. InvalidInput with the line where the syntax is
    wrong; Unmappable where the document is empty or says what only the store may say.
    """
    contents, rest = _split_contents(_parse(document), document.base)
    if not rest:
        raise Unmappable("the document holds no statement about anything")
    here = _Here(rest, document.base)
    dataset = ox.Dataset({here.renamed(quad) for quad in rest})
    if any(isinstance(term, ox.BlankNode) for quad in dataset for term in quad):
        _refuse_labels(dataset)
        dataset.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
    lines = {rdf.quad_line(_skolem(quad)) for quad in dataset}
    me = graph = f"<{iris.PLACEHOLDER}>"
    lines |= {f"{me} {RDF_TYPE} {kind} {graph} .\n" for kind in (PROV.Bundle, PS.Record)}
    for bundle in {rdf.split(line)[3] for line in lines} - {graph}:
        lines.add(f"{me} {PS.bundle} {bundle} {graph} .\n")
    record, sealed = rdf.seal(document.base, lines)
    return Mapped(record, sealed, tuple(contents[iri] for iri in sorted(contents)), ADAPTER)


def _parse(document: Document) -> list[ox.Quad]:
    known = SYNTAXES.get(document.media_type)
    if known is None:
        raise UnsupportedMedia(f"{document.media_type!r} is none of {', '.join(SYNTAXES)}")
    if known[0] == ox.RdfFormat.RDF_XML and _ENTITIES.search(document.body):
        raise InvalidInput("RDF/XML with a DOCTYPE or ENTITY declaration is refused: write the IRIs in full")
    quads: list[ox.Quad] = []
    try:
        for quad in ox.parse(document.body.removeprefix(_BOM), format=known[0], base_iri=HERE):
            _check(quad)
            quads.append(quad)
            if len(quads) > MAX_QUADS:
                raise TooLarge(f"a record may hold {MAX_QUADS} statements; split the document")
    except SyntaxError as error:
        raise InvalidInput(f"not valid {document.media_type}: {error.msg}", line=error.lineno) from error
    except (ValueError, OSError) as error:
        raise InvalidInput(f"not valid {document.media_type}: {error}") from error
    return quads


def _check(quad: ox.Quad) -> None:
    for term in quad:
        _check_term(term)
    if isinstance(quad.object, ox.Literal) and len(quad.object.value) > MAX_LITERAL:
        raise TooLarge(f"a literal of {quad.predicate} is longer than {MAX_LITERAL} characters")
    if quad.predicate.value in RESERVED:
        raise Unmappable(f"{quad.predicate.value} is for the store itself to say: leave it out")


def _check_term(term: Term) -> None:
    if isinstance(term, ox.Triple):
        raise Unmappable("triple terms (RDF 1.2) are not supported: state the triple, or use a qualified PROV node")
    if isinstance(term, ox.Literal):
        if term.direction is not None:
            raise Unmappable("literals with a base direction (RDF 1.2) are not supported")
        term = term.datatype
    if not isinstance(term, ox.NamedNode):
        return
    if iris.PLACEHOLDER in term.value:
        raise Unmappable(f"{term.value} is a name that the store uses itself: write <> for the record")
    if term.value.startswith(_HERE_SCHEME) and term.value != HERE and not term.value.startswith(f"{HERE}#"):
        raise Unmappable(
            f"a relative IRI ({term.value.rpartition('/')[2]!r}) has nothing to be relative to: add a base"
        )


def _split_contents(quads: list[ox.Quad], base: str) -> tuple[dict[str, Content], list[ox.Quad]]:
    """The content graphs, each checked against its name, and all other quads."""
    graphs: dict[str, list[ox.Quad]] = defaultdict(list)
    rest: list[ox.Quad] = []
    for quad in quads:
        name = quad.graph_name
        if isinstance(name, ox.NamedNode) and name.value.startswith("ni:"):
            graphs[name.value].append(quad)
        else:
            rest.append(quad)
    return {iri: _content(iri, held, base) for iri, held in graphs.items()}, rest


def _content(iri: str, quads: list[ox.Quad], base: str) -> Content:
    literals = [(q.predicate.value, q.object) for q in quads if q.subject == ox.NamedNode(iri)]
    said = {predicate: value.value for predicate, value in literals if isinstance(value, ox.Literal)}
    key, text = said.get(PS.key[1:-1]), said.get(PS.json[1:-1])
    if key is None or text is None:
        raise Unmappable(f"the content graph {iri} needs ps:key and ps:json")
    content, _ = content_of(key, rdf.json_value(text, iri), base)
    if content.iri != iri:
        raise Unmappable(f"the content graph {iri} is not named by the hash of its facet, which is {content.iri}")
    if "".join(sorted({rdf.quad_line(q) for q in quads})).encode() != content.quads:
        raise Unmappable(f"the content graph {iri} says other things of its facet than the mapping does")
    return content


class _Here:
    """The names under which a document speaks of its own record, and what they are renamed to."""

    def __init__(self, quads: list[ox.Quad], base: str) -> None:
        own = re.compile(re.escape(base) + r"/record/[^/#]+\Z")
        graphs = {q.graph_name.value for q in quads if isinstance(q.graph_name, ox.NamedNode)}
        records = sorted(name for name in graphs if own.match(name))
        if len(records) > 1:
            raise Unmappable(f"one record at a time: the document holds {', '.join(records)}")
        self._names = (HERE, *records)

    def renamed(self, quad: ox.Quad) -> ox.Quad:
        subject, value = quad.subject, quad.object
        return ox.Quad(
            self._node(subject) if isinstance(subject, ox.NamedNode) else subject,
            self._node(quad.predicate),
            self._node(value) if isinstance(value, ox.NamedNode) else value,
            self._graph(quad.graph_name),
        )

    def _node(self, term: ox.NamedNode) -> ox.NamedNode:
        for name in self._names:
            if term.value == name or term.value.startswith((f"{name}#", f"{name}/bundle/")):
                return ox.NamedNode(iris.PLACEHOLDER + term.value[len(name) :])
        return term

    def _graph(self, term: ox.NamedNode | ox.BlankNode | ox.DefaultGraph) -> ox.NamedNode:
        if isinstance(term, ox.DefaultGraph):
            return ox.NamedNode(iris.PLACEHOLDER)
        if isinstance(term, ox.BlankNode):
            raise Unmappable("a graph named by a blank node cannot be cited: name it by an IRI")
        name = self._node(term)
        if name.value == iris.PLACEHOLDER or name.value.startswith(f"{iris.PLACEHOLDER}/bundle/"):
            return name
        return ox.NamedNode(f"{iris.PLACEHOLDER}/bundle/{iris.enc(term.value.removeprefix(HERE))}")


def _refuse_labels(dataset: ox.Dataset) -> None:
    """Two nodes must not become one: the names that blank nodes are about to get have to be free."""
    for quad in dataset:
        for term in (quad.subject, quad.object):
            if isinstance(term, ox.NamedNode) and _SKOLEM.match(term.value):
                raise Unmappable("names of the form <#c14n0> and blank nodes cannot stand in one document")


def _skolem(quad: ox.Quad) -> ox.Quad:
    def fixed(term: ox.BlankNode) -> ox.NamedNode:
        return ox.NamedNode(f"{iris.PLACEHOLDER}#{term.value}")

    subject, value = quad.subject, quad.object
    return ox.Quad(
        fixed(subject) if isinstance(subject, ox.BlankNode) else subject,
        quad.predicate,
        fixed(value) if isinstance(value, ox.BlankNode) else value,
        quad.graph_name,
    )


def media_type_of(name: str) -> str | None:
    """The media type for a file name by its extension; None where it is no RDF syntax."""
    found: Iterator[str] = (m for m, (_, ends) in SYNTAXES.items() if name.lower().endswith(ends))
    return next(found, None)
