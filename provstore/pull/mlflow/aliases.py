"""The journals of a server's aliases: what looks and webhooks tell, put together and kept in the store."""

from __future__ import annotations

import threading
import time
from typing import Any
from urllib.parse import unquote

from provstore import times
from provstore.capture.mlflow import keys
from provstore.errors import InvalidInput
from provstore.pull.emitter import Emitter
from provstore.pull.mlflow import states
from provstore.pull.mlflow.journal import Alias
from provstore.pull.mlflow.webhooks import Delivery

Object = dict[str, Any]


class Aliases:
    """Every alias of the registered models of a server; what the store holds of them is where it begins."""

    def __init__(self, server: str, emitter: Emitter) -> None:
        self._server, self._emitter = server, emitter
        self._lock = threading.Lock()
        self._aliases: dict[tuple[str, str], Alias] = {}
        self._looked = ""
        head = f"{keys.prefix(server)}alias "
        for key in [each for each in emitter.known if each.startswith(head)]:
            name, _, alias = key.removeprefix(head).partition("/")
            stored = emitter.stored(key) or {}
            self._aliases[unquote(name), unquote(alias)] = Alias(list(stored.get("history", ())))

    def look(self, models: list[Object], began: tuple[float, str], created: dict[tuple[str, str], str]) -> None:
        """What a look at all registered models showed; `began` is when, by the monotonic clock and as an instant.

        An alias of which a webhook has come since is left to the next look, which then shows what is newer.
        """
        shown = {
            (str(model["name"]), str(each["alias"])): str(each["version"])
            for model in models
            for each in model.get("aliases") or ()
        }
        with self._lock:
            for name, alias in sorted({*shown, *self._aliases}):
                held = self._aliases.setdefault((name, alias), Alias())
                version = shown.get((name, alias))
                known = (self._looked, created.get((name, version or ""), ""), _last(held))
                after = max(filter(None, known), default="", key=times.key)
                if held.heard < began[0] and held.seen(version, after, began[1], {"reported": "look"}):
                    self._keep(name, alias, held)
            self._looked = began[1]

    def hear(self, delivery: Delivery) -> bool:
        """What a webhook said of an alias; whether it was one. It is committed on return."""
        if delivery.entity != "model_version_alias":
            return False
        name, alias = str(delivery.data.get("name", "")), str(delivery.data.get("alias", ""))
        version = str(delivery.data["version"]) if delivery.action == "created" and "version" in delivery.data else None
        if not name or not alias or (version is None and delivery.action != "deleted"):
            return False
        try:
            at = times.lexical(times.key(delivery.timestamp)[0])
        except ValueError as error:
            raise InvalidInput(f"the timestamp of the webhook is {error}") from error
        with self._lock:
            held = self._aliases.setdefault((name, alias), Alias())
            held.heard = time.monotonic()
            details = {"reported": "webhook", "delivery": delivery.identifier}
            if held.told(version, at, details):
                self._keep(name, alias, held)
        self._emitter.flush()
        return True

    def _keep(self, name: str, alias: str, held: Alias) -> None:
        self._emitter.offer(states.of_alias(self._server, name, alias, held.changes))


def _last(held: Alias) -> str:
    if not held.changes:
        return ""
    change = held.changes[-1]
    return str(change.get("at") or change["before"])
