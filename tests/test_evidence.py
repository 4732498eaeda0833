"""What the writes of one run were made from: renames, explicit lineage, columns, the only input, roles."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from provstore.core import ProvStore
from tests.histories import data, native, of_dataset, of_job, read, run_iri, said, withdrawing, write
from tests.stores import assert_sound, store_in
from tests.telling import Object, feed, known_from, seen, told, wrote


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ProvStore]:
    with store_in(tmp_path / "store") as opened:
        yield opened
        assert_sound(opened)


def lineage(*entries: tuple[str, list[str]]) -> Object:
    """The explicit lineage facet of a job: targets with their sources."""
    named = [(data(target), [data(source) for source in sources]) for target, sources in entries]
    return {
        "lineage": {
            "entries": [
                {"type": "DATASET", "namespace": t["namespace"], "name": t["name"], "inputs": sources}
                for t, sources in named
            ]
        }
    }


def columns(**sources: list[tuple[str, str]]) -> Object:
    """A column lineage facet: target column → (source dataset, DIRECT or INDIRECT)."""
    return {
        "fields": {
            target: {
                "inputFields": [
                    {"namespace": "db", "name": name, "field": "x", "transformations": [{"type": kind}]}
                    for name, kind in named
                ]
            }
            for target, named in sources.items()
        }
    }


def origins(store: ProvStore, state: str) -> set[str]:
    """What merged says that a state was made from."""
    relations = ("wasDerivedFrom", "wasInfluencedBy", "possiblyDerivedFrom")
    found = {line.removeprefix(f"{state} ") for line in told(store, "merged") if line.startswith(f"{state} ")}
    return {line for line in found if line.startswith(relations)}


def test_explicit_lineage_adds_up_over_a_run(store: ProvStore) -> None:
    first = said("r", "START", 0, ["a", "b"], ["c", "e"], job_facets=lineage(("c", ["a"])))
    second = said("r", "COMPLETE", 1, job_facets=lineage(("c", ["b"]), ("e", [])))
    feed(store, first, second)
    assert origins(store, "c/write/r") == {
        "wasDerivedFrom a/read/r (ExplicitLineage, R1)",
        "wasDerivedFrom b/read/r (ExplicitLineage, R2)",
    }
    assert origins(store, "e/write/r") == set()  # no tracked origin: said, so not even possible ones


def test_explicit_lineage_beats_columns(store: ProvStore) -> None:
    output = data("c", columnLineage=columns(x=[("b", "DIRECT")]))
    feed(store, said("r", "COMPLETE", 1, ["a", "b"], [output], job_facets=lineage(("c", ["a"]))))
    assert origins(store, "c/write/r") == {"wasDerivedFrom a/read/r (ExplicitLineage, R1)"}


def test_columns_decide_and_the_rest_is_possible(store: ProvStore) -> None:
    output = data("c", columnLineage=columns(x=[("a", "DIRECT"), ("b", "INDIRECT")], y=[("a", "INDIRECT")]))
    feed(store, said("r", "COMPLETE", 1, ["a", "b", "e"], [output]))
    assert origins(store, "c/write/r") == {
        "wasDerivedFrom a/read/r (ColumnLineage, R1)",
        "wasInfluencedBy b/read/r",
        "possiblyDerivedFrom e/read/r",
    }


def test_indirect_columns_alone_derive_nothing(store: ProvStore) -> None:
    feed(store, said("r", "COMPLETE", 1, ["a"], [data("c", columnLineage=columns(x=[("a", "INDIRECT")]))]))
    assert origins(store, "c/write/r") == {"wasInfluencedBy a/read/r"}


def test_a_source_column_that_was_no_input_was_read(store: ProvStore) -> None:
    output = data("c", columnLineage=columns(x=[("a", "DIRECT")]))
    feed(store, wrote("s", 0, "a"), said("r", "COMPLETE", 1, [], [output]))
    assert {"r used a/read/r", "a/read/r a ReadState", "a/read/r specializationOf a"} <= told(store, "merged")
    assert origins(store, "c/write/r") == {"wasDerivedFrom a/read/r (ColumnLineage, R2)"}
    assert seen(store, "a/read/r") == {"wasDerivedFrom a/write/s (LatestBefore)"}


def test_several_inputs_without_evidence_are_only_possible(store: ProvStore) -> None:
    feed(store, said("r", "COMPLETE", 1, ["a", "b"], ["c"]))
    assert origins(store, "c/write/r") == {"possiblyDerivedFrom a/read/r", "possiblyDerivedFrom b/read/r"}


def test_a_declared_role_is_evidence(store: ProvStore) -> None:
    role = f"[ a prov:Usage ; prov:entity <{read('a', 'r')}> ; prov:hadRole ps:trainingData ]"
    feed(store, said("r", "COMPLETE", 1, ["a", "b"], ["c"]), native(f"<{run_iri('r')}> prov:qualifiedUsage {role} ."))
    assert origins(store, "c/write/r") == {
        "wasDerivedFrom a/read/r (DeclaredRole)",
        "possiblyDerivedFrom b/read/r",
    }


@pytest.mark.parametrize("announced", [False, True])
def test_what_was_derived_from_was_used(store: ProvStore, announced: bool) -> None:
    output = said("r", "START" if announced else "COMPLETE", 0, [], ["c"])
    feed(store, native(f"<{write('c', 'r')}> prov:wasDerivedFrom <urn:x:item> ."), output, said("r", "COMPLETE", 1))
    assert "r used urn:x:item" in told(store, "merged")


def test_a_deletion_takes_explicit_lineage_back(store: ProvStore) -> None:
    gone: Object = {"lineage": {"_deleted": True}}
    feed(store, said("r", "START", 0, ["a", "b"], ["c"], job_facets=lineage(("c", ["a"]))))
    feed(store, said("r", "RUNNING", 1, job_facets=gone), said("r", "COMPLETE", 2, job_facets=lineage(("c", ["b"]))))
    assert origins(store, "c/write/r") == {"wasDerivedFrom b/read/r (ExplicitLineage, R3)"}


def test_explicit_lineage_that_cannot_be_read_is_none(store: ProvStore) -> None:
    feed(store, said("r", "COMPLETE", 1, ["a"], ["c"], job_facets={"lineage": {"entries": "all"}}))
    assert origins(store, "c/write/r") == {"wasDerivedFrom a/read/r (SingleInput)"}


def test_the_explicit_lineage_of_one_output_is_its_own(store: ProvStore) -> None:
    sources = {"inputs": [data("a") | {"type": "DATASET"}], "fields": {"x": {"inputs": [data("b"), {"type": "JOB"}]}}}
    feed(store, said("r", "COMPLETE", 1, ["a", "b", "e"], [data("c", lineage=sources), "f"]))
    assert origins(store, "c/write/r") == {
        "wasDerivedFrom a/read/r (ExplicitLineage, R1)",
        "wasDerivedFrom b/read/r (ExplicitLineage, R1)",
    }
    assert origins(store, "f/write/r") == {f"possiblyDerivedFrom {name}/read/r" for name in "abe"}


def test_an_output_may_say_that_nothing_tracked_is_in_it(store: ProvStore) -> None:
    feed(store, said("r", "COMPLETE", 1, ["a"], [data("c", lineage={"inputs": []}), data("f", lineage={"inputs": 7})]))
    assert origins(store, "c/write/r") == set()
    assert origins(store, "f/write/r") == {"wasDerivedFrom a/read/r (SingleInput)"}


def test_explicit_lineage_of_an_input_says_nothing_of_the_outputs(store: ProvStore) -> None:
    feed(store, said("r", "COMPLETE", 1, [data("a", lineage={"inputs": [data("b")]})], ["c"]))
    assert origins(store, "c/write/r") == {"wasDerivedFrom a/read/r (SingleInput)"}
    assert not any("b/read" in line for line in told(store, "merged"))


def test_the_same_lineage_of_an_earlier_run_was_not_known_of_this_one(store: ProvStore) -> None:
    # the facet value of r is first stated of s (R1); of r only by R3
    feed(store, said("s", "COMPLETE", 0, ["a"], ["c"], job_facets=lineage(("c", ["a"]))))
    feed(store, said("r", "RUNNING", 1, ["a", "b"], [data("c", stats=1)]))
    feed(store, said("r", "COMPLETE", 2, job_facets=lineage(("c", ["a"]))))
    assert known_from(store, "c/write/r#from/1") == 3


def test_a_rename_and_what_else_is_said(store: ProvStore) -> None:
    feed(store, said("r", "COMPLETE", 1, ["a"], [data("c", old="b")], job_facets=lineage(("c", ["a"]))))
    assert origins(store, "c/write/r") == {
        "wasDerivedFrom a/read/r (ExplicitLineage, R1)",
        "wasDerivedFrom b/read/r (Rename)",
    }


def test_a_rename_that_was_only_announced(store: ProvStore) -> None:
    feed(store, said("r", "START", 0, [], [data("c", old="b")]))
    assert told(store, "merged") == {"r startedAtTime t0", "r state START"}
    feed(store, said("r", "COMPLETE", 1))
    assert {"r used b/read/r", "b/read/r a ReadState", "b/read/r specializationOf b"} <= told(store, "merged")
    assert origins(store, "c/write/r") == {"wasDerivedFrom b/read/r (Rename)"}
    assert known_from(store, "c/write/r#from/1") == 2


def test_validation_data_decides_over_a_model_and_is_not_in_it(store: ProvStore) -> None:
    roles = " , ".join(
        f"[ a prov:Usage ; prov:entity <{read(name, 'r')}> ; prov:hadRole {role} ]"
        for name, role in (("b", "ps:validationData"), ("e", "<https://w3id.org/dpv/ai#TestingData>"))
    )
    feed(store, said("r", "COMPLETE", 1, ["a", "b", "e"], ["c"]))
    (given,) = feed(store, native(f"<{run_iri('r')}> prov:qualifiedUsage {roles} ."))
    influences = {"wasInfluencedBy b/read/r", "wasInfluencedBy e/read/r"}
    assert origins(store, "c/write/r") == {"wasDerivedFrom a/read/r (SingleInput)", *influences}
    feed(store, withdrawing(given))
    assert origins(store, "c/write/r") == {f"possiblyDerivedFrom {name}/read/r" for name in "abe"}


def test_who_else_is_said_to_have_generated_a_write_used_what_it_was_made_from(store: ProvStore) -> None:
    feed(store, said("r", "COMPLETE", 1, ["a"], ["c"]), wrote("s", 0, "a"))
    assert seen(store, "a/read/r") == {"wasDerivedFrom a/write/s (LatestBefore)"}
    feed(store, native(f"<{write('c', 'r')}> prov:wasGeneratedBy <urn:x:other> ."))
    assert "urn:x:other used a/read/r" in told(store, "merged")
    feed(store, native(f"<{read('a', 'r')}> prov:wasGeneratedBy <urn:x:copier> ."))
    assert "urn:x:copier used a/write/s" in told(store, "inferred")
    feed(store, wrote("t", 3, "c"), native(f"<{write('c', 't')}> ps:writeMode ps:Append ."))
    feed(store, native(f"<{write('c', 't')}> prov:wasGeneratedBy <urn:x:another> ."))
    assert "urn:x:another used c/write/r" in told(store, "inferred")


# --- what is declared ------------------------------------------------------------------------------------------------


def test_the_last_declaration_of_a_datasets_sources_holds(store: ProvStore) -> None:
    declared = [
        of_dataset("view", second, lineage={"inputs": [data(name)], "fields": {"x": {"inputs": [data("f")]}}})
        for second, name in ((1, "a"), (2, "b"))
    ]
    feed(store, declared[1], declared[0])
    assert told(store, "merged") == {"view declaredSource b", "view declaredSource f"}
    (gone,) = feed(store, of_dataset("view", 3, lineage={"_deleted": True}))
    assert told(store, "merged") == told(store, "inferred") == set()
    feed(store, withdrawing(gone))
    assert told(store, "merged") == {"view declaredSource b", "view declaredSource f"}
    feed(store, of_dataset("view", 4, lineage={"inputs": "everything"}))
    assert told(store, "merged") == set()


def test_what_feeds_what_by_a_jobs_current_declaration(store: ProvStore) -> None:
    feed(store, of_job("etl", 1, ["a"], ["c", "e"], **lineage(("c", ["a", "b"]), ("e", []))))
    assert told(store, "merged") == {"etl currentDeclaration declared:a", "a feeds c", "b feeds c"}
    feed(store, of_job("etl", 2, ["a"], ["c"], **lineage(("c", ["a"]))))
    assert told(store, "merged") == {"etl currentDeclaration declared:a", "a feeds c"}
    feed(store, of_job("etl", 3, ["f"], ["c"]))
    assert told(store, "merged") == {"etl currentDeclaration declared:f"}  # the latest event is the whole declaration
    assert told(store, "inferred") == set()
