"""What the inferred graph must hold, worked out the slow way: every read against every write, no index, no memory.

Written from the rules of the data model alone, on the plain triples that live records and the merged graph state.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from provstore import iris, rdf, times
from provstore.vocab import DCT, PROV, PS, RDF_TYPE

_KEEPS = {PS.Append, PS.Merge, PS.Alter}
_REPLACES = {PS.Overwrite, PS.Truncate, PS.Create}

#: The id base of the stores that are compared with this.
BASE = "https://prov.example"

Fact = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class _State:
    """A read or a write by one run, with what is known of it; `when` of a write is one instant, of a read two.

    `gone` marks what is no write but a name's end: the dataset was dropped, or its content is called otherwise.
    """

    name: str
    run: str
    kin: str
    labels: frozenset[str]
    digests: frozenset[str]  # the first name of its bytes
    when: tuple[str, ...]
    modes: frozenset[str] = frozenset()
    partial: bool = False
    gone: bool = False


class Reference:
    """The conclusions that follow from a set of triples (terms as N-Triples writes them)."""

    def __init__(self, triples: Iterable[Fact]) -> None:
        self._objects: dict[tuple[str, str], set[str]] = defaultdict(set)
        self._subjects: dict[tuple[str, str], set[str]] = defaultdict(set)
        self._links: set[frozenset[str]] = set()
        self._pairs: dict[str, set[tuple[str, str]]] = defaultdict(set)
        for subject, predicate, value in triples:
            self._objects[subject, predicate].add(value)
            self._subjects[predicate, value].add(subject)
            self._pairs[predicate].add((subject, value))
            if predicate == PS.symlink:
                self._links.add(frozenset((subject, value)))
        self._writes = list(self._states(PS.WriteState))
        self._reads = list(self._states(PS.ReadState))
        self._changes = [*self._writes, *self._drops(), *self._renames()]

    def inferred(self) -> set[Fact]:
        """The plain conclusions, and (state, ps:basis, basis) for each that has a qualified form."""
        found: set[Fact] = set()
        for read in self._reads:
            found |= self._resolved(read)
        for write in self._writes:
            found |= self._previous(write)
        for drop in self._drops():
            found |= self._invalidated(drop)
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

    def _drops(self) -> Iterable[_State]:
        for run, dataset in sorted(self._pairs[PS.dropped]):
            yield self._end_of(run, dataset, self._ended(run))

    def _renames(self) -> Iterable[_State]:
        """A rename ends the old name, unless that is the name of what it wrote as well."""
        for write in self._writes:
            for node in self._all(write.name, PROV.qualifiedDerivation):
                if PS.Rename in self._all(node, PS.basis):
                    for read in self._all(node, PROV.entity):
                        for old in self._all(read, PROV.specializationOf) - self._all(
                            write.name, PROV.specializationOf
                        ):
                            yield self._end_of(write.run, old, write.when)

    def _end_of(self, run: str, dataset: str, when: tuple[str, ...]) -> _State:
        failed = bool(self._all(run, PS.state) & {PS.FAIL, PS.ABORT})
        none: frozenset[str] = frozenset()
        return _State(dataset, run, min(self._same(dataset)), none, none, when, none, failed, gone=True)

    def _ended(self, run: str) -> tuple[str, ...]:
        return tuple(sorted(map(_instant, self._all(run, PROV.endedAtTime)))[:1])

    def _state(self, name: str, run: str, dataset: str, kind: str) -> _State:
        made = sorted(map(_instant, self._all(name, PROV.generatedAtTime)))
        versions = [v for v in self._all(name, PROV.specializationOf) if PS.Version in self._all(v, RDF_TYPE)]
        return _State(
            name,
            run,
            min(self._same(dataset)),
            # of several labels the greatest counts
            frozenset(sorted(rdf.text_of(n) for v in versions for n in self._all(v, PS.version))[-1:]),
            self._bytes(name),
            tuple(made[:1]) if kind == PS.WriteState else self._interval(run),
            frozenset(self._all(name, PS.writeMode)),
            bool(self._all(name, PS.partial)),
        )

    def _bytes(self, name: str) -> frozenset[str]:
        named = {rdf.text_of(each) for each in self._all(name, PS.bytes)}
        for predicate, algorithm in ((PS.sha256, "sha256"), (PS.md5, "md5")):
            for digest in map(rdf.text_of, self._all(name, predicate)):
                if digest.lower() not in iris.EMPTY:
                    named.add(iris.content_bytes(BASE, algorithm, digest) or digest)
        return frozenset(f"<{first}>" for first in sorted(named)[:1])

    def _alike(self, one: _State, other: _State) -> bool:
        return any(self._same(digest) & other.digests for digest in one.digests)

    def _unlike(self, one: _State, other: _State) -> bool:
        """Whether two states are known to be of other bytes: digests of one kind, unlike and not linked."""
        pairs = [(a, b) for a in one.digests for b in other.digests]
        return not self._alike(one, other) and any(iris.same_digest_kind(a[1:-1], b[1:-1]) for a, b in pairs)

    def _interval(self, run: str) -> tuple[str, ...]:
        """When a run can have read: from its start, or the first that was heard of it, to its end, or the last."""
        about = self._subjects.get((PS.about, run), set())
        heard = sorted(_instant(t) for record in about for t in self._all(record, PROV.generatedAtTime))
        starts = sorted(map(_instant, self._all(run, PROV.startedAtTime)))
        ends = sorted(map(_instant, self._all(run, PROV.endedAtTime)))
        begun = (starts or ends or heard)[:1]
        first = sorted(begun + self._made(run))[:1]  # what it had written by an instant, it had begun by then
        last = ends[:1] or heard[-1:]
        return (first[0], max(first + begun + last)) if first else ()

    def _made(self, run: str) -> list[str]:
        """When the run made its first write."""
        return sorted(w.when[0] for w in self._writes if w.run == run and w.when)[:1]

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
        # nobody reads what is written after his end
        others = [w for w in self._changes if w.run != read.run]
        others = [w for w in others if not read.when or not w.when or w.when[0] <= read.when[1]]
        alike = [w for w in others if self._alike(w, read)]
        others = [w for w in others if w.kin == read.kin]
        here = [w for w in alike if w.kin == read.kin]
        same = here or [w for w in alike if not (self._timeless(read, w) and self._copied(read) and self._copied(w))]
        if same:
            before = [w for w in same if read.when and w.when and w.when[0] < read.when[0]]
            newest = max((w.when for w in before), default=())
            found = [w for w in before if w.when == newest] or same
            if not here and self._timeless(read, found[0]):  # either may have come first
                return _may_have_seen(read, found, PS.ContentMatch)
            return self._saw(read, found, PS.ContentMatch)
        ends = [w.when[0] for w in others if w.gone and not w.partial and w.when]
        labelled = [
            w
            for w in others
            if w.labels & read.labels
            and not self._unlike(w, read)
            and not any(w.when and w.when[0] < end < read.when[0] for end in ends)
        ]
        if len(labelled) == 1 and self._in_time(read, labelled[0]):
            return self._saw(read, labelled, PS.VersionMatch)
        if not read.when:
            return self._unknown(read)
        # what names another version was not read; an unnamed write may have been, unless some name the version
        fitting = [w for w in others if w.gone or (w in labelled if labelled else not read.labels or not w.labels)]
        first, last = read.when
        before = self._latest(fitting, first)
        during = [
            w
            for w in fitting
            if w.when
            and first <= w.when[0] <= last
            and not w.partial
            and not self._related(w.run, read.run)
            and not self._echoes(w, last)
        ]
        during = _left(during)
        seen = [w for w in before + during if not w.gone and not self._unlike(w, read)]
        if not seen:
            return self._unknown(read)
        if during:
            return _may_have_seen(read, seen, PS.Overlap)
        return _may_have_seen(read, seen, PS.Tie) if len(before) > 1 else self._saw(read, seen, PS.LatestBefore)

    def _saw(self, read: _State, writes: list[_State], basis: str) -> set[Fact]:
        if len(writes) > 1 or not self._in_time(read, writes[0]):
            return _may_have_seen(read, writes, basis)
        (write,) = writes
        return {
            (read.name, PROV.wasDerivedFrom, write.name),
            (read.run, PROV.used, write.name),  # derived ⇒ used
            (read.name, PS.basis, basis),
        }

    def _timeless(self, read: _State, write: _State) -> bool:
        return not read.when and not write.when

    def _copied(self, state: _State) -> bool:
        """Whether the run of a state both read and wrote its bytes."""
        return all(
            any(each.run == state.run and self._alike(each, state) for each in states)
            for states in (self._reads, self._writes)
        )

    def _in_time(self, read: _State, write: _State) -> bool:
        """Whether the write came before all that the reader made: derivation does not run back in time."""
        made = self._made(read.run)
        return not made or not write.when or write.when[0] < made[0]

    def _latest(self, writes: list[_State], instant: str) -> list[_State]:
        """The last whole writes strictly before an instant; a descendant's write is preferred over its ancestor's."""
        before = [w for w in writes if w.when and w.when[0] < instant and not w.partial]
        before = [w for w in before if not self._echoes(w, instant)]
        newest = max((w.when for w in before), default=())
        return _left([w for w in before if w.when == newest])

    def _echoes(self, write: _State, instant: str) -> bool:
        """Whether the write of a run below, up to the instant, is what this one reports once more."""
        below = self._below(write.run)
        made = [w for w in self._changes if w.kin == write.kin and w.run in below and not w.partial]
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
        others = [w for w in self._changes if w.kin == write.kin and w.run != write.run]
        apart = [w for w in others if not self._related(w.run, write.run)]
        before = self._latest(apart, write.when[0])
        found: set[Fact] = set()
        for old in before:
            if old.gone:
                continue
            if not any(w.gone for w in before):
                found.add((write.name, PS.previousState, old.name))
            keeps, replaces = bool(write.modes & _KEEPS), bool(write.modes & _REPLACES)
            if keeps and not replaces and len(before) == 1:
                found |= {(write.name, PROV.wasDerivedFrom, old.name), (write.run, PROV.used, old.name)}
                found.add((write.name, PS.basis, PS.KeptByWrite))
            elif keeps or not replaces:
                basis = PS.Tie if keeps and not replaces else PS.UnknownWriteMode
                found |= {(write.name, PS.possiblyDerivedFrom, old.name), (write.name, PS.basis, basis)}
        return found

    def _invalidated(self, drop: _State) -> set[Fact]:
        """A drop ends the state that stood, if it is certain which; what a run within dropped is not dropped twice."""
        if not drop.when or drop.partial or self._echoes(drop, drop.when[0]):
            return set()
        before = self._latest([w for w in self._changes if w.kin == drop.kin], drop.when[0])
        if len(before) != 1 or before[0].gone:
            return set()
        return {
            (before[0].name, PROV.wasInvalidatedBy, drop.run),
            (before[0].name, PS.basis, PS.LatestBefore),
        }


def _left(changes: list[_State]) -> list[_State]:
    """Of what one run wrote and ended at one instant the write is left."""
    wrote = {(w.run, w.when) for w in changes if not w.gone}
    return [w for w in changes if not w.gone or (w.run, w.when) not in wrote]


def _may_have_seen(read: _State, writes: list[_State], basis: str) -> set[Fact]:
    return {(read.name, PS.possiblyDerivedFrom, w.name) for w in writes} | {(read.name, PS.basis, basis)}


def _instant(term: str) -> str:
    return times.key(rdf.text_of(term))[0]
