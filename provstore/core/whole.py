"""A whole store held against a profile on demand: what its records together say, by one query per constraint."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from provstore.core.store import ProvStore
from provstore.store.query import read_only
from provstore.validation.checking import prepared, result_of
from provstore.validation.compiled import LIMIT, Checked, StoreValidation
from provstore.validation.profiles import Registry
from provstore.validation.results import Judgement, Result, conformity


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
    found: list[Result] = []
    cut: list[Result] = []
    last: Result | None = None
    for event in validation.run(limit=limit):
        if isinstance(event, Checked):
            progress(event.done, event.total)
            if event.truncated and last is not None:
                cut.append(_beyond(last, event))
        else:
            last = result_of(version.token, ready, validation.data, event)
            found.append(last)
    results = (*sorted(set(found), key=Result.order), *cut)
    return Judgement(version.token, conformity(each.severity for each in results), results)


def _beyond(last: Result, checked: Checked) -> Result:
    """That there are more results like the last one of a constraint."""
    more = f"{checked.more:,}" if checked.more else "more"
    message = f"And {more} results like these, which are not told one by one."
    return replace(last, focus="", value="", message=message, fix=None, details=(), expected="")
