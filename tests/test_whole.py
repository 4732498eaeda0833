"""A whole store held against profiles on demand: what records together say, limits, and who may ask."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from provstore.core import ProvStore, whole
from provstore.validation.profiles import SHIPPED, Registry
from tests.servers import command, serving

PREFIXES = "@prefix prov: <http://www.w3.org/ns/prov#> . @prefix ps: <https://w3id.org/provstore/ns#> .\n"
#: Each sound by itself; together an entity that is an activity.
HALVES = ("<urn:x:a> a prov:Entity .", "<urn:x:a> a prov:Activity .", "<urn:x:b> a prov:Entity .")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    for number, text in enumerate(HALVES):
        (folder / f"{number}.ttl").write_text(PREFIXES + text)
    done = command("ingest", *sorted(folder.glob("*.ttl")), "--data", folder / "data")
    assert done.returncode == 0, done.stderr
    return folder / "data"


def test_what_no_record_says_alone_the_store_says(data: Path) -> None:
    alone = command("validate", *sorted(data.parent.glob("*.ttl")), "--quiet")
    assert alone.returncode == 0
    done = command("validate", "--store", "--data", data, "--format", "json")
    (payload,) = json.loads(done.stdout)["payloads"]
    (profile,) = payload["profiles"]
    assert done.returncode == 1
    assert (payload["record"], payload["conforms"], profile["profile"]) == (None, False, "prov-core/2")
    assert {each["focus"] for each in profile["results"]} == {"urn:x:a"}
    assert command("validate", "--store", "--data", data, "--profile", "gdpr", "--quiet").returncode == 0


def test_a_store_is_held_to_shapes_from_a_file(data: Path, tmp_path: Path) -> None:
    (tmp_path / "own.ttl").write_text(
        f"{PREFIXES} @prefix sh: <http://www.w3.org/ns/shacl#> .\n"
        "<urn:s> a sh:PropertyShape ; sh:targetClass prov:Entity ; sh:path prov:wasAttributedTo ; sh:minCount 1 ."
    )
    done = command("validate", "--store", "--data", data, "--shapes", tmp_path / "own.ttl", "--format", "json")
    (profile,) = json.loads(done.stdout)["payloads"][0]["profiles"]
    assert done.returncode == 1
    assert [each["focus"] for each in profile["results"]] == ["urn:x:a", "urn:x:b"]


def test_results_beyond_the_limit_are_counted(data: Path, tmp_path: Path) -> None:
    heard: list[tuple[float, float]] = []
    with closing(ProvStore(data)) as store:
        all_of_them = whole.judged(store, SHIPPED, "record", lambda done, total: heard.append((done, total)))
        cut = whole.judged(store, SHIPPED, "record", lambda done, total: None, limit=1)
    assert heard[-1][0] == heard[-1][1] == len(heard)
    told = [each for each in cut.results if each.message.startswith("And ")]
    assert told
    assert len(cut.results) - len(told) < len(all_of_them.results)
    assert {each.shape for each in cut.results} == {each.shape for each in all_of_them.results}


def test_a_store_that_is_served_is_left_alone(data: Path) -> None:
    with serving(data):
        done = command("validate", "--store", "--data", data)
    assert done.returncode == 2
    assert b"is in use by another process" in done.stderr


def test_files_or_the_store(tmp_path: Path) -> None:
    for arguments, said in ((("validate",), b"required"), (("validate", "--store", tmp_path), b"no FILE goes with it")):
        done = command(*arguments)
        assert done.returncode == 2
        assert said in done.stderr
    for option in (("--watch",), ("--input", "ttl"), ("--engine", "pyshacl")):
        done = command("validate", "--store", "--data", tmp_path / "none", *option)
        assert done.returncode == 2
        assert f"{option[0]} does not go with it".encode() in done.stderr
    assert command("validate", "--store", "--data", tmp_path / "none").returncode == 2


def test_what_is_beyond_the_limit_is_told_of_the_rule_that_it_is_of(tmp_path: Path) -> None:
    """With results that fill whole batches, as many as the limit, and constraints that run side by side."""
    entities, rules, limit = 400, 8, 200
    lines = [f"<urn:x:{n}> <urn:p:{rule}> 'text' ." for n in range(entities) for rule in range(rules)]
    (tmp_path / "many.ttl").write_text(PREFIXES + "\n".join(lines))
    shapes = tmp_path / "shapes" / "many" / "1.ttl"
    shapes.parent.mkdir(parents=True)
    shapes.write_text(
        "@prefix sh: <http://www.w3.org/ns/shacl#> .\n"
        + "\n".join(
            f"<urn:rule:{rule}> a sh:PropertyShape ; sh:targetSubjectsOf <urn:p:{rule}> ; sh:path <urn:p:{rule}> ;"
            f" sh:nodeKind sh:IRI ; sh:maxLength {rule} ."
            for rule in range(rules)
        )
    )
    assert command("ingest", tmp_path / "many.ttl", "--data", tmp_path / "data").returncode == 0
    registry = Registry(str(tmp_path / "shapes"), "https://prov.example")
    with closing(ProvStore(tmp_path / "data")) as store:
        said = whole.judged(store, registry, "many", lambda done, total: None, limit=limit)
    told = Counter((each.shape, each.component) for each in said.results if each.message.startswith("And "))
    assert said.results
    assert told == dict.fromkeys({(each.shape, each.component) for each in said.results}, 1)
    assert {each.message.split()[1] for each in said.results if each.message.startswith("And ")} == {"200"}
