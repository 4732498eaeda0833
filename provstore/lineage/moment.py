"""The lineage graph as of one moment on both time axes: what was recorded by an index, of what existed by an instant.

A node exists from its time on: a state from when it was written or can have been read, an activity from its start or
else its end, another entity from when it was generated. What has no time is taken to exist.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

import numpy as np

from provstore import iris
from provstore.errors import NotFound
from provstore.lineage.adjacency import Flags, Found, Half, Ints, Long, Longs, distinct, least, mask
from provstore.lineage.graph import LineageGraph
from provstore.views.edges import Relation
from provstore.vocab import PROV, PS

#: Classes by which a node is called, the closest first.
KINDS = (
    *("Prediction", "Decision", "ModelVersion", "RegistryVersion", "RecordItem", "AliasAssignment"),
    *("WriteState", "ReadState"),
    *("Version", "Model", "Dataset", "Bytes", "TrainingRun", "Inference", "Evaluation", "Normalisation", "Calibration"),
    *("Correction", "Approval", "Window", "Run", "JobVersion", "JobDeclaration", "Job", "CodeVersion"),
    *("CalibrationCertificate", "Measurand", "DataSubject", "Person", "Organization", "SoftwareAgent"),
    *("Agent", "Activity", "Entity"),
)
_CLASSES = {name: (PS if name in PS.names else PROV)[name][1:-1] for name in KINDS}
_ASSETS = {"Dataset", "Model", "Version", "Bytes"}
_ACTIVITIES = set(KINDS[KINDS.index("TrainingRun") : KINDS.index("JobVersion")]) | {"Activity"}
_AGENTS = {"Person", "Organization", "SoftwareAgent", "Agent"}
_NEVER, _ALWAYS = np.iinfo(np.int64).max, np.iinfo(np.int64).min
#: Of so few nodes each one's time is looked up by itself.
_SINGLY = 16

CERTAIN = mask((Relation.DERIVED,))
LINEAGE = mask((Relation.DERIVED, Relation.POSSIBLE))
ACTIVITY = mask((Relation.USED, Relation.GENERATED, Relation.INFORMED))


def role(kind: str) -> str:
    """What things of a kind are in PROV: entity, activity or agent."""
    return "activity" if kind in _ACTIVITIES else "agent" if kind in _AGENTS else "entity"


class _Held(dict[int, dict[int, list[int]]]):
    """What was read of a half so far: node → relation → other ends."""

    def __init__(self, half: Half, at: int, newest: bool) -> None:
        super().__init__()
        self._half, self._at, self._newest = half, at, newest

    def read(self, node: int) -> dict[int, list[int]]:
        found = self[node] = self._half.standing(node, self._at, newest=self._newest)
        return found


class Moment:
    """A graph at a ledger index and, where one is given, an instant (ticks): only what existed by then.

    With `brief`, whatever would take more than a millisecond or so raises Long instead.
    """

    def __init__(
        self, graph: LineageGraph, at: int | None = None, instant: int | None = None, *, brief: bool = False
    ) -> None:
        self.graph, self.instant, self.brief = graph, instant, brief
        self.at = graph.index if at is None else at
        self._timed = 0
        held: dict[int, _Held] = {}
        for half in graph.every_half():
            held[id(half)] = _Held(half, self.at, self.at == graph.index)
        self._as_subject = {r: held[id(graph.half_of(r, subject=True))] for r in Relation}
        self._as_object = {r: held[id(graph.half_of(r, subject=False))] for r in Relation}
        if self.at > graph.index:
            raise NotFound(f"the ledger index {self.at} is not there yet; the newest is {graph.index}")

    # -- single nodes -------------------------------------------------------------------------------------------------

    def find(self, iri: str) -> int:
        """The number of a node; NotFound where nothing known at this moment names it."""
        node = self.graph.id_of(iri)
        if node is None or not self._is_named(node):
            raise NotFound(f"no lineage recorded by index {self.at} names {iri[:200]}")
        return node

    def _is_named(self, node: int) -> bool:
        sides = (self._as_subject, self._as_object)
        return any(by[r].get(node) or by[r].read(node) for by in sides for r in (Relation.DERIVED, Relation.TYPE))

    def first(self, node: int) -> int:
        """The lowest ledger index at which `find` finds a node that it finds now."""
        relations = (Relation.DERIVED, Relation.TYPE)
        halves = [self.graph.half_of(each, subject=subject) for each in relations for subject in (True, False)]
        return min(row[2] for half in halves for row in half.rows(node) if row[2] <= self.at)

    def objects(self, node: int, relation: Relation) -> list[int]:
        """What a node is said to be related to; each once, by number."""
        by = self._as_subject[relation]
        found = by.get(node)
        return (found if found is not None else by.read(node)).get(relation, [])

    def subjects(self, node: int, relation: Relation) -> list[int]:
        """The nodes that are said to be related to this one; each once, by number."""
        by = self._as_object[relation]
        found = by.get(node)
        return (found if found is not None else by.read(node)).get(relation, [])

    def class_id(self, kind: str) -> int:
        """The number of a class by its short name; 0 where nothing is of it."""
        return self.graph.class_of(_CLASSES[kind])

    @cached_property
    def _kinds(self) -> dict[int, str]:
        """The number of each class in use → its name, the closest class first."""
        return {number: name for name in KINDS if (number := self.class_id(name))}

    @cached_property
    def unresolved_class(self) -> int:
        return self.graph.class_of(PS.UnresolvedRead[1:-1])

    @cached_property
    def source_class(self) -> int:
        return self.graph.class_of(PS.Source[1:-1])

    def kind(self, node: int) -> str:
        """The closest class of a node by its short name; '' where none is stated.

        A dataset that only a facet names is one because it has states.
        """
        types = set(self.objects(node, Relation.TYPE))
        found = next((name for number, name in self._kinds.items() if number in types), "")
        return found or ("Dataset" if self.subjects(node, Relation.SPECIAL) else "")

    def is_unresolved(self, node: int) -> bool:
        return self.unresolved_class in self.objects(node, Relation.TYPE)

    def is_source(self, node: int) -> bool:
        """Whether a node, or what it is a state of, is a declared source."""
        return any(
            self.source_class in self.objects(n, Relation.TYPE) for n in (node, *self.objects(node, Relation.SPECIAL))
        )

    def asset(self, node: int) -> int | None:
        """What a state is a state of: not a version; the first by number where there are several."""
        general = self.objects(node, Relation.SPECIAL)
        version = self.class_id("Version")
        return next((each for each in general if version not in self.objects(each, Relation.TYPE)), None)

    def interval(self, activity: int) -> tuple[int | None, int | None]:
        """First start and last end of an activity, in ticks, as far as stated."""
        starts, ends = self.objects(activity, Relation.START), self.objects(activity, Relation.END)
        return (starts[0] if starts else None), (ends[-1] if ends else None)

    def time(self, node: int) -> int | None:
        """When a node began to exist, in ticks."""
        own = self.objects(node, Relation.AT) or self.objects(node, Relation.START) or self.objects(node, Relation.END)
        if own:
            return own[0]
        made = [end if end is not None else start for start, end in self._makers(node)]
        return min((each for each in made if each is not None), default=None)

    def _makers(self, node: int) -> list[tuple[int | None, int | None]]:
        return [self.interval(activity) for activity in self.objects(node, Relation.GENERATED)]

    # -- sets of nodes ------------------------------------------------------------------------------------------------

    def of_kind(self, kind: str) -> Ints:
        """Every node of a class by its short name, in order."""
        found = self._of_class(self.class_id(kind))
        return found[self.exist(found)]

    def _of_class(self, number: int) -> Ints:
        rows = self.step(np.array([number], np.int32), Relation.TYPE, subject=False)
        return distinct(rows.other.astype(np.int32))

    def is_of(self, nodes: Ints, kinds: Iterable[str]) -> Flags:
        """Which of some nodes are of one of these classes, by their short names."""
        wanted = [number for kind in kinds if (number := self.class_id(kind))]
        if not wanted:
            return np.zeros(len(nodes), np.bool_)
        rows = self.step(distinct(nodes), Relation.TYPE)
        return np.isin(nodes, rows.node[np.isin(rows.other, wanted)])

    def unresolved(self) -> Ints:
        """Every read of unknown origin, in order."""
        return self._of_class(self.unresolved_class)

    def same(self, asset: int) -> set[int]:
        """The names of one asset: what symlinks join, in either direction."""
        found, todo = {asset}, [asset]
        while todo:
            near = {n for t in todo for n in (*self.objects(t, Relation.SYMLINK), *self.subjects(t, Relation.SYMLINK))}
            todo = sorted(near - found)
            found.update(todo)
        return found

    def states(self, asset: int) -> set[int]:
        """Every state of an asset under any of its names, or of a version."""
        found = {
            state
            for each in self.same(asset)
            for relation in (Relation.SPECIAL, Relation.BYTES)
            for state in self.subjects(each, relation)
        }
        if self.brief and len(found) > 40:
            raise Long
        return {s for s in found if self.kind(s) != "Version"}

    def starting(self, node: int, *, up: bool) -> set[int]:
        """Where a walk from a thing begins.

        With the states of an asset, what a run or the runs of a job read or wrote, what an agent had a hand in; of
        anything else with the thing itself and what specializes it.
        """
        kind = self.kind(node)
        if kind in _ASSETS:
            return self.states(node)
        if kind in _ACTIVITIES:
            return self._of_activity(node, up=up)
        for name, relation in (("Job", Relation.JOB), ("JobVersion", Relation.JOB_VERSION)):
            if kind == name:
                runs = self.subjects(node, relation)
                return {n for run in runs for n in self._of_activity(run, up=up)}
        if self._is_agent(node, kind):
            runs = self.subjects(node, Relation.ASSOCIATED)
            return {n for run in runs for n in self._of_activity(run, up=up)} | {
                n for n in self.subjects(node, Relation.ATTRIBUTED) if self.kind(n) not in _ASSETS
            }
        return {node} | self.states(node)

    def _is_agent(self, node: int, kind: str) -> bool:
        """Whether a thing acts: by its class, or, as a device may have none of those, by what is said of it."""
        acts = (Relation.ASSOCIATED, Relation.ATTRIBUTED)
        return kind in _AGENTS or (not kind and any(self.subjects(node, relation) for relation in acts))

    def _of_activity(self, activity: int, *, up: bool) -> set[int]:
        """What an activity wrote, for looking down; what it wrote and read, for looking up."""
        made = set(self.subjects(activity, Relation.GENERATED))
        return made | set(self.objects(activity, Relation.USED)) if up else made

    # -- walks --------------------------------------------------------------------------------------------------------

    def half(self, *, up: bool) -> Half:
        return self.graph.halves.up if up else self.graph.halves.down

    def walk(self, start: Iterable[int], relations: bytes, *, up: bool, depth: int | None = None) -> tuple[Ints, Ints]:
        """What is reached from some nodes by one step or more, and in how many; nearest first, then by number."""
        return self.half(up=up).closure(
            start,
            relations,
            self.at,
            self.graph.nodes,
            newest=self.at == self.graph.index,
            depth=depth,
            keep=self.exist if self.instant is not None else None,
            brief=self.brief,
        )

    def exist(self, nodes: Ints) -> Flags:
        """Which of these nodes exist at this moment."""
        if self.instant is None:
            return np.ones(len(nodes), np.bool_)
        self._timed += len(nodes)
        if "times" not in self.__dict__ and self._timed * 4 < self.graph.nodes:
            return np.asarray(self.times_of(nodes) <= self.instant)
        return np.asarray(self.times[nodes] <= self.instant)

    def exists(self, node: int) -> bool:
        return bool(self.exist(np.array([node], np.int32))[0])

    @cached_property
    def times(self) -> Longs:
        """When each node began to exist: as `time`, for all of them at once."""
        self._takes_long()
        return self.times_of(np.arange(self.graph.nodes + 1, dtype=np.int32))

    def times_of(self, nodes: Ints) -> Longs:
        """When each of some nodes began to exist, in ticks; the least number there is for what has no time."""
        if len(nodes) <= _SINGLY:
            found = (self.time(node) for node in nodes.tolist())
            return np.array([_ALWAYS if time is None else time for time in found], np.int64)
        own, start, end = (self._least(nodes, r) for r in (Relation.AT, Relation.START, Relation.END))
        own = np.where(own == _NEVER, np.where(start == _NEVER, end, start), own)
        made = self.step(nodes, Relation.GENERATED)
        makers = made.other.astype(np.int32)
        last, start = -self._least(makers, Relation.END, -1), self._least(makers, Relation.START)
        by_run = least(nodes, made.node, np.where(last == -_NEVER, start, last), _NEVER)
        own = np.where(own == _NEVER, by_run, own)
        return np.where(own == _NEVER, _ALWAYS, own)

    def _least(self, nodes: Ints, relation: Relation, sign: int = 1) -> Longs:
        """The least number that each of some nodes has by a relation, or the least of their negatives."""
        rows = self.step(distinct(nodes), relation)
        return least(nodes, rows.node, rows.other * sign, _NEVER)

    def step(self, nodes: Ints, relation: Relation, *, subject: bool = True) -> Found:
        """The rows of a relation that stand at this moment and have one of these nodes as subject, or as object."""
        return self.graph.half_of(relation, subject=subject).step(nodes, mask((relation,)), self.at)

    def rows(self, relation: Relation, *, subject: bool = True) -> tuple[Ints, Longs]:
        """(node, other) of every row of a relation that stands at this moment."""
        everyone = np.arange(self.graph.nodes + 1, dtype=np.int32)
        found = self.step(everyone, relation, subject=subject)
        return found.node, found.other

    def _takes_long(self) -> None:
        if self.brief:
            raise Long

    # -- names -------------------------------------------------------------------------------------------------------

    def named(self, name: str) -> list[str]:
        """The IRIs of the datasets and models of a name in any namespace; where there is none, of the jobs."""
        ends = f"/{iris.enc(name)}"
        rows = self.graph.database.execute(
            "SELECT id, iri FROM node WHERE substr(iri, -?) = ? ORDER BY iri", (len(ends), ends)
        ).fetchall()
        found = [(self.kind(node), str(iri)) for node, iri in rows]
        assets = [iri for kind, iri in found if kind in ("Dataset", "Model")]
        return assets or [iri for kind, iri in found if kind == "Job"]
