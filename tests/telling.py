"""The merged and inferred graphs of a store, told in short.

`in/read/r` is the state of dataset `in` that run `r` read, `t5` the fifth second, and a qualified derivation or
influence stands in brackets after the plain statement: `x wasDerivedFrom y (LatestBefore)`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from provstore import iris, rdf
from provstore.core import ProvStore
from provstore.ledger.log import Body
from provstore.model import Submission
from provstore.vocab import PS
from tests import stores
from tests.histories import NAMESPACE, dataset, run_id, run_iri, said
from tests.notation import lines_of, prefixed, triples
from tests.stores import BASE, lines

Object = dict[str, Any]

RUNS = ("r", "s", "t", "u", "v", "w", "p", "q")
_QUALIFIED = {"qualifiedDerivation": ("Derivation", "wasDerivedFrom"), "qualifiedInfluence": ("EntityInfluence", "")}


def short(iri: str) -> str:
    """Without the base, with runs by their names."""
    for name in RUNS:
        iri = iri.replace(run_iri(name), name).replace(run_id(name), name)
    return iri.removeprefix(f"{dataset('')}").removeprefix(f"{BASE}/")


def feed(store: ProvStore, *given: Object | Submission) -> list[Submission]:
    """Submit each by itself, events as JSON."""
    submissions = [each if isinstance(each, Submission) else stores.event(each) for each in given]
    for submission in submissions:
        store.ingest([submission])
    return submissions


def told(store: ProvStore, graph: str, names: dict[str, str] | None = None) -> set[str]:
    """One of the store's graphs, or with "" the default graph, in short; `names` are run names by UUID."""
    known = names or {run_id(name): name for name in RUNS}
    held: dict[str, str] = {}
    for body in store.ledger.bodies(0, store.ledger.head):
        held[body.record] = f"R{body.index}"
        held.update(_contents(store, body))
        held.update(_declarations(body))

    def short(term: str) -> str:
        if term.startswith('"'):
            text = rdf.text_of(term)
            return re.sub(r"2026-01-01T00:(\d\d):(\d\d)Z\Z", lambda m: f"t{int(m[1]) * 60 + int(m[2])}", text)
        term = term[1:-1]
        head, fragment, pointer = term.partition("#") if term.startswith("ni:") else (term, "", "")
        term = f"{held.get(head, head)}{fragment}{pointer}"
        for identifier, name in known.items():
            term = term.replace(f"urn:uuid:{identifier}", name).replace(identifier, name)
        term = re.sub(r"/version/[0-9a-f]{64}", "/version/#", term)
        term = unquote(re.sub(rf"{BASE}/(?:dataset|job)/[^/]+/", "", prefixed(term)).replace(f"{BASE}/", ""))
        return re.sub(r"^(?:prov|ps|dct):", "", term)

    said = {(short(s), short(p), short(o)) for s, p, o, _ in (rdf.split(f"{line} .\n") for line in lines(store, graph))}
    return {" ".join(each) for each in folded(said)}


def _contents(store: ProvStore, body: Body) -> Iterator[tuple[str, str]]:
    """Facet values by their keys."""
    for name in body.contents:
        for _, predicate, value in triples(store.ledger.content(name)):
            if predicate == PS.key:
                yield name, f"content:{rdf.text_of(value)}"


def _declarations(body: Body) -> Iterator[tuple[str, str]]:
    """Declarations by what they declare as inputs."""
    for subject, predicate, value in triples(body.quads):
        if predicate == PS.declaredInput:
            yield subject[1:-1], f"declared:{value[1:-1].rpartition('/')[2]}"


def folded(facts: set[tuple[str, str, str]]) -> set[tuple[str, ...]]:
    """Each qualified derivation or influence, when it is complete, as brackets on its plain statement."""
    about: dict[str, dict[str, str]] = defaultdict(dict)
    for subject, predicate, value in facts:
        about[subject][predicate] = value
    plain = {t for t in facts if t[1] not in _QUALIFIED and t[1] != "knownFrom" and t[1:] != ("a", "Entity")}
    found: set[tuple[str, ...]] = set(plain)
    for subject, predicate, node in facts:
        if predicate.startswith("qualified"):
            assert about[node].get("knownFrom", "").isdecimal(), f"{node} does not say since when it is known"
        if predicate not in _QUALIFIED:
            continue
        kind, relation = _QUALIFIED[predicate]
        said = about[node]
        stated = (subject, relation or "possiblyDerivedFrom", said["entity"])
        assert said["a"] == kind
        assert stated in plain, f"{node} qualifies what nobody states: {stated}"
        assert said.keys() <= {"a", "entity", "basis", "knownFrom", "hadActivity", "evidence"}
        found = {each for each in found if each[0] != node} - {stated}
        evidence = [said["evidence"]] if "evidence" in said else []
        found.add((*stated, f"({', '.join([said['basis'], *evidence])})"))
    return found


def expect(store: ProvStore, *, merged: str | None = None, inferred: str | None = None) -> None:
    """The graphs are exactly these; of the merged one, what runs' lives (start, end, state) add is left out."""
    if inferred is not None:
        assert told(store, "inferred") == lines_of(inferred)
    if merged is not None:
        life = ("startedAtTime", "endedAtTime", "state")
        assert {line for line in told(store, "merged") if line.split(" ")[1] not in life} == lines_of(merged)


def wrote(run: str, second: float, *named: str | Object, parent: str = "") -> Object:
    return said(run, "COMPLETE", second, (), named or ("d",), parent=parent)


def reads(run: str, first: float, last: float, *named: str | Object) -> tuple[Object, Object]:
    return said(run, "START", first, named or ("d",)), said(run, "COMPLETE", last)


def seen(store: ProvStore, state: str) -> set[str]:
    """What is inferred of one state, without the state's own name."""
    return {line.removeprefix(f"{state} ") for line in told(store, "inferred") if line.startswith(f"{state} ")}


def known_from(store: ProvStore, node: str) -> int:
    """The `ps:knownFrom` of a qualified node, named as `told` would (of states of db only)."""
    asset, _, rest = node.partition("/")
    kind, run, end = re.split(r"/|(?=#)", rest, maxsplit=2)
    iri = f"<{iris.dataset(BASE, NAMESPACE, asset)}/{kind}/{run_id(run)}{end}>"
    found = [
        rdf.text_of(value)
        for graph in ("merged", "inferred")
        for s, p, value, _ in (rdf.split(f"{line} .\n") for line in lines(store, graph))
        if s == iri and p == PS.knownFrom
    ]
    (known,) = found
    return int(known)
