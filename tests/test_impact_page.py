"""The impact page: verdicts as a sentence and a list, why, and what programs get of it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser

from tests.browser import watched
from tests.histories import PREFIXES, at, dataset, read
from tests.servers import Server, serving
from tests.test_lineage_page import LONG, MODEL, PREDICTION, story
from tests.test_vocabulary import BROWSER

RAW = dataset("raw")
#: A prediction that rests on a read nobody explains, one of something else, and one whose name is markup.
MORE = f"""{PREFIXES} <urn:x:dark> a ps:Prediction ; prov:wasDerivedFrom <{read("shade", "v")}> .
<{read("shade", "v")}> a ps:ReadState ; prov:specializationOf <{dataset("shade")}> ; prov:wasInfluencedBy <urn:x:v> .
<urn:x:v> a prov:Activity ; prov:used <{read("shade", "v")}> ; prov:startedAtTime '{at(20)}'^^xsd:dateTime .
<urn:x:apart> a ps:Decision ; prov:wasDerivedFrom <urn:x:elsewhere> .
<urn:x:%3Cscript%3E{LONG}> a ps:Decision ; prov:wasDerivedFrom <{PREDICTION}> ."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(Path(tmp_path_factory.mktemp("impact")) / "data") as found:
        for told in (*story(), MORE):
            receipt = found.rdf(told) if isinstance(told, str) else found.post(told)
            assert receipt.is_success, receipt.text
        wait = {"entity": RAW, "min-index": receipt.json()["index"]}
        while (last := found.http.get("/impact", params=wait)).status_code == 503:
            continue  # each try waits some seconds itself
        assert last.status_code == 200, last.text
        yield found


def address(**asked: str) -> str:
    return "/impact?" + "&".join(f"{name.replace('_', '-')}={quote(value, safe='')}" for name, value in asked.items())


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "none"])
def test_the_page_says_what_its_twin_says(server: Server, browser: Browser, scripts: bool) -> None:
    told = server.http.get("/impact", params={"entity": RAW}).json()
    with watched(browser, server.url, scripts=scripts) as seen:
        page = seen.open(address(entity=RAW))
        counts = told["counts"]
        said = " ".join(page.locator("#summary").inner_text().split())
        assert f"{counts['affected']} of {sum(counts.values())} things are affected" in said
        assert f"{counts['possibly affected']} possibly, {counts['not affected']} not." in said
        rows = page.locator("tbody tr")
        assert rows.count() == len(told["verdicts"])
        drawn = [rows.nth(n).locator("td").all_inner_texts() for n in range(rows.count())]
        assert [row[0] for row in drawn] == [each["verdict"] for each in told["verdicts"]]
        titles = [rows.nth(n).locator("a.thing").get_attribute("title") for n in range(rows.count())]
        assert titles == [each["iri"] for each in told["verdicts"]]
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        if scripts:
            assert seen.serious() == []


def test_why_is_a_picture_of_the_way(server: Server, browser: Browser) -> None:
    with watched(browser, server.url) as seen:
        page = seen.open(address(entity=RAW))
        page.locator("tr", has=page.locator(f"a[title='{PREDICTION}']")).get_by_role("link", name="steps away").click()
        page.locator("#picture svg.picture-svg").wait_for()
        page.wait_for_load_state("networkidle")
        page.get_by_role("button", name="Show all").click()
        drawn = set(page.locator("a.node").evaluate_all("all => all.map(each => each.dataset.id)"))
        assert {MODEL, PREDICTION} < drawn
        assert any(iri.startswith(RAW) for iri in drawn)
        assert not any(iri.startswith(dataset("rates")) for iri in drawn)


def test_one_verdict_and_one_kind_can_be_listed(server: Server, browser: Browser) -> None:
    with watched(browser, server.url, scripts=False) as seen:
        page = seen.open(address(entity=RAW, kind="Decision"))
        assert set(page.locator("tbody td:nth-child(3)").all_inner_texts()) == {"decision"}
        page.get_by_role("link", name="not affected").click()
        assert set(page.locator("tbody td:nth-child(1)").all_inner_texts()) == {"not affected"}
        assert page.get_by_label("Kinds to judge").input_value() == "Decision"


def test_a_time_narrows_what_was_bad(server: Server, browser: Browser) -> None:
    with watched(browser, server.url, scripts=False) as seen:
        page = seen.open(address(entity=RAW))
        page.get_by_label("From").fill("2030-01-01")
        page.get_by_role("button", name="Judge").click()
        assert "nothing was bad" in page.locator("#summary").inner_text()
        assert "after=2030-01-01" in page.url


def test_a_long_list_goes_on(server: Server, browser: Browser) -> None:
    with watched(browser, server.url, scripts=False) as seen:
        page = seen.open(address(entity=RAW, limit="2"))
        first = page.locator("tbody tr").all_inner_texts()
        page.get_by_role("link", name="Next page").click()
        assert len(first) == 2
        assert first != page.locator("tbody tr").all_inner_texts()


def test_all_of_it_as_csv(server: Server, browser: Browser) -> None:
    with watched(browser, server.url) as seen:
        page = seen.open(address(entity=RAW, limit="2"))
        with page.expect_download() as got:
            page.get_by_role("link", name="All as CSV").click()
        rows = list(csv.DictReader(io.StringIO(got.value.path().read_text())))
    told = server.http.get("/impact", params={"entity": RAW}).json()
    assert [row["iri"] for row in rows] == [each["iri"] for each in told["verdicts"]]


@pytest.mark.parametrize(
    ("asked", "status", "words"),
    [
        ({}, 200, "Name it, and when it was bad"),
        ({"entity": "urn:nobody"}, 404, "no lineage recorded"),
        ({"entity": RAW, "before": "yesterday"}, 400, "before"),
        ({"entity": RAW, "verdict": "<script>"}, 400, "verdict"),
        ({"entity": "\x00\"'><script>"}, 404, "no lineage"),
    ],
)
def test_what_cannot_be_answered_is_said_above_the_form(
    server: Server, asked: dict[str, str], status: int, words: str
) -> None:
    found = server.http.get("/impact", params=asked, headers={"accept": BROWSER})
    assert found.status_code == status
    assert found.headers["content-type"].startswith("text/html")
    assert words in found.text
    assert 'name="entity"' in found.text
    assert "<script>" not in found.text


def test_dark_and_narrow(server: Server, browser: Browser) -> None:
    with watched(browser, server.url, dark=True, width=390) as seen:
        page = seen.open(address(entity=RAW))
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert seen.serious() == []
