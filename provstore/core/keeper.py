"""Keeping the verdicts on things: the worker's side, which looks at read-only copies of the triple store.

It goes from one copy to the next: what changed between them says which things can have another verdict, and these are
looked at again. A profile that is new, or has lost the thread, is held against everything. Every step is small, can be
killed at any instant, and is then done again: what it has put is right whenever it stands.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from provstore.core.changes import Changes, Gap
from provstore.core.copies import Copies
from provstore.core.steps import Done, Step
from provstore.core.verdictdb import Tables, open_database
from provstore.core.verdictgraph import VerdictGraph
from provstore.errors import ProvStoreError
from provstore.store.query import read_only
from provstore.validation.affected import Affected, Nodes, Triple, read_predicates
from provstore.validation.checking import Prepared, prepared, result_of
from provstore.validation.results import SEVERITIES, Result
from provstore.validation.shapes import Shape, Target
from provstore.validation.stored import StoredValidator
from provstore.validation.streamed import StreamedData
from provstore.validation.terms import TYPE
from provstore.views import texts

_SLICE = 0.5  # seconds that one step works before it says how far it is
_TELL, _TELL_SIZE = 50, 1 << 20  # things of which one step says what is to be stated, and characters of that
_MOST_TOLD = 500  # results of one thing, the gravest
_MOST_RESULTS = 50  # of one shape at one thing
_MOST_SEEN = 500_000
_PART = 5_000  # triples whose change is followed at once
_FEW = 2_000
_NICENESS = 14  # beyond that of workers: whatever else there is to do comes first


def _parts(added: list[Triple], removed: list[Triple]) -> Iterator[tuple[list[Triple], list[Triple]]]:
    """A change in parts: what one record says of thousands of things takes more than a step to follow."""
    for first in range(0, max(len(added), len(removed)), _PART):
        yield added[first : first + _PART], removed[first : first + _PART]


_keeper: Keeper | None = None


def step(job: Step) -> Done:
    """Do a little of what there is to be done: a job for a worker process, which remembers how far it is."""
    global _keeper
    if _keeper is None:
        _keeper = Keeper(Path(job.directory), job.base)
        os.nice(_NICENESS)
    return _keeper.step(job)


@dataclass(frozen=True, slots=True)
class _Looked:
    """What came of looking at a thing: whether anything else was found than before, whether it was a target."""

    changed: bool
    target: bool

    def after(self, before: _Looked | None) -> _Looked:
        """This, and what came of looking at the same thing before."""
        return _Looked(self.changed or before.changed, self.target or before.target) if before else self


@dataclass(slots=True)
class _Held:
    """A profile that is held against a copy of the store, and the copy before it where that is still there."""

    token: str
    ready: Prepared
    validator: StoredValidator
    after: StreamedData
    before: StreamedData | None = None

    def targeted(self) -> dict[str, Shape]:
        return {shape.node: shape for shape in self.ready.shapes.targeted()}


class Keeper:
    """The verdicts of one data directory, kept by one process."""

    def __init__(self, directory: Path, base: str) -> None:
        self._directory, self._base = directory, base
        self._home = directory / "verdicts"
        self._graph = VerdictGraph(base)
        self._tables = Tables(open_database(self._home / "verdicts.db"))
        self._work: Iterator[None] | None = None
        self._careful = False
        self._copies, self._changes = Copies(self._home, base), Changes(directory)
        self._validators: dict[str, tuple[Prepared, StoredValidator]] = {}
        self._profiles: tuple[str, ...] = ()
        self._again: list[tuple[str, str, str]] = []  # avoided so far
        self._owner = ""
        self._compared = False
        self._avoid_what_killed()

    def _avoid_what_killed(self) -> None:
        trying = self._tables.meta("trying")
        if trying:
            self._tables.db.execute("INSERT OR IGNORE INTO avoided VALUES (?, ?, ?)", json.loads(trying))
            self._tables.set_meta("trying", "")

    def step(self, job: Step) -> Done:
        db = self._tables.db
        self._careful = job.careful
        db.execute("BEGIN")
        try:
            if job.fresh:
                self._again = db.execute("DELETE FROM avoided RETURNING profile, shape, term").fetchall()
            self._tables.told(job.told)
            finished = self._work_on(job)
            say, told = self._say(job)
        except BaseException:
            db.execute("ROLLBACK")
            self._work = None
            raise
        db.execute("COMMIT")
        compared, self._compared = self._compared and finished, self._compared and not finished
        return Done(self._at, finished, say, told, compared)

    @property
    def _at(self) -> int:
        found = self._tables.meta("at")
        return -1 if found is None else int(found)

    def _work_on(self, job: Step) -> bool:
        if self._work is None or self._profiles != job.profiles:
            self._work, self._profiles = self._plan(job), job.profiles
        until = time.monotonic() + _SLICE
        for _ in self._work:
            if time.monotonic() > until:
                return False
        self._work = None
        return True

    # -- what is to be done -------------------------------------------------------------------------------------------

    def _plan(self, job: Step) -> Iterator[None]:
        tables = self._tables
        digests = {token: job.registry.find(token).digest() for token in job.profiles}
        standing = tables.standing()
        for token in standing:
            if standing[token][0] != digests.get(token):
                yield from tables.drop(token)
        at = self._at
        current = [t for t in job.profiles if standing.get(t) == (digests[t], at)]
        if job.index - at > max(_FEW, at):  # more has come than there was: to look at everything is less to do
            current = []
        if not current or at < job.index or self._copies.store(at) is None:
            self._copies.take(job.snapshot, job.index)
            try:
                if current:
                    yield from self._advance(job, current, at)
            except Gap:
                current = []
            tables.set_meta("at", job.index)
            tables.set_meta("made", self._changes.made())
            for token in current:
                tables.stand(token, job.index)
            self._copies.keep_only(job.index)
            at = job.index
        for token in job.profiles:
            if token not in current:
                yield from self._anew(job, token, digests[token], at)
        for token, shape, node in self._again:
            if token in current:
                held = self._held(job, token, at)
                self._settle(held, node, at, self._look(held, held.targeted()[shape], node))
                yield
        self._again = []
        yield from self._compare(job, at)

    # -- from one copy to the next ------------------------------------------------------------------------------------

    def _held(self, job: Step, token: str, at: int, before: int | None = None) -> _Held:
        version = job.registry.find(token)
        ready = prepared(version, job.registry)
        if self._validators.get(token, (None,))[0] is not ready:
            self._validators[token] = ready, StoredValidator(ready.shapes)
        store = self._copies.store(at)
        if store is None:
            raise ProvStoreError(f"the copy of the store at {at} is gone")
        old = None if before is None else self._copies.store(before)
        return _Held(
            token,
            ready,
            self._validators[token][1],
            StreamedData(store, classes=ready.classes),
            None if old is None else StreamedData(old, classes=ready.classes),
        )

    def _advance(self, job: Step, current: list[str], at: int) -> Iterator[None]:
        if self._tables.meta("made") != self._changes.made():
            raise Gap
        held = [self._held(job, token, job.index, at) for token in current]
        wanted = _together([read_predicates(each.ready.shapes) for each in held])
        everywhere: dict[tuple[str, str], None] = {}
        seen: set[tuple[str, str, str]] = set()
        for batch in self._changes.batches(at, job.index):
            added, removed = self._changes.of(batch, held[0].before, held[0].after, wanted)
            for each in held:
                affected = Affected(each.ready.shapes, each.validator)
                for gained, lost in _parts(added, removed):
                    found = affected.foci(gained, lost, each.after, each.before)
                    everywhere |= {(each.token, shape): None for shape, nodes in found.items() if nodes is None}
                    yield from self._look_again(each, found, job.index, seen)
                    yield
                yield from self._name_again(each, [*added, *removed], job.index)
            if len(seen) > _MOST_SEEN:
                seen.clear()
            yield
        for each in held:
            for shape in [shape for token, shape in everywhere if token == each.token]:
                yield from self._look_everywhere(each, each.targeted()[shape], job.index)

    # -- looking ------------------------------------------------------------------------------------------------------

    def _look_again(
        self, held: _Held, found: dict[str, Nodes], index: int, seen: set[tuple[str, str, str]]
    ) -> Iterator[None]:
        shapes, looked = held.targeted(), dict[str, _Looked]()
        for shape, nodes in found.items():
            for node in nodes or ():
                key = (held.token, shape, node)
                if key not in seen:
                    seen.add(key)
                    looked[node] = self._look(held, shapes[shape], node).after(looked.get(node))
                    yield
        for node, each in looked.items():
            self._settle(held, node, index, each)
            yield

    def _name_again(self, held: _Held, changed: list[Triple], index: int) -> Iterator[None]:
        """Things of other classes than before may be of another kind, whatever shapes say."""
        for node in dict.fromkeys(subject for subject, predicate, _ in changed if predicate == TYPE):
            if self._tables.is_judged(held.token, node):
                self._settle(held, node, index, _Looked(changed=False, target=False))
                yield

    def _look_everywhere(self, held: _Held, shape: Shape, index: int) -> Iterator[None]:
        """One shape at all its targets, and at what it found something in and is none any more."""
        nodes = dict.fromkeys(held.validator.targets(held.after, shape))
        for node in nodes | dict.fromkeys(self._tables.found_by(held.token, shape.node)):
            self._settle(held, node, index, self._look(held, shape, node))
            yield

    def _look(self, held: _Held, shape: Shape, node: str) -> _Looked:
        """Put what a shape finds at a node, if it is its target."""
        target = held.validator.is_target(held.after, shape, node)
        results = self._found(held, shape, node) if target else []
        return _Looked(self._tables.put(held.token, shape.node, node, results), target)

    def _found(self, held: _Held, shape: Shape, node: str) -> list[dict[str, Any]]:
        key = (held.token, shape.node, node)
        if self._is_avoided(key):
            return [_spoiled(held.token, node, "looking at it took too long or too much memory")]
        if self._careful:
            self._tables.set_meta("trying", json.dumps(key))
            self._tables.db.execute("COMMIT")
            self._tables.db.execute("BEGIN")
        try:
            found = held.validator.check(held.after, shape.node, [node])[:_MOST_RESULTS]
            results = {result_of(held.token, held.ready, held.after, each) for each in found}
        except ProvStoreError as error:
            return [_spoiled(held.token, node, str(error))]
        finally:
            if self._careful:
                self._tables.set_meta("trying", "")
        return [each.json() for each in sorted(results, key=lambda each: each.order())]

    def _is_avoided(self, key: tuple[str, str, str]) -> bool:
        sql = "SELECT 1 FROM avoided WHERE profile = ? AND shape = ? AND term = ?"
        return self._tables.db.execute(sql, key).fetchone() is not None

    def _settle(self, held: _Held, node: str, index: int, looked: _Looked) -> None:
        target = looked.target or any(
            held.validator.is_target(held.after, shape, node) for shape in held.ready.shapes.targeted()
        )
        kind = texts.kind(held.after.objects(node, TYPE)) if target else None
        self._tables.settle(held.token, node, kind, index, changed=looked.changed)

    def _anew(self, job: Step, token: str, digest: str, at: int) -> Iterator[None]:
        """A profile at everything: first all shapes of the same targets at each of these, then what follows."""
        held = self._held(job, token, at)
        groups: dict[tuple[Target, ...], list[Shape]] = {}
        for shape in held.ready.shapes.targeted():
            groups.setdefault(shape.targets, []).append(shape)
        self._tables.begin(token, digest, len(groups) + 1)
        looked: dict[int, bool] = {}  # thing, whether anything of it changed
        for number, shapes in enumerate(groups.values()):
            self._tables.progress(token, number)
            yield from self._look_by(held, shapes, looked)
        for thing, changed in looked.items():
            self._settle(held, self._tables.term(thing), at, _Looked(changed, target=True))
            yield
        yield from self._tables.sweep(token, at)
        self._tables.stand(token, at)

    def _look_by(self, held: _Held, shapes: list[Shape], looked: dict[int, bool]) -> Iterator[None]:
        before = {shape.node: set(self._tables.found_by(held.token, shape.node)) for shape in shapes}
        for node in held.validator.targets(held.after, shapes[0]):
            thing = self._tables.thing(node)
            changed = looked.get(thing, False)
            for shape in shapes:
                results = self._found(held, shape, node)
                if results or node in before[shape.node]:
                    changed |= self._tables.put(held.token, shape.node, node, results)
                before[shape.node].discard(node)
            looked[thing] = changed
            yield
        for shape in shapes:
            for node in before[shape.node]:  # no target any more
                looked_at = self._tables.thing(node)
                changed = self._tables.put(held.token, shape.node, node, [])
                if looked_at in looked:
                    looked[looked_at] |= changed

    # -- what the store is to say -------------------------------------------------------------------------------------

    def _compare(self, job: Step, at: int) -> Iterator[None]:
        """After each start of the store's owner: what its graph of verdicts says otherwise than the tables."""
        owner = Path(job.snapshot).name.partition("-")[0]
        if owner == self._owner:
            return
        self._owner, self._compared = owner, True
        said = self._graph.said(read_only(job.snapshot))
        yield
        known = self._tables.db.execute(
            "SELECT DISTINCT t.term FROM result r JOIN thing t ON t.id = r.thing"
        ).fetchall()
        for term in dict.fromkeys([*said, *(term for (term,) in known)]):
            thing = self._tables.thing(term)
            if self._graph.names(term, self._results(job, thing)) != said.get(term, set()):
                self._tables.untold(thing)
            yield

    def _say(self, job: Step) -> tuple[dict[str, str], tuple[tuple[int, int], ...]]:
        """Quads by thing, and what is told by them."""
        say: dict[str, str] = {}
        told: list[tuple[int, int]] = []
        size = 0
        for thing, seq, term in self._tables.next_untold(_TELL):
            say[term] = self._graph.quads(term, self._results(job, thing))
            told.append((thing, seq))
            size += len(say[term])
            if size > _TELL_SIZE:
                break
        return say, tuple(told)

    def _results(self, job: Step, thing: int) -> list[tuple[str, dict[str, Any]]]:
        """What was found in a thing, the gravest, each with the IRI of the version of a profile that found it."""
        iris_of = {token: job.registry.find(token).iri for token in job.profiles}
        found = [(iri, each) for token, iri in iris_of.items() for each in self._tables.results(thing, token)]
        return sorted(found, key=lambda each: SEVERITIES.index(each[1]["severity"]))[:_MOST_TOLD]


def _together(wanted: list[frozenset[str] | None]) -> frozenset[str] | None:
    """The predicates that matter to any of several profiles; None where all do."""
    found = {TYPE}
    for each in wanted:
        if each is None:
            return None
        found |= each
    return frozenset(found)


def _spoiled(profile: str, focus: str, why: str) -> dict[str, Any]:
    message = f"validation did not finish: {why}"
    return Result("", "", SEVERITIES[-1], focus.strip("<>"), "", "", message, profile).json()
