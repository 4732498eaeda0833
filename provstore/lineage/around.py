"""What stands around one thing: its direct relations, what it comes from and what came of it, counted; the first few.

One answer at one `Moment`, so that a page about a thing has everything of one ledger index. It costs what is near the
thing, and counts what is far; nothing is listed whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from provstore import times
from provstore.lineage.adjacency import Flags, Found, Ints, distinct, least, mask, united
from provstore.lineage.answer import Edge, Teller
from provstore.lineage.graph import LineageGraph
from provstore.lineage.moment import KINDS, LINEAGE, Moment
from provstore.lineage.parameters import JUDGED
from provstore.lineage.projection import OfAssets
from provstore.lineage.questions import Question, Walked, moment_of, walked
from provstore.views.edges import Relation

_KIND = {name: number for number, name in enumerate(KINDS)}
_ASSETS = ("Dataset", "Model", "Version", "Bytes")
AGENTS = ("Person", "Organization", "SoftwareAgent", "Agent")
ACTIVITIES = (*KINDS[KINDS.index("TrainingRun") : KINDS.index("JobVersion")], "Activity")
#: Relations that are told from both ends; times and column facets are told otherwise.
_TOLD = tuple(r for r in Relation if r < Relation.AT and r not in (Relation.TYPE, Relation.COLUMNS))
_STEPS = mask((Relation.DERIVED, Relation.POSSIBLE, Relation.INFLUENCED))
#: Of things one step away these come first, whatever their class stands for elsewhere.
_RANKS = np.array([1 if k in JUDGED else 0 if k in _ASSETS else place + 2 for place, k in enumerate((*KINDS, ""))])
_OF_RUNS = {"Job": Relation.JOB, "JobVersion": Relation.JOB_VERSION}
_OF_WALKS = ("depth", "certainty")  # what single nodes do not have
#: Of many states the latest recorded are looked at for the latest in time.
_LATEST = 200


@dataclass(frozen=True, slots=True)
class Around:
    """The thing to be told about, an IRI; `at` and `as_of` as in `Question`; `limit` of each list."""

    entity: str
    at: int | None = None
    as_of: str | None = None
    limit: int = 10


def around(graph: LineageGraph, question: Around) -> dict[str, Any]:
    """What the lineage graph holds of a thing, as JSON; NotFound where nothing recorded by then names it.

    `relations` are single statements from or to it by relation and direction, `sources` and `dependents` the things one
    step away (of an asset or job: assets), `upstream` and `downstream` counts of all that is reached.
    """
    moment = moment_of(graph, question.at, question.as_of)
    return _Told(moment, moment.find(question.entity), question.limit).json()


def nodes_of(graph: LineageGraph, iris: Iterable[str], at: int | None, as_of: str | None) -> dict[str, Any]:
    """Nodes as `around` tells them, in `nodes`, of those IRIs that anything recorded by then names."""
    moment = moment_of(graph, at, as_of)
    known = [number for iri in sorted(set(iris)) if (number := graph.id_of(iri)) is not None]
    told = _Told(moment, known[0], 0) if known else None
    return {"index": moment.at, "nodes": told.nodes(known) if told else []}


class _Told:
    """One thing at one moment."""

    def __init__(self, moment: Moment, node: int, limit: int) -> None:
        self._moment, self._node, self._limit = moment, node, limit
        self._teller, self._assets = Teller(moment), OfAssets(moment)
        self._kind = moment.kind(node)
        self._role = self._role_of(node, self._kind)

    def json(self) -> dict[str, Any]:
        moment, node = self._moment, self._node
        (card,) = self.nodes([node])
        start, end = moment.interval(node)
        return {
            **card,
            "index": moment.at,
            "types": [self._teller.iri(n) for n in moment.objects(node, Relation.TYPE)],
            "start": _text(start),
            "end": _text(end),
            "relations": [each for subject in (True, False) for each in self._relations(subject=subject)],
            "sources": self._hop(up=True),
            "dependents": self._hop(up=False),
            "upstream": self._reached(up=True),
            "downstream": self._reached(up=False),
            "agents": self._agents(),
        }

    # -- nodes --------------------------------------------------------------------------------------------------------

    def nodes(self, numbers: Iterable[int]) -> list[dict[str, Any]]:
        """Nodes as answers of lineage have them; a read with the run that read it, and when that began."""
        moment, told = self._moment, []
        for number, node in zip(held := list(numbers), self._teller.nodes((n, "", 0) for n in held), strict=True):
            said = node.json()
            if node.kind == "ReadState" and (readers := moment.subjects(number, Relation.USED)):
                said["activity"] = self._teller.iri(readers[0])
                said["time"] = _text(next((t for t in moment.interval(readers[0]) if t is not None), None))
            role = self._role_of(number, node.kind)
            if role != "entity":
                said["role"] = role
            if not node.kind and (types := moment.objects(number, Relation.TYPE)):
                said["kind"] = re.split("[/#:]", self._teller.iri(types[0]))[-1]
            told.append({name: value for name, value in said.items() if value is not None and name not in _OF_WALKS})
        return told

    def _role_of(self, number: int, kind: str) -> str:
        """Whether a node is an entity, an activity or an agent; by what is said of it where its class does not tell."""
        if kind in AGENTS or kind in ACTIVITIES:
            return "agent" if kind in AGENTS else "activity"
        moment = self._moment
        if kind:
            return "entity"
        if any(moment.objects(number, r) for r in (Relation.USED, Relation.ASSOCIATED, Relation.START, Relation.END)):
            return "activity"
        if moment.subjects(number, Relation.ASSOCIATED) or moment.objects(number, Relation.ON_BEHALF):
            return "agent"
        return "activity" if moment.subjects(number, Relation.GENERATED) else "entity"

    @cached_property
    def _classes(self) -> tuple[Ints, Ints]:
        """The numbers of the classes in `KINDS` that are in use, in order, and the place of each in it."""
        found = sorted((number, place) for place, name in enumerate(KINDS) if (number := self._moment.class_id(name)))
        return np.array([n for n, _ in found], np.int32), np.array([place for _, place in found], np.int32)

    def _kinds(self, nodes: Ints) -> Ints:
        """For each of some nodes the place of its closest class in `KINDS`, beyond all of them where it has none."""
        rows = self._moment.step(distinct(nodes), Relation.TYPE, subject=True)
        numbers, places = self._classes
        at = np.searchsorted(numbers, rows.other).clip(max=max(len(numbers) - 1, 0))
        known = np.isin(rows.other, numbers)
        return least(nodes, rows.node[known], places[at[known]], len(KINDS)).astype(np.int32)

    # -- where walks begin --------------------------------------------------------------------------------------------

    @cached_property
    def _states(self) -> Ints:
        """Every state of it under any of its names, as `Moment.states`."""
        same = _array(self._moment.same(self._node))
        rows = [
            self._moment.step(same, relation, subject=False).other for relation in (Relation.SPECIAL, Relation.BYTES)
        ]
        found = distinct(np.concatenate(rows).astype(np.int32))
        states: Ints = found[self._kinds(found) != _KIND["Version"]]
        return states

    @cached_property
    def _runs(self) -> Ints:
        """The runs of a job or job version, what an agent was associated with, an activity itself."""
        if self._role == "activity":
            return _one(self._node)
        relation = _OF_RUNS.get(self._kind, Relation.ASSOCIATED)
        return distinct(self._moment.step(_one(self._node), relation, subject=False).other.astype(np.int32))

    def _start(self, *, up: bool) -> Ints:
        """Where a walk begins: as `Moment.starting`; also of what only statements show to be an activity or agent."""
        if self._kind in _ASSETS:
            return self._states
        if self._role == "entity" and self._kind not in _OF_RUNS:
            return united(_one(self._node), self._states)
        start = self._moment.step(self._runs, Relation.GENERATED, subject=False).other.astype(np.int32)
        if up:
            start = united(start, self._moment.step(self._runs, Relation.USED, subject=True).other.astype(np.int32))
        if self._role == "agent":
            own = self._moment.step(_one(self._node), Relation.ATTRIBUTED, subject=False).other.astype(np.int32)
            start = united(start, own[~np.isin(self._kinds(own), [_KIND[kind] for kind in _ASSETS])])
        return distinct(start)

    # -- relations ----------------------------------------------------------------------------------------------------

    def _relations(self, *, subject: bool) -> Iterable[dict[str, Any]]:
        here = _one(self._node)
        for relation in _TOLD:
            rows = self._existing(self._moment.step(here, relation, subject=subject))
            if not len(rows.other):
                continue
            # states of several kinds are lists of their own
            if relation in (Relation.SPECIAL, Relation.BYTES) and not subject:
                kinds = self._kinds(rows.other.astype(np.int32))
                for kind in sorted(set(kinds.tolist())):
                    yield self._relation(relation, _where(rows, kinds == kind), subject, KINDS[kind : kind + 1])
            else:
                yield self._relation(relation, rows, subject, ())

    def _relation(self, relation: Relation, rows: Found, subject: bool, kind: tuple[str, ...]) -> dict[str, Any]:
        best = _best(rows, rows.other.astype(np.int32))
        chosen = best[: self._limit] if subject else best[::-1][:_LATEST]
        pairs = list(zip(self.nodes(rows.other[chosen].tolist()), chosen.tolist(), strict=True))
        if not subject:
            pairs.sort(key=lambda each: each[0].get("time", ""), reverse=True)
        shown = pairs[: self._limit]
        return {
            "relation": relation.name.lower(),
            "direction": "out" if subject else "in",
            "kind": kind[0] if kind else None,
            "total": len(best),
            "nodes": [node for node, _ in shown],
            "edges": [self._edge(rows, row, up=subject).json() for _, row in shown],
        }

    def _existing(self, rows: Found) -> Found:
        if self._moment.instant is None:
            return rows
        return _where(rows, self._moment.exist(rows.other.astype(np.int32)))

    def _edge(self, rows: Found, at: int, *, up: bool) -> Edge:
        ends = (int(rows.node[at]), int(rows.other[at]))
        return self._teller.edge(*(ends if up else ends[::-1]), int(rows.said[at]), int(rows.row[at]))

    # -- one step -----------------------------------------------------------------------------------------------------

    def _hop(self, *, up: bool) -> dict[str, Any]:
        """The things one step away, the certain ones first, by kind, each with the best statement that says so."""
        moment = self._moment
        if self._kind in _ASSETS or self._kind in _OF_RUNS or self._role == "agent":
            rows = self._existing(self._steps_of_all(up=up))
            onto = self._told_as(rows.other.astype(np.int32))
            good = ~np.isin(onto, self._own_assets())
            rows, onto = _where(rows, good), onto[good]
        else:
            rows = self._existing(self._steps_of_one(up=up))
            onto = rows.other.astype(np.int32)
        best = _best(rows, onto)
        kinds = _RANKS[self._kinds(onto[best])]
        possible = (rows.said[best] & 63) == Relation.POSSIBLE
        best = best[np.lexsort((onto[best], kinds, possible))]
        shown = best[: self._limit]
        edges = [self._edge(rows, at, up=up) for at in shown.tolist()]
        nodes = self.nodes(onto[shown].tolist())
        for node, edge in zip(nodes, edges, strict=True):
            node["certainty"] = "possible" if edge.relation == "possiblyDerivedFrom" else "certain"
        return {
            "total": len(best),
            "nodes": nodes,
            "edges": [edge.json() for edge in edges],
            "seen": [each for number in onto[shown].tolist() for each in self._seen(number)] if up else [],
            "possible": int(possible.sum()),
            "index": moment.at,
        }

    def _told_as(self, nodes: Ints) -> Ints:
        """What the things one step from an asset, job or agent are told as: states as their datasets.

        What comes from an asset is told by assets alone.
        """
        assets = self._assets.of(nodes)
        if self._kind in _ASSETS:
            return assets
        states = np.isin(self._kinds(nodes), [_KIND["WriteState"], _KIND["ReadState"]])
        return np.where(states, assets, nodes).astype(np.int32)

    def _steps_of_one(self, *, up: bool) -> Found:
        moment, here = self._moment, _one(self._node)
        if self._role != "activity":
            return moment.half(up=up).step(here, _STEPS, moment.at)
        relation = Relation.USED if up else Relation.GENERATED
        rows = moment.half(up=up).step(here, mask((relation,)), moment.at)
        if not up:
            return rows
        # what a read was resolved to was used as well; it is told with the read
        seen = moment.half(up=True).step(rows.other.astype(np.int32), LINEAGE, moment.at)
        reads = self._kinds(seen.node) == _KIND["ReadState"]
        return _where(rows, ~np.isin(rows.other, seen.other[reads]))

    def _steps_of_all(self, *, up: bool) -> Found:
        """Of an asset what its states come from or became, of a job or agent what its runs read or wrote."""
        moment = self._moment
        if self._kind in _ASSETS:
            return moment.half(up=up).step(self._states, _STEPS, moment.at)
        return self._moment.step(self._runs, Relation.USED if up else Relation.GENERATED, subject=up)

    def _own_assets(self) -> Ints:
        if self._kind in _ASSETS:
            return _array({self._node, *self._moment.same(self._node), *self._assets.of(_one(self._node)).tolist()})
        return _array(())

    def _seen(self, number: int) -> Iterable[dict[str, Any]]:
        """Which writes a read saw, as far as that is known."""
        moment = self._moment
        if moment.kind(number) != "ReadState":
            return
        rows = self._existing(moment.half(up=True).step(_one(number), LINEAGE, moment.at))
        chosen = _best(rows, rows.other.astype(np.int32))[: self._limit]
        for node, at in zip(self.nodes(rows.other[chosen].tolist()), chosen.tolist(), strict=True):
            yield {**node, "edge": self._edge(rows, at, up=True).json()}

    # -- all steps ----------------------------------------------------------------------------------------------------

    def _reached(self, *, up: bool) -> dict[str, Any]:
        """How much is reached in how many steps, by kind; upstream where that ends, downstream what is judged."""
        moment = self._moment
        start = self._start(up=up)
        direction = "upstream" if up else "downstream"
        found = walked(moment, set(start.tolist()), Question("", direction=direction))
        kinds = self._kinds(found.nodes)
        counts = np.bincount(kinds, minlength=len(KINDS) + 1).tolist()
        assets = self._assets.of(found.nodes)
        own = united(self._assets.of(start), _one(self._node))
        said: dict[str, Any] = {
            "total": len(found.nodes),
            "certain": int(found.certain.sum()),
            "steps": int(found.steps.max()) if len(found.steps) else 0,
            "assets": len(np.setdiff1d(distinct(assets), own, assume_unique=True)),
            "kinds": {(*KINDS, "")[kind]: count for kind, count in enumerate(counts) if count},
        }
        return {**said, **(self._ends(found, start) if up else self._judged(found, kinds))}

    def _ends(self, found: Walked, start: Ints) -> dict[str, Any]:
        """Where lineage ends, as `questions.roots` has it, told once for each asset; a start that has no source too."""
        moment = self._moment
        nodes = united(found.nodes, start)
        onward = moment.half(up=True).step(nodes, LINEAGE, moment.at)
        goes_on = np.isin(nodes, onward.node[moment.exist(onward.other.astype(np.int32))])
        sources = self._of_sources(nodes)
        last = nodes[(~goes_on | sources) & np.isin(nodes, found.nodes)]
        types = self._moment.step(last, Relation.TYPE, subject=True)
        unknown = np.isin(last, types.node[types.other == moment.unresolved_class])
        declared = sources[np.searchsorted(nodes, last)]
        assets, first = np.unique(self._assets.of(last), return_index=True)
        order = np.lexsort((assets, declared[first], ~unknown[first]))
        told = self.nodes(assets[order][: self._limit].tolist())
        for node, at in zip(told, first[order].tolist(), strict=False):
            node["origin"] = (
                "unknown origin" if unknown[at] else "declared source" if declared[at] else "not declared as a source"
            )
        return {
            "ends": {"total": len(assets), "nodes": told},
            "unknown": int(unknown.sum()),
            "undeclared": len(distinct(self._assets.of(last[~unknown & ~declared]))),
        }

    def _of_sources(self, nodes: Ints) -> Flags:
        """Which of some nodes are declared sources, or states of one."""
        moment = self._moment
        if not (number := moment.source_class):
            return np.zeros(len(nodes), np.bool_)
        sources = moment.step(_one(number), Relation.TYPE, subject=False).other
        rows = moment.step(nodes, Relation.SPECIAL)
        return np.isin(nodes, sources) | np.isin(nodes, rows.node[np.isin(rows.other, sources)])

    def _judged(self, found: Walked, kinds: Ints) -> dict[str, Any]:
        """The first decisions, predictions and model versions, nearest first."""
        chosen = np.flatnonzero(np.isin(kinds, [_KIND[kind] for kind in JUDGED]))[: self._limit]
        nodes = self.nodes(found.nodes[chosen].tolist())
        for node, at in zip(nodes, chosen.tolist(), strict=True):
            node["depth"] = int(found.steps[at])
            node["certainty"] = "certain" if found.certain[at] else "possible"
        return {"judged": {"total": int(np.isin(kinds, [_KIND[k] for k in JUDGED]).sum()), "nodes": nodes}}

    # -- agents -------------------------------------------------------------------------------------------------------

    def _agents(self) -> dict[str, Any]:
        """Who was associated with what made it (of an asset, its states; of a job, its runs), or owns it."""
        moment = self._moment
        if self._role == "agent":
            return {"total": 0, "agents": [], "activities": 0, "unattended": 0}
        activities = self._activities()
        rows = moment.step(activities, Relation.ASSOCIATED)
        own = moment.step(_one(self._node), Relation.ATTRIBUTED)
        both = Found(*(np.concatenate([getattr(own, n), getattr(rows, n)]) for n in Found.__slots__))
        best = _best(both, both.other.astype(np.int32))
        told = []
        for at in best[: self._limit].tolist():
            agent, edge = int(both.other[at]), self._edge(both, at, up=True)
            behalf = [self._teller.iri(n) for n in moment.objects(agent, Relation.ON_BEHALF)]
            (node,) = self.nodes([agent])
            told.append({**node, "onBehalfOf": behalf, "edge": edge.json()})
        unattended = len(activities) - len(distinct(rows.node))
        return {"total": len(best), "agents": told, "activities": len(activities), "unattended": unattended}

    def _activities(self) -> Ints:
        if self._role == "activity" or self._kind in _OF_RUNS:
            return self._runs
        if self._kind == "ReadState":  # nobody makes one: it is as its reader saw it
            return distinct(self._moment.step(_one(self._node), Relation.USED, subject=False).other.astype(np.int32))
        states = self._states if self._kind in _ASSETS else _one(self._node)
        return distinct(self._moment.step(states, Relation.GENERATED, subject=True).other.astype(np.int32))


def _one(node: int) -> Ints:
    return np.array([node], np.int32)


def _array(nodes: Iterable[int]) -> Ints:
    return np.array(sorted(nodes), np.int32)


def _where(rows: Found, good: Flags) -> Found:
    return Found(rows.node[good], rows.other[good], rows.said[good], rows.row[good])


def _best(rows: Found, ends: Ints) -> Ints:
    """For each distinct end the place of the row that says most surely; certain ones first, then by number."""
    possible = (rows.said & 63) == Relation.POSSIBLE
    inferred = rows.said >> 6
    order = np.lexsort((rows.row, inferred, possible, ends))
    first = np.ones(len(order), np.bool_)
    first[1:] = ends[order][1:] != ends[order][:-1]
    chosen = order[first]
    return chosen[np.lexsort((ends[chosen], possible[chosen]))].astype(np.int32)


def _text(ticks: int | None) -> str | None:
    return None if ticks is None else times.lexical(times.of_ticks(ticks))
