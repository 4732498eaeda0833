"""What the file of a profile says: its head, its rules in words with examples, and what it inherits.

A profile that is `prof:isProfileOf` another has all rules of that, too. Everything here is read with rdflib, so files
of strangers are for a worker to read.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from functools import cache

from rdflib import Graph
from rdflib.namespace import DCTERMS, OWL, PROF, RDF, RDFS, SH
from rdflib.term import Node, URIRef

from provstore.errors import InvalidInput
from provstore.validation.examples import graphs, head
from provstore.validation.figure import boxes
from provstore.validation.profiles import Profile, Registry, Rule, Version
from provstore.validation.results import OF_SHACL
from provstore.validation.wording import Wording

_SEVERITIES = {SH[name]: word for name, word in OF_SHACL.items()}
_PS = "https://w3id.org/provstore/ns#"
_TARGETS = (SH.targetClass, SH.targetSubjectsOf, SH.targetObjectsOf, SH.targetNode, SH.target)


# --- files -----------------------------------------------------------------------------------------------------------


def parsed(data: bytes, iri: str) -> Graph:
    """The triples of a Turtle file, relative to an IRI; InvalidInput, with the line where it is known."""
    try:
        return Graph(bind_namespaces="none").parse(data=data, format="turtle", publicID=iri)
    except RecursionError as error:
        raise InvalidInput("not Turtle that can be read: brackets stand in brackets too many times") from error
    except Exception as error:  # rdflib's parser lets through whatever Python raises
        line, why = getattr(error, "lines", None), getattr(error, "_why", "")
        said = why or next((each for each in str(error).splitlines() if each.strip()), type(error).__name__)
        raise InvalidInput(f"not Turtle: {said[:300]}", line=line + 1 if isinstance(line, int) else None) from error


@cache
def own_graph(version: Version) -> Graph:
    """The triples of one version's own file; not to be changed."""
    return parsed(version.read(), version.iri)


def parents(graph: Graph, registry: Registry) -> tuple[list[Version], list[str]]:
    """The versions that a file says it is a profile of (ours, and the IRIs of others), in the order of their IRIs."""
    said = sorted({str(each) for each in graph.objects(None, PROF.isProfileOf)})
    found = [(iri, registry.of_iri(iri)) for iri in said]
    return [each for _, each in found if each], [iri for iri, each in found if not each]


def lineage(version: Version, registry: Registry) -> list[Version]:
    """A version and all it inherits from, itself first; InvalidInput for a cycle, or two versions of one profile."""
    found: dict[str, Version] = {}
    _follow(version, registry, (), found)
    names: dict[str, Version] = {}
    for each in found.values():
        other = names.setdefault(each.name, each)
        if other is not each:
            raise InvalidInput(f"{version.token} inherits from {other.token} and from {each.token}: leave one out")
    return list(found.values())


def _follow(version: Version, registry: Registry, way: tuple[str, ...], found: dict[str, Version]) -> None:
    if version.token in way:
        raise InvalidInput(f"a profile cannot inherit from itself: {' → '.join([*way, version.token])}")
    found.setdefault(version.token, version)
    for parent in parents(own_graph(version), registry)[0]:
        _follow(parent, registry, (*way, version.token), found)


@cache
def shapes(version: Version, registry: Registry) -> Graph:
    """The triples of a version and of all it inherits from; not to be changed."""
    first, *others = lineage(version, registry)
    if not others:
        return own_graph(first)
    whole = Graph()
    for each in (first, *others):
        for triple in own_graph(each):
            whole.add(triple)
        for prefix, iri in own_graph(each).namespaces():
            whole.bind(prefix, iri, override=False)
    return whole


# --- a profile -------------------------------------------------------------------------------------------------------


@cache
def described(version: Version, registry: Registry) -> Profile:
    """What a version says of itself; InvalidInput where it cannot be read or inherits what it must not."""
    graph = own_graph(version)
    whole = lineage(version, registry)
    ours, others = parents(graph, registry)
    me = _head(graph, version)
    order = list(OF_SHACL.values())
    rules = {rule.shape: rule for each in reversed(whole) for rule in _rules(each)}
    return Profile(
        version.name,
        str(version.number),
        one(graph, me, DCTERMS.title) or one(graph, me, RDFS.label) or version.name,
        one(graph, me, DCTERMS.description) or one(graph, me, RDFS.comment),
        tuple(sorted(rules.values(), key=lambda rule: (order.index(rule.severity), rule.shape))),
        version.iri,
        one(graph, me, DCTERMS.issued),
        one(graph, me, DCTERMS.license),
        version.digest(),
        version.shipped,
        tuple(each.token for each in ours),
        tuple(each.token for each in whole[1:]),
        tuple(others),
        head(version.examples().decode()),
        boxes(graph, named(graph)),
    )


def job(task: tuple[Registry, str]) -> Profile:
    """`described` for a worker process, by the name of the version."""
    registry, named = task
    return described(registry.find(named), registry)


def _head(graph: Graph, version: Version) -> Node:
    """What the file says it is: its own IRI, or the one thing that is called an ontology or a profile."""
    if (URIRef(version.iri), None, None) in graph:
        return URIRef(version.iri)
    kinds = (PROF.Profile, OWL.Ontology)
    return next(
        (each for kind in kinds for each in sorted(graph.subjects(RDF.type, kind), key=str)), URIRef(version.iri)
    )


def one(graph: Graph, subject: Node, predicate: URIRef) -> str:
    """The text of one value, the English one where there are several; empty where there is none."""
    values = sorted(
        graph.objects(subject, predicate), key=lambda each: (getattr(each, "language", "") != "en", str(each))
    )
    return str(values[0]) if values else ""


def named(graph: Graph) -> list[URIRef]:
    """The shapes of a graph that have an IRI and are held against something, or are called shapes."""
    kinds = {s for kind in (SH.NodeShape, SH.PropertyShape) for s in graph.subjects(RDF.type, kind)}
    targeting = {s for predicate in _TARGETS for s in graph.subjects(predicate, None)}
    return sorted(each for each in kinds | targeting if isinstance(each, URIRef))


def severity(graph: Graph, shape: Node) -> str:
    """MUST, SHOULD or MAY; a severity that SHACL does not know counts as MUST."""
    return _SEVERITIES.get(URIRef(one(graph, shape, SH.severity) or SH.Violation), "MUST")


def _rules(version: Version) -> Iterator[Rule]:
    graph = own_graph(version)
    wording = Wording(graph)
    examples = list(graphs(version.examples().decode()))
    for shape in named(graph):
        path = graph.value(shape, SH.path)
        name = str(shape).rpartition("#")[2]
        yield Rule(
            str(shape),
            severity(graph, shape),
            one(graph, shape, SH.message),
            one(graph, shape, DCTERMS.source),
            version.token,
            tuple(_targets(graph, shape, wording)),
            wording.path(path) if path is not None else "",
            tuple(wording.constraints(shape)),
            one(graph, shape, URIRef(f"{_PS}add")),
            one(graph, shape, URIRef(f"{_PS}remove")),
            tuple(text for key, text in examples if key.startswith(f"{name}.fails")),
            tuple(text for key, text in examples if key.startswith(f"{name}.passes")),
            "\n\n".join(_queries(graph, shape)),
        )


def _targets(graph: Graph, shape: Node, wording: Wording) -> list[str]:
    """What a shape is held against in words; of a property shape without targets, those of the shapes that have it."""
    level, seen = [shape], {shape}
    while level:
        found = [text for each in level for text in wording.targets(each)]
        if found:
            return list(dict.fromkeys(found))
        level = [above for each in level for above in graph.subjects(SH.property, each) if above not in seen]
        level.sort(key=str)
        seen.update(level)
    return []


def _queries(graph: Graph, shape: Node) -> list[str]:
    """The queries of a shape's constraints in SPARQL, as they are written."""
    texts = [str(each) for node in graph.objects(shape, SH.sparql) for each in graph.objects(node, SH.select)]
    return sorted(textwrap.dedent(text).strip() for text in texts)
