"""The search index: one document for each thing that has a name, kept equal to what live records say of it.

What a record says is counted by subject and text, so that a document knows when the last record that said something is
withdrawn; facets are kept by merge order, of which the last is in force. A document depends on nothing else: neither on
the order of arrival nor on other documents. Ids are given by first appearance in the ledger and never again.
"""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote

from provstore.views import texts
from provstore.views.facts import Facts
from provstore.views.words import joined, row

#: The columns of the index. `about` holds what surrounds a thing: full name, owners, tags, identifiers, a run's job.
COLUMNS = ("name", "columns", "about", "description", "sql", "joined")
#: Before a name's words run together: the name as a whole, so that the thing of just that name is found first.
WHOLE = "\ue000"

TABLES = (
    "CREATE TABLE search_subject(id INTEGER PRIMARY KEY, iri TEXT UNIQUE)",
    "CREATE TABLE search_said(subject INTEGER, texts TEXT, n INTEGER, PRIMARY KEY(subject, texts)) WITHOUT ROWID",
    "CREATE TABLE search_facet(subject INTEGER, key TEXT, ord TEXT, content TEXT, deleted INTEGER,"
    " PRIMARY KEY(subject, key, ord, content, deleted)) WITHOUT ROWID",
    # what is counted (kind, namespace, owner, tag) is a number in a narrow table: a common word finds most of them
    "CREATE TABLE search_label(id INTEGER PRIMARY KEY, key TEXT, value TEXT, UNIQUE(key, value))",
    "CREATE TABLE search_doc(id INTEGER PRIMARY KEY, kind INTEGER, namespace INTEGER)",
    "CREATE INDEX search_doc_kind ON search_doc(kind, namespace)",
    "CREATE INDEX search_doc_namespace ON search_doc(namespace)",
    "CREATE TABLE search_labelled(doc INTEGER, label INTEGER, PRIMARY KEY(doc, label)) WITHOUT ROWID",
    "CREATE INDEX search_labelled_label ON search_labelled(label)",
    # source: a digest of what the document was made from
    "CREATE TABLE search_body(id INTEGER PRIMARY KEY, source BLOB, name TEXT, columns TEXT, body TEXT)",
    # the words alone: what they were taken from stands in search_body
    f"CREATE VIRTUAL TABLE search_text USING fts5({', '.join(COLUMNS)}, content='', tokenize='ascii')",
)

_DELETE = f"INSERT INTO search_text(search_text, rowid, {', '.join(COLUMNS)}) VALUES ('delete', ?, ?, ?, ?, ?, ?, ?)"
_INSERT = f"INSERT INTO search_text(rowid, {', '.join(COLUMNS)}) VALUES (?, ?, ?, ?, ?, ?, ?)"
_IN_FORCE = (
    "SELECT key, (SELECT content || ' ' || deleted FROM search_facet f WHERE f.subject = ?1 AND f.key = k.key"
    " ORDER BY f.ord DESC, f.content, f.deleted LIMIT 1) FROM (SELECT value AS key FROM json_each(?2)) k"
)

Body = dict[str, Any]


class SearchIndex:
    """The writer, for the one connection that writes the view database."""

    def __init__(self, db: sqlite3.Connection, base: str) -> None:
        self._db, self._base = db, base
        self._dirty: set[int] = set()
        self._ids: dict[str, int] = {}

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Around the entries of a batch, inside its transaction: documents are made anew once, at its end."""
        self._dirty.clear()
        self._ids.clear()  # a batch that was rolled back has left ids that never were
        yield
        for subject in sorted(self._dirty):  # by id: the index flushes itself whenever one is less than that before
            self._settle(subject)

    def add(self, facts: Facts) -> None:
        """Count what a live record says."""
        for iri, said in sorted(facts.texts.items()):
            subject = self._id(iri)
            (n,) = self._db.execute(
                "INSERT INTO search_said VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET n = n + 1 RETURNING n",
                (subject, said),
            ).fetchone()
            if n == 1:
                self._dirty.add(subject)
        for iri, *facet in sorted(texts.described(facts.rows)):
            subject = self._id(iri)
            self._db.execute("INSERT OR IGNORE INTO search_facet VALUES (?, ?, ?, ?, ?)", (subject, *facet))
            self._dirty.add(subject)

    def take(self, facts: Facts) -> None:
        """Count no more what a record said that is withdrawn."""
        for iri, said in facts.texts.items():
            subject = self._id(iri)
            self._db.execute("UPDATE search_said SET n = n - 1 WHERE subject = ? AND texts = ?", (subject, said))
            self._db.execute("DELETE FROM search_said WHERE subject = ? AND texts = ? AND n = 0", (subject, said))
            self._dirty.add(subject)
        for iri, *facet in texts.described(facts.rows):
            subject = self._id(iri)
            self._db.execute(
                "DELETE FROM search_facet WHERE subject = ? AND key = ? AND ord = ? AND content = ? AND deleted = ?",
                (subject, *facet),
            )
            self._dirty.add(subject)

    def _id(self, iri: str) -> int:
        found = self._ids.get(iri)
        if found is None:
            known = self._db.execute("SELECT id FROM search_subject WHERE iri = ?", (iri,)).fetchone()
            if known is None:
                known = self._db.execute("INSERT INTO search_subject(iri) VALUES (?) RETURNING id", (iri,)).fetchone()
            found = self._ids[iri] = int(known[0])
        return found

    # -- documents ------------------------------------------------------------------------------------------------

    def _settle(self, subject: int) -> None:
        """Make a document anew if what it is made from has changed."""
        said = self._db.execute("SELECT texts FROM search_said WHERE subject = ? ORDER BY texts", (subject,)).fetchall()
        facets = self._db.execute(_IN_FORCE, (subject, _KEYS)).fetchall() if said else []
        source = hashlib.blake2b(repr((said, facets)).encode(errors="surrogatepass"), digest_size=16).digest()
        old = self._db.execute("SELECT source, body FROM search_body WHERE id = ?", (subject,)).fetchone()
        if old and old[0] == source:
            return
        (iri,) = self._db.execute("SELECT iri FROM search_subject WHERE id = ?", (subject,)).fetchone()
        new = document(self._base, iri, [each for (each,) in said], dict(_values(self._db, facets)))
        if old:
            self._remove(subject, json.loads(old[1]))
        if new:
            self._insert(subject, source, new)

    def _insert(self, subject: int, source: bytes, body: Body) -> None:
        labels = [self._label("kind", body["kind"]), self._label("namespace", body.get("namespace", ""))]
        self._db.execute("INSERT INTO search_doc VALUES (?, ?, ?)", (subject, *labels))
        named = [self._label(key[:-1], value) for key in ("owners", "tags") for value in body.get(key, ())]
        self._db.executemany("INSERT OR IGNORE INTO search_labelled VALUES (?, ?)", [(subject, n) for n in named])
        columns = "\n".join(body.get("columns", ()))
        kept = json.dumps(body, ensure_ascii=False)
        self._db.execute(
            "INSERT INTO search_body VALUES (?, ?, ?, ?, ?)", (subject, source, body["name"], columns, kept)
        )
        self._db.execute(_INSERT, (subject, *indexed(body)))

    def _remove(self, subject: int, body: Body) -> None:
        self._db.execute(_DELETE, (subject, *indexed(body)))
        (namespace,) = self._db.execute("SELECT namespace FROM search_doc WHERE id = ?", (subject,)).fetchone()
        labels = {label for (label,) in self._db.execute("SELECT label FROM search_labelled WHERE doc = ?", (subject,))}
        self._db.execute("DELETE FROM search_labelled WHERE doc = ?", (subject,))
        self._db.execute("DELETE FROM search_doc WHERE id = ?", (subject,))
        self._db.execute("DELETE FROM search_body WHERE id = ?", (subject,))
        for label in labels | {namespace}:  # a name that nobody says any more is not kept
            self._db.execute(
                "DELETE FROM search_label WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM search_labelled WHERE label = ?1)"
                " AND NOT EXISTS (SELECT 1 FROM search_doc WHERE namespace = ?1)",
                (label,),
            )

    def _label(self, key: str, value: str) -> int:
        row = self._db.execute("SELECT id FROM search_label WHERE key = ? AND value = ?", (key, value)).fetchone()
        if row is None:
            row = self._db.execute(
                "INSERT INTO search_label(key, value) VALUES (?, ?) RETURNING id", (key, value)
            ).fetchone()
        return int(row[0])


_KEYS = json.dumps(sorted(texts.FACETS))


def facets_in_force(db: sqlite3.Connection, iri: str) -> dict[str, Any]:
    """The facets in force of a thing, those of its states included, by key: of `texts.FACETS` those that it has."""
    row = db.execute("SELECT id FROM search_subject WHERE iri = ?", (iri,)).fetchone()
    return dict(_values(db, db.execute(_IN_FORCE, (row[0], _KEYS)).fetchall())) if row else {}


def _values(db: sqlite3.Connection, facets: Iterable[tuple[str, str | None]]) -> Iterator[tuple[str, Any]]:
    for key, found in facets:
        content, _, deleted = (found or "").rpartition(" ")
        if content and deleted == "0":
            value = db.execute("SELECT json FROM content WHERE iri = ?", (texts.content_iri(content),)).fetchone()
            if value:
                yield key, json.loads(value[0])


def document(base: str, iri: str, said: Sequence[str], facets: dict[str, Any]) -> Body | None:
    """The document of a subject from what live records say of it and its facets in force; None where it has none."""
    by: dict[str, list[str]] = {}
    for letter, text in sorted({(letter, text) for each in said for letter, text in json.loads(each)}):
        by.setdefault(letter, []).append(text)
    if not by:
        return None
    columns = list(texts.columns(facets.get("schema"), facets.get("columnLineage")))
    job = by.get("j", [""])[0]
    namespace, job_name = _parts(base, job) if job else ("", "")
    names = [text for letter in "nt" for text in by.get(letter, ()) if text.strip()]
    found = {
        "kind": texts.kind(by.get("c", ())),
        "name": names[0] if names else job_name or _local(base, iri),
        "names": list(dict.fromkeys(names[1:])),
        "namespace": by["s"][0] if "s" in by else namespace,
        "columns": list(dict.fromkeys(path for path, _ in columns)),
        "description": _text(
            texts.member(facets.get("documentation"), "description"),
            texts.member(facets.get("errorMessage"), "message"),
            *by.get("d", ()),
            *(about for _, about in columns),
        ),
        "owners": sorted({*texts.owners(facets.get("ownership")), *(_owner(base, each) for each in by.get("o", ()))}),
        "tags": sorted({*texts.tags(facets.get("tags")), *by.get("g", ())}),
        "sql": texts.member(facets.get("sql"), "query"),
        "ids": [*by.get("i", ()), *([] if names else [_local(base, iri)])],
        "job": job_name,
    }
    return {key: value for key, value in found.items() if value}


def indexed(body: Body) -> tuple[str, ...]:
    """The words of a document by column of the index."""
    # a run without a name goes by its job's, but is not what a person looks for by that name in the first place
    names = [] if body["name"] == body.get("job") else [body["name"], *body.get("names", ())]
    columns = body.get("columns", ())
    about = [f"{body.get('namespace', '')} {body.get('job', body['name'])}"]
    about += [text for key in ("owners", "tags", "ids") for text in body.get(key, ())]
    return (
        _rows(names),
        _rows(columns),
        _rows(about),
        row(body.get("description", "")),
        row(body.get("sql", "")),
        " ".join(filter(None, [*map(joined, (*names, *columns)), *map(_whole, names)])),
    )


def contents(db: sqlite3.Connection) -> Iterator[str]:
    """Every document, its labels, and a sum over its words and their places, a line each: equal for equal ledgers."""
    query = "SELECT s.iri, b.body FROM search_body b JOIN search_subject s ON s.id = b.id"
    yield from (f"{iri} {body}" for iri, body in db.execute(query))
    query = (
        "SELECT s.iri, l.key, l.value FROM search_subject s JOIN (SELECT id, kind AS label FROM search_doc UNION ALL"
        " SELECT id, namespace FROM search_doc UNION ALL SELECT doc, label FROM search_labelled) d ON d.id = s.id"
        " JOIN search_label l ON l.id = d.label"
    )
    yield from (f"{iri} {key}={value}" for iri, key, value in db.execute(query))
    db.execute("CREATE VIRTUAL TABLE IF NOT EXISTS temp.search_words USING fts5vocab(main, search_text, instance)")
    sums: dict[int, int] = defaultdict(int)
    for document, *place in db.execute("SELECT doc, term, col, offset FROM search_words"):
        sums[document] += int.from_bytes(hashlib.blake2b(repr(place).encode(), digest_size=8).digest())
    for document, total in sums.items():
        found = db.execute("SELECT iri FROM search_subject WHERE id = ?", (document,)).fetchone()
        yield f"{found and found[0]} words {total:x}"


def _rows(given: Iterable[str]) -> str:
    return " ".join(map(row, given))


def _whole(name: str) -> str:
    """A name as one word, and its last part after a dot or slash as another."""
    ends = dict.fromkeys((name, re.split("[./]", name)[-1]))
    return " ".join(f"{WHOLE}{words}" for end in ends if (words := row(end).replace(" ", "")))


def _text(*given: str) -> str:
    return "\n".join(filter(None, given))[: texts.MOST_CHARACTERS]


def _parts(base: str, iri: str) -> tuple[str, str]:
    """Namespace and name in a job's or dataset's IRI of this store; the last part alone of another."""
    if iri.startswith(f"{base}/"):
        parts = iri[len(base) + 1 :].split("/")
        if len(parts) == 3:
            return unquote(parts[1]), unquote(parts[2])
    return "", _local(base, iri)


def _local(base: str, iri: str) -> str:
    """What an IRI says to people: its path below the base, or what follows its last `/`, `#` or `:`.

    A version in a registry goes by its model and its number.
    """
    if iri.startswith(f"{base}/agent/"):
        return unquote(iri.rpartition("/")[2])
    if iri.startswith(f"{base}/"):
        parts = iri[len(base) + 1 :].split("/")
        if len(parts) == 5 and (parts[0], parts[3]) == ("model", "version"):  # of a registry
            return f"{unquote(parts[2])} version {unquote(parts[4])}"
        return unquote(iri[len(base) + 1 :])
    short = iri.rstrip("/#:")
    return unquote(short[max(short.rfind(c) for c in "/#:") + 1 :]) or iri


_PREFIXES = {"person": "user:", "organization": "team:", "software": "application:"}


def _owner(base: str, agent: str) -> str:
    """An agent as ownership facets name it, so that both ways to say an owner count as one."""
    if not agent.startswith(f"{base}/agent/"):
        return agent
    kind, _, name = agent[len(base) + 7 :].partition("/")
    return f"{_PREFIXES.get(kind, '')}{unquote(name)}"
