"""What a job is made of: its kind, its source, the engine's query, where the code lies."""

from __future__ import annotations

import re

from provstore import rdf
from provstore.capture.facets.graph import Graph, Object, inner
from provstore.vocab import PROV, PS, SCHEMA

_COMMIT = re.compile(r"[0-9a-fA-F]{40}\Z")


def source_code_location(graph: Graph, facet: Object) -> None:
    graph.say_link(graph.node, PS.repository, facet, "repoUrl")
    graph.say_text(graph.node, SCHEMA.additionalType, facet, "type")
    for member, predicate in (("url", PS.codeUrl), ("path", PS.path), ("branch", PS.branch), ("tag", PS.tag)):
        graph.say_text(graph.node, predicate, facet, member)
    graph.say_text(graph.node, PS.pullRequest, facet, "pullRequestNumber")
    commit = graph.text(facet, "version")
    if commit is None:
        return
    graph.say(graph.node, PS.commit, rdf.literal(commit))
    if _COMMIT.match(commit):
        revision = f"<urn:swh:1:rev:{commit.lower()}>"  # ISO/IEC 18670 SWHID
        graph.say(graph.node, PS.codeVersion, revision)
        graph.type(revision, PROV.Entity, PS.CodeVersion)


def source_code(graph: Graph, facet: Object) -> None:
    graph.type(graph.node, SCHEMA.SoftwareSourceCode)
    graph.say_text(graph.node, SCHEMA.programmingLanguage, facet, "language")
    graph.say_text(graph.node, SCHEMA.text, facet, "sourceCode")


def sql(graph: Graph, facet: Object) -> None:
    graph.say_text(graph.node, PS.sql, facet, "query")
    graph.say_text(graph.node, PS.dialect, facet, "dialect")


def job_type(graph: Graph, facet: Object) -> None:
    for member, predicate in (
        ("processingType", PS.processingType),
        ("integration", PS.integration),
        ("jobType", PS.jobType),
    ):
        graph.say_text(graph.node, predicate, facet, member)
    pattern = inner(facet, "emissionPattern")
    graph.say_text(graph.node, PS.eventTrigger, pattern, "eventTrigger")
    graph.say_text(graph.node, PS.eventContentMode, pattern, "eventContentMode")
    seconds = graph.whole(pattern, "windowDuration")
    if seconds is not None and seconds >= 0:
        graph.say(graph.node, PS.windowDuration, rdf.literal(f"PT{seconds}S", f"{rdf.XSD}dayTimeDuration"))
