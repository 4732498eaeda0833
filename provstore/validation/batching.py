"""A query of sh:sparql asked of all focus nodes at once, where that means the same as asking it of each."""

from __future__ import annotations

from collections.abc import Iterator

from provstore.validation.prebinding import Token, tokens

#: What makes an answer depend on how many solutions there are, or on other graphs.
_WHOLE = {
    "GROUP",
    "HAVING",
    "ORDER",
    "LIMIT",
    "OFFSET",
    "REDUCED",
    "GRAPH",
    "FROM",
    "COUNT",
    "SUM",
    "MIN",
    "MAX",
    "AVG",
}
_WHOLE |= {"SAMPLE", "GROUP_CONCAT", "ASK", "DESCRIBE", "CONSTRUCT", "LATERAL", "RAND", "UUID", "STRUUID", "BNODE"}
#: What gives solutions that are alike although no triple repeats.
_COUNTED = {"UNION", "[", "_", "/", "|", "*", "+", "^", "!"}
#: What begins another pattern in a group.
_MORE = {";", ",", "/", "{", "["}


def batched(query: str, before: str, variables: tuple[str, ...], *, repeats: bool = False) -> str | None:
    """The query with the pattern `before` at the head of its group, which binds `?this` and the `variables` beside it.

    None where a join with the focus nodes is not surely what replacing `$this` gives (SHACL appendix A): where the
    variable stands in the filter of an inner group, which would not see it, in a subquery, or beside what counts or
    orders solutions; and where an EXISTS has several patterns, which the engine would join anew for each focus node.
    Where a triple may be found more than once (`repeats`), solutions are told apart by all their variables, and it is
    None, too, where those do not tell.
    """
    found = tokens(query)
    words = [token.word for token in found]
    if words.count("SELECT") != 1 or _WHOLE.intersection(words):
        return None
    if {token.variable for token in found} & {"currentShape", "shapesGraph", *(name[1:] for name in variables)}:
        return None
    start = words.index("SELECT")
    opening = next((n for n, token in enumerate(found) if n > start and token.text == "{"), None)
    if opening is None or not _joins([token for token in found[opening:] if token.kind != "space"]):
        return None
    head, prologue = found[start + 1 : opening], _text(found[:start])
    asked = f"WHERE {{ {before} {_text(found[opening + 1 :])}"
    if not repeats or "DISTINCT" in _words(head):
        return f"{prologue}SELECT {_projected(head, variables)} {asked}"
    if _COUNTED.intersection(token.text.upper() for token in found[opening:]):
        return None
    names = {token.variable for token in found[opening:]} - {token.variable for token in head} - {"", "this"}
    told = " ".join(f"?{name}" for name in sorted(names))
    wanted = " ".join(variables) + " ?this " + " ".join(f"?{name}" for name in _named(head))
    chosen = _projected(head, variables)
    if chosen == "*":
        return f"{prologue}SELECT DISTINCT * {asked}"
    return f"{prologue}SELECT {wanted} WHERE {{ SELECT DISTINCT {chosen} {told} {asked}\n}}"


def _projected(head: list[Token], variables: tuple[str, ...]) -> str:
    """What is selected, and the focus node with it."""
    depth, kept = 0, list[Token]()
    for token in head:
        depth += (token.text == "(") - (token.text == ")")
        if token.word not in ("WHERE", "DISTINCT") and (depth or token.variable != "this"):
            kept.append(token)
    distinct = "DISTINCT " if "DISTINCT" in _words(head) else ""
    if any(token.text == "*" for token in kept) and not any(token.variable for token in kept):
        return f"{distinct}*"
    return f"{distinct}{' '.join(variables)} ?this {_text(kept).strip()}"


def _named(head: list[Token]) -> list[str]:
    """The names of what is selected, but for the focus node."""
    found, depth, before = list[str](), 0, ""
    for token in head:
        depth += (token.text == "(") - (token.text == ")")
        if token.variable and (not depth or before == "AS"):
            found.append(token.variable)
        before = token.word if token.kind != "space" else before
    return [name for name in found if name != "this"]


def _words(found: list[Token]) -> set[str]:
    return {token.word for token in found}


def _text(found: list[Token]) -> str:
    return "".join(token.text for token in found)


def _joins(body: list[Token]) -> bool:
    """Whether every `$this` in the groups of a query joins, or is seen by the filter that it stands in."""
    groups: list[str] = []
    depth: list[int] = []
    for number, token in enumerate(body):
        if token.text == "{":
            groups.append(_kind(body[:number]))
            depth.append(0)
            if groups[-1] == "EXISTS" and not _single(body[number + 1 :]):
                return False
        elif token.text == "}":
            groups.pop()
            depth.pop()
        elif token.text in "()" and depth:
            depth[-1] += 1 if token.text == "(" else -1
        elif token.variable == "this":
            inner = groups[1:]
            if any(kind != "EXISTS" for kind in inner) and ("EXISTS" in inner or depth[-1]):
                return False
    return True


def _kind(before: list[Token]) -> str:
    """What opens a group: EXISTS, or anything else."""
    return "EXISTS" if before and before[-1].word == "EXISTS" else "group"


def _single(after: list[Token]) -> bool:
    """Whether a group has one triple pattern at most, its path without steps one after the other."""
    inside = list(_group(after))
    for number, token in enumerate(inside):
        last = number == len(inside) - 1 or inside[number + 1].word == "FILTER"
        if token.text in _MORE or (token.text == "." and not last):
            return False
    return True


def _group(after: list[Token]) -> Iterator[Token]:
    depth = 0
    for token in after:
        depth += (token.text == "{") - (token.text == "}")
        if depth < 0:
            return
        yield token
