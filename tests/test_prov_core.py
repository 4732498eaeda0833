"""PROV-O core against the specifications: every term has its place, and the W3C's own cases are judged as they should.

The cases are those of PROV-CONSTRAINTS as RDF. What is valid is never found wrong. Of what is invalid, the table below
says what cannot be found: SHACL does not see what is only implied, and RDF cannot say that something is known to be
absent.
"""

from __future__ import annotations

import csv
import re
from functools import cache

import pyoxigraph as ox
import pytest

from provstore.validation.profiles import SHIPPED
from provstore.validation.terms import TYPE
from tests import suites
from tests.test_rules import Triples, found, known

TOKEN = "prov-core/2"
PROV = "http://www.w3.org/ns/prov#"
TIME = '"2026-03-01T03:00:00Z"^^<http://www.w3.org/2001/XMLSchema#dateTime>'
MUST = "<http://www.w3.org/ns/shacl#Violation>"
#: Invalid cases that are not found, by what they would need.
NOT_FOUND = {
    "the absence of an activity, agent or plan, which RDF cannot state": {
        *("association-fail4", "association-fail5", "derivation-fail1", "derivation-fail2", "derivation-fail3"),
        *("derivation-fail4",),
    },
    "an end that another record might still state": {
        *("association-fail6", "attribution-fail2", "communication-fail2", "delegation-fail6", "influence-fail2"),
        *("membership-fail1", "specialization-fail1", "mention-fail2", "mention-fail3", "mention-fail4"),
    },
    "a chain of derivations that are only qualified": {"derivation2", "specialization4"},
}


def cases() -> list[tuple[str, bool, Triples]]:
    """Each case by its name: whether it is valid, and its triples."""
    home = suites.path("prov")
    with (home / "MANIFEST.tsv").open(encoding="utf-8") as manifest:
        listed = [
            row for row in csv.reader(manifest, delimiter="\t") if row[0].startswith("constraints/generated-trig/")
        ]
    return [
        (row[0].rpartition("/")[2].removesuffix(".trig"), row[3] == "valid", _triples((home / row[0]).read_bytes()))
        for row in listed
        if row[3] in ("valid", "invalid")
    ]


def _triples(trig: bytes) -> Triples:
    quads = ox.parse(trig, format=ox.RdfFormat.TRIG)
    return frozenset(f"{quad.subject} {quad.predicate} {quad.object}" for quad in quads)


def grave(triples: Triples) -> set[str]:
    """The rules that find a MUST."""
    musts = {shape.node for shape in known(TOKEN).shapes.values() if shape.severity == MUST}
    names = {each[0] for each in found(TOKEN, triples)}
    return {name for name in names if f"<https://w3id.org/provstore/shapes/{name}>" in musts}


@cache
def ontology() -> frozenset[tuple[str, str, str]]:
    """What PROV-O says of its terms: term, property and value by their last names."""
    text = (suites.path("prov") / "w3c-namespace" / "prov.ttl").read_bytes()
    quads = ox.parse(text, format=ox.RdfFormat.TURTLE, base_iri=PROV)
    said = [
        (quad.subject.value, re.split("[#/]", quad.predicate.value)[-1], quad.object.value)
        for quad in quads
        if isinstance(quad.subject, ox.NamedNode) and isinstance(quad.object, ox.NamedNode | ox.Literal)
    ]
    terms = {s for s, p, o in said if p == "category" and o in ("starting-point", "expanded", "qualified")}
    return frozenset((s.removeprefix(PROV), p, re.split("[#/]", o)[-1]) for s, p, o in said if s in terms)


def told(term: str, predicate: str) -> set[str]:
    return {value for subject, name, value in ontology() if (subject, name) == (term, predicate)}


def properties() -> list[str]:
    return sorted({term for term, name, value in ontology() if name == "type" and value.endswith("Property")})


def test_every_term_of_prov_o_has_its_place() -> None:
    terms = {term for term, _, _ in ontology()}
    assert len(terms) == 80
    shapes = SHIPPED.find(TOKEN).read().decode()
    assert [name for name in sorted(terms) if f"prov:{name}" not in shapes] == []


def test_no_relation_of_prov_o_points_to_text() -> None:
    relations = [name for name in properties() if "ObjectProperty" in told(name, "type")]
    assert len(relations) == 44
    for name in relations:
        assert grave(frozenset({f'<urn:a> <{PROV}{name}> "text"'})), name


#: A class that nothing can have beside one of these: PROV-O's disjoint classes, PROV-CONSTRAINTS 54 and 55.
OTHER = {"Activity": "Entity", "Entity": "Activity", "Plan": "Activity", "Collection": "Activity"}
OTHER |= dict.fromkeys(("Influence", "EntityInfluence", "ActivityInfluence", "AgentInfluence"), "Entity")
OTHER |= dict.fromkeys(("InstantaneousEvent", "Usage", "Generation", "Invalidation", "Start", "End"), "Entity")
OTHER |= dict.fromkeys(("Communication", "Derivation", "Revision", "Quotation", "PrimarySource"), "Entity")
OTHER |= dict.fromkeys(("Attribution", "Association", "Delegation"), "Entity")


def test_no_property_of_prov_o_stands_between_wrong_things() -> None:
    checked = 0
    for name in properties():
        value = "<urn:b>" if "ObjectProperty" in told(name, "type") else TIME
        stated = f"<urn:a> <{PROV}{name}> {value}"
        for end, axiom in (("<urn:a>", "domain"), ("<urn:b>", "range")):
            for cls in told(name, axiom) & set(OTHER):
                assert grave(frozenset({stated, f"{end} {TYPE} <{PROV}{OTHER[cls]}>"})), (name, axiom, cls)
                checked += 1
    assert checked == 79


def test_the_cases_of_prov_constraints() -> None:
    judged = [(name, valid, grave(triples)) for name, valid, triples in cases()]
    assert len(judged) == 183
    assert [(name, rules) for name, valid, rules in judged if valid and rules] == []
    missed = {name for name, valid, rules in judged if not valid and not rules}
    assert missed == set().union(*NOT_FOUND.values())
    assert sum(not valid for _, valid, _ in judged) - len(missed) == 49


@pytest.mark.parametrize("name", ["credit", "clinical"])
def test_the_whole_of_a_store_is_sound(name: str) -> None:
    text = (suites.ROOT / "tests" / "fixtures" / f"{name}.trig").read_bytes()
    assert found(TOKEN, _triples(text)) == []
