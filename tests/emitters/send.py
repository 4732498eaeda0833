"""Emits with the OpenLineage client as its environment configures it; run by the tests in that client's environment.

`send.py runs NAME…` says of a run for each name that it started and completed, and prints the run's id;
`send.py declare` sends a JobEvent and a DatasetEvent; `send.py refused` sends what no store can place.
"""

from __future__ import annotations

import sys

from openlineage.client import OpenLineageClient
from openlineage.client.event_v2 import (
    DatasetEvent,
    InputDataset,
    Job,
    JobEvent,
    OutputDataset,
    Run,
    RunEvent,
    RunState,
    StaticDataset,
)
from openlineage.client.facet_v2 import schema_dataset
from openlineage.client.uuid import generate_new_uuid

TIME = "2026-01-0{}T00:00:00+00:00"
PRODUCER = "https://example.org/emitter"


def run(client: OpenLineageClient, name: str) -> str:
    """The start and end of a run that reads one dataset and writes another with a schema."""
    run, job = Run(runId=str(generate_new_uuid())), Job(namespace="emitters", name=name)
    fields = [schema_dataset.SchemaDatasetFacetFields(name="id", type="int")]
    schema = schema_dataset.SchemaDatasetFacet(fields=fields)
    read = InputDataset(namespace="emitters", name=f"{name}.in")
    written = OutputDataset(namespace="emitters", name=f"{name}.out", facets={"schema": schema})
    for day, state in enumerate((RunState.START, RunState.COMPLETE), 1):
        client.emit(
            RunEvent(
                eventType=state,
                eventTime=TIME.format(day),
                run=run,
                job=job,
                producer=PRODUCER,
                inputs=[read],
                outputs=[written],
            )
        )
    return str(run.runId)


def declare(client: OpenLineageClient) -> None:
    job, dataset = Job(namespace="emitters", name="declared"), StaticDataset(namespace="emitters", name="declared")
    client.emit(JobEvent(eventTime=TIME.format(1), producer=PRODUCER, job=job))
    client.emit(DatasetEvent(eventTime=TIME.format(1), producer=PRODUCER, dataset=dataset))


def refused(client: OpenLineageClient) -> None:
    client.emit(JobEvent(eventTime=TIME.format(1), producer=PRODUCER, job=Job(namespace="", name="")))


def main(what: str, *names: str) -> None:
    client = OpenLineageClient()
    if what == "runs":
        for name in names:
            print(run(client, name))
    else:
        {"declare": declare, "refused": refused}[what](client)
    assert client.close(timeout=20), "events are left unsent"


if __name__ == "__main__":
    main(*sys.argv[1:])
