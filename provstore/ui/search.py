"""The page of search: what was found, with its matches marked; what to narrow it by, as links that keep the rest."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from fastapi.responses import Response
from starlette.datastructures import QueryParams

from provstore import search
from provstore.core.service import Service
from provstore.ui import names, render

_TITLES = {"kind": "Kind", "namespace": "Namespace", "owner": "Owner", "tag": "Tag", "incomplete": "Incomplete"}
#: Severity → what a thing lacks.
_LACKS = {
    "MUST": "lacks what is demanded",
    "SHOULD": "lacks what is recommended",
    "MAY": "lacks what is suggested",
    "ERROR": "could not be checked",
}
#: What the fields of a snippet are called.
_FIELDS = {
    "columns": "column",
    "owners": "owner",
    "tags": "tag",
    "names": "also called",
    "about": "full name",
    "ids": "identifier",
    "sql": "SQL",
}
_PARAMETERS = ("q", *search.FILTERS, "limit")


@dataclass(frozen=True, slots=True)
class Choice:
    """One value to narrow by: `href` is the search with it, or without it where it is `chosen`."""

    text: str
    count: int | None
    href: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Result:
    """One thing found: its name and a snippet in pieces, every second of which is a match."""

    thing: names.Thing
    marked: list[str]
    namespace: str
    owners: list[str]
    tags: list[str]
    field: str
    snippet: list[str]
    lacks: str
    mood: str


async def page(service: Service, asked: search.Request, min_index: int | None, given: QueryParams) -> Response:
    """The answer as a page; the search itself is that of the JSON."""
    found = await service.search(asked, min_index)
    kept = [(name, value) for name, value in given.multi_items() if name in _PARAMETERS and value]
    return render.page(
        "search.html",
        alternates={"application/json": _address([*kept, *_cursor(given), ("format", "json")])},
        asked=asked.words,
        found=found,
        results=[_result(each) for each in found.results],
        facets={_TITLES[name]: await _choices(service, asked, found, name, kept) for name in search.FILTERS},
        chosen=[_choice(name, value, None, kept) for name in search.FILTERS for value in asked.filters.get(name, ())],
        next=_address([*kept, ("cursor", found.cursor)]) if found.cursor else "",
        first=_address(kept) if asked.cursor else "",
        everything=_address([(name, value) for name, value in kept if name == "q"]),
        most_words=search.MOST_WORDS,
    )


def _cursor(given: QueryParams) -> list[tuple[str, str]]:
    return [("cursor", given["cursor"])] if given.get("cursor") else []


async def _choices(
    service: Service, asked: search.Request, found: search.Found, name: str, kept: list[tuple[str, str]]
) -> list[Choice]:
    """The values of one filter, counted as if nothing had been chosen of it: any of them can be added."""
    chosen = [value for value in asked.filters.get(name, ()) if value]
    counted = found.facets[name]
    if chosen:
        others = {**asked.filters, name: ()}
        counted = (await service.search(replace(asked, filters=others, limit=0, cursor=""), None)).facets[name]
    counts = {each["value"]: each["count"] for each in counted}
    values = [*counts, *(value for value in chosen if value not in counts)]
    return [_choice(name, value, counts.get(value), kept) for value in values]


def _choice(name: str, value: str, count: int | None, kept: list[tuple[str, str]]) -> Choice:
    pair = (name, value)
    chosen = pair in kept
    href = _address([each for each in kept if each != pair] if chosen else [*kept, pair])
    text = names.spaced(value) if name == "kind" else _LACKS.get(value, value) if name == "incomplete" else value
    return Choice(text, count, href, chosen)


def _address(pairs: Iterable[tuple[str, str]]) -> str:
    query = urlencode(list(pairs), errors="replace")
    return f"/search?{query}" if query else "/search"


def _result(found: dict[str, Any]) -> Result:
    kind, snippet = found["kind"], found["snippet"] or {"field": "", "marked": []}
    thing = names.Thing(found["iri"], found["name"], names.spaced(kind), names.role(kind))
    field = _FIELDS.get(snippet["field"], snippet["field"])
    grave = found["lacks"]["severity"] if found["lacks"] else ""
    owners, tags = found["owners"], found["tags"]
    lacks, mood = _LACKS.get(grave, ""), "bad" if grave == "MUST" else "fair"
    return Result(thing, found["marked"], found["namespace"], owners, tags, field, snippet["marked"], lacks, mood)
