"""The circumstances of a run: when it was due, what ran it and how, what failed, what it waited for."""

from __future__ import annotations

from provstore import iris, rdf
from provstore.capture.facets.graph import Graph, Object, inner, listed
from provstore.capture.facets.lineage import run_node
from provstore.vocab import DCT, PROV, PS, SCHEMA


def nominal_time(graph: Graph, facet: Object) -> None:
    graph.say_time(graph.node, PS.nominalStart, facet, "nominalStartTime")
    graph.say_time(graph.node, PS.nominalEnd, facet, "nominalEndTime")


def parent(graph: Graph, facet: Object) -> None:
    """Nothing here: whose parent this is, only the record can say, and it does."""


def error_message(graph: Graph, facet: Object) -> None:
    graph.say_text(graph.node, PS.message, facet, "message")
    graph.say_text(graph.node, PS.programmingLanguage, facet, "programmingLanguage")
    graph.say_text(graph.node, PS.stackTrace, facet, "stackTrace")


def extraction_error(graph: Graph, facet: Object) -> None:
    """Lineage that the producer knows to be incomplete: how many of its tasks failed, and why."""
    graph.say_whole(graph.node, PS.totalTasks, facet, "totalTasks")
    graph.say_whole(graph.node, PS.failedTasks, facet, "failedTasks")
    for index, error in enumerate(listed(facet, "errors")):
        node = graph.at(f"/errors/{index}")
        graph.say(graph.node, DCT.hasPart, node)
        graph.say_text(node, PS.message, error, "errorMessage")
        graph.say_text(node, PS.stackTrace, error, "stackTrace")
        graph.say_text(node, PS.task, error, "task")
        graph.say_whole(node, SCHEMA.position, error, "taskNumber")


def processing_engine(graph: Graph, facet: Object) -> None:
    """The engine as an agent, one for each version; one without a name is known by its version only."""
    say_engine(graph, graph.text(facet, "name"), graph.text(facet, "version"))
    graph.say_text(graph.node, PS.adapterVersion, facet, "openlineageAdapterVersion")


def say_engine(graph: Graph, name: str | None, version: str | None) -> None:
    if not name:
        if version:
            graph.say(graph.node, SCHEMA.softwareVersion, rdf.literal(version))
        return
    agent = f"<{iris.agent(graph.base, 'software', f'{name} {version}' if version else name)}>"
    graph.say(graph.node, PS.engine, agent)
    graph.type(agent, PROV.Agent, PROV.SoftwareAgent)
    graph.say(agent, SCHEMA.name, rdf.literal(name))
    if version:
        graph.say(agent, SCHEMA.softwareVersion, rdf.literal(version))


def environment_variables(graph: Graph, facet: Object) -> None:
    for index, each in enumerate(listed(facet, "environmentVariables")):
        node = graph.at(f"/environmentVariables/{index}")
        name, value = graph.needed(each, "name"), graph.text(each, "value")
        graph.say_property(graph.node, PS.environmentVariable, node, name, value or "")


def execution_parameters(graph: Graph, facet: Object) -> None:
    for index, each in enumerate(listed(facet, "parameters")):
        node = graph.at(f"/parameters/{index}")
        graph.say(graph.node, DCT.hasPart, node)
        graph.type(node, SCHEMA.PropertyValue)
        graph.say(node, PS.key, rdf.literal(graph.needed(each, "key")))
        graph.say_text(node, SCHEMA.name, each, "name")
        graph.say_text(node, DCT.description, each, "description")
        graph.say_text(node, PS.value, each, "value")


def external_query(graph: Graph, facet: Object) -> None:
    graph.say_text(graph.node, DCT.identifier, facet, "externalQueryId")
    graph.say_text(graph.node, PS.externalSystem, facet, "source")


def job_dependencies(graph: Graph, facet: Object) -> None:
    """Control flow, not data: the jobs that came before and come after, with the runs where they are known."""
    graph.say_text(graph.node, PS.triggerRule, facet, "trigger_rule")
    for member, predicate, job, run in (
        ("upstream", PS.upstream, PS.sourceJob, PS.sourceRun),
        ("downstream", PS.downstream, PS.targetJob, PS.targetRun),
    ):
        for index, each in enumerate(listed(facet, member)):
            node = graph.at(f"/{member}/{index}")
            graph.say(graph.node, predicate, node)
            _dependency(graph, node, each, job, run)


def _dependency(graph: Graph, node: str, each: Object, job: str, run: str) -> None:
    named = inner(each, "job")
    iri = graph.job(graph.needed(named, "namespace"), graph.needed(named, "name"))
    graph.say(node, job, f"<{iri}>")
    if each.get("run") is not None:
        graph.say(node, run, run_node(graph, inner(each, "run")))
    graph.say_text(node, PS.dependencyType, each, "dependency_type")
    graph.say_text(node, PS.sequenceRule, each, "sequence_trigger_rule")
    graph.say_text(node, PS.statusRule, each, "status_trigger_rule")
