"""Made-up histories of a few runs: their events, what others say of them, and a strategy that draws whole ones.

Time is counted in seconds from one instant; runs, datasets and jobs go by short names.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from hashlib import md5, sha256
from typing import Any

from hypothesis import strategies as st

from provstore import iris
from provstore.model import Submission
from tests import stores
from tests.stores import BASE

NAMESPACE = "db"
_MD5 = md5(b"1").hexdigest()
_RUNS = uuid.UUID(int=0)
PREFIXES = (
    "@prefix ps: <https://w3id.org/provstore/ns#> . @prefix prov: <http://www.w3.org/ns/prov#> ."
    " @prefix dct: <http://purl.org/dc/terms/> . @prefix xsd: <http://www.w3.org/2001/XMLSchema#> ."
)

Object = dict[str, Any]


def run_id(name: str) -> str:
    return str(uuid.uuid5(_RUNS, name))


def at(second: float) -> str:
    whole, part = divmod(round(second * 1000), 1000)
    return f"2026-01-01T00:{whole // 60:02}:{whole % 60:02}{f'.{part:03}' if part else ''}Z"


def dataset(name: str) -> str:
    return iris.dataset(BASE, NAMESPACE, name)


def read(name: str, run: str) -> str:
    return iris.read_state(dataset(name), run_id(run))


def write(name: str, run: str) -> str:
    return iris.write_state(dataset(name), run_id(run))


def _bytes(algorithm: str, digest: str) -> str:
    return str(iris.content_bytes(BASE, algorithm, digest))


def run_iri(name: str) -> str:
    return iris.run(run_id(name))


def data(
    name: str,
    *,
    stats: int | None = None,
    symlink: str = "",
    change: str = "",
    old: str = "",
    label: str = "",
    columns: Iterable[tuple[str, str, str, str]] = (),
    **facets: Object,
) -> Object:
    """An input or output: version label, write proof, symlink, lifecycle change or rename, columns, facets by key."""
    if columns:
        facets["columnLineage"] = column_lineage(columns)
    if label:
        facets["version"] = {"datasetVersion": label}
    if symlink:
        facets["symlinks"] = {"identifiers": [{"namespace": NAMESPACE, "name": symlink, "type": "TABLE"}]}
    if change:
        facets["lifecycleStateChange"] = {"lifecycleStateChange": change}
    if old:
        named = {"namespace": NAMESPACE, "name": old}
        facets["lifecycleStateChange"] = {"lifecycleStateChange": "RENAME", "previousIdentifier": named}
    found: Object = {"namespace": NAMESPACE, "name": name, "facets": facets}
    if stats is not None:
        found["outputFacets"] = {"outputStatistics": {"rowCount": stats}}
    return found


def column_lineage(columns: Iterable[tuple[str, str, str, str]]) -> Object:
    """A columnLineage facet of (target, source dataset, source column, type); no target stands for the dataset."""
    fields: Object = {}
    whole: list[Object] = []
    for target, source, column, kind in columns:
        said = {"namespace": NAMESPACE, "name": source, "field": column, "transformations": [{"type": kind}]}
        if target:
            fields.setdefault(target, {"inputFields": []})["inputFields"].append(said)
        else:
            whole.append(said)
    return {"fields": fields, "dataset": whole} if whole else {"fields": fields}


def _listed(named: Iterable[str | Object]) -> list[Object]:
    return [data(each) if isinstance(each, str) else each for each in named]


def said(
    run: str,
    kind: str,
    second: float,
    reads: Iterable[str | Object] = (),
    writes: Iterable[str | Object] = (),
    *,
    parent: str = "",
    job: str = "etl",
    run_facets: Object | None = None,
    job_facets: Object | None = None,
) -> Object:
    """One run event."""
    facets = dict(run_facets or {})
    if parent:
        facets["parent"] = {"run": {"runId": run_id(parent)}, "job": {"namespace": "jobs", "name": "parent"}}
    return {
        "eventType": kind,
        "eventTime": at(second),
        "producer": "https://example.org/tests",
        "run": {"runId": run_id(run), "facets": facets},
        "job": {"namespace": "jobs", "name": job, "facets": job_facets or {}},
        "inputs": _listed(reads),
        "outputs": _listed(writes),
    }


def of_dataset(name: str, second: float, **facets: Object) -> Object:
    """One dataset event."""
    return {
        "eventTime": at(second),
        "producer": "https://example.org/tests",
        "dataset": {"namespace": NAMESPACE, "name": name, "facets": facets},
    }


def of_job(name: str, second: float, reads: Iterable[str] = (), writes: Iterable[str] = (), **facets: Object) -> Object:
    """One job event."""
    return {
        "eventTime": at(second),
        "producer": "https://example.org/tests",
        "job": {"namespace": "jobs", "name": name, "facets": facets},
        "inputs": _listed(reads),
        "outputs": _listed(writes),
    }


def native(turtle: str, actor: str = "tests") -> Submission:
    """A record in Turtle, with the prefixes ps:, prov:, dct: and xsd: declared."""
    return stores.document(f"{PREFIXES}\n{turtle}", "text/turtle", actor)


def withdrawing(*targets: Submission, also: str = "") -> Submission:
    """A record that supersedes others."""
    listed = ", ".join(f"<{each.mapped.record}>" for each in targets)
    return native(f"<> ps:supersedes {listed} . {also}")


# --- drawing histories -----------------------------------------------------------------------------------------------

_DATASETS = ("a", "b", "c")
_NAMES = ("r", "s", "t", "u", "v")


class Item:
    """A submission that shows itself in short when a test fails."""

    def __init__(self, short: str, submission: Submission) -> None:
        self._short, self.submission = short, submission

    def __repr__(self) -> str:
        return self._short


_labels = st.sampled_from(("", "", "", "1", "2"))
_names = st.sampled_from(_NAMES)
_tables = st.sampled_from(_DATASETS)
_links = st.sampled_from(("", "", "", "", "a", "b"))
_changes = st.sampled_from(("", "", "", "OVERWRITE", "CREATE", "ALTER", "DROP"))
_kinds = st.sampled_from(("START", "COMPLETE", "COMPLETE", "RUNNING", "FAIL", "OTHER"))
#: Column lineage as (target, source dataset, source column, type), kind after kind.
_COLUMNS = (
    (),
    (),
    (("x", "a", "x", "DIRECT"),),
    (("x", "a", "y", "DIRECT"), ("y", "b", "x", "DIRECT")),
    (("y", "b", "y", "INDIRECT"), ("x", "b", "x", "DIRECT")),
    (("", "c", "x", "INDIRECT"),),
)


def _source(name: str, field: str = "") -> Object:
    return {"type": "DATASET", "namespace": NAMESPACE, "name": name, **({"field": field} if field else {})}


#: Explicit lineage of one output, and of a run's job.
_OF_OUTPUT: tuple[Object, ...] = (
    *({}, {}, {}, {}),
    {"inputs": [_source("a")]},
    {"fields": {"x": {"inputs": [_source("b", "y")]}}},
    {"inputs": []},
    {"_deleted": True},
)
_OF_JOB: tuple[Object, ...] = (
    *({}, {}, {}, {}, {}),
    {"entries": [{**_source("b"), "fields": {"y": {"inputs": [_source("a", "x")]}}}]},
    {"entries": [{**_source("c"), "inputs": [_source("a", "y")]}]},
)
_options: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "input": st.fixed_dictionaries({"label": _labels, "symlink": _links}),
    "output": st.fixed_dictionaries(
        {
            "label": _labels,
            "symlink": _links,
            "change": _changes,
            "old": st.sampled_from(("", "", "", "", "a", "b")),
            "stats": st.sampled_from((None, None, None, 1, 2)),
            "columns": st.sampled_from(_COLUMNS),
            "lineage": st.sampled_from(_OF_OUTPUT),
        }
    ),
}


@st.composite
def _datasets(draw: st.DrawFn, kind: str) -> list[tuple[str, Object]]:
    named = draw(st.lists(_tables, max_size=2, unique=True))
    chosen = [(name, draw(_options[kind])) for name in named]
    return [(name, {key: value for key, value in options.items() if value}) for name, options in chosen]


@st.composite
def _events(draw: st.DrawFn) -> Item:
    run, kind, second = draw(_names), draw(_kinds), draw(st.integers(0, 7))
    reads, writes = draw(_datasets("input")), draw(_datasets("output"))
    above = _NAMES[: _NAMES.index(run)]  # no run is its own ancestor
    parent = draw(st.sampled_from(("", "", *above)))
    inputs, outputs = ([data(name, **options) for name, options in each] for each in (reads, writes))
    of_job = draw(st.sampled_from(_OF_JOB))
    facets = {"lineage": of_job} if of_job else {}
    value = said(run, kind, second, inputs, outputs, parent=parent, job_facets=facets)
    return Item(f"{run} {kind} at {second}: {reads} -> {writes} in {parent or 'no run'} {of_job}", stores.event(value))


def _item(turtle: str) -> Item:
    return Item(turtle, native(turtle))


_facts = st.one_of(
    st.builds(
        lambda state, table, run, digest: _item(f'<{state(table, run)}> ps:sha256 "{digest}" .'),
        st.sampled_from((read, write)),
        _tables,
        _names,
        st.sampled_from(("d1", sha256(b"1").hexdigest(), sha256(b"2").hexdigest())),
    ),
    st.builds(
        lambda state, table, run: _item(f'<{state(table, run)}> ps:md5 "{_MD5}" .'),
        st.sampled_from((read, write)),
        _tables,
        _names,
    ),
    st.builds(  # another name of the same bytes
        lambda which: _item(f"<{_bytes('sha256', sha256(which).hexdigest())}> ps:symlink <{_bytes('md5', _MD5)}> ."),
        st.sampled_from((b"1", b"1", b"2")),
    ),
    st.builds(lambda table, run: _item(f"<{write(table, run)}> ps:writeMode ps:Append ."), _tables, _names),
    st.builds(lambda table: _item(f"<{dataset(table)}> a ps:Source ."), _tables),
    st.builds(
        lambda one, other: _item(f"<{dataset(one)}> ps:symlink <{dataset(other)}> ."),
        _tables,
        _tables,
    ),
    st.builds(
        lambda child: _item(f"<{run_iri(child)}> a ps:Run ; dct:isPartOf <{run_iri('r')}> ."),
        st.sampled_from(_NAMES[1:]),
    ),
    st.builds(
        lambda to, of, run: _item(f"<{write(to, run)}> prov:wasDerivedFrom <{read(of, run)}> ."),
        _tables,
        _tables,
        _names,
    ),
)


def _stated(second: int) -> str:
    return f"'{at(second)}'^^xsd:dateTime"


#: What contradicts the events, PROV, or the data model.
_contradictions = st.one_of(
    st.builds(
        lambda run, term, second: _item(f"<{run_iri(run)}> {term} {_stated(second)} ."),
        _names,
        st.sampled_from(("prov:startedAtTime", "prov:endedAtTime")),
        st.integers(0, 7),
    ),
    st.builds(
        lambda run, form, second: _item(f"<{run_iri(run)}> {form} [ prov:atTime {_stated(second)} ] ."),
        _names,
        st.sampled_from(("prov:qualifiedStart", "prov:qualifiedEnd")),
        st.integers(0, 7),
    ),
    st.builds(
        lambda state, table, run, second: _item(
            f"<{state(table, run)}> prov:qualifiedGeneration [ prov:atTime {_stated(second)} ] ."
        ),
        st.sampled_from((read, write)),
        _tables,
        _names,
        st.integers(0, 7),
    ),
    st.builds(
        lambda state, table, run, maker: _item(f"<{run_iri(maker)}> prov:generated <{state(table, run)}> ."),
        st.sampled_from((read, write)),
        _tables,
        _names,
        _names,
    ),
    st.builds(
        lambda user, state, table, run: _item(f"<{run_iri(user)}> prov:used <{state(table, run)}> ."),
        _names,
        st.sampled_from((read, write)),
        _tables,
        _names,
    ),
    st.builds(
        lambda to, of, one, other: _item(f"<{write(to, one)}> prov:wasRevisionOf <{write(of, other)}> ."),
        _tables,
        _tables,
        _names,
        _names,
    ),
    st.builds(
        lambda table, run: _item(f"<{run_iri(run)}> prov:used <{dataset(table)}> ; ps:dropped <{dataset(table)}> ."),
        _tables,
        _names,
    ),
    st.builds(lambda one, other: _item(f"<{dataset(one)}> prov:wasDerivedFrom <{dataset(other)}> ."), _tables, _tables),
)


@st.composite
def histories(draw: st.DrawFn, *, most: int = 12, wild: bool = False) -> list[Item]:
    """Events of up to five runs on three datasets, statements about their states, and records that withdraw some.

    With `wild` there are also statements that contradict the events, PROV, or the data model.
    """
    known = draw(st.lists(_events(), min_size=2, max_size=most)) + draw(st.lists(_facts, max_size=3))
    if wild:
        known += draw(st.lists(_contradictions, min_size=1, max_size=4))
    numbers = st.lists(st.integers(0, len(known) - 1), min_size=1, max_size=2, unique=True)
    withdrawn = draw(st.lists(numbers, max_size=2))
    return known + [
        Item(f"withdraw {numbers}", withdrawing(*(known[number].submission for number in numbers)))
        for numbers in withdrawn
    ]
