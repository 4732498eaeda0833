"""The lineage page in a real browser and without scripts: the picture is the answer, and leads to what proves it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import Watched, watched
from tests.histories import PREFIXES, at, data, dataset, read, said
from tests.servers import Server, serving
from tests.test_vocabulary import BROWSER

SCORE, MODEL, PREDICTION = dataset("score"), "urn:x:model:1", "urn:x:prediction:1"
LONG = "long" * 75
#: Names that are markup, a script, right to left, very long, and long with a number at the end, as IRIs hold them.
ODD = (
    "%3Cscript%3Ealert(1)%3C%2Fscript%3E",
    "%3Cb%3Ebold%26amp%3B%3C/b%3E",
    "%D7%A9%D7%9C%D7%95%D7%9D",
    LONG,
    "the%20row%20of%20the%20customer%20in%20application%20107",
)


def story() -> Iterator[dict[str, Any] | str]:
    """Columns of two tables make a score, which trains a model, which predicts; a report is made of who knows what."""
    yield f"{PREFIXES} <{dataset('raw')}> a ps:Source ."
    yield said("r", "START", 1, ["raw"], job="clean")
    yield said("r", "COMPLETE", 2, [], [data("clean", columns=[("total", "raw", "amount", "DIRECT")])], job="clean")
    yield said("s", "START", 3, ["clean", "rates"], job="score")
    made = [("risk", "clean", "total", "DIRECT"), ("band", "rates", "rate", "DIRECT")]
    yield said("s", "COMPLETE", 4, [], [data("score", columns=made)], job="score")
    yield said("t", "START", 5, ["score", "clean"], job="report")
    yield said("t", "COMPLETE", 6, [], ["report"], job="report")
    yield f"""{PREFIXES} <{MODEL}> a ps:ModelVersion ; prov:wasGeneratedBy <urn:x:train> ;
        prov:wasDerivedFrom <{read("score", "u")}> .
        <urn:x:train> a prov:Activity, ps:TrainingRun ; prov:used <{read("score", "u")}> ;
        prov:startedAtTime '{at(7)}'^^xsd:dateTime ; prov:endedAtTime '{at(8)}'^^xsd:dateTime .
        <{read("score", "u")}> a ps:ReadState ; prov:specializationOf <{SCORE}> ."""
    yield f"""{PREFIXES} <{PREDICTION}> a ps:Prediction ; prov:wasDerivedFrom <{MODEL}> ;
        prov:wasGeneratedBy <urn:x:infer> . <urn:x:infer> a prov:Activity, ps:Inference ; prov:used <{MODEL}> ;
        prov:endedAtTime '{at(9)}'^^xsd:dateTime ."""


def leaves(count: int) -> Iterator[str]:
    """A thing that so many come from, in records that are not too large for a busy machine."""
    yield f"{PREFIXES}<urn:hub:{count}> a prov:Entity ."
    for first in range(0, count, 2000):
        some = range(first, min(first + 2000, count))
        made = (f"<urn:leaf:{count}:{n}> a ps:Prediction ; prov:wasDerivedFrom <urn:hub:{count}> ." for n in some)
        yield PREFIXES + "\n".join(made)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(Path(tmp_path_factory.mktemp("lineage")) / "data", profiles="prov-core:off") as found:
        for told in story():
            assert (found.rdf(told) if isinstance(told, str) else found.post(told)).is_success
        odd = "".join(f"<urn:odd:{name}> a prov:Entity ; prov:wasDerivedFrom <urn:odd:end> .\n" for name in ODD)
        texts = [text for count in (0, 1, 500, 20_000) for text in leaves(count)]
        for text in (*texts, f"{PREFIXES}<urn:odd:end> a prov:Entity .\n{odd}"):
            receipt = found.rdf(text)
            assert receipt.is_success, receipt.text
        wait = {"entity": "urn:odd:end", "min-index": receipt.json()["index"]}
        while (last := found.http.get("/lineage", params=wait)).status_code == 503:
            continue  # each try waits some seconds itself
        assert last.status_code == 200, last.text
        yield found


@pytest.fixture
def seen(server: Server, browser: Browser) -> Iterator[Watched]:
    with watched(browser, server.url) as found:
        yield found


def opened(seen: Watched, entity: str, **more: object) -> Page:
    asked = "".join(f"&{name.replace('_', '-')}={quote(str(value), safe='')}" for name, value in more.items())
    page = seen.open(f"/lineage?entity={quote(entity, safe='')}{asked}")
    page.locator("#picture svg.picture-svg").wait_for()
    return page


def answer(server: Server, page: Page) -> dict[str, Any]:
    """What the twin that the page names says."""
    twin = page.locator("#picture").get_attribute("data-twin")
    assert twin
    found: dict[str, Any] = server.http.get(twin, headers={"accept": "application/json"}).json()
    return found


def things(page: Page) -> set[str]:
    """The IRIs of what is drawn within sight."""
    return set(page.locator("a.node").evaluate_all("all => all.map(each => each.dataset.id)"))


def styles(page: Page) -> dict[tuple[str, str], str]:
    """(made, source) → how the line between them is drawn."""
    drawn = page.locator(".edge[data-id]").evaluate_all("all => all.map(e => [e.dataset.id, e.getAttribute('class')])")
    return {tuple(key.split("\n")[:2]): name.removeprefix("edge ").split()[0] for key, name in drawn}


def fit(page: Page) -> None:
    page.get_by_role("button", name="Show all").click()
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))")


def opens(seen: Watched, act: Callable[[], None], place: str = "**/entity?*") -> None:
    """What is done opens the page about a thing, or another."""
    with seen.page.expect_request(place) as asked:
        act()
    assert asked.value.is_navigation_request()
    seen.page.wait_for_url(place, wait_until="networkidle")


def expected_style(edge: dict[str, Any]) -> str:
    return "possible" if edge["relation"] == "possiblyDerivedFrom" else str(edge["status"])


# --- the picture is the answer ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("level", ["asset", "run", "state"])
@pytest.mark.parametrize("entity", [SCORE, PREDICTION])
def test_the_picture_draws_its_answer(server: Server, seen: Watched, entity: str, level: str) -> None:
    page = opened(seen, entity, level=level)
    fit(page)
    said = answer(server, page)
    assert things(page) == {node["iri"] for node in said["nodes"]}
    assert styles(page) == {(e["subject"], e["object"]): expected_style(e) for e in said["edges"]}
    assert page.locator("#table tbody tr").count() == len(said["edges"])


def test_every_way_to_know_is_drawn_in_its_own_way(seen: Watched) -> None:
    page = opened(seen, SCORE, level="state")
    fit(page)
    found = {}
    for name in ("asserted", "merged", "inferred", "possible"):
        line = page.locator(f".edge.{name}[data-id] .stroke").first
        found[name] = line.evaluate(
            "e => ['Dasharray', 'Width', 'Linecap'].map(each => getComputedStyle(e)['stroke' + each]).join(' ')"
        )
    assert len(set(found.values())) == 4
    assert found["asserted"].startswith("none")
    assert found["merged"].startswith("none")


def test_columns_have_rows_that_lines_meet(server: Server, seen: Watched) -> None:
    page = opened(seen, SCORE, level="column")
    fit(page)
    assert {"risk", "band", "total", "amount", "rate"} <= set(page.locator(".node .row").all_text_contents())
    said = answer(server, page)
    drawn = page.locator(".edge[data-id]").evaluate_all("all => all.map(e => e.dataset.id.split('\\n'))")
    named = {(e["subject"], e["column"], e["object"], e["from_column"]) for e in said["edges"] if e["column"] != "*"}
    assert {(each[0], each[4], each[1], each[5]) for each in drawn if each[4] != "*"} == named
    assert {(each[0], each[1]) for each in drawn} == {(e["subject"], e["object"]) for e in said["edges"]}
    assert len(drawn) == len(named) + len({(e["subject"], e["object"]) for e in said["edges"] if e["column"] == "*"})


@pytest.mark.parametrize(("count", "drawn"), [(0, 1), (1, 2), (500, 9), (20_000, 9)])
def test_many_neighbours_are_told_and_not_all_drawn(server: Server, seen: Watched, count: int, drawn: int) -> None:
    page = opened(seen, f"urn:hub:{count}")
    fit(page)
    assert len(things(page)) == drawn
    summary = page.locator("#summary").inner_text()
    if count > 200:
        assert f"Showing 200 of {count + 1:,} things" in summary
        more = page.get_by_role("button", name=f"{count - 8:,} more")
        more.click()
        expect(page.locator("#picture .note")).to_contain_text(f"39 of {count + 1:,} things drawn")
        page.get_by_role("button", name=re.compile("^Load 200 more")).click()
        expect(page.locator("#picture .note")).to_contain_text("361 are folded")
        page.get_by_role("link", name="The next 200").click()
        assert "cursor=" in page.url
        assert "Showing 200 of" in page.locator("#summary").inner_text()


def test_neighbours_that_were_not_loaded_are_fetched(seen: Watched) -> None:
    page = opened(seen, "urn:leaf:500:7", direction="upstream")
    fit(page)
    assert len(things(page)) == 2
    page.get_by_role("button", name=re.compile("499 more")).click()
    expect(page.locator("#picture .stage")).to_have_attribute("data-things", "51")
    page.get_by_role("button", name=re.compile(r"450 more")).click()
    expect(page.locator("#picture .stage")).to_have_attribute("data-things", "101")


def test_names_are_text_whatever_they_are(seen: Watched) -> None:
    page = opened(seen, "urn:odd:end")
    fit(page)
    names = set(page.locator("a.node .name").all_text_contents())
    assert "<script>alert(1)</script>".startswith(next(n for n in names if "script" in n).rstrip("…"))
    assert any(name.startswith("longlong") and name.endswith("…") for name in names)
    assert "שלום" in names
    assert any(name.startswith("the row of the") and name.endswith("…107") for name in names)
    for box in page.locator("a.node .name").all():
        inner, outer = box.bounding_box(), box.locator("xpath=..").locator(".shape").bounding_box()
        assert inner
        assert outer
        assert inner["x"] >= outer["x"]
        assert inner["x"] + inner["width"] <= outer["x"] + outer["width"]
    assert page.locator("a.node title", has_text=LONG).count() == 1
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    opened(seen, f"urn:odd:{LONG}", level="state")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


# --- by keyboard, by pointer -----------------------------------------------------------------------------------------


def test_the_keyboard_walks_from_the_picture_to_a_record(seen: Watched) -> None:
    page = opened(seen, PREDICTION, level="state")
    page.locator("#picture svg.picture-svg").scroll_into_view_if_needed()
    page.get_by_role("button", name="Export as SVG").focus()
    page.keyboard.press("Shift+Tab")
    for _ in range(40):
        if page.evaluate("document.activeElement.classList.contains('node')"):
            break
        page.keyboard.press("Shift+Tab")
    assert page.evaluate("document.activeElement.dataset.id") == PREDICTION
    page.keyboard.press("ArrowLeft")
    now = page.evaluate("document.activeElement.dataset.id")
    assert now == MODEL
    panel = page.get_by_role("complementary", name="What is chosen")
    assert "was derived from" in panel.inner_text()
    assert "asserted" in panel.inner_text()
    for _ in range(8):
        page.keyboard.press("Tab")
        if "/records/" in str(page.evaluate("document.activeElement.getAttribute('href')")):
            break
    opens(seen, lambda: page.keyboard.press("Enter"), "**/records/*")


def test_arrows_and_zoom_keys(seen: Watched) -> None:
    page = opened(seen, SCORE)
    page.locator("a.node[tabindex='0']").focus()
    at = page.evaluate("document.activeElement.dataset.id")
    page.keyboard.press("ArrowRight")
    right = page.evaluate("document.activeElement.dataset.id")
    assert right != at
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.dataset.id") not in (at, right)
    page.keyboard.press("ArrowUp")
    assert page.evaluate("document.activeElement.dataset.id") == right
    page.keyboard.press("ArrowLeft")
    assert page.evaluate("document.activeElement.dataset.id") == at
    world = page.locator(".world")
    before = world.get_attribute("transform") or ""
    page.keyboard.press("-")
    expect(world).not_to_have_attribute("transform", before)
    opens(seen, lambda: page.keyboard.press("Enter"))


def test_a_line_says_how_it_is_known(server: Server, seen: Watched) -> None:
    page = opened(seen, PREDICTION, level="state")
    fit(page)
    panel = page.get_by_role("complementary", name="What is chosen")
    for edge in answer(server, page)["edges"]:
        how = expected_style(edge)
        key = "\n".join((edge["subject"], edge["object"], edge["relation"], edge["status"], "", ""))
        page.locator(".edge[data-id]").evaluate_all(
            "(all, key) => all.find(e => e.dataset.id === key).dispatchEvent(new MouseEvent('click', {bubbles: true}))",
            key,
        )
        text = panel.inner_text()
        assert how in text
        assert edge.get("basis", how) in text
        record = edge.get("record") or edge["known"]
        assert panel.locator(f"a[href='/records/{record.rpartition('/')[2]}']").count() == 1
        assert panel.locator(f"a[href='/records/{record.rpartition('/')[2]}#proof']").count() == 1


def test_a_pointer_chooses_moves_and_opens(seen: Watched) -> None:
    page = opened(seen, SCORE)
    node = page.get_by_role("link", name=re.compile("^report, dataset"))
    node.click()
    assert "/lineage" in page.url
    panel = page.get_by_role("complementary", name="What is chosen")
    assert panel.get_by_role("link", name="report", exact=True).count() == 1
    world = page.locator(".world")
    before = world.get_attribute("transform") or ""
    stage = page.locator("#picture .stage").bounding_box()
    assert stage
    page.mouse.move(stage["x"] + 40, stage["y"] + stage["height"] - 40)
    page.mouse.down()
    page.mouse.move(stage["x"] + 140, stage["y"] + stage["height"] - 80, steps=4)
    page.mouse.up()
    expect(world).not_to_have_attribute("transform", before)
    opens(seen, page.get_by_role("link", name=re.compile("^report, dataset")).dblclick)


# --- what is shown, and when -----------------------------------------------------------------------------------------


def test_kinds_and_ways_to_know_can_be_hidden(server: Server, seen: Watched) -> None:
    page = opened(seen, SCORE)
    fit(page)
    every = things(page)
    page.get_by_role("button", name=re.compile("^prediction ")).click()
    assert things(page) == every - {PREDICTION}
    assert "hide=Prediction" in page.url
    page.get_by_role("button", name=re.compile("^possible ")).click()
    assert page.locator(".edge.possible[data-id]").count() == 0
    page.reload()
    page.locator("#picture svg.picture-svg").wait_for()
    fit(page)
    assert page.locator(".edge.possible[data-id]").count() == 0
    assert things(page) == every - {PREDICTION, dataset("report")}


def test_the_slider_of_the_ledger_shows_what_was_known_then(server: Server, seen: Watched) -> None:
    page = opened(seen, SCORE)
    newest = answer(server, page)
    slider = page.get_by_role("slider", name="Recorded by ledger index")
    assert slider.get_attribute("max") == str(newest["newest"])
    assert slider.get_attribute("min") == str(newest["first"])
    slider.fill("6")
    expect(page.locator("#summary")).to_contain_text("index 6 of")
    fit(page)
    then = answer(server, page)
    assert then["index"] == 6
    assert "at-index=6" in page.url
    assert things(page) == {node["iri"] for node in then["nodes"]} != {node["iri"] for node in newest["nodes"]}
    assert styles(page) == {(e["subject"], e["object"]): expected_style(e) for e in then["edges"]}
    assert page.locator("#table tbody tr").count() == len(then["edges"])
    page.reload()
    assert page.get_by_role("slider", name="Recorded by ledger index").input_value() == "6"
    page.get_by_role("slider", name="Recorded by ledger index").fill(str(newest["first"]))
    expect(page.locator("#summary")).to_contain_text(f"index {newest['first']} of")


def test_the_slider_of_time_shows_what_existed_then(server: Server, seen: Watched) -> None:
    page = opened(seen, SCORE)
    every = {node["iri"] for node in answer(server, page)["nodes"]}
    slider = page.get_by_role("slider", name="Existed by")
    slider.fill("4")
    expect(page.locator("#summary")).to_contain_text("of what existed by")
    fit(page)
    then = answer(server, page)
    assert "as-of=" in page.url
    assert things(page) == {node["iri"] for node in then["nodes"]} < every
    page.get_by_role("slider", name="Existed by").press("End")
    expect(page.locator("#summary")).not_to_contain_text("of what existed by")
    fit(page)
    assert things(page) == every


def test_levels_are_pages_that_the_back_button_knows(seen: Watched) -> None:
    page = opened(seen, SCORE)
    page.get_by_role("link", name="Runs", exact=True).click()
    page.wait_for_url("**level=run**", wait_until="networkidle")
    assert page.locator("a.node.activity").count() > 0
    page.go_back()
    page.wait_for_load_state("networkidle")
    page.locator("a.node.data").first.wait_for()


def test_the_export_is_a_picture_of_its_own(server: Server, seen: Watched) -> None:
    page = opened(seen, SCORE)
    with page.expect_download() as got:
        page.get_by_role("button", name="Export as SVG").click()
    root = ElementTree.parse(got.value.path()).getroot()
    ids = {each.get("data-id") for each in root.iter("{http://www.w3.org/2000/svg}a")}
    assert ids == {node["iri"] for node in answer(server, page)["nodes"]}
    style = root.find("{http://www.w3.org/2000/svg}style")
    assert style is not None
    assert style.text
    assert "var(" not in style.text
    assert "stroke-dasharray" in style.text
    assert "http" not in style.text


# --- the page itself -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("level", ["asset", "column"])
def test_the_page_is_accessible(server: Server, browser: Browser, level: str, dark: bool) -> None:
    with watched(browser, server.url, dark=dark) as seen:
        page = opened(seen, SCORE, level=level)
        page.locator("a.node").first.click()
        assert seen.serious() == []
        assert page.locator("h1").count() == 1


def test_the_page_can_be_read_without_scripts(server: Server, browser: Browser) -> None:
    with watched(browser, server.url, scripts=False) as seen:
        page = seen.open(f"/lineage?entity={quote(SCORE, safe='')}")
        summary = page.locator("#summary").inner_text()
        assert (
            "score is a dataset. It came from 3 things; 3 things came from it. Of these, 1 is only possibly" in summary
        )
        assert page.locator("#table tbody tr").count() > 5
        assert page.locator("#table a[href^='/records/']").count() == page.locator("#table tbody tr").count()
        page.get_by_role("link", name="Where from", exact=True).click()
        assert page.locator("#table tbody tr").count() == 3


def test_the_table_of_a_long_answer_has_pages(server: Server, browser: Browser) -> None:
    with watched(browser, server.url, scripts=False) as seen:
        page = seen.open("/lineage?entity=urn:hub:500")
        assert page.locator("#table tbody tr").count() == 50
        assert "1–50 of 199" in page.locator(".pager").inner_text()
        for _ in range(3):
            page.get_by_role("link", name="Next page").click()
        assert "151–199 of 199" in page.locator(".pager").inner_text()


def test_a_phone_shows_it_all(server: Server, browser: Browser) -> None:
    with watched(browser, server.url, width=390) as seen:
        page = opened(seen, SCORE)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        page.locator("a.node.focus").click()
        assert page.get_by_role("complementary", name="What is chosen").is_visible()


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/lineage", 200, "Where did a thing come from"),
        ("/lineage?entity=urn:nobody", 404, "no lineage recorded"),
        ("/lineage?entity=urn:hub:1&level=table", 400, "level"),
        ("/lineage?entity=urn:hub:1&at-index=999999", 404, "newest"),
        ("/lineage?entity=urn:hub:1&as-of=<script>", 400, "ISO 8601"),
        ("/lineage?entity=urn:hub:1&colour=red", 400, "no parameter"),
        ("/lineage?entity=%00%ff%22%3E", 404, "no lineage"),
        ("/lineage?entity=urn:hub:1&rows=many", 200, "is an entity"),
    ],
)
def test_what_cannot_be_answered_is_said_above_the_form(server: Server, path: str, status: int, words: str) -> None:
    found = server.http.get(path, headers={"accept": BROWSER})
    assert found.status_code == status
    assert found.headers["content-type"].startswith("text/html")
    assert words in found.text
    assert 'name="entity"' in found.text
    assert "<script>" not in found.text


def test_a_program_still_gets_the_answer(server: Server) -> None:
    plain = server.http.get("/lineage", params={"entity": SCORE})
    assert plain.headers["content-type"] == "application/json"
    assert plain.json()["question"] == {"entity": SCORE, "direction": "upstream"}
    page = server.http.get("/lineage", params={"entity": SCORE}, headers={"accept": BROWSER})
    twins = dict(re.findall(r'<([^>]+)>; rel="alternate"; type="([^"]+)"', page.headers["link"]))
    for address, media_type in twins.items():
        twin = server.http.get(address, headers={"accept": BROWSER})
        assert (twin.status_code, twin.headers["content-type"].split(";")[0]) == (200, media_type)
    assert set(twins.values()) == {"application/json", "text/csv", "text/turtle"}


def test_differences_and_roots_have_no_picture(server: Server) -> None:
    found = server.http.get(
        "/lineage", params={"entity": SCORE, "roots": "true"}, headers={"accept": f"{BROWSER},application/json"}
    )
    assert found.headers["content-type"] == "application/json"
