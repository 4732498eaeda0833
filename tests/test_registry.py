"""The registry of facets against the published schemas: nothing is missing, nothing untrue, nothing gets lost."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provstore import rdf, vocab
from provstore.capture.facets import content_of
from provstore.capture.facets.registry import ALIASES, BASE, BASE_RECORD, FACETS, Facet, find
from provstore.capture.openlineage import map_event
from provstore.model import Mapped
from provstore.vocab import PS, RDF_VALUE
from tests import schemas
from tests.notation import canonical, prefixed
from tests.schemas import Object, Schema

MAPPED = "https://prov.example"

try:
    SCHEMAS = schemas.schemas()
except pytest.skip.Exception:  # without the corpus the tests below say so, one by one
    SCHEMAS = ()
every_schema = pytest.mark.parametrize("schema", SCHEMAS, ids=lambda each: each.file)


def test_every_schema_is_looked_at() -> None:
    assert len(schemas.schemas()) == len(SCHEMAS) == 44
    assert {schema.key for schema in SCHEMAS} == FACETS.keys()
    assert not ALIASES.keys() & FACETS.keys()
    assert set(ALIASES.values()) <= FACETS.keys()


def stated(facet: Facet) -> dict[str, str]:
    """Every property that the registry maps, with its terms."""
    return {**BASE, **BASE_RECORD, **facet.says, **facet.record}


@every_schema
def test_every_property_is_mapped(schema: Schema) -> None:
    known = stated(FACETS[schema.key])
    assert [pointer for pointer in schema.properties if not known.get(pointer)] == []


@pytest.mark.parametrize("key", FACETS)
def test_the_version_is_that_of_the_schema(key: str) -> None:
    assert FACETS[key].spec == ", ".join(sorted({each.version for each in schemas.schemas() if each.key == key}))


def test_no_property_is_made_up() -> None:
    known: dict[str, set[str]] = {}
    for schema in SCHEMAS:
        known.setdefault(schema.key, set()).update(schema.properties)
    extra = {key: sorted((facet.says.keys() | facet.record.keys()) - known[key]) for key, facet in FACETS.items()}
    assert {key: pointers for key, pointers in extra.items() if pointers} == {}


def test_every_term_stated_is_one_of_the_vocabularies() -> None:
    spaces = [each for each in vars(vocab).values() if isinstance(each, vocab.Namespace)]
    known = {prefixed(f"{space.iri}{name}") for space in spaces for name in space.names}
    said = {term for facet in FACETS.values() for terms in stated(facet).values() for term in terms.split()}
    assert said - known == set()


# --- what is stated is so --------------------------------------------------------------------------------------------

_RUN = {"runId": "01930f5e-7b1a-7000-8000-000000000001"}
_JOB = {"namespace": "j", "name": "job"}
_DATA = {"namespace": "d", "name": "data"}


def events(kind: str, facets: Object) -> Object:
    """An event that carries facets of a kind."""
    head = {"eventTime": "2026-01-01T00:00:00Z", "producer": "https://example.org/p", "schemaURL": "https://e.org/s"}
    if kind == "DatasetFacet":
        return {**head, "dataset": {**_DATA, "facets": facets}}
    event: Object = {**head, "eventType": "COMPLETE", "run": dict(_RUN), "job": dict(_JOB)}
    if kind == "RunFacet":
        event["run"]["facets"] = facets
    elif kind == "JobFacet":
        event["job"]["facets"] = facets
    elif kind == "InputDatasetFacet":
        event["inputs"] = [{**_DATA, "inputFacets": facets}]
    else:
        event["outputs"] = [{**_DATA, "outputFacets": facets}]
    return event


def mapped(schema: Schema, facet: object) -> list[Mapped]:
    return [map_event(events(kind, {schema.key: facet}), base=MAPPED) for kind in schema.kinds]


def meant(schema: Schema, facet: object) -> tuple[set[str], bool]:
    """What record and content say beside the JSON and the values in it, without names; whether it is well formed."""
    lines: set[str] = set()
    fine = True
    for each in mapped(schema, facet):
        fine = fine and not each.liberties
        for line in (each.quads + b"".join(c.quads for c in each.contents)).decode().split("\n")[:-1]:
            if rdf.split(line)[1] not in (RDF_VALUE, PS.json, PS.pointer):
                lines.add(re.sub(r"ni:///sha-256;[\w-]+|/record/[0-9a-f]+", "", line))
    return lines, fine


def places(facet: object, pointer: str) -> Iterator[tuple[Any, Any]]:
    """Each holder of a property, with the key or index under which it has it."""
    *above, last = pointer.split("/")[1:]
    holders = [facet]
    for token in above:
        inner: list[Any] = []
        for holder in holders:
            inner += _members(holder, token).values()
        holders = inner
    for holder in holders:
        for key in _members(holder, last):
            yield holder, key


def _members(holder: Any, token: str) -> dict[Any, Any]:
    if isinstance(holder, list):
        return dict(enumerate(holder)) if token == "*" else {}
    if not isinstance(holder, dict):
        return {}
    return dict(holder) if token == "*" else {token: holder[token]} if token in holder else {}


def other(value: Any) -> Any:
    """Another value of the same kind."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    if isinstance(value, list):
        return value[:-1]
    if isinstance(value, dict):
        return {"another": "thing"}
    known = {"DIRECT": "INDIRECT", "pass": "fail", "DATASET": "JOB", "JOB": "DATASET"}
    if value in known:
        return known[value]
    return value.replace("2026", "2027") if value[:4] == "2026" else f"{value[:-1]}{'1' if value[-1] != '1' else '2'}"


def varied(example: Object, pointer: str) -> Iterator[Object]:
    """The example with a property changed, and without it; `_deleted`, which it never has, is set."""
    above, _, last = pointer.rpartition("/")
    if last == "_deleted":
        again = copy.deepcopy(example)
        for holder in [holder[key] for holder, key in places(again, above)] if above else [again]:
            holder[last] = True
        yield again
        return
    if next(places(example, pointer), None) is None:
        return
    again = copy.deepcopy(example)
    for holder, key in places(again, pointer):
        holder[key] = other(holder[key])
    yield again
    again = copy.deepcopy(example)
    for holder, key in list(places(again, pointer)):
        if isinstance(holder, dict):
            del holder[key]
    yield again


#: What a facet can say only when it lacks another property.
_ALSO: dict[str, list[Object]] = {
    "columnLineage": [
        {"fields": {"a": {"inputFields": [{**_DATA, "field": "b"}], "transformationType": "IDENTITY"}}},
    ],
}


def noticed(schema: Schema, pointer: str) -> tuple[set[str], bool]:
    """The terms of the statements that come or go with a property; whether a change can make the facet malformed."""
    terms: set[str] = set()
    malformed = False
    for example in (*schema.examples, *_ALSO.get(schema.key, ())):
        before, fine = meant(schema, example)
        for again in varied(example, pointer) if fine else ():
            after, well = meant(schema, again)
            malformed = malformed or not well
            if well:
                terms |= {prefixed(part[1:-1]) for line in before ^ after for part in rdf.split(line)[1:3]}
    return terms, malformed


@pytest.mark.parametrize("key", FACETS)
def test_every_property_becomes_what_is_stated(key: str) -> None:
    wrong = {}
    for pointer, terms in stated(FACETS[key]).items():
        found = [noticed(schema, pointer) for schema in schemas.schemas() if schema.key == key]
        missing = set(terms.split()) - {term for said, _ in found for term in said}
        # what tells kinds apart is read, too, where any other value is refused
        kind = pointer.endswith(("/type", "/left", "/right"))
        if missing and not (kind and any(malformed for _, malformed in found)):
            wrong[pointer] = sorted(missing)
    assert wrong == {}


# --- malformed facets ------------------------------------------------------------------------------------------------


@every_schema
def test_garbage_in_any_place_of_a_facet_loses_nothing(schema: Schema) -> None:
    for facet in schemas.garbled(schema):
        for each in mapped(schema, facet):
            if facet is not None:
                assert json_of(each, schema.key) == [facet]


def json_of(each: Mapped, key: str) -> list[Any]:
    """The JSON that the contents of a key hold."""
    texts = [dict(rdf.split(line)[1:3] for line in c.quads.decode().split("\n")[:-1]) for c in each.contents]
    return [json.loads(rdf.text_of(said[PS.json])) for said in texts if rdf.text_of(said[PS.key]) == key]


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=12,
)
_NAMES = sorted(
    {part for schema in SCHEMAS for pointer in schema.properties for part in pointer.split("/")[1:]} | {"x"}
)
_SHAPED = st.recursive(
    _JSON, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(_NAMES), inner), max_leaves=20
)


@settings(max_examples=400, deadline=None)
@given(st.sampled_from([*FACETS, *ALIASES, "x"]), _SHAPED)
def test_any_json_is_a_readable_content(key: str, facet: object) -> None:
    content, _ = content_of(key, facet, MAPPED)
    assert canonical(content.quads) == content.quads


def test_deep_nesting_is_a_complaint_or_refused_as_a_whole() -> None:
    deep: Object = {"type": "location", "locations": ["x"]}
    for _ in range(200):
        deep = {"type": "binary", "operator": "AND", "left": deep, "right": {"type": "location", "locations": []}}
    content, complaints = content_of("subset", {"inputCondition": deep}, MAPPED)
    assert b"binary" in content.quads
    assert complaints in ((), ("it is nested too deeply",))


def test_aliases_mean_what_they_stand_for() -> None:
    for alias, key in ALIASES.items():
        assert find(alias) is FACETS[key]
