"""Progress: what it says, that only a terminal is told, and that nothing of it goes to standard output."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from provstore.cli.progress import line_of
from tests.servers import command, event
from tests.terminals import on_terminal


@pytest.mark.parametrize(
    ("done", "total", "seconds", "said"),
    [
        (0, 0, 0.0, "100% 0/0 0/s"),
        (0, 50, 1.0, "0% 0/50 0/s"),
        (25, 100, 10.0, "25% 25/100 2/s 0:30 left"),
        (1, 10_000, 3.6, "0% 1/10,000 0/s 9:59:56 left"),
        (100, 100, 90.0, "100% 100/100 1/s in 1:30"),
        (120, 100, 90.0, "100% 120/100 1/s in 1:30"),
    ],
)
def test_a_line_says_how_far_how_fast_and_how_long_still(done: int, total: int, seconds: float, said: str) -> None:
    assert line_of("work", "", done, total, seconds).partition(" ")[2][24:].strip() == said


@pytest.mark.parametrize("columns", [30, 80])
def test_long_work_shows_itself_on_a_terminal_alone(tmp_path: Path, columns: int) -> None:
    (tmp_path / "events.json").write_text(json.dumps([event(1), event(2), {"not": "an event"}]))
    data, copy = tmp_path / "data", tmp_path / "copy"
    work: list[tuple[object, ...]] = [
        ("ingest", "--data", data, tmp_path / "events.json"),
        ("validate", tmp_path / "events.json"),
        ("verify", "--data", data),
        ("rebuild", "--data", data),
        ("backup", "--data", data, copy),
        ("restore", "--data", tmp_path / "restored", copy),
    ]
    for line in work:
        shown = on_terminal(*line, columns=columns)
        assert shown.code in (0, 1, 2), shown
        drawn = [each for each in shown.err.replace("\n", "\r").split("\r") if each.startswith(str(line[0]))]
        assert drawn, shown
        assert all(len(each) < columns for each in drawn)
        if columns == 80:
            assert "100%" in drawn[-1]
        assert "█" not in shown.out


def test_nothing_is_drawn_where_nobody_looks(tmp_path: Path) -> None:
    (tmp_path / "events.json").write_text(json.dumps([event(1), event(2)]))
    done = command("ingest", "--data", tmp_path / "data", tmp_path / "events.json")
    assert (done.returncode, done.stderr) == (0, b"")
    assert command("verify", "--data", tmp_path / "data").stderr == b""


def test_a_refusal_does_not_run_into_the_bar(tmp_path: Path) -> None:
    events = [event(number) for number in range(300)]
    (tmp_path / "a.json").write_text(json.dumps(events))
    (tmp_path / "b.json").write_text("{")
    shown = on_terminal("ingest", "--data", tmp_path / "data", tmp_path)
    lines = [text for line in shown.err.split("\n") for text in line.split("\r")]
    assert [line for line in lines if line.startswith(f"{tmp_path / 'b.json'} at line 1: not JSON")], shown
