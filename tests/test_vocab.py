"""The constants and the ontology are the same vocabulary, and every term says what it is."""

from __future__ import annotations

from collections import defaultdict

import pyoxigraph as ox

from provstore import resources
from provstore.vocab import PS

_RDFS, _OWL = "http://www.w3.org/2000/01/rdf-schema#", "http://www.w3.org/2002/07/owl#"


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
        for what in ("label", "comment"):
            (text,) = said[f"{_RDFS}{what}"]
            assert text.strip(), iri


def test_what_a_term_refers_to_is_defined() -> None:
    said = _said()
    for iri, statements in said.items():
        for predicate in ("subClassOf", "subPropertyOf", "domain", "range"):
            for value in statements[f"{_RDFS}{predicate}"]:
                assert not value.startswith(PS.iri) or value in said, iri
