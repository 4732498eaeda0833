"""An event on its way to a record: tolerant readers of its members, and what all kinds of event say."""

from __future__ import annotations

import re
from typing import Any, NoReturn

from provstore import iris, rdf, times
from provstore.capture.facets import content_of, escaped, kind_of
from provstore.capture.lines import Lines
from provstore.errors import InvalidInput, Unmappable
from provstore.model import Content, Liberty
from provstore.vocab import DCT, PROV, PS

RECORD = f"<{iris.PLACEHOLDER}>"

Object = dict[str, Any]

# XML Schema 1.1 part 2 §3.3.7, years of four digits; the calendar itself is checked by `times`
_DATE_TIME = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:[0-5]\d(?:\.\d+)?(Z|[+-](?:0\d|1[0-3]):[0-5]\d|[+-]14:00)?\Z", re.ASCII
)


def live(facets: Object, key: str) -> Object | None:
    """A facet that is an object and not a deletion."""
    facet = facets.get(key)
    return facet if isinstance(facet, dict) and facet.get("_deleted") is not True else None


class Event(Lines):
    """The record of one event, while it is written; `instant` is the key of its time, once `head` has read it."""

    __slots__ = ("contents", "instant", "liberties", "value")

    def __init__(self, base: str, value: Object) -> None:
        super().__init__(base, iris.PLACEHOLDER)
        self.value = value
        self.instant = ""
        self.contents: dict[str, Content] = {}
        self.liberties: list[Liberty] = []

    # --- reading -------------------------------------------------------------------------------------------------

    def note(self, pointer: str, message: str) -> None:
        self.liberties.append(Liberty(pointer, message))

    def text(self, holder: Object, member: str, pointer: str) -> str:
        """A non-empty string that the event cannot do without; a number is taken for its text."""
        value = holder.get(member)
        if type(value) is str and value:
            return value
        if type(value) in (int, float):
            self.note(f"{pointer}/{member}", f"{member!r} must be a string; the number {value} was taken as text")
            return str(value)
        _refuse(f"{member!r} must be a non-empty string", value, f"{pointer}/{member}")

    def required(self, holder: Object, member: str, pointer: str) -> Object:
        value = holder.get(member)
        if not isinstance(value, dict):
            _refuse(f"{member!r} must be an object", value, f"{pointer}/{member}")
        return value

    def objects(self, member: str) -> list[tuple[str, Object]]:
        """The elements of a top-level list with their pointers; null and absence are an empty list."""
        value = self.value.get(member)
        if value is None:
            return []
        if not isinstance(value, list):
            _refuse(f"{member!r} must be a list", value, f"/{member}")
        for index, each in enumerate(value):
            if not isinstance(each, dict):
                _refuse(f"each of {member!r} must be an object", each, f"/{member}/{index}")
        return [(f"/{member}/{index}", each) for index, each in enumerate(value)]

    def pair(self, holder: object, pointer: str) -> tuple[str, str] | None:
        """Namespace and name inside a facet; None, with a Liberty, where they are not usable."""
        try:
            if isinstance(holder, dict):
                return self.text(holder, "namespace", pointer), self.text(holder, "name", pointer)
            _refuse("must be an object with 'namespace' and 'name'", holder, pointer)
        except Unmappable as error:
            self.note(error.pointer or pointer, f"ignored: {error.detail}")
        return None

    def facets(self, holder: Object, member: str, pointer: str) -> Object:
        value = holder.get(member)
        if isinstance(value, dict):
            return value
        if value is not None:
            self.note(f"{pointer}/{member}", f"ignored: {member!r} must be an object, got {kind_of(value)}")
        return {}

    # --- writing -------------------------------------------------------------------------------------------------

    def head(self) -> None:
        """The record itself: its time, which nothing can do without, and its producer."""
        self.type(RECORD, PROV.Bundle, PS.Record)
        self.say(RECORD, PROV.generatedAtTime, rdf.date_time(self._time()))
        producer = self.value.get("producer")
        if type(producer) is not str or not producer:
            self.note("/producer", f"no author stated: 'producer' must be a non-empty string, got {kind_of(producer)}")
            return
        agent = f"<{iris.agent(self.base, 'software', producer)}>"
        self.say(RECORD, PROV.wasAttributedTo, agent)
        self.type(agent, PROV.Agent, PROV.SoftwareAgent)

    def redactions(self) -> None:
        """Where something was taken out of the event before it was kept (its `redacted`)."""
        told = self.value.get("redacted")
        for each in told if isinstance(told, list) else ():
            if type(each) is str:
                self.say(RECORD, PS.redacted, rdf.literal(each))

    def _time(self) -> str:
        sent = self.value.get("eventTime")
        if type(sent) is not str or not sent.isascii():
            _refuse("'eventTime' must be an ISO 8601 date-time", sent, "/eventTime")
        try:
            self.instant, zoned = times.key(sent)
        except (ValueError, OverflowError) as error:
            raise Unmappable(f"'eventTime' is {error}", pointer="/eventTime") from error
        form = _DATE_TIME.match(sent)
        if form is None:
            self.note("/eventTime", f"{sent[:60]!r} is no xsd:dateTime; the same instant was written as one")
        if not zoned:
            self.note("/eventTime", "'eventTime' names no time zone; taken as UTC")
        if form is None:
            return times.lexical(self.instant)
        return sent if zoned else f"{sent}Z"

    def run(self, sent: str, pointer: str) -> tuple[str, str]:
        """The UUID and the node of a run, typed."""
        identifier, was_uuid = iris.run_id(sent)
        node = f"<{iris.run(identifier)}>"
        self.type(node, PROV.Activity, PS.Run)
        if not was_uuid:
            self.say(node, DCT.identifier, rdf.literal(sent))
            self.note(pointer, f"{sent[:60]!r} is no UUID; one was derived from it")
        return identifier, node

    def own_job(self) -> tuple[str, Object]:
        """The node of the event's own job, typed and named, and its facets, asserted."""
        job = self.required(self.value, "job", "")
        node = f"<{self.job(self.text(job, 'namespace', '/job'), self.text(job, 'name', '/job'))}>"
        facets = self.facets(job, "facets", "/job")
        self.assert_facets(facets, "/job/facets", node)
        return node, facets

    def dataset_at(self, holder: Object, pointer: str) -> tuple[str, Object]:
        """The IRI of an input, output or dataset, typed, named and symlinked, and its facets."""
        iri = self.dataset(self.text(holder, "namespace", pointer), self.text(holder, "name", pointer))
        facets = self.facets(holder, "facets", pointer)
        symlinks = live(facets, "symlinks")
        if symlinks is not None:
            self._symlinks(iri, symlinks.get("identifiers"), f"{pointer}/facets/symlinks/identifiers")
        return iri, facets

    def _symlinks(self, iri: str, identifiers: object, pointer: str) -> None:
        if identifiers is None:
            return
        if not isinstance(identifiers, list):
            self.note(pointer, f"ignored: 'identifiers' must be a list, got {kind_of(identifiers)}")
            return
        for index, each in enumerate(identifiers):
            pair = self.pair(each, f"{pointer}/{index}")
            other = self.dataset(*pair) if pair else iri
            if other != iri:
                self.say(f"<{iri}>", PS.symlink, f"<{other}>")

    def assert_facets(self, facets: Object, pointer: str, subject: str) -> None:
        """One FacetAssertion on the subject for every facet that is not null."""
        for key, facet in facets.items():
            if facet is None:
                continue
            where = f"{pointer}/{escaped(key)}"
            try:
                content, complaints = content_of(key, facet, self.base)
            except InvalidInput as error:
                raise InvalidInput(error.detail, pointer=where) from error
            for complaint in complaints:
                self.note(where, f"facet {key!r} at {pointer}: {complaint}")
            self.contents[content.iri] = content
            node = f"<{iris.PLACEHOLDER}#{iris.fragment(where)}>"
            self.type(node, PS.FacetAssertion)
            self.say(node, PS.on, subject)
            self.say(node, PS.key, rdf.literal(key))
            self.say(node, PS.content, f"<{content.iri}>")
            if isinstance(facet, dict) and facet.get("_deleted") is True:
                self.say(node, PS.deleted, rdf.boolean(True))


def _refuse(wanted: str, got: object, pointer: str) -> NoReturn:
    found = "an empty string" if got == "" else repr(got)[:60] if type(got) is str else kind_of(got)
    raise Unmappable(f"{wanted}, got {found}", pointer=pointer)
