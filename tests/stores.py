"""Stores for tests: made in a temporary directory, fed with events or documents, checked whole."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from provstore import rdf
from provstore.capture.openlineage import map_event
from provstore.capture.syntax import Document, map_document
from provstore.core import ProvStore
from provstore.core.check import check_store
from provstore.model import Submission

BASE = "https://prov.example"
#: What depends on the order of arrival by its nature: ledger indices, receipt times, random actors.
ARRIVAL = ("#knownFrom>", "#ledgerIndex>", "#recordedAt>", "#appliedIndex>", "ns#actor>")


@contextmanager
def store_in(directory: Path) -> Iterator[ProvStore]:
    store = ProvStore(directory, base=BASE)
    try:
        yield store
    finally:
        store.close()


def event(value: dict[str, Any], actor: str = "tests") -> Submission:
    return Submission(json.dumps(value).encode(), "application/json", actor, map_event(value, base=BASE))


def document(text: str, media_type: str = "application/trig", actor: str = "tests") -> Submission:
    body = text.encode()
    return Submission(body, media_type, actor, map_document(Document(body, media_type, BASE)))


def lines(store: ProvStore, graph: str) -> set[str]:
    """The triples (N-Triples lines) of one of the store's own graphs, or with "" of the default graph."""
    if not graph:
        return {line.removesuffix(" .\n") for line in store.views.store.dump() if not rdf.split(line)[3]}
    end = f" <{BASE}/graph/{graph}> .\n"
    return {line.removesuffix(end) for line in store.views.store.dump() if line.endswith(end)}


def timeless(dump: Iterable[str]) -> set[str]:
    """The quads that depend neither on the order of arrival nor on how far the verdicts on things have got."""
    return {line for line in dump if not any(mark in line for mark in ARRIVAL) and "/graph/verdicts> .\n" not in line}


def assert_sound(store: ProvStore) -> None:
    findings = check_store(store)
    assert not findings, "\n".join(findings[:10])
