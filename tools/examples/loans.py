"""Applications for loans, what the models said of them, and what the loan officers decided.

Each prediction comes from a model version, the application, and the customer's row of the risk scores, taken out of
them on that day. From 26 March the challengers say what they think of an application as well; nobody decides by it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tools.examples import tables
from tools.examples.trig import named, read, record, table, text, time

#: Day → the version of the scores in force, and the model versions asked, an application each.
_DAYS = {
    "2026-03-13": ("2", ["standard-2", "premium-1", "standard-2"]),
    "2026-03-16": ("3", ["premium-1", "standard-2", "standard-2"]),
    "2026-03-18": ("5", ["standard-2", "premium-1"]),
    "2026-03-23": ("10", ["standard-2", "premium-1", "thinfile-1"]),
    "2026-03-24": ("11", ["thinfile-1", "standard-2", "premium-1"]),
    "2026-03-26": ("13", ["standard-2", "premium-1", "thinfile-1"]),
    "2026-03-27": ("14", ["standard-2", "premium-1"]),
    "2026-03-30": ("17", ["thinfile-1", "standard-2", "premium-1"]),
    "2026-04-02": ("20", ["premium-1", "standard-2"]),
}
_CHALLENGERS = {"standard-2": "standard-3", "premium-1": "premium-3", "thinfile-1": "thinfile-3"}
_OFFICERS = ("dan", "fay", "gil", "hana")
_PURPOSES = ("a car", "a kitchen", "a new roof", "moving house", "studies", "paying off other debts")
#: The day whose decisions were first put down to the wrong officer.
MIXED_UP = "2026-03-24"


@dataclass(frozen=True, slots=True)
class Application:
    """One application, the day it was looked at, and the model version in use for it."""

    number: int
    day: str
    minute: int
    scores: str
    model: str

    @property
    def amount(self) -> int:
        return 3_000 + self.number * 7919 % 27 * 1_000

    @property
    def purpose(self) -> str:
        return _PURPOSES[self.number % len(_PURPOSES)]

    @property
    def features(self) -> dict[str, int]:
        """What the application says, in euro, months and years."""
        rest = self.number * 104_729
        return {
            "income": 1_600 + rest % 29 * 100,
            "amount": self.amount,
            "term in months": 12 * (1 + rest % 6),
            "years at address": rest % 17,
        }

    def score(self, model: str) -> float:
        """The risk that a model sees, between 0.05 and 0.74."""
        return round(0.05 + (self.number * 6_151 + len(model) * 37 + ord(model[-1]) * 5) % 70 / 100, 2)

    @property
    def granted(self) -> bool:
        """As the model has it, but for every seventh application, where the officer saw more than the model."""
        return (self.score(self.model) < 0.4) != (self.number % 7 == 0)

    def at(self, minutes: int, second: int = 0) -> str:
        minute = self.minute + minutes
        return f"{self.day}T{10 + minute // 60:02d}:{minute % 60:02d}:{second:02d}Z"


def applications() -> list[Application]:
    found: list[Application] = []
    for day, (scores, models) in _DAYS.items():
        first = 101 + len(found)
        found += [Application(first + i, day, 17 * i, scores, model) for i, model in enumerate(models)]
    return found


def files() -> Iterator[tuple[str, str]]:
    """Name and text of each file: for each day what was predicted and what was decided."""
    for day in _DAYS:
        today = [each for each in applications() if each.day == day]
        yield f"{day}-1-predictions.trig", _predictions(day, today)
        decided = _decisions(day, today, "gil" if day == MIXED_UP else "")
        yield f"{day}-2-decisions.trig", decided
        if day == MIXED_UP:
            yield f"{day}-3-corrected.trig", _decisions(day, today, "", named(decided))


def _predictions(day: str, today: list[Application]) -> str:
    statements = ['<agent/software/scoring> a prov:SoftwareAgent, prov:Agent ; rdfs:label "scoring service" .']
    about = []
    for each in today:
        statements += [_application(each), _row(each)]
        models = [each.model, *([_CHALLENGERS[each.model]] if day >= "2026-03-26" else [])]
        for suffix, model in zip(("", "-challenger"), models, strict=False):
            statements.append(_prediction(each, f"{each.number}{suffix}", model))
            about.append(f"prediction/{each.number}{suffix}")
    return record(f"predictions-{day}", f"{day}T16:00:00Z", about, statements)


def _application(each: Application) -> str:
    item = f"item/app-{each.number}"
    told = f"{each.amount:,} euro over {each.features['term in months']} months for {each.purpose}"
    nodes = {f"{item}#{key.replace(' ', '-')}": (key, value) for key, value in each.features.items()}
    features = ", ".join(f"<{node}>" for node in nodes)
    return "\n".join(
        [
            f'<{item}> a prov:Entity, ps:RecordItem, ps:Source ; dct:title "application {each.number}" ;',
            f"  dct:description {text(told)} ; ps:collectionMethod {text('form filled in at a branch')} ;",
            f"  schema:additionalProperty {features} .",
            *(
                f'<{node}> a schema:PropertyValue ; schema:propertyID "{key}" ; schema:value {value} .'
                for node, (key, value) in nodes.items()
            ),
        ]
    )


def _row(each: Application) -> str:
    """The customer's row of the scores: quoted from the state that the run read."""
    number, run = each.number, f"I{each.number}"
    state = f"{table(tables.SCORES)}/read/{run}"
    return f"""{read(tables.SCORES, run, each.scores)}\
<item/row-{number}> a prov:Entity, ps:RecordItem ; dct:title "customer row, application {number}" ;
  prov:wasGeneratedBy <activity/look-up-{number}> ; prov:wasQuotedFrom <{state}> ; prov:wasDerivedFrom <{state}> .
<activity/look-up-{number}> a prov:Activity ; dct:title "look-up for application {number}" ;
  prov:used <{state}> ; prov:wasAssociatedWith <agent/software/scoring> ;
  prov:startedAtTime {time(each.at(0))} ; prov:endedAtTime {time(each.at(0, 1))} ."""


def _prediction(each: Application, name: str, model: str) -> str:
    inputs = f"<model/{model}>, <item/app-{each.number}>, <item/row-{each.number}>"
    when = time(each.at(0, 2))
    return f"""<run/I{name}> a prov:Activity, ps:Inference ;
  dct:title "scoring of application {each.number} by {model}" ;
  prov:used {inputs} ; prov:wasAssociatedWith <agent/software/scoring> ;
  prov:startedAtTime {when} ; prov:endedAtTime {when} .
<prediction/{name}> a prov:Entity, ps:Prediction ; dct:title "risk of application {each.number}, by {model}" ;
  prov:value {each.score(model)} ; prov:wasGeneratedBy <run/I{name}> ; prov:generatedAtTime {when} ;
  prov:wasDerivedFrom {inputs} ."""


def _decisions(day: str, today: list[Application], officer: str, old: str = "") -> str:
    name = f"decisions-{day}{'-corrected' if old else ''}"
    statements = []
    if old:
        statements.append(
            f"<record/{name}> ps:supersedes <{old}> ;\n"
            '  dct:description "the decisions of the day were put down to gil, who was on leave" .'
        )
    statements += [_decision(each, officer or _OFFICERS[each.number % len(_OFFICERS)]) for each in today]
    return record(
        name, f"{day}T17:{30 if old else 0:02d}:00Z", [f"decision/{each.number}" for each in today], statements
    )


def _decision(each: Application, officer: str) -> str:
    risk, outcome = each.score(each.model), "granted" if each.granted else "refused"
    why = f"risk {risk}, as the model has it"
    if each.granted != (risk < 0.4):
        why = f"risk {risk}, but {'a co-signer answers for it' if each.granted else 'the income could not be shown'}"
    number = each.number
    made = time(each.at(14))
    return f"""<decision/{number}> a prov:Entity, ps:Decision ; dct:title "application {number}: {outcome}" ;
  prov:value "{outcome}" ; prov:generatedAtTime {made} ;
  prov:wasGeneratedBy <activity/decide-{number}> ; prov:wasDerivedFrom <prediction/{number}> .
<activity/decide-{number}> a prov:Activity ; dct:title "decision on application {number}" ; ps:reason {text(why)} ;
  prov:used <prediction/{number}> ; prov:wasAssociatedWith <agent/person/{officer}> ;
  prov:startedAtTime {time(each.at(2))} ; prov:endedAtTime {made} ."""
