"""Croissant 1.1 (and 1.0) documents as records: a dataset, its files, its columns, its inline records."""

from __future__ import annotations

from provstore.capture.croissant.document import ADAPTER, map_croissant, recognised

__all__ = ["ADAPTER", "map_croissant", "recognised"]
