"""The merged graph of one activity: what its records, taken together and in any order, say of it.

Merge order is `record.ord`: instant, START before others before terminal events, then digest. Nothing here looks at
another run.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

from provstore import iris, jcs, rdf, times
from provstore.views import facets, particulars
from provstore.views.evidence import dataset_of, derive
from provstore.views.facets import Facet
from provstore.views.merged import CONTRADICTORY, KEEPS, REPLACES, Merged, Read, Write, identifier
from provstore.vocab import PROV, PS, RDF_TYPE

_TERMINAL = ("COMPLETE", "FAIL", "ABORT", "WINDOW")
_PROOFS = ("outputStatistics", "icebergCommitReport")
_MODES = {"CREATE": "Create", "OVERWRITE": "Overwrite", "TRUNCATE": "Truncate", "ALTER": "Alter"}


@dataclass(frozen=True, slots=True)
class _Life:
    """Start, end, and the span of all that was heard: (instant, rec) each; whether a record states start or end."""

    start: tuple[str, int] | None
    end: tuple[str, int] | None
    ending: str
    latest: str
    span: tuple[tuple[str, int], str] | None
    states_start: bool
    states_end: bool


def merge(db: sqlite3.Connection, base: str, activity: str) -> Merged:
    """Everything the merged graph says with this activity as its owner."""
    out, me = Merged(base), f"<{activity}>"
    life = _life(db, activity)
    if life.start and not life.states_start:
        out.lines.add(f"{me} {PROV.startedAtTime} {_time(life.start[0])}")
    if life.end and not life.states_end:
        out.lines.add(f"{me} {PROV.endedAtTime} {_time(life.end[0])}")
    if life.latest and life.ending != "WINDOW":
        out.lines.add(f"{me} {PS.state} {PS[life.ending or life.latest]}")
    _circumstances(db, activity, life, out)
    _job_version(db, activity, out)
    out.reads = list(_reads(db, activity))
    out.writes = list(_writes(db, activity, life, out))
    _span(life, out)
    explicit = derive(db, base, activity, out)
    _drops(db, activity, life, out)
    for write in out.writes:
        out.lines |= particulars.of_state(db, base, write.state, facets.OF_WRITE_STATES)
    for read in out.reads:
        out.lines |= particulars.of_state(db, base, read.state, facets.OF_READ_STATES)
        out.lines |= particulars.of_usage(db, base, activity, read.state, read.known)
    out.lines |= particulars.of_run(db, activity, out.version, explicit)
    _derived_is_used(db, activity, out)
    return out


def _life(db: sqlite3.Connection, activity: str) -> _Life:
    """What a record states as the start or the end counts before events, events before a qualified start or end."""
    rows = db.execute("SELECT time, type, rec FROM event WHERE activity = ? ORDER BY ord, type", (activity,)).fetchall()
    starts = [(t, rec) for t, kind, rec in rows if kind == "START"]
    ends = [(t, rec, kind) for t, kind, rec in rows if kind in _TERMINAL]
    stated = _attributes(db, activity)
    return _Life(
        stated.get("start") or (starts[0] if starts else stated.get("atStart")),
        stated.get("end") or (ends[0][:2] if ends else stated.get("atEnd")),
        ends[0][2] if ends else "",
        rows[-1][1] if rows else "",
        ((rows[0][0], rows[0][2]), rows[-1][0]) if rows else None,
        "start" in stated,
        "end" in stated,
    )


def _span(life: _Life, out: Merged) -> None:
    """The interval in which the activity can have read: start or else end, to end or else the last sign of life.

    What it had written by an instant (`until`) it had begun by then, whatever start is told.
    """
    heard = life.start or life.end or (life.span[0] if life.span else None)
    written = min(((w.time, w.time_known) for w in out.writes if w.time), default=None)
    if heard:
        last = life.end[0] if life.end else life.span[1] if life.span else heard[0]
        out.first, out.last = heard[0], max(heard[0], last)
    if written:
        out.until, out.last = written[0], out.last or written[0]
    begun = min((each for each in (heard, written) if each), default=None, key=lambda each: each[0])
    out.first_known = begun[1] if begun else 0


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
        " JOIN state s ON s.state = u.entity AND s.kind = 'R'"
        " WHERE s.dataset = (SELECT MIN(t.dataset) FROM state t WHERE t.state = s.state AND t.kind = s.kind)"
        " GROUP BY s.state",
        (activity,),
    )
    for state, dataset, version, known in rows.fetchall():
        digest, since = _attributes(db, state).get("digest", ("", 0))
        yield Read(state, dataset, known, version, _labelled(db, state, dataset, version), digest, since)


def _labelled(db: sqlite3.Connection, state: str, dataset: str, version: str) -> int:
    """The lowest index at which a record states the version label of a state."""
    if not version:
        return 0
    row = db.execute(
        "SELECT MIN(rec) FROM state WHERE state = ? AND dataset = ? AND version = ?", (state, dataset, version)
    ).fetchone()
    return int(row[0])


def _writes(db: sqlite3.Connection, activity: str, life: _Life, out: Merged) -> Iterator[Write]:
    rows = db.execute(
        "SELECT s.state, s.dataset, MAX(s.version), MAX(g.first, MIN(s.rec)) FROM"
        " (SELECT entity, MIN(rec) AS first FROM generated WHERE activity = ? GROUP BY entity) g"
        " JOIN state s ON s.state = g.entity AND s.kind = 'W'"
        " WHERE s.dataset = (SELECT MIN(t.dataset) FROM state t WHERE t.state = s.state AND t.kind = s.kind)"
        " GROUP BY s.state",
        (activity,),
    ).fetchall()
    have = {dataset for _, dataset, _, _ in rows}
    rows = [row for row in rows if _is_maker(db, activity, row[0])]
    if life.ending == "COMPLETE" and life.end:
        for dataset, rec in db.execute(
            "SELECT dataset, MIN(rec) FROM intended WHERE activity = ? GROUP BY dataset", (activity,)
        ).fetchall():
            if dataset not in have:
                yield from _announced(db, activity, dataset, max(rec, life.end[1]), life, out)
    for row in rows:
        yield _write(db, activity, row, life, out)


def _is_maker(db: sqlite3.Connection, activity: str, state: str) -> bool:
    """Whether a state counts as this activity's, of all that are said to have generated it: one time, one origin."""
    if state.endswith(f"/write/{identifier(activity)}"):
        return True  # the state is named after it
    makers = {str(a) for (a,) in db.execute("SELECT activity FROM generated WHERE entity = ?", (state,))}
    return activity == min(makers, key=lambda a: (not state.endswith(f"/write/{identifier(a)}"), a))


def _announced(
    db: sqlite3.Connection, activity: str, dataset: str, known: int, life: _Life, out: Merged
) -> Iterator[Write]:
    """An output announced before a run that completed: it was written, unless it was dropped."""
    state = iris.write_state(dataset, identifier(activity))
    change = _lifecycle(db, state)
    if change and _kind(change) == "DROP":
        out.lines.add(f"<{activity}> {PS.dropped} <{dataset}>")
        out.endings.append(_drop(activity, dataset, max(known, change.known), life))
        return
    out.lines |= {
        f"<{state}> {RDF_TYPE} {PROV.Entity}",
        f"<{state}> {RDF_TYPE} {PS.WriteState}",
        f"<{state}> {PROV.specializationOf} <{dataset}>",
        f"<{state}> {PROV.wasGeneratedBy} <{activity}>",
    }
    yield _write(db, activity, (state, dataset, "", known), life, out)


def _drops(db: sqlite3.Connection, activity: str, life: _Life, out: Merged) -> None:
    """Drops that records state: nothing is there for those who read the dataset after the run's end."""
    rows = db.execute("SELECT dataset, MIN(rec) FROM dropped WHERE activity = ? GROUP BY dataset", (activity,))
    have = {each.dataset for each in out.endings if each.mode == "Drop"}
    out.endings += [_drop(activity, dataset, rec, life) for dataset, rec in rows.fetchall() if dataset not in have]


def _drop(activity: str, dataset: str, known: int, life: _Life) -> Write:
    state = f"{iris.write_state(dataset, identifier(activity))}#dropped"
    when, since = life.end or (None, 0)
    return Write(state, dataset, when, life.ending in ("FAIL", "ABORT"), known, since, mode="Drop")


def _write(db: sqlite3.Connection, activity: str, row: tuple[str, str, str, int], life: _Life, out: Merged) -> Write:
    state, dataset, version, known = row
    stated, lines = _attributes(db, state), out.lines
    version, version_known = _version(db, row, lines)
    mode, mode_known = stated.get("mode", ("", 0))
    change = None if mode else _lifecycle(db, state)
    old = _previous_name(out.base, change) if change and life.ending == "COMPLETE" else None
    if change and (name := _MODES.get(_kind(change))):
        lines.add(f"<{state}> {PS.writeMode} {PS[name]}")
        mode, mode_known = name, change.known
    made = stated.get("generated")
    when = made or _proof(db, state) or life.end
    if when and not made:
        lines.add(f"<{state}> {PROV.generatedAtTime} {_time(when[0])}")
    partial = life.ending in ("FAIL", "ABORT")
    if partial:
        lines.add(f"<{state}> {PS.partial} {rdf.boolean(True)}")
    lines |= particulars.of_generation(db, activity, state, when)
    digest, digest_known = stated.get("digest", ("", 0))
    return Write(
        state,
        dataset,
        when[0] if when else None,
        partial,
        known,
        when[1] if when else 0,
        version,
        version_known,
        digest,
        digest_known,
        mode,
        mode_known,
        old or "",
        change.known if old and change else 0,
    )


def _version(db: sqlite3.Connection, row: tuple[str, str, str, int], lines: set[str]) -> tuple[str, int]:
    """The version label of a write, and since when it is known: as recorded, or else by the facet in force."""
    state, dataset, version, _ = row
    if version:
        return version, _labelled(db, state, dataset, version)
    label = facets.in_force(db, state, "version")
    sent = label.value.get("datasetVersion") if label and isinstance(label.value, dict) else None
    found = sent if isinstance(sent, str) else jcs.dumps(sent) if type(sent) in (int, float) else ""
    if not found or not label:
        return "", 0
    me, iri = f"<{state}>", f"<{iris.version(dataset, found)}>"
    lines |= {
        f"{me} {PROV.specializationOf} {iri}",
        f"{iri} {RDF_TYPE} {PROV.Entity}",
        f"{iri} {RDF_TYPE} {PS.Version}",
        f"{iri} {PROV.specializationOf} <{dataset}>",
        f"{iri} {PS.version} {rdf.literal(found)}",
    }
    return found, label.known


def _derived_is_used(db: sqlite3.Connection, activity: str, out: Merged) -> None:
    """If e2 was generated by a and derived from e1, then a used e1, so that both plain paths agree."""
    rows = db.execute(
        "SELECT d.source FROM generated g JOIN derived d ON d.entity = g.entity WHERE g.activity = ?", (activity,)
    ).fetchall()
    for write in out.writes:  # those too that no record but only the run's end proves
        rows += db.execute("SELECT source FROM derived WHERE entity = ?", (write.state,)).fetchall()
    used = {e for (e,) in db.execute("SELECT entity FROM used WHERE activity = ?", (activity,))} if rows else set()
    out.lines |= {f"<{activity}> {PROV.used} <{source}>" for (source,) in rows if source not in used}


def _attributes(db: sqlite3.Connection, subject: str) -> dict[str, tuple[str, int]]:
    """What records state of a subject by key: the least value, and the lowest index that states it.

    Of write modes one that keeps and one that replaces contradict each other: then none is known.
    """
    rows = db.execute(
        "SELECT key, value, MIN(rec) FROM attribute WHERE subject = ? GROUP BY key, value ORDER BY key, value DESC",
        (subject,),
    ).fetchall()
    found = {key: (value, rec) for key, value, rec in rows}
    if "mode" in found:
        modes = {value.rpartition("#")[2] for key, value, _ in rows if key == "mode"}
        agreed = modes <= KEEPS or modes <= REPLACES
        found["mode"] = (min(modes), found["mode"][1]) if agreed else (CONTRADICTORY, found["mode"][1])
    return found


def _proof(db: sqlite3.Connection, state: str) -> tuple[str, int] | None:
    """The last instant at which a record proved that the state was being written."""
    row = db.execute(
        f"SELECT MAX(ord), rec FROM facet WHERE subject = ? AND key IN ({','.join('?' * len(_PROOFS))})",
        (f"{state}#generation", *_PROOFS),
    ).fetchone()
    return (row[0][:30], row[1]) if row and row[0] and row[0][0].isdigit() else None


def _lifecycle(db: sqlite3.Connection, state: str) -> Facet | None:
    found = facets.in_force(db, state, "lifecycleStateChange")
    return found if found and isinstance(found.value, dict) else None


def _kind(change: Facet) -> str:
    kind = change.value.get("lifecycleStateChange")
    return kind.upper() if isinstance(kind, str) else ""


def _previous_name(base: str, change: Facet) -> str | None:
    """The dataset that a rename names as the one before."""
    named = change.value.get("previousIdentifier") if _kind(change) == "RENAME" else None
    return dataset_of(base, named)


def _time(instant: str) -> str:
    return rdf.date_time(times.lexical(instant))
