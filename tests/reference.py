"""What the inferred graph must hold, worked out the slow way: every read against every write, no index, no memory.

Written from the rules of the data model alone, on the plain triples that live records and the merged graph state.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from provstore import rdf, times
from provstore.vocab import DCT, PROV, PS, RDF_TYPE

_KEEPS = {PS.Append, PS.Merge, PS.Alter}
_REPLACES = {PS.Overwrite, PS.Truncate, PS.Create}

Fact = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class _State:
    """A read or a write by one run, with what is known of it; `when` of a write is one instant, of a read two."""

    name: str
    run: str
    kin: str
    labels: frozenset[str]
    digests: frozenset[str]
    when: tuple[str, ...]
    modes: frozenset[str] = frozenset()
    partial: bool = False


class Reference:
    """The conclusions that follow from a set of triples (terms as N-Triples writes them)."""

    def __init__(self, triples: Iterable[Fact]) -> None:
        self._objects: dict[tuple[str, str], set[str]] = defaultdict(set)
        self._subjects: dict[tuple[str, str], set[str]] = defaultdict(set)
        self._links: set[frozenset[str]] = set()
        for subject, predicate, value in triples:
            self._objects[subject, predicate].add(value)
            self._subjects[predicate, value].add(subject)
            if predicate == PS.symlink:
                self._links.add(frozenset((subject, value)))
        self._writes = list(self._states(PS.WriteState))
        self._reads = list(self._states(PS.ReadState))

    def inferred(self) -> set[Fact]:
        """The plain conclusions, and (state, ps:basis, basis) for each that has a qualified form."""
        found: set[Fact] = set()
        for read in self._reads:
            found |= self._resolved(read)
        for write in self._writes:
            found |= self._previous(write)
        return found

    # -- what is there ------------------------------------------------------------------------------------------------

    def _all(self, subject: str, predicate: str) -> set[str]:
        return self._objects.get((subject, predicate), set())

    def _states(self, kind: str) -> Iterable[_State]:
        for name in sorted(self._subjects.get((RDF_TYPE, kind), ())):
            general = self._all(name, PROV.specializationOf)
            datasets = {d for d in general if PS.Version not in self._all(d, RDF_TYPE)}
            if kind == PS.ReadState:
                runs = self._subjects.get((PROV.used, name), set())
            else:
                runs = self._all(name, PROV.wasGeneratedBy)
            for run in runs:
                for each in datasets:
                    yield self._state(name, run, each, kind)

    def _state(self, name: str, run: str, dataset: str, kind: str) -> _State:
        made = sorted(map(_instant, self._all(name, PROV.generatedAtTime)))
        versions = [v for v in self._all(name, PROV.specializationOf) if PS.Version in self._all(v, RDF_TYPE)]
        return _State(
            name,
            run,
            min(self._same(dataset)),
            # of several labels the greatest counts
            frozenset(sorted(rdf.text_of(n) for v in versions for n in self._all(v, PS.version))[-1:]),
            frozenset(sorted(self._all(name, PS.sha256))[:1]),
            self._interval(run) if kind == PS.ReadState else tuple(made[:1]),
            frozenset(self._all(name, PS.writeMode)),
            bool(self._all(name, PS.partial)),
        )

    def _interval(self, run: str) -> tuple[str, ...]:
        """When a run can have read: from its start, or the first that was heard of it, to its end, or the last."""
        about = self._subjects.get((PS.about, run), set())
        heard = sorted(_instant(t) for record in about for t in self._all(record, PROV.generatedAtTime))
        starts = sorted(map(_instant, self._all(run, PROV.startedAtTime)))
        ends = sorted(map(_instant, self._all(run, PROV.endedAtTime)))
        first = (starts or ends or heard)[:1]
        last = (ends or heard[-1:] or first)[:1]
        return (first[0], max(first[0], last[0])) if first else ()

    def _same(self, dataset: str) -> set[str]:
        """All names of a dataset: only ps:symlink is followed, both ways."""
        found = {dataset}
        while more := {d for link in self._links if link & found for d in link} - found:
            found |= more
        return found

    def _below(self, run: str) -> set[str]:
        found: set[str] = set()
        while more := {c for r in found | {run} for c in self._subjects.get((DCT.isPartOf, r), ())} - found:
            found |= more
        return found - {run}

    def _related(self, one: str, other: str) -> bool:
        return one in self._below(other) or other in self._below(one)

    # -- read → write ----------------------------------------------------------------------

    def _resolved(self, read: _State) -> set[Fact]:
        others = [w for w in self._writes if w.kin == read.kin and w.run != read.run]
        same = [w for w in others if w.digests & read.digests]
        if same:
            before = [w for w in same if read.when and w.when and w.when[0] < read.when[0]]
            newest = max((w.when for w in before), default=())
            return _saw(read, [w for w in before if w.when == newest] or same, PS.ContentMatch)
        labelled = [w for w in others if w.labels & read.labels]
        if len(labelled) == 1:
            return _saw(read, labelled, PS.VersionMatch)
        if not read.when:
            return self._unknown(read)
        # what names another version was not read; an unnamed write may have been, unless some name the version
        fitting = labelled or [w for w in others if not read.labels or not w.labels]
        first, last = read.when
        seen = self._latest(fitting, first)
        during = [
            w
            for w in fitting
            if w.when
            and first <= w.when[0] <= last
            and not w.partial
            and not self._related(w.run, read.run)
            and not self._echoes(w, last)
        ]
        if during:
            return _may_have_seen(read, seen + during, PS.Overlap)
        if len(seen) > 1:
            return _may_have_seen(read, seen, PS.Tie)
        return _saw(read, seen, PS.LatestBefore) if seen else self._unknown(read)

    def _latest(self, writes: list[_State], instant: str) -> list[_State]:
        """The last whole writes strictly before an instant; a descendant's write is preferred over its ancestor's."""
        before = [w for w in writes if w.when and w.when[0] < instant and not w.partial]
        before = [w for w in before if not self._echoes(w, instant)]
        newest = max((w.when for w in before), default=())
        return [w for w in before if w.when == newest]

    def _echoes(self, write: _State, instant: str) -> bool:
        """Whether the write of a run below, up to the instant, is what this one reports once more."""
        below = self._below(write.run)
        made = [w for w in self._writes if w.kin == write.kin and w.run in below and not w.partial]
        return any(w.when and w.when[0] <= instant for w in made)

    def _unknown(self, read: _State) -> set[Fact]:
        sources = self._subjects.get((RDF_TYPE, PS.Source), set())
        if any(read.kin in self._same(source) for source in sources):
            return set()
        return {(read.name, RDF_TYPE, PS.UnresolvedRead)}

    # -- write → previous write ----------------------------------------------------------------------

    def _previous(self, write: _State) -> set[Fact]:
        if not write.when:
            return set()
        others = [w for w in self._writes if w.kin == write.kin and w.run != write.run]
        apart = [w for w in others if not self._related(w.run, write.run)]
        found: set[Fact] = set()
        for old in self._latest(apart, write.when[0]):
            found.add((write.name, PS.previousState, old.name))
            if write.modes & _KEEPS:
                found |= {(write.name, PROV.wasDerivedFrom, old.name), (write.run, PROV.used, old.name)}
                found.add((write.name, PS.basis, PS.KeptByWrite))
            elif not write.modes & _REPLACES:
                found |= {(write.name, PS.possiblyDerivedFrom, old.name), (write.name, PS.basis, PS.UnknownWriteMode)}
        return found


def _saw(read: _State, writes: list[_State], basis: str) -> set[Fact]:
    if len(writes) > 1:
        return _may_have_seen(read, writes, basis)
    (write,) = writes
    return {
        (read.name, PROV.wasDerivedFrom, write.name),
        (read.run, PROV.used, write.name),  # derived ⇒ used
        (read.name, PS.basis, basis),
    }


def _may_have_seen(read: _State, writes: list[_State], basis: str) -> set[Fact]:
    return {(read.name, PS.possiblyDerivedFrom, w.name) for w in writes} | {(read.name, PS.basis, basis)}


def _instant(term: str) -> str:
    return times.key(rdf.text_of(term))[0]
