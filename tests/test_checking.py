"""Records held against profiles: two engines that agree, results in words, bounds, and a query that never ends."""

from __future__ import annotations

from pathlib import Path

import pytest

from provstore.errors import InvalidInput, NotFound
from provstore.security.pool import JobTimeout, WorkerPool
from provstore.validation.checking import told, validate
from provstore.validation.profiles import Registry
from provstore.validation.results import Result
from provstore.validation.tasks import ENGINES, Task

EX = "https://example.org/"
PREFIXES = f"""@prefix sh: <http://www.w3.org/ns/shacl#> . @prefix ex: <{EX}> .
@prefix dct: <http://purl.org/dc/terms/> .
@prefix ps: <https://w3id.org/provstore/ns#> . @prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
ex:Big rdfs:subClassOf ex:Model .
"""
SHAPES = """
ex:model a sh:NodeShape ; sh:targetClass ex:Model ; dct:source ex:clause ; sh:property [
    sh:path ex:version ; sh:minCount 1 ; sh:datatype xsd:integer ; sh:severity sh:Warning ] .
ex:owned a sh:PropertyShape ; sh:targetClass ex:Model ; sh:path ex:owner ; sh:minCount 1 ; dct:source ex:other ;
    sh:message "niemand"@de , "nobody owns it"@en ; ps:add "{$this} ex:owner ex:ada ." .
ex:linked a sh:PropertyShape ; sh:targetClass ex:Model ; sh:nodeKind sh:IRI ;
    sh:path [ sh:alternativePath ( ex:from [ sh:inversePath ex:to ] ) ] ; sh:node [ sh:class ex:Model ] .
"""
MODEL = f"<{EX}m> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <{EX}Big> .\n"


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return publish(tmp_path, SHAPES)


def publish(home: Path, shapes: str) -> Registry:
    (home / "mine").mkdir()
    (home / "mine" / "1.ttl").write_text(PREFIXES + shapes)
    return Registry(str(home), EX.rstrip("/"))


def quads(*lines: str) -> bytes:
    return "".join(sorted({MODEL, *lines})).encode()


def brief(results: list[Result]) -> list[tuple[str, str, str, str]]:
    return [(each.shape.removeprefix(EX), each.severity, each.path.replace(EX, ""), each.value) for each in results]


@pytest.mark.parametrize("engine", ENGINES)
def test_both_engines_say_the_same(registry: Registry, engine: str) -> None:
    data = quads(f'<{EX}m> <{EX}version> "one" .\n', f"<{EX}n> <{EX}to> <{EX}m> .\n", f"<{EX}m> <{EX}from> _:b .\n")
    found = validate(data, "mine", registry, engine)
    assert brief(found) == [
        ("linked", "MUST", "^to", f"{EX}n"),
        ("linked", "MUST", "from", "_:b"),
        ("linked", "MUST", "from", "_:b"),
        ("owned", "MUST", "owner", ""),
        ("model", "SHOULD", "version", '"one"'),
    ]
    assert {each.profile for each in found} == {"mine/1"}


def test_a_result_says_what_to_do_and_by_which_clause(registry: Registry) -> None:
    *_, owned, version = validate(quads(f"<{EX}m> <{EX}from> <{EX}m> .\n"), "mine", registry)
    assert (owned.message, owned.clause, owned.expected) == ("nobody owns it", f"{EX}other", "at least 1")
    assert owned.fix is not None
    assert owned.fix.add == f"<{EX}m> ex:owner ex:ada ."
    assert version.clause == f"{EX}clause"  # that of the rule it is part of
    assert "ex:version" in version.message or f"{EX}version" in version.message
    assert version.fix is not None
    assert version.fix.add


def test_results_of_nested_shapes_are_details(registry: Registry) -> None:
    linked = validate(quads(f"<{EX}m> <{EX}from> <{EX}x> .\n"), "mine", registry)[0]
    assert [each.component.rpartition("#")[2] for each in linked.details] == ["ClassConstraintComponent"]


def test_literals_are_seen_as_they_were_sent(tmp_path: Path) -> None:
    registry = publish(tmp_path, "ex:x a sh:PropertyShape ; sh:targetClass ex:Model ; sh:path ex:n ; sh:in ( 1 ) .")
    data = quads(*(f'<{EX}m> <{EX}n> "{n}"^^<http://www.w3.org/2001/XMLSchema#integer> .\n' for n in ("1", "01")))
    assert [each.value[:4] for each in validate(data, "mine", registry)] == ['"01"']


def test_too_many_results_are_cut_and_said_to_be(tmp_path: Path) -> None:
    registry = publish(
        tmp_path, "ex:x a sh:PropertyShape ; sh:targetClass ex:Model ; sh:path ex:n ; sh:nodeKind sh:IRI ."
    )
    found = validate(quads(*(f'<{EX}m> <{EX}n> "{n}" .\n' for n in range(6000))), "mine", registry)
    assert len(found) == 5001
    assert (found[-1].severity, found[-1].message[:12]) == ("ERROR", "more than 5,")


def test_details_are_cut(tmp_path: Path) -> None:
    inner = "[ sh:property [ sh:path ex:n ; sh:nodeKind sh:IRI ] ]"
    shapes = f"ex:x a sh:NodeShape ; sh:targetClass ex:Model ; sh:node {inner} ."
    (found,) = validate(quads(*(f'<{EX}m> <{EX}n> "{n}" .\n' for n in range(100))), "mine", publish(tmp_path, shapes))
    assert len(found.details) == 20


def test_a_query_that_never_ends_is_stopped(tmp_path: Path) -> None:
    cross = " . ".join(f"?s{n} ?p{n} ?o{n}" for n in range(8))
    every = ", ".join(f"STR(?o{n})" for n in range(8))
    query = f"SELECT $this WHERE {{ {cross} FILTER (CONCAT({every}) = 'x') }}"
    shapes = f"ex:x a sh:NodeShape ; sh:targetClass ex:Model ; sh:sparql [ sh:select '''{query}''' ] ."
    registry = publish(tmp_path, shapes)
    data = quads(*(f'<{EX}m> <{EX}n> "{n}" .\n' for n in range(300)))
    pool = WorkerPool(2 << 30, most=1, keep=1, modules=("provstore.validation.checking",))
    try:
        with pytest.raises(JobTimeout):
            pool.call("provstore.validation.checking:told", Task(registry, "mine", data), 3.0)
    finally:
        pool.close()


def test_what_cannot_be_asked_is_refused(registry: Registry) -> None:
    with pytest.raises(InvalidInput, match="no engine 'jena': there are compiled, pyshacl"):
        validate(quads(), "mine", registry, "jena")
    with pytest.raises(NotFound):
        validate(quads(), "yours", registry)
    with pytest.raises(InvalidInput, match="canonical N-Quads"):
        told(Task(registry, "mine", b"<a> <b> .\n"))
