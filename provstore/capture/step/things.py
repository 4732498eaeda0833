"""What a step used and generated: states of datasets with their bytes, models, items."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from provstore import iris, rdf
from provstore.capture.draft import Draft, Object
from provstore.capture.facets import kind_of
from provstore.capture.mlflow import names
from provstore.capture.step.scene import INFLUENCING, MATERIAL, Scene, Told, pointed, role
from provstore.vocab import DCT, PROV, PS

_COMMON: Final = ("type", "role", "label", "from", "intended", "partial")
_DATASET: Final = ("namespace", "name", "version", "mode", "sha256", "md5", "size", "rows", "changed", "unread")
#: `type` as sent → members that it may have.
TYPES: Final[dict[str, tuple[str, ...]]] = {
    "file": _DATASET,
    "url": _DATASET,
    "table": _DATASET,
    "bytes": _DATASET,
    "frame": (*_DATASET, "columns"),
    "array": (*_DATASET, "shape", "dtype"),
    "model": (*_DATASET, "uri", "server"),
    **dict.fromkeys(("item", "prediction", "decision"), ("namespace", "key", "value", "subject")),
}
_ITEMS: Final = {"item": PS.RecordItem, "prediction": PS.Prediction, "decision": PS.Decision}
_MODES: Final = {name.upper(): PS[name] for name in ("Create", "Append", "Merge", "Alter", "Overwrite", "Truncate")}
#: What is named as a whole is new as a whole, unless its mode says otherwise; what a table keeps, only its mode says.
_WHOLE: Final = frozenset(("file", "url", "frame", "array", "bytes", "model"))
_LOGGED: Final = re.compile(r"models:/(m-[0-9a-f]{32})\Z")
_NUMBERED: Final = re.compile(r"models:/([^/@]+)/([0-9]+)\Z")
_OF_RUN: Final = re.compile(r"runs:/[0-9a-f]{32}/")
_COMMITMENT: Final = re.compile(r"hmac-sha256:[0-9a-f]{64}\Z")

_State = Callable[[str, str, str, dict[str, str]], str]


def used(draft: Draft, scene: Scene) -> Told:
    """What the step used, each in its role; what was used in no other role went into what the step generated."""
    told = Told()
    for where, each in draft.objects(draft.value, "used"):
        node = _node(draft, scene, each, where, draft.read, told)
        if node:
            told.nodes[where] = node
            told.roles[where] = role(draft, each, where) or PS.inputItem
            draft.use(scene.node, node, told.roles[where])
    return told


def generated(draft: Draft, scene: Scene, inputs: Told) -> Told:
    """What the step generated, and from what; of a step that did not complete only what it proves to be written."""
    told = Told()
    sent = list(draft.objects(draft.value, "generated"))
    for where, each in sent:
        if not scene.completed and each.get("partial") is not True:
            _intended(draft, scene, each, where)
            continue
        node = _node(draft, scene, each, where, draft.write, told)
        if node:
            told.nodes[where] = node
            draft.say(node, PROV.wasGeneratedBy, scene.node)
            draft.say(node, PROV.generatedAtTime, scene.end)
            _mode(draft, node, each, where)
    for where, each in sent:
        if where in told.nodes:
            _origin(draft, told.nodes[where], each, where, inputs, told)
    return told


def _origin(draft: Draft, node: str, said: Object, where: str, inputs: Told, outputs: Told) -> None:
    sources = [
        source
        for place, each in draft.items(said, "from", where)
        if (source := pointed(draft, each, place, inputs, outputs)) and source != node
    ]
    if sources:
        draft.derive(node, sources)
        return
    if said.get("from") == []:
        draft.note(f"{where}/from", "ignored: an empty list; what was used as material counts")
    for place, source in inputs.nodes.items():
        held = inputs.roles[place]
        if held in INFLUENCING:
            draft.say(node, PROV.wasInfluencedBy, source)
        else:
            draft.derive(node, [source], possibly=held not in MATERIAL)


def _intended(draft: Draft, scene: Scene, said: Object, where: str) -> None:
    dataset = _dataset(draft, scene, said, where) if said.get("type") not in _ITEMS and "uri" not in said else ""
    if dataset:
        draft.say(scene.node, PS.intendedOutput, f"<{dataset}>")


def _node(draft: Draft, scene: Scene, said: Object, where: str, state: _State, told: Told) -> str:
    """The node of a thing, described; "", reported, where it has no name."""
    kind = draft.words(said, "type", where) or "file"
    if kind not in TYPES:
        draft.note(f"{where}/type", f"ignored: {kind[:60]!r} is none of {', '.join(TYPES)}")
        return ""
    for name in sorted(said.keys() - {*_COMMON, *TYPES[kind]}):
        draft.note(f"{where}/{name}", f"ignored: {name[:60]!r} is no member of what is of type {kind}")
    told.types[where] = kind
    if kind in _ITEMS:
        node = _item(draft, scene, said, where, _ITEMS[kind])
    elif kind == "model" and "uri" in said:
        node = _model(draft, scene, said, where)
    else:
        node = _state(draft, scene, said, where, state, told)
        if node and kind == "model" and state == draft.write:
            draft.type(node, PS.ModelVersion)
    if node and (label := draft.words(said, "label", where)):
        draft.say(node, DCT.title, rdf.literal(label))
    return node


# --- datasets -------------------------------------------------------------------------------------------------------


def _dataset(draft: Draft, scene: Scene, said: Object, where: str) -> str:
    name = draft.words(said, "name", where)
    if not name:
        draft.note(where, "ignored: it has no name")
        return ""
    default = "file" if said.get("type", "file") in ("file", "model") else scene.namespace
    return draft.dataset(draft.words(said, "namespace", where) or default, name)


def _state(draft: Draft, scene: Scene, said: Object, where: str, state: _State, told: Told) -> str:
    dataset = _dataset(draft, scene, said, where)
    if not dataset:
        return ""
    digests = {}
    for algorithm in ("sha256", "md5"):
        digest = (draft.words(said, algorithm, where) or "").lower()
        if digest and digest not in iris.EMPTY and not iris.content_bytes(draft.base, algorithm, digest):
            draft.note(f"{where}/{algorithm}", f"ignored: {digest[:80]!r} is no {algorithm} in hexadecimal digits")
        elif digest:
            digests[algorithm] = digest
    node = state(scene.node, _named(scene, dataset, digests, state, draft, told), dataset, digests)
    for member, predicate in (("size", PS.byteSize), ("rows", PS.rowCount)):
        number = said.get(member)
        if type(number) is int and number >= 0:
            draft.say(node, predicate, rdf.integer(number))
        elif number is not None:
            draft.note(f"{where}/{member}", f"ignored: {member!r} must be a whole number, got {kind_of(number)}")
    if said.get("changed") is True:
        draft.note(where, "it changed while it was read: the digests are of what was read")
    if unread := draft.words(said, "unread", where):
        draft.note(where, f"it was not hashed: {unread[:200]}")
    if label := draft.words(said, "version", where):
        _version(draft, node, dataset, label)
    _columns(draft, node, said, where)
    return node


def _named(scene: Scene, dataset: str, digests: dict[str, str], state: _State, draft: Draft, told: Told) -> str:
    """What a state is named by: the run; a second one of the same dataset, of other bytes, by a number as well."""
    make = iris.read_state if state == draft.read else iris.write_state
    number, name = 1, scene.identifier
    while told.states.setdefault(f"<{make(dataset, name)}>", digests) != digests:
        number += 1
        name = f"{scene.identifier}/{number}"
    return name


def _version(draft: Draft, node: str, dataset: str, label: str) -> None:
    version = f"<{iris.version(dataset, label)}>"
    draft.say(node, PROV.specializationOf, version)
    draft.type(version, PROV.Entity, PS.Version)
    draft.say(version, PROV.specializationOf, f"<{dataset}>")
    draft.say(version, PS.version, rdf.literal(label))


def _columns(draft: Draft, node: str, said: Object, where: str) -> None:
    for place, each in draft.objects(said, "columns", where):
        name = draft.words(each, "name", place)
        if not name:
            draft.note(place, "ignored: a column has a name")
            continue
        column = f"{node[:-1]}/field/{iris.enc(name)}>"
        draft.say(node, PS.field, column)
        draft.say(column, PS.name, rdf.literal(name))
        if kind := draft.words(each, "type", place):
            draft.say(column, PS.type, rdf.literal(kind))


def _mode(draft: Draft, node: str, said: Object, where: str) -> None:
    sent = draft.words(said, "mode", where)
    if sent and sent.upper() not in _MODES:
        draft.note(f"{where}/mode", f"ignored: {sent[:60]!r} is none of {', '.join(_MODES)}")
    mode = _MODES.get((sent or "").upper()) or (PS.Overwrite if said.get("type", "file") in _WHOLE else "")
    if mode and said.get("type") not in _ITEMS and "uri" not in said:
        draft.say(node, PS.writeMode, mode)


# --- models and items -----------------------------------------------------------------------------------------------


def _model(draft: Draft, scene: Scene, said: Object, where: str) -> str:
    """The model that MLflow's URI names; an alias moves, so it names no model that could be known again."""
    uri = draft.words(said, "uri", where) or ""
    if found := _LOGGED.match(uri):
        return names.logged_model(draft, found[1])
    if _OF_RUN.match(uri):
        return names.logged_model(draft, uri)
    server = draft.words(said, "server", where)
    if (found := _NUMBERED.match(uri)) and server:
        return names.model_version(draft, server, found[1], found[2])
    wanted = "the URI of its server in 'server'" if found else "models:/m-…, models:/name/number or runs:/…"
    draft.note(f"{where}/uri", f"{uri[:100]!r} names no model that can be known again: wanted {wanted}")
    node = f"{scene.node[:-1]}#model/{iris.enc(uri)}>"
    draft.type(node, PROV.Entity, PS.UnresolvedRead)
    draft.say(node, DCT.title, rdf.literal(uri))
    return node


def _item(draft: Draft, scene: Scene, said: Object, where: str, kind: str) -> str:
    key = draft.words(said, "key", where)
    if not key:
        draft.note(where, "ignored: an item has a key")
        return ""
    namespace = draft.words(said, "namespace", where)
    known = rdf.is_iri(key) and not namespace
    node = f"<{key}>" if known else f"<{draft.base}/item/{iris.enc(namespace or scene.namespace)}/{iris.enc(key)}>"
    draft.type(node, PROV.Entity, kind)
    value = said.get("value")
    if isinstance(value, dict):
        commitment = draft.words(value, "commitment", f"{where}/value")
        if commitment and _COMMITMENT.match(commitment):
            draft.say(node, PS.commitment, rdf.literal(commitment))
        else:
            draft.note(f"{where}/value", "ignored: an object must be {'commitment': 'hmac-sha256:…'}")
    elif value is not None and type(value) is not list:
        draft.say(node, PROV.value, term(value))
    if pseudonym := draft.words(said, "subject", where):
        subject = f"<{draft.base}/subject/{iris.enc(pseudonym)}>"
        draft.type(subject, PROV.Entity, PS.DataSubject)
        draft.say(node, PS.subject, subject)
    return node


def term(value: object) -> str:
    """A scalar of JSON as a literal."""
    if type(value) is bool:
        return rdf.boolean(value)
    if type(value) is int:
        return rdf.integer(value)
    if type(value) is float:
        return rdf.literal(repr(value), f"{rdf.XSD}double")
    return rdf.literal(str(value))
