"""MLflow's webhooks: what was signed with the shared secret, recently and not before, is believed; nothing else is."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from provstore.errors import InvalidInput, ProvStoreError, Refused, TooLarge

#: How old, or how far ahead, a delivery's timestamp may be, in seconds.
MAX_AGE: Final = 300
_MAX_BYTES: Final = 1 << 20
_REMEMBERED: Final = 100_000
_SECONDS = re.compile(r"[0-9]{1,12}\Z")
_PATIENCE: Final = 10  # seconds for which a sender may keep a connection silent


@dataclass(frozen=True, slots=True)
class Delivery:
    """One webhook that was believed: what happened to what, when by MLflow's clock (as it writes it), and details."""

    identifier: str
    entity: str
    action: str
    timestamp: str
    data: dict[str, Any]


@dataclass(slots=True)
class Gate:
    """Lets in what the secret signed; `deliveries` are those that were let in, so that none is let in twice."""

    secret: str
    deliveries: OrderedDict[str, None] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def admit(self, headers: Mapping[str, str], body: bytes, now: float) -> Delivery:
        """The delivery in a request; Refused (401: signature or age, 409: it was there before) or InvalidInput.

        MLflow signs `{delivery id}.{timestamp}.{body}` by HMAC-SHA-256 and sends `v1,` and its base64.
        """
        sent = {name.lower(): value for name, value in headers.items()}
        identifier, timestamp, given = (
            sent.get(f"x-mlflow-{name}", "") for name in ("delivery-id", "timestamp", "signature")
        )
        signed = f"{identifier}.{timestamp}.".encode(errors="surrogateescape") + body
        expected = b"v1," + base64.b64encode(hmac.digest(self.secret.encode(), signed, hashlib.sha256))
        if not identifier or not hmac.compare_digest(expected, given.encode(errors="surrogateescape")):
            raise Refused("the signature is not that of the secret which this listener knows", 401)
        if not _SECONDS.match(timestamp) or abs(now - int(timestamp)) > MAX_AGE:
            raise Refused(f"the timestamp is more than {MAX_AGE} s from MLflow's clock", 401)
        delivery = _read(identifier, body)
        with self._lock:
            if identifier in self.deliveries:
                raise Refused(f"the delivery {identifier[:60]!r} came before", 409)
            self.deliveries[identifier] = None
            while len(self.deliveries) > _REMEMBERED:
                self.deliveries.popitem(last=False)
        return delivery

    def forget(self, delivery: Delivery) -> None:
        """Let a delivery in once more: what was to be done with it could not be done."""
        with self._lock:
            self.deliveries.pop(delivery.identifier, None)


def _read(identifier: str, body: bytes) -> Delivery:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"the body is not JSON: {error}") from error
    if not isinstance(said, dict) or not isinstance(said.get("data"), dict):
        raise InvalidInput("a webhook is an object with 'entity', 'action', 'timestamp' and an object 'data'")
    entity, action, at = (str(said.get(name) or "") for name in ("entity", "action", "timestamp"))
    if not (entity and action and at):
        raise InvalidInput("'entity', 'action' and 'timestamp' of a webhook must be strings")
    return Delivery(identifier, entity, action, at, said["data"])


class Listener:
    """An HTTP server, on a thread of its own, that answers a delivery once `take` has done with it.

    `clock` is MLflow's, in seconds since 1970: by it a delivery is old or not.
    """

    def __init__(
        self,
        host: str,
        port: int,
        gate: Gate,
        take: Callable[[Delivery], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        own = {"gate": gate, "take": staticmethod(take), "clock": staticmethod(clock)}
        handler = type("Handler", (_Handler,), own)
        self._server = ThreadingHTTPServer((host, port), handler)
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, name="webhooks", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    gate: Gate
    take: Callable[[Delivery], None]
    clock: Callable[[], float]
    timeout = _PATIENCE
    server_version, sys_version = "provstore", ""

    def do_POST(self) -> None:
        try:
            delivery = self.gate.admit(dict(self.headers), self._body(), self.clock())
        except ProvStoreError as error:
            self._say(error.status, error.detail)
            return
        try:
            self.take(delivery)
        except ProvStoreError as error:  # MLflow tries again
            self.gate.forget(delivery)
            self._say(503, error.detail)
            return
        self._say(200, "recorded")

    def _body(self) -> bytes:
        length = self.headers.get("Content-Length") or ""
        if not length.isascii() or not length.isdigit():
            raise InvalidInput("a webhook says its Content-Length")
        if int(length) > _MAX_BYTES:
            raise TooLarge(f"a webhook has at most {_MAX_BYTES} bytes, got {length[:20]}")
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            raise InvalidInput("the webhook was cut off")
        return body

    def _say(self, status: int, text: str) -> None:
        body = json.dumps({"status": status, "detail": text}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: what is refused is told to who sent it."""
