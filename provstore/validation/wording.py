"""What a shape asks, in plain words: its targets, its path, its constraints. For people; no engine goes by it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rdflib import Graph
from rdflib.collection import Collection
from rdflib.namespace import OWL, RDF, RDFS, SH
from rdflib.term import BNode, Literal, Node, URIRef

from provstore.validation.snippets import PREFIXES

_DEEPEST = 12  # shapes within shapes; a profile that was published cannot be endless, a file on its way in could
_AFTER = {SH.zeroOrMorePath: "*", SH.oneOrMorePath: "+", SH.zeroOrOnePath: "?"}
_INVERSE = re.compile(r"\^[^\s/|()*+?]+\Z")
_KINDS = {
    SH.IRI: "is an IRI",
    SH.BlankNode: "is a blank node",
    SH.Literal: "is a literal",
    SH.BlankNodeOrIRI: "is an IRI or a blank node, no literal",
    SH.BlankNodeOrLiteral: "is a blank node or a literal, no IRI",
    SH.IRIOrLiteral: "is an IRI or a literal, no blank node",
}
#: Constraints of one value, in the order in which they are told: `{}` is the value.
_PLAIN = {
    SH["class"]: "is a {}",
    SH.datatype: "is an {}",
    SH.minExclusive: "is greater than {}",
    SH.minInclusive: "is {} or greater",
    SH.maxExclusive: "is less than {}",
    SH.maxInclusive: "is {} or less",
    SH.minLength: "has at least {} characters",
    SH.maxLength: "has at most {} characters",
    SH.pattern: "matches the regular expression {}",
    SH.hasValue: "one of the values is {}",
    SH.equals: "has the same values as {}",
    SH.disjoint: "is no value of {} as well",
    SH.lessThan: "is less than each value of {}",
    SH.lessThanOrEquals: "is less than or equal to each value of {}",
}
_NUMBERS = ("none", "one", "two", "three")


class Wording:
    """Says in words what the shapes of one graph ask.

    Names are shortened by the prefixes that the graph declares, then by those that everybody knows.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        known = {str(iri): prefix for prefix, iri in graph.namespaces()}
        for prefix, iri in (*PREFIXES.items(), ("sh", str(SH)), ("owl", str(OWL))):
            known.setdefault(iri, prefix)
        self._prefixes = sorted(known.items(), key=lambda each: -len(each[0]))

    def short(self, node: Node) -> str:
        """A term as Turtle writes it, with a prefix where one fits."""
        if isinstance(node, URIRef):
            for iri, prefix in self._prefixes:
                name = str(node)[len(iri) :]
                if iri and str(node).startswith(iri) and name and not set(name) & set("/#?:"):
                    return f"{prefix}:{name}"
            return f"<{node}>"
        if isinstance(node, Literal) and node.datatype and node.language is None:
            plain = {"integer", "decimal", "boolean"}
            name = self.short(node.datatype)
            return str(node) if name.rpartition(":")[2] in plain else f'"{node}"^^{name}'
        return str(node.n3()) if isinstance(node, Literal) else "a node without a name"

    def path(self, node: Node) -> str:
        """A SHACL path (§2.3.1) as a SPARQL property path."""
        return self._path(node, 0)

    def _path(self, node: Node, depth: int) -> str:
        if isinstance(node, URIRef):
            return self.short(node)
        if depth > _DEEPEST:
            return "…"
        inverse = self.graph.value(node, SH.inversePath)
        if inverse is not None:
            return f"^{self._grouped(inverse, depth)}"
        alternatives = self.graph.value(node, SH.alternativePath)
        if alternatives is not None:
            return "|".join(self._grouped(each, depth) for each in self._list(alternatives))
        for predicate, sign in _AFTER.items():
            inner = self.graph.value(node, predicate)
            if inner is not None:
                return f"{self._grouped(inner, depth)}{sign}"
        return "/".join(self._grouped(each, depth) for each in self._list(node))

    def _grouped(self, node: Node, depth: int) -> str:
        text = self._path(node, depth + 1)
        return text if isinstance(node, URIRef) or _INVERSE.match(text) else f"({text})"

    def _list(self, node: Node) -> list[Node]:
        try:
            return list(Collection(self.graph, node))
        except ValueError:  # a list that comes back to itself
            return []

    # -- targets ------------------------------------------------------------------------------------------------------

    def targets(self, shape: Node) -> list[str]:
        """What a shape is held against (SHACL §2.1.3), one each."""
        says: tuple[tuple[URIRef, str], ...] = (
            (SH.targetClass, "every {}"),
            (SH.targetSubjectsOf, "what has {}"),
            (SH.targetObjectsOf, "what {} points to"),
            (SH.targetNode, "{}"),
        )
        found = [
            text.format(self.short(value))
            for predicate, text in says
            for value in sorted(self.graph.objects(shape, predicate), key=str)
        ]
        classes = {RDFS.Class, OWL.Class} & set(self.graph.objects(shape, RDF.type))
        if classes and isinstance(shape, URIRef):
            found.insert(0, f"every {self.short(shape)}")
        if self.graph.value(shape, SH.target) is not None:
            found.append("what a query selects")
        return found

    # -- constraints --------------------------------------------------------------------------------------------------

    def constraints(self, shape: Node) -> list[str]:
        """What a shape asks of a node or of the values of its path, a phrase each."""
        return list(self._constraints(shape, 0))

    def _constraints(self, shape: Node, depth: int) -> Iterator[str]:
        if depth > _DEEPEST:
            yield "…"
            return
        yield from self._counts(shape)
        for kind in self._all(shape, SH.nodeKind):
            yield _KINDS.get(URIRef(str(kind)), f"is of the kind {self.short(kind)}")
        for predicate, text in _PLAIN.items():
            yield from (text.format(self.short(value)) for value in self._all(shape, predicate))
        for values in self._all(shape, SH["in"]):
            among = ", ".join(map(self.short, self._list(values)))
            yield f"is one of {among}" if among else "there is none"
        for values in self._all(shape, SH.languageIn):
            yield f"is in one of the languages {', '.join(str(each) for each in self._list(values))}"
        if any(str(value) in ("true", "1") for value in self._all(shape, SH.uniqueLang)):
            yield "has one value a language at most"
        yield from self._logical(shape, depth)
        yield from self._qualified(shape, depth)
        yield from self._closed(shape)
        yield from sorted(self._property(each, depth) for each in self._all(shape, SH.property))
        for each in self._all(shape, SH.sparql):
            says = self.graph.value(each, RDFS.comment)
            yield str(says) if says else "a SPARQL query finds nothing amiss"

    def _counts(self, shape: Node) -> Iterator[str]:
        least, most = self._number(shape, SH.minCount) or 0, self._number(shape, SH.maxCount)
        if most is not None and least == most:
            yield _values("exactly " * (most > 0), most)
        elif least and most is not None:
            yield f"there are {least} to {most} values"
        elif least:
            yield _values("at least ", least)
        elif most is not None:
            yield _values("at most ", most)

    def _number(self, shape: Node, predicate: URIRef) -> int | None:
        value = self.graph.value(shape, predicate)
        return int(str(value)) if value is not None and str(value).isascii() and str(value).isdigit() else None

    def _logical(self, shape: Node, depth: int) -> Iterator[str]:
        yield from sorted(self._denied(each, depth) for each in self._all(shape, SH["not"]))
        joined: tuple[tuple[URIRef, str, str], ...] = (
            (SH["and"], " and ", "{}"),
            (SH["or"], ", or ", "{}"),
            (SH.xone, ", or else ", "{} (one of these only)"),
        )
        for predicate, glue, text in joined:
            for values in self._all(shape, predicate):
                phrases = [self._phrase(each, depth) for each in self._list(values)]
                yield text.format(glue.join(phrases))
        for each in self._all(shape, SH.node):
            yield self._phrase(each, depth)

    def _denied(self, shape: Node, depth: int) -> str:
        kinds = self._all(shape, SH["class"])
        if len(kinds) == 1 and len(set(self.graph.predicates(shape))) == 1:
            return f"is no {self.short(kinds[0])}"
        return self._phrase(shape, depth, "it is not so that it {}")

    def _phrase(self, shape: Node, depth: int, text: str = "{}") -> str:
        """A shape within a shape."""
        if isinstance(shape, URIRef) and self.graph.value(shape, SH.message) is not None:
            return text.format(f"conforms to {self.short(shape)}")
        inner = " and ".join(self._constraints(shape, depth + 1)) or "is anything"
        path = self.graph.value(shape, SH.path)
        return text.format(inner if path is None else f"has {self.path(path)} of which {inner}")

    def _qualified(self, shape: Node, depth: int) -> Iterator[str]:
        inner = self.graph.value(shape, SH.qualifiedValueShape)
        if inner is None:
            return
        least, most = self._number(shape, SH.qualifiedMinCount), self._number(shape, SH.qualifiedMaxCount)
        counts = [
            *([f"at least {least}"] if least is not None else []),
            *([f"at most {most}"] if most is not None else []),
        ]
        yield f"{' and '.join(counts) or 'any number'} of the values: {self._phrase(inner, depth)}"

    def _closed(self, shape: Node) -> Iterator[str]:
        if not any(str(value) in ("true", "1") for value in self._all(shape, SH.closed)):
            return
        ignored = self.graph.value(shape, SH.ignoredProperties)
        stated = [self.graph.value(each, SH.path) for each in self._all(shape, SH.property)]
        known = [each for each in stated if isinstance(each, URIRef)]
        known += [each for each in (self._list(ignored) if ignored is not None else []) if isinstance(each, URIRef)]
        yield f"has no property but {', '.join(sorted(set(map(self.short, known)))) or 'none'}"

    def _property(self, shape: Node, depth: int) -> str:
        path = self.graph.value(shape, SH.path)
        asked = "; ".join(self._constraints(shape, depth + 1)) or "anything"
        return f"{self.path(path) if path is not None else 'a property without a path'}: {asked}"

    def _all(self, shape: Node, predicate: URIRef) -> list[Node]:
        return sorted(self.graph.objects(shape, predicate), key=_order)


def _values(bound: str, count: int) -> str:
    number = _NUMBERS[count] if count < len(_NUMBERS) else str(count)
    return f"there {'is' if count < 2 else 'are'} {bound}{number}"


def _order(node: Node) -> str:
    return "" if isinstance(node, BNode) else str(node)
