"""What a record of MLflow's is a state of: the key of `ps:capturedFrom`, and the digest of the state."""

from __future__ import annotations

import hashlib
from typing import Any

from provstore import jcs
from provstore.iris import enc


def prefix(server: str) -> str:
    """How the keys of all states of a server begin."""
    return f"mlflow {server} "


def key(payload: dict[str, Any]) -> str:
    """The key of a payload's state; KeyError or TypeError where it lacks what it is named by."""
    return prefix(payload["server"]) + _NAMES[payload["kind"]](payload)


def told_apart(payload: dict[str, Any]) -> str:
    """What the key of a thing has at its end that bears the name or number of an older one; its `since`."""
    return f"@{enc(payload['since'])}" if "since" in payload else ""


def change(payload: dict[str, Any]) -> str:
    """What tells a change of an alias from the others: by when it was, `at` or the look before it, and the version."""
    said = payload["change"]
    seen = "at" if "at" in said else said.get("after", "")
    return f"{said.get('at', said.get('before'))}/{seen}/{said['version'] or ''}"


_NAMES = {
    "experiment": lambda said: f"experiment {said['experiment']['experiment_id']}{told_apart(said)}",
    "run": lambda said: f"run {said['run']['info']['run_id']}",
    "logged-model": lambda said: f"logged-model {said['model']['info']['model_id']}",
    "model-files": lambda said: f"model-files {said['model_id']}",
    "run-artifacts": lambda said: f"run-artifacts {said['run_id']}",
    "metric-histories": lambda said: f"metric-histories {said['run_id']}",
    "registered-model": lambda said: f"registered-model {enc(said['model']['name'])}{told_apart(said)}",
    "model-version": lambda said: (
        f"model-version {enc(said['version']['name'])}{told_apart(said)}/{said['version']['version']}"
    ),
    "alias": lambda said: f"alias {enc(said['name'])}/{enc(said['alias'])}",
    "alias-change": lambda said: (
        f"alias-change {enc(said['name'])}{told_apart(said)}/{enc(said['alias'])}/{change(said)}"
    ),
    "trace": lambda said: f"trace {said['trace']['trace_id']}",
    "deletion": lambda said: f"deletion {said['of']} {enc(said['id'])}{told_apart(said)}",
}


def digest(payload: dict[str, Any]) -> str:
    """The digest of a state: SHA-256 (hex) of its canonical JSON, what it supersedes left out.

    That of a run begins with the digest of what a search tells of it, which is all but its model inputs, and a dot:
    a search over many runs then shows which ones to ask for singly.
    """
    state = {name: each for name, each in payload.items() if name != "supersedes"}
    whole = _digest(state)
    return f"{search_digest(payload)}.{whole}" if payload.get("kind") == "run" else whole


def search_digest(payload: dict[str, Any]) -> str:
    """The digest of what a search tells of a run."""
    run = dict(payload["run"])
    inputs = run.get("inputs")
    run["inputs"] = {"dataset_inputs": (inputs.get("dataset_inputs") if isinstance(inputs, dict) else None) or []}
    since = {"since": payload["since"]} if "since" in payload else {}
    return _digest({"provstore": payload["provstore"], "server": payload["server"], "run": run, **since})


def _digest(value: Any) -> str:
    return hashlib.sha256(jcs.dumps(value).encode()).hexdigest()
