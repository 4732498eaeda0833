"""One column of a dataset or state: what it is, where from, where to, how it was checked."""

from __future__ import annotations

import asyncio
from dataclasses import asdict, dataclass
from typing import Any

from provstore.core.service import Service
from provstore.core.things.assemble import described_thing
from provstore.core.things.thing import SchemaColumn, Thing, named
from provstore.errors import NotFound
from provstore.lineage.ask import Told, asked
from provstore.lineage.stated import ANY

#: Of a dataset with more states than this the latest alone is followed: each of them would be.
_MANY = 500


@dataclass(frozen=True, slots=True)
class Reached:
    """A column of a dataset, or of another thing, that column lineage reaches; told once for all states.

    `certainty` is that of the surest way, `depth` the steps of the shortest, `states` in how many of them it was seen.
    """

    of: str
    column: str
    certainty: str
    depth: int
    states: int


@dataclass(frozen=True, slots=True)
class Side:
    """All that is reached one way, nearest first; `total` counts states, and all of them were looked at if `whole`."""

    reached: tuple[Reached, ...]
    total: int
    whole: bool


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a thing; `state` is the one that was followed where a dataset has very many."""

    thing: Thing
    name: str
    column: SchemaColumn
    declared: bool
    upstream: Side
    downstream: Side
    index: int
    state: str | None = None

    def json(self) -> dict[str, Any]:
        said = self.thing.said
        whole = {
            "iri": self.thing.iri,
            "column": self.name,
            "index": self.index,
            "kind": "Column",
            **{name: value for name, value in asdict(self.column).items() if value and name != "name"},
            "state": self.state,
            "checks": [asdict(each) for each in said.checks if each.column == self.name],
            "measures": [asdict(each) for each in said.measures if each.column == self.name],
            "upstream": asdict(self.upstream),
            "downstream": asdict(self.downstream),
        }
        told: dict[str, Any] = named(whole)
        return told


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
    thing = await described_thing(service, iri, at=at, as_of=as_of, min_index=min_index)
    state = _latest(thing)
    given = {"entity": state or iri, "column": name}
    given |= {"at-index": str(at)} if at is not None else {}
    given |= {"as-of": as_of} if as_of is not None else {}
    ways = ({**given, "direction": way} for way in ("upstream", "downstream"))
    up, down = await asyncio.gather(*(service.lineage(asked("lineage", each), min_index) for each in ways))
    found = next((each for each in thing.columns if each.name == name), None)
    known = any(each["column"] != ANY for side in (up, down) for each in side.json["columns"])
    if found is None and (name == ANY or not known):
        raise NotFound(f"no schema and no column lineage of {iri[:200]} knows a column {name[:100]!r}")
    index = min(thing.index, up.index, down.index)
    return Column(thing, name, found or SchemaColumn(name), found is not None, _side(up), _side(down), index, state)


def _latest(thing: Thing) -> str | None:
    """The latest state of a dataset that has very many: written, or else read."""
    states = [each for each in (thing.around or {}).get("relations", ()) if each["kind"] in ("WriteState", "ReadState")]
    if thing.kind != "Dataset" or sum(each["total"] for each in states) <= _MANY:
        return None
    states.sort(key=lambda each: each["kind"] != "WriteState")
    return str(states[0]["nodes"][0]["iri"])


def _side(told: Told) -> Side:
    held: dict[tuple[str, str], Reached] = {}
    for each in told.json["columns"]:
        of = each.get("dataset") or each["state"]
        one = Reached(of, each["column"], each["certainty"], each["depth"], 1)
        old = held.get((of, one.column))
        if old:
            sure = min(old.certainty, one.certainty, key=_SURE.index)
            one = Reached(of, one.column, sure, min(old.depth, one.depth), old.states + 1)
        held[of, one.column] = one
    reached = sorted(held.values(), key=lambda each: (_SURE.index(each.certainty), each.depth, each.of, each.column))
    return Side(tuple(reached), told.json["total"], told.json["next"] is None)


_SURE = ("certain", "possible", "influence")
