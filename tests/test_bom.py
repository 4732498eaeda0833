"""Supply-chain documents that their communities' own libraries made, as records, and in one graph with what ran."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from provstore.capture import bom, formats
from provstore.core import intake
from provstore.errors import InvalidInput, Unmappable, UnsupportedMedia
from provstore.model import Submission
from tests import environments
from tests.histories_of_dvc import asked
from tests.servers import command
from tests.stores import BASE, assert_sound, store_in

_FOLDER = Path(__file__).parent / "fixtures" / "bom"
_FORMATS = {"statement": "statement", "envelope": "statement", "cyclonedx": "cyclonedx", "spdx": "spdx"}
_RUBBISH = [1, "x", [1], {"x": 1}, None, [None], [[]], [{"type": 1}], True]


def _document(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((_FOLDER / f"{name}.json").read_text())
    return found


def _submission(value: dict[str, Any]) -> Submission:
    form = formats.of_payload(value)
    mapped = form.map(value, base=BASE)
    return Submission(json.dumps(value).encode(), form.media_types[0], "tests", mapped)


def test_the_documents_are_what_the_libraries_make() -> None:
    """Pinned in tests/emitters/bom.txt; to move on, write what tests/emitters/bom.py prints to the fixtures."""
    program = environments.programs("bom") / "python"
    line = [program, environments.PINS / "bom.py"]
    done = subprocess.run(line, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {name: _document(name) for name in _FORMATS}


@pytest.mark.parametrize("name", _FORMATS)
def test_a_document_becomes_exactly_this_record(name: str) -> None:
    value = _document(name)
    form = formats.of_payload(value)
    mapped = form.map(value, base=BASE)
    assert form.name == _FORMATS[name]
    assert mapped.quads.decode() == (_FOLDER / f"{name}.nq").read_text()
    assert [each.pointer for each in mapped.liberties] == (["/signatures/0"] if name == "envelope" else [])


def test_one_file_that_four_documents_tell_of_is_one_thing_and_lineage_goes_through_it(tmp_path: Path) -> None:
    with store_in(tmp_path / "store") as store:
        store.ingest([_submission(_document(name)) for name in _FORMATS])
        same = asked(
            store,
            """SELECT ?kind (COUNT(DISTINCT ?thing) AS ?n) { ?model ps:bytes ?bytes . ?model a ps:ModelVersion .
               ?thing ps:bytes ?bytes ; a ?kind FILTER(?kind IN (ps:ModelVersion, ps:WriteState)) } GROUP BY ?kind""",
        )
        learned = asked(
            store,
            """SELECT DISTINCT ?role { ?model a ps:ModelVersion ; prov:wasDerivedFrom ?state . ?state ps:bytes ?bytes .
               ?run prov:qualifiedUsage ?u . ?u prov:entity ?state ; prov:hadRole ?role }""",
        )
        built = asked(
            store,
            """SELECT ?basis { ?w prov:specializationOf/ps:name "models/credit.onnx" ;
               prov:qualifiedDerivation ?d . ?d ps:basis ?basis ; prov:entity/prov:specializationOf/ps:name ?n }""",
        )
        signed = asked(store, "SELECT ?id { ?s a ps:Signature ; dct:identifier ?id }")
        assert_sound(store)
    # the model of the bill of materials, that of SPDX, and the file that the build wrote have the same bytes
    assert {(kind.partition("#")[2], n) for kind, n in same} == {("ModelVersion", "2"), ("WriteState", "1")}
    assert {role.rpartition("#")[2] for (role,) in learned} == {"TrainingData"}
    assert {basis.partition("#")[2] for (basis,) in built} == {"SingleInput"}
    assert len(signed) == 1


def test_files_are_recognised_by_the_command_line(tmp_path: Path) -> None:
    done = command("ingest", *(_FOLDER / f"{name}.json" for name in _FORMATS), settings={"data": tmp_path / "store"})
    assert (done.returncode, done.stdout) == (0, b"4 taken, 0 duplicate, 0 refused\n"), done.stderr


@pytest.mark.parametrize("rubbish", _RUBBISH, ids=str)
@pytest.mark.parametrize("name", ["statement", "cyclonedx", "spdx"])
def test_rubbish_in_any_place_is_reported_or_refused_and_nothing_else(name: str, rubbish: object) -> None:
    document = _document(name)
    form = formats.of_payload(document)
    tried = 0
    for value in _spoilt(document, rubbish):
        tried += 1
        try:
            form.map(value, base=BASE)
        except InvalidInput:
            continue
    assert tried > 30


def _spoilt(value: Any, rubbish: object) -> Any:
    """The document with each of its members replaced in turn."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in list(pairs):
        for each in (rubbish, *_spoilt(inner, rubbish)):
            copy = dict(value) if isinstance(value, dict) else list(value)
            copy[key] = each
            yield copy


@pytest.mark.parametrize(
    ("text", "kind"), [("0.91", "double"), ("-1e-3", "double"), ("91 %", ""), ("nan", ""), ("1_0", ""), ("", "")]
)
def test_a_measured_value_is_a_number_where_it_is_one(text: str, kind: str) -> None:
    assert bom.number(text) == (f'"{text}"^^<http://www.w3.org/2001/XMLSchema#double>' if kind else f'"{text}"')


# --- what each has of its own ----------------------------------------------------------------------------------------


def _told(value: dict[str, Any]) -> tuple[str, list[str]]:
    mapped = formats.of_payload(value).map(value, base=BASE)
    return mapped.quads.decode(), [each.message for each in mapped.liberties]


def test_datasets_told_within_a_card_are_data_that_the_model_learned_from() -> None:
    card: Any = {"modelParameters": {"datasets": [{"type": "dataset", "name": "inline"}, {"ref": "nowhere"}]}}
    model = {"type": "machine-learning-model", "name": "m", "hashes": [{"alg": "SHA-256", "content": "ab" * 32}]}
    quads, notes = _told({"bomFormat": "CycloneDX", "components": [{**model, "modelCard": card}]})
    assert "/inline/read/" in quads
    card["modelParameters"]["datasets"][0] |= {
        "contents": {"url": "https://data.example/a.csv"},
        "classification": "PII",
    }
    at_address, _ = _told({"bomFormat": "CycloneDX", "components": [{**model, "modelCard": card}]})
    assert "/dataset/https%3A%2F%2Fdata.example/a.csv/read/" in at_address
    assert '"PII"' in at_address
    assert f"/version/{'ab' * 32}> <http://www.w3.org/ns/prov#wasDerivedFrom>" in quads
    assert notes == ["left out: no component is called 'nowhere'"]


def test_tasks_are_parts_of_their_workflow_and_a_task_made_what_it_put_out() -> None:
    task = {"uid": "fit", "outputs": [{"resource": {"ref": "m"}}]}
    flow = {"uid": "urn:uuid:5D4C3B2A-0000-4000-8000-000000000001", "tasks": [task]}
    quads, _ = _told(
        {
            "bomFormat": "CycloneDX",
            "components": [{"type": "machine-learning-model", "name": "m", "bom-ref": "m"}],
            "formulation": [{"workflows": [flow]}],
        }
    )
    fit = bom.run_id("workflow", "", "fit")
    assert (
        f"<urn:uuid:{fit}> <http://purl.org/dc/terms/isPartOf> <urn:uuid:5d4c3b2a-0000-4000-8000-000000000001>" in quads
    )
    assert f"/version/unknown> <http://www.w3.org/ns/prov#wasGeneratedBy> <urn:uuid:{fit}>" in quads


def test_a_build_of_spdx_is_a_run_that_read_and_made() -> None:
    context = "https://spdx.org/rdf/3.0.1/spdx-context.jsonld"
    build = {
        "type": "build_Build",
        "spdxId": "urn:example:build",
        "build_buildType": "https://ml.example/train",
        "build_buildStartTime": "2026-03-10T12:00:00Z",
        "build_parameter": [{"type": "DictionaryEntry", "key": "rate", "value": "0.05"}],
    }
    data = {"type": "dataset_DatasetPackage", "spdxId": "urn:example:d", "name": "d"}
    model = {"type": "ai_AIPackage", "spdxId": "urn:example:m", "name": "m"}
    link = {"type": "Relationship", "from": "urn:example:build"}
    graph = [
        *(build, data, model),
        {**link, "spdxId": "urn:r1", "relationshipType": "hasInput", "to": ["urn:example:d"]},
        {**link, "spdxId": "urn:r2", "relationshipType": "hasOutput", "to": ["urn:example:m"]},
        {**link, "spdxId": "urn:r3", "relationshipType": "amendedBy", "to": ["urn:example:m"]},
    ]
    quads, notes = _told({"@context": context, "@graph": graph})
    run = f"<urn:uuid:{bom.run_id('build', 'urn:example:build')}>"
    assert f"<urn:example:m> <http://www.w3.org/ns/prov#wasGeneratedBy> {run}" in quads
    assert f"{run} <http://www.w3.org/ns/prov#used> <{BASE}/dataset/spdx/d/read/" in quads
    assert notes == ["not mapped: amendedBy here"]


def _spdx(*graph: dict[str, Any]) -> tuple[str, list[str]]:
    return _told({"@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld", "@graph": list(graph)})


def test_a_file_that_was_trained_on_a_file_is_a_model() -> None:
    """As the examples that SPDX publishes have it: no AI package stands between model.bin and train.csv."""
    model, data, script = (
        {"type": "software_File", "spdxId": f"urn:example:{name}", "name": name}
        for name in ("m.bin", "train.csv", "t.py")
    )
    link = {"type": "Relationship", "from": "urn:example:m.bin", "to": ["urn:example:train.csv"]}
    quads, notes = _spdx(
        *(model, data, script),
        {**link, "spdxId": "urn:r1", "relationshipType": "trainedOn"},
        {**link, "spdxId": "urn:r2", "relationshipType": "generates", "from": "urn:example:t.py"},
        {**link, "spdxId": "urn:r3", "relationshipType": "contains", "from": "urn:elsewhere:p"},
    )
    assert not notes
    assert "<urn:example:m.bin> <http://www.w3.org/ns/prov#wasDerivedFrom> <urn:example:train.csv>" in quads
    assert (
        "<urn:example:m.bin> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <https://w3id.org/provstore/ns#Model"
        in quads
    )
    assert "<urn:example:train.csv> <https://w3id.org/provstore/ns#possiblyDerivedFrom> <urn:example:t.py>" in quads
    assert "<urn:elsewhere:p> <http://purl.org/dc/terms/hasPart> <urn:example:train.csv>" in quads


def test_licences_are_elements_of_spdx_or_addresses_of_its_list() -> None:
    license_ = {"type": "simplelicensing_LicenseExpression", "spdxId": "urn:example:l"}
    link = {"type": "Relationship", "from": "urn:example:f", "relationshipType": "hasDeclaredLicense"}
    quads, notes = _spdx(
        {"type": "software_File", "spdxId": "urn:example:f", "name": "f"},
        {**license_, "simplelicensing_licenseExpression": "MIT"},
        {**link, "spdxId": "urn:r1", "to": ["urn:example:l", "https://spdx.org/licenses/CC0-1.0"]},
        {**link, "spdxId": "urn:r2", "to": ["https://spdx.org/rdf/3.0.1/terms/Core/NoAssertion"]},
    )
    assert not notes
    licenses = {line.split(" ")[2] for line in quads.splitlines() if "dc/terms/license>" in line}
    assert licenses == {"<https://spdx.org/licenses/MIT>", "<https://spdx.org/licenses/CC0-1.0>"}


def test_energy_is_told_by_both() -> None:
    used = {"ai_trainingEnergyConsumption": [{"ai_energyQuantity": "1.5", "ai_energyUnit": "kilowattHour"}]}
    by_spdx, _ = _spdx({"type": "ai_AIPackage", "spdxId": "urn:example:m", "name": "m", "ai_energyConsumption": used})
    cost = {"activity": "training", "activityEnergyCost": {"value": 1.5, "unit": "kWh"}}
    card = {"considerations": {"environmentalConsiderations": {"energyConsumptions": [cost]}}}
    model = {"type": "machine-learning-model", "name": "m", "modelCard": card}
    by_cyclonedx, _ = _told({"bomFormat": "CycloneDX", "components": [model]})
    for quads, words in ((by_spdx, "1.5 kilowattHour"), (by_cyclonedx, "1.5 kWh")):
        assert '"energy consumption of training"' in quads
        assert f'"{words}"' in quads


@pytest.mark.parametrize("tools", [[{"name": "t", "version": "1"}], {"components": [{"name": "t", "version": "1"}]}])
def test_the_tools_that_made_a_document_are_its_authors(tools: object) -> None:
    quads, notes = _told({"bomFormat": "CycloneDX", "specVersion": "1.4", "metadata": {"tools": tools}})
    assert not notes
    assert f"<http://www.w3.org/ns/prov#wasAttributedTo> <{BASE}/agent/software/t%401>" in quads


def test_what_a_workflow_read_may_be_told_by_its_address_and_its_parameters_are_kept() -> None:
    outside = {"externalReference": {"type": "distribution", "url": "https://data.example/a.csv"}}
    inputs = [{"resource": outside}, {"parameters": [{"name": "rate", "value": "0.1"}]}]
    flow = {"uid": "w", "inputs": inputs}
    quads, notes = _told({"bomFormat": "CycloneDX", "specVersion": "1.8", "formulation": [{"workflows": [flow]}]})
    assert "/dataset/https%3A%2F%2Fdata.example/a.csv/read/" in quads
    assert '"rate"' in quads
    assert notes == ["'1.8' is not known; read as 1.7"]


@pytest.mark.parametrize(
    ("form", "value", "pointer"),
    [
        ("spdx", {"spdxVersion": "SPDX-2.3"}, "/spdxVersion"),
        ("spdx", {"@context": {"ai": "https://spdx.org/rdf/AI/"}}, "/@context"),
        ("cyclonedx", {"components": []}, "/bomFormat"),
    ],
)
def test_what_is_of_another_version_is_refused_and_not_taken_for_nothing(
    form: str, value: dict[str, Any], pointer: str
) -> None:
    named = formats.named(form)
    assert named
    with pytest.raises(Unmappable) as caught:
        named.map(value, base=BASE)
    assert caught.value.pointer == pointer


def test_other_forms_of_the_same_are_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "bom.xml").write_text('<bom xmlns="http://cyclonedx.org/schema/bom/1.6"/>')
    (tmp_path / "old.spdx").write_text("SPDXVersion: SPDX-2.3")
    (tmp_path / "old.json").write_text('{"spdxVersion": "SPDX-2.3"}')
    for name, wanted in (
        (("bom.xml",), b"cyclonedx convert"),
        (("bom.xml", "--format", "cyclonedx"), b"cyclonedx convert"),
        (("old.spdx",), b"SPDX 3 in JSON-LD"),
        (("old.json",), b"SPDX 3 in JSON-LD"),
    ):
        done = command("ingest", tmp_path / name[0], *name[1:], settings={"data": tmp_path / "store"})
        assert (done.returncode, wanted in done.stderr) == (1, True), done.stderr
    with pytest.raises(UnsupportedMedia, match="cyclonedx convert"):
        intake.check_media_type("application/vnd.cyclonedx+xml")
