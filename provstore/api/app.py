"""The application: one service behind routes, errors as RFC 9457 problems, and nothing for strangers' web pages."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from provstore import __version__
from provstore.api import catalogue, evidence, intake, service_routes, sparql
from provstore.core.service import Service
from provstore.errors import ProvStoreError
from provstore.settings import Settings
from provstore.ui import pages

_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


def create_app(settings: Settings) -> FastAPI:
    """The application for a data directory; it starts and ends the store with its own life."""
    service = Service(settings)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await service.start()
        yield
        await service.close()

    app = FastAPI(title="provstore", version=__version__, lifespan=lifespan, docs_url=None, redoc_url=None)
    app.state.service = service
    for part in (intake, sparql, catalogue, evidence, service_routes, pages):
        app.include_router(part.router)
    app.add_exception_handler(ProvStoreError, _problem)
    app.add_exception_handler(HTTPException, _http_problem)
    app.add_middleware(SameOrigin)
    return app


async def _problem(_: Request, error: Exception) -> Response:
    assert isinstance(error, ProvStoreError)
    headers = {"Retry-After": str(error.retry_after)} if error.retry_after is not None else None
    return JSONResponse(error.problem(), error.status, headers, media_type="application/problem+json")


async def _http_problem(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    body = {"type": "about:blank", "title": error.detail, "status": error.status_code, "detail": error.detail}
    return JSONResponse(body, error.status_code, error.headers, media_type="application/problem+json")


class SameOrigin:
    """Refuses what a web page elsewhere makes a browser send: a foreign Host (DNS rebinding) or Origin."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not _is_ours(scope):
            detail = "requests must come to and from this machine: Host and Origin must name localhost"
            body = {"type": "about:blank", "title": "Foreign origin", "status": 403, "detail": detail}
            await JSONResponse(body, 403, media_type="application/problem+json")(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _is_ours(scope: Scope) -> bool:
    for name, value in scope["headers"]:
        if name == b"host" and _hostname(f"//{value.decode('latin-1')}") not in _LOOPBACK:
            return False
        if name == b"origin" and _hostname(value.decode("latin-1")) not in _LOOPBACK:
            return False
    return True


def _hostname(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None
