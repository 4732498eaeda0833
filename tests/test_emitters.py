"""The OpenLineage project's own client, unmodified, against a running server."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from tests.servers import Server, serving

client = pytest.importorskip("openlineage.client", reason="openlineage-python is not installed")
events = pytest.importorskip("openlineage.client.event_v2")
facets = pytest.importorskip("openlineage.client.facet_v2")

TIME = "2026-01-0{}T00:00:00+00:00"
PRODUCER = "https://example.org/emitter"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("emitters") / "data") as found:
        yield found


def _client(server: Server, **transport: object) -> Any:
    config = {"type": "http", "url": server.url, "retry": {"total": 0}, **transport}
    return client.OpenLineageClient(config={"transport": config})


def _run(emitter: Any, name: str) -> str:
    """Emit the start and end of a run that reads one dataset and writes another with a schema."""
    run, job = str(uuid.uuid4()), events.Job(namespace="emitters", name=name)
    schema = facets.schema_dataset.SchemaDatasetFacet(
        fields=[facets.schema_dataset.SchemaDatasetFacetFields(name="id", type="int")]
    )
    read = events.InputDataset(namespace="emitters", name=f"{name}.in")
    written = events.OutputDataset(namespace="emitters", name=f"{name}.out", facets={"schema": schema})
    for day, state in enumerate((events.RunState.START, events.RunState.COMPLETE), 1):
        emitter.emit(
            events.RunEvent(
                eventType=state,
                eventTime=TIME.format(day),
                run=events.Run(runId=run),
                job=job,
                producer=PRODUCER,
                inputs=[read],
                outputs=[written],
            )
        )
    return run


def _assert_told(server: Server, run: str) -> None:
    """Both events are there, and what they say together is."""
    head = server.http.get("/health").json()["head"]
    query = f"""PREFIX prov: <http://www.w3.org/ns/prov#>
        SELECT ?start ?end ?in ?out {{ <urn:uuid:{run}> prov:startedAtTime ?start ; prov:endedAtTime ?end .
            <urn:uuid:{run}> prov:used ?in . ?out prov:wasGeneratedBy <urn:uuid:{run}> ; prov:wasDerivedFrom ?in }}"""
    (row,) = server.rows(query, min_index=head)
    assert row["start"].startswith("2026-01-01")
    assert row["end"].startswith("2026-01-02")
    assert row["out"].endswith(f"/write/{run}")


@pytest.mark.parametrize("compression", [None, "gzip"])
def test_the_http_transport(server: Server, compression: str | None) -> None:
    emitter = _client(server, **({"compression": compression} if compression else {}))
    _assert_told(server, _run(emitter, f"plain-{compression}"))


def test_the_http_transport_by_environment_alone(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENLINEAGE_URL", server.url)
    _assert_told(server, _run(client.OpenLineageClient(), "environment"))


def test_the_asynchronous_transport(server: Server) -> None:
    emitter = _client(server, type="async_http")
    runs = [_run(emitter, f"async-{number}") for number in range(20)]
    assert emitter.close(timeout=20)
    for run in runs:
        _assert_told(server, run)


def test_job_and_dataset_events(server: Server) -> None:
    emitter = _client(server)
    job = events.Job(namespace="emitters", name="declared")
    dataset = events.StaticDataset(namespace="emitters", name="declared")
    before = server.http.get("/health").json()["entries"]
    emitter.emit(events.JobEvent(eventTime=TIME.format(1), producer=PRODUCER, job=job))
    emitter.emit(events.DatasetEvent(eventTime=TIME.format(1), producer=PRODUCER, dataset=dataset))
    assert server.http.get("/health").json()["entries"] == before + 2


def test_a_refusal_reaches_the_emitter(server: Server) -> None:
    emitter = _client(server)
    with pytest.raises(Exception, match="422"):
        emitter.emit(
            events.JobEvent(eventTime=TIME.format(1), producer=PRODUCER, job=events.Job(namespace="", name=""))
        )
