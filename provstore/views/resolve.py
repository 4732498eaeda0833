"""The inferred graph: which write a read saw, and what a write kept of the one before it.

Each conclusion belongs to one state, is computed from the effective reads and writes of one symlink class, and names
its basis. Nothing certain is said where two writes could have been seen.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

from provstore import rdf
from provstore.vocab import PROV, PS, RDF_TYPE

_KEEPS = {"Append", "Merge", "Alter"}
_REPLACES = {"Overwrite", "Truncate", "Create"}
_COLUMNS = "state, activity, time, partial, version, digest, mode, known, time_known"


@dataclass(frozen=True, slots=True)
class _Write:
    state: str
    activity: str
    time: str | None
    partial: int
    version: str
    digest: str
    mode: str
    known: int
    time_known: int


def resolve_read(db: sqlite3.Connection, state: str) -> set[str]:
    """The inferred lines of a read state: the write it saw, the writes it may have seen, or that it is unresolved."""
    lines: set[str] = set()
    for row in db.execute(
        "SELECT activity, class, first, last, version, digest, known, time_known FROM was_read WHERE state = ?",
        (state,),
    ).fetchall():
        lines |= _resolve(db, state, *row)
    return lines


def _resolve(
    db: sqlite3.Connection,
    state: str,
    activity: str,
    klass: str,
    first: str | None,
    last: str | None,
    version: str,
    digest: str,
    known: int,
    time_known: int,
) -> set[str]:
    if digest and (same := _matching(db, "digest", klass, digest, activity)):
        return _certain_or_possible(state, activity, _latest(same, first), PS.ContentMatch, known)
    labelled = _matching(db, "version", klass, version, activity) if version else []
    if len(labelled) == 1:
        return _certain(state, activity, labelled[0], PS.VersionMatch, max(known, labelled[0].known))
    if first is None or last is None:
        return _unresolved(db, state, klass)
    relatives = set(_relatives(db, activity))
    before = _latest_before(db, klass, first, activity, version, bool(labelled))
    during = [w for w in _during(db, klass, first, last, activity) if w.activity not in relatives]
    during = [w for w in during if _label_fits(w, version, bool(labelled))]
    known = max(known, time_known)
    if len(before) == 1 and not during:
        write = before[0]
        return _certain(state, activity, write, PS.LatestBefore, max(known, write.known, write.time_known))
    if before or during:
        return _possible(state, before + during, PS.Overlap if during else PS.Tie, known)
    return _unresolved(db, state, klass)


def previous_state(db: sqlite3.Connection, state: str) -> set[str]:
    """The inferred lines of a write state about the one before it: kept by an append, gone after an overwrite."""
    row = db.execute(f"SELECT {_COLUMNS}, class FROM wrote WHERE state = ?", (state,)).fetchone()
    if row is None or row[2] is None:
        return set()
    write, klass = _Write(*row[:-1]), row[-1]
    found = _latest_before(db, klass, write.time or "", write.activity, "", False, apart=True)
    lines: set[str] = set()
    for number, previous in enumerate(sorted(found, key=lambda w: w.state), 1):
        me, old = f"<{write.state}>", f"<{previous.state}>"
        lines.add(f"{me} {PS.previousState} {old}")
        known = max(write.known, write.time_known, previous.known, previous.time_known)
        if write.mode in _KEEPS:
            lines |= {f"{me} {PROV.wasDerivedFrom} {old}", f"<{write.activity}> {PROV.used} {old}"}
            lines |= _node(f"{write.state}#kept/{number}", write.state, old, PS.KeptByWrite, known, certain=True)
        elif write.mode not in _REPLACES:
            lines.add(f"{me} {PS.possiblyDerivedFrom} {old}")
            lines |= _node(f"{write.state}#kept/{number}", write.state, old, PS.UnknownWriteMode, known, certain=False)
    return lines


def _matching(db: sqlite3.Connection, column: str, klass: str, value: str, activity: str) -> list[_Write]:
    sql = {
        "digest": f"SELECT {_COLUMNS} FROM wrote WHERE class = ? AND digest = ? AND activity <> ? ORDER BY state",
        "version": f"SELECT {_COLUMNS} FROM wrote WHERE class = ? AND version = ? AND activity <> ? ORDER BY state",
    }[column]
    return [_Write(*row) for row in db.execute(sql, (klass, value, activity))]


def _latest(writes: list[_Write], first: str | None) -> list[_Write]:
    """Of writes with the same content, the latest before the read; all of them where none is."""
    before = [w for w in writes if first and w.time and w.time < first]
    last = max((w.time for w in before if w.time), default=None)
    return [w for w in before if w.time == last] or writes


def _label_fits(write: _Write, version: str, labelled: bool) -> bool:
    """A write under another label is not what was read; an unlabelled one may be, unless some carry the label."""
    if not version:
        return True
    return write.version == version if labelled else not write.version


def _latest_before(
    db: sqlite3.Connection,
    klass: str,
    instant: str,
    activity: str,
    version: str,
    labelled: bool,
    *,
    apart: bool = False,
) -> list[_Write]:
    """The latest whole writes strictly before an instant (several where they tie), by other runs.

    A run whose descendant also wrote before the instant reports that descendant's write once more: it is passed over.
    With `apart`, writes by ancestors and descendants of the activity do not count either.
    """
    kin = set(_relatives(db, activity)) if apart else set()
    found: list[_Write] = []
    for row in db.execute(
        f"SELECT {_COLUMNS} FROM wrote WHERE class = ? AND time < ? AND activity <> ? AND partial = 0"
        " ORDER BY time DESC",
        (klass, instant, activity),
    ):
        write = _Write(*row)
        if found and write.time != found[0].time:
            break
        if write.activity in kin or not _label_fits(write, version, labelled):
            continue
        if not _descendant_wrote(db, klass, write.activity, instant):
            found.append(write)
    return sorted(found, key=lambda w: w.state)


def _during(db: sqlite3.Connection, klass: str, first: str, last: str, activity: str) -> list[_Write]:
    rows = db.execute(
        f"SELECT {_COLUMNS} FROM wrote WHERE class = ? AND time >= ? AND time <= ? AND activity <> ? AND partial = 0"
        " ORDER BY state",
        (klass, first, last, activity),
    )
    return [w for w in (_Write(*row) for row in rows.fetchall()) if not _descendant_wrote(db, klass, w.activity, last)]


def _descendant_wrote(db: sqlite3.Connection, klass: str, activity: str, instant: str) -> bool:
    children = descendants(db, activity)
    return any(
        db.execute(
            "SELECT 1 FROM wrote WHERE activity = ? AND class = ? AND time <= ? AND partial = 0",
            (child, klass, instant),
        ).fetchone()
        for child in children
    )


def _relatives(db: sqlite3.Connection, activity: str) -> Iterator[str]:
    yield from descendants(db, activity)
    yield from ancestors(db, activity)


def descendants(db: sqlite3.Connection, activity: str) -> list[str]:
    """Every run below a run, itself left out."""
    rows = db.execute(
        "WITH RECURSIVE down(a) AS (SELECT activity FROM part WHERE parent = ? UNION"
        " SELECT p.activity FROM part p JOIN down ON p.parent = down.a) SELECT a FROM down",
        (activity,),
    )
    return [a for (a,) in rows if a != activity]


def ancestors(db: sqlite3.Connection, activity: str) -> list[str]:
    """Every run above a run, itself left out."""
    rows = db.execute(
        "WITH RECURSIVE up(a) AS (SELECT parent FROM part WHERE activity = ? UNION"
        " SELECT p.parent FROM part p JOIN up ON p.activity = up.a) SELECT a FROM up",
        (activity,),
    )
    return [a for (a,) in rows if a != activity]


def _certain_or_possible(state: str, activity: str, writes: list[_Write], basis: str, known: int) -> set[str]:
    if len(writes) == 1:
        return _certain(state, activity, writes[0], basis, max(known, writes[0].known))
    return _possible(state, writes, basis, known)


def _certain(state: str, activity: str, write: _Write, basis: str, known: int) -> set[str]:
    lines = {
        f"<{state}> {PROV.wasDerivedFrom} <{write.state}>",
        f"<{activity}> {PROV.used} <{write.state}>",  # derived ⇒ used, so that both plain paths agree
    }
    return lines | _node(f"{state}#resolved", state, f"<{write.state}>", basis, known, certain=True)


def _possible(state: str, writes: list[_Write], basis: str, known: int) -> set[str]:
    lines: set[str] = set()
    for number, write in enumerate(sorted(writes, key=lambda w: w.state), 1):
        lines.add(f"<{state}> {PS.possiblyDerivedFrom} <{write.state}>")
        needs = max(known, write.known, write.time_known)
        lines |= _node(f"{state}#possible/{number}", state, f"<{write.state}>", basis, needs, certain=False)
    return lines


def _node(node: str, subject: str, entity: str, basis: str, known: int, *, certain: bool) -> set[str]:
    """The qualified form: every inferred statement says on what basis and since which ledger index."""
    kind, link = (
        (PROV.Derivation, PROV.qualifiedDerivation) if certain else (PROV.EntityInfluence, PROV.qualifiedInfluence)
    )
    return {
        f"<{subject}> {link} <{node}>",
        f"<{node}> {RDF_TYPE} {kind}",
        f"<{node}> {PROV.entity} {entity}",
        f"<{node}> {PS.basis} {basis}",
        f"<{node}> {PS.knownFrom} {rdf.integer(known)}",
    }


def _unresolved(db: sqlite3.Connection, state: str, klass: str) -> set[str]:
    """An origin nobody recorded is an answer too, unless a dataset of the class is a declared source."""
    declared = db.execute(
        "SELECT 1 FROM source s LEFT JOIN link_class c ON c.dataset = s.dataset"
        " WHERE COALESCE(c.class, s.dataset) = ? LIMIT 1",
        (klass,),
    ).fetchone()
    return set() if declared else {f"<{state}> {RDF_TYPE} {PS.UnresolvedRead}"}
