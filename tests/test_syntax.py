"""RDF documents of every syntax as records."""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from contextlib import closing
from typing import Any

import pyoxigraph as ox
import pytest
from hypothesis import given
from hypothesis import strategies as st

from provstore import iris, rdf
from provstore.capture.facets import content_of
from provstore.capture.syntax import MAX_LITERAL, MAX_QUADS, SYNTAXES, Document, map_document, media_type_of
from provstore.errors import InvalidInput, TooLarge, Unmappable, UnsupportedMedia
from provstore.model import Mapped
from provstore.security.pool import JobTimeout, WorkerPool
from provstore.vocab import PS

from . import suites

BASE = "https://id.example.org"
XSD = "http://www.w3.org/2001/XMLSchema#"
PLAIN = "@prefix prov: <http://www.w3.org/ns/prov#> .\n"


def mapped(text: str | bytes, media_type: str = "application/trig") -> Mapped:
    return map_document(Document(text.encode() if isinstance(text, str) else text, media_type, BASE))


def lines(record: Mapped) -> list[str]:
    """The lines of a record with its name written `R`, without those every record has."""
    found = record.quads.decode().replace(record.record, "R").splitlines()
    common = "<R> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> "
    return [line.removesuffix(" <R> .") for line in found if not line.startswith(common)]


# -- one graph, many syntaxes -----------------------------------------------------------------------------------------

GRAPH = [
    ox.Quad(ox.NamedNode("http://a/e"), ox.NamedNode("http://www.w3.org/ns/prov#wasDerivedFrom"), ox.BlankNode("x")),
    ox.Quad(ox.BlankNode("x"), ox.NamedNode("http://a/label"), ox.Literal('a "b"\n\té', language="fr")),
    ox.Quad(ox.BlankNode("x"), ox.NamedNode("http://a/n"), ox.Literal("007", datatype=ox.NamedNode(f"{XSD}integer"))),
    ox.Quad(ox.BlankNode("x"), ox.NamedNode("http://a/next"), ox.BlankNode("y")),
    ox.Quad(ox.BlankNode("y"), ox.NamedNode("http://a/next"), ox.BlankNode("x")),
]


@pytest.mark.parametrize("media_type", SYNTAXES)
def test_every_syntax_gives_the_same_record(media_type: str) -> None:
    syntax, _ = SYNTAXES[media_type]
    body = ox.serialize([quad.triple for quad in GRAPH] if not syntax.supports_datasets else GRAPH, format=syntax)
    assert body is not None
    assert mapped(body, media_type) == mapped(ox.serialize(GRAPH, format=ox.RdfFormat.N_QUADS) or b"")


@pytest.mark.parametrize("media_type", [m for m, (syntax, _) in SYNTAXES.items() if syntax.supports_datasets])
def test_every_dataset_syntax_gives_the_same_bundles(media_type: str) -> None:
    bundle = ox.NamedNode("http://a/bundle")
    named = [*GRAPH, *(ox.Quad(quad.subject, quad.predicate, quad.object, bundle) for quad in GRAPH)]
    body = ox.serialize(named, format=SYNTAXES[media_type][0])
    assert body is not None
    assert mapped(body, media_type) == mapped(
        ox.serialize(named, format=ox.RdfFormat.N_QUADS) or b"", "application/n-quads"
    )


def test_documents_of_one_example_in_two_syntaxes_are_one_record() -> None:
    """All of the PROV suite but two that hold no valid IRIs, and one whose Turtle has lost its bundle."""
    found: Counter[str] = Counter()
    for folder in sorted(suites.path("prov/prov-suite-testcases").iterdir()):
        turtle, trig = sorted(folder.glob("*.ttl")), sorted(folder.glob("*.trig"))
        if not turtle or not trig:
            continue
        try:
            one, two = mapped(turtle[0].read_bytes(), "text/turtle"), mapped(trig[0].read_bytes(), "application/trig")
            found["the same" if one == two else folder.name] += 1
        except InvalidInput:
            found["refused"] += 1
    assert found == {"the same": 470, "refused": 2, "test-issues_picaso-file.provn": 1}


def test_blank_nodes_are_skolemised_whatever_they_were_called() -> None:
    one = mapped("<http://a/a> <http://a/b> _:x . _:x <http://a/b> [ <http://a/c> 1 ] .")
    two = mapped("_:q <http://a/c> 1 . _:r <http://a/b> _:q . <http://a/a> <http://a/b> _:r .")
    assert one == two
    assert b"_:" not in one.quads
    assert set(re.findall(r"<R#(\w+)>", "\n".join(lines(one)))) == {"c14n0", "c14n1"}


@given(st.permutations(range(5)), st.permutations("vwxyz"))
def test_order_and_labels_do_not_matter(order: list[int], names: list[str]) -> None:
    edges = [(0, 1), (1, 2), (2, 0), (2, 3), (3, 4)]
    text = "".join(f"_:{names[edges[i][0]]} <http://a/p> _:{names[edges[i][1]]} .\n" for i in order)
    plain = "".join(f"_:n{a} <http://a/p> _:n{b} .\n" for a, b in edges)
    assert mapped(text, "application/n-quads") == mapped(plain, "application/n-quads")


def test_the_record_is_named_by_its_content() -> None:
    record = mapped("<http://a/a> <http://a/b> <http://a/c> .")
    assert record.record.startswith(f"{BASE}/record/")
    assert record.quads.endswith(b"\n")
    assert record.quads.decode().splitlines() == sorted(record.quads.decode().splitlines())
    assert lines(record) == ["<http://a/a> <http://a/b> <http://a/c>"]
    assert mapped("<http://a/a> <http://a/b> <http://a/d> .").record != record.record


@pytest.mark.parametrize(
    "literal",
    [
        f'"01"^^<{XSD}integer>',
        f'"2025-01-01T00:00:00.000+00:00"^^<{XSD}dateTime>',
        f'"TRUE"^^<{XSD}boolean>',
        f'"1.50"^^<{XSD}decimal>',
        f'"nonsense"^^<{XSD}double>',
        '""',
        '"\\t\\n\\r\\b\\f\\"\\\\"',
        '"\\u0000\\u007F"',
        '"\U0001f600 urn:provstore:record"',
        '"x"^^<http://a/own>',
    ],
)
def test_literals_are_kept_as_sent(literal: str) -> None:
    assert lines(mapped(f"<http://a/a> <http://a/b> {literal} .")) == [f"<http://a/a> <http://a/b> {literal}"]


def test_language_tags_are_in_lower_case() -> None:
    """The parser makes them so, as RDF 1.1 Concepts §3.3 allows: they compare without regard to case."""
    assert lines(mapped('<http://a/a> <http://a/b> "x"@en-GB .')) == ['<http://a/a> <http://a/b> "x"@en-gb']


# -- graphs -----------------------------------------------------------------------------------------------------------


def test_a_named_graph_is_a_bundle_of_the_record() -> None:
    record = mapped("<http://a/b1> a <http://a/B> . <http://a/b1> { <http://a/x> <http://a/y> 1 }")
    bundle = f"<R/bundle/{iris.enc('http://a/b1')}>"
    assert f'<http://a/x> <http://a/y> "1"^^<{XSD}integer> {bundle} .' in lines(record)
    assert f"<R> {PS.bundle} {bundle}" in lines(record)
    assert "<http://a/b1> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <http://a/B>" in lines(record)


def test_a_graph_named_by_a_blank_node_is_refused() -> None:
    with pytest.raises(Unmappable, match="name it by an IRI"):
        mapped("_:g { <http://a/x> <http://a/y> 1 }")


def test_a_record_in_our_own_form_is_itself_again() -> None:
    document = "<http://a/x> <http://a/y> [ <http://a/z> 1 ] . <http://a/g> { <http://a/x> <http://a/y> <> }"
    first = mapped(document)
    assert b"c14n0" in first.quads
    again = mapped(first.quads, "application/n-quads")
    assert again == first
    assert (
        mapped(ox.serialize(ox.parse(first.quads, format=ox.RdfFormat.N_QUADS), format=ox.RdfFormat.TRIG) or b"")
        == first
    )


def test_two_records_in_one_document_are_refused() -> None:
    one, two = (mapped(f"<http://a/x> <http://a/y> {n} .").quads for n in (1, 2))
    with pytest.raises(Unmappable, match="one record at a time"):
        mapped(one + two, "application/n-quads")


def test_a_record_of_another_store_is_a_bundle() -> None:
    record = mapped("<https://other.example/record/1> { <http://a/x> <http://a/y> 1 }")
    assert "/bundle/https%3A%2F%2Fother.example%2Frecord%2F1>" in "\n".join(lines(record))


def test_the_store_s_own_graphs_cannot_be_written_to() -> None:
    for name in ("merged", "inferred", "system"):
        record = mapped(f"<{BASE}/graph/{name}> {{ <http://a/x> <http://a/y> 1 }}")
        graphs = {rdf.split(line + "\n")[3] for line in record.quads.decode().splitlines()}
        assert all(graph.startswith(f"<{record.record}") for graph in graphs)


# -- content graphs ---------------------------------------------------------------------------------------------------

FACET = {"fields": [{"name": "id", "type": "int"}], "_producer": "http://a/p"}


def with_content(quads: bytes) -> bytes:
    return b"<http://a/x> <http://a/y> <http://a/z> .\n" + quads


def test_a_content_graph_is_taken_over() -> None:
    content, _ = content_of("schema", FACET, BASE)
    record = mapped(with_content(content.quads), "application/n-quads")
    assert record.contents == (content,)
    assert content.iri.encode() not in record.quads
    assert record.record == mapped("<http://a/x> <http://a/y> <http://a/z> .").record


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda text: text.replace('"int"', '"string"'), "says other things"),
        (lambda text: text.replace('\\"int\\"', '\\"string\\"'), "not named by the hash"),
        (lambda text: text.replace(f'{PS.key} "schema"', f'{PS.key} "sql"'), "not named by the hash"),
        (lambda text: text.splitlines(keepends=True)[0], "needs ps:key and ps:json"),
        (lambda text: text + "_:b <http://a/y> <http://a/z> <GRAPH> .\n", "says other things"),
        (lambda text: text + "<http://a/x> <http://a/y> <http://a/z> <GRAPH> .\n", "says other things"),
        (lambda text: text.replace("{", "{{"), "not JSON"),
    ],
)
def test_a_content_graph_that_lies_is_refused(change: Any, reason: str) -> None:
    content, _ = content_of("schema", FACET, BASE)
    text = change(content.quads.decode()).replace("<GRAPH>", f"<{content.iri}>")
    with pytest.raises(InvalidInput, match=reason):
        mapped(with_content(text.encode()), "application/n-quads")


def test_a_content_graph_alone_is_no_record() -> None:
    content, _ = content_of("schema", FACET, BASE)
    with pytest.raises(Unmappable, match="no statement"):
        mapped(content.quads, "application/n-quads")


# -- what a document says of itself -----------------------------------------------------------------------------------


def test_relative_to_nothing_is_the_record() -> None:
    record = mapped("<> <http://a/y> <#part> . <#part> <http://a/y> <> . <#g> { <#part> <http://a/y> 1 }")
    assert "<R> <http://a/y> <R#part>" in lines(record)
    assert "<R#part> <http://a/y> <R>" in lines(record)
    assert f'<R#part> <http://a/y> "1"^^<{XSD}integer> <R/bundle/%23g> .' in lines(record)


@pytest.mark.parametrize(
    ("body", "media_type"),
    [
        ("<a> <http://a/y> 1 .", "text/turtle"),
        ("<http://a/x> <a> 1 .", "text/turtle"),
        ("<http://a/x> <http://a/y> <../z> .", "text/turtle"),
        ("<http://a/x> <http://a/y> <//host/z> .", "text/turtle"),
        ("<http://a/x> <http://a/y> <?q> .", "text/turtle"),
        ('<http://a/x> <http://a/y> "1"^^<a> .', "text/turtle"),
        ("<a> { <http://a/x> <http://a/y> 1 }", "application/trig"),
        ('{"@id": "a", "http://a/y": 1}', "application/ld+json"),
        ('{"@id": "http://a/x", "http://a/y": {"@id": "./b"}}', "application/ld+json"),
        ('{"@id": "http://a/x", "@type": "T"}', "application/ld+json"),
    ],
)
def test_other_relative_names_are_refused(body: str, media_type: str) -> None:
    """Lest a reader of JSON-LD drop their statements without a word."""
    with pytest.raises(Unmappable, match="add a base"):
        mapped(body, media_type)


def test_a_document_with_a_base_of_its_own_is_read_by_it() -> None:
    assert lines(mapped("@base <http://a/> . <x> <y> <z> .", "text/turtle")) == [
        "<http://a/x> <http://a/y> <http://a/z>"
    ]


@pytest.mark.parametrize(
    "term",
    [iris.PLACEHOLDER, f"{iris.PLACEHOLDER}#c14n0", f"http://a/?{iris.PLACEHOLDER}"],
)
@pytest.mark.parametrize(
    "form", ["<{}> <http://a/y> 1 .", "<http://a/x> <{}> 1 .", '<http://a/x> <http://a/y> "1"^^<{}> .']
)
def test_the_name_that_stands_for_the_record_is_taken(term: str, form: str) -> None:
    with pytest.raises(Unmappable, match="write <> for the record"):
        mapped(form.format(term))


def test_two_nodes_never_become_one() -> None:
    with pytest.raises(Unmappable, match="cannot stand in one document"):
        mapped("<#c14n0> <http://a/y> [] .")
    assert mapped("<#c14n0> <http://a/y> 1 .")


@pytest.mark.parametrize(
    "term", [PS.ledgerIndex, PS.recordedAt, PS.actor, PS.supersededBy, PS.appliedIndex, PS.knownFrom]
)
@pytest.mark.parametrize("form", ["<http://a/x> {} 1 .", "<http://a/g> {{ <http://a/x> {} 1 }}", "[] {} [] ."])
def test_what_only_the_store_may_say_is_refused(term: str, form: str) -> None:
    with pytest.raises(Unmappable, match="for the store itself"):
        mapped(form.format(term))


# -- refusals ---------------------------------------------------------------------------------------------------------

NAMESPACES = 'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'


@pytest.mark.parametrize(
    ("body", "media_type", "line"),
    [
        (f"{PLAIN}\n<http://a/x> oops .", "text/turtle", 3),
        (f"{PLAIN}<http://a/x> prov:used", "text/turtle", 2),
        ("<http://a/x> <http://a/y> <http://a/z> .\n<http://a/x> .", "application/n-triples", 2),
        ("\n\n{ oops", "application/trig", 3),
        ("<http://a/x>\n<http://a/y> <http://a/z> .", "application/n-quads", 2),
        ('{"@id":\n"http://a/x",\noops}', "application/ld+json", 3),
        ("", "application/ld+json", 1),
        ('{"@context": "http://127.0.0.1:1/c", "@id": "http://a/x"}', "application/ld+json", None),
        (f"<rdf:RDF {NAMESPACES}>\n<x>\n</rdf:RDF>", "application/rdf+xml", None),
        ("garbage", "application/rdf+xml", None),
        ("{ ?x <http://a/y> 1 } => { ?x <http://a/z> 1 } .", "text/n3", None),
        ("\x00\x01\x02", "text/turtle", 1),
        ('<http://a/x> <http://a/y> "\\uD800" .', "text/turtle", 1),
    ],
)
def test_wrong_syntax_is_refused_where_it_is(body: str, media_type: str, line: int | None) -> None:
    with pytest.raises(InvalidInput, match=f"not valid {re.escape(media_type)}") as caught:
        mapped(body, media_type)
    assert type(caught.value) is InvalidInput
    assert caught.value.line == line


@pytest.mark.parametrize(
    ("body", "media_type"),
    [
        ("", "text/turtle"),
        ("# nothing", "application/n-quads"),
        ("{}", "application/ld+json"),
        ('{"name": "not mapped"}', "application/ld+json"),
        (f"<rdf:RDF {NAMESPACES}/>", "application/rdf+xml"),
        ("<http://a/g> {}", "application/trig"),
        ("", "application/rdf+xml"),
    ],
)
def test_a_document_without_statements_is_refused(body: str, media_type: str) -> None:
    with pytest.raises(Unmappable, match="no statement"):
        mapped(body, media_type)


@pytest.mark.parametrize(
    "body",
    [
        "<http://a/x> <http://a/y> <<( <http://a/x> <http://a/y> 1 )>> .",
        "<http://a/x> <http://a/y> 1 {| <http://a/z> 2 |} .",
        '<http://a/x> <http://a/y> "x"@en--ltr .',
    ],
)
def test_what_rdf_1_2_adds_is_refused(body: str) -> None:
    with pytest.raises(Unmappable, match="not supported"):
        mapped(body, "text/turtle")


@pytest.mark.parametrize("media_type", ["", "text/html", "text/turtle; charset=utf-8", "application/provenance+xml"])
def test_other_media_types_are_refused(media_type: str) -> None:
    with pytest.raises(UnsupportedMedia, match="text/turtle"):
        mapped("<http://a/x> <http://a/y> 1 .", media_type)


@pytest.mark.parametrize("media_type", SYNTAXES)
@given(
    body=st.binary(max_size=200) | st.text(alphabet="<>@{}[]()\"':;.,_ ahtp/#\\\n01^=", max_size=100).map(str.encode)
)
def test_garbage_is_refused_or_read(media_type: str, body: bytes) -> None:
    try:
        record = mapped(body, media_type)
    except InvalidInput:
        return
    assert mapped(record.quads, "application/n-quads") == record


def test_a_byte_order_mark_is_passed_over() -> None:
    assert mapped(b"\xef\xbb\xbf<http://a/x> <http://a/y> 1 .", "text/turtle") == mapped(
        "<http://a/x> <http://a/y> 1 ."
    )


def test_the_number_of_statements_is_bounded() -> None:
    many = b"".join(b"<http://a/%d> <http://a/p> <http://a/o> .\n" % i for i in range(MAX_QUADS + 1))
    with pytest.raises(TooLarge, match="split the document"):
        mapped(many, "application/n-triples")
    whole = mapped(many[: many.rindex(b"\n", 0, -1) + 1], "application/n-triples")
    assert whole.quads.count(b"\n") == MAX_QUADS + 2


def test_the_length_of_a_literal_is_bounded() -> None:
    assert mapped(f'<http://a/x> <http://a/y> "{"x" * MAX_LITERAL}" .')
    with pytest.raises(TooLarge, match="longer than"):
        mapped(f'<http://a/x> <http://a/y> "{"x" * (MAX_LITERAL + 1)}" .')


@pytest.mark.parametrize(
    ("name", "media_type"),
    [("a.ttl", "text/turtle"), ("A.TriG", "application/trig"), ("a.json", None), ("ttl", None), ("", None)],
)
def test_the_extension_tells_the_syntax(name: str, media_type: str | None) -> None:
    assert media_type_of(name) == media_type


# -- W3C RDF Dataset Canonicalization ---------------------------------------------------------------------------------

CASES = 86


def canon_cases() -> list[Any]:
    try:
        manifest = suites.path("rdf-canon") / "tests" / "manifest.jsonld"
    except (pytest.skip.Exception, pytest.fail.Exception):  # the test of their number says so
        return []
    return [pytest.param(entry, id=entry["id"]) for entry in json.loads(manifest.read_text())["entries"]]


def canonical(quads: bytes, algorithm: ox.CanonicalizationAlgorithm) -> list[str]:
    dataset = ox.Dataset(ox.parse(quads, format=ox.RdfFormat.N_QUADS))
    dataset.canonicalize(algorithm)
    return sorted(rdf.quad_line(quad) for quad in dataset)


def test_all_cases_of_the_suite_are_here() -> None:
    suites.path("rdf-canon")
    assert len(canon_cases()) == CASES


@pytest.mark.parametrize("case", canon_cases())
def test_canonicalisation_is_that_of_the_standard(case: dict[str, Any]) -> None:
    tests = suites.path("rdf-canon") / "tests"
    sent = (tests / case["action"]).read_bytes()
    other = case.get("hashAlgorithm") == "SHA384"
    algorithms = ox.CanonicalizationAlgorithm
    if case["type"] == "rdfc:RDFC10NegativeEvalTest":  # too hard on purpose: the clock decides
        document = Document(sent, "application/n-quads", BASE)
        with closing(WorkerPool(1 << 30, keep=1)) as pool, pytest.raises(JobTimeout):
            pool.call("provstore.capture.syntax:map_document", document, 1)
        return
    begun = time.process_time()
    found = canonical(sent, algorithms.RDFC_1_0_SHA_384 if other else algorithms.RDFC_1_0)
    assert time.process_time() - begun < 2
    wanted = (tests / case["result"]).read_text()
    if case["type"] == "rdfc:RDFC10MapTest":  # the names that the blank nodes sent must be given
        names: dict[str, str] = json.loads(wanted)
        renamed = re.sub(r"_:(\w+)", lambda match: f"_:{names[match[1]]}", sent.decode())
        parsed = ox.parse(renamed, format=ox.RdfFormat.N_QUADS)
        wanted = "".join(sorted({rdf.quad_line(quad) for quad in parsed}))
    assert "".join(found) == wanted
