"""What validation needs of the engine: Turtle read, and queries over triples in memory."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any

import pyoxigraph

from provstore.errors import InvalidInput
from provstore.rdf import XSD, literal, quad_line
from provstore.validation.graph import Data, Graph
from provstore.validation.prebinding import BLANK, NOTHING, Template
from provstore.validation.terms import is_blank

SHAPES_GRAPH = "<urn:provstore:shapes>"
#: Where the focus nodes stand in a query for all of them, and how many are named in one.
FOCI, _AT_ONCE = f"VALUES ?this {{ <{NOTHING}> }}", 1_000
_EMPTY = pyoxigraph.Store()
_SHAPES = pyoxigraph.NamedNode(SHAPES_GRAPH[1:-1])


def parsed(text: bytes, *, base: str | None = None, classes: Graph | None = None) -> Graph:
    """The triples of a Turtle document; InvalidInput with the line where it is none."""
    try:
        quads = "".join(map(quad_line, pyoxigraph.parse(text, pyoxigraph.RdfFormat.TURTLE, base_iri=base)))
    except (SyntaxError, ValueError) as error:
        raise InvalidInput(f"not Turtle: {error}", line=getattr(error, "lineno", None)) from error
    return Graph.read(quads.encode(), classes)


def check(query: Template, bound: Iterable[str]) -> None:
    """InvalidInput, with what is wrong and where, for a query that the engine does not take once these are bound."""
    try:
        _EMPTY.query(query.filled(dict.fromkeys((*bound, "currentShape", "shapesGraph"), f"<{NOTHING}>")))
    except (SyntaxError, ValueError) as error:
        raise InvalidInput(f"the query cannot be used: {error}") from error


def triples(data: bytes, media_type: str) -> bytes:
    """RDF of any syntax as N-Triples, without the names of graphs; InvalidInput, with the line, where it is none."""
    form = pyoxigraph.RdfFormat.from_media_type(media_type)
    if form is None:
        raise InvalidInput(f"{media_type} is no RDF that can be read as shapes")
    try:
        read = pyoxigraph.parse(data, form, base_iri="https://prov.example/")
        return pyoxigraph.serialize((quad.triple for quad in read), format=pyoxigraph.RdfFormat.N_TRIPLES) or b""
    except (SyntaxError, ValueError) as error:
        raise InvalidInput(f"the shapes cannot be read: {error}", line=getattr(error, "lineno", None)) from error


class Queried:
    """The triples of data in the default graph of a store, those of the shapes in a graph of its own.

    The store rewrites literals to their canonical forms, so a query sees values rather than how they were written.
    Where it is known which predicates the queries read, triples with others are left out of it (`only`).
    """

    def __init__(self, data: Data, shapes: Data, only: Collection[str] | None = None) -> None:
        self._store = pyoxigraph.Store()
        self._load(data, None, "d", only)
        self._shapes: Data | None = shapes

    def _load(
        self, data: Data, graph: pyoxigraph.NamedNode | None, mark: str, only: Collection[str] | None = None
    ) -> None:
        found = [each for each in data.triples() if only is None or each[1] in only]
        text = "".join([f"{s} {p} {o} .\n" for s, p, o in found])
        if "_:" in text:
            text = "".join([f"{_stood(s, mark)} {p} {_stood(o, mark)} .\n" for s, p, o in found])
        self._store.load(text.encode(), pyoxigraph.RdfFormat.N_TRIPLES, to_graph=graph, lenient=True)

    def ask(self, query: Template, terms: Mapping[str, str]) -> bool:
        """The answer of an ASK query in which variables stand for terms."""
        return bool(self._answers(query, terms))

    def select(self, query: Template, terms: Mapping[str, str]) -> Iterator[dict[str, str]]:
        """The solutions of a SELECT query in which variables stand for terms: terms by the name of the variable."""
        return rows(self._answers(query, terms), _term)

    def of_all(self, query: str, foci: Iterable[str]) -> Iterator[dict[str, str]]:
        """The solutions of a query that has `FOCI` at its head, for all focus nodes: `this` is the node of each."""
        stood = iter([_stood(focus, "d") for focus in foci])
        while some := list(itertools.islice(stood, _AT_ONCE)):
            yield from rows(asked(self._store, query.replace(FOCI, f"VALUES ?this {{ {' '.join(some)} }}")), _term)

    def _answers(self, query: Template, terms: Mapping[str, str]) -> Any:
        if self._shapes is not None and "shapesGraph" in query.variables:
            self._load(self._shapes, _SHAPES, "s")
            self._shapes = None
        stood = {name: _stood(term, "s" if name == "currentShape" else "d") for name, term in terms.items()}
        return asked(self._store, query.filled(stood))


def asked(store: pyoxigraph.Store, query: str, **options: Any) -> Any:
    """The answers of a store to a query of shapes; InvalidInput where the engine refuses it."""
    try:
        return store.query(query, **options)
    except (SyntaxError, ValueError, OSError, RuntimeError) as error:
        raise InvalidInput(f"a query of the shapes failed: {error}") from error


def _stood(term: str, mark: str) -> str:
    """The term, or the IRI that stands for it where it is a blank node."""
    return f"<{BLANK}{mark}{term[2:]}>" if is_blank(term) else term


def _term(value: Any) -> str:
    if isinstance(value, pyoxigraph.NamedNode) and value.value.startswith(BLANK):
        return f"_:{value.value[len(BLANK) + 1 :]}"
    return term(value)


def term(value: Any) -> str:
    """A term of the engine as N-Triples writes it."""
    if not isinstance(value, pyoxigraph.Literal):
        return str(value)
    if value.language:
        return f"{literal(value.value)}@{value.language}"
    datatype = value.datatype.value
    return literal(value.value, None if datatype == f"{XSD}string" else datatype)


def rows(solutions: Any, read: Callable[[Any], str] = term) -> Iterator[dict[str, str]]:
    """The solutions of a SELECT query: terms, as `read` makes them of the engine's, by the name of the variable."""
    names = [variable.value for variable in solutions.variables]
    for solution in solutions:
        yield {name: read(value) for name, value in zip(names, solution, strict=True) if value is not None}
