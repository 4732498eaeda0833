"""The pages of the life of a model, on the captured pipeline and on runs that are too big, bare or alike."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, expect

from provstore.core.things.thing import Measure
from provstore.ui.measures import MOST_ROWS, Group, tables
from tests.browser import watched
from tests.servers import BASE, Server, serving
from tests.test_things import page, path_of, told

REGISTRY = f"{BASE}/model/{quote('https://mlflow.bank.example', safe='')}"
STANDARD = f"{REGISTRY}/credit-standard"
RISK, LOAN = f"{BASE}/item/risk/app-0001", f"{BASE}/item/loans/app-0001"
PREFIXES = """
@prefix dct: <http://purl.org/dc/terms/> . @prefix dqv: <http://www.w3.org/ns/dqv#> .
@prefix mls: <http://www.w3.org/ns/mls#> . @prefix prov: <http://www.w3.org/ns/prov#> .
@prefix ps: <https://w3id.org/provstore/ns#> . @prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
"""
BIG, BIG_MODEL, BARE = "urn:example:big", f"{BASE}/modelversion/m-big", f"{BASE}/modelversion/m-bare"
TWINS = [f"{BASE}/modelversion/m-twin-{n}" for n in (1, 2)]
LONG, RTL = "n" * 300, "موديل المخاطر"


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("pipeline") / "data", "credit-risk", verb="demo") as found:
        yield found


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("odd") / "data") as found:
        last = 0
        for text in (big(0, 2000), *(big(n, 0) for n in range(1, 4)), twins(), bare()):
            answer = found.rdf(PREFIXES + text)
            assert answer.status_code == 201, answer.text
            last = answer.json()["index"]
        found.rows("SELECT ?s { ?s ?p ?o } LIMIT 1", min_index=last)
        told(found, BARE, min_index=last)
        yield found


def text_of(html: str) -> str:
    """What a person reads, with a space between cells."""
    main = html[html.index("<main") : html.index("</main>")]
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", " ", main)))


def big(part: int, parameters: int) -> str:
    """A training with many settings and metrics, and names that no page expects."""
    lines = [
        f"""<{BIG}> a prov:Activity, ps:Run, ps:TrainingRun ; dct:title "{RTL}" .
        <{BIG_MODEL}> a prov:Entity, ps:ModelVersion ; dct:title "model" ; prov:wasGeneratedBy <{BIG}> ."""
    ]
    for n in range(parameters):
        key, value = (LONG, "<b>bold</b>") if n == 0 else (f"p{n}", "v" * 3000 if n == 1 else str(n))
        lines.append(f"""<{BIG}> ps:parameter <{BIG}#p{n}> .
            <{BIG}#p{n}> a mls:HyperParameterSetting ; ps:key "{key}" ; ps:value "{value}" .""")
    for n in range(part * 800, part * 800 + 800 if part else 0):
        lines.append(f"""<{BIG}#m{n}> a prov:Entity, dqv:QualityMeasurement ; prov:wasGeneratedBy <{BIG}> ;
            dqv:computedOn <{BIG_MODEL}> ; dqv:isMeasurementOf <{BASE}/metric/{n}> ; dqv:value {n}.5 .
            <{BASE}/metric/{n}> a dqv:Metric ; dct:title "metric {n}" .""")
    return "\n".join(lines)


def twins() -> str:
    """Two models of one name, one of them registered."""
    made = "\n".join(
        f"""<{iri}> a prov:Entity, ps:ModelVersion ; dct:title "model" ; prov:wasGeneratedBy <{iri}#run> .
        <{iri}#run> a prov:Activity, ps:Run ; dct:title "{name}" ."""
        for iri, name in zip(TWINS, ("spring", "autumn"), strict=True)
    )
    return f"""{made} <{BASE}/model/r/risk/version/3> a prov:Entity, ps:RegistryVersion ; ps:version "3" ;
        prov:specializationOf <{BASE}/model/r/risk> ; prov:wasDerivedFrom <{TWINS[1]}> ."""


def bare() -> str:
    return f'<{BARE}> a prov:Entity, ps:ModelVersion ; dct:title "{LONG}" .'


def version(server: Server) -> str:
    """The logged model that made the first prediction."""
    found = server.rows(f"SELECT ?m {{ <{RISK}> <http://www.w3.org/ns/prov#wasDerivedFrom> ?m }}")
    return next(row["m"] for row in found if "/modelversion/" in row["m"])


# --- what a model is called ------------------------------------------------------------------------------------------


def test_a_model_says_whose_it_is(pipeline: Server) -> None:
    name = "credit-standard version 2, model of train standard"
    assert f"<h1><bdi>{name}</bdi></h1>" in page(pipeline, version(pipeline))
    found = pipeline.http.get("/search", params={"q": "model", "kind": "model-version"}).json()["results"]
    assert len({each["name"] for each in found}) == len(found) == 4
    drawn = pipeline.http.get("/lineage", params={"entity": RISK, "level": "asset", "picture": "true"}).json()["nodes"]
    assert name in {node["name"] for node in drawn}


def test_two_models_of_one_name_are_told_apart(odd: Server) -> None:
    first, second = (text_of(page(odd, iri)) for iri in TWINS)
    assert "model of spring" in first
    assert "risk version 3, model of autumn" in second


# --- names given to versions -----------------------------------------------------------------------------------------


def test_a_name_that_was_taken_away_is_not_in_use(pipeline: Server) -> None:
    rows = re.findall(r"<tr><td><a [^>]*><bdi>(champion|challenger)</bdi>.*?</tr>", page(pipeline, STANDARD), re.DOTALL)
    assert rows == ["champion", "challenger", "champion"]
    html = page(pipeline, STANDARD)
    assert html.count('badge good">in use') == 1
    assert 'badge good">champion' in page(pipeline, f"{STANDARD}/version/2")
    old = text_of(page(pipeline, f"{STANDARD}/version/1"))
    assert "in use" not in old
    assert re.search(r"champion between 2026-\S+ \S+ UTC and .* nobody is recorded between", old)


def test_the_history_of_names_is_in_the_twin_too(pipeline: Server) -> None:
    given = told(pipeline, STANDARD)["aliases"]
    assert [(each["alias"], each["version"][-1], each.get("ended", False)) for each in given] == [
        ("champion", "2", False),
        ("challenger", "2", True),
        ("champion", "1", True),
    ]
    assert all(each["sinceAfter"] < each["since"] for each in given)
    assert told(pipeline, version(pipeline))["aliases"][0]["alias"] == "champion"  # a logged model has its version's


def test_an_assignment_says_between_which_looks_it_was_made(pipeline: Server) -> None:
    assignment = told(pipeline, STANDARD)["aliases"][0]["assignment"]
    read = text_of(page(pipeline, assignment))
    assert "credit-standard 2 is champion" in read
    assert "only that it was between two looks" in read
    assert "Qualified" not in read


# --- what is behind a model, a prediction, a decision ----------------------------------------------------------------


@pytest.mark.parametrize(
    "iri", [RISK, LOAN, f"{STANDARD}/version/2", ""], ids=["prediction", "decision", "registry", ""]
)
def test_data_code_and_environment_stand_at_once(pipeline: Server, iri: str) -> None:
    read = text_of(page(pipeline, iri or version(pipeline)))
    behind = read[read.index("How it was made" if not iri else "The model behind it") :][:700]
    for said in (
        "Trained by train standard",
        "training.csv as read",
        "as training data",
        "commit 8c6523c351a1",
        "python==",
    ):
        assert said in behind


def test_a_prediction_tells_who_decided_what(pipeline: Server) -> None:
    assert "Decided granted , app-0001 by Dan, loan officer" in text_of(page(pipeline, RISK))


def test_changes_that_were_not_committed_are_named(pipeline: Server) -> None:
    dirty = pipeline.rows("SELECT ?c { ?c <https://w3id.org/provstore/ns#dirty> true } ORDER BY ?c")[0]["c"]
    assert re.search(r"<h1><bdi>commit [0-9a-f]{12} with changes</bdi></h1>", page(pipeline, dirty))


def test_bytes_go_by_the_file_that_they_are(pipeline: Server) -> None:
    bytes_of = pipeline.rows(
        "PREFIX ps: <https://w3id.org/provstore/ns#> SELECT DISTINCT ?b { ?s ps:bytes ?b ; a ps:ReadState ."
        " FILTER(STRSTARTS(STR(?b), 'ni:') && CONTAINS(STR(?s), 'training.csv')) }"
    )[0]["b"]
    assert re.search(r"<h1><bdi>training\.csv, bytes \S+…</bdi></h1>", page(pipeline, bytes_of))


def test_what_is_not_recorded_is_said(odd: Server) -> None:
    read = text_of(page(odd, BARE))
    for what in ("Trained by", "Data", "Code", "Environment", "Parameters", "Evaluation"):
        assert f"{what} not recorded" in read


# --- parameters and metrics ------------------------------------------------------------------------------------------


def test_each_parameter_is_a_row_and_says_who_says_it(pipeline: Server) -> None:
    model = version(pipeline)
    html = page(pipeline, model)
    given = told(pipeline, model)
    assert len({each["key"] for each in given["parameters"]}) == len(given["parameters"]) == 23
    assert html.count("<td><code>logisticregression__C</code></td><td><code>0.05</code></td>") == 1
    assert all(len(each["of"]) == 2 for each in given["parameters"])  # MLflow has them at the run and at the model
    assert not {each["key"] for each in given["attributes"]} & {each["key"] for each in given["parameters"]}
    assert "23 parameters Said by the model version" in text_of(html)


def test_groups_stand_beside_the_whole(pipeline: Server) -> None:
    html = page(pipeline, version(pipeline))
    heads = re.findall(r'<th scope="col" class="count">(?:<a [^>]*><bdi>)?([^<]+)', html)
    assert heads[:5] == ["All", "18-29", "30-44", "45-64", "65 and over"]
    assert html.count("selection_rate</bdi>") == 1
    assert "share of outcomes foreseen rightly" not in html  # another title of the same metric


def test_a_run_tells_its_metrics_and_not_their_nodes(pipeline: Server) -> None:
    run = told(pipeline, version(pipeline))["behind"]
    training = next(each["iri"] for each in run if each["what"] == "training")
    read = text_of(page(pipeline, training))
    assert "training_roc_auc 0.7285" in read
    assert "7 measurements of" in read  # which MLflow has at the run and at the model
    assert "#measurement" not in read


def test_very_many_settings_and_metrics_stay_a_page(odd: Server, browser: Browser) -> None:
    for iri in (BIG, BIG_MODEL):
        html = page(odd, iri)
        assert len(html.encode()) < 60_000
        read = text_of(html)
        assert "More than 500 measurements" in read
        assert "The first 50, by name. All of them" in read
        assert "<b>bold" not in html
    rows = odd.http.get("/queries/models/parameters", params={"entity": BIG, "limit": 5000}).json()
    assert len(rows["results"]["bindings"]) == 2000
    metrics = odd.http.get("/queries/models/measurements", params={"entity": BIG, "limit": 5000}).json()
    assert len(metrics["results"]["bindings"]) == 2400
    for width in (1280, 400):
        with watched(browser, odd.url, width=width) as seen:
            seen.open(path_of(BIG))
            assert seen.page.evaluate("document.documentElement.scrollWidth") <= width
            assert seen.serious() == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("what", ["model", "prediction", "registry", "registered"])
def test_they_are_accessible(pipeline: Server, browser: Browser, what: str, dark: bool) -> None:
    model = version(pipeline)
    iri = {"model": model, "prediction": RISK, "registry": f"{STANDARD}/version/1", "registered": STANDARD}[what]
    with watched(browser, pipeline.url, dark=dark, width=1280 if dark else 400) as seen:
        seen.open(path_of(iri))
        assert seen.serious() == []
        cut_off = "all => all.filter(each => each.scrollWidth > each.clientWidth).length"
        assert seen.page.locator(".scroll, .two > *").evaluate_all(cut_off) == 0


def test_rows_can_be_put_in_order_by_keyboard(pipeline: Server, browser: Browser) -> None:
    with watched(browser, pipeline.url) as seen:
        opened = seen.open(path_of(version(pipeline)))
        table = opened.get_by_role("region", name="23 parameters").get_by_role("table")
        first = table.locator("tbody tr").first
        expect(first).to_contain_text("logisticregression")
        button = table.get_by_role("button", name="Name")
        button.press("Enter")
        expect(table.locator("th").first).to_have_attribute("aria-sort", "ascending")
        button.press("Enter")
        expect(first).to_contain_text("verbose")
        metrics = opened.get_by_role("region", name="Measurements", exact=True).first.get_by_role("table")
        metrics.get_by_role("button", name="Value").click()
        values = [float(text) for text in metrics.locator("tbody td.count").all_inner_texts()]
        assert values == sorted(values)


def test_two_runs_stand_side_by_side(pipeline: Server, browser: Browser) -> None:
    with watched(browser, pipeline.url) as seen:
        opened = seen.open(path_of(version(pipeline)))
        other = pipeline.rows(f"SELECT ?m {{ <{STANDARD}/version/1> <http://www.w3.org/ns/prov#wasDerivedFrom> ?m }}")
        opened.get_by_label("Side by side with another").fill(other[0]["m"])
        opened.get_by_role("button", name="Compare").click()
        expect(opened.locator("tr", has_text="logisticregression__C")).to_contain_text("0.05")
        assert opened.locator("tr", has_text="memory").count() == 0  # alike


# --- tables of measurements ------------------------------------------------------------------------------------------


def measure(metric: str, value: str, group: str = "", **more: str) -> Measure:
    said = {"slice": f"urn:slice:{group}", "slice_column": "age", "slice_value": group} if group else {}
    return Measure(f"urn:{metric}:{group}:{value}", "urn:model", metric, value, by="urn:run", **(said | more))


def test_what_has_one_place_each_is_a_table() -> None:
    (table,), alone = tables([measure("auc", "1"), measure("auc", "2", "old"), measure("f1", "3", "young")])
    assert table.groups == (Group(), Group("urn:slice:old", "old"), Group("urn:slice:young", "young"))
    assert table.rows == (("auc", ("1", "2", None)), ("f1", (None, None, "3")))
    assert (table.column, table.more, alone) == ("age", 0, [])


def test_what_makes_no_table_is_told_one_by_one() -> None:
    twice = [measure("auc", "1"), measure("auc", "2")]
    assert tables(twice) == ([], twice)
    wide = [measure("auc", "1", f"group {n}") for n in range(40)]
    assert tables(wide) == ([], wide)
    of_column = [measure("nulls", "1", column="age")]
    assert tables(of_column) == ([], of_column)


def test_long_tables_say_how_much_they_leave_out() -> None:
    (table,), _ = tables([measure(f"m{n:03}", "1") for n in range(100)])
    assert (len(table.rows), table.more) == (MOST_ROWS, 100 - MOST_ROWS)
