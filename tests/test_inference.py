"""The inferred graph: which write a read saw, and what a write kept of the one before."""

from __future__ import annotations

import re
from collections.abc import Iterator
from hashlib import md5, sha256
from pathlib import Path

import pytest

from provstore import iris
from provstore.core import ProvStore
from provstore.vocab import PS
from tests.histories import data, dataset, native, of_dataset, read, run_iri, said, withdrawing, write
from tests.notation import lines_of, triples
from tests.stores import BASE, assert_sound, store_in
from tests.telling import Object, expect, feed, known_from, reads, seen, told, wrote


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


def test_a_state_of_a_file_and_of_its_bytes_is_one_of_the_file(store: ProvStore) -> None:
    bytes_ = iris.content_bytes(BASE, "sha256", sha256(b"1").hexdigest())
    feed(store, wrote("r", 1), *reads("u", 5, 6), native(f"<{read('d', 'u')}> prov:specializationOf <{bytes_}> ."))
    assert seen(store, "d/read/u") == {"wasDerivedFrom d/write/r (LatestBefore)"}


def test_a_state_of_two_assets_is_one_of_the_first(store: ProvStore) -> None:
    feed(store, wrote("r", 1), *reads("u", 5, 6))
    (more,) = feed(store, native(f"<{read('d', 'u')}> prov:specializationOf <urn:a> . <urn:a> a ps:Dataset ."))
    assert_sound(store)
    feed(store, native(f"<{write('d', 'r')}> prov:specializationOf <urn:a> ."), withdrawing(more))
    assert_sound(store)


def test_a_state_that_another_run_is_said_to_have_read_before_it_is_known(store: ProvStore) -> None:
    feed(store, wrote("r", 1), native(f"<{run_iri('t')}> prov:used <{read('d', 'u')}> ."), *reads("u", 5, 6))
    assert "t used d/write/r" in told(store, "inferred")


_ONE, _TWO = sha256(b"1").hexdigest(), sha256(b"2").hexdigest()


def test_the_same_bytes_are_known_under_any_name(store: ProvStore) -> None:
    """A file that one tool wrote as `e` and another read as `d`: nobody knows, until both say which bytes."""
    feed(store, wrote("r", 1, "e"), *reads("u", 5, 6))
    assert seen(store, "d/read/u") == {"a UnresolvedRead"}
    digests = [native(f'<{state}> ps:sha256 "{_ONE}" .') for state in (write("e", "r"), read("d", "u"))]
    feed(store, *digests)
    assert seen(store, "d/read/u") == {"wasDerivedFrom e/write/r (ContentMatch)"}
    feed(store, withdrawing(digests[0]))
    assert seen(store, "d/read/u") == {"a UnresolvedRead"}


def test_bytes_of_the_same_name_come_before_those_of_another(store: ProvStore) -> None:
    feed(store, wrote("r", 1), wrote("s", 2, "e"), *reads("u", 5, 6))
    feed(store, *[native(f'<{s}> ps:sha256 "{_ONE}" .') for s in (write("d", "r"), write("e", "s"), read("d", "u"))])
    assert seen(store, "d/read/u") == {"wasDerivedFrom d/write/r (ContentMatch)"}


def test_two_digests_of_the_same_bytes_match_once_a_record_links_them(store: ProvStore) -> None:
    feed(store, wrote("r", 1, "e"), *reads("u", 5, 6))
    weak = md5(b"1").hexdigest()
    feed(store, native(f'<{write("e", "r")}> ps:md5 "{weak}" .'), native(f'<{read("d", "u")}> ps:sha256 "{_ONE}" .'))
    assert seen(store, "d/read/u") == {"a UnresolvedRead"}
    names = [iris.content_bytes(BASE, *pair) for pair in (("sha256", _ONE), ("md5", weak))]
    (link,) = feed(store, native(f"<{names[0]}> ps:symlink <{names[1]}> ."))
    assert seen(store, "d/read/u") == {"wasDerivedFrom e/write/r (ContentMatch)"}
    feed(store, withdrawing(link))
    assert seen(store, "d/read/u") == {"a UnresolvedRead"}


def test_other_bytes_than_were_written_are_of_unknown_origin(store: ProvStore) -> None:
    feed(store, wrote("r", 1), *reads("u", 5, 6))
    feed(store, native(f'<{write("d", "r")}> ps:sha256 "{_ONE}" .'))
    assert seen(store, "d/read/u") == {"wasDerivedFrom d/write/r (LatestBefore)"}
    feed(store, native(f'<{read("d", "u")}> ps:sha256 "{_TWO}" .'))
    assert seen(store, "d/read/u") == {"a UnresolvedRead"}


def test_no_bytes_are_no_evidence(store: ProvStore) -> None:
    feed(store, wrote("r", 1, "e"), *reads("u", 5, 6))
    nothing = sha256(b"").hexdigest()
    feed(store, *[native(f'<{s}> ps:sha256 "{nothing}" .') for s in (write("e", "r"), read("d", "u"))])
    assert seen(store, "d/read/u") == {"a UnresolvedRead"}


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


def test_of_two_writes_at_one_instant_nobody_knows_which_was_kept(store: ProvStore) -> None:
    feed(store, wrote("r", 1), wrote("s", 1), wrote("t", 2), native(f"<{write('d', 't')}> ps:writeMode ps:Append ."))
    assert seen(store, "d/write/t") == {
        f"{relation} d/write/{run}{basis}"
        for run in "rs"
        for relation, basis in (("previousState", ""), ("possiblyDerivedFrom", " (Tie)"))
    }
    assert not any(line.startswith("t used") for line in told(store, "inferred"))


def test_modes_that_contradict_each_other_are_none(store: ProvStore) -> None:
    modes = native(f"<{write('d', 's')}> ps:writeMode ps:Merge , ps:Create .")
    feed(store, wrote("r", 1), wrote("s", 2), modes)
    assert seen(store, "d/write/s") == UNKNOWN


# --- drops and renames -----------------------------------------------------------------------------------------------


def dropped(run: str, second: float, name: str = "d", *, kind: str = "COMPLETE", parent: str = "") -> Object:
    return said(run, kind, second, [], [data(name, change="DROP")], parent=parent)


def test_a_drop_writes_nothing(store: ProvStore) -> None:
    feed(store, dropped("r", 1))
    expect(store, merged="", inferred="")
    assert "r dropped d" in record_of(store, 1)


def test_an_announced_drop(store: ProvStore) -> None:
    feed(store, wrote("q", 0), dropped("r", 1, kind="START"))
    expect(store, merged="d/write/q generatedAtTime t0", inferred="")
    feed(store, said("r", "COMPLETE", 2))
    expect(
        store,
        merged="d/write/q generatedAtTime t0\n r dropped d",
        inferred=INVALIDATED.replace("RUN", "r").replace("TIME", "t2"),
    )


INVALIDATED = """
    d/write/q wasInvalidatedBy RUN
    d/write/q qualifiedInvalidation d/write/q#invalidation/RUN
    d/write/q#invalidation/RUN a Invalidation
    d/write/q#invalidation/RUN activity RUN
    d/write/q#invalidation/RUN atTime TIME
    d/write/q#invalidation/RUN basis LatestBefore
"""


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2)])
def test_a_drop_ends_the_state_and_not_the_dataset(store: ProvStore, order: tuple[int, ...]) -> None:
    given = (wrote("p", 1), wrote("q", 2), dropped("r", 3))
    feed(store, *(given[number] for number in order))
    assert {line for line in told(store, "inferred") if "nvalid" in line or "#" in line} == lines_of(
        INVALIDATED.replace("RUN", "r").replace("TIME", "t3")
    )


def test_a_read_after_a_drop_does_not_see_what_was_dropped(store: ProvStore) -> None:
    (_, drop, *_) = feed(store, wrote("q", 1), dropped("r", 2), *reads("u", 5, 6))
    assert seen(store, "d/read/u") == {"a UnresolvedRead"}
    feed(store, withdrawing(drop))
    assert seen(store, "d/read/u") == {"wasDerivedFrom d/write/q (LatestBefore)"}
    assert not any("nvalid" in line for line in told(store, "inferred"))
    feed(store, dropped("s", 3), wrote("t", 4))
    assert seen(store, "d/read/u") == {"wasDerivedFrom d/write/t (LatestBefore)"}


@pytest.mark.parametrize("change", ["ALTER", ""])
def test_a_write_after_a_drop_keeps_nothing(store: ProvStore, change: str) -> None:
    feed(store, wrote("q", 1), wrote("s", 3, data("d", change=change)))
    assert "previousState d/write/q" in seen(store, "d/write/s")
    feed(store, dropped("r", 2))
    assert seen(store, "d/write/s") == set()
    assert "s used d/write/q" not in told(store, "inferred")


def test_a_drop_by_another_name(store: ProvStore) -> None:
    (link, *_) = feed(store, of_dataset("d", 9, symlinks={"identifiers": [{"namespace": "db", "name": "e"}]}))
    feed(store, wrote("q", 1), dropped("r", 2, "e"), *reads("u", 5, 6))
    assert seen(store, "d/read/u") == {"a UnresolvedRead"}
    assert "d/write/q wasInvalidatedBy r" in told(store, "inferred")
    feed(store, withdrawing(link))
    assert seen(store, "d/read/u") == {"wasDerivedFrom d/write/q (LatestBefore)"}


def test_a_drop_while_the_reader_runs(store: ProvStore) -> None:
    feed(store, wrote("q", 1), dropped("r", 5), *reads("u", 4, 6))
    assert seen(store, "d/read/u") == {"possiblyDerivedFrom d/write/q (Overlap)"}


def test_a_drop_at_the_instant_of_a_write(store: ProvStore) -> None:
    feed(store, wrote("q", 1), wrote("s", 2), dropped("r", 2), *reads("u", 5, 6), wrote("t", 7))
    assert seen(store, "d/read/u") == {"possiblyDerivedFrom d/write/s (Tie)"}
    assert seen(store, "d/write/t") == {"possiblyDerivedFrom d/write/s (UnknownWriteMode)"}
    assert "d/write/q wasInvalidatedBy r" in told(store, "inferred")  # what stood before the instant


def test_a_failed_drop_ends_nothing(store: ProvStore) -> None:
    feed(store, wrote("q", 1), dropped("r", 3), said("r", "FAIL", 2), *reads("u", 5, 6))
    assert seen(store, "d/read/u") == {"wasDerivedFrom d/write/q (LatestBefore)"}
    assert not any("nvalid" in line for line in told(store, "inferred"))


def test_which_of_two_was_dropped_is_not_said(store: ProvStore) -> None:
    feed(store, wrote("q", 1), wrote("s", 1), dropped("r", 2), *reads("u", 5, 6))
    assert not any("nvalid" in line for line in told(store, "inferred"))
    assert seen(store, "d/read/u") == {"a UnresolvedRead"}


def test_a_run_may_drop_what_it_wrote(store: ProvStore) -> None:
    feed(store, said("q", "RUNNING", 1, [], [data("d", stats=3)]), dropped("q", 2), *reads("u", 5, 6))
    assert "d/write/q wasInvalidatedBy q" in told(store, "inferred")
    assert seen(store, "d/read/u") == {"a UnresolvedRead"}


@pytest.mark.parametrize("late", [False, True])
def test_a_drop_that_the_run_around_reports_again(store: ProvStore, late: bool) -> None:
    inner, outer = dropped("s", 2, parent="p"), dropped("p", 4)
    between = wrote("t", 3)
    feed(store, wrote("q", 1), *((outer, between, inner) if late else (inner, between, outer)), *reads("u", 5, 6))
    assert seen(store, "d/read/u") == {"wasDerivedFrom d/write/t (LatestBefore)"}
    assert {line for line in told(store, "inferred") if "wasInvalidatedBy" in line} == {"d/write/q wasInvalidatedBy s"}


def test_a_version_from_before_a_drop_is_not_what_is_read_after_it(store: ProvStore) -> None:
    feed(store, wrote("q", 1, data("d", label="1")), *reads("u", 5, 6, data("d", label="1")))
    assert seen(store, "d/read/u") == {"wasDerivedFrom d/write/q (VersionMatch)"}
    feed(store, dropped("r", 2))
    assert seen(store, "d/read/u") == {"a UnresolvedRead"}
    feed(store, *(native(f'<{state}> ps:sha256 "aa" .') for state in (write("d", "q"), read("d", "u"))))
    assert seen(store, "d/read/u") == {"wasDerivedFrom d/write/q (ContentMatch)"}  # restored: the bytes are the same


@pytest.mark.parametrize("kind", ["DROP", "drop", ["DROP"], {"DROP": 1}, 7])
def test_a_change_of_life_in_whatever_form(store: ProvStore, kind: object) -> None:
    facet: Object = {"lifecycleStateChange": {"lifecycleStateChange": kind}}
    feed(store, said("r", "START", 0, [], [data("d", **facet)]), said("r", "COMPLETE", 1))
    assert ("r dropped d" in told(store, "merged")) is (kind in ("DROP", "drop"))
    assert ("d/write/r a WriteState" in told(store, "merged")) is (kind not in ("DROP", "drop"))


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


def test_nothing_is_left_under_the_old_name(store: ProvStore) -> None:
    feed(store, wrote("r", 1), said("s", "COMPLETE", 2, [], [data("new", old="d")]), *reads("u", 5, 6), wrote("t", 7))
    assert seen(store, "d/read/u") == {"a UnresolvedRead"}
    assert seen(store, "d/write/t") == set()
    assert not any("nvalid" in line for line in told(store, "inferred"))  # the content lives on


def test_a_rename_between_two_names_of_one_dataset(store: ProvStore) -> None:
    feed(store, wrote("r", 1), said("s", "COMPLETE", 2, [], [data("new", old="d", symlink="d")]), *reads("u", 5, 6))
    assert seen(store, "d/read/u") == {"wasDerivedFrom new/write/s (LatestBefore)"}


def test_two_datasets_change_names(store: ProvStore) -> None:
    swap = said("s", "COMPLETE", 2, [], [data("d", old="e"), data("e", old="d")])
    feed(store, wrote("r", 1), wrote("q", 1, "e"), swap, *reads("u", 5, 6))
    assert seen(store, "d/read/u") == {"wasDerivedFrom d/write/s (LatestBefore)"}
    assert {"d/write/s wasDerivedFrom e/read/s (Rename)", "e/write/s wasDerivedFrom d/read/s (Rename)"} <= told(
        store, "merged"
    )


# --- no derivation runs back in time ---------------------------------------------------------------------------------


def test_nobody_reads_what_is_written_after_his_end(store: ProvStore) -> None:
    feed(store, *reads("u", 1, 2, data("d", label="1")), wrote("r", 5, data("d", label="1")))
    assert seen(store, "d/read/u") == {"a UnresolvedRead"}
    feed(store, *(native(f'<{state}> ps:sha256 "aa" .') for state in (write("d", "r"), read("d", "u"))))
    assert seen(store, "d/read/u") == {"a UnresolvedRead"}


def test_two_runs_at_a_time_do_not_each_come_from_the_other(store: ProvStore) -> None:
    # each read what is byte for byte the other's output; one derivation must be wrong, so neither is certain
    for run, source, target in (("r", "x", "y"), ("s", "y", "x")):
        feed(store, said(run, "START", 0, [source]), said(run, "RUNNING", 5, [], [data(target, stats=1)]))
        feed(store, said(run, "COMPLETE", 10))
    same = (("x", "s", "r"), ("y", "r", "s"))
    for name, writer, reader in same:
        feed(store, *(native(f'<{s}> ps:sha256 "of {name}" .') for s in (write(name, writer), read(name, reader))))
    assert seen(store, "x/read/r") == {"possiblyDerivedFrom x/write/s (ContentMatch)"}
    assert seen(store, "y/read/s") == {"possiblyDerivedFrom y/write/r (ContentMatch)"}


def _untimed(run: str, source: str, target: str, content: str, made: str) -> str:
    """A run of which nobody tells when it was: it read and wrote, each with its bytes."""
    return f"""<{run_iri(run)}> a prov:Activity , ps:Run ; prov:used <{read(source, run)}> .
    <{read(source, run)}> a ps:ReadState ; prov:specializationOf <{dataset(source)}> ; ps:sha256 "{content}" .
    <{write(target, run)}> a ps:WriteState ; prov:wasGeneratedBy <{run_iri(run)}> ;
      prov:specializationOf <{dataset(target)}> ; ps:sha256 "{made}" ."""


def test_two_copies_without_times_do_not_each_come_from_the_other(store: ProvStore) -> None:
    copies = [_untimed("r", "x", "y", "aa", "aa"), _untimed("s", "x", "z", "aa", "aa")]
    feed(store, *(native(each) for each in copies))
    assert seen(store, "x/read/r") == seen(store, "x/read/s") == {"a UnresolvedRead"}
    feed(store, native(_untimed("u", "elsewhere", "v", "aa", "bb")))  # what is no copy may be of either
    assert seen(store, "elsewhere/read/u") == {
        "possiblyDerivedFrom y/write/r (ContentMatch)",
        "possiblyDerivedFrom z/write/s (ContentMatch)",
    }
    feed(store, native(_untimed("q", "w", "x", "cc", "aa")))
    assert seen(store, "x/read/r") == seen(store, "x/read/s") == {"wasDerivedFrom x/write/q (ContentMatch)"}


def test_that_a_run_has_but_copied_may_be_told_late(store: ProvStore) -> None:
    first, second = _untimed("r", "x", "y", "aa", "aa"), _untimed("s", "x", "z", "aa", "aa")
    feed(store, native(first), native(second.replace(f'<{dataset("x")}> ; ps:sha256 "aa"', f"<{dataset('x')}>")))
    assert seen(store, "x/read/r") == {"possiblyDerivedFrom z/write/s (ContentMatch)"}
    (late,) = feed(store, native(f'<{read("x", "s")}> ps:sha256 "aa" .'))
    assert seen(store, "x/read/r") == {"a UnresolvedRead"}
    feed(store, withdrawing(late))
    assert seen(store, "x/read/r") == {"possiblyDerivedFrom z/write/s (ContentMatch)"}


def test_what_is_packed_and_unpacked_without_times_is_no_circle(store: ProvStore) -> None:
    feed(store, native(_untimed("r", "x", "y", "aa", "bb")), native(_untimed("s", "y", "z", "bb", "aa")))
    assert seen(store, "y/read/s") == {"wasDerivedFrom y/write/r (ContentMatch)"}
    assert seen(store, "x/read/r") == {"possiblyDerivedFrom z/write/s (ContentMatch)"}


def test_a_run_had_begun_when_it_wrote_whatever_start_it_tells(store: ProvStore) -> None:
    # r starts after its end: its read cannot have seen what was written in between
    feed(store, said("r", "COMPLETE", 2, ["x"], ["y"]), said("r", "START", 5))
    feed(store, said("s", "START", 3, ["y"]), said("s", "COMPLETE", 4, [], ["x"]))
    assert seen(store, "y/read/s") == {"wasDerivedFrom y/write/r (LatestBefore)"}
    assert seen(store, "x/read/r") == {"possiblyDerivedFrom x/write/s (Overlap)"}


# --- since when it is known ------------------------------------------------------------------------------------------


def test_what_a_conclusion_needs_is_counted_and_nothing_else(store: ProvStore) -> None:
    first = wrote("r", 1, data("d", label="1")), wrote("s", 2)
    feed(store, *first, *reads("u", 5, 6))  # 1 to 4
    assert known_from(store, "d/read/u#resolved") == 3
    modes = [native(f"<{write('d', 's')}> ps:writeMode ps:Append .")]
    feed(store, *modes)  # 5
    assert known_from(store, "d/write/s#kept/1") == 5
    assert known_from(store, "d/read/u#resolved") == 3  # how s wrote does not matter to who read it
    feed(store, said("u", "OTHER", 7, [data("d", label="1")]))  # 6
    assert seen(store, "d/read/u") == {"wasDerivedFrom d/write/r (VersionMatch)"}
    assert known_from(store, "d/read/u#resolved") == 6
    feed(store, *(native(f'<{state}> ps:sha256 "aa" .') for state in (write("d", "s"), read("d", "u"))))  # 7, 8
    assert seen(store, "d/read/u") == {"wasDerivedFrom d/write/s (ContentMatch)"}
    assert known_from(store, "d/read/u#resolved") == 8
