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
from provstore.views import items, texts
from provstore.views.apart import told_apart
from provstore.views.search import WHOLE
from provstore.views.words import Word, words

FILTERS = ("kind", "namespace", "owner", "tag")
MOST_RESULTS = 500
MOST_WORDS = 64  # what is typed beyond is not looked for, and the answer says so
_MOST_VALUES = 20  # of each facet
_SECONDS = 10.0
_LAST = 2**63 - 1  # an id beyond every other
_AROUND = 60  # characters on each side of the first match in a long text
#: bm25 weights, in the order of the index's columns: name, columns, about, description, sql, joined.
_RANK = "bm25(search_text, 10.0, 5.0, 3.0, 2.0, 1.0, 6.0)"
_TYPED = re.compile(r'(-?)(?:"([^"]*)(?:"|\Z)(\*?)|(\S+))')


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked: words as typed, the values of each filter (any of them; '' is none), and which page."""

    words: str = ""
    filters: dict[str, tuple[str, ...]] = field(default_factory=dict)
    limit: int = 20
    cursor: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """An answer: the index it is of, how many there are in all, counts, this page, and the cursor of the next.

    `how` is "words", "parts" (no words were found, so any part of a name or column was looked for) or "all".
    """

    index: int
    how: str
    total: int
    facets: dict[str, list[dict[str, Any]]]
    results: list[dict[str, Any]]
    cursor: str = ""
    ignored: int = 0


def as_json(found: Found) -> dict[str, Any]:
    """An answer as it is sent: without the cursor, which goes into the link to the next page."""
    return {
        "index": found.index,
        "how": found.how,
        "total": found.total,
        "ignored": found.ignored,
        "facets": found.facets,
        "results": found.results,
    }


@dataclass(frozen=True, slots=True)
class Term:
    """One typed word or phrase: its words in a row; `open` where the last may be the beginning of one."""

    words: tuple[str, ...]
    raw: str
    open: bool
    excluded: bool

    def expression(self) -> str:
        """The term in FTS5's syntax; words hold no character that means something there."""
        end = " *" if self.open else ""
        row = f'"{" ".join(self.words)}"{end}'
        if len(self.words) == 1 or not self.open:
            return row
        return f'({row} OR joined : "{"".join(self.words)}"{end})'


def parse(text: str) -> list[Term]:
    """The terms in what was typed, once each: words, `"phrases"`, `-without`, `begin*`; everything else is literal."""
    terms: dict[Term, None] = {}
    for minus, phrase, star, word in _TYPED.findall(text):
        raw = phrase or word.rstrip("*")
        found = tuple(each.text for each in words(raw))
        if found or not minus:
            terms[Term(found, raw, open=bool(word or star), excluded=bool(minus))] = None
    return list(terms)


def expression(terms: Iterable[Term]) -> str:
    """The FTS5 expression for the terms that are wanted and have words: all of them; or a name that is just them."""
    wanted = [term for term in terms if term.words and not term.excluded]
    if not wanted:
        return ""
    whole = f'joined : "{WHOLE}{"".join(word for term in wanted for word in term.words)}"'
    return f"({' AND '.join(term.expression() for term in wanted)}) OR {whole}"


class Searcher:
    """Answers from the view database at a path; for any number of threads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._idle: deque[tuple[tuple[int, int], sqlite3.Connection]] = deque()

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

    def _connection(self) -> tuple[tuple[int, int], sqlite3.Connection]:
        try:
            status = os.stat(self._path)
            now = (status.st_dev, status.st_ino)
            while self._idle:
                held, db = self._idle.pop()
                if held == now:
                    return held, db
                db.close()
            uri = f"{self._path.absolute().as_uri()}?mode=ro"
            db = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
        except (OSError, sqlite3.Error) as error:
            raise Busy(f"the search index is not there: {error}", retry_after=1) from error
        return now, db

    def close(self) -> None:
        """Close what is open and idle."""
        while self._idle:
            self._idle.pop()[1].close()


class _Page:
    """One request on its way to its answer: the matches as a query of (id, rank, kind, namespace)."""

    def __init__(self, db: sqlite3.Connection, request: Request, after: tuple[float, int]) -> None:
        self._db, self._request, self._after = db, request, after
        self._conditions, self._values = _filters(db, request.filters)
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
            " FROM hit CROSS JOIN search_labelled l ON l.doc = hit.id GROUP BY label",
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
        return Found(_applied(self._db), how, self.total, facets, results, cursor, ignored)

    def _result(self, number: int, rank: float, terms: list[Term], how: str) -> dict[str, Any]:
        iri, kept = self._db.execute(
            "SELECT s.iri, b.body FROM search_body b JOIN search_subject s ON s.id = b.id WHERE b.id = ?", (number,)
        ).fetchone()
        body = json.loads(kept)
        name = told_apart(self._db, iri, body["name"])
        marker = _Marker(terms, parts=how == "parts")
        return {
            "iri": iri,
            "kind": body["kind"],
            "name": name,
            "namespace": body.get("namespace", ""),
            "score": round(0.0 - rank, 4),
            "owners": body.get("owners", []),
            "tags": body.get("tags", []),
            "marked": marker.marked(name, whole=True),
            "snippet": _snippet(body, marker),
        }


# --- marking ---------------------------------------------------------------------------------------------------------


class _Marker:
    """Finds the terms in a text and marks them: pieces of text, of which every second is a match."""

    def __init__(self, terms: list[Term], *, parts: bool) -> None:
        self._terms, self._parts = terms, parts

    def marked(self, text: str, *, whole: bool = False) -> list[str]:
        """The text around its matches; an even number of pieces means that none was found."""
        spans = self._spans(text)
        first, last = 0, len(text)
        if not whole:
            first = max(spans[0][0] - _AROUND, 0) if spans else 0
            last = min((spans[0][1] if spans else 0) + 2 * _AROUND, last)
        pieces, at = [], first
        for start, end in spans:
            if start >= at and end <= last:
                pieces += [text[at:start], text[start:end]]
                at = end
        pieces.append(text[at:last])
        pieces[0] = "…" + pieces[0] if first else pieces[0]
        pieces[-1] += "…" if last < len(text) else ""
        return pieces

    def _spans(self, text: str) -> list[tuple[int, int]]:
        if self._parts:
            found = [m.span() for t in self._terms if t.raw for m in re.finditer(re.escape(t.raw), text, re.IGNORECASE)]
        else:
            held = list(words(text))
            found = [span for term in self._terms if term.words for span in _places(text, held, term)]
        return sorted(found, key=lambda span: (span[0], -span[1]))


def _places(text: str, held: list[Word], term: Term) -> Iterator[tuple[int, int]]:
    """Where a term stands: its words in a row, or run together as parts of one name."""
    wanted = "".join(term.words)
    for first, word in enumerate(held):
        if not (wanted.startswith(word.text) or word.text.startswith(wanted)):
            continue
        said, last = word, word
        row = word.text
        for following in held[first + 1 :]:
            if len(row) >= len(wanted) or (len(term.words) == 1 and not _close(text, last, following)):
                break
            row += following.text
            last = following
        if row == wanted or (term.open and row.startswith(wanted)):
            over = len(row) - len(wanted)
            plain = last.end - last.start == len(last.text)  # as many letters as were typed: mark just these
            yield said.start, last.end - over if plain else last.end


def _close(text: str, one: Word, other: Word) -> bool:
    """Whether two words are parts of one name."""
    return all(c in "_-" for c in text[one.end : other.start])


def _snippet(body: dict[str, Any], marker: _Marker) -> dict[str, Any] | None:
    """The first field beside the name that holds a match; else the beginning of the description, if there is one."""
    full = "/".join(filter(None, (body.get("namespace"), body.get("job", body["name"]))))
    fields = {name: body.get(name, []) for name in ("columns", "description", "owners", "tags", "names")}
    if len(marker.marked(body["name"])) == 1:  # else these repeat the name
        fields |= {"about": full, "ids": body.get("ids", [])}
    for name, held in (fields | {"sql": body.get("sql", [])}).items():
        for text in [held] if isinstance(held, str) else held:
            pieces = marker.marked(text)
            if len(pieces) > 1:
                return {"field": name, "marked": pieces}
    return {"field": "description", "marked": marker.marked(body["description"])} if "description" in body else None


# --- what was given --------------------------------------------------------------------------------------------------


def _filters(db: sqlite3.Connection, given: dict[str, tuple[str, ...]]) -> tuple[str, list[str]]:
    """Conditions on `d`, and their values: any of a filter's values, all of the filters."""
    texts = {
        "kind": " AND d.kind IN (SELECT value FROM json_each(?))",
        "namespace": " AND d.namespace IN (SELECT value FROM json_each(?))",
    }
    labelled = " AND d.id IN (SELECT doc FROM search_labelled WHERE label IN (SELECT value FROM json_each(?)))"
    conditions, values = "", []
    for key in FILTERS:
        if wanted := [_clean(each) for each in given.get(key, ()) if each]:
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
    (value,) = db.execute("SELECT value FROM meta WHERE key = 'applied'").fetchone()
    return int(value)
