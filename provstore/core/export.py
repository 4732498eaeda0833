"""Export: what a selection means in a store, and the package of it; for a directory and for a running server alike."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Coroutine, Iterable, Iterator
from pathlib import Path
from typing import Any, Protocol, TypeVar

from provstore import iris, queries, rdf
from provstore.core.client import OwnerClient
from provstore.core.lineage import LineageService
from provstore.core.store import ProvStore
from provstore.errors import Busy, LedgerError, NotFound, QueryRefused
from provstore.export.package import Exported, Plan, Progress, write
from provstore.export.selection import Selection
from provstore.ledger.log import Ledger
from provstore.ledger.note import Checkpoint, NoteError
from provstore.lineage.ask import Asked
from provstore.lineage.behind import behind
from provstore.lineage.graph import LineageGraph
from provstore.security.pool import JobCrash, JobTimeout, WorkerPool
from provstore.settings import Settings
from provstore.store.about import AboutJob
from provstore.store.query import Answer, QueryService, Snapshot, explained

_ANSWERS = "application/sparql-results+json, application/n-triples;q=0.5"
_DERIVED, _DERIVED_BYTES = 2000, 64 << 20  # for more records, or more statements, what was concluded is left out
_PATIENCE = 60.0  # seconds that views which lag behind the checkpoint are waited for
_CONCLUDED = ("inferred", "merged", "system")
_T = TypeVar("_T")


class Sources(Protocol):
    """A store as an export asks it; every call may block."""

    ledger: Ledger

    def checkpoint(self) -> str:
        """The signed head of what is durable."""
        ...

    def snapshot(self, index: int) -> Snapshot:
        """A snapshot of the triple store that holds an index."""
        ...

    def lineage(self, question: Asked) -> dict[str, Any]:
        """The answer to a question of lineage, at the index of the last snapshot or later."""
        ...

    def answer(self, query: str, snapshot: Snapshot) -> Answer:
        """The answer to a query, as results in JSON or as N-Triples."""
        ...

    def work(self, target: str, job: AboutJob) -> Any:
        """What a worker makes of a job."""
        ...


def export(sources: Sources, selection: Selection, archive: Path, progress: Progress | None = None) -> Exported:
    """Write the package of a selection to a new file as a ZIP archive; where that fails, no file is left.

    The package is of the checkpoint signed now; what is recorded meanwhile is not in it. NotFound where nothing is
    selected or a kept checkpoint is larger than the ledger, QueryRefused where a selector cannot be read.
    """
    plan = _plan(sources, selection)
    try:
        with archive.open("xb") as out:
            return write(sources.ledger, plan, out, progress)
    except BaseException:
        archive.unlink(missing_ok=True)
        raise


def _plan(sources: Sources, selection: Selection) -> Plan:
    ledger, note = sources.ledger, sources.checkpoint()
    try:
        head = ledger.verifier.open(note)
    except NoteError as error:
        raise LedgerError(f"the checkpoint just signed cannot be read ({error}): run provstore verify") from error
    if selection.kept and selection.kept[-1] > head.size:
        raise NotFound(f"the ledger has {head.size} entries: no checkpoint of {selection.kept[-1]} can be of it")
    snapshot = sources.snapshot(head.size - 1)
    found = _Selected(sources, selection, snapshot, head)
    indices = found.indices()
    if not indices:
        raise NotFound("nothing is selected: no record below the checkpoint is what was asked for")
    derived = _derived(sources, snapshot, indices, found.things)
    return Plan(note, head, indices, selection.asked(), selection.kept, derived)


class _Selected:
    """What a selection means: ledger indices, and the things that were asked about on the way."""

    def __init__(self, sources: Sources, selection: Selection, snapshot: Snapshot, head: Checkpoint) -> None:
        self._sources, self._selection, self._snapshot, self._head = sources, selection, snapshot, head
        self._ledger = sources.ledger
        self.things: set[str] = set()

    def indices(self) -> list[int]:
        asked, size = self._selection, self._head.size
        within = self._ledger.between(asked.after, asked.before, size)
        if not (asked.records or asked.lineage or asked.query or asked.sparql):
            return within
        found = {index for record in self._records() for index in self._ledger.find(record)}
        return sorted(found.intersection(within))

    def _records(self) -> Iterator[str]:
        """The IRIs of records."""
        base, asked = self._ledger.base, self._selection
        for named in asked.records:
            record = named if ":" in named else iris.record(base, named)
            if not self._ledger.find(record):
                raise NotFound(f"no record {named[:200]}")
            yield record
        for entity in asked.lineage:
            yield from self._behind(entity)
        if asked.query:
            yield from self._answered(queries.bind(queries.find(asked.query), dict(asked.values)))
        if asked.sparql:
            yield from self._answered(asked.sparql)

    def _behind(self, entity: str) -> Iterator[str]:
        """The records behind a thing; of what has no lineage, those that speak of it or of what it is a part of."""
        try:
            said = self._sources.lineage(behind(entity, self._selection.depth, self._head.size - 1))
        except NotFound:
            whole = entity.partition("#")[0]
            found = set(self._about({entity, whole}, frozenset([entity, whole])))
            if not found:
                raise
            yield from found
        else:
            yield from said["records"]
            yield from self._about(said["things"], frozenset([entity]))

    def _answered(self, query: str) -> Iterator[str]:
        """The records that are in an answer, and those about what is in it."""
        named = _iris(self._sources.answer(query, self._snapshot))
        yield from named
        yield from self._about(named)

    def _about(self, things: Iterable[str], asked: frozenset[str] = frozenset()) -> Iterator[str]:
        wanted = sorted(things)
        self.things.update(wanted)
        start = f"{self._ledger.base}/record/"
        job = AboutJob(self._snapshot.path, tuple(wanted), asked=asked)
        for graph in self._sources.work("provstore.store.about:graphs", job):
            if graph.startswith(start):  # a document's bundle is a graph below its record
                yield start + graph.removeprefix(start).partition("/")[0]


def _iris(answer: Answer) -> list[str]:
    """The IRIs in an answer."""
    try:
        body = answer.body if answer.path is None else answer.path.read_bytes()
    finally:
        if answer.path is not None:
            answer.path.unlink()
    if answer.media_type == "application/n-triples":
        terms = [term for line in body.decode().split("\n")[:-1] for term in rdf.split(line)[:3]]
        return sorted({term[1:-1] for term in terms if term.startswith("<")})
    said = json.loads(body)
    if "results" not in said:
        raise QueryRefused("an ASK names nothing to export: ask a SELECT, CONSTRUCT or DESCRIBE")
    rows = said["results"]["bindings"]
    return sorted({term["value"] for row in rows for term in row.values() if term["type"] == "uri"})


def _derived(sources: Sources, snapshot: Snapshot, indices: list[int], things: set[str]) -> tuple[int, bytes] | None:
    """What was concluded about the things that the records speak of; None where that is too much."""
    if len(indices) > _DERIVED:
        return None
    about = set(things)
    for index in indices:
        for body in sources.ledger.bodies(index, index):
            about.add(body.record)
            about.update(line[1 : line.index(">")] for line in body.quads.decode().split("\n") if line)
    graphs = tuple(iris.graph(sources.ledger.base, name) for name in _CONCLUDED)
    job = AboutJob(snapshot.path, tuple(sorted(about)), graphs, _DERIVED_BYTES)
    found: bytes | None = sources.work("provstore.store.about:statements", job)
    return None if found is None else (snapshot.index, found)


class Workers:
    """Queries and jobs in killable workers."""

    def __init__(self, pool: WorkerPool, service: QueryService, seconds: float) -> None:
        self.pool, self.queries, self.seconds = pool, service, seconds

    def answer(self, query: str, snapshot: Snapshot) -> Answer:
        return self.queries.ask_now(query, _ANSWERS, snapshot)

    def work(self, target: str, job: AboutJob) -> Any:
        try:
            return self.pool.call(target, job, self.seconds)
        except (JobTimeout, JobCrash) as error:
            raise explained(error, self.seconds) from error


class Directory(Workers):
    """A store that this process owns."""

    def __init__(self, store: ProvStore, settings: Settings) -> None:
        pool = WorkerPool(settings.query_memory_bytes, most=1, keep=1, modules=("provstore.store.about",))
        service = QueryService(
            pool,
            store.directory / "spool",
            timeout=settings.query_timeout_seconds,
            max_bytes=settings.query_max_result_bytes,
        )
        super().__init__(pool, service, settings.query_timeout_seconds)
        self._store, self.ledger = store, store.ledger

    def checkpoint(self) -> str:
        return self.ledger.checkpoint()

    def snapshot(self, index: int) -> Snapshot:
        return self._store.snapshot()

    def lineage(self, question: Asked) -> dict[str, Any]:
        graph = LineageGraph(self._store.directory / "views")
        try:
            return question.compute(graph)
        finally:
            graph.close()

    def close(self) -> None:
        self.pool.close()


class Running(Workers):
    """A store being served; asked from a thread beside the loop."""

    def __init__(self, workers: Workers, ledger: Ledger, owner: OwnerClient, lineage: LineageService) -> None:
        super().__init__(workers.pool, workers.queries, workers.seconds)
        self.ledger, self._owner, self._lineage = ledger, owner, lineage
        self._loop = asyncio.get_running_loop()

    def _wait(self, coroutine: Coroutine[Any, Any, _T]) -> _T:
        try:
            return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(2 * _PATIENCE)
        except TimeoutError as error:  # also where the loop has ended, and nobody would answer ever
            raise Busy("the store did not answer in time", retry_after=10) from error

    def checkpoint(self) -> str:
        return self._wait(self._owner.checkpoint())

    def snapshot(self, index: int) -> Snapshot:
        return self._wait(self._owner.snapshot(index, _PATIENCE))

    def lineage(self, question: Asked) -> dict[str, Any]:
        return self._wait(self._lineage.ask(question)).json


def in_directory(
    store: ProvStore, settings: Settings, selection: Selection, archive: Path, progress: Progress | None = None
) -> Exported:
    """`export` of a store that this process owns."""
    sources = Directory(store, settings)
    try:
        return export(sources, selection, archive, progress)
    finally:
        sources.close()


def scratch(directory: Path) -> Path:
    """A name for a new file in a directory."""
    return directory / f".export-{secrets.token_hex(8)}.zip"
