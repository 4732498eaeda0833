"""The values inside facets: every one has a pointer and a type, and one query gives them all."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provstore import iris, queries, rdf
from provstore.capture.facets import content_of
from provstore.capture.facets.graph import escaped
from provstore.capture.facets.leaves import LONGEST, MOST
from provstore.core import ProvStore
from provstore.vocab import PS, RDF_VALUE
from tests import stores, suites
from tests.notation import triples
from tests.stores import BASE

Row = tuple[str, str, str, str, str]  # subject, key, pointer, lexical form, datatype
_XSD, _RDF = rdf.XSD, rdf.RDF


def leaves(value: Any, pointer: str = "") -> Iterator[tuple[str, Any]]:
    """What RFC 6901 can point to that holds nothing else, by recursion: nothing that is tested is used."""
    if isinstance(value, dict) and value:
        for key, each in value.items():
            yield from leaves(each, f"{pointer}/{escaped(key)}")
    elif isinstance(value, list) and value:
        for index, each in enumerate(value):
            yield from leaves(each, f"{pointer}/{index}")
    else:
        yield pointer, value


def typed(value: Any) -> tuple[str, str]:
    """The lexical form and datatype of a JSON value, as the engine gives it back."""
    if isinstance(value, str):
        return value, f"{_XSD}string"
    if isinstance(value, bool):
        return str(value).lower(), f"{_XSD}boolean"
    if isinstance(value, int):
        return str(value), f"{_XSD}integer"
    if isinstance(value, float):
        return str(value), f"{_XSD}double"
    return json.dumps(value), f"{_RDF}JSON"


def facets(event: dict[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """Every facet of an event with what it is about."""
    run = event.get("run")
    identifier = run["runId"] if run else ""
    if run:
        yield from ((f"urn:uuid:{identifier}", key, facet) for key, facet in run["facets"].items())
    if "job" in event:
        job = iris.job(BASE, event["job"]["namespace"], event["job"]["name"])
        yield from ((job, key, facet) for key, facet in event["job"]["facets"].items())
    for member, state, part, own in (
        ("inputs", iris.read_state, "#usage", "inputFacets"),
        ("outputs", iris.write_state, "#generation", "outputFacets"),
    ):
        for holder in event.get(member, ()):
            dataset = iris.dataset(BASE, holder["namespace"], holder["name"])
            subject = state(dataset, identifier) if run else dataset
            yield from ((subject, key, facet) for key, facet in holder["facets"].items())
            yield from ((subject + (part if run else ""), key, facet) for key, facet in holder[own].items())
    if "dataset" in event:
        dataset = iris.dataset(BASE, event["dataset"]["namespace"], event["dataset"]["name"])
        yield from ((dataset, key, facet) for key, facet in event["dataset"]["facets"].items())


def expected(event: dict[str, Any]) -> Counter[Row]:
    return Counter(
        (subject, key, pointer, *typed(value))
        for subject, key, facet in facets(event)
        for pointer, value in leaves(facet)
    )


def answered(store: ProvStore, **values: str) -> Counter[Row]:
    engine = ox.Store()
    engine.load("".join(store.views.store.dump()).encode(), format=ox.RdfFormat.N_QUADS)
    found = engine.query(queries.bind(queries.find("catalogue/facet_values"), values))
    assert isinstance(found, ox.QuerySolutions)
    return Counter(_row(each) for each in found)


def _row(each: ox.QuerySolution) -> Row:
    value = each["value"]
    assert isinstance(value, ox.Literal)
    kind = value.datatype.value
    lexical = str(float(value.value)) if kind == f"{_XSD}double" else value.value
    return each["subject"].value, each["facet"].value, each["pointer"].value, lexical, kind


def all_facets() -> list[Path]:
    files = sorted((suites.path("openlineage") / "synthetic").glob("all_facets_*.json"))
    assert len(files) == 4
    return files


def test_every_value_of_the_all_facets_events_is_a_row(tmp_path: Path) -> None:
    events = [json.loads(file.read_bytes()) for file in all_facets()]
    with stores.store_in(tmp_path) as store:
        receipts = [store.ingest([stores.event(event)])[0] for event in events]
        for event, receipt in zip(events, receipts, strict=True):
            rows = answered(store, entity=receipt.record, limit="100000")
            assert rows == expected(event)
            assert len(rows) > 200
        run = f"urn:uuid:{events[0]['run']['runId']}"
        custom = answered(store, entity=run, facet="acme_training")
    both = [event for event in events if "run" in event]
    wanted = {row for event in both for row in expected(event) if row[0] == run and row[1] == "acme_training"}
    assert set(custom) == wanted
    assert (run, "acme_training", "/nested/a/2", "null", f"{_RDF}JSON") in wanted
    assert (run, "acme_training", "/nested/a/1", "2.5", f"{_XSD}double") in wanted


def test_values_of_one_subject(tmp_path: Path) -> None:
    (event,) = [json.loads(file.read_bytes()) for file in all_facets() if "COMPLETE" in file.name]
    with stores.store_in(tmp_path) as store:
        store.ingest([stores.event(event)])
        subjects = {subject for subject, _, _ in facets(event)}
        assert {"#usage", "#generation"} <= {subject[-6:] if "#u" in subject else subject[-11:] for subject in subjects}
        for subject in subjects:
            wanted = Counter({row: n for row, n in expected(event).items() if row[0] == subject})
            assert answered(store, entity=subject, limit="100000") == wanted


def told(key: str, facet: object) -> tuple[dict[str, str], int]:
    """Pointer → term of each value, and how many are left out."""
    content, _ = content_of(key, facet, BASE)
    said = triples(content.quads)
    pointers = {s: rdf.text_of(o) for s, p, o in said if p == PS.pointer}
    found = {pointers.get(s, s[1:-1].partition("#")[2]): o for s, p, o in said if p == RDF_VALUE}
    (omitted,) = [int(rdf.text_of(o)) for _, p, o in said if p == PS.omitted] or [0]
    return found, omitted


def rebuilt(values: dict[str, str]) -> Any:
    """The JSON value that pointers and terms make."""
    if list(values) == [""]:
        return _value(values[""])
    whole: dict[str, Any] = {}
    for pointer, term in values.items():
        *above, last = (part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:])
        holder = whole
        for part in above:
            holder = holder.setdefault(part, {})
        holder[last] = _value(term)
    return whole


def _value(term: str) -> Any:
    text, datatype = rdf.text_of(term), term.rpartition("^^")[2]
    return json.loads(text) if datatype.startswith("<") else text


def listless(value: Any) -> Any:
    """The value with its lists as objects, for a pointer does not tell them apart."""
    if isinstance(value, list) and value:
        return {str(index): listless(each) for index, each in enumerate(value)}
    if isinstance(value, dict):
        return {key: listless(each) for key, each in value.items()}
    return value


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(-1e15, 1e15) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=30,
)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(["custom", "schema", "tags"]), _JSON)
def test_the_values_of_a_facet_are_the_facet(key: str, facet: object) -> None:
    values, omitted = told(key, facet)
    assert omitted == 0
    assert rebuilt(values) == listless(facet)


def test_values_of_other_facets_are_bounded_least_deep_first() -> None:
    facet = {"a": {"deep": list(range(MOST))}, "long": "x" * (LONGEST + 1), "k" * (LONGEST + 1): 1, "z": "x" * LONGEST}
    values, omitted = told("custom", facet)
    assert len(values) == MOST
    assert "/z" in values
    assert values["/a/deep/0"].startswith('"0"')
    assert omitted == 3  # the long text, the long key, and the one number that had no place any more


def test_values_of_the_standard_facets_are_complete() -> None:
    columns = [{"name": f"c{number}", "description": "x" * (LONGEST + 1)} for number in range(MOST)]
    values, omitted = told("schema", {"fields": columns})
    assert len(values) == 2 * MOST
    assert omitted == 0


@pytest.mark.parametrize("facet", [{"fields": 7}, {"_deleted": True}, [1], "x"])
def test_values_are_there_where_nothing_is_promoted(facet: object) -> None:
    values, _ = told("schema", facet)
    assert rebuilt(values) == listless(facet)
