"""Shapes graphs from a seed: any constraint on any path, nested in any way, for the records of `shacl_records`."""

from __future__ import annotations

import random

from tests.shacl_records import STABLE

_PREFIXES = """@prefix : <https://fuzz.example/shapes#> . @prefix ex: <https://fuzz.example/ns#> .
@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> . @prefix sh: <http://www.w3.org/ns/shacl#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
ex:C rdfs:subClassOf ex:B . ex:B rdfs:subClassOf ex:A .
"""
_NODES = ("p", "p", "q", "q", "r")
_TERMS = [*(term for values in STABLE.values() for term in values), "ex:one", "ex:two", "<https://fuzz.example/7/a>"]
_TYPES = ("integer", "decimal", "double", "boolean", "dateTime", "date", "string", "duration", "gYear")
_RANGES, _PATTERNS, _FLAGS = ('"en"', '"de"', '"*"', '"en-gb"'), ("^a", "b", "B", "[0-9]+", "^.{3}$", "/a$"), ("", "i")
_KINDS = ("IRI", "BlankNode", "Literal", "BlankNodeOrIRI", "BlankNodeOrLiteral", "IRIOrLiteral")


def shapes(seed: int) -> str:
    """The Turtle of one to three shapes with targets."""
    dice = random.Random(seed)
    made = [f":S{n} {_target(dice)} ; {_body(dice, 0, of_property=False)} ." for n in range(dice.randrange(1, 4))]
    return _PREFIXES + "\n".join(made)


def _target(dice: random.Random) -> str:
    kinds = ("sh:targetClass ex:A", "sh:targetClass ex:C", "sh:targetSubjectsOf ex:p", "sh:targetObjectsOf ex:q")
    others = ("sh:targetObjectsOf ex:s", "sh:targetNode ex:one , ex:lost , 'abc' , 5", "sh:targetClass ex:B")
    return " ; ".join(dice.sample([*kinds, *others], dice.choice((1, 1, 2))))


def _path(dice: random.Random, depth: int = 0) -> str:
    if depth > 2 or dice.random() < 0.55:
        return f"ex:{dice.choice('pppqqrnxsld')}" if not depth else f"ex:{dice.choice(_NODES)}"
    inner = [_path(dice, depth + 1) for _ in range(dice.choice((2, 2, 3)))]
    kind = dice.choice(("inversePath", "zeroOrMorePath", "oneOrMorePath", "zeroOrOnePath", "alternativePath", "list"))
    if kind == "list":
        last = f"ex:{dice.choice('pqrnsl')}" if dice.random() < 0.5 else inner[-1]
        return f"( {' '.join([*inner[:-1], last])} )"
    return f"[ sh:{kind} ( {' '.join(inner)} ) ]" if kind == "alternativePath" else f"[ sh:{kind} {inner[0]} ]"


def _body(dice: random.Random, depth: int, *, of_property: bool) -> str:
    wanted = dice.choice((1, 1, 2, 3)) if depth else dice.choice((2, 3, 4))
    said: dict[str, str] = {}
    for _ in range(wanted):
        name, constraint = _constraint(dice, depth, of_property)
        said[name] = constraint
    return " ; ".join(said.values())


def _shape(dice: random.Random, depth: int) -> str:
    if dice.random() < 0.4:
        return f"[ {_body(dice, depth + 1, of_property=False)} ]"
    return f"[ sh:path {_path(dice)} ; {_body(dice, depth + 1, of_property=True)} ]"


def _constraint(dice: random.Random, depth: int, of_property: bool) -> tuple[str, str]:
    single = ("class", "datatype", "nodeKind", "bound", "length", "pattern", "languageIn", "in", "hasValue", "closed")
    names = [*single, "equals", "disjoint"]
    if of_property:
        names += ["count", "count", "count", "uniqueLang", "lessThan", "lessThanOrEquals"]
    if depth < 4:
        names += ["node", "not", "and", "or", "xone", "property", "property"] * 2
        names += ["qualified"] * 3 if of_property else []
    name = dice.choice(names)
    return name, _written(dice, name, depth)


def _written(dice: random.Random, name: str, depth: int) -> str:
    match name:
        case "class":
            return f"sh:class ex:{dice.choice('ABC')}"
        case "datatype":
            return f"sh:datatype xsd:{dice.choice(_TYPES)}"
        case "nodeKind":
            return f"sh:nodeKind sh:{dice.choice(_KINDS)}"
        case "bound":
            literals = [each for each in _TERMS if each[0] == '"']
            return f"sh:{dice.choice(('min', 'max'))}{dice.choice(('In', 'Ex'))}clusive {dice.choice(literals)}"
        case "length":
            return f"sh:{dice.choice(('min', 'max'))}Length {dice.randrange(7)}"
        case "pattern":
            return f"sh:pattern '{dice.choice(_PATTERNS)}' ; sh:flags '{dice.choice(_FLAGS)}'"
        case "languageIn":
            return f"sh:languageIn ( {' '.join(dice.sample(_RANGES, 2))} )"
        case "in":
            return f"sh:in ( {' '.join(dice.sample(_TERMS, 6))} )"
        case "hasValue":
            return f"sh:hasValue {dice.choice(_TERMS)}"
        case "closed":
            ignored = " ".join(f"ex:{each}" for each in dice.sample("pqrnxsl", 4))
            return f"sh:closed true ; sh:ignoredProperties ( rdf:type {ignored} )"
        case "equals" | "disjoint" | "lessThan" | "lessThanOrEquals":
            return f"sh:{name} ex:{dice.choice('pqrnxslf')}"
        case "count":
            return f"sh:{dice.choice(('min', 'max'))}Count {dice.choice((0, 1, 1, 2, 2, 3, 5))}"
        case "uniqueLang":
            return "sh:uniqueLang true"
        case "qualified":
            disjoint = " ; sh:qualifiedValueShapesDisjoint true" if dice.random() < 0.4 else ""
            bound = f"sh:qualified{dice.choice(('Min', 'Max'))}Count {dice.choice((0, 1, 1, 2, 3))}"
            return f"sh:qualifiedValueShape {_shape(dice, depth)} ; {bound}{disjoint}"
        case "property":
            count = dice.choice((1, 1, 2))
            inner = (f"[ sh:path {_path(dice)} ; {_body(dice, depth + 1, of_property=True)} ]" for _ in range(count))
            return f"sh:property {' , '.join(inner)}"
        case "node" | "not":
            return f"sh:{name} {_shape(dice, depth)}"
    return f"sh:{name} ( {' '.join(_shape(dice, depth) for _ in range(dice.choice((1, 2, 2, 3))))} )"
