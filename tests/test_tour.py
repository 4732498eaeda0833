"""The tour in a real browser: the README's pages as a newcomer opens them, and from a search to a proof by keyboard."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.browser import watched
from tests.servers import Server, serving
from tests.suites import ROOT

PREDICTION = "https://prov.example/prediction/1"
#: The pages that the README says to open, by what a newcomer must find on each.
STOPS = {
    "/lineage": ["demographics-api", "transactions", "customer_risk_score", "asserted"],
    "/impact": ["premium 1", "affected", "possibly affected", "not affected"],
    "/queries/audit/gaps": ["read of unknown origin", "no agent", "customer_segments"],
    "/ledger": ["421", "checkpoint"],
}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """All worked examples, as `make run` serves them."""
    with serving(tmp_path_factory.mktemp("tour") / "data", verb="demo") as server:
        yield server


def links() -> dict[str, str]:
    """The README's links to the running server: path → path with its query."""
    found = re.findall(r"\]\(http://127\.0\.0\.1:8000(/[^)]*)\)", (ROOT / "README.md").read_text())
    return {link.partition("?")[0]: link for link in found}


def test_every_page_that_the_readme_opens_is_a_stop() -> None:
    assert set(links()) == set(STOPS)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("path", STOPS)
def test_a_stop_of_the_tour(demo: Server, browser: Browser, path: str, dark: bool) -> None:
    with watched(browser, demo.url, dark=dark) as seen:
        page = seen.open(links()[path])
        text = page.locator("main").inner_text()
        assert [word for word in STOPS[path] if word not in text] == []
        assert seen.serious() == []


def test_by_keyboard_alone_from_a_search_to_a_verified_proof(demo: Server, browser: Browser) -> None:
    with watched(browser, demo.url) as seen:
        page = seen.open("/")
        _tab(page, "document.activeElement.name === 'q'")
        page.keyboard.type("risk of application 1")
        _enter(page, "**/search?*")
        _tab(page, f"document.activeElement.href?.includes(encodeURIComponent('{PREDICTION}'))")
        _enter(page, "**/entity?*")
        assert "risk of application 1" in page.locator("h1").inner_text()
        _tab(page, "document.activeElement.textContent.trim() === 'Lineage picture'")
        _enter(page, "**/lineage?*")
        _tab(page, "document.activeElement.classList.contains('node')")
        page.keyboard.press("ArrowLeft")
        panel = page.get_by_role("complementary", name="What is chosen")
        assert "was derived from" in panel.inner_text()
        _tab(page, "document.activeElement.getAttribute('href')?.startsWith('/records/')")
        _enter(page, "**/records/*")
        _tab(page, "document.activeElement.id === 'verify-button'")
        page.keyboard.press("Enter")
        page.wait_for_selector("#verdict .notice.good")
        assert page.get_by_role("status").inner_text().startswith("Proven: entry ")
        assert seen.serious() == []


def test_a_record_that_was_changed_on_disk_is_refused(browser: Browser, tmp_path: Path) -> None:
    with serving(tmp_path / "data", verb="demo") as whole:
        answer = whole.http.get("/lineage", params={"entity": PREDICTION}).json()
        record = next(edge["record"] for edge in answer["edges"] if edge["status"] == "asserted")
    digest = record.rpartition("/")[2]
    db = sqlite3.connect(tmp_path / "data" / "ledger.db")
    (payload,) = db.execute("SELECT payload FROM body WHERE record = ?", (record,)).fetchone()
    db.execute("UPDATE body SET payload = ? WHERE record = ?", (payload[:-1] + bytes([payload[-1] ^ 1]), record))
    db.commit()
    db.close()
    with serving(tmp_path / "data") as tampered, watched(browser, tampered.url) as seen:
        page = seen.open(f"/records/{digest}")
        page.get_by_role("button", name="Verify").click()
        page.wait_for_selector("#verdict .notice.bad")
        assert page.get_by_role("status").inner_text().startswith("REFUSED")


def _tab(page: Page, there: str) -> None:
    """Press Tab until the focus is where it is wanted."""
    for _ in range(150):
        if page.evaluate(there):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab never came to {there} on {page.url}")


def _enter(page: Page, address: str) -> None:
    _arrives(page, lambda: page.keyboard.press("Enter"), address)


def _arrives(page: Page, act: Callable[[], None], address: str) -> None:
    act()
    page.wait_for_url(address)
    page.wait_for_load_state("networkidle")
