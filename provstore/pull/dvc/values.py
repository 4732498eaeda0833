"""Files of parameters and of metrics as JSON values: YAML, JSON, TOML, and what Python assigns literally."""

from __future__ import annotations

import ast
import json
import math
import posixpath
import tomllib
import warnings
from collections.abc import Callable, Iterator
from typing import Any, Final

from provstore.capture.dvc import flat
from provstore.errors import InvalidInput, ProvStoreError, TooLarge
from provstore.pull import yaml
from provstore.pull.yaml import MAX_BYTES

#: Bytes of Python that are parsed at most: its parser takes memory for every word.
_MAX_PYTHON: Final = 1 << 20
_MAX_NUMBERS: Final = 10_000


def load(data: bytes, path: str) -> Any:
    """The value that a file holds, read as its ending says, and as YAML where that says nothing, as DVC does.

    InvalidInput where it cannot be read, TooLarge beyond the limits of `provstore.pull.yaml`.
    """
    if len(data) > MAX_BYTES:
        raise TooLarge(f"{len(data)} bytes of values; at most {MAX_BYTES} are read")
    ending = posixpath.splitext(path)[1].lower()
    reader = _READERS.get(ending)
    if reader is None:
        return yaml.load(data)
    try:
        return reader(data.decode())
    except (ValueError, SyntaxError, RecursionError, MemoryError) as error:  # memory, where Python nests too deep
        raise InvalidInput(f"not {_NAMES[ending]}") from error


def numbers(data: bytes, path: str) -> dict[str, float | int]:
    """The finite numbers in a metrics file by their dotted keys; none where it cannot be read, or has too many."""
    try:
        value = load(data, path)
    except ProvStoreError:
        return {}
    found = {key: number for key, number in flat(value) if type(number) in (int, float) and math.isfinite(number)}
    return found if len(found) <= _MAX_NUMBERS else {}


def _toml(text: str) -> Any:
    return _plain(tomllib.loads(text))


def _python(text: str) -> Any:
    """What a module, its classes and their `__init__` assign literally, as DVC reads it; nothing is run."""
    if len(text) > _MAX_PYTHON:
        raise ValueError("too long")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of odd literals in somebody's code
        module = ast.parse(text)
    return _plain(dict(_assigned(module.body, own=False)))


def _assigned(body: list[ast.stmt], *, own: bool) -> Iterator[tuple[str, Any]]:
    """(name, value) of each assignment of a literal; with `own` of those to a member of `self` alone."""
    for each in body:
        if isinstance(each, ast.ClassDef):
            yield each.name, dict(_assigned(each.body, own=False))
        elif isinstance(each, ast.FunctionDef) and each.name == "__init__":
            yield from _assigned(each.body, own=True)
        elif isinstance(each, ast.Assign | ast.AnnAssign) and each.value is not None:
            targets = each.targets if isinstance(each, ast.Assign) else [each.target]
            name = _name(targets[0], own) if len(targets) == 1 else ""
            try:
                if name:
                    yield name, ast.literal_eval(each.value)
            except (ValueError, TypeError):
                continue  # it is computed


def _name(target: ast.expr, own: bool) -> str:
    if isinstance(target, ast.Name):
        return "" if own else target.id
    member = isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and target.value.id == "self"
    return target.attr if member and isinstance(target, ast.Attribute) else ""


def _plain(value: Any) -> Any:
    """A value with nothing but what JSON has: times and other things are the text that they are written as."""
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, set | frozenset):
        return sorted((_plain(each) for each in value), key=repr)
    if value is None or type(value) in (bool, int, str) or (type(value) is float and math.isfinite(value)):
        return value
    return str(value)


_READERS: Final[dict[str, Callable[[str], Any]]] = {".json": json.loads, ".toml": _toml, ".py": _python}
_NAMES: Final = {".json": "JSON", ".toml": "TOML", ".py": "Python"}
