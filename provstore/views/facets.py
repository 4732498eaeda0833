"""Facets in force: the last assertion by merge order, and the statements a facet value is promoted to."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from provstore import iris, rdf, times
from provstore.vocab import DCT, PROV, PS, RDF_TYPE

#: The keys whose values decide something here; only their JSON is kept in the view database.
DECIDING = frozenset(
    {
        *("documentation", "schema", "ownership", "columnLineage", "lineage", "version", "lifecycleStateChange"),
        *("outputStatistics", "sourceCodeLocation", "nominalTime", "errorMessage"),
        *("tags", "sql"),
    }
)


@dataclass(frozen=True, slots=True)
class Facet:
    """A facet value in force; `known` is the lowest ledger index that states it, `evidence` the last record to."""

    key: str
    content: str
    value: Any
    known: int
    evidence: str
    ord: str


@lru_cache(maxsize=4096)
def _parsed(text: str) -> Any:
    return json.loads(text)


def in_force(db: sqlite3.Connection, subject: str, key: str) -> Facet | None:
    """The facet of a subject by the last assertion in merge order; None where there is none or it was deleted."""
    row = db.execute(
        "SELECT content, deleted, ord, rec FROM facet WHERE subject = ? AND key = ? ORDER BY ord DESC, content LIMIT 1",
        (subject, key),
    ).fetchone()
    if row is None or row[1]:
        return None
    return _facet(db, subject, key, row[0], row[2], row[3])


def _facet(db: sqlite3.Connection, subject: str, key: str, content: str, ord_: str, rec: int) -> Facet:
    (known,) = db.execute(
        "SELECT MIN(rec) FROM facet WHERE subject = ? AND key = ? AND content = ?", (subject, key, content)
    ).fetchone()
    return facet(db, key, content, known, ord_, rec)


def facet(db: sqlite3.Connection, key: str, content: str, known: int, ord_: str, rec: int) -> Facet:
    """The facet of a content that the record of index `rec` asserts."""
    found = db.execute("SELECT json FROM content WHERE iri = ?", (content,)).fetchone()
    (evidence,) = db.execute("SELECT iri FROM record WHERE id = ?", (rec,)).fetchone()
    return Facet(key, content, _parsed(found[0]) if found else None, known, evidence, ord_)


def of_runs_job(db: sqlite3.Connection, activity: str, job: str) -> dict[str, Facet]:
    """The facets of a job as one run's events state them, by key."""
    rows = db.execute(
        "SELECT f.key, f.content, f.deleted, f.ord, f.rec FROM event e JOIN facet f ON f.rec = e.rec AND f.subject = ?"
        " WHERE e.activity = ? ORDER BY f.ord, f.content DESC",
        (job, activity),
    )
    last = {row[0]: row for row in rows}
    return {k: _facet(db, job, k, row[1], row[3], row[4]) for k, row in last.items() if not row[2]}


def promoted(base: str, subject: str, facet: Facet) -> set[str]:
    """What a facet in force says of its subject in plain terms: description, schema, owners."""
    me, value = f"<{subject}>", facet.value
    if facet.key == "documentation" and isinstance(value, dict) and isinstance(value.get("description"), str):
        return {f"{me} {DCT.description} {rdf.literal(value['description'])}"}
    if facet.key == "schema":
        return {f"{me} {DCT.conformsTo} <{facet.content}>"}
    if facet.key == "ownership":
        return _owners(base, subject, facet)
    return set()


def _owners(base: str, subject: str, facet: Facet) -> set[str]:
    lines: set[str] = set()
    owners = facet.value.get("owners") if isinstance(facet.value, dict) else None
    for number, owner in enumerate(owners if isinstance(owners, list) else ()):
        name = owner.get("name") if isinstance(owner, dict) else None
        if not isinstance(name, str) or not name:
            continue
        agent, node = f"<{owner_agent(base, name)}>", f"<{subject}#owner/{number}>"
        lines |= {
            f"<{subject}> {PROV.wasAttributedTo} {agent}",
            f"<{subject}> {PROV.qualifiedAttribution} {node}",
            f"{node} {RDF_TYPE} {PROV.Attribution}",
            f"{node} {PROV.agent} {agent}",
            f"{node} {PS.knownFrom} {rdf.integer(facet.known)}",
        }
        if isinstance(owner.get("type"), str):
            lines.add(f"{node} {PS.ownerType} {rdf.literal(owner['type'])}")
    return lines


def owner_agent(base: str, name: str) -> str:
    """The agent IRI for an owner's name: `user:`, `team:`, `application:` and `service:` say which kind it is."""
    prefix, colon, rest = name.partition(":")
    kinds = {"user": "person", "team": "organization", "application": "software", "service": "software"}
    if colon and rest and prefix in kinds:
        return iris.agent(base, kinds[prefix], rest)
    return iris.agent(base, "agent", name)


def statistics(value: Any) -> Iterator[tuple[str, int]]:
    """The counts of an outputStatistics facet as (predicate, number)."""
    names = (("rowCount", PS.rowCount), ("size", PS.byteSize), ("fileCount", PS.fileCount))
    for name, predicate in names:
        number = value.get(name) if isinstance(value, dict) else None
        if isinstance(number, int) and not isinstance(number, bool):
            yield predicate, number


def instant(value: Any) -> str | None:
    """A date-time of a facet as an xsd:dateTime term in UTC."""
    try:
        return rdf.date_time(times.lexical(times.key(value)[0]))
    except (ValueError, AttributeError, TypeError):
        return None
