"""Constraints of SHACL-SPARQL: sh:sparql (§5), and components that a shapes graph defines itself (§6)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from provstore.errors import InvalidInput
from provstore.validation import engine, prebinding
from provstore.validation.graph import Graph
from provstore.validation.paths import Path, sparql
from provstore.validation.prebinding import Template
from provstore.validation.shapes import Constraint, Sparql, Target, sh
from provstore.validation.terms import STRING, is_iri, is_literal, parts, text

_IMPORTS = "<http://www.w3.org/2002/07/owl#imports>"
_NAME = re.compile(r"[^\W\d]\w*\Z")
_RESERVED = {"this", "shapesGraph", "currentShape", "path", "PATH", "value"}


@dataclass(frozen=True, slots=True)
class _Parameter:
    predicate: str
    name: str
    optional: bool


@dataclass(frozen=True, slots=True)
class _Component:
    node: str
    parameters: tuple[_Parameter, ...]


class Components:
    """The constraint components that a shapes graph defines, and its sh:sparql constraints."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._defined = [self._component(node) for node in graph.instances(sh("ConstraintComponent"))]

    def used(self) -> Iterator[str]:
        """The nodes that have a sh:sparql, or every parameter that one of the components needs."""
        yield from self._graph.subjects_of(sh("sparql"))
        for component in self._defined:
            for parameter in component.parameters:
                for node in self._graph.subjects_of(parameter.predicate):
                    if self._declared(node, component):
                        yield node

    def constraints(self, node: str, path: Path | None) -> Iterator[Constraint]:
        """The constraints that a shape declares with them; InvalidInput where a query may not be used."""
        for each in self._graph.objects(node, sh("sparql")):
            if not self._deactivated(each):
                yield self._query(each, sh("SPARQLConstraintComponent"), ("this",), {}, path)
        for component in self._defined:
            if self._declared(node, component):
                yield from self._custom(node, component, path)

    def targets(self, node: str) -> Iterator[Target]:
        """The SPARQL targets of a shape (SHACL-AF §3.1): each value of ?this is a focus node."""
        for each in self._graph.objects(node, sh("target")):
            found = [*self._graph.objects(each, sh("select"))]
            if len(found) != 1 or not is_literal(found[0]):
                raise InvalidInput(f"shape {node}: sh:target needs one sh:select; other targets are not supported")
            try:
                prebinding.refuse(text(found[0]), ())
                query = prebinding.standalone(self._prefixes(each) + text(found[0]))
                engine.check(Template(query), ())
            except InvalidInput as error:
                raise InvalidInput(f"shape {node}: sh:target: {error}") from error
            if "this" not in Template(query).variables:
                raise InvalidInput(f"shape {node}: sh:target must select ?this")
            yield Target("query", query)

    def _deactivated(self, node: str) -> bool:
        return any(
            parts(value)[0] in ("true", "1")
            for value in self._graph.objects(node, sh("deactivated"))
            if is_literal(value)
        )

    # --- components --------------------------------------------------------------------------------------------------

    def _component(self, node: str) -> _Component:
        found = []
        for each in self._graph.objects(node, sh("parameter")):
            paths = [*self._graph.objects(each, sh("path"))]
            if len(paths) != 1 or not is_iri(paths[0]):
                raise InvalidInput(f"component {node}: parameter {each} needs exactly one sh:path, an IRI")
            optional = any(parts(value)[0] in ("true", "1") for value in self._graph.objects(each, sh("optional")))
            found.append(_Parameter(paths[0], _variable(node, paths[0]), optional))
        if not any(not parameter.optional for parameter in found):
            raise InvalidInput(f"component {node}: at least one sh:parameter that is not optional is needed")
        return _Component(node, tuple(sorted(found, key=lambda parameter: parameter.name)))

    def _declared(self, node: str, component: _Component) -> bool:
        return all(p.optional or [*self._graph.objects(node, p.predicate)] for p in component.parameters)

    def _custom(self, node: str, component: _Component, path: Path | None) -> Iterator[Constraint]:
        given = {p.name: [*self._graph.objects(node, p.predicate)] for p in component.parameters}
        if len(given) > 1 and any(len(values) > 1 for values in given.values()):
            raise InvalidInput(f"shape {node}: a parameter of {component.node} is given more than once")
        validator = self._validator(component.node, path)
        if validator is None:
            raise InvalidInput(
                f"shape {node}: {component.node} has no validator for a {'node' if path is None else 'property'} shape"
            )
        bound = tuple(p.name for p in component.parameters)
        if len(given) == 1:
            ((name, values),) = given.items()
            combinations = [{name: value} for value in values]
        else:
            combinations = [{name: values[0] for name, values in given.items() if values}]
        for bindings in combinations:
            yield self._query(validator, component.node, ("this", *bound), bindings, path)

    def _validator(self, component: str, path: Path | None) -> str | None:
        """The validator that fits best (SHACL §6.2.3)."""
        for name in ("nodeValidator" if path is None else "propertyValidator", "validator"):
            for validator in self._graph.objects(component, sh(name)):
                return validator
        return None

    # --- queries -----------------------------------------------------------------------------------------------------

    def _query(
        self, node: str, component: str, bound: tuple[str, ...], bindings: dict[str, str], path: Path | None
    ) -> Sparql:
        queries = {name: [*self._graph.objects(node, sh(name))] for name in ("select", "ask")}
        (name, found), *rest = [(name, found) for name, found in queries.items() if found] or [("select", [])]
        if rest or len(found) != 1 or not is_literal(found[0]) or parts(found[0])[1] != STRING:
            raise InvalidInput(f"{node}: exactly one sh:select or sh:ask, a string, is needed")
        if name == "ask":
            bound = (*bound, "value")
        query = text(found[0])
        try:
            prebinding.refuse(query, bound)
            query = prebinding.with_path(query, sparql(path)) if path is not None else query
            query = self._prefixes(node) + query
            engine.check(Template(query), bound)
        except InvalidInput as error:
            raise InvalidInput(f"{node}: {error}") from error
        return Sparql(component, node, query, name == "ask", tuple(self._graph.objects(node, sh("message"))), bindings)

    def _prefixes(self, node: str) -> str:
        """The prefixes that sh:prefixes leads to, there and in what that imports (SHACL §5.2.1)."""
        waiting, seen = [*self._graph.objects(node, sh("prefixes"))], set[str]()
        found: dict[str, str] = {}
        while waiting:
            each = waiting.pop()
            if each in seen:
                continue
            seen.add(each)
            waiting += self._graph.objects(each, _IMPORTS)
            for declared in self._graph.objects(each, sh("declare")):
                prefix, namespace = (self._text(declared, name) for name in ("prefix", "namespace"))
                if found.setdefault(prefix, namespace) != namespace:
                    raise InvalidInput(f"{node}: the prefix {prefix!r} is declared twice, for two namespaces")
        return "".join(f"PREFIX {prefix}: <{namespace}>\n" for prefix, namespace in found.items())

    def _text(self, node: str, name: str) -> str:
        found = [*self._graph.objects(node, sh(name))]
        if len(found) != 1 or not is_literal(found[0]):
            raise InvalidInput(f"{node}: exactly one sh:{name} is needed")
        return text(found[0])


def _variable(component: str, predicate: str) -> str:
    local = re.split(r"[/#:]", text(predicate))[-1]
    if not _NAME.match(local) or local in _RESERVED:
        raise InvalidInput(f"component {component}: the local name of {predicate} cannot be a variable of a query")
    return local
