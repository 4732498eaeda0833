"""The page about a thing, its JSON and its RDF: what they say of each kind, held to the examples and to SPARQL."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from html import unescape
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser

from provstore.ui.things import FORMATS
from tests.browser import watched
from tests.servers import BASE, WORKED, Server, event, serving
from tests.test_vocabulary import BROWSER

PROV = "http://www.w3.org/ns/prov#"
PS = "https://w3id.org/provstore/ns#"
SCORE = f"{BASE}/dataset/warehouse%3A%2F%2Fbank/customer_risk_score"
API = f"{BASE}/dataset/https%3A%2F%2Fdemographics.example/demographics-api"
RUN_B = "urn:uuid:0193b1a0-0000-7000-8000-00000000000b"
RUN_C = "urn:uuid:0193b1a0-0000-7000-8000-00000000000c"
#: One thing of each kind that has a page of its own, and what its page must say.
KINDS = {
    "dataset": (SCORE, "dataset", "customer_risk_score"),
    "source": (API, "dataset", "declared source"),
    "written": (
        f"{SCORE}/write/0193b1a0-0000-7000-8000-00000000000b",
        "state, as written",
        "as written 2026-03-08 03:10",
    ),
    "read": (f"{SCORE}/read/T1", "state, as read", "customer_risk_score as read 2026-03-05 12:00"),
    "version": (f"{SCORE}/version/2", "version", "customer_risk_score, version 2"),
    "run": (RUN_B, "run", "completed"),
    "failed run": (RUN_C, "run", "the demographics API answered 503"),
    "training": (f"{BASE}/run/T1", "training run", "1 parameter"),
    "job": (f"{BASE}/job/airflow/risk.score", "job", "risk.score"),
    "model": (f"{BASE}/model/premium", "model", "champion"),
    "model version": (f"{BASE}/model/premium-1", "model version", "1 parameter"),
    "prediction": (f"{BASE}/prediction/1", "prediction", "0.81"),
    "decision": (f"{BASE}/decision/1", "decision", "What it is"),
    "item": (f"{BASE}/item/glucose-77/raw", "item", "6.9 mmol/L"),
    "slice": (f"{BASE}/slice/E2/65-and-over", "slice", "0.41"),
    "agent": (f"{BASE}/agent/person/ana", "person", "Had a hand in"),
    "device": (f"{BASE}/agent/device/analyser-4", "sensor", "AX-4-00231"),
    "activity": (f"{BASE}/run/observation-77", "activity", "measuring device"),
    "code": ("urn:swh:1:rev:60718293a4b5c6d7e8f90a1b1f0e4c5b2a7d9e8f", "code version", "What it is"),
    "anything": (f"{BASE}/metric/approval-rate", "metric", "share of applications approved"),
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("things") / "data", *WORKED, verb="demo", rdf_timeout_seconds=60) as found:
        yield found


def told(server: Server, iri: str, **parameters: object) -> dict[str, Any]:
    given = {name.replace("_", "-"): str(value) for name, value in parameters.items()}
    answer = server.http.get("/entity", params={"iri": iri, **given})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def page(server: Server, iri: str, status: int = 200, **parameters: object) -> str:
    given = {name.replace("_", "-"): str(value) for name, value in parameters.items()}
    answer = server.http.get("/entity", params={"iri": iri, **given}, headers={"accept": BROWSER})
    assert (answer.status_code, answer.headers["content-type"]) == (status, "text/html; charset=utf-8"), answer.text
    return answer.text


def text_of(html: str) -> str:
    """What a person reads: the main part without its markup, white space as one."""
    main = html[html.index("<main") : html.index("</main>")]
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", "", main)))


def path_of(iri: str, **parameters: str) -> str:
    more = "".join(f"&{name}={quote(value)}" for name, value in parameters.items())
    return f"/entity?iri={quote(iri, safe='')}{more}"


# --- each kind -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("iri", "kind", "says"), KINDS.values(), ids=KINDS)
def test_the_page_of_each_kind(server: Server, iri: str, kind: str, says: str) -> None:
    html = page(server, iri)
    read = text_of(html)
    assert re.search(rf'class="eyebrow">.*?</span>{kind}\b', html)
    assert says in read
    for part in ("What it is", "Is it complete?", "When", "Can I prove it?"):
        assert f">{part}</h2>" in html
    # no identifier stands where a name would do, but for the one that is said to be the identifier
    assert read.count("https://prov.example/") <= 1, read


@pytest.mark.parametrize("iri", [iri for iri, *_ in KINDS.values()], ids=KINDS)
def test_the_twins_of_each_kind(server: Server, iri: str) -> None:
    found = told(server, iri)
    assert found["iri"] == iri
    assert 0 < found["index"] <= server.http.get("/health").json()["head"]
    rows = server.rows(f"SELECT ?p ?o {{ <{iri}> ?p ?o }}")
    answer = server.http.get("/entity", params={"iri": iri}, headers={"accept": "application/n-triples"})
    own = [line for line in answer.text.splitlines() if line.startswith(f"<{iri}> ")]
    assert len(own) == len(rows)
    into = server.rows(f"SELECT ?s ?p {{ ?s ?p <{iri}> }}")
    assert len([line for line in answer.text.splitlines() if line.endswith(f" <{iri}> .")]) == len(into)


@pytest.mark.parametrize(("name", "media_type"), FORMATS.items())
def test_every_syntax_under_the_same_address(server: Server, name: str, media_type: str) -> None:
    asked = server.http.get("/entity", params={"iri": SCORE}, headers={"accept": media_type})
    assert asked.headers["content-type"].split(";")[0] == media_type
    linked = server.http.get("/entity", params={"iri": SCORE, "format": name}, headers={"accept": BROWSER})
    assert linked.headers["content-type"].split(";")[0] == media_type
    assert asked.content == linked.content
    html = server.http.get("/entity", params={"iri": SCORE}, headers={"accept": BROWSER})
    assert f'rel="alternate"; type="{media_type}"' in html.headers["link"]


def test_sources_are_those_of_sparql(server: Server) -> None:
    rows = server.rows(f"""SELECT DISTINCT ?asset {{
        ?state <{PROV}specializationOf> <{SCORE}> . ?state <{PROV}wasDerivedFrom>|<{PS}possiblyDerivedFrom> ?read .
        ?read <{PROV}specializationOf> ?asset
        FILTER(?asset != <{SCORE}>) FILTER NOT EXISTS {{ ?asset a <{PS}Version> }} }}""")
    sources = told(server, SCORE)["lineage"]["sources"]
    assert {node["iri"] for node in sources["nodes"]} == {row["asset"] for row in rows}
    assert sources["total"] == len(rows)


def test_where_a_prediction_comes_from(server: Server) -> None:
    """The first question of the worked stores, as the page tells it."""
    upstream = told(server, f"{BASE}/prediction/1")["lineage"]["upstream"]
    ends = {(node["iri"].rpartition("/")[2], node["origin"]) for node in upstream["ends"]["nodes"]}
    assert ends == {(name, "declared source") for name in ("demographics-api", "transactions", "app-1")}
    rows = server.rows(f"SELECT DISTINCT ?x {{ <{BASE}/prediction/1> <{PROV}wasDerivedFrom>+ ?x }}")
    assert (upstream["total"], upstream["certain"]) == (len(rows), len(rows))
    assert f"up to {upstream['steps']} steps" in text_of(page(server, f"{BASE}/prediction/1"))


def test_each_source_says_how_it_is_known(server: Server) -> None:
    html = page(server, f"{BASE}/model/premium-1")
    (record,) = server.rows(f"""SELECT ?record ?index {{ ?record <{PS}ledgerIndex> ?index
        GRAPH ?record {{ <{BASE}/model/premium-1> <{PROV}wasDerivedFrom> ?x }} }}""")
    assert f'<a href="/records/{record["record"].rpartition("/")[2]}">record #{record["index"]}</a>' in html
    assert "inferred" in html
    assert "by the same version label" in html


def test_who_and_in_which_role(server: Server) -> None:
    found = told(server, f"{BASE}/run/observation-77")
    roles = {(each["agent"], each["role"], each.get("plan")) for each in found["roles"]}
    assert (f"{BASE}/agent/device/analyser-4", f"{PS}measuringDevice", f"{BASE}/plan/loinc-14749-6") in roles
    read = text_of(page(server, f"{BASE}/run/observation-77"))
    assert "as measuring device by the plan glucose" in read
    assert "as technician on behalf of" in read
    agents = told(server, f"{BASE}/decision/1")["lineage"]["agents"]
    assert [agent["iri"] for agent in agents["agents"]] == [f"{BASE}/agent/person/dan"]


def test_aliases_have_an_interval(server: Server) -> None:
    first, *_ = reversed(told(server, f"{BASE}/model/premium")["aliases"])
    assert (first["alias"], first["version"]) == ("champion", f"{BASE}/model/premium-1")
    assert (first["since"], first["by"]) == ("2026-03-11T08:00:00Z", f"{BASE}/agent/person/cleo")


def test_a_name_ends_when_it_is_given_to_another(server: Server) -> None:
    model = "urn:x:aliases"
    given = "\n".join(
        f"<{model}/v{n}> a ps:ModelVersion ; prov:specializationOf <{model}> . <{model}/a{n}> a ps:AliasAssignment ;"
        f' ps:alias "live" ; ps:assigns <{model}/v{n}> ; prov:generatedAtTime "2026-01-0{n}T00:00:00Z"^^xsd:dateTime .'
        for n in (1, 2)
    )
    receipt = post(server, f"<{model}> a ps:Model . {given}")
    aliases = told(server, model, min_index=receipt["index"])["aliases"]
    times = [(each["version"], each["since"], each.get("until")) for each in aliases]
    assert times == [
        (f"{model}/v2", "2026-01-02T00:00:00Z", None),
        (f"{model}/v1", "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"),
    ]


def test_columns_checks_and_measurements(server: Server) -> None:
    found = told(server, SCORE)
    columns = {each["name"]: each for each in found["columns"]}
    assert columns["risk_score"]["type"] == "DOUBLE"
    assert [f"{BASE}/dataset/feast%3A%2F%2Fbank/customer_features", "avg_spend"] in [
        source[:2] for source in columns["risk_score"]["sources"]
    ]
    failed = {(each["test"], each["actual"]) for each in found["checks"] if each["outcome"] == "failed"}
    assert ("not_null_share", "18.9 % missing") in failed
    rows = server.rows(f"""SELECT DISTINCT ?m {{ ?state <{PROV}specializationOf> <{SCORE}> .
        ?m <http://www.w3.org/ns/dqv#computedOn> ?state }}""")
    assert len(found["measures"]) == len(rows)


def test_what_is_missing_is_said_in_words(server: Server) -> None:
    gaps = {gap["gap"] for gap in told(server, RUN_C)["gaps"]}
    assert {"failed", "not made"} <= gaps
    gaps = {gap["gap"] for gap in told(server, f"{BASE}/model/thinfile-1")["gaps"]}
    assert "unknown origin" in gaps
    assert "of unknown origin" in text_of(page(server, f"{BASE}/model/thinfile-1"))
    run_a = told(server, "urn:uuid:0193b1a0-0000-7000-8000-00000000000a")
    assert "no start" in {gap["gap"] for gap in run_a["gaps"]}


def test_every_record_that_speaks_of_it(server: Server) -> None:
    rows = server.rows(f"""SELECT DISTINCT ?record ?index {{ ?record <{PS}ledgerIndex> ?index
        GRAPH ?record {{ <{RUN_B}> ?p ?o }} }}""")
    found = told(server, RUN_B)
    assert [(each["iri"], each["index"]) for each in found["records"]] == [
        (row["record"], int(row["index"])) for row in sorted(rows, key=lambda row: -int(row["index"]))
    ]
    assert found["recordsTotal"] == len(rows)


def test_a_superseded_record_is_named_as_one(server: Server) -> None:
    records = told(server, f"{BASE}/run/T1")["records"]
    rows = server.rows(f"SELECT ?record {{ ?record <{PS}supersededBy> ?by GRAPH ?record {{ <{BASE}/run/T1> ?p ?o }} }}")
    assert {each["iri"] for each in records if "superseded" in each} == {row["record"] for row in rows} != set()


# --- columns ---------------------------------------------------------------------------------------------------------


def test_a_column_has_a_page(server: Server) -> None:
    found = told(server, SCORE, column="age_band")
    rows = server.http.get("/lineage", params={"entity": SCORE, "column": "age_band"}).json()
    assert (found["kind"], found["type"], found["upstream"]["total"]) == ("Column", "VARCHAR", rows["total"])
    reached = {(each["of"], each["column"]): each["states"] for each in found["upstream"]["reached"]}
    assert reached == Counter((each["dataset"], each["column"]) for each in rows["columns"])
    assert {each["column"] for each in found["checks"]} == {"age_band"}
    read = text_of(page(server, SCORE, column="age_band"))
    assert "demographics-api.age" in read
    assert "18.9 % missing" in read
    assert re.search(r"It went into \d+ columns and things whose columns are not known\.", read)
    assert "recorded as a part of customer_risk_score" in read


def test_the_page_of_a_model_lists_its_versions(server: Server) -> None:
    read = text_of(page(server, f"{BASE}/model/premium"))
    listed = re.search(r"Versions((?: ?premium \d,?)+)", read)
    assert listed
    assert sorted(re.findall(r"premium \d", listed[1])) == ["premium 1", "premium 2", "premium 3"]


@pytest.mark.parametrize(
    ("iri", "says"),
    [
        (f"{BASE}/prediction/1", "1 thing depends on it: 1 decision."),
        (SCORE, "119 things depend on it, among them 7 model versions"),
        (SCORE, "1 of the 153 states behind it is only possible"),
        (f"{SCORE}/write/0193b1a0-0000-7000-8004-000020260405", "1 record speaks of it. It has a place in the ledger"),
        (f"{BASE}/job/airflow/risk.checks", "which read 1 thing and wrote nothing."),
        (f"{BASE}/model/premium", "10 decisions, 2 alias assignments. If this was bad"),
        (f"{BASE}/model/premium", "23 measurements"),
    ],
)
def test_sentences_agree_with_their_numbers(server: Server, iri: str, says: str) -> None:
    assert says in text_of(page(server, iri))


@pytest.mark.parametrize("column", ["", "age_band", "risk_score", "customer_id"])
@pytest.mark.parametrize("iri", [SCORE, API, f"{BASE}/prediction/1", f"{BASE}/agent/person/ana"])
def test_no_part_of_a_page_is_empty(server: Server, iri: str, column: str) -> None:
    if column and iri != SCORE:
        iri = f"{SCORE}/write/0193b1a0-0000-7000-8000-00000000000b"
    html = page(server, iri, column=column)
    parts = re.findall(r"<section[^>]*>\s*<h2[^>]*>.*?</h2>(.*?)</section>", html, re.DOTALL)
    assert len(parts) > 3
    assert [part for part in parts if not re.sub(r"<[^>]*>", "", part).strip()] == []


@pytest.mark.parametrize("column", ["no_such", "risk_score; DROP", "<b>", "*"])
def test_a_column_that_nobody_knows(server: Server, column: str) -> None:
    page(server, SCORE, 404, column=column)
    assert server.http.get("/entity", params={"iri": SCORE, "column": column}).status_code == 404


# --- moments ---------------------------------------------------------------------------------------------------------


def test_lineage_as_it_was_recorded(server: Server) -> None:
    first = told(server, f"{BASE}/prediction/1")["records"][-1]["index"]
    asked = {"entity": f"{BASE}/model/premium-1", "direction": "downstream"}
    for index in (first - 1, first):
        downstream = told(server, f"{BASE}/model/premium-1", at_index=index)["lineage"]["downstream"]
        assert downstream["total"] == server.http.get("/lineage", params={**asked, "at-index": index}).json()["total"]
    assert server.http.get("/entity", params={"iri": f"{BASE}/prediction/1", "at-index": first - 1}).status_code == 404
    html = page(server, f"{BASE}/model/premium-1", at_index=first - 1, as_of="2026-03-12T00:00:00Z")
    assert f"as recorded by ledger index {first - 1}" in text_of(html)
    assert f"at-index={first - 1}&amp;as-of=2026-03-12T00%3A00%3A00Z" in html  # the picture is of the same moment


def test_an_answer_waits_for_the_index_it_is_to_hold(server: Server) -> None:
    for number in range(3):
        receipt = post(server, f"<urn:x:fresh{number}> a ps:Dataset .")
        assert told(server, f"urn:x:fresh{number}", min_index=receipt["index"])["index"] >= receipt["index"]
    assert server.http.get("/entity", params={"iri": SCORE, "min-index": 10**9}).status_code == 404


def test_an_unchanged_answer_is_not_sent_again(server: Server) -> None:
    first = server.http.get("/entity", params={"iri": f"{BASE}/item/app-1"})
    again = server.http.get(
        "/entity", params={"iri": f"{BASE}/item/app-1"}, headers={"if-none-match": first.headers["etag"]}
    )
    assert (again.status_code, again.content) == (304, b"")


# --- names, unknown things, garbage ----------------------------------------------------------------------------------


def test_a_name_that_one_asset_has_leads_to_it(server: Server) -> None:
    answer = server.http.get("/entity", params={"iri": "customer_risk_score", "at-index": "20"})
    assert (answer.status_code, answer.headers["location"]) == (303, f"{path_of(SCORE)}&at-index=20")


def test_a_name_may_look_like_an_identifier(server: Server) -> None:
    twin = {"namespace": "odd", "name": "fraud:v2"}
    server.post(event(510, outputs=[twin])).raise_for_status()
    wanted = {"iri": "fraud:v2", "min-index": str(server.http.get("/health").json()["head"])}
    assert (
        server.http.get("/entity", params=wanted)
        .headers["location"]
        .startswith(path_of(f"{BASE}/dataset/odd/fraud%3Av2"))
    )


def test_a_record_has_a_page_of_its_own(server: Server) -> None:
    (record,) = (each["iri"] for each in told(server, f"{BASE}/item/app-1")["records"][-1:])
    answer = server.http.get("/entity", params={"iri": record})
    assert (answer.status_code, answer.headers["location"]) == (303, f"/records/{record.rpartition('/')[2]}")


def test_a_name_that_two_have_leads_to_a_choice(server: Server) -> None:
    for number, namespace in enumerate(("one", "two")):
        twin = {"namespace": namespace, "name": "twin"}
        receipt = server.post(event(500 + number, outputs=[twin])).json()
    told(server, f"{BASE}/dataset/two/twin", min_index=server.http.get("/health").json()["head"])
    assert receipt
    answer = server.http.get("/entity", params={"iri": "twin"})
    assert answer.status_code == 404
    assert {f"{BASE}/dataset/{name}/twin" for name in ("one", "two")} <= {n["iri"] for n in answer.json()["nearest"]}


def test_the_nearest_of_what_nobody_knows(server: Server) -> None:
    wrong = f"{BASE}/dataset/nowhere/customer_risk"
    problem = server.http.get("/entity", params={"iri": wrong})
    assert (problem.status_code, problem.headers["content-type"]) == (404, "application/problem+json")
    assert SCORE in [each["iri"] for each in problem.json()["nearest"]]
    assert quote(SCORE, safe="") in page(server, wrong, 404)
    turtle = server.http.get("/entity", params={"iri": wrong}, headers={"accept": "text/turtle"})
    assert turtle.status_code == 404


@pytest.mark.parametrize(
    "named",
    [
        "<script>alert(1)</script>",
        "http://[",
        "urn:x:\n",
        "a" * 5000,
        "'; DROP TABLE node; --",
        "urn:x:\u202e",
        "\ud800",
        "%00",
        "*",
        '"',
    ],
)
def test_garbage_is_not_found(server: Server, named: str) -> None:
    asked = quote(named.encode(errors="surrogatepass"))
    for accept in (BROWSER, "application/json", "text/turtle"):
        answer = server.http.get(f"/entity?iri={asked}", headers={"accept": accept})
        assert answer.status_code == 404, answer.text
        assert accept != BROWSER or "<script>alert" not in answer.text


@pytest.mark.parametrize(
    "given",
    [
        "",
        "?iri=",
        "?iri=a&iri=b",
        "?iri=a&x=1",
        "?iri=urn:x:a&at-index=x",
        "?iri=urn:x:a&format=exe",
        f"?iri=urn:x:{'a' * 11_000}",
    ],
)
def test_a_bad_question_is_refused(server: Server, given: str) -> None:
    assert server.http.get(f"/entity{given}").status_code == 400


def test_a_bad_instant_is_refused(server: Server) -> None:
    assert server.http.get("/entity", params={"iri": SCORE, "as-of": "yesterday"}).status_code == 400


def test_a_column_is_no_rdf(server: Server) -> None:
    asked = {"iri": SCORE, "column": "age_band"}
    assert server.http.get("/entity", params=asked, headers={"accept": "text/turtle"}).status_code == 406


# --- neighbours ------------------------------------------------------------------------------------------------------


def post(server: Server, turtle: str) -> dict[str, Any]:
    prefixes = f"@prefix prov: <{PROV}> . @prefix ps: <{PS}> . @prefix xsd: <http://www.w3.org/2001/XMLSchema#> .\n"
    answer = server.rdf(f"{prefixes}@prefix dct: <http://purl.org/dc/terms/> .\n{turtle}")
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def applied(server: Server, index: int) -> None:
    """Wait until the views hold an index: each answer waits for some seconds, which many statements can outlast."""
    for _ in range(30):
        if server.http.get("/entity", params={"iri": SCORE, "min-index": index}).status_code != 503:
            return
    raise AssertionError(f"index {index} is not applied")


@pytest.fixture(scope="module")
def hub(server: Server) -> dict[int, str]:
    """Number of neighbours on either side → a thing that has as many."""
    made = {}
    receipt: dict[str, Any] = {}
    for count in (0, 1, 500, 20_000):
        iri = made[count] = f"urn:x:hub{count}"
        receipt = post(server, f"<{iri}> a ps:RecordItem .")
        for way in ("to", "from"):
            for first in range(0, count, 10_000):
                ends = [f"<{iri}/{way}{n}>" for n in range(first, min(count, first + 10_000))]
                lines = (f"{end} prov:wasDerivedFrom <{iri}> ." for end in ends)
                if way == "from":
                    lines = (f"<{iri}> prov:wasDerivedFrom {end} ." for end in ends)
                receipt = post(server, "\n".join(lines))
    applied(server, receipt["index"])
    return made


@pytest.mark.parametrize("count", [0, 1, 500, 20_000])
def test_neighbours_are_counted_and_the_first_shown(server: Server, hub: dict[int, str], count: int) -> None:
    found = told(server, hub[count])["lineage"]
    for part in ("sources", "dependents"):
        assert (found[part]["total"], len(found[part]["nodes"])) == (count, min(count, 10))
    assert (found["upstream"]["total"], found["downstream"]["total"]) == (count, count)
    html = page(server, hub[count])
    assert len(html) < 40_000
    assert ("The first 10 of" in html) is (count > 10)
    assert "direction=downstream" in html or count <= 10


def test_rdf_of_very_many_neighbours_says_that_it_is_cut(server: Server, hub: dict[int, str]) -> None:
    whole = server.http.get("/entity", params={"iri": hub[500], "format": "nt"})
    assert "provstore-truncated" not in whole.headers
    assert len(whole.text.splitlines()) == 1001  # its type included
    cut = server.http.get("/entity", params={"iri": hub[20_000], "format": "nt"})
    assert cut.headers["provstore-truncated"] == "true"
    assert "Not whole" in cut.text
    assert 10_000 < len(cut.text.splitlines()) < 10_010


# --- in a browser ----------------------------------------------------------------------------------------------------

HOSTILE = "urn:x:hostile"


@pytest.fixture(scope="module")
def hostile(server: Server) -> str:
    """A thing that has everything in its names that a page could stumble over."""
    long, right = "n" * 300, "שם ארוך מאוד مرحبا " * 12
    receipt = post(
        server,
        f"""<{HOSTILE}> a ps:ModelVersion ; dct:title "{long}" ;
            dct:description "<script>document.title='owned'</script><img src=x onerror=alert(1)>\\u0007\\u202E end" ;
            prov:specializationOf <{HOSTILE}/model> ; prov:wasDerivedFrom <{HOSTILE}/right>, <{HOSTILE}/{"i" * 300}> ;
            ps:parameter <{HOSTILE}#p> ; prov:wasAttributedTo <{HOSTILE}/agent> .
        <{HOSTILE}#p> ps:key "{"k" * 300}" ; ps:value "</code><script>alert(2)</script>" .
        <{HOSTILE}/model> a ps:Model ; dct:title "</title><script>alert(3)</script>" .
        <{HOSTILE}/right> a ps:Prediction ; dct:title "{right}" ; prov:wasDerivedFrom <{HOSTILE}> .
        <{HOSTILE}/agent> a prov:Person ; dct:title "\\"><script>alert(4)</script>" .""",
    )
    told(server, HOSTILE, min_index=receipt["index"])
    return HOSTILE


@pytest.mark.parametrize("width", [1280, 400])
def test_hostile_names_are_text_and_the_layout_holds(
    server: Server, browser: Browser, hostile: str, width: int
) -> None:
    with watched(browser, server.url, width=width) as seen:
        for iri in (hostile, f"{hostile}/model", f"{hostile}/right", f"{hostile}/agent"):
            shown = seen.open(path_of(iri))
            assert shown.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
            assert shown.locator("main script, main img").count() == 0
            assert "owned" not in shown.title()


@pytest.mark.parametrize("kind", ["dataset", "failed run", "model version", "item"])
def test_the_layout_holds_on_a_phone(server: Server, browser: Browser, kind: str) -> None:
    with watched(browser, server.url, width=400) as seen:
        shown = seen.open(path_of(KINDS[kind][0]))
        assert shown.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_pages_are_accessible(server: Server, browser: Browser, hostile: str, dark: bool) -> None:
    kinds = ("dataset", "failed run") if dark else ("dataset", "failed run", "model version", "agent", "item")
    places = [path_of(KINDS[kind][0]) for kind in kinds]
    with watched(browser, server.url, dark=dark) as seen:
        for place in (
            *places,
            path_of(SCORE, column="age_band"),
            path_of(hostile),
            path_of(SCORE, **{"at-index": "30"}),
        ):
            shown = seen.open(place)
            assert shown.locator("h1").count() == 1
            assert seen.serious() == [], place
        seen.open(path_of("urn:x:nobody"), 404)
        assert seen.serious() == []
        seen.faults.clear()  # Chromium reports the 404 itself


def test_everything_is_there_without_scripts(server: Server, browser: Browser) -> None:
    read = []
    for scripts in (True, False):
        with watched(browser, server.url, scripts=scripts) as seen:
            read.append(seen.open(path_of(f"{BASE}/model/diabetes-1")).locator("main").inner_text())
    assert read[0] == read[1]


def test_another_moment_by_keyboard_alone(server: Server, browser: Browser) -> None:
    with watched(browser, server.url) as seen:
        shown = seen.open(path_of(f"{BASE}/model/premium-1"))
        shown.keyboard.press("Tab")
        assert shown.evaluate("document.activeElement.className") == "skip"
        shown.keyboard.press("Enter")
        for _ in range(40):
            shown.keyboard.press("Tab")
            if shown.evaluate("document.activeElement.tagName") == "SUMMARY":
                break
        shown.keyboard.press("Enter")
        shown.keyboard.press("Tab")
        shown.keyboard.type("30")
        with shown.expect_navigation():
            shown.keyboard.press("Enter")
        assert "at-index=30" in shown.url
        assert "as recorded by ledger index 30" in shown.locator("main").inner_text()


def test_no_link_of_a_page_is_broken(server: Server) -> None:
    """Every address on the pages leads somewhere; what other parts serve is for their tests."""
    found: set[str] = set()
    for iri, *_ in KINDS.values():
        html = page(server, iri)
        found |= {unescape(href) for href in re.findall(r'href="(/[^"#]*)', html)}
    parts = ("/entity?", "/lineage?", "/impact?", "/queries/", "/records/")
    asked = sorted(href for href in found if href.startswith(parts))
    asked.append(next(href for href in found if href.startswith("/export?")))
    assert len(asked) > 150
    broken = []
    for href in asked:
        answer = server.http.get(href)
        if answer.status_code != 200:
            broken.append((answer.status_code, href))
    assert broken == []
