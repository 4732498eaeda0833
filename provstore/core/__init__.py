"""The store as a whole: what the command line, the API and the pages call."""

from provstore.core.store import ProvStore

__all__ = ["ProvStore"]
