"""What all items of a batch share: the activity, its time, who and what did it, by which method, from what."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from provstore import iris, jcs, rdf
from provstore.capture.draft import RECORD, Draft
from provstore.capture.facets import kind_of
from provstore.capture.items import reading
from provstore.capture.items.sources import Source, source
from provstore.errors import Unmappable
from provstore.vocab import DCT, PROV, PS, QUDT, RDFS, SOSA

ADAPTER: Final = "items/1"
MAX_ITEMS: Final = 10_000
#: Derivations that one batch may state: each item from each of its sources.
MAX_SOURCES: Final = 100_000

_UNITS = "http://qudt.org/vocab/unit/"


class At(Protocol):
    """Where the members of an item stand, by their names."""

    def __getitem__(self, member: str) -> str: ...


@dataclass(frozen=True, slots=True)
class Kind:
    """What a kind of batch makes of the activity and of its items."""

    activity: tuple[str, ...]
    item: tuple[str, ...]
    quotes: bool = False  # what an item is made from, it was taken out of
    revises: bool = False  # an item takes the place of what it is made from


#: `kind` of a batch → what it is.
KINDS: Final[Mapping[str, Kind]] = {
    "Run": Kind((PS.Run,), (PS.RecordItem,)),
    "Observation": Kind((SOSA.Observation,), (PS.RecordItem, SOSA.Result)),
    "Normalisation": Kind((PS.Normalisation,), (PS.RecordItem,)),
    "Correction": Kind((PS.Correction,), (PS.RecordItem,), revises=True),
    "Inference": Kind((PS.Inference,), (PS.Prediction,)),
    "Extraction": Kind((PS.Run,), (PS.RecordItem,), quotes=True),
    "Decision": Kind((), (PS.Decision,)),
}
#: Members by which an item may differ from its batch so that another activity made it: a part of the run.
OWN: Final = ("device", "technician", "software", "plan", "model")
_KNOWN: Final = {
    *("provstore", "kind", "namespace", "state", "run", "title", "start", "end", "reason", "unit", "from", "agents"),
    *("memberOf", "supersedes", "columns", "rows", "items", "redacted", "job", *OWN),
}
_AGENTS: Final = {
    "person": (PROV.Agent, PROV.Person),
    "org": (PROV.Agent, PROV.Organization),
    "software": (PROV.Agent, PROV.SoftwareAgent),
    "device": (PROV.Agent, SOSA.Sensor),
}
_MEMBER_KINDS: Final = {"device": "device", "technician": "person", "software": "software"}
_ROLES: Final = {"device": PS.measuringDevice, "technician": PS.technician}


class Batch(Draft):
    """Reads the head of a batch and holds the lines of its record; `activity` tells what made an item."""

    def __init__(self, value: dict[str, Any], base: str) -> None:
        super().__init__(base, value, ADAPTER)
        #: the model version that an activity used, by its term
        self.models: dict[str, str] = {}
        self._activities: dict[str, str] = {}
        if value.get("provstore") != ADAPTER:
            raise Unmappable(f"wanted {ADAPTER!r}, got {value.get('provstore')!r:.80}", pointer="/provstore")
        self.kind = KINDS[reading.one_of(value.get("kind", "Run"), KINDS, "/kind")]
        self.namespace = reading.name(self._wanted("namespace"), "/namespace")
        self.state = reading.name(value["state"], "/state") if value.get("state") is not None else ""
        for each in value.keys() - _KNOWN:
            self.note(f"/{each}", "this member of a batch is not known and was left out")
        self.start, self.end = self._instant("start"), self._instant("end")
        self.node, self.identifier = self._run()
        self.unit = self.read_unit(value["unit"], "/unit") if value.get("unit") is not None else ""
        self.sources = list(self._sources())
        self.collection = self._collection()
        self._record()

    def _wanted(self, member: str) -> Any:
        if self.value.get(member) is None:
            raise Unmappable(f"a batch needs {member!r}", pointer=f"/{member}")
        return self.value[member]

    def _instant(self, member: str) -> str:
        return self.moment(self.value[member], f"/{member}") if self.value.get(member) is not None else ""

    def moment(self, value: object, pointer: str) -> str:
        """A time as a term; one without a zone is taken for UTC, and told."""
        term, zoned = reading.instant(value, pointer)
        if not zoned:
            self.note(pointer, "the time names no zone and was taken for UTC")
        return term

    # -- the activity -------------------------------------------------------------------------------------------------

    def _run(self) -> tuple[str, str]:
        """The node of the run, and what states are named by that it reads and writes: the last part of its IRI."""
        sent = reading.name(self._wanted("run"), "/run")
        if named := reading.iri(sent, "/run"):
            identifier, node = named.rpartition(":" if named.startswith("urn:") else "/")[2], f"<{named}>"
            self.type(node, PROV.Activity)
        else:
            identifier, node = self.run(sent, *(PROV.Activity,), pointer="/run")
        self.span(node, self.start, self.end)
        for member, predicate in (("title", DCT.title), ("reason", PS.reason)):
            if self.value.get(member) is not None:
                said = reading.text(self.value[member], f"/{member}", reading.MAX_TEXT)
                self.say(node, predicate, rdf.literal(said))
        if self.value.get("job") is not None:
            given = reading.mapping(self.value["job"], "/job")
            job = self.job(*(reading.name(given.get(m), f"/job/{m}") for m in ("namespace", "name")))
            self.say(node, PS.job, f"<{job}>")
        return node, identifier

    def activity(self, own: Mapping[str, Any], at: At) -> str:
        """The term of the activity that made an item: the run, or the part of it with these members of `OWN`."""
        key = jcs.dumps(own) if own else ""
        found = self._activities.get(key)
        if found is None:
            found = self._activities[key] = self._described(own, key, at)
        return found

    def _described(self, own: Mapping[str, Any], key: str, at: At) -> str:
        node = self.node
        if own:
            node = f"<{iris.run(str(uuid.uuid5(uuid.NAMESPACE_URL, f'{self.node[1:-1]}#{key}')))}>"
            self.type(node, PROV.Activity)
            self.say(node, DCT.isPartOf, self.node)
            self.span(node, self.start, self.end)
        self.type(node, *self.kind.activity)
        said = {m: (own.get(m, self.value.get(m)), at[m] if m in own else f"/{m}") for m in OWN}
        self._doers(node, {m: given for m, given in said.items() if given[0] is not None})
        return node

    def _doers(self, node: str, said: Mapping[str, tuple[Any, str]]) -> None:
        """Device, technician, software, other agents; the plan stands with the first that there is."""
        plan = self._plan(*said["plan"]) if "plan" in said else ""
        doers = [(self.doer(_MEMBER_KINDS[m], *said[m]), _ROLES.get(m, "")) for m in _MEMBER_KINDS if m in said]
        doers += self._others()
        for agent, role in doers:
            self.associate(node, agent, role=role, plan=plan)
            plan = ""
        if plan:  # by nobody that is named
            self.say(node, SOSA.usedProcedure if SOSA.Observation in self.kind.activity else DCT.conformsTo, plan)
        if "model" in said:
            self.models[node] = self._model(*said["model"])
            self.use(node, self.models[node], PS.model)

    def _others(self) -> Iterator[tuple[str, str]]:
        given = self.value.get("agents")
        if given is None:
            return
        if not isinstance(given, list):
            raise Unmappable(f"wanted an array, got {kind_of(given)}", pointer="/agents")
        for number, each in enumerate(given):
            pointer = f"/agents/{number}"
            given_kind = reading.mapping(each, pointer).get("kind", "person")
            kind = reading.one_of(given_kind, _AGENTS, f"{pointer}/kind")
            role = each.get("role")
            found = "" if role is None else reading.iri(reading.text(role, f"{pointer}/role"), f"{pointer}/role")
            if found is None:
                raise Unmappable("a role is an IRI", pointer=f"{pointer}/role")
            yield self.doer(kind, each, pointer), found and f"<{found}>"

    def doer(self, kind: str, given: object, pointer: str) -> str:
        """The term of an agent: an id or IRI, or an object with one, a label and a serial number."""
        said = given if isinstance(given, dict) else {"id": given}
        at = f"{pointer}/id" if isinstance(given, dict) else pointer
        sent = reading.name(said.get("id"), at)
        node = f"<{reading.iri(sent, at) or iris.agent(self.base, kind, sent)}>"
        self.type(node, *_AGENTS[kind])
        for member, predicate in (("label", RDFS.label), ("serial", PS.serialNumber)):
            if said.get(member) is not None:
                self.say(node, predicate, rdf.literal(reading.name(said[member], f"{pointer}/{member}")))
        if said.get("org") is not None:
            above = self.doer("org", said["org"], f"{pointer}/org")
            self.say(node, PROV.actedOnBehalfOf, above)
        return node

    def _plan(self, given: object, pointer: str) -> str:
        """The term of a method: an id or IRI, or an object with one, a version, a title, a factor and a formula."""
        said = given if isinstance(given, dict) else {"id": given}
        at = f"{pointer}/id" if isinstance(given, dict) else pointer
        sent = reading.name(said.get("id"), at)
        node = f"<{reading.iri(sent, at) or f'{self.base}/plan/{iris.enc(sent)}'}>"
        if said.get("version") is not None:
            general, version = node, reading.name(said["version"], f"{pointer}/version")
            node = f"{node[:-1]}/{iris.enc(version)}>"
            self.say(node, PROV.specializationOf, general)
        self.type(node, PROV.Plan, PROV.Entity)
        for member, predicate in (("title", DCT.title), ("identifier", DCT.identifier), ("formula", PS.formula)):
            if said.get(member) is not None:
                self.say(node, predicate, rdf.literal(reading.text(said[member], f"{pointer}/{member}")))
        if said.get("factor") is not None:
            kind, term = reading.value_of(said["factor"], f"{pointer}/factor")
            if kind != "number":
                raise Unmappable("wanted a number", pointer=f"{pointer}/factor")
            self.say(node, PS.factor, term)
        return node

    def _model(self, given: object, pointer: str) -> str:
        """The term of a model version: an IRI, or `models:/m-…` or `m-…` of MLflow."""
        sent = reading.name(given, pointer)
        found = reading.iri(sent, pointer)
        if found is None:
            identifier = sent.removeprefix("models:/")
            found = f"{self.base}/modelversion/{iris.enc(identifier)}"
            if identifier.startswith("m-"):
                self.say(f"<{found}>", DCT.identifier, rdf.literal(f"models:/{identifier}"))
        self.type(f"<{found}>", PROV.Entity, PS.ModelVersion)
        return f"<{found}>"

    # -- what items are made from, and belong to ----------------------------------------------------------------------

    def _sources(self) -> Iterator[Source]:
        given = self.value.get("from")
        if given is None:
            return
        listed = isinstance(given, list)
        for number, each in enumerate(given if listed else [given]):
            yield source(self, each, f"/from/{number}" if listed else "/from")

    def _collection(self) -> str:
        """The term of the state that the run wrote and the items are members of; '' where there is none."""
        if self.value.get("memberOf") is None:
            return ""
        given = reading.mapping(self.value["memberOf"], "/memberOf")
        dataset = self.dataset(*(reading.name(given.get(m), f"/memberOf/{m}") for m in ("namespace", "name")))
        node = f"<{iris.write_state(dataset, self.identifier)}>"
        self.type(node, PROV.Entity, PROV.Collection, PS.WriteState)
        self.say(node, PROV.specializationOf, f"<{dataset}>")
        self.say(node, PROV.wasGeneratedBy, self.node)
        if self.end:
            self.say(node, PROV.generatedAtTime, self.end)
        return node

    def read_unit(self, given: object, pointer: str) -> str:
        """The term of a unit: an IRI, `unit:…` of QUDT, or a UCUM code."""
        sent = reading.text(given, pointer)
        if sent.startswith("unit:"):
            sent = f"{_UNITS}{iris.enc(sent[5:])}"
        found = reading.iri(sent, pointer)
        if found is None:
            found = f"{self.base}/unit/{iris.enc(sent)}"
            self.say(f"<{found}>", QUDT.ucumCode, rdf.literal(sent))
        return f"<{found}>"

    def _record(self) -> None:
        self.type(RECORD, PS.Batch)
        self.head(self.end or self.start or None, self.node)
        given = self.value.get("supersedes")
        for number, each in enumerate(given if isinstance(given, list) else [] if given is None else [given]):
            pointer = f"/supersedes/{number}" if isinstance(given, list) else "/supersedes"
            target = reading.iri(reading.text(each, pointer), pointer)
            if target is None or not target.startswith(f"{self.base}/record/"):
                raise Unmappable("wanted the IRI of a record of this store", pointer=pointer)
            self.say(RECORD, PS.supersedes, f"<{target}>")
