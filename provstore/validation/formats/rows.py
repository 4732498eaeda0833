"""One row a result: CSV for spreadsheets, TSV and NDJSON for programs."""

from __future__ import annotations

import csv as _csv
import io
import json
import re
from collections.abc import Iterator, Mapping

from provstore.errors import ProvStoreError
from provstore.validation.formats.telling import unread
from provstore.validation.results import Result, Validation, Verdict

COLUMNS = (
    "file",
    "pointer",
    "line",
    "profile",
    "severity",
    "focus",
    "path",
    "value",
    "message",
    "clause",
    "column",
    "record",
    "shape",
    "component",
    "expected",
    "add",
    "remove",
)
#: What makes a spreadsheet take a cell for a formula; the apostrophe before it makes it text again.
_FORMULA = re.compile(r"[\s\x00-\x1f]*[=+\-@＝＋－＠]|[\t\r]")
_TSV = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})

_Row = Mapping[str, str | int | None]


def csv(validation: Validation) -> str:
    """CSV (RFC 4180, lines that end in LF); a cell that a spreadsheet would compute begins with an apostrophe."""
    out = io.StringIO()
    writer = _csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([_guarded(row[name]) for name in COLUMNS] for row in rows(validation))
    return out.getvalue()


def tsv(validation: Validation) -> str:
    """Values separated by tabs; a tab, line break or backslash in a value is escaped by a backslash."""
    lines = [COLUMNS, *([_text(row[name]).translate(_TSV) for name in COLUMNS] for row in rows(validation))]
    return "".join("\t".join(line) + "\n" for line in lines)


def ndjson(validation: Validation) -> str:
    """A JSON object a line."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows(validation))


def rows(validation: Validation) -> Iterator[_Row]:
    """A row for each result, and for each document that could not be read."""
    for verdict in validation.verdicts:
        if verdict.error:
            yield _unread(verdict, verdict.error)
        for judged in verdict.profiles:
            yield from (_row(verdict, judged.profile, result) for result in judged.results)


def _row(verdict: Verdict, profile: str, result: Result) -> _Row:
    where = result.location or verdict.where
    return {
        **dict.fromkeys(COLUMNS),
        "file": where.file,
        "pointer": where.pointer,
        "line": where.line,
        "column": where.column,
        "profile": profile,
        "record": verdict.record,
        **{name: getattr(result, name) for name in ("severity", "focus", "path", "value", "message", "clause")},
        **{name: getattr(result, name) for name in ("shape", "component", "expected")},
        "add": result.fix.add if result.fix else None,
        "remove": result.fix.remove if result.fix else None,
    }


def _unread(verdict: Verdict, error: ProvStoreError) -> _Row:
    where = unread(verdict.where, error)
    place = {"file": where.file, "pointer": where.pointer, "line": where.line}
    return {**dict.fromkeys(COLUMNS), **place, "severity": "ERROR", "message": str(error)}


def _text(value: str | int | None) -> str:
    return "" if value is None else str(value)


def _guarded(value: str | int | None) -> str:
    text = _text(value)
    return f"'{text}" if isinstance(value, str) and _FORMULA.match(text) else text
