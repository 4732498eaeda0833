"""The store that a puller sends to: a directory, or a running server."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from provstore import queries
from provstore.capture.payloads import Limits
from provstore.cli.progress import Progress
from provstore.cli.remote import REFUSALS, Reply, answer, call, outcomes, patiently, problem, server_of
from provstore.core import ProvStore, intake
from provstore.core.intake import Body
from provstore.errors import Busy, Misconfigured
from provstore.pull.sink import Live, Outcome, Sink
from provstore.security.pool import WorkerPool
from provstore.settings import Settings
from provstore.store.query import Answer, QueryService

_JSON: Final = "application/json"
_RESULTS: Final = "application/sparql-results+json"
_LIMITS = Limits(body_bytes=1 << 30, inflated_bytes=1 << 30, payloads=1 << 20)


@contextmanager
def opened(settings: Settings) -> Iterator[Sink]:
    """The store that the settings name, for as long as it is sent to."""
    server = server_of(settings)
    if server:
        yield RemoteSink(server)
        return
    with Progress("views") as progress:
        store = ProvStore(Path(settings.data), base=settings.base, progress=progress)
    try:
        yield LocalSink(store, settings)
    finally:
        store.close()


class LocalSink:
    """Straight into the directory."""

    def __init__(self, store: ProvStore, settings: Settings) -> None:
        self._store, self._settings = store, settings

    def known(self, prefix: str) -> dict[str, Live]:
        pool = WorkerPool(self._settings.query_memory_bytes, most=1, keep=1, modules=("provstore.store.query",))
        try:
            service = QueryService(
                pool,
                self._store.directory / "spool",
                timeout=self._settings.query_timeout_seconds,
                max_bytes=self._settings.query_max_result_bytes,
            )
            snapshot = self._store.snapshot()
            return _all(prefix, lambda query: _whole(service.ask_now(query, _RESULTS, snapshot)))
        finally:
            pool.close()

    def payload(self, record: str) -> bytes:
        (index, *_) = self._store.ledger.find(record)
        return bytes(self._store.ledger.body(index).payload)

    def send(self, payloads: Sequence[bytes]) -> list[Outcome]:
        body = Body(b"[" + b",".join(payloads) + b"]", _JSON, None, self._store.base, _LIMITS, self._settings.redact)
        items = intake.read_payloads(body)
        receipts = iter(self._store.ingest([item.submission("local") for item in items if item.mapped]))
        return [
            Outcome(next(receipts).record) if item.mapped else Outcome("", str(item.error or "refused"))
            for item in items
        ]


class RemoteSink:
    """Through a running server."""

    def __init__(self, url: str) -> None:
        self._url = url

    def known(self, prefix: str) -> dict[str, Live]:
        head = int(answer(f"{self._url}/health")["head"])
        return _all(prefix, lambda query: self._asked(query, head))

    def _asked(self, query: str, head: int) -> bytes:
        """The answer of the store as it is after an index; the server is asked again while it is not there yet."""
        headers = {"Accept": _RESULTS, "Content-Type": "application/x-www-form-urlencoded"}
        form = urlencode({"query": query, "min-index": str(head)}).encode()
        return patiently(f"{self._url}/sparql", form, headers, _is_answer).body

    def payload(self, record: str) -> bytes:
        reply = call(f"{self._url}/records/{record.rpartition('/')[2]}/payload")
        if reply.status != 200:
            raise problem(reply.body)
        return reply.body

    def send(self, payloads: Sequence[bytes]) -> list[Outcome]:
        body = b"[" + b",".join(payloads) + b"]"
        try:
            reply = call(f"{self._url}/records", body, {"Content-Type": _JSON})
        except Misconfigured as error:  # it may be starting again
            raise Busy(str(error)) from error
        if reply.status == 413 and len(payloads) > 1:  # one of them may be why, or all of them together
            half = len(payloads) // 2
            return [*self.send(payloads[:half]), *self.send(payloads[half:])]
        if reply.status not in (200, 201, *REFUSALS):
            raise Busy(str(problem(reply.body)))
        return [_outcome(each) for each in outcomes(json.loads(reply.body), len(payloads))]


def _is_answer(reply: Reply) -> bool:
    return reply.status == 200 and reply.media_type == _RESULTS


def _outcome(said: dict[str, Any]) -> Outcome:
    if "record" in said:
        return Outcome(said["record"])
    place = f" (at {said['pointer']})" if said.get("pointer") else ""
    return Outcome("", f"{said.get('detail', said)}{place}")


def _whole(answer: Answer) -> bytes:
    if answer.path is None:
        return answer.body
    body = answer.path.read_bytes()
    answer.path.unlink()
    return body


def _all(prefix: str, ask: Callable[[str], bytes]) -> dict[str, Live]:
    """Every live state, page by page; where one has several records, the first by IRI, and the others as its rivals."""
    found: dict[str, Live] = {}
    rows = [{"key": {"value": ""}}]
    while rows:
        values = {"prefix": prefix, "after": rows[-1]["key"]["value"], "limit": str(queries.MAX_LIMIT)}
        said = json.loads(ask(queries.bind(queries.find("integrity/states"), values)))
        rows = said["results"]["bindings"]
        for row in rows:
            key, record, digest = (row[name]["value"] for name in ("key", "record", "digest"))
            first = found.setdefault(key, Live(record, digest))
            if first.record != record:
                found[key] = replace(first, rivals=(*first.rivals, record))
        if len(rows) < queries.MAX_LIMIT:
            break
    return found
