"""Lineage and impact as a program and a person ask them: over HTTP and on the command line, on the worked examples."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from urllib.parse import quote

import pytest

from provstore.lineage.parameters import IMPACT, LINEAGE
from tests.servers import BASE, WORKED, Server, command, event, serving

PREDICTION = f"{BASE}/prediction/1"
API = f"{BASE}/dataset/https%3A%2F%2Fdemographics.example/demographics-api"
PS = "https://w3id.org/provstore/ns#"


def canned(demo: Server, name: str, **values: str) -> list[dict[str, str]]:
    answer = demo.http.get(f"/queries/{name}", params=values, headers={"accept": "application/json"})
    assert answer.status_code == 200, answer.text
    return [{k: v["value"] for k, v in row.items()} for row in answer.json()["results"]["bindings"]]


def everything(demo: Server) -> list[str]:
    """All that the examples' lineage speaks of, and the assets; SPARQL knows nothing of a job's runs there."""
    query = f"""SELECT DISTINCT ?x {{
        {{ ?x <http://www.w3.org/ns/prov#wasDerivedFrom>|<{PS}possiblyDerivedFrom> ?y }}
        UNION {{ ?y <http://www.w3.org/ns/prov#wasDerivedFrom>|<{PS}possiblyDerivedFrom> ?x }}
        UNION {{ ?y <http://www.w3.org/ns/prov#specializationOf> ?x }}
        MINUS {{ ?x a <{PS}Job> }} }} ORDER BY ?x"""
    return [row["x"] for row in demo.rows(query)]


def test_the_index_answers_what_sparql_answers(demo: Server) -> None:
    asked = everything(demo)
    assert len(asked) > 40
    for entity in asked:
        for direction in ("upstream", "downstream"):
            answer = demo.http.get("/lineage", params={"entity": entity, "direction": direction, "limit": 1000})
            got = {node["iri"]: node["certainty"] for node in answer.json()["nodes"]}
            rows = canned(demo, f"lineage/{direction}", entity=entity)
            assert got == {row["entity"]: row["certainty"] for row in rows}, (entity, direction)


@pytest.mark.parametrize("span", [{}, {"after": "2026-03-06", "before": "2026-03-10"}, {"after": "2026-03-12"}])
def test_verdicts_are_those_of_sparql(demo: Server, span: dict[str, str]) -> None:
    answer = demo.http.get("/impact", params={"entity": API, **span}).json()
    got = {each["iri"]: each["verdict"] for each in answer["verdicts"]}
    assert got == {row["entity"]: row["verdict"] for row in canned(demo, "impact/verdicts", entity=API, **span)}
    assert sum(answer["counts"].values()) == len(got)


def test_one_answer_in_every_form(demo: Server) -> None:
    url = f"/lineage?entity={quote(PREDICTION)}"
    whole = demo.http.get(url).json()
    assert whole["total"] == len(whole["nodes"]) > 5
    text = demo.http.get(url, headers={"accept": "text/csv"})
    assert text.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(text.text)))
    assert [row["iri"] for row in rows] == [node["iri"] for node in whole["nodes"]]
    for media_type in ("text/turtle", "application/n-triples"):
        triples = demo.http.get(url, headers={"accept": media_type})
        assert triples.headers["content-type"].startswith(media_type)
        assert len(triples.text.splitlines()) == len(whole["edges"])
    first = whole["edges"][0]
    assert f"<{first['subject']}> <http://www.w3.org/ns/prov#{first['relation']}> <{first['object']}> ." in triples.text


def test_every_edge_says_how_it_is_known_and_an_asserted_one_by_which_record(demo: Server) -> None:
    for edge in demo.http.get("/lineage", params={"entity": PREDICTION}).json()["edges"]:
        if edge["status"] == "asserted":
            record = demo.http.get(
                f"/records/{edge['record'].rpartition('/')[2]}", headers={"accept": "application/n-quads"}
            )
            assert (
                f"<{edge['subject']}> <http://www.w3.org/ns/prov#{edge['relation']}> <{edge['object']}>" in record.text
            )
        else:
            assert edge["basis"]


def test_an_answer_knows_its_index(demo: Server) -> None:
    answer = demo.http.get("/lineage", params={"entity": PREDICTION})
    tag, index = answer.headers["etag"], int(answer.headers["provstore-index"])
    assert answer.json()["index"] == index
    again = demo.http.get("/lineage", params={"entity": PREDICTION}, headers={"if-none-match": tag})
    assert again.status_code == 304


def test_an_answer_waits_for_the_index_that_is_asked_for(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as server:
        new = event(9, inputs=[{"namespace": "late", "name": "in"}], outputs=[{"namespace": "late", "name": "fresh"}])
        receipt = server.post(new).json()
        found = server.http.get("/lineage", params={"entity": "fresh", "min-index": receipt["index"]})
        assert found.status_code == 200, found.text
        assert found.json()["total"] == 1
        before = server.http.get("/lineage", params={"entity": "fresh", "at-index": receipt["index"] - 1})
        assert before.status_code == 404
        assert server.http.get("/lineage", params={"entity": "fresh", "min-index": 10**6}).status_code == 404


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/lineage", 400, "'entity' is missing"),
        ("/lineage?entity=urn:nobody", 404, "no lineage recorded"),
        ("/lineage?entity=", 400, "'entity' is missing"),
        ("/lineage?entity=urn:a&colour=red", 400, "no parameter 'colour'"),
        ("/lineage?entity=urn:a&entity=urn:b", 400, "once"),
        ("/lineage?entity=urn:a&depth=-1", 400, "depth"),
        ("/lineage?entity=urn:a&depth=1e9", 400, "depth"),
        ("/lineage?entity=urn:a&direction=up", 400, "upstream, downstream"),
        ("/lineage?entity=urn:a&to=urn:b&roots=true", 400, "one at a time"),
        ("/lineage?entity=urn:a&roots=yes", 400, "true or false"),
        ("/lineage?entity=urn:a&at-index=99999999", 404, "newest"),
        ("/lineage?entity=urn:a&as-of=tomorrow", 400, "ISO 8601"),
        ("/lineage?entity=urn:a&as-of=0000-00-00T00:00:00Z", 400, "ISO 8601"),
        ("/lineage?entity=urn:a&cursor=1.", 400, "cursor"),
        ("/lineage?entity=%00%ff", 404, "no lineage"),
        ("/impact?entity=urn:a&verdict=dead", 400, "verdict"),
        ("/impact?entity=urn:a&kind=Cat", 400, "kind"),
        ("/impact?entity=urn:a&before=2026-13-01", 400, "before"),
        (f"/impact?entity={'x' * 10_001}", 400, "longer"),
    ],
)
def test_a_question_that_makes_no_sense_gets_a_problem(demo: Server, path: str, status: int, words: str) -> None:
    answer = demo.http.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert words in answer.json()["detail"]


def test_a_form_that_is_not_offered_is_refused(demo: Server) -> None:
    answer = demo.http.get("/impact", params={"entity": API}, headers={"accept": "text/turtle"})
    assert answer.status_code == 406
    assert "offered: application/json, text/csv" in answer.json()["detail"]


# --- the command line ------------------------------------------------------------------------------------------------


def test_the_commands_ask_a_server(demo: Server) -> None:
    done = command("lineage", PREDICTION, "--server", demo.url)
    assert done.returncode == 0, done.stderr
    text = done.stdout.decode()
    assert "ModelVersion" in text
    assert "declared source" in text
    done = command(
        "impact", "demographics-api", "--after", "2026-03-06", "--before", "2026-03-10", "--server", demo.url
    )
    assert done.stdout.decode().splitlines()[2].split()[0] == "affected"
    done = command("lineage", "customer_risk_score", "--column", "risk_score", "--format", "json", "--server", demo.url)
    assert {c["column"] for c in json.loads(done.stdout)["columns"]} == {
        "avg_spend",
        "amount",
        "overdraft_days",
        "balance",
    }
    done = command("lineage", PREDICTION, "--limit", "2", "--server", demo.url)
    assert "the next page: --cursor" in done.stdout.decode()
    models = (f"{BASE}/model/standard-1", "--compare", f"{BASE}/model/premium-1")
    rows = list(
        csv.DictReader(
            io.StringIO(command("lineage", *models, "--format", "csv", "--server", demo.url).stdout.decode())
        )
    )
    assert {row["aspect"] for row in rows} >= {"data", "code"}


def test_a_directory_answers_as_its_server_did(tmp_path: Path) -> None:
    with serving(tmp_path / "data", *WORKED, verb="demo") as server:
        told = server.http.get("/lineage", params={"entity": PREDICTION}).json()
    done = command("lineage", PREDICTION, "--data", tmp_path / "data", "--format", "json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert [node["iri"] for node in said["nodes"]] == [node["iri"] for node in told["nodes"]]
    assert (tmp_path / "data" / "views" / "lineage" / "graph.json").exists()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (("lineage", "urn:nobody"), "no lineage recorded"),
        (("lineage", "urn:a", "--format", "png"), "--format is one of table, json, ndjson, csv, tsv, turtle"),
        (("impact", "urn:a", "--format", "turtle"), "--format is one of table, json, ndjson, csv, tsv"),
        (("lineage", "urn:a", "--depth", "many"), "depth"),
    ],
)
def test_a_command_that_cannot_be_answered_says_why(demo: Server, line: tuple[str, ...], words: str) -> None:
    done = command(*line, "--server", demo.url)
    assert done.returncode == 2
    assert words in done.stderr.decode()
    assert b"Traceback" not in done.stderr


def test_help_names_every_parameter() -> None:
    for name, known in (("lineage", LINEAGE), ("impact", IMPACT)):
        text = command(name, "--help").stdout.decode()
        assert all(f"--{parameter}" in text for parameter in known if parameter != "entity")
