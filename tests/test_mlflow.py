"""MLflow's entities as records: every kind, every way to name a model, and what is missing or of another form."""

from __future__ import annotations

import contextlib
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provstore import iris, rdf
from provstore.capture import formats
from provstore.capture.mlflow import keys, map_payload
from provstore.errors import InvalidInput, Unmappable
from provstore.model import Mapped, Submission
from provstore.observe import reads
from provstore.observe.reads import Read
from provstore.vocab import AI, DCT, PROV, PS
from tests.stores import BASE, assert_sound, lines, store_in

SERVER = "https://mlflow.example"
RUN, OTHER = "4be49dd1e29641d7ae66c4b734f71776", "d1a134dc91144186b6e0b0ec62432bf4"
MODEL = "m-46e653e329e1470380da2f39a8157587"
COMMIT = "ffe1924420eefc16d0af1e5a2a896eeda7f5425e"
ME = "<urn:uuid:4be49dd1-e296-41d7-ae66-c4b734f71776>"
MADE = f"<{BASE}/modelversion/{MODEL}>"


def payload(kind: str, **said: Any) -> dict[str, Any]:
    return {"provstore": "mlflow/1", "kind": kind, "server": SERVER, **said}


def listed(values: dict[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in values.items()]


def frame(name: str, digest: str, kind: str, source: dict[str, Any], context: str = "", **more: Any) -> dict[str, Any]:
    """A dataset input as REST gives it."""
    tags = listed({"mlflow.data.context": context}) if context else []
    held = {"name": name, "digest": digest, "source_type": kind, "source": json.dumps(source)}
    return {"tags": tags, "dataset": held, **more}


def run(
    *inputs: dict[str, Any],
    tags: dict[str, str] | None = None,
    models: tuple[str, ...] = (MODEL,),
    seen: tuple[str, ...] = (),
    **info: Any,
) -> dict[str, Any]:
    """A run that made models of inputs."""
    head = {"run_id": RUN, "experiment_id": "7", "status": "FINISHED", "start_time": 1_000, "end_time": 2_000, **info}
    held = {
        "info": head,
        "data": {"tags": listed(tags or {}), "params": listed({"C": "0.5"})},
        "inputs": {"dataset_inputs": list(inputs), "model_inputs": [{"model_id": each} for each in seen]},
        "outputs": {"model_outputs": [{"model_id": each, "step": 0} for each in models]},
    }
    return payload("run", run=held)


def triples(value: dict[str, Any]) -> set[tuple[str, str, str]]:
    """What the record of a payload states."""
    return {rdf.split(line)[:3] for line in mapped(value).quads.decode().splitlines()}


def mapped(value: dict[str, Any]) -> Mapped:
    return map_payload(value, base=BASE)


def objects(said: set[tuple[str, str, str]], subject: str, predicate: str) -> set[str]:
    return {o for s, p, o in said if (s, p) == (subject, predicate)}


def state(name: str, digest: str) -> str:
    asset = iris.dataset(BASE, SERVER, f"experiment/7/{name}")
    return f"<{iris.read_state(asset, f'{ME[10:-1]}/{digest}')}>"


def file(path: str) -> str:
    return f"<{iris.read_state(iris.dataset(BASE, 'file', path), ME[10:-1])}>"


CODE = {"tags": {"mlflow.source.name": "a.py"}}
READ_ONE = reads.tags([Read("/d/a.csv", sha256="ab" * 32, size=7)])
READ_TWO = reads.tags([Read("/d/a.csv"), Read("/d/b.csv")])


#: What is left of two reads when the tags were cut.
CUT_SHORT = {**READ_ONE, reads.TAG: READ_TWO[reads.TAG]}


def test_payloads_are_recognised_and_have_a_media_type_of_their_own() -> None:
    assert formats.of_payload(run()).name == "mlflow"
    assert formats.of_media_type("application/vnd.provstore.mlflow+json") == formats.named("mlflow")


def test_a_run_says_who_when_with_what_and_of_which_experiment() -> None:
    tags = {
        "mlflow.user": "ana",
        "mlflow.source.name": "train.py",
        "mlflow.source.git.commit": COMMIT,
        "mlflow.source.git.branch": "main",
        "mlflow.parentRunId": OTHER,
        "team": "risk",
    }
    said = triples(run(tags=tags, run_name="first", user_id="somebody else"))
    assert objects(said, ME, rdf_type()) >= {PS.TrainingRun, PROV.Activity}
    assert objects(said, ME, DCT.title) == {'"first"'}
    assert objects(said, ME, PS.job) == {f"<{iris.job(BASE, SERVER, 'experiment/7')}>"}
    assert objects(said, ME, DCT.isPartOf) == {"<urn:uuid:d1a134dc-9114-4186-b6e0-b0ec62432bf4>"}
    assert objects(said, ME, PROV.wasInformedBy) == set()
    assert objects(said, ME, PROV.wasAssociatedWith) == {f"<{iris.agent(BASE, 'person', 'ana')}>"}
    assert f"<urn:swh:1:rev:{COMMIT}>" in objects(said, ME, PROV.used)
    assert objects(said, ME, PS.state) == {PS.COMPLETE}
    (association,) = objects(said, ME, PROV.qualifiedAssociation)
    assert objects(said, association, PS.selfAsserted) == {rdf.boolean(True)}
    assert objects(said, association, PROV.hadPlan) == {f"<urn:swh:1:rev:{COMMIT}>"}


def rdf_type() -> str:
    return "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>"


@pytest.mark.parametrize(
    ("tags", "code", "dirty"),
    [
        ({}, f"<urn:swh:1:rev:{COMMIT}>", set()),
        ({"provstore.git.dirty": "false"}, f"<urn:swh:1:rev:{COMMIT}>", {rdf.boolean(False)}),
        (
            {"provstore.git.dirty": "true", "provstore.git.diff_sha256": "cd" * 32},
            f"<{BASE}/code/{COMMIT}/{'cd' * 32}>",
            {rdf.boolean(True)},
        ),
    ],
)
def test_a_commit_says_of_the_work_tree_only_what_somebody_saw(
    tags: dict[str, str], code: str, dirty: set[str]
) -> None:
    value = run(tags={"mlflow.source.git.commit": COMMIT, **tags})
    assert code in objects(triples(value), ME, PROV.used)
    assert objects(triples(value), code, PS.dirty) == dirty
    assert any("ps:dirty" in each.message for each in mapped(value).liberties) is not bool(tags)


@pytest.mark.parametrize(
    ("value", "certain", "possible", "unresolved"),
    [
        pytest.param(run(), {f"{ME[:-1]}#unrecorded>"}, set(), True, id="nothing"),
        pytest.param(run(tags=READ_ONE), {file("/d/a.csv")}, set(), False, id="one file"),
        pytest.param(run(tags=READ_TWO), set(), {file("/d/a.csv"), file("/d/b.csv")}, False, id="two files"),
        pytest.param(
            run(tags=reads.tags([Read("/d/a.csv"), Read("/d/b.csv", after=(MODEL,))])),
            {file("/d/a.csv")},
            set(),
            False,
            id="another file afterwards",
        ),
        pytest.param(
            run(tags=reads.tags([Read("/d/a.csv"), Read("/d/b.csv", when="other"), Read("/d/c.csv", written=True)])),
            {file("/d/a.csv")},
            {file("/d/b.csv"), file("/d/c.csv")},
            False,
            id="files of other runs, or written by itself",
        ),
        pytest.param(
            run(tags=CUT_SHORT),
            {f"{ME[:-1]}#unrecorded>"},
            {file("/d/a.csv")},
            True,
            id="one file and more that are not told",
        ),
        pytest.param(run(tags=reads.tags([])), {f"{ME[:-1]}#unrecorded>"}, set(), True, id="no file"),
        pytest.param(
            run(frame("dataset", "1", "code", CODE, "train")), {state("dataset", "1")}, set(), False, id="autolog"
        ),
        pytest.param(
            run(frame("x", "1", "code", CODE), frame("y", "2", "code", CODE, "test")),
            {state("x", "1")},
            set(),
            False,
            id="the only one without a role",
        ),
        pytest.param(
            run(frame("x", "1", "code", CODE), frame("y", "2", "code", CODE)),
            set(),
            {state("x", "1"), state("y", "2")},
            False,
            id="two without a role",
        ),
        pytest.param(
            run(frame("x", "1", "code", CODE, "Training"), seen=("m-" + "0" * 32,)),
            {state("x", "1")},
            {f"<{BASE}/modelversion/m-{'0' * 32}>"},
            False,
            id="a model went in",
        ),
    ],
)
def test_what_a_model_was_made_of(
    value: dict[str, Any], certain: set[str], possible: set[str], unresolved: bool
) -> None:
    said = triples(value)
    assert objects(said, MADE, PROV.wasGeneratedBy) == {ME}
    assert objects(said, MADE, PROV.wasDerivedFrom) == certain
    assert objects(said, MADE, PS.possiblyDerivedFrom) == possible
    assert any(o == PS.UnresolvedRead for _, _, o in said) is unresolved


@pytest.mark.parametrize(
    ("frames", "tags", "certain", "possible", "claimed"),
    [
        pytest.param(frame("x", "1", "code", CODE), {}, set(), set(), set(), id="script"),
        pytest.param(frame("x", "1", "code", CODE, first=False), {}, set(), set(), {'"a.py"'}, id="script of another"),
        pytest.param(frame("x", "1", "code", CODE), READ_ONE, {file("/d/a.csv")}, set(), set(), id="one file seen"),
        pytest.param(
            frame("x", "1", "code", CODE), READ_TWO, set(), {file("/d/a.csv"), file("/d/b.csv")}, set(), id="two seen"
        ),
        pytest.param(
            frame("x", "1", "local", {"uri": "/d/../d/./c.csv"}), {}, {file("/d/c.csv")}, set(), set(), id="a path"
        ),
        pytest.param(
            frame("x", "1", "local", {"uri": "file:///d/c%20d.csv"}), {}, {file("/d/c d.csv")}, set(), set(), id="a URI"
        ),
        pytest.param(
            frame("x", "1", "local", {"uri": "a.csv"}), READ_TWO, {file("/d/a.csv")}, set(), set(), id="relative, seen"
        ),
        pytest.param(
            frame("x", "1", "local", {"uri": "/d/c.csv"}, first=False),
            {},
            set(),
            {file("/d/c.csv")},
            {'"/d/c.csv"'},
            id="the path of another run",
        ),
        pytest.param(
            frame("x", "1", "local", {"uri": "a.csv"}, first=False),
            READ_TWO,
            {file("/d/a.csv")},
            set(),
            set(),
            id="the path of another run, and seen",
        ),
    ],
)
def test_where_a_dataset_came_from(
    frames: dict[str, Any], tags: dict[str, str], certain: set[str], possible: set[str], claimed: set[str]
) -> None:
    said = triples(run(frames, tags={"mlflow.source.name": "a.py", **tags}))
    node = state("x", "1")
    assert objects(said, node, PROV.wasDerivedFrom) == certain
    assert objects(said, node, PS.possiblyDerivedFrom) == possible
    assert objects(said, node, PS.claimedSource) == claimed
    assert (PS.ReadState in objects(said, node, rdf_type())) is not bool(certain)
    assert objects(said, node, PS.weakDigest) == {'"mlflow:1"'}


@pytest.mark.parametrize(
    ("kind", "source", "namespace", "name"),
    [
        ("s3", {"uri": "s3://bucket/a/b.parquet"}, "s3://bucket", "a/b.parquet"),
        ("http", {"url": "https://data.example/x.csv?v=2"}, "https://data.example", "x.csv?v=2"),
        ("hugging_face", {"path": "glue", "revision": "abc"}, "https://huggingface.co", "datasets/glue"),
        ("delta_table", {"path": "/tables/loans", "delta_table_version": 3}, "file", "/tables/loans"),
        ("delta_table", {"delta_table_name": "main.loans", "delta_table_version": 3}, "delta_table", "main.loans"),
    ],
)
def test_sources_go_by_the_names_that_openlineage_gives_them(
    kind: str, source: dict[str, Any], namespace: str, name: str
) -> None:
    said = triples(run(frame("x", "1", kind, source)))
    dataset = iris.dataset(BASE, namespace, name)
    (origin,) = objects(said, state("x", "1"), PROV.wasDerivedFrom)
    assert f"<{dataset}>" in objects(said, origin, PROV.specializationOf)
    versions = objects(said, origin, PROV.specializationOf) - {f"<{dataset}>"}
    assert len(versions) == ("revision" in source or "delta_table_version" in source)


@pytest.mark.parametrize("context", ["train", "training", " Training ", "TRAIN"])
def test_roles_are_read_in_the_words_of_autologging_and_of_people(context: str) -> None:
    said = triples(run(frame("x", "1", "code", CODE, context)))
    assert {o for _, p, o in said if p == PROV.hadRole} == {AI.TrainingData}


# --- models and the registry -----------------------------------------------------------------------------------------


def version(source: str, **more: Any) -> dict[str, Any]:
    said = {"name": "risk", "version": "3", "source": source, "creation_timestamp": 1_000}
    return payload("model-version", version={**said, **more.pop("version", {})}, **more)


@pytest.mark.parametrize(
    ("value", "source"),
    [
        (version(f"models:/{MODEL}"), MADE),
        (version("s3://bucket/x", model_id=MODEL), MADE),
        (version("models:/base/2"), f"<{BASE}/model/{iris.enc(SERVER)}/base/version/2>"),
        (version(f"runs:/{RUN}/model"), f"<{BASE}/modelversion/{iris.enc(f'runs:/{RUN}/model')}>"),
        (
            version(f"mlflow-artifacts:/1/{RUN}/artifacts/model", version={"run_id": RUN}),
            f"<{BASE}/modelversion/{iris.enc(f'runs:/{RUN}/model')}>",
        ),
        (version("models:/risk@champion"), None),
        (version("/somewhere"), None),
    ],
)
def test_a_version_leads_to_its_model_whichever_way_it_is_named(value: dict[str, Any], source: str | None) -> None:
    said = triples(value)
    node = f"<{BASE}/model/{iris.enc(SERVER)}/risk/version/3>"
    assert objects(said, node, PROV.wasDerivedFrom) == ({source} if source else set())
    assert objects(said, f"{node[:-1]}#registration>", PROV.used) == ({source} if source else set())
    assert objects(said, node, PROV.generatedAtTime) == {rdf.date_time("1970-01-01T00:00:01Z")}


def test_the_metrics_of_a_model_are_measured_on_datasets_by_runs() -> None:
    info = {"model_id": MODEL, "experiment_id": "7", "source_run_id": RUN, "status": "LOGGED_MODEL_READY"}
    metric = {"key": "auc", "run_id": RUN, "dataset_name": "x", "dataset_digest": "1", "timestamp": 1_000}
    metrics = [{**metric, "value": 0.9}, {**metric, "value": "NaN", "step": 2}, {**metric, "value": None}]
    value = payload("logged-model", model={"info": info, "data": {"metrics": metrics}})
    said = triples(value)
    nodes = {s for s, _, o in said if o == "<http://www.w3.org/ns/dqv#QualityMeasurement>"}
    assert {o for s, p, o in said if p == "<http://www.w3.org/ns/dqv#value>"} == {
        rdf.literal("0.9", f"{rdf.XSD}double"),
        rdf.literal("NaN", f"{rdf.XSD}double"),
    }
    for node in nodes:
        assert objects(said, node, PS.onDataset) == {state("x", "1")}
        assert objects(said, node, PROV.wasGeneratedBy) == {ME}
    assert [each.pointer for each in mapped(value).liberties] == ["/model/data/metrics/2"]


def test_the_files_of_a_model_are_its_members_and_tell_its_environment() -> None:
    texts = {
        "requirements.txt": "mlflow==3.17.2\nScikit_Learn==1.9.1\n# x\npandas>2",
        "python_env.yaml": "python: 3.11.7\n",
    }
    files = [{"path": "model.pkl", "size": 3, "sha256": "ab" * 32}, {"path": "huge.bin", "size": 1 << 40}]
    value = payload("model-files", model_id=MODEL, run_id=RUN, files=files, texts=texts)
    said = triples(value)
    member = f"<{BASE}/modelversion/{MODEL}/file/model.pkl>"
    assert member in objects(said, MADE, PROV.hadMember)
    assert objects(said, member, PS.sha256) == {f'"{"ab" * 32}"'}
    assert objects(said, member, PROV.wasDerivedFrom) == {MADE}
    (environment,) = {s for s, _, o in said if o == PS.Environment}
    assert environment in objects(said, ME, PROV.used)
    assert objects(said, environment, DCT.description) == {'"python==3.11.7\\nmlflow==3.17.2\\nscikit-learn==1.9.1"'}
    assert [each.pointer for each in mapped(value).liberties] == ["/files/1"]


def test_who_reads_the_bytes_of_a_model_has_read_the_model(tmp_path: Path) -> None:
    files = [{"path": each, "sha256": hashlib.sha256(each.encode()).hexdigest()} for each in ("model.pkl", "MLmodel")]
    logged = payload("model-files", model_id=MODEL, files=files, texts={})
    digests = [Read("/srv/model.pkl", sha256=files[0]["sha256"]), Read("/srv/MLmodel", sha256=files[1]["sha256"])]
    served = run(tags=reads.tags(digests), models=())
    with store_in(tmp_path) as store:
        for value in (served, logged):
            body = json.dumps(value).encode()
            store.ingest([Submission(body, "application/json", "tests", mapped(value))])
        assert_sound(store)
        inferred = lines(store, "inferred")
    member = f"<{BASE}/modelversion/{MODEL}/file/model.pkl>"
    assert f"{file('/srv/model.pkl')} {PROV.wasDerivedFrom} {member}" in inferred
    assert f"{file('/srv/MLmodel')} {rdf_type()} {PS.UnresolvedRead}" in inferred


def test_a_history_of_an_alias_is_spans_that_begin_and_end() -> None:
    history = [
        {"version": "1", "before": "2026-03-01T00:00:00Z"},
        {"version": "2", "at": "2026-03-02T00:00:00.5Z", "by": "cleo"},
        {"version": None, "after": "2026-03-03T00:00:00Z", "before": "2026-03-04T00:00:00Z"},
    ]
    said = triples(payload("alias", name="risk", alias="champion", history=history))
    model = f"{BASE}/model/{iris.enc(SERVER)}/risk"
    spans = {o: s for s, p, o in said if p == PS.assigns}
    first, second = spans[f"<{model}/version/1>"], spans[f"<{model}/version/2>"]
    assert objects(said, first, PROV.generatedAtTime) == set()
    assert objects(said, f"{first[:-1]}#generation>", PS.latest) == {rdf.date_time("2026-03-01T00:00:00Z")}
    assert objects(said, first, PROV.invalidatedAtTime) == {rdf.date_time("2026-03-02T00:00:00.5Z")}
    assert objects(said, second, PROV.generatedAtTime) == {rdf.date_time("2026-03-02T00:00:00.5Z")}
    assert objects(said, f"{second[:-1]}#invalidation>", PS.earliest) == {rdf.date_time("2026-03-03T00:00:00Z")}
    assert {o for _, p, o in said if p == PROV.wasAssociatedWith} == {f"<{iris.agent(BASE, 'person', 'cleo')}>"}


def test_changes_of_an_alias_one_by_one_say_what_its_history_says() -> None:
    history: list[dict[str, Any]] = [
        {"version": "1", "before": "2026-03-01T00:00:00Z"},
        {"version": "2", "at": "2026-03-02T00:00:00.50Z", "by": "cleo"},
        {"version": None, "before": "2026-03-04T00:00:00Z"},
        {"version": "1", "at": "2026-03-05T00:00:00Z"},
    ]
    marks = ["2026-03-01T00:00:00Z", "2026-03-02T00:00:00.5Z"]
    named = {"name": "risk", "alias": "champion"}
    found: set[tuple[str, str, str]] = set()
    for change, ends in zip(history, [None, *marks, None], strict=True):
        found |= triples(payload("alias-change", change=change, **named, **({"ends": ends} if ends else {})))
    whole = triples(payload("alias", history=history, **named))
    assert _of_things(found) == _of_things(whole)
    assert len({o for _, p, o in found if p == PS.capturedFrom}) == 4


def _of_things(said: set[tuple[str, str, str]]) -> set[tuple[str, str, str]]:
    return {each for each in said if f"<{BASE}/record/" not in each[0]}


def test_what_bears_an_old_name_is_another_thing_with_all_that_is_in_it() -> None:
    since = "1795715731984"
    new, old = (f"<{BASE}/model/{iris.enc(SERVER)}/risk{end}>" for end in (f"@{since}", ""))
    again = {"name": "risk", "creation_timestamp": int(since)}
    said = triples(payload("registered-model", model=again, since=since))
    assert objects(said, new, DCT.replaces) == {old}
    assert objects(said, new, DCT.created) == {rdf.date_time("2026-11-26T17:55:31.984Z")}
    assert objects(said, new, PS.name) == {'"risk"'}
    third = triples(payload("registered-model", model=again, since="1795715731999", replaces=since))
    assert {o for _, p, o in third if p == DCT.replaces} == {new}
    change = {"version": "1", "at": "2026-11-27T00:00:00Z"}
    for value in (
        version(f"models:/{MODEL}", version={"version": "1"}, since=since),
        payload("alias-change", name="risk", alias="champion", change=change, since=since),
        payload("deletion", of="model-version", id="risk/1", since=since),
    ):
        said = triples(value)
        assert objects(said, f"{new[:-1]}/version/1>", PROV.specializationOf) == {new}
        assert old not in {o for _, _, o in said}
        assert f"@{since}" in next(o for _, p, o in said if p == PS.capturedFrom)


def test_what_is_in_an_experiment_of_an_old_number_is_in_that_one() -> None:
    since = "1795715731984"
    job, old = (f"<{iris.job(BASE, SERVER, f'experiment/7{end}')}>" for end in (f"@{since}", ""))
    said = triples(payload("experiment", experiment={"experiment_id": "7", "creation_time": int(since)}, since=since))
    assert objects(said, job, DCT.replaces) == {old}
    value = {**run(frame("x", "1", "code", {"tags": {}})), "since": since}
    said = triples(value)
    assert objects(said, ME, PS.job) == {job}
    assert old not in {o for _, _, o in said}
    asset = f"<{iris.dataset(BASE, SERVER, f'experiment/7@{since}/x')}>"
    assert asset in {o for _, p, o in said if p == PROV.specializationOf}
    assert keys.search_digest(value) != keys.search_digest(run(frame("x", "1", "code", {"tags": {}})))


def test_what_was_deleted_and_is_there_again_is_not_purged() -> None:
    for of in ("experiment", "run", "logged-model", "registered-model", "trace"):
        gone = payload("deletion", of=of, id=RUN)
        assert {o for _, p, o in triples(gone) if p == PS.lifecycle} == {'"purged"'}
        assert not {o for _, p, o in triples({**gone, "back": True}) if p == PS.lifecycle}


# --- traces ----------------------------------------------------------------------------------------------------------


def trace(**more: Any) -> dict[str, Any]:
    said = {
        "trace_id": "tr-1",
        "request_time": "2026-11-26T16:41:18.056Z",
        "execution_duration": "0.008s",
        "state": "OK",
        "trace_metadata": {"mlflow.modelId": MODEL, "mlflow.user": "ana"},
    }
    return payload("trace", trace={**said, **more}, inputs={"commitment": "ab" * 32}, outputs={"redacted": True})


def test_a_trace_is_a_prediction_with_its_model() -> None:
    said = triples(trace())
    (prediction,) = {s for s, _, o in said if o == PS.Prediction}
    (item,) = {s for s, _, o in said if o == PS.RecordItem}
    assert objects(said, prediction, PROV.wasDerivedFrom) == {MADE, item}
    assert objects(said, item, PS.commitment) == {f'"hmac-sha256:{"ab" * 32}"'}
    assert objects(said, prediction, PROV.generatedAtTime) == {rdf.date_time("2026-11-26T16:41:18.064Z")}


@pytest.mark.parametrize("state_", ["ERROR", "IN_PROGRESS"])
def test_a_trace_that_failed_or_goes_on_predicted_nothing(state_: str) -> None:
    assert not {s for s, _, o in triples(trace(state=state_)) if o == PS.Prediction}


# --- records, and what is no payload ---------------------------------------------------------------------------------


def test_a_state_may_take_the_place_of_several_records() -> None:
    before = [f"{BASE}/record/{digit * 64}" for digit in "01"]
    value = {**run(), "supersedes": before}
    said = triples(value)
    assert objects(said, f"<{mapped(value).record}>", PS.supersedes) == {f"<{each}>" for each in before}
    assert keys.digest(value) == keys.digest(run())


def test_a_state_names_what_it_is_of_and_the_record_before_it() -> None:
    before = f"{BASE}/record/{'0' * 64}"
    first, later = mapped(run()), mapped({**run(), "supersedes": before})
    assert keys.digest(run()) == keys.digest({**run(), "supersedes": before})
    said = {rdf.split(line)[:3] for line in later.quads.decode().splitlines()}
    assert (f"<{later.record}>", PS.supersedes, f"<{before}>") in said
    assert (f"<{later.record}>", PS.capturedFrom, f'"mlflow {SERVER} run {RUN}"') in said
    about = {line for line in first.quads.decode().splitlines() if not line.startswith(f"<{first.record}>")}
    assert {line.replace(later.record, first.record) for line in later.quads.decode().splitlines()} >= about


@pytest.mark.parametrize(
    ("value", "pointer"),
    [
        ({**run(), "provstore": "mlflow/2"}, "/provstore"),
        ({**run(), "kind": "wish"}, "/kind"),
        ({**run(), "server": ""}, "/server"),
        (payload("run"), "/run"),
        (payload("run", run={"info": {}}), "/run/info/run_id"),
        (payload("logged-model", model={"info": []}), "/model/info"),
        (payload("deletion", of="wish", id="1"), "/of"),
        (payload("alias", name="risk", alias="x", history=[{"version": "1", "at": "soon"}]), "/history/0"),
        (payload("alias-change", name="risk", alias="x", change={"version": "1", "at": "soon"}), "/change"),
        (payload("alias-change", name="risk", alias="x", change={"version": "1", "at": "2026"}, ends=[]), "/ends"),
        (payload("registered-model", model={"name": "risk"}, since=None), ""),
        ({**run(), "supersedes": "https://elsewhere.example/record/1"}, "/supersedes"),
        ({**run(), "supersedes": [f"{BASE}/record/{'0' * 64}", 1]}, "/supersedes"),
    ],
)
def test_what_has_no_identity_is_refused_with_its_place(value: dict[str, Any], pointer: str) -> None:
    with pytest.raises(Unmappable) as caught:
        mapped(value)
    assert caught.value.pointer == pointer


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**40), 2**40)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
_SAMPLES = [
    run(frame("x", "1", "local", {"uri": "a"}), tags=READ_TWO),
    version(f"models:/{MODEL}"),
    trace(),
    payload("model-files", model_id=MODEL, files=[{"path": "a"}], texts={}),
    payload("alias", name="risk", alias="c", history=[{"version": "1", "at": "2026-03-01T00:00:00Z"}]),
    payload(
        "alias-change", name="risk", alias="c", change={"version": "1", "at": "2026-03-01"}, ends="2026", since="1"
    ),
    payload("logged-model", model={"info": {"model_id": MODEL}, "data": {"metrics": [{}]}}),
    payload("experiment", experiment={"experiment_id": "1", "tags": []}),
]


@given(st.sampled_from(_SAMPLES), st.data())
def test_whatever_stands_where_it_should_not_gives_a_record_or_a_plain_refusal(
    value: dict[str, Any], data: st.DataObject
) -> None:
    spoilt = json.loads(json.dumps(value))
    where: Any = spoilt
    while True:
        steps = list(where) if isinstance(where, dict) else list(range(len(where)))
        step = data.draw(st.sampled_from(steps))
        if not isinstance(where[step], dict | list) or not where[step] or data.draw(st.booleans()):
            where[step] = data.draw(JSON)
            break
        where = where[step]
    with contextlib.suppress(InvalidInput):
        found = mapped(spoilt)
        assert found == mapped(json.loads(json.dumps(spoilt)))
