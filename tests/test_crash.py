"""kill -9 of the process that owns a store: nothing acknowledged is lost, nothing stands half applied."""

from __future__ import annotations

import contextlib
import os
import pickle
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from provstore.core import ProvStore
from provstore.ledger.log import Ledger
from provstore.model import Receipt, Submission
from provstore.security.frames import receive, send
from tests import suites
from tests.servers import children
from tests.servers import event as run_event
from tests.stores import BASE, assert_sound, event

_KILLS = 100


class Owner:
    """The owner process of a directory, spoken to as the server speaks to it."""

    def __init__(self, directory: Path, wrapper: Sequence[str] = ()) -> None:
        self.channel, theirs = socket.socketpair()
        line = [*wrapper, sys.executable, "-m", "provstore.core.owner", str(theirs.fileno()), str(directory), BASE]
        self.process = subprocess.Popen(line, pass_fds=(theirs.fileno(),), stderr=subprocess.DEVNULL)
        theirs.close()
        self.wrapped = bool(wrapper)
        self.receipts: list[Receipt] = []
        self._ticket = 0

    def greeted(self) -> bool:
        """Whether it opened the store; a wrapper may kill it before it does."""
        frame = receive(self.channel)
        return frame is not None and bool(pickle.loads(frame)[1])

    def append(self, submissions: list[Submission]) -> None:
        self._ticket += 1
        send(self.channel, pickle.dumps((self._ticket, "append", submissions)))

    def collect(self) -> bool:
        """Take one answer in; False where the process is gone."""
        frame = receive(self.channel)
        if frame is None:
            return False
        _, good, (receipts, _) = pickle.loads(frame)
        assert good
        self.receipts += receipts
        return True

    def feed(self, numbers: range, size: int) -> None:
        """Append for as long as anybody listens, several requests under way at once."""
        collector = threading.Thread(target=self._collect_all)
        collector.start()
        try:
            for start in range(numbers.start, numbers.stop, size):
                self.append([event(run_event(n)) for n in range(start, start + size)])
        except OSError:
            pass
        collector.join()

    def _collect_all(self) -> None:
        while self.collect():
            pass

    def kill(self) -> None:
        """SIGKILL to the owner, below its wrapper where it has one: a tracer that dies lets go of what it traces."""
        below = children(self.process.pid) if self.wrapped and self.process.poll() is None else []
        for pid in [pid for pid, _ in below] or [self.process.pid]:
            os.kill(pid, signal.SIGKILL)

    def finish(self) -> None:
        """Let it end as it does when its server is gone; kill it where it does not."""
        with contextlib.suppress(OSError):
            self.channel.shutdown(socket.SHUT_WR)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(30)
        self.close()

    def close(self) -> None:
        if self.process.poll() is None:
            self.kill()
        self.process.wait()
        self.channel.close()


def assert_kept(directory: Path, receipts: list[Receipt]) -> None:
    """Every acknowledged record stands in the ledger at the index that was acknowledged."""
    ledger = Ledger(directory)
    for receipt in receipts:
        assert receipt.index in ledger.find(receipt.record), receipt
    ledger.close()


def assert_whole(directory: Path) -> None:
    store = ProvStore(directory)
    assert_sound(store)
    store.close()


@pytest.mark.slow
def test_killed_at_random(tmp_path: Path) -> None:
    chance = random.Random(20260301)
    acknowledged: list[Receipt] = []
    for kill in range(_KILLS):
        owner = Owner(tmp_path)
        assert owner.greeted()
        after = chance.uniform(0.0, 0.12)
        killer = threading.Timer(after, owner.kill)
        killer.start()
        # the first ones again: what a client sends again because nobody answered it
        owner.feed(range(kill * 20 - 10 if kill else 0, kill * 20 + 100), chance.choice((1, 1, 3, 10)))
        killer.join()
        owner.close()
        acknowledged += owner.receipts
        assert_kept(tmp_path, owner.receipts)
        if kill % 50 == 9:
            assert_whole(tmp_path)
    assert len(acknowledged) > _KILLS
    assert_kept(tmp_path, acknowledged)
    assert_whole(tmp_path)


def _strace(*options: str) -> list[str]:
    if shutil.which("strace") is None:
        suites.missing("strace is not installed")
    return ["strace", "-f", "-qq", *options]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("call", "when"),
    [
        *[("fdatasync", n) for n in (1, 2, 3, 4, 5, 6, 9, 14)],
        *[("pwrite64", n) for n in (1, 3, 10, 25, 60, 120, 200)],
        *[("rename", n) for n in (1, 2, 3)],
        *[("write", n) for n in (2, 20, 60, 100)],
    ],
)
def test_killed_at_a_place(call: str, when: int, tmp_path: Path) -> None:
    first = Owner(tmp_path)
    assert first.greeted()
    first.append([event(run_event(n)) for n in range(10)])
    assert first.collect()
    first.close()
    placed = Owner(
        tmp_path,
        _strace("-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when={when}"),
    )
    if placed.greeted():
        killer = threading.Timer(5.0, placed.kill)  # the place may lie beyond what this run reaches
        killer.start()
        placed.feed(range(10, 60), 2)
        killer.cancel()
    placed.close()
    assert_kept(tmp_path, first.receipts + placed.receipts)
    assert_whole(tmp_path)


def _calls(trace: str) -> Iterator[tuple[str, str]]:
    """What strace saw, in order: a call as it began ('' where that came before), and as it ended ('' where later)."""
    waiting: dict[str, str] = {}
    for line in filter(None, trace.split("\n")):
        thread, _, text = line.partition(" ")
        text = text.strip()
        if text.endswith("<unfinished ...>"):
            waiting[thread] = text.removesuffix("<unfinished ...>").rstrip()
            yield waiting[thread], ""
        elif resumed := re.match(r"<\.\.\. \w+ resumed>(.*)", text):
            yield "", waiting.pop(thread) + resumed[1]
        else:
            yield text, text


def test_a_sync_of_the_ledger_lies_before_every_answer(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    owner = Owner(tmp_path / "data", _strace("-y", "-o", str(trace), "-e", "trace=fdatasync,fsync,sendto,recvfrom"))
    assert owner.greeted()
    for number in range(12):
        owner.append([event(run_event(number))])
        assert owner.collect()
    owner.finish()
    answers, synced = 0, False
    for begun, ended in _calls(trace.read_text()):
        if re.match(r"sendto\(\d+<(UNIX|socket)", begun):
            answers += 1
            assert synced or answers == 1, begun  # the first is the greeting
        elif re.match(r"recvfrom\(\d+<(UNIX|socket)", ended) and not ended.endswith("= 8"):  # 8 bytes: a length
            synced = False
        elif re.match(r"f(data)?sync\(\d+<[^>]*ledger\.db-wal>\) *= 0", ended):
            synced = True
    assert answers == 13


@pytest.mark.parametrize("lost", ["views", "views/view.db", "views/store", "tail of the store's log"])
def test_views_come_back(lost: str, tmp_path: Path) -> None:
    owner = Owner(tmp_path)
    assert owner.greeted()
    owner.append([event(run_event(n)) for n in range(30)])
    assert owner.collect()
    time.sleep(0.3)  # some of it applied, none of it flushed
    owner.append([event(run_event(n)) for n in range(30, 40)])
    assert owner.collect()
    owner.kill()
    owner.close()
    if lost.startswith("views"):
        path = tmp_path / lost
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    else:  # what a power cut takes: the end of what was written and never synced
        for log in (tmp_path / "views" / "store").glob("*.log"):
            log.write_bytes(log.read_bytes()[: log.stat().st_size // 2])
    assert_kept(tmp_path, owner.receipts)
    assert_whole(tmp_path)
