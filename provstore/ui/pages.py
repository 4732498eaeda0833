"""The pages that are nobody's twin: the start page, the vocabulary, and what pages load."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from provstore import queries
from provstore.core.service import Service
from provstore.store.query import chosen
from provstore.ui import render
from provstore.ui.vocabulary import BASE, OFFERS, PREFIXES, serialised, vocabulary

router = APIRouter(include_in_schema=False)


@router.get("/")
async def home(request: Request) -> Response:
    """What is in the store, and what can be asked; its twin is `/health`."""
    service: Service = request.app.state.service
    return render.page(
        "home.html",
        alternates={"application/json": "/health"},
        status=200,
        store=service.status(),
        queries=list(queries.catalogue().values()),
    )


@router.get("/ns")
async def terms(request: Request) -> Response:
    """The vocabulary: a page for a browser, with an anchor for each term; else in any RDF syntax."""
    media_type = chosen(request.headers.get("accept"), OFFERS, "with the vocabulary")
    if media_type != "text/html":
        return Response(serialised(media_type), media_type=media_type, headers={"Vary": "Accept"})
    return render.page(
        "vocabulary.html",
        alternates=dict.fromkeys(OFFERS[:-1], "/ns"),
        vocabulary=vocabulary(),
        prefixes=PREFIXES,
        base=BASE,
    )


@router.get("/static/{name:path}")
async def static(name: str, request: Request) -> Response:
    """What pages load: styles, scripts, pictures."""
    return render.static(request, name)
