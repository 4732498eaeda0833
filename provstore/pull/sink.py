"""Where a puller's payloads go, and what it finds there of those before: a store, seen from the puller's side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Live:
    """The live record of a state: its IRI, and the digest of the state (`ps:stateDigest`).

    `rivals` are other records of the same key that are live as well: of pullers that wrote at the same time.
    """

    record: str
    digest: str
    rivals: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one payload: the IRI of its record, or why it was refused."""

    record: str
    refusal: str = ""


class Sink(Protocol):
    """A store, by directory or by server."""

    def known(self, prefix: str) -> dict[str, Live]:
        """The live record of each state whose key (`ps:capturedFrom`) begins so, by the key; all that is committed."""

    def payload(self, record: str) -> bytes:
        """The payload of a record, as it was received."""

    def send(self, payloads: Sequence[bytes]) -> list[Outcome]:
        """Commit payloads, each a JSON object; an outcome each, in their order."""
