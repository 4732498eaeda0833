"""What the triples say of a thing, by bounded queries on a snapshot: very many neighbours cost little more."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Container, Iterable
from dataclasses import dataclass, replace
from typing import Any

from provstore import queries
from provstore.core.service import Service
from provstore.core.things.thing import Alias, Behind, Check, Measure, Parameter, Role, Statement, Term
from provstore.errors import NotFound, QueryRefused
from provstore.queries import CannedQuery
from provstore.store.query import Answer
from provstore.views.edges import RELATIONS, TIMES
from provstore.vocab import DQV, EARL, PROV, PS, SCHEMA

Row = dict[str, Term]

#: The most statements, parts or records that are looked at.
MOST = 1000
MOST_MEASURES = 500

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
            PROV.qualifiedInvalidation,
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
_HOLDERS = "{ BIND(?_entity AS ?holder) } UNION { ?_entity prov:wasGeneratedBy ?holder }"
#: Who speaks of how a thing was made: itself, what made it, the versions of their jobs.
_SPEAKERS = (
    "{ BIND(?_entity AS ?of) } UNION { ?_entity prov:wasGeneratedBy ?of }"
    " UNION { ?_entity ps:jobVersion|(prov:wasGeneratedBy/ps:jobVersion) ?of }"
)
PARTS = _query(
    "parts",
    f"""SELECT ?link ?part ?property ?value WHERE {{
  {{ SELECT ?link ?part WHERE {{
      {_SPEAKERS}
      VALUES ?link {{ prov:qualifiedAssociation prov:qualifiedAttribution prov:qualifiedGeneration ps:content }}
      ?of ?link ?part }} LIMIT {MOST} }}
  ?part ?property ?value }}""",
)
PARAMETERS = _query(
    "parameters",
    f"""SELECT ?link ?of ?key ?value WHERE {{
  {{ SELECT ?link ?of ?key ?value WHERE {{
      {{ SELECT ?of ?link ?part WHERE {{
          {_SPEAKERS}
          VALUES ?link {{ ps:parameter schema:additionalProperty }} ?of ?link ?part }} LIMIT {10 * MOST} }}
      OPTIONAL {{ ?part ps:key ?named }} OPTIONAL {{ ?part schema:propertyID ?id }}
      OPTIONAL {{ ?part schema:name ?title }}
      BIND(COALESCE(?named, ?id, ?title) AS ?key) FILTER(BOUND(?key))
      OPTIONAL {{ ?part ps:value ?set }} OPTIONAL {{ ?part schema:value ?given }} OPTIONAL {{ ?part prov:value ?said }}
      BIND(COALESCE(?set, ?given, ?said) AS ?value) }} ORDER BY ?key ?value ?of LIMIT {MOST + 1} }} }}""",
)
USAGES = _query(
    "usages",
    f"""SELECT DISTINCT ?used ?role ?code WHERE {{
  {{ {{ SELECT ?usage WHERE {{ {_HOLDERS} ?holder prov:qualifiedUsage ?usage }} LIMIT {MOST} }}
    ?usage prov:entity ?used ; prov:hadRole ?role }}
  UNION {{ {{ SELECT ?code WHERE {{ {_HOLDERS} ?holder prov:used ?code }} LIMIT {2 * MOST} }}
    ?code a ps:CodeVersion }} }}""",
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
    f"""SELECT DISTINCT ?measure ?of ?metric ?title ?value ?column ?slice ?sliceColumn ?sliceValue ?by ?on WHERE {{
  {{ SELECT DISTINCT ?measure WHERE {{
      {{ ?measure dqv:computedOn ?_entity }} UNION {{ ?measure ps:onSlice ?_entity }}
      UNION {{ ?measure prov:wasGeneratedBy ?_entity . ?measure a dqv:QualityMeasurement }}
      UNION {{ {{ SELECT ?state WHERE {{ ?state prov:specializationOf ?_entity }} LIMIT {2 * MOST} }}
               ?measure dqv:computedOn ?state }} }} LIMIT {MOST_MEASURES + 1} }}
  ?measure dqv:computedOn ?of ; dqv:isMeasurementOf ?metric ; dqv:value ?value .
  OPTIONAL {{ ?metric dct:title ?title }} OPTIONAL {{ ?measure ps:column ?column }}
  OPTIONAL {{ ?measure prov:wasGeneratedBy ?by }} OPTIONAL {{ ?measure ps:onDataset ?on }}
  OPTIONAL {{ ?measure ps:onSlice ?slice
    OPTIONAL {{ ?slice ps:column ?sliceColumn }} OPTIONAL {{ ?slice prov:value ?sliceValue }} }} }}""",
)
_MODELS = (
    "{ { BIND(?_entity AS ?of) } UNION { ?_entity prov:wasDerivedFrom ?of . ?of a ps:ModelVersion }"
    " UNION { ?_entity prov:wasDerivedFrom/prov:wasDerivedFrom ?of . ?of a ps:ModelVersion } }"
)
#: As `USAGES`, of a thing and the models that it rests on; what those are registered as, and who decided on it.
BEHIND = _query(
    "behind",
    f"""SELECT DISTINCT ?of ?run ?it ?class ?used ?role ?dirty ?by ?value ?registered WHERE {{
  {{ {{ SELECT DISTINCT ?of ?run ?it WHERE {{
        {{ SELECT DISTINCT ?of ?run WHERE {{ {_MODELS} ?of prov:wasGeneratedBy ?run }} LIMIT 10 }}
        OPTIONAL {{ ?run prov:used|prov:qualifiedUsage ?it }} }} LIMIT {2 * MOST} }}
    OPTIONAL {{ VALUES ?class {{ ps:CodeVersion ps:Environment ps:ReadState }} ?it a ?class }}
    OPTIONAL {{ ?it prov:hadRole ?role OPTIONAL {{ ?it prov:entity ?used }} }}
    OPTIONAL {{ ?it ps:dirty ?dirty }} }}
  UNION {{ {{ SELECT ?registered WHERE {{ ?registered a ps:RegistryVersion }} LIMIT {10 * MOST} }}
    {_MODELS} ?registered prov:wasDerivedFrom ?of }}
  UNION {{ {{ SELECT ?of WHERE {{ ?of prov:wasDerivedFrom ?_entity . ?of a ps:Decision }} LIMIT 10 }}
    ?of prov:wasGeneratedBy/prov:wasAssociatedWith ?by OPTIONAL {{ ?of prov:value ?value }} }} }}""",
)
ALIASES = _query(
    "aliases",
    f"""SELECT DISTINCT ?assignment ?alias ?version ?of ?since ?after ?until ?gone ?end ?by WHERE {{
  {{ SELECT DISTINCT ?version WHERE {{
      {{ BIND(?_entity AS ?version) }} UNION {{ ?version prov:specializationOf ?_entity }}
      UNION {{ ?_entity prov:specializationOf ?model . ?version prov:specializationOf ?model }}
      UNION {{ ?_entity ps:assigns ?version }}
      UNION {{ {{ SELECT ?model WHERE {{ ?registered a ps:RegistryVersion . ?registered prov:wasDerivedFrom ?_entity .
                ?registered prov:specializationOf ?model }} LIMIT 20 }}
              ?version prov:specializationOf ?model }} }} LIMIT {MOST} }}
  ?assignment ps:assigns ?version ; ps:alias ?alias .
  OPTIONAL {{ ?version a ps:RegistryVersion . ?version prov:wasDerivedFrom ?of }}
  OPTIONAL {{ ?assignment prov:generatedAtTime ?at }}
  OPTIONAL {{ ?assignment prov:qualifiedGeneration ?generation . ?generation ps:latest ?by_then
    OPTIONAL {{ ?generation ps:earliest ?after }} }}
  BIND(COALESCE(?at, ?by_then) AS ?since)
  OPTIONAL {{ ?assignment prov:invalidatedAtTime ?gone_at }}
  OPTIONAL {{ ?assignment prov:wasInvalidatedBy ?end }}
  OPTIONAL {{ ?assignment prov:qualifiedInvalidation ?invalidation . ?invalidation ps:latest ?gone_by
    OPTIONAL {{ ?invalidation ps:earliest ?gone }} }}
  BIND(COALESCE(?gone_at, ?gone_by) AS ?until)
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

    roles: tuple[Role, ...]
    code: tuple[dict[str, str], ...]
    amounts: tuple[tuple[str, str], ...]


def parts_of(found: Iterable[Row]) -> Parts:
    """Roles of agents, where code is, and amounts, from the nodes that say them."""
    held: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    for row in found:
        held[row["link"].text, row["part"].text].setdefault(f"<{row['property'].text}>", row["value"].text)
    roles: set[Role] = set()
    amounts: set[tuple[str, str]] = set()
    code: list[dict[str, str]] = []
    for (link, _), said in held.items():
        if f"<{link}>" == PS.content:
            named = {name: said[PS[name]] for name in ("commit", "repository", "branch", "codeUrl") if PS[name] in said}
            if named and named not in code:
                code.append(named)
        elif f"<{link}>" == PROV.qualifiedGeneration:
            amounts |= {(name, said[PS[name]]) for name in ("rowCount", "byteSize", "fileCount") if PS[name] in said}
        elif PROV.agent in said:
            roles.add(Role(said[PROV.agent], said.get(PROV.hadRole), said.get(PROV.hadPlan), said.get(PS.ownerType)))
    return Parts(
        tuple(sorted(roles, key=lambda r: (r.agent, r.role or "", r.plan or "", r.owner or ""))),
        tuple(sorted(code, key=lambda c: sorted(c.items()))),
        tuple(sorted(amounts)),
    )


def parameters_of(found: Iterable[Row]) -> tuple[tuple[Parameter, ...], tuple[Parameter, ...]]:
    """Parameters and tags by name, each once with all that say it; a tag that only repeats a parameter is one."""
    set_: dict[tuple[str, str], set[str]] = defaultdict(set)
    tagged: dict[tuple[str, str], set[str]] = defaultdict(set)
    for row in found:
        pair = (row["key"].text, _text(row, "value") or "")
        (set_ if f"<{row['link'].text}>" == PS.parameter else tagged)[pair].add(row["of"].text)
    for pair in set_.keys() & tagged.keys():
        set_[pair] |= tagged.pop(pair)
    return _in_order(set_), _in_order(tagged)


def _in_order(held: dict[tuple[str, str], set[str]]) -> tuple[Parameter, ...]:
    return tuple(Parameter(key, value, tuple(sorted(of))) for (key, value), of in sorted(held.items()))


#: Class of what a run used → what that is behind a model.
_USED = {PS.CodeVersion: "code", PS.Environment: "environment", PS.ReadState: "data"}


def behind_of(found: Iterable[Row], models: Container[str]) -> tuple[Behind, ...]:
    """What is behind `models`, and what was decided on a thing, in one order; a role is told where one is said."""
    made: dict[tuple[str, str, str], Behind] = {}
    for row in found:
        of, dirty = row["of"].text, _text(row, "dirty") in ("true", "1")
        for what, name, note in (("decided", "by", "value"), ("registered", "registered", ""), ("training", "run", "")):
            if name in row and (what == "decided" or of in models):
                made[of, what, row[name].text] = Behind(what, of, row[name].text, _text(row, note) or "")
        if of not in models:
            continue
        if "used" in row and "role" in row:
            one = Behind("data", of, row["used"].text, row["role"].text)
            made[of, "data", one.iri] = one
        elif "class" in row:
            one = Behind(_USED[f"<{row['class'].text}>"], of, row["it"].text, "", dirty)
            made.setdefault((of, one.what, one.iri), one)
    return tuple(made[key] for key in sorted(made))


def usages_of(found: Iterable[Row], iri: str) -> tuple[tuple[tuple[str, str], ...], tuple[dict[str, str], ...]]:
    """What a thing or its maker used, and as what; and the code among it."""
    own = [row for row in found if _text(row, "of") in (None, iri)]
    code = {row["code"].text for row in own if "code" in row}
    code |= {row["it"].text for row in own if f"<{_text(row, 'class')}>" == PS.CodeVersion}
    roles = {(row["used"].text, row["role"].text) for row in own if "used" in row}
    return tuple(sorted(roles)), tuple({"iri": each} for each in sorted(code))


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
    """Measurements, in one order; each once, by the shortest name of its metric."""
    made: dict[tuple[str, str, str], Measure] = {}
    for row in found:
        one = Measure(
            row["measure"].text,
            row["of"].text,
            _text(row, "title") or row["metric"].text,
            row["value"].text,
            *(_text(row, name) for name in ("column", "slice", "sliceColumn", "sliceValue", "by", "on")),
        )
        key = (one.iri, one.of, one.value)
        made[key] = min(made.get(key, one), one, key=lambda m: (len(m.metric), m.metric, m.by or "", m.on or ""))
    return tuple(sorted(made.values(), key=lambda m: (m.column or "", m.metric, m.of, m.slice or "", m.iri)))


def aliases_of(found: Iterable[Row], iri: str) -> tuple[Alias, ...]:
    """The names that versions of a model bore, latest first; of a version its own, of a logged model those it got."""
    given: dict[tuple[str, str], dict[str, Alias]] = defaultdict(dict)
    own: set[str] = set()
    for row in found:
        alias = Alias(
            row["alias"].text,
            row["version"].text,
            row["assignment"].text,
            "end" in row or "until" in row,
            *(_text(row, name) for name in ("since", "until", "by", "after", "gone")),
        )
        given[alias.alias, _model_of(alias)][alias.assignment] = alias
        if iri in (alias.version, alias.assignment, _text(row, "of")):
            own.add(alias.assignment)
    made: list[Alias] = []
    for held in given.values():
        order = sorted(held.values(), key=lambda a: (a.since or "", a.assignment))
        made += [_ended(one, after) for one, after in zip(order, [*order[1:], None], strict=True)]
    told = [each for each in made if each.assignment in own] or made
    return tuple(sorted(told, key=lambda a: (a.since or "", a.alias), reverse=True))


def _model_of(alias: Alias) -> str:
    """What tells aliases of one name in several registered models apart: a logged model may be in more than one."""
    return alias.version.partition("/version/")[0] if "/version/" in alias.version else ""


def _ended(one: Alias, after: Alias | None) -> Alias:
    """An assignment that ends when the name is given anew, where that is said to be when and comes first."""
    if after is None or not after.since or (one.until and one.until <= after.since):
        return one
    return replace(one, until=after.since, until_after=after.since_after, ended=True)


def _text(row: Row, name: str) -> str | None:
    return row[name].text if name in row else None
