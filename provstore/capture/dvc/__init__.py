"""DVC: what one commit of a repository recorded of stages and data, as `provstore.pull.dvc` reads it from git.

A commit says that an execution took place, not when or by whom: the record has the commit's author and time, the
execution has neither. Its identity is what DVC knows of it: command, inputs, parameters and outputs.
"""

from __future__ import annotations

from typing import Final

from provstore.capture.draft import Draft, Object
from provstore.capture.dvc import named
from provstore.capture.dvc.commits import SaidByCommit
from provstore.capture.dvc.identity import dataset_name, essence, execution_id, flat
from provstore.model import Mapped

__all__ = ["ADAPTER", "dataset_name", "essence", "execution_id", "flat", "map_payload"]

ADAPTER: Final = "dvc/1"


def map_payload(value: Object, *, base: str) -> Mapped:
    """The record of one payload: of a commit, a tag, an experiment, a file in a directory, numbers or bytes at hand.

    Unmappable, with a JSON pointer, where repository, commit or a stage's identity is missing.
    """
    draft = Draft(base, value, ADAPTER)
    namespace = draft.text(draft.required(value, "repository"), "namespace", "/repository")
    if "commit" in value:
        SaidByCommit(draft, namespace).say()
    elif "tag" in value:
        named.tag(draft, namespace)
    elif "part" in value:
        named.part(draft, namespace)
    elif "measured" in value:
        named.measurement(draft, namespace)
    elif "experiment" in value:
        named.experiment(draft, namespace)
    else:
        named.known_bytes(draft)
    return draft.mapped()
