"""What the keeper of verdicts is asked to do, and what it answers: light, so that who asks need not load the keeper."""

from __future__ import annotations

from dataclasses import dataclass

from provstore.validation.profiles import Registry


@dataclass(frozen=True, slots=True)
class Step:
    """What the worker is to do next: follow the store to a copy, by these versions of profiles.

    `told` are things (number, sequence) of which the graph of verdicts says by now what it was to say. `careful` notes
    where it looks, so that what kills the worker is not looked at again; `fresh` tries again what was avoided so far.
    """

    directory: str
    base: str
    registry: Registry
    profiles: tuple[str, ...]
    snapshot: str
    index: int
    told: tuple[tuple[int, int], ...] = ()
    careful: bool = False
    fresh: bool = False


@dataclass(frozen=True, slots=True)
class Done:
    """How far it is: the index that all verdicts stand at, whether the copy was looked at whole.

    `say` is N-Quads by thing for the graph of verdicts, `told` what it says then. `compared` says that the graph was
    found in the hands of another process than before.
    """

    at: int
    finished: bool
    say: dict[str, str]
    told: tuple[tuple[int, int], ...]
    compared: bool
