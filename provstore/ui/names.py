"""How things are called and linked on pages: short names of IRIs, addresses of their pages, times, numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote, urlencode

from markupsafe import Markup, escape

from provstore import rdf
from provstore.vocab import AI, DCAT, DCT, DQV, EARL, PROV, PS, SCHEMA

PREFIXES = {
    "ps": PS.iri,
    "prov": PROV.iri,
    "dct": DCT.iri,
    "dcat": DCAT.iri,
    "dqv": DQV.iri,
    "earl": EARL.iri,
    "schema": SCHEMA.iri,
    "ai": AI.iri,
    "rdf": rdf.RDF,
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "xsd": rdf.XSD,
    "owl": "http://www.w3.org/2002/07/owl#",
    "foaf": "http://xmlns.com/foaf/0.1/",
}
_RECORD = re.compile(r"/record/([0-9a-f]{64})\Z")
_STATE = re.compile(r"(.*/dataset/[^/]+/[^/]+)/(read|write|version)/([^/]+)\Z")
_BYTES = re.compile(r"(?:ni:///sha-256;|urn:swh:1:cnt:|.*/content/md5/)([\w-]{1,12})")
_OWN = re.compile(r"/(dataset|job)/([^/]+)/([^/]+)\Z")
_ENVIRONMENT = re.compile(r"/environment/([0-9a-f]{12})[0-9a-f]{52}\Z")
_COMMIT = re.compile(r"urn:swh:1:rev:([0-9a-f]{1,12})")
#: IRIs of this store that say what they name, each with how people would say it.
_SAID = (
    (_COMMIT, "commit {}"),
    (re.compile(r"/code/([0-9a-f]{12})[0-9a-f]*/[0-9a-f]{64}\Z"), "commit {} with changes"),
    (_ENVIRONMENT, "environment {}"),
    (re.compile(r"#measurement/([^/]+)"), "{}"),
    (re.compile(r"/alias/([^/]+)/change/"), "change of the alias {}"),
    (re.compile(r"/model/[^/]+/([^/]+)/version/([^/]+)#registration\Z"), "registration of {} version {}"),
)
_FRACTION = re.compile(r"-?\d{1,12}\.\d{5,}\Z", re.ASCII)
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(:\d\d)?(?:\.\d+)?(Z|[+-]\d\d:\d\d)\Z")

#: Kind → what it is in PROV: decides the shape and colour of its sign.
ROLES = {
    "run": "activity",
    "Run": "activity",
    "TrainingRun": "activity",
    "Inference": "activity",
    "Evaluation": "activity",
    "Normalisation": "activity",
    "Calibration": "activity",
    "Correction": "activity",
    "Approval": "activity",
    "Window": "activity",
    "activity": "activity",
    "Activity": "activity",
    "agent": "agent",
    "Agent": "agent",
    "Person": "agent",
    "Organization": "agent",
    "SoftwareAgent": "agent",
}


@dataclass(frozen=True, slots=True)
class Thing:
    """A thing as pages name it: `kind` in words, `role` entity, activity or agent, `href` its page."""

    iri: str
    name: str
    kind: str = ""
    role: str = "entity"

    @property
    def href(self) -> str:
        return href(self.iri)


def thing(iri: str, described: Mapping[str, Mapping[str, Any]], kind: str = "") -> Thing:
    """A thing by what `Service.described` says of it, of its dataset where it is a state, or else by its IRI."""
    known = described.get(iri)
    state = _STATE.match(iri)
    if known:
        name, kind = str(known["name"]), str(kind or known["kind"])
        if _ENVIRONMENT.search(iri):  # whose name is all that is installed there
            first, _, more = name.partition(", ")
            name = f"{short(iri)}, {first}{' …' if more else ''}"
        elif (commit := _COMMIT.match(iri)) and commit[1][:7] not in name:  # whose name is its message
            name = f"{short(iri)}, {name}"
        elif "/job/" in iri and name.startswith("experiment/") and known.get("names"):  # of a tracker, by its number
            name = f"{known['names'][0]}, {name}"
    elif state and state[1] in described:
        name = f"{described[state[1]]['name']} ({state[2]} {_clip(unquote(state[3]))})"
    else:
        name = short(iri)
    return Thing(iri, name, spaced(kind), role(kind))


def asset_of(iri: str) -> str:
    """The dataset that a state's IRI names; the IRI itself where it is no state's."""
    state = _STATE.match(iri)
    return state[1] if state else iri


def href(iri: str) -> str:
    """The address of the page about an IRI: its record's, its term's in the vocabulary, or its entity's."""
    if iri.startswith(PS.iri):
        return f"/ns#{iri.removeprefix(PS.iri)}"
    record = _RECORD.search(iri)
    return f"/records/{record[1]}" if record else f"/entity?{urlencode({'iri': iri}, errors='replace')}"


def address(path: str, **parameters: object) -> str:
    """A path with a query string; parameters that are None or '' are left out, `_` in a name is `-`."""
    given = [(name.replace("_", "-"), str(value)) for name, value in parameters.items() if value not in (None, "")]
    return f"{path}?{urlencode(given, errors='replace')}" if given else path


def short(iri: str) -> str:
    """What people would call an IRI for want of a label: a prefixed name, a dataset's name, or its last part."""
    for prefix, start in PREFIXES.items():
        if iri.startswith(start):
            return f"{prefix}:{iri.removeprefix(start)}"
    if record := _RECORD.search(iri):
        return f"record {record[1][:12]}"
    if state := _STATE.match(iri):
        return f"{short(state[1])} ({state[2]} {_clip(unquote(state[3]))})"
    for pattern, words in _SAID:
        if found := pattern.search(iri):
            return words.format(*map(unquote, found.groups()))
    if own := _OWN.search(iri):
        return unquote(own[3])
    if bytes_of := _BYTES.match(iri):
        return f"bytes {bytes_of[1]}…"
    if iri.startswith("urn:uuid:"):
        return f"run {iri.removeprefix('urn:uuid:')}"
    last = iri.rstrip("/#:")
    return unquote(last[max(last.rfind(c) for c in "/#:") + 1 :]) or iri


def _clip(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:12]}…{text[-12:]}"


def spaced(kind: str) -> str:
    """A class name in words: `ModelVersion` and `model-version` are both `model version`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", kind).replace("-", " ").lower()


def role(kind: str) -> str:
    """Whether things of a kind are entities, activities or agents."""
    return ROLES.get(kind, "entity")


def number(value: int) -> str:
    """An integer with thousands apart."""
    return f"{value:,}"


def measured(text: str) -> str:
    """A measured value with four digits after its point, a small one with four in all; other text as it is."""
    if not _FRACTION.match(text):
        return text
    value = float(text)
    return f"{value:.4g}" if abs(value) < 0.001 else f"{value:.4f}".rstrip("0").rstrip(".")


def when(text: str | None) -> Markup:
    """A date-time as `<time>`, to the minute and in the offset it was said in; other text as it is."""
    if not text:
        return Markup("")
    found = _TIME.match(text)
    if not found:
        return escape(text)
    zone = "UTC" if found[4] in ("Z", "+00:00") else found[4]
    return Markup('<time datetime="{0}" title="{0}">{1} {2} {3}</time>').format(text, found[1], found[2], zone)


def path_of(text: str) -> str:
    """Text as one part of a path."""
    return quote(text, safe="")
