"""A draft for documents that describe data: facets of OpenLineage, licences, organisations, names from addresses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from provstore import iris, jcs, rdf
from provstore.capture.draft import Draft, Object
from provstore.capture.facets import content_of, escaped, kind_of
from provstore.capture.facets.graph import link
from provstore.model import Content, Mapped
from provstore.vocab import DCT, PROV, PS, SCHEMA

_URL: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*://[^/?#]*)/?(.*)\Z", re.DOTALL)
_URN: Final = re.compile(r"(urn:[A-Za-z0-9][A-Za-z0-9-]*|doi):(.+)\Z", re.IGNORECASE | re.DOTALL)
# RFC 3986, without an authority: what has one is told by `link`
_PCHAR: Final = r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})"
_PATH_IRI: Final = re.compile(
    rf"[A-Za-z][A-Za-z0-9+.-]*:(?!//){_PCHAR}+(?:\?(?:{_PCHAR}|\?)*)?(?:#(?:{_PCHAR}|\?)*)?\Z"
)
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d\Z", re.ASCII)
#: Identifiers of https://spdx.org/licenses that are taken for links; any other short name may be anybody's own.
_SPDX: Final = {
    name.lower(): name
    for name in [
        "0BSD",
        "AGPL-3.0-only",
        "Apache-2.0",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "C-UDA-1.0",
        "CC-BY-3.0",
        "CC-BY-4.0",
        "CC-BY-NC-4.0",
        "CC-BY-NC-ND-4.0",
        "CC-BY-NC-SA-4.0",
        "CC-BY-ND-4.0",
        "CC-BY-SA-3.0",
        "CC-BY-SA-4.0",
        "CC0-1.0",
        "CDLA-Permissive-1.0",
        "CDLA-Permissive-2.0",
        "CDLA-Sharing-1.0",
        "GPL-2.0-only",
        "GPL-3.0-only",
        "LGPL-3.0-only",
        "MIT",
        "MPL-2.0",
        "ODbL-1.0",
        "ODC-By-1.0",
        "PDDL-1.0",
        "Unlicense",
    ]
}


class Described(Draft):
    """A draft that says what facets of OpenLineage say, in their own form: their contents go with the record."""

    __slots__ = ("_own", "contents")

    def __init__(self, base: str, value: Object, adapter: str) -> None:
        super().__init__(base, value, adapter)
        self.contents: dict[str, Content] = {}
        part = r"(?:[A-Za-z0-9._~-]|%[0-9A-F]{2})+"
        self._own = re.compile(rf"{re.escape(base)}/dataset/{part}/{part}\Z")

    def facet(self, subject: str, key: str, value: Object) -> None:
        """Assert a facet of a subject; what of it cannot be read is reported."""
        content, complaints = content_of(key, value, self.base)
        for each in complaints:
            self.note("", f"facet {key!r}: {each}")
        self.contents[content.iri] = content
        node = f"{subject[:-1]}#{key}>"
        self.type(node, PS.FacetAssertion)
        self.say(node, PS.on, subject)
        self.say(node, PS.key, rdf.literal(key))
        self.say(node, PS.content, f"<{content.iri}>")

    def mapped(self) -> Mapped:
        return replace(super().mapped(), contents=tuple(self.contents[iri] for iri in sorted(self.contents)))

    def several(self, holder: Object, member: str, pointer: str) -> Iterator[tuple[str, Any]]:
        """The values of a member with their pointers; one alone stands for a list of it."""
        value = holder.get(member)
        if isinstance(value, list):
            yield from self.items(holder, member, pointer)
        elif value is not None:
            yield f"{pointer}/{escaped(member)}", value

    def each_object(self, holder: Object, member: str, pointer: str) -> Iterator[tuple[str, Object]]:
        """As `several`, the objects; what else stands there is reported."""
        for where, each in self.several(holder, member, pointer):
            if isinstance(each, dict):
                yield where, each
            else:
                self.note(where, f"ignored: each of {member!r} must be an object, got {kind_of(each)}")

    def enclosed(self, member: str) -> tuple[str, Object]:
        """The document in an envelope of ours, under its `member`, and where; without one the payload itself."""
        if "provstore" in self.value:
            return f"/{member}", self.required(self.value, member)
        return "", self.value

    def addressed(self) -> str | None:
        """The dataset that an envelope names as pipelines do, by `namespace` and `name`."""
        said = self.object(self.value, "dataset") if "provstore" in self.value else {}
        return (
            self.dataset(self.text(said, "namespace", "/dataset"), self.text(said, "name", "/dataset"))
            if said
            else None
        )

    def license(self, subject: str, sent: str) -> None:
        """A licence: a link where it is one or a known SPDX identifier, else terms in words."""
        known = _SPDX.get(sent.lower())
        term = f"<https://spdx.org/licenses/{known}>" if known else link(sent)
        self.say(subject, DCT.license if term.startswith("<") else DCT.rights, term)

    def property(self, subject: str, name: str, value: str) -> None:
        """A named value that no vocabulary has a word for."""
        node = f"{subject[:-1]}#property/{_tail(name, value)}>"
        self.say(subject, SCHEMA.additionalProperty, node)
        self.type(node, SCHEMA.PropertyValue)
        self.say(node, SCHEMA.propertyID, rdf.literal(name))
        self.say(node, SCHEMA.value, rdf.literal(value))

    def moment(self, holder: Object, member: str, pointer: str, *, last: bool = False) -> str | None:
        """An instant, as `instant`; a day stands for its first second in UTC, or its last."""
        sent = holder.get(member)
        if type(sent) is not str or not _DAY.match(sent):
            return self.instant(holder, member, pointer)
        return self.instant({member: f"{sent}T{'23:59:59' if last else '00:00:00'}Z"}, member, pointer)

    def named(self, address: str) -> str | None:
        """The IRI of the dataset at an address: itself where it is one of this store; None where it is no address."""
        if self._own.match(address):
            self.type(f"<{address}>", PROV.Entity, PS.Dataset)
            return address
        place = located(address)
        return self.dataset(*place) if place else None


def located(address: str) -> tuple[str, str] | None:
    """Namespace and name of what lies at an absolute path, URL or URN, as OpenLineage names files and objects."""
    if address.startswith("/"):
        return "file", address
    found = _URL.match(address) or _URN.match(address)
    if not found or not found[2]:
        return None
    return ("file", f"/{found[2]}") if found[1].lower() == "file://" else (found[1], found[2])


def iri_of(sent: str) -> str | None:
    """An absolute IRI as a term, of those that every engine reads; None for any other text."""
    term = link(sent)
    return term if term.startswith("<") else f"<{sent}>" if _PATH_IRI.match(sent) else None


def text(value: object) -> str:
    """A string, or the text of a number; empty for anything else."""
    if type(value) is str:
        return value
    return jcs.dumps(value) if type(value) in (int, float, bool) else ""


def number(value: object) -> int | float | None:
    """A number; None for anything else."""
    return value if type(value) is int or type(value) is float else None


def _tail(*parts: str) -> str:
    return "/".join(map(iris.enc, parts))
