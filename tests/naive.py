"""Every lineage question answered the slow way: sets of triples, one step at a time, no index, no memory.

Written from the documented meaning of the questions alone, on the plain triples of a store of the records in question.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from provstore import rdf, times
from provstore.vocab import PROV, PS, RDF_TYPE

Triple = tuple[str, str, str]
Reached = dict[str, int]

DERIVED = (PROV.wasDerivedFrom,)
EITHER = (PROV.wasDerivedFrom, PS.possiblyDerivedFrom)
ACTIVITY = (PROV.used, PROV.wasGeneratedBy, PROV.wasInformedBy)
_ASSETS = {PS.Dataset, PS.Model, PS.Version}


class Naive:
    """The triples of a default graph (terms as N-Triples writes them), and an instant (a `times` key) or None."""

    def __init__(self, triples: Iterable[Triple], instant: str | None = None) -> None:
        self._objects: dict[tuple[str, str], set[str]] = defaultdict(set)
        self._subjects: dict[tuple[str, str], set[str]] = defaultdict(set)
        for subject, predicate, value in triples:
            self._objects[subject, predicate].add(value)
            self._subjects[predicate, value].add(subject)
        self.instant = instant

    def of(self, subject: str, *predicates: str) -> set[str]:
        return {o for p in predicates for o in self._objects.get((subject, p), ())}

    def into(self, value: str, *predicates: str) -> set[str]:
        return {s for p in predicates for s in self._subjects.get((p, value), ())}

    def is_a(self, node: str, *kinds: str) -> bool:
        return bool(self.of(node, RDF_TYPE) & set(kinds))

    def everything(self, kind: str) -> set[str]:
        return {n for n in self.into(kind, RDF_TYPE) if self.exists(n)}

    def is_named(self, node: str) -> bool:
        """Whether anything but a facet's value speaks of a node."""
        told = {p for (s, p) in self._objects if s == node} - {RDF_TYPE, PS.namespace, PS.name}
        heard = {s for (p, o), found in self._subjects.items() if o == node for s in found}
        return bool(told or {s for s in heard if not s.startswith("<ni:")} or not self.is_a(node, PS.Dataset))

    # -- time ---------------------------------------------------------------------------------------------------------

    def exists(self, node: str) -> bool:
        began = self.began(node)
        return self.instant is None or began is None or began <= self.instant

    def began(self, node: str) -> str | None:
        own = self._instants(node, PROV.generatedAtTime)
        if self.is_a(node, PS.ReadState):
            own += [first for run in self.into(node, PROV.used) if (first := self._first(run, node))]
        if own:
            return min(own)
        span = self._instants(node, PROV.startedAtTime)[:1] or self._instants(node, PROV.endedAtTime)[:1]
        if span:
            return span[0]
        made = [
            (self._instants(run, PROV.endedAtTime)[-1:] or self._instants(run, PROV.startedAtTime)[:1])
            for run in self.of(node, PROV.wasGeneratedBy)
        ]
        return min((each[0] for each in made if each), default=None)

    def _first(self, run: str, read: str) -> str | None:
        """When a run can first have read: its start, or its end, or the first that was heard of it."""
        if not any(not self.is_a(d, PS.Version) for d in self.of(read, PROV.specializationOf)):
            return None
        heard = [t for record in self.into(run, PS.about) for t in self._instants(record, PROV.generatedAtTime)]
        for each in (self._instants(run, PROV.startedAtTime), self._instants(run, PROV.endedAtTime), sorted(heard)):
            if each:
                return each[0]
        return None

    def _instants(self, node: str, predicate: str) -> list[str]:
        return sorted(times.key(rdf.text_of(t))[0] for t in self.of(node, predicate))

    # -- walks --------------------------------------------------------------------------------------------------------

    def reach(self, start: set[str], predicates: tuple[str, ...], *, up: bool, depth: int | None = None) -> Reached:
        """What is reached in one step or more, and in how many."""
        found: Reached = {}
        layer, steps = {s for s in start if self.exists(s)}, 0
        while layer and (depth is None or steps < depth):
            steps += 1
            near = {n for s in layer for n in (self.of(s, *predicates) if up else self.into(s, *predicates))}
            layer = {n for n in near if n.startswith("<") and self.exists(n)} - found.keys()
            found.update(dict.fromkeys(layer, steps))
        return found

    def states(self, asset: str) -> set[str]:
        names = {asset}
        while more := {n for d in names for n in self.of(d, PS.symlink) | self.into(d, PS.symlink)} - names:
            names |= more
        return {s for d in names for s in self.into(d, PROV.specializationOf) if not self.is_a(s, PS.Version)}

    def starting(self, node: str, *, up: bool) -> set[str]:
        if self.is_a(node, *_ASSETS):
            return self.states(node)
        if self.is_a(node, PS.Run, PS.Window, PROV.Activity):
            made = self.into(node, PROV.wasGeneratedBy)
            return made | self.of(node, PROV.used) if up else made
        return {node} | self.states(node)

    def lineage(self, node: str, *, up: bool, depth: int | None = None) -> dict[str, tuple[str, int]]:
        """Each thing reached → (certain or possible, steps)."""
        start = self.starting(node, up=up)
        sure = self.reach(start, DERIVED, up=up, depth=depth)
        every = self.reach(start, EITHER, up=up, depth=depth)
        return {n: ("certain" if n in sure else "possible", steps) for n, steps in every.items()}

    def between(self, node: str, other: str) -> dict[str, str]:
        """What lies on a way upstream from one thing to another → certain or possible."""
        start, end = self.starting(node, up=True), self.starting(other, up=False)
        found = {}
        for certainty, predicates in (("possible", EITHER), ("certain", DERIVED)):
            there = self.reach(start, predicates, up=True)
            back = self.reach(end, predicates, up=False).keys() | end
            found.update({n: certainty for n in there if n in back})
        return found

    def roots(self, node: str) -> dict[str, str | None]:
        """Where lineage ends → declared source, unknown origin, or None where nobody recorded one."""
        found: dict[str, str | None] = {}
        for each in self.reach(self.starting(node, up=True), EITHER, up=True):
            source = self._is_source(each)
            if source or not any(self.exists(n) for n in self.of(each, *EITHER)):
                unknown = self.is_a(each, PS.UnresolvedRead)
                found[each] = "unknown origin" if unknown else "declared source" if source else None
        return found

    def _is_source(self, node: str) -> bool:
        return any(self.is_a(n, PS.Source) for n in {node} | self.of(node, PROV.specializationOf))

    def verdicts(self, node: str, kind: str, after: str | None = None, before: str | None = None) -> dict[str, str]:
        bad = self._bad(node, after, before)
        sure = self.reach(bad, DERIVED, up=False).keys() | bad
        may = self.reach(bad, EITHER, up=False).keys() | bad
        unknown = self.into(PS.UnresolvedRead, RDF_TYPE)
        may |= self.reach(unknown, EITHER, up=False).keys() | unknown
        return {
            n: "affected" if n in sure else "possibly affected" if n in may else "not affected"
            for n in self.everything(kind) - {node}
        }

    def _bad(self, node: str, after: str | None, before: str | None) -> set[str]:
        states = self.starting(node, up=False)
        if after is None or before is None:
            return states
        own = not self.is_a(node, *_ASSETS)
        return {
            s
            for s in states
            if (own or not self.is_a(s, PS.WriteState))
            and any(self._ran(run, after, before) for run in self.into(s, PROV.used))
        }

    def _ran(self, run: str, after: str, before: str) -> bool:
        start, end = self._instants(run, PROV.startedAtTime)[:1], self._instants(run, PROV.endedAtTime)[-1:]
        first = start or end
        return not (first and first[0] >= before) and not (end and end[0] < after)

    # -- columns ------------------------------------------------------------------------------------------------------

    def columns(self, node: str, column: str, *, up: bool) -> dict[tuple[str, str], str]:
        """Each column reached → certain, possible or influence."""
        start = {(s, column) for s in self.starting(node, up=up) if self.exists(s)}
        found: dict[tuple[str, str], str] = {}
        for rank, certainty in enumerate(("certain", "possible", "influence")):
            seen, layer = set(start), set(start)
            while layer:
                near = {end for spot in layer for end, r in self._column_steps(spot, up) if r <= rank}
                layer = {spot for spot in near if self.exists(spot[0])} - seen
                seen |= layer
            for spot in seen - start:
                found.setdefault(spot, certainty)
        return found

    def _column_steps(self, spot: tuple[str, str], up: bool) -> set[tuple[tuple[str, str], int]]:
        entity, column = spot
        found: set[tuple[tuple[str, str], int]] = set()
        for rank, predicate in enumerate(EITHER):
            for end in self.of(entity, predicate) if up else self.into(entity, predicate):
                made, source = (entity, end) if up else (end, entity)
                if self._same_columns(made, source):
                    found.add(((end, column), rank))
                elif self._stated(made) is None:
                    found.add(((end, "*"), 1))
        if up:
            for target, read, name, rank in self._stated(entity) or ():
                if column == "*" or target in (column, "*"):
                    found.add(((read, name), rank))
        else:
            made_here = {m for run in self.into(entity, PROV.used) for m in self.into(run, PROV.wasGeneratedBy)}
            for made in made_here:
                for target, read, name, rank in self._stated(made) or ():
                    if read == entity and (column == "*" or name in (column, "*")):
                        found.add(((made, target), rank))
        return found

    def _same_columns(self, made: str, source: str) -> bool:
        write = PS.WriteState
        if self.is_a(source, write):
            kept = self.is_a(made, write) and source in self.of(made, PS.previousState)
            return self.is_a(made, PS.ReadState) or kept
        bases = {
            b
            for q in self.of(made, PROV.qualifiedDerivation)
            if source in self.of(q, PROV.entity)
            for b in self.of(q, PS.basis)
        }
        return self.is_a(made, write) and self.is_a(source, PS.ReadState) and PS.Rename in bases

    def _stated(self, write: str) -> list[tuple[str, str, str, int]] | None:
        """(target, read, column, rank) that the lineage of a write states, explicit or of columns; None without any."""
        if not self.is_a(write, PS.WriteState) or not self.of(write, PROV.wasGeneratedBy):
            return None
        (dataset,) = (d for d in self.of(write, PROV.specializationOf) if not self.is_a(d, PS.Version))
        of_job = [f for run in self.of(write, PROV.wasGeneratedBy) for f in self._lineage_of_job(run) if "entries" in f]
        own = self._added_up(self._facets(write, "lineage"))
        if of_job or own:
            name = f"{dataset[1:-1].rpartition('/')[2]}"
            named = [e for f in of_job for e in f["entries"] if e["name"] == name]
            edges = [edge for entry in [*named, *own] for edge in _entry(entry)]
        else:
            held = self._facets(write, "columnLineage")
            edges = list(_columns(held[-1])) if held else []
            if not edges:
                return None
        reads = self._reads_of(write)
        return [
            (target, reads[name], column, 2 if not direct else 1 if "*" in (target, column) else 0)
            for target, name, column, direct in edges
            if name in reads
        ]

    def _facets(self, subject: str, key: str, within: set[str] | None = None) -> list[Any]:
        """The values of a facet that records assert of a subject, in merge order."""
        said = [a for a in self.into(subject, PS.on) if f'"{key}"' in self.of(a, PS.key)]
        said = [a for a in said if within is None or f"{a.partition('#')[0]}>" in within]
        contents = [next(iter(self.of(a, PS.content))) for a in sorted(said, key=self._merge_order)]
        return [json.loads(rdf.text_of(next(iter(self.of(c, PS.json))))) for c in contents]

    def _lineage_of_job(self, run: str) -> list[Any]:
        records = self.into(run, PS.about)
        return [f for job in self.of(run, PS.job) for f in self._added_up(self._facets(job, "lineage", records))]

    def _added_up(self, facets: list[Any]) -> list[Any]:
        found: list[Any] = []
        for facet in facets:
            found = [] if facet.get("_deleted") else [*found, facet]
        return found

    def _reads_of(self, write: str) -> dict[str, str]:
        runs = self.of(write, PROV.wasGeneratedBy)
        reads = {r for run in runs for r in self.of(run, PROV.used) if self.is_a(r, PS.ReadState)}
        return {
            rdf.text_of(name): read
            for read in sorted(reads, reverse=True)
            for dataset in self.of(read, PROV.specializationOf)
            if not self.is_a(dataset, PS.Version)
            for name in self.of(dataset, PS.name) or {f'"{dataset[1:-1].rpartition("/")[2]}"'}
        }

    def _merge_order(self, assertion: str) -> tuple[str, int, str]:
        record = f"{assertion.partition('#')[0]}>"
        (when,) = self._instants(record, PROV.generatedAtTime)
        (kind,) = self.of(record, PS.eventType)
        rank = {PS.START: 0, PS.COMPLETE: 2, PS.FAIL: 2, PS.ABORT: 2}.get(kind, 1)
        return when, rank, record


_Edge = tuple[str, str, str, bool]  # target column, source dataset, source column, whether direct


def _columns(facet: Any) -> Iterator[_Edge]:
    for target, entry in facet.get("fields", {}).items():
        for s in entry["inputFields"]:
            yield target, s["name"], s["field"], s["transformations"][0]["type"] == "DIRECT"
    for s in facet.get("dataset", ()):
        yield "*", s["name"], s["field"], False


def _entry(entry: Any) -> Iterator[_Edge]:
    for s in entry.get("inputs", ()):
        yield "*", s["name"], s.get("field", "*"), True
    for target, column in entry.get("fields", {}).items():
        for s in column["inputs"]:
            yield target, s["name"], s.get("field", "*"), True
