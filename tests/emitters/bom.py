"""Supply-chain documents about one model, made by the libraries of their own communities; printed as one JSON object.

SLSA provenance in an in-toto statement (in-toto-attestation), signed in a DSSE envelope (securesystemslib), a CycloneDX
ML-BOM (cyclonedx-python-lib, held against its strict schema) and an SPDX 3 document with the AI and Dataset profiles
(spdx-python-model). Nothing in them depends on when or where this runs.
"""

from __future__ import annotations

import base64
import datetime
import hashlib
import io
import json
import uuid
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.contact import OrganizationalEntity
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from google.protobuf import json_format
from in_toto_attestation.predicates.provenance.v1 import provenance_pb2
from in_toto_attestation.v1.resource_descriptor import ResourceDescriptor
from in_toto_attestation.v1.statement import Statement
from packageurl import PackageURL
from securesystemslib.dsse import Envelope
from securesystemslib.signer import CryptoSigner
from spdx_python_model import v3_0_1 as spdx

Json = Any

STARTED, FINISHED = "2026-03-10T12:00:00Z", "2026-03-10T12:30:00Z"
COMMIT = "60718293a4b5c6d7e8f90a1b1f0e4c5b2a7d9e8f"
MODEL, TRAIN, HOLDOUT = (hashlib.sha256(name).hexdigest() for name in (b"model", b"train", b"holdout"))


def statement() -> Json:
    predicate = provenance_pb2.Provenance()
    build = predicate.build_definition
    build.build_type = "https://ml.example/train/v1"
    build.external_parameters.update({"rate": 0.05, "model": {"depth": 6}})
    build.internal_parameters.update({"runner": "gpu-2"})
    code = ResourceDescriptor(uri="git+https://git.example/credit.git@refs/heads/main", digest={"gitCommit": COMMIT})
    data = ResourceDescriptor(uri="s3://bank/train.parquet", digest={"sha256": TRAIN}, name="train")
    build.resolved_dependencies.extend([code.pb, data.pb])
    details = predicate.run_details
    details.builder.id = "https://ci.example/trainer@v3"
    details.metadata.invocation_id = "https://ci.example/runs/812"
    details.metadata.started_on.FromJsonString(STARTED)
    details.metadata.finished_on.FromJsonString(FINISHED)
    details.byproducts.extend([ResourceDescriptor(name="train.log", digest={"sha256": "ab" * 32}).pb])
    subject = ResourceDescriptor(name="credit/model.onnx", uri="s3://bank/models/credit.onnx", digest={"sha256": MODEL})
    made = Statement([subject.pb], "https://slsa.dev/provenance/v1", json_format.MessageToDict(predicate))
    made.validate()
    return json_format.MessageToDict(made.pb)


def envelope(said: Json) -> Json:
    key = Ed25519PrivateKey.from_private_bytes(b"a key for tests, told everybody.")
    sealed = Envelope(json.dumps(said, sort_keys=True).encode(), "application/vnd.in-toto+json", {})
    signer = CryptoSigner(key)
    sealed.sign(signer)
    sealed.verify([signer.public_key], 1)
    return sealed.to_dict()


def _hashes(digest: str) -> list[Any]:
    return [HashType(alg=HashAlgorithm.SHA_256, content=digest)]


def cyclonedx() -> Json:
    train, holdout = (
        Component(type=ComponentType.DATA, name=name, version="2026-03", bom_ref=name, hashes=_hashes(digest))
        for name, digest in (("train.parquet", TRAIN), ("holdout.parquet", HOLDOUT))
    )
    library = Component(
        type=ComponentType.LIBRARY,
        name="scikit-learn",
        version="1.7.2",
        bom_ref="scikit-learn",
        purl=PackageURL("pypi", None, "scikit-learn", "1.7.2"),
    )
    model = Component(
        type=ComponentType.MACHINE_LEARNING_MODEL,
        name="credit",
        version="3",
        bom_ref="credit",
        hashes=_hashes(MODEL),
        description="who pays back",
        supplier=OrganizationalEntity(name="Example Bank"),
    )
    bom = Bom(
        components=[train, holdout, library, model],
        serial_number=uuid.UUID("3e671687-395b-41f5-a30f-a58921a69b79"),
    )
    bom.metadata.timestamp = datetime.datetime.fromisoformat(FINISHED)
    bom.register_dependency(model, [library])
    said = json.loads(JsonV1Dot6(bom).output_as_string())
    said["components"] = [_carded(each) for each in said["components"]]
    said["formulation"] = [{"bom-ref": "formula", "workflows": [_workflow()]}]
    assert not JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(said))
    return said


def _carded(component: Json) -> Json:
    """The component with what the library has no classes for."""
    if component["name"] == "train.parquet":
        owner = {"organization": {"name": "Risk"}}
        told = {"type": "dataset", "name": "train", "governance": {"owners": [owner]}, "description": "one row a loan"}
        return {**component, "data": [told]}
    if component["name"] != "credit":
        return component
    card = {
        "modelParameters": {
            "approach": {"type": "supervised"},
            "task": "classification",
            "architectureFamily": "gradient boosting",
            "datasets": [{"ref": "train.parquet"}],
            "inputs": [{"format": "parquet"}],
        },
        "quantitativeAnalysis": {
            "performanceMetrics": [
                {"type": "auc", "value": "0.91"},
                {"type": "approval rate", "value": "0.60", "slice": "under 25"},
            ]
        },
        "considerations": {
            "technicalLimitations": ["few customers under 25"],
            "useCases": ["consumer loans"],
            "fairnessAssessments": [{"groupAtRisk": "under 25", "mitigationStrategy": "reviewed by hand"}],
        },
    }
    base = {"type": "machine-learning-model", "name": "credit", "version": "2", "bom-ref": "credit-2"}
    return {**component, "modelCard": card, "pedigree": {"ancestors": [base]}}


def _workflow() -> Json:
    return {
        "bom-ref": "workflow",
        "uid": "5d4c3b2a-0000-4000-8000-000000000812",
        "name": "train credit",
        "taskTypes": ["build"],
        "inputs": [{"resource": {"ref": "train.parquet"}}],
        "outputs": [{"type": "artifact", "resource": {"ref": "credit"}}],
        "timeStart": STARTED,
        "timeEnd": FINISHED,
    }


def spdx_document() -> Json:
    at = "https://bank.example/spdx/"
    when = datetime.datetime.fromisoformat(FINISHED)
    person = spdx.Person(_id=f"{at}ana", name="Ana")
    info = spdx.CreationInfo(_id="_:info", specVersion="3.0.1", created=when)
    info.createdBy = [person]
    person.creationInfo = info

    def hashed(digest: str) -> list[Any]:
        return [spdx.Hash(algorithm=spdx.HashAlgorithm.sha256, hashValue=digest)]

    def data(name: str, digest: str) -> Any:
        made = spdx.dataset_DatasetPackage(_id=f"{at}{name}", name=name, creationInfo=info)
        made.verifiedUsing = hashed(digest)
        made.dataset_datasetType = [spdx.dataset_DatasetType.structured]
        made.software_downloadLocation = f"https://data.example/{name}.parquet"
        made.software_packageVersion = "2026-03"
        return made

    train, holdout = data("train", TRAIN), data("holdout", HOLDOUT)
    train.dataset_knownBias = ["few customers under 25"]
    train.dataset_dataCollectionProcess = "core banking export"
    train.dataset_hasSensitivePersonalInformation = spdx.PresenceType.yes
    model = spdx.ai_AIPackage(_id=f"{at}credit", name="credit", creationInfo=info)
    model.verifiedUsing = hashed(MODEL)
    model.software_packageVersion = "3"
    model.releaseTime = when
    model.ai_typeOfModel = ["gradient boosting"]
    model.ai_informationAboutTraining = "nightly"
    model.ai_limitation = "not for small businesses"
    model.ai_safetyRiskAssessment = spdx.ai_SafetyRiskAssessmentType.high
    model.ai_hyperparameter = [spdx.DictionaryEntry(key="rate", value="0.05")]
    model.ai_metric = [spdx.DictionaryEntry(key="auc", value="0.91")]
    model.ai_metricDecisionThreshold = [spdx.DictionaryEntry(key="auc", value="0.85")]
    base = spdx.ai_AIPackage(_id=f"{at}credit-2", name="credit", creationInfo=info)
    base.software_packageVersion = "2"
    links = [
        spdx.Relationship(_id=f"{at}r{number}", from_=source, relationshipType=kind, to=[target], creationInfo=info)
        for number, (source, kind, target) in enumerate(
            [
                (model, spdx.RelationshipType.trainedOn, train),
                (model, spdx.RelationshipType.testedOn, holdout),
                (base, spdx.RelationshipType.ancestorOf, model),
            ]
        )
    ]
    document = spdx.SpdxDocument(_id=f"{at}document", name="credit", creationInfo=info)
    document.rootElement = [model]
    document.profileConformance = [spdx.ProfileIdentifierType.core, spdx.ProfileIdentifierType.ai]
    held = spdx.SHACLObjectSet([document, person, train, holdout, model, base, *links])
    out = io.BytesIO()
    spdx.JSONLDSerializer().write(held, out)
    return json.loads(out.getvalue())


def main() -> None:
    said = statement()
    made = {"statement": said, "envelope": envelope(said), "cyclonedx": cyclonedx(), "spdx": spdx_document()}
    assert json.loads(base64.b64decode(made["envelope"]["payload"])) == said
    print(json.dumps(made, indent=1, sort_keys=True))


if __name__ == "__main__":
    main()
