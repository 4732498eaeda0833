"""Plain items: values, rows, predictions that a record says nothing of but what they are, and where they come from.

A batch holds thousands of them. What it says of one is complete in itself: whatever the item is made from, the activity
that made it used, by the word of the same record. So nothing is concluded from it, and no facts are kept of it but its
edges, and a row here, by which it is found by its key and by which it is known who speaks of it. Only where another
record speaks of it too, each activity that made it used all that it is made from, whoever says so (model: derived ⇒
used); that is concluded for the item alone.

Only a record that says that it is a batch (`ps:Batch`) has plain items; which of its items are, depends on that record
and nothing else.
"""

from __future__ import annotations

import sqlite3
import zlib
from collections import defaultdict
from collections.abc import Iterable
from itertools import chain
from urllib.parse import unquote

from provstore.views.edges import APPARATUS, GENERIC, TIMES, Edge, Relation, ticks
from provstore.vocab import PROV, PS, QUDT, RDF_TYPE, RDF_VALUE, SOSA

Pairs = list[tuple[str, str]]
Terms = dict[str, Pairs]  # predicate → (subject, object) pairs, as written

#: One row for each record that speaks of an item: the CRC-32 of its key, its node, the record's ledger index.
TABLES = ("CREATE TABLE item(key INTEGER, node INTEGER, rec INTEGER, PRIMARY KEY(key, node, rec)) WITHOUT ROWID",)

_CLASSES = (PS.RecordItem, PS.Prediction, PS.Decision, PS.Measurand, SOSA.Sample)
#: Classes of what facts are kept of.
_OTHERS = APPARATUS | {PROV.Agent, PROV.Activity, PS.Dataset, PS.Model, PS.Job, PS.Run, PS.ReadState, PS.WriteState}
_OTHERS |= {PS.Version, PS.Source, PS.TrainingRun, PS.Inference, PS.Evaluation, PS.Normalisation, PS.Window}
#: What may be said of a plain item: relations to other things, and what only SPARQL reads.
_RELATIONS = {
    PROV.wasGeneratedBy: Relation.GENERATED,
    PROV.wasDerivedFrom: Relation.DERIVED,
    PROV.specializationOf: Relation.SPECIAL,
}
_SPECIAL = (PROV.wasQuotedFrom, PROV.wasRevisionOf, PROV.hadPrimarySource)  # with the derivation that they entail
_IDLE = {QUDT.numericValue, QUDT.unit, PROV.value, RDF_VALUE, PS.commitment, PS.subject}
_PLAIN = {RDF_TYPE, PROV.generatedAtTime, *_RELATIONS, *_SPECIAL, *_IDLE}


def take_items(record: str, by: Terms, other: Terms) -> tuple[set[str], list[Edge]]:
    """The plain items (IRIs) of a batch, and their edges; what is said of them is taken out of `by` and `other`.

    `by` holds what relates things, `other` what has text as its object; both by predicate. None of a record that does
    not say that it is a batch: of few things all is kept, so that they are found by their words too.
    """
    items = _plain(by, other) if (f"<{record}>", PS.Batch) in by.get(RDF_TYPE, ()) else set()
    if not items:
        return set(), []
    edges = _edges(by, items)
    made_of = {value for subject, value in by.get(PROV.wasDerivedFrom, ()) if subject not in items}
    for terms in (by, other):
        for predicate in terms.keys() & _PLAIN:
            terms[predicate] = [pair for pair in terms[predicate] if pair[0] not in items]
    idle = items - made_of  # what a state is made of is a fact of that state
    if PROV.used in by:
        used = by[PROV.used]
        edges += [(s[1:-1], Relation.USED, o[1:-1], "", "") for s, o in used if o in idle and s[0] == "<"]
        by[PROV.used] = [pair for pair in used if pair[1] not in idle]
    return {item[1:-1] for item in items}, edges


def _plain(by: Terms, other: Terms) -> set[str]:
    types = by.get(RDF_TYPE, ())
    items = {subject for subject, value in types if value in _CLASSES}
    if not items:
        return items
    items -= {subject for subject, value in types if value in _OTHERS}
    for terms in (by, other):
        for predicate in terms.keys() - _PLAIN:
            items.difference_update([subject for subject, _ in terms[predicate]])
    # text where a thing is wanted, or the reverse: for those who look closer
    for predicate in other.keys() & {RDF_TYPE, *_RELATIONS, *_SPECIAL}:
        items.difference_update([subject for subject, _ in other[predicate]])
    items.difference_update([subject for subject, _ in other.get(PROV.generatedAtTime, ())])
    for predicate in _OBJECTS & by.keys():
        items.difference_update([value for _, value in by[predicate]])
    derived, used = set(by.get(PROV.wasDerivedFrom, ())), set(by.get(PROV.used, ()))
    for predicate in _SPECIAL:
        items.difference_update([pair[0] for pair in by.get(predicate, ()) if pair not in derived])
    makers: dict[str, list[str]] = defaultdict(list)
    for subject, value in by.get(PROV.wasGeneratedBy, ()):
        makers[subject].append(value)
    items.difference_update(
        [item for item, source in derived if any((maker, source) not in used for maker in makers.get(item, ()))]
    )
    return {item for item in items if item[0] == "<"}


#: Properties whose objects facts are kept of: qualified nodes point to what they are about.
_OBJECTS = {PROV.entity, PROV.generated, PROV.quotedAs, PROV.hadDerivation, PROV.hadRevision, PROV.wasPrimarySourceOf}
_OBJECTS |= {PROV.generalizationOf, PROV.invalidated, PROV.influenced, PS.on}


def _edges(by: Terms, items: set[str]) -> list[Edge]:
    unsaid = GENERIC | APPARATUS
    found: list[Edge] = [
        (subject[1:-1], Relation.TYPE, value[1:-1], "", "")
        for subject, value in by[RDF_TYPE]
        if subject in items and value not in unsaid and value[0] == "<"
    ]
    for predicate, relation in _RELATIONS.items():
        found += [
            (subject[1:-1], relation, value[1:-1], "", "")
            for subject, value in by.get(predicate, ())
            if subject in items and value[0] == "<"
        ]
    for subject, value in by.get(PROV.generatedAtTime, ()):
        if subject in items and (number := ticks(value)) is not None:
            found.append((subject[1:-1], TIMES[PROV.generatedAtTime], number, "", ""))
    return found


def key_of(iri: str) -> str:
    """What an item is called: what stands behind its namespace in `…/item/{namespace}/{key}`, else its last part."""
    _, mark, rest = iri.partition("/item/")
    parts = rest.split("/") if mark else []
    return unquote(parts[1] if len(parts) > 1 else iri[max(iri.rfind(c) for c in "/#:") + 1 :])


def namespace_of(iri: str) -> str:
    """The namespace in `…/item/{namespace}/{key}`; '' in any other IRI."""
    _, mark, rest = iri.partition("/item/")
    return unquote(rest.partition("/")[0]) if mark and "/" in rest else ""


def _number(key: str) -> int:
    return zlib.crc32(key.encode())


class ItemIndex:
    """Who speaks of which item; for the one connection that writes the view database, inside its transactions."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def add(self, nodes: Iterable[tuple[str, int]], index: int) -> None:
        """A record at a ledger index speaks of items: (IRI, node) each."""
        rows = sorted((_number(key_of(iri)), node, index) for iri, node in nodes)
        self._db.executemany("INSERT OR IGNORE INTO item VALUES (?, ?, ?)", rows)

    def take(self, nodes: Iterable[tuple[str, int]], index: int) -> None:
        """It is withdrawn."""
        rows = sorted((_number(key_of(iri)), node, index) for iri, node in nodes)
        self._db.executemany("DELETE FROM item WHERE key = ? AND node = ? AND rec = ?", rows)

    def speakers(self, iri: str, node: int) -> set[int]:
        """The ledger indices of the live records in which a thing is a plain item."""
        rows = self._db.execute("SELECT rec FROM item WHERE key = ? AND node = ?", (_number(key_of(iri)), node))
        return {rec for (rec,) in rows}


def found(db: sqlite3.Connection, typed: str, most: int) -> list[str]:
    """The items of a key, or the item of an IRI, that have no document of their own: at most so many, oldest first."""
    rows = db.execute(
        "SELECT DISTINCT n.id, n.iri FROM item i JOIN node n ON n.id = i.node WHERE i.key IN (?, ?)"
        " AND NOT EXISTS (SELECT 1 FROM search_subject s JOIN search_doc d ON d.id = s.id WHERE s.iri = n.iri)"
        " ORDER BY n.id",
        (_number(typed), _number(key_of(typed))),
    )
    return [iri for _, iri in rows if typed in (key_of(iri), iri)][:most]


def classes(db: sqlite3.Connection, iri: str) -> list[str]:
    """The classes of a thing, as terms."""
    row = db.execute("SELECT id FROM node WHERE iri = ?", (iri,)).fetchone()
    return [f"<{each}>" for (each,) in db.execute(_ENDS, (row[0], int(Relation.TYPE)))] if row else []


def is_item(db: sqlite3.Connection, iri: str) -> bool:
    """Whether a thing is a plain item in some live record."""
    sql = "SELECT 1 FROM node n JOIN item i ON i.key = ? AND i.node = n.id WHERE n.iri = ? LIMIT 1"
    return db.execute(sql, (_number(key_of(iri)), iri)).fetchone() is not None


def concluded(db: sqlite3.Connection, iri: str) -> set[str]:
    """The lines of an item that several records speak of: whoever made it used all that it is made from."""
    row = db.execute("SELECT id FROM node WHERE iri = ?", (iri,)).fetchone()
    if row is None:
        return set()
    speakers = ItemIndex(db).speakers(iri, row[0])
    if not speakers:
        return set()
    said = chain(
        db.execute("SELECT rec FROM generated WHERE entity = ?", (iri,)),
        db.execute("SELECT rec FROM derived WHERE entity = ?", (iri,)),
    )
    if len(speakers | {rec for (rec,) in said}) < 2:
        return set()
    makers, sources = (
        [str(other) for (other,) in db.execute(_ENDS, (row[0], int(relation)))]
        for relation in (Relation.GENERATED, Relation.DERIVED)
    )
    return {f"<{maker}> {PROV.used} <{source}>" for maker in makers for source in sources}


_ENDS = (
    "SELECT DISTINCT n.iri FROM edge e JOIN node n ON n.id = e.object"
    " WHERE e.subject = ? AND e.relation = ? AND e.until IS NULL"
)
