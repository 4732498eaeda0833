"""Records: what was received, as a page, as JSON, as RDF; and all that a proof of one needs."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from provstore import iris
from provstore.api.requests import number, receipt_json, service_of
from provstore.core import signatures
from provstore.core.service import Service
from provstore.errors import NotFound
from provstore.export.verify import Signatures
from provstore.ledger.log import Body
from provstore.store.query import GRAPHS, chosen
from provstore.ui import records

router = APIRouter(tags=["prove"])
_OFFERS = ("application/json", *GRAPHS, "text/html")


@router.get("/records/{digest}")
async def get_record(digest: str, request: Request) -> Response:
    """A record: JSON (receipts, media type, adapter, validation), its graph in any RDF syntax, or a page.

    Of an in-toto statement the JSON tells, as `signed`, whether a key that the server trusts signed it.

    `index` names one of the entries that hold the record: the same statements may have been sent several times, in
    other bytes.
    """
    service = service_of(request)
    media_type = chosen(request.headers.get("accept"), _OFFERS, "with a record")
    index = _index(service, digest, request)
    if media_type == "text/html":
        return await records.page(service, digest, index, request.query_params)
    body = service.ledger.body(index)
    if media_type == "application/json":
        signed = await asyncio.to_thread(signatures.signed, body, service.trusted_keys)
        said = {**_described(service, digest, body), **_signed(signed)}
        return JSONResponse(said, headers={"Vary": "Accept"})
    quads = service.ledger.whole(body)
    if media_type != "application/n-quads":
        quads = await service.serialise(quads, media_type)
    return Response(quads, media_type=media_type, headers={"Vary": "Accept"})


def _index(service: Service, digest: str, request: Request) -> int:
    """The ledger index that is meant: `index` of the query, or the first that holds the record."""
    indices = service.record(digest)
    index = number(request.query_params, "index")
    if index is None:
        return indices[0]
    if index not in indices:
        raise NotFound(f"entry {index} does not hold the record {digest}; it is in {', '.join(map(str, indices))}")
    return index


def _described(service: Service, digest: str, body: Body) -> dict[str, Any]:
    indices = service.record(digest)
    return {
        "record": body.record,
        "receipts": [receipt_json(service.ledger.receipt(i)) for i in indices],
        "mediaType": body.media_type,
        "adapter": body.adapter,
        "actor": body.actor,
        "contents": list(body.contents),
        "payload": f"/records/{digest}/payload",
        "evidence": f"/records/{digest}/proof",
        "validation": service.annotator.results(indices[0]),
    }


def _signed(held: Signatures | None) -> dict[str, Any]:
    """Of a statement, whether a key that the server trusts signed it; nothing of any other record."""
    if held is None:
        return {}
    found = [
        {
            "pointer": each.pointer,
            "keyid": each.keyid,
            "key": {"name": each.by.name, "sha256": each.by.digest} if each.by else None,
            "why": each.why,
        }
        for each in held.all
    ]
    return {"signed": {"verdict": held.verdict, "signatures": found}}


@router.get("/records/{digest}/payload")
async def get_payload(digest: str, request: Request) -> Response:
    """The payload of a record, byte for byte as it is kept; `index` as for the record."""
    service = service_of(request)
    body = service.ledger.body(_index(service, digest, request))
    headers = {"Content-Disposition": "attachment", "X-Content-Type-Options": "nosniff"}
    return Response(body.payload, media_type=body.media_type, headers=headers)


@router.get("/records/{digest}/validation")
async def get_validation(digest: str, request: Request) -> Response:
    """Per profile, whether the record conforms and what it lacks; `waiting` while nobody has looked yet."""
    service = service_of(request)
    results = service.annotator.results(_index(service, digest, request))
    return JSONResponse({"waiting": not results, "profiles": results})


@router.get("/records/{digest}/proof")
async def get_proof(digest: str, request: Request) -> Response:
    """All that a proof of a record needs beside its payload and its N-Quads; `index` as for the record.

    The entry (base64), the salts of its commitments (hex), how many bytes of the N-Quads are the record's own, a signed
    checkpoint, the audit paths (hex) of this entry and of the first one to its root, and the log's key.
    """
    service = service_of(request)
    index = _index(service, digest, request)
    body, opening = service.ledger.body(index), service.ledger.opening(index)
    note = await service.owner.checkpoint()
    size = service.ledger.verifier.open(note).size
    actor = opening.actor
    said = {
        "record": body.record,
        "placeholder": iris.PLACEHOLDER,
        **_included(service, index, size),
        "size": size,
        "payload": {"salt": opening.payload.hex(), "href": f"/records/{digest}/payload?index={index}"},
        "quads": {
            "salt": opening.quads.hex(),
            "own": len(body.quads),
            "href": f"/records/{digest}?format=nquads&index={index}",
        },
        "actor": {"name": actor[0], "salt": actor[1].hex()} if actor else None,
        "checkpoint": note,
        "key": service.ledger.verifier.vkey(),
        "genesis": _included(service, 0, size),
    }
    return JSONResponse(said, headers={"Cache-Control": "no-store"})


def _included(service: Service, index: int, size: int) -> dict[str, Any]:
    """An entry and its audit path in the tree of a size."""
    ledger = service.ledger
    entry = base64.b64encode(ledger.entry(index)).decode()
    return {"index": index, "entry": entry, "path": [step.hex() for step in ledger.inclusion(index, size)]}
