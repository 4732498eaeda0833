"""Secrets and values of rows out of payloads before they are kept: how a store that is set to do so takes them in.

The same bytes are spared in the same way, whoever sends them, so that what is sent again is known again. A payload
with nothing to take out stays as it is, byte for byte.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from provstore import rdf
from provstore.errors import InvalidInput, Unmappable
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
class Spared:
    """A payload as it is kept: its bytes, its value, and the JSON pointers of what was taken out of it now."""

    raw: bytes
    value: Object
    taken: tuple[str, ...] = ()


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

    def spare(self, raw: bytes, value: Object, how: str) -> Spared:
        """The payload as it is kept; its member `redacted` tells what was taken out, now and before.

        `how` is the setting `redact`. Unmappable, with a pointer, where a signature covers a secret.
        """
        if how == "off":
            return Spared(raw, value)
        covered = redact(self.sealed(value)).pointers
        if covered:
            raise Unmappable(_SEALED, pointer=f"/payload{covered[0]}")
        names = self.rows if how == "secrets" else self.rows | self.values
        # an escaped letter (\u0070assword) hides a name from the look at the text
        wary = b"\\u" in raw or suspicious(raw.decode())
        hidden = hide(value, names) if names else Redacted(value, ())
        told = hidden.value.get("redacted")
        before = set(told) if _pointers(told) else None
        rest = {name: each for name, each in hidden.value.items() if before is None or name != "redacted"}
        found = redact(rest) if wary else Redacted(rest, ())
        taken = tuple(sorted({*hidden.pointers, *found.pointers}))
        if taken:
            value = {**found.value, "redacted": sorted({*(before or ()), *taken})}
        elif not ((wary or names) and _repeats(raw)):
            return Spared(raw, value)
        return Spared(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(), value, taken)


def _pointers(told: object) -> bool:
    """Whether a member `redacted` is what it is to be, and not one more place for secrets."""
    return isinstance(told, list) and all(isinstance(each, str) and scrub(each) == each for each in told)


def _repeats(raw: bytes) -> bool:
    """Whether an object has two members of one name: nobody reads the first, so nobody would find what is in it."""
    found = False

    def looked_at(pairs: list[tuple[str, Any]]) -> Object:
        nonlocal found
        made = dict(pairs)
        found = found or len(made) < len(pairs)
        return made

    json.loads(raw, object_pairs_hook=looked_at)
    return found


#: Nothing but secrets.
SECRETS: Final = Sparing()

_SEALED: Final = (
    "what is signed holds something that looks like a secret, and cannot be kept without it: change the secret, take it"
    " out where the statement is made, and sign again"
)
_DOCUMENT: Final = (
    "the document holds something that looks like a secret, in {}: change the secret and take it out;"
    " an RDF document is kept as it is sent or not at all"
)

_ASIDE: Final = re.compile(r"(?:^|(?<=[\s.;,]))#[^\n]*|<!--.*?(?:-->|\Z)", re.DOTALL | re.MULTILINE)
#: Of the names of secrets those that are no ordinary property of things, as `authorization` and `credential` are.
_PROPERTY: Final = re.compile(r"passw|passphrase|secret|token|api[_-]?key|access[_-]?key", re.I)


def refuse_secrets(document: bytes, media_type: str, quads: bytes) -> None:
    """Unmappable where an RDF document, which is UTF-8 of a bare media type, holds a secret.

    Looked at are its canonical N-Quads (texts, addresses, and the values of what has a secret's name), its comments,
    and the members of JSON-LD, of which not all become statements.
    """
    text, said = document.decode("utf-8", "replace"), quads.decode()
    for line in said.split("\n")[:-1] if suspicious(said) else ():
        subject, predicate, value, graph = rdf.split(line)
        if _tells(value, predicate) or any(map(_tells, (subject, graph))):
            raise Unmappable(_DOCUMENT.format(f"a statement with {scrub(predicate)}"))
    if media_type.endswith("json"):
        for pointer in _members(text.removeprefix("\ufeff")):
            raise Unmappable(_DOCUMENT.format("a member of the JSON"), pointer=pointer)
    elif any(scrub(each) != each for each in _ASIDE.findall(text)):
        raise Unmappable(_DOCUMENT.format("a comment"))


def _members(text: str) -> tuple[str, ...]:
    """Where JSON-LD holds secrets."""
    try:
        return redact(_without_context(json.loads(text))).pointers
    except RecursionError as error:
        raise InvalidInput("the document is nested too deeply to be looked through for secrets") from error


def _without_context(value: Any) -> Any:
    """JSON-LD without its contexts, which name terms and give no values."""
    if isinstance(value, list):
        return [_without_context(each) for each in value]
    if isinstance(value, dict):
        return {key: _without_context(each) for key, each in value.items() if key != "@context"}
    return value


def _tells(term: str, predicate: str = "") -> bool:
    """Whether a term, the value of a predicate, gives a secret away."""
    if term.startswith('"'):
        named = predicate[1:-1].replace("#", "/").rpartition("/")[2]
        bears = secret_name(named) and _PROPERTY.search(named) and term[1:2] != '"' and REDACTED not in term
        return bool(bears) or scrub(term) != term
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
