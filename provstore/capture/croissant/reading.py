"""Tolerant readers of a Croissant document: values that may be lists, references, names with prefixes, agents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from provstore import rdf
from provstore.capture.croissant.terms import Names
from provstore.capture.described import Described, iri_of, text
from provstore.capture.draft import Object
from provstore.vocab import DCT, PROV, PS


def label(said: Object) -> str:
    """The label of a thing, also under the name that examples of the specification use and PROV does not have."""
    return text(said.get("prov:label")) or text(said.get("rdfs:label")) or text(said.get("name"))


def address_of(value: Any) -> str:
    """The address that a value is or refers to."""
    return text(value.get("@id") or value.get("url")) if isinstance(value, dict) else text(value)


def identifier_of(file: Object) -> str:
    """What a document calls a file where it refers to it: by its `@id`, before version 1.0 by its name."""
    return text(file.get("@id")) or text(file.get("name"))


def name_of(field: Object) -> str:
    """What a record set or field is called: its name, else the last part of its identifier."""
    return text(field.get("name")) or text(field.get("@id")).rpartition("/")[2]


def value(record: Mapping[str, Any], field: Object) -> Any:
    """The value of a field in an inline record, where it stands under the field's identifier or name."""
    for name in (text(field.get("@id")), text(field.get("name")), name_of(field)):
        if name and name in record:
            return record[name]
    return None


def pair(dataset: str) -> tuple[str, str]:
    """Namespace and name of a dataset, from its IRI."""
    namespace, _, name = dataset.rpartition("/dataset/")[2].partition("/")
    return unquote(namespace), unquote(name)


class Reader:
    """One document while it is read; `files` are the states of its files by their identifiers."""

    __slots__ = ("dataset", "draft", "files", "names")

    def __init__(self, draft: Described, names: Names, dataset: str) -> None:
        self.draft, self.names, self.dataset = draft, names, dataset
        self.files: dict[str, str] = {}

    def expanded(self, name: str) -> str:
        """A name with a prefix as the document's own context has it, or as everybody does."""
        return self.names.expanded(name)

    def short(self, name: str) -> str:
        """A term of PROV, SOSA or QUDT under its usual prefix, however the document writes it."""
        return self.names.type(name)

    def agent(self, sent: Any, where: str) -> str | None:
        """An agent: a person, an organisation, or where it says so a program."""
        said = sent if isinstance(sent, dict) else {"name": sent}
        name = label(said) or text(said.get("@id"))
        if not name:
            self.draft.note(where, "ignored: an agent needs a 'name'")
            return None
        kinds = " ".join(text(each) for _, each in self.draft.several(said, "@type", where))
        kind = "software" if "Software" in kinds else "person" if "Person" in kinds else "org"
        identity = text(said.get("url")) if kind == "person" else ""
        return self.draft.agent(kind, identity or name, name)

    def provenance(self, holder: Object, where: str, entity: str, made: tuple[str, str]) -> None:
        """What `prov:wasDerivedFrom`, `wasGeneratedBy` and `wasAttributedTo` say of a state."""
        draft = self.draft
        for place, each in draft.several(holder, "prov:wasDerivedFrom", where):
            address = self.expanded(address_of(each))
            source = draft.named(address) if not address.startswith("/") else None
            if source and source != self.dataset:
                draft.derive(entity, [draft.read(made[1], made[0], source)])
                draft.say(f"<{self.dataset}>", PS.declaredSource, f"<{source}>")
                if isinstance(each, dict) and (title := label(each)):
                    draft.say(f"<{source}>", DCT.title, rdf.literal(title))
            elif address in self.files:
                draft.derive(entity, [self.files[address]])
                draft.say(made[1], PROV.used, self.files[address])
            else:
                draft.note(place, f"ignored: {address[:60]!r} is no address of other data")
        for place, each in draft.several(holder, "prov:wasGeneratedBy", where):
            self.activity(each, place, made[1])
        for place, each in draft.several(holder, "prov:wasAttributedTo", where):
            if agent := self.agent(each, place):
                draft.say(entity, PROV.wasAttributedTo, agent)

    def activity(self, sent: Any, where: str, node: str) -> None:
        """What is said of the activity that made something."""
        draft, said = self.draft, sent if isinstance(sent, dict) else {"name": text(sent)}
        if title := label(said):
            draft.say(node, DCT.title, rdf.literal(title))
        if address := iri_of(text(said.get("@id"))):
            draft.say(node, DCT.identifier, rdf.literal(address[1:-1]))
        draft.span(node, draft.moment(said, "prov:startedAtTime", where), draft.moment(said, "prov:endedAtTime", where))
        for place, each in draft.several(said, "prov:wasAssociatedWith", where):
            if agent := self.agent(each, place):
                draft.associate(node, agent)
