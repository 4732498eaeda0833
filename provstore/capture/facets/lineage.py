"""Explicit lineage: which datasets and jobs feed which, as the producer says outright."""

from __future__ import annotations

from collections.abc import Iterator

from provstore import iris, rdf
from provstore.capture.facets.columns import say_source, say_transformations
from provstore.capture.facets.graph import FacetError, Graph, Object, listed, objects, token
from provstore.vocab import PROV, PS

_Place = tuple[str, str | None, Object]  # pointer, target column, source


def lineage(graph: Graph, facet: Object) -> None:
    """Edges between datasets, and edges of which an end is a job; a job that is not named is the event's own."""
    if "entries" not in facet:
        _entry(graph, "", facet, None)
        return
    for index, entry in enumerate(listed(facet, "entries")):
        pointer = f"/entries/{index}"
        if _is_job(entry):
            for place, _, source in _sources(entry, pointer):
                node = _job_edge(graph, place, source)
                _end(graph, node, entry, PS.targetJob, PS.targetRun)
            continue
        target = f"<{graph.dataset(graph.needed(entry, 'namespace'), graph.needed(entry, 'name'))}>"
        _entry(graph, pointer, entry, target)
        if entry.get("inputs") == [] and not entry.get("fields"):
            graph.say(graph.node, PS.untracked, target)


def _entry(graph: Graph, pointer: str, entry: Object, target: str | None) -> None:
    for place, column, source in _sources(entry, pointer):
        if _is_job(source):
            node = _job_edge(graph, place, source)
        else:
            node = graph.at(place)
            graph.say(graph.node, PS.lineageEdge, node)
            say_source(graph, node, source)
        if target:
            graph.say(node, PS.targetDataset, target)
        if column is not None:
            graph.say(node, PS.targetColumn, rdf.literal(column))


def _job_edge(graph: Graph, place: str, source: Object) -> str:
    """An edge of which the target, the source or both are a job; what it says of its source."""
    node = graph.at(place)
    graph.say(graph.node, PS.jobEdge, node)
    if _is_job(source):
        _end(graph, node, source, PS.sourceJob, PS.sourceRun)
        say_transformations(graph, node, source)
    else:
        say_source(graph, node, source)
    return node


def _end(graph: Graph, node: str, named: Object, job: str, run: str) -> None:
    """The job and run at one end of an edge, as far as they are named."""
    if named.get("namespace") is not None or named.get("name") is not None:
        iri = graph.job(graph.needed(named, "namespace"), graph.needed(named, "name"))
        graph.say(node, job, f"<{iri}>")
    if named.get("runId") is not None:
        graph.say(node, run, run_node(graph, named))


def run_node(graph: Graph, holder: Object) -> str:
    """The node of the run that `runId` names, typed."""
    node = f"<{iris.run(iris.run_id(graph.needed(holder, 'runId'))[0])}>"
    graph.type(node, PROV.Activity, PS.Run)
    return node


def _is_job(named: Object) -> bool:
    kind = named.get("type", "DATASET")
    if kind not in ("DATASET", "JOB"):
        raise FacetError(f"'type' must be DATASET or JOB, got {str(kind)[:60]!r}")
    return bool(kind == "JOB")


def _sources(entry: Object, pointer: str) -> Iterator[_Place]:
    for index, source in enumerate(listed(entry, "inputs")):
        yield f"{pointer}/inputs/{index}", None, source
    for column, field in objects(entry, "fields"):
        for index, source in enumerate(listed(field, "inputs")):
            yield f"{pointer}/fields/{token(column)}/inputs/{index}", column, source


def lineage_sources(entry: Object) -> Iterator[tuple[str | None, Object]]:
    """The dataset sources of an entry of a lineage facet, each with the target column where it has one."""
    for _, column, source in _sources(entry, ""):
        if not _is_job(source):
            yield column, source
