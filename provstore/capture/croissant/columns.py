"""The columns of a Croissant document in the facet `schema` of OpenLineage, of which a document can be made again.

What the facet has no word for stands in it under Croissant's own names: where a column is found in a file, which other
column it refers to, the records of a record set that holds nothing but its own (an enumeration).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from provstore.capture.croissant.reading import Reader, address_of, name_of, value
from provstore.capture.described import text
from provstore.capture.draft import Object

#: Record sets and fields within each other.
DEPTH: Final = 20
#: Ways to find a field in a file.
EXTRACTS: Final = ("column", "jsonPath", "fileProperty")
#: Members of a field that are kept as they are.
KEPT: Final = ("repeated", "isArray", "arrayShape")
#: Records of an enumeration that are kept with its columns.
MAX_VALUES: Final = 100


def columns(reader: Reader, state: str, sets: Iterable[tuple[str, Object]]) -> None:
    """Say the columns of record sets (with their pointers) of a state; of several each is a column with columns."""
    told = _Columns(reader, [each for _, each in sets])
    tables = [(each, list(told.fields(each, where, name_of(each)))) for where, each in sets]
    if len(tables) == 1:
        ((only, fields),) = tables
        facet: Object = {"fields": fields, **({"recordSet": name_of(only)} if name_of(only) else {}), **_beside(only)}
    else:
        named = [(name_of(each), each, inner) for each, inner in tables if name_of(each)]
        facet = {"fields": [{**_field(name, "cr:RecordSet", each, i), **_beside(each)} for name, each, i in named]}
    if facet["fields"]:
        reader.draft.facet(state, "schema", {"_producer": "http://mlcommons.org/croissant/1.1", **facet})


class _Columns:
    """Reads fields; those that others refer to are known by their identifiers."""

    def __init__(self, reader: Reader, sets: Iterable[Object]) -> None:
        self._draft = reader.draft
        self._known: dict[str, Object] = {}
        for each in sets:
            for identifier, field in _identified(each, name_of(each)):
                self._known.setdefault(identifier, field)

    def fields(self, holder: Object, where: str, path: str, depth: int = 0) -> Iterator[Object]:
        """The columns of a record set or a nested field, to which the names in `path` lead; annotations are columns."""
        if depth > DEPTH:
            self._draft.note(where, f"ignored: fields nested more than {DEPTH} deep")
            return
        for member in ("field", "subField", "annotation"):
            for place, each in self._draft.several(holder, member, where):
                if not isinstance(each, dict) or not name_of(each):
                    self._draft.note(place, f"ignored: a field needs an '@id' or a 'name', in {member!r}")
                    continue
                own = f"{path}/{name_of(each)}"
                inner = list(self.fields(each, place, own, depth + 1))
                kinds = " ".join(text(kind) for _, kind in self._draft.several(each, "dataType", place))
                said = _field(name_of(each), kinds, each, inner)
                if meaning := text(each.get("equivalentProperty")):
                    said["equivalentProperty"] = meaning
                if member == "annotation":
                    said["annotation"] = True
                if text(each.get("@id")) not in ("", own):
                    said["@id"] = text(each["@id"])
                said |= {name: each[name] for name in KEPT if isinstance(each.get(name), str | int)}
                said |= {name: found for name in ("source", "references") if (found := self._place(each, name))}
                yield said

    def _place(self, field: Object, member: str, depth: int = 0) -> Object:
        """In which file, and where in it, the source of a field is, or what it refers to; or in which other field.

        What is in another field (`field`, with what is done to it) leads on to the file that this is from.
        """
        said = field.get(member)
        if not isinstance(said, dict):
            return {}
        extract, changes = said.get("extract"), said.get("transform")
        held = extract if isinstance(extract, dict) else {}
        how = {**{name: text(held.get(name)) for name in EXTRACTS}, "transform": changes}
        if other := address_of(said.get("field")):
            within = {name: each for name, each in {"@id": other, **how}.items() if each}
            known = self._known.get(other, {}) if depth < DEPTH else {}
            first = self._place(known, "source", depth + 1) if member == "source" else {}
            return {**{name: each for name, each in first.items() if name != "field"}, "field": within}
        holder = next((said[name] for name in ("fileObject", "fileSet", "distribution") if said.get(name)), said)
        return {name: each for name, each in {"file": address_of(holder), **how}.items() if each}


def _identified(holder: Object, path: str, depth: int = 0) -> Iterator[tuple[str, Object]]:
    """The fields of a record set or a field by their identifiers; before version 1.0 these were the names to them."""
    for member in ("field", "subField"):
        held = holder.get(member)
        for each in held if isinstance(held, list) else [held]:
            if isinstance(each, dict) and depth < DEPTH:
                own = text(each.get("@id")) or f"{path}/{name_of(each)}"
                yield own, each
                yield from _identified(each, own, depth + 1)


def _field(name: str, kinds: str, said: Object, inner: list[Object]) -> Object:
    column: Object = {"name": name}
    if kinds:
        column["type"] = kinds
    if text(said.get("description")):
        column["description"] = text(said["description"])
    if inner:
        column["fields"] = inner
    return column


def _beside(table: Object) -> Object:
    """What is said of a record set beside its columns: what else it is called, and the records of an enumeration.

    These are few, in the document and nowhere else, and nothing is annotated in them.
    """
    fields, identifier = table.get("field"), text(table.get("@id"))
    held = [each for each in (fields if isinstance(fields, list) else [fields]) if isinstance(each, dict)]
    found: Object = {"@id": identifier} if identifier not in ("", name_of(table)) else {}
    data = table.get("data")
    records = [each for each in (data if isinstance(data, list) else [data]) if isinstance(each, dict)]
    elsewhere = any(each.get("source") or each.get("annotation") for each in (table, *held))
    if elsewhere or not 0 < len(records) <= MAX_VALUES:
        return found
    names = {text(each.get("@id")) or f"{name_of(table)}/{name_of(each)}": each for each in held}
    return {**found, "data": [{name: value(each, field) for name, field in names.items()} for each in records]}
