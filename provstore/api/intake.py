"""Ways in: OpenLineage events and RDF documents."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from provstore.api.requests import ACTOR, body_of, outcome_json, receipt_json, service_of
from provstore.errors import UnsupportedMedia

router = APIRouter(tags=["in"])


@router.post("/api/v1/lineage", status_code=201)
async def post_lineage(request: Request) -> Response:
    """One OpenLineage event, an array of them, or one a line (NDJSON); gzip welcome.

    201 with a receipt (an array: `receipts` and `refused`), 200 where every event had been posted before.
    """
    return await _events(request)


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
    """One PROV document in any RDF syntax (Turtle, TriG, N-Triples, N-Quads, RDF/XML, JSON-LD, N3)."""
    media_type = request.headers.get("content-type", "")
    if media_type.partition(";")[0].strip().lower() == "application/json":
        raise UnsupportedMedia("OpenLineage events go to /api/v1/lineage; this route takes RDF")
    encoding = request.headers.get("content-encoding")
    outcome = await service_of(request).take_document(await body_of(request), media_type, encoding, ACTOR)
    if outcome.error:
        raise outcome.error
    assert outcome.receipt
    status = 200 if outcome.receipt.duplicate else 201
    location = f"/records/{outcome.receipt.record.rpartition('/')[2]}"
    return JSONResponse(receipt_json(outcome.receipt), status, {"Location": location})


async def _events(request: Request) -> Response:
    media_type = request.headers.get("content-type", "application/json")
    encoding = request.headers.get("content-encoding")
    body = await body_of(request)
    outcomes = await service_of(request).take_events(body, media_type, encoding, ACTOR)
    if len(outcomes) == 1 and not outcomes[0].where:
        only = outcomes[0]
        if only.error:
            raise only.error
        assert only.receipt
        return JSONResponse(receipt_json(only.receipt), 200 if only.receipt.duplicate else 201)
    receipts = [o.receipt for o in outcomes if o.receipt]
    refused = [outcome_json(o) for o in outcomes if o.error]
    if not receipts and refused:
        body_json = {
            "type": "about:blank",
            "title": "No usable event",
            "status": 422,
            "detail": "every event was refused",
        }
        return JSONResponse({**body_json, "refused": refused}, 422, media_type="application/problem+json")
    status = 201 if any(not r.duplicate for r in receipts) else 200
    return JSONResponse({"receipts": [receipt_json(r) for r in receipts], "refused": refused}, status)
