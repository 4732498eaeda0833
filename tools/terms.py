"""`ontology/examples.ttl`, where the project's own files use each term: `make docs` writes it, a test holds it to them.

The worked examples and those of `ontology/examples/` are taken into a store, and what its graphs say is looked through;
shapes, their examples and the ontology are read as they are. Of each term a few uses are kept, from different files
where there are such, the shortest of each file first.
"""

from __future__ import annotations

import re
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pyoxigraph as ox

from provstore import rdf, resources
from provstore.capture.payloads import Limits
from provstore.capture.syntax import media_type_of
from provstore.core import ProvStore, intake
from provstore.core.intake import Body
from provstore.ledger.log import Ledger
from provstore.store.query import GRAPHS
from provstore.ui.vocabulary import BASE, PREFIXES
from provstore.vocab import PS, RDF_TYPE
from tools.reference import ROOT

PAGE = ROOT / "ontology" / "examples.ttl"
#: How many uses of a term are kept, and how many statements and characters one shows.
KEPT, _STATEMENTS, _LONGEST = 3, 6, 160
_TIME = "2026-04-03T08:00:00.000000Z"
_LOCAL = re.compile(r"[A-Za-z][A-Za-z0-9_-]*\Z")
#: What differs from store to store, or with every example more, and says nothing of what it means.
_CHANCE = frozenset({PS.actor, PS.appliedIndex})
_SPEAKS = (
    "<http://www.w3.org/ns/shacl#",
    "<http://www.w3.org/2000/01/rdf-schema#",
    "<http://www.w3.org/2004/02/skos/core#",
    f"<{rdf.RDF}first>",
)
#: What a store itself says, by the last part of the graph.
_DERIVED = {"merged": "of one run or subject", "inferred": "across runs", "system": "of the ledger"}


@dataclass(frozen=True, slots=True)
class Node:
    """What one graph says of one node: `where` it stands, its name, and (predicate, value) pairs as N-Triples terms."""

    where: str
    name: str
    said: tuple[tuple[str, str], ...]


def page() -> str:
    """The whole file."""
    used = uses()
    parts = [_HEAD.format(PS.iri)]
    for term in sorted(used):
        texts = ",\n".join(f"    '''{_quoted(each)}'''" for each in used[term])
        parts.append(f"ps:{term} skos:example\n{texts} .\n")
    return "\n".join(parts)


_HEAD = """\
# Where the project's own files use the terms of provstore.ttl. Made by `make docs`; change what uses them, not this.
@prefix ps: <{}> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
"""


def uses() -> dict[str, list[str]]:
    """Term → Turtle of some uses, each behind a comment that says where it stands."""
    found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for node in nodes():
        for term in {name for pair in node.said if _tells(pair) for each in pair if (name := _name(each))}:
            if len(found[term]) < KEPT or node.where in found[term]:
                found[term][node.where].append(f"# {node.where}\n{_turtle(node, f'<{PS.iri}{term}>')}")
    return {term: _chosen(list(places.values())) for term, places in found.items()}


def _chosen(places: list[list[str]]) -> list[str]:
    """The shortest of each place, then the next of each, until there are enough."""
    ranked = [sorted(set(place), key=lambda text: (len(text), text)) for place in places]
    turns = max(map(len, ranked))
    return [place[turn] for turn in range(turns) for place in ranked if turn < len(place)][:KEPT]


def _tells(pair: tuple[str, str]) -> bool:
    """Whether a statement uses terms, and does not speak of them: as a rule does, a list, or the ontology itself."""
    return not pair[0].startswith(_SPEAKS)


def _name(term: str) -> str:
    """The name of a term of ours; of anything else nothing."""
    name = term[1:-1].removeprefix(PS.iri)
    return name if term.startswith(f"<{PS.iri}") and name in PS.names else ""


# --- what there is ---------------------------------------------------------------------------------------------------


def nodes() -> Iterator[Node]:
    """Every node of every file, in the order in which files are looked through."""
    yield from stored()
    for file in (*resources.files("shapes", "*.trig"), *resources.files("shapes", "*.ttl")):
        yield from _read(file)
    for file in resources.files("ontology", "*.ttl"):
        if file != PAGE:
            yield from _read(file)


@cache
def stored() -> tuple[Node, ...]:
    """The nodes of the worked examples and of those of the ontology, taken into a store each."""
    folders = {"examples": ROOT / "examples", "ontology/examples": ROOT / "ontology" / "examples"}
    return tuple(node for name, folder in folders.items() for node in _stored(name, folder))


def _read(file: Path) -> Iterator[Node]:
    """The nodes of an RDF file; of examples of a shape only those that pass."""
    said: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    for quad in ox.parse(path=str(file), base_iri=BASE):
        if not str(quad.graph_name).rstrip(">").partition(".fails")[1]:
            said[str(quad.graph_name), str(quad.subject)].append((str(quad.predicate), str(quad.object)))
    where = file.relative_to(ROOT).as_posix()
    for (_, subject), pairs in said.items():
        if (
            not subject.startswith(f"<{PS.iri}")
            or (RDF_TYPE, "<http://www.w3.org/2002/07/owl#NamedIndividual>") in pairs
        ):
            yield Node(where, subject, tuple(dict.fromkeys(pairs)))


def _stored(name: str, folder: Path) -> Iterator[Node]:
    """What a store into which the files of a folder were taken says: first of each file, then of them together."""
    with tempfile.TemporaryDirectory() as home:
        Ledger.create(Path(home) / "data", base=BASE.rstrip("/"), received=_TIME).close()
        store = ProvStore(Path(home) / "data")
        try:
            graphs = dict(_ingested(store, folder))
            dump = list(store.views.store.dump())
        finally:
            store.close()
    said: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    for line in dump:
        subject, predicate, value, graph = rdf.split(line)
        if graph and predicate not in _CHANCE:
            said[_where(name, graph, graphs), subject].append((predicate, value))
    order = {where: at for at, where in enumerate(dict.fromkeys(graphs.values()))}
    for (where, subject), pairs in sorted(said.items(), key=lambda each: (order.get(each[0][0], len(order)), each[0])):
        yield Node(where, subject, tuple(dict.fromkeys(pairs)))


def _where(name: str, graph: str, graphs: dict[str, str]) -> str:
    if graph in graphs:
        return graphs[graph]
    kind = graph[1:-1].rpartition("/")[2]
    return f"{name}, what a store says {_DERIVED.get(kind, 'beside')} (the graph {kind})"


def _ingested(store: ProvStore, folder: Path) -> Iterator[tuple[str, str]]:
    """Take the files in, at a fixed time; each record's and each content's graph, and the file it came from."""
    for file in sorted(each for each in folder.rglob("*.*") if each.suffix in (".trig", ".ttl", ".jsonl")):
        kind = media_type_of(file.name) or intake.JSON
        body = Body(file.read_bytes(), kind, None, store.base, Limits())
        items = [intake.read_document(body)] if intake.is_rdf(kind) else intake.read_payloads(body)
        submissions = [item.submission("examples") for item in items]
        store.ledger.append(submissions, _TIME)
        for each in submissions:
            for graph in (each.mapped.record, *(content.iri for content in each.mapped.contents)):
                yield f"<{graph.strip('<>')}>", file.relative_to(ROOT).as_posix()
    store.catch_up()


# --- as Turtle -------------------------------------------------------------------------------------------------------


def _turtle(node: Node, term: str) -> str:
    """A few statements about a node: its types, those that use the term, and where there is room others."""
    types = [pair for pair in node.said if pair[0] == RDF_TYPE]
    using = [pair for pair in node.said if term in pair and pair not in types]
    others = [pair for pair in node.said if pair not in types and pair not in using and _tells(pair)]
    types.sort(key=lambda pair: (pair[1] != term, pair[1]))
    shown = [*types[:3], *using[: _STATEMENTS - 2]]
    shown += [pair for pair in others if len(pair[1]) < 100][: max(0, _STATEMENTS - len(shown)) if not using else 1]
    grouped: dict[str, list[str]] = defaultdict(list)
    for predicate, value in shown:
        grouped["a" if predicate == RDF_TYPE else _short(predicate)].append(_short(value))
    lines = [f"{predicate} {', '.join(values)}" for predicate, values in grouped.items()]
    together = " ;\n    ".join(lines)
    return f"{_short(node.name)} {together} ."


def _short(term: str) -> str:
    if term.startswith("_:"):
        return "[]"
    if term.startswith('"'):
        return _literal(term)
    iri = term[1:-1]
    for prefix, start in PREFIXES.items():
        if iri.startswith(start) and _LOCAL.match(iri.removeprefix(start)):
            return f"{prefix}:{iri.removeprefix(start)}"
    return f"<{iri.removeprefix(BASE)}>" if re.match(r"[a-z]+[/#]", iri.removeprefix(BASE)) else term


def _literal(term: str) -> str:
    """A literal, its datatype shortened; long texts are cut."""
    quoted, kind = term[: term.rindex('"') + 1], term[term.rindex('"') + 1 :]
    if len(quoted) > _LONGEST:
        text = rdf.text_of(term)
        quoted = str(ox.Literal(f"{text[:_LONGEST]}…"))
    return f"{quoted}^^{_short(kind[2:])}" if kind.startswith("^^") else f"{quoted}{kind}"


def _quoted(text: str) -> str:
    """A text between three apostrophes (Turtle 1.1, production 24)."""
    return text.replace("\\", "\\\\").replace("'''", "\\'\\'\\'")


def examples(texts: Iterable[str]) -> Iterator[list[ox.Quad]]:
    """The statements of examples."""
    prefixes = "".join(f"@prefix {prefix}: <{iri}> .\n" for prefix, iri in PREFIXES.items())
    for text in texts:
        yield list(ox.parse(f"{prefixes}{text}".encode(), format=GRAPHS["text/turtle"], base_iri=BASE))


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
