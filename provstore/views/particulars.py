"""What the facets in force say of a run, its reads and its writes in plain terms: how much, how good, by what.

Counts, filters and partitions stand on the qualified usage or generation, since they are of this read or this write;
measurements and tests of quality are about the state; the engine is associated with the run; a run is informed by the
runs it waited for.
"""

from __future__ import annotations

import sqlite3

from provstore import rdf, times
from provstore.views import facets
from provstore.views.facets import Facet
from provstore.vocab import DCAT, PPLAN, PROV, PS, RDF_TYPE

_RULES = (PS.dependencyType, PS.sequenceRule, PS.statusRule)


def of_state(db: sqlite3.Connection, base: str, state: str, keys: tuple[str, ...]) -> set[str]:
    """What the facets of a state say of it."""
    found = facets.all_in_force(db, state, keys).values()
    return {line for facet in found for line in facets.promoted(base, state, facet)}


def of_usage(db: sqlite3.Connection, base: str, activity: str, read: str, known: int) -> set[str]:
    """What the facets of one read say: of its qualified usage, where they do, or of the state."""
    node = f"{read}#usage"
    said, lines, known_too = _shared(db, base, node, read, facets.OF_USAGES)
    if not said:
        return lines
    return lines | {
        *said,
        f"<{activity}> {PROV.qualifiedUsage} <{node}>",
        f"<{node}> {RDF_TYPE} {PROV.Usage}",
        f"<{node}> {PROV.entity} <{read}>",
        f"<{node}> {PS.knownFrom} {rdf.integer(max(known, known_too))}",
    }


def of_generation(db: sqlite3.Connection, activity: str, state: str, when: tuple[str, int] | None) -> set[str]:
    """What the facets of one write say: of its qualified generation, where they do, or of the state."""
    node = f"{state}#generation"
    said, lines, known = _shared(db, "", node, state, facets.OF_GENERATIONS)
    if not said:
        return lines
    lines |= {
        *said,
        f"<{state}> {PROV.qualifiedGeneration} <{node}>",
        f"<{node}> {RDF_TYPE} {PROV.Generation}",
        f"<{node}> {PROV.activity} <{activity}>",
        f"<{node}> {PS.knownFrom} {rdf.integer(max(known, when[1] if when else 0))}",
    }
    if when:
        lines.add(f"<{node}> {PROV.atTime} {rdf.date_time(times.lexical(when[0]))}")
    return lines


def _shared(
    db: sqlite3.Connection, base: str, node: str, state: str, keys: tuple[str, ...]
) -> tuple[set[str], set[str], int]:
    """What is said of a qualified node, what of its state, and from which ledger index the first is known."""
    said: set[str] = set()
    lines: set[str] = set()
    known = 0
    for key, facet in facets.all_in_force(db, node, keys).items():
        if key in facets.QUALITY:
            lines |= facets.promoted(base, state, facet)
            continue
        lines |= {f"<{state}> {DCAT.version} {label}" for label in facet.of("", DCAT.version)}
        more = facets.promoted(base, node, facet)
        if more:
            said |= more
            known = max(known, facet.known)
    return said, lines, known


def of_run(
    db: sqlite3.Connection, activity: str, version: tuple[str, str, str] | None, explicit: list[Facet]
) -> set[str]:
    """What ran it, and what it waited for; `version` is its job version as `Merged` has it, `explicit` its lineage."""
    found = facets.all_in_force(db, activity, ("processing_engine", "jobDependencies"))
    lines: set[str] = set()
    if "processing_engine" in found:
        lines |= _engine(activity, found["processing_engine"], version)
    (job,) = db.execute("SELECT MIN(job) FROM job_of WHERE activity = ?", (activity,)).fetchone()
    if "jobDependencies" in found:
        lines |= _dependencies(activity, job, found["jobDependencies"])
    for facet in explicit:
        lines |= _fed_by(activity, job, facet)
    return lines


def _engine(activity: str, facet: Facet, version: tuple[str, str, str] | None) -> set[str]:
    lines: set[str] = set()
    for agent in facet.of("", PS.engine):
        node = f"<{activity}#engine>"
        lines |= {
            f"<{activity}> {PROV.wasAssociatedWith} {agent}",
            f"<{activity}> {PROV.qualifiedAssociation} {node}",
            f"{node} {RDF_TYPE} {PROV.Association}",
            f"{node} {PROV.agent} {agent}",
            f"{node} {PS.knownFrom} {rdf.integer(facet.known)}",
        }
        if version:
            lines.add(f"{node} {PROV.hadPlan} <{version[0]}>")
    return lines


def _dependencies(activity: str, job: str | None, facet: Facet) -> set[str]:
    """Jobs before and after each other as plans; of runs only those before, which the run was informed by."""
    lines: set[str] = set()
    me = f"<{job}>"
    before = {other for part in facet.of("", PS.upstream) for other in facet.of(part, PS.sourceJob)}
    after = {other for part in facet.of("", PS.downstream) for other in facet.of(part, PS.targetJob)}
    if job:
        lines |= {f"{me} {PPLAN.isPrecededBy} {other}" for other in before - {me}}
        lines |= {f"{other} {PPLAN.isPrecededBy} {me}" for other in after - {me}}
    for part in facet.of("", PS.upstream):
        for run in facet.of(part, PS.sourceRun):
            if run != f"<{activity}>":
                lines |= _informed(activity, run, part, facet)
    return lines


def _informed(activity: str, run: str, part: str, facet: Facet) -> set[str]:
    node = f"<{activity}#{part.partition('#')[2]}"
    lines = {
        f"<{activity}> {PROV.wasInformedBy} {run}",
        f"<{activity}> {PROV.qualifiedCommunication} {node}",
        f"{node} {RDF_TYPE} {PROV.Communication}",
        f"{node} {PROV.activity} {run}",
        f"{node} {PS.knownFrom} {rdf.integer(facet.known)}",
    }
    return lines | {f"{node} {rule} {text}" for rule in _RULES for text in facet.of(part, rule)}


def _fed_by(activity: str, job: str | None, facet: Facet) -> set[str]:
    """Runs that explicit lineage says something came from, by edges that end in this run or its job."""
    lines: set[str] = set()
    for edge in facet.of("", PS.jobEdge):
        jobs, runs = facet.of(edge, PS.targetJob), facet.of(edge, PS.targetRun)
        if all(each == f"<{job}>" for each in jobs) and all(each == f"<{activity}>" for each in runs):
            sources = facet.of(edge, PS.sourceRun)
            lines |= {f"<{activity}> {PROV.wasInformedBy} {run}" for run in sources if run != f"<{activity}>"}
    return lines
