"""`provstore capture`: what other tools keep, brought into a store; a module for each tool."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from importlib import import_module

from provstore.settings import Settings

#: Each tool that can be captured from, and what captures from it.
TOOLS = {
    "dvc": "provstore.cli.capture_dvc:run",
    "mlflow": "provstore.cli.capture_mlflow:run",
}


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Capture from the tool; its exit code."""
    module, _, name = TOOLS[arguments.tool].partition(":")
    capture: Callable[[argparse.Namespace, Settings], int] = getattr(import_module(module), name)
    return capture(arguments, settings)
