"""How the loan models came to be: training, evaluation by group, and the names that they were given.

The first version of each is written by hand (`examples/credit/03` to `10`); these are the later ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

from tools.examples import tables
from tools.examples.nightly import commit
from tools.examples.tables import Name
from tools.examples.trig import named, read, record, table, text, time

_GROUPS = {"age_band": ("under 25", "25 to 64", "65 and over"), "sex": ("women", "men")}
_METRICS = {"approval-rate": "share of applications approved", "accuracy": "share of outcomes foreseen rightly"}
#: How people say the name of a model, where it is not as it is written.
_SPOKEN = {"thinfile": "thin-file"}
#: What all were trained in: an image of the container registry.
_IMAGE = "image/risk-train/2026.03"
_ENVIRONMENT = "Debian 12, Python 3.11.8, LightGBM 4.3.0, scikit-learn 1.4.1, NumPy 1.26.4"


@dataclass(frozen=True, slots=True)
class Version:
    """A model version: how it was trained, on what, and how it did by group (approval rate, accuracy).

    `label` is the version of the data that it learned from, `scores` that of the scores when it was evaluated.
    """

    model: str
    number: int
    run: str
    day: str
    by: str
    data: Name
    label: str
    scores: str
    settings: dict[str, str]
    results: dict[str, tuple[float, float]]
    why: str

    @property
    def name(self) -> str:
        return f"{self.model}-{self.number}"

    @property
    def title(self) -> str:
        return f"{_SPOKEN.get(self.model, self.model)} {self.number}"


def _settings(rate: str, depth: str, rounds: str) -> dict[str, str]:
    return {"learning_rate": rate, "max_depth": depth, "n_estimators": rounds, "seed": "20260201"}


def _by_group(*pairs: tuple[float, float]) -> dict[str, tuple[float, float]]:
    return dict(zip([group for groups in _GROUPS.values() for group in groups], pairs, strict=True))


VERSIONS = (
    Version(
        "thinfile", 2, "T5", "2026-03-09", "bo", tables.SNAPSHOT, "2026-03-09", "2", _settings("0.05", "4", "300"),
        _by_group((0.31, 0.71), (0.55, 0.74), (0.29, 0.62), (0.46, 0.71), (0.48, 0.72)),
        "an attempt to judge customers without an account history by where and how long they have lived",
    ),
    Version(
        "standard", 2, "T4", "2026-03-12", "ana", tables.SCORES, "2", "2", _settings("0.05", "6", "400"),
        _by_group((0.59, 0.80), (0.65, 0.83), (0.43, 0.69), (0.61, 0.80), (0.62, 0.81)),
        "trained again on the scores of 8 March",
    ),
    Version(
        "standard", 3, "T6", "2026-03-17", "ana", tables.SCORES, "4", "4", _settings("0.05", "6", "400"),
        _by_group((0.60, 0.81), (0.64, 0.84), (0.59, 0.81), (0.62, 0.82), (0.63, 0.83)),
        "the same settings on scores of right ages",
    ),
    Version(
        "premium", 2, "T7", "2026-03-24", "ana", tables.SCORES, "11", "11", _settings("0.10", "8", "250"),
        _by_group((0.61, 0.79), (0.66, 0.82), (0.52, 0.75), (0.60, 0.79), (0.64, 0.80)),
        "first of two candidates: learns fast, and does worse for those of 65 and over",
    ),
    Version(
        "premium", 3, "T8", "2026-03-24", "ana", tables.SCORES, "11", "11", _settings("0.03", "6", "600"),
        _by_group((0.63, 0.82), (0.66, 0.84), (0.62, 0.81), (0.64, 0.82), (0.65, 0.83)),
        "second of two candidates: slower, and the same for all ages",
    ),
    Version(
        "thinfile", 3, "T9", "2026-03-25", "bo", tables.SNAPSHOT, "2026-03-25", "12", _settings("0.05", "4", "300"),
        _by_group((0.47, 0.73), (0.54, 0.75), (0.50, 0.74), (0.51, 0.74), (0.52, 0.74)),
        "as version 2, on a snapshot with right ages and by a run that says what it read",
    ),
    Version(
        "standard", 4, "T10", "2026-04-01", "ana", tables.SCORES, "19", "19", _settings("0.04", "6", "500"),
        _by_group((0.61, 0.82), (0.64, 0.84), (0.60, 0.82), (0.63, 0.83), (0.63, 0.83)),
        "the monthly training",
    ),
)  # fmt: skip

#: Model version → alias, when, what was done, by whom, and why.
_NAMED = (
    ("standard-2", "champion", "2026-03-13T08:00:00Z", "approval", "cleo", "more customers, same settings"),
    ("thinfile-1", "champion", "2026-03-20T14:00:00Z", "registration", "bo", "there was none"),
    ("standard-3", "challenger", "2026-03-18T09:00:00Z", "approval", "cleo", "runs beside the champion until 15 April"),
    ("premium-3", "challenger", "2026-03-26T08:30:00Z", "approval", "cleo", "runs beside the champion until 15 April"),
    ("thinfile-3", "challenger", "2026-03-26T08:40:00Z", "approval", "cleo", "runs beside the champion until 15 April"),
)  # fmt: skip


def files() -> Iterator[tuple[str, str]]:
    """Name and text of each file: a record of training and of evaluation for each version, then those of names."""
    for each in VERSIONS:
        yield f"{each.run}-train-{each.name}.trig", _training(each)
        yield f"{each.run.replace('T', 'E')}-evaluate-{each.name}.trig", _evaluation(each, each.run.replace("T", "E"))
    mistaken = _mistaken()
    yield "E11-evaluate-premium-3.trig", mistaken
    yield "E11-retracted.trig", _retraction(mistaken)
    for number, entry in enumerate(_NAMED, 2):
        yield f"name-{number}-{entry[0]}-{entry[1]}.trig", _naming(number, *entry)


def _training(each: Version) -> str:
    run, model, when = f"run/{each.run}", f"model/{each.name}", f"{each.day}T15:00:00Z"
    name = f"training-{each.run}"
    revision = f"urn:swh:1:rev:{commit(f'{each.model} {each.run}')}"
    data, outcomes, holdout = (f"{table(d)}/read/{each.run}" for d in (each.data, tables.OUTCOMES, tables.HOLDOUT))
    settings = ", ".join(f"<{run}#{key}>" for key in each.settings)
    statements = [
        f"""<{run}> a prov:Activity, ps:TrainingRun ;
  dct:title "training of {each.title}" ; dct:description {text(each.why)} ;
  prov:used <{data}>, <{outcomes}>, <{holdout}>, <{revision}>, <{_IMAGE}> ;
  prov:wasAssociatedWith <agent/person/{each.by}> ;
  prov:startedAtTime {time(f"{each.day}T14:00:00Z")} ; prov:endedAtTime {time(when)} ;
  prov:qualifiedUsage <record/{name}#data>, <record/{name}#outcomes>, <record/{name}#holdout> ;
  ps:parameter {settings} .
<record/{name}#data> a prov:Usage ; prov:entity <{data}> ; prov:hadRole ai:TrainingData .
<record/{name}#outcomes> a prov:Usage ; prov:entity <{outcomes}> ; prov:hadRole ai:TrainingData .
<record/{name}#holdout> a prov:Usage ; prov:entity <{holdout}> ; prov:hadRole ps:validationData .""",
        read(each.data, each.run, each.label) + read(tables.OUTCOMES, each.run) + read(tables.HOLDOUT, each.run),
        f'<{revision}> a prov:Entity, ps:CodeVersion ; dct:title "bank/risk-models at {revision[14:22]}" .',
        f'<{_IMAGE}> a prov:Entity ; dct:title "training image 2026.03" ; dct:description {text(_ENVIRONMENT)} ;\n'
        f'  ps:sha256 "{sha256(_IMAGE.encode()).hexdigest()}" .',
        *(
            f"<{run}#{key}> a mls:HyperParameterSetting ; ps:key {text(key)} ; ps:value {text(value)} ."
            for key, value in each.settings.items()
        ),
        f"""<{model}> a prov:Entity, ps:ModelVersion ; prov:specializationOf <model/{each.model}> ;
  dct:title "{each.title}" ; dct:description {text(each.why)} ; dct:identifier "models:/{each.model}/{each.number}" ;
  prov:wasGeneratedBy <{run}> ; prov:wasDerivedFrom <{data}>, <{outcomes}> ; prov:generatedAtTime {time(when)} ;
  ps:sha256 "{sha256(model.encode()).hexdigest()}" .""",
    ]
    return record(name, when, [run, model], statements)


def _evaluation(each: Version, run: str, day: str = "", data: Name = tables.HOLDOUT, less: float = 0.0) -> str:
    """On `data`, by the age bands of the scores and the sex in the snapshot of the day."""
    day = day or each.day
    when = f"{day}T17:20:00Z"
    reads = {data: "", tables.SCORES: each.scores, tables.SNAPSHOT: day}
    used = ", ".join(f"<{table(name)}/read/{run}>" for name in reads)
    statements = [
        f"""<run/{run}> a prov:Activity, ps:Evaluation ; dct:title "evaluation of {each.title}" ;
  prov:used <model/{each.name}>, {used} ; prov:wasAssociatedWith <agent/person/eve> ;
  prov:startedAtTime {time(f"{day}T17:00:00Z")} ; prov:endedAtTime {time(when)} .""",
        *(read(name, run, label) for name, label in reads.items()),
        *(f"<metric/{name}> a dqv:Metric ; dct:title {text(title)} ." for name, title in _METRICS.items()),
    ]
    for column, groups in _GROUPS.items():
        source = tables.SCORES if column == "age_band" else tables.SNAPSHOT
        tested = f"{table(data)}/read/{run}>, <{table(source)}/read/{run}"
        for group in groups:
            statements += _measured(each, run, column, group, tested, less)
    return record(f"evaluation-{run}", when, [f"run/{run}", f"model/{each.name}"], statements)


def _measured(each: Version, run: str, column: str, group: str, tested: str, less: float) -> Iterator[str]:
    part = f"{run}/{group.replace(' ', '-')}"
    yield f"""<slice/{part}> a prov:Entity, ps:Slice ; dct:title "{group}" ;
  ps:column "{column}" ; prov:value "{group}" ;
  prov:wasGeneratedBy <run/{run}> ; prov:wasDerivedFrom <{tested}> ."""
    for metric, value in zip(_METRICS, each.results[group], strict=True):
        yield f"""<measurement/{part}/{metric}> a prov:Entity, dqv:QualityMeasurement ;
  dqv:computedOn <model/{each.name}> ; ps:onSlice <slice/{part}> ;
  dqv:isMeasurementOf <metric/{metric}> ; dqv:value {value - less:.2f} ; prov:wasGeneratedBy <run/{run}> ."""


def _mistaken() -> str:
    """Measured on the loans that the model had learned from, which says nothing; retracted the day after."""
    premium = next(each for each in VERSIONS if each.name == "premium-3")
    return _evaluation(premium, "E11", day="2026-03-25", data=tables.OUTCOMES, less=-0.15)


def _retraction(mistaken: str) -> str:
    statements = [
        f"<record/retraction-E11> ps:supersedes <{named(mistaken)}> ;\n"
        '  dct:description "E11 measured premium 3 on loans that it had learned from" ;\n'
        "  prov:wasAttributedTo <agent/person/eve> ."
    ]
    return record(
        "retraction-E11", "2026-03-26T07:50:00Z", [], statements, "takes a record back and says nothing instead"
    )


def _naming(number: int, model: str, alias: str, when: str, kind: str, by: str, why: str) -> str:
    name, activity = f"alias/{model.partition('-')[0]}/{alias}/{number}", f"activity/{kind}-{number}"
    classes = "prov:Activity, ps:Approval" if kind == "approval" else "prov:Activity"
    statements = [
        f"""<{name}> a prov:Entity, ps:AliasAssignment ; dct:title "{model} is {alias}" ;
  ps:alias "{alias}" ; ps:assigns <model/{model}> ; prov:generatedAtTime {time(when)} ;
  prov:wasGeneratedBy <{activity}> ; prov:wasDerivedFrom <model/{model}> .""",
        f"""<{activity}> a {classes} ; dct:title "{kind} of {model}" ; ps:reason {text(why)} ;
  prov:used <model/{model}> ; prov:wasAssociatedWith <agent/person/{by}> ; prov:endedAtTime {time(when)} .""",
    ]
    return record(f"{kind}-{number}", when, [name], statements)
