"""What a run's own state leaves out, as payloads and as records: all that it read, its artifacts, its metrics."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provstore import iris, rdf
from provstore.errors import NotFound
from provstore.model import Submission
from provstore.observe import reads
from provstore.observe.reads import Read
from provstore.pull.mlflow import files, histories, states
from provstore.pull.mlflow.files import Bounds
from provstore.pull.mlflow.handed import Handed
from provstore.pull.mlflow.rest import Rest, address
from provstore.settings import MlflowAccess
from provstore.vocab import DCT, DQV, PROV, PS, RDF_TYPE
from tests.stores import BASE, assert_sound, lines, store_in
from tests.test_mlflow import MADE, ME, MODEL, RUN, SERVER, file, mapped, objects, payload, run, triples

MANY = [Read(f"/d/part-{n:04}.csv", sha256=f"{n:064x}", size=n) for n in range(1, 2001)]


# --- reads ---------------------------------------------------------------------------------------------------------


def overflown(listed: list[Any] | None) -> dict[str, Any]:
    """A run that read more than its tags hold, and the list that came with it."""
    tags = reads.tags(MANY)
    assert json.loads(tags[reads.TAG])["artifact"] == reads.ARTIFACT
    return {**run(tags=tags), **({} if listed is None else {"reads": listed})}


def test_every_read_is_told_where_the_whole_list_came_with_the_tags() -> None:
    said = triples(overflown(json.loads(reads.canonical(MANY))))
    assert {each.sha256 for each in MANY} == {
        o.strip('"') for s, p, o in said if p == PS.sha256 and s.startswith(f"<{BASE}/dataset/file/")
    }
    assert file("/d/part-2000.csv") in objects(said, ME, PROV.used)
    assert len(objects(said, MADE, PS.possiblyDerivedFrom)) == 2000
    assert not mapped(overflown(json.loads(reads.canonical(MANY)))).liberties


@pytest.mark.parametrize("listed", [None, [], json.loads(reads.canonical(MANY[:1000])), [7, {"path": 1}]])
def test_a_list_that_is_not_the_one_the_tags_speak_of_is_not_all(listed: list[Any] | None) -> None:
    found = mapped(overflown(listed))
    told = [each.message for each in found.liberties if "there may be more origins" in each.message]
    assert len(told) == 1
    assert told[0].startswith("of 2000 reads ")
    assert file("/d/part-0001.csv") in objects(triples(overflown(listed)), ME, PROV.used)


# --- artifacts -----------------------------------------------------------------------------------------------------


def artifacts(*listed: dict[str, Any], uri: str = f"mlflow-artifacts:/7/{RUN}/artifacts") -> dict[str, Any]:
    return payload("run-artifacts", run_id=RUN, artifact_uri=uri, end_time=2_000, artifacts=list(listed))


def node(namespace: str, name: str) -> str:
    return f"<{iris.write_state(iris.dataset(BASE, namespace, name), ME[10:-1])}>"


@pytest.mark.parametrize(
    ("uri", "place"),
    [
        (f"mlflow-artifacts:/7/{RUN}/artifacts", (SERVER, f"run/{RUN}/artifacts")),
        ("", (SERVER, f"run/{RUN}/artifacts")),
        (f"s3://ml/7/{RUN}/artifacts/", ("s3://ml", f"7/{RUN}/artifacts")),
        (f"file:///home/ada/mlruns/7/{RUN}/artifacts", ("file", f"/home/ada/mlruns/7/{RUN}/artifacts")),
    ],
)
def test_an_artifact_is_named_by_where_it_lies_and_leads_to_its_run(uri: str, place: tuple[str, str]) -> None:
    said = triples(artifacts({"path": "plots/é 1.png", "size": 3, "sha256": "ab" * 32}, uri=uri))
    folder, member = node(*place), node(place[0], f"{place[1]}/plots/é 1.png")
    assert objects(said, folder, PROV.wasGeneratedBy) == {ME}
    assert objects(said, folder, PROV.hadMember) == {member}
    assert objects(said, member, PROV.wasDerivedFrom) == {folder}
    assert objects(said, member, PS.sha256) == {f'"{"ab" * 32}"'}
    assert objects(said, member, DCT.title) == {'"plots/é 1.png"'}


def test_what_is_no_artifact_or_not_all_of_them_is_told() -> None:
    value = {**artifacts({"size": 3}, {"path": "huge.bin", "size": 1 << 40}), "more": True}
    assert [each.pointer for each in mapped(value).liberties] == ["/artifacts", "/artifacts/0"]
    held = node(SERVER, f"run/{RUN}/artifacts/huge.bin")
    assert objects(triples(value), held, PS.byteSize) == {rdf.integer(1 << 40)}
    assert not objects(triples(value), held, PS.sha256)


def test_what_many_files_were_made_of_many_is_not_told_for_each_pair(tmp_path: Path) -> None:
    tags = reads.tags(MANY[:30])
    listed = [{"path": f"{n}.png", "size": 1, "sha256": f"{n:064x}"} for n in range(9001, 9031)]
    with store_in(tmp_path) as store:
        for value in (run(tags=tags, models=()), artifacts(*listed)):
            store.ingest([Submission(json.dumps(value).encode(), "application/json", "tests", mapped(value))])
        assert_sound(store)
        folder = node(SERVER, f"run/{RUN}/artifacts")
        pairs = [line for graph in ("", "merged") for line in lines(store, graph) if PS.possiblyDerivedFrom in line]
    assert len({line.split()[0] for line in pairs}) == 1
    assert {line.split()[0] for line in pairs} == {folder}


def test_the_smallest_artifacts_are_hashed_first_as_far_as_the_bounds_go() -> None:
    content = {"a": b"x" * 10, "b": b"x" * 20, "c": b"x" * 5, "known": b"x" * 9}
    asked = []

    def opened(path: str) -> Iterator[bytes]:
        asked.append(path)
        yield content[path]

    listed = [(path, len(each)) for path, each in content.items()]
    found = files.within(listed, opened, Bounds(each=100, run=24), {("known", 9): "12" * 32})
    assert asked == ["c", "a"]
    assert [(each["path"], "sha256" in each) for each in found] == [
        ("a", True),
        ("b", False),
        ("c", True),
        ("known", True),
    ]
    many = [(f"{n:05}", 1) for n in range(5000)]
    some, more = files.listed(iter(many))
    assert (len(some), more) == (2000, True)
    assert sum("sha256" in each for each in files.within(some, lambda _: iter([b"x"]), Bounds(), {})) == 500


def test_a_file_that_grew_while_it_was_read_has_no_digest_beyond_the_bound() -> None:
    (found,) = files.within([("a", 1)], lambda _: iter([b"x" * 40, b"y" * 40]), Bounds(each=100, run=50), {})
    assert "sha256" not in found
    assert files.whole(iter([b"ab", b"cd"]), 4) == "abcd"
    assert files.whole(iter([b"ab", b"cde"]), 4) is None


def test_what_was_handed_over_is_read_there_and_nowhere_else(tmp_path: Path) -> None:
    own = tmp_path / "mlruns" / "7" / RUN / "artifacts"
    model = tmp_path / "mlruns" / "7" / "models" / MODEL / "artifacts"
    for folder in (own / "plots", model):
        folder.mkdir(parents=True)
        (folder / "a b.png").write_text("seen")
    (tmp_path / "secret").write_text("not theirs to name")
    (own / "link").symlink_to(tmp_path / "secret")
    for path in (tmp_path / "mlruns", tmp_path / "mlflow.db"):
        handed = Handed(Rest(address("http://127.0.0.1:1"), MlflowAccess()), path)
        assert list(handed.run_files(RUN)) == [("plots/a b.png", 4)]
        assert list(handed.files(MODEL)) == [("a b.png", 4)]
        assert b"".join(handed.run_file(RUN, "plots/a b.png")) == b"seen"
        assert list(handed.run_files("../7")) == []
        for name in ("../../../../secret", "link", "/etc/hostname", "gone", ""):
            with pytest.raises(NotFound):
                list(handed.run_file(RUN, name))


# --- models of before MLflow 3 -------------------------------------------------------------------------------------


def test_a_model_of_before_mlflow_3_is_what_its_run_and_its_version_name() -> None:
    history = [{"run_id": RUN, "artifact_path": "model"}, {"artifact_path": "/other/"}, {"artifact_path": 7}, None]
    value = run(tags={"mlflow.log-model.history": json.dumps(history)}, models=())
    made = {s for s, p, o in triples(value) if p == PROV.wasGeneratedBy and o == ME and "/modelversion/" in s}
    version = payload(
        "model-version",
        version={"name": "risk", "version": "1", "run_id": RUN, "source": f"mlflow-artifacts:/7/{RUN}/artifacts/model"},
    )
    (registered,) = {o for s, p, o in triples(version) if p == PROV.wasDerivedFrom}
    assert registered in made
    assert len(made) == 2
    assert PS.TrainingRun in objects(triples(value), ME, RDF_TYPE)
    with_3 = run(tags={"mlflow.log-model.history": json.dumps(history)})
    assert told(with_3) == told(run())


@pytest.mark.parametrize("history", ["", "[", "{}", "7", '["model"]', "null"])
def test_a_history_that_names_no_model_names_none(history: str) -> None:
    assert told(run(tags={"mlflow.log-model.history": history}, models=())) == told(run(models=()))


def told(value: dict[str, Any]) -> set[tuple[str, str, str]]:
    """What a record states of anything but itself."""
    return {each for each in triples(value) if not each[0].startswith(f"<{BASE}/record/")}


# --- metrics -------------------------------------------------------------------------------------------------------


def values(*given: object, key: str = "loss") -> list[dict[str, Any]]:
    return [{"key": key, "value": each, "step": step, "timestamp": 1_000 + step} for step, each in enumerate(given)]


def test_how_a_metric_went_is_its_last_lowest_and_highest_value_with_their_steps() -> None:
    summed = histories.summary(values(5.0, "NaN", 1.0, 7.0, 1, 7.0, 3.0))
    assert summed["count"] == 7
    assert {name: (summed[name]["value"], summed[name]["step"]) for name in ("last", "lowest", "highest")} == {
        "last": (3.0, 6),
        "lowest": (1.0, 2),
        "highest": (7.0, 3),
    }
    said = triples(payload("metric-histories", run_id=RUN, metrics=[{"key": "loss", **summed}]))
    measurement = f"{ME[:-1]}#measurement/loss>"
    assert objects(said, measurement, PS.step) == {rdf.integer(6)}
    assert objects(said, measurement, PS.valueCount) == {rdf.integer(7)}
    (lowest,) = objects(said, measurement, PS.lowest)
    assert objects(said, lowest, DQV.value) == {rdf.literal("1.0", f"{rdf.XSD}double")}
    assert objects(said, lowest, PS.step) == {rdf.integer(2)}
    assert not objects(said, measurement, DQV.value)  # the run's own state tells it


def test_values_that_are_no_numbers_are_counted_and_are_no_extremes() -> None:
    assert histories.summary(values("NaN", "NaN")) == {
        "count": 2,
        "last": {"value": "NaN", "step": 1, "timestamp": 1001},
    }
    infinite = histories.summary(values("-Infinity", 0.0, "Infinity"))
    assert (infinite["lowest"]["value"], infinite["highest"]["value"]) == ("-Infinity", "Infinity")
    assert histories.summary([]) == {"count": 0}


@given(st.lists(st.tuples(st.floats(), st.integers(-5, 5), st.integers(0, 5)), min_size=1))
def test_a_summary_does_not_depend_on_the_order_of_pages(logged: list[tuple[float, int, int]]) -> None:
    given_ = [{"value": value, "step": step, "timestamp": at} for value, step, at in logged]
    summed, backwards = histories.summary(given_), histories.summary(reversed(given_))
    numbers = [value for value, _, _ in logged if not math.isnan(value)]
    assert summed["count"] == len(logged)
    for name, wanted in (("lowest", min), ("highest", max)):
        assert (summed[name]["value"] == wanted(numbers)) if numbers else (name not in summed)
        assert summed.get(name, {}).get("step") == backwards.get(name, {}).get("step")
    assert (summed["last"]["step"], summed["last"]["timestamp"]) == max((step, at) for _, step, at in logged)


def test_the_values_of_a_models_metric_are_one_measurement_of_each_run_and_dataset() -> None:
    info = {"model_id": MODEL, "experiment_id": "7", "source_run_id": RUN}
    logged = [{**each, "run_id": RUN} for each in values(*map(float, range(50)))]
    logged += [{**each, "run_id": RUN, "dataset_name": "x", "dataset_digest": "1"} for each in values(0.5, key="auc")]
    value = states.of_logged_model(SERVER, {"info": info, "data": {"metrics": logged}})
    told = value["model"]["data"]["metrics"]
    assert [(each["key"], each["value"], each.get("count")) for each in told] == [
        ("loss", 49.0, 50),
        ("auc", 0.5, None),
    ]
    said = triples(value)
    assert len({s for s, _, o in said if o == DQV.QualityMeasurement}) == 2
    measurement = f"{ME[:-1]}#measurement/loss/{MODEL}>"
    assert objects(said, measurement, DQV.value) == {rdf.literal("49.0", f"{rdf.XSD}double")}
    assert objects(said, measurement, PS.valueCount) == {rdf.integer(50)}
    (highest,) = objects(said, measurement, PS.highest)
    assert objects(said, highest, PS.step) == {rdf.integer(49)}
    assert states.of_logged_model(SERVER, {"info": info})["model"] == {"info": info}
