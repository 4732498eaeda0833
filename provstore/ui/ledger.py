"""The page of the ledger: its head, its entries with what each is about, and what all that proves."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi.responses import HTMLResponse

from provstore.core.service import Service
from provstore.errors import QueryRefused
from provstore.ledger.log import Ledger, Listed
from provstore.ui import names, render, statements
from provstore.ui.statements import Named

SHORT, MOST = 50, 500
_ABOUT = 3


@dataclass(frozen=True, slots=True)
class Line:
    """An entry of the list: who sent it, by name where that is held, and the things it is about first of all."""

    entry: Listed
    sender: str
    about: list[Named]


@dataclass(frozen=True, slots=True)
class Answer:
    """The head of the log, one page of its entries, and the address of the next page ('': there is none)."""

    size: int
    root: str
    checkpoint: str
    key: str
    lines: list[Line]
    next: str


async def answer(service: Service, before: int | None, limit: int | None) -> Answer:
    """The entries below an index (None: all), the newest first, and a checkpoint signed now."""
    if limit is not None and not 1 <= limit <= MOST:
        raise QueryRefused(f"parameter 'limit' must be 1 to {MOST}, got {limit}")
    ledger, many = service.ledger, limit or SHORT
    note = await service.owner.checkpoint()
    head = ledger.verifier.open(note)
    end = head.size if before is None else min(before, head.size)
    entries, about = await asyncio.to_thread(_read, ledger, end - many, end - 1)
    actors = ledger.actors()
    described = await service.described({iri for iris, _ in about.values() for iri in iris})
    lines = [_line(each, about[each.index], described, actors) for each in entries]
    after = names.address("/ledger", before=end - many, limit=limit) if end > many else ""
    return Answer(head.size, head.root.hex(), note, ledger.verifier.vkey(), lines, after)


def _read(ledger: Ledger, first: int, last: int) -> tuple[list[Listed], dict[int, tuple[list[str], int]]]:
    """Entries, and what each mentions: there may be much to inflate and to read."""
    entries = list(ledger.listed(first, last))
    return entries, {each.index: _mentioned(each) for each in entries}


def _mentioned(entry: Listed) -> tuple[list[str], int]:
    return statements.mentioned(statements.lines(entry.quads), entry.record, 40) if entry.quads else ([], 0)


def _line(
    entry: Listed, iris: tuple[list[str], int], described: Mapping[str, Mapping[str, Any]], actors: Mapping[str, str]
) -> Line:
    actor, (mentioned, about) = entry.said.get("actor", ""), iris
    return Line(entry, actors.get(actor, actor), statements.things(mentioned, described, about)[:_ABOUT])


def as_json(answer: Answer) -> dict[str, Any]:
    """An answer as programs get it."""
    return {
        "size": answer.size,
        "root": answer.root,
        "checkpoint": answer.checkpoint,
        "key": answer.key,
        "entries": [_entry(line) for line in answer.lines],
        "next": f"{answer.next}&format=json" if answer.next else None,
    }


def _entry(line: Line) -> dict[str, Any]:
    entry = line.entry
    held = {"record": entry.record, "mediaType": entry.media_type, "bytes": entry.size} if entry.record else {}
    about = [{"iri": e.thing.iri, "name": e.thing.name, "kind": e.thing.kind, "count": e.count} for e in line.about]
    damage = {"damage": entry.damage} if entry.damage else {}
    return {"index": entry.index, "entry": entry.said, **held, "about": about, **damage}


def page(answer: Answer) -> HTMLResponse:
    """An answer as a page."""
    last = answer.lines[0].entry.index if answer.lines else -1
    twin = names.address("/ledger", before=None if last + 1 == answer.size else last + 1, format="json")
    return render.page("ledger.html", alternates={"application/json": twin}, answer=answer)
