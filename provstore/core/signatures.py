"""Whether keys that an operator trusts signed the statements that the store holds.

Asked anew each time: the answer is a function of the ledger's payloads and the keys, and is stored nowhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from provstore.errors import Misconfigured
from provstore.export import verify
from provstore.export.verify import Signatures, Trusted, signatures
from provstore.ledger.log import Body, Ledger

#: The format of statements: what its adapter is called in the ledger.
FORMAT = "statement"


def trusted_keys(places: Sequence[str]) -> list[Trusted]:
    """The public keys in files, and in the files of directories; Misconfigured where one of them holds none."""
    try:
        return verify.trusted(str(file) for place in places for file in _files(Path(place)))
    except (OSError, verify.Impossible) as error:
        raise Misconfigured(f"of the trusted keys {error}") from error


def _files(place: Path) -> list[Path]:
    if not place.is_dir():
        return [place]
    return sorted(each for each in place.iterdir() if each.is_file() and not each.name.startswith("."))


def signed(body: Body, trusted: Sequence[Trusted]) -> Signatures | None:
    """The signatures of a record that is a statement; None of any other."""
    return signatures(body.payload, trusted) if body.adapter.startswith(f"{FORMAT}/") else None


def all_signed(ledger: Ledger, trusted: Sequence[Trusted]) -> Iterator[tuple[Body, Signatures]]:
    """Each statement of a ledger that it still holds, in its order."""
    for index in ledger.by_adapter(FORMAT, 0):
        for body in ledger.bodies(index, index):
            yield body, signatures(body.payload, trusted)
