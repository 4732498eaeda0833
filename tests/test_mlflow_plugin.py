"""The MLflow plugin, installed beside a real MLflow: what unchanged programs read is told, and nothing breaks them."""

from __future__ import annotations

import hashlib
import http.server
import json
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import tomllib
import venv
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from zipfile import ZipFile

import pytest

import provstore
from provstore.observe import reads
from provstore.observe.reads import Read
from tests.environments import programs
from tests.servers import command
from tests.suites import ROOT

pytestmark = pytest.mark.slow

CLIENT = ROOT / "clients" / "mlflow"
SCRIPTS = ROOT / "tests" / "emitters" / "plugin"
SECRET = "hunter2hunter2"


def ran(
    *command: str | Path, cwd: Path, env: dict[str, str] | None = None, code: int = 0
) -> subprocess.CompletedProcess[str]:
    line = [str(part) for part in command]
    done = subprocess.run(line, cwd=cwd, env=env, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == code, f"{' '.join(line)}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


# --- the wheel -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, made from a source distribution, as an index would offer it."""
    out = tmp_path_factory.mktemp("wheel")
    ran(sys.executable, "-m", "build", "--no-isolation", "--outdir", out, CLIENT, cwd=out)
    (found,) = out.glob("*.whl")
    return found


def test_the_wheel_is_the_same_from_the_repository(wheel: Path, tmp_path: Path) -> None:
    ran(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", tmp_path, CLIENT, cwd=tmp_path)
    assert (tmp_path / wheel.name).read_bytes() == wheel.read_bytes()


def test_the_wheel_is_pure_and_needs_the_standard_library_alone(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        names = archive.namelist()
        texts = {name: archive.read(name).decode() for name in names if name.endswith(".py")}
        metadata = archive.read(f"provstore_mlflow-{provstore.__version__}.dist-info/METADATA").decode()
        assert archive.read("provstore_mlflow.pth").decode() == "import provstore_mlflow.hook\n"
    assert "Requires-Dist" not in metadata
    assert "License-Expression: Apache-2.0\n" in metadata
    assert {Path(name).name for name in texts if "/observe/" in name} == {
        path.name for path in (ROOT / "provstore" / "observe").glob("*.py")
    }
    for name, text in texts.items():
        imported = set(re.findall(r"^\s*(?:from|import) (\w+)", text, re.MULTILINE))
        assert imported <= set(sys.stdlib_module_names) | {"provstore_mlflow"}, name


def test_it_is_versioned_and_named_with_provstore() -> None:
    project = tomllib.loads((CLIENT / "pyproject.toml").read_text())["project"]
    assert (project["name"], project["dependencies"]) == ("provstore-mlflow", [])
    assert f'__version__ = "{provstore.__version__}"' in (CLIENT / "provstore_mlflow" / "__init__.py").read_text()


# --- an environment with MLflow and the plugin ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Tracking:
    """A tracking database, and programs that use it, each in a folder and under an experiment of its own."""

    home: Path
    plugged: Path
    plain: Path

    def folder(self, name: str) -> Path:
        home = self.home / name
        (home / "data").mkdir(parents=True)
        (home / "tmp").mkdir()
        (home / "data" / "train.csv").write_text("income,debt,default\n1,9,1\n8,1,0\n2,8,1\n9,2,0\n1,7,1\n7,1,0\n")
        (home / "data" / "holdout.csv").write_text("income,debt,default\n2,9,1\n")
        return home

    def run(
        self,
        home: Path,
        script: str,
        *words: str,
        python: Path | None = None,
        code: int = 0,
        env: dict[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run a script in its folder, with no settings but MLflow's and the given."""
        told = {
            "HOME": str(self.home),
            "PATH": "/usr/bin:/bin",
            "TMPDIR": str(home / "tmp"),
            "MLFLOW_TRACKING_URI": f"sqlite:///{self.home}/mlflow.db",
            "MLFLOW_EXPERIMENT_NAME": home.name,
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "DO_NOT_TRACK": "1",
            **(env or {}),
        }
        return ran(python or self.plugged, SCRIPTS / script, *words, cwd=home, env=told, code=code)

    def tags(self, home: Path) -> dict[str, dict[str, str]]:
        """The tags of the runs of a folder's experiment, by run, in the order in which they began."""
        asked = (
            "SELECT runs.run_uuid, tags.key, tags.value FROM runs JOIN tags USING (run_uuid)"
            " JOIN experiments USING (experiment_id) WHERE experiments.name = ? ORDER BY runs.start_time, runs.run_uuid"
        )
        found: dict[str, dict[str, str]] = {}
        with closing(sqlite3.connect(self.home / "mlflow.db")) as database:
            for run, key, value in database.execute(asked, (home.name,)):
                found.setdefault(run, {})[key] = value
        return found

    def only(self, home: Path) -> dict[str, str]:
        (tags,) = self.tags(home).values()
        return tags


@pytest.fixture(scope="module")
def tracking(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Tracking:
    """The environment of the pipeline, seen through a path file, and the plugin installed above it."""
    home, found = tmp_path_factory.mktemp("tracking"), programs("pipeline")
    venv.create(home / "env", with_pip=False)
    python = home / "env" / "bin" / "python"
    (site,) = home.glob("env/lib/python*/site-packages")
    (libraries,) = found.parent.glob("lib/python*/site-packages")
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python)
    ran(*pip, "install", "--quiet", "--no-deps", "--no-index", wheel, cwd=home)
    (site / "libraries.pth").write_text(f"{libraries}\n")
    return Tracking(home, python, found / "python")


def told(tags: dict[str, str]) -> tuple[Read, ...]:
    found = reads.parse(tags)
    assert found is not None
    assert found.complete
    return found.reads


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()


# --- what is told --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def trained(tracking: Tracking) -> Path:
    """The folder of a script that ran twice as it is: with the plugin and, under the experiment `alone`, without."""
    home = tracking.folder("unchanged")
    tracking.run(home, "training.py")
    tracking.run(home, "training.py", python=tracking.plain, env={"MLFLOW_EXPERIMENT_NAME": "alone"})
    return home


def test_the_origin_of_an_unchanged_script_is_told_with_its_digests(tracking: Tracking, trained: Path) -> None:
    tags = tracking.only(trained)
    train, holdout = trained / "data" / "train.csv", trained / "data" / "holdout.csv"
    assert tags["mlflow.autologging"] == "sklearn"
    # the run ended with `fit`, before the other file was opened
    assert told(tags) == (Read(str(train), sha256=sha256(train), md5=md5(train), size=train.stat().st_size),)
    assert sha256(holdout) not in json.dumps(tags)


def test_mlflow_alone_tells_none(tracking: Tracking, trained: Path) -> None:
    tags = tracking.only(trained.parent / "alone")
    assert "mlflow.autologging" in tags
    assert [key for key in tags if key.startswith("provstore")] == []
    assert "train.csv" not in json.dumps(tags)


def test_with_it_a_model_is_affected_and_without_possibly(tracking: Tracking, trained: Path, tmp_path: Path) -> None:
    """From the unchanged script to the answer of the store: what if the file it was trained on was bad?"""
    shutil.copyfile(tracking.home / "mlflow.db", tmp_path / "mlflow.db")
    store, program = ("--data", tmp_path / "store"), tracking.plain.parent / "mlflow"
    taken = command("capture", "mlflow", tmp_path / "mlflow.db", "--mlflow", program, "--no-artifacts", *store)
    assert taken.returncode == 0, taken.stderr.decode()
    train = trained / "data" / "train.csv"
    asked = command("impact", *store, "--kind", "ModelVersion", "--format", "json", train)
    assert asked.returncode == 0, asked.stderr.decode()
    (watched,), (alone,) = tracking.tags(trained), tracking.tags(trained.parent / "alone")
    verdicts = {}
    with closing(sqlite3.connect(tmp_path / "mlflow.db")) as database:
        runs = dict(database.execute("SELECT model_id, source_run_id FROM logged_models"))
    for each in json.loads(asked.stdout)["verdicts"]:
        verdicts[runs[each["iri"].rpartition("/")[2]]] = each["verdict"]
    assert verdicts == {watched: "affected", alone: "possibly affected"}
    read = command("sparql", *store, "--format", "csv", _STATES % sha256(train))
    assert read.stdout.decode().split() == ["n", "1"]


_STATES = """PREFIX prov: <http://www.w3.org/ns/prov#> PREFIX ps: <https://w3id.org/provstore/ns#>
SELECT (COUNT(DISTINCT ?state) AS ?n) WHERE { ?model a ps:ModelVersion ; prov:wasDerivedFrom+ ?state .
?state ps:sha256 "%s" }"""


def test_a_run_that_read_two_thousand_files_has_them_all_in_the_store(tracking: Tracking, tmp_path: Path) -> None:
    home = tracking.folder("many")
    for n in range(2000):
        (home / "data" / f"part-{n:04}.csv").write_text(f"id\n{n}\n")
    tracking.run(home, "many.py")
    head = json.loads(tracking.only(home)[reads.TAG])
    assert (head["count"], head["artifact"]) == (2000, reads.ARTIFACT)
    shutil.copyfile(tracking.home / "mlflow.db", tmp_path / "mlflow.db")
    shutil.copytree(home / "mlruns", tmp_path / "mlruns")
    store, program = ("--data", tmp_path / "store"), tracking.plain.parent / "mlflow"
    taken = command("capture", "mlflow", tmp_path / "mlflow.db", "--mlflow", program, *store)
    assert taken.returncode == 0, taken.stderr.decode()
    asked = command("sparql", *store, "--format", "csv", _READ % home)
    assert set(asked.stdout.decode().split()[1:]) == {sha256(path) for path in (home / "data").glob("part-*.csv")}


_READ = """PREFIX prov: <http://www.w3.org/ns/prov#> PREFIX ps: <https://w3id.org/provstore/ns#>
SELECT ?sha256 WHERE { ?run a ps:Run ; prov:used ?state . ?state ps:sha256 ?sha256 ; prov:specializationOf ?file .
?file ps:name ?name FILTER(STRSTARTS(?name, "%s/data/part-")) }"""


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        return


@pytest.fixture
def web(tmp_path: Path) -> Iterator[str]:
    """A folder with two files, served on this machine."""
    for name in ("rates.csv", "fsspec.csv"):
        (tmp_path / name).write_text("a\n1\n")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(tmp_path))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


WAYS = {
    "open.csv": "open",
    "pandas.csv": "open",
    "pandas_pyarrow.csv": "open",
    "späße & more.csv": "open",
    "arrow.csv": "pyarrow",
    "pandas.parquet": "pyarrow",
    "arrow.parquet": "pyarrow",
    "arrow_file.parquet": "pyarrow",
    "parts/p=1/part.parquet": "pyarrow",
    "arrow.orc": "pyarrow",
    "arrow.feather": "pyarrow",
    "mapped.arrow": "pyarrow",
    "duck_sql.csv": "duckdb",
    "duck_sql.parquet": "duckdb",
    "duck_call.csv": "duckdb",
    "duck_glob_1.csv": "duckdb",
    "duck_glob_2.csv": "duckdb",
    "store.duckdb": "duckdb",
    "loaded.npy": "open",
    "mapped.npy": "open",
    "raw.bin": "open",
    "pickled.pkl": "open",
    "dumped.joblib": "open",
    "rows.sqlite": "sqlite3",
}


def test_every_way_of_reading_is_seen(tracking: Tracking, web: str) -> None:
    home = tracking.folder("reading")
    tracking.run(home, "reading.py")
    tracking.run(home, "reading.py", web)
    found = told(tracking.only(home))
    made = home / "made"
    assert {each.when for each in found} == {"during"}
    seen = {each.path: each for each in found if each.path.startswith(f"{made}/") and each.sha256}
    assert {path.removeprefix(f"{made}/"): each.via for path, each in seen.items()} == WAYS
    for path, each in seen.items():
        assert (each.sha256, each.md5, each.size) == (sha256(Path(path)), md5(Path(path)), Path(path).stat().st_size)
    others = {each.path or each.url: each for each in found if each.path not in seen}
    iris = next(path for path in others if path.endswith("sklearn/datasets/data/iris.csv"))
    assert others.pop(iris).sha256 == sha256(Path(iris))
    assert others == {
        str(home / "out.txt"): Read(
            str(home / "out.txt"), sha256=sha256(home / "out.txt"), md5=md5(home / "out.txt"), size=1, written=True,
            when="during",
        ),
        str(made / "client_secret.json"): Read(
            str(made / "client_secret.json"), size=2, refused="its name is that of a secret", when="during"
        ),
        f"{web}/rates.csv?token=[redacted]": Read(
            url=f"{web}/rates.csv?token=[redacted]", via="urllib", when="during"
        ),
        f"{web}/fsspec.csv": Read(url=f"{web}/fsspec.csv", via="fsspec", when="during"),
    }  # fmt: skip


def test_a_child_writes_no_secret_of_an_address_down(tracking: Tracking, tmp_path: Path) -> None:
    asks = "import urllib.request as r; r.urlopen('http://127.0.0.1:1/x.csv?page=2&token=hunter2hunter2')"
    ran(tracking.plugged, "-c", asks, cwd=tmp_path, env={"PROVSTORE_MLFLOW_SPOOL": str(tmp_path)}, code=1)
    (line,) = (each.read_text() for each in tmp_path.iterdir() if each.is_file())
    assert json.loads(line)[1] == "http://127.0.0.1:1/x.csv?page=2&token=[redacted]"


@pytest.fixture(scope="module")
def running(tracking: Tracking) -> dict[str, dict[str, list[Read]]]:
    """What each run of the script of many runs says of each file."""
    home = tracking.folder("running")
    env = {"PROVSTORE_MLFLOW_MAX_BYTES": "4000"}
    done = tracking.run(home, "running.py", code=3, env=env)
    assert "provstore" not in done.stderr
    assert list((home / "tmp").iterdir()) == []
    names, tags = json.loads(done.stdout.splitlines()[-1]), tracking.tags(home)
    tags |= tracking.tags(Path("Default"))  # where a client puts a run by itself
    out: dict[str, dict[str, list[Read]]] = {}
    for name, run in names.items():
        for each in told(tags[run]):
            out.setdefault(name, {}).setdefault(each.path.removeprefix(f"{home}/"), []).append(each)
    return out


def during(running: dict[str, dict[str, list[Read]]], run: str, when: str = "during") -> set[str]:
    return {path for path, found in running[run].items() if any(each.when == when for each in found)}


def test_each_run_tells_what_it_read_and_how_it_lies_to_it(running: dict[str, dict[str, list[Read]]]) -> None:
    assert during(running, "outer") == {"outer.txt", "inner.txt", "outer_later.txt"}
    assert during(running, "inner") == {"inner.txt"}
    assert during(running, "inner", "before") == {"before.txt", "outer.txt"}
    assert during(running, "next") == {"next.txt"}
    assert during(running, "next", "before") == {"before.txt"}
    assert during(running, "next", "other") == {"outer.txt", "inner.txt", "outer_later.txt"}
    assert during(running, "failed") == {"failed.txt"}
    assert during(running, "left") == {"left.txt"}  # ended by MLflow when the program exits
    assert not any("unread.txt" in found for found in running.values())


def test_threads_and_workers_are_told_apart(running: dict[str, dict[str, list[Read]]]) -> None:
    assert during(running, "one") == {"one.txt"}
    assert during(running, "two") == {"two.txt"}
    assert during(running, "helped") == {"helped.txt"}
    children = {*(f"loky_{n}.txt" for n in range(4)), "fork.txt", "spawn.txt"}
    assert during(running, "workers") == children
    assert all(each.worker for name in children for each in running["workers"][name])
    assert not any(each.worker for each in running["outer"]["outer.txt"])


def test_a_run_taken_up_again_keeps_what_was_told(running: dict[str, dict[str, list[Read]]]) -> None:
    assert during(running, "client") == {"client.txt", "client_later.txt"}


def test_files_that_do_not_stay_as_they_are(running: dict[str, dict[str, list[Read]]]) -> None:
    found = running["changing"]

    def digests(name: str) -> list[str]:
        return [each.sha256 for each in found[name]]

    def of(text: str) -> str:
        return hashlib.sha256(text.encode()).hexdigest()

    assert digests("rewritten.txt") == [of("rewritten.txt"), of("second")]
    assert digests("deleted.txt") == [of("deleted.txt")]
    assert digests("moved.txt") == [of("moved.txt")]
    assert digests("empty.txt") == [of("")]
    assert digests("thrice.txt") == digests("link.txt") == [of("thrice.txt")]
    assert [(each.changed, each.sha256) for each in found["changed.txt"]] == [(True, "")]
    for name, why in (("gone.txt", "FileNotFound"), ("large.txt", "larger than 4000"), ("pipe", "not a regular")):
        (each,) = found[name]
        assert each.refused.startswith(why)
        assert each.sha256 == ""
    assert found["own.txt"][0].written
    assert not any(name.endswith("x.txt") for name in found)  # in a temporary folder of the program's own
    assert during(running, "changing") == {
        *("rewritten.txt", "deleted.txt", "moved.txt", "changed.txt", "gone.txt", "own.txt", "large.txt"),
        *("empty.txt", "thrice.txt", "link.txt", "pipe"),
    }


# --- what surrounds a run ------------------------------------------------------------------------------------------


def git(home: Path, *words: str) -> str:
    identity = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
    return ran("git", *identity, *words, cwd=home).stdout.strip()


def test_code_stage_and_job_are_told_without_their_secrets(tracking: Tracking) -> None:
    home = tracking.folder("surrounded")
    git(home, "init", "--quiet", "--initial-branch=main")
    git(home, "add", "data")
    git(home, "commit", "--quiet", "--message=data")
    git(home, "remote", "add", "origin", f"https://ada:{SECRET}@git.example/risk.git")
    env = {
        "DVC_STAGE": "train",
        "DVC_EXP_BASELINE_REV": "a815c41",
        "GITHUB_ACTIONS": "true",
        "GITHUB_RUN_ID": "17",
        "GITHUB_TOKEN": SECRET,
        "SLURM_JOB_ID": "4711",
        "PROVSTORE_MLFLOW_CACHE": "off",
    }
    (home / "tmp").rmdir()
    tracking.run(home, "plain.py", env={**env, "TMPDIR": "/tmp"})
    (home / "new.py").write_text("print()\n")
    tracking.run(home, "plain.py", "holdout.csv", env={**env, "TMPDIR": "/tmp", "X": SECRET})
    clean, dirty = tracking.tags(home).values()
    assert SECRET not in json.dumps([clean, dirty])
    assert clean["provstore.git.dirty"] == "false"
    assert "provstore.git.diff_sha256" not in clean
    assert dirty["provstore.git.dirty"] == "true"
    assert re.fullmatch(r"[0-9a-f]{64}", dirty["provstore.git.diff_sha256"])
    commit = git(home, "rev-parse", "HEAD")
    for tags in (clean, dirty):
        assert tags["provstore.git.commit"] == commit
        assert tags["provstore.git.branch"] == "main"
        assert tags["provstore.git.remote"] == "https://git.example/risk.git"
        assert tags["provstore.git.root"] == str(home)
        assert tags["provstore.host"] == "ci"
        assert json.loads(tags["provstore.ci"]) == {"system": "github", "GITHUB_RUN_ID": "17"}
        assert json.loads(tags["provstore.dvc"]) == {"DVC_STAGE": "train", "DVC_EXP_BASELINE_REV": "a815c41"}
        assert json.loads(tags["provstore.scheduler"]) == {"system": "slurm", "SLURM_JOB_ID": "4711"}
        assert tags["provstore.plugin"] == provstore.__version__
    assert json.loads(dirty["provstore.argv"])[1:] == [str(SCRIPTS / "plain.py"), "holdout.csv"]


# --- nothing breaks a program --------------------------------------------------------------------------------------

TROUBLES = {
    **{"PATH": "/nowhere", "HOME": "/nowhere", "XDG_CACHE_HOME": "/proc/nowhere"},  # no git, no cache
    **{"PROVSTORE_MLFLOW_MAX_BYTES": "many", "PROVSTORE_MLFLOW_SPOOL": "/nowhere"},
}


def test_trouble_around_it_is_no_trouble_for_the_run(tracking: Tracking) -> None:
    home = tracking.folder("troubled")
    done = tracking.run(home, "plain.py", env=TROUBLES)
    assert "provstore" not in done.stderr
    assert [each.path for each in told(tracking.only(home))] == [str(home / "data" / "train.csv")]


def broken(tracking: Tracking, folder: Path, error: str, *functions: tuple[str, str]) -> dict[str, str]:
    """The variable by which a program finds a copy of the plugin first in which these functions raise."""
    (site,) = tracking.home.glob("env/lib/python*/site-packages")
    shutil.copytree(site / "provstore_mlflow", folder / "provstore_mlflow")
    for name, function in functions:
        file = folder / "provstore_mlflow" / f"{name}.py"
        file.write_text(f"{file.read_text()}\n\ndef {function}(*args, **kwargs):\n    raise {error}\n")
    return {"PYTHONPATH": str(folder)}


def test_an_error_inside_is_one_warning(tracking: Tracking, tmp_path: Path) -> None:
    functions = (("collecting", "collected"), ("observe/git", "code_state"), ("runs", "_started"))
    home = tracking.folder("broken")
    done = tracking.run(home, "plain.py", env=broken(tracking, tmp_path, "RuntimeError('broken')", *functions))
    assert done.stderr.count("provstore-mlflow could not record") == 1
    assert "provstore.reads" not in tracking.only(home)


def test_who_interrupts_it_still_ends_the_run(tracking: Tracking, tmp_path: Path) -> None:
    home = tracking.folder("interrupted")
    env = broken(tracking, tmp_path, "KeyboardInterrupt", ("collecting", "collected"))
    tracking.run(home, "plain.py", env=env, code=-signal.SIGINT)
    (run,) = tracking.tags(home)
    with closing(sqlite3.connect(tracking.home / "mlflow.db")) as database:
        assert database.execute("SELECT status FROM runs WHERE run_uuid = ?", (run,)).fetchone() == ("FINISHED",)


def test_it_can_be_switched_off(tracking: Tracking) -> None:
    home = tracking.folder("off")
    tracking.run(home, "plain.py", env={"PROVSTORE_MLFLOW": "off"})
    assert [key for key in tracking.only(home) if key.startswith("provstore")] == []


def test_without_the_path_file_it_begins_with_mlflow(tracking: Tracking, tmp_path: Path) -> None:
    """As where it is installed in a folder that is on the path, but is no site directory."""
    (site,) = tracking.home.glob("env/lib/python*/site-packages")
    for each in site.glob("provstore_mlflow*"):
        if each.is_dir():
            (tmp_path / each.name).symlink_to(each)
    home = tracking.folder("late")
    tracking.run(home, "plain.py", python=tracking.plain, env={"PYTHONPATH": str(tmp_path)})
    assert [each.path for each in told(tracking.only(home))] == [str(home / "data" / "train.csv")]


# --- without MLflow ------------------------------------------------------------------------------------------------


def test_a_program_without_mlflow_loads_next_to_nothing(tracking: Tracking, tmp_path: Path) -> None:
    script = "import sys; print(*sys.modules)"
    on, off = (
        set(ran(tracking.plugged, "-c", script, cwd=tmp_path, env=each).stdout.split())
        for each in ({"LANG": "C.UTF-8"}, {"LANG": "C.UTF-8", "PROVSTORE_MLFLOW": "off"})
    )
    ours = {"provstore_mlflow", "provstore_mlflow.hook", "provstore_mlflow.imports"}
    assert ours <= on
    assert on <= off | ours
    assert {"typing", "re", "collections", "json", "hashlib", "logging"}.isdisjoint(on)


def test_the_hook_holds_no_more_than_it_may(tracking: Tracking, tmp_path: Path) -> None:
    script = """
import os
from provstore_mlflow import hook
hook.MOST = 10
for n in range(50):
    with open(f"{n}.txt", "w"): pass
for _ in range(3):
    for n in range(50):
        open(f"{n}.txt").close()
print(len(hook.seen.events), hook.seen.omitted > 0)
"""
    assert ran(tracking.plugged, "-c", script, cwd=tmp_path, env={}).stdout == "10 True\n"


def test_opening_what_cannot_be_opened_fails_as_ever(tracking: Tracking, tmp_path: Path) -> None:
    script = """
import os
for wrong in ("nowhere", ".", "\\0", b"nowhere", "", -1, 99999, 1.5, None, "x" * 5000):
    try:
        open(wrong)
    except Exception as error:
        print(type(error).__name__)
os.open(".", os.O_RDONLY)
"""
    told = [
        ran(tracking.plugged, "-c", script, cwd=tmp_path, env=each).stdout for each in ({}, {"PROVSTORE_MLFLOW": "off"})
    ]
    assert told[0] == told[1]
    assert len(told[0].split()) == 10
