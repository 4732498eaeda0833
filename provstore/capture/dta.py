"""Metadata by the Data Provenance Standards 1.0.0 of the Data & Trust Alliance: a dataset's source, provenance and use.

The names are those of the specification and of the JSON Schema; where the two differ, or hold a misprint, both are
taken.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any, Final

from provstore import rdf
from provstore.capture.described import Described, iri_of, text
from provstore.capture.draft import Object
from provstore.capture.facets import kind_of
from provstore.capture.facets.graph import link
from provstore.model import Mapped
from provstore.vocab import DCAT, DCT, DPV, PROV, PS, RDF_TYPE

#: Name and version of the mapping; also what the member `provstore` of an envelope says.
ADAPTER: Final = "dta/1"
_CODES: Final = "https://dataandtrustalliance.org/DPS/CodeSystem/"
_MISPRINTS: Final = {
    "soensor-and-iot-output-vehicle-transportation": "sensor-and-iot-output-vehicle-transportation",
    "https://dataandtrustalliance.org/DSP/CodeSystem/Regulations": f"{_CODES}Regulations",
}
#: Code of a privacy-enhancing tool (§7.2) → the measure of DPV, where it has the same.
_MEASURES: Final = {
    "data-anonymization": DPV.Anonymisation,
    "data-encryption": DPV.Encryption,
    "data-redaction": DPV.DataRedaction,
    "differential-privacy": DPV.DifferentialPrivacy,
    "homomorphic-encryption": DPV.HomomorphicEncryption,
    "pseudonymization": DPV.Pseudonymisation,
    "secure-multi-party-computation": DPV.SecureMultiPartyComputation,
}
#: Code of a regulated domain (§7.4) → what data in it are.
_REGULATED: Final = {
    **dict.fromkeys(("pi", "pii", "pfi", "pci"), DPV.PersonalData),
    **dict.fromkeys(("phi", "spi"), DPV.SensitivePersonalData),
}
_GEOGRAPHY: Final = ("processing-included", "processing-excluded", "storage-allowed", "storage-forbidden")
_RIGHTS: Final = ("copyright", "patent", "trademark")


def recognised(value: Object) -> bool:
    """Whether an object is metadata of the standards."""
    return {"source", "provenance", "use"} <= value.keys() and isinstance(value["source"], dict)


def map_dta(value: Object, *, base: str) -> Mapped:
    """The metadata of one dataset as a record: the dataset, the state that was issued, how it came about, its use.

    Unmappable where the metadata have no `id` that is a URI.
    """
    draft = Described(base, value, ADAPTER)
    pointer, told = draft.enclosed("metadata")
    _Sheet(draft, told, pointer).say()
    return draft.mapped()


class _Sheet:
    """The metadata of one dataset while they are read."""

    __slots__ = ("dataset", "draft", "issuers", "node", "pointer", "told")

    def __init__(self, draft: Described, told: Object, pointer: str) -> None:
        self.draft, self.told, self.pointer = draft, told, pointer
        source = draft.required(told, "source", pointer)
        place = f"{pointer}/source"
        identifier = draft.text(source, "id", place)
        self.dataset = self._dataset(identifier, f"{place}/id")
        self.node = f"<{self.dataset}>"
        self._source(source, place, identifier)

    def _dataset(self, identifier: str, pointer: str) -> str:
        if said := self.draft.addressed():
            return said
        found = self.draft.named(identifier)
        if found is None or identifier.startswith("/"):
            self.draft.refuse("'id' must be a URI, such as urn:uuid:…", identifier, pointer)
        return found

    # --- source ------------------------------------------------------------------------------------------------------

    def _source(self, source: Object, place: str, identifier: str) -> None:
        draft, node = self.draft, self.node
        draft.say(node, DCT.identifier, rdf.literal(identifier))
        for member, predicate in (("title", DCT.title), ("description", DCT.description)):
            if words := draft.words(source, member, place):
                draft.say(node, predicate, rdf.literal(words))
        if location := draft.words(source, "location", place):
            draft.say(node, DCAT.landingPage, link(location))
            other = draft.named(location)
            if other and other != self.dataset:  # others name it as their source by where its metadata are
                draft.say(node, PS.symlink, f"<{other}>")
        self.issuers = list(self._organisations(source, "issuer", place))
        for issuer in self.issuers:
            draft.say(node, DCT.publisher, issuer)
            draft.say(node, PROV.wasAttributedTo, issuer)

    def _organisations(self, holder: Object, member: str, place: str) -> Iterator[str]:
        for where, each in self.draft.several(holder, member, place):
            if isinstance(each, dict) and (name := self.draft.words(each, "name", where)):
                yield self.draft.agent("org", name, name)
            else:
                self.draft.note(where, f"ignored: an organisation needs a 'name', got {kind_of(each)}")

    # --- provenance --------------------------------------------------------------------------------------------------

    def say(self) -> None:
        """All that stands in `provenance` and `use`."""
        draft, place = self.draft, f"{self.pointer}/provenance"
        told = draft.object(self.told, "provenance", self.pointer)
        issued = draft.moment(told, "date", place)
        identifier, activity = self._activity(issued)
        state = draft.write(activity, identifier, self.dataset)
        draft.head(issued, self.node)
        if issued:
            draft.say(state, PROV.generatedAtTime, issued)
            draft.say(state, DCT.issued, issued)
        before = draft.moment(told, "previous-date", place)
        if before and before != issued:
            earlier, made = self._activity(before)
            draft.say(draft.write(made, earlier, self.dataset), PROV.generatedAtTime, before)
        for _, each in self.draft.several(told, "format", place):
            if text(each):
                draft.say(state, DCT.format, rdf.literal(text(each)))
        self._origin(told, place, (activity, identifier, state))
        self._use(draft.object(self.told, "use", self.pointer), f"{self.pointer}/use", activity, state)

    def _activity(self, issued: str | None) -> tuple[str, str]:
        """What made the state that was issued at an instant, named after both: a correction is about the same."""
        named = uuid.uuid5(uuid.NAMESPACE_URL, f"{ADAPTER} {self.dataset} {issued}")
        return self.draft.run(str(named))

    def _part(self, activity: str, name: str) -> tuple[str, str]:
        """An activity that was a part of another, by its name there."""
        return self.draft.run(str(uuid.uuid5(uuid.NAMESPACE_URL, f"{activity} {name}")), PROV.Activity)

    def _origin(self, told: Object, place: str, made: tuple[str, str, str]) -> None:
        """How data came about: sources, people, places, methods; of the dataset, or of data in it."""
        draft = self.draft
        activity, _, entity = made
        period = draft.object(told, "generation-period", place)
        draft.span(
            activity,
            draft.moment(period, "start", f"{place}/generation-period"),
            draft.moment(period, "end", f"{place}/generation-period", last=True),
        )
        origins = list(self._organisations(told, "origin", place))
        for organisation in origins or self.issuers:
            draft.associate(activity, organisation)
        for country in self._places(told, "origin-geography", place):
            draft.say(entity, DCT.spatial, rdf.literal(country))
        for _, (code, concept, words) in self._concepts(told, "generation-method", place, "Method"):
            draft.say(activity, DCT.type, concept)
            draft.say(self.node, PS.collectionMethod, rdf.literal(words or code.replace("-", " ")))
            if code == "machine-generated-mlops-synthetic":
                draft.type(entity, DPV.SyntheticData)
        self._sources(told, place, made)
        for number, (where, each) in enumerate(draft.each_object(told, "sub-provenance", place)):
            part = f"{entity[:-1]}/part/{number}>"
            named, how = self._part(activity, f"part/{number}")
            draft.type(part, PROV.Entity)
            draft.say(part, PROV.wasGeneratedBy, how)
            draft.say(activity, PROV.used, part)
            draft.derive(entity, [part])
            self._origin(each, where, (how, named, part))

    def _sources(self, told: Object, place: str, made: tuple[str, str, str]) -> None:
        activity, identifier, entity = made
        for where, each in self.draft.several(told, "source", place):
            found = self.draft.named(text(each))
            if found is None or found == self.dataset:
                self.draft.note(where, f"ignored: {text(each)[:60]!r} is not the URL of another dataset's metadata")
                continue
            self.draft.derive(entity, [self.draft.read(activity, identifier, found)])
            self.draft.say(self.node, PS.declaredSource, f"<{found}>")

    def _places(self, holder: Object, member: str, place: str) -> Iterator[str]:
        for where, each in self.draft.several(holder, member, place):
            country = text(each.get("country")) if isinstance(each, dict) else ""
            if country:
                state = text(each.get("state"))
                yield f"{country}-{state}" if state and not state.startswith(f"{country}-") else state or country
            else:
                self.draft.note(where, f"ignored: a location needs a 'country', got {kind_of(each)}")

    def _concepts(
        self, holder: Object, member: str, place: str, system: str
    ) -> Iterator[tuple[str, tuple[str, str, str]]]:
        """Code, term and description of each concept, with its pointer."""
        for where, each in self.draft.several(holder, member, place):
            if found := self._concept(each, where, system):
                yield where, found

    def _concept(self, sent: Any, where: str, system: str) -> tuple[str, str, str] | None:
        said = sent if isinstance(sent, dict) else {"code": text(sent)}
        code, words = text(said.get("code")), text(said.get("description"))
        corrected = _MISPRINTS.get(code, code)
        if corrected != code:
            self.draft.note(where, f"{code!r} was taken as {corrected!r}")
        if not corrected and not words:
            self.draft.note(where, "ignored: a concept needs a 'code' or a 'description'")
            return None
        named = text(said.get("system")).rstrip("#/")
        term = f"{_MISPRINTS.get(named, named) or _CODES + system}#{corrected}"
        return corrected, (iri_of(term) if corrected else None) or rdf.literal(corrected or words), words

    # --- use ---------------------------------------------------------------------------------------------------------

    def _use(self, use: Object, place: str, activity: str, state: str) -> None:
        draft, node = self.draft, self.node
        for where, each in draft.each_object(use, "classification", place):
            self._classified(each, where)
        for _, each in self.draft.several(use, "consents", place):
            if consent := iri_of(text(each)):
                draft.type(consent, PROV.Entity, DPV.ConsentRecord)
                draft.say(node, DCT.relation, consent)
                draft.say(node, DPV.hasLegalBasis, DPV.Consent)
        for number, (where, each) in enumerate(draft.each_object(use, "privacy-enhancing", place)):
            self._enhanced(each, where, self._part(activity, f"privacy/{number}")[1], activity)
        for member in _GEOGRAPHY:
            for country in self._places(use, member, place):
                draft.property(node, member, country)
        for _, each in self.draft.several(use, "license", place):
            if text(each):
                draft.license(node, text(each))
        for member in _RIGHTS:
            for _, each in self.draft.several(use, member, place):
                if text(each) and text(each).lower() != "no":
                    draft.say(node, DCT.rights, rdf.literal(f"{member}: {text(each)}"))
        for number, (_, found) in enumerate(self._concepts(use, "intended-purpose", place, "Use")):
            self._purpose(found, f"{node[:-1]}#purpose/{number}>")

    def _purpose(self, found: tuple[str, str, str], node: str) -> None:
        code, concept, words = found
        self.draft.say(self.node, DPV.hasPurpose, node)
        self.draft.type(node, DPV.Purpose)
        self.draft.say(node, DCT.title, rdf.literal(code.replace("-", " ") or words))
        self.draft.say(node, DCT.type, concept)
        if words:
            self.draft.say(node, DCT.description, rdf.literal(words))

    def _classified(self, each: Object, where: str) -> None:
        """Whether the dataset holds data of a regulated domain: yes, no, or nobody knows."""
        found = self._concept(each.get("regulation"), f"{where}/regulation", "Regulations")
        if found is None:
            return
        sent = each.get("evaluated")
        answer = (text(sent).lower() or "unknown") if sent is not None else "unknown"
        self.draft.property(self.node, f"classification {found[0] or found[2]}", answer)
        if answer == "true" and found[0] in _REGULATED:
            self.draft.say(self.node, DPV.hasPersonalData, _REGULATED[found[0]])

    def _enhanced(self, each: Object, where: str, node: str, activity: str) -> None:
        """One use of a privacy-enhancing tool, a part of what made the dataset."""
        draft = self.draft
        found = self._concept(each.get("tool-category"), f"{where}/tool-category", "PET")
        if found is None:
            return
        draft.say(node, DCT.isPartOf, activity)
        draft.say(node, DCT.type, found[1])
        if found[0] in _MEASURES:
            draft.say(node, RDF_TYPE, _MEASURES[found[0]])
        if tool := draft.words(each, "tool-used", where):
            draft.associate(node, draft.agent("software", tool))
        for number, (_, parameter) in enumerate(self.draft.several(each, "parameters", where)):
            draft.parameter(node, str(number), text(parameter))
        for _, result in self.draft.several(each, "result", where):
            if text(result):
                draft.say(node, DCT.description, rdf.literal(text(result)))
