"""Canned queries: one question a file, `queries/<topic>/<name>.rq`, with typed parameters.

A file is SPARQL under a head of `#+` lines that hold YAML: summary, description, params, limit. A parameter `name`
stands in the text as the variable `?_name`. Values are made into RDF terms and take the place of whole tokens, never
of text. The whole answer is cut at the limit; `LIMIT ?_limit` cuts a part of it there too.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import yaml

from provstore import rdf, resources, times
from provstore.errors import Misconfigured, NotFound, QueryRefused, nearest

#: The most rows that may be asked of any canned query.
MAX_LIMIT = 100_000

# SPARQL 1.1 §19.8. What hides a parameter's name (comments, IRIs, strings, escapes) is matched before variables are.
_TOKEN = re.compile(
    r"""
    (?P<comment>\#[^\n\r]*)
  | (?P<iri><[^<>"{}|^`\\\x00-\x20]*>)
  | (?P<string>\"{3}(?:\"{0,2}(?:[^"\\]|\\.))*\"{3} | '{3}(?:'{0,2}(?:[^'\\]|\\.))*'{3}
      | "(?:[^"\\\n\r]|\\.)*" | '(?:[^'\\\n\r]|\\.)*')
  | (?P<escape>\\.)
  | [?$](?P<variable>\w+)
    """,
    re.VERBOSE | re.DOTALL,
)
_HEAD = re.compile(r"#\+ ?(.*)")
_NAME = re.compile(r"[a-z][a-z0-9_]*\Z")
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}\Z")
_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,18}(?:\.[0-9]{0,18})?|\.[0-9]{1,18})(?P<exponent>[eE][+-]?[0-9]{1,3})?\Z")


@dataclass(frozen=True, slots=True)
class Parameter:
    """One typed parameter; a required one has no default, any other one has."""

    name: str
    type: str
    help: str
    example: str
    default: str | None

    @property
    def required(self) -> bool:
        return self.default is None


@dataclass(frozen=True, slots=True)
class CannedQuery:
    """One question; `limit` is how many rows are answered unless `limit=` asks for another number."""

    name: str
    summary: str
    description: str
    parameters: tuple[Parameter, ...]
    limit: int
    text: str


@cache
def catalogue() -> dict[str, CannedQuery]:
    """Every canned query by `<topic>/<name>`, sorted; Misconfigured where a file is not as it should be."""
    home = resources.folder("queries")
    return {query.name: query for query in (_read(path, home) for path in resources.files("queries", "*.rq"))}


def find(name: str) -> CannedQuery:
    """The query of a name; NotFound that says which there are."""
    found = catalogue().get(name)
    if found is None:
        near = _near(name)
        perhaps = f"; perhaps {' or '.join(near)}" if near else ""
        raise NotFound(f"no canned query {name[:60]!r}{perhaps}: there are {', '.join(catalogue())}")
    return found


def _near(name: str) -> list[str]:
    """What was meant: without its topic, or with another one, the last part of a name still tells."""
    last = {each: each.rpartition("/")[2] for each in catalogue()}
    meant = nearest(name.rpartition("/")[2], last.values())
    return nearest(name, last) or [each for each in last if last[each] in meant][:3]


def describe(query: CannedQuery) -> dict[str, Any]:
    """The query as a JSON object: name, summary, description, parameters, limit, form and text."""
    parameters = [
        {
            "name": each.name,
            "type": each.type,
            "required": each.required,
            "default": each.default,
            "example": each.example,
            "help": each.help,
        }
        for each in query.parameters
    ]
    return {
        "name": query.name,
        "summary": query.summary,
        "description": query.description,
        "parameters": parameters,
        "limit": query.limit,
        "text": query.text,
    }


def bind(query: CannedQuery, values: dict[str, str]) -> str:
    """The query as SPARQL with a term in place of each parameter, and a LIMIT.

    An empty value stands for absence where there is a default. QueryRefused names the parameter that is missing,
    unknown or of the wrong type, what was wanted, and an example.
    """
    known = {each.name: each for each in query.parameters}
    for name in values:
        if name not in known and name != "limit":
            raise QueryRefused(f"{query.name} has no parameter {name[:60]!r}: it takes {', '.join([*known, 'limit'])}")
    terms = {name: _term(query, each, values.get(name)) for name, each in known.items()}
    limit = str(_limit(query, values.get("limit")))
    return f"{_replaced(query.text, {**terms, 'limit': limit})}\nLIMIT {limit}\n"


def faults(query: CannedQuery, values: dict[str, str]) -> dict[str, QueryRefused]:
    """What `bind` would refuse of the values, by parameter; a parameter that is unknown is left out."""
    checks: dict[str, Callable[[str | None], object]] = {
        each.name: partial(_term, query, each) for each in query.parameters
    }
    checks["limit"] = partial(_limit, query)
    found = {}
    for name, check in checks.items():
        try:
            check(values.get(name))
        except QueryRefused as error:
            found[name] = error
    return found


def _term(query: CannedQuery, parameter: Parameter, given: str | None) -> str:
    if not given and parameter.default is not None:
        given = parameter.default
    wanted = f"{query.name} wants {parameter.name}={parameter.type}, for example {parameter.name}={parameter.example}"
    if given is None:
        raise QueryRefused(f"the parameter {parameter.name!r} is missing: {wanted}")
    try:
        return str(_TYPES[parameter.type](given))
    except ValueError as error:
        raise QueryRefused(f"the parameter {parameter.name!r} cannot be {given[:60]!r}: {wanted}") from error


def _limit(query: CannedQuery, given: str | None) -> int:
    if not given:
        return query.limit
    if _INTEGER.match(given) is None or not 1 <= int(given) <= MAX_LIMIT:
        raise QueryRefused(
            f"the parameter 'limit' cannot be {given[:60]!r}: wanted is a number from 1 to {MAX_LIMIT}, as in limit=100"
        )
    return int(given)


def _replaced(text: str, terms: dict[str, str]) -> str:
    """The text with every variable token `?_name` replaced by its term."""

    def replace(match: re.Match[str]) -> str:
        variable = match["variable"]
        return terms[variable[1:]] if variable is not None and variable.startswith("_") else match[0]

    return _TOKEN.sub(replace, text)


# --- from text to terms ----------------------------------------------------------------------------------------------


def _iri(text: str) -> ox.NamedNode:
    if not rdf.is_iri(text):  # narrower than the engine, which takes what it cannot resolve
        raise ValueError("not an absolute IRI")
    return ox.NamedNode(text)


def _string(text: str) -> ox.Literal:
    text.encode()  # a lone surrogate has no UTF-8 form: UnicodeEncodeError is a ValueError
    return ox.Literal(text)


def _integer(text: str) -> ox.Literal:
    if _INTEGER.match(text) is None:
        raise ValueError("not a whole number")
    return ox.Literal(int(text))


def _number(text: str) -> ox.Literal:
    match = _NUMBER.match(text)
    if match is None or not math.isfinite(float(text)):
        raise ValueError("not a number")
    return ox.Literal(text, datatype=ox.NamedNode(f"{rdf.XSD}{'double' if match['exponent'] else 'decimal'}"))


def _boolean(text: str) -> ox.Literal:
    if text not in ("true", "false", "1", "0"):
        raise ValueError("not a boolean")
    return ox.Literal(text in ("true", "1"))


def _date_time(text: str) -> ox.Literal:
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        text = f"{text}T00:00:00Z"  # a day is its first instant
    instant, _ = times.key(text)
    return ox.Literal(times.lexical(instant), datatype=ox.NamedNode(f"{rdf.XSD}dateTime"))


_TYPES = {
    "iri": _iri,
    "string": _string,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "dateTime": _date_time,
}


# --- reading the files -----------------------------------------------------------------------------------------------


def _read(path: Path, home: Path) -> CannedQuery:
    name = path.relative_to(home).with_suffix("").as_posix()
    lines = path.read_text(encoding="utf-8").splitlines()
    heads = [match[1] for line in lines if (match := _HEAD.match(line))]
    text = "\n".join(line for line in lines if not line.startswith("#+")).strip()
    try:
        return _parsed(name, yaml.load("\n".join(heads), yaml.BaseLoader), text)
    except (yaml.YAMLError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise Misconfigured(f"the canned query {path} has a bad head: {error!r}") from error


def _parsed(name: str, head: dict[str, Any], text: str) -> CannedQuery:
    parameters = tuple(_parameter(key, said) for key, said in (head.get("params") or {}).items())
    query = CannedQuery(name, head["summary"], head["description"].strip(), parameters, int(head["limit"]), text)
    variables = {match["variable"] for match in _TOKEN.finditer(text)} - {None}
    used = {variable[1:] for variable in variables if variable.startswith("_")} - {"limit"}
    stated = {each.name for each in parameters}
    if used != stated:
        raise ValueError(f"parameters in the head are {sorted(stated)}, in the text {sorted(used)}")
    if not 1 <= query.limit <= MAX_LIMIT:
        raise ValueError(f"limit must be from 1 to {MAX_LIMIT}")
    return query


def _parameter(name: str, said: dict[str, Any]) -> Parameter:
    if _NAME.match(name) is None or name in ("limit", "format") or said["type"] not in _TYPES:
        raise ValueError(f"parameter {name!r} must have a lower-case name and one of the types {', '.join(_TYPES)}")
    required, default = said.get("required") == "true", said.get("default")
    if required is (default is not None):
        raise ValueError(f"parameter {name!r} must be required or have a default, not both")
    parameter = Parameter(name, said["type"], said["help"], said["example"], default)
    for text in (parameter.example, parameter.default):
        if text is not None:
            _TYPES[parameter.type](text)
    return parameter
