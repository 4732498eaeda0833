"""What comes back after a server was killed with all its processes, after half-made stores, and after lost files."""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from provstore.core import ProvStore
from tests import suites
from tests.servers import Server, children, environment, event, serving
from tests.stores import BASE, assert_sound, timeless

_ROUNDS = 12
_CLIENTS = 3

#: Ingests, and dies with what was loaded last still unflushed; `python -c … DIRECTORY FIRST LAST`.
_INGEST = f"""
import os, signal, sys
from pathlib import Path
from provstore.core import ProvStore
from tests.servers import event as run_event
from tests.stores import event
store = ProvStore(Path(sys.argv[1]), base={BASE!r})
for n in range(int(sys.argv[2]), int(sys.argv[3])):
    store.ingest([event(run_event(n))])
os.kill(os.getpid(), signal.SIGKILL)
"""
_REBUILD = """
import sys
from pathlib import Path
from provstore.core import ProvStore
store = ProvStore(Path(sys.argv[1]))
store.rebuild()
store.close()
"""


class Client(threading.Thread):
    """Posts one event after the other; what is not answered stays to be sent again, as a real client does."""

    def __init__(self, events: list[int], acknowledged: dict[int, int], url: str) -> None:
        super().__init__()
        self._events, self._acknowledged, self._url = events, acknowledged, url
        self.wrong: list[str] = []

    def run(self) -> None:
        with httpx.Client(base_url=self._url, timeout=20) as http:
            while self._events:
                number = self._events[0]
                try:
                    answer = http.post("/api/v1/lineage", json=event(number))
                except httpx.TransportError:
                    return
                if answer.status_code == 503:  # the owner is being restarted: not taken, or not known to be
                    continue
                if answer.status_code not in (200, 201):
                    self.wrong.append(answer.text)
                    return
                index = int(answer.json()["index"])
                if self._acknowledged.setdefault(number, index) != index:
                    self.wrong.append(f"event {number} stood at {self._acknowledged[number]} and now at {index}")
                self._events.pop(0)


@pytest.mark.slow
def test_a_server_killed_again_and_again(tmp_path: Path) -> None:
    """The owner while the server runs on, and then the server with all its processes; clients send again."""
    chance = random.Random(11)
    directory = tmp_path / "store"
    acknowledged: dict[int, int] = {}
    left: list[list[int]] = [[] for _ in range(_CLIENTS)]
    for number in range(_ROUNDS):
        with serving(directory) as server:
            for place, events in enumerate(left):
                first = (number * _CLIENTS + place) * 40
                # some that were acknowledged once more: they keep their index
                events += [*chance.sample(sorted(acknowledged), min(5, len(acknowledged))), *range(first, first + 40)]
            clients = [Client(events, acknowledged, server.url) for events in left]
            for client in clients:
                client.start()
            time.sleep(chance.uniform(0.0, 0.15))  # the instant of the kill
            if number % 2:
                os.kill(server.owner(), signal.SIGKILL)
                time.sleep(chance.uniform(0.0, 0.5))
            kill_group(server)
            for client in clients:
                client.join(60)
                assert not client.is_alive()
                assert not client.wrong
        with_store(directory, lambda store: assert_indices(store, acknowledged))
    with serving(directory) as server:
        for events in left:
            client = Client(events, acknowledged, server.url)
            client.run()
            assert not client.wrong
    assert sorted(acknowledged) == list(range(_ROUNDS * _CLIENTS * 40))
    with_store(directory, assert_sound)
    with_store(directory, lambda store: assert_indices(store, acknowledged))


def kill_group(server: Server) -> None:
    """SIGKILL to the server and to every process below it."""
    below = [pid for pid, _ in children(server.process.pid)]
    for pid in [server.process.pid, *below]:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    server.stop(signal.SIGKILL)


def with_store(directory: Path, check: Callable[[ProvStore], None]) -> None:
    store = ProvStore(directory)
    try:
        check(store)
    finally:
        store.close()


def assert_indices(store: ProvStore, acknowledged: dict[int, int]) -> None:
    """What was acknowledged stands where it was said to stand, once, and the views are caught up with it."""
    assert store.views.applied == store.ledger.head
    assert len(set(acknowledged.values())) == len(acknowledged)
    for number, index in acknowledged.items():
        assert event(number)["run"]["runId"] in store.ledger.body(index).payload.decode()


# --- killed at a place: a store in the making, a rebuild -------------------------------------------------------------


def python(code: str, *arguments: object, wrapper: tuple[str, ...] = ()) -> int:
    line = [*wrapper, sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(line, env=environment(), cwd=suites.ROOT, timeout=60, capture_output=True).returncode


def killed_at(call: str, when: int) -> tuple[str, ...]:
    if shutil.which("strace") is None:
        suites.missing("strace is not installed")
    options = ("-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when={when}")
    return ("strace", "-f", "-qq", "-o", "/dev/null", *options)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("call", "when"),
    [
        *[("pwrite64", n) for n in (1, 2, 4, 8, 16)],
        *[("fdatasync", n) for n in (1, 2, 3, 4, 5)],
        ("rename", 1),
        ("rename", 2),
    ],
)
def test_killed_while_a_store_is_made(call: str, when: int, tmp_path: Path) -> None:
    python(_INGEST, tmp_path / "store", 0, 1, wrapper=killed_at(call, when))
    assert python(_INGEST, tmp_path / "store", 0, 3) == -signal.SIGKILL
    with_store(tmp_path / "store", assert_sound)
    with_store(tmp_path / "store", lambda store: assert_head(store, 3))


def assert_head(store: ProvStore, head: int) -> None:
    assert store.ledger.head == head


@pytest.mark.slow
@pytest.mark.parametrize(
    ("call", "when"), [("rename", n) for n in (1, 2, 3, 4, 5, 6)] + [("fdatasync", n) for n in (2, 6)]
)
def test_killed_during_a_rebuild(call: str, when: int, tmp_path: Path) -> None:
    python(_INGEST, tmp_path / "store", 0, 20)
    python(_REBUILD, tmp_path / "store", wrapper=killed_at(call, when))
    with_store(tmp_path / "store", assert_sound)
    with_store(tmp_path / "store", lambda store: assert_head(store, 20))


# --- lost and damaged files ------------------------------------------------------------------------------------------


def log_of(views: Path) -> Path:
    """The write-ahead log of the triple store that holds most."""
    return max((views / "store").glob("*.log"), key=lambda each: each.stat().st_size)


def cut(path: Path, size: int) -> None:
    os.truncate(path, max(0, path.stat().st_size - size))


def flip(path: Path) -> None:
    held = bytearray(path.read_bytes())
    held[len(held) // 2] ^= 1
    path.write_bytes(held)


def flip_all(folder: Path, pattern: str) -> None:
    found = list(folder.glob(pattern))
    assert found
    for each in found:
        flip(each)


def remove(folder: Path, pattern: str) -> None:
    found = list(folder.glob(pattern))
    assert found
    for each in found:
        each.unlink()


def another_version(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA user_version = 1")


DAMAGES: dict[str, Callable[[Path], None]] = {
    "the log's last byte": lambda views: cut(log_of(views), 1),
    "the log's last 100 bytes": lambda views: cut(log_of(views), 100),
    "half of the log": lambda views: cut(log_of(views), log_of(views).stat().st_size // 2),
    "all of the log": lambda views: cut(log_of(views), 1 << 30),
    "the log itself": lambda views: log_of(views).unlink(),
    "a bit of the log": lambda views: flip(log_of(views)),
    "the manifest": lambda views: remove(views / "store", "MANIFEST-*"),
    "CURRENT": lambda views: remove(views / "store", "CURRENT"),
    "the table files": lambda views: remove(views / "store", "*.sst"),
    "a bit of each table file": lambda views: flip_all(views / "store", "*.sst"),
    "a bit of the manifest": lambda views: flip_all(views / "store", "MANIFEST-*"),
    "views": shutil.rmtree,
    "the content of view.db": lambda views: cut(views / "view.db", 1 << 30),
    "view.db": lambda views: remove(views, "view.db"),
    "view.db and its log": lambda views: remove(views, "view.db*"),
    "the log of view.db": lambda views: remove(views, "view.db-wal"),
    "half of the log of view.db": lambda views: cut(views / "view.db-wal", (views / "view.db-wal").stat().st_size // 2),
    "half of view.db": lambda views: cut(views / "view.db", (views / "view.db").stat().st_size // 2),
    "what this version expects of view.db": lambda views: another_version(views / "view.db"),
    "store": lambda views: shutil.rmtree(views / "store"),
}


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, set[str]]:
    """A store whose owner was killed with records in the triple store that were never flushed, and what it holds."""
    directory = tmp_path_factory.mktemp("killed") / "store"
    assert python(_INGEST, directory, 0, 10) == -signal.SIGKILL
    with_store(directory, lambda store: None)  # closed in order: the first ten are flushed
    assert python(_INGEST, directory, 10, 30) == -signal.SIGKILL
    copy = directory.with_name("copy")
    shutil.copytree(directory, copy)
    held: set[str] = set()
    with_store(copy, lambda store: held.update(store.views.store.dump()))
    return directory, held


@pytest.mark.parametrize("lost", DAMAGES)
def test_views_come_back_without(lost: str, killed: tuple[Path, set[str]], tmp_path: Path) -> None:
    directory, held = killed
    shutil.copytree(directory, tmp_path / "store")
    assert log_of(tmp_path / "store" / "views").stat().st_size > 10_000
    DAMAGES[lost](tmp_path / "store" / "views")
    with_store(tmp_path / "store", assert_sound)
    with_store(tmp_path / "store", lambda store: assert_holds(store, held))


def assert_holds(store: ProvStore, held: set[str]) -> None:
    assert timeless(store.views.store.dump()) == timeless(held)
