"""A stage of `dvc.yaml` with its `${…}` filled in, as far as is needed to know its folder and its metrics files."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Mapping
from typing import Any

from provstore.errors import InvalidInput, ProvStoreError
from provstore.pull.dvc.files import Object, mapping

_HOLE = re.compile(r"(?<!\\)\$\{\s*([^}]*?)\s*\}")
_STEPS = re.compile(r"[.\[\]]+")
#: What gives the bytes of a file beside the `dvc.yaml`, None where there is none.
Read = Callable[[str], bytes | None]


def definition(pipeline: Mapping[str, Any], name: str, read: Read) -> Object:
    """The definition of a stage that a lock calls `name`: of `name@item` that of its `foreach` or `matrix`.

    Only `wdir` and `metrics` are filled in, from `params.yaml`, `vars` and the item. Empty where the stage is not
    there any more. InvalidInput where one of them cannot be filled in.
    """
    stages = pipeline.get("stages")
    base, _, item = name.partition("@")
    raw = stages.get(name) or stages.get(base) if isinstance(stages, dict) else None
    if not isinstance(raw, dict):
        return {}
    context = _context(pipeline.get("vars"), read)
    if item:
        context |= _of_item(raw, item, context)
        raw = raw["do"] if isinstance(raw.get("do"), dict) else raw
    if "${" in repr((raw.get("wdir"), raw.get("metrics"))):
        context |= _context(raw.get("vars"), read, default=False)
    wanted = {key: raw[key] for key in ("wdir", "metrics") if raw.get(key)}
    filled: Object = _filled(wanted, context)
    return {**filled, **{key: raw[key] for key in ("frozen", "desc") if key in raw}}


def _context(own: Any, read: Read, *, default: bool = True) -> Object:
    """The values that a `${…}` can name: those of `params.yaml`, then of each file or map in `vars`."""
    context: Object = {}
    listed: list[Any] = [*(["params.yaml"] if default else []), *(own if isinstance(own, list) else [])]
    for each in listed:
        if isinstance(each, dict):
            context |= each
        elif isinstance(each, str):
            file, _, keys = each.partition(":")
            try:
                held = mapping(read(file) or b"") if file.endswith((".yaml", ".yml", ".json")) else {}
            except ProvStoreError:
                held = {}
            context |= {k: v for k, v in held.items() if not keys or k in keys.split(",")}
    return context


def _of_item(raw: Object, item: str, context: Object) -> Object:
    """What a stage of a `foreach` (`item`, and `key` of a map) or of a `matrix` (`item.axis`) adds."""
    each = _filled(raw.get("foreach"), context)
    if isinstance(each, dict):
        return {"key": item, "item": each.get(item)}
    if isinstance(each, list):
        for number, value in enumerate(each):
            if item == (str(number) if isinstance(value, dict | list) else _written(value)):
                return {"item": value}
    axes = _filled(raw.get("matrix"), context)
    if isinstance(axes, dict):
        lists = [values if isinstance(values, list) else [values] for values in axes.values()]
        if _product(lists) > 100_000:
            raise InvalidInput("a matrix of more than 100000 stages")
        for chosen in itertools.product(*(enumerate(values) for values in lists)):
            parts = [
                f"{axis}{number}" if isinstance(value, dict | list) else _written(value)
                for axis, (number, value) in zip(axes, chosen, strict=True)
            ]
            if "-".join(parts) == item:
                return {"key": item, "item": {axis: value for axis, (_, value) in zip(axes, chosen, strict=True)}}
    return {}


def _product(lists: list[list[Any]]) -> int:
    count = 1
    for values in lists:
        count *= len(values)
    return count


def _filled(value: Any, context: Object) -> Any:
    if isinstance(value, dict):
        return {_filled(key, context): _filled(inner, context) for key, inner in value.items()}
    if isinstance(value, list):
        return [_filled(each, context) for each in value]
    if not isinstance(value, str) or "${" not in value:
        return value
    whole = _HOLE.fullmatch(value)
    if whole:
        return _named(whole[1], context)
    return _HOLE.sub(lambda hole: _written(_named(hole[1], context)), value)


def _named(expression: str, context: Object) -> Any:
    value: Any = context
    for step in filter(None, _STEPS.split(expression)):
        if isinstance(value, dict) and step in value:
            value = value[step]
        elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            raise InvalidInput(f"${{{expression[:60]}}} names nothing that is known")
    return value


def _written(value: Any) -> str:
    if type(value) is bool:
        return "true" if value else "false"
    return str(value)
