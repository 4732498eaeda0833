"""The view database: facts taken from records, what was concluded from them, and the triple store's redo journal.

One writer, the applier. A batch is one transaction with full synchronisation, made *before* the triple store is
touched: the journal row in it is what brings the store, which does not sync its commits, to the same point again.
Deleting the file loses nothing that the ledger cannot give back.
"""

from __future__ import annotations

import secrets
import sqlite3
import zlib
from pathlib import Path

from provstore.errors import Misconfigured
from provstore.views import edges, items, search, words

#: Fact tables and their columns; every row ends with `rec`, the ledger index of the first entry that holds the record.
FACTS: dict[str, tuple[str, ...]] = {
    # one run event: which activity, merge order, instant, type (START … or WINDOW)
    "event": ("activity", "ord", "time", "type", "rec"),
    "part": ("activity", "parent", "rec"),
    "job_of": ("activity", "job", "rec"),
    "used": ("activity", "entity", "rec"),
    "generated": ("entity", "activity", "rec"),
    "derived": ("entity", "source", "rec"),
    # a read or write state ('R', 'W'), its dataset and the producer's version label ('' = none)
    "state": ("state", "kind", "dataset", "version", "rec"),
    "attribute": ("subject", "key", "value", "rec"),
    "intended": ("activity", "dataset", "rec"),
    "dropped": ("activity", "dataset", "rec"),
    "renamed": ("state", "source", "rec"),
    "symlink": ("one", "other", "rec"),
    "source": ("dataset", "rec"),
    "role": ("activity", "entity", "role", "rec"),
    "facet": ("subject", "key", "content", "deleted", "asset", "ord", "rec"),
    "declares": ("job", "declaration", "ord", "rec"),
}

_INDEXES = (
    "CREATE INDEX event_rec ON event(rec, activity)",
    "CREATE INDEX part_parent ON part(parent)",
    "CREATE INDEX used_entity ON used(entity)",
    "CREATE INDEX generated_activity ON generated(activity)",
    "CREATE INDEX derived_source ON derived(source)",
    "CREATE INDEX state_dataset ON state(dataset)",
    "CREATE INDEX symlink_other ON symlink(other)",
    "CREATE INDEX facet_rec ON facet(rec, subject)",
)

_TABLES = (
    "CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID",
    # ord = instant, rank of the event type, record digest: the merge order; '' where a record names no time
    "CREATE TABLE record(id INTEGER PRIMARY KEY, iri TEXT UNIQUE, ord TEXT, live INTEGER)",
    "CREATE TABLE supersedes(target TEXT, by TEXT, PRIMARY KEY(target, by)) WITHOUT ROWID",
    "CREATE TABLE cites(content TEXT, rec INTEGER, PRIMARY KEY(content, rec)) WITHOUT ROWID",
    "CREATE INDEX cites_rec ON cites(rec)",
    # a facet value that decides something: its JSON, and the statements in it that its subject may be given (JSON too)
    "CREATE TABLE content(iri TEXT PRIMARY KEY, json TEXT, says TEXT) WITHOUT ROWID",
    # digest is a name of the bytes, content the class of all names of those bytes
    # effective reads and writes: what the merged graph says, ready to be matched across runs; a write of mode Drop or
    # Rename is none but the end of what a name stood for; each `…known` is the lowest index that states a value
    "CREATE TABLE wrote(state TEXT, activity TEXT, dataset TEXT, class TEXT, time TEXT, partial INTEGER, version TEXT,"
    " digest TEXT, content TEXT, mode TEXT, known INTEGER, time_known INTEGER, version_known INTEGER,"
    " digest_known INTEGER, mode_known INTEGER, PRIMARY KEY(state, activity)) WITHOUT ROWID",
    "CREATE INDEX wrote_time ON wrote(class, time)",
    "CREATE INDEX wrote_activity ON wrote(activity)",
    "CREATE INDEX wrote_dataset ON wrote(dataset)",
    # an index of some rows is used where the query says as well that it wants no others
    "CREATE INDEX wrote_digest ON wrote(digest) WHERE digest <> ''",
    "CREATE INDEX wrote_content ON wrote(content) WHERE content <> ''",
    "CREATE TABLE was_read(state TEXT, activity TEXT, dataset TEXT, class TEXT, first TEXT, last TEXT, until TEXT,"
    " version TEXT, digest TEXT, content TEXT, known INTEGER, time_known INTEGER, version_known INTEGER,"
    " digest_known INTEGER, PRIMARY KEY(state, activity)) WITHOUT ROWID",
    "CREATE INDEX was_read_last ON was_read(class, last)",
    "CREATE INDEX was_read_activity ON was_read(activity)",
    "CREATE INDEX was_read_dataset ON was_read(dataset)",
    "CREATE INDEX was_read_digest ON was_read(digest) WHERE digest <> ''",
    "CREATE INDEX was_read_content ON was_read(content) WHERE content <> ''",
    "CREATE TABLE link_class(dataset TEXT PRIMARY KEY, class TEXT) WITHOUT ROWID",
    "CREATE TABLE run_version(activity TEXT PRIMARY KEY, version TEXT, job TEXT, contents TEXT) WITHOUT ROWID",
    "CREATE INDEX run_version_version ON run_version(version)",
    # conclusions: the lines each owner stands for, and how many owners a line has (by a 64-bit hash of graph and line)
    "CREATE TABLE owned(owner TEXT PRIMARY KEY, lines TEXT) WITHOUT ROWID",
    "CREATE TABLE held(hash INTEGER PRIMARY KEY, n INTEGER)",
    "CREATE TABLE journal(last INTEGER PRIMARY KEY, batch BLOB)",
)


#: Changes with the rules by which conclusions are drawn.
_RULES = 3
#: Which rules, tables and words in them: a database of another version is made again from the ledger.
_VERSION = (
    zlib.crc32(
        repr((_RULES, FACTS, _INDEXES, _TABLES, edges.TABLES, items.TABLES, search.TABLES, words.VERSION)).encode()
    )
    >> 1
)


def open_database(path: Path) -> sqlite3.Connection:
    """The database at a path, made there if it is new; autocommit off is left to the caller's BEGIN.

    Misconfigured where it was made by another version, or is shorter than it says.
    """
    new = not path.exists()
    if not new and _is_cut(path):
        raise Misconfigured(f"{path} is not whole")
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=256)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA wal_autocheckpoint=8000")  # pages; each one copies what the log holds into the file
    connection.execute("PRAGMA cache_size=-65536")
    connection.execute("PRAGMA temp_store=MEMORY")
    if new:
        connection.execute("BEGIN")
        for statement in (*_TABLES, *edges.TABLES, *items.TABLES, *search.TABLES):
            connection.execute(statement)
        for name, columns in FACTS.items():
            listed = ", ".join(columns)  # names from the literal table above, never from input
            connection.execute(f"CREATE TABLE {name}({listed}, PRIMARY KEY({listed})) WITHOUT ROWID")
        for statement in _INDEXES:
            connection.execute(statement)
        connection.execute(
            "INSERT INTO meta VALUES ('applied', -1), ('flushed', -1), ('made', ?)", (secrets.token_hex(8),)
        )
        connection.execute(f"PRAGMA user_version={_VERSION}")
        connection.execute("COMMIT")
    elif connection.execute("PRAGMA user_version").fetchone() != (_VERSION,):
        connection.close()
        raise Misconfigured(f"{path} was made by another version")
    return connection


def _is_cut(path: Path) -> bool:
    """Whether the file has fewer pages than its header says: SQLite itself finds out only when it comes to them."""
    with path.open("rb") as file:
        head = file.read(100)  # https://www.sqlite.org/fileformat.html §1.3
    page = int.from_bytes(head[16:18], "big")
    pages = int.from_bytes(head[28:32], "big")
    return path.stat().st_size < pages * (65536 if page == 1 else page)


def insert_sql(table: str) -> str:
    """The statement that adds one fact to a table of `FACTS`."""
    marks = ",".join("?" * len(FACTS[table]))
    return f"INSERT OR IGNORE INTO {table} VALUES ({marks})"


def delete_sql(table: str) -> str:
    """The statement that removes one fact from a table of `FACTS`."""
    where = " AND ".join(f"{column} = ?" for column in FACTS[table])
    return f"DELETE FROM {table} WHERE {where}"
