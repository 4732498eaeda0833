"""A validation in every form that people and programs read: each a pure function to text.

`FORMATS` is the list of them; the table for a terminal is the command's own.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from provstore.validation.formats.junit import junit
from provstore.validation.formats.page import html
from provstore.validation.formats.rows import csv, ndjson, tsv
from provstore.validation.formats.sarif import sarif
from provstore.validation.formats.turtle import turtle
from provstore.validation.results import Validation

__all__ = ["FORMATS", "Format", "encoded"]


@dataclass(frozen=True, slots=True)
class Format:
    """One form: its media type, what it is for, and the function that writes it."""

    media_type: str
    about: str
    write: Callable[[Validation], str]


def _json(validation: Validation) -> str:
    return json.dumps(validation.json(), indent=2, ensure_ascii=False) + "\n"


#: By name, as `--format` and `format=` have it.
FORMATS: Mapping[str, Format] = {
    "json": Format("application/json", "every result with all its fields, by document and profile", _json),
    "turtle": Format("text/turtle", "SHACL validation reports (SHACL §3.6)", turtle),
    "html": Format("text/html", "a page that needs nothing else, to be read, mailed and printed", html),
    "csv": Format("text/csv", "a row a result, for a spreadsheet", csv),
    "tsv": Format("text/tab-separated-values", "the same rows, separated by tabs", tsv),
    "ndjson": Format("application/x-ndjson", "the same rows as JSON objects, one a line", ndjson),
    "sarif": Format("application/sarif+json", "SARIF 2.1.0, for code scanning and editors", sarif),
    "junit": Format("application/junit+xml", "JUnit XML, for the test report of a CI", junit),
}


def encoded(text: str) -> bytes:
    """The text as UTF-8; what a file name holds that is no text is shown escaped."""
    return text.encode("utf-8", "backslashreplace")
