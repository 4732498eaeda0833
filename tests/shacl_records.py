"""Records that are wrong in many ways, from a seed."""

from __future__ import annotations

import random

EX, XSD = "https://fuzz.example/ns#", "http://www.w3.org/2001/XMLSchema#"
_TYPE = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>"


def _typed(name: str, *lexicals: str) -> list[str]:
    return [f'"{lexical}"^^<{XSD}{name}>' for lexical in lexicals]


_STRINGS = [f'"{text}"' for text in ("", "a", "abc", "abcdef", "Bee", "héllo", "line\\nbreak", "1", "🙂🙂🙂🙂🙂")]
_LANGUAGES = [f'"{text}"@{tag}' for text in ("a", "b", "abc") for tag in ("en", "en-gb", "de-ch", "fr")]
_NUMBERS = [
    *_typed("integer", "0", "1", "5", "9", "10", "-3", "100000000000000000000000000000", "x"),
    *_typed("decimal", "0.5", "9", "1.25", "-1"),
    *_typed("double", "1", "0.5", "10000000000", "NaN", "INF"),
]
_MOMENTS = [
    *_typed("dateTime", "2023-12-31T23:59:59Z", "2024-01-01T00:00:00Z", "2024-06-01T12:00:00", "2025-01-01T01:00:00Z"),
    *_typed("dateTime", "2024-13-01T00:00:00Z", "2024-06-01T12:00:00.5-09:00", "2024-06-01"),
]
_DATES = _typed("date", "2024-12-31", "2025-01-01", "2024-12-31Z", "2024-02-30")
_BOOLEANS = _typed("boolean", "true", "false", "yes")
_OTHERS = [f'"own"^^<{EX}own>', f'"own"^^<{EX}other>', *_typed("duration", "P1Y", "P1M"), *_typed("gYear", "2024")]
#: Literals as a store gives them back, by the property that should have them.
STABLE = {
    "n": _NUMBERS,
    "x": _NUMBERS,
    "s": _STRINGS,
    "t": [*_OTHERS, *_STRINGS],
    "l": _LANGUAGES,
    "d": _MOMENTS,
    "f": _MOMENTS,
    "e": _DATES,
    "b": _BOOLEANS,
}
_REWRITTEN = [
    *_typed("integer", "01", "+5"),
    *_typed("nonNegativeInteger", "1", "-1"),
    *_typed("byte", "300", "5"),
    *_typed("decimal", "9.0", "1.250", ".5"),
    *_typed("double", "1.0E0", "5e-1"),
    *_typed("boolean", "1", "0"),
    *_typed("dateTime", "2024-01-01T00:00:00.000Z", "2023-12-31T24:00:00Z", "2024-01-01T01:00:00+00:00"),
    *_typed("dateTimeStamp", "2024-01-01T00:00:00Z"),
    *_typed("duration", "P12M"),
]
#: Without those at which pySHACL fails where an order is asked for.
TAME = {
    **STABLE,
    **{name: [value for value in _NUMBERS if '"x"' not in value and '"NaN"' not in value] for name in "nx"},
    **{name: [value for value in _MOMENTS if "Z" in value and "-13-" not in value] for name in "df"},
}
#: With those that a store writes otherwise.
ANY = {name: [*values, *_REWRITTEN] for name, values in STABLE.items()}


def record(number: int, literals: dict[str, list[str]] = STABLE) -> list[str]:
    """The N-Triples lines of a record of some twenty triples, whose nodes are its own but for ex:one and ex:two."""
    dice = random.Random(number)
    own = [f"<https://fuzz.example/{number}/{name}>" for name in "abc"] + [f"_:r{number}"]
    shared = [f"<{EX}{name}>" for name in ("one", "two")]
    every = [each for values in literals.values() for each in values]
    lines = {f"{node} {_TYPE} <{EX}{dice.choice('ABC')}> .\n" for node in own for _ in range(dice.randrange(3))}
    for _ in range(dice.randrange(12, 30)):
        subject, name = dice.choice(own), dice.choice("ppppqqqrnnxssstllldffeb")
        if dice.random() < 0.05 and not (literals is TAME and name in "nxdf"):
            value = dice.choice(every)
        elif name in "pqr":
            value = dice.choice([*own, *own, *shared, dice.choice(every)])
        else:
            value = dice.choice(literals[name])
        lines.add(f"{subject} <{EX}{name}> {value} .\n")
    if dice.random() < 0.05:
        lines.add(f"<{EX}one> <{EX}p> {dice.choice(own)} .\n")
    return sorted(lines)
