"""Secrets out of payloads (`provstore.observe.redaction`), for what pulls from other tools."""

from __future__ import annotations

from provstore.observe.redaction import REDACTED, Redacted, cleaned, redact, scrub, secret_name

__all__ = ["REDACTED", "Redacted", "cleaned", "redact", "scrub", "secret_name"]
