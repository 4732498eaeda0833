"""SARIF 2.1.0 (OASIS, errata 01), for code scanning and editors; section numbers are those of the standard."""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from provstore import __version__
from provstore.model import Location
from provstore.validation.clauses import cited, known
from provstore.validation.formats.telling import about, found, last_part, rule_name, title, unread
from provstore.validation.profiles import Rule
from provstore.validation.results import Result, Validation, Verdict

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
HOME = "https://w3id.org/provstore"
LEVELS = {"MUST": "error", "SHOULD": "warning", "MAY": "note", "ERROR": "error"}
#: The rule of documents that could not be read.
UNREADABLE = "unreadable"
_UNREADABLE = Rule(UNREADABLE, "MUST", "A document must be readable before it can be judged.", "")


def sarif(validation: Validation) -> str:
    """One run: every rule that was asked, a result for each thing found and each document that could not be read.

    MUST is an error, SHOULD a warning, MAY a note. A validation that did not finish is a notification of the
    invocation (§3.20.21). Fingerprints stay while a document changes elsewhere (§3.27.17).
    """
    rules = _Rules(validation)
    seen: Counter[str] = Counter()
    results = [each for verdict in validation.verdicts for each in _results(verdict, rules, seen)]
    driver = {
        "name": "provstore",
        "version": __version__,
        "semanticVersion": __version__,
        "informationUri": HOME,
        "rules": rules.described,
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "invocations": [_invocation(validation)],
        "results": results,
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False) + "\n"


class _Rules:
    """The rules of a run: their descriptions, and where each stands among them."""

    def __init__(self, validation: Validation) -> None:
        self.described: list[dict[str, Any]] = []
        self._at: dict[str, int] = {}
        short = Counter(last_part(rule.shape) for rules in validation.rules.values() for rule in rules)
        for profile, rules in validation.rules.items():
            for rule in rules:
                name = last_part(rule.shape)
                self._add(rule, name if short[name] == 1 else rule.shape, profile)
        for _, result in found(validation):  # shapes that have no name of their own
            if result.severity != "ERROR":
                self._add(Rule(_key(result), result.severity, result.message, result.clause), rule_name(result))
        if any(verdict.error for verdict in validation.verdicts):
            self._add(_UNREADABLE, UNREADABLE)

    def _add(self, rule: Rule, name: str, profile: str = "") -> None:
        if rule.shape in self._at:
            return
        self._at[rule.shape] = len(self.described)
        clause = known(rule.clause)
        pages = (clause.source if clause else rule.clause, rule.shape)
        uri = next((iri for iri in pages if iri.startswith(("http://", "https://"))), None)
        self.described.append(
            {
                "id": name,
                "shortDescription": {"text": _first_sentence(rule.message)},
                "fullDescription": {"text": rule.message or name},
                "help": {"text": f"{rule.message or name}\n\nSource: {cited(rule.clause) or rule.shape}"},
                "defaultConfiguration": {"level": LEVELS[rule.severity]},
                **({"helpUri": quote(uri, safe="%/:=&?~#+!$,;'@()*[]")} if uri else {}),
                "properties": {"shape": rule.shape, "severity": rule.severity, "tags": [profile] if profile else []},
            }
        )

    def of(self, key: str) -> dict[str, Any]:
        at = self._at[key]
        return {"ruleId": self.described[at]["id"], "ruleIndex": at}


def _key(result: Result) -> str:
    return result.shape if "://" in result.shape or result.shape.startswith("urn:") else rule_name(result)


def _results(verdict: Verdict, rules: _Rules, seen: Counter[str]) -> Iterator[dict[str, Any]]:
    if verdict.error:
        at = unread(verdict.where, verdict.error)
        yield {
            **rules.of(UNREADABLE),
            "level": "error",
            "message": {"text": f"This could not be read: {verdict.error.detail}"},
            **_locations(at),
            "partialFingerprints": {"provstore/v1": _digest(UNREADABLE, title(verdict))},
        }
    for result in verdict.results:
        if result.severity == "ERROR":
            continue
        print_ = _digest(*(_own(text, verdict.record) for text in _identity(result)))
        seen[print_] += 1
        yield {
            **rules.of(_key(result)),
            "level": LEVELS[result.severity],
            "message": {"text": _text(result)},
            **_locations(result.location or verdict.where),
            "partialFingerprints": {"provstore/v1": f"{print_}:{seen[print_]}"},
            "properties": _properties(result),
        }


def _identity(result: Result) -> tuple[str, ...]:
    return result.profile.partition("/")[0], result.shape, result.component, result.focus, result.path, result.value


def _own(text: str, record: str | None) -> str:
    """The text without the record's own IRI, which is another as soon as anything in the record changes."""
    return text.replace(record, "") if record else text


def _digest(*parts: str) -> str:
    return hashlib.sha256("\x00".join(parts).encode("utf-8", "backslashreplace")).hexdigest()[:32]


def _text(result: Result) -> str:
    """The message, and what it is about: a viewer may show nothing else."""
    parts = [result.message, about(result)]
    if result.fix and result.fix.remove:
        parts.append(f"Take away: {result.fix.remove}")
    if result.fix and result.fix.add:
        parts.append(f"Add: {result.fix.add}")
    return "\n".join(filter(None, parts))


def _properties(result: Result) -> dict[str, Any]:
    said = result.json()
    return {name: value for name, value in said.items() if value and name not in ("message", "location")}


def _locations(where: Location) -> Mapping[str, Any]:
    """The place as a physical location (§3.29), and a JSON pointer as a logical one (§3.33)."""
    location: dict[str, Any] = {}
    if where.file is not None:
        physical: dict[str, Any] = {"artifactLocation": {"uri": _uri(where.file)}}
        if where.line is not None:
            column = {} if where.column is None else {"startColumn": where.column}
            physical["region"] = {"startLine": where.line, **column}
        location["physicalLocation"] = physical
    if where.pointer:
        location["logicalLocations"] = [{"fullyQualifiedName": where.pointer, "name": last_part(where.pointer)}]
    return {"locations": [location]} if location else {}


def _uri(file: str) -> str:
    """A file name as a URI reference: relative as it was given, absolute with its scheme (§3.4.3)."""
    if file == "-":
        return "stdin"
    path = PurePath(file)
    text = quote(os.fsencode(path.as_posix()), safe="/~!$&'()*+,;=@")
    return f"file://{text}" if path.is_absolute() else text


def _invocation(validation: Validation) -> dict[str, Any]:
    unfinished = [
        {"level": "error", "message": {"text": result.message}, **_locations(result.location or verdict.where)}
        for verdict, result in found(validation)
        if result.severity == "ERROR"
    ]
    return {
        "executionSuccessful": not validation.unread,
        "exitCode": validation.code,
        "exitCodeDescription": _CODES[validation.code],
        **({"toolExecutionNotifications": unfinished} if unfinished else {}),
    }


_CODES = {
    0: "everything conforms",
    1: "something does not conform",
    2: "something could not be read, or its validation did not finish",
}


def _first_sentence(text: str) -> str:
    head, stop, _ = text.partition(". ")
    return (head + stop.strip()) or "A rule without words of its own."
