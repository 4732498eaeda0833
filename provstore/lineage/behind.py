"""What is behind a thing: the records that say or are evidence for each step of its lineage, and all that it names."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from provstore.lineage.ask import Asked
from provstore.lineage.graph import LineageGraph
from provstore.lineage.moment import LINEAGE, Moment
from provstore.lineage.questions import MAX_PAGE, Question, lineage, moment_of, resolve
from provstore.views.edges import Relation


def behind(entity: str, depth: int | None, at: int) -> Asked:
    """The question of what is behind a thing, recorded by a ledger index.

    Its answer has `records`, the IRIs of records that make or are evidence for a statement on the way upstream, and
    `things`, the IRIs of the thing, of all that was met, and of the activities that made, read or wrote it.
    """
    question = Question(entity, depth=depth, at=at, limit=MAX_PAGE)
    return Asked(lambda graph: _behind(graph, question), "records", ())


def _behind(graph: LineageGraph, question: Question) -> dict[str, Any]:
    moment = moment_of(graph, question.at, None)
    start = moment.starting(resolve(moment, question.entity), up=True)
    nodes, _ = moment.walk(start, LINEAGE, up=True, depth=question.depth)
    things = start.union(nodes.tolist())
    things |= {activity for thing in things for activity in _activities(moment, thing)}
    return {
        "index": graph.index,
        "records": sorted(_records(graph, question)),
        "things": sorted({question.entity, *(graph.iri_of(each) for each in things)}),
    }


def _activities(moment: Moment, thing: int) -> set[int]:
    """What made a thing; of a read, who read it."""
    made = set(moment.objects(thing, Relation.GENERATED))
    return made | set(moment.subjects(thing, Relation.USED)) if moment.kind(thing) == "ReadState" else made


def _records(graph: LineageGraph, question: Question) -> set[str]:
    found: set[str] = set()
    while True:
        page = lineage(graph, question)
        found.update(edge.record for edge in page.edges if edge.record)
        if page.next is None:
            return found
        question = replace(question, cursor=page.next)
