"""The clauses that rules come from: law by law as data, as RDF, and as a page that says what no rule checks."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from provstore.api.requests import service_of
from provstore.core.service import Service
from provstore.errors import NotFound
from provstore.store.query import GRAPHS, chosen
from provstore.ui import clauses as pages
from provstore.ui import render
from provstore.validation.clauses import Clause, Law, laws, of_law

router = APIRouter(tags=["validate"])
_HEADERS = {"Vary": "Accept", "Cache-Control": "no-cache"}


@router.get("/clauses")
async def get_laws(request: Request) -> Response:
    """Every law, standard and guidance that a profile cites: where its text stands, from when it applies, how many of
    its clauses are told and how many of them a rule checks.
    """
    told = [pages.Listed(law, of_law(law)) for law in laws().values()]
    if render.wants_page(request):
        return pages.catalogue(told)
    return JSONResponse([_law(each) for each in told], headers=_HEADERS)


@router.get("/clauses/{law}")
async def get_law(law: str, request: Request) -> Response:
    """The clauses of a law, in our own words: what each asks, where its text stands, how it was established, and the
    rules that check it or why none does. As JSON, RDF or a page.
    """
    service, found = service_of(request), laws().get(law)
    if found is None:
        raise NotFound(f"no clauses of {law[:60]!r}: there are {', '.join(laws())}")
    offers = ("application/json", *GRAPHS, "text/html")
    media_type = chosen(request.headers.get("accept"), offers, "with clauses")
    if media_type in GRAPHS:
        body = found.read()
        if media_type != "text/turtle":
            body = await service.converted(body, found.iri, media_type)
        return Response(body, media_type=media_type, headers=_HEADERS)
    citing, listed = await _citing(service), pages.Listed(found, of_law(found))
    if media_type == "text/html":
        return pages.page(listed, citing)
    clauses = [_clause(each, citing) for each in listed.clauses]
    return JSONResponse({**_law(listed), "clauses": clauses}, headers=_HEADERS)


async def _citing(service: Service) -> dict[str, list[pages.Citing]]:
    newest = service.profiles.registry.newest()
    return pages.citing([await service.validator.described(version.token) for version in newest])


def _law(listed: pages.Listed) -> dict[str, Any]:
    law: Law = listed.law
    return {
        **asdict(law),
        "applies": [{"from": day, "what": what} for day, what in law.applies],
        "told": len(listed.clauses),
        "checked": len(listed.checked),
        "href": f"/clauses/{law.key}",
    }


def _clause(clause: Clause, citing: dict[str, list[pages.Citing]]) -> dict[str, Any]:
    said = asdict(clause)
    del said["law"]
    return {**said, "rules": [asdict(each) for each in citing.get(clause.iri, ())]}
