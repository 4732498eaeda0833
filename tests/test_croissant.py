"""Croissant in and out: what a document says, where it says too little, and what comes back from a round trip."""

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest

from provstore import queries, rdf
from provstore.capture import formats
from provstore.capture.croissant import map_croissant
from provstore.cli import main
from provstore.core import ProvStore
from provstore.core.things import facts_of
from provstore.core.things.statements import Row
from provstore.core.things.thing import Term
from provstore.errors import NotFound, Unmappable
from provstore.export.croissant import VERSION, croissant
from provstore.model import Mapped, Submission
from provstore.queries import CannedQuery
from tests.answering import answered
from tests.emitting import ran
from tests.goldens import FIXTURES
from tests.servers import serving
from tests.stores import BASE, assert_sound, store_in
from tests.stores import document as described
from tests.suites import ROOT

LABS: dict[str, Any] = json.loads((FIXTURES / "croissant" / "labs.json").read_text())
FILMS: dict[str, Any] = json.loads((FIXTURES / "croissant" / "films.json").read_text())
DATASET = f"{BASE}/dataset/https%3A%2F%2Fdata.clinic.example/blood-glucose"
FILE = f"{BASE}/dataset/https%3A%2F%2Fdata.clinic.example/files%2Fresults.csv"


def mapped(value: Any) -> Mapped:
    return map_croissant(value, base=BASE)


def quads(value: Any) -> str:
    return mapped(value).quads.decode()


def sent(value: dict[str, Any]) -> Submission:
    return Submission(json.dumps(value).encode(), "application/json", "tests", mapped(value))


def document(store: ProvStore, dataset: str) -> dict[str, Any]:
    """The document of a dataset, asked of the triples in this process."""
    held = ox.Store()
    held.load("".join(store.views.store.dump()).encode(), format=ox.RdfFormat.N_QUADS)

    async def ask(query: CannedQuery, about: str) -> list[Row]:
        found = held.query(queries.bind(query, {"entity": about}))
        assert isinstance(found, ox.QuerySolutions)
        names = [variable.value for variable in found.variables]
        return [
            {
                name: Term(cell.value, isinstance(cell, ox.NamedNode))
                for name, cell in zip(names, row, strict=True)
                if isinstance(cell, ox.NamedNode | ox.Literal)
            }
            for row in found
        ]

    return croissant(asyncio.run(facts_of(ask, dataset)))


# --- in --------------------------------------------------------------------------------------------------------------


def test_whoever_read_the_same_bytes_elsewhere_read_the_dataset(tmp_path: Path) -> None:
    digest = LABS["distribution"][0]["sha256"]
    state = f"{BASE}/dataset/file/%2Fhome%2Feve%2Fcopy.csv/read/t"
    training = f"""@prefix prov: <http://www.w3.org/ns/prov#> . @prefix ps: <https://w3id.org/provstore/ns#> .
        @prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
        <urn:t> a prov:Activity, ps:TrainingRun ; prov:used <{state}> ;
            prov:startedAtTime "2026-05-01T00:00:00Z"^^xsd:dateTime .
        <{state}> a ps:ReadState ; ps:sha256 "{digest}" ;
            ps:bytes <ni:///sha-256;n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg> ;
            prov:specializationOf <{BASE}/dataset/file/%2Fhome%2Feve%2Fcopy.csv> .
        <urn:m> a ps:ModelVersion ; prov:wasGeneratedBy <urn:t> ; prov:wasDerivedFrom <{state}> ."""
    with store_in(tmp_path / "data") as store:
        store.ingest([sent(LABS), native(training)])
        upstream = answered(store, "lineage/upstream", entity="urn:m")
        assert_sound(store)
    certain = {row["entity"].partition("/write/")[0] for row in upstream if row["certainty"] == "certain"}
    item = f"{BASE}/item/https%3A%2F%2Fdata.clinic.example%2Fblood-glucose%2Fresults"
    assert {FILE, DATASET, f"{item}/77%2Fvalue", f"{item}/77%2Fraw"} <= certain


def native(turtle: str) -> Submission:
    return described(turtle, "text/turtle")


def test_a_lab_value_has_device_technician_time_and_method(tmp_path: Path) -> None:
    value = f"{BASE}/item/https%3A%2F%2Fdata.clinic.example%2Fblood-glucose%2Fresults/77%2Fvalue"
    with store_in(tmp_path / "data") as store:
        store.ingest([sent(LABS)])
        agents = answered(store, "audit/agents", entity=value)
    assert {(row["agent"].rpartition("/")[2], row["role"].rpartition("#")[2]) for row in agents if "role" in row} == {
        ("analyser-4", "measuringDevice"),
        ("tech-17", "technician"),
    }
    assert f"<{value}> <http://qudt.org/schema/qudt/unit> <http://qudt.org/vocab/unit/MilliMOL-PER-L>" in quads(LABS)
    assert f'<{value}> <http://www.w3.org/ns/prov#generatedAtTime> "2026-04-01T08:15:00Z"' in quads(LABS)


def test_a_file_with_a_making_of_its_own_is_what_the_dataset_is_made_of() -> None:
    said = quads(LABS)
    (state,) = {line.split(" ")[0] for line in said.splitlines() if "analyser.log/write/" in line.split(" ")[0]}
    assert f"/blood-glucose/write/{mapped_maker()}> <http://www.w3.org/ns/prov#wasDerivedFrom> {state}" in said
    results = next(line.split(" ")[0] for line in said.splitlines() if "results.csv/write/" in line.split(" ")[0])
    assert f"{results} <http://www.w3.org/ns/prov#wasDerivedFrom> <{DATASET}/write/" in said


def mapped_maker() -> str:
    """What the state of the dataset is named by."""
    line = next(line for line in quads(LABS).splitlines() if line.startswith(f"<{DATASET}/write/"))
    return line.split(" ")[0].rpartition("/write/")[2][:36]


def test_annotated_records_may_be_flat_as_well() -> None:
    flat = copy.deepcopy(LABS)
    records = flat["recordSet"][0]["data"]
    flat["recordSet"][0]["data"] = [{**each, **each["results/value"]} for each in records]
    assert quads(flat) == quads(LABS)


def test_columns_are_the_facet_schema() -> None:
    (content,) = mapped(FILMS).contents
    names = [rdf.split(line)[2] for line in content.quads.decode().splitlines() if "ns#name>" in line]
    assert set(names) == {'"films"', '"ratings"', '"title"', '"film"', '"stars"'}


@pytest.mark.parametrize("key", ["conformsTo", "dct:conformsTo"])
@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_a_document_is_recognised(key: str, version: str) -> None:
    said = f"http://mlcommons.org/croissant/{version}"
    for value in (said, {"@id": said}, ["https://other.example", said]):
        plain = {name: each for name, each in FILMS.items() if name != "conformsTo"}
        assert formats.of_payload({**plain, key: value}).name == "croissant"


@pytest.mark.parametrize(
    ("value", "pointer"),
    [
        ({}, "/url"),
        ({**LABS, "url": "not an address"}, "/url"),
        ({**LABS, "url": "/etc/passwd"}, "/url"),
        ({"provstore": "croissant/1"}, "/croissant"),
        ({"provstore": "croissant/1", "dataset": {"name": "a"}, "croissant": LABS}, "/dataset/namespace"),
    ],
)
def test_what_has_no_identity_is_refused(value: Any, pointer: str) -> None:
    with pytest.raises(Unmappable) as caught:
        mapped(value)
    assert caught.value.pointer == pointer


@pytest.mark.parametrize("junk", [None, 7, "x", [], {}, [None], [[]], {"a": []}, [{"a": {}}], True, "http://a#b#c"])
def test_a_malformed_member_costs_no_more_than_itself(junk: object, tmp_path: Path) -> None:
    given = []
    for member in LABS:
        if member != "url":
            given.append({**LABS, member: junk})
    for part in ("distribution", "recordSet"):
        for member in LABS[part][0]:
            value = copy.deepcopy(LABS)
            value[part][0][member] = junk
            given.append(value)
    for member in LABS["recordSet"][0]["field"][1]:
        value = copy.deepcopy(LABS)
        value["recordSet"][0]["field"][1][member] = junk
        given.append(value)
    for member in LABS["recordSet"][0]["data"][0]["results/value"]:
        value = copy.deepcopy(LABS)
        value["recordSet"][0]["data"][0]["results/value"][member] = junk
        given.append(value)
    held = ox.Store()
    for value in given:
        found = mapped(value)
        assert f"<{DATASET}>".encode() in found.quads
        held.load(found.whole, format=ox.RdfFormat.N_QUADS)  # no engine is given what it cannot read


def test_too_many_inline_records_are_told_not_taken() -> None:
    value = copy.deepcopy(LABS)
    value["recordSet"][0]["data"] *= 6000
    found = mapped(value)
    assert any("batches" in each.message for each in found.liberties)
    assert b"RecordItem" not in found.quads


def test_fields_nested_without_end_are_cut() -> None:
    value = copy.deepcopy(LABS)
    field: dict[str, Any] = {"name": "f"}
    for _ in range(90):
        field = {"name": "f", "subField": [field]}
    value["recordSet"][0]["field"] = [field]
    assert any("nested more than" in each.message for each in mapped(value).liberties)


# --- whatever a context calls it -------------------------------------------------------------------------------------

_IRIS = {"sc": "https://schema.org/", "cr": "http://mlcommons.org/croissant/", "dct": "http://purl.org/dc/terms/"}
_CR = (
    *("annotation", "citeAs", "column", "containedIn", "data", "dataType", "equivalentProperty", "extract", "field"),
    *("fileObject", "fileSet", "includes", "isLiveDataset", "key", "md5", "recordSet", "source", "subField"),
)


def renamed(value: Any, name: Callable[[str], str], member: str = "") -> Any:
    """A document with its members called otherwise; in inline records names are those of columns."""
    if isinstance(value, list):
        return [renamed(each, name, member) for each in value]
    if not isinstance(value, dict) or member in ("data", "@context"):
        return value
    return {
        key if key.startswith("@") or ":" in key else name(key): renamed(each, name, key) for key, each in value.items()
    }


def prefixed(name: str) -> str:
    return "dct:conformsTo" if name == "conformsTo" else f"{'cr' if name in _CR else 'sc'}:{name}"


def whole(name: str) -> str:
    prefix, _, rest = prefixed(name).partition(":")
    return f"{_IRIS[prefix]}{rest}"


def flat(document: dict[str, Any]) -> dict[str, Any]:
    """The document as a graph: people, files and record sets are nodes beside it."""
    nodes: list[dict[str, Any]] = []
    top = dict(document)
    for member in ("creator", "distribution", "recordSet"):
        listed = [{"@id": f"_:{member}{n}", **each} for n, each in enumerate(top[member])]
        nodes += listed
        top[member] = [{"@id": each["@id"]} for each in listed]
    context = top.pop("@context")
    return {"@context": context, "@graph": [*nodes, top]}


_OWN = {"duo": LABS["@context"]["duo"], "unit": LABS["@context"]["unit"]}
_FORMS: dict[str, dict[str, Any]] = {
    "prefixes": {**renamed(LABS, prefixed), "@context": {**_IRIS, **_OWN}},
    "whole IRIs": {**renamed(LABS, whole), "@context": _OWN},
    "http": {**renamed(LABS, lambda name: whole(name).replace("https://schema", "http://schema")), "@context": _OWN},
    "a context elsewhere": {**LABS, "@context": ["http://mlcommons.org/croissant/1.1", _OWN]},
    "schema.org alone": {**renamed(LABS, prefixed), "@context": ["https://schema.org/", {"cr": _IRIS["cr"]}, _OWN]},
    "names of its own": {
        **renamed(LABS, lambda name: f"my_{name}"),
        "@context": {
            **{f"my_{name}": {"@id": whole(name)} for name in (*_CR, *LABS, *LABS["distribution"][0])},
            **_OWN,
        },
    },
    "values": renamed({**LABS, "name": {"@value": LABS["name"], "@language": "en"}}, str)
    | {"keywords": {"@set": LABS["keywords"]}, "url": {"@id": LABS["url"]}, "version": {"@value": LABS["version"]}},
    "a graph": flat(LABS),
}


@pytest.mark.parametrize("form", _FORMS)
def test_whatever_a_context_calls_it_it_says_the_same(form: str) -> None:
    value = _FORMS[form]
    assert formats.of_payload(value).name == "croissant"
    found = mapped(value)
    assert found.quads.decode().replace("_:creator", "") == quads(LABS)
    assert not found.liberties
    assert found.contents == mapped(LABS).contents


def test_nodes_that_refer_to_each_other_in_a_ring_come_to_an_end() -> None:
    twice = [{"@id": "a"}, {"@id": "b"}]
    nodes = [{"@id": each, "@type": "cr:Field", "name": each, "subField": twice} for each in "ab"]
    top = {**LABS, "recordSet": [{"@type": "cr:RecordSet", "@id": "r", "name": "r", "field": twice}]}
    assert len(mapped({"@context": LABS["@context"], "@graph": [top, *nodes]}).whole) < 200_000


def test_one_stands_for_a_list_of_it() -> None:
    one = {**LABS, "distribution": LABS["distribution"][:1]}
    assert quads({**one, "distribution": one["distribution"][0]}) == quads(one)
    assert quads({**LABS, "recordSet": LABS["recordSet"][0]}) == quads(LABS)


def test_a_name_that_means_something_else_is_not_read_as_usual() -> None:
    said = quads({**LABS, "@context": {**LABS["@context"], "description": "https://other.example/secret"}})
    assert LABS["description"] not in said


def test_of_several_languages_the_one_of_the_document_is_read() -> None:
    context = {**LABS["@context"], "name": {"@container": "@language"}, "@language": "de"}
    assert '"Blutzucker"' in quads({**LABS, "@context": context, "name": {"en": "glucose", "de": "Blutzucker"}})
    assert '"glucose"' in quads({**LABS, "@context": context, "name": {"en": "glucose", "fr": "glycémie"}})


def test_a_context_that_nobody_knows_is_told() -> None:
    found = mapped({**LABS, "@context": ["https://other.example/context.jsonld", LABS["@context"]]})
    assert [each.pointer for each in found.liberties] == ["/@context"]
    assert found.quads.decode() == quads(LABS)


def test_before_version_1_files_were_called_by_their_names() -> None:
    old = {
        "@context": {
            "@vocab": "https://schema.org/",
            "sc": "https://schema.org/",
            "ml": "http://mlcommons.org/schema/",
        },
        "@type": "sc:Dataset",
        "name": "old",
        "url": "https://old.example/data",
        "distribution": [
            {"@type": "sc:FileObject", "name": "a.zip", "contentUrl": "https://old.example/a.zip", "sha256": "ab" * 32},
            {"@type": "sc:FileObject", "name": "a.csv", "containedIn": "a.zip", "contentUrl": "a.csv"},
        ],
        "ml:recordSet": {
            "@type": "ml:RecordSet",
            "name": "rows",
            "ml:field": [{"name": "x", "ml:dataType": "sc:Text", "ml:source": {"ml:distribution": "a.csv"}}],
        },
    }
    assert formats.of_payload(old).name == "croissant"
    found = mapped(old)
    assert not found.liberties
    assert "/dataset/https%3A%2F%2Fold.example/data%2Fa.zip%2Fa.csv/write/" in found.quads.decode()
    assert b'"a.csv"' in found.contents[0].quads


def test_where_the_address_is_a_host_alone_the_dataset_has_its_name_there() -> None:
    assert f"<{BASE}/dataset/https%3A%2F%2Ffilms.example/films>" in quads({**FILMS, "url": "https://films.example/"})


#: A document with what needs more than columns: an enumeration, a file of files, a join, what is done to a value.
JOINED: dict[str, Any] = {
    "@context": FILMS["@context"],
    "@type": "sc:Dataset",
    "conformsTo": "http://mlcommons.org/croissant/1.1",
    "name": "scans",
    "description": "Scans and what is on them.",
    "url": "https://scans.example/scans",
    "license": "https://spdx.org/licenses/CC-BY-4.0",
    "citeAs": "@misc{scans}",
    "version": "1.0.0",
    "datePublished": "2026-01-15",
    "distribution": [
        {
            **{"@type": "cr:FileObject", "@id": "labels.csv", "name": "labels.csv", "encodingFormat": "text/csv"},
            **{"contentUrl": "https://scans.example/labels.csv", "sha256": "ab" * 32},
        },
        {
            **{"@type": "cr:FileObject", "@id": "all.zip", "name": "all.zip", "encodingFormat": "application/zip"},
            **{"contentUrl": "https://scans.example/all.zip", "sha256": "cd" * 32},
        },
        {
            **{"@type": "cr:FileSet", "@id": "images", "name": "images", "encodingFormat": "image/png"},
            **{"containedIn": {"@id": "all.zip"}, "includes": "*/*.png"},
        },
    ],
    "recordSet": [
        {
            **{"@type": "cr:RecordSet", "@id": "splits", "name": "splits", "dataType": "cr:Split"},
            "field": [{"@type": "cr:Field", "@id": "splits/name", "name": "name", "dataType": "sc:Text"}],
            "data": [{"splits/name": "train"}, {"splits/name": "test"}],
        },
        {
            **{"@type": "cr:RecordSet", "@id": "labels", "name": "labels"},
            "field": [
                {
                    **{"@type": "cr:Field", "@id": "labels/id", "name": "id", "dataType": "sc:Text"},
                    "source": {"fileObject": {"@id": "labels.csv"}, "extract": {"column": "scan"}},
                }
            ],
        },
        {
            **{"@type": "cr:RecordSet", "@id": "scans", "name": "the scans"},
            "field": [
                {
                    **{"@type": "cr:Field", "@id": "scans/id", "name": "id", "dataType": "sc:Text"},
                    "references": {"field": {"@id": "labels/id"}},
                    "source": {
                        **{"fileSet": {"@id": "images"}, "extract": {"fileProperty": "filename"}},
                        "transform": {"regex": "(.*)\\.png"},
                    },
                },
                {
                    **{"@type": "cr:Field", "@id": "scans/split", "name": "split", "dataType": "sc:Text"},
                    "references": {"field": {"@id": "splits/name"}},
                    "source": {
                        **{"fileSet": {"@id": "images"}, "extract": {"fileProperty": "fullpath"}},
                        "transform": {"regex": "(train|test)/.*"},
                    },
                },
                {
                    **{"@type": "cr:Field", "@id": "scans/label", "name": "label", "dataType": "sc:Text"},
                    "source": {"field": {"@id": "labels/id"}},
                },
            ],
        },
    ],
}


def test_enumerations_joins_and_where_values_are_from_go_out_as_they_came(tmp_path: Path) -> None:
    with store_in(tmp_path / "data") as store:
        store.ingest([sent(JOINED)])
        said = document(store, f"{BASE}/dataset/https%3A%2F%2Fscans.example/scans")
    want = copy.deepcopy(JOINED["recordSet"])
    del want[0]["dataType"]
    assert said["recordSet"] == want


def facet_of(value: Any) -> Any:
    (content,) = mapped(value).contents
    (text,) = [rdf.text_of(rdf.split(line)[2]) for line in content.quads.decode().splitlines() if "ns#json>" in line]
    return json.loads(text)


def test_a_column_of_another_record_set_is_told_with_its_file() -> None:
    label = facet_of(JOINED)["fields"][2]["fields"][2]
    assert label["source"] == {"file": "labels.csv", "column": "scan", "field": {"@id": "labels/id"}}


def test_records_of_an_enumeration_are_kept_where_they_are_few_and_nothing_is_said_of_them() -> None:
    many = copy.deepcopy(JOINED)
    many["recordSet"][0]["data"] *= 51
    assert "data" not in facet_of(many)["fields"][0]
    assert "data" in facet_of(JOINED)["fields"][0]
    assert b"MilliMOL" not in mapped(LABS).contents[0].quads


# --- out -------------------------------------------------------------------------------------------------------------

#: What does not come back: docs/formats.md tells so.
LOST = (
    "@context",
    "@id",
    "recordSet",
    "prov:wasGeneratedBy",
    "dateCreated",
    "dateModified",
    "usageInfo",
    "distribution",
)


def normal(value: Any) -> Any:
    """A document without what does not come back, one alone as a list, days as instants."""
    return {
        name: sorted(map(json.dumps, each if isinstance(each, list) else [each]))
        for name, each in value.items()
        if name not in LOST
    }


@pytest.mark.parametrize("source", [LABS, FILMS], ids=["labs", "films"])
def test_what_came_in_goes_out(source: dict[str, Any], tmp_path: Path) -> None:
    with store_in(tmp_path / "data") as store:
        store.ingest([sent(source)])
        said = document(store, f"{BASE}/dataset/{source['url'].replace('://', '%3A%2F%2F', 1)}")
    want = normal({**source, "conformsTo": VERSION, "datePublished": f"{source['datePublished']}T00:00:00Z"})
    if source is FILMS:
        want["license"] = ['"https://spdx.org/licenses/CC0-1.0"']
    assert normal(said) == want


@pytest.mark.parametrize("source", [LABS, FILMS], ids=["labs", "films"])
def test_what_went_out_comes_in_as_the_same(source: dict[str, Any], tmp_path: Path) -> None:
    dataset = f"{BASE}/dataset/{source['url'].replace('://', '%3A%2F%2F', 1)}"
    plain = copy.deepcopy(source)
    for each in plain["recordSet"]:
        each.pop("data", None)  # records do not go out
    with store_in(tmp_path / "one") as store:
        store.ingest([sent(plain)])
        first = document(store, dataset)
    with store_in(tmp_path / "two") as store:
        store.ingest([sent(first)])
        assert document(store, dataset) == first
        assert_sound(store)
    before, after = (set(quads(each).replace(mapped(each).record, "").splitlines()) for each in (plain, first))
    gone = {rdf.split(line)[1] for line in before - after}
    assert gone <= {"<https://w3id.org/provstore/ns#content>", "<http://purl.org/dc/terms/identifier>"}


def test_a_table_of_a_pipeline_goes_out(tmp_path: Path) -> None:
    with serving(tmp_path / "data", verb="demo") as server:
        table = f"{BASE}/dataset/warehouse%3A%2F%2Fbank/customer_risk_score"
        reply = server.http.get("/entity", params={"iri": table, "format": "croissant"})
        assert reply.headers["content-type"] == f'application/ld+json; profile="{VERSION}"'
        said = reply.json()
        missing = server.http.get("/entity", params={"iri": f"{BASE}/dataset/no/such", "format": "croissant"})
    assert missing.status_code == 404
    assert said["isLiveDataset"] is True
    assert {each["@id"] for each in said["prov:wasDerivedFrom"]} >= {"feast://bank/customer_features"}
    (records,) = said["recordSet"]
    assert {each["name"] for each in records["field"]} >= {"age_band"}
    assert all(each["source"]["fileObject"]["@id"] == "customer_risk_score" for each in records["field"])


def test_of_what_is_no_dataset_there_is_no_document(tmp_path: Path) -> None:
    with store_in(tmp_path / "data") as store:
        store.ingest([sent(FILMS)])
        with pytest.raises(NotFound):
            document(store, f"{BASE}/agent/org/Film%20Club")


@pytest.mark.slow
def test_the_tool_of_croissant_finds_no_fault(tmp_path: Path) -> None:
    for name, source in (("labs", LABS), ("films", FILMS), ("scans", JOINED)):
        with store_in(tmp_path / name) as store:
            store.ingest([sent(source)])
            said = document(store, f"{BASE}/dataset/{source['url'].replace('://', '%3A%2F%2F', 1)}")
        (tmp_path / f"{name}.json").write_text(json.dumps(said))
        stand_in = {"PYTHONPATH": str(ROOT / "tests" / "emitters" / "croissant")}
        done = ran("croissant", tmp_path, stand_in, "mlcroissant", "validate", "--jsonld", tmp_path / f"{name}.json")
        assert "Done." in done.stderr


def test_a_document_is_taken_by_its_own_media_type_and_by_what_is_in_it(tmp_path: Path) -> None:
    body = json.dumps(FILMS).encode()
    with serving(tmp_path / "data") as server:
        for kind in ("application/json", f'application/ld+json; profile="{VERSION}"'):
            reply = server.http.post("/records", content=body, headers={"Content-Type": kind})
            assert reply.status_code in (200, 201), reply.text
            record = reply.json()["record"]
            assert server.http.get(f"/records/{record.rpartition('/')[2]}").json()["adapter"] == "croissant/1"


def test_the_command_line_writes_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, target = str(tmp_path / "data"), tmp_path / "films.json"
    with store_in(tmp_path / "data") as store:
        store.ingest([sent(FILMS)])
    films = f"{BASE}/dataset/https%3A%2F%2Ffilms.example/films"
    assert main(["export", str(target), "--croissant", films, "--data", data]) == 0
    assert capsys.readouterr().out == f"{target}: {films} as a Croissant document\n"
    assert json.loads(target.read_text())["name"] == "films"
    assert main(["export", "-", "--croissant", films, "--data", data]) == 0
    assert capsys.readouterr().out == target.read_text()
    assert main(["export", str(target), "--croissant", films, "--data", data]) == 2  # nothing is written over
    assert main(["export", "-", "--croissant", f"{BASE}/dataset/no/such", "--data", data]) == 2
    assert main(["export", "-", "--croissant", films, "--all", "--data", data]) == 2


def test_a_document_of_many_columns_and_files_is_taken() -> None:
    value = copy.deepcopy(LABS)
    value["recordSet"][0]["field"] = [{"name": f"c{n}", "dataType": "sc:Text"} for n in range(5000)]
    value["distribution"] = [
        {"@id": f"f{n}", "contentUrl": f"https://x.example/f{n}", "sha256": f"{n:064x}"} for n in range(1, 3000)
    ]
    found = mapped(value)
    assert found.quads.count(b"#Bytes>") == 2999
    assert found.contents[0].quads.count(b"ns#name>") == 5000
