"""SPARQL queries on snapshots: the worker's side, and the service that hands queries to workers."""

from __future__ import annotations

import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from provstore.errors import NotFound, ProvStoreError, QueryRefused, QueryTooExpensive
from provstore.security.pool import JobCrash, JobTimeout, WorkerPool
from provstore.store import guard

_INLINE = 1 << 20
#: Media types by what a query gives, in order of preference; the second member names pyoxigraph's format.
RESULTS = {
    "application/sparql-results+json": "JSON",
    "application/json": "JSON",
    "application/sparql-results+xml": "XML",
    "application/xml": "XML",
    "text/csv": "CSV",
    "text/tab-separated-values": "TSV",
}
GRAPHS = {
    "text/turtle": "TURTLE",
    "application/n-triples": "N_TRIPLES",
    "text/plain": "N_TRIPLES",
    "application/rdf+xml": "RDF_XML",
    "application/ld+json": "JSON_LD",
    "application/trig": "TRIG",
    "application/n-quads": "N_QUADS",
}


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A read-only copy of the triple store, and the last ledger index in it."""

    path: str
    index: int


@dataclass(frozen=True, slots=True)
class QueryJob:
    snapshot: str
    query: str
    media_type: str
    spool: str
    max_bytes: int
    seconds: float
    default_graphs: tuple[str, ...] = ()
    named_graphs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer: in `body`, or in the file `path` which the receiver removes."""

    media_type: str
    body: bytes
    path: Path | None
    index: int


def choose(accept: str | None, form: str) -> str:
    """The media type to answer in (RFC 9110 §12.5.1); QueryRefused where none of the wanted ones can be given."""
    offers = RESULTS if form in ("SELECT", "ASK") else GRAPHS
    if not accept or not accept.strip():
        return next(iter(offers))
    best, chosen = 0.0, ""
    for offer in offers:
        quality = max((q for kind, q in _ranges(accept) if _matches(kind, offer)), default=0.0)
        if quality > best:
            best, chosen = quality, offer
    if not chosen:
        raise QueryRefused(f"cannot answer a {form} as {accept[:100]!r}; offered: {', '.join(offers)}")
    return chosen


def _ranges(accept: str) -> list[tuple[str, float]]:
    found = []
    for part in accept.split(","):
        kind, *parameters = (piece.strip() for piece in part.split(";"))
        quality = 1.0
        for parameter in parameters:
            if parameter.lower().startswith("q="):
                try:
                    quality = float(parameter[2:])
                except ValueError:
                    quality = 0.0
        found.append((kind.lower(), quality))
    return found


def _matches(kind: str, offer: str) -> bool:
    return kind in ("*/*", offer) or (kind.endswith("/*") and offer.startswith(kind[:-1]))


# -- in the worker ----------------------------------------------------------------------------------------------------

_open: dict[str, Any] = {}


class _Spool:
    """Takes an answer in, in memory and then in a file, up to a size and a time."""

    def __init__(self, job: QueryJob) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=_INLINE, dir=job.spool)  # noqa: SIM115 - outlives this call
        self._left, self._until, self._limit = job.max_bytes, time.monotonic() + job.seconds, job.max_bytes
        self.exceeded = ""

    def write(self, chunk: bytes) -> int:
        self._left -= len(chunk)
        if self._left < 0:
            self.exceeded = f"the answer is larger than {self._limit} bytes: use LIMIT, or ask for less"
        elif time.monotonic() > self._until:
            self.exceeded = "the query took too long"
        if self.exceeded:
            raise OSError(self.exceeded)
        return self._file.write(chunk)

    def finish(self, spool: str) -> tuple[bytes, str]:
        size = self._file.tell()
        self._file.seek(0)
        if size <= _INLINE:
            return self._file.read(), ""
        descriptor, path = tempfile.mkstemp(dir=spool)
        with os.fdopen(descriptor, "wb") as out:
            while chunk := self._file.read(1 << 20):
                out.write(chunk)
        return b"", path


def answer(job: QueryJob) -> tuple[bytes, str]:
    """Evaluate one query on a snapshot: the whole answer, or the path of the file that holds it."""
    import pyoxigraph as ox

    store = _snapshot(job.snapshot)
    graphs: dict[str, Any] = {}
    if job.default_graphs or job.named_graphs:
        graphs["default_graph"] = [ox.NamedNode(g) for g in job.default_graphs]
        graphs["named_graphs"] = [ox.NamedNode(g) for g in job.named_graphs]
    spool = _Spool(job)
    try:
        result = store.query(job.query, **graphs)
        if isinstance(result, ox.QueryTriples):
            result.serialize(spool, format=getattr(ox.RdfFormat, GRAPHS[job.media_type]))
        else:
            result.serialize(spool, format=getattr(ox.QueryResultsFormat, RESULTS[job.media_type]))
    except SyntaxError as error:
        raise QueryRefused(f"not a SPARQL query: {error.msg}", line=error.lineno) from error
    except (OSError, ValueError, RuntimeError) as error:
        if spool.exceeded:
            raise QueryTooExpensive(spool.exceeded) from error
        raise QueryRefused(f"the query failed: {error}") from error
    return spool.finish(job.spool)


def _snapshot(path: str) -> Any:
    """The read-only store at a path; only the newest stays open."""
    import pyoxigraph as ox

    if path not in _open:
        _open.clear()
        try:
            _open[path] = ox.Store.read_only(path)
        except OSError as error:
            raise NotFound(f"the snapshot is gone: {error}") from error
    return _open[path]


# -- in the parent ----------------------------------------------------------------------------------------------------


class QueryService:
    """Queries by killable workers: the right answer, whole, or an error; never half a document."""

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
        """QueryRefused for what is malformed or forbidden, QueryTooExpensive beyond a limit."""
        seconds = min(timeout or self._timeout, self._timeout)
        job = self._job(query, accept, snapshot, seconds, default_graphs, named_graphs)
        try:
            body, path = await self._pool.run("provstore.store.query:answer", job, seconds)
        except (JobTimeout, JobCrash) as error:
            raise _explained(error, seconds) from error
        return Answer(job.media_type, body, Path(path) if path else None, snapshot.index)

    def ask_now(self, query: str, accept: str | None, snapshot: Snapshot) -> Answer:
        """As `ask`, blocking."""
        job = self._job(query, accept, snapshot, self._timeout, (), ())
        try:
            body, path = self._pool.call("provstore.store.query:answer", job, self._timeout)
        except (JobTimeout, JobCrash) as error:
            raise _explained(error, self._timeout) from error
        return Answer(job.media_type, body, Path(path) if path else None, snapshot.index)

    def _job(
        self,
        query: str,
        accept: str | None,
        snapshot: Snapshot,
        seconds: float,
        default_graphs: tuple[str, ...],
        named_graphs: tuple[str, ...],
    ) -> QueryJob:
        media_type = choose(accept, guard.check(query))
        spool = str(self._spool)
        return QueryJob(snapshot.path, query, media_type, spool, self._max_bytes, seconds, default_graphs, named_graphs)


def _explained(error: JobTimeout | JobCrash, seconds: float) -> ProvStoreError:
    if isinstance(error, JobTimeout):
        return QueryTooExpensive(f"the query took longer than {seconds:g} s and was stopped", retry_after=30)
    if error.signal in (6, 9):  # an abort is how the engine meets the memory limit; SIGKILL is the system's way
        return QueryTooExpensive("the query needed more memory than a query may have and was stopped")
    return QueryRefused("the query brought the engine down (it is too deeply nested or too long) and was stopped")


def serialise(task: tuple[bytes, str]) -> bytes:
    """N-Quads in another RDF syntax, named graphs dropped where the syntax has none; for a worker to run."""
    import pyoxigraph as ox

    quads, media_type = task
    form = getattr(ox.RdfFormat, GRAPHS[media_type])
    parsed = list(ox.parse(quads, format=ox.RdfFormat.N_QUADS))
    held = parsed if form.supports_datasets else [q.triple for q in parsed]
    return ox.serialize(held, format=form)
