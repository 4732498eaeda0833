"""What a run says in its tags of the models that it logged before MLflow 3, when a model was a folder of artifacts."""

from __future__ import annotations

import json
from typing import Any, Final

Object = dict[str, Any]

_HISTORY: Final = "mlflow.log-model.history"


def tags(run: Object) -> dict[str, str]:
    """The tags of a run by their keys."""
    listed = (run.get("data") or {}).get("tags") or ()
    return {str(each.get("key")): str(each.get("value") or "") for each in listed if isinstance(each, dict)}


def models(run: Object) -> list[str]:
    """The folders, among the artifacts of a run, of the models that its tags name."""
    return folders(tags(run).get(_HISTORY, ""))


def folders(history: str) -> list[str]:
    """The folders that the text of the tag names, in order, each once; none where it is no list of models."""
    try:
        listed = json.loads(history)
    except (ValueError, RecursionError):
        return []
    paths = {each.get("artifact_path") for each in listed if isinstance(each, dict)} if type(listed) is list else ()
    return sorted(path.strip("/") for path in paths if isinstance(path, str) and path.strip("/"))


def model(run: str, folder: str) -> str:
    """What such a model is called."""
    return f"runs:/{run}/{folder}"
