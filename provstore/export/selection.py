"""Which records go into a package, as it is asked from outside: named parameters of text in, a selection out."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from provstore import times
from provstore.errors import QueryRefused
from provstore.export.parameters import PARAMETERS

_REPEATED = ("record", "lineage", "param", "from")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOST = 1000  # values of one parameter


@dataclass(frozen=True, slots=True)
class Selection:
    """What to export: the union of records, lineage and answers (with `every`: all there is), within a time.

    `after` and `before` are `times` keys; `kept` are sizes of checkpoints to be connected.
    """

    records: tuple[str, ...] = ()
    lineage: tuple[str, ...] = ()
    depth: int | None = None
    query: str | None = None
    values: tuple[tuple[str, str], ...] = ()
    sparql: str | None = None
    after: str | None = None
    before: str | None = None
    every: bool = False
    kept: tuple[int, ...] = ()

    def asked(self) -> dict[str, Any]:
        """The selection as the manifest tells it: what was given, under the names of the parameters."""
        said = {
            "record": list(self.records),
            "lineage": list(self.lineage),
            "depth": self.depth,
            "query": self.query,
            "param": [f"{name}={value}" for name, value in self.values],
            "sparql": self.sparql,
            "after": times.lexical(self.after) if self.after else None,
            "before": times.lexical(self.before) if self.before else None,
            "all": self.every or None,
        }
        return {name: value for name, value in said.items() if value not in (None, [])}


def selection(given: Iterable[tuple[str, str]]) -> Selection:
    """The selection that parameters name; QueryRefused says what is wrong with them."""
    held: dict[str, list[str]] = {name: [] for name in PARAMETERS}
    for name, value in given:
        if name not in held:
            raise QueryRefused(f"export has no parameter {name[:60]!r}: it takes {', '.join(PARAMETERS)}")
        if value and value not in held[name]:
            held[name].append(value)
    for name, values in held.items():
        if len(values) > (_MOST if name in _REPEATED else 1):
            raise QueryRefused(f"the parameter {name!r} may not be given {len(values)} times")
    return _checked(held)


def _checked(held: dict[str, list[str]]) -> Selection:
    one = {name: values[0] if values else None for name, values in held.items()}
    found = Selection(
        records=tuple(sorted(held["record"])),
        lineage=tuple(sorted(held["lineage"])),
        depth=None if one["depth"] is None else _number("depth", one["depth"]),
        query=one["query"],
        values=tuple(sorted(_pair(each) for each in held["param"])),
        sparql=one["sparql"],
        after=_instant("after", one["after"]),
        before=_instant("before", one["before"]),
        every=_flag(one["all"]),
        kept=tuple(sorted(_number("from", each) for each in held["from"])),
    )
    named = found.records or found.lineage or found.query or found.sparql
    if not (named or found.every or found.after or found.before):
        raise QueryRefused("say what to export: record, lineage, query, sparql, after, before, or all")
    if named and found.every:
        raise QueryRefused("all is every record: leave out record, lineage, query and sparql")
    if (found.depth is not None and not found.lineage) or (found.values and not found.query):
        raise QueryRefused("depth belongs to lineage, and param to query")
    return found


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise QueryRefused(f"a parameter of the query is key=value, got {text[:60]!r}")
    return key, value


def _number(name: str, text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,15}", text) or int(text) < 1:
        raise QueryRefused(f"the parameter {name!r} is a number from 1 on, got {text[:40]!r}")
    return int(text)


def _instant(name: str, text: str | None) -> str | None:
    if text is None:
        return None
    try:
        return times.key(f"{text}T00:00:00Z" if _DAY.fullmatch(text) else text)[0]
    except ValueError as error:
        raise QueryRefused(f"the parameter {name!r} is a day or an ISO 8601 date-time, got {text[:60]!r}") from error


def _flag(text: str | None) -> bool:
    if text not in (None, "true", "false"):
        raise QueryRefused(f"the parameter 'all' is true or false, got {text[:40]!r}")
    return text == "true"
