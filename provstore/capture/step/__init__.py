"""One step of any program, as `provstore.record` or `curl` sends it: payloads `step/1`, described in docs/record.md.

A payload tells of a step that is over, whole: what it used and generated, from when to when, how it ended, with which
code, environment and parameters, and who had a hand in it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from provstore import rdf
from provstore.capture.draft import RECORD, Draft
from provstore.capture.facets import escaped
from provstore.capture.step import measured, surroundings
from provstore.capture.step.scene import Scene
from provstore.capture.step.things import generated, used
from provstore.model import Mapped
from provstore.vocab import DCT, PS

ADAPTER: Final = "step/1"

#: `kind` as sent → what the run is, beside a run.
KINDS: Final = {
    "run": (),
    "training": (PS.TrainingRun,),
    "evaluation": (PS.Evaluation,),
    "inference": (PS.Inference,),
    "normalisation": (PS.Normalisation,),
}
STATES: Final = ("COMPLETE", "FAIL", "ABORT")
#: Members of a payload.
MEMBERS: Final = frozenset(
    (
        *("provstore", "id", "name", "namespace", "kind", "state", "start", "end", "description", "parent", "error"),
        *("agents", "code", "environment", "machine", "parameters", "seeds"),
        *("used", "generated", "measurements", "producer", "redacted"),
    )
)


def map_payload(value: dict[str, Any], *, base: str) -> Mapped:
    """The record of one step.

    Unmappable, with a JSON pointer, where it has no id, name or end, or ended in no state that there is. What else is
    not as it should be is left out, and reported.
    """
    draft = Draft(base, value, ADAPTER)
    if value.get("provstore") != ADAPTER:
        draft.refuse(f"'provstore' must be {ADAPTER!r}", value.get("provstore"), "/provstore")
    unknown(draft, value, MEMBERS, "")
    scene = _scene(draft)
    inputs = used(draft, scene)
    outputs = generated(draft, scene, inputs)
    surroundings.say(draft, scene)
    measured.say(draft, scene, inputs, outputs)
    return draft.mapped()


def _scene(draft: Draft) -> Scene:
    value = draft.value
    identifier = draft.text(value, "id")
    name, namespace = draft.text(value, "name"), draft.words(value, "namespace") or "default"
    end = draft.instant(value, "end")
    if end is None:
        draft.refuse("'end' must be an ISO 8601 date-time", value.get("end"), "/end")
    state = draft.words(value, "state") or "COMPLETE"
    if state not in STATES:
        draft.refuse(f"'state' must be one of {', '.join(STATES)}", state, "/state")
    kind = draft.words(value, "kind") or "run"
    if kind not in KINDS:
        draft.note("/kind", f"{kind[:60]!r} is none of {', '.join(KINDS)}; taken as run")
    found, node = draft.run(identifier, PS.Run, *KINDS.get(kind, ()), pointer="/id")
    draft.head(end, node, author=draft.words(value, "producer") or "")
    draft.say(RECORD, PS.eventType, PS[state])
    draft.span(node, draft.instant(value, "start"), end)
    draft.say(node, PS.job, f"<{draft.job(namespace, name)}>")
    if text := draft.words(value, "description"):
        draft.say(node, DCT.description, rdf.literal(text))
    if error := draft.words(value, "error"):
        draft.say(node, PS.message, rdf.literal(error))
    _parent(draft, found, node)
    return Scene(found, node, namespace, state == "COMPLETE", end)


def _parent(draft: Draft, identifier: str, node: str) -> None:
    parent = draft.object(draft.value, "parent")
    if not parent:
        return
    outer, of = draft.run(draft.text(parent, "id", "/parent"), pointer="/parent/id")
    if outer == identifier:
        draft.note("/parent", "ignored: a step cannot be part of itself")
        return
    draft.say(node, DCT.isPartOf, of)


def unknown(draft: Draft, holder: dict[str, Any], known: Iterable[str], pointer: str) -> None:
    """Report members that mean nothing: a misspelt one would else be missed silently."""
    for name in sorted(holder.keys() - set(known)):
        draft.note(f"{pointer}/{escaped(name)}", f"ignored: {name[:60]!r} is no member that is known here")


__all__ = ["ADAPTER", "map_payload"]
