"""The SPARQL page in a real browser: editor and plain text field, answers, errors at their place, limits, keys."""

from __future__ import annotations

import csv
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from provstore.errors import QueryRefused
from provstore.ui.sparql import fault
from tests.asking import assert_harmless, fill, refused
from tests.browser import watched
from tests.servers import Server, serving
from tests.test_vocabulary import BROWSER

PAGE = {"accept": BROWSER}
RUNS = (
    "PREFIX prov: <http://www.w3.org/ns/prov#>\n"
    "SELECT ?run ?input WHERE { ?run prov:used ?input } ORDER BY ?run ?input LIMIT 5"
)
GRAPH = "CONSTRUCT { ?run ?p ?o } WHERE { ?run a <http://www.w3.org/ns/prov#Activity> ; ?p ?o } LIMIT 7"
ENDLESS = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }"
MANY = "SELECT ?a ?b { ?a ?p ?x . ?b ?q ?y } LIMIT 100000"


def of(query: str, **more: str) -> str:
    return f"/sparql?{urlencode({'query': query, **more})}"


def editor(page: Page) -> Locator:
    return page.get_by_role("textbox", name="SPARQL query")


def write(page: Page, text: str) -> None:
    """Write over what the editor holds, by its own key: it hears of a selection made by a script a moment too late."""
    editor(page).focus()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(text)


def asked(page: Page) -> str:
    """The query in the address."""
    return parse_qs(urlsplit(page.url).query)["query"][0].replace("\r\n", "\n")


def rows(page: Page) -> int:
    page.wait_for_load_state("networkidle")
    return page.locator("table.answer tbody tr").count()


# --- what it is ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("path", ["/sparql", of(RUNS), of(GRAPH), of("ASK {}")])
def test_it_is_accessible(demo: Server, browser: Browser, path: str, dark: bool) -> None:
    with watched(browser, demo.url, dark=dark) as seen:
        page = seen.open(path)
        expect(editor(page)).to_be_visible()
        assert page.locator("h1").count() == 1
        assert seen.serious() == []


@pytest.mark.parametrize("accept", ["*/*", "application/json, text/html", "text/html;q=0.5, text/csv", "text/*"])
def test_programs_get_what_they_got(demo: Server, accept: str) -> None:
    answer = demo.http.get("/sparql", params={"query": RUNS}, headers={"accept": accept})
    assert answer.status_code == 200
    assert "html" not in answer.headers["content-type"]
    assert demo.http.get("/sparql", headers={"accept": accept}).status_code == 400
    posted = demo.http.post("/sparql", data={"query": RUNS}, headers={"accept": accept})
    assert "html" not in posted.headers["content-type"]


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_a_query_is_run_and_answered(demo: Server, browser: Browser, scripts: bool) -> None:
    with watched(browser, demo.url, scripts=scripts) as seen:
        page = seen.open("/sparql")
        if scripts:
            write(page, RUNS)
        else:
            page.get_by_label("Query").fill(RUNS)
        page.get_by_role("button", name="Run").click()
        page.wait_for_url("**/sparql?query=*")
        assert rows(page) == 5
        assert asked(page) == RUNS
        told = demo.rows(RUNS)
        links = page.locator("table.answer tbody tr").first.get_by_role("link")
        assert links.nth(0).get_attribute("href") == f"/entity?{urlencode({'iri': told[0]['run']})}"
        assert links.nth(1).get_attribute("href") == f"/entity?{urlencode({'iri': told[0]['input']})}"
        expect(page.get_by_role("status")).to_contain_text("5 rows, computed at ledger index")


def test_each_form_has_its_answer(demo: Server, browser: Browser) -> None:
    with watched(browser, demo.url, scripts=False) as seen:
        page = seen.open(of("ASK { ?s ?p 'no such text' }"))
        expect(page.get_by_role("status")).to_contain_text("No at ledger index")
        page = seen.open(of("ASK {}"))
        expect(page.get_by_role("status")).to_contain_text("Yes at ledger index")
        page = seen.open(of(GRAPH))
        assert rows(page) == 7
        expect(page.get_by_role("status")).to_contain_text("7 triples")
        page = seen.open(of("SELECT ?x { ?x ?y 'no such text' }"))
        expect(page.get_by_text("no row answers this")).to_be_visible()
        time = '"2026-01-02T03:04:05Z"^^<http://www.w3.org/2001/XMLSchema#dateTime>'
        values = f'"tab\\there"@en 1.5 true {time} UNDEF <urn:x:y>'
        page = seen.open(of(f"SELECT ?v {{ VALUES ?v {{ {values} }} }}"))
        cells = page.locator("table.answer td").all_inner_texts()
        assert cells == ["tab\there @en", "1.5", "true", "2026-01-02 03:04 UTC", "–", "y"]


# --- too much, and wrong ---------------------------------------------------------------------------------------------


def test_a_hundred_thousand_rows_are_cut_and_downloaded_whole(demo: Server, browser: Browser, tmp_path: Path) -> None:
    with watched(browser, demo.url) as seen:
        page = seen.open(of(MANY))
        assert rows(page) == 500
        expect(page.get_by_role("status")).to_contain_text("The first 500 of 100,000 rows")
        with page.expect_download() as started:
            page.get_by_role("link", name="csv").click()
        started.value.save_as(tmp_path / "all.csv")
        with (tmp_path / "all.csv").open(newline="") as file:
            assert sum(1 for _ in csv.reader(file)) == 100_001
    assert list((demo.directory / "spool").iterdir()) == []


def test_an_endless_query_is_stopped_and_explained(demo: Server, browser: Browser) -> None:
    with watched(browser, demo.url) as seen:
        page = seen.open(of(ENDLESS, timeout="0.5"), 503)
        told = page.get_by_role("alert")
        expect(told).to_contain_text("longer than 0.5 s")
        expect(told).to_contain_text("LIMIT")
        assert seen.serious() == []
        refused(seen, 503)


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_an_error_is_marked_at_its_place(demo: Server, browser: Browser, scripts: bool) -> None:
    query = 'SELECT * {\n  ?s ?p "ünï" § ?o }\n'
    with watched(browser, demo.url, scripts=scripts) as seen:
        page = seen.open(of(query), 400)
        told = page.get_by_role("alert")
        expect(told).to_contain_text("line 2, column 15")
        assert told.locator("mark").inner_text() == "§"
        if scripts:
            expect(page.locator(".cm-lintRange-error")).to_have_text("§")
            assert page.locator(".cm-lint-marker-error").count() == 1
            assert seen.serious() == []
        else:
            assert page.get_by_label("Query").input_value() == query
        refused(seen, 400)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("SELECT * { ?s dct:title ?o }", "prefix is used that no PREFIX line declares"),
        ("SELECT (COUNT(*) AS ?n) ?s { ?s ?p ?o }", "a variable that is unbound"),
        ("SELECT * { ?s ?p <nowhere> }", "IRI parsing failed"),
        ("SELECT", "It could go on with"),
        ("SELECT * { ?s ?p ?o", "} is missing at the end"),
        ("SELECT * { ?s ?p '§' ?o ?q ?r }", "line 1, column 22"),
        ("SELECT * { SERVICE <http://127.0.0.1:1/> { ?s ?p ?o } }", "SERVICE is not allowed"),
        ("DROP ALL", "changes nothing"),
        ("", "is wanted"),
        ("\x00\ud800", "is wanted"),
        (f"SELECT * {{ {'{' * 150} {'}' * 150} }}", "nested deeper"),
    ],
)
def test_every_refusal_is_in_words(demo: Server, query: str, words: str) -> None:
    asked = urlencode({"query": query}, errors="surrogatepass")
    answer = demo.http.get(f"/sparql?{asked}", headers=PAGE)
    assert answer.status_code == 400
    assert words in answer.text
    assert '<textarea id="query"' in answer.text
    assert "\\u{" not in answer.text  # the engine's grammar is not for people


@pytest.mark.parametrize(
    "detail", ["not a SPARQL query: error at 99:1: expected }", "at 1:999: expected [_]", "nothing"]
)
def test_a_place_outside_of_the_query_is_no_trouble(detail: str) -> None:
    found = fault(QueryRefused(detail, line=99), "ASK {}")
    assert found.said
    assert len(found.before) <= 60


def test_what_the_protocol_allows_beside_the_query_is_kept(demo: Server, browser: Browser) -> None:
    with watched(browser, demo.url, scripts=False) as seen:
        page = seen.open(of("SELECT * { ?s ?p ?o } LIMIT 3", **{"default-graph-uri": "urn:none", "timeout": "5"}))
        expect(page.get_by_text("no row answers this")).to_be_visible()
        page.get_by_role("button", name="Run").click()
        expect(page.get_by_text("no row answers this")).to_be_visible()
        assert "timeout=5" in page.url


# --- the editor ------------------------------------------------------------------------------------------------------


def test_keys_run_complete_and_leave(demo: Server, browser: Browser) -> None:
    with watched(browser, demo.url) as seen:
        page = seen.open("/sparql")
        editor(page).focus()
        page.keyboard.press("Control+a")
        page.keyboard.type("SELECT ?who { ?what prov:wasAttr")
        offered = page.locator(".cm-tooltip-autocomplete li[aria-selected]")
        expect(offered).to_contain_text("prov:wasAttributedTo")
        page.keyboard.press("Enter")
        expect(editor(page)).to_contain_text("PREFIX prov: <http://www.w3.org/ns/prov#>")
        page.keyboard.type(" ?wh")
        expect(offered).to_contain_text("?what")
        page.keyboard.press("Escape")  # closes what is offered
        expect(page.locator(".cm-tooltip-autocomplete")).to_have_count(0)
        page.keyboard.press("Escape")
        expect(page.get_by_role("button", name="Run")).to_be_focused()
        page.keyboard.press("Tab")
        expect(page.get_by_role("button", name="Add prefixes")).to_be_focused()
        editor(page).focus()
        page.keyboard.press("Control+Enter")
        page.wait_for_url("**/sparql?query=*")
        assert rows(page) > 0
        assert asked(page).startswith("PREFIX prov:")


def test_a_slash_in_the_editor_is_a_slash(demo: Server, browser: Browser) -> None:
    with watched(browser, demo.url) as seen:
        page = seen.open("/sparql")
        editor(page).focus()
        page.keyboard.press("Control+a")
        page.keyboard.type("# a/b")
        assert page.locator("#query").input_value() == "# a/b"


def test_terms_that_only_the_store_uses_are_offered(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as server:
        before = {each["iri"] for each in server.http.get("/sparql/terms").json()["terms"]}
        assert "https://w3id.org/provstore/ns#Run" in before
        assert "urn:example:colour" not in before
    with serving(tmp_path / "data") as server:  # anew: what is in use is looked up once a minute
        index = server.rdf("<urn:a> a <urn:example:Thing> ; <urn:example:colour> 'red' .").json()["index"]
        assert server.sparql("ASK {}", min_index=index).status_code == 200
        terms = {each["iri"]: each for each in server.http.get("/sparql/terms").json()["terms"]}
        assert (terms["urn:example:colour"]["kind"], terms["urn:example:Thing"]["kind"]) == ("property", "class")
        assert terms["https://w3id.org/provstore/ns#Run"]["about"]


def test_missing_prefixes_are_added(demo: Server, browser: Browser) -> None:
    query = (
        "PREFIX ps: <https://w3id.org/provstore/ns#>\n"
        "SELECT * { ?s dct:title ?t ; a ps:Run . FILTER(?t != <http://x.example/>) }"
    )
    with watched(browser, demo.url) as seen:
        page = seen.open(of(query), 400)
        page.get_by_role("button", name="Add prefixes").click()
        expect(editor(page)).to_contain_text("PREFIX dct: <http://purl.org/dc/terms/>")
        page.get_by_role("button", name="Run").click()
        page.wait_for_load_state("networkidle")
        assert asked(page).count("PREFIX") == 2
        expect(page.get_by_role("heading", name="Answer")).to_be_visible()
        refused(seen, 400)


def test_a_canned_query_is_put_into_the_editor(demo: Server, browser: Browser) -> None:
    with watched(browser, demo.url, scripts=False) as seen:
        page = seen.open("/sparql")
        page.get_by_label("Begin from a question").select_option("lineage/upstream")
        page.get_by_role("button", name="Put into the editor").click()
        text = page.get_by_label("Query").input_value()
        assert text.startswith("# What does this come from?")
        assert "<https://prov.example/prediction/1>" in text
        page.get_by_role("button", name="Run").click()
        assert rows(page) > 0
    assert demo.http.get("/sparql?example=no/such", headers=PAGE).status_code == 404


def test_a_long_query_is_posted(demo: Server, browser: Browser) -> None:
    query = f"{RUNS}\n# {'long ' * 20_000}"
    with watched(browser, demo.url) as seen:
        page = seen.open("/sparql")
        page.locator("#query").evaluate("(field, text) => { field.value = text; }", query)
        page.keyboard.press("Tab")
        with page.expect_navigation():
            page.get_by_role("button", name="Run").click()
        assert rows(page) == 5
        assert page.url.endswith("/sparql")
        expect(page.get_by_text("too long for an address")).to_be_visible()
        with page.expect_navigation():  # and what is wrong with one is told in the same way
            page.locator("#query").evaluate("(field, text) => { field.value = text; }", f"{query}\n}}")
            page.get_by_role("button", name="Run").click()
        expect(page.get_by_role("alert")).to_contain_text("line 4")
        refused(seen, 400)


@pytest.mark.parametrize("width", [1280, 400])
def test_hostile_terms_are_text(tmp_path: Path, browser: Browser, width: int) -> None:
    with serving(tmp_path / "data") as server:
        fill(server)
        with watched(browser, server.url, width=width) as seen:
            for query in (
                "SELECT * { ?s ?p ?o } LIMIT 500",
                "CONSTRUCT { ?s ?p ?o } { ?s ?p ?o } LIMIT 500",
                "SELECT ?s ?o { ?s <http://www.w3.org/2000/01/rdf-schema#label> ?o }",
                "SELECT (<javascript:document.title='taken'> AS ?x) {}",
                "SELECT ('</textarea><script>document.title=\"taken\"</script>' AS ?y) {}",
            ):
                page = seen.open(of(query))
                assert rows(page) > 0
                assert_harmless(page, server)
                assert page.locator("textarea").count() == 1


def test_a_form_of_elsewhere_is_refused(demo: Server) -> None:
    for origin in ("https://elsewhere.example", "null"):
        answer = demo.http.post("/sparql", data={"query": RUNS}, headers={**PAGE, "origin": origin})
        assert answer.status_code == 403
