"""What a snapshot says about things: in which graphs, and which statements of some graphs. Jobs for workers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pyoxigraph as ox

from provstore import rdf
from provstore.store.query import open_snapshot
from provstore.vocab import PROV, RDF_TYPE

_TYPE, _AGENT = ox.NamedNode(RDF_TYPE[1:-1]), ox.NamedNode(PROV.Agent[1:-1])


@dataclass(frozen=True, slots=True)
class AboutJob:
    """Things by their IRIs, the graphs that matter (none: all of them), and the things that were named by who asked."""

    snapshot: str
    things: tuple[str, ...]
    graphs: tuple[str, ...] = ()
    max_bytes: int = 0
    asked: frozenset[str] = frozenset()


def graphs(job: AboutJob) -> list[str]:
    """The named graphs with a statement about any of the things (as its subject), sorted.

    For a content, the graphs that cite it. Agents are passed over but for those that were asked for by themselves: a
    producer or a person is named in every record of theirs.
    """
    store, found = open_snapshot(job.snapshot), set[str]()
    for iri in filter(rdf.is_iri, job.things):
        node = ox.NamedNode(iri)
        if iri in job.asked or ox.Quad(node, _TYPE, _AGENT) not in store:
            found |= _graphs(store, node, None)
    cited = {iri for iri in found if iri.startswith("ni:")}
    return sorted(found.union(*(_graphs(store, None, ox.NamedNode(iri)) for iri in cited)))


def _graphs(store: ox.Store, subject: ox.NamedNode | None, value: ox.NamedNode | None) -> set[str]:
    quads = store.quads_for_pattern(subject, None, value, None)
    return {quad.graph_name.value for quad in quads if isinstance(quad.graph_name, ox.NamedNode)}


def statements(job: AboutJob) -> bytes | None:
    """The statements of the graphs about the things and their parts (`thing#…`): sorted canonical N-Quads.

    Literals as the engine has them. None where they are more than `max_bytes`.
    """
    lines, size = set[str](), 0
    for line in _lines(open_snapshot(job.snapshot), job):
        if line not in lines:
            lines.add(line)
            size += len(line)
        if size > job.max_bytes:
            return None
    return "".join(sorted(lines)).encode()


def _lines(store: ox.Store, job: AboutJob) -> Iterator[str]:
    todo, seen = list(filter(rdf.is_iri, job.things)), set(job.things)
    wanted = [ox.NamedNode(each) for each in job.graphs]
    while todo:
        thing = todo.pop()
        for graph in wanted:
            for quad in store.quads_for_pattern(ox.NamedNode(thing), None, None, graph):
                yield rdf.quad_line(quad)
                value = quad.object
                if isinstance(value, ox.NamedNode) and value.value not in seen and value.value.startswith(f"{thing}#"):
                    seen.add(value.value)
                    todo.append(value.value)
