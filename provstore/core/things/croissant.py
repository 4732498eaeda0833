"""A dataset as a Croissant document: what is asked of the triples for it."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from provstore import queries
from provstore.core.service import Service
from provstore.core.things.statements import HEAD, MOST, Row, rows
from provstore.errors import NotFound
from provstore.export.croissant import Facts, croissant, statements
from provstore.queries import CannedQuery
from provstore.vocab import PS, RDF_TYPE


def _query(name: str, text: str) -> CannedQuery:
    entity = queries.Parameter("entity", "iri", "the dataset", "https://prov.example/dataset/file/%2Fa.csv", None)
    return CannedQuery(name, name, name, (entity,), 20 * MOST, HEAD + text)


#: The state that a dataset is in: the one written last, of several at once the last by name.
STATE = _query(
    "state",
    """SELECT ?state ?written WHERE { ?state prov:specializationOf ?_entity ; a ps:WriteState .
  OPTIONAL { ?state prov:generatedAtTime ?written } } ORDER BY DESC(?written) DESC(STR(?state))""",
)


def _around(first: str, second: str) -> str:
    """What a thing says, and what those say that it points to, and those that these do; single records left out."""
    return f"""SELECT DISTINCT ?subject ?property ?value WHERE {{
  {{ SELECT DISTINCT ?subject WHERE {{
      {{ BIND(?_entity AS ?subject) }}
      UNION {{ ?_entity ?p1 ?subject FILTER(?p1 IN ({first})) FILTER NOT EXISTS {{ ?subject a ps:RecordItem }} }}
      UNION {{ ?_entity ?p1 ?near . ?near ?p2 ?subject FILTER(?p1 IN ({first})) FILTER(?p2 IN ({second}))
               FILTER NOT EXISTS {{ ?near a ps:RecordItem }} }} }} LIMIT {MOST} }}
  ?subject ?property ?value
  FILTER(?property NOT IN (prov:used, prov:hadMember, prov:wasDerivedFrom) || ?subject = ?_entity)
  FILTER(isLiteral(?value) || NOT EXISTS {{ ?value a ps:RecordItem }}) }}"""


DATASET = _query("dataset", _around("prov:wasAttributedTo, dct:publisher, schema:usageInfo", "dct:title"))
AROUND = _query(
    "around",
    _around(
        "prov:specializationOf, prov:hadMember, prov:wasDerivedFrom, prov:wasGeneratedBy",
        "prov:specializationOf, prov:wasGeneratedBy, prov:wasAttributedTo, prov:wasAssociatedWith, ps:job",
    ),
)
SCHEMA = _query(
    "schema",
    """SELECT ?json WHERE { ?assertion ps:on ?_entity ; ps:key "schema" ; ps:content ?content .
  ?content ps:json ?json }""",
)
MEASURES = _query(
    "measures",
    f"""SELECT DISTINCT ?metric ?value ?column WHERE {{
  {{ SELECT DISTINCT ?state WHERE {{
      {{ BIND(?_entity AS ?state) }}
      UNION {{ ?state prov:wasDerivedFrom ?_entity . ?state a ps:ReadState }} }} LIMIT {MOST} }}
  ?measure dqv:computedOn ?state ; dqv:isMeasurementOf ?metric ; dqv:value ?value .
  OPTIONAL {{ ?measure ps:column ?column }} }}""",
)

Ask = Callable[[CannedQuery, str], Awaitable[list[Row]]]


async def croissant_of(service: Service, iri: str, min_index: int | None) -> tuple[dict[str, Any], int]:
    """The document of a dataset, and the ledger index that it stands at; NotFound where there is no such dataset."""
    at: list[int] = []

    async def ask(query: CannedQuery, about: str) -> list[Row]:
        found, index = await rows(service, query, about, min_index)
        at.append(index)
        return found

    return croissant(await facts_of(ask, iri)), min(at)


async def facts_of(ask: Ask, iri: str) -> Facts:
    """What a document of a dataset is made of, by whoever answers queries about things."""
    triples = _triples(await ask(DATASET, iri))
    if (iri, RDF_TYPE[1:-1], PS.Dataset[1:-1]) not in triples:
        raise NotFound(f"no record speaks of a dataset {iri[:200]!r}")
    states = await ask(STATE, iri)
    if not states:
        return Facts(iri, "", statements(triples), _schema(await ask(SCHEMA, iri)))
    state = states[0]["state"].text
    triples |= _triples(await ask(AROUND, state))
    measured = {
        (row["metric"].text, row["value"].text, row["column"].text if "column" in row else "")
        for row in await ask(MEASURES, state)
    }
    schema = _schema(await ask(SCHEMA, state)) or _schema(await ask(SCHEMA, iri))
    return Facts(iri, state, statements(triples), schema, tuple(sorted(measured)))


def _triples(found: list[Row]) -> set[tuple[str, str, str]]:
    return {(row["subject"].text, row["property"].text, row["value"].text) for row in found}


def _schema(found: list[Row]) -> dict[str, Any]:
    """The value of the facet; of several that were asserted the first as text, so that one answer is always given."""
    texts = sorted(row["json"].text for row in found)
    value = json.loads(texts[0]) if texts else {}
    return value if isinstance(value, dict) else {}
