"""Tutorial, how-tos and pages with commands, walked as they are written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest
import yaml

from provstore.cli import build_parser
from provstore.validation.results import Result
from tests.environments import programs
from tests.servers import Server, serving
from tests.suites import ROOT
from tests.walking import ADDRESS, walk

pytestmark = pytest.mark.slow

DOCS = ROOT / "docs"
#: Pages whose commands ask about the worked examples, and how many steps each has at least.
ASKING = {"howto/ask.md": 7, "howto/back-up.md": 3, "howto/verify.md": 5, "lineage.md": 4, "search.md": 1}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """What `make run` serves, and readers ask."""
    with serving(tmp_path_factory.mktemp("guides") / "data", verb="demo") as server:
        yield server


@pytest.mark.parametrize("name", ASKING)
def test_a_page_that_asks_can_be_followed(name: str, whole: Server, tmp_path: Path) -> None:
    assert walk(DOCS / name, whole, tmp_path) >= ASKING[name]


def test_the_page_on_validation_can_be_followed(tmp_path: Path) -> None:
    with serving(tmp_path / "data", verb="demo") as server:
        assert walk(DOCS / "howto/validate.md", server, tmp_path) >= 4
        assert walk(DOCS / "howto/validate-in-ci.md", server, tmp_path) >= 4
        assert walk(DOCS / "howto/profiles.md", server, tmp_path) >= 6


def test_the_page_on_items_can_be_followed(tmp_path: Path) -> None:
    with serving(tmp_path / "data", "--base", "https://example.org") as server:
        assert walk(DOCS / "items.md", server, tmp_path) >= 6


def test_what_the_recipes_for_ci_run_could_be_run() -> None:
    text = (DOCS / "howto/validate-in-ci.md").read_text()
    recipes = [yaml.safe_load(block) for block in re.findall(r"^```yaml\n(.*?)^```", text, re.M | re.S)]
    assert len(recipes) == 2
    lines = re.findall(r"provstore (validate .*)", "".join(re.findall(r"^```yaml\n(.*?)^```", text, re.M | re.S)))
    assert len(lines) == 2
    for line in lines:
        arguments = build_parser().parse_args(line.split())
        assert text.count(arguments.output) >= 2  # what is written is what is uploaded


def test_every_field_of_a_result_is_told() -> None:
    text = (DOCS / "howto/validate-in-ci.md").read_text()
    rows = re.findall(r"^\| (`.*?) \| ", text[text.index("| field |") :], re.M)
    assert {name for row in rows for name in re.findall(r"`(\w+)`", row)} == {each.name for each in fields(Result)}


def test_every_guide_is_walked() -> None:
    assert {path.relative_to(DOCS).as_posix() for path in DOCS.glob("howto/*.md")} == {
        "howto/validate.md",
        "howto/validate-in-ci.md",
        "howto/profiles.md",
        *(name for name in ASKING if name.startswith("howto/")),
    }


def test_the_tutorial_can_be_followed(tmp_path: Path) -> None:
    client = programs("client")
    with serving(tmp_path / "mystore", "--base", "https://example.org") as server:
        assert walk(DOCS / "tutorial.md", server, tmp_path, first=client) >= 9


def test_servers_that_pages_start_could_be_started() -> None:
    scripts = [
        m for page in DOCS.rglob("*.md") for m in re.findall(r"^```sh\n(.*?)^```", page.read_text(), re.M | re.S)
    ]
    lines = [line for script in scripts for line in script.splitlines() if "provstore serve " in line]
    commands = [line.partition("provstore ")[2].split() for line in lines]
    assert len(commands) >= 2
    for command in commands:
        assert build_parser().parse_args(command)


def test_the_pages_that_guides_point_to_answer(demo: Server) -> None:
    pages = {m for page in DOCS.rglob("*.md") for m in re.findall(rf"\]\({ADDRESS}(/[^)]*)\)", page.read_text())}
    assert len(pages) >= 5
    for page in pages:
        answer = demo.http.get(page, headers={"accept": "text/html"})
        assert answer.status_code == 200, page
        assert answer.headers["content-type"].startswith("text/html"), page


def test_the_page_on_recording_can_be_followed(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as server:
        assert walk(DOCS / "record.md", server, tmp_path) >= 3
