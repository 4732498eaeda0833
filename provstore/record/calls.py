"""A step around each call of a function: plain, generator, coroutine or asynchronous generator."""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

if TYPE_CHECKING:
    from provstore.record.steps import Step

_F = TypeVar("_F", bound=Callable[..., Any])
_Maker = Callable[[Mapping[str, Any]], "Step"]


def recorded(function: _F, make: _Maker, options: Mapping[str, Any]) -> _F:
    """The function with a step of its own around each call; the arguments that `arguments` names are parameters."""
    named = tuple(options.get("arguments") or ())
    kept = {name: value for name, value in options.items() if name != "arguments"}

    def begun(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Step:
        step = make(kept)
        step.begin()
        if named:
            _parameters(step, function, named, args, kwargs)
        return step

    wrap = next(wrap for is_one, wrap in _KINDS if is_one(function))
    return cast(_F, functools.wraps(function)(wrap(function, begun)))


_Begun = Callable[[tuple[Any, ...], dict[str, Any]], "Step"]


def _parameters(
    step: Step, function: Callable[..., Any], named: tuple[str, ...], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> None:
    try:
        bound = inspect.signature(function).bind(*args, **kwargs)
        bound.apply_defaults()
    except TypeError:  # the call itself will say what is wrong with it
        return
    for name in named:
        if name in bound.arguments:
            step.parameter(name, bound.arguments[name])


def _plain(function: Callable[..., Any], begun: _Begun) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        step = begun(args, kwargs)
        try:
            with step.current():
                result = function(*args, **kwargs)
        except BaseException as error:
            step.fail(error)
            raise
        step.end("COMPLETE")
        return result

    return call


def _coroutine(function: Callable[..., Any], begun: _Begun) -> Callable[..., Any]:
    async def call(*args: Any, **kwargs: Any) -> Any:
        step = begun(args, kwargs)
        try:
            with step.current():
                result = await function(*args, **kwargs)
        except BaseException as error:
            step.fail(error)
            raise
        step.end("COMPLETE")
        return result

    return call


def _generator(function: Callable[..., Any], begun: _Begun) -> Callable[..., Any]:
    """The step is current only while the generator itself runs, not in who iterates over it."""

    def call(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        step = begun(args, kwargs)
        inner: Generator[Any, Any, Any] = function(*args, **kwargs)
        advance: Callable[[], Any] = functools.partial(next, inner)
        try:
            while True:
                with step.current():
                    try:
                        value = advance()
                    except StopIteration as stop:
                        result = stop.value
                        break
                try:
                    sent = yield value
                    advance = functools.partial(inner.send, sent)
                except GeneratorExit:
                    with step.current():
                        inner.close()
                    raise
                except BaseException as error:
                    advance = functools.partial(inner.throw, error)
        except BaseException as error:
            step.fail(error)
            raise
        step.end("COMPLETE")
        return result

    return call


def _asynchronous_generator(function: Callable[..., Any], begun: _Begun) -> Callable[..., Any]:
    async def call(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        step = begun(args, kwargs)
        inner: AsyncGenerator[Any, Any] = function(*args, **kwargs)
        advance: Callable[[], Any] = inner.__anext__
        try:
            while True:
                with step.current():
                    try:
                        value = await advance()
                    except StopAsyncIteration:
                        break
                try:
                    sent = yield value
                    advance = functools.partial(inner.asend, sent)
                except GeneratorExit:
                    with step.current():
                        await inner.aclose()
                    raise
                except BaseException as error:
                    advance = functools.partial(inner.athrow, error)
        except BaseException as error:
            step.fail(error)
            raise
        step.end("COMPLETE")

    return call


_KINDS: tuple[tuple[Callable[[Any], bool], Callable[[Callable[..., Any], _Begun], Callable[..., Any]]], ...] = (
    (inspect.iscoroutinefunction, _coroutine),
    (inspect.isasyncgenfunction, _asynchronous_generator),
    (inspect.isgeneratorfunction, _generator),
    (callable, _plain),
)
