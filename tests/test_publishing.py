"""Profiles of a running store: shown, published, tried, used; both verdicts on old records; what outlives a restart."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pyoxigraph as ox
import pytest
from playwright.sync_api import Browser

from provstore.ui.profiles import anchors
from provstore.validation.profiles import SHIPPED
from tests.browser import watched
from tests.servers import BASE, Server, command, serving
from tests.test_profiles import CREDIT, HEAD
from tests.test_records import MARKUP
from tests.test_vocabulary import BROWSER

PS, PROF = "https://w3id.org/provstore/ns#", "http://www.w3.org/ns/dx/prof/"
CORE, NEWEST = SHIPPED.find("prov-core/1"), SHIPPED.find("prov-core")
#: A rule that finds something in each record that `send` sends, and one that finds nothing.
STRICT = HEAD + ':s a sh:NodeShape ; sh:targetClass prov:Entity ; sh:nodeKind sh:Literal ; sh:message "no" .'
MILD = HEAD + ':s a sh:NodeShape ; sh:targetClass prov:Entity ; sh:nodeKind sh:IRI ; sh:message "no" .'


def publish(server: Server, name: str, text: str, **query: str) -> httpx.Response:
    return server.http.post(f"/shapes/{name}", content=text, headers={"content-type": "text/turtle"}, params=query)


def use(server: Server, token: str, mode: str) -> None:
    assert server.http.post(f"/shapes/{token}/use", params={"mode": mode}).json() == {"profile": token, "mode": mode}


def send(server: Server, *names: str) -> None:
    for name in names:
        assert server.rdf(f"<urn:thing:{name}> a <http://www.w3.org/ns/prov#Entity> .").status_code == 201


def settled(server: Server) -> dict[str, dict[str, Any]]:
    """What /validation says of each version once nothing waits."""
    until = time.monotonic() + 60
    while True:
        said = server.http.get("/validation").json()["profiles"]
        if not any(each.get("waiting") for each in said):
            return {each["profile"]: each for each in said}
        assert time.monotonic() < until, said


def record_of(server: Server, thing: str) -> str:
    """The address of the record of a thing."""
    head = server.http.get("/health").json()["head"]
    (row,) = server.rows(f"SELECT ?r {{ GRAPH ?r {{ <urn:thing:{thing}> a ?k }} }}", min_index=head)
    return f"/records/{row['r'].rpartition('/')[2]}"


def verdicts(server: Server, thing: str) -> dict[str, tuple[bool, bool]]:
    """Of the record of a thing, for each version: whether it conforms, and whether it was accepted under it."""
    said = server.http.get(f"{record_of(server, thing)}/validation").json()
    return {each["profile"]: (each["conforms"], each["accepted"]) for each in said["profiles"]}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(Path(tmp_path_factory.mktemp("publishing")) / "data") as found:
        send(found, "a")
        assert publish(found, "credit", CREDIT).status_code == 201
        yield found


# --- what there is ---------------------------------------------------------------------------------------------------


def test_the_catalogue(server: Server) -> None:
    said = {each["name"]: each for each in server.http.get("/shapes").json()}
    assert set(said) >= {*SHIPPED.names(), "credit"}
    assert (said["prov-core"]["mode"], said["credit"]["mode"], said["credit"]["used"]) == ("annotate", "off", "")
    assert {rule["severity"] for rule in said["prov-core"]["rules"]} == {"MUST", "SHOULD", "MAY"}
    assert said["credit"]["inherits"] == ["prov-core/1"]


def test_the_catalogue_in_the_terms_of_prof(server: Server) -> None:
    answer = server.http.get("/shapes", headers={"accept": "text/turtle"})
    quads = list(ox.parse(answer.content, format=ox.RdfFormat.TURTLE))
    said = {(str(q.subject), q.predicate.value): q.object for q in quads}
    mine = f"<{BASE}/shapes/credit/1>"
    assert str(said[mine, f"{PROF}hasToken"]) == '"credit"'
    parents = {str(q.object) for q in quads if str(q.subject) == mine and q.predicate.value == f"{PROF}isProfileOf"}
    assert parents == {f"<{CORE.iri}>", "<https://elsewhere.example/profile>"}
    files = {str(q.object) for q in quads if q.predicate.value == f"{PROF}hasArtifact"}
    assert {f"<{CORE.iri}.ttl>", f"<{BASE}/shapes/credit/1.ttl>"} <= files
    for other in ("application/ld+json", "application/n-triples", "application/rdf+xml"):
        assert server.http.get("/shapes", headers={"accept": other}).headers["content-type"].startswith(other)


@pytest.mark.parametrize("path", ["/shapes/prov-core/1", "/shapes/prov-core/1.ttl", "/shapes/prov-core"])
def test_the_file_is_given_byte_for_byte(server: Server, path: str) -> None:
    answer = server.http.get(path)
    wanted = NEWEST if path == "/shapes/prov-core" else CORE
    assert (answer.content, answer.headers["content-type"]) == (wanted.read(), "text/turtle; charset=utf-8")
    again = server.http.get(path, headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    lasting = "immutable" in answer.headers["cache-control"]
    assert lasting is (path != "/shapes/prov-core")
    assert server.http.get("/shapes/credit/1").headers["cache-control"] == "no-cache"


def test_other_syntaxes_say_the_same(server: Server) -> None:
    def triples(path: str, form: ox.RdfFormat) -> int:
        return len(list(ox.parse(server.http.get(path).content, format=form)))

    wanted = len(list(ox.parse(CORE.read(), format=ox.RdfFormat.TURTLE)))
    for name, form in (("nt", ox.RdfFormat.N_TRIPLES), ("jsonld", ox.RdfFormat.JSON_LD), ("trig", ox.RdfFormat.TRIG)):
        assert triples(f"/shapes/prov-core/1?format={name}", form) == wanted
    own = server.http.get("/shapes/credit/1?format=nt").text
    assert f"<{BASE}/shapes/credit/1> <{PROF}isProfileOf> <{CORE.iri}>" in own


def test_a_version_and_the_versions_as_json(server: Server) -> None:
    said = server.http.get("/shapes/credit/1?format=json").json()
    assert [said[key] for key in ("name", "version", "versions")] == ["credit", "1", ["1"]]
    listed = server.http.get("/shapes/prov-core?format=json").json()
    assert (listed["used"], listed["mode"]) == (NEWEST.token, "annotate")
    assert listed["versions"][-1]["sha256"] == CORE.digest()


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/shapes/prov-cor", "perhaps prov-core"),
        ("/shapes/none", "no validation profile 'none': there are"),
        ("/shapes/prov-core/99", "has no version '99': there are prov-core/"),
        ("/shapes/prov-core/01", "has no version '01'"),
        ("/shapes/prov-core/1.svgx", "has no version '1.svgx'"),
        ("/shapes/prov-core/%2E%2E%2Fx", "no"),
        ("/shapes/%00/1", "no validation profile"),
    ],
)
def test_what_is_not_there(server: Server, path: str, says: str) -> None:
    answer = server.http.get(path)
    assert (answer.status_code, answer.headers["content-type"]) in (
        (404, "application/problem+json"),
        (405, "application/problem+json"),
    )
    assert answer.status_code == 405 or says in answer.json()["detail"] or answer.json()["detail"] == "Not Found"
    page = server.http.get(path, headers={"accept": BROWSER})
    assert page.status_code in (404, 405)
    assert page.headers["content-type"].startswith("text/html")


# --- pages -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("path", ["/shapes", "/shapes/prov-core", "/shapes/credit/1"])
def test_pages_are_whole_and_accessible(server: Server, browser: Browser, path: str, dark: bool) -> None:
    with watched(browser, server.url, dark=dark) as seen:
        page = seen.open(path)
        assert page.locator("h1").count() == 1
        assert seen.serious() == []
    with watched(browser, server.url, dark=dark, width=390, scripts=False) as seen:
        page = seen.open(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_iri_of_a_rule_leads_to_it(server: Server, browser: Browser) -> None:
    with watched(browser, server.url, scripts=False) as seen:
        page = seen.open("/shapes/prov-core/1#one-start")
        rule = page.locator("#one-start")
        assert "more than one prov:startedAtTime" in rule.inner_text()
        assert rule.get_by_role("link", name="https://www.w3.org/TR/prov-constraints/#unique-startTime").count() == 1
        assert "every prov:Activity" in rule.inner_text()
        assert page.locator("svg.uml a[href='#one-start']").count() == 1


def test_the_diagram_stands_alone(server: Server) -> None:
    answer = server.http.get("/shapes/prov-core/1.svg")
    assert answer.headers["content-type"] == "image/svg+xml"
    assert answer.text.startswith("<svg xmlns=")
    assert "<script" not in answer.text
    assert "prov:Activity" in answer.text
    assert "prefers-color-scheme: dark" in answer.text


def test_every_rule_has_an_address_of_its_own() -> None:
    given = ["urn:x#main", "urn:y#main", "https://e.example/a/b c", "https://e.example/z/b-c", "urn:z#", "urn:x#ü"]
    assert list(anchors(given).values()) == ["main-2", "main-3", "b-c", "b-c-2", "urn-z-", "ü"]


def test_whatever_a_profile_holds_is_text(server: Server, browser: Browser) -> None:
    long, rtl = "x" * 300, "\u0645\u0644\u0641"
    text = (
        HEAD
        + f"<> dct:title {json.dumps(MARKUP + rtl)}@en ; dct:description {json.dumps(MARKUP + long)} ."
        + f"<urn:{long}#{long}> a sh:PropertyShape ; sh:targetClass <urn:{long}> ; sh:path <urn:p:{long}> ;"
        + f' sh:minCount 1 ; sh:message {json.dumps(MARKUP)} ; dct:source "javascript:alert(1)" ;'
        + f" sh:hasValue {json.dumps(MARKUP)} ; ps:add {json.dumps(MARKUP)} ."
    )
    assert publish(server, "odd", text).status_code == 201
    with watched(browser, server.url, width=390) as seen:
        for path in ("/shapes", "/shapes/odd"):
            page = seen.open(path)
            assert MARKUP not in page.content()
            assert page.evaluate("document.documentElement.scrollWidth") <= 390
            assert page.locator("a[href^=javascript]").count() == 0
    assert MARKUP not in server.http.get("/shapes/odd/1.svg").text


# --- publishing ------------------------------------------------------------------------------------------------------


def test_each_upload_that_differs_is_the_next_version(server: Server) -> None:
    first, again = publish(server, "steps", MILD), publish(server, "steps", MILD)
    second, old = publish(server, "steps", f"{MILD}\n"), publish(server, "steps", MILD)
    assert [each.status_code for each in (first, again, second, old)] == [201, 200, 201, 200]
    assert [each.json()["profile"] for each in (first, again, second, old)] == [
        "steps/1",
        "steps/1",
        "steps/2",
        "steps/1",
    ]
    assert [each.json()["new"] for each in (first, again, second, old)] == [True, False, True, False]
    assert server.http.get("/shapes/steps/1").text == MILD
    assert first.headers["location"] == "/shapes/steps/1"
    said = server.http.get("/shapes/steps?format=json").json()
    assert [each["version"] for each in said["versions"]] == ["2", "1"]


def test_uploads_at_the_same_time_are_versions_one_after_the_other(server: Server) -> None:
    with ThreadPoolExecutor(6) as pool:
        texts = [f"{MILD}# {number}" for number in (0, 1, 2, 0, 1, 2)]
        said = [each.json() for each in pool.map(lambda text: publish(server, "raced", text), texts)]
    assert sorted(each["profile"] for each in said if each["new"]) == ["raced/1", "raced/2", "raced/3"]
    for text, each in zip(texts, said, strict=True):
        assert server.http.get(each["href"]).text == text


def test_a_publication_is_a_record_that_can_be_proven(server: Server) -> None:
    said = publish(server, "proven", MILD).json()
    rows = server.rows(
        f"SELECT ?r ?sha {{ GRAPH ?r {{ <{said['iri']}> a <{PROF}Profile> ; <{PS}sha256> ?sha }} }}",
        min_index=server.http.get("/health").json()["head"],
    )
    assert [row["sha"] for row in rows] == [said["sha256"]]
    record = f"/records/{rows[0]['r'].rpartition('/')[2]}"
    assert server.http.get(f"{record}/payload").text == MILD
    assert "A validation profile" in server.http.get(record, headers={"accept": BROWSER}).text
    assert server.http.get(f"{record}/proof").status_code == 200


@pytest.mark.parametrize(
    ("name", "text", "media_type", "status", "says"),
    [
        ("prov-core", MILD, "text/turtle", 400, "ships with provstore"),
        ("No", MILD, "text/turtle", 400, "such as credit-risk"),
        ("x", MILD, "application/json", 415, "text/turtle"),
        ("x", "nonsense", "text/turtle", 400, "not Turtle"),
        ("x", "", "text/turtle", 422, "no shape has a target"),
        ("x", MILD + ":s sh:minCont 1 .", "text/turtle", 422, "perhaps sh:minCount"),
        ("x", f"# {'x' * (5 << 20)}", "text/turtle", 413, "at most 4,194,304"),
        ("x", MILD + "<> <http://www.w3.org/2002/07/owl#imports> <urn:x> .", "text/turtle", 422, "nothing is fetched"),
    ],
)
def test_what_is_not_published(server: Server, name: str, text: str, media_type: str, status: int, says: str) -> None:
    before = server.http.get("/health").json()["entries"]
    answer = server.http.post(f"/shapes/{name}", content=text, headers={"content-type": media_type})
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), answer.text
    assert says in answer.json()["detail"]
    assert server.http.get("/health").json()["entries"] == before
    assert server.http.get("/shapes/x").status_code == 404


def test_imports_are_ignored_where_that_is_said(server: Server) -> None:
    text = MILD + "<> <http://www.w3.org/2002/07/owl#imports> <urn:x> ."
    answer = publish(server, "importing", text, imports="ignore")
    assert answer.status_code == 201
    assert [each["level"] for each in answer.json()["findings"]] == ["warning"]
    assert publish(server, "importing", text, imports="maybe").status_code == 400


def test_a_page_elsewhere_cannot_publish(server: Server) -> None:
    headers = {"content-type": "text/turtle", "origin": "https://evil.example"}
    assert server.http.post("/shapes/evil", content=MILD, headers=headers).status_code == 403


# --- trying and using ------------------------------------------------------------------------------------------------


def test_a_trial_tells_and_changes_nothing(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as server:
        send(server, "a", "b", "c")
        publish(server, "x", MILD)
        publish(server, "x", STRICT)
        settled(server)
        said = server.http.post("/shapes/x/2/try").json()
        assert [said[key] for key in ("profile", "against", "records", "looked", "complete")] == ["x/2", "", 5, 5, True]
        assert (said["newly"], said["violating"], said["conforming"]) == (5, 5, 0)  # publications hold entities, too
        (rule,) = said["rules"]
        assert (rule["shape"], rule["records"], rule["newly"]) == ("https://bank.example/shapes#s", 5, 5)
        assert [each["index"] for each in rule["first"]] == [5, 4, 3, 2, 1]
        assert rule["first"][-1]["focus"] == "urn:thing:a"
        assert server.http.post("/shapes/x/1/try").json()["newly"] == 0
        few = server.http.post("/shapes/x/2/try?last=2").json()
        assert (few["records"], few["newly"]) == (2, 2)
        use(server, "x/2", "annotate")
        settled(server)
        same = server.http.post("/shapes/x/2/try").json()
        assert (same["against"], same["newly"], same["violating"]) == ("x/2", 0, 5)
        assert server.http.post("/shapes/x/2/try?last=-1").status_code == 400
        assert server.http.post("/shapes/x/7/try").status_code == 404


def test_old_records_keep_their_verdict_and_a_newer_version_gives_its_own(tmp_path: Path) -> None:
    directory = tmp_path / "data"
    with serving(directory) as server:
        publish(server, "x", MILD)
        publish(server, "x", STRICT)
        use(server, "x/1", "annotate")
        send(server, "a")
        settled(server)
        use(server, "x/2", "annotate")
        send(server, "b")
        settled(server)
        core = {NEWEST.token: (True, True)}
        wanted = {"a": {**core, "x/1": (True, True), "x/2": (False, False)}, "b": {**core, "x/2": (False, True)}}
        assert {name: verdicts(server, name) for name in wanted} == wanted
        said = settled(server)
        assert [said[token]["mode"] for token in ("x/1", "x/2")] == ["no longer in use", "annotate"]
        page = server.http.get(record_of(server, "a"), headers={"accept": BROWSER}).text
        assert "The record was accepted under this version, which is no longer in use." in page
        assert "This version came into use after the record was accepted." in page
    with serving(directory) as server:
        settled(server)
        assert {name: verdicts(server, name) for name in wanted} == wanted


def test_using_is_at_once_and_outlives_a_restart_and_the_setting(tmp_path: Path) -> None:
    directory = tmp_path / "data"
    with serving(directory) as server:
        publish(server, "x", STRICT)
        use(server, "x/1", "reject")
        assert server.rdf("<urn:a> a <http://www.w3.org/ns/prov#Entity> .").status_code == 422
        use(server, NEWEST.token, "off")
        assert server.http.post("/shapes/x/1/use?mode=maybe").status_code == 400
        assert server.http.post("/shapes/x/9/use?mode=off").status_code == 404
    shutil.rmtree(directory / "profiles")
    for file in directory.glob("validation.db*"):
        file.unlink()
    with serving(directory, profiles="prov-core:reject") as server:
        said = {each["name"]: each["mode"] for each in server.http.get("/shapes").json()}
        assert (said["x"], said["prov-core"]) == ("reject", "off")
        use(server, "x/1", "off")
        send(server, "a")
        head = server.http.get("/health").json()["head"]
        used = server.rows(f"SELECT ?mode {{ ?use a <{PS}ProfileUse> ; <{PS}mode> ?mode }}", min_index=head)
        assert sorted(row["mode"] for row in used) == ["off", "off", "reject"]
        use(server, "x/1", "off")  # as it is already
        assert server.http.get("/health").json()["head"] == head


def test_profiles_are_in_a_backup(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as server:
        publish(server, "x", MILD)
        use(server, "x/1", "annotate")
        assert command("backup", "--data", server.directory, tmp_path / "copy").returncode == 0
    assert command("restore", tmp_path / "copy", "--data", tmp_path / "again").returncode == 0
    with serving(tmp_path / "again") as server:
        assert server.http.get("/shapes/x/1").text == MILD
        assert {each["name"]: each["mode"] for each in server.http.get("/shapes").json()}["x"] == "annotate"


def test_what_the_ledger_does_not_know_is_forgotten(tmp_path: Path) -> None:
    directory = tmp_path / "data"
    with serving(directory) as server:
        publish(server, "x", MILD)
    (directory / "profiles" / "x" / "2.ttl").write_text(STRICT)
    (directory / "profiles" / "x" / "1.ttl").write_text("damaged")
    with serving(directory) as server:
        assert [each["version"] for each in server.http.get("/shapes/x?format=json").json()["versions"]] == ["1"]
        assert server.http.get("/shapes/x/1").text == MILD


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("none:annotate", "no validation profile 'none'"),
        ("prov-core/99:annotate", "has no version '99'"),
        ("prov-core:off,prov-core/1:annotate", "names prov-core twice"),
    ],
)
def test_a_setting_that_names_what_is_not_there_keeps_the_server_from_starting(
    tmp_path: Path, setting: str, says: str
) -> None:
    done = command("serve", "--data", tmp_path / "data", "--port", "0", settings={"profiles": setting})
    assert done.returncode == 2
    assert says in done.stderr.decode()


def test_from_the_page_one_tries_and_uses(server: Server, browser: Browser) -> None:
    publish(server, "clicked", STRICT)
    with watched(browser, server.url, scripts=False) as seen:
        page = seen.open("/shapes/clicked")
        page.get_by_role("button", name="Try it").click()
        assert "would newly violate it" in page.get_by_role("region", name="Tried on the records here").inner_text()
        page.get_by_label("Mode").select_option("annotate")
        page.get_by_role("button", name="Use it").click()
        assert page.url.endswith("/shapes/clicked/1")
        assert page.get_by_text("how the records stand with it").count() == 1
    use(server, "clicked/1", "off")
