"""The N-Quads lines of one graph, each kept once."""

from __future__ import annotations

from provstore import iris, rdf
from provstore.capture import terms as t


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
            self.held.add(f"{subject} {t.A} {each}{self.tail}")

    def dataset(self, namespace: str, name: str) -> str:
        """The IRI of a dataset, typed and named."""
        iri = iris.dataset(self.base, namespace, name)
        self.type(f"<{iri}>", t.PROV_ENTITY, t.DATASET)
        self._named(f"<{iri}>", namespace, name)
        return iri

    def job(self, namespace: str, name: str) -> str:
        """The IRI of a job, typed and named."""
        iri = iris.job(self.base, namespace, name)
        self.type(f"<{iri}>", t.PROV_ENTITY, t.PROV_PLAN, t.JOB)
        self._named(f"<{iri}>", namespace, name)
        return iri

    def _named(self, node: str, namespace: str, name: str) -> None:
        self.say(node, t.NAMESPACE, rdf.literal(namespace))
        self.say(node, t.NAME, rdf.literal(name))
