"""Every fixture of a format becomes what was written down, whatever the order of its members."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from provstore.capture import formats
from provstore.model import Submission
from tests.goldens import FIXTURES, FORMATS, fixtures, golden, mapped, payloads, written
from tests.stores import BASE, assert_sound, store_in
from tests.suites import ROOT

ALL = list(fixtures())


def test_all_fixtures_are_found() -> None:
    assert {each.parent.name for each in ALL} == set(FORMATS)
    assert all((FIXTURES / each.parent.name / "README.md").exists() for each in ALL)


@pytest.mark.parametrize("path", ALL, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_fixture_becomes_what_is_written_down(path: Path) -> None:
    assert written(path) == golden(path).read_text()


def _reversed(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _reversed(each) for name, each in reversed(value.items())}
    return [_reversed(each) for each in value] if isinstance(value, list) else value


@pytest.mark.parametrize("path", ALL, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_the_order_of_members_does_not_matter(path: Path) -> None:
    turned = [_reversed(value) for value in payloads(path)]
    assert json.dumps(turned) != json.dumps(payloads(path))
    form = formats.named(path.parent.name)
    assert form is not None
    assert [form.map(value, base=BASE).whole for value in turned] == [each.whole for each in mapped(path)]


def submissions(path: Path) -> list[Submission]:
    """The payloads of a fixture on their way to a ledger."""
    pairs = zip(payloads(path), mapped(path), strict=True)
    return [Submission(json.dumps(value).encode(), "application/json", "tests", each) for value, each in pairs]


def test_a_store_of_all_of_them_is_sound(tmp_path: Path) -> None:
    with store_in(tmp_path / "data") as store:
        for path in ALL:
            store.ingest(submissions(path))
        assert_sound(store)


@pytest.mark.parametrize("name", FORMATS)
def test_the_documentation_tells_each_by_a_table(name: str) -> None:
    page = (ROOT / "docs" / "formats.md").read_text()
    assert f"| [`{name}`](#" in page
    form = formats.named(name)
    assert form is not None
    assert form.media_types[0] in page or name == "croissant"  # which has a media type of its own
