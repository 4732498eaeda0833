"""What tells things of one name apart: trackers call every model "model", so a version of one says whose it is.

Worked out when a thing is told, since it rests on what is said of others: the run that made the version, and what it is
called in registries.
"""

from __future__ import annotations

import sqlite3

#: Part of the IRI of a model version that a tracker named (see `iris.model_version`).
_TRACKED = "/modelversion/"
_MOST = 2  # registrations that are named
_RUNS = (
    "SELECT DISTINCT b.name FROM generated g JOIN search_subject s ON s.iri = g.activity"
    " JOIN search_body b ON b.id = s.id WHERE g.entity = ? ORDER BY b.name LIMIT 1"
)
#: A model has any number of predictions: of what is derived from it only what is below `{base}/model/` is read.
_REGISTERED = (
    "SELECT DISTINCT b.name FROM derived d JOIN search_subject s ON s.iri = d.entity JOIN search_body b ON b.id = s.id"
    " WHERE d.source = ?1 AND d.entity > ?2 || '/model/' AND d.entity < ?2 || '/model0' AND d.entity LIKE '%/version/%'"
    f" ORDER BY b.name LIMIT {_MOST}"
)


def told_apart(db: sqlite3.Connection, iri: str, name: str) -> str:
    """A name that tells a thing from others of its name: `credit-standard version 2, model of train standard`.

    The name as it is, of what is no model version of a tracker, or of which nothing else is known.
    """
    base, tracked, _ = iri.partition(_TRACKED)
    if not tracked:
        return name
    registered = [str(each) for (each,) in db.execute(_REGISTERED, (iri, base))]
    run = db.execute(_RUNS, (iri,)).fetchone()
    made = f"{name} of {run[0]}" if run else name
    return f"{' and '.join(registered)}, {made}" if registered else made
