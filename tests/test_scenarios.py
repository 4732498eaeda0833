"""What the merged and the inferred graph say of small histories, each written down from the data model.

Graphs are told in short: `in/read/r` is the state of dataset `in` that run `r` read, `t5` the fifth second, and a
qualified derivation or influence stands in brackets after the plain statement: `x wasDerivedFrom y (LatestBefore)`.
"""

from __future__ import annotations

import json
import re
import uuid
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from provstore import rdf
from provstore.core import ProvStore
from provstore.ledger.log import Body
from provstore.model import Submission
from provstore.vocab import PS
from tests import stores, suites
from tests.histories import PREFIXES, data, dataset, native, of_dataset, read, run_id, run_iri, said, withdrawing, write
from tests.notation import lines_of, prefixed, triples
from tests.stores import BASE, assert_sound, lines, store_in

Object = dict[str, Any]

_RUNS = ("r", "s", "t", "u", "v", "w", "p", "q")
_QUALIFIED = {"qualifiedDerivation": ("Derivation", "wasDerivedFrom"), "qualifiedInfluence": ("EntityInfluence", "")}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ProvStore]:
    with store_in(tmp_path / "store") as opened:
        yield opened
        assert_sound(opened)


def feed(store: ProvStore, *given: Object | Submission) -> list[Submission]:
    """Submit each by itself, events as JSON."""
    submissions = [each if isinstance(each, Submission) else stores.event(each) for each in given]
    for submission in submissions:
        store.ingest([submission])
    return submissions


def told(store: ProvStore, graph: str, names: dict[str, str] | None = None) -> set[str]:
    """One of the store's graphs in short; `names` are run names by UUID."""
    known = names or {run_id(name): name for name in _RUNS}
    held: dict[str, str] = {}
    for body in store.ledger.bodies(0, store.ledger.head):
        held[body.record] = f"R{body.index}"
        held.update(_contents(store, body))
        held.update(_declarations(body))

    def short(term: str) -> str:
        if term.startswith('"'):
            text = rdf.text_of(term)
            return re.sub(r"2026-01-01T00:(\d\d):(\d\d)Z\Z", lambda m: f"t{int(m[1]) * 60 + int(m[2])}", text)
        term = term[1:-1]
        term = held.get(term, term)
        for identifier, name in known.items():
            term = term.replace(f"urn:uuid:{identifier}", name).replace(identifier, name)
        term = re.sub(r"/version/[0-9a-f]{64}", "/version/#", term)
        term = unquote(re.sub(rf"{BASE}/(?:dataset|job)/[^/]+/", "", prefixed(term)).replace(f"{BASE}/", ""))
        return re.sub(r"^(?:prov|ps|dct):", "", term)

    said = {(short(s), short(p), short(o)) for s, p, o, _ in (rdf.split(f"{line} .\n") for line in lines(store, graph))}
    return {" ".join(each) for each in folded(said)}


def _contents(store: ProvStore, body: Body) -> Iterator[tuple[str, str]]:
    """Facet values by their keys."""
    for name in body.contents:
        for _, predicate, value in triples(store.ledger.content(name)):
            if predicate == PS.key:
                yield name, f"content:{rdf.text_of(value)}"


def _declarations(body: Body) -> Iterator[tuple[str, str]]:
    """Declarations by what they declare as inputs."""
    for subject, predicate, value in triples(body.quads):
        if predicate == PS.declaredInput:
            yield subject[1:-1], f"declared:{value[1:-1].rpartition('/')[2]}"


def folded(facts: set[tuple[str, str, str]]) -> set[tuple[str, ...]]:
    """Each qualified derivation or influence, when it is complete, as brackets on its plain statement."""
    about: dict[str, dict[str, str]] = defaultdict(dict)
    for subject, predicate, value in facts:
        about[subject][predicate] = value
    plain = {t for t in facts if t[1] not in _QUALIFIED and t[1] != "knownFrom" and t[1:] != ("a", "Entity")}
    found: set[tuple[str, ...]] = set(plain)
    for subject, predicate, node in facts:
        if predicate.startswith("qualified"):
            assert about[node].get("knownFrom", "").isdecimal(), f"{node} does not say since when it is known"
        if predicate not in _QUALIFIED:
            continue
        kind, relation = _QUALIFIED[predicate]
        said = about[node]
        stated = (subject, relation or "possiblyDerivedFrom", said["entity"])
        assert said["a"] == kind
        assert stated in plain, f"{node} qualifies what nobody states: {stated}"
        assert said.keys() <= {"a", "entity", "basis", "knownFrom", "hadActivity", "evidence"}
        found = {each for each in found if each[0] != node} - {stated}
        evidence = [said["evidence"]] if "evidence" in said else []
        found.add((*stated, f"({', '.join([said['basis'], *evidence])})"))
    return found


def expect(store: ProvStore, *, merged: str | None = None, inferred: str | None = None) -> None:
    """The graphs are exactly these; of the merged one, what runs' lives (start, end, state) add is left out."""
    if inferred is not None:
        assert told(store, "inferred") == lines_of(inferred)
    if merged is not None:
        life = ("startedAtTime", "endedAtTime", "state")
        assert {line for line in told(store, "merged") if line.split(" ")[1] not in life} == lines_of(merged)


# --- the scenarios ---------------------------------------------------------------------------------------------------

#: Number → what merged and inferred say. Runs are r, s, t in order of appearance; the reasons stand above each.
SCENARIOS: dict[str, tuple[str, str]] = {
    # inputs and outputs are summed up over a run; a single input is what a write was made from
    "01": (
        """
        r startedAtTime t0
        r endedAtTime t5
        r state COMPLETE
        out/write/r generatedAtTime t5
        out/write/r wasDerivedFrom in/read/r (SingleInput)
        """,
        "in/read/r a UnresolvedRead",
    ),
    # 02 is 01 in reverse: the same
    "02": ("01", "01"),
    # events sent twice change nothing
    "03": ("01", "01"),
    # only intended: the write does not exist; the FAIL says what was read
    "04": (
        """
        r startedAtTime t0
        r endedAtTime t5
        r state FAIL
        """,
        "in/read/r a UnresolvedRead",
    ),
    # announced before, and the run completed: the merged graph says that it was written
    "05": (
        """
        r startedAtTime t0
        r endedAtTime t5
        r state COMPLETE
        out/write/r a WriteState
        out/write/r specializationOf out
        out/write/r wasGeneratedBy r
        out/write/r generatedAtTime t5
        out/write/r wasDerivedFrom in/read/r (SingleInput)
        """,
        "in/read/r a UnresolvedRead",
    ),
    # runs are what have outputs, not jobs
    "06": (
        """
        r startedAtTime t0
        r endedAtTime t1
        r state COMPLETE
        t_a/write/r generatedAtTime t1
        t_a/write/r wasDerivedFrom in/read/r (SingleInput)
        s startedAtTime t10
        s endedAtTime t11
        s state COMPLETE
        t_b/write/s generatedAtTime t11
        t_b/write/s wasDerivedFrom in/read/s (SingleInput)
        """,
        """
        in/read/r a UnresolvedRead
        in/read/s a UnresolvedRead
        """,
    ),
    # t names version 1, which one write has: not the later one. No mode is stated, so s may have kept what r wrote.
    "07": (
        """
        r endedAtTime t1
        r state COMPLETE
        x/write/r generatedAtTime t1
        s endedAtTime t2
        s state COMPLETE
        x/write/s generatedAtTime t2
        t endedAtTime t3
        t state COMPLETE
        y/write/t generatedAtTime t3
        y/write/t wasDerivedFrom x/read/t (SingleInput)
        """,
        """
        x/read/t wasDerivedFrom x/write/r (VersionMatch)
        t used x/write/r
        x/write/s previousState x/write/r
        x/write/s possiblyDerivedFrom x/write/r (UnknownWriteMode)
        """,
    ),
    # s is the parent, t the root: the parent is the context of the start, no trigger, and nothing is said of its life
    "08": (
        """
        r startedAtTime t0
        r endedAtTime t5
        r state COMPLETE
        r qualifiedStart r#start
        r#start a Start
        r#start hadActivity s
        r#start atTime t0
        out/write/r a WriteState
        out/write/r specializationOf out
        out/write/r wasGeneratedBy r
        out/write/r generatedAtTime t5
        out/write/r wasDerivedFrom in/read/r (SingleInput)
        """,
        "in/read/r a UnresolvedRead",
    ),
    # what has the new name was made from what was read under the old one
    "09": (
        """
        r endedAtTime t1
        r state COMPLETE
        new/write/r generatedAtTime t1
        new/write/r wasDerivedFrom old/read/r (Rename)
        """,
        "old/read/r a UnresolvedRead",
    ),
    # two names, one dataset
    "10": (
        """
        r endedAtTime t1
        r state COMPLETE
        wh/t/write/r generatedAtTime t1
        s endedAtTime t2
        s state COMPLETE
        z/write/s generatedAtTime t2
        z/write/s wasDerivedFrom db.t/read/s (SingleInput)
        """,
        """
        db.t/read/s wasDerivedFrom wh/t/write/r (LatestBefore)
        s used wh/t/write/r
        """,
    ),
    # the last assertion takes it back
    "11": ("", ""),
    # explicit lineage says all: not every output from every input
    "12": (
        """
        r endedAtTime t1
        r state COMPLETE
        r jobVersion etl/version/#
        etl/version/# a Plan
        etl/version/# a JobVersion
        etl/version/# specializationOf etl
        etl/version/# content content:lineage
        C/write/r generatedAtTime t1
        C/write/r wasDerivedFrom A/read/r (ExplicitLineage, R1)
        Dd/write/r generatedAtTime t1
        Dd/write/r wasDerivedFrom B/read/r (ExplicitLineage, R1)
        """,
        """
        A/read/r a UnresolvedRead
        B/read/r a UnresolvedRead
        """,
    ),
    # the latest declaration is the current one
    "13": ("static currentDeclaration declared:a2", ""),
    # Windows use and generate, not the run; each reads what somebody else wrote, and nobody did. Of one another
    # they only know which came before: no mode is stated.
    "14": (
        """
        r state RUNNING
        r jobVersion flink/version/#
        flink/version/# a Plan
        flink/version/# a JobVersion
        flink/version/# specializationOf flink
        flink/version/# content content:jobType
        s endedAtTime t0
        s qualifiedStart s#start
        s#start a Start
        s#start hadActivity r
        out/write/s generatedAtTime t0
        out/write/s wasDerivedFrom in/read/s (SingleInput)
        t endedAtTime t5
        t qualifiedStart t#start
        t#start a Start
        t#start hadActivity r
        out/write/t generatedAtTime t5
        out/write/t wasDerivedFrom in/read/t (SingleInput)
        u endedAtTime t10
        u qualifiedStart u#start
        u#start a Start
        u#start hadActivity r
        out/write/u generatedAtTime t10
        out/write/u wasDerivedFrom in/read/u (SingleInput)
        """,
        """
        in/read/s a UnresolvedRead
        in/read/t a UnresolvedRead
        in/read/u a UnresolvedRead
        out/write/t previousState out/write/s
        out/write/t possiblyDerivedFrom out/write/s (UnknownWriteMode)
        out/write/u previousState out/write/t
        out/write/u possiblyDerivedFrom out/write/t (UnknownWriteMode)
        """,
    ),
    # the state written comes from the state read, and a run does not read its own write
    "15": (
        """
        r endedAtTime t1
        r state COMPLETE
        t/write/r generatedAtTime t1
        t/write/r wasDerivedFrom t/read/r (SingleInput)
        """,
        "t/read/r a UnresolvedRead",
    ),
    # no time zone is UTC
    "16": (
        """
        r endedAtTime t1
        r state COMPLETE
        out/write/r generatedAtTime t1
        out/write/r wasDerivedFrom in/read/r (SingleInput)
        """,
        "in/read/r a UnresolvedRead",
    ),
    # column lineage without a column is none: the single input counts. (A schema of a read is the read's own.)
    "17": ("16", "16"),
    "18": (
        """
        r endedAtTime t1
        r state COMPLETE
        table/db/t/write/r generatedAtTime t1
        table/db/t/write/r wasDerivedFrom /tmp/a b/#c%2F?.csv/read/r (SingleInput)
        """,
        "/tmp/a b/#c%2F?.csv/read/r a UnresolvedRead",
    ),
    # statistics prove the write; that its run was aborted leaves it partial
    "19": (
        """
        r startedAtTime t0
        r endedAtTime t5
        r state ABORT
        out/write/r generatedAtTime t5
        out/write/r partial true
        out/write/r qualifiedGeneration out/write/r#generation
        out/write/r#generation a Generation
        out/write/r#generation activity r
        out/write/r#generation atTime t5
        out/write/r#generation rowCount 7
        out/write/r wasDerivedFrom in/read/r (SingleInput)
        """,
        "in/read/r a UnresolvedRead",
    ),
    # an event after the end does not move the end
    "20": ("05", "05"),
}


def scenario_files() -> list[Path]:
    files = sorted((suites.path("openlineage") / "synthetic" / "scenarios").glob("*.jsonl"))
    assert len(files) == len(SCENARIOS)
    return files


@pytest.mark.parametrize("number", SCENARIOS)
@pytest.mark.parametrize("backwards", [False, True], ids=["forwards", "backwards"])
def test_scenario(number: str, backwards: bool, store: ProvStore) -> None:
    (file,) = [each for each in scenario_files() if each.name.startswith(number)]
    events = [json.loads(line) for line in file.read_bytes().splitlines()]
    feed(store, *(reversed(events) if backwards else events))
    merged, inferred = SCENARIOS[number]
    names = named(sorted(events, key=lambda each: str(each["eventTime"])))
    assert told(store, "merged", names) == lines_of(SCENARIOS[merged][0] if merged in SCENARIOS else merged)
    assert told(store, "inferred", names) == lines_of(SCENARIOS[inferred][1] if inferred in SCENARIOS else inferred)


def named(events: Sequence[Object]) -> dict[str, str]:
    """Short names for a scenario's runs, their parents and windows, in order of appearance."""
    found: dict[str, str] = {}
    for event in events:
        pattern = event.get("job", {}).get("facets", {}).get("jobType", {}).get("emissionPattern", {})
        parent = event.get("run", {}).get("facets", {}).get("parent", {})
        identifiers = [each["run"]["runId"] for each in (event, parent, parent.get("root")) if each and "run" in each]
        if pattern.get("eventContentMode") == "COMPLETE_SNAPSHOT":
            # a window is named after its run and its end
            instant = event["eventTime"].replace("Z", ".000000000Z")
            identifiers.append(str(uuid.uuid5(uuid.UUID(identifiers[0]), f"window/{instant}")))
        for identifier in identifiers:
            found.setdefault(identifier, _RUNS[len(found)])
    return found


# --- which write a read saw ------------------------------------------------------------------------------------------


def wrote(run: str, second: float, *named: str | Object, parent: str = "") -> Object:
    return said(run, "COMPLETE", second, (), named or ("d",), parent=parent)


def reads(run: str, first: float, last: float, *named: str | Object) -> tuple[Object, Object]:
    return said(run, "START", first, named or ("d",)), said(run, "COMPLETE", last)


def seen(store: ProvStore, state: str) -> set[str]:
    """What is inferred of one state, without the state's own name."""
    return {line.removeprefix(f"{state} ") for line in told(store, "inferred") if line.startswith(f"{state} ")}


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


# --- what a run's writes were made from ------------------------------------------------------------------------------


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
    (last,) = feed(store, gone)
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
