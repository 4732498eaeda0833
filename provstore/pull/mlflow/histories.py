"""How the metrics of a run went, in one line each: how many values, the lowest and the highest, and at which steps."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from itertools import islice
from typing import Any, Final

from provstore.pull.mlflow.listing import Listing

Object = dict[str, Any]

#: So many values of one metric are looked at.
_MOST: Final = 1_000_000
_NUMBERS: Final = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def wanted(run: Object) -> list[str]:
    """The metrics of a run that were logged by steps, which is what tells that there is more than the last value."""
    listed = (run.get("data") or {}).get("metrics") or ()
    return sorted({str(each["key"]) for each in listed if int(each.get("step") or 0)})


def of(listing: Listing, run: str, metrics: Iterable[str]) -> list[Object]:
    """A summary of each of these metrics of a run."""
    return [{"key": key, **summary(listing.history(run, key))} for key in metrics]


def together(metrics: Iterable[Object]) -> list[Object]:
    """The metrics of a logged model: one entry for each name, run and dataset, with a summary where it has several."""
    held: dict[tuple[object, ...], list[Object]] = defaultdict(list)
    for each in metrics:
        held[tuple(each.get(name) for name in ("key", "run_id", "dataset_name", "dataset_digest"))].append(each)
    return [{**some[0], **_last(summary(some))} if len(some) > 1 else some[0] for some in held.values()]


def _last(summed: Object) -> Object:
    """A summary as a metric with its last value, and what else is told of it."""
    rest = {name: each for name, each in summed.items() if name != "last"}
    return {**summed["last"], **rest}


def summary(values: Iterable[Object]) -> Object:
    """`count` of the values, `last`, `lowest` and `highest` with step and timestamp: of equals the one logged first.

    The last is, as MLflow has it, the one of the highest step, of those the latest. What is no number is counted, and
    neither the lowest nor the highest. `"more": true` where there are more values than are looked at.
    """
    count = 0
    last = lowest = highest = None
    given = iter(values)
    for each in islice(given, _MOST):
        count += 1
        value, when = _number(each.get("value")), (int(each.get("step") or 0), int(each.get("timestamp") or 0))
        if last is None or (*when, value) >= last[0]:
            last = (*when, value), each
        if math.isnan(value):
            continue
        if lowest is None or (value, when) < lowest[0]:
            lowest = (value, when), each
        if highest is None or (-value, when) < highest[0]:
            highest = (-value, when), each
    found = {"last": last, "lowest": lowest, "highest": highest}
    told = {name: _told(held[1]) for name, held in found.items() if held}
    return {"count": count, **told, **({"more": True} if next(given, None) else {})}


def _told(each: Object) -> Object:
    return {name: each[name] for name in ("value", "step", "timestamp") if name in each}


def _number(value: object) -> float:
    if isinstance(value, str):
        return _NUMBERS.get(value, math.nan)
    return float(value) if isinstance(value, (int, float)) else math.nan
