"""The project as others get it: what a wheel holds, that it runs installed, and that the tree keeps its promises."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
from importlib.metadata import packages_distributions
from pathlib import Path
from zipfile import ZipFile

import pytest

import provstore
from tests.suites import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
DATA = ("ontology", "shapes", "queries", "examples")
#: What a data folder may hold; anything else in a wheel has slipped in.
DATA_KINDS = {".ttl", ".trig", ".rq", ".jsonl", ".json", ".md"}
CODE_KINDS = {".py", ".html", ".css", ".js", ".svg", ".typed"}


def ran(*command: str | Path, cwd: Path, env: dict[str, str] | None = None) -> str:
    """What a command prints; a failure shows all of it."""
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=env, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def tracked() -> list[Path]:
    """The files of the project: what git has, or would take."""
    listed = ran("git", "ls-files", "--cached", "--others", "--exclude-standard", cwd=ROOT).splitlines()
    return [Path(name) for name in listed if (ROOT / name).is_file()]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of a copy of the tree in which lies, too, what nobody may get."""
    tree, out = tmp_path_factory.mktemp("tree"), tmp_path_factory.mktemp("wheel")
    for name in tracked():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, tree / name)
    for stray in STRAYS:
        (tree / stray).parent.mkdir(parents=True, exist_ok=True)
        (tree / stray).write_text("SECRET=1")
    ran(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", out, tree, cwd=out)
    (found,) = out.glob("*.whl")
    return found


STRAYS = (".env", "signing.key", "provstore/.env", "queries/.secret.rq", "queries/__pycache__/x.pyc", "tests/stray.py")


def test_the_wheel_holds_the_package_and_its_data(wheel: Path) -> None:
    names = set(ZipFile(wheel).namelist())
    files = tracked()
    package = {path.as_posix() for path in files if path.parts[0] == "provstore"}
    data = {f"provstore/data/{path.as_posix()}" for path in files if path.parts[0] in DATA}
    assert package | data <= names
    for folder in DATA:
        assert any(name.startswith(f"provstore/data/{folder}/") for name in names), folder


def test_the_wheel_holds_nothing_else(wheel: Path) -> None:
    odd = []
    for name in ZipFile(wheel).namelist():
        path = Path(name)
        if path.parts[0].endswith(".dist-info"):
            continue
        kinds = DATA_KINDS if path.parts[:2] == ("provstore", "data") else CODE_KINDS
        hidden = any(part.startswith(".") or part == "__pycache__" for part in path.parts)
        if path.parts[0] != "provstore" or hidden or path.suffix not in kinds:
            odd.append(name)
    assert odd == []


def test_the_wheel_says_who_it_is(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        info = f"provstore-{provstore.__version__}.dist-info"
        metadata = archive.read(f"{info}/METADATA").decode()
        assert f"Version: {provstore.__version__}\n" in metadata
        assert "License-Expression: Apache-2.0\n" in metadata
        assert f"{info}/licenses/LICENSE" in archive.namelist()


def test_the_wheel_runs_where_there_is_no_checkout(wheel: Path, tmp_path: Path) -> None:
    home = tmp_path / "venv"
    venv.create(home, with_pip=False)
    python = home / "bin" / "python"
    site = Path(ran(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=tmp_path).strip())
    # The libraries of this environment are seen through a path file. An editable install of this checkout is not: it is
    # a path file itself, and those of a directory added by another are not read.
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python)
    ran(*pip, "install", "--quiet", "--no-deps", "--no-index", wheel, cwd=tmp_path)
    (site / "libraries.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "PROVSTORE_"))}

    where = ran(python, "-c", "import provstore; print(provstore.__file__)", cwd=tmp_path, env=clean).strip()
    assert Path(where).is_relative_to(home)
    command = home / "bin" / "provstore"
    assert provstore.__version__ in ran(command, "--version", cwd=tmp_path, env=clean)
    assert "ingest" in ran(command, "--help", cwd=tmp_path, env=clean)
    assert "lineage/upstream" in ran(command, "query", cwd=tmp_path, env=clean)
    events = site / "provstore" / "data" / "examples" / "credit"
    said = ran(command, "ingest", "--data", tmp_path / "store", events, cwd=tmp_path, env=clean)
    assert re.search(r"\b[1-9]\d* taken, 0 duplicate, 0 refused", said), said
    counted = ran(command, "sparql", "--data", tmp_path / "store", "--format", "csv", _COUNT, cwd=tmp_path, env=clean)
    assert int(counted.split()[1]) > 0


_COUNT = "PREFIX prov: <http://www.w3.org/ns/prov#> SELECT (COUNT(*) AS ?n) WHERE { ?run prov:used ?entity }"


def test_what_is_imported_is_declared_and_what_is_declared_is_imported() -> None:
    imported = set()
    for path in (ROOT / "provstore").rglob("*.py"):
        imported |= set(re.findall(r"^(?:\s*)(?:from|import) (\w+)", path.read_text(), re.MULTILINE))
    owners = packages_distributions()
    used = {owners[name][0].lower() for name in imported - set(sys.stdlib_module_names) if name in owners}
    declared = {_name(each) for each in PROJECT["project"]["dependencies"]}
    brought = {"starlette": "fastapi"}  # what FastAPI is made of, and pins
    assert {brought.get(name, name) for name in used} - {"provstore"} <= declared
    run_by_name = {"httptools"}  # named to uvicorn, never imported
    assert declared <= used | run_by_name


def test_every_dependency_is_pinned() -> None:
    project = PROJECT["project"]
    wanted = {_name(each) for each in [*project["dependencies"], *project["optional-dependencies"]["dev"]]}
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    assert [line for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+", line)] == []
    assert wanted <= {_name(line) for line in lines}


def _name(requirement: str) -> str:
    return re.split(r"[^A-Za-z0-9._-]", requirement)[0].lower().replace("_", "-")


def test_only_settings_reads_the_environment() -> None:
    """The command line hands it to `settings.load`; workers keep a fixed few variables for the interpreter."""
    readers = {
        path.relative_to(ROOT / "provstore").as_posix()
        for path in (ROOT / "provstore").rglob("*.py")
        if re.search(r"\benviron\b|\bgetenv\b", path.read_text())
    }
    assert readers <= {"settings.py", "cli/main.py", "security/process.py"}


def test_the_changelog_knows_the_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text()
    assert re.search(rf"^## \[(Unreleased|{re.escape(provstore.__version__)})\]", text, re.MULTILINE)


def test_nothing_unfinished_lies_in_the_tree() -> None:
    marks = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|X" r"XX|HA" r"CK)\b")
    texts = [path for path in tracked() if path.suffix in {".py", ".md", ".rq", ".ttl", ".toml", ".html", ".css"}]
    assert [str(path) for path in texts if marks.search((ROOT / path).read_text(encoding="utf-8"))] == []
    assert [path for path in texts if path.name in {"utils.py", "helpers.py", "misc.py"}] == []
