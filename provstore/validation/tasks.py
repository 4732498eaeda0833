"""What workers are asked to validate: light, so that who asks need not load what they use."""

from __future__ import annotations

from dataclasses import dataclass

from provstore.validation.profiles import Registry

#: The engines that can be asked: closures over compiled shapes, and pySHACL.
ENGINES = ("compiled", "pyshacl")


@dataclass(frozen=True, slots=True)
class Task:
    """A record to be validated, for a worker process: canonical N-Quads, the name of a profile, who is to look."""

    registry: Registry
    profile: str
    quads: bytes
    engine: str = ENGINES[0]
