"""The pages about things: what `core.things` found, with a name and an address for everything it mentions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any
from urllib.parse import unquote

from fastapi.responses import HTMLResponse

from provstore import queries, rdf
from provstore.core.things import Column, Thing
from provstore.core.things.thing import Alias, Behind, Check, Measure, Owner, Parameter, Term
from provstore.lineage.parameters import JUDGED
from provstore.ui import names, render, wording
from provstore.ui.measures import Table, tables
from provstore.vocab import PS

#: Properties that other parts of a page tell.
_TOLD = {
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#type",
    "http://purl.org/dc/terms/description",
    "http://www.w3.org/ns/dcat#keyword",
    "http://purl.org/dc/terms/conformsTo",
    f"{PS.iri}namespace",
    f"{PS.iri}name",
    "http://www.w3.org/ns/prov#wasAttributedTo",
}
#: Relations that sections of their own tell, by kind of thing.
_IN_SECTIONS = {("derived", "out"), ("possible", "out"), ("influenced", "out"), ("generated", "out")}
_IN_SECTIONS |= {("associated", "out"), ("attributed", "out"), ("state", "out")}
#: Kind → the canned queries that fit it, each with the parameter that takes the thing.
_STATE_QUESTIONS = (
    ("lineage/origins", "entity"),
    ("lineage/sources", "entity"),
    ("lineage/reproduce", "entity"),
    ("audit/agents", "entity"),
)
_QUESTIONS: dict[str, tuple[tuple[str, str], ...]] = {
    "Dataset": (
        ("lineage/history", "dataset"),
        ("catalogue/schema", "dataset"),
        ("impact/consumers", "dataset"),
        ("impact/retrain", "entity"),
        ("quality/measurements", "dataset"),
        ("lineage/columns", "entity"),
    ),
    "WriteState": (*_STATE_QUESTIONS, ("lineage/columns", "entity"), ("impact/verdicts", "entity")),
    "ReadState": (*_STATE_QUESTIONS, ("impact/verdicts", "entity")),
    "RegistryVersion": (*_STATE_QUESTIONS, ("models/versions", "contains")),
    "ModelVersion": (
        *_STATE_QUESTIONS,
        ("bias/disparities", "model"),
        ("bias/sources", "model"),
        ("bias/consumers", "model"),
    ),
    "Model": (("bias/disparities", "model"), ("impact/decisions", "entity"), ("catalogue/models", "contains")),
    "Prediction": _STATE_QUESTIONS,
    "Decision": _STATE_QUESTIONS,
    "Job": (("catalogue/jobs", "contains"), ("integrity/unobserved", "contains"), ("catalogue/runs", "contains")),
}
#: What is asked of all parts of a thing, where the summary of the query speaks of one.
_OF_ALL = {"lineage/columns": "Which columns was each column made from?"}
_OF_ACTIVITIES = (("lineage/run", "run"),)
_OF_AGENTS = (("audit/actions", "agent"), ("catalogue/owners", "contains"))
_VALUES = 10  # of one property
#: What `format` may be, for who cannot send an Accept header, and the media type that it means.
FORMATS = {
    "json": "application/json",
    "turtle": "text/turtle",
    "nt": "application/n-triples",
    "xml": "application/rdf+xml",
    "jsonld": "application/ld+json",
    "trig": "application/trig",
    "nquads": "application/n-quads",
}


@dataclass(frozen=True, slots=True)
class Link:
    """An address and what it says."""

    text: str
    href: str


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened to a thing: when, what in words, and to or by what.

    `after` is when it had not happened yet, where the time is only when it had.
    """

    time: str
    what: str
    thing: names.Thing | None = None
    after: str = ""


#: A job's IRI in that of a version or declaration of it, and how that begins.
_OF_JOB = re.compile(r"(.*/job/[^/]+/[^/]+)/(version|declared)/([0-9a-f]{8})")


class Namer:
    """Names for all that a page mentions: states by dataset, time and maker; runs by job and time."""

    def __init__(self, thing: Thing) -> None:
        self._described = thing.described
        self._nodes = dict(thing.nodes)
        if thing.around:
            self._nodes |= {node["iri"]: node for node in _nodes(thing.around)}

    def iri(self, iri: str) -> names.Thing:
        """A thing by its IRI."""
        return self.node(self._nodes.get(iri, {"iri": iri, "kind": ""}))

    def node(self, node: Mapping[str, Any]) -> names.Thing:
        """A thing by what lineage says of it."""
        iri, kind = str(node["iri"]), str(node.get("kind", ""))
        said = names.thing(iri, self._described, kind)
        said = replace(
            said,
            kind=wording.kind(kind) if kind else said.kind,
            role=str(node.get("role", "entity")) if kind else said.role,
        )
        when = minute(node.get("time"))
        asset = node.get("asset")
        if kind in ("WriteState", "ReadState") and asset:
            verb = "written" if kind == "WriteState" else "read"
            by = f" by {self.plain(node['activity'])}" if node.get("activity") else ""
            return replace(said, name=f"{self.plain(asset)} as {verb}{when and f' {when}'}{by}")
        if kind == "Version" and asset:
            return replace(said, name=f"{self.plain(asset)}, version {unquote(iri.rpartition('/')[2])}")
        if iri.startswith(PS.iri):
            return replace(said, name=wording.label(iri))
        if kind == "AliasAssignment" and (titles := self._described.get(iri, {}).get("names")):
            return replace(said, name=titles[0])
        if of_job := _OF_JOB.match(iri):
            what = "as declared" if of_job[2] == "declared" else f"version {of_job[3]}"
            return replace(said, name=f"{self.plain(of_job[1])} {what}")
        if asset and iri.startswith(f"{asset}/") and iri not in self._described:
            return replace(said, name=f"{self.plain(asset)}, {unquote(iri.removeprefix(f'{asset}/'))}")
        if when and node.get("role") == "activity" and self._described.get(iri, {}).get("job"):
            return replace(said, name=f"{said.name}, {when}")
        return said

    def plain(self, iri: str) -> str:
        """The name of a thing without what tells it from its like."""
        return names.thing(iri, self._described).name


def _nodes(value: Any) -> Iterator[dict[str, Any]]:
    """Every node in a JSON value of lineage, the thing itself last."""
    if isinstance(value, dict):
        for each in value.values():
            yield from _nodes(each)
        if "iri" in value:
            yield value
    elif isinstance(value, list):
        for each in value:
            yield from _nodes(each)


def minute(text: str | None) -> str:
    """A date-time to the minute, as text; '' for none."""
    return f"{text[:10]} {text[11:16]}" if text and "T" in text else text or ""


class View:
    """What the templates ask of a thing."""

    def __init__(self, thing: Thing, given: Mapping[str, str]) -> None:
        self.thing, self.given, self.say = thing, dict(given), Namer(thing)
        self.around = thing.around or {}
        self.self = self.say.node({"iri": thing.iri, "kind": thing.kind, **_card(self.around)})
        if thing.kind == "Bytes" and len(called := self._files()) == 1:
            self.self = replace(self.self, name=f"{called.pop()}, {self.self.name}")
        self.is_activity, self.is_agent = thing.role == "activity", thing.role == "agent"
        self.moment = {"at_index": given.get("at-index"), "as_of": given.get("as-of")}

    # -- what it is ---------------------------------------------------------------------------------------------------

    @property
    def kind(self) -> str:
        return wording.kind(self.thing.kind)

    def _files(self) -> set[str]:
        """The names, without folders, of the files that were seen to consist of these bytes."""
        states = [node for each in self.related("bytes", "in") for node in each["nodes"]]
        return {self.say.plain(node["asset"]).rpartition("/")[2] for node in states if node.get("asset")}

    @property
    def types(self) -> list[str]:
        """Further classes than its kind, in words."""
        found = (term.text for term in self.thing.said.of("http://www.w3.org/1999/02/22-rdf-syntax-ns#type"))
        plain = {"Entity", "Activity", "Agent", "Plan", "Source", "UnresolvedRead", self.thing.kind}
        return sorted(
            {wording.kind(n) for iri in found if (n := iri.replace("#", "/").rpartition("/")[2]) not in plain}
        )

    @property
    def facts(self) -> list[tuple[str, list[Term], int]]:
        """What is said of it beyond what sections tell: label, first values, how many in all."""
        held: dict[str, list[Term]] = {}
        said = self.thing.said
        values, units = said.of(_NUMERIC), said.of(_UNIT)
        if values and units:
            held[_NUMERIC] = [Term(f"{value.text} {_unit(units[0])}") for value in values]
        for each in said.statements:
            if values and units and each.property in (_NUMERIC, _UNIT):
                continue
            if each.property not in _TOLD and not self._repeats(each.value):
                held.setdefault(each.property, []).append(each.value)
        return [(wording.label(each), terms[:_VALUES], len(terms)) for each, terms in held.items()]

    def _repeats(self, term: Term) -> bool:
        return not term.is_iri and term.text in (self.self.name, self.thing.name)

    @property
    def outcome(self) -> names.Thing | None:
        """How an activity ended, where that is said."""
        return next(
            (self.say.iri(node["iri"]) for each in self.related("state", "out") for node in each["nodes"]), None
        )

    def related(self, relation: str, direction: str, kind: str | None = None) -> list[dict[str, Any]]:
        return [
            each
            for each in self.around.get("relations", ())
            if (each["relation"], each["direction"]) == (relation, direction) and kind in (None, each["kind"])
        ]

    @property
    def others(self) -> list[dict[str, Any]]:
        """The relations that no section tells."""
        told = set(_IN_SECTIONS)
        if self.is_activity:
            told |= {("used", "out"), ("generated", "in")}
        else:
            told |= {("derived", "in"), ("possible", "in"), ("influenced", "in")}
        if self.around.get("asset"):
            told.add(("special", "out"))
        return [
            each
            for each in self.around.get("relations", ())
            if (each["relation"], each["direction"]) not in told
            and (each["relation"] == "bytes" or each["kind"] not in ("WriteState", "ReadState"))
            and not self._is_dated(each)
        ]

    def _is_dated(self, related: Mapping[str, Any]) -> bool:
        """Whether all of a relation is told as moments."""
        happened = any((relation, way) == (related["relation"], related["direction"]) for relation, way, _ in _HAPPENED)
        return happened and not self.is_agent and all(node.get("time") for node in related["nodes"])

    @property
    def is_traced(self) -> bool:
        """Whether lineage says where it comes from, or that it is a source; an agent comes from nowhere."""
        return bool(
            self.is_agent
            or self.around.get("origin")
            or self.around["sources"]["total"]
            or self.around["upstream"]["total"]
        )

    # -- when ---------------------------------------------------------------------------------------------------------

    @property
    def moments(self) -> list[Moment]:
        """What happened to it, the latest first."""
        found = [each for each in self._moments() if each.time]
        return sorted(found, key=lambda each: each.time, reverse=True)[:_MOMENTS]

    @property
    def happened(self) -> list[str]:
        """How many there are of each kind of moment that is not listed whole."""
        return [
            wording.kinds(each["kind"] or each["nodes"][0]["kind"], each["total"])
            for relation, direction, _ in _HAPPENED
            for each in self.related(relation, direction)
            if each["total"] > len(each["nodes"]) and each["nodes"]
        ]

    def _moments(self) -> Iterator[Moment]:
        around = self.around
        if self.is_activity:
            yield Moment(around.get("end") or "", "ended")
            yield Moment(around.get("start") or "", "began")
        elif around.get("time") and self.thing.kind != "ReadState":
            maker = around.get("activity")
            yield Moment(around["time"], "was made by" if maker else "was made", self.say.iri(maker) if maker else None)
        for relation, direction, what in _HAPPENED:
            for each in self.related(relation, direction):
                for node in each["nodes"]:
                    yield self._happened(node, what)
        for alias in self.thing.said.aliases:
            named = self.say.iri(alias.version)
            yield Moment(alias.since or "", f"“{alias.alias}” became the name of", named, alias.since_after or "")
        for term in self.thing.said.of("http://www.w3.org/ns/prov#invalidatedAtTime"):
            yield Moment(term.text, "became invalid")

    def _happened(self, node: Mapping[str, Any], what: str) -> Moment:
        """A moment of another thing, whose name need not repeat its time."""
        said = self.say.node({name: value for name, value in node.items() if name != "time"})
        if node["kind"] in ("WriteState", "ReadState"):
            what = "was written" if node["kind"] == "WriteState" else "was read"
            by = node.get("activity")
            said = replace(said, name=self.say.plain(by) if by else said.name)
            what += " by" if by else ":"
        return Moment(node.get("time", ""), _WHAT.get(node["kind"], what), said)

    # -- further ------------------------------------------------------------------------------------------------------

    @property
    def questions(self) -> list[Link]:
        """The canned queries that fit, filled in."""
        kind = self.thing.kind
        of_role = _OF_ACTIVITIES if self.is_activity else _OF_AGENTS if self.is_agent else ()
        wanted = (*of_role, *_QUESTIONS.get(kind, ()))
        known = queries.catalogue()
        return [
            Link(
                _OF_ALL.get(name, known[name].summary), names.address(f"/queries/{name}", **{parameter: self.thing.iri})
            )
            for name, parameter in wanted
            if name in known
        ]

    def lineage(self, **parameters: object) -> str:
        """The address of the lineage picture, at the moment of the page."""
        return names.address("/lineage", entity=self.thing.iri, **{**self.moment, **parameters})

    def impact(self, **parameters: object) -> str:
        return names.address("/impact", entity=self.thing.iri, **{**self.moment, **parameters})

    def here(self, **parameters: object) -> str:
        """The address of this page with other parameters."""
        kept = {name.replace("-", "_"): value for name, value in self.given.items()}
        return names.address("/entity", **{**kept, **parameters})

    def owner(self, owner: Owner) -> names.Thing:
        """An owner by the name of the agent, or else as producers name him."""
        said = replace(self.say.iri(owner.iri), role="agent")
        return said if owner.iri in self.thing.described else replace(said, name=owner.name)

    @staticmethod
    def is_state(iri: str) -> bool:
        """Whether an IRI is that of a read or write."""
        return names.asset_of(iri) != iri

    @property
    def judged_kinds(self) -> list[str]:
        return [kind for kind in JUDGED if kind in self.around["downstream"]["kinds"]]

    @property
    def judged(self) -> list[dict[str, Any]]:
        """The models, predictions and decisions that depend on it and are not one step away already."""
        near = {node["iri"] for node in self.around["dependents"]["nodes"]}
        return [node for node in self.around["downstream"]["judged"]["nodes"] if node["iri"] not in near]

    @property
    def failed(self) -> list[Check]:
        return [each for each in self.thing.said.checks if each.outcome == "failed"]

    def measures(self, column: str | None = None) -> list[Measure]:
        return [m for m in self.thing.said.measures if column is None or m.column == column][:_MEASURES]

    @cached_property
    def all_measures(self) -> list[Measure]:
        """What was measured of it or by it; what a run says of itself once more of its model is told once."""
        found = list(self.thing.said.measures)
        elsewhere = {(m.metric, m.value) for m in found if m.of != self.thing.iri} if self.is_activity else set()
        return [m for m in found if m.of != self.thing.iri or (m.metric, m.value) not in elsewhere]

    @property
    def measured(self) -> tuple[list[Table], list[Measure]]:
        """The measurements as tables, and those that make none; a dataset's are told one by one."""
        one_by_one = self.thing.kind in ("Dataset", "Version", "WriteState", "ReadState")
        return ([], self.all_measures) if one_by_one else tables(self.all_measures)

    @property
    def settings(self) -> list[tuple[str, tuple[Parameter, ...]]]:
        """Parameters, and what else was noted by name."""
        said = self.thing.said
        notes = () if self.thing.kind in ("Dataset", "Job") else said.attributes
        return [(title, each) for title, each in (("Parameters", said.parameters), ("Tags", notes)) if each]

    def said_by(self, settings: Iterable[Parameter]) -> dict[str, list[names.Thing]]:
        """Those that say settings, by their kind in words."""
        found: dict[str, list[names.Thing]] = {}
        for iri in sorted({iri for each in settings for iri in each.of}):
            one = self.self if iri == self.thing.iri else self.say.iri(iri)
            found.setdefault(one.kind, []).append(one)
        return found

    def behind(self, *what: str) -> list[Behind]:
        """What a model, or the model behind a thing, was made with."""
        return [each for each in self.thing.said.behind if each.what in what]

    @property
    def models(self) -> list[str]:
        """The models behind it, itself where it is one."""
        own = [self.thing.iri] if self.thing.kind == "ModelVersion" else []
        return list(dict.fromkeys([*own, *(each.of for each in self.behind("training"))]))

    @property
    def names_given(self) -> list[Alias]:
        """The names it bears now, or, as a logged model, its version in a registry does."""
        here = self.thing.kind in ("ModelVersion", "RegistryVersion")
        return [each for each in self.thing.said.aliases if here and not each.ended]


_MEASURES = 12
_MOMENTS = 12
_NUMERIC, _UNIT = "http://qudt.org/schema/qudt/numericValue", "http://qudt.org/schema/qudt/unit"
#: QUDT's names of units → how they are written; others go by their names.
_UNITS = {
    "MilliMOL-PER-L": "mmol/L",
    "MilliGM-PER-DeciL": "mg/dL",
    "GM-PER-DeciL": "g/dL",
    "MicroMOL-PER-L": "µmol/L",
    "PERCENT": "%",
    "DEG_C": "°C",
    "MilliM_HG": "mmHg",
}
#: Related things that happened, with what happened.
_HAPPENED = (
    ("special", "in", "had as a state"),
    ("job", "in", "was run as"),
    ("associated", "in", "had a hand in"),
    ("used", "in", "was used by"),
    ("invalidated", "out", "was invalidated by"),
)
_WHAT = {"ModelVersion": "had the version made:", "RegistryVersion": "had the version registered:"}


def _unit(term: Term) -> str:
    name = term.text.replace("#", "/").rpartition("/")[2]
    return _UNITS.get(name, name)


def _card(around: Mapping[str, Any]) -> dict[str, Any]:
    return {name: around[name] for name in ("asset", "activity", "time", "role") if name in around}


def is_link(term: Term) -> bool:
    return term.is_iri and rdf.is_iri(term.text)


def thing_page(thing: Thing, given: Mapping[str, str]) -> HTMLResponse:
    """The page about a thing; `given` are the parameters it was asked with."""
    view = View(thing, given)
    plain = {media_type: names.address("/entity", iri=thing.iri, format=name) for name, media_type in FORMATS.items()}
    if thing.kind == "Dataset":
        plain["application/vnd.provstore.croissant+json"] = names.address("/entity", iri=thing.iri, format="croissant")
    return render.page(
        "things/thing.html",
        alternates={**plain, "application/json": view.here(format="json")},
        headers={"Provstore-Index": str(thing.index)},
        view=view,
        thing=thing,
        around=view.around,
        wording=wording,
        is_link=is_link,
    )


def column_page(column: Column, given: Mapping[str, str]) -> HTMLResponse:
    """The page about a column."""
    view = View(column.thing, given)
    return render.page(
        "things/column.html",
        alternates={"application/json": view.here(format="json")},
        headers={"Provstore-Index": str(column.index)},
        view=view,
        column=column,
        thing=column.thing,
        wording=wording,
        is_link=is_link,
    )


def unknown_page(named: str, problem: Mapping[str, Any]) -> HTMLResponse:
    """What a browser gets that asks about what nobody recorded: the nearest by name."""
    nearest = [
        (names.Thing(each["iri"], each["name"], names.spaced(each["kind"]), names.role(each["kind"])))
        for each in problem["nearest"]
    ]
    return render.page("things/unknown.html", status=problem["status"], problem=problem, named=named, nearest=nearest)
