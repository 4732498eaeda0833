"""Every invariant of a store, checked from the outside in: one function that tests call after each step."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from provstore import iris, rdf
from provstore.core.invariants import Graphs, broken, sort
from provstore.core.store import ProvStore
from provstore.store.oxigraph import normalised
from provstore.views import search
from provstore.views.apply import Views, without_graph
from provstore.views.facts import read_facts
from provstore.vocab import PS


def check_store(store: ProvStore, *, rebuild: bool = True) -> list[str]:
    """What does not hold, a line each; nothing when all does.

    The ledger verifies; the views stand at its head; each record's and content's graph is its canonical N-Quads; the
    merged and inferred graphs are what their owners say; the default graph holds each live triple and no other; and,
    with `rebuild`, views made anew from the ledger are the same quads, byte for byte, and the same edge history and
    search documents. What was concluded keeps to the data model (`invariants`), whatever records assert.
    """
    findings = [str(finding) for finding in store.verify().findings]
    if store.views.applied != store.ledger.head:
        findings.append(f"the views stand at {store.views.applied}, the ledger at {store.ledger.head}")
    held = {line for line in store.views.store.dump() if not line.endswith(f" <{_verdicts(store)}> .\n")}
    expected = normalised("".join(_expected(store)).encode())
    findings += [f"missing: {line.strip()}" for line in sorted(expected - held)]
    findings += [f"too much: {line.strip()}" for line in sorted(held - expected)]
    findings += broken(_sorted(store, held))
    if rebuild:
        made = {*held, *store.views.history(), *search.contents(store.views.database)}
        findings += [f"not as a rebuild makes it: {line.strip()}" for line in sorted(made ^ _rebuilt(store))]
    return findings


def _verdicts(store: ProvStore) -> str:
    """The graph that no rebuild makes: what it says follows the store in its own time."""
    return iris.graph(store.base, "verdicts")


def _sorted(store: ProvStore, held: set[str]) -> Graphs:
    """The store's quads by who says them; what a live record's own terms entail counts as asserted by it."""
    own = {iris.graph(store.base, name): name for name in ("merged", "inferred", "system")}
    graphs = sort(held, store.views.is_live, own)
    entailed = {
        line
        for body in store.ledger.bodies(0, store.ledger.head)
        if store.views.is_live(body.record)
        for line in read_facts(body.record, body.quads).entailed
    }
    lines = normalised("".join(f"{line} .\n" for line in entailed).encode())
    graphs.asserted.update(rdf.split(line)[:3] for line in lines)
    return graphs


def _expected(store: ProvStore) -> Iterator[str]:
    """The quads that must be there, from the ledger and from what each conclusion's owner stands for."""
    views, system = store.views, iris.graph(store.base, "system")
    seen: set[str] = set()
    for body in store.ledger.bodies(0, store.ledger.head):
        for graph, text in [(body.record, body.quads), *((iri, store.ledger.content(iri)) for iri in body.contents)]:
            if graph not in seen and (graph == body.record or views.is_live(graph)):
                seen.add(graph)
                yield text.decode()
                if views.is_live(graph):
                    yield without_graph(text.decode())
        yield from _both(_system_lines(store, body.record, body.index, body.received, body.actor), system)
    yield from _both([f"<{system}> {PS.appliedIndex} {rdf.integer(views.applied)}"], system)
    for name, line in views.owned_lines():
        yield from _both([line], iris.graph(store.base, name))


def _system_lines(store: ProvStore, record: str, index: int, received: str, actor: str) -> list[str]:
    superseding = store.views.database.execute("SELECT by FROM supersedes WHERE target = ?", (record,)).fetchall()
    return [
        f"<{record}> {PS.ledgerIndex} {rdf.integer(index)}",
        f"<{record}> {PS.recordedAt} {rdf.date_time(received)}",
        f"<{record}> {PS.actor} {rdf.literal(actor)}",
        *(f"<{record}> {PS.supersededBy} <{by}>" for (by,) in superseding),
    ]


def _both(lines: list[str], graph: str) -> Iterator[str]:
    for line in lines:
        yield f"{line} <{graph}> .\n"
        yield f"{line} .\n"


def _rebuilt(store: ProvStore) -> set[str]:
    with tempfile.TemporaryDirectory() as directory:
        views = Views(Path(directory), store.ledger)
        while views.apply_pending(1024):
            pass
        found = {*views.store.dump(), *views.history(), *search.contents(views.database)}
        views.close()
    return found
