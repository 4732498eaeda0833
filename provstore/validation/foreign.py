"""Terms and graphs as rdflib has them, lexical forms and labels of blank nodes as they are."""

from __future__ import annotations

from rdflib import Graph as RdflibGraph
from rdflib.namespace import XSD
from rdflib.term import BNode, Literal, Node, URIRef

from provstore import rdf
from provstore.validation.graph import Data, Graph
from provstore.validation.terms import is_blank, is_iri, parts


def graph_of(data: Data, without: tuple[URIRef, ...] = ()) -> RdflibGraph:
    """The triples for rdflib, those of some predicates left out."""
    graph = RdflibGraph()
    for triple in data.triples():
        subject, predicate, value = map(node, triple)
        if predicate not in without:
            graph.add((subject, predicate, value))
    return graph


def taken(graph: RdflibGraph) -> Graph:
    """The triples of a graph of rdflib."""
    found = Graph()
    for subject, predicate, value in graph:
        found.add(term(subject), term(predicate), term(value))
    return found


def node(of: str) -> Node:
    """A term as rdflib has it."""
    if is_iri(of):
        return URIRef(of[1:-1])
    if is_blank(of):
        return BNode(of[2:])
    lexical, datatype, language = parts(of)
    if language:
        return Literal(lexical, lang=language)
    plain = datatype == f"<{XSD.string}>"
    # rdflib would rewrite the lexical form to one that it likes better; the shapes are to see what was sent
    return Literal(lexical, datatype=None if plain else URIRef(datatype[1:-1]), normalize=False)


def term(of: Node) -> str:
    """A node of rdflib as N-Triples writes it."""
    if isinstance(of, URIRef):
        return f"<{of}>"
    if isinstance(of, Literal):
        if of.language:
            return f"{rdf.literal(str(of))}@{of.language}"
        return rdf.literal(str(of), None if of.datatype in (None, XSD.string) else str(of.datatype))
    return f"_:{of}"
