"""Single steps of column lineage, from the facets in force at a moment and from how states are related."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from provstore.lineage.answer import record_at
from provstore.lineage.moment import Moment
from provstore.lineage.stated import (
    ANY,
    Said,
    Source,
    column_sources,
    entry_sources,
    explicit_sources,
    parsed_json,
)
from provstore.views.edges import Relation
from provstore.vocab import PS

DIRECT, POSSIBLE, INFLUENCE = 0, 1, 2

Spot = tuple[int, str]  # a state (or another entity) and a column of it


@dataclass(frozen=True, slots=True)
class Step:
    """From a made column to one that it was made of."""

    made: Spot
    source: Spot
    rank: int
    by: str
    transformations: tuple[str, ...] = ()
    masking: bool = False
    record: str | None = None


class Steps:
    """Single steps of column lineage, read from the facets in force at a moment."""

    def __init__(self, moment: Moment) -> None:
        self._moment = moment
        self._stated: dict[int, list[Step] | None] = {}

    def up(self, spot: Spot) -> Iterator[Step]:
        state, column = spot
        stated = self.stated(state)
        for step in stated or ():
            if column == ANY or step.made[1] in (column, ANY):
                yield Step(spot, step.source, step.rank, step.by, step.transformations, step.masking, step.record)
        yield from self._same(spot, up=True)

    def down(self, spot: Spot) -> Iterator[Step]:
        state, column = spot
        moment = self._moment
        for run in moment.subjects(state, Relation.USED):
            for made in moment.subjects(run, Relation.GENERATED):
                for step in self.stated(made) or ():
                    if step.source[0] == state and (column == ANY or step.source[1] in (column, ANY)):
                        yield Step(step.made, spot, step.rank, step.by, step.transformations, step.masking, step.record)
        yield from self._same(spot, up=False)

    def _same(self, spot: Spot, *, up: bool) -> Iterator[Step]:
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
                    yield Step(*pair, rank, "same column")
                else:
                    pair = (spot, (end, ANY)) if up else ((end, ANY), spot)
                    yield Step(*pair, POSSIBLE, "columns not stated")

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

    def stated(self, state: int) -> list[Step] | None:
        """The column lineage that is stated of a write; None where none is."""
        if state not in self._stated:
            self._stated[state] = self._read(state) if self._moment.kind(state) == "WriteState" else None
        return self._stated[state]

    def _read(self, state: int) -> list[Step] | None:
        moment = self._moment
        makers, asset = moment.objects(state, Relation.GENERATED), moment.asset(state)
        if not makers or asset is None:
            return None
        reads = self._reads(makers)
        dataset = moment.graph.iri_of(asset)
        own = _accumulated(self._facets(state, "lineage"))
        of_jobs = [each for maker in makers for each in self._of_jobs(maker)]
        if own or of_jobs:  # then it is the whole lineage of the output
            sources = [each for facet, record in of_jobs for each in explicit_sources(facet, record, dataset)]
            sources += [each for facet, record in own for each in entry_sources(facet, record)]
            return _steps(state, sources, reads, "lineage")
        held = self._in_force(state)
        stated = list(column_sources(*held)) if held else []
        return _steps(state, stated, reads, "columnLineage") if stated else None

    def _reads(self, makers: list[int]) -> dict[str, int]:
        """Dataset IRI → the state of it that the makers of a write read."""
        moment, found = self._moment, dict[str, int]()
        for maker in makers:
            for used in moment.objects(maker, Relation.USED):
                if moment.kind(used) == "ReadState" and (asset := moment.asset(used)):
                    found.setdefault(moment.graph.iri_of(asset), used)
        return found

    def _in_force(self, state: int) -> Said | None:
        """The columnLineage facet of a state by the last assertion in merge order, and the record that made it."""
        rows = self._facets(state, "columnLineage")
        return rows[-1] if rows and rows[-1][0].get("_deleted") is not True else None

    def _of_jobs(self, maker: int) -> list[Said]:
        """The lineage facets that the events of a run state of its job."""
        moment = self._moment
        heard = {record_at(moment.graph, index) for index in moment.objects(maker, Relation.ABOUT)}
        found = [
            _accumulated([each for each in self._facets(job, "lineage") if each[1] in heard])
            for job in moment.objects(maker, Relation.JOB)
        ]
        return [each for facets in found for each in facets if isinstance(each[0].get("entries"), list)]

    def _facets(self, subject: int, key: str) -> list[Said]:
        """What records say by a facet of a subject, in merge order."""
        rows = self._moment.graph.database.execute(
            "SELECT c.json, r.iri FROM edge e JOIN node v ON v.id = e.object JOIN content c ON c.iri = v.iri"
            " JOIN node k ON k.id = e.basis JOIN node n ON n.id = e.evidence JOIN record r ON r.iri = n.iri"
            " WHERE e.subject = ? AND e.relation = ? AND e.since <= ? AND COALESCE(e.until, 2147483647) > ?"
            " AND k.iri = ? ORDER BY r.ord, c.iri DESC",
            (subject, Relation.COLUMNS, self._moment.at, self._moment.at, key),
        )
        parsed = [(parsed_json(text), str(record)) for text, record in rows]
        return [(value, record) for value, record in parsed if isinstance(value, dict)]


#: What a lineage facet must have to say anything: of a job entries, of one output inputs or fields.
_SHAPES = (("entries", list), ("inputs", list), ("fields", dict))


def _accumulated(said: list[Said]) -> list[Said]:
    """Lineage facets add up over the events of a run; a deletion takes back what was said before it."""
    found: list[Said] = []
    for facet, record in said:
        if facet.get("_deleted") is True:
            found = []
        elif any(isinstance(facet.get(name), kind) for name, kind in _SHAPES):
            found.append((facet, record))
    return found


def _steps(state: int, stated: Iterable[Source], reads: dict[str, int], by: str) -> list[Step]:
    """What is stated as steps to the states that were read; a source that nobody read leads nowhere."""
    return [
        Step(
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
