"""The W3C test suite of SHACL: its cases read from the manifests, run through both back-ends, reports compared.

Reports are compared as what they are in RDF: the Turtle that provstore writes is read again.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TypeAlias
from urllib.parse import unquote, urlsplit

import pyoxigraph as ox

from provstore.errors import InvalidInput
from provstore.validation import report
from provstore.validation.closures import ValidationResult, Validator
from provstore.validation.compiled import StoreValidation
from provstore.validation.engine import parsed
from provstore.validation.graph import Graph
from provstore.validation.reading import items, read
from provstore.validation.shapes import sh
from provstore.validation.terms import is_blank
from tests import suites

_MANIFEST = "<http://www.w3.org/2001/sw/DataAccess/tests/test-manifest#"
_SHT = "<http://www.w3.org/ns/shacl-test#"
_FIRST = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#first>"
#: A result as the suite compares it: blank nodes are blinded, a path is its structure.
Row: TypeAlias = tuple[str | None, ...]
BACK_ENDS = ("closures", "queries")


@dataclass(frozen=True, slots=True)
class Case:
    """A test of the suite; `expected` is the node of its report in the graph of the file, None where it must fail."""

    name: str
    data: Path
    shapes: Path
    graph: Graph
    expected: str | None


def cases(part: str) -> list[Case]:
    """The cases of `core` or `sparql`, none where the suite is absent."""
    root = Path(os.environ.get("PROVSTORE_TESTSUITES") or suites.ROOT.parent / "shared" / "corpora")
    manifest = root / "shacl" / "data-shapes-test-suite" / "tests" / part / "manifest.ttl"
    return sorted(_cases(manifest, manifest.parent.parent), key=lambda each: each.name) if manifest.exists() else []


def _cases(manifest: Path, root: Path) -> Iterator[Case]:
    graph = _read(manifest)
    for node in graph.subjects_of(f"{_MANIFEST}include>"):
        for included in graph.objects(node, f"{_MANIFEST}include>"):
            yield from _cases(_file(included), root)
    for node in graph.subjects_of(f"{_MANIFEST}entries>"):
        for entry in items(graph, _one(graph, node, f"{_MANIFEST}entries>")):
            action, expected = (_one(graph, entry, f"{_MANIFEST}{name}>") for name in ("action", "result"))
            data, shapes = (_file(_one(graph, action, f"{_SHT}{name}>")) for name in ("dataGraph", "shapesGraph"))
            name = _file(entry).relative_to(root).with_suffix("").as_posix()
            yield Case(name, data, shapes, graph, None if expected == f"{_SHT}Failure>" else expected)


@lru_cache(512)
def _read(file: Path) -> Graph:
    return parsed(file.read_bytes(), base=file.as_uri())


def _file(term: str) -> Path:
    return Path(unquote(urlsplit(term[1:-1]).path))


def _one(graph: Graph, node: str, predicate: str) -> str:
    (found,) = graph.objects(node, predicate)
    return found


# --- both back-ends --------------------------------------------------------------------------------------------------


def stored(file: Path) -> ox.Store:
    store = ox.Store()
    store.load(file.read_bytes(), ox.RdfFormat.TURTLE, base_iri=file.as_uri())
    return store


def results(case: Case, back_end: str) -> list[ValidationResult]:
    """What a back-end finds; InvalidInput where it refuses the shapes."""
    shapes = read(_read(case.shapes))
    if back_end == "closures":
        return list(Validator(shapes).validate(_read(case.data)))
    return list(StoreValidation(shapes, stored(case.data)).results())


@dataclass(frozen=True, slots=True)
class Difference:
    """Results that a report lacks, and those it has beyond what was expected."""

    missing: Counter[Row]
    extra: Counter[Row]

    def __bool__(self) -> bool:
        return bool(self.missing or self.extra)


def difference(case: Case, back_end: str) -> Difference:
    """Between the report that is expected and the one that is made, down to sources and messages where it has some."""
    expected, found = Counter[Row](), Counter[Row]()
    try:
        made = parsed(report.turtle(results(case, back_end)).encode())
    except InvalidInput:
        return Difference(Counter([("a report",)] if case.expected else []), Counter())
    if case.expected is None:
        return Difference(Counter([("a refusal",)]), Counter())
    (root,) = made.subjects_of(sh("conforms"))
    for column in (_row, _source, _messages):
        want = Counter(filter(None, (column(case.graph, each) for each in _results(case.graph, case.expected))))
        have = Counter(filter(None, (column(made, each) for each in _results(made, root))))
        if want or column is _row:
            expected += want
            found += have
    conforms = sh("conforms")
    if _one(made, root, conforms) != _one(case.graph, case.expected, conforms):
        expected[("sh:conforms",)] += 1
    return Difference(expected - found, found - expected)


def rows(graph: Graph, report: str) -> Counter[Row]:
    """The results of a report in a graph."""
    return Counter(_row(graph, each) for each in _results(graph, report))


def _results(graph: Graph, node: str) -> Iterable[str]:
    return graph.objects(node, sh("result"))


def _row(graph: Graph, result: str) -> Row:
    path = _maybe(graph, result, "resultPath")
    terms = (_maybe(graph, result, name) for name in _COLUMNS)
    return (*map(_blind, terms), _path(graph, path) if path else None)


_COLUMNS = ("focusNode", "value", "sourceConstraintComponent", "resultSeverity", "sourceShape")


def _source(graph: Graph, result: str) -> Row | None:
    source = _maybe(graph, result, "sourceConstraint")
    return ("source", _blind(source), *_row(graph, result)) if source else None


def _messages(graph: Graph, result: str) -> Row | None:
    messages = sorted(graph.objects(result, sh("resultMessage")))
    return ("messages", *messages, *_row(graph, result)) if messages else None


def _maybe(graph: Graph, node: str, name: str) -> str | None:
    return next(iter(graph.objects(node, sh(name))), None)


def _blind(term: str | None) -> str | None:
    return "_:" if term and is_blank(term) else term


def _path(graph: Graph, node: str) -> str:
    """A path in the notation of the suite, written out: lists in parentheses, operators by name."""
    if not is_blank(node):
        return node
    if graph.objects(node, _FIRST):
        return f"({' '.join(_path(graph, each) for each in items(graph, node))})"
    return " ".join(f"{each}[{_path(graph, _one(graph, node, each))}]" for each in sorted(graph.predicates(node)))


# --- EARL ------------------------------------------------------------------------------------------------------------

_HEAD = """@prefix earl: <http://www.w3.org/ns/earl#> .
@prefix doap: <http://usefulinc.com/ns/doap#> .

<https://w3id.org/provstore> a doap:Project , earl:Software , earl:TestSubject ; doap:name "provstore" .
<https://w3id.org/provstore#closures> a earl:Software , earl:TestSubject ;
    doap:name "provstore, shapes as functions over triples as they came" .
<https://w3id.org/provstore#queries> a earl:Software , earl:TestSubject ;
    doap:name "provstore, shapes as queries over a store" .
"""


def earl(note: Callable[[Case, str], str | None]) -> str:
    """The EARL report of both back-ends as Turtle; `note` says why a case is expected to differ, if it is."""
    written = [_HEAD]
    for part in ("core", "sparql"):
        for case in cases(part):
            written += (_assertion(case, each, note(case, each)) for each in BACK_ENDS)
    return "\n".join(written)


def _assertion(case: Case, back_end: str, note: str | None) -> str:
    outcome = "failed" if difference(case, back_end) else "passed"
    info = f' ; earl:info "{note}"@en' if note else ""
    return f"""[] a earl:Assertion ; earl:assertedBy <https://w3id.org/provstore> ;
    earl:subject <https://w3id.org/provstore#{back_end}> ; earl:test <urn:x-shacl-test:/{case.name}> ;
    earl:result [ a earl:TestResult ; earl:mode earl:automatic ; earl:outcome earl:{outcome}{info} ] .
"""
