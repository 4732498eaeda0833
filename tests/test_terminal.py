"""What goes to a terminal: tables that fit it, and no text that drives it, whatever names hold."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provstore.cli.output import table
from provstore.cli.terminal import fitted, isolated, safe, safe_json, safe_lines, width
from tests.servers import Server, command, event, serving
from tests.terminals import on_terminal

EVIL = "job\x1b[31mRED\x1b]0;owned\x07\u202egnp.exe\x9b2J\r\nprovstore: all is well"
WIDE = "表の名前データ顧客リスクスコア" * 3
RIGHT = "جدول درجات مخاطر العملاء"
NAMES = (EVIL, WIDE, RIGHT, "x" * 300, "e\u0301" * 60, "👨\u200d👩\u200d👧 क्\u200dषि", "<script>alert(1)</script>")
TEXTS = st.text(st.characters(), max_size=40)
ALLOWED = {"\n", "\u2068", "\u2069", "\u200c", "\u200d"}


def _drives(text: str) -> set[str]:
    """The characters of a text that could drive a terminal."""
    return {c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp")} - ALLOWED


@pytest.fixture(scope="module")
def evil(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that holds datasets of every awkward name."""
    with serving(tmp_path_factory.mktemp("evil") / "data") as server:
        outputs = [{"namespace": "evil", "name": name} for name in NAMES]
        assert server.post(event(1, outputs=outputs, job={"namespace": "evil", "name": EVIL})).status_code == 201
        index = server.http.get("/health").json()["head"]
        assert server.http.get("/search", params={"q": "evil", "min-index": index}).status_code == 200
        yield server


# --- texts -----------------------------------------------------------------------------------------------------------


@settings(deadline=None)
@given(TEXTS)
def test_safe_text_drives_nothing_and_is_one_line(text: str) -> None:
    assert _drives(safe(text)) == set()
    assert "\n" not in safe(text)
    assert _drives(safe_lines(text)) <= {"\t"}


@settings(deadline=None)
@given(st.recursive(TEXTS, lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner), max_leaves=5))
def test_safe_json_is_the_same_value(value: Any) -> None:
    text = safe_json(json.dumps(value, ensure_ascii=False))
    assert json.loads(text) == value
    assert _drives(text) == set()


def test_what_could_drive_is_shown_as_it_is() -> None:
    assert safe("a\x1b[2J\u202eb\x9b\x7f\t\r\nc") == "a\\x1b[2J\\u202eb\\x9b\\x7f  c"
    assert safe_lines("a\r\nb\rc\td") == "a\nb\\x0dc\td"
    assert safe(RIGHT) == RIGHT
    assert safe("می\u200cخواهم") == "می\u200cخواهم"


@pytest.mark.parametrize(
    ("text", "size", "shown"),
    [
        ("short", 9, "short"),
        ("customer_risk_score", 11, "custo…score"),
        ("https://prov.example/model/premium-1", 16, "…model/premium-1"),
        ("https://prov.example/model/premium-1", 31, "https:/…example/model/premium-1"),
        ("2026-03-10T13:00:00Z", 11, "2026-03-10…"),
        ("the data directory", 9, "the data…"),
        ("表の名前データ", 9, "表の…ータ"),
        ("e\u0301" * 9, 5, "e\u0301e\u0301…e\u0301e\u0301"),
    ],
)
def test_a_long_text_is_cut_where_it_says_least(text: str, size: int, shown: str) -> None:
    assert fitted(text, size) == shown
    assert width(shown) <= size


@settings(deadline=None)
@given(TEXTS, st.integers(1, 30))
def test_a_text_never_takes_more_cells_than_it_may(text: str, size: int) -> None:
    assert width(fitted(safe(text), size)) <= size


def test_right_to_left_writing_keeps_to_its_cell() -> None:
    assert isolated(RIGHT) == f"\u2068{RIGHT}\u2069"
    assert isolated("plain") == "plain"
    assert isolated("表") == "表"


# --- tables ----------------------------------------------------------------------------------------------------------


def test_a_table_that_is_piped_is_whole() -> None:
    lines = table(["name", "iri"], [["a", "https://e.org/" + "x" * 300], ["long name", "y"]]).splitlines()
    assert lines == [
        "name       iri",
        "─────────  " + "─" * 100,
        "a          https://e.org/" + "x" * 300,
        "long name  y",
    ]


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_every_table_fits_its_terminal(evil: Server, columns: int) -> None:
    asked: tuple[tuple[object, ...], ...] = (
        ("search", "--namespace", "evil"),
        ("query", "catalogue/datasets"),
        ("lineage", "x" * 300, "--by", "activity"),
        ("settings",),
    )
    for line in asked:
        shown = on_terminal(*line, columns=columns, server=evil.url)
        assert shown.code == 0, shown
        assert shown.out.count("\n") > 2
        longest = max(shown.out.splitlines(), key=width)
        assert width(longest) <= columns, (line, longest)


@pytest.mark.parametrize("form", ["table", "json", "ndjson", "csv", "tsv"])
def test_no_name_drives_a_terminal(evil: Server, form: str) -> None:
    for line in (
        ("search", "--namespace", "evil"),
        ("sparql", "SELECT ?o { ?s <https://w3id.org/provstore/ns#name> ?o }"),
    ):
        shown = on_terminal(*line, "--format", form, server=evil.url)
        assert shown.code == 0, shown
        assert "RED" in shown.out
        assert _drives(shown.out) <= {"\t"}


def test_no_error_drives_a_terminal_or_breaks_into_lines_of_its_own(evil: Server, tmp_path: Path) -> None:
    (tmp_path / f"{EVIL[:20]}.json").write_text("{")
    for line in (
        ("lineage", f"no such {EVIL}"),
        ("query", EVIL),
        ("search", f"--{EVIL}"),
        (EVIL,),
        ("sparql", f"SELECT {EVIL}"),
        ("ingest", tmp_path),
        ("validate", tmp_path),
        ("ingest", "--format", EVIL, tmp_path),
    ):
        shown = on_terminal(*line, server=evil.url)
        assert shown.code in (1, 2)
        said = shown.out + shown.err
        assert _drives(said) <= {"\r"}, said
        assert "\nprovstore: all is well" not in said


def test_what_is_piped_is_exact(evil: Server) -> None:
    line = ("search", "--namespace", "evil", "--kind", "job", "--format")
    done = command(*line, "csv", settings={"server": evil.url})
    assert f'"{EVIL}"' in done.stdout.decode()
    (row,) = [json.loads(text) for text in command(*line, "ndjson", settings={"server": evil.url}).stdout.splitlines()]
    assert row["name"] == EVIL
    fields = command(*line, "tsv", settings={"server": evil.url}).stdout.decode().splitlines()[1].split("\t")
    assert fields[1] == EVIL.replace("\r", "\\r").replace("\n", "\\n")


def test_an_old_terminal_is_no_error(evil: Server) -> None:
    done = command("search", "--namespace", "evil", settings={"server": evil.url}, extra={"PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0, done.stderr
    assert done.stdout.isascii()
