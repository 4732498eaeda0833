"""Full-text search: what is found and in which order, and by which ways."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provstore.errors import Busy, QueryRefused
from provstore.ledger.log import Ledger
from provstore.search import FILTERS, MOST_RESULTS, MOST_WORDS, Searcher, expression, parse
from provstore.views.words import row
from tests import stores
from tests.histories import at, dataset, native, of_dataset, run_id, run_iri
from tests.searching import (
    RISK,
    WORLD,
    ask,
    names,
    searching,
    submission,
    told,
)
from tests.servers import Server, command, serving, stopped
from tests.stores import assert_sound, store_in
from tests.test_server import assert_problem


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Searcher]:
    with store_in(tmp_path_factory.mktemp("search") / "store") as store:
        store.ingest([submission(each) for each in WORLD])
        assert_sound(store)
        searcher = searching(store)
        yield searcher
        searcher.close()


# --- finding ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("risk score", "analytics.customer_risk_score"),
        ("customer_risk", "analytics.customer_risk_score"),
        ("risk_sc", "analytics.customer_risk_score"),
        ("riskscore", "analytics.customer_risk_score"),
        ("CustomerRisk", "analytics.customer_risk_score"),
        ("analytics.cust", "analytics.customer_risk_score"),
        ("omer_ri", "analytics.customer_risk_score"),
        ("riskBand", "analytics.customer_risk_score"),
        ("risk_band", "analytics.customer_risk_score"),
        ("address.city", "analytics.customer_risk_score"),
        ("postalcode", "analytics.customer_risk_score"),
        ("municipality", "analytics.customer_risk_score"),
        ("borrower default", "analytics.customer_risk_score"),
        ("team:risk", "analytics.customer_risk_score"),
        ("pii gold", "analytics.customer_risk_score"),
        (dataset("orders"), "orders"),
        ("s3://bucket/events", "events/clicks"),
        ("risk model", "RiskModelInput"),
        ("modelinput", "RiskModelInput"),
        ("churn_rate", "nightly.score"),
        ("thiscol", "made_here"),
        ('"broken pipe"', "nightly.score"),
        (run_id("r"), "nightly.score"),
        (run_iri("r"), "nightly.score"),
        (run_id("r")[:13], "nightly.score"),
        ("evaluation GENERALE", "Évaluation générale"),
        ("المخاطر", "Évaluation générale"),
        ("リスク", "顧客リスク評価表"),
        ("評価表", "顧客リスク評価表"),
        ("sommer*", "Sommerfest"),
        ("bold", "<b>bold & brash</b>"),
        ("सूची", "प्रलेख सूची"),
        ("premium-1", "model/premium-1"),
        ("prediction/77", "prediction/77"),
        ("refus", "refused"),
        ("somewhere", "Bank of Somewhere"),
    ],
)
def test_finds(world: Searcher, text: str, expected: str) -> None:
    assert names(ask(world, text))[:1] == [expected]


def test_the_kinds_of_things(world: Searcher) -> None:
    counts = {each["value"]: each["count"] for each in ask(world).facets["kind"]}
    assert counts == {
        "dataset": 8,
        "job": 2,
        "run": 2,
        "entity": 4,
        "activity": 1,
        "agent": 3,  # with the producer of the events
        "model": 1,
        "model-version": 1,
        "prediction": 1,
        "decision": 1,
    }
    assert {each["name"] for each in ask(world, kind="job").results} == {"nightly.score", "other"}


def test_a_name_counts_more_than_a_column_than_a_description_than_sql(world: Searcher) -> None:
    assert names(ask(world, "likely", kind=("dataset", "job")))[:1] == ["likely"]
    order = [each for each in names(ask(world, "likely")) if each != "analytics.customer_risk_score"]
    assert order == ["likely", "events/clicks", "plain", "nightly.score"]


def test_the_thing_of_just_that_name_comes_first(world: Searcher) -> None:
    assert names(ask(world, "orders")) == ["orders", "orders_archive"]  # though the second is much shorter
    assert names(ask(world, "customer risk score"))[:1] == ["analytics.customer_risk_score"]


def test_a_job_comes_before_its_runs(world: Searcher) -> None:
    found = ask(world, "nightly")
    assert [each["kind"] for each in found.results] == ["job", "run"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("orders", {"orders", "orders_archive"}),
        ("orders -archive", {"orders"}),
        ('orders -"orders archive"', {"orders"}),
        ("-orders -likely -plain -score", None),
        ('"risk score"', {"analytics.customer_risk_score"}),
        ('"score risk"', set()),
        ('"risk sco"', set()),
        ('"risk sco"*', {"analytics.customer_risk_score"}),
        ("risk absent", set()),
        ("col:orders", set()),
        ("orders OR plain", set()),
    ],
)
def test_what_can_be_typed(world: Searcher, text: str, expected: set[str] | None) -> None:
    found = set(names(ask(world, text)))
    if expected is None:
        assert found
        assert not found & {"orders", "orders_archive", "likely", "plain", "nightly.score"}
    else:
        assert found == expected


NASTY = [
    *(
        '"',
        '""',
        '"a',
        "*",
        "-",
        "--",
        "-*",
        "- a",
        '-"',
        "a*b",
        "^a",
        "a:b",
        "{a b}: c",
        "(",
        ")",
        "()",
        "a)b(",
        "'",
        "''",
    ),
    *("AND", "OR", "NOT", "NEAR", "NEAR(", "NEAR(a b, 2)", "a OR", "NOT a", "a AND AND b", "name:risk", "joined : x"),
    *(
        "rowid:1",
        "search_text",
        "'; DROP TABLE search_doc; --",
        "%",
        "_",
        "\\",
        "%_\\",
        "\0",
        "a\0b",
        "\ud800",
        "\U0001f389",
    ),
    *("\ue000", "\ue000orders", "x" * 10_000, "x " * 5_000, "_" * 10_000, '"' * 10_000, "-a " * 3000, "* " * 3000),
    *("顧" * 5000, "\u0301", "\u200f", "\u202e", "a\u0300" * 3000),
]


@pytest.mark.parametrize("text", NASTY, ids=lambda text: ascii(text[:20]))
def test_nothing_that_is_typed_is_an_error(world: Searcher, text: str) -> None:
    found = ask(world, text, kind="", owner=text, tag=(text, "pii"))
    assert found.total >= len(found.results) >= 0
    assert ask(world, text).total >= 0


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.text(alphabet=st.sampled_from('ab"*- ():^+{}\0顧éORNEAT.,%_\\'), max_size=30))
def test_no_mixture_of_signs_is_an_error(world: Searcher, text: str) -> None:
    found = ask(world, text)
    assert (found.how == "all") == (not text.strip())


def test_only_plain_words_stand_in_an_expression() -> None:
    assert expression(parse('s3://x "a b" c* -d OR')) == (
        '(("s3 x" * OR joined : "s3x" *) AND "a b" AND "c" * AND "or" *) OR joined : "\ue000s3xabcor"'
    )
    assert expression(parse("-d")) == expression(parse("* !")) == ""


def test_words_beyond_what_is_looked_for_are_told(world: Searcher) -> None:
    found = ask(world, "orders orders " + " ".join(f"-x{n}" for n in range(MOST_WORDS + 2)))
    assert (found.ignored, names(found)) == (3, ["orders", "orders_archive"])


def test_signs_alone_find_what_has_them_in_its_name(world: Searcher) -> None:
    assert names(ask(world, "<b>"))[:1] == ["<b>bold & brash</b>"]
    assert (ask(world, "&").how, names(ask(world, "&"))) == ("parts", ["<b>bold & brash</b>"])
    assert names(ask(world, "%")) == []


# --- filters, facets, pages ------------------------------------------------------------------------------------------


def test_filters(world: Searcher) -> None:
    assert names(ask(world, "score", kind="dataset")) == ["analytics.customer_risk_score"]
    assert names(ask(world, namespace="s3://bucket")) == ["events/clicks"]
    assert set(names(ask(world, owner="user:ana"))) == {"analytics.customer_risk_score", "model/premium-1"}
    assert names(ask(world, owner="user:ana", kind="dataset")) == ["analytics.customer_risk_score"]
    assert names(ask(world, tag="layer:gold")) == ["analytics.customer_risk_score"]
    assert set(names(ask(world, kind=("model", "prediction")))) == {"model/premium", "prediction/77"}
    assert ask(world, kind="datase").total == ask(world, tag="layer").total == ask(world, owner="'").total == 0
    assert ask(world, "score", kind="", owner="").total == ask(world, "score").total


def test_nothing_is_incomplete_where_nobody_looked(world: Searcher) -> None:
    assert ask(world, incomplete="MUST").total == 0
    assert ask(world, "score").judged is None
    assert all(each["lacks"] is None for each in ask(world, "score").results)
    with pytest.raises(QueryRefused, match="MUST, SHOULD, MAY, ERROR; got 'much'"):
        ask(world, incomplete="much")


@pytest.mark.parametrize("text", ["", "score", "-score", "isk_sc", "e"])
def test_facets_count_what_is_found(world: Searcher, text: str) -> None:
    found = ask(world, text, limit=MOST_RESULTS)
    assert found.total == len(found.results) > 0
    counted: dict[str, Counter[str]] = {key: Counter() for key in FILTERS}
    for each in found.results:
        counted["kind"][each["kind"]] += 1
        counted["namespace"].update(filter(None, [each["namespace"]]))
        counted["owner"].update(each["owners"])
        counted["tag"].update(each["tags"])
    assert {key: {each["value"]: each["count"] for each in held} for key, held in found.facets.items()} == counted
    assert ask(world, text, limit=0).facets == found.facets
    assert all(held == sorted(held, key=lambda v: (-v["count"], v["value"])) for held in found.facets.values())


@pytest.mark.parametrize("size", [1, 2, 7])
@pytest.mark.parametrize("text", ["", "score", "-score", "e", "isk_sc"])
def test_pages_make_the_whole(world: Searcher, text: str, size: int) -> None:
    whole = ask(world, text, limit=MOST_RESULTS)
    pages = [ask(world, text, limit=size)]
    while pages[-1].cursor:
        pages.append(ask(world, text, limit=size, cursor=pages[-1].cursor))
    assert [each["iri"] for page in pages for each in page.results] == [each["iri"] for each in whole.results]
    assert {page.total for page in pages} == {whole.total}
    assert len(pages) == -(-whole.total // size)


@pytest.mark.parametrize("cursor", ["x", "é", "AAAA", "=", "A" * 1000, "\0"])
def test_a_cursor_that_is_none_is_refused(world: Searcher, cursor: str) -> None:
    with pytest.raises(QueryRefused, match="cursor"):
        ask(world, "e", cursor=cursor)


def test_a_limit_beyond_the_most_is_refused(world: Searcher) -> None:
    with pytest.raises(QueryRefused, match="at most 500, got 501"):
        ask(world, limit=MOST_RESULTS + 1)


# --- marks -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("risk score", ["analytics.customer_", "risk", "_", "score", ""]),
        ("customer_risk", ["analytics.", "customer_risk", "_score"]),
        ("risk_sc", ["analytics.customer_", "risk_sc", "ore"]),
        ("riskscore", ["analytics.customer_", "risk_score", ""]),
        ("omer_ri", ["analytics.cust", "omer_ri", "sk_score"]),
        ("generale", ["Évaluation ", "générale", ""]),
        ("eval", ["", "Éval", "uation générale"]),
        ("リスク", ["顧客", "リスク", "評価表"]),
        ("bold", ["<b>", "bold", " & brash</b>"]),
        ("borrower", ["analytics.customer_risk_score"]),
    ],
)
def test_marks_in_the_name(world: Searcher, text: str, expected: list[str]) -> None:
    assert ask(world, text).results[0]["marked"] == expected


@pytest.mark.parametrize(
    ("text", "field", "expected"),
    [
        ("postalcode", "columns", ["address.", "postalCode", ""]),
        ("borrower", "description", ["How likely a ", "borrower", " is to default…"]),
        ("churn", "sql", ["SELECT likely, ", "churn", "_rate FROM accounts"]),
        ("s3://bucket/events", "about", ["", "s3://bucket/events", "/clicks"]),
        ("team:ri", "owners", ["", "team:ri", "sk"]),
        ("pii", "tags", ["", "pii", ""]),
    ],
)
def test_marks_in_a_snippet(world: Searcher, text: str, field: str, expected: list[str]) -> None:
    snippet = ask(world, text).results[0]["snippet"]
    assert snippet["field"] == field
    assert [each.replace("\nmunicipality", "…") for each in snippet["marked"]] == expected


@pytest.mark.parametrize("text", ["score", "risk", "e", "s", "c", "生", "customer_risk_sc", '"broken pipe"', "isk_s"])
def test_marked_pieces_are_the_text_itself(world: Searcher, text: str) -> None:
    for each in ask(world, text).results:
        assert "".join(each["marked"]) == each["name"]
        assert len(each["marked"]) % 2 == 1
        for match in each["marked"][1::2]:
            assert row(match).replace(" ", "").startswith(row(text).replace(" ", "")[: len(match)])


def test_a_long_text_is_cut_around_its_first_match(tmp_path: Path) -> None:
    with store_in(tmp_path / "s") as store:
        text = f"{'before ' * 2000}needle{' after' * 2000}"
        store.ingest([stores.event(of_dataset("d", 1, documentation=told(text)))])
        (found,) = ask(searching(store), "needle").results
        before, match, after = found["snippet"]["marked"]
    assert match == "needle"
    assert before.startswith("…")
    assert after.endswith("…")
    assert len(before) + len(after) < 250
    assert before[1:] + match + after[:-1] in text


def test_every_word_of_a_document_finds_it(world: Searcher) -> None:
    for each in ask(world, limit=MOST_RESULTS).results:
        for text in filter(None, (each["name"], *each["owners"], *each["tags"], each["namespace"])):
            assert each["iri"] in {found["iri"] for found in ask(world, text, limit=MOST_RESULTS).results}, text


def test_a_searcher_follows_a_database_that_was_replaced(tmp_path: Path) -> None:
    with store_in(tmp_path / "s") as store:
        store.ingest([stores.event(RISK)])
        searcher = searching(store)
        assert ask(searcher, "risk").total == 1
        store.rebuild()
        store.ingest([stores.event(of_dataset("risk_two", 2))])
        assert ask(searcher, "risk").total == 2
        searcher.close()


def test_where_there_is_no_database_the_answer_is_to_try_again(tmp_path: Path) -> None:
    with pytest.raises(Busy, match="search index"):
        ask(Searcher(tmp_path / "none.db"), "x")
    (tmp_path / "bad.db").write_bytes(b"no database at all" * 1000)
    with pytest.raises(Busy, match="search index"):
        ask(Searcher(tmp_path / "bad.db"), "x")


# --- over HTTP -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("search") / "data") as found:
        for each in WORLD:
            answer = found.post(each) if isinstance(each, dict) else found.rdf(submission(each).payload)
            assert answer.status_code == 201, answer.text
        assert found.http.get("/search", params={"min-index": answer.json()["index"]}).status_code == 200
        yield found


def test_a_search_over_http(server: Server) -> None:
    answer = server.http.get("/search", params={"q": "risk_sc", "kind": "dataset"})
    assert answer.status_code == 200
    said = answer.json()
    assert said["total"] == 1
    assert said["facets"]["owner"] == [{"value": "team:risk", "count": 1}, {"value": "user:ana", "count": 1}]
    (found,) = said["results"]
    assert found["iri"] == dataset("analytics.customer_risk_score")
    assert found["marked"] == ["analytics.customer_", "risk_sc", "ore"]
    assert answer.headers["provstore-index"] == str(said["index"])
    assert "next" not in said


def test_links_lead_through_the_pages(server: Server) -> None:
    whole = server.http.get("/search", params={"limit": 500}).json()
    assert whole["total"] == len(whole["results"]) > 20
    link: str | None = "/search?limit=7&kind=dataset&kind=job&q="
    found = []
    while link:
        answer = server.http.get(link)
        said = answer.json()
        found += [each["iri"] for each in said["results"]]
        link = said.get("next")
        assert answer.links.get("next", {}).get("url") == link
    assert found == [each["iri"] for each in whole["results"] if each["kind"] in ("dataset", "job")]


def test_the_same_answer_is_not_sent_twice(server: Server) -> None:
    first = server.http.get("/search", params={"q": "risk"})
    again = server.http.get("/search", params={"q": "risk"}, headers={"if-none-match": first.headers["etag"]})
    other = server.http.get("/search", params={"q": "orders"}, headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content, other.status_code) == (304, b"", 200)


@pytest.mark.parametrize(
    ("query", "status", "word"),
    [
        ("limit=-1", 400, "limit"),
        ("limit=501", 400, "limit"),
        ("limit=x", 400, "limit"),
        ("cursor=x", 400, "cursor"),
        ("min-index=x", 400, "min-index"),
        ("min-index=1000000", 404, "newest"),
    ],
)
def test_parameters_that_are_none_are_refused(server: Server, query: str, status: int, word: str) -> None:
    assert_problem(server.http.get(f"/search?{query}"), status, word)


@pytest.mark.parametrize(
    "query", ["q=%00", "q=%ff%fe", "q=%22", "q=NEAR(", "q=%ed%a0%80", "kind=%00&tag=%ff", "q=a&q=b"]
)
def test_garbage_is_answered(server: Server, query: str) -> None:
    assert server.http.get(f"/search?{query}").status_code == 200


def test_ten_kilobytes_are_answered(server: Server) -> None:
    answer = server.http.get("/search", params={"q": "orders " * 1500})
    assert answer.status_code == 200
    assert (answer.json()["total"], answer.json()["ignored"]) == (2, 0)
    answer = server.http.get("/search", params={"q": " ".join(f"word{n}" for n in range(1200))})
    assert (answer.json()["total"], answer.json()["ignored"]) == (0, 1200 - MOST_WORDS)


def test_what_was_acknowledged_is_found_with_its_index(server: Server) -> None:
    for number in range(5):
        receipt = server.post(of_dataset(f"just_made_{number}", number)).json()
        said = server.http.get("/search", params={"q": f"just_made_{number}", "min-index": receipt["index"]}).json()
        assert said["index"] >= receipt["index"]
        assert [each["name"] for each in said["results"]] == [f"just_made_{number}"]


def test_an_index_that_the_views_do_not_reach_is_waited_for_and_then_503(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as server:
        assert server.post(RISK).status_code == 201
        with stopped(server.owner()):
            ledger = Ledger(server.directory)
            (receipt,) = ledger.append([stores.event(of_dataset("later", 1))], at(0))
            ledger.close()
            started = time.monotonic()
            answer = server.http.get("/search", params={"q": "later", "min-index": receipt.index})
            assert_problem(answer, 503, "not applied yet")
            assert answer.headers["retry-after"] == "1"
            assert 4 < time.monotonic() - started < 20
            assert server.http.get("/search", params={"q": "risk"}).status_code == 200


def test_search_goes_on_when_the_owner_made_the_views_again(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as server:
        index = server.post(RISK).json()["index"]
        assert server.http.get("/search", params={"q": "risk", "min-index": index}).json()["total"] == 1
        owner = server.owner()
        with stopped(owner):
            shutil.rmtree(server.directory / "views")
            assert_problem(server.http.get("/search", params={"q": "risk"}), 503, "search index")
            os.kill(owner, signal.SIGKILL)
        until = time.monotonic() + 30
        while (answer := server.http.get("/search", params={"q": "risk", "min-index": index})).status_code == 503:
            assert time.monotonic() < until
        assert answer.json()["total"] == 1


# --- from the command line -------------------------------------------------------------------------------------------


def test_the_command_asks_a_server_and_a_directory_alike(server: Server, tmp_path: Path) -> None:
    with store_in(tmp_path / "store") as store:
        store.ingest([submission(each) for each in WORLD])
    arguments = ("search", "--format", "json", "--kind", "dataset", "--kind", "job", "--limit", 3, "risk", "score")
    there = command(*arguments, "--server", server.url)
    here = command(*arguments, "--data", tmp_path / "store")
    assert (here.returncode, there.returncode) == (0, 0), here.stderr + there.stderr
    pages = [json.loads(each.stdout)["results"] for each in (here, there)]
    assert [[each["iri"] for each in page] for page in pages] == [[dataset("analytics.customer_risk_score")]] * 2


def test_the_command_prints_tables_and_csv(server: Server) -> None:
    table = command("search", "--server", server.url, "borrower").stdout.decode()
    assert "analytics.customer_risk_score" in table
    assert "description: How likely a borrower" in table
    assert "(1 found)" in table
    sheet = command("search", "--server", server.url, "--format", "csv", "--", "orders", "-archive").stdout.decode()
    head, *rows = csv.reader(io.StringIO(sheet))
    assert head == ["kind", "name", "namespace", "iri", "score"]
    assert [line[:4] for line in rows] == [["dataset", "orders", "db", dataset("orders")]]


def test_the_command_says_no_and_why(server: Server, tmp_path: Path) -> None:
    nothing = command("search", "--server", server.url, "nosuchword")
    assert (nothing.returncode, nothing.stdout) == (1, b"(0 found)\n")
    for wrong in (("--format", "xml"), ("--limit", "-1"), ("--limit", "501"), ("--data", tmp_path, "x")):
        refused = command("search", *([] if "--data" in wrong else ["--server", server.url]), *wrong)
        assert refused.returncode == 2
        assert refused.stderr.startswith(b"provstore: ")


def test_no_name_can_write_on_the_terminal(tmp_path: Path) -> None:
    with store_in(tmp_path / "store") as store:
        store.ingest([native('<urn:x> dct:title "red \\u001b[31m\\nalert" .')])
    shown = command("search", "--data", tmp_path / "store", "alert").stdout
    assert b"alert" in shown
    assert b"\x1b" not in shown
    assert shown.count(b"\n") == 4
