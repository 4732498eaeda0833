"""The twenty scenarios: all that merged and inferred say of each, and what plain paths answer, from the data model.

What the records themselves say of them stands in `test_openlineage`. Every one is told forwards, backwards and
shuffled; where one says what another says, it names it.
"""

from __future__ import annotations

import json
import random
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from provstore.core import ProvStore
from tests import suites
from tests.notation import lines_of
from tests.stores import assert_sound, store_in
from tests.telling import RUNS, Object, feed, told


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ProvStore]:
    with store_in(tmp_path / "store") as opened:
        yield opened
        assert_sound(opened)


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
    # an event after the end does not move the end, and is heard all the same
    "20": (
        """
        r startedAtTime t0
        r endedAtTime t5
        r state COMPLETE
        r dcat:keyword late
        r schema:additionalProperty content:tags#/tags/0
        out/write/r a WriteState
        out/write/r specializationOf out
        out/write/r wasGeneratedBy r
        out/write/r generatedAtTime t5
        out/write/r wasDerivedFrom in/read/r (SingleInput)
        """,
        "in/read/r a UnresolvedRead",
    ),
}


#: Number → for each write, what ordinary PROV paths reach from it: `prov:wasDerivedFrom+`, which is certain, and after
#: a bar what `(prov:wasGeneratedBy/prov:used)+` reaches besides, which is the over-approximation.
PATHS: dict[str, str] = {
    "01": "out/write/r: in/read/r |",
    "02": "01",
    "03": "01",
    "04": "",
    "05": "01",
    "06": """
        t_a/write/r: in/read/r |
        t_b/write/s: in/read/s |
        """,
    "07": """
        x/write/r: |
        x/write/s: |
        y/write/t: x/read/t x/write/r |
        """,
    "08": "01",
    "09": "new/write/r: old/read/r |",
    "10": """
        wh/t/write/r: |
        z/write/s: db.t/read/s wh/t/write/r |
        """,
    "11": "",
    "12": """
        C/write/r: A/read/r | B/read/r
        Dd/write/r: B/read/r | A/read/r
        """,
    "13": "",
    "14": """
        out/write/s: in/read/s |
        out/write/t: in/read/t |
        out/write/u: in/read/u |
        """,
    "15": "t/write/r: t/read/r |",
    "16": "01",
    "17": "01",
    "18": "table/db/t/write/r: /tmp/a b/#c%2F?.csv/read/r |",
    "19": "01",
    "20": "01",
}


def scenario_files() -> list[Path]:
    files = sorted((suites.path("openlineage") / "synthetic" / "scenarios").glob("*.jsonl"))
    assert len(files) == len(SCENARIOS) == len(PATHS)
    return files


def arranged(events: list[Object], order: str) -> list[Object]:
    """The events in an order, shuffled ones with some of them twice."""
    if order == "shuffled":
        events = random.Random(len(events)).choices(events, k=2) + events
        random.Random(7).shuffle(events)
    return events[::-1] if order == "backwards" else events


@pytest.mark.parametrize("number", SCENARIOS)
@pytest.mark.parametrize("order", ["forwards", "backwards", "shuffled"])
def test_scenario(number: str, order: str, store: ProvStore) -> None:
    (file,) = [each for each in scenario_files() if each.name.startswith(number)]
    events = [json.loads(line) for line in file.read_bytes().splitlines()]
    feed(store, *arranged(events, order))
    merged, inferred = SCENARIOS[number]
    names = named(sorted(events, key=lambda each: str(each["eventTime"])))
    assert told(store, "merged", names) == lines_of(SCENARIOS[merged][0] if merged in SCENARIOS else merged)
    assert told(store, "inferred", names) == lines_of(SCENARIOS[inferred][1] if inferred in SCENARIOS else inferred)
    paths = PATHS[number]
    assert set(reached(told(store, "", names))) == lines_of(PATHS.get(paths, paths))


def reached(live: set[str]) -> Iterator[str]:
    """What the plain paths reach from each write of the default graph."""
    step: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for line in live:
        for relation in ("wasDerivedFrom", "wasGeneratedBy", "used", "a"):
            subject, found, value = line.rpartition(" (")[0 if line.endswith(")") else 2].partition(f" {relation} ")
            if found:
                step[relation][subject].add(value)
    for write in (subject for subject, kinds in step["a"].items() if "WriteState" in kinds):
        certain = closure(write, lambda entity: step["wasDerivedFrom"][entity])
        over = closure(write, lambda entity: {e for a in step["wasGeneratedBy"][entity] for e in step["used"][a]})
        assert certain <= over
        yield f"{write}: {' '.join([*sorted(certain), '|', *sorted(over - certain)])}".replace(":  ", ": ")


def closure(start: str, following: Callable[[str], set[str]]) -> set[str]:
    found: set[str] = set()
    todo = [start]
    while todo:
        new = following(todo.pop()) - found
        found |= new
        todo += new
    return found


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
            found.setdefault(identifier, RUNS[len(found)])
    return found
