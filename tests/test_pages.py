"""The pages in a real browser and without one: what every page has, and what no page may do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser import launched, watched
from tests.servers import Server, serving
from tests.test_vocabulary import BROWSER

#: Every page that is there without a thing to be about.
PLACES = ("/", "/ns", "/ledger", "/validation")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(Path(tmp_path_factory.mktemp("pages")) / "data", verb="demo") as found:
        yield found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched() as found:
        yield found


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("path", PLACES)
def test_a_page_is_whole_and_accessible(server: Server, browser: Browser, path: str, dark: bool) -> None:
    with watched(browser, server.url, dark=dark) as seen:
        page = seen.open(path)
        assert page.locator("h1").count() == 1
        assert page.title()
        assert seen.serious() == []


def test_an_error_is_a_page_for_a_browser_alone(server: Server) -> None:
    asked = server.http.get("/records/nothing", headers={"accept": BROWSER})
    assert (asked.status_code, asked.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "no record nothing" in asked.text
    told = server.http.get("/records/nothing")
    assert (told.status_code, told.headers["content-type"]) == (404, "application/problem+json")


@pytest.mark.parametrize("name", ["../render.py", "%2e%2e/render.py", "/etc/passwd", "", "none.js"])
def test_only_what_pages_load_is_given(server: Server, name: str) -> None:
    assert server.http.get(f"/static/{name}").status_code == 404


def test_what_pages_load_is_sent_once(server: Server) -> None:
    first = server.http.get("/static/style.css")
    assert first.headers["content-type"].startswith("text/css")
    again = server.http.get("/static/style.css", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
