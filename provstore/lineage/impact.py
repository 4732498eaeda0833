"""If this was bad, what is affected? Verdicts in three values, by time, by version, by column.

Affected: it comes from what was bad by steps that are known. Possibly affected: a step is only possible, or it rests
on a read of unknown origin. Not affected: neither.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from provstore import times
from provstore.errors import QueryRefused
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
    """Verdicts page by page, worst first; `counts` are of all, `bad` is what the walk began with."""

    index: int
    counts: dict[str, int]
    bad: list[str]
    verdicts: list[Verdict]
    next: str | None

    def json(self) -> dict[str, Any]:
        return {
            "index": self.index,
            "counts": self.counts,
            "bad": self.bad,
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
    sure, may = _by_column(moment, bad, question.column) if question.column else _by_state(moment, bad)
    unknown = _reach(moment, moment.unresolved(), LINEAGE)
    judged: list[tuple[int, int, int]] = []
    for each in sorted({n for kind in question.kinds for n in moment.of_kind(kind)} - {node}):
        rank = 0 if each in sure else 1 if each in may or each in unknown else 2
        judged.append((rank, min(sure.get(each, _FAR), may.get(each, _FAR)), each))
    judged.sort()
    counts = Counter(_VERDICTS[rank] for rank, _, _ in judged)
    listed = [each for each in judged if question.verdict in (None, _VERDICTS[each[0]])]
    told = Teller(moment)
    page = listed[offset : offset + question.limit]
    said = told.nodes((number, "", 0) for _, _, number in page)
    verdicts = [_verdict(node, rank, depth) for node, (rank, depth, _) in zip(said, page, strict=True)]
    return Impact(
        moment.at,
        {verdict: counts[verdict] for verdict in _VERDICTS},
        sorted(map(told.iri, bad))[:MAX_PAGE],
        verdicts,
        following(moment, offset + question.limit, len(listed)),
    )


_VERDICTS = (AFFECTED, POSSIBLY, NOT)
_FAR = 2**31


def _by_state(moment: Moment, bad: set[int]) -> tuple[dict[int, int], dict[int, int]]:
    return _reach(moment, bad, CERTAIN), _reach(moment, bad, LINEAGE)


def _by_column(moment: Moment, bad: set[int], column: str) -> tuple[dict[int, int], dict[int, int]]:
    found = reached(moment, {(state, column) for state in bad if moment.exists(state)})
    sure = {entity: depth for entity, (rank, depth) in found.items() if rank == DIRECT}
    return sure, {entity: depth for entity, (rank, depth) in found.items() if rank <= POSSIBLE}


def _reach(moment: Moment, start: set[int], relations: bytes) -> dict[int, int]:
    """What is reached from a start, itself included, and in how many steps."""
    nodes, steps = moment.walk(start, relations, up=False)
    return {**dict.fromkeys(start, 0), **dict(zip(nodes.tolist(), steps.tolist(), strict=True))}


def _verdict(node: Node, rank: int, depth: int) -> Verdict:
    return Verdict(node.iri, node.kind, _VERDICTS[rank], depth if depth < _FAR else None, node.asset, node.time)
