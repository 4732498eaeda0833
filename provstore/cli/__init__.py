"""The command line."""

from provstore.cli.main import build_parser, main

__all__ = ["build_parser", "main"]
