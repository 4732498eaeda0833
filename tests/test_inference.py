"""The inferred graph: which write a read saw, and what a write kept of the one before."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from provstore.core import ProvStore
from provstore.vocab import PS
from tests.histories import data, dataset, native, of_dataset, read, run_iri, said, withdrawing, write
from tests.notation import lines_of, triples
from tests.stores import assert_sound, store_in
from tests.telling import expect, feed, reads, seen, told, wrote


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ProvStore]:
    with store_in(tmp_path / "store") as opened:
        yield opened
        assert_sound(opened)


# --- which write a read saw ------------------------------------------------------------------------------------------


def test_the_latest_write_strictly_before_the_start(store: ProvStore) -> None:
    feed(store, wrote("r", 1), wrote("s", 2), wrote("t", 9), *reads("u", 5, 6))
    assert seen(store, "d/read/u") == {"wasDerivedFrom d/write/s (LatestBefore)"}
    assert "u used d/write/s" in told(store, "inferred")


def test_a_write_that_ends_as_the_read_starts_overlaps_it(store: ProvStore) -> None:
    feed(store, wrote("r", 1), wrote("s", 5), *reads("u", 5, 6))
    assert seen(store, "d/read/u") == {
        "possiblyDerivedFrom d/write/r (Overlap)",
        "possiblyDerivedFrom d/write/s (Overlap)",
    }


def test_two_writes_at_the_same_instant_tie(store: ProvStore) -> None:
    feed(store, wrote("q", 0), wrote("r", 1), wrote("s", 1), *reads("u", 5, 6))
    assert seen(store, "d/read/u") == {"possiblyDerivedFrom d/write/r (Tie)", "possiblyDerivedFrom d/write/s (Tie)"}


def test_a_write_during_the_read_makes_it_uncertain(store: ProvStore) -> None:
    feed(store, wrote("r", 1), wrote("s", 6), *reads("u", 5, 7))
    assert seen(store, "d/read/u") == {
        "possiblyDerivedFrom d/write/r (Overlap)",
        "possiblyDerivedFrom d/write/s (Overlap)",
    }


def test_a_run_does_not_read_its_own_write(store: ProvStore) -> None:
    feed(store, wrote("r", 1), said("s", "START", 3, ["d"]), said("s", "COMPLETE", 5, [], ["d"]))
    assert seen(store, "d/read/s") == {"wasDerivedFrom d/write/r (LatestBefore)"}


def test_what_a_failed_run_left_is_not_what_was_read(store: ProvStore) -> None:
    failed = said("s", "FAIL", 3, [], [data("d", stats=4)])
    feed(store, wrote("r", 1), failed, *reads("u", 5, 6))
    assert seen(store, "d/read/u") == {"wasDerivedFrom d/write/r (LatestBefore)"}


def test_nothing_written_before_is_an_answer(store: ProvStore) -> None:
    feed(store, wrote("r", 7), *reads("u", 5, 6))
    assert seen(store, "d/read/u") == {"a UnresolvedRead"}


def test_what_comes_from_outside_is_not_unresolved(store: ProvStore) -> None:
    feed(store, *reads("u", 5, 6))
    assert seen(store, "d/read/u") == {"a UnresolvedRead"}
    (source,) = feed(store, native(f"<{dataset('d')}> a ps:Source ."))
    assert seen(store, "d/read/u") == set()
    feed(store, withdrawing(source))
    assert seen(store, "d/read/u") == {"a UnresolvedRead"}


def test_a_source_by_another_name_is_one_too(store: ProvStore) -> None:
    feed(store, *reads("u", 5, 6), native(f"<{dataset('other')}> a ps:Source ; ps:symlink <{dataset('d')}> ."))
    assert seen(store, "d/read/u") == set()


@pytest.mark.parametrize("late", [False, True])
def test_the_run_within_is_preferred_to_the_one_around_it(store: ProvStore, late: bool) -> None:
    # p reports at its end what its part s had written: s is the writer
    inner = wrote("s", 2, parent="p")
    feed(store, wrote("p", 3), *reads("u", 5, 6), inner) if late else feed(
        store, inner, wrote("p", 3), *reads("u", 5, 6)
    )
    assert seen(store, "d/read/u") == {"wasDerivedFrom d/write/s (LatestBefore)"}


def test_a_late_write_within_lays_open_what_the_outer_report_hid(store: ProvStore) -> None:
    # u sees the outer run's report until the inner write arrives; between the two, three others had written
    feed(store, said("s", "START", 0, parent="p"), wrote("r", 2), wrote("t", 3), wrote("v", 4), wrote("p", 5))
    feed(store, *reads("u", 6, 7))
    assert seen(store, "d/read/u") == {"wasDerivedFrom d/write/p (LatestBefore)"}
    feed(store, said("s", "COMPLETE", 1, [], ["d"]))
    assert seen(store, "d/read/u") == {"wasDerivedFrom d/write/v (LatestBefore)"}


def test_a_parent_named_late(store: ProvStore) -> None:
    feed(store, wrote("s", 2), wrote("p", 3), *reads("u", 5, 6))
    assert seen(store, "d/read/u") == {"wasDerivedFrom d/write/p (LatestBefore)"}
    feed(store, said("s", "OTHER", 9, parent="p"))
    assert seen(store, "d/read/u") == {"wasDerivedFrom d/write/s (LatestBefore)"}


def test_two_writes_of_a_run_under_two_names_hide_nothing_from_it(store: ProvStore) -> None:
    # The run's own writes, of which no start is known, lie before its read: an earlier one by another counts,
    # also if it becomes known last.
    feed(store, said("u", "RUNNING", 2, [], [data("d", stats=1, symlink="e")]))
    feed(store, said("u", "RUNNING", 3, [], [data("e", stats=1)]), said("u", "COMPLETE", 4, ["d"]))
    assert seen(store, "d/read/u") == {"a UnresolvedRead"}
    feed(store, wrote("r", 1))
    assert seen(store, "d/read/u") == {"wasDerivedFrom d/write/r (LatestBefore)"}


# --- versions, contents, names ---------------------------------------------------------------------------------------


def test_the_only_write_of_the_version_is_what_was_read(store: ProvStore) -> None:
    versions = [wrote("r", 1, data("d", label="1")), wrote("s", 2, data("d", label="2"))]
    feed(store, *versions, *reads("u", 5, 6, data("d", label="1")))
    assert seen(store, "d/read/u") == {"wasDerivedFrom d/write/r (VersionMatch)"}


def test_of_two_writes_of_the_version_the_latest_before(store: ProvStore) -> None:
    versions = [wrote("r", 1, data("d", label="1")), wrote("s", 2, data("d", label="1")), wrote("t", 3)]
    feed(store, *versions, *reads("u", 5, 6, data("d", label="1")))
    assert seen(store, "d/read/u") == {"wasDerivedFrom d/write/s (LatestBefore)"}


def test_the_same_bytes_are_the_best_evidence(store: ProvStore) -> None:
    feed(store, wrote("r", 1), wrote("s", 2, data("d", label="1")), *reads("u", 5, 6, data("d", label="1")))
    assert seen(store, "d/read/u") == {"wasDerivedFrom d/write/s (VersionMatch)"}
    digests = [native(f'<{state}> ps:sha256 "aa" .') for state in (write("d", "r"), read("d", "u"))]
    feed(store, *digests)
    assert seen(store, "d/read/u") == {"wasDerivedFrom d/write/r (ContentMatch)"}
    feed(store, withdrawing(digests[0]))
    assert seen(store, "d/read/u") == {"wasDerivedFrom d/write/s (VersionMatch)"}


def test_the_digest_of_a_write_that_was_only_announced(store: ProvStore) -> None:
    # no record says that r generated it: that its run completed does
    announced = [said("r", "START", 0, [], ["d"]), said("r", "COMPLETE", 1), wrote("s", 2)]
    feed(store, *announced, *reads("u", 5, 6))
    feed(store, *[native(f'<{state}> ps:sha256 "aa" .') for state in (read("d", "u"), write("d", "r"))])
    assert seen(store, "d/read/u") == {"wasDerivedFrom d/write/r (ContentMatch)"}


def test_a_late_symlink_joins_two_names(store: ProvStore) -> None:
    feed(store, wrote("r", 1, "e"), wrote("s", 2, "d"), *reads("u", 5, 6))
    assert told(store, "inferred") == {"d/read/u wasDerivedFrom d/write/s (LatestBefore)", "u used d/write/s"}
    (link,) = feed(store, of_dataset("d", 9, symlinks={"identifiers": [{"namespace": "db", "name": "e"}]}))
    assert seen(store, "d/write/s") == {
        "previousState e/write/r",
        "possiblyDerivedFrom e/write/r (UnknownWriteMode)",
    }
    feed(store, wrote("t", 3, "e"))
    assert seen(store, "d/read/u") == {"wasDerivedFrom e/write/t (LatestBefore)"}
    feed(store, withdrawing(link))
    assert seen(store, "d/read/u") == {"wasDerivedFrom d/write/s (LatestBefore)"}
    assert seen(store, "e/write/t") == {
        "previousState e/write/r",
        "possiblyDerivedFrom e/write/r (UnknownWriteMode)",
    }


# --- what a write kept -----------------------------------------------------------------------------------------------

KEPT = {"previousState d/write/r", "wasDerivedFrom d/write/r (KeptByWrite)"}
REPLACED = {"previousState d/write/r"}
UNKNOWN = {"previousState d/write/r", "possiblyDerivedFrom d/write/r (UnknownWriteMode)"}


@pytest.mark.parametrize(
    ("change", "expected"),
    [("ALTER", KEPT), ("OVERWRITE", REPLACED), ("TRUNCATE", REPLACED), ("CREATE", REPLACED), ("", UNKNOWN)],
)
def test_what_a_change_keeps(store: ProvStore, change: str, expected: set[str]) -> None:
    feed(store, wrote("r", 1), wrote("s", 2, data("d", change=change)))
    assert seen(store, "d/write/s") == expected
    assert ("s used d/write/r" in told(store, "inferred")) is (expected is KEPT)


@pytest.mark.parametrize("mode", ["Append", "Merge", "Alter"])
def test_what_an_append_keeps(store: ProvStore, mode: str) -> None:
    feed(store, wrote("r", 1), wrote("s", 2), native(f"<{write('d', 's')}> ps:writeMode ps:{mode} ."))
    assert seen(store, "d/write/s") == KEPT
    assert "s used d/write/r" in told(store, "inferred")


def test_a_write_that_arrives_late_comes_between(store: ProvStore) -> None:
    feed(store, wrote("r", 1), wrote("t", 3))
    assert "previousState d/write/r" in seen(store, "d/write/t")
    feed(store, wrote("s", 2))
    assert "previousState d/write/s" in seen(store, "d/write/t")
    assert "previousState d/write/r" in seen(store, "d/write/s")
    assert "previousState d/write/r" not in seen(store, "d/write/t")


def test_a_drop_writes_nothing(store: ProvStore) -> None:
    feed(store, said("r", "COMPLETE", 1, [], [data("d", change="DROP")]))
    expect(store, merged="", inferred="")
    assert "r dropped d" in record_of(store, 1)


def test_an_announced_drop(store: ProvStore) -> None:
    feed(store, said("r", "START", 0, [], [data("d", change="DROP")]))
    expect(store, merged="", inferred="")
    feed(store, said("r", "COMPLETE", 1))
    expect(store, merged="r dropped d", inferred="")


def record_of(store: ProvStore, index: int) -> set[str]:
    """The record at an index, in short (run and datasets only)."""
    (body,) = store.ledger.bodies(index, index)
    text = "\n".join(" ".join(each) for each in triples(body.quads))
    for long, brief in ((dataset("d"), "d"), (run_iri("r"), "r"), (PS.iri, "")):
        text = text.replace(f"<{long}>", brief)
    return lines_of(re.sub(rf"<{PS.iri}(\w+)>", r"\1", text))


def test_a_rename_is_derived_from_the_old_name(store: ProvStore) -> None:
    change = {"lifecycleStateChange": "RENAME", "previousIdentifier": {"namespace": "db", "name": "old"}}
    feed(store, wrote("r", 1, "old"), said("s", "COMPLETE", 2, [], [data("new", lifecycleStateChange=change)]))
    assert "new/write/s wasDerivedFrom old/read/s (Rename)" in told(store, "merged")
    expect(store, inferred="old/read/s wasDerivedFrom old/write/r (LatestBefore)\n s used old/write/r")
