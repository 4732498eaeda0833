"""One facet value as a content graph: its address, its JSON, its values, and what they mean."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Final

from provstore import iris, jcs, rdf
from provstore.capture.facets.graph import FacetError, Graph, Object, kind_of, link
from provstore.capture.facets.leaves import say_leaves
from provstore.capture.facets.registry import find
from provstore.errors import InvalidInput
from provstore.model import Content
from provstore.vocab import DCT, PROV, PS

#: Name and version of the mapping; part of every content's name, so a change here makes new contents.
MAPPER: Final = "openlineage/1"

_CACHED_TEXT = 4096  # longer facets are not kept: the cache is bounded by bytes as well as by number


def content_of(key: str, facet: object, base: str) -> tuple[Content, tuple[str, ...]]:
    """The content graph of a facet value, and what is wrong with the value, if anything.

    A malformed or deleted facet keeps its JSON and its values and promotes nothing. InvalidInput where the value has no
    canonical JSON (a lone surrogate, NaN) or is nested too deeply.
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
    graph = Graph(base, iri)
    known = find(key)
    complaints: tuple[str, ...] = ()
    if not isinstance(facet, dict):
        complaints = (f"a facet must be an object, got {kind_of(facet)}",)
    elif facet.get("_deleted") is not True:
        try:
            if known is not None:
                known.mapper(graph, facet)
            complaints = tuple(graph.notes)
        except (FacetError, RecursionError) as error:
            graph.held.clear()
            complaints = (str(error) if isinstance(error, FacetError) else "it is nested too deeply",)
            known = None
        _base_facet(graph, facet)
    say_leaves(graph, facet, whole=known is not None)
    graph.type(graph.node, PS.Content)
    graph.say(graph.node, PS.key, rdf.literal(key))
    graph.say(graph.node, PS.json, rdf.literal(text, f"{rdf.RDF}JSON"))
    return Content(iri, "".join(sorted(graph.held)).encode()), complaints


_cached_content = lru_cache(maxsize=1024)(_content)


def _base_facet(graph: Graph, facet: Object) -> None:
    """What every facet says of itself (OpenLineage.json, BaseFacet): who made it, and by which schema."""
    producer, schema = facet.get("_producer"), facet.get("_schemaURL")
    if type(producer) is str and producer:
        agent = f"<{iris.agent(graph.base, 'software', producer)}>"
        graph.say(graph.node, PROV.wasAttributedTo, agent)
        graph.type(agent, PROV.Agent, PROV.SoftwareAgent)
    if type(schema) is str and schema:
        graph.say(graph.node, DCT.conformsTo, link(schema))
