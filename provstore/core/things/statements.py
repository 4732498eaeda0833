"""What the triples say of a thing, by bounded queries on a snapshot: very many neighbours cost little more."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from provstore import queries
from provstore.core.service import Service
from provstore.core.things.thing import Alias, Check, Measure, Parameter, Role, Statement, Term
from provstore.errors import NotFound, QueryRefused
from provstore.queries import CannedQuery
from provstore.store.query import Answer
from provstore.views.edges import RELATIONS, TIMES
from provstore.vocab import DQV, EARL, PROV, PS, SCHEMA

Row = dict[str, Term]

#: The most statements, parts or records that are looked at.
MOST = 1000

#: The prefixes of all these queries.
HEAD = """
PREFIX dct: <http://purl.org/dc/terms/>
PREFIX dqv: <http://www.w3.org/ns/dqv#>
PREFIX earl: <http://www.w3.org/ns/earl#>
PREFIX prov: <http://www.w3.org/ns/prov#>
PREFIX ps: <https://w3id.org/provstore/ns#>
PREFIX schema: <https://schema.org/>
"""
#: Statements that lineage tells, or that only hold a part together.
_ELSEWHERE = ", ".join(
    sorted(
        {
            *(set(RELATIONS) - {"<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>"}),
            *TIMES,
            *(PROV.qualifiedUsage, PROV.qualifiedGeneration, PROV.qualifiedDerivation, PROV.qualifiedInfluence),
            *(PROV.qualifiedAssociation, PROV.qualifiedAttribution, PROV.qualifiedStart, PROV.qualifiedEnd),
            *(PS.parameter, PS.currentDeclaration, SCHEMA.additionalProperty, PROV.wasRevisionOf),
        }
    )
)
#: Statements by which nodes that stand between things point at one; other parts tell what they say.
_APPARATUS = ", ".join(
    sorted(
        {
            *(PS.about, PS.on, PS.evidence, PS.onSlice, DQV.computedOn, EARL.subject),
            *(PROV.entity, PROV.activity, PROV.agent, PROV.hadActivity, PROV.hadPlan, PROV.influencer),
            *(PS.sourceDataset, PS.targetDataset),
        }
    )
)


def _query(name: str, text: str) -> CannedQuery:
    entity = queries.Parameter("entity", "iri", "the thing", "https://prov.example/prediction/1", None)
    return CannedQuery(name, name, name, (entity,), 10 * MOST, HEAD + text)


STATEMENTS = _query(
    "statements",
    f"""SELECT ?property ?value WHERE {{
  {{ SELECT ?property ?value WHERE {{
      ?_entity ?property ?value FILTER(?property NOT IN ({_ELSEWHERE})) }} LIMIT {MOST} }} }}""",
)
PARTS = _query(
    "parts",
    f"""SELECT ?link ?part ?property ?value WHERE {{
  {{ SELECT ?link ?part WHERE {{
      {{ BIND(?_entity AS ?holder) }} UNION {{ ?_entity prov:wasGeneratedBy ?holder }}
      VALUES ?link {{ ps:parameter prov:qualifiedAssociation prov:qualifiedAttribution prov:qualifiedGeneration
                      ps:content schema:additionalProperty }}
      {{ ?holder ?link ?part }} UNION {{ ?holder ps:jobVersion ?version . ?version ?link ?part }} }} LIMIT {MOST} }}
  ?part ?property ?value }}""",
)
CODE = _query(
    "code",
    f"""SELECT DISTINCT ?code WHERE {{
  {{ SELECT ?code WHERE {{
      {{ BIND(?_entity AS ?holder) }} UNION {{ ?_entity prov:wasGeneratedBy ?holder }}
      ?holder prov:used ?code }} LIMIT {2 * MOST} }}
  ?code a ps:CodeVersion }}""",
)
USAGES = _query(
    "usages",
    f"""SELECT DISTINCT ?used ?role WHERE {{
  {{ SELECT ?usage WHERE {{
      {{ BIND(?_entity AS ?holder) }} UNION {{ ?_entity prov:wasGeneratedBy ?holder }}
      ?holder prov:qualifiedUsage ?usage }} LIMIT {MOST} }}
  ?usage prov:entity ?used ; prov:hadRole ?role }}""",
)
CHECKS = _query(
    "checks",
    f"""SELECT DISTINCT ?check ?of ?test ?column ?outcome ?expected ?actual ?severity WHERE {{
  {{ SELECT DISTINCT ?of WHERE {{
      {{ BIND(?_entity AS ?of) }} UNION {{ ?of prov:specializationOf ?_entity }}
      UNION {{ {{ SELECT ?of WHERE {{ ?of prov:wasDerivedFrom ?_entity }} LIMIT {20 * MOST} }}
               FILTER EXISTS {{ ?of a ps:ReadState }} }} }} LIMIT {2 * MOST} }}
  ?check earl:subject ?of .
  ?check earl:result ?result . ?result earl:outcome ?outcome .
  OPTIONAL {{ ?check earl:test ?case
    OPTIONAL {{ ?case dct:title ?title }} OPTIONAL {{ ?case schema:additionalType ?type }} }}
  BIND(COALESCE(?title, ?type) AS ?test)
  OPTIONAL {{ ?check ps:column ?column }} OPTIONAL {{ ?check ps:severity ?severity }}
  OPTIONAL {{ ?result ps:expected ?expected }} OPTIONAL {{ ?result ps:actual ?actual }} }}""",
)
MEASURES = _query(
    "measures",
    f"""SELECT DISTINCT ?measure ?of ?metric ?title ?value ?column ?slice ?sliceColumn ?sliceValue WHERE {{
  {{ SELECT DISTINCT ?measure WHERE {{
      {{ ?measure dqv:computedOn ?_entity }} UNION {{ ?measure ps:onSlice ?_entity }}
      UNION {{ ?measure prov:wasGeneratedBy ?_entity . ?measure a dqv:QualityMeasurement }}
      UNION {{ {{ SELECT ?state WHERE {{ ?state prov:specializationOf ?_entity }} LIMIT {2 * MOST} }}
               ?measure dqv:computedOn ?state }} }} LIMIT {MOST} }}
  ?measure dqv:computedOn ?of ; dqv:isMeasurementOf ?metric ; dqv:value ?value .
  OPTIONAL {{ ?metric dct:title ?title }} OPTIONAL {{ ?measure ps:column ?column }}
  OPTIONAL {{ ?measure ps:onSlice ?slice
    OPTIONAL {{ ?slice ps:column ?sliceColumn }} OPTIONAL {{ ?slice prov:value ?sliceValue }} }} }}""",
)
ALIASES = _query(
    "aliases",
    f"""SELECT DISTINCT ?assignment ?alias ?version ?since ?until ?by WHERE {{
  {{ SELECT DISTINCT ?version WHERE {{
      {{ BIND(?_entity AS ?version) }} UNION {{ ?version prov:specializationOf ?_entity }}
      UNION {{ ?_entity prov:specializationOf ?model . ?version prov:specializationOf ?model }} }} LIMIT {MOST} }}
  ?assignment ps:assigns ?version ; ps:alias ?alias .
  OPTIONAL {{ ?assignment prov:generatedAtTime ?since }} OPTIONAL {{ ?assignment prov:invalidatedAtTime ?until }}
  OPTIONAL {{ ?assignment prov:wasGeneratedBy ?activity . ?activity prov:wasAssociatedWith ?by }} }}""",
)
RECORDS = _query(
    "records",
    f"""SELECT ?record ?index ?received ?superseded WHERE {{
  {{ SELECT DISTINCT ?graph WHERE {{ GRAPH ?graph {{ ?_entity ?property ?value }} }} LIMIT {MOST + 1} }}
  BIND(IF(CONTAINS(STR(?graph), "/bundle/"), IRI(STRBEFORE(STR(?graph), "/bundle/")), ?graph) AS ?record)
  ?record ps:ledgerIndex ?index .
  OPTIONAL {{ ?record ps:recordedAt ?received }} OPTIONAL {{ ?record ps:supersededBy ?superseded }} }}""",
)
MENTIONS = _query("mentions", RECORDS.text.removeprefix(HEAD).replace("?_entity ?property ?value", "?s ?p ?_entity"))
REFERENCES = _query(
    "references",
    f"""SELECT ?property (COUNT(*) AS ?n) (MIN(?subject) AS ?first) WHERE {{
  {{ SELECT ?property ?subject WHERE {{
      {{ ?subject ?property ?_entity FILTER(?property NOT IN ({_ELSEWHERE}, {_APPARATUS})) }}
      UNION {{ ?how prov:hadPlan ?_entity . ?subject prov:qualifiedAssociation ?how
              BIND(prov:hadPlan AS ?property) }} }}
    LIMIT {20 * MOST} }} }} GROUP BY ?property""",
)


def bound(query: CannedQuery, iri: str) -> str:
    """The text of a query about one thing; NotFound where an IRI is none, since nothing can be called so."""
    try:
        return queries.bind(query, {"entity": iri})
    except QueryRefused as error:
        raise NotFound(f"{iri[:200]!r} is no IRI") from error


async def rows(service: Service, query: CannedQuery, iri: str, min_index: int | None) -> tuple[list[Row], int]:
    """The rows of a query about one thing, and the ledger index of the answer."""
    answer = await service.sparql(bound(query, iri), "application/json", min_index=min_index)
    return await read_rows(answer), answer.index


async def read_rows(answer: Answer) -> list[Row]:
    """The rows of an answer in SPARQL's JSON; where they were spooled, the file is gone afterwards."""
    body = answer.body
    if answer.path:
        body = await asyncio.to_thread(answer.path.read_bytes)
        answer.path.unlink()
    bindings: list[dict[str, Any]] = json.loads(body)["results"]["bindings"]
    return [{name: _term(cell) for name, cell in row.items()} for row in bindings]


def _term(cell: dict[str, Any]) -> Term:
    return Term(cell["value"], cell["type"] == "uri", cell.get("datatype"), cell.get("xml:lang"))


def statements_of(found: Iterable[Row]) -> tuple[Statement, ...]:
    """Statements in order of their properties and values."""
    said = {Statement(row["property"].text, row["value"]) for row in found}
    return tuple(sorted(said, key=lambda s: (s.property, s.value.text, s.value.language or "")))


@dataclass(frozen=True, slots=True)
class Parts:
    """What nodes say that belong to a thing or its maker."""

    parameters: tuple[Parameter, ...]
    attributes: tuple[Parameter, ...]
    roles: tuple[Role, ...]
    code: tuple[dict[str, str], ...]
    amounts: tuple[tuple[str, str], ...]


def parts_of(found: Iterable[Row]) -> Parts:
    """Parameters, attributes, roles of agents, where code is, and amounts, from the nodes that say them."""
    held: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    for row in found:
        held[row["link"].text, row["part"].text].setdefault(f"<{row['property'].text}>", row["value"].text)
    parameters: set[Parameter] = set()
    attributes: set[Parameter] = set()
    roles: set[Role] = set()
    amounts: set[tuple[str, str]] = set()
    code: list[dict[str, str]] = []
    for (link, _), said in held.items():
        key = _first(said, PS.key, SCHEMA.propertyID, SCHEMA.name)
        if key and f"<{link}>" in (PS.parameter, SCHEMA.additionalProperty):
            held_in = parameters if f"<{link}>" == PS.parameter else attributes
            held_in.add(Parameter(key, _first(said, PS.value, SCHEMA.value, PROV.value) or ""))
        elif f"<{link}>" == PS.content:
            named = {name: said[PS[name]] for name in ("commit", "repository", "branch", "codeUrl") if PS[name] in said}
            if named and named not in code:
                code.append(named)
        elif f"<{link}>" == PROV.qualifiedGeneration:
            amounts |= {(name, said[PS[name]]) for name in ("rowCount", "byteSize", "fileCount") if PS[name] in said}
        elif PROV.agent in said:
            roles.add(Role(said[PROV.agent], said.get(PROV.hadRole), said.get(PROV.hadPlan), said.get(PS.ownerType)))
    return Parts(
        tuple(sorted(parameters, key=lambda p: (p.key, p.value))),
        tuple(sorted(attributes, key=lambda p: (p.key, p.value))),
        tuple(sorted(roles, key=lambda r: (r.agent, r.role or "", r.plan or "", r.owner or ""))),
        tuple(sorted(code, key=lambda c: sorted(c.items()))),
        tuple(sorted(amounts)),
    )


def _first(said: dict[str, str], *properties: str) -> str | None:
    return next((said[each] for each in properties if each in said), None)


def checks_of(found: Iterable[Row]) -> tuple[Check, ...]:
    """Checks, in one order."""
    made = {
        Check(
            row["of"].text,
            _text(row, "test") or "check",
            row["outcome"].text.rpartition("#")[2],
            *(_text(row, name) for name in ("column", "expected", "actual", "severity")),
        )
        for row in found
    }
    return tuple(sorted(made, key=lambda c: (c.of, c.column or "", c.test, c.actual or "")))


def measures_of(found: Iterable[Row]) -> tuple[Measure, ...]:
    """Measurements, in one order."""
    made = {
        Measure(
            row["measure"].text,
            row["of"].text,
            _text(row, "title") or row["metric"].text,
            row["value"].text,
            *(_text(row, name) for name in ("column", "slice", "sliceColumn", "sliceValue")),
        )
        for row in found
    }
    return tuple(sorted(made, key=lambda m: (m.column or "", m.metric, m.of, m.slice or "", m.iri)))


def aliases_of(found: Iterable[Row], iri: str) -> tuple[Alias, ...]:
    """The names that versions of a model bore, latest first; of a version its own."""
    given: dict[str, dict[str, Alias]] = defaultdict(dict)
    for row in found:
        alias = Alias(
            row["alias"].text,
            row["version"].text,
            row["assignment"].text,
            *(_text(row, name) for name in ("since", "until", "by")),
        )
        given[alias.alias][alias.assignment] = alias
    made: list[Alias] = []
    for held in given.values():
        order = sorted(held.values(), key=lambda a: (a.since or "", a.assignment))
        for one, after in zip(order, [*order[1:], None], strict=True):
            until = min(filter(None, (one.until, after.since if after else None)), default=None)
            made.append(Alias(one.alias, one.version, one.assignment, one.since, until, one.by))
    own = [each for each in made if each.version == iri]
    return tuple(sorted(own or made, key=lambda a: (a.since or "", a.alias), reverse=True))


def _text(row: Row, name: str) -> str | None:
    return row[name].text if name in row else None
