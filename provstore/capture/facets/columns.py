"""Schema and column lineage: which columns there are, and which went into which."""

from __future__ import annotations

from provstore import rdf
from provstore.capture.facets.graph import FacetError, Graph, Object, kind_of, listed, objects, token
from provstore.vocab import CSVW, DCT, PS, SCHEMA


def schema(graph: Graph, facet: Object) -> None:
    graph.type(graph.node, CSVW.Schema)
    _fields(graph, graph.node, "", facet)


def _fields(graph: Graph, parent: str, pointer: str, holder: Object) -> None:
    for index, field in enumerate(listed(holder, "fields")):
        place = f"{pointer}/fields/{index}"
        node = graph.at(place)
        graph.say(parent, PS.field, node)
        graph.say(node, PS.name, rdf.literal(graph.needed(field, "name")))
        graph.say_text(node, PS.type, field, "type")
        graph.say_text(node, DCT.description, field, "description")
        graph.say_whole(node, SCHEMA.position, field, "ordinal_position")
        _fields(graph, node, place, field)


def column_lineage(graph: Graph, facet: Object) -> None:
    for target, entry in objects(facet, "fields"):
        for index, source in enumerate(listed(entry, "inputFields")):
            node = graph.at(f"/fields/{token(target)}/inputFields/{index}")
            graph.say(graph.node, PS.columnEdge, node)
            graph.say(node, PS.targetColumn, rdf.literal(target))
            say_source(graph, node, source)
            if not source.get("transformations"):  # before facet 1-1-0 the transformation stood on the target
                graph.say_text(node, PS.transformation, entry, "transformationType")
            graph.say_text(node, DCT.description, entry, "transformationDescription")
    for index, source in enumerate(listed(facet, "dataset")):
        node = graph.at(f"/dataset/{index}")
        graph.say(graph.node, PS.datasetEdge, node)
        say_source(graph, node, source)


def say_source(graph: Graph, node: str, source: Object) -> None:
    """The dataset and column that an edge comes from, and what was done on the way."""
    iri = graph.dataset(graph.needed(source, "namespace"), graph.needed(source, "name"))
    graph.say(node, PS.sourceDataset, f"<{iri}>")
    graph.say_text(node, PS.sourceColumn, source, "field")
    say_transformations(graph, node, source)


def say_transformations(graph: Graph, node: str, source: Object) -> None:
    masking = None
    for transformation in listed(source, "transformations"):
        kind = graph.text(transformation, "type")
        said = graph.text(transformation, "subtype") or kind
        if said:
            graph.say(node, PS.transformation, rdf.literal(said))
        if kind in ("DIRECT", "INDIRECT"):
            graph.say(node, PS.transformationType, rdf.literal(kind))
        graph.say_text(node, DCT.description, transformation, "description")
        hides = transformation.get("masking")
        if isinstance(hides, bool):
            masking = masking or hides
        elif hides is not None:
            raise FacetError(f"'masking' must be a boolean, got {kind_of(hides)}")
    if masking is not None:
        graph.say(node, PS.masking, rdf.boolean(masking))
