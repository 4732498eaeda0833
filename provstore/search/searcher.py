"""Full-text search: what a person types, asked of the search index, with facets, pages and marked matches.

Reads the view database beside the process that writes it; every answer is of one applied index. Nothing that can be
typed is an error of the index: words are taken apart as those of the documents were, and only their letters and digits
ever stand in an expression.
"""

from __future__ import annotations

import base64
import json
import os
import re
import sqlite3
import struct
import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from provstore.errors import Busy, QueryRefused, QueryTooExpensive
from provstore.search import incomplete
from provstore.search.marking import Marker, snippet
from provstore.search.terms import Term, expression, parse
from provstore.views import items, texts
from provstore.views.apart import told_apart

FILTERS = ("kind", "namespace", "owner", "tag", "incomplete")
MOST_RESULTS = 500
MOST_WORDS = 64  # what is typed beyond is not looked for, and the answer says so
_MOST_VALUES = 20  # of each facet
_SECONDS = 10.0
_LAST = 2**63 - 1  # an id beyond every other
#: bm25 weights, in the order of the index's columns: name, columns, about, description, sql, joined.
_RANK = "bm25(search_text, 10.0, 5.0, 3.0, 2.0, 1.0, 6.0)"


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked: words as typed, the values of each filter (any of them; '' is none), and which page."""

    words: str = ""
    filters: dict[str, tuple[str, ...]] = field(default_factory=dict)
    limit: int = 20
    cursor: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """An answer: the index it is of, how many there are in all, counts, this page, the cursor of the next.

    `how` is "words", "parts" (no words were found, so any part of a name or column was looked for) or "all".
    `judged` is the index of what is told of lacks, None where not all is known yet.
    """

    index: int
    how: str
    total: int
    facets: dict[str, list[dict[str, Any]]]
    results: list[dict[str, Any]]
    cursor: str = ""
    ignored: int = 0
    judged: int | None = None


def as_json(found: Found) -> dict[str, Any]:
    """An answer as it is sent: without the cursor, which goes into the link to the next page."""
    return {
        "index": found.index,
        "how": found.how,
        "total": found.total,
        "ignored": found.ignored,
        "judged": found.judged,
        "facets": found.facets,
        "results": found.results,
    }


class Searcher:
    """Answers from the view database at a path; for any number of threads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._idle: deque[tuple[tuple[int, ...], sqlite3.Connection]] = deque()

    def applied(self) -> int:
        """The ledger index that an answer would be of now."""
        with self._reading() as db:
            return _applied(db)

    def described(self, iris: Iterable[str]) -> dict[str, dict[str, Any]]:
        """What the index holds of these things, by IRI: kind, name, namespace, owners, …; nothing of one it has not."""
        wanted = json.dumps([_clean(iri) for iri in iris])
        with self._reading() as db:
            rows = db.execute(
                "SELECT s.iri, b.body FROM search_subject s JOIN search_body b ON b.id = s.id"
                " WHERE s.iri IN (SELECT value FROM json_each(?))",
                (wanted,),
            ).fetchall()
            found = {iri: json.loads(body) for iri, body in rows}
            return {iri: {**body, "name": told_apart(db, iri, body["name"])} for iri, body in found.items()}

    def superseding(self, record: str) -> list[str]:
        """The records that supersede a record, by their IRIs."""
        with self._reading() as db:
            return [by for (by,) in db.execute("SELECT by FROM supersedes WHERE target = ? ORDER BY by", (record,))]

    def search(self, request: Request) -> Found:
        """The answer to a request.

        QueryRefused for a filter, limit or cursor that is none; QueryTooExpensive after ten seconds; Busy while the
        views are being made.
        """
        if request.limit > MOST_RESULTS:
            raise QueryRefused(f"parameter 'limit' must be at most {MOST_RESULTS}, got {request.limit}")
        typed = _clean(request.words)
        terms = parse(typed)
        kept, ignored = terms[:MOST_WORDS], max(len(terms) - MOST_WORDS, 0)
        after = _cursor(request.cursor)
        with self._reading() as db:
            page = _Page(db, request, after)
            page.by_key(typed.strip())
            exact = db.execute("SELECT id FROM search_subject WHERE iri = ?", (typed.strip().strip("<>"),)).fetchone()
            if exact and page.one(int(exact[0])):
                how = "words"
            elif not typed.strip():
                how = page.everything()
            elif not (how := page.by_words(kept)):
                how = "words" if page.total else page.by_parts(kept)
            return page.answer(how, kept, ignored)

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """A connection in one read transaction; a new one after the database was made again at its path."""
        held, db = self._connection()
        until = time.monotonic() + _SECONDS
        db.set_progress_handler(lambda: time.monotonic() > until, 20_000)
        try:
            db.execute("PRAGMA temp_store=MEMORY")
            db.execute("PRAGMA cache_size=-32768")  # KiB: a common word looks all its documents up
            db.execute("BEGIN")
            yield db
            db.execute("COMMIT")
        except BaseException as error:
            db.close()
            if isinstance(error, sqlite3.OperationalError) and "interrupted" in str(error):
                raise QueryTooExpensive(
                    f"the search took longer than {_SECONDS:g} s: add a word or a filter"
                ) from error
            if isinstance(error, sqlite3.DatabaseError):
                raise Busy(f"the search index cannot be read now: {error}", retry_after=1) from error
            raise
        self._idle.append((held, db))

    def _connection(self) -> tuple[tuple[int, ...], sqlite3.Connection]:
        try:
            now = (*_identity(self._path), *_identity(incomplete.tables(self._path), missing=True))
            while self._idle:
                held, db = self._idle.pop()
                if held == now:
                    return held, db
                db.close()
            uri = f"{self._path.absolute().as_uri()}?mode=ro"
            db = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
            if not incomplete.attach(db, self._path):
                now = (*now[:2], 0, 0)  # tried again when they are there
        except (OSError, sqlite3.Error) as error:
            raise Busy(f"the search index is not there: {error}", retry_after=1) from error
        return now, db

    def close(self) -> None:
        """Close what is open and idle."""
        while self._idle:
            self._idle.pop()[1].close()


def _identity(path: Path, *, missing: bool = False) -> tuple[int, int]:
    """What tells a file from another at its path; zeros for one that may be missing, and is."""
    try:
        status = os.stat(path)
    except FileNotFoundError:
        if missing:
            return 0, 0
        raise
    return status.st_dev, status.st_ino


class _Page:
    """One request on its way to its answer: the matches as a query of (id, rank, kind, namespace)."""

    def __init__(self, db: sqlite3.Connection, request: Request, after: tuple[float, int]) -> None:
        self._db, self._request, self._after = db, request, after
        self._judged = incomplete.attached(db)
        self._conditions, self._values = _filters(db, request.filters, judged=self._judged)
        self._rows: list[tuple[int, float]] = []
        self._counts: dict[str, list[tuple[str, int]]] = {key: [] for key in FILTERS}
        self.total = 0
        self._keyed: list[dict[str, Any]] = []

    def by_key(self, typed: str) -> None:
        """Items of just that key, or the one of that IRI: they have no documents, and come before those that have."""
        if not typed or self._values or self._request.cursor:
            return
        for iri in items.found(self._db, typed.strip("<>"), self._request.limit):
            kind = texts.kind(items.classes(self._db, iri))
            name = items.key_of(iri)
            self._keyed.append(
                {
                    "iri": iri,
                    "kind": kind,
                    "name": name,
                    "namespace": items.namespace_of(iri),
                    "score": 0.0,
                    "owners": [],
                    "tags": [],
                    "lacks": incomplete.lacks(self._db, iri) if self._judged else None,
                    "marked": ["", name, ""],
                    "snippet": None,
                }
            )
        self.total = len(self._keyed)

    def one(self, subject: int) -> bool:
        return self._run("SELECT d.id, 0.0, d.kind, d.namespace FROM search_doc d WHERE d.id = ?", [subject])

    def everything(self) -> str:
        # straight from the table and its index: nothing to be kept meanwhile
        self._run("SELECT d.id, 0.0, d.kind, d.namespace FROM search_doc d WHERE 1", [], how="NOT MATERIALIZED")
        return "all"

    def by_words(self, terms: list[Term]) -> str:
        """Documents that hold every wanted word and none that is excluded; '' where there are none."""
        text = expression(terms)
        unwanted = " OR ".join(term.expression() for term in terms if term.excluded)
        if not terms or any(not term.words and not term.excluded for term in terms):
            return ""  # signs alone: no index of words can have them
        if not text:
            matches = (
                "SELECT d.id, 0.0, d.kind, d.namespace FROM search_doc d WHERE d.id NOT IN"
                " (SELECT rowid FROM search_text WHERE search_text MATCH ?)"
            )
            return "words" if self._run(matches, [unwanted]) else ""
        matches = (
            f"SELECT d.id, {_RANK}, d.kind, d.namespace FROM search_text CROSS JOIN search_doc d"
            " ON d.id = search_text.rowid WHERE search_text MATCH ?"
        )
        return "words" if self._run(matches, [f"({text}) NOT ({unwanted})" if unwanted else text]) else ""

    def by_parts(self, terms: list[Term]) -> str:
        """Documents with every wanted text anywhere inside their name or columns: a scan."""
        wanted = [term.raw for term in terms if not term.excluded and term.raw]
        if not wanted or len(wanted) > 8 or len("".join(wanted)) > 200 or any(term.excluded for term in terms):
            return "words"
        part = " AND (b.name LIKE ? ESCAPE '\\' OR b.columns LIKE ? ESCAPE '\\')"
        values = [pattern for raw in wanted for pattern in [_pattern(raw)] * 2]
        self._run(
            "SELECT d.id, 0.0, d.kind, d.namespace FROM search_body b CROSS JOIN search_doc d ON d.id = b.id"
            f" WHERE 1{part * len(wanted)}",
            values,
        )
        return "parts"

    def _run(self, matches: str, values: list[Any], how: str = "MATERIALIZED") -> bool:
        """Find, count and take the page in one go over the matches; whether there are any."""
        rank, last = self._after
        ranked = _RANK in matches
        bounds, place = ("(rank, -id) > (?, ?)", "rank, id DESC") if ranked else ("id < ?", "id DESC")
        answer = self._db.execute(
            f"WITH hit(id, rank, kind, namespace) AS {how} ({matches}{self._conditions})"
            f" SELECT * FROM (SELECT 0, id, rank, 0 FROM hit WHERE {bounds} ORDER BY {place} LIMIT ?)"
            " UNION ALL SELECT 1, kind, namespace, COUNT(*) FROM hit GROUP BY kind, namespace"
            " UNION ALL SELECT 2, label, 0, COUNT(*)"
            " FROM hit CROSS JOIN search_labelled l ON l.doc = hit.id GROUP BY label"
            f"{incomplete.COUNTS if self._judged else ''}",
            [*values, *self._values, *((rank, -last) if ranked else (last,)), self._request.limit + 1],
        ).fetchall()
        counts: Counter[int] = Counter()
        for what, one, other, count in answer:
            if what == 0:
                self._rows.append((one, other))
            elif what == 1:
                self.total += count
                counts[one] += count
                counts[other] += count
            elif what == 3:
                self._counts["incomplete"].append((incomplete.SEVERITIES[one], count))
            else:
                counts[one] = count
        for label, count in counts.items():
            key, value = self._db.execute("SELECT key, value FROM search_label WHERE id = ?", (label,)).fetchone()
            self._counts[key].append((value, count))
        return self.total > 0

    def answer(self, how: str, terms: list[Term], ignored: int) -> Found:
        facets = {
            key: [
                {"value": value, "count": count}
                for value, count in sorted(held, key=lambda each: (-each[1], each[0]))[:_MOST_VALUES]
                if value
            ]
            for key, held in self._counts.items()
        }
        shown = self._rows[: self._request.limit]
        more = len(self._rows) > len(shown) > 0
        cursor = base64.urlsafe_b64encode(struct.pack("!dq", shown[-1][1], shown[-1][0])).decode() if more else ""
        marks = [term for term in terms if not term.excluded]
        results = [*self._keyed, *(self._result(number, rank, marks, how) for number, rank in shown)]
        judged = incomplete.judged_at(self._db) if self._judged else None
        return Found(_applied(self._db), how, self.total, facets, results, cursor, ignored, judged)

    def _result(self, number: int, rank: float, terms: list[Term], how: str) -> dict[str, Any]:
        iri, kept = self._db.execute(
            "SELECT s.iri, b.body FROM search_body b JOIN search_subject s ON s.id = b.id WHERE b.id = ?", (number,)
        ).fetchone()
        body = json.loads(kept)
        name = told_apart(self._db, iri, body["name"])
        marker = Marker(terms, parts=how == "parts")
        return {
            "iri": iri,
            "kind": body["kind"],
            "name": name,
            "namespace": body.get("namespace", ""),
            "score": round(0.0 - rank, 4),
            "owners": body.get("owners", []),
            "tags": body.get("tags", []),
            "lacks": incomplete.lacks(self._db, iri) if self._judged else None,
            "marked": marker.marked(name, whole=True),
            "snippet": snippet(body, marker),
        }


# --- what was given --------------------------------------------------------------------------------------------------


def _filters(db: sqlite3.Connection, given: dict[str, tuple[str, ...]], *, judged: bool) -> tuple[str, list[str]]:
    """Conditions on `d`, and their values: any of a filter's values, all of the filters."""
    texts = {
        "kind": " AND d.kind IN (SELECT value FROM json_each(?))",
        "namespace": " AND d.namespace IN (SELECT value FROM json_each(?))",
    }
    labelled = " AND d.id IN (SELECT doc FROM search_labelled WHERE label IN (SELECT value FROM json_each(?)))"
    conditions, values = "", []
    for key in FILTERS:
        if key == "incomplete":
            if grave := [each for each in given.get(key, ()) if each]:
                if wrong := [each for each in grave if each not in incomplete.SEVERITIES]:
                    raise QueryRefused(
                        f"'incomplete' is one of {', '.join(incomplete.SEVERITIES)}; got {wrong[0][:60]!r}"
                    )
                conditions += incomplete.CONDITION if judged else " AND ? IS NULL"
                values.append(json.dumps([incomplete.SEVERITIES.index(each) for each in grave]))
        elif wanted := [_clean(each) for each in given.get(key, ()) if each]:
            rows = db.execute(
                "SELECT id FROM search_label WHERE key = ? AND value IN (SELECT value FROM json_each(?))",
                (key, json.dumps(wanted)),
            )
            conditions += texts.get(key, labelled)
            values.append(json.dumps([number for (number,) in rows]))
    return conditions, values


def _cursor(given: str) -> tuple[float, int]:
    """Rank and id of the last result of the page before."""
    if not given:
        return float("-inf"), _LAST
    try:
        rank, number = struct.unpack("!dq", base64.urlsafe_b64decode(given.encode("ascii")))
        return float(rank), int(number)
    except (ValueError, struct.error) as error:
        raise QueryRefused("parameter 'cursor' must be what the page before gave for the next") from error


def _clean(text: str) -> str:
    """Text that a database can be asked with: a lone surrogate becomes a question mark."""
    return text.encode(errors="replace").decode()


def _pattern(raw: str) -> str:
    """A LIKE pattern for a text anywhere inside."""
    escaped = re.sub(r"([%_\\])", r"\\\1", raw)
    return f"%{escaped}%"


def _applied(db: sqlite3.Connection) -> int:
    # `main`: the tables of verdicts have a `meta` too, which would answer while the views are made again
    (value,) = db.execute("SELECT value FROM main.meta WHERE key = 'applied'").fetchone()
    return int(value)
