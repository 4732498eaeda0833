"""The page of the ledger, its JSON twin, and a kept checkpoint that the browser holds the log to."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from playwright.sync_api import Browser, Page

from provstore.ledger.note import Checkpoint, Signer
from tests.browser import watched
from tests.servers import Server, event, serving
from tests.test_records import MARKUP, RIGHT_TO_LEFT
from tests.test_vocabulary import BROWSER

COUNT = 120


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(Path(tmp_path_factory.mktemp("ledger-page")) / "data") as found:
        jobs = [{"namespace": "tests", "name": name} for name in ("n" * 300, RIGHT_TO_LEFT, MARKUP)]
        events = [event(n, **({"job": jobs[n]} if n < 3 else {})) for n in range(COUNT)]
        found.post(events, "/api/v1/lineage/batch")
        found.rows("SELECT ?s { ?s ?p ?o } LIMIT 1", min_index=COUNT)
        yield found


def test_the_twin_lists_every_entry_once(server: Server) -> None:
    seen: list[int] = []
    place: str | None = "/ledger"
    while place:
        said = server.http.get(place).json()
        seen += [each["index"] for each in said["entries"]]
        place = said["next"]
    assert seen == list(range(COUNT, -1, -1))
    assert said["size"] == COUNT + 1
    assert said["checkpoint"] == server.http.get("/ledger/checkpoint").text
    assert said["entries"][-1]["entry"]["kind"] == "genesis"
    assert "record" not in said["entries"][-1]


def test_an_entry_says_what_it_is_about(server: Server) -> None:
    (found,) = server.http.get("/ledger", params={"before": 6, "limit": 1}).json()["entries"]
    assert found["index"] == 5
    assert found["entry"] == server.http.get("/ledger/entry/5").json()
    assert [each["name"] for each in found["about"]] == ["job4", "job4", "in"]
    assert [each["kind"] for each in found["about"]] == ["run", "job", "dataset"]
    assert found["bytes"] == len(server.http.get(f"/records/{found['record'].rpartition('/')[2]}/payload").content)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("limit=0", 400),
        ("limit=501", 400),
        ("limit=x", 400),
        ("before=-1", 400),
        ("before=0", 200),
        ("before=9999", 200),
    ],
)
def test_pages_out_of_range(server: Server, query: str, status: int) -> None:
    answer = server.http.get(f"/ledger?{query}")
    assert answer.status_code == status
    if query == "before=0":
        assert answer.json()["entries"] == []
    assert server.http.get(f"/ledger?{query}", headers={"accept": BROWSER}).status_code == status


def test_the_page_goes_back_in_time(server: Server, browser: Browser) -> None:
    with watched(browser, server.url, scripts=False) as seen:
        page = seen.open("/ledger")
        assert page.get_by_text("UNWITNESSED").is_visible()
        assert page.get_by_text("With scripts allowed").is_visible()
        for _ in range(2):
            page.get_by_role("link", name="Older").click()
        assert "The log begins" in page.locator("tbody tr").last.inner_text()
        assert page.get_by_role("link", name="Older").count() == 0
        rows = page.locator("tbody tr")
        assert MARKUP in rows.filter(has_text="alert").first.inner_text()
        assert rows.filter(has_text=RIGHT_TO_LEFT).count() == 1
        assert page.locator("main img, main script").count() == 0
        page.get_by_role("link", name="Newest").click()
        assert page.locator("tbody tr").first.inner_text().startswith(str(COUNT))


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_page_is_accessible_and_fits_a_phone(server: Server, browser: Browser, dark: bool) -> None:
    with watched(browser, server.url, dark=dark, width=390) as seen:
        page = seen.open("/ledger?before=10")
        check(page, page.locator("#note").inner_text())
        assert seen.serious() == []
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


def check(page: Page, note: str) -> str:
    """Paste a checkpoint and press the button; the verdict."""
    page.get_by_label("The checkpoint you kept").fill(note)
    page.get_by_role("button", name="Check", exact=True).click()
    page.wait_for_selector("#verdict .notice")
    return page.locator("#verdict").inner_text()


def signer(server: Server) -> Signer:
    origin = server.http.get("/ledger/key").text.partition("+")[0]
    return Signer.load(origin, server.directory / "ledger.key")


def kept(server: Server, size: int) -> str:
    """What somebody would have kept who asked when the log had a size."""
    proof = server.http.get("/ledger/proof/consistency", params={"from": size}).json()
    mine = signer(server)
    return mine.sign(Checkpoint(mine.verifier.name, size, bytes.fromhex(proof["oldRoot"])))


def test_a_kept_checkpoint_is_confirmed(server: Server, browser: Browser) -> None:
    with watched(browser, server.url) as seen:
        page = seen.open("/ledger")
        for size in (1, 7, 64, COUNT + 1):
            said = check(page, kept(server, size))
            assert said.startswith(f"Proven: The log extends the checkpoint of {size} entries that was kept"), said
        through_a_mail = kept(server, 7).replace("\n", "\r\n").strip()
        assert check(page, through_a_mail).startswith("Proven")


def test_a_checkpoint_of_another_past_is_refused(server: Server, browser: Browser) -> None:
    mine = signer(server)
    name = mine.verifier.name
    stranger = Signer(name, Ed25519PrivateKey.generate())
    good = kept(server, 7)
    cases = {
        mine.sign(Checkpoint(name, 7, bytes(32))): "The log was rewritten",
        mine.sign(Checkpoint(name, COUNT + 50, bytes(32))): "the server gave no answer to",
        stranger.sign(Checkpoint(name, 7, bytes(32))): "bears no signature of the key",
        good.replace("\n7\n", "\n8\n"): "is not one of the key",
        good.replace("provstore.invalid", "example.org"): "not of provstore.invalid",
        "What is this?": "a checkpoint is three lines",
        good.partition("\n\n")[0]: "a checkpoint is three lines",
    }
    with watched(browser, server.url) as seen:
        page = seen.open("/ledger")
        for note, says in cases.items():
            said = check(page, note)
            assert said.startswith("REFUSED"), said
            assert says in said
        assert all("404" in fault for fault in seen.faults)
        seen.faults.clear()


def test_what_this_browser_saw_is_offered_by_keyboard(server: Server, browser: Browser) -> None:
    record = server.http.get("/ledger").json()["entries"][0]["record"].rpartition("/")[2]
    with watched(browser, server.url) as seen:
        assert not seen.open("/ledger").get_by_role("button", name="Use the one").is_visible()
        page = seen.open(f"/records/{record}")
        page.get_by_role("button", name="Verify").press("Enter")
        page.wait_for_selector("#verdict .notice.good")
        assert name_of(seen.page) == signer(server).verifier.name
        page.get_by_role("link", name="compare a checkpoint that you kept").press("Enter")
        page.get_by_role("button", name="Use the one this browser saw").press("Enter")
        page.wait_for_selector("#verdict .notice.good")
        assert "Proven: The log extends" in page.get_by_role("status").last.inner_text()


def name_of(page: Page) -> str:
    """The one log that this browser has seen."""
    (name,) = json.loads(page.evaluate("localStorage.getItem('provstore.seen')"))
    return str(name)


def test_a_key_changed_since_is_refused(server: Server, browser: Browser) -> None:
    mine = signer(server)
    other = Signer(mine.verifier.name, Ed25519PrivateKey.generate())
    root = server.http.get("/ledger").json()["root"]
    forged = other.sign(Checkpoint(mine.verifier.name, COUNT + 1, bytes.fromhex(root)))
    with watched(browser, server.url) as seen:
        pin = {"note": kept(server, 7), "vkey": mine.verifier.vkey(), "seen": "2026-01-01 00:00 UTC"}
        seen.open("/ledger").evaluate(
            "pins => localStorage.setItem('provstore.seen', pins)", json.dumps({mine.verifier.name: pin})
        )
        seen.page.route("**/ledger/key", lambda route: route.fulfill(body=other.verifier.vkey()))
        seen.page.route("**/ledger/checkpoint", lambda route: route.fulfill(body=forged))
        said = check(seen.open("/ledger"), forged)
        assert said.startswith("REFUSED: The log has another key than this browser has seen")


def test_a_damaged_entry_does_not_hide_the_others(tmp_path: Path, browser: Browser) -> None:
    with serving(tmp_path / "data") as server, watched(browser, server.url) as seen:
        server.post([event(n) for n in range(6)], "/api/v1/lineage/batch")
        server.rows("SELECT ?s { ?s ?p ?o } LIMIT 1", min_index=6)
        db = sqlite3.connect(server.directory / "ledger.db")
        db.execute("UPDATE entry SET entry = CAST('\u00e4{' AS BLOB) WHERE idx = 2")
        db.execute("UPDATE body SET quads = x'00' WHERE idx = 3")
        db.execute("UPDATE entry SET entry = CAST('[]' AS BLOB) WHERE idx = 4")
        db.commit()
        db.close()
        said = server.http.get("/ledger").json()["entries"]
        assert [each["index"] for each in said if "damage" in each] == [4, 3, 2]
        rows = seen.open("/ledger").locator("tbody tr")
        assert rows.count() == 7
        assert rows.filter(has_text="It cannot be read").count() == 3
        assert rows.filter(has_text="openlineage/1").count() == 3


def test_things_of_one_name_are_named_once(tmp_path: Path) -> None:
    prov = "http://www.w3.org/ns/prov#"
    runs = "".join(f'<urn:x:{n}> a <{prov}Activity> ; <http://purl.org/dc/terms/title> "nightly" . ' for n in range(9))
    with serving(tmp_path / "data") as server:
        server.rdf(f"{runs} <> <https://w3id.org/provstore/ns#about> <urn:x:4> .")
        server.rows("SELECT ?s { ?s ?p ?o } LIMIT 1", min_index=1)
        found = server.http.get("/ledger").json()["entries"][0]
    assert found["about"] == [{"iri": "urn:x:4", "name": "nightly", "kind": "activity", "count": 9}]
