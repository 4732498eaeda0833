"""Scan results of Soda Core 3: which checks the tables of a data source passed, and what was measured."""

from __future__ import annotations

from collections import defaultdict
from typing import Final

from provstore import jcs
from provstore.capture.checks import Check, Envelope, Measure, Scan, data_of, envelope, say_scan
from provstore.capture.described import Described, number, text
from provstore.capture.draft import Draft, Object
from provstore.capture.facets import kind_of
from provstore.errors import Unmappable
from provstore.model import Mapped
from provstore.vocab import PS

#: Name and version of the mapping; also what the member `provstore` of an envelope says.
ADAPTER: Final = "soda/1"
_TOOL = "soda"
_METRICS = {
    "row_count": PS.RowCount,
    "missing_count": PS.NullCount,
    "max": PS.Maximum,
    "min": PS.Minimum,
    "sum": PS.Sum,
}
#: Members that hold values of rows: those of a column's profile.
ROWS: Final = frozenset(("profile/mins", "profile/maxs", "profile/frequentValues", "profile/frequent_values"))
#: Members that hold values of rows by chance: what a database says of a row.
VALUES: Final = frozenset(("queries/exception", "logs/message"))
#: What Soda says of a check → its status, and its severity. A check that did not run has no outcome.
_OUTCOMES = {"pass": ("pass", ""), "warn": ("fail", "warn"), "fail": ("fail", "error"), None: ("error", "")}


def recognised(value: Object) -> bool:
    """Whether an object is the result of a scan."""
    return {"definitionName", "scanStartTimestamp", "checks"} <= value.keys()


def map_soda(value: object, *, base: str) -> Mapped:
    """The result of one scan as a record: for each table a run that read it, its tests and measures.

    Unmappable where the scan has no name or no time, or looked at no table.
    """
    if not isinstance(value, dict):
        raise Unmappable(f"a scan result must be an object, got {kind_of(value)}", pointer="")
    draft = Described(base, value, ADAPTER)
    sent = envelope(draft, value)
    started, ended, name = _head(draft, sent)
    tables = _tables(draft, sent)
    if not tables:
        why = " (it broke off)" if sent.result.get("hasErrors") is True else ""
        raise Unmappable(f"the scan tells of no check on a table{why}", pointer=f"{sent.pointer}/checks")
    for (source, table), checks in sorted(tables.items()):
        data = data_of(draft, sent, source, table)
        identity = jcs.dumps([name, started, data.namespace, data.name])
        tests = tuple(_check(each) for each in checks)
        say_scan(
            draft,
            Scan(_TOOL, _version(sent.result), identity, name, data, started, ended, tests, _measures(sent, checks)),
        )
    return draft.mapped()


def _head(draft: Draft, sent: Envelope) -> tuple[str, str, str]:
    """When the scan began and ended, and its name."""
    place = f"{sent.pointer}/scanStartTimestamp"
    started = draft.instant(sent.result, "scanStartTimestamp", sent.pointer)
    name = text(sent.result.get("definitionName"))
    if started is None:
        raise Unmappable("'scanStartTimestamp' must be an ISO 8601 date-time", pointer=place)
    if not name:
        raise Unmappable("'definitionName' must be a non-empty string", pointer=f"{sent.pointer}/definitionName")
    ended = draft.instant(sent.result, "scanEndTimestamp", sent.pointer)
    return started, ended or started, name


def _version(result: Object) -> str:
    """The version that the scan logged as its first line; empty where it did not."""
    logs = result.get("logs")
    for line in logs if isinstance(logs, list) else ():
        words = text(line.get("message")).split() if isinstance(line, dict) else []
        if words[:2] == ["Soda", "Core"] and len(words) == 3:
            return words[2]
    return ""


def _tables(draft: Draft, sent: Envelope) -> dict[tuple[str, str], list[Object]]:
    """The checks by data source and table."""
    checks = sent.result.get("checks")
    if not isinstance(checks, list):
        raise Unmappable(f"'checks' must be a list, got {kind_of(checks)}", pointer=f"{sent.pointer}/checks")
    found: dict[tuple[str, str], list[Object]] = defaultdict(list)
    for index, each in enumerate(checks):
        place = f"{sent.pointer}/checks/{index}"
        named = each if isinstance(each, dict) else {}
        source = text(named.get("dataSource")) or text(sent.result.get("defaultDataSource"))
        if not source or not text(named.get("table")):
            draft.note(place, "ignored: a check that does not name its 'dataSource' and 'table'")
        elif not text(named.get("name")):
            draft.note(place, "ignored: a check without a 'name'")
        else:
            found[source, text(named["table"])].append(named)
    return found


def _check(each: Object) -> Check:
    sent = each.get("outcome")
    status, severity = _OUTCOMES.get(sent if type(sent) is str else None, ("error", ""))
    found = each.get("diagnostics")
    found = found if isinstance(found, dict) else {}
    bounds = {name: found[name] for name in ("fail", "warn") if isinstance(found.get(name), dict)}
    return Check(
        name=text(each["name"]),
        kind=text(each.get("type")),
        status=status,
        column=text(each.get("column")),
        severity=severity,
        text=text(each.get("definition")),
        expected=jcs.dumps(bounds) if bounds else "",
        actual=text(found.get("value"))[:200],
    )


def _measures(sent: Envelope, checks: list[Object]) -> tuple[Measure, ...]:
    """What the metrics of the checks were; a metric that several checks share counts once."""
    listed = sent.result.get("metrics")
    known = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    values: dict[str, Object] = {text(each.get("identity")): each for each in known}
    found: dict[str, Measure] = {}
    for check in checks:
        names = check.get("metrics")
        for identity in names if isinstance(names, list) else ():
            each = values.get(text(identity), {})
            name, value = text(each.get("metricName")), number(each.get("value"))
            if name and value is not None:
                column = "" if name == "row_count" else text(check.get("column"))
                found[text(identity)] = Measure(_METRICS.get(name, name), value, column)
    return tuple(found[identity] for identity in sorted(found))
