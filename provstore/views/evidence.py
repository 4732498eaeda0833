"""What the writes of one run were made from, by what its own records say.

A rename is always one. Else explicit lineage > column lineage > single input > declared role; what is left is only
possible. Where a record states a derivation of the write itself, nothing is concluded but what is explicit.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from provstore import iris, rdf
from provstore.views import facets
from provstore.views.facets import Facet
from provstore.views.merged import Merged, Read, Write, identifier
from provstore.vocab import AI, PROV, PS, RDF_TYPE

#: Roles of an input that its run's outputs are made of (model: "declared role").
_MATERIAL = {term[1:-1] for term in (AI.TrainingData, PS.trainingData, PS.model, PS.inputItem)}
#: Roles of an input that decides over the outputs and is not in them.
_INFLUENCING = {term[1:-1] for term in (AI.ValidationData, AI.TestingData, PS.validationData, PS.code)}


def derive(db: sqlite3.Connection, base: str, activity: str, out: Merged) -> list[Facet]:
    """Add what each write of the activity was made from to its lines, and to its reads what that shows to be read.

    Returns the lineage facets that the run's events state of its job.
    """
    lineage = _Lineage.of(db, activity)
    roles = _roles(db, activity)
    asserted = list(out.reads)
    for write in sorted(out.writes, key=lambda w: w.state):
        evidence = _Evidence(base, activity, write, out)
        evidence.rename(db, asserted)
        stated = _has(db, "SELECT 1 FROM derived WHERE entity = ? LIMIT 1", write.state)
        if entries := lineage.entries_for(base, write):
            evidence.explicit(entries)
        elif not (stated or evidence.renames or lineage.covers(write)):
            evidence.weigh(facets.in_force(db, write.state, "columnLineage"), asserted, roles)
        evidence.state(_makers(db, activity, write.state) if evidence.derives else set())
    return [facet for facet, _ in lineage.of_job]


def _makers(db: sqlite3.Connection, activity: str, state: str) -> set[str]:
    """Every activity that generated a state: each of them used what it was derived from."""
    return {activity} | {a for (a,) in db.execute("SELECT activity FROM generated WHERE entity = ?", (state,))}


def _roles(db: sqlite3.Connection, activity: str) -> dict[str, dict[str, int]]:
    """Entity → role → the lowest index that states it."""
    found: dict[str, dict[str, int]] = defaultdict(dict)
    rows = db.execute("SELECT entity, role, MIN(rec) FROM role WHERE activity = ? GROUP BY entity, role", (activity,))
    for entity, role, known in rows:
        found[entity][role] = known
    return found


@dataclass(frozen=True, slots=True)
class _Lineage:
    """The `lineage` facets that a run's events state: of their job, and of single outputs by their states.

    A job's holds for all outputs of the run, and what it does not name comes from nothing tracked; an output's own
    holds for that output. Entries accumulate over the events of a run; a deletion takes back what was said before it.
    """

    of_job: list[tuple[Facet, Any]]
    of_state: dict[str, list[tuple[Facet, Any]]]

    @classmethod
    def of(cls, db: sqlite3.Connection, activity: str) -> _Lineage:
        rows = db.execute(
            "SELECT f.subject, f.content, f.deleted, f.asset, f.ord, f.rec"
            " FROM event e JOIN facet f ON f.rec = e.rec AND f.key = 'lineage'"
            " WHERE e.activity = ? ORDER BY f.ord, f.content",
            (activity,),
        ).fetchall()
        others = _jobs_of_parents(db, activity) if rows else set()
        held: dict[tuple[str, int], dict[str, Facet]] = defaultdict(dict)
        for subject, content, deleted, asset, ord_, rec in rows:
            if subject in others:  # what an event says of the job of a parent is none of the run's
                continue
            of_subject = held[subject, asset]
            if deleted:
                of_subject.clear()
            else:  # known since the first that was received, and by the last to say so: no order of arrival decides
                known = min(rec, of_subject[content].known) if content in of_subject else rec
                of_subject[content] = facets.facet(db, "lineage", content, known, ord_, rec)
        found = cls([], defaultdict(list))
        for (subject, asset), by_content in held.items():
            for facet in by_content.values():
                value = facet.value if isinstance(facet.value, dict) else {}
                if asset and isinstance(value.get("entries"), list):
                    found.of_job.append((facet, value["entries"]))
                elif not asset and (isinstance(value.get("inputs"), list) or isinstance(value.get("fields"), dict)):
                    found.of_state[subject].append((facet, value))
        return found

    def covers(self, write: Write) -> bool:
        """Whether the producer said explicitly what the write was made from, be it nothing."""
        return bool(self.of_job) or write.state in self.of_state

    def entries_for(self, base: str, write: Write) -> list[tuple[Facet, Any]]:
        named = [
            (facet, entry)
            for facet, listed in self.of_job
            for entry in listed
            if dataset_of(base, entry) == write.dataset
        ]
        return named + self.of_state.get(write.state, [])


def _jobs_of_parents(db: sqlite3.Connection, activity: str) -> set[str]:
    """The jobs of the runs that an activity is part of, but its own."""
    parents = db.execute(
        "SELECT DISTINCT j.job FROM part p JOIN job_of j ON j.activity = p.parent WHERE p.activity = ?", (activity,)
    )
    own = db.execute("SELECT DISTINCT job FROM job_of WHERE activity = ?", (activity,))
    return {job for (job,) in parents} - {job for (job,) in own}


class _Evidence:
    """Collects what one write was made from, and writes it into the merged lines."""

    def __init__(self, base: str, activity: str, write: Write, out: Merged) -> None:
        self._base, self._activity, self._write, self._out = base, activity, write, out
        self._derived: dict[str, tuple[str, int, str | None]] = {}
        self._influenced: set[str] = set()
        self._possible: set[str] = set()
        self.renames = False

    @property
    def derives(self) -> bool:
        """Whether anything certain was found."""
        return bool(self._derived)

    def rename(self, db: sqlite3.Connection, asserted: list[Read]) -> None:
        """The read under the old name, where the write is a rename; the old name is then at its end."""
        rows = db.execute(
            "SELECT source, MIN(rec) FROM renamed WHERE state = ? GROUP BY source", (self._write.state,)
        ).fetchall()
        found = [(read, known) for source, known in rows for read in asserted if read.state == source]
        if not rows and self._write.renamed:  # announced, and the run completed
            known = self._write.renamed_known
            found = [(self._read_of(self._write.renamed, known), known)]
        for read, known in found:
            self.renames = True
            self._certain(read, PS.Rename, known, None)
            if read.dataset != self._write.dataset:
                self._out.endings.append(self._ending(read, known))

    def _ending(self, read: Read, known: int) -> Write:
        write = self._write
        return Write(
            f"{write.state}#renamed/{iris.enc(read.dataset)}",
            read.dataset,
            write.time,
            write.partial,
            max(known, write.known),
            write.time_known,
            mode="Rename",
        )

    def explicit(self, entries: list[tuple[Facet, Any]]) -> None:
        for facet, entry in entries:
            for source in _sources(entry):
                self._source(source, PS.ExplicitLineage, facet)

    def weigh(self, columns: Facet | None, asserted: list[Read], roles: dict[str, dict[str, int]]) -> None:
        """What the producer did not say outright: columns, the only input, roles; the rest is possible."""
        influencing = {read.state for read in asserted if roles.get(read.state, {}).keys() & _INFLUENCING}
        self._influenced |= influencing
        material = [read for read in asserted if read.state not in influencing]
        if columns and self._columns(columns):
            self._possible |= {read.state for read in material}
        elif len({read.dataset for read in material}) == 1:
            self._certain(material[0], PS.SingleInput, material[0].known, None)
        else:
            for read in material:
                held = [known for role, known in roles.get(read.state, {}).items() if role in _MATERIAL]
                if held:
                    self._certain(read, PS.DeclaredRole, min(held), None)
            self._possible |= {read.state for read in material}

    def _columns(self, facet: Facet) -> bool:
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
        dataset = dataset_of(self._base, source)
        if dataset is None:
            return False
        read = self._read_of(dataset, facet.known)
        kinds = source.get("transformations")
        named = [t.get("type") for t in kinds if isinstance(t, dict)] if isinstance(kinds, list) else []
        if direct and (not named or any(kind != "INDIRECT" for kind in named)):
            self._certain(read, basis, facet.known, facet.evidence)
        else:
            self._influenced.add(read.state)
        return True

    def _certain(self, read: Read, basis: str, known: int, evidence: str | None) -> None:
        known = max(known, read.known, self._write.known)
        self._derived.setdefault(read.state, (basis, known, evidence))

    def _read_of(self, dataset: str, known: int) -> Read:
        """The run's read of a dataset; a source that no event listed as input was read all the same."""
        for read in self._out.reads:
            if read.dataset == dataset:
                return read
        read = Read(iris.read_state(dataset, identifier(self._activity)), dataset, known, asserted=False)
        self._out.reads.append(read)
        self._out.lines |= {
            f"<{self._activity}> {PROV.used} <{read.state}>",
            f"<{read.state}> {RDF_TYPE} {PROV.Entity}",
            f"<{read.state}> {RDF_TYPE} {PS.ReadState}",
            f"<{read.state}> {PROV.specializationOf} <{dataset}>",
        }
        return read

    def state(self, makers: set[str]) -> None:
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
            lines |= {f"<{maker}> {PROV.used} <{read}>" for maker in makers - {self._activity}}
            if evidence:
                lines.add(f"{node} {PS.evidence} <{evidence}>")
        influenced = self._influenced - self._derived.keys()
        lines |= {f"{write} {PROV.wasInfluencedBy} <{read}>" for read in influenced}
        possible = self._possible - self._derived.keys() - influenced
        lines |= {f"{write} {PS.possiblyDerivedFrom} <{read}>" for read in possible}


def declared_sources(db: sqlite3.Connection, base: str, dataset: str) -> set[str]:
    """What the last `lineage` facet of a dataset declares it to be made from: the last one says all."""
    facet = facets.in_force(db, dataset, "lineage")
    if not facet or not isinstance(facet.value, dict) or dataset.startswith(f"{base}/job/"):
        return set()
    named = {dataset_of(base, source) for source in _sources(facet.value)} - {None, dataset}
    return {f"<{dataset}> {PS.declaredSource} <{source}>" for source in named}


def declared_feeds(db: sqlite3.Connection, base: str, job: str, rec: int) -> set[str]:
    """What feeds what by the `lineage` facet of the job in the record (of index `rec`) that declares it."""
    lines: set[str] = set()
    for content, deleted in db.execute(
        "SELECT content, deleted FROM facet WHERE rec = ? AND subject = ? AND key = 'lineage'", (rec, job)
    ).fetchall():
        value = None if deleted else facets.facet(db, "lineage", content, rec, "", rec).value
        entries = value.get("entries") if isinstance(value, dict) else None
        for entry in entries if isinstance(entries, list) else ():
            target = dataset_of(base, entry)
            named = {dataset_of(base, source) for source in _sources(entry)} if target else set()
            lines |= {f"<{source}> {PS.feeds} <{target}>" for source in named - {None, target}}
    return lines


def _sources(entry: Any) -> Iterator[Any]:
    inputs, columns = entry.get("inputs"), entry.get("fields")
    yield from inputs if isinstance(inputs, list) else ()
    for column in (columns if isinstance(columns, dict) else {}).values():
        inner = column.get("inputs") if isinstance(column, dict) else None
        yield from inner if isinstance(inner, list) else ()


def dataset_of(base: str, named: Any) -> str | None:
    """The dataset that a facet names by namespace and name; entries of another type than DATASET name none."""
    if not isinstance(named, dict) or named.get("type", "DATASET") != "DATASET":
        return None
    namespace, name = named.get("namespace"), named.get("name")
    if isinstance(namespace, str) and isinstance(name, str) and namespace and name:
        return iris.dataset(base, namespace, name)
    return None


def _has(db: sqlite3.Connection, sql: str, *values: str) -> bool:
    return db.execute(sql, values).fetchone() is not None
