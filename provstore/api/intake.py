"""Ways in: OpenLineage events, RDF documents, and JSON of every other format that is taken in."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from provstore.api.requests import ACTOR, body_of, outcome_json, receipt_json, service_of
from provstore.core import intake
from provstore.core.service import Outcome

router = APIRouter(tags=["in"])


@router.post("/api/v1/lineage", status_code=201)
async def post_lineage(request: Request) -> Response:
    """One OpenLineage event, an array of them, or one a line (NDJSON); gzip welcome.

    201 with a receipt (an array: `receipts` and `refused`), 200 where every event had been posted before.
    """
    service = service_of(request)
    media_type = request.headers.get("content-type", "application/json")
    encoding = request.headers.get("content-encoding")
    return _taken(await service.take_events(await body_of(request), media_type, encoding, ACTOR))


@router.post("/api/v1/lineage/batch")
async def post_lineage_batch(request: Request) -> Response:
    """An array of events, answered as the OpenLineage batch interface does: which of them failed, and why."""
    outcomes = await service_of(request).take_events(
        await body_of(request),
        request.headers.get("content-type", "application/json"),
        request.headers.get("content-encoding"),
        ACTOR,
    )
    failed = [
        {"index": number, "reason": str(outcome.error), "retriable": False}
        for number, outcome in enumerate(outcomes)
        if outcome.error
    ]
    summary = {
        "received": len(outcomes),
        "successful": len(outcomes) - len(failed),
        "failed": len(failed),
        "retriable": 0,
        "non_retriable": len(failed),
    }
    status = "partial_success" if failed else "success"
    return JSONResponse({"status": status, "summary": summary, "failed_events": failed})


@router.post("/records", status_code=201)
async def post_record(request: Request) -> Response:
    """One PROV document in any RDF syntax, or JSON of a known format: one object, an array, or one a line.

    RDF is Turtle, TriG, N-Triples, N-Quads, RDF/XML, JSON-LD or N3. JSON is of the format that the media type names;
    of application/json each payload is recognised. Answers are those of `POST /api/v1/lineage`.
    """
    service = service_of(request)
    media_type = request.headers.get("content-type", "")
    encoding = request.headers.get("content-encoding")
    body = await body_of(request)
    if intake.is_rdf(media_type):
        return _taken([await service.take_document(body, media_type, encoding, ACTOR)])
    return _taken(await service.take_payloads(body, media_type, encoding, ACTOR))


def _taken(outcomes: list[Outcome]) -> Response:
    if len(outcomes) == 1 and not outcomes[0].where:
        only = outcomes[0]
        if only.error:
            raise only.error
        assert only.receipt
        status = 200 if only.receipt.duplicate else 201
        location = f"/records/{only.receipt.record.rpartition('/')[2]}"
        return JSONResponse(receipt_json(only.receipt), status, {"Location": location})
    receipts = [o.receipt for o in outcomes if o.receipt]
    refused = [outcome_json(o) for o in outcomes if o.error]
    if not receipts and refused:
        body_json = {
            "type": "about:blank",
            "title": "No usable payload",
            "status": 422,
            "detail": "every payload was refused",
        }
        return JSONResponse({**body_json, "refused": refused}, 422, media_type="application/problem+json")
    status = 201 if any(not r.duplicate for r in receipts) else 200
    return JSONResponse({"receipts": [receipt_json(r) for r in receipts], "refused": refused}, status)
