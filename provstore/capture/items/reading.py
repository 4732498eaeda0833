"""Tolerant readers of a batch's members: each gives what is meant, or says where it stands and what was wanted."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from provstore import rdf, times
from provstore.capture.facets import kind_of
from provstore.errors import Unmappable

#: Characters of a key, a name or an identifier, and of a text that is a value.
MAX_NAME: Final = 1_000
MAX_TEXT: Final = 65_536

_PLAIN_TIME = re.compile(r"(?a)\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\dZ\Z")
_SCHEMES = ("http://", "https://", "urn:", "ni:")
_COMMITMENT = re.compile(r"hmac-sha256:[0-9a-f]{64}\Z")
_DECIMAL = re.compile(r"(?a)[+-]?(?:\d+(?:\.\d*)?|\.\d+)\Z")
_PLAIN_HASH = re.compile(r"(?:md5|sha-?(?:1|256|384|512))[:=-][0-9A-Fa-f]{32,128}\Z|[0-9a-fA-F]{64}\Z")


def text(value: object, pointer: str, most: int = MAX_NAME) -> str:
    """Text that says something."""
    if not isinstance(value, str):
        raise Unmappable(f"wanted text, got {kind_of(value)}", pointer=pointer)
    if not value.strip():
        raise Unmappable("wanted text, got none", pointer=pointer)
    if len(value) > most:
        raise Unmappable(f"the text has {len(value)} characters; at most {most} are taken", pointer=pointer)
    return value


def name(value: object, pointer: str) -> str:
    """A key or identifier: text, or an integer as text."""
    return str(value) if type(value) is int and abs(value) < 10**30 else text(value, pointer)


def one_of(value: object, known: Mapping[str, object], pointer: str) -> str:
    """One of the names of a table."""
    if not isinstance(value, str) or value not in known:
        raise Unmappable(f"wanted one of {', '.join(known)}, got {str(value)[:80]!r}", pointer=pointer)
    return value


def mapping(value: object, pointer: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Unmappable(f"wanted an object, got {kind_of(value)}", pointer=pointer)
    return value


def iri(value: str, pointer: str) -> str | None:
    """The text where it is an absolute IRI of a thing (http, https, urn, ni); None where it is a name."""
    if not value.startswith(_SCHEMES):
        return None
    if not rdf.is_iri(value):
        raise Unmappable(f"{value[:80]!r} is no IRI", pointer=pointer)
    return value


def instant(value: object, pointer: str) -> tuple[str, bool]:
    """The xsd:dateTime term of a time, and whether it named a zone (none is taken for UTC)."""
    if isinstance(value, str) and _PLAIN_TIME.match(value):  # most are
        return f'"{value}"^^<{rdf.XSD}dateTime>', True
    try:
        found, zoned = times.key(text(value, pointer))
    except ValueError as error:
        raise Unmappable(f"{error}", pointer=pointer) from error
    return rdf.date_time(times.lexical(found)), zoned


def number(value: int | float, pointer: str) -> str:
    """A number as a term: what was sent with an exponent is a double, all else exact."""
    if isinstance(value, int):
        return f'"{value}"^^<{rdf.XSD}integer>'
    written = repr(value)
    return f'"{written}"^^<{rdf.XSD}{"double" if "e" in written else "decimal"}>'


def value_of(value: object, pointer: str) -> tuple[str, str]:
    """(kind, term) of a value: "number", "value" for text and booleans, or "commitment"."""
    if isinstance(value, bool):
        return "value", rdf.boolean(value)
    if isinstance(value, int | float):
        return "number", number(value, pointer)
    if isinstance(value, dict):
        return _said(value, pointer)
    if isinstance(value, list):
        raise Unmappable("a value is a number, text or a boolean; send an item for each", pointer=pointer)
    found = text(value, pointer, MAX_TEXT)
    if _PLAIN_HASH.match(found):
        raise Unmappable(
            "a plain hash of a value gives it away to who tries all values: send"
            ' {"commitment": "hmac-sha256:…"} with a secret key',
            pointer=pointer,
        )
    return "value", rdf.literal(found)


def _said(value: dict[str, Any], pointer: str) -> tuple[str, str]:
    commitment, decimal = value.get("commitment"), value.get("decimal")
    if len(value) == 1 and isinstance(commitment, str) and _COMMITMENT.match(commitment):
        return "commitment", rdf.literal(commitment)
    if len(value) == 1 and isinstance(decimal, str) and len(decimal) <= MAX_NAME and _DECIMAL.match(decimal):
        return "number", rdf.literal(decimal, f"{rdf.XSD}decimal")
    raise Unmappable(
        'a value that is an object must be {"commitment": "hmac-sha256:" and 64 hexadecimal digits}'
        f' or {{"decimal": "6.90"}}, got {json.dumps(value)[:80]}',
        pointer=pointer,
    )
