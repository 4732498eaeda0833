"""What people say of things: owners, descriptions, tags."""

from __future__ import annotations

from provstore import iris
from provstore.capture.facets.graph import Graph, Object, listed, term_of
from provstore.vocab import DCAT, DCT, PROV, PS, SCHEMA

#: The prefix of an owner's name → the kind in the agent's IRI, and its class.
_AGENTS = {
    "user": ("person", PROV.Person),
    "team": ("organization", PROV.Organization),
    "application": ("software", PROV.SoftwareAgent),
    "service": ("software", PROV.SoftwareAgent),
}


_YES = frozenset({"", "true", "yes", "1"})
_NO = frozenset({"false", "no", "0"})


def ownership(graph: Graph, facet: Object) -> None:
    for index, owner in enumerate(listed(facet, "owners")):
        node = graph.at(f"/owners/{index}")
        name = graph.needed(owner, "name")
        prefix, _, rest = name.partition(":")
        kind, special = _AGENTS.get(prefix, ("agent", PROV.Agent)) if rest else ("agent", PROV.Agent)
        agent = f"<{iris.agent(graph.base, kind, name if kind == 'agent' else rest)}>"
        graph.type(agent, PROV.Agent, special)
        graph.say(graph.node, PS.owner, node)
        graph.say(node, PROV.agent, agent)
        graph.say_text(node, PS.ownerType, owner, "type")


def documentation(graph: Graph, facet: Object) -> None:
    graph.say_text(graph.node, DCT.description, facet, "description")
    graph.say_text(graph.node, SCHEMA.encodingFormat, facet, "contentType")


def tags(graph: Graph, facet: Object) -> None:
    """Each tag as a schema:PropertyValue; of a whole thing also as dcat:keyword.

    The keywords of a tag are its key and its value: but `pii=true` gives only `pii`, and `pii=false` nothing.
    """
    for index, tag in enumerate(listed(facet, "tags")):
        node, key = graph.at(f"/tags/{index}"), graph.needed(tag, "key")
        value = graph.text(tag, "value") or ""
        graph.say_property(graph.node, SCHEMA.additionalProperty, node, key, value)
        graph.say_text(node, PS.tagSource, tag, "source")
        graph.say_text(node, PS.column, tag, "field")
        if not tag.get("field") and value.lower() not in _NO:
            words = {key} if value.lower() in _YES else {key, value}
            for word in words:
                graph.say(graph.node, DCAT.keyword, term_of(word))
