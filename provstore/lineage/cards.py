"""What every node is, worked out for all at once, so that to tell one costs little: kind, asset, maker, time, origin.

It is what `Moment` says of single nodes at the index at which it was worked out. What rows say that came later is
looked up anew: a card depends on statements whose subject is the node, its asset or its maker, and on nothing else.
"""

from __future__ import annotations

from collections.abc import Container

import numpy as np

from provstore.lineage.adjacency import Bytes, Ints, Longs
from provstore.lineage.graph import Card, LineageGraph
from provstore.lineage.moment import KINDS, Moment
from provstore.lineage.projection import OfAssets, OfMakers
from provstore.views.edges import Relation

#: What a card says of a node's origin; 0 is that nothing is said of it.
UNKNOWN, SOURCE = 1, 2
_NONE = len(KINDS)
_ALWAYS = int(np.iinfo(np.int64).min)


def prepare(graph: LineageGraph) -> None:
    """See that the cards of a graph are those of its arrays; takes a fraction of a second for a million nodes."""
    if graph.cards_of != graph.laid:
        graph.cards, graph.cards_of = Cards(Moment(graph)), graph.laid
        graph.later.clear()


class Cards:
    """The cards of all nodes of a graph as it stands."""

    def __init__(self, moment: Moment) -> None:
        count = moment.graph.nodes + 1
        everyone = np.arange(count, dtype=np.int32)
        self._kind = _kinds(moment, count)
        self._asset = _others(OfAssets(moment).of(everyone), everyone)
        self._maker = _others(OfMakers(moment).of(everyone), everyone)
        self._time: Longs = moment.times
        self._origin = _origins(moment, count)

    def of(self, node: int, later: Container[int]) -> Card | None:
        """The card of a node; None where something was said `later` of what it depends on."""
        if node >= len(self._kind) or node in later:
            return None
        asset, maker = int(self._asset[node]), int(self._maker[node])
        if asset in later or maker in later:
            return None
        kind, time = int(self._kind[node]), int(self._time[node])
        name = KINDS[kind] if kind < _NONE else ""
        return name, asset, maker, time if time > _ALWAYS else None, int(self._origin[node])


def _kinds(moment: Moment, count: int) -> Bytes:
    node, classes = moment.rows(Relation.TYPE)
    rank = np.full(count, _NONE, np.uint8)
    for number, name in enumerate(KINDS):
        if found := moment.class_id(name):
            rank[found] = number
    kinds = np.full(count, _NONE, np.uint8)
    np.minimum.at(kinds, node, rank[classes])
    general = np.unique(moment.rows(Relation.SPECIAL)[1])
    kinds[general[kinds[general] == _NONE]] = KINDS.index("Dataset")  # which only a facet names
    return kinds


def _origins(moment: Moment, count: int) -> Bytes:
    node, classes = moment.rows(Relation.TYPE)
    state, general = moment.rows(Relation.SPECIAL)
    sources = np.zeros(count, np.bool_)
    sources[node[classes == moment.source_class]] = True
    found = np.zeros(count, np.uint8)
    found[sources] = SOURCE
    found[state[sources[general]]] = SOURCE
    found[node[classes == moment.unresolved_class]] = UNKNOWN
    return found


def _others(onto: Ints, everyone: Ints) -> Ints:
    return np.where(onto == everyone, 0, onto).astype(np.int32)
