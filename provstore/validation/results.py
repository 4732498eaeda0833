"""What a validation says, in the one form that every engine gives and every format is written from.

A `Result` is one thing that one rule found, a `Verdict` is all that was found in one document, and a `Validation` is
the verdicts of one call, with the rules that they were judged by.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from provstore.errors import ProvStoreError
from provstore.model import Location
from provstore.validation.profiles import Rule

__all__ = [
    "OF_SHACL",
    "SEVERITIES",
    "Fix",
    "Judgement",
    "Location",
    "Result",
    "Validation",
    "Verdict",
    "conformity",
    "failed",
    "overall",
]

#: The words of RFC 2119 for the severities of SHACL §2.1.4, and what a validation says that did not finish; the
#: gravest come first.
SEVERITIES = ("MUST", "SHOULD", "MAY", "ERROR")
#: The severities of SHACL §2.1.4, by the names of their IRIs; one that SHACL does not know counts as the gravest.
OF_SHACL = {"Violation": "MUST", "Warning": "SHOULD", "Info": "MAY"}


@dataclass(frozen=True, slots=True)
class Fix:
    """Turtle that mends a result when it is added to the document, or taken out of it, literally.

    The prefixes are those of `snippets.PREFIXES`; either may be empty.
    """

    add: str = ""
    remove: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """One thing that a rule found: where (focus node, path, value), what was expected, what is to be done about it.

    `severity` is MUST, SHOULD, MAY, or ERROR where the validation itself did not finish. `component` is the IRI of the
    constraint component (SHACL §3.6.2.6), `path` a property path as SPARQL writes it, or empty where the node itself
    is meant. `focus` and `value` are an IRI as it is, a blank node with its `_:`, or a literal in quotes; long ones are
    cut. `details` are results of the shapes that this one's shape refers to (`sh:detail`).
    """

    shape: str
    clause: str
    severity: str
    focus: str
    path: str
    value: str
    message: str
    profile: str = ""
    component: str = ""
    expected: str = ""
    fix: Fix | None = None
    location: Location | None = None
    details: tuple[Result, ...] = ()

    def json(self) -> dict[str, Any]:
        """The result as a JSON object; the keys are the names of the fields."""
        return {
            "shape": self.shape,
            "clause": self.clause,
            "severity": self.severity,
            "focus": self.focus,
            "path": self.path,
            "value": self.value,
            "message": self.message,
            "profile": self.profile,
            "component": self.component,
            "expected": self.expected,
            "fix": None if self.fix is None else {"add": self.fix.add, "remove": self.fix.remove},
            "location": None if self.location is None else self.location.json(),
            "details": [each.json() for each in self.details],
        }

    def order(self) -> tuple[int, str, str, str, str]:
        """A key to sort by: the gravest first, and always in the same order."""
        return SEVERITIES.index(self.severity), self.shape, self.focus, self.path, self.value


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a profile says of one document; `conforms` is None where the validation itself did not finish.

    `report` is the same as a SHACL validation report in Turtle, empty where there is none.
    """

    profile: str
    conforms: bool | None
    results: tuple[Result, ...]
    report: str = ""

    @classmethod
    def of(cls, profile: str, results: Sequence[Result], report: str = "") -> Judgement:
        """The judgement that results make."""
        return cls(profile, conformity(result.severity for result in results), tuple(results), report)


@dataclass(frozen=True, slots=True)
class Verdict:
    """One document: where it stood, the record it would be, what each profile says, or why it could not be read."""

    where: Location
    record: str | None
    error: ProvStoreError | None
    profiles: tuple[Judgement, ...] = ()

    @property
    def conforms(self) -> bool | None:
        """False where any profile is violated, else None where something is not known."""
        found = [each.conforms for each in self.profiles]
        return False if False in found else None if self.error or None in found else True

    @property
    def results(self) -> tuple[Result, ...]:
        """The results of all profiles, in their order."""
        return tuple(result for judged in self.profiles for result in judged.results)

    def json(self) -> dict[str, Any]:
        """The document's place, verdict and results."""
        where = {name: value for name, value in self.where.json().items() if value is not None}
        if self.error:
            return {**where, "conforms": None, "problem": self.error.problem()}
        judged = [
            {"profile": p.profile, "conforms": p.conforms, "results": [result.json() for result in p.results]}
            for p in self.profiles
        ]
        return {**where, "record": self.record, "conforms": self.conforms, "profiles": judged}


@dataclass(frozen=True, slots=True)
class Validation:
    """The verdicts on some documents; `rules` are those of each profile that was asked, by its name.

    `least` is the severity from which on a result fails the whole: MUST, or a weaker one where that was asked for.
    """

    rules: Mapping[str, Sequence[Rule]]
    verdicts: Sequence[Verdict] = ()
    least: str = "MUST"

    @property
    def conforms(self) -> bool | None:
        """The verdict on all: False where anything is violated, else None where something is not known."""
        return overall(self.verdicts)

    @property
    def results(self) -> tuple[Result, ...]:
        """The results of all documents, in their order."""
        return tuple(result for verdict in self.verdicts for result in verdict.results)

    def fails(self, result: Result) -> bool:
        """Whether a result is as grave as `least`, or graver."""
        return result.severity in SEVERITIES[: SEVERITIES.index(self.least) + 1]

    @property
    def unread(self) -> bool:
        """Whether a document could not be read, or the validation of one did not finish."""
        return any(verdict.error or None in [p.conforms for p in verdict.profiles] for verdict in self.verdicts)

    @property
    def code(self) -> int:
        """The exit code that says it: 2 where something is not known, else 1 where a result fails it, else 0."""
        if self.unread:
            return 2
        return int(any(map(self.fails, self.results)))

    def json(self) -> dict[str, Any]:
        """All of it as a JSON object."""
        said = [verdict.json() for verdict in self.verdicts]
        return {"conforms": self.conforms, "profiles": list(self.rules), "payloads": said}


def overall(verdicts: Iterable[Verdict]) -> bool | None:
    """The verdict on all: False where anything is violated, else None where something is not known."""
    found = [each.conforms for each in verdicts]
    return False if False in found else None if None in found else True


def conformity(severities: Iterable[str]) -> bool | None:
    """Whether results of these severities leave a document conforming: not with a MUST, None with an ERROR."""
    found = set(severities)
    return False if "MUST" in found else None if "ERROR" in found else True


def failed(error: Exception, profile: str = "") -> tuple[Result, ...]:
    """The results of a validation that did not finish."""
    message = f"validation did not finish: {str(error) or type(error).__name__}"
    return (Result("", "", "ERROR", "", "", "", message, profile),)
