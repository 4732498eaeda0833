"""If this was bad, what is affected? Verdicts in three values, by time, by version, by column.

Affected: it comes from what was bad by steps that are known. Possibly affected: a step is only possible, or it rests
on a read of unknown origin. Not affected: neither.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from provstore import times
from provstore.errors import QueryRefused
from provstore.lineage.adjacency import Ints, Longs, distinct, least
from provstore.lineage.answer import Node, Teller, present
from provstore.lineage.columns import reached
from provstore.lineage.graph import LineageGraph
from provstore.lineage.moment import CERTAIN, KINDS, LINEAGE, Moment
from provstore.lineage.parameters import JUDGED
from provstore.lineage.questions import MAX_PAGE, following, moment_of, place, resolve
from provstore.lineage.steps import DIRECT, POSSIBLE
from provstore.views.edges import Relation

AFFECTED, POSSIBLY, NOT = "affected", "possibly affected", "not affected"


@dataclass(frozen=True, slots=True)
class ImpactQuestion:
    """What was bad, and what is to be judged.

    `entity` is a dataset, version, model, state or item: an IRI, or a name that only one asset has. `after` and
    `before` (date-times, the first included, the second not) narrow it to what was read by runs that were running in
    between; a run without times counts. With `column`, only that column was bad: what it decided over without being a
    part of it (a filter, a join) is not affected. `kinds` are the class names to be judged; `verdict` lists only one.
    """

    entity: str
    column: str | None = None
    after: str | None = None
    before: str | None = None
    kinds: tuple[str, ...] = JUDGED
    verdict: str | None = None
    at: int | None = None
    as_of: str | None = None
    limit: int = 1000
    cursor: str | None = None

    def __post_init__(self) -> None:
        for kind in self.kinds:
            if kind not in KINDS:
                raise QueryRefused(f"'kind' is one of {', '.join(KINDS)}; got {kind[:60]!r}")
        if self.verdict not in (None, AFFECTED, POSSIBLY, NOT):
            raise QueryRefused(f"'verdict' is one of {AFFECTED}, {POSSIBLY}, {NOT}; got {self.verdict!r}")
        if not 1 <= self.limit <= MAX_PAGE:
            raise QueryRefused(f"'limit' is a number from 1 to {MAX_PAGE}, got {self.limit}")
        self.span()  # so that a time that is none is refused at once

    def span(self) -> tuple[int, int] | None:
        """The bad time in ticks, the first included; None where no time was given."""
        if self.after is None and self.before is None:
            return None
        return _ticks("after", self.after, 0), _ticks("before", self.before, 2**63 - 1)


@dataclass(frozen=True, slots=True)
class Verdict:
    iri: str
    kind: str
    verdict: str
    depth: int | None = None  # steps from what was bad, where it was reached
    asset: str | None = None
    time: str | None = None

    def json(self) -> dict[str, Any]:
        return present(self, self.__slots__)


@dataclass(frozen=True, slots=True)
class Impact:
    """Verdicts page by page, worst first; `counts` are of all.

    `bad` is what the walk began with, no more than a thousand of them; `started` says how many there were.
    """

    index: int
    counts: dict[str, int]
    bad: list[str]
    started: int
    verdicts: list[Verdict]
    next: str | None

    def json(self) -> dict[str, Any]:
        return {
            "index": self.index,
            "counts": self.counts,
            "bad": self.bad,
            "started": self.started,
            "verdicts": [each.json() for each in self.verdicts],
            "next": self.next,
        }


def _ticks(name: str, text: str | None, default: int) -> int:
    if text is None:
        return default
    try:
        return times.ticks(times.key(text if "T" in text or "t" in text else f"{text}T00:00:00Z")[0])
    except ValueError as error:
        raise QueryRefused(f"{name!r} is a day or an ISO 8601 date-time, got {text[:60]!r}") from error


def bad_states(moment: Moment, node: int, span: tuple[int, int] | None) -> set[int]:
    """What of a thing was bad: its states, or those of them that runs read within a span of time."""
    states = moment.starting(node, up=False)
    if span is None:
        return states
    own = moment.kind(node) not in ("Dataset", "Model", "Version")
    return {
        state
        for state in states
        if (own or moment.kind(state) != "WriteState")
        and any(_was_running(moment, run, span) for run in moment.subjects(state, Relation.USED))
    }


def _was_running(moment: Moment, run: int, span: tuple[int, int]) -> bool:
    start, end = moment.interval(run)
    began_in_time = start < span[1] if start is not None else end is None or end < span[1]
    return began_in_time and (end is None or end >= span[0])


def impact(graph: LineageGraph, question: ImpactQuestion) -> Impact:
    """A verdict on everything of the kinds asked for, as of a moment."""
    at, offset = place(question.cursor, question.at)
    moment = moment_of(graph, at, question.as_of)
    node = resolve(moment, question.entity)
    bad = bad_states(moment, node, question.span())
    judged, rank, depth = _judged(moment, node, bad, question)
    counts = np.bincount(rank, minlength=len(_VERDICTS)).tolist()
    listed = (
        np.arange(len(rank)) if question.verdict is None else np.flatnonzero(rank == _VERDICTS.index(question.verdict))
    )
    page = listed[_first_of(rank[listed] * (_FAR + 1) + depth[listed], offset + question.limit)][offset:]
    told = Teller(moment)
    said = told.nodes((number, "", 0) for number in judged[page].tolist())
    numbers = zip(said, rank[page].tolist(), depth[page].tolist(), strict=True)
    return Impact(
        moment.at,
        dict(zip(_VERDICTS, counts, strict=True)),
        sorted(map(told.iri, sorted(bad)[:_MOST_BAD])),
        len(bad),
        [_verdict(*each) for each in numbers],
        following(moment, offset + question.limit, len(listed)),
    )


_VERDICTS = (AFFECTED, POSSIBLY, NOT)
_FAR = 2**31 - 1
_MOST_BAD = 1000


def _judged(moment: Moment, node: int, bad: set[int], question: ImpactQuestion) -> tuple[Ints, Longs, Longs]:
    """What is judged, in order, each with the number of its verdict and the steps to what was bad (`_FAR`: none)."""
    judged = distinct(np.concatenate([moment.of_kind(kind) for kind in question.kinds]))
    judged = judged[judged != node]
    if question.column:
        sure, may = _by_column(moment, bad, question.column, judged)
    else:
        start = np.array(sorted(bad), np.int32)
        sure, may = (_reach(moment, start, relations, judged) for relations in (CERTAIN, LINEAGE))
    unknown = _reach(moment, moment.unresolved(), LINEAGE, judged) < _FAR
    rank = np.where(sure < _FAR, 0, np.where((may < _FAR) | unknown, 1, 2))
    return judged, rank, np.minimum(sure, may)


def _first_of(keys: Longs, count: int) -> Longs:
    """Where the first so many are in the order of their keys; those of one key in the order in which they stand."""
    if count < len(keys):
        small = np.flatnonzero(keys <= np.partition(keys, count)[count])
        return small[np.argsort(keys[small], kind="stable")[:count]]
    return np.argsort(keys, kind="stable")


def _by_column(moment: Moment, bad: set[int], column: str, judged: Ints) -> tuple[Longs, Longs]:
    found = reached(moment, {(state, column) for state in bad if moment.exists(state)})
    rows = np.array([(n, rank, depth) for n, (rank, depth) in found.items()], np.int32).reshape(-1, 3)
    nodes, rank, depth = rows.T
    direct, possible = rank == DIRECT, rank <= POSSIBLE
    return _steps(judged, nodes[direct], depth[direct]), _steps(judged, nodes[possible], depth[possible])


def _reach(moment: Moment, start: Ints, relations: bytes, judged: Ints) -> Longs:
    """In how many steps each of the judged is reached from a start, itself included; `_FAR` where it is not."""
    nodes, steps = moment.walk(start, relations, up=False)
    return _steps(judged, np.concatenate([start, nodes]), np.concatenate([np.zeros_like(start), steps]))


def _steps(judged: Ints, nodes: Ints, steps: Ints) -> Longs:
    known = np.isin(nodes, judged)
    return least(judged, nodes[known], steps[known], _FAR)


def _verdict(node: Node, rank: int, depth: int) -> Verdict:
    return Verdict(node.iri, node.kind, _VERDICTS[rank], depth if depth < _FAR else None, node.asset, node.time)
