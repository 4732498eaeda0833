"""A constraint that failed: what it wanted, what was found, what would mend it, for shapes that have no words.

One table: a constraint component (SHACL §4, §5) gives an `expected`, a sentence, and a Turtle snippet where one
follows from the constraint. Terms are N-Triples; a path is a SPARQL property path. What a snippet adds must be made
true by whoever adds it: values that are not known stand in it as examples and are marked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from provstore import rdf
from provstore.validation.results import Fix
from provstore.validation.snippets import written
from provstore.vocab import PROV

_SH = "http://www.w3.org/ns/shacl#"
_XSD = rdf.XSD
_SHOWN = 6  # members of a list that a sentence repeats
#: Stands at the end of a line whose value is only an example.
MARK = "# an example: put the true value here"
#: An example of each datatype that a value may have to have; text where it is none of these.
_EXAMPLES = {
    "dateTime": "2026-01-31T12:00:00Z",
    "dateTimeStamp": "2026-01-31T12:00:00Z",
    "date": "2026-01-31",
    "time": "12:00:00Z",
    "gYear": "2026",
    "gYearMonth": "2026-01",
    "duration": "PT1H",
    "dayTimeDuration": "PT1H",
    "boolean": "true",
    "integer": "1",
    "int": "1",
    "long": "1",
    "nonNegativeInteger": "1",
    "positiveInteger": "1",
    "decimal": "1.0",
    "double": "1.0",
    "float": "1.0",
    "anyURI": "https://example.org/replace-me",
    "hexBinary": "00",
    "base64Binary": "AA==",
}
_EXAMPLE_IRI = "<https://example.org/replace-me>"
_TIMES = {
    term[1:-1]
    for term in (PROV.startedAtTime, PROV.endedAtTime, PROV.atTime, PROV.generatedAtTime, PROV.invalidatedAtTime)
}
_FORMS = {
    "dateTime": r"-?\d{4,}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?",
    "dateTimeStamp": r"-?\d{4,}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)",
    "date": r"-?\d{4,}-\d\d-\d\d(Z|[+-]\d\d:\d\d)?",
    "boolean": r"true|false|0|1",
    "integer": r"[+-]?\d+",
    "nonNegativeInteger": r"\+?\d+",
    "decimal": r"[+-]?(\d+(\.\d*)?|\.\d+)",
    "double": r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?",
    "string": r"(?s).*",
    "anyURI": r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]*",
}
_KINDS = {
    "IRI": "an IRI",
    "Literal": "a literal",
    "BlankNode": "a blank node",
    "BlankNodeOrIRI": "an IRI or a blank node",
    "BlankNodeOrLiteral": "a blank node or a literal",
    "IRIOrLiteral": "an IRI or a literal",
}


_BARE = tuple(f"^^<{_XSD}{name}>" for name in ("integer", "decimal", "boolean"))


@dataclass(frozen=True, slots=True)
class Found:
    """Where a constraint failed: focus node and value (None where a result has none), terms as N-Triples has them.

    `path` is a SPARQL property path, empty for a node shape. `shape` has every parameter of the shape, its IRI without
    brackets → its terms, lists as their members; `count` is how many values the path leads to, where that is known.
    """

    focus: str
    path: str = ""
    value: str | None = None
    shape: Mapping[str, Sequence[str]] = field(default_factory=dict)
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Words:
    """What is said of one result."""

    expected: str
    message: str
    fix: Fix | None = None


def explained(component: str, found: Found) -> Words:
    """What a constraint component (its IRI) says where it failed; some words for one that is not known, too."""
    name = component.removeprefix(_SH).removesuffix("ConstraintComponent")
    entry = _TABLE.get(name)
    if entry is None:
        return Words("", f"{_subject(found)} does not meet the constraint {component or 'of its shape'}.")
    expected = entry.expected(found)
    return Words(expected, entry.message(found, expected), entry.fix(found))


@dataclass(frozen=True, slots=True)
class _Entry:
    """One row of the table."""

    expected: Callable[[Found], str]
    message: Callable[[Found, str], str]
    fix: Callable[[Found], Fix | None] = lambda _: None


# --- parts of sentences ----------------------------------------------------------------------------------------------


def _given(found: Found, name: str) -> Sequence[str]:
    return found.shape.get(f"{_SH}{name}", ())


def _one(found: Found, name: str) -> str:
    """The first value of a parameter, written short; a number as a bare number."""
    terms = _given(found, name)
    return _plain(terms[0]) if terms else "?"


def _plain(term: str) -> str:
    return rdf.text_of(term) if term.startswith('"') and "^^" in term else written(term)


def _listed(found: Found, name: str, between: str = "or") -> str:
    """The values of a parameter as a list in words; shapes that have no name are not told one by one."""
    terms = [_plain(term) for term in _given(found, name) if not term.startswith("_:")]
    if len(terms) > _SHOWN:
        return f"{', '.join(terms[:_SHOWN])} … ({len(terms)} in all)"
    return f" {between} ".join(filter(None, [", ".join(terms[:-1]), *terms[-1:]]))


def _subject(found: Found) -> str:
    """What a sentence is about: the value of a path, or the focus node."""
    value = found.focus if found.value is None else found.value
    return f"{written(found.path)} {_cut(value)}" if found.path else _cut(value)


def _cut(term: str) -> str:
    bare = term.startswith('"') and term.endswith(_BARE)
    text = rdf.text_of(term) if bare else written(term)
    return text if len(text) <= 200 else f"{text[:200]}…"


def _count(found: Found) -> str:
    where = written(found.path) or "the node"
    if found.count is None:
        return where
    return f"{where} has {found.count or 'no'} value{'' if found.count < 2 else 's'}"


def _values(text: str) -> str:
    return f"{text} value{'' if text.rpartition(' ')[2] == '1' else 's'}"


# --- snippets --------------------------------------------------------------------------------------------------------


def _triple(found: Found, value: str, mark: str = "") -> str:
    """The triple that leads from the focus to a value; empty where the path is not one property."""
    step = re.fullmatch(r"(\^?)(<[^<>]*>)", found.path)
    if step is None or found.focus.startswith('"') or (step[1] and value.startswith('"')):
        return ""
    ends = (value, found.focus) if step[1] else (found.focus, value)
    return f"{written(ends[0])} {written(step[2])} {written(ends[1])} .{f'  {mark}' if mark else ''}"


def _literal(text: str, datatype: str) -> str:
    return rdf.literal(text, None if datatype == f"<{_XSD}string>" else datatype[1:-1])


def _example(found: Found) -> tuple[str, str]:
    """A value of the kind that the shape asks for, what else must be said of it, and whether it is only an example."""
    classes = [f"{_EXAMPLE_IRI} a {written(each)} ." for each in _given(found, "class")]
    if known := [*_given(found, "hasValue")]:
        return known[0], ""
    if members := _given(found, "in"):
        return members[0], MARK if len(members) > 1 else ""
    if types := _given(found, "datatype"):
        return _literal(_EXAMPLES.get(types[0][1:-1].removeprefix(_XSD), "replace me"), types[0]), MARK
    kinds = [kind[1:-1].removeprefix(_SH) for kind in _given(found, "nodeKind")]
    step = found.path.strip("<>")
    if step in _TIMES:
        return _literal(_EXAMPLES["dateTime"], f"<{_XSD}dateTime>"), MARK
    if classes or (kinds and kinds[0] != "Literal") or (step.startswith(PROV.iri) and step != PROV.value[1:-1]):
        return _EXAMPLE_IRI, "\n".join([MARK, *classes])
    return rdf.literal("replace me"), MARK


def _add(text: str) -> Fix | None:
    return Fix(add=text) if text else None


def _swap(found: Found, value: str, mark: str = "") -> Fix | None:
    """The value at fault taken away, another put in its place."""
    old = _triple(found, found.value or "")
    return Fix(add=_triple(found, value, mark), remove=old) if old and found.value else None


def _fix_min_count(found: Found) -> Fix | None:
    return _add(_triple(found, *_example(found)))


def _fix_max_count(found: Found) -> Fix | None:
    return _take_away(found) if _one(found, "maxCount") == "0" and found.value else None


def _fix_disjoint(found: Found) -> Fix | None:
    """Of a node shape, the node itself is what the other property may not lead to."""
    others = _given(found, "disjoint")
    return _take_away(found if found.path or not others else replace(found, path=others[0]))


def _take_away(found: Found) -> Fix | None:
    text = _triple(found, found.value or "") if found.value else ""
    return Fix(remove=text) if text else None


def _fix_datatype(found: Found) -> Fix | None:
    types = _given(found, "datatype")
    if not types or not found.value or not found.value.startswith('"'):
        return None
    name, text = types[0][1:-1].removeprefix(_XSD), rdf.text_of(found.value)
    if re.fullmatch(_FORMS.get(name, r"(?!)"), text):
        return _swap(found, _literal(text, types[0]))
    return _swap(found, *_example(found))


def _fix_in(found: Found) -> Fix | None:
    members = _given(found, "in")
    return _swap(found, members[0], MARK if len(members) > 1 else "") if members else None


def _fix_class(found: Found) -> Fix | None:
    node = found.value or found.focus
    if node.startswith('"'):
        return None
    return _add("\n".join(f"{written(node)} a {written(each)} ." for each in _given(found, "class")))


def _fix_has_value(found: Found) -> Fix | None:
    return _add("\n".join(filter(None, (_triple(found, term) for term in _given(found, "hasValue")))))


def _fix_node_kind(found: Found) -> Fix | None:
    kinds = [kind[1:-1].removeprefix(_SH) for kind in _given(found, "nodeKind")]
    if not kinds or "IRI" not in kinds[0] or not found.value or not found.value.startswith('"'):
        return None
    fix = _swap(found, _EXAMPLE_IRI, MARK)
    label = rdf.text_of(found.value)
    return fix and Fix(f"{fix.add}\n{_EXAMPLE_IRI} rdfs:label {rdf.literal(label)} .", fix.remove)


def _fix_language(found: Found) -> Fix | None:
    languages = _given(found, "languageIn")
    if len(languages) != 1 or not found.value or not found.value.startswith('"'):
        return None
    return _swap(found, f"{rdf.literal(rdf.text_of(found.value))}@{rdf.text_of(languages[0])}")


def _fix_equals(found: Found) -> Fix | None:
    if not found.value or not _given(found, "equals"):
        return None
    other = Found(found.focus, _given(found, "equals")[0])
    return _add("\n".join(filter(None, (_triple(found, found.value), _triple(other, found.value)))))


# --- the table -------------------------------------------------------------------------------------------------------


def _range(name: str, wanted: str) -> _Entry:
    return _Entry(
        lambda found: wanted.format(_one(found, name)),
        lambda found, expected: f"{_subject(found)} is out of range, or cannot be compared: wanted is {expected}.",
    )


def _length(name: str, wanted: str) -> _Entry:
    return _Entry(
        lambda found: wanted.format(_one(found, name)),
        lambda found, expected: f"{_subject(found)} has the wrong length: wanted is {expected}.",
    )


def _order(name: str, wanted: str) -> _Entry:
    return _Entry(
        lambda found: f"{wanted} {_one(found, name)}",
        lambda found, expected: f"{_subject(found)} must be {expected}, and is not, or the two cannot be compared.",
    )


def _shaped(name: str, wanted: str) -> _Entry:
    """Of shapes within the shape: what they want is told where they have names."""

    def expected(found: Found) -> str:
        return f"{wanted} {listed}" if (listed := _listed(found, name, "and")) else ""

    def message(found: Found, expected: str) -> str:
        return f"{_subject(found)} is not as the shape wants it{f': {expected}' if expected else ''}."

    return _Entry(expected, message)


_TABLE: dict[str, _Entry] = {
    "MinCount": _Entry(
        lambda found: f"at least {_one(found, 'minCount')}",
        lambda found, expected: (
            f"{_count(found)}: {_values(expected)} {'is' if expected[-2:] == ' 1' else 'are'} wanted. "
            "Add what is missing."
        ),
        _fix_min_count,
    ),
    "MaxCount": _Entry(
        lambda found: f"at most {_one(found, 'maxCount')}",
        lambda found, expected: (
            f"{_count(found)}: {_values(expected)} may be there. Keep what is true, and take away the rest."
        ),
        _fix_max_count,
    ),
    "Datatype": _Entry(
        lambda found: _one(found, "datatype"),
        lambda found, expected: (
            f"{_subject(found)} is no well-formed {expected}. Write the value so, with its datatype."
        ),
        _fix_datatype,
    ),
    "Class": _Entry(
        lambda found: f"an instance of {_listed(found, 'class', 'and')}",
        lambda found, expected: f"{_subject(found)} is not said to be {expected}. Say what it is, or point to another.",
        _fix_class,
    ),
    "NodeKind": _Entry(
        lambda found: _KINDS.get(
            _one(found, "nodeKind").removeprefix(_SH).strip("<>").removeprefix(_SH), "another kind of node"
        ),
        lambda found, expected: f"{_subject(found)} must be {expected}.",
        _fix_node_kind,
    ),
    "In": _Entry(
        lambda found: f"one of {_listed(found, 'in')}",
        lambda found, expected: f"{_subject(found)} is not {expected}.",
        _fix_in,
    ),
    "HasValue": _Entry(
        lambda found: _listed(found, "hasValue", "and"),
        lambda found, expected: f"{written(found.path) or _cut(found.focus)} lacks the value {expected}. Add it.",
        _fix_has_value,
    ),
    "Pattern": _Entry(
        lambda found: f"text that matches {_listed(found, 'pattern', 'and')}",
        lambda found, expected: f"{_subject(found)} is not {expected}.",
    ),
    "MinLength": _length("minLength", "{} characters or more"),
    "MaxLength": _length("maxLength", "{} characters or fewer"),
    "MinInclusive": _range("minInclusive", "{} or more"),
    "MaxInclusive": _range("maxInclusive", "{} or less"),
    "MinExclusive": _range("minExclusive", "more than {}"),
    "MaxExclusive": _range("maxExclusive", "less than {}"),
    "LanguageIn": _Entry(
        lambda found: f"text in one of the languages {_listed(found, 'languageIn')}",
        lambda found, expected: f"{_subject(found)} is not {expected}.",
        _fix_language,
    ),
    "UniqueLang": _Entry(
        lambda found: "one value a language",
        lambda found, expected: f"{written(found.path)} has several values in the same language: {expected} is wanted.",
    ),
    "Equals": _Entry(
        lambda found: f"the same values as {_one(found, 'equals')}",
        lambda found, expected: f"{_subject(found)} stands on one side only: wanted are {expected}.",
        _fix_equals,
    ),
    "Disjoint": _Entry(
        lambda found: f"no value that {_one(found, 'disjoint')} has, too",
        lambda found, expected: (
            f"{_subject(found)} is a value of {_one(found, 'disjoint')}, too; it may be one of them only."
        ),
        _fix_disjoint,
    ),
    "LessThan": _order("lessThan", "less than"),
    "LessThanOrEquals": _order("lessThanOrEquals", "no more than"),
    "Closed": _Entry(
        lambda found: "only the properties that the shape lists",
        lambda found, _: (
            f"The property {written(found.path)} is not one that may stand here. Take it away, or say the "
            "same with one that may."
        ),
        _take_away,
    ),
    "Not": _shaped("not", "nothing that conforms to"),
    "And": _shaped("and", "conforming to all of"),
    "Or": _shaped("or", "conforming to at least one of"),
    "Xone": _shaped("xone", "conforming to exactly one of"),
    "Node": _shaped("node", "conforming to"),
    "QualifiedMinCount": _Entry(
        lambda found: f"at least {_one(found, 'qualifiedMinCount')} of the kind that the shape describes",
        lambda found, expected: f"{written(found.path)} has too few values: wanted are {expected}.",
    ),
    "QualifiedMaxCount": _Entry(
        lambda found: f"at most {_one(found, 'qualifiedMaxCount')} of the kind that the shape describes",
        lambda found, expected: f"{written(found.path)} has too many values: wanted are {expected}.",
    ),
    "SPARQL": _Entry(
        lambda found: "no answer to the query of the shape",
        lambda found, _: f"{_subject(found)} is found by the query of the shape, which looks for what must not be.",
    ),
}
