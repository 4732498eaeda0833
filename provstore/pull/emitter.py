"""What a puller has seen on its way to the store: each state once, a changed one in place of the one before it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from provstore.capture.redaction import cleaned
from provstore.pull.sink import Live, Sink

#: How many payloads, and how many bytes, are committed together.
_GROUP: Final = 128
_GROUP_BYTES: Final = 1 << 20

Object = dict[str, Any]
Named = Callable[[Object], tuple[str, str]]


@dataclass(slots=True)
class Counts:
    """What was sent: states that were new, states that had changed, and those that the store refused."""

    new: int = 0
    changed: int = 0
    refused: int = 0


class Emitter:
    """Sends what is offered unless the store has it; `named` gives the key and the digest of a payload's state.

    What the store holds is looked up once, at the start; from then on this is who knows it, so that one puller at a
    time goes to one store. May be used by several threads. Nothing is remembered elsewhere: after a crash, what was
    committed is found in the store, and the rest is offered again.
    """

    def __init__(self, sink: Sink, prefix: str, named: Named, tell: Callable[[str], None]) -> None:
        self._sink, self._named, self._tell = sink, named, tell
        self.known: dict[str, Live] = sink.known(prefix)
        self.counts = Counts()
        self._refused: dict[str, str] = {}
        self._pending: dict[str, tuple[str, bytes]] = {}
        self._bytes = 0
        self._lock = threading.RLock()

    def offer(self, payload: Object) -> bool:
        """Take a state; whether it is news. Secrets are taken out of it first."""
        payload = cleaned(payload)
        key, digest = self._named(payload)
        with self._lock:
            if key in self._pending:
                self.flush()
            live = self.known.get(key)
            if (live and live.digest == digest) or self._refused.get(key) == digest:
                return False
            if live:
                payload = {**payload, "supersedes": live.record}
            body = json.dumps(payload, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
            self._pending[key] = digest, body
            self._bytes += len(body)
            if len(self._pending) >= _GROUP or self._bytes >= _GROUP_BYTES:
                self.flush()
        return True

    def flush(self) -> None:
        """Commit what was taken; it stays pending where the store cannot take it now."""
        with self._lock:
            if not self._pending:
                return
            outcomes = self._sink.send([body for _, body in self._pending.values()])
            for (key, (digest, _)), outcome in zip(self._pending.items(), outcomes, strict=True):
                if outcome.refusal:
                    self._refused[key] = digest
                    self.counts.refused += 1
                    self._tell(f"{key}: refused: {outcome.refusal}")
                    continue
                if key in self.known:
                    self.counts.changed += 1
                else:
                    self.counts.new += 1
                self.known[key] = Live(outcome.record, digest)
            self._pending.clear()
            self._bytes = 0

    def stored(self, key: str) -> Object | None:
        """The payload of the live state of a key; None where there is none."""
        live = self.known.get(key)
        if live is None:
            return None
        found: Object = json.loads(self._sink.payload(live.record))
        return found
