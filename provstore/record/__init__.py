"""Record where data comes from, in a program: steps, with what each used and generated.

    from provstore import record

    with record.step("clean", parameters={"threshold": 0.5}) as step:
        step.used("raw.csv")
        …
        step.generated("clean.csv")

Only the standard library is loaded. Steps go to a spool on disk and from there to a store; nothing here raises to the
program or waits for a network.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar, overload

from provstore.record.recorder import Recorder
from provstore.record.sending import Flushed
from provstore.record.steps import Step, current
from provstore.record.things import Thing, data, file, item, model, table, url
from provstore.record.vault import Commitment, Opening, Vault, verify

_F = TypeVar("_F", bound=Callable[..., Any])
_lock = threading.Lock()
_default: Recorder | None = None
_vault: Vault | None = None


def configure(
    *,
    server: str | None = None,
    data: str | os.PathLike[str] | None = None,
    file: str | os.PathLike[str] | None = None,
    spool: str | os.PathLike[str] | None = None,
    namespace: str = "",
    who: str = "",
    code: str = "",
) -> Recorder:
    """Say where steps go from now on, and what all of them say; `Recorder` tells what each means."""
    global _default
    new = Recorder(server=server, data=data, file=file, spool=spool, namespace=namespace, who=who, code=code)
    with _lock:
        old, _default = _default, new
    if old:
        old.close()
    return new


def _recorder() -> Recorder:
    global _default
    if _default is None:
        with _lock:
            if _default is None:
                _default = Recorder()
    return _default


@overload
def step(name: _F, /) -> _F: ...
@overload
def step(
    name: str,
    /,
    *,
    kind: str = "",
    namespace: str = "",
    who: str = "",
    parameters: Mapping[str, Any] | None = None,
    seeds: Mapping[str, Any] | None = None,
    arguments: tuple[str, ...] | list[str] = (),
    parent: Step | None = None,
    description: str = "",
) -> Step: ...
def step(name: Any, /, **options: Any) -> Any:
    """A step: `with record.step("clean") as step:`, or a decorator, with or without a name.

    `kind` is run (without one), training, evaluation, inference or normalisation. A step that begins inside another is
    a part of it; in a thread, say of which with `parent`. `arguments` names those of a decorated function that are
    parameters.
    """
    given = {key: value for key, value in options.items() if value}
    if callable(name):
        return _recorder().step(getattr(name, "__qualname__", "step"), given)(name)
    return _recorder().step(str(name), given)


def flush(seconds: float = 60.0) -> Flushed:
    """Send what waits in the spool now; what that came to."""
    return _recorder().flush(seconds)


def troubles() -> dict[str, int]:
    """What went wrong so far, by what was being done; empty where nothing did."""
    return dict(_recorder().troubles.counts)


def vault(path: str | os.PathLike[str] | None = None) -> Vault:
    """The vault of commitments: the one that was opened, else that of the spool, or at a path from now on."""
    global _vault
    if path is not None or _vault is None:
        _vault = Vault(path if path is not None else _recorder().spool / "vault.db")
    return _vault


def commit(value: Any, *, subject: str = "") -> Commitment:
    """Commit to a value that must not be stored: what stands for it in a payload. `subject` is whom it is about."""
    return vault().commit(value, subject=subject)


def commit_each(values: Iterable[tuple[Any, str]]) -> list[Commitment]:
    """Commit to many values, each with its subject, by one write to disk."""
    return vault().commit_each(values)


def opened(commitment: Commitment | str) -> Opening | None:
    """The value of a commitment and what proves it; None where it was erased or is not known here."""
    return vault().opened(commitment)


def erase(*, subject: str = "", commitment: Commitment | str = "") -> int:
    """Destroy the key of a subject, or one commitment's nonce, with the values; how many can no longer be opened."""
    return vault().erase(subject=subject, commitment=commitment)


__all__ = [
    "Commitment",
    "Flushed",
    "Opening",
    "Recorder",
    "Step",
    "Thing",
    "Vault",
    "commit",
    "commit_each",
    "configure",
    "current",
    "data",
    "erase",
    "file",
    "flush",
    "item",
    "model",
    "opened",
    "step",
    "table",
    "troubles",
    "url",
    "vault",
    "verify",
]
