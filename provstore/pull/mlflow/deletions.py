"""What is gone from MLflow for good, and what is there again."""

from __future__ import annotations

import re
from collections.abc import Callable, Set
from typing import Any, Final
from urllib.parse import unquote

from provstore.capture.mlflow import keys
from provstore.errors import Misconfigured, NotFound
from provstore.pull.emitter import Emitter
from provstore.pull.mlflow import states
from provstore.pull.mlflow.incarnations import Incarnations
from provstore.pull.mlflow.listing import Listing

Object = dict[str, Any]

#: How one of a kind is asked for by its name.
_SINGLY: Final[dict[str, Callable[[Listing, str], Object]]] = {
    "experiment": Listing.experiment,
    "run": Listing.run,
    "logged-model": Listing.logged_model,
    "registered-model": Listing.registered_model,
    "model-version": lambda listing, name: listing.model_version(*name.rsplit("/", 1)),
    "trace": Listing.trace,
}
#: Kinds whose names may be used again, and the payload of one.
_AGAIN: Final[dict[str, Callable[[str, Object], Object]]] = {
    "experiment": states.of_experiment,
    "registered-model": states.of_registered_model,
    "model-version": lambda server, said: states.of_model_version(server, said, ""),
}
#: What a key says of which of those that bore one name it is of.
_SINCE: Final = re.compile(r"@([0-9]+)")


class Deletions:
    """Compares what the store knows with what a sweep was shown; `tell` hears of what may no longer be read."""

    def __init__(
        self,
        listing: Listing,
        emitter: Emitter,
        server: str,
        incarnations: Incarnations,
        tell: Callable[[str], None],
    ) -> None:
        self._listing, self._emitter, self._server = listing, emitter, server
        self._incarnations, self._tell = incarnations, tell
        self._unreadable: set[str] = set()  # the keys of what was told to be so

    def compare(self, seen: Set[str], passed_over: Set[str]) -> None:
        """Record what is known, was not among the keys that were seen, and is not found when it is asked for either.

        What is there again, because a database was restored or somebody may read again, is said to be back.
        Kinds that are `passed_over` are not looked for.
        """
        head = keys.prefix(self._server)
        known = self._emitter.known
        deleted = {key for key in known if key.startswith(f"{head}deletion ")}
        for key in sorted(known):
            kind, _, name = key.removeprefix(head).partition(" ")
            if kind not in _SINGLY or kind in passed_over:
                continue
            since = _SINCE.search(name)
            gone = kind, unquote(_SINCE.sub("", name)), since[1] if since else ""
            payload = states.of_deletion(self._server, *gone)
            of = keys.key(payload)
            purged = of in deleted and known[of].digest == keys.digest(payload)
            if key in seen:
                if purged:
                    self._emitter.offer(states.of_deletion(self._server, *gone, back=True))
            elif not purged and not self._is_there(key, kind, gone[1]):
                self._emitter.offer(payload)

    def _is_there(self, key: str, kind: str, name: str) -> bool:
        """Whether MLflow has it, and not another thing of the same name."""
        try:
            said = _SINGLY[kind](self._listing, name)
        except NotFound:
            return False
        except Misconfigured as error:  # nobody may read it any more: that says nothing of whether it is there
            if key not in self._unreadable:
                self._tell(f"{key} can no longer be read: {error}")
            self._unreadable.add(key)
            return True
        if kind not in _AGAIN:
            return True
        return keys.key(self._incarnations.placed(_AGAIN[kind](self._server, said))) == key
