"""What is vendored for pages: the files that README.md names, byte for byte, and of open licences."""

from __future__ import annotations

import hashlib
import json
import re

from tests.suites import ROOT

VENDOR = ROOT / "provstore" / "ui" / "static" / "vendor"
README = (VENDOR / "README.md").read_text(encoding="utf-8")
TOOLS = ROOT / "tools" / "codemirror"


def rows(columns: int) -> list[list[str]]:
    """The rows of the README's tables of so many columns, without their heads."""
    split = [line.strip("|").split("|") for line in README.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in row] for row in split if len(row) == columns]
    return [row for row in cells[1:] if set(row[0]) != {"-"}]


def test_each_file_is_the_one_that_the_readme_names() -> None:
    named = dict(rows(2))
    assert set(named) == {path.name for path in VENDOR.glob("*.js")}
    assert named
    assert {name: hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() for name in named} == named


def test_pages_load_what_is_there() -> None:
    asked = [re.findall(r"vendor/([\w.-]+)", path.read_text()) for path in VENDOR.parent.glob("*.js")]
    assert {name for names in asked for name in names} == {path.name for path in VENDOR.glob("*.js")}


def test_what_is_in_it_is_said_and_may_be_shipped() -> None:
    lock = json.loads((TOOLS / "package-lock.json").read_text())["packages"]
    packages = {name: (version, licence) for name, version, licence, _ in rows(4)}
    assert {f"node_modules/{name}": version for name, (version, _) in packages.items()} == {
        name: lock[name]["version"] for name in lock if name.removeprefix("node_modules/") in packages
    }
    assert {licence for _, licence in packages.values()} == {"MIT"}
    licences = (VENDOR / "LICENSES.txt").read_text()
    assert [name for name in packages if f"\n{name}\n" not in licences] == []
    assert licences.count("Permission is hereby granted") >= 1


def test_the_versions_are_fixed_and_no_registry_is_named() -> None:
    wanted = json.loads((TOOLS / "package.json").read_text())
    pins = {**wanted["dependencies"], **wanted["devDependencies"]}
    assert [pin for pin in pins.values() if not re.fullmatch(r"\d+\.\d+\.\d+", pin)] == []
    text = (TOOLS / "package-lock.json").read_text()
    assert "resolved" not in text
    lock = json.loads(text)["packages"]
    assert [name for name, each in lock.items() if name and not each["integrity"].startswith("sha512-")] == []
    assert "registry" not in text + README
