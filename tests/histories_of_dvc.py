"""Repositories in stores for the tests of DVC: captured, asked by SPARQL, and told by git and PyYAML alone."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import yaml

from provstore import rdf
from provstore.capture.payloads import Limits
from provstore.core import ProvStore
from provstore.core.intake import Body, read_payloads
from provstore.pull.dvc import Told, Walk
from provstore.pull.repository import Repository
from tests.stores import BASE

_PREFIXES = """PREFIX prov: <http://www.w3.org/ns/prov#> PREFIX ps: <https://w3id.org/provstore/ns#>
PREFIX dqv: <http://www.w3.org/ns/dqv#> PREFIX dct: <http://purl.org/dc/terms/>
"""
_LIMITS = Limits(body_bytes=1 << 30, inflated_bytes=1 << 30)

#: Stage, command, inputs and outputs as (path, digest), parameters as (key, value).
Execution = tuple[str, str, frozenset[tuple[str, str]], frozenset[tuple[str, str]], frozenset[tuple[str, str]]]


@dataclass(frozen=True)
class Walked:
    """What one walk gave."""

    payloads: list[dict[str, Any]]
    told: list[Told]
    namespace: str


def walked(directory: Path, **options: Any) -> Walked:
    with Repository(directory) as repository:
        walk = Walk(repository, **options)
        return Walked(list(walk.payloads()), walk.told, walk.namespace)


def captured(store: ProvStore, directory: Path, **options: Any) -> tuple[Walked, int]:
    """Walk, and take everything in; what the walk gave, and how many of its payloads were news."""
    found = walked(directory, **options)
    lines = b"\n".join(json.dumps(each, sort_keys=True).encode() for each in found.payloads)
    items = read_payloads(Body(lines, "application/vnd.provstore.dvc+json", None, BASE, _LIMITS)) if lines else []
    receipts = store.ingest([item.submission("tests") for item in items])
    return found, sum(not receipt.duplicate for receipt in receipts)


def asked(store: ProvStore, query: str) -> set[tuple[str, ...]]:
    """The rows of a query over the default graph, '' where a variable is unbound."""
    held = ox.Store()
    default = "".join(line for line in store.views.store.dump() if not rdf.split(line)[3])
    held.bulk_load(default.encode(), format=ox.RdfFormat.N_QUADS)
    found = held.query(_PREFIXES + query)
    assert isinstance(found, ox.QuerySolutions)
    return {tuple(row[name].value if row[name] is not None else "" for name in found.variables) for row in _rows(found)}


def _rows(found: ox.QuerySolutions) -> Iterator[Any]:
    yield from found


def executions(store: ProvStore) -> dict[str, Execution]:
    """Every execution in the store by its IRI."""
    plans = asked(
        store, "SELECT ?r ?n ?c { ?r ps:jobVersion ?v . ?v prov:value ?c ; prov:specializationOf/ps:name ?n }"
    )
    read, wrote = (
        asked(store, f"SELECT ?r ?n ?m {{ {pattern} . ?s ps:md5 ?m ; prov:specializationOf ?d . ?d ps:name ?n }}")
        for pattern in ("?r prov:used ?s . ?s a ps:ReadState", "?s prov:wasGeneratedBy ?r . ?s a ps:WriteState")
    )
    set_ = asked(store, "SELECT ?r ?k ?v { ?r ps:parameter [ ps:key ?k ; ps:value ?v ] }")

    def of(run: str, rows: set[tuple[str, ...]]) -> frozenset[tuple[str, str]]:
        return frozenset((row[1], row[2]) for row in rows if row[0] == run)

    return {run: (name, text, of(run, read), of(run, wrote), of(run, set_)) for run, name, text in plans}


def recorded(directory: Path) -> dict[str, set[Execution]]:
    """Commit → the executions in its `dvc.lock`, by `git show` and PyYAML."""
    names = _git(directory, "log", "--all", "--format=%H").split()
    found = {}
    for commit in names:
        if "dvc.lock" in _git(directory, "ls-tree", "--name-only", commit).split("\n"):
            lock = yaml.safe_load(_git(directory, "show", f"{commit}:dvc.lock"))
            found[commit] = {_execution(name, stage) for name, stage in lock["stages"].items()}
    return found


def _execution(name: str, stage: dict[str, Any]) -> Execution:
    sets = {
        (key if file == "params.yaml" else f"{file}:{key}", value if isinstance(value, str) else json.dumps(value))
        for file, values in stage.get("params", {}).items()
        for key, value in _dotted(values)
    }
    read, wrote = (frozenset((each["path"], each["md5"]) for each in stage.get(side, ())) for side in ("deps", "outs"))
    return name, stage["cmd"], read, wrote, frozenset(sets)


def _dotted(values: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, dict):
            yield from ((f"{key}.{inner}", each) for inner, each in _dotted(value))
        else:
            yield key, value


def _git(directory: Path, *arguments: str) -> str:
    line = ["git", "-c", "safe.directory=*", *arguments]
    return subprocess.run(line, cwd=directory, capture_output=True, text=True, check=True).stdout
