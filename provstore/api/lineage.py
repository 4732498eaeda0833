"""Lineage and impact over HTTP: for a program an answer, for a browser a page about it."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from provstore.api.requests import etag, number, service_of
from provstore.errors import QueryRefused
from provstore.lineage.ask import Told, asked
from provstore.store.query import chosen
from provstore.ui import render
from provstore.ui.impact import impact_page
from provstore.ui.lineage import lineage_page

router = APIRouter(tags=["lineage"])

_PAGES = {"lineage": lineage_page, "impact": impact_page}
_OFFERS = {
    "lineage": ("application/json", "text/csv", "text/turtle", "application/n-triples"),
    "impact": ("application/json", "text/csv"),
}


@router.get("/lineage")
async def get_lineage(request: Request) -> Response:
    """`?entity=…`: upstream or downstream, ways, roots, columns, differences; as JSON, CSV or triples of its edges."""
    return await _ask("lineage", request)


@router.get("/impact")
async def get_impact(request: Request) -> Response:
    """`?entity=…`: if this was bad, what is affected, possibly affected, not affected; as JSON or CSV."""
    return await _ask("impact", request)


async def _ask(form: str, request: Request) -> Response:
    given = dict(request.query_params)
    if len(given) != len(request.query_params.multi_items()):
        raise QueryRefused("each parameter may be given once; several kinds are separated by commas")
    if any(len(value) > 10_000 for value in given.values()):
        raise QueryRefused("a parameter is longer than 10,000 characters")
    min_index = number(given, "min-index")
    given.pop("min-index", None)
    if render.wants_page(request) and (page := await _PAGES[form](service_of(request), given, min_index)):
        return page
    media_type = chosen(request.headers.get("accept"), _OFFERS[form], f"a question of {form}")
    told = await service_of(request).lineage(asked(form, given), min_index)
    tag = etag(told.index, f"{form}\n{sorted(given.items())}", media_type)
    headers = {"ETag": tag, "Provstore-Index": str(told.index), "Cache-Control": "no-cache", "Vary": "Accept"}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return _written(told, media_type, headers)


def _written(told: Told, media_type: str, headers: dict[str, str]) -> Response:
    if media_type == "application/json":
        return JSONResponse(told.json, headers=headers)
    text = told.csv() if media_type == "text/csv" else told.ntriples()
    return Response(text, media_type=media_type, headers=headers)
