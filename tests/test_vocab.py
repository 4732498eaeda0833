"""The constants and the ontology are the same vocabulary, and every term says what it is."""

from __future__ import annotations

from collections import defaultdict
from functools import cache
from itertools import chain

import pyoxigraph as ox
import pytest

from provstore import rdf, resources
from provstore.vocab import AI, DCAT, DCT, DQV, EARL, PROV, PS, SCHEMA
from tools import terms

_RDFS, _OWL = "http://www.w3.org/2000/01/rdf-schema#", "http://www.w3.org/2002/07/owl#"
_SKOS = "http://www.w3.org/2004/02/skos/core#"


@cache
def _said() -> dict[str, dict[str, list[str]]]:
    """Subject → predicate → values, as the ontology states them."""
    found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for quad in ox.parse(resources.read("ontology", "provstore.ttl"), format=ox.RdfFormat.TURTLE):
        assert isinstance(quad.subject, ox.NamedNode)
        assert isinstance(quad.object, ox.NamedNode | ox.Literal)
        found[quad.subject.value][quad.predicate.value].append(quad.object.value)
    return {iri: dict(said) for iri, said in found.items()}


def test_constants_and_ontology_are_equal() -> None:
    described = {iri.removeprefix(PS.iri) for iri in _said() if iri.startswith(PS.iri) and iri != PS.iri}
    assert described == PS.names


def test_every_term_is_described() -> None:
    for iri, said in _said().items():
        if iri == PS.iri:
            assert said.get(f"{_OWL}versionIRI")
            continue
        assert said.get(f"{_RDFS}isDefinedBy") == [PS.iri], iri
        for what in (f"{_RDFS}label", f"{_RDFS}comment"):
            (text,) = said.get(what, [])
            assert text.strip(), iri


def test_what_a_term_refers_to_is_defined() -> None:
    said = _said()
    for iri, statements in said.items():
        for predicate in ("subClassOf", "subPropertyOf", "domain", "range"):
            for value in statements.get(f"{_RDFS}{predicate}", []):
                assert not value.startswith(PS.iri) or value in said, iri


# --- examples --------------------------------------------------------------------------------------------------------


@cache
def _texts() -> dict[str, list[str]]:
    """The examples of each term: those written for it, then those found in the project's own files."""
    found: dict[str, list[str]] = defaultdict(list)
    for file in ("provstore.ttl", "examples.ttl"):
        for quad in ox.parse(resources.read("ontology", file), format=ox.RdfFormat.TURTLE):
            if quad.predicate.value == f"{_SKOS}example":
                assert isinstance(quad.subject, ox.NamedNode)
                assert isinstance(quad.object, ox.Literal)
                found[quad.subject.value.removeprefix(PS.iri)].append(quad.object.value)
    return found


def test_what_is_found_in_our_own_files_is_up_to_date() -> None:
    assert terms.PAGE.read_text(encoding="utf-8") == terms.page(), "run `make docs`"


@pytest.mark.parametrize("name", sorted(PS.names))
def test_a_term_has_three_examples(name: str) -> None:
    texts = set(_texts()[name])
    assert len(texts) >= 3, (
        f"ps:{name} has {len(texts)} examples and needs three: use it in a file of examples/ or ontology/examples/ "
        "(what a store makes of an event or another payload counts) and run `make docs`, or write skos:example "
        "for it in ontology/provstore.ttl"
    )


@pytest.mark.parametrize("name", sorted(PS.names))
def test_the_examples_of_a_term_use_it_and_terms_that_there_are(name: str) -> None:
    for example in terms.examples(_texts()[name]):
        said = [term for quad in example for term in (quad.subject, quad.predicate, quad.object)]
        used = {term.value for term in said if isinstance(term, ox.NamedNode)}
        assert f"{PS.iri}{name}" in used
        for namespace in (PS, PROV, DCT, DCAT, DQV, EARL, SCHEMA, AI):
            named = {iri.removeprefix(namespace.iri) for iri in used if iri.startswith(namespace.iri)}
            assert named <= namespace.names, namespace.iri


@pytest.mark.parametrize("name", sorted(PS.names))
def test_the_examples_of_a_term_keep_to_their_ranges(name: str) -> None:
    for quad in chain.from_iterable(terms.examples(_texts()[name])):
        said = _said().get(quad.predicate.value, {})
        kinds, ranges = said.get(f"{rdf.RDF}type", []), said.get(f"{_RDFS}range", [])
        if f"{_OWL}ObjectProperty" in kinds:
            assert isinstance(quad.object, ox.NamedNode | ox.BlankNode), quad
        if f"{_OWL}DatatypeProperty" in kinds:
            assert isinstance(quad.object, ox.Literal)
            assert not ranges or quad.object.datatype.value in ranges, quad
