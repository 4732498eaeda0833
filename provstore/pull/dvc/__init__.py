"""The history of a DVC repository, read from its git objects: no checkout, and neither `dvc` nor its cache needed."""

from __future__ import annotations

from provstore.pull.dvc.snapshots import Told
from provstore.pull.dvc.walk import Walk

__all__ = ["Told", "Walk"]
