"""The published JSON schemas of OpenLineage's facets: their properties, and a facet that has them all."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tests import suites

#: How many facet schemas `spec/current` holds, core and registry together.
COUNT = 44

Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Schema:
    """One facet schema; `properties` are JSON pointers with `*` for any index or key, leaves of the schema only."""

    file: str
    version: str
    key: str
    kinds: tuple[str, ...]
    properties: tuple[str, ...]
    examples: tuple[Object, ...]


@cache
def schemas() -> tuple[Schema, ...]:
    home = suites.path("openlineage") / "spec" / "current"
    files = sorted([*home.glob("facets/*.json"), *home.glob("registry/**/facets/*.json")])
    found = tuple(_schema(file, home) for file in files)
    assert len(found) == COUNT
    return found


def _schema(file: Path, home: Path) -> Schema:
    document = json.loads(file.read_bytes())
    core = json.loads((home / "OpenLineage.json").read_bytes())
    ((key, root),) = document["properties"].items()
    walker = _Walker(document, core)
    properties = tuple(sorted(set(walker.properties(root, "", ()))))
    kinds = tuple(sorted({name for name in _kinds(document) if name in _PLACES}))
    version = document["$id"].split("/facets/")[1].split("/")[0]
    return Schema(file.stem, version, key, kinds, properties, walker.examples(root))


#: What a facet is of → the kinds of place in an event that carry it.
_PLACES = frozenset(
    {"RunFacet", "JobFacet", "DatasetFacet", "InputDatasetFacet", "OutputDatasetFacet"},
)


def _kinds(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if "OpenLineage.json#/$defs/" in str(node.get("$ref")):
            yield str(node["$ref"]).rpartition("/")[2]
        for value in node.values():
            yield from _kinds(value)
    elif isinstance(node, list):
        for value in node:
            yield from _kinds(value)


class _Walker:
    def __init__(self, document: Object, core: Object) -> None:
        self._documents = (document, core)

    def examples(self, root: Object) -> tuple[Object, ...]:
        """Facets that between them have every property."""
        found = {json.dumps(each, sort_keys=True): each for t in range(64) for each in [self.example(root, t, "", ())]}
        return tuple(found.values())

    def _resolved(self, reference: str) -> Any:
        place, _, pointer = reference.partition("#/")
        node: Any = self._documents[1 if "OpenLineage.json" in place or pointer not in self else 0]
        for part in pointer.split("/"):
            node = node[part]
        return node

    def __contains__(self, pointer: str) -> bool:
        node: Any = self._documents[0]
        for part in pointer.split("/"):
            if part not in node:
                return False
            node = node[part]
        return True

    def properties(self, node: Object, path: str, stack: tuple[str, ...]) -> Iterator[str]:
        """Every property that has none below it; one that comes back to a schema above it ends there."""
        if "$ref" in node:
            if node["$ref"] in stack:
                return
            yield from self.properties(self._resolved(node["$ref"]), path, (*stack, node["$ref"]))
            return
        for way in ("allOf", "anyOf", "oneOf"):
            for each in node.get(way, ()):
                yield from self.properties(each, path, stack)
        inner = {f"{path}/{name}": each for name, each in node.get("properties", {}).items()}
        if isinstance(node.get("additionalProperties"), dict) and node["additionalProperties"]:
            inner[f"{path}/*"] = node["additionalProperties"]
        for place, each in inner.items():
            below = list(self._below(each, place, stack))
            yield from below or [place]

    def _below(self, node: Object, path: str, stack: tuple[str, ...]) -> Iterator[str]:
        if "items" in node:
            yield from self.properties(node["items"], f"{path}/*", stack)
        else:
            yield from self.properties(node, path, stack)

    def example(self, node: Object, turn: int, path: str, stack: tuple[str, ...]) -> Any:
        """A value with every property; each turn takes another way through the `oneOf` of the schema."""
        if "$ref" in node:
            if stack.count(node["$ref"]) == 2:  # a condition within a condition is enough
                return None
            return self.example(self._resolved(node["$ref"]), turn, path, (*stack, node["$ref"]))
        ways = [each for way in ("anyOf", "oneOf") for each in node.get(way, ())]
        if ways:
            return self.example(ways[turn % len(ways)], turn // len(ways), path, stack)
        if node.get("type") == "array":
            return [self.example(node.get("items", {}), turn + number, f"{path}/*", stack) for number in range(2)]
        if {"allOf", "properties", "additionalProperties"} & node.keys() or node.get("type") == "object":
            return self._object(node, turn, path, stack)
        return _scalar(node, path)

    def _object(self, node: Object, turn: int, path: str, stack: tuple[str, ...]) -> Object:
        whole: Object = {}
        for each in node.get("allOf", ()):
            whole |= self.example(each, turn, path, stack)
        for name, each in node.get("properties", {}).items():
            if name != "_deleted":
                whole[name] = self.example(each, turn, f"{path}/{name}", stack)
        whole = {name: each for name, each in whole.items() if each not in (None, [None, None])}
        extra = node.get("additionalProperties")
        if isinstance(extra, dict) and extra:
            whole["0.5"] = self.example(extra, turn, f"{path}/*", stack)
        elif not whole:
            whole["free"] = "text"
        return whole


def _scalar(node: Object, path: str) -> Any:
    for end, value in _MEANINGS.items():
        if path.endswith(end):
            return value
    kind = node.get("format") or node.get("type") or "string"
    return node.get("const") or (node.get("enum") or [_VALUES.get(kind, "text")])[0]


#: Values that mean something, by how the pointer of a property ends.
_MEANINGS = {
    "/transformations/*/type": "DIRECT",
    "/tests/*/status": "pass",
    "/version": "0123456789abcdef0123456789abcdef01234567",
}
_VALUES = {
    "uuid": "01930f5e-7b1a-7000-8000-00000000ffff",
    "uri": "https://example.org/x",
    "date-time": "2026-01-01T00:00:00Z",
    "integer": 7,
    "number": 7.5,
    "boolean": True,
}


# --- malformed facets ------------------------------------------------------------------------------------------------

GARBAGE: list[Any] = [
    None,
    "",
    "x",
    0,
    -1,
    2.5,
    10**30,
    True,
    [],
    [None],
    [[]],
    ["x"],
    [{}],
    {},
    {"a": None},
    {"a": [1]},
]


def everywhere(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every value inside a value, its own first."""
    yield path
    for key, each in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from everywhere(each, (*path, key))


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    again = copy.copy(value)
    again[path[0]] = replaced(value[path[0]], path[1:], new)
    return again


def garbled(schema: Schema, step: int = 1) -> Iterator[Any]:
    """An example of the schema with each value in it replaced by each piece of garbage, or every `step`th of them."""
    example = schema.examples[-1]
    whole = [(path, garbage) for path in everywhere(example) for garbage in GARBAGE]
    yield from (replaced(example, path, garbage) for path, garbage in whole[::step])
