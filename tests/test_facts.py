"""Native PROV in all its forms: what it entails is merged, and what is no PROV at all stops nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from provstore.core import ProvStore
from tests.histories import data, native, said
from tests.stores import assert_sound, store_in
from tests.telling import feed, told, wrote

E1, E2, A1, A2, AG = "<urn:x:e1>", "<urn:x:e2>", "<urn:x:a1>", "<urn:x:a2>", "<urn:x:ag>"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ProvStore]:
    with store_in(tmp_path / "store") as opened:
        yield opened
        assert_sound(opened)


#: Statement → what it entails in plain terms (PROV-O §3.1 to §3.3, appendix B); all are relations of prov:.
ENTAILED = {
    f"{E1} prov:wasRevisionOf {E2}": {"e1 wasDerivedFrom e2"},
    f"{E1} prov:wasQuotedFrom {E2}": {"e1 wasDerivedFrom e2"},
    f"{E1} prov:hadPrimarySource {E2}": {"e1 wasDerivedFrom e2"},
    f"{A1} prov:generated {E1}": {"e1 wasGeneratedBy a1"},
    f"{A1} prov:invalidated {E1}": {"e1 wasInvalidatedBy a1"},
    f"{E2} prov:hadDerivation {E1}": {"e1 wasDerivedFrom e2"},
    f"{E2} prov:hadRevision {E1}": {"e1 wasRevisionOf e2", "e1 wasDerivedFrom e2"},
    f"{E2} prov:quotedAs {E1}": {"e1 wasQuotedFrom e2", "e1 wasDerivedFrom e2"},
    f"{E2} prov:wasPrimarySourceOf {E1}": {"e1 hadPrimarySource e2", "e1 wasDerivedFrom e2"},
    f"{E1} prov:wasUsedBy {A1}": {"a1 used e1"},
    f"{AG} prov:wasAssociateFor {A1}": {"a1 wasAssociatedWith ag"},
    f"{AG} prov:contributed {E1}": {"e1 wasAttributedTo ag"},
    f"{AG} prov:hadDelegate {E1}": {"e1 actedOnBehalfOf ag"},
    f"{A1} prov:informed {A2}": {"a2 wasInformedBy a1"},
    f"{E1} prov:started {A1}": {"a1 wasStartedBy e1"},
    f"{E1} prov:ended {A1}": {"a1 wasEndedBy e1"},
    f"{E1} prov:influenced {E2}": {"e2 wasInfluencedBy e1"},
    f"{E1} prov:generalizationOf {E2}": {"e2 specializationOf e1"},
    f"{E1} prov:wasMemberOf {E2}": {"e2 hadMember e1"},
    f"{A1} prov:qualifiedUsage [ prov:entity {E1} ]": {"a1 used e1"},
    f"{E1} prov:qualifiedGeneration [ prov:activity {A1} ]": {"e1 wasGeneratedBy a1"},
    f"{E1} prov:qualifiedInvalidation [ prov:activity {A1} ]": {"e1 wasInvalidatedBy a1"},
    f"{E1} prov:qualifiedDerivation [ prov:entity {E2} ]": {"e1 wasDerivedFrom e2"},
    f"{E1} prov:qualifiedRevision [ prov:entity {E2} ]": {"e1 wasRevisionOf e2", "e1 wasDerivedFrom e2"},
    f"{E1} prov:qualifiedQuotation [ prov:entity {E2} ]": {"e1 wasQuotedFrom e2", "e1 wasDerivedFrom e2"},
    f"{E1} prov:qualifiedPrimarySource [ prov:entity {E2} ]": {"e1 hadPrimarySource e2", "e1 wasDerivedFrom e2"},
    f"{A1} prov:qualifiedAssociation [ prov:agent {AG} ]": {"a1 wasAssociatedWith ag"},
    f"{E1} prov:qualifiedAttribution [ prov:agent {AG} ]": {"e1 wasAttributedTo ag"},
    f"{AG} prov:qualifiedDelegation [ prov:agent {E1} ]": {"ag actedOnBehalfOf e1"},
    f"{A1} prov:qualifiedCommunication [ prov:activity {A2} ]": {"a1 wasInformedBy a2"},
    f"{A1} prov:qualifiedStart [ prov:entity {E1} ]": {"a1 wasStartedBy e1"},
    f"{A1} prov:qualifiedEnd [ prov:entity {E1} ]": {"a1 wasEndedBy e1"},
    f"{E1} prov:qualifiedInfluence [ prov:influencer {E2} ]": {"e1 wasInfluencedBy e2"},
    f"{E1} prov:qualifiedInfluence [ prov:agent {AG} ]": {"e1 wasInfluencedBy ag"},
    f"{E1} prov:qualifiedGeneration [ prov:atTime '2026-01-01T00:00:03Z'^^xsd:dateTime ]": {"e1 generatedAtTime t3"},
    f"{E1} prov:qualifiedInvalidation [ prov:atTime '2026-01-01T00:00:03Z'^^xsd:dateTime ]": {
        "e1 invalidatedAtTime t3"
    },
    f"{A1} prov:qualifiedStart [ prov:atTime '2026-01-01T00:00:03Z'^^xsd:dateTime ]": {"a1 startedAtTime t3"},
    f"{A1} prov:qualifiedEnd [ prov:atTime '2026-01-01T00:00:03Z'^^xsd:dateTime ]": {"a1 endedAtTime t3"},
    f"{E1} prov:wasDerivedFrom {E2} ; prov:wasGeneratedBy {A1}": {"a1 used e2"},
    f"{E1} prov:wasQuotedFrom {E2} . {A1} prov:generated {E1}": {
        *("e1 wasDerivedFrom e2", "e1 wasGeneratedBy a1", "a1 used e2"),
    },
    f"{E1} prov:alternateOf {E2}": set(),
    f"{E1} prov:hadMember {E2}": set(),
    f"{A1} prov:wasInformedBy {A2}": set(),
}


@pytest.mark.parametrize("statement", ENTAILED)
def test_what_a_statement_entails(store: ProvStore, statement: str) -> None:
    feed(store, native(f"{statement} ."))
    assert {line.replace("urn:x:", "") for line in told(store, "merged")} == ENTAILED[statement]
    assert told(store, "inferred") == set()


def test_what_is_stated_plainly_is_not_stated_again(store: ProvStore) -> None:
    feed(store, native(f"{A1} prov:used {E1} ; prov:qualifiedUsage [ prov:entity {E1} ] ."))
    assert told(store, "merged") == set()


def test_one_start_and_one_end_however_they_are_stated(store: ProvStore) -> None:
    run = "<urn:uuid:00000000-0000-4000-8000-000000000001>"
    moments = [f"[ prov:atTime '2026-01-01T00:00:0{second}Z'^^xsd:dateTime ]" for second in (3, 2)]
    feed(store, native(f"{run} a ps:Run ; prov:qualifiedStart {', '.join(moments)} ; prov:qualifiedEnd {moments[0]} ."))
    start = "urn:uuid:00000000-0000-4000-8000-000000000001 startedAtTime"
    end = "urn:uuid:00000000-0000-4000-8000-000000000001 endedAtTime"
    assert told(store, "merged") == {f"{start} t2", f"{end} t3"}
    feed(store, said("r", "START", 1) | {"run": {"runId": run[10:-1]}})
    assert told(store, "merged") - {"urn:uuid:00000000-0000-4000-8000-000000000001 state START"} == {
        *(f"{start} t1", f"{end} t3"),
    }
    feed(store, native(f"{run} prov:startedAtTime '2026-01-01T00:00:05Z'^^xsd:dateTime ."))
    assert start not in " ".join(told(store, "merged"))  # it stands in the record


def test_a_training_run_within_a_pipeline(store: ProvStore) -> None:
    feed(store, native(f"{A1} a ps:TrainingRun ; dct:isPartOf {A2} ."))
    assert "urn:x:a1#start hadActivity urn:x:a2" in told(store, "merged")


#: Text where a thing is wanted, things where text is, kinds that there are not: none says anything, none does harm.
NONSENSE = [
    f"{E1} prov:wasGeneratedBy {A1} ; prov:wasDerivedFrom 'not an IRI' .",
    f"{A1} a ps:Run ; dct:isPartOf 'x y' .",
    f"{A1} a ps:Run ; ps:job 'x y' .",
    f"{E1} a ps:WriteState ; prov:specializationOf 'x y' ; prov:wasGeneratedBy {A1} .",
    f"{E1} a ps:ReadState ; prov:specializationOf 'x y' . {A1} prov:used {E1} .",
    f"{A1} prov:used 'x y' . {E1} prov:wasGeneratedBy 'x y' ; prov:wasUsedBy 'x y' .",
    f"{A1} ps:dropped 'x y' ; prov:endedAtTime '2026-01-01T00:00:00Z'^^xsd:dateTime .",
    f"{E1} a ps:Dataset ; ps:symlink 'x y' .",
    f"{A1} prov:qualifiedUsage [ prov:entity 'x y' ; prov:hadRole 'x y' ] , 'x y' .",
    f"{A1} prov:qualifiedStart [ prov:atTime 'yesterday' , {E1} ] .",
    f"{E1} prov:generatedAtTime 'yesterday' ; ps:sha256 {E2} .",
    f"{E1} a ps:WriteState ; ps:writeMode 'Append' , {E2} ; ps:renamedFrom 'x y' ; prov:wasGeneratedBy {A1} ;"
    f" prov:specializationOf {E2} .",
    "<> ps:supersedes 'x y' .",
    "<> ps:declares <urn:x:declaration> . <urn:x:declaration> prov:specializationOf 'x y' .",
    "<urn:x:f> a ps:FacetAssertion ; ps:on 'x y' ; ps:key 'documentation' ; ps:content 'x y' .",
    f"<urn:x:f> a ps:FacetAssertion ; ps:on {E1} ; ps:key {E2} ; ps:content 'x y' ; ps:deleted 'maybe' .",
]
MOMENT = "<> prov:generatedAtTime '2026-01-01T00:00:00Z'^^xsd:dateTime"
NONSENSE += [
    f"{MOMENT} ; ps:eventType ps:COMPLETE ; ps:about 'x y' .",
    f"{MOMENT} ; ps:eventType ps:COMPLETE ; ps:about {A1} . {A1} ps:intendedOutput 'x y' .",
    f"{MOMENT} ; ps:eventType <urn:x#THING> ; ps:about {A1} .",
    f"{MOMENT} ; ps:eventType 'COMPLETE' ; ps:about {A1} .",
]


@pytest.mark.parametrize("statement", NONSENSE)
def test_nonsense_stops_nothing(store: ProvStore, statement: str) -> None:
    feed(store, native(statement), wrote("r", 1, data("d")))
    assert "d/write/r generatedAtTime t1" in told(store, "merged")
