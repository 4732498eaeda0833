"""The pages: server-rendered, readable without scripts, each with its machine-readable twin."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from provstore import __version__, queries
from provstore.core.service import Service
from provstore.store.query import chosen
from provstore.ui.vocabulary import BASE, OFFERS, PREFIXES, serialised, vocabulary

router = APIRouter(include_in_schema=False)
_HERE = Path(__file__).parent
_TEMPLATES = Environment(loader=FileSystemLoader(_HERE / "templates"), autoescape=True, undefined=StrictUndefined)
_STYLE = (_HERE / "static" / "style.css").read_text()
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


@router.get("/")
async def home(request: Request) -> Response:
    """What is in the store, and what can be asked; its twin is `/health`."""
    service: Service = request.app.state.service
    page = _TEMPLATES.get_template("home.html").render(
        version=__version__, status=service.status(), queries=list(queries.catalogue().values())
    )
    return HTMLResponse(page, headers={**_HEADERS, "Link": '</health>; rel="alternate"; type="application/json"'})


@router.get("/ns")
async def terms(request: Request) -> Response:
    """The vocabulary: a page for a browser, with an anchor for each term; else in any RDF syntax."""
    media_type = chosen(request.headers.get("accept"), OFFERS, "with the vocabulary")
    if media_type != "text/html":
        return Response(serialised(media_type), media_type=media_type, headers={"Vary": "Accept"})
    page = _TEMPLATES.get_template("vocabulary.html").render(
        version=__version__, vocabulary=vocabulary(), prefixes=PREFIXES, base=BASE, media_types=OFFERS[:-1]
    )
    links = ", ".join(f'</ns>; rel="alternate"; type="{each}"' for each in OFFERS[:-1])
    return HTMLResponse(page, headers={**_HEADERS, "Vary": "Accept", "Link": links})


@router.get("/static/style.css")
async def style() -> Response:
    return Response(_STYLE, media_type="text/css", headers={"Cache-Control": "max-age=3600"})
