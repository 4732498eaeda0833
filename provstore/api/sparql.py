"""The SPARQL 1.1 Protocol's query operation, over snapshots."""

from __future__ import annotations

from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from fastapi.responses import Response

from provstore.api.requests import ANSWERS, answer_response, body_of, number, service_of
from provstore.errors import QueryRefused, UnsupportedMedia
from provstore.ui import render
from provstore.ui import sparql as pages
from provstore.ui.sparql import Asked

router = APIRouter(tags=["ask"])


@router.get("/sparql")
async def get_sparql(request: Request) -> Response:
    """`?query=…`; also `default-graph-uri`, `named-graph-uri`, `min-index` (a receipt's index), `timeout` (seconds)."""
    given = {name: request.query_params.getlist(name) for name in request.query_params}
    if "query" not in given and render.wants_page(request, ANSWERS):
        return pages.editor(service_of(request), request.query_params.get("example", ""))
    return await _ask(request, given)


@router.post("/sparql")
async def post_sparql(request: Request) -> Response:
    """The query as a form (`application/x-www-form-urlencoded`) or as the body (`application/sparql-query`)."""
    given = {name: request.query_params.getlist(name) for name in request.query_params}
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        text = (await body_of(request)).decode()
    except UnicodeDecodeError as error:
        raise QueryRefused("the query is not UTF-8") from error
    if media_type == "application/sparql-query":
        given.setdefault("query", []).append(text)
    elif media_type == "application/x-www-form-urlencoded":
        for name, values in parse_qs(text, keep_blank_values=True, max_num_fields=1000).items():
            given.setdefault(name, []).extend(values)
    else:
        raise UnsupportedMedia("a query comes as application/sparql-query or application/x-www-form-urlencoded")
    return await _ask(request, given)


async def _ask(request: Request, given: dict[str, list[str]]) -> Response:
    found = given.get("query", [])
    if len(found) != 1:
        raise QueryRefused(f"exactly one parameter 'query' is wanted, got {len(found)}")
    asked = Asked(
        found[0],
        min_index=number({name: values[0] for name, values in given.items() if values}, "min-index"),
        timeout=_seconds(given.get("timeout", [])),
        default_graphs=tuple(given.get("default-graph-uri", [])),
        named_graphs=tuple(given.get("named-graph-uri", [])),
    )
    if render.wants_page(request, ANSWERS):
        return await pages.answered(service_of(request), asked)
    answer = await service_of(request).sparql(
        asked.query,
        request.headers.get("accept"),
        min_index=asked.min_index,
        timeout=asked.timeout,
        default_graphs=asked.default_graphs,
        named_graphs=asked.named_graphs,
    )
    return answer_response(request, answer, f"{asked.default_graphs}\n{asked.named_graphs}\n{asked.query}")


def _seconds(values: list[str]) -> float | None:
    if not values:
        return None
    try:
        seconds = float(values[0])
    except ValueError:
        seconds = -1.0
    if not 0 < seconds < float("inf"):
        raise QueryRefused(f"parameter 'timeout' must be a number of seconds, got {values[0][:40]!r}")
    return seconds
