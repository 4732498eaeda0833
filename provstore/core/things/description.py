"""A thing as RDF: the statements that have it as their subject or object, and the nodes that belong to it alone."""

from __future__ import annotations

from dataclasses import dataclass

from provstore import queries, rdf
from provstore.core.service import Service
from provstore.core.things.statements import MOST, bound
from provstore.errors import NotFound
from provstore.queries import CannedQuery
from provstore.store.query import GRAPHS

#: The most statements of one direction that a description holds.
MOST_STATEMENTS = 5 * MOST

_DESCRIPTION = CannedQuery(
    "description",
    "description",
    "description",
    (queries.Parameter("entity", "iri", "the thing", "https://prov.example/prediction/1", None),),
    queries.MAX_LIMIT,
    f"""CONSTRUCT {{ ?subject ?property ?value }} WHERE {{
  {{ SELECT ?subject ?property ?value WHERE {{
      BIND(?_entity AS ?subject) ?subject ?property ?value }} LIMIT {MOST_STATEMENTS + 1} }}
  UNION
  {{ SELECT ?subject ?property ?value WHERE {{
      BIND(?_entity AS ?value) ?subject ?property ?value }} LIMIT {MOST_STATEMENTS + 1} }}
  UNION
  {{ SELECT ?subject ?property ?value WHERE {{
      ?_entity ?link ?subject . ?subject ?property ?value
      FILTER(STRSTARTS(STR(?subject), CONCAT(STR(?_entity), "#"))) }} LIMIT {MOST_STATEMENTS + 1} }} }}""",
)
_NOTE = "<http://www.w3.org/2000/01/rdf-schema#comment>"
_TOPIC = "<http://xmlns.com/foaf/0.1/primaryTopic>"


@dataclass(frozen=True, slots=True)
class Description:
    """A description in the media type asked for; `truncated` where there was more than it may hold."""

    body: bytes
    media_type: str
    index: int
    truncated: bool


async def description(service: Service, iri: str, media_type: str, document: str, min_index: int | None) -> Description:
    """What the triples say of a thing; NotFound where they say nothing.

    Where there is more than fits, the document says so of itself (`document` is its address): who keeps it shall know.
    """
    answer = await service.sparql(bound(_DESCRIPTION, iri), "application/n-triples", min_index=min_index)
    body = answer.body
    if answer.path:
        body = answer.path.read_bytes()
        answer.path.unlink()
    lines = sorted(set(body.splitlines(keepends=True)))
    if not lines:
        raise NotFound(f"nothing recorded names {iri[:200]}")
    me = f"<{iri}>".encode()
    own = [line for line in lines if line.startswith(me + b" ")]
    into = [line for line in lines if line.endswith(b" " + me + b" .\n")]
    truncated = len(own) > MOST_STATEMENTS or len(into) > MOST_STATEMENTS
    if truncated:
        note = f"Not whole: of the statements in one direction it holds {MOST_STATEMENTS:,} and there are more."
        lines += [
            f"<{document}> {_TOPIC} <{iri}> .\n".encode(),
            f"<{document}> {_NOTE} {rdf.literal(note)} .\n".encode(),
        ]
    told = b"".join(lines)
    if media_type != "application/n-triples":
        told = await service.serialise(told, media_type)
    return Description(told, media_type, answer.index, truncated)


#: The media types of a description, in order of preference.
SYNTAXES = tuple(each for each in GRAPHS if each != "text/plain")
