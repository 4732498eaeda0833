"""What a program logged in an experiment by itself, as DVCLive does: metrics and parameters that no stage declares."""

from __future__ import annotations

import posixpath
from typing import Any

from provstore.errors import ProvStoreError
from provstore.pull.dvc import files, values
from provstore.pull.dvc.files import Object
from provstore.pull.dvc.snapshots import PIPELINE, Snapshots
from provstore.pull.repository import Commit, Repository


def logged(git: Repository, snapshots: Snapshots, commit: Commit, baseline: str) -> Object:
    """The `metrics` and `params` of every `dvc.yaml` in the commit of an experiment, where it changed any metrics.

    Those that the baseline has as they are were not measured in it, and those that a stage wrote are told by its
    execution; parameters are all that are named.
    """
    changed = git.differing(baseline, commit.id) - snapshots.written(commit)
    metrics: list[Object] = []
    parameters: dict[str, Any] = {}
    for pipeline in git.paths(commit.id, PIPELINE):
        folder = posixpath.dirname(pipeline)
        for path in _named(snapshots, commit, folder, "metrics"):
            if path in changed:
                measured = values.numbers(snapshots.content(commit, path) or b"", path)
                metrics += [{"path": path, "values": measured}] if measured else []
        for path in _named(snapshots, commit, folder, "params"):
            try:
                value = values.load(snapshots.content(commit, path) or b"", path)
            except ProvStoreError as error:
                snapshots.tell(commit, path, str(error))
                continue
            if isinstance(value, dict) and value:
                parameters[path] = value
    return {"metrics": metrics, **({"params": parameters} if parameters else {})} if metrics else {}


def _named(snapshots: Snapshots, commit: Commit, folder: str, section: str) -> list[str]:
    listed = snapshots.section(commit, folder, section)
    named = listed if isinstance(listed, list) else []
    return sorted({files.place(folder, each) for each in named if isinstance(each, str)})
