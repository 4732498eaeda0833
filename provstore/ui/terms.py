"""Classes and properties for the editor to complete: those of the vocabularies, and those that the store uses."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

from provstore.core.service import Service
from provstore.errors import ProvStoreError
from provstore.ui import names
from provstore.ui.answers import taken
from provstore.ui.vocabulary import vocabulary
from provstore.vocab import AI, DCAT, DCT, DQV, EARL, PROV, SCHEMA

#: How long a sample stays good, how long one may take, and how long nobody tries again after one that took longer.
_FRESH, _SECONDS, _LATER = 60.0, 3.0, 3600.0
# Subjects are hashed, so that the first triples in the order of the store are a fair sample of all.
_IN_USE = """\
SELECT ?term (SAMPLE(?is) AS ?kind) (COUNT(*) AS ?n) WHERE {
  { SELECT ?p ?o WHERE { ?s ?p ?o } LIMIT 100000 }
  BIND(IF(?p = <http://www.w3.org/1999/02/22-rdf-syntax-ns#type>, ?o, ?p) AS ?term)
  BIND(IF(?p = <http://www.w3.org/1999/02/22-rdf-syntax-ns#type>, "class", "property") AS ?is)
} GROUP BY ?term ORDER BY DESC(?n) ?term LIMIT 500"""


@dataclass(frozen=True, slots=True)
class Term:
    """A class or a property as the editor offers it: its prefixed name, or its IRI where it has none."""

    name: str
    iri: str
    kind: str
    about: str = ""


@cache
def known() -> tuple[Term, ...]:
    """The terms of our vocabulary with what they mean, and those that we use of others."""
    found = [
        Term(f"ps:{each.name}", f"{names.PREFIXES['ps']}{each.name}", _kind(each.name), each.comment)
        for section in vocabulary().sections
        for each in section.terms
    ]
    for space in (PROV, DCT, DCAT, DQV, EARL, SCHEMA, AI):
        found += [Term(names.short(f"{space.iri}{n}"), f"{space.iri}{n}", _kind(n)) for n in sorted(space.names)]
    return tuple(found)


def _kind(name: str) -> str:
    return "class" if name[:1].isupper() else "property"


class Terms:
    """The terms to complete for one service; what the store uses is looked up at most once a minute."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._used: tuple[Term, ...] = ()
        self._index, self._next = -1, 0.0

    async def all(self) -> dict[str, Any]:
        """Prefixes, and the terms with those in use behind those that are known."""
        if self._service.owner.applied != self._index and time.monotonic() >= self._next:
            await self._look()
        listed = {each.iri: each for each in (*self._used, *known())}
        return {"prefixes": names.PREFIXES, "terms": [asdict(each) for each in listed.values()]}

    async def _look(self) -> None:
        self._next = time.monotonic() + _FRESH  # before the wait: others who ask meanwhile get what is there
        try:
            answer = await self._service.sparql(_IN_USE, "text/tab-separated-values", timeout=_SECONDS)
        except ProvStoreError:
            self._next = time.monotonic() + _LATER
            return
        self._index = answer.index
        self._used = tuple(_terms(taken(answer, graph=False).rows))


def _terms(rows: Iterable[tuple[str, ...]]) -> Iterable[Term]:
    for row in rows:
        term = row[0] if row else ""
        if term.startswith("<") and not term.startswith("<<"):
            short = next(
                (names.short(term[1:-1]) for start in names.PREFIXES.values() if term[1:].startswith(start)), ""
            )
            yield Term(short or term, term[1:-1], row[1].strip('"'))
