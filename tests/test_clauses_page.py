"""The pages of clauses and their twins: what each asks, the rules that check it, the way there from a rule."""

from __future__ import annotations

import re

import pyoxigraph as ox
import pytest

from provstore import resources
from provstore.store.query import GRAPHS
from provstore.validation.clauses import clauses, laws
from tests.servers import Server

BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def page(demo: Server, path: str) -> str:
    answer = demo.http.get(path, headers=BROWSER)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    return answer.text


def test_every_law_is_listed(demo: Server) -> None:
    listed = demo.http.get("/clauses").json()
    assert {each["href"] for each in listed} == {f"/clauses/{key}" for key in laws()}
    assert sum(each["told"] for each in listed) == len(clauses())
    assert all(0 < each["checked"] <= each["told"] for each in listed)
    assert re.findall(r'<h2 [^>]*><a href="([^"]+)"', page(demo, "/clauses")) == [each["href"] for each in listed]


@pytest.mark.parametrize("key", list(laws()))
def test_a_law_says_of_each_clause_which_rules_check_it_or_why_none(demo: Server, key: str) -> None:
    said = demo.http.get(f"/clauses/{key}").json()
    assert said["clauses"]
    for clause in said["clauses"]:
        assert bool(clause["rules"]) != bool(clause["why_not"]), clause["iri"]
    text = page(demo, f"/clauses/{key}")
    places = re.findall(r'<tr id="([^"]+)"', text)
    assert sorted(places) == sorted(each["iri"].removeprefix(f"{said['iri']}/") for each in said["clauses"])
    assert set(re.findall(r'href="(/shapes/[^"]+)"', text)) == {r["href"] for c in said["clauses"] for r in c["rules"]}


def test_a_rule_leads_to_its_clause_and_back(demo: Server) -> None:
    text = page(demo, "/shapes/gdpr/1")
    links = set(re.findall(r'href="/clauses/gdpr#([^"]+)"', text))
    assert "article-30/1/b" in links
    law = page(demo, "/clauses/gdpr")
    assert links <= set(re.findall(r'<tr id="([^"]+)"', law))
    assert set(re.findall(r'href="/shapes/gdpr/1#([^"]+)"', law)) <= set(re.findall(r' id="([^"]+)"', text))


@pytest.mark.parametrize("media_type", GRAPHS)
def test_clauses_in_every_syntax(demo: Server, media_type: str) -> None:
    answer = demo.http.get("/clauses/bcbs-239", headers={"accept": media_type})
    assert answer.headers["content-type"].partition(";")[0] == media_type
    shipped = resources.read("ontology", "clauses/bcbs-239.ttl")
    assert media_type != "text/turtle" or answer.content == shipped
    got, wanted = (
        {(q.subject, q.predicate, q.object) for q in found if not {ox.BlankNode} & {type(q.subject), type(q.object)}}
        for found in (ox.parse(answer.content, format=GRAPHS[media_type]), ox.parse(shipped, ox.RdfFormat.TURTLE))
    )
    assert got == wanted


def test_what_there_is_not(demo: Server) -> None:
    missing = demo.http.get("/clauses/none")
    assert missing.status_code == 404
    assert "gdpr" in missing.json()["detail"]
    assert demo.http.get("/clauses/gdpr", headers={"accept": "image/png"}).status_code == 406
