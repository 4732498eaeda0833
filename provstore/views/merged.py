"""What the records of one activity come to, taken together: its reads, its writes, and lines for the merged graph.

A ledger index beside a value, `…known`, is the lowest at which a record states that value.
"""

from __future__ import annotations

from dataclasses import dataclass, field

#: Modes of writing after which the state before is still there, and after which it is not.
KEEPS = frozenset({"Append", "Merge", "Alter"})
REPLACES = frozenset({"Overwrite", "Truncate", "Create"})
#: The mode of a write of which records state one that keeps and one that replaces.
CONTRADICTORY = "Contradictory"
#: Modes of a `Write` that ends what a name stands for instead of writing: nothing is there for later readers.
ENDINGS = ("Drop", "Rename")


@dataclass(frozen=True, slots=True)
class Read:
    """One state that the activity read; `asserted` is False where only the lineage of an output names it."""

    state: str
    dataset: str
    known: int
    version: str = ""
    version_known: int = 0
    digest: str = ""
    digest_known: int = 0
    asserted: bool = True


@dataclass(frozen=True, slots=True)
class Write:
    """One state that the activity wrote, or with a mode of `ENDINGS` (its `state` is no entity then) an ending."""

    state: str
    dataset: str
    time: str | None
    partial: bool
    known: int
    time_known: int
    version: str = ""
    version_known: int = 0
    digest: str = ""
    digest_known: int = 0
    mode: str = ""
    mode_known: int = 0
    renamed: str = ""  # the dataset whose name it had before, where no record states the read under that name
    renamed_known: int = 0


@dataclass(slots=True)
class Merged:
    """One activity: its lines for the merged graph, and its reads and writes ready to be matched across runs.

    It can have read from `first` to `last`; what its writes were made from, it had read before `until`, of which the
    earlier of `first` and `until` is when it had begun, known from `first_known` on.
    """

    base: str
    lines: set[str] = field(default_factory=set)
    reads: list[Read] = field(default_factory=list)
    writes: list[Write] = field(default_factory=list)
    endings: list[Write] = field(default_factory=list)
    first: str | None = None
    last: str | None = None
    until: str | None = None
    first_known: int = 0
    version: tuple[str, str, str] | None = None  # job version IRI, job, content IRIs (space between)


def identifier(activity: str) -> str:
    """The last part of an activity's IRI: the UUID of `urn:uuid:…`, else its last path segment."""
    return activity.rpartition(":" if activity.startswith("urn:") else "/")[2]
