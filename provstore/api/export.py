"""The evidence to take home: a package of records with all that proves them."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, Response
from starlette.background import BackgroundTask

from provstore.api.requests import service_of
from provstore.errors import QueryRefused
from provstore.export.selection import selection

router = APIRouter(tags=["prove"])


@router.get("/export")
async def get_export(request: Request) -> Response:
    """A package (ZIP) that verifies offline: `?record=…`, `lineage=…`, `query=…`, `after=…`, `before=…`, `all=true`.

    Parameters as those of `provstore export`; several selectors are united, and a time narrows them.
    """
    given = request.query_params.multi_items()
    if any(len(value) > 30_000 for _, value in given):
        raise QueryRefused("a parameter is longer than 30,000 characters")
    archive, exported = await service_of(request).export(selection(given))
    headers = {
        "ETag": f'"{exported.manifest}"',
        "Provstore-Records": str(exported.records),
        "Provstore-Entries": str(exported.entries),
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }
    name = f"provstore-{exported.records}-of-{exported.entries}-{exported.manifest[:8]}.zip"
    gone = BackgroundTask(archive.unlink, missing_ok=True)
    return FileResponse(archive, media_type="application/zip", headers=headers, filename=name, background=gone)
