"""Histories that DVC itself wrote, held against what git and DVC's files say of them."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from provstore import iris
from tests import environments, suites
from tests.histories_of_dvc import asked, captured, executions, recorded, walked
from tests.repositories import AUTHOR, Git
from tests.servers import command, serving
from tests.stores import BASE, assert_sound, store_in

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository of three stages, two versions of its data, and an experiment; made by DVC 3.67."""
    home = tmp_path_factory.mktemp("demo")
    with tarfile.open(suites.path("dvc") / "dvc_demo_repo.tar.gz") as archive:
        archive.extractall(home, filter="data")
    return home


def test_executions_hashes_and_parameters_are_those_of_git_and_the_locks(demo: Path, tmp_path: Path) -> None:
    told = recorded(demo)
    with store_in(tmp_path / "store") as store:
        captured(store, demo)
        found = executions(store)
        assert set(found.values()) == set().union(*told.values())
        assert len(found) == 8
        by_commit = asked(
            store,
            "SELECT ?r ?c { ?record prov:wasDerivedFrom ?c ; ps:about ?r . ?c a ps:CodeVersion . ?r ps:jobVersion ?v }",
        )
        assert_sound(store)
    parents = {row.split()[0]: row.split()[1:] for row in Git.log(demo, "%H %P")}
    for commit, held in told.items():
        new = held - set().union(*(told.get(parent, set()) for parent in parents[commit]))
        assert {found[run] for run, where in by_commit if where.endswith(commit)} == new


def test_data_versions_and_who_recorded_them_when_are_those_of_git(demo: Path, tmp_path: Path) -> None:
    with store_in(tmp_path / "store") as store:
        captured(store, demo)
        versions = asked(
            store,
            """SELECT ?md5 ?before ?commit ?who ?when { ?v a ps:Version ; ps:md5 ?md5 . ?record ps:about ?v ;
               prov:wasDerivedFrom ?commit ; prov:wasAttributedTo ?who ; prov:generatedAtTime ?when .
               OPTIONAL { ?v ps:previousVersion/ps:md5 ?before } }""",
        )
        started = asked(store, "SELECT ?r { ?r prov:startedAtTime|prov:endedAtTime ?t }")
    wanted = set()
    before = ""
    for row in reversed(Git.log(demo, "%H %ae %aI", "--", "data/raw.csv.dvc")):
        commit, email, when = row.split()
        md5 = Git.show(demo, f"{commit}:data/raw.csv.dvc").split("md5: ")[1].split()[0]
        person = f"{BASE}/agent/person/{iris.enc(email)}"
        wanted.add((md5, before, f"urn:swh:1:rev:{commit}", person, when.replace("+00:00", "Z")))
        before = md5
    assert versions == wanted
    assert len(wanted) == 2
    assert not started  # a commit is a time of recording, not of execution


def test_what_went_into_a_model_is_one_path_from_the_data_to_the_number_measured(demo: Path, tmp_path: Path) -> None:
    with store_in(tmp_path / "store") as store:
        captured(store, demo)
        reached = asked(
            store,
            """SELECT ?raw ?value { ?m dqv:computedOn ?model ; dqv:value ?value ; ps:onDataset ?test .
               ?test prov:specializationOf/ps:name "data/test.csv" . ?m prov:wasGeneratedBy ?evaluation .
               ?evaluation a ps:Evaluation . ?model prov:wasGeneratedBy ?training . ?training a ps:TrainingRun .
               ?model a ps:ModelVersion ; prov:wasDerivedFrom+ ?read . ?read ps:md5 ?raw ;
               prov:specializationOf/ps:name "data/raw.csv" }""",
        )
        bases = asked(
            store,
            """SELECT DISTINCT ?n ?basis { ?s a ps:WriteState ; prov:specializationOf/ps:name ?n ;
               prov:qualifiedDerivation/ps:basis ?basis }""",
        )
        learned = asked(
            store,
            """SELECT DISTINCT ?n ?role { ?r a ps:TrainingRun ; prov:qualifiedUsage ?u . ?u prov:entity ?s ;
               prov:hadRole ?role . ?s prov:specializationOf/ps:name ?n }""",
        )
        code = asked(store, "SELECT DISTINCT ?n { ?s prov:wasInfluencedBy/prov:specializationOf/ps:name ?n }")
    assert {float(value) for _, value in reached} == {
        json.loads(Git.show(demo, f"{commit}:dvclive/metrics.json"))["accuracy"] for commit in recorded(demo)
    }
    assert {basis.partition("#")[2] for name, basis in bases if name == "dvclive/metrics.json"} == {"DeclaredRole"}
    assert {(name, role.rpartition("#")[2]) for name, role in learned} == {
        ("data/train.csv", "TrainingData"),
        ("train.py", "code"),
    }
    assert {name for (name,) in code} == {"prepare.py", "train.py", "evaluate.py"}


def test_that_the_committed_code_ran_is_proven_by_its_bytes(demo: Path, tmp_path: Path) -> None:
    with store_in(tmp_path / "store") as store:
        captured(store, demo)
        proven = asked(
            store,
            """SELECT ?n ?md5 ?c { ?s ps:inCommit ?c ; ps:md5 ?md5 ; prov:specializationOf ?d .
               ?d a ps:Source ; ps:name ?n }""",
        )
        ran = asked(store, "SELECT ?r ?c { ?r prov:used ?c ; ps:jobVersion ?v . ?c a ps:CodeVersion }")
        differing = asked(store, "SELECT ?s { ?s ps:notInCommit ?c }")
        runs = set(executions(store))
    assert proven
    for name, md5, commit in proven:
        content = Git.show(demo, f"{commit.rpartition(':')[2]}:{name}", raw=True)
        assert hashlib.md5(content, usedforsecurity=False).hexdigest() == md5
    assert {run for run, _ in ran} == runs
    assert not differing


def test_cached_bytes_go_by_their_sha256_too(demo: Path, tmp_path: Path) -> None:
    with store_in(tmp_path / "store") as store:
        captured(store, demo)
        links = asked(store, "SELECT ?sha256 ?md5 { ?a ps:symlink ?b . ?a ps:sha256 ?sha256 . ?b ps:md5 ?md5 }")
    pairs = {md5: sha256 for sha256, md5 in links}
    cached = list((demo / ".dvc/cache/files/md5").glob("??/*"))
    assert len(cached) == 12
    for path in cached:
        content = path.read_bytes()
        assert pairs[path.parent.name + path.name] == hashlib.sha256(content).hexdigest()


def test_an_experiment_is_the_run_that_its_executions_are_part_of(demo: Path, tmp_path: Path) -> None:
    with store_in(tmp_path / "store") as store:
        captured(store, demo)
        parts = asked(
            store,
            """SELECT ?name ?baseline ?key ?value { ?run dct:isPartOf ?e ; ps:parameter ?set . ?set ps:key ?key ;
               ps:value ?value . ?e dct:title ?name ; prov:used/ps:commit ?baseline }""",
        )
        tags = asked(store, "SELECT ?tag ?c { ?v ps:tag ?tag ; ps:commit ?c }")
    baseline = Git.log(demo, "%H", "-1", "refs/heads/master")[0]
    assert parts == {("tuned", baseline, "train.scale", "1.05")}
    assert ("v2", baseline) in tags


def test_a_second_parse_is_a_no_op_also_by_the_command_line(demo: Path, tmp_path: Path) -> None:
    data: dict[str, object] = {"data": tmp_path / "store"}
    first = command("capture", "dvc", demo, settings=data)
    assert (first.returncode, first.stderr) == (0, b"")
    new = len(walked(demo).payloads)
    assert first.stdout.decode() == f"{new} new, 0 known, 0 refused, 0 unreadable\n"
    second = command("capture", "dvc", demo, "--format", "json", settings=data)
    said = json.loads(second.stdout)
    assert (said["new"], said["known"], said["refused"]) == (0, new, 0)


def test_a_server_takes_a_history_as_a_directory_does(demo: Path, tmp_path: Path) -> None:
    with serving(tmp_path / "data") as server:
        done = command("capture", "dvc", demo, "--server", server.url, "--namespace", "https://git.example/demo")
        assert done.returncode == 0, done.stderr
        found = server.rows(
            "SELECT ?n { ?d a <https://w3id.org/provstore/ns#Dataset> ; <https://w3id.org/provstore/ns#namespace> ?n }",
            min_index=server.http.get("/health").json()["head"],
        )
    assert {row["n"] for row in found} == {"https://git.example/demo"}


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (("--follow",), "go with mlflow"),
        (("--server", "http://127.0.0.1:9"), "no server answers"),
    ],
)
def test_what_cannot_be_done_says_why(demo: Path, tmp_path: Path, arguments: tuple[str, ...], wanted: str) -> None:
    done = command("capture", "dvc", demo, *arguments, settings={"data": tmp_path / "store"})
    assert done.returncode == 2
    assert wanted in done.stderr.decode()
    assert not (tmp_path / "store").exists()


def test_a_place_without_a_repository_is_no_store_either(tmp_path: Path) -> None:
    for place, wanted in ((tmp_path / "absent", "is no directory"), (tmp_path, "git cannot read")):
        done = command("capture", "dvc", place, settings={"data": tmp_path / "store"})
        assert (done.returncode, wanted in done.stderr.decode()) == (2, True)
    assert not (tmp_path / "store").exists()


def test_what_was_left_out_is_told_and_ends_in_1(demo: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(demo, tmp_path / "copy", symlinks=True)
    commit = Git(copy).commit("broken", {"dvc.lock": "stages: ["})
    done = command("capture", "dvc", copy, settings={"data": tmp_path / "store"})
    assert done.returncode == 1
    assert f"left out: dvc.lock in commit {commit[:12]}: not YAML" in done.stderr.decode()
    assert done.stdout.decode().endswith(" 0 refused, 1 unreadable\n")


# --- by DVC itself ---------------------------------------------------------------------------------------------------


class Dvc:
    """A repository that `dvc` works in."""

    def __init__(self, directory: Path) -> None:
        self.git = Git(directory)
        self._program = environments.programs("pipeline")
        self._environment = AUTHOR | {
            "PATH": f"{self._program}:{AUTHOR['PATH']}",
            "HOME": str(directory.parent / "home"),
            "DVC_NO_ANALYTICS": "1",
            "DVC_SITE_CACHE_DIR": str(directory.parent / "site"),
        }
        (directory.parent / "home").mkdir(exist_ok=True)

    def __call__(self, *arguments: str) -> str:
        return self.inside(".", *arguments)

    def inside(self, folder: str, *arguments: str) -> str:
        """Run it in a folder of the repository."""
        line = [str(self._program / "dvc"), *arguments]
        where = self.git.directory / folder
        done = subprocess.run(line, cwd=where, env=self._environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"dvc {' '.join(arguments)}\n{done.stdout}{done.stderr}"
        return done.stdout


_PREPARE = "lines = open('raw.csv').read().split()\nopen('clean.csv', 'w').write('\\n'.join(sorted(lines)))\n"
_TRAIN = """import json, yaml
rate = yaml.safe_load(open('params.yaml'))['rate']
json.dump({'n': len(open('clean.csv').read().split()) * rate}, open('model.json', 'w'))
"""
_SPLIT = """import os, sys
os.makedirs('../parts', exist_ok=True)
open('../parts/%s.csv' % sys.argv[1], 'w').write(open('../../clean.csv').read() + sys.argv[1])
"""
_SUB = """stages:
  split:
    foreach: [a, b]
    do:
      wdir: work/${item}/..
      cmd: python split.py ${item}
      deps: [split.py, ../../clean.csv]
      outs: ["../parts/${item}.csv"]
"""


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository made by DVC: an import, two stages, a loop with a folder of its own, a branch, an experiment."""
    home = tmp_path_factory.mktemp("real")
    dvc = Dvc(home / "repo")
    (home / "source.csv").write_text("3\n1\n2\n")
    dvc("init", "-q")
    dvc("import-url", str(home / "source.csv"), "raw.csv")
    dvc.git.write({"prepare.py": _PREPARE, "train.py": _TRAIN, "params.yaml": "rate: 0.5\nepochs: 1e-3\n"})
    dvc("stage", "add", "-n", "prepare", "-d", "prepare.py", "-d", "raw.csv", "-o", "clean.csv", "python prepare.py")
    line = ("-d", "train.py", "-d", "clean.csv", "-p", "rate,epochs", "-M", "model.json", "python train.py")
    dvc("stage", "add", "-n", "train", *line)
    dvc.git.write({"sub/work/a/keep": "", "sub/work/b/keep": "", "sub/work/split.py": _SPLIT, "sub/dvc.yaml": _SUB})
    dvc("repro", "-q", "--all-pipelines")
    dvc.git.commit("pipeline")
    dvc("exp", "run", "-q", "-n", "faster", "-S", "rate=0.75")
    dvc.git("checkout", "-q", "-f", "main")
    dvc.git("checkout", "-q", "-b", "other")
    dvc.git.write({"train.py": _TRAIN + "# changed\n"})
    dvc("repro", "-q", "train")
    dvc.git("checkout", "-q", "main", "--", "train.py")  # the lock is committed, the code that ran is not
    dvc.git.commit("lock without its code")
    dvc.git("checkout", "-q", "main")
    return home / "repo"


def test_what_dvc_wrote_is_read_as_it_stands(real: Path, tmp_path: Path) -> None:
    with store_in(tmp_path / "store") as store:
        found, _ = captured(store, real)
        held = executions(store)
        assert_sound(store)
    assert not found.told
    told = set().union(*recorded(real).values())
    assert {each for each in held.values() if "/" not in each[0]} == told
    assert sorted(each[0] for each in told) == ["prepare", "train", "train", "train"]
    # `wdir` and what a loop makes of it: paths are those of the repository
    split = {each[0]: (each[2], each[3]) for each in held.values() if "/" in each[0]}
    assert split.keys() == {"sub/dvc.yaml:split@a", "sub/dvc.yaml:split@b"}
    for name, (read, wrote) in split.items():
        assert {path for path, _ in read} == {"clean.csv", "sub/work/split.py"}
        assert {path for path, _ in wrote} == {f"sub/parts/{name[-1]}.csv"}


def test_an_import_leads_back_to_the_file_outside(real: Path, tmp_path: Path) -> None:
    with store_in(tmp_path / "store") as store:
        captured(store, real)
        found = asked(
            store,
            """SELECT DISTINCT ?space ?source ?md5 { ?part prov:specializationOf/ps:name "sub/parts/a.csv" ;
               prov:wasDerivedFrom+ ?read . ?read ps:md5 ?md5 ; prov:specializationOf ?d .
               ?d ps:namespace ?space ; ps:name ?source FILTER(?space = "file") }""",
        )
    source = real.parent / "source.csv"
    digest = hashlib.md5(source.read_bytes(), usedforsecurity=False).hexdigest()
    assert found == {("file", str(source), digest)}


def test_code_that_was_not_committed_is_a_finding_and_no_commit_is_said_to_have_run(real: Path, tmp_path: Path) -> None:
    with store_in(tmp_path / "store") as store:
        captured(store, real)
        differing = asked(
            store,
            """SELECT ?n ?title ?run { ?s ps:notInCommit ?c ; prov:specializationOf ?d . ?d a ps:Dataset ; ps:name ?n .
               ?c dct:title ?title . ?run prov:used ?s }""",
        )
        (run,) = {run for *_, run in differing}
        used = asked(store, f"SELECT ?c {{ <{run}> prov:used ?c . ?c a ps:CodeVersion }}")
    assert {(name, title) for name, title, _ in differing} == {("train.py", "lock without its code")}
    assert not used


def test_a_number_in_a_lock_is_a_number_as_dvc_reads_it(real: Path, tmp_path: Path) -> None:
    """`1e-3` is one in YAML 1.2, and text to a reader of YAML 1.1."""
    sets = {
        json.dumps(values)
        for payload in walked(real).payloads
        for stage in payload.get("stages", ())
        for values in stage["params"].values()
    }
    assert sets == {json.dumps({"epochs": 0.001, "rate": 0.5}), json.dumps({"epochs": 0.001, "rate": 0.75})}


def test_after_new_commits_the_old_payloads_are_the_same(real: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(real, tmp_path / "copy", symlinks=True)
    git = Git(copy)
    before = [json.dumps(each, sort_keys=True) for each in walked(copy).payloads]
    lock = (copy / "dvc.lock").read_text()
    git.commit("by hand", {"dvc.lock": lock.replace("python train.py", "python  train.py")})
    after = [json.dumps(each, sort_keys=True) for each in walked(copy).payloads]
    assert set(before) < set(after)
    assert len(after) == len(before) + 1


# --- what a larger project of DVC's has ---------------------------------------------------------------------------

_RUN = """import json, pathlib, sys
out = pathlib.Path(sys.argv[1])
out.parent.mkdir(parents=True, exist_ok=True)
out.write_text(' '.join(sys.argv[1:]))
if len(sys.argv) > 3:
    pathlib.Path(sys.argv[3]).write_text(json.dumps({'auc': len(sys.argv[2])}))
"""
_LARGE = """vars: [settings.py, places.toml, "sizes.json:models", {train: {more: 3}}]
stages:
  size:
    foreach: ${models}
    do:
      wdir: ${place.dir}
      cmd: python ../run.py ${key}.txt ${item.n}
      outs: ["${key}.txt"]
  grid:
    matrix: {m: "${names}", k: [{p: 1}, {p: 2}], z: [0.5, true]}
    cmd: python run.py ${item.m}/${item.k.p}/${item.z}.txt
    outs: ["${item.m}/${item.k.p}/${item.z}.txt"]
  final:
    cmd: python run.py ${model_path} ${Net.rate}${train.more} ${metrics_file}
    deps: [ds://pool, run.py]
    outs: ["${model_path}": {persist: true}]
    metrics: ["${metrics_file}"]
artifacts: {credit: {path: "${model_path}", type: model}}
"""


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project made by DVC in a folder of a repository: variables of every kind, loops, a dataset, an experiment."""
    home = tmp_path_factory.mktemp("large")
    registry = Dvc(home / "registry")
    registry("init", "-q")
    registry.git.write({"pool.csv": "1\n"})
    registry("add", "-q", "pool.csv")
    registry.git.commit("pool")
    dvc = Dvc(home / "repo")
    dvc.git.write({"sub/keep": ""})
    dvc.inside("sub", "init", "-q", "--subdir")
    dvc.inside("sub", "config", "--local", "cache.dir", str(home / "cache"))
    dvc.inside("sub", "dataset", "add", "-q", "pool", "--dvc", str(home / "registry"), "--path", "pool.csv")
    declared = (dvc.git.directory / "sub/dvc.yaml").read_text()
    settings = "import os\n\nclass Net:\n    rate: float = 0.5\n    path = os.sep\n"
    files = {
        "run.py": _RUN,
        "settings.py": settings,
        "places.toml": "[place]\ndir = 'deep'\n",
        "sizes.json": '{"models": {"small": {"n": 1}, "big.2": {"n": 2}}}',
        "params.yaml": "names: [a, b]\nmodel_path: out/model.txt\nmetrics_file: auc.json\ntrain: {seed: 7}\n",
        "dvc.yaml": declared + _LARGE,
        "deep/keep": "",
        "data.csv": "1",
    }
    dvc.git.write({f"sub/{name}": text for name, text in files.items()})
    dvc.inside("sub", "add", "-q", "data.csv")
    dvc.inside("sub", "repro", "-q")
    dvc.git.commit("first")
    dvc.git.write({"sub/settings.py": settings.replace("0.5", "0.25")})
    dvc.inside("sub", "move", "-q", "data.csv", "moved.csv")
    dvc.inside("sub", "repro", "-q")
    dvc.git.commit("second")
    return home / "repo"


def test_every_output_lies_where_it_is_told_with_the_bytes_that_are_told(large: Path) -> None:
    found = walked(large)
    assert not found.told
    latest = {
        out["path"]: out["hash"]["value"]
        for payload in found.payloads
        for stage in payload.get("stages", ())
        for out in stage["outs"]
    }
    assert len(latest) == 2 + 8 + 2
    for path, digest in latest.items():
        assert hashlib.md5((large / path).read_bytes(), usedforsecurity=False).hexdigest() == digest, path


def test_what_dvc_fills_in_resolves_and_caches_is_in_the_graph(large: Path, tmp_path: Path) -> None:
    with store_in(tmp_path / "store") as store:
        captured(store, large)
        measured = asked(
            store,
            """SELECT ?value ?model { ?m dqv:value ?value ; dqv:computedOn ?v . ?v a ps:ModelVersion ; ps:md5 ?md5 ;
               prov:specializationOf/ps:name ?model }""",
        )
        pool = asked(
            store,
            """SELECT ?repository ?path ?commit { ?model a ps:ModelVersion ; prov:wasDerivedFrom ?r .
               ?r prov:specializationOf ?d , ?v . ?d a ps:Dataset ; ps:namespace ?repository ; ps:name ?path .
               ?v ps:commit ?commit }""",
        )
        kept = asked(store, "SELECT ?a ?b { ?a ps:possiblyDerivedFrom ?b }")
        moved = asked(
            store,
            """SELECT ?was ?is { ?v ps:previousVersion ?b ; prov:specializationOf/ps:name ?is .
               ?b prov:specializationOf/ps:name ?was }""",
        )
        cached = asked(store, "SELECT ?sha { ?b a ps:Bytes ; ps:sha256 ?sha ; ps:symlink ?md5 }")
        assert_sound(store)
    registry = large.parent / "registry"
    assert measured == {("4", "sub/dvc.yaml:credit"), ("5", "sub/dvc.yaml:credit")}
    assert pool == {(f"file://{registry}", "pool.csv", Git.log(registry, "%H", "main")[0])}
    assert len(kept) == 1
    assert moved == {("sub/data.csv", "sub/moved.csv")}
    stored = {
        hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (large.parent / "cache/files/md5").glob("??/*")
        if not path.name.endswith(".dir")
    }
    assert stored - {sha for (sha,) in cached} == set()
