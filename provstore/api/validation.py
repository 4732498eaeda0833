"""Validation: without storing, and of all that is stored."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from provstore.api.requests import body_of, number, service_of
from provstore.core import intake
from provstore.core.verdicts import Wanted
from provstore.errors import QueryRefused, UnsupportedMedia
from provstore.model import Location
from provstore.store.query import chosen
from provstore.ui import validation, verdicts
from provstore.validation.formats import FORMATS, Format, encoded
from provstore.validation.formats.page import style_digest

router = APIRouter(tags=["validate"])


@router.post("/validate")
async def post_validate(request: Request) -> Response:
    """What a body for `/api/v1/lineage` or `/records` would be told, and nothing is stored; `?profile=…`, repeatable.

    200 whatever the verdict: `conforms` is true, false, or null where something could not be read or judged. As JSON,
    or by Accept or `format=` in another form: Turtle, HTML, CSV, TSV, NDJSON, SARIF, JUnit XML.
    """
    form = _form(request)
    validator = service_of(request).validator
    profiles = validator.profiles(request.query_params.getlist("profile"))
    sent = request.headers.get("content-type", "application/json")
    if not intake.is_rdf(sent) and "json" not in sent.partition(";")[0].lower():
        raise UnsupportedMedia(f"OpenLineage JSON or an RDF syntax is wanted as Content-Type, got {sent[:60]!r}")
    encoding = request.headers.get("content-encoding")
    said = await validator.check_all(await body_of(request), sent, encoding, profiles)
    (*others, last) = said.verdicts
    if not others and last.error and last.where == Location():
        raise last.error
    return Response(encoded(form.write(said)), media_type=form.media_type, headers=_HEADERS)


#: The report of the HTML form may load nothing, and looks as its own style says.
_HEADERS = {
    "Vary": "Accept",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": f"default-src 'none'; style-src '{style_digest()}'; img-src data:; sandbox",
}


def _form(request: Request) -> Format:
    named = request.query_params.get("format")
    if named is not None:
        if named not in FORMATS:
            raise QueryRefused(f"parameter 'format' must be one of {', '.join(FORMATS)}, got {named[:40]!r}")
        return FORMATS[named]
    offers = {form.media_type: form for form in FORMATS.values()}
    return offers[chosen(request.headers.get("accept"), offers, "with a validation")]


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


@router.get("/validation/things")
async def get_validation_things(request: Request) -> Response:
    """Per profile how many things conform or not, by what all records say; then things, those that came last first.

    Which things: `profile`, and `state` (violating, failed, conforming), `severity` (the worst), `kind`, `rule` (the
    IRI of a shape); pages by `before` and `limit`. JSON, or a page for a browser. `index` is what they are known at.
    """
    given = request.query_params
    media_type = chosen(request.headers.get("accept"), ("application/json", "text/html"), "with the verdicts")
    before, limit = number(given, "before"), number(given, "limit")
    if limit is not None and not 1 <= limit <= verdicts.MOST:
        raise QueryRefused(f"parameter 'limit' must be 1 to {verdicts.MOST}, got {limit}")
    wanted = Wanted(
        given.get("profile", ""),
        given.get("state", ""),
        given.get("severity", ""),
        given.get("kind", ""),
        given.get("rule", ""),
        1 << 62 if before is None else before,
        limit or verdicts.SHORT,
    )
    answer = await verdicts.answer(service_of(request), wanted)
    if media_type == "text/html" and given.get("format") != "json":
        return verdicts.page(answer)
    return JSONResponse(verdicts.as_json(answer), headers={"Vary": "Accept", "Cache-Control": "no-cache"})
