"""The questions about lineage: where from, where to, by which ways, from which roots, and what is different.

Each is answered at a `Moment` and is exact: the nodes are those that plain SPARQL paths over `prov:wasDerivedFrom` and
`ps:possiblyDerivedFrom` reach in a store of the same records.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from provstore import times
from provstore.errors import NotFound, QueryRefused
from provstore.lineage.adjacency import Flags, Found, Ints, united
from provstore.lineage.answer import Edge, Node, Page, Teller
from provstore.lineage.graph import LineageGraph
from provstore.lineage.moment import ACTIVITY, CERTAIN, KINDS, LINEAGE, Moment
from provstore.lineage.parameters import CHOICES
from provstore.lineage.projection import TOLD_AS, Projection
from provstore.views.edges import Relation

#: The most nodes on one page.
MAX_PAGE = 10_000
DIRECTIONS, LEVELS = ("upstream", "downstream"), ("state", "asset", "run")


@dataclass(frozen=True, slots=True)
class Question:
    """One question about one thing, as asked: `entity` is an IRI, or a name that only one asset has.

    `by` is what is followed: 'derivation' (what something was made from), 'certain' (only where each step is known)
    or 'activity' (all that a run used counts for all that it generated). `at` is a ledger index, `as_of` a date-time:
    see `Moment`. `depth` counts steps. `kinds` are class names to be listed; the others are walked through.
    """

    entity: str
    direction: str = "upstream"
    by: str = "derivation"
    depth: int | None = None
    kinds: tuple[str, ...] = ()
    level: str = "state"
    at: int | None = None
    as_of: str | None = None
    limit: int = 50
    cursor: str | None = None

    def __post_init__(self) -> None:
        _one_of("direction", self.direction, DIRECTIONS)
        _one_of("by", self.by, CHOICES["by"])
        _one_of("level", self.level, LEVELS)
        for kind in self.kinds:
            _one_of("kind", kind, KINDS)
        if self.depth is not None and self.depth < 1:
            raise QueryRefused(f"'depth' is a number of steps from 1 on, got {self.depth}")
        if not 1 <= self.limit <= MAX_PAGE:
            raise QueryRefused(f"'limit' is a number from 1 to {MAX_PAGE}, got {self.limit}")

    @property
    def up(self) -> bool:
        return self.direction == "upstream"

    def asked(self) -> dict[str, Any]:
        """What was asked, without what was left at its default."""
        return {
            k: v for k, v in asdict(self).items() if k != "cursor" and v not in (None, ()) and v != _DEFAULTS.get(k)
        }


FOLLOWED = {"derivation": LINEAGE, "certain": CERTAIN, "activity": ACTIVITY}
_DEFAULTS = {"by": "derivation", "level": "state", "limit": 50}


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise QueryRefused(f"{name!r} is one of {', '.join(allowed)}; got {value[:60]!r}")


def moment_of(graph: LineageGraph, at: int | None, as_of: str | None, *, brief: bool = False) -> Moment:
    """The moment that a ledger index and a date-time name; QueryRefused, NotFound where they name none."""
    if as_of is None:
        return Moment(graph, at, brief=brief)
    try:
        return Moment(graph, at, times.ticks(times.key(as_of)[0]), brief=brief)
    except ValueError as error:
        raise QueryRefused(f"'as-of' is an ISO 8601 date-time, got {as_of[:60]!r}") from error


def resolve(moment: Moment, named: str) -> int:
    """The node of an IRI, or of a name that only one asset has."""
    try:
        return moment.find(named)
    except NotFound:
        found = moment.named(named)
        if len(found) == 1:
            return moment.find(found[0])
        if found:
            raise QueryRefused(f"several are called {named[:100]!r}; say which: {', '.join(found[:10])}") from None
        raise


@dataclass(frozen=True, slots=True)
class Walked:
    """The nodes of an answer in order, in how many steps each was reached, and whether by certain steps alone."""

    nodes: Ints
    steps: Ints
    certain: Flags


def walked(moment: Moment, start: set[int], question: Question) -> Walked:
    """All that is reached from the start."""
    nodes, steps = moment.walk(start, FOLLOWED[question.by], up=question.up, depth=question.depth)
    if question.by != "derivation" or not len(nodes):
        return Walked(nodes, steps, np.ones(len(nodes), np.bool_))
    sure, _ = moment.walk(start, CERTAIN, up=question.up, depth=question.depth)
    return Walked(nodes, steps, np.isin(nodes, sure))


def lineage(graph: LineageGraph, question: Question, *, brief: bool = False) -> Page:
    """Upstream or downstream of a thing, page by page; a page's edges lead to its nodes, each edge on one page.

    With `brief` the answer takes a few milliseconds at most, or there is none but Long.
    """
    at, offset = place(question.cursor, question.at)
    moment = moment_of(graph, at, question.as_of, brief=brief)
    start = moment.starting(resolve(moment, question.entity), up=question.up)
    found = walked(moment, start, question)
    told = Teller(moment)
    if question.level != "state":
        return _projected(moment, question, start, found, told, offset)
    chosen = _of_kinds(moment, found, question.kinds)
    page = slice(offset, offset + question.limit)
    nodes = told.nodes(_told_of(found.nodes[chosen][page], found.steps[chosen][page], found.certain[chosen][page]))
    rows = _between(moment, question, found.nodes[chosen][page], united(found.nodes, _array(start)))
    return _page(moment, question, int(chosen.sum()), nodes, told.edges(rows, up=question.up), offset)


def _of_kinds(moment: Moment, found: Walked, kinds: Iterable[str]) -> Flags:
    wanted = set(kinds)
    return moment.is_of(found.nodes, wanted) if wanted else np.ones(len(found.nodes), np.bool_)


def _between(moment: Moment, question: Question, ends: Ints, known: Ints) -> Found:
    """The rows that lead to these nodes from known ones."""
    if not len(ends):
        return Found(ends, ends.astype(np.int64), ends.astype(np.uint8), ends)
    back = moment.half(up=not question.up).step(ends, FOLLOWED[question.by], moment.at)
    good = np.isin(back.other, known)
    return Found(back.node[good], back.other[good], back.said[good], back.row[good])


def _page(moment: Moment, question: Question, total: int, nodes: list[Node], edges: list[Edge], offset: int) -> Page:
    return Page(question.asked(), moment.at, total, nodes, edges, following(moment, offset + question.limit, total))


def place(cursor: str | None, at: int | None) -> tuple[int | None, int]:
    """Where a page begins: (ledger index, offset); a cursor holds on to the index of the first page."""
    if cursor is None:
        return at, 0
    index, dot, offset = cursor.partition(".")
    if not (dot and f"{index}{offset}".isascii() and index.isdigit() and offset.isdigit() and len(cursor) < 24):
        raise QueryRefused(f"'cursor' is what an answer gave as 'next', got {cursor[:60]!r}")
    return int(index), int(offset)


def following(moment: Moment, offset: int, total: int) -> str | None:
    """The cursor of the page that begins at an offset; None where there is none."""
    return f"{moment.at}.{offset}" if offset < total else None


def certainty(sure: bool) -> str:
    return "certain" if sure else "possible"


def _array(nodes: Iterable[int]) -> Ints:
    return np.array(sorted(nodes), np.int32)


def _told_of(nodes: Ints, steps: Ints, certain: Flags) -> Iterable[tuple[int, str, int]]:
    return ((node, certainty(sure), step) for node, step, sure in _triples(nodes, steps, certain))


def _triples(nodes: Ints, steps: Ints, certain: Flags) -> Iterable[tuple[int, int, bool]]:
    return zip(nodes.tolist(), steps.tolist(), certain.tolist(), strict=True)


# --- the same, told of assets or runs --------------------------------------------------------------------------------


def _projected(moment: Moment, question: Question, start: set[int], found: Walked, told: Teller, offset: int) -> Page:
    """The exact walk over states, told as steps between assets or runs: no way is shown that no state took."""
    onto = TOLD_AS[question.level](moment)
    best: dict[int, tuple[bool, int]] = {}
    for node, step, sure in _triples(onto.of(found.nodes), found.steps, found.certain):
        held = best.get(node)
        best[node] = (sure, step) if held is None else (sure or held[0], min(step, held[1]))
    own = set(onto.of(_array(start)).tolist())
    listed = sorted((n for n in best if n not in own), key=lambda n: (best[n][1], n))
    if question.kinds:
        listed = [n for n in listed if moment.kind(n) in question.kinds]
    page = listed[offset : offset + question.limit]
    nodes = told.nodes((n, certainty(best[n][0]), best[n][1]) for n in page)
    rows = _between(moment, question, found.nodes, united(found.nodes, _array(start)))
    return _page(
        moment, question, len(listed), nodes, _merged_edges(moment, rows, onto, set(page), told, question), offset
    )


def _merged_edges(
    moment: Moment, rows: Found, onto: Projection, page: set[int], told: Teller, question: Question
) -> list[Edge]:
    """One edge for all rows between the same two: certain where any is, known since the first."""
    ends, others = onto.of(rows.node).tolist(), onto.of(rows.other.astype(np.int32)).tolist()
    pairs: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for end, other, said, row in zip(ends, others, rows.said.tolist(), rows.row.tolist(), strict=True):
        if end != other and end in page:
            pairs.setdefault((other, end) if question.up else (end, other), []).append((said, row))
    found = [one_for_all([told.edge(*pair, said, row) for said, row in held]) for pair, held in pairs.items()]
    return sorted(found, key=lambda e: (e.subject, e.object))


def one_for_all(edges: list[Edge]) -> Edge:
    if len(edges) == 1:
        return edges[0]
    best = min(edges, key=lambda e: (e.relation == "possiblyDerivedFrom", e.status != "asserted", e.since))
    return replace(best, since=min(e.since for e in edges if e.relation == best.relation))


# --- ways, roots, differences ----------------------------------------------------------------------------------------


def paths(graph: LineageGraph, question: Question, to: str) -> Page:
    """Every node and edge on a way between two things, and whether a way of certain steps leads there.

    `question.entity` comes from `to` when the direction is upstream. Depths count from the entity.
    """
    at, offset = place(question.cursor, question.at)
    moment = moment_of(graph, at, question.as_of)
    start = moment.starting(resolve(moment, question.entity), up=question.up)
    end = moment.starting(resolve(moment, to), up=not question.up)
    onward = walked(moment, start, question)
    within = np.isin(onward.nodes, leading_to(moment, end, question, FOLLOWED[question.by]))
    sure = onward.certain
    if question.by == "derivation":
        sure = sure & np.isin(onward.nodes, leading_to(moment, end, question, CERTAIN))
    told = Teller(moment)
    chosen, page = onward.nodes[within], slice(offset, offset + question.limit)
    nodes = told.nodes(_told_of(chosen[page], onward.steps[within][page], sure[within][page]))
    rows = _between(moment, question, chosen[page], united(chosen, _array(start)))
    asked = {**question.asked(), "to": to}
    found = _page(moment, question, len(chosen), nodes, told.edges(rows, up=question.up), offset)
    return Page(asked, found.index, found.total, found.nodes, found.edges, found.next)


def leading_to(moment: Moment, end: set[int], question: Question, relations: bytes) -> Ints:
    """The nodes from which an end is reached, and the ends."""
    back, _ = moment.walk(end, relations, up=not question.up)
    return united(back, _array(end))


def roots(graph: LineageGraph, question: Question) -> Page:
    """Where lineage ends: declared sources, reads of unknown origin, and things whose origin nobody recorded.

    A declared source is listed also where something is recorded before it. What is no declared source is a gap.
    """
    at, offset = place(question.cursor, question.at)
    moment = moment_of(graph, at, question.as_of)
    start = moment.starting(resolve(moment, question.entity), up=True)
    found = walked(moment, start, question)
    onward = moment.half(up=True).step(found.nodes, FOLLOWED[question.by], moment.at)
    goes_on = np.isin(found.nodes, onward.node[moment.exist(onward.other.astype(np.int32))])
    told, listed = Teller(moment), []
    for (node, step, sure), more in zip(
        _triples(found.nodes, found.steps, found.certain), goes_on.tolist(), strict=True
    ):
        if not more or moment.is_source(node):
            listed.append((node, certainty(sure), step))
    page = told.nodes(listed[offset : offset + question.limit])
    return _page(moment, question, len(listed), page, [], offset)


@dataclass(frozen=True, slots=True)
class Difference:
    """What of one aspect (an asset, a job, code, an agent) is behind only one of two things."""

    aspect: str
    of: str
    only_first: tuple[str, ...]
    only_second: tuple[str, ...]

    def json(self) -> dict[str, Any]:
        first, second = list(self.only_first), list(self.only_second)
        return {"aspect": self.aspect, "of": self.of, "onlyFirst": first, "onlySecond": second}


def compare(first: Moment, one: str, second: Moment, other: str) -> list[Difference]:
    """What differs between the origins of two things, or of one thing at two moments.

    Two states, runs, versions, models or predictions: for each asset the states that only one of them comes from, for
    each job the versions, the code, the runs' jobs and the agents that only one has behind it.
    """
    found = [_origins(moment, resolve(moment, named)) for moment, named in ((first, one), (second, other))]
    keys = sorted(found[0].keys() | found[1].keys())
    rows = [(key, found[0].get(key, set()), found[1].get(key, set())) for key in keys]
    return [
        Difference(aspect, of, tuple(sorted(mine - theirs)), tuple(sorted(theirs - mine)))
        for (aspect, of), mine, theirs in rows
        if mine != theirs
    ]


def _origins(moment: Moment, node: int) -> dict[tuple[str, str], set[str]]:
    """(aspect, of what) → what is behind a thing: states by asset, job versions by job, code and agents."""
    start, told = moment.starting(node, up=True), Teller(moment)
    nodes, _ = moment.walk(start, LINEAGE, up=True)
    behind = set(nodes.tolist())
    found: dict[tuple[str, str], set[str]] = {}
    for each in behind:
        asset = moment.asset(each)
        if moment.kind(each) != "ReadState":  # what was read is told by what it resolves to, else by the read itself
            found.setdefault(("data", told.iri(asset if asset else each)), set()).add(told.iri(each))
        elif asset and not moment.objects(each, Relation.DERIVED):
            found.setdefault(("data", told.iri(asset)), set()).add(told.iri(each))
    for activity in sorted({a for e in behind | start for a in moment.objects(e, Relation.GENERATED)}):
        for job in moment.objects(activity, Relation.JOB):
            versions = moment.objects(activity, Relation.JOB_VERSION) or [job]
            found.setdefault(("job", told.iri(job)), set()).update(map(told.iri, versions))
        code = {told.iri(e) for e in moment.objects(activity, Relation.USED) if moment.kind(e) == "CodeVersion"}
        agents = set(map(told.iri, moment.objects(activity, Relation.ASSOCIATED)))
        for aspect, values in (("code", code), ("agent", agents)):
            if values:
                found.setdefault((aspect, ""), set()).update(values)
    return found
