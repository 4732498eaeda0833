"""Where data of a DVC repository is and comes from: imports, datasets, databases, remotes, caches, experiments."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from provstore.pull.dvc import config
from tests.histories_of_dvc import asked, captured, walked
from tests.repositories import Git
from tests.stores import assert_sound, store_in


def _md5(text: str | bytes) -> str:
    data = text.encode() if isinstance(text, str) else text
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def _stage(cmd: str, deps: list[dict[str, Any]], outs: list[dict[str, Any]]) -> dict[str, Any]:
    return {"cmd": cmd, "deps": deps, "outs": outs}


def _file(path: str, content: str, **more: Any) -> dict[str, Any]:
    return {"path": path, "hash": "md5", "md5": _md5(content), "size": len(content), **more}


def _old(path: str, content: str) -> dict[str, Any]:
    """As DVC 2 wrote it."""
    return {"path": path, "md5": _md5(content), "size": len(content)}


def _lock(**stages: Any) -> str:
    return json.dumps({"schema": "2.0", "stages": stages})


def _imported(md5: str, commit: str, url: str = "https://git.example/registry") -> str:
    repository = {"url": url, "rev_lock": commit}
    out = {"path": "x.csv", "hash": "md5", "md5": md5}
    return json.dumps({"frozen": True, "deps": [{"path": "data/x.csv", "repo": repository}], "outs": [out]})


# --- imports --------------------------------------------------------------------------------------------------------


def test_two_imports_of_the_same_bytes_do_not_each_come_from_the_other(tmp_path: Path) -> None:
    """Neither a second import at another commit, nor one of another project, is where the first has its bytes from."""
    with store_in(tmp_path / "store") as store:
        for name in ("one", "other"):
            git = Git(tmp_path / name)
            git("remote", "add", "origin", f"https://git.example/{name}")
            for commit in ("ab", "cd"):
                git.commit(commit, {"x.csv.dvc": _imported(_md5("x"), commit * 20)})
            captured(store, git.directory)
        found = asked(store, "SELECT ?a ?b { ?a prov:wasDerivedFrom|ps:possiblyDerivedFrom ?b . ?b a ps:WriteState }")
        unknown = asked(store, "SELECT ?n { ?r a ps:UnresolvedRead ; prov:specializationOf/ps:name ?n }")
        assert_sound(store)
        registry = Git(tmp_path / "registry")
        registry("remote", "add", "origin", "https://git.example/registry")
        lock = _lock(make=_stage("m", [_file("raw.csv", "raw")], [_file("data/x.csv", "x")]))
        registry.commit("made", {"dvc.lock": lock})
        captured(store, registry.directory)
        origins = asked(
            store,
            """SELECT ?ns { ?w a ps:WriteState ; prov:specializationOf ?d ; prov:wasDerivedFrom+ ?raw .
               ?d a ps:Dataset ; ps:namespace ?ns . ?raw prov:specializationOf/ps:name "raw.csv" }""",
        )
        assert_sound(store)
    assert (found, unknown) == (set(), {("data/x.csv",)})
    assert origins == {(f"https://git.example/{name}",) for name in ("one", "other", "registry")}


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("../registry", "https://git.example/team/registry"),
        ("/srv/registry", "file:///srv/registry"),
        ("git@git.example:registry.git", "https://git.example/registry"),
    ],
)
def test_a_repository_beside_this_one_is_not_one_beside_another(tmp_path: Path, url: str, name: str) -> None:
    git = Git(tmp_path / "repo")
    git("remote", "add", "origin", "https://git.example/team/models")
    git.commit("import", {"x.csv.dvc": _imported(_md5("x"), "ab" * 20, url)})
    (payload,) = walked(git.directory).payloads
    assert payload["data"][0]["origins"][0]["repository"] == name


def test_a_dataset_that_a_stage_read_is_what_the_lock_says_that_it_was(tmp_path: Path) -> None:
    git = Git(tmp_path / "repo")
    locked = {
        "name": "pool",
        "url": "https://git.example/registry",
        "type": "dvc",
        "path": "data",
        "rev_lock": "ab" * 20,
    }
    versions = [
        locked,
        {**locked, "rev_lock": "cd" * 20},
        {"name": "pool", "url": "dc://cats@v3", "type": "dc", "version": 3, "created_at": "2026-01-02T03:04:05"},
        {
            "name": "pool",
            "url": "s3://bucket/pool",
            "type": "url",
            "meta": {"isdir": True, "size": 9, "nfiles": 1},
            "files": [{"relpath": "a", "meta": {"etag": "E", "version_id": "V"}}],
        },
        {"name": "pool", "url": "s3://bucket/pool/a", "type": "url", "meta": {"etag": "E", "version_id": "V"}},
        {"name": "pool", "type": "dvc"},
    ]
    for number, version in enumerate(versions):
        dep = {"path": "ds://pool", "dataset": version}
        git.commit(str(number), {"dvc.lock": _lock(train=_stage("t", [dep], [_file("m.pkl", "m")]))})
    with store_in(tmp_path / "store") as store:
        captured(store, git.directory)
        found = asked(
            store,
            """SELECT ?ns ?n ?v ?weak { ?r a ps:ReadState ; prov:specializationOf ?d . ?d a ps:Dataset ;
               ps:namespace ?ns ; ps:name ?n
               OPTIONAL { ?r prov:specializationOf/ps:version ?v } OPTIONAL { ?r ps:weakDigest ?weak } }""",
        )
        derived = asked(store, "SELECT ?r { ?w a ps:WriteState ; prov:wasDerivedFrom ?r }")
        assert_sound(store)
    assert len(derived) == len(versions)  # each is an execution of its own
    assert found == {
        ("https://git.example/registry", "data", "ab" * 20, ""),
        ("https://git.example/registry", "data", "cd" * 20, ""),
        ("dc", "cats", "3", ""),
        ("s3://bucket", "pool", "", ""),
        ("s3://bucket", "pool/a", "V", "etag:E"),
        (f"git:{Git.log(git.directory, '%H', '--reverse', 'main')[0]}", "ds://pool", "", ""),
    }


def test_an_import_from_a_database_read_its_table_or_ran_its_query(tmp_path: Path) -> None:
    git = Git(tmp_path / "repo")
    text = "['db \"shop\"']\n    url = postgresql+psycopg2://reader:hunter2secret@db.example:5432/shop\n"

    def imported(**db: str) -> str:
        return json.dumps(
            {"frozen": True, "deps": [{"db": db}], "outs": [{"path": "t.csv", "hash": "md5", "md5": _md5("t")}]}
        )

    git.commit(
        "import",
        {
            ".dvc/config": text,
            "t.csv.dvc": imported(connection="shop", table="public.orders"),
            "u.csv.dvc": imported(connection="gone", table="orders").replace("t.csv", "u.csv"),
            "q.csv.dvc": imported(connection="shop", query="SELECT 1").replace("t.csv", "q.csv"),
        },
    )
    with store_in(tmp_path / "store") as store:
        found, _ = captured(store, git.directory)
        read = asked(
            store,
            """SELECT ?to ?ns ?n { ?w a ps:WriteState ; prov:specializationOf/ps:name ?to ; prov:wasDerivedFrom ?r .
               ?r prov:specializationOf ?d . ?d ps:namespace ?ns ; ps:name ?n }""",
        )
        ran = asked(
            store,
            """SELECT ?sql ?to { ?r ps:jobVersion/prov:value ?sql .
               ?w prov:wasGeneratedBy ?r ; prov:specializationOf/ps:name ?to }""",
        )
        assert_sound(store)
    assert read == {
        ("t.csv", "postgres://db.example:5432", "shop.public.orders"),
        ("u.csv", found.namespace, "db:gone/orders"),
    }
    assert ran == {("SELECT 1", "q.csv")}
    assert "hunter2secret" not in json.dumps(found.payloads)


def test_what_lies_on_a_remote_goes_by_its_address(tmp_path: Path) -> None:
    git = Git(tmp_path / "repo")
    text = """[core]
    remote = store
['remote "store"']
    url = s3://bucket/prefix/   # where
[remote "beside"]
    url = ../../shared
['remote "of"']
    url = remote://store/deep
['remote "round"']
    url = remote://round
"""
    paths = [f"remote://{each}/x.csv" for each in ("store", "beside", "of", "round", "nobody's")]
    lock = _lock(get=_stage("g", [{"path": path, "etag": "E"} for path in paths], [_file("y.csv", "y")]))
    git.commit("one", {"sub/.dvc/config": text, "sub/dvc.lock": lock, ".dvc/config": ""})
    (payload,) = walked(git.directory).payloads
    assert {each["path"] for each in payload["stages"][0]["deps"]} == {
        "s3://bucket/prefix/x.csv",
        "shared/x.csv",
        "s3://bucket/prefix/deep/x.csv",
        "remote://round/x.csv",
        "remote://nobody's/x.csv",
    }


def test_a_configuration_is_read_whatever_it_holds() -> None:
    assert config.parsed(b"\xff\0\n[\n = \n['remote \"x\"']\nurl\n") == config.Config()
    assert config.parsed(b"[cache]\n dir = '/mnt/cache'\n").cache == "/mnt/cache"


def test_data_that_was_moved_is_the_next_version_of_what_it_was(tmp_path: Path) -> None:
    git = Git(tmp_path / "repo")
    git.commit("add", {"old.csv.dvc": json.dumps({"outs": [_file("old.csv", "x")]})})
    git("mv", "old.csv.dvc", "new.csv.dvc")
    git.commit("move", {"new.csv.dvc": json.dumps({"outs": [_file("new.csv", "x")]})})
    git.commit("change", {"new.csv.dvc": json.dumps({"outs": [_file("new.csv", "y")]})})
    with store_in(tmp_path / "store") as store:
        captured(store, git.directory)
        found = asked(
            store,
            """SELECT ?n ?v ?old ?was { ?new ps:previousVersion ?before ; ps:version ?v ;
               prov:specializationOf/ps:name ?n . ?before ps:version ?was ; prov:specializationOf/ps:name ?old }""",
        )
        assert_sound(store)
    assert found == {
        ("new.csv", _md5("x"), "old.csv", _md5("x")),
        ("new.csv", _md5("y"), "new.csv", _md5("x")),
    }


# --- DVC 2 ----------------------------------------------------------------------------------------------------------


def test_what_dvc_3_takes_over_from_dvc_2_is_no_new_execution_and_no_new_version(tmp_path: Path) -> None:
    git = Git(tmp_path / "repo")

    def of(form: Any, number: str) -> dict[str, str | bytes | None]:
        made = _stage("m", [form("raw.csv", "raw")], [form("x.csv", "x")])
        used = _stage(f"u {number}", [form("x.csv", "x")], [form("y.csv", number)])
        return {"dvc.lock": _lock(make=made, use=used), "raw.csv.dvc": json.dumps({"outs": [form("raw.csv", "raw")]})}

    git.commit("dvc 2", of(_old, "1"))
    git.commit("migrated", of(_file, "1"))
    git.commit("dvc 3", of(_file, "2"))
    with store_in(tmp_path / "store") as store:
        found, _ = captured(store, git.directory)
        lineage = asked(
            store,
            """SELECT ?y { ?w a ps:WriteState ; prov:specializationOf/ps:name "y.csv" ; prov:wasDerivedFrom+ ?r ;
               prov:wasGeneratedBy/ps:jobVersion/prov:value ?y . ?r prov:specializationOf/ps:name "raw.csv" }""",
        )
        before = asked(store, "SELECT ?a { ?a ps:previousVersion ?b }")
        assert_sound(store)
    subjects = [payload["commit"]["subject"] for payload in found.payloads if "commit" in payload]
    assert subjects == ["dvc 2", "dvc 3"]
    assert lineage == {("u 1",), ("u 2",)}
    assert not before


def test_the_cache_of_dvc_2_knows_bytes_by_the_name_that_dvc_2_gave_them(tmp_path: Path) -> None:
    git = Git(tmp_path / "repo")
    content, named = b"a\r\nb\r\n", _md5("a\nb\n")
    listed = json.dumps([{"md5": named, "relpath": "a.csv"}])
    lock = [{"path": "a.csv", "md5": named}, {"path": "d", "md5": f"{_md5(listed)}.dir"}]
    git.write({".gitignore": "/.dvc/cache\n"})
    for name, data in ((named, content), (f"{_md5(listed)}.dir", listed.encode())):
        git.write({f".dvc/cache/{name[:2]}/{name[2:]}": data})
    git.commit("one", {"a.csv.dvc": json.dumps({"outs": lock[:1]}), "d.dvc": json.dumps({"outs": lock[1:]})})
    with store_in(tmp_path / "store") as store:
        captured(store, git.directory)
        found = asked(
            store,
            """SELECT ?sha { ?v a ps:Version ; ps:bytes ?b . { ?b ps:symlink ?n } UNION { ?n ps:symlink+ ?b }
               UNION { ?b ps:symlink/^ps:symlink ?n } ?n ps:sha256 ?sha }""",
        )
        members = asked(store, "SELECT ?md5 { ?whole prov:hadMember ?b . ?b ps:md5 ?md5 }")
        assert_sound(store)
    assert found == {(hashlib.sha256(content).hexdigest(),)}
    assert members == {(_md5(content),)}


# --- caches ---------------------------------------------------------------------------------------------------------


def test_bytes_are_found_in_every_cache_that_a_project_uses(tmp_path: Path) -> None:
    git = Git(tmp_path / "repo")

    def keep(cache: Path, text: str) -> None:
        path = cache / "files/md5" / _md5(text)[:2] / _md5(text)[2:]
        path.parent.mkdir(parents=True)
        path.write_text(text)

    keep(git.directory / "sub/.dvc/cache", "of a project within")
    keep(tmp_path / "shared", "of all on this machine")
    keep(tmp_path / "beside", "of a setting that is committed")
    keep(tmp_path / "remote", "named by the user")
    git.write(
        {
            ".gitignore": "cache\nconfig.local\n",
            ".dvc/config": "[cache]\n    dir = ../../beside\n",
            "sub/.dvc/config": "",
            "deep/other/.dvc/config": "[cache]\n    dir = elsewhere\n",
            "deep/other/.dvc/config.local": f"[cache]\n    dir = {tmp_path}/shared\n",
        }
    )
    texts = ["of a project within", "of all on this machine", "of a setting that is committed", "named by the user"]
    git.commit("one", {f"sub/{n}.dvc": json.dumps({"outs": [_file(f"{n}", text)]}) for n, text in enumerate(texts)})
    found = walked(git.directory, caches=[tmp_path / "remote"])
    held = {each["bytes"]["sha256"] for each in found.payloads if "bytes" in each}
    assert held == {hashlib.sha256(text.encode()).hexdigest() for text in texts}
    assert not found.told


def test_numbers_that_only_the_cache_has_are_of_the_model_as_others_are(tmp_path: Path) -> None:
    git = Git(tmp_path / "repo")
    numbers, deep = json.dumps({"auc": 0.5}), "f1: 0.25\n"
    listed = json.dumps([{"md5": _md5(deep), "relpath": "deep/m.yaml"}])
    pipeline = {
        "stages": {"eval": {"cmd": "e", "metrics": ["m.json", "live/deep/m.yaml", "gone.json"]}},
        "artifacts": {"net": {"path": "net.bin", "type": "model"}},
    }
    outs = [
        _file("m.json", numbers),
        {"path": "live", "hash": "md5", "md5": f"{_md5(listed)}.dir"},
        _file("gone.json", "{}"),
    ]
    deps = [_file("net.bin", "net"), _file("test.csv", "t")]
    git.write({".gitignore": "/.dvc/cache\n"})
    git.commit("one", {"dvc.yaml": json.dumps(pipeline), "dvc.lock": _lock(eval=_stage("e", deps, outs))})
    for name, text in ((_md5(numbers), numbers), (f"{_md5(listed)}.dir", listed), (_md5(deep), deep)):
        git.write({f".dvc/cache/files/md5/{name[:2]}/{name[2:]}": text})
    with store_in(tmp_path / "store") as store:
        captured(store, git.directory)
        found = asked(
            store,
            """SELECT ?name ?value ?model ?on { ?m dqv:value ?value ; dqv:isMeasurementOf/dct:title ?name ;
               dqv:computedOn/ps:version ?model ; ps:onDataset/prov:specializationOf/ps:name ?on ;
               prov:wasGeneratedBy ?run . ?run a ps:Evaluation FILTER(?on = "test.csv") }""",
        )
        assert_sound(store)
    assert found == {("auc", "0.5", _md5("net"), "test.csv"), ("f1", "0.25", _md5("net"), "test.csv")}


# --- what is kept between runs --------------------------------------------------------------------------------------


def test_an_output_that_persists_may_be_made_of_the_one_before(tmp_path: Path) -> None:
    git = Git(tmp_path / "repo")
    pipeline = {"stages": {"train": {"cmd": "t", "outs": [{"m.pkl": {"persist": True}}, "log.txt"]}}}
    for number in ("1", "2", "3"):
        outs = [_file("m.pkl", number), _file("log.txt", f"log {number}")]
        lock = _lock(train=_stage("t", [_file("x.csv", number)], outs))
        git.commit(number, {"dvc.yaml": json.dumps(pipeline), "dvc.lock": lock})
    with store_in(tmp_path / "store") as store:
        captured(store, git.directory)
        found = asked(store, "SELECT ?new ?old { ?a ps:possiblyDerivedFrom ?b . ?a ps:md5 ?new . ?b ps:md5 ?old }")
        assert_sound(store)
    assert found == {(_md5("2"), _md5("1")), (_md5("3"), _md5("2"))}


# --- experiments without stages -------------------------------------------------------------------------------------


def test_what_a_program_logged_in_an_experiment_is_of_the_experiment(tmp_path: Path) -> None:
    git = Git(tmp_path / "repo")
    pipeline = {
        "params": ["live/params.yaml"],
        "metrics": ["live/m.json", "old.json", "staged.json"],
        "artifacts": {"net": {"path": "net.bin", "type": "model"}},
    }
    lock = _lock(eval=_stage("e", [_file("x.csv", "x")], [_file("staged.json", '{"f1": 1}')]))
    base = git.commit("base", {"dvc.yaml": json.dumps(pipeline), "old.json": '{"old": 1}', "dvc.lock": lock})
    logged: dict[str, str | bytes | None] = {"live/m.json": '{"loss": 0.25, "bad": NaN}', "staged.json": '{"f1": 1}'}
    logged |= {"live/params.yaml": "lr: 0.01\ndb: {password: hunter2secret}\n"}
    tip = git.commit("exp", {**logged, "net.bin.dvc": json.dumps({"outs": [_file("net.bin", "net")]})})
    git("update-ref", f"refs/exps/{base[:2]}/{base[2:]}/lively", tip)
    git("reset", "-q", "--hard", base)
    with store_in(tmp_path / "store") as store:
        found, _ = captured(store, git.directory)
        measured = asked(
            store,
            """SELECT ?title ?name ?value ?model { ?m dqv:value ?value ; dqv:isMeasurementOf/dct:title ?name ;
               dqv:computedOn ?v . ?v ps:version ?model ; prov:wasGeneratedBy/dct:title ?title }""",
        )
        set_ = asked(
            store, "SELECT ?key ?value { ?e dct:title 'lively' ; ps:parameter [ ps:key ?key ; ps:value ?value ] }"
        )
        assert_sound(store)
    assert measured == {("lively", "loss", "0.25", _md5("net"))}
    assert ("live/params.yaml:lr", "0.01") in set_
    assert "hunter2secret" not in json.dumps(found.payloads)
