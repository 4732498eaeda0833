"""A store as the data of a validation, and shapes held against what it has made of the literals.

Oxigraph keeps values, not how they were written: `"007"^^xsd:int` comes back as `"7"^^xsd:integer`, a dateTimeStamp as
a dateTime, `.000Z` without its zeros. So terms of shapes are rewritten alike, and a datatype that a store cannot give
back is taken as kept where the value is one of its own: no other answer could be known.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from functools import lru_cache
from threading import Lock
from typing import Any, TypeAlias

import pyoxigraph

from provstore.errors import InvalidInput
from provstore.rdf import XSD, literal
from provstore.validation import datatypes
from provstore.validation.closures import Queries, Validator
from provstore.validation.engine import Queried, asked, rows, term
from provstore.validation.graph import Data, Graph
from provstore.validation.prebinding import Template
from provstore.validation.shapes import Shapes
from provstore.validation.sparql import ASKED
from provstore.validation.terms import INTEGER, SUB_CLASS_OF, TYPE, is_blank, is_iri, is_literal, parts

Store: TypeAlias = pyoxigraph.Store
Answer: TypeAlias = "Callable[..., bool]"

_ASKED = pyoxigraph.NamedNode(ASKED[1:-1])
_TRUE, _FALSE = pyoxigraph.Literal(True), pyoxigraph.Literal(False)
_HERE = pyoxigraph.DefaultGraph()
_DATE_TIME = f"<{XSD}dateTime>"
#: What the store writes instead of a datatype, where the lexical form is one that it reads.
_REWRITTEN = {_DATE_TIME: (f"<{XSD}dateTimeStamp>",)}
#: How many triples are copied where a query needs the graph of the shapes, or a blank node by name, at its side.
_MOST_COPIED = 5_000_000


class StoreData:
    """The default graph of a store, or all its graphs together, as `Data`; what is asked is read there and then.

    `classes` holds subclass statements that count as if they were in the store.
    """

    __slots__ = ("_above", "_below", "_classes", "_graph", "store", "union")

    def __init__(self, store: pyoxigraph.Store, *, union: bool = False, classes: Graph | None = None) -> None:
        self.store, self.union = store, union
        self._graph = None if union else _HERE
        self._classes = classes
        self._above: dict[str, frozenset[str]] = {}
        self._below: dict[str, frozenset[str]] = {}

    def _found(self, subject: str | None, predicate: str | None, value: str | None) -> Iterator[Any]:
        if subject is not None and is_literal(subject):
            return iter(())
        s, p, o = (None if each is None else node(each) for each in (subject, predicate, value))
        return self.store.quads_for_pattern(s, p, o, self._graph)

    def objects(self, subject: str, predicate: str) -> Collection[str]:
        return dict.fromkeys(term(quad.object) for quad in self._found(subject, predicate, None))

    def subjects(self, predicate: str, value: str) -> Collection[str]:
        return dict.fromkeys(term(quad.subject) for quad in self._found(None, predicate, value))

    def has(self, subject: str, predicate: str, value: str) -> bool:
        return any(True for _ in self._found(subject, predicate, value))

    def predicates(self, subject: str) -> Collection[str]:
        return dict.fromkeys(term(quad.predicate) for quad in self._found(subject, None, None))

    def subjects_of(self, predicate: str) -> Collection[str]:
        return dict.fromkeys(term(quad.subject) for quad in self._found(None, predicate, None))

    def objects_of(self, predicate: str) -> Collection[str]:
        return dict.fromkeys(term(quad.object) for quad in self._found(None, predicate, None))

    def superclasses(self, cls: str) -> frozenset[str]:
        found = self._above.get(cls)
        if found is None:
            found = self._above[cls] = self._reached(cls, lambda data, each: data.objects(each, SUB_CLASS_OF))
        return found

    def subclasses(self, cls: str) -> frozenset[str]:
        """The class itself and every class below it."""
        found = self._below.get(cls)
        if found is None:
            found = self._below[cls] = self._reached(cls, lambda data, each: data.subjects(SUB_CLASS_OF, each))
        return found

    def _reached(self, cls: str, step: Any) -> frozenset[str]:
        seen, waiting = {cls}, [cls]
        while waiting:
            each = waiting.pop()
            for data in (self, self._classes) if self._classes else (self,):
                new = [other for other in step(data, each) if other not in seen]
                seen.update(new)
                waiting += new
        return frozenset(seen)

    def instances(self, cls: str) -> Collection[str]:
        return dict.fromkeys(one for each in self.subclasses(cls) for one in self.subjects(TYPE, each))

    def triples(self) -> Iterator[tuple[str, str, str]]:
        seen: set[tuple[str, str, str]] = set()
        for quad in self._found(None, None, None):
            found = term(quad.subject), term(quad.predicate), term(quad.object)
            if self.union:
                if found in seen:
                    continue
                seen.add(found)
            yield found


class StoredValidator(Validator):
    """The closures, for `StoreData`: terms and datatypes as a store has them, queries asked of the store itself."""

    def __init__(self, shapes: Shapes) -> None:
        super().__init__(shapes)
        self._of_store: StoreQueries | None = None

    def written(self, term: str) -> str:
        return written(term)

    def typed(self, value: str, datatype: str) -> bool:
        return typed(value, datatype)

    def engine(self, data: Data) -> Queries:
        if not isinstance(data, StoreData):
            return super().engine(data)
        if self._of_store is None or self._of_store.data is not data:
            self._of_store = StoreQueries(data, self._graph)
        return self._of_store


class StoreQueries:
    """Queries of SHACL-SPARQL asked of the store for one focus node at a time.

    The engine can neither name a blank node nor see a graph of shapes that is not stored, and finds a triple once for
    each graph it is in: queries that need such a node or graph, and those of a union of graphs, are asked of a copy,
    made once; InvalidInput where that would be too large.
    """

    def __init__(self, data: StoreData, shapes: Graph) -> None:
        self.data, self._shapes = data, shapes
        self._copied: Queried | None = None
        self._copying = Lock()
        self._plain: dict[str, Template] = {}

    def ask(self, query: Template, terms: Mapping[str, str]) -> bool:
        if self._copies(query, terms):
            return self._copy().ask(query, terms)
        return bool(self._answers(query, terms))

    def select(self, query: Template, terms: Mapping[str, str]) -> Iterator[dict[str, str]]:
        return self._copy().select(query, terms) if self._copies(query, terms) else self._solutions(query, terms)

    def _solutions(self, query: Template, terms: Mapping[str, str]) -> Iterator[dict[str, str]]:
        return rows(self._answers(query, terms))

    def _copies(self, query: Template, terms: Mapping[str, str]) -> bool:
        blank = any(is_blank(found) for name, found in terms.items() if name in query.variables)
        return blank or self.data.union or "shapesGraph" in query.variables

    def _copy(self) -> Queried:
        with self._copying:
            if self._copied is None:
                self._copied = self._made()
            return self._copied

    def _made(self) -> Queried:
        if len(self.data.store) > _MOST_COPIED:
            raise InvalidInput(
                f"a query of the shapes names a blank node or $shapesGraph, for which the store would have to be "
                f"copied: it has {len(self.data.store)} quads, {_MOST_COPIED} are the most"
            )
        return Queried(self.data, self._shapes)

    def _answers(self, query: Template, terms: Mapping[str, str]) -> Any:
        plain = self._plain.get(query.query)
        if plain is None:
            plain = self._plain[query.query] = Template(query.query, blanks=True)
        return answers(self.data, plain.filled(terms))


def answers(data: StoreData, query: str, answer: Answer | None = None) -> Any:
    """The answers of a query to a store; InvalidInput where the engine refuses it.

    `answer` is asked in the middle of the query: a number and terms, as `sparql.ASKED` is called. Named graphs are not
    seen as such.
    """

    def called(number: Any, *terms: Any) -> Any:
        assert answer is not None
        return _TRUE if answer(int(number.value), *map(term, terms)) else _FALSE

    return asked(
        data.store,
        query,
        use_default_graph_as_union=data.union,
        named_graphs=None if data.union else [],
        custom_functions={_ASKED: called} if answer else None,
    )


@lru_cache(1 << 14)
def node(term: str) -> Any:
    """A term as the engine has it."""
    if is_iri(term):
        return pyoxigraph.NamedNode(term[1:-1])
    if is_blank(term):
        return pyoxigraph.BlankNode(term[2:])
    lexical, datatype, language = parts(term)
    if language:
        return pyoxigraph.Literal(lexical, language=language)
    return pyoxigraph.Literal(lexical, datatype=pyoxigraph.NamedNode(datatype[1:-1]))


@lru_cache(1 << 12)
def written(value: str) -> str:
    """A term as a store gives it back."""
    if not is_literal(value):
        return value
    store, name = pyoxigraph.Store(), pyoxigraph.NamedNode("urn:provstore:nothing")
    store.add(pyoxigraph.Quad(name, name, node(value)))
    return term(next(store.quads_for_pattern(None, None, None)).object)


def typed(value: str, datatype: str) -> bool:
    """Whether a stored literal can be one of a datatype, well-formed."""
    lexical, given, _ = parts(value)
    if given == datatype:
        return datatypes.well_formed(value)
    if (given == INTEGER and datatypes.is_integer(datatype)) or datatype in _REWRITTEN.get(given, ()):
        return datatypes.well_formed(literal(lexical, datatype[1:-1]))
    return False
