"""The constants and the ontology are the same vocabulary, and every term says what it is."""

from __future__ import annotations

from collections import defaultdict

import pyoxigraph as ox
import pytest

from provstore import rdf, resources
from provstore.ui.vocabulary import BASE, PREFIXES
from provstore.vocab import AI, DCAT, DCT, DQV, EARL, PROV, PS, SCHEMA

_RDFS, _OWL = "http://www.w3.org/2000/01/rdf-schema#", "http://www.w3.org/2002/07/owl#"
_SKOS = "http://www.w3.org/2004/02/skos/core#"


def _said() -> dict[str, dict[str, list[str]]]:
    found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for quad in ox.parse(resources.read("ontology", "provstore.ttl"), format=ox.RdfFormat.TURTLE):
        assert isinstance(quad.subject, ox.NamedNode)
        assert isinstance(quad.object, ox.NamedNode | ox.Literal)
        found[quad.subject.value][quad.predicate.value].append(quad.object.value)
    return found


def test_constants_and_ontology_are_equal() -> None:
    terms = {iri.removeprefix(PS.iri) for iri in _said() if iri.startswith(PS.iri) and iri != PS.iri}
    assert terms == PS.names


def test_every_term_is_described() -> None:
    for iri, said in _said().items():
        if iri == PS.iri:
            assert said[f"{_OWL}versionIRI"]
            continue
        assert said[f"{_RDFS}isDefinedBy"] == [PS.iri], iri
        for what in (f"{_RDFS}label", f"{_RDFS}comment", f"{_SKOS}example"):
            (text,) = said[what]
            assert text.strip(), iri


def test_what_a_term_refers_to_is_defined() -> None:
    said = _said()
    for iri, statements in said.items():
        for predicate in ("subClassOf", "subPropertyOf", "domain", "range"):
            for value in statements[f"{_RDFS}{predicate}"]:
                assert not value.startswith(PS.iri) or value in said, iri


# --- examples --------------------------------------------------------------------------------------------------------


def _example(name: str) -> list[ox.Quad]:
    (text,) = _said()[f"{PS.iri}{name}"][f"{_SKOS}example"]
    prefixes = "".join(f"@prefix {prefix}: <{iri}> .\n" for prefix, iri in PREFIXES.items())
    return list(ox.parse(f"{prefixes}{text}".encode(), format=ox.RdfFormat.TURTLE, base_iri=BASE))


@pytest.mark.parametrize("name", sorted(PS.names))
def test_the_example_of_a_term_uses_it_and_terms_that_there_are(name: str) -> None:
    terms = [term for quad in _example(name) for term in (quad.subject, quad.predicate, quad.object)]
    used = {term.value for term in terms if isinstance(term, ox.NamedNode)}
    assert f"{PS.iri}{name}" in used
    for namespace in (PS, PROV, DCT, DCAT, DQV, EARL, SCHEMA, AI):
        named = {iri.removeprefix(namespace.iri) for iri in used if iri.startswith(namespace.iri)}
        assert named <= namespace.names, namespace.iri


@pytest.mark.parametrize("name", sorted(PS.names))
def test_the_example_of_a_term_keeps_to_its_range(name: str) -> None:
    said = _said()
    for quad in _example(name):
        kinds = said[quad.predicate.value][f"{rdf.RDF}type"] if quad.predicate.value.startswith(PS.iri) else []
        ranges = said[quad.predicate.value][f"{_RDFS}range"]
        if f"{_OWL}ObjectProperty" in kinds:
            assert isinstance(quad.object, ox.NamedNode | ox.BlankNode), quad
        if f"{_OWL}DatatypeProperty" in kinds:
            assert isinstance(quad.object, ox.Literal)
            assert not ranges or quad.object.datatype.value in ranges, quad
