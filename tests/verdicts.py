"""Verdicts on things, for tests: waited for, and compared with what a validation of everything finds."""

from __future__ import annotations

import json
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from provstore.core import ProvStore
from provstore.store.query import read_only
from provstore.validation.checking import prepared, result_of
from provstore.validation.profiles import Registry
from provstore.validation.stored import StoreData, StoredValidator
from provstore.vocab import PS
from tests.servers import Server

GRAPH = "https://prov.example/graph/verdicts"
_SECONDS = 120


def judged(server: Server) -> dict[str, Any]:
    """What /health says of verdicts once the graph of them says that it stands at the head of the ledger."""
    until = time.monotonic() + _SECONDS
    query = f"SELECT ?at WHERE {{ GRAPH <{GRAPH}> {{ <{GRAPH}> <{PS.appliedIndex[1:-1]}> ?at }} }}"
    while True:
        health = server.http.get("/health").json()
        said: dict[str, Any] = health["verdicts"]
        answer = server.sparql(query, "text/csv")  # 503 while the owner is another one
        if said["at"] == health["head"] and answer.text.split() == ["at", str(health["head"])]:
            return said
        assert time.monotonic() < until, said


def assert_current(directory: Path, profile: str) -> int:
    """A stopped store's verdicts are what a validation of all of it says; how many results there are."""
    store = ProvStore(directory)
    try:
        copy = store.snapshot()
        registry = Registry(str(directory / "profiles"), store.base)
    finally:
        store.close()
    version = registry.find(profile)
    ready = prepared(version, registry)
    data, validator = StoreData(read_only(copy.path), classes=ready.classes), StoredValidator(ready.shapes)
    wanted: dict[str, set[str]] = {}
    for shape in ready.shapes.targeted():
        for focus in validator.targets(data, shape):
            found = validator.check(data, shape.node, [focus])
            wanted.setdefault(focus, set()).update(
                json.dumps(result_of(version.token, ready, data, each).json(), sort_keys=True) for each in found
            )
    with closing(sqlite3.connect(directory / "verdicts" / "verdicts.db")) as db:
        sql = "SELECT t.term FROM verdict v JOIN thing t ON t.id = v.thing WHERE v.profile = ?"
        kept: dict[str, set[str]] = {term: set() for (term,) in db.execute(sql, (version.token,))}
        sql = "SELECT t.term, r.results FROM result r JOIN thing t ON t.id = r.thing WHERE r.profile = ?"
        for term, results in db.execute(sql, (version.token,)):
            kept[term].update(json.dumps(each, sort_keys=True) for each in json.loads(results))
        _assert_counted(db, version.token)
    assert kept == wanted
    return sum(map(len, wanted.values()))


def _assert_counted(db: sqlite3.Connection, profile: str) -> None:
    """What is counted as it changes is what there is."""
    counted = db.execute("SELECT COALESCE(SUM(n), 0) FROM tally WHERE profile = ?", (profile,)).fetchone()
    assert counted == db.execute("SELECT COUNT(*) FROM verdict WHERE profile = ?", (profile,)).fetchone()
    ruled = "SELECT rule, n FROM tally_rule WHERE profile = ? AND n > 0 ORDER BY rule"
    there = "SELECT rule, COUNT(*) FROM found WHERE profile = ? GROUP BY rule ORDER BY rule"
    assert db.execute(ruled, (profile,)).fetchall() == db.execute(there, (profile,)).fetchall()
    sql = "SELECT COUNT(*) FROM verdict WHERE profile = ? AND conforms = 0"
    wrong = "SELECT COALESCE(SUM(n), 0) FROM tally WHERE profile = ? AND state = 'violating'"
    assert db.execute(sql, (profile,)).fetchone() == db.execute(wrong, (profile,)).fetchone()
