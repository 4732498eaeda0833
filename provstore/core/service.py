"""What a running server does, free of HTTP: take in, ask, prove, validate. One asyncio loop, nothing that blocks it."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from provstore import queries, search
from provstore.capture.payloads import Limits
from provstore.core import export, intake
from provstore.core.annotate import Annotator
from provstore.core.client import OwnerClient
from provstore.core.intake import Body, Item
from provstore.core.lineage import LineageService
from provstore.core.profiles import Profiles, Published
from provstore.core.signatures import trusted_keys
from provstore.core.trial import Trial, tried
from provstore.core.validate import Validator
from provstore.core.verdicts import Verdicts
from provstore.errors import Busy, InvalidInput, Nonconforming, NotFound, NotYetApplied, ProvStoreError
from provstore.export.package import Exported
from provstore.export.selection import Selection
from provstore.ledger.log import Ledger
from provstore.lineage.ask import Asked, Told
from provstore.model import Receipt, Submission
from provstore.security.pool import WorkerPool
from provstore.settings import Settings
from provstore.store.diagnosis import Place
from provstore.store.query import Answer, QueryService, Snapshot

#: How long a worker may take to map a body that is not small.
_LARGE_SECONDS = 60.0
#: How long an answer waits for the index it is to hold, and how often it looks.
_PATIENCE, _LOOK = 5.0, 0.02
#: How many packages are made at once.
_EXPORTS = 2


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one payload: a receipt, or the reason why it was refused."""

    receipt: Receipt | None
    error: ProvStoreError | None
    where: dict[str, Any]


class Service:
    """A store being served; `start` before use, `close` after."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._directory = Path(settings.data)
        self._exports = self._directory / "exports"
        self.owner = OwnerClient(
            self._directory,
            settings.base,
            records=settings.queue_records,
            size=settings.queue_bytes,
            lag=settings.max_lag_records,
        )
        self._limits = Limits(body_bytes=settings.max_body_bytes, inflated_bytes=settings.max_inflated_bytes)
        self.trusted_keys = trusted_keys([settings.trusted_keys] if settings.trusted_keys else [])
        self._exporting = 0
        self._publishing, self._trying = asyncio.Lock(), asyncio.Lock()

    async def start(self) -> None:
        """Open the store (in its own process) and boot the workers; raises what keeps it from opening."""
        await self.owner.start()
        self.ledger = Ledger(self._directory)
        self.base = self.ledger.base
        self.owner.head = self.ledger.head
        settings = self.settings
        self._query_pool = WorkerPool(
            settings.query_memory_bytes,
            most=settings.query_workers,
            keep=2,
            modules=("provstore.store.query", "pyoxigraph"),
        )
        self._document_pool = WorkerPool(
            settings.query_memory_bytes, most=3, keep=1, modules=("provstore.core.intake",)
        )
        self._queries = QueryService(
            self._query_pool,
            self._directory / "spool",
            timeout=settings.query_timeout_seconds,
            max_bytes=settings.query_max_result_bytes,
        )
        shutil.rmtree(self._exports, ignore_errors=True)  # packages that a killed server never sent
        self._searcher = search.Searcher(self._directory / "views" / "view.db")
        self.profiles = Profiles(settings.profiles, self._directory, self.ledger)
        self.profiles.forget_strangers()
        path, registry = self._directory / "validation.db", self.profiles.registry
        self.annotator = Annotator(path, self.ledger, registry, self.profiles.on())
        self._lineage = LineageService(self._directory / "views")
        self.validator = Validator(settings, self.profiles, self.base, self._limits, most=2)
        self.verdicts = Verdicts(self._directory, self.owner, self.ledger, self.profiles)
        self._annotating = asyncio.create_task(self.annotator.run())
        self._judging = asyncio.create_task(self.verdicts.run())

    async def close(self) -> None:
        """Finish what was begun; acknowledged records are on disk in any case."""
        for task in (self._annotating, self._judging):
            task.cancel()
        await asyncio.gather(self._annotating, self._judging, return_exceptions=True)
        self.annotator.close()
        self.verdicts.close()
        self._lineage.close()
        self.validator.close()
        await self.owner.close()
        for pool in (self._query_pool, self._document_pool):
            pool.close()
        self._searcher.close()
        self.ledger.close()

    # -- in -----------------------------------------------------------------------------------------------------------

    async def take_events(self, data: bytes, media_type: str, encoding: str | None, actor: str) -> list[Outcome]:
        """OpenLineage events: all good ones are committed together, each refusal says where."""
        body = self._body(data, media_type, encoding)
        return await self._take(body, intake.read_events, actor)

    async def take_payloads(self, data: bytes, media_type: str, encoding: str | None, actor: str) -> list[Outcome]:
        """As `take_events`, JSON of the format that the media type names, or of any; UnsupportedMedia for others."""
        intake.check_media_type(media_type)
        body = self._body(data, media_type, encoding)
        return await self._take(body, intake.read_payloads, actor)

    def _body(self, data: bytes, media_type: str, encoding: str | None) -> Body:
        return Body(data, media_type, encoding, self.base, self._limits, self.settings.redact)

    async def _take(self, body: Body, read: Callable[[Body], list[Item]], actor: str) -> list[Outcome]:
        if intake.is_small(body):
            items = read(body)
        else:
            items = await self._in_worker(f"provstore.core.intake:{read.__name__}", body, _LARGE_SECONDS)
        return await self._commit(items, actor)

    async def take_document(self, data: bytes, media_type: str, encoding: str | None, actor: str) -> Outcome:
        """One RDF document, mapped where it can be stopped by the clock."""
        body = self._body(data, media_type, encoding)
        item = await self._in_worker("provstore.core.intake:read_document", body, self.settings.rdf_timeout_seconds)
        (outcome,) = await self._commit([item], actor)
        return outcome

    async def _in_worker(self, target: str, body: Body, seconds: float) -> Any:
        with intake.in_worker(seconds):
            return await self._document_pool.run(target, body, seconds)

    async def _commit(self, items: Sequence[Item], actor: str) -> list[Outcome]:
        outcomes: list[Outcome | None] = [None] * len(items)
        good: list[tuple[int, Submission]] = []
        for number, item in enumerate(items):
            try:
                submission = item.submission(actor)
                await self._gate(submission)
                good.append((number, submission))
            except InvalidInput as error:
                outcomes[number] = Outcome(None, error, item.where)
        if good:
            receipts = await self.owner.append([submission for _, submission in good])
            for (number, _), receipt in zip(good, receipts, strict=True):
                outcomes[number] = Outcome(receipt, None, items[number].where)
            self.annotator.wake()
            self.verdicts.wake()
        return [outcome for outcome in outcomes if outcome]

    async def _gate(self, submission: Submission) -> None:
        """Profiles that reject are checked before the commit."""
        for profile in self.profiles.on("reject"):
            results = await self.annotator.validate(profile, submission.mapped)
            # a validation that failed has not shown that the record conforms
            bad = [r for r in results if r["severity"] in ("MUST", "ERROR")]
            if bad:
                raise Nonconforming(f"the record violates profile {profile}: {bad[0]['message']}", results)

    # -- profiles -----------------------------------------------------------------------------------------------------

    async def publish(self, name: str, data: bytes, media_type: str, actor: str, *, imports: bool = False) -> Published:
        """Shapes as the next version of a profile; the same bytes are the version that they were before.

        Nonconforming, with all findings, where something is wrong with them. Nothing is switched on by it.
        """
        upload = self.profiles.upload(name, data, media_type, imports=imports)
        findings = await self.validator.lint(upload)  # takes its time, and the next version is whose turn comes first
        async with self._publishing:
            known = self.profiles.known(name, data)
            if known is None:
                await self._recorded(self.profiles.publication(name, data, findings, actor))
            return Published(self.profiles.registry.find(name) if known is None else known, known is None, findings)

    async def use(self, named: str, mode: str, actor: str) -> str:
        """Use a version of a profile in a mode (annotate, reject, off) from now on; returns its token."""
        async with self._publishing:
            version = self.profiles.registry.find(named)
            submission = self.profiles.use(version, mode, actor)
            if submission is not None:
                await self._recorded(submission)
                self.annotator.use(self.profiles.on())
                self.verdicts.wake()
            return version.token

    async def tried(self, named: str, last: int | None) -> Trial:
        """A version of a profile tried on all records, or the last ones; what is in use stays as it is."""
        version = self.profiles.registry.find(named)
        against = self.profiles.used(version.name)
        if self._trying.locked():  # it takes one of few workers for up to a minute
            raise Busy("another profile is being tried", retry_after=10)
        async with self._trying:
            return await tried(self.validator, self.ledger, self.annotator, version.token, against, last)

    async def _recorded(self, submission: Submission) -> None:
        await self.owner.append([submission])
        self.profiles.catch_up()
        self.annotator.wake()
        self.verdicts.wake()

    # -- out ----------------------------------------------------------------------------------------------------------

    async def snapshot(self, min_index: int | None) -> Snapshot:
        """The newest snapshot, holding `min_index` if one is given; NotYetApplied where it takes too long."""
        self._known(min_index)
        return await self.owner.snapshot(-1 if min_index is None else min_index)

    async def search(self, request: search.Request, min_index: int | None) -> search.Found:
        """The answer to a search, holding `min_index` if one is given; NotYetApplied where it takes too long."""
        await self._applied(min_index)
        return await asyncio.to_thread(self._searcher.search, request)

    async def described(self, iris: Iterable[str]) -> dict[str, dict[str, Any]]:
        """What the search index holds of things, by IRI: kind, name, owners, …; an unknown one is left out."""
        return await asyncio.to_thread(self._searcher.described, list(iris))

    async def superseding(self, record: str) -> list[str]:
        """The records that supersede a record, by their IRIs, as far as the views are."""
        return await asyncio.to_thread(self._searcher.superseding, record)

    async def _applied(self, index: int | None) -> None:
        """Wait until the view database, which search and lineage read, holds an index; NotYetApplied in the end."""
        self._known(index)
        until = asyncio.get_running_loop().time() + _PATIENCE
        while index is not None and (applied := await asyncio.to_thread(self._searcher.applied)) < index:
            if asyncio.get_running_loop().time() > until:
                raise NotYetApplied(f"index {index} is not applied yet; the views are at {applied}", retry_after=1)
            await asyncio.sleep(_LOOK)

    def _known(self, index: int | None) -> None:
        if index is not None and index > self.ledger.head:
            raise NotFound(f"the ledger has no index {index} yet; its newest is {self.ledger.head}")

    async def sparql(
        self,
        query: str,
        accept: str | None,
        *,
        min_index: int | None = None,
        timeout: float | None = None,
        default_graphs: tuple[str, ...] = (),
        named_graphs: tuple[str, ...] = (),
    ) -> Answer:
        """The whole answer to a query, with the ledger index it was computed at."""
        snapshot = await self.snapshot(min_index)
        return await self._queries.ask(
            query, accept, snapshot, timeout=timeout, default_graphs=default_graphs, named_graphs=named_graphs
        )

    async def place(self, query: str) -> Place | None:
        """Where a query that was refused stops being SPARQL; None where that is not known."""
        return await self._queries.place(query)

    async def canned(self, name: str, values: dict[str, str], accept: str | None, min_index: int | None) -> Answer:
        """The answer to a canned query; NotFound where there is none of the name, QueryRefused for its parameters."""
        return await self.sparql(queries.bind(queries.find(name), values), accept, min_index=min_index)

    async def lineage(self, question: Asked, min_index: int | None) -> Told:
        """The answer to a question of lineage or impact (`provstore.lineage.ask`).

        What a picture shows goes by the names that records give, where they give any.
        """
        await self._applied(min_index)
        told = await self._lineage.ask(question)
        shown = [node for node in told.json.get("nodes", ()) if "name" in node]
        if shown:
            described = await self.described(node["iri"] for node in shown)
            for node in shown:
                node["name"] = described.get(node["iri"], node)["name"]
        return told

    async def serialise(self, quads: bytes, media_type: str) -> bytes:
        """A record's quads in another RDF syntax."""
        found: bytes = await self._query_pool.run("provstore.store.serialise:serialise", (quads, media_type), 10)
        return found

    async def converted(self, turtle: bytes, base: str, media_type: str) -> bytes:
        """Turtle in another RDF syntax."""
        task = (turtle, base, media_type)
        found: bytes = await self._query_pool.run("provstore.store.serialise:converted", task, 10)
        return found

    async def export(self, selection: Selection) -> tuple[Path, Exported]:
        """A package as a ZIP file that the receiver removes; Busy where enough others are being made."""
        if self._exporting >= _EXPORTS:
            raise Busy(f"{_EXPORTS} exports are being made already", retry_after=10)
        self._exports.mkdir(exist_ok=True)
        archive = export.scratch(self._exports)
        workers = export.Workers(self._query_pool, self._queries, self.settings.query_timeout_seconds)
        sources = export.Running(workers, self.ledger, self.owner, self._lineage)
        self._exporting += 1
        try:
            return archive, await asyncio.to_thread(export.export, sources, selection, archive)
        finally:
            self._exporting -= 1

    def record(self, digest: str) -> list[int]:
        """The ledger indices of a record by the digest in its IRI; NotFound where there is none."""
        found = self.ledger.find(f"{self.base}/record/{digest}")
        if not found:
            raise NotFound(f"no record {digest}")
        return found

    def status(self) -> dict[str, Any]:
        """What `/health` says: sizes, lag, whether lineage is there already, backlog."""
        head = self.ledger.head
        return {
            "status": "ok",
            "base": self.base,
            "entries": head + 1,
            "head": head,
            "applied": self.owner.applied,
            "lineage": self._lineage.ready,
            "validation": self.annotator.backlog(),
            "verdicts": self.verdicts.status(),
        }
