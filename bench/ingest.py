"""Events acknowledged per second over HTTP, against bare `Store.extend` of the same quads, one call an event."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar
from urllib.error import HTTPError
from urllib.request import urlopen

import pyoxigraph as ox

from bench.events import events
from provstore.capture import payloads
from provstore.capture.openlineage import map_event
from provstore.core import ProvStore
from provstore.model import Submission
from provstore.views.facts import read_facts

_EVENTS = 1500
T = TypeVar("T")


def main() -> None:
    """Print the table of ingest rates and the CPU of each stage."""
    sent = list(events(_EVENTS))
    batches = _quads_by_event(sent)
    print(f"{_EVENTS} events, {sum(map(len, batches)) / _EVENTS:.0f} quads each (record, default graph, conclusions)\n")
    bare = _bare(batches)
    print("| what | events/s | of the bare store |\n|---|---|---|")
    print(f"| bare `Store.extend`, one call an event | {bare:.0f} | 100 % |")
    for connections in (1, 16, 64):
        acknowledged, caught_up = _served(sent, connections, "prov-core:off")
        what = f"acknowledged over HTTP, {connections} connection{'s' * (connections > 1)}"
        print(f"| {what} | {acknowledged:.0f} | {acknowledged / bare:.0%} |")
        print(f"| … until the views had all of it | {caught_up:.0f} | {caught_up / bare:.0%} |")
    acknowledged, _ = _served(sent, 16, "prov-core:annotate")
    print(f"| 16 connections, validation in the background | {acknowledged:.0f} | {acknowledged / bare:.0%} |")
    print()
    _stages(sent)


def _quads_by_event(sent: list[bytes]) -> list[list[ox.Quad]]:
    """What each event adds to the triple store, conclusions included."""
    found: list[list[ox.Quad]] = []
    with tempfile.TemporaryDirectory() as directory:
        store = ProvStore(Path(directory), base="https://bench.example")
        loads: list[bytes] = []
        load = store.views.store.load
        store.views.store.load = lambda quads: (loads.append(quads), load(quads))[1]  # type: ignore[method-assign,func-returns-value]
        for raw in sent:
            store.ingest([Submission(raw, "application/json", "b", map_event(json.loads(raw), base=store.base))])
            found.append(list(ox.parse(loads.pop(), format=ox.RdfFormat.N_QUADS)))
        store.close()
    return found


def _bare(batches: list[list[ox.Quad]]) -> float:
    with tempfile.TemporaryDirectory() as directory:
        store = ox.Store(directory)
        started = time.perf_counter()
        for batch in batches:
            store.extend(batch)
        return len(batches) / (time.perf_counter() - started)


@contextmanager
def serving(profiles: str, data: str | None = None) -> Iterator[str]:
    """A server of its own on a directory, an empty one unless one is named; yields its URL."""
    with tempfile.TemporaryDirectory() as empty:
        directory = data or empty
        command = [sys.executable, "-m", "provstore", "serve", "--data", directory, "--port", "0"]
        environment = {**os.environ, "PROVSTORE_PROFILES": profiles}
        note = Path(directory) / "server.json"
        note.unlink(missing_ok=True)
        server = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environment)
        while not note.exists() or not note.read_text():
            if server.poll() is not None:
                raise SystemExit("the server did not start")
            time.sleep(0.05)
        try:
            yield str(json.loads(note.read_text())["url"])
        finally:
            server.terminate()
            server.wait()


def _served(sent: list[bytes], connections: int, profiles: str) -> tuple[float, float]:
    """(acknowledged, applied) events a second."""
    with serving(profiles) as url:
        host, port = url.removeprefix("http://").split(":")
        frames = b"".join(struct.pack("!I", len(raw)) + raw for raw in sent)
        command = [sys.executable, "-m", "bench.load", host, port, str(connections)]
        started = time.perf_counter()
        out = subprocess.run(command, input=frames, capture_output=True, check=True).stdout.split()
        seconds, failed = float(out[0]), int(out[1])
        if failed:
            raise SystemExit(f"{failed} events were refused")
        while not holds(url, len(sent)):
            continue  # each try waits some seconds itself
        rest = time.perf_counter() - started
        return len(sent) / seconds, len(sent) / max(rest, seconds)


def holds(url: str, index: int) -> bool:
    """Whether the views have come to an index in the time that the server gives them."""
    try:
        with urlopen(f"{url}/sparql?query=ASK%7B%7D&min-index={index}") as response:
            return bool(response.read())
    except HTTPError as error:
        if error.code != 503:
            raise
        return False


def _stages(sent: list[bytes]) -> None:
    """CPU of each stage, in one process, batches of 16."""
    print("| stage | CPU µs an event |\n|---|---|")
    with tempfile.TemporaryDirectory() as directory:
        store = ProvStore(Path(directory), base="https://bench.example")
        limits = payloads.Limits()
        parts = _timed(
            "parse", len(sent), lambda: [payloads.split(r, "application/json", None, limits)[0] for r in sent]
        )
        mapped = _timed(
            "map to canonical N-Quads", len(sent), lambda: [map_event(p.value, base=store.base) for p in parts]
        )
        ready = [Submission(p.raw, "application/json", "b", m) for p, m in zip(parts, mapped, strict=True)]
        groups = [ready[i : i + 16] for i in range(0, len(ready), 16)]
        _timed("commit to the ledger", len(sent), lambda: [store.append(group) for group in groups])
        _timed("facts from quads (part of apply)", len(sent), lambda: [read_facts(m.record, m.quads) for m in mapped])
        _timed("apply to the views", len(sent), lambda: [store.apply_pending(16) for _ in groups])
        store.close()


def _timed(what: str, count: int, work: Callable[[], T]) -> T:
    started = time.process_time()
    found = work()
    print(f"| {what} | {(time.process_time() - started) / count * 1e6:.0f} |")
    return found


if __name__ == "__main__":
    main()
