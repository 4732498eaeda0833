"""Facets in force: the last assertion by merge order, and the statements a facet value is promoted to."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from provstore import iris, rdf, times
from provstore.vocab import DCAT, DCT, DQV, EARL, PROV, PS, RDF_TYPE, SCHEMA

_COUNTS = {each: each for each in (PS.rowCount, PS.byteSize, PS.fileCount)}
_PART = {each: each for each in (PS.filter, PS.partition, DCAT.downloadURL)}
#: By the key of a facet, what its content says of itself → how the same is said of its subject.
_OF_SUBJECT: dict[str, dict[str, str]] = {
    "tags": {SCHEMA.additionalProperty: SCHEMA.additionalProperty, DCAT.keyword: DCAT.keyword},
    "datasetType": {PS.datasetType: PS.datasetType},
    "executionParameters": {DCT.hasPart: PS.parameter},
    "externalQuery": {DCT.identifier: DCT.identifier},
    "extractionError": {PS.totalTasks: PS.totalTasks, PS.failedTasks: PS.failedTasks},
    "inputStatistics": _COUNTS,
    "outputStatistics": _COUNTS,
    "subset": _PART,
    "inputSubset": _PART,
    "outputSubset": _PART,
    "icebergScanReport": {PS.filter: PS.filter},
    "icebergCommitReport": {PS.operation: PS.operation},
}
#: The same, of what must be looked at before it is said of anything.
_OF_PARTS: dict[str, frozenset[str]] = {
    "processing_engine": frozenset({PS.engine}),
    "icebergScanReport": frozenset({DCAT.version}),
    "icebergCommitReport": frozenset({DCAT.version}),
    "jobDependencies": frozenset(
        {
            *(PS.upstream, PS.downstream, PS.sourceJob, PS.sourceRun, PS.targetJob),
            *(PS.dependencyType, PS.sequenceRule, PS.statusRule),
        }
    ),
    "lineage": frozenset({PS.jobEdge, PS.sourceRun, PS.targetRun, PS.targetJob}),
}
#: Parts of a content that are about the subject, by their class: how they say so.
_ABOUT = {DQV.QualityMeasurement: DQV.computedOn, EARL.Assertion: EARL.subject}
QUALITY = ("dataQualityMetrics", "dataQualityAssertions", "test")

#: Facets in force of a dataset, job, run or model that say something of it in plain terms.
OF_ASSETS = (
    *("documentation", "schema", "ownership", "tags", "datasetType", *QUALITY),
    *("executionParameters", "externalQuery", "extractionError"),
)
#: The same of a state as it was written, or read: of one read or write as such, of a run with what surrounds it.
OF_WRITE_STATES = ("documentation", "schema", "ownership", "tags", "datasetType", *QUALITY)
OF_READ_STATES = ("ownership", "tags", "datasetType", *QUALITY)
OF_USAGES = ("inputStatistics", "subset", "inputSubset", "icebergScanReport", *QUALITY)
OF_GENERATIONS = ("outputStatistics", "subset", "outputSubset", "icebergCommitReport", *QUALITY)
OF_RUNS = ("nominalTime", "errorMessage", "processing_engine", "jobDependencies")

#: The keys whose values decide something here; only these are kept in the view database.
DECIDING = frozenset(
    {
        *("columnLineage", "lineage", "version", "lifecycleStateChange", "sourceCodeLocation", "sql"),
        *(*OF_ASSETS, *OF_WRITE_STATES, *OF_READ_STATES, *OF_USAGES, *OF_GENERATIONS, *OF_RUNS),
    }
)

Triple = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Facet:
    """A facet value in force; `known` is the lowest ledger index that states it, `evidence` the last record to.

    `says` are the statements of its content that `said` picks, those of the content itself with an empty subject.
    """

    key: str
    content: str
    value: Any
    known: int
    evidence: str
    ord: str
    says: tuple[Triple, ...] = ()

    def of(self, subject: str, predicate: str) -> list[str]:
        """The objects of a statement in the content; the content itself is the empty subject."""
        return [o for s, p, o in self.says if s == subject and p == predicate]


def said(iri: str, key: str, triples: list[Triple]) -> list[Triple]:
    """The statements of a content that its subject, or what surrounds it, may be given."""
    me, wanted = f"<{iri}>", _OF_SUBJECT.get(key, {}).keys() | _OF_PARTS.get(key, frozenset())
    picked = [("" if s == me else s, p, o) for s, p, o in triples if p in wanted]
    if key in QUALITY:
        picked += [(s, _ABOUT[o], "") for s, p, o in triples if p == RDF_TYPE and o in _ABOUT]
    return sorted(picked)


@lru_cache(maxsize=4096)
def _parsed(text: str) -> Any:
    return json.loads(text)


@lru_cache(maxsize=4096)
def _triples(text: str) -> tuple[Triple, ...]:
    return tuple((s, p, o) for s, p, o in json.loads(text))


def in_force(db: sqlite3.Connection, subject: str, key: str) -> Facet | None:
    """The facet of a subject by the last assertion in merge order; None where there is none or it was deleted."""
    row = db.execute(
        "SELECT content, deleted, ord, rec FROM facet WHERE subject = ? AND key = ? ORDER BY ord DESC, content LIMIT 1",
        (subject, key),
    ).fetchone()
    if row is None or row[1]:
        return None
    return _facet(db, subject, key, row[0], row[2], row[3])


def all_in_force(db: sqlite3.Connection, subject: str, keys: tuple[str, ...]) -> dict[str, Facet]:
    """The facets of a subject by the last assertion in merge order, of those keys that have one."""
    rows = db.execute(
        f"SELECT key, content, deleted, ord, rec FROM facet WHERE subject = ? AND key IN ({','.join('?' * len(keys))})"
        " ORDER BY ord, content DESC",
        (subject, *keys),
    )
    return _last(db, subject, rows.fetchall())


def _last(db: sqlite3.Connection, subject: str, rows: list[Any]) -> dict[str, Facet]:
    last = {row[0]: row for row in rows}
    return {k: _facet(db, subject, k, row[1], row[3], row[4]) for k, row in last.items() if not row[2]}


def _facet(db: sqlite3.Connection, subject: str, key: str, content: str, ord_: str, rec: int) -> Facet:
    (known,) = db.execute(
        "SELECT MIN(rec) FROM facet WHERE subject = ? AND key = ? AND content = ?", (subject, key, content)
    ).fetchone()
    return facet(db, key, content, known, ord_, rec)


def facet(db: sqlite3.Connection, key: str, content: str, known: int, ord_: str, rec: int) -> Facet:
    """The facet of a content that the record of index `rec` asserts."""
    found = db.execute("SELECT json, says FROM content WHERE iri = ?", (content,)).fetchone()
    (evidence,) = db.execute("SELECT iri FROM record WHERE id = ?", (rec,)).fetchone()
    value, says = (_parsed(found[0]), _triples(found[1])) if found else (None, ())
    return Facet(key, content, value, known, evidence, ord_, says)


def of_runs_job(db: sqlite3.Connection, activity: str, job: str) -> dict[str, Facet]:
    """The facets of a job as one run's events state them, by key."""
    rows = db.execute(
        "SELECT f.key, f.content, f.deleted, f.ord, f.rec FROM event e JOIN facet f ON f.rec = e.rec AND f.subject = ?"
        " WHERE e.activity = ? ORDER BY f.ord, f.content DESC",
        (job, activity),
    )
    return _last(db, job, rows.fetchall())


def promoted(base: str, subject: str, facet: Facet) -> set[str]:
    """What a facet in force says of its subject in plain terms."""
    me, value = f"<{subject}>", facet.value
    if facet.key == "documentation" and isinstance(value, dict) and isinstance(value.get("description"), str):
        return {f"{me} {DCT.description} {rdf.literal(value['description'])}"}
    if facet.key == "schema":
        return {f"{me} {DCT.conformsTo} <{facet.content}>"}
    if facet.key == "ownership":
        return _owners(base, subject, facet)
    own = _OF_SUBJECT.get(facet.key, {})
    lines = {f"{me} {own[p]} {o}" for s, p, o in facet.says if not s and p in own}
    return lines | {f"{s} {p} {me}" for s, p, o in facet.says if not o}


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


def instant(value: Any) -> str | None:
    """A date-time of a facet as an xsd:dateTime term in UTC."""
    try:
        return rdf.date_time(times.lexical(times.key(value)[0]))
    except (ValueError, AttributeError, TypeError):
        return None
