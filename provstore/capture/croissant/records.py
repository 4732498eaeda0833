"""What the record sets of a Croissant document say: columns, where columns are from, and records with annotations."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from provstore import iris, rdf
from provstore.capture.croissant.columns import DEPTH, columns
from provstore.capture.croissant.reading import Reader, address_of, name_of, pair, value
from provstore.capture.described import iri_of, number, text
from provstore.capture.draft import Object
from provstore.capture.facets.graph import term_of
from provstore.vocab import DCT, PROV, PS, QUDT, SOSA

#: Inline records of one record set that become items; more are for batches of items.
MAX_RECORDS: Final = 10_000
_TIMES: Final = {
    "prov:generatedAtTime": PROV.generatedAtTime,
    "sosa:resultTime": PROV.generatedAtTime,
    "prov:startedAtTime": PROV.startedAtTime,
    "prov:endedAtTime": PROV.endedAtTime,
}
_PLANS: Final = ("prov:hadPlan", "sosa:usedProcedure")
_AGENTS: Final = ("prov:wasAssociatedWith", "sosa:madeBySensor")
#: What an annotation may be, by its `equivalentProperty`.
MEANINGS: Final = (
    *("prov:wasAttributedTo", "prov:wasGeneratedBy", "prov:wasDerivedFrom", "qudt:unit"),
    *(*_AGENTS, *_PLANS, *_TIMES),
)


@dataclass(frozen=True, slots=True)
class Annotation:
    """A field that says something of another, or of the whole record: what, and of which kind its values are."""

    field: Object
    meaning: str
    kinds: str


class Records:
    """Writes the record sets of one document into its record."""

    __slots__ = ("dataset", "draft", "maker", "reader", "state")

    def __init__(self, reader: Reader, dataset: str, state: str, maker: str) -> None:
        self.reader, self.draft = reader, reader.draft
        self.dataset, self.state, self.maker = dataset, state, maker

    def say(self, told: Object, pointer: str) -> None:
        """The columns as the facet `schema` of the state, and the records that are annotated."""
        sets = [(where, each) for where, each in self.draft.each_object(told, "recordSet", pointer)]
        columns(self.reader, self.state, sets)
        for where, each in sets:
            self._origins(each, where, name_of(each) if len(sets) > 1 else "")
            self._data(each, where)

    # --- where columns are from --------------------------------------------------------------------------------------

    def _origins(self, holder: Object, where: str, path: str) -> None:
        """Where a record set or a column is from, of those that say so: an entity of its own, part of the state."""
        if path and any(name.startswith("prov:") for name in holder):
            node = f"{self.state[:-1]}/field/{iris.enc(path)}>"
            key = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{node} making"))
            self.draft.type(node, PROV.Entity)
            self.draft.say(node, DCT.isPartOf, self.state)
            if "prov:wasGeneratedBy" in holder or "prov:wasDerivedFrom" in holder:
                identifier, activity = self.draft.run(key)
                self.draft.say(node, PROV.wasGeneratedBy, activity)
            else:
                identifier, activity = iris.run_id(self.maker[1:-1])[0], self.maker
            self.reader.provenance(holder, where, node, (identifier, activity))
        for member in ("field", "subField", "annotation"):
            for place, each in self.draft.several(holder, member, where):
                if isinstance(each, dict) and (name := name_of(each)) and path.count(".") < DEPTH:
                    self._origins(each, place, f"{path}.{name}" if path else name)

    # --- records -----------------------------------------------------------------------------------------------------

    def _data(self, holder: Object, where: str) -> None:
        """The inline records of a set, where annotations say where each of them, or a value in it, is from."""
        notes = {"": list(self._annotations(holder, where))}
        for place, each in self.draft.several(holder, "field", where):
            if isinstance(each, dict) and name_of(each) and (found := list(self._annotations(each, place))):
                notes[name_of(each)] = found
        if not any(notes.values()) or "data" not in holder:
            return
        records = list(self.draft.several(holder, "data", where))
        if len(records) > MAX_RECORDS:
            said = f"not taken: more than {MAX_RECORDS} records; send batches of items"
            self.draft.note(f"{where}/data", said)
            return
        fields = {name_of(f): f for _, f in self.draft.several(holder, "field", where) if isinstance(f, dict)}
        keys = [address_of(each).rpartition("/")[2] for _, each in self.draft.several(holder, "key", where)]
        for index, (place, record) in enumerate(records):
            if not isinstance(record, dict):
                self.draft.note(place, "ignored: a record must be an object")
                continue
            key = "/".join(text(value(record, fields[each])) for each in keys if each in fields) or str(index)
            for name, told in notes.items():
                if told:
                    item = self._item(name_of(holder), f"{key}/{name}" if name else key)
                    own = value(record, fields[name]) if name else None
                    within = own if isinstance(own, dict) else {}
                    self._value(item, value(within, fields[name]) if within else own)
                    _Item(self, item, name_of(holder)).say(told, {**record, **within}, place)

    def _annotations(self, holder: Object, where: str) -> Iterator[Annotation]:
        for place, each in self.draft.several(holder, "annotation", where):
            if not isinstance(each, dict):
                continue
            meaning = self.reader.short(text(each.get("equivalentProperty")))
            kinds = " ".join(text(kind) for _, kind in self.draft.several(each, "dataType", place))
            if meaning in MEANINGS:
                yield Annotation(each, meaning, kinds)
            elif meaning:
                self.draft.note(place, f"what {meaning[:60]!r} says of single records is not taken")

    def _item(self, table: str, key: str) -> str:
        """A record, or a value in one: what the dataset was put together from."""
        item = f"<{iris.item(self.draft.base, '/'.join((*pair(self.dataset), table)), key)}>"
        self.draft.type(item, PROV.Entity, PS.RecordItem)
        self.draft.say(self.state, PROV.hadMember, item)
        self.draft.derive(self.state, [item])
        self.draft.say(self.maker, PROV.used, item)
        return item

    def _value(self, item: str, found: Any) -> None:
        if number(found) is not None:
            self.draft.say(item, QUDT.numericValue, term_of(found))
        elif text(found):
            self.draft.say(item, PROV.value, rdf.literal(text(found)))

    def source(self, table: str, sent: str) -> str:
        """The item or other thing that a value was made from."""
        found = iri_of(sent)
        if found:
            return found
        item = f"<{iris.item(self.draft.base, '/'.join((*pair(self.dataset), table)), sent)}>"
        self.draft.type(item, PROV.Entity, PS.RecordItem)
        return item


class _Item:
    """What annotations say of one item, and the activity that made it, which is there where they tell of one."""

    __slots__ = ("draft", "item", "made", "records", "table")

    def __init__(self, records: Records, item: str, table: str) -> None:
        self.records, self.draft, self.item, self.table = records, records.draft, item, table
        self.made = ""

    def say(self, annotations: Iterable[Annotation], record: Object, place: str) -> None:
        held = [(each, identity(record, each.field)) for each in annotations]
        told = [(each, sent) for each, sent in held if sent]
        for each, sent in told:  # which activity it was comes before what is said of it
            if each.meaning == "prov:wasGeneratedBy":
                self._make(sent)
        plans = [self._plan(sent) for each, sent in told if each.meaning in _PLANS]
        for each, sent in told:
            self._one(each, sent, plans, place)
        if plans and not any(each.meaning in _AGENTS for each, _ in told):
            for plan in plans:
                self.draft.say(self._make(), SOSA.usedProcedure, plan)

    def _make(self, named: str = "") -> str:
        if not self.made:
            key = f"{self.records.dataset} {self.table} {named}" if named else self.item
            _, self.made = self.draft.run(str(uuid.uuid5(uuid.NAMESPACE_URL, key)), PROV.Activity)
            self.draft.say(self.item, PROV.wasGeneratedBy, self.made)
            if named:
                self.draft.say(self.made, DCT.identifier, rdf.literal(named))
        return self.made

    def _one(self, each: Annotation, sent: str, plans: list[str], place: str) -> None:
        draft = self.draft
        if each.meaning == "prov:wasAttributedTo":
            draft.say(self.item, PROV.wasAttributedTo, self._agent(sent, each))
        elif each.meaning in _AGENTS:
            plan = plans[0] if plans else ""
            draft.associate(self._make(), self._agent(sent, each), role=_role(each), plan=plan)
        elif each.meaning == "prov:wasDerivedFrom":
            source = self.records.source(self.table, sent)
            draft.derive(self.item, [source])
            draft.say(self._make(), PROV.used, source)
        elif each.meaning in _TIMES:
            when = draft.moment({each.meaning: sent}, each.meaning, place)
            if when:
                on = self.item if _TIMES[each.meaning] == PROV.generatedAtTime else self._make()
                draft.say(on, _TIMES[each.meaning], when)
        elif each.meaning == "qudt:unit":
            short = self.records.reader.expanded(sent)
            draft.say(self.item, QUDT.unit, iri_of(short) or rdf.literal(sent))

    def _plan(self, sent: str) -> str:
        node = iri_of(sent) or f"<{self.draft.base}/plan/{iris.enc(sent)}>"
        self.draft.type(node, PROV.Entity, PROV.Plan)
        self.draft.say(node, DCT.title, rdf.literal(sent))
        return node

    def _agent(self, sent: str, each: Annotation) -> str:
        if _is_device(each):
            node = f"<{iris.agent(self.draft.base, 'device', sent)}>"
            self.draft.type(node, PROV.Agent, SOSA.Sensor)
            return node
        kind = "software" if "Software" in each.kinds else "org" if "Organization" in each.kinds else "person"
        return self.draft.agent(kind, sent)


def _role(each: Annotation) -> str:
    if _is_device(each):
        return PS.measuringDevice
    return PS.technician if name_of(each.field) == "technician" else ""


def _is_device(each: Annotation) -> bool:
    return each.meaning == "sosa:madeBySensor" or "Sensor" in each.kinds


def identity(record: Mapping[str, Any], field: Object) -> str:
    """What an annotation names in a record: its own value, or that of its subfield `id`, `@id` or `name`."""
    own = value(record, field)
    if isinstance(own, dict):
        return next((text(own[name]) for name in ("@id", "id", "name") if text(own.get(name))), "")
    if text(own):
        return text(own)
    subs = field.get("subField")
    for each in subs if isinstance(subs, list) else [subs]:
        if isinstance(each, dict) and name_of(each) in ("id", "name") and text(value(record, each)):
            return text(value(record, each))
    return ""
