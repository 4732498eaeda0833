"""Record-level items in batches (`items/1`): values, rows, chunks, predictions, with what all of one batch share.

A batch is one record: one graph, one leaf of the ledger, however many items it holds.
"""

from __future__ import annotations

from typing import Any

from provstore.capture.items.batch import ADAPTER, MAX_ITEMS, Batch
from provstore.capture.items.items import Items
from provstore.model import Mapped

__all__ = ["ADAPTER", "MAX_ITEMS", "map_items"]


def map_items(value: dict[str, Any], *, base: str) -> Mapped:
    """One batch as a record; the order of its items, and whether they stand in rows or objects, changes nothing in it.

    All or nothing: Unmappable with the pointer of the first thing that is wrong, such as a key that comes twice, a
    time that is none, a number without an item. At most `MAX_ITEMS` items. Members that are not known are left out
    and told as liberties.
    """
    batch = Batch(value, base)
    Items(batch).write()
    return batch.mapped()
