"""A thing put together from lineage, triples, facets and validation: all bounded, the queries side by side."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from provstore import rdf, search
from provstore.core.service import Service
from provstore.core.things import statements
from provstore.core.things.gaps import gaps_of
from provstore.core.things.schema import columns_of
from provstore.core.things.thing import Owner, Record, Reference, Said, Thing, Verdict
from provstore.errors import NotFound
from provstore.lineage.around import Around, around, nodes_of
from provstore.lineage.ask import Asked
from provstore.lineage.graph import LineageGraph
from provstore.lineage.questions import moment_of
from provstore.queries import CannedQuery
from provstore.views import facets as stated
from provstore.views.search import facets_in_force
from provstore.views.texts import FACETS, member

_MEASURED = frozenset({"Dataset", "Version", "WriteState", "ReadState", "ModelVersion", "Model", "Slice"})
_MEASURED |= {"Evaluation", "TrainingRun", "Run"}
#: Kinds whose page tells of the model behind them.
_MODELLED = frozenset({"ModelVersion", "RegistryVersion", "Prediction", "Decision"})
_KEYS = tuple(sorted(FACETS | stated.DECIDING))
#: How many records are shown: the latest, and the first.
_RECORDS = 10
_RESULTS = 10


async def resolved(service: Service, named: str, min_index: int | None) -> str:
    """The IRI that a name means which only one dataset, model or job has.

    NotFound where there is none, or several are called so.
    """

    def find(graph: LineageGraph) -> dict[str, Any]:
        return {"index": graph.index, "iris": moment_of(graph, None, None).named(named)}

    told = await service.lineage(Asked(find, "iris", ()), min_index)
    found: list[str] = told.json["iris"]
    if not found:
        answer = await service.search(search.Request(named, {}, 50), min_index)
        found = [each["iri"] for each in answer.results if each["name"] == named]
    if len(found) == 1:
        return found[0]
    if found:
        raise NotFound(f"{len(found)} things are called {named[:100]!r}: ask by the IRI of one")
    raise NotFound(f"nothing is called {named[:200]!r}")


async def described_thing(
    service: Service, iri: str, *, at: int | None = None, as_of: str | None = None, min_index: int | None = None
) -> Thing:
    """Everything that a page about a thing says; NotFound where nothing recorded names it.

    `at` and `as_of` are the moment at which lineage is told; what describes the thing is what is said now. The index of
    the answer is the lowest of its parts, none of which is below `min_index`.
    """
    statements.bound(statements.STATEMENTS, iri)  # what is no IRI is found out here
    try:
        found, facets = await _around(service, Around(iri, at, as_of), min_index)
    except NotFound:
        if at is not None or as_of is not None:
            raise
        found, facets = None, {}
    kind = found["kind"] if found else ""
    said = await _said(service, iri, kind, min_index)
    if found is None and not said.statements and not said.references:
        raise NotFound(f"nothing recorded names {iri[:200]}")
    nodes = await _nodes(service, said, at, as_of)
    thing = _told(service.base, iri, kind, found, facets, _dated(said, nodes))
    own = (await service.described([iri])).get(iri, {})
    owners = tuple(_owner(service.base, name) for name in own.get("owners", ()))
    named = {iri, *_mentioned(thing), *_iris(list(nodes.values())), *(owner.iri for owner in owners)}
    described = await service.described(named)
    thing = replace(
        thing,
        described=described,
        nodes=nodes,
        at=at,
        as_of=as_of,
        name=own.get("name", ""),
        namespace=own.get("namespace", ""),
        owners=owners,
        tags=tuple(own.get("tags", ())),
        verdicts=_verdicts(service, iri),
    )
    return replace(thing, gaps=gaps_of(thing))


def _verdicts(service: Service, iri: str) -> tuple[Verdict, ...]:
    return tuple(
        Verdict(each.profile, each.conforms, each.severity, each.count, each.at, tuple(results[:_RESULTS]))
        for each, results in service.verdicts.of(iri)
    )


async def _nodes(service: Service, said: Said, at: int | None, as_of: str | None) -> dict[str, dict[str, Any]]:
    """What lineage knows of what checks, measurements and references are of or from, by IRI."""
    iris = {check.of for check in said.checks} | {each.first for each in said.references}
    iris |= {iri for m in said.measures for iri in (m.of, m.iri, m.by, m.on) if iri}
    iris |= {iri for each in said.behind for iri in (each.of, each.iri)}
    if not iris:
        return {}
    told = await service.lineage(Asked(lambda graph: nodes_of(graph, iris, at, as_of), "nodes", ()), None)
    return {node["iri"]: node for node in told.json["nodes"]}


def _dated(said: Said, nodes: dict[str, dict[str, Any]]) -> Said:
    """Checks and measurements with when they were made, the latest first, and failed checks before the others."""

    def when(*iris: str) -> str | None:
        return next((nodes[iri]["time"] for iri in iris if "time" in nodes.get(iri, {})), None)

    checks = sorted(
        (replace(check, when=when(check.of)) for check in said.checks), key=lambda c: c.when or "", reverse=True
    )
    measures = sorted(
        (replace(m, when=when(m.iri, m.of)) for m in said.measures), key=lambda m: m.when or "", reverse=True
    )
    return replace(said, checks=tuple(sorted(checks, key=lambda c: c.outcome != "failed")), measures=tuple(measures))


def _owner(base: str, name: str) -> Owner:
    """The owner that the search index names: `team:risk-data`, or the IRI of an agent that is none of the store's."""
    known = name.partition(":")[0] in ("user", "team", "application", "service") or not rdf.is_iri(name)
    return Owner(name, stated.owner_agent(base, name) if known else name)


async def _around(service: Service, question: Around, min_index: int | None) -> tuple[dict[str, Any], dict[str, Any]]:
    """What lineage tells, and the facets in force by key, both of one ledger index."""

    def compute(graph: LineageGraph) -> dict[str, Any]:
        told = around(graph, question)
        own = stated.all_in_force(graph.database, question.entity, _KEYS)
        facets = {key: facet.value for key, facet in own.items() if facet.value is not None}
        facets |= facets_in_force(graph.database, question.entity)
        return {"index": told["index"], "around": told, "facets": facets}

    told = await service.lineage(Asked(compute, "", ()), min_index)
    return told.json["around"], told.json["facets"]


async def _said(service: Service, iri: str, kind: str, min_index: int | None) -> Said:
    """What the triples say; the queries that fit the kind, side by side."""
    wanted: dict[str, CannedQuery] = {
        "statements": statements.STATEMENTS,
        "parts": statements.PARTS,
        "parameters": statements.PARAMETERS,
        "records": statements.RECORDS,
        "references": statements.REFERENCES,
        "usages": statements.USAGES,
    }
    if kind in _MEASURED:
        wanted |= {"checks": statements.CHECKS, "measures": statements.MEASURES}
    if kind in ("Model", "ModelVersion", "RegistryVersion", "AliasAssignment"):
        wanted["aliases"] = statements.ALIASES
    if kind in _MODELLED:
        wanted["usages"] = statements.BEHIND
    answers = await asyncio.gather(*(statements.rows(service, each, iri, min_index) for each in wanted.values()))
    found = {name: answer for name, (answer, _) in zip(wanted, answers, strict=True)}
    records = found["records"]
    if not records:
        records, _ = await statements.rows(service, statements.MENTIONS, iri, min_index)
    parts = statements.parts_of(found["parts"])
    usages, code = statements.usages_of(found["usages"], iri)
    models = {row["of"].text for row in found["usages"] if "of" in row} - ({iri} if kind != "ModelVersion" else set())
    measures = statements.measures_of(found.get("measures", ()))
    parameters, attributes = statements.parameters_of(found["parameters"][: statements.MOST])
    return Said(
        statements.statements_of(found["statements"]),
        parameters,
        len(found["parameters"]) > statements.MOST,
        attributes,
        statements.behind_of(found["usages"] if kind in _MODELLED else (), models),
        usages,
        parts.roles,
        (*parts.code, *code),
        parts.amounts,
        statements.checks_of(found.get("checks", ())),
        measures[: statements.MOST_MEASURES],
        len(measures) > statements.MOST_MEASURES,
        statements.aliases_of(found.get("aliases", ()), iri),
        *_records(service, records),
        tuple(
            sorted(
                Reference(row["property"].text, int(row["n"].text), row["first"].text)
                for row in found["references"]
                if "first" in row  # the sum over nothing is a row without one
            )
        ),
        min(index for _, index in answers),
    )


def _records(service: Service, found: Iterable[statements.Row]) -> tuple[tuple[Record, ...], int, bool]:
    """The latest records and the first, with what their validation found; how many, and whether there are more."""
    held: dict[str, statements.Row] = {}
    for row in sorted(found, key=lambda row: int(row["index"].text)):
        held.setdefault(row["record"].text, row)
    order = sorted(held.values(), key=lambda row: int(row["index"].text), reverse=True)
    shown = order if len(order) <= _RECORDS else [*order[: _RECORDS - 1], order[-1]]
    return tuple(_record(service, row) for row in shown), len(order), len(order) > statements.MOST


def _record(service: Service, row: statements.Row) -> Record:
    index = int(row["index"].text)
    results = service.annotator.results(index)
    states = [each["conforms"] for each in results]
    conforms = False if False in states else None if None in states or not states else True
    lacks = sum(len([r for r in each["results"] if r["severity"] in ("MUST", "ERROR")]) for each in results)
    return Record(
        row["record"].text,
        index,
        row["received"].text if "received" in row else None,
        row["superseded"].text if "superseded" in row else None,
        bool(results),
        conforms,
        lacks,
    )


def _told(base: str, iri: str, kind: str, found: dict[str, Any] | None, facets: dict[str, Any], said: Said) -> Thing:
    columns = columns_of(base, facets)
    return Thing(
        iri,
        kind or _kind_of(said),
        min(said.index, found["index"]) if found else said.index,
        found,
        said,
        description=_description(facets, said),
        columns=columns,
        sql=member(facets.get("sql"), "query"),
        error=member(facets.get("errorMessage"), "message"),
    )


#: Of how many columns the sources are named.
_COLUMNS = 100
_TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
_TEXTS = ("http://purl.org/dc/terms/description", "http://www.w3.org/2000/01/rdf-schema#comment")


def _kind_of(said: Said) -> str:
    types = [each.text for each in said.of(_TYPE)]
    return types[0].replace("#", "/").rpartition("/")[2] if types else ""


def _description(facets: dict[str, Any], said: Said) -> str:
    texts = [term.text for each in _TEXTS for term in said.of(each)]
    return member(facets.get("documentation"), "description") or "\n".join(dict.fromkeys(texts))


def _mentioned(thing: Thing) -> set[str]:
    """The IRIs that a page about a thing names."""
    found = set(_iris(thing.around)) if thing.around else set()
    said = thing.said
    found |= {each.value.text for each in said.statements if each.value.is_iri}
    found |= {iri for each in said.roles for iri in (each.agent, each.role, each.plan) if iri}
    found |= {each.of for each in said.checks} | {each.of for each in said.measures}
    found |= {iri for each in said.measures for iri in (each.by, each.on) if iri}
    found |= {iri for each in said.behind for iri in (each.of, each.iri)}
    found |= {iri for each in (*said.parameters, *said.attributes) for iri in each.of}
    found |= {iri for each in said.aliases for iri in (each.version, each.by) if iri}
    found |= {each.first for each in said.references}
    found |= {dataset for column in thing.columns[:_COLUMNS] for dataset, _, _ in column.sources}
    return found | {asset.rpartition("/")[0].rpartition("/")[0] for asset in found if "/dataset/" in asset}


def _iris(value: Any) -> Iterable[str]:
    """Every IRI in a JSON value of lineage."""
    if isinstance(value, dict):
        for name, each in value.items():
            if name in ("iri", "asset", "activity", "subject", "object") and isinstance(each, str):
                yield each
            elif name in ("onBehalfOf", "types"):
                yield from each
            else:
                yield from _iris(each)
    elif isinstance(value, list):
        for each in value:
            yield from _iris(each)
