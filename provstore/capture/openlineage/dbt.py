"""What dbt's own facets say of a run's outputs: how each is written, and that a test writes none."""

from __future__ import annotations

from typing import NamedTuple

from provstore.capture.openlineage.event import Object, live
from provstore.vocab import PS

#: Materializations that make their relation anew each time.
_REPLACING = ("view", "table", "seed", "materialized_view", "external")


class Dbt(NamedTuple):
    """What holds for all outputs of a run."""

    test: bool
    full_refresh: bool


def dbt(run_facets: Object, job_facets: Object) -> Dbt:
    """What dbt says of a run; of a run of anything else, that it is neither a test nor a full refresh."""
    kind = live(job_facets, "jobType") or {}
    run = live(run_facets, "dbt_run") or {}
    return Dbt(kind.get("integration") == "DBT" and kind.get("jobType") == "TEST", run.get("full_refresh") is True)


def write_mode(facets: Object, run: Dbt) -> str:
    """The individual for `ps:writeMode` that an output's materialization stands for; empty where it does not tell.

    An incremental model keeps the rows it had and a snapshot its history, unless a full refresh makes it anew; the
    model's own setting of `full_refresh` goes before the command's, as in dbt.
    """
    config = (live(facets, "dbt_model") or {}).get("config")
    if not isinstance(config, dict):
        return ""
    kind = config.get("materialized")
    if kind in _REPLACING:
        return PS.Overwrite
    if kind == "snapshot":
        return PS.Merge
    if kind != "incremental":
        return ""
    own = config.get("incremental")
    settings: Object = own if isinstance(own, dict) else {}
    refresh = settings.get("full_refresh")
    if refresh is True or (refresh is not False and run.full_refresh):
        return PS.Overwrite
    return PS.Append if settings.get("strategy") == "append" else PS.Merge
