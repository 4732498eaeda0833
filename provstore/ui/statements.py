"""The statements of a record as pages show them: by graph and subject, with names and links; and what they are of."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from provstore import rdf
from provstore.ui import names
from provstore.ui.names import Thing
from provstore.vocab import PS, RDF_TYPE

#: How many statements are shown at once, and at all.
SHORT, LONG = 60, 20_000
_CLIPPED = 600  # characters of one literal
#: Kinds in the order in which a record is said to be about them.
_KINDS = (
    "run",
    "job",
    "model-version",
    "registry-version",
    "model",
    "prediction",
    "decision",
    "dataset",
    "activity",
    "entity",
    "agent",
)
_VOCABULARIES = (*names.PREFIXES.values(), "http://www.w3.org/ns/sosa/", "http://qudt.org/", "ni:///")


@dataclass(frozen=True, slots=True)
class Term:
    """An object: `text` to be read; `href` its page where it is a thing; `note` what a literal is besides text."""

    text: str
    iri: str = ""
    href: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """What one graph says of one subject: predicates, each with its objects."""

    subject: Term
    rows: list[tuple[Term, list[Term]]] = field(default_factory=list)


def lines(quads: bytes) -> list[str]:
    """The lines of canonical N-Quads; a literal may hold any other line separator of Unicode."""
    return quads.decode().split("\n")[:-1]


def grouped(found: Sequence[str], record: str, described: Mapping[str, Mapping[str, Any]]) -> list[Group]:
    """Lines by subject, in their order; things are named by what `described` knows of them."""
    groups: dict[tuple[str, str], Group] = {}
    for line in found:
        subject, predicate, value, graph = rdf.split(line)
        group = groups.setdefault((graph, subject), Group(_term(subject, record, described)))
        if not group.rows or group.rows[-1][0].iri != rdf.text_of(predicate):
            group.rows.append((_term(predicate, record, described), []))
        group.rows[-1][1].append(_term(value, record, described))
    return list(groups.values())


def _term(written: str, record: str, described: Mapping[str, Mapping[str, Any]]) -> Term:
    text = rdf.text_of(written)
    if not written.startswith("<"):
        end = written[written.rfind('"') + 1 :]
        note = names.short(end[3:-1]) if end.startswith("^^") else end
        return Term(_clipped(text), note=note)
    if text.startswith(f"{record}#"):
        return Term(text.removeprefix(record), text)
    if text.startswith(PS.iri):
        return Term(names.short(text), text, f"/ns#{text.removeprefix(PS.iri)}")
    if text.startswith(_VOCABULARIES):
        return Term(names.short(text), text)
    return Term("this record" if text == record else names.thing(text, described).name, text, names.href(text))


def _clipped(text: str) -> str:
    return text if len(text) <= _CLIPPED else f"{text[:_CLIPPED]}… ({names.number(len(text))} characters)"


def mentioned(found: Sequence[str], record: str, most: int = 2_000) -> tuple[list[str], int]:
    """The IRIs of things in a record, at most so many: first what it says it is about, and how many of them that are.

    Then subjects, then objects.
    """
    about: dict[str, None] = {}
    subjects: dict[str, None] = {}
    objects: dict[str, None] = {}
    for subject, predicate, value, _ in map(rdf.split, found):
        if predicate == PS.about:
            about[rdf.text_of(value)] = None
        subjects[rdf.text_of(subject)] = None
        if predicate != RDF_TYPE and value.startswith("<"):
            objects[rdf.text_of(value)] = None
    own = (record, f"{record}#", f"{record}/")
    kept = (iri for iri in {**about, **subjects, **objects} if iri != record and not iri.startswith(own[1:]))
    first = list(itertools.islice(_things(kept), most))
    return first, sum(iri in about for iri in first[: len(about)])


def _things(iris: Iterator[str]) -> Iterator[str]:
    """The IRIs that are no vocabulary's, and after a state the dataset that it is one of."""
    seen: set[str] = set()
    for iri in iris:
        for each in (names.asset_of(iri), iri):
            if each not in seen and not each.startswith(_VOCABULARIES):
                seen.add(each)
                yield each


@dataclass(frozen=True, slots=True)
class Named:
    """A thing by the name it goes by, and how many things of its kind in the record go by the same."""

    thing: Thing
    count: int


def things(iris: Sequence[str], described: Mapping[str, Mapping[str, Any]], about: int = 0) -> list[Named]:
    """Those of the IRIs that have a name of their own: the first `about` of them, then what happened, who did it last.

    Things of one kind and one name, such as the runs of a job, are named once.
    """
    order = {iri: (at >= about, _rank(described, iri)) for at, iri in enumerate(iris)}
    found: dict[tuple[str, str], list[Thing]] = {}
    for iri in sorted((iri for iri in iris if iri in described), key=order.__getitem__):
        thing = names.thing(iri, described)
        found.setdefault((thing.kind, thing.name), []).append(thing)
    return [Named(each[0], len(each)) for each in found.values()]


def _rank(described: Mapping[str, Mapping[str, Any]], iri: str) -> int:
    kind = str(described[iri]["kind"]) if iri in described else ""
    return _KINDS.index(kind) if kind in _KINDS else len(_KINDS)
