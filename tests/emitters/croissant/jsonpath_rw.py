"""In place of jsonpath-rw, which has no wheel: mlcroissant imports it at its start, and uses it for JSONPath alone."""

from __future__ import annotations

lexer = None
