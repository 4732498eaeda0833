"""Facet contents: what each key promotes, in full or not at all."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provstore import iris, jcs, rdf
from provstore.capture.facets import MAPPER, content_of
from tests import suites
from tests.notation import canonical, lines_of, prefixed, triples

BASE = "https://prov.example"


def data(name: str) -> dict[str, Any]:
    return {"namespace": "pg", "name": name}


def promoted(key: str, facet: object) -> set[str]:
    """What a content says beside its key, its JSON and its values, in short."""
    content, _ = content_of(key, facet, BASE)

    def short(term: str) -> str:
        if term.startswith('"'):
            return rdf.text_of(term)
        return prefixed(term[1:-1].replace(content.iri, "c").replace(f"{BASE}/", ""))

    said = {" ".join(short(term) for term in triple) for triple in triples(content.quads)}
    aside = ("c a ps:Content", "c ps:json ", "c ps:key ")
    return {each for each in said if not each.startswith(aside) and " rdf:value " not in each}


def test_example_facets_of_the_specification_are_well_formed() -> None:
    files = [
        file
        for file in sorted((suites.path("openlineage") / "facets").rglob("*.json"))
        if file.parent.name.endswith("Facet")
    ]
    complaints = {}
    for file in files:
        for key, facet in json.loads(file.read_bytes()).items():
            _, found = content_of(key, facet, BASE)
            if found:
                complaints[f"{file.parent.name}/{file.name}"] = found
    assert len(files) == 46
    assert complaints == {}


CONTENTS: list[tuple[str, object, str]] = [
    ("documentation", {"description": "d"}, "c dct:description d"),
    ("documentation", {"description": None}, ""),
    ("documentation", {"description": "d", "_deleted": True}, ""),
    ("documentation", {"description": ["d"]}, ""),
    ("unheard_of", {"a": 1}, ""),
    ("unheard_of", [1], ""),
    (
        "schema",
        {"fields": [{"name": "a", "type": "int", "description": "x"}, {"name": "b", "fields": [{"name": "c"}]}]},
        """
        c a csvw:Schema
        c ps:field c#/fields/0
        c ps:field c#/fields/1
        c#/fields/0 ps:name a
        c#/fields/0 ps:type int
        c#/fields/0 dct:description x
        c#/fields/1 ps:name b
        c#/fields/1 ps:field c#/fields/1/fields/0
        c#/fields/1/fields/0 ps:name c
        """,
    ),
    ("schema", {"fields": [{"name": "a"}, {"type": "nameless"}]}, ""),
    ("schema", {"fields": None}, "c a csvw:Schema"),
    (
        "columnLineage",
        {
            "fields": {
                "z": {"inputFields": [{**data("s"), "field": "q"}], "transformationType": "MASKED"},
                "a": {
                    "inputFields": [
                        {
                            **data("s"),
                            "field": "p",
                            "transformations": [
                                {"type": "DIRECT", "subtype": "IDENTITY", "masking": False},
                                {"type": "INDIRECT", "masking": True},
                            ],
                        }
                    ]
                },
            },
            "dataset": [{**data("s"), "field": "r", "transformations": [{"type": "INDIRECT", "subtype": "JOIN"}]}],
        },
        """
        c ps:columnEdge c#/fields/a/inputFields/0
        c#/fields/a/inputFields/0 ps:targetColumn a
        c#/fields/a/inputFields/0 ps:sourceDataset dataset/pg/s
        c#/fields/a/inputFields/0 ps:sourceColumn p
        c#/fields/a/inputFields/0 ps:transformation IDENTITY
        c#/fields/a/inputFields/0 ps:transformation INDIRECT
        c#/fields/a/inputFields/0 ps:transformationType DIRECT
        c#/fields/a/inputFields/0 ps:transformationType INDIRECT
        c#/fields/a/inputFields/0 ps:masking true
        c ps:columnEdge c#/fields/z/inputFields/0
        c#/fields/z/inputFields/0 ps:targetColumn z
        c#/fields/z/inputFields/0 ps:sourceDataset dataset/pg/s
        c#/fields/z/inputFields/0 ps:sourceColumn q
        c#/fields/z/inputFields/0 ps:transformation MASKED
        c ps:datasetEdge c#/dataset/0
        c#/dataset/0 ps:sourceDataset dataset/pg/s
        c#/dataset/0 ps:sourceColumn r
        c#/dataset/0 ps:transformation JOIN
        c#/dataset/0 ps:transformationType INDIRECT
        dataset/pg/s a prov:Entity
        dataset/pg/s a ps:Dataset
        dataset/pg/s ps:namespace pg
        dataset/pg/s ps:name s
        """,
    ),
    (
        "lineage",
        {
            "entries": [
                {**data("t"), "type": "DATASET", "inputs": [{**data("t"), "type": "DATASET", "field": "k"}]},
                {**data("t"), "type": "DATASET", "inputs": []},
                {"type": "JOB", "inputs": [{**data("u"), "type": "DATASET"}]},
            ]
        },
        """
        c ps:lineageEdge c#/entries/0/inputs/0
        c#/entries/0/inputs/0 ps:targetDataset dataset/pg/t
        c#/entries/0/inputs/0 ps:sourceDataset dataset/pg/t
        c#/entries/0/inputs/0 ps:sourceColumn k
        c ps:untracked dataset/pg/t
        c ps:jobEdge c#/entries/2/inputs/0
        c#/entries/2/inputs/0 ps:sourceDataset dataset/pg/u
        dataset/pg/u a prov:Entity
        dataset/pg/u a ps:Dataset
        dataset/pg/u ps:namespace pg
        dataset/pg/u ps:name u
        dataset/pg/t a prov:Entity
        dataset/pg/t a ps:Dataset
        dataset/pg/t ps:namespace pg
        dataset/pg/t ps:name t
        """,
    ),
    ("version", {"datasetVersion": "v1"}, "c ps:version v1"),
    ("version", {"datasetVersion": 3}, "c ps:version 3"),
    ("lifecycleStateChange", {"lifecycleStateChange": "DROP"}, "c ps:lifecycle DROP"),
    (
        "outputStatistics",
        {"rowCount": 1, "size": 2.0, "fileCount": 3},
        "c ps:rowCount 1\nc ps:byteSize 2\nc ps:fileCount 3",
    ),
    ("inputStatistics", {"rowCount": 2**70}, f"c ps:rowCount {2**70}"),
    ("outputStatistics", {"rowCount": "1", "size": 2}, ""),
    ("outputStatistics", {"rowCount": True}, ""),
    ("sql", {"query": "SELECT 1", "dialect": "x"}, "c ps:sql SELECT 1\nc ps:dialect x"),
    (
        "sourceCodeLocation",
        {
            "repoUrl": "https://h.example/r?x=1#y",
            "url": "u",
            "path": "p",
            "branch": "b",
            "tag": "t",
            "version": "A" * 40,
        },
        f"""
        c ps:repository https://h.example/r?x=1#y
        c ps:codeUrl u
        c ps:path p
        c ps:branch b
        c ps:tag t
        c ps:commit {"A" * 40}
        c ps:codeVersion urn:swh:1:rev:{"a" * 40}
        urn:swh:1:rev:{"a" * 40} a prov:Entity
        urn:swh:1:rev:{"a" * 40} a ps:CodeVersion
        """,
    ),
    (
        "sourceCodeLocation",
        {"repoUrl": "git@h:r.git", "version": "v1"},
        "c ps:repository git@h:r.git\nc ps:commit v1",
    ),
    (
        "ownership",
        {
            "owners": [
                {"name": "user:ana", "type": "MAINTAINER"},
                {"name": "team:a b"},
                {"name": "x:y"},
                {"name": "user:"},
            ]
        },
        """
        c ps:owner c#/owners/0
        c#/owners/0 prov:agent agent/person/ana
        c#/owners/0 ps:ownerType MAINTAINER
        agent/person/ana a prov:Agent
        agent/person/ana a prov:Person
        c ps:owner c#/owners/1
        c#/owners/1 prov:agent agent/organization/a%20b
        agent/organization/a%20b a prov:Agent
        agent/organization/a%20b a prov:Organization
        c ps:owner c#/owners/2
        c#/owners/2 prov:agent agent/agent/x%3Ay
        agent/agent/x%3Ay a prov:Agent
        c ps:owner c#/owners/3
        c#/owners/3 prov:agent agent/agent/user%3A
        agent/agent/user%3A a prov:Agent
        """,
    ),
    (
        "jobType",
        {"processingType": "BATCH", "integration": "SPARK", "jobType": "QUERY"},
        "c ps:processingType BATCH\nc ps:integration SPARK\nc ps:jobType QUERY",
    ),
    (
        "errorMessage",
        {"message": "m", "programmingLanguage": "JAVA", "stackTrace": "s"},
        "c ps:message m\nc ps:programmingLanguage JAVA\nc ps:stackTrace s",
    ),
    (
        "nominalTime",
        {"nominalStartTime": "2026-01-01T02:00:00.50+02:00", "nominalEndTime": None},
        "c ps:nominalStart 2026-01-01T00:00:00.5Z",
    ),
    ("nominalTime", {"nominalStartTime": "noon"}, ""),
]


@pytest.mark.parametrize(("key", "facet", "said"), CONTENTS)
def test_content(key: str, facet: object, said: str) -> None:
    content, _ = content_of(key, facet, BASE)
    assert content.iri == iris.content(key, facet, MAPPER)[0]
    assert canonical(content.quads) == content.quads
    assert f"{rdf.literal(jcs.dumps(facet), f'{rdf.RDF}JSON')} <{content.iri}> .\n".encode() in content.quads
    assert promoted(key, facet) == lines_of(said)


def test_content_does_not_depend_on_the_cache() -> None:
    small = {"description": "x"}
    large = {"description": "x" * 20_000}
    for facet in (small, large):
        assert content_of("documentation", facet, BASE) == content_of("documentation", dict(facet), BASE)
    assert content_of("documentation", small, "https://other.example") == content_of("documentation", small, BASE)
    owners = {"owners": [{"name": "user:ana"}]}
    assert content_of("ownership", owners, "https://other.example") != content_of("ownership", owners, BASE)


_URLS = st.from_regex(r"(https?|ssh|git)://[!-~]{0,30}", fullmatch=True)


@settings(max_examples=200, deadline=None)
@given(_URLS | st.text())
def test_any_repository_stays_readable(url: str) -> None:
    content, _ = content_of("sourceCodeLocation", {"repoUrl": url}, BASE)
    assert canonical(content.quads) == content.quads
