"""Validation: without storing, of all that is stored, and the shapes that it goes by."""

from __future__ import annotations

from dataclasses import asdict

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from provstore.api.requests import body_of, number, service_of
from provstore.core import intake
from provstore.core.validate import overall, turtle
from provstore.errors import QueryRefused, UnsupportedMedia
from provstore.store.query import chosen
from provstore.ui import validation

router = APIRouter(tags=["validate"])


@router.post("/validate")
async def post_validate(request: Request) -> Response:
    """What a body for `/api/v1/lineage` or `/records` would be told, and nothing is stored; `?profile=…`, repeatable.

    200 whatever the verdict: `conforms` is true, false, or null where something could not be read or judged. As JSON,
    or as SHACL validation reports in Turtle.
    """
    media_type = chosen(request.headers.get("accept"), ("application/json", "text/turtle"), "with a validation")
    validator = service_of(request).validator
    profiles = validator.profiles(request.query_params.getlist("profile"))
    sent = request.headers.get("content-type", "application/json")
    if not intake.is_rdf(sent) and "json" not in sent.partition(";")[0].lower():
        raise UnsupportedMedia(f"OpenLineage JSON or an RDF syntax is wanted as Content-Type, got {sent[:60]!r}")
    encoding = request.headers.get("content-encoding")
    checked = await validator.check_all(await body_of(request), sent, encoding, profiles)
    headers = {"Vary": "Accept"}
    if len(checked) == 1 and checked[0].error and not checked[0].where:
        raise checked[0].error
    if media_type == "text/turtle":
        return Response(turtle(checked), media_type=media_type, headers=headers)
    said = {"conforms": overall(checked), "profiles": profiles, "payloads": [each.json() for each in checked]}
    return JSONResponse(said, headers=headers)


@router.get("/shapes")
async def get_shapes(request: Request) -> Response:
    """Every validation profile: what it is about, whether it annotates, rejects or is off, and its rules."""
    service = service_of(request)
    modes = service.profiles.modes
    found = [await service.validator.described(each.token) for each in service.profiles.registry.newest()]
    return JSONResponse([{**asdict(each), "mode": modes.get(each.token, "off")} for each in found])


@router.get("/shapes/{profile}")
async def get_profile(profile: str, request: Request) -> Response:
    """A profile's SHACL shapes as Turtle."""
    return Response(service_of(request).profiles.registry.find(profile).read(), media_type="text/turtle")


@router.get("/validation")
async def get_validation(request: Request) -> Response:
    """Per profile how many records conform, violate, failed, wait, and the rules violated; then records, newest first.

    Which records: `profile`, and `state` (violating, failed, conforming) or `rule` (the IRI of a shape); pages by
    `before` and `limit`. JSON, or a page for a browser.
    """
    given = request.query_params
    media_type = chosen(request.headers.get("accept"), ("application/json", "text/html"), "with the validation results")
    before, limit = number(given, "before"), number(given, "limit")
    if limit is not None and not 1 <= limit <= validation.MOST:
        raise QueryRefused(f"parameter 'limit' must be 1 to {validation.MOST}, got {limit}")
    asked = validation.Asked(
        given.get("profile", ""), given.get("state", ""), given.get("rule", ""), before, limit or validation.SHORT
    )
    answer = validation.answer(service_of(request), asked)
    if media_type == "text/html":
        return validation.page(answer)
    return JSONResponse(validation.as_json(answer), headers={"Vary": "Accept", "Cache-Control": "no-cache"})
