"""JUnit XML, as the CI systems read it: a test suite a document, a test case a rule."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from xml.etree import ElementTree as ET

from provstore.validation.formats.telling import harmless, last_part, lines, place, rule_name, title, unread
from provstore.validation.profiles import Rule
from provstore.validation.results import Judgement, Result, Validation, Verdict


def junit(validation: Validation) -> str:
    """A suite for every document, with a case for every rule of every profile.

    A case fails with a result as grave as `least` (MUST, unless a weaker severity was asked for); weaker results stand
    in the case's system-out. A document that could not be read, or whose validation did not finish, is an error.
    """
    top = ET.Element("testsuites", name="provstore")
    for verdict in validation.verdicts:
        _count(_suite(top, validation, verdict))
    _count(top)
    ET.indent(top)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(top, encoding="unicode")}\n'


def _suite(top: ET.Element, validation: Validation, verdict: Verdict) -> ET.Element:
    suite = ET.SubElement(top, "testsuite", name=harmless(title(verdict)))
    if verdict.error:
        case = ET.SubElement(suite, "testcase", classname="provstore", name="can be read")
        at = place(unread(verdict.where, verdict.error))
        _told(case, "error", verdict.error.detail, f"{at}\n{verdict.error}", type(verdict.error).__name__)
    for judged in verdict.profiles:
        _cases(suite, validation, judged)
    return suite


def _cases(suite: ET.Element, validation: Validation, judged: Judgement) -> None:
    by_rule: dict[str, list[Result]] = defaultdict(list)
    for result in judged.results:
        by_rule[result.shape].append(result)
    rules: Sequence[Rule] = validation.rules.get(judged.profile, ())
    for rule in rules:
        case = ET.SubElement(
            suite, "testcase", classname=harmless(judged.profile), name=harmless(last_part(rule.shape))
        )
        _results(case, validation, by_rule.pop(rule.shape, []))
    for results in by_rule.values():  # of shapes that have no name of their own, and validations that did not finish
        case = ET.SubElement(
            suite, "testcase", classname=harmless(judged.profile), name=harmless(rule_name(results[0]))
        )
        _results(case, validation, results)


def _results(case: ET.Element, validation: Validation, results: Sequence[Result]) -> None:
    errors = [each for each in results if each.severity == "ERROR"]
    failing = [each for each in results if validation.fails(each)]
    passing = [each for each in results if each.severity != "ERROR" and not validation.fails(each)]
    if errors:
        _told(case, "error", errors[0].message, _all(errors), "ValidationError")
    elif failing:
        _told(case, "failure", failing[0].message, _all(failing), failing[0].severity)
    if passing:
        ET.SubElement(case, "system-out").text = harmless(f"{passing[0].severity}\n{_all(passing)}")


def _all(results: Sequence[Result]) -> str:
    return "\n\n".join("\n".join(lines(result)) for result in results)


def _told(case: ET.Element, tag: str, message: str, text: str, kind: str) -> None:
    ET.SubElement(case, tag, message=harmless(message), type=kind).text = harmless(text)


def _count(element: ET.Element) -> None:
    """How many cases there are below, and how many of them failed or could not be judged."""
    cases = list(element.iter("testcase"))
    for name, count in (
        ("tests", len(cases)),
        ("failures", sum(case.find("failure") is not None for case in cases)),
        ("errors", sum(case.find("error") is not None for case in cases)),
    ):
        element.set(name, str(count))
