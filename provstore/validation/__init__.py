"""Whether a record says what it should, in a way that can be relied on: SHACL shapes, grouped in profiles."""

from __future__ import annotations

from provstore.validation.shacl import Profile, Result, Rule, profiles, validate

__all__ = ["Profile", "Result", "Rule", "profiles", "validate"]
