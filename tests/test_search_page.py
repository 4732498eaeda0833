"""The page of search, in a real browser: what was found and why, narrowing, paging, help, keys, hostile names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, expect

from tests.asking import LONG, RTL, SCRIPT, assert_harmless, fill
from tests.browser import watched
from tests.servers import WORKED, Server, serving
from tests.test_vocabulary import BROWSER
from tests.verdicts import judged


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("hostile") / "data") as found:
        fill(found)
        yield found


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("query", ["", "q=risk", "q=risk&kind=run&kind=job", "q=omer_ri", "q=nothing-is-called-this"])
def test_it_is_accessible(demo: Server, browser: Browser, query: str, dark: bool) -> None:
    with watched(browser, demo.url, dark=dark) as seen:
        page = seen.open(f"/search?{query}")
        assert page.locator("h1").count() == 1
        assert seen.serious() == []


def total(server: Server, query: str) -> int:
    return int(server.http.get(f"/search?{query}").json()["total"])


def test_programs_get_what_they_got(demo: Server) -> None:
    for accept in ("*/*", "application/json", "application/json, text/html"):
        answer = demo.http.get("/search?q=risk", headers={"accept": accept})
        assert answer.headers["content-type"] == "application/json"
        assert answer.json()["results"]
    page = demo.http.get("/search?q=risk", headers={"accept": BROWSER})
    assert page.headers["content-type"].startswith("text/html")
    assert '</search?q=risk&format=json>; rel="alternate"; type="application/json"' in page.headers["link"]
    assert demo.http.get("/search?q=risk&format=json", headers={"accept": BROWSER}).json()["results"]


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_results_say_what_they_are_and_why(demo: Server, browser: Browser, scripts: bool) -> None:
    with watched(browser, demo.url, scripts=scripts) as seen:
        page = seen.open("/search?q=risk+score")
        expect(page.get_by_role("status")).to_contain_text("things, as of ledger index")
        first = page.locator(".results > li", has=page.get_by_role("link", name="customer_risk_score", exact=True))
        assert first.locator("mark").first.inner_text() == "risk"
        assert first.locator(".badge").inner_text() == "dataset"
        expect(first).to_contain_text("team:risk-data")
        assert re.search(r"/entity\?iri=", first.get_by_role("link").first.get_attribute("href") or "")
        assert page.get_by_role("searchbox").input_value() == "risk score"


def test_narrowing_is_links_that_add_and_take_away(demo: Server, browser: Browser) -> None:
    with watched(browser, demo.url, scripts=False) as seen:
        page = seen.open("/search?q=risk&limit=100")
        facets, results = page.get_by_role("navigation", name="Narrow by"), page.locator(".results > li")
        facets.get_by_role("link", name="dataset", exact=True).click()
        datasets, jobs = total(demo, "q=risk&kind=dataset"), total(demo, "q=risk&kind=job")
        assert results.count() == datasets > 0
        # what was not chosen is still there, counted, to be added
        facets.get_by_role("link", name="job", exact=True).click()
        assert "kind=dataset" in page.url
        assert "kind=job" in page.url
        assert results.count() == datasets + jobs > datasets
        assert set(page.locator(".results .badge").all_inner_texts()) == {"dataset", "job"}
        page.get_by_role("link", name="Remove dataset").click()
        assert results.count() == jobs
        page.get_by_role("link", name="Remove all").click()
        assert page.url.endswith("/search?q=risk")


def test_pages_follow_one_another_to_the_end(demo: Server, browser: Browser) -> None:
    with watched(browser, demo.url) as seen:
        page = seen.open("/search?limit=200")
        found = page.locator(".results h3 a").evaluate_all("all => all.map(a => a.title)")
        while page.get_by_role("link", name="Next page").count():
            page.get_by_role("link", name="Next page").click()
            page.wait_for_load_state("networkidle")
            found += page.locator(".results h3 a").evaluate_all("all => all.map(a => a.title)")
        assert len(found) == len(set(found)) == total(demo, "")
        page.get_by_role("link", name="First page").click()
        expect(page.get_by_role("link", name="First page")).to_have_count(0)


def test_parts_and_nothing_are_explained(demo: Server, browser: Browser) -> None:
    with watched(browser, demo.url) as seen:
        page = seen.open("/search?q=omer_ri")
        expect(page.get_by_text("somewhere inside a name or a column")).to_be_visible()
        assert page.locator("mark").first.inner_text() == "omer_ri"
        page = seen.open("/search?q=risk&kind=nonesuch")
        expect(page.get_by_role("heading", name="Nothing found")).to_be_visible()
        page.get_by_role("link", name="Search without the filters").click()
        assert page.locator(".results > li").count() > 0
        page = seen.open(f"/search?q={quote(' '.join(f'w{number}' for number in range(70)))}")
        expect(page.get_by_role("status")).to_contain_text("6 were left out")


def test_keys_lead_from_the_start_page_to_a_thing(demo: Server, browser: Browser) -> None:
    with watched(browser, demo.url) as seen:
        page = seen.open("/")
        page.keyboard.press("/")
        page.keyboard.type("risk/")  # a slash in the field is a slash
        assert page.get_by_role("searchbox").input_value() == "risk/"
        page.keyboard.press("Backspace")
        page.keyboard.press("Enter")
        page.wait_for_url("**/search?q=risk")
        page.keyboard.press("/")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowUp")
        first = page.locator(".results h3 a").first
        expect(first).to_be_focused()
        target = first.get_attribute("href")
        assert target
        page.keyboard.press("Enter")
        page.wait_for_url(f"{demo.url}{target}", wait_until="networkidle")
        assert page.locator("h1").count() == 1


@pytest.mark.parametrize("width", [1280, 400])
def test_hostile_names_are_text(hostile: Server, browser: Browser, width: int) -> None:
    with watched(browser, hostile.url, width=width) as seen:
        for words in ("", "quarterly", "hostile", RTL, SCRIPT):
            page = seen.open(f"/search?q={quote(words)}")
            assert page.locator(".results > li").count() > 0
            assert_harmless(page, hostile)


def test_hostile_names_are_whole(hostile: Server, browser: Browser) -> None:
    with watched(browser, hostile.url) as seen:
        page = seen.open("/search?kind=dataset")
        for name in (SCRIPT, LONG, RTL):
            assert page.get_by_role("link", name=name, exact=True).count() == 1
        assert seen.serious() == []


@pytest.mark.parametrize("query", ["cursor=x", "limit=501", "limit=-1", "min-index=soon"])
def test_garbage_is_explained_on_a_page(demo: Server, query: str) -> None:
    answer = demo.http.get(f"/search?{query}", headers={"accept": BROWSER})
    assert answer.status_code == 400
    assert answer.headers["content-type"].startswith("text/html")
    assert query.partition("=")[0] in answer.text


@pytest.mark.parametrize("text", ["%FF%FE", "%ED%A0%80", "%00", "NEAR(", '"', "-", "*", "%E2%80%AE", "a" * 20_000])
def test_nothing_that_is_typed_is_an_error(demo: Server, text: str) -> None:
    assert demo.http.get(f"/search?q={text}", headers={"accept": BROWSER}).status_code == 200


# --- what is incomplete ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def demanding(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Examples of which a profile finds a few incomplete."""
    profiles = "bcbs-239/1:annotate"
    with serving(tmp_path_factory.mktemp("demanding") / "data", *WORKED, verb="demo", profiles=profiles) as found:
        judged(found)
        yield found


def test_what_lacks_something_is_narrowed_to(demanding: Server, browser: Browser) -> None:
    lacking = {row["thing"] for row in answered(demanding, "quality/incomplete")}
    found = demanding.http.get("/search", params={"incomplete": ["MUST", "SHOULD", "MAY"], "limit": 500}).json()
    assert {each["iri"] for each in found["results"]} == lacking & {each["iri"] for each in everything(demanding)}
    assert found["total"] == len(found["results"]) > 2
    assert all(each["lacks"]["count"] for each in found["results"])
    counts = {each["value"]: each["count"] for each in found["facets"]["incomplete"]}
    for severity, count in counts.items():
        assert total(demanding, f"incomplete={severity}") == count
    assert total(demanding, "q=zzzz&incomplete=MUST") == 0
    with watched(browser, demanding.url) as seen:
        page = seen.open("/search")
        page.get_by_text("Incomplete", exact=True).click()
        page.get_by_role("link", name="lacks what is demanded").click()
        expect(page.locator(".results .badge.bad").first).to_have_text("lacks what is demanded")
        expect(page.get_by_role("link", name="Remove lacks what is demanded")).to_be_visible()
        assert seen.serious() == []


def everything(server: Server) -> list[dict[str, Any]]:
    results: list[dict[str, Any]] = []
    path = "/search?limit=500"
    while path:
        answer = server.http.get(path).json()
        results += answer["results"]
        path = answer.get("next", "")
    return results


def answered(server: Server, name: str) -> list[dict[str, str]]:
    accept = {"accept": "application/sparql-results+json"}
    rows = server.http.get(f"/queries/{name}", headers=accept).raise_for_status().json()["results"]["bindings"]
    return [{key: cell["value"] for key, cell in row.items()} for row in rows]
