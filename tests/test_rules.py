"""The rules that ship: each has examples that fail it alone and that pass it, and its snippets mend what it finds."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from functools import cache

import pyoxigraph as ox
import pytest

from provstore import resources
from provstore.validation import reference
from provstore.validation.closures import ValidationResult, Validator
from provstore.validation.compiled import StoreValidation
from provstore.validation.described import lineage
from provstore.validation.engine import parsed
from provstore.validation.graph import Graph
from provstore.validation.profiles import SHIPPED, Version
from provstore.validation.reading import read
from provstore.validation.shapes import Shapes, Target
from provstore.validation.terms import SUB_CLASS_OF, TYPE, text
from tests.suites import ROOT

VERSIONS = {
    version.token: version
    for name in SHIPPED.names()
    for version in reversed(SHIPPED.versions(name))
    if version.examples()
}
PS, SH, DCT = "https://w3id.org/provstore/ns#", "http://www.w3.org/ns/shacl#", "http://purl.org/dc/terms/"
#: What snippets may shorten.
PREFIXES = {
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": DCT,
    "prov": "http://www.w3.org/ns/prov#",
    "ps": PS,
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "schema": "https://schema.org/",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
#: What an example of a rule cannot but show besides: profile and rule, the other rules, and why.
UNAVOIDABLE: dict[tuple[str, str], tuple[set[str], str]] = {
    ("model", "model-version-was-trained-once"): ({"prov-core#generated-once"}, "two training runs are two activities"),
}
#: What there is to say next where a snippet names a thing that has rules of its own.
LEADS_ON = {
    "bcbs-239#figure-was-reconciled": {"bcbs-239#reconciliation-has-a-result"},
    "eu-ai-act#evaluation-has-a-measurement": {"eu-ai-act#evaluation-covers-groups"},
    "eu-ai-act#inference-names-its-model": {"eu-ai-act#model-says-where-it-comes-from"},
    "eu-ai-act#system-has-technical-documentation": {"eu-ai-act#documentation-says-until-when-it-is-kept"},
    "iso-42001#use-names-its-model": {
        *("iso-42001#model-has-a-maker", "iso-42001#model-is-described", "iso-42001#model-was-evaluated"),
    },
    "part-11#signature-is-linked": {"part-11#signed-content-has-a-digest"},
    "sr-26-2#model-was-validated": {
        *("sr-26-2#validation-has-a-report", "sr-26-2#validation-names-who", "sr-26-2#validation-has-an-end"),
    },
}

Triples = frozenset[str]
#: A rule by profile and name, such as `prov-core#one-start`; focus; value.
Found = tuple[str, str, str | None]


# --- the engine ------------------------------------------------------------------------------------------------------


@cache
def shapes(token: str) -> Graph:
    """The shapes of a version and of all it inherits from, in one graph."""
    whole = Graph()
    for version in lineage(VERSIONS[token], SHIPPED):
        for triple in parsed(version.read(), base=version.iri).triples():
            whole.add(*triple)
    return whole


@cache
def classes(token: str) -> Graph:
    """The subclasses that the shapes and our ontology state."""
    found = Graph()
    for graph in (shapes(token), parsed(resources.read("ontology", "provstore.ttl"))):
        for sub, predicate, above in graph.triples():
            if predicate == SUB_CLASS_OF:
                found.add(sub, predicate, above)
    return found


@cache
def known(token: str) -> Shapes:
    return read(shapes(token))


@cache
def validator(token: str) -> Validator:
    """The rules of a version as functions."""
    return Validator(known(token))


def data(token: str, triples: Triples) -> Graph:
    return Graph.read("".join(f"{triple} .\n" for triple in sorted(triples)).encode(), classes(token))


def found(token: str, triples: Triples, rules: Validator | None = None) -> list[Found]:
    """What a version finds in triples, its own rules and those it inherits, of all severities."""
    results = (rules or validator(token)).validate(data(token, triples))
    return sorted(
        ((_short(each.shape.node), each.focus, each.value) for each in results), key=lambda one: (one[:2], one[2] or "")
    )


def _short(shape: str) -> str:
    return shape.strip("<>").rpartition("/")[2]


# --- what there is ---------------------------------------------------------------------------------------------------


@cache
def examples(token: str) -> dict[str, Triples]:
    """The triples of each example by the last part of its name: `one-start.fails`, `one-start.fails.2`, …"""
    graphs: dict[str, set[str]] = defaultdict(set)
    for quad in ox.parse(VERSIONS[token].examples(), format=ox.RdfFormat.TRIG):
        assert isinstance(quad.graph_name, ox.NamedNode)
        profile, _, name = quad.graph_name.value.rpartition("#")
        assert profile == f"https://w3id.org/provstore/shapes/{VERSIONS[token].name}/example"
        graphs[name].add(f"{quad.subject} {quad.predicate} {quad.object}")
    return {name: frozenset(triples) for name, triples in graphs.items()}


def rules(version: Version) -> list[str]:
    """The names of a version's own rules."""
    own = parsed(version.read(), base=version.iri)
    kinds = {f"<{SH}NodeShape>", f"<{SH}PropertyShape>"}
    return sorted({s[1:-1].rpartition("#")[2] for s, p, o in own.triples() if p == TYPE and o in kinds and s[0] == "<"})


def term(version: Version, rule: str) -> str:
    return f"<https://w3id.org/provstore/shapes/{version.name}#{rule}>"


RULES = [(token, rule) for token, version in VERSIONS.items() for rule in rules(version)]
EXAMPLES = [(token, name) for token in VERSIONS for name in sorted(examples(token))]
FAILING = [(token, name) for token, name in EXAMPLES if ".fails" in name]
PASSING = [(token, name) for token, name in EXAMPLES if ".passes" in name]


def values(token: str, rule: str, predicate: str) -> list[str]:
    """What a rule says by a property, as plain text or as an IRI."""
    return [text(each) for each in shapes(token).objects(term(VERSIONS[token], rule), f"<{predicate}>")]


# --- examples --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("token", VERSIONS)
def test_every_rule_has_examples_and_every_example_a_rule(token: str) -> None:
    names = set(examples(token))
    own = rules(VERSIONS[token])
    assert [rule for rule in own if not {f"{rule}.fails", f"{rule}.passes"} <= names] == []
    assert {re.sub(r"\.(fails|passes)(\.[2-9])?$", "", name) for name in names} == set(own)


@pytest.mark.parametrize(("token", "name"), FAILING)
def test_a_rule_finds_its_example_and_no_other_rule_does(token: str, name: str) -> None:
    version, rule = VERSIONS[token], name.partition(".fails")[0]
    others, _ = UNAVOIDABLE.get((version.name, rule), (set(), ""))
    assert {each[0] for each in found(token, examples(token)[name])} == {f"{version.name}#{rule}", *others}


@pytest.mark.parametrize(("token", "name"), PASSING)
def test_nothing_is_found_where_a_rule_is_kept(token: str, name: str) -> None:
    assert found(token, examples(token)[name]) == []
    rule = name.partition(".passes")[0]
    shape = known(token).shapes[term(VERSIONS[token], rule)]
    graph = data(token, examples(token)[name])
    assert any(_foci(graph, target) for target in shape.targets), "the rule looks at nothing here"


def _foci(graph: Graph, target: Target) -> bool:
    match target.kind:
        case "class":
            return bool(graph.instances(target.term))
        case "subjectsOf":
            return bool(graph.subjects_of(target.term))
        case "objectsOf":
            return bool(graph.objects_of(target.term))
    return True


@pytest.mark.parametrize(("token", "name"), FAILING)
def test_without_the_rule_its_example_is_not_found(token: str, name: str) -> None:
    version, rule = VERSIONS[token], name.partition(".fails")[0]
    rest = {node: shape for node, shape in known(token).shapes.items() if node != term(version, rule)}
    assert len(rest) == len(known(token).shapes) - 1
    without = found(token, examples(token)[name], Validator(Shapes(rest, shapes(token))))
    assert f"{version.name}#{rule}" not in {each[0] for each in without}


# --- engines ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("token", VERSIONS)
def test_all_engines_find_the_same_in_all_examples_together(token: str) -> None:
    whole = data(token, frozenset(line for name in examples(token) for line in _apart(token, name)))
    expected = _told(validator(token).validate(whole))
    assert len(expected) >= len(rules(VERSIONS[token]))
    assert _told(reference.validate(whole, known(token), classes(token))) == expected
    store = ox.Store()
    store.extend(_quad(triple) for triple in whole.triples())
    assert _told(StoreValidation(known(token), store, classes=classes(token)).results(limit=100_000)) == expected


def _apart(token: str, name: str) -> Iterable[str]:
    """The triples of an example, about things that no other example has."""
    return (re.sub(r"<(https://\w+\.example/|ni:///)", rf"<\g<1>{name}/", line) for line in examples(token)[name])


def _quad(triple: tuple[str, str, str]) -> ox.Quad:
    (quad,) = ox.parse(f"{' '.join(triple)} .", format=ox.RdfFormat.N_TRIPLES)
    assert isinstance(quad, ox.Quad)
    return quad


def _told(results: Iterable[ValidationResult]) -> set[Found]:
    return {(_short(each.shape.node), each.focus, each.value) for each in results}


# --- snippets --------------------------------------------------------------------------------------------------------


MENDED = [
    (token, name)
    for token, name in FAILING
    if any(values(token, name.partition(".fails")[0], f"{PS}{kind}") for kind in ("add", "remove"))
]


@pytest.mark.parametrize(("token", "name"), MENDED)
def test_doing_what_the_snippets_say_mends_what_was_found(token: str, name: str) -> None:
    version, rule = VERSIONS[token], name.partition(".fails")[0]
    others, _ = UNAVOIDABLE.get((version.name, rule), (set(), ""))
    triples = examples(token)[name]
    for _ in range(10):  # one result after the other, as one does who reads them
        results = [each for each in found(token, triples) if each[0] == f"{version.name}#{rule}"]
        if not results:
            break
        before, triples = triples, mended(token, rule, triples, results[0])
        assert triples != before, "the snippets change nothing"
    next_ones = LEADS_ON.get(f"{version.name}#{rule}", set())
    assert {each[0] for each in found(token, triples)} <= others | next_ones


def mended(token: str, rule: str, triples: Triples, result: Found) -> Triples:
    """The triples after what the rule's snippets say was taken out and put in, literally."""
    for turtle in values(token, rule, f"{PS}remove"):
        triples -= snippet(turtle, result)
    for turtle in values(token, rule, f"{PS}add"):
        triples |= snippet(turtle, result)
    return triples


def snippet(turtle: str, result: Found) -> Triples:
    _, focus, value = result
    if "{?value}" in turtle:
        assert value is not None, "a snippet asks for the value of a result that has none"
        turtle = turtle.replace("{?value}", value)
    head = "".join(f"@prefix {prefix}: <{iri}> .\n" for prefix, iri in PREFIXES.items())
    quads = ox.parse(head + turtle.replace("{$this}", focus), format=ox.RdfFormat.TURTLE)
    return frozenset(f"{quad.subject} {quad.predicate} {quad.object}" for quad in quads)


# --- words -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("token", "rule"), RULES)
def test_a_rule_says_what_to_do_and_where_it_comes_from(token: str, rule: str) -> None:
    (message,) = values(token, rule, f"{SH}message")
    (clause,) = values(token, rule, f"{DCT}source")
    (severity,) = values(token, rule, f"{SH}severity")
    assert severity.removeprefix(SH) in ("Violation", "Warning", "Info")
    assert re.match(r"https?://\S+$", clause)
    assert len(message) > 60
    assert "ompliant" not in message  # a shape shows that a field is there, never that it is true
    assert not re.search(r"\s\s|\n", message)


@pytest.mark.parametrize("token", VERSIONS)
def test_the_head_of_a_version_says_which_it_is(token: str) -> None:
    version = VERSIONS[token]
    graph = parsed(version.read(), base=version.iri)
    head = f"<{version.iri}>"
    prof = "http://www.w3.org/ns/dx/prof/"
    assert f"<{prof}Profile>" in graph.objects(head, TYPE)
    assert [*graph.objects(head, f"<{prof}hasToken>")] == [f'"{version.name}"']
    assert [*graph.objects(head, "<http://www.w3.org/2002/07/owl#versionInfo>")] == [f'"{version.number}"']
    assert [*graph.objects(head, f"<{DCT}isVersionOf>")] == [f"<{version.iri.rpartition('/')[0]}>"]
    for predicate in (f"{DCT}title", f"{DCT}description", f"{DCT}license", f"{DCT}issued", f"{prof}hasResource"):
        assert len(graph.objects(head, f"<{predicate}>")) == 1, predicate


def test_the_page_of_rules_counts_them() -> None:
    page = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z-]+/\d)` \|.*\| (\d+) \| (\d+) \| (\d+) \|$", page, re.MULTILINE)
    assert len(rows) == 9
    for token, *told in rows:
        grades = [values(token, rule, f"{SH}severity")[0] for rule in rules(VERSIONS[token])]
        assert [*map(int, told)] == [grades.count(f"{SH}{each}") for each in ("Violation", "Warning", "Info")], token
    assert f"{sum(int(count) for _, *told in rows for count in told)} rules" in (ROOT / "CHANGELOG.md").read_text(
        "utf-8"
    )
