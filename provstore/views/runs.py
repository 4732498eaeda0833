"""The merged graph of one activity: what its records, taken together and in any order, say of it.

Merge order is `record.ord`: instant, START before others before terminal events, then digest. Nothing here looks at
another run.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from provstore import iris, jcs, rdf, times
from provstore.views import facets, particulars
from provstore.views.facets import Facet
from provstore.vocab import AI, DCT, PROV, PS, RDF_TYPE

_TERMINAL = ("COMPLETE", "FAIL", "ABORT", "WINDOW")
_PROOFS = ("outputStatistics", "icebergCommitReport")
_MODES = {"CREATE": "Create", "OVERWRITE": "Overwrite", "TRUNCATE": "Truncate", "ALTER": "Alter"}
#: Roles of an input that its run's outputs are made of (model: "declared role").
_MATERIAL = {term[1:-1] for term in (AI.TrainingData, PS.trainingData, PS.model, PS.inputItem)}


@dataclass(frozen=True, slots=True)
class Read:
    state: str
    dataset: str
    version: str
    digest: str
    known: int
    asserted: bool = True


@dataclass(frozen=True, slots=True)
class Write:
    state: str
    dataset: str
    version: str
    digest: str
    mode: str
    time: str | None
    partial: bool
    known: int
    time_known: int


@dataclass(slots=True)
class Merged:
    """One activity: its lines for the merged graph, and its reads and writes ready to be matched across runs."""

    lines: set[str] = field(default_factory=set)
    reads: list[Read] = field(default_factory=list)
    writes: list[Write] = field(default_factory=list)
    first: str | None = None
    last: str | None = None
    first_known: int = 0
    version: tuple[str, str, str] | None = None  # job version IRI, job, content IRIs (space between)


@dataclass(frozen=True, slots=True)
class _Life:
    """First START, first terminal event, and the span of all: (instant, rec) each."""

    start: tuple[str, int] | None
    end: tuple[str, int] | None
    ending: str
    latest: str
    span: tuple[tuple[str, int], str] | None


def merge(db: sqlite3.Connection, base: str, activity: str) -> Merged:
    """Everything the merged graph says with this activity as its owner."""
    out, me = Merged(), f"<{activity}>"
    life = _life(db, activity)
    if life.start:
        out.lines.add(f"{me} {PROV.startedAtTime} {_time(life.start[0])}")
    if life.end:
        out.lines.add(f"{me} {PROV.endedAtTime} {_time(life.end[0])}")
    if life.latest and life.ending != "WINDOW":
        out.lines.add(f"{me} {PS.state} {PS[life.ending or life.latest]}")
    _span(db, activity, life, out)
    _circumstances(db, activity, life, out)
    _job_version(db, activity, out)
    out.reads = list(_reads(db, activity))
    out.writes = list(_writes(db, activity, life, out.lines))
    explicit = list(facets.explicit_lineage(db, activity))
    _derivations(db, base, activity, out, explicit)
    for write in out.writes:
        out.lines |= particulars.of_state(db, base, write.state, facets.OF_WRITE_STATES)
    for read in out.reads:
        out.lines |= particulars.of_state(db, base, read.state, facets.OF_READ_STATES)
        out.lines |= particulars.of_usage(db, base, activity, read.state, read.known)
    out.lines |= particulars.of_run(db, activity, out.version, explicit)
    _derived_is_used(db, activity, out)
    return out


def _life(db: sqlite3.Connection, activity: str) -> _Life:
    rows = db.execute("SELECT time, type, rec FROM event WHERE activity = ? ORDER BY ord, type", (activity,)).fetchall()
    starts = [(t, rec) for t, kind, rec in rows if kind == "START"]
    ends = [(t, rec, kind) for t, kind, rec in rows if kind in _TERMINAL]
    return _Life(
        starts[0] if starts else None,
        ends[0][:2] if ends else None,
        ends[0][2] if ends else "",
        rows[-1][1] if rows else "",
        ((rows[0][0], rows[0][2]), rows[-1][0]) if rows else None,
    )


def _span(db: sqlite3.Connection, activity: str, life: _Life, out: Merged) -> None:
    """The interval in which the activity can have read: start or else end, to end or else the last sign of life."""
    stated = {"start": _attribute(db, activity, "start"), "end": _attribute(db, activity, "end")}
    start = life.start or stated["start"]
    end = life.end or stated["end"]
    first = start or end or (life.span[0] if life.span else None)
    if first:
        out.first, out.first_known = first
        out.last = max(first[0], end[0] if end else life.span[1] if life.span else first[0])


def _circumstances(db: sqlite3.Connection, activity: str, life: _Life, out: Merged) -> None:
    """Parent on the start node, failure on the end node, scheduled interval: nodes only where they say something."""
    me = f"<{activity}>"
    parents = db.execute("SELECT parent, MIN(rec) FROM part WHERE activity = ? GROUP BY parent", (activity,)).fetchall()
    if parents:
        node = f"<{activity}#start>"
        out.lines |= {f"{me} {PROV.qualifiedStart} {node}", f"{node} {RDF_TYPE} {PROV.Start}"}
        out.lines |= {f"{node} {PROV.hadActivity} <{parent}>" for parent, _ in parents}
        known = max(rec for _, rec in parents)
        if life.start:
            out.lines.add(f"{node} {PROV.atTime} {_time(life.start[0])}")
            known = max(known, life.start[1])
        out.lines.add(f"{node} {PS.knownFrom} {rdf.integer(known)}")
    if life.end and (error := facets.in_force(db, activity, "errorMessage")) and isinstance(error.value, dict):
        node, message = f"<{activity}#end>", error.value.get("message")
        out.lines |= {
            f"{me} {PROV.qualifiedEnd} {node}",
            f"{node} {RDF_TYPE} {PROV.End}",
            f"{node} {PROV.atTime} {_time(life.end[0])}",
            f"{node} {PS.knownFrom} {rdf.integer(max(life.end[1], error.known))}",
        }
        if isinstance(message, str):
            out.lines.add(f"{node} {PS.message} {rdf.literal(message)}")
    if (nominal := facets.in_force(db, activity, "nominalTime")) and isinstance(nominal.value, dict):
        for name, predicate in (("nominalStartTime", PS.nominalStart), ("nominalEndTime", PS.nominalEnd)):
            if term := facets.instant(nominal.value.get(name)):
                out.lines.add(f"{me} {predicate} {term}")


def _job_version(db: sqlite3.Connection, activity: str, out: Merged) -> None:
    """The job version is named by the hash of the run's merged job facets; its code is used by the run."""
    row = db.execute("SELECT MIN(job) FROM job_of WHERE activity = ?", (activity,)).fetchone()
    job = row[0]
    held = facets.of_runs_job(db, activity, job) if job else {}
    if not held:
        return
    contents = sorted(f.content for f in held.values())
    digest = hashlib.sha256(jcs.dumps(contents).encode()).hexdigest()
    version = f"{job}/version/{digest}"
    out.version = (version, job, " ".join(contents))
    out.lines.add(f"<{activity}> {PS.jobVersion} <{version}>")
    location = held.get("sourceCodeLocation")
    commit = location.value.get("version") if location and isinstance(location.value, dict) else None
    if isinstance(commit, str) and len(commit) == 40 and not commit.strip("0123456789abcdefABCDEF"):
        out.lines.add(f"<{activity}> {PROV.used} <urn:swh:1:rev:{commit.lower()}>")


def _reads(db: sqlite3.Connection, activity: str) -> Iterator[Read]:
    rows = db.execute(
        "SELECT s.state, s.dataset, MAX(s.version), MAX(u.first, MIN(s.rec)) FROM"
        " (SELECT entity, MIN(rec) AS first FROM used WHERE activity = ? GROUP BY entity) u"
        " JOIN state s ON s.state = u.entity AND s.kind = 'R' GROUP BY s.state, s.dataset",
        (activity,),
    )
    for state, dataset, version, known in rows.fetchall():
        digest = _attribute(db, state, "digest")
        yield Read(state, dataset, version, digest[0] if digest else "", known)


def _writes(db: sqlite3.Connection, activity: str, life: _Life, lines: set[str]) -> Iterator[Write]:
    rows = db.execute(
        "SELECT s.state, s.dataset, MAX(s.version), MAX(g.first, MIN(s.rec)) FROM"
        " (SELECT entity, MIN(rec) AS first FROM generated WHERE activity = ? GROUP BY entity) g"
        " JOIN state s ON s.state = g.entity AND s.kind = 'W' GROUP BY s.state, s.dataset",
        (activity,),
    ).fetchall()
    have = {dataset for _, dataset, _, _ in rows}
    if life.ending == "COMPLETE" and life.end:
        for dataset, rec in db.execute(
            "SELECT dataset, MIN(rec) FROM intended WHERE activity = ? GROUP BY dataset", (activity,)
        ).fetchall():
            if dataset not in have:
                yield from _announced(db, activity, dataset, max(rec, life.end[1]), life, lines)
    for state, dataset, version, known in rows:
        yield _write(db, activity, (state, dataset, version, known), life, lines)


def _announced(
    db: sqlite3.Connection, activity: str, dataset: str, known: int, life: _Life, lines: set[str]
) -> Iterator[Write]:
    """An output announced before a run that completed: it was written, unless it was dropped."""
    state = iris.write_state(dataset, _identifier(activity))
    if _lifecycle(db, state) == "DROP":
        lines.add(f"<{activity}> {PS.dropped} <{dataset}>")
        return
    lines |= {
        f"<{state}> {RDF_TYPE} {PROV.Entity}",
        f"<{state}> {RDF_TYPE} {PS.WriteState}",
        f"<{state}> {PROV.specializationOf} <{dataset}>",
        f"<{state}> {PROV.wasGeneratedBy} <{activity}>",
    }
    yield _write(db, activity, (state, dataset, "", known), life, lines)


def _write(
    db: sqlite3.Connection, activity: str, row: tuple[str, str, str, int], life: _Life, lines: set[str]
) -> Write:
    state, dataset, version, known = row
    me = f"<{state}>"
    if not version and (label := facets.in_force(db, state, "version")) and isinstance(label.value, dict):
        sent = label.value.get("datasetVersion")
        version = sent if isinstance(sent, str) else jcs.dumps(sent) if type(sent) in (int, float) else ""
        if version:
            iri = f"<{iris.version(dataset, version)}>"
            lines |= {
                f"{me} {PROV.specializationOf} {iri}",
                f"{iri} {RDF_TYPE} {PROV.Entity}",
                f"{iri} {RDF_TYPE} {PS.Version}",
                f"{iri} {PROV.specializationOf} <{dataset}>",
                f"{iri} {PS.version} {rdf.literal(version)}",
            }
    mode = _attribute(db, state, "mode")
    name = None if mode else _MODES.get(_lifecycle(db, state))
    if name:
        lines.add(f"{me} {PS.writeMode} {PS[name]}")
    stated = _attribute(db, state, "generated")
    proof = _proof(db, state)
    when = stated or proof or life.end or _attribute(db, activity, "end")
    if when and not stated:
        lines.add(f"{me} {PROV.generatedAtTime} {_time(when[0])}")
    partial = life.ending in ("FAIL", "ABORT")
    if partial:
        lines.add(f"{me} {PS.partial} {rdf.boolean(True)}")
    lines |= particulars.of_generation(db, activity, state, when)
    digest = _attribute(db, state, "digest")
    return Write(
        state,
        dataset,
        version,
        digest[0] if digest else "",
        mode[0].rpartition("#")[2] if mode else name or "",
        when[0] if when else None,
        partial,
        known,
        when[1] if when else 0,
    )


def _derivations(db: sqlite3.Connection, base: str, activity: str, out: Merged, entries: list[Facet]) -> None:
    """Explicit lineage > column lineage > single input > declared role; what is left is only possible."""
    asserted = list(out.reads)
    for write in sorted(out.writes, key=lambda w: w.state):
        if db.execute("SELECT 1 FROM derived WHERE entity = ? LIMIT 1", (write.state,)).fetchone():
            _renamed(db, activity, write, asserted, out)
            continue
        if _renamed(db, activity, write, asserted, out):
            continue
        evidence = _Evidence(base, activity, write, out)
        columns = facets.in_force(db, write.state, "columnLineage")
        if entries:
            evidence.explicit(entries)
        elif columns and evidence.columns(columns):
            evidence.rest(asserted)
        elif len({r.dataset for r in asserted}) == 1:
            evidence.certain(asserted[0], PS.SingleInput, asserted[0].known, None)
        else:
            evidence.roles(db, asserted)
            evidence.rest(asserted)
        evidence.state()


def _renamed(db: sqlite3.Connection, activity: str, write: Write, asserted: list[Read], out: Merged) -> bool:
    row = db.execute("SELECT source, MIN(rec) FROM renamed WHERE state = ? GROUP BY source", (write.state,)).fetchone()
    sources = [r for r in asserted if row and r.state == row[0]]
    for read in sources:
        evidence = _Evidence("", activity, write, out)
        evidence.certain(read, PS.Rename, row[1], None)
        evidence.state()
    return bool(sources)


class _Evidence:
    """Collects what one write was made from, and writes it into the merged lines."""

    def __init__(self, base: str, activity: str, write: Write, out: Merged) -> None:
        self._base, self._activity, self._write, self._out = base, activity, write, out
        self._derived: dict[str, tuple[str, int, str | None]] = {}
        self._influenced: set[str] = set()
        self._possible: set[str] = set()

    def certain(self, read: Read, basis: str, known: int, evidence: str | None) -> None:
        known = max(known, read.known, self._write.known)
        self._derived.setdefault(read.state, (basis, known, evidence))

    def explicit(self, entries: list[Facet]) -> None:
        for facet in entries:
            listed = facet.value.get("entries") if isinstance(facet.value, dict) else None
            for entry in listed if isinstance(listed, list) else ():
                if _dataset(self._base, entry) == self._write.dataset:
                    for source in _sources(entry):
                        self._source(source, PS.ExplicitLineage, facet)

    def columns(self, facet: Facet) -> bool:
        """Whether the facet names any source; each direct one is a derivation, others an influence."""
        value = facet.value if isinstance(facet.value, dict) else {}
        fields = value.get("fields")
        found = False
        for column in (fields if isinstance(fields, dict) else {}).values():
            inputs = column.get("inputFields") if isinstance(column, dict) else None
            for source in inputs if isinstance(inputs, list) else ():
                found |= self._source(source, PS.ColumnLineage, facet)
        whole = value.get("dataset")
        for source in whole if isinstance(whole, list) else ():
            found |= self._source(source, PS.ColumnLineage, facet, direct=False)
        return found

    def _source(self, source: Any, basis: str, facet: Facet, *, direct: bool = True) -> bool:
        dataset = _dataset(self._base, source)
        if dataset is None:
            return False
        read = self._read_of(dataset, facet.known)
        kinds = source.get("transformations")
        named = [t.get("type") for t in kinds if isinstance(t, dict)] if isinstance(kinds, list) else []
        if direct and (not named or any(kind != "INDIRECT" for kind in named)):
            self.certain(read, basis, facet.known, facet.evidence)
        else:
            self._influenced.add(read.state)
        return True

    def _read_of(self, dataset: str, known: int) -> Read:
        """The run's read of a dataset; a source that no event listed as input was read all the same."""
        for read in self._out.reads:
            if read.dataset == dataset:
                return read
        read = Read(iris.read_state(dataset, _identifier(self._activity)), dataset, "", "", known, asserted=False)
        self._out.reads.append(read)
        self._out.lines |= {
            f"<{self._activity}> {PROV.used} <{read.state}>",
            f"<{read.state}> {RDF_TYPE} {PROV.Entity}",
            f"<{read.state}> {RDF_TYPE} {PS.ReadState}",
            f"<{read.state}> {PROV.specializationOf} <{dataset}>",
        }
        return read

    def roles(self, db: sqlite3.Connection, asserted: list[Read]) -> None:
        for read in asserted:
            rows = db.execute(
                "SELECT role, rec FROM role WHERE activity = ? AND entity = ?", (self._activity, read.state)
            )
            held = [rec for role, rec in rows if role in _MATERIAL]
            if held:
                self.certain(read, PS.DeclaredRole, min(held), None)

    def rest(self, asserted: list[Read]) -> None:
        self._possible |= {r.state for r in asserted}

    def state(self) -> None:
        write, lines = f"<{self._write.state}>", self._out.lines
        for number, read in enumerate(sorted(self._derived), 1):
            basis, known, evidence = self._derived[read]
            node = f"<{self._write.state}#from/{number}>"
            lines |= {
                f"{write} {PROV.wasDerivedFrom} <{read}>",
                f"{write} {PROV.qualifiedDerivation} {node}",
                f"{node} {RDF_TYPE} {PROV.Derivation}",
                f"{node} {PROV.entity} <{read}>",
                f"{node} {PROV.hadActivity} <{self._activity}>",
                f"{node} {PS.basis} {basis}",
                f"{node} {PS.knownFrom} {rdf.integer(known)}",
            }
            if evidence:
                lines.add(f"{node} {PS.evidence} <{evidence}>")
        influenced = self._influenced - self._derived.keys()
        lines |= {f"{write} {PROV.wasInfluencedBy} <{read}>" for read in influenced}
        possible = self._possible - self._derived.keys() - influenced
        lines |= {f"{write} {PS.possiblyDerivedFrom} <{read}>" for read in possible}


def _sources(entry: dict[str, Any]) -> Iterator[Any]:
    inputs, columns = entry.get("inputs"), entry.get("fields")
    yield from inputs if isinstance(inputs, list) else ()
    for column in (columns if isinstance(columns, dict) else {}).values():
        inner = column.get("inputs") if isinstance(column, dict) else None
        yield from inner if isinstance(inner, list) else ()


def _dataset(base: str, named: Any) -> str | None:
    """The dataset that a facet names by namespace and name; entries of another type than DATASET name none."""
    if not isinstance(named, dict) or named.get("type", "DATASET") != "DATASET":
        return None
    namespace, name = named.get("namespace"), named.get("name")
    if isinstance(namespace, str) and isinstance(name, str) and namespace and name:
        return iris.dataset(base, namespace, name)
    return None


def _derived_is_used(db: sqlite3.Connection, activity: str, out: Merged) -> None:
    """If e2 was generated by a and derived from e1, then a used e1, so that both plain paths agree."""
    rows = db.execute(
        "SELECT d.source FROM generated g JOIN derived d ON d.entity = g.entity WHERE g.activity = ?", (activity,)
    ).fetchall()
    for write in out.writes:  # those too that no record but only the run's end proves
        rows += db.execute("SELECT source FROM derived WHERE entity = ?", (write.state,)).fetchall()
    used = {e for (e,) in db.execute("SELECT entity FROM used WHERE activity = ?", (activity,))} if rows else set()
    out.lines |= {f"<{activity}> {PROV.used} <{source}>" for (source,) in rows if source not in used}


def _attribute(db: sqlite3.Connection, subject: str, key: str) -> tuple[str, int] | None:
    row = db.execute(
        "SELECT value, MIN(rec) FROM attribute WHERE subject = ? AND key = ? GROUP BY value ORDER BY value LIMIT 1",
        (subject, key),
    ).fetchone()
    return (row[0], row[1]) if row else None


def _proof(db: sqlite3.Connection, state: str) -> tuple[str, int] | None:
    """The last instant at which a record proved that the state was being written."""
    row = db.execute(
        f"SELECT MAX(ord), rec FROM facet WHERE subject = ? AND key IN ({','.join('?' * len(_PROOFS))})",
        (f"{state}#generation", *_PROOFS),
    ).fetchone()
    return (row[0][:30], row[1]) if row and row[0] and row[0][0].isdigit() else None


def _lifecycle(db: sqlite3.Connection, state: str) -> str:
    """The change that a state's facet in force names, in capitals; empty where there is none."""
    found = facets.in_force(db, state, "lifecycleStateChange")
    change = found.value.get("lifecycleStateChange") if found and isinstance(found.value, dict) else None
    return change.upper() if isinstance(change, str) else ""


def _identifier(activity: str) -> str:
    """The last part of an activity's IRI: the UUID of `urn:uuid:…`, else its last path segment."""
    return activity.rpartition(":" if activity.startswith("urn:") else "/")[2]


def _time(instant: str) -> str:
    return rdf.date_time(times.lexical(instant))


__all__ = ["DCT", "Merged", "Read", "Write", "merge"]
