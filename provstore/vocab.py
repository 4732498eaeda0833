"""The vocabularies as N-Quads terms, `<…>` included, ready to be written into a line.

`PS` is ours and equal to `ontology/provstore.ttl` (tested); of the others only the terms in use are listed.
"""

from __future__ import annotations


class Namespace:
    """Terms of one vocabulary: `PS.Record` and `PS["Record"]` are `<https://w3id.org/provstore/ns#Record>`."""

    def __init__(self, iri: str, names: str) -> None:
        self.iri = iri
        self.names = frozenset(names.split())
        self.__dict__.update({name: f"<{iri}{name}>" for name in self.names})

    def __getattr__(self, name: str) -> str:
        raise AttributeError(f"no term {name!r} in {self.iri}")

    def __getitem__(self, name: str) -> str:
        if name not in self.names:
            raise KeyError(f"no term {name!r} in {self.iri}")
        return f"<{self.iri}{name}>"


RDF_TYPE = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>"
RDF_VALUE = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#value>"

PS = Namespace(
    "https://w3id.org/provstore/ns#",
    # classes
    "Record Content FacetAssertion Dataset Model Version ReadState WriteState Run TrainingRun Inference Evaluation"
    " Normalisation Calibration Correction Approval Window Job JobVersion JobDeclaration ModelVersion Prediction"
    " Decision RecordItem AliasAssignment Slice DataSubject Source UnresolvedRead CodeVersion Environment Measurand"
    " CalibrationCertificate EventType WriteMode Basis Bytes RegistryVersion Batch"
    # kinds of event, modes of writing, bases of a conclusion, roles
    " START RUNNING COMPLETE FAIL ABORT OTHER Create Append Merge Alter Overwrite Truncate"
    " ContentMatch VersionMatch LatestBefore ExplicitLineage ColumnLineage SingleInput DeclaredRole Rename KeptByWrite"
    " Overlap Tie UnknownWriteMode measuringDevice technician trainingData validationData model inputItem code"
    # records, facets, contents
    " eventType about bundle supersedes supersededBy ledgerIndex recordedAt actor appliedIndex on key content json"
    " deleted propertyPath"
    # runs and jobs
    " state job jobVersion rootRun declaredInput declaredOutput declares currentDeclaration intendedOutput dropped"
    " nominalStart nominalEnd message programmingLanguage stackTrace processingType integration jobType"
    # datasets, states, columns
    " namespace name version writeMode partial renamedFrom declaredSource feeds symlink previousState"
    " possiblyDerivedFrom basis evidence knownFrom field type columnEdge datasetEdge lineageEdge targetDataset"
    " targetColumn sourceDataset sourceColumn transformation transformationType masking untracked lifecycle rowCount"
    " byteSize fileCount bytes sha256 md5 weakDigest collectionMethod"
    # code and owners
    " dirty diffSha256 selfAsserted onDataset commitment redacted capturedFrom stateDigest"
    " claimedSource earliest latest step valueCount lowest highest"
    " inCommit notInCommit previousVersion"
    " sql dialect repository codeUrl path branch tag commit codeVersion owner ownerType"
    # models, items, people
    " parameter value alias assigns onSlice Disparity between factor pseudonym serialNumber subject concerns reason"
    " formula locator"
    # policies
    " Clause TextStatus BiometricIdentification Match Log Signature ReportedFigure ManualStep Reconciliation"
    " ModelValidation OfficialText Reproduction Unread referenceDatabase textStatus checkedAgainst checkedOn"
    " notCheckable retainUntil placedOnMarket assumption limitation meaning materiality nextReview"
    # what facets say
    " Partition NullCount DistinctCount Sum Count Minimum Maximum Quantile RowCount ByteSize FileCount refersTo"
    " engine environmentVariable upstream downstream jobEdge sourceJob sourceRun targetJob targetRun partition"
    " pointer omitted column quantile severity expected actual tagSource adapterVersion externalSystem"
    " ProfileUse profile mode"
    " totalTasks failedTasks task triggerRule dependencyType sequenceRule statusRule eventTrigger"
    " eventContentMode windowDuration pullRequest storageLayer framework warehouse datasetType filter operation"
    # what rules say
    " add remove",
)
PROV = Namespace(
    "http://www.w3.org/ns/prov#",
    "Activity Agent Association Attribution Bundle Collection Communication Derivation End Entity EntityInfluence"
    " Generation Invalidation Organization Person Plan SoftwareAgent Start Usage actedOnBehalfOf activity agent atTime"
    " contributed ended endedAtTime entity generalizationOf generated generatedAtTime hadActivity hadDelegate"
    " hadDerivation hadMember hadPlan hadPrimarySource hadRevision hadRole influenced influencer informed"
    " invalidated invalidatedAtTime qualifiedAssociation qualifiedAttribution qualifiedCommunication"
    " qualifiedDelegation qualifiedDerivation qualifiedEnd qualifiedGeneration qualifiedInfluence"
    " qualifiedInvalidation qualifiedPrimarySource qualifiedQuotation qualifiedRevision qualifiedStart"
    " qualifiedUsage quotedAs specializationOf started startedAtTime used value wasAssociateFor wasAssociatedWith"
    " wasAttributedTo wasDerivedFrom wasEndedBy wasGeneratedBy wasInfluencedBy wasInformedBy wasInvalidatedBy"
    " wasMemberOf wasPrimarySourceOf wasQuotedFrom wasRevisionOf wasStartedBy wasUsedBy",
)
DCT = Namespace(
    "http://purl.org/dc/terms/",
    "Standard bibliographicCitation conformsTo created creator description extent hasPart identifier isPartOf"
    " isVersionOf issued language license modified publisher relation requires rights source spatial temporal title"
    " type format valid replaces",
)
DCAT = Namespace(
    "http://www.w3.org/ns/dcat#",
    "Catalog DataService Distribution distribution downloadURL endpointURL keyword landingPage mediaType startDate"
    " version",
)
DQV = Namespace("http://www.w3.org/ns/dqv#", "Metric QualityMeasurement computedOn isMeasurementOf value")
MLS = Namespace("http://www.w3.org/ns/mls#", "HyperParameterSetting")
EARL = Namespace(
    "http://www.w3.org/ns/earl#",
    "Assertion TestCase TestResult cantTell failed outcome passed result subject test untested",
)
OWL = Namespace("http://www.w3.org/2002/07/owl#", "versionInfo")
PROF = Namespace(
    "http://www.w3.org/ns/dx/prof/",
    "Profile ResourceDescriptor hasArtifact hasResource hasRole hasToken isProfileOf isTransitiveProfileOf",
)
CSVW = Namespace("http://www.w3.org/ns/csvw#", "Schema")
PPLAN = Namespace("http://purl.org/net/p-plan#", "isPrecededBy")
SCHEMA = Namespace(
    "https://schema.org/",
    "PropertyValue SoftwareSourceCode additionalProperty additionalType encodingFormat identifier name position"
    " programmingLanguage propertyID softwareVersion text usageInfo value",
)
QUDT = Namespace("http://qudt.org/schema/qudt/", "numericValue ucumCode unit")
RDFS = Namespace("http://www.w3.org/2000/01/rdf-schema#", "label")
SOSA = Namespace("http://www.w3.org/ns/sosa/", "Observation Result Sample Sensor usedProcedure")
AI = Namespace("https://w3id.org/dpv/ai#", "TestingData TrainingData ValidationData")
DPV = Namespace(
    "https://w3id.org/dpv#",
    "Anonymisation Consent ConsentRecord DataRedaction DifferentialPrivacy Encryption HomomorphicEncryption"
    " PersonalData Pseudonymisation Purpose SecureMultiPartyComputation SensitivePersonalData SyntheticData"
    " hasLegalBasis hasPersonalData hasPurpose",
)
CR = Namespace("http://mlcommons.org/croissant/", "isLiveDataset")
RAI = Namespace(
    "http://mlcommons.org/croissant/RAI/",
    "annotationsPerItem annotatorDemographics dataAnnotationAnalysis dataAnnotationPlatform dataAnnotationProtocol"
    " dataBiases dataCollection dataCollectionMissingData dataCollectionRawData dataCollectionTimeframe"
    " dataCollectionType dataImputationProtocol dataLimitations dataManipulationProtocol dataPreprocessingProtocol"
    " dataReleaseMaintenancePlan dataSocialImpact dataUseCases machineAnnotationTools personalSensitiveInformation",
)
