"""A store as a puller sees it, for tests that are pullers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from provstore.capture.mlflow import keys
from provstore.cli import sink
from provstore.pull.emitter import Emitter
from provstore.pull.sink import Sink
from provstore.settings import load
from tests.stores import BASE

SERVER = "https://mlflow.example"


@contextmanager
def sinking(directory: Path) -> Iterator[Sink]:
    """The store in a directory."""
    with sink.opened(load({}, {"data": str(directory), "base": BASE})) as store:
        yield store


def emitter(store: Sink, told: list[str] | None = None) -> Emitter:
    """A puller's way to a store; what it tells people goes to `told`."""
    tell = [] if told is None else told
    return Emitter(store, keys.prefix(SERVER), lambda said: (keys.key(said), keys.digest(said)), tell.append)


def payloads(store: Sink) -> dict[str, dict[str, Any]]:
    """The payload of each live state, by its key; one alone of each."""
    found = store.known(keys.prefix(SERVER))
    assert not [key for key, live in found.items() if live.rivals]
    return {key: json.loads(store.payload(live.record)) for key, live in found.items()}
