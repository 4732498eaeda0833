"""The documentation is what the code is: reference, commands, targets, links."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from provstore import queries
from provstore.cli import build_parser
from provstore.cli.parser import subcommands
from provstore.settings import SETTINGS
from tests.suites import ROOT
from tools import facets, policies, reference

PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
_FENCE = re.compile(r"^```\w*\n(.*?)^```", re.MULTILINE | re.DOTALL)


def code(text: str) -> str:
    """What stands in code: fenced blocks, and spans between backticks."""
    spans = re.findall(r"`([^`\n]+)`", _FENCE.sub("", text))
    return "\n".join([*_FENCE.findall(text), *spans])


def anchors(text: str) -> set[str]:
    heads = re.findall(r"^#+ (.+)$", _FENCE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def test_the_reference_is_up_to_date() -> None:
    assert reference.PAGE.read_text(encoding="utf-8") == reference.page(), "run `make docs`"


def test_the_page_of_facets_is_up_to_date() -> None:
    assert facets.PAGE.read_text(encoding="utf-8") == facets.page(), "run `make docs`"


def test_the_page_of_policies_is_up_to_date() -> None:
    assert policies.PAGE.read_text(encoding="utf-8") == policies.page(), "run `make docs`"


def test_the_reference_names_everything() -> None:
    text = reference.PAGE.read_text(encoding="utf-8")
    wanted = [f"### `provstore {name}`" for name in subcommands(build_parser())]
    wanted += [f"| `PROVSTORE_{each.name.upper()}` |" for each in SETTINGS]
    wanted += [f"| `{method} {path}` |" for method, path, _ in reference.routes()]
    wanted += [f"### {name}\n" for name in queries.catalogue()]
    wanted += [f"| `{name}` |" for _, name, *_ in reference.shapes()]
    assert [each for each in wanted if each not in text] == []


def test_everything_in_the_reference_is_explained() -> None:
    assert [path for _, path, about in reference.routes() if not about and path not in _PLAIN] == []
    assert [name for name, parser in subcommands(build_parser()).items() if not parser.description] == []
    assert [name for _, name, _, says, source in reference.shapes() if not says or not source] == []


_PLAIN = {"/openapi.json", "/static/style.css"}  # their names say it


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    lost = []
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z][a-z0-9+.-]*:", target):
            continue
        name, _, anchor = target.partition("#")
        file = (page.parent / name).resolve() if name else page
        if not file.exists() or (anchor and anchor not in anchors(file.read_text(encoding="utf-8"))):
            lost.append(target)
    assert lost == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_commands_targets_and_variables_exist(page: Path) -> None:
    said = code(page.read_text(encoding="utf-8"))
    commands = set(re.findall(r"(?:^|[\s/])(?<!from )provstore ([a-z]+)", said, re.MULTILINE))
    assert commands <= set(subcommands(build_parser()))
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z]+)", said)) <= targets
    variables = {f"PROVSTORE_{each.name.upper()}" for each in SETTINGS} | {"PROVSTORE_TESTSUITES"}
    plugin = (ROOT / "clients" / "mlflow" / "provstore_mlflow").glob("*.py")
    variables |= {name for path in plugin for name in re.findall(r"PROVSTORE_MLFLOW[A-Z_]*", path.read_text())}
    assert set(re.findall(r"\bPROVSTORE_[A-Z_]+", said)) <= variables


def test_the_canned_queries_of_the_pages_exist() -> None:
    for page in PAGES:
        said = code(page.read_text(encoding="utf-8"))
        topics = set(re.findall(r"provstore query (?:--\S+ \S+ )*([a-z]+/[a-z_]+)", said))
        assert topics <= set(queries.catalogue()), page
