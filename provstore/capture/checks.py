"""Checks of data as tools report them: a run read a dataset, tested it and measured it.

What Great Expectations and Soda say comes to the same here, and says the same as the facet `test` of OpenLineage: the
tests are a content, asserted of the state that was read, so that every question about tests has one form of answer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final

from provstore import iris, rdf
from provstore.capture.described import Described
from provstore.capture.draft import Draft, Object
from provstore.capture.facets import escaped, kind_of
from provstore.capture.facets.graph import term_of
from provstore.errors import Unmappable
from provstore.vocab import DCT, DQV, PROV, PS, SCHEMA

_SHA256: Final = re.compile(r"[0-9a-f]{64}\Z")


@dataclass(frozen=True, slots=True)
class Data:
    """The data that were checked: a dataset, and what is known of its content."""

    namespace: str
    name: str
    version: str = ""
    sha256: str = ""
    weak_digest: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """One test: `status` is pass, fail, skip or error (it could not be told)."""

    name: str
    kind: str
    status: str
    column: str = ""
    severity: str = ""
    text: str = ""
    expected: str = ""
    actual: str = ""

    def facet(self) -> Object:
        """The test as an element of OpenLineage's facet `test`."""
        said = {
            "name": self.name,
            "type": self.kind,
            "status": self.status,
            "column": self.column,
            "severity": self.severity,
            "content": self.text,
            "expected": self.expected,
            "actual": self.actual,
        }
        return {name: value for name, value in said.items() if value}


@dataclass(frozen=True, slots=True)
class Measure:
    """A number that was measured; `metric` is a term, or the name of one of the tool's own metrics."""

    metric: str
    value: int | float
    column: str = ""


@dataclass(frozen=True, slots=True)
class Scan:
    """One execution of checks on one dataset; `identity` is what makes it this one and no other."""

    tool: str
    version: str
    identity: str
    job: str
    data: Data
    started: str
    ended: str
    checks: tuple[Check, ...] = ()
    measures: tuple[Measure, ...] = ()


def say_scan(draft: Described, scan: Scan) -> None:
    """The run, what it read, what it found."""
    identifier = iris.run_id(f"{scan.tool}\n{scan.identity}")[0]
    run = f"<{iris.run(identifier)}>"
    draft.type(run, PROV.Activity, PS.Run)
    draft.head(scan.ended, run)
    draft.say(run, PS.job, f"<{draft.job(scan.tool, scan.job)}>")
    draft.span(run, scan.started, scan.ended)
    _tool(draft, run, scan)
    read = _read(draft, run, identifier, scan.data)
    if scan.checks:
        facet = {"_producer": f"{scan.tool}/{scan.version}", "tests": [each.facet() for each in scan.checks]}
        draft.facet(read, "test", facet)
    taken: set[str] = set()
    for each in scan.measures:
        _measure(draft, scan.tool, (run, read), each, taken)


def _tool(draft: Draft, run: str, scan: Scan) -> None:
    agent = draft.agent("software", f"{scan.tool}/{scan.version}" if scan.version else scan.tool)
    draft.say(agent, SCHEMA.name, rdf.literal(scan.tool))
    if scan.version:
        draft.say(agent, SCHEMA.softwareVersion, rdf.literal(scan.version))
    draft.associate(run, agent)


def _read(draft: Draft, run: str, identifier: str, data: Data) -> str:
    dataset = draft.dataset(data.namespace, data.name)
    read = draft.read(run, identifier, dataset, {"sha256": data.sha256} if data.sha256 else {})
    if data.version:
        version = f"<{iris.version(dataset, data.version)}>"
        draft.say(read, PROV.specializationOf, version)
        draft.type(version, PROV.Entity, PS.Version)
        draft.say(version, PROV.specializationOf, f"<{dataset}>")
        draft.say(version, PS.version, rdf.literal(data.version))
    if data.weak_digest:
        draft.say(read, PS.weakDigest, rdf.literal(data.weak_digest))
    return read


def _measure(draft: Draft, tool: str, where: tuple[str, str], each: Measure, taken: set[str]) -> None:
    run, read = where
    metric, name = each.metric, each.metric.rpartition("#")[2].rstrip(">")
    if not metric.startswith("<"):
        metric = f"<{draft.base}/metric/{iris.enc(f'{tool}/{each.metric}')}>"
        draft.type(metric, DQV.Metric)
        draft.say(metric, DCT.title, rdf.literal(each.metric))
    place = f"{read[:-1]}#measurement/{iris.enc(name)}{f'/{iris.enc(each.column)}' if each.column else ''}"
    again = next(n for n in count(1) if f"{place};{n}" not in taken)  # the same was measured of other rows
    taken.add(f"{place};{again}")
    node = f"{place}>" if again == 1 else f"{place};{again}>"
    draft.type(node, PROV.Entity, DQV.QualityMeasurement)
    draft.say(node, DQV.computedOn, read)
    draft.say(node, DQV.isMeasurementOf, metric)
    draft.say(node, DQV.value, term_of(each.value))
    draft.say(node, PROV.wasGeneratedBy, run)
    if each.column:
        draft.say(node, PS.column, rdf.literal(each.column))


# --- reading what tools write ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Envelope:
    """A tool's result as sent, where it stands in what was sent, and what the sender says of its data.

    `namespaces` says which namespace a data source of the tool stands for, `datasets` which dataset one of its tables.
    """

    result: Object
    pointer: str = ""
    namespaces: Mapping[str, Any] = field(default_factory=dict)
    datasets: Mapping[str, Any] = field(default_factory=dict)


def envelope(draft: Draft, value: Object) -> Envelope:
    """What is in `{"provstore": …, "result": …}`, or the result that was sent without one."""
    if "provstore" not in value:
        return Envelope(value)
    result = value.get("result")
    if not isinstance(result, dict):
        draft.refuse("'result' must be an object, the result of the tool", result, "/result")
    said: dict[str, Object] = {"namespaces": {}, "datasets": {}}
    for name in said:
        given = value.get(name)
        if isinstance(given, dict):
            said[name] = given
        elif given is not None:
            draft.note(f"/{name}", f"ignored: {name!r} must be an object, got {kind_of(given)}")
    return Envelope(result, "/result", said["namespaces"], said["datasets"])


def data_of(draft: Draft, sent: Envelope, source: str, table: str, weak_digest: str = "") -> Data:
    """The dataset that a data source and a table of a tool stand for, as the envelope says, or else by their names."""
    given = sent.datasets.get(table)
    if isinstance(given, dict):
        return _given(draft, given, f"/datasets/{escaped(table)}", weak_digest)
    if given is not None:
        draft.note(f"/datasets/{escaped(table)}", f"ignored: a dataset must be an object, got {kind_of(given)}")
    namespace = sent.namespaces.get(source)
    if type(namespace) is str and namespace:
        return Data(namespace, table, weak_digest=weak_digest)
    assumed = f"the data source {source[:60]!r} was taken as the namespace of {table[:60]!r}"
    draft.note(sent.pointer, f"{assumed}: 'namespaces' may say another")
    return Data(source, table, weak_digest=weak_digest)


def _given(draft: Draft, given: Object, pointer: str, weak_digest: str) -> Data:
    read: dict[str, str] = {}
    for name in ("namespace", "name", "version", "sha256"):
        value = given.get(name)
        if type(value) is str or value is None:
            read[name] = value or ""
        else:
            raise Unmappable(f"{name!r} must be a string, got {kind_of(value)}", pointer=f"{pointer}/{name}")
    for name in ("namespace", "name"):
        if not read[name]:
            raise Unmappable(f"a dataset needs {name!r}, a non-empty string", pointer=f"{pointer}/{name}")
    if read["sha256"] and not _SHA256.match(read["sha256"]):
        draft.note(f"{pointer}/sha256", "ignored: 'sha256' must be 64 lower-case hexadecimal digits")
        read["sha256"] = ""
    return Data(read["namespace"], read["name"], read["version"], read["sha256"], weak_digest)
