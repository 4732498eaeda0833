"""The HTTP interface."""

from provstore.api.app import create_app

__all__ = ["create_app"]
