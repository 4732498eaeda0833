"""Every canned query on the worked examples: the rows written down in tests/queries, here and from two plain engines.

A file holds one case or more: a line `? parameter=value …`, the names of the columns, then the rows in their order,
cells between bars; a line that begins with `#` says why the rows are right. Names are shortened as `_SHORT` says;
`Names` names what differs from store to store (records, times of receipt, actors) or from mapping to mapping.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import rdflib

from provstore import queries, rdf
from provstore.core import ProvStore
from provstore.vocab import PS
from tests.engines import plain_engine
from tests.servers import BASE, WORKED, Server, serving
from tests.suites import ROOT
from tests.verdicts import judged

FOLDER = ROOT / "tests" / "queries"
CAPTURED = FOLDER / "credit-risk"
#: One that finds something in the examples, and is done with them at once.
_PROFILES = "bcbs-239/1:annotate"
_SHORT = {
    "@": "0193b1a0-0000-7000-8000-0000000000",
    "%": "0193b1a0-0000-7000-",
    "bank:": f"{BASE}/dataset/warehouse%3A%2F%2Fbank/",
    "feast:": f"{BASE}/dataset/feast%3A%2F%2Fbank/",
    "raw:": f"{BASE}/dataset/s3%3A%2F%2Fbank-raw/",
    "api:": f"{BASE}/dataset/https%3A%2F%2Fdemographics.example/",
    "bureau:": f"{BASE}/dataset/https%3A%2F%2Fbureau.example/",
    "ps:": "https://w3id.org/provstore/ns#",
    "~": f"{BASE}/",
}


@dataclass(frozen=True, slots=True)
class Case:
    """A question with its parameters, and the answer as lines."""

    query: str
    number: int
    values: dict[str, str]
    lines: list[str]
    captured: bool = False  # of the example that was captured, not of the two that were written

    def __str__(self) -> str:
        return f"{self.query}-{self.number}"


def cases() -> list[Case]:
    found = []
    for path in sorted(FOLDER.rglob("*.txt")):
        captured = path.is_relative_to(CAPTURED)
        name = path.relative_to(CAPTURED if captured else FOLDER).with_suffix("").as_posix()
        lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
        starts = [at for at, line in enumerate(lines) if line.startswith("?")]
        for number, (at, end) in enumerate(zip(starts, [*starts[1:], len(lines)], strict=True)):
            values = dict(word.split("=", 1) for word in shlex.split(lines[at][1:]))
            found.append(Case(name, number, {k: expanded(v) for k, v in values.items()}, lines[at + 1 : end], captured))
    return found


def expanded(text: str) -> str:
    for short, full in _SHORT.items():
        if short in "@%":
            text = text.replace(short, full)
        elif text.startswith(short):
            text = full + text.removeprefix(short)
    return text


@dataclass(frozen=True, slots=True)
class Names:
    """How the values of one store are written down."""

    records: dict[str, str] = field(default_factory=dict)
    received: set[str] = field(default_factory=set)
    actors: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, dump: list[str]) -> Names:
        names = cls()
        for subject, predicate, value, _ in map(rdf.split, dump):
            if predicate == PS.ledgerIndex:
                names.records[subject[1:-1]] = f"record/{rdf.text_of(value)}"
            elif predicate == PS.recordedAt:
                names.received.add(rdf.text_of(value))
            elif predicate == PS.actor:
                names.actors.add(rdf.text_of(value))
        return names

    def short(self, term: dict[str, str] | None) -> str:
        if term is None:
            return "—"
        text = term["value"]
        if text in self.records:
            return self.records[text]
        if text in self.received or text in self.actors:
            return "when received" if text in self.received else "the actor"
        if text.startswith("ni:///"):
            return "the content"
        for short, full in _SHORT.items():
            text = text.replace(full, "" if short == "~" else short)
        return re.sub(r"(/version/)[0-9a-f]{64}", r"\1…", text)

    def lines(self, answer: dict[str, Any]) -> list[str]:
        columns = answer["head"]["vars"]
        rows = answer["results"]["bindings"]
        return [" | ".join(columns), *(" | ".join(self.short(row.get(c)) for c in columns) for row in rows)]


@dataclass(frozen=True, slots=True)
class Asked:
    server: Server
    plain: httpx.Client
    other: rdflib.Dataset
    names: Names


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    yield from _asked(tmp_path_factory.mktemp("answers") / "data", *WORKED)


@pytest.fixture(scope="module")
def captured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    yield from _asked(tmp_path_factory.mktemp("captured") / "data", "credit-risk")


def _asked(directory: Path, *examples: str) -> Iterator[Asked]:
    """The examples in a server of ours, and as exported N-Quads in engines that know nothing of them."""
    with serving(directory, *examples, verb="demo", profiles=_PROFILES) as server:
        judged(server)
    store = ProvStore(directory)
    dump = store.views.store.dump()
    store.close()
    with (
        serving(directory, profiles=_PROFILES) as server,
        plain_engine() as plain,
        pytest.MonkeyPatch.context() as patch,
    ):
        quads = "".join(dump)
        plain.post("/store", content=quads, headers={"content-type": "application/n-quads"}).raise_for_status()
        patch.setattr(rdflib, "NORMALIZE_LITERALS", False)  # or it writes Z as +00:00
        other = rdflib.Dataset(default_union=False)
        other.parse(data=quads, format="nquads")
        yield Asked(server, plain, other, Names.of(dump))


def ours(asked: Asked, case: Case) -> bytes:
    accept = {"accept": "application/sparql-results+json"}
    return (
        asked.server.http.get(f"/queries/{case.query}", params=case.values, headers=accept).raise_for_status().content
    )


def plain(asked: Asked, case: Case) -> bytes:
    text = queries.bind(queries.find(case.query), case.values)
    headers = {"content-type": "application/sparql-query", "accept": "application/sparql-results+json"}
    return asked.plain.post("/query", content=text, headers=headers).raise_for_status().content


def other(asked: Asked, case: Case) -> bytes:
    """An implementation that shares no code with the first two."""
    found = asked.other.query(queries.bind(queries.find(case.query), case.values)).serialize(format="json")
    assert found is not None
    return found


@pytest.mark.parametrize("ask", [ours, plain, other], ids=["here", "oxigraph-serve", "rdflib"])
@pytest.mark.parametrize("case", cases(), ids=str)
def test_the_answer_is_as_written(
    case: Case, ask: Callable[[Asked, Case], bytes], request: pytest.FixtureRequest
) -> None:
    world: Asked = request.getfixturevalue("captured" if case.captured else "asked")
    assert world.names.lines(json.loads(ask(world, case))) == case.lines


_OF_CAPTURED = {case.query for case in cases() if case.captured}


@pytest.mark.parametrize("name", queries.catalogue())
def test_the_examples_of_a_head_give_rows(name: str, request: pytest.FixtureRequest) -> None:
    asked: Asked = request.getfixturevalue("captured" if name in _OF_CAPTURED else "asked")
    values = {each.name: each.example for each in queries.find(name).parameters}
    case = Case(name, 0, values, [])
    assert json.loads(ours(asked, case))["results"]["bindings"]


_ABOUT_ONE = [
    n for n, query in queries.catalogue().items() if any(p.required and p.type == "iri" for p in query.parameters)
]


@pytest.mark.parametrize("name", _ABOUT_ONE)
def test_nothing_is_known_of_what_nobody_mentioned(name: str, asked: Asked) -> None:
    values = {each.name: "urn:nobody" for each in queries.find(name).parameters if each.required}
    rows = json.loads(ours(asked, Case(name, 0, values, [])))["results"]["bindings"]
    assert {row["verdict"]["value"] for row in rows if "verdict" in row} <= {"not affected", "possibly affected"}
    assert name == "impact/verdicts" or rows == []


def test_every_query_has_an_answer_with_rows() -> None:
    assert sorted({case.query for case in cases() if len(case.lines) > 1}) == list(queries.catalogue())
    assert len(queries.catalogue()) >= 30
