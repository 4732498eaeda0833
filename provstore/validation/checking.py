"""Records held against profiles: what was found, in words for who sent them, and as a report of SHACL.

A profile's shapes are compiled once a process. A record is looked at by itself, with the classes that the profile and
our ontology state. What is found is bounded: a report of a million results helps nobody.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from rdflib.term import URIRef

from provstore import rdf, resources
from provstore.errors import InvalidInput
from provstore.validation import engine, report
from provstore.validation.closures import ValidationResult, Validator
from provstore.validation.described import lineage
from provstore.validation.described import shapes as rules
from provstore.validation.explaining import Found, explained
from provstore.validation.graph import Data, Graph
from provstore.validation.paths import Alternative, Path, follower, sparql
from provstore.validation.profiles import SHIPPED, Registry, Version
from provstore.validation.reading import items, placed, read
from provstore.validation.results import OF_SHACL, Fix, Result
from provstore.validation.shapes import Constraint, Shape, Shapes, references, sh
from provstore.validation.snippets import filled
from provstore.validation.tasks import ENGINES, Task
from provstore.validation.terms import SUB_CLASS_OF, is_blank, is_iri, parts, text
from provstore.validation.wording import Wording

_SEVERITIES = {sh(name): word for name, word in OF_SHACL.items()}
_SOURCE = "<http://purl.org/dc/terms/source>"
_ADD, _REMOVE = (f"<https://w3id.org/provstore/ns#{name}>" for name in ("add", "remove"))
_FIRST = f"<{rdf.RDF}first>"
_SHOWN = 200  # characters of a value that a result repeats
_MOST, _MOST_DETAILS = 5_000, 20
_BRACKETS = re.compile(r"<([^<>]*)>")


@dataclass(frozen=True, slots=True)
class Prepared:
    """The shapes of a version and of all it inherits from, ready to be held against records.

    `owners` names the rule (a shape with an IRI) that a shape without one is part of.
    """

    shapes: Shapes
    validator: Validator
    classes: Graph
    owners: Mapping[str, str]
    wording: Wording

    def results(self, data: Graph, which: str) -> tuple[list[ValidationResult], bool]:
        """What an engine finds, and whether that is all; data must have been read with `classes`."""
        if which not in ENGINES:
            raise InvalidInput(f"no engine {which[:40]!r}: there are {', '.join(ENGINES)}")
        found = self.validator.validate(data) if which == ENGINES[0] else self._reference(data)
        first = list(itertools.islice(found, _MOST + 1))
        return first[:_MOST], len(first) <= _MOST

    def _reference(self, data: Graph) -> Iterator[ValidationResult]:
        # loading it takes as long as checking a hundred records, and few ask for it
        from provstore.validation import reference

        return reference.validate(data, self.shapes, self.classes)


@cache
def prepared(version: Version, registry: Registry) -> Prepared:
    """A version's shapes, compiled once; InvalidInput where they cannot be used."""
    graph, classes = Graph(), Graph()
    for each in lineage(version, registry):
        for triple in engine.parsed(each.read(), base=each.iri).triples():
            graph.add(*triple)
    for source in (graph, _ontology()):
        for cls in source.subjects_of(SUB_CLASS_OF):
            for above in source.objects(cls, SUB_CLASS_OF):
                classes.add(cls, SUB_CLASS_OF, above)
    try:
        shapes = read(graph)
    except InvalidInput as error:
        raise InvalidInput(placed(error.detail, graph)) from error
    return Prepared(shapes, Validator(shapes), classes, _owners(shapes), Wording(rules(version, registry)))


@cache
def _ontology() -> Graph:
    return engine.parsed(resources.read("ontology", "provstore.ttl"))


def _owners(shapes: Shapes) -> dict[str, str]:
    found: dict[str, str] = {}
    for node in shapes.shapes:
        waiting = [node] if is_iri(node) else []
        while waiting:
            each = waiting.pop()
            found.setdefault(each, node)
            inner = (other for constraint in shapes.shapes[each].constraints for other in references(constraint))
            waiting += [other for other in inner if is_blank(other) and other not in found]
    return found


# --- records ---------------------------------------------------------------------------------------------------------


def validate(quads: bytes, profile: str, registry: Registry = SHIPPED, which: str = ENGINES[0]) -> list[Result]:
    """What the rules of a profile find in the triples of canonical N-Quads, whatever graphs they stand in.

    The gravest come first, and the order is always the same; an empty list means that all is well. NotFound for a
    profile that is not there, InvalidInput for what is not N-Quads, ProvStoreError where the engine gives up.
    """
    return _results(Task(registry, profile, quads, which))[0]


def told(task: Task) -> tuple[tuple[Result, ...], str]:
    """The results, and the validation report of SHACL §3.6 as Turtle; `sh:conforms` is false for a MAY, too."""
    results, found = _results(task)
    return tuple(results), report.turtle(found)


def _results(task: Task) -> tuple[list[Result], list[ValidationResult]]:
    """What is told, and what it is told of."""
    version = task.registry.find(task.profile)
    ready = prepared(version, task.registry)
    data = Graph.read(task.quads, ready.classes)
    found, whole = ready.results(data, task.engine)
    results = sorted({result_of(version.token, ready, data, each) for each in found}, key=Result.order)
    if not whole:
        results.append(_cut(version.token))
    return results, found


def ready(task: tuple[Registry, str]) -> None:
    """Have a profile's shapes compiled; InvalidInput where they cannot be used."""
    registry, profile = task
    prepared(registry.find(profile), registry)


def job(task: Task) -> list[dict[str, Any]]:
    """The results as JSON objects."""
    return [result.json() for result in _results(task)[0]]


def jobs(task: tuple[Registry, str, list[bytes]]) -> list[list[dict[str, Any]]]:
    """As `job`, of several records."""
    registry, profile, records = task
    return [job(Task(registry, profile, quads)) for quads in records]


def _cut(profile: str) -> Result:
    message = f"more than {_MOST:,} results: these are the first, the others are not told"
    return Result("", "", "ERROR", "", "", "", message, profile)


# --- results ---------------------------------------------------------------------------------------------------------


def result_of(profile: str, ready: Prepared, data: Data, result: ValidationResult) -> Result:
    """What was found, in the words that users read."""
    node = result.shape.node
    path = "" if result.path is None else sparql(_taken(result.path, data, result))
    found = Found(result.focus, path, result.value, _parameters(ready.shapes.graph, node), _count(data, result))
    said = explained(text(result.constraint.component), found)
    return Result(
        shape=_rule(ready, node),
        clause=_said(ready, node, _SOURCE),
        severity=_SEVERITIES.get(result.shape.severity, "MUST"),
        focus=_shown(result.focus),
        path=_BRACKETS.sub(r"\1", path),
        value=_shown(result.value),
        message=_best(result.messages or result.shape.messages) or said.message,
        profile=profile,
        component=text(result.constraint.component),
        expected=said.expected or _asked(ready, node),
        fix=_fix(ready, node, found) or said.fix,
        details=tuple(result_of(profile, ready, data, each) for each in result.details[:_MOST_DETAILS]),
    )


def beyond(profile: str, ready: Prepared, shape: Shape, constraint: Constraint, more: int | None) -> Result:
    """That a constraint has more results than are told one by one, and how many (None: nobody counted)."""
    return Result(
        shape=_rule(ready, shape.node),
        clause=_said(ready, shape.node, _SOURCE),
        severity=_SEVERITIES.get(shape.severity, "MUST"),
        focus="",
        path="" if shape.path is None else _BRACKETS.sub(r"\1", sparql(shape.path)),
        value="",
        message=f"And {'more' if more is None else f'{more:,}'} results like these, which are not told one by one.",
        profile=profile,
        component=text(constraint.component),
    )


def _rule(ready: Prepared, node: str) -> str:
    """The IRI of the rule that a shape is, or is part of; the label of a blank node that is part of none."""
    rule = ready.owners.get(node, node)
    return text(rule) if is_iri(rule) else rule


def _taken(path: Path, data: Data, result: ValidationResult) -> Path:
    """Of alternatives, those that lead from the focus node to the value, or to any where there is none."""
    if not isinstance(path, Alternative):
        return path
    ends = [(each, follower(each)(data, result.focus)) for each in path.paths]
    leading = tuple(each for each, end in ends if (result.value in end if result.value is not None else end))
    return Alternative(leading) if len(leading) > 1 else leading[0] if leading else path


def _count(data: Data, result: ValidationResult) -> int | None:
    return None if result.path is None else len(follower(result.path)(data, result.focus))


def _said(ready: Prepared, node: str, predicate: str) -> str:
    """What is said of a shape, or else of the rule that it is part of."""
    for each in (node, ready.owners.get(node, node)):
        for value in ready.shapes.graph.objects(each, predicate):
            return text(value)
    return ""


def _asked(ready: Prepared, node: str) -> str:
    """What a rule asks, in words, where its constraint alone does not say."""
    return "; ".join(ready.wording.constraints(URIRef(text(node)))) if is_iri(node) else ""


def _fix(ready: Prepared, node: str, found: Found) -> Fix | None:
    """What the shape itself says that is to be added or removed."""
    add, remove = (filled(_said(ready, node, name), found.focus, found.value) for name in (_ADD, _REMOVE))
    return Fix(add, remove) if add or remove else None


def _parameters(graph: Graph, node: str) -> dict[str, tuple[str, ...]]:
    """Every statement of a shape, lists as their members."""
    said: dict[str, tuple[str, ...]] = {}
    for predicate in graph.predicates(node):
        values: Iterable[tuple[str, ...]] = (
            items(graph, value) if graph.objects(value, _FIRST) else (value,)
            for value in graph.objects(node, predicate)
        )
        said[text(predicate)] = tuple(itertools.chain.from_iterable(values))
    return said


def _best(messages: Iterable[str]) -> str:
    """The English message, or the first by its text; empty where there is none."""
    told_in = sorted((parts(each)[2].lower() != "en", text(each)) for each in messages)
    return told_in[0][1] if told_in else ""


def _shown(term: str | None) -> str:
    """An IRI as it is, a blank node with its `_:`, a literal in quotes; cut where it is long."""
    if term is None:
        return ""
    if is_iri(term):
        return text(term)
    return term if len(term) <= _SHOWN else f"{term[:_SHOWN]}…"
