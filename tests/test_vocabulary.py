"""The page of the vocabulary, and its machine-readable twins at the same address."""

from __future__ import annotations

import html
import re

import httpx
import pyoxigraph as ox
import pytest

from provstore import resources
from provstore.store.query import GRAPHS
from provstore.vocab import PS
from tests.servers import Server

#: What Chromium asks for.
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"


def get(demo: Server, accept: str) -> httpx.Response:
    return demo.http.get("/ns", headers={"accept": accept})


@pytest.fixture(scope="module")
def page(demo: Server) -> str:
    answer = get(demo, BROWSER)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["vary"] == "Accept"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert '</ns>; rel="alternate"; type="text/turtle"' in answer.headers["link"]
    return answer.text


def test_every_term_has_its_place(page: str) -> None:
    anchors = re.findall(r'id="([^"]+)"', page)
    assert len(anchors) == len(set(anchors))
    assert set(PS.names) <= set(anchors)


def test_links_within_the_page_lead_somewhere(page: str) -> None:
    assert set(re.findall(r'href="#([^"]+)"', page)) <= set(re.findall(r'id="([^"]+)"', page))


def test_the_page_has_no_script_of_its_own_and_nothing_from_elsewhere(page: str) -> None:
    assert set(re.findall(r"<script[^>]*>", page)) == {
        '<script type="module" src="/static/search.js">'
    }  # of every page
    assert " style=" not in page
    assert set(re.findall(r'<link rel="stylesheet" href="([^"]+)"', page)) == {"/static/style.css"}
    assert '<link rel="alternate" type="text/turtle" href="/ns">' in page


def test_a_term_is_told_whole(page: str) -> None:
    (told,) = re.findall(r'<article class="term" id="symlink".*?</article>', page, re.DOTALL)
    text = html.unescape(re.sub(r"<[^>]+>", " ", told))
    for wanted in ("ps:symlink", "the only alternate that traversal follows", "sub-property of", "domain", "range"):
        assert wanted in text
    assert 'href="http://www.w3.org/ns/prov#alternateOf"' in told
    assert 'href="http://www.w3.org/ns/prov#Entity"' in told
    assert "<dataset/customer_features> ps:symlink <dataset/s3-features> ." in text


@pytest.mark.parametrize("media_type", GRAPHS)
def test_the_ontology_in_every_syntax(demo: Server, media_type: str) -> None:
    answer = get(demo, media_type)
    assert answer.status_code == 200
    assert answer.headers["content-type"].partition(";")[0] == media_type
    assert answer.headers["vary"] == "Accept"
    got = {q.triple for q in ox.parse(answer.content, format=GRAPHS[media_type])}
    files = (resources.read("ontology", name) for name in ("provstore.ttl", "examples.ttl"))
    assert got == {q.triple for file in files for q in ox.parse(file, format=ox.RdfFormat.TURTLE)}


def test_programs_that_do_not_mind_get_turtle(demo: Server) -> None:
    assert get(demo, "*/*").headers["content-type"].startswith("text/turtle")


def test_what_there_is_not_is_refused(demo: Server) -> None:
    answer = get(demo, "image/png")
    assert answer.status_code == 406
    assert "text/html" in answer.json()["detail"]
