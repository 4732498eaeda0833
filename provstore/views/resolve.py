"""The inferred graph: which write a read saw, and what a write kept of the one before it.

Each conclusion belongs to one state, is computed from the effective reads and writes of one symlink class, and names
its basis. Nothing certain is said where two writes could have been seen.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, replace

from provstore import iris, rdf, times
from provstore.views.merged import ENDINGS, KEEPS, REPLACES, identifier
from provstore.vocab import PROV, PS, RDF_TYPE

_COLUMNS = (
    "state, activity, time, partial, version, digest, content, mode, known, time_known, version_known, digest_known,"
    " mode_known"
)


@dataclass(frozen=True, slots=True)
class _Write:
    state: str
    activity: str
    time: str | None
    partial: int
    version: str
    digest: str
    content: str
    mode: str
    known: int
    time_known: int
    version_known: int
    digest_known: int
    mode_known: int

    @property
    def ends(self) -> bool:
        """Whether this is no write but the end of what the name stood for."""
        return self.mode in ENDINGS

    @property
    def placed(self) -> int:
        """The lowest ledger index at which it is known that it was written, and when."""
        return max(self.known, self.time_known)


@dataclass(frozen=True, slots=True)
class _Read:
    state: str
    activity: str
    klass: str
    first: str | None
    last: str | None
    until: str | None
    version: str
    digest: str
    content: str
    known: int
    time_known: int
    version_known: int
    digest_known: int

    def differs(self, write: _Write) -> bool:
        """Whether what was read is known to be other bytes than what was written."""
        return self.content != write.content and iris.same_digest_kind(self.digest, write.digest)

    def can_have_seen(self, write: _Write) -> bool:
        """Nobody reads what is written after his end."""
        return not (self.last and write.time and write.time > self.last)

    def surely_before(self, write: _Write) -> bool:
        """Whether what the reader wrote can be made from the write: else a derivation would run back in time."""
        return not (self.until and write.time and write.time >= self.until)

    def without_time(self, write: _Write) -> bool:
        """Whether neither tells when it was, so that either may have come first."""
        return self.first is None and write.time is None


def resolve_read(db: sqlite3.Connection, state: str) -> set[str]:
    """The inferred lines of a read state: the write it saw, the writes it may have seen, or that it is unresolved.

    A state that several runs are said to have read was read by the time that each of them needed it.
    """
    rows = db.execute(
        "SELECT activity, class, first, last, until, version, digest, content, known, time_known, version_known,"
        " digest_known FROM was_read WHERE state = ?",
        (state,),
    ).fetchall()
    if not rows:
        return set()
    reads = [_begun(_Read(state, *row)) for row in rows]
    until = min((each.until for each in reads if each.until), default=None)
    lines: set[str] = set()
    for klass in sorted({each.klass for each in reads}):
        first = min((r for r in reads if r.klass == klass), key=lambda r: (r.first is None, r.first, r.activity))
        lines |= _resolve(db, replace(first, until=until), {each.activity for each in reads})
    return lines


def _begun(read: _Read) -> _Read:
    """The read with the instant by which its run had begun: that of its first write, where it tells a later start."""
    return replace(read, first=min((t for t in (read.first, read.until) if t), default=None))


def _resolve(db: sqlite3.Connection, read: _Read, users: set[str]) -> set[str]:
    if read.content and (found := _of_content(db, read)):
        return _same_content(db, read, users, *found)
    labelled = _of_version(db, read) if read.version else []
    labelled = [w for w in labelled if not _ended_between(db, read, w)]
    if len(labelled) == 1 and read.surely_before(labelled[0]):
        (write,) = labelled
        return _certain(
            db, read, users, write, PS.VersionMatch, read.known, read.version_known, write.known, write.version_known
        )
    if read.first is None or read.last is None:
        return _unresolved(db, read)
    before = _latest_before(db, read.klass, read.first, read.activity, read.version, bool(labelled))
    during = _during(db, read, bool(labelled))
    # what lies there with other bytes than were read was overwritten by somebody who recorded nothing
    seen = [write for write in before + during if not write.ends and not read.differs(write)]
    known = max(read.known, read.time_known)
    if len(before) == 1 and seen == before and not during:
        return _certain(db, read, users, before[0], PS.LatestBefore, known, before[0].placed)
    if seen:
        basis = PS.Overlap if during else PS.Tie
        return _possible(read.state, [(write, max(known, write.placed)) for write in seen], basis)
    return _unresolved(db, read)


def _same_content(db: sqlite3.Connection, read: _Read, users: set[str], same: list[_Write], here: bool) -> set[str]:
    """Of writes with the same content, the latest before the read; all of them where none is.

    Certain is one under the name that was read (`here`), or where somebody tells a time: of two things that happened
    no one knows when, and that have but their bytes in common, either may be made from the other.
    """
    before = [w for w in same if read.first and w.time and w.time < read.first]
    newest = max((w.time for w in before if w.time), default=None)
    found = [w for w in before if w.time == newest] or same
    needs = [max(read.known, read.digest_known, w.known, w.digest_known) for w in found]
    if len(same) > 1:  # then times decided
        needs = [max(n, read.time_known, w.time_known) for n, w in zip(needs, found, strict=True)]
    if len(found) == 1 and read.surely_before(found[0]) and (here or not read.without_time(found[0])):
        return _certain(db, read, users, found[0], PS.ContentMatch, *needs)
    return _possible(read.state, list(zip(found, needs, strict=True)), PS.ContentMatch)


def previous_state(db: sqlite3.Connection, state: str) -> set[str]:
    """The inferred lines of a write state about the one before it: kept by an append, gone after an overwrite.

    For a drop, that the state before it is invalidated.
    """
    lines: set[str] = set()
    rows = db.execute(f"SELECT {_COLUMNS}, class FROM wrote WHERE state = ?", (state,)).fetchall()
    makers = {row[1] for row in rows} | _makers(db, state) if rows else set()
    for row in rows:
        write, klass = _Write(*row[:-1]), row[-1]
        if write.mode == "Drop":
            lines |= _invalidated(db, write, klass)
        elif not write.ends:
            lines |= _before(db, write, klass, makers)
    return lines


def _before(db: sqlite3.Connection, write: _Write, klass: str, makers: set[str]) -> set[str]:
    found = _latest_before(db, klass, write.time or "", write.activity, "", False, apart=True)
    whole = [each for each in found if not each.ends]
    lines: set[str] = set()
    for number, previous in enumerate(whole, 1):
        me, old = f"<{write.state}>", f"<{previous.state}>"
        node, known = f"{write.state}#kept/{number}", max(write.placed, previous.placed)
        if len(whole) == len(found):  # else one and the same instant may have left nothing
            lines.add(f"{me} {PS.previousState} {old}")
        if write.mode in REPLACES:
            continue
        if write.mode in KEEPS and len(found) == 1:
            known = max(known, write.mode_known)
            lines.add(f"{me} {PROV.wasDerivedFrom} {old}")
            lines |= {f"<{maker}> {PROV.used} {old}" for maker in makers}
            lines |= _node(node, write.state, old, PS.KeptByWrite, known, certain=True)
        else:
            basis = PS.Tie if write.mode in KEEPS else PS.UnknownWriteMode
            lines.add(f"{me} {PS.possiblyDerivedFrom} {old}")
            lines |= _node(node, write.state, old, basis, known, certain=False)
    return lines


def _invalidated(db: sqlite3.Connection, drop: _Write, klass: str) -> set[str]:
    """That the state which stood when its asset was dropped is no more (PROV-O §3.3 Invalidation): the state alone.

    Nothing where a run within reported the same drop, where two writes could have stood, or where the run failed.
    """
    if drop.time is None or drop.partial or _descendant_wrote(db, klass, drop.activity, drop.time):
        return set()
    found = _latest_before(db, klass, drop.time, "", "", False)
    if len(found) != 1 or found[0].ends:
        return set()
    (write,) = found
    state, node = f"<{write.state}>", f"<{write.state}#invalidation/{identifier(drop.activity)}>"
    return {
        f"{state} {PROV.wasInvalidatedBy} <{drop.activity}>",
        f"{state} {PROV.qualifiedInvalidation} {node}",
        f"{node} {RDF_TYPE} {PROV.Invalidation}",
        f"{node} {PROV.activity} <{drop.activity}>",
        f"{node} {PROV.atTime} {rdf.date_time(times.lexical(drop.time))}",
        f"{node} {PS.basis} {PS.LatestBefore}",
        f"{node} {PS.knownFrom} {rdf.integer(max(drop.placed, write.placed))}",
    }


def _makers(db: sqlite3.Connection, state: str) -> set[str]:
    """Every activity that a record says generated a state: each used what the state was derived from."""
    return {a for (a,) in db.execute("SELECT activity FROM generated WHERE entity = ?", (state,))}


def _of_content(db: sqlite3.Connection, read: _Read) -> tuple[list[_Write], bool] | None:
    """The writes of the bytes that were read: those under the same name, or where there is none, under any.

    And which of both. A copy under another name is no origin of what is itself copied, where nobody tells times: each
    of two imports would come from the other.
    """
    rows = db.execute(
        f"SELECT class = ?, {_COLUMNS} FROM wrote WHERE content = ? AND content <> '' AND activity <> ? ORDER BY state",
        (read.klass, read.content, read.activity),
    ).fetchall()
    found = [(here, write) for here, *row in rows if read.can_have_seen(write := _Write(*row))]
    if same := [write for here, write in found if here]:
        return same, True
    others = [write for _, write in found]
    if _copies(db, read.activity, read.content):
        others = [w for w in others if not (read.without_time(w) and _copies(db, w.activity, read.content))]
    return (others, False) if others else None


def _copies(db: sqlite3.Connection, activity: str, content: str) -> bool:
    """Whether an activity read bytes and wrote the same."""
    row = db.execute(
        "SELECT 1 FROM was_read r JOIN wrote w ON w.activity = r.activity AND w.content = r.content"
        " WHERE r.activity = ? AND r.content = ? LIMIT 1",
        (activity, content),
    ).fetchone()
    return row is not None


def _of_version(db: sqlite3.Connection, read: _Read) -> list[_Write]:
    """The writes under the label that the read names, but for those that are known to be of other bytes."""
    rows = db.execute(
        f"SELECT {_COLUMNS} FROM wrote WHERE class = ? AND version = ? AND activity <> ? ORDER BY state",
        (read.klass, read.version, read.activity),
    )
    found = (_Write(*row) for row in rows)
    return [write for write in found if read.can_have_seen(write) and not read.differs(write)]


def _ended_between(db: sqlite3.Connection, read: _Read, write: _Write) -> bool:
    """Whether the name was dropped or given away between a write and a read: then it is not that which was read."""
    row = db.execute(
        f"SELECT 1 FROM wrote WHERE class = ? AND time > ? AND time < ? AND activity <> ? AND partial = 0"
        f" AND mode IN ({','.join('?' * len(ENDINGS))})",
        (read.klass, write.time, read.first, read.activity, *ENDINGS),
    ).fetchone()
    return row is not None


def _label_fits(write: _Write, version: str, labelled: bool) -> bool:
    """A write under another label is not what was read; an unlabelled one may be, unless some carry the label."""
    if not version or write.ends:
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
    """The latest whole writes strictly before an instant (several where they tie), by other runs; or what ended them.

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
    return _settled(found)


def _settled(writes: list[_Write]) -> list[_Write]:
    """By state; of what one run wrote and ended at one instant, under whatever names, the write is what is left."""
    wrote = {(w.activity, w.time) for w in writes if not w.ends}
    return sorted((w for w in writes if not w.ends or (w.activity, w.time) not in wrote), key=lambda w: w.state)


def _during(db: sqlite3.Connection, read: _Read, labelled: bool) -> list[_Write]:
    """The whole writes, and what ended them, while the reader ran; its relatives' count as its own."""
    relatives = set(_relatives(db, read.activity))
    rows = db.execute(
        f"SELECT {_COLUMNS} FROM wrote WHERE class = ? AND time >= ? AND time <= ? AND activity <> ? AND partial = 0"
        " ORDER BY state",
        (read.klass, read.first, read.last, read.activity),
    )
    found = [w for w in (_Write(*row) for row in rows.fetchall()) if w.activity not in relatives]
    found = [w for w in found if _label_fits(w, read.version, labelled)]
    return _settled([w for w in found if not _descendant_wrote(db, read.klass, w.activity, str(read.last))])


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


def _certain(db: sqlite3.Connection, read: _Read, users: set[str], write: _Write, basis: str, *known: int) -> set[str]:
    lines = {f"<{read.state}> {PROV.wasDerivedFrom} <{write.state}>"}
    # derived ⇒ used, so that both plain paths agree; a read that somebody is said to have generated is no exception
    lines |= {f"<{user}> {PROV.used} <{write.state}>" for user in users | _makers(db, read.state)}
    return lines | _node(f"{read.state}#resolved", read.state, f"<{write.state}>", basis, max(known), certain=True)


def _possible(state: str, writes: list[tuple[_Write, int]], basis: str) -> set[str]:
    lines: set[str] = set()
    for number, (write, known) in enumerate(sorted(writes, key=lambda each: each[0].state), 1):
        lines.add(f"<{state}> {PS.possiblyDerivedFrom} <{write.state}>")
        lines |= _node(f"{state}#possible/{number}", state, f"<{write.state}>", basis, known, certain=False)
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


def _unresolved(db: sqlite3.Connection, read: _Read) -> set[str]:
    """An origin nobody recorded is an answer too, unless a dataset of the class is a declared source."""
    declared = db.execute(
        "SELECT 1 FROM source s LEFT JOIN link_class c ON c.dataset = s.dataset"
        " WHERE COALESCE(c.class, s.dataset) = ? LIMIT 1",
        (read.klass,),
    ).fetchone()
    return set() if declared else {f"<{read.state}> {RDF_TYPE} {PS.UnresolvedRead}"}
