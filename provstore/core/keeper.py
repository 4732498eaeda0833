"""Keeping the verdicts on things: the worker's side, which looks at read-only copies of the triple store.

It goes from one copy to the next: what changed between them says which things can have another verdict, and these are
looked at again. A profile that is new, or has lost the thread, is held against everything. Every step is small, can be
killed at any instant, and is then done again: what it has put is right whenever it stands.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from provstore import iris, rdf
from provstore.core.verdictdb import SEVERITIES, Tables, open_database
from provstore.core.verdictgraph import VerdictGraph
from provstore.errors import ProvStoreError
from provstore.ledger.quads import Quads
from provstore.store.query import read_only
from provstore.validation.affected import Affected, Nodes, Triple
from provstore.validation.checking import Prepared, prepared, result_of
from provstore.validation.profiles import Registry
from provstore.validation.results import Result
from provstore.validation.shapes import Shape
from provstore.validation.stored import StoredValidator, written
from provstore.validation.streamed import StreamedData
from provstore.validation.terms import TYPE, is_literal
from provstore.views import journal, texts
from provstore.vocab import PS

_SLICE = 0.5  # seconds that one step works before it says how far it is
_TELL = 50  # things of which one step says what is to be stated
_MOST_RESULTS = 50  # of one shape at one thing
_MOST_SEEN = 500_000
_NICENESS = 14  # beyond that of workers: whatever else there is to do comes first
_HELD = "at-"


@dataclass(frozen=True, slots=True)
class Step:
    """What the worker is to do next: follow the store to a copy, by these versions of profiles.

    `told` are things (number, sequence) of which the graph of verdicts says by now what it was to say. `careful` notes
    where it looks, so that what kills the worker is not looked at again; `fresh` tries again what was avoided so far.
    """

    directory: str
    base: str
    registry: Registry
    profiles: tuple[str, ...]
    snapshot: str
    index: int
    told: tuple[tuple[int, int], ...] = ()
    careful: bool = False
    fresh: bool = False


@dataclass(frozen=True, slots=True)
class Done:
    """How far it is: the index that all verdicts stand at, whether the copy was looked at whole.

    `say` is N-Quads by thing for the graph of verdicts, `told` what it says then. `compared` says that the graph was
    found in the hands of another process than before.
    """

    at: int
    finished: bool
    say: dict[str, str]
    told: tuple[tuple[int, int], ...]
    compared: bool


_keeper: Keeper | None = None


def step(job: Step) -> Done:
    """Do a little of what there is to be done: a job for a worker process, which remembers how far it is."""
    global _keeper
    if _keeper is None:
        _keeper = Keeper(Path(job.directory), job.base)
        os.nice(_NICENESS)
    return _keeper.step(job)


class _Gap(Exception):
    """What changed is not known any more: everything has to be looked at."""


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
        self._stores: dict[Path, Any] = {}
        self._validators: dict[str, tuple[Prepared, StoredValidator]] = {}
        self._profiles: tuple[str, ...] = ()
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
                db.execute("DELETE FROM avoided")
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
        if not current or at < job.index or self._open(self._home / f"{_HELD}{at}", at) is None:
            target = self._take(job)
            try:
                if current:
                    yield from self._advance(job, current, at, target)
            except _Gap:
                current = []
            tables.set_meta("at", job.index)
            tables.set_meta("made", self._made())
            for token in current:
                tables.stand(token, job.index)
            self._keep_only(target)
            at = job.index
        for token in job.profiles:
            if token not in current:
                yield from self._anew(job, token, digests[token], at)
        yield from self._compare(job, at)

    # -- copies of the store ------------------------------------------------------------------------------------------

    def _take(self, job: Step) -> Path:
        """The copy as one of our own, by hard links: the owner drops its own after a while."""
        target, making = self._home / f"{_HELD}{job.index}", self._home / "taking"
        shutil.rmtree(making, ignore_errors=True)
        if target in self._stores:
            del self._stores[target]
        shutil.copytree(job.snapshot, making, copy_function=os.link)
        shutil.rmtree(target, ignore_errors=True)
        making.rename(target)
        return target

    def _keep_only(self, target: Path) -> None:
        for other in self._home.glob(f"{_HELD}*"):
            if other != target:
                self._stores.pop(other, None)
                shutil.rmtree(other, ignore_errors=True)

    def _open(self, path: Path, index: int) -> Any:
        """The store in a copy that holds an index; None where there is none any more."""
        if path not in self._stores:
            try:
                store = read_only(str(path))
            except ProvStoreError:
                return None
            marks = StreamedData(store).objects(f"<{iris.graph(self._base, 'system')}>", PS.appliedIndex)
            if rdf.integer(index) not in marks:
                return None
            self._stores[path] = store
        return self._stores[path]

    def _held(self, job: Step, token: str, at: int, before: int | None = None) -> _Held:
        version = job.registry.find(token)
        ready = prepared(version, job.registry)
        if self._validators.get(token, (None,))[0] is not ready:
            self._validators[token] = ready, StoredValidator(ready.shapes)
        store = self._open(self._home / f"{_HELD}{at}", at)
        if store is None:
            raise ProvStoreError(f"the copy of the store at {at} is gone")
        old = None if before is None else self._open(self._home / f"{_HELD}{before}", before)
        return _Held(
            token,
            ready,
            self._validators[token][1],
            StreamedData(store, classes=ready.classes),
            None if old is None else StreamedData(old, classes=ready.classes),
        )

    # -- from one copy to the next ------------------------------------------------------------------------------------

    def _advance(self, job: Step, current: list[str], at: int, target: Path) -> Iterator[None]:
        held = [self._held(job, token, job.index, at) for token in current]
        everywhere: dict[tuple[str, str], None] = {}
        seen: set[tuple[str, str, str]] = set()
        for batch in self._batches(at, job.index):
            added, removed = self._changes(batch, held[0].before, held[0].after)
            for each in held:
                found = Affected(each.ready.shapes, each.validator).foci(added, removed, each.after, each.before)
                everywhere |= {(each.token, shape): None for shape, nodes in found.items() if nodes is None}
                yield from self._look_again(each, found, job.index, seen)
            if len(seen) > _MOST_SEEN:
                seen.clear()
            yield
        for each in held:
            for shape in [shape for token, shape in everywhere if token == each.token]:
                yield from self._look_everywhere(each, each.targeted()[shape], job.index)

    def _view(self) -> sqlite3.Connection:
        path = self._directory / "views" / "view.db"
        return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None, timeout=10)

    def _made(self) -> str:
        db = self._view()
        try:
            (made,) = db.execute("SELECT value FROM meta WHERE key = 'made'").fetchone()
        finally:
            db.close()
        return str(made)

    def _batches(self, after: int, last: int) -> Iterator[journal.Batch]:
        """What changed between two indices; _Gap where that is not known."""
        if self._tables.meta("made") != self._made():
            raise _Gap
        db = self._view()
        try:
            ends = journal.between(db, after, last)
            for end in [None] if ends is None else ends:
                found = None if end is None else journal.batch(db, end)
                if found is None:
                    raise _Gap
                yield found
        finally:
            db.close()

    def _changes(
        self, batch: journal.Batch, before: StreamedData | None, after: StreamedData
    ) -> tuple[list[Triple], list[Triple]]:
        """What the default graph gained and lost of all that a batch touches; without `before`, what it may have."""
        added: list[Triple] = []
        removed: list[Triple] = []
        for triple in dict.fromkeys(self._touched(batch)):
            now = after.has(*triple)
            if before is None or now != before.has(*triple):
                (added if now else removed).append(_stored(triple))
        return added, removed

    def _touched(self, batch: journal.Batch) -> Iterator[Triple]:
        quads = Quads(self._directory)
        try:
            parts: list[bytes | None] = [quads.record(i) for i in [*(i for i, _ in batch.records), *batch.withdrawn]]
            parts += [quads.content(iri) for iri in [*batch.contents, *batch.uncited]]
        finally:
            quads.close()
        if None in parts:  # erased meanwhile
            raise _Gap
        text = "".join([*((part or b"").decode() for part in parts), *batch.adds, *batch.removes])
        for line in text.split("\n")[:-1]:
            subject, predicate, value, _ = rdf.split(line)
            yield subject, predicate, value

    # -- looking ------------------------------------------------------------------------------------------------------

    def _look_again(
        self, held: _Held, found: dict[str, Nodes], index: int, seen: set[tuple[str, str, str]]
    ) -> Iterator[None]:
        shapes, changed = held.targeted(), dict[str, bool]()
        for shape, nodes in found.items():
            for node in nodes or ():
                key = (held.token, shape, node)
                if key not in seen:
                    seen.add(key)
                    changed[node] = self._look(held, shapes[shape], node) or changed.get(node, False)
                    yield
        for node, other in changed.items():
            self._settle(held, node, index, changed=other)
            yield

    def _look_everywhere(self, held: _Held, shape: Shape, index: int) -> Iterator[None]:
        """One shape at all its targets, and at what it found something in and is none any more."""
        gone = dict.fromkeys(self._tables.found_by(held.token, shape.node))
        for node in held.validator.targets(held.after, shape):
            gone.pop(node, None)
            self._settle(held, node, index, changed=self._look(held, shape, node))
            yield
        for node in gone:
            self._settle(held, node, index, changed=self._look(held, shape, node))
            yield

    def _look(self, held: _Held, shape: Shape, node: str) -> bool:
        """Put what a shape finds at a node; whether that is something else than before."""
        key = (held.token, shape.node, node)
        if self._tables.db.execute(
            "SELECT 1 FROM avoided WHERE profile = ? AND shape = ? AND term = ?", key
        ).fetchone():
            results = [_spoiled(held.token, node, "looking at it took too long or too much memory")]
        else:
            if self._careful:
                self._tables.set_meta("trying", json.dumps(key))
                self._tables.db.execute("COMMIT")
                self._tables.db.execute("BEGIN")
            results = self._found(held, shape, node)
            if self._careful:
                self._tables.set_meta("trying", "")
        return self._tables.put(held.token, shape.node, node, results)

    def _found(self, held: _Held, shape: Shape, node: str) -> list[dict[str, Any]]:
        if not held.validator.is_target(held.after, shape, node):
            return []
        try:
            found = held.validator.check(held.after, shape.node, [node])[:_MOST_RESULTS]
            results = {result_of(held.token, held.ready, held.after, each) for each in found}
        except ProvStoreError as error:
            return [_spoiled(held.token, node, str(error))]
        return [each.json() for each in sorted(results, key=lambda each: each.order())]

    def _settle(self, held: _Held, node: str, index: int, *, changed: bool) -> None:
        looked = any(held.validator.is_target(held.after, shape, node) for shape in held.ready.shapes.targeted())
        kind = texts.kind(held.after.objects(node, TYPE)) if looked else None
        self._tables.settle(held.token, node, kind, index, changed=changed)

    def _anew(self, job: Step, token: str, digest: str, at: int) -> Iterator[None]:
        """A profile at everything, shape by shape."""
        held = self._held(job, token, at)
        shapes = held.targeted()
        self._tables.begin(token, digest, len(shapes))
        for number, shape in enumerate(shapes.values()):
            self._tables.progress(token, number)
            yield from self._look_everywhere(held, shape, at)
        yield from self._tables.sweep(token, at)
        self._tables.stand(token, at)

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
        untold = self._tables.next_untold(_TELL)
        say = {term: self._graph.quads(term, self._results(job, thing)) for thing, _, term in untold}
        return say, tuple((thing, seq) for thing, seq, _ in untold)

    def _results(self, job: Step, thing: int) -> list[tuple[str, dict[str, Any]]]:
        """What was found in a thing, each with the IRI of the version of a profile that found it."""
        iris_of = {token: job.registry.find(token).iri for token in job.profiles}
        return [(iri, each) for token, iri in iris_of.items() for each in self._tables.results(thing, token)]


def _stored(triple: Triple) -> Triple:
    """The triple as the store has it."""
    subject, predicate, value = triple
    return subject, predicate, written(value) if is_literal(value) else value


def _spoiled(profile: str, focus: str, why: str) -> dict[str, Any]:
    message = f"validation did not finish: {why}"
    return Result("", "", SEVERITIES[-1], focus.strip("<>"), "", "", message, profile).json()
