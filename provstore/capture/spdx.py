"""SPDX 3 documents in JSON-LD: the AI and Dataset profiles, what they were trained and tested on, and builds.

They are read as the JSON that SPDX prescribes (its Annex on serialization), not as RDF: their context stands elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from provstore import iris, rdf
from provstore.capture import bom
from provstore.capture.bom import Model, texts
from provstore.capture.described import Described, iri_of
from provstore.capture.draft import RECORD, Object
from provstore.model import Mapped
from provstore.vocab import AI, DCT, PROV, PS, SCHEMA

ADAPTER: Final = "spdx/1"
MEDIA_TYPES: Final = ("application/spdx+json",)
_CONTEXT = "https://spdx.org/rdf/3."
_MODELS, _DATASETS = ("ai_AIPackage",), ("dataset_DatasetPackage",)
_PACKAGES = ("software_Package", "software_File")
_AGENTS = {"Person": "person", "Organization": "org", "SoftwareAgent": "software", "Agent": "org"}
_OF_MODELS: Final = {
    "ai_typeOfModel": "type of model",
    "ai_domain": "domain",
    "ai_autonomyType": "autonomy type",
    "ai_informationAboutTraining": "information about training",
    "ai_informationAboutApplication": "information about application",
    "ai_modelDataPreprocessing": "data preprocessing",
    "ai_modelExplainability": "explainability",
    "ai_safetyRiskAssessment": "safety risk assessment",
    "ai_standardCompliance": "standard compliance",
    "ai_useSensitivePersonalInformation": "uses sensitive personal information",
}
_OF_DATASETS: Final = {
    "dataset_datasetType": "dataset type",
    "dataset_datasetNoise": "noise",
    "dataset_dataPreprocessing": "data preprocessing",
    "dataset_anonymizationMethodUsed": "anonymization method",
    "dataset_confidentialityLevel": "confidentiality level",
    "dataset_datasetAvailability": "availability",
    "dataset_datasetUpdateMechanism": "update mechanism",
    "dataset_hasSensitivePersonalInformation": "has sensitive personal information",
    "dataset_intendedUse": "intended use",
}


def recognised(value: Object) -> bool:
    """Whether a payload names the context of SPDX 3."""
    return any(text.startswith(_CONTEXT) for text in texts(value.get("@context")))


def map_document(value: Object, *, base: str) -> Mapped:
    """The record of one document; elements and relationships that have no place here are reported by their kind."""
    draft = Described(base, value, ADAPTER)
    _Document(draft).say()
    return draft.mapped()


class _Document:
    """One document: its elements by `spdxId`."""

    def __init__(self, draft: Described) -> None:
        self._draft = draft
        graph = draft.value.get("@graph")
        listed = graph if isinstance(graph, list) else [draft.value]
        at = "/@graph/" if isinstance(graph, list) else ""
        self._elements: dict[str, tuple[str, Object]] = {}
        for number, each in enumerate(listed):
            if isinstance(each, dict):
                identifier = each.get("spdxId") or each.get("@id")
                if isinstance(identifier, str):
                    self._elements[identifier] = (f"{at}{number}" if at else "", each)
        self._models: dict[str, Model] = {}
        self._data: dict[str, str] = {}

    def say(self) -> None:
        about = []
        for identifier, (pointer, each) in self._elements.items():
            kind = each.get("type")
            if kind in _MODELS:
                about.append(self._model(identifier, each, pointer))
            elif kind in _DATASETS:
                about.append(self._dataset(identifier, each, pointer))
            elif kind in _PACKAGES:
                about.append(self._package(identifier, each, pointer))
            elif kind == "build_Build":
                about.append(self._build(identifier, each, pointer))
        for identifier, (pointer, each) in self._elements.items():
            if each.get("type") in ("Relationship", "LifecycleScopedRelationship"):
                self._related(each, pointer, identifier)
        self._head(about)

    def _head(self, about: list[str]) -> None:
        """When and by whom the document was made: what the creation info of the document says, else the first."""
        draft = self._draft
        of_document = [e.get("creationInfo") for _, e in self._elements.values() if e.get("type") == "SpdxDocument"]
        infos = [(p, e) for p, e in self._elements.values() if e.get("type") == "CreationInfo"]
        infos += [(p, e["creationInfo"]) for p, e in self._elements.values() if isinstance(e.get("creationInfo"), dict)]
        named = [self._elements[i] for i in of_document if isinstance(i, str) and i in self._elements]
        pointer, info = next(iter(named + infos), ("", {}))
        draft.head(draft.instant(info, "created", pointer), *about)
        for member in ("createdBy", "createdUsing"):
            for identifier in texts(info.get(member)):
                if agent := self._agent(identifier):
                    draft.say(RECORD, PROV.wasAttributedTo, agent)

    def _agent(self, identifier: str) -> str:
        pointer, each = self._elements.get(identifier, ("", {}))
        kind = _AGENTS.get(str(each.get("type")), "software" if each.get("type") == "Tool" else "")
        name = self._draft.words(each, "name", pointer) or ""
        return self._draft.agent(kind, identifier, name) if kind else ""

    def _hashes(self, each: Object, pointer: str) -> dict[str, str]:
        found = self._draft.objects(each, "verifiedUsing", pointer)
        return bom.digests((h.get("algorithm"), h.get("hashValue")) for _, h in found)

    def _entries(self, each: Object, member: str, pointer: str) -> Iterator[tuple[str, str]]:
        for where, entry in self._draft.objects(each, member, pointer):
            key, value = self._draft.words(entry, "key", where), self._draft.words(entry, "value", where)
            if key and value is not None:
                yield key, value

    # --- elements --------------------------------------------------------------------------------------------------

    def _model(self, identifier: str, each: Object, pointer: str) -> str:
        """An AI package: its own identifier names the version, its namespace and name the model."""
        draft = self._draft
        name = draft.words(each, "name", pointer) or identifier
        space = identifier.rpartition("/")[0] or "spdx"
        asset = f"<{draft.base}/model/{iris.enc(space)}/{iris.enc(name)}>"
        node = iri_of(identifier) or f"{asset[:-1]}/version/{iris.enc(identifier)}>"
        model = Model(draft, asset, node, self._hashes(each, pointer))
        self._models[identifier] = model
        draft.say(asset, PS.namespace, rdf.literal(space))
        draft.say(asset, PS.name, rdf.literal(name))
        self._common(node, each, pointer)
        model.told(each, _OF_MODELS)
        for text in texts(each.get("ai_limitation")):
            draft.say(node, PS.limitation, rdf.literal(text))
        for key, value in self._entries(each, "ai_hyperparameter", pointer):
            draft.parameter(model.training, key, value)
        for key, value in self._entries(each, "ai_metric", pointer):
            model.measured(key, value)
        for key, value in self._entries(each, "ai_metricDecisionThreshold", pointer):
            draft.property(node, f"decision threshold of {key}", value)
        if "ai_energyConsumption" in each:
            draft.note(f"{pointer}/ai_energyConsumption", "not mapped")
        return node

    def _common(self, node: str, each: Object, pointer: str) -> None:
        draft = self._draft
        bom.describe(
            draft,
            node,
            title=draft.words(each, "name", pointer) or "",
            description=draft.words(each, "description", pointer) or draft.words(each, "summary", pointer) or "",
            version=draft.words(each, "software_packageVersion", pointer) or "",
        )
        time = draft.instant(each, "releaseTime", pointer)
        if time:
            draft.say(node, DCT.issued, time)
        for identifier in (*texts(each.get("suppliedBy")), *texts(each.get("originatedBy"))):
            if agent := self._agent(identifier):
                draft.say(node, PROV.wasAttributedTo, agent)

    def _dataset(self, identifier: str, each: Object, pointer: str) -> str:
        """A dataset package: what lies at its download location; its identifier is that of the package."""
        draft = self._draft
        name = draft.words(each, "name", pointer) or identifier
        address = draft.words(each, "software_downloadLocation", pointer) or ""
        data = bom.dataset(draft, address, (identifier.rpartition("/")[0] or "spdx", name))
        self._data[identifier] = data
        node = f"<{data}>"
        draft.say(node, DCT.identifier, rdf.literal(identifier))
        self._common(node, {k: v for k, v in each.items() if k != "software_packageVersion"}, pointer)
        for member, label in _OF_DATASETS.items():
            for text in texts(each.get(member)):
                draft.property(node, label, text)
        for text in texts(each.get("dataset_dataCollectionProcess")):
            draft.say(node, PS.collectionMethod, rdf.literal(text))
        for text in texts(each.get("dataset_knownBias")):
            draft.say(node, PS.limitation, rdf.literal(text))
        version = self._version(identifier)
        return version or node

    def _version(self, identifier: str) -> str:
        """The version of a dataset that a package is, '' where it names none."""
        draft, (pointer, each) = self._draft, self._elements[identifier]
        label = draft.words(each, "software_packageVersion", pointer)
        if not label:
            return ""
        node, data = f"<{iris.version(self._data[identifier], label)}>", f"<{self._data[identifier]}>"
        draft.type(node, PROV.Entity, PS.Version)
        draft.say(node, PROV.specializationOf, data)
        draft.say(node, PS.version, rdf.literal(label))
        draft.content(node, self._hashes(each, pointer))
        return node

    def _package(self, identifier: str, each: Object, pointer: str) -> str:
        draft = self._draft
        node = iri_of(identifier) or f"<{draft.base}/package/spdx/{iris.enc(identifier)}>"
        draft.type(node, PROV.Entity, SCHEMA.SoftwareSourceCode)
        self._common(node, each, pointer)
        draft.content(node, self._hashes(each, pointer))
        return node

    def _build(self, identifier: str, each: Object, pointer: str) -> str:
        draft = self._draft
        _, run = draft.run(bom.run_id("build", identifier))
        draft.say(run, DCT.identifier, rdf.literal(draft.words(each, "build_buildId", pointer) or identifier))
        if kind := draft.words(each, "build_buildType", pointer):
            draft.say(run, PS.job, f"<{draft.job('spdx', kind)}>")
        draft.span(
            run,
            draft.instant(each, "build_buildStartTime", pointer),
            draft.instant(each, "build_buildEndTime", pointer),
        )
        for key, value in self._entries(each, "build_parameter", pointer):
            draft.parameter(run, key, value)
        return run

    # --- relationships -----------------------------------------------------------------------------------------------

    def _related(self, each: Object, pointer: str, identifier: str) -> None:
        kind, source = each.get("relationshipType"), each.get("from")
        for target in texts(each.get("to")):
            if isinstance(source, str) and isinstance(kind, str) and self._said(kind, source, target):
                continue
            self._draft.note(f"{pointer}/relationshipType", f"not mapped: {kind!s:.60} in {identifier[:80]}")

    def _said(self, kind: str, source: str, target: str) -> bool:
        """Say what a relationship does; whether it has a place."""
        roles: dict[str, tuple[str, Any]] = {
            "trainedOn": (AI.TrainingData, Model.learned_from),
            "finetunedOn": (AI.TrainingData, Model.learned_from),
            "validatedOn": (AI.ValidationData, Model.tested_on),
            "testedOn": (AI.TestingData, Model.tested_on),
        }
        if kind in roles and source in self._models and target in self._data:
            role, on = roles[kind]
            pointer, data = self._elements[target]
            state = on(self._models[source], self._data[target], role, self._hashes(data, pointer))
            if version := self._version(target):
                self._draft.say(state, PROV.specializationOf, version)
            return True
        if kind in ("ancestorOf", "descendantOf") and source in self._models and target in self._models:
            old, new = (source, target) if kind == "ancestorOf" else (target, source)
            self._draft.say(self._models[new].node, PROV.wasDerivedFrom, self._models[old].node)
            return True
        return self._of_build(kind, source, target)

    def _of_build(self, kind: str, source: str, target: str) -> bool:
        """What a build read (`hasInput`) and made (`hasOutput`)."""
        draft, (_, build) = self._draft, self._elements.get(source, ("", {}))
        if build.get("type") != "build_Build" or kind not in ("hasInput", "hasOutput") or target not in self._elements:
            return False
        identifier, run = draft.run(bom.run_id("build", source))
        pointer, each = self._elements[target]
        if target in self._data:
            side = draft.read if kind == "hasInput" else draft.write
            side(run, identifier, self._data[target], self._hashes(each, pointer))
            return True
        node = self._models[target].node if target in self._models else iri_of(target)
        if not node:
            return False
        if kind == "hasInput":
            draft.use(run, node)
        else:
            draft.say(node, PROV.wasGeneratedBy, run)
        return True
