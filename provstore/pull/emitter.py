"""What a puller has seen on its way to the store: each state once, a changed one in place of the one before it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from provstore.capture.redaction import cleaned
from provstore.errors import Busy, ProvStoreError
from provstore.pull.sink import Live, Sink

#: How many payloads, and how many bytes, are committed together.
_GROUP: Final = 128
_GROUP_BYTES: Final = 1 << 20
#: How often a puller finds its unchanged state overruled by another one before it lets that have its way.
_STUBBORN: Final = 3

Object = dict[str, Any]
Named = Callable[[Object], tuple[str, str]]


@dataclass(slots=True)
class Counts:
    """What was sent: states that were new, states that had changed, and those that the store refused."""

    new: int = 0
    changed: int = 0
    refused: int = 0


@dataclass(frozen=True, slots=True)
class _Pending:
    digest: str
    body: bytes
    instead_of: tuple[str, ...]


class Emitter:
    """Sends what is offered unless the store has it; `named` gives the key and the digest of a payload's state.

    What the store holds is looked up at the start, and again by `refresh`. Where several pullers write at the same
    time, a key may come to have several live records; whoever looks next puts what it then sees in the place of all
    of them, so that the last to look leaves one. May be used by several threads. Nothing is remembered elsewhere:
    after a crash, what was committed is found in the store, and the rest is offered again.
    """

    def __init__(self, sink: Sink, prefix: str, named: Named, tell: Callable[[str], None]) -> None:
        self._sink, self._prefix, self._named, self._tell = sink, prefix, named, tell
        self.known: dict[str, Live] = sink.known(prefix)
        self.counts = Counts()
        self._refused: dict[str, str] = {}
        self._sent: dict[str, str] = {}  # what was last sent of a key
        self._overruled: dict[str, int] = {}  # how often others had put another state in the place of that
        self._gave_way = False
        self._pending: dict[str, _Pending] = {}
        self._bytes = 0
        self._lock = threading.RLock()

    def refresh(self) -> bool:
        """Look up again what the store holds, as others may have written too; whether a key has several live records.

        Busy where the store does not answer.
        """
        with self._lock:
            self.flush()
            try:
                self.known = self._sink.known(self._prefix)
            except ProvStoreError as error:  # it did answer once: it may be starting again
                raise Busy(str(error)) from error
            return any(live.rivals for live in self.known.values())

    def offer(self, payload: Object, instead_of: Sequence[str] = ()) -> bool:
        """Take a state; whether it is news. Secrets are taken out of it first.

        `instead_of` are other keys: what is live of them is no longer so, because this state stands for them.
        """
        payload = cleaned(payload)
        key, digest = self._named(payload)
        with self._lock:
            if key in self._pending or not self._pending.keys().isdisjoint(instead_of):
                self.flush()
            live = self.known.get(key)
            gone = [self.known[each] for each in instead_of if each in self.known]
            if live and live.digest == digest and not live.rivals and not gone:
                return False
            if self._refused.get(key) == digest or (live and self._gives_way(key, live, digest)):
                return False
            before = sorted(name for each in (*filter(None, [live]), *gone) for name in (each.record, *each.rivals))
            if before:
                payload = {**payload, "supersedes": before[0] if len(before) == 1 else before}
            body = json.dumps(payload, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
            self._pending[key] = _Pending(digest, body, tuple(instead_of))
            self._bytes += len(body)
            if len(self._pending) >= _GROUP or self._bytes >= _GROUP_BYTES:
                self.flush()
        return True

    def _gives_way(self, key: str, live: Live, digest: str) -> bool:
        """Whether another puller says so stubbornly otherwise of what did not change that it must see it otherwise."""
        if self._sent.get(key) != digest:
            self._overruled.pop(key, None)
            return False
        if live.rivals or live.digest == digest:
            return False
        self._overruled[key] = self._overruled.get(key, 0) + 1
        if self._overruled[key] == _STUBBORN and not self._gave_way:
            self._gave_way = True
            self._tell(f"another capture, of other settings, says otherwise again and again, so of {key}: it may")
        return self._overruled[key] >= _STUBBORN

    def flush(self) -> None:
        """Commit what was taken; it stays pending where the store cannot take it now."""
        with self._lock:
            if not self._pending:
                return
            outcomes = self._sink.send([each.body for each in self._pending.values()])
            for (key, sent), outcome in zip(self._pending.items(), outcomes, strict=True):
                if outcome.refusal:
                    self._refused[key] = sent.digest
                    self.counts.refused += 1
                    self._tell(f"{key}: refused: {outcome.refusal}")
                    continue
                if key in self.known:
                    self.counts.changed += 1
                else:
                    self.counts.new += 1
                self.known[key] = Live(outcome.record, sent.digest)
                self._sent[key] = sent.digest
                for other in sent.instead_of:
                    self.known.pop(other, None)
            self._pending.clear()
            self._bytes = 0

    def settle(self) -> None:
        """Leave one live record of each key that still has several: what one of them says."""
        for key in [key for key, live in self.known.items() if live.rivals]:
            self.offer({name: each for name, each in (self.stored(key) or {}).items() if name != "supersedes"})

    def stored(self, key: str) -> Object | None:
        """The payload of the live state of a key; None where there is none."""
        live = self.known.get(key)
        if live is None:
            return None
        found: Object = json.loads(self._sink.payload(live.record))
        return found
