"""Records and the ledger: what was received, as what, and the proof."""

from __future__ import annotations

import base64
import json

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response

from provstore.api.requests import number, receipt_json, service_of
from provstore.errors import QueryRefused
from provstore.store.query import GRAPHS, chosen

router = APIRouter(tags=["prove"])


@router.get("/records/{digest}")
async def get_record(digest: str, request: Request) -> Response:
    """A record: JSON (receipts, media type, adapter, validation) or its graph in any RDF syntax."""
    service = service_of(request)
    indices = service.record(digest)
    media_type = chosen(request.headers.get("accept"), ("application/json", *GRAPHS), "with a record")
    if media_type == "application/json":
        body = service.ledger.body(indices[0])
        return JSONResponse(
            {
                "record": body.record,
                "receipts": [receipt_json(service.ledger.receipt(i)) for i in indices],
                "mediaType": body.media_type,
                "adapter": body.adapter,
                "actor": body.actor,
                "contents": list(body.contents),
                "payload": f"/records/{digest}/payload",
                "validation": service.annotator.results(indices[0]),
            },
            headers={"Vary": "Accept"},
        )
    body = service.ledger.body(indices[0])
    quads = b"".join([body.quads, *(service.ledger.content(iri) for iri in body.contents)])
    if media_type != "application/n-quads":
        quads = await service.serialise(quads, media_type)
    return Response(quads, media_type=media_type, headers={"Vary": "Accept"})


@router.get("/records/{digest}/payload")
async def get_payload(digest: str, request: Request) -> Response:
    """The payload of a record, byte for byte as it was received."""
    service = service_of(request)
    body = service.ledger.body(service.record(digest)[0])
    headers = {"Content-Disposition": "attachment", "X-Content-Type-Options": "nosniff"}
    return Response(body.payload, media_type=body.media_type, headers=headers)


@router.get("/records/{digest}/validation")
async def get_validation(digest: str, request: Request) -> Response:
    """Per profile, whether the record conforms and what it lacks; `waiting` while nobody has looked yet."""
    service = service_of(request)
    results = service.annotator.results(service.record(digest)[0])
    return JSONResponse({"waiting": not results, "profiles": results})


@router.get("/ledger/checkpoint")
async def get_checkpoint(request: Request) -> Response:
    """The signed tree head (C2SP signed note): keep it elsewhere, and `verify --checkpoint` holds the log to it."""
    return PlainTextResponse(await service_of(request).owner.checkpoint(), headers={"Cache-Control": "no-store"})


@router.get("/ledger/key")
async def get_key(request: Request) -> Response:
    """The public key that checkpoints are signed with, as a C2SP verifier key."""
    return PlainTextResponse(service_of(request).ledger.verifier.vkey() + "\n")


@router.get("/ledger/entry/{index}")
async def get_entry(index: str, request: Request) -> Response:
    """An entry's canonical JSON, byte for byte: what its leaf hash is made from."""
    wanted = number({"index": index}, "index")
    assert wanted is not None
    return Response(service_of(request).ledger.entry(wanted), media_type="application/json")


@router.get("/ledger/proof/inclusion")
async def get_inclusion(request: Request) -> Response:
    """`?index=…&size=…` (size: now): the entry, its leaf hash, the audit path (hex) and the root of RFC 6962."""
    ledger = service_of(request).ledger
    index, size = number(request.query_params, "index"), number(request.query_params, "size")
    if index is None:
        raise QueryRefused("parameter 'index' is wanted: the ledger index of a receipt")
    size = ledger.size() if size is None else size
    proof = ledger.inclusion(index, size)
    entry = ledger.entry(index)
    return JSONResponse(
        {
            "index": index,
            "size": size,
            "entry": json.loads(entry),
            "entryBytes": base64.b64encode(entry).decode(),
            "proof": [step.hex() for step in proof],
            "root": ledger.root(size).hex(),
        }
    )


@router.get("/ledger/proof/consistency")
async def get_consistency(request: Request) -> Response:
    """`?from=…&to=…` (to: now): the proof that the log of one size begins with that of the other."""
    ledger = service_of(request).ledger
    old, new = number(request.query_params, "from"), number(request.query_params, "to")
    if old is None:
        raise QueryRefused("parameter 'from' is wanted: the size of an earlier checkpoint")
    new = ledger.size() if new is None else new
    proof = ledger.consistency(old, new)
    roots = {"oldRoot": ledger.root(old).hex(), "newRoot": ledger.root(new).hex()}
    return JSONResponse({"from": old, "to": new, "proof": [step.hex() for step in proof], **roots})
