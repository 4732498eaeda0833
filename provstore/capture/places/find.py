"""The place of a result in its payload: by its focus node, its path and its value."""

from __future__ import annotations

import bisect
import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from provstore import rdf
from provstore.capture.openlineage import places as openlineage
from provstore.capture.places import pointers
from provstore.capture.places.turtle import ANONYMOUS, NotUnderstood, Statement, statements
from provstore.capture.syntax import HERE
from provstore.model import Location

_TEXTS = {"text/turtle", "application/trig", "application/n-triples", "application/n-quads"}
_STEP = re.compile(r"\s*(\^?)\s*(?:<([^<>]*)>|([A-Za-z][A-Za-z0-9+.-]*:[^\s<>|^\"]+))\s*\Z")
_ROUNDS = 8  # of telling blank nodes apart by what is around them
_SHOWN = 200  # characters of a value that a result repeats

Triple = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Places:
    """Finds what a result is about; focus, path and value as a result has them.

    `rename` gives a snippet of Turtle in the words of the document: `<>` for the record, labels for blank nodes.
    """

    find: Callable[[str, str, str], Location | None]
    rename: Callable[[str], str] = lambda snippet: snippet


def places(payload: bytes, media_type: str, record: str, base: str, quads: bytes) -> Places:
    """Places in a payload that was mapped to a record of these N-Quads; one that finds nothing where it has no way."""
    try:
        text = payload.removeprefix(b"\xef\xbb\xbf").decode()
        if media_type in _TEXTS:
            return _document(text, record, quads)
        if media_type == "application/ld+json":
            return _tree(text, _linked(json.loads(text)), quads)
        if media_type == "application/json":
            event = json.loads(text)
            return _tree(text, openlineage.nodes(event, record, base), quads, openlineage.MEMBERS, record)
    except (ValueError, RecursionError, NotUnderstood):
        pass
    return Places(lambda *_: None)


def _triples(quads: bytes) -> Iterable[Triple]:
    return (rdf.split(line)[:3] for line in quads.decode().split("\n") if line)


def _steps(path: str) -> list[tuple[bool, str]]:
    """The properties of a path that is one, or several to choose from; each with whether it is followed backwards."""
    found = [_STEP.match(part) for part in path.strip("()").split("|")] if path else []
    return [(bool(step[1]), f"<{step[2] or step[3]}>") for step in found if step]


def shown(term: str) -> str:
    """A term as a result has it."""
    text = term[1:-1] if term.startswith("<") else term
    return text if term.startswith("<") or len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


# --- RDF -------------------------------------------------------------------------------------------------------------


def _document(text: str, record: str, quads: bytes) -> Places:
    said = list(statements(text, HERE))
    names = _names(said, record, quads)
    breaks = [found.start() for found in re.finditer("\n", text)]

    def place(at: int) -> Location:
        line = bisect.bisect_left(breaks, at)
        return Location(line=line + 1, column=at - (breaks[line - 1] if line else -1))

    # the first place of each triple, of each half of one, and of each node: a record can have thousands of results
    told: dict[tuple[str, str, str], int] = {}
    for each in said:
        subject, value = (shown(names.get(term, term)) for term in (each.subject, each.value))
        for key, part in (
            ((subject, each.predicate, value), 2),
            ((subject, each.predicate, ""), 1),
            (("", each.predicate, value), 1),
            ((subject, "", ""), 0),
        ):
            told.setdefault(key, each.at[part])
    for each in said:
        told.setdefault((shown(names.get(each.value, each.value)), "", ""), each.at[2])

    def find(focus: str, path: str, value: str) -> Location | None:
        steps = _steps(path)
        keys = [(value, p, focus) if backwards else (focus, p, value) for backwards, p in steps if value]
        keys += [("", p, focus) if backwards else (focus, p, "") for backwards, p in steps]
        at = next((told[key] for key in [*keys, (focus, "", "")] if key in told), None)
        return None if at is None else place(at)

    places_of = {names[each.subject]: place(each.at[0]) for each in reversed(said) if each.subject in names}
    places_of |= {names[each.value]: place(each.at[2]) for each in reversed(said) if each.value in names}
    back = {name: term for term, name in names.items() if term.startswith("_:")}

    def rename(snippet: str) -> str:
        terms = re.findall(r"<[^<>]*>", snippet)
        nameless = next((term for term in terms if back.get(term, "").startswith(ANONYMOUS)), None)
        said = re.sub(r"<[^<>]*>", lambda m: _own(m[0], record, back), snippet)
        if nameless is None:
            return said
        at = places_of[nameless]
        lines = [line if line.startswith("#") else f"# {line}" for line in said.splitlines()]
        return "\n".join([f"# [] is the blank node that begins at line {at.line}, column {at.column}", *lines])

    return Places(find, rename)


def _own(term: str, record: str, labels: dict[str, str]) -> str:
    """A term as the document itself would write it."""
    if label := labels.get(term):
        return "[]" if label.startswith(ANONYMOUS) else label
    own = term.removeprefix(f"<{record}")
    return f"<{own}" if own != term and own[0] in ">#" else term


def _names(said: Sequence[Statement], record: str, quads: bytes) -> dict[str, str]:
    """What the record calls the terms that the document calls otherwise: relative names and blank nodes."""
    terms = {term for each in said for term in (each.subject, each.predicate, each.value)}
    names = {t: t.replace(HERE, record, 1) for t in terms if t.startswith((f"<{HERE}>", f"<{HERE}#"))}
    blank = {term for term in terms if term.startswith("_:")}
    if blank:
        own = re.compile(re.escape(f"<{record}#") + r"c14n\d+>\Z")
        theirs = list(_triples(quads))
        made = {t for triple in theirs for t in (triple[0], triple[2]) if own.match(t)}
        mine = {
            (names.get(e.subject, e.subject), names.get(e.predicate, e.predicate), names.get(e.value, e.value))
            for e in said
        }
        names |= _matched(_colours(mine, blank), _colours(theirs, made))
    return names


def _colours(triples: Iterable[Triple], blank: set[str]) -> dict[str, str]:
    """What tells each blank node from others: what is around it, and around that."""
    around: dict[str, list[tuple[str, str, str]]] = {node: [] for node in blank}
    for subject, predicate, value in triples:
        if subject in around:
            around[subject].append((">", predicate, value))
        if value in around:
            around[value].append(("<", predicate, subject))
    colours = dict.fromkeys(blank, "")
    for _ in range(_ROUNDS):
        colours = {node: _digest([(w, p, colours.get(o, o)) for w, p, o in said]) for node, said in around.items()}
    return colours


def _digest(parts: list[tuple[str, str, str]]) -> str:
    return hashlib.sha256(repr(sorted(parts)).encode()).hexdigest()


def _matched(mine: dict[str, str], theirs: dict[str, str]) -> dict[str, str]:
    """Blank nodes by their like; those that nothing tells apart are as good as one another."""
    groups: dict[str, list[str]] = defaultdict(list)
    for node, colour in sorted(theirs.items()):
        groups[colour].append(node)
    found = {}
    for node, colour in mine.items():
        if groups[colour]:
            found[node] = groups[colour].pop(0)
    return found


# --- JSON ------------------------------------------------------------------------------------------------------------


def _tree(
    text: str, nodes: dict[str, list[str]], quads: bytes, members: dict[str, str] | None = None, record: str = ""
) -> Places:
    value = json.loads(text)
    offsets, words = pointers.Offsets(text), _words(value)
    holders: dict[str, set[str]] = {}

    def found(iri: str) -> list[str]:
        """The pointers of a node, or of the nodes that speak of it."""
        if iri in nodes:
            return nodes[iri]
        if iri.startswith("ni:"):
            return openlineage.within(nodes, iri)
        if not holders:
            for subject, _, other in _triples(quads):
                holders.setdefault(shown(other), set()).add(shown(subject))
        direct = [nodes.get(each) or openlineage.within(nodes, each) for each in sorted(holders.get(iri, ()))]
        return [pointer for each in direct for pointer in each]

    def find(focus: str, path: str, sent: str) -> Location | None:
        at = found(focus)
        if not at:
            return None
        if focus == record and members:
            exact = [
                members[p] for _, p in _steps(path) if p in members and pointers.value_at(value, members[p]) is not None
            ]
            if len(exact) == 1:
                return place(exact[0])
        return place(_narrowed(words, at, sent))

    def place(pointer: str) -> Location:
        begin = offsets.at(pointer)
        if begin is None:
            return Location(pointer=pointer)
        return Location(line=text.count("\n", 0, begin) + 1, column=begin - text.rfind("\n", 0, begin), pointer=pointer)

    return Places(find)


def _words(value: Any) -> dict[str, list[str]]:
    """The text of every string and number, and the pointers at which it stands."""
    found: dict[str, list[str]] = defaultdict(list)
    for pointer, leaf in pointers.leaves(value):
        if isinstance(leaf, str | int | float) and not isinstance(leaf, bool):
            found[str(leaf)].append(pointer)
    return found


def _narrowed(words: dict[str, list[str]], at: list[str], sent: str) -> str:
    """The one place below the pointers where the value stands as it was sent, or what is around all of them."""
    text = rdf.text_of(sent) if sent.startswith('"') and sent.rfind('"') > 0 else sent
    below = tuple(f"{each}/" for each in at)
    held = [each for each in words.get(text, ()) if text and (each in at or each.startswith(below))]
    return held[0] if len(held) == 1 else pointers.common(at)


def _linked(value: Any) -> dict[str, list[str]]:
    """IRI → the objects of JSON-LD that have it as their `@id`, as far as the document's own context tells."""
    found: dict[str, list[str]] = defaultdict(list)
    context = value.get("@context") if isinstance(value, dict) else None
    terms = [each for each in (context if isinstance(context, list) else [context]) if isinstance(each, dict)]
    prefixes = {name: iri for each in terms for name, iri in each.items() if isinstance(iri, str)}
    ids = {"@id", *(name for name, iri in prefixes.items() if iri == "@id")}
    for pointer, leaf in pointers.leaves(value):
        holder, _, member = pointer.rpartition("/")
        if member in ids and isinstance(leaf, str) and "/@context" not in holder:
            prefix, colon, local = leaf.partition(":")
            iri = f"{prefixes[prefix]}{local}" if colon and prefix in prefixes and not local.startswith("//") else leaf
            found[iri].append(holder)
    return dict(found)
