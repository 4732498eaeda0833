"""Which queries of shapes are asked of all focus nodes at once, and that the answers are those of asking each."""

from __future__ import annotations

import pyoxigraph as ox
import pytest

from provstore.validation.batching import batched
from provstore.validation.engine import rows
from provstore.validation.prebinding import Template

DATA = """@prefix : <urn:> .
:a a :T ; :p :b , 1 ; :q 1 ; :r "x" . :b a :T ; :p :a ; :q 2 , 3 ; :s :a . :c a :T . :d :p :c .
"""
FOCI = "?this a <urn:T> ."
BATCHED = [
    "SELECT $this ?value WHERE { $this :p ?value }",
    "SELECT $this WHERE { $this :p ?value }",
    "SELECT ?value WHERE { ?value :p $this }",
    "SELECT DISTINCT ?value WHERE { $this :p ?x . ?x a ?value }",
    "SELECT * WHERE { $this :q ?value . FILTER (?value > 1) }",
    "SELECT $this (STR($this) AS ?value) WHERE { FILTER NOT EXISTS { $this :p ?x } }",
    "SELECT $this ?value WHERE { $this :p ?value FILTER NOT EXISTS { ?value :p $this . } }",
    "SELECT $this ?value WHERE { $this :q ?value OPTIONAL { $this :r ?r } FILTER (!BOUND(?r)) }",
    "SELECT $this ?value WHERE { { $this :p ?value } UNION { ?value :s $this } }",
    "SELECT $this ?value WHERE { $this :p ?x BIND (CONCAT(STR($this), STR(?x)) AS ?value) }",
    "SELECT $this ?value WHERE { ?value :q 1 . FILTER (?value != $this) }",
    "SELECT $this ?value WHERE { { ?value :q 1 } { $this :p ?value } }",
    "SELECT $this ?value WHERE { ?value :q 1 }",
    "SELECT $this ?value WHERE { $this :p+ ?value FILTER (isIRI(?value) || ?value IN (1, 2)) }",
    "SELECT $this ?value WHERE { $this :p ?value } # why",
]
EACH = [
    "SELECT $this WHERE { $this :p ?x } GROUP BY $this HAVING (COUNT(?x) > 1)",
    "SELECT $this (COUNT(?x) AS ?value) WHERE { $this :p ?x }",
    "SELECT $this ?value WHERE { $this :p ?value } ORDER BY ?value LIMIT 1",
    "SELECT $this ?value WHERE { { SELECT $this ?value WHERE { $this :p ?value } } }",
    "SELECT $this ?value WHERE { { ?value :q 1 FILTER ($this != ?value) } }",
    "SELECT $this ?value WHERE { ?value :q 1 { FILTER (BOUND($this)) } }",
    "SELECT $this ?value WHERE { { ?value :q 1 FILTER NOT EXISTS { $this :p ?value } } }",
    "SELECT $this ?value WHERE { { BIND ($this AS ?value) } }",
    "SELECT $this ?value WHERE { OPTIONAL { ?value :q 1 FILTER (?value = $this) } }",
    "SELECT $this ?value WHERE { $this :p ?value FILTER NOT EXISTS { ?value :p ?x . ?x :q 1 } }",
    "SELECT $this ?value WHERE { $this :p ?value FILTER NOT EXISTS { ?value :p/:q 1 } }",
    "SELECT $this ?value WHERE { $this :p ?value FILTER EXISTS { ?value :p [ :q 1 ] } }",
    "SELECT $this ?value WHERE { GRAPH ?g { $this :p ?value } }",
    "SELECT $this ?value WHERE { $this :p ?value FILTER ($currentShape != ?value) }",
]


@pytest.mark.parametrize("query", BATCHED)
def test_batched_answers_are_those_of_each_focus_node(query: str) -> None:
    store, prologue = ox.Store(), "PREFIX : <urn:>\n"
    store.load(DATA.encode(), ox.RdfFormat.TURTLE)
    together = batched(prologue + query, FOCI, ())
    assert together is not None
    expected, found = [], []
    template = Template(prologue + query, blanks=True)
    for focus in ("<urn:a>", "<urn:b>", "<urn:c>"):
        expected += [(focus, row.get("value")) for row in rows(store.query(template.filled({"this": focus})))]
    found = [(row["this"], row.get("value")) for row in rows(store.query(together))]
    assert expected
    assert sorted(found, key=str) == sorted(expected, key=str)


@pytest.mark.parametrize("query", EACH)
def test_others_are_asked_of_each_focus_node(query: str) -> None:
    assert batched(f"PREFIX : <urn:>\n{query}", FOCI, ()) is None


def test_nodes_on_the_way_are_told() -> None:
    assert batched("SELECT $this WHERE { $this <urn:p> ?x }", FOCI, ("?way",)) == (
        f"SELECT ?way ?this  WHERE {{ {FOCI}  $this <urn:p> ?x }}"
    )
    assert batched("SELECT $this WHERE { $this <urn:p> ?way }", FOCI, ("?way",)) is None


@pytest.mark.parametrize("query", BATCHED)
def test_a_triple_that_repeats_makes_one_solution(query: str) -> None:
    store, prologue = ox.Store(), "PREFIX : <urn:>\n"
    together = batched(prologue + query, FOCI, (), repeats=True)
    once = batched(prologue + query, "{ SELECT DISTINCT ?this { ?this a <urn:T> } }", ())
    assert once is not None
    if together is None:
        assert any(sign in query for sign in ("UNION", "+", "!", "||"))
        return
    for number in range(3):
        store.load(DATA.encode(), ox.RdfFormat.TURTLE, to_graph=ox.NamedNode(f"urn:g{number}"))
    single = ox.Store()
    single.load(DATA.encode(), ox.RdfFormat.TURTLE)
    found = [(row["this"], row.get("value")) for row in rows(store.query(together, use_default_graph_as_union=True))]
    expected = [(row["this"], row.get("value")) for row in rows(single.query(once))]
    assert sorted(found, key=str) == sorted(expected, key=str)
