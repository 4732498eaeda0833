"""Training records for the benchmark of validation: what one run used, made and measured, one record a run."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator

from provstore import rdf

_B, _PROV, _DCT = "https://bench.example/ns#", "http://www.w3.org/ns/prov#", "http://purl.org/dc/terms/"
_TYPE, _LABEL = f"<{rdf.RDF}type>", "<http://www.w3.org/2000/01/rdf-schema#label>"
_DOUBLE = f"{rdf.XSD}double"
#: What a record may lack: the predicate whose triples are left out.
_LACKS = ("prov:endedAtTime", "b:sha256", "dct:license", "b:version", "b:commit", "b:owner", "b:key", "b:score")


def records(count: int, *, broken: int = 10) -> Iterator[list[str]]:
    """The N-Triples lines of each record; `broken` of a hundred lack something. Always the same for a count."""
    dice = random.Random(count)
    for number in range(count):
        lines = [f"{s} {_full(p)} {o} .\n" for s, p, o in _record(number)]
        if dice.randrange(100) < broken:
            lack = _full(dice.choice(_LACKS))
            lines = [line for line in lines if line.split(" ", 2)[1] != lack]
        yield lines


def _full(name: str) -> str:
    prefix, _, local = name.partition(":")
    return name if name[0] == "<" else f"<{ {'b': _B, 'prov': _PROV, 'dct': _DCT}[prefix] }{local}>"


def _record(number: int) -> Iterator[tuple[str, str, str]]:
    run, model, code, env = (f"<https://bench.example/{kind}/{number}>" for kind in ("run", "model", "code", "env"))
    person, team = f"<https://bench.example/person/{number % 50}>", f"<https://bench.example/team/{number % 7}>"
    yield from (
        (run, _TYPE, f"<{_B}TrainingRun>"),
        (run, _LABEL, f'"training {number}"@en'),
        (run, "prov:startedAtTime", rdf.date_time(f"2026-03-{number % 28 + 1:02}T08:00:00Z")),
        (run, "prov:endedAtTime", rdf.date_time(f"2026-03-{number % 28 + 1:02}T09:30:00Z")),
        (run, "prov:used", code),
        (run, "prov:wasAssociatedWith", person),
        (run, "b:status", f"<{_B}complete>"),
        (run, "b:environment", env),
        (env, "b:python", '"3.11.7"'),
        (env, "b:package", '"scikit-learn==1.7.2"'),
        (env, "b:package", '"numpy==2.3.4"'),
        (env, "b:cores", rdf.integer(8)),
        (person, _TYPE, f"<{_PROV}Agent>"),
        (person, _TYPE, f"<{_PROV}Person>"),
        (person, _LABEL, f'"person {number % 50}"@en'),
        (person, "prov:actedOnBehalfOf", team),
        (team, _TYPE, f"<{_PROV}Agent>"),
        (team, _LABEL, f'"team {number % 7}"@en'),
        (code, _TYPE, f"<{_B}Code>"),
        (code, "b:commit", f'"{_sha(f"commit{number}")[:40]}"'),
        (code, "b:repository", "<https://git.bench.example/credit>"),
        (code, "b:clean", rdf.boolean(True)),
        (code, "prov:wasAttributedTo", person),
    )
    for key, value in (("depth", 6), ("rounds", 400), ("seed", number)):
        parameter = f"<https://bench.example/parameter/{number}/{key}>"
        yield run, "b:parameter", parameter
        yield parameter, "b:key", f'"{key}"'
        yield parameter, "b:value", rdf.integer(value)
    yield from _snapshot(number, run, model, person, team)
    yield from _model(number, run, model, person)


def _snapshot(number: int, run: str, model: str, person: str, team: str) -> Iterator[tuple[str, str, str]]:
    snapshot, dataset = f"<https://bench.example/snapshot/{number}>", f"<https://bench.example/dataset/{number % 200}>"
    yield from (
        (run, "prov:used", snapshot),
        (model, "prov:wasDerivedFrom", snapshot),
        (snapshot, _TYPE, f"<{_B}Snapshot>"),
        (snapshot, _LABEL, f'"loans as of day {number}"@en'),
        (snapshot, "b:sha256", f'"{_sha(f"snapshot{number}")}"'),
        (snapshot, "b:rows", rdf.integer(1000 + number)),
        (snapshot, "dct:issued", rdf.date_time("2026-02-27T23:00:00Z")),
        (snapshot, "dct:license", "<https://creativecommons.org/licenses/by/4.0/>"),
        (snapshot, "prov:specializationOf", dataset),
        (snapshot, "prov:wasAttributedTo", person),
        (dataset, _TYPE, f"<{_B}Dataset>"),
        (dataset, _LABEL, f'"loans {number % 200}"@en'),
        (dataset, "dct:publisher", team),
        (dataset, "dct:creator", team),
    )


def _model(number: int, run: str, model: str, person: str) -> Iterator[tuple[str, str, str]]:
    yield from (
        (model, _TYPE, f"<{_B}Model>"),
        (model, _LABEL, f'"credit model {number}"@en'),
        (model, "b:sha256", f'"{_sha(f"model{number}")}"'),
        (model, "prov:wasGeneratedBy", run),
        (model, "b:version", rdf.integer(number % 90 + 1)),
        (model, "b:purpose", '"scores applications for a loan"'),
        (model, "b:owner", person),
        (model, "b:validator", f"<https://bench.example/person/{number % 50 + 100}>"),
        (model, "b:binary", f"<https://bench.example/binary/{number}>"),
    )
    for metric, score in (("auc", "0.81"), ("f1", "0.62")):
        measure = f"<https://bench.example/measure/{number}/{metric}>"
        yield model, "b:measure", measure
        yield measure, "b:metric", f'"{metric}"'
        yield measure, "b:score", rdf.literal(score, _DOUBLE)
        yield measure, "b:on", f"<https://bench.example/snapshot/{number}>"


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
