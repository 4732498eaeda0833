"""Validation without storing: the same answer from the command and the route, and nothing is kept."""

from __future__ import annotations

import csv
import gzip
import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pyoxigraph as ox
import pytest

from provstore.validation.formats import FORMATS
from tests.servers import BASE, Server, command, environment, event, serving

GOOD = event(1)
BAD_TURTLE = """@prefix prov: <http://www.w3.org/ns/prov#> .
<urn:a> a prov:Activity ; prov:startedAtTime "yesterday" ; prov:used <urn:b> . <urn:b> a prov:Activity .
"""
POISON = "\n".join(f"_:a{i} <urn:p> _:a{j} ." for i in range(12) for j in range(12) if i != j)
P = "prov-core/2"
LINES = f'{json.dumps(GOOD)}\n{{"nonsense":\n{json.dumps({**GOOD, "eventTime": None})}\n'
SH = "http://www.w3.org/ns/shacl#"
XSD = "http://www.w3.org/2001/XMLSchema#"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("validating") / "data") as found:
        yield found


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "good.json").write_text(json.dumps([GOOD, event(2)]))
    (tmp_path / "bad.ttl").write_text(BAD_TURTLE)
    (tmp_path / "lines.jsonl").write_text(LINES)
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "good.json.gz").write_bytes(gzip.compress(json.dumps(GOOD).encode()))
    (tmp_path / "notes.txt").write_text("nothing")
    return tmp_path


def _post(
    server: Server, body: str | bytes, kind: str = "text/turtle", accept: str = "*/*", **more: str
) -> httpx.Response:
    return server.http.post("/validate", params=more, content=body, headers={"content-type": kind, "accept": accept})


def results(payloads: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Every result of some payloads, as JSON has it; what is told of nested shapes, too."""
    top = [result for each in payloads for profile in each.get("profiles", ()) for result in profile["results"]]
    return [*top, *(inner for result in top for inner in result["details"])]


# --- the command -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "code", "summary"),
    [
        (["good.json"], 0, "2 payloads by prov-core/2: 2 conform, 0 do not, 0 could not be read or judged"),
        (["bad.ttl"], 1, "1 payload by prov-core/2: 0 conform, 1 do not, 0 could not be read or judged"),
        (["lines.jsonl"], 2, "3 payloads by prov-core/2: 1 conform, 0 do not, 2 could not be read or judged"),
        (["*.json", "deep"], 0, "3 payloads by prov-core/2: 3 conform, 0 do not, 0 could not be read or judged"),
        (["."], 2, "7 payloads by prov-core/2: 4 conform, 1 do not, 2 could not be read or judged"),
        (["none.json", "notes.txt"], 2, f"2 payloads by {P}: 0 conform, 0 do not, 2 could not be read or judged"),
    ],
)
def test_the_exit_code_is_the_verdict(files: Path, names: list[str], code: int, summary: str) -> None:
    done = command("validate", "--data", files / "none", *(files / name for name in names))
    assert (done.returncode, done.stdout.decode().splitlines()[-1]) == (code, summary), done.stderr
    assert done.stderr == b""
    assert not (files / "none").exists()


def test_a_finding_says_where_what_and_what_is_wanted(files: Path) -> None:
    said = command("validate", files / "bad.ttl").stdout.decode()
    assert f"{files / 'bad.ttl'}: does not conform to prov-core/2 (2 MUST)\n" in said
    assert '  MUST   urn:a prov:startedAtTime = "yesterday"\n         at line 2, column 46\n' in said
    assert "Write it as" in said
    assert "https://www.w3.org/TR/prov-o/#startedAtTime" in said
    said = command("validate", files / "lines.jsonl").stdout.decode()
    assert f"{files / 'lines.jsonl'} at line 2: could not be read: not JSON" in said
    assert f"{files / 'lines.jsonl'} at line 3, /eventTime: could not be read: 'eventTime' must be" in said


def test_standard_input_needs_its_type(files: Path) -> None:
    assert command("validate", "-", "--input", "ttl", data=BAD_TURTLE.encode()).returncode == 1
    assert command("validate", "-", "--input", "text/turtle", data=BAD_TURTLE.encode()).returncode == 1
    assert command("validate", "-", data=json.dumps(GOOD).encode()).returncode == 0
    assert command("validate", "-", data=b"").returncode == 2
    assert b"--input is json" in command("validate", "-", "--input", "docx").stderr
    assert b"give --input" in command("validate", files / "notes.txt").stdout


def test_a_profile_that_is_not_there(files: Path) -> None:
    done = command("validate", "--profile", "prov-cor", files / "bad.ttl")
    assert done.returncode == 2
    assert b"no validation profile 'prov-cor'; perhaps prov-core" in done.stderr
    none = command("validate", files / "bad.ttl", settings={"profiles": "prov-core:off"})
    assert none.returncode == 2
    assert re.search(rb"name one of [a-z0-9, -]*prov-core", none.stderr)
    named = command("validate", "--profile", "prov-core", files / "bad.ttl", settings={"profiles": "prov-core:off"})
    assert named.returncode == 1


def test_each_form_says_the_same(files: Path) -> None:
    line = ("validate", files / "bad.ttl", files / "lines.jsonl", "--format")
    said = json.loads(command(*line, "json").stdout)
    assert [said["conforms"], said["profiles"], len(said["payloads"])] == [False, ["prov-core/2"], 4]
    assert [each["conforms"] for each in said["payloads"]] == [False, True, None, None]
    rows = list(csv.DictReader(command(*line, "csv").stdout.decode().splitlines()))
    assert [row["severity"] for row in rows] == ["MUST", "MUST", "ERROR", "ERROR"]
    assert [row["focus"] for row in rows[:2]] == ["urn:a", "urn:a"]
    assert [row["line"] for row in rows] == ["2", "2", "2", "3"]
    text = command(*line, "turtle").stdout
    quads = list(ox.parse(text, format=ox.RdfFormat.TURTLE))
    assert sum(quad.predicate.value == f"{SH}result" for quad in quads) == 2
    assert sum(quad.predicate.value == f"{SH}conforms" for quad in quads) == 2
    assert b"# not read: not JSON" in text


def test_the_least_severity_that_fails_is_chosen(files: Path) -> None:
    (files / "warned.ttl").write_text("@prefix prov: <http://www.w3.org/ns/prov#> . <urn:a> a prov:Entity .")
    line = ("validate", "--profile", "prov-core/1", files / "warned.ttl")
    assert b"1 conform" in command(*line).stdout
    codes = [command(*line, "--fail-on", each).returncode for each in ("MUST", "SHOULD", "MAY")]
    assert codes == [0, 1, 1]
    assert command("validate", files / "lines.jsonl", "--fail-on", "MAY").returncode == 2
    assert b"--fail-on is one of MUST, SHOULD, MAY" in command(*line, "--fail-on", "must").stderr


JOBS = """@prefix sh: <http://www.w3.org/ns/shacl#> . @prefix ps: <https://w3id.org/provstore/ns#> .
@prefix owl: <http://www.w3.org/2002/07/owl#> . @prefix prof: <http://www.w3.org/ns/dx/prof/> .
@prefix dct: <http://purl.org/dc/terms/> .
<> a owl:Ontology, prof:Profile ; dct:title "Own"@en ; dct:description "Rules of one's own."@en .
<#says-why> a sh:PropertyShape ; sh:targetClass ps:Job ; sh:path dct:description ; sh:minCount 1 .
<#in-use> a sh:PropertyShape ; sh:targetClass ps:Job ; sh:path ps:namespace ; sh:in ( "prod" ) ;
  sh:severity sh:Warning .
"""


def test_in_events_results_stand_at_a_pointer_and_a_line(files: Path) -> None:
    """By shapes of the user's own, without words: in an event alone, in a list over several lines, in lines."""
    (files / "own.ttl").write_text(JOBS)
    data = ("--data", files / "store")
    assert command("ingest", *data, files / "good.json").returncode == 0
    assert command("profile", "add", files / "own.ttl", "--name", "own", *data).returncode == 0
    one = json.dumps({**GOOD, "job": {"namespace": "test", "name": "etl"}}, indent=1)
    (files / "one.json").write_text(f"\n {one}")
    (files / "list.json").write_text(f"[{json.dumps(GOOD)},\n  {one}]")
    (files / "some.jsonl").write_text(f"\n  {json.dumps(json.loads(one))}\n")
    for name, payload, prefix in (("one.json", 0, ""), ("list.json", 1, "/1"), ("some.jsonl", 0, "")):
        done = command("validate", files / name, "--profile", "own", "--format", "json", *data)
        why, use = results([json.loads(done.stdout)["payloads"][payload]])
        text = (files / name).read_text()
        assert [why["severity"], use["severity"]] == ["MUST", "SHOULD"]
        assert [why["location"]["pointer"], use["location"]["pointer"]] == [f"{prefix}/job", f"{prefix}/job/namespace"]
        line, column = use["location"]["line"], use["location"]["column"]
        assert text.split("\n")[line - 1][column - 1 :].startswith('"test"'), name
        assert why["message"].startswith("dct:description has no value: at least 1 value is wanted.")
    done = command("complete", files / "some.jsonl", "--profile", "own", *data)
    assert b"# This is JSON" in done.stdout


def test_quiet_says_it_by_the_exit_code_alone(files: Path) -> None:
    done = command("validate", "--quiet", files / "bad.ttl")
    assert (done.returncode, done.stdout, done.stderr) == (1, b"", b"")
    done = command("validate", "--quiet", "--output", files / "said.json", "--format", "json", files / "good.json")
    assert (done.returncode, done.stdout) == (0, b"")
    assert json.loads((files / "said.json").read_text())["conforms"] is True


def test_a_file_is_written_whole_and_is_not_one_of_those_looked_at(files: Path) -> None:
    line = ("validate", files, "--output", files / "said.json", "--format", "json")
    counts = []
    for _ in range(2):
        assert command(*line).returncode == 2
        counts.append(len(json.loads((files / "said.json").read_text())["payloads"]))
    assert counts == [7, 7]
    assert list(files.glob(".*")) == []
    assert b"No such file" in command("validate", files / "good.json", "--output", files / "none" / "x").stderr
    for verb in ("validate", "complete"):
        done = command(verb, files / "bad.ttl", "--output", files / "deep" / ".." / "bad.ttl")
        assert (done.returncode, b"would write over" in done.stderr) == (2, True)
    assert (files / "bad.ttl").read_text() == BAD_TURTLE


def test_what_is_watched_is_said_again_when_it_changes(files: Path) -> None:
    """Until an interrupt, which is how it ends: the exit code is that of the last look."""

    def put(name: str, text: str) -> None:
        """At once: what looks at it sees all of it or nothing."""
        (files / "part").write_text(text)
        (files / "part").replace(files / name)

    line = [sys.executable, "-m", "provstore", "validate", "--watch", str(files / "bad.ttl"), str(files / "more*.ttl")]
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()) as process:
        try:
            assert process.stdout
            assert process.stderr

            def summary() -> str:
                """Of one look, once it is over."""
                assert process.stdout
                assert process.stderr
                said = next(each for each in iter(process.stdout.readline, b"") if b" conform, " in each)
                assert re.fullmatch(rb"provstore: watching [12] files?; Ctrl-C ends it\n", process.stderr.readline())
                return said.decode()

            assert "1 payload by" in (first := summary())
            assert "0 conform, 1 do not" in first
            put("bad.ttl", BAD_TURTLE.replace('"yesterday"', f'"2026-03-01T03:00:00Z"^^<{XSD}dateTime>'))
            assert "0 conform, 1 do not" in summary()
            put("more.ttl", "broken {")
            assert "1 could not be read or judged" in summary()
            (files / "more.ttl").unlink()
            assert "0 could not be read or judged" in summary()
            process.send_signal(signal.SIGINT)
            assert process.wait(20) == 1
            assert b"Traceback" not in process.stderr.read()
        finally:
            process.kill()
    assert b"standard input is read once" in command("validate", "--watch", "-").stderr


def test_a_poisoned_document_ends(files: Path) -> None:
    done = command("validate", "-", "--input", "nt", data=POISON.encode())
    assert done.returncode == 2
    assert re.search(rb"took longer than 2 s|needed more memory than it may have", done.stdout)


# --- the route -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "kind"),
    [("good.json", "application/json"), ("bad.ttl", "text/turtle"), ("lines.jsonl", "application/x-ndjson")],
)
def test_the_route_and_the_command_say_the_same(server: Server, files: Path, name: str, kind: str) -> None:
    before = server.http.get("/health").json()["entries"]
    answer = _post(server, (files / name).read_bytes(), kind)
    assert answer.status_code == 200
    assert answer.headers["vary"] == "Accept"
    here = json.loads(command("validate", "--data", server.directory, files / name, "--format", "json").stdout)
    for payload in here["payloads"]:
        assert payload.pop("file") == str(files / name)
        for result in results([payload]):
            assert result["location"].pop("file") == str(files / name)
    there = answer.json()
    for result in results(there["payloads"]):
        assert result["location"].pop("file") is None
    assert here == there
    assert server.http.get("/health").json()["entries"] == before


def test_what_is_validated_is_what_the_way_in_validates(server: Server) -> None:
    said = _post(server, BAD_TURTLE).json()["payloads"][0]
    assert said["record"].startswith(f"{BASE}/record/")
    assert server.rdf(BAD_TURTLE).json()["record"] == said["record"]
    place = f"/records/{said['record'].rpartition('/')[2]}/validation"
    until: dict[str, Any] = {"waiting": True}
    while until["waiting"]:
        until = server.http.get(place).json()
    for result in [*results([said]), *results([until])]:
        del result["location"], result["fix"]  # to who sends it they are told in the words of what was sent
    (judged,) = until["profiles"]
    assert judged.pop("accepted") is True
    assert [judged] == said["profiles"]


def test_a_report_in_turtle(server: Server) -> None:
    answer = _post(server, BAD_TURTLE, accept="text/turtle")
    assert answer.headers["content-type"].startswith("text/turtle")
    quads = list(ox.parse(answer.content, format=ox.RdfFormat.TURTLE))
    focus = {str(quad.object) for quad in quads if quad.predicate.value == f"{SH}focusNode"}
    assert "<urn:a>" in focus


@pytest.mark.parametrize("name", FORMATS)
def test_every_form_is_negotiated_or_named(server: Server, name: str) -> None:
    kind = FORMATS[name].media_type
    asked = _post(server, BAD_TURTLE, accept=f"{kind}, application/json;q=0.1")
    named = _post(server, BAD_TURTLE, format=name)
    for answer in (asked, named):
        assert answer.status_code == 200
        assert answer.headers["content-type"].partition(";")[0] == kind
        assert "sandbox" in answer.headers["content-security-policy"]
    if name != "turtle":  # whose blank nodes have other names each time
        assert asked.text == named.text
    assert _post(server, BAD_TURTLE, format="docx").status_code == 400


@pytest.mark.parametrize(
    ("body", "kind", "accept", "profile", "status"),
    [
        ("", "application/json", "*/*", "prov-core", 400),
        ("{", "application/json", "*/*", "prov-core", 400),
        ("garbage", "text/turtle", "*/*", "prov-core", 400),
        ("", "text/turtle", "*/*", "prov-core", 422),
        (BAD_TURTLE, "text/plain", "*/*", "prov-core", 415),
        (BAD_TURTLE, "text/turtle", "image/png", "prov-core", 406),
        (BAD_TURTLE, "text/turtle", "*/*", "none", 404),
        (POISON, "application/n-triples", "*/*", "prov-core", 413),
        ('<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a/>', "application/rdf+xml", "*/*", "prov-core", 400),
    ],
)
def test_what_cannot_be_validated(server: Server, body: str, kind: str, accept: str, profile: str, status: int) -> None:
    answer = _post(server, body, kind, accept, profile=profile)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), answer.text
    assert server.http.get("/health").json()["status"] == "ok"


def test_the_profiles_and_their_shapes(server: Server) -> None:
    (profile,) = [each for each in server.http.get("/shapes").json() if each["name"] == "prov-core"]
    assert [profile[key] for key in ("name", "mode", "title")] == ["prov-core", "annotate", "PROV-O core"]
    assert {rule["severity"] for rule in profile["rules"]} == {"MUST", "SHOULD", "MAY"}
    shapes = server.http.get("/shapes/prov-core")
    assert shapes.headers["content-type"].startswith("text/turtle")
    named = {
        q.subject.value
        for q in ox.parse(shapes.content, format=ox.RdfFormat.TURTLE)
        if isinstance(q.subject, ox.NamedNode)
    }
    assert {rule["shape"] for rule in profile["rules"]} <= named
    for name in ("none", "%2E%2E", "%00"):
        assert server.http.get(f"/shapes/{name}").status_code in (404, 405), name


# --- shapes of one's own, from files ---------------------------------------------------------------------------------

OWN = """@prefix sh: <http://www.w3.org/ns/shacl#> . @prefix prov: <http://www.w3.org/ns/prov#> .
<urn:s> a sh:NodeShape ; sh:targetClass prov:Activity ; sh:property [ sh:path prov:wasAssociatedWith ; sh:minCount 1 ] .
"""


def test_shapes_from_a_file_are_asked_instead(files: Path) -> None:
    (files / "own.ttl").write_text(OWN)
    done = command("validate", files / "bad.ttl", "--shapes", files / "own.ttl", "--format", "json")
    (profile,) = json.loads(done.stdout)["payloads"][0]["profiles"]
    assert done.returncode == 1
    assert (profile["profile"], {each["shape"] for each in profile["results"]}) == ("given-shapes/1", {"urn:s"})
    assert "at least 1 value is wanted" in profile["results"][0]["message"]
    both = command("validate", files / "bad.ttl", "--shapes", files / "own.ttl", "--profile", "prov-core", "--quiet")
    assert (both.returncode, both.stdout) == (1, b"")


def test_shapes_from_several_files_are_one_graph(files: Path) -> None:
    (files / "own.ttl").write_text(OWN.replace("[ sh:path prov:wasAssociatedWith ; sh:minCount 1 ]", "<urn:p>"))
    alone = command("validate", files / "bad.ttl", "--shapes", files / "own.ttl")
    assert (alone.returncode, b"has no sh:path" in alone.stderr) == (2, True)
    sh = "http://www.w3.org/ns/shacl#"
    (files / "more.nt").write_text(
        f"<urn:p> <{sh}path> <http://www.w3.org/ns/prov#wasAssociatedWith> .\n"
        f'<urn:p> <{sh}minCount> "1"^^<http://www.w3.org/2001/XMLSchema#integer> .\n'
    )
    done = command("validate", files / "bad.ttl", "--shapes", files / "own.ttl", "--shapes", files / "more.nt")
    assert done.returncode == 1


@pytest.mark.parametrize(
    ("shapes", "why"),
    [
        ("ex:a ex:b ex:c .", b"not Turtle"),
        (OWN.replace("minCount", "minCuont"), b"shape <urn:s> (property): sh:minCuont is no term for a shape"),
        (OWN.replace("sh:minCount 1", "sh:node <urn:s>"), b"recursive shapes"),
    ],
)
def test_shapes_that_cannot_be_used_are_refused_before_anything_is_judged(files: Path, shapes: str, why: bytes) -> None:
    (files / "own.ttl").write_text(shapes)
    done = command("validate", files / "bad.ttl", "--shapes", files / "own.ttl")
    assert (done.returncode, done.stdout, why in done.stderr) == (2, b"", True)
