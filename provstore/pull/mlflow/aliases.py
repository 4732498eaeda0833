"""The journals of a server's aliases: what looks and webhooks tell, put together and kept in the store."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote

from provstore import times
from provstore.capture.mlflow import keys
from provstore.errors import InvalidInput
from provstore.pull.emitter import Emitter
from provstore.pull.mlflow import states
from provstore.pull.mlflow.incarnations import Incarnations, milliseconds
from provstore.pull.mlflow.journal import Alias, Change
from provstore.pull.mlflow.webhooks import Delivery

Object = dict[str, Any]

_MODEL: Final = "registered-model"


@dataclass(frozen=True, slots=True, order=True)
class _Name:
    """An alias of a registered model; `since` tells which one of those that bore the model's name."""

    model: str
    since: str
    alias: str


@dataclass(frozen=True, slots=True)
class Look:
    """When MLflow was asked for all registered models: by `time.monotonic`, and from when to when by its own clock."""

    asked: float
    began: str
    ended: str


class Aliases:
    """Every alias of the registered models of a server; what the store holds of them is where it begins."""

    def __init__(self, server: str, emitter: Emitter, incarnations: Incarnations, ask: Callable[[str], None]) -> None:
        """`ask` makes known to `incarnations` which registered model bears a name now."""
        self._server, self._emitter, self._incarnations, self._ask = server, emitter, incarnations, ask
        self._lock = threading.Lock()
        self._aliases: dict[_Name, Alias] = {}
        self._looked = ""
        self._adopt()
        for name, changes in self._stored().items():
            self._aliases[name] = Alias(changes)

    def refresh(self) -> bool:
        """Take in what others have written to the store; whether there was something to put right then."""
        with self._lock:
            stored = self._stored()
            wrong = False
            for name in {*stored, *self._aliases}:
                held = self._aliases.setdefault(name, Alias())
                ours, held.changes = _ends(held.changes), ()
                held.take(stored.get(name, ()))
                trusted = {each: ends for each, ends in ours.items() if each in stored.get(name, ())}
                wrong |= self._keep(name, stored.get(name, ()), trusted, held.changes)
        self._emitter.flush()
        return wrong

    def bearers(self) -> set[tuple[str, str]]:
        """Name and `since` of each registered model of which an alias stands for a version."""
        with self._lock:
            return {(name.model, name.since) for name, held in self._aliases.items() if held.version}

    def look(self, models: list[Object], look: Look, created: Mapping[tuple[str, str], str]) -> None:
        """What a look at all registered models showed (their payloads); `created` is when their versions were made.

        An alias of which a webhook has come since is left to the next look, which then shows what is newer.
        """
        shown = {
            _Name(str(said["model"]["name"]), said.get("since", ""), str(each["alias"])): str(each["version"])
            for said in models
            for each in said["model"].get("aliases") or ()
        }
        with self._lock:
            for name in sorted({*shown, *self._aliases}):
                held, version = self._aliases.setdefault(name, Alias()), shown.get(name, "")
                if held.version == version or held.heard >= look.asked:
                    continue
                last = held.changes[-1].mark if held.changes else ""
                known = filter(None, (self._looked, created.get((name.model, version), ""), last))
                before = held.changes
                held.see(version, max(known, default="", key=times.key), look.ended)
                self._keep(name, before, _ends(before), held.changes)
            self._looked = look.began

    def hear(self, delivery: Delivery) -> bool:
        """What a webhook said of an alias; whether it was one. It is committed on return."""
        if delivery.entity != "model_version_alias":
            return False
        model, alias = str(delivery.data.get("name", "")), str(delivery.data.get("alias", ""))
        version = str(delivery.data.get("version", "")) if delivery.action == "created" else ""
        if not model or not alias or (not version and delivery.action != "deleted"):
            return False
        try:
            key = times.key(delivery.timestamp)[0]
        except ValueError as error:
            raise InvalidInput(f"the timestamp of the webhook is {error}") from error
        change = Change(version, times.lexical(key), details={"reported": "webhook", "delivery": delivery.identifier})
        self._ask(model)
        name = _Name(model, self._incarnations.at(_MODEL, model, milliseconds(key)), alias)
        with self._lock:
            held = self._aliases.setdefault(name, Alias())
            held.heard = time.monotonic()
            before = held.changes
            if all((each.at, each.version) != (change.at, version) for each in before):
                held.take([change])
                self._keep(name, before, _ends(before), held.changes)
        self._emitter.flush()
        return True

    def _keep(
        self,
        name: _Name,
        stored: tuple[Change, ...],
        ended: Mapping[Change, str],
        changes: tuple[Change, ...],
        history: tuple[str, ...] = (),
    ) -> bool:
        """Bring the store from the changes that it has to those that there were; whether there was something to do.

        A change is sent where the store's is not known to have ended (`ended`) what it ended, and where it stands for
        one that was none, or as the last one for a whole `history`.
        """
        gone: dict[Change, list[str]] = {}
        for each in stored:
            if each not in changes:
                gone.setdefault(_heir(changes, each), []).append(self._key(name, each))
        sent = False
        for each, ends in _ends(changes).items():
            instead_of = (*gone.get(each, ()), *(history if each is changes[-1] else ()))
            if instead_of or ended.get(each) != ends:
                sent |= self._emitter.offer(self._payload(name, each, ends), instead_of)
        return sent

    def _payload(self, name: _Name, change: Change, ends: str) -> Object:
        stored = {} if change.details else self._emitter.stored(self._key(name, change)) or {}
        said = stored.get("change") or change.said()
        return self._placed(name, states.of_change(self._server, name.model, name.alias, said, ends))

    def _key(self, name: _Name, change: Change) -> str:
        said = states.of_change(self._server, name.model, name.alias, change.said(), "")
        return keys.key(self._placed(name, said))

    def _placed(self, name: _Name, payload: Object) -> Object:
        return {**payload, "since": name.since} if name.since else payload

    def _stored(self) -> dict[_Name, tuple[Change, ...]]:
        """The changes that the store knows, in order."""
        found: dict[_Name, list[Change]] = {}
        head = f"{keys.prefix(self._server)}alias-change "
        for key in self._emitter.known:
            if key.startswith(head):
                model, alias, change = key.removeprefix(head).split("/", 2)
                model, _, since = model.partition("@")
                found.setdefault(_Name(unquote(model), since, unquote(alias)), []).append(Change.read(change))
        return {name: tuple(sorted(changes, key=lambda each: each.place)) for name, changes in found.items()}

    def _adopt(self) -> None:
        """Put changes in the place of whole histories, as earlier versions kept them."""
        head = f"{keys.prefix(self._server)}alias "
        for key in [each for each in self._emitter.known if each.startswith(head)]:
            model, alias = map(unquote, key.removeprefix(head).split("/", 1))
            held = Alias()
            held.take(map(Change.told, (self._emitter.stored(key) or {}).get("history", ())))
            self._keep(_Name(model, "", alias), (), {}, held.changes, (key,))
        self._emitter.flush()


def _ends(changes: tuple[Change, ...]) -> dict[Change, str]:
    """Each change, and the mark of the assignment that it ended; '' where the alias had stood for nothing."""
    before = ("", *(each.mark if each.version else "" for each in changes))
    return dict(zip(changes, before, strict=False))


def _heir(changes: tuple[Change, ...], gone: Change) -> Change:
    """The change that stands for one that was none: the webhook of it, the change before it, or else the first."""
    webhooks = (each for each in changes if each.tells_of(gone))
    before = max(
        (each for each in changes if each.place <= gone.place), key=lambda each: each.place, default=changes[0]
    )
    return next(webhooks, before)
