"""DVC's files in a git history, each way they may be written, and the records that are made of them."""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
from pathlib import Path
from typing import Any

import pytest

from provstore.capture import dvc, formats
from provstore.errors import InvalidInput, TooLarge, Unmappable
from provstore.pull.dvc import files, templates, values
from provstore.pull.dvc.contents import unix
from tests.histories_of_dvc import asked, captured, executions, walked
from tests.repositories import Git
from tests.stores import BASE, assert_sound, store_in

_FOLDER = Path(__file__).parent / "fixtures" / "dvc"


def _md5(text: str | bytes) -> str:
    data = text.encode() if isinstance(text, str) else text
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def _lock(number: int = 1, *, deps: str = "", outs: str = "", extra: str = "") -> str:
    """A `dvc.lock` of one stage whose output differs by number."""
    return f"""schema: '2.0'
stages:
  make:
    cmd: python make.py {number}
    deps:
    - {{path: in.csv, hash: md5, md5: {_md5("in")}, size: 2}}
{deps}    outs:
    - {{path: out.csv, hash: md5, md5: {_md5(str(number))}, size: 1}}
{outs}{extra}"""


def _stages(payloads: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [stage for payload in payloads for stage in payload.get("stages", ())]


# --- forms of the files --------------------------------------------------------------------------------------------


def test_a_lock_of_schema_1_has_its_stages_at_the_top(tmp_path: Path) -> None:
    git = Git(tmp_path / "repo")
    text = "make:\n  cmd: python make.py\n  deps:\n  - {path: in.csv, md5: abcdef, size: 2}\n"
    git.commit("old", {"dvc.lock": text})
    (stage,) = _stages(walked(git.directory).payloads)
    # without `hash: md5` it is the digest of DVC 2, of other bytes
    assert stage["deps"][0]["hash"] == {"algorithm": "md5-dos2unix", "value": "abcdef"}


def test_digests_of_dvc_2_join_its_own_stages_and_are_no_md5(tmp_path: Path) -> None:
    git = Git(tmp_path / "repo")
    code = "print(1)\r\nprint(2)\r\n"
    unixed, data = _md5(code.replace("\r\n", "\n")), _md5("data")
    text = f"""schema: '2.0'
stages:
  one: {{cmd: a, deps: [{{path: a.py, md5: {unixed}}}], outs: [{{path: x.csv, md5: {data}}}]}}
  two: {{cmd: b, deps: [{{path: x.csv, md5: {data}}}], outs: [{{path: y.csv, md5: {_md5("y")}}}]}}
"""
    commit = git.commit("dvc 2", {"dvc.lock": text, "a.py": code})
    with store_in(tmp_path / "store") as store:
        captured(store, git.directory)
        joined = asked(
            store,
            """SELECT ?b { ?r a ps:ReadState ; prov:specializationOf/ps:name "x.csv" ; prov:wasDerivedFrom ?w ;
               prov:qualifiedDerivation/ps:basis ?b }""",
        )
        proven = asked(store, "SELECT ?n ?md5 { ?s ps:inCommit ?c ; ps:md5 ?md5 ; prov:specializationOf/ps:name ?n }")
        claimed = asked(store, f'SELECT ?s {{ ?s ps:md5 "{data}" }}')
        assert_sound(store)
    assert {basis.partition("#")[2] for (basis,) in joined} == {"ContentMatch"}
    assert proven == {("a.py", _md5(code))}
    assert not claimed
    assert len(commit) == 40


def test_the_digest_of_dvc_2_is_taken_of_text_without_carriage_returns() -> None:
    assert unix(b"a\r\nb\r\n") == b"a\nb\n"
    assert unix(b"\0a\r\n") == b"\0a\r\n"
    assert unix(bytes(range(128, 256)) * 4 + b"\r\n") == bytes(range(128, 256)) * 4 + b"\r\n"


def test_a_list_of_files_is_the_directory_that_dvc_would_name(tmp_path: Path) -> None:
    git = Git(tmp_path / "repo")
    members = sorted([("b/c.csv", _md5("c")), ("a.csv", _md5("a"))])
    listed = ", ".join(
        f"{{relpath: {path}, md5: {md5}, cloud: {{r: {{etag: e, version_id: v}}}}}}" for path, md5 in members
    )
    git.commit("files", {"data.dvc": f"outs: [{{path: data, hash: md5, nfiles: 2, files: [{listed}]}}]\n"})
    (payload,) = walked(git.directory).payloads
    manifest = json.dumps([{"md5": md5, "relpath": path} for path, md5 in members], sort_keys=True)
    assert payload["data"][0]["hash"]["value"] == f"{_md5(manifest)}.dir"


def test_code_in_a_tracked_folder_is_proven_by_the_folder_that_dvc_hashes(tmp_path: Path) -> None:
    git = Git(tmp_path / "repo")
    sources = {"src/a.py": "print('a')\n", "src/sub/b.py": "print('b')\n"}
    digest = files.directory([(path.removeprefix("src/"), _md5(text)) for path, text in sources.items()])
    good = f"    - {{path: src, hash: md5, md5: {digest}}}\n"
    bad = f"    - {{path: src, hash: md5, md5: {_md5('else')}.dir}}\n"
    git.commit("proven", {**sources, "dvc.lock": _lock(1, deps=good)})
    git.commit("unproven", {"dvc.lock": _lock(2, deps=bad)})
    held = [stage["deps"][1]["git"] for stage in _stages(walked(git.directory).payloads)]
    # a folder may hold files that git ignores and DVC does not: another digest proves nothing
    assert [(each["kind"], each["code"], each.get("matches")) for each in held] == [
        ("tree", True, True),
        ("tree", True, None),
    ]


def test_old_stages_in_files_of_their_own_are_executions(tmp_path: Path) -> None:
    git = Git(tmp_path / "repo")
    text = (
        "cmd: python t.py\nwdir: ..\ndeps:\n- {path: in.csv, md5: aa}\nouts:\n- {path: m.pkl, md5: bb, cache: true}\n"
    )
    git.commit("dvc 0", {"stages/train.dvc": text})
    git.commit("again", {"stages/train.dvc": text + "meta: {x: 1}\n"})
    (stage,) = _stages(walked(git.directory).payloads)
    assert (stage["file"], stage["cmd"]) == ("stages/train.dvc", "python t.py")
    assert [each["path"] for each in (*stage["deps"], *stage["outs"])] == ["in.csv", "m.pkl"]


def test_an_import_names_the_other_repository_at_its_commit(tmp_path: Path) -> None:
    git = Git(tmp_path / "repo")
    text = f"""deps:
- path: get/data.xml
  repo: {{url: "git@github.com:org/registry.git", rev: main, rev_lock: {"ab" * 20}}}
frozen: true
outs:
- {{path: data.xml, hash: md5, md5: {_md5("xml")}, size: 3}}
"""
    git.commit("import", {"in/data.xml.dvc": text})
    with store_in(tmp_path / "store") as store:
        captured(store, git.directory)
        found = asked(
            store,
            """SELECT ?from ?path ?commit ?md5 { ?w a ps:WriteState ; prov:specializationOf/ps:name "in/data.xml" ;
               prov:wasDerivedFrom ?r . ?r prov:specializationOf ?v , ?d ; ps:md5 ?md5 . ?v ps:commit ?commit .
               ?d a ps:Dataset ; ps:namespace ?from ; ps:name ?path }""",
        )
        assert_sound(store)
    assert found == {("https://github.com/org/registry", "get/data.xml", "ab" * 20, _md5("xml"))}


def test_what_a_cloud_says_of_content_is_a_weak_digest(tmp_path: Path) -> None:
    git = Git(tmp_path / "repo")
    text = "stages:\n  get:\n    cmd: get\n    deps:\n    - {path: 's3://bucket/dir/x.csv', etag: E1, size: 5}\n"
    git.commit("cloud", {"dvc.lock": f"schema: '2.0'\n{text}"})
    with store_in(tmp_path / "store") as store:
        captured(store, git.directory)
        found = asked(
            store,
            "SELECT ?ns ?n ?w { ?r ps:weakDigest ?w ; prov:specializationOf ?d . ?d ps:namespace ?ns ; ps:name ?n }",
        )
    assert found == {("s3://bucket", "dir/x.csv", "etag:E1")}


@pytest.mark.parametrize(
    ("pipeline", "name", "wdir"),
    [
        ("stages: {a: {cmd: x, wdir: sub}}", "a", "sub"),
        ("stages: {a: {foreach: [x, 1, true], do: {cmd: x, wdir: 'd/${item}'}}}", "a@true", "d/true"),
        ("stages: {a: {foreach: {k: {p: deep}}, do: {cmd: x, wdir: '${key}/${item.p}'}}}", "a@k", "k/deep"),
        ("stages: {a: {foreach: [{p: q}], do: {cmd: x, wdir: '${item[p]}'}}}", "a@0", "q"),
        ("stages: {a: {foreach: '${list}', do: {cmd: x, wdir: '${item}'}}}", "a@two", "two"),
        ("stages: {a: {matrix: {m: [x, y], n: [1, 2]}, cmd: x, wdir: '${item.m}${item.n}'}}", "a@y-2", "y2"),
        ("{vars: [v.yaml, {here: h}], stages: {a: {cmd: x, wdir: '${there}/${here}'}}}", "a", "t/h"),
        (
            "{vars: [c.toml, s.json:here], stages: {a: {cmd: x, wdir: '${place.dir}/${here}/${rows[1].n}'}}}",
            "a",
            "t/j/2",
        ),
        ("{vars: [p.py], stages: {a: {cmd: x, wdir: '${Net.size}/${depth}${Net.rate}'}}}", "a", "3/4-0.5"),
        ("{vars: [{deep: {more: m}}], stages: {a: {cmd: x, wdir: '${deep.own}/${deep.more}'}}}", "a", "o/m"),
        ("stages: {a: {foreach: [x, [y]], do: {cmd: x, wdir: 'd${item}'}}}", "a@0", "dx"),
        ("stages: {a@b: {cmd: x, wdir: w}}", "a@b", "w"),
        ("stages: {a: {cmd: x, wdir: 'w\\${here}'}}", "a", "w${here}"),
        ("stages: {b: {cmd: x}}", "a", None),
        ("stages: [1]", "a", None),
    ],
)
def test_where_a_stage_ran_is_filled_in(pipeline: str, name: str, wdir: str | None) -> None:
    beside = {
        "params.yaml": b"{list: [one, two], deep: {own: o}}",
        "v.yaml": b"there: t",
        "c.toml": b"[place]\ndir = 't'\n[[rows]]\nn = 1\n[[rows]]\nn = 2\n",
        "s.json": b'{"here": "j", "place": {"dir": "not wanted"}}',
        "p.py": b"import os\nhome = os.environ\ndepth: int = 4\nclass Net:\n    size = 3\n"
        b"    def __init__(self):\n        self.rate = -.5\n        local = 1\n",
    }
    found = templates.Pipeline(files.mapping(pipeline.encode()), beside.get).stage(name)
    assert found.get("wdir") == wdir


@pytest.mark.parametrize(
    "pipeline",
    [
        f"{{vars: [{{big: {'x' * 100_000}}}], stages: {{a: {{cmd: x, wdir: '{'${big}' * 1000}'}}}}}}",
        f"stages: {{a: {{matrix: {{{', '.join(f'k{n}: [1, 2, 3, 4]' for n in range(12))}}}, cmd: x}}}}",
    ],
    ids=["text", "matrix"],
)
def test_what_would_be_filled_in_without_end_is_told(pipeline: str) -> None:
    with pytest.raises(TooLarge):
        templates.Pipeline(files.mapping(pipeline.encode()), lambda _: None).stage("a" if "big" in pipeline else "a@x")


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("p.py", "x = " + "-" * 200_000 + "1"),
        ("p.py", "x = " + "a+" * 200_000 + "1"),
        ("p.py", "x = ("),
        ("p.py", "\0"),
        ("p.py", "x = 1\n" * 200_000),
        ("p.toml", "x = " + "[" * 100_000),
        ("p.toml", "x"),
        ("p.json", "[" * 100_000),
        ("p.json", "{"),
        ("p.yaml", "["),
        ("p.any", "\t- ["),
    ],
)
def test_a_file_of_values_that_cannot_be_read_says_so(path: str, content: str) -> None:
    with pytest.raises(InvalidInput, match=r"not |deep"):
        values.load(content.encode(), path)


def test_values_of_python_and_toml_are_those_that_dvc_reads() -> None:
    text = "a = {'x': (1, 2), 3: {2, 1}}\nb = c = 1\nd = f(1)\nwhen: str\ne = '\\d'\ndef f(x):\n    g = 1\n"
    assert values.load(text.encode(), "p.py") == {"a": {"x": [1, 2], "3": [1, 2]}, "e": "\\d"}
    assert values.load(b"t = 2026-01-02T03:04:05Z\nn = nan\n", "p.toml") == {
        "t": "2026-01-02 03:04:05+00:00",
        "n": "nan",
    }
    assert values.numbers(b'{"a": NaN, "b": [1], "c": {"d": 0.5, "e": true}}', "m.json") == {"c.d": 0.5}
    assert values.numbers(b"a = 1\n", "m.toml") == {"a": 1}


def test_a_folder_that_cannot_be_filled_in_is_told(tmp_path: Path) -> None:
    git = Git(tmp_path / "repo")
    git.commit("one", {"dvc.lock": _lock(), "dvc.yaml": "stages: {make: {cmd: x, wdir: '${nowhere}'}}"})
    found = walked(git.directory)
    assert [stage["outs"][0]["path"] for stage in _stages(found.payloads)] == ["out.csv"]
    assert ["nowhere" in told.message for told in found.told] == [True]


# --- histories -----------------------------------------------------------------------------------------------------


def test_what_cannot_be_read_in_one_commit_is_told_and_left_out_of_it_alone(tmp_path: Path) -> None:
    git = Git(tmp_path / "repo")
    git.commit("good", {"dvc.lock": _lock(1)})
    broken = git.commit("broken", {"dvc.lock": "stages: [", "in.csv.dvc": "outs: {"})
    git.commit("still broken", {"note": "x"})
    git.commit("good again", {"dvc.lock": _lock(2), "in.csv.dvc": None})
    found = walked(git.directory)
    assert [stage["cmd"] for stage in _stages(found.payloads)] == ["python make.py 1", "python make.py 2"]
    assert {(told.commit, told.path) for told in found.told} == {(broken, "dvc.lock"), (broken, "in.csv.dvc")}


def test_a_merge_records_only_what_no_parent_has(tmp_path: Path) -> None:
    git = Git(tmp_path / "repo")
    git.commit("base", {"dvc.lock": _lock(1), "README": "x"})
    git("checkout", "-q", "-b", "side")
    side = git.commit("side", {"dvc.lock": _lock(2)})
    git("checkout", "-q", "main")
    git.commit("main", {"README": "y"})
    git("merge", "-q", "--no-ff", "-m", "merge", "side")
    found = [(p["commit"]["id"], [s["cmd"] for s in p["stages"]]) for p in walked(git.directory).payloads]
    assert found[1:] == [(side, ["python make.py 2"])]


def test_the_same_execution_on_two_branches_is_one_run_in_two_records(tmp_path: Path) -> None:
    git = Git(tmp_path / "repo")
    git.commit("base")
    for branch in ("left", "right"):
        git("checkout", "-q", "-b", branch, "main")
        git.commit(branch, {"dvc.lock": _lock(1), "branch": branch})
    with store_in(tmp_path / "store") as store:
        _, new = captured(store, git.directory)
        assert (len(executions(store)), new) == (1, 2)
        assert_sound(store)


def test_sizes_and_order_do_not_make_another_execution(tmp_path: Path) -> None:
    git = Git(tmp_path / "repo")
    one = f"    - {{path: z.csv, hash: md5, md5: {_md5('z')}}}\n"
    other = f"    - {{path: z.csv, hash: md5, md5: {_md5('z')}, size: 1, isexec: true}}\n"
    git.commit("one", {"dvc.lock": _lock(1, deps=one)})
    git.commit("other", {"dvc.lock": _lock(1, deps=other)})
    assert len(_stages(walked(git.directory).payloads)) == 1


def test_numbers_count_only_from_the_file_that_the_stage_wrote(tmp_path: Path) -> None:
    git = Git(tmp_path / "repo")
    pipeline = (
        "stages: {make: {cmd: x, metrics: [m.json: {cache: false}]}}\nartifacts: {m: {path: out.csv, type: model}}"
    )
    measured = json.dumps({"auc": 0.5, "deep": {"n": 3}, "name": "x", "ok": True})

    def outs(text: str) -> str:
        return f"    - {{path: m.json, hash: md5, md5: {_md5(text)}}}\n"

    git.commit("told", {"dvc.yaml": pipeline, "dvc.lock": _lock(1, outs=outs(measured)), "m.json": measured})
    git.commit("edited", {"dvc.lock": _lock(2, outs=outs("other"))})
    with store_in(tmp_path / "store") as store:
        captured(store, git.directory)
        found = asked(
            store,
            """SELECT ?name ?value ?digest { ?m dqv:value ?value ; dqv:isMeasurementOf/dct:title ?name ;
               dqv:computedOn ?model . ?model a ps:ModelVersion ; ps:version ?digest }""",
        )
    assert found == {("auc", "0.5", _md5("1")), ("deep.n", "3", _md5("1"))}


def test_secrets_do_not_reach_a_payload(tmp_path: Path) -> None:
    git = Git(tmp_path / "repo")
    extra = "    params: {params.yaml: {db.password: hunter2secret, rate: 1}}\n"
    lock = _lock(1, extra=extra).replace("make.py 1", "make.py --token=s3cr3tvalue99")
    git.commit("leak", {"dvc.lock": lock})
    git("update-ref", f"refs/exps/{'ab'}/{'cd' * 19}/exp", "HEAD")
    payloads = walked(git.directory).payloads
    text = json.dumps(payloads)
    assert "hunter2secret" not in text
    assert "s3cr3tvalue99" not in text
    assert payloads[0]["redacted"]
    # names are those of what is sent, so that an experiment still finds its executions
    named = [dvc.execution_id(each["repository"]["namespace"], s) for each in payloads for s in each.get("stages", ())]
    assert payloads[-1]["experiment"]["executions"] == named


def test_refs_of_work_that_goes_on_are_no_experiments(tmp_path: Path) -> None:
    git = Git(tmp_path / "repo")
    commit = git.commit("one", {"dvc.lock": _lock()})
    for name in ("stash", "exec/EXEC_HEAD", "apply/ORIG_HEAD", "celery/stash", "temp/x"):
        git("update-ref", f"refs/exps/{name}", commit)
    assert [sorted(payload)[0] for payload in walked(git.directory).payloads] == ["commit"]


def test_the_cache_is_believed_only_where_its_bytes_have_their_name(tmp_path: Path) -> None:
    git = Git(tmp_path / "repo")
    git.commit("one", {"dvc.lock": _lock(1)})
    for text, stored in (("1", "1"), ("in", "corrupted")):
        digest = _md5(text)
        git.write({f".dvc/cache/files/md5/{digest[:2]}/{digest[2:]}": stored})
    found = walked(git.directory)
    held = [payload["bytes"] for payload in found.payloads if "bytes" in payload]
    assert held == [{"md5": _md5("1"), "sha256": hashlib.sha256(b"1").hexdigest(), "size": 1}]
    assert ["do not have the MD5" in told.message for told in found.told] == [True]
    assert not [p for p in walked(git.directory, hashes=False).payloads if "bytes" in p]


def test_a_directory_in_the_cache_has_its_files_as_members(tmp_path: Path) -> None:
    git = Git(tmp_path / "repo")
    members = [{"md5": _md5(text), "relpath": f"{text}.csv"} for text in ("a", "b")]
    manifest = json.dumps(members, sort_keys=True)
    git.write({f".dvc/cache/files/md5/{_md5(manifest)[:2]}/{_md5(manifest)[2:]}.dir": manifest})
    for text in ("a", "b"):
        git.write({f".dvc/cache/files/md5/{_md5(text)[:2]}/{_md5(text)[2:]}": text})
    git.write({".gitignore": "/.dvc/cache\n"})
    git.commit("one", {"data.dvc": f"outs: [{{path: data, hash: md5, md5: {_md5(manifest)}.dir, nfiles: 2}}]"})
    with store_in(tmp_path / "store") as store:
        captured(store, git.directory)
        found = asked(
            store,
            f"""SELECT ?sha256 {{ ?v a ps:Version ; ps:bytes ?b . ?b ps:md5 "{_md5(manifest)}.dir" ; prov:hadMember ?m .
                ?n ps:symlink ?m ; ps:sha256 ?sha256 }}""",
        )
    assert found == {(hashlib.sha256(text.encode()).hexdigest(),) for text in ("a", "b")}


@pytest.mark.parametrize("listed", [True, False], ids=["listed in the lock", "listed in the cache"])
def test_lineage_goes_through_a_file_of_a_directory_where_it_is_proven(tmp_path: Path, listed: bool) -> None:
    git = Git(tmp_path / "repo")
    members = [{"md5": _md5(text), "relpath": f"deep/{text}.csv"} for text in ("a", "b")]
    manifest = json.dumps(members, sort_keys=True)
    whole = f"{_md5(manifest)}.dir"
    if not listed:
        git.write({f".dvc/cache/files/md5/{whole[:2]}/{whole[2:]}": manifest, ".gitignore": "/.dvc/cache\n"})
    told = f"files: {json.dumps(members)}" if listed else f"md5: {whole}"
    inner, other = f"hash: md5, md5: {_md5('a')}", f"hash: md5, md5: {_md5('stale')}"
    text = f"""schema: '2.0'
stages:
  split: {{cmd: s, deps: [{{path: raw.csv, hash: md5, md5: {_md5("raw")}}}], outs: [{{path: data, hash: md5, {told}}}]}}
  one: {{cmd: o, deps: [{{path: data/deep/a.csv, {inner}}}], outs: [{{path: out/x.csv, hash: md5, md5: {_md5("x")}}}]}}
  stale: {{cmd: o, deps: [{{path: data/deep/b.csv, {other}}}], outs: [{{path: y.csv, hash: md5, md5: {_md5("y")}}}]}}
"""
    git.commit("parts", {"dvc.lock": text})
    with store_in(tmp_path / "store") as store:
        captured(store, git.directory)
        found = asked(
            store,
            """SELECT ?to { ?w a ps:WriteState ; prov:specializationOf/ps:name ?to ; prov:wasDerivedFrom+ ?r .
               ?r prov:specializationOf/ps:name "raw.csv" }""",
        )
        unknown = asked(store, "SELECT ?n { ?r a ps:UnresolvedRead ; prov:specializationOf/ps:name ?n }")
        assert_sound(store)
    assert found == {("data",), ("data/deep/a.csv",), ("out/x.csv",)}
    assert unknown == {("raw.csv",), ("data/deep/b.csv",)}


def test_who_reads_a_directory_reads_what_others_wrote_into_it(tmp_path: Path) -> None:
    git = Git(tmp_path / "repo")
    members = [{"md5": _md5("a"), "relpath": "a.csv"}]
    raw, a, o = (
        f"{{path: {path}, hash: md5, md5: {_md5(text)}}}" for path, text in (("raw", "r"), ("d/a.csv", "a"), ("o", "o"))
    )
    text = f"""schema: '2.0'
stages:
  write: {{cmd: w, deps: [{raw}], outs: [{a}]}}
  read: {{cmd: r, deps: [{{path: d, hash: md5, files: {json.dumps(members)}}}], outs: [{o}]}}
"""
    git.commit("into", {"dvc.lock": text})
    with store_in(tmp_path / "store") as store:
        captured(store, git.directory)
        found = asked(
            store,
            """SELECT ?to { ?w a ps:WriteState ; prov:specializationOf/ps:name ?to ; prov:wasDerivedFrom+ ?r .
               ?r prov:specializationOf/ps:name "raw" }""",
        )
        assert_sound(store)
    assert found == {("d/a.csv",), ("o",)}


def test_a_repository_without_dvc_says_nothing(tmp_path: Path) -> None:
    git = Git(tmp_path / "repo")
    assert walked(git.directory).payloads == []
    git.commit("one", {"a.py": "x", "dvc.lock": "", "x.dvc": "", "sub/dvc.lock": "schema: '2.0'\n"})
    found = walked(git.directory)
    assert (found.payloads, found.told) == ([], [])


@pytest.mark.slow
def test_a_long_history_takes_time_in_proportion(tmp_path: Path) -> None:
    """Four times the commits take at most eight times the time."""
    seconds = {}
    for commits in (1000, 4000):
        git = Git(tmp_path / str(commits))
        git("fast-import", "--quiet", given="".join(_imported(commits)))
        start = time.perf_counter()
        found = walked(git.directory)
        seconds[commits] = time.perf_counter() - start
        assert len(_stages(found.payloads)) == commits
    assert seconds[4000] < 8 * seconds[1000], seconds


def _imported(commits: int) -> list[str]:
    out = []
    for number in range(commits):
        lock = _lock(number)
        out.append(
            f"commit refs/heads/main\nauthor A <a@example.org> {1_767_000_000 + number} +0000\n"
            f"committer A <a@example.org> {1_767_000_000 + number} +0000\ndata 1\nx\n"
            f"M 644 inline dvc.lock\ndata {len(lock)}\n{lock}\n"
        )
    return out


# --- records -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["commit", "experiment", "tag", "part", "bytes"])
def test_a_payload_becomes_exactly_this_record(name: str) -> None:
    value = json.loads((_FOLDER / f"{name}.json").read_text())
    form = formats.of_payload(value)
    assert form.name == "dvc"
    mapped = form.map(value, base=BASE)
    assert mapped.quads.decode() == (_FOLDER / f"{name}.nq").read_text()
    assert mapped.liberties == ()


@pytest.mark.parametrize(
    ("value", "pointer"),
    [
        ({}, "/repository"),
        ({"repository": {"namespace": ""}}, "/repository/namespace"),
        ({"repository": {"namespace": "n"}}, "/bytes"),
        ({"repository": {"namespace": "n"}, "commit": {"id": "abc"}}, "/commit/id"),
        ({"repository": {"namespace": "n"}, "commit": {"id": "a" * 40}, "stages": [{"deps": []}]}, "/stages/0/file"),
        (
            {"repository": {"namespace": "n"}, "commit": {"id": "a" * 40}, "stages": [{"file": "f", "deps": [{}]}]},
            "/stages/0/deps/0/path",
        ),
        ({"repository": {"namespace": "n"}, "bytes": {"md5": "x"}}, "/bytes/md5"),
    ],
)
def test_a_payload_without_identity_is_refused_with_its_place(value: dict[str, Any], pointer: str) -> None:
    with pytest.raises(Unmappable) as caught:
        dvc.map_payload({"provstore": "dvc/1", **value}, base=BASE)
    assert caught.value.pointer == pointer


@pytest.mark.parametrize("rubbish", [1, "x", [1], {"x": 1}, None, [None], [[]], [{"path": 1}], True])
def test_rubbish_anywhere_is_reported_or_refused_and_nothing_else(rubbish: object) -> None:
    stage: dict[str, Any] = {"file": "dvc.yaml", "name": "s", "cmd": "c"}
    item: dict[str, Any] = {"path": "p"}
    whole: dict[str, Any] = {"provstore": "dvc/1", "repository": {"namespace": "n"}, "commit": {"id": "a" * 40}}
    values = [{**whole, member: rubbish} for member in ("commit", "stages", "data", "redacted")]
    values += [
        {**whole, "stages": [{**stage, member: rubbish}]} for member in (*stage, "deps", "outs", "params", "metrics")
    ]
    values += [
        {**whole, side: [{**stage, "deps": [{**item, member: rubbish}], **item, "outs": [{**item, member: rubbish}]}]}
        for member in ("path", "hash", "git", "model", "size", "etag", "origins", "previous")
        for side in ("stages", "data")
    ]
    for value in values:
        with contextlib.suppress(Unmappable):
            dvc.map_payload(value, base=BASE)
