"""The pages in a real browser and without one: what every page has, and what no page may do."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from playwright.sync_api import Browser

from tests.browser import watched
from tests.servers import BASE, Server
from tests.test_vocabulary import BROWSER

#: Every page that is there without a thing to be about.
PLACES = ("/", "/ns", "/ledger", "/validation", "/shapes", "/shapes/prov-core", "/clauses", "/clauses/gdpr")
_SCORE = f"{BASE}/dataset/{quote('warehouse://bank', safe='')}/customer_risk_score"
#: Pages with wide tables.
TABLES = (
    f"/entity?iri={quote(_SCORE, safe='')}",
    f"/entity?iri={quote(BASE, safe='')}/model/premium",
    f"/lineage?entity={quote(_SCORE, safe='')}&level=column",
    "/impact?entity=demographics-api&after=2026-03-06&before=2026-03-10",
    "/ledger",
    "/queries/audit/gaps",
    f"/entity?iri={quote(BASE, safe='')}/agent/person/ana",
)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("path", PLACES)
def test_a_page_is_whole_and_accessible(demo: Server, browser: Browser, path: str, dark: bool) -> None:
    with watched(browser, demo.url, dark=dark) as seen:
        page = seen.open(path)
        assert page.locator("h1").count() == 1
        assert page.title()
        assert seen.serious() == []


@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("path", TABLES)
def test_words_in_tables_are_whole(demo: Server, browser: Browser, path: str, width: int) -> None:
    with watched(browser, demo.url, width=width) as seen:
        page = seen.open(path)
        assert page.locator("td a").count() > 3
        broken = """links => links.filter(a => !/[\\s-]/.test(a.textContent) && a.getClientRects().length > 1)
            .map(a => a.textContent)"""
        assert page.locator("td a").evaluate_all(broken) == []


@pytest.mark.parametrize("path", TABLES)
def test_no_table_of_a_page_is_cut_off_on_a_phone(demo: Server, browser: Browser, path: str) -> None:
    with watched(browser, demo.url, width=400) as seen:
        page = seen.open(path)
        assert page.locator("table").count()
        cut_off = "all => all.filter(each => each.scrollWidth > each.clientWidth).length"
        assert page.locator(".scroll, .two > *").evaluate_all(cut_off) == 0
        assert page.evaluate("document.documentElement.scrollWidth") <= 400


def test_an_error_is_a_page_for_a_browser_alone(demo: Server) -> None:
    asked = demo.http.get("/records/nothing", headers={"accept": BROWSER})
    assert (asked.status_code, asked.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "no record nothing" in asked.text
    told = demo.http.get("/records/nothing")
    assert (told.status_code, told.headers["content-type"]) == (404, "application/problem+json")


@pytest.mark.parametrize("name", ["../render.py", "%2e%2e/render.py", "/etc/passwd", "", "none.js"])
def test_only_what_pages_load_is_given(demo: Server, name: str) -> None:
    assert demo.http.get(f"/static/{name}").status_code == 404


def test_what_pages_load_is_sent_once(demo: Server) -> None:
    first = demo.http.get("/static/style.css")
    assert first.headers["content-type"].startswith("text/css")
    again = demo.http.get("/static/style.css", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
