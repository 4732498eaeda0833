"""Where in a payload a statement came from: line and column in RDF, a JSON pointer in JSON.

What is not known is absent: a place that is told is one where the statement, or the nearest thing around it, stands.
"""

from __future__ import annotations

from provstore.capture.places.find import Places, places

__all__ = ["Places", "places"]
