"""What is wrong with shapes before anybody relies on them: an error keeps them out, a warning is told.

Checked are the syntax rules of SHACL (by the W3C's SHACL for SHACL, as pySHACL ships it) and what those leave open:
terms that SHACL does not have, what the engine does not support, recursion, contradictions, imports, missing words.
"""

from __future__ import annotations

import codecs
import importlib.resources
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

from rdflib import Graph
from rdflib.collection import Collection
from rdflib.namespace import OWL, PROF, RDF, SH
from rdflib.term import BNode, Literal, Node, URIRef

from provstore.errors import InvalidInput, nearest
from provstore.validation import engine, foreign, reading
from provstore.validation.closures import Validator
from provstore.validation.described import named, parents, parsed, shapes
from provstore.validation.paths import Predicate
from provstore.validation.profiles import HOME, Upload
from provstore.validation.terms import text
from provstore.validation.wording import Wording

_MOST_FINDINGS, _MOST_TRIPLES, _ALIKE = 100, 100_000, 10
_SH = str(SH)
#: What SHACL 1.0 has beyond Core and SPARQL, and what is no part of it: none of it is looked at here.
_UNSUPPORTED = {
    "rule": "rules (SHACL-AF)",
    "expression": "expression constraints (SHACL-AF)",
    "values": "computed values (SHACL-AF)",
    "js": "JavaScript (SHACL-JS)",
    "jsFunctionName": "JavaScript (SHACL-JS)",
    "jsLibrary": "JavaScript (SHACL-JS)",
    "entailment": "entailment regimes",
}
#: From a shape to the shapes within it; those marked hold lists of them.
_WITHIN = (SH.property, SH.node, SH["not"], SH.qualifiedValueShape)
_LISTS = (SH["and"], SH["or"], SH.xone)
_TARGETS = (SH.targetClass, SH.targetSubjectsOf, SH.targetObjectsOf, SH.targetNode, SH.target)
_COUNTS = (SH.minCount, SH.maxCount, SH.qualifiedMinCount, SH.qualifiedMaxCount, SH.minLength, SH.maxLength)
_RANGES = ((SH.minCount, SH.maxCount), (SH.qualifiedMinCount, SH.qualifiedMaxCount), (SH.minLength, SH.maxLength))
_OF_SHAPE = re.compile(r"(?:shape )?(<[^<> ]*>|_:\S+?): (.*)\Z", re.DOTALL)
_BLANK, _NAMED = re.compile(r"_:\w+"), re.compile(r"<([^<> ]+)>")
_OURS = re.compile(re.escape(f"{HOME}/"))


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: an error or a warning, where (a shape as Turtle writes it, or empty), and what to do."""

    level: str
    where: str
    message: str


def lint(upload: Upload) -> list[Finding]:
    """Every finding, the errors first; InvalidInput where the bytes are no Turtle."""
    if upload.data.startswith(codecs.BOM_UTF8):
        raise InvalidInput("the file begins with a byte order mark: save it as UTF-8 without one")
    engine.parsed(upload.data, base=upload.iri)  # it reads the file again to use it, and rdflib takes more for Turtle
    graph = parsed(upload.data, upload.iri)
    if len(graph) > _MOST_TRIPLES:
        return [Finding("error", "", f"the file has {len(graph):,} statements; at most {_MOST_TRIPLES:,} are taken")]
    first = (_head(graph, upload), _terms(graph), _recursion(graph), _parameters(graph), _whole(graph))
    found = [each for findings in first for each in findings]
    for check in (_engine, _syntax):  # these trust what was checked before, and the last takes its time
        if not any(each.level == "error" for each in found):
            found += check(graph)
    distinct = sorted(dict.fromkeys(found), key=lambda each: (each.level != "error", each.where, each.message))
    return _summed(distinct)[:_MOST_FINDINGS]


def _summed(findings: list[Finding]) -> list[Finding]:
    """The same with what is said of very many shapes said of the first few of them, and of how many more."""
    seen: Counter[tuple[str, str]] = Counter()
    kept = []
    for each in findings:
        seen[each.level, each.message] += 1
        if seen[each.level, each.message] <= _ALIKE:
            kept.append(each)
    more = {key: number - _ALIKE for key, number in seen.items() if number > _ALIKE}
    return kept + [Finding(level, f"{number:,} more", message) for (level, message), number in more.items()]


def job(upload: Upload) -> list[dict[str, Any]]:
    """`lint` for a worker process: findings as JSON objects."""
    return [asdict(finding) for finding in lint(upload)]


# --- the file --------------------------------------------------------------------------------------------------------


def _head(graph: Graph, upload: Upload) -> Iterator[Finding]:
    """What the file says of itself, of others it needs, and of rules that are somebody else's."""
    for iri in sorted(set(map(str, graph.objects(None, OWL.imports)))):
        level = "warning" if upload.imports else "error"
        yield Finding(level, "", f"owl:imports <{iri}>: nothing is fetched; put what is needed into this file")
    tokens = {str(each) for each in graph.objects(None, PROF.hasToken)} - {upload.name}
    if tokens:
        yield Finding("error", "", f"prof:hasToken says {', '.join(sorted(tokens))}, published as {upload.name}")
    ours, others = parents(graph, upload.registry)
    for iri in others:
        if _OURS.match(iri) or iri.startswith(f"{upload.registry.base}/shapes/"):
            known = ", ".join(each.iri for name in upload.registry.names() for each in upload.registry.versions(name))
            yield Finding("error", "", f"prof:isProfileOf <{iri}>: there is no such version; there are {known}")
    names = Counter(each.name for each in ours)
    for name, count in names.items():
        if count > 1:
            yield Finding("error", "", f"prof:isProfileOf names {count} versions of {name}: leave all but one out")
    stated = set(named(graph))
    for parent in ours:
        for shape in sorted(stated & set(named(shapes(parent, upload.registry)))):
            yield Finding("error", f"<{shape}>", f"this rule is one of {parent.token}: give yours an IRI of its own")


def _whole(graph: Graph) -> Iterator[Finding]:
    """That there are shapes, that each is held against something, and that each says what is wrong."""
    shape_nodes = _shapes(graph)
    if not any(each for each in shape_nodes if _targeted(graph, each)):
        yield Finding("error", "", "no shape has a target: nothing would ever be looked at; add sh:targetClass")
    within = {inner for shape in shape_nodes for inner in _inner(graph, shape)}
    speaking = _speaking(graph, shape_nodes, within)
    wording = Wording(graph)
    for shape in sorted(shape_nodes, key=str):
        where = _where(graph, shape, wording)
        if shape not in within and not _targeted(graph, shape):
            yield Finding("warning", where, "the shape has no target and no other shape uses it: nothing is held to it")
        if isinstance(shape, BNode) and _targeted(graph, shape):
            yield Finding("warning", where, "the shape has no IRI: name it, so that what it finds can point to it")
        if shape in speaking and _constrains(graph, shape) and (shape, SH.message, None) not in graph:
            yield Finding("warning", where, "the shape has no sh:message: say what is wrong, what to add, and why")
        yield from _shadowed(graph, shape, wording, where)


def _speaking(graph: Graph, shape_nodes: set[Node], within: set[Node]) -> set[Node]:
    """The shapes whose results reach people: those that stand by themselves, and their property shapes.

    What is within sh:not, sh:or, sh:node, … only decides, and the shape around it speaks.
    """
    found = {each for each in shape_nodes if each not in within or _targeted(graph, each)}
    fresh = list(found)
    while fresh:
        fresh = [inner for each in fresh for inner in graph.objects(each, SH.property) if inner not in found]
        found.update(fresh)
    return found


def _constrains(graph: Graph, shape: Node) -> bool:
    quiet = {*_TARGETS, SH.property, SH.path, SH.name, SH.description, SH.order, SH.group, SH.severity, SH.deactivated}
    asking = ((p, o) for p, o in graph.predicate_objects(shape) if str(p).startswith(_SH) and p not in quiet)
    return any((p, str(o)) not in ((SH.closed, "false"), (SH.closed, "0")) for p, o in asking)


def _shadowed(graph: Graph, shape: Node, wording: Wording, where: str) -> Iterator[Finding]:
    """Property shapes of one shape that ask the same of the same path: only the stricter ever matters."""
    seen: Counter[tuple[str, str]] = Counter()
    for inner in graph.objects(shape, SH.property):
        path = graph.value(inner, SH.path)
        if path is not None:
            asked = {p for p in graph.predicates(inner) if p in (SH.minCount, SH.maxCount, SH.datatype, SH.nodeKind)}
            seen.update((wording.path(path), wording.short(p)) for p in asked)
    for (path_text, parameter), count in sorted(seen.items()):
        if count > 1:
            yield Finding("warning", where, f"{parameter} of {path_text} is stated {count} times: only one can matter")


# --- terms -----------------------------------------------------------------------------------------------------------


def _terms(graph: Graph) -> Iterator[Finding]:
    """Terms of the SHACL namespace that are none, and those that no engine here looks at."""
    known = {*SH.__annotations__, *SH._extras}
    wording = Wording(graph)
    for s, p, o in graph:
        if p in (SH.prefix, SH.namespace):
            continue
        for term, role in ((p, "property"), (o, "term")):
            if not isinstance(term, URIRef) or not str(term).startswith(_SH):
                continue
            name, where = str(term).removeprefix(_SH), _where(graph, s, wording)
            if name in _UNSUPPORTED and role == "property":
                yield Finding("error", where, f"sh:{name}: {_UNSUPPORTED[name]} are not supported")
            elif name and name not in known:
                near = nearest(name, known)
                perhaps = f"; perhaps sh:{' or sh:'.join(near)}" if near else ""
                yield Finding("error", where, f"SHACL has no {role} sh:{name}{perhaps}")


def _parameters(graph: Graph) -> Iterator[Finding]:
    """Values of parameters that cannot be meant."""
    wording = Wording(graph)
    for predicate in _COUNTS:
        for shape, value in graph.subject_objects(predicate):
            if _number(value) is None:
                said = f"{wording.short(predicate)} must be a whole number such as 1, without quotes; got {value.n3()}"
                yield Finding("error", _where(graph, shape, wording), said)
    for least, most in _RANGES:
        for shape in set(graph.subjects(least, None)):
            low, high = _number(graph.value(shape, least)), _number(graph.value(shape, most))
            if low is not None and high is not None and low > high:
                said = f"{wording.short(least)} {low} and {wording.short(most)} {high}: nothing can conform to both"
                yield Finding("error", _where(graph, shape, wording), said)
    for shape, value in graph.subject_objects(SH.pattern):
        yield from _pattern(str(value), _where(graph, shape, wording))


def _number(value: Node | None) -> int | None:
    good = isinstance(value, Literal) and value.datatype is not None and re.fullmatch(r"\+?[0-9]{1,9}", str(value))
    return int(str(value)) if good else None


def _pattern(text: str, where: str) -> Iterator[Finding]:
    """XPath's regular expressions have classes that Python's lack, so only what neither can read is an error."""
    plain = re.sub(r"\\[pP]\{[^}]*\}|\\[icIC]|-\[[^\]]*\]", "a", text)
    try:
        re.compile(plain)
    except (re.error, OverflowError, RecursionError) as error:
        yield Finding("error", where, f"sh:pattern {text[:80]!r} is no regular expression: {error}")


# --- structure -------------------------------------------------------------------------------------------------------


def _recursion(graph: Graph) -> Iterator[Finding]:
    """A shape that refers to itself: SHACL §3.4.3 leaves open what that means."""
    wording = Wording(graph)
    done: set[Node] = set()
    for start in sorted(_shapes(graph), key=str):
        way: list[Node] = [start]
        steps: list[Iterator[Node]] = [iter(_inner(graph, start))]
        while steps:
            following = next(steps[-1], None)
            if following is None:
                steps.pop()
                done.add(way.pop())
            elif following in way:
                cycle = [*way[way.index(following) :], following]
                said = " → ".join(_where(graph, each, wording) for each in cycle)
                yield Finding("error", _where(graph, following, wording), f"a shape cannot refer to itself: {said}")
                done.add(following)
            elif following not in done:
                way.append(following)
                steps.append(iter(_inner(graph, following)))


def _inner(graph: Graph, shape: Node) -> list[Node]:
    found = [each for predicate in _WITHIN for each in graph.objects(shape, predicate)]
    for predicate in _LISTS:
        for values in graph.objects(shape, predicate):
            found += _members(graph, values)
    return sorted(set(found), key=str)


def _members(graph: Graph, values: Node) -> list[Node]:
    try:
        return list(Collection(graph, values))
    except ValueError:  # a list that comes back to itself; SHACL for SHACL tells of it
        return []


def _shapes(graph: Graph) -> set[Node]:
    found: set[Node] = {s for kind in (SH.NodeShape, SH.PropertyShape) for s in graph.subjects(RDF.type, kind)}
    found |= {s for predicate in _TARGETS for s in graph.subjects(predicate, None)}
    fresh = list(found)
    while fresh:
        fresh = [inner for shape in fresh for inner in _inner(graph, shape) if inner not in found]
        found.update(fresh)
    return found


def _targeted(graph: Graph, shape: Node) -> bool:
    classes = {OWL.Class, URIRef("http://www.w3.org/2000/01/rdf-schema#Class")}
    return any((shape, p, None) in graph for p in _TARGETS) or bool(classes & set(graph.objects(shape, RDF.type)))


def _where(graph: Graph, node: Node, wording: Wording) -> str:
    """A shape by its name; one without, by the named shape around it and its path."""
    if not isinstance(node, BNode):
        return wording.short(node)
    path = graph.value(node, SH.path)
    around = _around(graph, node)
    parts = [wording.short(around) if around is not None else "", wording.path(path) if path is not None else ""]
    return " on ".join(filter(None, parts)) or "a shape without a name"


def _around(graph: Graph, node: Node) -> Node | None:
    """The nearest named thing that leads to a blank node."""
    level, seen = [node], {node}
    while level:
        above = [s for each in level for s in graph.subjects(None, each) if s not in seen]
        named_ones = sorted(each for each in above if isinstance(each, URIRef))
        if named_ones:
            return named_ones[0]
        seen.update(above)
        level = above
    return None


# --- others' judgement -----------------------------------------------------------------------------------------------


def _syntax(graph: Graph) -> Iterable[Finding]:
    """What SHACL for SHACL finds (SHACL Appendix C)."""
    wording = Wording(graph)
    for result in _grammar().validate(foreign.taken(graph)):
        where = _where(graph, foreign.node(result.focus), wording)
        about = f"{wording.short(foreign.node(result.path.iri))}: " if isinstance(result.path, Predicate) else ""
        value = None if result.value in (None, result.focus) else foreign.node(result.value or "")
        shown = f" (got {wording.short(value)})" if isinstance(value, URIRef | Literal) else ""
        message = next((text(each) for each in sorted(result.shape.messages)), "")
        yield Finding("error", where, f"{about}{_sentence(message)}{shown}")


@cache
def _grammar() -> Validator:
    """The shapes of the W3C that shapes are held to."""
    source = importlib.resources.files("pyshacl") / "assets" / "shacl-shacl.ttl"
    return Validator(reading.read(engine.parsed(source.read_bytes())))


def _sentence(text: str) -> str:
    return " ".join(text.split())[:300] or "this is against the syntax rules of SHACL"


def _engine(graph: Graph) -> Iterable[Finding]:
    """Whether the engine takes the shapes."""
    try:
        reading.read(foreign.taken(graph))
    except InvalidInput as error:
        return [_placed(error.detail, graph)]
    return []


def _placed(detail: str, graph: Graph) -> Finding:
    """What the engine says of a shape, with the shape named as elsewhere; nodes without a name have none here."""
    wording = Wording(graph)
    found = _OF_SHAPE.match(detail)
    where, said = (found[1], found[2]) if found else ("", detail)
    node = URIRef(where[1:-1]) if where.startswith("<") else BNode(where[2:])
    said = _BLANK.sub("a node without a name", said)
    said = _NAMED.sub(lambda each: wording.short(URIRef(each[1])), said)
    return Finding("error", _where(graph, node, wording) if where else "", _sentence(said))
