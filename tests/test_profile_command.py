"""`provstore profile`: the same on a directory and through a server, with exit codes that say what came of it."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from provstore.cli.main import MODES as KNOWN
from provstore.core.profiles import MODES
from tests.servers import command, serving
from tests.test_profiles import CREDIT, HEAD
from tests.test_publishing import MILD, STRICT

pytestmark = pytest.mark.slow

THING = "<urn:thing> a <http://www.w3.org/ns/prov#Entity> ."


@pytest.fixture(params=["directory", "server"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A folder with files and a store of one record, served or not."""
    for name, text in (("mild", MILD), ("strict", STRICT), ("credit", CREDIT), ("bad", HEAD + ":a sh:minCont 1 .")):
        (tmp_path / f"{name}.ttl").write_text(text)
    (tmp_path / "thing.ttl").write_text(THING)
    assert command("ingest", "--data", tmp_path / "data", tmp_path / "thing.ttl").returncode == 0
    if request.param == "directory":
        yield tmp_path
        return
    with serving(tmp_path / "data"):
        yield tmp_path


def ran(place: Path, *arguments: object, code: int = 0) -> bytes:
    done = command("profile", *arguments, "--data", place / "data")
    assert (done.returncode, done.stderr if code < 2 else b"") == (code, b""), done.stdout + done.stderr
    return done.stdout if code < 2 else done.stderr


def said(place: Path, *arguments: object, code: int = 0) -> Any:
    return json.loads(ran(place, *arguments, "--format", "json", code=code))


def test_from_a_file_to_a_profile_in_use(place: Path) -> None:
    first = said(place, "add", place / "mild.ttl", "--name", "x")
    assert (first["profile"], first["new"], first["findings"]) == ("x/1", True, [])
    assert said(place, "add", place / "mild.ttl", "--name", "x")["new"] is False
    assert b"published x/2, SHA-256 " in ran(place, "add", place / "strict.ttl", "--name", "x")
    trial = said(place, "try", "x/2", "--last", 1, code=1)
    assert (trial["profile"], trial["looked"], trial["newly"]) == ("x/2", 1, 1)
    assert said(place, "try", "x/1")["newly"] == 0
    assert ran(place, "use", "x/1", "annotate") == b"x/1: annotate\n"
    assert said(place, "try", "x/1")["against"] == "x/1"
    assert said(place, "use", "x", "reject") == {"profile": "x/2", "mode": "reject"}
    rows = list(csv.DictReader(ran(place, "--format", "csv").decode().splitlines()))
    mine = next(row for row in rows if row["profile"] == "x")
    assert mine == {"profile": "x", "newest": "2", "mode": "reject", "rules": "1", "title": "x"}
    ran(place, "use", "x/1", "annotate")
    assert b"annotate (1)" in ran(place, "list")


def test_one_is_shown_in_words_as_json_and_as_its_file(place: Path) -> None:
    ran(place, "add", place / "credit.ttl", "--name", "credit")
    assert ran(place, "show", "credit", "--format", "turtle").decode() == CREDIT
    told = said(place, "show", "credit/1")
    assert (told["title"], told["inherits"], told["mode"]) == ("Credit", ["prov-core/1"], "off")
    text = ran(place, "show", "credit").decode()
    assert "every ps:Decision" in text
    assert text.endswith("Credit, version 1: What a bank asks.\n")


def test_shapes_with_errors_are_refused_with_all_of_them(place: Path) -> None:
    refused = said(place, "add", place / "bad.ttl", "--name", "x", code=1)
    assert refused["profile"] is None
    assert any("perhaps sh:minCount" in each["message"] for each in refused["findings"])
    assert b"nothing is published" in ran(place, "add", place / "bad.ttl", "--name", "x", code=1)
    assert b"no validation profile 'x'" in ran(place, "show", "x", code=2)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("show",), "wanted is: provstore profile show NAME"),
        (("add", "mild.ttl"), "wanted is: provstore profile add FILE --name NAME"),
        (("list", "x"), "wanted is: provstore profile list"),
        (("use", "prov-core"), "wanted is: provstore profile use NAME annotate|reject|off"),
        (("try", "prov-core", "off"), "wanted is: provstore profile try NAME"),
        (("use", "prov-core", "maybe"), "MODE is one of annotate, reject, off"),
        (("show", "prov-cor"), "perhaps prov-core"),
        (("try", "prov-core/99"), "has no version '99'"),
        (("try", "prov-core", "--last", "0"), "1 or more"),
        (("use", "prov-core/99", "off"), "has no version '99'"),
        (("add", "none.ttl", "--name", "x"), "No such file"),
        (("add", "mild.ttl", "--name", "prov-core"), "ships with provstore"),
        (("list", "--format", "turtle"), "only `provstore profile show`"),
    ],
)
def test_what_cannot_be_done_says_why(tmp_path: Path, arguments: tuple[str, ...], says: str) -> None:
    (tmp_path / "thing.ttl").write_text(THING)
    command("ingest", "--data", tmp_path / "data", tmp_path / "thing.ttl")
    (tmp_path / "mild.ttl").write_text(MILD)
    given = [tmp_path / each if each == "mild.ttl" else each for each in arguments]
    done = command("profile", *given, "--data", tmp_path / "data")
    assert done.returncode == 2
    assert says in done.stderr.decode()


def test_without_a_store_there_is_what_ships(tmp_path: Path) -> None:
    done = command("profile", "--data", tmp_path / "none", "--format", "json")
    assert "prov-core" in {each["profile"] for each in json.loads(done.stdout)}
    assert command("profile", "show", "prov-core", "--data", tmp_path / "none").returncode == 0
    assert b"there is no store here" in command("profile", "try", "prov-core", "--data", tmp_path / "none").stderr
    assert command("profile", "use", "prov-core", "off", "--data", tmp_path / "none").returncode == 2
    assert not (tmp_path / "none").exists()


def test_a_profile_of_the_store_validates_files(place: Path) -> None:
    ran(place, "add", place / "strict.ttl", "--name", "x")
    done = command("validate", place / "thing.ttl", "--profile", "x", "--data", place / "data")
    assert done.returncode == 1
    assert b"does not conform to x/1" in done.stdout


def test_the_command_knows_every_mode() -> None:
    assert KNOWN == MODES
