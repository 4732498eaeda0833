"""Shapes that have no words of their own: what was wanted, what was found, and a snippet that mends it literally."""

from __future__ import annotations

from pathlib import Path

import pyoxigraph as ox
import pytest
from hypothesis import given
from hypothesis import strategies as st

from provstore import rdf
from provstore.validation.checking import validate
from provstore.validation.explaining import MARK, Found, explained
from provstore.validation.profiles import Registry
from provstore.validation.results import Result
from provstore.validation.snippets import PREFIXES, filled, head, short, written
from tests.notation import canonical

SH = "http://www.w3.org/ns/shacl#"
HEAD = "".join(f"@prefix {name}: <{iri}> .\n" for name, iri in PREFIXES.items())
SHAPES = f"{HEAD}@prefix sh: <{SH}> .\n<urn:shape> a sh:{{kind}}Shape ; sh:targetNode <urn:a> ; {{text}} .\n"


def quads(turtle: str) -> bytes:
    found = list(ox.parse(f"{HEAD}{turtle}".encode(), format=ox.RdfFormat.TURTLE))
    return canonical(ox.serialize(found, format=ox.RdfFormat.N_QUADS) or b"")


def results(tmp_path: Path, shapes: str, data: bytes) -> list[Result]:
    """What one shape, published as a profile without words, finds in Turtle."""
    (tmp_path / "odd").mkdir(exist_ok=True)
    kind = "Property" if "sh:path" in shapes else "Node"
    (tmp_path / "odd" / "1.ttl").write_text(SHAPES.format(kind=kind, text=shapes), encoding="utf-8")
    return validate(data, "odd", Registry(str(tmp_path), "https://prov.example"))


def mended(data: bytes, result: Result) -> bytes:
    """The data after doing what the result says, word by word."""
    assert result.fix is not None
    taken = set(quads(result.fix.remove).splitlines())
    kept = [line for line in data.splitlines() if line not in taken]
    assert len(kept) == len(data.splitlines()) - len(taken), "what is to be taken away is not there"
    return b"".join(sorted({line + b"\n" for line in [*kept, *quads(result.fix.add).splitlines()]}))


P = "sh:path schema:name"
#: Shape, data, component, what was expected, and whether a snippet mends it.
CASES = [
    (f"{P} ; sh:minCount 1", "<urn:a> a prov:Entity .", "MinCount", "at least 1", True),
    (f"{P} ; sh:minCount 1 ; sh:datatype xsd:date", "<urn:a> a prov:Entity .", "MinCount", "at least 1", True),
    (f"{P} ; sh:minCount 1 ; sh:in ( 4 5 )", "<urn:a> a prov:Entity .", "MinCount", "at least 1", True),
    (f"{P} ; sh:minCount 1 ; sh:class prov:Agent", "<urn:a> a prov:Entity .", "MinCount", "at least 1", True),
    (f"{P} ; sh:minCount 1 ; sh:nodeKind sh:IRI", "<urn:a> a prov:Entity .", "MinCount", "at least 1", True),
    (
        "sh:path [ sh:inversePath prov:used ] ; sh:minCount 1 ; sh:nodeKind sh:IRI",
        "<urn:a> a prov:Entity .",
        "MinCount",
        "at least 1",
        True,
    ),
    (
        "sh:path prov:startedAtTime ; sh:minCount 1 ; sh:datatype xsd:dateTime",
        "<urn:a> a prov:Entity .",
        "MinCount",
        "at least 1",
        True,
    ),
    (f"{P} ; sh:maxCount 1", '<urn:a> schema:name "b", "c" .', "MaxCount", "at most 1", False),
    (f"{P} ; sh:datatype xsd:date", '<urn:a> schema:name "2026-03-01" .', "Datatype", "xsd:date", True),
    (f"{P} ; sh:datatype xsd:integer", '<urn:a> schema:name "many" .', "Datatype", "xsd:integer", True),
    (f"{P} ; sh:datatype xsd:string", "<urn:a> schema:name 5 .", "Datatype", "xsd:string", True),
    (f"{P} ; sh:datatype xsd:date", "<urn:a> schema:name <urn:b> .", "Datatype", "xsd:date", False),
    (f"{P} ; sh:class prov:Agent", "<urn:a> schema:name <urn:b> .", "Class", "an instance of prov:Agent", True),
    ("sh:class prov:Agent", "<urn:a> a prov:Entity .", "Class", "an instance of prov:Agent", True),
    (f"{P} ; sh:nodeKind sh:IRI", '<urn:a> schema:name "Ana \\"A\\"" .', "NodeKind", "an IRI", True),
    (f"{P} ; sh:nodeKind sh:Literal", "<urn:a> schema:name <urn:b> .", "NodeKind", "a literal", False),
    (f'{P} ; sh:in ( "x" "y" )', '<urn:a> schema:name "z" .', "In", 'one of "x" or "y"', True),
    (f"{P} ; sh:in ( 1 )", '<urn:a> schema:name "z"@en .', "In", "one of 1", True),
    (f'{P} ; sh:hasValue "x"', '<urn:a> schema:name "z" .', "HasValue", '"x"', True),
    (f'{P} ; sh:pattern "^[a-z]+$"', '<urn:a> schema:name "Z" .', "Pattern", 'text that matches "^[a-z]+$"', False),
    (f"{P} ; sh:minLength 3", '<urn:a> schema:name "z" .', "MinLength", "3 characters or more", False),
    (f"{P} ; sh:maxLength 3", '<urn:a> schema:name "abcd" .', "MaxLength", "3 characters or fewer", False),
    (f"{P} ; sh:minInclusive 3", "<urn:a> schema:name 2 .", "MinInclusive", "3 or more", False),
    (f"{P} ; sh:maxInclusive 3", "<urn:a> schema:name 4 .", "MaxInclusive", "3 or less", False),
    (f"{P} ; sh:minExclusive 3", "<urn:a> schema:name 3 .", "MinExclusive", "more than 3", False),
    (f"{P} ; sh:maxExclusive 3", "<urn:a> schema:name 3 .", "MaxExclusive", "less than 3", False),
    (
        f'{P} ; sh:languageIn ( "de" )',
        '<urn:a> schema:name "z"@en .',
        "LanguageIn",
        'text in one of the languages "de"',
        True,
    ),
    (
        f'{P} ; sh:languageIn ( "de" "fr" )',
        '<urn:a> schema:name "z" .',
        "LanguageIn",
        'text in one of the languages "de" or "fr"',
        False,
    ),
    (f"{P} ; sh:uniqueLang true", '<urn:a> schema:name "z"@en, "y"@en .', "UniqueLang", "one value a language", False),
    (f"{P} ; sh:equals rdfs:label", '<urn:a> schema:name "z" .', "Equals", "the same values as rdfs:label", True),
    (f"{P} ; sh:equals rdfs:label", '<urn:a> rdfs:label "z" .', "Equals", "the same values as rdfs:label", True),
    (
        f"{P} ; sh:disjoint rdfs:label",
        '<urn:a> schema:name "z" ; rdfs:label "z" .',
        "Disjoint",
        "no value that rdfs:label has, too",
        True,
    ),
    (
        f"{P} ; sh:lessThan schema:age",
        "<urn:a> schema:name 3 ; schema:age 2 .",
        "LessThan",
        "less than schema:age",
        False,
    ),
    (
        f"{P} ; sh:lessThanOrEquals schema:age",
        "<urn:a> schema:name 3 ; schema:age 2 .",
        "LessThanOrEquals",
        "no more than schema:age",
        False,
    ),
    (
        "sh:disjoint prov:wasDerivedFrom",
        "<urn:a> prov:wasDerivedFrom <urn:a>, <urn:b> .",
        "Disjoint",
        "no value that prov:wasDerivedFrom has, too",
        True,
    ),
    ("sh:closed true", '<urn:a> schema:name "z" .', "Closed", "only the properties that the shape lists", True),
    ("sh:not [ sh:class prov:Entity ]", "<urn:a> a prov:Entity .", "Not", "is no prov:Entity", False),
    (
        "sh:node <urn:other> . <urn:other> a sh:NodeShape ; sh:class prov:Agent",
        "<urn:a> a prov:Entity .",
        "Node",
        "conforming to urn:other",
        False,
    ),
    (
        "sh:or ( [ sh:class prov:Agent ] [ sh:class prov:Activity ] )",
        "<urn:a> a prov:Entity .",
        "Or",
        "is a prov:Agent, or is a prov:Activity",
        False,
    ),
    (
        f"{P} ; sh:qualifiedMinCount 1 ; sh:qualifiedValueShape [ sh:class prov:Agent ]",
        "<urn:a> a prov:Entity .",
        "QualifiedMinCount",
        "at least 1 of the kind that the shape describes",
        False,
    ),
]


#: The components of SHACL §4 that give results.
_CORE = """MinCount MaxCount Datatype Class NodeKind In HasValue Pattern MinLength MaxLength LanguageIn UniqueLang
    MinInclusive MaxInclusive MinExclusive MaxExclusive Equals Disjoint LessThan LessThanOrEquals
    Closed Not And Or Xone Node QualifiedMinCount QualifiedMaxCount"""


@pytest.mark.parametrize(("shapes", "data", "component", "expected", "mends"), CASES)
def test_every_component_explains_itself(
    tmp_path: Path, shapes: str, data: str, component: str, expected: str, mends: bool
) -> None:
    held = quads(data)
    (result,) = results(tmp_path, shapes, held)
    assert result.component == f"{SH}{component}ConstraintComponent"
    assert result.expected.replace("<urn:other>", "urn:other") == expected
    assert result.message[-1] == "."
    assert "?" not in result.message.replace("://", "")
    assert (result.fix is not None) == mends
    if mends:
        assert results(tmp_path, shapes, mended(held, result)) == []


def test_every_component_of_shacl_core_is_in_the_table() -> None:
    told = {case[2] for case in CASES}
    assert told | {"And", "Xone", "QualifiedMaxCount"} == set(_CORE.split())
    for name in (*told, "And", "Xone", "QualifiedMaxCount", "SPARQL"):
        said = explained(f"{SH}{name}ConstraintComponent", Found("<urn:a>", "<urn:p>", "<urn:b>"))
        assert said.message, name


def test_a_component_of_ones_own_still_gets_a_sentence() -> None:
    said = explained("urn:my:component", Found("<urn:a>"))
    assert said.message == "<urn:a> does not meet the constraint urn:my:component."
    assert said.fix is None


@pytest.mark.parametrize(
    ("shapes", "data", "said"),
    [
        (f"{P} ; sh:minCount 1", "", "schema:name has no value: at least 1 value is wanted. Add what is missing."),
        (f"{P} ; sh:minCount 2", '<urn:a> schema:name "b" .', "schema:name has 1 value: at least 2 values are wanted."),
        (f"{P} ; sh:maxCount 1", '<urn:a> schema:name "b", "c" .', "schema:name has 2 values: at most 1 value may be"),
        (f"{P} ; sh:in ( 4 5 )", "<urn:a> schema:name 6 .", "schema:name 6 is not one of 4 or 5."),
    ],
)
def test_sentences_count_as_people_do(tmp_path: Path, shapes: str, data: str, said: str) -> None:
    (result,) = results(tmp_path, shapes, quads(f"<urn:a> a prov:Entity . {data}"))
    assert result.message.startswith(said)


def test_what_is_only_an_example_is_marked(tmp_path: Path) -> None:
    (result,) = results(tmp_path, f"{P} ; sh:minCount 1 ; sh:datatype xsd:date", quads("<urn:a> a prov:Entity ."))
    assert result.fix is not None
    assert result.fix.add.endswith(MARK)
    (result,) = results(tmp_path, f"{P} ; sh:datatype xsd:date", quads('<urn:a> schema:name "2026-03-01" .'))
    assert result.fix is not None
    assert MARK not in result.fix.add


# --- snippets --------------------------------------------------------------------------------------------------------


@given(st.text().filter(lambda text: ("\x00" not in text and text.isprintable()) or text in "\n\r\t"))
def test_a_filled_template_says_what_the_terms_say(text: str) -> None:
    """Whatever a value holds, it stays one literal."""
    term = rdf.literal(text)
    turtle = head([said := filled("{$this} rdfs:label {?value} .", "<urn:a>", term)]) + said
    (quad,) = ox.parse(turtle.encode(), format=ox.RdfFormat.TURTLE)
    assert isinstance(quad.object, ox.Literal)
    assert quad.object.value == text


def test_placeholders_in_a_value_are_left_alone() -> None:
    said = filled("{$this} rdfs:label {?value} .", "<urn:a>", '"{$this} {?value}"')
    assert said == '<urn:a> rdfs:label "{$this} {?value}" .'
    assert filled("{$this} rdfs:label {?value} .", "<urn:a>") == ""
    assert filled("", "<urn:a>", '"x"') == ""


def test_names_are_short_where_a_prefix_fits() -> None:
    assert short("http://www.w3.org/ns/prov#used") == "prov:used"
    assert short("http://www.w3.org/ns/prov#a/b") == "http://www.w3.org/ns/prov#a/b"
    assert written("<http://www.w3.org/ns/prov#used>|^<urn:p>") == "prov:used|^<urn:p>"
    assert written('"<http://www.w3.org/ns/prov#used>"') == '"<http://www.w3.org/ns/prov#used>"'
    assert written(f'"1"^^<{rdf.XSD}integer>') == '"1"^^xsd:integer'
    assert head(['<urn:a:b> ps:name "prov:used" . # dct:title']) == f"@prefix ps: <{PREFIXES['ps']}> .\n"
