"""The history of the lineage graph: which statement between which two nodes stood from which ledger index to which.

One row is one statement that stood without a break: `since` is the ledger index at which it began to stand, `until`
the one at which it stopped (NULL: it stands). A statement that several live records or conclusions make is one row,
counted. What the graph was at index N is the rows with since <= N < until, and equals what a store of the first N
entries alone would hold, because conclusions are settled after every entry.

Owned by the applier, inside its transactions; `provstore.lineage` reads it.
"""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from enum import IntEnum
from itertools import chain

from provstore import rdf, times
from provstore.vocab import DCT, PROV, PS, RDF_TYPE


class Relation(IntEnum):
    """What a row says; the numbers are stored. Of those from `AT` on, the object is a number, not a node."""

    DERIVED = 1
    POSSIBLE = 2
    INFLUENCED = 3
    USED = 4
    GENERATED = 5
    INFORMED = 6
    MEMBER = 7
    INVALIDATED = 8
    SPECIAL = 16
    SYMLINK = 17
    TYPE = 18
    PART = 19
    JOB = 20
    JOB_VERSION = 21
    STATE = 22
    ASSOCIATED = 23
    ATTRIBUTED = 24
    ON_BEHALF = 25
    PREVIOUS = 26
    ASSIGNS = 27
    INTENDED = 28
    COLUMNS = 29
    BYTES = 30
    AT = 40
    START = 41
    END = 42
    ABOUT = 43


class Status(IntEnum):
    """Who makes a statement: a record, or a conclusion inside one run, or one across runs."""

    ASSERTED = 0
    MERGED = 1
    INFERRED = 2


#: Predicate → relation, for statements between two nodes.
RELATIONS: dict[str, Relation] = {
    PROV.wasDerivedFrom: Relation.DERIVED,
    PS.possiblyDerivedFrom: Relation.POSSIBLE,
    PROV.wasInfluencedBy: Relation.INFLUENCED,
    PROV.used: Relation.USED,
    PROV.wasGeneratedBy: Relation.GENERATED,
    PROV.wasInformedBy: Relation.INFORMED,
    PROV.hadMember: Relation.MEMBER,
    PROV.wasInvalidatedBy: Relation.INVALIDATED,
    PROV.specializationOf: Relation.SPECIAL,
    PS.symlink: Relation.SYMLINK,
    PS.bytes: Relation.BYTES,
    RDF_TYPE: Relation.TYPE,
    DCT.isPartOf: Relation.PART,
    PS.job: Relation.JOB,
    PS.jobVersion: Relation.JOB_VERSION,
    PS.state: Relation.STATE,
    PROV.wasAssociatedWith: Relation.ASSOCIATED,
    PROV.wasAttributedTo: Relation.ATTRIBUTED,
    PROV.actedOnBehalfOf: Relation.ON_BEHALF,
    PS.previousState: Relation.PREVIOUS,
    PS.assigns: Relation.ASSIGNS,
    PS.intendedOutput: Relation.INTENDED,
}
#: Predicate → relation, for statements that give a node a time.
TIMES: dict[str, Relation] = {
    PROV.generatedAtTime: Relation.AT,
    PROV.startedAtTime: Relation.START,
    PROV.endedAtTime: Relation.END,
}
#: Facets whose value holds column lineage; a row cites the content for the state or job it was said of, its basis is
#: the facet's key and its evidence the record.
COLUMN_FACETS = frozenset({"columnLineage", "lineage"})

APPARATUS = {PS.Record, PS.Content, PS.FacetAssertion, PROV.Bundle, PROV.Start, PROV.End, PROV.Usage, PROV.Generation}
APPARATUS |= {PROV.Derivation, PROV.EntityInfluence, PROV.Association, PROV.Attribution, PROV.Plan}
GENERIC = {PROV.Entity, PROV.Activity, PROV.Agent}

#: (subject, relation, object, basis, evidence): nodes are IRIs; the object of a time is its ticks, of ABOUT an index;
#: the basis is an IRI or '', the evidence the IRI of a record or ''.
Edge = tuple[str, Relation, str | int, str, str]

TABLES = (
    "CREATE TABLE node(id INTEGER PRIMARY KEY, iri TEXT UNIQUE)",
    # status, basis and evidence are part of what is said: where they change, a row ends and another begins
    "CREATE TABLE edge(id INTEGER PRIMARY KEY, subject INTEGER, relation INTEGER, object INTEGER, status INTEGER,"
    " basis INTEGER, evidence INTEGER, since INTEGER, until INTEGER, n INTEGER)",
    "CREATE INDEX edge_said ON edge(subject, relation, object)",
    "CREATE INDEX edge_until ON edge(until) WHERE until IS NOT NULL",
)


def edges_in(triples: Iterable[tuple[str, str, str]]) -> set[Edge]:
    """The edges that triples (terms as N-Triples writes them) state, each with its basis where they qualify it."""
    by: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for subject, predicate, value in triples:
        by[predicate].append((subject, value))
    return edges_of(by)


def edges_of(by: dict[str, list[tuple[str, str]]], record: str = "") -> set[Edge]:
    """As `edges_in`, of triples grouped by predicate; what is said of the record itself is no lineage."""
    found: set[Edge] = set()
    basis = _bases(by)
    for predicate, relation in RELATIONS.items():
        for subject, value in by.get(predicate, ()):
            if value[0] == "<" and subject[0] == "<" and subject[1:-1] != record:
                found.add((subject[1:-1], relation, value[1:-1], *basis.get((subject, value), ("", ""))))
    found -= _idle_types(found)
    for predicate, relation in TIMES.items():
        for subject, value in by.get(predicate, ()):
            if subject[0] == "<" and subject[1:-1] != record and (number := ticks(value)) is not None:
                found.add((subject[1:-1], relation, number, "", ""))
    return found


def _bases(by: dict[str, list[tuple[str, str]]]) -> dict[tuple[str, str], tuple[str, str]]:
    """(subject, entity) of a qualified derivation or influence → its basis and its evidence."""
    if PS.basis not in by:
        return {}
    basis, evidence, entity = dict(by[PS.basis]), dict(by.get(PS.evidence, ())), dict(by.get(PROV.entity, ()))
    return {
        (subject, entity[node]): (basis[node][1:-1], evidence.get(node, "<>")[1:-1])
        for link in (PROV.qualifiedDerivation, PROV.qualifiedInfluence)
        for subject, node in by.get(link, ())
        if node in basis and node in entity
    }


def _idle_types(found: set[Edge]) -> set[Edge]:
    """Types that tell nobody anything: of apparatus, and prov:Entity and its like where a closer one is stated."""
    typed = [edge for edge in found if edge[1] is Relation.TYPE]
    closer = {edge[0] for edge in typed if f"<{edge[2]}>" not in GENERIC | APPARATUS}
    apparatus = {edge[0] for edge in typed if f"<{edge[2]}>" in APPARATUS - {PROV.Plan}}
    return {e for e in typed if f"<{e[2]}>" in APPARATUS or e[0] in apparatus} | {
        e for e in typed if f"<{e[2]}>" in GENERIC and e[0] in closer
    }


def ticks(term: str) -> int | None:
    try:
        return times.ticks(times.key(rdf.text_of(term))[0])
    except ValueError:
        return None


class EdgeLog:
    """Writes the history: call `put` inside the applier's transaction, and `forget` where one was rolled back."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._ids: dict[str, int] = {}
        #: the ledger index of the entry that is being applied
        self.index = 0

    def forget(self) -> None:
        """Drop what is remembered of a transaction that did not come to be."""
        self._ids.clear()

    def put(self, status: Status, added: Iterable[Edge], gone: Iterable[Edge] = ()) -> None:
        """One more who says `added`, one less who says `gone`, as of the entry being applied."""
        for edge in gone:
            self._close(self._row(status, edge))
        for edge in added:
            self._open(self._row(status, edge))

    def put_many(self, added: Sequence[Edge]) -> int:
        """As `put` of what a record asserts, for many edges without basis; returns the last node there was before.

        Where one end is a node that nobody knew, there is no row yet that could say the same.
        """
        (newest,) = self._db.execute("SELECT COALESCE(MAX(id), 0) FROM node").fetchone()
        if not added:
            return int(newest)
        ids = self.nodes(
            chain((edge[0] for edge in added), (edge[2] for edge in added if isinstance(edge[2], str))), make=True
        )
        status, since = int(Status.ASSERTED), self.index
        rows = sorted(
            [
                (ids[subject], int(relation), value if isinstance(value, int) else ids[value])
                for subject, relation, value, _, _ in added
            ]
        )
        fresh = [row for row in rows if row[0] > newest or (row[2] > newest and row[1] < Relation.AT)]
        self._db.executemany(
            "INSERT INTO edge(subject, relation, object, status, basis, evidence, since, n)"
            f" VALUES (?, ?, ?, {status}, 0, 0, {since}, 1)",
            fresh,
        )
        if len(fresh) < len(rows):
            for subject, relation, value in rows:
                if subject <= newest and (value <= newest or relation >= Relation.AT):
                    self._open((subject, relation, value, status, 0, 0))
        return int(newest)

    def nodes(self, iris: Iterable[str], *, make: bool = False) -> dict[str, int]:
        """The numbers of things, by IRI; of those that have none yet, only if they are to be made."""
        wanted = sorted(set(iris))
        found = dict(
            self._db.execute(
                "SELECT iri, id FROM node WHERE iri IN (SELECT value FROM json_each(?))", (json.dumps(wanted),)
            )
        )
        if make and len(found) < len(wanted):
            (last,) = self._db.execute("SELECT COALESCE(MAX(id), 0) FROM node").fetchone()
            new = {iri: number for number, iri in enumerate((i for i in wanted if i not in found), last + 1)}
            self._db.executemany("INSERT INTO node(iri, id) VALUES (?, ?)", new.items())
            found |= new
        return found

    def told(self) -> Iterator[str]:
        """Every row as a line of text, nodes by their IRIs; in no order."""
        names = dict(self._db.execute("SELECT id, iri FROM node"))
        for subject, relation, value, status, basis, evidence, since, until, n in self._db.execute(
            "SELECT subject, relation, object, status, basis, evidence, since, until, n FROM edge"
        ):
            end = value if relation >= Relation.AT else names[value]
            said = f"{names[subject]} {Relation(relation).name} {end} {Status(status).name}"
            yield f"{said} {names.get(basis, '')} {names.get(evidence, '')} from {since} until {until} times {n}"

    def _open(self, row: tuple[int, ...]) -> None:
        if not self._db.execute(f"UPDATE edge SET n = n + 1 WHERE {_SAID}", row).rowcount:
            self._db.execute(
                "INSERT INTO edge(subject, relation, object, status, basis, evidence, since, n)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, 1)",
                (*row, self.index),
            )

    def _close(self, row: tuple[int, ...]) -> None:
        if not self._db.execute(f"UPDATE edge SET n = n - 1 WHERE {_SAID} AND n > 1", row).rowcount:
            # one that began with this very entry never stood
            self._db.execute(f"DELETE FROM edge WHERE {_SAID} AND since = ?", (*row, self.index))
            self._db.execute(f"UPDATE edge SET until = ?, n = 0 WHERE {_SAID}", (self.index, *row))

    def _row(self, status: Status, edge: Edge) -> tuple[int, ...]:
        subject, relation, value, basis, evidence = edge
        number = value if isinstance(value, int) else self._id(value)
        return (self._id(subject), relation, number, status, self._id(basis), self._id(evidence))

    def _id(self, iri: str) -> int:
        if not iri:
            return 0
        found = self._ids.get(iri)
        if found is None:
            if len(self._ids) > 200_000:
                self._ids.clear()
            row = self._db.execute("SELECT id FROM node WHERE iri = ?", (iri,)).fetchone()
            found = int(row[0]) if row else self._db.execute("INSERT INTO node(iri) VALUES (?)", (iri,)).lastrowid
            assert found is not None
            self._ids[iri] = found
        return found


_SAID = "subject = ? AND relation = ? AND object = ? AND status = ? AND basis = ? AND evidence = ? AND until IS NULL"
