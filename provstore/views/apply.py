"""Catching the views up with the ledger: one function, `apply_pending`, for the write path, start-up and rebuild.

A batch of ledger entries becomes one transaction of the view database (facts, conclusions, redo journal, applied
index; synced), and then changes the triple store (not synced). What a crash leaves: before the transaction, nothing;
after it, a store that is behind, which `recover` brings up by doing the journal again. Doing it twice is harmless.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

from provstore import iris, rdf
from provstore.ledger.log import Body, Ledger
from provstore.store.oxigraph import TripleStore
from provstore.views import journal
from provstore.views.conclude import Conclusions, Touched
from provstore.views.database import delete_sql, insert_sql, open_database
from provstore.views.edges import EdgeLog, Relation, Status
from provstore.views.facets import DECIDING, said
from provstore.views.facts import Facts, read_facts
from provstore.views.items import ItemIndex
from provstore.views.journal import Batch
from provstore.views.search import SearchIndex
from provstore.vocab import PS

_GRAPHS = ("merged", "inferred", "system")
_AT_ONCE = 16 << 20  # bytes of N-Quads, from which a batch takes no further entry
_FOCUS = "<http://www.w3.org/ns/shacl#focusNode>"


class Views:
    """The view database and the triple store of one directory; used from one thread."""

    def __init__(self, directory: Path, ledger: Ledger) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._ledger = ledger
        self.base = ledger.base
        self._db = open_database(directory / "view.db")
        self.store = TripleStore(directory / "store")
        self._system = iris.graph(self.base, "system")
        self._live_contents: set[str] = set()
        self._search = SearchIndex(self._db, self.base)
        self._log = EdgeLog(self._db)
        self._items = ItemIndex(self._db)
        self._conclusions = Conclusions(self._db, self.base, self._log)
        try:
            self.recover()
        except BaseException:
            self.store.close()  # whoever makes the views again opens this directory anew
            self._db.close()
            raise
        #: `applied` as last seen, for other threads than the one that applies
        self.applied_hint = self.applied

    @property
    def applied(self) -> int:
        """The last ledger index that every answer takes into account; -1 before the first."""
        (value,) = self._db.execute("SELECT value FROM meta WHERE key = 'applied'").fetchone()
        return int(value)

    def recover(self) -> None:
        """Do again what the journal holds beyond the store's own mark, which a crash may have left behind."""
        mark = self._mark()
        (flushed,) = self._db.execute("SELECT value FROM meta WHERE key = 'flushed'").fetchone()
        if mark < flushed or mark > self.applied:
            raise StoreLost(f"the triple store stands at {mark}, outside of {flushed} to {self.applied}")
        # the batch at the mark too: its load was whole, its removals may not have been
        for batch in journal.since(self._db, mark):
            self._change_store(batch, {})

    def apply_pending(self, limit: int = 256) -> int:
        """Apply up to `limit` entries beyond the applied index, fewer if they are large, all or nothing; how many."""
        first = self.applied + 1
        last = min(self._ledger.head, first + limit - 1)
        if last < first:
            return 0
        bodies, last = self._pending(first, last)
        with self._transaction(), self._search.batch():
            batch = self._digest(bodies, last)
            journal.add(self._db, batch)
            self._db.execute("UPDATE meta SET value = ? WHERE key = 'applied'", (last,))
        self._change_store(batch, bodies)
        self.applied_hint = last
        return last - first + 1

    def _pending(self, first: int, last: int) -> tuple[dict[int, Body], int]:
        """The records at indices first … last, or to an earlier index: others wait while these are applied."""
        found: dict[int, Body] = {}
        size = 0
        with closing(self._ledger.bodies(first, last)) as bodies:
            for body in bodies:
                found[body.index] = body
                size += len(body.quads)
                if size > _AT_ONCE:
                    return found, body.index
        return found, last

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            self._log.forget()
            raise
        self._db.execute("COMMIT")

    # -- from entries to facts ------------------------------------------------------------------------------------

    def _digest(self, bodies: dict[int, Body], last: int) -> Batch:
        """Entry by entry, so that the edge log knows what was concluded at every index; the store gets the sum."""
        batch = Batch(last)
        changes: dict[tuple[str, str], bool] = {}
        for body in bodies.values():
            batch.adds += self._system_quads(body)
            known = self._db.execute("SELECT id FROM record WHERE iri = ?", (body.record,)).fetchone()
            if known is None:
                touched = self._conclusions.begin()
                self._log.index = body.index
                self._new_record(body, batch, touched)
                changes |= self._conclusions.settle(touched)
        for (graph, line), stands in changes.items():
            quad = f"{line} <{iris.graph(self.base, graph)}> .\n"
            (batch.adds if stands else batch.removes).append(quad)
        batch.adds.append(self._applied_quad(last))
        batch.removes += [self._applied_quad(old) for old in self._marks() if old != last]
        return batch

    def _new_record(self, body: Body, batch: Batch, touched: Touched) -> None:
        facts = read_facts(body.record, body.quads)
        superseded = self._db.execute("SELECT by FROM supersedes WHERE target = ?", (body.record,)).fetchall()
        live = not superseded
        self._db.execute("INSERT INTO record VALUES (?, ?, ?, ?)", (body.index, body.record, facts.ord, int(live)))
        batch.records.append((body.index, live))
        batch.adds += [self._superseded_quad(body.record, by) for (by,) in superseded]
        self._cite(body, live, batch)
        if live:
            self._conclusions.touch(facts, body.index, touched)
            self._search.add(facts)
            for table, rows in facts.rows.items():
                self._db.executemany(insert_sql(table), [(*row, body.index) for row in rows])
            self._log.put(Status.ASSERTED, sorted(facts.edges, key=str))
            self._add_items(facts, body.index, touched)
            self._log.put(Status.ASSERTED, [(each, Relation.ABOUT, body.index, "", "") for each in sorted(facts.about)])
        for target in sorted(facts.supersedes):
            self._db.execute("INSERT OR IGNORE INTO supersedes VALUES (?, ?)", (target, body.record))
            self._withdraw(target, body.record, batch, touched)

    def _add_items(self, facts: Facts, index: int, touched: Touched) -> None:
        """Keep who speaks of which item; of those that were known before, something may follow."""
        before = self._log.put_many(facts.item_edges)
        nodes = self._log.nodes(facts.items)
        self._items.add(nodes.items(), index)
        touched.items |= {iri for iri, node in nodes.items() if node <= before}

    def _take_items(self, facts: Facts, index: int, touched: Touched) -> None:
        self._log.put(Status.ASSERTED, (), facts.item_edges)
        self._items.take(self._log.nodes(facts.items).items(), index)
        touched.items |= facts.items

    def _cite(self, body: Body, live: bool, batch: Batch) -> None:
        for iri in body.contents:
            if iri not in self._live_contents:
                self._keep_content(iri)
                if live and not self._is_cited(iri):
                    batch.contents.append(iri)
                    batch.uncited = [other for other in batch.uncited if other != iri]
                if live:
                    self._live_contents.add(iri)
            self._db.execute("INSERT OR IGNORE INTO cites VALUES (?, ?)", (iri, body.index))
        if len(self._live_contents) > 200_000:
            self._live_contents.clear()

    def _keep_content(self, iri: str) -> None:
        """Keep what of a facet value decides something; the rest is only read through SPARQL."""
        triples = [rdf.split(line)[:3] for line in self._ledger.content(iri).decode().split("\n")[:-1]]
        own = {predicate: term for subject, predicate, term in triples if subject == f"<{iri}>"}
        key = rdf.text_of(own.get(PS.key, '""'))
        if key in DECIDING:
            row = (iri, rdf.text_of(own.get(PS.json, '""')), json.dumps(said(iri, key, triples)))
            self._db.execute("INSERT OR IGNORE INTO content VALUES (?, ?, ?)", row)

    def _withdraw(self, target: str, by: str, batch: Batch, touched: Touched) -> None:
        """Take a superseded record out of the live graph; one that is not here yet will arrive withdrawn."""
        row = self._db.execute("SELECT id, live FROM record WHERE iri = ?", (target,)).fetchone()
        if row is None:
            return
        batch.adds.append(self._superseded_quad(target, by))
        index, live = row
        if not live:
            return
        self._db.execute("UPDATE record SET live = 0 WHERE id = ?", (index,))
        (body,) = self._ledger.bodies(index, index)
        facts: Facts = read_facts(target, body.quads)
        for table, rows in facts.rows.items():
            self._db.executemany(delete_sql(table), [(*row, index) for row in rows])
        self._conclusions.touch(facts, index, touched, withdrawn=True)
        self._search.take(facts)
        self._log.put(Status.ASSERTED, (), sorted(facts.edges, key=str))
        self._take_items(facts, index, touched)
        self._log.put(Status.ASSERTED, (), [(each, Relation.ABOUT, index, "", "") for each in sorted(facts.about)])
        batch.withdrawn.append(index)
        for iri in body.contents:
            if not self._is_cited(iri):
                self._live_contents.discard(iri)
                batch.uncited.append(iri)

    def _is_cited(self, content: str) -> bool:
        sql = "SELECT 1 FROM cites c JOIN record r ON r.id = c.rec AND r.live = 1 WHERE c.content = ? LIMIT 1"
        return self._db.execute(sql, (content,)).fetchone() is not None

    # -- the system graph -----------------------------------------------------------------------------------------

    def _system_quads(self, body: Body) -> list[str]:
        record, graph = f"<{body.record}>", f"<{self._system}>"
        return [
            f"{record} {PS.ledgerIndex} {rdf.integer(body.index)} {graph} .\n",
            f"{record} {PS.recordedAt} {rdf.date_time(body.received)} {graph} .\n",
            f"{record} {PS.actor} {rdf.literal(body.actor)} {graph} .\n",
        ]

    def _superseded_quad(self, record: str, by: str) -> str:
        return f"<{record}> {PS.supersededBy} <{by}> <{self._system}> .\n"

    def _applied_quad(self, index: int) -> str:
        return f"<{self._system}> {PS.appliedIndex} {rdf.integer(index)} <{self._system}> .\n"

    def _marks(self) -> list[int]:
        return [int(v) for v in self.store.objects(self._system, PS.appliedIndex, self._system)]

    def _mark(self) -> int:
        return max(self._marks(), default=-1)

    # -- the triple store -----------------------------------------------------------------------------------------

    def _change_store(self, batch: Batch, bodies: dict[int, Body]) -> None:
        """Load, then remove: in this order and as often as need be, always to the same result."""
        named, live = list[str](), list[str]()
        for index, is_live in batch.records:
            body = bodies.get(index) or next(iter(self._ledger.bodies(index, index)))
            text = body.quads.decode()
            named.append(text)
            if is_live:
                live.append(text)
        for iri in batch.contents:
            text = self._ledger.content(iri).decode()
            named.append(text)
            live.append(text)
        # what says how far the store is comes last, all or nothing: until it is there, this is done again
        self.store.load_many("".join([*named, *map(without_graph, live)]).encode())
        self.store.load("".join([*batch.adds, *map(without_graph, batch.adds)]).encode())
        dropped = [without_graph(b.quads.decode()) for i in batch.withdrawn for b in self._ledger.bodies(i, i)]
        removes = [*batch.removes, *(self._ledger.content(iri).decode() for iri in batch.uncited)]
        if removes or dropped:
            self.store.remove(removes, self.is_live, dropped)

    def is_live(self, graph: str) -> bool:
        """Whether the triples of a named graph stand in the default graph."""
        if graph.startswith("ni:"):
            return self._is_cited(graph)
        record = graph.partition("/bundle/")[0]
        row = self._db.execute("SELECT live FROM record WHERE iri = ?", (record,)).fetchone()
        return bool(row[0]) if row else graph in {iris.graph(self.base, name) for name in _GRAPHS}

    def flush(self) -> None:
        """Make the triple store durable up to here, and drop the journal that is then not needed."""
        applied = self.applied
        self.store.flush()
        with self._transaction():
            self._db.execute("UPDATE meta SET value = ? WHERE key = 'flushed'", (applied,))
            journal.trim(self._db, applied)

    # -- who follows --------------------------------------------------------------------------------------------------

    def follow(self, index: int) -> int:
        """Keep the journal from an index on for who follows, if it is that far back still; returns the applied index.

        An index below 0 keeps it from now on.
        """
        applied = self.applied
        journal.hold(self._db, applied if index < 0 else index)
        return applied

    @property
    def restated(self) -> str:
        """Changes whenever what is said of the store as a whole does, which no ledger index tells."""
        row = self._db.execute("SELECT value FROM meta WHERE key = 'restated'").fetchone()
        return str(row[0]) if row else ""

    def restate(self, verdicts: Mapping[str, str], index: int | None) -> None:
        """Say of each thing (a term) in the graph of verdicts what these N-Quads do, and nothing else.

        With an `index`, the graph as a whole stands at it. Not synced: who keeps the verdicts looks after a crash.
        """
        self._db.execute("INSERT OR REPLACE INTO meta VALUES ('restated', ?)", (secrets.token_hex(4),))
        graph = iris.graph(self.base, "verdicts")
        self.store.restate(graph, _FOCUS, verdicts)
        if index is not None:
            self.store.put(graph, PS.appliedIndex, rdf.integer(index), graph)

    def close(self) -> None:
        self.flush()
        self.store.close()
        self._db.close()

    def owned_lines(self) -> Iterable[tuple[str, str]]:
        """(graph name, line) of every conclusion, with repetitions where owners share one."""
        return self._conclusions.owned_lines()

    def history(self) -> Iterator[str]:
        """The whole edge history, a line a row, told by IRIs."""
        return self._log.told()

    @property
    def database(self) -> sqlite3.Connection:
        return self._db


def without_graph(quads: str) -> str:
    """Canonical N-Quads with every graph name left out."""
    lines = quads.split("\n")[:-1]  # never splitlines(): literals hold U+2028 and its kin unescaped
    if not lines:
        return ""
    if graph := rdf.one_graph(quads, lines):  # the common case
        return quads.replace(f" {graph} .\n", " .\n")
    return "".join(f"{s} {p} {o} .\n" for s, p, o, _ in map(rdf.split, lines))


class StoreLost(Exception):
    """The triple store lacks batches that the journal no longer holds; only a rebuild from the ledger helps."""
