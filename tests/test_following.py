"""What the views keep for who follows them: the journal as far back as need be, and what is said of the whole store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pyoxigraph as ox

from provstore.core import ProvStore
from provstore.core.changes import Changes, Gap
from provstore.core.copies import Copies
from provstore.ledger.quads import Quads
from provstore.store.query import read_only
from provstore.validation.streamed import StreamedData
from tests.servers import event as run_event
from tests.stores import BASE, event

GRAPH = f"{BASE}/graph/verdicts"
FOCUS = "<http://www.w3.org/ns/shacl#focusNode>"


def store_at(directory: Path, last: int) -> ProvStore:
    store = ProvStore(directory, base=BASE)
    for number in range(store.ledger.head, last):
        store.ingest([event(run_event(number))])
    return store


def ends(directory: Path, after: int, last: int) -> list[int] | None:
    try:
        return [batch.last for batch in Changes(directory).batches(after, last)]
    except Gap:
        return None


def test_the_journal_is_kept_for_who_follows_and_no_longer(tmp_path: Path) -> None:
    store = store_at(tmp_path, 3)
    store.views.flush()
    assert ends(tmp_path, 1, 3) is None  # nobody had said that it follows
    assert store.views.follow(-1) == 3
    store.close()
    store = store_at(tmp_path, 6)  # also a process that serves nobody keeps it
    store.views.flush()
    assert ends(tmp_path, 3, 6) == [4, 5, 6]
    store.views.follow(5)
    store.views.flush()
    assert ends(tmp_path, 3, 6) is None
    assert ends(tmp_path, 5, 6) == [6]
    store.close()


def test_a_rebuild_is_noticed(tmp_path: Path) -> None:
    store = store_at(tmp_path, 2)
    made = Changes(tmp_path).made()
    store.rebuild()
    assert Changes(tmp_path).made() != made
    store.close()


def test_changes_are_what_the_default_graph_gained_and_lost(tmp_path: Path) -> None:
    store = store_at(tmp_path, 2)
    store.views.follow(-1)
    (tmp_path / "copies").mkdir()
    copies = Copies(tmp_path / "copies", BASE)
    copies.take(store.snapshot().path, 2)
    store.ingest([event({**run_event(0), "eventTime": "2024-01-01T01:00:00.000+00:00"}), event(run_event(3))])
    copies.take(store.snapshot().path, 4)
    before, after = StreamedData(copies.store(2)), StreamedData(copies.store(4))
    added, removed = set(), set()
    for batch in Changes(tmp_path).batches(2, 4):
        more, less = Changes(tmp_path).of(batch, before, after, None)
        added |= set(more)
        removed |= set(less)
    there, now = set(before.triples()), set(after.triples())
    assert removed == there - now
    assert added == now - there
    assert removed
    copies.keep_only(4)
    assert copies.store(2) is None
    store.close()


def test_quads_are_read_without_the_key(tmp_path: Path) -> None:
    store = store_at(tmp_path, 1)
    (body,) = store.ledger.bodies(1, 1)
    (tmp_path / "ledger.key").rename(tmp_path / "elsewhere")
    quads = Quads(tmp_path)
    assert quads.record(1) == body.quads
    assert [quads.content(iri) for iri in body.contents] == [store.ledger.content(iri) for iri in body.contents]
    assert quads.record(2) is None
    assert quads.content("ni:///nothing") is None
    quads.close()
    (tmp_path / "elsewhere").rename(tmp_path / "ledger.key")
    store.close()


def test_what_is_said_of_a_thing_takes_the_place_of_what_was(tmp_path: Path) -> None:
    store = store_at(tmp_path, 1)

    def say(*results: str) -> str:
        return "".join(f"<urn:{each}> {FOCUS} <urn:thing> <{GRAPH}> .\n" for each in results)

    store.views.restate({"<urn:thing>": say("one", "two"), '"text"': f'<urn:three> {FOCUS} "text" <{GRAPH}> .\n'}, None)
    said = store.views.restated
    first = store.snapshot()
    store.views.restate({"<urn:thing>": say("two")}, 1)
    store.views.restate({"<urn:thing>": say("two")}, 1)
    found = read_only(store.snapshot().path)
    graph = ox.NamedNode(GRAPH)
    pointing = found.quads_for_pattern(None, ox.NamedNode(FOCUS[1:-1]), None, graph)
    assert sorted(str(quad.subject) for quad in pointing) == ["<urn:three>", "<urn:two>"]
    assert [str(q.object) for q in found.quads_for_pattern(graph, None, None, graph)] == [str(ox.Literal(1))]
    assert first.restated == said != store.views.restated
    store.close()


def test_an_answer_of_many_is_read_as_far_as_need_be() -> None:
    store = ox.Store()
    predicate, hub = ox.NamedNode("urn:p"), ox.NamedNode("urn:hub")
    store.extend(ox.Quad(ox.NamedNode(f"urn:{n}"), predicate, hub) for n in range(200))
    data = StreamedData(store)
    found = data.subjects("<urn:p>", "<urn:hub>")
    assert len(found) == len(set(found)) == 200
    assert "<urn:7>" in found
    assert "<urn:200>" not in found
    assert "<urn:hub>" in data.objects("<urn:7>", "<urn:p>")
    assert [*data.objects("<urn:hub>", "<urn:p>")] == []


class _Counted:
    """A store that counts what is asked of it."""

    def __init__(self, store: ox.Store) -> None:
        self._store, self.asked = store, 0

    def quads_for_pattern(self, *pattern: Any) -> Iterator[ox.Quad]:
        self.asked += 1
        return self._store.quads_for_pattern(*pattern)


def test_what_is_said_of_a_thing_is_read_in_one_go() -> None:
    store, thing = ox.Store(), ox.NamedNode("urn:thing")
    store.extend(ox.Quad(thing, ox.NamedNode(f"urn:p{n}"), ox.NamedNode(f"urn:o{n % 5}")) for n in range(30))
    counted = _Counted(store)
    data = StreamedData(cast(ox.Store, counted))
    assert [[*data.objects("<urn:thing>", f"<urn:p{n}>")] for n in (3, 7, 30)] == [["<urn:o3>"], ["<urn:o2>"], []]
    assert [[*data.subjects(f"<urn:p{n}>", "<urn:o1>")] for n in (6, 7)] == [["<urn:thing>"], []]
    assert counted.asked == 2
