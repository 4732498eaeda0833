"""Secrets and values of rows out of payloads before they are kept: how a store that is set to do so takes them in.

The same bytes are spared in the same way, whoever sends them, so that what is sent again is known again. A payload
with nothing to take out stays as it is, byte for byte.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from provstore import rdf
from provstore.errors import Unmappable
from provstore.observe.redaction import REDACTED, Redacted, cleaned, redact, scrub, secret_name, suspicious

__all__ = [
    "REDACTED",
    "SECRETS",
    "Redacted",
    "Sparing",
    "cleaned",
    "hide",
    "redact",
    "refuse_secrets",
    "scrub",
    "secret_name",
]

Object = dict[str, Any]


def _nothing(_: Object) -> Object:
    return {}


@dataclass(frozen=True, slots=True)
class Sparing:
    """What a format holds beside secrets that is not to be kept, by the names of members, wherever they stand.

    `rows` hold values that a tool copied out of the data, `values` may hold some: texts, objects and lists; a number
    tells of many rows and stays. `parent/member` is a member of a member, `member[]` one that is a list. `sealed` gives
    what a signature in the payload covers, which cannot be changed.
    """

    rows: frozenset[str] = frozenset()
    values: frozenset[str] = frozenset()
    sealed: Callable[[Object], Object] = _nothing

    def spare(self, raw: bytes, value: Object, how: str) -> tuple[bytes, Object]:
        """The payload as it is kept, its bytes and its value; its member `redacted` tells what was taken out.

        `how` is the setting `redact`. Unmappable, with a pointer, where a signature covers a secret.
        """
        if how == "off":
            return raw, value
        covered = redact(self.sealed(value)).pointers
        if covered:
            raise Unmappable(_SEALED, pointer=covered[0])
        names = self.rows if how == "secrets" else self.rows | self.values
        hidden = hide(value, names) if names else Redacted(value, ())
        # an escaped letter (\u0070assword) hides a name from the look at the text
        if b"\\u" in raw or suspicious(raw.decode()):
            found = redact({name: each for name, each in hidden.value.items() if name != "redacted"})
        else:
            found = Redacted(hidden.value, ())
        taken = {*hidden.pointers, *found.pointers}
        if not taken:
            return raw, value
        told = value.get("redacted")
        taken |= {each for each in told if isinstance(each, str)} if isinstance(told, list) else set()
        spared = {**found.value, "redacted": sorted(taken)}
        return json.dumps(spared, ensure_ascii=False, separators=(",", ":")).encode(), spared


#: Nothing but secrets.
SECRETS: Final = Sparing()

_SEALED: Final = (
    "what is signed holds something that looks like a secret, and cannot be kept without it: change the secret, take it"
    " out where the statement is made, and sign again"
)
_DOCUMENT: Final = (
    "the document holds something that looks like a secret, in a statement with {}: change the secret and take it out;"
    " an RDF document is kept as it is sent or not at all"
)


def refuse_secrets(quads: bytes) -> None:
    """Unmappable where canonical N-Quads hold a secret: in a text, an address, or as the value of a secret's name."""
    text = quads.decode()
    if not suspicious(text):
        return
    for line in text.split("\n")[:-1]:
        subject, predicate, value, graph = rdf.split(line)
        if _tells(value, predicate) or any(map(_tells, (subject, graph))):
            raise Unmappable(_DOCUMENT.format(scrub(predicate)))


def _tells(term: str, predicate: str = "") -> bool:
    """Whether a term, the value of a predicate, gives a secret away."""
    if term.startswith('"'):
        named = predicate[1:-1].replace("#", "/").rpartition("/")[2]
        return scrub(term) != term or (term[1:2] != '"' and secret_name(named) and REDACTED not in term)
    return "://" in term and ("@" in term or "?" in term) and scrub(term) != term


def hide(value: Object, names: frozenset[str]) -> Redacted:
    """The value with `[redacted]` in place of what stands under the names (`Sparing`), and the pointers of where.

    What is empty stays, and so does a number.
    """
    pointers: list[str] = []

    def walk(each: Any, at: str, parent: str) -> Any:
        if isinstance(each, list):
            return [walk(one, f"{at}/{index}", parent) for index, one in enumerate(each)]
        if not isinstance(each, dict):
            return each
        out: Object = {}
        for key, one in each.items():
            below = f"{at}/{scrub(key).replace('~', '~0').replace('/', '~1')}"
            named = key in names or f"{parent}/{key}" in names or (f"{key}[]" in names and isinstance(one, list))
            if named and one and one != REDACTED and not isinstance(one, (int, float)):
                pointers.append(below)
                out[key] = REDACTED
            else:
                out[key] = walk(one, below, key)
        return out

    return Redacted(walk(value, "", ""), tuple(pointers))
