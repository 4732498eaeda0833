"""What Google Cloud's producers say: identifiers in its own systems, versions, and where a job is defined."""

from __future__ import annotations

from provstore.capture.facets.graph import Graph, Object, inner
from provstore.capture.facets.runs import say_engine
from provstore.vocab import DCT, PS, SCHEMA

DATAPROC = (
    *("appId", "projectId", "batchId", "batchUuid", "clusterName", "clusterUuid", "jobId", "jobUuid"),
    *("queryNodeName", "sessionId", "sessionUuid"),
)


def composer_run(graph: Graph, facet: Object) -> None:
    _identifiers(graph, facet, "dagRunId")


def composer_job(graph: Graph, facet: Object) -> None:
    _identifiers(graph, facet, "environmentName", "dagId", "taskId")
    graph.say_text(graph.node, SCHEMA.additionalType, facet, "operator")
    for name, member in (("Airflow", "airflowVersion"), ("Cloud Composer", "composerVersion")):
        version = graph.text(facet, member)
        if version:
            say_engine(graph, name, version)


def dataproc(graph: Graph, facet: Object) -> None:
    _identifiers(graph, facet, *DATAPROC)
    graph.say_text(graph.node, SCHEMA.name, facet, "appName")
    graph.say_text(graph.node, PS.jobType, facet, "jobType")


def lineage(graph: Graph, facet: Object) -> None:
    graph.say_text(graph.node, SCHEMA.name, facet, "displayName")
    origin = inner(facet, "origin")
    graph.say_text(graph.node, PS.externalSystem, origin, "sourceType")
    graph.say_text(graph.node, DCT.identifier, origin, "name")


def _identifiers(graph: Graph, facet: Object, *members: str) -> None:
    for member in members:
        value = graph.text(facet, member)
        if value is not None:
            graph.say_property(graph.node, SCHEMA.identifier, graph.at(f"/{member}"), member, value)
