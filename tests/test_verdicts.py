"""Verdicts on things: they follow the records, whatever comes in whatever order, and whoever is killed meanwhile."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers import Server, children, serving
from tests.verdicts import GRAPH, assert_current, judged

pytestmark = pytest.mark.slow

PROV = "http://www.w3.org/ns/prov#"
PROFILE = "prov-core/1"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(Path(tmp_path_factory.mktemp("verdicts")) / "data", profiles=f"{PROFILE}:annotate") as found:
        yield found


def say(server: Server, turtle: str) -> str:
    """Take a record in, again if the store is just starting; its IRI."""
    until = time.monotonic() + 60
    while True:
        answer = server.rdf(f"@prefix prov: <{PROV}> . @prefix ps: <https://w3id.org/provstore/ns#> . {turtle}")
        if answer.status_code != 503 or time.monotonic() > until:
            break
    assert answer.status_code in (200, 201), answer.text
    return str(answer.json()["record"])


def rules(server: Server, thing: str) -> set[str]:
    """The rules that found something in a thing, by the graph of verdicts."""
    judged(server)
    query = f"""PREFIX sh: <http://www.w3.org/ns/shacl#> SELECT ?rule WHERE {{
        GRAPH <{GRAPH}> {{ ?r sh:focusNode <{thing}> ; sh:sourceShape ?rule }} }}"""
    return {row["rule"].rpartition("#")[2] for row in server.rows(query, min_index=head(server))}


def head(server: Server) -> int:
    return int(server.http.get("/health").json()["head"])


def test_a_record_completes_an_older_thing(server: Server) -> None:
    say(server, "<urn:run:1> prov:qualifiedUsage <urn:usage:1> . <urn:usage:1> a prov:Usage .")
    before = rules(server, "urn:usage:1")
    assert before
    say(server, "<urn:usage:1> prov:entity <urn:e:1> .")
    assert not before & rules(server, "urn:usage:1")


def test_a_record_breaks_an_older_thing(server: Server) -> None:
    say(server, "<urn:e:2> a prov:Entity .")
    assert rules(server, "urn:e:2") == set()
    say(server, "<urn:e:2> a prov:Activity .")
    assert rules(server, "urn:e:2") == {"entity-is-no-activity"}


def test_the_order_does_not_matter(server: Server) -> None:
    say(server, "<urn:usage:3> prov:entity <urn:e:3> .")
    say(server, "<urn:e:3> a prov:Activity .")
    say(server, "<urn:e:3> a prov:Entity .")
    say(server, "<urn:run:3> prov:qualifiedUsage <urn:usage:3> . <urn:usage:3> a prov:Usage .")
    assert "entity-is-no-activity" in rules(server, "urn:e:3")


def test_what_is_superseded_counts_no_more(server: Server) -> None:
    wrong = say(server, "<urn:e:4> a prov:Entity , prov:Activity .")
    assert rules(server, "urn:e:4") == {"entity-is-no-activity"}
    say(server, f"<urn:e:4> a prov:Entity . <> ps:supersedes <{wrong}> .")
    assert rules(server, "urn:e:4") == set()


def test_what_comes_twice_is_judged_once(server: Server) -> None:
    for _ in range(3):
        say(server, "<urn:e:5> a prov:Entity , prov:Activity .")
        say(server, "<urn:other:5> a prov:Agent . <urn:e:5> a prov:Entity , prov:Activity .")
    assert rules(server, "urn:e:5") == {"entity-is-no-activity"}
    query = f"SELECT ?r WHERE {{ GRAPH <{GRAPH}> {{ ?r <http://www.w3.org/ns/shacl#focusNode> <urn:e:5> }} }}"
    assert len(server.rows(query)) == 1


_CLASSES = ("Entity", "Activity", "Agent", "Usage", "Generation", "Derivation", "Association", "Plan")
_PROPERTIES = ("used", "wasGeneratedBy", "wasDerivedFrom", "entity", "activity", "agent", "qualifiedUsage", "hadRole")
_TIMES = ("startedAtTime", "endedAtTime", "generatedAtTime", "atTime")


def record(chance: random.Random, written: list[str]) -> str:
    """A random record about few things, that now and then supersedes one before."""

    def thing() -> str:
        return f"<urn:thing:{chance.randrange(12)}>"

    said = []
    for _ in range(chance.randint(1, 5)):
        match chance.randrange(4):
            case 0:
                said.append(f"{thing()} a prov:{chance.choice(_CLASSES)} .")
            case 1:
                hour = chance.randrange(24)
                said.append(
                    f'{thing()} prov:{chance.choice(_TIMES)} "2026-01-01T{hour:02}:00:00.000+00:00"^^xsd:dateTime .'
                )
            case 2:
                said.append(f'{thing()} prov:{chance.choice(_PROPERTIES)} "text" .')
            case _:
                said.append(f"{thing()} prov:{chance.choice(_PROPERTIES)} {thing()} .")
    if written and chance.random() < 0.2:
        said.append(f"<> ps:supersedes <{chance.choice(written)}> .")
    return "@prefix xsd: <http://www.w3.org/2001/XMLSchema#> . " + " ".join(said)


def keeper(server: Server) -> list[int]:
    return [pid for pid, line in children(server.process.pid) if "provstore.core.keeper" in line]


def test_verdicts_are_those_of_a_whole_validation_whoever_is_killed(tmp_path: Path) -> None:
    """Batches of random records; between them the worker, the owner, or the server with all of them is killed."""
    directory, chance, written = tmp_path / "data", random.Random(7), list[str]()
    found = 0
    for killed in ("nobody", "keeper", "owner", "server", "keeper", "nobody"):
        with serving(directory, profiles=f"{PROFILE}:annotate") as server:
            for number in range(30):
                written.append(say(server, record(chance, written)))
                if number == 20 and killed == "keeper":
                    for pid in keeper(server):
                        os.kill(pid, signal.SIGKILL)
                if number == 29 and killed == "owner":
                    judged(server)
                    os.kill(server.owner(), signal.SIGKILL)
            if killed == "server":
                server.stop(signal.SIGKILL)
                continue
            judged(server)
        found += assert_current(directory, PROFILE)
    assert found > 50


def test_things_are_listed_by_what_they_lack(server: Server) -> None:
    rule = "https://w3id.org/provstore/shapes/prov-core#entity-is-no-activity"
    for number in range(3):
        say(server, f"<urn:listed:{number}> a prov:Entity , prov:Activity .")
    judged(server)
    said = server.http.get("/validation/things", params={"rule": rule, "limit": 2}).json()
    (profile,) = said["profiles"]
    assert profile["profile"] == said["profile"] == PROFILE
    assert profile["index"] == head(server)
    assert profile["violating"] >= said["total"] >= 3
    assert [each["thing"] for each in said["things"]] == ["urn:listed:2", "urn:listed:1"]
    assert said["things"][0]["results"][0]["shape"] == rule
    after = server.http.get(said["next"]).json()
    assert after["things"][0]["thing"] == "urn:listed:0"
    filters = {"kind": "activity", "severity": "MUST", "state": "violating"}
    listed = {each["thing"] for each in server.http.get("/validation/things", params=filters).json()["things"]}
    assert "urn:listed:1" in listed
    assert server.http.get("/validation/things", params={"kind": "agent"}).json()["things"] == []
    conforming = server.http.get("/validation/things", params={"state": "conforming"}).json()
    assert conforming["total"] == profile["conforming"] > 0


@pytest.mark.parametrize("wrong", ["state=bad", "severity=LOW", "profile=none", "limit=0", "before=x"])
def test_what_cannot_be_listed_is_refused(server: Server, wrong: str) -> None:
    say(server, "<urn:e:8> a prov:Entity .")
    judged(server)
    assert server.http.get(f"/validation/things?{wrong}").status_code == 400


def test_the_page_of_a_thing_has_its_verdict(server: Server) -> None:
    say(server, "<urn:paged> a prov:Entity , prov:Activity .")
    judged(server)
    said = server.http.get("/entity", params={"iri": "urn:paged"}).json()
    (verdict,) = said["verdicts"]
    assert (verdict["profile"], verdict["conforms"], verdict["severity"]) == (PROFILE, False, "MUST")
    assert verdict["at"] == head(server)
    assert "incomplete" in {gap["gap"] for gap in said["gaps"]}
    html = {"accept": "text/html"}
    page = server.http.get("/entity", params={"iri": "urn:paged"}, headers=html).text
    assert "does not conform" in page
    things = server.http.get("/validation/things", headers=html).text
    assert 'title="urn:paged"' in things
    assert "/validation/things" in server.http.get("/validation", headers=html).text
