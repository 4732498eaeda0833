"""Recorded steps as a program makes them: what they tell, where they may run, and that they never disturb it."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import fastjsonschema
import numpy as np
import pytest

from provstore import record
from provstore.capture.step import map_payload
from provstore.observe.hashing import Hasher
from provstore.record.recorder import Recorder
from provstore.record.steps import Step
from tests.suites import ROOT

conforms = fastjsonschema.compile(json.loads((ROOT / "docs" / "step-1.schema.json").read_text()))


class Told:
    """A recorder that writes to a file, and what it wrote."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "steps.ndjson"
        self.recorder = Recorder(file=self.path, spool=folder / "spool", namespace="tests", who="ana")

    def step(self, name: str = "s", **options: Any) -> Step:
        return self.recorder.step(name, options)

    @property
    def all(self) -> list[dict[str, Any]]:
        lines = self.path.read_text().splitlines() if self.path.exists() else []
        found = [json.loads(line) for line in lines]
        for each in found:
            conforms(each)
            assert map_payload(each, base="https://prov.example").record
        return found

    @property
    def only(self) -> dict[str, Any]:
        (found,) = self.all
        return found


@pytest.fixture
def told(tmp_path: Path) -> Iterator[Told]:
    found = Told(tmp_path)
    yield found
    assert found.recorder.troubles.counts == {}, found.recorder.troubles.last


def test_a_step_tells_what_it_used_and_generated(told: Told, tmp_path: Path) -> None:
    raw, clean = tmp_path / "raw.csv", tmp_path / "clean.csv"
    raw.write_text("a,b\n1,2\n")
    with told.step("clean", parameters={"threshold": 0.5}, kind="run") as step:
        source = step.used(raw, role="training")
        with clean.open("w") as out:
            made = step.generated(out, from_=[source])
            out.write("a\n1\n")
        step.seed("numpy", np.int64(7))
        step.measured("rows", 1, of=made, on=raw, slice={"a": 1})
    said = told.only
    assert said["state"] == "COMPLETE"
    assert said["start"] < said["end"]
    assert said["used"] == [
        {"type": "file", "namespace": "file", "name": str(raw), **_digests(raw), "role": "training"}
    ]
    assert said["generated"] == [
        {"type": "file", "namespace": "file", "name": str(clean), "from": ["/used/0"], **_digests(clean)}
    ]
    assert said["parameters"] == {"threshold": 0.5}
    assert said["seeds"]["numpy"] == 7
    assert said["agents"] == [{"id": "ana", "kind": "person"}]
    assert said["measurements"] == [{"metric": "rows", "value": 1, "of": made, "on": source, "slice": {"a": 1}}]
    assert said["environment"]["packages"]
    assert said["code"]["commit"]


def _digests(path: Path) -> dict[str, Any]:
    found = Hasher().file(path)
    return {"size": found.size, "sha256": found.sha256, "md5": found.md5}


def test_things_of_every_kind(told: Told, tmp_path: Path) -> None:
    folder = tmp_path / "parts"
    folder.mkdir()
    (folder / "0").write_text("x")
    with told.step() as step:
        step.used(np.arange(6.0).reshape(2, 3), name="matrix")
        step.used(np.arange(3))
        step.used(b"bytes")
        step.used(folder)
        step.used("s3://me:secret@raw/2026/a.csv", version="etag-1")
        step.used(record.table("warehouse://bank", "scores", version=12))
        step.used(record.url("https://demographics.example/api?year=2026", sha256="ab" * 32))
        step.used("models:/m-0123456789abcdef0123456789abcdef", role="model")
        step.used(record.item("app-1", namespace="loans", value=np.float64(0.5), subject="p-7"))
        step.used(f"file://{folder}/0")
        step.generated(record.model(folder, name="risk"))
        step.generated(record.item("p1", kind="prediction", value=float("nan")))
        step.generated(record.table("warehouse://bank", "out", mode="APPEND"))
    used = told.only["used"]
    assert [each["type"] for each in used] == [
        *("array", "array", "bytes", "file", "url", "table", "url", "model", "item", "file")
    ]
    assert (used[0]["name"], used[0]["shape"], used[0]["dtype"]) == ("matrix", [2, 3], "float64")
    assert used[1]["name"] == f"memory/{used[1]['sha256'][:16]}"
    assert used[3]["md5"].endswith(".dir")
    assert (used[4]["namespace"], used[4]["name"]) == ("s3://raw", "2026/a.csv")
    assert used[8]["value"] == 0.5
    assert told.only["generated"][1]["value"] == "nan"


def test_what_is_named_again_is_the_same(told: Told, tmp_path: Path) -> None:
    path, array = tmp_path / "a", np.arange(3)
    path.write_text("x")
    with told.step() as step:
        assert step.used(path) == step.used(str(path)) == "/used/0"
        step.used(array)
        step.generated("/nowhere/b", from_=[path, array, record.item("new")])
    assert told.only["generated"][0]["from"] == ["/used/0", "/used/1", "/used/2"]
    assert told.only["generated"][0]["unread"]


def test_secrets_stay_here(told: Told) -> None:
    with told.step(parameters={"api_key": "hunter2", "url": "postgres://u:hunter2@db/x"}) as step:
        step.used("https://example.org/data?token=hunter2hunter2")
        step.parameter("nested", [{"password": "hunter2"}])
    assert "hunter2" not in told.path.read_text()
    assert {"/parameters/api_key", "/parameters/url", "/used/0/name"} <= set(told.only["redacted"])


def test_a_step_that_raises_failed_and_its_program_sees_what_was_raised(told: Told, tmp_path: Path) -> None:
    partial, untouched = tmp_path / "partial", tmp_path / "untouched"
    untouched.write_text("old")
    os.utime(untouched, (1, 1))

    def fails(step: Step) -> None:
        step.generated(partial)
        step.generated(untouched)
        step.generated(record.table("db", "t"))
        step.generated("/nowhere/x")
        partial.write_text("half")
        _ = 1 // 0

    with pytest.raises(ZeroDivisionError), told.step() as step:
        fails(step)
    said = told.only
    assert (said["state"], said["error"]) == ("FAIL", "ZeroDivisionError")
    assert [each.get("partial", False) for each in said["generated"]] == [True, False, False, False]


@pytest.mark.parametrize(
    ("raised", "state"),
    [
        (KeyboardInterrupt, "ABORT"),
        (SystemExit(3), "ABORT"),
        (SystemExit(0), "COMPLETE"),
        (ValueError("secret"), "FAIL"),
    ],
)
def test_how_a_step_ends(told: Told, raised: Any, state: str) -> None:
    with pytest.raises((KeyboardInterrupt, SystemExit, ValueError)), told.step():
        raise raised
    assert told.only["state"] == state
    assert "hid" not in told.path.read_text()


def test_steps_in_steps(told: Told) -> None:
    with told.step("outer") as outer:
        with told.step("inner") as inner:
            assert record.current() is inner
        assert record.current() is outer
        with told.step("elsewhere", parent=inner):
            pass
    assert record.current() is None
    first, second, last = told.all
    assert (first["parent"], second["parent"]) == ({"id": outer.id}, {"id": inner.id})
    assert "parent" not in last


def test_decorated_functions_of_every_kind(told: Told) -> None:
    seen: list[Step | None] = []

    @told.step("plain", arguments=["depth"])
    def plain(x: int, depth: int = 3) -> int:
        """Says so."""
        seen.append(record.current())
        return x + depth

    @told.step("lazy")
    def lazy(n: int) -> Iterator[int]:
        for each in range(n):
            seen.append(record.current())
            yield each

    @told.step("async")
    async def later(x: int) -> int:
        await asyncio.sleep(0)
        seen.append(record.current())
        return x

    @told.step("asyncgen")
    async def stream(n: int) -> AsyncIterator[int]:
        for each in range(n):
            await asyncio.sleep(0)
            yield each

    async def consume() -> list[int]:
        return [each async for each in stream(3)]

    assert (plain(1), plain.__name__, plain.__doc__) == (4, "plain", "Says so.")
    iterator = lazy(2)
    assert next(iterator) == 0
    assert record.current() is None  # who iterates is not in the step
    assert list(iterator) == [1]
    assert asyncio.run(later(5)) == 5
    assert asyncio.run(consume()) == [0, 1, 2]
    assert all(seen)
    assert [each["name"] for each in told.all] == ["plain", "lazy", "async", "asyncgen"]
    assert told.all[0]["parameters"] == {"depth": 3}
    assert {each["state"] for each in told.all} == {"COMPLETE"}


def test_generators_get_what_is_sent_and_thrown(told: Told) -> None:
    @told.step("echo")
    def echo() -> Any:
        got: Any = None
        while got != "stop":
            try:
                got = yield got
            except KeyError as error:
                got = f"caught {error.args[0]}"
        return "done"

    def whole() -> Any:
        result = yield from echo()
        yield result

    outer = whole()
    next(outer)
    assert outer.send(1) == 1
    assert outer.throw(KeyError("k")) == "caught k"
    assert outer.send("stop") == "done"
    left = echo()
    next(left)
    left.close()
    assert [each["state"] for each in told.all] == ["COMPLETE", "ABORT"]


def test_a_wrong_call_says_what_it_would_have_said(told: Told) -> None:
    @told.step("f", arguments=["a"])
    def f(a: int) -> None: ...

    with pytest.raises(TypeError, match="missing 1 required positional argument: 'a'"):
        f()  # type: ignore[call-arg]
    assert told.only["state"] == "FAIL"


def test_thirty_two_threads(told: Told) -> None:
    with told.step("all") as outer:
        workers = [threading.Thread(target=_in_thread, args=(told, outer, number)) for number in range(32)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    *inner, last = told.all
    assert len(inner) == 32 * 5
    assert {each["parent"]["id"] for each in inner} == {outer.id}
    assert len({each["id"] for each in inner}) == 160
    assert {each["key"] for each in last["used"]} == {f"item-{number}" for number in range(32)}


def _in_thread(told: Told, outer: Step, number: int) -> None:
    outer.used(record.item(f"item-{number}"))
    for _ in range(5):
        assert record.current() is None
        with told.step("part", parent=outer) as step:
            step.used(record.item(f"of-{number}"))


def test_a_thousand_tasks(told: Told) -> None:
    async def part(number: int) -> None:
        async with told.step("part") as step:
            await asyncio.sleep(0)
            assert record.current() is step
            step.parameter("number", number)

    async def whole() -> None:
        async with told.step("whole"):
            await asyncio.gather(*(part(number) for number in range(1000)))

    asyncio.run(whole())
    *parts, last = told.all
    assert {each["parent"]["id"] for each in parts} == {last["id"]}
    assert sorted(each["parameters"]["number"] for each in parts) == list(range(1000))


def test_a_cancelled_task_is_no_failure(told: Told) -> None:
    async def whole() -> None:
        async def forever() -> None:
            async with told.step("long"):
                await asyncio.Event().wait()

        task = asyncio.create_task(forever())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(whole())
    assert told.only["state"] == "ABORT"


# --- mistakes and bad luck -------------------------------------------------------------------------------------------


def quiet(tmp_path: Path, misuse: Callable[[Step], object]) -> Recorder:
    """A recorder after a step in which something was misused; nothing was raised, and the step is recorded."""
    told = Told(tmp_path)
    with told.step("misused") as step:
        misuse(step)
    assert told.only["name"] == "misused"
    return told.recorder


@pytest.mark.parametrize(
    "misuse",
    [
        lambda step: step.used(object()),
        lambda step: step.used(None),
        lambda step: step.used(""),
        lambda step: step.used(42, role="input"),
        lambda step: step.generated("/x", from_=[object()]),
        lambda step: step.measured("m", 1, of=object()),
        lambda step: step.agent(object()),
        lambda step: step.used("\0"),
    ],
)
def test_misuse_is_counted_and_warned_of_and_not_raised(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, misuse: Callable[[Step], object]
) -> None:
    with caplog.at_level("WARNING", "provstore.record"):
        recorder = quiet(tmp_path, misuse)
    assert len(caplog.records) <= len(recorder.troubles.counts) + 1


def test_a_warning_comes_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("WARNING", "provstore.record"):
        recorder = quiet(tmp_path, lambda step: [step.used(object()) for _ in range(5)])
    assert recorder.troubles.counts == {"telling what a step used": 5}
    assert len(caplog.records) == 1


def test_what_comes_after_the_end_is_not_recorded(tmp_path: Path) -> None:
    told = Told(tmp_path)
    with told.step() as step:
        pass
    assert step.used("/a") == ""
    assert "used" not in told.only
    assert told.recorder.troubles.counts == {"telling what a step used": 1}


def test_a_step_is_begun_once(tmp_path: Path) -> None:
    told = Told(tmp_path)
    step = told.step()
    for _ in range(2):
        with step:
            pass
    assert told.only["state"] == "COMPLETE"
    assert told.recorder.troubles.counts == {"beginning a step": 1}


def test_the_clock_may_go_back(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1_700_000_000_000_000_000]
    monkeypatch.setattr("time.time_ns", lambda: now[0])
    with told.step():
        now[0] -= 3_600_000_000_000
    assert told.only["start"] == "2023-11-14T22:13:20.000000Z"
    assert told.only["start"] <= told.only["end"]


# --- where it may run -------------------------------------------------------------------------------------------------


def python(code: str, folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a program in a process of its own, with a spool in a folder."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PROVSTORE_")}
    env = {**kept, "PROVSTORE_SPOOL": str(folder / "spool"), "PYTHONPATH": str(ROOT), **variables}
    line = [sys.executable, *arguments, "-c", code] if code else [sys.executable, *arguments]
    return subprocess.run(line, cwd=folder, env=env, capture_output=True, text=True, timeout=60, check=False)


def spooled(folder: Path) -> list[dict[str, Any]]:
    """The payloads in a spool."""
    lines = [line for path in sorted((folder / "spool").glob("*/*.ndjson")) for line in path.read_text().splitlines()]
    return [said for said in map(json.loads, lines) if "provstore" in said]


def test_only_the_standard_library_is_loaded(tmp_path: Path) -> None:
    code = """
import sys
before = set(sys.modules)
import provstore.record
with provstore.record.step("s") as step:
    step.used("/etc/hostname")
loaded = {name.partition(".")[0] for name in set(sys.modules) - before}
print(sorted(loaded - set(sys.stdlib_module_names)), "asyncio" in sys.modules, "urllib.request" in sys.modules)
"""
    done = python(code, tmp_path)
    assert done.stdout.strip() == "['provstore'] False False", done.stderr


def test_where_nothing_else_is_installed(tmp_path: Path) -> None:
    """Without site-packages: what the package brings is all there is."""
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r})\nfrom provstore import record\nwith record.step('s'): pass\n"
    done = python(code, tmp_path, "-I", "-S")
    assert done.returncode == 0, done.stderr
    done = python("import pyoxigraph", tmp_path, "-I", "-S")
    assert "ModuleNotFoundError" in done.stderr


def test_an_interpreter_inside_another(tmp_path: Path) -> None:
    code = """
import importlib
try:
    interpreters = importlib.import_module("_xxsubinterpreters")
except ImportError:
    interpreters = importlib.import_module("_interpreters")
inner = interpreters.create()
interpreters.run_string(inner, "from provstore import record\\nwith record.step('inner'): pass")
"""
    done = python(code, tmp_path)
    assert done.returncode == 0, done.stderr
    assert [said["name"] for said in spooled(tmp_path)] == ["inner"]


def test_an_interactive_session(tmp_path: Path) -> None:
    """As in a notebook: cells one after another, no file, a step held open from one to the next."""
    code = """
import code, sys
sys.ps1 = ">>> "
shell = code.InteractiveConsole()
for cell in (
    "from provstore import record",
    "step = record.step('explore'); _ = step.__enter__()",
    "x = step.used('/etc/hostname')",
    "raise ValueError('a cell that fails')",
    "_ = step.generated(b'result', name='result')",
    "_ = step.__exit__(None, None, None)",
):
    shell.push(cell)
"""
    done = python(code, tmp_path)
    assert done.returncode == 0, done.stderr
    (said,) = spooled(tmp_path)
    assert (said["name"], said["generated"][0]["name"]) == ("explore", "result")


def test_a_fork_in_the_middle_of_a_step(tmp_path: Path) -> None:
    code = """
import os
from provstore import record
with record.step("parent") as step:
    step.parameter("who", "parent")
    child = os.fork()
    if child == 0:
        step.parameter("who", "child")
        step.used(b"child")
        with record.step("child") as inner:
            pass
    else:
        os.waitpid(child, 0)
if child == 0:
    os._exit(0)
"""
    done = python(code, tmp_path)
    assert done.returncode == 0, done.stderr
    inner, outer = sorted(spooled(tmp_path), key=lambda said: str(said["name"]))
    assert (inner["name"], outer["name"]) == ("child", "parent")
    assert inner["parent"]["id"] == outer["id"]
    assert outer["parameters"] == {"who": "parent"}
    assert len(list((tmp_path / "spool").glob("*/*.ndjson"))) == 2


def test_a_pool_of_processes(tmp_path: Path) -> None:
    script = tmp_path / "pool.py"
    script.write_text("""
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from provstore import record

@record.step("square", arguments=["x"])
def square(x):
    return x * x

if __name__ == "__main__":
    for how in ("fork", "spawn"):
        with record.step(how), ProcessPoolExecutor(2, mp_context=get_context(how)) as pool:
            assert list(pool.map(square, range(10))) == [x * x for x in range(10)]
""")
    done = python("", tmp_path, str(script))
    assert done.returncode == 0, done.stderr
    names = [said["name"] for said in spooled(tmp_path)]
    assert sorted(names) == sorted(["square"] * 20 + ["fork", "spawn"])


def test_a_home_that_cannot_be_written_to(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a directory")
    code = "from provstore import record\nwith record.step('s'): print('fine')\nprint(record.troubles())"
    done = python(code, tmp_path, PROVSTORE_SPOOL=str(blocked / "spool"))
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, "fine")
    assert done.stderr.count("keeping a step on disk: NotADirectoryError") == 1
    assert "keeping a step on disk" in done.stdout
