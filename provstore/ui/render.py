"""Pages: templates filled in, the headers that keep scripts of strangers out, and files that pages need."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from provstore import __version__
from provstore.errors import NotFound, ProvStoreError
from provstore.store.query import chosen
from provstore.ui import names
from provstore.validation import clauses

_HERE = Path(__file__).parent
_STATIC = _HERE / "static"
#: File ending → media type of what pages may load.
_KINDS = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".md": "text/plain",
    ".txt": "text/plain",
}
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:;"
        " worker-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # with none, browsers call the origin of our own forms null
    "Cache-Control": "no-cache",
    "Vary": "Accept",
}


@cache
def templates() -> Environment:
    """The environment of all templates: everything is escaped, a name that is not there is an error."""
    made = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "href": names.href,
        "short": names.short,
        "spaced": names.spaced,
        "role": names.role,
        "number": names.number,
        "measured": names.measured,
        "when": names.when,
        "clause": clauses.known,
    }
    made.globals |= {"version": __version__, "address": names.address}
    return made


def wants_page(request: Request, others: Sequence[str] = ("application/json",)) -> bool:
    """Whether a browser asks: HTML is wanted more than what else there is (RFC 9110 §12.5.1); `*/*` is a program."""
    try:
        return chosen(request.headers.get("accept"), (*others, "text/html"), "this page") == "text/html"
    except ProvStoreError:
        return False


def page(
    template: str,
    *,
    alternates: Mapping[str, str] | None = None,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    **context: Any,
) -> HTMLResponse:
    """A template as a page.

    `alternates` are its machine-readable twins, media type → address, which the page and the header Link name.
    `context` must not hold what a client sent as Markup.
    """
    twins = dict(alternates or {})
    text = templates().get_template(template).render(alternates=twins, **context)
    links = [f'<{href}>; rel="alternate"; type="{media_type}"' for media_type, href in twins.items()]
    given = {"Link": ", ".join(links)} if links else {}
    return HTMLResponse(text, status, {**HEADERS, **given, **(headers or {})})


def problem(body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> HTMLResponse:
    """An RFC 9457 problem for a person."""
    return page("problem.html", status=body["status"], headers=headers, problem=body)


def static(request: Request, name: str) -> Response:
    """A file that pages load, with its entity tag; NotFound for any other."""
    path = (_STATIC / name).resolve()
    if not path.is_relative_to(_STATIC) or path.suffix not in _KINDS or not path.is_file():
        raise NotFound(f"no file {name!r}")
    body = path.read_bytes()
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=_KINDS[path.suffix], headers=headers)
