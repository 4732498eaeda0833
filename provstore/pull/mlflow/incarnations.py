"""Names and numbers that are used again: which of the things that bore one, one after the other, is meant.

A registered model that was deleted and made again begins again with version 1, and a server that lost its database with
experiment 1. MLflow tells when each was made; what the store knows first under a name keeps it, and whatever bears the
name later is told apart by that instant (a payload's `since`), with all that belongs to it.
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import unquote

from provstore import times
from provstore.capture.mlflow import keys
from provstore.capture.redaction import cleaned
from provstore.pull.emitter import Emitter

Object = dict[str, Any]

#: Kinds whose names may be used again: the member that describes one, and those of its name and of when it was made.
_NAMED: Final = {
    "experiment": ("experiment", "experiment_id", "creation_time"),
    "registered-model": ("model", "name", "creation_timestamp"),
}
#: Kinds of what is in an experiment, and where they say in which.
_IN: Final = {
    "run": ("run", "info", "experiment_id"),
    "logged-model": ("model", "info", "experiment_id"),
    "trace": ("trace", "trace_location", "mlflow_experiment", "experiment_id"),
}


class Incarnations:
    """What the store knows, and MLflow was seen to have, of things that bore one name."""

    def __init__(self, server: str, emitter: Emitter) -> None:
        self._emitter = emitter
        self._first: dict[str, int] = {}  # key → when what bore the name first was made; 0 where that is not told
        self._later: dict[tuple[str, str], set[str]] = {}  # kind and name → `since` of those that bore it later
        self._now: dict[tuple[str, str], str] = {}  # kind and name → `since` of what was last seen to bear it
        for key in emitter.known:
            kind, _, name = key.removeprefix(keys.prefix(server)).partition(" ")
            if kind in _NAMED and "@" in name:
                name, _, since = name.partition("@")
                self._later.setdefault((kind, unquote(name)), set()).add(since)

    def placed(self, payload: Object) -> Object:
        """The payload with `since`, and `replaces`, where what it is of, or in, is not the first of its name."""
        kind = payload["kind"]
        if "since" in payload or payload.get("kind") not in (*_NAMED, *_IN, "model-version"):
            return payload
        if kind in _NAMED:
            return self._one_of_many(payload, kind)
        if kind == "model-version":
            said = payload["version"]
            since = self.at("registered-model", str(said["name"]), int(said.get("creation_timestamp") or 0))
        else:
            since = self._now.get(("experiment", _experiment(payload, _IN[kind])), "")
        return {**payload, "since": since} if since else payload

    def _one_of_many(self, payload: Object, kind: str) -> Object:
        name, made = _named(payload)
        key = keys.key(payload)
        if key not in self._first:
            self._first[key] = self._made_first(payload, key, made)
        since = str(made) if made and self._first[key] and made != self._first[key] else ""
        self._now[kind, name] = since
        if not since:
            return payload
        self._later.setdefault((kind, name), set()).add(since)
        before = self.at(kind, name, made - 1)
        return {**payload, "since": since, **({"replaces": before} if before else {})}

    def _made_first(self, payload: Object, key: str, made: int) -> int:
        live = self._emitter.known.get(key)
        if live is None or live.digest == keys.digest(cleaned(payload)):
            return made
        return _named(self._emitter.stored(key) or payload)[1]

    def at(self, kind: str, name: str, instant: int) -> str:
        """The `since` of what bore a name at an instant (in milliseconds); '' for the first."""
        begun = (since for since in self._later.get((kind, name), ()) if int(since) <= instant)
        return max(begun, key=int, default="")


def milliseconds(key: str) -> int:
    """The instant of a key of `times`, in milliseconds since 1970."""
    return (times.ticks(key) - times.ticks(times.key_of_milliseconds(0))) // 10_000


def _named(payload: Object) -> tuple[str, int]:
    member, name, made = _NAMED[payload["kind"]]
    said = payload[member]
    return str(said[name]), int(said.get(made) or 0)


def _experiment(payload: Object, path: tuple[str, ...]) -> str:
    found: Any = payload
    for step in path:
        found = found.get(step) if isinstance(found, dict) else None
    return str(found)
