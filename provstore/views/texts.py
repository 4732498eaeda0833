"""What a record says in words: for each thing that can be searched for, its kind, its names and its texts."""

from __future__ import annotations

import json
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from typing import Any

from provstore import rdf
from provstore.vocab import DCT, PROV, PS, RDF_TYPE, Namespace

#: Characters of one text that are searched; what follows is kept in the record alone.
MOST_CHARACTERS = 50_000

#: Classes that are searched for even without a name, and the kind they are; of several the first in this table.
KINDS = {
    PS.ModelVersion: "model-version",
    PS.RegistryVersion: "registry-version",
    PS.Model: "model",
    PS.Dataset: "dataset",
    PS.Job: "job",
    PS.Prediction: "prediction",
    PS.Decision: "decision",
    **dict.fromkeys((PS.Run, PS.TrainingRun, PS.Inference, PS.Evaluation, PS.Normalisation), "run"),
    **dict.fromkeys((PS.Calibration, PS.Correction, PS.Approval), "run"),
    **dict.fromkeys((PROV.Agent, PROV.Person, PROV.Organization, PROV.SoftwareAgent), "agent"),
}
#: Classes of things that are searched for where somebody named them; whatever is named and has none is an entity.
NAMED_KINDS = {PROV.Activity: "activity", PROV.Entity: "entity"}


def kind(classes: Iterable[str]) -> str:
    """What a thing of these classes is called; an entity, where none of them says more."""
    held = set(classes)
    for table in (KINDS, NAMED_KINDS):
        for each, name in table.items():
            if each in held:
                return name
    return "entity"


_RDFS = Namespace("http://www.w3.org/2000/01/rdf-schema#", "label comment")
_SKOS = Namespace("http://www.w3.org/2004/02/skos/core#", "prefLabel altLabel")
_FOAF = Namespace("http://xmlns.com/foaf/0.1/", "name")
_DCAT = Namespace("http://www.w3.org/ns/dcat#", "keyword")
_PROV = Namespace(PROV.iri, "label")  # PROV-N's prov:label, as some exporters write it into RDF
_SCHEMA = [Namespace(f"{s}://schema.org/", "name description identifier keywords") for s in ("http", "https")]

#: Property → the letter it is kept under: n name, t title, d description, i identifier, g tag, s namespace, j job,
#: o owner. Those of `_NAMING` are what makes anything worth a document of its own.
_TEXTS = {
    PS.name: "n",
    PS.namespace: "s",
    PS.alias: "n",
    **dict.fromkeys((DCT.title, _RDFS.label, _PROV.label, _SKOS.prefLabel, _SKOS.altLabel, _FOAF.name), "t"),
    **{each.name: "t" for each in _SCHEMA},
    **dict.fromkeys((DCT.description, _RDFS.comment, PS.collectionMethod, PS.reason, PS.message), "d"),
    **{each.description: "d" for each in _SCHEMA},
    **dict.fromkeys((DCT.identifier, PS.serialNumber), "i"),
    **{each.identifier: "i" for each in _SCHEMA},
    **{each.keywords: "g" for each in _SCHEMA},
    _DCAT.keyword: "g",
}
_LINKS = {PS.job: "j", PROV.wasAttributedTo: "o"}
_NAMING = {predicate for predicate, letter in _TEXTS.items() if letter in "nt"}

#: Facets whose value in force is searched, of the asset that they or its states carry.
FACETS = frozenset({"documentation", "schema", "columnLineage", "ownership", "tags", "sql", "errorMessage"})

_ORDER = -48  # of a merge order's digest, 16 of 64 hexadecimal digits are enough to tell one from another
_NI = "ni:///sha-256;"

_Terms = dict[str, list[tuple[str, str]]]  # predicate → (subject, object) pairs, as written


def texts_of(by: _Terms, words: _Terms, record: str) -> dict[str, str]:
    """Subject IRI → what the record says of it: a JSON list of `[letter, text]`, sorted, so that equals are equal.

    `by` holds what relates things, `words` what has text as its object.
    """
    me = f"<{record}>"
    kinds: dict[str, set[str]] = defaultdict(set)
    for subject, value in by.get(RDF_TYPE, ()):
        if value in KINDS or value in NAMED_KINDS:
            kinds[subject].add(value)
    said: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for predicate, letter in _TEXTS.items():
        for subject, value in words.get(predicate, ()):
            if value.startswith('"'):
                said[subject].add((letter, rdf.text_of(value)[:MOST_CHARACTERS]))
    for predicate, letter in _LINKS.items():
        for subject, value in by.get(predicate, ()):
            if value.startswith("<"):
                said[subject].add((letter, value[1:-1]))
    named = {subject for predicate in _NAMING for subject, _ in words.get(predicate, ())}
    worth = named | {subject for subject, classes in kinds.items() if not classes.isdisjoint(KINDS)}
    return {
        subject[1:-1]: json.dumps(sorted([*said[subject], *(("c", each) for each in kinds[subject])]))
        for subject in worth
        if subject != me and subject.startswith("<")
    }


def described(rows: dict[str, set[tuple[Any, ...]]]) -> Iterator[tuple[str, str, str, str, int]]:
    """From a record's facts, (asset, key, merge order, content, deleted) of each facet that is searched.

    What is said of a state is said of its dataset. An output that was only announced comes before all that was seen,
    in the order, so that it counts only where nothing else was said. A state of several datasets is taken for one.
    """
    states = {state: (dataset, kind) for state, kind, dataset, _ in sorted(rows.get("state", ()))}
    intended = {dataset for _, dataset in rows.get("intended", ())}
    for subject, key, content, deleted, asset, order in rows.get("facet", ()):
        if key not in FACETS:
            continue
        order, content = order[:_ORDER], content.removeprefix(_NI)  # a row for each assertion: kept short
        if asset:
            yield subject, key, f"1{order}", content, deleted
        elif subject in states:
            dataset, kind = states[subject]
            yield dataset, key, f"1{order}{kind}", content, deleted  # R before W: what was written is later
        elif (dataset := subject.rpartition("/write/")[0]) in intended:
            yield dataset, key, f"0{order}", content, deleted


def content_iri(kept: str) -> str:
    """The name of a content as it was before `described` made it short."""
    return kept if ":" in kept else f"{_NI}{kept}"


def columns(schema: Any, lineage: Any) -> Iterator[tuple[str, str]]:
    """The columns of a schema facet, nested ones by their path (`address.city`), each with its description.

    Then those that only the column lineage of the dataset names.
    """
    todo: deque[tuple[str, Any]] = deque([("", _listed(schema, "fields"))])
    while todo:
        above, fields = todo.popleft()
        for field in fields:
            name = _text(field, "name")
            if name:
                path = f"{above}.{name}" if above else name
                yield path, _text(field, "description")
                todo.append((path, _listed(field, "fields")))
    targets = lineage.get("fields") if isinstance(lineage, dict) else None
    yield from ((name, "") for name in (targets if isinstance(targets, dict) else ()) if name)


def owners(ownership: Any) -> Iterator[str]:
    yield from filter(None, (_text(each, "name") for each in _listed(ownership, "owners")))


def tags(facet: Any) -> Iterator[str]:
    """Tags as `key`, or `key:value` where the value says more than that the tag is there."""
    for each in _listed(facet, "tags"):
        key, value = _text(each, "key"), _text(each, "value")
        if key:
            yield key if value.lower() in ("", "true") else f"{key}:{value}"


def member(facet: Any, name: str) -> str:
    """A member of a facet that is text; '' where it is not there or something else."""
    return _text(facet, name)[:MOST_CHARACTERS]


def _listed(holder: Any, name: str) -> Iterable[Any]:
    found = holder.get(name) if isinstance(holder, dict) else None
    return found if isinstance(found, list) else ()


def _text(holder: Any, name: str) -> str:
    found = holder.get(name) if isinstance(holder, dict) else None
    return found if isinstance(found, str) else ""
