"""The log: what append promises, what an entry says, and that both survive a full disk, a kill and a reopening."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import textwrap
import threading
from contextlib import closing
from pathlib import Path

import pytest

from provstore.errors import Busy, LedgerError, Misconfigured, NotFound
from provstore.ledger import merkle
from provstore.ledger.log import Ledger
from provstore.ledger.note import Signer
from provstore.ledger.verify import verify
from provstore.model import Content
from tests import suites
from tests.ledgers import BASE, TIME, content, make, submission

LATER, EARLIER = "2026-03-01T12:00:01.5Z", "2026-03-01T11:59:59Z"


def test_the_genesis_fixes_base_key_and_origin(tmp_path: Path) -> None:
    ledger = make(tmp_path)
    genesis = ledger.genesis()
    assert ledger.size() == 1
    assert genesis["base"] == BASE == ledger.base
    assert genesis["key"] == ledger.verifier.vkey()
    assert genesis["origin"] == ledger.origin == ledger.verifier.name
    assert genesis["time"] == TIME
    assert (tmp_path / "ledger.key").stat().st_mode & 0o777 == 0o600
    assert verify(tmp_path).ok


def test_a_batch_is_answered_in_order(tmp_path: Path) -> None:
    ledger = make(tmp_path)
    sent = [submission(n, contents=(content(2), content(1))) for n in range(7)]
    receipts = ledger.append(sent, LATER)
    assert [r.index for r in receipts] == list(range(1, 8))
    assert not any(r.duplicate for r in receipts)
    for submitted, receipt, body in zip(sent, receipts, ledger.bodies(1, 7), strict=True):
        assert receipt == ledger.receipt(receipt.index)
        assert receipt.record == body.record == submitted.mapped.record
        assert receipt.received == body.received == LATER
        assert receipt.leaf_hash == merkle.leaf_hash(ledger.entry(receipt.index)).hex()
        assert (body.payload, body.media_type) == (submitted.payload, submitted.media_type)
        assert (body.quads, body.adapter) == (submitted.mapped.quads, "test/1")
        assert body.contents == (content(1).iri, content(2).iri)
        assert body.liberties == submitted.mapped.liberties == receipt.liberties
        assert ledger.find(receipt.record) == [receipt.index]
    assert ledger.content(content(1).iri) == content(1).quads


def test_an_entry_says_nothing_that_could_be_read_or_guessed(tmp_path: Path) -> None:
    ledger = make(tmp_path)
    sent = submission(1, actor="ann@example.org")
    ledger.append([sent], TIME)
    raw = ledger.entry(1)
    said = json.loads(raw)
    assert sorted(said) == ["actor", "adapter", "kind", "payload", "quads", "time", "v"]
    assert (said["kind"], said["adapter"], said["time"], said["v"]) == ("record", "test/1", TIME, "provstore.leaf/1")
    assert all(re.fullmatch("[0-9a-f]{64}", said[each]) for each in ("payload", "quads"))
    assert re.fullmatch("[0-9a-f]{32}", said["actor"])
    for known in (sent.payload, sent.mapped.quads, sent.actor.encode(), sent.mapped.record.encode()):
        assert known not in raw
        assert hashlib.sha256(known).hexdigest()[:32].encode() not in raw
    assert sent.mapped.record.rpartition("/")[2].encode() not in raw


def test_the_same_submission_commits_differently_in_two_ledgers(tmp_path: Path) -> None:
    ledgers = [make(tmp_path / name, 1) for name in "ab"]
    first, second = (json.loads(each.entry(1)) for each in ledgers)
    assert not {first[k] for k in ("actor", "payload", "quads")} & {second[k] for k in ("actor", "payload", "quads")}


def test_what_was_posted_before_answers_as_then(tmp_path: Path) -> None:
    ledger = make(tmp_path)
    first = ledger.append([submission(0), submission(1), submission(0)], TIME)
    assert [(r.index, r.duplicate) for r in first] == [(1, False), (2, False), (1, True)]
    again = ledger.append([submission(1), submission(2), submission(0)], LATER)
    assert [(r.index, r.duplicate) for r in again] == [(2, True), (3, False), (1, True)]
    assert again[2].received == TIME
    assert again[2] == first[2]
    assert ledger.size() == 4
    reopened = Ledger(tmp_path)
    assert reopened.append([submission(0)], LATER) == [first[2]]
    assert reopened.size() == 4


def test_another_actor_is_another_entry_of_the_same_record(tmp_path: Path) -> None:
    ledger = make(tmp_path)
    ann, bob, ann2 = ledger.append([submission(0), submission(0, actor="bob"), submission(1)], TIME)
    assert (ann.index, bob.index, bob.duplicate) == (1, 2, False)
    assert ann.record == bob.record
    assert ledger.find(ann.record) == [1, 2]
    actors = [ledger.body(r.index).actor for r in (ann, bob, ann2)]
    assert actors[0] == actors[2] != actors[1]
    assert not {"ann", "bob"} & set(actors)
    assert Ledger(tmp_path).append([submission(5, actor="bob")], TIME)[0].index == 4
    assert ledger.body(4).actor == actors[1]


def test_no_submission_is_no_entry(tmp_path: Path) -> None:
    ledger = make(tmp_path)
    assert ledger.append([], TIME) == []
    assert ledger.size() == 1


def test_empty_and_huge_payloads_are_kept(tmp_path: Path) -> None:
    ledger = make(tmp_path)
    sent = [submission(0, size=5_000_000), submission(1, size=0)]
    empty = submission(2)
    receipts = ledger.append([*sent, type(empty)(b"", "", "", empty.mapped)], TIME)
    assert [len(ledger.body(r.index).payload) for r in receipts] == [5_000_000, 7, 0]
    assert verify(tmp_path).ok


def test_times_never_go_back(tmp_path: Path) -> None:
    ledger = make(tmp_path)
    times = [(LATER, LATER), (EARLIER, LATER), ("2026-03-01T12:00:01.500001Z", "2026-03-01T12:00:01.500001Z")]
    for n, (received, recorded) in enumerate(times):
        assert ledger.append([submission(n)], received)[0].received == recorded
    assert Ledger(tmp_path).append([submission(9)], EARLIER)[0].received == times[-1][1]
    assert verify(tmp_path).ok
    with pytest.raises(ValueError, match="date-time"):
        ledger.append([submission(10)], "soon")


def test_proofs_of_every_size_hold(tmp_path: Path) -> None:
    ledger = make(tmp_path, 20)
    for size in range(1, 22):
        for index in range(size):
            leaf = merkle.leaf_hash(ledger.entry(index))
            assert merkle.verify_inclusion(index, size, leaf, ledger.inclusion(index, size), ledger.root(size))
        proof = ledger.consistency(size, 21)
        assert merkle.verify_consistency(size, 21, ledger.root(size), ledger.root(), proof)


def test_what_is_not_there_is_not_found(tmp_path: Path) -> None:
    ledger = make(tmp_path, 2)
    for ask in (
        lambda: ledger.entry(3),
        lambda: ledger.entry(-1),
        lambda: ledger.body(0),
        lambda: ledger.receipt(3),
        lambda: ledger.content("ni:///none"),
        lambda: ledger.inclusion(3, 3),
        lambda: ledger.inclusion(0, 4),
        lambda: ledger.consistency(2, 4),
        lambda: ledger.consistency(2, 1),
        lambda: ledger.root(4),
        lambda: ledger.root(-1),
    ):
        with pytest.raises(NotFound):
            ask()
    assert ledger.find("urn:none") == []
    assert list(ledger.bodies(3, 100)) == []


def test_a_content_under_a_known_name_must_be_the_known_one(tmp_path: Path) -> None:
    ledger = make(tmp_path)
    ledger.append([submission(1, contents=(content(1),))], TIME)
    with pytest.raises(LedgerError, match="needs a new version"):
        ledger.append([submission(2), submission(3, contents=(Content(content(1).iri, b""),))], TIME)
    assert ledger.size() == 2
    assert ledger.append([submission(2)], TIME)[0].index == 2
    assert verify(tmp_path).ok


def test_a_batch_that_fails_leaves_nothing(tmp_path: Path) -> None:
    ledger = make(tmp_path, 3)
    with pytest.raises(UnicodeEncodeError):
        ledger.append([submission(8, actor="new"), submission(9, actor="\ud800")], LATER)
    assert ledger.size() == 4
    receipt = ledger.append([submission(9), submission(8, actor="new")], TIME)[1]
    assert (receipt.index, receipt.duplicate, receipt.received) == (5, False, TIME)
    assert verify(tmp_path).ok


def test_appending_does_not_see_an_old_state_through_a_reader_under_way(tmp_path: Path) -> None:
    ledger = make(tmp_path, 3)
    reading = ledger.bodies(1, 3)
    next(reading)
    for n in range(10, 14):
        assert not ledger.append([submission(n)], TIME)[0].duplicate
        assert ledger.append([submission(n)], TIME)[0].duplicate
    assert len(list(reading)) == 2
    assert ledger.size() == 8
    assert verify(tmp_path).ok


def test_readers_in_other_threads_see_only_whole_batches(tmp_path: Path) -> None:
    ledger = make(tmp_path)
    done = threading.Event()
    wrong: list[str] = []

    def read() -> None:
        while not done.is_set():
            size = ledger.size()
            if size % 4 != 1 or len(list(ledger.bodies(1, size - 1))) != size - 1:
                wrong.append(f"saw {size}")
            leaf = merkle.leaf_hash(ledger.entry(size - 1))
            if not merkle.verify_inclusion(size - 1, size, leaf, ledger.inclusion(size - 1, size), ledger.root(size)):
                wrong.append(f"no proof at {size}")
            report = verify(tmp_path, checkpoint=ledger.checkpoint())
            wrong.extend(map(str, report.findings))

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for first in range(0, 120, 4):
        ledger.append([submission(n) for n in range(first, first + 4)], TIME)
    done.set()
    for reader in readers:
        reader.join()
    assert wrong == []
    assert verify(tmp_path).size == 121


# -- checkpoints ------------------------------------------------------------------------------------------------------


def test_checkpoints_are_signed_kept_and_never_contradicted(tmp_path: Path) -> None:
    ledger = make(tmp_path, 3)
    first = ledger.checkpoint()
    assert ledger.checkpoint() == first
    head = ledger.verifier.open(first)
    assert (head.origin, head.size, head.root) == (ledger.origin, 4, ledger.root(4))
    ledger.append([submission(9)], TIME)
    assert ledger.verifier.open(ledger.checkpoint()).size == 5
    with sqlite3.connect(tmp_path / "ledger.db") as db:
        assert [size for (size,) in db.execute("SELECT size FROM checkpoint")] == [4, 5]
        db.execute("DELETE FROM node WHERE n = 4 AND level = 0")
        db.execute("DELETE FROM entry WHERE idx = 4")
    db.close()
    with pytest.raises(LedgerError, match="does not extend the checkpoint of 5"):
        ledger.checkpoint()


# -- opening ----------------------------------------------------------------------------------------------------------


def test_a_ledger_is_made_once_and_opened_often(tmp_path: Path) -> None:
    make(tmp_path, 3).close()
    with pytest.raises(Misconfigured, match="already holds"):
        make(tmp_path)
    ledger = Ledger(tmp_path)
    assert (ledger.size(), ledger.base) == (4, BASE)
    assert ledger.append([submission(9)], TIME)[0].index == 4
    with pytest.raises(Misconfigured, match="holds no ledger"):
        Ledger(tmp_path / "none")


def test_a_ledger_without_a_base_gets_one_of_its_own(tmp_path: Path) -> None:
    bases = {Ledger.create(tmp_path / name, base="", received=TIME).base for name in "ab"}
    assert len(bases) == 2


def test_what_a_crash_while_making_one_leaves_is_no_hindrance(tmp_path: Path) -> None:
    for left in ("ledger.key", "ledger.key.new", "ledger.db.new"):
        (tmp_path / left).write_text("half")
    assert make(tmp_path, 1).size() == 2


def test_a_key_whose_ledger_is_gone_is_kept(tmp_path: Path) -> None:
    (tmp_path / "ledger.key").write_text("of a ledger that somebody lost")
    with pytest.raises(Misconfigured, match="holds a signing key but no ledger"):
        Ledger.create(tmp_path, base=BASE, received="2026-01-01T00:00:00Z")
    assert (tmp_path / "ledger.key").read_text() == "of a ledger that somebody lost"


def test_a_log_cut_behind_what_it_signed_is_not_continued(tmp_path: Path) -> None:
    ledger = make(tmp_path, 5)
    ledger.checkpoint()
    ledger.close()
    with sqlite3.connect(tmp_path / "ledger.db") as db:
        db.execute("DELETE FROM entry WHERE idx > 3")
        db.execute("DELETE FROM body WHERE idx > 3")
        db.execute("DELETE FROM node WHERE (n + 1) * (1 << level) > 4")
    db.close()
    with pytest.raises(LedgerError, match="entries 4 to 5 are missing"):
        Ledger(tmp_path)


def test_another_key_is_refused(tmp_path: Path) -> None:
    make(tmp_path).close()
    key = tmp_path / "ledger.key"
    key.chmod(0o644)
    with pytest.raises(Misconfigured, match="chmod 600"):
        Ledger(tmp_path)
    key.unlink()
    with pytest.raises(Misconfigured, match="signing key"):
        Ledger(tmp_path)
    Signer.create("any", key)
    with pytest.raises(LedgerError, match="not the key that the ledger began with"):
        Ledger(tmp_path)


@pytest.mark.parametrize(
    "damage",
    [
        "DELETE FROM entry",
        "DELETE FROM entry WHERE idx = 3",
        "DELETE FROM node WHERE level = 0 AND n = 3",
        "DELETE FROM node",
        "UPDATE entry SET entry = x'00' WHERE idx = 3",
        "UPDATE entry SET entry = 'text' WHERE idx = 0",
        "DELETE FROM meta",
        "DROP TABLE node",
    ],
)
def test_a_ledger_whose_end_does_not_fit_is_not_opened(tmp_path: Path, damage: str) -> None:
    make(tmp_path, 3).close()
    with sqlite3.connect(tmp_path / "ledger.db") as db:
        db.execute(damage)
    db.close()
    with pytest.raises(LedgerError):
        Ledger(tmp_path)
    assert not verify(tmp_path).ok


def test_a_file_that_is_no_database_is_a_damaged_ledger(tmp_path: Path) -> None:
    make(tmp_path).close()
    for held in (b"", b"\0" * 100, b"no database" * 1000):
        (tmp_path / "ledger.db").write_bytes(held)
        with pytest.raises(LedgerError):
            Ledger(tmp_path)
        assert not verify(tmp_path).ok


def test_a_ledger_that_could_not_be_opened_is_let_go_of(tmp_path: Path) -> None:
    make(tmp_path, 3).close()
    path = tmp_path / "ledger.db"
    sound = path.read_bytes()
    held = []  # the errors, and with them all that their frames refer to
    for _ in range(5):
        path.write_bytes(sound.replace(b'"base"', b'"bose"'))
        with pytest.raises(LedgerError) as refused:
            Ledger(tmp_path)
        held.append(refused)
        for left in tmp_path.glob("ledger.db-*"):
            left.unlink()
        path.write_bytes(sound)
        with closing(Ledger(tmp_path)) as ledger:
            assert ledger.append([submission(9)], TIME)[0].index == 4


def test_a_body_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    ledger = make(tmp_path, 3)
    ledger.append([submission(9, contents=(content(1),))], TIME)
    with sqlite3.connect(tmp_path / "ledger.db") as db:
        db.execute("UPDATE body SET quads = x'00' WHERE idx = 2")
        db.execute("UPDATE content SET quads = x'00'")
    db.close()
    with pytest.raises(LedgerError, match="entry 2 cannot be read"):
        list(ledger.bodies(1, 3))
    with pytest.raises(LedgerError, match="cannot be read"):
        ledger.content(content(1).iri)


# -- durability -------------------------------------------------------------------------------------------------------


def child(program: str, *arguments: str, before: tuple[str, ...] = ()) -> subprocess.Popen[str]:
    """A Python child with the ledger of its first argument open as `ledger`."""
    prelude = """
        import sys
        from pathlib import Path
        from provstore.ledger.log import Ledger
        from tests.ledgers import TIME, submission
        ledger = Ledger(Path(sys.argv[1]))
    """
    code = textwrap.dedent(prelude) + textwrap.dedent(program)
    command = [*before, sys.executable, "-c", code, *arguments]
    return subprocess.Popen(command, cwd=suites.ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


APPEND = """
    start = int(sys.argv[2])
    for n in range(start, start + int(sys.argv[3])):
        (receipt,) = ledger.append([submission(n)], TIME)
        print("receipt", n, receipt.index, receipt.leaf_hash, flush=True)
"""


def test_a_sync_lies_before_every_receipt(tmp_path: Path) -> None:
    if shutil.which("strace") is None:
        suites.missing("strace is needed to see the syncs of an append")
    make(tmp_path / "d").close()
    trace = tmp_path / "trace"
    tracer = ("strace", "-f", "-y", "-e", "trace=fsync,fdatasync,write,pwrite64", "-s", "16", "-o", str(trace))
    running = child(APPEND, str(tmp_path / "d"), "0", "5", before=tracer)
    printed, errors = running.communicate(timeout=60)
    if "ptrace" in errors.lower():
        suites.missing("strace may not trace here")
    assert printed.count("receipt") == 5
    synced, written, seen = False, False, 0
    for line in trace.read_text().splitlines():
        if "ledger.db-wal" in line:
            is_sync = "sync(" in line
            synced = is_sync and line.rstrip().endswith("= 0")
            written = written or not is_sync
        elif "write(1" in line and '"receipt' in line:
            assert written, "a receipt was printed before anything was written"
            assert synced, "a receipt was printed before the log was synced"
            synced, written, seen = False, False, seen + 1
    assert seen == 5


def test_what_a_killed_writer_acknowledged_is_there(tmp_path: Path) -> None:
    make(tmp_path).close()
    kept: dict[int, str] = {}
    for attempt in range(20):
        running = child(APPEND, str(tmp_path), str(attempt * 100_000), "100000")
        assert running.stdout
        lines = [running.stdout.readline() for _ in range(1 + attempt)]
        running.send_signal(signal.SIGKILL)
        rest, _ = running.communicate()
        for line in (*lines, *rest.splitlines()):
            word, *found = line.split()
            if word == "receipt" and len(found) == 3 and len(found[2]) == 64:
                kept[int(found[1])] = found[2]
    ledger = Ledger(tmp_path)
    assert len(kept) >= sum(range(1, 21))
    assert all(ledger.receipt(index).leaf_hash == leaf for index, leaf in kept.items())
    assert verify(tmp_path, checkpoint=ledger.checkpoint()).status.startswith("VERIFIED")


FULL = """
    import resource, signal
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # a write beyond the limit answers EFBIG, as a full disk does ENOSPC
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), hard))
    refused = 0
    for first in range(0, 400, 8):
        try:
            for receipt in ledger.append([submission(n, size=3000) for n in range(first, first + 8)], TIME):
                print("receipt", receipt.index, receipt.leaf_hash)
        except Exception as error:
            print(type(error).__name__, error)
            refused += 1
            if refused == 3:
                break
    size, root = ledger.size(), ledger.root()
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    (receipt,) = ledger.append([submission(10_000)], TIME)
    assert receipt.index == size, (receipt, size)
    print("receipt", receipt.index, receipt.leaf_hash)
"""


@pytest.mark.parametrize("limit", [70_000, 150_000, 333_333])
def test_a_full_disk_refuses_whole_batches_and_leaves_the_log_usable(tmp_path: Path, limit: int) -> None:
    ledger = make(tmp_path, 8)
    running = child(FULL, str(tmp_path), str(limit))
    printed, errors = running.communicate(timeout=60)
    assert running.returncode == 0, errors
    lines = [line.split() for line in printed.splitlines()]
    assert [line[0] for line in lines if line[0] != "receipt"] == ["Busy"] * 3, printed
    receipts = {int(line[1]): line[2] for line in lines if line[0] == "receipt"}
    assert sorted(receipts) == list(range(9, ledger.size()))
    assert all(ledger.receipt(index).leaf_hash == leaf for index, leaf in receipts.items())
    assert verify(tmp_path, checkpoint=ledger.checkpoint()).status.startswith("VERIFIED")


def test_a_ledger_that_another_holds_locked_is_busy(tmp_path: Path) -> None:
    ledger = make(tmp_path, 2)
    ledger._writer.execute("PRAGMA busy_timeout=1")
    with sqlite3.connect(tmp_path / "ledger.db", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Busy):
            ledger.append([submission(5)], TIME)
        other.execute("ROLLBACK")
    other.close()
    assert ledger.append([submission(5)], TIME)[0].index == 3
