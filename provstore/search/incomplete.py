"""What things lack, from the tables of verdicts beside the index: how grave the worst that any profile finds is.

Verdicts follow the records at a pace of their own, so an answer says at which ledger index they stood. Without their
tables nothing is known to lack anything.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

#: Severities as the tables number them.
SEVERITIES = ("MUST", "SHOULD", "MAY", "ERROR")
#: Of more hits than this nobody counts what they lack: each is looked up by its name.
_MOST_COUNTED = 20_000
_OF = (
    "CROSS JOIN judged.thing t ON t.term = '<' || s.iri || '>'"
    " CROSS JOIN judged.verdict v ON v.thing = t.id AND v.count > 0"
)
#: A condition on documents `d`, with one parameter: a JSON array of numbers of severities.
CONDITION = (
    f" AND EXISTS (SELECT 1 FROM search_subject s {_OF}"
    " WHERE s.id = d.id AND v.severity IN (SELECT value FROM json_each(?)))"
)
#: How many hits there are of each severity, as a part of the query over `hit`.
COUNTS = (
    " UNION ALL SELECT 3, v.severity, 0, COUNT(DISTINCT hit.id) FROM hit"
    f" CROSS JOIN search_subject s ON s.id = hit.id {_OF}"
    f" WHERE (SELECT COUNT(*) FROM (SELECT 1 FROM hit LIMIT {_MOST_COUNTED + 1})) <= {_MOST_COUNTED}"
    " GROUP BY v.severity"
)


def tables(view: Path) -> Path:
    """Where the tables of verdicts are, beside the views."""
    return view.parent.parent / "verdicts" / "verdicts.db"


def attach(db: sqlite3.Connection, view: Path) -> bool:
    """Let a connection see the verdicts too; whether it does, for they may be missing, or in the making."""
    try:
        db.execute("ATTACH DATABASE ? AS judged", (f"{tables(view).absolute().as_uri()}?mode=ro",))
    except sqlite3.Error:
        return False
    return True


def attached(db: sqlite3.Connection) -> bool:
    """Whether a connection sees tables of verdicts."""
    try:
        sql = "SELECT COUNT(*) FROM judged.sqlite_master WHERE name IN ('thing', 'verdict', 'profile')"
        return bool(db.execute(sql).fetchone()[0] == 3)
    except sqlite3.Error:
        return False


def judged_at(db: sqlite3.Connection) -> int | None:
    """The ledger index that all verdicts stand at; None while some are still made."""
    at: int | None = db.execute(
        "SELECT CASE WHEN COUNT(at) = COUNT(*) THEN MIN(at) END FROM judged.profile"
    ).fetchone()[0]
    return at


def lacks(db: sqlite3.Connection, iri: str) -> dict[str, Any] | None:
    """The worst severity of what any profile finds in a thing, and how much it finds."""
    sql = (
        "SELECT MIN(v.severity), SUM(v.count) FROM judged.thing t JOIN judged.verdict v ON v.thing = t.id"
        " WHERE t.term = ? AND v.count > 0"
    )
    worst, count = db.execute(sql, (f"<{iri}>",)).fetchone()
    return {"severity": SEVERITIES[worst], "count": count} if count else None
