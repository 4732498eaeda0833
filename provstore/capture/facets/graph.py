"""The content graph of one facet while it is written, and tolerant readers of the facet's members."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Final

from provstore import iris, jcs, rdf, times
from provstore.capture.lines import Lines
from provstore.vocab import SCHEMA

Object = dict[str, Any]

# RFC 3986 in ASCII, narrower than an engine's own check, so that no engine refuses what is written here
_PCHAR = r"(?:[A-Za-z0-9._~!$&'()*+,;=-]|%[0-9A-Fa-f]{2}"  # left open: each part adds its own characters
_URL: Final = re.compile(
    rf"[A-Za-z][A-Za-z0-9+.-]*://(?:{_PCHAR}|:)*@)?{_PCHAR})*(?::[0-9]{{1,5}})?"
    rf"(?:/{_PCHAR}|[:@/])*)?(?:[?]{_PCHAR}|[:@/?])*)?(?:#{_PCHAR}|[:@/?])*)?\Z"
)
_KINDS = {dict: "object", list: "list", str: "string", bool: "boolean", int: "number", float: "number"}


class FacetError(Exception):
    """The facet is not what its key promises; the message is for a Liberty."""


def kind_of(value: object) -> str:
    """The JSON name of a value's type."""
    return _KINDS.get(type(value), "null")


def escaped(key: str) -> str:
    """A key as a token of a JSON pointer (RFC 6901 §3)."""
    return key.replace("~", "~0").replace("/", "~1")


def token(key: str) -> str:
    """A key as a token of a JSON pointer in a URI fragment (RFC 6901 §6)."""
    return _token(key) if len(key) <= 256 else iris.fragment(escaped(key))  # only short keys are worth keeping


@lru_cache(maxsize=16384)
def _token(key: str) -> str:
    return iris.fragment(escaped(key))


def term_of(value: object) -> str:
    """The RDF term of a JSON value: string, integer, double or boolean of XSD; null and compound values as rdf:JSON."""
    if type(value) is str:
        return rdf.literal(value)
    if type(value) is bool:
        return rdf.boolean(value)
    if type(value) is int:
        return rdf.integer(value)
    if type(value) is float:
        return rdf.literal(jcs.dumps(value), f"{rdf.XSD}double")
    return rdf.literal(jcs.dumps(value), f"{rdf.RDF}JSON")


class Graph(Lines):
    """The lines of one content; what had to be overlooked is in `notes`."""

    __slots__ = ("iri", "node", "notes")

    def __init__(self, base: str, iri: str) -> None:
        super().__init__(base, iri)
        self.iri = iri
        self.node = f"<{iri}>"
        self.notes: list[str] = []

    # --- nodes and statements ------------------------------------------------------------------------------------

    def at(self, pointer: str) -> str:
        """The node of the value at a JSON pointer, whose keys have gone through `token`."""
        return f"<{self.iri}#{pointer}>"

    def say_text(self, node: str, predicate: str, holder: Object, member: str) -> None:
        value = self.text(holder, member)
        if value is not None:
            self.say(node, predicate, rdf.literal(value))

    def say_link(self, node: str, predicate: str, holder: Object, member: str) -> None:
        """A member that should be a URL: as an IRI where it is one, else as text."""
        value = self.text(holder, member)
        if value is not None:
            self.say(node, predicate, link(value))

    def say_whole(self, node: str, predicate: str, holder: Object, member: str) -> None:
        value = self.whole(holder, member)
        if value is not None:
            self.say(node, predicate, rdf.integer(value))

    def say_time(self, node: str, predicate: str, holder: Object, member: str) -> None:
        """A date-time, in UTC."""
        sent = self.text(holder, member)
        if sent is None:
            return
        try:
            instant, zoned = times.key(sent)
        except (ValueError, OverflowError) as error:
            raise FacetError(f"{member!r} must be an ISO 8601 date-time, got {sent[:60]!r}") from error
        if not zoned:
            self.notes.append(f"{member!r} names no time zone; taken as UTC")
        self.say(node, predicate, rdf.date_time(times.lexical(instant)))

    def say_property(self, holder: str, predicate: str, node: str, name: str, value: object) -> None:
        """A named value of the holder, as a schema:PropertyValue."""
        self.say(holder, predicate, node)
        self.type(node, SCHEMA.PropertyValue)
        self.say(node, SCHEMA.propertyID, rdf.literal(name))
        self.say(node, SCHEMA.value, term_of(value))

    def say_properties(self, holder: str, predicate: str, facet: Object, member: str, pointer: str) -> None:
        """Every member of an object as a named value of the holder; a null says nothing."""
        for name, value in self.members(facet, member):
            if value is not None:
                self.say_property(holder, predicate, self.at(f"{pointer}/{token(name)}"), name, value)

    # --- reading -------------------------------------------------------------------------------------------------

    def text(self, holder: Object, member: str) -> str | None:
        """A string member; a number or boolean is taken for its text, null for absence."""
        value = holder.get(member)
        if value is None or type(value) is str:
            return value
        if type(value) in (int, float, bool):
            self.notes.append(f"{member!r} should be a string, got {kind_of(value)}")
            return jcs.dumps(value)
        raise FacetError(f"{member!r} must be a string, got {kind_of(value)}")

    def needed(self, holder: Object, member: str) -> str:
        value = self.text(holder, member)
        if not value:
            raise FacetError(f"{member!r} must be a non-empty string, got {kind_of(holder.get(member))}")
        return value

    def whole(self, holder: Object, member: str) -> int | None:
        """A whole number; null counts as absence."""
        value = holder.get(member)
        if value is not None and type(value) is not int:
            raise FacetError(f"{member!r} must be a whole number, got {kind_of(value)}")
        return value

    def number(self, holder: Object, member: str) -> int | float | None:
        """A number; null counts as absence."""
        value = holder.get(member)
        if type(value) is int or type(value) is float or value is None:
            return value
        raise FacetError(f"{member!r} must be a number, got {kind_of(value)}")

    def flag(self, holder: Object, member: str) -> bool | None:
        """A boolean; null counts as absence."""
        value = holder.get(member)
        if type(value) is bool or value is None:
            return value
        raise FacetError(f"{member!r} must be a boolean, got {kind_of(value)}")

    def members(self, holder: Object, member: str) -> list[tuple[str, Any]]:
        """The members of an object, sorted by key; null counts as empty."""
        value = holder.get(member)
        if value is None:
            return []
        if not isinstance(value, dict):
            raise FacetError(f"{member!r} must be an object, got {kind_of(value)}")
        return sorted(value.items())

    def texts(self, holder: Object, member: str) -> list[str]:
        """A list of strings; null counts as empty."""
        value = holder.get(member)
        if value is None:
            return []
        if not isinstance(value, list):
            raise FacetError(f"{member!r} must be a list, got {kind_of(value)}")
        for each in value:
            if type(each) is not str:
                raise FacetError(f"{member!r} must hold strings, got {kind_of(each)}")
        return value


def link(text: str) -> str:
    """A URL as an IRI, any other text as a literal."""
    return f"<{text}>" if _URL.match(text) else rdf.literal(text)


def listed(holder: Object, member: str) -> list[Object]:
    """A list of objects; null counts as empty."""
    value = holder.get(member)
    if value is None:
        return []
    if not isinstance(value, list):
        raise FacetError(f"{member!r} must be a list, got {kind_of(value)}")
    for each in value:
        if not isinstance(each, dict):
            raise FacetError(f"{member!r} must hold objects, got {kind_of(each)}")
    return value


def inner(holder: Object, member: str) -> Object:
    """An object; null counts as an empty one."""
    value = holder.get(member)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise FacetError(f"{member!r} must be an object, got {kind_of(value)}")
    return value


def objects(holder: Object, member: str) -> list[tuple[str, Object]]:
    """The members of an object of objects, sorted by key; null counts as empty."""
    value = inner(holder, member)
    for key, each in value.items():
        if not isinstance(each, dict):
            raise FacetError(f"{key!r} in {member!r} must be an object, got {kind_of(each)}")
    return sorted(value.items())
