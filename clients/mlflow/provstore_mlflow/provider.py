"""The tags that MLflow asks for when a run begins (entry point `mlflow.run_context_provider`)."""

from __future__ import annotations

import os
import sys
import time

from provstore.observe.context import context
from provstore.observe.git import CodeState, code_state
from provstore_mlflow import __version__
from provstore_mlflow.collecting import hasher
from provstore_mlflow.hook import OFF
from provstore_mlflow.quietly import ours, trouble
from provstore_mlflow.runs import watch

watch()  # MLflow loads this module while it is imported


#: In a sweep of runs, git is asked again only after so many seconds.
_FRESH = 10.0
_known: dict[str, tuple[float, CodeState | None]] = {}


class ProvstoreContext:
    """A run context provider, as MLflow's class of that name wants it; not derived from it, so as not to import it."""

    def in_context(self) -> bool:
        return not OFF

    def tags(self) -> dict[str, str]:
        """The tags of `provstore.observe.context`; none where something goes wrong."""
        try:
            with ours():
                return context(_code(os.getcwd()), sys.orig_argv, os.environ, __version__)
        except Exception as error:
            trouble(error)
            return {}


def _code(folder: str) -> CodeState | None:
    asked, state = _known.get(folder, (-_FRESH, None))
    if time.monotonic() - asked >= _FRESH:
        state = code_state(folder, hasher)
        _known[folder] = time.monotonic(), state
    return state
