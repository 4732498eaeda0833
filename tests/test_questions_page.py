"""The pages of the canned queries: the catalogue, forms with typed fields, answers as linked tables."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote, urlencode

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from provstore import queries
from tests.asking import DANGEROUS, assert_harmless, fill, refused
from tests.browser import watched
from tests.servers import Server, serving
from tests.test_vocabulary import BROWSER

FEED = "https://prov.example/dataset/https%3A%2F%2Fdemographics.example/demographics-api"
RETRAIN = f"/queries/impact/retrain?{urlencode({'entity': FEED, 'after': '2026-03-06', 'before': '2026-03-10'})}"
PAGE = {"accept": BROWSER}


def field(page: Page, name: str) -> Locator:
    """A parameter's field, which its label names."""
    label = page.locator("label", has=page.get_by_text(name, exact=True))
    return page.locator(f"#{label.get_attribute('for')}")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("path", ["/queries", "/queries/impact/retrain", RETRAIN, "/queries/audit/gaps"])
def test_they_are_accessible(demo: Server, browser: Browser, path: str, dark: bool) -> None:
    with watched(browser, demo.url, dark=dark) as seen:
        page = seen.open(path)
        assert page.locator("h1").count() == 1
        assert seen.serious() == []


def test_every_question_is_in_the_catalogue(demo: Server, browser: Browser) -> None:
    with watched(browser, demo.url, scripts=False) as seen:
        page = seen.open("/queries")
        for query in queries.catalogue().values():
            assert page.locator(f'.catalogue a[href="/queries/{query.name}"]').inner_text() == query.summary


@pytest.mark.parametrize("name", list(queries.catalogue()))
def test_every_question_has_a_form_and_its_example_an_answer(demo: Server, name: str) -> None:
    query = queries.find(name)
    blank = demo.http.get(f"/queries/{name}", headers=PAGE)
    assert blank.status_code == 200
    for parameter in query.parameters:
        assert f'name="{parameter.name}"' in blank.text
    needs = any(each.required for each in query.parameters)
    assert ('<h2 id="answer">' in blank.text) is not needs
    answered = demo.http.get(
        f"/queries/{name}", params={each.name: each.example for each in query.parameters}, headers=PAGE
    )
    assert answered.status_code == 200
    assert '<h2 id="answer">' in answered.text


def test_programs_get_what_they_got(demo: Server) -> None:
    assert isinstance(demo.http.get("/queries").json(), list)
    assert demo.http.get("/queries/impact/retrain").status_code == 400
    for accept in (
        "*/*",
        "text/csv",
        "application/sparql-results+json, text/html;q=0.5",
        "application/json, text/html",
    ):
        answer = demo.http.get("/queries/audit/gaps", headers={"accept": accept})
        assert answer.status_code == 200
        assert "html" not in answer.headers["content-type"]


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_a_form_is_filled_in_and_answered(demo: Server, browser: Browser, scripts: bool) -> None:
    with watched(browser, demo.url, scripts=scripts) as seen:
        page = seen.open("/queries/impact/retrain")
        field(page, "entity").fill(FEED)
        field(page, "after").fill("2026-03-06")
        field(page, "before").fill("2026-03-10")
        page.get_by_role("button", name="Answer").click()
        page.wait_for_load_state("networkidle")
        told = demo.http.get(RETRAIN).json()
        rows = page.locator("table.answer tbody tr")
        assert rows.count() == len(told["results"]["bindings"]) > 0
        assert page.locator("table.answer thead th").all_inner_texts() == told["head"]["vars"]
        expect(page.get_by_role("status")).to_contain_text(
            f"computed at ledger index {demo.http.get('/health').json()['head']}"
        )
        model = told["results"]["bindings"][0]["model"]["value"]
        assert rows.first.get_by_role("link").first.get_attribute("href") == f"/entity?{urlencode({'iri': model})}"
        assert field(page, "after").input_value() == "2026-03-06"


def test_the_answer_can_be_taken_along_and_opened_in_the_editor(demo: Server, browser: Browser, tmp_path: Path) -> None:
    with watched(browser, demo.url) as seen:
        page = seen.open(RETRAIN)
        with page.expect_download() as started:
            page.get_by_role("link", name="csv").click()
        assert started.value.suggested_filename == "impact-retrain.csv"
        started.value.save_as(tmp_path / "answer.csv")
        assert (tmp_path / "answer.csv").read_bytes() == demo.http.get(f"{RETRAIN}&format=csv").content
        page.get_by_text("The query in SPARQL").click()
        assert FEED in page.locator(".source pre").inner_text()
        page.get_by_role("link", name="Open in the editor").click()
        page.wait_for_load_state("networkidle")
        assert page.locator("table.answer tbody tr").count() > 0


def test_the_example_is_one_click(demo: Server, browser: Browser) -> None:
    with watched(browser, demo.url, scripts=False) as seen:
        page = seen.open("/queries/lineage/steps")
        page.locator(".field", has=field(page, "source")).get_by_role("link", name="use the example").click()
        assert field(page, "source").input_value().endswith("transactions")
        assert field(page, "entity").input_value() == ""
        page.get_by_role("link", name="Try the example").click()
        assert page.locator("table.answer tbody tr").count() > 0


def test_what_is_wrong_stands_beside_its_field(demo: Server, browser: Browser) -> None:
    with watched(browser, demo.url) as seen:
        page = seen.open("/queries/impact/retrain?entity=demographics&after=soon&limit=0", 400)
        for name in ("entity", "after"):
            assert field(page, name).get_attribute("aria-invalid") == "true"
            said = page.locator(f"#{field(page, name).get_attribute('aria-describedby')}")
            expect(said).to_contain_text("Not what is wanted here")
        assert field(page, "before").get_attribute("aria-invalid") is None
        expect(page.get_by_text("from 1 to 100,000")).to_be_visible()
        assert page.locator("table").count() == 0
        assert seen.serious() == []
        # a name in place of an IRI is one click from what it names
        page.goto(f"{demo.url}/queries/impact/retrain?entity=demographics&after=2026-03-06")
        page.get_by_role("link", name="demographics-api", exact=True).click()
        page.wait_for_load_state("networkidle")
        assert page.locator("table.answer tbody tr").count() > 0
        assert field(page, "after").input_value() == "2026-03-06"
        refused(seen, 400)


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/queries/no/such", 404, "no canned query"),
        ("/queries/audit/gaps?nonsense=1", 400, "nonsense"),
        ("/queries/audit/gaps?limit=x", 400, "whole number"),
        ("/queries/integrity/records?first=1.5", 400, "a whole number"),
        ("/queries/bias/disparities?model=urn:a&threshold=much", 400, "a number"),
        ("/queries/lineage/upstream?entity=" + quote("<script>taken()</script>"), 400, "an IRI"),
        ("/queries/lineage/upstream?entity=%ED%A0%80", 400, "an IRI"),
        ("/queries/lineage/upstream?entity=" + "a" * 20_000, 400, "10,000 characters"),
        ("/queries/audit/gaps?min-index=soon", 400, "min-index"),
        ("/queries/audit/gaps?min-index=999999", 404, "newest"),
    ],
)
def test_garbage_is_explained_on_a_page(demo: Server, path: str, status: int, words: str) -> None:
    answer = demo.http.get(path, headers=PAGE)
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("text/html")
    assert words in answer.text
    assert "<script>taken" not in answer.text


def test_an_answer_of_nothing_says_so(demo: Server) -> None:
    answer = demo.http.get("/queries/lineage/upstream?entity=urn:nothing", headers=PAGE)
    assert answer.status_code == 200
    assert "no row answers this" in answer.text


def test_hostile_names_are_text_in_answers(tmp_path: Path, browser: Browser) -> None:
    with serving(tmp_path / "data") as server:
        fill(server)
        assert "javascript:" in DANGEROUS
        with watched(browser, server.url, width=400) as seen:
            for path in (
                "/queries/catalogue/datasets",
                "/queries/catalogue/jobs",
                "/queries/lineage/upstream?entity=" + quote("https://elsewhere.example/thing"),
                "/queries/lineage/upstream?entity=" + quote("javascript:document.title='taken'"),
            ):
                page = seen.open(path)
                assert page.locator("table.answer, .card").count() > 0
                assert_harmless(page, server)
