"""Profiles as files: names and versions, what a file says of itself, rules in words, inheritance."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from pathlib import Path

import pyoxigraph as ox
import pytest

from provstore import resources
from provstore.errors import InvalidInput, NotFound
from provstore.validation import examples
from provstore.validation.checking import validate
from provstore.validation.described import described, lineage, shapes
from provstore.validation.profiles import SHIPPED, Profile, Registry, Rule

BASE = "https://prov.example"
HEAD = """
@prefix : <https://bank.example/shapes#> .
@prefix dct: <http://purl.org/dc/terms/> .
@prefix prof: <http://www.w3.org/ns/dx/prof/> .
@prefix prov: <http://www.w3.org/ns/prov#> .
@prefix ps: <https://w3id.org/provstore/ns#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix sh: <http://www.w3.org/ns/shacl#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
"""
CREDIT = (
    HEAD
    + """
<> a prof:Profile ; dct:title "Credit"@en ; dct:description "What a bank asks."@en ; dct:issued "2026-11-01"^^xsd:date ;
    prof:isProfileOf <https://w3id.org/provstore/shapes/prov-core/1>, <https://elsewhere.example/profile> .
:decided a sh:PropertyShape ; sh:targetClass ps:Decision ; sh:path prov:wasAttributedTo ; sh:minCount 1 ;
    sh:message "A decision does not say whose it is. Add prov:wasAttributedTo."@en ; ps:add "{$this} a ps:Decision ." .
"""
)


def published(home: Path, **files: str) -> Registry:
    """A registry with versions of profiles in a folder: `name_1="…"` is `name/1`."""
    for token, text in files.items():
        name, _, number = token.rpartition("_")
        path = home / name.replace("_", "-") / f"{number}.ttl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return Registry(str(home), BASE)


def say(home: Path, shape: str, rest: str = "") -> Rule:
    """The rule `:x` of a profile that states it."""
    registry = published(home, x_1=f"{HEAD} :x {shape} . {rest}")
    (rule,) = described(registry.find("x"), registry).rules
    return rule


# --- names and versions ----------------------------------------------------------------------------------------------


def test_every_profile_that_ships_has_a_whole_head() -> None:
    names = {path.name for path in resources.folder("shapes").iterdir() if path.is_dir()}
    assert set(SHIPPED.names()) == names
    for name in names:
        numbers = [version.number for version in SHIPPED.versions(name)]
        assert numbers == list(range(len(numbers), 0, -1)), name
        for version in SHIPPED.versions(name):
            profile = described(version, SHIPPED)
            assert profile.iri == f"https://w3id.org/provstore/shapes/{version.token}"
            assert profile.title != name
            assert profile.description
            assert profile.issued
            assert profile.license.startswith("https://")
            assert profile.rules
            assert b'prof:hasToken "%b"' % name.encode() in version.read()
            assert b'owl:versionInfo "%d"' % version.number in version.read()


def test_a_name_is_the_newest_version(tmp_path: Path) -> None:
    registry = published(tmp_path, credit_1=CREDIT, credit_2=f"{CREDIT}\n", credit_10=f"{CREDIT}\n\n")
    assert [each.token for each in registry.versions("credit")] == ["credit/10", "credit/2", "credit/1"]
    assert registry.find("credit").number == 10
    assert registry.find("credit/2").iri == f"{BASE}/shapes/credit/2"
    assert registry.find("credit/2").digest() == hashlib.sha256(f"{CREDIT}\n".encode()).hexdigest()
    assert "credit/10" in [each.token for each in registry.newest()]
    assert {"credit", "prov-core"} <= set(registry.names())


@pytest.mark.parametrize(
    ("named", "says"),
    [
        ("prov-cor", "perhaps prov-core: there are"),
        ("", "no validation profile ''"),
        ("../ontology", "no validation profile '..'"),
        ("prov-core/", "has no version '': there are prov-core/2, prov-core/1"),
        ("prov-core/99", "has no version '99': there are prov-core/2, prov-core/1"),
        ("prov-core/01", "has no version '01'"),
        ("prov-core/1/2", "has no version '1/2'"),
        ("prov-core/../prov-core/1", "has no version"),
        ("x" * 5000, "no validation profile 'xxx"),
    ],
)
def test_what_is_not_there_names_what_is(named: str, says: str) -> None:
    with pytest.raises(NotFound) as caught:
        SHIPPED.find(named)
    assert says in str(caught.value)
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize("name", ["", "A", "a b", "a_b", "-a", "a-", "a--b", "1a", "ü", "a/b", "a\n", "x" * 61, ".."])
def test_a_name_of_ones_own_is_plain(name: str) -> None:
    with pytest.raises(InvalidInput, match="such as credit-risk"):
        SHIPPED.free(name)
    with pytest.raises(InvalidInput, match="ships with provstore"):
        SHIPPED.free("prov-core")
    assert SHIPPED.free("credit-risk2") == "credit-risk2"


def test_files_that_are_no_versions_are_passed_over(tmp_path: Path) -> None:
    registry = published(tmp_path, x_1=CREDIT)
    for name in ("0.ttl", "01.ttl", "two.ttl", "1.ttl.tmp", "-1.ttl"):
        (tmp_path / "x" / name).write_text("nonsense")
    assert [each.token for each in registry.versions("x")] == ["x/1"]
    assert registry.of_iri(f"{BASE}/shapes/x/1") == registry.find("x")
    for iri in ("", "x", f"{BASE}/shapes/x", f"{BASE}/shapes/x/2", "https://w3id.org/provstore/shapes/x/1"):
        assert registry.of_iri(iri) is None


# --- what a file says ------------------------------------------------------------------------------------------------


def test_the_head_and_what_is_inherited(tmp_path: Path) -> None:
    registry = published(tmp_path, credit_1=CREDIT)
    profile: Profile = described(registry.find("credit"), registry)
    assert (profile.title, profile.issued, profile.shipped) == ("Credit", "2026-11-01", False)
    assert (profile.inherits, profile.others) == (("prov-core/1",), ("https://elsewhere.example/profile",))
    core = described(SHIPPED.find("prov-core/1"), SHIPPED)
    assert len(profile.rules) == len(core.rules) + 1
    assert {rule.profile for rule in profile.rules} == {"credit/1", "prov-core/1"}
    own = next(rule for rule in profile.rules if rule.profile == "credit/1")
    assert (own.severity, own.target, own.path) == ("MUST", ("every ps:Decision",), "prov:wasAttributedTo")
    assert (own.asks, own.add) == (("there is at least one",), "{$this} a ps:Decision .")
    quads = b"<urn:d> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <https://w3id.org/provstore/ns#Decision> .\n"
    bad = quads + b'<urn:d> <http://www.w3.org/ns/prov#used> "text" .\n'
    found = {result.shape.rpartition("#")[2] for result in validate(bad, "credit", registry)}
    assert {"decided", "relation-to-a-node"} <= found


def test_a_chain_is_resolved_and_a_diamond_counts_once(tmp_path: Path) -> None:
    def of(*tokens: str) -> str:
        return HEAD + "".join(f"<> prof:isProfileOf <{BASE}/shapes/{each}> . " for each in tokens)

    registry = published(tmp_path, a_1=of(), b_1=of("a/1"), c_1=of("a/1"), d_1=of("b/1", "c/1"))
    assert [each.token for each in lineage(registry.find("d"), registry)] == ["d/1", "b/1", "a/1", "c/1"]
    assert described(registry.find("d"), registry).lineage == ("b/1", "a/1", "c/1")


def test_a_cycle_and_two_versions_of_one_profile_are_refused(tmp_path: Path) -> None:
    def of(*tokens: str) -> str:
        return HEAD + "".join(f"<> prof:isProfileOf <{BASE}/shapes/{each}> . " for each in tokens)

    registry = published(
        tmp_path, a_1=of("b/1"), b_1=of("a/1"), me_1=of("me/1"), c_1=of(), c_2=of(), d_1=of("c/1"), e_1=of("c/2", "d/1")
    )
    with pytest.raises(InvalidInput, match="a/1 → b/1 → a/1"):
        described(registry.find("a"), registry)
    with pytest.raises(InvalidInput, match="me/1 → me/1"):
        shapes(registry.find("me"), registry)
    with pytest.raises(InvalidInput, match="e/1 inherits from c/2 and from c/1"):
        described(registry.find("e"), registry)


def test_what_is_no_turtle_names_the_line(tmp_path: Path) -> None:
    registry = published(tmp_path, x_1=f"{HEAD}\n:a :b ")
    with pytest.raises(InvalidInput, match="not Turtle") as caught:
        described(registry.find("x"), registry)
    assert caught.value.line


def test_examples_stand_with_their_rule_as_they_are_written(tmp_path: Path) -> None:
    registry = published(tmp_path, x_1=f'{HEAD} :a a sh:NodeShape ; sh:targetClass prov:Entity ; sh:message "m" .')
    file = tmp_path / "x" / "examples" / "1.trig"
    file.parent.mkdir()
    file.write_text(
        "@prefix ex: <https://x.example/example#> .\n@base <urn:b:> .\n"
        'ex:a.fails { <f> <p> "}{" , """ } """ . # }\n}\n'
        "<https://x.example/example#a.fails.2> {\n    <g>\n        <p> 01 .\n}\n"
        "ex:a.passes { <h> <p> <#> . } ex:b.fails {}\n"
    )
    profile = described(registry.find("x"), registry)
    (rule,) = profile.rules
    assert rule.fails == ('<f> <p> "}{" , """ } """ . # }', "<g>\n    <p> 01 .")
    assert rule.passes == ("<h> <p> <#> .",)
    assert profile.prefixes.split("\n") == ["@prefix ex: <https://x.example/example#> .", "@base <urn:b:> ."]


@pytest.mark.parametrize("version", [v.token for name in SHIPPED.names() for v in SHIPPED.versions(name)])
def test_the_examples_that_ship_say_what_they_show(version: str) -> None:
    """What a page shows of an example is that example's graph, to the last triple."""
    held = SHIPPED.find(version)
    whole: dict[str, Counter[str]] = defaultdict(Counter)
    for quad in ox.parse(held.examples(), format=ox.RdfFormat.TRIG):
        whole[str(quad.graph_name).rpartition("#")[2].rstrip(">")][str(quad.predicate)] += 1
    text = held.examples().decode()
    shown = dict(examples.graphs(text))
    assert set(shown) == set(whole)
    for name, body in shown.items():
        triples = ox.parse(f"{examples.head(text)}\n{body}".encode(), format=ox.RdfFormat.TURTLE)
        assert Counter(str(triple.predicate) for triple in triples) == whole[name], name


# --- in words --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "asks"),
    [
        ("sh:minCount 1", "there is at least one"),
        ("sh:minCount 1 ; sh:maxCount 1", "there is exactly one"),
        ("sh:minCount 2 ; sh:maxCount 4", "there are 2 to 4 values"),
        ("sh:maxCount 0", "there is none"),
        ("sh:minCount 7", "there are at least 7"),
        ("sh:class prov:Agent", "is a prov:Agent"),
        ("sh:datatype xsd:dateTime", "is an xsd:dateTime"),
        ("sh:nodeKind sh:IRI", "is an IRI"),
        ("sh:not [ sh:class prov:Agent ]", "is no prov:Agent"),
        ('sh:in ( "a" 1 prov:Agent )', 'is one of "a", 1, prov:Agent'),
        ('sh:pattern "^a"', 'matches the regular expression "^a"'),
        ("sh:or ( [ sh:class prov:Agent ] [ sh:nodeKind sh:Literal ] )", "is a prov:Agent, or is a literal"),
        ("sh:xone ( [ sh:class prov:Agent ] )", "is a prov:Agent (one of these only)"),
        ("sh:property [ sh:path prov:used ; sh:minCount 1 ]", "prov:used: there is at least one"),
        (
            "sh:qualifiedValueShape [ sh:class prov:Agent ] ; sh:qualifiedMinCount 2",
            "at least 2 of the values: is a prov:Agent",
        ),
        ("sh:closed true ; sh:ignoredProperties ( prov:used )", "has no property but prov:used"),
        ("sh:lessThanOrEquals prov:endedAtTime", "is less than or equal to each value of prov:endedAtTime"),
        ('sh:sparql [ sh:select "SELECT $this {}" ; rdfs:comment "no two share an id" ]', "no two share an id"),
        ("sh:uniqueLang true", "has one value a language at most"),
        ('sh:languageIn ( "en" "de" )', "is in one of the languages en, de"),
    ],
)
def test_constraints_in_words(tmp_path: Path, shape: str, asks: str) -> None:
    assert say(tmp_path, f"a sh:PropertyShape ; sh:targetClass prov:Entity ; sh:path prov:value ; {shape}").asks == (
        asks,
    )


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("prov:used", "prov:used"),
        ("[ sh:inversePath prov:used ]", "^prov:used"),
        ("( prov:used rdfs:label )", "prov:used/rdfs:label"),
        ("( prov:used [ sh:alternativePath ( prov:value rdfs:label ) ] )", "prov:used/(prov:value|rdfs:label)"),
        ("[ sh:zeroOrMorePath [ sh:inversePath prov:used ] ]", "^prov:used*"),
        ("[ sh:oneOrMorePath ( prov:used prov:value ) ]", "(prov:used/prov:value)+"),
        ("<urn:x>", "<urn:x>"),
    ],
)
def test_paths_in_words(tmp_path: Path, path: str, says: str) -> None:
    assert (
        say(tmp_path, f"a sh:PropertyShape ; sh:targetClass prov:Entity ; sh:path {path} ; sh:minCount 1").path == says
    )


@pytest.mark.parametrize(
    ("target", "says"),
    [
        ("sh:targetClass prov:Entity", "every prov:Entity"),
        ("sh:targetSubjectsOf prov:used", "what has prov:used"),
        ("sh:targetObjectsOf prov:used", "what prov:used points to"),
        ("sh:targetNode <urn:x>", "<urn:x>"),
        ("a rdfs:Class", "every :x"),
    ],
)
def test_targets_in_words(tmp_path: Path, target: str, says: str) -> None:
    assert say(tmp_path, f"a sh:NodeShape ; {target} ; sh:nodeKind sh:IRI").target == (says,)


def test_a_property_shape_with_a_name_is_held_where_its_shape_is(tmp_path: Path) -> None:
    registry = published(
        tmp_path,
        x_1=f"{HEAD} :a a sh:NodeShape ; sh:targetClass prov:Entity ; sh:property :b . :b sh:property :c ."
        " :b a sh:PropertyShape ; sh:path prov:value ; sh:minCount 1 . :c a sh:PropertyShape ; sh:path prov:used ."
        " :d a sh:NodeShape ; sh:property :e . :e a sh:PropertyShape ; sh:path prov:used ; sh:property :d .",
    )
    told = {rule.shape.rpartition("#")[2]: rule.target for rule in described(registry.find("x"), registry).rules}
    every = ("every prov:Entity",)
    assert told == {"a": every, "b": every, "c": every, "d": (), "e": ()}


def test_words_end_whatever_a_file_holds(tmp_path: Path) -> None:
    rule = say(
        tmp_path,
        "a sh:NodeShape ; sh:targetClass prov:Entity ; sh:not _:a",
        "_:a sh:not _:a ; sh:or _:l . _:l rdfs:rest _:l .",
    )
    assert rule.asks[0].endswith("…") or rule.asks[0].count("it is not so") > 3
    path = say(
        tmp_path / "y", "sh:targetClass prov:Entity ; sh:path _:p ; sh:minCount 1", "_:p sh:inversePath _:p ."
    ).path
    assert len(path) < 200
