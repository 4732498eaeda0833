"""How the records of a store stand with the profiles: the page, its JSON twin, and the counts behind both."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.browser import watched
from tests.servers import Server, serving
from tests.test_records import MARKUP
from tests.test_vocabulary import BROWSER

PROV = "http://www.w3.org/ns/prov#"
RULE = "https://w3id.org/provstore/shapes/prov-core#entity-is-no-activity"
BAD, GOOD = 70, 5


def settled(server: Server) -> dict[str, Any]:
    """What the twin says once nothing waits any more."""
    until = time.monotonic() + 60
    while (said := server.http.get("/validation").json())["profiles"][0].get("waiting"):
        assert time.monotonic() < until, said
    found: dict[str, Any] = said
    return found


def send(server: Server, bad: int, good: int) -> None:
    for n in range(bad):
        said = f"<urn:bad:{n}> a <{PROV}Entity>, <{PROV}Activity> ."
        if n == 0:
            said += f'<urn:bad:0> <{PROV}wasAssociatedWith> "{MARKUP}" .'
        assert server.rdf(said).status_code == 201
    for n in range(good):
        server.rdf(f"<urn:good:{n}> a <{PROV}Entity> .")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(Path(tmp_path_factory.mktemp("validation-page")) / "data") as found:
        send(found, BAD, GOOD)
        settled(found)
        yield found


def test_the_counts(server: Server) -> None:
    (profile,) = server.http.get("/validation").json()["profiles"]
    counts = {name: profile[name] for name in ("mode", "waiting", "conforming", "violating", "failed")}
    assert counts == {"mode": "annotate", "waiting": 0, "conforming": GOOD, "violating": BAD, "failed": 0}
    first = profile["rules"][0]
    assert (first["shape"], first["severity"], first["records"]) == (RULE, "MUST", BAD)
    assert "two" in first["message"]
    assert first["clause"].startswith("https://www.w3.org/TR/prov-constraints/")


@pytest.mark.parametrize(
    ("query", "total"),
    [("", BAD), ("state=violating", BAD), ("state=conforming", GOOD), ("state=failed", 0), (f"rule={RULE[:-9]}", 0)],
)
def test_every_record_is_listed_once(server: Server, query: str, total: int) -> None:
    seen: list[int] = []
    place: str | None = f"/validation?limit=20&{query}"
    while place:
        said = server.http.get(place).json()
        assert said["total"] == total
        seen += [each["index"] for each in said["records"]]
        place = said["next"]
    assert len(seen) == len(set(seen)) == total
    assert seen == sorted(seen, reverse=True)


def test_the_records_of_one_rule(server: Server) -> None:
    answer = server.http.get(
        "/validation", params={"rule": RULE.replace("entity-is-no-activity", "wasAssociatedWith-is-no-text")}
    )
    (found,) = answer.json()["records"]
    assert found["index"] == 1
    assert {result["severity"] for result in found["results"]} >= {"MUST"}


@pytest.mark.parametrize("query", ["profile=none", "state=odd", "limit=0", "limit=501", "before=x"])
def test_what_there_is_not_is_refused(server: Server, query: str) -> None:
    assert server.http.get(f"/validation?{query}").status_code == 400
    page = server.http.get(f"/validation?{query}", headers={"accept": BROWSER})
    assert (page.status_code, page.headers["content-type"]) == (400, "text/html; charset=utf-8")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_from_the_counts_to_a_record_and_what_it_lacks(server: Server, browser: Browser, dark: bool) -> None:
    with watched(browser, server.url, dark=dark, width=390, scripts=False) as seen:
        page = seen.open("/validation")
        page.get_by_role("link", name="70 records").click()
        assert page.locator("li.chosen").count() == 1
        page.get_by_role("link", name="Next page").click()
        assert page.locator("article").count() == BAD - 50
        assert MARKUP not in page.content()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
    with watched(browser, server.url, dark=dark) as seen:
        page = seen.open("/validation?before=2")
        assert seen.serious() == []
        page.get_by_role("link", name=re.compile("^record ")).first.click()
        section = page.get_by_role("region", name="Validation")
        assert "does not conform" in section.inner_text()
        assert "A thing and what happened to it are two" in section.inner_text()
        assert seen.serious() == []


def test_the_counts_outlive_a_restart_and_the_loss_of_the_file(tmp_path: Path) -> None:
    directory = tmp_path / "data"
    with serving(directory) as server:
        send(server, 3, 1)
        first = settled(server)
    with serving(directory) as server:
        assert settled(server) == first
    for file in directory.glob("validation.db*"):
        file.unlink()
    with serving(directory) as server:
        assert settled(server) == first
    with serving(directory, profiles="") as server:
        (profile,) = server.http.get("/validation").json()["profiles"]
        assert (profile["mode"], profile["violating"]) == ("no longer in use", 3)


def test_a_profile_that_rejects_keeps_nothing(tmp_path: Path, browser: Browser) -> None:
    with serving(tmp_path / "data", profiles="prov-core:reject") as server:
        assert server.rdf(f"<urn:x> a <{PROV}Entity>, <{PROV}Activity> .").status_code == 422
        (profile,) = server.http.get("/validation").json()["profiles"]
        assert [profile[name] for name in ("profile", "mode", "violating")] == ["prov-core/2", "reject", 0]
        with watched(browser, server.url) as seen:
            assert "no place in the ledger" in seen.open("/validation").locator("main").inner_text()


def test_a_store_without_profiles_and_records(tmp_path: Path, browser: Browser) -> None:
    with serving(tmp_path / "data", profiles="") as server, watched(browser, server.url) as seen:
        assert "No profile is in use" in seen.open("/validation").locator("main").inner_text()
        assert server.http.get("/validation").json()["profiles"] == []
