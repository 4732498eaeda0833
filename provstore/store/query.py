"""SPARQL queries on snapshots: the worker's side, and the service that hands queries to workers."""

from __future__ import annotations

import io
import math
import re
import secrets
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any, cast

import pyoxigraph as ox

from provstore.errors import Busy, NotAcceptable, ProvStoreError, QueryRefused, QueryTooExpensive
from provstore.security.pool import JobCrash, JobTimeout, WorkerPool
from provstore.store import guard
from provstore.store.diagnosis import Place

_INLINE = 1 << 20
_PLACE_SECONDS = 2.0
_ANSWER = "provstore.store.query:answer"
_LINE = re.compile(r"\bat (\d+):\d+")  # where the engine says that a query is wrong
#: A query that may look beyond the default graph; an escape may hide a keyword (SPARQL 1.1 §19.2).
_GRAPHS_NAMED = re.compile(r"\bgraph\b|\bfrom\b|\\u", re.IGNORECASE)
#: What a SELECT or an ASK can be answered in, in order of preference.
RESULTS = {
    "application/sparql-results+json": ox.QueryResultsFormat.JSON,
    "application/json": ox.QueryResultsFormat.JSON,
    "application/sparql-results+xml": ox.QueryResultsFormat.XML,
    "application/xml": ox.QueryResultsFormat.XML,
    "text/csv": ox.QueryResultsFormat.CSV,
    "text/tab-separated-values": ox.QueryResultsFormat.TSV,
}
#: What a CONSTRUCT or a DESCRIBE can be answered in, in order of preference.
GRAPHS = {
    "text/turtle": ox.RdfFormat.TURTLE,
    "application/n-triples": ox.RdfFormat.N_TRIPLES,
    "text/plain": ox.RdfFormat.N_TRIPLES,
    "application/rdf+xml": ox.RdfFormat.RDF_XML,
    "application/ld+json": ox.RdfFormat.JSON_LD,
    "application/trig": ox.RdfFormat.TRIG,
    "application/n-quads": ox.RdfFormat.N_QUADS,
}


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A read-only copy of the triple store, and the last ledger index in it.

    `restated` differs where two of one index do not say the same of the store as a whole.
    """

    path: str
    index: int
    restated: str = ""


@dataclass(frozen=True, slots=True)
class QueryJob:
    """A query as a worker gets it; `spool` is the file that an answer beyond 1 MiB goes to, not there yet."""

    snapshot: str
    query: str
    media_type: str
    spool: str
    max_bytes: int
    default_graphs: tuple[str, ...] = ()
    named_graphs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer: in `body`, or in the file `path` which the receiver removes."""

    media_type: str
    body: bytes
    path: Path | None
    index: int
    restated: str = ""


def choose(accept: str | None, form: str) -> str:
    """The media type to answer in (RFC 9110 §12.5.1); NotAcceptable where none of the wanted ones can be given.

    Of two that are wanted alike, the first in `RESULTS` or `GRAPHS`.
    """
    return chosen(accept, RESULTS if form in ("SELECT", "ASK") else GRAPHS, f"a {form}")


def chosen(accept: str | None, offers: Collection[str], what: str) -> str:
    """The best media type for an Accept header, the first of those wanted alike; NotAcceptable if none will do."""
    if not accept or not accept.strip():
        return next(iter(offers))
    ranges = _ranges(accept)
    best = max(offers, key=lambda offer: _quality(ranges, offer))
    if _quality(ranges, best) == 0:
        raise NotAcceptable(f"cannot answer {what} as {accept[:100]!r}; offered: {', '.join(offers)}")
    return best


def _ranges(accept: str) -> dict[str, float]:
    """The media ranges of an Accept header with their weights; other parameters are passed over."""
    found: dict[str, float] = {}
    for part in accept.lower().split(","):
        kind, *parameters = (piece.strip() for piece in part.split(";"))
        weights = [_weight(p[2:]) for p in parameters if p.startswith("q=")]
        found[kind] = max(found.get(kind, 0.0), weights[0] if weights else 1.0)
    return found


def _weight(text: str) -> float:
    try:
        weight = float(text)
    except ValueError:
        return 0.0
    return 0.0 if math.isnan(weight) else min(1.0, max(0.0, weight))


def _quality(ranges: dict[str, float], offer: str) -> float:
    """The weight of an offer: that of the most specific range it falls in."""
    for kind in (offer, offer.partition("/")[0] + "/*", "*/*"):
        if kind in ranges:
            return ranges[kind]
    return 0.0


# -- in the worker ----------------------------------------------------------------------------------------------------

_open: dict[str, ox.Store] = {}


class _Spool:
    """Takes an answer in: in memory first, then in a file; up to a size."""

    def __init__(self, path: str, limit: int) -> None:
        self._path, self._limit, self._size = path, limit, 0
        self._held: IO[bytes] = io.BytesIO()
        self.full = False

    def write(self, chunk: bytes) -> int:
        self._size += len(chunk)
        if self._size > self._limit:
            self.full = True
            raise OSError("the answer is too large")
        if self._size > _INLINE and isinstance(self._held, io.BytesIO):
            start = self._held.getvalue()
            self._held = open(self._path, "xb")  # noqa: SIM115 - closed by `finish`, or with the process
            self._held.write(start)
        return self._held.write(chunk)

    def flush(self) -> None:
        self._held.flush()

    def finish(self) -> bytes | None:
        """The whole answer; None where it is in the file."""
        if isinstance(self._held, io.BytesIO):
            return self._held.getvalue()
        self._held.close()
        return None


def answer(job: QueryJob) -> bytes | None:
    """Evaluate one query on a snapshot: the whole answer, or None when it is in the file `job.spool`."""
    store = open_snapshot(job.snapshot)
    spool = _Spool(job.spool, job.max_bytes)
    try:
        _evaluate(store, job, cast(IO[bytes], spool))  # the engine only writes
        return spool.finish()
    except SyntaxError as error:
        found = _LINE.search(error.msg)
        raise QueryRefused(f"not a SPARQL query: {error.msg}", line=int(found[1]) if found else None) from error
    except (OSError, ValueError, RuntimeError) as error:
        if spool.full:
            raise QueryTooExpensive(f"the answer is larger than {job.max_bytes} bytes: use LIMIT") from error
        raise QueryRefused(f"the query failed: {error}") from error


def _evaluate(store: ox.Store, job: QueryJob, out: IO[bytes]) -> None:
    graphs: dict[str, Any] = {}
    if job.default_graphs or job.named_graphs:  # either alone would leave the other at all there is
        graphs["default_graph"] = [ox.NamedNode(g) for g in job.default_graphs]
        graphs["named_graphs"] = [ox.NamedNode(g) for g in job.named_graphs]
    result = store.query(job.query, **graphs)
    offers = GRAPHS if isinstance(result, ox.QueryTriples) else RESULTS
    if job.media_type not in offers:
        raise ValueError(f"it cannot be answered as {job.media_type}")
    if isinstance(result, ox.QueryTriples):
        result.serialize(out, format=GRAPHS[job.media_type])
    else:
        result.serialize(out, format=RESULTS[job.media_type])


def open_snapshot(path: str) -> ox.Store:
    """The read-only store at a path; only the newest stays open."""
    if path not in _open:
        _open.clear()
        _open[path] = read_only(path)
    return _open[path]


def read_only(path: str) -> ox.Store:
    """The store at a path, which nobody writes to; Busy where it is not there any more, or not whole."""
    try:
        return ox.Store.read_only(path)
    except (OSError, RuntimeError) as error:
        raise Busy(f"the snapshot is gone, ask again: {error}", retry_after=1) from error


# -- in the parent ----------------------------------------------------------------------------------------------------


class QueryService:
    """Queries by killable workers: the right answer, whole, or an error; never half a document.

    The directory `spool` is this service's alone and is emptied at its start.
    """

    def __init__(self, pool: WorkerPool, spool: Path, *, timeout: float, max_bytes: int) -> None:
        self._pool, self._spool, self._timeout, self._max_bytes = pool, spool, timeout, max_bytes
        spool.mkdir(parents=True, exist_ok=True)
        for left in spool.iterdir():  # answers that a killed server never sent
            left.unlink()

    async def ask(
        self,
        query: str,
        accept: str | None,
        snapshot: Snapshot,
        *,
        timeout: float | None = None,
        default_graphs: tuple[str, ...] = (),
        named_graphs: tuple[str, ...] = (),
    ) -> Answer:
        """The answer within `timeout` seconds (at most the service's own); cancelling kills the query.

        Naming any graph makes the dataset those alone (SPARQL 1.1 Protocol §2.1.4). QueryRefused for what is malformed
        or forbidden, QueryTooExpensive beyond a limit, Busy where no worker came free.
        """
        job = replace(self._job(query, accept, snapshot), default_graphs=default_graphs, named_graphs=named_graphs)
        seconds = self._timeout if timeout is None else min(timeout, self._timeout)
        with _all_or_nothing(job, seconds):
            body = await self._pool.run(_ANSWER, job, seconds)
        return self._answered(job, body, snapshot)

    async def place(self, query: str) -> Place | None:
        """Where a query that is refused stops being SPARQL; None where that is not known, or not soon."""
        try:
            found: Place | None = await self._pool.run("provstore.store.diagnosis:place", query, _PLACE_SECONDS)
        except (JobTimeout, JobCrash, Busy):
            return None
        return found

    def ask_now(self, query: str, accept: str | None, snapshot: Snapshot) -> Answer:
        """As `ask`, blocking."""
        job = self._job(query, accept, snapshot)
        with _all_or_nothing(job, self._timeout):
            body = self._pool.call(_ANSWER, job, self._timeout)
        return self._answered(job, body, snapshot)

    def _job(self, query: str, accept: str | None, snapshot: Snapshot) -> QueryJob:
        media_type = choose(accept, guard.check(query))
        spool = self._spool / secrets.token_hex(16)
        return QueryJob(snapshot.path, query, media_type, str(spool), self._max_bytes)

    def _answered(self, job: QueryJob, body: bytes | None, snapshot: Snapshot) -> Answer:
        path = Path(job.spool) if body is None else None
        beyond = job.default_graphs or job.named_graphs or _GRAPHS_NAMED.search(job.query)
        return Answer(job.media_type, body or b"", path, snapshot.index, snapshot.restated if beyond else "")


@contextmanager
def _all_or_nothing(job: QueryJob, seconds: float) -> Iterator[None]:
    """Leave no file behind where there is no answer: the worker has ended its job, or its life, when an error comes."""
    try:
        yield
    except BaseException as error:
        Path(job.spool).unlink(missing_ok=True)
        if isinstance(error, JobTimeout | JobCrash):
            raise explained(error, seconds) from error
        raise


def explained(error: JobTimeout | JobCrash, seconds: float) -> ProvStoreError:
    """Why a worker had to be stopped at a query, in a user's words."""
    if isinstance(error, JobTimeout):
        return QueryTooExpensive(f"the query took longer than {seconds:g} s and was stopped", retry_after=30)
    if error.signal in (6, 9):  # an abort is how the engine meets the memory limit; SIGKILL is the system's way
        return QueryTooExpensive("the query needed more memory than a query may have and was stopped")
    return QueryRefused("the query brought the engine down (it is too deeply nested or too long) and was stopped")
