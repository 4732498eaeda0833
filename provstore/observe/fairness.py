"""What Fairlearn's MetricFrame holds, as a payload of the format `fairness`: to be written to a file, or sent."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

Payload = dict[str, Any]


def fairness(
    frame: Any,
    *,
    model: str,
    evaluation: Mapping[str, Any],
    datasets: Iterable[Mapping[str, Any]] = (),
    thresholds: Mapping[str, Mapping[str, float]] | None = None,
) -> Payload:
    """The payload (plain JSON) that tells what a `fairlearn.metrics.MetricFrame` measured.

    `model` is the IRI of the model version or `models:/m-…` of MLflow; `evaluation` has `id` or `endedAt`, and may have
    `startedAt`, `name`, `by`; `datasets` are `{"namespace", "name", "sha256", "columns"}` of what it was measured on.
    `thresholds` says for a metric how small its `ratio` and how large its `difference` between groups may be, such as
    `{"selection_rate": {"ratio": 0.8}}`; each is told as a disparity. The sensitive features, and the control features
    if there are any, must have names; a metric named `count` tells how many rows each group has.
    """
    columns = [str(each) for each in [*(frame.control_levels or ()), *frame.sensitive_levels]]
    rows = _table(frame.by_group)
    told = [_group(dict(zip(columns, key, strict=True)), row) for key, row in rows]
    payload: Payload = {
        "provstore": "fairness/1",
        "model": model,
        "evaluation": {"tool": "fairlearn", **evaluation},
        "datasets": [dict(each) for each in datasets],
        "groups": told,
        "disparities": _disparities(told, thresholds or {}),
    }
    if not frame.control_levels:  # with them there is an overall value for each of their groups
        numbers = _numbers(_row(frame.overall, frame.by_group))
        numbers.pop("count", None)
        payload["overall"] = {"metrics": numbers}
    return payload


def _table(by_group: Any) -> list[tuple[tuple[Any, ...], dict[str, Any]]]:
    """The rows of a frame, or of a series where there is one metric, by group."""
    if hasattr(by_group, "to_frame"):
        by_group = by_group.to_frame()
    rows = zip(by_group.index, by_group.to_dict("records"), strict=True)
    return [(key if isinstance(key, tuple) else (key,), row) for key, row in rows]


def _row(overall: Any, by_group: Any) -> dict[str, Any]:
    """The values of all rows together; of one metric the series by group knows the name."""
    return dict(overall.items()) if hasattr(overall, "items") else {str(by_group.name): overall}


def _group(group: dict[str, Any], row: dict[str, Any]) -> Payload:
    numbers = _numbers(row)
    count = numbers.pop("count", None)
    said: Payload = {"group": {column: _plain(value) for column, value in group.items()}, "metrics": numbers}
    return said if count is None else {**said, "count": int(count)}


def _numbers(row: Mapping[str, Any]) -> dict[str, float]:
    """The metrics that have a number: a group without rows has none."""
    found = {str(name): float(value) for name, value in row.items() if value is not None}
    return {name: value for name, value in found.items() if math.isfinite(value)}


def _plain(value: Any) -> Any:
    """A value as JSON has it; NumPy's scalars know what they are."""
    plain = value.item() if hasattr(value, "item") else value
    return plain if isinstance(plain, str | int | bool) else str(plain)


def _disparities(groups: list[Payload], thresholds: Mapping[str, Mapping[str, float]]) -> list[Payload]:
    """Ratio and difference between the groups of each metric that has a threshold."""
    told: list[Payload] = []
    for kind in ("ratio", "difference"):
        wanted = {metric: limits[kind] for metric, limits in sorted(thresholds.items()) if kind in limits}
        for metric, limit in wanted.items():
            values = {name: each["metrics"][metric] for name, each in enumerate(groups) if metric in each["metrics"]}
            if len(values) < 2:
                continue
            least, most = min(values, key=values.__getitem__), max(values, key=values.__getitem__)
            low, high = values[least], values[most]
            if kind == "ratio" and not high > 0:
                continue
            told.append(
                {
                    "metric": metric,
                    "kind": kind,
                    "value": low / high if kind == "ratio" else high - low,
                    "threshold": limit,
                    "between": [groups[least]["group"], groups[most]["group"]],
                }
            )
    return told
