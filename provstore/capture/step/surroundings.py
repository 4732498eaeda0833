"""What a step ran with: code, environment, machine, parameters, seeds, and who had a hand in it."""

from __future__ import annotations

import hashlib
import re

from provstore import iris, jcs, rdf
from provstore.capture.draft import Draft, Object
from provstore.capture.facets import escaped, kind_of
from provstore.capture.step.scene import Scene, role
from provstore.vocab import DCT, PS, SCHEMA

_AGENTS = {"person": "person", "organization": "org", "software": "software"}
_SHA256 = re.compile(r"[0-9a-f]{64}\Z")


def say(draft: Draft, scene: Scene) -> None:
    """Everything that stands around the data."""
    _agents(draft, scene)
    _code(draft, scene)
    _environment(draft, scene)
    for name, value in draft.object(draft.value, "machine").items():
        _property(draft, scene, name, value)
    for member, prefix in (("parameters", ""), ("seeds", "seed.")):
        for name, value in draft.object(draft.value, member).items():
            said = _plain(draft, value, f"/{member}/{escaped(name)}")
            if said is not None and name:
                draft.parameter(scene.node, f"{prefix}{name}", said)


def _plain(draft: Draft, value: object, where: str) -> str | None:
    if type(value) is str:
        return value
    if value is None or type(value) in (bool, int, float, list, dict):
        return jcs.dumps(value)
    draft.note(where, f"ignored: it must be a JSON value, got {kind_of(value)}")
    return None


def _agents(draft: Draft, scene: Scene) -> None:
    for where, each in draft.objects(draft.value, "agents"):
        identifier, kind = draft.words(each, "id", where), draft.words(each, "kind", where) or "person"
        if not identifier or kind not in _AGENTS:
            draft.note(where, f"ignored: an agent has an id and is one of {', '.join(_AGENTS)}")
            continue
        agent = draft.agent(_AGENTS[kind], identifier, draft.words(each, "name", where) or "")
        asserted = each.get("selfAsserted") is True
        draft.associate(scene.node, agent, role=role(draft, each, where), self_asserted=asserted)


def _code(draft: Draft, scene: Scene) -> None:
    code = draft.object(draft.value, "code")
    if not code:
        return
    dirty = code.get("dirty")
    commit, diff = draft.words(code, "commit", "/code") or "", draft.words(code, "diffSha256", "/code") or ""
    if diff and not _SHA256.match(diff):
        draft.note("/code/diffSha256", "ignored: it is no SHA-256 in hexadecimal digits")
        diff = ""
    node = draft.code(
        commit,
        dirty=dirty if type(dirty) is bool else True if diff else None,
        diff=diff,
        repository=draft.words(code, "repository", "/code") or "",
    )
    if node is None:
        draft.note("/code/commit", f"ignored: a commit is 40 hexadecimal digits, got {commit[:60]!r}")
        return
    for member, predicate in (("branch", PS.branch), ("path", PS.path)):
        if text := draft.words(code, member, "/code"):
            draft.say(scene.node, predicate, rdf.literal(text))  # of this run: a commit is on many branches
    draft.use(scene.node, node)


def _environment(draft: Draft, scene: Scene) -> None:
    """The environment by its digest; whoever tells its packages too is held to it."""
    said = draft.object(draft.value, "environment")
    digest = (draft.words(said, "sha256", "/environment") or "").lower()
    lines = _listing(draft, said)
    if lines and digest and hashlib.sha256(lines.encode()).hexdigest() != digest:
        draft.note("/environment", "packages are left out: 'sha256' is not that of their listing")
        lines = ""
    digest = digest or (hashlib.sha256(lines.encode()).hexdigest() if lines else "")
    if not digest:
        return
    if not _SHA256.match(digest):
        draft.note("/environment/sha256", "ignored: it is no SHA-256 in hexadecimal digits")
        return
    node = draft.environment(digest)
    if lines:
        draft.say(node, DCT.description, rdf.literal(lines.rstrip("\n")))
    draft.use(scene.node, node)


def _listing(draft: Draft, said: Object) -> str:
    """The canonical listing of `provstore.observe.environment`; "" where the packages are not told."""
    packages = sorted(each for _, each in draft.items(said, "packages", "/environment") if type(each) is str)
    if not packages:
        return ""
    python = draft.words(said, "python", "/environment") or ""
    name = draft.words(said, "implementation", "/environment") or "cpython"
    system = draft.words(said, "platform", "/environment") or ""
    return "".join(f"{line}\n" for line in (f"{name}=={python}", f"platform=={system}", *packages))


def _property(draft: Draft, scene: Scene, name: str, value: object) -> None:
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    if type(value) not in (str, int, float, list) or not text or not name:
        draft.note(f"/machine/{escaped(name)}", "ignored: it must be a text, a number or a list of them")
        return
    node = f"{scene.node[:-1]}#machine/{iris.enc(name)}>"
    draft.say(scene.node, SCHEMA.additionalProperty, node)
    draft.type(node, SCHEMA.PropertyValue)
    draft.say(node, SCHEMA.name, rdf.literal(name))
    draft.say(node, SCHEMA.value, rdf.literal(text))
