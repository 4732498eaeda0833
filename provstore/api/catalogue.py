"""Canned queries: the catalogue and their answers."""

from __future__ import annotations

from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from provstore import queries
from provstore.api.requests import ANSWERS, answer_response, body_of, number, service_of
from provstore.errors import QueryRefused
from provstore.ui import questions, render

router = APIRouter(tags=["ask"])


@router.get("/queries")
async def get_queries(request: Request) -> Response:
    """Every canned query with its summary and typed parameters."""
    if render.wants_page(request):
        return questions.catalogue()
    return JSONResponse([queries.describe(query) for query in queries.catalogue().values()])


@router.get("/queries/{topic}/{name}")
async def get_query(topic: str, name: str, request: Request) -> Response:
    """The answer to a canned query; parameters in the query string."""
    given = dict(request.query_params)
    if render.wants_page(request, ANSWERS):
        min_index = number(given, "min-index")
        given.pop("min-index", None)
        _short(given)
        return await questions.question(service_of(request), f"{topic}/{name}", given, min_index)
    return await _answer(f"{topic}/{name}", given, request)


@router.post("/queries/{topic}/{name}")
async def post_query(topic: str, name: str, request: Request) -> Response:
    """The answer to a canned query; parameters as a form."""
    text = (await body_of(request)).decode(errors="replace")
    given = {k: v[0] for k, v in parse_qs(text, keep_blank_values=True, max_num_fields=100).items()}
    return await _answer(f"{topic}/{name}", {**dict(request.query_params), **given}, request)


async def _answer(name: str, values: dict[str, str], request: Request) -> Response:
    min_index = number(values, "min-index")
    values.pop("min-index", None)
    _short(values)
    answer = await service_of(request).canned(name, values, request.headers.get("accept"), min_index)
    return answer_response(request, answer, f"{name}\n{sorted(values.items())}")


def _short(values: dict[str, str]) -> None:
    if any(len(value) > 10_000 for value in values.values()):
        raise QueryRefused("a parameter is longer than 10,000 characters")
