"""The columns of a dataset or state from its facets in force: schema, tags, and what column lineage makes them of."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from provstore import iris
from provstore.core.things.thing import SchemaColumn
from provstore.views import texts


def columns_of(base: str, facets: dict[str, Any]) -> tuple[SchemaColumn, ...]:
    """Columns in the order of the schema, nested ones by their path; then those that only column lineage names."""
    schema, lineage = facets.get("schema"), facets.get("columnLineage")
    types = _types(schema)
    tags = _tags(facets.get("tags"))
    described: dict[str, str] = {}
    for name, about in texts.columns(schema, lineage):
        described.setdefault(name, about)  # the schema's come first; those of the lineage have no description
    return tuple(
        SchemaColumn(name, types.get(name, ""), about, tuple(tags.get(name, ())), _sources(base, lineage, name))
        for name, about in described.items()
    )


def _types(schema: Any) -> dict[str, str]:
    found: dict[str, str] = {}
    todo = [("", field) for field in _listed(schema, "fields")]
    while todo:
        above, field = todo.pop()
        name, kind = _text(field, "name"), _text(field, "type")
        path = f"{above}.{name}" if above else name
        found.setdefault(path, kind)
        todo += [(path, each) for each in _listed(field, "fields")]
    return found


def _tags(facet: Any) -> dict[str, list[str]]:
    """The tags of single columns, as `texts.tags` writes them."""
    found: dict[str, list[str]] = defaultdict(list)
    for each in _listed(facet, "tags"):
        if field := _text(each, "field"):
            found[field] += texts.tags({"tags": [each]})
    return found


def _sources(base: str, lineage: Any, column: str) -> tuple[tuple[str, str, str], ...]:
    """(dataset, its column, how) of each column that a column is made of."""
    fields = lineage.get("fields") if isinstance(lineage, dict) else None
    said = fields.get(column) if isinstance(fields, dict) else None
    found = []
    for each in _listed(said, "inputFields"):
        names = [_text(each, name) for name in ("namespace", "name", "field")]
        if all(names):
            how = [_text(t, "subtype") or _text(t, "type") for t in _listed(each, "transformations")]
            found.append(
                (iris.dataset(base, names[0], names[1]), names[2], ", ".join(dict.fromkeys(filter(None, how))))
            )
    return tuple(found)


def _listed(holder: Any, name: str) -> list[Any]:
    found = holder.get(name) if isinstance(holder, dict) else None
    return found if isinstance(found, list) else []


def _text(holder: Any, name: str) -> str:
    found = holder.get(name) if isinstance(holder, dict) else None
    return found if isinstance(found, str) else ""
