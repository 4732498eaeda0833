"""The start page: what is in the store, the questions of the tour with a living example each, how to send."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass

from fastapi import Request
from fastapi.responses import Response

from provstore import queries, search
from provstore.core.service import Service
from provstore.errors import Busy, NotFound
from provstore.ledger.log import Ledger
from provstore.ui import names, render

#: Kinds of thing of which one asks where they came from, and what they made; the first that there is gives the example.
_ENDS = ("prediction", "decision", "model-version", "dataset", "entity")
_BEGINNINGS = ("dataset", "entity")
_SOURCES = {"openlineage": "OpenLineage event", "rdf": "PROV document", "profile": "validation profile"}
_NEWEST = 6


@dataclass(frozen=True, slots=True)
class Newest:
    """A record that came in lately."""

    index: int
    href: str
    name: str
    source: str
    received: str


@dataclass(frozen=True, slots=True)
class Example:
    """A thing to ask about, and the address of the answer."""

    name: str
    href: str


async def page(request: Request) -> Response:
    """The start page; its twin is `/health`."""
    service: Service = request.app.state.service
    found = await _found(service, search.Request(limit=_NEWEST))
    return render.page(
        "home.html",
        alternates={"application/json": "/health"},
        store=service.status(),
        kinds=[(_plural(each["value"], each["count"]), each) for each in found.facets["kind"]],
        things=[_thing(each) for each in found.results],
        records=await asyncio.to_thread(_newest, service.ledger),
        origin=await _example(service, found, "lineage/upstream", "/lineage", _ENDS),
        impact=await _example(service, found, "impact/retrain", "/impact", _BEGINNINGS),
        server=f"{request.url.scheme}://{request.url.netloc}",
    )


async def _found(service: Service, asked: search.Request) -> search.Found:
    """What is found, or nothing while the views are being made: the page is there in any case."""
    try:
        return await service.search(asked, None)
    except Busy:
        return search.Found(-1, "all", 0, {name: [] for name in search.FILTERS}, [])


async def _example(
    service: Service, found: search.Found, question: str, path: str, kinds: tuple[str, ...]
) -> Example | None:
    """The example of a canned query where the store holds it, as the demo does; else a thing of a fitting kind."""
    examples = {each.name: each.example for each in queries.find(question).parameters}
    known = await service.described([examples["entity"]])
    if known:
        return Example(str(known[examples["entity"]]["name"]), names.address(path, **examples))
    there = {each["value"] for each in found.facets["kind"]}
    kind = next((each for each in kinds if each in there), None)
    if kind is None:
        return None
    first = await _found(service, search.Request(filters={"kind": (kind,)}, limit=1))
    return next((Example(each["name"], names.address(path, entity=each["iri"])) for each in first.results), None)


def _newest(ledger: Ledger) -> list[Newest]:
    """The last records, the newest first; an erased one has left no more than its leaf."""
    listed = []
    for index in range(ledger.head, max(ledger.head - _NEWEST, 0), -1):
        try:
            receipt, entry = ledger.receipt(index), json.loads(ledger.entry(index))
        except NotFound:
            continue
        adapter = str(entry.get("adapter", ""))
        source = _SOURCES.get(adapter.partition("/")[0], adapter)
        listed.append(Newest(index, names.href(receipt.record), names.short(receipt.record), source, receipt.received))
    return listed


def _thing(found: dict[str, object]) -> names.Thing:
    kind = str(found["kind"])
    return names.Thing(str(found["iri"]), str(found["name"]), names.spaced(kind), names.role(kind))


def _plural(kind: str, count: int) -> str:
    word = names.spaced(kind)
    if count == 1:
        return word
    return f"{word[:-1]}ies" if word.endswith("y") else f"{word}s"
