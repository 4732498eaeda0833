"""The parts of a thing's page, as data; every list is bounded, with how many there are in all."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Term:
    """A value of a statement: an IRI, or text with its datatype or language."""

    text: str
    is_iri: bool = False
    datatype: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Statement:
    """What is said of the thing, beyond what the other parts tell."""

    property: str
    value: Term


@dataclass(frozen=True, slots=True)
class Parameter:
    """A setting or tag of the thing, or of what made it; `of` is which of them say so."""

    key: str
    value: str
    of: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Role:
    """In which role, by which plan, or as what kind of owner an agent is named."""

    agent: str
    role: str | None = None
    plan: str | None = None
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class Owner:
    """Who owns the thing, as producers name him, and the agent that this names."""

    name: str
    iri: str


@dataclass(frozen=True, slots=True)
class Check:
    """A test of the data: `outcome` is passed, failed or another of EARL's."""

    of: str
    test: str
    outcome: str
    column: str | None = None
    expected: str | None = None
    actual: str | None = None
    severity: str | None = None
    when: str | None = None


@dataclass(frozen=True, slots=True)
class Measure:
    """A measurement: of what, by which metric, on which column or slice, taken by which activity on which data."""

    iri: str
    of: str
    metric: str
    value: str
    column: str | None = None
    slice: str | None = None
    slice_column: str | None = None
    slice_value: str | None = None
    by: str | None = None
    on: str | None = None
    when: str | None = None


@dataclass(frozen=True, slots=True)
class Alias:
    """A name that a model version bore from one instant until the name was given to another, or still does.

    Where only two looks are known between which it was given or taken away, `since_after` and `until_after` are the
    earlier ones, None where there was none. `ended` is whether it is over, be it that nobody knows when.
    """

    alias: str
    version: str
    assignment: str
    ended: bool
    since: str | None = None
    until: str | None = None
    by: str | None = None
    since_after: str | None = None
    until_after: str | None = None


@dataclass(frozen=True, slots=True)
class SchemaColumn:
    """A column as the schema in force has it; nested ones by their path. `sources` are (dataset, column, how)."""

    name: str
    type: str = ""
    description: str = ""
    tags: tuple[str, ...] = ()
    sources: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Record:
    """A record that speaks of the thing; `conforms` is None where its validation failed or is not done yet."""

    iri: str
    index: int
    received: str | None
    superseded: str | None
    validated: bool
    conforms: bool | None
    lacks: int = 0

    @property
    def digest(self) -> str:
        return self.iri.rpartition("/")[2]


@dataclass(frozen=True, slots=True, order=True)
class Reference:
    """How many others have it as the value of a property, and one of them."""

    property: str
    total: int
    first: str


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that is not known: `gap` is its kind, `text` says it; `serious` where lineage cannot be relied on."""

    gap: str
    text: str
    serious: bool = False


@dataclass(frozen=True, slots=True)
class Behind:
    """Something that a model, or the model behind a thing, was made with, or that it led to.

    `what` is "training", "data", "code", "environment", "registered" or "decided"; `of` the model or, of what was
    decided, the decision; `iri` the thing itself, who decided; `note` the role of data, or the value of the decision.
    """

    what: str
    of: str
    iri: str
    note: str = ""
    dirty: bool = False


@dataclass(frozen=True, slots=True)
class Said:
    """What the triples hold of a thing."""

    statements: tuple[Statement, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    parameters_more: bool = False  # whether there are more than were looked at
    attributes: tuple[Parameter, ...] = ()
    behind: tuple[Behind, ...] = ()
    usages: tuple[tuple[str, str], ...] = ()  # what was used, and as what
    roles: tuple[Role, ...] = ()
    code: tuple[dict[str, str], ...] = ()
    amounts: tuple[tuple[str, str], ...] = ()  # rowCount, byteSize, fileCount of the thing as it was made
    checks: tuple[Check, ...] = ()
    measures: tuple[Measure, ...] = ()
    measures_more: bool = False
    aliases: tuple[Alias, ...] = ()
    records: tuple[Record, ...] = ()
    records_total: int = 0
    records_more: bool = False  # whether there are more than were counted
    references: tuple[Reference, ...] = ()
    index: int = 0

    def of(self, prop: str) -> tuple[Term, ...]:
        """The values of a property, by its IRI."""
        return tuple(each.value for each in self.statements if each.property == prop)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a profile says of a thing by all that the records say, at a ledger index, and the gravest of its results.

    `conforms` is None where the validation did not finish; `severity` is the worst of the results, '' without any.
    """

    profile: str
    conforms: bool | None
    severity: str
    count: int
    at: int
    results: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Thing:
    """A thing at a ledger index; `around` is what `lineage.around` answers, None where lineage does not know it.

    `at` and `as_of` are the moment of the lineage; what describes the thing is always what is said now.
    """

    iri: str
    kind: str
    index: int
    around: dict[str, Any] | None
    said: Said
    name: str = ""
    description: str = ""
    owners: tuple[Owner, ...] = ()
    tags: tuple[str, ...] = ()
    namespace: str = ""
    columns: tuple[SchemaColumn, ...] = ()
    sql: str = ""
    error: str = ""
    gaps: tuple[Gap, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    at: int | None = None
    as_of: str | None = None
    described: dict[str, dict[str, Any]] = field(default_factory=dict)  # names of all that it mentions
    nodes: dict[str, dict[str, Any]] = field(default_factory=dict)  # what lineage knows of what triples mention

    @property
    def role(self) -> str:
        """Whether it is an entity, an activity or an agent."""
        return str((self.around or {}).get("role", "entity"))

    def json(self) -> dict[str, Any]:
        """The whole as JSON, without the names of what it mentions."""
        said = asdict(self)
        for name in ("described", "nodes", "around", "said", "at", "as_of"):
            said.pop(name)
        moment = {name: value for name, value in (("atIndex", self.at), ("asOf", self.as_of)) if value is not None}
        told = asdict(self.said)
        told.pop("index")
        held = {name: value for name, value in {**said, **told}.items() if value not in ("", (), [], 0, False)}
        return {"index": self.index, **moment, **named(held), "lineage": self.around}


def named(value: Any) -> Any:
    """Data with its fields named as other answers name theirs (`recordsTotal`), without those that are None."""
    if isinstance(value, dict):
        return {_camel(name): named(each) for name, each in value.items() if each is not None}
    return [named(each) for each in value] if isinstance(value, list | tuple) else value


def _camel(name: str) -> str:
    first, *more = name.split("_")
    return first + "".join(map(str.capitalize, more))


#: How many of each list a page shows.
SHOWN = 10
