"""A `dvc.yaml` with its `${…}` filled in, as far as is needed: folders, metrics, models, what is kept between runs."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from provstore.errors import InvalidInput, ProvStoreError, TooLarge
from provstore.pull.dvc import values
from provstore.pull.dvc.files import Object, place

_HOLE = re.compile(r"(?<!\\)\$\{\s*([^}]*?)\s*\}")
_STEPS = re.compile(r"[.\[\]]+")
#: Stages of one matrix, and characters that one `dvc.yaml` is filled with: a few holes can stand for a library.
_MAX_STAGES: Final = 100_000
_MAX_FILLED: Final = 4 << 20
#: What gives the bytes of a file beside the `dvc.yaml`, None where there is none.
Read = Callable[[str], bytes | None]


class Pipeline:
    """One `dvc.yaml`, filled in from `params.yaml` beside it, the files and maps in its `vars`, and its loops."""

    def __init__(self, held: Mapping[str, Any], read: Read) -> None:
        self._held, self._read = held, read
        self._known: Object | None = None
        self._loops: dict[str, dict[str, Object]] = {}
        self._left = _MAX_FILLED

    def stage(self, name: str) -> Object:
        """What is defined of a stage that a lock calls `name`: of `name@item` that of its `foreach` or `matrix`.

        `wdir`, `metrics`, `outs` and `desc` are filled in; empty where the stage is not there any more. InvalidInput
        where one of them cannot be filled in.
        """
        stages = self._held.get("stages")
        if not isinstance(stages, dict):
            return {}
        base, _, item = name.rpartition("@")
        raw, looped = (stages[name], False) if name in stages else (stages.get(base), True)
        if not isinstance(raw, dict):
            return {}
        context = self._context()
        if looped:
            context = {**context, **self._loop(base, raw).get(item, {})}
            raw = raw["do"] if isinstance(raw.get("do"), dict) else raw
        wanted = {key: raw[key] for key in ("wdir", "metrics", "outs", "desc") if raw.get(key)}
        if "${" in repr(wanted) and raw.get("vars"):
            wdir = self._filled(raw["wdir"], context) if isinstance(raw.get("wdir"), str) else ""
            context = _merged(context, *self._variables(raw["vars"], str(wdir)))
        filled: Object = self._filled(wanted, context)
        return {**filled, **({"frozen": raw["frozen"]} if "frozen" in raw else {})}

    def section(self, name: str) -> Any:
        """A section of the file, such as `artifacts`, filled in; InvalidInput where it cannot be."""
        held = self._held.get(name)
        return self._filled(held, self._context()) if "${" in repr(held) else held

    # --- what a hole can name ----------------------------------------------------------------------------------------

    def _context(self) -> Object:
        if self._known is None:
            self._known = _merged({}, *self._variables(["params.yaml", *_list(self._held.get("vars"))], ""))
        return self._known

    def _variables(self, listed: Any, folder: str) -> Iterator[Object]:
        """The maps in a list of `vars`, and what its files hold: of `file:key,other` those keys alone."""
        for each in _list(listed):
            if isinstance(each, dict):
                yield each
            elif isinstance(each, str):
                file, _, keys = each.partition(":")
                try:
                    held = values.load(self._read(place(folder, file)) or b"", file)
                except ProvStoreError:
                    continue  # what needs it will be told as missing
                wanted = set(filter(None, keys.split(",")))
                if isinstance(held, dict):
                    yield {key: value for key, value in held.items() if not wanted or key in wanted}

    def _loop(self, name: str, raw: Object) -> dict[str, Object]:
        """Item → what the stages of a `foreach` (`item`, and `key` of a map) or `matrix` (`item.axis`) can name."""
        if name not in self._loops:
            context = self._context()
            if "matrix" in raw:
                self._loops[name] = dict(_combined(self._filled(raw["matrix"], context)))
            else:
                self._loops[name] = dict(_each(self._filled(raw.get("foreach"), context)))
        return self._loops[name]

    # --- filling in --------------------------------------------------------------------------------------------------

    def _filled(self, value: Any, context: Object) -> Any:
        if isinstance(value, dict):
            return {self._filled(key, context): self._filled(inner, context) for key, inner in value.items()}
        if isinstance(value, list):
            return [self._filled(each, context) for each in value]
        if not isinstance(value, str) or "${" not in value:
            return value
        if whole := _HOLE.fullmatch(value):
            return _named(whole[1], context)
        return _HOLE.sub(lambda hole: self._counted(_written(_named(hole[1], context))), value).replace(r"\${", "${")

    def _counted(self, text: str) -> str:
        self._left -= len(text)
        if self._left < 0:
            raise TooLarge(f"filled in with more than {_MAX_FILLED} characters")
        return text


def _each(iterated: Any) -> Iterator[tuple[str, Object]]:
    if isinstance(iterated, dict):
        yield from ((_written(key), {"key": _written(key), "item": value}) for key, value in iterated.items())
    elif isinstance(iterated, list):
        numbered = any(isinstance(value, dict | list) for value in iterated)
        for number, value in enumerate(iterated):
            yield str(number) if numbered else _written(value), {"item": value}


def _combined(axes: Any) -> Iterator[tuple[str, Object]]:
    if not isinstance(axes, dict):
        return
    lists = [_list(listed) for listed in axes.values()]
    count = 1
    for listed in lists:
        count *= len(listed)
    if count > _MAX_STAGES:
        raise TooLarge(f"a matrix of more than {_MAX_STAGES} stages")
    for chosen in itertools.product(*(list(enumerate(listed)) for listed in lists)):
        parts = [
            f"{axis}{number}" if isinstance(value, dict | list) else _written(value)
            for axis, (number, value) in zip(axes, chosen, strict=True)
        ]
        name = "-".join(parts)
        yield name, {"key": name, "item": {axis: value for axis, (_, value) in zip(axes, chosen, strict=True)}}


def _merged(*held: Object) -> Object:
    """The maps as one; maps that they have under the same key are merged as well."""
    found: Object = {}
    for each in held:
        for key, value in each.items():
            both = isinstance(value, dict) and isinstance(found.get(key), dict)
            found[key] = _merged(found[key], value) if both else value
    return found


def _named(expression: str, context: Object) -> Any:
    value: Any = context
    for step in (each.strip() for each in _STEPS.split(expression) if each):
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


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
