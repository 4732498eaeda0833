"""A validation as one page that needs nothing else: no script, no request, light and dark, ready to be printed."""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from provstore import __version__
from provstore.validation.clauses import known
from provstore.validation.formats.telling import harmless, legal, path_text, place, rule_name, title, unread
from provstore.validation.results import SEVERITIES, Judgement, Result, Validation

_HERE = Path(__file__).parent
_WORDS = {"MUST": "must be mended", "SHOULD": "should be mended", "MAY": "could be better", "ERROR": "was not judged"}
_STATES = {True: "conforms", False: "does not conform", None: "could not be read or judged"}


@dataclass(frozen=True, slots=True)
class _Group:
    """What one rule found in one document."""

    rule: str
    first: Result
    results: list[Result]


def html(validation: Validation) -> str:
    """Summary, rules and clauses, and for every document what is to be done, where; text of strangers is only text."""
    counts = Counter(result.severity for verdict in validation.verdicts for result in verdict.results)
    unread_count = sum(verdict.error is not None for verdict in validation.verdicts)
    states = Counter(verdict.conforms for verdict in validation.verdicts)
    return _template().render(
        validation=validation,
        counts={each: counts[each] for each in SEVERITIES if counts[each]},
        states={_STATES[each]: states[each] for each in (True, False, None)},
        unread=unread_count,
        version=__version__,
        style=_style(),
        digest=style_digest(),
    )


@cache
def _style() -> str:
    return (_HERE / "page.css").read_text(encoding="utf-8")


@cache
def style_digest() -> str:
    """What a Content-Security-Policy calls the style of the page by (CSP 3 §2.3.1)."""
    text = f"\n{_style()}"  # as it stands between the tags
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


@cache
def _template() -> Template:
    made = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=lambda value: legal(value) if type(value) is str else value,
    )
    made.filters |= {
        "place": place,
        "title": title,
        "unread": unread,
        "groups": lambda judged: list(_groups(judged)),
        "path": path_text,
        "words": _WORDS.__getitem__,
        "state": lambda verdict: _STATES[verdict.conforms],
        "link": lambda text: text if text.startswith(("http://", "https://")) else "",
        "clause": known,
        "quiet": harmless,
        "number": lambda value: f"{value:,}",
    }
    return made.get_template("page.html")


def _groups(judged: Judgement) -> Iterator[_Group]:
    """The results by rule, the gravest rules first."""
    found: dict[tuple[str, str], _Group] = {}
    for result in judged.results:
        name = rule_name(result)
        found.setdefault((result.shape, name), _Group(name, result, [])).results.append(result)
    yield from sorted(found.values(), key=lambda group: SEVERITIES.index(group.first.severity))
