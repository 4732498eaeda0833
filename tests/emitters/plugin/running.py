"""Runs of every kind, and files that do not stay as they are; prints which run is which."""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
import tempfile
import threading
from contextlib import suppress
from pathlib import Path

import mlflow
from joblib import Parallel, delayed
from mlflow import MlflowClient

RUNS: dict[str, str] = {}


def read(name: str) -> None:
    Path(name).read_text()


def put(name: str, text: str = "") -> None:
    Path(name).write_text(text or name)


def begun(name: str) -> str:
    run = mlflow.active_run()
    assert run
    RUNS[name] = run.info.run_id
    return str(run.info.run_id)


def nested() -> None:
    read("before.txt")
    with mlflow.start_run(run_name="outer"):
        begun("outer")
        read("outer.txt")
        with mlflow.start_run(nested=True):
            begun("inner")
            read("inner.txt")
        read("outer_later.txt")
    with mlflow.start_run():
        begun("next")
        read("next.txt")


def failing() -> None:
    with suppress(RuntimeError), mlflow.start_run():
        begun("failed")
        read("failed.txt")
        raise RuntimeError("on purpose")


def threads() -> None:
    ready = threading.Barrier(2)

    def work(name: str) -> None:
        with mlflow.start_run():
            begun(name)
            ready.wait()
            read(f"{name}.txt")
            ready.wait()

    both = [threading.Thread(target=work, args=(name,)) for name in ("one", "two")]
    for each in both:
        each.start()
    for each in both:
        each.join()
    with mlflow.start_run():
        begun("helped")
        helper = threading.Thread(target=read, args=("helped.txt",))
        helper.start()
        helper.join()


def workers() -> None:
    with mlflow.start_run():
        begun("workers")
        Parallel(n_jobs=2)(delayed(read)(f"loky_{n}.txt") for n in range(4))
        children = (
            multiprocessing.get_context("fork").Process(target=read, args=("fork.txt",)),
            multiprocessing.get_context("spawn").Process(target=read, args=("spawn.txt",)),
        )
        for child in children:
            child.start()
            child.join()


def changing() -> None:
    with mlflow.start_run():
        begun("changing")
        read("rewritten.txt")
        put("rewritten.txt", "second")
        read("rewritten.txt")
        read("deleted.txt")
        os.remove("deleted.txt")
        read("moved.txt")
        os.rename("moved.txt", "moved_away.txt")
        read("changed.txt")
        os.system("echo changed by another >changed.txt")
        read("gone.txt")
        os.system("rm gone.txt")
        put("own.txt")
        read("own.txt")
        with tempfile.TemporaryDirectory() as folder:
            put(f"{folder}/x.txt")
            read(f"{folder}/x.txt")
        read("large.txt")
        read("empty.txt")
        for _ in range(3):
            read("thrice.txt")
        os.symlink("thrice.txt", "link.txt")
        read("link.txt")
        threading.Thread(target=put, args=("pipe",)).start()
        read("pipe")
        for wrong in ("nowhere.txt", ".", "\0"):
            with suppress(OSError, ValueError):
                read(wrong)


def by_client() -> None:
    client = MlflowClient()
    run = client.create_run("0").info.run_id
    RUNS["client"] = run
    read("client.txt")
    client.set_terminated(run)
    with mlflow.start_run(run_id=run):
        read("client_later.txt")


def main() -> None:
    names = "before outer inner outer_later next failed one two helped loky_0 loky_1 loky_2 loky_3 fork spawn"
    for name in f"{names} rewritten deleted moved changed gone thrice client client_later left unread".split():
        put(f"{name}.txt")
    put("empty.txt", "\n")
    Path("empty.txt").write_bytes(b"")
    put("large.txt", "x" * 5000)
    os.mkfifo("pipe")
    for part in (nested, failing, threads, workers, changing, by_client):
        part()
    mlflow.start_run()
    begun("left")
    read("left.txt")
    print(json.dumps(RUNS))
    sys.exit(3)


if __name__ == "__main__":
    main()
