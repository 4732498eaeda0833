"""Records in TriG, in the form of those written by hand: one named graph a record, one subject a line or more."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote

from provstore.capture.syntax import Document, map_document
from tools.examples.tables import Name

BASE = "https://prov.example"
_PREFIXES = {
    "prov": "http://www.w3.org/ns/prov#",
    "ps": "https://w3id.org/provstore/ns#",
    "ai": "https://w3id.org/dpv/ai#",
    "dct": "http://purl.org/dc/terms/",
    "dqv": "http://www.w3.org/ns/dqv#",
    "mls": "http://www.w3.org/ns/mls#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "schema": "https://schema.org/",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}


def record(name: str, when: str, about: Iterable[str], statements: Iterable[str], comment: str = "") -> str:
    """The text of a record; `about` names what it is about, `statements` are Turtle, each ended by a full stop."""
    body = "".join(f"  {line}\n" for statement in statements for line in statement.splitlines())
    head = f"<record/{name}> a prov:Bundle, ps:Record ; prov:generatedAtTime {time(when)}"
    subjects = ", ".join(f"<{each}>" for each in about)
    if subjects:
        head += f" ; ps:about {subjects}"
    used = {prefix: iri for prefix, iri in _PREFIXES.items() if f"{prefix}:" in head + body}
    prefixes = "".join(f"@prefix {prefix}: <{iri}> .\n" for prefix, iri in used.items())
    note = f"# {comment}\n" if comment else ""
    return f"{note}@base <{BASE}/> .\n{prefixes}\n<record/{name}> {{\n  {head} .\n\n{body}}}\n"


def named(text: str) -> str:
    """The name that the store gives to a record, so that a later one can say that it supersedes it."""
    return map_document(Document(text.encode(), "application/trig", BASE)).record


def time(instant: str) -> str:
    return f'"{instant}"^^xsd:dateTime'


def text(value: str) -> str:
    """A string literal; what is written here needs no escapes but these."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def table(name: Name) -> str:
    """The IRI of a dataset, relative to the base."""
    return f"dataset/{quote(name[0], safe='')}/{quote(name[1], safe='')}"


def read(name: Name, run: str, version: str = "") -> str:
    """What a run read of a dataset, with the label of the version where one is known; ends with a line."""
    asset = table(name)
    of = f"<{asset}>" + (f", <{asset}/version/{version}>" if version else "")
    return f"<{asset}/read/{run}> a prov:Entity, ps:ReadState ; prov:specializationOf {of} .\n"
