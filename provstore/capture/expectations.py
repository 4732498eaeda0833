"""Validation results of Great Expectations 1.x: which expectations a batch of data met, and what was measured.

Taken in are what `validation_result.to_json_dict()` gives, the files that a file context keeps under
`uncommitted/validations`, and a checkpoint's `run_results` as an object of such results.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from provstore import jcs
from provstore.capture.checks import Check, Data, Envelope, Measure, Scan, data_of, envelope, say_scan
from provstore.capture.described import Described, located, number, text
from provstore.capture.draft import Draft, Object
from provstore.capture.facets import escaped, kind_of
from provstore.errors import Unmappable
from provstore.model import Mapped
from provstore.vocab import PS

#: Name and version of the mapping; also what the member `provstore` of an envelope says.
ADAPTER: Final = "expectations/1"
_TOOL = "great_expectations"
#: Expectations whose observed value is a measure that has a name.
_OBSERVED = {
    "expect_table_row_count_to_be_between": PS.RowCount,
    "expect_table_row_count_to_equal": PS.RowCount,
    "expect_column_max_to_be_between": PS.Maximum,
    "expect_column_min_to_be_between": PS.Minimum,
    "expect_column_sum_to_be_between": PS.Sum,
    "expect_column_unique_value_count_to_be_between": PS.DistinctCount,
}
#: Members of a result that hold values of rows, as the tool names them up to `result_format` COMPLETE.
ROWS: Final = frozenset(
    (
        *("partial_unexpected_list", "partial_unexpected_counts", "partial_unexpected_index_list"),
        *("unexpected_list", "unexpected_index_list", "unexpected_index_query", "unexpected_rows"),
        *("value_counts", "observed_value[]"),
    )
)
#: Members that hold values of rows by chance: the least name of a column, what a database says of a row.
VALUES: Final = frozenset(("observed_value", "exception_message", "exception_traceback"))


def recognised(value: Object) -> bool:
    """Whether an object is a validation result or holds those of a checkpoint."""
    return "run_results" in value or {"success", "results", "meta"} <= value.keys()


def map_expectations(value: object, *, base: str) -> Mapped:
    """One validation result, or all of a checkpoint, as a record: runs that read datasets, their tests and measures.

    Unmappable where a result does not say which data were validated, or when.
    """
    if not isinstance(value, dict):
        raise Unmappable(f"a validation result must be an object, got {kind_of(value)}", pointer="")
    draft = Described(base, value, ADAPTER)
    sent = envelope(draft, value)
    for pointer, result in _results(sent):
        say_scan(draft, _scan(draft, sent, pointer, result))
    return draft.mapped()


def _results(sent: Envelope) -> Iterator[tuple[str, Object]]:
    several = sent.result.get("run_results")
    if several is None:
        yield sent.pointer, sent.result
        return
    if not isinstance(several, dict) or not several:
        raise Unmappable("'run_results' must be an object of validation results", pointer=f"{sent.pointer}/run_results")
    for name, each in sorted(several.items()):
        pointer = f"{sent.pointer}/run_results/{escaped(name)}"
        if isinstance(each, dict) and isinstance(each.get("validation_result"), dict):  # as written before 1.0
            pointer, each = f"{pointer}/validation_result", each["validation_result"]
        if not isinstance(each, dict):
            raise Unmappable(f"a validation result must be an object, got {kind_of(each)}", pointer=pointer)
        yield pointer, each


def _object(holder: Object, member: str) -> Object:
    value = holder.get(member)
    return value if isinstance(value, dict) else {}


def _scan(draft: Draft, sent: Envelope, pointer: str, result: Object) -> Scan:
    meta = _object(result, "meta")
    run = _object(meta, "run_id")
    when = draft.instant(run, "run_time", f"{pointer}/meta/run_id")
    if when is None:
        draft.refuse("'run_time' must be an ISO 8601 date-time", run.get("run_time"), f"{pointer}/meta/run_id/run_time")
    data = _data(draft, sent, pointer, meta)
    suite = text(result.get("suite_name")) or text(meta.get("expectation_suite_name")) or "unnamed suite"
    named = (meta.get("checkpoint_id"), meta.get("validation_id"), run.get("run_name"))
    identity = jcs.dumps([*map(text, named), when, suite, data.namespace, data.name])
    listed = result.get("results")
    if not isinstance(listed, list):
        draft.refuse("'results' must be a list", listed, f"{pointer}/results")
    checks, measures = _expectations(draft, pointer, listed)
    version = text(meta.get("great_expectations_version"))
    return Scan(_TOOL, version, identity, suite, data, when, when, checks, measures)


def _data(draft: Draft, sent: Envelope, pointer: str, meta: Object) -> Data:
    batch, spec = _object(meta, "active_batch_definition"), _object(meta, "batch_spec")
    source, asset = text(batch.get("datasource_name")), text(batch.get("data_asset_name"))
    digest = text(_object(meta, "batch_markers").get("pandas_data_fingerprint"))
    weak = f"pandas:{digest}" if digest else ""
    file = located(text(spec.get("path")))
    if file and asset not in sent.datasets:
        return Data(*file, weak_digest=weak)
    table = ".".join(filter(None, (text(spec.get("schema_name")), text(spec.get("table_name"))))) or asset
    if not source or not table:
        wanted = (
            "'active_batch_definition' must name the data that were validated: 'datasource_name', 'data_asset_name'"
        )
        raise Unmappable(wanted, pointer=f"{pointer}/meta/active_batch_definition")
    return data_of(draft, sent, source, asset if asset in sent.datasets else table, weak)


def _expectations(draft: Draft, pointer: str, results: list[Any]) -> tuple[tuple[Check, ...], tuple[Measure, ...]]:
    checks: list[Check] = []
    measures: dict[tuple[object, ...], Measure] = {}
    for index, each in enumerate(results):
        place = f"{pointer}/results/{index}"
        config = _object(each, "expectation_config") if isinstance(each, dict) else {}
        kind = text(config.get("type")) or text(config.get("expectation_type"))
        if not kind:
            draft.note(place, "ignored: an expectation without 'type' in its 'expectation_config'")
            continue
        kwargs, found = _object(config, "kwargs"), _object(each, "result")
        if any(isinstance(found.get(name), list) for name in ROWS):
            draft.note(f"{place}/result", "values of rows stand in the payload, and not in the graph")
        checks.append(_check(each, kind, config, found))
        for measure in _measures(kind, kwargs, found):
            common = measure.metric.startswith("<") and not kwargs.get("row_condition")  # many measure it alike
            measures.setdefault((0 if common else index + 1, measure.metric, measure.column), measure)
    return tuple(checks), tuple(measures.values())


def _check(each: Object, kind: str, config: Object, found: Object) -> Check:
    kwargs = _object(config, "kwargs")
    wanted = {name: value for name, value in kwargs.items() if name not in ("column", "batch_id")}
    status = "pass" if each.get("success") is True else "error" if _raised(each) else "fail"
    return Check(
        name=text(config.get("description")) or kind,
        kind=kind,
        status=status,
        column=text(kwargs.get("column")),
        severity=text(config.get("severity")),
        expected=jcs.dumps(wanted) if wanted else "",
        actual="it raised an exception" if status == "error" else _actual(found),
    )


def _raised(each: Object) -> bool:
    """Whether the expectation could not be looked at; what was raised may be told by metric."""
    raised = _object(each, "exception_info")
    return any(one.get("raised_exception") is True for one in (raised, *raised.values()) if isinstance(one, dict))


def _actual(found: Object) -> str:
    observed = found.get("observed_value")
    if observed is not None:
        return text(observed)[:200]
    unexpected, of = number(found.get("unexpected_count")), number(found.get("element_count"))
    return f"{unexpected} of {of} unexpected" if unexpected is not None and of is not None else ""


def _measures(kind: str, kwargs: Object, found: Object) -> Iterator[Measure]:
    """What an expectation measured: rows, missing values, what it observed, and how many values it did not expect."""
    column = text(kwargs.get("column"))
    observed, rows = number(found.get("observed_value")), number(found.get("element_count"))
    missing, unexpected = number(found.get("missing_count")), number(found.get("unexpected_percent"))
    if kind == "expect_column_values_to_not_be_null":
        missing, unexpected = number(found.get("unexpected_count")), None
    if rows is not None:
        yield Measure(PS.RowCount, rows)
    if missing is not None and column:
        yield Measure(PS.NullCount, missing, column)
    if observed is not None:
        metric = _OBSERVED.get(kind, f"{kind}: observed value")
        yield Measure(metric, observed, column)
    if unexpected is not None:
        yield Measure(f"{kind}: unexpected values, %", unexpected, column)
