"""What dbt's own facets mean: how an output is written, and that a test writes none."""

from __future__ import annotations

from typing import Any

import pytest

from provstore.capture.openlineage import map_event
from provstore.model import Mapped
from provstore.vocab import PROV, PS
from tests.notation import triples
from tests.servers import BASE, event


def mapped(config: object, *, job: str = "MODEL", kind: str = "COMPLETE", **run: object) -> Mapped:
    """An event of dbt with one output of the given configuration."""
    output: dict[str, Any] = {"namespace": "pg", "name": "out", "facets": {"dbt_model": {"config": config}}}
    whole = event(eventType=kind, outputs=[output])
    whole["run"]["facets"] = {"dbt_run": run}
    whole["job"]["facets"] = {"jobType": {"processingType": "BATCH", "integration": "DBT", "jobType": job}}
    return map_event(whole, base=BASE)


def objects(record: Mapped, predicate: str) -> list[str]:
    return [value for _, said, value in triples(record.quads) if said == predicate]


@pytest.mark.parametrize("kind", ["view", "table", "seed", "materialized_view", "external"])
def test_what_is_made_anew_overwrites(kind: str) -> None:
    assert objects(mapped({"materialized": kind}), PS.writeMode) == [PS.Overwrite]


@pytest.mark.parametrize(
    ("strategy", "mode"),
    [
        ("append", PS.Append),
        ("merge", PS.Merge),
        ("delete+insert", PS.Merge),
        ("microbatch", PS.Merge),
        (None, PS.Merge),
    ],
)
def test_an_incremental_model_keeps_what_it_had(strategy: str | None, mode: str) -> None:
    config = {"materialized": "incremental", "incremental": {"strategy": strategy}}
    assert objects(mapped(config), PS.writeMode) == [mode]
    assert objects(mapped(config, full_refresh=False), PS.writeMode) == [mode]


def test_a_snapshot_keeps_its_history_also_in_a_full_refresh() -> None:
    assert objects(mapped({"materialized": "snapshot"}, full_refresh=True), PS.writeMode) == [PS.Merge]


@pytest.mark.parametrize(
    ("own", "command", "mode"),
    [(None, True, PS.Overwrite), (True, False, PS.Overwrite), (True, None, PS.Overwrite), (False, True, PS.Merge)],
)
def test_a_full_refresh_overwrites_unless_the_model_forbids_it(own: object, command: object, mode: str) -> None:
    config = {"materialized": "incremental", "incremental": {"full_refresh": own}}
    assert objects(mapped(config, full_refresh=command), PS.writeMode) == [mode]


@pytest.mark.parametrize("config", [None, "view", [], {}, {"materialized": "of our own"}, {"materialized": ["view"]}])
def test_nothing_is_said_where_it_does_not_tell(config: object) -> None:
    record = mapped(config)
    assert objects(record, PROV.wasGeneratedBy) != []
    assert objects(record, PS.writeMode) == []


def test_a_malformed_setting_is_none() -> None:
    config = {"materialized": "incremental", "incremental": "append"}
    assert objects(mapped(config, full_refresh="yes"), PS.writeMode) == [PS.Merge]


def test_the_standard_facet_goes_before() -> None:
    output = {
        "namespace": "pg",
        "name": "out",
        "facets": {
            "dbt_model": {"config": {"materialized": "table"}},
            "lifecycleStateChange": {"lifecycleStateChange": "ALTER"},
        },
    }
    assert objects(map_event(event(outputs=[output]), base=BASE), PS.writeMode) == [PS.Alter]


@pytest.mark.parametrize("kind", ["START", "COMPLETE", "FAIL"])
def test_a_test_writes_nothing(kind: str) -> None:
    record = mapped({"materialized": "test"}, job="TEST", kind=kind)
    assert objects(record, PROV.wasGeneratedBy) == []
    assert objects(record, PS.intendedOutput) == []
    assert [liberty.pointer for liberty in record.liberties] == ["/outputs/0"]
    assert "dbt_model" in str(record.quads)  # its facets are kept all the same


def test_a_test_of_another_tool_may_write() -> None:
    whole = event(outputs=[{"namespace": "pg", "name": "out"}])
    whole["job"]["facets"] = {"jobType": {"integration": "OTHER", "jobType": "TEST"}}
    assert objects(map_event(whole, base=BASE), PROV.wasGeneratedBy) != []
