"""A provenance store for data and AI: PROV-O in, SPARQL out, a tamper-evident ledger beneath."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from provstore.core.inline import validate

__version__ = "0.1.0"
__all__ = ["__version__", "validate"]


def __getattr__(name: str) -> Any:
    """`validate` is loaded when it is first used: who only wants the version does not wait for an engine."""
    if name != "validate":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from provstore.core.inline import validate

    return validate
