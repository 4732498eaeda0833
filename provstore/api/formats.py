"""`format=` in an address: what a link can say where only a program can say Accept."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode

from fastapi.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from provstore.errors import QueryRefused

#: What `format=` names, in place of an Accept header.
FORMATS = {
    "html": "text/html",
    "json": "application/json, application/sparql-results+json;q=0.9, application/ld+json;q=0.5",
    "xml": "application/sparql-results+xml, application/rdf+xml;q=0.5",
    "csv": "text/csv",
    "tsv": "text/tab-separated-values",
    "turtle": "text/turtle",
    "nt": "application/n-triples",
    "nquads": "application/n-quads",
    "trig": "application/trig",
    "jsonld": "application/ld+json",
    "croissant": "application/vnd.provstore.croissant+json",
}


class Formats:
    """Turns `format=` of a GET into the Accept header that it stands for, so that no route has to know it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] in ("GET", "HEAD") and b"format=" in scope["query_string"]:
            given = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True, errors="surrogateescape")
            wanted = [value for name, value in given if name == "format"]
            if wanted and wanted[-1] not in FORMATS:
                refused = QueryRefused(
                    f"parameter 'format' must be one of {', '.join(FORMATS)}, got {wanted[-1][:40]!r}"
                )
                answer = JSONResponse(refused.problem(), refused.status, media_type="application/problem+json")
                await answer(scope, receive, send)
                return
            if wanted:
                scope = _accepting(scope, given, FORMATS[wanted[-1]])
        await self._app(scope, receive, send)


def _accepting(scope: Scope, given: list[tuple[str, str]], accept: str) -> Scope:
    """The request as a program would have made it."""
    left = [(name, value) for name, value in given if name != "format"]
    headers = [(name, value) for name, value in scope["headers"] if name != b"accept"]
    query = urlencode(left, errors="surrogateescape").encode()
    return {**scope, "headers": [*headers, (b"accept", accept.encode())], "query_string": query}
