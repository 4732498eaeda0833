"""The N-Quads lines of one graph, each kept once."""

from __future__ import annotations

from provstore import iris, rdf
from provstore.vocab import PROV, PS, RDF_TYPE


class Lines:
    """Collects the lines of the graph that `graph` (an IRI) names; terms are given as written in N-Quads."""

    __slots__ = ("base", "held", "tail")

    def __init__(self, base: str, graph: str) -> None:
        self.base = base
        self.held: set[str] = set()
        self.tail = f" <{graph}> .\n"

    def say(self, subject: str, predicate: str, value: str) -> None:
        self.held.add(f"{subject} {predicate} {value}{self.tail}")

    def type(self, subject: str, *classes: str) -> None:
        for each in classes:
            self.held.add(f"{subject} {RDF_TYPE} {each}{self.tail}")

    def dataset(self, namespace: str, name: str) -> str:
        """The IRI of a dataset, typed and named."""
        iri = iris.dataset(self.base, namespace, name)
        self.type(f"<{iri}>", PROV.Entity, PS.Dataset)
        self._named(f"<{iri}>", namespace, name)
        return iri

    def job(self, namespace: str, name: str) -> str:
        """The IRI of a job, typed and named."""
        iri = iris.job(self.base, namespace, name)
        self.type(f"<{iri}>", PROV.Entity, PROV.Plan, PS.Job)
        self._named(f"<{iri}>", namespace, name)
        return iri

    def _named(self, node: str, namespace: str, name: str) -> None:
        self.say(node, PS.namespace, rdf.literal(namespace))
        self.say(node, PS.name, rdf.literal(name))
