"""The page of the ontology is what the ontology says, and what it says of the classes is so in the examples."""

from __future__ import annotations

from collections import defaultdict
from functools import cache

import pytest

from provstore.vocab import PS, RDF_TYPE
from tools import ontology, terms

_SUB = "http://www.w3.org/2000/01/rdf-schema#subClassOf"


def test_the_page_and_its_diagrams_are_up_to_date() -> None:
    for path, text in ontology.files().items():
        assert (ontology.PAGE.parent / path).read_text(encoding="utf-8") == text, f"{path}: run `make docs`"
    assert {path.name for path in (ontology.PAGE.parent / "ontology").iterdir()} == {
        path.removeprefix("ontology/") for path in ontology.files() if path.startswith("ontology/")
    }


def test_every_term_has_one_topic() -> None:
    listed = [name for _, names in ontology.TOPICS.values() for name in names.split()]
    missing, twice = PS.names - set(listed), {name for name in listed if listed.count(name) > 1}
    assert not missing, f"put {', '.join(sorted(missing))} under a topic of TOPICS in tools/ontology.py"
    assert not twice
    assert set(listed) <= PS.names


# --- what the examples say -------------------------------------------------------------------------------------------


@cache
def _types() -> dict[str, set[str]]:
    """Node → its types, as all that was taken in says together, with those that the ontology says follow."""
    found: dict[str, set[str]] = defaultdict(set)
    for node in terms.stored():
        found[node.name] |= {value[1:-1] for predicate, value in node.said if predicate == RDF_TYPE}
    return {name: {above for kind in kinds for above in _above(kind)} for name, kinds in found.items()}


@cache
def _above(kind: str) -> frozenset[str]:
    sup = ontology.said().get(kind.removeprefix(PS.iri), {}).get(_SUB, [])
    return frozenset({kind, *(each for one in sup for each in _above(one))})


@cache
def _connected() -> set[tuple[str, str, str]]:
    """(class, relation, class) for every relation between two nodes that have one."""
    found = set()
    for node in terms.stored():
        for predicate, value in node.said:
            for one in _types().get(node.name, ()):
                found |= {(one, predicate[1:-1], other) for other in _types().get(value, ())}
    return found


@pytest.mark.parametrize("link", ontology.links(), ids=" ".join)
def test_what_connects_the_classes_does_so_in_the_examples(link: tuple[str, str, str]) -> None:
    ours, relation, other = link
    assert (f"{PS.iri}{ours}", ontology.full(relation), other) in _connected()


def test_who_knows_only_prov_finds_what_ours_is() -> None:
    """A node of a class of ours is said to be of PROV's class above it as well, by somebody.

    All but contents and their parts, which describe: no relation of PROV's leads to one.
    """
    stated: dict[str, set[str]] = defaultdict(set)
    for node in terms.stored():
        stated[node.name] |= {value[1:-1] for predicate, value in node.said if predicate == RDF_TYPE}
    lacking = {
        (kind.removeprefix(PS.iri), above)
        for name, kinds in stated.items()
        for kind in kinds
        if kind.startswith(PS.iri)
        for above in _above(kind)
        if above.startswith("http://www.w3.org/ns/prov#") and above not in kinds
    }
    assert {kind for kind, _ in lacking} <= {"Content", "Partition"}
