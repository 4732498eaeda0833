"""PROV-O core against the specifications: every term has its place, and the W3C's own cases are judged as they should.

The cases are those of PROV-CONSTRAINTS as RDF. What is valid is never found wrong. Of what is invalid, the table below
says what cannot be found: SHACL does not see what is only implied, and RDF cannot say that something is known to be
absent.
"""

from __future__ import annotations

import csv

import pyoxigraph as ox
import pytest

from provstore.validation.profiles import SHIPPED
from tests import suites
from tests.test_rules import Triples, found, known

TOKEN = "prov-core/2"
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


def test_every_term_of_prov_o_has_its_place() -> None:
    ontology = (suites.path("prov") / "w3c-namespace" / "prov.ttl").read_bytes()
    prov = "http://www.w3.org/ns/prov#"
    terms = {
        quad.subject.value.removeprefix(prov)
        for quad in ox.parse(ontology, format=ox.RdfFormat.TURTLE, base_iri=prov)
        if quad.predicate.value == f"{prov}category" and isinstance(quad.subject, ox.NamedNode)
        if isinstance(quad.object, ox.Literal) and quad.object.value in ("starting-point", "expanded", "qualified")
    }
    assert len(terms) == 80
    shapes = SHIPPED.find(TOKEN).read().decode()
    assert [name for name in sorted(terms) if f"prov:{name}" not in shapes] == []


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
