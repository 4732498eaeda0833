"""Reading requests and writing answers, alike for every route."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import FileResponse, Response
from starlette.background import BackgroundTask

from provstore.core.service import Outcome, Service
from provstore.errors import QueryRefused, TooLarge
from provstore.model import Receipt
from provstore.store.query import GRAPHS, RESULTS, Answer

#: Who sends, while there is no access control: everybody on this machine is the same actor.
ACTOR = "local"
#: What the answer of a query may be written in.
ANSWERS = (*RESULTS, *GRAPHS)


def service_of(request: Request) -> Service:
    found: Service = request.app.state.service
    return found


async def body_of(request: Request) -> bytes:
    """The whole body; TooLarge as soon as it passes the limit."""
    limit = service_of(request).settings.max_body_bytes
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > limit:
            raise TooLarge(f"the body is larger than {limit} bytes: send it in parts")
        parts.append(part)
    return b"".join(parts)


def number(given: Mapping[str, str], name: str) -> int | None:
    """A parameter that is a non-negative integer; QueryRefused where it is none."""
    text = given.get(name)
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise QueryRefused(f"parameter {name!r} must be a non-negative integer, got {text[:40]!r}")
    return int(text)


def receipt_json(receipt: Receipt) -> dict[str, Any]:
    digest = receipt.record.rpartition("/")[2]
    out: dict[str, Any] = {
        "record": receipt.record,
        "index": receipt.index,
        "leafHash": receipt.leaf_hash,
        "received": receipt.received,
        "duplicate": receipt.duplicate,
        "proof": f"/ledger/proof/inclusion?index={receipt.index}",
        "validation": f"/records/{digest}/validation",
    }
    if receipt.liberties:
        out["liberties"] = [{"pointer": each.pointer, "message": each.message} for each in receipt.liberties]
    return out


def outcome_json(outcome: Outcome) -> dict[str, Any]:
    if outcome.receipt:
        return receipt_json(outcome.receipt)
    return {**outcome.where, **(outcome.error.problem() if outcome.error else {})}


def answer_response(request: Request, answer: Answer, query: str) -> Response:
    """A query's answer with its entity tag: the same index, verdicts, query and media type give the same bytes."""
    tag = etag(answer.index, f"{answer.restated}\n{query}", answer.media_type)
    headers = {"ETag": tag, "Provstore-Index": str(answer.index), "Cache-Control": "no-cache", "Vary": "Accept"}
    path: Path | None = answer.path
    if tag in request.headers.get("if-none-match", ""):
        if path:
            path.unlink()
        return Response(status_code=304, headers=headers)
    if path:
        return FileResponse(path, media_type=answer.media_type, headers=headers, background=BackgroundTask(path.unlink))
    return Response(answer.body, media_type=answer.media_type, headers=headers)


def etag(index: int, query: str, media_type: str) -> str:
    digest = hashlib.sha256(f"{index}\n{media_type}\n{query}".encode(errors="surrogatepass")).hexdigest()
    return f'"{digest[:32]}"'
