"""The page of a record: what was received, what it says, what was found wrong with it, and the way to its proof."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi.responses import HTMLResponse

from provstore import rdf
from provstore.core import signatures
from provstore.core.service import Service
from provstore.ledger.log import Body
from provstore.ui import names, payload, render, statements
from provstore.vocab import PS

#: What the page links to besides itself: media type → the value of `format`.
_TWINS = {
    "application/json": "json",
    "text/turtle": "turtle",
    "application/trig": "trig",
    "application/n-quads": "nquads",
    "application/ld+json": "jsonld",
}
_KINDS = {
    "openlineage": "An OpenLineage event",
    "rdf": "An RDF document",
    "profile": "A validation profile, published or put to use",
    "statement": "An in-toto statement",
}
_MOST_RESULTS = 50
_MOST_CONTENTS = 50
_MOST_THINGS = 12


@dataclass(frozen=True, slots=True)
class Cited:
    """A content that a record cites: one facet value, shared by all records that hold the same one."""

    iri: str
    key: str
    value: payload.Shown
    count: int


async def page(service: Service, digest: str, index: int, query: Mapping[str, str]) -> HTMLResponse:
    """The record of a digest as the entry at an index holds it; `payload=all`, `statements=all` show more of it."""
    body = service.ledger.body(index)
    mentioned, about = await asyncio.to_thread(statements.mentioned, statements.lines(body.quads), body.record)
    described = await service.described(mentioned)
    things = statements.things(mentioned, described, about)
    superseded_by = await service.superseding(body.record)
    validation = _validation(service, index)  # here, since its database is for this thread
    return await asyncio.to_thread(  # there may be much to lay out, and others are waiting
        lambda: render.page(
            "record.html",
            **_head(service, digest, body),
            **_what(body, query, described),
            things=things[:_MOST_THINGS],
            more_things=len(things) - _MOST_THINGS,
            contents=[_cited(service, iri) for iri in body.contents[:_MOST_CONTENTS]],
            more_contents=len(body.contents) - _MOST_CONTENTS,
            validation=validation,
            signed=signatures.signed(body, service.trusted_keys),
            superseded_by=superseded_by,
        )
    )


def _head(service: Service, digest: str, body: Body) -> dict[str, Any]:
    """Where the record stands, in the ledger and among its twins."""
    ledger, indices, own = service.ledger, service.record(digest), f"/records/{digest}"
    chosen = {"index": body.index if len(indices) > 1 else None}
    return {
        "alternates": {kind: names.address(own, format=name, **chosen) for kind, name in _TWINS.items()},
        "body": body,
        "digest": digest,
        "own": own,
        "chosen": chosen,
        "kind": _KINDS.get(body.adapter.partition("/")[0], "A payload"),
        "sender": ledger.actors().get(body.actor, body.actor),
        "receipts": [ledger.receipt(each) for each in indices],
        "size": ledger.size(),
        "leaf": ledger.receipt(body.index).leaf_hash,
        "entry": ledger.entry(body.index).decode(),
    }


def _what(body: Body, query: Mapping[str, str], described: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Payload and statements, as much of them as is wanted."""
    found = statements.lines(body.quads)
    most = statements.LONG if query.get("statements") == "all" else statements.SHORT
    return {
        "payload": payload.shown(body.payload, body.media_type, everything=query.get("payload") == "all"),
        "groups": statements.grouped(found[:most], body.record, described),
        "statements": len(found),
        "shown": min(most, len(found)),
        "longest": statements.LONG,
        "supersedes": _supersedes(body, found),
    }


def _cited(service: Service, iri: str) -> Cited:
    key = value = ""
    found = statements.lines(service.ledger.content(iri))
    for subject, predicate, term, _ in map(rdf.split, found):
        if subject == f"<{iri}>" and predicate == PS.key:
            key = rdf.text_of(term)
        elif subject == f"<{iri}>" and predicate == PS.json:
            value = rdf.text_of(term)
    return Cited(iri, key, payload.shown(value.encode(), "application/json"), len(found))


def _supersedes(body: Body, found: list[str]) -> list[str]:
    me = (f"<{body.record}>", PS.supersedes)
    said = (rdf.split(line) for line in found if PS.supersedes in line)
    return [rdf.text_of(term) for subject, predicate, term, _ in said if (subject, predicate) == me]


@dataclass(frozen=True, slots=True)
class Checked:
    """One profile and a record: the state in a word, its mood, and what was found; `more` counts what is left out.

    `accepted` says whether the profile was in use when the record was accepted, `on` whether it is now.
    """

    profile: str
    state: str
    mood: str
    results: list[dict[str, Any]]
    more: int
    accepted: bool
    on: bool


_STATES = {True: ("conforms", "good"), False: ("does not conform", "bad"), None: ("could not be checked", "fair")}


def _validation(service: Service, index: int) -> list[Checked]:
    on = service.profiles.on()
    found = [
        Checked(
            each["profile"],
            *_STATES[each["conforms"]],
            each["results"][:_MOST_RESULTS],
            max(0, len(each["results"]) - _MOST_RESULTS),
            each["accepted"],
            each["profile"] in on,
        )
        for each in service.annotator.results(index)
    ]
    told = {each.profile for each in found}
    waiting = [name for name in on if name not in told]
    return [*found, *(Checked(name, "waiting", "plain", [], 0, False, True) for name in waiting)]
