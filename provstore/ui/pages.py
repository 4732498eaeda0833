"""The pages that are nobody's twin: the start page, the vocabulary, and what pages load."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from provstore.store.query import chosen
from provstore.ui import home, render
from provstore.ui.vocabulary import BASE, OFFERS, PREFIXES, serialised, vocabulary

router = APIRouter(include_in_schema=False)


@router.get("/")
async def start(request: Request) -> Response:
    """What is in the store, and what can be asked; its twin is `/health`."""
    return await home.page(request)


@router.get("/sparql/terms")
async def get_terms(request: Request) -> Response:
    """Prefixes, classes and properties for an editor to complete: of the vocabularies, and in use."""
    return JSONResponse(await request.app.state.terms.all())


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
