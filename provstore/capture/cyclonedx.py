"""CycloneDX bills of materials (to 1.7, with models since 1.5): models with their cards, data, packages, formulas."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from provstore import iris, rdf
from provstore.capture import bom
from provstore.capture.bom import Model, texts
from provstore.capture.described import Described, iri_of
from provstore.capture.draft import RECORD, Object
from provstore.model import Mapped
from provstore.vocab import AI, DCT, PROV, PS, SCHEMA

ADAPTER: Final = "cyclonedx/1"
MEDIA_TYPES: Final = ("application/vnd.cyclonedx+json",)
_MODEL, _DATA = "machine-learning-model", "data"
_VERSIONS: Final = tuple(f"1.{minor}" for minor in range(2, 8))  # those that have a form in JSON
_UUID = re.compile(r"(?:urn:uuid:)?([0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12})\Z")
#: Members of a model card that are told as named values.
_PARAMETERS: Final = {
    "task": "task",
    "architectureFamily": "architecture family",
    "modelArchitecture": "model architecture",
}
_CONSIDERATIONS: Final = {
    "users": "user",
    "useCases": "use case",
    "performanceTradeoffs": "performance tradeoff",
}


def recognised(value: Object) -> bool:
    """Whether a payload is a bill of materials of CycloneDX."""
    return value.get("bomFormat") == "CycloneDX"


def map_bom(value: Object, *, base: str) -> Mapped:
    """The record of one bill of materials; what it has no place for is reported by its member."""
    draft = Described(base, value, ADAPTER)
    if not recognised(value):
        draft.refuse("'bomFormat' must be \"CycloneDX\"", value.get("bomFormat"), "/bomFormat")
    _Bom(draft).say()
    return draft.mapped()


class _Bom:
    """One document: its components by `bom-ref`, each told once."""

    def __init__(self, draft: Described) -> None:
        self._draft = draft
        self._serial = draft.words(draft.value, "serialNumber") or ""
        self._own = self._serial or "cyclonedx"  # the namespace of what names nobody
        self._components: dict[str, tuple[str, Object]] = {}
        self._known: dict[str, str] = {}  # place of a component → its node
        self._makers: dict[str, str] = {}  # bom-ref of what a workflow made → its UUID

    def say(self) -> None:
        """All that the document says."""
        draft, value = self._draft, self._draft.value
        version = draft.words(value, "specVersion")
        if version and version not in _VERSIONS:
            draft.note("/specVersion", f"{version[:20]!r} is not known; read as {_VERSIONS[-1]}")
        metadata = draft.object(value, "metadata")
        found = list(self._nested(value, ""))
        main = draft.object(metadata, "component", "/metadata")
        if main:
            found.insert(0, ("/metadata/component", main))
            found += list(self._nested(main, "/metadata/component"))
        flows, parts = [], []
        for pointer, formula in draft.objects(value, "formulation"):
            flows += list(draft.objects(formula, "workflows", pointer))
            parts += list(self._nested(formula, pointer))
        for pointer, each in (*found, *parts):
            if ref := each.get("bom-ref"):
                self._components[str(ref)] = pointer, each
        for pointer, flow in flows:
            self._made(flow, pointer)
        about = [node for pointer, each in found if (node := self._component(each, pointer))]
        about += [self._workflow(flow, pointer) for pointer, flow in flows]
        if self._serial:
            draft.say(RECORD, DCT.identifier, rdf.literal(self._serial))
        draft.head(draft.instant(metadata, "timestamp", "/metadata"), *about)
        self._authors(metadata)

    def _authors(self, metadata: Object) -> None:
        """The people and tools that the document is by; tools stand in a list (to 1.4) or by their kind."""
        draft, said = self._draft, metadata.get("tools")
        for agent in self._people(metadata, "authors", "/metadata"):
            draft.say(RECORD, PROV.wasAttributedTo, agent)
        tools = list(draft.objects(metadata, "tools", "/metadata")) if isinstance(said, list) else []
        if isinstance(said, dict):
            tools += [
                each for kind in ("components", "services") for each in draft.objects(said, kind, "/metadata/tools")
            ]
        for pointer, each in tools:
            if name := draft.words(each, "name", pointer):
                label = f"{name}@{version}" if (version := draft.words(each, "version", pointer)) else name
                draft.say(RECORD, PROV.wasAttributedTo, draft.agent("software", label, label))

    def _people(self, holder: Object, member: str, at: str) -> Iterator[str]:
        for pointer, each in self._draft.objects(holder, member, at):
            name = self._draft.words(each, "name", pointer) or ""
            if author := self._draft.words(each, "email", pointer) or name:
                yield self._draft.agent("person", author, name)

    def _nested(self, holder: Object, at: str) -> Iterator[tuple[str, Object]]:
        """Components and those within them, depth limited by that of the payload."""
        for pointer, each in self._draft.objects(holder, "components", at):
            yield pointer, each
            yield from self._nested(each, pointer)

    # --- components ------------------------------------------------------------------------------------------------

    def _component(self, each: Object, pointer: str) -> str:
        """The node of a component; '' where it has no name."""
        if pointer in self._known:
            return self._known[pointer]
        draft, kind = self._draft, each.get("type")
        name = draft.words(each, "name", pointer)
        if not name:
            draft.note(f"{pointer}/name", "left out: a component needs a name")
            return ""
        if kind == _MODEL:
            self._known[pointer] = self._model(each, name, pointer)
        elif kind == _DATA:
            self._known[pointer] = self._data(each, name, pointer)
        else:
            self._known[pointer] = self._package(each, name, pointer)
        self._common(self._known[pointer], each, pointer)
        return self._known[pointer]

    def _hashes(self, each: Object, pointer: str) -> dict[str, str]:
        return bom.digests((h.get("alg"), h.get("content")) for _, h in self._draft.objects(each, "hashes", pointer))

    def _space(self, each: Object, pointer: str) -> str:
        """The namespace of a component: its supplier, manufacturer, group or publisher, else the document."""
        draft = self._draft
        for member in ("supplier", "manufacturer"):
            if name := draft.words(draft.object(each, member, pointer), "name", f"{pointer}/{member}"):
                return name
        return draft.words(each, "group", pointer) or draft.words(each, "publisher", pointer) or self._own

    def _common(self, node: str, each: Object, pointer: str) -> None:
        draft = self._draft
        bom.describe(draft, node, description=draft.words(each, "description", pointer) or "")
        if purl := draft.words(each, "purl", pointer):
            draft.say(node, DCT.identifier, rdf.literal(purl))
        for member in ("supplier", "manufacturer"):
            if name := draft.words(draft.object(each, member, pointer), "name", f"{pointer}/{member}"):
                draft.say(node, PROV.wasAttributedTo, draft.agent("org", name, name))
        for agent in self._people(each, "authors", pointer):
            draft.say(node, PROV.wasAttributedTo, agent)
        for where, each_ in draft.objects(each, "licenses", pointer):
            held = draft.object(each_, "license", where)
            sent = draft.words(held, "id", f"{where}/license") or draft.words(held, "name", f"{where}/license")
            if text := sent or draft.words(each_, "expression", where):
                draft.license(node, text)

    def _package(self, each: Object, name: str, pointer: str) -> str:
        """Anything but models and data: named by its package URL, else by its name and version."""
        draft = self._draft
        version = draft.words(each, "version", pointer) or ""
        purl = iri_of(str(each.get("purl") or ""))
        space = draft.words(each, "group", pointer) or self._own
        node = purl or f"<{draft.base}/package/{iris.enc(space)}/{iris.enc(name)}/{iris.enc(version)}>"
        draft.type(node, PROV.Entity, SCHEMA.SoftwareSourceCode)
        bom.describe(draft, node, title=name)
        if version:
            draft.say(node, SCHEMA.softwareVersion, rdf.literal(version))
        draft.content(node, self._hashes(each, pointer))
        return node

    def _data(self, each: Object, name: str, pointer: str) -> str:
        asset, version = self._dataset(each, name, pointer)
        self._told_of(asset, each, pointer)
        return version or asset

    def _told_of(self, asset: str, each: Object, pointer: str) -> None:
        """What is said of the data in a component."""
        draft = self._draft
        for where, told in draft.objects(each, "data", pointer):
            bom.describe(draft, asset, description=draft.words(told, "description", where) or "")
            for sensitive in texts(told.get("sensitiveData")):
                draft.property(asset, "sensitive data", sensitive)
            if kind := draft.words(told, "classification", where):
                draft.property(asset, "classification", kind)
            governed = draft.object(told, "governance", where)
            for role in ("custodians", "stewards", "owners"):
                for at, held in draft.objects(governed, role, f"{where}/governance"):
                    self._governor(asset, role[:-1], held, at)

    def _governor(self, asset: str, role: str, held: Object, pointer: str) -> None:
        draft = self._draft
        org = draft.words(draft.object(held, "organization", pointer), "name", f"{pointer}/organization")
        contact = draft.object(held, "contact", pointer)
        person = draft.words(contact, "email", f"{pointer}/contact") or draft.words(
            contact, "name", f"{pointer}/contact"
        )
        for agent in ([draft.agent("org", org, org)] if org else []) + (
            [draft.agent("person", person)] if person else []
        ):
            node = f"{asset[:-1]}#{role}/{iris.enc(agent[1:-1])}>"
            draft.say(asset, PROV.wasAttributedTo, agent)
            draft.say(asset, PROV.qualifiedAttribution, node)
            draft.type(node, PROV.Attribution)
            draft.say(node, PROV.agent, agent)
            draft.say(node, PS.ownerType, rdf.literal(role))

    def _dataset(self, each: Object, name: str, pointer: str) -> tuple[str, str]:
        """The dataset of a data component and its version, '' where it has none."""
        draft = self._draft
        told = [draft.object(data, "contents", where) for where, data in draft.objects(each, "data", pointer)]
        address = next((url for held in told if (url := draft.words(held, "url", pointer))), "")
        asset = f"<{bom.dataset(draft, address, (self._space(each, pointer), name))}>"
        held, label = self._hashes(each, pointer), draft.words(each, "version", pointer)
        if not label:
            return asset, ""
        version = f"<{iris.version(asset[1:-1], label)}>"
        draft.type(version, PROV.Entity, PS.Version)
        draft.say(version, PROV.specializationOf, asset)
        draft.say(version, PS.version, rdf.literal(label))
        draft.content(version, held)
        return asset, version

    # --- models ----------------------------------------------------------------------------------------------------

    def _model(self, each: Object, name: str, pointer: str) -> str:
        draft = self._draft
        label = draft.words(each, "version", pointer) or ""
        made_by = self._makers.get(str(each.get("bom-ref")), "")
        named = (self._space(each, pointer), name)
        model = Model.named(draft, named, label, self._hashes(each, pointer), made_by)
        for where, ancestor in draft.objects(
            draft.object(each, "pedigree", pointer), "ancestors", f"{pointer}/pedigree"
        ):
            if ancestor.get("type") == _MODEL:
                # a base that names nobody is by whoever made what was tuned from it
                known = {"supplier": each.get("supplier"), "group": each.get("group")}
                if node := self._component({**{k: v for k, v in known.items() if v}, **ancestor}, where):
                    draft.say(model.node, PROV.wasDerivedFrom, node)
        card = draft.object(each, "modelCard", pointer)
        if card:
            self._card(model, card, f"{pointer}/modelCard")
        return model.node

    def _card(self, model: Model, card: Object, at: str) -> None:
        draft = self._draft
        parameters, where = draft.object(card, "modelParameters", at), f"{at}/modelParameters"
        model.told(parameters, _PARAMETERS)
        model.told({"type": draft.object(parameters, "approach", where).get("type")}, {"type": "approach"})
        for side in ("inputs", "outputs"):
            for pointer, each in draft.objects(parameters, side, where):
                if form := draft.words(each, "format", pointer):
                    draft.property(model.node, f"{side[:-1]} format", form)
        for pointer, each in draft.objects(parameters, "datasets", where):
            self._learned(model, each, pointer)
        analysis = draft.object(card, "quantitativeAnalysis", at)
        for pointer, each in draft.objects(analysis, "performanceMetrics", f"{at}/quantitativeAnalysis"):
            kind, value = draft.words(each, "type", pointer), draft.words(each, "value", pointer)
            if kind and value:
                model.measured(kind, value, draft.words(each, "slice", pointer) or "")
            else:
                draft.note(pointer, "left out: a metric needs 'type' and 'value'")
        self._considered(model, draft.object(card, "considerations", at), f"{at}/considerations")

    def _learned(self, model: Model, each: Object, pointer: str) -> None:
        """A dataset of a card: of the document (`ref`), or told in place."""
        draft = self._draft
        ref = draft.words(each, "ref", pointer)
        # what is told in place is what a component holds as `data`
        where, data = self._components.get(ref, ("", {})) if ref else (pointer, {**each, "data": [each]})
        name = draft.words(data, "name", where or pointer)
        if not name:
            draft.note(pointer, f"left out: no component is called {ref!r}" if ref else "left out: no 'name'")
            return
        asset, version = self._dataset(data, name, where)
        if not ref:
            self._told_of(asset, data, where)
        state = model.learned_from(asset[1:-1], AI.TrainingData, self._hashes(data, where))
        if version:
            draft.say(state, PROV.specializationOf, version)

    def _considered(self, model: Model, said: Object, at: str) -> None:
        draft = self._draft
        for text in texts(said.get("technicalLimitations")):
            draft.say(model.node, PS.limitation, rdf.literal(text))
        model.told(said, _CONSIDERATIONS)
        for member, name in (("ethicalConsiderations", "ethical consideration"), ("fairnessAssessments", "fairness")):
            for pointer, each in draft.objects(said, member, at):
                told = [
                    f"{key}: {words}"
                    for key in ("name", "groupAtRisk", "benefits", "harms", "mitigationStrategy")
                    if (words := draft.words(each, key, pointer))
                ]
                if told:
                    draft.property(model.node, name, "; ".join(told))
        energy = draft.object(said, "environmentalConsiderations", at)
        for pointer, each in draft.objects(energy, "energyConsumptions", f"{at}/environmentalConsiderations"):
            for member, name in (("activityEnergyCost", "energy consumption"), ("co2CostEquivalent", "CO2 equivalent")):
                cost, where = draft.object(each, member, pointer), f"{pointer}/{member}"
                amount, unit = draft.words(cost, "value", where), draft.words(cost, "unit", where)
                if amount and unit:
                    phase = draft.words(each, "activity", pointer) or "other"
                    draft.property(model.node, f"{name} of {phase}", f"{amount} {unit}")

    # --- formulas --------------------------------------------------------------------------------------------------

    def _workflow(self, flow: Object, pointer: str, parent: str = "") -> str:
        """A workflow or task as a run: what it read and wrote, its tasks within it."""
        draft = self._draft
        identifier, run = draft.run(self._uid(flow, pointer))
        if parent:
            draft.say(run, DCT.isPartOf, parent)
        if name := draft.words(flow, "name", pointer):
            draft.say(run, DCT.title, rdf.literal(name))
            draft.say(run, PS.job, f"<{draft.job(self._own, name)}>")
        draft.span(run, draft.instant(flow, "timeStart", pointer), draft.instant(flow, "timeEnd", pointer))
        for where, each in draft.objects(flow, "inputs", pointer):
            self._read(run, identifier, each, where)
        for where, each in draft.objects(flow, "outputs", pointer):
            self._written(run, identifier, each, where)
        for where, task in draft.objects(flow, "tasks", pointer):
            self._workflow(task, where, run)
        return run

    def _uid(self, flow: Object, pointer: str) -> str:
        sent = self._draft.words(flow, "uid", pointer) or self._draft.words(flow, "bom-ref", pointer) or pointer
        found = _UUID.match(sent)
        return found[1].lower() if found else bom.run_id("workflow", self._serial, sent)

    def _made(self, flow: Object, pointer: str) -> None:
        """Note which workflow, or else which task of it, made what."""
        for where, task in self._draft.objects(flow, "tasks", pointer):
            self._made(task, where)
        for where, each in self._draft.objects(flow, "outputs", pointer):
            ref = self._draft.words(self._draft.object(each, "resource", where), "ref", f"{where}/resource")
            if ref:
                self._makers[ref] = self._uid(flow, pointer)

    def _referred(self, each: Object, pointer: str) -> tuple[str, Object]:
        """The component that an input or output refers to, and where it is; an address stands for data there."""
        draft = self._draft
        for member in ("resource", "source", "target"):
            said, where = draft.object(each, member, pointer), f"{pointer}/{member}"
            ref = draft.words(said, "ref", where)
            if ref and ref in self._components:
                return self._components[ref]
            outside = draft.object(said, "externalReference", where)
            if url := draft.words(outside, "url", f"{where}/externalReference"):
                data = {"contents": {"url": url}}
                return where, {"type": _DATA, "name": url, "hashes": outside.get("hashes"), "data": [data]}
        return "", {}

    def _read(self, run: str, identifier: str, each: Object, pointer: str) -> None:
        for where, parameter in self._draft.objects(each, "parameters", pointer):
            name, value = self._draft.words(parameter, "name", where), self._draft.words(parameter, "value", where)
            if name and value is not None:
                self._draft.parameter(run, name, value)
        where, component = self._referred(each, pointer)
        if component.get("type") == _DATA and (name := self._draft.words(component, "name", where)):
            asset, version = self._dataset(component, name, where)
            state = self._draft.read(run, identifier, asset[1:-1], self._hashes(component, where))
            if version:
                self._draft.say(state, PROV.specializationOf, version)
        elif component and (node := self._component(component, where)):
            self._draft.use(run, node)

    def _written(self, run: str, identifier: str, each: Object, pointer: str) -> None:
        where, component = self._referred(each, pointer)
        if component.get("type") == _DATA and (name := self._draft.words(component, "name", where)):
            asset, _ = self._dataset(component, name, where)
            self._draft.write(run, identifier, asset[1:-1], self._hashes(component, where))
        elif component and (node := self._component(component, where)):
            self._draft.say(node, PROV.wasGeneratedBy, run)
