"""Facet values as content graphs: named by their hash, said once however often a producer repeats them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import count
from typing import Any, Final

from provstore import iris, jcs, rdf, times
from provstore.capture.lines import Lines
from provstore.errors import InvalidInput
from provstore.model import Content
from provstore.vocab import DCT, PROV, PS

#: Name and version of the mapping; part of every content's name, so a change here makes new contents.
MAPPER: Final = "openlineage/1"

_CACHED_TEXT = 8192  # longer facets are not kept: the cache is bounded by bytes as well as by number
_COMMIT = re.compile(r"[0-9a-fA-F]{40}\Z")
# RFC 3986 in ASCII, narrower than an engine's own check, so that no engine refuses what is written here
_PCHAR = r"(?:[A-Za-z0-9._~!$&'()*+,;=-]|%[0-9A-Fa-f]{2}"  # left open: each part adds its own characters
_URL = re.compile(
    rf"[A-Za-z][A-Za-z0-9+.-]*://(?:{_PCHAR}|:)*@)?{_PCHAR})*(?::[0-9]{{1,5}})?"
    rf"(?:/{_PCHAR}|[:@/])*)?(?:[?]{_PCHAR}|[:@/?])*)?(?:#{_PCHAR}|[:@/?])*)?\Z"
)
_KINDS = {dict: "object", list: "list", str: "string", bool: "boolean", int: "number", float: "number"}

Object = dict[str, Any]


class FacetError(Exception):
    """The facet is not what its key promises; the message is for a Liberty."""


def kind_of(value: object) -> str:
    """The JSON name of a value's type."""
    return _KINDS.get(type(value), "null")


def content_of(key: str, facet: object, base: str) -> tuple[Content, tuple[str, ...]]:
    """The content graph of a facet value, and what is wrong with the value, if anything.

    A malformed or deleted facet keeps its JSON and promotes nothing. InvalidInput where the value has no canonical
    JSON (a lone surrogate, NaN) or is nested too deeply.
    """
    try:
        key.encode()
        text = jcs.dumps(facet)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"facet {key[:60]!r} has no canonical JSON: {error}") from error
    if len(text) > _CACHED_TEXT:
        return _content(base, key, text)
    return _cached_content(base, key, text)


def _content(base: str, key: str, text: str) -> tuple[Content, tuple[str, ...]]:
    facet = json.loads(text)
    iri, _ = iris.content(key, facet, MAPPER)
    graph = _Graph(base, iri)
    complaints: tuple[str, ...] = ()
    if not isinstance(facet, dict):
        complaints = (f"a facet must be an object, got {kind_of(facet)}",)
    elif facet.get("_deleted") is not True:
        try:
            _promote(graph, key, facet)
            complaints = tuple(graph.notes)
        except FacetError as error:
            graph.held.clear()
            complaints = (str(error),)
    graph.type(graph.node, PS.Content)
    graph.say(graph.node, PS.key, rdf.literal(key))
    graph.say(graph.node, PS.json, rdf.literal(text, f"{rdf.RDF}JSON"))
    return Content(iri, "".join(sorted(graph.held)).encode()), complaints


_cached_content = lru_cache(maxsize=2048)(_content)


class _Graph(Lines):
    __slots__ = ("iri", "node", "notes")

    def __init__(self, base: str, iri: str) -> None:
        super().__init__(base, iri)
        self.iri = iri
        self.node = f"<{iri}>"
        self.notes: list[str] = []

    def part(self, path: str) -> str:
        return f"<{self.iri}#/{path}>"

    def text(self, holder: Object, member: str) -> str | None:
        """A string member; a number is taken for its text, null for absence."""
        value = holder.get(member)
        if value is None or type(value) is str:
            return value
        if type(value) in (int, float):
            self.notes.append(f"{member!r} should be a string, got number")
            return jcs.dumps(value)
        raise FacetError(f"{member!r} must be a string, got {kind_of(value)}")

    def needed(self, holder: Object, member: str) -> str:
        value = self.text(holder, member)
        if not value:
            raise FacetError(f"{member!r} must be a non-empty string, got {kind_of(holder.get(member))}")
        return value

    def say_text(self, node: str, predicate: str, holder: Object, member: str) -> None:
        value = self.text(holder, member)
        if value is not None:
            self.say(node, predicate, rdf.literal(value))


def _list(holder: Object, member: str) -> list[Object]:
    """A list of objects; null counts as empty."""
    value = holder.get(member)
    if value is None:
        return []
    if not isinstance(value, list):
        raise FacetError(f"{member!r} must be a list, got {kind_of(value)}")
    for each in value:
        if not isinstance(each, dict):
            raise FacetError(f"{member!r} must hold objects, got {kind_of(each)}")
    return value


def _objects(holder: Object, member: str) -> list[tuple[str, Object]]:
    """The members of an object of objects, sorted by key; null counts as empty."""
    value = holder.get(member)
    if value is None:
        return []
    if not isinstance(value, dict):
        raise FacetError(f"{member!r} must be an object, got {kind_of(value)}")
    for key, each in value.items():
        if not isinstance(each, dict):
            raise FacetError(f"{key!r} in {member!r} must be an object, got {kind_of(each)}")
    return sorted(value.items())


def _schema(graph: _Graph, facet: Object) -> None:
    _fields(graph, graph.node, "", facet)


def _fields(graph: _Graph, parent: str, path: str, holder: Object) -> None:
    for index, field in enumerate(_list(holder, "fields")):
        node = graph.part(f"{path}{index}")
        graph.say(parent, PS.field, node)
        graph.say(node, PS.name, rdf.literal(graph.needed(field, "name")))
        graph.say_text(node, PS.type, field, "type")
        graph.say_text(node, DCT.description, field, "description")
        _fields(graph, node, f"{path}{index}/", field)


def _column_lineage(graph: _Graph, facet: Object) -> None:
    numbers = count()
    for target, entry in _objects(facet, "fields"):
        for source in _list(entry, "inputFields"):
            node = graph.part(str(next(numbers)))
            graph.say(graph.node, PS.columnEdge, node)
            graph.say(node, PS.targetColumn, rdf.literal(target))
            _source(graph, node, source)
            if not source.get("transformations"):  # before facet 1-1-0 the transformation stood on the target
                graph.say_text(node, PS.transformation, entry, "transformationType")
    for index, source in enumerate(_list(facet, "dataset")):
        node = graph.part(f"dataset/{index}")
        graph.say(graph.node, PS.datasetEdge, node)
        _source(graph, node, source)


def _source(graph: _Graph, node: str, source: Object) -> None:
    iri = graph.dataset(graph.needed(source, "namespace"), graph.needed(source, "name"))
    graph.say(node, PS.sourceDataset, f"<{iri}>")
    graph.say_text(node, PS.sourceColumn, source, "field")
    masking = None
    for transformation in _list(source, "transformations"):
        kind = graph.text(transformation, "type")
        said = graph.text(transformation, "subtype") or kind
        if said:
            graph.say(node, PS.transformation, rdf.literal(said))
        if kind in ("DIRECT", "INDIRECT"):
            graph.say(node, PS.transformationType, rdf.literal(kind))
        if isinstance(transformation.get("masking"), bool):
            masking = masking or transformation["masking"]
    if masking is not None:
        graph.say(node, PS.masking, rdf.boolean(masking))


def _lineage(graph: _Graph, facet: Object) -> None:
    """Explicit lineage between datasets; what names jobs stays in the JSON."""
    numbers = count()
    entries = _list(facet, "entries") if "entries" in facet else [facet]
    for entry in entries:
        if entry.get("type", "DATASET") != "DATASET":
            continue
        target = None
        if entry is not facet:
            target = f"<{graph.dataset(graph.needed(entry, 'namespace'), graph.needed(entry, 'name'))}>"
        for column, source in lineage_sources(entry):
            node = graph.part(str(next(numbers)))
            graph.say(graph.node, PS.lineageEdge, node)
            if target:
                graph.say(node, PS.targetDataset, target)
            if column is not None:
                graph.say(node, PS.targetColumn, rdf.literal(column))
            _source(graph, node, source)
        if target and entry.get("inputs") == [] and not entry.get("fields"):
            graph.say(graph.node, PS.untracked, target)


def lineage_sources(entry: Object) -> Iterator[tuple[str | None, Object]]:
    """The dataset sources of an entry of a lineage facet, each with the target column where it has one."""
    for source in _list(entry, "inputs"):
        if source.get("type", "DATASET") == "DATASET":
            yield None, source
    for column, field in _objects(entry, "fields"):
        for source in _list(field, "inputs"):
            if source.get("type", "DATASET") == "DATASET":
                yield column, source


def _source_code_location(graph: _Graph, facet: Object) -> None:
    repository = graph.text(facet, "repoUrl")
    if repository is not None:
        valid = _URL.match(repository) is not None
        graph.say(graph.node, PS.repository, f"<{repository}>" if valid else rdf.literal(repository))
    for member, predicate in (("url", PS.codeUrl), ("path", PS.path), ("branch", PS.branch), ("tag", PS.tag)):
        graph.say_text(graph.node, predicate, facet, member)
    commit = graph.text(facet, "version")
    if commit is None:
        return
    graph.say(graph.node, PS.commit, rdf.literal(commit))
    if _COMMIT.match(commit):
        revision = f"<urn:swh:1:rev:{commit.lower()}>"  # ISO/IEC 18670 SWHID
        graph.say(graph.node, PS.codeVersion, revision)
        graph.type(revision, PROV.Entity, PS.CodeVersion)


#: The prefix of an owner's name → the kind in the agent's IRI, and its class.
_AGENTS = {
    "user": ("person", PROV.Person),
    "team": ("organization", PROV.Organization),
    "application": ("software", PROV.SoftwareAgent),
    "service": ("software", PROV.SoftwareAgent),
}


def _ownership(graph: _Graph, facet: Object) -> None:
    for index, owner in enumerate(_list(facet, "owners")):
        node = graph.part(str(index))
        name = graph.needed(owner, "name")
        prefix, _, rest = name.partition(":")
        kind, special = _AGENTS.get(prefix, ("agent", PROV.Agent)) if rest else ("agent", PROV.Agent)
        agent = f"<{iris.agent(graph.base, kind, name if kind == 'agent' else rest)}>"
        graph.type(agent, PROV.Agent, special)
        graph.say(graph.node, PS.owner, node)
        graph.say(node, PROV.agent, agent)
        graph.say_text(node, PS.ownerType, owner, "type")


def _nominal_time(graph: _Graph, facet: Object) -> None:
    for member, predicate in (("nominalStartTime", PS.nominalStart), ("nominalEndTime", PS.nominalEnd)):
        sent = graph.text(facet, member)
        if sent is None:
            continue
        try:
            instant, zoned = times.key(sent)
        except (ValueError, OverflowError) as error:
            raise FacetError(f"{member!r} must be an ISO 8601 date-time, got {sent[:60]!r}") from error
        if not zoned:
            graph.notes.append(f"{member!r} names no time zone; taken as UTC")
        graph.say(graph.node, predicate, rdf.date_time(times.lexical(instant)))


def _statistics(graph: _Graph, facet: Object) -> None:
    for member, predicate in (("rowCount", PS.rowCount), ("size", PS.byteSize), ("fileCount", PS.fileCount)):
        value = facet.get(member)
        if value is None:
            continue
        if type(value) is not int:
            raise FacetError(f"{member!r} must be a whole number, got {kind_of(value)}")
        graph.say(graph.node, predicate, rdf.integer(value))


#: Facets whose string members are said of the content itself.
_TEXTS: dict[str, tuple[tuple[str, str], ...]] = {
    "documentation": (("description", DCT.description),),
    "errorMessage": (
        ("message", PS.message),
        ("programmingLanguage", PS.programmingLanguage),
        ("stackTrace", PS.stackTrace),
    ),
    "jobType": (("processingType", PS.processingType), ("integration", PS.integration), ("jobType", PS.jobType)),
    "lifecycleStateChange": (("lifecycleStateChange", PS.lifecycle),),
    "sql": (("query", PS.sql), ("dialect", PS.dialect)),
    "version": (("datasetVersion", PS.version),),
}

_SHAPES: dict[str, Callable[[_Graph, Object], None]] = {
    "columnLineage": _column_lineage,
    "inputStatistics": _statistics,
    "lineage": _lineage,
    "nominalTime": _nominal_time,
    "outputStatistics": _statistics,
    "ownership": _ownership,
    "schema": _schema,
    "sourceCodeLocation": _source_code_location,
}


def _promote(graph: _Graph, key: str, facet: Object) -> None:
    for member, predicate in _TEXTS.get(key, ()):
        graph.say_text(graph.node, predicate, facet, member)
    shape = _SHAPES.get(key)
    if shape is not None:
        shape(graph, facet)
