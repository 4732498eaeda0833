"""Facets of OpenLineage as content graphs: named by their hash, said once however often a producer repeats them.

`registry` is the table of the facets that are understood, `content` makes a graph of one facet, `leaves` gives each
value in it an address, whether its facet is known or not.
"""

from __future__ import annotations

from provstore.capture.facets.content import MAPPER, content_of
from provstore.capture.facets.graph import FacetError, escaped, kind_of
from provstore.capture.facets.lineage import lineage_sources

__all__ = ["MAPPER", "FacetError", "content_of", "escaped", "kind_of", "lineage_sources"]
