"""What executions and datasets of DVC are called, so that whoever reads the same thing gives it the same name."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from typing import Any

from provstore.capture.draft import Object

_EXECUTIONS = uuid.UUID("5f0d2b1e-6c39-5d0b-8a35-2f7c1e9b4d60")
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*://)(?:[^@/]*@)?([^/?#]*)/*(.*)\Z", re.DOTALL)


def essence(stage: Object) -> str:
    """What an execution consists of, as text that is equal for equal ones: sizes and the like do not count."""
    return canonical(
        [
            stage.get("cmd"),
            [identified(each) for each in objects_in(stage.get("deps"))],
            stage.get("params") or {},
            [identified(each) for each in objects_in(stage.get("outs"))],
        ]
    )


def execution_id(namespace: str, stage: Object) -> str:
    """The UUID (version 5) of an execution of a stage in a repository."""
    return uuid_of("execution", namespace, stage.get("file"), stage.get("name"), essence(stage))


def objects_in(listed: Any) -> list[Object]:
    return [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []


def is_code(item: Object) -> bool:
    held = item.get("git")
    return isinstance(held, dict) and held.get("code") is True


def identified(item: Object) -> list[Any]:
    origin = [item["origin"]] if "origin" in item else []
    return [item.get("path"), item.get("hash"), item.get("etag"), item.get("checksum"), *origin]


def uuid_of(*parts: Any) -> str:
    return str(uuid.uuid5(_EXECUTIONS, canonical(list(parts))))


def canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def dataset_name(namespace: str, path: str) -> tuple[str, str]:
    """Namespace and name of what lies at a path: in the repository, on this machine, or behind an address."""
    if path.startswith("/"):
        return "file", path
    address = _URL.match(path)
    if address and address[1] == "dc://":  # DataChain's, which have one name space
        return "dc", path[len("dc://") :].partition("@v")[0] or path
    if address and address[3]:
        return f"{address[1]}{address[2]}", address[3]
    return namespace, path


def flat(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """(dotted key, value) of everything in nested maps; lists and empty maps are values."""
    if isinstance(value, dict) and value:
        for name, inner in sorted(value.items()):
            yield from flat(inner, f"{key}.{name}" if key else name)
    else:
        yield key, value
