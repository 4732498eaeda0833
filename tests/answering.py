"""Canned queries asked of a store in this process."""

from __future__ import annotations

import pyoxigraph as ox

from provstore import queries
from provstore.core import ProvStore


def answered(store: ProvStore, name: str, **values: str) -> list[dict[str, str]]:
    """The rows of a canned query, each with what is bound in it."""
    held = ox.Store()
    held.load("".join(store.views.store.dump()).encode(), format=ox.RdfFormat.N_QUADS)
    found = held.query(queries.bind(queries.find(name), values))
    assert isinstance(found, ox.QuerySolutions)
    names = [variable.value for variable in found.variables]
    return [
        {name: cell.value for name, cell in zip(names, row, strict=True) if isinstance(cell, ox.NamedNode | ox.Literal)}
        for row in found
    ]
