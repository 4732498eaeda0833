"""The vocabulary as a page: every term of `ontology/provstore.ttl`, what it means and goes with, and an example."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cache

from provstore import rdf, resources
from provstore.store.query import GRAPHS
from provstore.store.serialise import quads_of, serialise
from provstore.ui import names
from provstore.vocab import DCT, PS, RDF_TYPE

_OWL, _RDFS = "http://www.w3.org/2002/07/owl#", "http://www.w3.org/2000/01/rdf-schema#"
_SKOS = "http://www.w3.org/2004/02/skos/core#"
#: What the examples leave out: they are Turtle behind these.
PREFIXES = {
    name: names.PREFIXES[name] for name in ("ps", "prov", "dct", "dcat", "dqv", "earl", "schema", "ai", "rdf", "xsd")
}
BASE = "https://prov.example/"
#: The media types of the vocabulary itself, in order of preference; a browser prefers the page.
OFFERS = (*GRAPHS, "text/html")

_SECTIONS = (
    ("section-classes", "Classes", "What things are.", ("Class",)),
    ("section-relations", "Relations", "Properties from thing to thing.", ("ObjectProperty",)),
    ("section-attributes", "Attributes", "Properties from thing to value.", ("DatatypeProperty", "Property")),
    (
        "individuals",
        "Individuals",
        "Kinds of event, modes of writing, bases of a conclusion, how a text was established, roles.",
        ("NamedIndividual",),
    ),
)


@dataclass(frozen=True, slots=True)
class Link:
    """Another term as the page shows it: a name, and where it leads."""

    name: str
    href: str


@dataclass(frozen=True, slots=True)
class Example:
    """Turtle that uses a term, and where it stands; what is written for the term alone stands nowhere else."""

    where: str
    text: str


@dataclass(frozen=True, slots=True)
class Term:
    """One term; `facts` are what it goes with, by what the page calls that."""

    name: str
    label: str
    comment: str
    examples: tuple[Example, ...]
    kind: str
    facts: tuple[tuple[str, tuple[Link, ...]], ...]


@dataclass(frozen=True, slots=True)
class Section:
    """Terms of one kind, by name."""

    anchor: str
    title: str
    about: str
    terms: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The whole page's data."""

    title: str
    version: str
    comment: str
    sections: tuple[Section, ...]


@cache
def vocabulary() -> Vocabulary:
    """What the ontology says, in order of sections and names."""
    said: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for line in _quads().decode().split("\n")[:-1]:
        subject, predicate, value, _ = rdf.split(line)
        said[subject][predicate].append(value)
    terms = {iri: _term(iri, said) for iri in said if iri.startswith(f"<{PS.iri}") and iri != f"<{PS.iri}>"}
    sections = [
        Section(anchor, title, about, tuple(sorted((t for t in terms.values() if t.kind in kinds), key=_order)))
        for anchor, title, about, kinds in _SECTIONS
    ]
    whole = said[f"<{PS.iri}>"]
    return Vocabulary(
        _text(whole[DCT.title]),
        _text(whole[f"<{_OWL}versionInfo>"]),
        _text(whole[f"<{_RDFS}comment>"]),
        tuple(sections),
    )


@cache
def serialised(media_type: str) -> bytes:
    """The ontology, with examples of its terms, in one of `GRAPHS`."""
    return serialise((_quads(), media_type))


def _quads() -> bytes:
    """What the ontology says, and after it where the project's own files use its terms."""
    return b"".join(quads_of(resources.read("ontology", name)) for name in ("provstore.ttl", "examples.ttl"))


def _order(term: Term) -> str:
    return term.name.lower()


def _term(iri: str, said: dict[str, dict[str, list[str]]]) -> Term:
    own = said[iri]
    kinds = [value.rpartition("#")[2][:-1] for value in own[RDF_TYPE] if not value.startswith(f"<{PS.iri}")]
    known = [kind for *_, names in _SECTIONS for kind in names if kind in kinds]
    facts = {
        "type": [value for value in own[RDF_TYPE] if "NamedIndividual" in kinds and not value.startswith(f"<{_OWL}")],
        "sub-class of": own[f"<{_RDFS}subClassOf>"],
        "sub-property of": own[f"<{_RDFS}subPropertyOf>"],
        "close to": own[f"<{_SKOS}closeMatch>"],
        "looks like, and is not": own[f"<{_SKOS}relatedMatch>"],
        "domain": own[f"<{_RDFS}domain>"],
        "range": own[f"<{_RDFS}range>"],
        "sub-classes": [other for other, its in said.items() if iri in its[f"<{_RDFS}subClassOf>"]],
        "instances": [other for other, its in said.items() if iri in its[RDF_TYPE]],
        "domain of": [other for other, its in said.items() if iri in its[f"<{_RDFS}domain>"]],
        "range of": [other for other, its in said.items() if iri in its[f"<{_RDFS}range>"]],
    }
    return Term(
        iri[1:-1].removeprefix(PS.iri),
        _text(own[f"<{_RDFS}label>"]),
        _text(own[f"<{_RDFS}comment>"]),
        tuple(map(_example, own[f"<{_SKOS}example>"])),
        known[0],
        tuple((name, tuple(_link(each) for each in sorted(found))) for name, found in facts.items() if found),
    )


def _example(value: str) -> Example:
    text = rdf.text_of(value)
    where, _, rest = text.partition("\n")
    return Example(where[2:], rest) if where.startswith("# ") else Example("", text)


def _text(values: list[str]) -> str:
    return rdf.text_of(values[0]) if values else ""


def _link(iri: str) -> Link:
    iri = iri[1:-1]
    for prefix, start in PREFIXES.items():
        if iri.startswith(start):
            name = iri.removeprefix(start)
            return Link(f"{prefix}:{name}", f"#{name}" if prefix == "ps" else iri)
    return Link(iri, iri)
