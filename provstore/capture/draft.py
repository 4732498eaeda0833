"""A record on its way from a JSON payload: tolerant readers of its members, and what every format says.

Nodes that qualify a statement are named after the run or the state that they are about, never after the record, so
that a chain of records that supersede each other and the last of them alone give the same triples.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NoReturn

from provstore import iris, jcs, rdf, times
from provstore.capture.facets import escaped, kind_of
from provstore.capture.lines import Lines
from provstore.errors import InvalidInput, Unmappable
from provstore.model import Liberty, Mapped
from provstore.vocab import DCT, DQV, MLS, PROV, PS

RECORD = f"<{iris.PLACEHOLDER}>"

Object = dict[str, Any]

_COMMIT = re.compile(r"[0-9a-f]{40}\Z")


class Draft(Lines):
    """The record of one payload, while it is written; terms are given and returned as N-Quads writes them.

    `adapter` is the name and version of the mapping. The result depends on nothing but the payload and the base.
    """

    __slots__ = ("adapter", "liberties", "value")

    def __init__(self, base: str, value: Object, adapter: str) -> None:
        super().__init__(base, iris.PLACEHOLDER)
        self.value = value
        self.adapter = adapter
        self.liberties: list[Liberty] = []
        self.type(RECORD, PROV.Bundle, PS.Record)

    def mapped(self) -> Mapped:
        """The record as it stands; InvalidInput where it holds text that is not Unicode."""
        self._redactions()
        try:
            record, quads = rdf.seal(self.base, self.held)
        except UnicodeEncodeError as error:
            raise InvalidInput(
                "the payload holds half of a surrogate pair, which is no Unicode text", pointer=""
            ) from error
        liberties = tuple(sorted(set(self.liberties), key=lambda each: (each.pointer, each.message)))
        return Mapped(record, quads, (), self.adapter, liberties)

    # --- reading -----------------------------------------------------------------------------------------------------

    def note(self, pointer: str, message: str) -> None:
        """Report what was overlooked or assumed, and where."""
        self.liberties.append(Liberty(pointer, message))

    def refuse(self, wanted: str, got: object, pointer: str) -> NoReturn:
        """Unmappable: what was wanted, what stood there instead, and where."""
        found = "an empty string" if got == "" else repr(got)[:60] if type(got) is str else kind_of(got)
        raise Unmappable(f"{wanted}, got {found}", pointer=pointer)

    def text(self, holder: Object, member: str, pointer: str = "") -> str:
        """A non-empty string that the payload cannot do without; a number is taken for its text."""
        found = self.words(holder, member, pointer)
        if found is None:
            self.refuse(f"{member!r} must be a non-empty string", holder.get(member), f"{pointer}/{escaped(member)}")
        return found

    def words(self, holder: Object, member: str, pointer: str = "") -> str | None:
        """A string, or the text of a number; None where it is absent, empty, or (reported) something else."""
        value = holder.get(member)
        if type(value) is str:
            return value or None
        if type(value) in (int, float):
            return jcs.dumps(value)
        if value is not None:
            self.note(f"{pointer}/{escaped(member)}", f"ignored: {member!r} must be a string, got {kind_of(value)}")
        return None

    def object(self, holder: Object, member: str, pointer: str = "") -> Object:
        """An object; an empty one where it is absent or (reported) something else."""
        value = holder.get(member)
        if isinstance(value, dict):
            return value
        if value is not None:
            self.note(f"{pointer}/{escaped(member)}", f"ignored: {member!r} must be an object, got {kind_of(value)}")
        return {}

    def required(self, holder: Object, member: str, pointer: str = "") -> Object:
        """An object that the payload cannot do without."""
        value = holder.get(member)
        if not isinstance(value, dict):
            self.refuse(f"{member!r} must be an object", value, f"{pointer}/{escaped(member)}")
        return value

    def objects(self, holder: Object, member: str, pointer: str = "") -> Iterator[tuple[str, Object]]:
        """The objects in a list with their pointers; what else stands there is reported."""
        for where, each in self.items(holder, member, pointer):
            if isinstance(each, dict):
                yield where, each
            else:
                self.note(where, f"ignored: each of {member!r} must be an object, got {kind_of(each)}")

    def items(self, holder: Object, member: str, pointer: str = "") -> Iterator[tuple[str, Any]]:
        """The elements of a list with their pointers; none where it is absent or (reported) something else."""
        value, where = holder.get(member), f"{pointer}/{escaped(member)}"
        if isinstance(value, list):
            yield from ((f"{where}/{index}", each) for index, each in enumerate(value))
        elif value is not None:
            self.note(where, f"ignored: {member!r} must be a list, got {kind_of(value)}")

    def instant(self, holder: Object, member: str, pointer: str = "") -> str | None:
        """An instant as an xsd:dateTime literal: ISO 8601 text, or milliseconds since 1970; None where there is none.

        No time zone is taken as UTC, and reported, as is what is no time.
        """
        value, where = holder.get(member), f"{pointer}/{escaped(member)}"
        if value is None or value == "":
            return None
        try:
            if type(value) in (int, float) and math.isfinite(value):
                return rdf.date_time(times.lexical(times.key_of_milliseconds(value)))
            if type(value) is str and value.isascii():
                key, zoned = times.key(value)
                if not zoned:
                    self.note(where, f"{member!r} names no time zone; taken as UTC")
                return rdf.date_time(times.lexical(key))
        except (ValueError, OverflowError):
            pass
        self.note(where, f"ignored: {member!r} must be an ISO 8601 date-time, got {str(value)[:40]!r}")
        return None

    # --- the record itself -------------------------------------------------------------------------------------------

    def head(self, time: str | None, *about: str, author: str = "") -> None:
        """When the record speaks (an xsd:dateTime term), what it is about, and the program that wrote it."""
        if time:
            self.say(RECORD, PROV.generatedAtTime, time)
        for each in about:
            self.say(RECORD, PS.about, each)
        if author:
            self.say(RECORD, PROV.wasAttributedTo, self.agent("software", author))

    def state_of(self, key: str) -> None:
        """What the record is a state of, and the record, or list of records, that it supersedes."""
        self.say(RECORD, PS.capturedFrom, rdf.literal(key))
        before = self.value.get("supersedes")
        for each in before if isinstance(before, list) else [before]:
            if each is None:
                continue
            if type(each) is not str or not each.startswith(f"{self.base}/record/") or not rdf.is_iri(each):
                self.refuse("'supersedes' must be the IRI of a record of this store", each, "/supersedes")
            self.say(RECORD, PS.supersedes, f"<{each}>")

    def _redactions(self) -> None:
        """Where something was taken out of the payload before it was kept (its `redacted`)."""
        for _, each in self.items(self.value, "redacted"):
            if type(each) is str:
                self.say(RECORD, PS.redacted, rdf.literal(each))

    # --- activities --------------------------------------------------------------------------------------------------

    def run(self, identifier: str, *classes: str, pointer: str = "") -> tuple[str, str]:
        """The UUID of a run and its node, typed; what is no UUID (dashes may be absent) gets one derived from it."""
        plain = identifier.lower()
        if len(plain) == 32 and not plain.strip("0123456789abcdef"):
            plain = f"{plain[:8]}-{plain[8:12]}-{plain[12:16]}-{plain[16:20]}-{plain[20:]}"
        found, was_uuid = iris.run_id(plain)
        node = f"<{iris.run(found)}>"
        self.type(node, PROV.Activity, *(classes or (PS.Run,)))
        if not was_uuid:
            self.say(node, DCT.identifier, rdf.literal(identifier))
            self.note(pointer, f"{identifier[:60]!r} is no UUID; one was derived from it")
        return found, node

    def span(self, activity: str, start: str | None, end: str | None) -> None:
        """When an activity began and was over (xsd:dateTime terms)."""
        if start:
            self.say(activity, PROV.startedAtTime, start)
        if end:
            self.say(activity, PROV.endedAtTime, end)

    def use(self, activity: str, entity: str, role: str = "") -> None:
        """An activity used an entity, in a role where one is given."""
        self.say(activity, PROV.used, entity)
        if role:
            node = f"{activity[:-1]}#usage/{_tail(entity)}>"
            self.say(activity, PROV.qualifiedUsage, node)
            self.type(node, PROV.Usage)
            self.say(node, PROV.entity, entity)
            self.say(node, PROV.hadRole, role)

    def associate(
        self, activity: str, agent: str, *, role: str = "", plan: str = "", self_asserted: bool = False
    ) -> None:
        """An agent had a hand in an activity; `self_asserted` where only the program itself says so."""
        self.say(activity, PROV.wasAssociatedWith, agent)
        if role or plan or self_asserted:
            node = f"{activity[:-1]}#association/{_tail(agent)}>"
            self.say(activity, PROV.qualifiedAssociation, node)
            self.type(node, PROV.Association)
            self.say(node, PROV.agent, agent)
            if role:
                self.say(node, PROV.hadRole, role)
            if plan:
                self.say(node, PROV.hadPlan, plan)
            if self_asserted:
                self.say(node, PS.selfAsserted, rdf.boolean(True))

    def parameter(self, activity: str, key: str, value: str) -> None:
        """A parameter that an activity ran with."""
        node = f"{activity[:-1]}#parameter/{iris.enc(key)}>"
        self.say(activity, PS.parameter, node)
        self.type(node, MLS.HyperParameterSetting)
        self.say(node, PS.key, rdf.literal(key))
        self.say(node, PS.value, rdf.literal(value))

    # --- entities ----------------------------------------------------------------------------------------------------

    def read(self, activity: str, identifier: str, dataset: str, digests: Mapping[str, str] = {}) -> str:
        """The state of a dataset (its IRI) that an activity read; `identifier` is what the state is named by.

        `digests` are those of its bytes in hexadecimal digits, by `sha256`, `md5` and `git`. Used, without a role.
        """
        node = f"<{iris.read_state(dataset, identifier)}>"
        self.type(node, PROV.Entity, PS.ReadState)
        self.say(node, PROV.specializationOf, f"<{dataset}>")
        self.say(activity, PROV.used, node)
        self.content(node, digests)
        return node

    def write(self, activity: str, identifier: str, dataset: str, digests: Mapping[str, str] = {}) -> str:
        """The state of a dataset (its IRI) that an activity wrote; as `read`."""
        node = f"<{iris.write_state(dataset, identifier)}>"
        self.type(node, PROV.Entity, PS.WriteState)
        self.say(node, PROV.specializationOf, f"<{dataset}>")
        self.say(node, PROV.wasGeneratedBy, activity)
        self.content(node, digests)
        return node

    def content(self, entity: str, digests: Mapping[str, str], size: int | None = None) -> str | None:
        """Say which bytes an entity consists of, under each name that the digests give; the first name, if any.

        Digests of another form are reported by whoever reads them: here they say nothing.
        """
        names: list[str] = []
        for algorithm, predicate in (("sha256", PS.sha256), ("git", ""), ("md5", PS.md5)):
            digest = digests.get(algorithm, "").lower()
            name = iris.content_bytes(self.base, algorithm, digest)
            if predicate and digest and (name or algorithm == "sha256"):
                self.say(entity, predicate, rdf.literal(digest))
            if name is None:
                continue
            node = f"<{name}>"
            names.append(node)
            self.type(node, PROV.Entity, PS.Bytes)
            if predicate:
                self.say(node, predicate, rdf.literal(digest))
        if not names:
            return None
        self.say(entity, PS.bytes, names[0])
        for other in names[1:]:
            self.say(names[0], PS.symlink, other)
        if size is not None:
            self.say(names[0], PS.byteSize, rdf.integer(size))
        return names[0]

    def derive(self, entity: str, sources: Iterable[str], *, possibly: bool = False) -> None:
        """What an entity was made of, or may have been."""
        for source in sources:
            self.say(entity, PS.possiblyDerivedFrom if possibly else PROV.wasDerivedFrom, source)

    def agent(self, kind: str, identifier: str, title: str = "") -> str:
        """An agent: `person`, `org` or `software`."""
        node = f"<{iris.agent(self.base, kind, identifier)}>"
        closer = {"person": PROV.Person, "org": PROV.Organization, "software": PROV.SoftwareAgent}[kind]
        self.type(node, PROV.Agent, closer)
        if title:
            self.say(node, DCT.title, rdf.literal(title))
        return node

    def code(self, commit: str, *, dirty: bool | None = None, diff: str = "", repository: str = "") -> str | None:
        """The code at a commit (40 hexadecimal digits, else None): the commit itself, or a work tree that differs.

        `diff` is the SHA-256 of the difference; `dirty` None means that nobody looked, which stays unsaid.
        """
        low = commit.lower()
        if not _COMMIT.match(low):
            return None
        node = f"<urn:swh:1:rev:{low}>"  # ISO/IEC 18670
        self.type(node, PROV.Entity, PS.CodeVersion)
        self.say(node, PS.commit, rdf.literal(low))
        if repository:
            self.say(node, PS.repository, rdf.literal(repository))
        if not dirty:
            if dirty is False:
                self.say(node, PS.dirty, rdf.boolean(False))
            return node
        changed = f"<{self.base}/code/{low}/{iris.enc(diff or 'unknown')}>"
        self.type(changed, PROV.Entity, PS.CodeVersion)
        self.say(changed, PS.commit, rdf.literal(low))
        self.say(changed, PS.dirty, rdf.boolean(True))
        self.say(changed, PROV.wasDerivedFrom, node)
        if diff:
            self.say(changed, PS.diffSha256, rdf.literal(diff))
        return changed

    def environment(self, digest: str, title: str = "") -> str:
        """What something ran in, by the SHA-256 of its listing."""
        node = f"<{self.base}/environment/{iris.enc(digest)}>"
        self.type(node, PROV.Entity, PS.Environment)
        self.say(node, PS.sha256, rdf.literal(digest))
        if title:
            self.say(node, DCT.title, rdf.literal(title))
        return node

    def measurement(
        self,
        owner: str,
        name: str,
        value: str,
        computed_on: str,
        *,
        dataset: str = "",
        slice_: str = "",
        place: str = "",
    ) -> str:
        """A measured quality: `value` is a term; `owner` the run that took it, `place` tells two of one name apart."""
        node = f"{owner[:-1]}#measurement/{iris.enc(name)}{f'/{iris.enc(place)}' if place else ''}>"
        metric = f"<{self.base}/metric/{iris.enc(name)}>"
        self.type(node, PROV.Entity, DQV.QualityMeasurement)
        self.type(metric, DQV.Metric)
        self.say(metric, DCT.title, rdf.literal(name))
        self.say(node, DQV.computedOn, computed_on)
        self.say(node, DQV.isMeasurementOf, metric)
        self.say(node, DQV.value, value)
        self.say(node, PROV.wasGeneratedBy, owner)
        if dataset:
            self.say(node, PS.onDataset, dataset)
        if slice_:
            self.say(node, PS.onSlice, slice_)
        return node


def _tail(term: str) -> str:
    """What a qualified node is called after the thing it is about: short, and one for each."""
    return iris.enc(term[1:-1])
