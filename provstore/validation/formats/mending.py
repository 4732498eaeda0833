"""What would mend all that was found, as Turtle that can be appended to a document, the reasons as comments."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from provstore.validation.clauses import cited
from provstore.validation.formats.telling import about, harmless, place, rule_name, title, unread
from provstore.validation.results import Result, Validation, Verdict
from provstore.validation.snippets import head

_RDF = "What is to be taken away stands as a comment; a document changes only where somebody changes it."
_JSON = (
    "# This is JSON: say the same in its own terms where the pointer says, or send the Turtle as a record of its own.\n"
)


def mending(validation: Validation) -> str:
    """The snippets of every document, by rule, the gravest first; what no snippet mends is told as a comment.

    The whole is Turtle. What it states is not known to be true: values are examples where a document gave none.
    """
    parts = [text for verdict in validation.verdicts for text in _document(verdict)]
    adds = [result.fix.add for each in validation.verdicts for result in each.results if result.fix]
    count = sum(len(each.results) for each in validation.verdicts)
    if not parts:
        return _comment(f"Nothing was found by {', '.join(validation.rules)}: there is nothing to add.")
    lead = [f"What {', '.join(validation.rules)} found: {count:,} result{'' if count == 1 else 's'}.", _RDF]
    if adds:
        lead.append("Names and values that are not from the document are examples: put the true ones in their place.")
    prefixes = head(adds)
    return "\n".join(["".join(map(_comment, lead)), *([prefixes] if prefixes else []), *parts])


def _document(verdict: Verdict) -> Iterator[str]:
    if verdict.error:
        at = place(unread(verdict.where, verdict.error))
        yield _comment(f"{at}: could not be read: {verdict.error.detail}")
    if not verdict.results:
        return
    yield _comment(f"=== {title(verdict)}") + (_JSON if any(_in_json(each) for each in verdict.results) else "")
    for _, group in groupby(verdict.results, key=lambda result: (result.profile, result.shape, result.message)):
        yield "".join(_rule(list(group)))


def _in_json(result: Result) -> bool:
    return result.location is not None and result.location.pointer is not None


def _rule(results: Sequence[Result]) -> Iterator[str]:
    first = results[0]
    yield _comment(f"{first.severity} {rule_name(first)} ({first.profile}): {first.message}")
    if first.clause:
        yield _comment(f"Source: {cited(first.clause)}")
    for result in results:
        yield from _result(result)


def _result(result: Result) -> Iterator[str]:
    at = place(replace(result.location, file=None)) if result.location else ""
    yield _comment(" ".join(filter(None, (f"at {at}:" if at else "", about(result)))))
    if result.fix is None:
        yield _comment("  no snippet mends this: do what the rule says")
        return
    for line in result.fix.remove.splitlines():
        yield _comment(f"  take away: {line}")
    for line in result.fix.add.splitlines():
        yield f"{line}\n"


def _comment(text: str) -> str:
    indent = "  " if text.startswith("  ") else ""
    return f"# {indent}{harmless(' '.join(text.split()))}\n"
