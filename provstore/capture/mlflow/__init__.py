"""MLflow's entities, as its REST interface gives them and `provstore.pull.mlflow` sends them: payloads `mlflow/1`.

A payload is a state of one thing: `{"provstore": "mlflow/1", "kind": …, "server": …, "supersedes": …, …}`. Its record
says what that state says and names the state before it, so that the live graph is what MLflow says now.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from provstore import rdf
from provstore.capture.draft import RECORD, Draft
from provstore.capture.mlflow import aliases, artifacts, experiments, histories, keys, models, registry, runs, traces
from provstore.errors import Unmappable
from provstore.model import Mapped
from provstore.vocab import PS

ADAPTER = "mlflow/1"

_KINDS: dict[str, Callable[[Draft, str], None]] = {
    "experiment": experiments.experiment,
    "run": runs.run,
    "logged-model": models.logged_model,
    "model-files": models.files,
    "run-artifacts": artifacts.artifacts,
    "metric-histories": histories.histories,
    "registered-model": registry.registered_model,
    "model-version": registry.model_version,
    "alias": aliases.alias,
    "alias-change": aliases.change,
    "trace": traces.trace,
    "deletion": experiments.deletion,
}


def map_payload(value: dict[str, Any], *, base: str) -> Mapped:
    """The record of one state; Unmappable, with a JSON pointer, where the thing has no identity."""
    draft = Draft(base, value, ADAPTER)
    if value.get("provstore") != ADAPTER:
        draft.refuse(f"'provstore' must be {ADAPTER!r}", value.get("provstore"), "/provstore")
    kind = draft.text(value, "kind")
    if kind not in _KINDS:
        draft.refuse(f"'kind' must be one of {', '.join(_KINDS)}", kind, "/kind")
    server = draft.text(value, "server")
    _KINDS[kind](draft, server)
    try:
        draft.state_of(keys.key(value))
        draft.say(RECORD, PS.stateDigest, rdf.literal(keys.digest(value)))
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise Unmappable(f"the payload lacks what it is named by: {error}", pointer="") from error
    return draft.mapped()


__all__ = ["ADAPTER", "map_payload"]
