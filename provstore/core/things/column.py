"""One column of a dataset or state: what it is, where from, where to, how it was checked."""

from __future__ import annotations

import asyncio
from dataclasses import asdict, dataclass
from typing import Any

from provstore.core.service import Service
from provstore.core.things.assemble import described_thing
from provstore.core.things.thing import SHOWN, SchemaColumn, Thing, named
from provstore.errors import NotFound
from provstore.lineage.ask import asked
from provstore.lineage.stated import ANY


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a thing; `upstream` and `downstream` are the first pages of answers of column lineage."""

    thing: Thing
    name: str
    column: SchemaColumn
    declared: bool
    upstream: dict[str, Any]
    downstream: dict[str, Any]

    @property
    def index(self) -> int:
        return min(self.thing.index, int(self.upstream["index"]), int(self.downstream["index"]))

    def json(self) -> dict[str, Any]:
        said = self.thing.said
        return {
            "iri": self.thing.iri,
            "column": self.name,
            "index": self.index,
            "kind": "Column",
            **{name: value for name, value in asdict(self.column).items() if value and name != "name"},
            "checks": [named(asdict(each)) for each in said.checks if each.column == self.name],
            "measures": [named(asdict(each)) for each in said.measures if each.column == self.name],
            "upstream": self.upstream,
            "downstream": self.downstream,
        }


async def column_of(
    service: Service,
    iri: str,
    name: str,
    *,
    at: int | None = None,
    as_of: str | None = None,
    min_index: int | None = None,
) -> Column:
    """A column of a dataset or state; NotFound where neither a schema nor column lineage knows it."""
    given = {"entity": iri, "column": name, "limit": str(5 * SHOWN)}
    given |= {"at-index": str(at)} if at is not None else {}
    given |= {"as-of": as_of} if as_of is not None else {}
    thing = await described_thing(service, iri, at=at, as_of=as_of, min_index=min_index)
    up, down = await asyncio.gather(
        *(
            service.lineage(asked("lineage", {**given, "direction": way}), min_index)
            for way in ("upstream", "downstream")
        )
    )
    found = next((each for each in thing.columns if each.name == name), None)
    named = any(each["column"] != ANY for side in (up, down) for each in side.json["columns"])
    if found is None and (name == ANY or not named):
        raise NotFound(f"no schema and no column lineage of {iri[:200]} knows a column {name[:100]!r}")
    return Column(thing, name, found or SchemaColumn(name), found is not None, up.json, down.json)
