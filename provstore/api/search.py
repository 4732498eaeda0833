"""Full-text search over what has a name."""

from __future__ import annotations

from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from provstore import search
from provstore.api.requests import etag, number, service_of
from provstore.ui import render
from provstore.ui import search as pages

router = APIRouter(tags=["ask"])


@router.get("/search")
async def get_search(request: Request) -> Response:
    """`?q=…`, filters `kind`, `namespace`, `owner`, `tag`, `incomplete` (repeatable), `limit`, `cursor`, `min-index`.

    Total, facets, results with their matches marked, and the link to the next page.
    """
    given = request.query_params
    limit = number(given, "limit")
    asked = search.Request(
        given.get("q", ""),
        {name: tuple(given.getlist(name)) for name in search.FILTERS},
        20 if limit is None else limit,
        given.get("cursor", ""),
    )
    min_index = number(given, "min-index")
    if render.wants_page(request):
        return await pages.page(service_of(request), asked, min_index, given)
    found = await service_of(request).search(asked, min_index)
    tag = etag(found.index, f"{asked!r} {found.judged}", "application/json")
    headers = {"ETag": tag, "Provstore-Index": str(found.index), "Cache-Control": "no-cache", "Vary": "Accept"}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    body = search.as_json(found)
    if found.cursor:
        kept = [(name, value) for name, value in given.multi_items() if name not in ("cursor", "min-index")]
        body["next"] = f"/search?{urlencode([*kept, ('cursor', found.cursor)], errors='replace')}"
        headers["Link"] = f'<{body["next"]}>; rel="next"'
    return JSONResponse(body, headers=headers)
