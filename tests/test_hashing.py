"""Digests of files: right, cached while a file stays as it is, refused where there is nothing to read."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import time
from pathlib import Path

import pytest

from provstore.observe.hashing import FileDigest, Hasher

LONG_AGO = time.time_ns() - 3_600_000_000_000


def aged(path: Path, content: bytes) -> Path:
    """A file that was last changed an hour ago, but for its inode's time, which nobody can set."""
    path.write_bytes(content)
    os.utime(path, ns=(LONG_AGO, LONG_AGO))
    return path


def settled(path: Path) -> None:
    """Wait until a change would show in the file's times, as a file that was not made just now."""
    while time.time_ns() - path.stat().st_ctime_ns < 150_000_000:
        os.sched_yield()


@pytest.mark.parametrize("size", [0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 3_000_000])
def test_both_digests_are_those_of_the_bytes(tmp_path: Path, size: int) -> None:
    content = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    path = tmp_path / "a"
    path.write_bytes(content)
    found = Hasher().file(path)
    assert found == FileDigest(
        str(path), size, hashlib.sha256(content).hexdigest(), hashlib.md5(content, usedforsecurity=False).hexdigest()
    )


def test_a_file_is_read_once_while_it_stays_as_it_is(tmp_path: Path) -> None:
    path, store = aged(tmp_path / "a", b"one"), tmp_path / "cache" / "digests"
    settled(path)
    first = Hasher(store)
    found = first.file(path)
    assert store.read_text().count("\n") == 1
    assert first.file(path) is found
    later = Hasher(store)
    assert later.file(path) == found
    assert store.read_text().count("\n") == 1  # what is known is not written again
    path.write_bytes(b"two")  # of the same size
    os.utime(path, ns=(LONG_AGO, LONG_AGO))  # and its time set back
    assert first.file(path).sha256 == later.file(path).sha256 == hashlib.sha256(b"two").hexdigest()


def test_what_has_just_changed_is_not_cached(tmp_path: Path) -> None:
    path, store = tmp_path / "a", tmp_path / "digests"
    hasher = Hasher(store)
    for number in range(200):  # of one size, faster than some clocks of file systems tick
        content = f"{number:08}".encode()
        path.write_bytes(content)
        assert hasher.file(path).sha256 == hashlib.sha256(content).hexdigest()


def test_a_cache_that_is_torn_or_not_ours_is_passed_over(tmp_path: Path) -> None:
    path, store = aged(tmp_path / "a", b"one"), tmp_path / "digests"
    settled(path)
    right = Hasher(store).file(path)
    store.write_bytes(b'\xff\xfe\n[]\n{"a":1}\n[[1],2,3]\n' + store.read_bytes() + b'[["/a", 1, 2')
    assert Hasher(store).file(path) == right
    os.chmod(tmp_path, 0o500)
    try:
        assert Hasher(tmp_path / "nowhere" / "digests").file(path) == right
    finally:
        os.chmod(tmp_path, 0o700)


def test_what_is_no_regular_file_is_refused(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    hasher = Hasher()
    for path, why in (
        (fifo, "not a regular file"),
        (Path("/dev/zero"), "not a regular file"),
        (tmp_path, "is a directory"),
        (tmp_path / "none", "FileNotFoundError"),
        (tmp_path / "loop", "OSError"),
        (tmp_path / ("n" * 300), "OSError"),
        (Path("\0"), "ValueError"),
    ):
        found = hasher.file(path)
        assert why in found.refused, path
        assert not found.sha256
    large = tmp_path / "large"
    large.write_bytes(b"12345")
    assert "larger than 4" in hasher.file(large, most=4).refused
    assert hasher.file(large, most=5).sha256


def test_a_file_that_changes_while_it_is_read_says_so(tmp_path: Path) -> None:
    path = tmp_path / "growing"
    path.write_bytes(b"x" * (2 << 20))
    stop = multiprocessing.get_context("fork").Event()
    writer = multiprocessing.get_context("fork").Process(target=_grow, args=(path, stop))
    writer.start()
    try:
        changed = any(Hasher().file(path).changed for _ in range(100))
    finally:
        stop.set()
        writer.join()
    assert changed
    assert not Hasher().file(path).changed


def _grow(path: Path, stop: multiprocessing.synchronize.Event) -> None:
    with path.open("ab", buffering=0) as file:
        while not stop.is_set() and file.tell() < 256 << 20:
            file.write(b"y" * 4096)


def test_processes_share_a_cache(tmp_path: Path) -> None:
    files = [aged(tmp_path / f"f{number}", b"%d" % number) for number in range(40)]
    settled(files[-1])
    store, context = tmp_path / "digests", multiprocessing.get_context("fork")
    workers = [context.Process(target=_hash_all, args=(store, files)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    lines = [json.loads(line) for line in store.read_text().splitlines()]
    assert {line[0][0] for line in lines} == {str(path) for path in files}
    size = store.stat().st_size
    assert Hasher(store).file(files[7]).sha256 == hashlib.sha256(b"7").hexdigest()
    assert store.stat().st_size == size


def _hash_all(store: Path, files: list[Path]) -> None:
    hasher = Hasher(store)
    for path in files:
        hasher.file(path)


def test_a_directory_has_the_digest_that_dvc_gives_it(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    (folder / "b").mkdir(parents=True)
    (folder / "b" / "x").write_bytes(b"2")
    (folder / "a").write_bytes(b"1")
    found = Hasher().tree(folder)
    listed = [
        {"md5": hashlib.md5(b"1").hexdigest(), "relpath": "a"},
        {"md5": hashlib.md5(b"2").hexdigest(), "relpath": "b/x"},
    ]
    assert found.md5 == hashlib.md5(json.dumps(listed, sort_keys=True).encode()).hexdigest() + ".dir"
    assert found.size == 2
    (folder / "b" / "x").write_bytes(b"3")
    assert Hasher().tree(folder).sha256 != found.sha256
    os.mkfifo(folder / "pipe")
    assert "pipe: not a regular file" in Hasher().tree(folder).refused
    assert Hasher().tree(tmp_path / "none").refused
