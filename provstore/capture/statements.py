"""In-toto statements with SLSA provenance (v0.2, v1) or a signed model; alone, in a DSSE envelope, a Sigstore bundle.

A signature is kept with the payload and told; whether it is good is asked of the payload and of the keys that somebody
trusts (`provstore.core.signatures`), never here, since a key is nothing that a payload has.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

from provstore import iris, jcs, rdf
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
#: OpenSSF Model Signing: the files of a model, in a Sigstore bundle.
_SIGNED_MODEL = "https://model_signing/signature/v1.0"
_COMMIT = re.compile(r"[0-9a-f]{40}\Z")
_GIT = re.compile(r"(?:git\+)?(.+?)(?:\.git)?(?:@[^/@]+(?:/[^@]*)?)?(?:#.*)?\Z", re.DOTALL)


def recognised(value: Object) -> bool:
    """Whether a payload is a statement, or an envelope of one."""
    kind = value.get("_type")
    _, held = _envelope(value)
    return (isinstance(kind, str) and kind.startswith(_TYPE)) or held.get("payloadType") == _PAYLOAD


def map_statement(value: Object, *, base: str) -> Mapped:
    """The record of one statement; InvalidInput where an envelope holds none, Unmappable where it names no subject.

    Subjects of a predicate that is not known are told as bytes that the record is about, and the rest is reported.
    """
    draft = Described(base, value, ADAPTER)
    at, sealed = _envelope(value)
    said, where = (_opened(sealed, at), f"{at}/payload") if sealed else (value, "")
    kind = draft.text(said, "predicateType", where)
    known = _PREDICATES.get(kind)
    subjects = list(draft.objects(said, "subject", where))
    if not subjects:
        draft.refuse("'subject' must be a list of at least one artifact", said.get("subject"), f"{where}/subject")
    draft.say(RECORD, DCT.conformsTo, iri_of(kind) or rdf.literal(kind))
    if kind == _SIGNED_MODEL:
        _model(draft, _Part(said, where).part(draft, "predicate"), subjects)
    elif known is None:
        draft.note(f"{where}/predicateType", f"only the subjects were taken: nothing is known of {kind[:80]!r}")
        draft.head(None, *filter(None, (_bare(draft, each) for _, each in subjects)))
    else:
        build = known(draft, _Part(said, where).part(draft, "predicate"))
        _Build(draft, build, jcs.dumps(said)).say(subjects)
    _signatures(draft, sealed, at)
    return draft.mapped()


# --- envelopes -----------------------------------------------------------------------------------------------------


def _envelope(value: Object) -> tuple[str, Object]:
    """The DSSE envelope that a payload is or, as a Sigstore bundle, holds, and where; an empty object without one."""
    at, held = ("/dsseEnvelope", value["dsseEnvelope"]) if "dsseEnvelope" in value else ("", value)
    return at, held if isinstance(held, dict) and "payload" in held and "payloadType" in held else {}


def sealed(value: Object) -> Object:
    """The statement that a signature covers; an empty object where there is no envelope, or none that can be read."""
    at, held = _envelope(value)
    try:
        return _opened(held, at) if held else {}
    except InvalidInput:
        return {}


def _opened(envelope: Object, at: str) -> Object:
    """The JSON object in an envelope, under the limits of any payload."""
    sent, pointer = envelope.get("payload"), f"{at}/payload"
    try:
        text = base64.b64decode(sent.replace("-", "+").replace("_", "/"), validate=True) if type(sent) is str else b""
        (part,) = payloads.split(text, "application/json", None, Limits())
        if part.error:
            raise part.error
    except binascii.Error as error:
        raise InvalidInput(f"'payload' must be base64: {error}", pointer=pointer) from error
    except InvalidInput as error:
        raise InvalidInput(f"the payload of the envelope: {error.detail}", pointer=pointer) from error
    except ValueError as error:
        raise InvalidInput("the payload of the envelope must be one JSON object", pointer=pointer) from error
    return part.value


def _signatures(draft: Described, envelope: Object, at: str) -> None:
    for pointer, each in draft.objects(envelope, "signatures"):
        key = draft.words(each, "keyid", f"{at}{pointer}") or "of no name"
        node = f"{RECORD[:-1]}#{pointer}>"
        draft.type(node, PROV.Entity, PS.Signature)
        draft.say(node, PS.concerns, RECORD)
        draft.say(node, DCT.identifier, rdf.literal(key))
        draft.note(
            f"{at}{pointer}",
            f"the signature by key {key[:80]} was kept; whether it is good, `provstore signatures` says",
        )


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


class _Part(NamedTuple):
    """An object in a predicate, and its JSON pointer."""

    held: Object
    at: str

    def part(self, draft: Described, member: str) -> _Part:
        return _Part(draft.object(self.held, member, self.at), f"{self.at}/{member}")

    def words(self, draft: Described, member: str) -> str:
        return draft.words(self.held, member, self.at) or ""


def _v1(draft: Described, said: _Part) -> _Told:
    build, details = said.part(draft, "buildDefinition"), said.part(draft, "runDetails")
    times = ("invocationId", "startedOn", "finishedOn")
    parameters = (build.part(draft, "externalParameters"), build.part(draft, "internalParameters"))
    told = _told(draft, build, details, times, parameters, "resolvedDependencies")
    return replace(told, byproducts=tuple(draft.objects(details.held, "byproducts", details.at)))


def _v0(draft: Described, said: _Part) -> _Told:
    invocation = said.part(draft, "invocation")
    times = ("buildInvocationId", "buildStartedOn", "buildFinishedOn")
    parameters = (invocation.part(draft, "parameters"), invocation.part(draft, "environment"))
    return _told(draft, said, said, times, parameters, "materials")


def _told(
    draft: Described,
    build: _Part,
    details: _Part,
    names: tuple[str, str, str],
    parameters: tuple[_Part, _Part],
    materials: str,
) -> _Told:
    """What both versions say: `names` are those of invocation, start and end, `parameters` those given and internal."""
    metadata, (given, inner) = details.part(draft, "metadata"), parameters
    return _Told(
        details.part(draft, "builder").words(draft, "id"),
        build.words(draft, "buildType"),
        metadata.words(draft, names[0]),
        draft.instant(metadata.held, names[1], metadata.at),
        draft.instant(metadata.held, names[2], metadata.at),
        (*bom.flat(given.held), *((f"internal:{key}", value) for key, value in bom.flat(inner.held) if key)),
        tuple(draft.objects(build.held, materials, build.at)),
    )


_PREDICATES: Final[dict[str, Callable[[Described, _Part], _Told]]] = {
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


def _model(draft: Described, said: _Part, subjects: list[tuple[str, Object]]) -> None:
    """A model by the files that were signed; the digest of the whole is over theirs, and names no bytes."""
    about = []
    for pointer, each in subjects:
        name = draft.text(each, "name", pointer)
        digest = draft.words(draft.object(each, "digest", pointer), "sha256", f"{pointer}/digest") or ""
        about.append(bom.Model.named(draft, ("model_signing", name), digest, {}).node)
    for where, each in draft.objects(said.held, "resources", said.at):
        if name := draft.words(each, "name", where) or "":
            file = f"{about[0][:-1]}/file/{iris.enc(name)}>"
            draft.type(file, PROV.Entity)
            draft.say(file, DCT.title, rdf.literal(name))
            draft.say(about[0], PROV.hadMember, file)
            draft.content(file, bom.digests([(each.get("algorithm"), each.get("digest"))]))
    draft.head(None, *about)


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
