"""Where results stand in what was sent: every term in RDF, and the part of an event that a statement came from."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provstore import rdf
from provstore.capture import payloads
from provstore.capture.openlineage import map_event
from provstore.capture.places import Places, places, pointers
from provstore.capture.places.turtle import NotUnderstood, Statement, statements
from provstore.capture.syntax import Document, map_document
from provstore.model import Location, Mapped
from tests import suites
from tests.suites import ROOT

BASE = "https://prov.example"
PROV = "http://www.w3.org/ns/prov#"
FORMATS = {
    ".ttl": ox.RdfFormat.TURTLE,
    ".trig": ox.RdfFormat.TRIG,
    ".nt": ox.RdfFormat.N_TRIPLES,
    ".nq": ox.RdfFormat.N_QUADS,
}
OWN = sorted([*ROOT.glob("shapes/**/*.t*"), *ROOT.glob("ontology/*.ttl"), *ROOT.glob("tests/**/*.trig")])


# --- RDF: the reader -------------------------------------------------------------------------------------------------


def shape(term: str) -> str:
    return "_:" if term.startswith("_:") else term


def mine(text: str) -> set[tuple[str, ...]]:
    return {tuple(map(shape, (s.subject, s.predicate, s.value))) for s in statements(text, "http://b.example/x/y")}


def theirs(data: bytes, form: ox.RdfFormat) -> set[tuple[str, ...]] | None:
    """What the real parser reads; None for what it refuses, or what has terms of RDF 1.2."""
    try:
        quads = list(ox.parse(data, format=form, base_iri="http://b.example/x/y"))
    except (SyntaxError, ValueError):
        return None
    if any(isinstance(q.object, ox.Triple) or getattr(q.object, "direction", None) for q in quads):
        return None
    return {tuple(map(shape, rdf.split(rdf.quad_line(ox.Quad(q.subject, q.predicate, q.object)))[:3])) for q in quads}


@pytest.mark.parametrize("file", OWN, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_our_own_files_are_read_as_the_parser_reads_them(file: Path) -> None:
    assert mine(file.read_bytes().decode()) == theirs(file.read_bytes(), FORMATS[file.suffix])


def test_the_files_of_the_suites_are_read_as_the_parser_reads_them() -> None:
    read = 0
    for name in ("shacl", "rdf-canon", "sparql"):
        for file in sorted(each for each in suites.path(name).rglob("*") if each.suffix in FORMATS):
            wanted = theirs(file.read_bytes(), FORMATS[file.suffix])
            if wanted is None:
                continue
            try:
                found = mine(file.read_bytes().decode())
            except NotUnderstood:
                assert "sparql12" in file.parts, file  # reified triples and the like
                continue
            assert found == wanted, file
            read += 1
    assert read > 800


ODD = r"""# a comment with a . and "quotes" and a <urn:x>
@prefix : <urn:e:> . @prefix prov: <http://www.w3.org/ns/prov#> .
PREFIX x.y: <urn:dotted/>
:a a prov:Entity ; # why
   prov:value '''first
second # no comment . ; "x" ''' , "b\"c"@EN-gb , 5 , -1.5 , 2e3 , .5 , true ;
   ;
   prov:wasDerivedFrom :b.c , x.y:d , <urn:long\u0041> .
[] prov:used [ a prov:Entity ; prov:value ( 1 "two" <#three> ) ] .
_:n.1 prov:used _:n-2 .
:g { :in prov:used :a . :in prov:used :b }
GRAPH :h { [ prov:used :a ] . }
@prefix : <urn:other:> .
:a prov:value "again" .
"""


def test_odd_turtle_is_read_with_the_place_of_each_term() -> None:
    assert mine(ODD) == theirs(ODD.encode(), ox.RdfFormat.TRIG)
    found = {(s.subject, s.value): s for s in statements(ODD, "http://b.example/")}

    def at(statement: Statement, part: int) -> str:
        return ODD[statement.at[part] :]

    text = found["<urn:e:a>", '"first\\nsecond # no comment . ; \\"x\\" "']
    assert [at(text, 0)[:2], at(text, 1)[:10], at(text, 2)[:6]] == [":a", "prov:value", "'''fir"]
    assert at(found["<urn:e:a>", '"b\\"c"@en-gb'], 2).startswith('"b\\"c"@EN')
    assert at(found["<urn:other:a>", '"again"'], 0).startswith(':a prov:value "again"')
    assert at(found["<urn:e:in>", "<urn:e:b>"], 2).startswith(":b }")
    assert at(found["_:n.1", "_:n-2"], 0).startswith("_:n.1 prov:used")


@pytest.mark.parametrize(
    "text", ["<a", '<urn:a> <urn:p> "x', "x:a x:b x:c .", "<urn:a> <urn:p> <<( <urn:a> <urn:p> 1 )>> ."]
)
def test_what_is_not_understood_is_said(text: str) -> None:
    with pytest.raises(NotUnderstood):
        list(statements(text, "http://b.example/"))


def test_deep_nesting_is_not_understood_rather_than_a_crash() -> None:
    with pytest.raises(NotUnderstood):
        list(statements("<urn:a> <urn:p> " + "[ <urn:p> " * 100_000, "http://b.example/"))


def test_large_documents_take_time_in_proportion() -> None:
    """Reading a token does not look at all the text that is left: this would not come to an end."""
    text = "".join(f"<urn:s{n}> <urn:p> <urn:o{n}> <urn:g> .\n" for n in range(60_000))
    assert sum(1 for _ in statements(text, "http://b.example/")) == 60_000


# --- RDF: results ----------------------------------------------------------------------------------------------------


def document(text: str, media_type: str) -> tuple[Mapped, Places]:
    mapped = map_document(Document(text.encode(), media_type, BASE))
    return mapped, places(text.encode(), media_type, mapped.record, BASE, mapped.quads)


def test_every_line_of_n_triples_is_exact() -> None:
    lines = [f'<urn:s{n}> <urn:p> "v{n}"@en .' for n in range(50)]
    lines.insert(7, "# nothing")
    lines.insert(9, "")
    _, found = document("\n".join(lines), "application/n-triples")
    for number, line in enumerate(lines, 1):
        if line.startswith("<"):
            subject, _, value = rdf.split(line)[:3]
            at = found.find(subject[1:-1], "urn:p", value)
            assert at == Location(line=number, column=line.index('"') + 1)


TURTLE = """@prefix prov: <http://www.w3.org/ns/prov#> .
<urn:a> a prov:Activity ;
  prov:startedAtTime "yesterday",
    "today" ; prov:used <urn:b> .
<> prov:wasAttributedTo <#me> .
_:x a prov:Usage ; prov:entity <urn:b> .
[] a prov:Usage ;
  prov:hadRole "r" .
"""


@pytest.mark.parametrize(
    ("focus", "path", "value", "line", "column"),
    [
        ("urn:a", f"{PROV}startedAtTime", '"today"', 4, 5),
        ("urn:a", f"<{PROV}startedAtTime>", '"yesterday"', 3, 22),
        ("urn:a", f"{PROV}startedAtTime|{PROV}endedAtTime", '"today"', 4, 5),
        ("urn:a", f"{PROV}startedAtTime", "", 3, 3),  # too many of them: where the first is said
        ("urn:a", f"{PROV}endedAtTime", "", 2, 1),  # there is none: where the node is spoken of
        ("urn:b", f"^{PROV}used", "urn:a", 4, 25),
        ("urn:b", f"^<{PROV}used>", "urn:c", 4, 15),
        ("urn:b", "", "urn:b", 4, 25),
        ("{record}", f"{PROV}generatedAtTime", "", 5, 1),
        ("{record}#me", "", "", 5, 25),
        ("urn:nowhere", "", "", None, None),
    ],
)
def test_results_in_turtle(focus: str, path: str, value: str, line: int | None, column: int | None) -> None:
    mapped, found = document(TURTLE, "text/turtle")
    at = found.find(focus.format(record=mapped.record), path, value)
    assert at == (None if line is None else Location(line=line, column=column))


def test_blank_nodes_are_found_and_told_as_the_document_tells_them() -> None:
    mapped, found = document(TURTLE, "text/turtle")
    nodes = sorted(set(re.findall(r"<(https://prov\.example/record/\w+#c14n\d+)>", mapped.quads.decode())))
    lines = {at.line or 0: node for node in nodes if (at := found.find(node, "", ""))}
    assert sorted(lines) == [6, 7]
    assert found.rename(f"<{lines[6]}> prov:entity <urn:b> .") == "_:x prov:entity <urn:b> ."
    assert found.rename(f"<{mapped.record}> prov:value 1 .") == "<> prov:value 1 ."
    nameless = found.rename(f"<{lines[7]}> prov:entity <urn:b> .").splitlines()
    assert nameless == ["# [] is the blank node that begins at line 7, column 1", "# [] prov:entity <urn:b> ."]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 2), st.integers(0, 5)), max_size=12))
def test_blank_nodes_keep_what_is_around_them(edges: list[tuple[int, int, int]]) -> None:
    """The line that is found for a node of the record is one of a node that says the same."""
    text = "<urn:r> <urn:q> 1 .\n" + "".join(f"_:b{s} <urn:p{p}> _:b{o} .\n" for s, p, o in edges)
    mapped, found = document(text, "text/turtle")
    lines = text.splitlines()
    for line in mapped.quads.decode().splitlines():
        subject, predicate, value = rdf.split(line)[:3]
        if "#c14n" in subject:
            at = found.find(subject[1:-1], predicate[1:-1], value[1:-1])
            assert at is not None
            assert at.line is not None
            assert predicate in lines[at.line - 1]


# --- JSON ------------------------------------------------------------------------------------------------------------


@settings(deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_pointers_lead_to_the_place_of_every_value(value: Any) -> None:
    for indent in (None, 2):
        text = f"\n {json.dumps(value, indent=indent)}"
        offsets = pointers.Offsets(text)
        for pointer, leaf in pointers.leaves(value):
            at = offsets.at(pointer)
            assert at is not None
            assert json.JSONDecoder().raw_decode(text, at)[0] == leaf
            assert pointers.value_at(value, pointer) == leaf


def test_pointers_to_nothing() -> None:
    text = '{"a": [1, {"b": 2}], "a/b": {"~": 3}, "c": 1, "c": 2}'
    offsets = pointers.Offsets(text)
    for pointer in ("/x", "/a/2", "/a/x", "/a/1/c", "/c/d"):
        assert offsets.at(pointer) is None, pointer
    assert offsets.at("/a~1b/~0") == text.index("3")
    assert offsets.at("/c") == text.index("2}", 20)  # the last one counts, as for the reader
    assert pointers.common(["/inputs/0/facets/x", "/inputs/0/name"]) == "/inputs/0"


def test_payloads_know_where_they_begin() -> None:
    def begins(text: str, kind: str = "application/json") -> list[tuple[int, int]]:
        return [part.begins for part in payloads.split(text.encode(), kind, None, payloads.Limits())]

    assert begins('\n\n  {"a": 1}') == [(3, 3)]
    assert begins('{"a": 1}\n\n {"b": 2}\n', "application/x-ndjson") == [(1, 1), (3, 2)]
    assert begins('[{"a":\n1},\n  {"b": 2}, {"c": 3}]') == [(1, 2), (3, 3), (3, 13)]


# --- OpenLineage -----------------------------------------------------------------------------------------------------


def event(name: str) -> tuple[dict[str, Any], Mapped, Places]:
    value = json.loads((suites.path("openlineage") / name).read_text())
    return located(value)


def located(value: dict[str, Any]) -> tuple[dict[str, Any], Mapped, Places]:
    mapped = map_event(value, base=BASE)
    quads = mapped.whole
    return value, mapped, places(json.dumps(value, indent=1).encode(), "application/json", mapped.record, BASE, quads)


EVENT: dict[str, Any] = {
    "eventType": "COMPLETE",
    "eventTime": "2026-03-01T03:00:00Z",
    "producer": "https://example.org/scheduler",
    "run": {
        "runId": "0176a8c2-fe01-7439-87e6-56a1a1b4029f",
        "facets": {
            "parent": {
                "_producer": "https://example.org/parent",
                "run": {"runId": "0176a8c2-fe01-7439-87e6-56a1a1b40200"},
                "job": {"namespace": "air", "name": "dag"},
            }
        },
    },
    "job": {"namespace": "air", "name": "dag.task"},
    "inputs": [
        {"namespace": "s3://b", "name": "x"},
        {"namespace": "s3://b", "name": "y", "facets": {"version": {"datasetVersion": "7"}}},
    ],
    "outputs": [
        {
            "namespace": "s3://b",
            "name": "x",
            "facets": {"schema": {"fields": [{"name": "id", "type": "INT"}, {"name": "a/b", "type": "TEXT"}]}},
        }
    ],
}


def test_parts_of_an_event() -> None:
    _, mapped, found = located(EVENT)
    run = "urn:uuid:0176a8c2-fe01-7439-87e6-56a1a1b4029f"
    x, y = (f"{BASE}/dataset/s3%3A%2F%2Fb/{name}" for name in "xy")
    (schema,) = (c.iri for c in mapped.contents if b'"schema"' in c.quads)
    for focus, path, value, pointer in (
        (mapped.record, "", "", ""),
        (mapped.record, f"{PROV}generatedAtTime", "", "/eventTime"),
        (mapped.record, f"<{PROV}wasAttributedTo>", "", "/producer"),
        (f"{BASE}/agent/software/https%3A%2F%2Fexample.org%2Fscheduler", "", "", "/producer"),
        (f"{BASE}/agent/software/https%3A%2F%2Fexample.org%2Fparent", "", "", "/run/facets/parent/_producer"),
        (run, f"{PROV}startedAtTime", "", "/run"),
        ("urn:uuid:0176a8c2-fe01-7439-87e6-56a1a1b40200", "", "", "/run/facets/parent/run"),
        (f"{BASE}/job/air/dag", "", "", "/run/facets/parent/job"),
        (f"{BASE}/job/air/dag.task", "", "", "/job"),
        (f"{BASE}/job/air/dag.task", "", '"dag.task"', "/job/name"),
        (x, "", "", ""),  # read and written: what is around both is the event
        (y, "", "", "/inputs/1"),
        (f"{x}/read/0176a8c2-fe01-7439-87e6-56a1a1b4029f", "", "", "/inputs/0"),
        (f"{x}/write/0176a8c2-fe01-7439-87e6-56a1a1b4029f", "", "", "/outputs/0"),
        (f"{y}/version/7", "", "", "/inputs/1/facets/version/datasetVersion"),
        (f"{mapped.record}#/run/facets/parent", "", "", "/run/facets/parent"),
        (schema, "", "", "/outputs/0/facets/schema"),
        (f"{schema}#/fields/1", "", '"TEXT"', "/outputs/0/facets/schema/fields/1/type"),
        (f"{schema}#/fields/a~1b", "", "", "/outputs/0/facets/schema/fields/a~1b"),
        ("urn:nowhere", "", "", None),
    ):
        at = found.find(focus, path, value)
        assert (at.pointer if at else None) == pointer, focus


def test_in_real_events_every_node_has_a_place_and_every_text_is_there() -> None:
    files = sorted((suites.path("openlineage") / "events").rglob("*.json"))
    placed = lost = texts = 0
    for file in files:
        value, mapped, found = event(str(file))
        for line in mapped.quads.decode().split("\n")[:-1]:
            subject, _, term = rdf.split(line)[:3]
            at = found.find(subject[1:-1], "", "")
            if at is None:
                lost += 1
                continue
            assert at.pointer is not None
            assert at.line is not None
            held = pointers.value_at(value, at.pointer)
            placed += 1
            if term.startswith('"') and "^^" not in term and rdf.text_of(term) in json.dumps(value, ensure_ascii=False):
                assert rdf.text_of(term) in json.dumps([at.pointer, held], ensure_ascii=False), (file, line, at)
                texts += 1
    assert len(files) == 150
    assert texts > 1_000
    assert lost < placed / 100, (lost, placed)


# --- JSON-LD ---------------------------------------------------------------------------------------------------------


def test_nodes_of_json_ld() -> None:
    text = json.dumps(
        {
            "@context": {"prov": PROV, "ex": "urn:ex:", "id": "@id"},
            "@graph": [
                {"id": "ex:a", "@type": "prov:Entity", "prov:value": "one"},
                {"@id": "urn:ex:b", "prov:wasDerivedFrom": {"@id": "ex:a"}},
            ],
        }
    )
    _, found = document(text, "application/ld+json")
    at = found.find("urn:ex:b", f"{PROV}wasDerivedFrom", "")
    assert at is not None
    assert at.pointer == "/@graph/1"
    at = found.find("urn:ex:a", f"{PROV}value", '"one"')
    assert at is not None
    assert at.pointer == "/@graph/0/prov:value"


@pytest.mark.parametrize("kind", ["application/json", "application/ld+json", "text/turtle", "application/rdf+xml"])
def test_what_cannot_be_read_has_no_places(kind: str) -> None:
    found = places(b"\xff{[", kind, "urn:r", BASE, b"")
    assert found.find("urn:a", "", "") is None
    assert found.rename("<urn:a> a <urn:b> .") == "<urn:a> a <urn:b> ."


# --- many results ----------------------------------------------------------------------------------------------------


def test_thousands_of_results_of_one_document_are_placed_in_no_time() -> None:
    """Each is looked up, nothing is searched again: otherwise these would take minutes."""
    lines = [f"<urn:hub> <urn:p> <urn:o{n}> ." for n in range(5_000)]
    _, found = document("\n".join(lines), "application/n-triples")
    for number in range(5_000):
        assert found.find("urn:hub", "urn:p", f"urn:o{number}") == Location(line=number + 1, column=19)
    big = {**EVENT, "inputs": [{"namespace": "s3://b", "name": f"n{n}"} for n in range(5_000)]}
    _, _, places_of = located(big)
    for number in range(5_000):
        at = places_of.find(f"{BASE}/dataset/s3%3A%2F%2Fb/n{number}", "", f'"n{number}"')
        assert at is not None
        assert at.pointer == f"/inputs/{number}/name"
