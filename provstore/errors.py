"""Every error that provstore raises on purpose.

ProvStoreError
├── InvalidInput            400  the bytes cannot be read as what they claim to be
│   ├── Unmappable          422  readable, but says too little or contradicts itself
│   ├── UnsupportedMedia    415
│   ├── TooLarge            413
│   └── Nonconforming       422  a profile that rejects was violated (carries the report)
├── Refused                 401  what was sent is not signed by who may send it, or was sent before (409)
├── NotFound                404
├── NotAcceptable           406  there is an answer, but in none of the media types that are wanted
├── QueryRefused            400  the query is malformed, or asks for what no query may do
│   └── QueryTooExpensive   503  time, memory or size limit reached; nothing was answered
├── Busy                    503  try again; nothing was accepted
│   └── NotYetApplied       503  the views have not reached the index asked for
├── SourceUnavailable       502  another tool's server gave no answer: try again
├── Misconfigured           500  a setting, a key file, a directory
│   └── DirectoryInUse      500  another process owns the data directory
└── LedgerError             500  the ledger is damaged, or a proof was asked that it cannot give
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any


def nearest(given: str, known: Iterable[str]) -> list[str]:
    """Up to three of the known names that a misspelt one may stand for, the likeliest first."""
    return difflib.get_close_matches(given[:100], list(known), 3, 0.6)


class ProvStoreError(Exception):
    """The base: `detail` says what, where and what was wanted; `pointer` is a JSON pointer, `line` counts from 1."""

    status = 500
    title = "Internal error"

    def __init__(
        self, detail: str, *, pointer: str | None = None, line: int | None = None, retry_after: int | None = None
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.pointer = pointer
        self.line = line
        self.retry_after = retry_after

    def problem(self) -> dict[str, Any]:
        """The error as an RFC 9457 problem object."""
        out: dict[str, Any] = {"type": "about:blank", "title": self.title, "status": self.status, "detail": self.detail}
        if self.pointer is not None:
            out["pointer"] = self.pointer
        if self.line is not None:
            out["line"] = self.line
        return out

    def __str__(self) -> str:
        where = ""
        if self.pointer is not None:
            where = f" (at {self.pointer or '/'})"
        elif self.line is not None:
            where = f" (line {self.line})"
        return f"{self.detail}{where}"

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild, (type(self), self.__dict__.copy()))


def _rebuild(kind: type[ProvStoreError], state: dict[str, Any]) -> ProvStoreError:
    error = kind.__new__(kind)
    Exception.__init__(error, state.get("detail", ""))
    error.__dict__.update(state)
    return error


class InvalidInput(ProvStoreError):
    status = 400
    title = "Invalid input"


class Unmappable(InvalidInput):
    status = 422
    title = "Not a usable event"


class UnsupportedMedia(InvalidInput):
    status = 415
    title = "Unsupported media type"


class TooLarge(InvalidInput):
    status = 413
    title = "Too large"


class Nonconforming(InvalidInput):
    """A rejecting profile was violated; `report` is the list of results."""

    status = 422
    title = "Does not conform"

    def __init__(self, detail: str, report: list[dict[str, Any]]) -> None:
        super().__init__(detail)
        self.report = report

    def problem(self) -> dict[str, Any]:
        return {**super().problem(), "report": self.report}


class Refused(ProvStoreError):
    title = "Refused"

    def __init__(self, detail: str, status: int) -> None:
        super().__init__(detail)
        self.status = status


class NotFound(ProvStoreError):
    status = 404
    title = "Not found"


class NotAcceptable(ProvStoreError):
    status = 406
    title = "Not acceptable"


class QueryRefused(ProvStoreError):
    status = 400
    title = "Query refused"


class QueryTooExpensive(QueryRefused):
    status = 503
    title = "Query too expensive"


class Busy(ProvStoreError):
    status = 503
    title = "Busy"


class NotYetApplied(Busy):
    title = "Not yet applied"


class SourceUnavailable(ProvStoreError):
    status = 502
    title = "No answer from the source"


class Misconfigured(ProvStoreError):
    title = "Misconfigured"


class DirectoryInUse(Misconfigured):
    title = "Directory in use"


class LedgerError(ProvStoreError):
    title = "Ledger damaged"
