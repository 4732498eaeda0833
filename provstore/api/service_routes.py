"""How the server is doing."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response

from provstore import __version__
from provstore.api.requests import service_of

router = APIRouter(tags=["operate"])


@router.get("/health")
async def get_health(request: Request) -> Response:
    """Sizes, how far the views are, and what waits for validation."""
    return JSONResponse({"version": __version__, **service_of(request).status()})


@router.get("/metrics")
async def get_metrics(request: Request) -> Response:
    """The same numbers in the Prometheus text format."""
    status = service_of(request).status()
    validation = status["validation"]
    values = {
        "provstore_ledger_entries": status["entries"],
        "provstore_views_applied_index": status["applied"],
        "provstore_validation_waiting": validation["waiting"],
        "provstore_validation_conforming": validation["conforming"],
        "provstore_validation_violating": validation["violating"],
        "provstore_validation_failed": validation["failed"],
    }
    lines = [f"# TYPE {name} gauge\n{name} {value}\n" for name, value in values.items()]
    return PlainTextResponse("".join(lines), media_type="text/plain; version=0.0.4")
