"""The merged graph: runs, their writes, jobs and facets; and what becomes of it when records are withdrawn."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from provstore import rdf
from provstore.core import ProvStore
from tests import stores
from tests.histories import PREFIXES, data, dataset, native, of_dataset, of_job, said, withdrawing
from tests.notation import lines_of
from tests.stores import assert_sound, lines, store_in
from tests.telling import expect, feed, reads, seen, told, wrote


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ProvStore]:
    with store_in(tmp_path / "store") as opened:
        yield opened
        assert_sound(opened)


# --- runs, windows, jobs ---------------------------------------------------------------------------------------------


def test_the_first_end_counts_and_the_first_start(store: ProvStore) -> None:
    feed(
        store, *(said("r", kind, second) for kind, second in (("FAIL", 5), ("START", 2), ("COMPLETE", 6), ("START", 1)))
    )
    assert told(store, "merged") == {"r startedAtTime t1", "r endedAtTime t5", "r state FAIL"}


def test_without_a_start_none_is_made_up(store: ProvStore) -> None:
    feed(store, said("r", "RUNNING", 2), said("r", "OTHER", 1))
    assert told(store, "merged") == {"r state RUNNING"}


def test_at_one_instant_the_start_comes_before_the_end(store: ProvStore) -> None:
    feed(store, *(said("r", kind, 2) for kind in ("COMPLETE", "RUNNING", "START")))
    assert told(store, "merged") == {"r startedAtTime t2", "r endedAtTime t2", "r state COMPLETE"}


def test_the_message_of_a_failure(store: ProvStore) -> None:
    error = {"errorMessage": {"message": "disk full", "programmingLanguage": "C"}}
    feed(store, said("r", "RUNNING", 1, run_facets=error))
    assert told(store, "merged") == {"r state RUNNING"}
    feed(store, said("r", "FAIL", 2))
    assert told(store, "merged") == lines_of(
        """
        r endedAtTime t2
        r state FAIL
        r qualifiedEnd r#end
        r#end a End
        r#end atTime t2
        r#end message disk full
        """
    )


def test_the_scheduled_interval(store: ProvStore) -> None:
    nominal = {"nominalStartTime": "2026-01-01T01:00:01+01:00", "nominalEndTime": "2026-01-01T00:00:02"}
    feed(store, said("r", "START", 5, run_facets={"nominalTime": nominal}))
    assert {"r nominalStart t1", "r nominalEnd t2", "r startedAtTime t5"} <= told(store, "merged")


def test_readers_look_to_windows_not_to_the_run_around_them(store: ProvStore) -> None:
    streaming = {
        "jobType": {"processingType": "STREAMING", "emissionPattern": {"eventContentMode": "COMPLETE_SNAPSHOT"}}
    }
    ticks = [said("r", "RUNNING", second, [], ["d"], job_facets=streaming) for second in (1, 2)]
    last = said("r", "COMPLETE", 3, [], ["d"], job_facets=streaming)
    feed(store, *ticks, last, *reads("u", 5, 6))
    (source,) = seen(store, "d/read/u")
    assert source.endswith(" (LatestBefore)")
    window = source.split(" ")[1]
    assert {f"{window} generatedAtTime t2", "d/write/r generatedAtTime t3"} <= told(store, "merged")


def test_the_job_version_is_named_by_the_facets_in_force(store: ProvStore) -> None:
    commit = "0123456789abcdef0123456789abcdef01234567"
    location = {"sourceCodeLocation": {"type": "git", "url": "https://x.example", "version": commit}}
    feed(store, said("r", "START", 0, job_facets={"sql": {"query": "select 1"}}))
    feed(store, said("r", "COMPLETE", 1, job_facets=location), said("s", "COMPLETE", 2, job_facets=location))
    found = told(store, "merged")
    assert {
        f"r used urn:swh:1:rev:{commit}",
        "r jobVersion etl/version/#",
        "etl/version/# content content:sql",
    } <= found
    versions = {line for line in lines(store, "merged") if line.endswith("#JobVersion>")}
    assert len(versions) == 2  # r ran with the query, s without
    feed(store, said("s", "OTHER", 3, job_facets={"sql": {"query": "select 1"}}))
    assert len({line for line in lines(store, "merged") if line.endswith("#JobVersion>")}) == 1


def test_the_latest_declaration_is_current(store: ProvStore) -> None:
    old, new = of_job("etl", 1, ["a"]), of_job("etl", 2, ["b"])
    (_, newer) = feed(store, new, of_job("etl", 3, ["c"]))
    assert told(store, "merged") == {"etl currentDeclaration declared:c"}
    feed(store, old, withdrawing(newer))
    assert told(store, "merged") == {"etl currentDeclaration declared:b"}
    expect(store, inferred="")  # what is declared happens nowhere


# --- facets ----------------------------------------------------------------------------------------------------------


def test_the_facet_in_force_is_the_last_by_time(store: ProvStore) -> None:
    text = [of_dataset("d", second, documentation={"description": f"v{second}"}) for second in (1, 2)]
    feed(store, text[1], text[0])
    assert told(store, "merged") == {"d description v2"}
    gone = of_dataset("d", 3, documentation={"_deleted": True})
    feed(store, gone)
    assert told(store, "merged") == set()
    feed(store, of_dataset("d", 4, documentation={"description": "v4"}))
    assert told(store, "merged") == {"d description v4"}


def test_the_deletion_of_a_facet_can_be_withdrawn(store: ProvStore) -> None:
    feed(store, of_dataset("d", 1, documentation={"description": "v1"}))
    (gone,) = feed(store, of_dataset("d", 3, documentation={"_deleted": True}))
    feed(store, withdrawing(gone))
    assert told(store, "merged") == {"d description v1"}


def test_schema_and_owners_of_a_write(store: ProvStore) -> None:
    owners = {"owners": [{"name": "team:data", "type": "OWNER"}, {"name": "Ann"}]}
    output = data("d", schema={"fields": [{"name": "x"}]}, ownership=owners)
    feed(store, said("r", "COMPLETE", 1, [], [output]))
    expect(
        store,
        merged="""
        d/write/r generatedAtTime t1
        d/write/r conformsTo content:schema
        d/write/r wasAttributedTo agent/organization/data
        d/write/r qualifiedAttribution d/write/r#owner/0
        d/write/r#owner/0 a Attribution
        d/write/r#owner/0 agent agent/organization/data
        d/write/r#owner/0 ownerType OWNER
        d/write/r wasAttributedTo agent/agent/Ann
        d/write/r qualifiedAttribution d/write/r#owner/1
        d/write/r#owner/1 a Attribution
        d/write/r#owner/1 agent agent/agent/Ann
        """,
    )


def test_a_facet_that_others_assert_of_a_dataset(store: ProvStore) -> None:
    # the record does not repeat that d is a dataset; whichever comes first, the later assertion is in force
    later = stores.event(of_dataset("d", 2, documentation={"description": "v2"}))
    (content,) = later.mapped.contents
    node = (
        f"<#facet> a ps:FacetAssertion ; ps:on <{dataset('d')}> ; ps:key 'documentation' ; ps:content <{content.iri}>"
    )
    moment = "<> prov:generatedAtTime '2026-01-01T00:00:02Z'^^xsd:dateTime"
    graph = (
        f"<{content.iri}> {{ {' '.join(content.quads.decode().replace(f' <{content.iri}> .', ' .').split(chr(10)))} }}"
    )
    foreign = stores.document(f"{PREFIXES} {node} . {moment} . {graph}")
    feed(store, of_dataset("d", 1, documentation={"description": "v1"}), foreign)
    assert told(store, "merged") == {"d description v2"}


# --- records that withdraw others ------------------------------------------------------------------------------------


def test_what_is_superseded_counts_no_more(store: ProvStore) -> None:
    (_, wrong, *_) = feed(store, wrote("r", 1), wrote("s", 2), *reads("u", 5, 6))
    assert seen(store, "d/read/u") == {"wasDerivedFrom d/write/s (LatestBefore)"}
    feed(store, withdrawing(wrong))
    assert seen(store, "d/read/u") == {"wasDerivedFrom d/write/r (LatestBefore)"}
    assert not any("s " in line for line in told(store, "merged"))
    feed(store, wrong)  # sent again: the receipt it had, and still withdrawn
    assert seen(store, "d/read/u") == {"wasDerivedFrom d/write/r (LatestBefore)"}


def test_a_record_may_be_withdrawn_before_it_comes(store: ProvStore) -> None:
    wrong = stores.event(wrote("s", 2))
    feed(store, withdrawing(wrong), wrote("r", 1), wrong, *reads("u", 5, 6))
    assert seen(store, "d/read/u") == {"wasDerivedFrom d/write/r (LatestBefore)"}


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_what_withdraws_may_itself_be_withdrawn(store: ProvStore, order: tuple[int, ...]) -> None:
    # a correction of a correction does not bring the first one back
    first = stores.event(wrote("s", 2))
    second = withdrawing(first, also=f'<{dataset("d")}> dct:title "second" .')
    third = withdrawing(second)
    feed(store, *((first, second, third)[number] for number in order))
    expect(store, merged="", inferred="")
    default = {line for line in store.views.store.dump() if rdf.split(line)[3] == ""}
    assert not any('"second"' in line or "WriteState" in line for line in default)


def test_a_triple_that_another_record_states_too_stays(store: ProvStore) -> None:
    triple = "<urn:x:a> prov:wasDerivedFrom <urn:x:b> ."
    one, other = native(f"{triple} <urn:x:a> dct:title 'one' ."), native(f"{triple} <urn:x:a> dct:title 'other' .")
    feed(store, one, other, withdrawing(one))
    default = {line for line in store.views.store.dump() if rdf.split(line)[3] == ""}
    assert {line for line in default if line.startswith("<urn:x:a> ")} == {
        "<urn:x:a> <http://www.w3.org/ns/prov#wasDerivedFrom> <urn:x:b> .\n",
        '<urn:x:a> <http://purl.org/dc/terms/title> "other" .\n',
    }
    feed(store, withdrawing(other))
    default = {line for line in store.views.store.dump() if rdf.split(line)[3] == ""}
    assert not any(line.startswith("<urn:x:a> ") for line in default)


def test_a_content_lives_as_long_as_a_record_that_cites_it(store: ProvStore) -> None:
    facet = {"description": "the same"}
    one, other = (stores.event(of_dataset(name, 1, documentation=facet)) for name in ("a", "b"))
    name = one.mapped.contents[0].iri
    feed(store, one, other, withdrawing(one))
    assert told(store, "merged") == {"b description the same"}
    assert any(rdf.split(line)[3] == f"<{name}>" for line in store.views.store.dump())
    feed(store, withdrawing(other))
    assert not any(name in rdf.split(line)[0] for line in store.views.store.dump())
    feed(store, of_dataset("c", 1, documentation=facet))
    assert any(rdf.split(line)[3] == f"<{name}>" for line in store.views.store.dump())


def test_the_same_from_another_actor_is_a_second_entry_of_one_record(store: ProvStore) -> None:
    value = wrote("r", 1)
    one, other = stores.event(value, "ann"), stores.event(value, "bob")
    feed(store, one, other, one)
    assert store.ledger.head == 2
    assert told(store, "merged") == {"r endedAtTime t1", "r state COMPLETE", "d/write/r generatedAtTime t1"}
    feed(store, withdrawing(one))
    expect(store, merged="", inferred="")
