"""A step: what it used and generated, from when to when, and how it ended; as a context manager and as a decorator."""

from __future__ import annotations

import functools
import os
import threading
import time
import uuid
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from provstore.record import calls
from provstore.record.things import Facts, Thing, described, file, hashed, path_of, value_of

if TYPE_CHECKING:
    from provstore.record.recorder import Recorder

_F = TypeVar("_F", bound=Callable[..., Any])
_CURRENT: ContextVar[Step | None] = ContextVar("provstore.record", default=None)
_MOST = 10_000  # things a step keeps; what is more belongs into a batch of items


class Step:
    """One activity while it runs. Nothing that it does raises to the program; it may be used by several threads."""

    def __init__(self, recorder: Recorder, name: str, options: Mapping[str, Any]) -> None:
        self._recorder, self.name, self._options = recorder, name, dict(options)
        self.id = str(uuid.uuid4())
        self._lock = threading.Lock()
        self._used: list[Facts] = []
        self._generated: list[tuple[Facts, str]] = []  # with the path to be hashed at the end
        self._named: dict[str, str] = {}
        self._known: dict[Any, str] = {}  # what was named, as it was named, to its pointer
        self._objects: dict[int, tuple[weakref.ref[Any], str]] = {}
        self._parameters: Facts = {}
        self._seeds: Facts = {}
        self._agents: list[Facts] = []
        self._measurements: list[Facts] = []
        self.parent: Step | None = None
        self._outer: list[Step | None] = []
        self._pid = self._began = self._ticks = 0
        self.over = False

    # --- what happens in it -----------------------------------------------------------------------------------------

    def used(self, thing: Any, *, role: str = "", **told: Any) -> str:
        """Tell that the step used something; a file or frame is hashed now. Returns a handle for `from_`.

        `role` is training, validation, testing, model, input (which it is without one), or an IRI or word of yours;
        `told` are members such as `name`, `namespace`, `version`, `label`.
        """
        with self._recorder.troubles.kept("telling what a step used"):
            facts = {**described(thing, self._recorder.hasher), **(value_of(told) if told else {})}
            if role:
                facts["role"] = str(role)
            return self._add(self._used, facts, facts, "/used/", thing)
        return ""

    def generated(self, thing: Any, *, from_: Iterable[Any] | None = None, role: str = "", **told: Any) -> str:
        """Tell that the step generated something; a file is hashed when the step ends, other things now.

        `from_` says what it was made of: handles, or what was named to `used` (and is used by this, if not). Without,
        it is everything that was used as material. Returns a handle.
        """
        with self._recorder.troubles.kept("telling what a step generated"):
            made = _unhashed(thing)
            if made:
                facts, path = {**made.facts, **value_of(told)}, made.path
            else:
                facts, path = {**described(thing, self._recorder.hasher), **(value_of(told) if told else {})}, ""
            if role:
                facts["role"] = str(role)
            if from_ is not None and (sources := [p for each in _each(from_) if (p := self._pointer(each))]):
                facts["from"] = sources
            return self._add(self._generated, (facts, path), facts, "/generated/", thing)
        return ""

    def parameter(self, name: str, value: Any) -> None:
        """Tell a parameter that the step ran with; values under a secret's name are redacted."""
        with self._recorder.troubles.kept("telling a parameter"):
            self._parameters[str(name)] = value_of(value)

    def parameters(self, **values: Any) -> None:
        """Tell several parameters."""
        for name, value in values.items():
            self.parameter(name, value)

    def seed(self, name: str, value: Any) -> None:
        """Tell the seed of a source of chance, such as `numpy`."""
        with self._recorder.troubles.kept("telling a seed"):
            self._seeds[str(name)] = value_of(value)

    def agent(self, identifier: str, *, kind: str = "person", role: str = "", name: str = "") -> None:
        """Tell who had a hand in the step: a person, an organization or software, in a role."""
        with self._recorder.troubles.kept("telling an agent"):
            said = {"id": identifier, "kind": kind, "role": role, "name": name}
            self._agents.append({key: str(value) for key, value in said.items() if value})

    def measured(
        self, metric: str, value: Any, *, of: Any = None, on: Any = None, slice: Mapping[str, Any] | None = None
    ) -> None:
        """Tell a measured quality: of a model or of data, on the data it was measured with, on a slice of them.

        `slice` gives columns and their values, as `{"age_band": "under 25"}`.
        """
        with self._recorder.troubles.kept("telling a measurement"):
            said: Facts = {"metric": str(metric), "value": value_of(value)}
            for name, thing in (("of", of), ("on", on)):
                if thing is not None and (pointer := self._pointer(thing)):
                    said[name] = pointer
            if slice:
                said["slice"] = {str(column): value_of(each) for column, each in slice.items()}
            self._measurements.append(said)

    def _add(self, to: list[Any], entry: Any, facts: Facts, prefix: str, thing: Any) -> str:
        if self._pid != os.getpid():  # and its lock may be held by a thread that is not here
            raise RuntimeError(f"step {self.name!r} has not begun in this process, but perhaps in its parent")
        with self._lock:
            if self.over:
                raise RuntimeError(f"step {self.name!r} is over")
            if to is self._used and (before := self._same(facts)):
                return before
            if len(to) >= _MOST:
                raise RuntimeError(f"step {self.name!r} has {_MOST} things; send batches of items instead")
            pointer = f"{prefix}{len(to)}"
            if facts["type"] in ("frame", "array", "bytes") and "name" not in facts:
                facts["name"] = (
                    f"memory/{facts.get('sha256', f'{self.id}{pointer}')[: 16 if 'sha256' in facts else 99]}"
                )
            to.append(entry)
            self._known[pointer] = pointer
            if isinstance(thing, (str, os.PathLike)):
                self._known[os.fspath(thing)] = pointer
            elif not isinstance(thing, Thing):
                self._remember(thing, pointer)
        return pointer

    def _same(self, facts: Facts) -> str:
        """The pointer of what was told before in the same words."""
        if facts["type"] in ("frame", "array", "bytes"):
            return ""
        last = self._named.setdefault(repr(facts), f"/used/{len(self._used)}")
        return last if last != f"/used/{len(self._used)}" else ""

    def _remember(self, thing: Any, pointer: str) -> None:
        try:
            self._objects[id(thing)] = weakref.ref(thing), pointer
        except TypeError:
            return

    def _pointer(self, thing: Any) -> str:
        """Where something was named; what was not is used now."""
        name = os.fspath(thing) if isinstance(thing, os.PathLike) else thing
        if isinstance(name, str) and name in self._known:
            return self._known[name]
        held = self._objects.get(id(thing))
        if held and held[0]() is thing:
            return held[1]
        return self.used(thing)

    # --- its life ---------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Begin, as a part of the step that is current here."""
        with self._recorder.troubles.kept("beginning a step"):
            if self._pid:
                raise RuntimeError(f"step {self.name!r} was begun before; each is begun once")
            self._pid, self._began, self._ticks = os.getpid(), time.time_ns(), time.monotonic_ns()
            self.parent = self._options.pop("parent", None) or current()
            self._recorder.began(self)
            for name, value in dict(self._options.pop("parameters", None) or {}).items():
                self.parameter(name, value)
            for name, value in dict(self._options.pop("seeds", None) or {}).items():
                self.seed(name, value)
            if who := self._options.pop("who", ""):
                self.agent(str(who))

    def end(self, state: str, error: BaseException | None = None) -> None:
        """End, once, in the process that began it: COMPLETE, FAIL or ABORT; the record is on disk on return."""
        with self._recorder.troubles.kept("ending a step"):
            if self._pid != os.getpid():
                return
            with self._lock:
                if self.over:
                    return
                self.over = True
            self._recorder.ended(self, self._told(state, error))

    def fail(self, error: BaseException) -> None:
        """End as what was raised says."""
        self.end(state_of(error), error)

    @contextmanager
    def current(self) -> Iterator[None]:
        """Make this the step that others begin in, for as long as the context lasts."""
        token = _CURRENT.set(self)
        try:
            yield
        finally:
            try:
                _CURRENT.reset(token)
            except ValueError:  # closed in another context than it was opened in
                _CURRENT.set(None)

    def _told(self, state: str, error: BaseException | None) -> Facts:
        took = max(0, time.monotonic_ns() - self._ticks)  # the clock may go back; a step does not
        said: Facts = {
            "provstore": "step/1",
            "id": self.id,
            "name": self.name,
            "state": state,
            "start": _instant(self._began),
            "end": _instant(self._began + took),
            **value_of(self._options),
        }
        if self.parent is not None:
            said["parent"] = {"id": self.parent.id}
        if error is not None:  # a message may hold anything, personal data too
            said["error"] = f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")
        for name, value in (
            ("agents", self._agents),
            ("parameters", self._parameters),
            ("seeds", self._seeds),
            ("used", self._used),
            ("generated", [self._final(*each, state) for each in self._generated]),
            ("measurements", self._measurements),
        ):
            if value:
                said[name] = value
        return said

    def _final(self, facts: Facts, path: str, state: str) -> Facts:
        """What was generated as it is at the end; after a failure only what was written meanwhile is proven."""
        if path:
            facts = {**facts, **hashed(path, self._recorder.hasher)}
        if state == "COMPLETE":
            return facts
        proven = bool(path) and "sha256" in facts and _changed_since(path, self._began)
        return {**facts, "partial": True} if proven else {**facts, "intended": True}

    def __enter__(self) -> Step:
        self.begin()
        self._outer.append(_CURRENT.get())
        _CURRENT.set(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _CURRENT.set(self._outer.pop() if self._outer else None)
        self.end("COMPLETE") if error is None else self.fail(error)

    async def __aenter__(self) -> Step:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace)

    def __call__(self, function: _F) -> _F:
        """The function with a step around each call; generators and coroutine functions while they run."""
        return calls.recorded(function, functools.partial(Step, self._recorder, self.name), self._options)


def current() -> Step | None:
    """The step that is current here, if there is one: of those that are over, the one that they were in."""
    step = _CURRENT.get()
    while step is not None and step.over:
        step = step.parent
    return step


def state_of(error: BaseException | None) -> str:
    """How a step ended: who is interrupted or closed did not fail."""
    if error is None or (isinstance(error, SystemExit) and error.code in (None, 0)):
        return "COMPLETE"
    stopped = (KeyboardInterrupt, GeneratorExit, SystemExit)
    return "ABORT" if isinstance(error, stopped) or type(error).__name__ == "CancelledError" else "FAIL"


def _instant(nanoseconds: int) -> str:
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest // 1000:06}Z"


def _unhashed(thing: Any) -> Thing | None:
    """A file, which is hashed when the step ends; None for everything else."""
    if isinstance(thing, Thing):
        return thing if thing.path else None
    path = path_of(thing)
    return file(path) if path else None


def _each(things: Any) -> list[Any]:
    return (
        [things] if isinstance(things, (str, os.PathLike, Thing)) or not isinstance(things, Iterable) else list(things)
    )


def _changed_since(path: str, began: int) -> bool:
    try:
        found = os.stat(path)
    except OSError:
        return False
    return found.st_mtime_ns >= began - 20_000_000  # a tick of the file system's clock
