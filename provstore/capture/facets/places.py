"""What a dataset is and where it lies: kind, version, names, source, catalog, storage."""

from __future__ import annotations

from provstore import rdf
from provstore.capture.facets.graph import Graph, Object, inner, listed
from provstore.vocab import DCAT, DCT, PS, SCHEMA


def dataset_type(graph: Graph, facet: Object) -> None:
    graph.say_text(graph.node, PS.datasetType, facet, "datasetType")
    graph.say_text(graph.node, SCHEMA.additionalType, facet, "subType")


def version(graph: Graph, facet: Object) -> None:
    graph.say_text(graph.node, PS.version, facet, "datasetVersion")


def lifecycle(graph: Graph, facet: Object) -> None:
    graph.say_text(graph.node, PS.lifecycle, facet, "lifecycleStateChange")
    if facet.get("previousIdentifier") is not None:
        _refer(graph, graph.node, inner(facet, "previousIdentifier"))


def symlinks(graph: Graph, facet: Object) -> None:
    """The other names; one that cannot be used is passed over, for the record reports it where it matters."""
    identifiers = facet.get("identifiers")
    for index, each in enumerate(identifiers if isinstance(identifiers, list) else ()):
        if not isinstance(each, dict) or not (each.get("namespace") and each.get("name")):
            continue
        node = graph.at(f"/identifiers/{index}")
        graph.say(graph.node, DCT.hasPart, node)
        _refer(graph, node, each)
        graph.say_text(node, SCHEMA.additionalType, each, "type")


def _refer(graph: Graph, node: str, named: Object) -> None:
    iri = graph.dataset(graph.needed(named, "namespace"), graph.needed(named, "name"))
    graph.say(node, PS.refersTo, f"<{iri}>")


def data_source(graph: Graph, facet: Object) -> None:
    graph.type(graph.node, DCAT.DataService)
    graph.say_text(graph.node, DCT.title, facet, "name")
    graph.say_link(graph.node, DCAT.endpointURL, facet, "uri")


def catalog(graph: Graph, facet: Object) -> None:
    graph.type(graph.node, DCAT.Catalog)
    graph.say_text(graph.node, DCT.title, facet, "name")
    graph.say_text(graph.node, PS.framework, facet, "framework")
    graph.say_text(graph.node, SCHEMA.additionalType, facet, "type")
    graph.say_link(graph.node, DCAT.endpointURL, facet, "metadataUri")
    graph.say_link(graph.node, PS.warehouse, facet, "warehouseUri")
    graph.say_text(graph.node, PS.externalSystem, facet, "source")
    graph.say_properties(graph.node, SCHEMA.additionalProperty, facet, "catalogProperties", "/catalogProperties")


def hierarchy(graph: Graph, facet: Object) -> None:
    """The levels from the highest down, each part of the one above."""
    above = None
    for index, level in enumerate(listed(facet, "hierarchy")):
        node = graph.at(f"/hierarchy/{index}")
        graph.say(graph.node, DCT.hasPart, node)
        graph.say(node, SCHEMA.position, rdf.integer(index + 1))
        graph.say(node, DCT.title, rdf.literal(graph.needed(level, "name")))
        graph.say_text(node, SCHEMA.additionalType, level, "type")
        if above:
            graph.say(node, DCT.isPartOf, above)
        above = node


def storage(graph: Graph, facet: Object) -> None:
    graph.type(graph.node, DCAT.Distribution)
    graph.say_text(graph.node, PS.storageLayer, facet, "storageLayer")
    graph.say_text(graph.node, SCHEMA.encodingFormat, facet, "fileFormat")
