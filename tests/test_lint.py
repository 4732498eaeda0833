"""What keeps shapes from being published, what is only told, and that it ends whatever the shapes hold."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provstore.errors import InvalidInput
from provstore.validation.lint import Finding, lint
from provstore.validation.profiles import SHIPPED, Registry, Upload
from tests.test_profiles import BASE, CREDIT, HEAD, published

GOOD = ':a a sh:NodeShape ; sh:targetClass prov:Entity ; sh:nodeKind sh:IRI ; sh:message "m" . '


def found(shapes: str, registry: Registry = SHIPPED, *, imports: bool = False) -> list[Finding]:
    data = f"{HEAD} {shapes}".encode()
    return lint(Upload(registry, "x", f"{BASE}/shapes/x/1", data, imports))


@pytest.mark.parametrize("version", [v.token for name in SHIPPED.names() for v in SHIPPED.versions(name)])
def test_what_ships_is_clean(version: str) -> None:
    held = SHIPPED.find(version)
    assert lint(Upload(SHIPPED, held.name, held.iri, held.read())) == []


@pytest.mark.parametrize(
    ("shapes", "where", "says"),
    [
        (":a sh:minCont 1 .", ":a", "SHACL has no property sh:minCont; perhaps sh:minCount"),
        (":a sh:severity sh:Violaton .", ":a", "SHACL has no term sh:Violaton; perhaps sh:Violation"),
        (":a sh:rule [] .", ":a", "sh:rule: rules (SHACL-AF) are not supported"),
        (":a sh:target [] .", ":a", "other targets are not supported"),
        (":a sh:js [] .", ":a", "JavaScript (SHACL-JS)"),
        (":a sh:node :b . :b sh:node :a .", ":a", "a shape cannot refer to itself: :a → :b → :a"),
        (":a sh:not :a .", ":a", "refer to itself: :a → :a"),
        (":a sh:or ( [ sh:node :a ] ) .", ":a", "refer to itself"),
        (
            ":a sh:property [ sh:path prov:used ; sh:qualifiedValueShape :a ; sh:qualifiedMinCount 1 ] .",
            ":a",
            "→ :a on prov:used → :a",
        ),
        (':a sh:property [ sh:path prov:used ; sh:minCount "1" ] .', ":a on prov:used", 'without quotes; got "1"'),
        (":a sh:property [ sh:path prov:used ; sh:maxCount -1 ] .", ":a on prov:used", "must be a whole number"),
        (":a sh:property [ sh:path prov:used ; sh:minCount 2 ; sh:maxCount 1 ] .", ":a on prov:used", "nothing can"),
        (':a sh:pattern "(" .', ":a", "sh:pattern '(' is no regular expression"),
        (':a sh:datatype "string" .', ":a", "sh:datatype"),
        (":a sh:nodeKind sh:Iri .", ":a", "SHACL has no term sh:Iri"),
        (":a sh:property [ sh:minCount 1 ] .", ":a", ""),
        (":a sh:in 1 .", ":a", ""),
        (
            ":a sh:property [ sh:path ( prov:used ) ; sh:minCount 1 ] .",
            ":a on prov:used",
            "list of fewer than two paths",
        ),
        (
            ':a sh:sparql [ sh:select "SELECT $this { $this ?p ?o MINUS { $this ?p 1 } }" ] .',
            ":a",
            "MINUS",
        ),
        (':a sh:sparql [ sh:select "SELECT $this { nonsense" ] .', ":a", "the query cannot be used"),
        ("<> <http://www.w3.org/2002/07/owl#imports> <http://127.0.0.1:9/x> .", "", "nothing is fetched"),
        ('<> prof:hasToken "other" .', "", "prof:hasToken says other, published as x"),
        ("<> prof:isProfileOf <https://w3id.org/provstore/shapes/prov-core> .", "", "there is no such version"),
        ("<> prof:isProfileOf <https://w3id.org/provstore/shapes/prov-core/9> .", "", "there is no such version"),
        (f"<> prof:isProfileOf <{BASE}/shapes/x/1> .", "", "there is no such version"),
    ],
)
def test_an_error_says_where_and_what(shapes: str, where: str, says: str) -> None:
    registry = Registry("/nowhere", BASE)
    errors = [each for each in found(GOOD + shapes, registry) if each.level == "error"]
    assert errors
    assert any(each.where == where and says in each.message for each in errors), errors


def test_shapes_that_look_at_nothing_are_none() -> None:
    for shapes in ("", "<urn:a> <urn:b> <urn:c> .", ":a a sh:NodeShape ; sh:nodeKind sh:IRI ."):
        assert any("no shape has a target" in each.message for each in found(shapes))


@pytest.mark.parametrize(
    ("shapes", "says"),
    [
        (":b a sh:NodeShape ; sh:targetClass prov:Agent ; sh:nodeKind sh:IRI .", ":b: the shape has no sh:message"),
        (":b a sh:NodeShape ; sh:nodeKind sh:IRI .", ":b: the shape has no target"),
        (
            '[] sh:targetClass prov:Agent ; sh:nodeKind sh:IRI ; sh:message "m" .',
            "a shape without a name: the shape has no IRI",
        ),
        (":a sh:property [ sh:path prov:used ; sh:minCount 1 ] .", ":a on prov:used: the shape has no sh:message"),
        (
            ':a sh:property [ sh:path prov:used ; sh:minCount 1 ; sh:message "m" ],'
            ' [ sh:path prov:used ; sh:minCount 2 ; sh:message "n" ] .',
            ":a: sh:minCount of prov:used is stated 2 times",
        ),
    ],
)
def test_a_warning_keeps_nothing_out(shapes: str, says: str) -> None:
    findings = found(GOOD + shapes)
    assert {each.level for each in findings} == {"warning"}
    assert any(f"{each.where}: {each.message}".startswith(says) for each in findings), findings


def test_what_only_decides_needs_no_message() -> None:
    assert found(GOOD + ":a sh:not [ sh:class prov:Activity ] ; sh:or ( [ sh:nodeKind sh:IRI ] ) ; sh:node [] .") == []


def test_imports_can_be_waived_in_so_many_words() -> None:
    (finding,) = found(GOOD + "<> <http://www.w3.org/2002/07/owl#imports> <urn:x> .", imports=True)
    assert finding.level == "warning"


def test_a_rule_of_another_profile_keeps_its_meaning(tmp_path: Path) -> None:
    registry = published(tmp_path, credit_1=CREDIT)
    shapes = GOOD.replace(":a ", ":decided ") + f"<> prof:isProfileOf <{BASE}/shapes/credit/1> ."
    assert any("this rule is one of credit/1" in each.message for each in found(shapes, registry))
    assert not any(each.level == "error" for each in found(shapes.replace(":decided", ":a"), registry))


# --- hostile shapes --------------------------------------------------------------------------------------------------


def test_deep_shapes_end() -> None:
    deep = "".join(f":n{n} sh:node :n{n + 1} . " for n in range(3000))
    begin = time.monotonic()
    found(
        f'{GOOD} :n0 a sh:NodeShape ; sh:targetClass prov:Entity ; sh:message "m" . {deep} :n3000 sh:nodeKind sh:IRI .'
    )
    assert time.monotonic() - begin < 60


def test_what_the_engine_could_not_read_again_is_refused() -> None:
    for bad, says in (
        (GOOD + '<urn:a\\u0020b> sh:message "x" .', "not Turtle"),
        ("\ufeff" + GOOD, "byte order mark"),
    ):
        data = f"{bad if bad.startswith(chr(0xFEFF)) else HEAD + bad}".encode()
        with pytest.raises(InvalidInput, match=says):
            lint(Upload(SHIPPED, "x", f"{BASE}/shapes/x/1", data))


def test_nested_brackets_end() -> None:
    with pytest.raises(InvalidInput):
        found(f"{GOOD} :a sh:not {'[ sh:not ' * 5000}[]{']' * 5000} .")


def test_lists_and_paths_that_come_back_to_themselves_end() -> None:
    rdf = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
    loop = f"_:l <{rdf}first> :b ; <{rdf}rest> _:l ."
    for shapes in (
        f":a sh:or _:l . {loop}",
        f":a sh:in _:l . {loop}",
        ":a sh:property [ sh:path _:p ] . _:p sh:inversePath _:p .",
    ):
        assert any(each.level == "error" for each in found(GOOD + shapes)), shapes


def test_what_is_said_of_very_many_shapes_is_summed_up() -> None:
    findings = found(GOOD + "".join(f":n{n} a sh:NodeShape ; sh:nodeKind sh:IRI . " for n in range(300)))
    assert len(findings) == 2 * 11
    assert [each.where for each in findings].count("290 more") == 2


def test_very_many_findings_are_cut() -> None:
    assert len(found(GOOD + "".join(f":n{n} sh:min{n} 1 . " for n in range(500)))) == 100


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=80))
def test_any_bytes_are_judged_or_refused(data: bytes) -> None:
    try:
        assert any(each.level == "error" for each in lint(Upload(SHIPPED, "x", f"{BASE}/shapes/x/1", data)))
    except InvalidInput:
        return
