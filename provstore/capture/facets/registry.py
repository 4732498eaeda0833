"""Every facet that is understood: its key, the function that maps it, the terms that its properties become.

`spec` is the version of the published schema, or are those where several kinds of thing have the facet. `says` names,
for each property (a JSON pointer, `*` for any index or key), the terms that carry it in the content; `record` those
that only the record can state, since they tell whose the facet is. Tests hold the table to the schemas and the code.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from provstore.capture.facets import code, columns, gcp, lineage, people, places, quality, runs, volumes
from provstore.capture.facets.graph import Graph, Object


@dataclass(frozen=True, slots=True)
class Facet:
    """One facet of the registry."""

    mapper: Callable[[Graph, Object], None]
    spec: str
    says: dict[str, str]
    record: dict[str, str] = field(default_factory=dict)


#: What every facet says of itself.
BASE: Final = {"/_producer": "prov:wasAttributedTo", "/_schemaURL": "dct:conformsTo"}
#: `_deleted` takes the facet out of force; the record's assertion says so.
BASE_RECORD: Final = {"/_deleted": "ps:deleted"}


def _under(prefix: str, table: dict[str, str]) -> dict[str, str]:
    return {f"{prefix}{pointer}": terms for pointer, terms in table.items()}


_TRANSFORMATIONS = {
    "/transformations/*/type": "ps:transformationType",
    "/transformations/*/subtype": "ps:transformation",
    "/transformations/*/description": "dct:description",
    "/transformations/*/masking": "ps:masking",
}
_COLUMN_SOURCE = {
    "/namespace": "ps:sourceDataset",
    "/name": "ps:sourceDataset",
    "/field": "ps:sourceColumn",
    **_TRANSFORMATIONS,
}
_LINEAGE_SOURCE = {
    **_COLUMN_SOURCE,
    "/type": "ps:lineageEdge ps:jobEdge",
    "/runId": "ps:sourceRun",
}
_TESTED = {
    "/severity": "ps:severity",
    "/description": "dct:description",
    "/expected": "ps:expected",
    "/actual": "ps:actual",
    "/content": "schema:text",
    "/contentType": "schema:encodingFormat",
    "/params": "schema:additionalProperty",
}
_STATISTICS = {"/rowCount": "ps:rowCount", "/size": "ps:byteSize", "/fileCount": "ps:fileCount"}
_TAGGED = {
    "/tags/*/key": "schema:propertyID dcat:keyword",
    "/tags/*/value": "schema:value dcat:keyword",
    "/tags/*/source": "ps:tagSource",
    "/tags/*/field": "ps:column",
}
_DEPENDENCY = {
    "/dependency_type": "ps:dependencyType",
    "/sequence_trigger_rule": "ps:sequenceRule",
    "/status_trigger_rule": "ps:statusRule",
}
_CONDITION = {
    "/type": "ps:filter ps:partition dcat:downloadURL",
    "/left": "ps:filter",
    "/left/type": "ps:filter",
    "/left/field": "ps:column ps:filter",
    "/left/value": "ps:filter",
    "/right": "ps:filter",
    "/right/type": "ps:filter",
    "/right/field": "ps:column ps:filter",
    "/right/value": "ps:filter",
    "/operator": "ps:filter",
    "/comparison": "ps:filter",
    "/locations": "dcat:downloadURL ps:filter",
    "/partitions/*/identifier": "dct:identifier",
    "/partitions/*/dimensions": "schema:additionalProperty ps:filter",
}
_ANCESTOR = {
    "/job/namespace": "ps:job",
    "/job/name": "ps:job",
    "/run/facets/*/_producer": "prov:wasAttributedTo",
    "/run/facets/*/_schemaURL": "dct:conformsTo",
    "/job/facets/*/_producer": "prov:wasAttributedTo",
    "/job/facets/*/_schemaURL": "dct:conformsTo",
    "/job/facets/*/_deleted": "ps:deleted",
}
_SCAN = (
    "totalPlanningDuration resultDataFiles resultDeleteFiles totalDataManifests totalDeleteManifests"
    " scannedDataManifests skippedDataManifests totalFileSizeInBytes totalDeleteFileSizeInBytes skippedDataFiles"
    " skippedDeleteFiles scannedDeleteManifests skippedDeleteManifests indexedDeleteFiles equalityDeleteFiles"
    " positionalDeleteFiles"
)
_COMMIT = (
    "totalDuration attempts addedDataFiles removedDataFiles totalDataFiles addedDeleteFiles addedEqualityDeleteFiles"
    " addedPositionalDeleteFiles addedDVs removedDeleteFiles removedEqualityDeleteFiles removedPositionalDeleteFiles"
    " removedDVs totalDeleteFiles addedRecords removedRecords totalRecords addedFilesSizeInBytes"
    " removedFilesSizeInBytes totalFilesSizeInBytes addedPositionalDeletes removedPositionalDeletes"
    " totalPositionalDeletes addedEqualityDeletes removedEqualityDeletes totalEqualityDeletes"
)


def _each(prefix: str, names: str, terms: str) -> dict[str, str]:
    return {f"{prefix}/{name}": terms for name in names.split()}


FACETS: Final[dict[str, Facet]] = {
    # --- of runs
    "nominalTime": Facet(
        runs.nominal_time, "1-0-1", {"/nominalStartTime": "ps:nominalStart", "/nominalEndTime": "ps:nominalEnd"}
    ),
    "parent": Facet(
        runs.parent,
        "1-2-0",
        {},
        {
            "/run/runId": "dct:isPartOf",
            "/root/run/runId": "ps:rootRun",
            **_ANCESTOR,
            **_under("/root", _ANCESTOR),
        },
    ),
    "errorMessage": Facet(
        runs.error_message,
        "1-0-1",
        {
            "/message": "ps:message",
            "/programmingLanguage": "ps:programmingLanguage",
            "/stackTrace": "ps:stackTrace",
        },
    ),
    "externalQuery": Facet(
        runs.external_query, "1-0-2", {"/externalQueryId": "dct:identifier", "/source": "ps:externalSystem"}
    ),
    "extractionError": Facet(
        runs.extraction_error,
        "1-1-2",
        {
            "/totalTasks": "ps:totalTasks",
            "/failedTasks": "ps:failedTasks",
            "/errors/*/errorMessage": "ps:message",
            "/errors/*/stackTrace": "ps:stackTrace",
            "/errors/*/task": "ps:task",
            "/errors/*/taskNumber": "schema:position",
        },
    ),
    "processing_engine": Facet(
        runs.processing_engine,
        "1-1-1",
        {
            "/name": "ps:engine schema:name",
            "/version": "ps:engine schema:softwareVersion",
            "/openlineageAdapterVersion": "ps:adapterVersion",
        },
    ),
    "environmentVariables": Facet(
        runs.environment_variables,
        "1-0-0",
        {
            "/environmentVariables/*/name": "schema:propertyID",
            "/environmentVariables/*/value": "schema:value",
        },
    ),
    "executionParameters": Facet(
        runs.execution_parameters,
        "1-0-0",
        {
            "/parameters/*/key": "ps:key",
            "/parameters/*/name": "schema:name",
            "/parameters/*/description": "dct:description",
            "/parameters/*/value": "ps:value",
        },
    ),
    "jobDependencies": Facet(
        runs.job_dependencies,
        "1-0-1",
        {
            **_each("/upstream/*/job", "namespace name", "ps:sourceJob"),
            "/upstream/*/run/runId": "ps:sourceRun",
            **_under("/upstream/*", _DEPENDENCY),
            **_each("/downstream/*/job", "namespace name", "ps:targetJob"),
            "/downstream/*/run/runId": "ps:targetRun",
            **_under("/downstream/*", _DEPENDENCY),
            "/trigger_rule": "ps:triggerRule",
        },
    ),
    "test": Facet(
        quality.tests,
        "1-0-1",
        {
            "/tests/*/name": "dct:title",
            "/tests/*/status": "earl:outcome",
            "/tests/*/type": "schema:additionalType",
            **_under("/tests/*", _TESTED),
        },
    ),
    # --- of jobs
    "jobType": Facet(
        code.job_type,
        "2-0-4",
        {
            "/processingType": "ps:processingType",
            "/integration": "ps:integration",
            "/jobType": "ps:jobType",
            "/emissionPattern/eventTrigger": "ps:eventTrigger",
            "/emissionPattern/eventContentMode": "ps:eventContentMode",
            "/emissionPattern/windowDuration": "ps:windowDuration",
        },
    ),
    "sourceCode": Facet(
        code.source_code, "1-0-1", {"/language": "schema:programmingLanguage", "/sourceCode": "schema:text"}
    ),
    "sourceCodeLocation": Facet(
        code.source_code_location,
        "1-1-0",
        {
            "/type": "schema:additionalType",
            "/url": "ps:codeUrl",
            "/repoUrl": "ps:repository",
            "/path": "ps:path",
            "/version": "ps:commit ps:codeVersion",
            "/tag": "ps:tag",
            "/branch": "ps:branch",
            "/pullRequestNumber": "ps:pullRequest",
        },
    ),
    "sql": Facet(code.sql, "1-1-0", {"/query": "ps:sql", "/dialect": "ps:dialect"}),
    "lineage": Facet(
        lineage.lineage,
        "1-0-0",
        {
            "/entries/*/namespace": "ps:targetDataset ps:targetJob",
            "/entries/*/name": "ps:targetDataset ps:targetJob",
            "/entries/*/type": "ps:targetDataset ps:targetJob",
            "/entries/*/runId": "ps:targetRun",
            **_under("/entries/*/inputs/*", _LINEAGE_SOURCE),
            **_under("/entries/*/fields/*/inputs/*", _LINEAGE_SOURCE),
            **_under("/inputs/*", _LINEAGE_SOURCE),
            **_under("/fields/*/inputs/*", _LINEAGE_SOURCE),
        },
    ),
    # --- of jobs, runs and datasets
    "documentation": Facet(
        people.documentation, "1-1-0", {"/description": "dct:description", "/contentType": "schema:encodingFormat"}
    ),
    "ownership": Facet(people.ownership, "1-0-1", {"/owners/*/name": "prov:agent", "/owners/*/type": "ps:ownerType"}),
    "tags": Facet(people.tags, "1-0-0", _TAGGED),
    # --- of datasets
    "schema": Facet(
        columns.schema,
        "1-2-0",
        {
            "/fields/*/name": "ps:name",
            "/fields/*/type": "ps:type",
            "/fields/*/description": "dct:description",
            "/fields/*/ordinal_position": "schema:position",
            "/fields/*/fields": "ps:field",
        },
    ),
    "columnLineage": Facet(
        columns.column_lineage,
        "1-2-0",
        {
            **_under("/fields/*/inputFields/*", _COLUMN_SOURCE),
            "/fields/*/transformationType": "ps:transformation",
            "/fields/*/transformationDescription": "dct:description",
            **_under("/dataset/*", _COLUMN_SOURCE),
        },
    ),
    "version": Facet(places.version, "1-0-1", {"/datasetVersion": "ps:version"}),
    "lifecycleStateChange": Facet(
        places.lifecycle,
        "1-0-1",
        {
            "/lifecycleStateChange": "ps:lifecycle",
            "/previousIdentifier/namespace": "ps:refersTo",
            "/previousIdentifier/name": "ps:refersTo",
        },
    ),
    "symlinks": Facet(
        places.symlinks,
        "1-0-1",
        {
            "/identifiers/*/namespace": "ps:refersTo",
            "/identifiers/*/name": "ps:refersTo",
            "/identifiers/*/type": "schema:additionalType",
        },
    ),
    "datasetType": Facet(
        places.dataset_type, "1-0-1", {"/datasetType": "ps:datasetType", "/subType": "schema:additionalType"}
    ),
    "dataSource": Facet(places.data_source, "1-0-1", {"/name": "dct:title", "/uri": "dcat:endpointURL"}),
    "catalog": Facet(
        places.catalog,
        "1-1-0",
        {
            "/framework": "ps:framework",
            "/type": "schema:additionalType",
            "/name": "dct:title",
            "/metadataUri": "dcat:endpointURL",
            "/warehouseUri": "ps:warehouse",
            "/source": "ps:externalSystem",
            "/catalogProperties/*": "schema:additionalProperty",
        },
    ),
    "hierarchy": Facet(
        places.hierarchy,
        "1-0-0",
        {"/hierarchy/*/type": "schema:additionalType", "/hierarchy/*/name": "dct:title"},
    ),
    "storage": Facet(
        places.storage, "1-0-1", {"/storageLayer": "ps:storageLayer", "/fileFormat": "schema:encodingFormat"}
    ),
    "dataQualityMetrics": Facet(
        quality.metrics,
        "1-0-0, 1-0-3",
        {
            **_each("", "rowCount bytes fileCount", "dqv:value"),
            "/lastUpdated": "dct:modified",
            **_each("/columnMetrics/*", "nullCount distinctCount sum count min max", "dqv:value"),
            "/columnMetrics/*/quantiles/*": "dqv:value",
        },
    ),
    "dataQualityAssertions": Facet(
        quality.assertions,
        "1-1-0",
        {
            "/assertions/*/assertion": "schema:additionalType",
            "/assertions/*/success": "earl:outcome",
            "/assertions/*/column": "ps:column",
            "/assertions/*/name": "dct:title",
            **_under("/assertions/*", _TESTED),
        },
    ),
    # --- of one read or one write
    "inputStatistics": Facet(volumes.statistics, "1-0-0", _STATISTICS),
    "outputStatistics": Facet(volumes.statistics, "1-0-2", _STATISTICS),
    "subset": Facet(
        volumes.subset, "1-0-0", {**_under("/inputCondition", _CONDITION), **_under("/outputCondition", _CONDITION)}
    ),
    "icebergScanReport": Facet(
        volumes.iceberg_scan,
        "1-0-1",
        {
            "/snapshotId": "dcat:version",
            "/filterDescription": "ps:filter",
            "/schemaId": "schema:identifier",
            "/projectedFieldNames": "ps:column",
            **_each("/scanMetrics", _SCAN, "schema:additionalProperty"),
            "/metadata": "schema:additionalProperty",
        },
    ),
    "icebergCommitReport": Facet(
        volumes.iceberg_commit,
        "1-0-2",
        {
            "/snapshotId": "dcat:version",
            "/sequenceNumber": "schema:identifier",
            "/operation": "ps:operation",
            **_each("/commitMetrics", _COMMIT, "schema:additionalProperty"),
            "/metadata": "schema:additionalProperty",
        },
    ),
    # --- of Google Cloud
    "gcp_composer_run": Facet(gcp.composer_run, "1-0-0", {"/dagRunId": "schema:identifier"}),
    "gcp_composer_job": Facet(
        gcp.composer_job,
        "1-0-0",
        {
            **_each("", "environmentName dagId taskId", "schema:identifier"),
            "/operator": "schema:additionalType",
            **_each("", "airflowVersion composerVersion", "ps:engine schema:softwareVersion"),
        },
    ),
    "gcp_dataproc": Facet(
        gcp.dataproc,
        "1-0-0",
        {
            **_each("", " ".join(gcp.DATAPROC), "schema:identifier"),
            "/appName": "schema:name",
            "/jobType": "ps:jobType",
        },
    ),
    "gcp_lineage": Facet(
        gcp.lineage,
        "1-0-0",
        {"/displayName": "schema:name", "/origin/sourceType": "ps:externalSystem", "/origin/name": "dct:identifier"},
    ),
}

#: Other keys under which producers send the same: names of older versions, or of their own.
ALIASES: Final = {
    "parentRun": "parent",
    "stats": "outputStatistics",
    "dataQuality": "dataQualityMetrics",
    "inputSubset": "subset",
    "outputSubset": "subset",
    "gcp_dataproc_spark": "gcp_dataproc",
}


def find(key: str) -> Facet | None:
    """The facet of a key, or None where the registry does not know it."""
    return FACETS.get(ALIASES.get(key, key))
