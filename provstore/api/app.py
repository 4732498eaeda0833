"""The application: one service behind routes, errors as RFC 9457 problems, and nothing for strangers' web pages."""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from provstore import __version__
from provstore.api import (
    catalogue,
    clauses,
    evidence,
    export,
    intake,
    lineage,
    profiles,
    records,
    search,
    service_routes,
    sparql,
    things,
    validation,
)
from provstore.api.formats import Formats
from provstore.core.service import Service
from provstore.errors import ProvStoreError
from provstore.settings import Settings
from provstore.ui import pages, render
from provstore.ui.terms import Terms

_log = logging.getLogger("provstore")


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
    app.state.terms = Terms(service)
    parts = (
        intake,
        sparql,
        catalogue,
        lineage,
        search,
        things,
        records,
        evidence,
        export,
        validation,
        profiles,
        clauses,
        service_routes,
        pages,
    )
    for part in parts:
        app.include_router(part.router)
    app.add_exception_handler(ProvStoreError, _problem)
    app.add_exception_handler(HTTPException, _http_problem)
    app.add_exception_handler(RequestValidationError, _parameter_problem)
    app.add_exception_handler(Exception, _fault)
    app.add_middleware(Formats)
    app.add_middleware(SameOrigin)
    return app


async def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, ProvStoreError)
    headers = {"Retry-After": str(error.retry_after)} if error.retry_after is not None else None
    return _told(request, error.problem(), headers)


async def _http_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    headers = dict(error.headers) if error.headers else None
    return _told(request, _body(error.status_code, error.detail, error.detail), headers)


async def _parameter_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    wrong = "; ".join(f"{'/'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
    return _told(request, _body(400, "Bad parameter", wrong))


async def _fault(request: Request, error: Exception) -> Response:
    """A mistake of ours: the trace goes to the log, not to the client."""
    _log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return _told(request, _body(500, "Internal error", "the server made a mistake; its log says more"))


def _body(status: int, title: str, detail: str) -> dict[str, object]:
    return {"type": "about:blank", "title": title, "status": status, "detail": detail}


def _told(request: Request, body: dict[str, Any], headers: dict[str, str] | None = None) -> Response:
    """A problem as a page for a browser, as JSON for everybody else."""
    if request.method in ("GET", "HEAD") and render.wants_page(request):
        return render.problem(body, headers)
    return _said(body, headers)


def _said(body: dict[str, Any], headers: dict[str, str] | None = None) -> Response:
    return JSONResponse(body, body["status"], headers, media_type="application/problem+json")


class SameOrigin:
    """Refuses what a web page elsewhere makes a browser send: a foreign Host (DNS rebinding) or Origin."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not _is_ours(scope):
            detail = "requests must come to and from this machine: Host and Origin must name localhost"
            await _said(_body(403, "Foreign origin", detail))(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _is_ours(scope: Scope) -> bool:
    for name, value in scope["headers"]:
        if name == b"host" and not _is_loopback(f"//{value.decode('latin-1')}"):
            return False
        if name == b"origin" and not _is_loopback(value.decode("latin-1")):
            return False
    return True


def _is_loopback(url: str) -> bool:
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
