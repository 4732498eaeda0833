"""`provstore capture mlflow` against a real MLflow server: what is there, what changes, what is gone, killed midway."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from provstore.observe import reads
from provstore.observe.reads import Read
from tests.canaries import Canaries, everything
from tests.environments import programs
from tests.mlflows import SECRET, Mlflow, free_port, mlflow
from tests.servers import BASE, Server, command, environment, serving
from tests.stores import ARRIVAL, assert_sound, lines, store_in

pytestmark = pytest.mark.slow

NAME = "mlflow of the tests"
#: What is about records and not about what they say; and the journal of aliases, which only live capture knows.
_OF_RECORDS = f"<{BASE}/record/"
_PS = "https://w3id.org/provstore/ns#"
_LIFE = f"<{_PS}lifecycle>"
_OF_JOURNALS = ("/alias/", "AliasAssignment")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mlflow]:
    with mlflow(tmp_path_factory.mktemp("mlflow")) as found:
        yield found


def captured(source: object, data: Path, *more: object, **settings: object) -> subprocess.CompletedProcess[str]:
    """One pull into a directory."""
    arguments = ("capture", "mlflow", source, "--data", data, "--namespace", NAME, "--format", "json", *more)
    base = () if (data / "ledger.db").exists() else ("--base", BASE)
    line = [sys.executable, "-m", "provstore", *map(str, (*arguments, *base))]
    done = subprocess.run(line, capture_output=True, text=True, timeout=300, env=environment(**settings), check=False)
    assert done.returncode == 0, done.stderr
    return done


def capture(source: object, data: Path, *more: object, **settings: object) -> dict[str, int]:
    """One pull into a directory; what it says it sent."""
    said: dict[str, int] = json.loads(captured(source, data, *more, **settings).stdout)
    return said


def ask(data: Path, query: str) -> list[dict[str, str]]:
    done = command("sparql", "--data", data, "--format", "ndjson", query)
    assert done.returncode == 0, done.stderr.decode()
    return [json.loads(line) for line in done.stdout.splitlines()]


def canned(data: Path, name: str, **parameters: str) -> list[dict[str, str]]:
    given = [f"{key}={value}" for key, value in parameters.items()]
    done = command("query", "--data", data, "--format", "ndjson", name, *given)
    assert done.returncode == 0, done.stderr.decode()
    return [json.loads(line) for line in done.stdout.splitlines()]


def said(data: Path) -> set[str]:
    """What the live graph says, but for what is about records, ledger indices, and the journal of aliases."""
    with store_in(data) as store:
        assert_sound(store)
        found = set()
        for graph in ("", "merged", "inferred"):
            found |= lines(store, graph)
    marks = (*ARRIVAL, *_OF_JOURNALS, _OF_RECORDS)
    return {line for line in found if not any(mark in line for mark in marks)}


_CODE = "code"


def script(name: str) -> dict[str, Any]:
    return {"tags": {"mlflow.source.name": name, "mlflow.source.type": "LOCAL"}}


def trained(server: Mlflow, experiment: str, name: str, digest: str) -> tuple[str, str]:
    """A run of a script as autologging leaves it, with a frame of MLflow's digest, and the model that it made."""
    run = server.run(experiment, tags={"mlflow.source.name": name, "mlflow.user": "ana"})
    server.dataset(run, "dataset", digest, script(name), _CODE, "train")
    model = server.model(experiment, run)
    server.end(run)
    return run, model


def test_frames_that_share_a_digest_stay_apart_and_each_run_keeps_its_own_source(
    server: Mlflow, tmp_path: Path
) -> None:
    experiment = server.experiment("four frames")
    runs = [trained(server, experiment, f"train_{number}.py", "66421396")[0] for number in range(4)]
    listed = server.post("runs/search", experiment_ids=[experiment])["runs"]
    sources = {run["inputs"]["dataset_inputs"][0]["dataset"]["source"] for run in listed}
    assert len(sources) == 1  # MLflow gives that of the first run to all
    capture(server.url, tmp_path / "data")
    rows = ask(
        tmp_path / "data",
        "PREFIX prov: <http://www.w3.org/ns/prov#> PREFIX ps: <https://w3id.org/provstore/ns#>"
        " PREFIX dct: <http://purl.org/dc/terms/> SELECT ?run ?frame ?source ?claimed WHERE {"
        ' ?frame ps:weakDigest "mlflow:66421396" ; dct:source ?source . ?activity prov:used ?frame ;'
        " dct:identifier ?run OPTIONAL { ?frame ps:claimedSource ?claimed } } ORDER BY ?source",
    )
    assert len({row["frame"] for row in rows}) == 4
    assert [(row["run"], row["source"]) for row in rows] == [
        (run, f"train_{number}.py") for number, run in enumerate(runs)
    ]
    assert [row["claimed"] for row in rows] == [None, "train_0.py", "train_0.py", "train_0.py"]
    assert not ask(tmp_path / "data", "SELECT ?x WHERE { ?x <https://w3id.org/provstore/ns#symlink> ?y }")


def test_what_did_not_change_is_not_sent_again_and_what_did_takes_the_place_of_what_it_was(
    server: Mlflow, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    experiment = server.experiment("changes")
    run, model = trained(server, experiment, "train.py", "eeee0001")
    assert capture(server.url, data)["new"] > 3
    assert capture(server.url, data) == {"new": 0, "changed": 0, "refused": 0}
    server.post("runs/set-tag", run_id=run, key="late note", value="late, and long after its end")
    server.batch(run, {"depth": "6"}, {"auc": 0.75})
    assert capture(server.url, data) == {"new": 0, "changed": 1, "refused": 0}
    texts = "SELECT ?value WHERE { ?x <https://schema.org/name> 'late note' ; <https://schema.org/value> ?value }"
    assert ask(data, texts) == [{"value": "late, and long after its end"}]
    server.post("runs/delete", run_id=run)  # hidden, not gone
    assert capture(server.url, data)["changed"] == 1
    named = f"<http://purl.org/dc/terms/identifier> '{run}'"
    stage = f"SELECT ?stage WHERE {{ ?run {named} OPTIONAL {{ ?run {_LIFE} ?stage }} }}"
    assert ask(data, stage) == [{"stage": "deleted"}]
    server.post("runs/restore", run_id=run)
    assert capture(server.url, data)["changed"] == 1
    assert ask(data, stage) == [{"stage": None}]
    versions = [server.registered("changing", model) for _ in "12"]
    capture(server.url, data)
    server.delete("model-versions/delete", name="changing", version=versions[0])
    assert capture(server.url, data)["new"] == 1
    gone = f"SELECT ?version WHERE {{ ?version a <{_PS}RegistryVersion> ; {_LIFE} 'purged' }}"
    assert [row["version"].rpartition("/")[2] for row in ask(data, gone)] == versions[:1]
    assert capture(server.url, data) == {"new": 0, "changed": 0, "refused": 0}


def test_a_model_of_unknown_data_is_possibly_affected_and_one_whose_files_were_seen_is_affected(
    server: Mlflow, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    experiment = server.experiment("origins")
    _, plain = trained(server, experiment, "plain.py", "aaaa0001")
    read = reads.tags([Read("/data/train.csv", sha256="ab" * 32, size=7)])
    seen = server.run(experiment, tags={"mlflow.source.name": "seen.py", **read})
    server.dataset(seen, "dataset", "aaaa0002", script("seen.py"), _CODE, "train")
    watched = server.model(experiment, seen)
    server.end(seen)
    bare = server.run(experiment)
    unlogged = server.model(experiment, bare)
    server.end(bare)
    capture(server.url, data)
    done = command("impact", "/data/train.csv", "--data", data, "--kind", "ModelVersion", "--format", "json")
    assert done.returncode == 0, done.stderr
    verdicts = {each["iri"].rpartition("/")[2]: each["verdict"] for each in json.loads(done.stdout)["verdicts"]}
    assert verdicts[watched] == "affected"
    assert (verdicts[plain], verdicts[unlogged]) == ("possibly affected", "possibly affected")
    digests = ask(data, f'SELECT ?bytes WHERE {{ ?read <{_PS}sha256> "{"ab" * 32}" ; <{_PS}bytes> ?bytes }}')
    assert [row["bytes"][:15] for row in digests] == ["ni:///sha-256;q"]


def test_nested_runs_evaluations_and_the_registry(server: Mlflow, tmp_path: Path) -> None:
    data = tmp_path / "data"
    experiment = server.experiment("nested")
    parent, model = trained(server, experiment, "tune.py", "bbbb0001")
    child = server.run(experiment, tags={"mlflow.parentRunId": parent, "mlflow.user": "bo"})
    server.batch(child, {"C": "0.5"}, {})
    server.dataset(child, "holdout", "bbbb0002", {"uri": "s3://bank-raw/holdout.csv"}, "s3", "eval")
    server.post("runs/log-inputs", run_id=child, models=[{"model_id": model}])
    metric = {"key": "auc", "value": 0.9, "timestamp": 1, "step": 0, "model_id": model}
    metric |= {"dataset_name": "holdout", "dataset_digest": "bbbb0002", "run_id": child}
    server.post("runs/log-batch", run_id=child, metrics=[metric])
    server.end(child)
    server.registered("risk of loans, é", model)
    capture(server.url, data)
    prefixes = f"PREFIX prov: <http://www.w3.org/ns/prov#> PREFIX ps: <{_PS}> PREFIX dqv: <http://www.w3.org/ns/dqv#>"
    (evaluated,) = ask(
        data,
        prefixes + " SELECT ?value ?dataset ?parent WHERE { ?m a dqv:QualityMeasurement ; dqv:computedOn ?model ;"
        " ps:onDataset ?state ; dqv:value ?value ; prov:wasGeneratedBy ?run . ?run a ps:Evaluation ; prov:used ?model,"
        " ?state ; <http://purl.org/dc/terms/isPartOf>/<http://purl.org/dc/terms/identifier> ?parent . "
        " ?state prov:wasDerivedFrom/prov:specializationOf/ps:namespace ?dataset }",
    )
    assert (float(evaluated["value"]), evaluated["dataset"], evaluated["parent"]) == (0.9, "s3://bank-raw", parent)
    assert not ask(data, prefixes + " SELECT ?x WHERE { ?x prov:wasInformedBy ?y }")
    (version,) = canned(data, "models/versions", contains="loans")
    assert version["modelVersion"].endswith(model)
    assert version["number"] == "1"


def test_secrets_and_what_people_ask_are_not_stored(server: Mlflow, tmp_path: Path) -> None:
    data, c = tmp_path / "data", Canaries()
    experiment = server.experiment("secrets")
    with_secrets(server, experiment, c)
    trace(server, experiment, spoken := c.secret("question"), user=c.secret("who asked"))
    for kind, said in (
        ("feedback", {"feedback": {"value": c.secret("feedback")}, "rationale": c.secret("rationale")}),
        ("expectation", {"expectation": {"value": c.secret("expected answer")}}),
    ):
        source = {"source_type": "HUMAN", "source_id": c.secret(f"who gave the {kind}")}
        assessed = {"assessment_name": kind, "source": source, **said}
        path = f"/api/3.0/mlflow/traces/{TRACE}/assessments"
        answer = server.http.post(path, json={"assessment": {"trace_id": TRACE, **assessed}})
        assert answer.status_code == 200, answer.text
    password = c.secret("password of the tracking server")
    line = ("capture", "mlflow", server.url.replace("://", f"://reader:{password}@"), "--data", data)
    done = command(*line, "--namespace", NAME, settings={"commitment_key": "a key"})
    assert done.returncode == 0, done.stderr.decode()
    assert command(*line, "--namespace", NAME, settings={"commitment_key": "a key"}).stdout.startswith(b"0 ")
    (held,) = ask(data, f"SELECT ?c WHERE {{ ?item a <{_PS}RecordItem> ; <{_PS}commitment> ?c }}")
    assert held["c"].startswith("hmac-sha256:")
    stored = everything(data)
    assert c.leaked(stored + done.stdout + done.stderr) == []
    assert c.lost(stored) == []
    (redacted,) = ask(data, f"SELECT (COUNT(*) AS ?n) WHERE {{ ?record <{_PS}redacted> ?where }}")
    assert int(redacted["n"]) >= 15
    kept = tmp_path / "kept"
    capture(server.url, kept, "--traces", "keep")
    assert ask(kept, f"SELECT ?v WHERE {{ ?item a <{_PS}RecordItem> ; <http://www.w3.org/ns/prov#value> ?v }}") == [
        {"v": json.dumps({"question": spoken})}
    ]
    assert {"feedback", "rationale", "expected answer", "who asked"} <= set(c.leaked(everything(kept)))
    none = tmp_path / "none"
    capture(server.url, none, "--traces", "none")
    assert not ask(none, f"SELECT ?x WHERE {{ ?x a <{_PS}Inference> }}")


TRACE = "tr-0123456789abcdef0123456789abcdef"


def with_secrets(server: Mlflow, experiment: str, c: Canaries) -> None:
    """A run, a model and its version with secrets wherever people have been seen to put them."""
    tags = {
        "api_key": c.secret("tag"),
        "mlflow.source.git.repoURL": f"https://oauth2:{c.secret('repository of a run')}@git.example/x.git",
        "mlflow.note.content": f"use password={c.secret('description of a run')}, ask {c.stays('descriptions', 'run')}",
        "mlflow.user": c.stays("people", "run"),
    }
    run = server.run(experiment, tags=tags)
    params = {
        "db_password": c.secret("parameter"),
        "url": f"postgresql://u:{c.secret('URL in a parameter')}@db/x",
        "config": json.dumps({"headers": {"Authorization": f"Bearer {c.secret('JSON in a parameter')}"}}),
        "customer": c.stays("parameters", "run"),
    }
    server.batch(run, params, {})
    for number, query in enumerate(("X-Amz-Date=1&X-Amz-Signature=", "sv=2024&sp=r&sig=", "token=")):
        url = f"https://raw.example/{number}.csv?{query}{c.secret(f'source of a dataset: {query}')}"
        server.dataset(run, f"set {number}", f"abcd000{number}", {"url": url}, "http", "training")
    sql = {"sql": "SELECT 1", "connection": f"mysql://u:{c.secret('connection of a dataset')}@db/x"}
    server.dataset(run, "sql", "abcd0009", sql, "sql")
    server.end(run)
    model = server.model(experiment, run)
    server.patch(
        f"logged-models/{model}/tags", tags=[{"key": "deploy_token", "value": c.secret("tag of a logged model")}]
    )
    version = server.registered("secret model", model)
    server.patch("registered-models/update", name="secret model", description=f"pwd={c.secret('registered model')}")
    told = {"name": "secret model", "version": version}
    server.patch("model-versions/update", **told, description=f"see https://u:{c.secret('model version')}@x.example")
    server.post("model-versions/set-tag", **told, key="webhook_secret", value=c.secret("tag of a model version"))


def trace(server: Mlflow, experiment: str, question: str, user: str = "ana") -> None:
    """A prediction, traced."""
    info = {
        "trace_id": TRACE,
        "trace_location": {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": experiment}},
        "request_time": "2026-11-26T16:41:18.056Z",
        "execution_duration": "0.008s",
        "state": "OK",
        "trace_metadata": {"mlflow.traceInputs": json.dumps({"question": question}), "mlflow.traceOutputs": "yes"}
        | {"mlflow.trace.user": user, "mlflow.trace.session": "s-1"},
        "request_preview": question,
    }
    answer = server.http.post("/api/3.0/mlflow/traces", json={"trace": {"trace_info": info}})
    assert answer.status_code == 200, answer.text


def test_a_run_that_read_more_than_its_tags_hold_has_every_file_in_the_graph(server: Mlflow, tmp_path: Path) -> None:
    data = tmp_path / "data"
    experiment = server.experiment("overflow")
    many = [Read(f"/data/part-{n:04}.parquet", sha256=f"{n:064x}", size=n) for n in range(1, 2001)]
    whole, absent, changed = (server.run(experiment, tags=reads.tags(many)) for _ in range(3))
    server.artifact(experiment, whole, reads.ARTIFACT, reads.canonical(many).encode())
    server.artifact(experiment, changed, reads.ARTIFACT, reads.canonical(many[1:]).encode())
    for each in (whole, absent, changed):
        server.end(each)
    said = captured(server.url, data)
    assert "what it read is told by its tags alone" in said.stderr
    assert sorted(line.split()[1] for line in said.stderr.splitlines() if "by its tags alone" in line) == sorted(
        (f"{absent}:", f"{changed}:")
    )
    counted = (
        f"SELECT (COUNT(DISTINCT ?sha256) AS ?n) WHERE {{ ?run {_NAMED} '%s' ; {_USED} ?s . ?s {_SHA256} ?sha256 }}"
    )
    assert ask(data, counted % whole) == [{"n": "2000"}]
    assert 0 < int(ask(data, counted % absent)[0]["n"]) < 2000
    assert capture(server.url, data) == {"new": 0, "changed": 0, "refused": 0}
    server.artifact(experiment, absent, reads.ARTIFACT, reads.canonical(many).encode())
    (server.home / "mlartifacts" / experiment / whole / "artifacts" / reads.ARTIFACT).unlink()
    assert capture(server.url, data)["changed"] == 1  # what came late is taken, what was known stays
    assert ask(data, counted % absent) == ask(data, counted % whole) == [{"n": "2000"}]


_NAMED = "<http://purl.org/dc/terms/identifier>"
_USED, _SHA256 = "<http://www.w3.org/ns/prov#used>", f"<{_PS}sha256>"


def test_what_a_run_logged_and_how_its_metrics_went(tmp_path: Path) -> None:
    with mlflow(tmp_path / "made") as server:  # of its own: others' runs have artifacts too
        _logged_and_measured(server, tmp_path)


def _logged_and_measured(server: Mlflow, tmp_path: Path) -> None:
    data = tmp_path / "data"
    experiment = server.experiment("details")
    run = server.run(experiment)
    server.artifact(experiment, run, "plots/é 1+2.png", b"a picture")
    server.artifact(experiment, run, "big.bin", b"x" * 5_000)
    server.steps(run, "loss", 5.0, 1.0, 3.0)
    assert "run-artifacts" not in kinds(server.url, data)  # it goes on
    server.end(run)
    asked = "--max-run-bytes", 1_000
    assert capture(server.url, data, *asked) == {"new": 2, "changed": 1, "refused": 0}
    logged = (
        f"SELECT ?path ?size ?sha256 WHERE {{ ?run {_NAMED} '{run}' . ?folder <http://www.w3.org/ns/prov#wasGeneratedBy>"
        " ?run ; <http://www.w3.org/ns/prov#hadMember> ?file . ?file <http://purl.org/dc/terms/title> ?path ;"
        f" <{_PS}byteSize> ?size OPTIONAL {{ ?file {_SHA256} ?sha256 }} }} ORDER BY ?path"
    )
    picture = hashlib.sha256(b"a picture").hexdigest()
    assert ask(data, logged) == [
        {"path": "big.bin", "size": "5000", "sha256": None},
        {"path": "plots/é 1+2.png", "size": "9", "sha256": picture},
    ]
    went = (
        f"SELECT ?count ?last ?lowest ?step WHERE {{ ?m <http://www.w3.org/ns/prov#wasGeneratedBy>/{_NAMED} '{run}' ;"
        f" <{_PS}valueCount> ?count ; <{_PS}step> ?last ; <{_PS}lowest> ?low ."
        f" ?low <http://www.w3.org/ns/dqv#value> ?lowest ; <{_PS}step> ?step }}"
    )
    (row,) = ask(data, went)
    assert (row["count"], row["last"], float(row["lowest"]), row["step"]) == ("3", "2", 1.0, "1")
    assert capture(server.url, data, *asked) == {"new": 0, "changed": 0, "refused": 0}
    server.artifact(experiment, run, "late.txt", b"after its end")
    assert capture(server.url, data, *asked) == {"new": 0, "changed": 1, "refused": 0}
    assert len(ask(data, logged)) == 3
    assert "run-artifacts" not in kinds(server.url, tmp_path / "none", "--no-artifacts")


def kinds(source: object, data: Path, *more: object) -> set[str]:
    """What there are states of in a store, after a capture."""
    capture(source, data, *more)
    return {
        row["key"].removeprefix(f"mlflow {NAME} ").split()[0]
        for row in ask(data, f"SELECT ?key WHERE {{ ?r <{_PS}capturedFrom> ?key }}")
    }


def test_a_folder_that_is_handed_over_says_what_its_server_said(tmp_path: Path) -> None:
    with mlflow(tmp_path / "made", files=True) as server:
        experiment = server.experiment("a folder")
        run, model = trained(server, experiment, "train.py", "ffff0001")
        server.artifact(experiment, run, "plots/roc.png", b"a picture")
        server.steps(run, "loss", 5.0, 1.0, 3.0)
        server.registered("of a folder", model)
        server.run(experiment, tags={"mlflow.parentRunId": run})
        capture(server.url, tmp_path / "live", "--traces", "none")
    handed = tmp_path / "handed" / "mlruns"
    handed.parent.mkdir()
    (tmp_path / "made" / "mlruns").rename(handed)
    before = {path: path.read_bytes() for path in handed.rglob("*") if path.is_file()}
    capture(handed, tmp_path / "file", "--mlflow", programs("pipeline") / "mlflow", "--traces", "none")
    assert said(tmp_path / "file") == said(tmp_path / "live")
    assert hashlib.sha256(b"a picture").hexdigest() in " ".join(said(tmp_path / "file"))
    assert {path: path.read_bytes() for path in handed.rglob("*") if path.is_file()} == before


def test_a_database_that_is_handed_over_says_what_its_server_said(server: Mlflow, tmp_path: Path) -> None:
    run, _ = trained(server, experiment := server.experiment("handed over"), "train.py", "cccc0001")
    server.artifact(experiment, run, "report.txt", b"of the run")
    capture(server.url, tmp_path / "live", "--traces", "none")
    handed = tmp_path / "handed" / "mlflow.db"
    handed.parent.mkdir()
    shutil.copyfile(server.home / "mlflow.db", handed)
    shutil.copytree(server.home / "mlartifacts", handed.parent / "mlartifacts", dirs_exist_ok=True)
    before = handed.read_bytes()
    capture(handed, tmp_path / "file", "--mlflow", programs("pipeline") / "mlflow", "--traces", "none")
    assert said(tmp_path / "file") == said(tmp_path / "live")
    assert handed.read_bytes() == before
    assert {each.name for each in handed.parent.iterdir()} == {"mlartifacts", "mlflow.db"}


def test_what_is_made_again_under_an_old_name_is_another_thing(server: Mlflow, tmp_path: Path) -> None:
    data = tmp_path / "data"
    experiment = server.experiment("made again")
    models = [trained(server, experiment, f"train_{number}.py", f"ffff000{number}")[1] for number in "12"]
    marks = []
    for model in models:
        assert server.registered("again", model) == "1"  # MLflow begins to count anew
        server.alias("again", "champion", "1")
        capture(server.url, data)
        marks.append(datetime.now(UTC).isoformat())
        server.delete("registered-models/delete", name="again")
    for mark, model in zip(marks, models, strict=True):
        (row,) = canned(data, "models/alias_at", model="again", at=mark)
        assert row["modelVersion"].endswith(model)
    capture(server.url, data)
    rows = {row["modelVersion"].rpartition("/")[2]: row for row in canned(data, "models/versions", contains="again")}
    assert [rows[model]["number"] for model in models] == ["1", "1"]
    old, new = (rows[model]["model"] for model in models)
    assert new.startswith(f"{old}@")
    terms = "http://purl.org/dc/terms/"
    (found,) = ask(data, f"SELECT ?old ?made WHERE {{ <{new}> <{terms}replaces> ?old ; <{terms}created> ?made }}")
    assert (found["old"], found["made"] < marks[1]) == (old, True)
    gone = ask(data, f"SELECT ?x WHERE {{ ?x {_LIFE} 'purged' }}")
    assert {row["x"] for row in gone} == {old, new, *(row["version"] for row in rows.values())}
    assert not canned(data, "models/alias_at", model="again")
    assert capture(server.url, data) == {"new": 0, "changed": 0, "refused": 0}


def test_a_server_that_lost_its_database_counts_anew_and_one_that_has_it_back_is_believed(
    server: Mlflow, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    first = server.experiment("before the loss")
    run, _ = trained(server, first, "before.py", "abcd0001")
    capture(server.url, data)
    titles = (
        "PREFIX ps: <https://w3id.org/provstore/ns#> PREFIX dct: <http://purl.org/dc/terms/> SELECT ?id ?title ?life"
        f" WHERE {{ ?run dct:identifier ?id ; ps:job/dct:title ?title OPTIONAL {{ ?run {_LIFE} ?life }} "
        "VALUES ?id { 'RUNS' } } ORDER BY ?title"
    )
    with mlflow(tmp_path / "empty") as other:
        while (second := other.experiment(f"after the loss {time.monotonic()}")) != first:
            pass
        later, _ = trained(other, second, "after.py", "abcd0001")
        capture(other.url, data)
        said = ask(data, titles.replace("'RUNS'", f"'{run}' '{later}'"))
        assert [(row["id"], row["title"][:10], row["life"]) for row in said] == [
            (later, "after the ", None),
            (run, "before the", "purged"),
        ]
        assert capture(other.url, data) == {"new": 0, "changed": 0, "refused": 0}
    capture(server.url, data)
    said = ask(data, titles.replace("'RUNS'", f"'{run}' '{later}'"))
    assert [(row["id"], row["life"]) for row in said] == [(later, "purged"), (run, None)]
    assert capture(server.url, data) == {"new": 0, "changed": 0, "refused": 0}
    with store_in(data) as store:
        assert_sound(store)


# --- going on, webhooks, crashes -------------------------------------------------------------------------------------


@dataclass(slots=True)
class Follower:
    """A capture that goes on; `webhooks` is where it takes them."""

    process: subprocess.Popen[str]
    webhooks: str

    def caught_up(self) -> None:
        """Wait until it says so."""
        assert self.process.stdout
        assert self.process.stdout.readline().startswith("caught up with http://127.0.0.1:")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(30)


@contextmanager
def following(server: Mlflow, store: Server, port: int = 0) -> Iterator[Follower]:
    line = ["capture", "mlflow", server.url, "--follow", "--interval", "0.1", "--server", store.url]
    line += ["--namespace", NAME, "--listen", f"127.0.0.1:{port}"]
    process = subprocess.Popen(
        [sys.executable, "-m", "provstore", *line],
        env=environment(webhook_secret=SECRET),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    try:
        told = process.stdout.readline()
        assert told.startswith("webhooks are taken at "), told
        yield Follower(process, told.split()[-1])
    finally:
        process.kill()
        process.wait(30)
        process.stdout.close()


def until_true(check: Callable[[], bool], seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.05)


def served(store: Server, name: str, **parameters: str) -> list[dict[str, str]]:
    answer = store.http.get(
        f"/queries/{name}", params=parameters, headers={"accept": "application/sparql-results+json"}
    )
    assert answer.status_code == 200, answer.text
    return [{k: v["value"] for k, v in row.items()} for row in answer.json()["results"]["bindings"]]


def test_which_version_was_champion_at_an_instant_is_known_from_webhooks(server: Mlflow, tmp_path: Path) -> None:
    experiment = server.experiment("aliases")
    _, model = trained(server, experiment, "train.py", "dddd0001")
    versions = [server.registered("champions", model) for _ in range(3)]
    with serving(tmp_path / "data") as store, following(server, store) as follower:
        follower.caught_up()
        server.webhook(follower.webhooks)
        marks = []
        for version in versions:
            server.alias("champions", "champion", version)
            until_true(lambda v=version: [r["number"] for r in _now(store)] == [v])  # type: ignore[misc]
            marks.append(datetime.now(UTC).isoformat())
        server.delete("registered-models/alias", name="champions", alias="champion")
        until_true(lambda: not _now(store))
        for version, mark in zip(versions, marks, strict=True):
            (row,) = served(store, "models/alias_at", model="champions", alias="champion", at=mark)
            assert (row["number"], row["certainty"], row["who"]) == (version, "certain", "actor unknown")
            assert row["since"] < mark < row["until"]
            assert row["modelVersion"].endswith(model)
        assert not served(store, "models/alias_at", model="champions", at="2020-01-01T00:00:00Z")
        server.delete("registered-models/delete", name="champions")
        _, other = trained(server, experiment, "train.py", "dddd0002")
        server.alias("champions", "champion", server.registered("champions", other))
        until_true(lambda: [r["modelVersion"].endswith(other) for r in _now(store)] == [True])


def _now(store: Server) -> list[dict[str, str]]:
    """What the alias means now, once it is known by its instant and not by two looks alone."""
    found = served(store, "models/alias_at", model="champions", alias="champion")
    return [row for row in found if "since" in row] if found else []


def test_killed_at_random_and_started_again_it_comes_to_what_a_fresh_import_says(
    server: Mlflow, tmp_path: Path
) -> None:
    killed = churned(server, tmp_path, runs=60, kills=4, seed=6)
    assert killed == 4
    capture(server.url, tmp_path / "fresh")
    live, fresh = said(tmp_path / "live"), said(tmp_path / "fresh")
    assert live == fresh, [*sorted(live - fresh)[:5], "---", *sorted(fresh - live)[:5]]


def test_two_captures_at_once_leave_one_state_of_each_thing(server: Mlflow, tmp_path: Path) -> None:
    chance, begun = random.Random(2), list[str]()
    experiment = server.experiment("two at once")
    once = ("capture", "mlflow", server.url, "--namespace", NAME, "--format", "json", "--server")
    with serving(tmp_path / "live") as store:
        with following(server, store) as one, following(server, store) as other:
            one.caught_up()
            other.caught_up()
            for _ in "12":  # both see each change, between looks of their own
                version = server.registered("churning", server.model(experiment, server.run(experiment)))
                server.alias("churning", "champion", version)
                until_true(lambda v=version: len(_champions(store, v)) == 2)  # type: ignore[misc]
            for number in range(25):
                _step(server, chance, experiment, begun, number)
            for run in begun:
                server.end(run)
        version = server.registered("churning", server.model(experiment, server.run(experiment)))
        for alias in ("champion", "challenger"):
            server.alias("churning", alias, version)
        line = [sys.executable, "-m", "provstore", *once, store.url]
        both = [subprocess.Popen(line, env=environment(), stdout=subprocess.DEVNULL) for _ in "12"]
        assert [each.wait(120) for each in both] == [0, 0]
        keys = [row["key"] for row in served(store, "integrity/states", limit="100000")]
        assert len(keys) == len(set(keys))
        assert len(_champions(store, version)) == 1
        for alias in ("champion", "challenger"):
            held = served(store, "models/alias_at", model="churning", alias=alias)
            assert [row["number"] for row in held] == [version]
    capture(server.url, tmp_path / "fresh")
    live, fresh = said(tmp_path / "live"), said(tmp_path / "fresh")
    assert live == fresh, [*sorted(live - fresh)[:5], "---", *sorted(fresh - live)[:5]]


def _champions(store: Server, version: str) -> list[str]:
    """The records that say that a version was made champion."""
    head = f"mlflow {NAME} alias-change churning/champion/"
    rows = served(store, "integrity/states", prefix=head, limit="100000")
    return [row["record"] for row in rows if row["key"].endswith(f"/{version}")]


def churned(server: Mlflow, home: Path, *, runs: int, kills: int, seed: int) -> int:
    """Runs that begin, change and end while a follower with webhooks is killed and started again; how often it was.

    In the end `home/live` is the store of a follower that has caught up, and finds nothing new.
    """
    chance = random.Random(seed)
    experiment = server.experiment(f"churn {seed}")
    port, killed = free_port(), 0
    server.webhook(f"http://127.0.0.1:{port}/")
    moments = sorted(chance.sample(range(runs), kills))
    with serving(home / "live") as store:
        begun: list[str] = []
        with ExitStack() as stack:
            follower = stack.enter_context(following(server, store, port))
            for number in range(runs):
                _step(server, chance, experiment, begun, number)
                if number in moments:
                    follower.kill()
                    killed += 1
                    follower = stack.enter_context(following(server, store, port))
            for run in begun:
                server.end(run)
        with following(server, store, port) as last:
            last.caught_up()
        again = command(
            *("capture", "mlflow", server.url, "--namespace", NAME, "--server", store.url, "--format", "json")
        )
        assert json.loads(again.stdout) == {"new": 0, "changed": 0, "refused": 0}, again.stderr
        keys = [row["key"] for row in served(store, "integrity/states", limit="100000")]
        assert len(keys) == len(set(keys))
    return killed


def _step(server: Mlflow, chance: random.Random, experiment: str, begun: list[str], number: int) -> None:
    """One more run, which ends now or later; and one of the other things that people do."""
    tags = {"mlflow.source.name": f"train_{number % 7}.py", "mlflow.user": "ana"}
    if begun and chance.random() < 0.3:
        tags["mlflow.parentRunId"] = chance.choice(begun)
    run = server.run(experiment, tags=tags)
    server.batch(run, {"seed": str(number)}, {"auc": number / 100})
    server.dataset(run, "dataset", f"{number % 5:08}", script(tags["mlflow.source.name"]), _CODE, "train")
    begun.append(run)
    if chance.random() < 0.4:
        model = server.model(experiment, run)
        if chance.random() < 0.5:
            server.alias("churning", chance.choice(["champion", "challenger"]), server.registered("churning", model))
    if chance.random() < 0.6:
        server.end(begun.pop(chance.randrange(len(begun))), chance.choice(["FINISHED", "FAILED"]))
    if chance.random() < 0.2:
        server.post("runs/set-tag", run_id=run, key="note", value=f"seen at {number}")
    if chance.random() < 0.1:
        server.post("runs/delete", run_id=run)
        if run in begun:
            begun.remove(run)
