"""What a thing is, as a page, JSON or RDF under one address."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response

from provstore import rdf, search
from provstore.api.requests import number, service_of
from provstore.core import things
from provstore.core.service import Service
from provstore.core.things.description import SYNTAXES
from provstore.errors import NotFound, ProvStoreError, QueryRefused
from provstore.export import croissant
from provstore.store.query import chosen
from provstore.ui.names import address
from provstore.ui.things import column_page, thing_page, unknown_page

router = APIRouter(tags=["ask"])

_PARAMETERS = ("iri", "column", "at-index", "as-of", "min-index")
_CROISSANT = "application/vnd.provstore.croissant+json"
_OFFERS = ("application/json", *SYNTAXES, _CROISSANT, "text/html")
_OFFERS_OF_COLUMNS = ("application/json", "text/html")


@router.get("/entity")
async def get_entity(request: Request) -> Response:
    """`?iri=…` (or a name that one asset has), `column`, `at-index`, `as-of`, `min-index`: all about one.

    What it is, where from, who, when, what is missing, what depends on it, which records say so: a page, JSON, or RDF;
    of a dataset with `format=croissant` a Croissant document.
    """
    given = _given(request)
    service, named = service_of(request), given["iri"]
    offers = _OFFERS_OF_COLUMNS if given.get("column") else _OFFERS
    media_type = chosen(request.headers.get("accept"), offers, "about a thing")
    try:
        if not rdf.is_iri(named):
            return await _elsewhere(service, given)
        if service.ledger.find(named):
            return RedirectResponse(f"/records/{named.rpartition('/')[2]}", 303, {"Vary": "Accept"})
        return await _answer(request, service, given, media_type)
    except NotFound as error:
        if rdf.is_iri(named) and "/" not in named:  # names may look like IRIs
            with suppress(NotFound):
                return await _elsewhere(service, given)
        return await _unknown(service, named, error, media_type)


async def _elsewhere(service: Service, given: dict[str, str]) -> Response:
    """Where the thing of a name is."""
    iri = await things.resolved(service, given["iri"], number(given, "min-index"))
    return RedirectResponse(address("/entity", **_named({**given, "iri": iri})), 303, {"Vary": "Accept"})


def _given(request: Request) -> dict[str, str]:
    given = {name: value for name, value in request.query_params.items() if value != ""}
    if len(request.query_params.multi_items()) != len(request.query_params):
        raise QueryRefused("each parameter may be given once")
    for name, value in given.items():
        if name not in _PARAMETERS:
            raise QueryRefused(f"there is no parameter {name[:60]!r}: it takes {', '.join(_PARAMETERS)}")
        if len(value) > 10_000:
            raise QueryRefused("a parameter is longer than 10,000 characters")
    if "iri" not in given:
        raise QueryRefused("the parameter 'iri' is missing: the IRI of a thing, or a name that only one asset has")
    return given


def _named(given: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("-", "_"): value for name, value in given.items()}


async def _answer(request: Request, service: Service, given: dict[str, str], media_type: str) -> Response:
    iri, min_index = given["iri"], number(given, "min-index")
    kept = {name: value for name, value in given.items() if name != "min-index"}
    if media_type == _CROISSANT:
        told, index = await things.croissant_of(service, iri, min_index)
        body = json.dumps(told, ensure_ascii=False, indent=2).encode(errors="replace")
        return _tagged(request, body, croissant.MEDIA_TYPE, index, {})
    if media_type in SYNTAXES:
        document = f"{request.base_url}{address('/entity', iri=iri)[1:]}"
        found = await things.description(service, iri, media_type, document, min_index)
        headers = {"Provstore-Truncated": "true"} if found.truncated else {}
        return _tagged(request, found.body, found.media_type, found.index, headers)
    moment: dict[str, Any] = {
        "at": number(given, "at-index"),
        "as_of": given.get("as-of"),
        "min_index": min_index,
    }
    if "column" in given:
        column = await things.column_of(service, iri, given["column"], **moment)
        if media_type == "text/html":
            return column_page(column, kept)
        return _json(request, column.json(), column.index)
    thing = await things.described_thing(service, iri, **moment)
    if media_type == "text/html":
        return thing_page(thing, kept)
    return _json(request, thing.json(), thing.index)


def _json(request: Request, said: dict[str, Any], index: int) -> Response:
    body = json.dumps(said, ensure_ascii=False).encode(errors="replace")
    return _tagged(request, body, "application/json", index, {})


def _tagged(request: Request, body: bytes, media_type: str, index: int, more: dict[str, str]) -> Response:
    """An answer with a tag of its bytes: validation, which is part of it, comes later than the index."""
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Provstore-Index": str(index), "Cache-Control": "no-cache", "Vary": "Accept", **more}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=media_type, headers=headers)


async def _unknown(service: Service, named: str, error: ProvStoreError, media_type: str) -> Response:
    """404 with what comes nearest to what was asked for, by the words in it."""
    words = named.rstrip("/#:").replace("#", "/").rpartition("/")[2] or named
    found = await service.search(search.Request(words[:200], {}, 10), None)
    nearest = [{name: each[name] for name in ("iri", "name", "kind")} for each in found.results]
    body = {**error.problem(), "nearest": nearest}
    if media_type == "text/html":
        return unknown_page(named, body)
    return JSONResponse(body, body["status"], media_type="application/problem+json", headers={"Vary": "Accept"})
