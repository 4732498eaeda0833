"""What the store concludes keeps to the data model; what records assert against it is theirs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given

from provstore.core import ProvStore
from provstore.core.check import check_store
from provstore.vocab import PROV, PS, RDF_TYPE
from tests import stores
from tests.histories import Item, data, dataset, histories, native, read, run_iri, said, write
from tests.stores import BASE, assert_sound, store_in
from tests.telling import feed, reads, wrote
from tests.test_order import fresh, quick


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ProvStore]:
    """Run r wrote d, s appended to it, u read it and wrote e; then d was dropped by t."""
    with store_in(tmp_path / "store") as opened:
        feed(opened, wrote("r", 1), wrote("s", 2, data("d", change="ALTER")), *reads("u", 5, 6))
        feed(opened, said("u", "OTHER", 7, [], [data("e", stats=2)]))
        feed(opened, said("t", "COMPLETE", 9, [], [data("d", change="DROP")]))
        assert_sound(opened)
        yield opened


def add(store: ProvStore, graph: str, *triples: str) -> None:
    """Put triples behind the store's back into one of its own graphs and into the default graph."""
    for triple in triples:
        store.views.store.load(f"{triple} <{BASE}/graph/{graph}> .\n{triple} .\n".encode())


def take(store: ProvStore, *triples: str) -> None:
    """Take triples out of every graph of the store, behind its back."""
    held = [line for line in store.views.store.dump() if any(line.startswith(f"{triple} ") for triple in triples)]
    assert held
    store.views.store.remove([line for line in held if "/graph/" in line], lambda _: False)
    store.views.store.remove([line for line in held if "/graph/" not in line], lambda _: False)


def found(store: ProvStore, start: str) -> list[str]:
    """The findings that begin so; whatever is changed behind the store's back is a finding of another kind as well."""
    findings = check_store(store, rebuild=False)
    assert any(each.startswith(("missing:", "too much:")) for each in findings)
    return [each for each in findings if each.startswith(start)]


def iri(text: str) -> str:
    return f"<{text}>"


@pytest.mark.parametrize(
    ("user", "used"),
    [("u", read("d", "u")), ("u", write("d", "s")), ("s", write("d", "r"))],
    ids=["in a run", "of a read", "of an append"],
)
def test_what_a_made_thing_comes_from_was_used(store: ProvStore, user: str, used: str) -> None:
    if used == write("d", "s"):  # of a read: nobody generated it, so the rule asks nothing of who used it
        feed(store, native(f"<{read('d', 'u')}> prov:wasGeneratedBy <urn:x:copier> ."))
        take(store, f"<urn:x:copier> {PROV.used} {iri(used)}")
    else:
        take(store, f"{iri(run_iri(user))} {PROV.used} {iri(used)}")
    (finding,) = found(store, "derived and not used")
    assert used in finding


def test_a_circle_of_derivations(store: ProvStore) -> None:
    circle = [write("e", "u"), read("d", "u"), write("d", "s"), write("d", "r")]
    add(store, "inferred", f"{iri(circle[-1])} {PROV.wasDerivedFrom} {iri(circle[0])}")
    (finding,) = found(store, "derived in a circle")
    assert finding.count(" from ") == 4
    assert all(each in finding for each in circle)


def test_a_thing_derived_from_itself(store: ProvStore) -> None:
    add(store, "merged", f"<urn:x> {PROV.wasDerivedFrom} <urn:x>")
    assert found(store, "derived in a circle") == ["derived in a circle: <urn:x> from <urn:x>"]


@pytest.mark.parametrize("kind", [PS.Dataset, PS.Model, PS.Version])
@pytest.mark.parametrize("relation", ["wasGeneratedBy", "wasInvalidatedBy", "wasDerivedFrom", "used", "source"])
def test_assets_are_not_states(store: ProvStore, kind: str, relation: str) -> None:
    add(store, "merged", f"<urn:asset> {RDF_TYPE} {kind}")
    assert not found(store, "an asset")
    subject, value = ("<urn:x>", "<urn:asset>") if relation in ("used", "source") else ("<urn:asset>", "<urn:x>")
    triple = f"{subject} {PROV['wasDerivedFrom' if relation == 'source' else relation]} {value}"
    add(store, "inferred", triple)
    assert found(store, "an asset") == [f"an asset that is no state: {triple}"]


@pytest.mark.parametrize("term", [PROV.startedAtTime, PROV.endedAtTime])
def test_a_run_has_one_start_and_one_end(store: ProvStore, term: str) -> None:
    add(
        store,
        "merged",
        f'{iri(run_iri("u"))} {term} "2020-01-01T00:00:00Z"^^<http://www.w3.org/2001/XMLSchema#dateTime>',
    )
    (finding,) = found(store, "more than one")
    assert term in finding


@pytest.mark.parametrize("term", [PS.knownFrom, PS.basis])
@pytest.mark.parametrize(
    "node",
    [f"{read('d', 'u')}#resolved", f"{write('d', 's')}#kept/1", f"{write('e', 'u')}#from/1"],
    ids=["read", "append", "in a run"],
)
def test_a_conclusion_says_on_what_it_rests_and_since_when(store: ProvStore, term: str, node: str) -> None:
    take(store, f"{iri(node)} {term}")
    merged = "#from" in node
    findings = found(store, "without")
    if merged and term == PS.basis:  # what a run says of itself names its basis, but need not
        assert findings == []
    else:
        assert findings == [f"without {term} in {'merged' if merged else 'inferred'}: {iri(node)}"]


def test_an_invalidation_says_on_what_it_rests(store: ProvStore) -> None:
    (node,) = {line.split(" ")[0] for line in store.views.store.dump() if f"{RDF_TYPE} {PROV.Invalidation}" in line}
    take(store, f"{node} {PS.basis}")
    assert found(store, "without") == [f"without {PS.basis} in inferred: {node}"]


# --- what records say against one another is theirs ------------------------------------------------------------------

CONTRADICTIONS = {
    "two starts": "<urn:r> a ps:Run ; prov:startedAtTime '2026-01-01T00:00:00Z'^^xsd:dateTime,"
    " '2026-01-02T00:00:00Z'^^xsd:dateTime .",
    "a start beside that of the events": f"<{run_iri('u')}> prov:startedAtTime '2026-01-01T00:00:04Z'^^xsd:dateTime ;"
    " prov:endedAtTime '2026-01-01T00:00:08Z'^^xsd:dateTime .",
    "a start and a qualified start": "<urn:r> a ps:Run ; prov:startedAtTime '2026-01-01T00:00:00Z'^^xsd:dateTime ;"
    " prov:qualifiedStart [ prov:atTime '2026-01-02T00:00:00Z'^^xsd:dateTime ] .",
    "two qualified starts": "<urn:r> a ps:Run ;"
    " prov:qualifiedStart [ prov:atTime '2026-01-02T00:00:00Z'^^xsd:dateTime ],"
    " [ prov:atTime '2026-01-03T00:00:00Z'^^xsd:dateTime ] .",
    "a circle": "<urn:a> prov:wasDerivedFrom <urn:b> . <urn:b> prov:wasRevisionOf <urn:a> .",
    "itself": "<urn:a> prov:wasDerivedFrom <urn:a> ; prov:wasGeneratedBy <urn:a> .",
    "a circle through conclusions": f"<{write('d', 'r')}> prov:wasDerivedFrom <{write('e', 'u')}> .",
    "a generated dataset": f"<{dataset('d')}> prov:wasGeneratedBy <urn:a> ; prov:wasDerivedFrom <{dataset('e')}> .",
    "a dataset that was used": f"<urn:a> prov:qualifiedUsage [ prov:entity <{dataset('d')}> ] .",
    "a state that is a dataset": f"<{write('d', 's')}> a ps:Dataset . <{read('d', 'u')}> a ps:Model .",
    "two makers": f"<{write('d', 's')}> prov:wasGeneratedBy <urn:a>, <{run_iri('t')}> .",
    "a made read": f"<urn:a> prov:generated <{read('d', 'u')}> .",
    "a qualified node of nobody's": f"<{write('d', 's')}> prov:qualifiedDerivation <urn:node> .",
}


@pytest.mark.parametrize("said", CONTRADICTIONS)
@pytest.mark.parametrize("first", [False, True])
def test_contradictions_are_those_of_the_records(store: ProvStore, tmp_path: Path, said: str, first: bool) -> None:
    if first:
        with store_in(tmp_path / "other") as other:
            feed(other, native(CONTRADICTIONS[said]), wrote("r", 1), wrote("s", 2, data("d", change="ALTER")))
            feed(other, *reads("u", 5, 6))
            assert_sound(other)
    else:
        feed(store, native(CONTRADICTIONS[said]))
        assert_sound(store)


@quick
@given(histories(wild=True))
def test_wild_histories_are_sound(history: list[Item]) -> None:
    with fresh() as opened:
        for each in history:
            opened.ingest([each.submission])
        stores.assert_sound(opened)
