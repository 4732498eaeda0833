"""Seeded incompletenesses: one thing at a time is taken out of the credit-risk example, found, and told what to do."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest

from provstore import rdf
from provstore.capture import formats
from provstore.capture.syntax import Document, map_document
from provstore.model import Mapped
from provstore.validation.checking import validate
from provstore.validation.results import Result
from provstore.vocab import PS
from tests.servers import BASE
from tools.pipeline import PAYLOADS

Payload = dict[str, Any]
Found = dict[tuple[str, str, str], Result]


def _mapped(body: bytes) -> Mapped:
    value = json.loads(body)
    return formats.of_payload(value).map(value, base=BASE)


@cache
def recorded() -> tuple[bytes, ...]:
    """Every JSON payload of the example that no later one supersedes, in its own form."""
    bodies = [line for file in sorted(PAYLOADS.glob("*.ndjson")) for line in file.read_bytes().splitlines()]
    gone = {json.loads(body).get("supersedes") for body in bodies}
    return tuple(body for body in bodies if _mapped(body).record not in gone)


@cache
def _said(body: bytes) -> bytes:
    """The statements of one payload, contents included."""
    return _mapped(body).whole


@cache
def _about(text: str) -> bytes:
    return map_document(Document(text.encode(), "text/turtle", BASE)).whole


@dataclass(frozen=True, slots=True)
class Seed:
    """What is broken: `change` of the payload that `which` tells, or `text` of about.ttl; and the rule that finds it.

    `says` are words of its message that tell what to do; `also` are rules that must find it, too.
    """

    profile: str
    rule: str
    says: str
    which: Callable[[Payload], bool] = lambda _: False
    change: Callable[[Payload], object] = lambda _: None
    text: tuple[str, str] = ("", "")
    also: frozenset[str] = frozenset()


def _kind(kind: str, **said: Any) -> Callable[[Payload], bool]:
    """The first payload of MLflow of a kind."""
    return lambda each: each.get("kind") == kind and all(each.get(key) == value for key, value in said.items())


def _batch(kind: str) -> Callable[[Payload], bool]:
    return lambda each: each["provstore"] == "items/1" and each["kind"] == kind


def _fair(each: Payload) -> bool:
    return bool(each["provstore"] == "fairness/1")


def _data(each: Payload) -> Any:
    return each["run"]["data"]


def _untag(*names: str) -> Callable[[Payload], object]:
    def change(each: Payload) -> None:
        _data(each)["tags"] = [tag for tag in _data(each)["tags"] if not tag["key"].startswith(names)]

    return change


def _tag(name: str, value: str) -> Callable[[Payload], object]:
    def change(each: Payload) -> None:
        _untag(name)(each)
        _data(each)["tags"].append({"key": name, "value": value})

    return change


def _without(*members: str) -> Callable[[Payload], object]:
    """Take members out of the payload itself."""

    def change(each: Payload) -> None:
        for member in members:
            del each[member]

    return change


def _items_without(member: str) -> Callable[[Payload], object]:
    def change(each: Payload) -> None:
        for item in each["items"]:
            del item[member]

    return change


def _all(*changes: Callable[[Payload], object]) -> Callable[[Payload], object]:
    return lambda each: [change(each) for change in changes]


RUN = _kind("run")
SEEDS: dict[str, Seed] = {}


def _key(result: Result) -> tuple[str, str, str]:
    return result.shape.rpartition("/")[2], result.focus, result.value


@cache
def _baseline(profile: str) -> Found:
    return _judged(profile, [_said(body) for body in recorded()], (PAYLOADS / "about.ttl").read_text())


def _judged(profile: str, said: list[bytes], about: str) -> Found:
    lines = {line for each in (*said, _about(about)) for line in each.splitlines(keepends=True)}
    triples = {rdf.split(line.decode())[:3] for line in lines}
    body = "".join(sorted(" ".join(each) + " .\n" for each in triples))
    return {_key(each): each for each in validate(body.encode(), profile)}
