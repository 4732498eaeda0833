"""In-toto statements with SLSA provenance (v0.2, v1), alone, in a DSSE envelope or in a Sigstore bundle.

A signature is kept with the payload and told; it is not verified here, since a key is nothing that a payload has.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from provstore import jcs, rdf
from provstore.capture import bom, payloads
from provstore.capture.described import Described, iri_of
from provstore.capture.draft import RECORD, Object
from provstore.capture.payloads import Limits
from provstore.capture.repositories import address
from provstore.errors import InvalidInput
from provstore.model import Mapped
from provstore.vocab import DCT, PROV, PS

ADAPTER: Final = "statement/1"
MEDIA_TYPES: Final = (
    "application/vnd.in-toto+json",
    "application/vnd.dsse.envelope.v1+json",
    "application/vnd.dev.sigstore.bundle.v0.3+json",
)
_TYPE = "https://in-toto.io/Statement/"
_PAYLOAD = "application/vnd.in-toto+json"
_COMMIT = re.compile(r"[0-9a-f]{40}\Z")
_GIT = re.compile(r"(?:git\+)?(.+?)(?:\.git)?(?:@[^/@]+(?:/[^@]*)?)?(?:#.*)?\Z", re.DOTALL)


def recognised(value: Object) -> bool:
    """Whether a payload is a statement, or an envelope of one."""
    kind = value.get("_type")
    held = _envelope(value)
    return (isinstance(kind, str) and kind.startswith(_TYPE)) or held.get("payloadType") == _PAYLOAD


def map_statement(value: Object, *, base: str) -> Mapped:
    """The record of one statement; InvalidInput where an envelope holds none, Unmappable where it names no subject.

    Subjects of a predicate that is not known are told as bytes that the record is about, and the rest is reported.
    """
    draft = Described(base, value, ADAPTER)
    sealed = _envelope(value)
    said = _opened(sealed) if sealed else value
    where = "/payload" if sealed else ""
    kind = draft.text(said, "predicateType", where)
    known = _PREDICATES.get(kind)
    subjects = list(draft.objects(said, "subject", where))
    if not subjects:
        draft.refuse("'subject' must be a list of at least one artifact", said.get("subject"), f"{where}/subject")
    draft.say(RECORD, DCT.conformsTo, iri_of(kind) or rdf.literal(kind))
    if known is None:
        draft.note(f"{where}/predicateType", f"only the subjects were taken: nothing is known of {kind[:80]!r}")
        draft.head(None, *filter(None, (_bare(draft, each) for _, each in subjects)))
    else:
        build = known(draft, draft.object(said, "predicate", where), f"{where}/predicate")
        _Build(draft, build, jcs.dumps(said)).say(subjects)
    _signatures(draft, sealed)
    return draft.mapped()


# --- envelopes -----------------------------------------------------------------------------------------------------


def _envelope(value: Object) -> Object:
    """The DSSE envelope that a payload is or, as a Sigstore bundle, holds; an empty object where it is none."""
    held = value.get("dsseEnvelope", value)
    return held if isinstance(held, dict) and "payload" in held and "payloadType" in held else {}


def sealed(value: Object) -> Object:
    """The statement that a signature covers; an empty object where there is no envelope, or none that can be read."""
    held = _envelope(value)
    try:
        return _opened(held) if held else {}
    except InvalidInput:
        return {}


def _opened(envelope: Object) -> Object:
    """The JSON object in an envelope, under the limits of any payload."""
    sent = envelope.get("payload")
    try:
        text = base64.b64decode(sent.replace("-", "+").replace("_", "/"), validate=True) if type(sent) is str else b""
        (part,) = payloads.split(text, "application/json", None, Limits())
        if part.error:
            raise part.error
    except binascii.Error as error:
        raise InvalidInput(f"'payload' must be base64: {error}", pointer="/payload") from error
    except InvalidInput as error:
        raise InvalidInput(f"the payload of the envelope: {error.detail}", pointer="/payload") from error
    except ValueError as error:
        raise InvalidInput("the payload of the envelope must be one JSON object", pointer="/payload") from error
    return part.value


def _signatures(draft: Described, envelope: Object) -> None:
    for pointer, each in draft.objects(envelope, "signatures"):
        key = draft.words(each, "keyid", pointer) or "of no name"
        node = f"{RECORD[:-1]}#{pointer}>"
        draft.type(node, PROV.Entity, PS.Signature)
        draft.say(node, PS.concerns, RECORD)
        draft.say(node, DCT.identifier, rdf.literal(key))
        draft.note(pointer, f"the signature by key {key[:80]} was kept and not verified")


# --- builds --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Told:
    """What a predicate says of a build, whichever version says it; places are JSON pointers."""

    builder: str
    kind: str
    invocation: str
    start: str | None
    end: str | None
    parameters: tuple[tuple[str, str], ...]
    materials: tuple[tuple[str, Object], ...]
    byproducts: tuple[tuple[str, Object], ...] = ()


def _v1(draft: Described, said: Object, at: str) -> _Told:
    build, details = draft.object(said, "buildDefinition", at), draft.object(said, "runDetails", at)
    in_build, in_details = f"{at}/buildDefinition", f"{at}/runDetails"
    builder = draft.object(details, "builder", in_details)
    metadata = draft.object(details, "metadata", in_details)
    inner = draft.object(build, "internalParameters", in_build)
    return _Told(
        draft.words(builder, "id", f"{in_details}/builder") or "",
        draft.words(build, "buildType", in_build) or "",
        draft.words(metadata, "invocationId", f"{in_details}/metadata") or "",
        draft.instant(metadata, "startedOn", f"{in_details}/metadata"),
        draft.instant(metadata, "finishedOn", f"{in_details}/metadata"),
        (
            *bom.flat(draft.object(build, "externalParameters", in_build)),
            *((f"internal:{key}", value) for key, value in bom.flat(inner) if key),
        ),
        tuple(draft.objects(build, "resolvedDependencies", in_build)),
        tuple(draft.objects(details, "byproducts", in_details)),
    )


def _v0(draft: Described, said: Object, at: str) -> _Told:
    builder, metadata = draft.object(said, "builder", at), draft.object(said, "metadata", at)
    invocation = draft.object(said, "invocation", at)
    return _Told(
        draft.words(builder, "id", f"{at}/builder") or "",
        draft.words(said, "buildType", at) or "",
        draft.words(metadata, "buildInvocationId", f"{at}/metadata") or "",
        draft.instant(metadata, "buildStartedOn", f"{at}/metadata"),
        draft.instant(metadata, "buildFinishedOn", f"{at}/metadata"),
        (
            *bom.flat(draft.object(invocation, "parameters", f"{at}/invocation")),
            *((f"internal:{key}", text) for key, text in bom.flat(invocation.get("environment") or {}) if key),
        ),
        tuple(draft.objects(said, "materials", at)),
    )


_PREDICATES: Final[dict[str, Callable[[Described, Object, str], _Told]]] = {
    "https://slsa.dev/provenance/v1": _v1,
    "https://slsa.dev/provenance/v0.2": _v0,
}


class _Build:
    """One build as a run: what it read, what it made, and who ran it."""

    def __init__(self, draft: Described, told: _Told, whole: str) -> None:
        self._draft, self._told = draft, told
        named = (told.builder, told.invocation) if told.invocation else (whole,)
        self._identifier, self._run = draft.run(bom.run_id("build", *named))
        self._space = told.builder or "in-toto"

    def say(self, subjects: list[tuple[str, Object]]) -> None:
        draft, told = self._draft, self._told
        draft.span(self._run, told.start, told.end)
        if told.invocation:
            draft.say(self._run, DCT.identifier, rdf.literal(told.invocation))
        if told.kind:
            draft.say(self._run, PS.job, f"<{draft.job(self._space, told.kind)}>")
        for key, value in told.parameters:
            if key:
                draft.parameter(self._run, key, value)
        for pointer, each in told.materials:
            self._material(each, pointer)
        for pointer, each in (*subjects, *told.byproducts):
            self._product(each, pointer)
        if told.builder:
            draft.associate(self._run, draft.agent("software", told.builder))
        draft.head(told.end or told.start, self._run, author=told.builder)

    def _material(self, each: Object, pointer: str) -> None:
        """A commit of a repository is code; of anything else nobody tells whether it is in the product."""
        draft = self._draft
        uri = draft.words(each, "uri", pointer) or ""
        digest = draft.object(each, "digest", pointer)
        commit = digest.get("gitCommit") or (digest.get("sha1") if uri.startswith("git") else None)
        if isinstance(commit, str) and _COMMIT.match(commit.lower()):
            match = _GIT.match(uri)
            if code := draft.code(commit, repository=address(match[1]) if match and uri else ""):
                draft.use(self._run, code, PS.code)
            return
        if data := self._dataset(each, uri, pointer):
            draft.read(self._run, self._identifier, data, bom.digests(digest.items()))

    def _product(self, each: Object, pointer: str) -> None:
        draft = self._draft
        if data := self._dataset(each, draft.words(each, "uri", pointer) or "", pointer):
            held = bom.digests(draft.object(each, "digest", pointer).items())
            draft.write(self._run, self._identifier, data, held)

    def _dataset(self, each: Object, uri: str, pointer: str) -> str:
        draft = self._draft
        name = draft.words(each, "name", pointer) or uri
        if not name:
            draft.note(pointer, "left out: it has neither 'uri' nor 'name'")
            return ""
        return bom.dataset(draft, uri, (self._space, name))


def _bare(draft: Described, subject: Object) -> str:
    """The bytes of a subject, by its first digest that names any."""
    held = bom.digests(subject["digest"].items()) if isinstance(subject.get("digest"), dict) else {}
    name: Any = subject.get("name") or subject.get("uri")
    if not isinstance(name, str) or not name:
        return ""
    data = f"<{bom.dataset(draft, '', ('in-toto', name))}>"
    version = next(iter(held.values()), "")
    if not version:
        return data
    node = f"{data[:-1]}/version/{version}>"
    draft.type(node, PROV.Entity, PS.Version)
    draft.say(node, PROV.specializationOf, data)
    draft.say(node, PS.version, rdf.literal(version))
    draft.content(node, held)
    return node
