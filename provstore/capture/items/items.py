"""The items of a batch: read from rows or objects, and written as the lines of each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from provstore import iris, rdf
from provstore.capture.facets import kind_of
from provstore.capture.items import reading
from provstore.capture.items.batch import MAX_ITEMS, MAX_SOURCES, OWN, Batch
from provstore.capture.items.sources import Source, sample, source
from provstore.errors import Unmappable
from provstore.vocab import DCT, PROV, PS, QUDT, RDF_TYPE

#: What may be said of one item.
MEMBERS: Final = (*("key", "value", "time", "unit", "state", "from", "sample", "subject", "title", "locator", *OWN),)
_TEXTS: Final = (("title", DCT.title), ("locator", PS.locator))


@dataclass(frozen=True, slots=True)
class _At:
    """Where the members of one item stand: by their names, or by the places of their columns."""

    pointer: str
    places: dict[str, str]

    def __getitem__(self, member: str) -> str:
        return f"{self.pointer}/{self.places.get(member, member)}"


class Items:
    """Writes every item of a batch into it."""

    def __init__(self, batch: Batch) -> None:
        self._batch = batch
        self._seen: dict[str, str] = {}
        self._derivations = 0
        self._units: dict[str, str] = {}
        self._measures = PS.RecordItem in batch.kind.item
        self._types = tuple((RDF_TYPE, each) for each in (PROV.Entity, *batch.kind.item))

    def write(self) -> None:
        """Write them; Unmappable with the pointer of the first that is wrong."""
        count = 0
        for said, pointer, places in self._read():
            self._item(said, pointer, places)
            count += 1
        if not count:
            raise Unmappable("the batch holds no item", pointer="")

    # -- reading ------------------------------------------------------------------------------------------------------

    def _read(self) -> Iterator[tuple[dict[str, Any], str, dict[str, str]]]:
        """Each item as its members, the pointer to it, and where members stand below that if not by their names."""
        value = self._batch.value
        if ("items" in value) == ("rows" in value):
            raise Unmappable('wanted either "items", or "columns" and "rows"', pointer="")
        if "items" in value:
            for number, each in enumerate(self._listed("items")):
                pointer = f"/items/{number}"
                said = reading.mapping(each, pointer)
                for member in said.keys() - set(MEMBERS):
                    self._batch.note(pointer, f"the member {member[:80]!r} of an item is not known and was left out")
                yield said, pointer, {}
            return
        columns = self._columns()
        width, places = len(columns), {name: str(place) for place, name in enumerate(columns)}
        for number, row in enumerate(self._listed("rows")):
            if not isinstance(row, list) or len(row) != width:
                got = f"{len(row)} values" if isinstance(row, list) else kind_of(row)
                raise Unmappable(
                    f"wanted an array of {width} values as in /columns, got {got}", pointer=f"/rows/{number}"
                )
            yield dict(zip(columns, row, strict=True)), f"/rows/{number}", places

    def _listed(self, member: str) -> list[Any]:
        found = self._batch.value[member]
        if not isinstance(found, list):
            raise Unmappable(f"wanted an array, got {kind_of(found)}", pointer=f"/{member}")
        if len(found) > MAX_ITEMS:
            raise Unmappable(
                f"the batch holds {len(found)} items; at most {MAX_ITEMS} are taken: send several batches",
                pointer=f"/{member}",
            )
        return found

    def _columns(self) -> list[str]:
        given = self._batch.value.get("columns")
        if not isinstance(given, list) or not given:
            raise Unmappable('"rows" need "columns": an array of names', pointer="/columns")
        for place, name in enumerate(given):
            pointer = f"/columns/{place}"
            if reading.text(name, pointer) in given[:place]:
                raise Unmappable(f"the column {name!r} comes twice", pointer=pointer)
            if name not in MEMBERS:
                self._batch.note(pointer, f"the column {name[:80]!r} is not known and was left out")
        return given

    # -- writing ------------------------------------------------------------------------------------------------------

    def _item(self, said: dict[str, Any], pointer: str, places: dict[str, str]) -> None:
        batch, at = self._batch, _At(pointer, places)
        key = reading.name(said.get("key"), at["key"])
        state = batch.state if said.get("state") is None else reading.name(said["state"], at["state"])
        named = iris.item(batch.base, batch.namespace, key, state)
        if named in self._seen:
            raise Unmappable(f"the key {key[:80]!r} comes twice: first at {self._seen[named]}", pointer=at["key"])
        self._seen[named] = pointer
        node = f"<{named}>"
        own = {m: said[m] for m in OWN if said.get(m) is not None}
        activity = batch.activity(own, _At(pointer, places))
        lines = [*self._types, (PROV.wasGeneratedBy, activity)]
        when = batch.end if said.get("time") is None else batch.moment(said["time"], at["time"])
        if when:
            lines.append((PROV.generatedAtTime, when))
        if state:
            lines.append((PROV.specializationOf, self._measurand(named)))
        if said.get("value") is not None:
            lines += self._value(said, at)
        for member, predicate in _TEXTS:
            if said.get(member) is not None:
                lines.append((predicate, rdf.literal(reading.text(said[member], at[member], reading.MAX_TEXT))))
        sources = self._sources(said, key, node, at)
        if said.get("subject") is not None:
            self._subject(said, node, at)
        lines += self._derived(node, activity, sources, when)
        tail = batch.tail
        batch.held.update([f"{node} {predicate} {value}{tail}" for predicate, value in lines])

    def _measurand(self, named: str) -> str:
        measurand = f"<{named[: named.rindex('/')]}>"
        self._batch.type(measurand, PROV.Entity, PS.Measurand)
        return measurand

    def _value(self, said: dict[str, Any], at: _At) -> list[tuple[str, str]]:
        kind, term = reading.value_of(said["value"], at["value"])
        unit = self._batch.unit
        if said.get("unit") is not None:
            sent = reading.text(said["unit"], at["unit"])
            unit = self._units.get(sent) or self._units.setdefault(sent, self._batch.read_unit(sent, at["unit"]))
        if kind == "commitment":
            found = [(PS.commitment, term)]
        elif kind == "number" and self._measures:
            found = [(QUDT.numericValue, term)]
        else:
            found = [(PROV.value, term)]
        return [*found, (QUDT.unit, unit)] if unit and kind != "value" else found

    def _subject(self, said: dict[str, Any], node: str, at: _At) -> None:
        """Whom an item concerns, by pseudonym: said of its sample where it has one."""
        batch = self._batch
        subject = f"<{batch.base}/subject/{iris.enc(reading.name(said['subject'], at['subject']))}>"
        batch.type(subject, PROV.Entity, PS.DataSubject)
        about = sample(batch, "sample", said["sample"]).term if said.get("sample") is not None else node
        batch.say(about, PS.subject, subject)

    # -- what an item is made from ------------------------------------------------------------------------------------

    def _sources(self, said: dict[str, Any], key: str, node: str, at: _At) -> list[str]:
        batch = self._batch
        found: list[Source] = list(batch.sources)
        given = said.get("from")
        if isinstance(given, list):
            found += [source(batch, each, f"{at['from']}/{number}") for number, each in enumerate(given)]
        elif given is not None:
            found.append(source(batch, given, at["from"]))
        if said.get("sample") is not None:
            found.append(sample(batch, "sample", reading.name(said["sample"], at["sample"])))
        terms = [each.term or self._same_key(each, key) for each in found]
        if node in terms:
            raise Unmappable("an item cannot be made from itself", pointer=at["from"])
        return terms

    def _same_key(self, given: Source, key: str) -> str:
        node = f"<{iris.item(self._batch.base, given.namespace, key, given.state)}>"
        self._batch.type(node, PROV.Entity, PS.RecordItem)
        return node

    def _derived(self, node: str, activity: str, sources: list[str], when: str) -> Iterator[tuple[str, str]]:
        """What an item is made from was used too, and its model; a member makes what it is a member of, too."""
        batch, kind = self._batch, self._batch.kind
        if model := batch.models.get(activity):
            yield PROV.wasDerivedFrom, model
        self._derivations += len(sources)
        if self._derivations > MAX_SOURCES:
            raise Unmappable(f"the items have more than {MAX_SOURCES} sources in all: send several batches", pointer="")
        for each in sources:
            yield PROV.wasDerivedFrom, each
            batch.say(activity, PROV.used, each)
            if kind.quotes:
                yield PROV.wasQuotedFrom, each
            if kind.revises:
                yield PROV.wasRevisionOf, each
                batch.say(each, PROV.wasInvalidatedBy, activity)
                if when:
                    batch.say(each, PROV.invalidatedAtTime, when)
        if batch.collection:
            batch.say(batch.collection, PROV.hadMember, node)
            batch.say(batch.collection, PROV.wasDerivedFrom, node)
            batch.say(batch.node, PROV.used, node)
