"""Shapes read into their intermediate form, or refused with the reason; what hostile shapes and data do."""

from __future__ import annotations

import time

import pyoxigraph
import pytest

from provstore.errors import InvalidInput
from provstore.validation import report
from provstore.validation.closures import ValidationResult, Validator
from provstore.validation.compiled import StoreValidation
from provstore.validation.engine import parsed
from provstore.validation.reading import read

PREFIXES = """@prefix sh: <http://www.w3.org/ns/shacl#> . @prefix ex: <https://example.org/> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> . @prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> . @prefix owl: <http://www.w3.org/2002/07/owl#> .
"""


def found(shapes: str, data: str) -> list[ValidationResult]:
    validator = Validator(read(parsed((PREFIXES + shapes).encode())))
    return list(validator.validate(parsed((PREFIXES + data).encode())))


def values(shapes: str, data: str) -> list[str | None]:
    return sorted((each.value for each in found(shapes, data)), key=str)


@pytest.mark.parametrize(
    ("shape", "reason"),
    [
        ("ex:S a sh:NodeShape ; sh:minCount 1 .", "sh:minCount needs a property shape"),
        ("ex:S a sh:PropertyShape ; sh:minCount 1 .", "sh:path is missing"),
        ("ex:S a sh:NodeShape ; sh:path ex:p .", "stands in a node shape"),
        ("ex:S sh:path ex:p , ex:q ; sh:minCount 1 .", "sh:path is given more than once"),
        ("ex:S sh:path ex:p ; sh:minCount 1 , 2 .", "sh:minCount is given more than once"),
        ("ex:S sh:path ex:p ; sh:minCount 'one' .", "whole number"),
        ("ex:S sh:path ex:p ; sh:maxCount -1 .", "whole number"),
        ("ex:S sh:path ex:p ; sh:nodeKind ex:IRI .", "sh:nodeKind must be one of"),
        ("ex:S sh:path ex:p ; sh:datatype 'integer' .", "sh:datatype must be an IRI"),
        ("ex:S sh:path ex:p ; sh:in ex:a .", "no well-formed list"),
        ("ex:S sh:path ex:p ; sh:pattern '(' .", "no regular expression"),
        ("ex:S sh:path ex:p ; sh:pattern 'a' ; sh:flags 'z' .", "flags may be"),
        ("ex:S sh:path ex:p ; sh:pattern '(a)\\\\1' .", "no regular expression"),
        ("ex:S sh:path ex:p ; sh:minLenght 1 .", "sh:minLenght is no term for a shape"),
        ("ex:S a sh:NodeShape ; sh:rule [ a sh:TripleRule ] .", "SHACL-AF rules, not supported"),
        ("ex:S a sh:NodeShape ; sh:js [ ] .", "SHACL-JS, not supported"),
        ("ex:S sh:path 'p' ; sh:minCount 1 .", "which is no path"),
        (
            "ex:S sh:path [ sh:inversePath ex:p ; sh:zeroOrMorePath ex:q ] ; sh:minCount 1 .",
            "exactly one path operator",
        ),
        ("ex:S sh:path ( ex:p ) ; sh:minCount 1 .", "fewer than two"),
        ("_:l rdf:first ex:p ; rdf:rest _:l . ex:S sh:path _:l ; sh:minCount 1 .", "no well-formed list"),
        ("_:p sh:inversePath _:p . ex:S sh:path _:p ; sh:minCount 1 .", "contains itself"),
        ("ex:S a sh:NodeShape ; sh:node ex:T . ex:T sh:property [ sh:path ex:p ; sh:node ex:S ] .", "recursive"),
        ("ex:S a sh:NodeShape ; sh:not ex:S .", "example.org/S> → <https://example.org/S>"),
        ("ex:S a sh:NodeShape ; sh:property [ sh:minCount 1 ] .", "has no sh:path"),
        ("ex:S sh:path ex:p ; sh:qualifiedValueShape [ sh:class ex:C ] .", "needs sh:qualifiedMinCount"),
        ("ex:S a sh:NodeShape ; sh:targetNode [ ] .", "not a blank node"),
        ("ex:S a sh:NodeShape ; sh:targetClass 'C' .", "must be an IRI"),
        ("ex:S a sh:NodeShape ; sh:severity 'high' .", "must be an IRI"),
        ("ex:S a sh:NodeShape ; sh:closed 'yes' .", "true or false"),
        ("ex:S a sh:NodeShape ; sh:node 'T' .", "literal where a shape"),
        ("ex:S a sh:NodeShape ; sh:sparql [ ] .", "exactly one sh:select"),
        ("ex:S a sh:NodeShape ; sh:sparql [ sh:select 'SELECT $this { $this ' ] .", "query"),
        ("ex:S a sh:NodeShape ; sh:sparql [ sh:select 'SELECT $this { MINUS { } }' ] .", "may not contain MINUS"),
        ("ex:S a sh:NodeShape ; sh:sparql [ sh:select 'SELECT $this { SERVICE <urn:x> { } }' ] .", "SERVICE"),
        ("ex:S a sh:NodeShape ; sh:sparql [ sh:select 'SELECT (1 AS $this) { }' ] .", "may not assign"),
        ("ex:S a sh:NodeShape ; sh:sparql [ sh:select 'SELECT $this { { SELECT ?x { ?x ?y ?z } } }' ] .", "subquery"),
        (
            "ex:S a sh:NodeShape ; sh:sparql [ sh:select 'SELECT $this { ex:a ex:b $this }' ] .",
            "the query cannot be used",
        ),
    ],
)
def test_what_is_not_understood_is_refused_with_the_reason(shape: str, reason: str) -> None:
    with pytest.raises(InvalidInput, match="(?s)" + reason.replace("(", r"\(")):
        read(parsed((PREFIXES + shape).encode()))


def test_an_iri_that_stands_for_a_blank_node_is_still_a_blank_node_for_a_query() -> None:
    shapes = """ex:S a sh:NodeShape ; sh:targetObjectsOf ex:p ; sh:sparql [ sh:select
        '''SELECT $this ?value { FILTER (isBlank($this)) $this <https://example.org/q> ?value
        FILTER (!isIRI(?value)) }''' ] ."""
    assert [
        (each.focus[0], each.value) for each in found(shapes, "ex:a ex:p [ ex:q 1 , ex:b ] , ex:c . ex:c ex:q 2 .")
    ] == [("_", '"1"^^<http://www.w3.org/2001/XMLSchema#integer>')]


def test_a_literal_can_be_the_focus_of_a_query() -> None:
    shapes = """ex:S a sh:NodeShape ; sh:targetNode 'x' , 'xyz' ; sh:sparql [ sh:select
        'SELECT $this { FILTER (STRLEN($this) > 2) FILTER NOT EXISTS { $this <https://example.org/q> ?value } }' ] ."""
    assert values(shapes, "ex:a ex:p 'x' .") == ['"xyz"']


def test_the_places_of_a_variable_in_a_query() -> None:
    query = """# ?this in a comment
        SELECT DISTINCT $this (COUNT(?v) AS ?value) WHERE { $this ex:p ?v . BIND ("$this" AS ?text)
        FILTER (BOUND($this) && ?text = "$this" && !BOUND(?nothing)) } GROUP BY $this
        HAVING (COUNT(?v) > 1) ORDER BY $this"""
    shapes = f"""ex:S a sh:NodeShape ; sh:targetSubjectsOf ex:p ;
        sh:sparql [ sh:prefixes ex: ; sh:select '''{query}''' ] .
        ex: sh:declare [ sh:prefix "ex" ; sh:namespace "https://example.org/"^^xsd:anyURI ] ."""
    assert [each.focus for each in found(shapes, "ex:a ex:p 1 , 2 . ex:b ex:p 3 .")] == ["<https://example.org/a>"]


def test_messages_are_those_found_or_those_filled_in() -> None:
    shapes = """ex:S a sh:NodeShape ; sh:targetSubjectsOf ex:p ; sh:sparql
        [ sh:message "{?value} of {$this}, {?x}" ;
          sh:select 'SELECT $this ?value { $this <https://example.org/p> ?value }' ] ,
        [ sh:select 'SELECT $this ?message { $this <https://example.org/p> ?value BIND ("said" AS ?message) }' ] ."""
    messages = {message for each in found(shapes, 'ex:a ex:p "a \\"b\\"" .') for message in each.messages}
    assert messages == {'"a \\"b\\" of https://example.org/a, {?x}"', '"said"'}


# --- hostile shapes and data ------------------------------------------------------------------------------------------


def test_shapes_that_double_at_every_level_are_refused() -> None:
    levels = " ".join(f"ex:S{n} sh:and ( ex:S{n + 1} ex:S{n + 1} ) ." for n in range(40))
    with pytest.raises(InvalidInput, match="unfolds to more than"):
        read(parsed(f"{PREFIXES} {levels} ex:S40 sh:nodeKind sh:IRI .".encode()))


def test_shapes_and_paths_that_are_too_deep_are_refused() -> None:
    levels = " ".join(f"ex:S{n} sh:node ex:S{n + 1} ." for n in range(5000))
    with pytest.raises(InvalidInput, match="64 levels"):
        read(parsed(f"{PREFIXES} {levels} ex:S5000 sh:nodeKind sh:IRI .".encode()))
    steps = " ".join(f"_:p{n} sh:zeroOrMorePath _:p{n + 1} ." for n in range(5000))
    with pytest.raises(InvalidInput, match="levels"):
        read(parsed(f"{PREFIXES} {steps} _:p5000 sh:inversePath ex:p . ex:S sh:path _:p0 ; sh:minCount 1 .".encode()))


def test_paths_that_double_at_every_level_are_refused() -> None:
    steps = " ".join(f"_:p{n} sh:alternativePath ( _:p{n + 1} _:p{n + 1} ) ." for n in range(40))
    with pytest.raises(InvalidInput, match="steps"):
        read(parsed(f"{PREFIXES} {steps} _:p40 sh:inversePath ex:p . ex:S sh:path _:p0 ; sh:minCount 1 .".encode()))


def test_a_pattern_cannot_run_away() -> None:
    shapes = "ex:S a sh:NodeShape ; sh:targetObjectsOf ex:p ; sh:pattern '^(([a-z])+.)+[A-Z]([a-z])+$' ."
    start = time.process_time()
    assert len(found(shapes, f"ex:a ex:p '{'a' * 50_000}' .")) == 1
    assert time.process_time() - start < 5
    with pytest.raises(InvalidInput, match="no regular expression"):
        read(parsed(f"{PREFIXES} ex:S sh:targetNode ex:a ; sh:pattern '((a{{1000}}){{1000}}){{1000}}' .".encode()))


def test_nested_failures_are_told_without_doubling() -> None:
    levels = " ".join(f"ex:S{n} sh:or ( ex:S{n + 1} [ sh:class ex:C ] ) ." for n in range(50))
    start = time.process_time()
    results = found(f"ex:S0 sh:targetNode ex:a . {levels} ex:S50 sh:class ex:D .", "ex:a ex:p 1 .")
    assert len(results) == 1
    assert time.process_time() - start < 5
    depth, each = 0, results[0]
    while each.details:
        depth, each = depth + 1, each.details[0]
    assert depth == 50


def test_nothing_is_fetched() -> None:
    shapes = """<https://example.org/shapes> owl:imports <http://127.0.0.1:9/shapes.ttl> .
        ex:S a sh:NodeShape ; sh:nodeKind sh:IRI ; sh:targetNode 'x' ."""
    assert len(found(shapes, "ex:a ex:p 1 .")) == 1


def test_the_report_is_the_results_in_turtle() -> None:
    shapes = """ex:S a sh:NodeShape ; sh:targetClass ex:C ; sh:property [ sh:node ex:N ;
        sh:message "so"@en , "auch"@de ;
        sh:path ( [ sh:inversePath ex:p ] [ sh:zeroOrMorePath [ sh:alternativePath ( ex:q ex:r ) ] ] ) ] .
        ex:N sh:class ex:D ."""
    said = parsed(report.turtle(found(shapes, "ex:i a ex:C . ex:j ex:p ex:i .")).encode())
    sh = "<http://www.w3.org/ns/shacl#{}>".format
    (whole,) = said.instances(sh("ValidationReport"))
    (result,) = said.objects(whole, sh("result"))
    assert list(said.objects(whole, sh("conforms"))) == ['"false"^^<http://www.w3.org/2001/XMLSchema#boolean>']
    assert set(said.objects(result, sh("resultMessage"))) == {'"so"@en', '"auch"@de'}
    (detail,) = said.objects(result, sh("detail"))
    assert list(said.objects(detail, sh("sourceConstraintComponent"))) == [sh("ClassConstraintComponent")]
    assert list(parsed(report.turtle([]).encode()).subjects_of(sh("conforms")))


# --- SPARQL targets ---------------------------------------------------------------------------------------------------

TARGETED = """ex: sh:declare [ sh:prefix "ex" ; sh:namespace "https://example.org/"^^xsd:anyURI ] .
ex:S a sh:NodeShape ; sh:nodeKind sh:BlankNode ; sh:target [ a <http://www.w3.org/ns/shacl#SPARQLTarget> ;
    sh:prefixes ex: ; sh:select "SELECT ?this WHERE { ?this ex:p ?v FILTER (?v > 1) }" ] .
"""


def test_a_query_gives_the_focus_nodes() -> None:
    assert values(TARGETED, "ex:a ex:p 1 . ex:b ex:p 2 , 3 . ex:c ex:q 4 .") == ["<https://example.org/b>"]


def test_a_query_gives_the_focus_nodes_of_a_store() -> None:
    store = pyoxigraph.Store()
    store.load(f"{PREFIXES} ex:a ex:p 1 . ex:b ex:p 2 , 3 .".encode(), pyoxigraph.RdfFormat.TURTLE)
    validation = StoreValidation(read(parsed((PREFIXES + TARGETED).encode())), store)
    assert [each.focus for each in validation.results()] == ["<https://example.org/b>"]


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("[ a ex:Other ]", "other targets are not supported"),
        ("[ sh:select 'SELECT ?that { ?that ?p ?o }' ]", "must select \\?this"),
        ("[ sh:select 'SELECT ?this { ?this ex:p ?o }' ]", "the prefix ex: is not declared"),
        ("[ sh:select 'SELECT ?this { SERVICE <urn:x> { ?this ?p ?o } }' ]", "SERVICE"),
        ("[ sh:select 'SELECT ?this { ?this ' ]", "cannot be used"),
    ],
)
def test_other_targets_are_refused(target: str, reason: str) -> None:
    with pytest.raises(InvalidInput, match=reason):
        read(parsed(f"{PREFIXES} ex:S a sh:NodeShape ; sh:target {target} ; sh:nodeKind sh:IRI .".encode()))
