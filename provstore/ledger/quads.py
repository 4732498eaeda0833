"""What records say, read beside a running ledger by who must not have its key."""

from __future__ import annotations

import zlib
from contextlib import closing
from pathlib import Path

from provstore.errors import LedgerError
from provstore.ledger.tables import UNREADABLE, connect


class Quads:
    """The canonical N-Quads in a directory's ledger, read-only; for one thread."""

    def __init__(self, directory: Path) -> None:
        self._db = connect(directory / "ledger.db", read_only=True)

    def record(self, index: int) -> bytes | None:
        """Those of the record at an index; None where it was erased."""
        return self._one("SELECT quads FROM body WHERE idx = ?", index)

    def content(self, iri: str) -> bytes | None:
        """Those of a content; None where it is not held."""
        return self._one("SELECT quads FROM content WHERE iri = ?", iri)

    def _one(self, statement: str, key: int | str) -> bytes | None:
        try:
            with closing(self._db.execute(statement, (key,))) as rows:
                found = rows.fetchone()
            return None if found is None or found[0] is None else zlib.decompress(found[0])
        except (*UNREADABLE, zlib.error) as error:
            raise LedgerError(f"the ledger could not be read ({error}): run provstore verify") from error

    def close(self) -> None:
        self._db.close()
