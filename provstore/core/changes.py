"""What changed in the default graph from one copy of the store to another, as the journal and the ledger tell it."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator
from contextlib import closing
from pathlib import Path

from provstore import rdf
from provstore.ledger.quads import Quads
from provstore.validation.affected import Triple
from provstore.validation.graph import Data
from provstore.validation.stored import written
from provstore.validation.terms import is_literal
from provstore.views import journal


class Gap(Exception):
    """What changed is not known any more: everything has to be looked at."""


class Changes:
    """The changes of one data directory, for a process that neither owns it nor has the ledger's key."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def made(self) -> str:
        """Which views they are changes of: others after a rebuild."""
        with closing(self._view()) as db:
            (made,) = db.execute("SELECT value FROM meta WHERE key = 'made'").fetchone()
        return str(made)

    def batches(self, after: int, last: int) -> Iterator[journal.Batch]:
        """What changed between two indices; Gap where that is not held any more."""
        with closing(self._view()) as db:
            ends = journal.between(db, after, last)
            for end in [None] if ends is None else ends:
                found = None if end is None else journal.batch(db, end)
                if found is None:
                    raise Gap
                yield found

    def of(
        self, batch: journal.Batch, before: Data | None, after: Data, predicates: Collection[str] | None
    ) -> tuple[list[Triple], list[Triple]]:
        """What was gained and lost of all that a batch touches; without `before`, what may have been.

        Only triples with one of the predicates, if any are given; terms are as the store has them.
        """
        added: list[Triple] = []
        removed: list[Triple] = []
        for triple in dict.fromkeys(self._touched(batch)):
            if predicates is None or triple[1] in predicates:
                now = after.has(*triple)
                if before is None or now != before.has(*triple):
                    (added if now else removed).append(_stored(triple))
        return added, removed

    def _touched(self, batch: journal.Batch) -> Iterator[Triple]:
        with closing(Quads(self._directory)) as quads:
            parts = [quads.record(index) for index in [*(index for index, _ in batch.records), *batch.withdrawn]]
            parts += [quads.content(iri) for iri in [*batch.contents, *batch.uncited]]
        if None in parts:  # erased meanwhile
            raise Gap
        text = "".join([*((part or b"").decode() for part in parts), *batch.adds, *batch.removes])
        for line in text.split("\n")[:-1]:  # not splitlines(): literals may hold U+2028
            subject, predicate, value, _ = rdf.split(line)
            yield subject, predicate, value

    def _view(self) -> sqlite3.Connection:
        path = self._directory / "views" / "view.db"
        return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None, timeout=10)


def _stored(triple: Triple) -> Triple:
    subject, predicate, value = triple
    return subject, predicate, written(value) if is_literal(value) else value
