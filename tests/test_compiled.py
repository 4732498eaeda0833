"""Validation of a whole store: progress, limits, early exit, time; what the store rewrites; what cannot be a query."""

from __future__ import annotations

import gc
import re
import time

import pyoxigraph as ox
import pytest

from provstore.errors import InvalidInput, QueryTooExpensive
from provstore.validation.closures import ValidationResult
from provstore.validation.compiled import Checked, StoreValidation
from provstore.validation.engine import parsed
from provstore.validation.plans import Check
from provstore.validation.reading import read

PREFIXES = """@prefix sh: <http://www.w3.org/ns/shacl#> . @prefix : <urn:> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
"""
XSD = "http://www.w3.org/2001/XMLSchema#"


def validation(shapes: str, data: str, *, union: bool = False) -> StoreValidation:
    store = ox.Store()
    store.load((PREFIXES + data).encode(), ox.RdfFormat.TRIG)
    return StoreValidation(read(parsed((PREFIXES + shapes).encode())), store, union=union)


def values(shapes: str, data: str, *, union: bool = False) -> list[str | None]:
    made = validation(shapes, data, union=union)
    found = sorted((each.value for each in made.results()), key=str)
    assert found == sorted((each.value for each in made.validator.validate(made.data)), key=str)
    return found


def many(count: int) -> str:
    return "".join(f":n{number} a :T ; :p {number} .\n" for number in range(count))


# --- what is told meanwhile ------------------------------------------------------------------------------------------


def test_progress_comes_after_the_results_of_each_constraint() -> None:
    shapes = (
        ":S sh:targetClass :T ; sh:property [ sh:path :p ; sh:maxInclusive 1 ; sh:minCount 1 ] ; sh:nodeKind sh:IRI ."
    )
    events = list(validation(shapes, many(4)).run(threads=1))
    checks = [event for event in events if isinstance(event, Checked)]
    assert [(each.done, each.total) for each in checks] == [(1, 3), (2, 3), (3, 3)]
    before = 0
    for check in checks:
        at = events.index(check)
        mine = [event for event in events[before:at] if isinstance(event, ValidationResult)]
        assert {event.constraint for event in mine} <= {check.check.constraint}
        assert len(mine) == check.found
        before = at + 1
    assert isinstance(events[-1], Checked)
    assert not any(check.truncated for check in checks)


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_threads_find_all(threads: int) -> None:
    shapes = ":S sh:targetClass :T ; sh:property " + ", ".join(
        f"[ sh:path :p ; sh:minInclusive {n} ]" for n in range(20)
    )
    found = list(validation(shapes + " .", many(100)).results(threads=threads))
    assert len(found) == sum(range(20))


def test_results_over_the_limit_are_counted() -> None:
    made = validation(
        ":S sh:targetClass :T ; sh:property [ sh:path :p ; sh:maxCount 0 ; sh:minInclusive 990 ] .", many(1000)
    )
    events = list(made.run(limit=10))
    told = {
        event.check.constraint.component[-26:]: (event.found, event.more)
        for event in events
        if isinstance(event, Checked)
    }
    assert sorted(told.values()) == [(10, 980), (10, 990)]
    assert sum(isinstance(event, ValidationResult) for event in events) == 20
    assert all(event.truncated for event in events if isinstance(event, Checked))


def test_what_closures_decide_is_not_counted_over_the_limit() -> None:
    shapes = ":S sh:targetClass :T ; sh:node [ sh:property [ sh:path :p ; sh:maxCount 0 ] ] ."
    (told,) = (each for each in validation(shapes, many(50)).run(limit=7) if isinstance(each, Checked))
    assert (told.found, told.more, told.truncated) == (7, None, True)
    (told,) = (each for each in validation(shapes, many(7)).run(limit=7) if isinstance(each, Checked))
    assert (told.found, told.more, told.truncated) == (7, 0, False)


def test_few_results_are_held_at_a_time() -> None:
    made = validation(":S sh:targetClass :T ; sh:property [ sh:path :p ; sh:maxCount 0 ] .", many(40_000))
    events = made.run(threads=1, limit=1_000_000)
    for _ in range(10_000):
        next(events)
    assert sum(isinstance(each, ValidationResult) for each in gc.get_objects()) < 15_000
    assert sum(1 for _ in events) == 30_001


def test_whether_it_conforms_is_told_at_the_first_result() -> None:
    shapes = (
        ":S sh:targetClass :T ; sh:sparql [ sh:select 'SELECT $this WHERE { $this <urn:p> ?v FILTER (?v > LIMIT) }' ] ."
    )
    assert validation(shapes.replace("LIMIT", "1000"), many(50)).conforms()
    assert not validation(shapes.replace("LIMIT", "40"), many(50)).conforms()
    assert validation(":S sh:targetClass :T .", many(5)).conforms()
    assert list(validation("", many(5)).run()) == []


def test_a_run_that_is_left_stops_its_workers() -> None:
    made = validation(":S sh:targetClass :T ; sh:property [ sh:path :p ; sh:maxCount 0 ] .", many(20_000))
    events = made.run(threads=2, limit=1_000_000)
    next(events)
    events.close()
    assert len(list(made.results(limit=5))) == 5


def test_time_is_bounded() -> None:
    slow = "SELECT $this WHERE { ?a <urn:p> ?x . ?b <urn:p> ?y . ?c <urn:p> ?z FILTER (?x + ?y + ?z < 0) }"
    made = validation(f":S sh:targetNode :n1 ; sh:sparql [ sh:select '{slow}' ] .", many(200))
    started = time.monotonic()
    with pytest.raises(QueryTooExpensive, match=r"within 0\.1 seconds"):
        list(made.run(seconds=0.1))
    assert time.monotonic() - started < 20
    assert validation(":S sh:targetClass :T .", many(5)).conforms(seconds=60)


def test_a_focus_node_that_many_point_at_is_looked_at_once() -> None:
    shapes = (
        ":S sh:targetObjectsOf :p ; sh:not [ sh:property [ sh:path [ sh:inversePath :p ] ; sh:qualifiedMinCount 1 ; "
    )
    shapes += "sh:qualifiedValueShape [ sh:class :Never ] ] ] ."
    made = validation(shapes, "".join(f":n{number} :p :hub .\n" for number in range(20_000)))
    assert made.conforms(seconds=60)  # minutes, were it looked at for each


def test_what_a_query_reports_as_failure_is_raised() -> None:
    query = "SELECT $this (true AS ?failure) WHERE { $this <urn:p> 3 }"
    with pytest.raises(InvalidInput, match=r"reported a failure at <urn:n3>"):
        list(validation(f":S sh:targetClass :T ; sh:sparql [ sh:select '{query}' ] .", many(5)).results())


def test_an_error_in_the_middle_of_a_query_is_raised() -> None:
    query = "SELECT $this (true AS ?failure) WHERE { $this <urn:p> 3 }"
    shapes = f":S sh:targetClass :T ; sh:not [ sh:sparql [ sh:select '{query}' ] ] ."
    with pytest.raises(InvalidInput, match=r"reported a failure at <urn:n3>"):
        list(validation(shapes, many(5)).results())


def sharing(levels: int, link: str) -> str:
    """Shapes each of which leads to the next in two ways."""
    shapes = f":S0 sh:targetClass :T . :S{levels} sh:minCount 1 ; sh:maxCount 1 . "
    for level in range(levels):
        shapes += f":S{level} sh:path :p ; sh:property :A{level} , :B{level} . :S{level + 1} sh:path :p . "
        shapes += "".join(f":{name}{level} sh:path :p ; {link} :S{level + 1} . " for name in "AB")
    return shapes


def test_shapes_that_share_shapes_are_bounded() -> None:
    with pytest.raises(InvalidInput, match="reaches more than 5000 constraints"):
        validation(sharing(12, "sh:property"), many(1))
    assert all(len(query.text) < 50_000 for check in plans(sharing(11, "sh:node")) for query in check.queries)


# --- which graphs ----------------------------------------------------------------------------------------------------

GRAPHS = ":a a :T ; :p 1 . GRAPH :g1 { :a a :T ; :p 2 . :b a :T ; :p 1 , 2 . } GRAPH :g2 { :b a :T ; :p 1 , 3 . }"


def test_named_graphs_are_not_looked_at_unless_they_are_meant() -> None:
    shapes = ":S sh:targetClass :T ; sh:property [ sh:path :p ; sh:maxCount 2 ] , [ sh:path :p ; sh:in ( 9 ) ] ."
    one, two, three = (f'"{n}"^^<{XSD}integer>' for n in (1, 2, 3))
    assert values(shapes, GRAPHS) == [one]
    assert values(shapes, GRAPHS, union=True) == [one, one, two, two, three, None]


def test_queries_of_shapes_see_no_records_beside() -> None:
    query = "SELECT $this ?value WHERE { $this a <urn:T> GRAPH ?value { $this <urn:p> 2 } }"
    assert values(f":S sh:targetClass :T ; sh:sparql [ sh:select '{query}' ] .", GRAPHS) == []


@pytest.mark.parametrize(
    "query",
    [
        "SELECT $this ?value WHERE { $this <urn:p> ?value }",
        "SELECT $this ?value WHERE { { $this <urn:p> ?value } UNION { $this <urn:q> ?value } }",
        "SELECT $this (COUNT(*) AS ?value) WHERE { $this <urn:p> ?any } GROUP BY $this",
        "SELECT $this WHERE { $this <urn:p> ?value }",
        "SELECT $this ?value WHERE { $this <urn:p> ?value } # the end",
    ],
)
def test_a_triple_of_many_graphs_is_one_to_queries(query: str) -> None:
    shapes = f":S sh:targetClass :T ; sh:sparql [ sh:select '{query}' ] ."
    merged = ":a a :T ; :p 1 , 2 . :b a :T ; :p 1 , 2 , 3 ."
    assert values(shapes, GRAPHS, union=True) == values(shapes, merged)


# --- what the store makes of literals --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("constraint", "data", "found"),
    [
        ("sh:datatype xsd:nonNegativeInteger", ":a :p '7'^^xsd:nonNegativeInteger , '-7'^^xsd:integer", ["-7"]),
        ("sh:datatype xsd:byte", ":a :p '007'^^xsd:byte , 128 , 1.0 , 'x'^^xsd:byte", ["1", "128", "x"]),
        ("sh:datatype xsd:dateTimeStamp", ":a :p '2024-01-01T00:00:00.000Z'^^xsd:dateTimeStamp", []),
        (
            "sh:datatype xsd:dateTimeStamp",
            ":a :p '2024-01-01T00:00:00'^^xsd:dateTime , 'x'^^xsd:dateTimeStamp",
            ["2024-01-01T00:00:00", "x"],
        ),
        ("sh:datatype xsd:dateTime", ":a :p '2024-01-01T00:00:00Z'^^xsd:dateTime , '2024'^^xsd:dateTime", ["2024"]),
        ("sh:datatype xsd:integer", ":a :p '100000000000000000000000000000'^^xsd:integer , 'x'^^xsd:integer", ["x"]),
        ("sh:in ( '01'^^xsd:int 1.50 true )", ":a :p 1 , 1.5 , '1'^^xsd:boolean , 2", ["2"]),
        ("sh:hasValue '01'^^xsd:int", ":a :p '1'^^xsd:long", []),
        ("sh:minInclusive '01.0'^^xsd:decimal", ":a :p 1 , 0.5 , '1'^^xsd:float , 'NaN'^^xsd:double", ["0.5", "NaN"]),
        ("sh:maxInclusive 'NaN'^^xsd:double", ":a :p 'NaN'^^xsd:double , 1", ["1", "NaN"]),
        ("sh:lessThanOrEquals :q", ":a :p 'NaN'^^xsd:double ; :q 'NaN'^^xsd:double", ["NaN"]),
        ("sh:lessThanOrEquals :q", ":a :p '2024'^^xsd:dateTime ; :q '2024'^^xsd:dateTime", ["2024"]),
        ("sh:lessThan :q", ":a :p 'a'@en , 'a' ; :q 'b'@en , 'b'", ["a", "a", "a"]),
        ("sh:minInclusive 'b'", ":a :p 'a' , 'b' , 'c'@en , 1", ["1", "a", "c"]),
        ("sh:maxExclusive 'P1Y'^^xsd:duration", ":a :p 'P11M'^^xsd:duration , 'P12M'^^xsd:yearMonthDuration", ["P1Y"]),
    ],
)
def test_literals_are_held_to_shapes_as_the_store_has_them(constraint: str, data: str, found: list[str]) -> None:
    shapes = f":S sh:targetSubjectsOf :p ; sh:property [ sh:path :p ; {constraint} ] ."
    assert sorted(each.split('"')[1] for each in values(shapes, f"{data} .") if each) == found
    nested = f":S sh:targetSubjectsOf :p ; sh:not [ sh:property [ sh:path :p ; {constraint} ] ] ."
    assert (len(values(nested, f"{data} .")) == 1) == (not found)


# --- what cannot be a query ------------------------------------------------------------------------------------------


def plans(shapes: str) -> list[Check]:
    return list(validation(shapes, "").checks)


def test_deep_shapes_are_asked_of_closures() -> None:
    shape = "[ sh:property [ sh:path :p ; sh:minCount 1 ] ]"
    for _ in range(25):
        shape = f"[ sh:or ( {shape} [ sh:class :Never ] ) ]"
    shapes = f":S sh:targetClass :T ; sh:node {shape} ."
    assert all(len(query.text) < 20_000 for check in plans(shapes) for query in check.queries)
    assert values(shapes, ":a a :T . :b a :T ; :p 1 .") == ["<urn:a>"]


def test_wide_shapes_are_asked_of_closures() -> None:
    shape = "[ sh:property [ sh:path :p ; sh:minCount 1 ; sh:maxCount 1 ] ]"
    for _ in range(8):
        shape = f"[ sh:property [ sh:path [ sh:alternativePath ( :q [ sh:inversePath :q ] ) ] ; sh:node {shape} ] ]"
    shapes = f":S sh:targetClass :T ; sh:node {shape} ."
    assert all(len(query.text) < 200_000 for check in plans(shapes) for query in check.queries)
    assert values(shapes, ":a a :T ; :q :a . :b a :T ; :q :b ; :p 1 .") == ["<urn:a>"]


def test_long_paths_are_followed_by_closures() -> None:
    path = "( " + ":p " * 60 + ")"
    more = "sh:property [ sh:path :q ; sh:minCount 1 ]"
    shapes = f":S sh:targetSubjectsOf :start ; sh:property [ sh:path {path} ; sh:in ( :b ) ; {more} ] ."
    assert values(shapes, ":a :start 1 ; :p :c . :c :p :a . ") == ["<urn:a>", None]


def test_long_lists_and_high_counts() -> None:
    members = " ".join(f":v{number}" for number in range(1000))
    some = " , ".join(f":v{number}" for number in range(9))
    counted = "sh:not [ sh:property [ sh:path :p ; sh:minCount 9 ; sh:maxCount 9 ] ]"
    shapes = f":S sh:targetSubjectsOf :p ; sh:property [ sh:path :p ; sh:in ( {members} ) ] ; {counted} ."
    assert values(shapes, f":a :p {some} . :b :p :v1 , :x .") == ["<urn:a>", "<urn:x>"]


def test_a_node_no_triple_mentions_is_a_value_of_a_path_without_steps() -> None:
    path = "[ sh:zeroOrMorePath :p ]"
    shapes = (
        f":S sh:targetNode :lost , 'lost' ; sh:property [ sh:path {path} ; sh:maxCount 0 ; sh:nodeKind sh:Literal ] ."
    )
    assert values(shapes, "") == ["<urn:lost>", None, None]


def test_blank_nodes_of_the_data_are_focus_nodes_of_every_query() -> None:
    for query in (
        "SELECT $this WHERE { $this <urn:p> ?value FILTER (isBlank($this)) }",
        "SELECT $this WHERE { $this <urn:p> ?value FILTER (isBlank($this)) } GROUP BY $this HAVING (COUNT(*) > 0)",
    ):
        (found,) = values(f":S sh:targetSubjectsOf :p ; sh:sparql [ sh:select '{query}' ] .", "[] :p 1 . :a :p 1 .")
        assert re.fullmatch("_:[0-9a-f]+", found or "")


def test_the_graph_of_the_shapes_is_seen_by_their_queries() -> None:
    query = (
        "SELECT $this ?value WHERE { GRAPH $shapesGraph { $currentShape <urn:allows> ?value } $this <urn:p> ?value }"
    )
    assert values(f":S sh:targetSubjectsOf :p ; :allows 1 ; sh:sparql [ sh:select '{query}' ] .", ":a :p 1 , 2 .") == [
        f'"1"^^<{XSD}integer>'
    ]


def test_subclasses_of_the_store_count() -> None:
    shapes = ":S sh:targetClass :C ; sh:property [ sh:path :p ; sh:class :C ] ."
    data = ":D rdfs:subClassOf :C . :E rdfs:subClassOf :D . _:x rdfs:subClassOf :C ."
    data += ":a a :E ; :p :a , :b . :c a _:x ; :p 1 ."
    assert values(shapes, data) == [f'"1"^^<{XSD}integer>', "<urn:b>"]


def test_targets_by_query() -> None:
    shapes = """:S sh:target [ sh:select "SELECT ?this WHERE { ?this <urn:p> ?x FILTER (?x > 1) } # more" ] ;
        sh:nodeKind sh:Literal ; sh:sparql [ sh:select "SELECT $this ?value WHERE { $this <urn:p> ?value }" ] ."""
    assert values(shapes, ":a :p 1 . :b :p 2 , 3 .") == [f'"2"^^<{XSD}integer>', f'"3"^^<{XSD}integer>', "<urn:b>"]
