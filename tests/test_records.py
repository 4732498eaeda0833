"""The page of a record: what it shows of any payload, and the proof that the browser computes; or refuses."""

from __future__ import annotations

import base64
import json
import re
import sqlite3
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import Browser, Page, Route

from provstore import jcs
from provstore.ledger import merkle
from provstore.ledger.log import Ledger
from provstore.ledger.note import Checkpoint, Signer
from provstore.ledger.tables import commitment
from provstore.model import Liberty, Mapped, Submission
from provstore.ui.payload import shown
from tests.browser import Watched, watched
from tests.ledgers import submission
from tests.servers import BASE, WORKED, Server, event, serving
from tests.test_vocabulary import BROWSER

#: Names that nobody should have.
LONG = "n" * 300
RIGHT_TO_LEFT = "نموذج المخاطر"
MARKUP = "<script>alert(1)</script><img src=x onerror=alert(2)>"

TRIG = f"""
@prefix prov: <http://www.w3.org/ns/prov#> . @prefix dct: <http://purl.org/dc/terms/> .
@prefix ps: <https://w3id.org/provstore/ns#> .
<urn:x:long> a prov:Entity ; dct:title "{LONG}" .
<urn:x:arabic> a prov:Entity ; dct:title "{RIGHT_TO_LEFT}" .
<urn:x:markup> a prov:Entity ; dct:title "{MARKUP}" ; dct:description "javascript:alert(3)" .
<urn:x:\U0001f600> a prov:Entity ; dct:title "urn:provstore:record \\n \u2028 \ue000" .
<urn:x:\uffee> a prov:Entity ; prov:wasDerivedFrom <urn:x:\U00010000> .
<#bundle> {{ <urn:x:long> prov:wasAttributedTo [ a prov:Agent ] . }}
"""


def digest(receipt: Any) -> str:
    return str(receipt["record"]).rpartition("/")[2]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(Path(tmp_path_factory.mktemp("records")) / "data", *WORKED, verb="demo") as found:
        yield found


@pytest.fixture(scope="module")
def odd(server: Server) -> str:
    """The digest of a record with every name that nobody should have."""
    answer = server.rdf(TRIG, "application/trig")
    assert answer.status_code == 201, answer.text
    server.rows("SELECT * { <urn:x:long> ?p ?o }", min_index=answer.json()["index"])
    return digest(answer.json())


@pytest.fixture(scope="module")
def record(server: Server) -> str:
    """The digest of a record that cites facet values."""
    facets = {"sql": {"_producer": "https://x.example", "_schemaURL": "https://x.example/s", "query": "SELECT 1"}}
    sent = event(7, job={"namespace": "tests", "name": "job7", "facets": facets})
    return digest(server.post(sent).json())


def verified(page: Page, wait: str = ".notice") -> tuple[str, list[str]]:
    """Press the button; the verdict, and the steps that hold not."""
    page.get_by_role("button", name="Verify").click()
    page.wait_for_selector(f"#verdict {wait}")
    return page.locator("#verdict").inner_text(), page.locator("#steps li.bad").all_inner_texts()


# -- what is shown ----------------------------------------------------------------------------------------------------


def test_a_browser_gets_a_page_and_programs_what_they_want(server: Server, record: str) -> None:
    path = f"/records/{record}"
    page = server.http.get(path, headers={"accept": BROWSER})
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["vary"] == "Accept"
    assert f'</records/{record}?format=turtle>; rel="alternate"; type="text/turtle"' in page.headers["link"]
    assert server.http.get(path).json()["record"].endswith(record)
    for name, kind in (("turtle", "text/turtle"), ("nquads", "application/n-quads"), ("json", "application/json")):
        by_name = server.http.get(path, params={"format": name}, headers={"accept": BROWSER})
        by_accept = server.http.get(path, headers={"accept": kind})
        assert by_name.headers["content-type"].partition(";")[0] == kind
        assert by_name.content == by_accept.content
    assert server.http.get(path, params={"format": "pdf"}).status_code == 400


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_page_is_whole_and_accessible(server: Server, browser: Browser, odd: str, dark: bool) -> None:
    with watched(browser, server.url, dark=dark, width=390) as seen:
        page = seen.open(f"/records/{odd}")
        assert page.locator("h1").count() == 1
        verified(page)
        assert seen.serious() == []
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_what_a_payload_says_stays_text(server: Server, browser: Browser, odd: str) -> None:
    with watched(browser, server.url) as seen:
        page = seen.open(f"/records/{odd}")
        assert page.locator("main img, main script").count() == 0
        assert page.get_by_text(MARKUP).count() >= 1
        assert page.locator("#payload").locator("..").inner_text().count(RIGHT_TO_LEFT) == 1
        assert page.locator("main a[href^='javascript:']").count() == 0


def test_the_page_says_what_was_received(server: Server, browser: Browser, record: str) -> None:
    with watched(browser, server.url, scripts=False) as seen:
        page = seen.open(f"/records/{record}")
        lead = page.locator("p.lead").inner_text()
        assert "An OpenLineage event that “local” sent as application/json" in lead
        for section in ("What it speaks of", "Proof", "Validation", "Payload", "Statements"):
            assert page.get_by_role("region", name=section).is_visible()
        assert '"name": "job7"' in page.get_by_role("region", name="What was received").inner_text()
        assert page.get_by_role("link", name="job7").count() >= 1
        facet = page.locator("details.card").filter(has_text="sql")
        facet.locator("summary").click()
        assert "SELECT 1" in facet.inner_text()


def test_without_scripts_everything_is_there_but_the_button(server: Server, browser: Browser, record: str) -> None:
    with watched(browser, server.url, scripts=False) as seen:
        page = seen.open(f"/records/{record}")
        assert not page.locator("#verify").is_visible()
        assert page.get_by_text("With scripts allowed").is_visible()
        entry = json.loads(page.locator("#proof").locator("..").locator("dd code").first.inner_text())
        assert entry["kind"] == "record"


def test_what_supersedes_and_what_is_superseded_say_so(server: Server, browser: Browser) -> None:
    old = server.rdf("<urn:x:old> a <http://www.w3.org/ns/prov#Entity> .").json()
    said = f"<> <https://w3id.org/provstore/ns#supersedes> <{old['record']}> ."
    new = server.rdf(said).json()
    server.rows("SELECT ?s { ?s ?p ?o } LIMIT 1", min_index=new["index"])
    with watched(browser, server.url) as seen:
        page = seen.open(f"/records/{digest(old)}")
        page.locator(".notice.bad").get_by_role("link").click()
        assert page.url.endswith(digest(new))
        assert "It supersedes" in page.locator("p.notice").first.inner_text()


def test_liberties_are_told(server: Server, browser: Browser) -> None:
    answer = server.post(event(8, eventTime="2024-01-01T00:00:00")).json()
    assert answer["liberties"]
    with watched(browser, server.url) as seen:
        page = seen.open(f"/records/{digest(answer)}")
        for liberty in answer["liberties"]:
            assert page.get_by_text(liberty["message"]).is_visible()


def test_statements_sent_twice_in_other_bytes_have_a_page_each(server: Server, browser: Browser) -> None:
    one = server.rdf("<urn:x:twice> a <http://www.w3.org/ns/prov#Entity> .").json()
    two = server.rdf("<urn:x:twice>   a   <http://www.w3.org/ns/prov#Entity> .").json()
    assert one["record"] == two["record"]
    assert two["index"] > one["index"]
    with watched(browser, server.url) as seen:
        page = seen.open(f"/records/{digest(one)}")
        page.get_by_role("link", name=f"entry {two['index']}").click()
        assert "   a   " in page.locator("pre").first.inner_text()
        verdict, _ = verified(page)
        assert verdict.startswith(f"Proven: entry {two['index']} ")
    path = f"/records/{digest(one)}"
    assert server.http.get(path, params={"index": 0}).status_code == 404
    assert server.http.get(path, params={"index": "x"}).status_code == 400


def test_a_payload_of_two_megabytes(server: Server, browser: Browser) -> None:
    big = server.post(event(9, job={"namespace": "tests", "name": "job9", "x": "y" * 2_000_000})).json()
    with watched(browser, server.url) as seen:
        page = seen.open(f"/records/{digest(big)}")
        assert len(page.content()) < 60_000
        verdict, _ = verified(page)
        assert verdict.startswith("Proven")
        with page.expect_download() as download:
            page.get_by_role("link", name="Download").click()
        assert download.value.path().stat().st_size > 2_000_000


def test_a_record_of_many_statements_shows_some(server: Server, browser: Browser) -> None:
    many = "".join(f"<urn:x:many> <urn:p:{n % 7}> <urn:x:{n}> .\n" for n in range(1_000))
    path = f"/records/{digest(server.rdf(many).json())}"
    with watched(browser, server.url) as seen:
        page = seen.open(path)
        shown = page.locator(".subject dd").count()
        assert 20 < shown < 100
        page.get_by_role("link", name=re.compile("Show 1,0.. statements")).click()
        assert page.locator(".subject dd").count() >= 1_000


@pytest.fixture(scope="module")
def strange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A store with payloads that no adapter of today takes."""
    directory = Path(tmp_path_factory.mktemp("strange")) / "data"
    ledger = Ledger.create(directory, base=BASE, received="2026-01-01T00:00:00Z")
    payloads = [bytes(range(256)) * 8, b"", b'{"a": [1, {"b": 1.50}], "c": {}, "d": []', b"[" * 3000, b'"' * 999]
    for number, payload in enumerate(payloads):
        mapped = submission(number).mapped
        mapped = Mapped(mapped.record, mapped.quads, (), "test/1", (Liberty("", MARKUP),))
        ledger.append([Submission(payload, "application/json", MARKUP, mapped)], "2026-01-01T00:00:00Z")
    ledger.close()
    with serving(directory) as found:
        yield found


@pytest.mark.parametrize("number", range(5), ids=["bytes", "empty", "cut", "brackets", "quotes"])
def test_any_payload_is_shown_and_proven(strange: Server, browser: Browser, number: int) -> None:
    with watched(browser, strange.url) as seen:
        page = seen.open(f"/records/{submission(number).mapped.record.rpartition('/')[2]}")
        wanted = ["000000  00 01 02", "It is empty", '"b": 1.50', "[\n  [\n    [", '"""']
        section = page.locator("#payload").locator("..")
        assert wanted[number] in section.inner_text()
        verdict, wrong = verified(page)
        assert verdict.startswith("Proven"), wrong
        assert f"It was sent by “{MARKUP}”" in page.locator("#steps").inner_text()


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(), lambda m: st.lists(m) | st.dictionaries(st.text(), m)
    )
)
def test_json_is_laid_out_and_not_changed(value: Any) -> None:
    for separators in ((",", ":"), (" , ", " : ")):
        text = json.dumps(value, separators=separators)
        found = shown(text.encode(), "application/json; charset=utf-8", everything=True)
        if any(ord(character) == 0x7F for character in text):
            assert found.how == "bytes"
            continue
        assert repr(json.loads(found.text)) == repr(value)
        assert "".join(found.text.split()) == "".join(text.split())


@given(st.binary(max_size=400), st.sampled_from(["application/json", "text/turtle", "", "nonsense"]))
def test_any_bytes_can_be_shown(data: bytes, media_type: str) -> None:
    found = shown(data, media_type)
    assert found.size == len(data)
    assert len(found.text) <= 6_000
    assert (found.how == "bytes") or "\0" not in found.text


def test_what_is_deep_or_long_is_cut() -> None:
    deep = shown(b"[" * 1_000_000, "application/json", everything=True)
    assert len(deep.text) == 2_000_000
    assert deep.more
    assert max(map(len, deep.text.split("\n"))) < 100
    (long, rest) = (shown(b"x" * 2_000_001, "text/turtle"), shown(b"x" * 6_000, "text/turtle"))
    assert (long.more, long.whole) == (True, False)
    assert (rest.more, rest.whole) == (False, True)


# -- what is proven ---------------------------------------------------------------------------------------------------


def test_by_keyboard_alone_to_a_verified_proof(server: Server, browser: Browser, record: str) -> None:
    with watched(browser, server.url) as seen:
        page = seen.open(f"/records/{record}")
        for _ in range(40):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.id") == "verify-button":
                break
        page.keyboard.press("Enter")
        page.wait_for_selector("#verdict .notice.good")
        verdict = page.get_by_role("status").inner_text()
        assert verdict.startswith("Proven: entry ")
        assert page.evaluate("document.activeElement.id") == "verify-button"
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")  # the values of the first step
        assert record in page.locator("#steps details[open]").inner_text()


_ALL = """async (records) => {
  const script = await import("/static/verify.js");
  const { ask, bytes, consistency } = await import("/static/steps.js");
  const found = [];
  for (const digest of records) {
    const bundle = await (await ask(`/records/${digest}/proof`)).json();
    const [payload, quads] = [await bytes(bundle.payload.href), await bytes(bundle.quads.href)];
    const { said } = await script.verifyRecord({ bundle, payload, quads, digest, pins: {}, consistency, now: "" });
    found.push(said);
  }
  return found;
}"""


def test_every_record_is_proven(server: Server, browser: Browser, odd: str, record: str) -> None:
    entries = server.http.get("/ledger", params={"limit": 70}).json()["entries"]
    records = [entry["record"].rpartition("/")[2] for entry in entries if "record" in entry]
    assert {odd, record} < set(records)
    with watched(browser, server.url) as seen:
        found = seen.open("/ns").evaluate(_ALL, records)
    assert [said for said in found if not said.startswith("Proven: ")] == []
    assert len(found) > 30


def test_the_evidence_says_all_that_the_entry_commits_to(server: Server, record: str) -> None:
    said = server.http.get(f"/records/{record}/proof").json()
    entry = json.loads(base64.b64decode(said["entry"]))
    payload = server.http.get(said["payload"]["href"]).content
    quads = server.http.get(said["quads"]["href"]).content
    assert entry["payload"] == commitment(bytes.fromhex(said["payload"]["salt"]), payload)
    assert entry["quads"] == commitment(bytes.fromhex(said["quads"]["salt"]), quads)
    assert said["actor"]["name"] == "local"
    assert 0 < said["quads"]["own"] < len(quads)  # the rest are the contents it cites


def test_what_was_checked_can_be_saved(server: Server, browser: Browser, record: str) -> None:
    with watched(browser, server.url) as seen:
        page = seen.open(f"/records/{record}")
        verified(page)
        with page.expect_download() as download:
            page.get_by_role("link", name="payload", exact=True).click()
        assert download.value.path().read_bytes() == server.http.get(f"/records/{record}/payload").content


# -- what is refused --------------------------------------------------------------------------------------------------

Bundle = dict[str, Any]


def _entry(bundle: Bundle, **changes: str) -> None:
    said = {**json.loads(base64.b64decode(bundle["entry"])), **changes}
    bundle["entry"] = base64.b64encode(jcs.dumps(said).encode()).decode()


def _flipped(text: str) -> str:
    return ("1" if text[0] == "0" else "0") + text[1:]


def _salt(part: str) -> Callable[[Bundle], None]:
    def change(bundle: Bundle) -> None:
        bundle[part]["salt"] = _flipped(bundle[part]["salt"])

    return change


def _path(bundle: Bundle) -> None:
    bundle["path"][1] = _flipped(bundle["path"][1])


def _short_path(bundle: Bundle) -> None:
    bundle["path"].pop()


def _size(bundle: Bundle) -> None:
    lines = bundle["checkpoint"].split("\n")
    lines[1] = str(int(lines[1]) + 1)
    bundle["checkpoint"] = "\n".join(lines)


def _root(bundle: Bundle) -> None:
    lines = bundle["checkpoint"].split("\n")
    lines[2] = base64.b64encode(bytes(32)).decode()
    bundle["checkpoint"] = "\n".join(lines)


def _signature(bundle: Bundle) -> None:
    head, _, signed = bundle["checkpoint"].rstrip("\n").rpartition(" ")
    raw = bytearray(base64.b64decode(signed))
    raw[20] ^= 1
    bundle["checkpoint"] = f"{head} {base64.b64encode(raw).decode()}\n"


def _key(bundle: Bundle) -> None:
    """Another key, which also signs: only what the log itself says of its key gives it away."""
    origin, size, root = bundle["checkpoint"].split("\n")[:3]
    other = Signer(origin, Ed25519PrivateKey.generate())
    bundle["checkpoint"] = other.sign(Checkpoint(origin, int(size), base64.b64decode(root)))
    bundle["key"] = other.verifier.vkey()


def _other_name(bundle: Bundle) -> None:
    bundle["record"] = bundle["record"].replace("prov.example", "other.example")


#: Part of the answer → how it is changed, and what the page must say of it.
CHANGES: dict[str, tuple[Callable[[Bundle], None], str]] = {
    "payload salt": (_salt("payload"), "The payload (or the salt) is not what the entry commits to"),
    "statements salt": (_salt("quads"), "The statements (or the salt) are not what the entry commits to"),
    "sender": (_salt("actor"), "The sender is not “local”"),
    "entry": (lambda bundle: _entry(bundle, time="2020-01-01T00:00:00Z"), "It is not entry"),
    "entry of another kind": (lambda bundle: _entry(bundle, kind="genesis"), "of kind genesis"),
    "audit path": (_path, "It is not entry"),
    "shorter path": (_short_path, "It is not entry"),
    "index": (lambda bundle: bundle.update(index=bundle["index"] - 1), "It is not entry"),
    "size": (_size, "The signature of the checkpoint is not one of the key"),
    "root": (_root, "The signature of the checkpoint is not one of the key"),
    "signature": (_signature, "The signature of the checkpoint is not one of the key"),
    "key": (_key, "The log began with another key"),
    "key id": (lambda bundle: bundle.update(key=bundle["key"].replace("+", "+0", 1)), "does not have the form"),
    "first entry": (lambda bundle: bundle["genesis"]["path"].pop(), "The first entry is not the one"),
    "record": (_other_name, "The statements are not those that the address of this page names"),
    "own statements": (lambda bundle: bundle["quads"].update(own=1), "not those that the address"),
    "nothing": (lambda bundle: bundle.clear(), "does not say where the bytes are"),
}


def _between(page: Page, pattern: str, change: Callable[[bytes], bytes]) -> None:
    """Stand between server and page: answers to a pattern are changed on their way."""

    def handle(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, body=change(answer.body()))

    page.route(pattern, handle)


def _in_json(change: Callable[[Bundle], None]) -> Callable[[bytes], bytes]:
    def changed(body: bytes) -> bytes:
        bundle: Bundle = json.loads(body)
        change(bundle)
        return json.dumps(bundle).encode()

    return changed


def refused(seen: Watched, path: str, says: str) -> None:
    """The page of a record refuses it, says what does not fit, and keeps nothing as seen."""
    page = seen.page
    page.goto(seen.server + path)
    before = page.evaluate("localStorage.getItem('provstore.seen')")
    verdict, wrong = verified(page)
    assert verdict.startswith("REFUSED: "), verdict
    assert says in "\n".join([verdict, *wrong])
    assert page.evaluate("localStorage.getItem('provstore.seen')") == before
    assert page.locator("#verdict .notice.bad").is_visible()


@pytest.mark.parametrize("part", CHANGES)
def test_changed_evidence_is_refused(server: Server, browser: Browser, record: str, part: str) -> None:
    change, says = CHANGES[part]
    with watched(browser, server.url) as seen:
        _between(seen.page, "**/proof", _in_json(change))
        refused(seen, f"/records/{record}", says)


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        ("**/payload?index=*", "The payload (or the salt) is not what the entry commits to"),
        ("**?format=nquads&index=*", "The statements (or the salt) are not what the entry commits to"),
    ],
    ids=["payload", "statements"],
)
def test_changed_bytes_are_refused(server: Server, browser: Browser, record: str, pattern: str, says: str) -> None:
    with watched(browser, server.url) as seen:
        _between(seen.page, pattern, lambda body: body.replace(b"job7", b"job8"))
        refused(seen, f"/records/{record}", says)


def test_another_record_with_a_sound_proof_is_refused(server: Server, browser: Browser, record: str, odd: str) -> None:
    with watched(browser, server.url) as seen:
        other = server.http.get(f"/records/{odd}/proof").json()
        _between(seen.page, "**/proof", _in_json(lambda bundle: bundle.update(other)))
        refused(seen, f"/records/{record}", "does not say where the bytes are")
    with watched(browser, server.url) as seen:
        hrefs = server.http.get(f"/records/{record}/proof").json()
        for part in ("payload", "quads"):
            other[part]["href"] = hrefs[part]["href"]
        _between(seen.page, "**/proof", _in_json(lambda bundle: bundle.update(other)))
        _between(seen.page, "**/payload?index=*", lambda _: server.http.get(f"/records/{odd}/payload").content)
        nquads = {"accept": "application/n-quads"}
        quads = server.http.get(f"/records/{odd}", headers=nquads).content
        _between(seen.page, "**?format=nquads&index=*", lambda _: quads)
        refused(seen, f"/records/{record}", f"the server answered with {BASE}/record/{odd}")


def test_without_ed25519_nothing_is_called_proven(server: Server, browser: Browser, record: str) -> None:
    with watched(browser, server.url) as seen:
        seen.page.add_init_script(
            "crypto.subtle.importKey = async () => { throw new DOMException('none', 'NotSupportedError'); };"
        )
        verdict, wrong = verified(seen.open(f"/records/{record}"))
        assert verdict.startswith("NOT PROVEN HERE: this browser cannot check Ed25519 signatures")
        assert wrong == []


def test_without_hashes_the_button_says_so(server: Server, browser: Browser, record: str) -> None:
    with watched(browser, server.url) as seen:
        seen.page.add_init_script("Object.defineProperty(Crypto.prototype, 'subtle', { value: undefined });")
        page = seen.open(f"/records/{record}")
        assert page.get_by_role("button", name="Verify").is_disabled()
        assert "https or on localhost" in page.locator("#verdict").inner_text()


#: Columns of the row beside an entry, and what the page says when somebody changed them on the server's disk.
ON_DISK = {
    "payload": "The payload (or the salt) is not what the entry commits to",
    "salt": "The payload (or the salt) is not what the entry commits to",
    "quads": "The statements are not those that the address of this page names",
    "quads_salt": "The statements (or the salt) are not what the entry commits to",
}


def test_a_record_changed_on_disk_is_refused(tmp_path: Path, browser: Browser) -> None:
    directory = tmp_path / "data"
    with serving(directory) as server:
        records = [digest(server.post(event(n)).json()) for n in range(8)]
        server.http.get("/ledger/checkpoint")
        server.stop()
    db = sqlite3.connect(directory / "ledger.db")
    for number, column in enumerate(ON_DISK):
        (held,) = db.execute(f"SELECT {column} FROM body WHERE idx = ?", (number + 1,)).fetchone()
        if column == "quads":
            held = zlib.compress(zlib.decompress(held).replace(b"COMPLETE", b"ABORT"))
        else:
            held = held[:-1] + bytes([held[-1] ^ 1])
        db.execute(f"UPDATE body SET {column} = ? WHERE idx = ?", (held, number + 1))
    (entry,) = db.execute("SELECT entry FROM entry WHERE idx = 5").fetchone()
    db.execute("UPDATE entry SET entry = ? WHERE idx = 5", (entry.replace(b"openlineage/1", b"openlineage/2"),))
    db.commit()
    db.close()
    with serving(directory) as server:
        for number, says in enumerate(ON_DISK.values()):
            with watched(browser, server.url) as seen:
                refused(seen, f"/records/{records[number]}", says)
        with watched(browser, server.url) as seen:
            refused(seen, f"/records/{records[4]}", "It is not entry 5 of the 9")
        with watched(browser, server.url) as seen:
            assert verified(seen.open(f"/records/{records[7]}"))[0].startswith("Proven")


def test_a_tree_changed_on_disk_gives_no_proof(tmp_path: Path, browser: Browser) -> None:
    directory = tmp_path / "data"
    with serving(directory) as server:
        records = [digest(server.post(event(n)).json()) for n in range(4)]
        server.http.get("/ledger/checkpoint")
        server.stop()
    db = sqlite3.connect(directory / "ledger.db")
    db.execute("UPDATE node SET hash = ? WHERE level = 1 AND n = 0", (bytes(32),))
    db.execute("UPDATE node SET hash = ? WHERE level = 2 AND n = 0", (bytes(32),))
    db.commit()
    db.close()
    with serving(directory) as server, watched(browser, server.url) as seen:
        refused(seen, f"/records/{records[2]}", "does not extend the checkpoint of 5 entries it signed before")
        assert [fault for fault in seen.faults if "500" not in fault] == []
        seen.faults.clear()


# -- a log made anew --------------------------------------------------------------------------------------------------


def _made_anew(bundle: Bundle, signer: Signer) -> None:
    """A whole other log around the same record, signed: nothing in it shows that it was ever another."""
    genesis = json.loads(base64.b64decode(bundle["genesis"]["entry"]))
    genesis |= {"key": signer.verifier.vkey(), "origin": signer.verifier.name}
    entries = [jcs.dumps(genesis).encode(), b"something else", base64.b64decode(bundle["entry"]), b"and more"]
    nodes: dict[tuple[int, int], bytes] = {}
    for index, entry in enumerate(entries):
        for level, n, held in merkle.new_nodes(index, merkle.leaf_hash(entry), lambda level, n: nodes[level, n]):
            nodes[level, n] = held

    def path(index: int) -> list[str]:
        return [step.hex() for step in merkle.inclusion_proof(index, 4, lambda level, n: nodes[level, n])]

    head = Checkpoint(signer.verifier.name, 4, merkle.root(4, lambda level, n: nodes[level, n]))
    bundle |= {"index": 2, "path": path(2), "checkpoint": signer.sign(head), "key": signer.verifier.vkey()}
    bundle["genesis"] = {"index": 0, "entry": base64.b64encode(entries[0]).decode(), "path": path(0)}


@pytest.mark.parametrize(
    ("whose", "says"),
    [
        ("the same key", "The log was rewritten: it does not extend the checkpoint of"),
        ("another key", "The log has another key than when this browser saw it before"),
        ("another log", "This is not the log that this browser has seen at this address"),
    ],
)
def test_a_log_made_anew_is_noticed_by_who_has_seen_the_old(
    server: Server, browser: Browser, record: str, whose: str, says: str
) -> None:
    origin = server.http.get("/ledger/key").text.partition("+")[0]
    signer = {
        "the same key": Signer.load(origin, server.directory / "ledger.key"),
        "another key": Signer(origin, Ed25519PrivateKey.generate()),
        "another log": Signer("provstore.invalid/other", Ed25519PrivateKey.generate()),
    }[whose]
    forge = _in_json(lambda bundle: _made_anew(bundle, signer))
    with watched(browser, server.url) as seen:
        _between(seen.page, "**/proof", forge)
        assert verified(seen.open(f"/records/{record}"))[0].startswith("Proven")  # who sees it first is deceived
    with watched(browser, server.url) as seen:
        assert verified(seen.open(f"/records/{record}"))[0].startswith("Proven")
        assert verified(seen.page, ".notice.good")[1] == []
        assert "extends the checkpoint of" in seen.page.locator("#steps").inner_text()
        _between(seen.page, "**/proof", forge)
        refused(seen, f"/records/{record}", says)
        if whose == "another log":
            seen.page.get_by_role("button", name="It is another store").click()
            seen.page.wait_for_selector("#verdict .notice.good")
