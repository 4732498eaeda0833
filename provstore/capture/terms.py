"""The vocabulary as N-Quads terms, ready to be written into a line."""

from __future__ import annotations

from typing import Final

_PROV: Final = "http://www.w3.org/ns/prov#"
_PS: Final = "https://w3id.org/provstore/ns#"
_DCT: Final = "http://purl.org/dc/terms/"

A: Final = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>"
RDF_JSON: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns#JSON"  # a datatype, for rdf.literal

PROV_ACTIVITY: Final = f"<{_PROV}Activity>"
PROV_AGENT: Final = f"<{_PROV}Agent>"
PROV_BUNDLE: Final = f"<{_PROV}Bundle>"
PROV_ENTITY: Final = f"<{_PROV}Entity>"
PROV_ORGANIZATION: Final = f"<{_PROV}Organization>"
PROV_PERSON: Final = f"<{_PROV}Person>"
PROV_PLAN: Final = f"<{_PROV}Plan>"
PROV_SOFTWARE_AGENT: Final = f"<{_PROV}SoftwareAgent>"
PROV_HAS_AGENT: Final = f"<{_PROV}agent>"
PROV_GENERATED_AT: Final = f"<{_PROV}generatedAtTime>"
PROV_SPECIALIZATION_OF: Final = f"<{_PROV}specializationOf>"
PROV_USED: Final = f"<{_PROV}used>"
PROV_WAS_ATTRIBUTED_TO: Final = f"<{_PROV}wasAttributedTo>"
PROV_WAS_GENERATED_BY: Final = f"<{_PROV}wasGeneratedBy>"

DCT_DESCRIPTION: Final = f"<{_DCT}description>"
DCT_IDENTIFIER: Final = f"<{_DCT}identifier>"
DCT_IS_PART_OF: Final = f"<{_DCT}isPartOf>"

# classes
CODE_VERSION: Final = f"<{_PS}CodeVersion>"
CONTENT: Final = f"<{_PS}Content>"
DATASET: Final = f"<{_PS}Dataset>"
FACET_ASSERTION: Final = f"<{_PS}FacetAssertion>"
JOB: Final = f"<{_PS}Job>"
JOB_DECLARATION: Final = f"<{_PS}JobDeclaration>"
READ_STATE: Final = f"<{_PS}ReadState>"
RECORD: Final = f"<{_PS}Record>"
RUN: Final = f"<{_PS}Run>"
VERSION: Final = f"<{_PS}Version>"
WINDOW: Final = f"<{_PS}Window>"
WRITE_STATE: Final = f"<{_PS}WriteState>"

#: eventType as sent → the individual that `ps:eventType` points to.
EVENT_TYPES: Final = {name: f"<{_PS}{name}>" for name in ("START", "RUNNING", "COMPLETE", "FAIL", "ABORT", "OTHER")}
#: lifecycleStateChange as sent → the individual that `ps:writeMode` points to.
WRITE_MODES: Final = {name.upper(): f"<{_PS}{name}>" for name in ("Create", "Overwrite", "Alter", "Truncate")}

# of a record
ABOUT: Final = f"<{_PS}about>"
DECLARES: Final = f"<{_PS}declares>"
EVENT_TYPE: Final = f"<{_PS}eventType>"

# of runs, jobs, datasets, states
DECLARED_INPUT: Final = f"<{_PS}declaredInput>"
DECLARED_OUTPUT: Final = f"<{_PS}declaredOutput>"
DECLARED_SOURCE: Final = f"<{_PS}declaredSource>"
DROPPED: Final = f"<{_PS}dropped>"
INTENDED_OUTPUT: Final = f"<{_PS}intendedOutput>"
HAS_JOB: Final = f"<{_PS}job>"
NAME: Final = f"<{_PS}name>"
NAMESPACE: Final = f"<{_PS}namespace>"
RENAMED_FROM: Final = f"<{_PS}renamedFrom>"
ROOT_RUN: Final = f"<{_PS}rootRun>"
SYMLINK: Final = f"<{_PS}symlink>"
HAS_VERSION: Final = f"<{_PS}version>"
WRITE_MODE: Final = f"<{_PS}writeMode>"

# of a facet assertion and its content
DELETED: Final = f"<{_PS}deleted>"
HAS_CONTENT: Final = f"<{_PS}content>"
JSON: Final = f"<{_PS}json>"
KEY: Final = f"<{_PS}key>"
ON: Final = f"<{_PS}on>"

# what contents promote
BRANCH: Final = f"<{_PS}branch>"
BYTE_SIZE: Final = f"<{_PS}byteSize>"
CODE_URL: Final = f"<{_PS}codeUrl>"
COLUMN_EDGE: Final = f"<{_PS}columnEdge>"
COMMIT: Final = f"<{_PS}commit>"
DATASET_EDGE: Final = f"<{_PS}datasetEdge>"
DIALECT: Final = f"<{_PS}dialect>"
FIELD: Final = f"<{_PS}field>"
FILE_COUNT: Final = f"<{_PS}fileCount>"
HAS_CODE_VERSION: Final = f"<{_PS}codeVersion>"
INTEGRATION: Final = f"<{_PS}integration>"
JOB_TYPE: Final = f"<{_PS}jobType>"
LIFECYCLE: Final = f"<{_PS}lifecycle>"
LINEAGE_EDGE: Final = f"<{_PS}lineageEdge>"
MASKING: Final = f"<{_PS}masking>"
MESSAGE: Final = f"<{_PS}message>"
NOMINAL_END: Final = f"<{_PS}nominalEnd>"
NOMINAL_START: Final = f"<{_PS}nominalStart>"
OWNER: Final = f"<{_PS}owner>"
OWNER_TYPE: Final = f"<{_PS}ownerType>"
PATH: Final = f"<{_PS}path>"
PROCESSING_TYPE: Final = f"<{_PS}processingType>"
PROGRAMMING_LANGUAGE: Final = f"<{_PS}programmingLanguage>"
REPOSITORY: Final = f"<{_PS}repository>"
ROW_COUNT: Final = f"<{_PS}rowCount>"
SOURCE_COLUMN: Final = f"<{_PS}sourceColumn>"
SOURCE_DATASET: Final = f"<{_PS}sourceDataset>"
SQL: Final = f"<{_PS}sql>"
STACK_TRACE: Final = f"<{_PS}stackTrace>"
TAG: Final = f"<{_PS}tag>"
TARGET_COLUMN: Final = f"<{_PS}targetColumn>"
TARGET_DATASET: Final = f"<{_PS}targetDataset>"
TRANSFORMATION: Final = f"<{_PS}transformation>"
TRANSFORMATION_TYPE: Final = f"<{_PS}transformationType>"
TYPE: Final = f"<{_PS}type>"
UNTRACKED: Final = f"<{_PS}untracked>"
