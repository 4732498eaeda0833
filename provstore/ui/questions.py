"""The pages of the canned queries: the catalogue by topic, and each as a form with its answer."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from fastapi.responses import Response

from provstore import queries, search
from provstore.core.service import Service
from provstore.errors import ProvStoreError
from provstore.queries import CannedQuery, Parameter
from provstore.ui import names, render
from provstore.ui.answers import Table, taken

#: Topic → what its questions are about; a topic that is not named here comes last, as it is.
TOPICS = {
    "lineage": ("Lineage", "Where something came from, and what was made from it."),
    "impact": ("Impact", "What a bad input, column or model has reached."),
    "audit": ("Audit", "Who did what, what changed, and what is missing."),
    "bias": ("Bias", "Groups a model does worse for, and the sources behind that."),
    "quality": ("Quality", "Checks that failed, and data that were used all the same."),
    "catalogue": ("Catalogue", "What there is: datasets, jobs, runs, models, owners, tags."),
    "integrity": ("Integrity", "What the answers rest on: records, conclusions, and what stays unknown."),
}
#: Defaults that mean "no bound", in words.
_UNBOUND = {
    "0001-01-01T00:00:00Z": "from the beginning",
    "9999-12-31T00:00:00Z": "until now",
    "999999999999": "the newest",
    "": "any",
}
_WANTED = {
    "iri": "an IRI, such as {}",
    "string": "a text, such as {}",
    "integer": "a whole number, such as {}",
    "number": "a number, such as {}",
    "boolean": "true or false",
    "dateTime": "a day or a time with its offset, such as {} or 2026-03-06T12:00:00Z",
}
_CANDIDATES = 6


@dataclass(frozen=True, slots=True)
class Field:
    """One parameter as a form shows it; `found` are things whose names are what was typed where an IRI is wanted."""

    parameter: Parameter
    value: str
    wrong: bool
    placeholder: str
    example: str
    found: list[tuple[names.Thing, str]]

    @property
    def input(self) -> str:
        """The kind of input: number, select or text."""
        return {"integer": "number", "number": "number", "boolean": "select"}.get(self.parameter.type, "text")

    @property
    def wanted(self) -> str:
        return _WANTED[self.parameter.type].format(self.parameter.example or "…")


def catalogue() -> Response:
    """Every canned query, by topic."""
    topics: dict[str, list[CannedQuery]] = {name: [] for name in TOPICS}
    for query in queries.catalogue().values():
        topics.setdefault(query.name.partition("/")[0], []).append(query)
    listed = [(*TOPICS.get(name, (name, "")), name, held) for name, held in topics.items() if held]
    return render.page("questions.html", alternates={"application/json": "/queries?format=json"}, topics=listed)


async def question(service: Service, name: str, given: Mapping[str, str], min_index: int | None) -> Response:
    """A canned query as a form, with its answer where all that it needs is given, or beside each field what is wrong.

    The page's status is 400 where a value is wrong, that of the error where there is no answer, and else 200.
    """
    query = queries.find(name)
    values = {key: value for key, value in given.items() if value != ""}
    faults = queries.faults(query, values)
    unknown = sorted(set(values) - {"limit", *(each.name for each in query.parameters)})
    ready = not faults and not unknown
    answer = await _answered(service, query, values, min_index) if ready else {"table": None, "error": None}
    wrong = unknown or any(values.get(key) for key in faults)
    return render.page(
        "question.html",
        alternates={"application/json": _address(query, {**values, "format": "json"})} if ready else {},
        status=answer["error"].status if answer["error"] else 400 if wrong else 200,
        query=query,
        topic=TOPICS.get(name.partition("/")[0], (name.partition("/")[0], ""))[0],
        description=_linked(query.description),
        fields=[await _field(service, query, each, values, each.name in faults) for each in query.parameters],
        limit={"value": values.get("limit", ""), "most": queries.MAX_LIMIT, "wrong": "limit" in faults},
        unknown=unknown,
        bound=queries.bind(query, values) if ready else "",
        example=_address(query, {each.name: each.example for each in query.parameters}),
        downloads={form: _address(query, {**values, "format": form}) for form in ("csv", "tsv", "json", "xml")},
        filename=name.replace("/", "-"),
        **answer,
    )


async def _answered(
    service: Service, query: CannedQuery, values: dict[str, str], min_index: int | None
) -> dict[str, Any]:
    begun = time.monotonic()
    try:
        answer = await service.canned(query.name, values, "text/tab-separated-values", min_index)
        return await shown(service, await asyncio.to_thread(taken, answer, graph=False), answer.index, begun)
    except ProvStoreError as error:
        return {"table": None, "error": error}


async def shown(service: Service, table: Table, index: int, begun: float) -> dict[str, Any]:
    """What the template of an answer needs: its table with names, the index it is of, and how long it took."""
    described = await service.described(table.iris())
    seconds = time.monotonic() - begun
    return {
        "table": table,
        "cells": table.cells(described),
        "counts": table.counts(),
        "index": index,
        "took": f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms",
        "error": None,
    }


async def _field(
    service: Service, query: CannedQuery, parameter: Parameter, values: dict[str, str], faulty: bool
) -> Field:
    value = values.get(parameter.name, "")
    found = []
    if faulty and value and parameter.type == "iri":
        answer = await service.search(search.Request(value, limit=_CANDIDATES), None)
        for each in answer.results:
            thing = names.Thing(each["iri"], each["name"], names.spaced(each["kind"]), names.role(each["kind"]))
            found.append((thing, _address(query, {**values, parameter.name: thing.iri})))
    unbound = parameter.default or ""
    return Field(
        parameter,
        value,
        faulty and bool(value),
        _UNBOUND.get(unbound, unbound) if not parameter.required else "",
        _address(query, {**values, parameter.name: parameter.example}),
        found,
    )


def _linked(text: str) -> list[tuple[str, str]]:
    """Pieces of a text with the address of the question that each names, '' for the others."""
    known = queries.catalogue()
    return [(piece, f"/queries/{piece}" if piece in known else "") for piece in re.split(r"([a-z]+/[a-z_]+)", text)]


def _address(query: CannedQuery, values: Mapping[str, str]) -> str:
    return f"/queries/{query.name}?{urlencode(values, errors='replace')}"
