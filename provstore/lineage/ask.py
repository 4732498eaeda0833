"""Lineage and impact as they are asked from outside: named parameters of text in, an answer ready to be written out."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from provstore.errors import QueryRefused
from provstore.lineage.column_picture import ColumnPictureQuestion, column_picture
from provstore.lineage.columns import ColumnQuestion, columns
from provstore.lineage.graph import LineageGraph
from provstore.lineage.impact import ImpactQuestion, impact
from provstore.lineage.parameters import IMPACT, JUDGED, LINEAGE
from provstore.lineage.picture import PictureQuestion, picture
from provstore.lineage.questions import Question, compare, lineage, moment_of, paths, roots
from provstore.vocab import PROV, PS


@dataclass(frozen=True, slots=True)
class Told:
    """An answer at a ledger index: the whole as JSON, its main list as rows, its edges as triples."""

    json: dict[str, Any]
    listed: str
    columns: tuple[str, ...]

    @property
    def index(self) -> int:
        return int(self.json["index"])

    def rows(self) -> list[tuple[str, ...]]:
        return [tuple(_cell(row.get(name)) for name in self.columns) for row in self.json[self.listed]]

    def csv(self) -> str:
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\r\n")  # RFC 4180 §2
        writer.writerow(self.columns)
        writer.writerows(self.rows())
        return out.getvalue()

    def ntriples(self) -> str:
        return "".join(
            f"<{each['subject']}> <{_predicate(each['relation'])}> <{each['object']}> .\n"
            for each in self.json.get("edges", ())
            if "relation" in each
        )


def _predicate(relation: str) -> str:
    return PS.possiblyDerivedFrom[1:-1] if relation == "possiblyDerivedFrom" else f"{PROV.iri}{relation}"


@dataclass(frozen=True, slots=True)
class Asked:
    """A question ready to be answered: what computes it, and the list in its answer that matters, by columns."""

    compute: Callable[[LineageGraph], dict[str, Any]]
    listed: str
    columns: tuple[str, ...]
    brief: Callable[[LineageGraph], dict[str, Any]] | None = None  # the same if it does not take long, else Long

    def answer(self, graph: LineageGraph) -> Told:
        return self.told(self.compute(graph))

    def told(self, said: dict[str, Any]) -> Told:
        """An answer's JSON, wherever it was computed, ready to be written."""
        return Told(said, self.listed, self.columns)


def asked(form: str, given: Mapping[str, str]) -> Asked:
    """The question that parameters ask, `form` being lineage or impact; QueryRefused names what is wrong with them."""
    known = LINEAGE if form == "lineage" else IMPACT
    values = {name: value for name, value in given.items() if value != ""}
    for name in values:
        if name not in known:
            raise QueryRefused(f"{form} has no parameter {name[:60]!r}: it takes {', '.join(known)}")
    if "entity" not in values:
        raise QueryRefused(f"the parameter 'entity' is missing: {known['entity']}")
    return _impact(values) if form == "impact" else _lineage(values)


def _lineage(values: Mapping[str, str]) -> Asked:
    if _flag(values, "picture"):
        return _picture(values)
    alone = [name for name in ("column", "to", "roots", "compare") if name in values]
    if len(alone) > 1:
        raise QueryRefused(f"{' and '.join(alone)} are questions of their own: ask one at a time")
    if "column" in values:
        return _columns(values)
    if "compare" in values:
        return _compare(values)
    question = _question(values, values.get("direction", "upstream"))
    if "to" in values:
        return Asked(lambda graph: paths(graph, question, values["to"]).json(), "nodes", _NODE)
    if _flag(values, "roots"):
        return Asked(lambda graph: roots(graph, question).json(), "nodes", _NODE)
    return Asked(
        lambda graph: lineage(graph, question).json(),
        "nodes",
        _NODE,
        lambda graph: lineage(graph, question, brief=True).json(),
    )


def _question(values: Mapping[str, str], direction: str) -> Question:
    return Question(
        entity=values["entity"],
        direction=direction,
        by=values.get("by", "derivation"),
        depth=_number(values, "depth"),
        kinds=_kinds(values, ()),
        level=values.get("level", "state"),
        at=_number(values, "at-index"),
        as_of=values.get("as-of"),
        limit=_limit(values, 50),
        cursor=values.get("cursor"),
    )


def _picture(values: Mapping[str, str]) -> Asked:
    direction = values.get("direction", "upstream")
    if wrong := [name for name in ("roots", "compare") if name in values]:
        raise QueryRefused(f"a picture has no {wrong[0]!r}: ask for it without 'picture'")
    if values.get("level") == "column":
        return _column_picture(values, direction)
    if "column" in values:
        raise QueryRefused("a picture shows columns with 'level=column'")
    question = PictureQuestion(_question(values, "upstream"), direction, values.get("to"))
    return Asked(lambda graph: picture(graph, question).json(), "nodes", _SHOWN)


def _column_picture(values: Mapping[str, str], direction: str) -> Asked:
    if wrong := [name for name in ("to", "by") if name in values]:
        raise QueryRefused(f"a picture of columns has no {wrong[0]!r}")
    question = ColumnPictureQuestion(
        entity=values["entity"],
        column=values.get("column"),
        direction=direction,
        depth=_number(values, "depth"),
        kinds=_kinds(values, ()),
        stop_at_masked=_flag(values, "stop-at-masked"),
        at=_number(values, "at-index"),
        as_of=values.get("as-of"),
        limit=_limit(values, 50),
        cursor=values.get("cursor"),
    )
    return Asked(lambda graph: column_picture(graph, question).json(), "nodes", _SHOWN)


def _columns(values: Mapping[str, str]) -> Asked:
    question = ColumnQuestion(
        entity=values["entity"],
        column=values["column"],
        direction=values.get("direction", "upstream"),
        depth=_number(values, "depth"),
        stop_at_masked=_flag(values, "stop-at-masked"),
        at=_number(values, "at-index"),
        as_of=values.get("as-of"),
        limit=_limit(values),
        cursor=values.get("cursor"),
    )
    return Asked(lambda graph: columns(graph, question).json(), "columns", _COLUMN)


def _compare(values: Mapping[str, str]) -> Asked:
    at, other_at = _number(values, "at-index"), _number(values, "other-at-index")

    def differences(graph: LineageGraph) -> dict[str, Any]:
        first = moment_of(graph, at, values.get("as-of"))
        second = moment_of(graph, other_at, values.get("other-as-of"))
        found = [each.json() for each in compare(first, values["entity"], second, values["compare"])]
        return {"index": graph.index, "differences": found}

    return Asked(differences, "differences", _DIFFERENCE)


def _impact(values: Mapping[str, str]) -> Asked:
    question = ImpactQuestion(
        entity=values["entity"],
        column=values.get("column"),
        after=values.get("after"),
        before=values.get("before"),
        kinds=_kinds(values, JUDGED),
        verdict=values.get("verdict"),
        at=_number(values, "at-index"),
        as_of=values.get("as-of"),
        limit=_limit(values),
        cursor=values.get("cursor"),
    )
    return Asked(lambda graph: impact(graph, question).json(), "verdicts", _VERDICT)


_NODE = ("certainty", "depth", "kind", "iri", "asset", "activity", "time", "origin")
_SHOWN = (
    "side",
    "certainty",
    "depth",
    "kind",
    "name",
    "iri",
    "asset",
    "activity",
    "time",
    "origin",
    "sources",
    "results",
)
_COLUMN = ("dataset", "column", "certainty", "depth", "kind", "state")
_DIFFERENCE = ("aspect", "of", "onlyFirst", "onlySecond")
_VERDICT = ("verdict", "kind", "iri", "depth", "asset", "time")


def _cell(value: object) -> str:
    if isinstance(value, list | tuple):
        return " ".join(map(str, value))
    return "" if value is None else str(value)


def _kinds(values: Mapping[str, str], default: tuple[str, ...]) -> tuple[str, ...]:
    text = values.get("kind")
    return tuple(each.strip() for each in text.split(",") if each.strip()) if text else default


def _flag(values: Mapping[str, str], name: str) -> bool:
    text = values.get(name, "false")
    if text not in ("true", "false"):
        raise QueryRefused(f"parameter {name!r} is true or false, got {text[:40]!r}")
    return text == "true"


def _limit(values: Mapping[str, str], default: int = 1000) -> int:
    found = _number(values, "limit")
    return default if found is None else found


def _number(values: Mapping[str, str], name: str) -> int | None:
    text = values.get(name)
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise QueryRefused(f"parameter {name!r} must be a non-negative integer, got {text[:40]!r}")
    return int(text)
