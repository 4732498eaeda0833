"""What the parts of a step have in common: whose step it is, and what was told of the things in it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from provstore import iris, rdf
from provstore.capture.draft import Draft, Object
from provstore.vocab import AI, PS

#: `role` as sent → the role of the usage.
ROLES = {
    "training": AI.TrainingData,
    "validation": AI.ValidationData,
    "testing": AI.TestingData,
    "model": PS.model,
    "input": PS.inputItem,
    "code": PS.code,
}
#: Roles in which a thing goes into what is generated, and roles in which it only decides over that.
MATERIAL = frozenset((AI.TrainingData, PS.model, PS.inputItem))
INFLUENCING = frozenset((AI.ValidationData, AI.TestingData, PS.code))
_POINTER = re.compile(r"/(?:used|generated)/(?:0|[1-9]\d{0,6})\Z")


@dataclass(frozen=True, slots=True)
class Scene:
    """The run: its UUID and node, the namespace of its job, whether it completed, and when it ended (a term)."""

    identifier: str
    node: str
    namespace: str
    completed: bool
    end: str


@dataclass(slots=True)
class Told:
    """The nodes of things by their pointers in the payload, in order; `roles` are those of what was used.

    `states` are the nodes of states with the digests of their bytes.
    """

    nodes: dict[str, str] = field(default_factory=dict)
    roles: dict[str, str] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    states: dict[str, dict[str, str]] = field(default_factory=dict)


def role(draft: Draft, holder: Object, pointer: str) -> str:
    """The term of a role: one that is known, an IRI, or a word of the sender's; "" where none is told."""
    word = draft.words(holder, "role", pointer)
    if not word:
        return ""
    if word in ROLES:
        return ROLES[word]
    return f"<{word}>" if rdf.is_iri(word) else f"<{draft.base}/role/{iris.enc(word)}>"


def pointed(draft: Draft, value: object, where: str, *places: Told) -> str:
    """The node that a pointer into the payload names; "", reported, where it names none."""
    if type(value) is str and _POINTER.match(value):
        for told in places:
            if value in told.nodes:
                return told.nodes[value]
    draft.note(where, f"ignored: must be a pointer such as '/used/0' to a thing of this payload, got {value!r:.60}")
    return ""
