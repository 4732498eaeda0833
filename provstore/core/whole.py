"""A whole store held against a profile on demand: what its records together say, by one query per constraint."""

from __future__ import annotations

from collections.abc import Callable

from provstore.core.store import ProvStore
from provstore.store.query import read_only
from provstore.validation.checking import beyond, prepared, result_of
from provstore.validation.compiled import LIMIT, Checked, StoreValidation
from provstore.validation.profiles import Registry
from provstore.validation.results import Judgement, Result


def judged(
    store: ProvStore, registry: Registry, profile: str, progress: Callable[[float, float], None], *, limit: int = LIMIT
) -> Judgement:
    """What the rules of a profile find in the default graph of a store.

    At most `limit` results of a constraint are told; one more says how many there are beyond. `progress` hears how many
    constraints are done, and of how many. InvalidInput where the shapes cannot be used.
    """
    version = registry.find(profile)
    ready = prepared(version, registry)
    validation = StoreValidation(ready.shapes, read_only(store.snapshot().path), classes=ready.classes)
    found: set[Result] = set()
    cut: list[Result] = []
    for event in validation.run(limit=limit):
        if isinstance(event, Checked):
            progress(event.done, event.total)
            if event.truncated:
                cut.append(beyond(version.token, ready, event.check.shape, event.check.constraint, event.more))
        else:
            found.add(result_of(version.token, ready, validation.data, event))
    return Judgement.of(version.token, [*sorted(found, key=Result.order), *sorted(cut, key=Result.order)])
