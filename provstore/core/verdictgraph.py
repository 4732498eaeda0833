"""The graph of verdicts: every result at every thing in the store, as SHACL §3.6.2 writes results."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from provstore import iris, rdf
from provstore.store.oxigraph import is_read
from provstore.validation.engine import term as as_text
from provstore.validation.results import OF_SHACL
from provstore.validation.shapes import sh
from provstore.validation.stored import node
from provstore.vocab import PS, RDF_TYPE

_SEVERITY = {word: sh(name) for name, word in OF_SHACL.items()}
#: A path of a single property: one IRI and nothing after it. Those of other schemes may look like it and be several.
_SINGLE = re.compile(r"(?!.*://.*://)https?://[^\s<>\"{}|^`\\#*+?()!]+(?:#[^\s<>\"{}|^`\\#*+?()!/]*)?\Z(?<!/)")
_Results = Iterable[tuple[str, dict[str, Any]]]


class VerdictGraph:
    """What the graph of a store says of things (terms), by their results and the IRIs of the profiles that found them.

    A result is named by what it says, so that the same result is the same node.
    """

    def __init__(self, base: str) -> None:
        self.iri = iris.graph(base, "verdicts")

    def quads(self, thing: str, results: _Results) -> str:
        """All that the graph says of a thing, as N-Quads."""
        found = []
        for name, profile, result in self._named(thing, results):
            lines = "".join(f"{name} {said} <{self.iri}> .\n" for said in _statements(result, thing, profile))
            if is_read(lines.encode()):  # whatever stands in the words of a shape, nothing may keep the others out
                found.append(lines)
        return "".join(found)

    def names(self, thing: str, results: _Results) -> set[str]:
        """The nodes in what it says of a thing."""
        return {name for name, _, _ in self._named(thing, results)}

    def said(self, store: Any) -> dict[str, set[str]]:
        """The nodes of every thing that the graph of a store says something of."""
        found: dict[str, set[str]] = {}
        for quad in store.quads_for_pattern(None, node(sh("focusNode")), None, node(f"<{self.iri}>")):
            found.setdefault(as_text(quad.object), set()).add(as_text(quad.subject))
        return found

    def _named(self, thing: str, results: _Results) -> Iterator[tuple[str, str, dict[str, Any]]]:
        for profile, result in results:
            if result["severity"] in _SEVERITY:  # a validation that did not finish found nothing
                key = f"{thing} {profile} {json.dumps(result, sort_keys=True)}"
                yield f"<{self.iri}#{hashlib.sha256(key.encode()).hexdigest()[:32]}>", profile, result


def _statements(result: dict[str, Any], term: str, profile: str) -> Iterator[str]:
    """What the graph of verdicts says of a result (SHACL §3.6.2), and under which version of a profile it was found."""
    yield f"{RDF_TYPE} {sh('ValidationResult')}"
    yield f"{sh('focusNode')} {term}"
    yield f"{sh('resultSeverity')} {_SEVERITY[result['severity']]}"
    yield f"{sh('sourceConstraintComponent')} <{result['component']}>"
    yield f"{sh('resultMessage')} {rdf.literal(result['message'])}"
    yield f"{PS.profile} <{profile}>"
    if rdf.is_iri(result["shape"]):
        yield f"{sh('sourceShape')} <{result['shape']}>"
    if result["path"]:
        yield f"{PS.propertyPath} {rdf.literal(result['path'])}"
    if _SINGLE.match(result["path"]):
        yield f"{sh('resultPath')} <{result['path']}>"
    value = result["value"]
    if rdf.is_iri(value):
        yield f"{sh('value')} <{value}>"
    elif value[:1] == '"' and not value.endswith("…"):
        yield f"{sh('value')} {value}"
