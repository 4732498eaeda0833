"""Payloads to a server over HTTP: `POST /records`, many at once, and what it says of each."""

from __future__ import annotations

import json
from collections.abc import Sequence
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

from provstore.record.sending import Answer, Unavailable

#: What a server says of a payload; anything else is about the server.
_REFUSALS = (400, 413, 415, 422)


class Server:
    """A `Sender` to the server at a URL; each request ends after `seconds`."""

    def __init__(self, url: str, seconds: float = 30.0) -> None:
        self._url, self._seconds = url.rstrip("/"), seconds
        self._open = build_opener(ProxyHandler({})).open  # a server is on this machine; no proxy stands between

    def __call__(self, payloads: Sequence[bytes], /) -> list[Answer]:
        body = b"[" + b",".join(payloads) + b"]"
        request = Request(f"{self._url}/records", body, {"Content-Type": "application/json"})
        try:
            with self._open(request, timeout=self._seconds) as reply:
                status, said = reply.status, reply.read()
        except HTTPError as error:
            with error:
                status, said = error.code, error.read()
        except (OSError, HTTPException, ValueError) as error:
            raise Unavailable(f"no server answers at {self._url}: {getattr(error, 'reason', error)}") from error
        answers = self._answers(status, said, len(payloads))
        if answers is None:  # the body as a whole: which of them is to blame, each for itself will show
            return [self([payload])[0] for payload in payloads]
        return answers

    def _answers(self, status: int, said: bytes, count: int) -> list[Answer] | None:
        try:
            value: dict[str, Any] = json.loads(said)
            if status in (200, 201, *_REFUSALS) and ("receipts" in value or "refused" in value):
                refused = {int(each["pointer"].split("/")[1]): str(each["detail"]) for each in value["refused"]}
                if len(value.get("receipts", ())) + len(refused) == count:
                    return [Answer(refused.get(number, "")) for number in range(count)]
            if status in _REFUSALS and "refused" not in value and value["detail"] and value["title"]:
                return [Answer(str(value["detail"]))] if count == 1 else None
            why = value.get("detail", value)
        except (ValueError, KeyError, TypeError, IndexError, AttributeError):
            why = "what answers there is not provstore"
        raise Unavailable(f"{self._url} answered {status}: {why}"[:300])
