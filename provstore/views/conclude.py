"""Which conclusions a change can affect, and their difference to what stood before.

Every line of the merged and inferred graphs has an owner that is recomputed as a whole: `m:` an activity, `r:` a read
state, `w:` a write state, `s:` a subject of facets, `d:` a job's declaration, `v:` a job version, `e:` what a record's
own PROV terms entail, `i:` an item that several records speak of.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from provstore import times
from provstore.views import facets, items
from provstore.views.edges import Edge, EdgeLog, Relation, Status, edges_in
from provstore.views.evidence import declared_feeds, declared_sources
from provstore.views.facts import Facts
from provstore.views.merged import Merged, identifier
from provstore.views.resolve import ancestors, descendants, previous_state, resolve_read
from provstore.views.runs import merge
from provstore.vocab import PROV, PS, RDF_TYPE

_OF_ACTIVITIES = ("start", "end", "atStart", "atEnd")
_PROMOTED = facets.OF_ASSETS
_DESCRIBING = (*_PROMOTED, "lineage")
_WRITE = (
    "SELECT state, dataset, class, time, partial, version, digest, content, mode, known, time_known, version_known,"
    " digest_known, mode_known FROM wrote WHERE activity = ?"
)
_READ = (
    "SELECT state, dataset, class, first, last, until, version, digest, content, known, time_known, version_known,"
    " digest_known FROM was_read WHERE activity = ?"
)


@dataclass(slots=True)
class Touched:
    """What a batch touched, by kind; states are those whose inferred conclusions must be made again."""

    activities: set[str] = field(default_factory=set)
    subjects: set[str] = field(default_factory=set)
    declaring: set[str] = field(default_factory=set)
    versions: set[str] = field(default_factory=set)
    reads: set[str] = field(default_factory=set)
    writes: set[str] = field(default_factory=set)
    kin: set[str] = field(default_factory=set)
    linked: set[str] = field(default_factory=set)
    sources: set[str] = field(default_factory=set)
    items: set[str] = field(default_factory=set)
    entailed: dict[str, set[str]] = field(default_factory=dict)


class Conclusions:
    """Keeps the conclusions in the view database equal to what the facts there say."""

    def __init__(self, db: sqlite3.Connection, base: str, log: EdgeLog) -> None:
        self._db, self._base, self._log = db, base, log

    def begin(self) -> Touched:
        return Touched()

    def touch(self, facts: Facts, index: int, touched: Touched, *, withdrawn: bool = False) -> None:
        """Note what the facts of a record can change: call before they are added, or after they were taken out."""
        rows = facts.rows
        for table in ("event", "part", "job_of", "used", "intended", "dropped", "role"):
            touched.activities |= {row[0] for row in rows.get(table, ())}
        touched.activities |= {activity for _, activity in rows.get("generated", ())}
        own = {e for _, e in rows.get("used", ())} | {e for e, _ in rows.get("generated", ())}
        states = {r[0] for t in ("state", "renamed", "derived") for r in rows.get(t, ())}
        for subject, key, *_ in rows.get("attribute", ()):
            (touched.activities if key in _OF_ACTIVITIES else states).add(subject)
        for subject, key, _, _, asset, _ in rows.get("facet", ()):
            if not asset:
                states.add(subject.partition("#")[0])
            elif key in facets.OF_RUNS:  # a child's event can say them of its parent
                touched.activities.add(subject)
            if key in _DESCRIBING and (asset or self._is_asset(subject)):
                touched.subjects.add(subject)
        for state in (states - own) | self._newly_told(rows.get("state", ()), withdrawn):
            touched.activities |= self._activities_of(state)
        for entity, activity in rows.get("generated", ()):
            if not entity.endswith(f"/write/{identifier(activity)}"):  # others may be said to have generated it
                touched.activities |= self._activities_of(entity)
                touched.reads |= self._states("SELECT state FROM was_read WHERE state = ?", (entity,))
                touched.writes |= self._states("SELECT state FROM wrote WHERE state = ?", (entity,))
        spoken_of = {e for t in ("generated", "derived") for e, _ in rows.get(t, ())}
        touched.items |= {entity for entity in spoken_of if items.is_item(self._db, entity)}
        touched.declaring |= {row[0] for row in rows.get("declares", ())}
        for child, parent in rows.get("part", ()):
            if withdrawn or not self._has("SELECT 1 FROM part WHERE activity = ? AND parent = ?", child, parent):
                touched.kin |= {child, parent}
        for one, other in rows.get("symlink", ()):
            if withdrawn or not self._has("SELECT 1 FROM symlink WHERE one = ? AND other = ?", one, other):
                touched.linked |= {one, other}
        for (dataset,) in rows.get("source", ()):
            if withdrawn or not self._has("SELECT 1 FROM source WHERE dataset = ?", dataset):
                touched.sources.add(dataset)
        if facts.entailed:
            touched.entailed[facts.record] = set() if withdrawn else facts.entailed

    def _newly_told(self, rows: Iterable[tuple[Any, ...]], withdrawn: bool) -> set[str]:
        """The states of which it was not known what they are states of: others may have read or written them."""
        return {
            row[0]
            for row in rows
            if withdrawn
            or not self._has("SELECT 1 FROM state WHERE state = ? AND kind = ? AND dataset = ? AND version = ?", *row)
        }

    def settle(self, touched: Touched) -> dict[tuple[str, str], bool]:
        """Recompute everything touched: (graph, line) → whether it now stands, for each line that changed."""
        return {(graph, line): stands for line, graph, stands in self._recompute(touched)}

    def _recompute(self, touched: Touched) -> Iterator[tuple[str, str, bool]]:
        for record, lines in touched.entailed.items():
            yield from self._own(f"e:{record}", "merged", lines)
        self._relink(touched)
        for activity in sorted(touched.activities):
            yield from self._settle_activity(activity, touched)
        self._relatives_changed(touched)
        for dataset in sorted(touched.sources):
            klass = self._class(dataset)
            touched.reads |= {s for (s,) in self._db.execute("SELECT state FROM was_read WHERE class = ?", (klass,))}
        for version in sorted(touched.versions):
            yield from self._own(f"v:{version}", "merged", self._version_lines(version))
        for subject in sorted(touched.subjects):
            yield from self._own(f"s:{subject}", "merged", self._subject_lines(subject))
        for job in sorted(touched.declaring):
            yield from self._own(f"d:{job}", "merged", self._declaration_lines(job))
        for state in sorted(touched.reads):
            yield from self._own(f"r:{state}", "inferred", resolve_read(self._db, state))
        for state in sorted(touched.writes):
            yield from self._own(f"w:{state}", "inferred", previous_state(self._db, state))
        for item in sorted(touched.items):
            yield from self._own(f"i:{item}", "merged", items.concluded(self._db, item))

    # -- activities -----------------------------------------------------------------------------------------------

    def _settle_activity(self, activity: str, touched: Touched) -> Iterator[tuple[str, str, bool]]:
        merged = merge(self._db, self._base, activity)
        yield from self._own(f"m:{activity}", "merged", merged.lines)
        self._keep_writes(activity, merged, touched)
        self._keep_reads(activity, merged, touched)
        old = self._db.execute(
            "SELECT version, job, contents FROM run_version WHERE activity = ?", (activity,)
        ).fetchone()
        if old != merged.version:
            self._db.execute("DELETE FROM run_version WHERE activity = ?", (activity,))
            if merged.version:
                self._db.execute("INSERT INTO run_version VALUES (?, ?, ?, ?)", (activity, *merged.version))
            touched.versions |= {v[0] for v in (old, merged.version) if v}

    def _keep_writes(self, activity: str, merged: Merged, touched: Touched) -> None:
        new = {
            (
                w.state,
                w.dataset,
                self._class(w.dataset),
                w.time,
                int(w.partial),
                w.version,
                w.digest,
                self._content(w.digest),
                w.mode,
                w.known,
                w.time_known,
                w.version_known,
                w.digest_known,
                w.mode_known,
            )
            for w in merged.writes + merged.endings
        }
        old = set(self._db.execute(_WRITE, (activity,)))
        if new == old:
            return
        self._db.executemany(
            "DELETE FROM wrote WHERE state = ? AND activity = ?", [(r[0], activity) for r in old - new]
        )
        self._db.executemany(
            f"INSERT INTO wrote VALUES ({','.join('?' * 15)})", [(r[0], activity, *r[1:]) for r in new - old]
        )
        for row in old ^ new:
            self._write_changed(activity, row, touched)

    def _keep_reads(self, activity: str, merged: Merged, touched: Touched) -> None:
        new = {
            (
                r.state,
                r.dataset,
                self._class(r.dataset),
                merged.first,
                merged.last,
                merged.until,
                r.version,
                r.digest,
                self._content(r.digest),
                r.known,
                merged.first_known,
                r.version_known,
                r.digest_known,
            )
            for r in merged.reads
        }
        old = set(self._db.execute(_READ, (activity,)))
        if new == old:
            return
        self._db.executemany(
            "DELETE FROM was_read WHERE state = ? AND activity = ?", [(r[0], activity) for r in old - new]
        )
        self._db.executemany(
            f"INSERT INTO was_read VALUES ({','.join('?' * 14)})", [(r[0], activity, *r[1:]) for r in new - old]
        )
        touched.reads |= {row[0] for row in old ^ new}
        for content in {str(row[8]) for row in old ^ new if row[8]}:
            if self._has("SELECT 1 FROM wrote WHERE activity = ? AND content = ?", activity, content):
                # whether a run has but copied what it wrote decides for all who read that
                touched.reads |= self._states(
                    "SELECT state FROM was_read WHERE content = ? AND content <> ''", (content,)
                )
        self._log.put(Status.MERGED, _read_at(new - old), _read_at(old - new))

    # -- what a changed write can change elsewhere ------------------------------------------------------------------

    def _write_changed(self, activity: str, row: tuple[object, ...], touched: Touched) -> None:
        """Mark the readers in [t, next generation), those that name its version or content, and the writes after it.

        The reports of the same write by runs around it count only where this one does not, so they are looked at too.
        """
        state, _, klass, time, _, version, _, content, *_ = row
        touched.writes.add(str(state))
        if version:
            touched.reads |= self._states(
                "SELECT state FROM was_read WHERE class = ? AND version = ?", (klass, version)
            )
        if content:
            touched.reads |= self._states("SELECT state FROM was_read WHERE content = ? AND content <> ''", (content,))
        if time is None:
            return
        self._mark_after(klass, time, touched)
        for above in ancestors(self._db, activity):
            for state, when in self._db.execute(
                "SELECT state, time FROM wrote WHERE activity = ? AND class = ? AND time IS NOT NULL", (above, klass)
            ).fetchall():
                touched.writes.add(state)
                self._mark_after(klass, when, touched)

    def _mark_after(self, klass: object, time: object, touched: Touched) -> None:
        """Mark who can have seen a write of this time.

        Only a whole, unlabelled write by a run without children surely hides an earlier one from later readers; the
        first such write by a second run is taken as the bound, since those of one run may be the reader's own.
        """
        hiding = (
            "FROM wrote w WHERE class = ? AND time > ? AND partial = 0 AND version = ''"
            " AND NOT EXISTS (SELECT 1 FROM part p WHERE p.parent = w.activity)"
        )
        bound = self._db.execute(
            f"SELECT time {hiding} AND activity <> (SELECT activity {hiding} ORDER BY time LIMIT 1)"
            " ORDER BY time LIMIT 1",
            (klass, time, klass, time),
        ).fetchone()
        until = bound[0] if bound else "~"  # after every instant
        touched.reads |= self._states(
            "SELECT state FROM was_read WHERE class = ? AND last >= ? AND (first <= ? OR until <= ? OR version <> '')",
            (klass, time, until, until),
        )
        touched.writes |= self._states(
            "SELECT state FROM wrote w WHERE class = ? AND time > ?"
            " AND (time <= ? OR EXISTS (SELECT 1 FROM part p WHERE p.parent = w.activity))",
            (klass, time, until),
        )

    def _relatives_changed(self, touched: Touched) -> None:
        """A new parent or child can hide a write or lay one open: look again at all that the family read and wrote."""
        family = set(touched.kin)
        for activity in touched.kin:
            family |= set(ancestors(self._db, activity)) | set(descendants(self._db, activity))
        for activity in sorted(family):
            for row in self._db.execute(_WRITE, (activity,)).fetchall():
                self._write_changed(activity, row, touched)
            touched.reads |= self._states("SELECT state FROM was_read WHERE activity = ?", (activity,))

    # -- symlink classes ------------------------------------------------------------------------------------------

    def _relink(self, touched: Touched) -> None:
        """Name each symlink class by its least member; all reads and writes of a class that changed are looked at."""
        changed: set[str] = set()
        for linked in sorted(touched.linked):
            if linked in changed:
                continue
            members = self._component(linked)
            changed |= members
            name = min(members)
            for dataset in sorted(members):
                if self._class(dataset) != name:
                    self._db.execute("INSERT OR REPLACE INTO link_class VALUES (?, ?)", (dataset, name))
                    self._db.execute("UPDATE wrote SET class = ? WHERE dataset = ?", (name, dataset))
                    self._db.execute("UPDATE was_read SET class = ? WHERE dataset = ?", (name, dataset))
                    self._db.execute("UPDATE wrote SET content = ? WHERE digest = ? AND digest <> ''", (name, dataset))
                    self._db.execute(
                        "UPDATE was_read SET content = ? WHERE digest = ? AND digest <> ''", (name, dataset)
                    )
        for name in sorted({self._class(dataset) for dataset in changed}):
            touched.reads |= self._states("SELECT state FROM was_read WHERE class = ?", (name,))
            touched.reads |= self._states("SELECT state FROM was_read WHERE content = ? AND content <> ''", (name,))
            touched.writes |= self._states("SELECT state FROM wrote WHERE class = ?", (name,))

    def _component(self, dataset: str) -> set[str]:
        rows = self._db.execute(
            "WITH RECURSIVE c(d) AS (VALUES (?) UNION SELECT s.other FROM symlink s JOIN c ON s.one = c.d"
            " UNION SELECT s.one FROM symlink s JOIN c ON s.other = c.d) SELECT d FROM c",
            (dataset,),
        )
        return {d for (d,) in rows}

    def _content(self, digest: str) -> str:
        return self._class(digest) if digest else ""

    def _class(self, dataset: str) -> str:
        row = self._db.execute("SELECT class FROM link_class WHERE dataset = ?", (dataset,)).fetchone()
        return row[0] if row else dataset

    # -- subjects of facets, declarations, job versions -------------------------------------------------------------

    def _is_asset(self, subject: str) -> bool:
        """Whether a record that describes the subject says that it is a dataset, job, run or model."""
        marks = ",".join("?" * len(_DESCRIBING))
        sql = f"SELECT 1 FROM facet WHERE subject = ? AND asset = 1 AND key IN ({marks})"
        return self._has(sql, subject, *_DESCRIBING)

    def _subject_lines(self, subject: str) -> set[str]:
        if not self._is_asset(subject):
            return set()
        found = facets.all_in_force(self._db, subject, _PROMOTED).values()
        lines = {line for facet in found for line in facets.promoted(self._base, subject, facet)}
        return lines | declared_sources(self._db, self._base, subject)

    def _declaration_lines(self, job: str) -> set[str]:
        row = self._db.execute(
            "SELECT declaration, rec FROM declares WHERE job = ? ORDER BY ord DESC, declaration LIMIT 1", (job,)
        ).fetchone()
        if row is None:
            return set()
        return {f"<{job}> {PS.currentDeclaration} <{row[0]}>"} | declared_feeds(self._db, self._base, job, row[1])

    def _version_lines(self, version: str) -> set[str]:
        row = self._db.execute("SELECT job, contents FROM run_version WHERE version = ? LIMIT 1", (version,)).fetchone()
        if row is None:
            return set()
        me = f"<{version}>"
        lines = {f"{me} {RDF_TYPE} {kind}" for kind in (PROV.Entity, PROV.Plan, PS.JobVersion)}
        lines.add(f"{me} {PROV.specializationOf} <{row[0]}>")
        return lines | {f"{me} {PS.content} <{content}>" for content in row[1].split()}

    # -- ownership --------------------------------------------------------------------------------------------------

    def _own(self, owner: str, graph: str, lines: set[str]) -> Iterator[tuple[str, str, bool]]:
        """Replace what an owner stands for; a line that others own too stays until the last of them lets go."""
        row = self._db.execute("SELECT lines FROM owned WHERE owner = ?", (owner,)).fetchone()
        before = set(row[0].split("\n")) if row else set()
        if before == lines:
            return
        if lines:
            self._db.execute("INSERT OR REPLACE INTO owned VALUES (?, ?)", (owner, "\n".join(sorted(lines))))
        else:
            self._db.execute("DELETE FROM owned WHERE owner = ?", (owner,))
        self._log_edges(graph, before, lines)
        added, gone = sorted(lines - before), sorted(before - lines)
        self._db.executemany(
            "INSERT INTO held VALUES (?, 1) ON CONFLICT(hash) DO UPDATE SET n = n + 1",
            [(_hash(graph, line),) for line in added],
        )
        yield from ((line, graph, True) for line in added)
        for line in gone:
            key = _hash(graph, line)
            self._db.execute("UPDATE held SET n = n - 1 WHERE hash = ?", (key,))
            if self._db.execute("DELETE FROM held WHERE hash = ? AND n = 0", (key,)).rowcount:
                yield line, graph, False

    def _log_edges(self, graph: str, before: set[str], lines: set[str]) -> None:
        old, new = _edges(before), _edges(lines)
        self._log.put(Status.MERGED if graph == "merged" else Status.INFERRED, sorted(new - old), sorted(old - new))

    def owned_lines(self) -> Iterable[tuple[str, str]]:
        for owner, lines in self._db.execute("SELECT owner, lines FROM owned ORDER BY owner"):
            graph = "inferred" if owner[:2] in ("r:", "w:") else "merged"
            for line in lines.split("\n"):
                yield graph, line

    def _activities_of(self, entity: str) -> set[str]:
        # `wrote` too: that a completed run generated what it announced stands in no record
        return self._states(
            "SELECT activity FROM generated WHERE entity = ? UNION SELECT activity FROM used WHERE entity = ?"
            " UNION SELECT activity FROM wrote WHERE state = ?",
            (entity, entity, entity),
        )

    def _states(self, sql: str, values: tuple[object, ...]) -> set[str]:
        return {value for (value,) in self._db.execute(sql, values)}

    def _has(self, sql: str, *values: str) -> bool:
        return self._db.execute(sql, values).fetchone() is not None


def _edges(lines: set[str]) -> set[Edge]:
    triples = (line.split(" ", 2) for line in lines)
    return edges_in((subject, predicate, value) for subject, predicate, value in triples)


def _read_at(rows: Iterable[tuple[Any, ...]]) -> list[Edge]:
    """The time of each read state: when its run can first have read it."""
    return sorted((row[0], Relation.AT, times.ticks(row[3]), "", "") for row in rows if row[3])


def _hash(graph: str, line: str) -> int:
    digest = hashlib.blake2b(f"{graph}\n{line}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)
