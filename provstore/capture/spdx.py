"""SPDX 3 documents in JSON-LD: the AI and Dataset profiles, what they were trained and tested on, and builds.

They are read as the JSON that SPDX prescribes (its Annex on serialization), not as RDF: their context stands elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from provstore import iris, rdf
from provstore.capture import bom
from provstore.capture.bom import Model, texts
from provstore.capture.described import Described, iri_of
from provstore.capture.draft import RECORD, Object
from provstore.errors import Unmappable
from provstore.model import Mapped
from provstore.vocab import AI, DCAT, DCT, PROV, PS, SCHEMA

ADAPTER: Final = "spdx/1"
MEDIA_TYPES: Final = ("application/spdx+json",)
_CONTEXT = "https://spdx.org/rdf/3."
#: What to do with a document in a form that is not read.
CONVERT: Final = "wanted is SPDX 3 in JSON-LD, which the SPDX Java tools make of older documents (`Convert`)"
_MODELS, _DATASETS = ("ai_AIPackage",), ("dataset_DatasetPackage",)
_PACKAGES = ("software_Package", "software_File")
_AGENTS = {"Person": "person", "Organization": "org", "SoftwareAgent": "software", "Agent": "org", "Tool": "software"}
#: Kinds of relationships between any two elements that say no more than that one has to do with the other.
_PLAIN: Final = {
    "contains": DCT.hasPart,
    "hasDistributionArtifact": DCAT.distribution,
    **dict.fromkeys(("dependsOn", "hasDynamicLink", "hasStaticLink", "hasDependencyManifest"), DCT.requires),
    **dict.fromkeys(("describes", "hasDocumentation", "hasMetadata", "hasDataFile", "usesTool"), DCT.relation),
}
#: Relationship → role of the data, and whether the model learned from them.
_ROLES: Final = {
    "trainedOn": (AI.TrainingData, True),
    "finetunedOn": (AI.TrainingData, True),
    "validatedOn": (AI.ValidationData, False),
    "testedOn": (AI.TestingData, False),
}
_LICENSES: Final = ("hasDeclaredLicense", "hasConcludedLicense")
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
    return _is_3(value) or _is_older(value)


def _is_3(value: Object) -> bool:
    return any(text.startswith(_CONTEXT) for text in texts(value.get("@context")))


def _is_older(value: Object) -> bool:
    version = value.get("spdxVersion")
    return isinstance(version, str) and version.startswith("SPDX-")


def map_document(value: Object, *, base: str) -> Mapped:
    """The record of one document; relationships that have no place here are reported by their kind.

    Unmappable where it is of SPDX 2, which has neither models nor datasets, nor one id for an element everywhere.
    """
    draft = Described(base, value, ADAPTER)
    if _is_older(value):
        raise Unmappable(f"{value['spdxVersion'][:20]!r} is not read: {CONVERT}", pointer="/spdxVersion")
    if not _is_3(value):
        context = value.get("@context")
        draft.refuse(f"'@context' must be that of SPDX 3, {_CONTEXT}0.1/spdx-context.jsonld", context, "/@context")
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
        self._nodes: dict[str, str] = {}  # what the document is about, by identifier
        self._left: dict[str, list[str]] = {}  # kinds of relationships that have no place, and where they stand

    def say(self) -> None:
        """All that the document says."""
        kinds = {
            **dict.fromkeys(_MODELS, self._model),
            **dict.fromkeys(_DATASETS, self._dataset),
            **dict.fromkeys(_PACKAGES, self._package),
            "build_Build": self._build,
        }
        for identifier, (pointer, each) in self._elements.items():
            if told := kinds.get(_kind(each)):
                self._nodes[identifier] = told(identifier, each, pointer)
        for pointer, each in self._elements.values():
            if _kind(each) in ("Relationship", "LifecycleScopedRelationship"):
                self._related(each, pointer)
        for kind, pointers in self._left.items():
            more = f" and {len(pointers) - 1} more" if len(pointers) > 1 else ""
            self._draft.note(f"{pointers[0]}/relationshipType", f"not mapped: {kind} here{more}")
        self._head(list(self._nodes.values()))

    def _head(self, about: list[str]) -> None:
        """When and by whom the document was made: what the creation info of the document says, else the first."""
        draft = self._draft
        of_document = [e.get("creationInfo") for _, e in self._elements.values() if _kind(e) == "SpdxDocument"]
        infos = [(p, e) for p, e in self._elements.values() if _kind(e) == "CreationInfo"]
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
        kind = _AGENTS.get(_kind(each), "")
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
        draft, model = self._draft, self._version_of_model(identifier, each, pointer)
        self._models[identifier], node = model, model.node
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
        if address := iri_of(draft.words(each, "software_downloadLocation", pointer) or ""):
            draft.say(node, DCAT.downloadURL, address)
        self._energy(node, draft.object(each, "ai_energyConsumption", pointer), f"{pointer}/ai_energyConsumption")
        return node

    def _energy(self, node: str, said: Object, at: str) -> None:
        for phase in ("training", "finetuning", "inference"):
            for pointer, each in self._draft.objects(said, f"ai_{phase}EnergyConsumption", at):
                amount = self._draft.words(each, "ai_energyQuantity", pointer)
                unit = self._draft.words(each, "ai_energyUnit", pointer)
                if amount and unit:
                    self._draft.property(node, f"energy consumption of {phase}", f"{amount} {unit}")

    def _version_of_model(self, identifier: str, each: Object, pointer: str) -> Model:
        draft = self._draft
        name = draft.words(each, "name", pointer) or identifier
        space = identifier.rpartition("/")[0] or "spdx"
        asset = f"<{draft.base}/model/{iris.enc(space)}/{iris.enc(name)}>"
        node = self._nodes.get(identifier) or iri_of(identifier) or f"{asset[:-1]}/version/{iris.enc(identifier)}>"
        draft.say(asset, PS.namespace, rdf.literal(space))
        draft.say(asset, PS.name, rdf.literal(name))
        return Model(draft, asset, node, self._hashes(each, pointer))

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

    def _related(self, each: Object, pointer: str) -> None:
        kind, source = each.get("relationshipType"), each.get("from")
        for target in texts(each.get("to")):
            if not (isinstance(source, str) and isinstance(kind, str) and self._said(kind, source, target)):
                self._left.setdefault(str(kind)[:60], []).append(pointer)

    def _said(self, kind: str, source: str, target: str) -> bool:
        """Say what a relationship does; whether it has a place."""
        if kind in _ROLES and (model := self._as_model(source)) and self._learned(model, target, *_ROLES[kind]):
            return True
        if kind in ("ancestorOf", "descendantOf") and source in self._models and target in self._models:
            old, new = (source, target) if kind == "ancestorOf" else (target, source)
            self._draft.say(self._models[new].node, PROV.wasDerivedFrom, self._models[old].node)
            return True
        return self._of_build(kind, source, target) or self._between(kind, source, target)

    def _as_model(self, identifier: str) -> Model | None:
        """An AI package; or a package or file of which it is said what it was trained or tested on."""
        if identifier not in self._models and identifier in self._nodes and identifier not in self._data:
            pointer, each = self._elements[identifier]
            if _kind(each) in _PACKAGES:
                self._models[identifier] = self._version_of_model(identifier, each, pointer)
        return self._models.get(identifier)

    def _learned(self, model: Model, target: str, role: str, training: bool) -> bool:
        """A dataset that a model was trained or tested on; or a file, which is one state of it and no more."""
        draft, (pointer, each) = self._draft, self._elements.get(target, ("", {}))
        if target in self._data:
            on = model.learned_from if training else model.tested_on
            state = on(self._data[target], role, self._hashes(each, pointer))
            if version := self._version(target):
                draft.say(state, PROV.specializationOf, version)
        elif (node := self._node(target)) and node != model.node:
            draft.use(model.training if training else model.evaluation, node, role)
            if training:
                draft.derive(model.node, [node])
        else:
            return False
        return True

    def _node(self, identifier: str) -> str | None:
        """What an element is called here; one of another document by its own identifier."""
        if identifier in self._elements:
            return self._nodes.get(identifier)
        if node := iri_of(identifier):
            self._draft.type(node, PROV.Entity)
        return node

    def _between(self, kind: str, source: str, target: str) -> bool:
        """What relates any two elements; a licence is an element, or an address of SPDX's list."""
        draft, one = self._draft, self._node(source)
        if one and kind in _LICENSES:
            pointer, held = self._elements.get(target, ("", {}))
            said = draft.words(held, "simplelicensing_licenseExpression", pointer) or target
            if "noassertion" not in said.lower():
                draft.license(one, said)
        elif one and kind in _PLAIN and (other := self._node(target)):
            draft.say(one, _PLAIN[kind], other)
        elif one and kind == "generates" and (other := self._node(target)):
            draft.derive(
                other, [one], possibly=True
            )  # as a script does, or a source: nobody says what of it is in there
        else:
            return kind == "describes" and target in self._nodes  # which the record is about anyway
        return True

    def _of_build(self, kind: str, source: str, target: str) -> bool:
        """What a build read (`hasInput`) and made (`hasOutput`)."""
        draft, (_, build) = self._draft, self._elements.get(source, ("", {}))
        if _kind(build) != "build_Build" or kind not in ("hasInput", "hasOutput") or target not in self._elements:
            return False
        identifier, run = draft.run(bom.run_id("build", source))
        pointer, each = self._elements[target]
        if target in self._data:
            side = draft.read if kind == "hasInput" else draft.write
            side(run, identifier, self._data[target], self._hashes(each, pointer))
            return True
        node = self._node(target) or iri_of(target)
        if not node:
            return False
        if kind == "hasInput":
            draft.use(run, node)
        else:
            draft.say(node, PROV.wasGeneratedBy, run)
        return True


def _kind(element: Object) -> str:
    """What an element is; also as plain JSON-LD has it."""
    kind = element.get("type") or element.get("@type")
    return kind if isinstance(kind, str) else ""
