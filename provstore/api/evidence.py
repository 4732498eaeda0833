"""The ledger: its entries, its checkpoint, its key, its proofs."""

from __future__ import annotations

import base64
import json

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response

from provstore.api.requests import number, service_of
from provstore.errors import QueryRefused
from provstore.store.query import chosen
from provstore.ui import ledger

router = APIRouter(tags=["prove"])


@router.get("/ledger")
async def get_ledger(request: Request) -> Response:
    """The log's size, root, checkpoint and key, and its entries, the newest first: JSON, or a page for a browser.

    Pages by `before` (an index) and `limit`.
    """
    media_type = chosen(request.headers.get("accept"), ("application/json", "text/html"), "with the ledger")
    given = request.query_params
    answer = await ledger.answer(service_of(request), number(given, "before"), number(given, "limit"))
    if media_type == "text/html":
        return ledger.page(answer)
    return JSONResponse(ledger.as_json(answer), headers={"Vary": "Accept", "Cache-Control": "no-cache"})


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
    log = service_of(request).ledger
    index, size = number(request.query_params, "index"), number(request.query_params, "size")
    if index is None:
        raise QueryRefused("parameter 'index' is wanted: the ledger index of a receipt")
    size = log.size() if size is None else size
    proof = log.inclusion(index, size)
    entry = log.entry(index)
    return JSONResponse(
        {
            "index": index,
            "size": size,
            "entry": json.loads(entry),
            "entryBytes": base64.b64encode(entry).decode(),
            "proof": [step.hex() for step in proof],
            "root": log.root(size).hex(),
        }
    )


@router.get("/ledger/proof/consistency")
async def get_consistency(request: Request) -> Response:
    """`?from=…&to=…` (to: now): the proof that the log of one size begins with that of the other."""
    log = service_of(request).ledger
    old, new = number(request.query_params, "from"), number(request.query_params, "to")
    if old is None:
        raise QueryRefused("parameter 'from' is wanted: the size of an earlier checkpoint")
    new = log.size() if new is None else new
    proof = log.consistency(old, new)
    roots = {"oldRoot": log.root(old).hex(), "newRoot": log.root(new).hex()}
    return JSONResponse({"from": old, "to": new, "proof": [step.hex() for step in proof], **roots})
