"""Column lineage as facets state it: which column of which dataset a target column was made of."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from provstore import iris

#: The column that stands for columns nobody named.
ANY = "*"

#: A facet's value and the IRI of the record that asserts it.
Said = tuple[dict[str, Any], str]
#: Target column, source dataset, source column, whether direct, transformations, masking, record.
Source = tuple[str, str, str, bool, tuple[str, ...], bool, str]


@lru_cache(maxsize=1024)
def parsed_json(text: str) -> Any:
    """The value of a facet's JSON; many states have the same."""
    return json.loads(text)


def column_sources(facet: dict[str, Any], record: str) -> Iterator[Source]:
    """The sources that an OpenLineage columnLineage facet states; those of the whole dataset are no derivation."""
    base = record.rpartition("/record/")[0]
    fields = facet.get("fields")
    for target, entry in sorted(fields.items()) if isinstance(fields, dict) else ():
        for source in _objects(entry, "inputFields"):
            yield from _source(base, target, source, record)
    for source in _objects(facet, "dataset"):
        for found in _source(base, ANY, source, record):
            yield (*found[:3], False, *found[4:])


def explicit_sources(facet: dict[str, Any], record: str, dataset: str) -> Iterator[Source]:
    """The sources that the entries of a job's lineage facet state of a dataset."""
    base = record.rpartition("/record/")[0]
    for entry in _objects(facet, "entries"):
        if _dataset(base, entry) == dataset:
            yield from entry_sources(entry, record)


def entry_sources(entry: dict[str, Any], record: str) -> Iterator[Source]:
    """The sources that one entry, or the lineage facet of one output, states."""
    base = record.rpartition("/record/")[0]
    for source in _objects(entry, "inputs"):
        yield from _source(base, ANY, source, record)
    fields = entry.get("fields")
    for target, column in sorted(fields.items()) if isinstance(fields, dict) else ():
        for source in _objects(column, "inputs"):
            yield from _source(base, target, source, record)


def _source(base: str, target: str, source: dict[str, Any], record: str) -> Iterator[Source]:
    dataset = _dataset(base, source)
    if dataset is None:
        return
    field, kinds = source.get("field"), _objects(source, "transformations")
    direct = not kinds or any(t.get("type") != "INDIRECT" for t in kinds)
    names = tuple(str(t.get("subtype") or t.get("type")) for t in kinds if t.get("subtype") or t.get("type"))
    masking = any(t.get("masking") is True for t in kinds)
    yield target, dataset, field if isinstance(field, str) and field else ANY, direct, names, masking, record


def _dataset(base: str, named: dict[str, Any]) -> str | None:
    namespace, name = named.get("namespace"), named.get("name")
    if named.get("type", "DATASET") == "DATASET" and isinstance(namespace, str) and isinstance(name, str):
        return iris.dataset(base, namespace, name)
    return None


def _objects(holder: Any, member: str) -> list[dict[str, Any]]:
    value = holder.get(member) if isinstance(holder, dict) else None
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
