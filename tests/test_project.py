"""The project as others get it: what a wheel holds, that it runs installed, and that the tree keeps its promises."""

from __future__ import annotations

import json
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

import httpx
import pytest

import provstore
from tests.suites import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
DATA = ("ontology", "shapes", "queries", "examples")
#: What a data folder may hold; anything else in a wheel has slipped in.
DATA_KINDS = {".ttl", ".trig", ".rq", ".jsonl", ".ndjson", ".json", ".md"}
CODE_KINDS = {".py", ".html", ".css", ".js", ".svg", ".typed"}
#: Beside vendored files stand what they are and their licences.
VENDOR = "provstore/ui/static/vendor/"
VENDOR_KINDS = {".js", ".md", ".txt"}


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


#: The pipeline that makes an example: it runs in a checkout.
LEFT_OUT = ("examples/credit-risk/project", "examples/credit-risk/*.py")
STRAYS = (".env", "signing.key", "provstore/.env", "queries/.secret.rq", "queries/__pycache__/x.pyc", "tests/stray.py")


def test_the_wheel_holds_the_package_and_its_data(wheel: Path) -> None:
    names = set(ZipFile(wheel).namelist())
    files = tracked()
    package = {path.as_posix() for path in files if path.parts[0] == "provstore"}
    data = {
        f"provstore/data/{path.as_posix()}"
        for path in files
        if path.parts[0] in DATA and not any(path.is_relative_to(folder) or path.match(folder) for folder in LEFT_OUT)
    }
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
        kinds = VENDOR_KINDS if name.startswith(VENDOR) else kinds
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


@pytest.fixture(scope="module")
def programs(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of an environment in which the wheel is installed, and no checkout can be seen."""
    home = tmp_path_factory.mktemp("installed") / "venv"
    venv.create(home, with_pip=False)
    python = home / "bin" / "python"
    (site,) = home.glob("lib/python*/site-packages")
    # The libraries of this environment are seen through a path file. An editable install of this checkout is not: it is
    # a path file itself, and those of a directory added by another are not read.
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python)
    ran(*pip, "install", "--quiet", "--no-deps", "--no-index", wheel, cwd=home)
    (site / "libraries.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    return home / "bin"


def clean() -> dict[str, str]:
    """The environment without what could lead to a checkout, to settings, or to Node."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "PROVSTORE_", "NODE"))}
    return {**kept, "PATH": "/nowhere"}


def test_the_wheel_runs_where_there_is_no_checkout(programs: Path, tmp_path: Path) -> None:
    where = ran(programs / "python", "-c", "import provstore; print(provstore.__file__)", cwd=tmp_path, env=clean())
    package = Path(where.strip()).parent
    assert package.is_relative_to(programs.parent)
    command, env = programs / "provstore", clean()
    assert provstore.__version__ in ran(command, "--version", cwd=tmp_path, env=env)
    assert "ingest" in ran(command, "--help", cwd=tmp_path, env=env)
    assert "lineage/upstream" in ran(command, "query", cwd=tmp_path, env=env)
    events = package / "data" / "examples" / "credit"
    said = ran(command, "ingest", "--data", tmp_path / "store", events, cwd=tmp_path, env=env)
    assert re.search(r"\b[1-9]\d* taken, 0 duplicate, 0 refused", said), said
    counted = ran(command, "sparql", "--data", tmp_path / "store", "--format", "csv", _COUNT, cwd=tmp_path, env=env)
    assert int(counted.split()[1]) > 0


def test_the_wheel_serves_every_route_page_and_file(wheel: Path, programs: Path, tmp_path: Path) -> None:
    line: list[str | Path] = [programs / "provstore", "demo", "--data", tmp_path / "data", "--port", "0"]
    with subprocess.Popen(line, stdout=subprocess.PIPE, cwd=tmp_path, env=clean(), text=True) as process:
        try:
            assert process.stdout
            url = process.stdout.readline().rsplit(" ", 1)[-1].strip()
            with httpx.Client(base_url=url, timeout=60) as http:
                _check_routes(http, json.loads(ran(programs / "python", "-c", _ROUTES, cwd=tmp_path, env=clean())))
                _check_files(http, wheel)
        finally:
            process.terminate()


#: Every GET route of the installed application that needs no part of its path filled in.
_ROUTES = """
import json
from fastapi.routing import iter_route_contexts
from provstore import settings
from provstore.api import create_app
routes = iter_route_contexts(create_app(settings.load({})).routes)
print(json.dumps([r.path for r in routes if "GET" in (r.methods or ()) and "{" not in r.path]))
"""


def _check_routes(http: httpx.Client, paths: list[str]) -> None:
    """Each is there, for a program and for a browser (400: it wants parameters), and pages load only what is there."""
    assert {"/", "/ns", "/health", "/search", "/sparql", "/shapes", "/openapi.json"} <= set(paths)
    pages, loaded = 0, set()
    for path in paths:
        for accept in ("*/*", "text/html,*/*;q=0.5"):
            answer = http.get(path, headers={"accept": accept})
            assert answer.status_code in (200, 400), (path, accept, answer.text)
            if answer.headers["content-type"].startswith("text/html"):
                pages += 1
                loaded |= set(re.findall(r'(?:href|src)="(/static/[^"#?]+)', answer.text))
    assert pages >= 2
    assert "/static/style.css" in loaded
    assert [path for path in loaded if http.get(path).status_code != 200] == []


def _check_files(http: httpx.Client, wheel: Path) -> None:
    """Every file that pages may load comes as it is in the wheel."""
    with ZipFile(wheel) as archive:
        home = "provstore/ui/static/"
        files = [name for name in archive.namelist() if name.startswith(home) and not name.endswith("/")]
        assert len(files) >= 2
        for name in files:
            answer = http.get(f"/static/{name.removeprefix(home)}")
            assert (answer.status_code, answer.content) == (200, archive.read(name)), name


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
    assert readers <= {"settings.py", "cli/main.py", "security/process.py", "record/recorder.py"}


def test_the_changelog_knows_the_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text()
    assert re.search(rf"^## \[(Unreleased|{re.escape(provstore.__version__)})\]", text, re.MULTILINE)


def test_nothing_unfinished_lies_in_the_tree() -> None:
    marks = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|X" r"XX|HA" r"CK)\b")
    texts = [path for path in tracked() if path.suffix in {".py", ".md", ".rq", ".ttl", ".toml", ".html", ".css"}]
    assert [str(path) for path in texts if marks.search((ROOT / path).read_text(encoding="utf-8"))] == []
    assert [path for path in texts if path.name in {"utils.py", "helpers.py", "misc.py"}] == []
