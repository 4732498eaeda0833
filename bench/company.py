"""The records of a made-up company: daily jobs in layers, models, what was predicted with them and decided.

Of `count` records eight in ten are START and COMPLETE (or FAIL) of daily runs, fifteen layers deep, each job with two
or three inputs from the layer below, and one table that jobs of every layer read; the rest are datasets described, jobs
declared, models trained, evaluated and approved, predictions and decisions.
"""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from provstore import iris

BASE = "https://bench.example"
LAYERS, DAYS = 15, 10
#: The day on which the first source was wrong: what the questions about impact ask for.
BAD_DAY = 5

_PRODUCER = "https://provstore.example/bench"
_RAW, _MART = "s3://raw", "warehouse://mart"
_COLUMNS = ("id", "amount", "age_band", "region")
_GROUPS = ("under 25", "25 to 64", "65 and over")
_PREFIXES = f"""@base <{BASE}/> . @prefix prov: <http://www.w3.org/ns/prov#> .
@prefix ps: <https://w3id.org/provstore/ns#> .
@prefix dqv: <http://www.w3.org/ns/dqv#> . @prefix ai: <https://w3id.org/dpv/ai#> .
@prefix mls: <http://www.w3.org/ns/mls#> . @prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
"""

Record = tuple[str, bytes]  # media type and payload


@dataclass
class Company:
    """All that is random is drawn from `seed`; the same count and seed give the same records."""

    count: int
    seed: int = 0
    jobs: list[tuple[str, list[tuple[str, str]]]] = field(default_factory=list)  # name, inputs

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        width = max(2, self.count * 8 // 10 // (2 * DAYS * LAYERS))
        below = [(_RAW, f"source_{n}") for n in range(width)]
        for layer in range(LAYERS):
            names = [f"l{layer}.table_{n}" for n in range(width)]
            self.jobs += [(name, self._inputs(below, layer, n)) for n, name in enumerate(names)]
            below = [(_MART, name) for name in names]
        self.sources = width
        self.models = max(1, self.count // 1000)

    def _inputs(self, below: list[tuple[str, str]], layer: int, n: int) -> list[tuple[str, str]]:
        """Two or three neighbours of the layer below, and for one job in ten the table that everybody reads."""
        found = {below[(n + self._random.randrange(4)) % len(below)] for _ in range(2 + n % 2)}
        return sorted(found | {(_MART, "l0.table_0")} if layer and n % 10 == 0 else found)

    def records(self) -> Iterator[Record]:
        """The records in the order of their times."""
        yield from (_described(_RAW, f"source_{n}") for n in range(self.sources))
        yield "text/turtle", self._sources()
        yield from (self._declared(name, inputs) for name, inputs in self.jobs[::10])
        left = self.count - 1 - self.sources - len(self.jobs[::10]) - 2 * DAYS * len(self.jobs)
        trainings = [(model, day) for day in range(4, DAYS, 5) for model in range(self.models)]
        predictions = max(0, left - 3 * len(trainings))
        for day in range(DAYS):
            for number, (name, inputs) in enumerate(self.jobs):
                yield from self._run(number, name, inputs, day)
            for model, _ in (each for each in trainings if each[1] == day):
                yield from (("text/turtle", text.encode()) for text in self._model(model, day))
            if day >= 5:
                share = predictions // (DAYS - 5) + (day < 5 + predictions % (DAYS - 5))
                yield from (("text/turtle", self._prediction(day, number).encode()) for number in range(share))

    def _sources(self) -> bytes:
        said = "".join(f"<{iris.dataset(BASE, _RAW, f'source_{n}')}> a ps:Source .\n" for n in range(self.sources))
        return f"{_PREFIXES}{said}".encode()

    def _declared(self, name: str, inputs: list[tuple[str, str]]) -> Record:
        """What a job says that it reads, one table more than it does."""
        event = {
            "eventTime": "2025-12-31T12:00:00Z",
            "producer": _PRODUCER,
            "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/JobEvent",
            "job": {"namespace": "scheduler", "name": name},
            "inputs": [{"namespace": space, "name": table} for space, table in [*inputs, (_RAW, "never_read")]],
            "outputs": [{"namespace": _MART, "name": name}],
        }
        return "application/json", json.dumps(event).encode()

    def _run(self, number: int, name: str, inputs: list[tuple[str, str]], day: int) -> Iterator[Record]:
        run = str(uuid.uuid5(uuid.UUID(int=self.seed), f"{name} {day}"))
        hour, minute = number * LAYERS // len(self.jobs) + 1, number % 50
        job: dict[str, object] = {"namespace": "scheduler", "name": name}
        version = uuid.uuid5(uuid.UUID(int=self.seed), f"{number % 20} {day >= BAD_DAY}").hex
        code = {"type": "git", "url": "https://git.example/mart", "version": f"{version}00000000"}
        start = {
            **_event("START", _stamp(day, hour, minute), run),
            "job": {**job, "facets": {"sourceCodeLocation": {"_producer": _PRODUCER, **code}}},
            "inputs": [{"namespace": space, "name": table} for space, table in inputs],
            "outputs": [{"namespace": _MART, "name": name}],
        }
        yield "application/json", json.dumps(start).encode()
        failed = self._random.random() < 0.02
        end = _event("FAIL" if failed else "COMPLETE", _stamp(day, hour, minute + 9), run)
        if failed:
            end["run"]["facets"] = {"errorMessage": {"_producer": _PRODUCER, "message": f"no space left on node {day}"}}
        yield (
            "application/json",
            json.dumps(
                {
                    **end,
                    "job": job,
                    "inputs": [],
                    "outputs": [] if failed else [self._output(number, name, inputs, day)],
                }
            ).encode(),
        )

    def _output(self, number: int, name: str, inputs: list[tuple[str, str]], day: int) -> dict[str, object]:
        fields = {
            column: {"inputFields": [{"namespace": inputs[0][0], "name": inputs[0][1], "field": column}]}
            for column in _COLUMNS
        }
        facets: dict[str, object] = {
            "schema": {"fields": [{"name": name, "type": "VARCHAR"} for name in _COLUMNS[: 3 + (day > number % 30)]]},
            "columnLineage": {"fields": fields},
            "lifecycleStateChange": {"lifecycleStateChange": "OVERWRITE" if number % 50 else "ALTER"},
            "ownership": {"owners": [{"name": f"team:{number % 40}", "type": "steward"}]},
        }
        output: dict[str, object] = {"outputStatistics": {"rowCount": 1000 + self._random.randrange(100)}}
        if number % 5 == 0:
            nulls = self._random.randrange(40)
            columns = {column: {"nullCount": nulls, "distinctCount": 3} for column in _COLUMNS[:3]}
            facets["dataQualityMetrics"] = {"rowCount": 1000, "columnMetrics": columns}
            checks = [{"assertion": "not_null", "success": nulls < 35, "column": "age_band"}]
            facets["dataQualityAssertions"] = {"assertions": [*checks, {"assertion": "row_count > 0", "success": True}]}
        for each in (facets, output):
            for facet in each.values():
                assert isinstance(facet, dict)
                facet["_producer"] = _PRODUCER
        return {"namespace": _MART, "name": name, "facets": facets, "outputFacets": output}

    def _model(self, model: int, day: int) -> Iterator[str]:
        """Training, evaluation by group, and approval of one version of a model."""
        version, table = f"model/m{model}-{day}", iris.dataset(BASE, _MART, self.jobs[-1 - model % self.sources][0])
        run, said = f"run/train-m{model}-{day}", _said(day, 14)
        yield f"""{_PREFIXES}<{run}> a prov:Activity, ps:TrainingRun ; {said}
  prov:used <{table}/read/train-m{model}-{day}>, <urn:swh:1:rev:{uuid.UUID(int=model).hex}{day:08}> ;
  prov:wasAssociatedWith <agent/person/p{model % 30}> ; ps:parameter <{run}#depth> ; prov:qualifiedUsage <{run}#data> .
<{run}#data> a prov:Usage ; prov:entity <{table}/read/train-m{model}-{day}> ; prov:hadRole ai:TrainingData .
<urn:swh:1:rev:{uuid.UUID(int=model).hex}{day:08}> a prov:Entity, ps:CodeVersion .
<{run}#depth> a mls:HyperParameterSetting ; ps:key "depth" ; ps:value "{day}" .
<{table}/read/train-m{model}-{day}> a prov:Entity, ps:ReadState ; prov:specializationOf <{table}> .
<{version}> a prov:Entity, ps:ModelVersion ; prov:specializationOf <model/m{model}> ; prov:wasGeneratedBy <{run}> ;
  prov:wasDerivedFrom <{table}/read/train-m{model}-{day}> ; prov:generatedAtTime {_time(day, 14, 30)} .
<model/m{model}> a prov:Entity, ps:Model . <agent/person/p{model % 30}> a prov:Person, prov:Agent .
"""
        run = f"run/evaluate-m{model}-{day}"
        slices = "".join(
            f"""<{version}/slice/{n}> a prov:Entity, ps:Slice ; ps:column "age_band" ; prov:value "{group}" ;
  prov:wasGeneratedBy <{run}> ; prov:wasDerivedFrom <{table}/read/evaluate-m{model}-{day}> .
<{version}/rate/{n}> a prov:Entity, dqv:QualityMeasurement ; dqv:computedOn <{version}> ; prov:wasGeneratedBy <{run}> ;
  dqv:isMeasurementOf <metric/approval-rate> ; ps:onSlice <{version}/slice/{n}> ;
  dqv:value {self._random.uniform(0.4, 0.7):.2f} .
"""
            for n, group in enumerate(_GROUPS)
        )
        yield f"""{_PREFIXES}<{run}> a prov:Activity, ps:Evaluation ; {_said(day, 15)}
  prov:used <{version}>, <{table}/read/evaluate-m{model}-{day}> ; prov:wasAssociatedWith <agent/person/validator> .
<{table}/read/evaluate-m{model}-{day}> a prov:Entity, ps:ReadState ; prov:specializationOf <{table}> .
<agent/person/validator> a prov:Person, prov:Agent .
{slices}"""
        yield f"""{_PREFIXES}<alias/m{model}/{day}> a prov:Entity, ps:AliasAssignment ; ps:alias "champion" ;
  ps:assigns <{version}> ; prov:wasGeneratedBy <activity/approve-m{model}-{day}> ; prov:wasDerivedFrom <{version}> ;
  prov:generatedAtTime {_time(day, 16)} .
<activity/approve-m{model}-{day}> a prov:Activity, ps:Approval ; prov:used <{version}> ;
  prov:wasAssociatedWith <agent/person/boss{model % 5}> .
<agent/person/boss{model % 5}> a prov:Person, prov:Agent .
"""

    def _prediction(self, day: int, number: int) -> str:
        model, name = number % self.models, f"{day}-{number}"
        version = f"model/m{model}-{(day - 5) // 5 * 5 + 4}"
        made = f'"2026-01-{day + 1:02}T19:{number // 60 % 60:02}:{number % 60:02}.{number // 3600:03}Z"^^xsd:dateTime'
        decided = f"""<decision/{name}> a prov:Entity, ps:Decision ; prov:wasGeneratedBy <activity/decide-{name}> ;
  prov:wasDerivedFrom <prediction/{name}> ; prov:generatedAtTime {_time(day, 20)} .
<activity/decide-{name}> a prov:Activity ; prov:used <prediction/{name}> ;
  prov:wasAssociatedWith <agent/person/clerk{number % 20}> .
<agent/person/clerk{number % 20}> a prov:Person, prov:Agent .
"""
        return f"""{_PREFIXES}<run/infer-{name}> a prov:Activity, ps:Inference ; {_said(day, 19)}
  prov:used <{version}>, <item/{name}> . <item/{name}> a prov:Entity, ps:RecordItem, ps:Source .
<prediction/{name}> a prov:Entity, ps:Prediction ; prov:wasGeneratedBy <run/infer-{name}> ; prov:value 0.5 ;
  prov:wasDerivedFrom <{version}>, <item/{name}> ; prov:generatedAtTime {made} .
{decided if number % 5 == 0 else ""}"""


def _event(kind: str, stamp: str, run: str) -> dict[str, Any]:
    event: dict[str, Any] = {
        "eventType": kind,
        "eventTime": stamp,
        "producer": _PRODUCER,
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
        "run": {"runId": run},
    }
    return event


def _described(space: str, name: str) -> Record:
    event = {
        "eventTime": "2025-12-31T00:00:00Z",
        "producer": _PRODUCER,
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/DatasetEvent",
        "dataset": {
            "namespace": space,
            "name": name,
            "facets": {"documentation": {"_producer": _PRODUCER, "description": f"what {name} holds"}},
        },
    }
    return "application/json", json.dumps(event).encode()


def _stamp(day: int, hour: int, minute: int = 0) -> str:
    return f"2026-01-{day + 1:02}T{hour:02}:{minute:02}:00Z"


def _time(day: int, hour: int, minute: int = 0) -> str:
    return f'"{_stamp(day, hour, minute)}"^^xsd:dateTime'


def _said(day: int, hour: int) -> str:
    return f"prov:startedAtTime {_time(day, hour)} ; prov:endedAtTime {_time(day, hour, 30)} ;"
