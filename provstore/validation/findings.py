"""Results made of the rows of a plan's queries, and the answers to what these ask of Python."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any, TypeAlias

from provstore.errors import ProvStoreError
from provstore.validation.closures import ValidationResult, before, bindings, selected_result
from provstore.validation.engine import rows, term
from provstore.validation.paths import Follow, Predicate, follower
from provstore.validation.plans import PREDICATE, Check, Query
from provstore.validation.shapes import Count, Pair, Qualified, Shape, Sparql, UniqueLang
from provstore.validation.sparql import Asked
from provstore.validation.stored import StoreData, StoredValidator, answers

_Maker: TypeAlias = Callable[[Any], Iterable[ValidationResult]]


class Findings:
    """Runs the queries of checks over the data of a store, until `stopped` is set."""

    def __init__(self, data: StoreData, validator: StoredValidator, stopped: threading.Event) -> None:
        self._data, self._validator, self._stopped = data, validator, stopped

    def results(self, check: Check, query: Query, *, first: bool) -> Iterator[ValidationResult]:
        """Every result of a query, or one at least where only the `first` matters."""
        failed: list[Exception] = []
        answer = self._answer(query.asked, failed) if query.asked else None
        text = query.text
        if first and query.decided:
            text += "\nLIMIT 1"  # on a line of its own: a query of the shapes may end in a comment
        make = self._maker(check, query)
        solutions = answers(self._data, text, answer)
        for row in rows(solutions) if query.rows == "solution" else solutions:
            if failed or self._stopped.is_set():
                break
            yield from make(row)
        if failed:
            raise failed[0]

    # --- what queries ask --------------------------------------------------------------------------------------------

    def _answer(self, asked: tuple[Asked, ...], failed: list[Exception]) -> Callable[..., bool]:
        """The engine takes an error for no answer: errors are kept, to be raised when it is done."""
        who = [self._test(each) for each in asked]

        def answer(number: int, *terms: str) -> bool:
            try:
                return not self._stopped.is_set() and who[number](*terms)
            except Exception as error:
                failed.append(detached(error))
                return False

        return answer

    def _test(self, asked: Asked) -> Callable[..., bool]:
        data, shape, constraint = self._data, asked.shape, asked.constraint
        if constraint is None:
            holds = self._validator.of(shape.node).holds
            return lambda value: holds(data, value)
        order = before(constraint) if isinstance(constraint, Pair) else None
        if order is not None and not data.union:
            return order
        if isinstance(constraint, Count | Qualified | Sparql | UniqueLang | Pair):
            rule, follow = self._validator.rule(shape, constraint), _follower(shape)
            return lambda focus: rule(data, focus, follow(data, focus), None)
        test = self._validator.test(constraint)
        return lambda value: test(data, value)

    # --- what rows are -----------------------------------------------------------------------------------------------

    def _maker(self, check: Check, query: Query) -> _Maker:
        shape, constraint = check.shape, check.constraint
        focus, value = query.focus[1:], query.value[1:]
        match query.rows:
            case "decide":
                follow = _follower(shape)
                return self._decided(check, lambda row: term(row[focus]), lambda node, row: follow(self._data, node))
            case "decide value":
                return self._decided(check, lambda row: term(row[focus]), lambda node, row: (term(row[value]),))
            case "focus":
                return lambda row: (ValidationResult(term(row[focus]), shape, constraint, shape.path, None),)
            case "value":
                return lambda row: (
                    ValidationResult(term(row[focus]), shape, constraint, shape.path, term(row[value])),
                )
            case "closed":
                path = PREDICATE[1:]
                return lambda row: (_of_closed(check, term(row[focus]), term(row[path]), term(row[value])),)
        assert isinstance(constraint, Sparql)
        return _of_solution(check, constraint)

    def _decided(
        self, check: Check, focus: Callable[[Any], str], values: Callable[[str, Any], Collection[str]]
    ) -> _Maker:
        """What the closures say of a focus node and value nodes of it."""
        rule = self._validator.rule(check.shape, check.constraint)

        def make(row: Any) -> Iterable[ValidationResult]:
            found: list[ValidationResult] = []
            node = focus(row)
            rule(self._data, node, values(node, row), found)
            return found

        return make


def detached(error: Exception) -> Exception:
    """An error without its frames, which hold solutions of a query: these may not be freed by another thread."""
    if not isinstance(error, ProvStoreError):
        error.add_note("".join(traceback.format_exception(error)))
    each: BaseException | None = error
    while each is not None:
        each.__traceback__ = None
        each = each.__cause__ or each.__context__
    return error


def _follower(shape: Shape) -> Follow:
    return follower(shape.path) if shape.path else lambda data, node: (node,)


def _of_closed(check: Check, focus: str, predicate: str, value: str) -> ValidationResult:
    return ValidationResult(focus, check.shape, check.constraint, Predicate(predicate), value)


def _of_solution(check: Check, constraint: Sparql) -> _Maker:
    bound = bindings(check.shape, constraint)

    def make(row: Any) -> Iterable[ValidationResult]:
        terms = {**bound, "this": row["this"]}
        return (selected_result(check.shape, constraint, terms, row),)

    return make
