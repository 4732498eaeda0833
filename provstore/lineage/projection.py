"""What states are told as: the assets that they are states of, or the runs that made or read them.

Each costs what is stated of the nodes that are asked about, however many others a graph has.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from provstore.lineage.adjacency import Ints, Longs, distinct, least
from provstore.lineage.moment import Moment
from provstore.views.edges import Relation

_NONE = int(np.iinfo(np.int64).max)


class Projection:
    """From each node to the one that it is told as; a node that is told as nothing else is told as itself."""

    def __init__(self, moment: Moment) -> None:
        self._moment = moment

    def of(self, nodes: Ints) -> Ints:
        """What each of some nodes is told as: of several, the first by number."""
        raise NotImplementedError

    def members(self, things: Ints) -> Ints:
        """The nodes that are told as these, in order."""
        near = distinct(np.concatenate([things, *(self._led_to(things, *each) for each in self._back)]))
        return near[np.isin(self.of(near), things)]

    def _led_to(self, things: Ints, relation: Relation, subject: bool) -> Ints:
        return self._moment.step(distinct(things), relation, subject=subject).other.astype(np.int32)

    #: The relations that lead from what nodes are told as to them, and whether it is their subject.
    _back: tuple[tuple[Relation, bool], ...] = ()


class OfAssets(Projection):
    """Each state as the asset that it is a state of: not as a version of one."""

    _back: tuple[tuple[Relation, bool], ...] = ((Relation.SPECIAL, False),)

    def of(self, nodes: Ints) -> Ints:
        rows = self._moment.step(distinct(nodes), Relation.SPECIAL)
        general = rows.other.astype(np.int32)
        good = ~self._moment.is_of(general, ("Version",))
        return _first(nodes, rows.node[good], general[good])


class OfMakers(Projection):
    """Each node as the activity that made it."""

    _back: tuple[tuple[Relation, bool], ...] = ((Relation.GENERATED, False),)

    def of(self, nodes: Ints) -> Ints:
        rows = self._moment.step(distinct(nodes), Relation.GENERATED)
        return _first(nodes, rows.node, rows.other)


class OfRuns(OfMakers):
    """Each node as the activity that made it; a read as the one that read it."""

    _back: tuple[tuple[Relation, bool], ...] = ((Relation.GENERATED, False), (Relation.USED, True))

    def of(self, nodes: Ints) -> Ints:
        reads = self._moment.is_of(nodes, ("ReadState",))
        rows = self._moment.step(distinct(nodes[reads]), Relation.USED, subject=False)
        told = super().of(nodes)
        told[reads] = _first(nodes[reads], rows.node, rows.other)
        return told


#: Level of a question → what its nodes are told as; states are told as themselves.
TOLD_AS: dict[str, Callable[[Moment], Projection]] = {"asset": OfAssets, "run": OfRuns}


def _first(nodes: Ints, node: Ints, value: Ints | Longs) -> Ints:
    """For each of some nodes the least of the values given for it, or else itself."""
    found = least(nodes, node, value, _NONE)
    return np.where(found == _NONE, nodes, found).astype(np.int32)
