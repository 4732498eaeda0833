"""Croissant documents (1.1, 1.0, 0.8) as records: a dataset, its files, its columns, its inline records."""

from __future__ import annotations

from provstore.capture.croissant.document import ADAPTER, map_croissant
from provstore.capture.croissant.terms import recognised

__all__ = ["ADAPTER", "map_croissant", "recognised"]
