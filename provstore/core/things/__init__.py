"""A thing as its page tells it: what it is, where from, who, when, what is missing, what depends on it, the proof."""

from provstore.core.things.assemble import described_thing, resolved
from provstore.core.things.column import Column, column_of
from provstore.core.things.croissant import croissant_of, facts_of
from provstore.core.things.description import description
from provstore.core.things.thing import Thing

__all__ = ["Column", "Thing", "column_of", "croissant_of", "described_thing", "description", "facts_of", "resolved"]
