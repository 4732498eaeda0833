"""OpenLineage events in the form of the standard, 2-0-2."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

Json = dict[str, Any]

PRODUCER = "https://provstore.example/examples"
_SPEC = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/"
#: Facet, and whose it is where two are called the same → the definition that it keeps to.
_SCHEMAS = {
    "columnLineage": "1-2-0/ColumnLineageDatasetFacet",
    "dataQualityAssertions": "1-1-0/DataQualityAssertionsDatasetFacet",
    "dataQualityMetrics": "1-0-3/DataQualityMetricsInputDatasetFacet",
    "dataSource": "1-0-1/DatasourceDatasetFacet",
    "documentation": "1-1-0/DocumentationDatasetFacet",
    "job documentation": "1-1-0/DocumentationJobFacet",
    "errorMessage": "1-0-1/ErrorMessageRunFacet",
    "jobType": "2-0-4/JobTypeJobFacet",
    "lifecycleStateChange": "1-0-1/LifecycleStateChangeDatasetFacet",
    "nominalTime": "1-0-1/NominalTimeRunFacet",
    "outputStatistics": "1-0-2/OutputStatisticsOutputDatasetFacet",
    "ownership": "1-0-1/OwnershipDatasetFacet",
    "job ownership": "1-0-1/OwnershipJobFacet",
    "parent": "1-2-0/ParentRunFacet",
    "processing_engine": "1-1-1/ProcessingEngineRunFacet",
    "schema": "1-2-0/SchemaDatasetFacet",
    "sourceCodeLocation": "1-1-0/SourceCodeLocationJobFacet",
    "sql": "1-1-0/SQLJobFacet",
    "tags": "1-0-0/TagsDatasetFacet",
    "version": "1-0-1/DatasetVersionDatasetFacet",
}


def facets(**values: Json) -> Json:
    """Facets by name; `job_documentation` is the job's, `documentation` the dataset's."""
    named = {}
    for key, value in values.items():
        kind = key.replace("job_", "job ", 1)
        file = _SCHEMAS[kind]
        name = kind.removeprefix("job ")
        schema = f"https://openlineage.io/spec/facets/{file}.json#/$defs/{file.partition('/')[2]}"
        named[name] = {"_producer": PRODUCER, "_schemaURL": schema, **value}
    return named


@dataclass(frozen=True, slots=True)
class Job:
    """A job as its events describe it; `code` is the part of its runs' ids that tells them from those of other jobs."""

    namespace: str
    name: str
    code: str
    facets: Json = field(default_factory=dict)

    def run(self, day: datetime, number: int = 0) -> str:
        """The id of the run on a day, so that a reader sees which it is."""
        return f"0193b1a0-0000-7000-{self.code}-{number:04d}{day:%Y%m%d}"

    def named(self, **added: Json) -> Json:
        return {"namespace": self.namespace, "name": self.name, "facets": added}


def dataset(name: tuple[str, str], **more: Json) -> Json:
    """A dataset of an event by namespace and name."""
    return {"namespace": name[0], "name": name[1], **more}


def instant(day: datetime, minute: int) -> str:
    return f"{(day.replace(tzinfo=UTC) + timedelta(minutes=minute)):%Y-%m-%dT%H:%M:%SZ}"


def run_event(
    kind: str, when: str, job: Json, run: str, run_facets: Json, inputs: list[Json], outputs: list[Json]
) -> Json:
    return {
        "eventTime": when,
        "eventType": kind,
        "producer": PRODUCER,
        "schemaURL": f"{_SPEC}RunEvent",
        "run": {"runId": run, "facets": run_facets},
        "job": job,
        "inputs": inputs,
        "outputs": outputs,
    }


def dataset_event(when: str, name: tuple[str, str], **values: Json) -> Json:
    return {
        "eventTime": when,
        "producer": PRODUCER,
        "schemaURL": f"{_SPEC}DatasetEvent",
        "dataset": dataset(name, facets=facets(**values)),
    }


def job_event(when: str, job: Job, inputs: Iterable[tuple[str, str]], outputs: Iterable[tuple[str, str]]) -> Json:
    return {
        "eventTime": when,
        "producer": PRODUCER,
        "schemaURL": f"{_SPEC}JobEvent",
        "job": job.named(**job.facets),
        "inputs": [dataset(each) for each in inputs],
        "outputs": [dataset(each) for each in outputs],
    }


def lines(events: Iterable[Json]) -> str:
    """One event a line."""
    return "".join(json.dumps(event, ensure_ascii=False) + "\n" for event in events)
