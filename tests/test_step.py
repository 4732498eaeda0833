"""Recorded steps: what a payload of `step/1` becomes, what is tolerated in it, and what is refused."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import fastjsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provstore import iris, rdf
from provstore.capture import formats
from provstore.capture.step import map_payload
from provstore.core import ProvStore
from provstore.errors import InvalidInput, Unmappable
from provstore.model import Mapped, Submission
from provstore.observe import environment
from provstore.vocab import AI, DCT, PROV, PS
from tests.stores import BASE, assert_sound, lines, store_in
from tests.suites import ROOT

RUN = "7b0ad9a0-6f6e-4d84-9c5e-0d3d5f8c1a01"
ME = f"<urn:uuid:{RUN}>"
ONE, TWO = (hashlib.sha256(each).hexdigest() for each in (b"1", b"2"))
SCHEMA = json.loads((ROOT / "docs" / "step-1.schema.json").read_text())
conforms = fastjsonschema.compile(SCHEMA)


def payload(**members: Any) -> dict[str, Any]:
    """A step that completed, with what a test wants to say of it."""
    whole = {
        "provstore": "step/1",
        "id": RUN,
        "name": "clean",
        "namespace": "shop",
        "start": "2026-03-01T08:00:00Z",
        "end": "2026-03-01T08:05:00Z",
        **members,
    }
    return {name: value for name, value in whole.items() if value is not None}


def said(mapped: Mapped) -> set[tuple[str, str, str]]:
    return {rdf.split(line)[:3] for line in mapped.quads.decode().splitlines()}


def stated(**members: Any) -> set[tuple[str, str, str]]:
    """The triples of a step that conforms to the schema and needs no liberty."""
    whole = payload(**members)
    conforms(whole)
    mapped = map_payload(whole, base=BASE)
    assert mapped.liberties == ()
    return said(mapped)


def read(name: str, namespace: str = "file", run: str = RUN) -> str:
    return f"<{iris.read_state(iris.dataset(BASE, namespace, name), run)}>"


def write(name: str, namespace: str = "file", run: str = RUN) -> str:
    return f"<{iris.write_state(iris.dataset(BASE, namespace, name), run)}>"


def of(triples: set[tuple[str, str, str]], predicate: str, subject: str | None = None) -> set[str]:
    return {o for s, p, o in triples if p == predicate and subject in (None, s)}


def test_a_step_is_a_run_of_a_job_with_a_beginning_and_an_end() -> None:
    triples = stated(kind="training", description="takes out empty rows", parent={"id": RUN[:-1] + "2"})
    assert (ME, PS.job, f"<{iris.job(BASE, 'shop', 'clean')}>") in triples
    assert of(triples, PROV.startedAtTime, ME) == {rdf.date_time("2026-03-01T08:00:00Z")}
    assert of(triples, PROV.endedAtTime, ME) == {rdf.date_time("2026-03-01T08:05:00Z")}
    assert of(triples, DCT.isPartOf, ME) == {f"<urn:uuid:{RUN[:-1]}2>"}
    types = {o for s, p, o in triples if s == ME and p.endswith("#type>")}
    assert types == {PROV.Activity, PS.Run, PS.TrainingRun}
    assert of(triples, PS.eventType) == {PS.COMPLETE}


def test_what_is_generated_comes_from_what_was_used_as_material() -> None:
    triples = stated(
        used=[
            {"type": "file", "name": "/raw.csv", "sha256": ONE, "size": 1},
            {"type": "file", "name": "/train.csv", "role": "training"},
            {"type": "file", "name": "/test.csv", "role": "testing"},
            {"type": "file", "name": "/conf.yaml", "role": "configuration"},
        ],
        generated=[{"type": "file", "name": "/clean.csv", "sha256": TWO, "md5": "0" * 32, "rows": 3}],
    )
    made = write("/clean.csv")
    assert of(triples, PROV.wasDerivedFrom, made) == {read("/raw.csv"), read("/train.csv")}
    assert of(triples, PROV.wasInfluencedBy, made) == {read("/test.csv")}
    assert of(triples, PS.possiblyDerivedFrom, made) == {read("/conf.yaml")}
    assert of(triples, PROV.used, ME) == {read(name) for name in ("/raw.csv", "/train.csv", "/test.csv", "/conf.yaml")}
    roles = {o for s, p, o in triples if p == PROV.hadRole}
    assert roles == {PS.inputItem, AI.TrainingData, AI.TestingData, f"<{BASE}/role/configuration>"}
    assert of(triples, PS.bytes, made) == {f"<{iris.content_bytes(BASE, 'sha256', TWO)}>"}
    assert of(triples, PS.writeMode, made) == {PS.Overwrite}


def test_from_says_it_instead() -> None:
    triples = stated(
        used=[{"name": "/a"}, {"name": "/b"}],
        generated=[{"name": "/c", "from": ["/used/1"]}, {"name": "/d", "from": ["/generated/0"]}],
    )
    assert of(triples, PROV.wasDerivedFrom, write("/c")) == {read("/b")}
    assert of(triples, PROV.wasDerivedFrom, write("/d")) == {write("/c")}


def test_a_step_that_failed_generated_only_what_is_proven() -> None:
    triples = stated(
        state="FAIL",
        error="ValueError",
        used=[{"name": "/a"}],
        generated=[
            {"name": "/half.csv", "sha256": ONE, "partial": True},
            {"name": "/whole.csv", "intended": True},
            {"type": "table", "namespace": "db", "name": "scores"},
            {"type": "prediction", "key": "p1"},
        ],
    )
    assert of(triples, PROV.wasGeneratedBy) == {ME}
    assert {s for s, p, _ in triples if p == PROV.wasGeneratedBy} == {write("/half.csv")}
    intended = {("file", "/whole.csv"), ("db", "scores")}
    assert of(triples, PS.intendedOutput, ME) == {f"<{iris.dataset(BASE, *each)}>" for each in intended}
    assert of(triples, PS.message, ME) == {'"ValueError"'}


def test_tables_urls_and_frames_are_datasets_of_their_namespaces() -> None:
    triples = stated(
        used=[
            {"type": "table", "namespace": "warehouse://bank", "name": "scores", "version": "12"},
            {"type": "url", "namespace": "s3://raw", "name": "2026/a.csv"},
            {"type": "frame", "name": "features", "sha256": ONE, "columns": [{"name": "age", "type": "int64"}]},
        ],
        generated=[{"type": "table", "namespace": "warehouse://bank", "name": "scores", "mode": "APPEND"}],
    )
    table = read("scores", "warehouse://bank")
    assert f"<{iris.version(iris.dataset(BASE, 'warehouse://bank', 'scores'), '12')}>" in of(
        triples, PROV.specializationOf, table
    )
    assert of(triples, PS.writeMode, write("scores", "warehouse://bank")) == {PS.Append}
    frame = read("features", "shop")
    assert of(triples, PS.field, frame) == {f"{frame[:-1]}/field/age>"}
    assert read("2026/a.csv", "s3://raw") in of(triples, PROV.used, ME)


def test_one_dataset_used_with_two_contents_is_two_states() -> None:
    twice = [{"name": "/a", "sha256": ONE}, {"name": "/a", "sha256": ONE, "role": "validation"}]
    triples = stated(used=[*twice, {"name": "/a", "sha256": TWO}])
    second = read("/a", run=f"{RUN}/2")
    assert of(triples, PROV.used, ME) == {read("/a"), second}
    assert of(triples, PS.sha256, second) == {f'"{TWO}"'}
    nodes = {s for s, p, o in triples if p == PROV.entity and o == read("/a")}
    assert len(nodes) == 1
    assert of(triples, PROV.hadRole, nodes.pop()) == {PS.inputItem, AI.ValidationData}


def test_models_are_called_as_mlflow_calls_them_or_are_files() -> None:
    triples = stated(
        kind="inference",
        used=[
            {"type": "model", "uri": "models:/m-0123456789abcdef0123456789abcdef", "role": "model"},
            {"type": "model", "uri": "models:/risk/3", "server": "https://mlflow.example"},
            {"type": "item", "key": "app-1", "namespace": "loans", "subject": "p-77"},
        ],
        generated=[
            {"type": "prediction", "key": "https://prov.example/prediction/1", "value": 0.25},
            {"type": "decision", "key": "d1", "value": {"commitment": f"hmac-sha256:{ONE}"}, "from": ["/generated/0"]},
            {"type": "model", "name": "/model.pkl", "sha256": TWO, "label": "risk"},
        ],
    )
    logged = f"<{BASE}/modelversion/m-0123456789abcdef0123456789abcdef>"
    numbered = f"<{BASE}/model/https%3A%2F%2Fmlflow.example/risk/version/3>"
    item, prediction = f"<{BASE}/item/loans/app-1>", "<https://prov.example/prediction/1>"
    assert of(triples, PROV.wasDerivedFrom, prediction) == {logged, numbered, item}
    assert of(triples, PROV.value, prediction) == {'"0.25"^^<http://www.w3.org/2001/XMLSchema#double>'}
    decision = f"<{BASE}/item/shop/d1>"
    assert of(triples, PROV.wasDerivedFrom, decision) == {prediction}
    assert of(triples, PS.commitment, decision) == {f'"hmac-sha256:{ONE}"'}
    assert of(triples, PS.subject, item) == {f"<{BASE}/subject/p-77>"}
    assert (write("/model.pkl"), rdf_type(), PS.ModelVersion) in triples


def rdf_type() -> str:
    return "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>"


def test_an_alias_names_no_model_that_could_be_known_again() -> None:
    mapped = map_payload(payload(used=[{"type": "model", "uri": "models:/risk@champion"}]), base=BASE)
    assert [each.pointer for each in mapped.liberties] == ["/used/0/uri"]
    (node,) = of(said(mapped), PROV.used, ME)
    assert (node, rdf_type(), PS.UnresolvedRead) in said(mapped)


def test_surroundings() -> None:
    listing = environment.listing("3.12.1", "cpython", "Linux-x86_64", ("b==1", "a==2"))
    digest = hashlib.sha256(listing.encode()).hexdigest()
    triples = stated(
        agents=[{"id": "ana", "role": "author", "name": "Ana"}, {"id": "root", "kind": "person", "selfAsserted": True}],
        code={
            "commit": "a" * 40,
            "dirty": True,
            "diffSha256": ONE,
            "repository": "https://git.example/a",
            "path": "t.py",
        },
        environment={
            "sha256": digest,
            "python": "3.12.1",
            "implementation": "cpython",
            "platform": "Linux-x86_64",
            "packages": ["b==1", "a==2"],
        },
        machine={"cpu": "EPYC", "cores": 8, "gpus": ["A", "B"]},
        parameters={"depth": 6, "names": ["x"], "on": True, "off": None},
        seeds={"numpy": 7},
        redacted=["/parameters/password"],
        producer="acme/2",
    )
    code = f"<{BASE}/code/{'a' * 40}/{ONE}>"
    place = f"<{BASE}/environment/{digest}>"
    assert {code, place} <= of(triples, PROV.used, ME)
    assert of(triples, PROV.wasDerivedFrom, code) == {f"<urn:swh:1:rev:{'a' * 40}>"}
    assert "a==2" in next(iter(of(triples, DCT.description, place)))
    assert of(triples, PS.value) == {'"6"', '"[\\"x\\"]"', '"true"', '"null"', '"7"'}
    assert {'"depth"', '"seed.numpy"'} < of(triples, PS.key)
    assert of(triples, PROV.wasAssociatedWith, ME) == {f"<{BASE}/agent/person/{name}>" for name in ("ana", "root")}
    assert of(triples, PS.selfAsserted) == {rdf.boolean(True)}
    assert of(triples, PS.redacted) == {'"/parameters/password"'}
    assert of(triples, PROV.wasAttributedTo) == {f"<{BASE}/agent/software/acme%2F2>"}


def test_measurements_are_of_a_model_on_data_by_slice() -> None:
    triples = stated(
        kind="evaluation",
        used=[{"type": "model", "name": "/m.pkl", "role": "model"}, {"name": "/test.csv", "role": "testing"}],
        measurements=[
            {"metric": "accuracy", "value": 0.5, "on": "/used/1"},
            {"metric": "accuracy", "value": 0.25, "on": "/used/1", "slice": {"age": "under 25", "sex": "f"}},
            {"metric": "rows", "value": 9, "of": "/used/1"},
        ],
    )
    nodes = {s for s, p, o in triples if p == "<http://www.w3.org/ns/dqv#computedOn>" and o == read("/m.pkl")}
    assert len(nodes) == 2
    (slice_,) = of(triples, PS.onSlice)
    assert of(triples, PROV.value, slice_) == {'"age=under 25, sex=f"'}
    assert of(triples, PROV.wasDerivedFrom, slice_) == {read("/test.csv")}
    assert of(triples, PS.onDataset) == {read("/test.csv")}


@pytest.mark.parametrize(
    ("members", "pointer"),
    [
        ({"id": None}, "/id"),
        ({"id": ""}, "/id"),
        ({"name": None}, "/name"),
        ({"end": None}, "/end"),
        ({"end": "soon"}, "/end"),
        ({"state": "DONE"}, "/state"),
        ({"provstore": "step/2"}, "/provstore"),
        ({"parent": {"id": []}}, "/parent/id"),
    ],
)
def test_what_a_step_cannot_do_without(members: dict[str, Any], pointer: str) -> None:
    with pytest.raises(Unmappable) as caught:
        map_payload(payload(**members), base=BASE)
    assert caught.value.pointer == pointer


@pytest.mark.parametrize(
    ("members", "pointer"),
    [
        ({"uses": []}, "/uses"),
        ({"used": {"a": 1}}, "/used"),
        ({"used": ["/a"]}, "/used/0"),
        ({"used": [{"type": "file"}]}, "/used/0"),
        ({"used": [{"type": "fyle", "name": "/a"}]}, "/used/0/type"),
        ({"used": [{"name": "/a", "sha265": ONE}]}, "/used/0/sha265"),
        ({"used": [{"name": "/a", "sha256": "beef"}]}, "/used/0/sha256"),
        ({"used": [{"name": "/a", "size": "1"}]}, "/used/0/size"),
        ({"used": [{"name": "/a", "unread": "not a regular file"}]}, "/used/0"),
        ({"generated": [{"name": "/a", "mode": "REPLACE"}]}, "/generated/0/mode"),
        ({"generated": [{"name": "/a", "from": ["/used/7"]}]}, "/generated/0/from/0"),
        ({"generated": [{"name": "/a", "from": []}]}, "/generated/0/from"),
        ({"used": [{"type": "item", "key": "k", "value": {"x": 1}}]}, "/used/0/value"),
        ({"used": [{"type": "model", "uri": "models:/risk/3"}]}, "/used/0/uri"),
        ({"kind": "dance"}, "/kind"),
        ({"agents": [{"kind": "robot", "id": "r"}]}, "/agents/0"),
        ({"code": {"commit": "main"}}, "/code/commit"),
        ({"code": {"commit": "a" * 40, "diffSha256": "x"}}, "/code/diffSha256"),
        ({"environment": {"sha256": "x"}}, "/environment/sha256"),
        ({"environment": {"sha256": ONE, "packages": ["a==1"]}}, "/environment"),
        ({"machine": {"cpu": {"a": 1}}}, "/machine/cpu"),
        ({"measurements": [{"metric": "m"}]}, "/measurements/0"),
        ({"measurements": [{"metric": "m", "value": 1, "of": "/used/0"}]}, "/measurements/0/of"),
        ({"parent": {"id": RUN}}, "/parent"),
        ({"id": "job-7"}, "/id"),
    ],
)
def test_what_is_amiss_is_told_and_the_rest_taken(members: dict[str, Any], pointer: str) -> None:
    mapped = map_payload(payload(**members), base=BASE)
    assert pointer in [each.pointer for each in mapped.liberties]
    assert any(p == PS.job for _, p, _ in said(mapped))


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(sorted(SCHEMA["properties"])), _JSON), st.data())
@settings(max_examples=150)
def test_anything_is_mapped_or_plainly_refused(members: dict[str, Any], data: st.DataObject) -> None:
    whole = payload(**members)
    thing = st.dictionaries(st.sampled_from(["type", "name", "sha256", "role", "uri"]), _JSON)
    if isinstance(whole.get("used"), list):
        whole["used"].append(data.draw(thing))
    with suppress(InvalidInput):
        mapped = map_payload(whole, base=BASE)
        assert mapped == map_payload(json.loads(json.dumps(whole)), base=BASE)


def test_the_schema_and_the_adapter_know_the_same_members() -> None:
    from provstore.capture.step import KINDS, MEMBERS, STATES
    from provstore.capture.step.things import TYPES

    assert set(SCHEMA["properties"]) == MEMBERS
    assert set(SCHEMA["properties"]["kind"]["enum"]) == set(KINDS)
    assert set(SCHEMA["properties"]["state"]["enum"]) == set(STATES)
    assert set(SCHEMA["$defs"]["thing"]["properties"]["type"]["enum"]) == set(TYPES)
    members = {name for names in TYPES.values() for name in names}
    assert set(SCHEMA["$defs"]["thing"]["properties"]) == members | {"type", "role", "label"}
    assert set(SCHEMA["$defs"]["made"]["properties"]) == {"from", "intended", "partial"}


def submission(**members: Any) -> Submission:
    whole = payload(**members)
    form = formats.of_payload(whole)
    assert form.name == "step"
    return Submission(json.dumps(whole).encode(), form.media_types[0], "tests", form.map(whole, base=BASE))


def chain() -> list[Submission]:
    """Two steps, the second of which uses under another name what the first generated, and one that failed."""
    second = RUN[:-1] + "2"
    return [
        submission(used=[{"name": "/raw.csv", "sha256": ONE}], generated=[{"name": "/clean.csv", "sha256": TWO}]),
        submission(
            id=second,
            kind="training",
            start="2026-03-01T09:00:00Z",
            end="2026-03-01T09:30:00Z",
            used=[{"name": "/copy.csv", "sha256": TWO, "role": "training"}, {"name": "/other.csv"}],
            generated=[{"type": "model", "name": "/m.pkl", "sha256": hashlib.sha256(b"3").hexdigest()}],
        ),
        submission(id=RUN[:-1] + "3", state="FAIL", generated=[{"name": "/x", "sha256": ONE, "partial": True}]),
    ]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0)])
def test_steps_join_by_their_bytes(tmp_path: Path, order: tuple[int, ...]) -> None:
    second = RUN[:-1] + "2"
    with store_in(tmp_path / "store") as store:
        steps = chain()
        store.ingest([steps[number] for number in order])
        _joined(store, second)
        assert_sound(store)


def _joined(store: ProvStore, second: str) -> None:
    triples = lines(store, "")
    copy = read("/copy.csv", run=second)
    assert f"{write('/m.pkl', run=second)} {PROV.wasDerivedFrom} {copy}" in triples
    assert f"{copy} {PROV.wasDerivedFrom} {write('/clean.csv')}" in triples
    assert f"{write('/clean.csv')} {PROV.wasDerivedFrom} {read('/raw.csv')}" in triples
    states = {line.rpartition(" ")[2] for line in triples if f" {PS.state} " in line}
    assert states == {PS.COMPLETE, PS.FAIL}
    assert f"{write('/x', run=RUN[:-1] + '3')} {PS.partial} {rdf.boolean(True)}" in triples
