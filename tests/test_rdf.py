"""Canonical N-Quads: what is written parses as what was meant, splits into its terms, and is sealed by its digest."""

from __future__ import annotations

import hashlib

import pyoxigraph as ox
import pytest
from hypothesis import given
from hypothesis import strategies as st

from provstore import rdf
from provstore.errors import InvalidInput
from provstore.iris import PLACEHOLDER

texts = st.text(st.characters(exclude_categories=["Cs"]))
literals = st.one_of(
    texts.map(ox.Literal),
    st.builds(lambda text, tag: ox.Literal(text, language=tag), texts, st.sampled_from(["en", "de-ch"])),
    texts.map(lambda text: ox.Literal(text, datatype=ox.NamedNode("urn:d?a=1"))),
)
nodes = st.sampled_from(["urn:a", "http://example.org/ä?q=1#f", "urn:uuid:0"]).map(ox.NamedNode)
blanks = st.sampled_from(["c14n0", "b1"]).map(ox.BlankNode)
quads = st.builds(ox.Quad, nodes | blanks, nodes, nodes | blanks | literals, nodes | st.just(ox.DefaultGraph()))


def parsed(line: str) -> ox.Quad:
    quad: ox.Quad = next(ox.parse(line.encode(), format=ox.RdfFormat.N_QUADS))
    return quad


@given(quads)
def test_a_written_quad_parses_as_itself(quad: ox.Quad) -> None:
    line = rdf.quad_line(quad)
    assert line.endswith(" .\n")
    assert line.count("\n") == 1
    assert parsed(line) == quad


@given(quads)
def test_a_line_splits_into_its_terms(quad: ox.Quad) -> None:
    line = rdf.quad_line(quad)
    subject, predicate, value, graph = rdf.split(line)
    assert subject == str(quad.subject)
    assert predicate == str(quad.predicate)
    assert graph == ("" if isinstance(quad.graph_name, ox.DefaultGraph) else str(quad.graph_name))
    assert " ".join(filter(None, (subject, predicate, value, graph))) + " .\n" == line
    assert rdf.split(line.rstrip("\n")) == (subject, predicate, value, graph)
    if isinstance(quad.object, ox.Literal | ox.NamedNode):
        assert rdf.text_of(value) == quad.object.value


@given(texts)
def test_a_literal_is_escaped_as_rdfc_wants_and_read_back(text: str) -> None:
    term = rdf.literal(text)
    assert rdf.text_of(term) == text
    assert parsed(f"<urn:s> <urn:p> {term} .\n").object == ox.Literal(text)
    # RDFC-1.0 / RDF 1.1 N-Quads canonical form: these and no others are escaped
    bare = {c for c in text if c in term[1:-1]}
    assert not bare & {chr(n) for n in (*range(0x20), 0x22, 0x7F)} - set('\\"')


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ('a"b\\c', r'"a\"b\\c"'),
        ("\b\t\n\f\r", r'"\b\t\n\f\r"'),
        ("\0\x0b\x1f\x7f", r'"\u0000\u000B\u001F\u007F"'),
        ("\x80\u2028ä😀", '"\x80\u2028ä😀"'),
        ("", '""'),
    ],
)
def test_escapes_are_those_of_the_canonical_form(text: str, written: str) -> None:
    assert rdf.literal(text) == written
    assert rdf.text_of(written) == text


def test_typed_literals() -> None:
    assert rdf.boolean(True) == f'"true"^^<{rdf.XSD}boolean>'
    assert rdf.integer(-3) == f'"-3"^^<{rdf.XSD}integer>'
    assert rdf.date_time("2024-01-01T00:00:00Z") == f'"2024-01-01T00:00:00Z"^^<{rdf.XSD}dateTime>'
    assert rdf.text_of('"caf\\u00E9 \\U0001F600"') == "café 😀"


@pytest.mark.parametrize("text", ["urn:a", "http://e/ä", "a+b-c.d:", "x:%zz"])
def test_iris(text: str) -> None:
    assert rdf.is_iri(text)


@pytest.mark.parametrize(
    "text", ["", "a", ":a", "1a:b", "urn:a b", "urn:<", "urn:\n", 'urn:"', "urn:\ud800", "urn:\\", "ä:b"]
)
def test_what_cannot_stand_as_an_iri(text: str) -> None:
    assert not rdf.is_iri(text)


def test_a_record_is_named_by_the_digest_of_its_lines() -> None:
    lines = {f"<{PLACEHOLDER}#{n}> <urn:p> <{PLACEHOLDER}> <{PLACEHOLDER}> .\n" for n in range(3)}
    record, quads = rdf.seal("https://e", lines)
    assert record == f"https://e/record/{hashlib.sha256(''.join(sorted(lines)).encode()).hexdigest()}"
    assert quads == "".join(sorted(line.replace(PLACEHOLDER, record) for line in lines)).encode()


@given(st.lists(texts, max_size=4))
def test_sealing_renames_iris_and_leaves_texts(values: list[str]) -> None:
    held = [*values, f"says {PLACEHOLDER}", f'" <{PLACEHOLDER}> .']
    lines = {f"<{PLACEHOLDER}> <urn:p> {rdf.literal(text)} <{PLACEHOLDER}> .\n" for text in held}
    record, quads = rdf.seal("https://e", lines)
    found = list(ox.parse(quads, format=ox.RdfFormat.N_QUADS))
    assert {quad.object.value for quad in found if isinstance(quad.object, ox.Literal)} == set(held)
    assert {quad.subject for quad in found} == {quad.graph_name for quad in found} == {ox.NamedNode(record)}
    assert quads == b"".join(sorted(quads.splitlines(keepends=True)))


def test_json_that_is_none_says_where() -> None:
    assert rdf.json_value("[1]", "here") == [1]
    for text in ("", "{", "[" * 100_000, "1" * 10_000):
        with pytest.raises(InvalidInput, match="here: not JSON"):
            rdf.json_value(text, "here")
