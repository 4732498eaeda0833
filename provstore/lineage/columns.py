"""Column lineage: from which columns a column was made, and which columns, models and predictions it reached.

A step is *direct* where column lineage states it or the same column is read or kept, *possible* where only the states
are known to be related, *influence* where a column decided over rows or order (JOIN, FILTER, SORT …) and nothing was
made of it. What is reached by direct steps alone is certain; the column `*` stands for columns nobody named.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from provstore.errors import QueryRefused
from provstore.lineage.answer import record_at
from provstore.lineage.graph import LineageGraph
from provstore.lineage.moment import Moment
from provstore.lineage.questions import MAX_PAGE, moment_of, place, resolve
from provstore.lineage.stated import ANY, Source, column_sources, explicit_sources, parsed_json
from provstore.views.edges import Relation
from provstore.vocab import PS

DIRECT, POSSIBLE, INFLUENCE = 0, 1, 2
_CERTAINTY = ("certain", "possible", "influence")

Spot = tuple[int, str]  # a state (or another entity) and a column of it


@dataclass(frozen=True, slots=True)
class ColumnQuestion:
    """Upstream or downstream of one column of a dataset (all of its states) or of one state.

    With `stop_at_masked`, steps that mask the value are not followed. `at` and `as_of` as in `Question`.
    """

    entity: str
    column: str
    direction: str = "downstream"
    depth: int | None = None
    stop_at_masked: bool = False
    at: int | None = None
    as_of: str | None = None
    limit: int = 1000
    cursor: str | None = None

    def __post_init__(self) -> None:
        if self.direction not in ("upstream", "downstream"):
            raise QueryRefused(f"'direction' is one of upstream, downstream; got {self.direction[:60]!r}")
        if not self.column:
            raise QueryRefused("'column' is the name of a column, as in column=risk_score")
        if self.depth is not None and self.depth < 1:
            raise QueryRefused(f"'depth' is a number of steps from 1 on, got {self.depth}")
        if not 1 <= self.limit <= MAX_PAGE:
            raise QueryRefused(f"'limit' is a number from 1 to {MAX_PAGE}, got {self.limit}")


@dataclass(frozen=True, slots=True)
class Column:
    """One column that was reached; of an entity that has no columns, `column` is `*`."""

    state: str
    column: str
    kind: str
    certainty: str
    depth: int
    dataset: str | None = None

    def json(self) -> dict[str, Any]:
        return {name: value for name in self.__slots__ if (value := getattr(self, name)) is not None}


@dataclass(frozen=True, slots=True)
class ColumnEdge:
    """The subject's column comes from the object's; `by` says how that is known, `masking` that the value is hidden."""

    subject: str
    column: str
    object: str
    from_column: str
    certainty: str
    by: str
    transformations: tuple[str, ...] = ()
    masking: bool = False
    record: str | None = None

    def json(self) -> dict[str, Any]:
        return {name: value for name in self.__slots__ if (value := getattr(self, name)) not in (None, (), False)}


@dataclass(frozen=True, slots=True)
class ColumnPage:
    index: int
    total: int
    columns: list[Column]
    edges: list[ColumnEdge]
    next: str | None

    def json(self) -> dict[str, Any]:
        return {
            "index": self.index,
            "total": self.total,
            "columns": [each.json() for each in self.columns],
            "edges": [each.json() for each in self.edges],
            "next": self.next,
        }


@dataclass(frozen=True, slots=True)
class _Step:
    """From a made column to one that it was made of."""

    made: Spot
    source: Spot
    rank: int
    by: str
    transformations: tuple[str, ...] = ()
    masking: bool = False
    record: str | None = None


def columns(graph: LineageGraph, question: ColumnQuestion) -> ColumnPage:
    """Every column on the way, nearest first; the edges of a page lead to its columns."""
    at, offset = place(question.cursor, question.at)
    moment = moment_of(graph, at, question.as_of)
    node = resolve(moment, question.entity)
    up = question.direction == "upstream"
    start = {(state, question.column) for state in moment.starting(node, up=up) if moment.exists(state)}
    found = _Reach(moment, up=up, depth=question.depth, stop_at_masked=question.stop_at_masked).from_(start)
    order = sorted((spot for spot in found if spot not in start), key=lambda s: (found[s].depth, s))
    page = order[offset : offset + question.limit]
    after = offset + question.limit
    edges = [_told_edge(graph, step) for spot in page for step in found[spot].steps]
    return ColumnPage(
        moment.at,
        len(order),
        [_told(moment, spot, found[spot].rank, found[spot].depth) for spot in page],
        sorted(edges, key=lambda e: (e.subject, e.column, e.object, e.from_column)),
        f"{moment.at}.{after}" if after < len(order) else None,
    )


def reached(moment: Moment, start: set[Spot], *, stop_at_masked: bool = False) -> dict[int, tuple[int, int]]:
    """What comes from some columns: each entity → how surely (DIRECT, POSSIBLE, INFLUENCE), in how many steps."""
    best: dict[int, tuple[int, int]] = {}
    for (entity, _), found in _Reach(moment, up=False, depth=None, stop_at_masked=stop_at_masked).from_(start).items():
        best[entity] = min(best.get(entity, (found.rank, found.depth)), (found.rank, found.depth))
    return best


@dataclass(slots=True)
class _Found:
    rank: int
    depth: int
    steps: list[_Step]


class _Reach:
    """One walk: all direct steps first, then those that are only possible, then influences."""

    def __init__(self, moment: Moment, *, up: bool, depth: int | None, stop_at_masked: bool) -> None:
        self._moment, self._up, self._depth, self._stop_at_masked = moment, up, depth, stop_at_masked
        self._steps = _Steps(moment)
        self._taken: dict[Spot, list[_Step]] = {}

    def from_(self, start: set[Spot]) -> dict[Spot, _Found]:
        found = {spot: _Found(DIRECT, 0, []) for spot in start}
        for rank in (DIRECT, POSSIBLE, INFLUENCE):
            frontier = set(found)
            while frontier:
                frontier = self._layer(frontier, rank, found)
        for spot in found:
            for step in self._taken.get(spot, ()):
                if (end := self._end(step)) in found:
                    found[end].steps.append(step)
        return found

    def _end(self, step: _Step) -> Spot:
        return step.source if self._up else step.made

    def _layer(self, frontier: set[Spot], rank: int, found: dict[Spot, _Found]) -> set[Spot]:
        """The spots that come in by one step more, no step of theirs less sure than a rank."""
        new: set[Spot] = set()
        for spot in sorted(frontier):
            if self._depth is not None and found[spot].depth >= self._depth:
                continue
            for step in self._from(spot):
                end = self._end(step)
                if step.rank <= rank and end not in found:
                    found[end] = _Found(max(found[spot].rank, step.rank), found[spot].depth + 1, [])
                    new.add(end)
        return new

    def _from(self, spot: Spot) -> list[_Step]:
        steps = self._taken.get(spot)
        if steps is None:
            every = self._steps.up(spot) if self._up else self._steps.down(spot)
            steps = self._taken[spot] = [
                s for s in every if not (s.masking and self._stop_at_masked) and self._moment.exists(self._end(s)[0])
            ]
        return steps


class _Steps:
    """Single steps of column lineage, read from the facets in force at a moment."""

    def __init__(self, moment: Moment) -> None:
        self._moment = moment
        self._stated: dict[int, list[_Step] | None] = {}

    def up(self, spot: Spot) -> Iterator[_Step]:
        state, column = spot
        stated = self.stated(state)
        for step in stated or ():
            if column == ANY or step.made[1] in (column, ANY):
                yield _Step(spot, step.source, step.rank, step.by, step.transformations, step.masking, step.record)
        yield from self._same(spot, up=True, unless_stated=stated is not None)

    def down(self, spot: Spot) -> Iterator[_Step]:
        state, column = spot
        moment = self._moment
        for run in moment.subjects(state, Relation.USED):
            for made in moment.subjects(run, Relation.GENERATED):
                for step in self.stated(made) or ():
                    if step.source[0] == state and (column == ANY or step.source[1] in (column, ANY)):
                        yield _Step(
                            step.made, spot, step.rank, step.by, step.transformations, step.masking, step.record
                        )
        yield from self._same(spot, up=False, unless_stated=True)

    def _same(self, spot: Spot, *, up: bool, unless_stated: bool) -> Iterator[_Step]:
        """Steps that relations between states give: the same column where a state was read or kept, else any."""
        state, column = spot
        moment = self._moment
        for relation, rank in ((Relation.DERIVED, DIRECT), (Relation.POSSIBLE, POSSIBLE)):
            ends = moment.objects(state, relation) if up else moment.subjects(state, relation)
            for end in ends:
                made, source = (state, end) if up else (end, state)
                if (self.stated(made) is not None) and not self._carries(made, source):
                    continue  # its columns are stated, and this is not how they came
                if self._carries(made, source):
                    where = (end, column)
                    pair = (spot, where) if up else (where, spot)
                    yield _Step(*pair, rank, "same column")
                else:
                    pair = (spot, (end, ANY)) if up else ((end, ANY), spot)
                    yield _Step(*pair, POSSIBLE, "columns not stated")

    def _carries(self, made: int, source: int) -> bool:
        """Whether all columns of one state are those of the other: read as it was, kept by a write, or renamed."""
        kinds = self._moment.kind(made), self._moment.kind(source)
        if kinds == ("ReadState", "WriteState"):
            return True
        if kinds == ("WriteState", "WriteState"):
            return source in self._moment.objects(made, Relation.PREVIOUS)
        return kinds == ("WriteState", "ReadState") and self._basis(made, source) == PS.Rename[1:-1]

    def _basis(self, made: int, source: int) -> str:
        row = self._moment.graph.database.execute(
            "SELECT n.iri FROM edge e JOIN node n ON n.id = e.basis WHERE e.subject = ? AND e.relation = ?"
            " AND e.object = ? AND e.since <= ? AND COALESCE(e.until, 2147483647) > ?",
            (made, Relation.DERIVED, source, self._moment.at, self._moment.at),
        ).fetchone()
        return str(row[0]) if row else ""

    def stated(self, state: int) -> list[_Step] | None:
        """The column lineage that is stated of a write; None where none is."""
        if state not in self._stated:
            self._stated[state] = self._read(state) if self._moment.kind(state) == "WriteState" else None
        return self._stated[state]

    def _read(self, state: int) -> list[_Step] | None:
        moment = self._moment
        makers, asset = moment.objects(state, Relation.GENERATED), moment.asset(state)
        if not makers or asset is None:
            return None
        reads = self._reads(makers)
        dataset = moment.graph.iri_of(asset)
        explicit = [
            source for facet, record in self._of_jobs(makers) for source in explicit_sources(facet, record, dataset)
        ]
        if explicit:
            return _steps(state, explicit, reads, "lineage")
        held = self._in_force(state)
        if held is None:
            return None
        stated = list(column_sources(*held))
        return _steps(state, stated, reads, "columnLineage") if stated else None

    def _reads(self, makers: list[int]) -> dict[str, int]:
        """Dataset IRI → the state of it that the makers of a write read."""
        moment, found = self._moment, dict[str, int]()
        for maker in makers:
            for used in moment.objects(maker, Relation.USED):
                if moment.kind(used) == "ReadState" and (asset := moment.asset(used)):
                    found.setdefault(moment.graph.iri_of(asset), used)
        return found

    def _in_force(self, state: int) -> tuple[Any, str] | None:
        """The columnLineage facet of a state by the last assertion in merge order, and the record that made it."""
        rows = self._facets(state)
        return rows[-1] if rows and not rows[-1][0].get("_deleted") else None

    def _of_jobs(self, makers: list[int]) -> Iterator[tuple[Any, str]]:
        """The lineage facets that the events of a run state of its job."""
        moment = self._moment
        for maker in makers:
            said = {record_at(moment.graph, index) for index in moment.objects(maker, Relation.ABOUT)}
            for job in moment.objects(maker, Relation.JOB):
                yield from ((facet, record) for facet, record in self._facets(job) if record in said)

    def _facets(self, subject: int) -> list[tuple[Any, str]]:
        rows = self._moment.graph.database.execute(
            "SELECT c.json, r.iri FROM edge e JOIN node v ON v.id = e.object JOIN content c ON c.iri = v.iri"
            " JOIN node n ON n.id = e.evidence JOIN record r ON r.iri = n.iri"
            " WHERE e.subject = ? AND e.relation = ? AND e.since <= ? AND COALESCE(e.until, 2147483647) > ?"
            " ORDER BY r.ord, c.iri DESC",
            (subject, Relation.COLUMNS, self._moment.at, self._moment.at),
        )
        parsed = [(parsed_json(text), str(record)) for text, record in rows]
        return [(value, record) for value, record in parsed if isinstance(value, dict)]


def _steps(state: int, stated: Iterable[Source], reads: dict[str, int], by: str) -> list[_Step]:
    """What is stated as steps to the states that were read; a source that nobody read leads nowhere."""
    return [
        _Step(
            (state, target),
            (reads[dataset], column),
            DIRECT if direct and column != ANY and target != ANY else POSSIBLE if direct else INFLUENCE,
            by,
            transformations,
            masking,
            record,
        )
        for target, dataset, column, direct, transformations, masking, record in stated
        if dataset in reads
    ]


def _told(moment: Moment, spot: Spot, rank: int, depth: int) -> Column:
    state, column = spot
    asset = moment.asset(state)
    return Column(
        moment.graph.iri_of(state),
        column,
        moment.kind(state),
        _CERTAINTY[rank],
        depth,
        moment.graph.iri_of(asset) if asset else None,
    )


def _told_edge(graph: LineageGraph, step: _Step) -> ColumnEdge:
    return ColumnEdge(
        graph.iri_of(step.made[0]),
        step.made[1],
        graph.iri_of(step.source[0]),
        step.source[1],
        _CERTAINTY[step.rank],
        step.by,
        step.transformations,
        step.masking,
        step.record,
    )
